"""Generalised linear and multinomial models against statsmodels, on designs that hypothesis draws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import glassnet as gn
from glassnet.statistics.glm import GLMStatistics
from glassnet.statistics.multinomial import MultinomialStatistics

ACTIVATIONS = {"binomial": "sigmoid", "poisson": "exp", "gaussian": "linear"}
RTOL = 1e-6
"""statsmodels stops its own iterations about here; deviances, flat at the maximum, agree further."""


@pytest.fixture(scope="module")
def sm():
    return pytest.importorskip("statsmodels.api")


def drawn(family, seed, rows, features):
    """A design without separation: effects are small and every column is spread."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, features)) * rng.uniform(0.5, 3, features) + rng.normal(size=features)
    eta = (X - X.mean(axis=0)) @ rng.uniform(-0.3, 0.3, features)
    if family == "binomial":
        y = (rng.random(rows) < 1 / (1 + np.exp(-eta))).astype(float)
        y[:2] = 0, 1
    elif family == "poisson":
        y = rng.poisson(np.exp(np.clip(eta, -3, 3))).astype(float) + (np.arange(rows) == 0)
    else:
        y = eta + rng.normal(size=rows)
    return X, y, rng


def mine(family, X, y, weights=None):
    network = gn.Network(X.shape[1], gn.Dense(1, ACTIVATIONS[family]))
    optimizer = gn.LeastSquares() if family == "gaussian" else gn.Newton()
    run = gn.train(network, X, y, optimizer=optimizer, epochs=100, sample_weight=weights, progress=False)
    return GLMStatistics.from_run(run)


def theirs(sm, family, X, y, **weights):
    kind = {"binomial": sm.families.Binomial, "poisson": sm.families.Poisson, "gaussian": sm.families.Gaussian}[
        family
    ]()
    model = sm.GLM(y, sm.add_constant(X, has_constant="add"), family=kind, **weights)
    return model.fit(tol=1e-14, maxiter=200, use_t=family == "gaussian")


def same(fit, other, errors=True):
    np.testing.assert_allclose(fit.coefficients, other.params, rtol=RTOL, atol=1e-8)
    np.testing.assert_allclose(fit.deviance, other.deviance, rtol=1e-8)
    np.testing.assert_allclose(fit.null_deviance, other.null_deviance, rtol=1e-7)
    np.testing.assert_allclose(fit.fitted_values, other.fittedvalues, rtol=RTOL)
    if errors:
        np.testing.assert_allclose(fit.standard_errors, other.bse, rtol=RTOL)
        np.testing.assert_allclose(fit.p_values, other.pvalues, rtol=1e-4, atol=1e-8)


cases = {"seed": st.integers(0, 10**6), "rows": st.integers(60, 150), "features": st.integers(1, 4)}


@pytest.mark.parametrize("family", ACTIVATIONS)
@settings(deadline=None, max_examples=15)
@given(**cases)
def test_families(sm, family, seed, rows, features):
    X, y, _ = drawn(family, seed, rows, features)
    fit, other = mine(family, X, y), theirs(sm, family, X, y)
    same(fit, other)
    if family != "gaussian":  # statsmodels leaves the estimated dispersion out of the count, R does not
        np.testing.assert_allclose(fit.log_likelihood, other.llf, rtol=1e-8)
        np.testing.assert_allclose(fit.aic, other.aic, rtol=1e-8)
    np.testing.assert_allclose(fit.residuals("deviance"), other.resid_deviance, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(fit.residuals("pearson"), other.resid_pearson, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(fit.residuals("working"), other.resid_working, rtol=1e-5, atol=1e-7)
    influence = other.get_influence()
    np.testing.assert_allclose(fit.leverage, influence.hat_matrix_diag, rtol=1e-5)
    np.testing.assert_allclose(fit.cooks_distance, influence.cooks_distance[0], rtol=1e-4, atol=1e-10)
    shown = other.get_prediction(sm.add_constant(X[:5], has_constant="add")).summary_frame(alpha=0.1)
    if family != "gaussian":
        found = fit.predict(X[:5], interval="confidence", level=0.9)
        for name, column in (("fit", "mean"), ("lower", "mean_ci_lower"), ("upper", "mean_ci_upper")):
            np.testing.assert_allclose(np.asarray(found[name], dtype=float), shown[column], rtol=1e-5)


@pytest.mark.parametrize("family", ["binomial", "poisson"])
@settings(deadline=None, max_examples=10)
@given(**cases)
def test_weights_as_frequencies(sm, family, seed, rows, features):
    X, y, rng = drawn(family, seed, rows, features)
    w = rng.integers(1, 4, rows).astype(float)
    fit, other = mine(family, X, y, w), theirs(sm, family, X, y, freq_weights=w)
    same(fit, other)


@settings(deadline=None, max_examples=10)
@given(**cases)
def test_proportions_of_trials(sm, seed, rows, features):
    X, _, rng = drawn("gaussian", seed, rows, features)
    trials = rng.integers(2, 9, rows).astype(float)
    successes = rng.binomial(trials.astype(int), 0.4).astype(float)
    fit = mine("binomial", X, successes / trials, trials)
    other = theirs(sm, "binomial", X, np.column_stack([successes, trials - successes]))
    same(fit, other)
    np.testing.assert_allclose(fit.log_likelihood, other.llf, rtol=1e-8)


@settings(deadline=None, max_examples=10)
@given(**cases)
def test_gaussian_weights_are_variances_upside_down(sm, seed, rows, features):
    X, y, rng = drawn("gaussian", seed, rows, features)
    w = rng.uniform(0.2, 5, rows)
    fit, other = mine("gaussian", X, y, w), theirs(sm, "gaussian", X, y, var_weights=w)
    same(fit, other)


@settings(deadline=None, max_examples=15)
@given(classes=st.integers(2, 4), **cases)
def test_multinomial(sm, classes, seed, rows, features):
    X, _, rng = drawn("gaussian", seed, rows + 40, features)
    labels = rng.integers(0, classes, len(X))
    network = gn.Network(features, gn.Dense(classes, "softmax"))
    run = gn.train(network, X, np.eye(classes)[labels], optimizer=gn.Newton(), epochs=60, progress=False)
    fit = MultinomialStatistics.from_run(run)
    other = sm.MNLogit(labels, sm.add_constant(X, has_constant="add")).fit(
        disp=0, method="newton", tol=1e-12, maxiter=60
    )
    np.testing.assert_allclose(fit.coefficients, other.params.T, rtol=RTOL, atol=1e-8)
    np.testing.assert_allclose(fit.standard_errors, other.bse.T, rtol=RTOL)
    np.testing.assert_allclose(fit.p_values, other.pvalues.T, rtol=1e-4, atol=1e-8)
    np.testing.assert_allclose(fit.covariance, other.cov_params(), rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(fit.log_likelihood, other.llf, rtol=1e-9)
    np.testing.assert_allclose(fit.null_deviance, -2 * other.llnull, rtol=1e-8)
    np.testing.assert_allclose([fit.aic, fit.bic], [other.aic, other.bic], rtol=1e-8)
    np.testing.assert_allclose(fit.fitted_values, other.predict(), rtol=1e-5)
