"""Yardsticks: what a training is compared with before anybody calls it a failure.

    guessing   the most frequent class, or the mean: it looks at no feature
    linear     one layer on standardised features, to its minimum
    small      a small network known to be healthy, on standardised features, trained beside it in a moment: beside a
               convolutional one, a convolutional one

A training falls short when it ends more than 5 points of accuracy (0.1 of R²) below the better of the last two, or no better
than guessing.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from glassnet.diagnosis.case import Case
from glassnet.diagnosis.changes import Standardise
from glassnet.diagnosis.findings import Verdict
from glassnet.equations.optimizers import LBFGS, Adam
from glassnet.equations.schedules import CosineDecay
from glassnet.errors import GlassnetError
from glassnet.layers import Conv2D, Dense, Flatten, MaxPool2D
from glassnet.network import Network
from glassnet.training.arrays import held_out_fraction
from glassnet.training.callbacks import EarlyStopping
from glassnet.training.run import Run

MARGIN = {"accuracy": 0.05, "r2": 0.1}
"""How far below the small network a training may end and still be said to learn."""
MOST_ROWS = 6_000
"""Training rows the yardsticks see at most."""
SEEDS = (101, 102, 103)
UPDATES = 1_500
"""Updates the small network has at least."""
MUCH = 3e9
"""Products of a weight and a row in a training of the small network from which on one seed is enough: a second or so."""
MOST = 2.4e10
"""Those from which on pictures are too many, or too large, for a convolutional network in a moment."""
FILTERS, FEWEST_EPOCHS = 16, 8
"""Of the small convolutional network."""
SLOWER = 2
"""How many products of a dense layer take as long as one of a convolution."""
FEWEST_TO_HOLD_OUT = 40
FEWEST_TO_STOP = 100
"""Rows from which on a regression's small network is stopped early; of fewer none can be spared."""
HELD_OUT = 0.25


@dataclass(frozen=True)
class Yardsticks:
    """Scores of the predictors that a training is compared with, on the same rows.

    Attributes
    ----------
    metric : "accuracy" or "r2"
    rows : "held-out" or "training", the rows that all are judged on
    count : how many rows
    guess, linear, small : scores; the small network's is the mean of `seeds` trainings
    recipe : the small network's training as a case, for those who want to run it
    seconds : what it took
    small_seconds, linear_seconds : of one training of the small network, and of the linear model
    """

    metric: str
    rows: str
    count: int
    guess: float
    linear: float
    small: float
    seeds: int
    recipe: Case
    seconds: float
    small_seconds: float
    linear_seconds: float

    @property
    def chance(self) -> float:
        """The score up to which a predictor is no better than guessing, two standard errors above it."""
        return self._above_guessing(2)

    @property
    def signal(self) -> bool:
        """Whether anything at all can be learnt: the better of two models is three standard errors above guessing."""
        return self.best > self._above_guessing(3)

    def _above_guessing(self, errors: float) -> float:
        """So many standard errors above guessing, and never more than halfway from there to a perfect score."""
        if self.metric == "r2":
            return 0.05
        share = min(max(self.guess, 1 / max(2, self.count)), 1 - 1 / max(2, self.count))
        return min(self.guess + errors * math.sqrt(share * (1 - share) / self.count), (1 + self.guess) / 2)

    @property
    def best(self) -> float:
        """The better of the small network and the linear model."""
        return max(self.small, self.linear)

    @property
    def needed(self) -> float:
        """The score that a training has to reach."""
        return self.best - self.margin if self.signal else self.chance

    @property
    def margin(self) -> float:
        """How far below a training may end: 5 points (0.1 of R²), or, on few rows, what two equally good ones may differ by.

        The difference of two shares of n rows has the standard error √(2 p (1 − p) / n); 1.65 of them are its 95 % bound.
        """
        if self.metric == "r2":
            return max(MARGIN["r2"], 1.1 / math.sqrt(self.count))
        share = min(max(self.best, 0.5), 1 - min(0.5, 2 / self.count))
        return max(MARGIN["accuracy"], 1.65 * math.sqrt(2 * share * (1 - share) / self.count))

    def beyond_chance(self, score: float) -> float:
        """What a rerun of a failing training with this score has to reach to be a cure and no luck.

        It has to learn, and to be half a margin better than it was; where nothing can be learnt, three standard errors above
        guessing and a whole margin better.
        """
        if self.signal:
            return max(self.needed, score + self.margin / 2)
        return max(self._above_guessing(3), score + MARGIN[self.metric])

    def verdict(self, score: float | None, tells_apart: bool = False) -> Verdict:
        """Whether a training with this score learns.

        `tells_apart` says that its probabilities are better than the classes' shares although its decisions are not: with a
        rare class that is learning too.
        """
        learns: bool | None = None
        if score is not None:
            above = score > self.chance or score >= 1 or tells_apart
            learns = above and (score >= self.needed or not self.signal)
        named = {"guessing": self.guess, "linear model": self.linear, "small network": self.small}
        return Verdict(learns, self.metric, self.rows, score, self.needed, named)


