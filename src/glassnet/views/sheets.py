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

    The shape is the one that is given; else that of the images the network takes; else that of the arrays the run was
    trained on; else what the features' names say (pixel_3_0, pixel_3_1, ...); else, from 64 inputs on, a square, or a square
    in three colours.

    Parameters
    ----------
    shape : (height, width), (height, width, channels) or (channels, height, width)

    Raises
    ------
    GlassnetError : a shape of another size
    """
    if shape is not None:
        return _shaped(inputs, tuple(shape), picture)
    if run is not None and len(run.network.input_shape) == 3:
        channels, height, width = run.network.input_shape
        return _channels_first(channels, height, width)
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


@dataclass(frozen=True)
class Sheet:
    """Many small maps of one size as one large picture, with room between them, and above each for its number.

    A map's entries are repeated, so that the room between small maps is less than an entry.

    Attributes
    ----------
    count, height, width : of the maps
    rows, columns : of the sheet
    repeat : pixels of the sheet for an entry of a map, each way
    gap, head : pixels between the maps, and above each
    """

    count: int
    height: int
    width: int
    rows: int
    columns: int
    repeat: int = 1
    gap: int = 2
    head: int = 0

    @classmethod
    def of(
        cls, count: int, height: int, width: int, *, grid: tuple[int, int] | None = None, head: bool = True
    ) -> Sheet:
        """A sheet in about a square, or with so many (rows, columns)."""
        rows, columns = grid or filled_tiles(count, width / height)
        repeat = max(1, -(-24 // min(height, width)))
        high = repeat * min(height, width)
        return cls(count, height, width, rows, columns, repeat, max(2, high // 12), max(5, high // 4) if head else 0)

    @property
    def size(self) -> tuple[int, int]:
        """Pixels down and across."""
        down = self.rows * (self.repeat * self.height + self.head + self.gap) - self.gap
        return down, self.columns * (self.repeat * self.width + self.gap) - self.gap

    def corner(self, number: int) -> tuple[int, int]:
        """The top and the left pixel of a map."""
        row, column = divmod(number, self.columns)
        top = row * (self.repeat * self.height + self.head + self.gap) + self.head
        return top, column * (self.repeat * self.width + self.gap)

    def drawn(self, maps: Array) -> Array:
        """Maps (count, height, width), or with channels (count, height, width, c), on the sheet; NaN between them."""
        sheet = np.full((*self.size, *maps.shape[3:]), np.nan)
        for number, each in enumerate(maps):
            top, left = self.corner(number)
            large = each.repeat(self.repeat, axis=0).repeat(self.repeat, axis=1)
            sheet[top : top + large.shape[0], left : left + large.shape[1]] = large
        return sheet


def tiles(count: int, across: float = 1.0) -> tuple[int, int]:
    """Rows and columns for so many pictures, `across` times as wide as they are high, in about a square."""
    columns = min(count, max(1, math.ceil(math.sqrt(count / across))))
    return -(-count // columns), columns


def filled_tiles(count: int, across: float = 1.0) -> tuple[int, int]:
    """As `tiles`, but a little wider where so many fill their rows: 8 in 4 × 2."""
    _, columns = tiles(count, across)
    wider = range(columns, columns + max(1, columns // 3) + 1)
    found = next((each for each in wider if count % each == 0), columns)
    return -(-count // found), found


def inches(down: float, across: float, *, bar: bool = False, below: bool = False) -> tuple[float, float]:
    """Width and height of a figure for a sheet of these proportions, with a title, a colour bar, words below.

    >>> inches(1.0, 2.0)
    (11.0, 5.91)
    """
    share, title, words = 0.82 if bar else 0.97, 0.57, 0.45 * below
    scale = min(11.0 * share / across, (9.5 - title - words) / down)
    return round(max(across * scale / share, 6.0), 2), round(max(down * scale + title + words, 3.2), 2)


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
    return _channels_first(*shape)


def _channels_first(channels: int, height: int, width: int) -> Layout:
    place = np.arange(channels * height * width).reshape(height, width, channels).transpose(2, 0, 1).ravel()
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
