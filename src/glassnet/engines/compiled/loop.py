"""The compiled loop: it walks the tables of operations, update after update, without touching Python.

`advance` returns to Python only when its updates are made, a cost was not finite, or nobody has looked at Ctrl-C for long.
Whatever it needs to know is a number in one of a few vectors; where they stand is named here.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

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
from glassnet.engines.compiled.blocks import FAST, run_vector
from glassnet.engines.compiled.convolution import convolve, pool
from glassnet.engines.compiled.kept import kept
from glassnet.engines.compiled.narrow import narrow_backward, narrow_forward
from glassnet.engines.compiled.thin import dots, outer, shares

(GEMM, VECTOR, ZERO, SCALAR, MASK, METRIC, DOTS, SHARES, OUTER, RANGE, NARROW_FORWARD, NARROW_BACKWARD, CONVOLVE,
 POOL) = range(14)  # fmt: skip
SPLIT = 16
"""In a row of the table of operations: where its parts stand, one a lane, when several threads share it."""
PART_TARGET, PART_PRIVATE, PART_COUNT = 13, 14, 15
"""In a lane's part of a product: where its sum belongs, where it has been made, and how many numbers it has."""
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
 PENALTY_BEGIN, PENALTY_END, PENALTY_M, PENALTY_S, PENALTY_R, GIVEN, EXPLODED_AT, ONLY_MEASURES, SIZE) = range(72)  # fmt: skip

# Where the operations of an update stand, by batch size: before the tiles, after them, and the assignments.
PRE, PRE_END, POST, POST_END, UPDATE, UPDATE_END = range(6)

# A lane's share of a batch, tile by tile.
(LANE_FIRST, LANE_END, LANE_TILE, LANE_BEGIN, LANE_STOP, LANE_LAST, LANE_LAST_STOP, LANE_X, LANE_Y, LANE_W, LANE_SLOPES,
 LANE_FIRST_COLUMN, LANE_LAST_COLUMN, LANE_SIZE) = range(14)  # fmt: skip

# What is said to a thread that helps. What one thread watches while another writes stands on a cache line of its own.
POSTED, CLAIMED, DONE = 0, 16, 32
JOB, WHERE, ROW, UPDATES, BEGIN, VARIANT = range(48, 54)
MAIL = 64
OPERATION, TILES, GATHER = 1, 2, 3
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
    if columns == 1 and kind == 1 and not weighted:
        right_ones = 0
        half = A.dtype.type(0.5)
        for r in range(rows):
            right_ones += (A[r] >= half) == (Y[r] >= half)
        scalars[slot] += right_ones
        return
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


NONE, ONE = np.int64(0), np.int64(1)
"""Typed numbers: a plain 0 among the arguments makes Numba compile a function once more for just that 0."""


class Tables(NamedTuple):
    """What every part of the loop looks at, in one argument."""

    plan: Any
    ops: Any
    steps: Any
    ranges: Any
    scalars: Any
    factors: Any
    lanes: Any
    sums_at: Any
    mail: Any
    order: Any
    given: Any


