"""`glassnet train`: from a table to a trained, judged and saved network."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from glassnet.cli.experiment import DIVERGED, finish, finish_diagnosed, resumed, trained
from glassnet.cli.request import augmentation_of, picture_options, refuse_both, refuse_settings, request_of
from glassnet.cli.speaking import Voice, shown_notes

DATA, PICTURES, NETWORK, LEARNING = "Data", "Pictures", "Network", "Learning"
ENDING, RESULT = "When to stop", "Result"


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
            help="A CSV, TSV or Parquet file, the name of a bundled data set (iris, flower, ...), a folder of pictures "
            "with one subfolder a class, or an array file: FILE.h5::DATASET, IDX, .npy.",
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
            help="Rows held out to judge the network by: a share, a number of rows drawn at random, or last:50 for the last "
            "50 of the file; 0 for none. [default: 0.25]",
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
    image_size: Annotated[
        str | None,
        typer.Option(
            metavar="PIXELS",
            help="Resize all pictures to this size: 32, or HEIGHTxWIDTH; needed when their sizes differ.",
            rich_help_panel=PICTURES,
        ),
    ] = None,
    image_fit: Annotated[
        str,
        typer.Option(
            metavar="HOW",
            help="What resizing does to another shape: stretch it, crop what sticks out, or pad it with black.",
            rich_help_panel=PICTURES,
        ),
    ] = "stretch",
    grey: Annotated[
        bool | None,
        typer.Option(
            "--grey/--colour",
            help="Make all pictures grey / give all of them three channels; needed when both kinds are there.",
            rich_help_panel=PICTURES,
        ),
    ] = None,
    network: Annotated[
        str | None,
        typer.Option(
            metavar="NOTATION",
            help="The whole network, such as 'conv 8x5 relu, pool 2, flatten, dense 10 softmax' (8 filters of 5×5), "
            "instead of the options below.",
            rich_help_panel=NETWORK,
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
    augment: Annotated[
        str | None,
        typer.Option(
            metavar="CHANGES",
            help="Change the pictures a little in every epoch: 'shift 2, flip, rotate 10, scale 0.1, noise 0.05'.",
            rich_help_panel=LEARNING,
        ),
    ] = None,
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
            "--skip-damaged",
            help="Leave damaged pictures of a folder out; with --resume, the damaged files of a run, into --out.",
            rich_help_panel=RESULT,
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
    diagnose: Annotated[
        bool,
        typer.Option(
            "--diagnose",
            help="Say what is wrong before the first step, watch the training, and afterwards why it does not learn.",
            rich_help_panel=RESULT,
        ),
    ] = False,
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
    """Train a network on a table or on pictures, judge it on rows it has not seen, and keep the whole training as a folder.

    The target decides what is done: text and few whole numbers are classes, other numbers are quantities. A plain
    regression is trained beside the network, so that you see whether the network earns its complexity.

    A folder of pictures has one subfolder a class (images/cat/1.png). Where it has train/ and test/, the network is judged
    by the pictures of test/.

    The run folder holds the run, metrics.json and pictures: cost.png, for classes confusion.png, and for two features
    boundary.png; with --diagnose also diagnosis.html and diagnosis.json.

    \b
    Examples:
      glassnet train iris
      glassnet train cars.csv --target mpg --hidden 16,8 --seed 1
      glassnet train planar.csv --target label --hidden 40 --activation tanh --optimizer sgd --learning-rate 0.9
      glassnet train people.parquet --target income --drop name,id --early-stopping 10
      glassnet train cats.h5::train_x --target cats.h5::train_y --hidden none
      glassnet train t10k-images-idx3-ubyte.gz --target t10k-labels-idx1-ubyte.gz
      glassnet train images/ --network "conv 8x5 relu, pool 2, flatten, dense 10 softmax"
      glassnet train images/ --image-size 64 --colour --skip-damaged --augment "shift 4, flip"
      glassnet train digits --network "conv 16x3 relu, pool 2, flatten, dense 10 softmax"
      glassnet train iris --optimizer sgd --learning-rate 30 --diagnose
      glassnet train --resume runs/iris-1 --epochs 500
    """
    voice = Voice(quiet or as_json)
    if resume is not None:
        refuse_settings(ctx)
        with shown_notes(skip=DIVERGED):
            run, prepared, place = resumed(
                resume, data, target, epochs, max_seconds, out, overwrite, skip_damaged, early_stopping, voice, diagnose
            )
    else:
        refuse_both(ctx, network)
        request = request_of(
            data, target, out, overwrite, seed if split_seed is None else split_seed, features, drop, delimiter,
            no_header, unseen, test, test_data, test_target, validation, early_stopping,
            pictures=picture_options(image_size, image_fit, grey, skip_damaged),
            plan={
                "task": task, "hidden": hidden, "activation": activation, "dropout": dropout, "batch_norm": batch_norm,
                "output": output, "loss": loss, "optimizer": optimizer, "learning_rate": learning_rate,
                "momentum": momentum, "schedule": schedule, "epochs": epochs, "batch_size": batch_size, "init": init,
                "notation": network,
            },
            training={
                "l1": l1, "l2": l2, "seed": seed, "engine": engine, "threads": threads, "record": record,
                "max_seconds": max_seconds, "overwrite": overwrite, "augmentation": augmentation_of(augment),
            },
        )  # fmt: skip
        with shown_notes(skip=DIVERGED):
            run, prepared, place = trained(request, dtype, voice, diagnose)
    if diagnose:
        finish_diagnosed(run, prepared, place, baseline, plots, voice, as_json)
    else:
        finish(run, prepared, place, baseline, plots, voice, as_json)
