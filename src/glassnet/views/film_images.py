"""Panels of a film of an image network: the filters of a layer, and the maps that they make of one picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from glassnet.engines.base import State
from glassnet.views import palette
from glassnet.views.feature_maps import draw_beside, map_colours, shown_picture
from glassnet.views.film_frames import Instant
from glassnet.views.film_layers import Weights
from glassnet.views.film_stage import Setting
from glassnet.views.filters import filters_name, frames, largest, on_white
from glassnet.views.image_stages import chosen_pictures, stage_name, stage_values
from glassnet.views.sheets import COLOURS, Sheet
from glassnet.views.weights import bare

Array = NDArray[np.float64]

PICTURE = "A film of feature maps"
MOST = 64
MOST_CHANNELS = 8
MOST_BESIDE = 16


class Filters:
    """The kernels of a convolution, blue below zero and red above; those over red, green and blue as pictures in colour."""

    def __init__(self, setting: Setting) -> None:
        layer = setting.options.get("layer") or 1
        self.name = filters_name(setting.run, layer)
        shape = setting.states[0][self.name].shape
        count, channels, height, width = shape
        self.coloured = channels == COLOURS and layer == 1
        self.in_rows = channels > 1 and not self.coloured
        self.channels = min(channels, MOST_CHANNELS) if self.in_rows else 1
        self.count = min(count, MOST_BESIDE if self.in_rows else MOST)
        grid = (self.channels, self.count) if self.in_rows else None
        self.sheet = Sheet.of(self.channels * self.count, height, width, grid=grid, head=False)
        self.limit = max(largest(np.asarray(state[self.name], dtype=np.float64)) for state in setting.states)
        ax = setting.axes()
        options: dict[str, Any] = {"interpolation": "nearest"}
        if not self.coloured:
            options |= {"cmap": "RdBu_r", "vmin": -self.limit, "vmax": self.limit}
        self.image = ax.imshow(self._sheet(setting.states[0]), **options)
        frames(ax, self.sheet)
        some = f", the first {self.count} shown" if self.count < count else ""
        title = f"{self.name}: {count} filter{'s' if count > 1 else ''} of {channels} × {height} × {width}{some}"
        about = "filter →, channel ↓" if self.in_rows else ""
        setting.dress(ax, title=title, x=about)
        bare(ax)
        if not self.coloured:
            _bar(setting, ax, self.image)
        self.moving = [self.image, *ax.collections]

    def _sheet(self, state: State) -> Array:
        W = np.asarray(state[self.name], dtype=np.float64)[: self.count]
        if self.coloured:
            return on_white(self.sheet.drawn(0.5 + 0.5 * np.moveaxis(W, 1, 3) / self.limit))
        return np.asarray(self.sheet.drawn(W[:, : self.channels].swapaxes(0, 1).reshape(-1, *W.shape[2:])))

    def settle(self) -> None:
        """Nothing here depends on the layout."""

    def show(self, instant: Instant, state: State) -> None:
        self.image.set_data(self._sheet(state))


class FeatureMaps:
    """What the filters of a layer make of one picture, the picture beside them."""

    def __init__(self, setting: Setting) -> None:
        run = self.run = setting.run
        layer = setting.options.get("layer") or 1
        self.name = stage_name(run, PICTURE, layer, setting.options.get("stage") or "A")
        sample = setting.options.get("sample")
        self.inputs, (called,) = chosen_pictures(run, 0 if sample is None else sample, None, PICTURE)
        first = self._maps(setting.states[0])
        self.sheet = Sheet.of(len(first), *first.shape[1:], head=False)
        seen = [self._maps(state) for state in setting.states]
        options = map_colours(np.concatenate(seen))
        picture = shown_picture(run, self.inputs)
        ax = setting.axes()
        self.image = ax.imshow(self.sheet.drawn(first), interpolation="nearest", **options)
        frames(ax, self.sheet)
        left = draw_beside(ax, self.sheet, picture)
        ax.set_xlim(left - 1, self.sheet.size[1])
        ax.set_ylim(self.sheet.size[0], -1)
        count, height, width = first.shape
        maps = f"{count} map{'s' if count > 1 else ''} of {height} × {width}"
        setting.dress(ax, title=f"{self.name}, {called}", x=maps)
        bare(ax)
        _bar(setting, ax, self.image)
        self.moving = [self.image, *ax.collections]

    def _maps(self, state: State) -> Array:
        return np.asarray(stage_values(self.run, state, self.inputs, self.name)[0][:MOST])

    def settle(self) -> None:
        """Nothing here depends on the layout."""

    def show(self, instant: Instant, state: State) -> None:
        self.image.set_data(self.sheet.drawn(self._maps(state)))


def layer_weights(setting: Setting) -> Weights | Filters:
    """The weights of a layer: its filters where it is a convolution."""
    layer = setting.options.get("layer") or 1
    convolutions = [p.layer for p in setting.run.derivation.parameters if len(p.symbol.shape) == 4]
    return Filters(setting) if layer in convolutions else Weights(setting)


def _bar(setting: Setting, ax: Any, image: Any) -> None:
    bar = setting.figure.colorbar(image, ax=ax, fraction=0.06, pad=0.02)
    bar.ax.tick_params(labelsize=9 * setting.scale, colors=palette.INK, length=2.5, pad=2)
