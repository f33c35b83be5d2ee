"""Where a network changes its mind: the decision boundary over two features, or over a plane through many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glassnet.errors import GlassnetError
from glassnet.views import palette
from glassnet.views.metrics import class_indexes
from glassnet.views.palette import colour_bar, dress, legend, new_axes, plain
from glassnet.views.plane import CHUNK, Plane, features_of, grid, plain_features, plane_of, span
from glassnet.views.rows import (
    as_probabilities,
    class_rows,
    decided,
    gives_probabilities,
    is_run,
    standings,
    state_of,
    titled,
    training_inputs,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from glassnet.training.run import Run

Array = NDArray[np.float64]

PICTURE = "A decision boundary"
MANY = 5000
"""So many points are drawn as pixels, also in a .svg or .pdf."""


def plot_boundary(
    predict: Run | Callable[[Array], ArrayLike],
    X: Any = None,
    y: ArrayLike | None = None,
    ax: Axes | None = None,
    *,
    names: Sequence[str] | None = None,
    classes: Sequence[object] | None = None,
    features: Sequence[str | int] | None = None,
    plane: str | None = None,
    at: str = "mean",
    hard: bool | None = None,
    iteration: int | None = None,
    resolution: int = 200,
    title: str | None = None,
) -> Axes:
    """What is predicted over a plane of two features: probabilities, the border between classes, the data.

        plot_boundary(run)                                     the rows it was trained on, in their own units
        plot_boundary(run, features=["petal length (cm)", "petal width (cm)"])
        plot_boundary(run, plane="pca")
        plot_boundary(predict, X, y)

    Two classes: shading is P(second class), the border where it is 1/2. More: shading is the likeliest class, paler
    where it is less sure, the borders where two classes tie. Rows predicted wrongly, each with all its own features,
    carry a ring.

    Parameters
    ----------
    predict : a run; or a function (m, n) → probabilities, (m,) or (m, 1) for two classes, (m, k) for k
    X : (m, n) as the run or the function takes it, or a table like the run's; the run's training rows unless given
    y : class number of each row, (m,) or (m, 1); one-hot (m, k); or (m,) strings out of `classes`
    names : of the features, with their units
    classes : class names in the order of the outputs
    features : two names or positions (from 0) where there are more; the others are held
    plane : "pca" for the plane of two principal components instead
    at : where the other features are held: "mean" or "median" of the training rows
    hard : shade the class that is predicted, not the probability; by default only where there are no probabilities
    iteration : of the run, the one it ended with unless given
    resolution : points along each axis

    Raises
    ------
    GlassnetError : no plane, X or predictions not finite, predictions that are no probabilities, no classes, an
        unknown class or feature
    """
    if resolution < 2:
        raise GlassnetError(f"plot_boundary got resolution={resolution}; it needs 2 or more points an axis, say 200.")
    options: dict[str, Any] = {"features": features, "plane": plane, "at": at}
    if is_run(predict):
        shown = _of_run(predict, X, y, names, classes, iteration, options)
    else:
        if iteration is not None:
            raise GlassnetError(
                "plot_boundary got an iteration and a function; only a run has iterations: pass the run."
            )
        if X is None or y is None:
            raise GlassnetError("plot_boundary got a function without X and y; pass both, or a run, which has its own.")
        shown = _of_function(predict, X, y, names, classes, options)  # type: ignore[arg-type]
    hard = not shown.probable if hard is None else hard
    k = len(shown.classes)
    low, high = span(shown.points)
    across, up, points = grid(low, high, resolution)
    surface = shown.plane.over(points, shown.ask).reshape(resolution, resolution, k)

    ax = ax or new_axes(9.0, 7.5)
    _shade(ax, surface, (across, up), shown.classes, hard or not shown.probable)
    has_border = draw_borders(ax, surface, (across, up), shown.probable)
    scatter_classes(ax, shown.points, shown.true, shown.classes, shown.wrong)
    if has_border:
        ax.plot([], [], color="black", linewidth=2.2, label="P = 1/2" if k == 2 and shown.probable else "border")
    ax.set_xlim(low[0], high[0])
    ax.set_ylim(low[1], high[1])
    head = title or titled("Decision boundary", shown.where, "" if iteration is None else f"iteration {iteration}")
    if shown.plane.said:
        head += f"\n{shown.plane.said}"
    dress(ax, x=shown.plane.labels[0], y=shown.plane.labels[1], title=head)
    legend(ax, below=True)
    return ax


@dataclass(frozen=True)
class _Shown:
    """Rows in a plane, and who answers for any point of it; `ask` gives (m, k) probabilities or scores."""

    plane: Plane
    points: Array
    true: NDArray[np.int64]
    wrong: NDArray[np.bool_]
    classes: list[str]
    ask: Callable[[Array], Array]
    probable: bool
    where: str = ""


def _of_run(
    run: Run, X: Any, y: Any, names: Sequence[str] | None, classes: Sequence[object] | None, iteration: int | None,
    options: dict[str, Any],
) -> _Shown:  # fmt: skip
    rows = class_rows(run, X, y, picture=PICTURE, iteration=iteration, classes=classes)
    known = features_of(run)
    if names is not None:
        known = plain_features(len(known.names), _named(names, len(known.names)))
    plane = plane_of(known, lambda: training_inputs(run, "the plane"), PICTURE, **options)
    state = state_of(run, iteration)
    return _Shown(
        plane, plane.place(rows.X), rows.true, rows.wrong, rows.classes, lambda points: standings(run, state, points),
        gives_probabilities(run), rows.where,
    )  # fmt: skip


def _of_function(
    predict: Callable[[Array], ArrayLike], X: ArrayLike, y: ArrayLike, names: Sequence[str] | None,
    classes: Sequence[object] | None, options: dict[str, Any],
) -> _Shown:  # fmt: skip
    inputs = np.asarray(X, dtype=np.float64)
    if inputs.ndim != 2 or 0 in inputs.shape:
        raise GlassnetError(f"plot_boundary got X of shape {inputs.shape}; it needs rows of features, shape (m, n).")
    if not np.all(np.isfinite(inputs)):
        raise GlassnetError("plot_boundary got X with NaN or infinity; every row needs numbers. Drop those rows.")
    known = plain_features(inputs.shape[1], None if names is None else _named(names, inputs.shape[1]))
    plane = plane_of(known, lambda: inputs, PICTURE, **options)
    probability = _probabilities(predict, inputs)
    true, shown = class_indexes(y, classes, probability.shape[1])
    if true.size != inputs.shape[0]:
        raise GlassnetError(
            f"plot_boundary got {inputs.shape[0]} rows of X and {true.size} of y; it needs one class for each row of X."
        )
    wrong = decided(probability[:, 1:] if probability.shape[1] == 2 else probability) != true
    return _Shown(
        plane, plane.place(inputs), true, wrong, shown, lambda points: _probabilities(predict, points), probable=True
    )


def _named(names: Sequence[str], count: int) -> Sequence[str]:
    if len(names) != count:
        raise GlassnetError(f"plot_boundary got {len(names)} names for {count} features; it needs one for each.")
    return names


def _probabilities(predict: Callable[[Array], ArrayLike], points: Array) -> Array:
    """`predict` in chunks, as probabilities of shape (m, k), k at least 2."""
    parts = []
    for start in range(0, len(points), CHUNK):
        chunk = points[start : start + CHUNK]
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
    return as_probabilities(result)


def scatter_classes(
    ax: Axes, points: Array, true: NDArray[np.int64], names: Sequence[str], wrong: NDArray[np.bool_] | None = None
) -> None:
    """Points in their classes' colours and markers, and rings around those predicted wrongly."""
    size = float(np.clip(60.0 * np.sqrt(400.0 / len(points)), 8.0, 80.0))
    for index, name in enumerate(names):
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
            rasterized=len(points) > MANY,
        )
    if wrong is None:
        return
    ax.scatter(
        points[wrong, 0],
        points[wrong, 1],
        s=3.0 * size,
        facecolors="none",
        edgecolors="black",
        linewidths=float(np.clip(size / 40.0, 0.5, 1.4)),
        label=f"predicted wrongly ({int(wrong.sum())} of {len(points)})",
        zorder=4,
        gid="wrong",
        rasterized=len(points) > MANY,
    )


