"""Changes of how a training is run, as cures: its learning rate, epochs, batches, penalties."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from glassnet.diagnosis.case import Case
from glassnet.diagnosis.changes import Change
from glassnet.diagnosis.network_changes import with_hidden_activation, with_init
from glassnet.diagnosis.python_source import written
from glassnet.diagnosis.starting_layers import anew
from glassnet.equations.optimizers import LBFGS, SGD, Adam, LeastSquares, Newton, Optimizer
from glassnet.equations.schedules import Schedule


def has_rate(optimizer: Optimizer) -> bool:
    """Whether the optimiser has a learning rate to change."""
    return not isinstance(optimizer, LBFGS | LeastSquares | Newton)


def times_rate(case: Case, factor: float) -> tuple[Change, ...]:
    """The learning rate times a factor; nothing for an optimiser without one."""
    optimizer = case.optimizer
    if not has_rate(optimizer):
        return ()
    rate: Any = optimizer.learning_rate
    before = rate.learning_rate if isinstance(rate, Schedule) else rate
    after = float(f"{before * factor:.3g}")
    changed = replace(rate, learning_rate=after) if isinstance(rate, Schedule) else after
    changes: dict[str, Any] = {"learning_rate": changed}
    return (Change(f"learning_rate {before:g} → {after:g}", {"optimizer": replace(optimizer, **changes)}),)


def smaller_rates(case: Case) -> tuple[Change, ...]:
    """The rate a tenth and a hundredth; Adam's own where it is far above that."""
    found = (*times_rate(case, 0.1), *times_rate(case, 0.01))
    return found if case.learning_rate <= 1 or not found else (*adam(case), *found)


def larger_rates(case: Case) -> tuple[Change, ...]:
    """The rate ten and a hundred times as large; first Adam's own where it is far below that."""
    found = (*times_rate(case, 10), *times_rate(case, 100))
    return found if case.learning_rate >= 1e-4 or not found else (*adam(case), *found)


def adam(case: Case, rate: float = 0.01) -> tuple[Change, ...]:
    """Adam instead of the present optimiser; nothing where it is that already."""
    if case.optimizer == Adam(rate):
        return ()
    return (Change(f"optimizer {written(case.optimizer)} → {written(Adam(rate))}", {"optimizer": Adam(rate)}),)


def less_momentum(case: Case) -> tuple[Change, ...]:
    """Momentum 0.9 where it is more."""
    optimizer = case.optimizer
    if not isinstance(optimizer, SGD) or optimizer.momentum <= 0.9:
        return ()
    return (Change(f"momentum {optimizer.momentum:g} → 0.9", {"optimizer": replace(optimizer, momentum=0.9)}),)


def epochs(case: Case, wanted: float) -> tuple[Change, ...]:
    """So many epochs instead, at most a thousand times those asked for."""
    number = max(1, math.ceil(min(wanted, 1000 * case.epochs)))
    return (Change(f"epochs {case.epochs:,} → {number:,}", {"epochs": number}),) if number != case.epochs else ()


def batches_of(case: Case, size: int) -> tuple[Change, ...]:
    """Batches of so many rows."""
    if size == case.batch_size or size > case.rows:
        return ()
    return (Change(f"batch_size {case.batch_size:,} → {size:,}", {"batch_size": size}),)


def penalties(case: Case, factor: float) -> tuple[Change, ...]:
    """The penalties times a factor; none at all for 0."""
    present = {name: float(case.settings.get(name) or 0.0) for name in ("l1", "l2")}
    if not any(present.values()):
        return ()
    changed = {name: value * factor for name, value in present.items() if value}
    said = ", ".join(f"{name} {present[name]:g} → {value:g}" for name, value in changed.items())
    return (Change(said, changed),)


def with_l2(case: Case, l2: float = 1e-3) -> tuple[Change, ...]:
    """A penalty on the squares of the weights where there is none."""
    return () if case.settings.get("l2") else (Change(f"l2 0 → {l2:g}", {"l2": l2}),)


def living_units(case: Case) -> tuple[Change, ...]:
    """He's start with leaky relu, whose units cannot die."""
    after = with_init(with_hidden_activation(case.network, "leaky_relu", only=("relu",), init="he"), "auto", "zeros")
    return anew(case, after)


def fresh_start(case: Case) -> tuple[Change, ...]:
    """Weights started as suits each layer's activation, biases at zero; nothing where they start so already."""
    return anew(case, with_init(case.network, "auto", "zeros"))
