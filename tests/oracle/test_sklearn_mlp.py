"""MLPClassifier and MLPRegressor against scikit-learn's: the same data and settings, the same numbers and words."""

from __future__ import annotations

import contextlib
import io
import re
import warnings

import numpy as np
import pytest
from scipy.sparse import csc_matrix, csr_matrix
from sklearn.datasets import load_digits, load_iris, make_multilabel_classification, make_regression
from sklearn.neural_network import MLPClassifier as TheirClassifier
from sklearn.neural_network import MLPRegressor as TheirRegressor

import glassnet as gn

IRIS = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])
BASE = {"hidden_layer_sizes": (10, 5), "random_state": 1, "max_iter": 40, "batch_size": 32}


def regression(outputs=1):
    X, y = make_regression(120, 5, n_targets=outputs, random_state=0, noise=3)
    return X, y / y.std()


def both(theirs, ours, X, y, weight=None, **settings):
    """Both fitted, and what each warned of."""
    fitted = []
    for kind in (theirs, ours):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            estimator = kind(**{**BASE, **settings}).fit(X, y, sample_weight=weight)
        fitted.append((estimator, [(w.category.__name__, str(w.message)) for w in caught]))
    (one, their_words), (other, our_words) = fitted
    assert our_words == their_words
    return one, other


def agree(theirs, ours, rtol=1e-10):
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=rtol)
    for name in ("coefs_", "intercepts_"):
        for mine, expected in zip(getattr(ours, name), getattr(theirs, name), strict=True):
            np.testing.assert_allclose(mine, expected, rtol=max(1e-7, rtol), atol=max(1e-9, rtol / 100))
            assert mine.dtype == expected.dtype
    for name in ("n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_"):
        assert getattr(ours, name) == getattr(theirs, name), name
    for name in ("loss_", "best_loss_", "best_validation_score_", "validation_scores_"):
        mine, expected = getattr(ours, name), getattr(theirs, name)
        assert (mine is None) == (expected is None), name
        if expected is not None:
            np.testing.assert_allclose(mine, expected, rtol=rtol)


@pytest.mark.parametrize(
    "settings",
    [
        {"solver": "sgd"},
        {"solver": "sgd", "nesterovs_momentum": False},
        {"solver": "sgd", "momentum": 0.0},
        {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.5, "power_t": 0.3},
        {"solver": "sgd", "learning_rate": "adaptive", "learning_rate_init": 0.2, "max_iter": 300, "tol": 1e-3},
        {"solver": "sgd", "learning_rate": "adaptive", "early_stopping": True, "max_iter": 200},
        {"solver": "adam"},
        {"solver": "adam", "beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-4, "alpha": 0.5},
        {"solver": "adam", "early_stopping": True, "learning_rate_init": 0.02},
        {"solver": "adam", "early_stopping": True, "validation_fraction": 0.3, "max_iter": 150},
        {"activation": "tanh", "learning_rate_init": 0.02, "max_iter": 300},
        {"activation": "logistic", "batch_size": "auto"},
        {"activation": "identity", "shuffle": False},
        {"hidden_layer_sizes": 7, "batch_size": 150},
        {"hidden_layer_sizes": ()},
        {"batch_size": 1000},
        {"n_iter_no_change": np.inf, "tol": 0.0},
        {
            "solver": "sgd",
            "learning_rate": "adaptive",
            "learning_rate_init": 0.05,
            "early_stopping": True,
            "tol": 0.0,
            "n_iter_no_change": 1,
            "max_iter": 100,
        },
    ],
    ids=str,
)
def test_the_classifier(settings):
    X, y = IRIS
    theirs, ours = both(TheirClassifier, gn.MLPClassifier, X, NAMES[y], **settings)
    agree(theirs, ours)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-8)
    np.testing.assert_allclose(ours.predict_log_proba(X), theirs.predict_log_proba(X), rtol=1e-8)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_two_classes(early_stopping):
    X, y = IRIS[0][50:], NAMES[IRIS[1][50:]]
    theirs, ours = both(TheirClassifier, gn.MLPClassifier, X, y, early_stopping=early_stopping)
    agree(theirs, ours)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-10)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_several_labels(early_stopping):
    X, y = make_multilabel_classification(100, 10, n_classes=4, random_state=0)
    theirs, ours = both(TheirClassifier, gn.MLPClassifier, X, y, early_stopping=early_stopping)
    agree(theirs, ours)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))


@pytest.mark.parametrize("kind", [csr_matrix, csc_matrix])
def test_sparse_inputs(kind):
    X, y = load_digits(return_X_y=True)
    agree(*both(TheirClassifier, gn.MLPClassifier, kind(X[:200] / 16), y[:200], max_iter=5))


