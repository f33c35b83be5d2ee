"""The random numbers of `equations/draws.py` within compiled code, bit for bit: Philox, orders of samples, dropout masks.

Source: Salmon et al., Parallel random numbers: as easy as 1, 2, 3, 2011 (Philox 4x64, 10 rounds).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from glassnet.equations.draws import PURPOSES

SHUFFLE, DROPOUT = np.uint64(PURPOSES.index("shuffle")), np.uint64(PURPOSES.index("dropout"))
_M0, _M1 = np.uint64(0xD2E7470EE14C6C93), np.uint64(0xCA5A826395121157)
_W0, _W1 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBB67AE8584CAA73B)
DIGITS = 2048
"""Buckets of one pass of the sort: 11 bits."""


@intrinsic
def _high_product(typing_context: Any, a: Any, b: Any) -> Any:
    signature = types.uint64(types.uint64, types.uint64)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        wide = ir.IntType(128)
        product = builder.mul(builder.zext(arguments[0], wide), builder.zext(arguments[1], wide))
        return builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), ir.IntType(64))

    return signature, generate


@njit(inline="always")
def _philox(c0, c1, c2, c3, key):
    k0, k1 = key, np.uint64(0)
    for _ in range(10):
        h0, l0 = _high_product(_M0, c0), _M0 * c0
        h1, l1 = _high_product(_M1, c2), _M1 * c2
        c0, c1, c2, c3 = h1 ^ c1 ^ k0, l1, h0 ^ c3 ^ k1, l0
        k0 += _W0
        k1 += _W1
    return c0, c1, c2, c3


@njit
def raw(seed, purpose, index, part, out, count):
    """The first `count` numbers of an address, as `Philox.random_raw` gives them."""
    block = np.uint64(1)
    position = 0
    while position < count:
        values = _philox(block, part, index, purpose, seed)
        for lane in range(min(4, count - position)):
            out[position + lane] = values[lane]
        position += 4
        block += np.uint64(1)


@njit
def order(seed, epoch, count, numbers, order, other):
    """`order` becomes the samples' order in an epoch: that of as many random numbers.

    Three passes of a radix sort look at the upper 33 bits, a last one puts right the few that agree in them.
    """
    raw(seed, SHUFFLE, np.uint64(epoch), np.uint64(0), numbers, count)
    starts = np.zeros(DIGITS + 1, np.int64)
    for i in range(count):
        other[i] = i
    source, target = other, order
    for turn in range(3):
        shift = np.uint64(31 + 11 * turn)
        starts[:] = 0
        for i in range(count):
            starts[np.int64((numbers[i] >> shift) & np.uint64(DIGITS - 1)) + 1] += 1
        for d in range(DIGITS):
            starts[d + 1] += starts[d]
        for i in range(count):
            row = source[i]
            digit = np.int64((numbers[row] >> shift) & np.uint64(DIGITS - 1))
            target[starts[digit]] = row
            starts[digit] += 1
        source, target = target, source
    for i in range(1, count):
        row, place = order[i], i
        while place > 0 and numbers[order[place - 1]] > numbers[row]:
            order[place] = order[place - 1]
            place -= 1
        order[place] = row


@njit
def mask(seed, iteration, layer, threshold, out, first, count):
    """Zeros and ones of one layer's dropout in one iteration: `count` of them from number `first` on."""
    one, zero = out.dtype.type(1), out.dtype.type(0)
    position = 0
    while position < count:
        at = first + position
        values = _philox(np.uint64(1 + at // 4), np.uint64(layer), np.uint64(iteration), DROPOUT, seed)
        lane = at % 4
        for k in range(lane, min(4, lane + count - position)):
            out[position] = one if values[k] >= threshold else zero
            position += 1
