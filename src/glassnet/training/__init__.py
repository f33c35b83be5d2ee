"""`train`: from a network and data to a Run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.equations.derive import Derivation, derive
from glassnet.equations.draws import ShuffleStream
from glassnet.equations.expression import Expression, Mean
from glassnet.equations.losses import Loss
from glassnet.equations.optimizers import LBFGS, LeastSquares, Newton, Optimizer
from glassnet.errors import GlassnetError, GlassnetWarning, RunError, unknown_name
from glassnet.network import Network
from glassnet.training.arrays import Samples, check_samples, held_out_fraction, sparse
from glassnet.training.augmentation import Augmentation
from glassnet.training.callbacks import Callback, EarlyStopping
from glassnet.training.choice import chosen_engine, cores
from glassnet.training.direct import train_direct
from glassnet.training.folder import claim_folder, folder_path
from glassnet.training.history import History
from glassnet.training.loop import Training
from glassnet.training.measures import exclusive, metric_name
from glassnet.training.quasi_newton import train_lbfgs
from glassnet.training.run import Run, versions
from glassnet.training.settings import Settings
from glassnet.training.snapshots import Snapshot, Snapshots

if TYPE_CHECKING:
    from glassnet.data import ArrayPreparation, Preparation

__all__ = ["Augmentation", "EarlyStopping", "History", "Run", "ShuffleStream", "train"]


def train(
    network: Network | None = None,
    X: Any = None,
    Y: Any = None,
    *,
    loss: str | Loss | None = None,
    optimizer: str | Optimizer | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    l1: float = 0.0,
    l2: float = 0.0,
    penalty_on: str = "mean",
    seed: int = 0,
    engine: str = "auto",
    record: str | int = "auto",
    validation: float | tuple[Any, ...] | None = None,
    callbacks: Sequence[Callback | EarlyStopping] = (),
    out: str | Path | None = None,
    initial_parameters: Mapping[str, Any] | None = None,
    sample_weight: Any = None,
    shuffle: bool | ShuffleStream = True,
    max_seconds: float | None = None,
    progress: bool = True,
    resume: str | Path | Run | None = None,
    overwrite: bool = False,
    dtype: str | None = None,
    keep_data: bool | None = None,
    preparation: Preparation | ArrayPreparation | None = None,
    source: Mapping[str, Any] | None = None,
    measure: str | int = "auto",
    threads: int | None = None,
    augmentation: Augmentation | None = None,
) -> Run:
    """Train a network and return the run: its parameters, history, and every iteration of it.

        J = mean over samples, sum over outputs (+ λ₁ Σ|W| + ½ λ₂ Σ W²);   θ ← the optimiser's update

    Parameters
    ----------
    network : what to train
    X : (m, features); Y : (m, outputs), or (m,) for one output, or class numbers (m,) under softmax
    loss, optimizer : names or objects; the output activation's own loss and Adam() unless given
    epochs : passes over the data in all, 100 unless given; with `resume`, the total to reach (the run's own unless given)
    batch_size : samples an update (the last batch of an epoch may be smaller); None takes all of them
    l1, l2 : penalties λ₁ Σ|W| + ½ λ₂ Σ W² on the weights
    penalty_on : what the penalties are added to: the "mean" of the losses, or their "sum" (they are then divided by
        the batch's m, as scikit-learn's alpha is)
    seed : one seed is one result, bit for bit; the global random state is never touched
    engine : "reference" (NumPy, equation by equation), "compiled" (one compiled loop), or "auto": compiled when the work is
        larger than loading it
    record : which iterations keep a snapshot: "auto" (about 200 at most), "all", "last", or every n-th
    validation : a fraction to hold out, or (X, Y) or (X, Y, sample_weight)
    callbacks : functions of the run called after each epoch (True stops), and EarlyStopping objects
    out : a run folder kept up to date while training, so that a killed training can be resumed
    initial_parameters : {"W1": ..., "b1": ...} to start from, all or some; also the optimiser's memory ("vW1", ...)
        and running statistics
    sample_weight : (m,) weights: J = Σ wᵢ ℓᵢ / Σ wᵢ; rows of weight 0 are left out
    shuffle : new batches in every epoch, by (seed, epoch); or a `ShuffleStream`, in scikit-learn's orders
    max_seconds : end cleanly after about this long
    progress : a bar on a terminal, lines elsewhere, nothing when False
    resume : a run or its folder, to go on with up to `epochs`; settings left at their defaults are the run's, and
        others are refused
    overwrite : replace a run that `out` holds
    dtype : "float64" or "float32"; X's own unless given
    keep_data : keep X and Y in the run folder; by default up to 16 MB
    measure : on how many training samples cost and metric are measured after an epoch: "all", a number of them, or
        "auto": all, unless that would take longer than a few percent of training (above 5,000 samples in batches, a
        twentieth of them, at least 1,000, the same ones each time). Held-out samples are measured all
    threads : the most threads the compiled engine uses; the cores there are, 8 at most, unless given
    augmentation : changes the training pictures in every epoch, anew and replayably; cost and metrics after an epoch are of
        the pictures as they are. The compiled engine then holds X twice
    preparation, source : how X was made from a table, and where from; kept in the run

    Returns
    -------
    Run. Its `status` says how training ended; "diverged" when a number was no longer finite (a warning names the
    equation, and the last finite parameters are kept).

    Raises
    ------
    GlassnetError : settings, shapes or values that cannot be used; nothing has been written then
    """
    _check_call(network, X, Y, resume, max_seconds, shuffle, progress, dtype)
    watching = _as_callbacks(callbacks)
    folder = None if out is None else folder_path(out, "out")
    if resume is not None:
        given = {
            "network": network, "loss": loss, "optimizer": optimizer, "batch_size": batch_size, "l1": l1, "l2": l2,
            "penalty_on": penalty_on, "seed": seed, "engine": engine, "record": record, "shuffle": shuffle, "dtype": dtype,
            "measure": measure, "threads": threads, "augmentation": augmentation,
        }  # fmt: skip
        fixed = {"initial_parameters": initial_parameters, "preparation": preparation, "source": source}
        run, place = _resumed(resume, given, fixed, X, Y, sample_weight, validation, epochs)
        folder = folder or place
        if folder is not None and folder != place:
            claim_folder(folder, overwrite)
            run.snapshots.moved_to(folder)
        if not any(isinstance(c, EarlyStopping) for c in watching):
            watching += [EarlyStopping(**d) for d in run.facts.get("early_stopping", [])]
    else:
        run = _begun(
            network, X, Y, loss, optimizer, 100 if epochs is None else epochs, batch_size, l1, l2, penalty_on, seed,
            engine, _whole(record), validation, initial_parameters, sample_weight, shuffle, dtype, preparation, source,
            _whole(measure), _whole(threads), augmentation,
        )  # fmt: skip
        run.facts["data"]["keep"] = keep_data
        run.facts["early_stopping"] = [_described(c) for c in watching if isinstance(c, EarlyStopping)]
    training = _training(run)(run, watching, folder, max_seconds, progress)
    for stopper in training.stoppers:
        stopper.check(training.columns())
    if resume is None and folder is not None:
        claim_folder(folder, overwrite)
    if isinstance(run.settings.optimizer, LBFGS):
        return train_lbfgs(training)
    if isinstance(run.settings.optimizer, LeastSquares | Newton):
        return train_direct(training, from_data=initial_parameters is None)
    return training.go()


def _training(run: Run) -> type[Training]:
    """The loop that belongs to the run's engine."""
    if run.engine.name != "compiled":
        return Training
    from glassnet.training.compiled_loop import CompiledTraining

    return CompiledTraining


def _check_call(
    network: Any, X: Any, Y: Any, resume: Any, max_seconds: Any, shuffle: Any, progress: Any, dtype: Any
) -> None:
    if isinstance(network, Network) and X is not None and Y is None and resume is None:
        raise GlassnetError("train got X but no Y; pass the targets as the third argument.")
    number = isinstance(max_seconds, int | float | np.number) and not isinstance(max_seconds, bool)
    if max_seconds is not None and not (number and 0 < max_seconds < math.inf):
        raise GlassnetError(f"train got max_seconds={max_seconds!r}; it needs a number of seconds above 0.")
    for name, value in (("shuffle", shuffle), ("progress", progress)):
        if name == "shuffle" and isinstance(value, ShuffleStream):
            continue
        if not isinstance(value, bool | np.bool_):
            raise GlassnetError(f"train got {name}={value!r}; it needs True or False.")
    if dtype is not None and dtype not in ("float32", "float64"):
        raise GlassnetError(f"train got dtype={dtype!r}; it needs 'float32' or 'float64'.")


def _as_callbacks(callbacks: Any) -> list[Callback | EarlyStopping]:
    """A list of callbacks; one alone may stand without brackets."""
    several = callbacks if isinstance(callbacks, list | tuple) else () if callbacks is None else (callbacks,)
    for callback in several:
        usable = isinstance(callback, EarlyStopping) or (callable(callback) and not isinstance(callback, type))
        if not usable:
            hint = " Write EarlyStopping() with its parentheses." if callback is EarlyStopping else ""
            raise GlassnetError(
                f"train got {callback!r} as a callback; it needs functions of the run, or EarlyStopping.{hint}"
            )
    return list(several)


def _described(stopper: EarlyStopping) -> dict[str, Any]:
    return {
        "monitor": stopper.monitor,
        "patience": stopper.patience,
        "min_delta": stopper.min_delta,
        "restore_best": stopper.restore_best,
    }


def _begun(
    network: Any,
    X: Any,
    Y: Any,
    loss: Any,
    optimizer: Any,
    epochs: int,
    batch_size: int | None,
    l1: float,
    l2: float,
    penalty_on: str,
    seed: int,
    engine: str,
    record: str | int,
    validation: Any,
    initial_parameters: Mapping[str, Any] | None,
    sample_weight: Any,
    shuffle: bool | ShuffleStream,
    dtype: str | None,
    preparation: Any,
    source: Any,
    measure: Any,
    threads: Any,
    augmentation: Any,
) -> Run:
    """A run before its first update."""
    if not isinstance(network, Network):
        raise GlassnetError(f"train got {type(network).__name__} as its network; it needs a glassnet.Network.")
    if X is None or Y is None:
        raise GlassnetError("train got no data; pass X and Y, or resume=RUN.")
    derivation = derive(
        network, loss, optimizer, l1=l1, l2=l2, penalty_on=penalty_on, sample_weight=sample_weight is not None
    )
    samples = check_samples(X, Y, sample_weight, network, derivation.loss, dtype)
    borrowed = samples.nbytes > BORROWED
    samples = samples if borrowed else _owned(samples, X, Y)
    kind = samples.X.dtype.name
    settings = Settings(
        network, derivation.loss, derivation.optimizer, _whole(epochs), _whole(batch_size), float(l1), float(l2), penalty_on,
        seed, shuffle if isinstance(shuffle, ShuffleStream) else bool(shuffle), engine, kind, record, sample_weight is not None,
        measure, cores() if threads is None else threads, augmentation,
    )  # fmt: skip
    held, fraction, stratified = None, None, False
    classes = metric_name(derivation.loss, derivation.output_activation, samples.Y) == "accuracy"
    if isinstance(validation, tuple | list):
        if len(validation) not in (2, 3):
            raise GlassnetError(
                f"validation got {len(validation)} things; it needs a fraction, (X, Y) or (X, Y, sample_weight)."
            )
        weights = validation[2] if len(validation) == 3 else None
        if weights is not None and sample_weight is None:
            raise GlassnetError(
                "validation got sample weights and training got none; pass sample_weight too (ones weigh all alike)."
            )
        if weights is None and sample_weight is not None:
            weights = np.ones(len(np.asarray(validation[0])))
        held = check_samples(validation[0], validation[1], weights, network, derivation.loss, kind, "validation ")
        held = _owned(held, validation[0], validation[1])
    elif validation is not None:
        one_label = samples.Y.shape[1] == 1 or exclusive(samples.Y)
        fraction, stratified = validation, classes and one_label
        samples, held = held_out_fraction(samples, fraction, seed, stratified)
    settings = replace(settings, engine=chosen_engine(settings, derivation, samples))
    notes: list[str] = []
    if derivation.warning:
        notes.append(derivation.warning)
    if derivation.loss.name == "binary_cross_entropy" and exclusive(samples.Y):
        notes.append(
            "Every row of Y has exactly one 1, so the classes exclude one another; sigmoid outputs treat them as separate "
            "yes-or-no questions. Softmax outputs with categorical_cross_entropy give probabilities that sum to 1."
        )
    if settings.batch_size == 1 and any(_of_one_value(e.expression) for e in derivation.forward):
        notes.append(
            "BatchNorm gets one sample at a time, whose deviation from its own mean is always 0; use batches of several."
        )
    for note in notes:
        _warn(note)
    if settings.batch_size is not None and settings.batch_size > len(samples):
        settings = replace(settings, batch_size=None)
        notes.append(f"batch_size={batch_size} is more than the {len(samples)} samples, so every batch is all of them.")
    start, others = _initial(network, derivation, seed, initial_parameters)
    facts: dict[str, Any] = {
        "id": "",
        "status": "running",
        "batches": settings.batches(len(samples)),
        "data": {
            "rows": len(samples),
            "fingerprint": None,
            "borrowed": borrowed,
            "zero_weight_rows": 0 if sample_weight is None else int((np.asarray(sample_weight) == 0).sum()),
            "validation_rows": 0 if held is None else len(held),
            "validation_fraction": fraction,
            "stratified": stratified,
            "validation_fingerprint": None,
        },
        "source": _storable(source),
        "versions": versions(),
        "notes": notes,
    }
    run = Run(settings, Snapshots(record), History(), samples, held, facts, preparation)
    state = run.engine.initial_state(start)
    state.update({name: value.astype(kind) for name, value in others.items()})
    from glassnet.data import fingerprint

    run.snapshots.offer(Snapshot(0, state, {}))
    facts["start"] = fingerprint(*(state[name] for name in sorted(state)))
    if borrowed:
        run.identify()  # as the data are now; those that are the run's own do not change
    return run


BORROWED = 64 * 2**20
"""Larger data are not copied; a run looks whether they are still the same before it uses them again."""


def _of_one_value(expression: Expression) -> bool:
    """Whether a line is a mean over the samples, and over no places beside them."""
    if not isinstance(expression, Mean):
        return False
    shape = expression.argument.shape
    return expression.axis == 0 or shape[2:] == (1, 1)


def _owned(samples: Samples, X: Any, Y: Any) -> Samples:
    """The samples in memory of their own, so that the record does not change when the caller's arrays do."""
    if sparse(samples.X):
        shared = sparse(X) and np.may_share_memory(samples.X.data, X.data)
    else:
        shared = np.may_share_memory(samples.X, np.asarray(X))
    mine = samples.X.copy() if shared else samples.X
    targets = samples.Y.copy() if np.may_share_memory(samples.Y, np.asarray(Y)) else samples.Y
    return Samples(mine, targets, samples.w)


def _storable(source: Any) -> dict[str, Any] | None:
    """Where the data came from, as something a JSON file can hold."""
    import json

    if source is None:
        return None
    try:
        return dict(json.loads(json.dumps(dict(source))))
    except (TypeError, ValueError) as problem:
        raise GlassnetError(f"source cannot be stored ({problem}); it needs a dict of plain values.") from None


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, np.integer) else value


