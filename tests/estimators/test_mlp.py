"""MLPClassifier and MLPRegressor beyond scikit-learn's: one training in parts, and what users have long asked for."""

from __future__ import annotations

import io
import warnings

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris, make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.utils.estimator_checks import parametrize_with_checks

import glassnet as gn

X, LABELS = load_iris(return_X_y=True)
X = (X - X.mean(axis=0)) / X.std(axis=0)
Y = np.array(["setosa", "versicolor", "virginica"])[LABELS]
NUMBERS, TARGET = make_regression(90, 4, random_state=0, noise=2)
TARGET = TARGET / TARGET.std()
SMALL = {"hidden_layer_sizes": (8,), "batch_size": 32, "random_state": 3}


def fitted(estimator, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return estimator.fit(*args, **kwargs)


def same_weights(one, other):
    return all(
        np.array_equal(a, b)
        for a, b in zip([*one.coefs_, *one.intercepts_], [*other.coefs_, *other.intercepts_], strict=True)
    )


@parametrize_with_checks([gn.MLPClassifier(max_iter=100), gn.MLPRegressor(max_iter=100)])
def test_scikit_learns_checks(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the checks' own data do not always converge
        check(estimator)


@pytest.mark.parametrize(
    "settings",
    [
        {"solver": "adam"},
        {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.1},
        {"solver": "sgd", "learning_rate": "adaptive", "n_iter_no_change": 1, "tol": 0.05},
        {"solver": "adam", "dropout": 0.3},
        {"solver": "adam", "batch_normalization": True},
        {"solver": gn.RMSprop(0.01)},
        {"solver": "sgd", "learning_rate": gn.CosineDecay(0.1, epochs=10)},
    ],
    ids=str,
)
def test_ten_epochs_five_and_five_or_ten_times_one(settings):
    for kind, target in ((gn.MLPClassifier, Y), (gn.MLPRegressor, None)):
        data = (X, target) if target is not None else (NUMBERS, TARGET)
        known = {"classes": np.unique(Y)} if target is not None else {}
        whole = fitted(kind(**SMALL, **settings, max_iter=10), *data)
        halves = kind(**SMALL, **settings, max_iter=5, warm_start=True)
        for _ in range(2):
            fitted(halves, *data)
        ones = kind(**SMALL, **settings)
        for _ in range(10):
            ones.partial_fit(*data, **known)
        assert same_weights(whole, halves)
        assert same_weights(whole, ones)
        assert whole.loss_curve_ == halves.loss_curve_ == ones.loss_curve_
        assert whole.t_ == halves.t_ == ones.t_
        assert (whole.n_iter_, halves.n_iter_, ones.n_iter_) == (10, 5, 1)
        assert len(ones.run_.history) == 10


def test_early_stopping_goes_on_exactly_too():
    settings = {**SMALL, "early_stopping": True, "n_iter_no_change": 100}
    whole = fitted(gn.MLPClassifier(**settings, max_iter=12), X, Y)
    parts = gn.MLPClassifier(**settings, max_iter=4, warm_start=True)
    for _ in range(3):
        fitted(parts, X, Y)
    assert same_weights(whole, parts)
    assert whole.validation_scores_ == parts.validation_scores_


def test_a_warm_start_after_stopping_goes_on_training():
    estimator = gn.MLPClassifier(**SMALL, max_iter=50, tol=0.5, n_iter_no_change=2, warm_start=True).fit(X, Y)
    first = len(estimator.loss_curve_)
    assert first < 50
    estimator.fit(X, Y)
    assert estimator.n_iter_ == 3  # its patience, anew
    assert len(estimator.loss_curve_) == first + 3


def test_other_settings_start_a_new_run_from_the_present_weights():
    estimator = fitted(gn.MLPClassifier(**SMALL, max_iter=5, warm_start=True), X, Y)
    before = estimator.loss_
    fitted(estimator.set_params(alpha=0.1), X, Y)
    assert len(estimator.run_.history) == 5
    assert len(estimator.loss_curve_) == 10
    assert estimator.loss_curve_[5] < before + 0.1


def test_another_network_cannot_go_on():
    estimator = fitted(gn.MLPClassifier(**SMALL, max_iter=2, warm_start=True), X, Y)
    for go_on in (lambda e: e.fit(X, Y), lambda e: e.partial_fit(X, Y)):
        with pytest.raises(gn.GlassnetError) as caught:
            go_on(estimator.set_params(hidden_layer_sizes=(5, 5)))
        assert str(caught.value) == (
            "The last fit trained the network 4 → 8 relu → 3 softmax, and now it is 4 → 5 relu → 5 relu → 3 softmax, so its "
            "weights cannot be gone on from; set warm_start=False and call fit to start anew."
        )


def test_sizes_that_are_no_whole_numbers():
    with pytest.raises(TypeError, match="hidden_layer_sizes must be whole numbers"):
        gn.MLPClassifier((2.5,)).fit(X, Y)


def test_dropout_and_batch_normalisation_are_in_the_equations():
    estimator = fitted(
        gn.MLPClassifier(
            (8, 6), dropout=[0.2, 0.0], batch_normalization=True, learning_rate_init=0.05, max_iter=60, random_state=0
        ),
        X,
        Y,
    )
    network = estimator.run_.network
    assert str(network) == "4 → 8 linear → batch norm → relu → dropout 0.2 → 6 linear → batch norm → relu → 3 softmax"
    assert estimator.score(X, Y) > 0.8
    proba = estimator.predict_proba(X)
    np.testing.assert_allclose(proba, estimator.run_.predict(X), rtol=1e-14)
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-12)


def test_dropout_that_does_not_fit_the_layers():
    with pytest.raises(gn.GlassnetError) as caught:
        gn.MLPClassifier((8, 6), dropout=[0.2]).fit(X, Y)
    assert str(caught.value) == (
        "dropout got [0.2]; with 2 hidden layers it needs one rate from 0 up to 1, or one for each layer."
    )


def test_class_weights_are_sample_weights():
    weights = {"setosa": 1.0, "versicolor": 5.0, "virginica": 0.5}
    by_class = fitted(gn.MLPClassifier(**SMALL, max_iter=5, class_weight=weights), X, Y)
    by_sample = fitted(gn.MLPClassifier(**SMALL, max_iter=5), X, Y, sample_weight=[weights[y] for y in Y])
    assert same_weights(by_class, by_sample)
    few = np.r_[0:50, 50:60]
    balanced = fitted(gn.MLPClassifier(**SMALL, max_iter=5, class_weight="balanced"), X[few], Y[few])
    # n / (classes · count): 60 / (2 · 50) and 60 / (2 · 10)
    by_hand = fitted(
        gn.MLPClassifier(**SMALL, max_iter=5, class_weight={"setosa": 0.6, "versicolor": 3.0}), X[few], Y[few]
    )
    assert same_weights(balanced, by_hand)
    with pytest.raises(gn.GlassnetError) as caught:
        gn.MLPClassifier(class_weight="balanced").partial_fit(X, Y, classes=np.unique(Y))
    assert str(caught.value) == (
        "partial_fit got class_weight='balanced', and it cannot know how often each class will come; pass the weights as "
        "a dict of class -> weight."
    )


def test_validation_data_of_ones_own():
    train, held = np.arange(0, 150, 2), np.arange(1, 150, 2)
    estimator = fitted(gn.MLPClassifier(**SMALL, max_iter=25), X[train], Y[train], validation_data=(X[held], Y[held]))
    assert len(estimator.validation_loss_curve_) == 25
    expected = log_loss(Y[held], estimator.predict_proba(X[held]))
    assert estimator.validation_loss_curve_[-1] == pytest.approx(expected, rel=1e-12)
    assert estimator.validation_scores_[-1] == estimator.score(X[held], Y[held])
    without = fitted(gn.MLPClassifier(**SMALL, max_iter=25), X[train], Y[train])
    assert same_weights(estimator, without)
    assert not hasattr(without, "validation_loss_curve_")


def test_early_stopping_watches_the_data_it_is_given():
    train, held = np.arange(0, 150, 2), np.arange(1, 150, 2)
    settings = {**SMALL, "learning_rate_init": 0.05, "early_stopping": True, "max_iter": 200, "n_iter_no_change": 5}
    estimator = fitted(gn.MLPClassifier(**settings), X[train], Y[train], validation_data=(X[held], Y[held]))
    assert estimator.n_iter_ < 200
    assert estimator.best_validation_score_ == max(estimator.validation_scores_) == estimator.score(X[held], Y[held])
    assert len(estimator.run_.data) == 75  # nothing is split off


@pytest.mark.parametrize("wrong", [5, (X,), (X, Y, Y, Y)])
def test_validation_data_that_are_none(wrong):
    got = f"{len(wrong)} things" if isinstance(wrong, tuple) else "int"
    with pytest.raises(gn.GlassnetError) as caught:
        gn.MLPClassifier().fit(X, Y, validation_data=wrong)
    assert str(caught.value) == f"validation_data got {got}; it needs (X, y) or (X, y, sample_weight)."


def test_other_losses():
    for name in ("absolute_error", "huber"):
        estimator = fitted(gn.MLPRegressor(loss=name, **SMALL, max_iter=5), NUMBERS, TARGET)
        assert estimator.run_.settings.loss.name == {"absolute_error": "mean_absolute_error"}.get(name, name)
    cauchy = gn.loss("cauchy", lambda y, a: gn.log(1 + (a - y) ** 2))
    estimator = fitted(gn.MLPRegressor(loss=cauchy, **SMALL, max_iter=100), NUMBERS, TARGET)
    assert estimator.score(NUMBERS, TARGET) > 0.2
    hinge = fitted(gn.MLPClassifier(loss="hinge", **SMALL, max_iter=60, learning_rate_init=0.01), X, Y)
    assert hinge.score(X, Y) > 0.9
    with pytest.raises(AttributeError, match="its scores are no probabilities"):
        hinge.predict_proba(X)
    two = fitted(gn.MLPClassifier(loss="hinge", **SMALL, max_iter=60), X[50:], Y[50:])
    assert two.score(X[50:], Y[50:]) > 0.8
    brier = fitted(gn.MLPClassifier(loss="squared_error", **SMALL, max_iter=60), X, Y)
    assert brier.run_.settings.loss.name == "mean_squared_error"
    assert brier.score(X, Y) > 0.7


def test_callbacks_and_early_stopping_objects():
    seen = []
    estimator = gn.MLPClassifier(
        **SMALL, max_iter=50, callbacks=[lambda run: seen.append(len(run.history)) or len(seen) == 4]
    )
    estimator.fit(X, Y)
    assert seen == [1, 2, 3, 4]
    assert estimator.n_iter_ == 4
    stopped = gn.MLPClassifier(**SMALL, callbacks=[gn.EarlyStopping("accuracy", patience=2, min_delta=0.5)]).fit(X, Y)
    assert stopped.n_iter_ < 20


def test_an_activation_of_ones_own():
    swish = gn.activation("swish_here", lambda z: z * gn.sigmoid(z))
    estimator = fitted(gn.MLPClassifier(**{**SMALL, "activation": swish}, max_iter=60), X, Y)
    assert estimator.score(X, Y) > 0.8


def test_a_diverging_training_warns_and_says_what_to_change():
    with pytest.warns(gn.GlassnetWarning) as caught:
        estimator = gn.MLPRegressor(solver="sgd", learning_rate_init=10.0, random_state=0, max_iter=20).fit(
            NUMBERS, 100 * TARGET
        )
    words = " ".join(str(w.message) for w in caught)
    assert "is not finite" in words
    assert "Try a learning rate well below 10" in words
    assert all(np.isfinite(W).all() for W in estimator.coefs_)
    assert estimator.run_.status == "diverged"


def test_a_training_that_diverged_at_once_can_be_called_again():
    settings = {"solver": "sgd", "learning_rate": "adaptive", "activation": "identity", "random_state": 0}
    estimator = gn.MLPRegressor(hidden_layer_sizes=(4,), **settings)
    for _ in range(2):
        with pytest.warns(gn.GlassnetWarning, match="is not finite"):
            estimator.partial_fit(1e200 * NUMBERS, TARGET)
    assert all(np.isfinite(W).all() for W in estimator.coefs_)


def test_the_run_shows_every_step():
    estimator = fitted(gn.MLPClassifier(**SMALL, max_iter=6), X, Y)
    run = estimator.run_
    np.testing.assert_array_equal(run.parameters["W1"], estimator.coefs_[0])
    assert run.iteration == 6 * 5
    assert "dW1 = Xᵀ dZ1" in str(run.derivation)
    one = fitted(gn.MLPClassifier(**SMALL, max_iter=1), X, Y)
    np.testing.assert_array_equal(run.at(5).parameters["W1"], one.coefs_[0])
    assert run.intermediates(7)["dZ1"].shape == (32, 8)


def test_zero_weights_are_rows_that_are_not_there():
    weight = np.ones(150)
    weight[::3] = 0
    estimator = fitted(gn.MLPClassifier(**SMALL, max_iter=5), X, Y, sample_weight=weight)
    kept = weight > 0
    without = fitted(gn.MLPClassifier(**SMALL, max_iter=5), X[kept], Y[kept])
    for a, b in zip(estimator.coefs_, without.coefs_, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_joblib_and_clone(tmp_path):
    estimator = fitted(gn.MLPClassifier(**SMALL, max_iter=5, warm_start=True), X, Y)
    buffer = io.BytesIO()
    joblib.dump(estimator, buffer)
    loaded = joblib.load(buffer)
    np.testing.assert_array_equal(loaded.predict_proba(X), estimator.predict_proba(X))
    fitted(loaded, X, Y)
    fitted(estimator, X, Y)
    assert same_weights(loaded, estimator)
    assert not hasattr(clone(estimator), "coefs_")


def test_one_row_and_one_class():
    one = fitted(gn.MLPClassifier(hidden_layer_sizes=(3,), max_iter=2, random_state=0), X[:1], Y[:1])
    assert one.predict(X[:2]).tolist() == ["setosa", "setosa"]
    regressor = fitted(gn.MLPRegressor(hidden_layer_sizes=(3,), max_iter=2, random_state=0), X[:1], [3.0])
    assert regressor.predict(X[:2]).shape == (2,)
