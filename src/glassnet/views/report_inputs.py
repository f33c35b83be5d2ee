"""The inputs of a network in a person's terms: features in their own units, and pictures where the inputs are one."""

from __future__ import annotations

import base64
import io
import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glassnet.equations.entry_text import short_number
from glassnet.views.plane import features_of
from glassnet.views.sheets import layout

if TYPE_CHECKING:
    from glassnet.training.run import Run

Array = NDArray[Any]

FEWEST_PIXELS = 64
MOST_PIXELS = 64 * 64


def own_units(run: Run, X: Array, most: int) -> tuple[list[str], list[list[str]]]:
    """The features of some rows as they were in the table: names, and a text each; at most so many features."""
    from glassnet.data import ArrayPreparation, NumericFeature

    preparation = run.preparation
    if preparation is None or isinstance(preparation, ArrayPreparation):
        offset, scale = (0.0, 1.0) if preparation is None else (preparation.offset, preparation.scale)
        names = features_of(run).names[:most]
        return names, [[short_number(float(v) * scale + offset, 6) for v in row[: len(names)]] for row in X]
    start, columns, names = 0, [], []
    for feature in preparation.features[:most]:
        width = len(feature.input_names)
        values = X[:, start : start + width]
        start += width
        names.append(feature.name)
        if isinstance(feature, NumericFeature):
            columns.append(
                [short_number(float(v), 6) for v in values[:, 0].astype(np.float64) * feature.std + feature.mean]
            )
        else:
            shown = [*feature.categories, *([] if feature.other is None else [feature.other])]
            columns.append([shown[int(row.argmax())] if row.any() else "(other)" for row in values])
    return names, [list(row) for row in zip(*columns, strict=True)] if columns else [[] for _ in X]


class Pixels:
    """Where each input stands in a picture.

    Attributes
    ----------
    shape : rows and columns of the picture
    places : the place of each input in the picture, row by row
    """

    def __init__(self, shape: tuple[int, int], places: Array, colours: int = 1) -> None:
        self.shape = shape
        self.places = places
        self.colours = colours

    def fill(self, values: Array, empty: float = 0.0) -> Array:
        """(..., inputs) → (..., rows · columns · colours)."""
        size = self.shape[0] * self.shape[1] * self.colours
        whole = np.full((*values.shape[:-1], size), empty, dtype=np.float64)
        whole[..., self.places] = values
        return whole


def pixels_of(run: Run) -> Pixels | None:
    """How the inputs make a picture; None when they do not.

    They do when the network takes grey or coloured images, when an array of pictures was prepared, when the columns are
    called so (`pixel_3_4`, `pixel17`), or, without names, when they are a square number, 64 or more.
    """
    from glassnet.data import ArrayPreparation

    preparation, count = run.preparation, math.prod(run.network.input_shape)
    if len(run.network.input_shape) == 3:
        found = layout(count, "A report", run=run)
        assert found is not None  # the inputs of an image network are a picture
        return Pixels((found.height, found.width), found.place, found.channels) if found.channels in (1, 3) else None
    if preparation is not None and not isinstance(preparation, ArrayPreparation):
        return _named_pixels(list(preparation.input_names))
    shape = (count,) if preparation is None else preparation.sample_shape
    if len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3)):
        return Pixels((shape[0], shape[1]), np.arange(count), shape[2] if len(shape) == 3 else 1)
    side = math.isqrt(count)
    if len(shape) == 1 and side * side == count and FEWEST_PIXELS <= count <= MOST_PIXELS:
        return Pixels((side, side), np.arange(count))
    return None


def _named_pixels(names: list[str]) -> Pixels | None:
    """Columns called pixel_ROW_COLUMN, or pixelNUMBER of a square picture; columns left out leave a gap."""
    found = [re.fullmatch(r"(?i)(p(?:i?x(?:el)?))?[_ ]?(\d+)(?:[_x ](\d+))?", name) for name in names]
    if len(names) < FEWEST_PIXELS // 2 or not all(found):
        return None
    numbers = [(int(m[2]), None if m[3] is None else int(m[3])) for m in found if m is not None]
    across = [column for _, column in numbers if column is not None]
    if len(across) == len(numbers):
        first = np.array(numbers, dtype=np.int64)
        if len(np.unique(first, axis=0)) < len(first) or first.max() >= math.isqrt(MOST_PIXELS):
            return None
        low = int(first.min() > 0)
        rows, columns = (int(n) + 1 - low for n in first.max(axis=0))
        return Pixels((rows, columns), (first[:, 0] - low) * columns + first[:, 1] - low)
    if across or any(m is not None and m[1] is None for m in found):
        return None
    places = np.array([number for number, _ in numbers], dtype=np.int64)
    side = math.isqrt(int(places.max()))
    if int(places.max()) == side * side:  # counted from 1
        places = places - 1
    else:
        side += 1
    if side * side > MOST_PIXELS or len(np.unique(places)) < len(places):
        return None
    return Pixels((side, side), places)


def picture(pixels: Pixels, values: Array) -> str:
    """One row of inputs as a PNG in an address, its darkest value black and its brightest white."""
    from PIL import Image

    whole = pixels.fill(values, float(values.min()))
    low, high = float(whole.min()), float(whole.max())
    grey = np.round(255 * (whole - low) / (high - low)) if high > low else np.zeros_like(whole)
    levels = grey.astype(np.uint8).reshape(*pixels.shape, pixels.colours)
    image = Image.fromarray(levels[:, :, 0] if pixels.colours == 1 else levels)
    held = io.BytesIO()
    image.save(held, format="PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(held.getvalue()).decode('ascii')}"
