"""LinearStatistics: what R prints, word for word; statsmodels on random designs; the cases at the edge."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

import glassnet as gn
from glassnet.engines.triangle import Triangle
from glassnet.statistics import LinearStatistics, statistics_of

DATA = Path(__file__).parents[1] / "golden" / "data"
CARS = pd.read_csv(DATA / "mtcars.csv")
MTCARS = """
Call:
lm(formula = mpg ~ wt + hp, data = mtcars)

Residuals:
   Min     1Q Median     3Q    Max 
-3.941 -1.600 -0.182  1.050  5.854 

Coefficients:
            Estimate Std. Error t value Pr(>|t|)    
(Intercept) 37.22727    1.59879  23.285  < 2e-16 ***
wt          -3.87783    0.63273  -6.129 1.12e-06 ***
hp          -0.03177    0.00903  -3.519  0.00145 ** 
---
Signif. codes:  0 ‘***’ 0.001 ‘**’ 0.01 ‘*’ 0.05 ‘.’ 0.1 ‘ ’ 1

Residual standard error: 2.593 on 29 degrees of freedom
Multiple R-squared:  0.8268,\tAdjusted R-squared:  0.8148 
F-statistic: 69.21 on 2 and 29 DF,  p-value: 9.109e-12
"""  # noqa: W291


def fit(X, y, weights=None, bias=True, **kwargs):
    net = gn.Network(X.shape[1], gn.Dense(1, bias=bias))
    run = gn.train(net, X, y, optimizer=gn.LeastSquares(), sample_weight=weights, progress=False)
    return statistics_of(run, **kwargs)


def test_the_summary_is_r_s():
    assert str(gn.statistics.regress("mpg ~ wt + hp", DATA / "mtcars.csv").summary()) == MTCARS


def test_one_predictor_as_r_prints_it():
    # summary(lm(Petal.Width ~ Petal.Length, iris)): R pads F to five characters
    said = str(gn.statistics.regress("Petal.Width ~ Petal.Length", DATA / "iris.csv").summary())
    assert (
        "Residuals:\n     Min       1Q   Median       3Q      Max \n-0.56515 -0.12358 -0.01898  0.13288  0.64272 \n"
        in said
    )
    assert "(Intercept)  -0.363076   0.039762  -9.131  4.7e-16 ***" in said
    assert "Petal.Length  0.415755   0.009582  43.387  < 2e-16 ***" in said
    assert "F-statistic:  1882 on 1 and 148 DF,  p-value: < 2.2e-16" in said
    assert "Multiple R-squared:  0.9271,\tAdjusted R-squared:  0.9266 " in said


def test_an_intercept_alone_has_no_r_squared():
    found = gn.statistics.regress("mpg ~ 1", CARS)
    said = str(found.summary())
    assert "(Intercept)   20.091      1.065   18.86   <2e-16 ***" in said
    assert said.rstrip().endswith("Residual standard error: 6.027 on 31 degrees of freedom")


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(6, 60), st.integers(1, 4), st.booleans(), st.booleans())
def test_random_designs_against_statsmodels(seed, rows, columns, bias, weighted):
    draws = np.random.default_rng(seed)
    X = draws.normal(size=(rows, columns)) * 10.0 ** draws.integers(-2, 3, columns)
    y = X @ draws.normal(size=columns) + draws.normal(size=rows)
    w = draws.uniform(0.2, 3, rows) if weighted else None
    mine = fit(X, y, w, bias)
    design = sm.add_constant(X, has_constant="add") if bias else X
    theirs = (sm.OLS(y, design) if w is None else sm.WLS(y, design, weights=w)).fit()
    np.testing.assert_allclose(mine.coefficients, theirs.params, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(mine.standard_errors, theirs.bse, rtol=1e-8)
    np.testing.assert_allclose(mine.p_values, theirs.pvalues, rtol=1e-6, atol=1e-300)
    np.testing.assert_allclose([mine.sigma**2, mine.residual_squares], [theirs.scale, theirs.ssr], rtol=1e-9)
    np.testing.assert_allclose(mine.log_likelihood, theirs.llf, rtol=1e-9)
    if bias:
        np.testing.assert_allclose(mine.r_squared, theirs.rsquared, rtol=1e-8, atol=1e-12)
        np.testing.assert_allclose(mine.adjusted_r_squared, theirs.rsquared_adj, rtol=1e-7, atol=1e-10)
        np.testing.assert_allclose([mine.f_statistic, mine.f_p_value], [theirs.fvalue, theirs.f_pvalue], rtol=1e-6)
    np.testing.assert_allclose(np.asarray(mine.conf_int(0.9)), theirs.conf_int(0.1), rtol=1e-7, atol=1e-9)
    influence = theirs.get_influence() if w is None else None
    if influence is not None:
        np.testing.assert_allclose(mine.leverage, influence.hat_matrix_diag, rtol=1e-7, atol=1e-12)
        np.testing.assert_allclose(mine.standardized_residuals, influence.resid_studentized_internal, rtol=1e-6)
        np.testing.assert_allclose(mine.cooks_distance, influence.cooks_distance[0], rtol=1e-6, atol=1e-12)
    new = draws.normal(size=(3, columns))
    frame = theirs.get_prediction(sm.add_constant(new, has_constant="add") if bias else new).summary_frame(0.05)
    for kind, names in (
        ("confidence", ("mean_ci_lower", "mean_ci_upper")),
        ("prediction", ("obs_ci_lower", "obs_ci_upper")),
    ):
        limits = np.asarray(mine.predict(new, interval=kind))[:, 1:]
        np.testing.assert_allclose(limits, frame[list(names)], rtol=1e-6, atol=1e-8)


def test_by_hand():
    # y = 1, 2, 4 at x = 0, 1, 2: slope 3/2, intercept 5/6, residuals 1/6, −1/3, 1/6; s² = 1/6
    mine = fit(np.array([[0.0], [1.0], [2.0]]), np.array([1.0, 2.0, 4.0]))
    np.testing.assert_allclose(mine.coefficients, [5 / 6, 3 / 2], rtol=1e-14)
    np.testing.assert_allclose(mine.residuals(), [1 / 6, -1 / 3, 1 / 6], rtol=1e-12)
    np.testing.assert_allclose(mine.standard_errors**2, [(1 / 6) * 5 / 6, (1 / 6) / 2], rtol=1e-13)
    np.testing.assert_allclose(mine.leverage, [5 / 6, 1 / 3, 5 / 6], rtol=1e-13)
    assert mine.r_squared == pytest.approx(1 - (1 / 6) / (14 / 3), rel=1e-14)


def test_aliased_columns_are_named_with_what_determines_them():
    frame = CARS.assign(both=2 * CARS.wt - CARS.hp + 3, same=CARS.wt)
    found = gn.statistics.regress("mpg ~ wt + hp + both + same", frame)
    said = str(found.summary())
    assert "Coefficients: (2 not defined because of singularities)" in said
    assert ["both", *["NA"] * 4] in [line.split() for line in said.splitlines()]
    assert "both is 3 + 2 wt − hp: the data do not tell its effect from theirs" in said
    assert "same is wt: the data do not tell" in said
    plain = gn.statistics.regress("mpg ~ wt + hp", frame)
    np.testing.assert_allclose(found.coefficients[:3], plain.coefficients, rtol=1e-9)
    assert found.rank == 3


def test_a_perfect_fit_warns():
    X = np.arange(12.0)[:, None]
    with pytest.warns(gn.GlassnetWarning, match="The fit is essentially perfect"):
        mine = fit(X, 3 * X[:, 0] + 2)
    assert "Multiple R-squared:      1,\tAdjusted R-squared:      1 " in str(mine.summary())


def test_as_many_coefficients_as_rows():
    mine = fit(np.array([[0.0], [1.0]]), np.array([1.0, 3.0]))
    said = str(mine.summary())
    assert "ALL 2 residuals are 0: no residual degrees of freedom!" in said
    assert "Residual standard error: NaN on 0 degrees of freedom" in said
    assert (
        "Multiple R-squared:      1,\tAdjusted R-squared:    NaN \nF-statistic:   NaN on 1 and 0 DF,  p-value: NA"
        in said
    )
    assert "There are as many coefficients (2) as rows (2)" in said
    assert np.isnan(mine.standard_errors).all()


def test_one_row():
    mine = fit(np.array([[2.0]]), np.array([3.0]))
    assert mine.coefficients[0] == pytest.approx(3.0)
    assert np.isnan(mine.coefficients[1])  # the column is 2 times the intercept's
    assert "x0 is 2: the data do not tell" in str(mine.summary())


def test_rows_of_weight_zero_are_not_there():
    draws = np.random.default_rng(0)
    X, y, w = draws.normal(size=(20, 2)), draws.normal(size=20), draws.uniform(0.5, 2, 20)
    w[:5] = 0
    mine, without = fit(X, y, w), fit(X[5:], y[5:], w[5:])
    assert str(mine.coefficient_table) == str(without.coefficient_table)
    assert mine.df_residual == 12
    assert "Weighted Residuals:" in str(mine.summary())
    assert "Weighted" not in str(fit(X, y, np.full(20, 2.0)).summary())  # all alike, as R says it


def test_zero_weights_as_r_prints_them():
    # summary(lm(dist ~ speed, cars, weights = w)), w = 0, 0, 1, 2, 1, 2, ...: R counts the two as residuals of 0
    draws = np.random.default_rng(0)
    X, y, w = draws.normal(size=(20, 1)), draws.normal(size=20), np.r_[0.0, 0.0, np.ones(18)]
    mine = fit(X, y, w)
    theirs = np.r_[0.0, 0.0, sm.OLS(y[2:], sm.add_constant(X[2:])).fit().resid]
    np.testing.assert_allclose(list(mine.summary().residuals.values()), np.quantile(theirs, [0, 0.25, 0.5, 0.75, 1]))
    said = str(mine.summary())
    assert "Weighted Residuals:" in said  # the weights differ, as R sees it
    assert "2 rows of weight 0 do not count:" in said


def test_the_analysis_of_variance_of_a_formula_has_a_line_a_term():
    table = gn.statistics.regress("mpg ~ poly(wt, 2) + factor(cyl)", CARS).anova()
    assert list(table.index) == ["poly(wt, 2)", "factor(cyl)", "Residuals"]
    assert list(table["Df"]) == [2, 2, 27]


def test_a_penalised_fit_has_no_standard_errors():
    X, y = CARS[["wt", "hp"]].to_numpy(float), CARS.mpg.to_numpy(float)
    model = gn.LinearRegression(l2=0.5).fit(X, y)
    found = model.statistics_
    assert np.isnan(found.standard_errors).all()
    np.testing.assert_allclose(found.coefficients[1:], model.coef_)
    for ask in (found.conf_int, lambda: found.predict(X, interval="confidence")):
        with pytest.raises(gn.GlassnetError) as caught:
            ask()
        assert str(caught.value).startswith("The fit was penalised: its estimates are biased towards 0")
    said = str(found.summary())
    assert "Std. Error" not in said
    assert "F-statistic" not in said
    assert np.isnan(found.f_p_value)
    assert "The fit was penalised" in said


def test_coefficients_that_have_not_arrived_are_said_to():
    X, y = CARS[["wt", "hp"]].to_numpy(float), CARS.mpg.to_numpy(float)
    X = (X - X.mean(0)) / X.std(0)
    net = gn.Network(2, gn.Dense(1))
    far = statistics_of(gn.train(net, X, y, optimizer=gn.SGD(0.1), epochs=20, progress=False))
    assert "SGD has not arrived: a coefficient is" in str(far.summary())
    near = statistics_of(gn.train(net, X, y, optimizer=gn.SGD(0.5), epochs=300, progress=False))
    assert "has not arrived" not in str(near.summary())
    np.testing.assert_allclose(near.standard_errors, fit(X, y).standard_errors, rtol=1e-9)


def test_data_read_in_chunks():
    draws = np.random.default_rng(1)
    X, y = draws.normal(size=(100, 3)), draws.normal(size=100)
    triangle = Triangle(3, intercept=True)
    for part in np.split(np.arange(100), 4):
        triangle.add(X[part], y[part])
    mine, whole = LinearStatistics.from_triangle(triangle), fit(X, y)
    np.testing.assert_allclose(mine.standard_errors, whole.standard_errors, rtol=1e-11)
    np.testing.assert_allclose([mine.r_squared, mine.f_statistic], [whole.r_squared, whole.f_statistic], rtol=1e-11)
    assert "Residuals:" not in str(mine.summary())
    with pytest.raises(gn.GlassnetError) as caught:
        mine.residuals()
    assert str(caught.value) == (
        "These statistics were made from data read in chunks, which were not kept; residuals need the rows. Fit on all the "
        "data at once to have them."
    )


def test_a_penalised_fit_of_chunks():
    draws = np.random.default_rng(1)
    X, y = draws.normal(size=(60, 3)), draws.normal(size=60)
    chunks = gn.LinearRegression(l2=0.3)
    for part in np.split(np.arange(60), 3):
        chunks.partial_fit(X[part], y[part])
    mine, whole = chunks.statistics_, gn.LinearRegression(l2=0.3).fit(X, y).statistics_
    np.testing.assert_allclose(mine.coefficients, whole.coefficients, rtol=1e-9)
    errors = y - chunks.predict(X)
    np.testing.assert_allclose([mine.residual_squares, whole.residual_squares], (errors**2).sum(), rtol=1e-10)
    fitted = chunks.predict(X)
    np.testing.assert_allclose(mine.model_squares, ((fitted - fitted.mean()) ** 2).sum(), rtol=1e-9)
    assert "The fit was penalised" in str(mine.summary())


def test_several_outputs_of_chunks():
    draws = np.random.default_rng(2)
    X, Y = draws.normal(size=(30, 2)), draws.normal(size=(30, 2))
    found = gn.LinearRegression().partial_fit(X, Y).statistics_
    np.testing.assert_allclose(found[1].standard_errors, fit(X, Y[:, 1]).standard_errors, rtol=1e-11)


def test_several_outputs_have_their_own():
    draws = np.random.default_rng(2)
    X, Y = draws.normal(size=(30, 2)), draws.normal(size=(30, 2))
    run = gn.train(gn.Network(2, gn.Dense(2)), X, Y, optimizer=gn.LeastSquares(), progress=False)
    found = statistics_of(run, response="z")
    for output in (0, 1):
        np.testing.assert_allclose(found[output].standard_errors, fit(X, Y[:, output]).standard_errors, rtol=1e-11)
    assert str(found.summary()).startswith("Response z1 :")
    assert set(found.to_plain()["responses"]) == {"z1", "z2"} == set(found.conf_int())


def test_terms_of_several_columns_in_the_analysis_of_variance():
    found = gn.statistics.regress("mpg ~ factor(cyl) + wt", CARS).statistics_
    table = found.anova({"factor(cyl)": ["factor(cyl)6", "factor(cyl)8"], "wt": ["wt"]})
    theirs = sm.stats.anova_lm(sm.OLS.from_formula("mpg ~ C(cyl) + wt", CARS).fit())
    np.testing.assert_allclose(table["Sum Sq"], theirs["sum_sq"], rtol=1e-10)
    np.testing.assert_allclose(table["F value"][:2], theirs["F"][:2], rtol=1e-10)
    np.testing.assert_allclose(table["Pr(>F)"][:2], theirs["PR(>F)"][:2], rtol=1e-9)


def test_json_holds_no_nan():
    frame = CARS.assign(twice=2 * CARS.wt)
    stored = gn.statistics.regress("mpg ~ wt + twice", frame).to_plain()
    assert json.loads(json.dumps(stored, allow_nan=False))["aliased"] == ["twice"]


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (lambda s: s.conf_int(95), "A confidence level got 95; it needs a number between 0 and 1, such as 0.95."),
        (
            lambda s: s.predict(np.ones((2, 5))),
            "predict got X of shape (2, 5); it needs (m, 1), the features of the fit.",
        ),
        (
            lambda s: s.predict(np.ones((2, 1)), interval="both"),
            "predict got interval='both'; it needs None, 'confidence' or 'prediction'.",
        ),
        (lambda s: s.residuals("raw"), "residuals got kind='raw'; it needs 'weighted' or 'response'."),
        (lambda s: s.anova({"a": ["b"]}), "anova got the column 'b'; the fit has (Intercept), x0."),
    ],
)
def test_what_cannot_be_asked(ask, sentence):
    mine = fit(np.array([[0.0], [1.0], [2.0]]), np.array([1.0, 2.0, 4.0]))
    with pytest.raises(gn.GlassnetError) as caught:
        ask(mine)
    assert str(caught.value) == sentence


def test_a_deeper_network_has_no_statistics():
    net = gn.Network(1, gn.Dense(2, "tanh"), gn.Dense(1))
    run = gn.train(net, [[0.0], [1.0]], [0.0, 1.0], epochs=1, progress=False)
    with pytest.raises(gn.GlassnetError) as caught:
        statistics_of(run)
    assert str(caught.value) == (
        "Statistics got the network 1 → 2 tanh → 1 linear; they are those of a regression, a network of one Dense layer. Of "
        "a deeper network, coefficients have no standard errors."
    )


def test_tables_without_pandas(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    table = fit(np.array([[0.0], [1.0], [2.0]]), np.array([1.0, 2.0, 4.0])).coefficient_table
    assert table["Estimate"].tolist() == pytest.approx([5 / 6, 1.5])
    assert str(table).splitlines()[0].split() == ["Estimate", "Std.", "Error", "t", "value", "Pr(>|t|)"]
    assert np.asarray(table).shape == (2, 4)
