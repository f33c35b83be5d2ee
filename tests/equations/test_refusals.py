"""What descriptions, formulas and the gradient check answer when something cannot be used, and what they accept."""

from __future__ import annotations

import re

import numpy as np
import pytest

import glassnet as gn
from glassnet.equations.expression import Symbol, extent
from glassnet.equations.gradcheck import CheckedGradient, GradientCheck
from glassnet.equations.storing import from_plain, to_plain
from glassnet.errors import GlassnetError

NET = gn.Network(3, gn.Dense(2, "tanh"), gn.Dense(1))
X, Y = np.ones((4, 3)), np.ones(4)
SWISH = gn.activation("sw", lambda z: z * gn.sigmoid(z))
REPEATING = gn.loss("lc", lambda y, a: gn.log(1 + gn.exp(a - y)) * gn.exp(a - y) + gn.sigmoid(a))


def said(call):
    with pytest.raises(GlassnetError) as caught:
        call()
    return str(caught.value)


def nested(levels):
    def formula(z):
        for _ in range(levels):
            z = gn.tanh(z)
        return z

    return formula


def squared(z):
    for _ in range(60):
        z = z * z
    return z


def test_an_initialiser_keeps_every_digit():
    for given in ("normal(0.123456789)", "uniform(-1.00000001, 1e-300)", "normal(0.01)", "uniform(0, 1)"):
        assert gn.Dense(3, init=given).init == given
    value = gn.Network(1, gn.Dense(1, init="constant(0.123456789)")).initial_parameters()["W1"]
    assert value == 0.123456789


def test_an_error_of_nan_counts_as_wrong():
    rows = (CheckedGradient("dW1", (1,), 1, 1.0, 1.0, 0.0), CheckedGradient("db1", (1,), 1, np.nan, 1.0, np.nan))
    check = GradientCheck(rows, 1e-6)
    assert not check.passed
    assert np.isnan(check.max_relative_error)
    lines = str(check).splitlines()
    assert [line.endswith("← differs") for line in lines] == [False, False, True, False]
    assert lines[3].startswith("db1 differs from the slope of the cost by more than 1e-06. (")


def test_a_name_stands_for_one_value():
    derivation = gn.derive(gn.Network(3, gn.Dense(2, SWISH)), loss=REPEATING)
    lines = {e.name: str(e) for e in derivation.forward + derivation.cost + derivation.backward}
    assert len(lines) == len(derivation.forward + derivation.cost + derivation.backward)
    assert [lines[name] for name in ("U1", "U1b", "U1c")] == [
        "U1 = exp(A1 − Y)", "U1b = sigmoid(A1)", "U1c = sigmoid(Z1)",
    ]  # fmt: skip
    assert gn.gradcheck(derivation.network, X, np.ones((4, 2)), REPEATING).passed
    assert derivation["U1"].latex().startswith("U^{(1)} = ")
    assert derivation["U1b"].latex().startswith("U_{b}^{(1)} = ")
    layer = "<mrow><mo>(</mo><mn>1</mn><mo>)</mo></mrow>"
    assert f"<msubsup><mi>U</mi><mi>b</mi>{layer}</msubsup>" in derivation["dA1"].mathml()


def test_a_value_two_lines_repeat_is_named_once():
    square = gn.loss("square", lambda y, a: gn.sigmoid(a) * a)
    derivation = gn.derive(gn.Network(3, gn.Dense(2), gn.Activation(SWISH)), loss=square)
    expressions = [e.expression for e in derivation.backward if e.name.startswith("U")]
    assert len(expressions) == len(set(expressions))


def test_two_formulas_of_one_name():
    other = gn.activation("sw", lambda z: z * gn.sigmoid(2 * z))
    assert said(lambda: gn.derive(gn.Network(3, gn.Dense(2, SWISH), gn.Dense(2, other)))) == (
        "Two activations with different formulas are both named 'sw'; give one another name, so that the page can tell "
        "them apart."
    )
    same = gn.activation("sw", lambda z: z * gn.sigmoid(z))
    gn.derive(gn.Network(3, gn.Dense(2, SWISH), gn.Dense(2, same)))


