"""Feature maps: what each filter of a layer makes of a picture, the picture beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glassnet.errors import GlassnetError
from glassnet.views import palette
from glassnet.views.filters import frames, largest, number
from glassnet.views.image_stages import (
    STAGES,
    checked_numbers,
    chosen_pictures,
    in_own_units,
    stage_name,
    stage_values,
)
from glassnet.views.palette import colour_bar, dress, new_axes, plain
from glassnet.views.predictions import as_seen
from glassnet.views.rows import is_run, state_of, titled
from glassnet.views.sheets import COLOURS, Sheet, inches
from glassnet.views.weights import bare

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from glassnet.training.run import Run

Array = NDArray[np.float64]

PICTURE = "A picture of feature maps"
MOST_MAPS = 64
ASIDE = (0.5, 0.36)
"""Height of the input beside up to three rows of maps, and beside more, of theirs."""
GAP = 0.06
"""Between the two, of the width of the maps."""


def plot_feature_maps(
    maps: Run | ArrayLike,
    sample: Any = 0,
    ax: Axes | None = None,
    *,
    layer: int = 1,
    stage: str = "A",
    X: Any = None,
    rows: str | None = None,
    filters: int | Sequence[int] | None = None,
    each: bool = False,
    iteration: int | None = None,
    title: str | None = None,
) -> Axes:
    """The maps that the filters of a layer make of one picture, numbered, in about a square, the picture beside them.

    64 filters are a square of 8 × 8. Maps that are never below 0 go from dark (0) to bright; others are blue below 0 and
    red above it.

    Parameters
    ----------
    maps : a run; or maps that were computed elsewhere, (maps, height, width), which stand alone
    sample : a row number, or one picture as the network takes it, (channels, height, width)
    layer : from 1
    stage : of the layer: Z (the sums), A (the activations), P (pooled), B (batch norm), ...; or a whole name, such as P1
    X : the rows that `sample` counts; the run's training rows unless given
    rows : what one of these is called in the title, such as "held-out row"
    filters : positions of the maps, from 0; the first 64 unless given
    each : True gives each map a scale of its own, from its smallest to its largest entry
    iteration : of the run, the one it ended with unless given; 0 shows the random filters of the start

    Raises
    ------
    GlassnetError : no images, no such layer, stage, row or map; a picture of another shape
    RunError : the training rows are needed and not at hand
    """
    beside: Array | None = None
    if is_run(maps):
        name = stage_name(maps, PICTURE, layer, stage)
        inputs, called = chosen_pictures(maps, sample, X, PICTURE, rows)
        if len(inputs) != 1:
            raise GlassnetError(f"{PICTURE} got {len(inputs)} rows; it shows one picture, give one row number.")
        values = stage_values(maps, state_of(maps, iteration), inputs, name)[0]
        beside = shown_picture(maps, inputs)
        at = "" if iteration is None else f"iteration {iteration}"
        said = STAGES.get(name.rstrip("0123456789"), name)
    else:
        if iteration is not None or X is not None:
            raise GlassnetError("plot_feature_maps got maps and what only a run can use; leave iteration and X out.")
        values = np.asarray(maps, dtype=np.float64)
        if values.ndim != 3 or not values.size:
            raise GlassnetError(
                f"plot_feature_maps got maps of shape {values.shape}; it needs (maps, height, width), or a run."
            )
        name, called, at, said = "", [""], "", "value"
    chosen = checked_numbers(filters, len(values), "map", PICTURE, MOST_MAPS)
    size = f"{values.shape[1]} × {values.shape[2]}"
    some = "" if len(chosen) == len(values) or filters is not None else f"the first {len(chosen)} shown"
    count = f"{len(values)} map{'s' if len(values) > 1 else ''} of {size}"
    head = title or titled(
        f"Feature maps {name}: {count}" if name else count[0].upper() + count[1:], called[0], some, at
    )

    drawn = values[chosen]
    sheet = Sheet.of(len(chosen), *drawn.shape[1:])
    wide = 0.0 if beside is None else aside(sheet, beside)[1] + GAP * sheet.size[1]
    ax = ax or new_axes(*inches(sheet.size[0], sheet.size[1] + wide, bar=not each, below=each))
    options = map_colours(drawn, each)
    image = ax.imshow(sheet.drawn(own_scales(drawn) if each else drawn), interpolation="nearest", gid="maps", **options)
    frames(ax, sheet)
    if beside is not None:
        draw_beside(ax, sheet, beside)
        ax.text(-wide, sheet.head - 1.2, plain("input"), fontsize=12, color=palette.INK, va="bottom", gid="input name")
    ax.set_xlim(-wide - 1, sheet.size[1])
    ax.set_ylim(sheet.size[0], -1)
    number(ax, sheet, [str(n) for n in chosen])
    if each:
        about = "each map on a scale of its own, from its smallest entry to its largest"
    else:
        about = ""
        colour_bar(ax, image, f"{said} {name}" if name else said)
    dress(ax, x=about, y="", title=head)
    bare(ax)
    return ax


def shown_picture(run: Run, inputs: Array) -> Array:
    """One input (1, channels, height, width) as it is seen: (height, width) in grey, or (height, width, 3), from 0 to 1."""
    seen = as_seen(in_own_units(run, inputs, PICTURE), np.zeros(1, dtype=np.int64))[0]
    return seen if seen.shape[2] == COLOURS else np.asarray(seen.mean(axis=2))


def map_colours(maps: Array, each: bool = False) -> dict[str, Any]:
    """How the values of maps are coloured: from 0 up where none is below it, else around 0."""
    if each:
        return {"cmap": "cividis", "vmin": 0.0, "vmax": 1.0}
    limit = largest(maps)
    if np.nanmin(maps, initial=0.0) >= 0:
        return {"cmap": "cividis", "vmin": 0.0, "vmax": limit}
    return {"cmap": palette.two_class_colormap(), "vmin": -limit, "vmax": limit}


def own_scales(maps: Array) -> Array:
    """Each map (n, height, width) from 0, its smallest entry, to 1, its largest."""
    low, high = maps.min(axis=(1, 2), keepdims=True), maps.max(axis=(1, 2), keepdims=True)
    return np.asarray((maps - low) / np.where(high > low, high - low, 1.0))


def aside(sheet: Sheet, picture: Array) -> tuple[float, float]:
    """Height and width of the input left of the maps."""
    high = ASIDE[sheet.rows > 3] * sheet.size[0] if sheet.rows > 1 else float(sheet.repeat * sheet.height)
    return high, high * picture.shape[1] / picture.shape[0]


def draw_beside(ax: Axes, sheet: Sheet, picture: Array) -> float:
    """The input left of the maps; where it begins."""
    high, wide = aside(sheet, picture)
    left, top = -GAP * sheet.size[1] - wide, float(sheet.head)
    ax.imshow(
        picture, cmap="gray", vmin=0.0, vmax=1.0, interpolation="nearest", gid="input",
        extent=(left, left + wide, top + high, top),
    )  # fmt: skip
    return left
