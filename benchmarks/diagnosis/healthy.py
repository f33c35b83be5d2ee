"""Healthy trainings of many kinds, among them some that look suspicious and do no harm; all are measured to learn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

import glassnet as gn
from benchmarks.diagnosis.planted import as_trial, least, score_of
from benchmarks.diagnosis.recipes import DATA, Recipe, base, linear_score, outside_score, problem
from benchmarks.diagnosis.trials import NARROW, SHORT, Trial

Twist = Callable[[Recipe], Recipe]


def keys(count: int) -> list[int]:
    """Numbers of healthy trainings; a number draws everything about one."""
    return list(range(count))


def _extra(column: Callable[[np.ndarray], np.ndarray]) -> Twist:
    return lambda r: (
        r if r.rows.X.ndim == 4 else replace(r, rows=r.rows.both(lambda X: np.column_stack([X, column(X)])))
    )


def _by_class(r: Recipe) -> Recipe:
    order = np.argsort(r.rows.Y.argmax(axis=1) if r.rows.Y.shape[1] > 1 else r.rows.Y[:, 0], kind="stable")
    return replace(r, rows=r.rows.only(order))


def _faster(r: Recipe) -> Recipe:
    rule = r.settings["optimizer"]
    return r.set(optimizer=replace(rule, learning_rate=2.5 * float(rule.schedule.rate(0, 0, 0.0))))


TWISTS: dict[str, Twist] = {
    "as it is": lambda r: r,
    "constant column": _extra(lambda X: np.ones(len(X))),
    "repeated column": _extra(lambda X: X[:, 0]),
    "useless column": _extra(lambda X: np.sin(1e4 * X[:, 0] + np.arange(len(X)))),
    "squared error of classes": lambda r: r.set(loss="mean_squared_error"),
    "a small penalty": lambda r: r.set(l2=1e-4),
    "sorted rows, shuffled": _by_class,
    "a high rate": _faster,
    "features not centred": lambda r: replace(r, rows=r.rows.both(lambda X: 1.5 * X + 0.7)),
    "long training": lambda r: r.set(epochs=2 * r.settings["epochs"]),
    "normal weights": lambda r: r.layers(lambda layer: replace(layer, init="normal(0.2)")),
    "few held out": lambda r: replace(r, rows=replace(r.rows, X_test=r.rows.X_test[:80], Y_test=r.rows.Y_test[:80])),
    "wide": lambda r: r.layers(lambda layer: replace(layer, units=128) if isinstance(layer, gn.Dense) else layer),
    "some rows twice": lambda r: replace(r, rows=r.rows.only(np.r_[: len(r.rows.X), :20])),
}


def recipe(number: int) -> tuple[str, str, Recipe]:
    """The data set, the twist and the training of a number."""
    draws = np.random.default_rng([number, 7])
    data, twist = DATA[number % len(DATA)], list(TWISTS)[(number // len(DATA) + number) % len(TWISTS)]
    drawn = base(data, number % 40)
    pictures = problem(data, 0).pictures
    if not pictures and data != "diabetes":
        drawn = replace(drawn, hidden=_hidden(draws), settings={**drawn.settings, **_settings(draws)})
    elif pictures:
        drawn = drawn.set(optimizer=_optimizer(draws))
    return data, twist, TWISTS[twist](drawn)


def _hidden(draws: np.random.Generator) -> tuple[Any, ...]:
    """One to eight layers of one activation, some normalised, some with dropout."""
    depth = int(draws.choice([1, 2, 2, 3, 3, 4, 6, 8]))
    activation = str(draws.choice(["relu", "tanh", "elu", "gelu", "relu", "sigmoid"]))
    if activation == "sigmoid":
        depth = min(depth, 2)
    width = int(draws.choice([12, 16, 24, 32, 48, 64]))
    normalised, dropped = draws.random() < 0.15, draws.random() < 0.15
    layers: list[Any] = []
    for _ in range(depth):
        layers.append(gn.Dense(width, activation))
        if normalised and depth <= 3:
            layers.append(gn.BatchNorm())
        if dropped and width >= 32 and depth <= 2:
            layers.append(gn.Dropout(0.2))
    return tuple(layers)


def _optimizer(draws: np.random.Generator) -> Any:
    choices = (
        gn.Adam(0.01), gn.Adam(0.004), gn.SGD(0.1), gn.SGD(0.05, 0.9), gn.SGD(0.03, 0.9, True), gn.RMSprop(0.003),
        gn.Adagrad(0.05), gn.AdamW(0.006), gn.Adam(gn.CosineDecay(0.01, 600)), gn.Adam(gn.StepDecay(0.01, 30)),
    )  # fmt: skip
    return choices[int(draws.integers(len(choices)))]


def _settings(draws: np.random.Generator) -> dict[str, Any]:
    batch = int(draws.choice([8, 16, 32, 64, 128]))
    return {"optimizer": _optimizer(draws), "batch_size": batch, "epochs": {8: 40, 16: 60}.get(batch, 100)}


def trial_of(number: int) -> Trial:
    """A healthy training, measured; `cannot` when it does not learn."""
    data, twist, made = recipe(number)
    found = as_trial(f"healthy {number}: {data}, {twist}", "healthy", made)
    if found.network is None:
        return found
    seed = number % 40
    known = linear_score(data, seed), outside_score(data, seed)
    twin = max(score_of(as_trial("base", "healthy", base(data, seed))), *known)
    needed = twin - SHORT["r2" if problem(data, 0).classes == 0 else "accuracy"]
    reached = score_of(found)
    if reached < max(needed + NARROW, least(data)):
        return replace(found, cannot=f"it reaches {reached:.2f}, others {twin:.2f}")
    return replace(found, needed=needed, score=reached, fails=False)
