"""The triangle of a QR, added up chunk by chunk: against NumPy, by hand, and R's rule for aliased columns."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from glassnet.engines.triangle import Triangle


def whole(X, Y, w=None, intercept=True):
    triangle = Triangle(X.shape[1], Y.shape[1] if Y.ndim == 2 else 1, intercept=intercept)
    triangle.add(X, Y, w)
    return triangle


def test_by_hand():
    # x = 0, 1, 2 and y = 1, 2, 4: β = (5/6, 3/2), Σe² = 1/6, (X₁ᵀX₁)⁻¹ = [[5, −3], [−3, 3]] / 6
    found = whole(np.array([[0.0], [1.0], [2.0]]), np.array([1.0, 2.0, 4.0])).solve()
    np.testing.assert_allclose(found.coefficients[:, 0], [5 / 6, 3 / 2], rtol=1e-14)
    np.testing.assert_allclose(found.residual_squares, [1 / 6], rtol=1e-12)
    np.testing.assert_allclose(found.unscaled, np.array([[5, -3], [-3, 3]]) / 6, rtol=1e-13)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3000), st.integers(1, 5), st.integers(1, 3), st.booleans())
def test_against_lstsq_in_any_pieces(seed, rows, columns, outputs, intercept):
    draws = np.random.default_rng(seed)
    X = draws.normal(size=(rows, columns)) * 10.0 ** draws.integers(-4, 5, columns)
    Y, w = draws.normal(size=(rows, outputs)), draws.uniform(0, 2, rows) * draws.integers(0, 2, rows)
    pieces = Triangle(columns, outputs, intercept=intercept)
    for part in np.array_split(np.arange(rows), draws.integers(1, 6)):
        pieces.add(X[part], Y[part], w[part])
    other = Triangle(columns, outputs, intercept=intercept)
    other.add(X[: rows // 2], Y[: rows // 2], w[: rows // 2])
    rest = Triangle(columns, outputs, intercept=intercept)
    rest.add(X[rows // 2 :], Y[rows // 2 :], w[rows // 2 :])
    other.merge(rest)
    design = np.column_stack([np.ones(rows), X]) if intercept else X
    scaled = design * np.sqrt(w)[:, None]
    if np.linalg.matrix_rank(scaled / np.maximum(np.linalg.norm(scaled, axis=0), 1e-300)) < design.shape[1]:
        return
    theirs = np.linalg.lstsq(scaled, Y * np.sqrt(w)[:, None], rcond=None)[0]
    left = ((np.sqrt(w)[:, None] * (Y - design @ theirs)) ** 2).sum(axis=0)
    for triangle in (pieces, other):
        found = triangle.solve()
        assert found.rank == design.shape[1]
        fitted = design @ found.coefficients
        np.testing.assert_allclose(fitted, design @ theirs, rtol=1e-7, atol=1e-7)
        np.testing.assert_allclose(found.residual_squares, left, rtol=1e-7, atol=1e-9)
        assert triangle.rows == (w > 0).sum()
        np.testing.assert_allclose(triangle.weight, w.sum())
        np.testing.assert_allclose(triangle.log_weight, np.log(w[w > 0]).sum(), atol=1e-9)


def test_aliased_columns_go_to_the_end_and_the_others_keep_their_order():
    draws = np.random.default_rng(0)
    X = draws.normal(size=(40, 5))
    X[:, 1] = 3 * X[:, 0] - 2  # of the intercept and column 0
    X[:, 3] = X[:, 2] + X[:, 0]
    found = whole(X, draws.normal(size=40)).solve()
    assert found.pivot.tolist() == [0, 1, 3, 5, 2, 4]  # counted with the intercept
    assert found.aliased.tolist() == [False, False, True, False, True, False]
    assert found.rank == 4
    kept = [0, 1, 3, 5]
    design = np.column_stack([np.ones(40), X])[:, kept]
    np.testing.assert_allclose(found.unscaled[np.ix_(kept, kept)], np.linalg.inv(design.T @ design), rtol=1e-9)
    assert np.isnan(found.coefficients[[2, 4], 0]).all()
    np.testing.assert_allclose(found.factor.T @ found.factor, design.T @ design, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("noise", "rank"), [(1e-5, 3), (1e-9, 2)])
def test_nearly_collinear_columns_by_rs_tolerance(noise, rank):
    draws = np.random.default_rng(1)
    x = draws.normal(size=200)
    X = np.column_stack([x, x + noise * draws.normal(size=200)])
    assert whole(X, draws.normal(size=200)).solve().rank == rank


def test_fewer_rows_than_columns_constant_columns_and_one_row():
    draws = np.random.default_rng(2)
    found = whole(draws.normal(size=(3, 6)), draws.normal(size=3)).solve()
    assert found.rank == 3
    np.testing.assert_allclose(found.residual_squares, 0, atol=1e-20)
    constant = whole(np.column_stack([np.full(5, 7.0), np.zeros(5)]), np.arange(5.0)).solve()
    assert constant.aliased.tolist() == [False, True, True]
    assert constant.coefficients[0, 0] == pytest.approx(2.0)
    one = whole(np.array([[2.0]]), np.array([3.0])).solve()
    assert (one.rank, one.coefficients[0, 0]) == (1, pytest.approx(3.0))


def test_types_and_sparse_rows():
    draws = np.random.default_rng(3)
    X, y = draws.normal(size=(50, 3)) * (draws.random((50, 3)) < 0.5), draws.normal(size=50)
    dense = whole(X, y).solve().coefficients
    np.testing.assert_array_equal(whole(csr_array(X), y).solve().coefficients, dense)
    np.testing.assert_allclose(whole(X.astype("f4"), y.astype("f4")).solve().coefficients, dense, rtol=1e-5)
