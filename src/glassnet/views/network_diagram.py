"""The network as a diagram: its units, and its weights as edges whose width and colour say how large they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glassnet.errors import GlassnetError
from glassnet.views import palette
from glassnet.views.network_columns import Column, columns_of, sample_inputs, unit_values
from glassnet.views.network_maps import MapTiles
from glassnet.views.palette import plain
from glassnet.views.rows import state_of, titled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from glassnet.engines.base import State
    from glassnet.training.run import Run

Array = NDArray[np.float64]

THINNEST = 0.35
"""Points; the width of a weight of 0."""
LETTER = 0.56
"""How wide a letter is, of its height."""
BOUNDED = ("sigmoid", "softmax", "tanh")
"""Activations that never leave −1 to 1, so that one shade means one number."""
DASHES = (0, (2.2, 1.1))
VALUE = 6
"""Letters of a number beside an output, with the gap before it."""
ROOMY = 21.0
"""Points across a unit, from which a number is written into it."""


def plot_network(
    run: Run,
    ax: Axes | None = None,
    *,
    sample: int | Sequence[float] | dict[str, Any] | None = None,
    iteration: int | None = None,
    most: int = 12,
    title: str | None = None,
) -> Axes:
    """A network's units and weights: an edge is as wide and as strongly coloured as its weight is large.

    Weights above 0 are orange-red and solid, those below 0 blue and dashed; one scale for all layers. A sample shades each
    unit by its activation: green above 0, purple below, white at 0. Biases are not drawn. Of a layer with more than
    `most` units the first and last are drawn, and how many lie between is written there. The stages of an image network
    are columns of maps, with their number and size (8 @ 24×24) and the layer that makes them; a sample is seen in them.

    Parameters
    ----------
    sample : a row number of the training data; or its features, as `run.predict` takes them; or {column: value}; of
        an image network one picture (channels, height, width)
    iteration : of the run, the one it ended with unless given
    most : units of a layer that are drawn at most

    Raises
    ------
    GlassnetError : no such row, features that do not fit, no such iteration
    """
    if isinstance(most, bool) or not isinstance(most, int | np.integer) or most < 3:
        raise GlassnetError(f"plot_network got most={most!r}; it needs a whole number of units, 3 or more.")
    state = state_of(run, iteration)
    inputs, said = (None, "") if sample is None else sample_inputs(run, sample)
    own = ax is None
    if ax is None:
        count = len(columns_of(run, most))
        ax = palette.new_axes(float(np.clip(2.3 * count + 2.0, 8.0, 18.0)), 6.5)
    drawing = NetworkDrawing(ax, run, [state], most=most, sample=inputs)
    values = None if inputs is None else unit_values(run, state, inputs, drawing.columns)
    # An iteration or a sample is said in the title; the network itself is said by the captions.
    head = title or titled("Network", "" if iteration is None else f"iteration {iteration}", said)
    ax.set_title(plain(head), fontsize=palette.TITLE_SIZE, color=palette.INK)
    if own:
        figure: Any = ax.get_figure()
        figure.draw_without_rendering()  # so that the size of the axes is known
    drawing.fit()
    drawing.show(state, values)
    return ax


class NetworkDrawing:
    """A diagram on an axes, drawn once; `show` gives it other weights and activations.

    Parameters
    ----------
    states : those whose weights (and activations) must fit the scales; what lies beyond is drawn as the largest
    sample : the inputs (1, n) whose activations will be shown
    scale : of letters and lines, 1 for a picture
    """

    def __init__(
        self,
        ax: Axes,
        run: Run,
        states: Sequence[State],
        *,
        most: int = 12,
        sample: Array | None = None,
        scale: float = 1.0,
    ) -> None:
        from matplotlib.collections import LineCollection
        from matplotlib.colors import LinearSegmentedColormap

        self.ax, self.scale = ax, scale
        self.columns = columns_of(run, most)
        neighbours = pairwise(self.columns)
        self.edges = [(left, right) for left, right in neighbours if left.number + 1 == right.number]
        self.limit = (
            max((float(np.abs(_finite(self.weights(state))).max(initial=0.0)) for state in states), default=0.0) or 1.0
        )
        self.shades = self._shades(run, states, sample)
        # A weight of 0 is a pale grey line, thin but there.
        self.colours = LinearSegmentedColormap.from_list("weights", [palette.BLUE, "#C9C9C9", palette.VERMILLION])
        shades = ["#762A83", "#C2A5CF", "white", "#7FBF7B", "#1B7837"]
        self.unit_colours = LinearSegmentedColormap.from_list("activations", shades)
        ax.set_axis_off()
        ax.set_xlim(0, 1)
        ax.set_ylim(0, 1)
        self.lines: Any = LineCollection([], zorder=1, gid="weights", capstyle="butt")
        ax.add_collection(self.lines)
        self.units: Any = ax.scatter(
            [0.0] * self._count, [0.0] * self._count, edgecolors=palette.INK, facecolors="white", zorder=3, gid="units"
        )
        self.numbers = [
            self._text("", gid="activation", zorder=4) for _ in range(self._count if sample is not None else 0)
        ]
        self.names = {
            (column.number, row): self._text("") for column in self.columns for row in range(len(column.names))
        }
        self._fitted: dict[tuple[int, int], str] = {}
        self.captions = [self._text("\n".join(column.caption), va="top") for column in self.columns]
        self.gaps = {
            column.number: self._text(f"… {column.left_out:,} more") for column in self.columns if column.left_out
        }
        for gap in self.gaps.values():
            gap.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1.0})
        self.maps = MapTiles(ax, self.columns, self.unit_colours, scale)
        words = [*self.numbers, *self.names.values()]
        self.moving: list[Any] = [self.lines, *self.maps.moving, *self.gaps.values(), self.units, *words]
        self.fit()

    @property
    def _count(self) -> int:
        return sum(len(column.units) for column in self.columns if self._has_units(column))

    @staticmethod
    def _has_units(column: Column) -> bool:
        """Whether its units are circles, one number each."""
        return column.maps is None and bool(column.stage)

    def weights(self, state: State) -> Array:
        """The weights that are drawn, in the order of the edges."""
        parts = [
            np.asarray(state[f"W{b.number}"], dtype=np.float64)[np.ix_(a.units, b.units)].ravel() for a, b in self.edges
        ]
        return np.concatenate([np.zeros(0), *parts])

    def _shades(self, run: Run, states: Sequence[State], sample: Array | None) -> list[float]:
        """Per column, the activation that has the darkest shade."""
        if sample is None:
            return []
        found = [unit_values(run, state, sample, self.columns) for state in states]
        limits = []
        for column in self.columns:
            if not column.stage:
                limits.append(1.0)
                continue
            largest = max(float(np.abs(_finite(values[column.number])).max(initial=0.0)) for values in found)
            limits.append(1.0 if column.activation in BOUNDED else largest or 1.0)
        return limits

    def _text(self, words: str, **options: Any) -> Any:
        options = {"ha": "center", "va": "center", "color": palette.INK, "zorder": 5, **options}
        return self.ax.text(0.0, 0.0, plain(words), **options)

    def _legend(self, width: float) -> int:
        """What a width, a colour, a dash and a shade mean; how many lines it takes."""
        from matplotlib.lines import Line2D

        widest = 4.5 * self.scale
        handles: list[Any] = [
            Line2D([], [], color=self.colours(1.0), linewidth=widest, label=f"weight +{self.limit:.3g}"),
            Line2D(
                [], [], color=self.colours(0.0), linewidth=widest, linestyle=DASHES, label=f"weight −{self.limit:.3g}"
            ),
        ]
        if self.shades:
            look: dict[str, Any] = {"marker": "o", "linestyle": "none", "markeredgecolor": palette.INK}
            look["markersize"] = 10 * self.scale
            handles += [
                Line2D([], [], markerfacecolor=self.unit_colours(1.0), label="activation +", **look),
                Line2D([], [], markerfacecolor=self.unit_colours(0.0), label="activation −", **look),
            ]
        size = 0.95 * palette.LEGEND_SIZE * self.scale
        each = LETTER * max(len(handle.get_label()) for handle in handles) + 3.8  # letters, the mark and the gaps
        columns = len(handles) if len(handles) * each * size <= width else 2
        self.legend = self.ax.legend(
            handles=handles, loc="lower center", bbox_to_anchor=(0.5, 0.0), ncols=columns, frameon=False, borderpad=0.0,
            fontsize=min(size, width / (columns * each)), labelcolor=palette.INK, handlelength=2.2, columnspacing=1.0,
            handletextpad=0.5, borderaxespad=0.1,
        )  # fmt: skip
        self.legend.set_in_layout(False)
        return len(handles) // columns

    @property
    def roomy(self) -> bool:
        """Whether a number can be read inside a unit."""
        return self.diameter >= ROOMY

    # Where everything stands.

    def fit(self) -> None:
        """Place everything for the present size of the axes."""
        box = self.ax.get_window_extent()
        points = 72.0 / self.ax.figure.dpi
        width, height = max(box.width * points, 1.0), max(box.height * points, 1.0)
        size = palette.LABEL_SIZE * 0.85 * self.scale
        numbers = VALUE if self.shades else 0
        named = [max((len(name) for name in self.columns[side].names), default=0) for side in (0, -1)]
        named[1] += numbers
        # Long names are written smaller, and where that is not enough, shortened.
        most = (0.56 if len(self.columns) < 4 else 0.5) * width
        needed = [letters * LETTER * size + 8 for letters in named]
        self.small = float(np.clip(most / sum(needed), 0.7, 1.0))
        left, right = (self.small * each * min(1.0, most / (self.small * sum(needed))) for each in needed)
        slots = max(column.slots for column in self.columns)
        apart = (width - left - right) / len(self.columns)
        caption_size, caption_lines = self._fit_captions(apart, size)
        foot = (0.9 + 1.5 * self._legend(width)) * palette.LEGEND_SIZE * self.scale + 1.3 * caption_lines * caption_size
        high = height - foot
        self.diameter = float(np.clip(min(0.74 * high / slots, 0.42 * apart), 3.0, 44.0 * self.scale))
        self.widest = float(np.clip(0.16 * self.diameter, 1.2, 7.0 * self.scale))
        first = left + max(self.diameter, 0.4 * apart) / 2 + 2
        last = width - right - max(self.diameter, 0.4 * apart) / 2 - 2
        across = np.linspace(first, last, len(self.columns)) / width
        self.places: dict[int, Array] = {}
        for column, x in zip(self.columns, across, strict=True):
            step = min(1.0 / column.slots, 1.0 / min(slots, 4.5))
            up = foot / height + high / height * (0.5 + step * ((column.slots - 1) / 2 - np.arange(column.slots)))
            rows = np.delete(up, column.gap) if column.left_out else up[: len(column.units)]
            self.places[column.number] = np.column_stack([np.full(len(rows), x), rows])
            if column.left_out:
                gap = self.gaps[column.number]
                gap.set_position((x, up[column.gap]))
                room = 0.9 if column.maps is not None else 1.25  # beside a stack of maps there is often another
                gap.set_fontsize(min(0.85 * size, room * apart / (LETTER * len(gap.get_text()))))
        self._place_words(across, size * self.small, caption_size, foot / height, (left, right))
        self.maps.fit(self.places, (width, height), high, apart)
        centres = np.concatenate([self.places[column.number] for column in self.columns if self._has_units(column)])
        self.units.set_offsets(centres)
        self.units.set_sizes([self.diameter**2])
        self.units.set_linewidths([float(np.clip(self.diameter / 22, 0.6, 1.8))])
        for number, place in zip(self.numbers, centres, strict=False):
            number.set_position(tuple(place))
            number.set_fontsize(0.31 * self.diameter)
            number.set_visible(self.roomy)
        ends = []
        for a, b in self.edges:
            start, stop = self.places[a.number], self.places[b.number]
            ends.append(np.stack([np.repeat(start, len(stop), axis=0), np.tile(stop, (len(start), 1))], axis=1))
        self.ends = np.concatenate([np.zeros((0, 2, 2)), *ends])

    def _fit_captions(self, apart: float, size: float) -> tuple[float, int]:
        """The size at which captions fit beside one another, and their lines: "8 relu" in two where it would be small."""
        captions = [column.caption for column in self.columns]

        def fitting() -> float:
            longest = max(len(line) for caption in captions for line in caption)
            return float(np.clip(1.05 * apart / (LETTER * longest), 4.5, size))

        if fitting() < 0.8 * size:
            captions = [[*caption[0].split(" ", 1), *caption[1:]] if caption else [] for caption in captions]
        for text, caption in zip(self.captions, captions, strict=True):
            text.set_text(plain("\n".join(caption)))
        return fitting(), max(len(caption) for caption in captions)

    def _place_words(
        self, across: Array, size: float, caption_size: float, foot: float, rooms: tuple[float, float]
    ) -> None:
        box = self.ax.get_window_extent()
        width = box.width * 72.0 / self.ax.figure.dpi
        for text, x in zip(self.captions, across, strict=True):
            text.set_position((x, foot - 0.01))
            text.set_fontsize(caption_size)
        aside = (0.5 * self.diameter + 4) / width
        for column, room, sign in ((self.columns[0], rooms[0], -1), (self.columns[-1], rooms[1], 1)):
            letters = int(room / (LETTER * size)) - (VALUE if self.shades and sign > 0 else 0)
            letters = max(3, letters)
            smaller = min(size, 1.25 * size * 12 / max(12, len(column.units)))
            for row, name in enumerate(column.names):
                text = self.names[column.number, row]
                place = self.places[column.number][row]
                fitted = shortened(name, letters)
                self._fitted[column.number, row] = fitted
                text.set_text(plain(fitted))
                text.set_position((place[0] + sign * aside, place[1]))
                text.set_ha("right" if sign < 0 else "left")
                text.set_fontsize(smaller)

    # What it shows.

    def show(self, state: State, values: Mapping[int, Array] | None = None) -> None:
        """These weights; and these activations of one sample, by the number of the column."""
        weights = self.weights(state)
        share = np.clip(np.nan_to_num(weights / self.limit, posinf=1.0, neginf=-1.0), -1.0, 1.0)
        order = np.argsort(np.abs(share), kind="stable")  # the large ones on top
        share = share[order]
        # Already a small weight has a colour: the root lifts it off the grey.
        self.lines.set_segments(list(self.ends[order]))
        self.lines.set_color(self.colours(0.5 + 0.5 * np.sign(share) * np.abs(share) ** 0.6))
        self.lines.set_linewidth(THINNEST + (self.widest - THINNEST) * np.abs(share))
        self.lines.set_linestyle([DASHES if each < 0 else "solid" for each in share])
        if values is None:
            return
        self.maps.show(values, self.shades)
        scales = zip(self.columns, self.shades, strict=True)
        kept = [(values[column.number][column.units], limit) for column, limit in scales if self._has_units(column)]
        shown = [each for each, _ in kept]
        shares = [np.nan_to_num(each / limit) for each, limit in kept]
        colours = self.unit_colours(0.5 + 0.5 * np.clip(np.concatenate(shares), -1.0, 1.0))
        self.units.set_facecolor(colours)
        for text, value, colour in zip(self.numbers, np.concatenate(shown), colours, strict=True):
            text.set_text(_short(float(value)))
            text.set_color(palette.ink_on(colour))
        self._write_outputs(shown[-1])

    def _write_outputs(self, outputs: Array) -> None:
        """The outputs beside their names, where the units are too small to hold a number."""
        last = self.columns[-1]
        if self.roomy:
            return
        for row, value in enumerate(outputs[: len(last.names)]):
            self.names[last.number, row].set_text(plain(f"{self._fitted[last.number, row]} {_short(float(value))}"))


def shortened(name: str, letters: int) -> str:
    """A name in so many letters: first without its unit in brackets, then without its end."""
    if len(name) > letters and name.endswith(")") and "(" in name[1:]:
        name = name[: name.rindex("(")].rstrip()
    return name if len(name) <= letters else f"{name[: letters - 1]}…"


def _short(value: float) -> str:
    """A number in four or five letters, with the minus sign of the pages."""
    text = f"{value:.2f}" if abs(value) < 99.5 else f"{value:.0f}" if abs(value) < 99_999 else f"{value:.0e}"
    return text.replace("-", "−")


def _finite(values: Array) -> Array:
    return values[np.isfinite(values)]


__all__ = ["Column", "NetworkDrawing", "plot_network"]
