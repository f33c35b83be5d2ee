"""Simple models and what they predict on rows they have not seen: is there anything to learn, and how much of it is noise?

    nearest neighbours    the mean target of the k rows nearest to a row, itself left out
    ridge                 a linear model; the prediction without the row itself follows from the hat matrix H = X(XᵀX + λI)⁻¹Xᵀ:
                          ŷ₋ᵢ = (ŷᵢ − Hᵢᵢ yᵢ) / (1 − Hᵢᵢ)
    trees                 extremely randomised trees, each row predicted by those that have not seen it

Predictions P and targets Y, both centred, depend on each other when T = Σ P ⊙ Y is far above what it is when the rows of Y
are put in a random order: mean 0 and, P staying as it is, variance Σ (PᵀP ⊙ YᵀY) / (m − 1). But P is made of Y, and two rows
that are each other's neighbours count the same product twice: the variance is up to 2 times that, and is taken as such.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

MOST_FEATURES = 50
NEIGHBOURS = (5, 15)
RIDGE = 1.0
CLEAR = 4.5
"""Standard deviations beyond which nothing further is tried."""
TREES = 30
TREE_ROWS = 750
"""Trees are dear where labels are in a random order, for nothing stops them from growing: they see at most so many rows."""


@dataclass(frozen=True)
class Dependence:
    """The simple model that predicts best.

    Attributes
    ----------
    model : its name
    deviations : how many standard deviations its T lies above that of randomly ordered targets
    correlation : T / (‖P‖ ‖Y‖)
    rows : how many rows it is computed on
    """

    model: str
    deviations: float
    correlation: float
    rows: int


def without_overflow(X: np.ndarray) -> np.ndarray:
    """For each column a divisor that keeps its squares finite: 1, or its largest number where that is above 1e100."""
    largest = np.abs(X).max(axis=0, initial=0.0)
    return np.asarray(np.where(largest > 1e100, largest, 1.0))


def standardised(X: np.ndarray) -> np.ndarray:
    """Columns with mean 0 and deviation 1; outliers beyond 5 deviations are put there."""
    X = X / without_overflow(X)
    spread = X.std(axis=0)
    return np.asarray(np.clip((X - X.mean(axis=0)) / np.where(spread > 0, spread, 1.0), -5, 5))


def compressed(X: np.ndarray, most: int = MOST_FEATURES) -> np.ndarray:
    """Standardised columns; of more than `most`, about the principal components, found by a random projection first."""
    Z = standardised(X)
    if Z.shape[1] <= most:
        return Z
    draws = np.random.default_rng(0).standard_normal((Z.shape[1], most + 10))
    basis = _orthonormal(Z @ (Z.T @ _orthonormal(Z @ draws)))
    within = basis.T @ Z
    square, U = np.linalg.eigh(within @ within.T)
    largest = np.argsort(-square)[:most]
    return np.asarray((basis @ U[:, largest]) * np.sqrt(np.maximum(0.0, square[largest])))


def _orthonormal(A: np.ndarray) -> np.ndarray:
    """An orthonormal basis of the columns' span, by way of AᵀA, which is small (a QR of A is many small steps)."""
    square, V = np.linalg.eigh(A.T @ A)
    kept = square > 1e-10 * max(float(square[-1]), 1e-300)
    return np.asarray(A @ (V[:, kept] / np.sqrt(square[kept])))


def neighbours(X: np.ndarray, others: np.ndarray | None = None, most: int = 15) -> np.ndarray:
    """The positions of each row's nearest rows of X, nearest first; the row itself is left out unless `others` ask."""
    asked = X if others is None else others
    distance = (asked**2).sum(axis=1)[:, None] - 2 * asked @ X.T + (X**2).sum(axis=1)
    if others is None:
        np.fill_diagonal(distance, np.inf)
    most = min(most, len(X) - (others is None))
    nearest = np.argpartition(distance, most - 1, axis=1)[:, :most]
    order = np.take_along_axis(distance, nearest, axis=1).argsort(axis=1, kind="stable")
    return np.take_along_axis(nearest, order, axis=1)


def ridge_without_itself(X: np.ndarray, Y: np.ndarray) -> np.ndarray:
    """What a ridge regression with a constant predicts for each row when it is fitted on all others."""
    centred = np.hstack([np.ones((len(X), 1)), X])
    penalty = np.diag([1e-8, *np.full(X.shape[1], RIDGE)])
    solved = np.linalg.solve(centred.T @ centred + penalty, centred.T)
    leverage = np.minimum((centred * solved.T).sum(axis=1), 1 - 1e-9)[:, None]
    return np.asarray((centred @ (solved @ Y) - leverage * Y) / (1 - leverage))


def trees_without_itself(X: np.ndarray, Y: np.ndarray) -> np.ndarray:
    """What randomised trees predict for each row, of those trees that have not seen it."""
    from sklearn.ensemble import ExtraTreesRegressor

    trees = ExtraTreesRegressor(TREES, min_samples_leaf=3, bootstrap=True, max_features=0.5, random_state=0)
    target = Y[:, 0] if Y.shape[1] == 1 else Y
    trees.fit(X, target)
    total, count = np.zeros(Y.shape), np.zeros((len(X), 1))
    for tree, seen in zip(trees.estimators_, trees.estimators_samples_, strict=True):
        unseen = np.setdiff1d(np.arange(len(X)), seen)
        if len(unseen):
            total[unseen] += tree.predict(X[unseen]).reshape(len(unseen), -1)
            count[unseen] += 1
    return np.where(count > 0, total / np.maximum(count, 1), Y.mean(axis=0))


def deviations(P: np.ndarray, Y: np.ndarray, apart: bool = False) -> tuple[float, float]:
    """How far Σ P ⊙ Y lies above that of randomly ordered rows, in standard deviations; and the correlation.

    With `apart`, P is made of other rows' targets than Y, and the variance is not doubled.
    """
    P, Y = P - P.mean(axis=0), Y - Y.mean(axis=0)
    total = float((P * Y).sum())
    variance = (1 if apart else 2) * float(((P.T @ P) * (Y.T @ Y)).sum()) / max(1, len(Y) - 1)
    size = float(np.sqrt((P**2).sum() * (Y**2).sum()))
    if variance <= 0 or size <= 0:
        return 0.0, 0.0
    return total / math.sqrt(variance), total / size


def dependence(X: np.ndarray, Y: np.ndarray, trees: bool = True) -> Dependence:
    """The simple model that predicts Y from X best on rows it has not seen; the dear ones only when the cheap ones fail."""
    best = Dependence("none", 0.0, 0.0, len(X))
    if len(X) < 10 or X.shape[1] == 0:
        return best
    Y = standardised(Y) if Y.shape[1] > 1 or np.ptp(Y) > 0 else Y
    found = neighbours(X, most=max(NEIGHBOURS))

    def better(name: str, P: np.ndarray) -> bool:
        nonlocal best
        z, r = deviations(P, Y)
        if z > best.deviations:
            best = Dependence(name, z, r, len(X))
        return best.deviations > CLEAR

    if better("linear model", ridge_without_itself(X, Y)):
        return best
    for k in NEIGHBOURS:
        if better(f"{k} nearest neighbours", Y[found[:, :k]].mean(axis=1)):
            return best
    if trees:
        X, Y = X[:: -(-len(X) // TREE_ROWS)], Y[:: -(-len(Y) // TREE_ROWS)]
        better("trees", trees_without_itself(X, Y))
    return best
