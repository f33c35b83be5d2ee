"""Newton's method on one layer, for any number of rows: cost, slope and curvature in one pass over the data.

The pass evaluates the derivation's own lines, piece by piece: Z1, A1, J, dZ1, and the curvature that `equations.direct`
derives from dZ1. Pieces are summed in their order, so the result does not depend on how many threads there are.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from glassnet.engines.base import NonFiniteValue
from glassnet.engines.threads import in_threads
from glassnet.engines.triangle import LeastSquaresSolution, Triangle
from glassnet.equations.derive import Derivation
from glassnet.equations.direct import curvature_along, slope_by_scores
from glassnet.equations.expression import Constant, Symbol, replace

BLOCK = 16384
"""Rows looked at together: enough that the threads seldom wait for the interpreter (measured)."""
WELL_CONDITIONED = 1e-10
"""With smallest squared pivots above this share, no column of the scaled cross product can be aliased."""


@dataclass
class Pass:
    """Sums over some rows, at some parameters."""

    cost: float
    right: float
    slope: np.ndarray
    hessian: np.ndarray | None
    extreme: int = 0

    def add(self, other: Pass) -> None:
        self.cost += other.cost
        self.right += other.right
        self.slope = self.slope + other.slope
        self.extreme += other.extreme
        if self.hessian is not None and other.hessian is not None:
            self.hessian = self.hessian + other.hessian


class OneLayer:
    """A one-layer derivation on its data.

    Parameters
    ----------
    derivation : of one Dense layer under its own loss
    X : (m, n), dense or CSR; Y : (m, k); w : (m, 1) or None
    """

    def __init__(self, derivation: Derivation, X: Any, Y: np.ndarray, w: np.ndarray | None) -> None:
        self.derivation = derivation
        self.X, self.Y, self.w = X, Y, w
        self.bias = any(p.role == "bias" for p in derivation.parameters)
        self.outputs = int(Y.shape[1])
        self.columns = int(X.shape[1]) + int(self.bias)
        self.total = float(len(Y)) if w is None else float(w.sum(dtype=np.float64))
        self.data_cost = next(e for e in derivation.cost if e.name in ("L", "J"))
        self.name = derivation.loss.name
        slope = slope_by_scores(derivation.forward, derivation.backward)
        scores = Symbol("Z1", derivation["Z1"].shape)
        direction = Constant(1.0) if self.outputs == 1 else Symbol("v", scores.shape)
        self.slope_line = derivation["dZ1"].expression
        known = {e.expression: Symbol(e.name, e.shape) for e in derivation.forward if e.name == "A1"}
        self.curvature_line = replace(curvature_along(slope, scores, direction), known)
        self.slope_tree = replace(slope, known)
        self._own = threading.local()
        self.change: np.ndarray | None = None

    # One pass.

    def at(self, theta: np.ndarray, curvature: bool = True) -> Pass:
        """Cost (without penalty), slope and curvature at parameters (p, k), the bias first.

        Raises
        ------
        NonFiniteValue : the cost is not finite, or with `curvature` the slope or the curvature
        """
        return self._summed(lambda rows: self._piece(rows, theta, curvature))

    def from_data(self) -> Pass:
        """The same at scores that no parameters give: where R's first iteration starts.

        The scores are those of the means (w y + ½) / (w + 1) for shares and y + 0.1 for counts. The slope is that of the
        working response, so that the step from 0 is θ itself.
        """
        return self._summed(lambda rows: self._piece(rows, None, True))

    def _summed(self, work: Callable[[slice], Pass]) -> Pass:
        total: Pass | None = None
        for part in in_threads(work, len(self.Y)):
            if total is None:
                total = part
            else:
                total.add(part)
        if total is None or not np.isfinite(total.cost):
            raise NonFiniteValue(self.data_cost.name)
        if total.hessian is not None:
            for name, sums in (("dW1", total.slope), ("H1", total.hessian)):
                if not np.isfinite(sums).all():
                    raise NonFiniteValue(name)
        return total

    def inputs(self, rows: slice) -> np.ndarray:
        """[1 X] of some rows, dense float64; the thread's next call writes over it."""
        part = self.X[rows]
        dense = np.asarray(part.toarray() if hasattr(part, "toarray") else part)
        x = self._room(0)[: len(dense)]
        x[:, : int(self.bias)] = 1.0
        x[:, int(self.bias) :] = dense
        return x if self.change is None else np.matmul(x, self.change, out=self._room(2)[: len(dense)])

    def _room(self, which: int) -> np.ndarray:
        """One of a thread's three arrays (rows, p), used again and again: fresh memory costs more than the sums."""
        if not hasattr(self._own, "rooms"):
            self._own.rooms = [np.empty((min(BLOCK, len(self.Y)), self.columns)) for _ in range(3)]
        return np.asarray(self._own.rooms[which])

    def _piece(self, rows: slice, theta: np.ndarray | None, curvature: bool) -> Pass:
        size = self.columns * self.outputs
        total = Pass(0.0, 0.0, np.zeros((self.columns, self.outputs)), np.zeros((size, size)) if curvature else None)
        with np.errstate(all="ignore"):
            for start in range(rows.start, rows.stop, BLOCK):
                part = slice(start, min(start + BLOCK, rows.stop))
                total.add(self._block(part, theta, curvature))
        return total

    def _block(self, rows: slice, theta: np.ndarray | None, curvature: bool) -> Pass:
        x = self.inputs(rows)
        Y = self.Y[rows].astype(np.float64, copy=False)
        w = None if self.w is None else self.w[rows].astype(np.float64, copy=False)
        Z = x @ theta if theta is not None else self._suggested(Y, w)
        env: dict[str, Any] = {"Z1": Z, "Y": Y, "w": w, "m": self.total, "S": self.total}
        env["A1"] = A = self.derivation["A1"].expression.evaluate(env, np)
        cost = float(self.data_cost.expression.evaluate(env, np))
        slope = np.broadcast_to(self.slope_tree.evaluate(env, np), Z.shape)
        if theta is None:
            slope = slope - self._along(env, Z)
        extreme = int(np.count_nonzero((A < EDGE) | (A > 1 - EDGE))) if "entropy" in self.name else 0
        found = Pass(cost, self._right(Y, A, w), x.T @ slope, None, extreme)
        if curvature:
            found.hessian = self._hessian(env, x, Z)
        return found

    def _along(self, env: dict[str, Any], v: np.ndarray) -> np.ndarray:
        value = self.curvature_line.evaluate({**env, "v": v}, np)
        return np.asarray(value * v if self.outputs == 1 else value)

    def _hessian(self, env: dict[str, Any], x: np.ndarray, Z: np.ndarray) -> np.ndarray:
        p, k = x.shape[1], self.outputs
        if k == 1 or self.name == "mean_squared_error":
            c = np.broadcast_to(self.curvature_line.evaluate({**env, "v": np.ones((1, k))}, np), Z.shape)[:, :1]
            scaled = np.multiply(np.sqrt(c), x, out=self._room(1)[: len(x)])
            one = scaled.T @ scaled
            return one if k == 1 else np.kron(np.eye(k), one)
        blocks = np.empty((k, p, k, p))
        for j in range(k):
            column = self.curvature_line.evaluate({**env, "v": np.eye(k)[j : j + 1]}, np)
            for other in range(j, k):
                scaled = np.multiply(column[:, other, None], x, out=self._room(1)[: len(x)])
                blocks[other, :, j] = x.T @ scaled
                blocks[j, :, other] = blocks[other, :, j].T
        return blocks.reshape(k * p, k * p)

    def _right(self, Y: np.ndarray, A: np.ndarray, w: np.ndarray | None) -> float:
        """Weight of the rows predicted right; squared errors where the targets are numbers."""
        if self.name == "categorical_cross_entropy":
            hits = A.argmax(axis=1) == Y.argmax(axis=1)
        elif self.name == "binary_cross_entropy":
            hits = ((A >= 0.5) == (Y >= 0.5)).all(axis=1)
        else:
            errors = (Y - A) ** 2
            return float((errors if w is None else w * errors).sum())
        return float(hits.sum() if w is None else w[hits].sum())

    # What R starts from and stops by.

    def _suggested(self, Y: np.ndarray, w: np.ndarray | None) -> np.ndarray:
        """Scores of the means that the data alone suggest."""
        if self.name == "binary_cross_entropy":
            trials = 1.0 if w is None else w
            mean = (trials * Y + 0.5) / (trials + 1)
            return np.asarray(np.log(mean) - np.log1p(-mean))
        return np.asarray(np.log(Y + 0.1) if self.name == "poisson" else Y)

    def deviance(self, cost: float) -> float:
        """D = 2 S (L − the L of a model that fits every row)."""
        return 2 * self.total * (cost - self._saturated())

    def _saturated(self) -> float:
        if self.name == "mean_squared_error":
            return 0.0
        if not hasattr(self, "_best"):
            from scipy.special import xlogy

            Y = self.Y.astype(np.float64, copy=False)
            w = 1.0 if self.w is None else self.w
            if self.name != "poisson" and not (Y * (1 - Y)).any():
                entries = np.zeros(1)  # classes: a model that fits every row has probability 1
            elif self.name == "poisson":
                entries = Y - xlogy(Y, Y)
            else:
                entries = -xlogy(Y, Y) - (xlogy(1 - Y, 1 - Y) if self.outputs == 1 else 0.0)
            self._best = float((w * entries).sum() / self.total) if entries.any() else 0.0
        return self._best

    def examined(self, cross: np.ndarray, tolerance: float, l2: float = 0.0) -> LeastSquaresSolution | None:
        """The QR of [1 X], or None where its columns are clearly independent.

        `cross` is a weighted cross product of them. What it cannot decide, the QR does, by R's rule: its digits reach twice
        as far. A penalty ½ l2 Σ W² counts as rows √(S l2) eⱼ: under it dependent columns have a minimum of their own.
        """
        if l2 and len(cross):
            cross = cross[: self.columns, : self.columns] + np.diag(l2 * (np.arange(self.columns) >= int(self.bias)))
        size = np.sqrt(np.diag(cross)[: self.columns])
        scaled = cross[: self.columns, : self.columns] / np.outer(size, size) if size.all() else None
        if scaled is not None and np.isfinite(scaled).all():
            try:  # squared pivots of the cross product: far from 0, no closer look is needed
                if (np.diag(np.linalg.cholesky(scaled)) ** 2).min() > WELL_CONDITIONED:
                    return None
            except np.linalg.LinAlgError:
                pass
        triangle = Triangle(int(self.X.shape[1]), 1, intercept=self.bias)
        triangle.add(self.X, np.zeros(len(self.Y)), self.w)
        if l2:
            triangle.add_penalty(self.total * l2)
        return triangle.solve(tolerance)

    def turn(self, solution: LeastSquaresSolution) -> np.ndarray:
        """From now on work with the orthonormal columns [1 X] R⁻¹, in which nearly dependent columns do no harm.

        Returns
        -------
        (p, p) what leads from parameters of the new columns to those of the old; 0 for aliased ones
        """
        change = np.zeros((self.columns, self.columns))
        kept = solution.pivot[: solution.rank]
        change[np.ix_(kept, np.arange(solution.rank))] = np.linalg.solve(solution.factor, np.eye(solution.rank))
        self.change = change
        return change


