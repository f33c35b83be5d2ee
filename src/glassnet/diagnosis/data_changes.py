"""Further changes of the data: what is missing filled in, held-out rows on the training rows' scale, targets encoded anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from glassnet.diagnosis.changes import Arrays, Fitted


@dataclass(frozen=True)
class FillIn:
    """Features that are not finite become the median of their column's finite values in the training rows.

    A column without any finite value becomes 0.
    """

    @property
    def said(self) -> str:
        return "fill what is missing with the training median"

    def python(self) -> list[str]:
        return [
            "X, X_test = np.where(np.isfinite(X), X, np.nan), np.where(np.isfinite(X_test), X_test, np.nan)",
            "median = np.nan_to_num(np.nanmedian(X, axis=0))",
            "X, X_test = np.where(np.isnan(X), median, X), np.where(np.isnan(X_test), median, X_test)",
        ]

    def fitted(self, X: np.ndarray, Y: np.ndarray) -> Fitted:
        whole = np.isfinite(X)
        columns = np.where(whole, X, np.nan).reshape(len(X), -1)
        known = whole.reshape(len(X), -1).any(axis=0)
        median = np.zeros(columns.shape[1])
        if known.any():
            median[known] = np.nanmedian(columns[:, known], axis=0)
        return _Filled(median.reshape(X.shape[1:]))


@dataclass(frozen=True)
class _Filled:
    median: np.ndarray

    def training(self, X: np.ndarray, Y: np.ndarray) -> Arrays:
        return np.where(np.isfinite(X), X, self.median).astype(X.dtype if X.dtype.kind == "f" else np.float64), Y

    others = training


@dataclass(frozen=True)
class RescaleHeldOut:
    """Training rows standardised by their own mean and deviation, and held-out rows by the held-out rows' own.

    A way to see whether only the scale differs. It needs many held-out rows at once; in use, both are to be scaled with the
    training rows' numbers, from the same raw units.
    """

    @property
    def said(self) -> str:
        return "standardise training and held-out rows, each by their own mean and deviation"

    def python(self) -> list[str]:
        return [
            "axes = (0, *range(2, X.ndim))  # of pictures, one mean a channel",
            "def standardised(x):",
            "    deviation = x.std(axis=axes, keepdims=True)",
            "    return (x - x.mean(axis=axes, keepdims=True)) / np.where(deviation > 0, deviation, 1.0)",
            "X, X_test = standardised(X), standardised(X_test)  # better: the same scaling of the same raw units",
        ]

    def fitted(self, X: np.ndarray, Y: np.ndarray) -> Fitted:
        return self

    def training(self, X: np.ndarray, Y: np.ndarray) -> Arrays:
        axes = (0, *range(2, X.ndim))
        values = np.asarray(X, dtype=np.float64)
        deviation = values.std(axis=axes, keepdims=True)
        changed = (values - values.mean(axis=axes, keepdims=True)) / np.where(deviation > 0, deviation, 1.0)
        return changed.astype(X.dtype if X.dtype.kind == "f" else np.float64), Y

    others = training


@dataclass(frozen=True)
class SignTarget:
    """Two labels as −1 and 1, as the hinge needs them: the larger one is 1."""

    border: float

    @property
    def said(self) -> str:
        return "the two labels → −1 and 1"

    def python(self) -> list[str]:
        return [f"Y, Y_test = (np.where(y > {self.border!r}, 1.0, -1.0) for y in (Y, Y_test))"]

    def fitted(self, X: np.ndarray, Y: np.ndarray) -> Fitted:
        return self

    def training(self, X: np.ndarray, Y: np.ndarray) -> Arrays:
        return X, np.where(np.asarray(Y) > self.border, 1.0, -1.0)

    others = training


@dataclass(frozen=True)
class OneHotTarget:
    """One column of labels as one column a class, 1 where the row belongs to it. The network's outputs change with it."""

    values: tuple[Any, ...]

    @property
    def said(self) -> str:
        return f"one column of labels → {len(self.values)} columns, one a class"

    def python(self) -> list[str]:
        return [
            f"labels = np.array({list(self.values)})",
            "Y, Y_test = ((y.reshape(-1, 1) == labels).astype(np.float64) for y in (Y, Y_test))",
        ]

    def fitted(self, X: np.ndarray, Y: np.ndarray) -> Fitted:
        return self

    def training(self, X: np.ndarray, Y: np.ndarray) -> Arrays:
        return X, (np.asarray(Y).reshape(-1, 1) == np.asarray(self.values)).astype(np.float64)

    others = training


@dataclass(frozen=True)
class Flattened:
    """Pictures as rows of all their numbers."""

    @property
    def said(self) -> str:
        return "pictures as rows of numbers"

    def python(self) -> list[str]:
        return ["X, X_test = (x.reshape(len(x), -1) for x in (X, X_test))"]

    def fitted(self, X: np.ndarray, Y: np.ndarray) -> Fitted:
        return self

    def training(self, X: np.ndarray, Y: np.ndarray) -> Arrays:
        return X.reshape(len(X), -1), Y

    others = training


@dataclass(frozen=True)
class ChannelsFirst:
    """Pictures (m, height, width, channels) as (m, channels, height, width)."""

    @property
    def said(self) -> str:
        return "channels before height and width"

    def python(self) -> list[str]:
        return ["X, X_test = (np.moveaxis(x, -1, 1) for x in (X, X_test))"]

    def fitted(self, X: np.ndarray, Y: np.ndarray) -> Fitted:
        return self

    def training(self, X: np.ndarray, Y: np.ndarray) -> Arrays:
        return np.moveaxis(X, -1, 1), Y

    others = training
