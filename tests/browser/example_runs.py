"""The trainings whose pages are opened: small, seeded, on both engines."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import glassnet as gn
from glassnet.data import Preparation, dataset
from glassnet.estimators import Perceptron

GOLDEN = Path(__file__).parents[1] / "golden" / "08_seed002_3x4.json"
SCREENS = {"wide": {"width": 1200}, "narrow and dark": {"width": 380, "dark": True}}
"""How a page is looked at."""
ACTIVATIONS = {
    "linear": lambda Z: Z,
    "relu": lambda Z: np.maximum(Z, 0),
    "tanh": np.tanh,
    "sigmoid": lambda Z: 1 / (1 + np.exp(-Z)),
    "softmax": lambda Z: np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True),
}
COSTS = {
    "binary_cross_entropy": lambda A, Y: -np.mean(Y * np.log(A) + (1 - Y) * np.log(1 - A)),
    "categorical_cross_entropy": lambda A, Y: -np.mean(np.sum(Y * np.log(A), axis=1)),
    "mean_squared_error": lambda A, Y: np.mean(np.sum((A - Y) ** 2, axis=1)) / 2,
}


def answers(run, iteration, X):
    """What the network of this iteration answers, written out with NumPy."""
    parameters = run.at(iteration).parameters
    for number, layer in enumerate(run.network.layers, 1):
        X = ACTIVATIONS[layer.activation](X @ parameters[f"W{number}"] + parameters[f"b{number}"])
    return X


def prepared(name, **settings):
    """A data set that comes with glassnet, trained on with how its columns were prepared, so a report can say it."""
    table = dataset(name).table
    preparation = Preparation.fit(table, table.column_names[-1])
    X, Y = preparation.transform(table), preparation.transform_target(table)
    return gn.train(settings.pop("network"), X, Y, preparation=preparation, progress=False, seed=1, **settings)


@cache
def flower(engine):
    return prepared(
        "flower", network=gn.Network(2, gn.Dense(40, "tanh"), gn.Dense(1, "sigmoid")), optimizer=gn.SGD(1.2), epochs=60,
        engine=engine,
    )  # fmt: skip


@cache
def iris(engine):
    return prepared(
        "iris", network=gn.Network(4, gn.Dense(8, "relu"), gn.Dense(3, "softmax")), optimizer=gn.Adam(0.02), epochs=12,
        batch_size=16, validation=0.2, engine=engine,
    )  # fmt: skip


@cache
def seed002(engine):
    """Seed 002's worked example: 3 samples of 4 features, 3 hidden units; its sums are over the samples."""
    case = json.loads(GOLDEN.read_text())
    start = case["initial"]
    return gn.train(
        gn.Network(4, gn.Dense(3, "sigmoid"), gn.Dense(1, "sigmoid")), np.array(case["X"], float), np.array(case["Y"], float),
        loss="mean_squared_error", optimizer=gn.SGD(3 * case["lr"]), epochs=10, engine=engine, shuffle=False, progress=False,
        initial_parameters={"W1": start["wh"], "b1": start["bias_in"], "W2": start["wout"], "b2": start["bias_out"]},
    )  # fmt: skip


@cache
def drawn(rows, columns):
    draw = np.random.Generator(np.random.Philox(5))
    return np.round(draw.standard_normal((rows, columns)), 3)


@cache
def perceptron(engine):
    X = drawn(12, 3)
    return Perceptron(batch_size=None, max_iter=5, random_state=0).fit(X, X @ [1, -2, 0.5] > 0.2).run_


@cache
def regression(engine):
    X = drawn(12, 3)
    return gn.train(
        gn.Network(3, gn.Dense(1)), X, X @ [[1.0], [-2.0], [0.5]] + 0.25, optimizer=gn.SGD(0.1), epochs=20, engine=engine,
        progress=False, seed=1,
    )  # fmt: skip


@cache
def images(engine):
    """A network of the size that reads handwritten digits, on drawn pictures of 28 × 28."""
    draw = np.random.Generator(np.random.Philox(6))
    X = np.round(draw.random((96, 784)) * (draw.random((96, 784)) < 0.2), 3)
    Y = np.eye(10)[np.arange(96) % 10]
    return gn.train(
        gn.Network(784, gn.Dense(20, "sigmoid"), gn.Dense(10, "softmax")), X, Y, optimizer=gn.SGD(0.5), epochs=3,
        batch_size=32, engine=engine, progress=False, seed=1,
    )  # fmt: skip


@cache
def mixed(engine):
    """A training with something of everything: normalised batches, dropout, penalties, single precision."""
    X = drawn(14, 3)
    layers = gn.Dense(4, "elu"), gn.BatchNorm(), gn.Dropout(0.5), gn.Dense(3, "softmax")
    return gn.train(
        gn.Network(3, *layers), X, np.eye(3)[np.arange(14) % 3], optimizer=gn.SGD(0.1, momentum=0.9), epochs=4, batch_size=6,
        l1=0.01, l2=0.02, dtype="float32", engine=engine, progress=False, seed=1,
    )  # fmt: skip


@cache
def digits(engine):
    """Handwritten digits of 8 × 8, read by a small convolutional network."""
    from sklearn.datasets import load_digits

    data = load_digits()
    layers = gn.Conv2D(4, 3, "relu"), gn.MaxPool2D(2), gn.Flatten(), gn.Dense(10, "softmax")
    return gn.train(
        gn.Network((1, 8, 8), *layers), data.images[:48, None] / 16, np.eye(10)[data.target[:48]], optimizer=gn.SGD(0.5),
        epochs=2, batch_size=6, engine=engine, progress=False, seed=1,
    )  # fmt: skip


@cache
def colours(engine):
    """Coloured pictures, and something of everything: strides, padding, dilation, normalised channels, an average pool."""
    X = drawn(6, 3 * 7 * 6).reshape(6, 3, 7, 6)
    layers = (
        gn.Conv2D(2, 3, "tanh", stride=2, padding="same"), gn.BatchNorm(), gn.Conv2D(4, 2, padding="same", dilation=2),
        gn.AveragePool2D(2, leftover="drop"), gn.Dropout(0.5, channels=True), gn.Flatten(), gn.Dense(3, "softmax"),
    )  # fmt: skip
    return gn.train(
        gn.Network((3, 7, 6), *layers), X, np.eye(3)[np.arange(6) % 3], optimizer=gn.SGD(0.1), epochs=3, batch_size=3,
        engine=engine, progress=False, seed=1,
    )  # fmt: skip


@cache
def diverged(engine):
    """A training whose numbers grew beyond all bounds: its last steps hold infinities."""
    X = 1000 * drawn(12, 3)
    with pytest.warns(gn.GlassnetWarning, match="diverges|Training stopped"):
        return gn.train(
            gn.Network(3, gn.Dense(2, "relu"), gn.Dense(1)), X, X[:, :1], optimizer=gn.SGD(10.0), epochs=50, engine=engine,
            progress=False, seed=1,
        )  # fmt: skip


RUNS = {
    f.__name__: f for f in (flower, iris, seed002, perceptron, regression, images, mixed, digits, colours, diverged)
}
