"""Convolutions and pools within compiled code.

A convolution is a matrix product with what lies under the window, written out for some rows of positions of one image, so
that it stays in the cache. With a stride of 1 (`_slide`) a whole row of that matrix is one stretch of the image: positions
that would reach over the right edge are worked out too, and left out afterwards, which costs less than copying row by
row. Any other window takes the general way (`_unfold`, `_fold`).

Sizes stand in a row of the table of operations (`C` to `BLOCK`); all else are addresses.
"""

from __future__ import annotations

from dataclasses import dataclass

from numba import njit

from glassnet.engines.compiled.addresses import PLAIN, TRANSPOSED, gemm, numbers_at
from glassnet.engines.compiled.blocks import FAST
from glassnet.equations.images import Window

# A row of sizes: channels, height, width of the map; filters, height and width of the kernel; stride, what lies before the
# map, dilation; positions down and across; rows of positions that are unfolded at once,
# and the numbers that unfolding them takes.
C, H, W, F, KH, KW, SY, SX, TOP, LEFT, DY, DX, OH, OW, BLOCK, ROOM = range(16)

FORWARD, BACK, KERNEL = range(3)
MANY_FILTERS, PLACES_TOGETHER = 32, 48
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


@njit(inline="always")
def pitch_of(g):
    """Numbers from one row of a padded map to the next; 0 where the general way is taken."""
    if g[SY] != 1 or g[SX] != 1:
        return 0
    return g[OW] + (g[KW] - 1) * g[DX]


@njit(inline="always")
def _stretch(rows, wide, pitch):
    """Positions worked out for so many rows, and the same as whole vectors."""
    length = (rows - 1) * pitch + wide
    return length, (length + 15) // 16 * 16


@njit
def _padded(g, image, target, like):
    """An image with its zeros around it."""
    size = like.itemsize
    high, wide = g[OH] + (g[KH] - 1) * g[DY], g[OW] + (g[KW] - 1) * g[DX]
    numbers_at(target, g[C] * high * wide, like)[:] = like.dtype.type(0)
    for k in range(g[C]):
        for y in range(g[H]):
            to = numbers_at(target + ((k * high + y + g[TOP]) * wide + g[LEFT]) * size, g[W], like)
            line = numbers_at(image + (k * g[H] + y) * g[W] * size, g[W], like)
            for x in range(g[W]):
                to[x] = line[x]


@njit
def _unpadded(g, padded, image, like):
    """What lies on the image itself of a slope with padding."""
    size = like.itemsize
    high, wide = g[OH] + (g[KH] - 1) * g[DY], g[OW] + (g[KW] - 1) * g[DX]
    for k in range(g[C]):
        for y in range(g[H]):
            line = numbers_at(padded + ((k * high + y + g[TOP]) * wide + g[LEFT]) * size, g[W], like)
            to = numbers_at(image + (k * g[H] + y) * g[W] * size, g[W], like)
            for x in range(g[W]):
                to[x] = line[x]


@njit
def _slide(g, padded, first, length, whole, pitch, room, like):
    """What lies under a window that moves place by place, one stretch for each of its places."""
    size = like.itemsize
    plane_size = (g[OH] + (g[KH] - 1) * g[DY]) * pitch
    to = room
    for k in range(g[C]):
        for r in range(g[KH]):
            for s in range(g[KW]):
                source = numbers_at(
                    padded + (k * plane_size + (first + r * g[DY]) * pitch + s * g[DX]) * size, length, like
                )
                out = numbers_at(to, whole, like)
                for t in range(length):
                    out[t] = source[t]
                for t in range(length, whole):
                    out[t] = like.dtype.type(0)
                to += whole * size


@njit
def _slide_back(g, padded, first, length, whole, pitch, room, like):
    """The adjoint of `_slide`: the stretches are added to the map."""
    size = like.itemsize
    plane_size = (g[OH] + (g[KH] - 1) * g[DY]) * pitch
    at = room
    for k in range(g[C]):
        for r in range(g[KH]):
            for s in range(g[KW]):
                target = numbers_at(
                    padded + (k * plane_size + (first + r * g[DY]) * pitch + s * g[DX]) * size, length, like
                )
                under = numbers_at(at, length, like)
                for t in range(length):
                    target[t] += under[t]
                at += whole * size


