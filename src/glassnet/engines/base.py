"""What every engine does: run a derivation's step on a state, and predict with it.

A state is a dict of arrays: parameters, the optimiser's memory and the buffers, by the names of the equations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

CHUNK = 8192
"""Rows evaluated at once when predicting: enough for speed, little memory."""
LAID_OUT = 1 << 22
"""Numbers that convolutions lay out at once when predicting: more take gigabytes, and longer."""
Array = Any
State = dict[str, Array]


class NonFiniteValue(ArithmeticError):
    """An equation produced NaN or infinity; `equation` is the first that did."""

    def __init__(self, equation: str) -> None:
        super().__init__(f"'{equation}' is not finite")
        self.equation = equation


@dataclass(frozen=True)
class Batch:
    """The samples of one step, and the draws it uses."""

    X: Array
    Y: Array
    w: Array | None
    masks: Mapping[str, Array]

    @property
    def size(self) -> int:
        return int(self.X.shape[0])


class Engine(Protocol):
    """A way to run one derivation."""

    name: str

    @property
    def rows_at_once(self) -> int:
        """How many rows `predict` and `cost` are best given at once."""
        ...

    def initial_state(self, parameters: Mapping[str, Array]) -> State:
        """The state before the first step: these parameters, everything else at its start."""
        ...

    def step(self, state: State, batch: Batch, alpha: float, number: int) -> Mapping[str, Array]:
        """Make update `number` (from 1): `state` gets new arrays, the values of all equations are returned.

        The arrays it had are never written into, so a shallow copy of a state is a snapshot.

        Raises
        ------
        NonFiniteValue : an equation gave NaN or infinity; `state` is as before
        """
        ...

    def evaluated(self, state: State, batch: Batch, alpha: float, number: int) -> tuple[Mapping[str, Array], State]:
        """The values of all equations of an update, finite or not, and the arrays it would leave; `state` stays as it is."""
        ...

    def predict(self, state: State, X: Array) -> Array:
        """The network's output, as when predicting (no dropout, running statistics)."""
        ...

    def cost(self, state: State, X: Array, Y: Array, w: Array | None) -> tuple[float, float, Array]:
        """(loss without penalty, its denominator m or Σw, output) on these samples, as when predicting.

        Raises
        ------
        NonFiniteValue : the loss is not finite; the first equation that is not
        """
        ...

    def penalty(self, state: State, count: float) -> float:
        """R of the present weights over `count` samples (or that total weight); 0 without penalties."""
        ...
