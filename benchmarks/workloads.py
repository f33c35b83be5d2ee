"""The workloads: a network, its data, its first weights and the order of its batches, the same for every peer.

A `Workload` says what is trained; `Problem` adds the arrays and is written to a folder that each peer's process reads.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.images import Image, Stage, convolved, inputs_of, windows_of

Parameters = list[tuple[np.ndarray, np.ndarray]]
"""Weights and bias of each layer: (filters, channels, height, width) and (filters,), or (n_in, n_out) and (n_out,)."""


@dataclass(frozen=True)
class Workload:
    """What is trained, and for how long.

    Attributes
    ----------
    widths : units from the input to the output; after `stages`, from what is flattened to the output
    activation : of the hidden layers; `output` is "sigmoid" (one unit) or "softmax"
    rule : "sgd" (plain gradient descent) or "adam"
    batch : rows a step; None takes all of them
    unit : what a time is divided by: "step", "sample" (a row of an epoch) or "fit" (the whole of it)
    image, stages : channels, height and width of an input, and the convolutions before the dense layers
    """

    name: str
    rows: int
    widths: tuple[int, ...]
    activation: str
    output: str
    rule: str
    rate: float
    batch: int | None
    epochs: int
    dtype: str = "float32"
    unit: str = "step"
    note: str = ""
    image: Image | None = None
    stages: tuple[Stage, ...] = ()

    @property
    def is_regression(self) -> bool:
        """No hidden layer at all."""
        return len(self.widths) == 2 and not self.stages

    @property
    def inputs(self) -> list[Image]:
        """What each stage gets, and last what is flattened."""
        return [] if self.image is None else inputs_of(self.image, self.stages)

    @property
    def units(self) -> int:
        """What a time is divided by, counted."""
        return {"fit": 1, "step": self.steps, "sample": self.rows * self.epochs}[self.unit]

    @property
    def batches(self) -> int:
        return -(-self.rows // (self.batch or self.rows))

    @property
    def steps(self) -> int:
        return self.batches * self.epochs

    @property
    def flops(self) -> float:
        """Of the products of one training: forward 2 m n_in n_out, the same for dW, and for dA but of the data."""
        layers = [stage.products(image) for stage, image in zip(self.stages, self.inputs, strict=False)]
        layers += [n_in * n_out for n_in, n_out in zip(self.widths, self.widths[1:], strict=False)]
        products = sum(size * (2 if layer == 0 else 3) for layer, size in enumerate(layers))
        return 2.0 * self.rows * self.epochs * products

    @property
    def data_bytes(self) -> float:
        """Bytes of X, read once an epoch."""
        return float(self.rows * self.widths[0] * np.dtype(self.dtype).itemsize * self.epochs)

    @property
    def tolerance(self) -> float:
        """How far apart final losses may be, relatively."""
        return 1e-2 if self.dtype == "float32" else 1e-6


WORKLOADS = {
    w.name: w
    for w in (
        Workload("flower", 320, (2, 40, 1), "tanh", "sigmoid", "sgd", 1.2, None, 10_000),
        Workload("iris", 150, (4, 40, 3), "sigmoid", "softmax", "sgd", 0.1, 10, 30, "float64", "fit"),
        Workload("mnist-small-batch", 10_000, (784, 100, 10), "sigmoid", "softmax", "sgd", 0.5, 10, 10),
        Workload("mnist-large-batch", 9_984, (784, 100, 10), "sigmoid", "softmax", "sgd", 0.5, 128, 20),
        Workload("tabular", 65_536, (28, 256, 256, 2), "relu", "softmax", "adam", 0.001, 1024, 4),
        Workload("cats", 209, (12_288, 1), "none", "sigmoid", "sgd", 0.005, None, 1_000),
        Workload(
            "cnn", 9_984, (1_152, 10), "relu", "softmax", "sgd", 0.1, 32, 1, unit="sample",
            image=(1, 28, 28), stages=(Stage(8, 5, 0, 2),),
        ),
        Workload(
            "lenet", 9_984, (400, 120, 84, 10), "relu", "softmax", "sgd", 0.05, 64, 1, unit="sample",
            image=(1, 28, 28), stages=(Stage(6, 5, 2, 2), Stage(16, 5, 0, 2)),
        ),
    )
}  # fmt: skip

QUICK = {
    "flower": {"epochs": 20},
    "iris": {"epochs": 3},
    "mnist-small-batch": {"rows": 200, "epochs": 1},
    "mnist-large-batch": {"rows": 512, "epochs": 1},
    "tabular": {"rows": 4096, "epochs": 1},
    "cats": {"epochs": 3},
    "cnn": {"rows": 128},
    "lenet": {"rows": 128},
}
"""A few steps of each, to see that everything runs."""


def quick(workload: Workload) -> Workload:
    return replace(workload, **QUICK[workload.name])


@dataclass
class Problem:
    """A workload with its arrays: X (m, n) or (m, channels, height, width), labels (m,), first weights, and the order
    of rows in each epoch, if any.
    """

    workload: Workload
    X: np.ndarray
    labels: np.ndarray
    start: Parameters
    order: np.ndarray | None = None

    @property
    def targets(self) -> np.ndarray:
        """Labels as the output has them: one column of 0 and 1, or one-hot rows."""
        units = self.workload.widths[-1]
        if self.workload.output == "sigmoid":
            return self.labels[:, None].astype(self.X.dtype)
        return np.eye(units, dtype=self.X.dtype)[self.labels]

    def rows_of_steps(self) -> list[Any]:
        """For each step, the rows of its batch: a slice when they are consecutive."""
        w, size = self.workload, self.workload.batch or self.workload.rows
        found: list[Any] = []
        for epoch in range(w.epochs):
            for first in range(0, w.rows, size):
                part = slice(first, min(first + size, w.rows))
                found.append(part if self.order is None else self.order[epoch, part])
        return found

    def write(self, folder: Path) -> None:
        (folder / "workload.json").write_text(json.dumps(asdict(self.workload)))
        np.save(folder / "X.npy", self.X)
        np.save(folder / "labels.npy", self.labels)
        if self.order is not None:
            np.save(folder / "order.npy", self.order)
        arrays = {f"{kind}{n}": a for n, pair in enumerate(self.start, 1) for kind, a in zip("Wb", pair, strict=True)}
        np.savez(folder / "start.npz", **arrays)

    @classmethod
    def read(cls, folder: Path) -> Problem:
        plain = json.loads((folder / "workload.json").read_text())
        image, stages = plain["image"], tuple(Stage(**stage) for stage in plain["stages"])
        kept = {"widths": tuple(plain["widths"]), "image": image and tuple(image), "stages": stages}
        workload = Workload(**{**plain, **kept})
        with np.load(folder / "start.npz") as stored:
            start = [(stored[f"W{n}"], stored[f"b{n}"]) for n in range(1, len(stages) + len(workload.widths))]
        order = np.load(folder / "order.npy") if (folder / "order.npy").exists() else None
        return cls(workload, np.load(folder / "X.npy"), np.load(folder / "labels.npy"), start, order)


def mean_cross_entropy(problem: Problem, parameters: Parameters) -> float:
    """The final training loss of every peer, in float64: mean over rows of −log P(label).

    One column of scores is taken as the score of label 1.
    """
    known = {"tanh": np.tanh, "relu": lambda z: np.maximum(z, 0), "sigmoid": lambda z: 0.5 + 0.5 * np.tanh(z / 2)}
    hidden, stages = known.get(problem.workload.activation), problem.workload.stages
    layers = [(np.asarray(W, np.float64), np.asarray(b, np.float64)) for W, b in parameters]
    total, piece = 0.0, 512 if stages else 4096
    for first in range(0, len(problem.X), piece):
        A = problem.X[first : first + piece].astype(np.float64)
        label = problem.labels[first : first + piece]
        for stage, (W, b) in zip(stages, layers, strict=False):
            A = windows_of(hidden(convolved(A, W, stage.padding) + b[:, None, None]), stage.pool).max(axis=-1)
        A = A.reshape(len(A), -1)
        for W, b in layers[len(stages) : -1]:
            A = hidden(A @ W + b)
        Z = A @ layers[-1][0] + layers[-1][1]
        if Z.shape[1] == 1:
            Z = np.column_stack([np.zeros(len(Z)), Z[:, 0]])
        top = Z.max(axis=1)
        total += float((top + np.log(np.exp(Z - top[:, None]).sum(axis=1)) - Z[np.arange(len(Z)), label]).sum())
    return total / len(problem.X)
