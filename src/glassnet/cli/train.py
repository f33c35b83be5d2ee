"""`glassnet train`: from a table to a trained, judged and saved network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from glassnet.cli.experiment import DIVERGED, Request, finish, resumed, trained
from glassnet.cli.speaking import Voice, shown_notes
from glassnet.errors import GlassnetError

DATA, NETWORK, LEARNING, ENDING, RESULT = "Data", "Network", "Learning", "When to stop", "Result"
WATCHED_SHARE = "0.1"
WITH_RESUME = {
    "data", "target", "resume", "epochs", "max_seconds", "out", "overwrite", "baseline", "plots", "quiet", "as_json",
    "skip_damaged", "early_stopping",
}  # fmt: skip


def _names(kind: str) -> Any:
    """Completion: the names of a kind that begin as typed."""

    def complete(incomplete: str) -> list[str]:
        return [name for name in _known(kind) if name.startswith(incomplete)]

    return complete


def _known(kind: str) -> list[str]:
    from glassnet.cli.plan import SCHEDULES, TASKS
    from glassnet.data import dataset_names
    from glassnet.equations.functions import ACTIVATIONS
    from glassnet.equations.losses import LOSSES
    from glassnet.equations.optimizers import OPTIMIZERS

    names: dict[str, Any] = {
        "data": dataset_names(), "task": TASKS, "activation": ACTIVATIONS, "loss": LOSSES, "optimizer": OPTIMIZERS,
        "schedule": SCHEDULES,
    }  # fmt: skip
    return list(names[kind])


def train(
    ctx: typer.Context,
    data: Annotated[
        str | None,
        typer.Argument(
            metavar="DATA",
            help="A CSV, TSV or Parquet file, the name of a bundled data set (iris, flower, ...), or an array file: "
            "FILE.h5::DATASET, IDX, .npy.",
            autocompletion=_names("data"),
            show_default=False,
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            "--target",
            "-t",
            metavar="COLUMN",
            help="The column to predict, by name (by position in a table without names, from 1); for an array file, the "
            "array file of its labels.",
            rich_help_panel=DATA,
        ),
    ] = None,
    task: Annotated[
        str,
        typer.Option(
            metavar="TASK",
            help="auto, classification or regression.",
            rich_help_panel=DATA,
            autocompletion=_names("task"),
        ),
    ] = "auto",
    features: Annotated[
        str | None, typer.Option(metavar="A,B,...", help="The columns to learn from.", rich_help_panel=DATA)
    ] = None,
    drop: Annotated[
        str | None, typer.Option(metavar="A,B,...", help="Columns not to learn from.", rich_help_panel=DATA)
    ] = None,
    test: Annotated[
        str | None,
        typer.Option(
            metavar="SHARE",
            help="Rows held out to judge the network by: a share, or a number of rows; 0 for none. [default: 0.25]",
            rich_help_panel=DATA,
        ),
    ] = None,
    test_data: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="A file of its own to judge by, instead of --test.", rich_help_panel=DATA),
    ] = None,
    test_target: Annotated[
        str | None, typer.Option(metavar="FILE", help="The labels of an array --test-data.", rich_help_panel=DATA)
    ] = None,
    delimiter: Annotated[
        str | None,
        typer.Option(
            metavar="CHARACTER", help="Between the columns of a text table; found when not given.", rich_help_panel=DATA
        ),
    ] = None,
    no_header: Annotated[
        bool | None,
        typer.Option(
            "--no-header/--header",
            help="The first line holds values (the columns are then column1, column2, ...) / names; found when not "
            "given.",
            rich_help_panel=DATA,
        ),
    ] = None,
    unseen: Annotated[
        str | None,
        typer.Option(
            metavar="error|ignore",
            help="What to do about a category that only held-out rows have; ignored with a note when not given.",
            rich_help_panel=DATA,
        ),
    ] = None,
    hidden: Annotated[
        str,
        typer.Option(
            metavar="UNITS",
            help="Units of each hidden layer, such as 40,20; 'none' is a plain regression.",
            rich_help_panel=NETWORK,
        ),
    ] = "32",
    activation: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Of the hidden layers: relu, tanh, sigmoid, leaky_relu, elu, gelu, softplus, ...",
            rich_help_panel=NETWORK,
            autocompletion=_names("activation"),
        ),
    ] = "relu",
    output: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Activation of the output; chosen by the target when not given.",
            rich_help_panel=NETWORK,
            autocompletion=_names("activation"),
        ),
    ] = None,
    dropout: Annotated[
        float, typer.Option(metavar="RATE", help="Dropout after each hidden layer.", rich_help_panel=NETWORK)
    ] = 0.0,
    batch_norm: Annotated[
        bool,
        typer.Option("--batch-norm", help="Batch normalisation in each hidden layer.", rich_help_panel=NETWORK),
    ] = False,
    init: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Where the weights start: auto, xavier, he, 'normal(0.01)', zeros, ...",
            rich_help_panel=NETWORK,
        ),
    ] = "auto",
    loss: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="binary_cross_entropy, categorical_cross_entropy, mean_squared_error, mean_absolute_error, huber, "
            "poisson, hinge; chosen by the target when not given.",
            rich_help_panel=LEARNING,
            autocompletion=_names("loss"),
        ),
    ] = None,
    optimizer: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="adam, adamw, sgd, rmsprop, adagrad or lbfgs.",
            rich_help_panel=LEARNING,
            autocompletion=_names("optimizer"),
        ),
    ] = "adam",
    learning_rate: Annotated[
        float | None,
        typer.Option(
            metavar="RATE",
            help="Step size. [default: by the optimiser, 0.01 for adam; a tenth of it above 100 inputs]",
            rich_help_panel=LEARNING,
        ),
    ] = None,
    momentum: Annotated[
        float | None, typer.Option(metavar="SHARE", help="Momentum of sgd, such as 0.9.", rich_help_panel=LEARNING)
    ] = None,
    schedule: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="How the learning rate changes: constant, step, exponential, inverse, cosine, one-cycle, warm-up, "
            "adaptive.",
            rich_help_panel=LEARNING,
            autocompletion=_names("schedule"),
        ),
    ] = "constant",
    batch_size: Annotated[
        str | None,
        typer.Option(
            metavar="ROWS",
            help="Rows an update, or 'full'. [default: 32, 128 above 10,000 rows, 256 above 100,000]",
            rich_help_panel=LEARNING,
        ),
    ] = None,
    l1: Annotated[float, typer.Option(metavar="λ", help="Penalty λ Σ|W|.", rich_help_panel=LEARNING)] = 0.0,
    l2: Annotated[float, typer.Option(metavar="λ", help="Penalty ½ λ Σ W².", rich_help_panel=LEARNING)] = 0.0,
    seed: Annotated[
        int, typer.Option(metavar="NUMBER", help="One seed is one result, bit for bit.", rich_help_panel=LEARNING)
    ] = 0,
    split_seed: Annotated[
        int | None,
        typer.Option(metavar="NUMBER", help="Seed of the division of rows. [default: --seed]", rich_help_panel=DATA),
    ] = None,
    engine: Annotated[
        str, typer.Option(metavar="NAME", help="What computes: auto, reference or compiled.", rich_help_panel=LEARNING)
    ] = "auto",
    threads: Annotated[
        int | None,
        typer.Option(
            metavar="NUMBER",
            help="The most threads the compiled engine uses. [default: the cores, 8 at most]",
            rich_help_panel=LEARNING,
        ),
    ] = None,
    dtype: Annotated[
        str, typer.Option(metavar="NAME", help="float64 or float32.", rich_help_panel=LEARNING)
    ] = "float64",
    epochs: Annotated[
        int | None,
        typer.Option(
            metavar="NUMBER",
            help="Passes over the data; with --resume, in all. [default: 100, 30 above 10,000 rows, 10 above 100,000, "
            "5 above 1,000,000]",
            rich_help_panel=ENDING,
        ),
    ] = None,
    validation: Annotated[
        str,
        typer.Option(
            metavar="SHARE",
            help="Training rows set aside to watch while training. [default: 0, or 0.1 with --early-stopping]",
            rich_help_panel=ENDING,
            show_default=False,
        ),
    ] = "",
    early_stopping: Annotated[
        int | None,
        typer.Option(
            metavar="EPOCHS",
            help="Stop when the cost of the watched rows has not improved for so many epochs; the best network is kept.",
            rich_help_panel=ENDING,
        ),
    ] = None,
    max_seconds: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="End cleanly after about this long.", rich_help_panel=ENDING),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FOLDER",
            help="The run folder. [default: runs/NAME-1, runs/NAME-2, ...]",
            rich_help_panel=RESULT,
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the run that --out holds.", rich_help_panel=RESULT)
    ] = False,
    resume: Annotated[
        str | None,
        typer.Option(
            metavar="RUN",
            help="Go on with this run, up to --epochs in all; DATA and settings are the run's.",
            rich_help_panel=RESULT,
        ),
    ] = None,
    skip_damaged: Annotated[
        bool,
        typer.Option(
            "--skip-damaged", help="Resume without the damaged files of a run, into --out.", rich_help_panel=RESULT
        ),
    ] = False,
    record: Annotated[
        str,
        typer.Option(
            metavar="WHICH",
            help="Iterations to keep a snapshot of: auto, all, last, or every n-th. Any other is re-created on demand.",
            rich_help_panel=RESULT,
        ),
    ] = "auto",
    baseline: Annotated[
        bool,
        typer.Option(
            "--baseline/--no-baseline",
            help="Train a linear, logistic or softmax regression beside the network.",
            rich_help_panel=RESULT,
        ),
    ] = True,
    plots: Annotated[
        bool, typer.Option("--plots/--no-plots", help="Write the pictures.", rich_help_panel=RESULT)
    ] = True,
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet", "-q", help="Print nothing but problems; the notes are kept in the run.", rich_help_panel=RESULT
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print metrics.json instead of tables.", rich_help_panel=RESULT)
    ] = False,
) -> None:
    """Train a network on a table, judge it on rows it has not seen, and keep the whole training as a folder.

    The target decides what is done: text and few whole numbers are classes, other numbers are quantities. A plain
    regression is trained beside the network, so that you see whether the network earns its complexity.

    The folder holds the run, metrics.json and pictures: cost.png, for classes confusion.png, and for two features
    boundary.png.

    \b
    Examples:
      glassnet train iris
      glassnet train cars.csv --target mpg --hidden 16,8 --seed 1
      glassnet train planar.csv --target label --hidden 40 --activation tanh --optimizer sgd --learning-rate 0.9
      glassnet train people.parquet --target income --drop name,id --early-stopping 10
      glassnet train cats.h5::train_x --target cats.h5::train_y --hidden none
      glassnet train t10k-images-idx3-ubyte.gz --target t10k-labels-idx1-ubyte.gz
      glassnet train --resume runs/iris-1 --epochs 500
    """
    voice = Voice(quiet or as_json)
    if resume is not None:
        _refuse_settings(ctx)
        with shown_notes(skip=DIVERGED):
            run, prepared, place = resumed(
                resume, data, target, epochs, max_seconds, out, overwrite, skip_damaged, early_stopping, voice
            )
    else:
        request = _request(
            data, target, out, overwrite, seed if split_seed is None else split_seed, features, drop, delimiter,
            no_header, unseen, test, test_data, test_target, validation, early_stopping,
            plan={
                "task": task, "hidden": hidden, "activation": activation, "dropout": dropout, "batch_norm": batch_norm,
                "output": output, "loss": loss, "optimizer": optimizer, "learning_rate": learning_rate,
                "momentum": momentum, "schedule": schedule, "epochs": epochs, "batch_size": batch_size, "init": init,
            },
            training={
                "l1": l1, "l2": l2, "seed": seed, "engine": engine, "threads": threads, "record": record,
                "max_seconds": max_seconds, "overwrite": overwrite,
            },
        )  # fmt: skip
        with shown_notes(skip=DIVERGED):
            run, prepared, place = trained(request, dtype, voice)
    finish(run, prepared, place, baseline, plots, voice, as_json)


def _refuse_settings(ctx: typer.Context) -> None:
    """A resumed training keeps its settings: name the options that would change them."""
    given = []
    for parameter in ctx.command.params:
        source = ctx.get_parameter_source(str(parameter.name))
        if parameter.name not in WITH_RESUME and source is not None and source.name == "COMMANDLINE":
            given.append(parameter.opts[0])
    if given:
        raise GlassnetError(
            f"--resume goes on with the run's own settings; leave out {', '.join(given)}, or start a new training."
        )


def _request(
    data: str | None,
    target: str | None,
    out: str | None,
    overwrite: bool,
    split_seed: int,
    features: str | None,
    drop: str | None,
    delimiter: str | None,
    no_header: bool | None,
    unseen: str | None,
    test: str | None,
    test_data: str | None,
    test_target: str | None,
    validation: str,
    early_stopping: int | None,
    *,
    plan: dict[str, Any],
    training: dict[str, Any],
) -> Request:
    """The options, checked as far as they can be without data."""
    from glassnet.cli.folders import try_folder
    from glassnet.cli.plan import Plan, hidden_units, recorded
    from glassnet.data.preparation import UNSEEN
    from glassnet.errors import unknown_name
    from glassnet.training import EarlyStopping

    if data is None:
        raise GlassnetError(
            "What is the network to learn from? Give DATA, a file or a name such as iris, or --resume RUN."
        )
    if test is not None and test_data is not None:
        raise GlassnetError("--test and --test-data both say what to judge by; give one of them.")
    if test_target is not None and test_data is None:
        raise GlassnetError("--test-target got labels without samples; give --test-data too.")
    if unseen is not None and unseen not in UNSEEN:
        raise GlassnetError(unknown_name("policy for unseen categories", unseen, UNSEEN))
    if early_stopping is not None:
        EarlyStopping(patience=early_stopping)
    checked = Plan(**{**plan, "hidden": hidden_units(plan["hidden"])})
    place = None if out is None else Path(out)
    if place is not None:
        try_folder(place, overwrite)
    return Request(
        checked, data, target, place, _listed(features), _listed(drop) or [], delimiter, no_header, unseen, test,
        test_data, test_target, validation or (WATCHED_SHARE if early_stopping else "0"), early_stopping, split_seed,
        {**training, "record": recorded(training["record"])},
    )  # fmt: skip


def _listed(text: str | None) -> list[str] | None:
    return None if text is None else [part.strip() for part in text.split(",") if part.strip()]
