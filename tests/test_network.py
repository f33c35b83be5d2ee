"""`Network` and its layers: what they refuse, how they read, and when they are equal."""

from __future__ import annotations

import numpy as np
import pytest

import glassnet as gn
from glassnet.errors import GlassnetError
from glassnet.network import LAYERS

SHAPE = "Network got the input shape {}; it needs the number of features, a whole number above 0, or (channels, "
SHAPE += "height, width) of images."
LAYER = (
    "it needs Dense, Conv2D, MaxPool2D, AveragePool2D, GlobalAveragePool2D, Flatten, Activation, Dropout, BatchNorm after the "
    "shape of the inputs."
)
UNITS = "Dense got {} units; it needs a whole number, 1 or more."
FRACTION = "it needs a number from 0 up to, but not including, 1."


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: gn.Network(3), "Network got no layer with weights; it needs at least one, e.g. Dense(1)."),
        (lambda: gn.Network(3, gn.Dropout()), "Network got no layer with weights; it needs at least one, e.g. Dense(1)."),
        (lambda: gn.Network(0, gn.Dense(1)), SHAPE.format(0)),
        (lambda: gn.Network(-2, gn.Dense(1)), SHAPE.format(-2)),
        (lambda: gn.Network(2.5, gn.Dense(1)), SHAPE.format(2.5)),
        (lambda: gn.Network(True, gn.Dense(1)), SHAPE.format(True)),
        (lambda: gn.Network("3", gn.Dense(1)), SHAPE.format("'3'")),
        (lambda: gn.Network(None, gn.Dense(1)), SHAPE.format(None)),
        (lambda: gn.Network((28, 28), gn.Dense(1)), SHAPE.format((28, 28))),
        (lambda: gn.Network((1, 28, 28), gn.Dense(1)),
         "Dense 1 got 1 map of 28×28; it needs one row of numbers a sample: put Flatten() or GlobalAveragePool2D() before it."),
        (lambda: gn.Network((), gn.Dense(1)), SHAPE.format(())),
        (lambda: gn.Network(3, gn.Dense),
         "Network got <class 'glassnet.layers.Dense'> as a layer (write the class with its parentheses, as in Dense(10)); "
         + LAYER),
        (lambda: gn.Network(3, 40, gn.Dense(1)), f"Network got 40 as a layer; {LAYER}"),
        (lambda: gn.Network(3, "tanh"), f"Network got 'tanh' as a layer; {LAYER}"),
        (lambda: gn.Network(gn.Dropout(0.1)), SHAPE.format("Dropout(rate=0.1, channels=False)")),
        (lambda: gn.Dense(0), UNITS.format(0)),
        (lambda: gn.Dense(-1), UNITS.format(-1)),
        (lambda: gn.Dense(1.5), UNITS.format(1.5)),
        (lambda: gn.Dense(True), UNITS.format(True)),
        (lambda: gn.Dense("4"), UNITS.format("'4'")),
        (lambda: gn.Dense(4, "rleu"),
         "There is no activation 'rleu'; did you mean 'relu'? Known: linear, sigmoid, tanh, relu, leaky_relu, elu, gelu, "
         "softplus, softmax, exp, step."),
        (lambda: gn.Dense(4, bias_init="zero"),
         "There is no initialiser 'zero'; did you mean 'zeros'? Known: auto, zeros, ones, constant, normal, uniform, "
         "xavier, he, lecun, orthogonal."),
        (lambda: gn.Activation("tanhh"),
         "There is no activation 'tanhh'; did you mean 'tanh'? Known: linear, sigmoid, tanh, relu, leaky_relu, elu, gelu, "
         "softplus, softmax, exp, step."),
        (lambda: gn.Network(3, gn.Activation("tanh"), gn.Dense(1)),
         "An Activation layer got the raw inputs; put a Dense or Conv2D layer before it."),
        (lambda: gn.Network(3, gn.Dense(4, "tanh"), gn.Activation("relu"), gn.Dense(1)),
         "Dense 1 has the activation 'tanh' and an Activation layer follows it; give Dense no activation, or leave the "
         "Activation layer out."),
        (lambda: gn.Network(3, gn.Dense(2), gn.Dense(4, "tanh"), gn.BatchNorm(), gn.Activation("relu")),
         "Dense 2 has the activation 'tanh' and an Activation layer follows it; give Dense no activation, or leave the "
         "Activation layer out."),
        (lambda: gn.Network(3, gn.Dense(4), gn.BatchNorm(), gn.BatchNorm(), gn.Dense(1)),
         "Layer 1 has two batch normalisations (mu1 twice); put a Dense or Conv2D layer between them, or leave one out."),
        (lambda: gn.Network(3, gn.Dense(4), gn.Dropout(), gn.Dropout(), gn.Dense(1)),
         "Layer 1 has two dropouts (D1 twice); put a Dense or Conv2D layer between them, or leave one out."),
        (lambda: gn.Network(3, gn.Dense(4), gn.Activation("tanh"), gn.Activation("relu")),
         "Layer 1 has two activations (A1 twice); put a Dense or Conv2D layer between them, or leave one out."),
        (lambda: gn.Dropout(1.0), f"Dropout got rate=1.0; {FRACTION}"),
        (lambda: gn.Dropout(-0.1), f"Dropout got rate=-0.1; {FRACTION}"),
        (lambda: gn.Dropout("0.5"), f"Dropout got rate='0.5'; {FRACTION}"),
        (lambda: gn.BatchNorm(momentum=0), "BatchNorm got momentum=0; it needs a finite number above 0."),
        (lambda: gn.BatchNorm(momentum=1.5), "BatchNorm got momentum=1.5; it needs a number above 0, at most 1."),
        (lambda: gn.BatchNorm(epsilon=float("nan")), "BatchNorm got epsilon=nan; it needs a finite number above 0."),
    ],
)  # fmt: skip
def test_refused_networks(make, sentence):
    with pytest.raises(GlassnetError) as caught:
        make()
    assert str(caught.value) == sentence


