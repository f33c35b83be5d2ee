"""Pictures beside maps of their pixels: saliency, and what is lost when pixels are covered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glassnet.views import palette
from glassnet.views.attribution import (
    OCCLUSION,
    SALIENCY,
    answers,
    asked_classes,
    class_labels,
    occlusion_drop,
    patch_size,
    score_gradients,
)
from glassnet.views.filters import framed, largest
from glassnet.views.image_stages import chosen_pictures, in_own_units
from glassnet.views.palette import colour_bar, dress, new_axes, plain
from glassnet.views.predictions import as_seen
from glassnet.views.rows import gives_probabilities, state_of, titled
from glassnet.views.sheets import COLOURS, inches, tiles
from glassnet.views.weights import bare

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from glassnet.training.run import Run

Array = NDArray[np.float64]

GAP, HEAD, APART = 0.06, 0.2, 0.2
"""Between a picture and its map, above them, and between pairs; shares of a picture's width and height."""


def plot_saliency(
    run: Run,
    samples: Any = 0,
    ax: Axes | None = None,
    *,
    X: Any = None,
    rows: str | None = None,
    of: int | str | None = None,
    signed: bool = False,
    smooth: int = 0,
    iteration: int | None = None,
    title: str | None = None,
) -> Axes:
    """The slope of a class's score by each pixel, beside the picture: where a small change would change the answer most.

        map(pixel) = max over channels of |∂S/∂X|;  signed: Σ over channels of ∂S/∂X

    Parameters
    ----------
    samples : a row number, several, or one picture as the network takes it, (channels, height, width)
    X : the rows that are numbered; the run's training rows unless given
    rows : what one of these is called above it, such as "held-out row"
    of : the class whose score is meant, its number or its name; the one predicted for each picture unless given
    signed : True shows the direction too: red raises the score, blue lowers it
    smooth : so many noisy copies of each picture whose slopes are averaged, say 25; 0 takes the picture as it is
    iteration : of the run, the one it ended with unless given

    Raises
    ------
    GlassnetError : no images, no such row or class
    RunError : the training rows are needed and not at hand
    """
    inputs, called = chosen_pictures(run, samples, X, SALIENCY, rows)
    slopes = score_gradients(run, inputs, of, iteration=iteration, smooth=smooth)
    maps = slopes.sum(axis=1) if signed else np.abs(slopes).max(axis=1)
    limit = largest(maps)
    options: dict[str, Any] = {"cmap": "cividis", "vmin": 0.0, "vmax": limit}
    if signed:
        options = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}
    bar = "slope of the score" if signed else "size of the slope"
    at = "" if iteration is None else f"iteration {iteration}"
    about = f"mean over {smooth} noisy copies" if smooth else ""
    head = title or titled("Saliency: what would change the answer", about, at)
    words = _words(run, inputs, called, of, iteration, SALIENCY)
    return _draw(run, inputs, maps, words, options, bar, head, ax)


def plot_occlusion(
    run: Run,
    samples: Any = 0,
    ax: Axes | None = None,
    *,
    X: Any = None,
    rows: str | None = None,
    of: int | str | None = None,
    patch: int | tuple[int, int] | None = None,
    stride: int | tuple[int, int] | None = None,
    grey: float | None = None,
    iteration: int | None = None,
    title: str | None = None,
) -> Axes:
    """How far the answer drops when a grey patch covers a pixel, beside the picture: red is what the answer rests on.

    Parameters
    ----------
    samples, X, rows, of, iteration : as for `plot_saliency`
    patch, stride, grey : as for `occlusion_drop`

    Raises
    ------
    GlassnetError : no images, no such row or class, a patch that does not fit
    RunError : the training rows are needed and not at hand
    """
    inputs, called = chosen_pictures(run, samples, X, OCCLUSION, rows)
    drops = occlusion_drop(run, inputs, of, patch=patch, stride=stride, grey=grey, iteration=iteration)
    limit = largest(drops)
    options = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}
    bar = "drop of the probability" if gives_probabilities(run) else "drop of the score"
    down, across = patch_size(run, patch)
    at = "" if iteration is None else f"iteration {iteration}"
    head = title or titled("Occlusion: what the answer rests on", f"grey patch of {down} × {across}", at)
    words = _words(run, inputs, called, of, iteration, OCCLUSION)
    return _draw(run, inputs, drops, words, options, bar, head, ax)


def _words(
    run: Run, inputs: Array, called: Sequence[str], of: Any, iteration: int | None, picture: str
) -> list[tuple[str, str]]:
    """What stands above each picture and above its map: its row, and the class with what is said of it."""
    state, names = state_of(run, iteration), class_labels(run)
    codes = asked_classes(run, state, inputs, of, picture)
    given = answers(run, state, inputs)[np.arange(len(codes)), codes]
    form = "{:.0%}" if gives_probabilities(run) else "{:.3g}"
    which = "said" if of is None else "for"
    said = [f"{which} {names[code]} ({form.format(value)})" for code, value in zip(codes, given, strict=True)]
    return list(zip(called, said, strict=True))


def _draw(
    run: Run,
    inputs: Array,
    maps: Array,
    words: Sequence[tuple[str, str]],
    options: dict[str, Any],
    bar: str,
    title: str,
    ax: Axes | None,
) -> Axes:
    """Pairs of a picture and its map, in about a square, with one scale for all maps."""
    seen = as_seen(in_own_units(run, inputs, title), np.arange(len(inputs)))
    height, width = maps.shape[1:]
    pair, high = (2 + GAP) * width, (1 + HEAD) * height
    down, across = tiles(len(maps), 0.8 * pair / high)
    size = down * high, across * (pair + APART * width) - APART * width
    ax = ax or new_axes(*inches(*size, bar=True))
    figure: Any = ax.figure
    points = ax.get_window_extent().width / figure.dpi * 72 / (2.1 * across)
    longest = max(len(word) for both in words for word in both)
    letters = float(np.clip(points / (0.6 * longest), 6, 15))
    for place, ((called, said), picture, values) in enumerate(zip(words, seen, maps, strict=True)):
        top = place // across * high + HEAD * height
        left = place % across * (pair + APART * width)
        right = left + (1 + GAP) * width
        grey = picture if picture.shape[2] == COLOURS else picture.mean(axis=2)
        ax.imshow(
            grey, cmap="gray", vmin=0.0, vmax=1.0, interpolation="nearest", gid=f"picture {place}",
            extent=(left, left + width, top + height, top),
        )  # fmt: skip
        image = ax.imshow(
            values,
            interpolation="nearest",
            gid=f"map {place}",
            extent=(right, right + width, top + height, top),
            **options,
        )
        framed(ax, [(x, top, width, height) for x in (left, right)])
        for x, word, name in ((left, called, "called"), (right, said, "said")):
            ax.text(
                x,
                top - 0.03 * height,
                plain(word),
                fontsize=letters,
                color=palette.INK,
                va="bottom",
                gid=f"{name} {place}",
            )
    ax.set_xlim(-0.02 * width, size[1] + 0.02 * width)
    ax.set_ylim(size[0] + 0.02 * height, 0.0)
    ax.set_aspect("equal")
    colour_bar(ax, image, bar)
    dress(ax, x="", y="", title=title)
    bare(ax)
    return ax
