"""Small trainings that the tests of the pictures share, made once a process."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

import glassnet as gn
from glassnet.data import Preparation, dataset
from glassnet.training.run import Run


def message_of(call: Any, *arguments: Any, **options: Any) -> str:
    """The sentence a call is refused with."""
    with pytest.raises(gn.GlassnetError) as error:
        call(*arguments, **options)
    return str(error.value)


def drawn(ax: Any, gid: str) -> Any:
    """The one artist of this name."""
    found = [artist for artist in ax.get_children() if artist.get_gid() == gid]
    assert len(found) == 1, f"{len(found)} artists named {gid}"
    return found[0]


def tile(sheet: Any, drawn: Any, number: int) -> np.ndarray:
    """One map (height, width) of those that a Sheet has drawn."""
    top, left = sheet.corner(number)
    rows = slice(top, top + sheet.repeat * sheet.height, sheet.repeat)
    return np.asarray(drawn[rows, left : left + sheet.repeat * sheet.width : sheet.repeat])


def legend_texts(ax: Any) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def _trained(name: str, *hidden: gn.Dense, n: int | None = None, epochs: int = 40, **options: Any) -> Run:
    data = dataset(name, n=n)
    preparation = Preparation.fit(data.table, data.target, task=data.task)
    head = "linear" if preparation.classes is None else "sigmoid" if preparation.n_outputs == 1 else "softmax"
    return gn.train(
        gn.Network(preparation.n_inputs, *hidden, gn.Dense(preparation.n_outputs, head)),
        preparation.transform(data.table),
        preparation.transform_target(data.table),
        optimizer=gn.Adam(0.02),
        epochs=epochs,
        seed=3,
        preparation=preparation,
        progress=False,
        **options,
    )


@cache
def flower() -> Run:
    """Two features, two classes, standardised, so that own units and the network's differ."""
    return _trained("flower", gn.Dense(6, "tanh"), n=120, epochs=150)


@cache
def iris() -> Run:
    """Four features, three classes, batches and held-out rows."""
    return _trained("iris", gn.Dense(8, "relu"), gn.Dense(5, "tanh"), epochs=12, batch_size=40, validation=0.2)


@cache
def digits() -> Run:
    """61 of 64 pixels, ten classes; barely trained, so that it makes mistakes."""
    return _trained("digits", gn.Dense(12, "relu"), n=300, epochs=15)


@cache
def cancer() -> Run:
    return _trained("breast_cancer", gn.Dense(4, "relu"), n=200, epochs=6)


@cache
def diabetes() -> Run:
    """A quantity."""
    return _trained("diabetes", gn.Dense(4, "relu"), n=100, epochs=5)


@cache
def plain() -> Run:
    """Trained on arrays, without a preparation: three inputs, two classes."""
    draw = np.random.Generator(np.random.Philox(5))
    X = draw.normal(size=(60, 3))
    Y = (X @ [1.0, -2.0, 0.5] + 0.3 * draw.normal(size=60) > 0).astype(float)[:, None]
    return gn.train(
        gn.Network(3, gn.Dense(4, "tanh"), gn.Dense(1, "sigmoid")),
        X,
        Y,
        optimizer=gn.SGD(0.5),
        epochs=20,
        progress=False,
    )


@cache
def signed() -> Run:
    """Scores, not probabilities: the hinge on two inputs."""
    draw = np.random.Generator(np.random.Philox(6))
    X = draw.normal(size=(50, 2))
    Y = np.where(X @ [1.0, 1.0] + 0.4 * draw.normal(size=50) > 0, 1.0, -1.0)[:, None]
    return gn.train(gn.Network(2, gn.Dense(1)), X, Y, loss="hinge", optimizer=gn.SGD(0.5), epochs=30, progress=False)


@cache
def coloured() -> Run:
    """Two numbers and a column of three categories."""
    import pyarrow as pa

    draw = np.random.Generator(np.random.Philox(7))
    a, b = draw.normal(10, 3, size=80), draw.normal(size=80)
    colour = np.array(["red", "blue", "blue", "green"])[np.arange(80) % 4]
    table = pa.table(
        {"a": a, "b": b, "colour": colour, "kind": np.where(a - 10 + b + (colour == "red") > 0, "yes", "no")}
    )
    preparation = Preparation.fit(table, "kind")
    return gn.train(
        gn.Network(5, gn.Dense(3, "tanh"), gn.Dense(1, "sigmoid")), preparation.transform(table),
        preparation.transform_target(table), optimizer=gn.Adam(0.05), epochs=40, preparation=preparation, progress=False,
    )  # fmt: skip


@cache
def images() -> Run:
    """A small convolutional network on grey pictures of 8 × 8: the first 300 digits, ten classes."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    net = gn.Network((1, 8, 8), gn.Conv2D(8, 3, "relu"), gn.MaxPool2D(2), gn.Flatten(), gn.Dense(10, "softmax"))
    return gn.train(
        net, bunch.images[:300, None] / 16, bunch.target[:300], optimizer=gn.Adam(0.01), epochs=6, batch_size=50, seed=1,
        engine="reference", progress=False,
    )  # fmt: skip


@cache
def colour_images() -> Run:
    """Pictures in colour, not square, through strides, paddings, dilations, both pools and batch normalisation; two classes."""
    draw = np.random.Generator(np.random.Philox(8))
    X = draw.uniform(size=(40, 3, 13, 10))
    Y = (X[:, 0].mean(axis=(1, 2)) > X[:, 2].mean(axis=(1, 2))).astype(float)[:, None]
    net = gn.Network(
        (3, 13, 10), gn.Conv2D(5, (3, 2), stride=(2, 1), padding="same"), gn.BatchNorm(), gn.Activation("tanh"),
        gn.AveragePool2D((2, 3), stride=(1, 2), leftover="drop"), gn.Conv2D(4, 2, "relu", dilation=(2, 1), padding="same"),
        gn.Dropout(0.2), gn.GlobalAveragePool2D(), gn.Dense(3, "tanh"), gn.Dense(1, "sigmoid"),
    )  # fmt: skip
    return gn.train(
        net, X, Y, optimizer=gn.Adam(0.02), epochs=4, batch_size=20, seed=2, engine="reference", progress=False
    )
