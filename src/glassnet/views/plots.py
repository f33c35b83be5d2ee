"""Still pictures of a training: cost, metric, decision boundary, confusion matrix, ROC curve and weights.

One function a picture. Each draws on the `ax` it is given, or on a figure of its own made without pyplot, and returns
the Axes; `save` writes them. Nothing here computes what the run already holds.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glassnet.errors import GlassnetError, unknown_name
from glassnet.views import palette
from glassnet.views.metrics import confusion_counts
from glassnet.views.palette import colour_bar, dress, legend, new_axes, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

# How a metric is named on its axis, and whether more of it is better.
METRICS = {
    "accuracy": ("accuracy (share of rows)", True),
    "r2": ("R² (share of variance explained)", True),
    "precision": ("precision (share of rows predicted)", True),
    "recall": ("recall (share of the class)", True),
    "f1": ("F1", True),
    "rmse": ("RMSE (units of the target)", False),
    "mae": ("MAE (units of the target)", False),
}
_CHUNK = 8192  # rows predicted at a time: 8192 rows through 1000 units are 64 MiB
_SUFFIXES = ("png", "svg", "pdf")


class History(Protocol):
    """What a curve needs of a run's history: columns by name, one value an epoch."""

    def __getitem__(self, name: str, /) -> Any: ...


def plot_cost(history: History, ax: Axes | None = None, *, log: bool | None = None) -> Axes:
    """The cost of the training rows, and of the held-out rows where there are any, by epoch.

    The best held-out epoch carries a star; the first epoch whose cost is NaN or infinite is marked.

    Parameters
    ----------
    history : columns "epoch" and "cost", perhaps "validation_cost" (NaN where it was not measured)
    log : a logarithmic cost axis; None chooses it when the cost spans more than two decades
    """
    epoch, cost = _column(history, "epoch"), _column(history, "cost")
    held_out = _column(history, "validation_cost") if "validation_cost" in _columns(history) else None
    values = np.concatenate([cost, [] if held_out is None else held_out])
    values = values[np.isfinite(values)]
    positive = bool(values.size) and bool(np.all(values > 0))
    if log and not positive:
        lowest = f"a cost of {values.min():.4g}" if values.size else "no finite cost"
        raise GlassnetError(
            f"plot_cost got log=True and {lowest}; a logarithmic axis needs costs above 0. Leave log out, or log=False."
        )
    ax = ax or new_axes()
    _draw_curves(ax, epoch, cost, held_out, more_is_better=False)
    if log or (log is None and positive and values.max() > 100 * values.min()):
        ax.set_yscale("log")
    diverged = np.flatnonzero(~np.isfinite(cost))
    if diverged.size:
        first = epoch[diverged[0]]
        ax.axvline(first, color=palette.PURPLE, linestyle="--", linewidth=2, label=f"not finite from epoch {first:.0f}")
    dress(ax, x="epoch", y="cost (mean over samples)", title="Cost", grid=True)
    legend(ax)
    return ax


def plot_metric(history: History, ax: Axes | None = None, *, metric: str | None = None) -> Axes:
    """A metric of the training rows, and of the held-out rows where there are any, by epoch.

    Parameters
    ----------
    history : columns "epoch" and the metric's, with "validation_" before it for the held-out rows
    metric : "accuracy", "r2", ...; None takes the first the history has
    """
    columns = _columns(history)
    known = [name for name in METRICS if name in columns or f"validation_{name}" in columns]
    if not known:
        raise GlassnetError(
            f"This history has the columns {', '.join(columns)} and no metric; plot_metric needs one of "
            f"{', '.join(METRICS)}. Use plot_cost for the cost."
        )
    metric = metric or known[0]
    if metric not in known:
        raise GlassnetError(unknown_name("metric in this history", metric, known))
    label, more_is_better = METRICS[metric]
    ax = ax or new_axes()
    training = _column(history, metric) if metric in columns else None
    held_out = _column(history, f"validation_{metric}") if f"validation_{metric}" in columns else None
    _draw_curves(ax, _column(history, "epoch"), training, held_out, more_is_better=more_is_better)
    dress(ax, x="epoch", y=label, title=label.split(" (")[0].capitalize(), grid=True)
    legend(ax)
    return ax


