"""Changes worth a try whatever was found: the step size, the number of steps, the start, the scale, the size of the network.

A suspicion has its own cures. These are for a training that falls short although nothing looks wrong, and for a cure that no
finding knew.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from glassnet.diagnosis.case import Case
from glassnet.diagnosis.changes import Change, DataChange, Standardise, StandardiseTarget
from glassnet.diagnosis.findings import Finding, Measured
from glassnet.diagnosis.network_changes import shallower, wider, with_hidden_activation, with_init, without_dropout
from glassnet.diagnosis.yardsticks import Yardsticks, linear_recipe
from glassnet.equations.optimizers import LBFGS, Adam, LeastSquares, Newton, Optimizer
from glassnet.equations.schedules import Schedule
from glassnet.layers import Dropout

WIDE = 32


def with_rate(optimizer: Optimizer, factor: float) -> Optimizer:
    """The optimiser with its learning rate (or its schedule's) times a factor."""
    rate: Any = optimizer.learning_rate
    if isinstance(rate, Schedule):
        names = ("learning_rate", "end", "minimum", "peak")
        scaled = {n: getattr(rate, n) * factor for n in names if isinstance(getattr(rate, n, None), int | float)}
        return replace(optimizer, learning_rate=replace(rate, **scaled))
    return replace(optimizer, learning_rate=float(f"{rate * factor:.6g}"))


def rate_change(case: Case, factor: float) -> Change:
    """The learning rate times a factor."""
    changed = with_rate(case.optimizer, factor)
    return Change(f"learning_rate × {factor:g}", {"optimizer": changed})


def usual_suspicions(case: Case) -> Iterator[Finding]:
    """A faint suspicion for each usual change, to be tested when nothing that was found explains a failure."""
    network, epochs = case.network, case.epochs
    direct = isinstance(case.optimizer, LBFGS | LeastSquares | Newton)
    seed = int(case.settings.get("seed", 0))
    if not direct and "initial_parameters" not in case.settings:
        yield _suspicion(
            "init.seed", f"With seed {seed + 1} instead of {seed} it learns: its start was unlucky.",
            Change(f"seed {seed} → {seed + 1}", {"seed": seed + 1}), seed,
        )  # fmt: skip
    rate = f"learning_rate {case.learning_rate:g}" if not direct else ""
    if not direct:
        yield _suspicion(
            "opt.lr_too_large", f"With a tenth of the {rate} it learns.", rate_change(case, 0.1), case.learning_rate
        )
        yield _suspicion(
            "opt.lr_too_small", f"With ten times the {rate} it learns.", rate_change(case, 10.0), case.learning_rate
        )
        yield _suspicion(
            "opt.too_few_epochs", f"With four times the {epochs} epochs it learns.",
            Change(f"epochs {epochs:,} → {4 * epochs:,}", {"epochs": 4 * epochs}), epochs,
        )  # fmt: skip
    features = np.asarray(case.X)
    if features.ndim in (2, 4) and not case.data_refusal and not standardised(features):
        yield _suspicion(
            "data.unscaled_features", "With standardised features it learns.",
            Change(Standardise().said, {}, (Standardise(),)), float(features.std()),
        )  # fmt: skip
    if case.task == "numbers" and not case.data_refusal and not standardised(np.asarray(case.Y)):
        yield _suspicion(
            "data.target_scale", "With a standardised target it learns.",
            Change(StandardiseTarget().said, {}, (StandardiseTarget(),)), float(np.std(case.Y)),
        )  # fmt: skip
    for kind, sentence, said, changed in (
        ("init.wrong_scale", "With weights started by the number of inputs it learns.", "init auto", with_init(network)),
        ("arch.too_little_capacity", f"With {WIDE} units a layer it learns.", f"{WIDE} units a layer", wider(network, WIDE)),
        ("arch.saturating_hidden", "With relu in its hidden layers it learns.", "hidden layers relu",
         with_hidden_activation(network, "relu", init=None)),
        ("arch.too_deep", "With two hidden layers it learns.", "two hidden layers", shallower(network, 2)),
    ):  # fmt: skip
        if changed != network:
            yield _suspicion(kind, sentence, Change(said, {"network": changed}), str(network))
    if any(isinstance(layer, Dropout) for layer in network.layers):
        yield _suspicion(
            "reg.dropout_too_high", "Without dropout it learns.",
            Change("no dropout", {"network": without_dropout(network)}), str(network),
        )  # fmt: skip
    if case.settings.get("l2") or case.settings.get("l1"):
        yield _suspicion(
            "reg.too_strong", "Without the penalty it learns.", Change("l1=0, l2=0", {"l1": 0.0, "l2": 0.0}),
            float(case.settings.get("l2") or case.settings.get("l1") or 0.0),
        )  # fmt: skip
    if not isinstance(case.optimizer, Adam):
        yield _suspicion(
            "opt.wrong_optimizer", f"With Adam instead of {type(case.optimizer).__name__} it learns.",
            Change(f"{type(case.optimizer).__name__} → Adam(0.003)", {"optimizer": Adam(0.003)}),
            type(case.optimizer).__name__,
        )  # fmt: skip
    if case.settings.get("batch_size") is None and case.rows > 64:
        yield _suspicion(
            "opt.batch_size",
            "With batches of 32 it learns.",
            Change("batch_size None → 32", {"batch_size": 32}),
            case.rows,
        )
    elif case.batch_size < 16 < case.rows:
        yield _suspicion(
            "opt.batch_size", "With batches of 32 it learns.",
            Change(f"batch_size {case.batch_size} → 32", {"batch_size": 32}), case.batch_size,
        )  # fmt: skip


def _suspicion(kind: str, sentence: str, change: Change, value: float | int | str) -> Finding:
    return Finding(
        kind, sentence, confidence=0.2, measured=(Measured("now", value, f"after the change {change.said}"),), cures=(change,),
        false_alarm="The rerun would fall short with other seeds.",
    )  # fmt: skip


def standardised(values: np.ndarray) -> bool:
    """Whether every column has a mean near 0 and a deviation near 1 (or does not vary), so that nothing is to be done."""
    flat = np.asarray(values, dtype=np.float64).reshape(len(values), -1)
    deviation = flat.std(axis=0)
    varies = deviation > 0
    return bool((np.abs(flat.mean(axis=0)[varies]) < 0.1).all() and (np.abs(deviation[varies] - 1) < 0.1).all())


def healthy_change(yardsticks: Yardsticks, case: Case) -> Change:
    """The last resort: the small healthy network's own training instead of this one."""
    return _instead(case, yardsticks.recipe, f"another network, {yardsticks.recipe.network}, with its own settings")


def linear_change(yardsticks: Yardsticks, case: Case) -> Change:
    """A linear model to its minimum instead of the network."""
    linear = linear_recipe(yardsticks.recipe)
    return _instead(case, linear, f"a linear model, {linear.network}, trained by LBFGS")


def _instead(case: Case, recipe: Case, said: str) -> Change:
    settings = {
        "batch_size": None, **recipe.settings, "network": recipe.network, "l1": 0.0, "initial_parameters": None,
        "seed": case.settings.get("seed", 0),
    }  # fmt: skip
    settings.setdefault("l2", 0.0)
    data: tuple[DataChange, ...] = () if standardised(np.asarray(case.X)) else (Standardise(),)
    if case.task != "classes" and not standardised(np.asarray(case.Y)):
        data = (*data, StandardiseTarget())
    return Change(said, settings, data)
