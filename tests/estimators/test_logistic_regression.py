"""LogisticRegression: R's values, scikit-learn's, hand computation; by Newton's steps, L-BFGS and gradient descent."""

import csv
import json
import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from sklearn import linear_model
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler

import glassnet as gn
from glassnet.estimators import LogisticRegression

GOLDEN = Path(__file__).parents[1] / "golden"
METHODS = ["newton", "lbfgs", "gradient_descent"]
CASES = ["04_logistic_gd_mtcars", "04_logistic_gd_iris_versicolor_virginica"]


def golden(name):
    """(case, standardised X, y) of a golden file of logistic regression."""
    case = json.loads((GOLDEN / f"{name}.json").read_text())
    with open(GOLDEN / "data" / Path(case["data_file"]).name, newline="") as file:
        rows = list(csv.DictReader(file))
    if "rows_0based" in case:
        rows = [rows[i] for i in case["rows_0based"]]
    X = np.array([[float(row[name]) for name in case["predictors"]] for row in rows])
    y = np.array([row["Species"] for row in rows] if "Species" in rows[0] else [int(row["am"]) for row in rows])
    return case, (X - X.mean(axis=0)) / X.std(axis=0, ddof=1), y


def flat(fitted):
    return np.r_[fitted.intercept_, fitted.coef_[0]]


