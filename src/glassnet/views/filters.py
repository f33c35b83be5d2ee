"""The kernels of a convolution as pictures, one scale for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glassnet.errors import GlassnetError
from glassnet.views import palette
from glassnet.views.image_stages import checked_numbers, need_image
from glassnet.views.palette import colour_bar, dress, new_axes, plain
from glassnet.views.rows import state_of, titled
from glassnet.views.sheets import COLOURS, Sheet, inches
from glassnet.views.weights import bare

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from glassnet.training.run import Run

Array = NDArray[np.float64]

PICTURE = "A picture of filters"
MOST_FILTERS = 64
MOST_CHANNELS = 16
MOST_BESIDE = 32
"""Filters that stand beside one another when their channels are the rows."""


def plot_filters(
    run: Run,
    ax: Axes | None = None,
    *,
    layer: int = 1,
    filters: int | Sequence[int] | None = None,
    colours: bool | None = None,
    iteration: int | None = None,
    title: str | None = None,
) -> Axes:
    """The kernels W of a convolution: blue below zero, red above, white at 0, one scale for all.

    The filters of one channel stand in about a square. Those of several channels stand beside one another, a row a channel.
    Those that look at red, green and blue are pictures in colour, in which mid grey is 0.

    Parameters
    ----------
    layer : from 1, as in W1
    filters : positions in the layer, from 0; the first 64 (32 where channels are rows) unless given
    colours : False draws the channels of red, green and blue as rows; True asks for pictures in colour
    iteration : of the run, the one it ended with unless given

    Raises
    ------
    GlassnetError : no images, no convolution of that number, no such filter, no three channels to colour
    """
    name = filters_name(run, layer)
    state = state_of(run, iteration)
    W = np.asarray(state[name], dtype=np.float64)
    count, channels, height, width = W.shape
    if colours and channels != COLOURS:
        raise GlassnetError(
            f"{PICTURE} got colours=True, and {name} looks at {channels} channels; it needs red, green and blue."
        )
    coloured = channels == COLOURS and layer == 1 if colours is None else colours
    in_rows = channels > 1 and not coloured
    chosen = checked_numbers(filters, count, "filter", PICTURE, MOST_BESIDE if in_rows else MOST_FILTERS)
    limit = largest(W)
    shown = min(channels, MOST_CHANNELS) if in_rows else 1
    some = "" if len(chosen) == count or filters is not None else f"the first {len(chosen)} shown"
    at = "" if iteration is None else f"iteration {iteration}"
    said = f"{count} filter{'s' if count > 1 else ''} of {channels} × {height} × {width}"
    head = title or titled(f"Filters {name}: {said}", some, at)

    grid = (shown, len(chosen)) if in_rows else None
    sheet = Sheet.of(shown * len(chosen), height, width, grid=grid, head=not in_rows)
    down, across = sheet.size
    ax = ax or new_axes(*inches(down, across, bar=not coloured, below=True))
    if coloured:
        pictures = 0.5 + 0.5 * np.moveaxis(W[chosen], 1, 3) / limit
        image = ax.imshow(on_white(sheet.drawn(pictures)), interpolation="nearest", gid="filters")
    else:
        maps = W[chosen][:, :shown].swapaxes(0, 1).reshape(-1, height, width)
        image = ax.imshow(
            sheet.drawn(maps), cmap="RdBu_r", vmin=-limit, vmax=limit, interpolation="nearest", gid="filters"
        )
        colour_bar(ax, image, "weight")
    frames(ax, sheet)
    about = f"one picture a filter, {height} × {width} weights each"
    if coloured:
        about += f"; mid grey is 0, full colour ±{limit:.3g}"
    if in_rows:
        about = "filter"
        _name_rows(ax, sheet, chosen, shown)
    else:
        number(ax, sheet, [str(each) for each in chosen])
    more = f", the first {shown} of {channels}" if in_rows and shown < channels else ""
    dress(ax, x=about, y=f"channel it looks at{more}" if in_rows else "", title=head)
    if in_rows:
        ax.tick_params(length=0)
        for edge in ax.spines.values():
            edge.set_visible(False)
    else:
        bare(ax)
    return ax


def filters_name(run: Run, layer: int) -> str:
    """The name of a convolution's kernels, such as W1.

    Raises
    ------
    GlassnetError : no images, no convolution of that number
    """
    need_image(run, PICTURE)
    found = [p.layer for p in run.derivation.parameters if p.role == "weight" and len(p.symbol.shape) == 4]
    if layer not in found:
        only = f"its layer {found[0]} is" if len(found) == 1 else f"its layers {', '.join(map(str, found))} are"
        if not found:
            raise GlassnetError(f"{PICTURE} needs a convolution, and this network has none; plot its weights instead.")
        raise GlassnetError(f"{PICTURE} got layer {layer}, which is no convolution of this network; {only}.")
    return f"W{layer}"


def largest(values: Array) -> float:
    """The largest size of a finite entry, by which a scale around 0 is made; 1 where all are 0."""
    finite = np.abs(values[np.isfinite(values)])
    return float(finite.max()) if finite.size and finite.max() > 0 else 1.0


def frames(ax: Axes, sheet: Sheet) -> None:
    """A thin frame around each map of a sheet, so that an entry near 0 is told from paper."""
    size = sheet.repeat * sheet.width, sheet.repeat * sheet.height
    corners = [sheet.corner(each) for each in range(sheet.count)]
    framed(ax, [(left - 0.5, top - 0.5, *size) for top, left in corners])


def framed(ax: Axes, boxes: Sequence[tuple[float, float, float, float]]) -> None:
    """Thin frames: left, top, width, height each."""
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    drawn = PatchCollection(
        [Rectangle((left, top), width, height) for left, top, width, height in boxes],
        facecolor="none", edgecolor="#8A8A8A", linewidth=0.6, gid="frames", clip_on=False,
    )  # fmt: skip
    ax.add_collection(drawn, autolim=False)


def number(ax: Axes, sheet: Sheet, labels: Sequence[str]) -> None:
    """What each map is called, above it."""
    figure: Any = ax.figure
    across = ax.get_window_extent().width / figure.dpi * 72 / sheet.columns
    size = float(np.clip(0.28 * across, 5, 12))
    for place, label in enumerate(labels):
        top, left = sheet.corner(place)
        ax.text(left, top - 1.2, plain(label), fontsize=size, color=palette.INK, va="bottom", gid=f"name {place}")


def on_white(sheet: Array) -> Array:
    """Colours between 0 and 1; white where there is none."""
    return np.clip(np.nan_to_num(sheet, nan=1.0), 0.0, 1.0)


def _name_rows(ax: Axes, sheet: Sheet, chosen: list[int], channels: int) -> None:
    side = sheet.repeat * sheet.width
    step = max(1, -(-len(chosen) // 20))
    ax.set_xticks(
        [sheet.corner(place)[1] + side / 2 - 0.5 for place in range(0, len(chosen), step)],
        [str(each) for each in chosen[::step]],
    )
    high = sheet.repeat * sheet.height
    middles = [sheet.corner(row * sheet.columns)[0] + high / 2 - 0.5 for row in range(channels)]
    ax.set_yticks(middles, [str(row) for row in range(channels)])
