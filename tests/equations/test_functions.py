"""Every function's value and slope, and functions of a person's own."""

from __future__ import annotations

import math

import numpy as np
import pytest

import glassnet as gn
from glassnet.equations.differentiate import derivative
from glassnet.equations.expression import Constant, Mean, Sum, Symbol, Transpose
from glassnet.equations.functions import (
    ACTIVATIONS,
    PRIMITIVES,
    log_softmax,
    log_softplus,
    logsumexp,
    normal_pdf,
    softmax,
    step,
)
from glassnet.errors import GlassnetError

z = Symbol("z")
ELEMENTWISE = {
    name: kind
    for name, kind in {**PRIMITIVES, **ACTIVATIONS}.items()
    if kind.elementwise and name not in ("where", "max", "min")
}
EVERYWHERE = np.array([-30.0, -8.0, -2.5, -1.0, -0.3, -1e-3, 1e-3, 0.3, 1.0, 2.5, 8.0, 30.0])
POSITIVE = np.array([1e-2, 0.3, 1.0, 2.5, 30.0, 700.0])


def quiet(function, *args):
    with np.errstate(all="ignore"):
        return function(*args)


def test_values_by_hand():
    e = math.e
    at_one = {
        "linear": 1.0, "sigmoid": 1 / (1 + 1 / e), "tanh": (e - 1 / e) / (e + 1 / e), "relu": 1.0, "leaky_relu": 1.0,
        "elu": 1.0, "softplus": math.log(1 + e), "exp": e, "step": 1.0,
        "gelu": 0.5 * (1 + math.erf(1 / math.sqrt(2))),
    }  # fmt: skip
    at_minus_one = {
        "linear": -1.0, "sigmoid": 1 / (1 + e), "tanh": -(e - 1 / e) / (e + 1 / e), "relu": 0.0, "leaky_relu": -0.01,
        "elu": 1 / e - 1, "softplus": math.log(1 + 1 / e), "exp": 1 / e, "step": 0.0,
        "gelu": -0.5 * (1 + math.erf(-1 / math.sqrt(2))),
    }  # fmt: skip
    assert set(at_one) == set(at_minus_one) == set(ACTIVATIONS) - {"softmax"}
    for name in at_one:
        both = ACTIVATIONS[name](np.array([1.0, -1.0]))
        assert both == pytest.approx([at_one[name], at_minus_one[name]], rel=1e-14), name
    assert float(gn.sigmoid(0.0)) == 0.5


def test_zero_belongs_to_the_left():
    assert ACTIVATIONS["step"](np.array([0.0, 1e-300]))[:].tolist() == [0.0, 1.0]
    assert derivative(gn.relu(z), z).evaluate({"z": np.zeros(1)}, np) == [0.0]


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_slopes_by_central_differences(name):
    kind = ELEMENTWISE[name]
    points = POSITIVE if name in ("log", "log1p", "sqrt") else EVERYWHERE
    if name == "floor":
        points = points + 0.05  # between the jumps
    slope = derivative(kind(z), z)
    derived = np.broadcast_to(slope.evaluate({"z": points}, np), points.shape)
    h = 1e-6 * np.maximum(1.0, np.abs(points))
    h = np.minimum(h, np.abs(points) / 10)  # never across the kink at zero
    above, below = kind(points + h), kind(points - h)
    numerical = (above - below) / ((points + h) - (points - h))
    scale = np.maximum(np.abs(numerical), 1.0)
    noise = 1e-15 * np.maximum(np.abs(above), 1.0) / h  # the digits that the difference loses
    assert np.all(np.abs(derived - numerical) <= 2e-8 * scale + noise), (derived, numerical)


@pytest.mark.parametrize("name", [n for n in ELEMENTWISE if n not in ("log", "log1p", "sqrt")])
def test_slopes_far_out_are_never_nan(name):
    far = np.array([-1000.0, -745.0, -88.0, 88.0, 700.0])
    slope = quiet(derivative(ELEMENTWISE[name](z), z).evaluate, {"z": far}, np)
    assert np.isfinite(slope).all()