def tells_apart(case: Case, run: Run) -> bool:
    """Whether a run's probabilities beat the classes' shares: its cross-entropy is a twentieth below their entropy."""
    rows = case.held_samples or case.samples
    if rows is None or case.metric != "accuracy" or run.status == "diverged":
        return False
    A = np.clip(run.predict(rows.X), 1e-12, 1)
    if A.shape[1] == 1:
        A = np.hstack([1 - A, A]).clip(1e-12, 1)
    Y = np.hstack([1 - rows.Y, rows.Y]) if rows.Y.shape[1] == 1 else rows.Y
    if not np.isfinite(A).all() or (Y < 0).any():
        return False
    share = np.clip(Y.mean(axis=0), 1e-12, 1)
    entropy = -float((Y * np.log(share)).sum(axis=1).mean())
    return -float((Y * np.log(A)).sum(axis=1).mean()) < 0.95 * entropy


def with_held_out(case: Case) -> Case:
    """The case with rows held out to judge by: its own, or a quarter of its training rows; too few rows stay together."""
    if case.held_samples is not None or case.samples is None or len(case.samples) < FEWEST_TO_HOLD_OUT:
        return case
    return held_apart(case, HELD_OUT)


def held_apart(case: Case, fraction: float, seed: int = 0) -> Case:
    """The case with a fraction of its training rows held out, the same share of every class."""
    samples = case.samples
    if samples is None:
        return case
    one_label = samples.Y.shape[1] == 1 or case.exclusive
    rest, held = held_out_fraction(samples, fraction, seed, case.metric == "accuracy" and one_label)
    settings = dict(case.settings)
    if rest.w is not None:
        settings["sample_weight"] = rest.w[:, 0]
    return replace(case, X=rest.X, Y=rest.Y, held=(held.X, held.Y), settings=settings)


