"""NetworkClassifier and NetworkRegressor: any network as an estimator."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.datasets import load_iris, make_multilabel_classification, make_regression
from sklearn.utils.estimator_checks import parametrize_with_checks

import glassnet as gn

X, LABELS = load_iris(return_X_y=True)
X = (X - X.mean(axis=0)) / X.std(axis=0)
Y = np.array(["setosa", "versicolor", "virginica"])[LABELS]
NUMBERS, TARGET = make_regression(90, 4, random_state=0, noise=2)
TARGET = TARGET / TARGET.std()
HIDDEN = [gn.Dense(6, "tanh")]


@parametrize_with_checks([gn.NetworkClassifier(), gn.NetworkRegressor()])
def test_scikit_learns_checks(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the checks' own data do not always converge
        check(estimator)


def test_a_fit_is_a_training():
    net = gn.Network(4, gn.Dense(6, "tanh"), gn.Dense(3, "softmax"))
    estimator = gn.NetworkClassifier(net, optimizer=gn.Adam(0.02), epochs=12, batch_size=16, l2=0.01, random_state=5)
    estimator.fit(X, Y)
    run = gn.train(
        net, X, np.eye(3)[LABELS], optimizer=gn.Adam(0.02), epochs=12, batch_size=16, l2=0.01, seed=5, progress=False
    )
    for name, value in run.parameters.items():
        np.testing.assert_array_equal(estimator.run_.parameters[name], value)
    np.testing.assert_array_equal(estimator.predict_proba(X), run.predict(X))
    np.testing.assert_array_equal(estimator.predict(X), estimator.classes_[run.predict(X).argmax(axis=1)])
    np.testing.assert_allclose(estimator.loss_curve_, run.history["cost"] + run.history["penalty"])


@pytest.mark.parametrize("units", [1, 2])
def test_two_classes_by_one_sigmoid_or_two_softmax_outputs(units):
    net = gn.Network(4, gn.Dense(units, "sigmoid" if units == 1 else "softmax"))
    estimator = gn.NetworkClassifier(net, optimizer=gn.LBFGS(), epochs=200, l2=0.01).fit(X[50:], Y[50:])
    assert estimator.score(X[50:], Y[50:]) > 0.9
    proba = estimator.predict_proba(X[50:])
    assert proba.shape == (100, 2)
    np.testing.assert_array_equal(estimator.classes_[proba.argmax(axis=1)], estimator.predict(X[50:]))


def test_layers_alone_get_inputs_and_outputs():
    assert str(gn.NetworkClassifier(HIDDEN, epochs=1).fit(X, Y).run_.network) == "4 → 6 tanh → 3 softmax"
    assert (
        str(gn.NetworkClassifier(gn.Dense(2), epochs=1).fit(X[50:], Y[50:]).run_.network) == "4 → 2 linear → 1 sigmoid"
    )
    several, labels = make_multilabel_classification(40, 5, n_classes=3, random_state=0)
    estimator = gn.NetworkClassifier(HIDDEN, epochs=3).fit(several, labels)
    assert str(estimator.run_.network) == "5 → 6 tanh → 3 sigmoid"
    assert estimator.predict(several).shape == (40, 3)
    both = gn.NetworkRegressor(HIDDEN, epochs=2).fit(NUMBERS, np.c_[TARGET, -TARGET])
    assert str(both.run_.network) == "4 → 6 tanh → 2 linear"
    assert both.predict(NUMBERS).shape == (90, 2)
    counts = gn.NetworkRegressor(HIDDEN, loss="poisson", epochs=2).fit(NUMBERS, np.round(np.exp(TARGET)))
    assert str(counts.run_.network) == "4 → 6 tanh → 1 exp"
    assert counts.predict(NUMBERS).min() > 0


@pytest.mark.parametrize(
    ("network", "sentence"),
    [
        (
            gn.Network(2, gn.Dense(3, "softmax")),
            "The network 2 → 3 softmax takes 2 features and X has 4; give it as many, or give its hidden layers alone, "
            "e.g. network=[gn.Dense(40, 'tanh')].",
        ),
        (
            gn.Network(4, gn.Dense(2, "softmax")),
            "The network 4 → 2 softmax has 2 outputs, and y with 3 classes needs 3; change its last layer, or give its "
            "hidden layers alone, e.g. network=[gn.Dense(40, 'tanh')].",
        ),
        (
            [3],
            "Network got 3 as a layer; it needs Dense, Conv2D, MaxPool2D, AveragePool2D, GlobalAveragePool2D, Flatten, "
            "Activation, Dropout, BatchNorm after the shape of the inputs.",
        ),
    ],
)
def test_networks_that_do_not_fit(network, sentence):
    with pytest.raises(gn.GlassnetError) as caught:
        gn.NetworkClassifier(network).fit(X, Y)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    "settings",
    [
        {"optimizer": gn.Adam(0.01)},
        {"optimizer": gn.SGD(gn.CosineDecay(0.1, 10), momentum=0.9)},
        {"network": [gn.Dense(6), gn.BatchNorm(), gn.Activation("relu"), gn.Dropout(0.2)]},
        {"batch_size": None},
    ],
    ids=str,
)
def test_ten_epochs_five_and_five_or_ten_times_one(settings):
    shared = {"network": HIDDEN, "random_state": 2, **settings}
    whole = gn.NetworkClassifier(**shared, epochs=10).fit(X, Y)
    halves = gn.NetworkClassifier(**shared, epochs=5, warm_start=True).fit(X, Y).fit(X, Y)
    ones = gn.NetworkClassifier(**shared)
    for _ in range(10):
        ones.partial_fit(X, Y, classes=np.unique(Y))
    for name, value in whole.run_.parameters.items():
        np.testing.assert_array_equal(halves.run_.parameters[name], value)
        np.testing.assert_array_equal(ones.run_.parameters[name], value)
    assert (whole.n_iter_, halves.n_iter_, ones.n_iter_) == (10, 5, 1)


def test_streaming_keeps_adams_memory():
    # the same rows as another array of other rows: two halves, then the moments must have been carried on
    estimator = gn.NetworkRegressor([], optimizer=gn.Adam(0.1), batch_size=None, random_state=0)
    estimator.partial_fit(NUMBERS[:45], TARGET[:45]).partial_fit(NUMBERS[45:], TARGET[45:])
    assert estimator.run_.settings.optimizer.updates_before == 1
    first = gn.train(
        gn.Network(4, gn.Dense(1)), NUMBERS[:45], TARGET[:45], optimizer=gn.Adam(0.1), epochs=1, progress=False
    )
    second = gn.train(
        gn.Network(4, gn.Dense(1)), NUMBERS[45:], TARGET[45:], optimizer=gn.Adam(0.1, updates_before=1), epochs=1,
        initial_parameters=first.state, progress=False,
    )  # fmt: skip
    np.testing.assert_allclose(estimator.run_.parameters["W1"], second.parameters["W1"], rtol=1e-14)


def test_a_changed_network_cannot_go_on():
    estimator = gn.NetworkClassifier(HIDDEN, epochs=2, warm_start=True).fit(X, Y)
    with pytest.raises(gn.GlassnetError) as caught:
        estimator.set_params(network=[gn.Dense(5)]).fit(X, Y)
    assert str(caught.value) == (
        "The last fit trained the network 4 → 6 tanh → 3 softmax, and now it is 4 → 5 linear → 3 softmax, so its weights "
        "cannot be gone on from; set warm_start=False to start anew."
    )


def test_early_stopping_and_validation_data():
    train, held = np.arange(0, 150, 2), np.arange(1, 150, 2)
    settings = {"network": HIDDEN, "optimizer": gn.Adam(0.05), "epochs": 300, "random_state": 1}
    split = gn.NetworkClassifier(**settings, early_stopping=gn.EarlyStopping(patience=5)).fit(X, Y)
    assert split.n_iter_ < 300
    assert len(split.run_.data) == 135
    given = gn.NetworkClassifier(**settings, early_stopping=True)
    given.fit(X[train], Y[train], validation_data=(X[held], Y[held]))
    assert len(given.run_.data) == 75
    assert given.n_iter_ == len(given.validation_loss_curve_) < 300
    assert given.run_.history["validation_accuracy"].max() > 0.9


def test_class_weight_sample_weight_and_sparse_inputs():
    weights = {"setosa": 1.0, "versicolor": 4.0, "virginica": 2.0}
    shared = {"network": HIDDEN, "epochs": 4, "random_state": 0}
    one = gn.NetworkClassifier(**shared, class_weight=weights).fit(X, Y)
    other = gn.NetworkClassifier(**shared).fit(csr_matrix(X), Y, sample_weight=[weights[y] for y in Y])
    np.testing.assert_allclose(one.predict_proba(X), other.predict_proba(csr_matrix(X)), rtol=1e-10)


def test_outputs_that_are_no_probabilities():
    estimator = gn.NetworkClassifier(HIDDEN, loss="hinge", epochs=30, optimizer=gn.Adam(0.02), random_state=0).fit(X, Y)
    assert estimator.score(X, Y) > 0.8
    with pytest.raises(AttributeError) as caught:
        estimator.predict_proba(X)
    assert str(caught.value) == (
        "predict_proba is not available: the output activation 'linear' gives no probabilities."
    )
