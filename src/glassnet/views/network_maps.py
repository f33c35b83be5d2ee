"""The maps of an image network in its diagram: each a small square, shaded by what a sample makes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glassnet.views import palette
from glassnet.views.sheets import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from glassnet.views.network_columns import Column

Array = NDArray[np.float64]

PALE = np.array([0.89, 0.93, 0.97, 1.0])
"""Of a map while no sample is shown."""
LARGEST = 66.0
"""Points that the side of a map takes at most."""


class MapTiles:
    """The maps of all columns that have some, on axes from 0 to 1.

    Parameters
    ----------
    colours : from −1 to 1, as 0 to 1, to a shade
    scale : of letters and lines
    """

    def __init__(self, ax: Axes, columns: Sequence[Column], colours: Any, scale: float) -> None:
        from matplotlib.image import AxesImage
        from matplotlib.patches import FancyArrowPatch, Rectangle

        self.columns, self.colours, self.scale = columns, colours, scale
        self.tiles: dict[tuple[int, int], tuple[Any, Any]] = {}
        for column in columns:
            for row in range(len(column.units) if column.maps is not None else 0):
                image: Any = AxesImage(ax, interpolation="nearest", zorder=3, resample=False)
                image.set_data(PALE[None, None])
                image.set_gid(f"map {column.stage} {column.units[row]}")
                image.set_extent((0.0, 1.0, 0.0, 1.0))
                ax.add_image(image)
                frame = Rectangle(
                    (0, 0), 1, 1, facecolor="none", edgecolor=palette.INK, linewidth=0.8 * scale, zorder=3.5
                )
                ax.add_patch(frame)
                self.tiles[column.number, row] = image, frame
        self.arrows: list[tuple[int, int, Any]] = []
        for left, right in pairwise(columns):
            if left.maps is not None and right.stage:
                arrow = FancyArrowPatch(
                    (0, 0), (1, 1), arrowstyle="-|>", mutation_scale=13 * scale, color="#6E6E6E", linewidth=1.4 * scale,
                    shrinkA=0, shrinkB=0, zorder=2,
                )  # fmt: skip
                ax.add_patch(arrow)
                self.arrows.append((left.number, right.number, arrow))
        ax.set_xlim(0, 1)
        ax.set_ylim(0, 1)

    @property
    def moving(self) -> list[Any]:
        """From back to front."""
        arrows = [arrow for *_, arrow in self.arrows]
        return [*arrows, *(artist for pair in self.tiles.values() for artist in pair)]

    def fit(self, places: Mapping[int, Array], size: tuple[float, float], high: float, apart: float) -> None:
        """Place everything.

        Parameters
        ----------
        places : number of the column → centres of its units, (n, 2), from 0 to 1
        size : of the axes in points
        high : points for the columns, without what stands below them
        apart : points from one column to the next
        """
        stacks = [column for column in self.columns if column.maps is not None]
        if not stacks:
            return
        tallest = max(max(column.maps) for column in stacks if column.maps)
        half: dict[int, float] = {}
        for column in stacks:
            assert column.maps is not None
            room = min(0.84 * high / max(column.slots, 4.5), 0.66 * apart, LARGEST * self.scale)
            side = room * max(0.5, float(np.sqrt(max(column.maps) / tallest)))
            down, across = (side * edge / max(column.maps) for edge in column.maps)
            half[column.number] = across / 2 / size[0]
            for row, (x, y) in enumerate(places[column.number]):
                image, frame = self.tiles[column.number, row]
                left, bottom = x - across / 2 / size[0], y - down / 2 / size[1]
                image.set_extent((left, left + across / size[0], bottom, bottom + down / size[1]))
                frame.set_bounds(left, bottom, across / size[0], down / size[1])
        gapped = {column.number for column in self.columns if column.left_out}
        for before, after, arrow in self.arrows:
            y = (places[before][:, 1].max() + places[before][:, 1].min()) / 2
            start = places[before][0, 0] + half[before] + 3 / size[0]
            gaps = 0.3 * apart if after in gapped else 0.16 * apart
            stop = places[after][0, 0] - max(half.get(after, 0.0), gaps / size[0]) - 3 / size[0]
            arrow.set_positions((start, y), (max(stop, start + 4 / size[0]), y))

    def show(self, values: Mapping[int, Array], limits: Sequence[float]) -> None:
        """What a sample makes of the maps; `limits` are the darkest shade's values, one a column. Inputs are as they are."""
        for column, limit in zip(self.columns, limits, strict=True):
            if column.maps is None:
                continue
            maps = values[column.number]
            if column.stage == "X":
                low, wide = float(maps.min()), float(np.ptp(maps)) or 1.0
                grey = np.clip((maps - low) / wide, 0.0, 1.0)
            for row, unit in enumerate(column.units):
                image, _ = self.tiles[column.number, row]
                if column.stage == "X":
                    image.set_data(_tinted(grey[unit], unit, len(maps)))
                else:
                    image.set_data(self.colours(0.5 + 0.5 * np.clip(np.nan_to_num(maps[unit] / limit), -1.0, 1.0)))


def _tinted(share: Array, channel: int, channels: int) -> Array:
    """A channel of a picture, (height, width) from 0 to 1, in its own colour where there are red, green and blue."""
    shown = np.repeat(share[:, :, None], 3, axis=2)
    if channels == COLOURS:
        shown[:, :, np.arange(3) != channel] *= 0.15
    return shown
