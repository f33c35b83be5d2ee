"""Faults of the data: how each kind is planted in a healthy training."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import glassnet as gn
from benchmarks.diagnosis.published_data import Rows
from benchmarks.diagnosis.recipes import CLASSES, NUMBERS, PICTURES, Recipe

FLAT = ("moons", "iris", "diabetes", "digits", "breast_cancer", "wine")
LABELLED = ("moons", "circles", "iris", "digits", "breast_cancer", "pictures")


def _draws(seed: int, word: int) -> np.random.Generator:
    return np.random.default_rng([seed, 99, word])


def _features(change: Any) -> Any:
    """A fault that changes the features of all rows alike."""
    return lambda r, seed: replace(r, rows=r.rows.both(lambda X: change(X, seed)))


def _one_large(X: np.ndarray, seed: int) -> np.ndarray:
    factors = np.ones(X.shape[1])
    factors[seed % X.shape[1]] = (1e4, 1e5, 3e3)[seed % 3]
    return X * factors


def _constant(X: np.ndarray, seed: int) -> np.ndarray:
    """All features, or all but the last."""
    X = X.copy()
    X[:, : X.shape[1] - (seed % 2)] = 1.0
    return X


def _column(rows: Rows, train: np.ndarray, test: np.ndarray) -> Rows:
    return replace(rows, X=np.column_stack([rows.X, train]), X_test=np.column_stack([rows.X_test, test]))


def _target(Y: np.ndarray) -> np.ndarray:
    return Y.argmax(axis=1).astype(float) if Y.shape[1] > 1 else Y[:, 0]


def _leaked(r: Recipe, seed: int) -> Recipe:
    test = _target(r.rows.Y_test)
    return replace(r, rows=_column(r.rows, _target(r.rows.Y), _draws(seed, 1).permutation(test)))


def _numbered(r: Recipe, seed: int) -> Recipe:
    count = len(r.rows.X)
    return replace(r, rows=_column(r.rows, np.arange(count), count + np.arange(len(r.rows.X_test))))


def _missing(r: Recipe, seed: int) -> Recipe:
    X = r.rows.X.copy()
    rows = _draws(seed, 2).integers(0, len(X), 1 + seed)
    X[rows, 0] = (np.nan, np.inf)[seed % 2]
    return replace(r, rows=replace(r.rows, X=X))


def _misshapen(r: Recipe, seed: int) -> Recipe:
    """A row of Y too few, or X transposed."""
    rows = replace(r.rows, Y=r.rows.Y[:-1]) if seed % 2 else replace(r.rows, X=r.rows.X.swapaxes(0, 1))
    return replace(r, rows=rows, written={})


def _labels(change: Any) -> Any:
    return lambda r, seed: replace(r, rows=replace(r.rows, Y=change(r.rows.Y, seed)))


def _noise(Y: np.ndarray, seed: int) -> np.ndarray:
    """Other targets for nearly half of the rows."""
    draws, Y = _draws(seed, 3), Y.copy()
    wrong = draws.permutation(len(Y))[: round((0.38, 0.42)[seed % 2] * len(Y))]
    Y[wrong] = 1 - Y[wrong] if Y.shape[1] == 1 else np.roll(Y[wrong], 1, axis=1)
    return Y


def _rare(r: Recipe, seed: int) -> Recipe:
    """Every class but one keeps a fiftieth of its rows."""
    labels = r.rows.classes
    kept = [np.flatnonzero(labels == c) for c in np.unique(labels)]
    common = seed % len(kept)
    chosen = [rows if i == common else rows[: max(1, len(rows) // 50)] for i, rows in enumerate(kept)]
    return replace(r, rows=r.rows.only(np.sort(np.concatenate(chosen))))


def _sorted(r: Recipe, seed: int) -> Recipe:
    return replace(r, rows=r.rows.only(np.argsort(_target(r.rows.Y), kind="stable"))).set(shuffle=False)


def _shifted(r: Recipe, seed: int) -> Recipe:
    return replace(r, rows=replace(r.rows, X_test=r.rows.X_test * (8, 0.05)[seed % 2] + (5.0, 1.5)[seed % 2]))


def _overlap(r: Recipe, seed: int) -> Recipe:
    return replace(r, rows=replace(r.rows, X_test=r.rows.X[:100], Y_test=r.rows.Y[:100]))


def _repeated(r: Recipe, seed: int) -> Recipe:
    """A few rows, again and again."""
    few = 8 + 2 * (seed % 3)
    return replace(r, rows=r.rows.only(np.arange(len(r.rows.X)) % few))


def _scaled_target(r: Recipe, seed: int) -> Recipe:
    factor, offset = ((1000.0, 5000.0), (1e5, 0.0), (300.0, 2000.0))[seed % 3]
    return replace(r, rows=replace(r.rows, Y=r.rows.Y * factor + offset, Y_test=r.rows.Y_test * factor + offset))


def _encoded(r: Recipe, seed: int) -> Recipe:
    """Labels divided by 255, or counted from 1: held-out rows too, as a program would."""
    if r.classes == 2:
        by = (255.0, 100.0)[seed % 2]
        return replace(r, rows=replace(r.rows, Y=r.rows.Y / by, Y_test=r.rows.Y_test))
    if seed % 2:
        return replace(r, rows=replace(r.rows, Y=r.rows.Y.argmax(axis=1)[:, None] / 255.0), written={})
    rows = replace(r.rows, Y=(1 + r.rows.Y.argmax(axis=1)), Y_test=(1 + r.rows.Y_test.argmax(axis=1)))
    return replace(r, rows=rows, written={})


FAULTS: dict[str, Any] = {
    "data.unscaled_features": (_features(lambda X, s: X * (1e4, 1000.0, 300.0)[s % 3] + (0.0, 5000.0, 1e4)[s % 3]), LABELLED),
    "data.mixed_scales": (_features(_one_large), FLAT),
    "data.double_scaling": (_features(lambda X, s: X * (1e-4, 1e-5)[s % 2]), (*FLAT, "pictures")),
    "data.constant_feature": (_features(_constant), FLAT),
    "data.duplicate_feature": (_features(lambda X, s: np.concatenate([X, X], axis=1)), FLAT),
    "data.id_like_feature": (_numbered, FLAT),
    "data.leaking_feature": (_leaked, FLAT),
    "data.nan": (_missing, (*FLAT, "pictures")),
    "data.dtype_shape": (_misshapen, (*FLAT, "pictures")),
    "data.labels_shuffled": (_labels(lambda Y, s: Y[_draws(s, 4).permutation(len(Y))]), (*FLAT, "pictures")),
    "data.label_noise": (_labels(_noise), LABELLED),
    "data.label_encoding": (_encoded, LABELLED),
    "data.single_class": (lambda r, s: replace(r, rows=r.rows.only(np.flatnonzero(r.rows.classes == s % 2))), LABELLED),
    "data.class_imbalance": (_rare, LABELLED),
    "data.unshuffled": (_sorted, (*FLAT, "pictures")),
    "data.train_test_mismatch": (_shifted, (*FLAT, "pictures")),
    "data.train_test_overlap": (_overlap, FLAT),
    "data.duplicate_rows": (_repeated, FLAT),
    "data.too_few_samples": (lambda r, s: replace(r, rows=r.rows.only(np.arange(6 + 2 * (s % 3)))), FLAT),
    "data.no_signal": (
        lambda r, s: replace(r, rows=r.rows.both(lambda X: _draws(s, len(X)).standard_normal(X.shape))),
        FLAT,
    ),
    "data.target_scale": (_scaled_target, NUMBERS),
    "data.augmentation_too_strong": (
        lambda r, s: r.set(augmentation=gn.Augmentation(shift=3, flip="both", rotate=180, noise=(1.5, 3.0)[s % 2])),
        tuple(PICTURES),
    ),
}  # fmt: skip
"""Each kind: how it is planted, and in which data sets."""
BEFORE: dict[str, Any] = {
    "data.unshuffled": lambda r, s: r.set(optimizer=gn.SGD((0.1, 0.2)[s % 2]), batch_size=8, epochs=25),
}
"""What of the base is settled first: with few steps in batches of few rows their order matters."""
ALSO: dict[str, tuple[str, ...]] = {
    "data.duplicate_rows": ("data.too_few_samples",),
    "data.too_few_samples": ("reg.missing",),
    "data.no_signal": ("data.labels_shuffled",),
    "data.labels_shuffled": ("data.no_signal",),
}
"""What cannot be told apart from the numbers alone, or is the same cause by another name."""
assert set(FLAT) <= {*CLASSES, *NUMBERS}
