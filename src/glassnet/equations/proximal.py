"""Gradient descent that treats an L1 penalty exactly: weights that do not earn their place become 0 and stay there."""

from __future__ import annotations

import math
from dataclasses import dataclass

from glassnet.equations.expression import Constant, Symbol
from glassnet.equations.functions import relu, sign
from glassnet.equations.optimizers import ALPHA, Optimizer, Update
from glassnet.equations.schedules import Schedule, is_number
from glassnet.errors import GlassnetError


@dataclass(frozen=True)
class ProximalGradient(Optimizer):
    """A step along the slope of the rest of the cost, then every weight drawn towards 0 by α λ₁, and no further.

        u = θ − α (dθ − λ₁ sign θ);   θ ← relu(u − α λ₁) − relu(−u − α λ₁)

    dθ − λ₁ sign θ is the slope without the L1 penalty, which has none at 0. Biases take the plain step θ − α dθ.

    Parameters
    ----------
    learning_rate : α
    l1 : λ₁, that of the training

    Source: Daubechies, Defrise and De Mol, An iterative thresholding algorithm, 2004; Beck and Teboulle, 2009, ISTA.
    """

    learning_rate: float | Schedule
    l1: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not is_number(self.l1) or not 0 <= self.l1 < math.inf:
            raise GlassnetError(f"ProximalGradient got l1={self.l1!r}; it needs a finite number, 0 or above.")

    def states(self, parameter: Symbol) -> tuple[Symbol, ...]:
        return (_step(parameter),) if _is_weight(parameter) else ()

    def updates(self, parameter: Symbol, gradient: Symbol, decays: bool) -> list[Update]:
        if not _is_weight(parameter):
            return [(parameter, parameter - ALPHA * gradient, "downhill by α times the slope")]
        u, strength = _step(parameter), Constant(self.l1, "λ₁")
        edge = ALPHA * strength
        return [
            (u, parameter - ALPHA * (gradient - strength * sign(parameter)), "a step without the penalty"),
            (parameter, relu(u - edge) - relu(-u - edge), "towards 0 by α λ₁, and no further"),
        ]


def _step(parameter: Symbol) -> Symbol:
    return Symbol(f"u{parameter.name}", parameter.shape)


def _is_weight(parameter: Symbol) -> bool:
    return parameter.name.startswith("W")
