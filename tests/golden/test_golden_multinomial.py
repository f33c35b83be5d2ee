"""Multinomial logistic regression (golden 05) against Newton's method in R and nnet::multinom."""

import numpy as np
import pytest
from golden_files import close, golden, table_of, train

import glassnet as gn
from glassnet.engines.reference import ReferenceEngine
from glassnet.statistics.families import Curvature
from glassnet.statistics.multinomial import MultinomialStatistics

NEWTON, NNET = 1e-9, 1e-5
"""Relative tolerances: the golden files' own Newton iterations, and nnet's, which stop earlier."""
DECAYS = ("05_multinom_iris_all_decay0.1", "05_multinom_iris_all_decay0.01")


def design(case):
    """X (150, p) and one-hot Y (150, 3)."""
    found = table_of(case)
    X = np.column_stack([found[name] for name in case["terms"][1:]]).astype(float)
    return X, (np.array(found["Species"])[:, None] == np.array(case["levels"])).astype(float)


def statistics(case):
    X, Y = design(case)
    run = train(gn.Network(X.shape[1], gn.Dense(3, "softmax")), X, Y, optimizer=gn.Newton(), epochs=100)
    return MultinomialStatistics.from_run(run, names=case["terms"][1:], classes=case["levels"], response="Species")


def test_estimates_errors_and_criteria():
    case = golden("05_multinom_iris_sepal_width")
    mine, exact = statistics(case), case["newton"]
    assert (mine.reference, mine.names) == (case["reference_class"], case["terms"])
    close(mine.coefficients, exact["coefficients"], NEWTON)
    close(mine.coefficients, case["nnet"]["coefficients"], NNET)
    close(mine.standard_errors, exact["std_errors"], NEWTON)
    close(mine.deviance, exact["deviance_data_term"], NEWTON)
    close(mine.log_likelihood, exact["logLik"], NEWTON)
    close(mine.aic, exact["AIC"], NEWTON)
    close(mine.bic, exact["BIC"], NEWTON)
    assert mine.parameter_count == case["nnet"]["edf"]
    X, Y = design(case)
    close(mine.predict(X[:5]), exact["probabilities_first5"], NEWTON)
    close(mine.fitted_values[-5:], exact["probabilities_last5"], NEWTON)
    said = mine.predict(X, type="class")
    counts = [[int(((said == b) & (Y[:, i] == 1)).sum()) for b in case["levels"]] for i in range(3)]
    assert counts == exact["confusion"]
    assert mine.separation is None


@pytest.mark.parametrize("name", DECAYS)
def test_decay_is_minimised_where_r_says(name):
    # nnet's decay λ Σ β² is on all coefficients, intercepts too, and on the sum over samples; so the slope of our J
    # there is m dJ/dβ + 2 λ β = 0, for every class but the first.
    case = golden(name)
    X, Y = design(case)
    beta, decay = np.array(case["newton"]["coefficients"]).T, case["decay"]
    parameters = {"W1": np.column_stack([np.zeros(4), beta[1:]]), "b1": np.append(0.0, beta[0])}
    derivation = gn.derive(gn.Network(4, gn.Dense(3, "softmax")), optimizer=gn.SGD(0.1))
    engine = ReferenceEngine(derivation)
    from glassnet.engines.base import Batch

    values = engine.values(engine.initial_state(parameters), Batch(X, Y, None, {}))
    close(150 * values["J"] + decay * (beta**2).sum(), case["newton"]["objective"], NEWTON)
    slope = 150 * np.vstack([values["db1"], values["dW1"]])[:, 1:] + 2 * decay * beta
    close(slope, np.zeros((5, 2)), 0, 1e-9)
    close(values["A1"][:5], case["newton"]["probabilities_first5"], NEWTON)


@pytest.mark.parametrize("name", DECAYS)
def test_newton_by_the_derived_curvature_arrives_where_r_does(name):
    case = golden(name)
    X, Y = design(case)
    design_matrix, decay, w = np.column_stack([np.ones(150), X]), case["decay"], np.ones((150, 1))
    curvature = Curvature(gn.derive(gn.Network(4, gn.Dense(3, "softmax")), optimizer=gn.SGD(0.1)))
    beta = np.zeros((2, 5))
    for _ in range(40):
        Z = np.column_stack([np.zeros(150), design_matrix @ beta.T])
        slope = curvature.slope(Z, Y, w)[:, 1:].T @ design_matrix + 2 * decay * beta
        blocks = []
        for k in (1, 2):
            along = curvature.along(Z, Y, w, np.tile(np.eye(3)[k], (150, 1)))
            blocks.append([design_matrix.T @ (along[:, [j]] * design_matrix) for j in (1, 2)])
        information = np.block(blocks) + 2 * decay * np.eye(10)
        beta = beta - np.linalg.solve(information, slope.ravel()).reshape(2, 5)
    close(beta, case["newton"]["coefficients"], NEWTON)
    close(beta, case["nnet"]["coefficients"], NNET)
    close(np.linalg.cond(information), case["newton"]["hessian_condition"], 1e-6)


def test_a_separated_class_is_named_and_the_rest_is_r_s():
    case = golden("05_multinom_iris_all_separated")
    mine, right = statistics(case), case["identified"]
    assert mine.separation is not None
    assert mine.separation.variables == ("Petal.Length",)
    assert mine.separation.sentence.startswith(
        "Petal.Length separates the classes completely: every row of setosa lies below 2.45, every row of the others above."
    )
    assert mine.separation.sentence in mine.notes
    close(mine.deviance, right["deviance_infimum"], 1e-6)
    close(mine.coefficients[1] - mine.coefficients[0], right["contrast_coefficients"], 1e-4)