@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"softmax", "exp"}))
def test_activations_at_a_thousand(name):
    value = quiet(ACTIVATIONS[name], np.array([-1000.0, 1000.0]))
    limits = {
        "linear": (-1000, 1000), "sigmoid": (0, 1), "tanh": (-1, 1), "relu": (0, 1000), "leaky_relu": (-10, 1000),
        "elu": (-1, 1000), "gelu": (0, 1000), "softplus": (0, 1000), "step": (0, 1),
    }  # fmt: skip
    assert value.tolist() == list(limits[name])


def test_softplus_and_its_logarithm_keep_their_digits():
    # softplus(−40) = log(1 + e⁻⁴⁰) = e⁻⁴⁰ to 17 digits; its logarithm is −40, and −1000 where e⁻¹⁰⁰⁰ is no number
    assert float(gn.softplus(-40.0)) == pytest.approx(math.exp(-40), rel=1e-15)
    assert float(quiet(log_softplus, -40.0)) == -40.0
    assert float(quiet(log_softplus, -1000.0)) == -1000.0
    assert float(log_softplus(1000.0)) == pytest.approx(math.log(1000), rel=1e-15)


@pytest.mark.parametrize(
    ("two", "points"),
    [(gn.maximum, [(1.0, 2.0), (2.0, 1.0), (-3.0, -4.0)]), (gn.minimum, [(1.0, 2.0), (2.0, 1.0), (-3.0, -4.0)])],
    ids=["max", "min"],
)
def test_slopes_of_max_and_min(two, points):
    a, b = Symbol("a"), Symbol("b")
    h = 1e-6
    for x, y in points:
        for by, dx, dy in ((a, h, 0), (b, 0, h)):
            derived = derivative(two(a, b), by).evaluate({"a": np.float64(x), "b": np.float64(y)}, np)
            numerical = (float(two(x + dx, y + dy)) - float(two(x - dx, y - dy))) / (2 * h)
            assert derived == pytest.approx(numerical, abs=1e-9)


def test_slope_of_where_is_the_slope_of_the_side_taken():
    tree = gn.where(z > 1, z**2, 3 * z)
    at = np.array([0.5, 2.0])
    assert str(derivative(tree, z)) == "where(z > 1, 2 z, 3)"
    assert derivative(tree, z).evaluate({"z": at}, np).tolist() == [3.0, 4.0]


def test_slopes_of_powers():
    # d(z³) = 3z²; d(2^z) = 2^z log 2; d(z^z) = z^z (log z + 1)
    assert str(derivative(z**3, z)) == "3 z²"
    for tree, slope in (
        (2**z, lambda v: 2**v * math.log(2)),
        (z**z, lambda v: v**v * (math.log(v) + 1)),
        (z**-0.5, lambda v: -0.5 * v**-1.5),
        (1 / z, lambda v: -1 / v**2),
    ):
        assert derivative(tree, z).evaluate({"z": np.float64(1.7)}, np) == pytest.approx(slope(1.7), rel=1e-14)


@pytest.mark.parametrize("kind", [softmax, log_softmax, logsumexp], ids=lambda kind: kind.name)
def test_row_functions_carry_gradients_back(kind):
    rng = np.random.default_rng(3)
    value = rng.normal(size=(3, 4)) * 3
    columns = 4 if kind.keeps_columns else 1
    upstream = rng.normal(size=(3, columns))
    G, U = Symbol("G", ("m", columns)), Symbol("U", ("m", 4))
    derived = kind.adjoint(G, U).evaluate({"G": upstream, "U": value}, np)
    numerical = np.empty_like(value)
    for index in np.ndindex(value.shape):
        moved = [value.copy(), value.copy()]
        moved[0][index] += 1e-6
        moved[1][index] -= 1e-6
        above, below = ((kind(v) * upstream).sum() for v in moved)
        numerical[index] = (above - below) / 2e-6
    np.testing.assert_allclose(derived, numerical, atol=1e-8)


