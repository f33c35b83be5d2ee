"""`Course`: a training's numbers as its checks read them, epoch by epoch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from glassnet.diagnosis.case import Case
from glassnet.diagnosis.evidence import Evidence
from glassnet.training.run import Run

WELL = {"accuracy": 0.97, "r2": 0.95}
"""A training score from which on nothing is wrong with how it was trained."""
VANISHED = 1e-3
"""A first layer whose gradient is this much smaller than the last one's, entry by entry, is hardly trained."""
SWING = 0.1
"""A cost that rises from one epoch to the next by this share of all it fell by, swings back ..."""
LEAST_SWING = 0.02
"""... if that is also this share of its start: what a cost that never moved does is noise."""


def name_of(metric: str) -> str:
    """A metric as it is said."""
    return "R²" if metric == "r2" else metric


@dataclass(frozen=True)
class Course:
    """A training's numbers as its checks read them; position 0 of a series is before the first update.

    Attributes
    ----------
    costs : cost without penalty, after each epoch
    called : what a sentence calls it
    """

    case: Case
    run: Run
    evidence: Evidence
    called: str = "training"

    @cached_property
    def costs(self) -> np.ndarray:
        return self.series("cost")

    @cached_property
    def scores(self) -> np.ndarray:
        """The training's metric after each epoch."""
        return self.series(self.evidence.metric)

    def series(self, name: str) -> np.ndarray:
        """A column of the history, with its value before the first update in front."""
        rows = self.run.history[name] if name in self.run.history else np.empty(0)
        return np.concatenate([[self.run.initial.get(name, math.nan)], rows])

    @property
    def epochs(self) -> int:
        return len(self.run.history)

    @property
    def fell(self) -> float:
        """How far the cost fell in all, at its best."""
        return float(self.costs[0] - np.nanmin(self.costs))

    @property
    def smooth_end(self) -> float:
        """Median cost of the last tenth of the epochs."""
        return float(np.median(self.costs[-max(1, self.epochs // 10) :]))

    @property
    def well(self) -> bool:
        """Whether the training rows are learnt, whatever held-out rows say."""
        return bool(self.scores[-1] >= WELL[self.evidence.metric])

    @property
    def guesses(self) -> bool:
        """Whether the training rows are predicted hardly better than by a constant."""
        if self.evidence.metric == "r2":
            return not self.scores[-1] > 0.05
        return not self.scores[-1] > max(self.evidence.shares, default=0.5) + 0.03

    @cached_property
    def update_ratio(self) -> float:
        """Median over the layers and the iterations looked at, the first one left out."""
        looks = self.evidence.looks[1:] or self.evidence.looks
        ratios = [layer.update_ratio for look in looks for layer in look.layers if math.isfinite(layer.update_ratio)]
        return float(np.median(ratios)) if ratios else math.nan

    @cached_property
    def moved(self) -> float:
        """Largest relative distance of a layer's weights from their start."""
        known = [m for m in self.evidence.moved if math.isfinite(m)]
        return max(known, default=math.nan)

    @property
    def vanishes(self) -> bool:
        """Whether the first layer's gradient is a thousandth of the last one's, or less, at the start."""
        layers = self.evidence.start.layers
        return len(layers) > 2 and layers[0].gradient_rms < VANISHED * layers[-1].gradient_rms

    @cached_property
    def still_falling(self) -> float:
        """Share of the present cost by which it fell over the last quarter of the epochs; 0 when it did not fall steadily."""
        count = self.epochs + 1
        if count < 4:
            return max(0.0, float(1 - self.costs[-1] / self.costs[0])) if self.costs[0] > 0 else 0.0
        quarter = self.costs[-max(3, count // 4) :]
        thirds = [float(np.median(part)) for part in np.array_split(quarter, 3)]
        if not (thirds[0] > thirds[1] > thirds[2] > 0):
            return 0.0
        return 1 - thirds[2] / thirds[0]

    @cached_property
    def swings(self) -> float:
        """Share of the epochs in the second half after which the cost had risen by a noticeable part of what it fell by."""
        half = self.costs[(self.epochs + 1) // 2 :]
        if len(half) < 4 or self.fell <= 0:
            return 0.0
        return float((np.diff(half) > max(SWING * self.fell, LEAST_SWING * abs(self.costs[0]))).mean())
