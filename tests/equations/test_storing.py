"""Every description goes to JSON text and comes back equal; nothing unknown is let in."""

from __future__ import annotations

import json

import numpy as np
import pytest

import glassnet as gn
from glassnet.equations.expression import Constant, Mean, Sum, Symbol, Transpose
from glassnet.equations.functions import ACTIVATIONS, PRIMITIVES
from glassnet.equations.losses import LOSSES
from glassnet.equations.optimizers import OPTIMIZERS
from glassnet.equations.schedules import SCHEDULES
from glassnet.equations.storing import KNOWN, from_plain, to_plain
from glassnet.errors import GlassnetError
from glassnet.network import LAYERS

SWISH = gn.activation(
    "swish", lambda z: gn.where(z > -2, z * gn.sigmoid(z), 0.1 * abs(z) ** 2 - gn.maximum(z, 1.0) / 3)
)
CAUCHY = gn.loss("cauchy", lambda y, a: gn.log(1 + (a - y) ** 2))
EVERYTHING = {**KNOWN, **LAYERS, "Network": gn.Network}


def there_and_back(value, known=EVERYTHING):
    return from_plain(json.loads(json.dumps(to_plain(value))), known)


DESCRIPTIONS = [
    *(gn.Dense(3, a) for a in ACTIVATIONS),
    gn.Dense(3, SWISH, init="normal(0.01)", bias_init="uniform(0, 1)", bias=False),
    gn.Conv2D(3, (5, 2), "relu", stride=(1, 2), padding="same", dilation=2, init="normal(0.01)", bias=False),
    gn.Conv2D(3, 5, SWISH),
    gn.MaxPool2D((2, 3), stride=1, leftover="drop"),
    gn.AveragePool2D(3),
    gn.GlobalAveragePool2D(),
    gn.Flatten(),
    gn.Dropout(0.25, channels=True),
    gn.Activation("relu"),
    gn.Activation(SWISH),
    gn.Dropout(0.25),
    gn.BatchNorm(momentum=0.3, epsilon=1e-3),
    *LOSSES.values(),
    CAUCHY,
    *(kind() for kind in OPTIMIZERS.values()),
    gn.SGD(0.1, momentum=0.9, nesterov=True),
    gn.LBFGS(memory=3, tolerance=1e-6),
    gn.AdamW(gn.OneCycle(0.1, epochs=7, rise=0.2), weight_decay=0.3),
    *(kind(0.125) for kind in SCHEDULES.values()),
    *PRIMITIVES.values(),
    *ACTIVATIONS.values(),
    SWISH,
]


@pytest.mark.parametrize("value", DESCRIPTIONS, ids=lambda v: getattr(v, "name", None) or repr(v)[:60])
def test_there_and_back(value):
    back = there_and_back(value)
    assert back == value
    assert type(back) is type(value)


def test_every_kind_is_among_them():
    kinds = {type(value).__name__ for value in DESCRIPTIONS}
    assert set(LAYERS) | set(SCHEDULES) | {kind.__name__ for kind in OPTIMIZERS.values()} <= kinds


@pytest.mark.parametrize(
    "tree",
    [
        Symbol("X", ("m", 3)) @ Symbol("W1", (3, 4)) + Symbol("b1", (4,)),
        Sum(Symbol("A", ("m", 4)), 0) - Mean(Symbol("A", ("m", 4)), 1),
        -Transpose(Symbol("X", ("m", 3))),
        Constant(0.1, "λ") * Symbol("W1") ** 2 / 7,
        SWISH(Symbol("a")) >= 0.1,
    ],
    ids=str,
)
def test_expressions(tree):
    back = there_and_back(tree)
    assert back == tree
    assert back.shape == tree.shape
    assert hash(back) == hash(tree)


def test_numbers_come_back_to_the_last_digit():
    for value in (0.1, 1 / 3, 1e-300, np.nextafter(1.0, 2.0).item()):
        assert there_and_back(Constant(value)).value == value


def test_a_whole_network():
    net = gn.Network(
        3,
        gn.Dense(4),
        gn.BatchNorm(),
        gn.Activation(SWISH),
        gn.Dropout(0.1),
        gn.Dense(5, SWISH),
        gn.Dense(2, "softmax"),
    )
    layers = there_and_back(net.layers)
    assert gn.Network(3, *layers) == net
    there, here = gn.Network(3, *layers).initial_parameters(4), net.initial_parameters(4)
    assert all(np.array_equal(there[name], here[name]) for name in here)
    assert gn.derive(gn.Network(3, *layers), there_and_back(gn.derive(net).loss)).equations == gn.derive(net).equations


def test_own_functions_compute_what_they_did():
    values = np.linspace(-5, 5, 11)
    assert np.array_equal(there_and_back(SWISH)(values), SWISH(values))


def test_built_in_ones_are_stored_by_name():
    assert to_plain(gn.tanh) == {"is": "function", "name": "tanh"}
    assert to_plain(LOSSES["huber"]) == {"is": "loss", "name": "huber"}
    assert there_and_back(gn.tanh) is gn.tanh


def test_an_own_loss_that_took_a_known_name_keeps_its_formula():
    # Only equality with the built-in one makes the short form.
    from glassnet.equations.losses import Loss

    odd = Loss("huber", CAUCHY.entry)
    assert there_and_back(odd) == odd
    assert there_and_back(odd) != LOSSES["huber"]


@pytest.mark.parametrize(
    ("plain", "sentence"),
    [
        ({"is": "Popen", "args": "ls"}, "A stored description has the kind 'Popen', which this glassnet does not know."),
        ({"is": "function", "name": "eval"}, "A stored description names the function 'eval', which is not known."),
        ({"is": "function"}, "A stored description names the function None, which is not known."),
        ({"is": "loss", "name": "huuber"}, "A stored description names the loss 'huuber', which is not known."),
        ({"is": "SGD", "learning_rate": -1}, "SGD got learning_rate=-1; it needs a finite number above 0."),
        ([{"is": "Adam", "beta1": {"is": "os"}}], "A stored description has the kind 'os', which this glassnet does not know."),
        ({"is": "Dense", "units": 0}, "Dense got 0 units; it needs a whole number, 1 or more."),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_not_let_in(plain, sentence):
    with pytest.raises(GlassnetError) as caught:
        from_plain(plain, EVERYTHING)
    assert str(caught.value) == sentence


def test_fields_that_do_not_fit():
    with pytest.raises(GlassnetError) as caught:
        from_plain({"is": "SGD", "rate": 0.1, "speed": 2})
    assert str(caught.value).startswith("A stored SGD has the fields rate, speed, which do not fit: ")
    with pytest.raises(GlassnetError) as caught:
        from_plain({"is": "Dense", "units": 3})
    assert str(caught.value) == "A stored description has the kind 'Dense', which this glassnet does not know."


def test_what_cannot_be_stored():
    with pytest.raises(TypeError) as caught:
        to_plain(gn.Dense)
    assert str(caught.value) == "type cannot be stored as JSON."
    with pytest.raises(TypeError) as caught:
        to_plain({"x": np.ones(2)})
    assert str(caught.value) == "ndarray cannot be stored as JSON."
