"""`glassnet diagnose`: why a training does not learn, and a cure that is proven. Also what --diagnose does elsewhere."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glassnet.cli.options import RunFolder, SkipDamaged
from glassnet.cli.speaking import Voice, note
from glassnet.errors import GlassnetError, RunError

if TYPE_CHECKING:
    from glassnet.cli.division import Pair
    from glassnet.diagnosis import Cure, Diagnosis
    from glassnet.training.run import Run


def diagnose(
    run: RunFolder,
    cure: Annotated[
        bool, typer.Option("--cure", help="Look for a change that makes it learn, and prove it with three seeds.")
    ] = False,
    budget: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="What --cure may take. [default: twice what the training took, 20 at least]",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option("--out", "-o", metavar="FOLDER", help="Where --cure keeps the cured run. [default: RUN-cured]"),
    ] = None,
    html: Annotated[
        str | None, typer.Option("--html", metavar="FILE", help="Write the diagnosis as a page, too.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the diagnosis as JSON.")] = False,
    experiments: Annotated[
        bool,
        typer.Option(
            "--experiments/--no-experiments",
            help="Train yardsticks beside it, and train it again without what is suspected / only look.",
        ),
    ] = True,
    skip_damaged: SkipDamaged = False,
) -> None:
    """Why a training does not learn, or that it does: every finding with its numbers, what is normal, and a cure.

    The training is compared with guessing, a linear model and a small healthy network. What is suspicious is the diagnosis
    only when the training falls short of them; what a short rerun without it cures is proven. The rows that the training
    held out are read again from their file, and judge it.

    \b
    Examples:
      glassnet diagnose runs/iris-1
      glassnet diagnose runs/iris-1 --cure --budget 20
      glassnet diagnose runs/iris-1 --html diagnosis.html
      glassnet diagnose runs/iris-1 --no-experiments --json
    """
    from glassnet.cli.folders import as_json as json_text
    from glassnet.cli.folders import load_run, try_folder
    from glassnet.diagnosis import cure_run, diagnose_run
    from glassnet.diagnosis.saying import as_plain, as_text, cure_plain, cure_text

    _refuse(cure, budget, out, html, experiments)
    place = Path(out) if out is not None else _free(Path(run))
    if cure:
        try_folder(place, overwrite=False)
    if html is not None:
        _try_file(Path(html))
    voice = Voice(as_json)
    loaded = load_run(run, skip_damaged)
    _with_data(loaded, Path(run))
    cured: Cure | None = None
    try:
        judge_by(loaded, _held_out(loaded))
        found = diagnose_run(loaded, experiments=experiments)
        voice.say(as_text(found))
        if cure:
            cured = cure_run(loaded, budget=budget, diagnosis=found, say=_progress(voice))
    except KeyboardInterrupt:
        raise typer.Abort from None
    if cured is not None:
        voice.say()
        voice.say(cure_text(cured))
    if cured is not None and cured.run is not None:
        cured.run.save(place)
        voice.say()
        voice.say(f"The cured run is in {place}; its equations: glassnet show {place}")
    if html is not None:
        from glassnet.views.diagnosis_page import diagnosis_page

        diagnosis_page(found, html, cure=cured)
        voice.say(f"The page is {html}; open it in a browser.")
    if as_json:
        more: dict[str, Any] = {}
        if cured is not None:
            more = {"cure": cure_plain(cured), "cured_run": None if cured.run is None else str(place)}
        print(json_text({**as_plain(found), **more}))


def _refuse(cure: bool, budget: float | None, out: str | None, html: str | None, experiments: bool) -> None:
    """Refuse options that do not go together, before anything is read."""
    if not cure:
        for name, given in (("--budget", budget), ("--out", out)):
            if given is not None:
                raise GlassnetError(f"{name} is for --cure; add --cure, or leave {name} out.")
    elif not experiments:
        raise GlassnetError("--cure trains again and --no-experiments forbids it; leave one of them out.")
    if budget is not None and not 0 < budget < math.inf:
        raise GlassnetError(f"--budget got {budget:g}; it needs a number of seconds above 0.")
    if html is not None and not html.strip():
        raise GlassnetError("--html got an empty name; name a file for the page, such as diagnosis.html.")
    if html is not None and Path(html).is_dir():
        raise GlassnetError(f"{html} is a folder; name a file for the page, such as {Path(html) / 'diagnosis.html'}.")


def _try_file(place: Path) -> None:
    """Find out whether a file could be written there, and leave everything as it was.

    Raises
    ------
    RunError : it could not
    """
    from glassnet.training.files import write_bytes

    tried = place.with_name(f".{place.name}.tried")
    try:
        write_bytes(tried, b"tried")
    except RunError as problem:
        raise RunError(str(problem).replace(str(tried), str(place))) from None
    tried.unlink()


def _with_data(run: Run, place: Path) -> None:
    """Read the data of a run again, or say what a person at a terminal can do where they are gone.

    Raises
    ------
    RunError : the run was saved without its data
    """
    from glassnet.cli.folders import BASELINE
    from glassnet.training.source import read_again

    if run.data is None and run.folder is not None:
        read_again(run, run.folder)
    if run.data is not None:
        return
    around = place.resolve().parent
    if place.resolve().name == BASELINE and (around / "run.json").is_file():
        raise RunError(
            f"{place} is the plain regression beside a training and is kept without data; "
            f"diagnose the training instead: glassnet diagnose {place.parent}"
        )
    raise RunError(
        f"The run in {place} was saved without its data, which a diagnosis needs; train it again with glassnet train, or, in "
        "Python, give it its data with run.attach(X, Y) and call run.diagnose()."
    )


def _free(run: Path) -> Path:
    """RUN-cured, or RUN-cured-2, ... when that is taken."""
    run = run if run.name not in ("", "..") else run.resolve()
    name, number = f"{run.name}-cured", 1
    while True:
        place = run.parent / (name if number == 1 else f"{name}-{number}")
        if not place.exists():
            return place
        number += 1


def _held_out(run: Run) -> Pair | None:
    from glassnet.cli.division import known_held_out

    return known_held_out(run)[0]


def _progress(voice: Voice) -> Any:
    """Where a person watches, what is tried is said as it is tried."""
    if voice.quiet or not sys.stderr.isatty():
        return None
    return lambda sentence: print(f"  {sentence}", file=sys.stderr, flush=True)


def judge_by(run: Run, held: Pair | None) -> None:
    """Let the held-out rows judge a run in memory, instead of the rows it was watched by."""
    from glassnet.training.arrays import check_samples

    if held is not None:
        X = held[0].reshape(len(held[0]), *run.network.input_shape)
        run.validation = check_samples(X, held[1], None, run.network, run.settings.loss, run.settings.dtype)


def check_first(
    network: Any, train: Pair, held: Pair | None, names: Any, settings: dict[str, Any], voice: Voice
) -> None:
    """Say what is wrong before the first step; the training goes on all the same."""
    from glassnet.diagnosis import diagnose as look
    from glassnet.diagnosis.saying import alarms_text

    found = look(network, *train, validation=held, features=tuple(names or ()), experiments=False, **settings)
    if found.alarms:
        voice.say()
        voice.say("Before the first step:")
        voice.say(alarms_text(found))
        voice.say()


def diagnosed(run: Run, held: Pair | None, place: Path | None, voice: Voice) -> Diagnosis:
    """Diagnose a run that has just been trained, say it, and write diagnosis.json and diagnosis.html beside it.

    Parameters
    ----------
    place : the run's folder; None writes nothing
    """
    from glassnet.cli.folders import DIAGNOSIS, DIAGNOSIS_PAGE, write_json
    from glassnet.diagnosis import diagnose_run
    from glassnet.diagnosis.saying import as_plain, as_text, verdict_said
    from glassnet.views.diagnosis_page import diagnosis_page

    judge_by(run, held)
    found = diagnose_run(run)
    voice.say()
    voice.say(as_text(found))
    if place is not None:
        run.identify()
        write_json(place / DIAGNOSIS, {**as_plain(found), "run": run.facts["id"], "iteration": run.iteration})
        diagnosis_page(found, place / DIAGNOSIS_PAGE)
        voice.say()
        cure = f"; for a cure: glassnet diagnose {place} --cure" if found.verdict.learns is False else "."
        voice.say(f"The diagnosis is in {place / DIAGNOSIS_PAGE}{cure}")
        if voice.quiet and found.verdict.learns is False:  # that it fails is a problem
            note(f"{verdict_said(found)} The diagnosis is in {place / DIAGNOSIS_PAGE}.")
    return found
