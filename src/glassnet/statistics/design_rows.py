"""The design matrix (1 X) of a one-layer run, chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import RunError

if TYPE_CHECKING:
    from glassnet.training.arrays import Samples
    from glassnet.training.run import Run

INTERCEPT = "(Intercept)"
"""What R calls the coefficient of the column of ones."""
CHUNK = 65536
"""Rows looked at together."""
ALIASED = 1e-11
"""A column is aliased when what the earlier ones leave of it, weighted by the curvature, is below this share (R's glm)."""


def design_chunks(X: Any, intercept: bool) -> Iterator[tuple[int, np.ndarray]]:
    """(first row, (1 X) of some rows as dense float64); without the ones when there is no intercept."""
    for start in range(0, X.shape[0], CHUNK):
        part = X[start : start + CHUNK]
        dense = np.asarray(part.toarray() if hasattr(part, "toarray") else part, dtype=np.float64)
        yield start, np.column_stack([np.ones(len(dense)), dense]) if intercept else dense


def training_data(run: Run) -> Samples:
    """X, Y and weights that the run was trained on.

    Raises
    ------
    RunError : the run was saved without them
    """
    run._need_data("compute its statistics")
    if run.data is None:
        raise RunError("This run has no data, which its statistics need; call run.attach(X, Y).")
    return run.data
