"""A classifier's decisions as pictures, the confusion matrix and the ROC curve; and `save`, which writes any picture.

One function a picture, here and in the files beside. Each draws on the `ax` it is given, or on a figure of its own made
without pyplot, and returns the Axes. Nothing here computes what the run already holds.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glassnet.errors import GlassnetError
from glassnet.views import palette
from glassnet.views.classifiers import need_two_classes, scored
from glassnet.views.metrics import confusion_counts
from glassnet.views.palette import colour_bar, dress, legend, new_axes, plain
from glassnet.views.rows import class_rows, is_run, titled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from glassnet.training.run import Run

Array = NDArray[np.float64]

_SUFFIXES = ("png", "svg", "pdf")


def plot_confusion(
    matrix: Run | ArrayLike,
    classes: Sequence[object] | None = None,
    ax: Axes | None = None,
    *,
    X: Any = None,
    y: Any = None,
    normalise: bool = False,
    iteration: int | None = None,
    title: str | None = None,
) -> Axes:
    """The confusion matrix: a cell holds how many rows of a true class were predicted as a class, and their share.

    Parameters
    ----------
    matrix : a run; or whole numbers, (k, k); rows true, columns predicted
    classes : k names; a run's own unless given
    X, y : rows for a run, as for `plot_boundary`; its training rows unless given
    iteration : of the run, the one it ended with unless given
    normalise : shade by the share of the true class, and write it first, instead of by the count
    """
    if is_run(matrix):
        rows = class_rows(matrix, X, y, picture="A confusion matrix", iteration=iteration, classes=classes)
        at = "" if iteration is None else f"iteration {iteration}"
        classes, title = rows.classes, title or titled("Confusion matrix", rows.where, at)
        matrix = np.zeros((len(classes), len(classes)), dtype=np.int64)
        np.add.at(matrix, (rows.true, rows.predicted), 1)
    elif classes is None:
        raise GlassnetError(
            "plot_confusion got a matrix without class names; pass classes, or a run, which has its own."
        )
    counts = confusion_counts(matrix, classes)  # type: ignore[arg-type]
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
    true: Run | ArrayLike,
    score: ArrayLike | None = None,
    ax: Axes | None = None,
    *,
    X: Any = None,
    y: Any = None,
    label: str | None = None,
    classes: Sequence[object] | None = None,
    iteration: int | None = None,
    title: str | None = None,
) -> Axes:
    """The ROC curve: recall against false alarms for every threshold, with the area under it (AUC).

    Parameters
    ----------
    true : a run; or the class number of each row, (m,) or (m, 1), 0 or 1 for two classes
    score : larger for class 1, (m,) or (m, 1); (m, k) draws each class against the rest. Not for a run
    X, y : rows for a run, as for `plot_boundary`; its training rows unless given
    label : the legend's name for the curve (for k classes, before each class's name)
    classes : class names in the order of the columns of `score`
    iteration : of the run, the one it ended with unless given

    Source: sklearn.metrics.roc_curve, auc; Fawcett, An introduction to ROC analysis, 2006.
    """
    from sklearn.metrics import auc, roc_curve

    picture = "A ROC curve"
    found = scored(true, score, picture, X=X, y=y, classes=classes, iteration=iteration)
    index, scores, names = found.index, found.scores, found.names
    need_two_classes(index, picture)
    k = max(2, scores.shape[1])
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
        title=title
        or titled("ROC curve" if k == 2 else "ROC curves, each class against the rest", found.where, found.at),
        grid=True,
    )
    legend(ax, loc="lower right", last="chance")
    return ax


def save(fig_or_ax: Figure | Axes | NDArray[Any], path: str | os.PathLike[str], dpi: float = 150) -> Path:
    """Write a picture (its figure, its axes, or an array of axes) as PNG, SVG or PDF, as the suffix says; returns the path.

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
    figure: Any = fig_or_ax.flat[0] if isinstance(fig_or_ax, np.ndarray) else fig_or_ax
    while not hasattr(figure, "savefig"):
        figure = figure.figure  # of axes in a part of a figure, the part; of a part, the whole
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
