"""`glassnet evaluate`: how good a trained network is on rows with known targets."""

from __future__ import annotations

from typing import Annotated

import typer

from glassnet.cli.options import Delimiter, NoHeader, RunFolder, SkipDamagedToo, Unseen
from glassnet.cli.speaking import Voice


def evaluate(
    run: RunFolder,
    data: Annotated[
        str | None,
        typer.Argument(
            metavar="DATA",
            help="Rows with known targets: a table, an array file, or a folder of pictures with one subfolder a class; the "
            "rows the training held out when not given.",
            show_default=False,
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            "--target",
            "-t",
            metavar="COLUMN",
            help="The target, where DATA calls it by another name; the labels' file of an array.",
        ),
    ] = None,
    unseen: Unseen = "error",
    delimiter: Delimiter = None,
    no_header: NoHeader = None,
    skip_damaged: SkipDamagedToo = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the metrics as JSON.")] = False,
) -> None:
    """Judge a trained network: metrics and, for classes, the confusion matrix.

    Without DATA the rows that the training held out are read again from its file. The regression that was trained
    beside the network is judged by the same rows.

    \b
    Examples:
      glassnet evaluate runs/iris-1
      glassnet evaluate runs/iris-1 other.csv --json
      glassnet evaluate runs/digits-1 test.h5::x --target test.h5::y
      glassnet evaluate runs/images-1 other-pictures/
    """
    from pathlib import Path

    from glassnet.cli.division import held_out, labelled
    from glassnet.cli.folders import BASELINE, load_run
    from glassnet.cli.folders import as_json as json_text
    from glassnet.cli.judging import baseline_name, judge, report, verdict
    from glassnet.cli.source import Reading
    from glassnet.training.run import Run
    from glassnet.views.metrics import confusion_table, metrics_table

    network = load_run(run, skip_damaged)
    if data is None:
        X, Y = held_out(network)
    else:
        X, Y = labelled(network, data, target, Reading.asked(delimiter, no_header), unseen, skip_damaged)
    judged = judge(network, X, Y)
    plain = None
    beside = Path(run) / BASELINE
    if (beside / "run.json").is_file():
        signed = network.settings.loss.name == "hinge"
        plain = judge(Run.load(beside, damaged="skip" if skip_damaged else "error"), X, (Y + 1) / 2 if signed else Y)
    if as_json:
        print(json_text(report(network, {"test": judged}, plain)))
        return
    voice = Voice()
    classes = network.preparation.classes if network.preparation is not None else None
    name = baseline_name(network.preparation, network.settings.loss.name)
    voice.say(f"{len(X):,} rows: {'those the training held out' if data is None else data}")
    columns = {"network": judged.metrics} | ({name: plain.metrics} if plain else {})
    voice.table(metrics_table(columns))
    if classes is not None:
        voice.table(confusion_table(judged.metrics["confusion_matrix"], classes, "Network"))
    if plain is not None:
        voice.say(verdict(judged, plain, name, network).replace("held-out rows", "rows"))
