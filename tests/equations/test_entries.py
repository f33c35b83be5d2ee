"""What one entry of a line is made of: the written sum, worked out, is the number that the line gave."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pytest

import glassnet as gn
from glassnet.equations.entries import entry_of, to_plain
from glassnet.equations.entry_text import entry_text, short_number, worked_text
from glassnet.equations.expression import MatMul, Mean, Sum, Symbol, Transpose

A, B = Symbol("A", ("m", 3)), Symbol("B", (3, 2))
FUNCTIONS = {
    "tanh": math.tanh, "exp": math.exp, "log": math.log, "sqrt": math.sqrt, "abs": abs, "max": max, "min": min,
    "sigmoid": lambda z: 1 / (1 + math.exp(-z)), "relu": lambda z: max(z, 0.0), "sign": lambda z: float(np.sign(z)),
    "softmax": lambda *z: np.exp(z) / np.exp(z).sum(), "where": lambda c, a, b: a if c else b,
    "gelu": lambda z: z * 0.5 * (1 + math.erf(z / math.sqrt(2))),
    "Φ": lambda z: 0.5 * (1 + math.erf(z / math.sqrt(2))),
    "φ": lambda z: math.exp(-z * z / 2) / math.sqrt(2 * math.pi),
    "elu": lambda z: z if z > 0 else math.exp(z) - 1, "expm1": math.expm1, "step": lambda z: float(z > 0),
    "softplus": lambda z: math.log1p(math.exp(z)), "leaky_relu": lambda z: z if z > 0 else 0.01 * z,
}  # fmt: skip


def computed(written):
    """The number that a written sum comes to, with nothing of glassnet's."""
    text = written.replace("−", "-").replace("·", "*").replace("²", "**2").replace("³", "**3").replace("^", "**")
    text = text.replace("√", "sqrt").replace("≥", ">=").replace("≤", "<=")
    text = re.sub(r"\|([^|]*)\|", r"abs(\1)", text)
    assert "…" not in text
    return float(eval(text, {"__builtins__": {}}, FUNCTIONS))


# By hand.


def test_the_form_with_letters():
    d = gn.derive(gn.Network(4, gn.Dense(3, "tanh"), gn.Dense(2, "softmax")), l2=0.1)
    said = {e.name: entry_text(entry_of(e.shown)) for e in d}
    assert said["Z1"] == "Σₖ(X[i,k] · W1[k,j]) + b1[j]"
    assert said["A1"] == "tanh(Z1[i,j])"
    assert said["A2"] == "softmax(Z2[i,k] for all k)[j]"
    assert said["dW2"] == "Σₖ(A1[k,i] · dZ2[k,j]) + λ · W2[i,j]"
    assert said["db1"] == "Σᵢ(dZ1[i,j])"
    assert said["dA1"] == "Σₖ(dZ2[i,k] · W2[j,k])"
    assert said["dZ1"] == "dA1[i,j] · (1 − A1[i,j]²)"


def test_a_column_is_read_at_its_only_place():
    d = gn.derive(gn.Network(2, gn.Dense(1, "sigmoid")))
    said = {e.name: entry_text(entry_of(e.shown)) for e in d}
    assert said["Z1"] == "Σₖ(X[i,k] · W1[k,0]) + b1[0]"
    assert said["dZ1"] == "(A1[i,0] − Y[i,0]) / m"


def test_the_sum_with_numbers():
    # 0.31·1 + 0.82·0 + 0.1 = 0.41, the line of the issue
    a, w, b = np.array([[0.31, 0.82]]), np.array([[1.0], [0.0]]), np.array([0.1])
    held = {"A": a, "W": w, "b": b}
    tree = MatMul(Symbol("A", ("m", 2)), Symbol("W", (2, 1))) + Symbol("b", (1,))
    text = worked_text(entry_of(tree), lambda n, i: held[n][i], {"i": 0, "j": 0}, {"m": 1})
    assert text == "0.31·1 + 0.82·0 + 0.1"


