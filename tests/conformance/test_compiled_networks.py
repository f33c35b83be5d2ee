"""The compiled engine computes what the reference engine computes: every activation, loss and layer."""

from __future__ import annotations

import numpy as np
import pytest
from twins import agree, inputs, targets

import glassnet as gn
from glassnet.equations.functions import ACTIVATIONS
from glassnet.equations.losses import LOSSES, pairing

BOTH = pytest.mark.parametrize("dtype", ["float64", "float32"])
HIDDEN = [name for name in ACTIVATIONS if name != "step"]
X = inputs()


def fitting():
    """Every loss with every output activation that may stand under it."""
    for loss in LOSSES:
        for head, kind in ACTIVATIONS.items():
            try:
                pairing(gn.loss(loss), kind, 2)
            except gn.GlassnetError:
                continue
            yield loss, head


@BOTH
@pytest.mark.parametrize(("loss", "head"), list(fitting()))
def test_every_loss_with_every_output(loss, head, dtype):
    for units in (1, 3) if head != "softmax" else (2, 3):
        net = gn.Network(3, gn.Dense(4, "tanh"), gn.Dense(units, head))
        if head == "step":  # the threshold rule has one layer
            net = gn.Network(3, gn.Dense(units, head))
        agree(net, X, targets(loss, units), loss=loss, optimizer=gn.SGD(0.05), epochs=10, batch_size=7, dtype=dtype)


@BOTH
@pytest.mark.parametrize("loss", ["binary_cross_entropy", "categorical_cross_entropy"])
def test_soft_targets(loss, dtype):
    net = gn.Network(3, gn.Dense(4, "tanh"), gn.Dense(3, "sigmoid" if loss.startswith("binary") else "softmax"))
    agree(net, X, targets(loss, 3, soft=True), epochs=50, dtype=dtype)


@BOTH
@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("depth", [1, 2, 3, 10])
def test_every_hidden_layer_at_every_depth(hidden, depth, dtype):
    if hidden == "exp" and depth == 10:
        depth = 4  # exp of exp of exp of exp: more of them overflow
    layers = [gn.Dense(5, hidden, init="normal(0.3)") for _ in range(depth)]
    net = gn.Network(3, *layers, gn.Dense(2))
    agree(net, X, targets("mean_squared_error", 2), optimizer=gn.SGD(0.02), epochs=10, batch_size=7, dtype=dtype)


@pytest.mark.parametrize("units", [1, 2, 3, 7, 8, 9, 33, 130])
def test_every_width(units):
    net = gn.Network(3, gn.Dense(units, "tanh"), gn.Dense(units, "sigmoid"), gn.Dense(2))
    agree(net, X, targets("huber", 2), loss="huber", epochs=10, batch_size=7)


def test_many_rows_and_columns():
    wide = inputs(2000, 40)
    net = gn.Network(40, gn.Dense(64, "relu"), gn.Dense(3, "softmax"))
    Y = targets("categorical_cross_entropy", 3, 2000)
    for size in (None, 256, 1399):
        agree(net, wide, Y, optimizer=gn.SGD(0.1), epochs=3, batch_size=size, validation=0.3)


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_hardly_any_rows(rows):
    net = gn.Network(3, gn.Dense(4, "tanh"), gn.Dense(2))
    for size in (None, 1, 2):
        agree(
            net,
            X[:rows],
            targets("mean_absolute_error", 2, rows),
            loss="mean_absolute_error",
            epochs=20,
            batch_size=size,
        )


OWN = {
    "swish": lambda z: z * gn.sigmoid(z),
    "cubic": lambda z: 0.1 * z**3 - z,
    "root": lambda z: (z**2 + 1) ** 0.5 - 1,
    "fourth": lambda z: 0.1 * z**4,
    "fractional": lambda z: (1 + gn.exp(z)) ** 0.3,
    "negative_power": lambda z: (1 + z * z) ** -1,
    "two_to_the": lambda z: 2.0 ** (-(z**2)),
    "own_to_own": lambda z: (1 + z**2) ** gn.tanh(z),
    "bent": lambda z: gn.where(z > 0.5, z, 0.1 * z + 0.2),
    "bent_thrice": lambda z: gn.where(z >= 1.0, 1.0, gn.where(z <= -1.0, -1.0, z)),
    "other_way": lambda z: gn.where(gn.sin(z) > 0.3, gn.cos(z), z / 3),
    "clipped": lambda z: gn.minimum(gn.maximum(z, -1.0), 1.0),
    "larger": lambda z: gn.maximum(z, gn.sin(z)) + gn.minimum(gn.cos(z), z**2),
    "waves": lambda z: gn.sin(2 * z) + gn.cos(z) / 2,
    "logarithm": lambda z: gn.log(1 + gn.exp(-z)) - gn.log1p(z**2),
    "soft": lambda z: gn.softplus(z) - gn.expm1(-gn.abs(z)),
    "error": lambda z: gn.erf(z) * gn.normal_cdf(-z),
    "signed_root": lambda z: gn.sign(z) * gn.sqrt(gn.abs(z) + 0.1),
    "quotient": lambda z: z / (1 + gn.abs(z)),
    "under_one": lambda z: 1 / (2 + gn.sin(z)) - 3 / (1 + z**2),
    "mish": lambda z: z * gn.tanh(gn.softplus(z)),
    "rectified": lambda z: gn.relu(z) - 0.1 * gn.relu(-z),
    "negative": lambda z: -(-z - 2.0) - 2.0,
}


