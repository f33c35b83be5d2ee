"""Pictures a network was shown, with what they are and what it said: the worst mistakes first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glassnet.errors import GlassnetError
from glassnet.views import palette
from glassnet.views.palette import dress, new_axes, plain
from glassnet.views.plane import features_of
from glassnet.views.rows import ClassRows, class_rows, titled
from glassnet.views.sheets import Layout, need_layout, tiles
from glassnet.views.weights import bare

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from glassnet.training.run import Run

Array = NDArray[np.float64]


def plot_predictions(
    run: Run,
    X: Any = None,
    y: Any = None,
    ax: Axes | None = None,
    *,
    samples: Sequence[int] | None = None,
    count: int = 24,
    shape: Sequence[int] | None = None,
    classes: Sequence[object] | None = None,
    iteration: int | None = None,
    title: str | None = None,
) -> Axes:
    """Inputs as pictures, each with its true class and what the network said, the worst mistakes first.

    A mistake is the worse the less the true class was given. When there are fewer mistakes than pictures, rows that are
    right follow, the least sure first.

    Parameters
    ----------
    X, y : rows, as for `plot_boundary`; the run's training rows unless given
    samples : positions of the rows, from 0, in the order in which they are shown, instead of the worst
    count : pictures at most
    shape : of a picture, (height, width), (height, width, channels) or (channels, height, width); found where it is not
        given: that of the arrays the run was trained on, or a square, or a square in three colours
    classes : class names in the order of the outputs
    iteration : of the run, the one it ended with unless given

    Raises
    ------
    GlassnetError : no classes, inputs that are no picture, no such row
    """
    picture = "A sheet of predicted pictures"
    if isinstance(count, bool) or count != int(count) or count < 1:
        raise GlassnetError(f"plot_predictions got count={count}; it needs a whole number of pictures, 1 or more.")
    found = need_layout(math.prod(run.network.input_shape), picture, shape=shape, run=run)
    rows = class_rows(run, X, y, picture=picture, iteration=iteration, classes=classes)
    if samples is None:
        chosen = worst_first(rows)[: int(count)]
    else:
        chosen = _rows(samples, len(rows.X))
    known = features_of(run)
    flat = rows.X.reshape(len(rows.X), -1)
    drawn = as_seen(found.pictures(flat * known.scale + known.offset), chosen)
    wrong = int(rows.wrong.sum())
    about = "" if samples is not None or not wrong else "worst mistakes first"
    head = titled("Predicted pictures", rows.where, about, "" if iteration is None else f"iteration {iteration}")
    return _draw(drawn, found, rows, chosen, ax, title or head)


def worst_first(rows: ClassRows) -> NDArray[np.int64]:
    """Positions of the rows: mistakes first, and the less the true class was given the earlier."""
    given = rows.probability if rows.probability is not None else rows.outputs
    if given.shape[1] == 1:  # the score of the second class
        given = np.hstack([-given, given])
    of_true = given[np.arange(len(rows.true)), rows.true]
    return np.lexsort((of_true, ~rows.wrong)).astype(np.int64)


def as_seen(pictures: Array, chosen: NDArray[np.int64]) -> Array:
    """Values of the chosen pictures between 0 and 1, on one scale for all; bytes keep their own."""
    low, high = float(np.nanmin(pictures)), float(np.nanmax(pictures))
    if low >= 0 and 1 < high <= 255 and pictures.shape[3] > 1:
        low, high = 0.0, 255.0
    elif low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    scaled = (pictures[chosen] - low) / (high - low if high > low else 1.0)
    return np.asarray(np.clip(np.nan_to_num(scaled, nan=0.0), 0.0, 1.0))


def _rows(samples: Sequence[int], count: int) -> NDArray[np.int64]:
    wrong = [
        sample for sample in samples if isinstance(sample, bool) or sample != int(sample) or not 0 <= sample < count
    ]
    if wrong or not len(samples):
        given = f"There is no row {wrong[0]}" if wrong else "No row was named"
        raise GlassnetError(f"{given}; the rows that are shown are numbered 0 to {count - 1}.")
    return np.asarray([int(sample) for sample in samples], dtype=np.int64)


def _draw(drawn: Array, found: Layout, rows: ClassRows, chosen: NDArray[np.int64], ax: Axes | None, title: str) -> Axes:
    """The pictures on one sheet, two lines of text above each."""
    height, width = found.height, found.width
    down, across = tiles(len(chosen), 0.7 * width / height)
    # Two lines of text take less of the height of a large picture.
    head, gap = {1: 0.17, 2: 0.26}.get(across, 0.42) * height, 0.12 * width
    inches = min(13.0, max(5.5, 2.3 * across + 1.0))
    ax = ax or new_axes(inches, inches * (down * (height + head)) / (across * 1.12 * width) + 1.9)
    longest = max(len(name) for name in rows.classes) + 9  # with a mark and how sure, or "is" and the row
    points = ax.get_window_extent().width / ax.figure.dpi * 72 * 1.2 / across  # axes grow when they are laid out
    size = float(np.clip(points / (0.66 * longest), 8, 17))  # a bold letter is some two thirds of its size wide
    for position, row in enumerate(chosen):
        top = position // across * (height + head) + head
        left = position % across * (width + gap)
        image = drawn[position] if found.channels == 3 else drawn[position].mean(axis=2)
        ax.imshow(
            image, cmap="gray", vmin=0.0, vmax=1.0, extent=(left, left + width, top + height, top),
            interpolation="nearest", gid=f"picture {position}",
        )  # fmt: skip
        right = not rows.wrong[row]
        sure = "" if rows.probability is None else f" ({rows.probability[row].max():.0%})"
        said = f"{'✓' if right else '✗'} {rows.classes[rows.predicted[row]]}{sure}"
        ax.text(
            left, top - 0.48 * head, plain(said), fontsize=size, va="bottom", weight="bold", gid=f"said {position}",
            color=palette.GREEN if right else palette.VERMILLION,
        )  # fmt: skip
        true = f"is {rows.classes[rows.true[row]]}, row {row}"
        ax.text(
            left,
            top - 0.1 * head,
            plain(true),
            fontsize=size - 2,
            va="bottom",
            color=palette.INK,
            gid=f"true {position}",
        )
    ax.set_xlim(-0.02 * width, across * (width + gap))
    ax.set_ylim(down * (height + head) + 0.02 * height, -0.02 * height)
    ax.set_aspect("equal")
    wrong = int(rows.wrong.sum())
    share = f"{wrong:,} of {len(rows.true):,} rows predicted wrongly; above each: what the network said, what it is"
    note = "" if found.complete else "; pixels that are no input are black"
    room = ax.get_window_extent().width / ax.figure.dpi * 8.5  # letters in a line
    dress(ax, x="\n".join(wrap(share + note, max(24, int(room)))), y="", title=title)
    bare(ax)
    return ax
