"""The pictures a command writes, from a run and the rows it is judged by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glassnet.cli.judging import Judgement
from glassnet.cli.source import Array

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    from glassnet.training.run import Run


def gives_probabilities(run: Run) -> bool:
    """Whether the outputs are probabilities of classes."""
    classes = run.preparation is not None and run.preparation.classes is not None
    return classes and run.derivation.output_activation.name in ("sigmoid", "softmax")


def boundary(run: Run, X: Array, Y: Array, ax: Axes | None = None, title: str | None = None) -> Axes:
    """The decision boundary with these rows, in the features' own units.

    Parameters
    ----------
    X, Y : as the network takes them

    Raises
    ------
    GlassnetError : not two numeric features, or no classes
    """
    from glassnet.views import plot_boundary

    return plot_boundary(run, X, Y, ax, title=title)


def shown_rows(run: Run) -> tuple[Array | None, Array | None, str]:
    """The rows a run is judged by: those it held out, or none, for the training rows, where there are no others.

    Returns
    -------
    X and Y as the network takes them, or None; and which rows they are

    Raises
    ------
    DataError : the files of the held-out rows are gone or have changed
    """
    from glassnet.cli.division import held_out
    from glassnet.errors import RunError

    try:
        return *held_out(run), "held-out rows"
    except RunError:  # none were held out, or the training was begun in Python
        return None, None, "training rows"


def write_pictures(run: Run, judged: Judgement | None, X: Array, Y: Array, where: str, folder: Path) -> list[Path]:
    """cost.png, and for classes confusion.png, and for two features boundary.png.

    Parameters
    ----------
    X, Y : the rows of `judged`; `where` says in the titles which they are
    """
    from glassnet.views import plot_confusion, plot_cost, save
    from glassnet.views.comparison import has_plane

    written = []
    if len(run.history):
        written.append(save(plot_cost(run.history), folder / "cost.png"))
    classes = None if run.preparation is None else run.preparation.classes
    if judged is not None and classes is not None:
        axes = plot_confusion(judged.metrics["confusion_matrix"], classes, title=f"Confusion matrix, {where}")
        written.append(save(axes, folder / "confusion.png"))
    if judged is not None and has_plane(run):
        axes = boundary(run, X, Y, title=f"Decision boundary, {where}")
        written.append(save(axes, folder / "boundary.png"))
    return written
