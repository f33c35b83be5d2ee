"""The stage of a film: one figure, built once, whose panels are given one state after another."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from glassnet.engines.base import State
from glassnet.views import palette
from glassnet.views.film_frames import Instant
from glassnet.views.palette import plain

if TYPE_CHECKING:
    from glassnet.training.run import Run

Picture = NDArray[np.uint8]

DPI = 100
MOST_STATES = 24
"""So many snapshots are looked at for the scales."""


@dataclass(frozen=True)
class Setting:
    """What a panel is given: the run, its place in the figure, and how it is asked to look.

    Attributes
    ----------
    states : of the training, which the scales must fit
    scale : of letters and lines
    options : what the person asked for
    """

    run: Run
    figure: Any
    place: Any
    width: float
    scale: float
    states: Sequence[State]
    options: Mapping[str, Any]

    def axes(self, place: Any = None) -> Any:
        """New axes in this panel's place, or in a part of it."""
        return self.figure.add_subplot(self.place if place is None else place)

    def dress(self, ax: Any, *, x: str = "", y: str = "", title: str = "") -> None:
        """Labels and letters of the size of this film."""
        ax.set_xlabel(plain(x), fontsize=10 * self.scale, color=palette.INK, labelpad=2)
        ax.set_ylabel(plain(y), fontsize=10 * self.scale, color=palette.INK, labelpad=2)
        ax.set_title(plain(title), fontsize=11.5 * self.scale, color=palette.INK, pad=5 * self.scale)
        ax.tick_params(labelsize=9 * self.scale, colors=palette.INK, length=2.5, pad=2)


class Panel(Protocol):
    """One moving picture of a film.

    Attributes
    ----------
    moving : what is drawn anew for every frame, from back to front; all else is drawn once
    """

    moving: Sequence[Any]

    def settle(self) -> None:
        """The figure has its final layout now."""

    def show(self, instant: Instant, state: State) -> None:
        """Move to this state."""


class Stage:
    """The figure of a film.

    Parameters
    ----------
    panels : what makes them, each called with its `Setting`
    size : pixels across and down
    """

    def __init__(
        self, run: Run, panels: Sequence[Callable[[Setting], Panel]], size: tuple[int, int], options: Mapping[str, Any]
    ) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self.run = run
        self.size = size
        width, height = size
        rows, columns = arranged(len(panels), width, height)
        self.figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, layout="constrained", facecolor="white")
        agg: Any = FigureCanvasAgg
        self.canvas = agg(self.figure)
        across = width / columns
        scale = float(np.clip(min(across / 300, height / rows / 330), 0.65, 2.5))
        self.heading = self.figure.suptitle(" ", fontsize=12.5 * scale, color=palette.INK)
        grid = self.figure.add_gridspec(rows, columns)
        states = some_states(run)
        self.panels: list[Panel] = [
            panel(Setting(run, self.figure, grid[divmod(number, columns)], across, scale, states, options))
            for number, panel in enumerate(panels)
        ]
        pads = {"w_pad": 0.06, "h_pad": 0.04, "wspace": 0.03, "hspace": 0.03}
        layout: Any = self.figure.get_layout_engine()
        layout.set(**pads)
        self.figure.draw_without_rendering()
        self.figure.set_layout_engine("none")  # from now on nothing moves but what is meant to
        self.moving: list[Any] = [self.heading]
        for each in self.panels:
            each.settle()
            self.moving += each.moving
        for artist in self.moving:
            artist.set_animated(True)
        self.canvas.draw()
        self.still = self.canvas.copy_from_bbox(self.figure.bbox)

    def draw(self, instant: Instant, state: State) -> Picture:
        """The frame of a state, (height, width, 3)."""
        self.heading.set_text(plain(caption(self.run, instant)))
        for panel in self.panels:
            panel.show(instant, state)
        self.canvas.restore_region(self.still)
        for artist in self.moving:
            (artist.axes or self.figure).draw_artist(artist)
        return np.asarray(self.canvas.buffer_rgba())[:, :, :3].copy()


def arranged(count: int, width: int, height: int) -> tuple[int, int]:
    """Rows and columns in which so many panels are nearest to squares."""

    def off(columns: int) -> float:
        rows = -(-count // columns)
        return abs(math.log(width / columns / (height / rows))) + 0.2 * (rows * columns - count)

    columns = min(range(1, count + 1), key=off)
    return -(-count // columns), columns


def caption(run: Run, instant: Instant) -> str:
    """Where in the training a frame is, and whether it shows a state the training really had."""
    if instant.eased:
        return f"between iterations {instant.before:,} and {instant.after:,}, eased"
    said = f"iteration {instant.before:,} of {run.iteration:,}"
    if run.batches == 1:
        return said
    epoch, past = divmod(instant.before, run.batches)
    if past:
        return f"{said}, in epoch {epoch + 1:,}"
    return f"{said}, after epoch {epoch:,}" if epoch else f"{said}, before the first epoch"


def some_states(run: Run) -> list[State]:
    """Some of the states that the run has kept, the first and the last among them."""
    kept = run.snapshots.iterations
    chosen = np.unique(np.linspace(0, len(kept) - 1, min(MOST_STATES, len(kept))).round().astype(int))
    return [run.snapshots[kept[place]].state for place in chosen]
