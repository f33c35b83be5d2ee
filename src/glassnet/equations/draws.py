"""Random numbers addressed by what they are for: (seed, purpose, index), never by how many were drawn before.

Philox is a counter-based generator: any address is reached at once, so the batches of epoch 700 or the dropout mask
of iteration 12,345 can be drawn again without drawing those before. Source: Salmon et al., Parallel random numbers:
as easy as 1, 2, 3, 2011.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

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


@dataclass(frozen=True)
class ShuffleStream:
    """Orders as `numpy.random.RandomState` makes them: each epoch shuffles the order of the one before it.

    scikit-learn shuffles so; from the same state the batches are the same. Unlike Philox's, an order is reached by
    making those before it, so the latest is kept at hand.

    Parameters
    ----------
    keys, position : the state of the Mersenne Twister before the first shuffle; `keys` in base 64
    """

    keys: str
    position: int

    @classmethod
    def of(cls, state: np.random.RandomState) -> ShuffleStream:
        """The stream that this generator would make from here on; the generator is left as it is."""
        _, keys, position, *_ = state.get_state(legacy=True)
        return cls(base64.b64encode(np.asarray(keys, dtype="<u4").tobytes()).decode(), int(position))

    def generator(self) -> np.random.RandomState:
        """A generator in the stored state.

        Raises
        ------
        GlassnetError : the stored state is none
        """
        try:
            keys = np.frombuffer(base64.b64decode(self.keys, validate=True), dtype="<u4")
            state = np.random.RandomState(0)
            state.set_state(("MT19937", keys, self.position, 0, 0.0))
        except (TypeError, ValueError):
            raise GlassnetError("A stored order of batches is damaged; its generator's state cannot be read.") from None
        return state


class ShuffledOrders:
    """The orders of a stream by epoch, for one number of samples."""

    def __init__(self, stream: ShuffleStream, count: int) -> None:
        self.stream = stream
        self.count = count
        self._restart()

    def _restart(self) -> None:
        self.generator = self.stream.generator()
        self._order = np.arange(self.count)
        self._epoch = -1

    def order(self, epoch: int) -> np.ndarray:
        """The order of the samples in this epoch."""
        if epoch < self._epoch:
            self._restart()
        while self._epoch < epoch:
            shuffled = np.arange(self.count)
            self.generator.shuffle(shuffled)
            self._order = self._order[shuffled]
            self._epoch += 1
        return self._order


def keep_mask(seed: int, iteration: int, layer: int, shape: tuple[int, ...], rate: float) -> np.ndarray:
    """Zeros with probability `rate`, ones otherwise: the dropout mask of one layer in one iteration."""
    raw = _philox(check_seed(seed), "dropout", iteration, layer).random_raw(int(np.prod(shape)))
    return (raw >= np.uint64(int(rate * 2.0**64))).reshape(shape)
