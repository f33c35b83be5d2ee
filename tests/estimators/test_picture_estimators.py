"""NetworkClassifier and NetworkRegressor on pictures: every form of X, scikit-learn's tools, augmentation."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits, make_multilabel_classification
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import glassnet as gn

DIGITS = load_digits()
GREY = DIGITS.images[:200] / 16  # (m, height, width)
PICTURES = GREY[:, None]  # (m, 1, height, width)
ROWS = GREY.reshape(200, -1)
LABELS = DIGITS.target[:200]
NAMES = np.array([f"digit {k}" for k in range(10)])[LABELS]
TEXT = "1x8x8 → conv 4x3 relu → pool 2 → flatten → 10 softmax"
HIDDEN = [gn.Conv2D(4, 3, "relu"), gn.MaxPool2D(2), gn.Flatten()]
NETWORK = gn.Network((1, 8, 8), *HIDDEN, gn.Dense(10, "softmax"))
CHANGED = gn.Augmentation(shift=1, rotate=5)


def classifier(network=NETWORK, **settings):
    return gn.NetworkClassifier(
        network, **{"epochs": 3, "optimizer": gn.Adam(0.01), "random_state": 0, "engine": "reference", **settings}
    )


@pytest.mark.parametrize("network", [NETWORK, TEXT, TEXT.replace(" →", ","), TEXT[8:], HIDDEN], ids=repr)
@pytest.mark.parametrize("X", [PICTURES, GREY, list(GREY), ROWS], ids=["pictures", "grey", "list", "rows"])
def test_every_form_of_network_and_pictures_is_the_same_training(network, X):
    whole = gn.train(
        NETWORK, PICTURES, LABELS, epochs=3, batch_size=32, optimizer=gn.Adam(0.01), engine="reference", progress=False
    )
    says_shape = network is NETWORK or (isinstance(network, str) and network.startswith("1x8x8"))
    if X is ROWS and not says_shape:
        return  # refused, below
    estimator = classifier(network).fit(X, NAMES)
    assert estimator.run_.network == NETWORK
    for name, value in whole.parameters.items():
        np.testing.assert_array_equal(estimator.run_.parameters[name], value)
    assert estimator.n_features_in_ == 64
    for form in (PICTURES, GREY, ROWS, GREY.astype(np.float32)):
        proba = estimator.predict_proba(form)
        np.testing.assert_allclose(proba, whole.predict(PICTURES), atol=1e-5 if form.dtype == np.float32 else 0)
        np.testing.assert_array_equal(estimator.predict(form), estimator.classes_[proba.argmax(axis=1)])
    assert estimator.run_.data.X.shape == (200, 1, 8, 8)


def test_colour_pictures():
    X = np.random.default_rng(0).normal(size=(30, 3, 6, 5))
    y = X[:, 0].sum(axis=(1, 2)) > 0
    estimator = classifier([gn.Conv2D(2, 3), gn.GlobalAveragePool2D()]).fit(X, y)
    assert str(estimator.run_.network) == "3×6×5 → conv 2x3 linear → global average → 1 sigmoid"
    assert estimator.n_features_in_ == 90
    np.testing.assert_array_equal(estimator.predict_proba(X), estimator.predict_proba(X.reshape(30, 90)))


def test_whole_numbers_are_pictures_too():
    estimator = classifier().fit((GREY * 16).astype(np.uint8), LABELS)
    np.testing.assert_array_equal(estimator.predict_proba(PICTURES * 16), estimator.predict_proba(ROWS * 16))


def test_a_text_for_a_table():
    estimator = classifier("20 tanh, 10 softmax").fit(ROWS, LABELS)
    assert str(estimator.run_.network) == "64 → 20 tanh → 10 softmax"
    regressor = gn.NetworkRegressor("64 → 5 relu → 1 linear", epochs=2, random_state=0).fit(ROWS, LABELS)
    assert str(regressor.run_.network) == "64 → 5 relu → 1 linear"
    two = classifier("5 tanh, 2 softmax").fit(ROWS, LABELS > 4)
    assert two.predict_proba(ROWS).shape == (200, 2)
    np.testing.assert_array_equal(two.predict(ROWS), two.predict_proba(ROWS)[:, 1] > 0.5)


def test_a_number_from_a_picture():
    ink = GREY.sum(axis=(1, 2)) / 20
    network = "1x8x8 → conv 2x8 → flatten → 1"
    estimator = gn.NetworkRegressor(network, epochs=60, optimizer=gn.Adam(0.01), random_state=0, engine="reference")
    assert estimator.fit(GREY, ink).score(ROWS, ink) > 0.9
    assert estimator.predict(PICTURES).shape == (200,)
    both = clone(estimator).set_params(network=[gn.Flatten()], epochs=1).fit(GREY, np.c_[ink, -ink])
    assert str(both.run_.network) == "1×8×8 → flatten → 2 linear"


def test_two_labels_are_not_two_classes():
    X, Y = make_multilabel_classification(40, 5, n_classes=2, random_state=0)
    estimator = classifier(gn.Network(5, gn.Dense(2, "sigmoid"))).fit(X, Y)
    np.testing.assert_array_equal(estimator.predict(X), estimator.predict_proba(X) > 0.5)
    assert estimator.predict(X).shape == (40, 2)


# scikit-learn's tools.


def test_the_digits_are_read_by_rows_and_by_pictures():
    X, y = DIGITS.data / 16, DIGITS.target
    network = "1x8x8 → conv 16x3 relu → pool 2 → flatten → 10 softmax"
    estimator = gn.NetworkClassifier(network, optimizer=gn.Adam(0.01), epochs=15, random_state=0)
    by_rows = cross_val_score(estimator, X, y, cv=3)
    np.testing.assert_array_equal(by_rows, cross_val_score(estimator, X.reshape(-1, 8, 8), y, cv=3))
    linear = cross_val_score(LogisticRegression(max_iter=500), X, y, cv=3)
    assert by_rows.min() > 0.92
    assert by_rows.mean() > linear.mean()


def test_pipelines_and_searches():
    piped = make_pipeline(StandardScaler(), classifier(TEXT, epochs=8)).fit(ROWS, NAMES)
    assert piped.score(ROWS, NAMES) > 0.9
    grid = {"network": [TEXT, NETWORK], "augmentation": [None, CHANGED], "batch_size": [50]}
    search = GridSearchCV(classifier(epochs=1), grid, cv=2).fit(PICTURES, NAMES)
    assert len(search.cv_results_["params"]) == 4
    scores = search.cv_results_["mean_test_score"]
    np.testing.assert_array_equal(scores[[0, 2]], scores[[1, 3]])  # the text is the network
    copied = clone(search.best_estimator_)
    assert copied.get_params() == search.best_estimator_.get_params()
    with pytest.raises(NotFittedError):
        copied.predict(PICTURES)


def test_kept_in_a_file_and_pickled(tmp_path):
    for network in (TEXT, HIDDEN, NETWORK, (gn.Conv2D(2, (3, 2), padding="same", stride=2), *HIDDEN[2:])):
        estimator = classifier(network, augmentation=gn.Augmentation(shift=(1, 2), fill="edge"), warm_start=True)
        estimator.fit(PICTURES, NAMES).save(tmp_path / "model.glassnet", overwrite=True)
        for again in (gn.load(tmp_path / "model.glassnet"), pickle.loads(pickle.dumps(estimator))):
            assert repr(again) == repr(estimator)
            assert again.run_.settings == estimator.run_.settings
            np.testing.assert_array_equal(again.predict_proba(GREY), estimator.predict_proba(GREY))
            for iteration in (3, 11):
                np.testing.assert_array_equal(
                    again.run_.at(iteration).parameters["W1"], estimator.run_.at(iteration).parameters["W1"]
                )
            longer = again.fit(ROWS, NAMES).run_  # the same pictures in another form: the training goes on
            assert len(longer.history) == 6


# Augmentation, warm starts, epochs one by one.


@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_augmented_fits_are_augmented_trainings(engine):
    estimator = classifier(TEXT, augmentation=CHANGED, engine=engine, random_state=4).fit(GREY, LABELS)
    run = gn.train(
        NETWORK, PICTURES, LABELS, epochs=3, batch_size=32, optimizer=gn.Adam(0.01), seed=4, engine=engine,
        augmentation=CHANGED, progress=False,
    )  # fmt: skip
    np.testing.assert_array_equal(estimator.predict_proba(ROWS), run.predict(PICTURES))
    assert estimator.run_.settings.augmentation == CHANGED
    plain = classifier(TEXT, engine=engine, random_state=4).fit(GREY, LABELS)
    assert not np.allclose(plain.predict_proba(ROWS), estimator.predict_proba(ROWS))


def test_warm_starts_and_partial_fits_go_on_in_any_form():
    whole = classifier(HIDDEN, epochs=6, augmentation=CHANGED).fit(PICTURES, LABELS)
    warm = classifier(HIDDEN, warm_start=True, augmentation=CHANGED).fit(PICTURES, LABELS).fit(ROWS, LABELS)
    parts = classifier(HIDDEN, augmentation=CHANGED).partial_fit(GREY, LABELS, classes=np.arange(10))
    for _ in range(5):
        parts.partial_fit(ROWS, LABELS)
    for estimator in (warm, parts):
        np.testing.assert_array_equal(estimator.predict_proba(PICTURES), whole.predict_proba(PICTURES))


def test_held_out_pictures_in_any_form():
    X, held, y, held_y = train_test_split(PICTURES, NAMES, random_state=0)
    curves = []
    for form in (held, held[:, 0], held.reshape(len(held), -1)):
        estimator = classifier().fit(X, y, validation_data=(form, held_y))
        curves.append(estimator.validation_loss_curve_)
    assert curves[0] == curves[1] == curves[2]
    A = estimator.predict_proba(held)
    cost = -np.log(A[np.arange(len(held)), np.searchsorted(estimator.classes_, held_y)]).mean()
    np.testing.assert_allclose(curves[0][-1], cost)
    stopped = classifier(early_stopping=True, epochs=5).fit(X, y)
    assert len(stopped.validation_loss_curve_) == 5


def test_weights_leave_pictures_out():
    weight = (np.arange(200) % 2).astype(float)
    weighted = classifier(batch_size=None).fit(GREY, LABELS, sample_weight=weight)
    fewer = classifier(batch_size=None).fit(GREY[1::2], LABELS[1::2])
    np.testing.assert_allclose(weighted.predict_proba(GREY), fewer.predict_proba(GREY), atol=1e-10)


# What cannot be.


SHAPE_UNKNOWN = (
    "reads pictures, whose shape is not known; pass X as (m, channels, height, width), or the network with its input shape, "
    "e.g. '1x8x8 → conv 8x3 relu → flatten → 10 softmax'."
)


@pytest.mark.parametrize(
    ("network", "X", "sentence"),
    [
        (HIDDEN, ROWS, f"X has rows of 64 numbers, and conv 4x3 relu → pool 2 → flatten {SHAPE_UNKNOWN}"),
        (TEXT[8:], ROWS, f"X has rows of 64 numbers, and '{TEXT[8:]}' {SHAPE_UNKNOWN}"),
        (
            NETWORK,
            ROWS[:, :60],
            "The network 1×8×8 → conv 4x3 relu → pool 2 → flatten → 10 softmax takes pictures of 1×8×8, 64 numbers a row, and "
            "X has 60; give it as many, or begin the network with the shape of the pictures in X.",
        ),
        (
            TEXT,
            np.zeros((200, 3, 8, 8)),
            "X has shape (200, 3, 8, 8); the network 1×8×8 → conv 4x3 relu → pool 2 → flatten → 10 softmax needs images (m, "
            "1, 8, 8), or rows of 64 numbers. It has 3 channels where the network has 1.",
        ),
        (None, PICTURES, "Found array with dim 4, while dim <= 2 is required by NetworkClassifier."),
        (
            HIDDEN,
            np.zeros((200, 1, 1, 8, 8)),
            "X has shape (200, 1, 1, 8, 8); it needs pictures (m, channels, height, width), or (m, height, width) for one "
            "channel.",
        ),
        (
            HIDDEN[:1],
            PICTURES,
            "Dense 2 got 4 maps of 6×6; it needs one row of numbers a sample: put Flatten() or GlobalAveragePool2D() before "
            "it.",
        ),
        (
            "conv 4x3 relu, flaten, 10 softmax",
            PICTURES,
            "Network.parse cannot read 'flaten': 'flaten' is no layer; did you mean 'flatten'?",
        ),
        (
            "1x8x8, flatten, 7 softmax",
            PICTURES,
            "The network 1×8×8 → flatten → 7 softmax has 7 outputs, and y with 10 classes needs 10; change its last layer, or "
            "give its hidden layers alone, e.g. network=[gn.Dense(40, 'tanh')].",
        ),
        (
            5,
            ROWS,
            "network got 5; it needs a Network, its notation, such as 'conv 8x3 relu, flatten, 10 softmax', or a list of "
            "hidden layers.",
        ),
    ],
)
def test_networks_and_pictures_that_do_not_fit(network, X, sentence):
    with pytest.raises(ValueError) as caught:
        classifier(network).fit(X, LABELS)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("X", "sentence"),
    [
        (
            GREY[:, :7],
            "X has shape (200, 7, 8); the network 1×8×8 → conv 4x3 relu → pool 2 → flatten → 10 softmax needs images (m, 1, "
            "8, 8), or rows of 64 numbers.",
        ),
        (ROWS[:, 1:], "X has 63 features, but NetworkClassifier is expecting 64 features as input."),
    ],
)
def test_pictures_unlike_those_fitted(X, sentence):
    estimator = classifier(HIDDEN, epochs=1).fit(PICTURES, LABELS)
    with pytest.raises(ValueError) as caught:
        estimator.predict(X)
    assert str(caught.value) == sentence


def test_augmentation_that_does_not_fit():
    with pytest.raises(gn.GlassnetError) as caught:
        classifier(None, augmentation=CHANGED).fit(ROWS, LABELS)
    assert str(caught.value) == (
        "augmentation got the network 64 → 100 relu → 10 softmax, whose inputs are 64 features and no pictures; give it an "
        "input shape (channels, height, width), or leave augmentation out."
    )
    with pytest.raises(ValueError, match="The 'augmentation' parameter of NetworkClassifier must be an instance of"):
        classifier(augmentation="flip").fit(ROWS, LABELS)
