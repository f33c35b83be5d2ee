"""The compiled loop: it walks the tables of operations, update after update, without touching Python.

`advance` returns to Python only when its updates are made, a cost was not finite, or nobody has looked at Ctrl-C for long.
Whatever it needs to know is a number in one of a few vectors; where they stand is named here.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from glassnet.engines.compiled import draws
from glassnet.engines.compiled.addresses import PLAIN, TRANSPOSED, gemm, numbers_at
from glassnet.engines.compiled.blocks import FAST, run_vector
from glassnet.engines.compiled.kept import kept

GEMM, VECTOR, ZERO, SCALAR, MASK, METRIC = range(6)
WIDTH = 16
"""Numbers in a row of the table of operations."""

SCALAR_CODES = (
    "copy", "add", "subtract", "multiply", "divide", "power", "gt", "lt", "ge", "le", "sqrt", "exp", "log", "abs", "max", "min",
)  # fmt: skip

# Whole numbers that say what to do.
(ITERATION, STOP, FIRST, PER_EPOCH, ROWS, BATCH, SHUFFLE, SEED, ORDER_EPOCH, STRIDE, SNAPSHOTS, EPOCHS, STATE, STATE_SIZE,
 GEMM_ADDRESS, FACTORS, ITEMSIZE, X, Y, W, BATCH_X, BATCH_Y, BATCH_W, FEATURES, OUTPUTS, TAKES_X, LAGS, PENDING,
 FULL_BEGIN, FULL_UPDATE, FULL_END, LAST_BEGIN, LAST_UPDATE, LAST_END, SLOT_M, SLOT_ALPHA, SLOT_T, SLOT_J, SLOT_L, SLOT_R,
 SLOT_SQUARES, SLOT_METRIC, METRICS, WEIGHTED, SLOT_WEIGHT,
 MEASURE_BEGIN, MEASURE_END, MEASURE_LAST, MEASURE_LAST_END, MEASURE_SIZE, MEASURE_M, MEASURE_L, MEASURE_S, MEASURE_METRIC,
 MEASURE_TAKES_X, MEASURE_FROM, CHECK_X, CHECK_Y, CHECK_W, CHECK_ROWS, VALID_X, VALID_Y, VALID_W, VALID_ROWS,
 VALID_LAST, VALID_LAST_END, PENALTY_BEGIN, PENALTY_END, PENALTY_M, PENALTY_S, PENALTY_R, GIVEN, EXPLODED_AT, GATHERS, QUIET, SIZE) = range(76)  # fmt: skip

FINISHED, NOT_FINITE = 0, 1

# What has gathered within the epoch.
COSTS, SQUARES, LIMIT, EXPLODED_COST, TOTAL_WEIGHT, PENALTY_WEIGHT = range(6)
# A row of the history, before the metrics.
ROW_COST, ROW_COSTS, ROW_SQUARES, ROW_RATE, ROW_PENALTY, ROW_VALIDATION = range(6)
HEAD = 6


@njit(error_model="numpy")
def _scalar(code, a, b):  # type: ignore[no-untyped-def]
    value = a
    if code == 1:
        value = a + b
    elif code == 2:
        value = a - b
    elif code == 3:
        value = a * b
    elif code == 4:
        value = a / b
    elif code == 5:
        value = a**b
    elif code == 6:
        value = 1.0 if a > b else 0.0
    elif code == 7:
        value = 1.0 if a < b else 0.0
    elif code == 8:
        value = 1.0 if a >= b else 0.0
    elif code == 9:
        value = 1.0 if a <= b else 0.0
    elif code == 10:
        value = math.sqrt(a)
    elif code == 11:
        value = math.exp(a)
    elif code == 12:
        value = math.log(a)
    elif code == 13:
        value = abs(a)
    elif code == 14:
        value = max(a, b)
    elif code == 15:
        value = min(a, b)
    return value


@njit(fastmath=FAST, error_model="numpy")
def _metric(kind, A, Y, w, weighted, rows, columns, scalars, slot):  # type: ignore[no-untyped-def]
    """Adds hits (kinds 0 to 2) or squared errors by output (kind 3) to the slots."""
    if kind == 3:
        for j in range(columns):
            total = 0.0
            for r in range(rows):
                error = np.float64(Y[r * columns + j]) - np.float64(A[r * columns + j])
                total += error * error * (np.float64(w[r]) if weighted else 1.0)
            scalars[slot + j] += total
        return
    hits = 0.0
    for r in range(rows):
        right = True
        if kind == 0:
            best, wanted = 0, 0
            for j in range(1, columns):
                if A[r * columns + j] > A[r * columns + best]:
                    best = j
                if Y[r * columns + j] > Y[r * columns + wanted]:
                    wanted = j
            right = best == wanted
        elif kind == 1:
            for j in range(columns):
                right = right and (A[r * columns + j] >= 0.5) == (Y[r * columns + j] >= 0.5)
        else:
            for j in range(columns):
                right = right and (A[r * columns + j] > 0) == (Y[r * columns + j] > 0)
        if right:
            hits += np.float64(w[r]) if weighted else 1.0
    scalars[slot] += hits


@njit
def execute(begin, end, row, iteration, ops, steps, scalars, factors, plan):  # type: ignore[no-untyped-def]
    """Operations `begin` to `end`; `row` is the first row of X that they read, where they read it in place."""
    for p in range(begin, end):
        op = ops[p]
        kind = op[0]
        if kind == GEMM:
            factors[0] = scalars[op[6]]
            factors[1] = scalars[op[10]]
            gemm(
                plan[GEMM_ADDRESS], op[1], op[2], op[3], op[4], op[5], plan[FACTORS], op[7] + op[13] * row, op[8],
                op[9] + op[14] * row, op[15], plan[FACTORS] + plan[ITEMSIZE], op[11], op[12],
            )  # fmt: skip
        elif kind == VECTOR:
            run_vector(op[1], op[2], op[3], op[4], op[5], steps, scalars, factors)
        elif kind == SCALAR:
            scalars[op[2]] = _scalar(op[1], scalars[op[3]], scalars[op[4]])
        elif kind == ZERO:
            numbers_at(op[1], op[2], factors)[:] = factors.dtype.type(0)
        elif kind == MASK:
            out = numbers_at(op[1], op[2], factors)
            draws.mask(np.uint64(plan[SEED]), iteration, op[3], np.uint64(op[4]), out, op[2])
        elif kind == METRIC:
            A = numbers_at(op[2], op[5] * op[6], factors)
            targets = numbers_at(op[3], op[5] * op[6], factors)
            weights = numbers_at(op[4], op[5] if op[4] else 0, factors)
            for j in range(op[8]):
                scalars[op[7] + j] = 0.0
            _metric(op[1], A, targets, weights, op[4] != 0, op[5], op[6], scalars, op[7])


@njit
def _take(source, target, columns, order, given, shuffled, start, size, like):  # type: ignore[no-untyped-def]
    """Copy a batch's rows to where the operations read them. `shuffled`: 0 as they come, 1 by `order`, 2 by `given`."""
    to = numbers_at(target, size * columns, like)
    if shuffled == 0:
        to[:] = numbers_at(source + start * columns * like.itemsize, size * columns, like)
        return
    for r in range(size):
        row = np.int64(order[start + r]) if shuffled == 1 else given[start + r]
        rest = numbers_at(source + row * columns * like.itemsize, columns, like)
        for j in range(columns):
            to[r * columns + j] = rest[j]


