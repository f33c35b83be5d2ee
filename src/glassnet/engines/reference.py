"""The reference engine: equation by equation, on any array-API namespace. Truth, tracing, teaching.

It does what the page says in the order in which the page says it, and keeps every value.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from glassnet.engines.base import CHUNK, LAID_OUT, Array, Batch, NonFiniteValue, State
from glassnet.equations.derive import Derivation
from glassnet.equations.images import under_windows
from glassnet.equations.layers import Equation


class ReferenceEngine:
    """Runs a derivation line by line.

    Parameters
    ----------
    derivation : the equations
    dtype : "float64" or "float32"
    xp : the array namespace; NumPy unless told otherwise
    """

    name = "reference"

    def __init__(self, derivation: Derivation, dtype: str = "float64", xp: Any = np) -> None:
        self.derivation = derivation
        self.xp = xp
        self.dtype = getattr(xp, dtype)
        self.data_cost = next(e for e in derivation.cost if e.name in ("L", "J"))
        self.gradient_names = tuple(f"d{p.name}" for p in derivation.parameters)

    def initial_state(self, parameters: Mapping[str, Array]) -> State:
        state: State = {
            p.name: self.xp.asarray(parameters[p.name], dtype=self.dtype, copy=True) for p in self.derivation.parameters
        }
        for memory in self.derivation.states:
            state[memory.name] = self.xp.zeros(memory.shape, dtype=self.dtype)
        for symbol, start in self.derivation.buffers.values():
            state[symbol.name] = self.xp.full(symbol.shape, start, dtype=self.dtype)
        return state

    def values(self, state: State, batch: Batch, override: Mapping[str, Array] | None = None) -> dict[str, Array]:
        """Forward, cost and backward values of one step, by name; `override` replaces some (gradient checks)."""
        env = self._environment(state, batch.X, batch.Y, batch.w)
        env.update(batch.masks)
        for equation in self.derivation.forward + self.derivation.cost + self.derivation.backward:
            if override and equation.name in override:
                env[equation.name] = override[equation.name]
            else:
                env[equation.name] = equation.expression.evaluate(env, self.xp)
        return env

    def step(self, state: State, batch: Batch, alpha: float, number: int) -> Mapping[str, Array]:
        env, updated = self.evaluated(state, batch, alpha, number)
        self._check_finite(env, self.derivation.equations)
        state.update(updated)
        return env

    def evaluated(self, state: State, batch: Batch, alpha: float, number: int) -> tuple[dict[str, Array], State]:
        """All values of an update, finite or not, and the arrays that it would leave; `state` stays as it is."""
        env = self.values(state, batch)
        env["alpha"], env["t"] = alpha, float(number)
        updated: State = {}
        for equation in self.derivation.update:
            env[equation.name] = updated[equation.name] = equation.expression.evaluate(env, self.xp)
        return env, updated

    @cached_property
    def rows_at_once(self) -> int:
        """Rows to predict at once: of pictures no more than what their convolutions lay out is quick to go through."""
        a_row = max(under_windows(equation.expression) for equation in self.derivation.inference)
        return max(1, min(CHUNK, LAID_OUT // max(1, a_row)))

    def predict(self, state: State, X: Array) -> Array:
        env = self._environment(state, X, None, None)
        return self._run(self.derivation.inference, env)[self.derivation.output.name]

    def cost(self, state: State, X: Array, Y: Array, w: Array | None) -> tuple[float, float, Array]:
        env = self._run(self.derivation.inference, self._environment(state, X, Y, w))
        if w is not None:
            env["S"] = self.xp.sum(w)
        env[self.data_cost.name] = self.data_cost.expression.evaluate({**env, "R": 0.0}, self.xp)
        value = float(env[self.data_cost.name])
        if not self.xp.isfinite(env[self.data_cost.name]):
            self._check_finite(env, (*self.derivation.inference, self.data_cost))
        return value, float(env["S"]) if w is not None else float(X.shape[0]), env[self.derivation.output.name]

    def penalty(self, state: State, count: float) -> float:
        for equation in self.derivation.cost:
            if equation.name == "R":
                return float(equation.expression.evaluate({**state, "m": count, "S": count}, self.xp))
        return 0.0

    def _environment(self, state: State, X: Array, Y: Array | None, w: Array | None) -> dict[str, Array]:
        env: dict[str, Array] = {**state, "X": X, "m": float(X.shape[0])}
        if Y is not None:
            env["Y"] = Y
        if w is not None:
            env["w"] = w
        return env

    def _run(self, equations: tuple[Equation, ...], env: dict[str, Array]) -> dict[str, Array]:
        for equation in equations:
            env[equation.name] = equation.expression.evaluate(env, self.xp)
        return env

    def _check_finite(self, env: Mapping[str, Array], equations: tuple[Equation, ...]) -> None:
        # A sum is finite when all its terms are; only a sum that is not is looked at entry by entry.
        xp = self.xp
        for equation in equations:
            value = env[equation.name]
            if not xp.isfinite(xp.sum(value)) and not xp.all(xp.isfinite(value)):
                raise NonFiniteValue(equation.name)