@BOTH
@pytest.mark.parametrize("name", OWN)
def test_own_activations(name, dtype):
    own = gn.activation(name, OWN[name])
    net = gn.Network(3, gn.Dense(4, own, init="normal(0.5)"), gn.Dense(5), gn.Activation(own), gn.Dense(2))
    agree(net, X, targets("mean_squared_error", 2), optimizer=gn.SGD(0.02), epochs=10, batch_size=7, dtype=dtype)


def test_an_own_output():
    own = gn.activation("twice_tanh", lambda z: 2 * gn.tanh(z))
    agree(gn.Network(3, gn.Dense(2, own)), X, targets("mean_squared_error", 2), epochs=50)


OWN_LOSSES = {
    "cauchy": lambda y, a: gn.log(1 + (a - y) ** 2),
    "pinball": lambda y, a: gn.maximum(0.9 * (y - a), -0.1 * (y - a)),
    "logcosh": lambda y, a: gn.softplus(2 * (a - y)) - (a - y),
    "bounded": lambda y, a: gn.where(gn.abs(a - y) > 1.0, 1.0, (a - y) ** 4),
    "powers": lambda y, a: (1 + (a - y) ** 2) ** 0.7 + 0.1 * a**3 * y,
}


@BOTH
@pytest.mark.parametrize("name", OWN_LOSSES)
def test_own_losses(name, dtype):
    loss = gn.loss(name, OWN_LOSSES[name])
    net = gn.Network(3, gn.Dense(4, "tanh"), gn.Dense(2))
    Y = targets("mean_squared_error", 2)
    agree(net, X, Y, loss=loss, optimizer=gn.SGD(0.05), epochs=10, batch_size=7, dtype=dtype)
    agree(net, X, Y, loss=loss, optimizer=gn.SGD(0.05), epochs=10, dtype=dtype, sample_weight=np.arange(30) % 4)


LAYERS = {
    "dropout": (gn.Dense(6, "relu"), gn.Dropout(0.3), gn.Dense(2)),
    "dropout on the inputs": (gn.Dropout(0.2), gn.Dense(6, "tanh"), gn.Dropout(0.5), gn.Dense(2)),
    "dropout at the end": (gn.Dense(6, "tanh"), gn.Dense(2), gn.Dropout(0.1)),
    "dropout of nothing": (gn.Dense(6, "tanh"), gn.Dropout(0.0), gn.Dense(2)),
    "batch norm": (gn.Dense(6, "relu"), gn.BatchNorm(), gn.Dense(2)),
    "batch norm on the inputs": (gn.BatchNorm(), gn.Dense(6, "tanh"), gn.Dense(2)),
    "batch norm before the activation": (gn.Dense(6), gn.BatchNorm(), gn.Activation("relu"), gn.Dense(2)),
    "batch norm at the end": (gn.Dense(6, "tanh"), gn.Dense(2), gn.BatchNorm(momentum=0.5)),
    "both": (gn.Dense(6, "elu"), gn.BatchNorm(0.3, 1e-3), gn.Dropout(0.4), gn.Dense(5, "tanh"), gn.Dropout(0.1), gn.Dense(2)),
    "no bias": (gn.Dense(6, "tanh", bias=False), gn.Dense(2, bias=False)),
    "some bias": (gn.Dense(6, "tanh", bias=False), gn.Dense(5, "gelu", bias_init="ones"), gn.Dense(2, bias=False)),
}  # fmt: skip


@BOTH
@pytest.mark.parametrize("name", LAYERS)
def test_every_layer(name, dtype):
    Y = targets("mean_squared_error", 2)
    for size in (None, 8):
        agree(
            gn.Network(3, *LAYERS[name]), X, Y, optimizer=gn.SGD(0.05, momentum=0.5), epochs=13, batch_size=size, dtype=dtype,
            validation=0.2, seed=5,
        )  # fmt: skip


@BOTH
@pytest.mark.parametrize("hidden", ["tanh", "sigmoid", "relu", "softplus"])
@pytest.mark.parametrize("rows", [1, 5, 700])
def test_narrow_networks(hidden, rows, dtype):
    """Few inputs, one hidden layer, few outputs: in batches, whole, weighted, penalised, on several threads."""
    for features, width, units in ((1, 3, 1), (2, 40, 1), (4, 33, 3), (2, 200, 2)):
        x, y = inputs(rows, features), targets("mean_squared_error", units, rows)
        for bias in (True, False):
            net = gn.Network(features, gn.Dense(width, hidden, bias=bias), gn.Dense(units, bias=bias))
            for size, shuffle in ((None, False), (rows // 3 + 1, False), (rows // 3 + 1, True)):
                agree(
                    net, x, y, optimizer=gn.SGD(0.01, momentum=0.9), batch_size=size, shuffle=shuffle, epochs=3, dtype=dtype,
                    validation=(x[:3], y[:3]), l2=0.01 if bias else 0.0,
                )  # fmt: skip