def test_no_overflow_is_claimed_only_where_it_is_true():
    def notes(activation, loss=None):
        page = str(gn.derive(gn.Network(3, gn.Dense(2, activation)), loss))
        return [line.strip() for line in page.splitlines() if "computed as" in line]

    assert notes("exp") == ["computed as Σ(exp(Z1) − Y ⊙ Z1) / m, from the scores"]
    assert notes("softplus", "poisson")[0].endswith("/ m, which cannot overflow")
    assert notes("softmax")[0].endswith("/ m, which cannot overflow")
    assert "cannot overflow" not in gn.derive(gn.Network(3, gn.Dense(1, "exp")))._repr_html_()


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        (
            gn.SGD(np.float32(0.5), momentum=np.float64(0.5), nesterov=np.True_),
            gn.SGD(0.5, momentum=0.5, nesterov=True),
        ),
        (gn.AdamW(np.float32(0.5), weight_decay=np.float32(0.25)), gn.AdamW(0.5, weight_decay=0.25)),
        (gn.Adam(gn.StepDecay(np.float32(0.5), every=np.int64(3))), gn.Adam(gn.StepDecay(0.5, every=3))),
        (gn.LBFGS(memory=np.int64(5)), gn.LBFGS(memory=5)),
        (gn.Dense(np.int64(3), bias=np.False_), gn.Dense(3, bias=False)),
        (gn.Dropout(np.float32(0.25)), gn.Dropout(0.25)),
        (gn.BatchNorm(np.float32(0.25), np.float32(0.5)), gn.BatchNorm(0.25, 0.5)),
    ],
)
def test_numpy_scalars_are_settings_too(given, plain):
    assert repr(given) == repr(plain)
    if isinstance(given, gn.SGD | gn.Adam | gn.LBFGS):
        assert from_plain(to_plain(given)) == plain


def test_numpy_scalars_are_penalties_too():
    derivation = gn.derive(NET, l1=np.float32(0.5), l2=np.int64(1), sample_weight=np.True_)
    assert (type(derivation.l1), derivation.l1, type(derivation.l2), derivation.weighted) == (float, 0.5, float, True)


def test_biases_start_automatically_at_zero():
    assert gn.Dense(3, bias_init="auto") == gn.Dense(3)


SETTINGS = [
    (lambda: gn.Dense(3, bias="no"), "Dense got bias='no'; it needs True or False."),
    (lambda: gn.SGD(nesterov="x"), "SGD got nesterov='x'; it needs True or False."),
    (lambda: gn.LBFGS(memory=0.1), "LBFGS got memory=0.1; it needs a whole number, 1 or more."),
    (lambda: gn.Dropout(np.True_), "Dropout got rate=True; it needs a number from 0 up to, but not including, 1."),
    (
        lambda: gn.Dense(3, ["tanh"]),
        "There is no activation '['tanh']'; did you mean 'tanh'? Known: linear, sigmoid, tanh, relu, leaky_relu, elu, "
        "gelu, softplus, softmax, exp, step.",
    ),
    (lambda: gn.CosineDecay(0.1, end="a"), "CosineDecay got end='a'; it needs a rate from 0 to learning_rate."),
    (lambda: gn.Adaptive(0.1, tolerance="a"), "Adaptive got tolerance='a'; it needs a finite number, 0 or above."),
    (lambda: gn.derive(NET, l1=True), "The penalty got l1=True; it needs a finite number, 0 or above."),
    (
        lambda: gn.derive(NET, sample_weight=Y),
        "derive got sample_weight as ndarray; it needs True or False, whether samples have weights: the weights "
        "themselves go to train or gradcheck.",
    ),
    *(
        (call, f"{asked} got {what} as the network; it needs a gn.Network, e.g. gn.Network(2, gn.Dense(1)).")
        for asked, what, call in (
            ("derive", "'net'", lambda: gn.derive("net")),
            ("derive", "None", lambda: gn.derive(None)),
            ("gradcheck", "'net'", lambda: gn.gradcheck("net", X, Y)),
        )
    ),
]


def check(**given):
    return gn.gradcheck(**{"network": NET, "X": X, "Y": Y, **given})


