"""Cures by chance: changes of settings drawn at random, as long as a cure took, the best confirmed with three seeds."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

import glassnet as gn
from glassnet.diagnosis.case import Case
from glassnet.diagnosis.changes import Change, Standardise
from glassnet.errors import GlassnetError

SEEDS = 3
SELECTED_ON = 0.2
"""The share of the training rows on which draws are compared."""


def drawn(case: Case, draws: np.random.Generator) -> Change:
    """A random change of one to three settings: rate, optimiser, width, activation, batch, epochs, scaled features."""
    change = Change("")
    rule, rate = case.optimizer, case.learning_rate
    for name in draws.choice(
        ["rate", "optimizer", "width", "activation", "batch", "epochs", "scale"], int(draws.integers(1, 4)), False
    ):
        if name == "rate":
            rate *= 10 ** draws.uniform(-3, 3)
            change = change.and_then(Change(f"rate {rate:.2g}", {"optimizer": _at(rule, rate)}))
        elif name == "optimizer":
            rule = (gn.SGD(), gn.SGD(momentum=0.9), gn.Adam(), gn.RMSprop())[int(draws.integers(4))]
            change = change.and_then(Change(type(rule).__name__, {"optimizer": _at(rule, rate)}))
        elif name == "batch":
            size = int(draws.choice([8, 16, 32, 64, 128]))
            change = change.and_then(Change(f"batches of {size}", {"batch_size": size}))
        elif name == "epochs":
            epochs = max(1, int(case.epochs * draws.choice([0.5, 2, 4])))
            change = change.and_then(Change(f"{epochs} epochs", {"epochs": epochs}))
        elif name == "scale":
            change = change.and_then(Change("standardise", data=(Standardise(),)))
        else:
            network = _redrawn(change.settings.get("network", case.network), str(name), draws)
            change = change.and_then(Change(str(name), {"network": network}))
    return change


def _at(rule: gn.equations.optimizers.Optimizer, rate: float) -> gn.equations.optimizers.Optimizer:
    return replace(rule, learning_rate=min(rate, 1e6))


def _redrawn(network: gn.Network, what: str, draws: np.random.Generator) -> gn.Network:
    """All hidden layers wider or narrower, or with one other activation."""
    last = max(i for i, layer in enumerate(network.layers) if isinstance(layer, gn.Dense | gn.Conv2D))
    factor, activation = float(draws.choice([0.5, 2, 4])), str(draws.choice(["relu", "tanh", "elu", "sigmoid"]))
    layers = []
    for i, layer in enumerate(network.layers):
        if i == last or not isinstance(layer, gn.Dense | gn.Conv2D):
            layers.append(layer)
        elif what == "activation":
            layers.append(replace(layer, activation=activation))
        elif isinstance(layer, gn.Dense):
            layers.append(replace(layer, units=max(1, min(512, round(layer.units * factor)))))
        else:
            layers.append(replace(layer, filters=max(1, min(64, round(layer.filters * factor)))))
    return gn.Network(network.input_shape, *layers)


def random_cure(case: Case, needed: float, seconds: float, seed: int = 0) -> tuple[float, int]:
    """The held-out score of the best random change, mean of three seeds, and how many changes were tried.

    Draws are compared on a fifth of the training rows. One that reaches what is needed there is confirmed at once; it ends
    the search when the confirmation does too. When the time is over the best is confirmed all the same.
    """
    draws = np.random.default_rng(seed)
    until = time.perf_counter() + seconds
    order = draws.permutation(len(case.X))
    apart = order[: max(1, round(SELECTED_ON * len(order)))] if case.held is not None else order[:0]
    rest = np.setdiff1d(order, apart)
    part = replace(case, X=case.X[rest], Y=case.Y[rest], held=(case.X[apart], case.Y[apart])) if len(apart) else case
    best, chosen, tried, confirmed = -np.inf, None, 0, -1.0
    while time.perf_counter() < until:
        change = drawn(case, draws)
        tried += 1
        score = _score(part, change, until=until)
        if score >= needed:
            confirmed = max(confirmed, _mean(case, change))
            if confirmed >= needed:
                return confirmed, tried
        elif score > best:
            best, chosen = score, change
    if chosen is not None and confirmed < 0:
        confirmed = _mean(case, chosen)
    return confirmed, tried


def _mean(case: Case, change: Change) -> float:
    return float(np.mean([_score(case, change, seed) for seed in range(SEEDS)]))


def _score(case: Case, change: Change, seed: int | None = None, until: float | None = None) -> float:
    """The score of a changed case; the least when it is refused."""
    more: dict[str, float | int] = {} if seed is None else {"seed": seed}
    if until is not None:
        more["max_seconds"] = max(0.01, until - time.perf_counter())
    try:
        changed = case.changed(change)
        return changed.judged(changed.train(**more))
    except GlassnetError:
        return -1.0
