"""Every derived gradient is the slope of its cost, and a gradient that is not is caught."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import glassnet as gn
from glassnet.equations.expression import Constant, Multiply
from glassnet.equations.functions import ACTIVATIONS
from glassnet.equations.gradcheck import TOLERANCE, central_difference
from glassnet.equations.losses import LOSSES, pairing
from glassnet.errors import GlassnetError

ROWS = 5
X = np.random.default_rng(1).normal(size=(ROWS, 3))
WEIGHTS = np.random.default_rng(2).random(ROWS) + 0.1
SWISH = gn.activation("swish", lambda z: z * gn.sigmoid(z))
BELL = gn.activation("bell", lambda z: gn.exp(-(z**2)) + 0.1 * gn.sin(z))
CAUCHY = gn.loss("cauchy", lambda y, a: gn.log(1 + (a - y) ** 2))


def may_stand(activation, loss, units):
    try:
        pairing(loss, activation, units)
    except GlassnetError:
        return False
    return True


PAIRS = [
    (activation, loss, units)
    for activation in ACTIVATIONS
    for loss in LOSSES
    for units in (1, 3)
    if may_stand(ACTIVATIONS[activation], LOSSES[loss], units)
]


def targets(kind, units):
    rng = np.random.default_rng(3)
    return {
        "any": rng.normal(size=(ROWS, units)),
        "not_negative": rng.poisson(2, size=(ROWS, units)),
        "zero_to_one": rng.random((ROWS, units)),
        "zero_or_one": rng.integers(0, 2, (ROWS, units)),
        "rows_sum_to_one": np.eye(units)[rng.integers(0, units, ROWS)],
        "plus_minus_one": rng.choice([-1, 1], (ROWS, units)),
    }[kind]


def test_the_pairs_are_all_there():
    # Nine activations (all but step and softmax) with 1 or 3 units and softmax with 3: 19 under each of the squares,
    # absolute, huber and hinge losses. Poisson: exp, softplus, sigmoid with 1 or 3 units, softmax with 3: 7. Binary
    # cross-entropy: 2. Categorical: 1. Perceptron: 2.   4 · 19 + 7 + 2 + 1 + 2 = 88
    assert len(PAIRS) == len(set(PAIRS)) == 88
    assert {loss for _, loss, _ in PAIRS} == set(LOSSES)
    assert {activation for activation, _, _ in PAIRS} == set(ACTIVATIONS)


@pytest.mark.parametrize(("activation", "loss", "units"), PAIRS)
def test_every_pair(activation, loss, units):
    Y = targets(LOSSES[loss].targets, units)
    last = gn.Dense(units, activation)
    cases = (
        (gn.Network(3, last), {}),
        (gn.Network(3, gn.Dense(4, "tanh"), last), {"l1": 0.02, "l2": 0.01}),
        (gn.Network(3, gn.Dense(4, "gelu"), gn.BatchNorm(), gn.Dropout(0.3), last), {"sample_weight": WEIGHTS}),
        (gn.Network(3, gn.Dense(4, SWISH), last), {"sample_weight": WEIGHTS, "l2": 0.01}),
    )
    for network, settings in cases:
        check = gn.gradcheck(network, X, Y, loss, **settings)
        assert check.max_relative_error < 1e-6, f"{network} {settings}\n{check}"
        names = {row.name for row in check.rows}
        assert {f"d{p.name}" for p in gn.derive(network, loss).parameters} <= names
        assert all(row.checked == np.prod(row.shape) for row in check.rows)


@pytest.mark.parametrize("activation", [a for a in ACTIVATIONS if a != "step"] + [SWISH, BELL], ids=str)
@pytest.mark.parametrize("loss", ["mean_squared_error", CAUCHY], ids=["squares", "cauchy"])
def test_every_hidden_activation(activation, loss):
    Y = targets("any", 2)
    for network in (
        gn.Network(3, gn.Dense(4, activation), gn.Dense(2)),
        gn.Network(3, gn.Dense(4, activation), gn.Dense(4, activation), gn.Dense(2)),
        gn.Network(3, gn.Dense(4), gn.BatchNorm(), gn.Activation(activation), gn.Dense(2, bias=False)),
    ):
        check = gn.gradcheck(network, X, Y, loss, l2=0.01)
        assert check.max_relative_error < 1e-6, f"{network}\n{check}"


def test_weights_of_zero_and_permuted_samples():
    network = gn.Network(3, gn.Dense(4, "tanh"), gn.Dense(1))
    Y = targets("any", 1)
    weights = np.array([1.0, 0, 2, 0, 1])
    assert gn.gradcheck(network, X, Y, sample_weight=weights).passed
    order = np.array([3, 1, 4, 0, 2])
    here, there = (
        {row.name: row.derived for row in gn.gradcheck(network, X[o], Y[o], intermediates=False).rows}
        for o in (np.arange(5), order)
    )
    assert here == pytest.approx(there, rel=1e-12)


def scaled(derivation, name, factor):
    """The derivation with one backward line multiplied by a factor."""
    return replace(
        derivation,
        backward=tuple(
            replace(e, expression=Multiply(Constant(factor), e.expression)) if e.name == name else e
            for e in derivation.backward
        ),
    )


NET = gn.Network(3, gn.Dense(4, SWISH), gn.BatchNorm(), gn.Dense(2, "softmax"))
LINES = [e.name for e in gn.derive(NET).backward]


@pytest.mark.parametrize("name", LINES)
def test_a_rule_scaled_by_1_001_is_caught(name):
    Y = targets("rows_sum_to_one", 2)
    derivation = gn.derive(NET, l2=0.01)
    assert gn.gradcheck(NET, X, Y, derivation=derivation).passed
    check = gn.gradcheck(NET, X, Y, derivation=scaled(derivation, name, 1.001))
    assert not check.passed, check
    assert check.max_relative_error > 100 * TOLERANCE
    # the wrong line itself, or (for U, a part of a line) the line that uses it, is among those named
    wrong = [row.name for row in check.rows if row.relative_error >= TOLERANCE]
    if name in ("db1", "db2", "dbeta1"):  # nothing is computed from them
        assert wrong == [name]
    else:
        assert (name if name.startswith("d") else "dZ1") in wrong
    right = LINES[: LINES.index(name)]
    assert not set(wrong) & set(right), "a line computed before the wrong one was blamed"


def test_the_lines_that_are_scaled_are_all_kinds():
    assert LINES == [
        "dZ2", "dW2", "db2", "dB1", "dgamma1", "dbeta1", "dN1", "dsd1", "dvar1", "dC1", "dmu1", "dA1", "U1", "dZ1",
        "dW1", "db1",
    ]  # fmt: skip


def test_a_forgotten_penalty_is_caught():
    network = gn.Network(3, gn.Dense(2))
    Y = targets("any", 2)
    with_penalty, without = gn.derive(network, l2=0.01), gn.derive(network)
    wrong = replace(with_penalty, backward=without.backward)
    check = gn.gradcheck(network, X, Y, derivation=wrong)
    assert [row.name for row in check.rows if row.relative_error >= TOLERANCE] == ["dW1"]


def test_the_table_by_hand():
    # X = (1, 2), Y = (3, 5), W = 1, b = 0: A − Y = (−2, −3); dA = (−1, −1.5), dW = 1·−1 + 2·−1.5 = −4, db = −2.5
    network = gn.Network(1, gn.Dense(1))
    check = gn.gradcheck(network, [[1.0], [2.0]], [3.0, 5.0], parameters={"W1": [[1.0]], "b1": [0.0]})
    rows = {row.name: row for row in check.rows}
    assert list(rows) == ["dA1", "dZ1", "dW1", "db1"]
    assert rows["dA1"].derived == pytest.approx(np.hypot(1, 1.5), rel=1e-14)
    assert rows["dW1"].derived == pytest.approx(4, rel=1e-14)
    assert rows["db1"].derived == pytest.approx(2.5, rel=1e-14)
    for row in check.rows:
        assert row.numerical == pytest.approx(row.derived, rel=1e-8)
    assert check.parameters == {row.name: row.relative_error for row in check.rows}
    text = str(check).splitlines()
    assert text[0] == "gradient    shape          entries       derived   differences   relative error"
    assert text[1].startswith("dA1         (2, 1)               2       1.80278       1.80278 ")
    assert text[3].startswith("dW1         (1, 1)               1             4             4 ")
    assert text[4].startswith("db1         (1,)                 1           2.5           2.5 ")
    assert text[5] == (
        "All 4 gradients equal the slope of the cost to 1e-06 relative. "
        "(derived, differences: the norm of each; error: ‖a − n‖ / (‖a‖ + ‖n‖))"
    )


def test_the_table_marks_what_differs():
    network = gn.Network(1, gn.Dense(1))
    wrong = scaled(gn.derive(network), "dW1", 1.1)
    start = {"W1": [[1.0]], "b1": [0.0]}
    check = gn.gradcheck(network, [[1.0], [2.0]], [3.0, 5.0], parameters=start, derivation=wrong)
    # derived −4.4, differences −4: the error is 0.4 / 8.4
    assert check.parameters["dW1"] == pytest.approx(0.4 / 8.4, rel=1e-6)
    text = str(check).splitlines()
    assert text[3] == "dW1         (1, 1)               1           4.4             4         4.76e-02   ← differs"
    assert [line.endswith("← differs") for line in text] == [False, False, False, True, False, False]
    assert text[5].startswith("dW1 differs from the slope of the cost by more than 1e-06. (")


def test_what_is_checked_can_be_limited():
    network = gn.Network(3, gn.Dense(6, "tanh"), gn.Dense(1))
    few = gn.gradcheck(network, X, targets("any", 1), max_entries=4)
    assert max(row.checked for row in few.rows) == 4
    only = gn.gradcheck(network, X, targets("any", 1), intermediates=False)
    assert [row.name for row in only.rows] == ["dW2", "db2", "dW1", "db1"]
    assert not gn.gradcheck(network, X, targets("any", 1), tolerance=1e-16).passed


def test_one_seed_is_one_check():
    network = gn.Network(3, gn.Dense(6, "tanh"), gn.Dropout(0.5), gn.Dense(1))
    one, again, other = (gn.gradcheck(network, X, targets("any", 1), seed=seed) for seed in (1, 1, 2))
    assert one == again
    assert one != other


@pytest.mark.parametrize(
    ("x", "y", "shapes"),
    [
        (X[:, :2], np.zeros((5, 1)), "X of shape (5, 2) and Y of shape (5, 1)"),
        (X, np.zeros((4, 1)), "X of shape (5, 3) and Y of shape (4, 1)"),
        (X, np.zeros((5, 2)), "X of shape (5, 3) and Y of shape (5, 2)"),
    ],
)
def test_shapes_that_do_not_fit(x, y, shapes):
    with pytest.raises(GlassnetError) as caught:
        gn.gradcheck(gn.Network(3, gn.Dense(1)), x, y)
    assert str(caught.value) == f"gradcheck got {shapes}; it needs (m, 3) and (m, 1)."


def test_weights_that_do_not_fit():
    with pytest.raises(GlassnetError) as caught:
        gn.gradcheck(gn.Network(3, gn.Dense(1)), X, np.zeros(5), sample_weight=np.ones(3))
    assert str(caught.value) == "gradcheck got sample_weight of shape (3,); it needs one weight a row, (5,)."


def test_central_difference_by_hand():
    # cost = 2a² + 3b: slopes 4a and 3
    def cost(values):
        return float(2 * np.sum(values["a"] ** 2) + 3 * values["b"].sum())

    values = {"a": np.array([[1.0, -2.0]]), "b": np.array([5.0])}
    kept = {name: v.copy() for name, v in values.items()}
    assert central_difference(cost, values, "a") == pytest.approx(np.array([[4.0, -8.0]]), rel=1e-8)
    assert central_difference(cost, values, "b") == pytest.approx([3.0], rel=1e-8)
    assert central_difference(cost, values, "a", entries=np.array([1])) == pytest.approx([-8.0], rel=1e-8)
    assert all(np.array_equal(values[name], kept[name]) for name in values)
    with pytest.raises(TypeError) as caught:
        central_difference(cost, {"a": np.ones(2, dtype=np.float32)}, "a")
    assert str(caught.value) == "central_difference got 'a' as float32; it needs float64."
