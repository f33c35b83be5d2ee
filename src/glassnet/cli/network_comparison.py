"""`glassnet regress --compare-network 10,10`: does a network earn its complexity beside the regression?

Both are fitted to the same rows and judged on the same held-out rows. With few rows that is 5-fold cross-validation,
three times; the standard error of the mean difference over J folds allows for the rows that trainings share:

    SE² = (1/J + n_test/n_train) s²        s² : variance of the J differences

With many rows it is one division, and SE² = s²/n over the held-out rows.

Source: Nadeau and Bengio, Inference for the Generalization Error, Machine Learning 52 (2003), §3 (the corrected
variance).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from glassnet.errors import DataError, GlassnetWarning
from glassnet.network import Dense, Network
from glassnet.statistics.formulas import Design
from glassnet.statistics.regress import Model, model_of, trained

Array = np.ndarray[Any, Any]

FOLDS, REPEATS, TIMES = 5, 3, "three times"
FEWEST_ROWS = 10
MANY_ROWS = 2000
"""From here on one division tells enough, and costs a tenth."""
TEST_SHARE = 0.25
WATCHED_SHARE = 0.2
EPOCHS, PATIENCE = 1000, 50
BATCH = 64
UPDATES = 200_000
"""The most updates of a network: about twenty seconds."""
SMALLEST = 1e-15
LOSSES = {"gaussian": "mean squared error", "poisson": "mean deviance"}


@dataclass(frozen=True)
class Comparison:
    """A regression and a network on the same held-out rows.

    Attributes
    ----------
    layers : the network in one line
    how : how rows were held out
    parameters : (regression, network)
    measures : {name: (regression, network)}, the loss they are compared by first
    difference : the network's mean loss minus the regression's; below 0 the network is better
    error : its standard error
    """

    layers: str
    how: str
    parameters: tuple[int, int]
    measures: dict[str, tuple[float, float]]
    difference: float
    error: float
    loss: str = field(default="")

    @property
    def verdict(self) -> str:
        """Whether the network earns its complexity, in one sentence."""
        theirs, mine = (f"{n:,}" for n in self.parameters)
        values = self.measures[self.loss]
        figures = (
            f"on held-out rows its {self.loss} is {values[1]:.4g}, that of the regression with its {theirs} is {values[0]:.4g} "
            f"(difference {self.difference:.3g}, standard error {self.error:.3g})"
        )
        if self.difference < -2 * self.error:
            return f"The network earns its {mine} parameters: {figures}."
        if self.difference > 2 * self.error:
            return f"The network does not earn its {mine} parameters: {figures}."
        if self.difference < 0:
            return f"The network has not earned its {mine} parameters here: {figures}, which may be chance."
        return f"The network does not earn its {mine} parameters: {figures}, no better."

    def lines(self) -> list[str]:
        """What is printed."""
        rows = [("", "regression", "network"), ("parameters", *(f"{n:,}" for n in self.parameters))]
        rows += [(name, f"{a:.4g}", f"{b:.4g}") for name, (a, b) in self.measures.items()]
        widths = [max(len(row[k]) for row in rows) for k in range(3)]
        table = [f"{a:<{widths[0]}}  {b:>{widths[1]}}  {c:>{widths[2]}}".rstrip() for a, b, c in rows]
        return [f"Network {self.layers} beside the regression, {self.how}:", "", *table, "", self.verdict]

    def to_plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "network": self.layers, "held_out": self.how,
            "parameters": dict(zip(("regression", "network"), self.parameters, strict=True)),
            "measures": {n: {"regression": a, "network": b} for n, (a, b) in self.measures.items()},
            "difference": self.difference, "standard_error": self.error, "verdict": self.verdict,
        }  # fmt: skip


def compare(
    made: Design, family: str, hidden: tuple[int, ...], *, test: float | int | None, seed: int, activation: str = "tanh"
) -> Comparison:
    """Fit both, and judge both on the same held-out rows.

    Parameters
    ----------
    made, family : the regression
    hidden : units of the network's hidden layers
    test : a share or number of rows to hold out; None cross-validates below 2,000 rows
    seed : of the divisions and the networks

    Raises
    ------
    DataError : fewer than ten rows; a test share that cannot be
    """
    model, weights = _weighted(model_of(made, family), made.weights)
    m = len(model.X)
    if m < FEWEST_ROWS:
        raise DataError(f"A comparison with a network needs {FEWEST_ROWS} rows or more; there are {m}.")
    labels = model.Y.argmax(axis=1) if model.Y.shape[1] > 1 else model.Y[:, 0]
    classes = family in ("binomial", "multinomial") and bool(np.all(labels == labels.round()))
    divisions, how = _divisions(m, labels if classes else None, test, seed)
    outcomes = []
    for k, (train_rows, test_rows) in enumerate(divisions):
        with warnings.catch_warnings():
            # A fold may separate classes that all rows do not; what it costs shows in the loss.
            warnings.simplefilter("ignore", GlassnetWarning)
            one = _regression(model, train_rows, test_rows, weights if made.weights is not None else None)
            other = _network(model, family, hidden, activation, train_rows, test_rows, weights, seed + k)
        outcomes.append((test_rows, one, other))
    return _judged(model, family, hidden, activation, outcomes, how, weights, len(divisions[0][0]))


def _weighted(model: Model, weights: Array | None) -> tuple[Model, Array]:
    """The rows that count, and their weights."""
    if weights is None:
        return model, np.ones(len(model.X))
    return _part(model, np.flatnonzero(weights)), weights[weights > 0]


def _part(model: Model, rows: Array) -> Model:
    return replace(model, X=model.X[rows], Y=model.Y[rows])


def _divisions(
    m: int, labels: Array | None, test: float | int | None, seed: int
) -> tuple[list[tuple[Array, Array]], str]:
    if test is None and m < MANY_ROWS:
        divisions = [pair for r in range(REPEATS) for pair in _folds(m, labels, seed + r)]
        return divisions, f"in {FOLDS}-fold cross-validation, {TIMES} (seed {seed})"
    from glassnet.data import split_rows

    train_rows, test_rows = split_rows(labels, test=TEST_SHARE if test is None else test, seed=seed, n=m)
    if len(test_rows) < 2:
        raise DataError(f"A comparison needs two held-out rows or more; --test leaves {len(test_rows)} of {m}.")
    return [(train_rows, test_rows)], f"fitted to {len(train_rows):,} rows, judged on {len(test_rows):,} (seed {seed})"


def _folds(m: int, labels: Array | None, seed: int) -> Iterator[tuple[Array, Array]]:
    """(training rows, test rows) of each fold; each class is dealt to the folds in turn."""
    draw = np.random.Generator(np.random.Philox(seed))
    order = draw.permutation(m)
    if labels is not None:
        order = order[np.argsort(labels[order], kind="stable")]
    fold = np.empty(m, dtype=np.int64)
    fold[order] = np.arange(m) % FOLDS
    for k in range(FOLDS):
        yield np.flatnonzero(fold != k), np.flatnonzero(fold == k)


def _regression(model: Model, train_rows: Array, test_rows: Array, weights: Array | None) -> Array:
    run = trained(_part(model, train_rows), None if weights is None else weights[train_rows])
    return np.asarray(run.outputs(run.state, model.X[test_rows]))


def _network(
    model: Model,
    family: str,
    hidden: tuple[int, ...],
    activation: str,
    train_rows: Array,
    test_rows: Array,
    weights: Array,
    seed: int,
) -> Array:
    """The network's outputs on held-out rows, after early stopping on a fifth of the training rows."""
    from glassnet.equations.optimizers import Adam
    from glassnet.training import EarlyStopping, train

    middle, width = model.X[train_rows].mean(axis=0), model.X[train_rows].std(axis=0)
    X = (model.X - middle) / np.where(width > 0, width, 1.0)
    Y, shift, unit = model.Y, 0.0, 1.0
    if family == "gaussian":
        shift, unit = float(Y[train_rows].mean()), float(Y[train_rows].std()) or 1.0
        Y = (Y - shift) / unit
    draw = np.random.Generator(np.random.Philox(seed))
    shuffled = draw.permutation(train_rows)
    watched = max(1, round(WATCHED_SHARE * len(shuffled)))
    watch, fit = shuffled[:watched], shuffled[watched:]
    epochs = min(EPOCHS, max(3, UPDATES * BATCH // len(fit)))
    run = train(
        layered(model, hidden, activation), X[fit], Y[fit],
        loss=model.loss, optimizer=Adam(0.01), epochs=epochs, batch_size=None if len(fit) <= 4 * BATCH else BATCH,
        sample_weight=weights[fit], validation=(X[watch], Y[watch], weights[watch]), seed=seed, record="last",
        callbacks=[EarlyStopping(patience=PATIENCE)], progress=False,
    )  # fmt: skip
    return np.asarray(run.outputs(run.state, X[test_rows])) * unit + shift


def layered(model: Model, hidden: tuple[int, ...], activation: str) -> Network:
    """The network beside the regression: hidden layers under the regression's own output."""
    output = {"mean_squared_error": "linear", "poisson": "exp", "binary_cross_entropy": "sigmoid"}
    head = Dense(model.Y.shape[1], output.get(model.loss, "softmax"))
    return Network(model.X.shape[1], *(Dense(units, activation) for units in hidden), head)


def _judged(
    model: Model,
    family: str,
    hidden: tuple[int, ...],
    activation: str,
    outcomes: list[tuple[Array, Array, Array]],
    how: str,
    weights: Array,
    trained_on: int,
) -> Comparison:
    rows = np.concatenate([r for r, _, _ in outcomes])
    Y, w = model.Y[rows], weights[rows]
    outputs = [np.concatenate([o[k] for o in outcomes]) for k in (1, 2)]
    losses = [row_losses(family, Y, A) for A in outputs]
    loss = LOSSES.get(family, "log loss")
    measures = {loss: (_mean(losses[0], w), _mean(losses[1], w))}
    measures |= _more_measures(family, Y, outputs, w)
    gaps = losses[1] - losses[0]
    difference = _mean(gaps, w)
    if len(outcomes) > 1:
        ends = np.cumsum([len(r) for r, _, _ in outcomes])[:-1]
        folds = [_mean(g, v) for g, v in zip(np.split(gaps, ends), np.split(w, ends), strict=True) if v.any()]
        tested = len(rows) / len(outcomes)
        error = math.sqrt((1 / len(folds) + tested / trained_on) * float(np.var(folds, ddof=1)))
    else:
        error = math.sqrt(float(np.sum((w * (gaps - difference)) ** 2))) / float(w.sum())
    outputs_ = model.Y.shape[1]
    free = outputs_ - 1 if family == "multinomial" else outputs_  # the first class's scores are held at 0
    own = _size(model.network) // outputs_ * free
    network = layered(model, hidden, activation)
    return Comparison(str(network), how, (own, _size(network)), measures, difference, error, loss)


def _size(network: Network) -> int:
    return sum(values.size for values in network.initial_parameters().values())


def row_losses(family: str, Y: Array, A: Array) -> Array:
    """Each row's loss (m,): (y − a)², the Poisson deviance 2(y log(y/a) − y + a), or −Σ y log a."""
    if family == "gaussian":
        return np.asarray((Y - A)[:, 0] ** 2)
    if family == "poisson":
        y, a = Y[:, 0], np.maximum(A[:, 0], SMALLEST)
        return np.asarray(2 * (y * np.log(np.where(y > 0, y, 1) / np.where(y > 0, a, 1)) - y + a))
    P = np.clip(A, SMALLEST, 1 - SMALLEST)
    if family == "binomial":
        return np.asarray(-(Y * np.log(P) + (1 - Y) * np.log1p(-P))[:, 0])
    return np.asarray(-np.sum(Y * np.log(P), axis=1))


def _more_measures(family: str, Y: Array, outputs: list[Array], w: Array) -> dict[str, tuple[float, float]]:
    found: dict[str, tuple[float, float]] = {}

    def both(name: str, values: list[float]) -> None:
        found[name] = (values[0], values[1])

    if family == "gaussian":
        squares = [_mean((Y - A)[:, 0] ** 2, w) for A in outputs]
        spread = _mean((Y[:, 0] - _mean(Y[:, 0], w)) ** 2, w)
        both("RMSE", [math.sqrt(s) for s in squares])
        both("R²", [1 - s / spread if spread else math.nan for s in squares])
    elif family == "binomial":
        both("accuracy", [_mean((A[:, 0] >= 0.5) == (Y[:, 0] >= 0.5), w) for A in outputs])
        if set(np.unique(Y)) == {0.0, 1.0}:
            from sklearn.metrics import roc_auc_score

            both("AUC", [float(roc_auc_score(Y[:, 0], A[:, 0], sample_weight=w)) for A in outputs])
    elif family == "multinomial":
        both("accuracy", [_mean(A.argmax(axis=1) == Y.argmax(axis=1), w) for A in outputs])
    return found


def _mean(values: Array, w: Array) -> float:
    return float(np.average(values, weights=w))
