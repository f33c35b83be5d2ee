"""Panels of a film that show the inside of a network: its diagram, the weights of a layer, activations by layer."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from glassnet.engines.base import State
from glassnet.errors import GlassnetError, unknown_name
from glassnet.views import palette
from glassnet.views.film_frames import Instant
from glassnet.views.film_stage import Setting
from glassnet.views.network_columns import input_names, layer_outputs, sample_inputs, unit_values
from glassnet.views.network_diagram import NetworkDrawing
from glassnet.views.palette import plain
from glassnet.views.sheets import Layout, layout, tiles

Array = NDArray[np.float64]

MOST_ROWS = 1000
"""Rows of the training data whose activations are counted."""
BINS = 40
MOST_LAYERS = 6
MOST_PICTURES = 64


class Diagram:
    """The network: edges by weight, units by the activations of one sample."""

    def __init__(self, setting: Setting) -> None:
        run = self.run = setting.run
        self.place = setting.place
        sample = setting.options.get("sample")
        self.inputs: Any
        self.inputs, said = (None, "") if sample is None else sample_inputs(run, sample)
        ax = setting.axes()
        setting.dress(ax, title=said or "weights")
        most = setting.options.get("most") or 10
        self.drawing = NetworkDrawing(
            ax, run, setting.states, most=most, sample=self.inputs, scale=0.72 * setting.scale
        )
        self.moving = self.drawing.moving

    def settle(self) -> None:
        # Nothing stands below a diagram, so it may have the room in which its neighbours have their labels.
        ax, figure = self.drawing.ax, self.drawing.ax.figure
        box, bottom = ax.get_position(), 0.015
        for other in figure.axes:
            spec, around = other.get_subplotspec(), other.get_tightbbox()
            below = spec is not None and spec.get_topmost_subplotspec().rowspan.start == self.place.rowspan.stop
            if below and around is not None:
                bottom = max(bottom, around.y1 / figure.bbox.height + 0.01)
        ax.set_position((box.x0, bottom, box.width, box.y1 - bottom))
        self.drawing.fit()

    def show(self, instant: Instant, state: State) -> None:
        drawing, inputs = self.drawing, self.inputs
        drawing.show(state, None if inputs is None else unit_values(self.run, state, inputs, drawing.columns))


class Weights:
    """The weights of one layer, blue below zero and red above: a heat map, or a small picture a unit of an image network."""

    def __init__(self, setting: Setting) -> None:
        run = setting.run
        layer = setting.options.get("layer") or 1
        self.name = f"W{layer}"
        names = [p.name for p in run.derivation.parameters if p.role == "weight"]
        if self.name not in names:
            raise GlassnetError(unknown_name("layer's weights", self.name, names))
        inputs, units = run.snapshots[run.snapshots.iterations[0]].state[self.name].shape
        self.pictures: Layout | None = None
        if layer == 1:
            self.pictures = layout(inputs, "A film of weights", run=run)
        largest = [
            np.abs(np.nan_to_num(np.asarray(state[self.name], dtype=np.float64))).max() for state in setting.states
        ]
        limit = float(max(largest)) or 1.0
        ax = setting.axes()
        first = self._sheet(np.asarray(setting.states[0][self.name], dtype=np.float64))
        self.image = ax.imshow(
            first,
            aspect="equal" if self.pictures else "auto",
            cmap="RdBu_r",
            vmin=-limit,
            vmax=limit,
            interpolation="nearest",
        )
        title = f"{self.name}: {inputs:,} inputs → {units:,} unit{'s' if units > 1 else ''}"
        if self.pictures:
            shown = f", the first {MOST_PICTURES} shown" if units > MOST_PICTURES else ""
            setting.dress(ax, title=title + shown)
            ax.set_axis_off()
        else:
            from matplotlib.ticker import MaxNLocator

            setting.dress(ax, x="unit", y="input" if layer == 1 else f"unit of layer {layer - 1}", title=title)
            ax.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
            ax.yaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
            if layer == 1 and inputs <= 12:
                named = [name if len(name) <= 14 else f"{name[:13]}…" for name in input_names(run)]
                ax.set_yticks(range(inputs), [plain(name) for name in named])
        self.moving = [self.image, *ax.spines.values()] if not self.pictures else [self.image]
        bar = setting.figure.colorbar(self.image, ax=ax, fraction=0.06, pad=0.02)
        bar.ax.tick_params(labelsize=9 * setting.scale, colors=palette.INK, length=2.5, pad=2)

    def _sheet(self, W: Array) -> Array:
        """W itself, or each unit's weights as a picture, with white between them."""
        found = self.pictures
        if found is None:
            return W
        drawn = found.pictures(W[:, :MOST_PICTURES].T)
        height, width = found.height, found.width * found.channels
        rows, columns = tiles(len(drawn), width / height)
        gap = max(1, height // 14)
        sheet = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap), np.nan)
        for unit, picture in enumerate(drawn):
            top, left = unit // columns * (height + gap), unit % columns * (width + gap)
            sheet[top : top + height, left : left + width] = np.hstack(list(np.moveaxis(picture, 2, 0)))
        return sheet

    def settle(self) -> None:
        """Nothing here depends on the layout."""

    def show(self, instant: Instant, state: State) -> None:
        self.image.set_data(self._sheet(np.asarray(state[self.name], dtype=np.float64)))


