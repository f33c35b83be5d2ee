"""The compiled loop: it walks the tables of operations, update after update, without touching Python.

`advance` returns to Python only when its updates are made, a cost was not finite, or nobody has looked at Ctrl-C for long.
Whatever it needs to know is a number in one of a few vectors; where they stand is named here.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from glassnet.engines.compiled import draws
from glassnet.engines.compiled.addresses import (
    PLAIN,
    TRANSPOSED,
    gemm,
    let_others_run,
    load_shared,
    numbers_at,
    store_shared,
    take_shared,
)
from glassnet.engines.compiled.blocks import FAST, SUM_ALL, SUM_SQUARES, run_vector
from glassnet.engines.compiled.kept import kept
from glassnet.engines.compiled.thin import dots, outer, shares

GEMM, VECTOR, ZERO, SCALAR, MASK, METRIC, DOTS, SHARES, OUTER, NARROW_FORWARD, NARROW_BACKWARD = range(11)
SPLIT = 16
"""In a row of the table of operations: where its parts stand, one a lane, when several threads share it."""
WIDTH = 18
"""Numbers in a row of the table of operations."""

SCALAR_CODES = (
    "copy", "add", "subtract", "multiply", "divide", "power", "gt", "lt", "ge", "le", "sqrt", "exp", "log", "abs", "max", "min",
)  # fmt: skip

# Whole numbers that say what to do.
(ITERATION, STOP, FIRST, PER_EPOCH, ROWS, BATCH, SHUFFLE, SEED, ORDER_EPOCH, STRIDE, SNAPSHOTS, EPOCHS, STATE, STATE_SIZE,
 GEMM_ADDRESS, YIELD_ADDRESS, FACTORS, ITEMSIZE, X, Y, W, BATCH_X, BATCH_Y, BATCH_W, FEATURES, OUTPUTS, TAKES_X, GATHERS, TILED,
 LAGS, QUIET, PENDING, LANES, SLOPE_SIZE, SLOT_M, SLOT_ALPHA, SLOT_T, SLOT_J, SLOT_L, SLOT_R, SLOT_SQUARES, SLOT_METRIC,
 METRICS, WEIGHTED, MEASURE_BEGIN, MEASURE_END, MEASURE_LAST, MEASURE_LAST_END, MEASURE_SIZE, MEASURE_M, MEASURE_L, MEASURE_S,
 MEASURE_METRIC, CHECK_X, CHECK_Y, CHECK_W, CHECK_ROWS, VALID_X, VALID_Y, VALID_W, VALID_ROWS, VALID_LAST, VALID_LAST_END,
 PENALTY_BEGIN, PENALTY_END, PENALTY_M, PENALTY_S, PENALTY_R, GIVEN, EXPLODED_AT, SERVES, SIZE) = range(72)  # fmt: skip

# Where the operations of an update stand, by batch size: before the tiles, after them, and the assignments.
PRE, PRE_END, POST, POST_END, UPDATE, UPDATE_END = range(6)

# A lane's share of a batch, tile by tile.
(LANE_FIRST, LANE_END, LANE_TILE, LANE_BEGIN, LANE_STOP, LANE_LAST, LANE_LAST_STOP, LANE_X, LANE_Y, LANE_W, LANE_SLOPES,
 LANE_SIZE) = range(12)  # fmt: skip

# What is said to a thread that helps.
POSTED, CLAIMED, DONE, JOB, WHERE, ROW, UPDATES, BEGIN, VARIANT = range(9)
OPERATION, TILES = 1, 2
PATIENCE = 4000
"""Looks at a mailbox before the core is offered to others."""

FINISHED, NOT_FINITE = 0, 1

# What has gathered within the epoch.
COSTS, SQUARES, LIMIT, EXPLODED_COST, TOTAL_WEIGHT = range(5)
# A row of the history, before the metrics.
ROW_COST, ROW_COSTS, ROW_SQUARES, ROW_RATE, ROW_PENALTY, ROW_VALIDATION = range(6)
HEAD = 6


@njit(error_model="numpy")
def _scalar(code, a, b):
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
def _metric(kind, A, Y, w, weighted, rows, columns, scalars, slot):
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
def _one(op, row, position, iteration, steps, scalars, factors, lane, plan):
    """One operation; `row` is where in X the rows begin that it reads in place, `position` where in the batch."""
    kind = op[0]
    if kind == GEMM:
        factors[0] = scalars[op[6]]
        factors[1] = scalars[op[10]]
        place = plan[FACTORS] + lane * factors.strides[0] * len(factors)
        gemm(
            plan[GEMM_ADDRESS], op[1], op[2], op[3], op[4], op[5], place, op[7] + op[13] * row, op[8], op[9] + op[14] * row,
            op[15], place + plan[ITEMSIZE], op[11], op[12],
        )  # fmt: skip
    elif kind == VECTOR:
        run_vector(op[1], op[2], op[3], op[4], op[5], steps, scalars, factors)
    elif kind == SCALAR:
        scalars[op[2]] = _scalar(op[1], scalars[op[3]], scalars[op[4]])
    elif kind == ZERO:
        numbers_at(op[1], op[2], factors)[:] = factors.dtype.type(0)
    elif kind == MASK:
        out = numbers_at(op[1], op[2], factors)
        draws.mask(np.uint64(plan[SEED]), iteration, op[3], np.uint64(op[4]), out, position * op[5], op[2])
    elif kind == METRIC:
        A = numbers_at(op[2], op[5] * op[6], factors)
        targets = numbers_at(op[3], op[5] * op[6], factors)
        weights = numbers_at(op[4], op[5] if op[4] else 0, factors)
        _metric(op[1], A, targets, weights, op[4] != 0, op[5], op[6], scalars, op[7])
    elif kind == DOTS:
        dots(op[1], op[2], op[3] + op[7] * row, op[4], op[5], op[6], factors)
    elif kind == SHARES:
        shares(op[1], op[2], op[3] + op[7] * row, op[4], op[5], op[6], factors)
    elif kind == OUTER:
        outer(op[1], op[2], op[3], op[4], op[5], op[6], factors)


@njit
def _take(source, target, columns, order, given, shuffled, start, size, like):
    """Copy rows to where the operations read them. `shuffled`: 0 as they come, 1 by `order`, 2 by `given`."""
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
def _bring(x, y, w, order, given, start, size, plan, like):
    """The rows of a batch, or of a tile of it, to the buffers x, y and w."""
    if plan[TAKES_X]:
        _take(plan[X], x, plan[FEATURES], order, given, plan[SHUFFLE], start, size, like)
    _take(plan[Y], y, plan[OUTPUTS], order, given, plan[SHUFFLE], start, size, like)
    if plan[WEIGHTED]:
        _take(plan[W], w, 1, order, given, plan[SHUFFLE], start, size, like)


@njit
def _job(
    lane, job, where, row, iteration, begin, variant, ops, steps, scalars, factors, lanes, sums_at, order, given, plan
):
    """A lane's share of an operation, or of the rows of a batch."""
    mine = scalars[lane]
    if lane:
        mine[:] = scalars[0]
    if job == OPERATION:
        op = ops[where + lane]
        if lane and op[0] == VECTOR:
            for p in range(op[4], op[4] + op[5]):
                if steps[p, 0] == SUM_ALL or steps[p, 0] == SUM_SQUARES:
                    mine[steps[p, 7]] = 0.0
        _one(op, row, 0, iteration, steps, mine, factors[lane], lane, plan)
        return
    share = lanes[variant, lane]
    if lane:
        for k in range(len(sums_at)):
            mine[sums_at[k]] = 0.0
        numbers_at(share[LANE_SLOPES], plan[SLOPE_SIZE], factors[lane])[:] = factors.dtype.type(0)
    at = share[LANE_FIRST]
    while at < share[LANE_END]:
        size = min(share[LANE_TILE], share[LANE_END] - at)
        _bring(share[LANE_X], share[LANE_Y], share[LANE_W], order, given, begin + at, size, plan, factors[lane])
        first, stop = share[LANE_BEGIN], share[LANE_STOP]
        if size < share[LANE_TILE]:
            first, stop = share[LANE_LAST], share[LANE_LAST_STOP]
        for p in range(first, stop):
            _one(ops[p], begin + at, at, iteration, steps, mine, factors[lane], lane, plan)
        at += size


