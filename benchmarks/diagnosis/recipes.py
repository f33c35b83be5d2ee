"""Healthy trainings on small data sets: what faults are planted in, and what they are compared with."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np

import glassnet as gn
from benchmarks.diagnosis.published_data import Rows
from glassnet.data import dataset

MOST_ROWS = 320
"""Training rows of a data set, so that a training takes about a tenth of a second."""
MOST_HELD = 240


@dataclass(frozen=True)
class Problem:
    """Rows, standardised by the training rows. Y is one column of 0 and 1, one-hot, or one column of numbers."""

    name: str
    rows: Rows
    classes: int

    @property
    def pictures(self) -> bool:
        return self.rows.X.ndim == 4


def _split(X: np.ndarray, y: np.ndarray, seed: int) -> tuple[np.ndarray, ...]:
    order = np.random.default_rng([seed, 17]).permutation(len(X))
    count = min(MOST_ROWS, round(len(X) * 0.65))
    train, test = order[:count], order[count : count + MOST_HELD]
    return X[train], y[train], X[test], y[test]


def _classes(name: str, seed: int, k: int) -> Problem:
    made: dict[str, dict[str, int]] = {
        "flower": {"n": 520},
        "spiral": {"n": 520},
        "circles": {"n": 500},
        "moons": {"n": 500},
    }
    made |= {"blobs": {"n": 500}, "xor": {"n": 500}}
    X, labels = dataset(name, seed=seed, **made.get(name, {})).arrays()
    parts = _split(np.asarray(X, float), np.asarray(labels), seed)
    return Problem(name, _standardised(*_with_columns(parts, k)), k)


def _with_columns(parts: tuple[np.ndarray, ...], k: int) -> tuple[np.ndarray, ...]:
    X, y, X_test, y_test = parts
    if k == 2:
        return X, y[:, None].astype(float), X_test, y_test[:, None].astype(float)
    return X, np.eye(k)[y], X_test, np.eye(k)[y_test]


def _standardised(X: np.ndarray, Y: np.ndarray, X_test: np.ndarray, Y_test: np.ndarray) -> Rows:
    mean, deviation = X.mean(axis=0), X.std(axis=0)
    deviation = np.where(deviation > 0, deviation, 1)
    return Rows((X - mean) / deviation, Y, (X_test - mean) / deviation, Y_test)


def _pictures(name: str, seed: int) -> Problem:
    """Digits of 8×8 pixels: all ten, some of them, or whether they are even."""
    X, labels = (np.asarray(a) for a in dataset("digits", seed=seed).arrays())
    chosen, k = PICTURES[name]
    rows = np.isin(labels, chosen)
    y = (labels[rows] % 2) if k == 2 else np.searchsorted(chosen, labels[rows])
    parts = _split(X[rows].reshape(-1, 1, 8, 8) / 16, y, seed)
    return Problem(name, Rows(*_with_columns(parts, k)), k)


def _numbers(name: str, seed: int) -> Problem:
    """Regressions: features and target standardised."""
    draws = np.random.default_rng([seed, 5])
    if name == "diabetes":
        X, y = (np.asarray(a, float) for a in dataset("diabetes").arrays())
    else:
        X = draws.uniform(-2, 2, (520, {"sine": 1, "waves": 2, "friedman": 5, "bends": 8}[name]))
        y = REGRESSIONS[name](X) + 0.1 * draws.standard_normal(len(X))
    X, y, X_test, y_test = _split(X, y[:, None], seed)
    centre, spread = y.mean(axis=0), y.std(axis=0)
    return Problem(name, _standardised(X, (y - centre) / spread, X_test, (y_test - centre) / spread), 0)


REGRESSIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "sine": lambda X: np.sin(2 * X[:, 0]),
    "waves": lambda X: np.sin(X[:, 0]) * X[:, 1],
    "friedman": lambda X: np.sin(X[:, 0] * X[:, 1]) + X[:, 2] ** 2 / 2 + X[:, 3] / 2,
    "bends": lambda X: np.abs(X[:, 0]) + X[:, 1] - np.maximum(X[:, 2], 0),
}
CLASSES = {
    "flower": 2, "moons": 2, "circles": 2, "xor": 2, "blobs": 3, "spiral": 3, "iris": 3, "wine": 3, "breast_cancer": 2,
    "digits": 10,
}  # fmt: skip
NUMBERS = ("diabetes", *REGRESSIONS)
PICTURES: dict[str, tuple[tuple[int, ...], int]] = {
    "pictures": (tuple(range(10)), 10), "pictures of 0 to 4": ((0, 1, 2, 3, 4), 5), "pictures of 5 to 9": ((5, 6, 7, 8, 9), 5),
    "pictures of 2, 4, 8": ((2, 4, 8), 3), "even and odd": (tuple(range(10)), 2),
}  # fmt: skip
"""Which digits, and how many classes."""
DATA = (*CLASSES, *PICTURES, *NUMBERS)


@cache
def problem(name: str, seed: int) -> Problem:
    """A data set; the seed draws its points or its split."""
    if name in PICTURES:
        return _pictures(name, seed)
    return _classes(name, seed, CLASSES[name]) if name in CLASSES else _numbers(name, seed)


@dataclass(frozen=True)
class Recipe:
    """A training in parts, so that one part can be changed.

    Attributes
    ----------
    rows, classes : the data; classes is 0 for a regression
    hidden, head : the layers and the output layer
    settings : keyword arguments of `gn.train`
    written : what a user writes first and glassnet refuses
    reach : rows that are passed for validation, unless the recipe's own held-out rows
    """

    rows: Rows
    classes: int
    hidden: tuple[Any, ...]
    head: Any
    settings: dict[str, Any] = field(default_factory=dict)
    written: dict[str, Any] | None = None

    def network(self, head: Any = None) -> gn.Network:
        shape = self.rows.X.shape[1:]
        return gn.Network(shape if len(shape) == 3 else int(np.prod(shape)), *self.hidden, head or self.head)

    def set(self, **settings: Any) -> Recipe:
        """With some arguments of `gn.train` replaced."""
        return replace(self, settings={**self.settings, **settings})

    def layers(self, change: Callable[[Any], Any], head: bool = False) -> Recipe:
        """With every layer that has weights changed."""
        weighted = (gn.Dense, gn.Conv2D)
        hidden = tuple(change(layer) if isinstance(layer, weighted) else layer for layer in self.hidden)
        return replace(self, hidden=hidden, head=change(self.head) if head else self.head)


def head_of(made: Problem) -> gn.Dense:
    if made.classes == 0:
        return gn.Dense(1)
    return gn.Dense(1, "sigmoid") if made.classes == 2 else gn.Dense(made.classes, "softmax")


@cache
def linear_score(name: str, seed: int) -> float:
    """What a linear or logistic regression reaches on the held-out rows: a healthy network is not clearly below it."""
    from sklearn.linear_model import LogisticRegression, Ridge

    made = problem(name, seed)
    rows = made.rows
    X, X_test = rows.X.reshape(len(rows.X), -1), rows.X_test.reshape(len(rows.X_test), -1)
    if made.classes == 0:
        return float(Ridge(1.0).fit(X, rows.Y[:, 0]).score(X_test, rows.Y_test[:, 0]))
    labels = rows.Y_test.argmax(axis=1) if made.classes > 2 else rows.Y_test[:, 0].astype(int)
    return float(LogisticRegression(max_iter=500).fit(X, rows.classes).score(X_test, labels))


@cache
def outside_score(name: str, seed: int) -> float:
    """What scikit-learn's network of 64 units reaches on the held-out rows; of numbers, where it does not fit, a line."""
    from sklearn.neural_network import MLPClassifier

    made = problem(name, seed)
    rows = made.rows
    if made.classes == 0:
        return linear_score(name, seed)
    X, X_test = rows.X.reshape(len(rows.X), -1), rows.X_test.reshape(len(rows.X_test), -1)
    labels = rows.Y_test.argmax(axis=1) if made.classes > 2 else rows.Y_test[:, 0].astype(int)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it could go on
        fits = [MLPClassifier((64,), max_iter=300, random_state=s).fit(X, rows.classes) for s in range(3)]
    return float(np.mean([fit.score(X_test, labels) for fit in fits]))


