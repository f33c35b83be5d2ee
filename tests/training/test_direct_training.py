"""Least squares and Newton's method as trainings: right, recorded, replayed, resumed; R's iterations."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge

import glassnet as gn
from glassnet import training
from glassnet.engines import newton as engine
from glassnet.engines import threads

GOLDEN = Path(__file__).parents[1] / "golden"
DRAWS = np.random.default_rng(0)
X = DRAWS.normal(size=(150, 3))
SCORE = X @ [1.0, -1.0, 0.5] + 0.3
CLASS = (DRAWS.uniform(size=150) < 1 / (1 + np.exp(-SCORE))).astype(float)
COUNT = DRAWS.poisson(np.exp(SCORE)).astype(float)
KIND = np.digitize(SCORE + DRAWS.logistic(size=150), [-0.5, 1])
W = DRAWS.integers(1, 4, 150).astype(float)
NETS = {name: gn.Network(3, gn.Dense(1, name)) for name in ("linear", "sigmoid", "exp")}


def quiet(net, x, y, optimizer=None, **settings):
    return gn.train(net, x, y, optimizer=optimizer or gn.Newton(), progress=False, **settings)


def theta(run):
    return np.concatenate([run.parameters["b1"], run.parameters["W1"].ravel()])


@pytest.mark.parametrize("weights", [None, W])
@pytest.mark.parametrize(
    ("name", "y", "family"), [("sigmoid", CLASS, sm.families.Binomial()), ("exp", COUNT, sm.families.Poisson())]
)
def test_against_statsmodels(name, y, family, weights):
    theirs = sm.GLM(y, sm.add_constant(X), family, freq_weights=weights).fit(tol=1e-14)
    run = quiet(NETS[name], X, y, sample_weight=weights)
    assert run.status == "converged"
    np.testing.assert_allclose(theta(run), theirs.params, rtol=1e-10)
    np.testing.assert_allclose(run.history["gradient_norm"][-1], 0, atol=1e-12)
    total = len(y) if weights is None else weights.sum()
    measured = gn.train(
        NETS[name], X, y, sample_weight=weights, epochs=0, initial_parameters=run.parameters, progress=False
    )
    assert run.history["cost"][-1] == pytest.approx(measured.initial["cost"], rel=1e-13)
    assert total > 0


@pytest.mark.parametrize("l2", [0.0, 0.02])
def test_against_scikit_learn(l2):
    exact = {"C": 1 / (150 * l2) if l2 else np.inf, "tol": 1e-12, "max_iter": 500}
    two = LogisticRegression(solver="newton-cholesky", **exact).fit(X, CLASS)
    np.testing.assert_allclose(theta(quiet(NETS["sigmoid"], X, CLASS, l2=l2))[1:], two.coef_[0], rtol=1e-7)
    several = LogisticRegression(solver="lbfgs", **exact).fit(X, KIND)
    run = quiet(gn.Network(3, gn.Dense(3, "softmax")), X, KIND, l2=l2)
    coef = run.parameters["W1"].T
    np.testing.assert_allclose(coef - coef.mean(0), several.coef_ - several.coef_.mean(0), atol=2e-5)
    np.testing.assert_allclose(coef.sum(axis=0), 0, atol=1e-12)
    poisson = PoissonRegressor(alpha=l2, tol=1e-12, max_iter=1000, solver="newton-cholesky").fit(X, COUNT)
    np.testing.assert_allclose(theta(quiet(NETS["exp"], X, COUNT, l2=l2))[1:], poisson.coef_, rtol=1e-7)


def test_ridge():
    Y = np.column_stack([SCORE + W, W])
    theirs = Ridge(alpha=150 * 0.3).fit(X, Y)
    run = quiet(gn.Network(3, gn.Dense(2)), X, Y, gn.LeastSquares(), l2=0.3)
    np.testing.assert_allclose(run.parameters["W1"].T, theirs.coef_, rtol=1e-10)
    np.testing.assert_allclose(run.parameters["b1"], theirs.intercept_, rtol=1e-10)
    assert len(run.history) == 1
    assert run.history["gradient_norm"][0] < 1e-12


@pytest.mark.parametrize(
    ("name", "y", "optimizer", "settings"),
    [
        ("sigmoid", CLASS, gn.Newton(), {"l2": 0.1}),
        ("exp", COUNT, gn.Newton(), {"sample_weight": W}),
        ("linear", SCORE + W, gn.LeastSquares(), {"l2": 0.1, "sample_weight": W}),
        ("linear", SCORE + W, gn.Newton(), {}),
    ],
)
def test_a_step_is_what_the_page_says(name, y, optimizer, settings):
    best = quiet(NETS[name], X, y, optimizer, **settings).parameters  # from nearby, so that no step is halved
    start = {parameter: 0.9 * value for parameter, value in best.items()}
    run = quiet(NETS[name], X, y, optimizer, initial_parameters=start, **settings)
    for step in range(min(3, run.iteration)):
        values = run.intermediates(step)
        for parameter in ("W1", "b1"):
            np.testing.assert_allclose(values[f"{parameter}.after"], run.at(step + 1).parameters[parameter], rtol=1e-9)


def test_a_softmax_step_is_what_the_page_says():
    run = quiet(gn.Network(3, gn.Dense(3, "softmax")), X, KIND)
    for step in range(3):
        after = run.at(step + 1).parameters["W1"]
        np.testing.assert_allclose(run.intermediates(step)["W1.after"], after, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("name", ["03_glm_mtcars_am", "03_glm_iris_versicolor_virginica"])
def test_as_many_iterations_as_r(name):
    case = json.loads((GOLDEN / f"{name}.json").read_text())
    if "mtcars" in name:
        table = pd.read_csv(GOLDEN / "data" / "mtcars.csv")
        y = table["am"]
    else:
        table = pd.read_csv(GOLDEN / "data" / "iris.csv").iloc[case["rows_0based"]]
        y = table["Species"] == "virginica"
    x = table[case["terms"][1:]].to_numpy(float)
    run = quiet(gn.Network(x.shape[1], gn.Dense(1, "sigmoid")), x, y.to_numpy(float))
    assert run.facts["direct"]["iterations"] == case["default_control"]["iterations"]
    np.testing.assert_allclose(theta(run), case["coefficients"], rtol=1e-10)


def test_separated_data_end_as_in_r():
    x, y = np.arange(6.0)[:, None], np.array([0, 0, 0, 1.0, 1, 1])
    run = quiet(gn.Network(1, gn.Dense(1, "sigmoid")), x, y)
    assert np.isfinite(theta(run)).all()
    assert run.facts["direct"]["iterations"] in (24, 25)
    assert run.facts["direct"]["polished"] == 0
    assert run.history["cost"][-1] < 1e-9


def test_aliased_columns_have_coefficient_zero():
    x = np.column_stack([X[:, 0], 2 * X[:, 0] - 1, X[:, 1]])
    for name, y, optimizer in (
        ("linear", SCORE, gn.LeastSquares()), ("sigmoid", CLASS, gn.Newton()), ("exp", COUNT, gn.Newton())
    ):  # fmt: skip
        run = quiet(NETS[name], x, y, optimizer)
        assert run.facts["direct"]["aliased"] == [2]
        assert run.facts["direct"]["rank"] == 3
        assert run.parameters["W1"][1, 0] == 0
        without = quiet(gn.Network(2, gn.Dense(1, name)), x[:, [0, 2]], y, optimizer)
        np.testing.assert_allclose(theta(run)[[0, 1, 3]], theta(without), rtol=1e-9)


def test_weights_are_repetitions():
    repeated = np.repeat(np.arange(150), W.astype(int))
    for name, y in (("sigmoid", CLASS), ("exp", COUNT)):
        np.testing.assert_allclose(
            theta(quiet(NETS[name], X, y, sample_weight=W)),
            theta(quiet(NETS[name], X[repeated], y[repeated])),
            rtol=1e-11,
        )


def test_float32_in_and_out():
    run = quiet(NETS["sigmoid"], X.astype("f4"), CLASS)
    assert run.parameters["W1"].dtype == np.float32
    np.testing.assert_allclose(theta(run), theta(quiet(NETS["sigmoid"], X, CLASS)), rtol=1e-5)


def test_without_a_bias():
    net = gn.Network(3, gn.Dense(1, "sigmoid", bias=False))
    theirs = sm.GLM(CLASS, X, sm.families.Binomial()).fit(tol=1e-14)
    np.testing.assert_allclose(quiet(net, X, CLASS).parameters["W1"][:, 0], theirs.params, rtol=1e-10)


@pytest.mark.parametrize("record", ["auto", "last"])
@pytest.mark.parametrize(
    ("name", "y", "optimizer"), [("sigmoid", CLASS, gn.Newton()), ("linear", SCORE, gn.LeastSquares())]
)
def test_recorded_saved_replayed_and_resumed(name, y, optimizer, record, tmp_path):
    run = quiet(NETS[name], X, y, optimizer, record=record)
    loaded = gn.Run.load(run.save(tmp_path / "run"))
    full = quiet(NETS[name], X, y, optimizer, record="all")
    for iteration in range(run.iteration + 1):
        for parameter, value in full.at(iteration).parameters.items():
            np.testing.assert_array_equal(loaded.at(iteration).parameters[parameter], value)
    again = gn.train(resume=loaded, epochs=200, progress=False)
    assert (again.status, again.iteration) == ("converged", run.iteration)
    np.testing.assert_array_equal(again.parameters["W1"], run.parameters["W1"])


def test_few_iterations_callbacks_and_what_it_says():
    short = quiet(NETS["sigmoid"], X, CLASS, epochs=2)
    assert (short.status, short.message) == ("finished", "Newton's method did not converge in 2 iterations.")
    stopped = quiet(NETS["sigmoid"], X, CLASS, callbacks=[lambda run: len(run.history) == 3])
    assert (stopped.status, stopped.iteration) == ("stopped early", 3)
    run = quiet(NETS["sigmoid"], X, CLASS)
    assert run.message == "Newton's method converged after 5 iterations by R's rule, and 1 more to rounding."
    with pytest.raises(gn.RunError) as caught:
        run.intermediates(0)
    assert str(caught.value).startswith("Newton's first iteration starts from the data")


def test_batches_are_refused():
    for optimizer in (gn.Newton(), gn.LeastSquares()):
        with pytest.raises(gn.GlassnetError) as caught:
            quiet(NETS["linear"], X, SCORE, optimizer, batch_size=10)
        assert str(caught.value) == (
            f"{type(optimizer).__name__} got batch_size=10; it needs full batches (batch_size=None)."
        )


def test_threads_and_blocks_change_nothing(monkeypatch):
    net = gn.Network(3, gn.Dense(3, "softmax"))
    one, line = quiet(net, X, KIND), quiet(NETS["linear"], X, SCORE, gn.LeastSquares())
    monkeypatch.setattr(threads, "PIECE", 37)
    monkeypatch.setattr(engine, "BLOCK", 10)
    several = [quiet(net, X, KIND) for _ in range(2)]
    np.testing.assert_allclose(several[0].parameters["W1"], one.parameters["W1"], rtol=1e-11)
    np.testing.assert_array_equal(several[0].parameters["W1"], several[1].parameters["W1"])
    again = quiet(NETS["linear"], X, SCORE, gn.LeastSquares())
    np.testing.assert_allclose(again.parameters["W1"], line.parameters["W1"], rtol=1e-11)


def test_large_data_are_borrowed_and_checked(monkeypatch):
    monkeypatch.setattr(training, "BORROWED", 100)
    mine = X.copy()
    run = quiet(NETS["sigmoid"], mine, CLASS, gn.SGD(0.1), epochs=5, record="last")
    assert np.shares_memory(run.data.X, mine)
    assert run.at(2).parameters["W1"].shape == (3, 1)
    mine[0, 0] += 1
    with pytest.raises(gn.RunError) as caught:
        run.at(3)
    assert str(caught.value).startswith("The data this run was trained on have been changed since")
    assert run.attach(X, CLASS).at(3).parameters["W1"].shape == (3, 1)


@pytest.mark.parametrize("away", [1e-7, 1e-8, 1e-9, 1e-10])
@pytest.mark.parametrize("kind", ["sigmoid", "exp", "softmax"])
def test_nearly_dependent_columns_are_fitted(kind, away):
    draws = np.random.default_rng(5)
    a = draws.normal(size=80)
    near = draws.normal(size=80)
    x = np.column_stack([a, a + away * near])
    score = 0.5 * a + near
    if kind == "softmax":
        y, net = np.digitize(score + draws.logistic(size=80), [-1, 1]), gn.Network(2, gn.Dense(3, "softmax"))
    elif kind == "exp":
        y, net = draws.poisson(np.exp(score)).astype(float), gn.Network(2, gn.Dense(1, "exp"))
    else:
        y, net = (score + draws.logistic(size=80) > 0).astype(float), gn.Network(2, gn.Dense(1, "sigmoid"))
    run = quiet(net, x, y)
    plain = quiet(net, np.column_stack([a, near]), y)  # the same span, well apart
    assert run.status == "converged"
    assert run.facts["direct"]["rank"] == 3
    assert run.history["cost"][-1] == pytest.approx(plain.history["cost"][-1], rel=1e-5 if away < 1e-8 else 1e-7)


def test_columns_that_are_all_but_equal_are_aliased():
    a = X[:, 0]
    run = quiet(gn.Network(2, gn.Dense(1, "sigmoid")), np.column_stack([a, a * (1 + 1e-13)]), CLASS)
    assert run.facts["direct"]["aliased"] == [2]
    with pytest.raises(gn.RunError) as caught:
        run.intermediates(1)
    assert "no inverse; leave the aliased columns out" in str(caught.value)


def test_stopped_short_saved_and_gone_on_with(tmp_path):
    whole = quiet(NETS["sigmoid"], X, CLASS)
    for end in ({"epochs": 2}, {"callbacks": [lambda run: len(run.history) == 2]}):
        folder = tmp_path / f"run{len(end['callbacks']) if 'callbacks' in end else 'e'}"
        short = quiet(NETS["sigmoid"], X, CLASS, out=folder, **end)
        assert short.iteration == 2
        longer = gn.train(resume=folder, epochs=100, progress=False)
        assert (longer.status, longer.iteration) == ("converged", whole.iteration)
        np.testing.assert_array_equal(longer.parameters["W1"], whole.parameters["W1"])
        assert len(longer.history) == whole.iteration


def test_a_halved_step_is_on_the_page():
    run = quiet(NETS["exp"], X, COUNT, initial_parameters={"W1": [[2.0], [-3.0], [2.0]], "b1": [-4.0]}, epochs=60)
    assert run.history["learning_rate"].min() < 1
    for step in range(4):
        after = run.at(step + 1).parameters["W1"]
        np.testing.assert_allclose(run.intermediates(step)["W1.after"], after, rtol=1e-7, atol=1e-9)


def test_the_gradient_is_0_with_a_penalty_on_the_sum():
    run = quiet(NETS["linear"], X, SCORE, gn.LeastSquares(), l2=30.0, penalty_on="sum")
    assert run.history["gradient_norm"][0] < 1e-12


@pytest.mark.parametrize("penalty_on", ["mean", "sum"])
@pytest.mark.parametrize(("name", "y"), [("sigmoid", CLASS), ("exp", COUNT), ("linear", SCORE), ("softmax", KIND)])
def test_a_penalty_shares_the_weight_of_equal_columns(name, y, penalty_on):
    # Σ W² is least when two equal columns have half each: nothing is aliased under a penalty.
    net = gn.Network(4, gn.Dense(3 if name == "softmax" else 1, name))
    run = quiet(net, np.column_stack([X, X[:, 0]]), y, l2=0.05, penalty_on=penalty_on)
    assert run.facts["direct"]["aliased"] == []
    np.testing.assert_allclose(run.parameters["W1"][0], run.parameters["W1"][3], rtol=1e-9)
    assert run.history["gradient_norm"][-1] < 1e-12


def test_a_penalty_with_more_columns_than_rows():
    draws = np.random.default_rng(3)
    x, y = draws.normal(size=(20, 40)), (draws.random(20) < 0.5).astype(float)
    theirs = LogisticRegression(C=1 / (20 * 0.05), tol=1e-12, max_iter=1000, solver="newton-cholesky").fit(x, y)
    run = quiet(gn.Network(40, gn.Dense(1, "sigmoid")), x, y, l2=0.05)
    np.testing.assert_allclose(theta(run)[1:], theirs.coef_[0], rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("l2", [1e-12, 1e-14, 1e-16, 1e-20, 1e-30])
def test_a_penalty_too_small_to_count_ends_where_none_does(l2):
    run = quiet(gn.Network(4, gn.Dense(1, "sigmoid")), np.column_stack([X, X[:, 0]]), CLASS, l2=l2)
    assert run.status == "converged"
    assert run.history["cost"][-1] == pytest.approx(quiet(NETS["sigmoid"], X, CLASS).history["cost"][-1], rel=1e-12)


def test_numbers_that_overflow_are_named():
    with pytest.warns(gn.GlassnetWarning, match="is not finite, the first equation that is not"):
        run = quiet(NETS["sigmoid"], 1e200 * X, CLASS)
    assert run.status == "diverged"
    assert np.isfinite(theta(run)).all()