@njit
def _together(
    job, where, row, iteration, begin, variant, ops, steps, scalars, factors, lanes, sums_at, mail, order, given, plan
):
    """A job shared by all lanes. What no other thread has begun when this one is ready, it does itself."""
    count = plan[LANES]
    for lane in range(1, count):
        post = mail[lane]
        post[JOB], post[WHERE], post[ROW], post[UPDATES], post[BEGIN], post[VARIANT] = (
            job,
            where,
            row,
            iteration,
            begin,
            variant,
        )
        store_shared(post, POSTED, post[POSTED] + 1)
    _job(
        0, job, where, row, iteration, begin, variant, ops, steps, scalars, factors, lanes, sums_at, order, given, plan
    )
    for lane in range(1, count):
        post = mail[lane]
        ticket = post[POSTED]
        if take_shared(post, CLAIMED, ticket - 1, ticket):
            _job(
                lane,
                job,
                where,
                row,
                iteration,
                begin,
                variant,
                ops,
                steps,
                scalars,
                factors,
                lanes,
                sums_at,
                order,
                given,
                plan,
            )
        else:
            looks = 0
            while load_shared(post, DONE) != ticket:
                looks += 1
                if looks > PATIENCE:
                    let_others_run(plan[YIELD_ADDRESS])
    if job == OPERATION:
        op = ops[where]
        if op[0] == VECTOR:
            for p in range(op[4], op[4] + op[5]):
                if steps[p, 0] == SUM_ALL or steps[p, 0] == SUM_SQUARES:
                    for lane in range(1, count):
                        scalars[0, steps[p, 7]] += scalars[lane, steps[p, 7]]
        return
    for lane in range(1, count):
        for k in range(len(sums_at)):
            scalars[0, sums_at[k]] += scalars[lane, sums_at[k]]
        _add(lanes[variant, 0, LANE_SLOPES], lanes[variant, lane, LANE_SLOPES], plan[SLOPE_SIZE], factors[0])


