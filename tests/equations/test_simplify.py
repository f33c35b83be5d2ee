"""Simplifying changes how a line reads and never what it says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import glassnet as gn
from glassnet.equations.differentiate import derivative, pulled_out
from glassnet.equations.expression import Constant, Expression, Mean, Negate, Subtract, Sum, Symbol, size
from glassnet.equations.functions import log_softmax, log_softplus, softmax
from glassnet.equations.simplify import LOGIT_RULES, ROWS_OF_TARGETS, SIGMOID_OF_MINUS, rewritten, simplified, tidied

a, b, z = Symbol("a"), Symbol("b"), Symbol("z")
X, Y, w = Symbol("X", ("m", 3)), Symbol("Y", ("m", 3)), Symbol("w", ("m", 1))

RNG = np.random.default_rng(11)
ENV = {"a": RNG.uniform(0.3, 2.0, 9), "b": -RNG.uniform(0.3, 2.0, 9), "z": RNG.uniform(-1.5, 1.5, 9)}


def grow(children: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    two = st.tuples(children, children)
    return st.one_of(
        two.map(lambda p: p[0] + p[1]),
        two.map(lambda p: p[0] - p[1]),
        two.map(lambda p: p[0] * p[1]),
        two.map(lambda p: p[0] / p[1]),
        two.map(lambda p: gn.maximum(*p)),
        two.map(lambda p: gn.where(p[0] > p[1], p[0], p[1] * 2)),
        st.tuples(children, st.sampled_from([-2, -1, 0, 0.5, 1, 2, 3])).map(lambda p: p[0] ** p[1]),
        children.map(Negate),
        st.tuples(st.sampled_from([gn.sigmoid, gn.tanh, gn.exp, abs, gn.softplus, gn.log]), children).map(
            lambda p: p[0](p[1])
        ),
    )


trees = st.recursive(
    st.one_of(
        st.sampled_from([a, b, z, Constant(0.3, "λ")]), st.sampled_from([-2, -1, 0, 0.5, 1, 2, 3.0]).map(Constant)
    ),
    grow,
    max_leaves=12,
)


def value_of(tree: Expression) -> np.ndarray:
    """The values of a tree, refused where its own steps are not finite or lose their digits."""
    with np.errstate(all="ignore"):
        for node in [tree, *_below(tree)]:
            try:
                value = np.asarray(node.evaluate(ENV, np))
            except (ZeroDivisionError, OverflowError, TypeError, ValueError):
                assume(False)
            assume(np.isrealobj(value))  # Python's (−2) ** 0.5 is complex
            assume(bool(np.isfinite(value).all()))
            assume(bool((np.abs(value) < 1e6).all()))
        return np.broadcast_to(np.asarray(tree.evaluate(ENV, np), dtype=float), (9,))


def _below(tree: Expression) -> list[Expression]:
    found: list[Expression] = []
    for child in tree.children:
        found += [child, *_below(child)]
    return found


def condition_of(tree: Expression) -> float:
    """How far the values move when the symbols move by a billionth: what rounding may do to them."""
    moved = {name: v * (1 + 1e-9) for name, v in ENV.items()}
    with np.errstate(all="ignore"):
        here, there = tree.evaluate(ENV, np), tree.evaluate(moved, np)
    return float(np.max(np.abs(np.asarray(here) - np.asarray(there)))) * 1e9


@pytest.mark.parametrize("way", [simplified, tidied], ids=["simplified", "tidied"])
@given(tree=trees)
@settings(max_examples=400, deadline=None, derandomize=True)
def test_simplifying_keeps_the_value(way, tree):
    before = value_of(tree)
    simpler = way(tree)
    with np.errstate(all="ignore"):
        after = np.broadcast_to(np.asarray(simpler.evaluate(ENV, np), dtype=float), (9,))
    scale = max(1.0, *(float(np.max(np.abs(np.asarray(n.evaluate(ENV, np))))) for n in [tree, *_below(tree)]))
    assume(condition_of(tree) < 1e6)
    np.testing.assert_allclose(after, before, rtol=1e-9, atol=1e-9 * scale)


@given(tree=trees)
@settings(max_examples=200, deadline=None, derandomize=True)
def test_tidying_never_lengthens_and_keeps_the_shape(tree):
    value_of(tree)
    assert size(tidied(tree)) <= size(simplified(tree))
    wide = tree * Symbol("A", ("m", 4))
    assert tidied(wide).shape in ((), ("m", 4))  # () only when the whole is the number zero or one
    assert tidied(wide).shape == ("m", 4) or not tidied(wide).children


@given(tree=trees)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_derivatives_are_slopes(tree):
    smooth = not any(part in str(tree) for part in ("max", "where", "|"))
    assume(smooth)
    value_of(tree)
    assume(condition_of(tree) < 1e4)
    slope = derivative(tree, z)
    h = 1e-6
    values = [tree.evaluate({**ENV, "z": ENV["z"] + moved}, np) for moved in (h, -h, 2 * h, -2 * h)]
    above, below, further, before = (np.broadcast_to(np.asarray(v, dtype=float), (9,)) for v in values)
    numerical, wider = (above - below) / (2 * h), (further - before) / (4 * h)
    assume(bool(np.isfinite(numerical).all()))
    assume(bool(np.allclose(numerical, wider, rtol=1e-5, atol=1e-5)))  # smooth enough to be measured at all
    with np.errstate(all="ignore"):
        derived = np.broadcast_to(np.asarray(slope.evaluate(ENV, np), dtype=float), (9,))
    np.testing.assert_allclose(derived, numerical, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        (a + 0, "a"), (0 + a, "a"), (a - 0, "a"), (0 - a, "−a"), (a - a, "0"), (a * 0, "0"), (0 / a, "0"),
        (a * 1, "a"), (1 * a, "a"), (a * -1, "−a"), (a / 1, "a"), (a / a, "1"), (a * a, "a²"), (a**1, "a"), (a**0, "1"),
        (a**-1, "1 / a"), (a**-2, "1 / a²"),
        ((a**2) ** 3, "a^6"), (Negate(Negate(a)), "a"), (a + -b, "a − b"), (-a + b, "b − a"),
        (-a + -b, "−(a + b)"), (a - -b, "a + b"), (-(a - b), "b − a"), (-a * b, "−a b"), (-a * -b, "a b"),
        (-a / -b, "a / b"), (a * Constant(2.0), "2 a"), (2 * (3 * a), "6 a"), (2 * (0.5 * a), "a"), (a / b / z, "a / (b z)"),
        (a + Constant(-2.0), "a − 2"), (Constant(2.0) + 3, "5"), (Constant(2.0) ** 3, "8"), (gn.exp(Constant(0.0)), "1"),
        (gn.where(a > b, z, z), "z"), (Sum(-X), "−Σ(X)"), (Sum(-X, 0), "−Σᵢ(X)"), (Mean(-X, 0), "−meanᵢ(X)"),
        (Constant(0.1, "λ") * 1, "λ"),
    ],
    ids=str,
)  # fmt: skip
def test_folding_by_hand(tree, text):
    assert str(simplified(tree)) == text


def test_the_root_of_a_square_is_not_the_number():
    # (a²)^½ = |a|: at a = −3 it is 3, not −3
    tree = (a**2) ** 0.5
    for simpler in (simplified(tree), tidied(tree + b - b)):
        assert simpler.evaluate({"a": np.float64(-3), "b": np.float64(1)}, np) == 3.0


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        (a * (1 - z) - a * 1 + a * z, "0"),
        (a + b - a, "b"),
        (2 * (0.5 * Constant(0.1, "λ") * a), "λ a"),
        (a * z / z, "a"),
        (a * b / (a * z), "b / z"),
        (2 * a / (4 * b), "½ a / b"),
        (a * (z + 1) - a * z, "a"),
        (gn.sigmoid(-z) + gn.sigmoid(z), "1"),
        (z * gn.exp(z) + gn.exp(z), "(z + 1) exp(z)"),
        ((z + 1) * (z - 1) + 1, "z²"),
    ],
    ids=str,
)
def test_collecting_by_hand(tree, text):
    assert str(tidied(tree)) == text


def applied_to(rules, tree):
    used: list[str] = []
    return str(rewritten(tree, rules, used)), used


@pytest.mark.parametrize(
    ("tree", "text", "rule"),
    [
        (gn.log(gn.sigmoid(z)), "−softplus(−z)", "log sigmoid(z) = −softplus(−z)"),
        (gn.log(1 - gn.sigmoid(z)), "−softplus(z)", "log(1 − sigmoid(z)) = −softplus(z)"),
        (gn.log(softmax(X)), "log_softmax(X)", "log softmax(z) = z − logsumexp(z)"),
        (gn.log(gn.exp(z)), "z", "log exp(z) = z"),
        (gn.log(gn.softplus(z)), "log_softplus(z)", "log softplus(z) from z itself"),
    ],
    ids=lambda part: str(part),
)
def test_logarithms_from_scores(tree, text, rule):
    assert applied_to(LOGIT_RULES, tree) == (text, [rule])
    near = {"z": np.array([-2.0, 0.1, 3.0]), "X": np.array([[1.0, -2.0, 0.5]])}
    np.testing.assert_allclose(rewritten(tree, LOGIT_RULES, []).evaluate(near, np), tree.evaluate(near, np), rtol=1e-14)


def test_logarithms_of_other_things_stay():
    for tree in (gn.log(z), gn.log(2 - gn.sigmoid(z)), gn.log(gn.tanh(z)), gn.sigmoid(z)):
        assert applied_to(LOGIT_RULES, tree) == (str(tree), [])
    assert isinstance(log_softplus(z), Expression)
    assert isinstance(log_softmax(X), Expression)


def test_sigmoid_of_minus_z():
    assert applied_to((SIGMOID_OF_MINUS,), gn.sigmoid(-z)) == ("1 − sigmoid(z)", ["sigmoid(−z) = 1 − sigmoid(z)"])
    assert applied_to((SIGMOID_OF_MINUS,), gn.sigmoid(z)) == ("sigmoid(z)", [])
    used: list[str] = []
    assert str(tidied(1 - gn.sigmoid(-z), used)) == "sigmoid(z)"
    assert used == ["sigmoid(−z) = 1 − sigmoid(z)"]


def test_rows_of_targets_sum_to_one_only_for_y():
    assert applied_to((ROWS_OF_TARGETS,), X * Sum(Y, 1)) == ("X", ["a row of Y sums to 1"])
    assert applied_to((ROWS_OF_TARGETS,), X * Sum(X, 1)) == ("X ⊙ Σⱼ(X)", [])
    assert applied_to((ROWS_OF_TARGETS,), Sum(Y, 0)) == ("Σᵢ(Y)", [])


def test_constant_factors_leave_a_sum():
    m = Symbol("m")
    row = Symbol("g", (3,))
    assert str(pulled_out(Sum(X * w / m, 1))) == "w ⊙ Σⱼ(X) / m"
    assert str(pulled_out(Sum(X * row, 0))) == "g ⊙ Σᵢ(X)"
    assert str(pulled_out(Sum(X * w, 0))) == "Σᵢ(X ⊙ w)"
    assert str(pulled_out(Sum(-X / m, 0))) == "−Σᵢ(X) / m"


def test_simplified_differences_read_forwards():
    assert isinstance(simplified(-(a - b)), Subtract)
    assert str(simplified(-(a - b) / z)) == "(b − a) / z"


def head(activation, loss, units=2, **settings):
    net = gn.Network(3, gn.Dense(4, "tanh"), gn.Dense(units, activation))
    derivation = gn.derive(net, loss, **settings)
    return str(derivation["dZ2"]), derivation["dZ2"].rules


def test_the_head_rule_of_sigmoid():
    assert head("sigmoid", "binary_cross_entropy") == (
        "dZ2 = (A2 − Y) / m",
        (
            "log sigmoid(z) = −softplus(−z)",
            "log(1 − sigmoid(z)) = −softplus(z)",
            "softplus′(z) = sigmoid(z)",
            "sigmoid(−z) = 1 − sigmoid(z)",
            "A2 = sigmoid(Z2)",
        ),
    )


def test_the_head_rule_of_softmax():
    assert head("softmax", "categorical_cross_entropy") == (
        "dZ2 = (A2 − Y) / m",
        (
            "log softmax(z) = z − logsumexp(z)",
            "log softmax: dz = g − softmax(z) ⊙ Σⱼ(g)",
            "a row of Y sums to 1",
            "A2 = softmax(Z2)",
        ),
    )


def test_the_head_rule_of_exp_and_step():
    assert head("exp", "poisson") == (
        "dZ2 = (A2 − Y) / m",
        ("log exp(z) = z", "exp′(z) = exp(z)", "A2 = exp(Z2)"),
    )
    assert head("step", "perceptron") == ("dZ2 = (A2 − Y) / m", ("relu′(z) = (z > 0)", "A2 = step(Z2)"))


def test_with_weights_the_head_rule_keeps_them():
    assert head("softmax", "categorical_cross_entropy", sample_weight=True)[0] == "dZ2 = (A2 − Y) ⊙ w / S"
    assert head("sigmoid", "binary_cross_entropy", sample_weight=True)[0] == "dZ2 = (A2 − Y) ⊙ w / S"


def test_rows_of_targets_are_not_assumed_under_other_losses():
    # The rows of poisson's targets need not sum to 1: Σⱼ(Y) must stay (it was once simplified away).
    text, rules = head("softmax", "poisson", units=3)
    assert text == "dZ2 = (A2 + A2 ⊙ Σⱼ(Y) − A2 ⊙ Σⱼ(A2) − Y) / m"
    assert "a row of Y sums to 1" not in rules


def test_no_shortcut_where_there_is_none():
    assert head("sigmoid", "mean_squared_error")[0] == "dZ2 = dA2 ⊙ A2 ⊙ (1 − A2)"
    assert head("softmax", "mean_squared_error")[0] == "dZ2 = A2 ⊙ (dA2 − Σⱼ(dA2 ⊙ A2))"
    assert str(gn.derive(gn.Network(3, gn.Dense(2)))["dA1"]) == "dA1 = (A1 − Y) / m"


def test_a_negative_factor_is_taken_away():
    cubic = gn.activation("cubic", lambda z: gn.tanh(z) ** 3 - 2.5 * z**2)
    slope = str(cubic.slope)
    assert "(−5)" not in slope
    assert "− 5 z" in slope
