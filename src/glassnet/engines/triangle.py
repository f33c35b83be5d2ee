"""Least squares in one pass: the triangle R of a QR, added up chunk by chunk.

    [√w (1 X)  √w Y] = Q [R  Qᵀ√w Y]
                         [0     S  ]

Everything that linear regression says of its data, residuals aside, follows from this triangle, whose size does not
depend on the number of rows: the triangles of two parts, put one on the other, have the triangle of the whole.

Source: Demmel, Grigori, Hoemmen and Langou, Communication-optimal parallel and sequential QR, 2012; the choice of
aliased columns is that of R's `lm` (LINPACK's dqrdc, modified).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from glassnet.engines.threads import blas_alone

BLOCK = 1024
"""Rows factorised at once: as many as stay in the cache."""


@dataclass(frozen=True)
class LeastSquaresSolution:
    """What minimises Σ w (y − xβ)², for each output.

    Attributes
    ----------
    coefficients : (p, k), the intercept first; NaN where aliased
    rank : columns that the ones before them do not determine
    pivot : (p,) the columns in the order of the factor, aliased ones last
    aliased : (p,) whether a column is a combination of those before it
    unscaled : (p, p) the inverse of XᵀWX; NaN in aliased rows and columns
    residual_squares : (k,) Σ w e²
    effects : (p, k) Qᵀ √w Y, in the order of `pivot`; their squares are the sequential sums of squares
    factor : (rank, rank) upper triangle R of the columns that are kept, in the order of `pivot`
    """

    coefficients: np.ndarray
    rank: int
    pivot: np.ndarray
    aliased: np.ndarray
    unscaled: np.ndarray
    residual_squares: np.ndarray
    effects: np.ndarray
    factor: np.ndarray


class Triangle:
    """R of the QR of [√w (1 X) | √w Y], over all rows that were added.

    Parameters
    ----------
    columns : of X
    outputs : columns of Y
    intercept : put a column of ones first

    Attributes
    ----------
    rows : rows of weight above 0 so far
    weight : Σ w
    log_weight : Σ log w over those rows
    factor : (p + k, p + k) the triangle, float64
    """

    def __init__(self, columns: int, outputs: int = 1, *, intercept: bool = False) -> None:
        self.columns = columns
        self.outputs = outputs
        self.intercept = intercept
        self.rows = 0
        self.weight = 0.0
        self.log_weight = 0.0
        self.factor = np.zeros((self.width, self.width))

    @property
    def width(self) -> int:
        """Columns of the whole triangle: p and k."""
        return self.columns + int(self.intercept) + self.outputs

    def add(self, X: Any, Y: Any, w: Any = None) -> None:
        """Add rows: X (m, columns), Y (m, outputs) or (m,), w (m,) weights of 0 or more."""
        targets = np.asarray(Y).reshape(X.shape[0], self.outputs)
        weights = None if w is None else np.asarray(w, dtype=np.float64).reshape(-1)
        block = max(BLOCK, 4 * self.width)
        waiting = [self.factor]
        with blas_alone():  # with two threads a block takes 4 to 6 times as long (measured)
            for start in range(0, X.shape[0], block):
                part = slice(start, start + block)
                rows = self._rows(X[part], targets[part], None if weights is None else weights[part])
                waiting.append(_triangle(rows))
                if len(waiting) * self.width > block:
                    waiting = [_triangle(np.vstack(waiting))]
        self.factor = _triangle(np.vstack(waiting)) if len(waiting) > 1 else waiting[0]
        self._count(X.shape[0], weights)

    def add_rows(self, rows: np.ndarray) -> None:
        """Add whole rows of [√w (1 X) | √w Y] that are no data, such as those of a penalty; they are not counted."""
        self.factor = _triangle(np.vstack([self.factor, rows]))

    def add_penalty(self, strength: float) -> None:
        """Add ½ strength Σ W² as rows √strength eⱼ with target 0; the intercept is left out."""
        rows = np.zeros((self.columns, self.width))
        first = int(self.intercept)
        rows[:, first : first + self.columns] = np.sqrt(strength) * np.eye(self.columns)
        self.add_rows(rows)

    def merge(self, other: Triangle) -> None:
        """Add the rows that another triangle has seen."""
        self.factor = _triangle(np.vstack([self.factor, other.factor]))
        self.rows += other.rows
        self.weight += other.weight
        self.log_weight += other.log_weight

    def _rows(self, X: Any, Y: np.ndarray, w: np.ndarray | None) -> np.ndarray:
        first = int(self.intercept)
        rows = np.empty((len(Y), self.width), order="F")
        rows[:, :first] = 1.0
        rows[:, first : first + self.columns] = X.toarray() if hasattr(X, "toarray") else X
        rows[:, first + self.columns :] = Y
        if w is not None:
            rows *= np.sqrt(w)[:, None]
        return rows

    def _count(self, rows: int, w: np.ndarray | None) -> None:
        counted = None if w is None else w[w > 0]
        self.rows += rows if counted is None else len(counted)
        self.weight += float(rows) if counted is None else float(counted.sum())
        self.log_weight += 0.0 if counted is None else float(np.log(counted).sum())

    def solve(self, tolerance: float = 1e-7) -> LeastSquaresSolution:
        """The least-squares solution.

            R β = Qᵀ √w Y

        Parameters
        ----------
        tolerance : a column is aliased when what the columns before it leave of it is smaller than this share of it
        """
        p = self.width - self.outputs
        R, pivot, rank = limited_pivoting(self.factor, p, tolerance)
        factor, effects = R[:rank, :rank], R[:p, p:]
        kept, aliased = pivot[:rank], np.ones(p, dtype=bool)
        aliased[kept] = False
        inverse = np.linalg.solve(factor, np.eye(rank)) if rank else np.empty((0, 0))
        coefficients = np.full((p, self.outputs), np.nan)
        unscaled = np.full((p, p), np.nan)
        coefficients[kept] = _back(factor, effects[:rank])
        unscaled[np.ix_(kept, kept)] = inverse @ inverse.T
        residual_squares = (R[rank:, p:] ** 2).sum(axis=0)
        return LeastSquaresSolution(coefficients, rank, pivot, aliased, unscaled, residual_squares, effects, factor)


def _back(factor: np.ndarray, right: np.ndarray) -> np.ndarray:
    from scipy.linalg import solve_triangular

    if not len(factor):
        return right
    return np.asarray(solve_triangular(factor, right, check_finite=False))


def _triangle(rows: np.ndarray) -> np.ndarray:
    """R of the QR of some rows, square: zeros stand below when there are fewer rows than columns."""
    from scipy.linalg.lapack import dgeqrf

    width = rows.shape[1]
    factored = dgeqrf(np.asfortranarray(rows), overwrite_a=1)[0]
    square = np.zeros((width, width))
    kept = min(width, len(rows))
    square[:kept] = np.triu(factored[:kept])
    return square


def limited_pivoting(factor: np.ndarray, columns: int, tolerance: float) -> tuple[np.ndarray, np.ndarray, int]:
    """A QR of the first `columns` columns in their order, save that negligible ones are moved to the end.

    Returns
    -------
    the triangle with the columns as moved and the others rotated along, the order of the columns, the rank
    """
    R = np.array(factor, dtype=np.float64)
    pivot = np.arange(columns)
    sizes = np.sqrt((R[:, :columns] ** 2).sum(axis=0))
    sizes[sizes == 0] = 1.0
    rank, position = columns, 0
    while position < rank:
        left = float(np.linalg.norm(R[position:, position]))
        if left < tolerance * sizes[pivot[position]]:
            R[:, position:columns] = np.roll(R[:, position:columns], -1, axis=1)
            pivot[position:] = np.roll(pivot[position:], -1)
            rank -= 1
            continue
        _reflect(R, position)
        position += 1
    return R, pivot, rank


def _reflect(R: np.ndarray, position: int) -> None:
    """Householder's reflection that clears a column below the diagonal."""
    column = R[position:, position].copy()
    size = float(np.linalg.norm(column))
    if not size or not np.any(column[1:]):
        return
    column[0] += size if column[0] >= 0 else -size
    column /= np.linalg.norm(column)
    R[position:, position:] -= 2.0 * np.outer(column, column @ R[position:, position:])
    R[position + 1 :, position] = 0.0