@njit(fastmath=FAST)
def _add(target, source, count, like):
    to, rest = numbers_at(target, count, like), numbers_at(source, count, like)
    for i in range(count):
        to[i] += rest[i]


@njit
def _serve(lane, ops, steps, scalars, factors, lanes, sums_at, mail, order, given, plan):
    """Help with what is posted, until −1 is."""
    post = mail[lane]
    looks = 0
    while True:
        ticket = load_shared(post, POSTED)
        if ticket < 0:
            return
        if ticket > load_shared(post, CLAIMED) and take_shared(post, CLAIMED, ticket - 1, ticket):
            _job(
                lane, post[JOB], post[WHERE], post[ROW], post[UPDATES], post[BEGIN], post[VARIANT], ops, steps, scalars, factors,
                lanes, sums_at, order, given[post[WHERE]] if post[JOB] == TILES else given[0], plan,
            )  # fmt: skip
            store_shared(post, DONE, ticket)
            looks = 0
        looks += 1
        if looks > PATIENCE:
            let_others_run(plan[YIELD_ADDRESS])


@njit
def _run(begin, end, row, iteration, ops, steps, scalars, factors, lanes, sums_at, mail, order, given, plan):
    """Operations `begin` to `end`, the large ones shared by the lanes."""
    for p in range(begin, end):
        if ops[p, SPLIT]:
            _together(
                OPERATION, ops[p, SPLIT], row, iteration, 0, 0, ops, steps, scalars, factors, lanes, sums_at, mail, order, given[0],
                plan,
            )  # fmt: skip
        else:
            _one(ops[p], row, 0, iteration, steps, scalars[0], factors[0], 0, plan)


@njit
def _forward(
    variant,
    start,
    size,
    epoch,
    iteration,
    ops,
    steps,
    ranges,
    scalars,
    factors,
    lanes,
    sums_at,
    mail,
    order,
    given,
    plan,
):
    """Everything before the assignments: values, cost and slopes of one batch."""
    mine = epoch - plan[GIVEN] if plan[SHUFFLE] == 2 else 0
    if plan[TILED]:
        _run(
            ranges[variant, PRE], ranges[variant, PRE_END], 0, iteration, ops, steps, scalars, factors, lanes, sums_at, mail, order,
            given, plan,
        )  # fmt: skip
        _together(
            TILES,
            mine,
            0,
            iteration,
            start,
            variant,
            ops,
            steps,
            scalars,
            factors,
            lanes,
            sums_at,
            mail,
            order,
            given[mine],
            plan,
        )
        _run(
            ranges[variant, POST], ranges[variant, POST_END], 0, iteration, ops, steps, scalars, factors, lanes, sums_at, mail,
            order, given, plan,
        )  # fmt: skip
        return
    if plan[GATHERS]:
        _bring(plan[BATCH_X], plan[BATCH_Y], plan[BATCH_W], order, given[mine], start, size, plan, factors[0])
    _run(
        ranges[variant, PRE], ranges[variant, PRE_END], start, iteration, ops, steps, scalars, factors, lanes, sums_at, mail, order,
        given, plan,
    )  # fmt: skip