def _warn(text: str) -> None:
    import warnings

    warnings.warn(text, GlassnetWarning, stacklevel=4)


def _initial(
    network: Network, derivation: Derivation, seed: int, given: Any
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Starting parameters, and the rest of the state where it is given: memory, running statistics."""
    values = network.initial_parameters(seed)
    if isinstance(derivation.optimizer, LeastSquares | Newton):
        values = {name: np.zeros_like(value) for name, value in values.items()}
    shapes = {name: value.shape for name, value in values.items()}
    others = [*derivation.states, *(symbol for symbol, _ in derivation.buffers.values())]
    shapes |= {symbol.name: tuple(int(d) for d in symbol.shape) for symbol in others}
    if given is not None and not isinstance(given, Mapping):
        raise GlassnetError(
            f"initial_parameters got {type(given).__name__}; it needs a dict such as {{'W1': ..., 'b1': ...}}."
        )
    besides: dict[str, np.ndarray] = {}
    problems: list[str] = []
    for name, array in (given or {}).items():
        if name not in shapes:
            raise GlassnetError(unknown_name("parameter", name, values))
        try:
            if np.iscomplexobj(array):
                raise TypeError
            start = np.array(array, dtype=np.float64)
        except (TypeError, ValueError):
            problems.append(f"{name} is not an array of real numbers")
            continue
        if start.shape != shapes[name]:
            problems.append(f"{name} has shape {start.shape}, needs {shapes[name]}")
        elif not np.isfinite(start).all():
            problems.append(f"{name} has values that are not finite")
        (values if name in values else besides)[name] = start
    if problems:
        raise GlassnetError(f"initial_parameters cannot be used: {'; '.join(problems)}.")
    return values, besides


def _resumed(
    resume: Any,
    given: dict[str, Any],
    fixed: dict[str, Any],
    X: Any,
    Y: Any,
    sample_weight: Any,
    validation: Any,
    epochs: int | None,
) -> tuple[Run, Path | None]:
    """The run to go on with, and its folder. Settings that contradict it are refused, all at once."""
    place = None if isinstance(resume, Run) else folder_path(resume, "resume")
    run = resume if isinstance(resume, Run) else Run.load(resume)
    _refuse_contradictions(run, given, fixed)
    if X is not None and Y is not None:
        run.attach(X, Y, sample_weight, validation)
    elif X is not None or Y is not None or sample_weight is not None:
        raise GlassnetError(
            "resume got a part of the data; pass X and Y (and sample_weight) together, or none of them."
        )
    run._need_data("go on training")
    if validation is not None and not isinstance(validation, tuple | list):
        if validation != run.facts["data"].get("validation_fraction"):
            raise GlassnetError(
                f"resume got validation={validation!r}; the run was trained with "
                f"{run.facts['data'].get('validation_fraction')!r}. Leave it out to go on."
            )
    elif validation is not None and X is None:
        raise GlassnetError("resume got validation data without X and Y; pass all of them, or none.")
    if run.facts["data"]["validation_rows"] and run.validation is None:
        raise GlassnetError("This run was trained with validation data and saved without them; pass validation=(X, Y).")
    last = run.snapshots.iterations[-1]
    done = last // run.batches
    if len(run.history) < done:
        raise RunError(
            f"The history of this run lacks {done - len(run.history)} of {done} epochs, so it cannot go on; "
            "its iterations can still be looked at."
        )
    total = run.settings.epochs if epochs is None else _whole(epochs)
    if isinstance(total, int) and not isinstance(total, bool) and 0 <= total < done:
        raise GlassnetError(f"resume got epochs={total}, and the run has already had {done}; ask for more in total.")
    history = History(run.history[:done].to_dict()) if done else History()
    facts = {
        **run.facts,
        "data": dict(run.facts["data"]),
        "restored": None,
        "iteration": last,
        "notes": list(run.notes),
    }
    settings = replace(run.settings, epochs=total)
    continued = Run(settings, run.snapshots.until(last), history, run.data, run.validation, facts, run.preparation)
    return continued, place


def _refuse_contradictions(run: Run, given: dict[str, Any], fixed: dict[str, Any]) -> None:
    settings = run.settings
    differing: list[str] = []
    if given["network"] is not None and given["network"] != settings.network:
        differing.append(f"the network {given['network']} (the run's: {settings.network})")
    derived = derive(settings.network, given["loss"] or settings.loss, given["optimizer"] or settings.optimizer)
    for name, mine in (("loss", derived.loss), ("optimizer", derived.optimizer)):
        if mine != getattr(settings, name):
            differing.append(f"{name} {mine!r} (the run's: {getattr(settings, name)!r})")
    defaults = {
        "batch_size": None,
        "l1": 0.0,
        "l2": 0.0,
        "penalty_on": "mean",
        "seed": 0,
        "engine": "auto",
        "measure": "auto",
        "record": "auto",
        "shuffle": True,
    }
    for name, default in {**defaults, "dtype": None, "threads": None, "augmentation": None}.items():
        unchanged = isinstance(given[name], type(default)) and given[name] == default
        if not unchanged and given[name] is not default and given[name] != getattr(settings, name):
            differing.append(f"{name}={given[name]!r} (the run's: {getattr(settings, name)!r})")
    differing += [
        f"{name} (a training that goes on keeps its own)" for name, value in fixed.items() if value is not None
    ]
    if differing:
        raise GlassnetError(
            f"resume got other settings than the run was trained with: {'; '.join(differing)}. "
            "Leave them out to go on, or start a new training."
        )
