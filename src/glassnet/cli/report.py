"""`glassnet report`: a run as one page that a person can send to a colleague."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glassnet.cli.options import RunFolder, SkipDamaged
from glassnet.cli.speaking import note
from glassnet.errors import GlassnetError

if TYPE_CHECKING:
    from glassnet.cli.division import Pair
    from glassnet.training.run import Run

PAGE = "report.html"


def report(
    run: RunFolder,
    out: Annotated[
        str | None,
        typer.Option("--out", "-o", metavar="FILE", help="Where the page goes.", show_default="RUN/report.html"),
    ] = None,
    skip_damaged: SkipDamaged = False,
) -> None:
    """Write a page about a run that you can send to a colleague: one file, which needs no network.

    What was trained on what, the training as a film with a slider, how it went, how good the network is beside a plain
    regression, what it gets wrong, and its equations. The rows that the training held out are read again from their file.

    \b
    Examples:
      glassnet report runs/iris-1
      glassnet report runs/iris-1 --out iris.html
    """
    from glassnet.cli.folders import load_run
    from glassnet.views import write_report

    loaded = load_run(run, skip_damaged)
    place = Path(out) if out is not None else Path(run) / PAGE
    options: dict[str, Any] = {}
    if loaded.preparation is not None:
        from glassnet.cli.judging import baseline_name

        options["baseline"] = baseline_name(loaded.preparation, loaded.settings.loss.name)
        held, rows = _held_out(loaded)
        if held is not None:
            said = _verdict(loaded, held, Path(run), options["baseline"])
            options |= {"held_out": held, "rows": rows, "verdict": said}
    print(f"The report is {write_report(loaded, place, **options)}; open it in a browser.")


def _held_out(run: Run) -> tuple[Pair | None, list[int] | None]:
    """The rows the training held out and their numbers in the data; None when there are none or their file is gone."""
    from glassnet.cli.division import held_out, remade, unchanged

    described = run.facts.get("source") or {}
    if "split" not in described or not (described["split"]["test"] or described.get("test_data")):
        return None, None
    try:
        unchanged(described)
        pair = held_out(run)
        rows = None if described.get("test_data") else remade(run)[1].test.tolist()
    except GlassnetError as problem:
        note(f"The held-out rows cannot be judged again: {problem}")
        return None, None
    return pair, rows


def _verdict(run: Run, held: Pair, place: Path, name: str) -> str | None:
    """Whether the network earns its complexity, by the regression that was trained beside it."""
    from glassnet.cli.folders import BASELINE
    from glassnet.cli.judging import judge, verdict
    from glassnet.training.run import Run as Kept

    X, Y = held
    if run.status == "diverged" or not (place / BASELINE / "run.json").is_file():
        return None
    try:
        plain = judge(Kept.load(place / BASELINE), X, (Y + 1) / 2 if run.settings.loss.name == "hinge" else Y)
        return verdict(judge(run, X, Y), plain, name, run)
    except GlassnetError as problem:
        note(f"The {name} beside the network cannot be judged: {problem}")
        return None