@njit
def _measure(x, y, w, rows, last, last_end, ops, steps, scalars, factors, plan, totals):  # type: ignore[no-untyped-def]
    """Cost, and hits or squared errors, of the present parameters on these rows; chunk by chunk, in their order."""
    totals[:] = 0.0
    size, start = plan[MEASURE_SIZE], 0
    order, given = np.empty(0, np.uint32), np.empty(0, np.int64)
    while start < rows:
        count = min(size, rows - start)
        _take(y, plan[BATCH_Y], plan[OUTPUTS], order, given, 0, start, count, factors)
        if plan[WEIGHTED]:
            _take(w, plan[BATCH_W], 1, order, given, 0, start, count, factors)
        _take(x, plan[BATCH_X], plan[FEATURES], order, given, 0, start, count, factors)
        scalars[plan[MEASURE_M]] = count
        if count == size:
            execute(plan[MEASURE_BEGIN], plan[MEASURE_END], 0, 0, ops, steps, scalars, factors, plan)
        else:
            execute(last, last_end, 0, 0, ops, steps, scalars, factors, plan)
        weight = scalars[plan[MEASURE_S]] if plan[WEIGHTED] else np.float64(count)
        totals[0] += scalars[plan[MEASURE_L]] * weight
        totals[1] += weight
        for j in range(plan[METRICS]):
            totals[2 + j] += scalars[plan[MEASURE_METRIC] + j]
        start += count


@njit
def _lagging_row(row, scalars, plan, weight):  # type: ignore[no-untyped-def]
    """What the forward pass of the next update says of the parameters that the last one left."""
    row[ROW_COST] = scalars[plan[SLOT_L]]
    row[ROW_PENALTY] = scalars[plan[SLOT_R]] if plan[SLOT_R] >= 0 else 0.0
    for j in range(plan[METRICS]):
        row[HEAD + j] = scalars[plan[SLOT_METRIC] + j] / weight


@njit
def _measured_row(row, ops, steps, scalars, factors, plan, sums, totals):  # type: ignore[no-untyped-def]
    if not plan[LAGS]:
        _measure(
            plan[CHECK_X], plan[CHECK_Y], plan[CHECK_W], plan[CHECK_ROWS], plan[MEASURE_LAST], plan[MEASURE_LAST_END], ops,
            steps, scalars, factors, plan, totals,
        )  # fmt: skip
        row[ROW_COST] = totals[0] / totals[1]
        for j in range(plan[METRICS]):
            row[HEAD + j] = totals[2 + j] / totals[1]
        row[ROW_PENALTY] = 0.0
        if plan[PENALTY_R] >= 0:
            scalars[plan[PENALTY_M]] = sums[PENALTY_WEIGHT]
            scalars[plan[PENALTY_S]] = sums[PENALTY_WEIGHT]
            execute(plan[PENALTY_BEGIN], plan[PENALTY_END], 0, 0, ops, steps, scalars, factors, plan)
            row[ROW_PENALTY] = scalars[plan[PENALTY_R]]
    if plan[VALID_ROWS]:
        _measure(
            plan[VALID_X], plan[VALID_Y], plan[VALID_W], plan[VALID_ROWS], plan[VALID_LAST], plan[VALID_LAST_END], ops, steps,
            scalars, factors, plan, totals,
        )  # fmt: skip
        row[ROW_VALIDATION] = totals[0] / totals[1]
        for j in range(plan[METRICS]):
            row[HEAD + plan[METRICS] + j] = totals[2 + j] / totals[1]


