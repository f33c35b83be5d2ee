"""`Case`: one training as it was asked for, which a diagnosis looks at, changes and runs again."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from glassnet.diagnosis.changes import Balanced, Change, Fitted
from glassnet.engines.base import Batch
from glassnet.engines.reference import ReferenceEngine
from glassnet.equations.derive import Derivation, derive
from glassnet.equations.losses import Loss
from glassnet.equations.optimizers import LeastSquares, Newton, Optimizer
from glassnet.equations.optimizers import optimizer as named_optimizer
from glassnet.errors import DataError, GlassnetError, GlassnetWarning
from glassnet.network import Network
from glassnet.training import train
from glassnet.training.arrays import Samples, check_samples, held_out_fraction
from glassnet.training.measures import metric_name
from glassnet.training.run import Run

LOOKED_AT = 512
"""Rows on which the start of a training is evaluated."""
PICTURES_LOOKED_AT = 48
"""Of pictures: each has many places, and the reference engine takes its time."""
FEWEST_HELD = 8
"""Held-out rows that say something; of fewer the training rows are judged."""
MOST_DENSE = 2**28
"""Bytes of a sparse X up to which it is looked at with every entry."""
OF_DERIVATION = ("l1", "l2", "penalty_on")


@dataclass(frozen=True, eq=False)
class Case:
    """What `gn.train` is called with: network, data as they came, and keyword arguments.

    Attributes
    ----------
    network, X, Y : as they were passed; X and Y are arrays, unchecked, perhaps with missing values
    held : (X, Y) of held-out rows, or None
    settings : keyword arguments of `gn.train`: loss, optimizer, epochs, batch_size, l1, l2, seed, shuffle, ...
    features : their names; () when they have none
    classes : names of the classes; () when they have none
    """

    network: Network
    X: np.ndarray
    Y: np.ndarray
    held: tuple[np.ndarray, np.ndarray] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    features: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()

    @classmethod
    def asked(
        cls, network: Network, X: Any, Y: Any, *, validation: Any = None, features: Any = (), **settings: Any
    ) -> Case:
        """From the arguments of `gn.train`. A fraction to validate on is split off as `gn.train` does."""
        X, Y = _array(X, "X"), _array(Y, "Y")
        settings = {"epochs": 100, "seed": 0, **{n: v for n, v in settings.items() if v is not None}}
        for name, value in network.initial_parameters(0).items():
            given = np.shape(settings.get("initial_parameters", {}).get(name, value))
            if given != value.shape:
                raise GlassnetError(f"initial_parameters has {name} of shape {given}; the network needs {value.shape}.")
        case = cls(network, X, Y, None, settings, tuple(features))
        if isinstance(validation, tuple | list):
            if len(validation) < 2:
                raise GlassnetError("validation got one thing; it needs a fraction, or (X, Y) of held-out rows.")
            return replace(case, held=(_array(validation[0], "validation X"), _array(validation[1], "validation Y")))
        if validation is None or case.samples is None:
            return case
        one_label = case.samples.Y.shape[1] == 1 or case.exclusive
        rest, held = held_out_fraction(
            case.samples, validation, settings["seed"], case.metric == "accuracy" and one_label
        )
        if rest.w is not None:
            settings["sample_weight"] = rest.w[:, 0]
        return replace(case, X=rest.X, Y=rest.Y, held=(held.X, held.Y), settings=settings)

    @classmethod
    def of_run(cls, run: Run) -> Case:
        """The training that a run is the record of.

        Raises
        ------
        RunError : the run was saved without its data
        """
        run._need_data("diagnose it")
        s, data = run.settings, run.data
        assert data is not None
        held = None if run.validation is None else (run.validation.X, run.validation.Y)
        settings: dict[str, Any] = {
            "loss": s.loss, "optimizer": s.optimizer, "epochs": s.epochs, "batch_size": s.batch_size, "l1": s.l1,
            "l2": s.l2, "penalty_on": s.penalty_on, "seed": s.seed, "shuffle": s.shuffle, "dtype": s.dtype,
        }  # fmt: skip
        if s.augmentation is not None:
            settings["augmentation"] = s.augmentation
        if data.w is not None:
            settings["sample_weight"] = data.w[:, 0]
        start = run.at(0).state
        drawn = run.network.initial_parameters(s.seed)
        own = {n: start[n] for n in drawn if not np.array_equal(start[n], drawn[n].astype(s.dtype))}
        if own:
            settings["initial_parameters"] = own
        names = tuple(getattr(run.preparation, "input_names", ()) or ())
        classes = tuple(str(c) for c in getattr(run.preparation, "classes", None) or ())
        if held is not None:
            held = (_array(held[0], "validation X"), held[1])
        return cls(run.network, _array(data.X, "X"), data.Y, held, settings, names, classes)

    # What was asked for, with names resolved.

    @cached_property
    def _derived(self) -> tuple[Derivation | None, str | None]:
        options = {name: self.settings[name] for name in OF_DERIVATION if name in self.settings}
        try:
            return derive(
                self.network, self.settings.get("loss"), self.settings.get("optimizer"),
                sample_weight=self.settings.get("sample_weight") is not None, **options,
            ), None  # fmt: skip
        except GlassnetError as problem:
            return None, str(problem)

    @property
    def derivation(self) -> Derivation | None:
        """The equations; None when the settings are refused."""
        return self._derived[0]

    @property
    def refusal(self) -> str | None:
        """The sentence with which `gn.train` refuses these settings, if it does."""
        return self._derived[1]

    @cached_property
    def _checked(self) -> tuple[Samples | None, str | None]:
        if self.derivation is None:
            return None, None
        try:
            weights = self.settings.get("sample_weight")
            dtype = self.settings.get("dtype")
            return check_samples(self.X, self.Y, weights, self.network, self.derivation.loss, dtype), None
        except GlassnetError as problem:
            return None, str(problem)

    @property
    def samples(self) -> Samples | None:
        """The training rows, checked; None when they (or the settings) are refused."""
        return self._checked[0]

    @property
    def data_refusal(self) -> str | None:
        """The sentence with which `gn.train` refuses these data, if it does."""
        return self._checked[1]

    @cached_property
    def held_samples(self) -> Samples | None:
        """The held-out rows, checked; None when there are none, or too few to judge by, or they cannot be used."""
        if self.held is None or self.derivation is None or len(self.held[0]) < FEWEST_HELD:
            return None
        try:
            return check_samples(*self.held, None, self.network, self.derivation.loss, self.settings.get("dtype"))
        except GlassnetError:
            return None

    @property
    def loss(self) -> Loss | None:
        return None if self.derivation is None else self.derivation.loss

    @property
    def optimizer(self) -> Optimizer:
        return named_optimizer(self.settings.get("optimizer"))

    @property
    def learning_rate(self) -> float:
        """The rate of the first update (the constant's, or what a schedule starts at)."""
        return float(self.optimizer.schedule.rate(0, 0, 0.0))

    @property
    def epochs(self) -> int:
        return int(self.settings.get("epochs", 100))

    @property
    def batch_size(self) -> int:
        """Rows an update, at most all."""
        asked = self.settings.get("batch_size")
        return self.rows if asked is None else min(int(asked), self.rows)

    @property
    def rows(self) -> int:
        return len(self.X)

    @property
    def updates(self) -> int:
        """Updates that were asked for."""
        return self.epochs * -(-self.rows // max(1, self.batch_size))

    # What is to be learnt.

    @cached_property
    def labels(self) -> np.ndarray | None:
        """Class numbers of the training rows, or None when the targets are numbers (or several yes-or-no questions)."""
        return class_numbers(self.Y)

    @property
    def exclusive(self) -> bool:
        """Whether every row belongs to exactly one class."""
        return self.labels is not None

    @property
    def questions(self) -> int:
        """How many yes-or-no questions each row answers, where they are several; else 0."""
        several = self.task == "classes" and not self.exclusive and self.Y.ndim == 2 and self.Y.shape[1] > 1
        return int(self.Y.shape[1]) if several else 0

    @cached_property
    def task(self) -> str:
        """ "classes" or "numbers"."""
        Y = self.Y[np.isfinite(self.Y)] if self.Y.dtype.kind == "f" else self.Y
        loss, known = self.loss, self.derivation
        if loss is not None and known is not None and Y.size:
            Y2 = Y.reshape(-1, 1) if self.samples is None else self.samples.Y
            if metric_name(loss, known.output_activation, Y2) == "accuracy":
                return "classes"
        asked = self.settings.get("loss")
        if self.derivation is None and (asked in ("binary_cross_entropy", "categorical_cross_entropy", "hinge")):
            return "classes"
        return "classes" if set(np.unique(Y).tolist()) in ({0.0, 1.0}, {-1.0, 1.0}) else "numbers"

    @property
    def metric(self) -> str:
        return "accuracy" if self.task == "classes" else "r2"

    def score(self, A: np.ndarray, Y: np.ndarray) -> float:
        """Accuracy of outputs for classes, R² (not below −1) for numbers; outputs that are not finite score the least."""
        Y = np.asarray(Y, dtype=np.float64).reshape(len(A), -1)
        if not np.isfinite(A).all():
            return 0.0 if self.metric == "accuracy" else -1.0
        if self.metric == "r2":
            spread = ((Y - Y.mean(axis=0)) ** 2).sum()
            return max(-1.0, 1 - float(((A - Y) ** 2).sum() / spread)) if spread > 0 else 0.0
        signed = bool((Y == -1).any())
        if Y.shape[1] > 1 and ((Y > 0).sum(axis=1) == 1).all():
            return float((A.argmax(axis=1) == Y.argmax(axis=1)).mean())
        border = 0.0 if signed else 0.5
        return float(((border < A if signed else border <= A) == (Y > 0.5)).mean())

    def judged(self, run: Run) -> float:
        """The score of a run on this case's held-out rows, or on its training rows when there are none."""
        rows = self.held_samples or self.samples
        if rows is None or run.status == "diverged":
            return 0.0 if self.metric == "accuracy" else -1.0
        return self.score(run.predict(rows.X), rows.Y)

    # Running it.

    @property
    def _engine(self) -> str:
        """A diagnosis trains many times in one process, so the compiled engine is loaded once and used wherever it can be."""
        direct = isinstance(self.optimizer, LeastSquares | Newton)
        loss = self.loss
        return "auto" if direct or loss is None or loss.name == "perceptron" else "compiled"

    def changed(self, change: Change) -> Case:
        """The case with a change applied."""
        X, Y, held = self.X, self.Y, self.held
        weights = self.settings.get("sample_weight")
        for step in change.data:
            fitted = step.fitted(X, Y)
            before = len(X)
            X, Y = fitted.training(X, Y)
            held = None if held is None else fitted.others(*held)
            if len(X) != before:
                weights = None
            if isinstance(step, Balanced):
                weights = step.weights(Y)
        settings = {**self.settings, "sample_weight": weights, **change.settings}
        network = settings.pop("network", self.network)
        if network != self.network and "initial_parameters" not in change.settings:
            settings.pop("initial_parameters", None)
        kept = {n: v for n, v in settings.items() if v is not None}
        return Case(network, X, Y, held, kept, self.features, self.classes)

    def fitted(self, change: Change) -> tuple[Fitted, ...]:
        """A change's steps of data as they were learnt from the training rows, in order."""
        X, Y = self.X, self.Y
        found: list[Fitted] = []
        for step in change.data:
            found.append(step.fitted(X, Y))
            X, Y = found[-1].training(X, Y)
        return tuple(found)

    def train(self, **others: Any) -> Run:
        """Train as asked, quietly; `others` are further arguments of `gn.train` (epochs, seed, callbacks, ...)."""
        arguments = {"record": "last", "progress": False, "engine": self._engine, **self.settings, **others}
        return _quiet(self.network, self.X, self.Y, validation=self.held, **arguments)

    def resumed(self, run: Run, epochs: int, seconds: float) -> Run:
        """One of this case's runs gone on with, quietly, to so many epochs in all, for so many seconds at most."""
        return _quiet(resume=run, epochs=epochs, max_seconds=max(0.001, seconds), progress=False)

    @cached_property
    def start(self) -> dict[str, np.ndarray] | None:
        """Every value of the first update by its equation's name, on at most 512 rows, all weights as they start.

        Rows are taken evenly over the data. None when nothing can be evaluated (refused settings or data).
        """
        if self.derivation is None or self.samples is None:
            return None
        count, most = len(self.samples), LOOKED_AT if self.X.ndim == 2 else PICTURES_LOOKED_AT
        part = self.samples.take(np.unique(np.linspace(0, count - 1, min(count, most)).astype(int)))
        engine = ReferenceEngine(self.derivation, "float64")
        parameters = {**self.network.initial_parameters(self.settings.get("seed", 0))}
        parameters.update(self.settings.get("initial_parameters") or {})
        # A mask of 1 − rate everywhere leaves all values as they are.
        masks = {
            name: np.full((len(part), *(int(d) for d in mask.shape[1:])), 1.0 - rate)
            for name, (mask, rate) in self.derivation.masks.items()
        }
        state = engine.initial_state(parameters)
        with np.errstate(all="ignore"):
            batch = Batch(part.X.astype(np.float64), part.Y.astype(np.float64), part.w, masks)
            return {**engine.values(state, batch), **state}


def _quiet(*given: Any, **others: Any) -> Run:
    """A training without its warnings; Ctrl-C ends the whole diagnosis, not one of its reruns."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GlassnetWarning)
        run = train(*given, **others)
    if run.status == "interrupted":
        raise KeyboardInterrupt
    return run


def _array(value: Any, name: str) -> np.ndarray:
    """An array with rows, as it came; a sparse one with every entry.

    Raises
    ------
    DataError : nothing, no rows, or a sparse X that is too large for that
    """
    if hasattr(value, "toarray"):
        size = int(np.prod(value.shape)) * 8
        if size > MOST_DENSE:
            raise DataError(
                f"diagnose got a sparse {name} of shape {value.shape}; it looks at every entry, which would take "
                f"{size / 2**30:.1f} GB: pass some of the rows."
            )
        return np.asarray(value.toarray())
    array = np.asarray(value)
    if value is None or array.ndim == 0 or not len(array):
        got = "nothing" if value is None else f"shape {array.shape}"
        raise DataError(f"diagnose got {got} as {name}; it needs an array with one row a sample.")
    return array


def class_numbers(Y: np.ndarray) -> np.ndarray | None:
    """Class numbers 0 … k−1 of one-hot rows, of whole numbers 0 … k−1, or of one column of two values; else None."""
    Y = np.asarray(Y)
    if Y.dtype.kind not in "fiub" or not np.isfinite(Y).all():
        return None
    if Y.ndim == 2 and Y.shape[1] > 1:
        one_hot = np.isin(Y, (0, 1)).all() and (Y.sum(axis=1) == 1).all()
        signed = np.isin(Y, (-1, 1)).all() and ((Y > 0).sum(axis=1) == 1).all()
        return Y.argmax(axis=1) if one_hot or signed else None
    flat = Y.reshape(-1)
    found = np.unique(flat)
    if set(found.tolist()) <= {0.0, 1.0} or set(found.tolist()) <= {-1.0, 1.0}:
        return (flat > 0).astype(np.int64)
    whole = (found == np.round(found)).all() and found[0] in (0, 1) and len(found) <= max(2, min(100, len(flat) // 5))
    return (
        (flat - found[0]).astype(np.int64)
        if whole and np.array_equal(found, found[0] + np.arange(len(found)))
        else None
    )
