"""Checks of the features: each fault planted, and its healthy twin silent."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from planted_data import clouds, found, loud, of, rings, slope, value
from sklearn import datasets

from glassnet.diagnosis.changes import Standardise
from glassnet.diagnosis.data_checks import (
    check_constant,
    check_data,
    check_double_scaling,
    check_duplicate_features,
    check_ids,
    check_leak,
    check_mixed_scales,
    check_scale,
    ids,
)
from glassnet.diagnosis.seen import Seen


def with_column(part, column):
    return np.column_stack([part[0], column]), part[1]


@pytest.mark.parametrize("make", [rings, clouds, slope])
@pytest.mark.parametrize("held", [True, False])
def test_healthy_data_are_free_of_alarms(make, held):
    assert loud(check_data(of(*make(), make(120, seed=1) if held else None))) == []


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "digits"])
def test_standardised_real_data_are_free_of_alarms(name):
    X, label = getattr(datasets, f"load_{name}")(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(X))
    X, label = X[order], label[order]
    X = X / 16 if name == "digits" else (X - X.mean(axis=0)) / X.std(axis=0)
    Y = np.eye(label.max() + 1)[label]
    cut = len(X) * 3 // 4
    assert loud(check_data(of(X[:cut], Y[:cut], (X[cut:], Y[cut:])))) == []


def test_the_diabetes_data_are_free_of_alarms():
    X, y = datasets.load_diabetes(return_X_y=True)
    Y = ((y - y.mean()) / y.std())[:, None]
    assert loud(check_data(of(X[:330], Y[:330], (X[330:], Y[330:])))) == []


@pytest.mark.parametrize("rows", [2, 4, 8])
def test_a_handful_of_rows_is_no_alarm(rows):
    X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]] * 2, float)[:rows]
    assert loud(check_data(of(X, (X.sum(axis=1, keepdims=True) == 1).astype(float)))) == []


def test_several_yes_or_no_targets_and_bits():
    bits = np.array([[(i >> b) & 1 for b in range(8)] for i in range(256)], float)
    assert loud(check_data(of(bits, bits, loss="mean_squared_error"))) == []


def test_large_features_are_measured_and_the_cure_brings_them_to_one():
    X, Y = rings()
    case = of(100 * X, Y)
    finding = found(check_scale(case), "data.unscaled_features")
    size = np.sqrt(((100 * X) ** 2).mean(axis=0)).max()
    assert value(finding, "largest root mean square of a feature") == pytest.approx(size)
    assert finding.confidence >= 0.6
    assert value(found(check_scale(of(1e4 * X, Y)), "data.unscaled_features"), "largest deviation") > 1e3
    cured = case.changed(finding.cures[0])
    assert finding.cures[0].data == (Standardise(),)
    np.testing.assert_allclose(cured.X.std(axis=0), 1)
    assert check_scale(cured) == []
    assert check_scale(of(X, Y)) == []


def test_an_offset_far_above_the_spread():
    X, Y = rings()
    finding = found(check_scale(of(X + 1000, Y)), "data.unscaled_features")
    ratio = np.abs((X + 1000).mean(axis=0) / X.std(axis=0)).max()
    assert value(finding, "largest |mean| / deviation") == pytest.approx(ratio)
    assert finding.confidence >= 0.6


def test_raw_pixels_and_pixels_from_0_to_1():
    draws = np.random.default_rng(0)
    shape = draws.random((2, 1, 8, 8)) < 0.3
    label = draws.integers(0, 2, 120)
    pixels = shape[label] * draws.integers(150, 256, (120, 1, 8, 8))
    Y = label[:, None].astype(float)
    assert found(check_scale(of(pixels, Y)), "data.unscaled_features").confidence >= 0.8
    assert found(check_scale(of(pixels.reshape(120, 64), Y)), "data.unscaled_features").confidence >= 0.8
    assert loud(check_data(of(pixels / 255, Y))) == []
    assert loud(check_data(of(pixels.reshape(120, 64) / 255, Y))) == []


def test_one_large_column_is_said_as_scales_that_differ():
    X, Y = rings()
    X[:, 1] *= 1e4
    findings = check_data(of(X, Y))
    assert findings[0].kind == "data.mixed_scales"
    ratio = X.std(axis=0)[1] / X.std(axis=0)[0]
    reach = np.ptp(X, axis=0)[1] / np.ptp(X, axis=0)[0]
    assert value(findings[0], "largest spread / smallest") == pytest.approx(min(ratio, reach))
    assert findings[0].where.features == (0, 1)
    assert check_mixed_scales(of(*rings())) == []


def test_features_that_are_far_too_small():
    X, Y = rings()
    findings = check_data(of(X / 1000, Y))
    assert findings[0].kind == "data.double_scaling"
    assert value(findings[0], "largest deviation of a feature") == pytest.approx(X.std(axis=0).max() / 1000)
    assert check_double_scaling(of(X, Y)) == []
    assert check_double_scaling(of(X * 0.05, Y)) == []  # small, and still told apart


def test_constant_features():
    X, Y = rings()
    one = found(check_constant(of(*with_column((X, Y), np.full(300, 3.0)))), "data.constant_feature")
    assert (one.where.features, one.confidence <= 0.2) == ((2,), True)
    case = of(*with_column((X, Y), np.full(300, 3.0))).changed(one.cures[0])
    assert case.network.input_shape == (2,)
    np.testing.assert_array_equal(case.X, X)
    findings = check_data(of(np.ones((300, 2)), Y, (np.ones((50, 2)), Y[:50])))
    assert [f.kind for f in findings] == ["data.constant_feature"]
    assert findings[0].confidence > 0.9
    assert check_constant(of(X, Y)) == []


def test_a_feature_that_repeats_another():
    X, Y = slope()
    finding = found(check_duplicate_features(of(*with_column((X, Y), 2 - 3 * X[:, 1]))), "data.duplicate_feature")
    assert finding.where.features == (1, 3)
    assert finding.confidence <= 0.2
    assert check_duplicate_features(of(*with_column((X, Y), X[:, 1] + 1e-3 * X[:, 0]))) == []


@pytest.mark.parametrize("change", [lambda i: i, lambda i: (i - i.mean()) / i.std(), lambda i: 7.0 - i / 1000])
def test_row_numbers_scaled_or_not(change):
    number = change(np.arange(420.0))
    findings = check_data(of(*with_column(rings(), number[:300]), with_column(rings(120, seed=1), number[300:])))
    assert findings[0].kind == "data.id_like_feature"
    assert findings[0].where.features == (2,)
    assert value(findings[0], "share of held-out values outside the training range") == 1.0


def test_row_numbers_in_another_order():
    number = np.random.default_rng(3).permutation(420)
    findings = check_data(of(*with_column(rings(), number[:300]), with_column(rings(120, seed=1), number[300:])))
    assert found(findings, "data.id_like_feature").confidence >= 0.4


def test_an_even_grid_of_one_feature_numbers_no_rows():
    x = np.arange(0, 5, 0.1)[:, None]
    case = of(x, np.sin(x))
    assert ids(Seen(case)) == ()
    assert check_ids(case) == []
    assert check_ids(of(np.column_stack([np.arange(100.0), np.ones(100)]), np.arange(100.0)[:, None] / 50)) == []
    assert check_ids(of(*rings())) == []


def test_a_feature_that_gives_the_target_away_only_in_training():
    part, held = rings(), rings(120, seed=1)
    guess = np.random.default_rng(0).permutation(held[1][:, 0])
    case = of(*with_column(part, part[1]), with_column(held, guess))
    finding = found(check_leak(case), "data.leaking_feature")
    assert finding.where.features == (2,)
    assert finding.confidence >= 0.8
    assert value(finding, "skill of the feature alone, training rows") == 1.0
    # By hand: the bins answer with the column itself, and guessing with the class that is more frequent in training. Each
    # held-out row counts as its class does in training.
    truth = held[1][:, 0]
    share = np.array([1 - part[1].mean(), part[1].mean()])
    weight = (share / np.array([1 - truth.mean(), truth.mean()]))[truth.astype(int)]
    wrong, base = weight @ (guess != truth), weight @ (truth != share.argmax())
    assert value(finding, "the same, held-out rows") == pytest.approx(1 - wrong / base)
    cured = case.changed(finding.cures[0])
    assert cured.held is not None
    assert (cured.X.shape, cured.held[0].shape, cured.network.input_shape) == ((300, 2), (120, 2), (2,))


def test_a_feature_that_truly_decides_is_no_leak():
    draws = np.random.default_rng(0)
    X = draws.standard_normal((300, 3))
    Y = (X[:, :1] > 0.2).astype(float)
    assert loud(check_leak(of(X[:200], Y[:200], (X[200:], Y[200:])))) == []
    assert check_leak(of(*rings(), rings(120, seed=1))) == []


def test_a_column_of_the_target_among_many_that_say_nothing_is_suspicious():
    draws = np.random.default_rng(0)
    X, Y = draws.standard_normal((569, 31)), (draws.random((569, 1)) < 0.37).astype(float)
    X[:, 7] = Y[:, 0] + 0.05 * draws.standard_normal(569)
    rows = of(X[:400], Y[:400], (X[400:], Y[400:]))
    (finding,) = check_leak(replace(rows, features=tuple(f"p{i}" for i in range(31))))
    assert (finding.confidence, finding.where.features) == (0.3, (7,))
    assert value(finding, "the same, held-out rows") > 0.9
    assert value(finding, "the same of all other features together") < 0.2
    assert finding.sentence.startswith("p7 alone gives the training target away")
    assert finding.cures[0].said == "leave out p7"
    (finding,) = check_leak(of(X[:400], Y[:400]))
    assert finding.confidence == 0.3
    assert finding.sentence.startswith("Feature 7 alone")
    # Where others say it too, one that does is nothing strange.
    X[:, 8:20] = Y + 0.5 * draws.standard_normal((569, 12))
    assert all(f.confidence < 0.3 for f in check_leak(of(X[:400], Y[:400], (X[400:], Y[400:]))))


def test_a_rare_class_is_too_few_rows_to_tell_a_leak():
    draws = np.random.default_rng(0)
    Y = (np.arange(138) >= 131).astype(float)[:, None]
    X = draws.standard_normal((138, 6))
    X[:, 2] += 6 * Y[:, 0]
    H, V = draws.standard_normal((35, 6)), (np.arange(35) >= 33).astype(float)[:, None]
    assert all(f.confidence <= 0.3 for f in check_leak(of(X, Y, (H, V))))


def test_a_leak_of_numbers():
    (X, Y), (H, V) = slope(), slope(100, seed=1)
    draws = np.random.default_rng(0)
    leaked, guess = Y[:, 0] + 0.01 * draws.standard_normal(200), draws.permutation(V[:, 0])
    findings = check_data(of(np.column_stack([X, leaked]), Y, (np.column_stack([H, guess]), V)))
    assert findings[0].kind == "data.leaking_feature"
    assert value(findings[0], "skill of the feature alone, training rows") > 0.99
