"""Many moments of one training, in their order, each replayed from the one before it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

import numpy as np

from glassnet.engines.base import State
from glassnet.errors import RunError
from glassnet.training.loop import replay
from glassnet.training.run import Run
from glassnet.training.snapshots import Snapshot


def states_at(run: Run, iterations: Iterable[int]) -> Iterator[tuple[int, State]]:
    """(iteration, state) at each of these iterations, bit for bit those of `run.at`.

    What lies between two of them is replayed once, however many are asked for, and one state is held at a time.

    Parameters
    ----------
    iterations : increasing, from 0 to `run.iteration`

    Raises
    ------
    RunError : iterations that do not increase or that the training does not have; the data are needed and not at hand
    """
    wanted = [int(i) for i in iterations]
    if any(b <= a for a, b in itertools.pairwise(wanted)):
        raise RunError("states_at needs iterations that increase, each named once.")
    known: Snapshot | None = None
    for iteration in wanted:
        if not 0 <= iteration <= run.iteration:
            raise RunError(f"states_at got {iteration}; this training has iterations 0 to {run.iteration}.")
        kept = run.snapshots.nearest(iteration)
        if kept.iteration == iteration:
            state = dict(kept.state)
        elif known is None:
            state = run.at(iteration).state
        else:
            with np.errstate(all="ignore"):
                state = replay(run, iteration, known)
        known = Snapshot(iteration, state, {})
        yield iteration, dict(state)
