"""Progress: a bar on a terminal, plain lines now and then when the output is no terminal, nothing when quiet."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

SECONDS_BETWEEN_LINES = 2.0
SECONDS_BETWEEN_DRAWINGS = 0.1


def describe(row: dict[str, float]) -> str:
    """`cost 0.0312  accuracy 0.987  validation_cost ...`: the numbers of one epoch worth a line."""
    shown = ("cost", "accuracy", "r2", "validation_cost", "validation_accuracy", "validation_r2")
    return "  ".join(f"{name.replace('_', ' ')} {row[name]:.4g}" for name in shown if name in row)


class Progress:
    """Shows how far a training is; a context manager.

    Parameters
    ----------
    show : False shows nothing
    epochs : how many epochs were asked for
    start : how many are already done
    """

    def __init__(self, show: bool, epochs: int, start: int) -> None:
        self.show = show and sys.stderr is not None and not getattr(sys.stderr, "closed", False)
        self.epochs = epochs
        self.start = start
        self.began = self.last = time.monotonic()
        self.printed = -1
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Progress:
        if self.show and hasattr(sys.stderr, "isatty") and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

            self._bar = Progress(
                TextColumn("epoch {task.completed:.0f}/{task.total:.0f}"),
                BarColumn(),
                TextColumn("{task.fields[numbers]}"),
                TimeRemainingColumn(),
                TextColumn("left"),
                console=Console(stderr=True),
                transient=False,
                auto_refresh=False,
            )
            self._task = self._bar.add_task("training", total=self.epochs, completed=self.start, numbers="")
            self._bar.start()
        return self

    def say(self, sentence: str) -> None:
        """A sentence of its own, above the bar."""
        if self._bar is not None:
            self._bar.console.print(sentence, highlight=False)
        elif self.show:
            print(sentence, file=sys.stderr, flush=True)

    def epoch(self, row: dict[str, float], last: bool = False) -> None:
        """An epoch has ended."""
        if not self.show:
            return
        now = time.monotonic()
        done = int(row["epoch"])
        last = last or done >= self.epochs
        if self._bar is not None:
            if last or now - self.last >= SECONDS_BETWEEN_DRAWINGS:
                self._bar.update(self._task, completed=done, numbers=describe(row), refresh=True)
                self.last = now
            return
        if (last or now - self.last >= SECONDS_BETWEEN_LINES) and done != self.printed:
            made = done - self.start
            left = (now - self.began) / max(1, made) * (self.epochs - done)
            tail = "" if last else f"  {_duration(left)} left"
            print(f"epoch {done}/{self.epochs}  {describe(row)}{tail}", file=sys.stderr, flush=True)
            self.last, self.printed = now, done

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
