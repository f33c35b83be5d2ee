"""Changes of a training: what a cure does, said as a diff and as Python, and applied.

A change replaces keyword arguments of `gn.train`, changes the data first (learning from the training rows only), or both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

Arrays = tuple[np.ndarray, np.ndarray]


class Fitted(Protocol):
    """A change of data that has seen the training rows."""

    def training(self, X: np.ndarray, Y: np.ndarray) -> Arrays:
        """The training rows changed; rows may be left out."""
        ...

    def others(self, X: np.ndarray, Y: np.ndarray) -> Arrays:
        """Held-out rows changed alike; none are left out."""
        ...


class DataChange(Protocol):
    """Something done to the data before training."""

    @property
    def said(self) -> str:
        """In words: "standardise the features"."""
        ...

    def python(self) -> list[str]:
        """The lines of NumPy that do it to X and Y (and X_test, Y_test)."""
        ...

    def fitted(self, X: np.ndarray, Y: np.ndarray) -> Fitted:
        """Learn what it needs from the training rows."""
        ...


@dataclass(frozen=True)
class Change:
    """A concrete change of a training.

    Attributes
    ----------
    said : in words, as a diff: "learning_rate 10 → 0.1"
    settings : keyword arguments of `gn.train` that replace the present ones ("network", "loss", "optimizer", ...)
    data : what is done to the data first, in order
    """

    said: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    data: tuple[DataChange, ...] = ()

    def and_then(self, other: Change) -> Change:
        """Both; the other's settings win where they meet."""
        return Change(f"{self.said}; {other.said}", {**self.settings, **other.settings}, (*self.data, *other.data))


@dataclass(frozen=True)
class Standardise:
    """(x − mean) / deviation, column by column, both of the training rows; a constant column is only brought to at most 1.

    `columns` are the features it is done to, all unless given. With `apart`, held-out rows are taken as already changed.
    """

    columns: tuple[int, ...] | None = None

    @property
    def said(self) -> str:
        return "standardise the features" if self.columns is None else f"standardise features {list(self.columns)}"

    def python(self) -> list[str]:
        columns = "np.arange(X.shape[1])" if self.columns is None else f"np.array({list(self.columns)})"
        return [
            f"columns, axes = {columns}, (0, *range(2, X.ndim))  # of pictures, one mean a channel",
            "picked = X[:, columns].astype(np.float64)",
            "mean, deviation = picked.mean(axis=axes, keepdims=True), picked.std(axis=axes, keepdims=True)",
            "deviation = np.where(deviation > 0, deviation, 1.0)",
            "X, X_test = np.array(X, dtype=np.float64), np.array(X_test, dtype=np.float64)",
            "for x in (X, X_test):",
            "    x[:, columns] = (x[:, columns] - mean) / deviation",
        ]

    def fitted(self, X: np.ndarray, Y: np.ndarray) -> Fitted:
        columns = np.arange(X.shape[1]) if self.columns is None else np.asarray(self.columns)
        picked = X[:, columns].astype(np.float64)
        if X.ndim == 4:  # of pictures, one mean and deviation a channel
            mean, deviation = (
                picked.mean(axis=(0, 2, 3), keepdims=True)[0],
                picked.std(axis=(0, 2, 3), keepdims=True)[0],
            )
        else:
            mean, deviation = picked.mean(axis=0), picked.std(axis=0)
        varies = deviation > 0
        # A column of ones is a network's bias, where it has no other.
        return _Scaled(columns, np.where(varies, mean, 0.0), np.where(varies, deviation, np.maximum(1.0, np.abs(mean))))


@dataclass(frozen=True)
class _Scaled:
    columns: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray

    def training(self, X: np.ndarray, Y: np.ndarray) -> Arrays:
        changed = np.array(X, dtype=np.float64)
        changed[:, self.columns] = (changed[:, self.columns] - self.mean) / self.deviation
        return changed.astype(X.dtype if X.dtype.kind == "f" else np.float64), Y

    others = training


@dataclass(frozen=True)
class DropFeatures:
    """Leave columns out. The network's input shape is to be changed with it."""

    columns: tuple[int, ...]

    @property
    def said(self) -> str:
        return f"leave out feature{'s' if len(self.columns) > 1 else ''} {', '.join(map(str, self.columns))}"

    def python(self) -> list[str]:
        return [f"X, X_test = (np.delete(x, {list(self.columns)}, axis=1) for x in (X, X_test))"]

    def fitted(self, X: np.ndarray, Y: np.ndarray) -> Fitted:
        return self

    def training(self, X: np.ndarray, Y: np.ndarray) -> Arrays:
        return np.delete(X, self.columns, axis=1), Y

    others = training


