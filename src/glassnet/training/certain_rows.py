"""The threshold rule changes nothing at a row it has right, so such rows are passed over together.

One row at a time, most updates of a perceptron add zero. Looking at many rows at once at the present weights finds the next
mistake; only there an update is made, by the engine as always. A row too close to the threshold to be sure of, goes to
the engine, too, so the training is bit for bit the one that takes every row by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from glassnet.equations.optimizers import SGD
from glassnet.training.arrays import sparse

if TYPE_CHECKING:
    from glassnet.engines.base import State
    from glassnet.training.batches import Batches
    from glassnet.training.run import Run

FEWEST, MOST = 32, 8192
"""Rows looked at together: few after a mistake, more while there is none."""
UNSURE = 1e-10
"""A score this near to 0, by the size of its terms, may round to either side."""


class CertainRows:
    """How many of the next rows are certain to change nothing."""

    def __init__(self, run: Run, batches: Batches) -> None:
        if run.data is None:
            raise TypeError("This needs a run with its data.")
        self.batches = batches
        self.data = run.data
        self.targets = np.asarray(run.data.Y > 0.5)
        self.size = FEWEST

    @staticmethod
    def known(run: Run) -> bool:
        """Whether the training is one of the threshold rule, row by row, and not every iteration is recorded."""
        settings = run.settings
        optimizer = settings.optimizer
        plain = isinstance(optimizer, SGD) and not optimizer.momentum and not settings.l1 and not settings.l2
        plain = plain and settings.augmentation is None
        alone = settings.loss.name == "perceptron" and settings.batch_size == 1 and len(run.network.layers) == 1
        return plain and alone and settings.record != "all" and run.data is not None and not sparse(run.data.X)

    def count(self, state: State, epoch: int, position: int) -> int:
        """Rows from `position` of the epoch on, up to the next that may be mistaken."""
        order = self.batches.order(epoch)
        start = position
        W, b = state["W1"], state.get("b1", 0.0)
        while position < len(order):
            rows = order[position : position + self.size]
            x = self.data.X[rows]
            z = x @ W + b
            sure = np.abs(z) > UNSURE * (np.abs(x) @ np.abs(W) + np.abs(b))
            right = (((z > 0) == self.targets[rows]) & sure).all(axis=1)
            if not right.all():
                self.size = FEWEST
                return position + int(right.argmin()) - start
            position += len(rows)
            self.size = min(MOST, 2 * self.size)
        return position - start
