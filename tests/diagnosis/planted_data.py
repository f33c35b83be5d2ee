"""Small data that networks learn, with and without held-out rows, in which the tests of the data checks plant faults."""

from __future__ import annotations

from typing import Any

import numpy as np

import glassnet as gn
from glassnet.diagnosis.case import Case
from glassnet.diagnosis.findings import Finding

Part = tuple[np.ndarray, np.ndarray]
QUIET = 0.2
"""A healthy case may have notes up to this confidence."""


def rings(rows: int = 300, seed: int = 0) -> Part:
    """Two rings with a little noise: features about 1 in size, labels 0 and 1."""
    draws = np.random.default_rng(seed)
    label = draws.integers(0, 2, rows)
    angle, radius = (
        draws.uniform(0, 2 * np.pi, rows),
        np.where(label == 1, 0.6, 1.4) + 0.12 * draws.standard_normal(rows),
    )
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), label[:, None].astype(float)


def clouds(rows: int = 300, seed: int = 0) -> Part:
    """Three overlapping clouds (about 85 % can be told apart), one-hot labels."""
    draws = np.random.default_rng(seed)
    label = draws.integers(0, 3, rows)
    centre = np.array([[0.0, 1.1], [-1.0, -0.6], [1.0, -0.6]])
    return centre[label] + 0.62 * draws.standard_normal((rows, 2)), np.eye(3)[label]


def slope(rows: int = 200, seed: int = 0) -> Part:
    """A regression on three features, the target about 1 in size."""
    draws = np.random.default_rng(seed)
    X = draws.standard_normal((rows, 3))
    return X, (np.sin(X[:, :1]) + 0.5 * X[:, 1:2] + 0.1 * draws.standard_normal((rows, 1)))


def of(X: np.ndarray, Y: np.ndarray, held: Part | None = None, **settings: Any) -> Case:
    """A healthy network for these arrays as a case."""
    outputs = 1 if Y.ndim == 1 else Y.shape[1]
    inside = Y[np.isfinite(Y)] if Y.dtype.kind == "f" else Y
    few = len(np.unique(inside)) <= 2
    head, loss = ("softmax", "categorical_cross_entropy") if outputs > 1 else ("sigmoid", "binary_cross_entropy")
    if not few:
        head, loss = "linear", "mean_squared_error"
    flat = [gn.Flatten()] if X.ndim == 4 else []
    network = gn.Network(
        X.shape[1:] if X.ndim == 4 else X.shape[1], *flat, gn.Dense(8, "tanh"), gn.Dense(outputs, head)
    )
    return Case.asked(network, X, Y, validation=held, **{"loss": loss, "epochs": 5, "batch_size": 16, **settings})


def found(findings: list[Finding], kind: str) -> Finding:
    """The finding of a kind, which must be there once."""
    (one,) = [f for f in findings if f.kind == kind]
    return one


def value(finding: Finding, name: str) -> float:
    """One of its measured numbers."""
    (one,) = [m for m in finding.measured if m.name == name]
    return float(one.value)


def loud(findings: list[Finding]) -> list[str]:
    """Kinds above what a healthy case may have."""
    return [f.kind for f in findings if f.confidence > QUIET]