@njit
def _many(begin, end, row, position, iteration, lane, t):
    """Operations `begin` to `end`; `row` is where in X the rows begin that are read in place, `position` where in the batch."""
    ops, steps, plan = t.ops, t.steps, t.plan
    scalars, factors = t.scalars[lane], t.factors[lane]
    place = plan[FACTORS] + lane * factors.itemsize * len(factors)
    for p in range(begin, end):
        kind = ops[p, 0]
        if kind == GEMM:
            factors[0] = scalars[ops[p, 6]]
            factors[1] = scalars[ops[p, 10]]
            a, b = ops[p, 7] + ops[p, 13] * row, ops[p, 9] + ops[p, 14] * row
            gemm(
                plan[GEMM_ADDRESS], ops[p, 1], ops[p, 2], ops[p, 3], ops[p, 4], ops[p, 5], place, a, ops[p, 8], b, ops[p, 15],
                place + plan[ITEMSIZE], ops[p, 11], ops[p, 12],
            )  # fmt: skip
        elif kind == VECTOR:
            run_vector(ops[p, 1], ops[p, 2], ops[p, 3], ops[p, 4], ops[p, 5], steps, scalars, factors)
        elif kind == SCALAR:
            scalars[ops[p, 2]] = _scalar(ops[p, 1], scalars[ops[p, 3]], scalars[ops[p, 4]])
        elif kind == ZERO:
            numbers_at(ops[p, 1], ops[p, 2], factors)[:] = factors.dtype.type(0)
        elif kind == MASK:
            out = numbers_at(ops[p, 1], ops[p, 2], factors)
            draws.mask(
                np.uint64(plan[SEED]), iteration, ops[p, 3], np.uint64(ops[p, 4]), out, position * ops[p, 5], ops[p, 2]
            )
        elif kind == METRIC:
            A = numbers_at(ops[p, 2], ops[p, 5] * ops[p, 6], factors)
            targets = numbers_at(ops[p, 3], ops[p, 5] * ops[p, 6], factors)
            weights = numbers_at(ops[p, 4], ops[p, 5] if ops[p, 4] else 0, factors)
            _metric(ops[p, 1], A, targets, weights, ops[p, 4] != 0, ops[p, 5], ops[p, 6], scalars, ops[p, 7])
        elif kind == DOTS:
            dots(ops[p, 1], ops[p, 2], ops[p, 3] + ops[p, 7] * row, ops[p, 4], ops[p, 5], ops[p, 6], factors)
        elif kind == SHARES:
            shares(
                ops[p, 1],
                ops[p, 2],
                ops[p, 3] + ops[p, 7] * row,
                ops[p, 4] + ops[p, 8] * row,
                ops[p, 5],
                ops[p, 6],
                factors,
            )
        elif kind == OUTER:
            outer(ops[p, 1], ops[p, 2], ops[p, 3], ops[p, 4], ops[p, 5], ops[p, 6], factors)
        elif kind == CONVOLVE:
            convolve(
                ops[p, 1], plan[GEMM_ADDRESS], ops[p, 2], ops[ops[p, 3]], ops[p, 4] + ops[p, 10] * row, ops[p, 5], ops[p, 6],
                ops[p, 7], ops[p, 8] != 0, ops[p, 9], place, factors,
            )  # fmt: skip
        elif kind == POOL:
            pool(
                ops[p, 1], ops[p, 2], ops[ops[p, 3]], ops[p, 4] + ops[p, 7] * row, ops[p, 5], ops[p, 6] + ops[p, 8] * row,
                factors,
            )  # fmt: skip
        elif kind == NARROW_FORWARD:
            narrow_forward(
                ops[p, 1], ops[p, 2], ops[p, 3], ops[p, 4], ops[p, 5], ops[p, 6] + ops[p, 7] * row, ops[p, 8], ops[p, 9],
                ops[p, 10], ops[p, 11], ops[p, 12], ops[p, 13], ops[p, 14], ops[p, 15], factors,
            )  # fmt: skip
        elif kind == NARROW_BACKWARD:
            narrow_backward(
                ops[p, 1], ops[p, 2], ops[p, 3], ops[p, 4], ops[p, 5], ops[p, 6], ops[p, 7], ops[p, 8], ops[p, 9], ops[p, 10],
                ops[p, 11], ops[p, 12], ops[p, 13], ops[p, 14], factors,
            )  # fmt: skip


@njit
def _take(source, target, columns, first, stop, way, line, start, size, t):
    """Copy rows to where the operations read them, in the `way` 0 as they come, 1 by `order`, 2 by a line of `given`.

    Of each row of so many columns, those from `first` to `stop`.
    """
    like = t.factors[0]
    if way == 0 and stop - first == columns:  # whole rows in their order are one piece of memory
        everything = numbers_at(target, size * columns, like)
        given = numbers_at(source + start * columns * like.itemsize, size * columns, like)
        for j in range(size * columns):
            everything[j] = given[j]
        return
    for r in range(size):
        row = start + r
        if way == 1:
            row = np.int64(t.order[row])
        elif way == 2:
            row = t.given[line, row]
        to = numbers_at(target + (r * columns + first) * like.itemsize, stop - first, like)
        rest = numbers_at(source + (row * columns + first) * like.itemsize, stop - first, like)
        for j in range(stop - first):
            to[j] = rest[j]


