"""How far a film is: a bar on a terminal, lines now and then elsewhere, nothing unless asked."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, TypeVar

SECONDS_BETWEEN_LINES = 2.0

Thing = TypeVar("Thing")


class FilmProgress:
    """Shows how many frames are done; a context manager.

    Parameters
    ----------
    show : False shows nothing
    frames : how many there will be
    """

    def __init__(self, show: bool, frames: int) -> None:
        self.show = show and sys.stderr is not None and not getattr(sys.stderr, "closed", False)
        self.frames = frames
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> FilmProgress:
        if self.show and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

            self._bar = Progress(
                TextColumn("frame {task.completed:.0f}/{task.total:.0f}"), BarColumn(), TimeRemainingColumn(),
                TextColumn("left"), console=Console(stderr=True),
            )  # fmt: skip
            self._task = self._bar.add_task("film", total=self.frames)
            self._bar.start()
        return self

    def over(self, things: Iterable[Thing]) -> Iterator[Thing]:
        """The same things, one after the other, each counted once it has been used."""
        last = time.monotonic()
        for done, thing in enumerate(things, 1):
            yield thing
            if self._bar is not None:
                self._bar.update(self._task, completed=done)
            elif self.show and (done == self.frames or time.monotonic() - last >= SECONDS_BETWEEN_LINES):
                print(f"frame {done}/{self.frames}", file=sys.stderr, flush=True)
                last = time.monotonic()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
