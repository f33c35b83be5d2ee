"""Which moments of a training the frames of a film show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from glassnet.engines.base import State
from glassnet.errors import GlassnetError, unknown_name
from glassnet.training.walk import states_at

if TYPE_CHECKING:
    from glassnet.training.run import Run

SPACINGS = ("log", "linear")


@dataclass(frozen=True)
class Instant:
    """What one frame shows: the training after `before` updates, or, eased, a mixture with that after `after`.

    Attributes
    ----------
    share : of the state after `after`; 0 is the true state after `before`
    """

    before: int
    after: int
    share: float = 0.0

    @property
    def eased(self) -> bool:
        """Whether the frame shows no state of the training, only one between two of them."""
        return self.share > 0.0

    @property
    def iteration(self) -> float:
        """Where the frame stands on an axis of iterations."""
        return self.before + self.share * (self.after - self.before)


def film_iterations(last: int, frames: int, spacing: str) -> list[int]:
    """So many iterations from 0 to the last, or all when there are no more.

    "linear" has them at equal distances; "log" at equal ratios, so that the start of a training, where most happens, is not
    over in a frame.

    Raises
    ------
    GlassnetError : fewer than 2 frames, an unknown spacing
    """
    if isinstance(frames, bool) or not isinstance(frames, int | np.integer) or frames < 2:
        raise GlassnetError(f"A film got frames={frames!r}; it needs a whole number of frames, 2 or more.")
    if spacing not in SPACINGS:
        raise GlassnetError(unknown_name("spacing of frames", spacing, SPACINGS))
    count = min(int(frames), last + 1)
    even = (
        np.linspace(0, last, count) if spacing == "linear" else np.concatenate([[0], np.geomspace(1, last, count - 1)])
    )
    found = [*(int(i) for i in np.round(even[:-1])), last]
    # Early on rounded ratios fall together: a frame is at least one update after the one before, and leaves room for the rest.
    for place in range(1, count):
        found[place] = min(max(found[place], found[place - 1] + 1), last - (count - 1 - place))
    return found


def instants(iterations: list[int], ease: int | None) -> list[Instant]:
    """The frames: each iteration, and `ease` frames between two neighbours that glide from one state to the next.

    Raises
    ------
    GlassnetError : an `ease` that is no number of frames
    """
    if ease is not None and (isinstance(ease, bool) or not isinstance(ease, int | np.integer) or ease < 0):
        raise GlassnetError(
            f"A film got ease={ease!r}; it needs how many frames to glide over, a whole number, or None."
        )
    shares = np.arange(1, (ease or 0) + 1) / ((ease or 0) + 1)
    glide = shares * shares * (3 - 2 * shares)  # slow, fast, slow
    found = []
    for before, after in pairwise(iterations):
        found += [Instant(before, after), *(Instant(before, after, float(share)) for share in glide)]
    return [*found, Instant(iterations[-1], iterations[-1])]


def mixed(before: State, after: State, share: float) -> State:
    """Every number on its straight way from one state to another."""
    return {name: (1 - share) * before[name] + share * after[name] for name in before}


def states_of(run: Run, frames: Iterable[Instant]) -> Iterator[tuple[Instant, State]]:
    """Every frame and its state in their order, walking the training once."""
    frames = list(frames)
    walk = states_at(run, sorted({frame.before for frame in frames} | {frame.after for frame in frames if frame.eased}))
    held: dict[int, State] = {}
    for frame in frames:
        wanted = (frame.before, frame.after) if frame.eased else (frame.before,)
        while any(iteration not in held for iteration in wanted):
            iteration, state = next(walk)
            held[iteration] = state
        for iteration in [i for i in held if i < frame.before]:
            del held[iteration]
        first = held[frame.before]
        yield frame, mixed(first, held[frame.after], frame.share) if frame.eased else first