def test_negative_numbers_stand_in_parentheses_where_they_multiply():
    held = {"A": np.array([[-1.0, 2.0, -3.0]]), "B": np.array([[-4.0, 0], [-5.0, 0], [6.0, 0]])}
    text = worked_text(entry_of(A @ B), lambda n, i: held[n][i], {"i": 0, "j": 0}, {"m": 1})
    assert text == "(−1)·(−4) + 2·(−5) + (−3)·6"
    assert computed(text) == 4 - 10 - 18
    text = worked_text(entry_of(A - A), lambda n, i: held[n][i], {"i": 0, "j": 0}, {"m": 1})
    assert text == "−1 − (−1)"
    total = worked_text(entry_of(Sum(A, 1)), lambda n, i: held[n][i], {"i": 0, "j": 0}, {"m": 1})
    assert total == "−1 + 2 − 3"


def test_a_power_of_a_number_with_an_exponent_holds_it_together():
    text = worked_text(entry_of(A**2), lambda n, i: 1.5e-7, {"i": 0, "j": 0}, {"m": 1})
    assert text == "(1.5e−07)²"
    assert worked_text(entry_of(A @ B), lambda n, i: 1.5e-7, {"i": 0, "j": 0}, {"m": 1}).startswith(
        "1.5e−07·1.5e−07 + "
    )


def test_a_long_sum_says_how_much_it_leaves_out():
    wide = Symbol("V", (1, 100))
    numbers = np.arange(100.0)[None]
    text = worked_text(entry_of(Sum(wide, 1)), lambda n, i: numbers[i], {"i": 0}, {}, most=4)
    assert text == "0 + 1 + 2 + … 96 more … + 99"
    assert 3 + 96 + 1 == 100


def test_samples_without_numbers_are_counted():
    numbers = np.ones((2, 3))
    text = worked_text(entry_of(Sum(A, 0)), lambda n, i: numbers[i], {"j": 0}, {"m": 2}, missing=30)
    assert text == "1 + 1 + … 30 more samples …"
    mean = worked_text(entry_of(Mean(A, 0)), lambda n, i: numbers[i], {"j": 0}, {"m": 2}, missing=30)
    assert mean == "(1 + 1 + … 30 more samples …) / 32"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-2.0, "−2"),
        (0.123456, "0.1235"),
        (1.2e-5, "1.2e−05"),
        (np.nan, "NaN"),
        (np.inf, "∞"),
        (-np.inf, "−∞"),
    ],
)
def test_numbers_as_a_person_reads_them(value, text):
    assert short_number(value) == text


# Every line of many networks: the written sum comes to the number in the array.

