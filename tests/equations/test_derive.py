"""`derive`: the lines of the textbook page, their order, their rules and their shapes; the pairings it refuses."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import glassnet as gn
from glassnet.equations.expression import Function, Symbol, symbols, walk
from glassnet.errors import GlassnetError


def lines(derivation, phase):
    return [str(equation) for equation in getattr(derivation, phase)]


def test_the_page_of_the_design():
    """2–40–1 with tanh, sigmoid and binary cross-entropy: the sketch in DESIGN.md, in the order a person reads."""
    net = gn.Network(2, gn.Dense(40, "tanh"), gn.Dense(1, "sigmoid"))
    derivation = gn.derive(net, optimizer=gn.SGD(0.9))
    assert lines(derivation, "forward") == ["Z1 = X W1 + b1", "A1 = tanh(Z1)", "Z2 = A1 W2 + b2", "A2 = sigmoid(Z2)"]
    assert lines(derivation, "cost") == ["J = −Σ(Y ⊙ log(A2) + (1 − Y) ⊙ log(1 − A2)) / m"]
    assert lines(derivation, "backward") == [
        "dZ2 = (A2 − Y) / m",
        "dW2 = A1ᵀ dZ2",
        "db2 = Σᵢ(dZ2)",
        "dA1 = dZ2 W2ᵀ",
        "dZ1 = dA1 ⊙ (1 − A1²)",
        "dW1 = Xᵀ dZ1",
        "db1 = Σᵢ(dZ1)",
    ]
    assert lines(derivation, "update") == ["W1 ← W1 − α dW1", "b1 ← b1 − α db1", "W2 ← W2 − α dW2", "b2 ← b2 − α db2"]
    # The page shows the textbook's J; what runs is written in the scores.
    assert str(derivation["J"].expression) == "Σ(Y ⊙ softplus(−Z2) + (1 − Y) ⊙ softplus(Z2)) / m"
    assert derivation.parameter_count == 2 * 40 + 40 + 40 + 1


def test_every_line_knows_its_rules():
    derivation = gn.derive(gn.Network(2, gn.Dense(40, "tanh"), gn.Dense(1, "sigmoid")), l1=0.1, l2=0.1)
    rules = {equation.name: equation.rules for equation in derivation.backward}
    assert rules == {
        "dZ2": (
            "log sigmoid(z) = −softplus(−z)",
            "log(1 − sigmoid(z)) = −softplus(z)",
            "softplus′(z) = sigmoid(z)",
            "sigmoid(−z) = 1 − sigmoid(z)",
            "A2 = sigmoid(Z2)",
        ),
        "dW2": ("abs′(z) = sign(z)",),
        "db2": (),
        "dA1": (),
        "dZ1": ("tanh′(z) = 1 − tanh(z)²", "A1 = tanh(Z1)"),
        "dW1": ("abs′(z) = sign(z)",),
        "db1": (),
    }


def test_a_line_names_only_the_rules_on_its_own_way():
    # sin stands on y alone, so the slope by a never uses its rule; exp stands on a.
    loss = gn.loss("waves", lambda y, a: (gn.exp(a) - gn.sin(y)) ** 2)
    assert gn.derive(gn.Network(2, gn.Dense(1)), loss)["dA1"].rules == ("exp′(z) = exp(z)",)


@pytest.mark.parametrize(
    "activation", ["sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu", "softplus", "softmax", "exp"]
)
def test_the_line_through_an_activation_names_its_rule(activation):
    derivation = gn.derive(gn.Network(3, gn.Dense(4, activation), gn.Dense(1)))
    kind = gn.activation(activation)
    assert kind.rule in derivation["dZ1"].rules
    assert "dA1" in {s.name for s in symbols(derivation["dZ1"].expression)}


THROUGH = {
    "linear": "dZ1 = dA1",
    "sigmoid": "dZ1 = dA1 ⊙ A1 ⊙ (1 − A1)",
    "tanh": "dZ1 = dA1 ⊙ (1 − A1²)",
    "relu": "dZ1 = dA1 ⊙ (Z1 > 0)",
    "leaky_relu": "dZ1 = dA1 ⊙ where(Z1 > 0, 1, 0.01)",
    "elu": "dZ1 = dA1 ⊙ where(Z1 > 0, 1, exp(Z1))",
    "gelu": "dZ1 = dA1 ⊙ (Φ(Z1) + Z1 ⊙ φ(Z1))",
    "softplus": "dZ1 = dA1 ⊙ sigmoid(Z1)",
    "softmax": "dZ1 = A1 ⊙ (dA1 − Σⱼ(dA1 ⊙ A1))",
    "exp": "dZ1 = dA1 ⊙ A1",
}


@pytest.mark.parametrize("activation", THROUGH)
def test_through_each_activation(activation):
    derivation = gn.derive(gn.Network(3, gn.Dense(4, activation), gn.Dense(1)))
    assert str(derivation["dZ1"]) == THROUGH[activation]


def test_linear_regression_is_seed_003s():
    # seed 003: delta = t(X) (X β̂ − y) / n;  β̂ ← β̂ − lr · delta
    derivation = gn.derive(gn.Network(4, gn.Dense(1)), optimizer=gn.SGD(0.1))
    assert [str(e) for e in derivation] == [
        "Z1 = X W1 + b1",
        "A1 = Z1",
        "J = Σ(½ (A1 − Y)²) / m",
        "dA1 = (A1 − Y) / m",
        "dZ1 = dA1",
        "dW1 = Xᵀ dZ1",
        "db1 = Σᵢ(dZ1)",
        "W1 ← W1 − α dW1",
        "b1 ← b1 − α db1",
    ]


@pytest.mark.parametrize(
    ("activation", "units", "cost"),
    [
        ("sigmoid", 1, "J = −Σ(Y ⊙ log(A1) + (1 − Y) ⊙ log(1 − A1)) / m"),
        ("softmax", 3, "J = −Σ(Y ⊙ log(A1)) / m"),
    ],
)
def test_logistic_and_softmax_regression_are_seeds_003_and_004s(activation, units, cost):
    # seed 004: L = −(y log a + (1 − y) log(1 − a)), ∂L/∂w = X(A − Y)ᵀ / m, ∂L/∂b = Σ(A − Y) / m (columns are samples
    # there); seed 003: the gradient of softmax regression "has the same formula"
    derivation = gn.derive(gn.Network(4, gn.Dense(units, activation)), optimizer="sgd")
    assert [str(e) for e in derivation] == [
        "Z1 = X W1 + b1",
        f"A1 = {activation}(Z1)",
        cost,
        "dZ1 = (A1 − Y) / m",
        "dW1 = Xᵀ dZ1",
        "db1 = Σᵢ(dZ1)",
        "W1 ← W1 − α dW1",
        "b1 ← b1 − α db1",
    ]


def test_penalties_are_folded_and_named():
    net = gn.Network(3, gn.Dense(4, "relu"), gn.Dense(1))
    ridge = gn.derive(net, l2=0.05)
    assert lines(ridge, "cost") == ["L = Σ(½ (A2 − Y)²) / m", "R = ½ λ (Σ(W1²) + Σ(W2²))", "J = L + R"]
    assert str(ridge["dW1"]) == "dW1 = Xᵀ dZ1 + λ W1"
    lasso = gn.derive(net, l1=0.1)
    assert str(lasso["R"]) == "R = λ (Σ(|W1|) + Σ(|W2|))"
    assert str(lasso["dW2"]) == "dW2 = A1ᵀ dZ2 + λ sign(W2)"
    both = gn.derive(net, l1=0.1, l2=0.05)
    assert str(both["R"]) == "R = λ₁ (Σ(|W1|) + Σ(|W2|)) + ½ λ₂ (Σ(W1²) + Σ(W2²))"
    assert str(both["dW2"]) == "dW2 = A1ᵀ dZ2 + λ₁ sign(W2) + λ₂ W2"
    for derivation in (ridge, lasso, both):
        assert str(derivation["db1"]) == "db1 = Σᵢ(dZ1)"


def test_sample_weights():
    derivation = gn.derive(gn.Network(3, gn.Dense(2)), sample_weight=True)
    assert lines(derivation, "cost") == ["S = Σ(w)", "J = Σ(½ w ⊙ (A1 − Y)²) / S"]
    assert str(derivation["dA1"]) == "dA1 = w ⊙ (A1 − Y) / S"


def test_batch_normalisation_line_by_line():
    net = gn.Network(3, gn.Dense(4, "tanh"), gn.BatchNorm(), gn.Dense(1))
    derivation = gn.derive(net, optimizer="sgd")
    assert lines(derivation, "forward")[2:8] == [
        "μ1 = meanᵢ(A1)",
        "C1 = A1 − μ1",
        "var1 = meanᵢ(C1²)",
        "sd1 = √(var1 + ε₀)",
        "N1 = C1 / sd1",
        "B1 = γ1 ⊙ N1 + β1",
    ]
    backward = lines(derivation, "backward")
    assert backward[backward.index("dB1 = dZ2 W2ᵀ") :] == [
        "dB1 = dZ2 W2ᵀ",
        "dγ1 = Σᵢ(dB1 ⊙ N1)",
        "dβ1 = Σᵢ(dB1)",
        "dN1 = dB1 ⊙ γ1",
        "dsd1 = −Σᵢ(dN1 ⊙ C1) / sd1²",
        "dvar1 = ½ dsd1 / sd1",
        "dC1 = dN1 / sd1 + 2 dvar1 ⊙ C1 / m",
        "dμ1 = −Σᵢ(dC1)",
        "dA1 = dC1 + dμ1 / m",
        "dZ1 = dA1 ⊙ (1 − A1²)",
        "dW1 = Xᵀ dZ1",
        "db1 = Σᵢ(dZ1)",
    ]
    assert lines(derivation, "update")[-2:] == [
        "running_mean1 ← 0.9 running_mean1 + 0.1 μ1",
        "running_var1 ← 0.9 running_var1 + 0.1 var1",
    ]
    predicting = {e.name: str(e) for e in derivation.inference}
    assert predicting["mu1"] == "μ1 = running_mean1"
    assert predicting["var1"] == "var1 = running_var1"
    assert predicting["N1"] == "N1 = C1 / sd1"


def test_dropout():
    derivation = gn.derive(gn.Network(3, gn.Dense(4, "relu"), gn.Dropout(0.3), gn.Dense(1)))
    assert str(derivation["D1"]) == "D1 = A1 ⊙ M1 / 0.7"
    assert str(derivation["dA1"]) == "dA1 = dD1 ⊙ M1 / 0.7"
    assert [str(e) for e in derivation.inference if e.name == "D1"] == ["D1 = A1"]
    assert {name: rate for name, (_, rate) in derivation.masks.items()} == {"M1": 0.3}
    none = gn.derive(gn.Network(3, gn.Dense(4, "relu"), gn.Dropout(0.0), gn.Dense(1)))
    assert not none.masks
    half = gn.derive(gn.Network(3, gn.Dense(4, "relu"), gn.Dropout(0.5), gn.Dense(1)))
    assert str(half["D1"]) == "D1 = A1 ⊙ M1 / 0.5"


def test_repeated_subexpressions_are_named_once():
    swish = gn.activation("swish", lambda z: z * gn.sigmoid(z))
    derivation = gn.derive(gn.Network(3, gn.Dense(4, swish), gn.Dense(4, swish), gn.Dense(1)))
    backward = lines(derivation, "backward")
    position = backward.index("U1 = sigmoid(Z1)")
    assert backward[position + 1] == "dZ1 = dA1 ⊙ (1 + Z1 − Z1 ⊙ U1) ⊙ U1"
    assert "U2 = sigmoid(Z2)" in backward
    for equation in derivation.backward:
        functions = [node for node in walk(equation.expression) if isinstance(node, Function)]
        assert len(functions) == len(set(functions)), str(equation)


def test_two_repeats_in_one_line_have_two_names():
    odd = gn.activation("odd", lambda z: z * (gn.sigmoid(z) + gn.tanh(z)))
    derivation = gn.derive(gn.Network(2, gn.Dense(2, odd), gn.Dense(1)))
    named = [e.name for e in derivation.backward if e.name.startswith("U")]
    assert named == ["U1", "U1b"]
    rng = np.random.default_rng(1)
    assert gn.gradcheck(derivation.network, rng.normal(size=(5, 2)), rng.normal(size=(5, 1))).passed


def test_a_formula_may_repeat_itself_as_often_as_it_likes():
    many = gn.activation("many", lambda z: sum((gn.exp(gn.sin(k * z)) for k in range(1, 12)), z))
    derivation = gn.derive(gn.Network(2, gn.Dense(2, many), gn.Dense(1)))
    named = [equation.name for equation in derivation.backward if equation.name.startswith("U")]
    assert named == []  # exp(sin(kz)) and cos(kz) stand once each
    twice = gn.activation("twice", lambda z: sum((gn.sin(k * z) * gn.exp(gn.sin(k * z)) for k in range(1, 16)), z))
    derivation = gn.derive(gn.Network(2, gn.Dense(2, twice), gn.Dense(1)))
    named = [equation.name for equation in derivation.backward if equation.name.startswith("U")]
    assert named[:3] == ["U1", "U1b", "U1c"]
    assert named[25:27] == ["U1z", "U1aa"]
    assert len(set(named)) == len(named) > 26


def test_symbolic_shapes_are_the_shapes_that_come_out():
    net = gn.Network(3, gn.Dense(4, "gelu"), gn.BatchNorm(), gn.Dropout(0.5), gn.Dense(2, "softmax"))
    derivation = gn.derive(net, "categorical_cross_entropy", l1=0.1, l2=0.1, sample_weight=True)
    rng = np.random.default_rng(0)
    env = {
        "X": rng.normal(size=(5, 3)), "Y": np.eye(2)[[0, 1, 1, 0, 1]], "w": rng.random((5, 1)), "m": 5.0, "alpha": 0.1,
        "t": 1.0, "M1": np.ones((5, 4)), **net.initial_parameters(0),
    }  # fmt: skip
    for state in derivation.states:
        env[state.name] = np.zeros(state.shape)
    for symbol, start in derivation.buffers.values():
        env[symbol.name] = np.full(symbol.shape, start)
    for equation in derivation:
        value = equation.expression.evaluate(env, np)
        assert np.shape(value) == tuple(5 if side == "m" else side for side in equation.shape), equation.name
        env[equation.name] = value


def test_every_line_uses_only_what_is_known_before_it():
    swish = gn.activation("swish", lambda z: z * gn.sigmoid(z))
    net = gn.Network(3, gn.Dense(4, swish), gn.BatchNorm(), gn.Dropout(0.5), gn.Dense(2, "softmax"))
    derivation = gn.derive(net, l1=0.1, l2=0.1, sample_weight=True)
    known = {"X", "Y", "w", "m", "alpha", "t", *(p.name for p in derivation.parameters), *derivation.buffers}
    known |= {s.name for s in derivation.states} | set(derivation.masks)
    for equation in derivation:
        assert {s.name for s in symbols(equation.expression)} <= known, str(equation)
        known.add(equation.name)


def test_five_hundred_layers_derive_and_print():
    net = gn.Network(3, *(gn.Dense(3, "tanh") for _ in range(499)), gn.Dense(1))
    derivation = gn.derive(net, l1=0.1, l2=0.1)
    page = str(derivation)
    derivation.latex()
    derivation._repr_html_()
    assert str(derivation["dW1"]) == "dW1 = Xᵀ dZ1 + λ₁ sign(W1) + λ₂ W1"
    assert "dZ250 = dA250 ⊙ (1 − A250²)" in page
    env = {"X": np.ones((2, 3)), "Y": np.zeros((2, 1)), "m": 2.0, **net.initial_parameters(0)}
    for equation in derivation.forward + derivation.cost + derivation.backward:
        env[equation.name] = equation.expression.evaluate(env, np)
    assert np.isfinite(env["J"])
    assert np.isfinite(env["dW1"]).all()


def test_getting_a_line_by_name():
    derivation = gn.derive(gn.Network(2, gn.Dense(1)), optimizer="sgd")
    assert derivation["dW1"].phase == "backward"
    assert derivation["W1"].phase == "update"
    assert derivation["dW1"].layer == 1
    assert derivation["J"].layer is None
    with pytest.raises(KeyError) as caught:
        derivation["dW9"]
    assert caught.value.args == ("There is no equation 'dW9'; there are Z1, A1, J, dA1, dZ1, dW1, db1, W1, b1.",)
    assert repr(derivation) == "<Derivation of 2 → 1 linear: 9 equations>"


def test_one_line_in_all_three_notations():
    line = gn.derive(gn.Network(2, gn.Dense(1)), optimizer="sgd", l2=0.1)["dW1"]
    assert str(line) == "dW1 = Xᵀ dZ1 + λ W1"
    assert line.latex() == r"\mathrm{d}W^{(1)} = {X}^{\top} \, \mathrm{d}Z^{(1)} + \lambda \, W^{(1)}"
    assert "".join(ET.fromstring(line.mathml()).itertext()) == "dW(1)=X⊤dZ(1)+λW(1)"
    update = gn.derive(gn.Network(2, gn.Dense(1)), optimizer="sgd")["W1"]
    assert update.latex() == r"W^{(1)} \leftarrow W^{(1)} - \alpha \, \mathrm{d}W^{(1)}"


# Pairings ------------------------------------------------------------------------------------------------------------

BINARY = (
    "A {} output got binary_cross_entropy, which takes the logarithm of a and of 1 − a; it needs outputs between 0 and 1: "
    "use 'sigmoid', or mean_squared_error."
)
CATEGORICAL = (
    "A {} output got categorical_cross_entropy, which takes the logarithm of probabilities that sum to 1; use 'softmax', "
    "or mean_squared_error."
)
POISSON = (
    "A {} output got the poisson loss, which takes the logarithm of the mean; it needs outputs above 0: use 'exp' (the "
    "log link) or 'softplus'."
)


@pytest.mark.parametrize(
    ("activation", "loss", "units", "sentence"),
    [
        ("softmax", "binary_cross_entropy", 3,
         "Softmax outputs got binary_cross_entropy, whose slope is then not A − Y; use categorical_cross_entropy for "
         "classes that exclude one another, or sigmoid outputs for ones that do not."),
        ("sigmoid", "categorical_cross_entropy", 3,
         "Sigmoid outputs got categorical_cross_entropy, which leaves the outputs of the wrong classes without a slope; "
         "use 'softmax' outputs for classes that exclude one another, or binary_cross_entropy for ones that do not."),
        ("softmax", "categorical_cross_entropy", 1,
         "A softmax over one output is always 1, so it cannot learn; use Dense(1, 'sigmoid') for two classes, or one "
         "softmax unit a class."),
        ("step", "mean_squared_error", 1,
         "A step output has slope zero everywhere, so mean_squared_error gives it no gradient; use loss='perceptron' "
         "(the threshold rule), or a sigmoid output."),
        ("sigmoid", "perceptron", 1,
         "The perceptron's rule got the output activation 'sigmoid'; it needs 'step'. Use Dense(units, 'step'), or "
         "another loss."),
        *((a, "binary_cross_entropy", 1, BINARY.format(a))
          for a in ("linear", "tanh", "relu", "leaky_relu", "elu", "gelu", "softplus", "exp")),
        *((a, "categorical_cross_entropy", 3, CATEGORICAL.format(a))
          for a in ("linear", "tanh", "relu", "leaky_relu", "elu", "gelu", "softplus", "exp")),
        *((a, "poisson", 1, POISSON.format(a)) for a in ("linear", "tanh", "relu", "leaky_relu", "elu", "gelu")),
    ],
)  # fmt: skip
def test_refused_pairings(activation, loss, units, sentence):
    with pytest.raises(GlassnetError) as caught:
        gn.derive(gn.Network(3, gn.Dense(units, activation)), loss)
    assert str(caught.value) == sentence


OWN = gn.activation("mine", lambda z: 0.5 + 0.4 * gn.tanh(z))
HINGE = "The hinge loss wants scores below −1 and above 1, and a {} output is never negative; use 'linear'."
REACH = "A {} output cannot exceed 1, so poisson means above 1 are out of its reach; use 'exp'."


@pytest.mark.parametrize(
    ("activation", "loss", "units", "sentence"),
    [
        *((a, "hinge", 2, HINGE.format(a)) for a in ("sigmoid", "softmax", "relu", "softplus", "exp")),
        ("sigmoid", "poisson", 1, REACH.format("sigmoid")),
        ("softmax", "poisson", 3, REACH.format("softmax")),
        (OWN, "binary_cross_entropy", 1,
         "binary_cross_entropy takes the logarithm of a and of 1 − a: it works only while your 'mine' stays strictly "
         "between 0 and 1."),
        (OWN, "categorical_cross_entropy", 2,
         "categorical_cross_entropy takes the logarithm of probabilities that sum to 1: it works only while the rows of "
         "your 'mine' do."),
        (OWN, "poisson", 1, "The poisson loss takes the logarithm of the output: it works only while your 'mine' is above 0."),
    ],
)  # fmt: skip
def test_warned_pairings(activation, loss, units, sentence):
    derivation = gn.derive(gn.Network(3, gn.Dense(units, activation)), loss)
    assert derivation.warning == sentence
    assert f"Take care: {sentence}" in re.sub(r"\s+", " ", str(derivation))


def test_natural_losses():
    natural = {
        a: gn.derive(gn.Network(3, gn.Dense(2, a))).loss.name
        for a in ("linear", "relu", "sigmoid", "softmax", "exp", "step", OWN)
    }
    assert natural == {
        "linear": "mean_squared_error", "relu": "mean_squared_error", "sigmoid": "binary_cross_entropy",
        "softmax": "categorical_cross_entropy", "exp": "poisson", "step": "perceptron", OWN: "mean_squared_error",
    }  # fmt: skip
    assert all(gn.derive(gn.Network(3, gn.Dense(2, a))).warning is None for a in natural)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"loss": "mean_square_error"},
         "There is no loss 'mean_square_error'; did you mean 'mean_squared_error'? Known: mean_squared_error, "
         "mean_absolute_error, huber, poisson, binary_cross_entropy, categorical_cross_entropy, hinge, perceptron."),
        ({"loss": 3},
         "There is no loss '3'. Known: mean_squared_error, mean_absolute_error, huber, poisson, binary_cross_entropy, "
         "categorical_cross_entropy, hinge, perceptron."),
        ({"optimizer": "adamm"},
         "There is no optimiser 'adamm'; did you mean 'adam'? Known: sgd, adagrad, rmsprop, adam, adamw, lbfgs, "
         "least_squares, newton."),
        ({"l2": -0.1}, "The penalty got l2=-0.1; it needs a finite number, 0 or above."),
        ({"l1": float("nan")}, "The penalty got l1=nan; it needs a finite number, 0 or above."),
        ({"l1": "0.1"}, "The penalty got l1='0.1'; it needs a finite number, 0 or above."),
        ({"l2": float("inf")}, "The penalty got l2=inf; it needs a finite number, 0 or above."),
    ],
    ids=str,
)  # fmt: skip
def test_settings_that_cannot_be_used(settings, sentence):
    with pytest.raises(GlassnetError) as caught:
        gn.derive(gn.Network(3, gn.Dense(1)), **settings)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("net", "settings", "sentence"),
    [
        (gn.Network(3, gn.Dense(4, "step"), gn.Dense(1)), {},
         "Layer 1 uses 'step', whose slope is zero everywhere, so the layers before it cannot learn; use 'sigmoid' or "
         "'tanh' there."),
        (gn.Network(3, gn.Dense(4), gn.BatchNorm(), gn.Dense(1)), {"optimizer": "lbfgs"},
         "LBFGS needs a cost that stays the same from step to step; leave out BatchNorm."),
        (gn.Network(3, gn.Dense(4), gn.Dropout(), gn.Dense(1)), {"optimizer": "lbfgs"},
         "LBFGS needs a cost that stays the same from step to step; leave out Dropout."),
        (gn.Network(3, gn.Dense(2)), {"loss": gn.loss("level", lambda y, a: y + 0 * a)},
         "The cost does not depend on W1, b1, so they cannot learn; check the loss and activations."),
    ],
)  # fmt: skip
def test_networks_that_cannot_learn(net, settings, sentence):
    with pytest.raises(GlassnetError) as caught:
        gn.derive(net, **settings)
    assert str(caught.value) == sentence


# The page ------------------------------------------------------------------------------------------------------------

RICH = gn.derive(
    gn.Network(3, gn.Dense(4, gn.activation("swish", lambda z: z * gn.sigmoid(z))), gn.BatchNorm(), gn.Dropout(0.3),
               gn.Dense(3, "softmax")),
    optimizer="adam", l1=0.1, l2=0.05, sample_weight=True,
)  # fmt: skip

SMALL_PAGE = """\
2 → 3 tanh → 1 sigmoid   (13 parameters)
loss binary_cross_entropy · optimiser SGD(learning_rate=0.9)

