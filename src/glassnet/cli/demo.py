"""`glassnet demo`: the flower data, a small network against logistic regression, as in the tutorials."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glassnet.cli.speaking import Voice
from glassnet.errors import RunError

if TYPE_CHECKING:
    from glassnet.cli.division import Pair
    from glassnet.training.run import Run

UNITS = 40
RATE = 0.9
EPOCHS = 10_000
HELD_OUT = 0.2


def demo(
    out: Annotated[
        str, typer.Option("--out", "-o", metavar="FOLDER", help="Where the runs and the pictures go.")
    ] = "demo-output",
    epochs: Annotated[int, typer.Option(metavar="NUMBER", help="Passes over the data.")] = EPOCHS,
    seed: Annotated[int, typer.Option(metavar="NUMBER", help="One seed is one result, bit for bit.")] = 0,
) -> None:
    """See a network at work: two classes on the petals of a flower, which no straight line can separate.

    Prints the equations of the training step as glassnet derives them, trains a network of 40 tanh units by gradient
    descent and a logistic regression beside it, compares them on rows neither has seen, and draws both boundaries.
    Takes some seconds.
    """
    import glassnet
    from glassnet.cli.division import divide, prepare
    from glassnet.cli.judging import Judgement, judge, train_baseline, verdict
    from glassnet.cli.source import Reading, read_source
    from glassnet.data import Preparation

    voice = Voice()
    place = Path(out)
    _claim(place)
    source = read_source("flower", None, Reading(), bundled=True)
    division = divide(source, task="classification", test=HELD_OUT, validation=0, seed=seed)
    preparation = Preparation.fit(source.table, source.wanted, rows=division.train, standardise=False)
    prepared = prepare(source, division, preparation, loss="", unseen=None)
    assert prepared.test is not None
    X, Y = prepared.train

    network = glassnet.Network(2, glassnet.Dense(UNITS, "tanh"), glassnet.Dense(1, "sigmoid"))
    optimizer = glassnet.SGD(RATE)
    voice.say(
        f"The flower: {source.count} points, two classes; {len(X)} to learn from, {len(prepared.test[0])} held out."
    )
    voice.say("Every line below was derived from the network's forward equations, and every line is what runs.\n")
    voice.say(f"{glassnet.derive(network, optimizer=optimizer)}\n")

    described = {
        **source.described,
        "path": source.described["data"],
        "unseen": None,
        "split": {"task": "classification", "test": HELD_OUT, "validation": 0, "seed": seed},
    }
    voice.say(f"Training it, {epochs:,} epochs of all {len(X)} rows at learning rate {RATE} ...")
    run = glassnet.train(
        network, X, Y, optimizer=optimizer, epochs=epochs, seed=seed, out=place / "network", overwrite=True,
        preparation=preparation, source=described,
    )  # fmt: skip
    if run.status == "diverged":
        raise RunError(f"{run.message} The run is in {place / 'network'}.")
    if run.message:
        voice.say(run.message)
    plain = train_baseline(run, X, Y, place / "logistic")

    judged: dict[str, Judgement] = {
        "network": judge(run, *prepared.test),
        "logistic regression": judge(plain, *prepared.test),
    }
    _tell(judged, preparation.classes or [], voice)
    voice.say(verdict(judged["network"], judged["logistic regression"], "logistic regression", run))
    voice.say(
        "Logistic regression can only draw a straight line through the plane; the hidden layer bends the plane first, "
        "so that its boundary follows the petals."
    )
    files = [
        *_pictures(run, plain, judged["network"], prepared.test, place),
        _write_metrics(run, judged, X, Y, place),
        _write_report(run, judged, prepared.test, division.test.tolist(), place),
    ]
    voice.say("\nWritten:")
    for path, what in files:
        voice.say(f"  {path!s:<32} {what}")
    voice.say(f"  {place / 'network'!s:<32} the whole training, any iteration of it: glassnet show {place / 'network'}")
    voice.say(f"  {place / 'logistic'!s:<32} the regression, the same way")


def _claim(place: Path) -> None:
    """Take an empty folder, or the one an earlier demo wrote.

    Raises
    ------
    RunError : it holds something else, or cannot be made
    """
    from glassnet.training.files import make_folder

    if place.is_dir() and any(place.iterdir()) and not (place / "network" / "run.json").exists():
        raise RunError(f"The folder {place} is not empty and holds no demo; choose another one with --out.")
    make_folder(place)


def _tell(judged: dict[str, Any], classes: list[Any], voice: Voice) -> None:
    """Metrics and both confusion matrices, side by side."""
    from rich.columns import Columns

    from glassnet.views.metrics import confusion_table, metrics_table

    voice.say()
    voice.table(metrics_table({name: one.metrics for name, one in judged.items()}, "On the held-out points"))
    voice.table(
        Columns([confusion_table(one.metrics["confusion_matrix"], classes, name) for name, one in judged.items()])
    )


def _write_metrics(run: Run, judged: dict[str, Any], X: Any, Y: Any, place: Path) -> tuple[Path, str]:
    from glassnet.cli.folders import METRICS, write_json
    from glassnet.cli.judging import judge, report

    parts = {"train": judge(run, X, Y), "test": judged["network"]}
    write_json(place / METRICS, report(run, parts, judged["logistic regression"]))
    return place / METRICS, "the numbers above"


def _write_report(run: Run, judged: dict[str, Any], test: Pair, rows: list[int], place: Path) -> tuple[Path, str]:
    from glassnet.cli.judging import report, verdict
    from glassnet.views import write_report

    name = "logistic regression"
    said = verdict(judged["network"], judged[name], name, run)
    found = report(run, {"test": judged["network"]}, judged[name])
    page = write_report(
        run, place / "report.html", held_out=test, rows=rows, metrics=found, baseline=name, verdict=said,
        title="The flower: a network and a straight line",
    )  # fmt: skip
    return page, "all of it as one page, the training as a film: open it in a browser"


def _pictures(run: Run, plain: Run, judged: Any, test: Pair, place: Path) -> list[tuple[Path, str]]:
    """Both boundaries in one picture, the cost curve, the confusion matrix."""
    from matplotlib.figure import Figure

    from glassnet.cli.pictures import boundary
    from glassnet.views import plot_confusion, plot_cost, save

    figure = Figure(figsize=(17.0, 8.0), layout="constrained", facecolor="white")
    left, right = figure.subplots(1, 2, sharex=True, sharey=True)
    boundary(run, *test, left, title=f"Network: {run.network}")
    boundary(plain, *test, right, title="Logistic regression")
    written = [(save(figure, place / "boundaries.png"), "both decision boundaries, with the held-out points")]
    if len(run.history):
        written.append((save(plot_cost(run.history), place / "cost.png"), "the cost by epoch"))
    classes = run.preparation.classes if run.preparation is not None else None
    axes = plot_confusion(judged.metrics["confusion_matrix"], classes or [], title="Network, held-out points")
    written.append((save(axes, place / "confusion.png"), "held-out points by true and predicted class"))
    return written
