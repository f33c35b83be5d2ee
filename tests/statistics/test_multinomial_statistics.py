"""Multinomial logistic regression: numbers by hand, identities, finite differences, and the text."""

import json
import math

import numpy as np
import pytest

import glassnet as gn
from glassnet.errors import GlassnetError
from glassnet.statistics.glm import GLMStatistics
from glassnet.statistics.multinomial import MultinomialStatistics


def trained(X, Y, weights=None, optimizer=None, epochs=100, **settings):
    network = gn.Network(X.shape[1], gn.Dense(Y.shape[1], "softmax"))
    return gn.train(
        network, X, Y, optimizer=optimizer or gn.Newton(), epochs=epochs, sample_weight=weights, progress=False,
        shuffle=False, **settings,
    )  # fmt: skip


def fitted(X, Y, weights=None, names=None, classes=None, **settings):
    return MultinomialStatistics.from_run(trained(X, Y, weights, **settings), names=names, classes=classes)


def random_case(seed=0, rows=90, features=2, classes=3):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, features))
    scores = np.column_stack([np.zeros(rows), X @ rng.normal(size=(features, classes - 1)) * 0.7])
    scores += rng.gumbel(size=scores.shape)
    return X, np.eye(classes)[scores.argmax(axis=1)]


def test_shares_are_their_own_estimates():
    # 2, 3 and 5 of 10: β = log 3/2, log 5/2; var β_k = 1/n_k + 1/n_0, cov = 1/n_0.
    Y = np.eye(3)[np.repeat([0, 1, 2], [2, 3, 5])]
    fit = fitted(np.zeros((10, 1)), Y, classes=["a", "b", "c"])
    np.testing.assert_allclose(fit.coefficients[:, 0], [math.log(1.5), math.log(2.5)], rtol=1e-10)
    assert np.isnan(fit.coefficients[:, 1]).all()
    kept = [0, 2]
    np.testing.assert_allclose(fit.covariance[np.ix_(kept, kept)], [[5 / 6, 1 / 2], [1 / 2, 7 / 10]], rtol=1e-10)
    by_hand = -2 * (2 * math.log(0.2) + 3 * math.log(0.3) + 5 * math.log(0.5))
    assert fit.deviance == pytest.approx(by_hand, rel=1e-12)
    assert fit.null_deviance == pytest.approx(by_hand, rel=1e-12)
    assert (fit.parameter_count, fit.df_residual) == (2, 18)
    assert fit.labels == ["b:(Intercept)", "b:x0", "c:(Intercept)", "c:x0"]


@pytest.mark.parametrize("weighted", [False, True])
def test_the_information_is_the_second_difference_of_the_cost(weighted):
    X, Y = random_case()
    w = np.random.default_rng(1).uniform(0.5, 2, len(Y)) if weighted else None
    run = trained(X, Y, w)
    fit = MultinomialStatistics.from_run(run)
    total = len(Y) if w is None else w.sum()

    def cost(beta):
        columns = np.column_stack([np.zeros(3), beta.reshape(2, 3).T])
        state = run.engine.initial_state({"b1": columns[0], "W1": columns[1:]})
        return total * run.engine.cost(state, run.data.X, run.data.Y, run.data.w)[0]

    beta, h = fit.coefficients.ravel(), 1e-4
    steps = h * np.eye(6)
    second = [
        [
            (cost(beta + a + b) - cost(beta + a - b) - cost(beta - a + b) + cost(beta - a - b)) / (4 * h * h)
            for b in steps
        ]
        for a in steps
    ]
    np.testing.assert_allclose(np.linalg.inv(second), fit.covariance, rtol=2e-4, atol=1e-6)
    slope = [(cost(beta + a) - cost(beta - a)) / (2 * h) for a in steps]
    np.testing.assert_allclose(slope, fit.gradient.ravel(), atol=1e-5)
    np.testing.assert_allclose(fit.gradient, 0, atol=1e-6)


def test_two_classes_are_a_binomial_model():
    X, Y = random_case(classes=2)
    fit = fitted(X, Y)
    run = gn.train(gn.Network(2, gn.Dense(1, "sigmoid")), X, Y[:, 1], optimizer=gn.Newton(), epochs=50, progress=False)
    binomial = GLMStatistics.from_run(run)
    np.testing.assert_allclose(fit.coefficients[0], binomial.coefficients, rtol=1e-8)
    np.testing.assert_allclose(fit.covariance, binomial.covariance, rtol=1e-8)
    np.testing.assert_allclose(fit.p_values[0], binomial.p_values, rtol=1e-7)
    assert fit.deviance == pytest.approx(binomial.deviance, rel=1e-10)
    assert fit.null_deviance == pytest.approx(binomial.null_deviance, rel=1e-10)


def test_intervals_predictions_and_residuals():
    X, Y = random_case(seed=2)
    fit = fitted(X, Y, classes=["a", "b", "c"])
    interval = fit.conf_int(0.9)
    low, high = (np.asarray(interval[name], dtype=float).reshape(2, 3) for name in ("5 %", "95 %"))
    np.testing.assert_allclose((high - low) / 2, 1.6448536269514722 * fit.standard_errors, rtol=1e-10)
    np.testing.assert_allclose((high + low) / 2, fit.coefficients, rtol=1e-10, atol=1e-12)
    scores = fit.predict(X[:4], type="link")
    expected = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(fit.predict(X[:4]), expected, rtol=1e-12)
    np.testing.assert_allclose(fit.fitted_values[:4], expected, rtol=1e-12)
    assert fit.predict(X[:4], type="class").tolist() == [["a", "b", "c"][k] for k in expected.argmax(axis=1)]
    np.testing.assert_allclose(fit.residuals()[:4], Y[:4] - expected, rtol=1e-10, atol=1e-14)
    assert np.square(fit.residuals("deviance")).sum() == pytest.approx(fit.deviance, rel=1e-12)
    assert fit.residuals("pearson").shape == Y.shape


