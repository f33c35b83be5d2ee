"""Trainings as curves: cost and metric by epoch, of one run or of several together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from glassnet.errors import GlassnetError, unknown_name
from glassnet.views import palette
from glassnet.views.palette import dress, legend, new_axes, plain
from glassnet.views.rows import is_run

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from glassnet.training.run import Run

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


def plot_cost(
    history: Run | History | Mapping[str, Any] | list[Any] | tuple[Any, ...],
    ax: Axes | None = None,
    *,
    log: bool | None = None,
) -> Axes:
    """The cost of the training rows, and of the held-out rows where there are any, by epoch.

    The best held-out epoch carries a star; the first epoch whose cost is NaN or infinite is marked. Several runs have a
    colour each, and a dashed line for their held-out rows.

    Parameters
    ----------
    history : a run; or columns "epoch" and "cost", perhaps "validation_cost" (NaN where it was not measured); or several of
        these, {name: run} or a list of runs
    log : a logarithmic cost axis; None chooses it when the cost spans more than two decades
    """
    curves = histories(history)
    found = {
        name: (_column(each, "epoch"), _column(each, "cost"), _held_out(each, "cost")) for name, each in curves.items()
    }
    values = np.concatenate([part for _, *parts in found.values() for part in parts if part is not None])
    values = values[np.isfinite(values)]
    positive = bool(values.size) and bool(np.all(values > 0))
    if log and not positive:
        lowest = f"a cost of {values.min():.4g}" if values.size else "no finite cost"
        raise GlassnetError(
            f"plot_cost got log=True and {lowest}; a logarithmic axis needs costs above 0. Leave log out, or log=False."
        )
    ax = ax or new_axes()
    if len(found) > 1:
        _draw_several(ax, found)
    else:
        ((epoch, cost, held_out),) = found.values()
        _draw_curves(ax, epoch, cost, held_out, more_is_better=False)
    if log or (log is None and positive and values.max() > 100 * values.min()):
        ax.set_yscale("log")
    for name, (epoch, cost, _) in found.items():
        diverged = np.flatnonzero(~np.isfinite(cost))
        if diverged.size:
            first = epoch[diverged[0]]
            whose = f"{name}: " if len(found) > 1 else ""
            label = plain(f"{whose}not finite from epoch {first:.0f}")
            ax.axvline(first, color=palette.PURPLE, linestyle="--", linewidth=2, label=label)
    dress(ax, x="epoch", y="cost (mean over samples)", title="Cost", grid=True)
    legend(ax)
    return ax


def plot_metric(
    history: Run | History | Mapping[str, Any] | list[Any] | tuple[Any, ...],
    ax: Axes | None = None,
    *,
    metric: str | None = None,
) -> Axes:
    """A metric of the training rows, and of the held-out rows where there are any, by epoch.

    Parameters
    ----------
    history : a run; or columns "epoch" and the metric's, with "validation_" before it for the held-out rows; or several of
        these, {name: run} or a list of runs
    metric : "accuracy", "r2", ...; None takes the first the history has
    """
    curves = histories(history)
    first, *others = curves.values()
    columns = [name for name in _columns(first) if all(name in _columns(other) for other in others)]
    known = [name for name in METRICS if name in columns or f"validation_{name}" in columns]
    if not known and others:
        raise GlassnetError(
            "These runs have no metric in common; draw runs of one task together, or use plot_cost for their cost."
        )
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
    found = {
        name: (
            _column(each, "epoch"), _column(each, metric) if metric in _columns(each) else None, _held_out(each, metric),
        )
        for name, each in curves.items()
    }  # fmt: skip
    if len(found) > 1:
        _draw_several(ax, found)
    else:
        _draw_curves(ax, *next(iter(found.values())), more_is_better=more_is_better)
    dress(ax, x="epoch", y=label, title=label.split(" (")[0].capitalize(), grid=True)
    legend(ax)
    return ax


def named_runs(runs: Any) -> dict[str, Any]:
    """Several runs by name: the names they come with, else their folders' names, else their networks.

    Raises
    ------
    GlassnetError : no runs
    """
    if isinstance(runs, Mapping):
        found = {str(name): run for name, run in runs.items()}
    else:
        names = [
            run.folder.name if getattr(run, "folder", None) else str(getattr(run, "network", f"training {number}"))
            for number, run in enumerate(runs, 1)
        ]
        again = [name for name in names if names.count(name) > 1]
        names = [f"{name} ({number})" if name in again else name for number, name in enumerate(names, 1)]
        found = dict(zip(names, runs, strict=True))
    if not found:
        raise GlassnetError("No run was given to compare; pass two or more, as {name: run} or a list.")
    return found


def histories(given: Any) -> dict[str, History]:
    """The histories by name; one that stands alone has no name.

    Raises
    ------
    GlassnetError : none, or a run without a finished epoch
    """
    several = isinstance(given, list | tuple) or (
        isinstance(given, Mapping) and bool(given) and all(is_run(each) or _is_history(each) for each in given.values())
    )
    found = named_runs(given) if several else {"": given}
    for name, each in found.items():
        if is_run(each):
            if not len(each.history):
                whose = f"The run '{name}'" if several else "This run"
                raise GlassnetError(
                    f"{whose} has finished no epoch, so there is no curve to draw; train for an epoch or more."
                )
            found[name] = each.history
    return found


def _is_history(thing: Any) -> bool:
    return isinstance(thing, Mapping) or hasattr(thing, "columns")


def _held_out(history: History, name: str) -> Array | None:
    column = f"validation_{name}"
    return _column(history, column) if column in _columns(history) else None


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


def _draw_several(ax: Axes, found: Mapping[str, tuple[Array, Array | None, Array | None]]) -> None:
    """A colour each; held-out rows dashed."""
    from matplotlib.ticker import MaxNLocator

    for number, (name, (epoch, training, held_out)) in enumerate(found.items()):
        for values, kind, style in ((training, "", "-"), (held_out, ", held out", "--")):
            if values is None:
                continue
            measured = np.isfinite(values)
            ax.plot(
                epoch[measured],
                values[measured],
                color=palette.class_colour(number),
                linestyle=style,
                linewidth=2.6,
                marker="o" if measured.sum() == 1 else None,
                label=plain(f"{name}{kind}"),
                gid=f"{name}{kind}",
            )
    ax.xaxis.set_major_locator(MaxNLocator(nbins=7, integer=True))
