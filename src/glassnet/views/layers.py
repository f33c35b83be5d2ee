"""Layers over time: activations, gradients and the size of updates, from the steps of a training as they were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glassnet.errors import GlassnetError, unknown_name
from glassnet.views import palette
from glassnet.views.palette import dress, legend, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from glassnet.training.run import Run

Array = NDArray[np.float64]

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
SPACINGS = ("log", "even")
GUIDE = 1e-3
"""An update about a thousandth of the weights is usual; far more is hasty, far less is slow."""
MOST_LAYERS = 8
FEW_LAYERS = 3
"""So few layers are drawn with the band of the middle 90 %, more with that of the middle half."""
STYLES = ("-", "--", "-.", ":")


@dataclass(frozen=True)
class LayersOverTime:
    """What each layer did at some steps of a training.

    Attributes
    ----------
    iterations : updates before each step, (p,)
    layers : their numbers, from 1, and `names` what they are
    activations : 5, 25, 50, 75 and 95 % quantiles of A over the step's batch and the layer's units, (p, layers, 5)
    gradients : the same quantiles of |∂J/∂W| over the weights whose gradient is not exactly 0, (p, layers, 5)
    updates : ‖W after − W before‖ / ‖W before‖, (p, layers); NaN where W is 0
    """

    iterations: NDArray[np.int64]
    layers: tuple[int, ...]
    names: tuple[str, ...]
    activations: Array
    gradients: Array
    updates: Array


def layers_over_time(
    run: Run, *, points: int = 40, spacing: str = "log", iterations: Sequence[int] | None = None
) -> LayersOverTime:
    """Look at some steps of a training, each re-created exactly, and note what every layer did.

    Parameters
    ----------
    points : steps to look at
    spacing : "log", so that the beginning, where most happens, is seen closely; or "even"
    iterations : these steps instead; 0 is the first

    Raises
    ------
    GlassnetError : no update was made, a step that does not exist, settings that cannot be used
    RunError : the data are needed and not at hand; a training without steps (L-BFGS)
    """
    if spacing not in SPACINGS:
        raise GlassnetError(unknown_name("spacing", spacing, SPACINGS))
    if points < 2:
        raise GlassnetError(f"layers_over_time got points={points}; it needs 2 or more steps to look at, say 40.")
    if run.iteration < 1:
        raise GlassnetError(
            "This run has made no update, so its layers have no course over time; train for an epoch or more."
        )
    steps = _steps(run.iteration, points, spacing) if iterations is None else np.unique(np.asarray(iterations))
    if iterations is None and run.facts.get("from_data") and len(steps) > 1:
        steps = steps[1:] if steps[0] == 0 else steps  # Newton's first step starts from the data, not from weights
    weights = [parameter for parameter in run.derivation.parameters if parameter.role == "weight"]
    numbers = tuple(parameter.layer for parameter in weights)
    activations, gradients = (np.full((len(steps), len(numbers), len(QUANTILES)), np.nan) for _ in range(2))
    updates = np.full((len(steps), len(numbers)), np.nan)
    for position, iteration in enumerate(steps):
        values = run.intermediates(int(iteration))
        for place, parameter in enumerate(weights):
            before, after = (
                np.asarray(values[name], np.float64) for name in (parameter.name, f"{parameter.name}.after")
            )
            activations[position, place] = _quantiles(values[f"A{parameter.layer}"])
            slopes = np.abs(np.asarray(values[f"d{parameter.name}"], dtype=np.float64))
            gradients[position, place] = _quantiles(slopes[slopes > 0])
            size = float(np.linalg.norm(before))
            updates[position, place] = float(np.linalg.norm(after - before)) / size if size > 0 else np.nan
    names = tuple(f"layer {number}: {_kind(run, number)}" for number in numbers)
    return LayersOverTime(np.asarray(steps, dtype=np.int64), numbers, names, activations, gradients, updates)


def plot_activations(run: Run | LayersOverTime, ax: Axes | None = None, **steps: Any) -> Axes:
    """The activations of each layer over the training: the median, and a band around it.

    Parameters
    ----------
    run : a run, or what `layers_over_time` found in it
    steps : points, spacing, iterations, as for `layers_over_time`
    """
    found = _found(run, steps)
    ax = _draw(ax, found, found.activations)
    _dress(ax, found, "activation A", "Activations by layer", banded=True)
    return ax


def plot_gradients(run: Run | LayersOverTime, ax: Axes | None = None, **steps: Any) -> Axes:
    """The size of the cost's slopes |∂J/∂W| in each layer over the training: the median, and a band around it.

    Weights whose slope is exactly 0, such as those of a relu unit that is off, are left out.

    Parameters
    ----------
    run : a run, or what `layers_over_time` found in it
    steps : points, spacing, iterations, as for `layers_over_time`
    """
    found = _found(run, steps)
    if not np.isfinite(found.gradients).any():
        raise GlassnetError(
            "Every gradient of these steps is exactly 0, so there is nothing to draw; plot the activations."
        )
    ax = _draw(ax, found, found.gradients)
    ax.set_yscale("log")
    _dress(ax, found, "|∂J/∂W| (cost per unit of weight)", "Gradients by layer", banded=True)
    return ax


def plot_updates(run: Run | LayersOverTime, ax: Axes | None = None, **steps: Any) -> Axes:
    """How far each update moved the weights of a layer, as a share of their size: ‖W after − W‖ / ‖W‖.

    Parameters
    ----------
    run : a run, or what `layers_over_time` found in it
    steps : points, spacing, iterations, as for `layers_over_time`
    """
    found = _found(run, steps)
    if not (found.updates > 0).any():
        raise GlassnetError(
            "In these steps every weight is 0 or stays where it is, so no share can be drawn; plot the gradients instead."
        )
    ax = _draw(ax, found, found.updates[:, :, None])
    ax.set_yscale("log")
    ax.axhline(
        GUIDE, color="#666666", linestyle=(0, (1, 1)), linewidth=2.0, label="a thousandth", gid="guide", zorder=1
    )
    _dress(ax, found, "‖change of W‖ / ‖W‖ at one update", "Updates against weights, by layer", banded=False)
    return ax


def _found(run: Run | LayersOverTime, steps: dict[str, Any]) -> LayersOverTime:
    if not isinstance(run, LayersOverTime):
        return layers_over_time(run, **steps)
    if steps:
        raise GlassnetError(
            f"The steps were chosen when layers_over_time looked at them; leave {', '.join(steps)} out, or pass the run."
        )
    return run


def _steps(count: int, points: int, spacing: str) -> NDArray[np.int64]:
    """Positions of the steps, of `count`: the first and the last, and some between."""
    if count <= points:
        return np.arange(count)
    if spacing == "even":
        return np.unique(np.round(np.linspace(0, count - 1, points)).astype(np.int64))
    return np.unique(np.round(np.geomspace(1, count, points)).astype(np.int64)) - 1


def _quantiles(values: Any) -> Array:
    finite = np.asarray(values, dtype=np.float64).ravel()
    finite = finite[np.isfinite(finite)]
    return np.asarray(np.quantile(finite, QUANTILES)) if finite.size else np.full(len(QUANTILES), np.nan)


def _kind(run: Run, number: int) -> str:
    from glassnet.layers import Weighted

    weighted = [layer for layer in run.network.layers if isinstance(layer, Weighted)]
    return str(weighted[number - 1])


def _draw(ax: Axes | None, found: LayersOverTime, values: Array) -> Axes:
    """A line for each layer's median, and a band; of many layers some, the first and the last among them."""
    ax = ax or new_axes(10.0, 6.5)
    places = range(len(found.layers))
    if len(found.layers) > MOST_LAYERS:
        places = np.unique(np.linspace(0, len(found.layers) - 1, MOST_LAYERS).round().astype(int)).tolist()
    outer = len(found.layers) <= FEW_LAYERS
    steps = found.iterations + 1
    for number, place in enumerate(places):
        colour = palette.class_colour(number)
        if values.shape[2] > 1:
            low, high = (0, 4) if outer else (1, 3)
            ax.fill_between(
                steps, values[:, place, low], values[:, place, high], color=colour, alpha=0.18, linewidth=0,
                gid=f"band {found.layers[place]}",
            )  # fmt: skip
        ax.plot(
            steps,
            values[:, place, values.shape[2] // 2],
            color=colour,
            linestyle=STYLES[number % len(STYLES)],
            linewidth=2.8,
            marker="o" if len(steps) == 1 else None,
            label=found.names[place],
            gid=f"layer {found.layers[place]}",
        )
    return ax


def _dress(ax: Axes, found: LayersOverTime, y: str, title: str, *, banded: bool) -> None:
    steps = found.iterations + 1
    if len(steps) > 2 and np.diff(steps)[-1] > 3 * np.diff(steps)[0]:
        ax.set_xscale("log")
    if len(found.layers) > MOST_LAYERS:
        title += f", {MOST_LAYERS} of {len(found.layers)} layers"
    dress(ax, x="update, from 1", y=y, title=title, grid=True)
    band = "the middle 90%" if len(found.layers) <= FEW_LAYERS else "the middle half"
    if banded:
        ax.fill_between([], [], [], color="#666666", alpha=0.3, linewidth=0, label=f"line: median, band: {band}")
    legend(ax, below=True)