def small_pictures(inputs: tuple[int, ...], outputs: int, head: str) -> tuple[Network, float] | None:
    """The convolutional network known to be healthy, and how long a picture takes, in products of a dense layer's weights.

    None where pictures are too small for it.
    """
    channels, high, wide = inputs
    high, wide = high - 2, wide - 2
    if min(high, wide) < 4:
        return None
    layers = (Conv2D(FILTERS, 3, "relu"), MaxPool2D(2, leftover="drop"), Flatten(), Dense(outputs, head))
    products = SLOWER * FILTERS * (9 * channels * high * wide + (high // 2) * (wide // 2) * outputs)
    return Network(inputs, *layers), float(products)


def small_network(inputs: tuple[int, ...], outputs: int, head: str) -> Network:
    """The network known to be healthy on standardised inputs of this shape."""
    wide = math.prod(inputs) > 100
    hidden = (
        [Dense(64, "relu")]
        if wide
        else [Dense(16, "tanh"), Dense(16, "tanh")]
        if math.prod(inputs) <= 3 and head != "linear"
        else [Dense(32, "relu"), Dense(32, "relu")]
    )
    flatten = [Flatten()] if len(inputs) == 3 else []
    return Network(inputs, *flatten, *hidden, Dense(outputs, head))


def healthy_recipe(case: Case) -> Case:
    """The small network's training on the case's data: finite rows, standardised features, Adam, a head that fits.

    Raises
    ------
    GlassnetError : nothing can be trained on these data
    """
    X, Y = np.asarray(case.X, dtype=np.float64), np.asarray(case.Y, dtype=np.float64)
    held = case.held
    if case.samples is not None:  # rows of weight 0 are left out, class numbers are one-hot rows
        X, Y = np.asarray(case.samples.X, dtype=np.float64), np.asarray(case.samples.Y, dtype=np.float64)
        held = None if case.held_samples is None else (case.held_samples.X, case.held_samples.Y)
    shape = case.network.input_shape
    X = X.reshape(len(X), *shape)
    Y = Y.reshape(len(Y), -1)
    whole = np.isfinite(X.reshape(len(X), -1)).all(axis=1) & np.isfinite(Y).all(axis=1)
    X, Y = X[whole], Y[whole]
    if len(X) > MOST_ROWS:
        some = np.sort(np.random.default_rng(0).choice(len(X), MOST_ROWS, replace=False))
        X, Y = X[some], Y[some]
    if not len(X):
        raise GlassnetError("No row of X and Y has only finite values, so nothing can be trained on them.")
    fitted = Standardise().fitted(X, Y)
    X, Y = fitted.training(X, Y)
    if held is not None:
        held = fitted.others(
            np.asarray(held[0], dtype=np.float64).reshape(-1, *shape), np.asarray(held[1], dtype=np.float64)
        )
        held = (held[0], held[1].reshape(len(held[0]), -1))
    if case.metric == "accuracy":
        Y = np.where(Y == -1, 0, Y)  # the signs of a hinge
        held = None if held is None else (held[0], np.where(held[1] == -1, 0, held[1]))
        one_of_many = Y.shape[1] > 1 and bool((Y.sum(axis=1) == 1).all())
        head, loss = ("softmax", "categorical_cross_entropy") if one_of_many else ("sigmoid", "binary_cross_entropy")
    else:
        head, loss = "linear", "mean_squared_error"
        centre, spread = Y.mean(axis=0), Y.std(axis=0)
        spread = np.where(spread > 0, spread, 1.0)
        Y = (Y - centre) / spread
        held = None if held is None else (held[0], (held[1] - centre) / spread)
    network = small_network(shape, Y.shape[1], head)
    size = min(32, len(X))
    epochs = int(np.clip(math.ceil(UPDATES / math.ceil(len(X) / size)), 20, 400))
    rate = 0.003 if math.prod(shape) > 100 else 0.01
    convolves = any(isinstance(layer, Conv2D) for layer in case.network.layers)
    pictures = small_pictures(shape, Y.shape[1], head) if convolves else None
    if pictures is not None and pictures[1] * len(X) * FEWEST_EPOCHS < MOST:
        network, rate = pictures[0], 0.003
        epochs = min(epochs, max(FEWEST_EPOCHS, int(MUCH / (pictures[1] * len(X)))))
    settings: dict[str, Any] = {
        "loss": loss, "optimizer": Adam(CosineDecay(rate, epochs)), "batch_size": size, "epochs": epochs, "seed": SEEDS[0],
    }  # fmt: skip
    return Case(network, X, Y, held, settings)


def yardsticks(case: Case, budget: float = math.inf) -> Yardsticks | None:
    """Train the yardsticks on a case's data, in at most about `budget` seconds; None when nothing can be trained on them."""
    began = time.perf_counter()
    try:
        recipe = healthy_recipe(case)
        if recipe.derivation is None or recipe.samples is None:
            return None
    except (GlassnetError, ValueError, TypeError):
        return None
    samples = recipe.samples
    rows = recipe.held_samples or samples
    guess = guessing(recipe.metric, samples.Y, rows.Y)
    scores: list[float] = []
    start = time.perf_counter()
    work = _products(recipe) * len(samples) * recipe.epochs
    for seed in SEEDS if work < MUCH else SEEDS[:1]:
        scores.append(small_score(recipe, seed, seconds_left(budget, began)))
        if time.perf_counter() - began > budget:
            break
    middle = time.perf_counter()
    plain = linear_recipe(recipe)
    linear = plain.judged(plain.train(max_seconds=seconds_left(budget, began)))
    small, end = float(np.mean(scores)), time.perf_counter()
    return Yardsticks(
        recipe.metric, "held-out" if recipe.held_samples is not None else "training", len(rows), guess, linear, small,
        len(scores), recipe, end - began, (middle - start) / len(scores), end - middle,
    )  # fmt: skip


def _products(recipe: Case) -> float:
    """Products of a weight and a number, of one row going through the small network."""
    last, shape = recipe.network.layers[-1], recipe.network.input_shape
    if any(isinstance(layer, Conv2D) for layer in recipe.network.layers):
        assert isinstance(last, Dense)
        found = small_pictures(shape, last.units, "linear")
        assert found is not None
        return found[1]
    return float(recipe.derivation.parameter_count) if recipe.derivation is not None else 0.0


def seconds_left(budget: float, began: float) -> float | None:
    """What is left of a budget for the next training, as `max_seconds` takes it."""
    return None if math.isinf(budget) else max(0.001, budget - (time.perf_counter() - began))


def guessing(metric: str, Y: np.ndarray, judged: np.ndarray) -> float:
    """The score on `judged` of answering with the training targets' most frequent class, or their mean."""
    if metric == "r2":
        spread = ((judged - judged.mean(axis=0)) ** 2).sum()
        return max(-1.0, 1 - float(((judged - Y.mean(axis=0)) ** 2).sum() / spread)) if spread > 0 else 0.0
    if Y.shape[1] > 1 and (Y.sum(axis=1) == 1).all():
        return float((judged.argmax(axis=1) == Y.mean(axis=0).argmax()).mean())
    return float((judged == (Y.mean(axis=0) >= 0.5)).mean())


def linear_recipe(recipe: Case) -> Case:
    """One layer on the same data, trained to its minimum by LBFGS with a slight penalty."""
    layer = recipe.network.layers[-1]
    assert isinstance(layer, Dense)
    flatten = [Flatten()] if len(recipe.network.input_shape) == 3 else []
    network = Network(recipe.network.input_shape, *flatten, Dense(layer.units, layer.activation))
    settings: Mapping[str, Any] = {
        "loss": recipe.settings["loss"], "optimizer": LBFGS(), "epochs": 100, "l2": 1e-4, "seed": 0,
    }  # fmt: skip
    return replace(recipe, network=network, settings=settings)


def small_score(recipe: Case, seed: int, seconds: float | None) -> float:
    """The small network's score from one seed; of numbers it stops at the best of a fifth of the training rows."""
    samples = recipe.samples
    if recipe.metric == "accuracy" or samples is None or len(samples) < FEWEST_TO_STOP:
        return recipe.judged(recipe.train(seed=seed, max_seconds=seconds))
    patience = max(10, recipe.epochs // 10)
    run = held_apart(recipe, 0.2).train(seed=seed, max_seconds=seconds, callbacks=[EarlyStopping(patience=patience)])
    return recipe.judged(run)
