"""Checks of the targets: each fault planted, and its healthy twin silent."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from planted_data import clouds, found, loud, of, rings, slope, value
from sklearn.neighbors import KNeighborsClassifier

import glassnet as gn
from glassnet.diagnosis.case import Case
from glassnet.diagnosis.changes import DropRows
from glassnet.diagnosis.data_checks import check_data
from glassnet.diagnosis.encoding_checks import check_encoding, check_types
from glassnet.diagnosis.seen import Seen
from glassnet.diagnosis.simple_models import compressed, dependence, deviations, neighbours, ridge_without_itself
from glassnet.diagnosis.target_checks import (
    _mostly_wrong,
    check_classes,
    check_constant_target,
    check_label_noise,
    check_signal,
    check_target_scale,
)


def flipped(Y, share, seed=0):
    """One-hot or 0/1 labels of which a share is another class."""
    draws = np.random.default_rng(seed)
    one = Y.shape[1] == 1
    k, label = (2, Y[:, 0].astype(int)) if one else (Y.shape[1], Y.argmax(axis=1))
    wrong = draws.permutation(len(Y))[: round(share * len(Y))]
    label = label.copy()
    label[wrong] = (label[wrong] + draws.integers(1, k, len(wrong))) % k
    return (label[:, None].astype(float) if one else np.eye(k)[label]), wrong


# Simple models.


def test_neighbours_are_those_of_scikit_learn():
    X, Y = rings(60)
    mine = neighbours(X, most=5)
    theirs = KNeighborsClassifier(5).fit(X, Y[:, 0]).kneighbors(return_distance=False)  # without the rows themselves
    np.testing.assert_array_equal(mine, theirs)


def test_ridge_without_itself_is_the_fit_on_all_other_rows():
    X, Y = slope(12)
    mine = ridge_without_itself(X, Y)
    for i in range(12):
        rest = np.arange(12) != i
        A = np.column_stack([np.ones(11), X[rest]])
        weights = np.linalg.solve(A.T @ A + np.diag([1e-8, 1, 1, 1]), A.T @ Y[rest])
        assert mine[i, 0] == pytest.approx(float((np.r_[1, X[i]] @ weights)[0]))


def test_principal_components_of_many_columns():
    draws = np.random.default_rng(0)
    X = draws.standard_normal((80, 3)) @ draws.standard_normal((3, 70))
    few = compressed(X)
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    largest = np.linalg.svd(Z, compute_uv=False)[:3]
    np.testing.assert_allclose(np.sort(np.linalg.norm(few, axis=0))[::-1][:3], largest, rtol=2e-2)  # clipped at 5


def test_deviations_of_targets_in_a_random_order():
    draws = np.random.default_rng(0)
    P, Y = draws.standard_normal((50, 2)), draws.standard_normal((50, 2))
    P, Y = P - P.mean(axis=0), Y - Y.mean(axis=0)
    found_here = [(P * Y[draws.permutation(50)]).sum() for _ in range(4000)]
    z, r = deviations(P, Y)
    assert z == pytest.approx((P * Y).sum() / (np.std(found_here) * np.sqrt(2)), rel=0.05)
    assert r == pytest.approx((P * Y).sum() / np.sqrt((P**2).sum() * (Y**2).sum()))


def test_shuffled_labels_rarely_look_like_signal():
    draws = np.random.default_rng(0)
    X = compressed(rings(100)[0])
    scores = [dependence(X, draws.permutation(rings(100)[1]), trees=False).deviations for _ in range(200)]
    assert np.quantile(scores, 0.99) < 2.8


# Shuffled labels, no signal, noise.


@pytest.mark.parametrize("make", [rings, clouds, slope])
def test_labels_that_do_not_belong_to_the_rows(make):
    X, Y = make()
    shuffled = np.random.default_rng(1).permutation(Y)
    findings = check_data(of(X, shuffled, make(120, seed=1)))
    assert findings[0].kind == "data.labels_shuffled"  # held-out rows can be predicted from one another
    assert findings[0].confidence > 0.9
    kinds = [f.kind for f in check_data(of(X, shuffled))]
    assert kinds[:2] == ["data.labels_shuffled", "data.no_signal"]  # from training rows alone the two look the same
    assert check_signal(of(X, Y)) == []


def test_a_random_order_is_told_from_noise_by_the_share_of_labels_that_are_wrong():
    (X, Y), (H, V) = clouds(), clouds(120, seed=1)

    def mostly_wrong(labels):
        case = of(X, labels, (H, V))
        return _mostly_wrong(Seen(case))

    assert not mostly_wrong(Y)
    assert not mostly_wrong(flipped(Y, 0.3)[0])
    assert mostly_wrong(np.random.default_rng(1).permutation(Y))


def test_features_that_say_nothing():
    (X, Y), (H, V) = rings(), rings(120, seed=1)
    draws = np.random.default_rng(2)
    findings = check_data(of(draws.standard_normal(X.shape), Y, (draws.standard_normal(H.shape), V)))
    assert findings[0].kind == "data.no_signal"
    assert value(findings[0], "deviations above random order, held-out rows") < 2.8


def test_too_few_rows_to_say_that_there_is_no_signal():
    X, Y = rings(30)
    assert check_signal(of(X, np.random.default_rng(1).permutation(Y))) == []


@pytest.mark.parametrize("make", [rings, clouds])
@pytest.mark.parametrize("share", [0.25, 0.4])
def test_wrong_labels_are_counted_against_held_out_rows(make, share):
    X, Y = make(600)
    noisy, _ = flipped(Y, share)
    case = of(X, noisy, make(200, seed=1))
    findings = check_data(case)
    assert findings[0].kind == "data.label_noise"
    assert findings[0].confidence >= 0.8
    said = int(findings[0].sentence.split("%")[0].split()[-1]) / 100
    assert said == pytest.approx(share, abs=0.1)
    (change,) = findings[0].cures
    kept = case.changed(change)
    assert isinstance(change.data[0], DropRows)
    clean = Y[np.setdiff1d(np.arange(600), change.data[0].rows)]
    assert (clean == kept.Y).all(axis=1).mean() > (noisy == Y).all(axis=1).mean() + 0.1  # more of what is left is right
    assert check_label_noise(of(X, Y, make(200, seed=1))) == []


def test_classes_that_overlap_are_not_noise():
    X, Y = clouds(600)
    assert check_label_noise(of(X, Y)) == []
    noisy, _ = flipped(rings(600)[1], 0.25)
    assert found(check_label_noise(of(rings(600)[0], noisy)), "data.label_noise").confidence > 0.2


# Classes.


def test_a_single_class():
    X, Y = rings()
    finding = found(check_classes(of(X, np.ones_like(Y), (X, Y), loss="binary_cross_entropy")), "data.single_class")
    assert finding.confidence >= 0.9
    assert check_classes(of(X, Y)) == []


def test_a_class_that_is_rarer_than_in_held_out_rows():
    X, Y = clouds(600)
    second = np.flatnonzero(Y[:, 1] == 1)
    kept = np.setdiff1d(np.arange(600), second[5:])
    case = of(X[kept], Y[kept], clouds(200, seed=1))
    findings = check_data(case)
    assert findings[0].kind == "data.class_imbalance"
    share = Y[kept].mean(axis=0)
    assert value(findings[0], "share of the rarest class") == pytest.approx(share[1])
    entropy = -(share * np.log(share)).sum() / np.log(3)
    assert value(findings[0], "entropy of the shares / its largest value") == pytest.approx(entropy)
    weights = findings[0].cures[0].data[0].weights(Y[kept])
    np.testing.assert_allclose(weights @ Y[kept], len(kept) / 3)  # every class counts alike
    assert check_classes(of(X, Y, clouds(200, seed=1))) == []


# Encoding.


@pytest.mark.parametrize(
    ("values", "loss", "head"),
    [
        ((0.0, 1 / 255), "binary_cross_entropy", "sigmoid"),
        ((-1.0, 1.0), "binary_cross_entropy", "sigmoid"),
        ((1.0, 2.0), "binary_cross_entropy", "sigmoid"),
        ((0.0, 1 / 255), "mean_squared_error", "sigmoid"),
    ],
)
def test_two_labels_that_are_not_0_and_1(values, loss, head):
    X, Y = rings()
    case = gn_case(X, np.where(Y == 1, values[1], values[0]), 1, head, loss)
    finding = found(check_encoding(case), "data.label_encoding")
    assert finding.confidence >= 0.6
    assert finding.certain == (case.data_refusal is not None)
    np.testing.assert_array_equal(case.changed(finding.cures[0]).Y, Y)
    assert check_types(case) == []


def gn_case(X, Y, units, head, loss, held=None):
    from glassnet.diagnosis.case import Case

    network = gn.Network(X.shape[1], gn.Dense(8, "tanh"), gn.Dense(units, head))
    return Case.asked(network, X, Y, validation=held, loss=loss, epochs=5, batch_size=16)


def test_labels_0_and_1_under_the_hinge():
    X, Y = rings()
    finding = found(check_encoding(gn_case(X, Y, 1, "linear", "hinge")), "data.label_encoding")
    changed = gn_case(X, Y, 1, "linear", "hinge").changed(finding.cures[0])
    np.testing.assert_array_equal(changed.Y, 2 * Y - 1)
    assert changed.data_refusal is None
    assert check_encoding(changed) == []


def test_one_hot_rows_that_were_scaled():
    X, Y = clouds()
    case = gn_case(X, Y / 255, 3, "softmax", "categorical_cross_entropy")
    finding = found(check_encoding(case), "data.label_encoding")
    assert (finding.severity, finding.certain) == ("critical", True)
    np.testing.assert_array_equal(case.changed(finding.cures[0]).Y, Y)


def test_class_numbers_from_1():
    X, Y = clouds()
    case = gn_case(X, Y.argmax(axis=1) + 1, 3, "softmax", "categorical_cross_entropy")
    finding = found(check_encoding(case), "data.label_encoding")
    changed = case.changed(finding.cures[0])
    np.testing.assert_array_equal(changed.Y, Y.argmax(axis=1))
    assert changed.data_refusal is None
    assert check_encoding(changed) == []


def test_one_column_of_classes_for_one_output():
    X, Y = clouds()
    case = gn_case(X, Y.argmax(axis=1), 1, "sigmoid", "binary_cross_entropy")
    finding = found(check_data(case), "data.label_encoding")
    changed = case.changed(finding.cures[0])
    np.testing.assert_array_equal(changed.Y, Y)
    assert (changed.network.output_units, changed.data_refusal) == (3, None)


def test_text_is_encoded():
    X, Y = rings()
    case = gn_case(X, np.where(Y[:, 0] == 1, "yes", "no"), 1, "sigmoid", "binary_cross_entropy")
    finding = found(check_data(case), "data.label_encoding")
    assert case.changed(finding.cures[0]).data_refusal is None


def test_counts_and_numbers_are_no_wrong_labels():
    assert check_encoding(of(*slope())) == []
    assert check_encoding(of(*rings())) == []
    assert check_encoding(of(*clouds())) == []


# Types and shapes.


def test_rows_that_do_not_go_together():
    X, Y = rings()
    (finding,) = check_types(gn_case(X, Y[:-1], 1, "sigmoid", "binary_cross_entropy"))
    assert finding.sentence == "X has 300 rows and Y 299; each row of X needs its target."
    assert (finding.kind, finding.certain) == ("data.dtype_shape", True)
    assert check_types(of(X, Y)) == []


def test_pictures_whose_layout_does_not_fit():
    from glassnet.diagnosis.case import Case

    draws = np.random.default_rng(0)
    X, Y = draws.random((40, 4, 5, 3)), (np.arange(40) % 2)[:, None].astype(float)
    pictures = gn.Network((3, 4, 5), gn.Flatten(), gn.Dense(1, "sigmoid"))
    case = Case.asked(pictures, X, Y)
    finding = found(check_types(case), "data.dtype_shape")
    assert case.changed(finding.cures[0]).data_refusal is None
    flat = Case.asked(gn.Network(60, gn.Dense(1, "sigmoid")), X, Y)
    finding = found(check_types(flat), "data.dtype_shape")
    assert flat.changed(finding.cures[0]).data_refusal is None


# Scale of the target.


@pytest.mark.parametrize("scale", [(1000.0, 5000.0), (1.0, 300.0), (1e-4, 0.0)])
def test_a_target_far_from_one(scale):
    X, Y = slope()
    case = of(X, Y * scale[0] + scale[1])
    finding = found(check_data(case), "data.target_scale")
    assert finding.confidence >= 0.5
    assert value(finding, "largest deviation of a target") == pytest.approx(Y.std() * scale[0])
    changed = case.changed(finding.cures[0])
    assert (changed.Y.mean(), changed.Y.std()) == (pytest.approx(0, abs=1e-9), pytest.approx(1))
    assert loud(check_data(changed)) == []
    assert check_target_scale(of(X, Y)) == []


def test_of_many_rows_all_are_cleaned_not_only_those_looked_at():
    X, Y = rings(2500)
    noisy, wrong = flipped(Y, 0.2)
    finding = found(check_label_noise(of(X, noisy, rings(300, seed=1))), "data.label_noise")
    rows = finding.cures[0].data[0].rows
    assert len(np.intersect1d(rows, wrong)) > 0.9 * len(wrong)
    assert len(np.setdiff1d(rows, wrong)) < 0.05 * 2500


def test_a_target_that_is_the_same_in_every_row():
    X = np.random.default_rng(0).standard_normal((50, 3))
    case = Case.asked(gn.Network(3, gn.Dense(4, "relu"), gn.Dense(1)), X, np.full(50, -2.5), loss="mean_squared_error")
    (finding,) = check_constant_target(case)
    assert (finding.kind, finding.severity, finding.certain) == ("data.no_signal", "critical", True)
    assert finding.sentence == "The target is the same in every row, −2.5: there is nothing to learn."
    assert check_constant_target(replace(case, Y=np.r_[np.full(49, -2.5), 0.0])) == []
    assert check_data(case)[0] == finding


def test_no_signal_and_shuffled_labels_are_said_apart():
    draws = np.random.default_rng(1)
    X, Y = draws.standard_normal((200, 4)), draws.integers(0, 2, (200, 1)).astype(float)
    network = gn.Network(4, gn.Dense(4, "relu"), gn.Dense(1, "sigmoid"))
    shuffled, none = check_signal(Case.asked(network, X, Y))
    assert (shuffled.kind, none.kind) == ("data.labels_shuffled", "data.no_signal")
    assert shuffled.sentence != none.sentence
    assert shuffled.measured != none.measured
    assert shuffled.false_alarm != none.false_alarm
    assert "the best, none" not in shuffled.sentence


def test_a_rare_class_is_called_by_its_name():
    X = np.random.default_rng(0).standard_normal((138, 3))
    case = Case.asked(gn.Network(3, gn.Dense(1, "sigmoid")), X, (np.arange(138) < 4).astype(float))
    (finding,) = check_classes(replace(case, classes=("benign", "malignant")))
    assert finding.sentence == "Class malignant has 4 of 138 training rows."
    assert check_classes(case)[0].sentence == "Class 1 has 4 of 138 training rows."
