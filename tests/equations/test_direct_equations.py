"""The page of the direct methods: normal equations, curvature, Newton's step, all derived."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

import glassnet as gn

CASES = {
    "linear": (gn.Network(2, gn.Dense(1)), "least_squares", {}),
    "ridge, weights, two outputs": (gn.Network(2, gn.Dense(2)), "least_squares", {"l2": 0.1, "sample_weight": True}),
    "logistic": (gn.Network(2, gn.Dense(1, "sigmoid")), "newton", {"l2": 0.1}),
    "on the sum": (gn.Network(2, gn.Dense(1, "sigmoid")), "newton", {"l2": 0.1, "penalty_on": "sum"}),
    "poisson": (gn.Network(2, gn.Dense(1, "exp", bias=False)), "newton", {"sample_weight": True}),
    "softmax": (gn.Network(2, gn.Dense(3, "softmax")), "newton", {}),
    "newton on squares": (gn.Network(2, gn.Dense(1)), "newton", {}),
}


def lines(name):
    network, optimizer, settings = CASES[name]
    derivation = gn.derive(network, optimizer=optimizer, **settings)
    return [str(equation) for equation in derivation.update]


def test_the_closed_form_is_the_normal_equations():
    assert lines("linear") == [
        "Xo ← [1 X]", "N1 ← Xoᵀ Xo", "r1 ← Xoᵀ Y", "θ1 ← N1⁻¹ r1", "W1 ← θ1[1:]", "b1 ← θ1[0]",
    ]  # fmt: skip
    assert lines("ridge, weights, two outputs")[1:3] == ["N1 ← Xoᵀ (w ⊙ Xo) + S λ D", "r1 ← Xoᵀ (w ⊙ Y)"]


def test_newtons_step():
    assert lines("logistic") == [
        "Xo ← [1 X]", "c1 ← A1 ⊙ (1 − A1) / m", "H1 ← Xoᵀ (c1 ⊙ Xo) + λ D", "g1 ← [db1; dW1]", "s1 ← H1⁻¹ g1",
        "W1 ← W1 − α s1[1:]", "b1 ← b1 − α s1[0]",
    ]  # fmt: skip
    assert lines("on the sum")[2] == "H1 ← Xoᵀ (c1 ⊙ Xo) + (λ / m) D"
    assert lines("poisson") == ["c1 ← w ⊙ A1 / S", "H1 ← Xᵀ (c1 ⊙ X)", "s1 ← H1⁻¹ dW1", "W1 ← W1 − α s1"]
    assert lines("softmax")[1:5] == [
        "c1 ← A1 ⊙ (v / m − Σⱼ(v ⊙ A1 / m))", "H1 ← Σᵢ(c1ᵢ ⊗ Xoᵢᵀ Xoᵢ)", "g1 ← [db1; dW1]", "s1 ← H1⁺ g1",
    ]  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_every_rendering_and_the_legend(name):
    network, optimizer, settings = CASES[name]
    derivation = gn.derive(network, optimizer=optimizer, **settings)
    assert r"\begin{align*}" in derivation.latex()
    for equation in derivation.update:
        ElementTree.fromstring(f"<math>{equation.expression.mathml()}</math>")
    assert ("  D " in str(derivation)) == bool(settings.get("l2"))
    assert ("  v " in str(derivation)) == (name == "softmax")


@pytest.mark.parametrize("name", CASES)
def test_the_curvature_is_the_slope_of_the_slope(name):
    network, optimizer, settings = CASES[name]
    draws = np.random.default_rng(0)
    X = draws.normal(size=(9, 2))
    k = network.output_units
    Y = np.eye(3)[draws.integers(0, 3, 9)] if k == 3 else draws.integers(0, 2, (9, k)).astype(float)
    w = draws.uniform(0.5, 2, 9) if settings.get("sample_weight") else None
    penalty = {key: value for key, value in settings.items() if key != "sample_weight"}
    start = {p.name: draws.normal(size=p.symbol.shape) * 0.5 for p in gn.derive(network).parameters}
    run = gn.train(
        network,
        X,
        Y,
        optimizer=optimizer,
        sample_weight=w,
        initial_parameters=start,
        epochs=1,
        progress=False,
        **penalty,
    )
    values = run.intermediates(0)
    order = (["b1"] if "b1" in start else []) + ["W1"]

    def slopes(parameters):
        other = gn.train(
            network,
            X,
            Y,
            optimizer="sgd",
            sample_weight=w,
            initial_parameters=parameters,
            epochs=1,
            progress=False,
            **penalty,
        )
        found = other.intermediates(0)
        return np.vstack([found[f"d{n}"].reshape(-1, k) for n in order]).T.ravel()

    theta = np.vstack([start[n].reshape(-1, k) for n in order])
    columns = []
    for j in range(k):
        for i in range(len(theta)):
            sides = []
            for step in (1e-5, -1e-5):
                moved = theta.copy()
                moved[i, j] += step
                parts = {"W1": moved[-2:]} if order == ["W1"] else {"b1": moved[0], "W1": moved[1:]}
                sides.append(slopes(parts))
            columns.append((sides[0] - sides[1]) / 2e-5)
    numerical = np.column_stack(columns)
    if optimizer == "least_squares":  # N is S (or m) times the curvature of one output
        total = len(X) if w is None else w.sum()
        curvature = np.kron(np.eye(k), values["N1"] / total)
    else:
        curvature = values["H1"]
    np.testing.assert_allclose(curvature, numerical, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    ("network", "optimizer", "settings", "sentence"),
    [
        (
            gn.Network(2, gn.Dense(3), gn.Dense(1)), gn.Newton(), {},
            "Newton got a network with 2 Dense layers; it fits one Dense layer alone. For others use LBFGS(), Adam() or SGD().",
        ),
        (
            gn.Network(2, gn.Dropout(0.1), gn.Dense(1)), gn.LeastSquares(), {},
            "LeastSquares got a network with other layers beside its Dense layer; it fits one Dense layer alone. For others "
            "use LBFGS(), Adam() or SGD().",
        ),
        (
            gn.Network(2, gn.Dense(1, "tanh")), gn.Newton(), {},
            "Newton got mean_squared_error over a tanh output; it fits binary_cross_entropy over sigmoid; "
            "categorical_cross_entropy over softmax; mean_squared_error over linear; poisson over exp. Use LBFGS() instead.",
        ),
        (
            gn.Network(2, gn.Dense(1, "sigmoid")), gn.LeastSquares(), {},
            "LeastSquares got binary_cross_entropy over a sigmoid output; it fits mean_squared_error over linear. Use LBFGS() "
            "instead.",
        ),
        (
            gn.Network(2, gn.Dense(1)), gn.LeastSquares(), {"l1": 0.1},
            "LeastSquares got l1=0.1, whose slope has a corner at 0; use gradient descent (LogisticRegression and "
            "LinearRegression with method='gradient_descent'), or l2.",
        ),
    ],
)  # fmt: skip
def test_what_no_direct_method_can_fit(network, optimizer, settings, sentence):
    with pytest.raises(gn.GlassnetError) as caught:
        gn.derive(network, optimizer=optimizer, **settings)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: gn.Newton(tolerance=-1), "Newton got tolerance=-1; it needs a finite number, 0 or above."),
        (lambda: gn.Newton(max_iter=0), "Newton got max_iter=0; it needs a whole number, 1 or more."),
    ],
)
def test_settings_that_cannot_be(make, sentence):
    with pytest.raises(gn.GlassnetError) as caught:
        make()
    assert str(caught.value) == sentence
