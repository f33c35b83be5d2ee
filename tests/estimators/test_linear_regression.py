"""LinearRegression: R's values, scikit-learn's, hand computation; by QR, by gradient descent, chunk by chunk."""

import csv
import gzip
import json
import pickle
import warnings
from pathlib import Path

import joblib
import numpy as np
import pytest
from scipy import sparse
from sklearn import linear_model
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import glassnet as gn
from glassnet.estimators import LinearRegression
from glassnet.estimators.gradient_descent import curvature

GOLDEN = Path(__file__).parents[1] / "golden"
METHODS = ["qr", "gradient_descent"]


def golden(name):
    """(case, standardised X, y) of a golden file of gradient descent."""
    case = json.loads((GOLDEN / f"{name}.json").read_text())
    with open(GOLDEN / "data" / Path(case["data_file"]).name, newline="") as file:
        rows = list(csv.DictReader(file))
    X = np.array([[float(row[name]) for name in case["predictors"]] for row in rows])
    y = np.array([float(row[case["response"]]) for row in rows])
    return case, (X - X.mean(axis=0)) / X.std(axis=0, ddof=1), y


def flat(fitted):
    return np.r_[fitted.intercept_, fitted.coef_]


@pytest.fixture
def rng():
    return np.random.default_rng(5)


@pytest.fixture
def data(rng):
    X = rng.normal(size=(80, 4)) * [1, 3, 0.5, 2] + [0, 5, 1, -2]
    return X, X @ [1.0, -0.5, 2.0, 0.0] + 3 + rng.normal(size=80)


# By hand.


@pytest.mark.parametrize("method", METHODS)
def test_three_points_by_hand(method):
    # x = 0, 1, 2 and y = 1, 2, 6: means 1 and 3, Σ(x − 1)(y − 3) = 2 + 0 + 3 = 5, Σ(x − 1)² = 2; slope 5/2, intercept 1/2.
    fitted = LinearRegression(method).fit([[0.0], [1.0], [2.0]], [1.0, 2.0, 6.0])
    np.testing.assert_allclose(flat(fitted), [0.5, 2.5], rtol=1e-9)
    np.testing.assert_allclose(fitted.predict([[3.0]]), [8.0], rtol=1e-9)


def test_the_first_step_by_hand():
    # From zero with α = 0.1: the slopes are −mean(y) = −3 and −mean(xy) = −(0 + 2 + 12)/3.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = LinearRegression("gradient_descent", learning_rate=0.1, max_iter=1).fit(
            [[0.0], [1.0], [2.0]], [1.0, 2.0, 6.0]
        )
    np.testing.assert_allclose(flat(fitted), [0.3, 1.4 / 3], rtol=1e-14)


def test_the_curvature_by_hand():
    # X₁ = (1 x), x = −1, 1: X₁ᵀX₁/2 = I. With x = −2, 2 it is diag(1, 4), and λ₂ = 1 adds to the weight only: diag(1, 5).
    assert curvature([(np.array([[-1.0], [1.0]]), None)], True).best_step == pytest.approx(1.0)
    found = curvature([(np.array([[-2.0], [2.0]]), None)], True, 1.0)
    assert (found.largest, found.smallest) == (pytest.approx(5), pytest.approx(1))
    assert found.condition == pytest.approx(5)


# R.


@pytest.mark.parametrize(("name", "rate"), [("02_gd_linear_mtcars", 0.5), ("02_gd_linear_iris", 0.3)])
def test_the_steps_are_those_of_seed_003(name, rate):
    case, X, y = golden(name)
    assert case["lr"] == rate
    fitted = LinearRegression("gradient_descent", learning_rate=rate, tol=0).fit(
        X, y, coef_init=case["start"], intercept_init=case["start"]
    )
    for updates, there in case["after"].items():
        now = fitted.run_.at(int(updates)).parameters
        np.testing.assert_allclose(np.r_[now["b1"], now["W1"][:, 0]], there["beta"], rtol=1e-9)
        assert fitted.run_.history["cost"][int(updates) - 1] == pytest.approx(there["cost_half_mse"], rel=1e-9)
    np.testing.assert_allclose(flat(fitted), case["after"]["200"]["beta"], rtol=1e-9)


