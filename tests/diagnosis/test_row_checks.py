"""Checks of the rows: each fault planted, and its healthy twin silent."""

from __future__ import annotations

import numpy as np
import pytest
from planted_data import clouds, found, loud, of, rings, slope, value
from sklearn.neighbors import KNeighborsRegressor

import glassnet as gn
from glassnet.diagnosis.case import Case
from glassnet.diagnosis.data_checks import check_data
from glassnet.diagnosis.row_checks import (
    check_augmentation,
    check_count,
    check_missing,
    check_order,
    check_repeated,
    check_shift,
)


def test_missing_and_infinite_values():
    X, Y = rings()
    X[3, 1], X[7, 0], X[7, 1] = np.nan, np.inf, -np.inf
    case = of(X, Y)
    findings = check_data(case)
    assert findings[0].kind == "data.nan"
    assert (findings[0].severity, findings[0].certain) == ("critical", True)
    assert value(findings[0], "values of X that are not finite") == 3
    assert (findings[0].where.rows, findings[0].where.features) == ((3, 7), (0, 1))
    assert loud(findings[1:]) == []
    without, filled = (case.changed(change) for change in findings[0].cures)
    np.testing.assert_array_equal(without.X, np.delete(X, [3, 7], axis=0))
    assert filled.X[3, 1] == np.median(X[np.isfinite(X[:, 1]), 1])
    assert check_missing(of(*rings())) == []


def test_missing_values_in_held_out_rows_and_targets():
    (X, Y), (H, V) = slope(), slope(60, seed=1)
    H[2, 0] = np.nan
    finding = found(check_data(of(X, Y, (H, V))), "data.nan")
    assert "1 in held-out X" in finding.sentence
    assert finding.where.features == (0,)
    changed = of(X, Y, (H, V)).changed(finding.cures[0])
    assert changed.held is not None
    assert changed.held[0][2, 0] == np.median(X[:, 0])
    Y[5] = np.nan
    finding = found(check_data(of(X, Y)), "data.nan")
    assert (finding.where.rows, len(of(X, Y).changed(finding.cures[0]).X)) == ((5,), 199)


def test_nothing_but_missing_values():
    X, Y = np.full((20, 2), np.nan), np.ones((20, 1))
    assert check_data(of(X, Y))[0].kind == "data.nan"


def test_rows_that_repeat_one_another():
    X, Y = rings()
    twice = np.r_[np.arange(300), np.arange(60)]
    finding = found(check_repeated(of(X[twice], Y[twice])), "data.duplicate_rows")
    assert value(finding, "share of training rows that repeat another") == 60 / 360
    assert finding.confidence <= 0.2
    assert check_repeated(of(X, Y)) == []


@pytest.mark.parametrize(("few", "copies"), [(12, 200), (40, 1000)])
@pytest.mark.parametrize("make", [rings, clouds, slope])
def test_a_few_rows_copied_many_times(make, few, copies):
    X, Y = make()
    many = np.random.default_rng(0).integers(0, few, copies)
    findings = check_data(of(X[many], Y[many], make(120, seed=1)))
    assert found(findings, "data.duplicate_rows").confidence == 0.8
    assert findings[0].kind == "data.duplicate_rows" or few == 40  # of 40 rows one feature may tell the class


def test_held_out_rows_among_the_training_rows():
    (X, Y), (H, V) = rings(), rings(120, seed=1)
    H[:40], V[:40] = X[:40], Y[:40]
    finding = found(check_repeated(of(X, Y, (H, V))), "data.train_test_overlap")
    assert value(finding, "share of held-out rows found in training") == 40 / 120
    assert finding.where.rows == tuple(range(40))
    cured = of(X, Y, (H, V)).changed(finding.cures[0])
    assert len(cured.X) == len(X) - 40
    assert check_repeated(cured) == []
    assert check_repeated(of(X, Y, rings(120, seed=1))) == []


def test_overlap_of_many_columns_is_compared_as_a_whole():
    draws = np.random.default_rng(0)
    X, Y = draws.standard_normal((100, 40)), (np.arange(100) % 2)[:, None].astype(float)
    H = X[:50].copy()
    H[:30, -1] += 1e-3  # nearly the same rows are other rows
    H[:30, 0] += 1e-3
    finding = found(check_repeated(of(X, Y, (H, Y[:50]))), "data.train_test_overlap")
    assert finding.where.rows == tuple(range(30, 50))


def test_bits_repeat_by_chance():
    draws = np.random.default_rng(0)
    X, H = draws.integers(0, 2, (300, 6)).astype(float), draws.integers(0, 2, (100, 6)).astype(float)
    assert check_repeated(of(X, X[:, :1], (H, H[:, :1]))) == []


