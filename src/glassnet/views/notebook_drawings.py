"""Small drawings for notebooks as plain numbers, which a template writes as SVG: a network, and how a cost fell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.equations.entry_text import short_number
from glassnet.equations.expression import Symbol
from glassnet.equations.layers import Forward
from glassnet.layers import AveragePool2D, Conv2D, Dense, Flatten, GlobalAveragePool2D, MaxPool2D
from glassnet.views.matrix_text import GAP

if TYPE_CHECKING:
    from glassnet.network import Network
    from glassnet.training.run import Run

COLUMNS = 8
UNITS = 6
RADIUS = 8
STEP = 24
LETTER = 6.6
"""How wide a letter is at most, in the drawing's own units."""


@dataclass
class Column:
    """The units of one layer: where they stand, and what is written below them. No units: layers that are left out."""

    x: float
    units: list[float] = field(default_factory=list)
    gap: float | None = None
    lines: list[str] = field(default_factory=list)


@dataclass
class NetworkDrawing:
    width: float
    height: float
    foot: float
    columns: list[Column]
    edges: list[str]
    radius: float = RADIUS


def network_drawing(network: Network) -> NetworkDrawing:
    """Where the units of a network and the edges between them stand; wide layers and deep networks are elided."""
    stations = _stations(network)
    if len(stations) > COLUMNS:
        left_out = len(stations) - (COLUMNS - 1)
        last = COLUMNS // 2 - 1
        between = Station(0, [f"{left_out:,} more layers"])
        stations = [*stations[: -left_out - last], between, *stations[-last:]]
    widths = [max(LETTER * max(map(len, station.lines)), 2 * RADIUS) + 14 for station in stations]
    middle = RADIUS + 4 + STEP * (min(UNITS, max(station.units for station in stations)) - 1) / 2
    columns, x = [], 0.0
    for station, width in zip(stations, widths, strict=True):
        x += max(width / 2, 30)
        places, gap = _places(station.units)
        lines = station.lines
        top = middle - STEP * (len(places) + (gap is not None) - 1) / 2
        columns.append(
            Column(
                round(x, 1),
                [round(top + STEP * place, 1) for place in places],
                None if gap is None else round(top + STEP * gap, 1),
                lines,
            )
        )
        x += max(width / 2, 30)
    foot = 2 * middle + 12
    height = foot + 15 * max(len(column.lines) for column in columns)
    edges = [
        _edges(left, right, station.alone)
        for (left, right), station in zip(pairwise(columns), stations[1:], strict=True)
    ]
    return NetworkDrawing(round(x), round(height), foot, columns, edges)


@dataclass
class Station:
    """One column before it has a place.

    Attributes
    ----------
    units : how many numbers, or maps
    alone : each unit is made from the one beside it and no other, as in a pool
    """

    units: int
    lines: list[str]
    alone: bool = False


def _stations(network: Network) -> list[Station]:
    """The inputs; every layer that changes how many numbers or maps there are, with what follows it."""
    first = network.input_shape
    inputs = f"{first[0]:,} input{'s' if first[0] != 1 else ''}" if len(first) == 1 else maps_text(first)
    found = [Station(first[0], [inputs])]
    for layer, shape in zip(network.layers, layer_shapes(network), strict=True):
        said = str(layer)
        if isinstance(layer, Dense):
            name = layer.activation if isinstance(layer.activation, str) else layer.activation.name
            found.append(Station(layer.units, [f"{layer.units:,} {name}"]))
        elif isinstance(layer, Conv2D | MaxPool2D | AveragePool2D):
            pools = not isinstance(layer, Conv2D)
            found.append(Station(shape[0], [maps_text(shape), *wrap(said, 20, break_long_words=False)], pools))
        elif isinstance(layer, Flatten | GlobalAveragePool2D):
            found.append(Station(shape[0], [f"{shape[0]:,} numbers", said], isinstance(layer, GlobalAveragePool2D)))
        else:
            found[-1].lines.append(said)
    for station in found:
        station.lines = [line if len(line) <= 22 else f"{line[:21]}{GAP}" for line in station.lines]
    return found


def maps_text(shape: Sequence[int]) -> str:
    """`8 @ 24×24`: so many maps, of so many rows and columns."""
    return f"{shape[0]:,} @ {shape[1]}×{shape[2]}"


def layer_shapes(network: Network) -> list[tuple[int, ...]]:
    """What one sample is after each layer: (features,), or (maps, rows, columns)."""
    forward, found = Forward(Symbol("X", ("m", *network.input_shape))), []
    for position, layer in enumerate(network.layers):
        layer.forward(forward, network.layers[position + 1 :])
        found.append(tuple(int(size) for size in forward.value.shape[1:]))
    return found


def _places(units: int) -> tuple[list[int], int | None]:
    """Which rungs have a unit, and which one the dots; one rung is the dots' in a layer that is too wide."""
    if not units:
        return [], 0
    if units <= UNITS:
        return list(range(units)), None
    dots = UNITS // 2
    return [place for place in range(UNITS) if place != dots], dots