Forward: from the inputs to the prediction
  Z1 = X W1 + b1                                   (m, 3)  each unit's weighted sum of the inputs, plus its bias
  A1 = tanh(Z1)                                    (m, 3)  squeezed between −1 and 1
  Z2 = A1 W2 + b2                                  (m, 1)  each unit's weighted sum of layer 1's output, plus its bias
  A2 = sigmoid(Z2)                                 (m, 1)  squeezed between 0 and 1

Cost: how wrong it is
  J = −Σ(Y ⊙ log(A2) + (1 − Y) ⊙ log(1 − A2)) / m  ()      the loss: mean over samples, sum over outputs
      computed as Σ(Y ⊙ softplus(−Z2) + (1 − Y) ⊙ softplus(Z2)) / m, which cannot overflow

Backward: the slope of J by everything, last line first (dW means ∂J/∂W)
  dZ2 = (A2 − Y) / m                               (m, 1)  how the cost changes with each weighted sum
      by log sigmoid(z) = −softplus(−z)
      by log(1 − sigmoid(z)) = −softplus(z)
      by softplus′(z) = sigmoid(z)
      by sigmoid(−z) = 1 − sigmoid(z)
      by A2 = sigmoid(Z2)
  dW2 = A1ᵀ dZ2                                    (3, 1)  slope of the cost by each weight, summed over the samples
  db2 = Σᵢ(dZ2)                                    (1,)    slope by each bias, summed over the samples
  dA1 = dZ2 W2ᵀ                                    (m, 3)  blame passed back through the weights of the next layer
  dZ1 = dA1 ⊙ (1 − A1²)                            (m, 3)  how the cost changes with each weighted sum
      by tanh′(z) = 1 − tanh(z)²
      by A1 = tanh(Z1)
  dW1 = Xᵀ dZ1                                     (2, 3)  slope of the cost by each weight, summed over the samples
  db1 = Σᵢ(dZ1)                                    (3,)    slope by each bias, summed over the samples

