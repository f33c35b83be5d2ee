"""Inputs that are pictures: where each input lies in one, and many of them on one sheet."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glassnet.errors import GlassnetError

if TYPE_CHECKING:
    from glassnet.training.run import Run

Array = NDArray[np.float64]

SMALLEST = 64
"""So many inputs, at least, are taken for pixels without being asked."""
COLOURS = 3


@dataclass(frozen=True)
class Layout:
    """Where each input of a network lies in a picture.

    Attributes
    ----------
    height, width, channels : of the picture
    place : position of each input in the flattened (height, width, channels), (n,)
    """

    height: int
    width: int
    channels: int
    place: NDArray[np.int64]

    def pictures(self, values: Array) -> Array:
        """Rows of inputs (m, n) as pictures (m, height, width, channels); NaN where there is no input."""
        size = self.height * self.width * self.channels
        flat = np.full((len(values), size), np.nan)
        flat[:, self.place] = values
        return flat.reshape(len(values), self.height, self.width, self.channels)

    @property
    def complete(self) -> bool:
        """Whether every pixel is an input."""
        return len(self.place) == self.height * self.width * self.channels

    def __str__(self) -> str:
        return f"{self.height} × {self.width}" + (f" × {self.channels}" if self.channels > 1 else "")


def layout(
    inputs: int,
    picture: str,
    *,
    shape: Sequence[int] | None = None,
    run: Run | None = None,
    names: Sequence[str] | None = None,
) -> Layout | None:
    """Where each of so many inputs lies in a picture; None when they are no picture and no shape was given.

    The shape is the one that is given; else that of the arrays the run was trained on; else what the features' names say
    (pixel_3_0, pixel_3_1, ...); else, from 64 inputs on, a square, or a square in three colours.

    Parameters
    ----------
    shape : (height, width), (height, width, channels) or (channels, height, width)

    Raises
    ------
    GlassnetError : a shape of another size
    """
    if shape is not None:
        return _shaped(inputs, tuple(shape), picture)
    preparation = None if run is None else run.preparation
    sample = tuple(getattr(preparation, "sample_shape", ()))
    if len(sample) in (2, 3):
        return _shaped(inputs, sample, picture)
    named = _by_names(
        list(names) if names is not None else list(preparation.input_names) if preparation is not None else []
    )
    if named is not None and len(named.place) == inputs:
        return named
    side = math.isqrt(inputs)
    if side * side == inputs and inputs >= SMALLEST:
        return Layout(side, side, 1, np.arange(inputs))
    side = math.isqrt(inputs // COLOURS)
    if COLOURS * side * side == inputs and side * side >= 4 * SMALLEST:
        return Layout(side, side, COLOURS, np.arange(inputs))
    return None


def need_layout(inputs: int, picture: str, **known: Any) -> Layout:
    """As `layout`.

    Raises
    ------
    GlassnetError : the inputs are no picture
    """
    found = layout(inputs, picture, **known)
    if found is None:
        raise GlassnetError(
            f"{picture} needs inputs that are pixels, and this network has {inputs} inputs, which are neither a square nor one "
            "in three colours; pass shape=(height, width), or plot the confusion matrix."
        )
    return found


def tiles(count: int, across: float = 1.0) -> tuple[int, int]:
    """Rows and columns for so many pictures, `across` times as wide as they are high, in about a square."""
    columns = min(count, max(1, math.ceil(math.sqrt(count / across))))
    return -(-count // columns), columns


def _shaped(inputs: int, shape: tuple[int, ...], picture: str) -> Layout:
    if len(shape) not in (2, 3) or math.prod(shape) != inputs or any(size < 1 for size in shape):
        written = " × ".join(str(size) for size in shape)
        raise GlassnetError(
            f"{picture} got the shape {written} for {inputs} inputs; it needs (height, width), (height, width, channels) or "
            "(channels, height, width) of that size."
        )
    if len(shape) == 2:
        return Layout(shape[0], shape[1], 1, np.arange(inputs))
    if shape[2] in (1, COLOURS):
        return Layout(shape[0], shape[1], shape[2], np.arange(inputs))
    channels, height, width = shape
    place = np.arange(inputs).reshape(height, width, channels).transpose(2, 0, 1).ravel()
    return Layout(height, width, channels, place)


def _by_names(names: list[str]) -> Layout | None:
    """A layout from names that end in a row and a column; pixels that are no input are left out of it."""
    found = [re.fullmatch(r"(.*?)(\d+)[_x,:](\d+)", name) for name in names]
    if len(found) < SMALLEST // 4 or not all(found) or len({match[1] for match in found if match}) > 1:
        return None
    rows, columns = (np.array([int(match[group]) for match in found if match]) for group in (2, 3))
    rows, columns = rows - min(rows.min(), 1), columns - min(columns.min(), 1)
    height, width = int(rows.max()) + 1, int(columns.max()) + 1
    place = (rows * width + columns).astype(np.int64)
    if len(np.unique(place)) < len(place) or height * width > 2 * len(place):
        return None
    return Layout(height, width, 1, place)