@pytest.fixture(scope="module")
def noisy():
    """Two classes that overlap, four features."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(150, 4))
    return X, np.where(X @ [1.0, -1, 0.5, 0] + rng.logistic(size=150) > 0.3, "yes", "no")


@pytest.fixture(scope="module")
def three():
    """Three classes that overlap."""
    rng = np.random.default_rng(4)
    y = rng.integers(0, 3, size=150)
    return rng.normal(size=(150, 3)) + np.eye(3)[y], y


def settled(method):
    """Settings under which every method arrives."""
    return {"method": method, "tol": 1e-9, "max_iter": None if method != "gradient_descent" else 20_000}


def test_two_points_a_side_by_hand():
    # x = 0 and 1; of four rows each, 1 and 3 are yes: log-odds −log 3 and log 3, so b = −log 3 and w = 2 log 3.
    X, y = np.repeat([0.0, 1.0], 4)[:, None], [1, 0, 0, 0, 1, 1, 1, 0]
    for method in METHODS:
        fitted = LogisticRegression(**settled(method)).fit(X, y)
        np.testing.assert_allclose(flat(fitted), [-np.log(3), 2 * np.log(3)], rtol=1e-6)
        np.testing.assert_allclose(fitted.predict_proba([[0.0], [1.0]]), [[0.75, 0.25], [0.25, 0.75]], rtol=1e-6)


# R.


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(("start", "part"), [(0.0, "seed004_start_zeros"), (1.0, "seed003_start_ones")])
def test_the_steps_are_those_of_the_tutorials(name, start, part):
    case, X, y = golden(name)
    right = case[part]
    fitted = LogisticRegression("gradient_descent", learning_rate=case["lr"], max_iter=2000, tol=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted.fit(X, y, coef_init=start, intercept_init=start)
    for updates, there in right["after"].items():
        now = fitted.run_.at(int(updates)).parameters
        mine = np.r_[now["b1"], now["W1"][:, 0]]
        np.testing.assert_allclose(
            mine, there.get("beta", np.r_[there.get("b", 0), there.get("w", [])]), rtol=1e-9, atol=1e-12
        )
        assert fitted.run_.history["cost"][int(updates) - 1] == pytest.approx(there["cost"], rel=1e-9)
    last = right["after"]["2000"]
    np.testing.assert_allclose(
        flat(fitted), last.get("beta", np.r_[last.get("b", 0), last.get("w", [])]), rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("method", ["newton", "lbfgs"])
def test_the_maximum_of_the_likelihood_is_that_of_glm(name, method):
    case, X, y = golden(name)
    fitted = LogisticRegression(method).fit(X, y)
    np.testing.assert_allclose(
        flat(fitted), case["mle_glm"]["coefficients"], rtol=1e-10 if method == "newton" else 1e-5
    )
    assert fitted.run_.status == "converged"
    if "Species" in case["data_file"] or "iris" in name:
        assert fitted.classes_.tolist() == ["versicolor", "virginica"]


# scikit-learn.


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("l2", [0.0, 0.05])
def test_two_classes_are_scikit_learns(noisy, method, intercept, l2):
    X, y = noisy
    mine = LogisticRegression(**settled(method), fit_intercept=intercept, l2=l2).fit(X, y)
    C = 1 / (l2 * len(y)) if l2 else np.inf
    theirs = linear_model.LogisticRegression(C=C, fit_intercept=intercept, solver="newton-cholesky", tol=1e-12).fit(
        X, y
    )
    np.testing.assert_allclose(mine.coef_, theirs.coef_, rtol=2e-6)
    np.testing.assert_allclose(mine.intercept_, theirs.intercept_, rtol=2e-6)
    np.testing.assert_allclose(mine.predict_proba(X), theirs.predict_proba(X), rtol=1e-6)
    np.testing.assert_allclose(mine.predict_log_proba(X), theirs.predict_log_proba(X), rtol=1e-5)
    np.testing.assert_allclose(mine.decision_function(X), theirs.decision_function(X), rtol=1e-5, atol=1e-6)
    assert (mine.predict(X) == theirs.predict(X)).all()
    assert mine.coef_.shape == theirs.coef_.shape
    assert mine.intercept_.shape == theirs.intercept_.shape


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("l2", [0.0, 0.05])
def test_three_classes_are_scikit_learns(three, method, l2):
    X, y = three
    mine = LogisticRegression(**settled(method), l2=l2).fit(X, y)
    C = 1 / (l2 * len(y)) if l2 else np.inf
    theirs = linear_model.LogisticRegression(C=C, solver="lbfgs", tol=1e-10, max_iter=5000).fit(X, y)
    np.testing.assert_allclose(mine.coef_, theirs.coef_, atol=3e-6)
    np.testing.assert_allclose(mine.intercept_, theirs.intercept_, atol=3e-6)
    np.testing.assert_allclose(mine.predict_proba(X), theirs.predict_proba(X), atol=1e-6)
    np.testing.assert_allclose(mine.predict_log_proba(X), theirs.predict_log_proba(X), atol=1e-5)
    assert mine.decision_function(X).shape == (150, 3)


@pytest.mark.parametrize("weighted", [False, True])
def test_l1_is_scikit_learns_with_the_same_zeros(noisy, weighted):
    X, y = noisy
    w = np.random.default_rng(0).uniform(0.5, 2, size=150) if weighted else None
    total = 150 if w is None else w.sum()
    mine = LogisticRegression("gradient_descent", l1=0.06, max_iter=20_000, tol=1e-10).fit(X, y, w)
    theirs = linear_model.LogisticRegression(
        l1_ratio=1.0, C=1 / (0.06 * total), solver="saga", tol=1e-11, max_iter=100_000, random_state=0
    ).fit(X, y, w)
    np.testing.assert_allclose(flat(mine), flat(theirs), atol=1e-6)
    np.testing.assert_array_equal(mine.coef_ == 0, theirs.coef_ == 0)
    assert (mine.coef_ == 0).any()


@pytest.mark.parametrize("method", METHODS)
def test_class_weights_are_scikit_learns(noisy, method):
    X, y = noisy
    for chosen in ("balanced", {"yes": 3.0, "no": 0.5}):
        mine = LogisticRegression(**settled(method), class_weight=chosen).fit(X, y)
        theirs = linear_model.LogisticRegression(
            C=np.inf, class_weight=chosen, solver="newton-cholesky", tol=1e-12
        ).fit(X, y)
        np.testing.assert_allclose(flat(mine), flat(theirs), rtol=1e-5)


# Identities.


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("classes", [2, 3])
def test_whole_weights_are_repetitions_and_zero_is_absence(noisy, three, method, classes):
    X, y = noisy if classes == 2 else three
    w = np.random.default_rng(1).integers(0, 4, size=150)
    weighted = LogisticRegression(**settled(method)).fit(X, y, w)
    repeated = LogisticRegression(**settled(method)).fit(X.repeat(w, axis=0), y.repeat(w))
    np.testing.assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), rtol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_coefficients_of_several_classes_sum_to_zero(three, method):
    fitted = LogisticRegression(method).fit(*three)
    np.testing.assert_allclose(fitted.coef_.sum(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(fitted.intercept_.sum(), 0, atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_probabilities_are_those_of_the_run(three, method):
    X, y = three
    fitted = LogisticRegression(method).fit(X, y)
    np.testing.assert_array_equal(fitted.predict_proba(X), fitted.run_.predict(X))
    np.testing.assert_allclose(np.exp(fitted.predict_log_proba(X)), fitted.predict_proba(X), rtol=1e-10)


@pytest.mark.parametrize("method", METHODS)
def test_sparse_is_dense(noisy, method):
    X, y = noisy
    X = np.where(np.abs(X) > 0.5, X, 0)
    one, other = LogisticRegression(method).fit(sparse.csr_array(X), y), LogisticRegression(method).fit(X, y)
    np.testing.assert_allclose(one.coef_, other.coef_, rtol=1e-9)
    np.testing.assert_allclose(one.predict_proba(sparse.csc_matrix(X)), other.predict_proba(X), rtol=1e-9)


def test_the_cost_falls_in_every_step_of_the_automatic_rate(noisy, three):
    for X, y in (noisy, three):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            run = LogisticRegression("gradient_descent", max_iter=50).fit(5 * X + 3, y).run_
        assert (np.diff(run.history["cost"]) < 0).all()


def test_log_probabilities_stay_exact_far_out(noisy, three):
    two, more = LogisticRegression("lbfgs").fit(*noisy), LogisticRegression("lbfgs").fit(*three)
    far = 1e4 * two.coef_
    assert two.predict_proba(far)[0, 0] == 0
    np.testing.assert_allclose(two.predict_log_proba(far)[0, 0], -two.decision_function(far)[0])
    assert np.isfinite(more.predict_log_proba(1e4 * more.coef_)).all()


# What is said.


def test_too_few_iterations_are_said(noisy):
    fitted = LogisticRegression("gradient_descent", max_iter=3)
    with pytest.warns(ConvergenceWarning) as caught:
        fitted.fit(*noisy)
    assert str(caught[0].message) == (
        "LogisticRegression by method='gradient_descent' has not converged after 3 iterations. Standardise the features "
        "(StandardScaler), raise max_iter, or use method='newton'."
    )
    assert fitted.n_iter_.tolist() == [3]


REFUSED = {
    "one class": ({}, {}, ["a", "a"], "LogisticRegression got y with one class ('a') among the rows that count; it needs at "
                  "least 2 classes."),
    "one class that counts": ({}, {"sample_weight": [1, 0]}, [3, 4], "LogisticRegression got y with one class (3) among the "
                              "rows that count; it needs at least 2 classes."),
    "l1 by newton": ({"l1": 0.5}, {}, [0, 1], "LogisticRegression got l1=0.5 with method='newton', which needs a cost without "
                     "corners; use method='gradient_descent', or l2."),
    "start by newton": ({}, {"coef_init": 0}, [0, 1], "LogisticRegression got a start with method='newton', which has its own; "
                        "leave coef_init and intercept_init out, or use another method."),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_done_is_refused_in_one_sentence(case):
    settings, given, y, said = REFUSED[case]
    with pytest.raises(gn.GlassnetError) as caught:
        LogisticRegression(**settings).fit([[1.0], [2.0]], y, **given)
    assert str(caught.value) == said


def test_a_number_to_predict_is_no_class():
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        LogisticRegression().fit([[1.0], [2.0]], [0.3, 1.7])


# Living with scikit-learn.


@pytest.mark.parametrize("method", METHODS)
def test_pickling_keeps_the_run(noisy, method):
    X, y = noisy
    fitted = LogisticRegression(method).fit(X, y)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))
    np.testing.assert_array_equal(again.run_.at(2).parameters["W1"], fitted.run_.at(2).parameters["W1"])


def test_clone_and_parameters():
    est = LogisticRegression("lbfgs", class_weight={"a": 2})
    assert clone(est).get_params() == est.get_params()
    assert "LogisticRegression" in est._repr_html_()


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_and_labels_in_words(library):
    module = pytest.importorskip(library)
    found = load_iris()
    X = StandardScaler().fit_transform(found.data)
    frame = module.DataFrame({name: X[:, i] for i, name in enumerate(found.feature_names)})
    labels = module.Series(found.target_names[found.target].tolist())
    fitted = LogisticRegression(l2=0.01).fit(frame, labels)
    assert fitted.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert fitted.feature_names_in_.tolist() == found.feature_names
    assert fitted.score(frame, labels) > 0.95


# What R prints.


def test_separation_is_named():
    X = np.array([[1.0, 5], [2, 1], [3, 4], [6, 2], [7, 5], [8, 1]])
    for method in METHODS:
        fitted = LogisticRegression(method)
        with pytest.warns(
            gn.GlassnetWarning, match=r"^x0 separates the classes completely: every row of no lies below 4\.5, "
        ):
            fitted.fit(X, ["no"] * 3 + ["yes"] * 3)
        assert fitted.separation_.variables == ("x0",)
        assert fitted.predict(X).tolist() == ["no"] * 3 + ["yes"] * 3
    assert LogisticRegression(l2=0.1).fit(X, [0, 0, 0, 1, 1, 1]).separation_ is None


def test_overlapping_classes_have_no_separation(noisy, three):
    assert LogisticRegression().fit(*noisy).separation_ is None
    assert LogisticRegression().fit(*three).separation_ is None


def by_formula(X, y, beta):
    """Standard errors by the inverse of Xᵀ diag(p (1 − p)) X."""
    design = np.column_stack([np.ones(len(X)), X])
    p = 1 / (1 + np.exp(-design @ beta))
    return np.sqrt(np.diag(np.linalg.inv(design.T @ (design * (p * (1 - p))[:, None]))))


def test_standard_errors_are_the_textbooks(noisy):
    X, y = noisy
    fitted = LogisticRegression().fit(X, y)
    found = fitted.statistics_
    np.testing.assert_allclose(np.ravel(found.coefficients), flat(fitted), rtol=1e-10)
    np.testing.assert_allclose(np.ravel(found.standard_errors), by_formula(X, y, flat(fitted)), rtol=1e-8)
    said = str(fitted.summary())
    for name in ("(Intercept)", "x0", "x3", "Null deviance", "Residual deviance", "AIC"):
        assert name in said
    z = 1.959963984540054
    limits = np.asarray(fitted.conf_int(), dtype=float)[:, -2:]
    np.testing.assert_allclose(limits[:, 1] - limits[:, 0], 2 * z * by_formula(X, y, flat(fitted)), rtol=1e-8)


def test_several_classes_are_compared_with_the_first(three):
    X, y = three
    fitted = LogisticRegression().fit(X, np.array(["a", "b", "c"])[y])
    found = np.asarray(fitted.statistics_.coefficients)
    against_first = (
        np.column_stack([fitted.intercept_, fitted.coef_])[1:] - np.r_[fitted.intercept_[0], fitted.coef_[0]]
    )
    np.testing.assert_allclose(np.sort(found.ravel()), np.sort(against_first.ravel()), rtol=1e-8)
    assert "b" in str(fitted.summary())


def test_a_penalised_fit_has_no_standard_errors(noisy):
    fitted = LogisticRegression(l2=0.1).fit(*noisy)
    with pytest.raises(gn.GlassnetError, match="penal"):
        fitted.conf_int()
    assert "penal" in str(fitted.summary())


def test_an_interval_around_a_probability(noisy, three):
    X, y = noisy
    fitted = LogisticRegression().fit(X, y)
    table = fitted.predict_proba(X[:5], interval="confidence")
    design = np.column_stack([np.ones(150), X])
    p = fitted.predict_proba(X)[:, 1]
    V = np.linalg.inv(design.T @ (design * (p * (1 - p))[:, None]))
    eta, se = fitted.decision_function(X[:5]), np.sqrt(np.einsum("ij,jk,ik->i", design[:5], V, design[:5]))
    z = 1.959963984540054
    for name, value in (("fit", eta), ("lower", eta - z * se), ("upper", eta + z * se)):
        np.testing.assert_allclose(np.asarray(table[name], dtype=float), 1 / (1 + np.exp(-value)), rtol=1e-8)
    with pytest.raises(gn.GlassnetError) as caught:
        LogisticRegression().fit(*three).predict_proba(three[0], interval="confidence")
    assert str(caught.value) == (
        "predict_proba got interval='confidence' with 3 classes; it needs two. Fit one class against the rest, or leave "
        "interval out."
    )
    with pytest.raises(gn.GlassnetError) as caught:
        fitted.predict_proba(X, interval="prediction")
    assert str(caught.value) == "predict_proba got interval='prediction'; it needs None or 'confidence'."


def test_balanced_classes_with_sample_weights_are_scikit_learns(noisy):
    X, y = noisy
    w = np.random.default_rng(8).uniform(0.1, 3, size=150)
    mine = LogisticRegression("lbfgs", class_weight="balanced").fit(X, y, w)
    theirs = linear_model.LogisticRegression(
        C=np.inf, class_weight="balanced", solver="newton-cholesky", tol=1e-12
    ).fit(X, y, w)
    np.testing.assert_allclose(flat(mine), flat(theirs), rtol=1e-5)


def test_nearly_equal_features_are_fitted():
    t = np.arange(30.0)
    X, y = np.column_stack([np.sin(t), np.sin(t) + 1e-9 * np.cos(3 * t)]), np.cos(7 * t) > 0
    fitted = LogisticRegression().fit(X, y)
    apart = LogisticRegression().fit(np.column_stack([np.sin(t), np.cos(3 * t)]), y)  # the same span
    np.testing.assert_allclose(fitted.predict_proba(X)[:, 1], apart.run_.predict(apart.run_.data.X)[:, 0], rtol=1e-5)
