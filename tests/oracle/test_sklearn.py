"""Optima, decisions and metrics against scikit-learn's (and NumPy's closed form for linear regression)."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression, Perceptron, PoissonRegressor, Ridge
from sklearn.metrics import accuracy_score, log_loss, mean_poisson_deviance, mean_squared_error, r2_score

import glassnet as gn


def scaled(X):
    return (X - X.mean(axis=0)) / X.std(axis=0)


def optimum(network, X, Y, **settings):
    """The minimum of the cost, by L-BFGS."""
    run = gn.train(network, X, Y, optimizer=gn.LBFGS(), epochs=2000, progress=False, **settings)
    assert run.status == "converged"
    return run


def gradient_of(run, X, Y, **settings):
    """The gradient at a run's parameters, by one step from there."""
    step = gn.train(
        run.network, X, Y, loss=run.settings.loss, optimizer=gn.SGD(1e-9), epochs=1, progress=False,
        initial_parameters=run.parameters, **settings,
    )  # fmt: skip
    values = step.intermediates(0)
    return max(float(np.abs(values[f"d{name}"]).max()) for name in run.parameters)


# --- logistic and softmax regression --------------------------------------------------------------------------------


@pytest.mark.parametrize("strength", [0.01, 1.0, 10.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_penalised_logistic_regression(strength, weighted):
    # scikit-learn minimises ½ ‖w‖² + C Σ wᵢ ℓᵢ; ours is that divided by C Σ wᵢ, so λ = 1 / (C Σ wᵢ).
    data = load_breast_cancer()
    X, y = scaled(data.data), data.target
    w = np.random.default_rng(4).uniform(0.2, 3.0, len(y)) if weighted else None
    total = len(y) if w is None else w.sum()
    theirs = LogisticRegression(C=strength, solver="newton-cholesky", tol=1e-12, max_iter=200).fit(X, y, w)
    settings = {"l2": 1 / (strength * total), "sample_weight": w}
    run = optimum(gn.Network(30, gn.Dense(1, "sigmoid")), X, y, **settings)
    assert gradient_of(run, X, y, **settings) < 1e-8
    np.testing.assert_allclose(run.parameters["W1"][:, 0], theirs.coef_[0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(run.parameters["b1"], theirs.intercept_, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(run.predict(X)[:, 0], theirs.predict_proba(X)[:, 1], rtol=1e-5, atol=1e-7)
    probability = theirs.predict_proba(X)[:, 1]
    np.testing.assert_allclose(run.history["cost"][-1], log_loss(y, probability, sample_weight=w), rtol=1e-7)
    penalty = 0.5 * settings["l2"] * (theirs.coef_**2).sum()
    objective = log_loss(y, probability, sample_weight=w) + penalty
    np.testing.assert_allclose(run.history["cost"][-1] + run.history["penalty"][-1], objective, rtol=1e-12)


@pytest.mark.parametrize("strength", [0.1, 10.0])
def test_penalised_softmax_regression(strength):
    # The intercepts are not penalised, so they are known only up to one number added to all of them.
    X, y = load_iris(return_X_y=True)
    X = scaled(X)
    theirs = LogisticRegression(C=strength, solver="newton-cholesky", tol=1e-12, max_iter=200).fit(X, y)
    run = optimum(gn.Network(4, gn.Dense(3, "softmax")), X, y, l2=1 / (strength * len(y)))
    np.testing.assert_allclose(run.parameters["W1"].T, theirs.coef_, rtol=1e-5, atol=1e-6)
    mine, other = run.parameters["b1"], theirs.intercept_
    np.testing.assert_allclose(mine - mine.mean(), other - other.mean(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(run.predict(X), theirs.predict_proba(X), rtol=1e-5, atol=1e-8)
    np.testing.assert_array_equal(run.predict(X).argmax(axis=1), theirs.predict(X))
    np.testing.assert_allclose(run.history["cost"][-1], log_loss(y, theirs.predict_proba(X)), rtol=1e-7)


def test_poisson_regression():
    # Half the mean Poisson deviance plus ½ α ‖w‖² is our cost and penalty, up to terms without a parameter.
    rng = np.random.default_rng(6)
    X = rng.normal(size=(300, 4))
    y = rng.poisson(np.exp(X @ [0.5, -0.3, 0.2, 0.0] + 0.4)).astype(float)
    theirs = PoissonRegressor(alpha=0.05, solver="newton-cholesky", tol=1e-10).fit(X, y)
    run = optimum(gn.Network(4, gn.Dense(1, "exp")), X, y, loss="poisson", l2=0.05)
    np.testing.assert_allclose(run.parameters["W1"][:, 0], theirs.coef_, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(run.parameters["b1"][0], theirs.intercept_, rtol=1e-5)
    positive = y[y > 0]
    saturated = (y.sum() - (positive * np.log(positive)).sum()) / len(y)
    half = 0.5 * mean_poisson_deviance(y, theirs.predict(X))
    np.testing.assert_allclose(run.history["cost"][-1] - saturated, half, rtol=1e-7)


# --- linear regression ----------------------------------------------------------------------------------------------


def test_linear_regression_is_the_closed_form():
    X, y = load_diabetes(return_X_y=True, scaled=False)
    X = scaled(X)
    run = optimum(gn.Network(10, gn.Dense(1)), X, y)
    design = np.column_stack([np.ones(len(y)), X])
    exact = np.linalg.lstsq(design, y, rcond=None)[0]
    theirs = LinearRegression().fit(X, y)
    np.testing.assert_allclose([theirs.intercept_, *theirs.coef_], exact, rtol=1e-10)
    mine = np.concatenate([run.parameters["b1"], run.parameters["W1"][:, 0]])
    # A cost known to its last digit gives coefficients to √(2 ε J / λ): ½ λ |Δβ|² < ε J.
    smallest = np.linalg.eigvalsh(design.T @ design / len(y))[0]
    np.testing.assert_allclose(
        mine, exact, rtol=0, atol=np.sqrt(2 * np.finfo(float).eps * run.history["cost"][-1] / smallest)
    )
    np.testing.assert_allclose(run.history["cost"][-1], 0.5 * mean_squared_error(y, theirs.predict(X)), rtol=1e-13)
    np.testing.assert_allclose(run.history["r2"][-1], theirs.score(X, y), rtol=1e-12)


def test_weighted_linear_regression_of_several_outputs():
    rng = np.random.default_rng(9)
    X = rng.normal(size=(60, 3))
    Y = X @ rng.normal(size=(3, 2)) + rng.normal(size=(60, 2)) + [3.0, -1.0]
    w = rng.uniform(0.1, 4.0, 60)
    theirs = LinearRegression().fit(X, Y, w)
    run = optimum(gn.Network(3, gn.Dense(2)), X, Y, sample_weight=w)
    np.testing.assert_allclose(run.parameters["W1"].T, theirs.coef_, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(run.parameters["b1"], theirs.intercept_, rtol=1e-6)


def test_ridge_regression():
    # scikit-learn minimises ‖y − Xw‖² + α ‖w‖²; ours is that divided by 2 m, so λ = α / m.
    X, y = load_diabetes(return_X_y=True, scaled=False)
    X = scaled(X)
    theirs = Ridge(alpha=25.0, solver="cholesky").fit(X, y)
    run = optimum(gn.Network(10, gn.Dense(1)), X, y, l2=25.0 / len(y))
    np.testing.assert_allclose(run.parameters["W1"][:, 0], theirs.coef_, rtol=1e-5)
    np.testing.assert_allclose(run.parameters["b1"][0], theirs.intercept_, rtol=1e-8)


# --- the perceptron -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("epochs", [1, 2, 5, 20])
def test_the_perceptron_makes_the_same_updates(epochs):
    # Rosenblatt's rule, one row at a time: θ ← θ + (y − a) x. The first row is of class 1, so that no score is ever
    # exactly on the threshold, where scikit-learn's rule (an error for either class) is not ours (step(0) = 0).
    X, y = load_iris(return_X_y=True)
    X, y = scaled(X[50:]), (y[50:] == 1).astype(int)
    order = np.random.default_rng(12).permutation(100)
    X, y = X[order], y[order]
    first = int(np.flatnonzero(y == 1)[0])
    X, y = np.roll(X, -first, axis=0), np.roll(y, -first)
    theirs = Perceptron(shuffle=False, max_iter=epochs, tol=None).fit(X, y)
    run = gn.train(
        gn.Network(4, gn.Dense(1, "step", init="zeros")), X, y, loss="perceptron", optimizer=gn.SGD(1.0), epochs=epochs,
        batch_size=1, shuffle=False, progress=False,
    )  # fmt: skip
    np.testing.assert_allclose(run.parameters["W1"].T, theirs.coef_, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(run.parameters["b1"], theirs.intercept_, rtol=1e-12)
    np.testing.assert_array_equal(run.predict(X)[:, 0], theirs.predict(X))
    assert np.abs(theirs.coef_).max() > 0.5


# --- metrics of the history -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("weighted", [False, True])
def test_cost_and_accuracy_of_classes(weighted):
    X, y = load_iris(return_X_y=True)
    rng = np.random.default_rng(3)
    rows = rng.permutation(150)
    learnt, held = rows[:100], rows[100:]
    w = rng.uniform(0.1, 5.0, 150) if weighted else None
    run = gn.train(
        gn.Network(4, gn.Dense(3, "softmax")), X[learnt], y[learnt], optimizer=gn.SGD(0.1), epochs=3, batch_size=10,
        l2=0.1, sample_weight=w[learnt] if weighted else None, progress=False,
        validation=(X[held], y[held], w[held]) if weighted else (X[held], y[held]),
    )  # fmt: skip
    for prefix, part in (("", learnt), ("validation_", held)):
        probability = run.predict(X[part])
        weights = w[part] if weighted else None
        expected = log_loss(y[part], probability, sample_weight=weights, labels=[0, 1, 2])
        np.testing.assert_allclose(run.history[f"{prefix}cost"][-1], expected, rtol=1e-12)
        right = accuracy_score(y[part], probability.argmax(axis=1), sample_weight=weights)
        np.testing.assert_allclose(run.history[f"{prefix}accuracy"][-1], right, rtol=1e-13)
        assert 0.2 < right < 1.0


@pytest.mark.parametrize("weighted", [False, True])
def test_cost_and_r2_of_numbers(weighted):
    rng = np.random.default_rng(7)
    X = rng.normal(size=(80, 3))
    Y = X @ rng.normal(size=(3, 2)) + 0.5 * rng.normal(size=(80, 2))
    w = rng.uniform(0.1, 5.0, 80) if weighted else None
    run = gn.train(
        gn.Network(3, gn.Dense(4, "tanh"), gn.Dense(2)), X, Y, optimizer=gn.Adam(0.05), epochs=20, sample_weight=w,
        progress=False,
    )  # fmt: skip
    predicted = run.predict(X)
    each = mean_squared_error(Y, predicted, sample_weight=w, multioutput="raw_values")
    np.testing.assert_allclose(run.history["cost"][-1], 0.5 * each.sum(), rtol=1e-12)
    expected = r2_score(Y, predicted, sample_weight=w)
    np.testing.assert_allclose(run.history["r2"][-1], expected, rtol=1e-12)
    assert 0.1 < expected < 1.0
