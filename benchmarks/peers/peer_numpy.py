"""Plain NumPy, as the tutorials write it: one line an equation, a new array for every value."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.peers import Trainer
from benchmarks.workloads import Parameters, Problem


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


FORWARD = {"tanh": np.tanh, "sigmoid": sigmoid, "softmax": softmax, "relu": lambda z: np.maximum(z, 0)}
SLOPE = {"tanh": lambda a: 1 - a**2, "sigmoid": lambda a: a * (1 - a), "relu": lambda a: a > 0}
"""The slope of an activation, from its value."""


class Loop:
    """Forward, backward, update."""

    def __init__(self, problem: Problem) -> None:
        self.w, self.problem = problem.workload, problem
        self.Y, self.steps = problem.targets, problem.rows_of_steps()
        self.values: list[np.ndarray] = []

    def run(self) -> None:
        w, X, Y = self.w, self.problem.X, self.Y
        values = [a.copy() for pair in self.problem.start for a in pair]
        m, v = [np.zeros_like(a) for a in values], [np.zeros_like(a) for a in values]
        with np.errstate(over="ignore"):
            for t, rows in enumerate(self.steps, 1):
                gradients = self.gradients(values, X[rows], Y[rows])
                if w.rule == "sgd":
                    for value, gradient in zip(values, gradients, strict=True):
                        value -= w.rate * gradient
                    continue
                for i, g in enumerate(gradients):
                    m[i] = 0.9 * m[i] + 0.1 * g
                    v[i] = 0.999 * v[i] + 0.001 * g**2
                    m_hat, v_hat = m[i] / (1 - 0.9**t), v[i] / (1 - 0.999**t)
                    values[i] -= w.rate * m_hat / (np.sqrt(v_hat) + 1e-8)
        self.values = values

    def gradients(self, values: list[np.ndarray], X: np.ndarray, Y: np.ndarray) -> list[np.ndarray]:
        """dW1, db1, dW2, ... of the mean cross-entropy of one batch."""
        A = [X]
        for W, b in zip(values[::2], values[1::2], strict=True):
            kind = self.w.output if 2 * len(A) == len(values) else self.w.activation
            A.append(FORWARD[kind](A[-1] @ W + b))
        dZ = (A[-1] - Y) / len(X)
        found: list[np.ndarray] = []
        for layer in range(len(A) - 2, -1, -1):
            found = [A[layer].T @ dZ, dZ.sum(axis=0), *found]
            if layer:
                dZ = (dZ @ values[2 * layer].T) * SLOPE[self.w.activation](A[layer])
        return found

    def parameters(self) -> Parameters:
        return list(zip(self.values[::2], self.values[1::2], strict=True))

    def facts(self) -> dict[str, Any]:
        return {}


def prepare(problem: Problem, variant: str) -> Trainer:
    return Loop(problem)
