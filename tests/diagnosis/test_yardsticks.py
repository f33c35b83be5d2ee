"""What a training is compared with: guessing, a linear model, a small healthy network."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

import glassnet as gn
from glassnet.diagnosis.case import Case, class_numbers
from glassnet.diagnosis.changes import Change, Standardise
from glassnet.diagnosis.yardsticks import (
    guessing,
    healthy_recipe,
    held_apart,
    small_pictures,
    tells_apart,
    with_held_out,
    yardsticks,
)


def rings(rows=300, seed=0):
    """Two classes that no line divides: inside and outside a circle."""
    X = np.random.default_rng(seed).normal(size=(rows, 2))
    return X, ((X**2).sum(axis=1) > 1.4).astype(float)


def ring_case(**settings):
    X, Y = rings()
    held = rings(200, 1)
    network = settings.pop("network", gn.Network(2, gn.Dense(8, "tanh"), gn.Dense(1, "sigmoid")))
    return Case.asked(network, X, Y, validation=held, **{"epochs": 20, "batch_size": 32, **settings})


def test_guessing_is_the_most_frequent_class_of_training_on_the_judged_rows():
    Y, judged = np.array([[1.0], [1], [0]]), np.array([[1.0], [0], [0], [0]])
    assert guessing("accuracy", Y, judged) == 0.25  # always 1: one of four


def test_guessing_a_number_is_the_training_mean():
    Y, judged = np.array([[0.0], [2.0]]), np.array([[0.0], [4.0]])
    # mean 1: errors 1 and 9; around their own mean 2 the judged rows have 4 and 4
    assert guessing("r2", Y, judged) == pytest.approx(1 - 10 / 8)


def test_the_linear_model_is_scikit_learns_and_the_small_network_does_better_on_a_ring():
    case = ring_case()
    sticks = yardsticks(case)
    X, H = case.samples.X, case.held_samples.X
    mean, deviation = X.mean(axis=0), X.std(axis=0)
    model = LogisticRegression(C=1e4 / len(X)).fit((X - mean) / deviation, case.samples.Y[:, 0])
    theirs = model.score((H - mean) / deviation, case.held_samples.Y[:, 0])
    assert sticks.linear == pytest.approx(theirs, abs=0.011)  # two of 200 rows may lie on the line
    assert sticks.small > 0.9 > sticks.linear
    assert sticks.rows == "held-out"
    assert sticks.count == 200
    assert sticks.needed == pytest.approx(sticks.small - 0.05)


def test_chance_is_two_standard_errors_above_guessing():
    sticks = yardsticks(ring_case())
    share = sticks.guess
    assert sticks.chance == pytest.approx(share + 2 * np.sqrt(share * (1 - share) / 200))


def test_a_training_that_reaches_the_small_network_learns_and_one_that_guesses_does_not():
    sticks = yardsticks(ring_case())
    assert sticks.verdict(sticks.small).learns is True
    assert sticks.verdict(sticks.guess).learns is False
    assert sticks.verdict(None).learns is None


def test_without_anything_to_learn_there_is_no_signal():
    rng = np.random.default_rng(3)
    case = Case.asked(
        gn.Network(2, gn.Dense(1, "sigmoid")), rng.normal(size=(200, 2)), rng.integers(0, 2, 200).astype(float),
        validation=(rng.normal(size=(200, 2)), rng.integers(0, 2, 200).astype(float)),
    )  # fmt: skip
    sticks = yardsticks(case)
    assert not sticks.signal
    assert sticks.needed == sticks.chance


def test_the_small_network_sees_raw_features_standardised():
    X, Y = rings()
    raw = Case.asked(
        gn.Network(2, gn.Dense(1, "sigmoid")),
        X * 1e4 + 3e5,
        Y,
        validation=(rings(200, 1)[0] * 1e4 + 3e5, rings(200, 1)[1]),
    )
    assert yardsticks(raw).small == pytest.approx(yardsticks(ring_case()).small, abs=0.02)


def crosses(rows, seed):
    """Pictures 10 × 10 of a plus or a cross somewhere: what a dense network finds hard and a convolutional one easy."""
    rng = np.random.default_rng(seed)
    X, Y = rng.normal(0, 0.25, (rows, 1, 10, 10)), rng.integers(0, 2, rows)
    plus = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]])
    for row, (down, across) in enumerate(rng.integers(0, 8, (rows, 2))):
        X[row, 0, down : down + 3, across : across + 3] += plus if Y[row] else 1 - plus
    return X, Y


def test_beside_a_convolutional_network_the_small_one_is_convolutional():
    X, Y = crosses(600, 0)
    convolving = gn.Network((1, 10, 10), gn.Conv2D(4, 3, "relu"), gn.Flatten(), gn.Dense(2, "softmax"))
    dense = gn.Network((1, 10, 10), gn.Flatten(), gn.Dense(16, "relu"), gn.Dense(2, "softmax"))
    sticks = {net: yardsticks(Case.asked(net, X, Y, validation=crosses(300, 1))) for net in (convolving, dense)}
    said = "1×10×10 → conv 16x3 relu → pool 2 drop leftover → flatten → 2 softmax"
    assert str(sticks[convolving].recipe.network) == said
    assert str(sticks[dense].recipe.network) == "1×10×10 → flatten → 32 relu → 32 relu → 2 softmax"
    assert sticks[convolving].small > sticks[dense].small + 0.1
    model = MLPClassifier((32, 32), alpha=0.0, max_iter=400, random_state=0).fit(X.reshape(600, -1), Y)
    held, labels = crosses(300, 1)
    assert sticks[dense].small == pytest.approx(model.score(held.reshape(300, -1), labels), abs=0.06)


def test_pictures_too_many_or_too_small_for_a_moment_have_a_dense_yardstick():
    conv = gn.Network((3, 32, 32), gn.Conv2D(4, 3, "relu"), gn.Flatten(), gn.Dense(2, "softmax"))
    rng = np.random.default_rng(0)
    many = Case.asked(conv, rng.normal(size=(6000, 3, 32, 32)), rng.integers(0, 2, 6000))
    few = Case.asked(conv, many.X[:500], many.Y[:500])
    # 2 · 16 (9 · 3 · 30 · 30 + 15 · 15 · 2) products a picture, eight times 6,000 of them: 3.8e10
    assert small_pictures((3, 32, 32), 2, "softmax")[1] == 2 * 16 * (27 * 900 + 450)
    assert "conv" not in str(healthy_recipe(many).network)
    assert "conv 16x3" in str(healthy_recipe(few).network)
    assert small_pictures((1, 5, 8), 2, "softmax") is None


def test_a_rare_class_is_told_apart_by_probabilities_before_decisions():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(800, 1))
    Y = (rng.random(800) < 0.04 + 0.3 * (X[:, 0] > 1)).astype(float)
    case = Case.asked(gn.Network(1, gn.Dense(1, "sigmoid")), X, Y, optimizer=gn.Adam(0.05), epochs=60, batch_size=32)
    run = case.train()
    assert tells_apart(case, run)
    assert not tells_apart(case, case.train(epochs=0))


def test_held_out_rows_keep_the_classes_shares():
    case = Case.asked(gn.Network(2, gn.Dense(1, "sigmoid")), *rings())
    divided = with_held_out(case)
    assert len(divided.X) + len(divided.held[0]) == 300
    assert len(divided.held[0]) == 75
    assert divided.held[1].mean() == pytest.approx(np.asarray(case.Y).mean(), abs=0.02)
    assert with_held_out(ring_case()).held is not None
    small = held_apart(case, 0.5)
    assert len(small.X) == 150


def test_a_case_of_a_run_is_the_training_again():
    X, Y = rings()
    net = gn.Network(2, gn.Dense(8, "tanh"), gn.Dense(1, "sigmoid"))
    start = {"W1": np.full((2, 8), 0.1) * np.arange(8)}
    run = gn.train(net, X, Y, epochs=5, batch_size=50, l2=1e-3, seed=4, initial_parameters=start, optimizer=gn.SGD(0.3),
                   validation=0.25, progress=False)  # fmt: skip
    again = Case.of_run(run).train(engine="reference")
    for name in run.parameters:
        np.testing.assert_array_equal(again.parameters[name], run.parameters[name])


def test_a_change_of_data_is_learnt_from_training_rows_only():
    case = ring_case().changed(Change("standardise", {}, (Standardise(),)))
    X, H = rings()[0], rings(200, 1)[0]
    np.testing.assert_allclose(case.X, (X - X.mean(axis=0)) / X.std(axis=0))
    np.testing.assert_allclose(case.held[0], (H - X.mean(axis=0)) / X.std(axis=0))


@pytest.mark.parametrize(
    ("Y", "numbers"),
    [
        ([0, 1, 1], [0, 1, 1]),
        ([-1, 1, 1], [0, 1, 1]),
        ([[0, 1], [1, 0]], [1, 0]),
        ([[1, 1], [1, 0]], None),
        ([0.5, 1.0, 2.25], None),
        ([1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3], [0, 1, 2] * 5),
    ],
)
def test_class_numbers(Y, numbers):
    found = class_numbers(np.array(Y, dtype=float))
    assert (None if found is None else found.tolist()) == numbers