def test_row_functions_by_hand_and_far_out():
    # softmax of (log 1, log 2, log 5) = (1, 2, 5) / 8; adding 1000 to all changes nothing
    scores = np.log([[1.0, 2.0, 5.0]])
    assert softmax(scores)[0] == pytest.approx([0.125, 0.25, 0.625], rel=1e-15)
    np.testing.assert_allclose(softmax(scores + 1000), softmax(scores), rtol=1e-12)
    assert logsumexp(scores)[0, 0] == pytest.approx(math.log(8), rel=1e-15)
    far = np.array([[1000.0, -1000.0]])
    assert softmax(far).tolist() == [[1.0, 0.0]]
    assert log_softmax(far).tolist() == [[0.0, -2000.0]]
    assert logsumexp(far).tolist() == [[1000.0]]


RULES = {
    "linear": "linear′(z) = 1",
    "sigmoid": "sigmoid′(z) = sigmoid(z) (1 − sigmoid(z))",
    "tanh": "tanh′(z) = 1 − tanh(z)²",
    "relu": "relu′(z) = (z > 0)",
    "leaky_relu": "leaky_relu′(z) = where(z > 0, 1, 0.01)",
    "elu": "elu′(z) = where(z > 0, 1, exp(z))",
    "gelu": "gelu′(z) = Φ(z) + z φ(z)",
    "softplus": "softplus′(z) = sigmoid(z)",
    "softmax": "softmax: dz = a ⊙ (da − Σⱼ(da ⊙ a))",
    "exp": "exp′(z) = exp(z)",
    "step": "step′(z) = 0",
}


def test_rules_as_the_page_says_them():
    assert {name: kind.rule for name, kind in ACTIVATIONS.items()} == RULES
    assert gn.maximum.rule == "the slope of max is that of the larger side"
    assert gn.minimum.rule == "the slope of min is that of the smaller side"
    assert normal_pdf.rule == "φ′(z) = −z φ(z)"


def test_swish_needs_no_more_than_its_formula():
    swish = gn.activation("swish", lambda z: z * gn.sigmoid(z))
    # swish(2) = 2 / (1 + e⁻²); swish′ = σ + zσ(1 − σ)
    s = 1 / (1 + math.exp(-2))
    assert float(swish(2.0)) == pytest.approx(2 * s, rel=1e-15)
    assert str(swish.slope) == "(1 + z − z sigmoid(z)) sigmoid(z)"
    assert swish.slope.evaluate({"z": np.float64(2)}, np) == pytest.approx(s + 2 * s * (1 - s), rel=1e-14)
    net = gn.Network(3, gn.Dense(4, swish), gn.Dense(2))
    page = str(gn.derive(net))
    assert "A1 = swish(Z1)" in page
    assert "  swish(z) = z sigmoid(z)" in page.splitlines()
    assert "      by swish′(z) = (1 + z − z sigmoid(z)) sigmoid(z)" in page.splitlines()
    rng = np.random.default_rng(0)
    assert gn.gradcheck(net, rng.normal(size=(6, 3)), rng.normal(size=(6, 2))).passed


def test_an_own_activation_is_what_it_is_made_of():
    one = gn.activation("swish", lambda z: z * gn.sigmoid(z))
    again = gn.activation("swish", lambda z: z * gn.sigmoid(z))
    other = gn.activation("swish", lambda z: z * gn.sigmoid(2 * z))
    assert one == again
    assert one != other
    assert gn.activation(one) is one
    assert gn.activation("tanh") is gn.tanh
    assert str(one(one(Symbol("a")))) == "swish(swish(a))"


def test_numpy_numbers_may_stand_in_a_formula():
    scaled = gn.activation("scaled", lambda z: np.sqrt(2.0) * z + np.int64(1))
    assert scaled(np.array([1.0]))[0] == pytest.approx(1 + math.sqrt(2), rel=1e-15)


NUMPY_HINT = "build it from arithmetic and gn.exp, gn.log, gn.where, ..., not from NumPy's functions."