NETWORKS = {
    "tanh": (gn.Network(3, gn.Dense(4, "tanh"), gn.Dense(1, "sigmoid")), {"optimizer": gn.SGD(0.1, momentum=0.9)}),
    "softmax": (gn.Network(3, gn.Dense(3, "relu"), gn.Dense(3, "softmax")), {"optimizer": gn.Adam(0.1), "l2": 0.1}),
    "norm": (gn.Network(3, gn.Dense(3, "elu"), gn.BatchNorm(), gn.Dropout(0.3), gn.Dense(2)), {"optimizer": gn.RMSprop(0.1)}),
    "linear": (gn.Network(3, gn.Dense(1)), {"optimizer": gn.SGD(0.1), "l1": 0.05}),
    "mae": (gn.Network(3, gn.Dense(2, "gelu"), gn.Dense(1)), {"loss": "mean_absolute_error"}),
    "huber": (gn.Network(3, gn.Dense(2, "leaky_relu"), gn.Dense(1)), {"loss": "huber", "optimizer": gn.Adagrad(0.1)}),
    "poisson": (gn.Network(3, gn.Dense(2, "softplus"), gn.Dense(1, "exp")), {"loss": "poisson"}),
    "perceptron": (gn.Network(3, gn.Dense(1, "step")), {"loss": "perceptron", "optimizer": gn.SGD(0.1)}),
    "weighted": (
        gn.Network(3, gn.Dense(2, "tanh"), gn.Dense(1)), {"optimizer": gn.AdamW(0.01), "sample_weight": np.arange(1.0, 8)}
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("iteration", [0, 4])
def test_what_is_written_is_what_was_computed(name, iteration):
    network, settings = NETWORKS[name]
    rng = np.random.default_rng(3)
    X = rng.standard_normal((7, 3))
    units = network.output_units
    if units == 3:
        Y = np.eye(3)[rng.integers(0, 3, 7)]
    else:
        Y = rng.integers(0, 2, (7, units)).astype(float)
    run = gn.train(network, X, Y, epochs=6, batch_size=None, progress=False, seed=2, **settings)
    trace = run.trace(iteration)
    for equation in run.derivation:
        gives = f"{equation.name}.after" if equation.phase == "update" else equation.name
        values = np.asarray(trace[gives])
        for index in list(np.ndindex(values.shape))[:12]:
            text = trace.worked(equation.name, *index, digits=17, most=10**6)
            written, _, result = text.rpartition(" = ")
            assert computed(written) == pytest.approx(values[index], rel=1e-9, abs=1e-14), (equation, index, text)
            assert computed(result) == values[index]


def test_a_wrong_form_is_noticed():
    numbers = {"A": np.array([[1.0, 2.0], [3.0, 4.0]])}
    square = Symbol("A", ("m", 2))
    right = worked_text(entry_of(Transpose(square)), lambda n, i: numbers[n][i], {"i": 0, "j": 1}, {"m": 2})
    assert right == "3"  # Aᵀ[0,1] is A[1,0], not A[0,1] = 2


# As plain values.


def test_the_plain_form_is_json_and_complete():
    d = gn.derive(gn.Network(4, gn.Dense(3, "tanh"), gn.Dense(2, "softmax")))
    plain = {e.name: to_plain(entry_of(e.shown)) for e in d}
    assert json.loads(json.dumps(plain)) == plain
    assert plain["Z1"] == {
        "kind": "infix", "operator": "+",
        "left": {"kind": "sum", "letters": ["k"], "over": [4], "inner": {
            "kind": "infix", "operator": "·", "left": {"kind": "cell", "name": "X", "at": ["i", "k"]},
            "right": {"kind": "cell", "name": "W1", "at": ["k", "j"]}}},
        "right": {"kind": "cell", "name": "b1", "at": ["j"]},
    }  # fmt: skip
    assert plain["A2"] == {
        "kind": "row", "name": "softmax", "inner": {"kind": "cell", "name": "Z2", "at": ["i", "k"]}, "letter": "k", "over": 2,
        "at": "j",
    }  # fmt: skip


def test_the_parts_of_a_stacked_vector_are_read_at_their_own_rows():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((12, 3))
    run = gn.train(gn.Network(3, gn.Dense(1, "sigmoid")), X, (rng.random((12, 1)) > 0.5) * 1.0, optimizer=gn.Newton(),
                   epochs=3, progress=False)  # fmt: skip
    trace = run.trace(1)
    for name, index in [("W1", (0, 0)), ("W1", (2, 0)), ("b1", (0,))]:
        written, _, result = trace.worked(name, *index, digits=17).rpartition(" = ")
        assert computed(written) == pytest.approx(computed(result), rel=1e-12)
        assert computed(result) == trace[f"{name}.after"][index]


def test_newtons_matrices_are_shown_whole():
    d = gn.derive(gn.Network(3, gn.Dense(1, "sigmoid")), optimizer=gn.Newton())
    kinds = {e.name: to_plain(entry_of(e.shown))["kind"] for e in d.update}
    assert "whole" in kinds.values()
