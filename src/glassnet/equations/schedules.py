"""Learning-rate schedules: α as an expression in the iteration t, the epoch e and the progress q.

t counts updates from 0, e counts finished epochs from 0, q is the epochs done with their fraction. None of them
knows how many epochs were asked for, so the first epochs of a training do not depend on it: a schedule that ends
somewhere (cosine, one-cycle) is told where when it is made.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from glassnet.equations.expression import Compare, Constant, Expression, Symbol
from glassnet.equations.functions import cos, floor, minimum, where
from glassnet.errors import GlassnetError

ITERATION, EPOCH, PROGRESS = Symbol("t"), Symbol("e"), Symbol("q")
PI = Constant(math.pi, "π")


def plain(value: Any) -> Any:
    """One of NumPy's numbers or truth values as Python's own, which can be stored; anything else as it is."""
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, np.integer):
        return int(value)
    return float(value) if isinstance(value, np.floating) else value


def settle(described: Any) -> None:
    """Make the fields of a frozen description plain."""
    for item in fields(described):
        object.__setattr__(described, item.name, plain(getattr(described, item.name)))


def is_number(value: object) -> bool:
    """Whether this is one of Python's numbers; True and False are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def check_flag(owner: str, **values: object) -> None:
    """Refuse settings that are not True or False, all of them at once."""
    wrong = [f"{key}={value!r}" for key, value in values.items() if not isinstance(value, bool)]
    if wrong:
        raise GlassnetError(f"{owner} got {', '.join(wrong)}; it needs True or False.")


def check_whole(owner: str, **values: object) -> None:
    """Refuse settings that are not whole numbers of 1 or more, all of them at once."""
    wrong = [
        f"{key}={value!r}"
        for key, value in values.items()
        if not isinstance(value, int) or isinstance(value, bool) or value < 1
    ]
    if wrong:
        raise GlassnetError(f"{owner} got {', '.join(wrong)}; it needs a whole number, 1 or more.")


def check_positive(owner: str, **values: float) -> None:
    """Refuse settings that are not finite numbers above zero, all of them at once."""
    wrong = [f"{key}={value!r}" for key, value in values.items() if not is_number(value) or not 0 < value < math.inf]
    if wrong:
        raise GlassnetError(f"{owner} got {', '.join(wrong)}; it needs a finite number above 0.")


def check_fraction(owner: str, **values: float) -> None:
    """Refuse settings outside [0, 1), all of them at once."""
    wrong = [f"{key}={value!r}" for key, value in values.items() if not is_number(value) or not 0 <= value < 1]
    if wrong:
        raise GlassnetError(f"{owner} got {', '.join(wrong)}; it needs a number from 0 up to, but not including, 1.")


@dataclass(frozen=True)
class Schedule:
    """A learning rate that changes. `expression()` is α, or None when α depends on how the training goes."""

    learning_rate: float

    def __post_init__(self) -> None:
        settle(self)
        check_positive(type(self).__name__, learning_rate=self.learning_rate)

    def expression(self) -> Expression | None:
        return Constant(self.learning_rate)

    def rate(self, iteration: int, epoch: int, progress: float) -> float:
        """α at this point of the training; a plain float."""
        tree = self.expression()
        if tree is None:
            return self.learning_rate
        return float(tree.evaluate({"t": float(iteration), "e": float(epoch), "q": progress}, np))


@dataclass(frozen=True)
class ConstantRate(Schedule):
    """α stays what it is."""


@dataclass(frozen=True)
class StepDecay(Schedule):
    """α = α₀ · factor^⌊e / every⌋: the rate is multiplied by `factor` every `every` epochs."""

    every: int = 10
    factor: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive("StepDecay", every=self.every, factor=self.factor)

    def expression(self) -> Expression:
        periods: Expression = floor(EPOCH / self.every)
        return self.learning_rate * Constant(self.factor) ** periods


@dataclass(frozen=True)
class ExponentialDecay(Schedule):
    """α = α₀ · decay^e."""

    decay: float = 0.95

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive("ExponentialDecay", decay=self.decay)

    def expression(self) -> Expression:
        return self.learning_rate * Constant(self.decay) ** EPOCH


