"""The weights of a layer as a picture: a heat map, or a small picture a unit where the inputs are pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glassnet.errors import GlassnetError, unknown_name
from glassnet.views import palette
from glassnet.views.palette import colour_bar, dress, new_axes, plain
from glassnet.views.rows import is_run, state_of, titled
from glassnet.views.sheets import Layout, layout, tiles

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from glassnet.training.run import Run

Array = NDArray[np.float64]

MOST_PICTURES = 64


def plot_weights(
    parameters: Run | Mapping[str, ArrayLike],
    ax: Axes | None = None,
    *,
    layer: int = 1,
    input_names: Sequence[str] | None = None,
    pictures: bool | None = None,
    shape: Sequence[int] | None = None,
    iteration: int | None = None,
) -> Axes:
    """The weights W of a layer, blue below zero and red above, one colour scale for all; of a convolution its filters.

    Parameters
    ----------
    parameters : a run; or {"W1": (inputs, units), "b1": ...}
    layer : counted from 1
    input_names : one for each row of W; a run's own unless given
    pictures : each unit's weights as a small picture, up to 64 units; None does so for layer 1 where its inputs are pixels
        (a run trained on images; 64 or more inputs in a square, or in a square of three colours)
    shape : of a picture, (height, width), (height, width, channels) or (channels, height, width); channels stand side by
        side
    iteration : of the run, the one it ended with unless given

    Raises
    ------
    GlassnetError : no such layer, no dense layer, inputs that are no picture
    """
    run: Run | None = None
    given: dict[str, Any]
    if is_run(parameters):
        run = parameters
        state = state_of(run, iteration)
        given = {each: state[each] for each in run.parameter_names}
        if input_names is None and layer == 1 and run.preparation is not None:
            input_names = run.preparation.input_names
    else:
        if iteration is not None:
            raise GlassnetError(
                "plot_weights got an iteration and parameters; only a run has iterations: pass the run."
            )
        given = dict(parameters)  # type: ignore[arg-type]
    name = f"W{layer}"
    if run is not None and name in given and np.ndim(given[name]) == 4:
        from glassnet.views.filters import plot_filters

        return plot_filters(run, ax, layer=layer, iteration=iteration)
    if name not in given:
        weights = [key for key in given if key.startswith("W")]
        raise GlassnetError(unknown_name("parameter", name, weights or given))
    W = np.asarray(given[name], dtype=np.float64)
    if W.ndim != 2 or W.size == 0:
        raise GlassnetError(
            f"plot_weights got {name} of shape {W.shape}; it draws dense layers, whose weights are (inputs, units). "
            f"Choose a dense layer of this network."
        )
    inputs, units = W.shape
    if input_names is not None and len(input_names) != inputs:
        raise GlassnetError(
            f"plot_weights got {len(input_names)} input names for the {inputs} inputs of {name}; it needs one for each."
        )
    finite = np.abs(W[np.isfinite(W)])
    limit = float(finite.max()) if finite.size and finite.max() > 0 else 1.0
    options: dict[str, Any] = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit, "interpolation": "nearest"}
    title = titled(
        f"Weights {name}: {inputs} inputs → {units} unit{'s' if units > 1 else ''}",
        "" if iteration is None else f"iteration {iteration}",
    )
    if shape is not None or pictures or (pictures is None and layer == 1):
        found = _layout(inputs, shape, run if layer == 1 else None, input_names, bool(pictures), name)
        if found is not None:
            return _draw_pictures(W, found, ax, options, title)

    stem, first = ("x", 1) if layer == 1 else ("", 0)  # inputs are x1, x2, ...; units are counted as in trace["A1"]
    named = input_names or [f"{stem}{index + first}" for index in range(inputs)]
    ax = ax or new_axes(11.0 if units > 12 else 9.0, float(np.clip(2.5 + 0.4 * inputs, 4.0, 9.0)))
    image = ax.imshow(W, aspect="auto", **options)
    if inputs <= 40:
        ax.set_yticks(range(inputs), [plain(each) for each in named])
    step = max(1, int(np.ceil(units / 20)))
    ax.set_xticks(range(0, units, step), [str(unit) for unit in range(0, units, step)])
    colour_bar(ax, image, "weight")
    dress(ax, x="unit", y="input" if layer == 1 else f"unit of layer {layer - 1}", title=title)
    return ax


def _layout(
    inputs: int, shape: Sequence[int] | None, run: Any, names: Sequence[str] | None, asked: bool, name: str
) -> Layout | None:
    found = layout(inputs, "plot_weights", shape=shape, run=run, names=names)
    if found is None and asked:
        side = int(np.sqrt(inputs))
        if side * side != inputs:
            raise GlassnetError(
                f"plot_weights got pictures=True for {name} with {inputs} inputs; square pictures need a square number of "
                f"them. Pass shape=(height, width), or leave pictures out for a heat map."
            )
        found = Layout(side, side, 1, np.arange(inputs))
    return found


def _draw_pictures(W: Array, found: Layout, ax: Axes | None, options: dict[str, Any], title: str) -> Axes:
    """Each unit's weights as a picture, in rows of a grid with gaps between; channels side by side."""
    units = min(W.shape[1], MOST_PICTURES)
    drawn = found.pictures(W[:, :units].T)
    height, width = found.height, found.width * found.channels
    rows, columns = tiles(units, width / height)
    gap = max(1, height // 14)
    head = max(2, height // 4)  # room above each picture for its number
    sheet = np.full((rows * (height + gap + head), columns * (width + gap)), np.nan)
    ax = ax or new_axes(10.0, 8.3 * sheet.shape[0] / sheet.shape[1] + 0.9)  # a colour bar stands beside
    for unit in range(units):
        top = unit // columns * (height + gap + head) + head
        left = unit % columns * (width + gap)
        sheet[top : top + height, left : left + width] = np.hstack(list(np.moveaxis(drawn[unit], 2, 0)))
        ax.text(left, top - 1, str(unit), fontsize=12 if columns <= 6 else 10, color=palette.INK, va="bottom")
    image = ax.imshow(sheet, **options)
    colour_bar(ax, image, "weight")
    if units < W.shape[1]:
        title += f", the first {units} shown"
    about = f"one picture a unit, {found.height} × {found.width} inputs each"
    if found.channels > 1:
        kinds = "red, green and blue" if found.channels == 3 else f"{found.channels} channels"
        about = f"one picture a unit, {found.height} × {found.width} inputs, {kinds} side by side"
    elif not found.complete:
        about += "; white: no input"
    dress(ax, x=about, y="", title=title)
    bare(ax)
    return ax


def bare(ax: Axes) -> None:
    """No ticks and no frame: a sheet of pictures."""
    ax.set_xticks([])
    ax.set_yticks([])
    for edge in ax.spines.values():
        edge.set_visible(False)
