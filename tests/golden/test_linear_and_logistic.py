"""Gradient descent of linear (02) and logistic (04) regression, as seeds 003 and 004 do it, against R."""

import numpy as np
import pytest
from golden_files import (
    FIRST_STEP,
    TRAJECTORY,
    ZERO,
    accuracy_after,
    close,
    cost_after,
    flower,
    golden,
    standardised,
    table_of,
    train,
)

import glassnet as gn


def after(updates):
    """One update is a single step; more are a trajectory."""
    return FIRST_STEP if updates <= 1 else TRAJECTORY


def flat(parameters):
    """(b, W) as one vector with the intercept first, as R has it."""
    return np.concatenate([parameters["b1"], parameters["W1"][:, 0]])


@pytest.mark.parametrize("name", ["02_gd_linear_iris", "02_gd_linear_mtcars"])
def test_linear_regression_by_gradient_descent(name):
    case = golden(name)
    found = table_of(case)
    X, y = standardised(case, found), np.array(found[case["response"]], dtype=float)
    network = gn.Network(X.shape[1], gn.Dense(1, init="constant(0.1)", bias_init="constant(0.1)"))
    run = train(network, X, y, loss="mean_squared_error", optimizer=gn.SGD(case["lr"]), epochs=200)
    first = run.intermediates(0)
    close(first["J"], case["cost_0"], FIRST_STEP)
    close(run.initial["cost"], case["cost_0"], FIRST_STEP)
    close(np.concatenate([first["db1"], first["dW1"][:, 0]]), case["gradient_0"], FIRST_STEP)
    for key, right in case["after"].items():
        updates = int(key)
        close(flat(run.at(updates).parameters), right["beta"], after(updates))
        close(cost_after(run, updates), right["cost_half_mse"], after(updates))
    exact = np.array(case["beta_closed_form"])
    close(np.abs(flat(run.parameters) - exact).max(), case["max_abs_diff_200_vs_closed_form"], 1e-8)


@pytest.mark.parametrize("name", ["02_gd_linear_iris", "02_gd_linear_mtcars"])
def test_linear_regression_without_a_learning_rate_finds_the_closed_form(name):
    case = golden(name)
    found = table_of(case)
    X, y = standardised(case, found), np.array(found[case["response"]], dtype=float)
    run = gn.train(gn.Network(X.shape[1], gn.Dense(1)), X, y, optimizer=gn.LBFGS(), epochs=100, progress=False)
    assert run.status == "converged"
    # J cannot tell coefficients apart that change it by less than its last digit: ½ λ |Δβ|² < ε J.
    smallest = min(case["eigenvalues_XtX_over_n"])
    nearest = np.sqrt(2 * np.finfo(float).eps * run.history["cost"][-1] / smallest)
    assert nearest < 2e-7
    close(flat(run.parameters), case["beta_closed_form"], 0, atol=nearest)


LOGISTIC = [
    "04_logistic_gd_mtcars",
    "04_logistic_gd_iris_versicolor_virginica",
    "04_logistic_gd_planar",
]


def logistic_data(case):
    if "planar" in case["data_file"]:
        X, Y = flower()
        assert case["standardised"] is False
        return X, Y[:, 0]
    found = table_of(case)
    X = standardised(case, found)
    if case["response"] == "am":
        return X, np.array(found["am"], dtype=float)
    species = np.array(found["Species"])[case["rows_0based"]]
    assert set(species) == {"versicolor", "virginica"}
    return X, (species == "virginica").astype(float)


def logistic(case, start):
    X, y = logistic_data(case)
    network = gn.Network(X.shape[1], gn.Dense(1, "sigmoid", init=start, bias_init=start))
    return train(network, X, y, loss="binary_cross_entropy", optimizer=gn.SGD(case["lr"]), epochs=2000)


@pytest.mark.parametrize("name", LOGISTIC)
def test_logistic_regression_from_ones_as_in_seed_003(name):
    case = golden(name)
    right = case["seed003_start_ones"]
    run = logistic(case, "ones")
    first = run.intermediates(0)
    close(np.concatenate([first["db1"], first["dW1"][:, 0]]), right["gradient_0"], FIRST_STEP, ZERO)
    close(first["J"], right["cost_0"], FIRST_STEP)
    close(-case["n"] * run.initial["cost"], right["log_likelihood_0"], FIRST_STEP)
    assert set(right["after"]) == {"1", "100", "2000"}
    for key, there in right["after"].items():
        updates = int(key)
        close(flat(run.at(updates).parameters), there["beta"], after(updates))
        close(cost_after(run, updates), there["cost"], after(updates))
        close(-case["n"] * cost_after(run, updates), there["log_likelihood"], after(updates))
        assert accuracy_after(run, updates) == pytest.approx(there["accuracy"], abs=1e-15)


@pytest.mark.parametrize("name", LOGISTIC)
def test_logistic_regression_from_zeros_as_in_seed_004(name):
    case = golden(name)
    right = case["seed004_start_zeros"]
    run = logistic(case, "zeros")
    first = run.intermediates(0)
    close(first["dW1"][:, 0], right["dw_0"], FIRST_STEP, ZERO)
    close(first["db1"], [right["db_0"]], FIRST_STEP, ZERO)
    close(first["J"], right["cost_0"], FIRST_STEP)
    close([cost_after(run, 100 * k) for k in range(20)], right["costs_every_100"], TRAJECTORY)
    assert set(right["after"]) == {"1", "100", "2000"}
    for key, there in right["after"].items():
        updates = int(key)
        parameters = run.at(updates).parameters
        close(parameters["W1"][:, 0], there["w"], after(updates))
        close(parameters["b1"], [there["b"]], after(updates), ZERO)
        close(cost_after(run, updates), there["cost"], after(updates))
        assert accuracy_after(run, updates) == pytest.approx(there["accuracy"], abs=1e-15)


@pytest.mark.parametrize("name", LOGISTIC)
def test_the_maximum_of_the_likelihood_is_that_of_glm(name):
    case = golden(name)
    X, y = logistic_data(case)
    run = gn.train(
        gn.Network(X.shape[1], gn.Dense(1, "sigmoid")), X, y, optimizer=gn.LBFGS(), epochs=500, progress=False
    )
    assert run.status == "converged"
    close(run.history["cost"][-1], case["mle_glm"]["cost"], FIRST_STEP)
    # The cost is flat at its minimum: an error of ε in the coefficients changes it by ε² only.
    close(flat(run.parameters), case["mle_glm"]["coefficients"], 1e-6)
