"""Generalised linear models: numbers by hand, identities, finite differences, and R's text."""

import json
import math

import numpy as np
import pytest

import glassnet as gn
from glassnet.errors import GlassnetError
from glassnet.statistics.families import FAMILIES, Curvature, t_p_values
from glassnet.statistics.glm import GLMStatistics

ACTIVATIONS = {"binomial": "sigmoid", "poisson": "exp", "gaussian": "linear"}

COUNTS = np.array([18.0, 17, 15, 20, 10, 20, 25, 13, 12])
OUTCOME, TREATMENT = np.tile([1, 2, 3], 3), np.repeat([1, 2, 3], 3)
DOBSON = np.column_stack([OUTCOME == 2, OUTCOME == 3, TREATMENT == 2, TREATMENT == 3]).astype(float)
DOBSON_NAMES = ["outcome2", "outcome3", "treatment2", "treatment3"]
"""Dobson (1990), page 93: the example of R's ?glm."""

WT = np.array([
    2.62, 2.875, 2.32, 3.215, 3.44, 3.46, 3.57, 3.19, 3.15, 3.44, 3.44, 4.07, 3.73, 3.78, 5.25, 5.424, 5.345, 2.2, 1.615,
    1.835, 2.465, 3.52, 3.435, 3.84, 3.845, 1.935, 2.14, 1.513, 3.17, 2.77, 3.57, 2.78,
])  # fmt: skip
AM = np.array([1.0] * 3 + [0] * 14 + [1] * 3 + [0] * 5 + [1] * 7)
"""R's mtcars: weight and transmission."""


def trained(family, X, y, weights=None, bias=True, optimizer=None, **settings):
    """The run of a fit by Newton's method (least squares for the gaussian family)."""
    network = gn.Network(X.shape[1], gn.Dense(1, ACTIVATIONS[family], bias=bias))
    direct = gn.LeastSquares() if family == "gaussian" else gn.Newton()
    settings = {"epochs": 100, "progress": False, "shuffle": False} | settings
    return gn.train(network, X, y, optimizer=optimizer or direct, sample_weight=weights, **settings)


def fitted(family, X, y, weights=None, bias=True, names=None, response=None, call=None, classes=None, **settings):
    run = trained(family, X, y, weights, bias, **settings)
    return GLMStatistics.from_run(run, names=names, response=response, call=call, classes=classes)


def table(found):
    """A table's columns as arrays, whatever it is."""
    return {str(name): np.asarray(found[name], dtype=float) for name in list(found)}


def random_case(family, seed=0, rows=60, features=3):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, features))
    eta = 0.3 + X @ rng.normal(size=features) * 0.6
    y = {
        "binomial": (rng.random(rows) < 1 / (1 + np.exp(-eta))).astype(float),
        "poisson": rng.poisson(np.exp(eta)).astype(float),
        "gaussian": eta + rng.normal(size=rows),
    }[family]
    return X, y


# By hand.


def test_a_share_is_its_own_estimate():
    # 3 ones of 4: b = log(3/1), D = −2 (3 log ¾ + log ¼), I = m p (1 − p) = 4 · 3/16 = ¾.
    fit = fitted("binomial", np.zeros((4, 1)), np.array([1.0, 1, 0, 1]), names=["nothing"])
    assert fit.coefficients[0] == pytest.approx(math.log(3), rel=1e-12)
    assert math.isnan(fit.coefficients[1])
    assert fit.standard_errors[0] == pytest.approx(math.sqrt(4 / 3), rel=1e-12)
    assert fit.deviance == pytest.approx(-2 * (3 * math.log(0.75) + math.log(0.25)), rel=1e-12)
    assert fit.deviance == pytest.approx(fit.null_deviance, rel=1e-12)
    assert (fit.rank, fit.df_residual, fit.df_null) == (1, 3, 3)
    assert fit.aic == pytest.approx(fit.deviance + 2, rel=1e-12)
    assert fit.bic == pytest.approx(fit.deviance + math.log(4), rel=1e-12)