VARIANTS = 5


def base(name: str, seed: int) -> Recipe:
    """A healthy training on a data set; the seed chooses among five kinds of network and optimiser."""
    made = problem(name, seed)
    if made.pictures:
        return _picture_base(made, seed)
    dense = gn.Dense
    hidden, optimizer, batch, epochs = (
        ((dense(32, "relu"), dense(32, "relu")), gn.Adam(0.01), 32, 60),
        ((dense(32, "tanh"), dense(16, "tanh")), gn.Adam(0.01), 64, 90),
        ((dense(40, "relu"), dense(24, "elu")), gn.SGD(0.05, 0.9), 32, 80),
        ((dense(32, "relu"), dense(32, "relu"), dense(32, "relu")), gn.Adam(0.005), 16, 60),
        ((dense(48, "tanh"), dense(48, "relu")), gn.RMSprop(0.004), 32, 70),
    )[seed % VARIANTS]
    settings = {"optimizer": optimizer, "batch_size": batch, "epochs": epochs, "seed": seed}
    if name == "diabetes":  # 287 noisy rows: more training only learns their noise
        hidden, settings = (dense(8, "relu"),), {**settings, "epochs": 20, "l2": 1e-3}
    return Recipe(made.rows, made.classes, hidden, head_of(made), settings)


def _picture_base(made: Problem, seed: int) -> Recipe:
    filters = (8, 12, 6, 8, 10)[seed % VARIANTS]
    hidden: tuple[Any, ...] = (gn.Conv2D(filters, 3, "relu"), gn.MaxPool2D(2), gn.Flatten())
    if seed % 2:
        hidden = (*hidden, gn.Dense(32, "relu"))
    optimizer = (gn.Adam(0.01), gn.Adam(0.005), gn.SGD(0.03, 0.9), gn.Adam(0.005), gn.RMSprop(0.003))[seed % VARIANTS]
    settings = {"optimizer": optimizer, "batch_size": 32, "epochs": 25, "seed": seed}
    return Recipe(made.rows, made.classes, hidden, head_of(made), settings)
