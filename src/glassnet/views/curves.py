"""A training as curves: cost and metric by epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from glassnet.errors import GlassnetError, unknown_name
from glassnet.views import palette
from glassnet.views.palette import dress, legend, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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
