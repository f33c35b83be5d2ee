"""Convolutions and pools within compiled code.

A convolution is a matrix product with what lies under the window: `unfold` writes it out for some rows of positions of one
image, so that it stays in the cache, and BLAS multiplies. The way back multiplies first and adds up (`fold`).

Sizes stand in a row of the table of operations (`C` to `BLOCK`); all else are addresses.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from glassnet.engines.compiled.addresses import PLAIN, TRANSPOSED, gemm, numbers_at
from glassnet.engines.compiled.blocks import FAST

# A row of sizes: channels, height, width of the map; filters, height and width of the kernel; stride, what lies before the
# map, dilation; positions down and across; rows of positions that are unfolded at once.
C, H, W, F, KH, KW, SY, SX, TOP, LEFT, DY, DX, OH, OW, BLOCK = range(15)

FORWARD, BACK, KERNEL = range(3)
MAX_POOL, AVERAGE_POOL, UNPOOL, SPREAD_AVERAGE = range(4)


@njit(inline="always")
def _covered(first, step, size, count):
    """The positions 0 ≤ v < count with 0 ≤ first + step v < size: (begin, end)."""
    begin = 0 if first >= 0 else (-first + step - 1) // step
    end = 0 if first >= size else (size - 1 - first) // step + 1
    end = min(max(end, 0), count)
    return min(begin, end), end


@njit
def _unfold(g, image, first, rows, room, like):
    """(channels · kernel places) × (rows · positions across) numbers under the window, of positions in `rows` rows."""
    size = like.itemsize
    wide = g[OW]
    to = room
    for k in range(g[C]):
        plane = image + k * g[H] * g[W] * size
        for r in range(g[KH]):
            for s in range(g[KW]):
                x = s * g[DX] - g[LEFT]
                begin, end = _covered(x, g[SX], g[W], wide)
                for u in range(first, first + rows):
                    y = u * g[SY] + r * g[DY] - g[TOP]
                    out = numbers_at(to, wide, like)
                    to += wide * size
                    if y < 0 or y >= g[H] or end <= begin:
                        out[:] = like.dtype.type(0)
                        continue
                    for v in range(begin):
                        out[v] = like.dtype.type(0)
                    for v in range(end, wide):
                        out[v] = like.dtype.type(0)
                    source = numbers_at(plane + (y * g[W] + x + begin * g[SX]) * size, (end - begin) * g[SX], like)
                    if g[SX] == 1:
                        for v in range(end - begin):
                            out[begin + v] = source[v]
                    else:
                        for v in range(end - begin):
                            out[begin + v] = source[v * g[SX]]


@njit
def _fold(g, image, first, rows, room, like):
    """The adjoint of `_unfold`: what stands under the window is added to the map."""
    size = like.itemsize
    wide = g[OW]
    at = room
    for k in range(g[C]):
        plane = image + k * g[H] * g[W] * size
        for r in range(g[KH]):
            for s in range(g[KW]):
                x = s * g[DX] - g[LEFT]
                begin, end = _covered(x, g[SX], g[W], wide)
                for u in range(first, first + rows):
                    y = u * g[SY] + r * g[DY] - g[TOP]
                    under = numbers_at(at, wide, like)
                    at += wide * size
                    if y < 0 or y >= g[H] or end <= begin:
                        continue
                    target = numbers_at(plane + (y * g[W] + x + begin * g[SX]) * size, (end - begin) * g[SX], like)
                    if g[SX] == 1:
                        for v in range(end - begin):
                            target[v] += under[begin + v]
                    else:
                        for v in range(end - begin):
                            target[v * g[SX]] += under[begin + v]


@njit
def convolve(kind, function, count, g, image, kernel, maps, bias, adds, room, place, factors):
    """One convolution of `count` images, or one of its two ways back.

    FORWARD  maps = image ⋆ kernel + bias          BACK  image (+)= its slope          KERNEL  kernel (+)= its slope
    `place` is where the two numbers `factors` stand, which BLAS is given by address.
    """
    size = factors.itemsize
    high, wide = g[OH], g[OW]
    places = g[C] * g[KH] * g[KW]
    image_size, map_size = g[C] * g[H] * g[W], high * wide
    plain = (
        g[KH] == 1 and g[KW] == 1 and g[SY] == 1 and g[SX] == 1 and g[TOP] == 0 and g[LEFT] == 0
        and high == g[H] and wide == g[W]
    )  # fmt: skip
    one, zero = factors.dtype.type(1), factors.dtype.type(0)
    factors[0] = one
    begun = adds
    if kind == BACK and not adds:
        numbers_at(image, count * image_size, factors)[:] = zero
    for i in range(count):
        x, z = image + i * image_size * size, maps + i * g[F] * map_size * size
        if kind == FORWARD and bias:
            b = numbers_at(bias, g[F], factors)
            for f in range(g[F]):
                numbers_at(z + f * map_size * size, map_size, factors)[:] = b[f]
        first = 0
        while first < high:
            rows = high - first if plain else min(g[BLOCK], high - first)
            columns = rows * wide
            here = z + first * wide * size
            under = x if plain else room
            if kind != BACK and not plain:
                _unfold(g, x, first, rows, room, factors)
            if kind == FORWARD:
                factors[1] = one if bias else zero
                gemm(
                    function, PLAIN, PLAIN, g[F], columns, places, place, kernel, places, under, columns, place + size, here,
                    map_size,
                )  # fmt: skip
            elif kind == BACK:
                factors[1] = one if plain else zero
                gemm(
                    function, TRANSPOSED, PLAIN, places, columns, g[F], place, kernel, places, here, map_size, place + size,
                    under, columns,
                )  # fmt: skip
                if not plain:
                    _fold(g, x, first, rows, room, factors)
            else:
                factors[1] = one if begun else zero
                begun = True
                gemm(
                    function, PLAIN, TRANSPOSED, g[F], places, columns, place, here, map_size, under, columns, place + size,
                    kernel, places,
                )  # fmt: skip
            first += rows


@njit(fastmath=FAST, error_model="numpy")
def _max_of_pairs(out, above, below, count):
    """The largest of 2×2 windows that do not overlap, a row of them."""
    for v in range(count):
        a, b, c, d = above[2 * v], above[2 * v + 1], below[2 * v], below[2 * v + 1]
        first = a if a > b else b
        second = c if c > d else d
        # A window with NaN in it has no largest: the sums carry it on.
        out[v] = (first if first > second else second) + ((a - a) + (b - b) + (c - c) + (d - d))


@njit(fastmath=FAST, error_model="numpy")
def _route_pairs(above_to, below_to, above, below, slopes, count):
    """Each slope to the largest of its 2×2 window, the first of equals."""
    zero = slopes.dtype.type(0)
    for v in range(count):
        a, b, c, d, g = above[2 * v], above[2 * v + 1], below[2 * v], below[2 * v + 1], slopes[v]
        top = a >= b and a >= c and a >= d
        right = b > a and b >= c and b >= d
        left = c > a and c > b and c >= d
        last = d > a and d > b and d > c
        above_to[2 * v] = g if top else zero
        above_to[2 * v + 1] = g if right else zero
        below_to[2 * v] = g if left else zero
        below_to[2 * v + 1] = g if last else zero


@njit(fastmath=FAST, error_model="numpy")
def pool(kind, count, g, image, maps, source, factors):
    """Pools of `count` images, each channel by itself; their ways back fill `image` from `maps` (and the pooled `source`)."""
    size = factors.itemsize
    zero = factors.dtype.type(0)
    high, wide, h, w = g[OH], g[OW], g[H], g[W]
    pairs = g[KH] == 2 and g[KW] == 2 and g[SY] == 2 and g[SX] == 2
    back = kind == UNPOOL or kind == SPREAD_AVERAGE
    whole = pairs and kind == UNPOOL and high * 2 == h and wide * 2 == w
    share = factors.dtype.type(1.0 / (g[KH] * g[KW]))
    if back and not whole:
        numbers_at(image, count * g[C] * h * w, factors)[:] = zero
    for i in range(count * g[C]):
        plane, out = image + i * h * w * size, maps + i * high * wide * size
        for u in range(high):
            line = numbers_at(out + u * wide * size, wide, factors)
            at = u * g[SY] * w
            if pairs and kind == MAX_POOL:
                above = numbers_at(plane + at * size, 2 * wide, factors)
                below = numbers_at(plane + (at + w) * size, 2 * wide, factors)
                _max_of_pairs(line, above, below, wide)
                continue
            if pairs and kind == UNPOOL:
                chosen = source + i * h * w * size
                _route_pairs(
                    numbers_at(plane + at * size, 2 * wide, factors), numbers_at(plane + (at + w) * size, 2 * wide, factors),
                    numbers_at(chosen + at * size, 2 * wide, factors),
                    numbers_at(chosen + (at + w) * size, 2 * wide, factors), line, wide,
                )  # fmt: skip
                continue
            rows = numbers_at(plane + at * size, (g[KH] - 1) * w + w, factors)
            for v in range(wide):
                x = v * g[SX]
                if kind == MAX_POOL:
                    top = rows[x]
                    for r in range(g[KH]):
                        for s in range(g[KW]):
                            value = rows[r * w + x + s]
                            top = value if value > top or value != value else top
                    line[v] = top
                elif kind == AVERAGE_POOL:
                    total = zero
                    for r in range(g[KH]):
                        for s in range(g[KW]):
                            total += rows[r * w + x + s]
                    line[v] = total * share
                elif kind == SPREAD_AVERAGE:
                    for r in range(g[KH]):
                        for s in range(g[KW]):
                            rows[r * w + x + s] += line[v] * share
                else:
                    read = numbers_at(source + (i * h * w + at) * size, (g[KH] - 1) * w + w, factors)
                    best = x
                    for r in range(g[KH]):
                        for s in range(g[KW]):
                            place = r * w + x + s
                            best = place if read[place] > read[best] else best
                    rows[best] += line[v]


def sizes(
    channels: int, high: int, wide: int, filters: int, kernel: tuple[int, int], stride: tuple[int, int],
    before: tuple[int, int], dilation: tuple[int, int], positions: tuple[int, int], block: int,
) -> list[int]:  # fmt: skip
    """The row of sizes that `convolve` and `pool` read."""
    row = np.array([channels, high, wide, filters, *kernel, *stride, *before, *dilation, *positions, block])
    return [int(n) for n in row]