@pytest.mark.parametrize("early_stopping", [False, True])
def test_weighted_samples(early_stopping):
    X, y = IRIS
    weight = np.random.default_rng(0).uniform(0.5, 3, len(y))
    agree(*both(TheirClassifier, gn.MLPClassifier, X, y, weight, early_stopping=early_stopping, alpha=0.3))
    X, y = regression()
    weight = np.random.default_rng(0).uniform(0.5, 3, len(y))
    agree(*both(TheirRegressor, gn.MLPRegressor, X, y, weight, early_stopping=early_stopping))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"solver": "sgd", "learning_rate_init": 0.01},
        {"early_stopping": True},
        {"activation": "tanh", "alpha": 2.0},
    ],
    ids=str,
)
def test_the_regressor(settings):
    X, y = regression()
    theirs, ours = both(TheirRegressor, gn.MLPRegressor, X, y, **settings)
    agree(theirs, ours)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-8)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_the_poisson_loss(early_stopping):
    X, y = regression()
    counts = np.round(np.exp(y))
    assert counts.min() == 0
    agree(*both(TheirRegressor, gn.MLPRegressor, X, counts, loss="poisson", early_stopping=early_stopping))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_counts_of_zero_in_both_types(dtype):
    X, y = regression()
    counts = np.round(np.exp(y)).astype(dtype)
    theirs, ours = both(TheirRegressor, gn.MLPRegressor, X.astype(dtype), counts, loss="poisson", max_iter=10)
    agree(theirs, ours, rtol=1e-4 if dtype == np.float32 else 1e-10)


def test_targets_that_are_all_alike():
    X, _ = regression()
    for kinds, target in (
        ((TheirRegressor, gn.MLPRegressor), np.full(120, 3.0)),
        ((TheirClassifier, gn.MLPClassifier), np.full(120, 4)),
    ):
        theirs, ours = both(*kinds, X, target, early_stopping=True)
        assert ours.validation_scores_ == theirs.validation_scores_
        assert ours.best_validation_score_ == theirs.best_validation_score_


