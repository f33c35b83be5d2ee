"""Linear regression (golden 01) against R's lm: all that summary, confint, predict, anova and hatvalues say."""

import numpy as np
import pytest
from golden_files import close, golden, table_of

import glassnet as gn

ESTIMATES, P_VALUES = 1e-10, 1e-9
"""Relative tolerances that the golden files state."""
NAMES = ("01_lm_mtcars", "01_lm_iris")


def fitted(case):
    """glassnet's estimator on the case's data."""
    columns = table_of(case)
    X = np.column_stack([columns[name] for name in case["terms"][1:]]).astype(float)
    return gn.LinearRegression().fit(X, np.array(columns[case["formula"].split(" ~ ")[0]], dtype=float))


def statistics(case):
    return gn.statistics.statistics_of(fitted(case).run_, names=case["terms"][1:])


@pytest.mark.parametrize("name", NAMES)
def test_coefficients_and_their_errors(name):
    case = golden(name)
    mine = statistics(case)
    assert mine.names == case["terms"]
    close(mine.coefficients, case["coefficients"], ESTIMATES)
    close(mine.standard_errors, case["std_errors"], ESTIMATES)
    close(mine.statistics, case["t_values"], ESTIMATES)
    close(mine.p_values, case["p_values"], P_VALUES)
    close(mine.covariance, case["vcov"], ESTIMATES)
    close(np.asarray(mine.conf_int()), case["confint_95"], ESTIMATES)


@pytest.mark.parametrize("name", NAMES)
def test_the_fit_as_a_whole(name):
    case = golden(name)
    mine = statistics(case)
    close(mine.sigma, case["sigma"], ESTIMATES)
    close(mine.r_squared, case["r_squared"], ESTIMATES)
    close(mine.adjusted_r_squared, case["adj_r_squared"], ESTIMATES)
    close(mine.f_statistic, case["f_statistic"], ESTIMATES)
    close(mine.f_p_value, case["f_p_value"], P_VALUES)
    assert (mine.model_df, mine.df_residual) == (case["f_df1"], case["f_df2"])
    close(mine.residual_squares, case["rss"], ESTIMATES)
    close(mine.null_deviance, case["tss"], ESTIMATES)
    close([mine.log_likelihood, mine.aic, mine.bic], [case["logLik"], case["AIC"], case["BIC"]], ESTIMATES)


@pytest.mark.parametrize("name", NAMES)
def test_rows(name):
    case = golden(name)
    mine = statistics(case)
    close(mine.fitted_values[:5], case["fitted_first5"], ESTIMATES)
    close(mine.residuals()[:5], case["residuals_first5"], 1e-9)
    close(mine.leverage[:5], case["hat_first5"], ESTIMATES)


@pytest.mark.parametrize("name", NAMES)
def test_predictions(name):
    case = golden(name)
    model = fitted(case)
    new = np.array(case["new_x"], dtype=float)
    close(model.predict(new), case["new_fit"], ESTIMATES)
    errors = model.statistics_.predict(new, se=True)
    close(np.asarray(errors)[:, 1], case["new_se_fit"], ESTIMATES)
    for kind in ("confidence", "prediction"):
        limits = np.asarray(model.predict(new, interval=kind))
        close(limits[:, 0], case["new_fit"], ESTIMATES)
        close(limits[:, 1:], case[f"new_{kind}_95"], ESTIMATES)


@pytest.mark.parametrize("name", NAMES)
def test_sequential_sums_of_squares(name):
    case = golden(name)["anova_sequential"]
    table = statistics(golden(name)).anova()
    assert list(table.index) == case["terms"]
    close(np.asarray(table["Df"]), case["df"], ESTIMATES)
    close(np.asarray(table["Sum Sq"]), case["sum_sq"], ESTIMATES)
    close(np.asarray(table["Mean Sq"]), case["mean_sq"], ESTIMATES)
