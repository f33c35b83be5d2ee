"""`glassnet animate`: a training as a film."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from glassnet.cli.options import RunFolder, SkipDamaged
from glassnet.errors import GlassnetError

KINDS = ("boundary", "network", "cost", "weights", "activations", "filters", "feature_maps")


def _complete(incomplete: str) -> list[str]:
    return [kind for kind in KINDS if kind.startswith(incomplete)]


def animate(
    run: RunFolder,
    kinds: Annotated[
        list[str],
        typer.Argument(
            metavar="KIND...",
            help="boundary, network, cost, weights, activations, filters or feature_maps; several stand side by side.",
            autocompletion=_complete,
            show_default=False,
        ),
    ],
    out: Annotated[
        str | None,
        typer.Option(
            "--out", "-o", metavar="FILE", help="A .gif, .mp4 or .html file. [default: film.gif in the run folder]"
        ),
    ] = None,
    frames: Annotated[int, typer.Option(metavar="NUMBER", help="Frames at most, each a state of the training.")] = 100,
    spacing: Annotated[
        str, typer.Option(metavar="HOW", help="Of the frames over the iterations: log (the start is slow) or linear.")
    ] = "log",
    fps: Annotated[float, typer.Option(metavar="NUMBER", help="Frames a second.")] = 12,
    size: Annotated[
        str | None, typer.Option(metavar="WxH", help="Pixels, such as 900x400. [default: by the number of kinds]")
    ] = None,
    sample: Annotated[
        int | None,
        typer.Option(
            "--sample",
            "-s",
            metavar="NUMBER",
            help="A row of the training data, which shades the units of network and makes the feature maps.",
        ),
    ] = None,
    ease: Annotated[
        int | None,
        typer.Option(
            metavar="NUMBER", help="Frames that glide from each state to the next; they say so. [default: none]"
        ),
    ] = None,
    layer: Annotated[
        int, typer.Option(metavar="NUMBER", help="Whose weights, filters or feature maps are shown, from 1.")
    ] = 1,
    stage: Annotated[
        str, typer.Option(metavar="LETTER", help="Of the feature maps: Z (sums), A (activations), P (pooled), ...")
    ] = "A",
    features: Annotated[
        str | None,
        typer.Option(metavar="A,B", help="The two features that boundary is drawn over, where there are more."),
    ] = None,
    plane: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="pca: boundary is drawn over the plane of two principal components."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
    skip_damaged: SkipDamaged = False,
) -> None:
    """Make a film of a training: every frame a state it really had.

    \b
    boundary     the decisions over the plane of two features, wrong rows ringed
    network      units and weights; with --sample, what one row makes of the units
    cost         the cost so far
    weights      the weights of a layer, as pictures where the inputs are one
    activations  histograms by layer
    filters      the kernels of a convolution
    feature_maps what the filters of a layer make of one picture

    \b
    Examples:
      glassnet animate runs/flower-1 boundary network cost --out flower.mp4
      glassnet animate runs/flower-1 boundary --spacing linear --frames 200
      glassnet animate runs/digits-1 weights --out digits.html
      glassnet animate runs/digits-1 feature_maps --sample 3 --layer 1
    """
    from glassnet.cli.folders import load_run
    from glassnet.views.film_files import check_place

    pixels = None if size is None else _size(size)
    path = Path(out) if out is not None else Path(run) / "film.gif"
    loaded = load_run(run, skip_damaged)
    check_place(path)
    film = loaded.animate(
        kinds, frames=frames, spacing=spacing, fps=fps, size=pixels, sample=sample, ease=ease, layer=layer, stage=stage,
        plane=plane, features=None if features is None else [name.strip() for name in features.split(",")],
    )  # fmt: skip
    written = film.save(path, progress=not quiet)
    print(f"The film is {written}: {len(film)} frames, {len(film) / film.fps:.1f} s.")


def _size(text: str) -> tuple[int, int]:
    """`900x400` as two numbers.

    Raises
    ------
    GlassnetError : it reads otherwise
    """
    found = re.fullmatch(r"\s*(\d+)\s*[x×X,]\s*(\d+)\s*", text)
    if not found:
        raise GlassnetError(f"--size got {text!r}; it needs pixels across and down, such as 900x400.")
    return int(found[1]), int(found[2])