@kept
def advance(plan, ops, steps, scalars, factors, alphas, numbers, order, other, given, rows, snapshots, marks, sums, totals):  # type: ignore[no-untyped-def]
    """Make updates until `plan[STOP]`; what happened stands in `plan`, `rows`, `snapshots` and `sums`."""
    iteration, per_epoch, count, batch = plan[ITERATION], plan[PER_EPOCH], plan[ROWS], plan[BATCH]
    state = numbers_at(plan[STATE], plan[STATE_SIZE], factors)
    epochs, taken, pending, result = 0, 0, -1, FINISHED
    while iteration < plan[STOP]:
        epoch = iteration // per_epoch
        position = iteration - epoch * per_epoch
        start, size, row = position * batch, count, 0
        if plan[GATHERS]:
            size = min(batch, count - start)
            if plan[SHUFFLE] == 1 and plan[ORDER_EPOCH] != epoch:
                draws.order(np.uint64(plan[SEED]), epoch, count, numbers, order, other)
                plan[ORDER_EPOCH] = epoch
            mine = given[epoch - plan[GIVEN]] if plan[SHUFFLE] == 2 else given[0]
            if plan[TAKES_X]:
                _take(plan[X], plan[BATCH_X], plan[FEATURES], order, mine, plan[SHUFFLE], start, size, factors)
            else:
                row = start
            _take(plan[Y], plan[BATCH_Y], plan[OUTPUTS], order, mine, plan[SHUFFLE], start, size, factors)
            if plan[WEIGHTED]:
                _take(plan[W], plan[BATCH_W], 1, order, mine, plan[SHUFFLE], start, size, factors)
        scalars[plan[SLOT_M]] = size
        scalars[plan[SLOT_ALPHA]] = alphas[iteration - plan[FIRST]]
        scalars[plan[SLOT_T]] = iteration + 1
        if size == batch:
            begin, update, end = plan[FULL_BEGIN], plan[FULL_UPDATE], plan[FULL_END]
        else:
            begin, update, end = plan[LAST_BEGIN], plan[LAST_UPDATE], plan[LAST_END]
        execute(begin, update, row, iteration, ops, steps, scalars, factors, plan)
        J = scalars[plan[SLOT_J]]
        if not math.isfinite(J):
            result = NOT_FINITE
            break
        if pending >= 0:
            _lagging_row(rows[pending], scalars, plan, sums[TOTAL_WEIGHT])
            pending = -1
        execute(update, end, row, iteration, ops, steps, scalars, factors, plan)
        sums[COSTS] += J * size
        sums[SQUARES] += scalars[plan[SLOT_SQUARES]]
        if J > sums[LIMIT] and plan[EXPLODED_AT] < 0:
            plan[EXPLODED_AT] = iteration + 1
            sums[EXPLODED_COST] = J
        iteration += 1
        if position == per_epoch - 1:
            rows[epochs, ROW_COSTS] = sums[COSTS]
            rows[epochs, ROW_SQUARES] = sums[SQUARES]
            rows[epochs, ROW_RATE] = alphas[iteration - 1 - plan[FIRST]]
            sums[COSTS] = 0.0
            sums[SQUARES] = 0.0
            if not plan[QUIET]:
                _measured_row(rows[epochs], ops, steps, scalars, factors, plan, sums, totals)
            if plan[LAGS]:
                pending = epochs
            epochs += 1
        if plan[STRIDE] and iteration % plan[STRIDE] == 0 and taken < len(snapshots):
            snapshots[taken, :] = state
            marks[taken, 0] = iteration
            marks[taken, 1] = sums[COSTS]
            marks[taken, 2] = sums[SQUARES]
            taken += 1
    if pending >= 0 and result == FINISHED and not plan[QUIET]:
        execute(plan[FULL_BEGIN], plan[FULL_UPDATE], 0, iteration, ops, steps, scalars, factors, plan)
        _lagging_row(rows[pending], scalars, plan, sums[TOTAL_WEIGHT])
    plan[PENDING] = pending if result == NOT_FINITE else -1
    plan[ITERATION], plan[EPOCHS], plan[SNAPSHOTS] = iteration, epochs, taken
    return result


def gemm_flags(transposed: bool) -> int:
    """BLAS's letter for a factor as it stands, or transposed."""
    return TRANSPOSED if transposed else PLAIN