@njit
def _bring(x, y, w, line, start, size, t):
    """The rows of a batch, or of a tile of it, to the buffers x, y and w."""
    plan = t.plan
    if x:
        _take(plan[X], x, plan[FEATURES], NONE, plan[FEATURES], plan[SHUFFLE], line, start, size, t)
    _take(plan[Y], y, plan[OUTPUTS], NONE, plan[OUTPUTS], plan[SHUFFLE], line, start, size, t)
    if plan[WEIGHTED]:
        _take(plan[W], w, ONE, NONE, ONE, plan[SHUFFLE], line, start, size, t)


@njit
def _job(lane, job, where, row, iteration, begin, variant, t):
    """A lane's share of an operation, or of the rows of a batch."""
    ops, plan = t.ops, t.plan
    mine, share = t.scalars[lane], t.lanes[variant, lane]
    if lane:
        mine[:] = t.scalars[0]
    if job == GATHER:  # a lane brings the columns that it will multiply by its rows of the weights
        first, stop = share[LANE_FIRST_COLUMN], share[LANE_LAST_COLUMN]
        _take(plan[X], plan[BATCH_X], plan[FEATURES], first, stop, plan[SHUFFLE], where, begin, row, t)
        return
    at, end, tile, first, stop, position = NONE, ONE, ONE, NONE, NONE, NONE
    if job == OPERATION:
        first, stop = ops[where + lane, 1], ops[where + lane, 2]
        if lane:
            for k in range(ops[where + lane, 3]):
                mine[ops[where + lane, 4 + k]] = 0.0
    else:
        at, end, tile = share[LANE_FIRST], share[LANE_END], share[LANE_TILE]
        if lane:
            for k in range(len(t.sums_at)):
                mine[t.sums_at[k]] = 0.0
            numbers_at(share[LANE_SLOPES], plan[SLOPE_SIZE], t.factors[0])[:] = t.factors.dtype.type(0)
    while at < end:
        size = min(tile, end - at)
        if job == TILES:
            _bring(share[LANE_X] if plan[TAKES_X] else NONE, share[LANE_Y], share[LANE_W], where, begin + at, size, t)
            first, stop, row, position = share[LANE_BEGIN], share[LANE_STOP], begin + at, at
            if size < tile:
                first, stop = share[LANE_LAST], share[LANE_LAST_STOP]
        _many(first, stop, row, position, iteration, lane, t)
        at += size


@njit
def _together(job, where, row, iteration, begin, variant, t):
    """A job shared by all lanes. What no other thread has begun when this one is ready, it does itself."""
    count = t.plan[LANES]
    for lane in range(1, count):
        post = t.mail[lane]
        post[JOB], post[WHERE], post[ROW], post[UPDATES], post[BEGIN], post[VARIANT] = (
            job,
            where,
            row,
            iteration,
            begin,
            variant,
        )
        store_shared(post, POSTED, post[POSTED] + 1)
    for lane in range(count):
        post = t.mail[lane]
        ticket = post[POSTED]
        if lane == 0 or take_shared(post, CLAIMED, ticket - 1, ticket):
            _job(lane, job, where, row, iteration, begin, variant, t)
            continue
        looks = 0
        while load_shared(post, DONE) != ticket:
            looks += 1
            if looks > PATIENCE:
                let_others_run(t.plan[YIELD_ADDRESS])
    for lane in range(1, count):
        if job == OPERATION:
            part = where + lane
            for k in range(t.ops[part, 3]):
                t.scalars[0, t.ops[part, 4 + k]] += t.scalars[lane, t.ops[part, 4 + k]]
            if t.ops[part, PART_COUNT]:
                _add(t.ops[part, PART_TARGET], t.ops[part, PART_PRIVATE], t.ops[part, PART_COUNT], t.factors[0])
        elif job == TILES:
            for k in range(len(t.sums_at)):
                t.scalars[0, t.sums_at[k]] += t.scalars[lane, t.sums_at[k]]
            _add(
                t.lanes[variant, 0, LANE_SLOPES], t.lanes[variant, lane, LANE_SLOPES], t.plan[SLOPE_SIZE], t.factors[0]
            )


@njit(fastmath=FAST)
def _add(target, source, count, like):
    to, rest = numbers_at(target, count, like), numbers_at(source, count, like)
    for i in range(count):
        to[i] += rest[i]


