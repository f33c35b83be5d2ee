"""One training from the command line, start to end: read, divide, prepare, train, judge, write, tell."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glassnet.cli.speaking import Voice, as_options, note, shown_notes
from glassnet.errors import GlassnetError, RunError

if TYPE_CHECKING:
    from glassnet.cli.division import Division, Prepared
    from glassnet.cli.judging import Judgement
    from glassnet.cli.plan import Plan
    from glassnet.cli.source import Reading, Source
    from glassnet.data import PictureOptions
    from glassnet.equations.derive import Derivation
    from glassnet.network import Network
    from glassnet.training.run import Run

DIVERGED = "Training stopped in iteration"
"""How the library's warning begins; the command says it at its end, with the place of the run."""


@dataclass(frozen=True)
class Request:
    """What one call of `glassnet train` was asked, besides the network itself."""

    plan: Plan
    data: str
    target: str | None
    place: Path | None
    features: list[str] | None
    drop: list[str]
    delimiter: str | None
    no_header: bool | None
    unseen: str | None
    test: str | None
    test_data: str | None
    test_target: str | None
    validation: str
    early_stopping: int | None
    split_seed: int
    pictures: PictureOptions
    training: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Ready:
    """Everything known to fit, before anything is computed or written."""

    name: str
    rows: int
    place: Path
    network: Network
    derivation: Derivation
    epochs: int
    batch: int | None
    prepared: Prepared
    described: dict[str, Any]
    division: Division


def trained(request: Request, dtype: str, voice: Voice, diagnose: bool = False) -> tuple[Run, Prepared, Path]:
    """Read, divide, prepare, train; nothing is written before all of it is known to fit."""
    import glassnet
    from glassnet.cli.folders import forget_results, whole_or_nothing
    from glassnet.training.source import keep_rows

    with shown_notes(hold=True):
        ready = _ready(request, dtype)
    _introduce(ready, request, voice)
    prepared = ready.prepared
    if diagnose:
        _check_first(ready, request, dtype, voice)
    with whole_or_nothing(ready.place):
        forget_results(ready.place)
        run = glassnet.train(
            ready.network,
            *prepared.train,
            loss=request.plan.loss,
            optimizer=ready.derivation.optimizer,
            epochs=ready.epochs,
            batch_size=ready.batch,
            validation=prepared.validation,
            callbacks=_watchers(request.early_stopping, diagnose),
            out=ready.place,
            dtype=dtype,
            preparation=prepared.preparation,
            source=ready.described,
            progress=not voice.quiet,
            **request.training,
        )
    if not run.facts["data"]["kept"] and "not_written" not in run.facts:
        keep_rows(run, ready.place, ready.division.train, ready.division.validation)
    return run, prepared, ready.place


def _watchers(early_stopping: int | None, diagnose: bool) -> list[Any]:
    """What looks at the training while it runs."""
    import glassnet

    found: list[Any] = [] if early_stopping is None else [glassnet.EarlyStopping(patience=early_stopping)]
    if diagnose:
        from glassnet.diagnosis import Watch

        found.append(Watch())
    return found


def _check_first(ready: Ready, request: Request, dtype: str, voice: Voice) -> None:
    """What is wrong before the first step."""
    from glassnet.cli.diagnose import check_first

    asked, prepared = request.training, ready.prepared
    settings = {
        "loss": request.plan.loss, "optimizer": ready.derivation.optimizer, "epochs": ready.epochs,
        "batch_size": ready.batch, "l1": asked["l1"], "l2": asked["l2"], "seed": asked["seed"], "dtype": dtype,
        "augmentation": asked["augmentation"],
    }  # fmt: skip
    names = getattr(prepared.preparation, "input_names", ())
    check_first(ready.network, prepared.train, prepared.test or prepared.validation, names, settings, voice)