class Activations:
    """How the activations of each layer are spread over its units and the training rows, as they are when predicting."""

    def __init__(self, setting: Setting) -> None:
        run = self.run = setting.run
        run._need_data("show activations of them")
        assert run.data is not None
        count = len(run.data)
        chosen = np.unique(np.linspace(0, count - 1, min(count, MOST_ROWS)).round().astype(int))
        X: Any = run.data.X[chosen]
        self.X = np.asarray(X.toarray() if hasattr(X, "toarray") else X)
        names = list(run.network._activations())
        kept = np.arange(len(names))
        if len(names) > MOST_LAYERS:
            kept = np.unique(np.linspace(0, len(names) - 1, MOST_LAYERS).round().astype(int))
        self.layers = [int(layer) + 1 for layer in kept]
        seen = [self._values(state) for state in setting.states]
        grid = setting.place.subgridspec(len(self.layers), 1)
        self.edges: list[Array] = []
        self.steps: list[Any] = []
        self.notes: list[Any] = []
        rows = f", {len(self.X):,} of {count:,} rows" if len(self.X) < count else ""
        for place, layer in enumerate(self.layers):
            values = [_finite(each[place]) for each in seen]
            low = min((float(v.min()) for v in values if len(v)), default=0.0)
            high = max((float(v.max()) for v in values if len(v)), default=1.0)
            low, high = BOUNDS.get(names[layer - 1], (low, high))
            if not high > low:
                low, high = low - 0.5, high + 0.5
            edges = np.linspace(low, high, BINS + 1)
            top = max(float(shares(each, edges).max(initial=0.0)) for each in values) or 1.0
            ax = setting.axes(grid[place])
            step = ax.stairs(np.zeros(BINS), edges, fill=True, color=palette.BLUE, gid=f"layer {layer}")
            ax.set_xlim(low, high)
            ax.set_ylim(0, min(1.0, 1.08 * top))
            setting.dress(ax, title=f"activations{rows}" if place == 0 else "")
            ax.set_ylabel(f"{layer} {names[layer - 1]}", fontsize=9 * setting.scale, color=palette.INK)
            ax.yaxis.set_major_locator(_two_ticks())
            ax.yaxis.set_major_formatter(_percent())
            note = ax.text(
                0.98,
                0.92,
                "",
                ha="right",
                va="top",
                transform=ax.transAxes,
                fontsize=8.5 * setting.scale,
                color=palette.INK,
            )
            self.edges.append(edges)
            self.steps.append(step)
            self.notes.append(note)
        self.moving = [*self.steps, *self.notes]
        ax.set_xlabel("activation", fontsize=10 * setting.scale, color=palette.INK, labelpad=2)

    def _values(self, state: State) -> list[Array]:
        return layer_outputs(self.run, state, self.X, self.layers)

    def settle(self) -> None:
        """Nothing here depends on the layout."""

    def show(self, instant: Instant, state: State) -> None:
        for values, edges, step, note in zip(self._values(state), self.edges, self.steps, self.notes, strict=True):
            step.set_data(shares(values, edges))
            outside = float(np.mean(~((values >= edges[0]) & (values <= edges[-1]))))
            note.set_text(f"{outside:.1%} beyond" if outside else "")


BOUNDS = {"sigmoid": (0.0, 1.0), "softmax": (0.0, 1.0), "tanh": (-1.0, 1.0)}


def shares(values: Array, edges: Array) -> Array:
    """Which share of all values lies in each bin."""
    counts, _ = np.histogram(values[np.isfinite(values)], edges)
    return np.asarray(counts / max(1, len(values)))


def _finite(values: Array) -> Array:
    return values[np.isfinite(values)]


def _two_ticks() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(nbins=2)


def _percent() -> Any:
    from matplotlib.ticker import PercentFormatter

    return PercentFormatter(1.0, decimals=0)
