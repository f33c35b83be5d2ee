"""How far a classifier's probabilities can be trusted: precision against recall, and calibration.

`plot_confusion` and `plot_roc` are in `plots`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glassnet.errors import GlassnetError
from glassnet.views import palette
from glassnet.views.metrics import class_indexes
from glassnet.views.palette import dress, legend, new_axes, plain
from glassnet.views.rows import as_probabilities, class_rows, is_run, need_probabilities, titled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from glassnet.training.run import Run

Array = NDArray[np.float64]
STYLES = ("-", "--", "-.")


@dataclass(frozen=True)
class Scored:
    """Class numbers (m,), scores (m, 1) or (m, k), the k class names, and which rows they are."""

    index: NDArray[np.int64]
    scores: Array
    names: list[str]
    where: str = ""
    at: str = ""


def scored(
    true: Run | ArrayLike,
    score: ArrayLike | None,
    picture: str,
    *,
    X: Any = None,
    y: Any = None,
    classes: Sequence[object] | None = None,
    iteration: int | None = None,
    probabilities: bool = False,
) -> Scored:
    """True classes and scores, of a run or as they were given.

    Raises
    ------
    GlassnetError : no classes; scores that are missing, not finite, of other rows, or no probabilities where these are
        needed; rows of one class only
    """
    where = ""
    if is_run(true):
        if score is not None:
            raise GlassnetError(f"{picture} got a run and scores; pass the run alone, with X and y for other rows.")
        rows = class_rows(true, X, y, picture=picture, iteration=iteration, classes=classes)
        if probabilities:
            need_probabilities(rows, picture)
        index, names, scores, where = rows.true, rows.classes, rows.outputs, rows.where
    else:
        if score is None:
            raise GlassnetError(f"{picture} got true classes and no scores; pass both, or a run.")
        scores = np.asarray(score, dtype=np.float64)
        scores = scores[:, None] if scores.ndim == 1 else scores
        if scores.ndim != 2 or not np.all(np.isfinite(scores)):
            raise GlassnetError(
                f"{picture} got scores of shape {scores.shape}, {int((~np.isfinite(scores)).sum())} of them not finite; it "
                f"needs a finite score a row, (m,) for two classes or (m, k) for k. Pass the predicted probabilities."
            )
        index, names = class_indexes(true, classes, max(2, scores.shape[1]))  # type: ignore[arg-type]
        if index.size != scores.shape[0]:
            raise GlassnetError(
                f"{picture} got {index.size} true classes and {scores.shape[0]} scores; it needs one each."
            )
        if probabilities and (scores.min() < -1e-6 or scores.max() > 1 + 1e-6):
            raise GlassnetError(
                f"{picture} got scores from {scores.min():.4g} to {scores.max():.4g}; it needs probabilities from 0 to 1, as a "
                "sigmoid or softmax output gives them."
            )
    return Scored(index, scores, names, where, "" if iteration is None else f"iteration {iteration}")


def need_two_classes(index: NDArray[np.int64], picture: str) -> None:
    """Refuse rows of a single class."""
    if np.unique(index).size < 2:
        raise GlassnetError(
            f"{picture} got {index.size} rows of only {np.unique(index).size} class; it needs rows of two or more classes. "
            "Evaluate on data that holds the other class as well."
        )


def plot_precision_recall(
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
    """Precision against recall for every threshold, with the average precision (AP).

    A dotted line is the precision of guessing: the share of the class. Where a class is rare this says more than a ROC
    curve.

    Parameters
    ----------
    true : a run; or the class number of each row, (m,) or (m, 1)
    score : larger for class 1, (m,) or (m, 1); (m, k) draws each class against the rest. Not for a run
    X, y : rows for a run, as for `plot_boundary`; its training rows unless given
    label : the legend's name for the curve (for k classes, before each class's name)
    classes : class names in the order of the outputs
    iteration : of the run, the one it ended with unless given

    Source: sklearn.metrics.precision_recall_curve, average_precision_score.
    """
    from sklearn.metrics import average_precision_score, precision_recall_curve

    picture = "A precision–recall curve"
    rows = scored(true, score, picture, X=X, y=y, classes=classes, iteration=iteration)
    need_two_classes(rows.index, picture)
    k = max(2, rows.scores.shape[1])
    ax = ax or new_axes(8.5, 7.5)
    already = sum(line.get_gid() == "precision recall" for line in ax.lines)
    for number, which in enumerate([1] if k == 2 else range(k)):
        positive = rows.index == which
        name = label if label and k == 2 else " ".join([*([label] if label else []), rows.names[which]])
        colour = palette.class_colour(already + number)
        if not positive.any() or positive.all():
            ax.plot([], [], color=colour, label=plain(f"{name}: no rows to compare"))
            continue
        values = rows.scores[:, min(which, rows.scores.shape[1] - 1)]
        precision, recall, _ = precision_recall_curve(positive, values)
        average = float(average_precision_score(positive, values))
        ax.plot(
            recall,
            precision,
            color=colour,
            linestyle=STYLES[(already + number) % 3],
            linewidth=2.8,
            drawstyle="steps-post",
            label=plain(f"{name}: AP {average:.3f}"),
            gid="precision recall",
        )
        if k == 2 and not any(line.get_gid() == "guessing" for line in ax.lines):
            share = float(positive.mean())
            ax.axhline(
                share, color="#666666", linestyle=":", linewidth=2, label=f"guessing: {share:.3f}", gid="guessing"
            )
    ax.set_xlim(-0.01, 1.01)
    ax.set_ylim(-0.01, 1.03)
    ax.set_aspect("equal")
    head = "Precision and recall" if k == 2 else "Precision and recall, each class against the rest"
    dress(
        ax,
        x="recall (share of the class that is found)",
        y="precision (share of what is found that is right)",
        title=title or titled(head, rows.where, rows.at),
        grid=True,
    )
    legend(ax, loc="lower left", last="guessing")
    return ax


@dataclass(frozen=True)
class Calibration:
    """Rows in bins by their predicted probability, the empty bins left out.

    Attributes
    ----------
    predicted : mean probability in each bin
    observed : share of its rows that came true
    counts : rows in it
    error : the expected calibration error, Σ counts |observed − predicted| / m
    """

    predicted: Array
    observed: Array
    counts: NDArray[np.int64]
    error: float


def calibration(came_true: ArrayLike, probability: ArrayLike, bins: int = 10) -> Calibration:
    """How often what was given a probability came true, in bins of equal width from 0 to 1.

    Parameters
    ----------
    came_true : 0 or 1 a row, (m,)
    probability : what was predicted, (m,)

    Source: sklearn.calibration.calibration_curve; Guo and others, On calibration of modern neural networks, 2017.
    """
    happened, p = np.asarray(came_true, dtype=np.float64), np.asarray(probability, dtype=np.float64)
    if isinstance(bins, bool) or bins != int(bins) or bins < 1:
        raise GlassnetError(f"A calibration got bins={bins}; it needs a whole number of bins, 1 or more, say 10.")
    place = np.searchsorted(np.linspace(0.0, 1.0, int(bins) + 1)[1:-1], p)
    counts = np.bincount(place, minlength=int(bins))
    filled = counts > 0
    kept = counts[filled]
    predicted = np.bincount(place, weights=p, minlength=int(bins))[filled] / kept
    observed = np.bincount(place, weights=happened, minlength=int(bins))[filled] / kept
    error = float((kept * np.abs(observed - predicted)).sum() / len(p))
    return Calibration(predicted, observed, kept.astype(np.int64), error)


def plot_calibration(
    true: Run | ArrayLike,
    score: ArrayLike | None = None,
    ax: Axes | None = None,
    *,
    X: Any = None,
    y: Any = None,
    bins: int = 10,
    label: str | None = None,
    classes: Sequence[object] | None = None,
    iteration: int | None = None,
    title: str | None = None,
) -> Axes:
    """The reliability diagram: of the rows given a probability, how many came true, with the number of rows beside.

    Two classes: the probability of the second and how often it was that one. More: the probability of the class that is
    predicted and how often it was right. On the diagonal the probabilities mean what they say; below it the network is
    too sure. Bars span the 95 % interval that chance alone would give so many rows (Wilson).

    Parameters
    ----------
    true, score, X, y, label, classes, iteration : as for `plot_precision_recall`; scores must be probabilities
    bins : of equal width from 0 to 1

    Source: sklearn.calibration.calibration_curve; Wilson, 1927.
    """
    picture = "A calibration"
    rows = scored(true, score, picture, X=X, y=y, classes=classes, iteration=iteration, probabilities=True)
    probability = as_probabilities(rows.scores)
    two = probability.shape[1] == 2
    if two:
        p, happened = probability[:, 1], rows.index == 1
    else:
        p, happened = probability.max(axis=1), probability.argmax(axis=1) == rows.index
    found = calibration(happened, p, bins)
    ax = ax or new_axes(8.5, 7.5)
    already = sum(line.get_gid() == "calibration" for line in ax.lines)
    colour = palette.class_colour(already)
    low, high = _wilson(found.observed, found.counts)
    ax.vlines(found.predicted, low, high, color=colour, linewidth=2, alpha=0.5)
    ax.plot(
        found.predicted,
        found.observed,
        color=colour,
        marker=palette.class_marker(already),
        markersize=10,
        linewidth=2.4,
        label=plain(f"{label or 'network'}: off by {found.error:.3f} on average"),
        gid="calibration",
    )
    for x, up, count in zip(found.predicted, found.observed, found.counts, strict=True):
        beside = (10, -6) if x < 0.9 else (-10, 10)
        ax.annotate(
            str(count), (x, up), xytext=beside, textcoords="offset points", fontsize=12, color=palette.INK,
            ha="left" if x < 0.9 else "right", va="top" if x < 0.9 else "bottom", gid="count",
            bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1.0},
        )  # fmt: skip
    if not any(line.get_gid() == "calibrated" for line in ax.lines):
        ax.plot(
            [0, 1], [0, 1], color="#666666", linestyle=":", linewidth=2, label="means what it says", gid="calibrated"
        )
    ax.set_xlim(-0.02, 1.02)
    ax.set_ylim(-0.02, 1.05)
    ax.set_aspect("equal")
    dress(
        ax,
        x=f"predicted probability of '{rows.names[1]}'" if two else "probability of the predicted class",
        y=f"share that was '{rows.names[1]}' (number of rows beside)" if two else "share predicted right (rows beside)",
        title=title or titled("Calibration", rows.where, rows.at),
        grid=True,
    )
    legend(ax, loc="upper left", last="calibrated")
    return ax


def _wilson(share: Array, counts: NDArray[np.int64], z: float = 1.959964) -> tuple[Array, Array]:
    """The 95 % interval of a share of so many rows: (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n)."""
    n = counts.astype(np.float64)
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return middle - reach, middle + reach