@njit
def _spread_rows(g, maps, first, rows, whole, pitch, room, like):
    """Some rows of each map at the distance of the padded image's rows, zeros between them."""
    size = like.itemsize
    wide, zero = g[OW], like.dtype.type(0)
    for f in range(g[F]):
        out = numbers_at(room + f * whole * size, whole, like)
        for u in range(rows):
            line = numbers_at(maps + ((f * g[OH] + first + u) * wide) * size, wide, like)
            at = u * pitch
            for v in range(wide):
                out[at + v] = line[v]
            for v in range(at + wide, min(at + pitch, whole)):
                out[v] = zero
        for v in range(rows * pitch, whole):
            out[v] = zero


@njit
def _close_rows(g, maps, first, rows, whole, pitch, room, bias, like):
    """The adjoint of `_spread_rows`, plus the bias."""
    size = like.itemsize
    wide = g[OW]
    for f in range(g[F]):
        b = numbers_at(bias + f * size, 1, like)[0] if bias else like.dtype.type(0)
        for u in range(rows):
            line = numbers_at(room + (f * whole + u * pitch) * size, wide, like)
            out = numbers_at(maps + ((f * g[OH] + first + u) * wide) * size, wide, like)
            for v in range(wide):
                out[v] = line[v] + b


@njit
def _slope_by_kernel(function, g, under, columns, maps, distance, begun, kernel, place, factors):
    """kernel (+)= maps · underᵀ; `distance` is from one map to the next. A few places at a time where filters are few: BLAS
    has a quicker way for small products."""
    size = factors.itemsize
    places = g[C] * g[KH] * g[KW]
    together = places if g[F] >= MANY_FILTERS else PLACES_TOGETHER
    factors[0] = factors.dtype.type(1)
    factors[1] = factors.dtype.type(1 if begun else 0)
    first = 0
    while first < places:
        count = min(together, places - first)
        gemm(
            function, PLAIN, TRANSPOSED, g[F], count, columns, place, maps, distance, under + first * columns * size, columns,
            place + size, kernel + first * size, places,
        )  # fmt: skip
        first += count


@njit
def _convolve_sliding(kind, function, count, g, image, kernel, maps, bias, adds, room, place, factors):
    """The three convolutions at a stride of 1."""
    size = factors.itemsize
    one, zero = factors.dtype.type(1), factors.dtype.type(0)
    high, wide, pitch = g[OH], g[OW], pitch_of(g)
    tall = high + (g[KH] - 1) * g[DY]
    places, image_size, map_size = g[C] * g[KH] * g[KW], g[C] * g[H] * g[W], high * wide
    framed = tall != g[H] or pitch != g[W] or g[TOP] != 0 or g[LEFT] != 0
    spread = room + g[ROOM] * size
    frame = spread + g[F] * _stretch(g[BLOCK], wide, pitch)[1] * size
    for i in range(count):
        x, z = image + i * image_size * size, maps + i * g[F] * map_size * size
        padded = frame if framed else x
        if framed and kind != BACK:
            _padded(g, x, frame, factors)
        if kind == BACK:
            numbers_at(padded, g[C] * tall * pitch, factors)[:] = zero
        first = 0
        while first < high:
            rows = min(g[BLOCK], high - first)
            length, whole = _stretch(rows, wide, pitch)
            if kind != BACK:
                _slide(g, padded, first, length, whole, pitch, room, factors)
            if kind != FORWARD:
                _spread_rows(g, z, first, rows, whole, pitch, spread, factors)
            factors[0] = one
            factors[1] = zero
            if kind == FORWARD:
                gemm(
                    function, PLAIN, PLAIN, g[F], whole, places, place, kernel, places, room, whole, place + size, spread,
                    whole,
                )  # fmt: skip
                _close_rows(g, z, first, rows, whole, pitch, spread, bias, factors)
            elif kind == BACK:
                gemm(
                    function, TRANSPOSED, PLAIN, places, whole, g[F], place, kernel, places, spread, whole, place + size,
                    room, whole,
                )  # fmt: skip
                _slide_back(g, padded, first, length, whole, pitch, room, factors)
            else:
                begun = adds or i > 0 or first > 0
                _slope_by_kernel(function, g, room, whole, spread, whole, begun, kernel, place, factors)
            first += rows
        if framed and kind == BACK:
            _unpadded(g, frame, x, factors)


