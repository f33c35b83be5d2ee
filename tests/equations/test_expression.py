"""The tree itself: shapes, values against NumPy, equality, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

import glassnet as gn
from glassnet.equations.expression import (
    Add,
    Compare,
    Constant,
    Expression,
    MatMul,
    Mean,
    Multiply,
    Negate,
    Sum,
    Symbol,
    Transpose,
    as_expression,
    broadcast_shapes,
    replace,
    shape_text,
    size,
    symbols,
    walk,
)
from glassnet.equations.functions import logsumexp, softmax
from glassnet.errors import GlassnetError

X, W, b = Symbol("X", ("m", 3)), Symbol("W1", (3, 4)), Symbol("b1", (4,))
A, D, w, m = Symbol("A1", ("m", 4)), Symbol("dA1", ("m", 4)), Symbol("w", ("m", 1)), Symbol("m")


@pytest.mark.parametrize(
    ("tree", "shape"),
    [
        (m, ()),
        (Constant(2.0), ()),
        (X @ W, ("m", 4)),
        (X @ W + b, ("m", 4)),
        (b + X @ W, ("m", 4)),
        (A * w, ("m", 4)),
        (w * A / m, ("m", 4)),
        (Transpose(X), (3, "m")),
        (Transpose(X) @ A, (3, 4)),
        (-A, ("m", 4)),
        (A**2, ("m", 4)),
        (A > 0, ("m", 4)),
        (Sum(A), ()),
        (Sum(A, 0), (4,)),
        (Sum(A, 1), ("m", 1)),
        (Mean(A), ()),
        (Mean(A, 0), (4,)),
        (Mean(A, 1), ("m", 1)),
        (gn.tanh(A), ("m", 4)),
        (gn.where(A > 0, A, m), ("m", 4)),
        (softmax(A), ("m", 4)),
        (logsumexp(A), ("m", 1)),
    ],
    ids=str,
)
def test_shapes(tree, shape):
    assert tree.shape == shape


def test_shape_text_is_as_numpy_prints_it():
    assert [shape_text(s) for s in ((), (4,), ("m", 4))] == ["()", "(4,)", "(m, 4)"]


def test_broadcasting_names_the_operation_it_refuses():
    assert broadcast_shapes(("m", 4), (4,), "x") == ("m", 4)
    assert broadcast_shapes((1,), ("m", 4), "x") == ("m", 4)
    with pytest.raises(GlassnetError) as caught:
        _ = (A + X).shape
    assert str(caught.value) == (
        "'A1 + X' got shapes (m, 4) and (m, 3), which do not go together; they must be equal, or 1 where they differ."
    )
    with pytest.raises(GlassnetError) as caught:
        _ = (b <= X).shape
    assert str(caught.value).startswith("'(b1 ≤ X)' got shapes (4,) and (m, 3), which")


@pytest.mark.parametrize(
    ("tree", "said"),
    [(W @ X, "'W1 X' got shapes (3, 4) and (m, 3)"), (X @ b, "'X b1' got shapes (m, 3) and (4,)")],
    ids=["rows", "vector"],
)
def test_matrix_products_that_do_not_fit(tree, said):
    with pytest.raises(GlassnetError) as caught:
        _ = tree.shape
    assert (
        str(caught.value) == f"The matrix product {said}; the columns of the first must equal the rows of the second."
    )


RNG = np.random.default_rng(0)
ENV = {
    "X": RNG.normal(size=(5, 3)), "W1": RNG.normal(size=(3, 4)), "b1": RNG.normal(size=4),
    "A1": RNG.normal(size=(5, 4)), "dA1": RNG.normal(size=(5, 4)), "w": RNG.random((5, 1)), "m": 5.0,
}  # fmt: skip
x, wt, bias, a, d, sw = (ENV[k] for k in ("X", "W1", "b1", "A1", "dA1", "w"))


@pytest.mark.parametrize(
    ("tree", "value"),
    [
        (X @ W + b, x @ wt + bias),
        (D * (1 - A**2), d * (1 - a * a)),
        (1 + A - 2 / (A**2 + 1), 1 + a - 2 / (a * a + 1)),
        (A * w / m, a * sw / 5),
        (2**A, 2.0**a),
        (A**3, a**3),
        (-A, -a),
        (Transpose(X) @ D, x.T @ d),
        (A > D, (a > d).astype(float)),
        (A < 0, (a < 0).astype(float)),
        (A >= D, (a >= d).astype(float)),
        (A <= D, (a <= d).astype(float)),
        (abs(A) >= 0.25, (np.abs(a) >= 0.25).astype(float)),
        (Sum(A), a.sum()),
        (Sum(A, 0), a.sum(axis=0)),
        (Sum(A, 1), a.sum(axis=1, keepdims=True)),
        (Mean(A), a.mean()),
        (Mean(A, 0), a.mean(axis=0)),
        (Mean(A, 1), a.mean(axis=1, keepdims=True)),
        (gn.where(A > 0, A, 0.1 * A), np.where(a > 0, a, 0.1 * a)),
        (gn.maximum(A, D), np.maximum(a, d)),
        (gn.minimum(A, 0.5), np.minimum(a, 0.5)),
        (softmax(A), np.exp(a) / np.exp(a).sum(axis=1, keepdims=True)),
    ],
    ids=str,
)
def test_values_are_numpys(tree, value):
    result = tree.evaluate(ENV, np)
    np.testing.assert_allclose(result, value, rtol=1e-14, atol=1e-15)
    assert np.shape(result) == np.shape(value)
    assert np.shape(result) == tuple(5 if side == "m" else side for side in tree.shape)


def test_comparison_keeps_the_precision_of_its_operands():
    value = (A > 0).evaluate({"A1": a.astype(np.float32)}, np)
    assert value.dtype == np.float32
    assert (m > 4).evaluate(ENV, np) == 1.0


def test_equality_is_of_structure():
    assert X @ W + b == X @ W + b
    assert hash(X @ W + b) == hash(X @ W + b)
    assert X @ W + b != b + X @ W
    assert Symbol("A", (2,)) != Symbol("A", (3,))
    assert Constant(0.1) != Constant(0.1, "λ")
    assert Compare(">", A, D) != Compare("<", A, D)
    assert Sum(A, 0) != Sum(A, 1)
    assert Sum(A, 0) != Mean(A, 0)
    assert len({A + 1, A + 1, A + 2}) == 2


def test_no_truth_value():
    with pytest.raises(TypeError) as caught:
        bool(A > 0)
    assert str(caught.value) == (
        "An expression has no truth value, so it cannot stand after `if` or `and`; use gn.where(condition, a, b)."
    )


def test_numbers_become_constants_and_nothing_else_does():
    assert as_expression(2) == as_expression(np.int64(2)) == as_expression(np.float32(2)) == Constant(2.0)
    assert Constant(3.0) - A == 3 - A
    assert Constant(3.0) / A == 3 / A
    assert Add(Constant(3.0), A) == 3 + A
    for value, said in (("a", "str 'a'"), (None, "NoneType None")):
        with pytest.raises(TypeError) as caught:
            as_expression(value)
        assert str(caught.value) == (
            f"An expression got {said}; it needs expressions and plain numbers. "
            "Use gn.exp, gn.log, gn.where, ... instead of NumPy's functions."
        )
    for truth in (True, np.True_):
        with pytest.raises(TypeError) as caught:
            as_expression(truth)
        assert str(caught.value) == (
            "An expression got the truth value True; == compares whole formulas, so say where with gn.where and > or <"
        )


def test_walking_and_replacing():
    tree = D * (1 - A**2)
    assert [type(node).__name__ for node in walk(tree)] == [
        "Multiply", "Symbol", "Subtract", "Constant", "Power", "Symbol", "Constant",
    ]  # fmt: skip
    assert size(tree) == 7
    assert symbols(tree + A) == [D, A]
    assert replace(tree, {A: X, A**2: W}) == D * (1 - W)
    assert replace(tree, {X: W}) is tree


def test_walking_goes_as_deep_as_it_must():
    tree: Expression = A
    for _ in range(5000):
        tree = Negate(tree)
    assert size(tree) == 5001


def test_every_node_rebuilds_itself():
    for tree in (A + D, A - D, A * D, A / m, A**2, -A, Transpose(A), X @ W, A > D, Sum(A, 1), Mean(A, 0), gn.tanh(A)):
        assert tree.with_children(tree.children) == tree
    assert Multiply(A, D).with_children((D, A)) == Multiply(D, A)
    assert MatMul(X, W).children == (X, W)


def test_repr_is_the_line_in_angles():
    assert repr(D * (1 - A**2)) == "<dA1 ⊙ (1 − A1²)>"
