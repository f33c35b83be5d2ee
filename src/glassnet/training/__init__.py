"""`train`: from a network and data to a Run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.equations.derive import derive
from glassnet.equations.losses import Loss
from glassnet.equations.optimizers import LBFGS, Optimizer
from glassnet.errors import GlassnetError, GlassnetWarning, unknown_name
from glassnet.network import Network
from glassnet.training.arrays import check_samples, held_out_fraction
from glassnet.training.callbacks import Callback, EarlyStopping
from glassnet.training.folder import claim_folder
from glassnet.training.history import History
from glassnet.training.loop import Training
from glassnet.training.measures import exclusive, metric_name
from glassnet.training.quasi_newton import train_lbfgs
from glassnet.training.run import Run, data_fingerprint, versions
from glassnet.training.settings import Settings
from glassnet.training.snapshots import Snapshot, Snapshots

if TYPE_CHECKING:
    from glassnet.data import ArrayPreparation, Preparation

__all__ = ["EarlyStopping", "History", "Run", "train"]


def train(
    network: Network | None = None,
    X: Any = None,
    Y: Any = None,
    *,
    loss: str | Loss | None = None,
    optimizer: str | Optimizer | None = None,
    epochs: int = 100,
    batch_size: int | None = None,
    l1: float = 0.0,
    l2: float = 0.0,
    seed: int = 0,
    engine: str = "auto",
    record: str | int = "auto",
    validation: float | tuple[Any, ...] | None = None,
    callbacks: Sequence[Callback | EarlyStopping] = (),
    out: str | Path | None = None,
    initial_parameters: Mapping[str, Any] | None = None,
    sample_weight: Any = None,
    shuffle: bool = True,
    max_seconds: float | None = None,
    progress: bool = True,
    resume: str | Path | Run | None = None,
    overwrite: bool = False,
    dtype: str | None = None,
    keep_data: bool | None = None,
    preparation: Preparation | ArrayPreparation | None = None,
    source: Mapping[str, Any] | None = None,
) -> Run:
    """Train a network and return the run: its parameters, history, and every iteration of it.

        J = mean over samples, sum over outputs (+ λ₁ Σ|W| + ½ λ₂ Σ W²);   θ ← the optimiser's update

    Parameters
    ----------
    network : what to train
    X : (m, features); Y : (m, outputs), or (m,) for one output, or class numbers (m,) under softmax
    loss, optimizer : names or objects; the output activation's own loss and Adam() unless given
    epochs : passes over the data in all; with `resume`, the total to reach
    batch_size : samples an update (the last batch of an epoch may be smaller); None takes all of them
    l1, l2 : penalties λ₁ Σ|W| + ½ λ₂ Σ W² on the weights
    seed : one seed is one result, bit for bit; the global random state is never touched
    engine : "auto" or "reference"
    record : which iterations keep a snapshot: "auto" (about 200 at most), "all", "last", or every n-th
    validation : a fraction to hold out, or (X, Y) or (X, Y, sample_weight)
    callbacks : functions of the run called after each epoch (True stops), and EarlyStopping objects
    out : a run folder kept up to date while training, so that a killed training can be resumed
    initial_parameters : {"W1": ..., "b1": ...} to start from, all or some
    sample_weight : (m,) weights: J = Σ wᵢ ℓᵢ / Σ wᵢ; rows of weight 0 are left out
    shuffle : new batches in every epoch, by (seed, epoch)
    max_seconds : end cleanly after about this long
    progress : a bar on a terminal, lines elsewhere, nothing when False
    resume : a run or its folder, to go on with up to `epochs`; settings left at their defaults are the run's
    overwrite : replace a run that `out` holds
    dtype : "float64" or "float32"; X's own unless given
    keep_data : keep X and Y in the run folder; by default up to 16 MB
    preparation, source : how X was made from a table, and where from; kept in the run

    Returns
    -------
    Run. Its `status` says how training ended; "diverged" when a number was no longer finite (a warning names the
    equation, and the last finite parameters are kept).

    Raises
    ------
    GlassnetError : settings, shapes or values that cannot be used; nothing has been written then
    """
    if isinstance(network, Network) and X is not None and Y is None and resume is None:
        raise GlassnetError("train got X but no Y; pass the targets as the third argument.")
    if max_seconds is not None and not (isinstance(max_seconds, int | float) and 0 < max_seconds < math.inf):
        raise GlassnetError(f"train got max_seconds={max_seconds!r}; it needs a number of seconds above 0.")
    for callback in callbacks:
        if not callable(callback) and not isinstance(callback, EarlyStopping):
            raise GlassnetError(
                f"train got {callback!r} as a callback; it needs functions of the run, or EarlyStopping."
            )
    given = {
        "loss": loss, "optimizer": optimizer, "batch_size": batch_size, "l1": l1 or None, "l2": l2 or None,
        "seed": seed or None,
    }  # fmt: skip
    if resume is not None:
        run, place = _resumed(resume, network, X, Y, sample_weight, validation, epochs, given, callbacks)
        folder = Path(out) if out is not None else place
        if folder is not None and folder != place:
            claim_folder(folder, overwrite)
            run.snapshots.moved_to(folder)
    else:
        run = _begun(
            network, X, Y, loss, optimizer, epochs, batch_size, l1, l2, seed, engine, record, validation,
            initial_parameters, sample_weight, shuffle, dtype, preparation, source,
        )  # fmt: skip
        folder = Path(out) if out is not None else None
        run.facts["data"]["keep"] = keep_data
        run.facts["early_stopping"] = [_described(c) for c in callbacks if isinstance(c, EarlyStopping)]
    if resume is not None and not any(isinstance(c, EarlyStopping) for c in callbacks):
        callbacks = (*callbacks, *(EarlyStopping(**d) for d in run.facts.get("early_stopping", [])))
    training = Training(run, callbacks, folder, max_seconds, progress)
    for stopper in training.stoppers:
        stopper.check(training.columns())
    if resume is None and folder is not None:
        claim_folder(folder, overwrite)
    if isinstance(run.settings.optimizer, LBFGS):
        return train_lbfgs(training)
    return training.go()


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
    seed: int,
    engine: str,
    record: str | int,
    validation: Any,
    initial_parameters: Mapping[str, Any] | None,
    sample_weight: Any,
    shuffle: bool,
    dtype: str | None,
    preparation: Any,
    source: Any,
) -> Run:
    """A run before its first update."""
    if not isinstance(network, Network):
        raise GlassnetError(f"train got {type(network).__name__} as its network; it needs a glassnet.Network.")
    if X is None or Y is None:
        raise GlassnetError("train got no data; pass X and Y, or resume=RUN.")
    derivation = derive(network, loss, optimizer, l1=l1, l2=l2, sample_weight=sample_weight is not None)
    samples = check_samples(X, Y, sample_weight, network, derivation.loss, dtype)
    kind = samples.X.dtype.name
    settings = Settings(
        network, derivation.loss, derivation.optimizer, _whole(epochs), _whole(batch_size), float(l1), float(l2), seed,
        bool(shuffle), engine, kind, record, sample_weight is not None,
    )  # fmt: skip
    held, fraction, stratified = None, None, False
    classes = metric_name(derivation.loss, derivation.output_activation, samples.Y) == "accuracy"
    if isinstance(validation, tuple | list):
        if len(validation) not in (2, 3):
            raise GlassnetError(
                f"validation got {len(validation)} things; it needs a fraction, (X, Y) or (X, Y, sample_weight)."
            )
        weights = validation[2] if len(validation) == 3 else None
        if weights is None and sample_weight is not None:
            weights = np.ones(len(np.asarray(validation[0])))
        held = check_samples(validation[0], validation[1], weights, network, derivation.loss, kind, "validation ")
    elif validation is not None:
        one_label = samples.Y.shape[1] == 1 or exclusive(samples.Y)
        fraction, stratified = validation, classes and one_label
        samples, held = held_out_fraction(samples, fraction, seed, stratified)
    notes: list[str] = []
    if derivation.warning:
        notes.append(derivation.warning)
    if derivation.loss.name == "binary_cross_entropy" and exclusive(samples.Y):
        notes.append(
            "Every row of Y has exactly one 1, so the classes exclude one another; sigmoid outputs treat them as separate "
            "yes-or-no questions. Softmax outputs with categorical_cross_entropy give probabilities that sum to 1."
        )
    for note in notes:
        _warn(note)
    if settings.batch_size is not None and settings.batch_size > len(samples):
        settings = replace(settings, batch_size=None)
        notes.append(f"batch_size={batch_size} is more than the {len(samples)} samples, so every batch is all of them.")
    facts: dict[str, Any] = {
        "status": "running",
        "batches": settings.batches(len(samples)),
        "data": {
            "rows": len(samples),
            "fingerprint": data_fingerprint(samples),
            "validation_rows": 0 if held is None else len(held),
            "validation_fraction": fraction,
            "stratified": stratified,
        },
        "source": None if source is None else dict(source),
        "versions": versions(),
        "notes": notes,
    }
    run = Run(settings, Snapshots(record), History(), samples, held, facts, preparation)
    start = _initial(network, seed, initial_parameters)
    run.snapshots.offer(Snapshot(0, run.engine.initial_state(start), {}))
    return run


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, np.integer) else value


def _warn(text: str) -> None:
    import warnings

    warnings.warn(text, GlassnetWarning, stacklevel=4)


def _initial(network: Network, seed: int, given: Mapping[str, Any] | None) -> dict[str, np.ndarray]:
    values = network.initial_parameters(seed)
    problems: list[str] = []
    for name, array in (given or {}).items():
        if name not in values:
            raise GlassnetError(unknown_name("parameter", name, values))
        try:
            start = np.array(array, dtype=np.float64)
        except (TypeError, ValueError):
            problems.append(f"{name} is not an array of numbers")
            continue
        if start.shape != values[name].shape:
            problems.append(f"{name} has shape {start.shape}, needs {values[name].shape}")
        elif not np.isfinite(start).all():
            problems.append(f"{name} has values that are not finite")
        values[name] = start
    if problems:
        raise GlassnetError(f"initial_parameters cannot be used: {'; '.join(problems)}.")
    return values


def _resumed(
    resume: str | Path | Run,
    network: Network | None,
    X: Any,
    Y: Any,
    sample_weight: Any,
    validation: Any,
    epochs: int,
    given: dict[str, Any],
    callbacks: Sequence[Any],
) -> tuple[Run, Path | None]:
    """The run to go on with, and its folder. Settings that contradict it are refused, all at once."""
    place = None if isinstance(resume, Run) else Path(resume)
    run = resume if isinstance(resume, Run) else Run.load(resume)
    settings = run.settings
    differing: list[str] = []
    if network is not None and network != settings.network:
        differing.append(f"the network {network} (the run's: {settings.network})")
    derived = derive(settings.network, given["loss"] or settings.loss, given["optimizer"] or settings.optimizer)
    for name, mine in (("loss", derived.loss), ("optimizer", derived.optimizer)):
        if mine != getattr(settings, name):
            differing.append(f"{name} {mine!r} (the run's: {getattr(settings, name)!r})")
    for name in ("batch_size", "l1", "l2", "seed"):
        if given[name] is not None and given[name] != getattr(settings, name):
            differing.append(f"{name}={given[name]!r} (the run's: {getattr(settings, name)!r})")
    if differing:
        raise GlassnetError(
            f"resume got other settings than the run was trained with: {'; '.join(differing)}. "
            "Leave them out to go on, or start a new training."
        )
    if X is not None and Y is not None and run.data is None:
        held = validation if isinstance(validation, tuple) else None
        run.attach(X, Y, sample_weight, held)
    run._need_data("go on training")
    if run.facts["data"]["validation_rows"] and run.validation is None:
        raise GlassnetError("This run was trained with validation data and saved without them; pass validation=(X, Y).")
    last = run.snapshots.iterations[-1]
    history = History(run.history[: last // run.batches].to_dict()) if last // run.batches else History()
    facts = {**run.facts, "restored": None, "iteration": last, "notes": list(run.notes)}
    settings = replace(settings, epochs=_whole(epochs))
    continued = Run(settings, run.snapshots.until(last), history, run.data, run.validation, facts, run.preparation)
    return continued, place