def test_proportions_with_trials_as_weights():
    # 2 of 3 and 1 of 4 successes, one group each: logits log 2 and log ⅓, var(b₀) = 1/2 + 1/1, var(b₁) adds 1/1 + 1/3.
    fit = fitted("binomial", np.array([[0.0], [1.0]]), np.array([2 / 3, 1 / 4]), np.array([3.0, 4.0]))
    np.testing.assert_allclose(fit.coefficients, [math.log(2), math.log(1 / 3) - math.log(2)], rtol=1e-9)
    np.testing.assert_allclose(fit.standard_errors**2, [3 / 2, 3 / 2 + 4 / 3], rtol=1e-9)
    # Every group is fitted: log L = log C(3, 2) (2/3)² (1/3) + log C(4, 1) (1/4) (3/4)³.
    by_hand = math.log(3 * 4 / 27) + math.log(4 * 27 / 256)
    assert fit.log_likelihood == pytest.approx(by_hand, rel=1e-12)
    assert fit.deviance == pytest.approx(0, abs=1e-12)


def test_a_mean_count_is_its_own_estimate():
    # y = 1, 2, 6: μ = 3, b = log 3, I = Σ μ = 9; log L = Σ y log 3 − 3 − log y!.
    fit = fitted("poisson", np.zeros((3, 1)), np.array([1.0, 2, 6]))
    assert fit.coefficients[0] == pytest.approx(math.log(3), rel=1e-12)
    assert fit.standard_errors[0] == pytest.approx(1 / 3, rel=1e-12)
    assert fit.log_likelihood == pytest.approx(9 * math.log(3) - 9 - math.log(2) - math.log(720), rel=1e-12)
    by_hand = 2 * (1 * math.log(1 / 3) + 2 * math.log(2 / 3) + 6 * math.log(2))
    assert fit.deviance == pytest.approx(by_hand, rel=1e-12)


def test_student_s_tails_by_hand():
    # One degree of freedom is Cauchy's: P(|T| > 1) = ½. Two: P(|T| > t) = 1 − t / √(2 + t²).
    assert t_p_values(np.array([1.0]), 1)[0] == pytest.approx(0.5, rel=1e-14)
    assert t_p_values(np.array([2.0]), 2)[0] == pytest.approx(1 - 2 / math.sqrt(6), rel=1e-13)
    assert np.isnan(t_p_values(np.array([2.0]), 0)).all()


# The curvature is the one that the equations have.


@pytest.mark.parametrize("family", ACTIVATIONS)
@pytest.mark.parametrize("weighted", [False, True])
def test_the_information_is_the_second_difference_of_the_cost(family, weighted):
    X, y = random_case(family)
    w = np.random.default_rng(1).uniform(0.5, 2, len(y)) if weighted else None
    run = trained(family, X, y, w)
    fit = GLMStatistics.from_run(run)
    phi = fit.dispersion
    total = len(y) if w is None else w.sum()
    engine, data = run.engine, run.data

    def cost(beta):
        state = engine.initial_state({"b1": beta[:1], "W1": beta[1:, None]})
        return total * engine.cost(state, data.X, data.Y, data.w)[0]

    h, p = 1e-4, len(fit.names)
    steps = h * np.eye(p)
    beta = fit.coefficients
    second = [
        [
            (cost(beta + a + b) - cost(beta + a - b) - cost(beta - a + b) + cost(beta - a - b)) / (4 * h * h)
            for b in steps
        ]
        for a in steps
    ]
    np.testing.assert_allclose(phi * np.linalg.inv(second), fit.covariance, rtol=2e-4, atol=1e-6)
    slope = [(cost(beta + a) - cost(beta - a)) / (2 * h) for a in steps]
    np.testing.assert_allclose(slope, fit.gradient, atol=1e-5)
    np.testing.assert_allclose(fit.gradient, 0, atol=1e-7 * total)


def test_the_check_above_would_notice_a_wrong_curvature():
    derivation = gn.derive(gn.Network(1, gn.Dense(1, "sigmoid")), optimizer=gn.SGD(0.1))
    curvature = Curvature(derivation)
    Z, Y, w = np.array([[0.4], [-1.2]]), np.array([[1.0], [0.0]]), np.array([[1.0], [2.0]])
    h = 1e-6
    numeric = (curvature.slope(Z + h, Y, w) - curvature.slope(Z - h, Y, w)) / (2 * h)
    derived = curvature.along(Z, Y, w, np.ones_like(Z))
    np.testing.assert_allclose(derived, numeric, rtol=1e-8)
    assert not np.allclose(1.001 * derived, numeric, rtol=1e-8)
    assert str(curvature.curvature_equation) == "V ⊙ sigmoid(Z1) ⊙ (1 − sigmoid(Z1)) / m"


