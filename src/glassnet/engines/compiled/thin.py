"""Matrix products with a side of one: a column of weights, a column of slopes. They are bound by memory, not by arithmetic.

BLAS prepares its operands for products that read each number many times; here each is read once, so that costs more than
the product. Several rows are taken together, so that what they share stays in registers and in the cache.
"""

from __future__ import annotations

from numba import njit

from glassnet.engines.compiled.addresses import numbers_at
from glassnet.engines.compiled.blocks import FAST, SUMMING

COLUMNS = 1024
ROWS_TOGETHER = 4
"""Rows that `dots` and `shares` take at once; tiles are of so many, or a multiple."""


@njit(fastmath=SUMMING, error_model="numpy")
def _dot(a, b, count):
    total = a.dtype.type(0)
    for i in range(count):
        total += a[i] * b[i]
    return total


@njit(fastmath=SUMMING, error_model="numpy")
def _dot4(a, b, c, d, w, count):
    s, t, u, v = a.dtype.type(0), a.dtype.type(0), a.dtype.type(0), a.dtype.type(0)
    for i in range(count):
        x = w[i]
        s += a[i] * x
        t += b[i] * x
        u += c[i] * x
        v += d[i] * x
    return s, t, u, v


@njit(fastmath=FAST, error_model="numpy")
def _add4(to, a, b, c, d, p, q, r, s, count):
    for i in range(count):
        to[i] += p * a[i] + q * b[i] + r * c[i] + s * d[i]


@njit(fastmath=FAST, error_model="numpy")
def _add1(to, a, p, count):
    for i in range(count):
        to[i] += p * a[i]


@njit(fastmath=FAST, error_model="numpy")
def dots(m, k, A, w, adds, target, like):
    """target (m,) = (or +=) A w, for A (m, k)."""
    to, weights, step = numbers_at(target, m, like), numbers_at(w, k, like), k * like.itemsize
    r = 0
    while r + 4 <= m:
        at = A + r * step
        s, t, u, v = _dot4(
            numbers_at(at, k, like), numbers_at(at + step, k, like), numbers_at(at + 2 * step, k, like),
            numbers_at(at + 3 * step, k, like), weights, k,
        )  # fmt: skip
        if adds:
            to[r] += s
            to[r + 1] += t
            to[r + 2] += u
            to[r + 3] += v
        else:
            to[r], to[r + 1], to[r + 2], to[r + 3] = s, t, u, v
        r += 4
    while r < m:
        value = _dot(numbers_at(A + r * step, k, like), weights, k)
        to[r] = to[r] + value if adds else value
        r += 1


@njit(fastmath=FAST, error_model="numpy")
def shares(m, k, A, d, adds, target, like):
    """target (k,) = (or +=) Aᵀ d, for A (m, k): every row's share, weighted by its slope."""
    slopes, step = numbers_at(d, m, like), k * like.itemsize
    zero, c = like.dtype.type(0), 0
    while c < k:  # so many columns that their sums stay in the first-level cache while all rows pass by
        size = min(COLUMNS, k - c)
        to = numbers_at(target + c * like.itemsize, size, like)
        if not adds:
            to[:] = zero
        at, r = A + c * like.itemsize, 0
        while r + 4 <= m:
            _add4(
                to, numbers_at(at, size, like), numbers_at(at + step, size, like), numbers_at(at + 2 * step, size, like),
                numbers_at(at + 3 * step, size, like), slopes[r], slopes[r + 1], slopes[r + 2], slopes[r + 3], size,
            )  # fmt: skip
            at += 4 * step
            r += 4
        while r < m:
            _add1(to, numbers_at(at, size, like), slopes[r], size)
            at += step
            r += 1
        c += size


@njit(fastmath=FAST, error_model="numpy")
def outer(m, n, d, w, adds, target, like):
    """target (m, n) = (or +=) d wᵀ."""
    slopes, weights = numbers_at(d, m, like), numbers_at(w, n, like)
    for r in range(m):
        to = numbers_at(target + r * n * like.itemsize, n, like)
        if adds:
            _add1(to, weights, slopes[r], n)
        else:
            p = slopes[r]
            for i in range(n):
                to[i] = p * weights[i]