def test_weights_of_0_and_2_are_rows_left_out_and_doubled():
    X, Y = random_case(seed=3)
    w = np.ones(90)
    w[:5], w[5:10] = 0, 2
    rows = np.concatenate([np.arange(5, 90), np.arange(5, 10)])
    weighted, repeated = fitted(X, Y, w), fitted(X[rows], Y[rows])
    np.testing.assert_allclose(weighted.coefficients, repeated.coefficients, rtol=1e-8)
    np.testing.assert_allclose(weighted.covariance, repeated.covariance, rtol=1e-8)


def test_aliased_columns_are_named():
    X, Y = random_case()
    fit = fitted(np.column_stack([X, X.sum(axis=1)]), Y, names=["a", "b", "both"])
    alone = fitted(X, Y)
    assert fit.aliased.tolist() == [False, False, False, True]
    np.testing.assert_allclose(fit.coefficients[:, :3], alone.coefficients, rtol=1e-7)
    np.testing.assert_allclose(fit.standard_errors[:, :3], alone.standard_errors, rtol=1e-7)
    shared = fitted(np.column_stack([X, X.sum(axis=1)]), Y, optimizer=gn.LBFGS(), names=["a", "b", "both"])
    assert shared.undetermined
    assert np.isnan(shared.standard_errors).all()
    assert "LBFGS shared them out: no coefficient is unique, and none has a standard error." in shared.notes[0]
    assert fit.notes == [
        "both is a combination of the columns before, so that the data do not tell their effects apart."
    ]


def test_what_is_refused():
    X, Y = random_case()
    fit = fitted(X, Y)
    with pytest.raises(GlassnetError, match="whose probabilities move together"):
        fit.predict(X, interval="confidence")
    with pytest.raises(GlassnetError, match="needs 'response', 'class' or 'link'"):
        fit.predict(X, type="odds")
    with pytest.raises(GlassnetError, match=r"it needs \(m, 2\)"):
        fit.predict(X[:, :1])
    penalised = fitted(X, Y, l2=0.1)
    with pytest.raises(GlassnetError, match="biased towards 0"):
        penalised.conf_int()
    assert np.isnan(penalised.standard_errors).all()
    assert "Std. Errors" not in str(penalised.summary())
    binary = gn.train(gn.Network(2, gn.Dense(1, "sigmoid")), X, Y[:, 0], epochs=1, progress=False)
    with pytest.raises(GlassnetError, match="need categorical_cross_entropy over softmax"):
        MultinomialStatistics.from_run(binary)


def test_the_summary_as_a_whole():
    # Two groups with shares 2 : 3 : 5 and 4 : 4 : 2, fitted exactly: log 3/2, log 5/2; then log 4/4 and log 2/4 less those.
    # Errors √(1/2 + 1/3), √(1/2 + 1/5); √(1/2 + 1/3 + 1/4 + 1/4), √(1/2 + 1/5 + 1/4 + 1/2).
    # D = −2 (2 log 0.2 + 3 log 0.3 + 5 log 0.5 + 8 log 0.4 + 2 log 0.2) = 41.69146.
    Y = np.eye(3)[np.concatenate([np.repeat([0, 1, 2], [2, 3, 5]), np.repeat([0, 1, 2], [4, 4, 2])])]
    run = trained(np.repeat([0.0, 1.0], 10)[:, None], Y)
    fit = MultinomialStatistics.from_run(
        run, names=["dose"], classes=["low", "mid", "high"], call="multinom(formula = pain ~ dose)"
    )
    assert str(fit.summary()) == (
        "Call:\n"
        "multinom(formula = pain ~ dose)\n"
        "\n"
        "Coefficients:\n"
        "     (Intercept)       dose\n"
        "mid    0.4054651 -0.4054651\n"
        "high   0.9162907 -1.6094379\n"
        "\n"
        "Std. Errors:\n"
        "     (Intercept)     dose\n"
        "mid    0.9128709 1.154701\n"
        "high   0.8366600 1.204159\n"
        "\n"
        "Residual Deviance: 41.69146 \n"
        "AIC: 49.69146 \n"
        "\n"
        "mid against low:\n"
        "            Estimate Std. Error z value Pr(>|z|)\n"
        "(Intercept)   0.4055     0.9129   0.444    0.657\n"
        "dose         -0.4055     1.1547  -0.351    0.725\n"
        "\n"
        "high against low:\n"
        "            Estimate Std. Error z value Pr(>|z|)\n"
        "(Intercept)   0.9163     0.8367   1.095    0.273\n"
        "dose         -1.6094     1.2042  -1.337    0.181\n"
    )
    kept = json.loads(json.dumps(fit.to_plain(), allow_nan=False))
    assert (kept["kind"], kept["reference"], kept["classes"]) == ("multinomial", "low", ["low", "mid", "high"])