@njit
def _convolve_any(kind, function, count, g, image, kernel, maps, bias, adds, room, place, factors):
    """The three convolutions for any window."""
    size = factors.itemsize
    one, zero = factors.dtype.type(1), factors.dtype.type(0)
    high, wide = g[OH], g[OW]
    places, image_size, map_size = g[C] * g[KH] * g[KW], g[C] * g[H] * g[W], high * wide
    if kind == BACK:
        numbers_at(image, count * image_size, factors)[:] = zero
    for i in range(count):
        x, z = image + i * image_size * size, maps + i * g[F] * map_size * size
        if kind == FORWARD and bias:
            b = numbers_at(bias, g[F], factors)
            for f in range(g[F]):
                numbers_at(z + f * map_size * size, map_size, factors)[:] = b[f]
        first = 0
        while first < high:
            rows = min(g[BLOCK], high - first)
            columns = rows * wide
            here = z + first * wide * size
            if kind != BACK:
                _unfold(g, x, first, rows, room, factors)
            factors[0] = one
            factors[1] = zero
            if kind == FORWARD:
                factors[1] = one if bias else zero
                gemm(
                    function, PLAIN, PLAIN, g[F], columns, places, place, kernel, places, room, columns, place + size, here,
                    map_size,
                )  # fmt: skip
            elif kind == BACK:
                gemm(
                    function, TRANSPOSED, PLAIN, places, columns, g[F], place, kernel, places, here, map_size, place + size,
                    room, columns,
                )  # fmt: skip
                _fold(g, x, first, rows, room, factors)
            else:
                begun = adds or i > 0 or first > 0
                _slope_by_kernel(function, g, room, columns, here, map_size, begun, kernel, place, factors)
            first += rows


@njit
def convolve(kind, function, count, g, image, kernel, maps, bias, adds, room, place, factors):
    """One convolution of `count` images, or one of its two ways back.

    FORWARD  maps = image ⋆ kernel + bias          BACK  image = its slope          KERNEL  kernel (+)= its slope
    `place` is where the two numbers `factors` stand, which BLAS is given by address.
    """
    if pitch_of(g):
        _convolve_sliding(kind, function, count, g, image, kernel, maps, bias, adds, room, place, factors)
    else:
        _convolve_any(kind, function, count, g, image, kernel, maps, bias, adds, room, place, factors)


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
    back = kind in (UNPOOL, SPREAD_AVERAGE)
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


@dataclass(frozen=True)
class Layout:
    """The sizes of one convolution or pool, and the room it needs.

    Attributes
    ----------
    row : the row of sizes that `convolve` and `pool` read
    room : numbers of working memory
    """

    row: list[int]
    room: int


UNFOLDED_BYTES = 256 * 1024
"""Of what lies under the windows of a convolution, written out at once: it stays in the core's own cache."""


def layout(window: Window, size: tuple[int, int, int], filters: int, itemsize: int) -> Layout:
    """How a window slides over maps of this size (channels, height, width)."""
    channels, tall, broad = size
    (high, wide), places = window.positions((tall, broad)), channels * window.kernel[0] * window.kernel[1]
    sliding = window.stride == (1, 1)
    pitch = wide + window.reach[1] - 1 if sliding else wide
    most = max(1, UNFOLDED_BYTES // (itemsize * places * pitch))
    block = -(-high // -(-high // most))
    stretch = _vectors((block - 1) * pitch + wide)
    unfolded = places * stretch
    frame = channels * (high + window.reach[0] - 1) * pitch
    before = (window.padding[0][0], window.padding[1][0])
    row = [
        channels, tall, broad, filters, *window.kernel, *window.stride, *before, *window.dilation, high, wide, block, unfolded,
    ]  # fmt: skip
    return Layout(row, unfolded + (filters * stretch + frame if sliding else 0))


def _vectors(count: int) -> int:
    return (count + 15) // 16 * 16