def _shade(ax: Axes, surface: Array, axes: tuple[Array, Array], names: Sequence[str], hard: bool) -> None:
    """P(second class) for two, the likeliest class and how sure it is for more; `hard`: only which class it is."""
    across, up = axes
    half = (across[1] - across[0]) / 2, (up[1] - up[0]) / 2
    extent = (across[0] - half[0], across[-1] + half[0], up[0] - half[1], up[-1] + half[1])
    options: dict[str, Any] = {"extent": extent, "origin": "lower", "aspect": "auto", "zorder": 0}
    if surface.shape[2] == 2 and not hard:
        image = ax.imshow(
            surface[:, :, 1], cmap=palette.two_class_colormap(), vmin=0.0, vmax=1.0, alpha=0.55, **options
        )
        colour_bar(ax, image, f"P({names[1]})")
        return
    from matplotlib.colors import to_rgb

    k = surface.shape[2]
    colours = np.array([to_rgb(palette.class_colour(index)) for index in range(k)])
    likeliest = np.where(surface[:, :, 1] >= surface[:, :, 0], 1, 0) if k == 2 else surface.argmax(axis=2)
    tint: Any = 0.35
    if not hard:
        tint = 0.1 + 0.4 * np.clip((surface.max(axis=2) - 1.0 / k) / (1.0 - 1.0 / k), 0.0, 1.0)[:, :, None]
    ax.imshow(1.0 - tint * (1.0 - colours[likeliest]), **options)


def leads(surface: Array, probable: bool = True) -> list[Array]:
    """By how much each class leads the next best, (…, k) → k − 1 arrays that are 0 on its border.

    Of probabilities it is the difference of logarithms: between two grid points that is far nearer to a straight line
    than the probabilities are, so a contour lies where P really is 1/2 even where the network is steep. The last class's
    borders are all borders of an earlier one.
    """
    values = np.log(np.clip(surface, 1e-12, None)) if probable else surface
    return [
        values[..., index] - np.delete(values, index, axis=-1).max(axis=-1) for index in range(surface.shape[-1] - 1)
    ]


def draw_borders(ax: Axes, surface: Array, axes: tuple[Array, Array], probable: bool = True) -> bool:
    """A line where two classes tie for the likeliest; False when one class has the whole plane."""
    drawn = False
    for lead in leads(surface, probable):
        if lead.min() < 0 < lead.max():
            ax.contour(*axes, lead, levels=[0.0], colors="black", linewidths=2.2, zorder=2)
            drawn = True
    return drawn