def _edges(left: Column, right: Column, alone: bool) -> str:
    """All edges between two columns as one path, from rim to rim; or only those between neighbours."""
    parts = []
    for above, a in enumerate(left.units):
        for below, b in enumerate(right.units):
            if alone and above != below:
                continue
            across, down = right.x - left.x, b - a
            length = math.hypot(across, down)
            dx, dy = RADIUS * across / length, RADIUS * down / length
            parts.append(f"M{left.x + dx:.1f} {a + dy:.1f}L{right.x - dx:.1f} {b - dy:.1f}")
    return "".join(parts)


# How the cost fell.

WIDTH, HEIGHT = 440, 140
RIGHT, TOP, BOTTOM = 8, 26, 22
POINTS = 160
LOGARITHMIC = 30
"""A cost that spans more than this factor is drawn on a logarithmic scale, and the drawing says so."""


@dataclass
class Curve:
    said: str
    paths: list[str]
    best: tuple[float, float] | None
    held_out: bool


@dataclass
class CostDrawing:
    curves: list[Curve]
    top: str
    bottom: str
    last_epoch: int
    logarithmic: bool
    said: str
    lost: float | None
    left: int
    width: int = WIDTH
    height: int = HEIGHT
    right: int = WIDTH - RIGHT
    ceiling: int = TOP
    floor: int = HEIGHT - BOTTOM


def cost_drawing(run: Run) -> CostDrawing | None:
    """The cost over the epochs, before the first one at 0; None where there are no two numbers to draw."""
    columns = {}
    for column, said in (("cost", "trained on"), ("validation_cost", "held out")):
        if column in run.history:
            values = np.array([run.initial.get(column, np.nan), *run.history[column]])
            columns[column] = said, values
    finite = [v[np.isfinite(v)] for _, v in columns.values()]
    everything = np.concatenate(finite) if finite else np.array([])
    if max((len(v) for v in finite), default=0) < 2:
        return None
    low, high = float(everything.min()), float(everything.max())
    logarithmic = low > 0 and high > LOGARITHMIC * low
    scale = np.log if logarithmic else np.asarray
    epochs = len(run.history)
    span = float(scale(high) - scale(low)) or 1.0
    labels = short_number(high, 3), short_number(low, 3)
    left = round(LETTER * max(map(len, labels))) + 14

    def x(epoch: int) -> float:
        return round(left + (WIDTH - left - RIGHT) * epoch / epochs, 1)

    def y(value: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * float(scale(high) - scale(value)) / span, 1)

    curves = []
    for column, (said, values) in columns.items():
        pieces = [[(x(epoch), y(values[epoch])) for epoch in piece] for piece in _pieces(values)]
        paths = ["M" + "L".join(f"{a} {b}" for a, b in (piece if len(piece) > 1 else piece * 2)) for piece in pieces]
        known = np.flatnonzero(np.isfinite(values))
        top = known[values[known].argmin()] if len(known) else None
        curves.append(Curve(said, paths, None if top is None else (x(int(top)), y(values[top])), column != "cost"))
    return CostDrawing(
        curves, *labels, epochs, logarithmic, _sentence(columns, epochs), _lost(columns, x), left
    )  # fmt: skip


def _pieces(values: Any) -> list[list[int]]:
    """Which epochs are drawn, in runs of finite numbers: of a long training the least and largest of each stretch."""
    chosen: Sequence[int] = range(len(values))
    if len(values) > POINTS:
        found = {0, len(values) - 1}
        for stretch in np.array_split(np.arange(len(values)), POINTS // 2):
            bounded = np.where(np.isfinite(values[stretch]), values[stretch], np.nan)
            if not np.isnan(bounded).all():
                found |= {int(stretch[np.nanargmin(bounded)]), int(stretch[np.nanargmax(bounded)])}
            found |= {int(stretch[place]) for place in np.flatnonzero(np.isnan(bounded))[:1]}
        chosen = sorted(found)
    pieces: list[list[int]] = [[]]
    for epoch in chosen:
        if np.isfinite(values[epoch]):
            pieces[-1].append(epoch)
        elif pieces[-1]:
            pieces.append([])
    return [piece for piece in pieces if piece]


def _lost(columns: Any, x: Any) -> float | None:
    """Where the first cost is that is not finite."""
    places = [np.flatnonzero(~np.isfinite(values[1:])) for _, values in columns.values()]
    first = [int(found[0]) + 1 for found in places if len(found)]
    return x(min(first)) if first else None


def _sentence(columns: Any, epochs: int) -> str:
    """What the drawing shows, for those who cannot see it."""
    said = [f"{name} from {short_number(values[0])} to {short_number(values[-1])}" for name, values in columns.values()]
    return f"Cost over {epochs:,} epochs: {'; '.join(said)}."