# Identities.


@pytest.mark.parametrize("family", ACTIVATIONS)
def test_what_must_hold_of_residuals_and_leverages(family):
    X, y = random_case(family, seed=3)
    fit = fitted(family, X, y)
    assert fit.leverage.sum() == pytest.approx(fit.rank, rel=1e-12)
    assert np.square(fit.residuals("deviance")).sum() == pytest.approx(fit.deviance, rel=1e-12)
    assert fit.residuals("response").sum() == pytest.approx(0, abs=1e-6)
    variance = fit.family.variance(fit.fitted_values)
    np.testing.assert_allclose(fit.residuals("working"), (y - fit.fitted_values) / variance, rtol=1e-12)
    np.testing.assert_allclose(fit.residuals("pearson"), (y - fit.fitted_values) / np.sqrt(variance), rtol=1e-12)
    h = fit.leverage
    root = np.sqrt(fit.dispersion * (1 - h))
    np.testing.assert_allclose(fit.standardized_residuals, fit.residuals("deviance") / root, rtol=1e-12)
    cook = (fit.residuals("pearson") / (1 - h)) ** 2 * h / (fit.dispersion * fit.rank)
    np.testing.assert_allclose(fit.cooks_distance, cook, rtol=1e-12)


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_rows_of_weight_0_are_as_if_absent_and_weight_2_as_if_twice(family):
    X, y = random_case(family, seed=5)
    w = np.ones(len(y))
    w[:4], w[4:8] = 0, 2
    weighted = fitted(family, X, y, w)
    rows = np.concatenate([np.arange(4, len(y)), np.arange(4, 8)])
    repeated = fitted(family, X[rows], y[rows])
    np.testing.assert_allclose(weighted.coefficients, repeated.coefficients, rtol=1e-8)
    np.testing.assert_allclose(weighted.standard_errors, repeated.standard_errors, rtol=1e-8)
    assert weighted.deviance == pytest.approx(repeated.deviance, rel=1e-10)
    assert weighted.df_residual == len(y) - 4 - 4


def test_without_an_intercept():
    X, y = random_case("poisson", seed=2)
    fit = fitted("poisson", X, y, bias=False)
    assert fit.names == ["x0", "x1", "x2"]
    assert fit.df_null == len(y)
    # η = 0 everywhere: μ = 1.
    with np.errstate(divide="ignore", invalid="ignore"):
        null = 2 * np.where(y > 0, y * np.log(y), 0).sum() - 2 * (y - 1).sum()
    assert fit.null_deviance == pytest.approx(null, rel=1e-12)
    assert " - 1, family = poisson)" in str(fit.summary())


# Intervals and predictions.


def test_wald_and_profile_intervals_are_r_s_for_dobson():
    # What ?confint prints for glm.D93.
    fit = fitted("poisson", DOBSON, COUNTS, names=DOBSON_NAMES)
    wald = table(fit.conf_int())
    np.testing.assert_allclose(wald["2.5 %"], [2.7095672, -0.8505027, -0.6707552, -0.3919928, -0.3919928], atol=6e-8)
    np.testing.assert_allclose(wald["97.5 %"], [3.37947764, -0.05800787, 0.08478093, 0.39199279, 0.39199279], atol=6e-8)
    # R interpolates the profile with a spline; here it is solved.
    profile = table(fit.conf_int(method="profile"))
    np.testing.assert_allclose(profile["2.5 %"], [2.6958215, -0.8577018, -0.6753696, -0.3932548, -0.3932548], atol=2e-5)
    np.testing.assert_allclose(
        profile["97.5 %"], [3.36655581, -0.0625584, 0.08244089, 0.39325483, 0.39325483], atol=2e-5
    )


def test_a_profile_limit_is_where_the_deviance_has_risen_by_z_squared():
    from scipy.optimize import minimize

    X, y = random_case("binomial", seed=8, rows=50, features=2)
    fit = fitted("binomial", X, y)
    limits = table(fit.conf_int(level=0.9, method="profile"))
    z = 1.6448536269514722
    for column in ("5 %", "95 %"):
        value = limits[column][1]

        def deviance(others, value=value):
            eta = others[0] + X @ np.array([value, others[1]])
            return 2 * (np.logaddexp(0, eta) - y * eta).sum()

        lowest = minimize(deviance, fit.coefficients[[0, 2]], method="BFGS", options={"gtol": 1e-8}).fun
        assert lowest - fit.deviance == pytest.approx(z * z, rel=1e-6)


