"""What excites a filter: the patches of real pictures at which it answers most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glassnet.errors import GlassnetError
from glassnet.views import palette
from glassnet.views.filters import frames
from glassnet.views.image_stages import (
    checked_numbers,
    image_shape,
    in_own_units,
    need_image,
    stage_name,
    stage_values,
    stages_of,
)
from glassnet.views.palette import dress, new_axes, plain
from glassnet.views.predictions import as_seen
from glassnet.views.receptive_field import receptive_field
from glassnet.views.rows import state_of, titled, training_inputs
from glassnet.views.sheets import COLOURS, Sheet, filled_tiles, inches
from glassnet.views.weights import bare

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from glassnet.training.run import Run

Array = NDArray[np.float64]

PICTURE = "A picture of what excites a filter"
MOST_FILTERS = 8
BEYOND = 0.82
"""Grey of what lies beyond a picture's edge, where a layer pads it with zeros."""


@dataclass(frozen=True)
class Patch:
    """A place at which a filter answers strongly.

    Attributes
    ----------
    row : of X
    place : (u, v) in the filter's map
    value : of the map there
    box : of the receptive field in the picture: first row, row after the last, first column, column after the last; it may
        reach beyond the picture
    """

    row: int
    place: tuple[int, int]
    value: float
    box: tuple[int, int, int, int]


def strongest_patches(
    run: Run,
    X: Any = None,
    *,
    layer: int = 1,
    stage: str = "A",
    filters: int | Sequence[int] | None = None,
    top: int = 9,
    iteration: int | None = None,
) -> dict[int, list[Patch]]:
    """Filter → the places at which it answers most, the strongest first, at most one a picture (the first of equals).

    Parameters
    ----------
    X : pictures as the network takes them, (m, channels, height, width); the training rows unless given
    layer, stage : as for `plot_feature_maps`
    filters : positions in the layer, from 0; the first 8 unless given
    top : places for each filter

    Raises
    ------
    GlassnetError : no images, no such layer, stage or filter
    RunError : the training rows are needed and not at hand
    """
    shape = need_image(run, PICTURE)
    name = stage_name(run, PICTURE, layer, stage)
    chosen = checked_numbers(filters, stages_of(run)[name][0], "filter", PICTURE, MOST_FILTERS)
    if isinstance(top, bool) or not isinstance(top, int | np.integer) or top < 1:
        raise GlassnetError(f"{PICTURE} got top={top!r}; it needs a whole number of patches, 1 or more.")
    inputs = training_inputs(run, PICTURE) if X is None else np.asarray(run.inputs(X), dtype=np.float64)
    inputs = inputs.reshape(len(inputs), *shape)
    maps = stage_values(run, state_of(run, iteration), inputs, name)[:, chosen]
    field = receptive_field(run.derivation, name)
    flat = maps.reshape(*maps.shape[:2], -1)
    best, strongest = flat.argmax(axis=2), flat.max(axis=2)
    found: dict[int, list[Patch]] = {}
    for position, each in enumerate(chosen):
        order = np.argsort(-strongest[:, position], kind="stable")[:top]
        places = [divmod(int(best[row, position]), maps.shape[3]) for row in order]
        found[each] = [
            Patch(int(row), (u, v), float(strongest[row, position]), field.box(u, v))
            for row, (u, v) in zip(order, places, strict=True)
        ]
    return found


def plot_excitation(
    run: Run,
    X: Any = None,
    ax: Axes | None = None,
    *,
    layer: int = 1,
    stage: str = "A",
    filters: int | Sequence[int] | None = None,
    top: int = 9,
    iteration: int | None = None,
    where: str | None = None,
    title: str | None = None,
) -> Axes:
    """The patches of real pictures that excite a filter most: what it has learnt to look for.

    Each patch is the filter's receptive field at the place where it answers most, at most one a picture; above it stand its
    row and the value there. Several filters have a row of patches each. Pale grey lies beyond the edge of a picture.

    Parameters
    ----------
    X, layer, stage, filters, top : as for `strongest_patches`
    iteration : of the run, the one it ended with unless given
    where : what the rows are called in the title

    Raises
    ------
    GlassnetError : no images, no such layer, stage or filter
    RunError : the training rows are needed and not at hand

    Source: Zeiler and Fergus, Visualizing and Understanding Convolutional Networks, 2014.
    """
    found = strongest_patches(run, X, layer=layer, stage=stage, filters=filters, top=top, iteration=iteration)
    name = stage_name(run, PICTURE, layer, stage)
    inputs = training_inputs(run, PICTURE) if X is None else np.asarray(run.inputs(X), dtype=np.float64)
    shape = image_shape(run)
    patches = [patch for each in found.values() for patch in each]
    rows, back = np.unique([patch.row for patch in patches], return_inverse=True)
    pictures = in_own_units(run, inputs[rows].reshape(len(rows), *shape), PICTURE)  # type: ignore[misc]
    seen = as_seen(pictures, np.arange(len(rows)))
    cuts = np.stack([cut(seen[place], patch.box) for place, patch in zip(back, patches, strict=True)])
    cuts = cuts if cuts.shape[3] == COLOURS else np.repeat(cuts.mean(axis=3, keepdims=True), 3, axis=3)

    several = len(found) > 1
    longest = max(len(each) for each in found.values())
    grid = (len(found), longest) if several else filled_tiles(longest, cuts.shape[2] / cuts.shape[1])
    sheet = Sheet.of(len(patches), *cuts.shape[1:3], grid=grid)
    down, across = sheet.size
    ax = ax or new_axes(*((12.0, 10.6 * down / across + 1.2) if several else inches(down, across, below=True)))
    ax.imshow(np.nan_to_num(sheet.drawn(cuts), nan=1.0), interpolation="nearest", gid="patches")
    frames(ax, sheet)
    figure: Any = ax.figure
    room = ax.get_window_extent().width / figure.dpi * 72 / sheet.columns
    size = float(np.clip(room / (0.62 * 13), 4.5, 12))
    for place, patch in enumerate(patches):
        top_edge, left = sheet.corner(place)
        said = f"{patch.value:.2f}, row {patch.row}".replace("-", "−")
        ax.text(left, top_edge - 1.0, said, fontsize=size, color=palette.INK, va="bottom", gid=f"patch {place}")
    field = f"{cuts.shape[1]} × {cuts.shape[2]}"
    of = "filters" if several else f"filter {next(iter(found))}"
    at = "" if iteration is None else f"iteration {iteration}"
    known = where or ("training rows" if X is None else "")
    head = title or titled(f"What excites {of} of {name} most", known, at)
    dress(ax, x=f"{field} pixels that a place sees; above: {name} there, and the row", y="", title=head)
    bare(ax)
    if several:
        middle = [sheet.corner(row * longest)[0] + sheet.repeat * sheet.height / 2 for row in range(len(found))]
        ax.set_yticks(middle, [plain(f"filter {each}") for each in found])
        ax.tick_params(length=0, labelsize=palette.TICK_SIZE, colors=palette.INK)
    return ax


def cut(picture: Array, box: tuple[int, int, int, int]) -> Array:
    """The pixels of a box (first row, row after the last, first column, column after the last); grey beyond the edge."""
    top, bottom, left, right = box
    found = np.full((bottom - top, right - left, picture.shape[2]), BEYOND)
    inside = picture[max(top, 0) : bottom, max(left, 0) : right]
    down, across = max(-top, 0), max(-left, 0)
    found[down : down + inside.shape[0], across : across + inside.shape[1]] = inside
    return found