def plot_boundary(
    predict: Callable[[Array], ArrayLike],
    X: ArrayLike,
    y: ArrayLike,
    ax: Axes | None = None,
    *,
    names: Sequence[str] = ("x1", "x2"),
    classes: Sequence[object] | None = None,
    resolution: int = 200,
    title: str | None = None,
) -> Axes:
    """What is predicted over the plane of two features: probabilities, the border between classes, the data.

    Two classes: shading is P(second class), the border where it is 1/2. More: shading is the likeliest class, paler
    where it is less sure, the borders where two classes tie. Rows predicted wrongly carry a ring.

    Parameters
    ----------
    predict : (m, 2) in the units of `X` → probabilities, (m,) or (m, 1) for two classes, (m, k) for k
    X : (m, 2)
    y : class index of each row, (m,) or (m, 1); one-hot (m, k); or (m,) strings out of `classes`
    names : the two features, with their units
    classes : class names in the order of the outputs
    resolution : points along each axis

    Raises
    ------
    GlassnetError : not two features, X or predictions not finite, predictions that are no probabilities, an unknown
        class
    """
    points = np.asarray(X, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or points.shape[0] == 0:
        raise GlassnetError(
            f"plot_boundary got X of shape {points.shape}; it draws a plane and needs two features, shape (m, 2). "
            f"Train on two columns to see their boundary, or look at the confusion matrix instead."
        )
    if not np.all(np.isfinite(points)):
        raise GlassnetError("plot_boundary got X with NaN or infinity; every row needs two numbers. Drop those rows.")
    if resolution < 2:
        raise GlassnetError(f"plot_boundary got resolution={resolution}; it needs 2 or more points an axis, say 200.")
    if len(names) != 2:
        raise GlassnetError(f"plot_boundary got {len(names)} names; it needs two, one for each column of X.")

    probability = _probabilities(predict, points)
    k = probability.shape[1]
    true, shown = _class_indexes(y, classes, k)
    if true.size != points.shape[0]:
        raise GlassnetError(
            f"plot_boundary got {points.shape[0]} rows of X and {true.size} of y; it needs one class for each row of X."
        )
    wrong = probability.argmax(axis=1) != true

    low, high = points.min(axis=0), points.max(axis=0)
    spread = np.where(high > low, high - low, 1.0)
    low, high = low - 0.08 * spread, high + 0.08 * spread
    across, up = (np.linspace(low[axis], high[axis], resolution) for axis in (0, 1))
    plane = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
    surface = _probabilities(predict, plane).reshape(resolution, resolution, k)

    ax = ax or new_axes(9.0, 7.5)
    _shade(ax, surface, (across, up), shown)
    has_border = _draw_borders(ax, surface, across, up)

    size = float(np.clip(60.0 * np.sqrt(400.0 / len(points)), 8.0, 80.0))
    for index, name in enumerate(shown):
        of_class = points[true == index]
        ax.scatter(
            of_class[:, 0],
            of_class[:, 1],
            s=size,
            color=palette.class_colour(index),
            marker=palette.class_marker(index),
            edgecolors=palette.class_edge(index),
            linewidths=0.6,
            label=plain(name),
            zorder=3,
            gid=f"class {index}",
        )
    share = f"{int(wrong.sum())} of {len(points)}"
    ax.scatter(
        points[wrong, 0],
        points[wrong, 1],
        s=3.0 * size,
        facecolors="none",
        edgecolors="black",
        linewidths=float(np.clip(size / 40.0, 0.5, 1.4)),
        label=f"predicted wrongly ({share})",
        zorder=4,
        gid="wrong",
    )
    if has_border:
        ax.plot([], [], color="black", linewidth=2.2, label="P = 1/2" if k == 2 else "border")
    ax.set_xlim(low[0], high[0])
    ax.set_ylim(low[1], high[1])
    dress(ax, x=names[0], y=names[1], title=title or "Decision boundary")
    legend(ax, below=True)
    return ax


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
    index, names = _class_indexes(true, classes, k)
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


def _columns(history: History) -> list[str]:
    """The names of the history's columns."""
    columns = history.columns if hasattr(history, "columns") else list(history)  # type: ignore[call-overload]
    return [str(name) for name in columns]


def _column(history: History, name: str) -> Array:
    """One column of the history as floats, as long as its epochs."""
    columns = _columns(history)
    if name not in columns:
        raise GlassnetError(unknown_name("column in this history", name, columns))
    values = np.asarray(history[name], dtype=np.float64)
    epochs = len(history["epoch"]) if "epoch" in columns else len(values)
    if values.ndim != 1 or len(values) == 0 or len(values) != epochs:
        raise GlassnetError(
            f"The history's column '{name}' has shape {values.shape} beside {epochs} epochs; it needs one value for "
            f"each epoch, and at least one epoch. Train for an epoch or more."
        )
    return values


def _draw_curves(ax: Axes, epoch: Array, training: Array | None, held_out: Array | None, more_is_better: bool) -> None:
    """Training and held-out curves, and a star on the best held-out epoch."""
    from matplotlib.ticker import MaxNLocator

    curves = [("training", training, palette.BLUE, "-"), ("held out", held_out, palette.VERMILLION, "--")]
    for label, values, colour, style in curves:
        if values is None:
            continue
        measured = np.isfinite(values)
        marker = "o" if measured.sum() == 1 else None
        ax.plot(
            epoch[measured],
            values[measured],
            color=colour,
            linestyle=style,
            linewidth=2.8,
            marker=marker,
            label=label,
            gid=label,
        )
    if held_out is not None and np.isfinite(held_out).any():
        best = int(np.nanargmax(held_out) if more_is_better else np.nanargmin(held_out))
        ax.plot(
            epoch[best],
            held_out[best],
            color=palette.VERMILLION,
            marker="*",
            markersize=20,
            markeredgecolor="black",
            linestyle="none",
            label=f"best held out: {held_out[best]:.4g} at epoch {epoch[best]:.0f}",
            gid="best",
            zorder=5,
        )
    if len(epoch) == 1:
        ax.set_xlim(epoch[0] - 1, epoch[0] + 1)
    ax.xaxis.set_major_locator(MaxNLocator(nbins=7, integer=True))


def _probabilities(predict: Callable[[Array], ArrayLike], points: Array) -> Array:
    """`predict` in chunks, as probabilities of shape (m, k), k at least 2."""
    parts = []
    for start in range(0, len(points), _CHUNK):
        chunk = points[start : start + _CHUNK]
        part = np.asarray(predict(chunk), dtype=np.float64)
        part = part[:, None] if part.ndim == 1 else part
        if part.ndim != 2 or part.shape[0] != len(chunk) or part.shape[1] == 0:
            raise GlassnetError(
                f"predict returned shape {part.shape} for {len(chunk)} rows; plot_boundary needs probabilities, "
                f"({len(chunk)}, 1) for two classes or ({len(chunk)}, k). Pass the network's predict or predict_proba."
            )
        parts.append(part)
    result = np.concatenate(parts)
    if not np.all((result >= -1e-6) & (result <= 1 + 1e-6)):  # a NaN fails this too
        raise GlassnetError(
            f"predict returned values from {result.min():.4g} to {result.max():.4g}; plot_boundary needs probabilities "
            f"from 0 to 1. Use a classifier with a sigmoid or softmax output."
        )
    return np.hstack([1.0 - result, result]) if result.shape[1] == 1 else result


def _class_indexes(y: ArrayLike, classes: Sequence[object] | None, k: int) -> tuple[NDArray[np.int64], list[str]]:
    """The class index of each row, and the k class names."""
    values = np.asarray(y)
    values = values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
    as_text = values.dtype.kind in "UO"
    if classes is None:
        classes = sorted({str(value) for value in values}) if as_text and values.ndim == 1 else range(k)
    names = [str(name) for name in classes]
    if len(names) != k:
        raise GlassnetError(
            f"{len(names)} class names ({', '.join(names[:10])}) arrived for {k} classes; it needs one for each, in "
            f"the order of the outputs. Pass classes=[...] with {k} names."
        )
    if values.ndim == 1 and as_text:
        unknown = [str(value) for value in values if str(value) not in names]
        if unknown:
            raise GlassnetError(unknown_name("class", unknown[0], names))
        position = {name: index for index, name in enumerate(names)}
        return np.array([position[str(value)] for value in values], dtype=np.int64), names
    if values.ndim == 2 and values.shape[1] == k and values.dtype.kind in "biuf":
        return values.argmax(axis=1).astype(np.int64), names
    if values.ndim != 1 or values.dtype.kind not in "biuf" or not np.all(np.isin(values, np.arange(k))):
        raise GlassnetError(
            f"The true classes arrived with shape {values.shape} and type {values.dtype}; for {k} classes they need to "
            f"be whole numbers from 0 to {k - 1}, one a row. Pass the index of each row's class."
        )
    return values.astype(np.int64), names


def _shade(ax: Axes, surface: Array, axes: tuple[Array, Array], names: Sequence[str]) -> None:
    """Probability as colour: P(second class) for two, the likeliest class and how sure it is for more."""
    across, up = axes
    half = (across[1] - across[0]) / 2, (up[1] - up[0]) / 2
    extent = (across[0] - half[0], across[-1] + half[0], up[0] - half[1], up[-1] + half[1])
    options: dict[str, Any] = {"extent": extent, "origin": "lower", "aspect": "auto", "zorder": 0}
    if surface.shape[2] == 2:
        image = ax.imshow(
            surface[:, :, 1], cmap=palette.two_class_colormap(), vmin=0.0, vmax=1.0, alpha=0.55, **options
        )
        colour_bar(ax, image, f"P({names[1]})")
        return
    from matplotlib.colors import to_rgb

    k = surface.shape[2]
    colours = np.array([to_rgb(palette.class_colour(index)) for index in range(k)])
    likeliest = surface.argmax(axis=2)
    sure = np.clip((surface.max(axis=2) - 1.0 / k) / (1.0 - 1.0 / k), 0.0, 1.0)[:, :, None]
    tint = 0.1 + 0.4 * sure
    ax.imshow(1.0 - tint * (1.0 - colours[likeliest]), **options)


def _draw_borders(ax: Axes, surface: Array, across: Array, up: Array) -> bool:
    """A line where two classes tie for the likeliest; False when one class has the whole plane.

    The contour is of the difference of log-probabilities: between two grid points it is far nearer to a straight line
    than the probabilities are, so the line lies where P really is 1/2 even where the network is steep.
    """
    logs = np.log(np.clip(surface, 1e-12, None))
    k = surface.shape[2]
    drawn = False
    for index in range(k - 1):  # the last class's borders are all borders of an earlier class
        lead = logs[:, :, index] - np.delete(logs, index, axis=2).max(axis=2)
        if lead.min() < 0 < lead.max():
            ax.contour(across, up, lead, levels=[0.0], colors="black", linewidths=2.2, zorder=2)
            drawn = True
    return drawn


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
