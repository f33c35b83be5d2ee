"""Gradient descent for a network of one layer: the best constant step, when to stop, and what to say when it is slow."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from glassnet.equations.optimizers import SGD
from glassnet.training.run import Run

SLOW = 1e-4
"""A slope that is still this share of the one at zero is said to be large."""


@dataclass(frozen=True)
class Curvature:
    """The eigenvalues of H = X₁ᵀWX₁ / Σw + λ₂ I₁, which bound how curved a cost of one layer is.

    X₁ is X with a column of ones when there is an intercept; I₁ is 1 for weights and 0 for the intercept. The smallest
    is that of the directions the data know of: along the others nothing moves.
    """

    largest: float
    smallest: float

    @property
    def condition(self) -> float:
        return self.largest / self.smallest

    @property
    def best_step(self) -> float:
        """α = 2 / (λmin + λmax), the constant step that shrinks the worst error of a quadratic cost fastest.

            ‖θₜ − θ*‖ ≤ ((κ − 1) / (κ + 1))ᵗ ‖θ₀ − θ*‖,   κ = λmax / λmin

        Source: Polyak, Introduction to optimization, 1987, section 1.4.
        """
        return 2.0 / (self.smallest + self.largest)

    @property
    def best_pair(self) -> tuple[float, float]:
        """(α, μ), the constant step and momentum that shrink the worst error of a quadratic cost fastest.

            α = (2 / (√λmax + √λmin))²,  μ = ((√κ − 1) / (√κ + 1))²;   the error falls by √μ an iteration

        Source: Polyak, Introduction to optimization, 1987, section 3.2 (the heavy ball).
        """
        high, low = math.sqrt(self.largest), math.sqrt(self.smallest)
        return (2.0 / (high + low)) ** 2, ((high - low) / (high + low)) ** 2


def curvature(parts: Iterable[tuple[np.ndarray, np.ndarray | None]], intercept: bool, l2: float = 0.0) -> Curvature:
    """The curvature of the data, in one pass over parts (X, w).

    Parameters
    ----------
    parts : X (m, features) and its weights (m,) or None
    intercept : whether a column of ones goes before X
    l2 : λ₂, which adds to the curvature along the weights
    """
    gram: np.ndarray | None = None
    total = 0.0
    for X, w in parts:
        rows = np.asarray(X, dtype=np.float64)
        if intercept:
            rows = np.column_stack([np.ones(len(rows)), rows])
        gram = np.zeros((rows.shape[1],) * 2) if gram is None else gram
        gram += rows.T @ (rows if w is None else rows * w[:, None])
        total += len(rows) if w is None else float(w.sum())
    if gram is None or not total:
        return Curvature(1.0, 1.0)
    gram /= total
    own = np.diag_indices(len(gram))
    gram[own] += np.r_[0.0, np.full(len(gram) - 1, l2)] if intercept else l2
    values = np.linalg.eigvalsh(gram)
    largest = float(values[-1])
    if not largest > 0:  # all of X is zero, and there is no intercept
        return Curvature(1.0, 1.0)
    seen = values[values > largest * len(values) * np.finfo(np.float64).eps]
    return Curvature(largest, float(seen[0]))


class SlopeWatcher:
    """Stops a gradient descent once the slope that made its last step is small enough.

        g = (θₜ₋₁ − θₜ) / α

    is ∂J/∂θ at θₜ₋₁; with an L1 penalty it is the slope that allows for its corners, zero where J is lowest.
    """

    def __init__(self, rate: float, tolerance: float) -> None:
        self.rate = rate
        self.tolerance = tolerance
        self.slope = np.inf
        self.converged = False
        self._before: dict[str, Any] | None = None

    def __call__(self, run: Run) -> bool:
        if self._before is None:
            self._before = dict(run.snapshots[0].state)
        optimizer = run.settings.optimizer
        if isinstance(optimizer, SGD) and optimizer.momentum:  # a step is not the slope alone
            self.slope = float(run.history["gradient_norm"][-1])
            self.converged = self.slope <= self.tolerance
            return self.converged
        now = run.snapshots[run.snapshots.iterations[-1]].state
        names = [p.name for p in run.derivation.parameters]
        moved = [np.asarray(self._before[n], dtype=np.float64) - np.asarray(now[n], dtype=np.float64) for n in names]
        self.slope = float(np.sqrt(sum(float((m * m).sum()) for m in moved))) / self.rate
        self._before = dict(now)
        self.converged = self.slope <= self.tolerance
        return self.converged

    def settle(self, run: Run) -> None:
        """Say in the run that it ended because it had arrived."""
        if self.converged:
            run.facts["status"] = "converged"
            run.facts["message"] = (
                f"Gradient descent converged after {run.iteration} iterations: no slope is larger than {self.tolerance:.3g}."
            )


def warn_slow(run: Run, slope: float, at_start: float, curved: Curvature, max_iter: int) -> None:
    """A ConvergenceWarning when the slope is still large at the end, with what to do about it."""
    if run.status != "finished" or not slope > SLOW * at_start:
        return
    from sklearn.exceptions import ConvergenceWarning

    said = (
        f"After {max_iter} iterations of gradient descent the slope is still {slope:.3g}, {slope / at_start:.1g} of what it "
        f"was at zero; the data's condition number is {curved.condition:.3g}. Standardise the features (StandardScaler), "
        "raise max_iter, or use the direct method."
    )
    run.facts.setdefault("notes", []).append(said)
    warnings.warn(said, ConvergenceWarning, stacklevel=4)
