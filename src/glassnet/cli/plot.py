"""`glassnet plot`: one picture of a trained network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glassnet.cli.options import RunFolder, SkipDamaged
from glassnet.errors import GlassnetError, unknown_name

if TYPE_CHECKING:
    from glassnet.training.run import Run

PLANE = ("features", "plane")
KINDS: dict[str, tuple[str, ...]] = {
    "cost": (),
    "metric": (),
    "boundary": (*PLANE, "hard", "iteration"),
    "network": ("iteration", "sample"),
    "weights": ("layer", "iteration"),
    "confusion": ("iteration",),
    "roc": ("iteration",),
    "pr": ("iteration",),
    "calibration": ("iteration",),
    "activations": (),
    "gradients": (),
    "updates": (),
    "predictions": ("iteration", "sample"),
    "responses": (*PLANE, "layer", "units", "iteration"),
    "warp": (*PLANE, "layer", "units", "iteration"),
    "filters": ("layer", "filters", "iteration"),
    "feature_maps": ("layer", "stage", "filters", "sample", "each", "iteration"),
    "excitation": ("layer", "stage", "filters", "top", "iteration"),
    "saliency": ("sample", "class", "signed", "smooth", "iteration"),
    "occlusion": ("sample", "class", "patch", "iteration"),
    "compare": (),
}
"""Every kind of picture, and the options that fit it."""

ALIASES = {"features": "feature_maps"}
CHOICES = "Which picture, where it has a choice"


def _complete(incomplete: str) -> list[str]:
    return [kind for kind in KINDS if kind.startswith(incomplete)]


def plot(
    run: RunFolder,
    kind: Annotated[
        str, typer.Argument(metavar="KIND", help="One of those above.", autocompletion=_complete, show_default=False)
    ],
    others: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUN2]...", help="Further run folders, to compare with.", show_default=False),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            "--out", "-o", metavar="FILE", help="A .png, .svg or .pdf file. [default: KIND.png in the run folder]"
        ),
    ] = None,
    features: Annotated[
        str | None,
        typer.Option(metavar="A,B", help="The two features of the plane; the others are held.", rich_help_panel=CHOICES),
    ] = None,
    plane: Annotated[
        str | None,
        typer.Option(metavar="pca", help="The plane of two principal components instead.", rich_help_panel=CHOICES),
    ] = None,
    hard: Annotated[
        bool, typer.Option("--hard", help="Shade the class, not its probability.", rich_help_panel=CHOICES)
    ] = False,
    layer: Annotated[
        int | None, typer.Option(metavar="NUMBER", help="Which layer, from 1. [default: 1]", rich_help_panel=CHOICES)
    ] = None,
    units: Annotated[
        str | None, typer.Option(metavar="A,B", help="Which units of the layer, from 0.", rich_help_panel=CHOICES)
    ] = None,
    iteration: Annotated[
        int | None,
        typer.Option(
            "--iteration", "-i", metavar="NUMBER", help="After so many updates. [default: at the end]",
            rich_help_panel=CHOICES,
        ),
    ] = None,
    sample: Annotated[
        list[int] | None,
        typer.Option(
            "--sample", "-s", metavar="NUMBER",
            help="Which row, from 0; several where pictures stand in pairs or sheets.", rich_help_panel=CHOICES,
        ),
    ] = None,
    stage: Annotated[
        str | None,
        typer.Option(
            metavar="LETTER", help="Of the layer: Z (sums), A (activations), P (pooled), ... [default: A]",
            rich_help_panel=CHOICES,
        ),
    ] = None,
    filters: Annotated[
        str | None, typer.Option(metavar="A,B", help="Which filters of the layer, from 0.", rich_help_panel=CHOICES)
    ] = None,
    each: Annotated[
        bool, typer.Option("--each", help="Each feature map on a scale of its own.", rich_help_panel=CHOICES)
    ] = False,
    top: Annotated[
        int | None, typer.Option(metavar="NUMBER", help="Patches for each filter. [default: 9]", rich_help_panel=CHOICES)
    ] = None,
    of: Annotated[
        str | None,
        typer.Option(
            "--class", metavar="NAME", help="Whose score or probability is meant. [default: the one predicted]",
            rich_help_panel=CHOICES,
        ),
    ] = None,
    signed: Annotated[
        bool, typer.Option("--signed", help="Saliency with its direction: what raises, what lowers.", rich_help_panel=CHOICES)
    ] = False,
    smooth: Annotated[
        int | None,
        typer.Option(metavar="NUMBER", help="Saliency averaged over so many noisy copies.", rich_help_panel=CHOICES),
    ] = None,
    patch: Annotated[
        int | None,
        typer.Option(metavar="PIXELS", help="Side of the grey patch. [default: a quarter]", rich_help_panel=CHOICES),
    ] = None,
    skip_damaged: SkipDamaged = False,
) -> None:  # fmt: skip
    """Draw one picture of a trained network.

    \b
    cost         the cost by epoch
    metric       accuracy or R² by epoch
    boundary     the decisions over the plane of two features, with the held-out rows
    network      the network, its weights as lines and a sample's activations as shades
    weights      the weights of a layer, as pictures where the inputs are one
    confusion    held-out rows by true and predicted class
    roc          recall against false alarms on the held-out rows
    pr           precision against recall on the held-out rows
    calibration  whether the probabilities mean what they say, on the held-out rows
    activations  the activations of every layer over the training
    gradients    the gradients of every layer over the training
    updates      the updates of every layer, as a share of its weights
    predictions  held-out pictures and what the network said, the worst mistakes first
    responses    what each unit of a layer answers to over the plane of two features
    warp         that plane as two units of a layer see it
    filters      the kernels of a convolution
    feature_maps what each filter of a layer makes of a picture (also: features)
    excitation   the patches of pictures that excite each filter most
    saliency     by which pixels a picture's score would change most
    occlusion    how far the answer drops when a grey patch covers a pixel
    compare      several runs side by side: RUN compare RUN2

    \b
    Examples:
      glassnet plot runs/flower-1 boundary --hard --out boundary.svg
      glassnet plot runs/iris-1 boundary --features "petal length (cm),petal width (cm)"
      glassnet plot runs/iris-1 boundary --plane pca
      glassnet plot runs/digits-1 weights --layer 1
      glassnet plot runs/flower-1 warp --units 0,1 --iteration 100
      glassnet plot runs/digits-1 feature_maps --layer 1 --sample 3
      glassnet plot runs/cats-1 saliency --sample 3 --sample 7 --signed
      glassnet plot runs/flower-1 compare runs/flower-2 --out both.png
    """
    from glassnet.cli.folders import load_run
    from glassnet.views import save

    kind = ALIASES.get(kind, kind)
    if kind not in KINDS:
        raise GlassnetError(unknown_name("kind of picture", kind, KINDS))
    if others and kind != "compare":
        raise GlassnetError(f"A picture of kind '{kind}' is of one run, and '{others[0]}' came after it; leave it out.")
    if kind == "compare" and not others:
        raise GlassnetError("A comparison needs more than one run; name the others after it: RUN compare RUN2.")
    asked = {
        "features": features, "plane": plane, "hard": hard or None, "layer": layer, "units": units, "iteration": iteration,
        "sample": sample or None, "stage": stage, "filters": filters, "each": each or None, "top": top, "class": of,
        "signed": signed or None, "smooth": smooth, "patch": patch,
    }  # fmt: skip
    given: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    _check_options(kind, given)
    if "features" in given:
        given["features"] = [name.strip() for name in given["features"].split(",")]
    if "units" in given:
        given["units"] = _numbers(given["units"], "units")
    if "filters" in given:
        given["filters"] = _numbers(given["filters"], "filters")
    loaded = load_run(run, skip_damaged)
    path = Path(out) if out is not None else Path(run) / f"{kind}.png"
    if kind == "compare":
        drawn = _compare({place: load_run(place, skip_damaged) for place in (run, *(others or ()))}, loaded)
    else:
        drawn = _drawers()[kind](loaded, given)
    print(f"The picture is {save(drawn, path)}.")


def _check_options(kind: str, given: Mapping[str, Any]) -> None:
    for name in given:
        if name not in KINDS[kind]:
            fitting = ", ".join(each for each, options in KINDS.items() if name in options)
            raise GlassnetError(f"--{name} does not fit a picture of kind '{kind}'; it goes with {fitting}.")
    if "features" in given and "plane" in given:
        raise GlassnetError("--features and --plane each choose a plane; give one of them.")


def _numbers(text: str, option: str) -> list[int]:
    """`0,1` as numbers.

    Raises
    ------
    GlassnetError : it reads otherwise
    """
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise GlassnetError(f"--{option} got '{text}'; it needs numbers from 0, such as 0,1.") from None


def _drawers() -> dict[str, Callable[[Run, dict[str, Any]], Any]]:
    """How each kind is drawn, of a run with the options that were given."""
    from glassnet import views

    def judged(drawing: Callable[..., Any], title: str) -> Callable[[Run, dict[str, Any]], Any]:
        def draw(run: Run, given: dict[str, Any]) -> Any:
            from glassnet.cli.pictures import shown_rows
            from glassnet.views.rows import titled

            X, Y, where = shown_rows(run)
            at = f"iteration {given['iteration']}" if "iteration" in given else ""
            return drawing(run, X=X, y=Y, title=titled(title, where, at), **given)

        return draw

    return {
        "cost": lambda run, _: views.plot_cost(run),
        "metric": lambda run, _: views.plot_metric(run),
        "boundary": judged(views.plot_boundary, "Decision boundary"),
        "network": _network,
        "weights": lambda run, given: views.plot_weights(run, **given),
        "confusion": judged(views.plot_confusion, "Confusion matrix"),
        "roc": judged(views.plot_roc, "ROC curve"),
        "pr": judged(views.plot_precision_recall, "Precision and recall"),
        "calibration": judged(views.plot_calibration, "Calibration"),
        "activations": lambda run, _: views.plot_activations(run),
        "gradients": lambda run, _: views.plot_gradients(run),
        "updates": lambda run, _: views.plot_updates(run),
        "predictions": judged(_predictions, "Predicted pictures"),
        "responses": lambda run, given: views.plot_responses(run, **given),
        "warp": lambda run, given: views.plot_warp(run, **given),
        "filters": lambda run, given: views.plot_filters(run, **given),
        "feature_maps": _feature_maps,
        "excitation": _excitation,
        "saliency": lambda run, given: _of_pixels(views.plot_saliency, run, given),
        "occlusion": lambda run, given: _of_pixels(views.plot_occlusion, run, given),
    }


def _network(run: Run, given: dict[str, Any]) -> Any:
    from glassnet.views.network_diagram import plot_network

    samples = given.pop("sample", None)
    if samples is not None and len(samples) != 1:
        raise GlassnetError("A picture of the network shows the activations of one sample; give --sample once.")
    return plot_network(run, sample=None if samples is None else samples[0], **given)


def _predictions(run: Run, *, sample: list[int] | None = None, title: str, **given: Any) -> Any:
    from glassnet.views import plot_predictions

    told = title if sample is not None else f"{title}, worst mistakes first"
    return plot_predictions(run, samples=sample, title=told, **given)


def _feature_maps(run: Run, given: dict[str, Any]) -> Any:
    from glassnet.cli.pictures import shown_rows
    from glassnet.views import plot_feature_maps

    samples = given.pop("sample", [0])
    if len(samples) != 1:
        raise GlassnetError("A picture of feature maps shows what a layer makes of one sample; give --sample once.")
    X, _, where = shown_rows(run)
    return plot_feature_maps(run, samples[0], X=X, rows=where.removesuffix("s"), **given)


def _excitation(run: Run, given: dict[str, Any]) -> Any:
    from glassnet.cli.pictures import shown_rows
    from glassnet.views import plot_excitation

    X, _, where = shown_rows(run)
    return plot_excitation(run, X, where=where, **given)


def _of_pixels(drawing: Callable[..., Any], run: Run, given: dict[str, Any]) -> Any:
    """Saliency or occlusion of some of the rows a run is judged by."""
    from glassnet.cli.pictures import shown_rows

    X, _, where = shown_rows(run)
    of = given.pop("class", None)
    return drawing(run, given.pop("sample", [0]), X=X, rows=where.removesuffix("s"), of=of, **given)


def _compare(runs: dict[str, Run], first: Run) -> Any:
    from glassnet.views import plot_comparison

    names = [Path(place).resolve().name for place in runs]
    return plot_comparison(
        dict(zip(names if len(set(names)) == len(names) else list(runs), runs.values(), strict=True))
    )