@pytest.mark.parametrize("name", ["02_gd_linear_mtcars", "02_gd_linear_iris"])
def test_two_hundred_iterations_arrive_at_the_closed_form(name):
    case, X, y = golden(name)
    walked = LinearRegression("gradient_descent").fit(X, y)
    direct = LinearRegression("qr").fit(X, y)
    assert walked.n_iter_ <= 200
    np.testing.assert_allclose(flat(direct), case["beta_closed_form"], rtol=1e-10)
    np.testing.assert_allclose(flat(walked), flat(direct), atol=1e-6)
    eigenvalues = np.sort(case["eigenvalues_XtX_over_n"])
    low, high = np.sqrt(eigenvalues[[0, -1]])
    optimizer = walked.run_.settings.optimizer
    assert optimizer.learning_rate == pytest.approx((2 / (low + high)) ** 2)
    assert optimizer.momentum == pytest.approx(((high - low) / (high + low)) ** 2)


# scikit-learn.


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("outputs", [None, 3])
def test_qr_is_scikit_learns_least_squares(data, rng, intercept, weighted, outputs):
    X, y = data
    if outputs:
        y = np.column_stack([y, X @ rng.normal(size=(4, outputs - 1)) + 1])
    w = rng.uniform(0.5, 3, size=80) if weighted else None
    mine = LinearRegression(fit_intercept=intercept).fit(X, y, w)
    theirs = linear_model.LinearRegression(fit_intercept=intercept).fit(X, y, w)
    np.testing.assert_allclose(mine.coef_, theirs.coef_, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(mine.intercept_, theirs.intercept_, rtol=1e-9)
    np.testing.assert_allclose(mine.predict(X), theirs.predict(X), rtol=1e-9)
    assert mine.score(X, y) == pytest.approx(theirs.score(X, y))
    assert mine.rank_ == theirs.rank_
    assert mine.coef_.shape == theirs.coef_.shape
    assert np.shape(mine.intercept_) == np.shape(theirs.intercept_)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("weighted", [False, True])
def test_l2_is_ridge(data, rng, method, weighted):
    X, y = data
    X = StandardScaler().fit_transform(X)
    w = rng.uniform(0.5, 3, size=80) if weighted else None
    total = 80 if w is None else w.sum()
    mine = LinearRegression(method, l2=0.3).fit(X, y, w)
    theirs = linear_model.Ridge(alpha=0.3 * total, solver="cholesky").fit(X, y, w)
    np.testing.assert_allclose(flat(mine), np.r_[theirs.intercept_, theirs.coef_], rtol=1e-8, atol=1e-9)


def test_l1_is_lasso_with_the_same_zeros(data):
    X, y = data
    X = StandardScaler().fit_transform(X)
    mine = LinearRegression("gradient_descent", l1=1.0, max_iter=2000, tol=1e-13).fit(X, y)
    theirs = linear_model.Lasso(alpha=1.0, tol=1e-14, max_iter=100_000).fit(X, y)
    np.testing.assert_allclose(flat(mine), np.r_[theirs.intercept_, theirs.coef_], rtol=1e-8, atol=1e-12)
    np.testing.assert_array_equal(mine.coef_ == 0, theirs.coef_ == 0)
    assert (mine.coef_ == 0).sum() == 2  # the third and the fourth
    assert mine.run_.status == "converged"


def test_l1_and_l2_are_the_elastic_net(data):
    X, y = data
    X = StandardScaler().fit_transform(X)
    mine = LinearRegression("gradient_descent", l1=0.2, l2=0.3, max_iter=2000, tol=1e-13).fit(X, y)
    theirs = linear_model.ElasticNet(alpha=0.5, l1_ratio=0.4, tol=1e-14, max_iter=100_000).fit(X, y)
    np.testing.assert_allclose(flat(mine), np.r_[theirs.intercept_, theirs.coef_], rtol=1e-8, atol=1e-9)


def test_the_proximal_step_by_hand():
    # x = 1, 2 and y = 2, 1 without intercept, from w = 0: dw = −(1·2 + 2·1)/2 = −2. With α = 0.5 the plain step is w = 1,
    # and λ₁ = 0.4 draws it back by α λ₁ = 0.2 to 0.8. With λ₁ = 3 it would be drawn past 0, and stays there.
    X, y = [[1.0], [2.0]], [2.0, 1.0]
    for l1, w in ((0.4, 0.8), (3.0, 0.0)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            fitted = LinearRegression(
                "gradient_descent", l1=l1, fit_intercept=False, learning_rate=0.5, max_iter=1
            ).fit(X, y)
        assert fitted.coef_[0] == pytest.approx(w, abs=1e-15)


def test_the_proximal_steps_are_shown_stored_and_replayed(data, tmp_path):
    X, y = data
    fitted = LinearRegression("gradient_descent", l1=0.5).fit(StandardScaler().fit_transform(X), y)
    page = str(fitted.run_.derivation)
    assert "uW1 ← W1 − α (dW1 − λ₁ sign(W1))" in page
    assert "W1 ← relu(uW1 − α λ₁) − relu(−uW1 − α λ₁)" in page
    loaded = gn.Run.load(fitted.run_.save(tmp_path / "run"))
    again = pickle.loads(pickle.dumps(fitted)).run_
    for run in (loaded, again):
        np.testing.assert_array_equal(run.at(7).parameters["W1"], fitted.run_.at(7).parameters["W1"])


def test_the_proximal_gradient_refuses_a_strength_below_zero():
    from glassnet.equations.proximal import ProximalGradient

    with pytest.raises(gn.GlassnetError) as caught:
        ProximalGradient(0.1, -1.0)
    assert str(caught.value) == "ProximalGradient got l1=-1.0; it needs a finite number, 0 or above."


# Identities.


@pytest.mark.parametrize("method", METHODS)
def test_whole_weights_are_repetitions_and_zero_is_absence(data, rng, method):
    X, y = data
    X = StandardScaler().fit_transform(X)
    w = rng.integers(0, 4, size=80)
    weighted = LinearRegression(method).fit(X, y, w)
    repeated = LinearRegression(method).fit(X.repeat(w, axis=0), y.repeat(w))
    np.testing.assert_allclose(flat(weighted), flat(repeated), rtol=1e-8)


@pytest.mark.parametrize("method", METHODS)
def test_one_row(method):
    fitted = LinearRegression(method).fit([[2.0, 1.0]], [3.0])
    np.testing.assert_allclose(fitted.predict([[2.0, 1.0]]), [3.0], rtol=1e-6)
    if method == "qr":
        assert fitted.rank_ == 0
        assert fitted.aliased_.tolist() == [True, True]


def test_constant_and_aliased_columns(data):
    X, y = data
    # The second column repeats the first, doubled; the third is constant, as the intercept is.
    design = np.column_stack([X[:, 0], 2 * X[:, 0], np.full(80, 7.0), X[:, 1]])
    fitted = LinearRegression().fit(design, y)
    assert fitted.aliased_.tolist() == [False, True, True, False]
    assert fitted.rank_ == 2
    assert fitted.coef_[[1, 2]].tolist() == [0, 0]
    np.testing.assert_allclose(fitted.predict(design), LinearRegression().fit(X[:, :2], y).predict(X[:, :2]))


def test_gradient_descent_with_aliased_columns_predicts_the_same(data):
    X, y = data
    X = StandardScaler().fit_transform(X)
    design = np.column_stack([X, X[:, 0]])
    np.testing.assert_allclose(
        LinearRegression("gradient_descent").fit(design, y).predict(design),
        LinearRegression().fit(X, y).predict(X),
        atol=1e-6,
    )


@pytest.mark.parametrize("method", METHODS)
def test_sparse_is_dense(data, method):
    X, y = data
    X = np.where(np.abs(X) > 1, X, 0)
    for make in (sparse.csr_matrix, sparse.csc_array, sparse.coo_array):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            one, other = LinearRegression(method).fit(make(X), y), LinearRegression(method).fit(X, y)
        np.testing.assert_allclose(flat(one), flat(other), rtol=1e-9)
        np.testing.assert_allclose(one.predict(make(X)), other.predict(X), rtol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_float32(data, method):
    X, y = data
    X = StandardScaler().fit_transform(X)
    fitted = LinearRegression(method).fit(X.astype(np.float32), y.astype(np.float32))
    np.testing.assert_allclose(flat(fitted), flat(LinearRegression().fit(X, y)), rtol=1e-4, atol=1e-5)


# Slow descent.


def test_a_slope_that_is_still_large_is_said():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 2)) * [1, 1000] + [0, 5000]
    fitted = LinearRegression("gradient_descent", max_iter=20)
    with pytest.warns(ConvergenceWarning) as caught:
        fitted.fit(X, X[:, 0] + rng.normal(size=50))
    said = str(caught[0].message)
    assert said.startswith("After 20 iterations of gradient descent the slope is still ")
    assert "the data's condition number is " in said
    assert said.endswith("Standardise the features (StandardScaler), raise max_iter, or use the direct method.")
    assert said in fitted.run_.notes
    assert fitted.run_.status == "finished"


def test_arriving_is_said_in_the_run(data):
    X, y = data
    run = make_pipeline(StandardScaler(), LinearRegression("gradient_descent")).fit(X, y)[-1].run_
    assert run.status == "converged"
    assert run.message.startswith(
        f"Gradient descent converged after {run.iteration} iterations: no slope is larger than "
    )


def test_a_learning_rate_that_is_too_large_is_said_to_diverge(data):
    X, y = data
    with pytest.warns(gn.GlassnetWarning, match="this training diverges|is not finite"):
        LinearRegression("gradient_descent", learning_rate=10.0, max_iter=500).fit(X, y)


# Chunks.


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("l2", [0.0, 0.1])
def test_chunks_give_what_all_rows_at_once_give(data, rng, intercept, l2):
    X, y = data
    y = np.column_stack([y, y**2])
    w = rng.integers(0, 3, size=80).astype(float)
    chunked = LinearRegression(fit_intercept=intercept, l2=l2)
    for start in range(0, 80, 7):
        rows = slice(start, start + 7)
        chunked.partial_fit(X[rows], y[rows], w[rows])
    whole = LinearRegression(fit_intercept=intercept, l2=l2).fit(X, y, w)
    np.testing.assert_allclose(chunked.coef_, whole.coef_, rtol=1e-10)
    np.testing.assert_allclose(chunked.intercept_, whole.intercept_, rtol=1e-10)
    np.testing.assert_allclose(chunked.predict(X), whole.predict(X), rtol=1e-10)
    assert chunked.run_.data is None
    assert chunked.run_.history["cost"][-1] == pytest.approx(whole.run_.history["cost"][-1], rel=1e-10)
    if intercept:
        assert chunked.run_.history["r2"][-1] == pytest.approx(whole.run_.history["r2"][-1], rel=1e-10)


def test_the_run_of_chunks_is_saved_and_loaded(data, tmp_path):
    X, y = data
    fitted = LinearRegression().partial_fit(X[:40], y[:40]).partial_fit(X[40:], y[40:])
    loaded = gn.Run.load(fitted.run_.save(tmp_path / "run"))
    np.testing.assert_array_equal(loaded.predict(X)[:, 0], fitted.predict(X))
    assert loaded.status == "converged"


def test_fit_after_partial_fit_starts_anew(data):
    X, y = data
    fitted = LinearRegression().partial_fit(X[:40], y[:40]).fit(X[40:], y[40:])
    np.testing.assert_array_equal(flat(fitted), flat(LinearRegression().fit(X[40:], y[40:])))
    fitted.partial_fit(X[:40], y[:40])
    np.testing.assert_allclose(flat(fitted), flat(LinearRegression().fit(X[:40], y[:40])), rtol=1e-10)


def test_chunks_with_other_outputs_are_refused(data):
    X, y = data
    fitted = LinearRegression().partial_fit(X, y)
    with pytest.raises(gn.GlassnetError) as caught:
        fitted.partial_fit(X, np.column_stack([y, y]))
    assert str(caught.value) == (
        "partial_fit got y with 2 outputs; the chunks before had 1. Pass the same outputs in every chunk."
    )


def table(X, y):
    import pyarrow as pa

    return pa.table({"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "d": X[:, 3], "y": y})


def write(table, path):
    import pyarrow.csv
    import pyarrow.parquet

    if path.name.endswith(".parquet"):
        pyarrow.parquet.write_table(table, path, row_group_size=13)
    elif path.name.endswith(".gz"):
        with gzip.open(path, "wb") as file:
            pyarrow.csv.write_csv(table, file)
    else:
        pyarrow.csv.write_csv(table, path)
    return path


@pytest.mark.parametrize("name", ["t.parquet", "t.csv", "t.csv.gz"])
def test_a_file_in_chunks(data, tmp_path, name):
    X, y = data
    path = write(table(X, y), tmp_path / name)
    fitted = LinearRegression().fit_file(path, "y", chunk_rows=11)
    np.testing.assert_allclose(flat(fitted), flat(LinearRegression().fit(X, y)), rtol=1e-10)
    assert fitted.feature_names_in_.tolist() == ["a", "b", "c", "d"]
    some = LinearRegression().fit_file(
        str(path), ["y", "d"], columns=["b", "a"], weight="c" if (X[:, 2] >= 0).all() else None
    )
    assert some.coef_.shape == (2, 2)
    np.testing.assert_allclose(
        some.coef_, LinearRegression().fit(X[:, [1, 0]], np.column_stack([y, X[:, 3]])).coef_, rtol=1e-9
    )


def test_a_file_with_weights(data, rng, tmp_path):
    X, y = data
    w = rng.integers(0, 3, size=80)
    path = write(table(X, y).append_column("w", [w]), tmp_path / "t.parquet")
    fitted = LinearRegression().fit_file(path, target="y", weight="w", chunk_rows=9)
    np.testing.assert_allclose(flat(fitted), flat(LinearRegression().fit(X, y, w)), rtol=1e-10)


def test_a_large_csv_is_read_in_several_blocks(rng, tmp_path):
    from glassnet.estimators.file_chunks import FileChunks

    X = rng.normal(size=(20_000, 4))
    y = X.sum(axis=1)
    chunks = FileChunks(write(table(X, y), tmp_path / "t.csv"), "y", chunk_rows=1000)
    sizes = [len(part) for part, _, _ in chunks]
    assert sum(sizes) == 20_000
    assert len(sizes) > 5
    whole = np.concatenate([part for part, _, _ in chunks])
    np.testing.assert_array_equal(whole, X)


FILES = {
    "missing": ("a,y\n1,2\n,3\n", {}, "'{file}' has a missing value in column 'a', data row 2; fill it in, or leave such "
                "rows or the column out."),
    "text": ("a,k,y\n1,u,2\n2,v,3\n", {}, "'{file}' has columns that hold no numbers: 'k' (string); name the numeric features "
             "in columns, or encode these first."),
    "unknown": ("alpha,y\n1,2\n", {"columns": ["alpa"]}, "'{file}': There is no column 'alpa'; did you mean 'alpha'? Known: "
                "alpha, y."),
    "both": ("a,y\n1,2\n", {"columns": ["a", "y"]}, "Column 'y' is both target and feature; leave it out of columns."),
    "chunk": ("a,y\n1,2\n", {"chunk_rows": 0}, "chunk_rows got 0; it needs a whole number, 1 or more."),
    "none": ("y\n1\n2\n", {}, "'{file}' leaves no feature column; it needs at least one."),
}  # fmt: skip


@pytest.mark.parametrize("case", FILES)
def test_files_that_cannot_be_used(case, tmp_path):
    content, settings, said = FILES[case]
    file = tmp_path / "t.csv"
    file.write_text(content)
    with pytest.raises(gn.GlassnetError) as caught:
        LinearRegression().fit_file(file, "y", **settings)
    assert str(caught.value) == said.format(file=file)


def test_text_far_down_a_column_of_numbers_is_refused(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text("a,y\n" + "1,2\n" * 400_000 + "oops,3\n")
    with pytest.raises(gn.DataError, match=r"cannot be read as a table of numbers .*oops.*correct that row"):
        LinearRegression().fit_file(file, "y", chunk_rows=10_000)


# Refusals.


REFUSED = {
    "l1 by qr": ({"l1": 0.1}, {}, "LinearRegression got l1=0.1 with method='qr'; an L1 penalty has no closed form. Use "
                 "method='gradient_descent', or l2."),
    "start by qr": ({}, {"coef_init": 0.1}, "LinearRegression got a start with method='qr', which has none; leave coef_init "
                    "and intercept_init out, or use method='gradient_descent'."),
    "start of a wrong shape": ({"method": "gradient_descent"}, {"coef_init": [1.0, 2.0]}, "fit got coef_init of shape (2,); it "
                               "needs (1, 1), or one number for all of them."),
    "start that is not finite": ({"method": "gradient_descent"}, {"intercept_init": np.inf}, "fit got intercept_init with "
                                 "values that are not finite; start from finite numbers."),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_done_is_refused_in_one_sentence(case):
    settings, given, said = REFUSED[case]
    with pytest.raises(gn.GlassnetError) as caught:
        LinearRegression(**settings).fit([[1.0], [2.0]], [1.0, 2.0], **given)
    assert str(caught.value) == said


def test_gradient_descent_takes_no_chunks():
    assert not hasattr(LinearRegression("gradient_descent"), "partial_fit")
    with pytest.raises(AttributeError) as caught:
        LinearRegression("gradient_descent").fit_file("t.csv", "y")
    assert str(caught.value) == (
        "partial_fit got method='gradient_descent', which needs all rows in every step; use method='qr', whose one pass "
        "over the chunks gives the same answer."
    )


def test_an_unknown_interval_is_refused(data):
    X, y = data
    with pytest.raises(gn.GlassnetError) as caught:
        LinearRegression().fit(X, y).predict(X, interval="both")
    assert str(caught.value) == "predict got interval='both'; it needs None, 'confidence' or 'prediction'."


def test_parameters_are_checked_as_scikit_learn_does():
    with pytest.raises(ValueError, match="The 'method' parameter of LinearRegression must be a str among"):
        LinearRegression("svd").fit([[1.0]], [1.0])


# Living with scikit-learn.


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("by", ["pickle", "joblib"])
def test_pickling_keeps_the_run_and_small_data(data, tmp_path, method, by):
    X, y = data
    X = StandardScaler().fit_transform(X)
    fitted = LinearRegression(method).fit(X, y)
    if by == "pickle":
        again = pickle.loads(pickle.dumps(fitted))
    else:
        joblib.dump(fitted, tmp_path / "e.joblib")
        again = joblib.load(tmp_path / "e.joblib")
    np.testing.assert_array_equal(again.predict(X), fitted.predict(X))
    np.testing.assert_array_equal(again.run_.at(1).parameters["W1"], fitted.run_.at(1).parameters["W1"])
    assert again.run_.history.same_training(fitted.run_.history)
    assert again.run_.data is not None


def test_pickling_leaves_large_data_behind(data, monkeypatch):
    monkeypatch.setattr("glassnet.estimators.regression_base.PICKLED_DATA", 100)
    X, y = data
    fitted = LinearRegression().fit(X, y)
    again = pickle.loads(pickle.dumps(fitted))
    assert again.run_.data is None
    assert fitted.run_.data is not None
    np.testing.assert_array_equal(again.predict(X), fitted.predict(X))
    assert again.run_.attach(X, y).data is not None


def test_clone_and_parameters():
    est = LinearRegression("gradient_descent", l2=0.5)
    copied = clone(est)
    assert copied.get_params() == est.get_params()
    assert copied.set_params(method="qr").method == "qr"
    assert repr(est) == "LinearRegression(l2=0.5, method='gradient_descent')"
    assert "LinearRegression" in est._repr_html_()


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_give_their_names(data, library):
    module = pytest.importorskip(library)
    X, y = data
    frame = module.DataFrame({name: X[:, i] for i, name in enumerate("abcd")})
    fitted = LinearRegression().fit(frame, y)
    assert fitted.feature_names_in_.tolist() == list("abcd")
    np.testing.assert_array_equal(fitted.predict(frame), LinearRegression().fit(X, y).predict(X))
    with pytest.raises(ValueError, match="feature names"):
        fitted.predict(frame[["b", "a", "c", "d"]])


# What R prints.


def by_formula(X, y, level=0.95):
    """Coefficients, their standard errors and half-widths by the textbook's (XᵀX)⁻¹ σ²."""
    from scipy import stats

    design = np.column_stack([np.ones(len(X)), X])
    inverse = np.linalg.inv(design.T @ design)
    beta = inverse @ design.T @ y
    freedom = len(X) - design.shape[1]
    sigma2 = float(((y - design @ beta) ** 2).sum()) / freedom
    errors = np.sqrt(np.diag(inverse) * sigma2)
    return beta, errors, stats.t.ppf(0.5 + level / 2, freedom), sigma2, inverse


def column(table, name):
    return np.asarray(table[name], dtype=float)


@pytest.mark.parametrize("chunked", [False, True])
def test_tests_and_intervals_are_the_textbooks(data, chunked):
    X, y = data
    if chunked:
        fitted = LinearRegression()
        for start in range(0, 80, 16):
            fitted.partial_fit(X[start : start + 16], y[start : start + 16])
    else:
        fitted = LinearRegression().fit(X, y)
    beta, errors, t, sigma2, inverse = by_formula(X, y)
    found = fitted.statistics_
    np.testing.assert_allclose(np.ravel(found.coefficients), beta, rtol=1e-10)
    np.testing.assert_allclose(np.ravel(found.standard_errors), errors, rtol=1e-10)
    limits = np.asarray(fitted.conf_int(), dtype=float)
    np.testing.assert_allclose(limits[:, -2:], np.column_stack([beta - t * errors, beta + t * errors]), rtol=1e-9)
    new = X[:3] + 0.5
    rows = np.column_stack([np.ones(3), new])
    for interval, extra in (("confidence", 0), ("prediction", 1)):
        width = by_formula(X, y, 0.9)[2] * np.sqrt(sigma2 * (extra + np.einsum("ij,jk,ik->i", rows, inverse, rows)))
        table = fitted.predict(new, interval=interval, level=0.9)
        np.testing.assert_allclose(column(table, "fit"), rows @ beta, rtol=1e-10)
        np.testing.assert_allclose(column(table, "lower"), rows @ beta - width, rtol=1e-9)
        np.testing.assert_allclose(column(table, "upper"), rows @ beta + width, rtol=1e-9)


def test_the_summary_names_the_features(data):
    pandas = pytest.importorskip("pandas")
    X, y = data
    frame = pandas.DataFrame(X, columns=["height", "width", "depth", "mass"])
    said = str(LinearRegression().fit(frame, y).summary())
    for name in ("(Intercept)", "height", "width", "depth", "mass", "Residual standard error"):
        assert name in said


def test_several_outputs_have_one_summary_each(data):
    X, y = data
    said = str(LinearRegression().fit(X, np.column_stack([y, -2 * y])).summary())
    one = str(LinearRegression().fit(X, y).summary())
    assert said.count("Residual standard error") == 2
    assert next(line for line in one.splitlines() if line.startswith("Residual standard error")) in said


def test_a_penalised_fit_has_no_standard_errors(data):
    X, y = data
    fitted = LinearRegression(l2=0.1).fit(X, y)
    with pytest.raises(gn.GlassnetError, match=r"penal"):
        fitted.conf_int()
    with pytest.raises(gn.GlassnetError, match=r"penal"):
        fitted.predict(X, interval="confidence")
    assert "penal" in str(fitted.summary())


def test_statistics_are_made_once_and_forgotten_by_the_next_fit(data):
    X, y = data
    fitted = LinearRegression().fit(X, y)
    assert fitted.statistics_ is fitted.statistics_
    before = fitted.statistics_
    assert fitted.fit(X[:50], y[:50]).statistics_ is not before
    assert "_statistics" not in pickle.loads(pickle.dumps(fitted)).__dict__


def test_200_iterations_arrive_on_correlated_columns():
    # standardised iris: κ = 64, where the best step alone is 2e-3 away
    table = np.array([row[:4] for row in load_iris().data])
    X = (table[:, 1:] - table[:, 1:].mean(0)) / table[:, 1:].std(0)
    exact = LinearRegression().fit(X, table[:, 0])
    walked = LinearRegression("gradient_descent").fit(X, table[:, 0])
    assert walked.n_iter_ <= 200
    np.testing.assert_allclose(walked.coef_, exact.coef_, atol=1e-8)
    optimizer = walked.run_.settings.optimizer
    values = np.linalg.eigvalsh(np.c_[np.ones(150), X].T @ np.c_[np.ones(150), X] / 150)
    assert values[-1] / values[0] > 50
    high, low = np.sqrt(values[-1]), np.sqrt(values[0])
    assert optimizer.learning_rate == pytest.approx(4 / (high + low) ** 2)
    assert optimizer.momentum == pytest.approx(((high - low) / (high + low)) ** 2)
