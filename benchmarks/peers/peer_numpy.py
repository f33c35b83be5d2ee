"""Plain NumPy, as the tutorials write it: one line an equation, a new array for every value."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.images import Stage, patches, windows_of
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


class Convolution:
    """One stage by patches and matrix products: Z = patches(X) Wᵀ + b, A = g(Z), P = the largest of each window."""

    def __init__(self, X: np.ndarray, W: np.ndarray, b: np.ndarray, stage: Stage, activation: str) -> None:
        self.stage, self.activation, self.inputs = stage, activation, X.shape
        filters, _, kernel, _ = W.shape
        self.W, self.columns = W.reshape(filters, -1), patches(X, kernel, stage.padding)
        height, width = stage.map_size(X.shape[1:])
        Z = (self.columns @ self.W.T + b).reshape(len(X), height, width, filters).transpose(0, 3, 1, 2)
        self.A = FORWARD[activation](Z)
        windows = windows_of(self.A, stage.pool)
        self.winner = windows.argmax(axis=-1)[..., None]
        self.P = np.take_along_axis(windows, self.winner, axis=-1)[..., 0]

    def slope(self, dP: np.ndarray) -> np.ndarray:
        """dZ, one row a place of a map: dP goes to the winner of each window."""
        m, filters, height, width = self.A.shape
        pool = self.stage.pool
        windows = np.zeros((*dP.shape, pool * pool), dP.dtype)
        np.put_along_axis(windows, self.winner, dP[..., None], axis=-1)
        cut = windows.reshape(m, filters, height // pool, width // pool, pool, pool)
        dA = cut.transpose(0, 1, 2, 4, 3, 5).reshape(self.A.shape)
        return (dA * SLOPE[self.activation](self.A)).transpose(0, 2, 3, 1).reshape(-1, filters)

    def gradients(self, dZ: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """dW and db."""
        kernel = self.stage.kernel
        return (dZ.T @ self.columns).reshape(len(self.W), -1, kernel, kernel), dZ.sum(axis=0)

    def back(self, dZ: np.ndarray) -> np.ndarray:
        """dX: each patch's gradient is added where the patch was."""
        m, channels, height, width = self.inputs
        kernel, padding = self.stage.kernel, self.stage.padding
        rows, columns = self.A.shape[2:]
        parts = (dZ @ self.W).reshape(m, rows, columns, channels, kernel, kernel).transpose(0, 3, 4, 5, 1, 2)
        dX = np.zeros((m, channels, height + 2 * padding, width + 2 * padding), dZ.dtype)
        for r in range(kernel):
            for c in range(kernel):
                dX[:, :, r : r + rows, c : c + columns] += parts[:, :, r, c]
        return dX[:, :, padding : padding + height, padding : padding + width]


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
        w, stages = self.w, len(self.w.stages)
        kept, image = [], X
        for stage, W, b in zip(w.stages, values[::2], values[1::2], strict=False):
            kept.append(Convolution(image, W, b, stage, w.activation))
            image = kept[-1].P
        dense = values[2 * stages :]
        A = [image.reshape(len(X), -1)]
        for W, b in zip(dense[::2], dense[1::2], strict=True):
            kind = w.output if 2 * len(A) == len(dense) else w.activation
            A.append(FORWARD[kind](A[-1] @ W + b))
        dZ = (A[-1] - Y) / len(X)
        found: list[np.ndarray] = []
        for layer in range(len(A) - 2, -1, -1):
            found = [A[layer].T @ dZ, dZ.sum(axis=0), *found]
            if layer or stages:
                dA = dZ @ dense[2 * layer].T
            if layer:
                dZ = dA * SLOPE[w.activation](A[layer])
        for number, step in reversed(list(enumerate(kept))):
            dZ = step.slope(dA.reshape(step.P.shape))
            found = [*step.gradients(dZ), *found]
            if number:
                dA = step.back(dZ)
        return found

    def parameters(self) -> Parameters:
        return list(zip(self.values[::2], self.values[1::2], strict=True))

    def facts(self) -> dict[str, Any]:
        return {}


def prepare(problem: Problem, variant: str) -> Trainer:
    return Loop(problem)