@pytest.mark.parametrize("make", [rings, clouds, slope])
def test_rows_in_order_of_their_target(make):
    X, Y = make()
    order = np.argsort(Y[:, 0], kind="stable")
    case = of(X[order], Y[order], shuffle=False)
    finding = found(check_data(case), "data.unshuffled")
    T = Y[order] - Y.mean(axis=0)
    parts = [T[i : i + 16] for i in range(0, 300, 16) if len(T[i : i + 16])]
    between = sum(len(p) * (p.mean(axis=0) ** 2).sum() for p in parts) / (T**2).sum()
    assert value(finding, "share of the target's variance between batches") == pytest.approx(between)
    assert case.changed(finding.cures[0]).settings["shuffle"] is True
    assert check_order(of(X, Y, shuffle=False)) == []
    assert check_order(of(X[order], Y[order])) == []  # gn.train shuffles unless asked not to
    assert check_order(of(X[order], Y[order], shuffle=False, batch_size=None)) == []


def test_held_out_rows_on_another_scale():
    (X, Y), (H, V) = rings(), rings(120, seed=1)
    case = of(X, Y, (50 * H + 20, V))
    findings = check_data(case)
    assert findings[0].kind == "data.train_test_mismatch"
    assert findings[0].confidence >= 0.8
    moved = np.abs((50 * H + 20).mean(axis=0) - X.mean(axis=0)) / X.std(axis=0)
    assert value(findings[0], "largest difference of means, in training deviations") == pytest.approx(moved.max())
    changed = case.changed(findings[0].cures[0])
    assert changed.held is not None
    np.testing.assert_allclose(changed.X, (X - X.mean(axis=0)) / X.std(axis=0))
    np.testing.assert_allclose(changed.held[0], (H - H.mean(axis=0)) / H.std(axis=0))
    assert check_shift(of(X, Y, (H, V))) == []


def test_held_out_rows_from_elsewhere_with_the_same_scale():
    draws = np.random.default_rng(0)
    X = draws.standard_normal((300, 2))
    H = draws.standard_normal((150, 1)) * np.ones((1, 2)) + 0.1 * draws.standard_normal((150, 2))
    Y, V = (X[:, :1] > 0).astype(float), (H[:, :1] > 0).astype(float)
    finding = found(check_shift(of(X, Y, (H, V))), "data.train_test_mismatch")
    assert value(finding, "correlation of a simple model that tells them apart") > 0.25
    assert check_shift(of(X[:200], Y[:200], (X[200:], Y[200:]))) == []


def test_other_shares_of_the_classes_are_no_shift():
    X, Y = clouds(600)
    kept = np.r_[np.flatnonzero(Y[:, 0] == 1), np.flatnonzero(Y[:, 0] == 0)[:60]]
    assert check_shift(of(X[kept], Y[kept], clouds(200, seed=1))) == []


def test_too_few_rows():
    X, Y = clouds(20)
    case = of(X, Y, clouds(200, seed=1))
    finding = found(check_data(case), "data.too_few_samples")
    assert finding.confidence >= 0.6
    assert value(finding, "training rows") == 20
    # 2·8 + 8 weights of the hidden layer, 8·3 + 3 of the output.
    assert value(finding, "parameters / rows") == pytest.approx((24 + 27) / 20)
    assert case.changed(finding.cures[0]).settings["l2"] == 0.01
    assert check_count(of(*clouds(), clouds(200, seed=1))) == []


def test_augmentation_that_leaves_nothing_of_a_picture():
    draws = np.random.default_rng(0)
    label = draws.integers(0, 2, 80)
    shape = np.zeros((2, 1, 12, 12))
    shape[0, 0, 3:9, 5:7], shape[1, 0, 5:7, 3:9] = 1, 1
    X = shape[label] * (0.8 + 0.2 * draws.random((80, 1, 1, 1))) + 0.05 * draws.random((80, 1, 12, 12))
    Y = label[:, None].astype(float)
    network = gn.Network((1, 12, 12), gn.Flatten(), gn.Dense(1, "sigmoid"))

    def findings(augmentation):
        return check_augmentation(Case.asked(network, X, Y, augmentation=augmentation))

    strong = gn.Augmentation(noise=3.0)
    finding = found(findings(strong), "data.augmentation_too_strong")
    order = np.random.default_rng(0).permutation(80)
    known, asked = order[:40], order[40:]
    for name, shown in (("changed pictures", strong.apply(X[known])), ("pictures as they are", X[known])):
        theirs = KNeighborsRegressor(5).fit(shown.reshape(40, -1), Y[known, 0]).predict(X[asked].reshape(40, -1))
        mine = value(finding, f"correlation of neighbours and target, {name}")
        r = np.corrcoef(theirs, Y[asked, 0])[0, 1] if theirs.std() > 1e-9 else 0.0
        assert mine == pytest.approx(r, abs=1e-9)
    assert findings(gn.Augmentation(shift=1)) == []
    assert findings(None) == []
