"""What hidden layers do with the plane of the inputs: each unit's response over it, and the plane as a layer bends it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glassnet.errors import GlassnetError
from glassnet.views import palette
from glassnet.views.boundary import leads, scatter_classes
from glassnet.views.palette import dress, legend, new_axes, plain
from glassnet.views.plane import Plane, features_of, grid, plane_of, span
from glassnet.views.rows import (
    class_names,
    class_rows,
    gives_probabilities,
    line_values,
    standings,
    state_of,
    titled,
    training_inputs,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from glassnet.engines.base import State
    from glassnet.training.run import Run

Array = NDArray[np.float64]

MOST_MAPS = 40
MANY_MAPS = 12
"""More maps carry neither tick labels nor data points."""


def layer_values(run: Run, state: State, X: Array, layer: int) -> Array:
    """The activations A of a layer for any inputs (m, n), by the lines that predict, (m, units)."""
    return line_values(run, state, X, f"A{layer}")


def plot_responses(
    run: Run,
    axes: Any = None,
    *,
    figure: Figure | None = None,
    layer: int = 1,
    units: Sequence[int] | None = None,
    iteration: int | None = None,
    features: Sequence[str | int] | None = None,
    plane: str | None = None,
    at: str = "mean",
    resolution: int = 100,
) -> NDArray[Any]:
    """The response of each unit of a layer over the plane of the inputs, one small map a unit, one scale for all.

    Parameters
    ----------
    axes : one for each unit; on `figure`, or a figure of their own, unless given
    layer : from 1
    units : positions in the layer, from 0; the first 40 unless given
    iteration : of the run, the one it ended with unless given
    features, plane, at : as for `plot_boundary`, where the network has more than two inputs
    resolution : points along each axis of a map

    Returns
    -------
    the Axes, one a unit

    Raises
    ------
    GlassnetError : more than two inputs and no plane chosen; no such layer or unit; too few axes
    """
    picture = "A map of a unit's response"
    flat = plane_of(
        features_of(run), lambda: training_inputs(run, "the maps"), picture, features=features, plane=plane, at=at
    )
    width = _width(run, layer)
    chosen = _units(units, layer, width) if units is not None else list(range(min(width, MOST_MAPS)))
    inputs = training_inputs(run, "the maps")
    points = flat.place(inputs)
    low, high = span(points)
    _, _, places = grid(low, high, resolution)
    state = state_of(run, iteration)
    response = flat.over(places, lambda X: layer_values(run, state, X, layer))
    maps = response.reshape(resolution, resolution, width)

    grid_axes = _maps_axes(axes, figure, len(chosen))
    limit = float(np.nanmax(np.abs(maps[:, :, chosen]))) or 1.0
    one_sided = float(np.nanmin(maps[:, :, chosen])) >= 0
    few = len(chosen) <= MANY_MAPS
    columns = _columns(len(chosen))
    for position, (ax, unit) in enumerate(zip(grid_axes, chosen, strict=False)):
        image = ax.imshow(
            maps[:, :, unit],
            extent=(low[0], high[0], low[1], high[1]),
            origin="lower",
            aspect="auto",
            cmap="cividis" if one_sided else palette.two_class_colormap(),
            vmin=0.0 if one_sided else -limit,
            vmax=limit,
            gid=f"unit {unit}",
        )
        if few:
            ax.scatter(points[:, 0], points[:, 1], s=6, color="black", alpha=0.35, linewidths=0, rasterized=True)
        ax.set_title(f"unit {unit}", fontsize=palette.LABEL_SIZE if few else 12, color=palette.INK, pad=4)
        ax.tick_params(labelsize=palette.TICK_SIZE - 2, colors=palette.INK)
        last_row, first_column = position >= len(chosen) - columns, position % columns == 0
        ax.tick_params(labelbottom=last_row and few, labelleft=first_column and few, bottom=few, left=few)
        if not few:
            ax.set_xticks([])
            ax.set_yticks([])
    for ax in grid_axes[len(chosen) :]:
        ax.set_axis_off()
    shown = grid_axes[: len(chosen)]
    where: Any = shown[0].get_figure()
    bar = where.colorbar(image, ax=list(shown), fraction=0.03, pad=0.015)
    bar.set_label(f"activation A{layer}", fontsize=palette.LABEL_SIZE, color=palette.INK)
    bar.ax.tick_params(labelsize=palette.TICK_SIZE, colors=palette.INK)
    if axes is None:
        of = f"the first {len(chosen)} of {width} units" if units is None and len(chosen) < width else ""
        head = titled(
            f"Responses of layer {layer}", of, "" if iteration is None else f"iteration {iteration}", flat.said
        )
        where.suptitle(plain(head), fontsize=palette.TITLE_SIZE, color=palette.INK)
        where.supxlabel(plain(flat.labels[0]), fontsize=palette.LABEL_SIZE, color=palette.INK)
        where.supylabel(plain(flat.labels[1]), fontsize=palette.LABEL_SIZE, color=palette.INK)
    return shown


def plot_warp(
    run: Run,
    ax: Axes | None = None,
    *,
    layer: int = 1,
    units: Sequence[int] = (0, 1),
    iteration: int | None = None,
    features: Sequence[str | int] | None = None,
    plane: str | None = None,
    at: str = "mean",
    lines: int = 21,
) -> Axes:
    """The plane of the inputs as two units of a layer see it: its grid lines carried through, with the data points.

    With two classes, the border P = 1/2 is carried along as well.

    Parameters
    ----------
    layer : from 1
    units : two positions in the layer, from 0
    iteration : of the run, the one it ended with unless given
    features, plane, at : as for `plot_boundary`, where the network has more than two inputs
    lines : in each direction

    Raises
    ------
    GlassnetError : more than two inputs and no plane chosen; no such layer; not two of its units
    """
    picture = "The plane as a layer warps it"
    flat = plane_of(
        features_of(run), lambda: training_inputs(run, "the plane"), picture, features=features, plane=plane, at=at
    )
    width = _width(run, layer)
    if width < 2:
        raise GlassnetError(
            f"{picture} needs two units, and layer {layer} has 1; choose a wider layer, or plot its response instead."
        )
    if lines < 2:
        raise GlassnetError(f"plot_warp got lines={lines}; it needs 2 or more in each direction, say 21.")
    pair = _units(units, layer, width)
    if len(pair) != 2 or pair[0] == pair[1]:
        raise GlassnetError(f"plot_warp got the units {', '.join(map(str, pair))}; it needs two different ones.")
    state = state_of(run, iteration)
    inputs = training_inputs(run, picture[0].lower() + picture[1:])
    points = flat.place(inputs)
    low, high = span(points)

    def carried(places: Array) -> Array:
        return flat.over(places, lambda X: layer_values(run, state, X, layer)[:, pair])

    ax = ax or new_axes(9.0, 8.0)
    colours = (palette.SKY, palette.ORANGE)
    for axis in (0, 1):
        along = np.linspace(low[1 - axis], high[1 - axis], 201)
        for number, value in enumerate(np.linspace(low[axis], high[axis], lines)):
            places = np.empty((len(along), 2))
            places[:, axis], places[:, 1 - axis] = value, along
            ax.plot(
                *carried(places).T,
                color=colours[axis],
                linewidth=1.3,
                zorder=1,
                gid=f"line {axis} {number}",
                label=plain(f"{flat.labels[axis]} constant") if number == 0 else None,
            )
    classes = predicts_classes(run)
    _carried_border(ax, run, state, flat, (low, high), carried) if classes else None
    seen = layer_values(run, state, inputs, layer)[:, pair]
    if classes:
        rows = class_rows(run, picture=picture, iteration=iteration)
        scatter_classes(ax, seen, rows.true, rows.classes)
    else:
        ax.scatter(seen[:, 0], seen[:, 1], s=18, color=palette.BLUE, zorder=3, label="data", gid="data", linewidths=0)
    head = titled(f"The plane after layer {layer}", "" if iteration is None else f"iteration {iteration}", flat.said)
    dress(ax, x=f"activation of unit {pair[0]} (A{layer})", y=f"activation of unit {pair[1]} (A{layer})", title=head)
    legend(ax, below=True)
    return ax


def _carried_border(ax: Axes, run: Run, state: State, flat: Plane, corners: tuple[Array, Array], carried: Any) -> None:
    """The border of two classes in the plane of the inputs, carried through the layer."""
    if run.network.output_units != 1:
        return
    from contourpy import contour_generator

    across, up, places = grid(*corners, 201)
    surface = flat.over(places, lambda X: standings(run, state, X))
    probable = gives_probabilities(run)
    (lead,) = leads(surface.reshape(201, 201, 2), probable)
    found: Any = contour_generator(across, up, lead).lines(0.0)
    for number, line in enumerate(found):
        ax.plot(
            *carried(np.asarray(line, dtype=np.float64)).T,
            color="black",
            linewidth=2.2,
            zorder=4,
            gid=f"border {number}",
            label=("P = 1/2" if probable else "border") if number == 0 else None,
        )


def predicts_classes(run: Run) -> bool:
    """Whether the run predicts one class a row."""
    try:
        class_names(run, "")
    except GlassnetError:
        return False
    return True


def _width(run: Run, layer: int) -> int:
    """Units of a layer.

    Raises
    ------
    GlassnetError : there is no such layer, or its units are maps
    """
    widths = {e.layer: int(e.shape[1]) for e in run.derivation.forward if e.name == f"A{e.layer}"}
    maps = {e.layer for e in run.derivation.forward if e.name == f"A{e.layer}" and len(e.shape) == 4}
    if layer in maps:
        others = [str(number) for number in widths if number not in maps]
        instead = f", or choose layer {' or '.join(others)}" if others else ""
        raise GlassnetError(f"The units of layer {layer} are maps, not numbers; plot its feature maps{instead}.")
    if layer not in widths:
        only = "only layer 1" if len(widths) == 1 else f"the layers 1 to {len(widths)}"
        raise GlassnetError(f"There is no layer {layer}; this network has {only}, the last of which is its output.")
    return widths[layer]


def _units(units: Sequence[int], layer: int, width: int) -> list[int]:
    wrong = [unit for unit in units if isinstance(unit, bool) or unit != int(unit) or not 0 <= unit < width]
    if wrong or not len(units):
        given = f"There is no unit {wrong[0]} in layer {layer}" if wrong else "No unit was named"
        numbered = "one unit, number 0" if width == 1 else f"the units 0 to {width - 1}"
        raise GlassnetError(f"{given}; layer {layer} has {numbered}.")
    return [int(unit) for unit in units]


def _columns(count: int) -> int:
    return int(np.ceil(np.sqrt(count * 1.6))) if count > 3 else count


def _maps_axes(axes: Any, figure: Figure | None, count: int) -> NDArray[Any]:
    """The axes to draw on, one a map, as a flat array."""
    if axes is not None:
        given = np.atleast_1d(np.asarray(axes, dtype=object)).ravel()
        if len(given) < count:
            raise GlassnetError(
                f"plot_responses got {len(given)} axes for {count} units; pass one for each, or a figure."
            )
        return given
    if figure is None:
        from matplotlib.figure import Figure

        columns = _columns(count)
        rows = -(-count // columns)
        each = 3.3 if count <= MANY_MAPS else 1.45
        figure = Figure(
            figsize=(max(each * columns + 2.0, 7.0), max(0.9 * each * rows + 1.4, 4.6)),
            layout="constrained",
            facecolor="white",
        )
    columns = _columns(count)
    made: NDArray[Any] = figure.subplots(-(-count // columns), columns, squeeze=False, sharex=True, sharey=True).ravel()
    return made
