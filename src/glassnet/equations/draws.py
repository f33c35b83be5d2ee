"""Random numbers addressed by what they are for: (seed, purpose, index), never by how many were drawn before.

Philox is a counter-based generator: any address is reached at once, so the batches of epoch 700 or the dropout mask
of iteration 12,345 can be drawn again without drawing those before. Source: Salmon et al., Parallel random numbers:
as easy as 1, 2, 3, 2011.
"""

from __future__ import annotations

import numpy as np

from glassnet.errors import GlassnetError

PURPOSES = ("initial", "initial bias", "shuffle", "dropout", "validation", "check")


def check_seed(seed: object) -> int:
    """A seed as a plain int.

    Raises
    ------
    GlassnetError : not a whole number from 0 to 2⁶⁴ − 1
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= int(seed) < 2**64:
        raise GlassnetError(f"seed got {seed!r}; it needs a whole number from 0 to 2**64 - 1.")
    return int(seed)


def _philox(seed: int, purpose: str, index: int, part: int = 0) -> np.random.Philox:
    counter = [0, part, index, PURPOSES.index(purpose)]
    return np.random.Philox(key=np.array([seed, 0], dtype=np.uint64), counter=np.array(counter, dtype=np.uint64))


def generator(seed: int, purpose: str, index: int) -> np.random.Generator:
    """A generator for this address."""
    return np.random.Generator(_philox(check_seed(seed), purpose, index))


def permutation(seed: int, purpose: str, index: int, count: int) -> np.ndarray:
    """A random order of `count` things: the order of as many raw 64-bit draws, whose stream never changes."""
    raw = _philox(check_seed(seed), purpose, index).random_raw(count)
    return np.argsort(raw, kind="stable")


def keep_mask(seed: int, iteration: int, layer: int, shape: tuple[int, ...], rate: float) -> np.ndarray:
    """Zeros with probability `rate`, ones otherwise: the dropout mask of one layer in one iteration."""
    raw = _philox(check_seed(seed), "dropout", iteration, layer).random_raw(int(np.prod(shape)))
    return (raw >= np.uint64(int(rate * 2.0**64))).reshape(shape)
