"""The metric beside the cost: accuracy for classes, R² for numbers; computed chunk by chunk."""

from __future__ import annotations

import numpy as np

from glassnet.engines.base import Engine, State
from glassnet.equations.functions import FunctionKind
from glassnet.equations.losses import Loss
from glassnet.training.arrays import MEASURED_AT_ONCE, Samples


def metric_name(loss: Loss, output: FunctionKind, Y: np.ndarray) -> str:
    """Which metric fits: "accuracy" when the targets are classes, "r2" otherwise."""
    if loss.name in ("categorical_cross_entropy", "hinge", "perceptron"):
        return "accuracy"
    classes = output.name in ("sigmoid", "softmax") and bool(np.isin(Y, (0.0, 1.0)).all())
    return "accuracy" if classes else "r2"


def exclusive(Y: np.ndarray) -> bool:
    """Whether every row has exactly one 1 among several outputs."""
    return Y.shape[1] > 1 and bool(np.isin(Y, (0.0, 1.0)).all()) and bool((Y.sum(axis=1) == 1).all())


def _right(Y: np.ndarray, A: np.ndarray, loss: Loss, one_of_many: bool) -> np.ndarray:
    if loss.name == "hinge":
        if one_of_many:
            return np.asarray(A.argmax(axis=1) == Y.argmax(axis=1))
        return np.asarray(((A > 0) == (Y > 0)).all(axis=1))
    if one_of_many:
        return np.asarray(A.argmax(axis=1) == Y.argmax(axis=1))
    return np.asarray(((A >= 0.5) == (Y >= 0.5)).all(axis=1))


class Measure:
    """Cost and metric of a state on samples, by one definition for training and held-out data."""

    def __init__(self, engine: Engine, loss: Loss, output: FunctionKind, training: Samples) -> None:
        self.engine = engine
        self.loss = loss
        self.outputs = int(training.Y.shape[1])
        self.metric = metric_name(loss, output, training.Y)
        one_hot = (training.Y > 0).sum(axis=1) == 1 if training.Y.shape[1] > 1 else np.zeros(1, dtype=bool)
        self.one_of_many = loss.name == "categorical_cross_entropy" or bool(one_hot.all())

    @property
    def kind(self) -> tuple[int, int]:
        """How compiled code counts: 0 by the largest output, 1 by ½, 2 by the sign, 3 squared errors; and how many sums."""
        if self.metric == "r2":
            return 3, self.outputs
        if self.one_of_many:
            return 0, 1
        return (2 if self.loss.name == "hinge" else 1), 1

    def spread(self, samples: Samples) -> np.ndarray | None:
        """Each output's mean squared distance from its mean, which R² compares the errors with; None for accuracy."""
        if self.metric == "accuracy":
            return None
        Y = samples.Y.astype(np.float64, copy=False)
        w = np.ones((len(Y), 1)) if samples.w is None else samples.w.astype(np.float64, copy=False)
        return np.asarray((w * Y * Y).sum(axis=0) / w.sum() - ((w * Y).sum(axis=0) / w.sum()) ** 2)

    def score(self, sums: np.ndarray, spread: np.ndarray | None) -> np.ndarray:
        """The metric of each row of hits or squared errors (…, sums), both divided by the weight of the samples."""
        if spread is None:
            return np.asarray(sums[..., 0])
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.where(spread > 0, 1.0 - sums / spread, np.nan).mean(axis=-1))

    def __call__(self, state: State, samples: Samples) -> tuple[float, float]:
        """(cost without penalty, metric)."""
        cost = weight = right = 0.0
        squares: np.ndarray | float = 0.0
        sums: np.ndarray | float = 0.0
        total_squares: np.ndarray | float = 0.0
        for part in samples.chunks(min(MEASURED_AT_ONCE, self.engine.rows_at_once)):
            value, count, A = self.engine.cost(state, part.X, part.Y, part.w)
            cost += value * count
            weight += count
            w = part.w if part.w is not None else 1.0
            if self.metric == "accuracy":
                hits = _right(part.Y, A, self.loss, self.one_of_many)
                right += float((hits[:, None] * w).sum())
            else:
                squares = squares + (w * (part.Y - A) ** 2).sum(axis=0, dtype=np.float64)
                sums = sums + (w * part.Y).sum(axis=0, dtype=np.float64)
                total_squares = total_squares + (w * part.Y * part.Y).sum(axis=0, dtype=np.float64)
        if self.metric == "accuracy":
            return cost / weight, right / weight
        spread = np.asarray(total_squares - np.asarray(sums) ** 2 / weight)
        with np.errstate(divide="ignore", invalid="ignore"):
            scores = np.where(spread > 0, 1.0 - np.asarray(squares) / spread, np.nan)
        return cost / weight, float(scores.mean())
