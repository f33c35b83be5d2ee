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
    diagnose: Annotated[
        bool, typer.Option("--diagnose", help="Diagnose the run now, and add what is found; see glassnet diagnose.")
    ] = False,
    skip_damaged: SkipDamaged = False,
) -> None:
    """Write a page about a run that you can send to a colleague: one file, which needs no network.

    What was trained on what, the training as a film with a slider, how it went, how good the network is beside a plain
    regression, what it gets wrong, and its equations. The rows that the training held out are read again from their file.
    Of a run that was trained with --diagnose, the diagnosis is in the page, too.

    \b
    Examples:
      glassnet report runs/iris-1
      glassnet report runs/iris-1 --out iris.html
      glassnet report runs/iris-1 --diagnose
    """
    from glassnet.cli.folders import load_run
    from glassnet.views import write_report

    loaded = load_run(run, skip_damaged)
    place = Path(out) if out is not None else Path(run) / PAGE
    options: dict[str, Any] = {}
    held: Pair | None = None
    if loaded.preparation is not None:
        from glassnet.cli.division import known_held_out
        from glassnet.cli.judging import baseline_name

        options["baseline"] = baseline_name(loaded.preparation, loaded.settings.loss.name)
        held, rows = known_held_out(loaded)
        if held is not None:
            said = _verdict(loaded, held, Path(run), options["baseline"])
            options |= {"held_out": held, "rows": rows, "verdict": said}
    if diagnose:
        from glassnet.cli.diagnose import judge_by
        from glassnet.diagnosis import diagnose_run

        again = load_run(run, skip_damaged)  # the page is about the run as it was trained, without these rows
        judge_by(again, held)
        options["diagnosis"] = diagnose_run(again)
    print(f"The report is {write_report(loaded, place, **options)}; open it in a browser.")


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