def test_confidence_of_predictions_is_made_for_the_scores():
    X, y = random_case("binomial", seed=4)
    fit = fitted("binomial", X, y)
    row = np.array([[0.2, -0.3, 1.0]])
    x = np.append(1.0, row)
    eta, error = x @ fit.coefficients, math.sqrt(x @ fit.covariance @ x)
    np.testing.assert_allclose(fit.predict(row, type="link"), [eta], rtol=1e-12)
    np.testing.assert_allclose(fit.predict(row), [1 / (1 + math.exp(-eta))], rtol=1e-12)
    found = table(fit.predict(row, interval="confidence"))
    z = 1.959963984540054
    expected = [1 / (1 + math.exp(-v)) for v in (eta, eta - z * error, eta + z * error)]
    np.testing.assert_allclose([found[n][0] for n in ("fit", "lower", "upper")], expected, rtol=1e-10)
    with_errors = table(fit.predict(row, se=True))
    mu = expected[0]
    np.testing.assert_allclose(with_errors["se"], [error * mu * (1 - mu)], rtol=1e-10)
    np.testing.assert_allclose(table(fit.predict(row, type="link", se=True))["se"], [error], rtol=1e-10)


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_a_single_outcome_has_no_interval(family):
    X, y = random_case(family)
    with pytest.raises(GlassnetError) as refused:
        fitted(family, X, y).predict(X, interval="prediction")
    assert str(refused.value) == (
        f"predict got interval='prediction' for the {family} family, whose single outcomes are whole numbers, not a range "
        "around the mean; use interval='confidence' for the mean."
    )


def test_what_cannot_be_asked():
    X, y = random_case("binomial")
    fit = fitted("binomial", X, y)
    for wrong in (
        lambda: fit.predict(X, type="odds"), lambda: fit.predict(X, interval="both"), lambda: fit.predict(X[:, :2]),
        lambda: fit.conf_int(level=95), lambda: fit.conf_int(method="bootstrap"), lambda: fit.residuals("partial"),
        lambda: fit.anova(test="Rao"), lambda: fit.anova({"a": ["nothing"]}),
    ):  # fmt: skip
        with pytest.raises(GlassnetError, match=r"got .*(need|coefficients are)"):
            wrong()


def test_analysis_of_deviance_is_r_s_for_dobson():
    # anova(glm.D93, test = "Chisq"): outcome 2, 5.4523, 6, 5.1291, 0.06547; treatment 2, 0.0000, 4, 5.1291, 1.
    fit = fitted("poisson", DOBSON, COUNTS, names=DOBSON_NAMES)
    found = table(fit.anova({"outcome": DOBSON_NAMES[:2], "treatment": DOBSON_NAMES[2:]}))
    np.testing.assert_array_equal(found["Df"][1:], [2, 2])
    np.testing.assert_array_equal(found["Resid. Df"], [8, 6, 4])
    np.testing.assert_allclose(found["Deviance"][1:], [5.4523, 0], atol=5e-5)
    np.testing.assert_allclose(found["Resid. Dev"], [10.5814, 5.1291, 5.1291], atol=5e-5)
    np.testing.assert_allclose(found["Pr(>Chi)"][1:], [0.06547, 1], atol=5e-6)


# What stands in the way.


def test_penalised_fits_have_no_standard_errors():
    X, y = random_case("binomial")
    fit = fitted("binomial", X, y, l2=0.1)
    reason = (
        "The fit was penalised: its estimates are biased towards 0, and a standard error would measure their spread "
        "without that bias. Fit without l1 and l2 for standard errors, tests and intervals."
    )
    assert np.isnan(fit.standard_errors).all()
    assert np.isnan(fit.p_values).all()
    assert fit.notes == [reason]
    for asked in (fit.conf_int, fit.anova, lambda: fit.predict(X, interval="confidence")):
        with pytest.raises(GlassnetError) as refused:
            asked()
        assert str(refused.value) == reason
    text = " ".join(str(fit.summary()).split())
    assert reason in text
    assert "Std. Error" not in text


