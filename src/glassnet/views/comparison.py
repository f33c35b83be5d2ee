"""Several runs side by side: their curves together, their final numbers in a table, their boundaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glassnet.errors import GlassnetError
from glassnet.views import palette
from glassnet.views.boundary import plot_boundary
from glassnet.views.curves import METRICS, histories, named_runs, plot_cost, plot_metric
from glassnet.views.hidden_layers import predicts_classes
from glassnet.views.palette import plain
from glassnet.views.plane import features_of
from glassnet.views.rows import is_run

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from glassnet.training.run import Run

MOST = 6
NUMBERS = {
    "cost": "cost", "validation_cost": "cost, held out", "accuracy": "accuracy",
    "validation_accuracy": "accuracy, held out", "r2": "R²", "validation_r2": "R², held out",
}  # fmt: skip
"""Columns of a history that a table shows, and how they are called."""


def plot_comparison(
    runs: Mapping[str, Run] | Sequence[Run], axes: Any = None, *, figure: Figure | None = None, boundaries: bool = True
) -> NDArray[Any]:
    """Several runs side by side: cost and metric by epoch, the final numbers, and the boundaries of those that have them.

    Parameters
    ----------
    runs : {name: run}, or a list of runs, which are called by their folders or networks; two to six
    axes : three of them, for cost, metric and table, and one for each boundary; on `figure`, or a figure of their own,
        unless given
    boundaries : False leaves the boundaries out

    Returns
    -------
    the Axes: cost, metric, table, boundaries

    Raises
    ------
    GlassnetError : fewer than two runs, more than six, or something that is no run; too few axes
    """
    named = named_runs(runs)
    if not 2 <= len(named) <= MOST:
        raise GlassnetError(
            f"A comparison got {len(named)} run{'s' if len(named) > 1 else ''}; it needs two to {MOST}."
        )
    strangers = [name for name, run in named.items() if not is_run(run)]
    if strangers:
        raise GlassnetError(
            f"A comparison got '{strangers[0]}', which is no run; pass runs, as {{name: run}} or a list."
        )
    curves = histories(named)
    planes = {name: run for name, run in named.items() if boundaries and has_plane(run)}
    given = _axes(axes, figure, len(planes))
    cost, metric, table = given[:3]
    plot_cost(named, cost)
    shared = [name for name in METRICS if all(name in set(_names(history)) for history in curves.values())]
    if shared:
        plot_metric(named, metric, metric=shared[0])
    else:
        metric.set_axis_off()
        metric.text(0.5, 0.5, "no metric that all runs have", ha="center", va="center", fontsize=palette.LABEL_SIZE)
    draw_table(table, final_numbers(named))
    for ax, (name, run) in zip(given[3:], planes.items(), strict=False):
        plot_boundary(run, ax=ax, title=name)
    return given[: 3 + len(planes)]


def final_numbers(runs: Mapping[str, Run]) -> tuple[list[str], list[list[str]]]:
    """The head and the rows of a table: what each run is and how it ended, at the state its parameters are of."""
    present = [key for key in NUMBERS if any(key in run.history for run in runs.values())]
    head = ["", "parameters", "epochs", *(NUMBERS[key] for key in present), "seconds"]
    rows = []
    for name, run in runs.items():
        epoch = run.restored // run.batches
        last = run.history[epoch - 1] if 0 < epoch <= len(run.history) else run.history.last()
        cells = [f"{last[key]:.4g}" if key in last and np.isfinite(last[key]) else "–" for key in present]
        spent = run.history.last().get("seconds", np.nan)
        ended = f"{len(run.history):,}" + ("" if epoch == len(run.history) else f", best {epoch:,}")
        rows.append([name, f"{run.derivation.parameter_count:,}", ended, *cells, f"{spent:.3g}"])
    return head, rows


def draw_table(ax: Axes, table: tuple[list[str], list[list[str]]]) -> None:
    """A table on axes of its own: names to the left, numbers to the right, the best of each measure in bold."""
    head, rows = table
    ax.set_axis_off()
    cells = [[plain(cell) for cell in row] for row in rows]
    drawn = ax.table(cells, colLabels=head, loc="center", cellLoc="right", edges="horizontal")
    drawn.set_in_layout(False)  # a layout would make room for it outside its axes
    drawn.auto_set_font_size(False)
    drawn.set_fontsize(palette.TICK_SIZE if len(head) <= 7 else palette.TICK_SIZE - 2)
    drawn.auto_set_column_width(list(range(len(head))))
    for (row, column), cell in drawn.get_celld().items():
        cell.set_height(min(0.2, 0.9 / (len(rows) + 1)))
        cell.get_text().set_color(palette.INK)
        if column == 0:
            cell.get_text().set_horizontalalignment("left")
            if row:
                cell.get_text().set_color(palette.class_colour(row - 1))
                cell.get_text().set_fontweight("bold")
    for column, label in enumerate(head):
        best = _best([row[column] for row in rows], label)
        for row in best:
            drawn[row + 1, column].get_text().set_fontweight("bold")


def has_plane(run: Run) -> bool:
    """Whether a run sees two numbers and answers with classes, so that its decisions fill a plane."""
    return run.network.input_shape == (2,) and predicts_classes(run) and bool(features_of(run).numeric.all())


def _best(cells: list[str], label: str) -> list[int]:
    """The rows of the best number of a column, where one is better than another."""
    if label not in NUMBERS.values():
        return []
    numbers = np.array([float(cell) if cell != "–" else np.nan for cell in cells])
    if not np.isfinite(numbers).any() or np.nanmin(numbers) == np.nanmax(numbers):
        return []
    return np.flatnonzero(numbers == (np.nanmin if label.startswith("cost") else np.nanmax)(numbers)).tolist()


def _names(history: Any) -> list[str]:
    return list(history.columns) if hasattr(history, "columns") else list(history)


def _axes(axes: Any, figure: Figure | None, planes: int) -> NDArray[Any]:
    wanted = 3 + planes
    if axes is not None:
        given = np.atleast_1d(np.asarray(axes, dtype=object)).ravel()
        if len(given) < wanted:
            raise GlassnetError(f"plot_comparison got {len(given)} axes and needs {wanted}; pass them, or a figure.")
        return given
    columns = 2 if planes <= 2 or planes == 4 else 3
    rows = -(-planes // columns) if planes else 0
    if figure is None:
        from matplotlib.figure import Figure

        figure = Figure(
            figsize=(8.0 * max(columns, 2), 6.2 + 2.6 + 7.2 * rows), layout="constrained", facecolor="white"
        )
    parts = figure.subfigures(2 + bool(rows), 1, height_ratios=[6.2, 2.6, *[7.2 * rows] * bool(rows)], squeeze=False)[
        :, 0
    ]
    made = [*parts[0].subplots(1, 2), parts[1].subplots()]
    if rows:
        below = parts[2].subplots(rows, columns, squeeze=False).ravel()
        for ax in below[planes:]:
            ax.set_axis_off()
        made += list(below[:planes])
    return np.array(made, dtype=object)
