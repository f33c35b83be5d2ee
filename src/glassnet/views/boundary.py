"""Where a network changes its mind: the decision boundary over two features."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glassnet.errors import GlassnetError
from glassnet.views import palette
from glassnet.views.metrics import class_indexes
from glassnet.views.palette import colour_bar, dress, legend, new_axes, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]

_CHUNK = 8192  # rows predicted at a time: 8192 rows through 1000 units are 64 MiB


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
    true, shown = class_indexes(y, classes, k)
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