OWN = gn.activation("swish", lambda z: z * gn.sigmoid(z))


@pytest.mark.parametrize(
    ("net", "text"),
    [
        (gn.Network(2, gn.Dense(40, "tanh"), gn.Dense(1, "sigmoid")), "2 → 40 tanh → 1 sigmoid"),
        (gn.Network((4,), gn.Dense(3, "softmax", bias=False)), "4 → 3 softmax without bias"),
        (gn.Network(3, gn.Dense(5), gn.BatchNorm(), gn.Activation("relu"), gn.Dropout(0.25), gn.Dense(1)),
         "3 → 5 linear → batch norm → relu → dropout 0.25 → 1 linear"),
        (gn.Network(3, gn.Dense(5, OWN), gn.Dense(1)), "3 → 5 swish → 1 linear"),
    ],
)  # fmt: skip
def test_text(net, text):
    assert str(net) == text


@pytest.mark.parametrize(
    "net",
    [
        gn.Network(2, gn.Dense(40, "tanh"), gn.Dense(1, "sigmoid")),
        gn.Network(3, gn.Dense(5), gn.BatchNorm(0.2, 1e-3), gn.Activation("relu"), gn.Dropout(0.25), gn.Dense(1)),
        gn.Network(3, gn.Dense(5, "relu", init="normal(0.01)", bias_init="constant(0.1)", bias=False)),
        gn.Network(np.int64(3), gn.Dense(np.int64(2))),
    ],
    ids=str,
)
def test_repr_is_python(net):
    assert eval(repr(net), {**LAYERS, "Network": gn.Network}) == net
    assert repr(eval(repr(net), {**LAYERS, "Network": gn.Network})) == repr(net)


def test_repr_to_the_letter():
    assert repr(gn.Network(2, gn.Dense(1, "sigmoid"), gn.Dropout(0.5))) == (
        "Network(2, Dense(units=1, activation='sigmoid', init='auto', bias_init='zeros', bias=True), "
        "Dropout(rate=0.5, channels=False))"
    )


def test_equality():
    def make(units=4, activation="tanh", **settings):
        return gn.Network(3, gn.Dense(units, activation, **settings), gn.Dense(1))

    assert make() == make()
    assert hash(make()) == hash(make())
    assert make() == gn.Network((3,), gn.Dense(4, gn.tanh), gn.Dense(1))
    assert make(init="normal") == make(init="normal(0.01)") == make(init=" normal( 1e-2 )")
    assert make(activation=OWN) == make(activation=gn.activation("swish", lambda z: z * gn.sigmoid(z)))
    for other in (make(5), make(activation="relu"), make(init="he"), make(bias=False), make(bias_init="ones")):
        assert make() != other
    assert make() != gn.Network(4, gn.Dense(4, "tanh"), gn.Dense(1))
    assert len({make(), make(), make(5)}) == 2


def test_networks_are_frozen():
    net = gn.Network(3, gn.Dense(1))
    with pytest.raises(AttributeError):
        net.layers = ()
    with pytest.raises(AttributeError):
        net.layers[0].units = 2


def test_what_a_network_answers_with():
    assert gn.Network(3, gn.Dense(4), gn.Dense(2), gn.Dropout(0.1)).output_units == 2
    start = gn.Network(3, gn.Dense(4), gn.BatchNorm(), gn.Dense(2, bias=False)).initial_parameters(0)
    assert {name: value.shape for name, value in start.items()} == {
        "W1": (3, 4), "b1": (4,), "gamma1": (4,), "beta1": (4,), "W2": (4, 2),
    }  # fmt: skip


def test_the_forward_lines_follow_the_layers():
    net = gn.Network(3, gn.Dense(4), gn.BatchNorm(), gn.Activation("relu"), gn.Dropout(0.5), gn.Dense(1))
    names = [equation.name for equation in net.forward().equations]
    assert names == ["Z1", "mu1", "C1", "var1", "sd1", "N1", "B1", "A1", "D1", "Z2", "A2"]
    plain = gn.Network(3, gn.Dense(4, "relu"), gn.Dropout(0.0), gn.Dense(1))
    assert [equation.name for equation in plain.forward().equations] == ["Z1", "A1", "Z2", "A2"]
    assert all(equation.layer == int(equation.name[-1]) for equation in net.forward().equations)
