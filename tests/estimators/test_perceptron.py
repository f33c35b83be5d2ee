"""Perceptron: the threshold rule by hand, what it says of separability, and scikit-learn's own on the same data."""

import pickle

import numpy as np
import pytest
from sklearn import linear_model
from sklearn.datasets import load_iris
from sklearn.preprocessing import StandardScaler

import glassnet as gn
from glassnet.estimators import Perceptron
from glassnet.estimators.perceptron import separable

AND = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 0, 0, 1])
XOR = AND[0], np.array([0, 1, 1, 0])


@pytest.fixture(scope="module")
def iris():
    found = load_iris()
    return StandardScaler().fit_transform(found.data), found.target_names[found.target]


def test_the_first_epoch_of_and_by_hand():
    # In order, from zero: 00, 01 and 10 give 0, which is right; 11 gives 0, a mistake: w += (1, 1), b += 1.
    first = Perceptron(shuffle=False, max_iter=1, tol=None).fit(*AND)
    assert (first.coef_.tolist(), first.intercept_.tolist()) == ([[1, 1]], [1])
    # Then 00 gives 1, a mistake: b = 0. 01 gives 1: w = (1, 0), b = −1. 10 gives 0 (1 − 1 = 0): right. 11 gives 0, since
    # 1 + 0 − 1 = 0: a mistake, w = (2, 1), b = 0.
    second = Perceptron(shuffle=False, max_iter=2, tol=None).fit(*AND)
    assert (second.coef_.tolist(), second.intercept_.tolist()) == ([[2, 1]], [0])


def test_and_is_learnt_and_said_to_be_separable():
    fitted = Perceptron(shuffle=False, tol=None).fit(*AND)
    assert fitted.predict(AND[0]).tolist() == AND[1].tolist()
    assert fitted.separable_ is True
    assert fitted.message_ == (
        f"The classes can be separated: after {fitted.n_iter_} epochs one passed without a mistake."
    )
    assert fitted.n_iter_ < 20
    assert fitted.run_.status == "converged"
    assert fitted.run_.message == f"Epoch {fitted.n_iter_} passed without a mistake."
    assert fitted.t_ == 4 * fitted.n_iter_


def test_xor_is_not_separable_and_that_is_said():
    fitted = Perceptron(max_iter=30, tol=None).fit(*XOR)
    assert fitted.separable_ is False
    assert fitted.message_ == (
        "No hyperplane separates the two classes, so the rule never comes to rest: the weights are those after 30 "
        "epochs. LogisticRegression weighs such data."
    )


def test_not_known_when_nobody_may_decide():
    fitted = Perceptron(max_iter=3, tol=None, check_separable=False).fit(*XOR)
    assert fitted.separable_ is None
    assert fitted.message_ == (
        "None of 3 epochs passed without a mistake; whether the classes can be separated is not known. "
        "check_separable=True decides it."
    )


def test_separable_but_stopped_too_soon():
    fitted = Perceptron(shuffle=False, max_iter=2, tol=None).fit(*AND)
    assert fitted.separable_ is True
    assert fitted.message_ == (
        "The classes can be separated, but none of 2 epochs passed without a mistake; raise max_iter, or set tol=None, "
        "to find the hyperplane."
    )


def test_the_classes_that_cannot_be_separated_are_named(iris):
    fitted = Perceptron().fit(*iris)
    assert fitted.separable_ is False
    assert fitted.message_.startswith("No hyperplane separates 'versicolor', 'virginica' from the rest, so ")
    setosa = Perceptron().fit(iris[0], iris[1] == "setosa")
    assert setosa.separable_ is True
    assert setosa.classes_.tolist() == [False, True]
    assert setosa.score(iris[0], iris[1] == "setosa") == 1


@pytest.mark.parametrize(("intercept", "known"), [(True, True), (False, False)])
def test_the_linear_programme_by_hand(intercept, known):
    # 1 and 2 against 3 and 4: a threshold at 2.5 separates them, and one at 0 does not.
    X, side = np.array([[1.0], [2], [3], [4]]), np.array([False, False, True, True])
    assert separable(X, side, intercept) is known
    assert separable(X * [1e6], side, intercept) is known


def test_touching_classes_are_not_separable():
    assert separable(np.array([[1.0], [1.0]]), np.array([True, False])) is False


@pytest.mark.parametrize("seed", range(5))
def test_the_linear_programme_agrees_with_the_rule(seed):
    # Novikoff: on separable data the rule comes to rest.
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(30, 3))
    z = X @ [1.0, -2, 0.5] + 0.3
    X, z = X[np.abs(z) > 0.3], z[np.abs(z) > 0.3]
    assert separable(X, z > 0) is True
    assert Perceptron(tol=None).fit(X, z > 0).separable_ is True
    z[0] = -z[0]
    assert separable(np.vstack([X, X[:1]]), np.r_[z > 0, z[0] < 0]) is False


def test_predictions_do_not_depend_on_eta(iris):
    one, other = Perceptron(max_iter=5, tol=None).fit(*iris), Perceptron(max_iter=5, tol=None, eta0=0.25).fit(*iris)
    np.testing.assert_allclose(one.coef_ * 0.25, other.coef_, rtol=1e-12)
    assert (one.predict(iris[0]) == other.predict(iris[0])).all()


