"""What a report is about: the run, the rows it is judged by, and what its outputs stand for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glassnet.errors import GlassnetError
from glassnet.training.arrays import Samples, check_inputs, check_targets, sparse
from glassnet.training.measures import Measure, exclusive, metric_name
from glassnet.views.rows import decided

if TYPE_CHECKING:
    from glassnet.training.run import Run

Array = NDArray[Any]


@dataclass(frozen=True)
class Rows:
    """Some rows of data, what they are called, and their numbers where they come from."""

    name: str
    samples: Samples
    numbers: Array

    def __len__(self) -> int:
        return len(self.samples)


@dataclass(frozen=True)
class Subject:
    """A run as a report sees it.

    Attributes
    ----------
    training : the rows it was trained on; None when they are not at hand
    validation : the rows that were watched while training
    held_out : rows that it never saw
    without_data : why there are no training rows, in a sentence
    """

    run: Run
    training: Rows | None
    validation: Rows | None
    held_out: Rows | None
    without_data: str | None = None
    _outputs: dict[str, Array] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, run: Run, held_out: tuple[Any, Any] | None = None, numbers: Sequence[int] | None = None) -> Subject:
        """The run with the rows that are at hand.

        Raises
        ------
        GlassnetError : held-out rows that do not fit the network
        """
        why = None
        if run.data is None:
            try:
                _read_again(run)
            except GlassnetError as problem:  # a report without rows is still one; it says why they are missing
                why = str(problem)
        if run.data is None and why is None:
            where = (run.facts.get("source") or {}).get("path")
            rows = run.facts["data"]["rows"]
            why = (
                f"The {rows:,} rows it was trained on are not kept beside the run"
                f"{f' (they came from {where})' if where else ''}; run.attach(X, Y) gives them back."
            )
        training = None if run.data is None else Rows("training", run.data, np.arange(len(run.data)))
        validation = (
            None if run.validation is None else Rows("validation", run.validation, np.arange(len(run.validation)))
        )
        held = None if held_out is None else _held_out(run, *held_out, numbers)
        return cls(run, training, validation, held, why)

    @property
    def judged(self) -> Rows | None:
        """The rows that say how good it is: held out, else watched while training, else those it was trained on."""
        return self.held_out or self.validation or self.training

    @property
    def present(self) -> list[Rows]:
        """All rows at hand, those it was trained on first."""
        return [rows for rows in (self.training, self.validation, self.held_out) if rows is not None]

    @cached_property
    def task(self) -> str:
        """ "classes", "regression", or "labels" where several outputs can be 1 at once."""
        run = self.run
        if run.preparation is not None:
            return "regression" if run.preparation.classes is None else "classes"
        if self.metric == "r2":
            return "regression"
        known = self.judged
        if known is None or known.samples.Y.shape[1] == 1 or run.settings.loss.name == "categorical_cross_entropy":
            return "classes"
        return "classes" if exclusive((known.samples.Y > 0).astype(np.float64)) else "labels"

    @cached_property
    def metric(self) -> str:
        """ "accuracy" or "r2", as in the run's history."""
        for name in ("accuracy", "r2"):
            if name in self.run.history or name in self.run.initial:
                return name
        known = self.judged
        Y = np.zeros((1, 1)) if known is None else known.samples.Y
        return metric_name(self.run.settings.loss, self.run.derivation.output_activation, Y)

    @cached_property
    def classes(self) -> list[str]:
        """Names of the classes in the order of the outputs; those of one output are its two answers."""
        if self.run.preparation is not None and self.run.preparation.classes is not None:
            return [str(name) for name in self.run.preparation.classes]
        units = self.run.network.output_units
        if units == 1 and self.run.settings.loss.name == "hinge":
            return ["−1", "1"]
        return [str(number) for number in range(max(2, units))]

    @cached_property
    def target(self) -> str:
        """What is predicted, by name."""
        return self.run.preparation.target if self.run.preparation is not None else "Y"

    @cached_property
    def measure(self) -> Measure | None:
        """Cost and metric by the history's own definition."""
        known = self.training or self.judged
        if known is None:
            return None
        run = self.run
        return Measure(run.engine, run.settings.loss, run.derivation.output_activation, known.samples)

    @property
    def probabilities(self) -> bool:
        """Whether the outputs are probabilities of classes."""
        return self.task == "classes" and self.run.derivation.output_activation.name in ("sigmoid", "softmax")

    def outputs(self, rows: Rows) -> Array:
        """What the network answers to these rows, as it is at the end."""
        if rows.name not in self._outputs:
            self._outputs[rows.name] = self.run.outputs(self.run.state, rows.samples.X)
        return self._outputs[rows.name]

    def codes(self, outputs: Array) -> Array:
        """The class that outputs, or targets, stand for: the largest, or the second class from the border on."""
        return decided(outputs, self.run.settings.loss.name)

    def in_units(self, outputs: Array) -> Array:
        """Outputs, or targets, in the target's own units."""
        if self.run.preparation is None or self.run.preparation.classes is not None:
            return np.asarray(outputs, dtype=np.float64)
        return np.asarray(self.run.preparation.inverse_target(outputs))


def _read_again(run: Run) -> None:
    from glassnet.training.source import read_again

    if run.folder is not None:
        read_again(run, run.folder)


def _held_out(run: Run, X: Any, Y: Any, numbers: Sequence[int] | None) -> Rows:
    dtype = run.settings.dtype
    inputs = check_inputs(X, run.network, dtype, "held_out X")
    targets = check_targets(Y, inputs.shape[0], run.network, run.settings.loss, dtype, "held_out Y")
    weights = np.ones((inputs.shape[0], 1), dtype=dtype) if run.settings.weighted else None
    chosen = np.arange(len(targets)) if numbers is None else np.asarray(numbers)
    if len(chosen) != len(targets):
        raise GlassnetError(
            f"The report got {len(targets)} held-out rows and {len(chosen)} row numbers; it needs one for each row."
        )
    return Rows("held-out", Samples(inputs, targets, weights), chosen)


def dense_rows(X: Any, rows: Array | slice) -> Array:
    """Some rows of X with all their entries."""
    part = X[rows]
    return np.asarray(part.toarray() if sparse(part) else part)
