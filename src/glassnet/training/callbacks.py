"""Callbacks: what may look at a training while it runs, and stop it.

A callback is any function of the run so far; it is called after every epoch and stops the training by returning
True. `EarlyStopping` is one that remembers, so what it remembers is stored with every snapshot.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from glassnet.equations.schedules import Adaptive
from glassnet.errors import GlassnetError, unknown_name

Callback = Callable[[Any], Any]
"""run -> True to stop; anything else goes on."""

HIGHER_IS_BETTER = ("accuracy", "r2")


@dataclass
class EarlyStopping:
    """Stop when the watched number has not improved for `patience` epochs; the best parameters are restored.

    Parameters
    ----------
    monitor : a history column: "validation_cost" (default), "validation_accuracy", "cost", ...
    patience : epochs without improvement before stopping
    min_delta : an improvement counts from this size on
    restore_best : the run ends with the parameters of its best epoch

    Raises
    ------
    GlassnetError : absurd settings
    """

    monitor: str = "validation_cost"
    patience: int = 10
    min_delta: float = 0.0
    restore_best: bool = True
    best: float | None = field(default=None, init=False)
    best_iteration: int | None = field(default=None, init=False)
    waited: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if not isinstance(self.monitor, str):
            raise GlassnetError(f"EarlyStopping got monitor={self.monitor!r}; it needs a history column's name.")
        if isinstance(self.patience, np.integer):
            self.patience = int(self.patience)
        if isinstance(self.min_delta, np.number):
            self.min_delta = float(self.min_delta)
        if not isinstance(self.patience, int) or isinstance(self.patience, bool) or self.patience < 1:
            raise GlassnetError(f"EarlyStopping got patience={self.patience!r}; it needs a whole number, 1 or more.")
        if not isinstance(self.min_delta, int | float) or not 0 <= self.min_delta < math.inf:
            raise GlassnetError(f"EarlyStopping got min_delta={self.min_delta!r}; it needs a number, 0 or more.")

    def check(self, columns: list[str]) -> None:
        """Refuse to watch a column that the training will not have."""
        if self.monitor in columns:
            return
        if self.monitor.startswith("validation_"):
            raise GlassnetError(
                f"EarlyStopping watches '{self.monitor}', and this training has no validation data; "
                "pass validation=0.2 or validation=(X, Y), or watch 'cost'."
            )
        raise GlassnetError(unknown_name("history column", self.monitor, columns))

    def saw(self, row: dict[str, float], iteration: int) -> bool:
        """Note an epoch; True when it is time to stop."""
        value = row[self.monitor]
        if math.isnan(value):
            raise GlassnetError(
                f"EarlyStopping watches '{self.monitor}', which is not a number after epoch {row['epoch']:g} "
                "(a constant target has no R²); watch the cost instead."
            )
        score = value if self.monitor.endswith(HIGHER_IS_BETTER) else -value
        if self.best is None or score > self.best + self.min_delta:
            self.best, self.best_iteration, self.waited = score, iteration, 0
        else:
            self.waited += 1
        return self.waited >= self.patience

    def state(self) -> dict[str, Any]:
        return {
            "monitor": self.monitor,
            "best": self.best,
            "best_iteration": self.best_iteration,
            "waited": self.waited,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.best, self.best_iteration, self.waited = state["best"], state["best_iteration"], state["waited"]

    def fresh(self) -> EarlyStopping:
        """The same settings with nothing seen yet: one object can serve several trainings."""
        return type(self)(self.monitor, self.patience, self.min_delta, self.restore_best)


@dataclass
class AdaptiveRate:
    """What the Adaptive schedule remembers: the present rate, the best cost, and how long it has stalled."""

    schedule: Adaptive
    rate: float = field(init=False)
    best: float = field(default=math.inf, init=False)
    stalled: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.rate = self.schedule.learning_rate

    def saw(self, row: dict[str, float]) -> bool:
        """Note an epoch and lower the rate when the cost has stalled long enough; True when the training is to end."""
        watched = self.schedule.monitor
        if watched is None:
            cost = row.get("validation_cost", row["cost"] + row["penalty"])
        else:
            cost = -row[watched] if watched.endswith(HIGHER_IS_BETTER) else row[watched]
        needed = self.best - self.schedule.tolerance
        # The kind that stops is scikit-learn's, to which a tie at tolerance 0 is no stall.
        if cost < needed or (self.schedule.stops and cost == needed):
            self.stalled = 0
        else:
            self.stalled += 1
        self.best = min(self.best, cost)
        if self.stalled >= self.schedule.patience:
            if self.schedule.stops and self.rate <= self.schedule.minimum:
                return True
            lower = self.rate * self.schedule.factor
            self.rate = lower if self.schedule.stops else max(self.schedule.minimum, lower)
            self.stalled = 0
        return False

    def state(self) -> dict[str, Any]:
        best = None if math.isinf(self.best) else self.best
        return {"rate": self.rate, "best": best, "stalled": self.stalled}

    def restore(self, state: dict[str, Any]) -> None:
        self.rate, self.stalled = state["rate"], state["stalled"]
        self.best = math.inf if state["best"] is None else state["best"]