@dataclass(frozen=True)
class InverseScaling(Schedule):
    """α = α₀ / (t + 1)^power, t counting updates; or samples, from epoch to epoch, when `samples` says how many.

    Parameters
    ----------
    learning_rate, power : α₀ and the exponent
    samples : samples an epoch: then α = α₀ / (e · samples + samples_before + 1)^power, scikit-learn's "invscaling"
    samples_before : samples seen in earlier trainings that this one goes on from
    """

    power: float = 0.5
    samples: int | None = None
    samples_before: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not is_number(self.power) or not 0 <= self.power < math.inf:
            raise GlassnetError(f"InverseScaling got power={self.power!r}; it needs a finite number, 0 or above.")
        if self.samples is not None:
            check_whole("InverseScaling", samples=self.samples)
        if self.samples_before != 0:
            check_whole("InverseScaling", samples_before=self.samples_before)

    def expression(self) -> Expression:
        if self.samples is None:
            return self.learning_rate / (ITERATION + 1) ** self.power
        return self.learning_rate / (EPOCH * self.samples + (self.samples_before + 1)) ** self.power


@dataclass(frozen=True)
class CosineDecay(Schedule):
    """α = end + ½ (α₀ − end)(1 + cos(π q / epochs)) down to `end` after `epochs` epochs; it stays there.

    Source: Loshchilov and Hutter, SGDR, 2017.
    """

    epochs: int = 100
    end: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive("CosineDecay", epochs=self.epochs)
        if not is_number(self.end) or not 0 <= self.end <= self.learning_rate:
            raise GlassnetError(f"CosineDecay got end={self.end!r}; it needs a rate from 0 to learning_rate.")

    def expression(self) -> Expression:
        done: Expression = minimum(PROGRESS / self.epochs, 1.0)
        wave: Expression = cos(PI * done)
        return self.end + 0.5 * (self.learning_rate - self.end) * (1 + wave)


@dataclass(frozen=True)
class OneCycle(Schedule):
    """α rises from α₀/25 to α₀ over the first `rise` of `epochs` epochs, then falls to α₀/10⁴, along cosines.

    Source: Smith and Topin, Super-Convergence, 2018.
    """

    epochs: int = 100
    rise: float = 0.3

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive("OneCycle", epochs=self.epochs, rise=self.rise)
        check_fraction("OneCycle", rise=self.rise)

    def expression(self) -> Expression:
        top, start, end = self.learning_rate, self.learning_rate / 25, self.learning_rate / 1e4
        turn = self.rise * self.epochs
        rising = start + 0.5 * (top - start) * (1 - cos(PI * (PROGRESS / turn)))
        left = minimum((PROGRESS - turn) / (self.epochs - turn), 1.0)
        falling = end + 0.5 * (top - end) * (1 + cos(PI * left))
        alpha: Expression = where(Compare("<", PROGRESS, Constant(turn)), rising, falling)
        return alpha


@dataclass(frozen=True)
class WarmUp(Schedule):
    """α = α₀ · min(1, (t + 1) / iterations): full rate only after the first `iterations` updates."""

    iterations: int = 100

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive("WarmUp", iterations=self.iterations)

    def expression(self) -> Expression:
        share: Expression = minimum((ITERATION + 1) / self.iterations, 1.0)
        return self.learning_rate * share


@dataclass(frozen=True)
class Adaptive(Schedule):
    """α is multiplied by `factor` whenever `patience` epochs in a row fail to lower the cost by `tolerance`.

    α never falls below `minimum`; with `stops`, it is not held there, and training ends when it would be lowered
    once more.

    Parameters
    ----------
    monitor : the history column that is watched; unless given, the held-out cost when there is one, else the training
        cost with its penalty
    """

    factor: float = 0.2
    patience: int = 2
    tolerance: float = 1e-4
    minimum: float = 1e-6
    monitor: str | None = None
    stops: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive("Adaptive", factor=self.factor, patience=self.patience, minimum=self.minimum)
        check_fraction("Adaptive", factor=self.factor)
        if not is_number(self.tolerance) or not 0 <= self.tolerance < math.inf:
            raise GlassnetError(f"Adaptive got tolerance={self.tolerance!r}; it needs a finite number, 0 or above.")
        if self.monitor is not None and not isinstance(self.monitor, str):
            raise GlassnetError(f"Adaptive got monitor={self.monitor!r}; it needs a history column's name.")
        check_flag("Adaptive", stops=self.stops)

    def expression(self) -> None:
        return None


SCHEDULES = {
    kind.__name__: kind
    for kind in (ConstantRate, StepDecay, ExponentialDecay, InverseScaling, CosineDecay, OneCycle, WarmUp, Adaptive)
}
