"""Judging a run by rows with known targets, and a network by the plain regression beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.cli.source import Array
from glassnet.equations.optimizers import LBFGS, Adam
from glassnet.network import Conv2D, Dense, Flatten, Network

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from glassnet.training.run import Run

MOST_VALUES_AT_ONCE = 50_000_000
"""A baseline whose full batch takes more numbers than this is trained in mini-batches."""
REGRESSION_ITERATIONS = 200
SURE = 1.96
FEWEST_ROWS = 10


@dataclass(frozen=True)
class Judgement:
    """A run on some rows: its metrics, and each row's outcome."""

    metrics: dict[str, Any]
    true: Array
    predicted: Array
    outputs: Array


def judge(run: Run, X: Array, Y: Array) -> Judgement:
    """Cost and metrics of a run on prepared rows, in one pass.

    Parameters
    ----------
    X, Y : as the network takes them

    Returns
    -------
    Judgement; `true` and `predicted` are class numbers, or quantities in the target's own units
    """
    from glassnet.views.metrics import classification_metrics, regression_metrics

    state = run.state
    X = X.reshape(len(X), *run.network.input_shape)
    cost = count = 0.0
    parts: list[Array] = []
    with np.errstate(all="ignore"):
        size = run.engine.rows_at_once
        for start in range(0, len(X), size):
            rows = slice(start, start + size)
            value, number, A = run.engine.cost(state, X[rows], Y[rows], None)
            cost, count = cost + value * number, count + number
            parts.append(A)
    A = np.concatenate(parts)
    preparation = run.preparation
    assert preparation is not None
    if preparation.classes is None:
        true, predicted = preparation.inverse_target(Y)[:, 0], preparation.inverse_target(A)[:, 0]
        found = regression_metrics(true, predicted, cost / count)
    else:
        true, predicted = codes(Y, run.settings.loss.name), codes(A, run.settings.loss.name)
        found = classification_metrics(true, predicted, preparation.classes, cost / count)
    if not found["notes"]:
        del found["notes"]
    return Judgement(found, true, predicted, A)


def codes(A: Array, loss: str) -> Array:
    """The class number that outputs stand for: the largest, or the second class from 1/2 (0 under the hinge)."""
    if A.shape[1] > 1:
        return np.asarray(A.argmax(axis=1))
    border = 0.0 if loss == "hinge" else 0.5
    return np.asarray((A[:, 0] >= border).astype(np.int64))


def baseline_name(preparation: Any, loss: str) -> str:
    """What the network without hidden layers is called."""
    if preparation.classes is None:
        return "Poisson regression" if loss == "poisson" else "linear regression"
    return "logistic regression" if len(preparation.classes) == 2 else "softmax regression"


def train_baseline(run: Run, X: Array, Y: Array, out: Path | None) -> Run:
    """The regression a statistician would try first, on the rows the network was trained on.

    A network without hidden layers: least squares for quantities; maximum likelihood for classes with the penalty
    ½ W² / m, scikit-learn's default, so that classes a plane can separate have a finite answer. By L-BFGS from zero.
    """
    import glassnet

    preparation = run.preparation
    assert preparation is not None
    if run.settings.loss.name == "hinge":
        Y = (Y + 1) / 2
    outputs = Y.shape[1]
    regression = preparation.classes is None
    head = "exp" if regression and run.settings.loss.name == "poisson" else "linear"
    if not regression:
        head = "sigmoid" if outputs == 1 else "softmax"
    inputs = math.prod(X.shape[1:])
    rows = [] if X.ndim == 2 else [Flatten()]
    network = Network(X.shape[1:], *rows, Dense(outputs, head, init="zeros"))
    small = len(X) * (inputs + 4 * outputs) <= MOST_VALUES_AT_ONCE
    return glassnet.train(
        network,
        X,
        Y,
        optimizer=LBFGS() if small else Adam(0.01),
        epochs=REGRESSION_ITERATIONS if small else 5,
        batch_size=None if small else 1024,
        l2=0.0 if regression else 1 / len(X),
        seed=run.settings.seed,
        record="last",
        progress=False,
        preparation=preparation,
        keep_data=False,
        out=out,
        overwrite=True,
    )


def verdict(network: Judgement, baseline: Judgement, name: str, run: Run) -> str:
    """Whether the network earns its complexity, in one sentence.

    Classes are compared by the rows that only one of the two gets right (McNemar's exact test), quantities by the
    paired differences of the squared errors (1.96 standard errors, from ten rows on); at 5 % a difference is called one.
    """
    if run.preparation is not None and run.preparation.classes is not None:
        mine, theirs = network.predicted == network.true, baseline.predicted == baseline.true
        alone, beside = int(np.sum(mine & ~theirs)), int(np.sum(theirs & ~mine))
        lead, sure = float(alone - beside), _chance(alone, beside) < 0.05
        figures = (
            f"it gets {mine.mean():.1%} of the {len(mine):,} held-out rows right, {name} {theirs.mean():.1%} "
            f"(only the network {alone:,}, only the regression {beside:,} of them)"
        )
    else:
        squares = (baseline.predicted - baseline.true) ** 2, (network.predicted - network.true) ** 2
        difference = squares[0] - squares[1]
        rows = len(difference)
        lead = float(difference.mean())
        sure = rows >= FEWEST_ROWS and abs(lead) > SURE * float(difference.std(ddof=1)) / math.sqrt(rows)
        typical = [math.sqrt(float(part.mean())) for part in squares]
        figures = f"its typical error (RMSE) on the {rows:,} held-out rows is {typical[1]:.4g}, that of {name} {typical[0]:.4g}"
    if sum(isinstance(layer, Dense | Conv2D) for layer in run.network.layers) == 1:
        return f"A network without hidden layers is a plain regression itself: {figures}."
    if sure:
        if lead > 0:
            return f"The network earns its complexity: {figures}."
        return f"The network does not earn its complexity: {figures}. Use the {name}."
    why = "no difference" if lead == 0 else "a difference that may be chance"
    return f"The network has not earned its complexity here: {figures}, {why}."


def _chance(a: int, b: int) -> float:
    """How likely a split of a + b rows at least this uneven is when each falls to either side alike (McNemar, exact).

    >>> _chance(4, 0)
    0.125
    """
    n = a + b
    if n > 1000:
        return math.erfc(abs(a - b) / math.sqrt(2 * n))
    tail = sum(math.comb(n, k) for k in range(min(a, b) + 1))
    return float(min(1.0, 2 * tail / 2**n))


def report(run: Run, parts: Mapping[str, Judgement | None], baseline: Judgement | None) -> dict[str, Any]:
    """What metrics.json holds."""
    preparation = run.preparation
    assert preparation is not None
    classes = preparation.classes
    return {
        "task": "regression" if classes is None else "classification",
        "classes": classes,
        **{name: None if part is None else part.metrics for name, part in parts.items()},
        "baseline": None if baseline is None else {"test": baseline.metrics},
        "run": run.facts["id"],
        "iteration": run.iteration,
    }
