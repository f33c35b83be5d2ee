"""Panels of a film that show what a network answers: the decision boundary, and the cost so far."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from glassnet.engines.base import State
from glassnet.errors import GlassnetError
from glassnet.views import palette
from glassnet.views.boundary import leads, scatter_classes
from glassnet.views.film_frames import Instant
from glassnet.views.film_stage import DPI, Setting
from glassnet.views.palette import plain
from glassnet.views.plane import features_of, grid, plane_of, span
from glassnet.views.rows import as_probabilities, class_rows, decided, gives_probabilities, training_inputs

Array = NDArray[np.float64]

PICTURE = "A film of the decision boundary"
SIDE = 90
"""Points of the plane along each axis."""
MOST_POINTS = 1500
CURVE = 1500
"""So many points of a curve are drawn at most."""


class Boundary:
    """What is answered over the plane, the border between classes, the training rows, rings where they are wrong."""

    def __init__(self, setting: Setting) -> None:
        from matplotlib.collections import LineCollection

        run = self.run = setting.run
        options: dict[str, Any] = {name: setting.options.get(name) for name in ("features", "plane")}
        # What a plane cannot be made of is said before the rows are looked for.
        rows = class_rows(run, picture=PICTURE, iteration=0)
        options["at"] = setting.options.get("at") or "mean"
        self.plane = plane_of(features_of(run), lambda: training_inputs(run, "the plane"), PICTURE, **options)
        self.probable = gives_probabilities(run)
        chosen = np.unique(np.linspace(0, len(rows.X) - 1, min(len(rows.X), MOST_POINTS)).round().astype(int))
        self.inputs, self.true, self.classes = rows.X[chosen], rows.true[chosen], rows.classes
        self.points = self.plane.place(self.inputs)
        low, high = span(self.points)
        self.across, self.up, places = grid(low, high, SIDE)
        self.lifted = self.plane.lift(places)
        half = (high - low) / (SIDE - 1) / 2
        extent = (low[0] - half[0], high[0] + half[0], low[1] - half[1], high[1] + half[1])
        ax = self.ax = setting.axes()
        self.image = ax.imshow(
            np.ones((SIDE, SIDE, 3)), extent=extent, origin="lower", aspect="auto", zorder=0, interpolation="bilinear"
        )
        scatter_classes(ax, self.points, self.true, self.classes)
        size = float(np.clip(12.0 * np.sqrt(400.0 / len(self.points)), 3.0, 34.0)) * setting.scale**2
        for marks in ax.collections:
            marks.set_sizes([size])
            marks.set_linewidth(0.3)
        self.rings = ax.scatter(
            [],
            [],
            s=2.6 * size,
            facecolors="none",
            edgecolors="black",
            linewidths=0.9 * setting.scale,
            zorder=4,
            gid="wrong",
        )
        self.border = LineCollection([], colors="black", linewidths=1.8 * setting.scale, zorder=2, gid="border")
        ax.add_collection(self.border)
        ax.set_xlim(low[0], high[0])
        ax.set_ylim(low[1], high[1])
        self.few = len(chosen) < len(rows.X)
        setting.dress(ax, x=self.plane.labels[0], y=self.plane.labels[1], title=self._title(0))
        if self.plane.said:
            ax.set_xlabel(plain(f"{self.plane.labels[0]}\n{self.plane.said}"), fontsize=9 * setting.scale)
        self._legend(setting)
        marks = [each for each in ax.collections if each is not self.border and each is not self.rings]
        self.moving = [self.image, self.border, *marks, self.rings, *ax.spines.values(), ax.title]

    def _legend(self, setting: Setting) -> None:
        from matplotlib.transforms import offset_copy

        if len(self.classes) > 10:
            return
        letters = max(len(name) for name in self.classes)
        size = 9 * setting.scale
        each = (0.6 * letters * size + 2.6 * size) * DPI / 72
        columns = int(np.clip(0.75 * setting.width / each, 1, len(self.classes)))
        lines = 1 + ("\n" in self.ax.get_xlabel())
        down = offset_copy(self.ax.transAxes, self.ax.figure, y=-(18 + 13 * lines) * setting.scale, units="points")
        self.ax.legend(
            loc="upper center", bbox_to_anchor=(0.5, 0.0), bbox_transform=down, ncols=columns, fontsize=size, frameon=False,
            borderaxespad=0.0, handletextpad=0.1, columnspacing=0.8, labelcolor=palette.INK, markerscale=1.3,
        )  # fmt: skip

    def _title(self, wrong: int) -> str:
        shown = f"{len(self.true):,} rows shown" if self.few else f"{len(self.true):,}"
        return f"{wrong:,} of {shown} wrong"

    def settle(self) -> None:
        """Nothing here depends on the layout."""

    def ask(self, state: State, inputs: Array) -> Array:
        """Probabilities or scores of each class, (m, k)."""
        outputs = np.asarray(self.run.outputs(state, inputs), dtype=np.float64)
        if self.probable:
            return as_probabilities(outputs)
        return np.hstack([-outputs, outputs]) if outputs.shape[1] == 1 else outputs

    def show(self, instant: Instant, state: State) -> None:
        answers = self.ask(state, self.lifted)
        surface = answers.reshape(SIDE, SIDE, answers.shape[1])
        self.image.set_data(tinted(surface, self.probable))
        self.border.set_segments(borders(surface, (self.across, self.up), self.probable))
        outputs = np.asarray(self.run.outputs(state, self.inputs), dtype=np.float64)
        wrong = decided(outputs, self.run.settings.loss.name) != self.true
        self.rings.set_offsets(self.points[wrong])
        self.ax.title.set_text(self._title(int(wrong.sum())))


def tinted(surface: Array, probable: bool) -> Array:
    """Colours of the plane (…, 3): of two classes the probability of the second, of more the likeliest and how sure it is."""
    from matplotlib.colors import to_rgb

    k = surface.shape[-1]
    surface = np.nan_to_num(surface, nan=0.5)
    if k == 2 and probable:
        colours = palette.two_class_colormap()(np.clip(surface[..., 1], 0.0, 1.0))[..., :3]
        return np.asarray(0.45 + 0.55 * colours)
    colours = np.array([to_rgb(palette.class_colour(index)) for index in range(k)])
    sure = np.clip((surface.max(axis=-1) - 1.0 / k) / (1.0 - 1.0 / k), 0.0, 1.0)[..., None] if probable else 0.6
    return np.asarray(1.0 - (0.1 + 0.4 * sure) * (1.0 - colours[surface.argmax(axis=-1)]))


def borders(surface: Array, axes: tuple[Array, Array], probable: bool) -> list[Array]:
    """The lines on which two classes tie, each (points, 2)."""
    from contourpy import contour_generator

    lines: list[Array] = []
    for lead in leads(surface, probable):
        if np.isfinite(lead).all() and lead.min() < 0 < lead.max():
            lines += [np.asarray(line) for line in contour_generator(*axes, lead).lines(0.0)]
    return lines


class Cost:
    """The cost over the iterations, drawn as far as the training has come; what comes later is pale."""

    NAMES = (("training", "cost", palette.BLUE, "-"), ("held out", "validation_cost", palette.VERMILLION, "--"))

    def __init__(self, setting: Setting) -> None:
        run = setting.run
        if not len(run.history) and "cost" not in run.initial:
            raise GlassnetError(
                "This run has finished no epoch, so it has no cost to film; train for an epoch or more."
            )
        at = np.asarray(run.history["iteration"], dtype=np.float64) if len(run.history) else np.zeros(0)
        ax = self.ax = setting.axes()
        self.curves: list[tuple[str, Array, Array, Any, Any]] = []
        everything = []
        for label, column, colour, style in self.NAMES:
            if column not in run.history and column not in run.initial:
                continue
            first = run.initial.get(column, np.nan)
            values = np.asarray(run.history[column], dtype=np.float64) if column in run.history else np.zeros(0)
            x, y = np.concatenate([[0.0], at[: len(values)]]), np.concatenate([[first], values])
            x, y = x[np.isfinite(y)], y[np.isfinite(y)]
            if not len(x):
                continue
            ax.plot(*thinned(x, y), color=colour, linestyle=style, linewidth=1.2 * setting.scale, alpha=0.25)
            (line,) = ax.plot(
                [], [], color=colour, linestyle=style, linewidth=2.4 * setting.scale, label=label, gid=column
            )
            (dot,) = ax.plot([], [], "o", color=colour, markersize=6 * setting.scale, zorder=5)
            self.curves.append((label, x, y, line, dot))
            everything.append(y)
        values = np.concatenate([*everything, np.zeros(0)])
        if len(values) and values.min() > 0 and values.max() > 100 * values.min():
            ax.set_yscale("log")
        ax.set_xlim(0, max(1, run.iteration) * 1.02)
        # Between the ends of epochs no cost is known, and on a logarithmic axis the first of them would be most of the picture.
        if setting.options.get("spacing") == "log" and run.batches == 1 and run.iteration > 20:
            ax.set_xscale("symlog", linthresh=1.0, linscale=0.4)
            ax.set_xlim(-0.15, run.iteration * 1.3)
            ax.xaxis.set_major_formatter(lambda value, place: f"{value:,.0f}")
        else:
            from matplotlib.ticker import MaxNLocator

            ax.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
        self.here = ax.axvline(0, color="#8A8A8A", linewidth=0.9 * setting.scale, zorder=0)
        setting.dress(ax, x="iteration", y="cost (mean over samples)", title=self._title([0.0 for _ in self.curves]))
        if len(self.curves) > 1:
            ax.legend(fontsize=9 * setting.scale, labelcolor=palette.INK, loc="upper right", framealpha=0.8)
        ax.grid(True, color=palette.GRID, linewidth=0.6)
        ax.set_axisbelow(True)
        self.moving = [self.here, *(each for curve in self.curves for each in curve[3:]), ax.title]

    def _title(self, values: list[float]) -> str:
        named = [label if label != "training" else "cost" for label, *_ in self.curves]
        parts = [f"{name} {value:.3g}" for name, value in zip(named, values, strict=True)]
        return ", ".join(parts)

    def settle(self) -> None:
        """Nothing here depends on the layout."""

    def show(self, instant: Instant, state: State) -> None:
        now, latest = instant.iteration, []
        self.here.set_xdata([now, now])
        for _, x, y, line, dot in self.curves:
            known = int(np.searchsorted(x, now, side="right"))
            xs, ys = x[:known], y[:known]
            if instant.eased and 0 < known < len(x):  # the dot glides along the curve
                xs, ys = np.append(xs, now), np.append(ys, np.interp(now, x, y))
            line.set_data(*thinned(xs, ys))
            dot.set_data(xs[-1:], ys[-1:])
            latest.append(float(y[known - 1]) if known else float("nan"))
        self.ax.title.set_text(self._title(latest))


def thinned(x: Array, y: Array) -> tuple[Array, Array]:
    """At most so many points of a curve, equally far apart in their ratio, the last among them."""
    if len(x) <= CURVE:
        return x, y
    chosen = np.unique(
        np.concatenate([[0], np.geomspace(1, len(x), CURVE // 2), np.linspace(1, len(x), CURVE // 2)]).round()
    )
    chosen = np.clip(chosen.astype(int) - 1, 0, len(x) - 1)
    return x[np.unique(chosen)], y[np.unique(chosen)]
