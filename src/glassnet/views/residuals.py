"""The four pictures that R's `plot(lm)` draws: does the model fit, and which rows decide it?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glassnet.errors import GlassnetError
from glassnet.views import palette
from glassnet.views.palette import dress

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
COOK = (0.5, 1.0)
"""Cook's distances whose contours are drawn."""
LABELLED = 3
"""The rows that stand out most, by their number from 1."""
MANY = 2000
"""More points are drawn smaller."""
KINDS = {1: "Residuals vs Fitted", 2: "Normal Q-Q", 3: "Scale-Location", 5: "Residuals vs Leverage"}


def residual_plots(statistics: Any, which: Sequence[int] = (1, 2, 3, 5)) -> Figure:
    """R's `plot(lm)`: residuals against fitted values, normal Q-Q, scale-location, residuals against leverage.

    Parameters
    ----------
    statistics : `LinearStatistics`, `GLMStatistics`, a `Regression`, or a fitted estimator that has them
    which : R's numbers of the pictures: 1, 2, 3 and 5

    Returns
    -------
    matplotlib Figure; `glassnet.views.save` writes it

    Raises
    ------
    GlassnetError : statistics without rows, without residual degrees of freedom, or without residuals

    Source: Chambers and Hastie, Statistical Models in S, 1992, §4.2; Cook, 1977.
    """
    from matplotlib.figure import Figure

    fit = getattr(statistics, "statistics_", statistics)
    wanted = list(which)
    if not wanted or any(number not in KINDS for number in wanted):
        raise GlassnetError(f"which got {wanted}; it needs some of {', '.join(map(str, KINDS))}.")
    if not hasattr(fit, "standardized_residuals"):
        raise GlassnetError(
            f"residual_plots got {type(fit).__name__}, which has no residuals of single rows; it needs the statistics of a "
            "linear, logistic or Poisson regression of one output."
        )
    if fit.df_residual <= 0:
        raise GlassnetError(
            f"The fit has as many coefficients ({fit.rank}) as rows, so every residual is 0; there is nothing to draw."
        )
    drawers = {1: _fitted, 2: _quantiles, 3: _scale, 5: _leverage}
    columns = 1 if len(wanted) == 1 else 2
    rows = -(-len(wanted) // columns)
    figure = Figure(figsize=(8.0 * columns, 6.5 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for number, ax in zip(wanted, axes, strict=False):
        drawers[number](ax, fit)
    for ax in axes[len(wanted) :]:
        ax.set_axis_off()
    return figure


def _is_linear(fit: Any) -> bool:
    return not hasattr(fit, "family")


def _points(ax: Axes, x: Array, y: Array) -> None:
    small = len(x) > MANY
    ax.plot(
        x, y, linestyle="none", marker="o", markersize=2.5 if small else 7, markerfacecolor="none" if not small else None,
        markeredgecolor=palette.BLUE, color=palette.BLUE, alpha=0.4 if small else 1.0, gid="points", rasterized=small,
    )  # fmt: skip


def _smooth(ax: Axes, x: Array, y: Array) -> None:
    order = np.argsort(x, kind="stable")
    ax.plot(x[order], lowess(x[order], y[order]), color=palette.VERMILLION, linewidth=2, gid="smooth")


def _label(ax: Axes, x: Array, y: Array, size: Array) -> None:
    """Numbers beside the points that stand out, towards the middle of the picture."""
    standing = np.where(np.isfinite(size), size, -np.inf)
    middle = float(np.nanmean([np.nanmin(x), np.nanmax(x)]))
    placed: list[tuple[float, float]] = []
    for row in np.argsort(-standing, kind="stable")[: min(LABELLED, len(x))]:
        left = x[row] > middle
        at = ax.transData.transform((x[row], y[row])) * 72 / ax.figure.dpi  # points, as the text's size
        lift = 0
        while any(abs(at[0] - other[0]) < 60 and abs(at[1] + lift - other[1]) < 13 for other in placed):
            lift -= 14
        placed.append((float(at[0]), float(at[1] + lift)))
        ax.annotate(
            str(row + 1), (x[row], y[row]), xytext=(-8 if left else 8, lift), textcoords="offset points", va="center",
            ha="right" if left else "left", fontsize=12, color=palette.INK, gid=f"row {row + 1}",
        )  # fmt: skip


def _zero(ax: Axes) -> None:
    ax.axhline(0, color="grey", linestyle=":", linewidth=1.2, zorder=0)


def _fitted(ax: Axes, fit: Any) -> None:
    x, y = np.asarray(fit.linear_predictors), np.asarray(fit.residuals())
    _points(ax, x, y)
    _smooth(ax, x, y)
    _zero(ax)
    _label(ax, x, y, np.abs(y))
    kind, name = ("fitted", "residuals") if _is_linear(fit) else ("predicted", "deviance residuals")
    dress(ax, x=f"{kind} values", y=name, title=KINDS[1])


def _standardized(fit: Any) -> tuple[Array, str]:
    name = "standardized residuals" if _is_linear(fit) else "standardized deviance residuals"
    return np.asarray(fit.standardized_residuals, dtype=np.float64), name


def _quantiles(ax: Axes, fit: Any) -> None:
    from scipy.special import ndtri

    values, name = _standardized(fit)
    rows = np.flatnonzero(np.isfinite(values))
    order = rows[np.argsort(values[rows], kind="stable")]
    n = len(order)
    shift = 3 / 8 if n <= 10 else 1 / 2
    expected = ndtri((np.arange(1, n + 1) - shift) / (n + 1 - 2 * shift))
    x = np.full(len(values), np.nan)
    x[order] = expected
    _points(ax, x, values)
    low, high = np.quantile(values[rows], [0.25, 0.75])
    slope = (high - low) / (ndtri(0.75) - ndtri(0.25))
    ax.axline(
        (0.0, float((low + high) / 2)), slope=float(slope), color="grey", linestyle=":", linewidth=1.5, gid="line"
    )
    _label(ax, x, values, np.abs(values))
    dress(ax, x="theoretical quantiles", y=name, title=KINDS[2])


def _scale(ax: Axes, fit: Any) -> None:
    values, name = _standardized(fit)
    kept = np.isfinite(values)
    x, y = np.asarray(fit.linear_predictors), np.sqrt(np.abs(values))
    _points(ax, x, y)
    _smooth(ax, x[kept], y[kept])
    _label(ax, x, y, y)
    dress(ax, x="fitted values" if _is_linear(fit) else "predicted values", y=f"√|{name}|", title=KINDS[3])


def _leverage(ax: Axes, fit: Any) -> None:
    h = np.asarray(fit.leverage, dtype=np.float64)
    if _is_linear(fit):
        y, name = _standardized(fit)
    else:
        with np.errstate(divide="ignore", invalid="ignore"):
            y = np.asarray(fit.residuals("pearson") / np.sqrt(fit.dispersion * (1 - h)))
        name = "standardized Pearson residuals"
    kept = np.isfinite(y) & (h < 1 - 1e-10)
    x = np.where(kept, h, np.nan)
    _points(ax, x, y)
    _smooth(ax, h[kept], y[kept])
    _zero(ax)
    _label(ax, x, y, np.where(kept, np.asarray(fit.cooks_distance, dtype=np.float64), np.nan))
    ax.set_xlim(0, 1.08 * float(h[kept].max()) if kept.any() else 1.0)
    low, high = ax.get_ylim()
    across = np.linspace(1e-3, 1, 200) * min(ax.get_xlim()[1], 1 - 1e-9)
    for level in COOK:
        reach = np.sqrt(level * fit.rank * (1 - across) / across)
        for sign in (1, -1):
            ax.plot(
                across,
                sign * reach,
                color=palette.VERMILLION,
                linestyle="--",
                linewidth=1.2,
                gid=f"cook {level:g} {sign}",
            )
            end = float(sign * reach[-1])
            if low <= end <= high:
                ax.annotate(
                    f"{level:g}", (across[-1], end), xytext=(3, 0), textcoords="offset points", va="center", fontsize=12,
                    color=palette.VERMILLION,
                )  # fmt: skip
    ax.set_ylim(low, high)
    left_out = int((~kept).sum())
    note = f" ({left_out} of leverage 1 left out)" if left_out else ""
    nearest = np.sqrt(COOK[0] * fit.rank * (1 - across[-1]) / across[-1])
    if note or low <= -nearest or nearest <= high:
        ax.plot([], [], color=palette.VERMILLION, linestyle="--", label=f"Cook's distance{note}")
        ax.legend(loc="best", fontsize=palette.LEGEND_SIZE, frameon=False)
    dress(ax, x="leverage", y=name, title=KINDS[5])


def lowess(x: Array, y: Array, share: float = 2 / 3, iterations: int = 3) -> Array:
    """A smooth line through points: local straight lines, each robust against points far off.

        at x₀: minimise Σ K(|xᵢ − x₀| / h) B(eᵢ / 6 MAD) (yᵢ − a − b xᵢ)²,   K(u) = (1 − u³)³,  B(u) = (1 − u²)²

    h reaches the nearest `share` of the points. Lines are fitted at points at least a hundredth of the range apart, and
    joined in between, as R does.

    Parameters
    ----------
    x : (m,) in increasing order; y : (m,)
    share : of the points in each window
    iterations : of reweighting

    Source: Cleveland, Robust locally weighted regression and smoothing scatterplots, 1979.
    """
    n = len(x)
    if n < 2 or x[0] == x[-1]:
        return np.full(n, float(np.mean(y)) if n else np.nan)
    window = max(min(int(share * n + 1e-7), n), 2)
    at = _knots(x, 0.01 * float(x[-1] - x[0]))
    robust = np.ones(n)
    line = np.zeros(n)
    for step in range(iterations + 1):
        values = np.array([_local(x, y, robust, float(x[i]), window, float(y[i])) for i in at])
        line = np.interp(x, x[at], values)
        if step == iterations:
            break
        errors = np.abs(y - line)
        size = 6 * float(np.median(errors))
        if size < 1e-7 * float(errors.mean()) or size == 0:
            break
        scaled = errors / size
        robust = np.where(scaled <= 0.001, 1.0, np.where(scaled <= 0.999, (1 - scaled**2) ** 2, 0.0))
    return np.asarray(line)


def _knots(x: Array, apart: float) -> list[int]:
    """Where lines are fitted: the first point, then each time the last one within reach, and the last point."""
    found, last, n = [0], 0, len(x)
    while last < n - 1:
        beyond = int(np.searchsorted(x, x[found[-1]] + apart, side="right"))
        ties = int(np.searchsorted(x, x[found[-1]], side="right")) - 1
        last = max(ties, last)
        if last >= n - 1:
            break
        following = max(last + 1, beyond - 1)
        found.append(min(following, n - 1))
        last = found[-1]
    return found


def _local(x: Array, y: Array, robust: Array, at: float, window: int, alone: float) -> float:
    """The local line's value at one place; `alone` where no point has weight."""
    distance = np.abs(x - at)
    reach = float(np.partition(distance, window - 1)[window - 1])
    near = distance <= 0.999 * reach
    u = distance[near] / reach if reach > 0 else np.zeros(int(near.sum()))
    weights = np.where(distance[near] <= 0.001 * reach, 1.0, (1 - u**3) ** 3) * robust[near]
    total = float(weights.sum())
    if total <= 0:
        return alone
    weights = weights / total
    spread_of_all = float(x[-1] - x[0])
    if reach > 0:
        centre = float((weights * x[near]).sum())
        spread = float((weights * (x[near] - centre) ** 2).sum())
        if np.sqrt(spread) > 0.001 * spread_of_all:
            weights = weights * ((at - centre) / spread * (x[near] - centre) + 1)
    return float((weights * y[near]).sum())