@njit
def _serve(lane, t):
    """Help with what is posted, until −1 is."""
    post = t.mail[lane]
    looks = 0
    while True:
        ticket = load_shared(post, POSTED)
        if ticket < 0:
            return
        if ticket > load_shared(post, CLAIMED) and take_shared(post, CLAIMED, ticket - 1, ticket):
            _job(lane, post[JOB], post[WHERE], post[ROW], post[UPDATES], post[BEGIN], post[VARIANT], t)
            store_shared(post, DONE, ticket)
            looks = 0
        looks += 1
        if looks > PATIENCE:
            let_others_run(t.plan[YIELD_ADDRESS])


@njit
def _run(begin, end, row, iteration, t):
    """Operations `begin` to `end`, the large ones shared by the lanes."""
    p = begin
    while p < end:
        stop = p
        while stop < end and not t.ops[stop, SPLIT]:
            stop += 1
        _many(p, stop, row, NONE, iteration, NONE, t)
        if stop < end:
            _together(np.int64(OPERATION), t.ops[stop, SPLIT], row, iteration, NONE, NONE, t)
        p = stop + 1


@njit
def _forward(variant, start, size, line, iteration, t):
    """Everything before the assignments, or at least up to the cost, of one batch."""
    plan, ranges = t.plan, t.ranges[variant]
    if plan[GATHERS] and not plan[TILED]:
        shared = plan[TAKES_X] and plan[LANES] > 1
        _bring(
            plan[BATCH_X] if plan[TAKES_X] and not shared else NONE, plan[BATCH_Y], plan[BATCH_W], line, start, size, t
        )
        if shared:
            _together(np.int64(GATHER), line, size, iteration, start, variant, t)
    _run(ranges[PRE], ranges[PRE_END], start, iteration, t)
    if plan[TILED]:
        _together(np.int64(TILES), line, NONE, iteration, start, variant, t)
        _run(ranges[POST], ranges[POST_END], NONE, iteration, t)


@njit
def _measure(held, t, totals):
    """Cost, and hits or squared errors, of the present parameters: on the held-out rows, or on those that are checked."""
    plan, scalars = t.plan, t.scalars[0]
    x, y, w, rows, last, last_end = (
        plan[CHECK_X], plan[CHECK_Y], plan[CHECK_W], plan[CHECK_ROWS], plan[MEASURE_LAST], plan[MEASURE_LAST_END],
    )  # fmt: skip
    if held:
        x, y, w, rows = plan[VALID_X], plan[VALID_Y], plan[VALID_W], plan[VALID_ROWS]
        last, last_end = plan[VALID_LAST], plan[VALID_LAST_END]
    totals[:] = 0.0
    start = NONE
    while start < rows:
        count = min(plan[MEASURE_SIZE], rows - start)
        _take(y, plan[BATCH_Y], plan[OUTPUTS], NONE, plan[OUTPUTS], NONE, NONE, start, count, t)
        if plan[WEIGHTED]:
            _take(w, plan[BATCH_W], ONE, NONE, ONE, NONE, NONE, start, count, t)
        _take(x, plan[BATCH_X], plan[FEATURES], NONE, plan[FEATURES], NONE, NONE, start, count, t)
        scalars[plan[MEASURE_M]] = count
        begin, end = plan[MEASURE_BEGIN], plan[MEASURE_END]
        if count < plan[MEASURE_SIZE]:
            begin, end = last, last_end
        _run(begin, end, NONE, NONE, t)
        weight = scalars[plan[MEASURE_S]] if plan[WEIGHTED] else np.float64(count)
        totals[0] += scalars[plan[MEASURE_L]] * weight
        totals[1] += weight
        for j in range(plan[METRICS]):
            totals[2 + j] += scalars[plan[MEASURE_METRIC] + j]
        start += count


@njit
def _lagging_row(row, weight, t):
    """What the forward pass of the next update says of the parameters that the last one left."""
    plan, scalars = t.plan, t.scalars[0]
    row[ROW_COST] = scalars[plan[SLOT_L]]
    row[ROW_PENALTY] = scalars[plan[SLOT_R]] if plan[SLOT_R] >= 0 else 0.0
    for j in range(plan[METRICS]):
        row[HEAD + j] = scalars[plan[SLOT_METRIC] + j] / weight


