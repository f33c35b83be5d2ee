"""`glassnet plot`: one picture of a trained network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glassnet.cli.options import RunFolder, SkipDamaged
from glassnet.errors import GlassnetError, unknown_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from glassnet.training.run import Run

KINDS = ("cost", "metric", "boundary", "confusion", "roc", "weights")


def _complete(incomplete: str) -> list[str]:
    return [kind for kind in KINDS if kind.startswith(incomplete)]


def plot(
    run: RunFolder,
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND",
            help="cost, metric, boundary, confusion, roc or weights.",
            autocompletion=_complete,
            show_default=False,
        ),
    ],
    out: Annotated[
        str | None,
        typer.Option(
            "--out", "-o", metavar="FILE", help="A .png, .svg or .pdf file. [default: KIND.png in the run folder]"
        ),
    ] = None,
    layer: Annotated[int, typer.Option(metavar="NUMBER", help="Of which layer the weights are drawn, from 1.")] = 1,
    skip_damaged: SkipDamaged = False,
) -> None:
    """Draw one picture of a trained network.

    \b
    cost        the cost by epoch
    metric      accuracy or R² by epoch
    boundary    the decisions over the plane of two features, with the held-out rows
    confusion   held-out rows by true and predicted class
    roc         recall against false alarms on the held-out rows
    weights     the weights of a layer, as pictures where the inputs are one

    \b
    Examples:
      glassnet plot runs/flower-1 boundary --out boundary.svg
      glassnet plot runs/digits-1 weights --layer 1
    """
    from glassnet.cli.folders import load_run
    from glassnet.views import save

    if kind not in KINDS:
        raise GlassnetError(unknown_name("kind of picture", kind, KINDS))
    loaded = load_run(run, skip_damaged)
    path = Path(out) if out is not None else Path(run) / f"{kind}.png"
    drawing: dict[str, Callable[[Run], Axes]] = {
        "cost": _cost, "metric": _metric, "boundary": _boundary, "confusion": _confusion, "roc": _roc,
        "weights": lambda loaded: _weights(loaded, layer),
    }  # fmt: skip
    print(f"The picture is {save(drawing[kind](loaded), path)}.")


def _history(run: Run) -> Any:
    if not len(run.history):
        raise GlassnetError("This run has finished no epoch, so there is no curve to draw; train for an epoch or more.")
    return run.history


def _cost(run: Run) -> Axes:
    from glassnet.views import plot_cost

    return plot_cost(_history(run))


def _metric(run: Run) -> Axes:
    from glassnet.views import plot_metric

    return plot_metric(_history(run))


def _classes(run: Run, kind: str) -> list[Any]:
    classes = None if run.preparation is None else run.preparation.classes
    if classes is None:
        raise GlassnetError(
            f"A picture of kind '{kind}' needs classes, and this run predicts a quantity; plot its cost, metric or weights."
            if run.preparation is not None
            else f"A picture of kind '{kind}' needs a run trained on a table; this one was trained on plain arrays."
        )
    return classes


def _boundary(run: Run) -> Axes:
    from glassnet.cli.division import held_out
    from glassnet.cli.pictures import boundary, check_plane

    check_plane(run)
    return boundary(run, *held_out(run), title="Decision boundary, held-out rows")


def _confusion(run: Run) -> Axes:
    from glassnet.cli.division import held_out
    from glassnet.cli.judging import judge
    from glassnet.views import plot_confusion

    classes = _classes(run, "confusion")
    matrix = judge(run, *held_out(run)).metrics["confusion_matrix"]
    return plot_confusion(matrix, classes, title="Confusion matrix, held-out rows")


def _roc(run: Run) -> Axes:
    from glassnet.cli.division import held_out
    from glassnet.cli.judging import codes
    from glassnet.views import plot_roc

    classes = _classes(run, "roc")
    X, Y = held_out(run)
    return plot_roc(codes(Y, run.settings.loss.name), run.outputs(run.state, X), classes=classes)


def _weights(run: Run, layer: int) -> Axes:
    from glassnet.views import plot_weights

    names = run.preparation.input_names if run.preparation is not None and layer == 1 else None
    return plot_weights(run.parameters, layer=layer, input_names=names)
