"""A hidden layer between few inputs and few outputs, over many samples: one pass forward and one pass back.

Matrix products of so narrow matrices spend their time on moving numbers. Here a unit's values lie one after the other,
(units, m) instead of (m, units), and while they are in the first-level cache everything is done with them: the weighted
sum, the activation and the unit's share of the scores; on the way back, the slopes of all its weights.
"""

from __future__ import annotations

from numba import njit

from glassnet.engines.compiled import vector_math as vm
from glassnet.engines.compiled.addresses import numbers_at
from glassnet.engines.compiled.blocks import FAST, SUMMING

ACTIVATIONS = {"tanh": 0, "sigmoid": 1, "positive_part": 2}
TANH, SIGMOID = 0, 1
MOST_INPUTS, MOST_OUTPUTS = 16, 8


@njit(fastmath=FAST, error_model="numpy")
def _activated(code, a, x, y, p, q, b, s, w, count):
    """a = g(b + p x + q y), and its share w a of the first score."""
    if code == TANH:
        for i in range(count):
            value = vm.tanh_(b + p * x[i] + q * y[i])
            a[i] = value
            s[i] += w * value
    elif code == SIGMOID:
        for i in range(count):
            value = vm.sigmoid_(b + p * x[i] + q * y[i])
            a[i] = value
            s[i] += w * value
    else:
        for i in range(count):
            z = b + p * x[i] + q * y[i]
            value = z if z > 0 else z - z
            a[i] = value
            s[i] += w * value


@njit(fastmath=FAST, error_model="numpy")
def _activated_more(code, a, z, x, y, p, q, count):
    """a = g(z + p x + q y)."""
    if code == TANH:
        for i in range(count):
            a[i] = vm.tanh_(z[i] + p * x[i] + q * y[i])
    elif code == SIGMOID:
        for i in range(count):
            a[i] = vm.sigmoid_(z[i] + p * x[i] + q * y[i])
    else:
        for i in range(count):
            s = z[i] + p * x[i] + q * y[i]
            a[i] = s if s > 0 else s - s


@njit(fastmath=FAST, error_model="numpy")
def _summed(z, x, y, p, q, b, first, count):
    """z = b + p x + q y, or z += p x + q y."""
    if first:
        for i in range(count):
            z[i] = b + p * x[i] + q * y[i]
    else:
        for i in range(count):
            z[i] += p * x[i] + q * y[i]


@njit(fastmath=FAST, error_model="numpy")
def _add_share(s, a, w, count):
    for i in range(count):
        s[i] += w * a[i]


@njit(fastmath=SUMMING, error_model="numpy")
def _slope(code, dz, a, da, w, x, y, count):
    """dz = w da ⊙ g′, and what it and a sum to: (Σ a da, Σ dz, Σ x dz, Σ y dz)."""
    zero = w - w
    share, bias, first, second = zero, zero, zero, zero
    if code == TANH:
        for i in range(count):
            d, value = da[i], a[i]
            share += value * d
            g = w * d
            d = g - g * (value * value)
            dz[i] = d
            bias += d
            first += x[i] * d
            second += y[i] * d
    elif code == SIGMOID:
        for i in range(count):
            d, value = da[i], a[i]
            share += value * d
            d = w * d * (value - value * value)
            dz[i] = d
            bias += d
            first += x[i] * d
            second += y[i] * d
    else:
        for i in range(count):
            d, value = da[i], a[i]
            share += value * d
            g = w * d
            d = g if value > 0 else g - g
            dz[i] = d
            bias += d
            first += x[i] * d
            second += y[i] * d
    return share, bias, first, second


@njit(fastmath=SUMMING, error_model="numpy")
def _dots(x, y, d, count):
    first, second = x.dtype.type(0), x.dtype.type(0)
    for i in range(count):
        first += x[i] * d[i]
        second += y[i] * d[i]
    return first, second