@pytest.mark.parametrize(
    ("name", "formula", "sentence"),
    [
        ("tahn", None,
         "There is no activation 'tahn'; did you mean 'tanh'? Known: linear, sigmoid, tanh, relu, leaky_relu, elu, gelu, "
         "softplus, softmax, exp, step."),
        ("relu", lambda z: z, "There is already a function 'relu'; give yours another name."),
        ("erf", lambda z: z, "There is already a function 'erf'; give yours another name."),
        ("my act", lambda z: z, "An activation got the name 'my act'; it needs a word like 'swish'."),
        (3, lambda z: z, "An activation got the name 3; it needs a word like 'swish'."),
        ("flat", lambda z: 2.0, "The activation 'flat' is the constant 2; it needs a formula of z."),
        ("odd", lambda z: z * Symbol("q") + Symbol("p"), "The activation 'odd' uses p, q; its formula may use z only."),
        ("row", softmax, "The activation 'row' uses softmax, which mixes a row; its formula must be elementwise."),
        ("total", lambda z: z / Sum(z), "The activation 'total' sums over the batch; its formula must be elementwise."),
        ("centred", lambda z: z - Mean(z, 0),
         "The activation 'centred' sums over the batch; its formula must be elementwise."),
        ("square", lambda z: z @ z,
         "The activation 'square' uses a matrix product; its formula must be elementwise (* instead of @)."),
        ("turned", lambda z: z + Transpose(z),
         "The activation 'turned' uses a matrix product; its formula must be elementwise (* instead of @)."),
        ("branch", lambda z: z if z > 0 else 0.1 * z,
         "The activation 'branch' is no formula glassnet can read (An expression has no truth value, so it cannot stand "
         f"after `if` or `and`; use gn.where(condition, a, b)); {NUMPY_HINT}"),
        ("word", lambda z: "z",
         "The activation 'word' is no formula glassnet can read (An expression got str 'z'; it needs expressions and plain "
         f"numbers. Use gn.exp, gn.log, gn.where, ... instead of NumPy's functions); {NUMPY_HINT}"),
    ],
)  # fmt: skip
def test_refused_activations(name, formula, sentence):
    with pytest.raises(GlassnetError) as caught:
        gn.activation(name, formula)
    assert str(caught.value) == sentence


def test_numpys_own_functions_are_answered_with_ours():
    with pytest.raises(GlassnetError) as caught:
        gn.activation("numpys", lambda z: np.exp(z))
    assert str(caught.value).startswith("The activation 'numpys' is no formula glassnet can read (")
    assert str(caught.value).endswith(NUMPY_HINT)


def test_custom_loss():
    cauchy = gn.loss("cauchy", lambda y, a: gn.log(1 + (a - y) ** 2))
    net = gn.Network(3, gn.Dense(2))
    derivation = gn.derive(net, cauchy)
    assert str(derivation["J"]) == "J = Σ(log(1 + (A1 − Y)²)) / m"
    assert str(derivation["dA1"]) == "dA1 = 2 (A1 − Y) / ((1 + (A1 − Y)²) m)"
    rng = np.random.default_rng(0)
    assert gn.gradcheck(net, rng.normal(size=(6, 3)), rng.normal(size=(6, 2)), cauchy).passed
    assert gn.loss(cauchy) is cauchy
    assert gn.loss("hinge").name == "hinge"


@pytest.mark.parametrize(
    ("name", "formula", "sentence"),
    [
        ("huuber", None,
         "There is no loss 'huuber'; did you mean 'huber'? Known: mean_squared_error, mean_absolute_error, huber, poisson, "
         "binary_cross_entropy, categorical_cross_entropy, hinge, perceptron."),
        ("huber", lambda y, a: a - y, "There is already a loss 'huber'; give yours another name."),
        ("my loss", lambda y, a: a - y, "A loss got the name 'my loss'; it needs a word like 'cauchy'."),
        ("none", lambda y, a: 1, "The loss 'none' is the constant 1; it needs a formula of a and y."),
        ("free", lambda y, a: a - Symbol("k"), "The loss 'free' uses k; its formula may use a and y only."),
        ("total", lambda y, a: Sum(a - y), "The loss 'total' sums over the batch; its formula must be elementwise."),
    ],
)  # fmt: skip
def test_refused_losses(name, formula, sentence):
    with pytest.raises(GlassnetError) as caught:
        gn.loss(name, formula)
    assert str(caught.value) == sentence


def test_step_is_written_as_a_comparison():
    assert str(step.definition) == "(z > 0)"
    assert step.expanded(Constant(2.0) * z) == (2 * z > 0)
