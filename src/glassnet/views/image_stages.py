"""The image stages of a network: the lines of its forward pass whose values are maps, and the pictures it is shown."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glassnet.equations.expression import walk
from glassnet.equations.images import Convolve
from glassnet.errors import GlassnetError
from glassnet.views.plane import features_of
from glassnet.views.rows import line_values, training_inputs
from glassnet.views.sheets import Layout, layout

if TYPE_CHECKING:
    from glassnet.engines.base import State
    from glassnet.training.run import Run

Array = NDArray[np.float64]

AT_ONCE = 4_000_000
"""Numbers that the largest array of a forward pass may have."""
STAGES = {
    "Z": "weighted sum", "A": "activation", "P": "pooled", "C": "centred", "N": "normalised", "B": "batch norm", "D": "dropout",
}  # fmt: skip
"""What a stage's letter stands for."""


def image_shape(run: Run) -> tuple[int, int, int] | None:
    """(channels, height, width) of the inputs; None where they are no maps."""
    shape = run.network.input_shape
    return (shape[0], shape[1], shape[2]) if len(shape) == 3 else None


def need_image(run: Run, picture: str) -> tuple[int, int, int]:
    """(channels, height, width) of the inputs.

    Raises
    ------
    GlassnetError : the network takes no images
    """
    found = image_shape(run)
    if found is None:
        raise GlassnetError(
            f"{picture} needs a network of images, and this one takes rows of {math.prod(run.network.input_shape):,} "
            "features; train one whose input shape is (channels, height, width), or plot its weights."
        )
    return found


def stages_of(run: Run) -> dict[str, tuple[int, int, int]]:
    """Every value of the forward pass that is a stack of maps: its name, and (maps, height, width), in their order."""
    return {
        line.name: (int(line.shape[1]), int(line.shape[2]), int(line.shape[3]))
        for line in run.derivation.inference
        if len(line.shape) == 4
    }


def stage_name(run: Run, picture: str, layer: int, stage: str = "A") -> str:
    """The name of a stage, such as P1.

    Parameters
    ----------
    layer : from 1
    stage : Z (the sums), A (the activations; the last stage of maps where these come after them), P (pooled), B (batch
        norm), ...; or the whole name, P1

    Raises
    ------
    GlassnetError : no images, no such layer, no such stage, or a layer after the maps were flattened
    """
    need_image(run, picture)
    found = {line.name: line.layer for line in run.derivation.inference if len(line.shape) == 4}
    if stage in found:
        return stage
    layers = sorted({number for number in found.values() if number is not None})
    if not layers:
        raise GlassnetError(
            f"{picture} needs a convolution or a pool, and this network of images has none; plot its weights."
        )
    if layer not in layers:
        only = f"only layer {layers[0]} has" if len(layers) == 1 else f"the layers {', '.join(map(str, layers))} have"
        raise GlassnetError(f"{picture} got layer {layer}; of this network {only} maps, choose one of these.")
    name = f"{stage}{layer}"
    if name not in found:
        own = [each.rstrip("0123456789") for each, number in found.items() if number == layer]
        if stage == "A":
            return f"{own[-1]}{layer}"
        said = ", ".join(f"{each} ({STAGES[each]})" if each in STAGES else each for each in own)
        raise GlassnetError(f"{picture} got the stage '{stage}' of layer {layer}; it has {said}.")
    return name


def stage_values(run: Run, state: State, X: Any, name: str) -> Array:
    """A stage for inputs (m, channels, height, width), by the lines that predict, (m, maps, height, width).

    A few rows are computed at a time, so that the stages before it need little memory.
    """
    size = rows_at_once(run)
    return np.concatenate([line_values(run, state, X[i : i + size], name) for i in range(0, len(X), size)])


def rows_at_once(run: Run) -> int:
    """How many pictures go through the network at a time, by the largest array that one of them needs on its way."""
    widest = math.prod(run.network.input_shape)
    for line in run.derivation.inference:
        for node in walk(line.expression):
            if isinstance(node, Convolve):  # its patches: an entry for each place of the window at each position
                places = math.prod(node.window.kernel) * int(node.image.shape[1])
                widest = max(widest, places * int(node.shape[2]) * int(node.shape[3]))
    return max(1, AT_ONCE // widest)


def image_layout(run: Run, picture: str) -> Layout:
    """Where the inputs of an image network lie in a picture.

    Raises
    ------
    GlassnetError : the network takes no images
    """
    found = layout(math.prod(need_image(run, picture)), picture, run=run)
    assert found is not None  # an image network's inputs are a picture
    return found


def in_own_units(run: Run, X: Any, picture: str) -> Array:
    """Inputs (m, channels, height, width) as pictures (m, height, width, channels) in the units they were given in."""
    rows = np.asarray(X, dtype=np.float64).reshape(len(X), -1)
    known = features_of(run)
    return image_layout(run, picture).pictures(rows * known.scale + known.offset)


def chosen_pictures(run: Run, samples: Any, X: Any, picture: str, rows: str | None = None) -> tuple[Array, list[str]]:
    """Some pictures as the network takes them, (m, channels, height, width), and what each is called.

    Parameters
    ----------
    samples : a row number, several, or one picture (channels, height, width) itself, (height, width) for one channel
    X : the rows that are numbered; the run's training rows unless given
    rows : what one of them is called; "row", or "training row" where X is not given

    Raises
    ------
    GlassnetError : no such row, another shape
    RunError : the training rows are needed and not at hand
    """
    shape = need_image(run, picture)
    given = np.asarray(samples)
    if given.size and (given.dtype.kind in "fu" or given.ndim > 1):
        if given.shape not in (shape, *([shape[1:]] if shape[0] == 1 else []), (1, *shape)):
            raise GlassnetError(
                f"{picture} got a picture of shape {given.shape}; it needs a row number, or one picture (channels, height, "
                f"width) = {shape}."
            )
        return np.asarray(run.inputs(given.reshape(1, *shape)), dtype=np.float64), ["the picture given"]
    inputs = training_inputs(run, picture) if X is None else np.asarray(run.inputs(X), dtype=np.float64)
    inputs = inputs.reshape(len(inputs), *shape)
    chosen = [samples] if given.ndim == 0 else list(samples)
    wrong = [n for n in chosen if isinstance(n, bool | np.bool_ | str) or n != int(n) or not 0 <= n < len(inputs)]
    if wrong or not chosen:
        asked = f"There is no row {wrong[0]}" if wrong else "No row was named"
        raise GlassnetError(f"{asked}; the rows that are shown are numbered 0 to {len(inputs) - 1}.")
    of = rows or ("training row" if X is None else "row")
    return inputs[[int(n) for n in chosen]], [f"{of} {n}" for n in chosen]


def checked_numbers(given: Any, count: int, what: str, picture: str, most: int) -> list[int]:
    """Positions of maps or filters; the first `most` where None were given.

    Raises
    ------
    GlassnetError : there is no such one
    """
    if given is None:
        return list(range(min(count, most)))
    asked = [given] if np.ndim(given) == 0 else list(given)
    wrong = [n for n in asked if isinstance(n, bool | np.bool_ | str) or n != int(n) or not 0 <= n < count]
    if wrong or not asked:
        said = f"got {what} {wrong[0]}" if wrong else f"got no {what}"
        raise GlassnetError(f"{picture} {said}; there are {count}, numbered 0 to {count - 1}.")
    return [int(n) for n in asked]