def test_the_same_steps_as_scikit_learn_in_the_order_of_the_rows(iris):
    # scikit-learn's classifier makes the same updates when z > 0 and z < 0; at z = 0 it also counts a right negative as a
    # mistake, which only the start from zero meets: so both begin elsewhere.
    X, y = iris[0], iris[1] != "setosa"
    y[70] = False
    start = np.array([[0.3, -0.2, 0.1, 0.45]])
    mine = Perceptron(shuffle=False, max_iter=3, tol=None).fit(X, y, coef_init=start, intercept_init=0.2)
    theirs = linear_model.Perceptron(shuffle=False, max_iter=3, tol=None).fit(
        X, y, coef_init=start, intercept_init=np.array([0.2])
    )
    np.testing.assert_allclose(mine.coef_, theirs.coef_, rtol=1e-12)
    np.testing.assert_allclose(mine.intercept_, theirs.intercept_, rtol=1e-12)
    assert mine.t_ == theirs.t_ - 1


def test_weights_make_a_mistake_count_more():
    # One step from zero on a row of weight 3: w = 3 x, b = 3.
    fitted = Perceptron(shuffle=False, max_iter=1, tol=None).fit(
        [[1.0, 2], [0, 0], [9, 9]], [1, 0, 0], sample_weight=[3, 0.5, 0]
    )
    assert fitted.coef_.tolist() == [[3, 6]]
    assert fitted.intercept_.tolist() == [2.5]  # the second row gave 3 > 0, a mistake of weight 0.5
    assert fitted.run_.network == gn.Network(3, gn.Dense(1, "step", init="zeros", bias=False))


def test_class_weights_are_sample_weights(iris):
    X, y = iris[0], iris[1] == "virginica"
    by_class = Perceptron(class_weight={True: 2.0, False: 0.5}, max_iter=4, tol=None).fit(X, y)
    by_row = Perceptron(max_iter=4, tol=None).fit(X, y, sample_weight=np.where(y, 2.0, 0.5))
    np.testing.assert_array_equal(by_class.coef_, by_row.coef_)


def test_the_cost_that_stalls_ends_it(iris):
    fitted = Perceptron(tol=1e-3, n_iter_no_change=5).fit(iris[0], iris[1] == "versicolor")
    assert fitted.n_iter_ < 100


@pytest.mark.parametrize("classes", [2, 3])
def test_partial_fit_passes_are_epochs(iris, classes):
    X, y = iris
    if classes == 2:
        y = y == "virginica"
    whole = Perceptron(shuffle=False, max_iter=4, tol=None).fit(X, y)
    parts = Perceptron(shuffle=False)
    for _ in range(4):
        parts.partial_fit(X, y, classes=np.unique(y))
    np.testing.assert_array_equal(parts.coef_, whole.coef_)
    assert (parts.n_iter_, parts.t_) == (4, whole.t_)
    assert parts.separable_ is None
    assert parts.message_ == "partial_fit sees rows once, so whether all of them can be separated is not known."


def test_warm_start_goes_on(iris):
    X, y = iris
    warm = Perceptron(shuffle=False, max_iter=2, tol=None, warm_start=True).fit(X, y).fit(X, y)
    np.testing.assert_array_equal(warm.coef_, Perceptron(shuffle=False, max_iter=4, tol=None).fit(X, y).coef_)


def test_batches_of_all_rows_use_fewer_steps(iris):
    fitted = Perceptron(batch_size=None, tol=None).fit(iris[0], iris[1] == "setosa")
    assert fitted.separable_ is True
    assert fitted.t_ == fitted.n_iter_


def test_one_seed_is_one_result(iris):
    one, same, other = (Perceptron(random_state=s, max_iter=3).fit(*iris).coef_ for s in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_pickled_it_stays_the_same(iris):
    fitted = Perceptron(max_iter=5).fit(*iris)
    again = pickle.loads(pickle.dumps(fitted))
    assert (again.predict(iris[0]) == fitted.predict(iris[0])).all()
    assert again.message_ == fitted.message_
    np.testing.assert_array_equal(again.run_.at(7).parameters["W1"], fitted.run_.at(7).parameters["W1"])


def test_what_cannot_be_done_is_refused():
    with pytest.raises(gn.GlassnetError) as caught:
        Perceptron().fit([[1.0], [2]], ["a", "a"])
    assert (
        str(caught.value)
        == "Perceptron got y with one class ('a') among the rows that count; it needs at least 2 classes."
    )
    with pytest.raises(gn.GlassnetError) as caught:
        Perceptron().partial_fit([[1.0], [2]], ["a", "c"], classes=["a", "b"])
    assert str(caught.value) == (
        "partial_fit got the label 'c', which is not among the classes of the first call: 'a', 'b'. Name all of them there."
    )
    with pytest.raises(
        gn.GlassnetError, match=r"^partial_fit got class_weight='balanced', which needs all of y; pass "
    ):
        Perceptron(class_weight="balanced").partial_fit([[1.0], [2]], ["a", "b"], classes=["a", "b"])
