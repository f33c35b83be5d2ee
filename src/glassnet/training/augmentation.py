"""Pictures changed a little, and differently in every epoch: shifted, mirrored, turned, enlarged, with noise.

What happens to a picture is drawn from a counter-based generator addressed by (seed, epoch, sample), so any epoch's
pictures can be made again: replaying, resuming and both engines see the same ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from glassnet.equations.draws import check_seed
from glassnet.equations.schedules import is_number, plain, settle
from glassnet.errors import DataError, GlassnetError, unknown_name
from glassnet.network import Network

FLIPS = ("horizontal", "vertical", "both")
STREAM = 1
"""The second word of Philox's key; the draws of `equations/draws.py` have 0 there."""
NUMBERS = 8
"""64-bit numbers a picture: shifts, flips, angle, size, the start of its noise, one to spare. Philox gives four at once."""
LEVELS = 2**16
"""Values that noise can take: the normal distribution in so many equally likely steps."""
PIXELS_AT_ONCE = 2**16
"""Pixels changed at once: their coordinates stay in the cache."""
DIGITS = 12
"""To which cosines and quantiles are rounded: as far as the mathematical libraries of different machines agree."""


@dataclass(frozen=True)
class Changes:
    """What happens to each of some pictures: arrays with one entry a picture.

    `down`, `across` in pixels; `flip_rows`, `flip_columns`; `cosine`, `sine` of the angle, divided by the enlargement; `noise`
    is where a picture's noise begins.
    """

    down: np.ndarray
    across: np.ndarray
    flip_rows: np.ndarray
    flip_columns: np.ndarray
    cosine: np.ndarray
    sine: np.ndarray
    noise: np.ndarray

    def take(self, rows: np.ndarray | slice) -> Changes:
        """The changes of these pictures."""
        return Changes(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Augmentation:
    """Random changes of the training pictures, new ones in every epoch, the same ones whenever that epoch is made again.

        X′[u,v] = X[R⁻¹((u,v) − centre − shift) / scale + centre] + noise · ε        ε standard normal

    Between pixels the picture is interpolated (bilinear). Shifts are whole pixels, and shifts and flips alone leave the
    pixels' values as they are. The picture is mirrored first, then turned and enlarged about its centre, then shifted;
    noise comes last.

    Parameters
    ----------
    shift : at most so many pixels up or down and left or right, each number of them equally likely; or a pair (up or down,
        left or right)
    flip : "horizontal" (left and right change places), "vertical", "both", each with probability ½; or None
    rotate : at most so many degrees, to either side, each angle equally likely
    scale : enlarged by a factor from 1 − scale to 1 + scale
    noise : standard deviation of the normal noise added to each pixel, in the pixels' own units; in 65,536 steps, the
        largest 4.3 standard deviations. Values are not clipped
    fill : what comes in from outside: a number in the pixels' own units, or "edge", the nearest pixel of the border

    Raises
    ------
    GlassnetError : settings outside their ranges; a shift as large as the picture; a network whose inputs are no pictures

    Notes
    -----
    The draws are addressed by (seed, epoch, sample): epochs count from 0, and a sample is its row in `run.data`. Training
    sees the changed pictures, and so does `run.trace`; cost and metrics after an epoch, validation and predictions are of
    the pictures as they are.

    Examples
    --------
    >>> Augmentation(shift=2, flip="horizontal", rotate=10)
    Augmentation(shift=2, flip='horizontal', rotate=10, scale=0.0, noise=0.0, fill=0.0)
    """

    shift: int | tuple[int, int] = 0
    flip: str | None = None
    rotate: float = 0.0
    scale: float = 0.0
    noise: float = 0.0
    fill: float | str = 0.0

    def __post_init__(self) -> None:
        settle(self)
        if isinstance(self.shift, tuple | list | np.ndarray):
            object.__setattr__(self, "shift", tuple(plain(item) for item in self.shift))
        problems: list[str] = []
        pair = self.shift if isinstance(self.shift, tuple) else (self.shift, self.shift)
        if len(pair) != 2 or not all(isinstance(s, int) and not isinstance(s, bool) and s >= 0 for s in pair):
            problems.append(f"shift={self.shift!r} (a whole number of pixels, 0 or more, or a pair of them)")
        if not is_number(self.rotate) or not 0 <= self.rotate <= 180:
            problems.append(f"rotate={self.rotate!r} (degrees from 0 to 180)")
        if not is_number(self.scale) or not 0 <= self.scale < 1:
            problems.append(f"scale={self.scale!r} (a number from 0 up to, but not including, 1)")
        if not is_number(self.noise) or not 0 <= self.noise < math.inf:
            problems.append(f"noise={self.noise!r} (a finite number, 0 or more)")
        if self.fill != "edge" and not (is_number(self.fill) and math.isfinite(float(self.fill))):
            problems.append(f"fill={self.fill!r} (a finite number, or 'edge')")
        if problems:
            raise GlassnetError(f"Augmentation got {', '.join(problems)}; each needs what stands in parentheses.")
        if self.flip is not None and self.flip not in FLIPS:
            raise GlassnetError(unknown_name("flip", self.flip, FLIPS))

    @property
    def shifts(self) -> tuple[int, int]:
        """The largest shifts: up or down, left or right."""
        return self.shift if isinstance(self.shift, tuple) else (self.shift, self.shift)

    def __str__(self) -> str:
        said = [
            f"shift {'×'.join(map(str, self.shift)) if isinstance(self.shift, tuple) else self.shift}"
            * (self.shifts != (0, 0)),
            f"flip {self.flip}" * (self.flip is not None),
            f"rotate {self.rotate:g}°" * (self.rotate > 0),
            f"scale {self.scale:g}" * (self.scale > 0),
            f"noise {self.noise:g}" * (self.noise > 0),
            f"fill {self.fill}" * (self.fill != 0),
        ]
        return ", ".join(part for part in said if part) or "nothing changed"

    def apply(self, X: Any, seed: int = 0, epoch: int = 0) -> np.ndarray:
        """The pictures as training with this seed sees them in this epoch.

        Parameters
        ----------
        X : (m, channels, height, width), or (m, height, width) for one channel; read, never written
        seed : that of `gn.train`
        epoch : counted from 0

        Returns
        -------
        array, the shape of X; float32 when X is, else float64. Row i is changed as row i of a run's data is

        Raises
        ------
        DataError : X has another shape, or holds no real numbers
        GlassnetError : a shift as large as the picture; a seed or an epoch that is none
        """
        array = np.asarray(X)
        if array.ndim not in (3, 4) or array.dtype.kind not in "fiub":
            raise DataError(
                f"Augmentation.apply got X of shape {array.shape} and type {array.dtype}; it needs numbers of shape "
                "(m, channels, height, width), or (m, height, width) for one channel."
            )
        if isinstance(epoch, bool) or not isinstance(epoch, int | np.integer) or epoch < 0:
            raise GlassnetError(f"Augmentation.apply got epoch={epoch!r}; it needs a whole number, 0 or more.")
        self.check_size(*array.shape[-2:])
        pictures = array.astype(np.float32 if array.dtype == np.float32 else np.float64, copy=False)
        as_images = pictures if array.ndim == 4 else pictures[:, None]
        changed = self.changed(as_images, self.changes(check_seed(seed), int(epoch), len(array)))
        return changed.reshape(array.shape)

    def check(self, network: Network) -> None:
        """Refuse a network that this augmentation is not for.

        Raises
        ------
        GlassnetError : its inputs are no pictures, or smaller than the shift
        """
        shape = network.input_shape
        if len(shape) != 3:
            raise GlassnetError(
                f"augmentation got the network {network}, whose inputs are {shape[0]} features and no pictures; give it an "
                "input shape (channels, height, width), or leave augmentation out."
            )
        self.check_size(shape[1], shape[2])

    def check_size(self, height: int, width: int) -> None:
        """Refuse shifts that leave nothing of a picture.

        Raises
        ------
        GlassnetError : a shift as large as the picture
        """
        if self.shifts[0] >= height or self.shifts[1] >= width:
            raise GlassnetError(
                f"Augmentation got shift={self.shift!r}, and the pictures have {height}×{width} pixels; it needs shifts "
                "smaller than that."
            )

    def changes(self, seed: int, epoch: int, count: int) -> Changes:
        """What happens to each of `count` samples in an epoch."""
        address = np.array([0, 0, epoch, 0], dtype=np.uint64)
        philox = np.random.Philox(key=np.array([seed, STREAM], dtype=np.uint64), counter=address)
        raw = philox.random_raw(NUMBERS * count).reshape(count, NUMBERS).T
        down, across = (_whole(r, s) for r, s in zip(raw[:2], self.shifts, strict=True))
        heads = (raw[2:4] >> np.uint64(63)).astype(bool)
        angle = np.deg2rad(self.rotate) * _evenly(raw[4])
        larger = 1.0 + self.scale * _evenly(raw[5])
        return Changes(
            down,
            across,
            heads[0] & (self.flip in ("vertical", "both")),
            heads[1] & (self.flip in ("horizontal", "both")),
            np.round(np.cos(angle), DIGITS) / larger,
            np.round(np.sin(angle), DIGITS) / larger,
            np.ascontiguousarray(raw[6]),
        )

    def changed(self, X: np.ndarray, changes: Changes, out: np.ndarray | None = None) -> np.ndarray:
        """These pictures (m, channels, height, width) after these changes, in `out` when it is given."""
        result = np.empty_like(X) if out is None else out
        several = max(1, PIXELS_AT_ONCE // max(1, math.prod(X.shape[1:])))
        for start in range(0, len(X), several):
            part = slice(start, start + several)
            result[part] = self._changed(X[part], changes.take(part))
        return result

    def _changed(self, X: np.ndarray, changes: Changes) -> np.ndarray:
        if self.flip in ("horizontal", "both"):
            X = np.where(changes.flip_columns[:, None, None, None], X[..., ::-1], X)
        if self.flip in ("vertical", "both"):
            X = np.where(changes.flip_rows[:, None, None, None], X[:, :, ::-1], X)
        if self.rotate or self.scale:
            X = self._interpolated(X, changes)
        elif self.shifts != (0, 0):
            X = self._shifted(X, changes)
        if self.noise:
            X = X + X.dtype.type(self.noise) * normal(changes.noise, math.prod(X.shape[1:]), X.dtype).reshape(X.shape)
        return X

    def _padded(self, X: np.ndarray, rows: int, columns: int) -> np.ndarray:
        around = ((0, 0), (0, 0), (rows, rows), (columns, columns))
        if isinstance(self.fill, str):
            return np.pad(X, around, mode="edge")
        return np.pad(X, around, constant_values=self.fill)

    def _shifted(self, X: np.ndarray, changes: Changes) -> np.ndarray:
        """Each picture out of its own window of the padded one."""
        rows, columns = self.shifts
        padded = self._padded(X, rows, columns)
        windows = np.lib.stride_tricks.sliding_window_view(padded, X.shape[2:], axis=(2, 3))
        return np.asarray(windows[np.arange(len(X)), :, rows - changes.down, columns - changes.across])

    def _interpolated(self, X: np.ndarray, changes: Changes) -> np.ndarray:
        """Each pixel from the four around the place that it comes from; beyond the border is `fill`."""
        m, channels, height, width = X.shape
        down = np.arange(height) - (height - 1) / 2 - changes.down[:, None]
        across = np.arange(width) - (width - 1) / 2 - changes.across[:, None]
        cosine, sine = changes.cosine[:, None, None], changes.sine[:, None, None]
        y = across[:, None, :] * sine + down[:, :, None] * cosine + (height - 1) / 2
        x = across[:, None, :] * cosine - down[:, :, None] * sine + (width - 1) / 2
        # A border of one pixel; whatever lies farther out is what that border is.
        y, x = np.clip(y, -1, height) + 1, np.clip(x, -1, width) + 1
        top = np.minimum(y.astype(np.intp), height)
        left = np.minimum(x.astype(np.intp), width)
        lower = (y - top).astype(X.dtype)[:, None]
        right = (x - left).astype(X.dtype)[:, None]
        line = width + 2
        pixels = self._padded(X, 1, 1).ravel()
        planes = ((height + 2) * line * np.arange(m * channels)).reshape(m, channels, 1, 1)
        first = planes + (top * line + left)[:, None]

        def between(places: np.ndarray) -> np.ndarray:
            return np.asarray((1 - right) * pixels[places] + right * pixels[places + 1])

        return np.asarray((1 - lower) * between(first) + lower * between(first + line))


class ChangedPictures:
    """The pictures of a training, epoch by epoch; the changes of the latest epoch are kept at hand."""

    def __init__(self, augmentation: Augmentation, seed: int, count: int) -> None:
        self.augmentation = augmentation
        self.seed = seed
        self.count = count
        self._latest: tuple[int, Changes] | None = None

    def of(self, epoch: int, rows: np.ndarray | slice, X: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """The pictures X, which are these rows of the data, as this epoch changes them."""
        if self._latest is None or self._latest[0] != epoch:
            self._latest = epoch, self.augmentation.changes(self.seed, epoch, self.count)
        return self.augmentation.changed(X, self._latest[1].take(rows), out)


def _whole(raw: np.ndarray, most: int) -> np.ndarray:
    """Whole numbers from −most to most."""
    return ((raw >> np.uint64(32)) * np.uint64(2 * most + 1) >> np.uint64(32)).astype(np.int64) - most


def _evenly(raw: np.ndarray) -> np.ndarray:
    """Numbers from −1 to 1."""
    return (raw >> np.uint64(11)).astype(np.float64) * 2.0**-52 - 1.0


def normal(starts: np.ndarray, count: int, dtype: Any) -> np.ndarray:
    """`count` normal numbers for each start (m, count): 64 random bits, made from the start and a place, are four of them.

    Source: Steele, Lea and Flood, Fast splittable pseudorandom number generators, 2014 (SplitMix64).
    """
    place = np.arange(1, -(-count // 4) + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    bits = starts[:, None] + place
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    bits ^= bits >> np.uint64(31)
    steps = bits.astype("<u8", copy=False).view("<u2")[:, :count]
    return np.asarray(quantiles(np.dtype(dtype))[steps])


@cache
def quantiles(dtype: np.dtype[Any]) -> np.ndarray:
    """The middle of each of `LEVELS` equally likely steps of the normal distribution, scaled to a variance of 1."""
    from scipy.special import ndtri

    upper = ndtri((np.arange(LEVELS // 2, LEVELS) + 0.5) / LEVELS)
    upper /= np.sqrt(np.mean(upper**2))
    upper = np.round(upper, DIGITS)
    return np.concatenate([-upper[::-1], upper]).astype(dtype)