def test_aliased_columns_are_named():
    X, y = random_case("binomial")
    fit = fitted("binomial", np.column_stack([X, X[:, 0] + X[:, 1]]), y, names=["a", "b", "c", "d"])
    alone = fitted("binomial", X, y)
    np.testing.assert_array_equal(fit.aliased, [False] * 4 + [True])
    np.testing.assert_allclose(fit.coefficients[:4], alone.coefficients, rtol=1e-8)
    np.testing.assert_allclose(fit.standard_errors[:4], alone.standard_errors, rtol=1e-8)
    assert np.isnan(fit.standard_errors[4])
    np.testing.assert_allclose(fit.predict(), alone.predict(), rtol=1e-8)
    text = str(fit.summary())
    assert "Coefficients: (1 not defined because of singularities)" in text
    assert "d is a combination of the columns before, so that the data do not tell their effects apart." in fit.notes


def test_gradient_descent_that_has_not_arrived_says_how_far_it_is():
    X, y = random_case("binomial")
    fit = fitted("binomial", X, y, optimizer=gn.SGD(0.5), epochs=5)
    slope = np.abs(fit.gradient).max() / len(y)
    assert fit.notes[0] == (
        f"SGD did not converge in 5 iterations: the largest slope of J left is {slope:.2g}. The estimates are not the "
        "maximum of the likelihood, and their standard errors and tests are not those of it."
    )
    assert "Number of SGD iterations: 5" in str(fit.summary())


def test_several_layers_and_other_losses_are_refused():
    X, y = random_case("binomial")
    deep = gn.train(gn.Network(3, gn.Dense(2, "tanh"), gn.Dense(1, "sigmoid")), X, y, epochs=1, progress=False)
    with pytest.raises(GlassnetError, match="they need one Dense layer"):
        GLMStatistics.from_run(deep)
    hinge = gn.train(gn.Network(3, gn.Dense(1)), X, 2 * y - 1, loss="hinge", epochs=1, progress=False)
    with pytest.raises(GlassnetError, match=r"got hinge over linear; they need one of: .*\(poisson\)"):
        GLMStatistics.from_run(hinge)
    with pytest.raises(GlassnetError, match="a target a row, a name a column and 4 coefficients"):
        GLMStatistics(X, y, None, [0.0], FAMILIES["binomial"], Curvature(deep.derivation))


def test_fractional_successes_and_counts_are_remarked():
    X, y = random_case("binomial")
    assert "are not all whole" in fitted("binomial", X, y, np.full(len(y), 0.3)).notes[0]
    X, y = random_case("poisson")
    fit = fitted("poisson", X, y + 0.5)
    assert math.isinf(fit.aic)
    assert "The counts are not all whole numbers" in fit.notes[0]


# What is printed.


def test_the_summary_of_transmission_by_weight_is_r_s():
    # But for one digit: R takes the weights of the iteration before the last and prints 1.436 for the second error.
    fit = fitted(
        "binomial", WT[:, None], AM, names=["wt"], response="am",
        call="glm(formula = am ~ wt, family = binomial, data = mtcars)",
    )  # fmt: skip
    assert str(fit.summary()) == (
        "\n"
        "Call:\n"
        "glm(formula = am ~ wt, family = binomial, data = mtcars)\n"
        "\n"
        "Deviance Residuals: \n"
        "     Min        1Q    Median        3Q       Max  \n"
        "-2.11400  -0.53738  -0.08811   0.26055   2.19931  \n"
        "\n"
        "Coefficients:\n"
        "            Estimate Std. Error z value Pr(>|z|)   \n"
        "(Intercept)   12.040      4.510   2.670  0.00759 **\n"
        "wt            -4.024      1.437  -2.801  0.00509 **\n"
        "---\n"
        "Signif. codes:  0 ‘***’ 0.001 ‘**’ 0.01 ‘*’ 0.05 ‘.’ 0.1 ‘ ’ 1\n"
        "\n"
        "(Dispersion parameter for binomial family taken to be 1)\n"
        "\n"
        "    Null deviance: 43.230  on 31  degrees of freedom\n"
        "Residual deviance: 19.176  on 30  degrees of freedom\n"
        "AIC: 23.176\n"
        "\n"
        "Number of Fisher Scoring iterations: 6\n"
    )