@njit
def _measure(x, y, w, rows, last, last_end, ops, steps, scalars, factors, plan, totals):
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
        begin, end = plan[MEASURE_BEGIN], plan[MEASURE_END]
        if count < size:
            begin, end = last, last_end
        for p in range(begin, end):
            _one(ops[p], 0, 0, 0, steps, scalars, factors, 0, plan)
        weight = scalars[plan[MEASURE_S]] if plan[WEIGHTED] else np.float64(count)
        totals[0] += scalars[plan[MEASURE_L]] * weight
        totals[1] += weight
        for j in range(plan[METRICS]):
            totals[2 + j] += scalars[plan[MEASURE_METRIC] + j]
        start += count


@njit
def _lagging_row(row, scalars, plan, weight):
    """What the forward pass of the next update says of the parameters that the last one left."""
    row[ROW_COST] = scalars[plan[SLOT_L]]
    row[ROW_PENALTY] = scalars[plan[SLOT_R]] if plan[SLOT_R] >= 0 else 0.0
    for j in range(plan[METRICS]):
        row[HEAD + j] = scalars[plan[SLOT_METRIC] + j] / weight


@njit
def _measured_row(row, ops, steps, scalars, factors, plan, sums, totals):
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
            scalars[plan[PENALTY_M]] = sums[TOTAL_WEIGHT]
            scalars[plan[PENALTY_S]] = sums[TOTAL_WEIGHT]
            for p in range(plan[PENALTY_BEGIN], plan[PENALTY_END]):
                _one(ops[p], 0, 0, 0, steps, scalars, factors, 0, plan)
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
def advance(
    lane,
    plan,
    ops,
    steps,
    ranges,
    scalars,
    factors,
    lanes,
    sums_at,
    mail,
    alphas,
    numbers,
    order,
    other,
    given,
    rows,
    snapshots,
    marks,
    sums,
    totals,
):
    """Make updates until `plan[STOP]`; what happened stands in `plan`, `rows`, `snapshots` and `sums`.

    In another lane than the first: help with them.
    """
    if lane:
        _serve(lane, ops, steps, scalars, factors, lanes, sums_at, mail, order, given, plan)
        return FINISHED
    iteration, per_epoch, count, batch = plan[ITERATION], plan[PER_EPOCH], plan[ROWS], plan[BATCH]
    state = numbers_at(plan[STATE], plan[STATE_SIZE], factors)
    mine = scalars[0]
    epochs, taken, pending, result = 0, 0, -1, FINISHED
    while iteration < plan[STOP]:
        epoch = iteration // per_epoch
        position = iteration - epoch * per_epoch
        start = position * batch
        size = min(batch, count - start)
        if plan[SHUFFLE] == 1 and plan[ORDER_EPOCH] != epoch:
            draws.order(np.uint64(plan[SEED]), epoch, count, numbers, order, other)
            plan[ORDER_EPOCH] = epoch
        mine[plan[SLOT_M]] = size
        mine[plan[SLOT_ALPHA]] = alphas[iteration - plan[FIRST]]
        mine[plan[SLOT_T]] = iteration + 1
        variant = 0 if size == batch else 1
        _forward(
            variant,
            start,
            size,
            epoch,
            iteration,
            ops,
            steps,
            ranges,
            scalars,
            factors,
            lanes,
            sums_at,
            mail,
            order,
            given,
            plan,
        )
        J = mine[plan[SLOT_J]]
        if not math.isfinite(J):
            result = NOT_FINITE
            break
        if pending >= 0:
            _lagging_row(rows[pending], mine, plan, sums[TOTAL_WEIGHT])
            pending = -1
        _run(
            ranges[variant, UPDATE], ranges[variant, UPDATE_END], start, iteration, ops, steps, scalars, factors, lanes, sums_at,
            mail, order, given, plan,
        )  # fmt: skip
        sums[COSTS] += J * size
        sums[SQUARES] += mine[plan[SLOT_SQUARES]]
        if sums[LIMIT] < J and plan[EXPLODED_AT] < 0:
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
                _measured_row(rows[epochs], ops, steps, mine, factors[0], plan, sums, totals)
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
        _forward(
            0, 0, count, 0, iteration, ops, steps, ranges, scalars, factors, lanes, sums_at, mail, order, given, plan
        )
        _lagging_row(rows[pending], mine, plan, sums[TOTAL_WEIGHT])
    plan[PENDING] = pending if result == NOT_FINITE else -1
    plan[ITERATION], plan[EPOCHS], plan[SNAPSHOTS] = iteration, epochs, taken
    for helper in range(1, plan[LANES]):
        store_shared(mail[helper], POSTED, -1)
    return result


def gemm_flags(transposed: bool) -> int:
    """BLAS's letter for a factor as it stands, or transposed."""
    return TRANSPOSED if transposed else PLAIN
