"""The notation of networks: what `str` writes, `Network.parse` reads, for every network."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import glassnet as gn
from glassnet.equations.functions import ACTIVATIONS
from glassnet.errors import GlassnetError

SWISH = gn.activation("swish", lambda z: z * gn.sigmoid(z))


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("2 → 40 tanh → 1 sigmoid", gn.Network(2, gn.Dense(40, "tanh"), gn.Dense(1, "sigmoid"))),
        ("2 -> dense 40 tanh -> 1", gn.Network(2, gn.Dense(40, "tanh"), gn.Dense(1))),
        ("2, 40 TANH, Dense 1 Sigmoid", gn.Network(2, gn.Dense(40, "tanh"), gn.Dense(1, "sigmoid"))),
        (
            "1x28x28, conv 8x5 relu, pool 2, flatten, dense 10 softmax",
            gn.Network((1, 28, 28), gn.Conv2D(8, 5, "relu"), gn.MaxPool2D(2), gn.Flatten(), gn.Dense(10, "softmax")),
        ),
        (
            "3 X 9 × 8 → Conv 4X3x2 same stride 1x2 dilation 2 init normal(0.1) bias init ones → global average → 2 softmax",
            gn.Network(
                (3, 9, 8),
                gn.Conv2D(4, (3, 2), stride=(1, 2), padding="same", dilation=2, init="normal(0.1)", bias_init="ones"),
                gn.GlobalAveragePool2D(),
                gn.Dense(2, "softmax"),
            ),
        ),
        (
            "1×9×9 → conv 2x3 linear without bias → batch norm momentum 0.2 → relu → dropout 0.25 channels → max pool 3 "
            "stride 2 → conv 1x1 → average pool 2x1 drop leftover → flatten → 1",
            gn.Network(
                (1, 9, 9), gn.Conv2D(2, 3, bias=False), gn.BatchNorm(0.2), gn.Activation("relu"),
                gn.Dropout(0.25, channels=True), gn.MaxPool2D(3, 2), gn.Conv2D(1, 1),
                gn.AveragePool2D((2, 1), leftover="drop"), gn.Flatten(),
                gn.Dense(1),
            ),
        ),
    ],
)  # fmt: skip
def test_what_a_person_writes(text, network):
    assert gn.Network.parse(text) == network
    assert gn.Network.parse(str(network)) == network


def test_the_shape_may_be_passed():
    wanted = gn.Network((1, 8, 8), gn.Conv2D(4, 3, "relu"), gn.Flatten(), gn.Dense(10, "softmax"))
    text = "conv 4x3 relu, flatten, dense 10 softmax"
    assert gn.Network.parse(text, (1, 8, 8)) == wanted
    assert gn.Network.parse(text.replace(",", " →"), input_shape=(1, 8, 8)) == wanted
    assert gn.Network.parse(str(wanted), (1, 8, 8)) == wanted
    assert gn.Network.parse("10, 10 softmax", 4) == gn.Network(4, gn.Dense(10), gn.Dense(10, "softmax"))


def test_own_activations_are_passed():
    network = gn.Network(2, gn.Dense(3, SWISH), gn.Dense(1))
    assert gn.Network.parse(str(network), activations=[SWISH]) == network
    with pytest.raises(GlassnetError, match="'swish' is no activation"):
        gn.Network.parse(str(network))


names = st.sampled_from(["linear", "tanh", "relu", "leaky_relu", "gelu"])
numbers = st.floats(0.001, 0.999)
inits = st.sampled_from(["auto", "zeros", "he", "normal(0.3)", "uniform(-0.5, 0.25)", "constant(1e-05)"])
dense = st.builds(
    gn.Dense, st.integers(1, 99), names, init=inits, bias_init=st.sampled_from(["zeros", "ones", "uniform(0, 1)"]),
    bias=st.booleans(),
)  # fmt: skip
sides = st.one_of(st.integers(1, 3), st.tuples(st.integers(1, 3), st.integers(1, 3)))
conv = st.builds(
    gn.Conv2D, st.integers(1, 9), sides, names, stride=st.one_of(st.just(1), sides), padding=st.just("same"),
    dilation=sides, init=inits, bias=st.booleans(),
)  # fmt: skip
after = st.one_of(
    st.just(()),
    st.builds(lambda r: (gn.Dropout(r),), numbers),
    st.builds(lambda m, e: (gn.BatchNorm(m, e),), numbers, numbers),
)
image_after = st.one_of(after, st.builds(lambda r: (gn.Dropout(r, channels=True),), numbers))
pools = st.one_of(
    st.just(()),
    st.builds(lambda kind, size, stride: (kind(size, stride, "drop"),), st.sampled_from([gn.MaxPool2D, gn.AveragePool2D]),
              st.integers(1, 2), st.one_of(st.none(), st.integers(1, 2))),
)  # fmt: skip


@given(st.lists(st.tuples(dense, after), min_size=1, max_size=4))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_there_and_back_of_tables(layers):
    network = gn.Network(3, *(part for layer, rest in layers for part in (layer, *rest)))
    assert gn.Network.parse(str(network)) == network


bridges = st.sampled_from([gn.Flatten(), gn.GlobalAveragePool2D()])


@given(st.lists(st.tuples(conv, image_after, pools), min_size=1, max_size=2), bridges)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_there_and_back_of_images(layers, bridge):
    network = gn.Network(
        (2, 32, 31), *(part for layer, *rest in layers for part in (layer, *sum(rest, ()))), bridge, gn.Dense(2)
    )
    assert gn.Network.parse(str(network)) == network


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation(name):
    network = gn.Network(3, gn.Dense(4, name), gn.Dense(1))
    assert gn.Network.parse(str(network)) == network


@pytest.mark.parametrize(
    ("text", "shape", "sentence"),
    [
        ("conv 8x5 relu, pool 2", None, "without the shape of the inputs; begin with it"),
        ("2", None, "without the shape of the inputs"),
        ("", 2, "got no layers"),
        ("2 → 40 tanhh → 1", None, "cannot read '40 tanhh': 'tanhh' is no activation; did you mean 'tanh'?"),
        ("2 → convv 8x5 → 1", None, "cannot read 'convv 8x5': 'convv' is no layer; did you mean 'conv'?"),
        (
            "conv relu",
            (1, 8, 8),
            "cannot read 'conv relu': it needs filters and the size of a kernel, as in 'conv 8x5 relu'.",
        ),
        ("conv 8 relu", (1, 8, 8), "conv needs filters x size"),
        ("pool, flatten, 1", (1, 8, 8), "cannot read 'pool': a pool needs the size of its window, as in 'pool 2'."),
        ("2 → 40 tanh 3 → 1", None, "cannot read '40 tanh 3': '3' is left over."),
        ("2 → → 1", None, "a layer is missing between two separators"),
        ("dropout half, 1", 2, "dropout needs a rate, as in 'dropout 0.5'"),
        (
            "1x9x9 → flatten → 1",
            (1, 8, 8),
            "got '1x9x9' as the shape of the inputs, and it is 1×8×8; leave it out.",
        ),
        ("dense relu", 2, "it needs a number of units, as in 'dense 40 tanh'"),
    ],
)
def test_what_cannot_be_read(text, shape, sentence):
    with pytest.raises(GlassnetError) as caught:
        gn.Network.parse(text, shape)
    assert sentence in str(caught.value)


def test_no_text():
    with pytest.raises(GlassnetError, match=r"Network\.parse got int; it needs a text"):
        gn.Network.parse(3)
