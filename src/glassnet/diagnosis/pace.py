"""Pace: how long a training took, and how long the whole of it, as it was asked for, would take."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from glassnet.diagnosis.case import Case
from glassnet.diagnosis.usual_changes import rate_change
from glassnet.errors import GlassnetError
from glassnet.training.run import Run

HARDLY = 1e-6
"""The factor of the learning rate of a training that is only timed: it does not diverge."""
TIMED = 3.0
"""Seconds that timing may take."""


@dataclass(frozen=True)
class Pace:
    """Seconds of a training.

    Attributes
    ----------
    due : what budgets are counted in: until it ended, or, of one that diverged, what the whole would have taken
    epoch : one epoch
    whole : all epochs that were asked for
    """

    due: float
    epoch: float
    whole: float

    @classmethod
    def of(cls, run: Run, case: Case, seconds: float | None = None) -> Pace:
        """Of a run and the case it is the record of.

        A training that diverged took less than was asked for, often one update: an epoch that changes nothing is timed, for
        a tenth of a budget of `seconds` at most.
        """
        most = TIMED if seconds is None else min(TIMED, max(0.001, seconds / 10))
        took, done = _timed(run)
        if run.status != "diverged":
            return cls(took, took / done, took / done * case.epochs)
        with suppress(
            GlassnetError, TypeError, ValueError
        ):  # an optimiser without a rate: what is known of the run itself
            took, done = _timed(case.changed(rate_change(case, HARDLY)).train(epochs=1, max_seconds=most))
        whole = took / done * case.epochs
        return cls(whole, took / done, whole)


def _timed(run: Run) -> tuple[float, float]:
    """Seconds of a run and its epochs, a part of one included; an update at least."""
    kept = run.snapshots[run.snapshots.iterations[-1]].loop.get("seconds", 0.0)
    seconds = float(run.history["seconds"][-1]) if len(run.history) else float(kept)
    return seconds, max(1, run.iteration) / max(1, run.batches)