@njit(fastmath=FAST, error_model="numpy")
def narrow_forward(rows, n, units, outputs, code, X, W1, b1, W2, Z2, adds, A, across, scores, like):
    """Z2 (+)= g(X W1 + b1) W2, with the activations kept in A (units, rows) and X in `across` (n, rows)."""
    size = like.itemsize
    step = rows * size
    x, w1, w2 = numbers_at(X, rows * n, like), numbers_at(W1, n * units, like), numbers_at(W2, units * outputs, like)
    to = numbers_at(across, n * rows, like)
    zero = like.dtype.type(0)
    for k in range(n):
        for i in range(rows):
            to[k * rows + i] = x[i * n + k]
    s = numbers_at(scores, outputs * rows, like)
    s[:] = zero
    for j in range(units):
        b = numbers_at(b1, units, like)[j] if b1 else zero
        a = numbers_at(A + j * step, rows, like)
        for k in range(0, n, 2):
            left = numbers_at(across + k * step, rows, like)
            pair = k + 1 < n
            right = numbers_at(across + (k + 1 if pair else k) * step, rows, like)
            p, q = w1[k * units + j], w1[(k + 1) * units + j] if pair else zero
            if n <= 2:
                _activated(code, a, left, right, p, q, b, s, w2[j * outputs], rows)
            elif k + 2 >= n:
                _activated_more(code, a, a, left, right, p, q, rows)
            else:
                _summed(a, left, right, p, q, b, k == 0, rows)
        for o in range(1 if n <= 2 else 0, outputs):
            _add_share(numbers_at(scores + o * step, rows, like), a, w2[j * outputs + o], rows)
    z = numbers_at(Z2, rows * outputs, like)
    for o in range(outputs):
        for i in range(rows):
            value = s[o * rows + i]
            z[i * outputs + o] = z[i * outputs + o] + value if adds else value


@njit(fastmath=FAST, error_model="numpy")
def narrow_backward(rows, n, units, outputs, code, W2, dZ2, A, across, slopes, dW2, dW1, db1, adds, like):
    """dW2 (+)= Aᵀ dZ2, and through the activation dW1 (+)= Xᵀ dZ1, db1 (+)= Σ dZ1; `adds` has a bit for each.

    `slopes` has room for (outputs + 2, rows).
    """
    size = like.itemsize
    step = rows * size
    w2, d2 = numbers_at(W2, units * outputs, like), numbers_at(dZ2, rows * outputs, like)
    to_w2, to_w1 = numbers_at(dW2, units * outputs, like), numbers_at(dW1, n * units, like)
    d = numbers_at(slopes, outputs * rows, like)
    for o in range(outputs):
        for i in range(rows):
            d[o * rows + i] = d2[i * outputs + o]
    dz, mixed = numbers_at(slopes + outputs * step, rows, like), numbers_at(slopes + (outputs + 1) * step, rows, like)
    one, zero = like.dtype.type(1), like.dtype.type(0)
    left = numbers_at(across, rows, like)
    pair = n > 1
    right = numbers_at(across + (step if pair else 0), rows, like)
    for j in range(units):
        a = numbers_at(A + j * step, rows, like)
        from_above, w = numbers_at(slopes, rows, like), w2[j * outputs]
        if outputs > 1:  # the share of every output, mixed by this unit's weights
            for o in range(outputs):
                above = numbers_at(slopes + o * step, rows, like)
                share, _ = _dots(a, a, above, rows)
                at = j * outputs + o
                to_w2[at] = to_w2[at] + share if adds & 1 else share
                _summed(mixed, above, above, w2[at], zero, zero, o == 0, rows)
            from_above, w = mixed, one
        share, bias, first, second = _slope(code, dz, a, from_above, w, left, right, rows)
        if outputs == 1:
            to_w2[j] = to_w2[j] + share if adds & 1 else share
        to_w1[j] = to_w1[j] + first if adds & 2 else first
        if pair:
            to_w1[units + j] = to_w1[units + j] + second if adds & 2 else second
        for k in range(2, n, 2):
            more = k + 1 < n
            x, y = (
                numbers_at(across + k * step, rows, like),
                numbers_at(across + (k + 1 if more else k) * step, rows, like),
            )
            first, second = _dots(x, y, dz, rows)
            to_w1[k * units + j] = to_w1[k * units + j] + first if adds & 2 else first
            if more:
                to_w1[(k + 1) * units + j] = to_w1[(k + 1) * units + j] + second if adds & 2 else second
        if db1:
            to_b = numbers_at(db1, units, like)
            to_b[j] = to_b[j] + bias if adds & 4 else bias