Update: the assignments of one step, in this order
  W1 ← W1 − α dW1                                  (2, 3)  a step down the slope
  b1 ← b1 − α db1                                  (3,)    a step down the slope
  W2 ← W2 − α dW2                                  (3, 1)  a step down the slope
  b2 ← b2 − α db2                                  (1,)    a step down the slope

Where
  X   (m, 2)  inputs, one row a sample
  Y   (m, 1)  targets, 0 or 1
  W1  (2, 3)  weights of layer 1
  b1  (3,)    biases of layer 1
  W2  (3, 1)  weights of layer 2
  b2  (1,)    biases of layer 2
  m   ()      samples in the batch
  α   ()      learning rate: 0.9
  ⊙ and plain juxtaposition of a matrix with a column act entry by entry; Wᵀ is W transposed;
  Σ sums over all entries, Σᵢ over the samples, Σⱼ over the entries of a row."""


def test_the_whole_page_to_the_letter():
    assert (
        str(gn.derive(gn.Network(2, gn.Dense(3, "tanh"), gn.Dense(1, "sigmoid")), optimizer=gn.SGD(0.9))) == SMALL_PAGE
    )


def test_a_rich_page_has_everything_in_order():
    page = str(RICH)
    headings = ["Forward:", "Cost:", "Backward:", "Update:", "Where"]
    at = [next(i for i, line in enumerate(page.splitlines()) if line.startswith(h)) for h in headings]
    assert at == sorted(at)
    assert all(len(line) <= 118 for line in page.splitlines())
    for phrase in (
        "optimiser Adam(learning_rate=0.001)", "· L1 penalty 0.1 · L2 penalty 0.05 ·",
        "and in the same way: b1, γ1, β1, W2, b2 as W1", "  swish(z) = z sigmoid(z)",
        "dropout mask: 0 with probability 0.3, else 1, new in every step", "learning rate: 0.001",
        "number of the update, from 1", "the samples' weights, summed", "remembered by the optimiser; starts at 0",
    ):  # fmt: skip
        assert phrase in page, phrase
    shown = page.split("Where")[1]
    for name in ("λ₁", "λ₂", "β₁", "β₂", "ε", "ε₀", "γ1", "β1", "running_mean1", "M1", "w", "m", "t"):
        assert re.search(rf"^  {name} ", shown, re.M), name


def test_every_line_of_the_page_has_its_shape_and_reason():
    page = str(RICH)
    flat = re.sub(r"\s+", " ", page)
    for equation in RICH.forward + RICH.cost + RICH.backward:
        assert equation.why
        assert re.sub(r"\s+", " ", f"{equation} {re.sub(' ', ' ', _shape(equation))} {equation.why}") in flat, (
            equation.name
        )
        for rule in equation.rules if equation.phase == "backward" else ():
            assert f"by {rule}" in flat


def _shape(equation):
    from glassnet.equations.expression import shape_text

    return shape_text(equation.shape)


@pytest.mark.parametrize(
    ("optimizer", "line"),
    [
        (gn.SGD(gn.CosineDecay(0.1, epochs=5), momentum=0.9, nesterov=True),
         "optimiser SGD(learning_rate=CosineDecay(learning_rate=0.1, epochs=5), momentum=0.9, nesterov=True)"),
        (gn.SGD(gn.CosineDecay(0.1, epochs=5)),
         "learning rate: 0.05 (1 + cos(π min(q / 5, 1))) (q epochs done with their fraction)"),
        (gn.SGD(gn.StepDecay(0.1)), "learning rate: 0.1 ½^(floor(e / 10)) (e epochs done)"),
        (gn.SGD(gn.InverseScaling(0.1)), "learning rate: 0.1 / (t + 1)^½ (t updates done)"),
        (gn.SGD(gn.Adaptive(0.1)), "learning rate: starts at 0.1 and falls when the cost stalls"),
        (gn.LBFGS(), "made by SciPy's L-BFGS: a line search from the slopes above and those of the last steps"),
        (gn.AdamW(), "optimiser AdamW(learning_rate=0.001)"),
        (gn.AdamW(), "W1 ← W1 − α λw W1 − α ((mW1 / (1 − β₁ᵗ)) / (√(vW1 / (1 − β₂ᵗ)) + ε))"),
        (gn.RMSprop(), "W1 ← W1 − α (dW1 / (√(sW1) + ε))"),
        (gn.SGD(0.1, momentum=0.9), "vW1 ← μ vW1 − α dW1"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)  # fmt: skip
def test_the_page_says_how_it_steps(optimizer, line):
    page = re.sub(r"\s+", " ", str(gn.derive(gn.Network(3, gn.Dense(1)), optimizer=optimizer)))
    assert line in page


def braces_balance(text):
    depth = 0
    for position, character in enumerate(text):
        if character in "{}" and (position == 0 or text[position - 1] != "\\"):
            depth += 1 if character == "{" else -1
        if depth < 0:
            return False
    return depth == 0


SIGNS = gn.derive(
    gn.Network(2, gn.Dense(3, "tanh"), gn.Dropout(0.2), gn.Dense(1, "sigmoid")), optimizer="adamw", l1=0.1
)
BARE = gn.derive(gn.Network(2, gn.Dense(1)), optimizer="lbfgs")


@pytest.mark.parametrize("derivation", [RICH, SIGNS, BARE], ids=["rich", "signs", "bare"])
def test_latex_page(derivation):
    text = derivation.latex()
    phases = sum(bool(getattr(derivation, phase)) for phase in ("forward", "cost", "backward", "update"))
    assert text.count(r"\begin{align*}") == text.count(r"\end{align*}") == text.count(r"\paragraph") == phases
    assert text.count(r"\left") - text.count(r"\leftarrow") == text.count(r"\right")
    assert braces_balance(text)
    assert text.count(" && ") == lines_shown(derivation)
    body = "\n".join(line for line in text.splitlines() if not line.startswith("%"))
    assert body.isascii(), {ch for ch in body if not ch.isascii()}  # pdfLaTeX takes it as it is


def lines_shown(derivation):
    """An optimiser that remembers is written out for one parameter of each kind, and named for the others."""
    said = str(derivation).split("and in the same way: ")
    left_out = len(re.split("[,;] ", said[1].splitlines()[0])) if len(said) > 1 else 0
    own = len([e for e in derivation.update if e.name == derivation.parameters[0].name or e.name.endswith("W1")])
    return len(derivation.equations) - left_out * own


def test_the_braces_check_notices():
    assert not braces_balance("{")
    assert not braces_balance("}{")
    assert braces_balance(r"\{ {a}")


def test_html_page():
    html = RICH._repr_html_()
    root = ET.fromstring(html)
    assert root.tag == "div"
    tags = {element.tag for element in root.iter()}
    assert not tags & {"script", "link", "img", "iframe"}
    assert not any(name.startswith("on") for element in root.iter() for name in element.attrib)
    equations = [e for e in root.iter("math") if e.get("display") == "block"]
    assert len(equations) == lines_shown(RICH)
    assert "and in the same way: b1, γ1, β1, W2, b2 as W1" in "".join(root.itertext())
    said = "".join(root.itertext())
    for phrase in ("Forward", "Cost", "Backward", "Update", "Where", "(m, 4)", "by a row of Y sums to 1", "swish"):
        assert phrase in said


def test_html_escapes_what_a_person_names():
    derivation = gn.derive(gn.Network(2, gn.Dense(2, "relu"), gn.Dense(1, "sigmoid")), "hinge")
    root = ET.fromstring(derivation._repr_html_())
    assert f"Take care: {derivation.warning}" in "".join(root.itertext())
    assert Symbol("a<b").mathml() == "<mi>a&lt;b</mi>"