def _ready(request: Request, dtype: str) -> Ready:
    """Read and prepare the rows, and fit the network and its settings to them."""
    import glassnet
    from glassnet.cli.division import divide, in_own_units, input_shape, prepare, share
    from glassnet.cli.folders import next_folder, try_folder
    from glassnet.cli.plan import NEVER_NEGATIVE
    from glassnet.cli.source import Reading, read_source
    from glassnet.training.settings import Settings
    from glassnet.training.snapshots import Snapshots

    plan, asked = request.plan, request.training
    reading = Reading.asked(request.delimiter, request.no_header)
    asked_test = share(request.test if request.test is not None else "0.25", "--test")
    watched = share(request.validation, "--validation")
    source = read_source(request.data, request.target, reading, fingerprints=True, pictures=request.pictures)
    request = _with_test_folder(request, source)
    test = 0 if request.test_data else asked_test
    if plan.takes_pictures:
        source = _pictures(source, plan)
    place = request.place or next_folder(source.name)
    if request.place is None:
        try_folder(place, overwrite=False)
    task = source.task(plan.task)
    division = divide(source, task=task, test=test, validation=watched, seed=request.split_seed)
    preparation = source.fit(
        division.train, task=plan.task, features=request.features, drop=request.drop, dtype=dtype,
        pictures=plan.takes_pictures,
    )  # fmt: skip
    if task == "regression" and (plan.head(1, task) in NEVER_NEGATIVE or plan.loss == "poisson"):
        preparation = in_own_units(preparation)
    inputs, outputs = preparation.n_inputs, preparation.n_outputs
    network = plan.network(input_shape(preparation), outputs, task)
    rows = len(division.train)
    epochs, batch = plan.chosen_epochs(rows), plan.chosen_batch(rows)
    optimizer = plan.make_optimizer(inputs, epochs, -(-rows // (batch or rows)))
    derivation = glassnet.derive(network, plan.loss, optimizer, l1=asked["l1"], l2=asked["l2"])
    Snapshots(asked["record"])
    Settings(
        network, derivation.loss, optimizer, epochs, batch, asked["l1"], asked["l2"], "mean", asked["seed"],
        True, asked["engine"], dtype, asked["record"], False,
    )  # fmt: skip
    described = {
        **source.described,
        "path": source.described["data"],
        "unseen": request.unseen,
        "split": {"task": task, "test": test, "validation": watched, "seed": request.split_seed},
    }
    prepared = prepare(source, division, preparation, loss=plan.loss or "", unseen=request.unseen)
    if request.test_data is not None:
        prepared, described["test_data"] = _judged_apart(request, reading, source, prepared)
    return Ready(source.name, source.count, place, network, derivation, epochs, batch, prepared, described, division)


def _with_test_folder(request: Request, source: Source) -> Request:
    """The request to judge by the folder test/ beside train/, unless it says by what to judge."""
    if source.test is None:
        return request
    if request.test is None and request.test_data is None:
        return replace(request, test_data=source.test)
    said = "--test" if request.test_data is None else "--test-data"
    note(f"The pictures of '{source.test}' are left out, because {said} says what to judge by.")
    return request


def _pictures(source: Source, plan: Plan) -> Source:
    """The samples as a network of images takes them, where they are rows or a table of pixels."""
    if source.X is not None and source.X.ndim > 2:
        return source
    return source.as_pixels(plan.stated_shape)


def _judged_apart(request: Request, reading: Reading, source: Source, prepared: Prepared) -> tuple[Prepared, Any]:
    """The rows of --test-data as those held out."""
    from glassnet.cli.division import Division, fitted, is_array, prepare
    from glassnet.cli.source import read_source

    assert request.test_data is not None
    preparation = prepared.preparation
    target = request.test_target or (None if source.X is not None else source.target)
    array = is_array(preparation)
    other = read_source(
        request.test_data, target, reading, text=preparation.text_columns, fingerprints=True, bundled=False,
        like=preparation if array else None, skip_damaged=request.pictures.damaged == "skip",
    )  # fmt: skip
    other = fitted(other, preparation, source.target)
    rows = other.usable()
    everything = Division(rows, rows[:0], rows[:0])
    apart = prepare(other, everything, preparation, loss=request.plan.loss or "", unseen=request.unseen)
    return replace(prepared, test=apart.train), other.described


def _introduce(ready: Ready, request: Request, voice: Voice) -> None:
    """Say what was chosen, and why."""
    from glassnet.cli.plan import described, why_loss

    prepared, derivation = ready.prepared, ready.derivation
    inputs = prepared.preparation.n_inputs
    trained_on = len(prepared.train[0])
    rows = "rows" if len(ready.network.input_shape) == 1 else "pictures"
    voice.say(f"{ready.name}: {ready.rows:,} {rows}, {inputs:,} input{'s' if inputs != 1 else ''} to the network.")
    for sentence in prepared.preparation.notes:
        voice.say(f"  {as_options(sentence)}")
    counts = [f"{trained_on:,} to train on"]
    if prepared.validation is not None:
        counts.append(f"{len(prepared.validation[0]):,} to watch while training")
    if prepared.test is not None:
        counts.append(f"{len(prepared.test[0]):,} held out to judge by")
    head = derivation.output_activation.name
    task = "regression" if prepared.preparation.classes is None else "classification"
    voice.say(f"Rows: {', '.join(counts)} (seed {request.split_seed}).")
    voice.say(f"Network: {ready.network}   ({derivation.parameter_count:,} parameters)")
    voice.say(f"Loss: {derivation.loss.name} under {head} outputs, {why_loss(request.plan, head, task)}.")
    voice.say(f"Training: {described(derivation.optimizer, ready.batch, trained_on, ready.epochs)}.")
    voice.say(f"Run folder: {ready.place}")


def resumed(
    resume: str,
    data: str | None,
    target: str | None,
    epochs: int | None,
    max_seconds: float | None,
    out: str | None,
    overwrite: bool,
    skip_damaged: bool,
    early_stopping: int | None,
    voice: Voice,
    diagnose: bool = False,
) -> tuple[Run, Prepared | None, Path]:
    """Go on with a run, from its kept data or from the file it was trained on."""
    import glassnet
    from glassnet.cli.division import Prepared, held_out, prepare, remade, unchanged
    from glassnet.cli.folders import forget_judgement, load_run, whole_or_nothing
    from glassnet.equations.schedules import ConstantRate, InverseScaling

    if skip_damaged and out is None:
        raise GlassnetError(
            "--skip-damaged with --resume needs --out FOLDER, so that the damaged run is left as it is."
        )
    before = load_run(resume, skip_damaged)
    place = Path(out or resume)
    wanted = before.settings.epochs if epochs is None else epochs
    if wanted <= len(before.history) or before.status == "converged":
        raise GlassnetError(
            f"{resume} has finished {len(before.history)} of {before.settings.epochs} epochs"
            + ("; it has converged." if before.status == "converged" else "; pass --epochs with more than that.")
        )
    given: dict[str, Any] = {}
    source_facts = before.facts.get("source") or {}
    if data is None and target is not None:
        raise GlassnetError("--resume got --target without DATA; leave it out, the run knows its target.")
    if data is not None:
        source_facts = {**source_facts, **_same_kind(source_facts, data, target)}
        before.facts["source"] = source_facts
    if before.data is None or data is not None:
        with shown_notes(hold=True):
            source, division = remade(before)
            loss = before.settings.loss.name
            again = prepare(source, division, before.preparation, loss=loss, unseen=source_facts.get("unseen"))
        given = {"X": again.train[0], "Y": again.train[1], "validation": again.validation}
        before.attach(*again.train, None, again.validation)  # refuses rows that are not those of the run
    voice.say(f"Going on with {resume}: {before.network}, {len(before.history)} of {wanted} epochs done.")
    schedule = before.settings.optimizer.schedule
    if wanted > before.settings.epochs and not isinstance(schedule, ConstantRate | InverseScaling):
        note(
            f"The learning-rate schedule was made for {before.settings.epochs} epochs and stays as it was: "
            f"{schedule!r}."
        )
    with whole_or_nothing(place):
        forget_judgement(place)
        run = glassnet.train(
            resume=before if skip_damaged else resume,
            **given,
            epochs=wanted,
            max_seconds=max_seconds,
            callbacks=_watchers(early_stopping, diagnose),
            out=None if out is None else place,
            overwrite=overwrite,
            progress=not voice.quiet,
        )
    if data is not None:  # the file has moved: say so in the run, too
        run.facts["source"] = source_facts
        run.write(place, with_data=False)
    if run.data is None or run.preparation is None:
        return run, None, place
    test = None
    if "split" in source_facts and (source_facts["split"]["test"] or source_facts.get("test_data")):
        try:
            unchanged(source_facts)
            test = held_out(run)
        except GlassnetError as problem:
            note(f"The held-out rows cannot be judged again: {problem}")
    return run, Prepared(run.preparation, (run.data.X, run.data.Y), None, test), place


def _same_kind(described: dict[str, Any], data: str, target: str | None) -> dict[str, Any]:
    """DATA given with --resume, when the file has moved."""
    from glassnet.cli.source import Reading, read_source
    from glassnet.data import PictureOptions

    pictures = described.get("pictures")
    found = read_source(
        data,
        target or described.get("target"),
        Reading(described.get("delimiter"), described.get("header", "auto")),
        fingerprints=True,
        pictures=None if pictures is None else PictureOptions.from_dict(pictures),
    )
    return {**found.described, "path": found.described["data"]}


def finish(
    run: Run, prepared: Prepared | None, place: Path, with_baseline: bool, plots: bool, voice: Voice, as_json: bool
) -> None:
    """Judge the run and its baseline, write what is known, say it."""
    from glassnet.cli import folders
    from glassnet.cli.judging import judge, report

    if run.status == "diverged":
        raise RunError(f"{run.message} The run is in {place}.")
    if run.message:
        voice.say(run.message)
    lost = run.facts.get("not_written")
    if prepared is None:
        voice.say(f"The run is in {place}; it was not trained on a table, so there is nothing to judge it by here.")
        return
    X, Y = prepared.train
    train = judge(run, X, Y)
    test = None if prepared.test is None else judge(run, *prepared.test)
    plain: Judgement | None = None
    name = ""
    if with_baseline:
        plain, name = _baseline(run, prepared, None if lost else place / folders.BASELINE, voice)
    metrics = report(run, {"train": train, "test": test}, plain)
    if not lost:
        folders.write_json(place / folders.METRICS, metrics)
    if as_json:
        print(folders.as_json(metrics))
    _tell(run, train, test, plain, name, voice)
    if lost:
        raise RunError(str(lost))
    if plots:
        from glassnet.cli.pictures import write_pictures

        judged, shown, where = train, (X, Y), "training rows"
        if test is not None and prepared.test is not None:
            judged, shown, where = test, prepared.test, "held-out rows"
        pictures = [path.name for path in write_pictures(run, judged, *shown, where, place)]
        voice.say(f"The run is in {place}, with {', '.join([folders.METRICS, *pictures])}.")
    else:
        voice.say(f"The run is in {place}, with {folders.METRICS}.")
    voice.say(f"Its equations: glassnet show {place}")


def finish_diagnosed(
    run: Run, prepared: Prepared | None, place: Path, with_baseline: bool, plots: bool, voice: Voice, as_json: bool
) -> None:
    """`finish`, and the diagnosis after it: also of a training that diverged, before that is said."""
    from glassnet.cli.diagnose import diagnosed

    failed: RunError | None = None
    try:
        finish(run, prepared, place, with_baseline, plots, voice, as_json)
    except RunError as problem:
        failed = problem
    lost = run.facts.get("not_written")
    diagnosed(run, None if prepared is None else prepared.test, None if lost else place, voice)
    if failed is not None:
        raise failed


def _baseline(run: Run, prepared: Prepared, out: Path | None, voice: Voice) -> tuple[Judgement | None, str]:
    """The plain regression beside the network, judged on the held-out rows; None when it fails or there are none."""
    from glassnet.cli.judging import baseline_name, judge, train_baseline

    if prepared.test is None:
        return None, ""
    name = baseline_name(prepared.preparation, run.settings.loss.name)
    with shown_notes(skip=""):
        plain = train_baseline(run, *prepared.train, out)
    if plain.status == "diverged":
        voice.say(f"The {name} beside it diverged, so there is nothing to compare the network with.")
        return None, ""
    X, Y = prepared.test
    return judge(plain, X, (Y + 1) / 2 if run.settings.loss.name == "hinge" else Y), name


def _tell(run: Run, train: Judgement, test: Judgement | None, plain: Judgement | None, name: str, voice: Voice) -> None:
    """The tables and the sentence at the end."""
    from glassnet.cli.judging import verdict
    from glassnet.views.metrics import confusion_table, metrics_table

    if voice.quiet:
        return
    columns = {"network, trained on": train.metrics}
    if test is not None:
        columns["network, held out"] = test.metrics
    if plain is not None:
        columns[f"{name}, held out"] = plain.metrics
    voice.say()
    voice.table(metrics_table(columns))
    classes = run.preparation.classes if run.preparation is not None else None
    if test is not None and classes is not None and len(classes) <= 10:
        voice.table(confusion_table(test.metrics["confusion_matrix"], classes, "Network, held-out rows"))
    if test is not None and plain is not None:
        voice.say(verdict(test, plain, name, run))
