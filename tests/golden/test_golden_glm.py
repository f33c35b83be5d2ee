"""Generalised linear models (golden 03) against R's glm, converged to machine precision."""

import numpy as np
import pytest
from golden_files import close, data_file, golden, table_of, train

import glassnet as gn
from glassnet.statistics.glm import GLMStatistics

ESTIMATES, P_VALUES = 1e-10, 1e-9
"""Relative tolerances that the golden files state."""
NAMES = ("03_glm_mtcars_am", "03_glm_iris_versicolor_virginica", "03_glm_planar_binomial", "03_glm_planar_gaussian")
ACTIVATIONS = {"binomial": "sigmoid", "gaussian": "linear"}


def design(case):
    """X (m, p) and y (m,) of a case."""
    if "planar" in case["data_file"]:
        data_file("planar_flower.csv")  # skips where it is not at hand
    found = table_of(case)
    rows = case.get("rows_0based", slice(None))
    response = case["formula"].split(" ~ ")[0]
    y = found["Species"] if response == "virginica" else found[response]
    y = np.array([value == "virginica" for value in y] if response == "virginica" else y, dtype=float)
    return np.column_stack([found[name] for name in case["terms"][1:]]).astype(float)[rows], y[rows]


def statistics(case, weights=None):
    """The statistics of glassnet's own fit."""
    X, y = design(case)
    optimizer = gn.LeastSquares() if case["family"] == "gaussian" else gn.Newton()
    network = gn.Network(X.shape[1], gn.Dense(1, ACTIVATIONS[case["family"]]))
    run = train(network, X, y, optimizer=optimizer, epochs=100, sample_weight=weights)
    return GLMStatistics.from_run(run, names=case["terms"][1:], response=case["formula"].split(" ~ ")[0])


@pytest.mark.parametrize("name", NAMES)
def test_estimates_and_their_errors_are_r_s(name):
    case = golden(name)
    mine = statistics(case)
    assert mine.names == case["terms"]
    close(mine.coefficients, case["coefficients"], ESTIMATES)
    close(mine.standard_errors, case["std_errors"], ESTIMATES)
    close(mine.statistics, case["stat_values"], ESTIMATES)
    close(mine.p_values, case["p_values"], P_VALUES)
    close(mine.covariance, case["vcov"], ESTIMATES)
    assert [f"{mine.family.statistic} value", f"Pr(>|{mine.family.statistic}|)"] == [case["stat_name"], case["p_name"]]


@pytest.mark.parametrize("name", NAMES)
def test_deviances_and_criteria_are_r_s(name):
    case = golden(name)
    mine = statistics(case)
    close(mine.null_deviance, case["null_deviance"], ESTIMATES)
    close(mine.deviance, case["residual_deviance"], ESTIMATES)
    assert (mine.df_null, mine.df_residual) == (case["df_null"], case["df_residual"])
    close(mine.dispersion, case["dispersion"], ESTIMATES)
    close(mine.log_likelihood, case["logLik"], ESTIMATES)
    close(mine.aic, case["AIC"], ESTIMATES)
    close(mine.bic, case["BIC"], ESTIMATES)
    assert mine.converged
    assert mine.iterations == case["default_control"]["iterations"]
    assert mine.separation is None


@pytest.mark.parametrize("name", NAMES)
def test_predictions_are_r_s(name):
    case = golden(name)
    mine = statistics(case)
    X, y = design(case)
    close(mine.predict(X[:5], type="link"), case["linear_predictor_first5"], ESTIMATES)
    close(mine.predict(X[:5]), case["fitted_first5"], ESTIMATES)
    close(mine.fitted_values[:5], case["fitted_first5"], ESTIMATES)
    said = mine.fitted_values > 0.5
    counts = [int(((y == truth) & (said == guess)).sum()) for truth in (0, 1) for guess in (0, 1)]
    assert counts == case["confusion_tn_fp_fn_tp"]


def test_weights_count_rows_several_times():
    case = golden("03_glm_mtcars_am")
    twice = statistics(case, np.full(32, 2.0))
    close(twice.coefficients, case["coefficients"], ESTIMATES)
    close(twice.standard_errors, np.array(case["std_errors"]) / np.sqrt(2), ESTIMATES)
    close(twice.deviance, 2 * case["residual_deviance"], ESTIMATES)
    assert twice.df_residual == case["df_residual"]
