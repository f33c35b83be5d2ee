"""Still pictures of a training: cost, metric, decision boundary, confusion matrix, ROC curve and weights.

One function a picture. Each draws on the `ax` it is given, or on a figure of its own made without pyplot, and returns
the Axes; `save` writes them. Nothing here computes what the run already holds.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glassnet.errors import GlassnetError, unknown_name
from glassnet.views import palette
from glassnet.views.metrics import class_indexes, confusion_counts
from glassnet.views.palette import colour_bar, dress, legend, new_axes, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

_SUFFIXES = ("png", "svg", "pdf")


def plot_confusion(
    matrix: ArrayLike,
    classes: Sequence[object],
    ax: Axes | None = None,
    *,
    normalise: bool = False,
    title: str | None = None,
) -> Axes:
    """The confusion matrix: a cell holds how many rows of a true class were predicted as a class, and their share.

    Parameters
    ----------
    matrix : whole numbers, (k, k); rows true, columns predicted
    classes : k names
    normalise : shade by the share of the true class, and write it first, instead of by the count
    """
    counts = confusion_counts(matrix, classes)
    k = len(classes)
    totals = counts.sum(axis=1, keepdims=True)
    share = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    ax = ax or new_axes(*((9.0, 7.5) if k <= 12 else (13.0, 11.5)))
    top = 1.0 if normalise else max(1.0, float(counts.max()))
    image = ax.imshow(share if normalise else counts, cmap="Blues", vmin=0.0, vmax=top)
    # A letter is 0.65 of its size wide; the longest text in a cell is a count or "(100%)".
    box = ax.get_window_extent()
    cell = 0.95 * min(box.width, box.height) * 72.0 / ax.figure.dpi / k
    longest = max(6 if k <= 10 else 3, len(str(counts.max())))
    size = float(np.clip(cell / (0.65 * longest), 4.0, 20.0))
    for (row, column), count in np.ndenumerate(counts):
        percent = f"{100 * share[row, column]:.0f}%" if totals[row, 0] else "–"
        if k > 10:
            text = percent.rstrip("%") if normalise else str(count)
        else:
            text = f"{percent}\n({count})" if normalise else f"{count}\n({percent})"
        ink = palette.ink_on(image.to_rgba(np.array([image.get_array()[row, column]]))[0])  # type: ignore[index]
        ax.text(column, row, text, ha="center", va="center", fontsize=size, color=ink, gid=f"cell {row} {column}")
    names = [plain(name) for name in classes]
    crowded = k * max(len(name) for name in names) > 60
    ax.set_xticks(range(k), names, rotation=45 if crowded else 0, ha="right" if crowded else "center")
    ax.set_yticks(range(k), names)
    colour_bar(ax, image, "share of the true class" if normalise else "rows")
    dress(ax, x="predicted class", y="true class", title=title or "Confusion matrix")
    return ax


def plot_roc(
    true: ArrayLike,
    score: ArrayLike,
    ax: Axes | None = None,
    *,
    label: str | None = None,
    classes: Sequence[object] | None = None,
) -> Axes:
    """The ROC curve: recall against false alarms for every threshold, with the area under it (AUC).

    Parameters
    ----------
    true : class index of each row, (m,) or (m, 1); 0 or 1 for two classes
    score : larger for class 1, (m,) or (m, 1); (m, k) draws each class against the rest
    label : the legend's name for the curve (for k classes, before each class's name)
    classes : class names in the order of the columns of `score`

    Source: sklearn.metrics.roc_curve, auc; Fawcett, An introduction to ROC analysis, 2006.
    """
    from sklearn.metrics import auc, roc_curve

    scores = np.asarray(score, dtype=np.float64)
    scores = scores[:, None] if scores.ndim == 1 else scores
    if scores.ndim != 2 or not np.all(np.isfinite(scores)):
        raise GlassnetError(
            f"plot_roc got scores of shape {scores.shape}, {int((~np.isfinite(scores)).sum())} of them not finite; it "
            f"needs a finite score a row, (m,) for two classes or (m, k) for k. Pass the predicted probabilities."
        )
    k = max(2, scores.shape[1])
    index, names = class_indexes(true, classes, k)
    if index.size != scores.shape[0]:
        raise GlassnetError(f"plot_roc got {index.size} true classes and {scores.shape[0]} scores; it needs one each.")
    if np.unique(index).size < 2:
        raise GlassnetError(
            f"plot_roc got {index.size} rows of only {np.unique(index).size} class; a ROC curve needs rows of two or "
            f"more classes. Evaluate on data that holds the other class as well."
        )
    ax = ax or new_axes(8.0, 7.5)
    already = sum(line.get_gid() == "roc" for line in ax.lines)
    for number, which in enumerate([1] if k == 2 else range(k)):
        positive = index == which
        name = " ".join([label] if label and k == 2 else [*([label] if label else []), names[which]])
        colour = palette.class_colour(already + number)
        if not positive.any() or positive.all():
            ax.plot([], [], color=colour, label=plain(f"{name}: no rows to compare"))
            continue
        false_alarms, hits, _ = roc_curve(positive, scores[:, min(which, scores.shape[1] - 1)])
        area = float(auc(false_alarms, hits))
        ax.plot(
            false_alarms,
            hits,
            color=colour,
            linestyle=("-", "--", "-.")[(already + number) % 3],
            linewidth=2.8,
            label=plain(f"{name}: AUC {area:.3f}"),
            gid="roc",
        )
    if not any(line.get_gid() == "chance" for line in ax.lines):
        ax.plot([0, 1], [0, 1], color="#666666", linestyle=":", linewidth=2, label="chance: AUC 0.500", gid="chance")
    ax.set_xlim(-0.01, 1.01)
    ax.set_ylim(-0.01, 1.01)
    ax.set_aspect("equal")
    dress(
        ax,
        x="false positive rate (share of the other rows)",
        y="true positive rate (recall)",
        title="ROC curve" if k == 2 else "ROC curves, each class against the rest",
        grid=True,
    )
    legend(ax, loc="lower right", last="chance")
    return ax


def plot_weights(
    parameters: Mapping[str, ArrayLike],
    ax: Axes | None = None,
    *,
    layer: int = 1,
    input_names: Sequence[str] | None = None,
    pictures: bool | None = None,
) -> Axes:
    """The weights W of a dense layer, blue below zero and red above, one colour scale for all.

    Parameters
    ----------
    parameters : {"W1": (inputs, units), "b1": ...}
    layer : counted from 1
    input_names : one for each row of W
    pictures : each unit's weights as a small picture, up to 64 units; None does so for layer 1 on a square number of
        inputs, 64 or more, as of pixels
    """
    name = f"W{layer}"
    if name not in parameters:
        weights = [key for key in parameters if key.startswith("W")]
        raise GlassnetError(unknown_name("parameter", name, weights or parameters))
    W = np.asarray(parameters[name], dtype=np.float64)
    if W.ndim != 2 or W.size == 0:
        raise GlassnetError(
            f"plot_weights got {name} of shape {W.shape}; it draws dense layers, whose weights are (inputs, units). "
            f"Choose a dense layer of this network."
        )
    inputs, units = W.shape
    if input_names is not None and len(input_names) != inputs:
        raise GlassnetError(
            f"plot_weights got {len(input_names)} input names for the {inputs} inputs of {name}; it needs one for each."
        )
    side = int(np.sqrt(inputs))
    if pictures and side * side != inputs:
        raise GlassnetError(
            f"plot_weights got pictures=True for {name} with {inputs} inputs; square pictures need a square number of "
            f"them. Leave pictures out for a heat map."
        )
    finite = np.abs(W[np.isfinite(W)])
    limit = float(finite.max()) if finite.size and finite.max() > 0 else 1.0
    options: dict[str, Any] = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit, "interpolation": "nearest"}
    if pictures or (pictures is None and layer == 1 and inputs >= 64 and side * side == inputs):
        return _draw_pictures(W, side, name, ax, options)

    named = input_names or [str(index + 1) for index in range(inputs)]
    ax = ax or new_axes(11.0 if units > 12 else 9.0, float(np.clip(2.5 + 0.4 * inputs, 4.0, 9.0)))
    image = ax.imshow(W, aspect="auto", **options)
    if inputs <= 40:
        ax.set_yticks(range(inputs), [plain(each) for each in named])
    step = max(1, int(np.ceil(units / 20)))
    ax.set_xticks(range(0, units, step), [str(unit + 1) for unit in range(0, units, step)])
    colour_bar(ax, image, "weight")
    dress(ax, x="unit", y="input" if layer == 1 else f"unit of layer {layer - 1}", title=_weights_title(name, W))
    return ax


def save(fig_or_ax: Figure | Axes, path: str | os.PathLike[str], dpi: float = 150) -> Path:
    """Write a picture as PNG, SVG or PDF, whichever the suffix says; returns the path.

    It is written under a temporary name and renamed, so that a kill leaves no half a picture. The same picture gives
    the same bytes: no time and no version is written into it.

    Raises
    ------
    GlassnetError : a suffix of another kind, a folder that is not there, or a place that cannot be written
    """
    import matplotlib

    path = Path(path)
    suffix = path.suffix.lower().removeprefix(".")
    if suffix not in _SUFFIXES:
        raise GlassnetError(
            f"A picture cannot be written to '{path}': its suffix is '{path.suffix}' and needs to be .png, .svg or "
            f".pdf. Give the file one of these."
        )
    if not dpi > 0:
        raise GlassnetError(f"A picture cannot have dpi={dpi}; it needs a number of dots an inch above 0, such as 150.")
    if not path.parent.is_dir():
        raise GlassnetError(
            f"A picture cannot be written to '{path}': there is no folder '{path.parent}'. Make it first, or give "
            f"another place."
        )
    figure: Any = fig_or_ax if hasattr(fig_or_ax, "savefig") else fig_or_ax.get_figure()
    hidden = {"png": ["Software"], "svg": ["Date", "Creator"], "pdf": ["CreationDate", "Producer", "Creator"]}
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with matplotlib.rc_context({"svg.hashsalt": "glassnet"}):
            figure.savefig(temporary, format=suffix, dpi=dpi, metadata=dict.fromkeys(hidden[suffix]))
        os.replace(temporary, path)
    except OSError as error:
        raise GlassnetError(
            f"A picture cannot be written to '{path}': {(error.strerror or str(error)).lower()}. Give a place that can "
            f"be written."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
    return path


def _draw_pictures(W: Array, side: int, name: str, ax: Axes | None, options: dict[str, Any]) -> Axes:
    """Each unit's weights as a square picture, in rows of a grid with gaps between."""
    units = min(W.shape[1], 64)
    columns = int(np.ceil(np.sqrt(units)))
    rows = int(np.ceil(units / columns))
    gap = max(1, side // 14)
    head = max(2, side // 4)  # room above each picture for its number
    sheet = np.full((rows * (side + gap + head), columns * (side + gap)), np.nan)
    ax = ax or new_axes(10.0, 10.0 * rows / columns + 1.0)
    for unit in range(units):
        top = unit // columns * (side + gap + head) + head
        left = unit % columns * (side + gap)
        sheet[top : top + side, left : left + side] = W[:, unit].reshape(side, side)
        ax.text(left, top - 1, str(unit + 1), fontsize=12 if columns <= 6 else 10, color=palette.INK, va="bottom")
    image = ax.imshow(sheet, **options)
    colour_bar(ax, image, "weight")
    shown = f", the first {units} shown" if units < W.shape[1] else ""
    dress(ax, x=f"one picture a unit, {side} × {side} inputs each", y="", title=_weights_title(name, W) + shown)
    ax.set_xticks([])
    ax.set_yticks([])
    for edge in ax.spines.values():
        edge.set_visible(False)
    return ax


def _weights_title(name: str, W: Array) -> str:
    return f"Weights {name}: {W.shape[0]} inputs → {W.shape[1]} unit{'s' if W.shape[1] > 1 else ''}"