@dataclass(frozen=True)
class StandardiseTarget:
    """(y − mean) / deviation of a regression target; predictions are then in these units."""

    @property
    def said(self) -> str:
        return "standardise the target"

    def python(self) -> list[str]:
        return [
            "centre, spread = Y.mean(axis=0), Y.std(axis=0)  # a prediction a is a * spread + centre in the old units",
            "spread = np.where(spread > 0, spread, 1.0)",
            "Y, Y_test = (Y - centre) / spread, (Y_test - centre) / spread",
        ]

    def fitted(self, X: np.ndarray, Y: np.ndarray) -> Fitted:
        deviation = Y.std(axis=0)
        return _ScaledTarget(Y.mean(axis=0), np.where(deviation > 0, deviation, 1.0))


@dataclass(frozen=True)
class _ScaledTarget:
    mean: np.ndarray
    deviation: np.ndarray

    def training(self, X: np.ndarray, Y: np.ndarray) -> Arrays:
        return X, (Y - self.mean) / self.deviation

    others = training

    def back(self, A: np.ndarray) -> np.ndarray:
        """Predictions in the target's own units."""
        return np.asarray(A * self.deviation + self.mean)


@dataclass(frozen=True)
class DropRows:
    """Leave training rows out: those with missing values (rows=None), or the ones listed."""

    rows: tuple[int, ...] | None = None

    @property
    def said(self) -> str:
        return (
            "leave out rows with values that are not finite"
            if self.rows is None
            else f"leave out {len(self.rows)} rows"
        )

    def python(self) -> list[str]:
        if self.rows is None:
            return [
                "whole = [np.isfinite(x.reshape(len(x), -1)).all(axis=1) for x in (X, Y)]",
                "X, Y = (x[whole[0] & whole[1]] for x in (X, Y))",
            ]
        return [f"X, Y = (np.delete(x, {list(self.rows)}, axis=0) for x in (X, Y))"]

    def fitted(self, X: np.ndarray, Y: np.ndarray) -> Fitted:
        return self

    def training(self, X: np.ndarray, Y: np.ndarray) -> Arrays:
        if self.rows is not None:
            return np.delete(X, self.rows, axis=0), np.delete(Y, self.rows, axis=0)
        whole = np.isfinite(X.reshape(len(X), -1)).all(axis=1) & np.isfinite(Y.reshape(len(Y), -1)).all(axis=1)
        return X[whole], Y[whole]

    def others(self, X: np.ndarray, Y: np.ndarray) -> Arrays:
        return X, Y


@dataclass(frozen=True)
class Balanced:
    """Each row weighs what makes all classes count alike: m / (k · rows of its class)."""

    @property
    def said(self) -> str:
        return "weight the rows so that all classes count alike"

    def python(self) -> list[str]:
        return [
            "_, label, count = np.unique(Y.reshape(len(Y), -1), axis=0, return_inverse=True, return_counts=True)",
            "sample_weight = len(Y) / (len(count) * count[label.reshape(-1)])",
        ]

    def weights(self, Y: np.ndarray) -> np.ndarray:
        """The weights of training rows with these targets."""
        _, label, count = np.unique(Y.reshape(len(Y), -1), axis=0, return_inverse=True, return_counts=True)
        return np.asarray(len(Y) / (len(count) * count[label.reshape(-1)]))

    def fitted(self, X: np.ndarray, Y: np.ndarray) -> Fitted:
        return self

    def training(self, X: np.ndarray, Y: np.ndarray) -> Arrays:
        return X, Y

    others = training


@dataclass(frozen=True)
class RescaleTarget:
    """Labels mapped to 0 … k−1: what was divided by a number, or counts from 1."""

    values: tuple[float, ...]

    @property
    def said(self) -> str:
        return f"labels {', '.join(f'{v:g}' for v in self.values[:4])}{' …' if len(self.values) > 4 else ''} → 0, 1, …"

    def python(self) -> list[str]:
        return [
            f"labels = np.array({list(self.values)})",
            "Y, Y_test = (np.abs(y[..., None] - labels).argmin(axis=-1).astype(np.float64) for y in (Y, Y_test))",
        ]

    def fitted(self, X: np.ndarray, Y: np.ndarray) -> Fitted:
        return self

    def training(self, X: np.ndarray, Y: np.ndarray) -> Arrays:
        return X, np.abs(np.asarray(Y)[..., None] - np.asarray(self.values)).argmin(axis=-1).astype(np.float64)

    others = training
