"""`Seen`: the rows of a case as the checks of data look at them: finite numbers, one column a feature, not too many rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from glassnet.diagnosis.case import Case
from glassnet.diagnosis.simple_models import (
    Dependence,
    compressed,
    dependence,
    deviations,
    neighbours,
    without_overflow,
)

MOST_ROWS = 20_000
MOST_NUMBERS = 4_000_000
"""Numbers of X that are looked at, about; 2,000 rows at least."""
FEWEST_HELD = 30
"""Held-out rows that are needed before they say anything about the training labels."""
MANY_FEATURES = 64
"""From so many columns on, a column is taken as one of many alike (pixels, samples of a signal)."""


@dataclass(frozen=True)
class Outside:
    """Votes on held-out rows.

    Attributes
    ----------
    by_training : share of held-out labels that the nearest training rows agree with
    by_themselves : share that the nearest other held-out rows agree with
    deviations : how far the training rows' votes are above chance
    rows : held-out rows looked at
    """

    by_training: float
    by_themselves: float
    deviations: float
    rows: int

    @property
    def best(self) -> float:
        return max(self.by_training, self.by_themselves)

    def wrong_share(self, agree: float, classes: int) -> float:
        """The share of wrong training labels that lowers the votes' agreement from the held-out rows' to `agree`."""
        usual = self.by_training if self.deviations > 4.5 else self.best
        chance = (1 - usual) / max(1, classes - 1)
        return (usual - agree) / max(0.05, usual - chance)


class Seen:
    """What is computed once and used by several checks.

    Attributes
    ----------
    case : the training
    """

    def __init__(self, case: Case) -> None:
        self.case = case

    @cached_property
    def arrays(self) -> tuple[np.ndarray, np.ndarray] | None:
        """X and Y as numbers with a row each, as they came; None when they are none."""
        return _numbers(self.case.X, self.case.Y)

    @cached_property
    def rows(self) -> np.ndarray:
        """The numbers of the training rows that are looked at: finite, of weight above 0, evenly taken when very many."""
        assert self.arrays is not None
        X, Y = self.arrays
        whole = _finite_rows(X) & _finite_rows(Y)
        weights = self.case.settings.get("sample_weight")
        if weights is not None and np.size(weights) == len(whole):
            whole &= np.asarray(weights, dtype=np.float64).reshape(-1) > 0
        rows = np.flatnonzero(whole)
        return rows[:: _stride(len(rows), X.size // len(X))]

    @cached_property
    def usable(self) -> bool:
        """Whether there are rows to look at."""
        return self.arrays is not None and len(self.rows) > 0

    @cached_property
    def pictures(self) -> np.ndarray:
        """X of the rows looked at, in its own shape, as float64."""
        assert self.arrays is not None
        X = self.arrays[0]
        return np.asarray(X if len(self.rows) == len(X) else X[self.rows], dtype=np.float64)

    @cached_property
    def X(self) -> np.ndarray:
        """(rows, features), pictures as rows of their pixels."""
        return self.pictures.reshape(len(self.rows), -1)

    @cached_property
    def Y(self) -> np.ndarray:
        """(rows, outputs)"""
        assert self.arrays is not None
        return np.asarray(self.arrays[1][self.rows], dtype=np.float64).reshape(len(self.rows), -1)

    @cached_property
    def held(self) -> tuple[np.ndarray, np.ndarray] | None:
        """(X, Y) of held-out rows that are finite, with the training rows' columns; None when there are none."""
        if self.case.held is None or not self.usable:
            return None
        arrays = _numbers(*self.case.held)
        if arrays is None:
            return None
        whole = np.flatnonzero(_finite_rows(arrays[0]) & _finite_rows(arrays[1]))
        if not len(whole):
            return None
        whole = whole[:: _stride(len(whole), arrays[0].size // len(arrays[0]))]
        X, Y = (np.asarray(a[whole], dtype=np.float64).reshape(len(whole), -1) for a in arrays)
        return (X, Y) if X.shape[1] == self.X.shape[1] and Y.shape[1] == self.Y.shape[1] else None

    # Features.

    @property
    def many(self) -> bool:
        """Whether the features are pixels or so many that each is one of many alike."""
        return self.pictures.ndim == 4 or self.X.shape[1] >= MANY_FEATURES

    @cached_property
    def mean(self) -> np.ndarray:
        """Of every column."""
        return np.asarray(self.X.mean(axis=0))

    @cached_property
    def spread(self) -> np.ndarray:
        """Standard deviation of every column; exactly 0 for a column whose values are all equal."""
        size = without_overflow(self.X)
        return np.where(self.high > self.low, (self.X / size).std(axis=0) * size, 0.0)

    @cached_property
    def low(self) -> np.ndarray:
        return np.asarray(self.X.min(axis=0))

    @cached_property
    def high(self) -> np.ndarray:
        return np.asarray(self.X.max(axis=0))

    @cached_property
    def varied(self) -> np.ndarray:
        """The columns that are not constant (differences at the edge of the numbers' precision do not count)."""
        size = np.maximum(np.abs(self.low), np.abs(self.high))
        return np.flatnonzero(self.high - self.low > 1e-12 * size)

    @cached_property
    def two_valued(self) -> np.ndarray:
        """For every column, whether it has at most two values."""
        found = np.zeros(self.X.shape[1], dtype=bool)
        for start in range(0, self.X.shape[1], 64):
            part = slice(start, start + 64)
            block = self.X[:, part]
            found[part] = ((block == self.low[part]) | (block == self.high[part])).all(axis=0)
        return found

    @cached_property
    def distinct(self) -> int:
        """How many different rows there are, by the columns that vary most."""
        some = np.argsort(-self.spread, kind="stable")[:24]
        return len({row.tobytes() for row in np.ascontiguousarray(self.X[:, some])})

    @property
    def copied(self) -> bool:
        """Whether most rows are copies of others: then shares and means are those of far fewer rows."""
        return self.distinct < len(self.X) / 2

    # Targets.

    @cached_property
    def labels(self) -> np.ndarray | None:
        """Class numbers of the rows looked at, or None when rows do not belong to one class each."""
        if self.case.task != "classes":
            return None
        return classes_of(self.Y, self.Y)

    @cached_property
    def held_labels(self) -> np.ndarray | None:
        """Class numbers of the held-out rows, counted as the training rows' are; −1 for one that training has not."""
        return None if self.held is None or self.labels is None else classes_of(self.held[1], self.Y)

    @cached_property
    def classes(self) -> int:
        """How many classes there are: columns of one-hot rows, or distinct labels, and two at least."""
        if self.labels is None:
            return 0
        return max(2, self.Y.shape[1] if self.Y.shape[1] > 1 else int(self.labels.max()) + 1)

    @cached_property
    def targets(self) -> np.ndarray:
        """What simple models learn: one-hot rows of classes, else the targets."""
        return self.Y if self.labels is None else np.eye(self.classes)[self.labels]

    # Simple models.

    @cached_property
    def few(self) -> np.ndarray:
        """Positions in the rows looked at that simple models are fitted on."""
        return chosen(len(self.rows))

    @cached_property
    def compressed(self) -> np.ndarray:
        """Those rows' features, standardised, at most 50 columns."""
        return compressed(self.X[self.few][:, self.varied])

    @cached_property
    def signal(self) -> Dependence:
        """How well simple models predict the target on rows they have not seen."""
        return dependence(self.compressed, self.targets[self.few])

    @cached_property
    def held_targets(self) -> np.ndarray | None:
        """The held-out targets, as the training rows' are."""
        if self.held is None:
            return None
        return self.held[1] if self.held_labels is None else np.eye(self.classes)[np.maximum(self.held_labels, 0)]

    @cached_property
    def outside_signal(self) -> Dependence | None:
        """How well simple models of other held-out rows predict a held-out row's target."""
        if self.held is None or self.held_targets is None:
            return None
        some = chosen(len(self.held[0]))
        return dependence(compressed(self.held[0][some][:, self.varied]), self.held_targets[some])

    @cached_property
    def outside(self) -> Outside | None:
        """Neighbours' votes on held-out rows; None with few of them, without classes, or where they are training rows."""
        held, labels = self.held_labels, self.labels
        if held is None or labels is None or self.held is None or len(held) < FEWEST_HELD or not len(self.varied):
            return None
        some = chosen(len(held))
        both = compressed(np.vstack([self.X[self.few], self.held[0][some]])[:, self.varied])
        Z, H = both[: len(self.few)], both[len(self.few) :]
        count = min(25, len(Z) // 4)
        near = neighbours(Z, H, count)
        copies = (np.abs(Z[near[:, 0]] - H) < 1e-9).all(axis=1)
        if copies.mean() > 0.1:
            return None
        truth = held[some]
        known = np.maximum(truth, 0)
        votes = np.eye(self.classes)[labels[self.few]][near].mean(axis=1)
        own = np.eye(self.classes)[known][neighbours(H, most=min(15, len(H) // 4))].mean(axis=1)
        apart = deviations(votes, np.eye(self.classes)[known], apart=True)[0]
        agree = [float((v.argmax(axis=1) == truth).mean()) for v in (votes, own)]
        return Outside(agree[0], agree[1], apart, len(truth))

    def class_name(self, number: int) -> str:
        """A class in words: "class 2", or its own name."""
        own = self.case.classes
        return f"class {own[number]}" if number < len(own) else f"class {number}"

    def names(self, columns: Any, most: int = 4) -> str:
        """Columns in words: the features' own names, or "feature 3" counted from 0 as in the arrays."""
        own = self.case.features
        said = [own[i] if i < len(own) else f"feature {int(i)}" for i in columns[:most]]
        return ", ".join(said) + (f" and {len(columns) - most} more" if len(columns) > most else "")


def _stride(rows: int, features: int) -> int:
    return max(1, math.ceil(rows / min(MOST_ROWS, max(2000, MOST_NUMBERS // features))))


def chosen(count: int, most: int = 1500) -> np.ndarray:
    """At most so many of `count` rows, drawn with a fixed seed, in order."""
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).choice(count, most, replace=False))


def classes_of(Y: np.ndarray, like: np.ndarray) -> np.ndarray | None:
    """Class numbers of one-hot rows, or of one column by the order of `like`'s values; −1 for a value it has not."""
    if Y.shape[1] > 1:
        return Y.argmax(axis=1) if bool(((Y > 0).sum(axis=1) == 1).all()) else None
    known = np.unique(like[:, 0])
    if len(known) > max(2, min(100, len(like) // 5)):
        return None
    if set(known.tolist()) <= {0.0, 1.0}:
        known = np.array([0.0, 1.0])
    place = np.minimum(np.searchsorted(known, Y[:, 0]), len(known) - 1)
    return np.where(known[place] == Y[:, 0], place, -1)


def _numbers(X: Any, Y: Any) -> tuple[np.ndarray, np.ndarray] | None:
    X, Y = np.asarray(X), np.asarray(Y)
    if X.dtype.kind not in "fiub" or Y.dtype.kind not in "fiub" or X.ndim == 0 or Y.ndim == 0:
        return None
    if len(X) != len(Y) or not len(X) or X.size == 0 or Y.size == 0:
        return None
    return X.reshape(len(X), -1) if X.ndim != 4 else X, Y


def _finite_rows(array: np.ndarray) -> np.ndarray:
    if array.dtype.kind != "f":
        return np.ones(len(array), dtype=bool)
    # Where the sum of everything is finite, every number is.
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(array.sum(dtype=np.float64)):
            return np.ones(len(array), dtype=bool)
    return np.asarray(np.isfinite(array.reshape(len(array), -1)).all(axis=1))
