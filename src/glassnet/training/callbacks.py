"""Callbacks: what may look at a training while it runs, and stop it.

A callback is any function of the run so far; it is called after every epoch and stops the training by returning
True. `EarlyStopping` is one that remembers, so what it remembers is stored with every snapshot.

A callback may have more to say, each by a method or an attribute of its own: `begins` (a training starts), `next_due`
(after which epoch it wants to be called next) and `message` (why it stopped the training).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from glassnet.equations.schedules import Adaptive
from glassnet.errors import GlassnetError, unknown_name

Callback = Callable[[Any], Any]
"""run -> True to stop; anything else goes on."""

Say = Callable[[str], None]
"""Shows a sentence of its own while a training shows its progress; silent when it does not."""

HIGHER_IS_BETTER = ("accuracy", "r2")


class Watchers:
    """The callbacks of one training, each called when it is due.

    A callback with a method `next_due(epoch, epochs)` is asked, when training begins and after each of its calls, after
    how many epochs in all it wants to be called next; `epoch` of the `epochs` asked for have ended by then. The compiled
    loop runs on until then. Any other callback is called after every epoch. `begins(run, say)` is called, where
    there is one, before the first update.
    """

    def __init__(self, callbacks: Iterable[Callback]) -> None:
        self.callbacks = list(callbacks)
        self._due = [0.0] * len(self.callbacks)
        self._epochs = 0

    def __bool__(self) -> bool:
        return bool(self.callbacks)

    def begin(self, run: Any, epoch: int, epochs: int, say: Say) -> None:
        """A training starts, or goes on, after so many epochs."""
        self._epochs = epochs
        for place, callback in enumerate(self.callbacks):
            begins = getattr(callback, "begins", None)
            if begins is not None:
                begins(run, say)
            self._ask_again(place, epoch)

    @property
    def due(self) -> float:
        """The first epoch, counted from 1, after which somebody wants to be called; infinite when nobody does."""
        return min(self._due, default=math.inf)

    def called(self, run: Any, epoch: int, after: str) -> str | None:
        """Call those that are due after this epoch, counted from 1; why training is to end, when one of them stops it."""
        for place, callback in enumerate(self.callbacks):
            if epoch < self._due[place]:
                continue
            answer = callback(run)
            if stops(answer):
                return getattr(callback, "message", None) or f"Stopped after {after} {epoch} by a callback."
            self._ask_again(place, epoch)
        return None

    def _ask_again(self, place: int, epoch: int) -> None:
        asked = getattr(self.callbacks[place], "next_due", None)
        self._due[place] = epoch + 1 if asked is None else max(epoch + 1, asked(epoch, self._epochs))


def stops(answer: Any) -> bool:
    """Whether a callback's answer asks to stop: True, also NumPy's."""
    return isinstance(answer, bool | np.bool_) and bool(answer)


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
