"""The pictures a command writes, from a run and the rows it is judged by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.cli.judging import Judgement, codes
from glassnet.cli.source import Array
from glassnet.errors import GlassnetError

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    from glassnet.training.run import Run


def has_plane(run: Run) -> bool:
    """Whether the run sees two numbers and answers with probabilities, so that its decisions fill a plane."""
    return run.network.input_shape == (2,) and gives_probabilities(run) and _plane(run.preparation) is not None


def gives_probabilities(run: Run) -> bool:
    """Whether the outputs are probabilities of classes."""
    classes = run.preparation is not None and run.preparation.classes is not None
    return classes and run.derivation.output_activation.name in ("sigmoid", "softmax")


def _plane(preparation: Any) -> tuple[Array, Array] | None:
    """Mean and standard deviation of the two features; None when they are no two numbers."""
    from glassnet.data import ArrayPreparation, NumericFeature

    if isinstance(preparation, ArrayPreparation):
        return np.full(2, preparation.offset), np.full(2, preparation.scale)
    features = [f for f in preparation.features if isinstance(f, NumericFeature)]
    if len(features) != 2:
        return None
    return np.array([f.mean for f in features]), np.array([f.std for f in features])


def check_plane(run: Run) -> tuple[Array, Array]:
    """Mean and standard deviation of the two features whose plane is drawn.

    Raises
    ------
    GlassnetError : not two numeric features, or no classes
    """
    preparation = run.preparation
    if preparation is None or preparation.classes is None:
        raise GlassnetError(
            "A decision boundary needs classes, and this run predicts a quantity; plot its cost or its weights instead."
        )
    plane = _plane(preparation) if run.network.input_shape == (2,) else None
    if plane is None:
        raise GlassnetError(
            f"A decision boundary needs two numeric features, and this run has {run.network.input_shape[0]} inputs; train "
            "with --features A,B to see one, or plot its confusion matrix."
        )
    return plane


def boundary(run: Run, X: Array, Y: Array, ax: Axes | None = None, title: str | None = None) -> Axes:
    """The decision boundary, in the features' own units.

    Raises
    ------
    GlassnetError : not two numeric features, or no classes
    """
    from glassnet.views import plot_boundary

    mean, std = check_plane(run)
    preparation = run.preparation
    assert preparation is not None
    state = run.state
    return plot_boundary(
        lambda points: run.outputs(state, (points - mean) / std),
        X * std + mean,
        codes(Y, run.settings.loss.name),
        ax,
        names=preparation.input_names,
        classes=preparation.classes,
        title=title,
    )


def write_pictures(run: Run, judged: Judgement | None, X: Array, Y: Array, where: str, folder: Path) -> list[Path]:
    """cost.png, and for classes confusion.png, and for two features boundary.png.

    Parameters
    ----------
    X, Y : the rows of `judged`; `where` says in the titles which they are
    """
    from glassnet.views import plot_confusion, plot_cost, save

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
