"""Where training starts from, and the draws that are addressed and not counted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import glassnet as gn
from glassnet.equations.draws import check_seed, generator, keep_mask, permutation
from glassnet.equations.initializers import ARGUMENTS, Initializer, automatic, initializer
from glassnet.errors import GlassnetError


def draw(notation, shape=(200, 300), seed=0):
    return initializer(notation).draw(shape, np.random.default_rng(seed))


def test_the_ones_without_chance():
    assert draw("zeros", (2, 3)).tolist() == [[0.0] * 3] * 2
    assert draw("ones", (2,)).tolist() == [1.0, 1.0]
    assert draw("constant", (2,)).tolist() == [0.1, 0.1]
    assert draw("constant(-2.5)", (1, 2)).tolist() == [[-2.5, -2.5]]


@pytest.mark.parametrize(
    ("notation", "mean", "std"),
    [
        ("normal", 0.0, 0.01),
        ("normal(1)", 0.0, 1.0),
        ("uniform", 0.5, 1 / np.sqrt(12)),
        ("uniform(-1, 3)", 1.0, 4 / np.sqrt(12)),
        ("xavier", 0.0, np.sqrt(2 / (200 + 300))),  # variance of ±√(6/(n+k)): a third of its square
        ("he", 0.0, np.sqrt(2 / 200)),
        ("lecun", 0.0, np.sqrt(1 / 200)),
    ],
)
def test_moments(notation, mean, std):
    values = draw(notation)  # 60,000 draws: the mean is known to std / 245, the std to about 0.3 %
    assert values.shape == (200, 300)
    assert values.dtype == np.float64
    assert abs(values.mean() - mean) < 5 * std / 245
    assert values.std() == pytest.approx(std, rel=0.015)


@pytest.mark.parametrize(
    ("notation", "low", "high"),
    [("uniform", 0.0, 1.0), ("uniform(-1, 3)", -1.0, 3.0), ("xavier", -np.sqrt(6 / 500), np.sqrt(6 / 500))],
)
def test_ranges(notation, low, high):
    values = draw(notation)
    reach = (high - low) * 1e-3
    assert low <= values.min() < low + reach
    assert high - reach < values.max() <= high


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4), (1, 6)])
def test_orthogonal(shape):
    values = draw("orthogonal", shape)
    small = values.T @ values if shape[0] >= shape[1] else values @ values.T
    np.testing.assert_allclose(small, np.eye(min(shape)), atol=1e-14)
    assert values.shape == shape
    assert values.flags["C_CONTIGUOUS"]


def test_orthogonal_turns_both_ways():
    # Without the sign correction of QR every diagonal of R would be negative and the draw not uniform.
    signs = [np.sign(draw("orthogonal", (3, 3), seed)[0, 0]) for seed in range(200)]
    assert 60 < signs.count(1.0) < 140


def test_automatic_takes_the_activation_into_account():
    he = ("relu", "leaky_relu", "elu", "gelu", "softplus")
    assert all(automatic(name) == Initializer("he") for name in he)
    assert all(automatic(name) == Initializer("xavier") for name in ("tanh", "sigmoid", "linear", "softmax", "swish"))
    tall = gn.Network(400, gn.Dense(300, "relu"), gn.Dense(1)).initial_parameters(0)
    assert tall["W1"].std() == pytest.approx(np.sqrt(2 / 400), rel=0.02)
    later = gn.Network(400, gn.Dense(300), gn.BatchNorm(), gn.Activation("relu"), gn.Dense(1)).initial_parameters(0)
    assert np.array_equal(later["W1"], tall["W1"])
    assert np.abs(gn.Network(400, gn.Dense(300)).initial_parameters(0)["W1"]).max() <= np.sqrt(6 / 700)


def test_a_networks_start():
    net = gn.Network(3, gn.Dense(4, "relu", bias_init="constant(0.1)"), gn.BatchNorm(), gn.Dense(2, init="ones"))
    start = net.initial_parameters(0)
    assert list(start) == ["W1", "b1", "gamma1", "beta1", "W2", "b2"]
    assert start["b1"].tolist() == [0.1] * 4
    assert start["gamma1"].tolist() == [1.0] * 4
    assert start["beta1"].tolist() == [0.0] * 4
    assert start["W2"].tolist() == [[1.0, 1.0]] * 4
    assert start["b2"].tolist() == [0.0, 0.0]


def test_one_seed_is_one_start():
    net = gn.Network(3, gn.Dense(4, "relu"), gn.Dense(2))
    one, again, other = (net.initial_parameters(seed) for seed in (5, 5, 6))
    assert all(np.array_equal(one[name], again[name]) for name in one)
    assert not np.array_equal(one["W1"], other["W1"])
    assert not np.array_equal(one["W2"], other["W2"])


def test_one_layers_start_does_not_depend_on_the_others():
    def start(width, second="he", bias="zeros"):
        return gn.Network(
            3, gn.Dense(width, "relu", bias_init=bias), gn.Dense(4, "relu", second), gn.Dense(2)
        ).initial_parameters(1)

    narrow, wide = start(4), start(9)
    assert np.array_equal(narrow["W3"], wide["W3"])
    assert narrow["W2"].shape != wide["W2"].shape
    assert np.array_equal(start(4, "orthogonal")["W1"], narrow["W1"])
    assert np.array_equal(start(4, "orthogonal")["W3"], narrow["W3"])
    assert np.array_equal(start(4, bias="normal(1)")["W1"], narrow["W1"])
    square = gn.Network(3, gn.Dense(3, init="normal(1)"), gn.Dense(3, init="normal(1)")).initial_parameters(0)
    assert not np.array_equal(square["W1"], square["W2"])


def test_notation_goes_there_and_back():
    for notation in ("zeros", "constant(0.1)", "normal(0.01)", "uniform(0, 1)", "uniform(-0.5, 0.5)", "orthogonal"):
        assert str(initializer(notation)) == notation
        assert initializer(str(initializer(notation))) == initializer(notation)
    assert str(initializer("normal")) == "normal(0.01)"
    assert initializer(" normal ( 1e-2 ) ") == Initializer("normal", (0.01,))
    assert initializer(Initializer("he")) == initializer("he")
    assert {initializer(kind).kind for kind in ARGUMENTS} == set(ARGUMENTS)


KNOWN = "Known: auto, zeros, ones, constant, normal, uniform, xavier, he, lecun, orthogonal."


@pytest.mark.parametrize(
    ("notation", "sentence"),
    [
        ("xaver", f"There is no initialiser 'xaver'; did you mean 'xavier'? {KNOWN}"),
        ("normel(1)", f"There is no initialiser 'normel'; did you mean 'normal'? {KNOWN}"),
        ("normal(1", f"There is no initialiser 'normal(1'; did you mean 'normal'? {KNOWN}"),
        (7, f"There is no initialiser '7'. {KNOWN}"),
        ("normal(a)", "The initialiser 'normal(a)' has an argument that is no number; write normal(0.1)."),
        ("normal(1, 2)", "The initialiser 'normal(1, 2)' got 2 arguments; normal takes 1."),
        ("uniform(1)", "The initialiser 'uniform(1)' got 1 argument; uniform takes 2."),
        ("zeros(1)", "The initialiser 'zeros(1)' got 1 argument; zeros takes none."),
        ("normal(inf)", "The initialiser 'normal(inf)' got an argument that is not finite; give finite numbers."),
        ("normal(0)", "The initialiser 'normal(0)' needs a standard deviation above 0."),
        ("normal(-1)", "The initialiser 'normal(-1)' needs a standard deviation above 0."),
        ("uniform(1, 0)", "The initialiser 'uniform(1, 0)' needs its lower bound first, as in uniform(0, 1)."),
    ],
)
def test_refused_notations(notation, sentence):
    with pytest.raises(GlassnetError) as caught:
        gn.Dense(3, init=notation)
    assert str(caught.value) == sentence


# Draws ---------------------------------------------------------------------------------------------------------------


@given(seed=st.integers(0, 2**64 - 1), epoch=st.integers(0, 2**40), count=st.integers(1, 300))
def test_a_permutation_is_one_and_is_addressed(seed, epoch, count):
    order = permutation(seed, "shuffle", epoch, count)
    assert sorted(order.tolist()) == list(range(count))
    assert np.array_equal(order, permutation(seed, "shuffle", epoch, count))


def test_every_part_of_the_address_matters():
    orders = [
        permutation(*address, 50).tolist()
        for address in [(0, "shuffle", 0), (1, "shuffle", 0), (0, "shuffle", 1), (0, "validation", 0)]
    ]
    assert all(orders[i] != orders[j] for i in range(4) for j in range(i))
    assert not np.array_equal(generator(0, "initial", 1).random(9), generator(0, "initial", 2).random(9))
    masks = [keep_mask(*address, (6, 7), 0.5) for address in [(0, 0, 1), (1, 0, 1), (0, 1, 1), (0, 0, 2)]]
    assert all(not np.array_equal(masks[i], masks[j]) for i in range(4) for j in range(i))


def test_a_permutation_is_fair():
    # Each of 5 things comes first in about a fifth of 2000 epochs: 400 ± 5 · √(2000 · 0.2 · 0.8) = ± 90
    first = np.bincount([permutation(0, "shuffle", epoch, 5)[0] for epoch in range(2000)], minlength=5)
    assert np.all(np.abs(first - 400) < 90)


def test_the_stream_never_changes():
    # A run recorded today must be resumed exactly by every later version.
    assert permutation(0, "shuffle", 0, 10).tolist() == [6, 7, 9, 5, 1, 4, 8, 3, 0, 2]
    assert keep_mask(0, 0, 1, (1, 10), 0.5).astype(int).tolist() == [[0, 1, 1, 0, 1, 0, 0, 1, 1, 1]]


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.9])
def test_masks_keep_as_many_as_they_say(rate):
    mask = keep_mask(3, 7, 1, (200, 200), rate)
    assert mask.dtype == bool
    assert mask.mean() == pytest.approx(1 - rate, abs=5 * np.sqrt(rate * (1 - rate)) / 200)


def test_numpys_global_state_is_left_alone():
    np.random.seed(1)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    permutation(0, "shuffle", 0, 10)
    keep_mask(0, 0, 1, (3, 3), 0.5)
    net = gn.Network(3, gn.Dense(4, "relu"), gn.Dropout(0.5), gn.Dense(1, init="orthogonal"))
    net.initial_parameters(0)
    gn.gradcheck(net, np.ones((3, 3)), np.ones((3, 1)))
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize("seed", [-1, 2**64, 1.5, "0", None, True])
def test_seeds_that_are_none(seed):
    with pytest.raises(GlassnetError) as caught:
        check_seed(seed)
    assert str(caught.value) == f"seed got {seed!r}; it needs a whole number from 0 to 2**64 - 1."
    with pytest.raises(GlassnetError):
        gn.Network(2, gn.Dense(1)).initial_parameters(seed)


def test_seeds_of_numpy_are_numbers():
    assert check_seed(np.int64(3)) == 3
    assert check_seed(2**64 - 1) == 2**64 - 1