EDGE = 10 * float(np.finfo(np.float64).eps)
"""R's measure of a probability that is numerically 0 or 1."""


def newton_step(
    found: Pass, theta: np.ndarray, kept: np.ndarray, bias: bool, l2: float, symmetric: bool, absolute: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """The step (p, k) to the minimum of the parabola, and the whole slope (p, k).

        S = −H⁻¹ g,   g and H with the penalty ½ λ Σ W²

    Parameters
    ----------
    kept : (p,) columns that take part; the others' coefficients stay as they are
    symmetric : softmax, where only differences between classes are identified: the shortest step
    absolute : `found` is from scores: its step leads to θ itself, from 0

    Raises
    ------
    numpy.linalg.LinAlgError : the curvature is singular
    """
    from scipy.linalg import cho_factor, cho_solve

    if found.hessian is None:
        raise TypeError("A step needs the curvature.")
    p, k = theta.shape
    decay = np.full((p, k), l2)
    decay[: int(bias)] = 0.0
    slope = found.slope if absolute else found.slope + decay * theta
    hessian = found.hessian + np.diag(decay.T.ravel())
    free = np.tile(kept, k)
    held = np.zeros(k * p, dtype=bool)
    if symmetric and not l2:
        held[:p] = True  # class 0 stays; the mean over the classes is taken off below
    elif symmetric and bias:
        hessian = hessian + _shared_bias(p, k) * max(1.0, float(np.abs(np.diag(hessian)).max()))
    free &= ~held
    index = np.flatnonzero(free)
    step = np.zeros(k * p)
    if len(index):
        factor = cho_factor(hessian[np.ix_(index, index)], check_finite=False)
        step[index] = -cho_solve(factor, slope.T.ravel()[index], check_finite=False)
    moved = step.reshape(k, p).T
    if symmetric and not l2:
        moved = moved - moved.mean(axis=1, keepdims=True)
    return moved, slope


def _shared_bias(p: int, k: int) -> np.ndarray:
    """A ridge along the one direction that changes nothing: all biases together."""
    one = np.zeros((k, p))
    one[:, 0] = 1.0 / np.sqrt(k)
    return np.outer(one.ravel(), one.ravel())