CHECKS = [
    (
        {"X": X * np.nan},
        "gradcheck got X with 12 values that are NaN or infinite; it needs finite numbers, so leave such rows out or "
        "fill them in.",
    ),
    (
        {"sample_weight": np.zeros(4)},
        "gradcheck got sample_weight from 0 to 0; it needs weights of 0 or more, at least one of them above 0.",
    ),
    *(
        (given, f"gradcheck got {name} with entries that are no numbers; it needs an array of numbers.")
        for name, given in (
            ("X", {"X": "abc"}),
            ("X", {"X": [[1, 2, 3], [1]]}),
            ("Y", {"Y": ["a"] * 4}),
            ("sample_weight", {"sample_weight": "x"}),
        )
    ),
    ({"parameters": {"b1": [0]}}, "gradcheck got parameters['b1'] of shape (1,); it needs (2,)."),
    ({"parameters": {"b9": [0]}}, "gradcheck got parameters named b9; the network's are W1, b1, W2, b2."),
    ({"parameters": [1]}, "gradcheck got parameters as list; it needs a dict of arrays by name: W1, b1, W2, b2."),
    ({"max_entries": 0}, "gradcheck got max_entries=0; it needs a whole number, 1 or more."),
    ({"X": X[:0], "Y": Y[:0]}, "gradcheck got X and Y without rows; it needs at least one row."),
    (
        {"network": gn.Network(3, gn.Dense(1, "sigmoid")), "Y": Y + 5},
        "gradcheck got Y with values from 6 to 6; binary_cross_entropy needs targets from 0 to 1.",
    ),
    (
        {"network": gn.Network(3, gn.Dense(2, "softmax")), "Y": [0, 1, 2, 0]},
        "gradcheck got Y as class numbers from 0 to 2; with 2 outputs it needs whole numbers from 0 to 1, or one-hot rows.",
    ),
    (
        {"derivation": gn.derive(NET, sample_weight=True)},
        "gradcheck got a derivation with sample weights and sample_weight left out; it needs both or neither.",
    ),
]

UNREADABLE = "; build it from arithmetic and gn.exp, gn.log, gn.where, ..., not from NumPy's functions."
FORMULAS = [
    (lambda z: z + float("nan"), " contains the number nan; it needs finite numbers only."),
    (lambda z: z * gn.exp(1000.0), " contains the number inf; it needs finite numbers only."),
    (lambda z: z / 0, " divides by 0; it needs finite values, so divide by something else."),
    (
        lambda z: z.clip(0),
        " is no formula glassnet can read (AttributeError: 'Symbol' object has no attribute 'clip')" + UNREADABLE,
    ),
    (lambda z: 1 / 0 * z, " is no formula glassnet can read (ZeroDivisionError: division by zero)" + UNREADABLE),
    (
        lambda z: gn.where(z == 0, 1.0, z),
        " is no formula glassnet can read (An expression got the truth value False; == compares whole formulas, so say "
        "where with gn.where and > or <)" + UNREADABLE,
    ),
    (
        nested(300),
        " is 301 operations deep and 301 large; glassnet differentiates formulas of at most 100 and 2,000, so write it "
        "with fewer terms.",
    ),
    (
        squared,
        " is 61 operations deep and 2,305,843,009,213,693,951 large; glassnet differentiates formulas of at most 100 and "
        "2,000, so write it with fewer terms.",
    ),
]


@pytest.mark.parametrize(("call", "sentence"), SETTINGS)
def test_settings_that_cannot_be_used(call, sentence):
    assert said(call) == sentence


@pytest.mark.parametrize(("given", "sentence"), CHECKS)
def test_what_gradcheck_refuses(given, sentence):
    assert said(lambda: check(**given)) == sentence


def test_what_gradcheck_accepts():
    assert check(parameters={"b1": [0, 0]}).passed
    assert check(network=gn.Network(3, gn.Dense(3, "softmax")), Y=[0, 1, 2, 2]).passed
    assert check(network=gn.Network(1, gn.Dense(1)), X=[1.0, 2, 3, 4]).passed


@pytest.mark.parametrize(("formula", "sentence"), FORMULAS)
def test_formulas_that_cannot_be_used(formula, sentence):
    assert said(lambda: gn.activation("q", formula)) == f"The activation 'q'{sentence}"
    assert re.match(r"The loss 'q' ", said(lambda: gn.loss("q", lambda y, a: y - formula(a))))


def test_a_deep_formula_is_derived():
    network = gn.Network(3, gn.Dense(1, gn.activation("q", nested(15))))
    assert gn.gradcheck(network, X * [[0.1, 0.2, 0.3]], Y).passed


def test_the_extent_of_a_tree():
    z = Symbol("z")
    assert extent(z) == (1, 1)
    assert extent(z * z + 1) == (3, 5)
