"""JAX: `jit` over the whole training, `lax.scan` over its steps; or a jitted step, called from Python (`steps`).

Within a scan XLA runs convolutions of several channels on one slow way; `steps` is there for networks that have them.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from benchmarks.peers import Trainer
from benchmarks.workloads import Parameters, Problem


class Scan:
    """Compiled in the first call, for these shapes."""

    def __init__(self, problem: Problem, variant: str) -> None:
        import jax

        w = problem.workload
        jax.config.update("jax_enable_x64", w.dtype == "float64")
        import jax.numpy as jnp
        from jax import lax

        activation = {"tanh": jnp.tanh, "sigmoid": jax.nn.sigmoid, "relu": jax.nn.relu}
        size = w.batch or w.rows
        batches = w.rows // size
        if w.rows % size:
            raise ValueError(f"{w.rows} rows are no multiple of the batch of {size}; lax.scan needs equal batches.")

        def pooled(A: Any, pool: int) -> Any:
            parts = [A[:, :, r::pool, c::pool] for r in range(pool) for c in range(pool)]
            return functools.reduce(jnp.maximum, parts)

        def cost(params: Any, X: Any, Y: Any) -> Any:
            for stage, (W, b) in zip(w.stages, params, strict=False):
                padding = ((stage.padding, stage.padding),) * 2
                Z = lax.conv_general_dilated(X, W, (1, 1), padding) + b[:, None, None]
                X = pooled(activation[w.activation](Z), stage.pool)
            X = X.reshape(len(X), -1)
            for W, b in params[len(w.stages) : -1]:
                X = activation[w.activation](X @ W + b)
            Z = X @ params[-1][0] + params[-1][1]
            if w.output == "sigmoid":
                return jnp.mean(jnp.sum(jax.nn.softplus(Z) - Y * Z, axis=1))
            return -jnp.mean(jnp.sum(Y * jax.nn.log_softmax(Z), axis=1))

        def update(carried: Any, X: Any, Y: Any) -> Any:
            params, m, v, t = carried
            g = jax.grad(cost)(params, X, Y)
            if w.rule == "sgd":
                return jax.tree.map(lambda p, d: p - w.rate * d, params, g), m, v, t
            t = t + 1
            m = jax.tree.map(lambda a, d: 0.9 * a + 0.1 * d, m, g)
            v = jax.tree.map(lambda a, d: 0.999 * a + 0.001 * d * d, v, g)
            low, high = 1 - 0.9**t, 1 - 0.999**t
            params = jax.tree.map(lambda p, a, s: p - w.rate * (a / low) / (jnp.sqrt(s / high) + 1e-8), params, m, v)
            return params, m, v, t

        def step(carried: Any, number: Any, X: Any, Y: Any, order: Any) -> Any:
            if order is not None:
                rows = lax.dynamic_slice(order, (number * size,), (size,))
                return update(carried, X[rows], Y[rows])
            if batches == 1:
                return update(carried, X, Y)
            first = number % batches * size
            return update(carried, lax.dynamic_slice_in_dim(X, first, size), lax.dynamic_slice_in_dim(Y, first, size))

        def training(params: Any, X: Any, Y: Any, order: Any) -> Any:
            carried = (params, *self._memory(w, params, jax, jnp))
            carried, _ = lax.scan(
                lambda c, number: (step(c, number, X, Y, order), None), carried, jnp.arange(w.epochs * batches)
            )
            return carried[0]

        self.jax = jax
        start = [(jnp.asarray(W), jnp.asarray(b)) for W, b in problem.start]
        order = None if problem.order is None else jnp.asarray(problem.order.reshape(-1))
        self.arguments = (start, jnp.asarray(problem.X), jnp.asarray(problem.targets), order)
        self.values: Any = None
        if variant == "steps":
            one = jax.jit(step).lower((start, *self._memory(w, start, jax, jnp)), 0, *self.arguments[1:]).compile()

            def stepped(params: Any, X: Any, Y: Any, order: Any) -> Any:
                carried = (params, *self._memory(w, params, jax, jnp))
                for number in range(w.epochs * batches):
                    carried = one(carried, number, X, Y, order)
                return carried[0]

            self.train: Any = stepped
        else:
            self.train = jax.jit(training).lower(*self.arguments).compile()

    @staticmethod
    def _memory(w: Any, params: Any, jax: Any, jnp: Any) -> Any:
        """Moments and the count of updates, as the update carries them."""
        zeros = jax.tree.map(jnp.zeros_like, params) if w.rule == "adam" else None
        return zeros, zeros, jnp.zeros((), params[0][0].dtype)

    def run(self) -> None:
        self.values = self.jax.block_until_ready(self.train(*self.arguments))

    def parameters(self) -> Parameters:
        return [(np.asarray(W), np.asarray(b)) for W, b in self.values]

    def facts(self) -> dict[str, Any]:
        return {"device": str(self.jax.devices()[0])}


def prepare(problem: Problem, variant: str) -> Trainer:
    return Scan(problem, variant)