def test_several_outputs_agree_in_weights_and_sum_the_loss():
    X, Y = regression(3)
    theirs, ours = both(TheirRegressor, gn.MLPRegressor, X, Y, alpha=0.0)
    for mine, expected in zip(ours.coefs_, theirs.coefs_, strict=True):
        np.testing.assert_allclose(mine, expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(ours.loss_curve_, 3 * np.array(theirs.loss_curve_), rtol=1e-10)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_types(dtype):
    X, y = IRIS
    theirs, ours = both(TheirClassifier, gn.MLPClassifier, X.astype(dtype), y, max_iter=10)
    agree(theirs, ours, rtol=1e-5 if dtype == np.float32 else 1e-12)
    assert ours.predict_proba(X.astype(dtype)).dtype == theirs.predict_proba(X.astype(dtype)).dtype


@pytest.mark.parametrize("max_iter", [1, 8])
def test_lbfgs(max_iter):
    # the first iterations only: rounding that differs in the last bit grows in the line search
    for theirs, ours, (X, y) in (
        (TheirClassifier, gn.MLPClassifier, IRIS),
        (TheirRegressor, gn.MLPRegressor, regression()),
    ):
        one, other = both(theirs, ours, X, y, solver="lbfgs", max_iter=max_iter)
        assert other.loss_ == pytest.approx(one.loss_, rel=1e-9)
        assert (other.n_iter_, other.t_) == (one.n_iter_, one.t_)
        for mine, expected in zip(other.coefs_, one.coefs_, strict=True):
            np.testing.assert_allclose(mine, expected, rtol=1e-6, atol=1e-8)


def test_lbfgs_that_converges():
    X, y = IRIS
    settings = {"solver": "lbfgs", "hidden_layer_sizes": (), "alpha": 1.0, "max_iter": 500, "tol": 1e-6}
    theirs, ours = both(TheirClassifier, gn.MLPClassifier, (X - X.mean(0)) / X.std(0), y, **settings)
    assert ours.loss_ == pytest.approx(theirs.loss_, rel=1e-9)


@pytest.mark.parametrize(
    "settings",
    [
        {"solver": "sgd", "tol": 0.1},
        {"early_stopping": True, "tol": 0.1},
        {"max_iter": 3},
        {"solver": "sgd", "learning_rate": "adaptive", "tol": 0.1, "n_iter_no_change": 2, "max_iter": 100},
        {"solver": "sgd", "learning_rate": "adaptive", "tol": 0.1, "n_iter_no_change": 2, "early_stopping": True},
        {"solver": "lbfgs", "early_stopping": True, "max_iter": 3},
    ],
    ids=str,
)
def test_verbose_prints_the_same_lines(settings):
    X, y = IRIS
    printed = []
    for kind in (TheirClassifier, gn.MLPClassifier):
        with contextlib.redirect_stdout(io.StringIO()) as out, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            kind(**{**BASE, **settings}, verbose=True).fit(X, y)
        printed.append(out.getvalue())
    assert printed[0] == printed[1]


@pytest.mark.parametrize(
    "settings",
    [
        {"hidden_layer_sizes": -1}, {"hidden_layer_sizes": (4, 0)}, {"activation": "relux"}, {"solver": "bfgs"}, {"alpha": -1},
        {"batch_size": 0}, {"batch_size": "big"}, {"learning_rate": "eta"}, {"learning_rate_init": 0}, {"power_t": -1},
        {"max_iter": 0}, {"shuffle": "yes"}, {"random_state": "x"}, {"tol": -1}, {"verbose": -1}, {"warm_start": 3},
        {"momentum": 2}, {"nesterovs_momentum": 5}, {"early_stopping": "yes"}, {"validation_fraction": 1},
        {"validation_fraction": 0.001, "early_stopping": True}, {"beta_1": 1}, {"beta_2": -1}, {"epsilon": 0},
        {"n_iter_no_change": 0}, {"max_fun": 0},
    ],
    ids=str,
)  # fmt: skip
def test_wrong_settings_are_refused_in_the_same_words(settings):
    X, y = IRIS
    said = []
    for kind in (TheirClassifier, gn.MLPClassifier):
        with pytest.raises((ValueError, TypeError)) as caught:
            kind(**{"random_state": 0, **settings}).fit(X, y)
        # the options stand in the order of a set, which differs from one set to another
        words = re.sub(r"{(.*?)}", lambda options: ", ".join(sorted(options[1].split(", "))), str(caught.value))
        said.append((type(caught.value).__name__, words))
    assert said[0] == said[1]


@pytest.mark.parametrize(
    ("X", "y"),
    [
        (IRIS[0], IRIS[1][:10]), (IRIS[0] * np.nan, IRIS[1]), (IRIS[0].ravel(), IRIS[1]), (IRIS[0], IRIS[0] * 1.5),
        ([["a", "b"]] * 4, [0, 1, 0, 1]), (np.empty((0, 3)), []),
    ],
    ids=["lengths", "NaN", "1d", "continuous", "text", "empty"],
)  # fmt: skip
def test_wrong_data_are_refused_in_the_same_words(X, y):
    said = []
    for kind in (TheirClassifier, gn.MLPClassifier):
        with pytest.raises(ValueError) as caught:
            kind(max_iter=2).fit(X, y)
        said.append(str(caught.value))
    assert said[0] == said[1]


def test_partial_fit_and_warm_start_are_refused_in_the_same_words():
    X, y = IRIS
    said = []
    for kind in (TheirClassifier, gn.MLPClassifier):
        words = []
        for use in (
            lambda k: k(solver="lbfgs").partial_fit(X, y, classes=[0, 1, 2]),
            lambda k: k().partial_fit(X, y),
            lambda k: k(early_stopping=True).partial_fit(X, y, classes=[0, 1, 2]),
            lambda k: k().partial_fit(X, y, classes=[0, 1]),
            lambda k: k(warm_start=True, max_iter=1).fit(X, y).fit(X[:100], y[:100]),
            lambda k: k(max_iter=1).fit(X, y).predict(X[:, :2]),
            lambda k: k().predict(X),
        ):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with pytest.raises((ValueError, AttributeError)) as caught:
                    use(kind)
            words.append(str(caught.value))
        said.append(words)
    assert said[1] == said[0]


def test_streaming_other_rows_by_partial_fit():
    X, y = IRIS
    parts = [slice(0, 150, 3), slice(1, 150, 3), slice(2, 150, 3)]
    for settings in ({"solver": "adam"}, {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.1}):
        theirs, ours = (kind(**{**BASE, **settings}) for kind in (TheirClassifier, gn.MLPClassifier))
        for part in parts:
            theirs.partial_fit(X[part], y[part], classes=[0, 1, 2])
            ours.partial_fit(X[part], y[part], classes=[0, 1, 2])
        agree(theirs, ours)


def test_weights_set_by_hand_are_gone_on_from():
    X, y = IRIS
    draws = np.random.default_rng(3)
    start = [draws.normal(size=shape) * 0.1 for shape in ((4, 10), (10, 5), (5, 3), (10,), (5,), (3,))]
    fitted = []
    for kind in (TheirClassifier, gn.MLPClassifier):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            estimator = kind(**{**BASE, "max_iter": 1, "warm_start": True}).fit(X, y)
            estimator.coefs_ = [a.copy() for a in start[:3]]
            estimator.intercepts_ = [a.copy() for a in start[3:]]
            fitted.append(estimator.set_params(max_iter=20).fit(X, y))
    np.testing.assert_allclose(fitted[1].loss_curve_, fitted[0].loss_curve_, rtol=1e-10)
    np.testing.assert_allclose(fitted[1].coefs_[0], fitted[0].coefs_[0], rtol=1e-8)


def test_the_same_parameters_and_defaults():
    for theirs, ours in ((TheirClassifier(), gn.MLPClassifier()), (TheirRegressor(), gn.MLPRegressor())):
        mine = ours.get_params()
        for name, default in theirs.get_params().items():
            assert mine[name] == default, name


def test_a_shared_generator_is_left_where_scikit_learn_leaves_it():
    X, y = IRIS
    left = []
    for kind in (TheirClassifier, gn.MLPClassifier):
        state = np.random.RandomState(5)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            kind(**{**BASE, "random_state": state, "max_iter": 3}).fit(X, y)
        left.append(state.uniform())
    assert left[0] == left[1]
