"""scikit-learn's rule for stopping, as one of glassnet's early stoppers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from glassnet.training.callbacks import HIGHER_IS_BETTER, EarlyStopping


@dataclass
class NoImprovement(EarlyStopping):
    """Stop after `patience` epochs in a row without an improvement by `min_delta` over the best so far.

        sᵢ < best + δ : one more epoch without improvement;      best ← max(best, sᵢ), however small the gain

    s is the score watched, or minus the loss. It differs from `EarlyStopping` in the best: that moves with every gain, so
    slow progress in steps below δ counts as none. A training that goes on after it had stopped gets its patience anew.

    Source: scikit-learn's `n_iter_no_change`.
    """

    def saw(self, row: dict[str, float], iteration: int) -> bool:
        value = row[self.monitor]
        if math.isnan(value):  # R² of a constant target: as good as predicting its mean
            value = 0.0
        score = value if self.monitor.endswith(HIGHER_IS_BETTER) else -value
        if self.best is not None and score < self.best + self.min_delta:
            self.waited += 1
        else:
            self.waited = 0
        if self.best is None or score > self.best:
            self.best, self.best_iteration = score, iteration
        return self.waited >= self.patience

    def restore(self, state: dict[str, Any]) -> None:
        super().restore(state)
        if self.waited >= self.patience:
            self.waited = 0


@dataclass
class OneClass(NoImprovement):
    """The rule where there is one class to predict: every epoch is right, so the first is the best."""

    def saw(self, row: dict[str, float], iteration: int) -> bool:
        return super().saw({**row, self.monitor: 1.0}, iteration)