def test_the_summary_of_dobson_s_counts_is_r_s():
    fit = fitted("poisson", DOBSON, COUNTS, names=DOBSON_NAMES, response="counts")
    lines = str(fit.summary()).split("\n")
    start = lines.index("Deviance Residuals: ")
    assert lines[start + 1 : start + 5] == [
        "       1         2         3         4         5         6         7         8  ",
        "-0.67125   0.96272  -0.16965  -0.21999  -0.95552   1.04939   0.84715  -0.09167  ",
        "       9  ",
        "-0.96656  ",
    ]
    # treatment2 and treatment3 are 0 but for rounding, which differs from machine to machine.
    table_start = lines.index("Coefficients:")
    assert lines[table_start + 1 : table_start + 5] == [
        "              Estimate Std. Error z value Pr(>|z|)    ",
        "(Intercept)  3.045e+00  1.709e-01  17.815   <2e-16 ***",
        "outcome2    -4.543e-01  2.022e-01  -2.247   0.0246 *  ",
        "outcome3    -2.930e-01  1.927e-01  -1.520   0.1285    ",
    ]
    assert lines[lines.index("---") + 2 :] == [
        "",
        "(Dispersion parameter for poisson family taken to be 1)",
        "",
        "    Null deviance: 10.5814  on 8  degrees of freedom",
        "Residual deviance:  5.1291  on 4  degrees of freedom",
        "AIC: 56.761",
        "",
        "Number of Fisher Scoring iterations: 4",
        "",
    ]


def test_a_summary_is_shown_as_printed_and_kept_as_json():
    X, y = random_case("gaussian")
    fit = fitted("gaussian", X, y)
    summary = fit.summary()
    assert repr(summary) == str(summary)
    assert summary._repr_html_().startswith("<pre>\nCall:\nglm(formula = y ~ x0 + x1 + x2, family = gaussian)")
    assert "t value" in str(summary)
    assert "(Dispersion parameter for gaussian family taken to be " in str(summary)
    kept = json.loads(json.dumps(fit.to_plain(), allow_nan=False))
    assert kept["family"] == "gaussian"
    np.testing.assert_allclose(kept["standard_errors"], fit.standard_errors)
    assert repr(fit) == "<GLMStatistics of y: gaussian, 60 rows, 4 coefficients>"


def test_the_summary_of_separated_classes_names_the_variable():
    # R warns "fitted probabilities numerically 0 or 1 occurred" and prints standard errors in the hundred thousands.
    X = np.column_stack([np.sin(np.arange(30.0)), np.arange(30.0)])
    y = (X[:, 1] > 14.5).astype(float)
    fit = fitted("binomial", X, y, names=["wave", "dose"], classes=["alive", "dead"])
    sentence = (
        "dose separates the classes completely: every row of alive lies below 14.5, every row of dead above. The likelihood "
        "has no maximum: the coefficients grow for ever, and their standard errors mean nothing. Use a penalty (l2), or "
        "leave the variable out."
    )
    assert fit.separation.sentence == sentence
    assert sentence in " ".join(str(fit.summary()).split())
    assert fit.deviance < 1e-6
    assert fit.to_plain()["separation"]["variables"] == ["dose"]


def test_separated_classes_have_the_standard_errors_that_r_prints():
    # R's glm of 0 0 0 1 1 1 on 1 ... 6 is well known for them: the weights are those of its last step but one.
    fit = fitted("binomial", np.arange(1.0, 7.0)[:, None], np.array([0.0, 0, 0, 1, 1, 1]), names=["x"])
    np.testing.assert_allclose(fit.coefficients, [-165.32, 47.23], atol=0.005)
    np.testing.assert_allclose(fit.standard_errors, [407521.43, 115264.41], rtol=1e-4)
    assert "       0        1\n" in str(fit.summary())


def test_as_many_coefficients_as_rows_leave_no_residuals():
    fit = fitted("poisson", np.array([[0.0], [1.0]]), np.array([2.0, 6.0]))
    np.testing.assert_allclose(fit.coefficients, [math.log(2), math.log(3)], rtol=1e-10)
    lines = str(fit.summary()).split("\n")
    assert lines[lines.index("Deviance Residuals: ") + 1] == "[1]  0  0"
    assert fit.df_residual == 0


def test_one_row_and_outcomes_all_alike():
    fit = fitted("binomial", np.ones((1, 1)), np.ones(1))
    assert (fit.df_null, fit.df_residual, fit.null_deviance) == (0, 0, 0.0)
    assert fit.aliased.tolist() == [False, True]
    assert "Coefficients: (1 not defined because of singularities)" in str(fit.summary())