@njit
def _measured_row(row, sums, totals, t):
    plan, scalars = t.plan, t.scalars[0]
    for held in range(2):
        wanted = plan[VALID_ROWS] if held else not plan[LAGS]
        if not wanted:
            continue
        _measure(held, t, totals)
        row[ROW_VALIDATION if held else ROW_COST] = totals[0] / totals[1]
        for j in range(plan[METRICS]):
            row[HEAD + (plan[METRICS] if held else 0) + j] = totals[2 + j] / totals[1]
    if not plan[LAGS]:
        row[ROW_PENALTY] = 0.0
        if plan[PENALTY_R] >= 0:
            scalars[plan[PENALTY_M]] = sums[TOTAL_WEIGHT]
            scalars[plan[PENALTY_S]] = sums[TOTAL_WEIGHT]
            _many(plan[PENALTY_BEGIN], plan[PENALTY_END], NONE, NONE, NONE, NONE, t)
            row[ROW_PENALTY] = scalars[plan[PENALTY_R]]


@kept
def advance(lane, t, alphas, numbers, other, rows, snapshots, marks, sums, totals):
    """Make updates until `plan[STOP]`, or only measure the state.

    What happened stands in `plan`, `rows`, `snapshots` and `sums`.

    In another lane than the first: help with them.
    """
    if lane:
        _serve(lane, t)
        return FINISHED
    plan, mine = t.plan, t.scalars[0]
    if plan[ONLY_MEASURES]:
        _measured_row(rows[0], sums, totals, t)
        for helper in range(1, plan[LANES]):
            store_shared(t.mail[helper], POSTED, -1)
        return FINISHED
    iteration, per_epoch, count, batch = plan[ITERATION], plan[PER_EPOCH], plan[ROWS], plan[BATCH]
    state = numbers_at(plan[STATE], plan[STATE_SIZE], t.factors[0])
    epochs, taken, pending, result = 0, 0, -1, FINISHED
    while True:
        finished = iteration >= plan[STOP]
        if finished and (pending < 0 or plan[QUIET]):
            break
        epoch = iteration // per_epoch
        position = iteration - epoch * per_epoch
        start = position * batch
        size = min(batch, count - start)
        if plan[SHUFFLE] == 1 and plan[ORDER_EPOCH] != epoch:
            draws.order(np.uint64(plan[SEED]), epoch, count, numbers, t.order, other)
            plan[ORDER_EPOCH] = epoch
        line = epoch - plan[GIVEN] if plan[SHUFFLE] == 2 else NONE
        mine[plan[SLOT_M]] = size
        mine[plan[SLOT_ALPHA]] = 0.0 if finished else alphas[iteration - plan[FIRST]]
        mine[plan[SLOT_T]] = iteration + 1
        variant = NONE if size == batch else ONE
        _forward(variant, start, size, line, iteration, t)
        J = mine[plan[SLOT_J]]
        if not math.isfinite(J) and not finished:
            result = NOT_FINITE
            break
        if pending >= 0:
            _lagging_row(rows[pending], sums[TOTAL_WEIGHT], t)
            pending = -1
        if finished:
            break
        _run(t.ranges[variant, UPDATE], t.ranges[variant, UPDATE_END], start, iteration, t)
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
                _measured_row(rows[epochs], sums, totals, t)
            if plan[LAGS]:
                pending = epochs
            epochs += 1
        if plan[STRIDE] and iteration % plan[STRIDE] == 0 and taken < len(snapshots):
            numbers_at(snapshots[taken], plan[STATE_SIZE], t.factors[0])[:] = state
            marks[taken, 0] = iteration
            marks[taken, 1] = sums[COSTS]
            marks[taken, 2] = sums[SQUARES]
            taken += 1
    plan[PENDING] = pending if result == NOT_FINITE else -1
    plan[ITERATION], plan[EPOCHS], plan[SNAPSHOTS] = iteration, epochs, taken
    for helper in range(1, plan[LANES]):
        store_shared(t.mail[helper], POSTED, -1)
    return result


def gemm_flags(transposed: bool) -> int:
    """BLAS's letter for a factor as it stands, or transposed."""
    return TRANSPOSED if transposed else PLAIN
