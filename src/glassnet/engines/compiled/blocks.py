"""The elementwise instructions: each is one loop over a block of numbers that lies in the cache.

A block is a thousand numbers or so, so that the choice of the instruction costs next to nothing beside its loop, and a
user's own formula runs as fast as a built-in one without anything being compiled for it.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from glassnet.engines.compiled import vector_math as vm
from glassnet.engines.compiled.addresses import numbers_at

CODES = (
    "store", "fill", "tile", "spread", "row_sum", "row_max", "sum_all", "sum_columns", "sum_rows",
    "add_vv", "add_vs", "subtract_vv", "subtract_vs", "subtract_sv", "multiply_vv", "multiply_vs",
    "divide_vv", "divide_vs", "divide_sv", "power_vv", "power_vs", "power_sv",
    "gt_vv", "gt_vs", "ge_vv", "ge_vs", "lt_vs", "le_vs", "max_vv", "max_vs", "min_vv", "min_vs", "where",
    "exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tanh", "sigmoid", "softplus", "log_softplus", "erf",
    "normal_pdf", "normal_cdf", "absolute", "sign", "floor",
    "add_scaled", "scaled_sum", "slope_tanh", "slope_sigmoid", "positive_part", "where_positive", "sum_squares", "descend",
    "add_row", "channels", "sum_channels",
)  # fmt: skip
"""The instructions by number."""

(STORE, FILL, TILE, SPREAD, ROW_SUM, ROW_MAX, SUM_ALL, SUM_COLUMNS, SUM_ROWS,
 ADD_VV, ADD_VS, SUBTRACT_VV, SUBTRACT_VS, SUBTRACT_SV, MULTIPLY_VV, MULTIPLY_VS,
 DIVIDE_VV, DIVIDE_VS, DIVIDE_SV, POWER_VV, POWER_VS, POWER_SV,
 GT_VV, GT_VS, GE_VV, GE_VS, LT_VS, LE_VS, MAX_VV, MAX_VS, MIN_VV, MIN_VS, WHERE,
 EXP, EXPM1, LOG, LOG1P, SQRT, SIN, COS, TANH, SIGMOID, SOFTPLUS, LOG_SOFTPLUS, ERF,
 NORMAL_PDF, NORMAL_CDF, ABSOLUTE, SIGN, FLOOR,
 ADD_SCALED, SCALED_SUM, SLOPE_TANH, SLOPE_SIGMOID, POSITIVE_PART, WHERE_POSITIVE, SUM_SQUARES, DESCEND,
 ADD_ROW, CHANNELS, SUM_CHANNELS) = range(len(CODES))  # fmt: skip

FAST = {"contract", "afn", "nsz", "arcp"}
"""What the compiler may do to arithmetic. It must not take NaN and infinity for impossible."""
SUMMING = {*FAST, "reassoc"}
"""In a sum it may change the order, too."""


@njit(fastmath=SUMMING, error_model="numpy")
def _total(a, count):
    total = a.dtype.type(0)
    for i in range(count):
        total += a[i]
    return total


@njit(fastmath=SUMMING, error_model="numpy")
def _total_of_squares(a, count):
    total = a.dtype.type(0)
    for i in range(count):
        total += a[i] * a[i]
    return total


@njit(fastmath=FAST, error_model="numpy")
def _add_row(d, a, b, rows, columns):
    """Each row of a, plus b."""
    if columns == 1:
        value = b[0]
        for r in range(rows):
            d[r] = a[r] + value
        return
    for r in range(rows):
        for j in range(columns):
            d[r * columns + j] = a[r * columns + j] + b[j]


@njit(fastmath=SUMMING, error_model="numpy")
def _descend(d, a, s, count):
    """d += s a in place, and Σ a²."""
    total = a.dtype.type(0)
    for i in range(count):
        slope = a[i]
        total += slope * slope
        d[i] += s * slope
    return total


@njit(fastmath=FAST, error_model="numpy")
def _unary(code, d, a, count):
    if code == TANH:
        for i in range(count):
            d[i] = vm.tanh_(a[i])
    elif code == SIGMOID:
        for i in range(count):
            d[i] = vm.sigmoid_(a[i])
    elif code == EXP:
        for i in range(count):
            d[i] = vm.exp_(a[i])
    elif code == EXPM1:
        for i in range(count):
            d[i] = vm.expm1_(a[i])
    elif code == LOG:
        for i in range(count):
            d[i] = vm.log_(a[i])
    elif code == LOG1P:
        for i in range(count):
            d[i] = vm.log1p_(a[i])
    elif code == SQRT:
        for i in range(count):
            d[i] = np.sqrt(a[i])
    elif code == SIN:
        for i in range(count):
            d[i] = np.sin(a[i])
    elif code == COS:
        for i in range(count):
            d[i] = np.cos(a[i])
    elif code == SOFTPLUS:
        for i in range(count):
            d[i] = vm.softplus_(a[i])
    elif code == LOG_SOFTPLUS:
        for i in range(count):
            d[i] = vm.log_softplus_(a[i])
    elif code == ERF:
        for i in range(count):
            d[i] = vm.erf_(a[i])
    elif code == NORMAL_PDF:
        for i in range(count):
            d[i] = vm.normal_pdf_(a[i])
    elif code == NORMAL_CDF:
        for i in range(count):
            d[i] = vm.normal_cdf_(a[i])
    elif code == ABSOLUTE:
        for i in range(count):
            d[i] = abs(a[i])
    elif code == SIGN:
        for i in range(count):
            x = a[i]
            zero = x - x
            one = zero + a.dtype.type(1)
            d[i] = one if x > 0 else (-one if x < 0 else zero)
    elif code == FLOOR:
        for i in range(count):
            d[i] = np.floor(a[i])
    elif code == POSITIVE_PART:
        for i in range(count):
            d[i] = a[i] if a[i] > 0 else a[i] - a[i]


@njit(fastmath=FAST, error_model="numpy")
def _binary_vv(code, d, a, b, count):
    one, zero = a.dtype.type(1), a.dtype.type(0)
    if code == ADD_VV:
        for i in range(count):
            d[i] = a[i] + b[i]
    elif code == SUBTRACT_VV:
        for i in range(count):
            d[i] = a[i] - b[i]
    elif code == MULTIPLY_VV:
        for i in range(count):
            d[i] = a[i] * b[i]
    elif code == DIVIDE_VV:
        for i in range(count):
            d[i] = a[i] / b[i]
    elif code == GT_VV:
        for i in range(count):
            d[i] = one if a[i] > b[i] else zero
    elif code == GE_VV:
        for i in range(count):
            d[i] = one if a[i] >= b[i] else zero
    elif code == MAX_VV:
        for i in range(count):
            d[i] = a[i] + (b[i] - b[i]) if a[i] > b[i] else b[i] + (a[i] - a[i])
    elif code == MIN_VV:
        for i in range(count):
            d[i] = a[i] + (b[i] - b[i]) if a[i] < b[i] else b[i] + (a[i] - a[i])
    elif code == POWER_VV:
        for i in range(count):
            d[i] = a[i] ** b[i]
    elif code == SLOPE_TANH:  # b (1 − a²)
        for i in range(count):
            d[i] = b[i] - b[i] * (a[i] * a[i])
    elif code == SLOPE_SIGMOID:  # b a (1 − a)
        for i in range(count):
            d[i] = b[i] * (a[i] - a[i] * a[i])
    elif code == WHERE_POSITIVE:  # b where a > 0
        for i in range(count):
            d[i] = b[i] if a[i] > 0 else b[i] - b[i]


@njit(fastmath=FAST, error_model="numpy")
def _binary_vs(code, d, a, s, count):
    one, zero = a.dtype.type(1), a.dtype.type(0)
    if code == ADD_VS:
        for i in range(count):
            d[i] = a[i] + s
    elif code == SUBTRACT_VS:
        for i in range(count):
            d[i] = a[i] - s
    elif code == SUBTRACT_SV:
        for i in range(count):
            d[i] = s - a[i]
    elif code == MULTIPLY_VS:
        for i in range(count):
            d[i] = a[i] * s
    elif code == DIVIDE_VS:
        for i in range(count):
            d[i] = a[i] / s
    elif code == DIVIDE_SV:
        for i in range(count):
            d[i] = s / a[i]
    elif code == POWER_VS:
        for i in range(count):
            d[i] = a[i] ** s
    elif code == POWER_SV:
        for i in range(count):
            d[i] = s ** a[i]
    elif code == GT_VS:
        for i in range(count):
            d[i] = one if a[i] > s else zero
    elif code == GE_VS:
        for i in range(count):
            d[i] = one if a[i] >= s else zero
    elif code == LT_VS:
        for i in range(count):
            d[i] = one if a[i] < s else zero
    elif code == LE_VS:
        for i in range(count):
            d[i] = one if a[i] <= s else zero
    elif code == MAX_VS:
        for i in range(count):
            d[i] = a[i] if a[i] > s else s + (a[i] - a[i])
    elif code == MIN_VS:
        for i in range(count):
            d[i] = a[i] if a[i] < s else s + (a[i] - a[i])


@njit(fastmath=FAST, error_model="numpy")
def _along_rows(code, d, a, rows, columns):
    if columns == 1:  # nothing to sum or spread: a loop that is vectorised
        if code == SUM_COLUMNS:
            d[0] += _total(a, rows)
        elif code == TILE:
            value = a[0]
            for r in range(rows):
                d[r] = value
        else:
            for r in range(rows):
                d[r] = a[r]
        return
    if code == ROW_SUM:
        for r in range(rows):
            total = a.dtype.type(0)
            for j in range(columns):
                total += a[r * columns + j]
            for j in range(columns):
                d[r * columns + j] = total
    elif code == ROW_MAX:
        for r in range(rows):
            top = a[r * columns]
            for j in range(columns):
                value = a[r * columns + j]
                top = value if value > top or value != value else top
            for j in range(columns):
                d[r * columns + j] = top
    elif code == SUM_ROWS:
        for r in range(rows):
            total = a.dtype.type(0)
            for j in range(columns):
                total += a[r * columns + j]
            d[r] = total
    elif code == TILE:
        for r in range(rows):
            for j in range(columns):
                d[r * columns + j] = a[j]
    elif code == SPREAD:
        for r in range(rows):
            for j in range(columns):
                d[r * columns + j] = a[r]
    elif code == SUM_COLUMNS:
        for r in range(rows):
            for j in range(columns):
                d[j] += a[r * columns + j]


@njit
def _channels(d, a, channel, count, rows, columns):
    """A number a channel spread over maps, which come channel by channel."""
    for r in range(rows):
        value = a[channel]
        for j in range(columns):
            d[r * columns + j] = value
        channel = channel + 1 if channel + 1 < count else 0


@njit(fastmath=SUMMING, error_model="numpy")
def _sum_channels(d, a, channel, count, rows, columns):
    """The entries of maps added up by channel."""
    for r in range(rows):
        total = a.dtype.type(0)
        for j in range(columns):
            total += a[r * columns + j]
        d[channel] += total
        channel = channel + 1 if channel + 1 < count else 0


@njit(fastmath=FAST, error_model="numpy")
def run_vector(total, columns, block, first, count, steps, scalars, like):
    """The program of one `Vector` operation, block by block.

    A step is (code, target, its bytes a number, a, its bytes a number, b, its bytes a number, slot): what stays where it is
    from block to block has 0 bytes a number.
    """
    start = 0
    while start < total:
        length = min(block, total - start)
        rows = length // columns
        for p in range(first, first + count):
            code = steps[p, 0]
            d = numbers_at(steps[p, 1] + steps[p, 2] * start, length, like)
            a = numbers_at(steps[p, 3] + steps[p, 4] * start, length, like)
            if code == STORE:
                for i in range(length):
                    d[i] = a[i]
            elif code == SUM_ALL:
                scalars[steps[p, 7]] += _total(a, length)
            elif code == SUM_SQUARES:
                scalars[steps[p, 7]] += _total_of_squares(a, length)
            elif code == ADD_ROW:
                _add_row(d, a, numbers_at(steps[p, 5], columns, like), rows, columns)
            elif code == CHANNELS:
                first_channel = (steps[p, 8] + start // columns) % steps[p, 7]
                _channels(d, numbers_at(steps[p, 3], steps[p, 7], like), first_channel, steps[p, 7], rows, columns)
            elif code == SUM_CHANNELS:
                first_channel = (steps[p, 8] + start // columns) % steps[p, 7]
                _sum_channels(numbers_at(steps[p, 1], steps[p, 7], like), a, first_channel, steps[p, 7], rows, columns)
            elif code == DESCEND:
                scalars[steps[p, 8]] += _descend(d, a, like.dtype.type(scalars[steps[p, 7]]), length)
            elif code == FILL:
                value = like.dtype.type(scalars[steps[p, 7]])
                for i in range(length):
                    d[i] = value
            elif code == SPREAD:
                _along_rows(
                    code, d, numbers_at(steps[p, 3] + steps[p, 4] * (start // columns), rows, like), rows, columns
                )
            elif code == SUM_ROWS:
                _along_rows(
                    code, numbers_at(steps[p, 1] + steps[p, 2] * (start // columns), rows, like), a, rows, columns
                )
            elif code in (TILE, ROW_SUM, ROW_MAX, SUM_COLUMNS):
                _along_rows(code, d, a, rows, columns)
            elif code == WHERE:
                b = numbers_at(steps[p, 5] + steps[p, 6] * start, length, like)
                c = numbers_at(steps[p, 7] + steps[p, 8] * start, length, like)
                for i in range(length):
                    d[i] = b[i] if a[i] != 0 else c[i]
            elif code == ADD_SCALED:  # a + s b
                b = numbers_at(steps[p, 5] + steps[p, 6] * start, length, like)
                s = like.dtype.type(scalars[steps[p, 7]])
                for i in range(length):
                    d[i] = a[i] + s * b[i]
            elif code == SCALED_SUM:  # s a + t b
                b = numbers_at(steps[p, 5] + steps[p, 6] * start, length, like)
                s = like.dtype.type(scalars[steps[p, 7]])
                t = like.dtype.type(scalars[steps[p, 8]])
                for i in range(length):
                    d[i] = s * a[i] + t * b[i]
            elif steps[p, 5] == 0:
                if steps[p, 7] >= 0:
                    _binary_vs(code, d, a, like.dtype.type(scalars[steps[p, 7]]), length)
                else:
                    _unary(code, d, a, length)
            else:
                _binary_vv(code, d, a, numbers_at(steps[p, 5] + steps[p, 6] * start, length, like), length)
        start += length
