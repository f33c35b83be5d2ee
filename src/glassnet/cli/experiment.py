"""One training from the command line, start to end: read, divide, prepare, train, judge, write, tell."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glassnet.cli.speaking import Voice, shown_notes
from glassnet.errors import GlassnetError, RunError

if TYPE_CHECKING:
    from glassnet.cli.division import Prepared
    from glassnet.cli.judging import Judgement
    from glassnet.cli.plan import Plan
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
    no_header: bool
    unseen: str | None
    test: str | None
    test_data: str | None
    test_target: str | None
    validation: str
    early_stopping: int | None
    split_seed: int
    training: dict[str, Any] = field(default_factory=dict)


def trained(request: Request, dtype: str, voice: Voice) -> tuple[Run, Prepared, Path]:
    """Read, divide, prepare, train; nothing is written before all of it is known to fit."""
    import glassnet
    from glassnet.cli.division import Division, divide, in_own_units, prepare, share
    from glassnet.cli.folders import forget_results, next_folder, try_folder, whole_or_nothing
    from glassnet.cli.plan import NEVER_NEGATIVE, described, why_loss
    from glassnet.cli.source import Reading, read_source

    plan = request.plan
    reading = Reading.asked(request.delimiter, request.no_header)
    test = 0 if request.test_data else share(request.test if request.test is not None else "0.25", "--test")
    watched = share(request.validation, "--validation")
    source = read_source(request.data, request.target, reading, fingerprints=True)
    place = request.place or next_folder(source.name)
    if request.place is None:
        try_folder(place, overwrite=False)
    task = source.task(plan.task)
    division = divide(source, task=task, test=test, validation=watched, seed=request.split_seed)
    preparation = source.fit(division.train, task=plan.task, features=request.features, drop=request.drop, dtype=dtype)
    inputs, outputs = preparation.n_inputs, preparation.n_outputs
    head = plan.head(outputs, task)
    if task == "regression" and (head in NEVER_NEGATIVE or plan.loss == "poisson"):
        preparation = in_own_units(preparation)
    loss = plan.loss or ""
    prepared = prepare(source, division, preparation, loss=loss, unseen=request.unseen)
    described_source = {
        **source.described,
        "path": source.described["data"],
        "unseen": request.unseen,
        "split": {"task": task, "test": test, "validation": watched, "seed": request.split_seed},
    }
    if request.test_data is not None:
        other = read_source(
            request.test_data,
            request.test_target or (None if source.X is not None else source.target),
            reading,
            text=preparation.text_columns,
            fingerprints=True,
        )
        rows = other.usable()
        apart = prepare(other, Division(rows, rows[:0], rows[:0]), preparation, loss=loss, unseen=request.unseen)
        prepared = type(prepared)(preparation, prepared.train, prepared.validation, apart.train)
        described_source["test_data"] = other.described
    columns = source.count, source.name
    del source  # a large table is not needed any more
    X, Y = prepared.train
    rows_trained = len(X)
    network = plan.network(inputs, outputs, task)
    epochs, batch = plan.chosen_epochs(rows_trained), plan.chosen_batch(rows_trained)
    optimizer = plan.make_optimizer(inputs, epochs, -(-rows_trained // (batch or rows_trained)))
    derivation = glassnet.derive(network, plan.loss, optimizer, l1=request.training["l1"], l2=request.training["l2"])

    voice.say(f"{columns[1]}: {columns[0]:,} rows, {inputs:,} input{'s' if inputs != 1 else ''} to the network.")
    for sentence in preparation.notes:
        voice.say(f"  {sentence}")
    counts = [f"{rows_trained:,} rows to train on"]
    if prepared.validation is not None:
        counts.append(f"{len(prepared.validation[0]):,} to watch while training")
    if prepared.test is not None:
        counts.append(f"{len(prepared.test[0]):,} held out to judge by")
    voice.say(f"Rows: {', '.join(counts)} (seed {request.split_seed}).")
    voice.say(f"Network: {network}   ({derivation.parameter_count:,} parameters)")
    voice.say(f"Loss: {derivation.loss.name} under {head} outputs, {why_loss(plan, derivation.loss.name, head, task)}.")
    voice.say(f"Training: {described(optimizer, batch, rows_trained, epochs)}.")
    voice.say(f"Run folder: {place}")

    stoppers = [] if request.early_stopping is None else [glassnet.EarlyStopping(patience=request.early_stopping)]
    with whole_or_nothing(place):
        run = glassnet.train(
            network,
            X,
            Y,
            loss=plan.loss,
            optimizer=optimizer,
            epochs=epochs,
            batch_size=batch,
            validation=prepared.validation,
            callbacks=stoppers,
            out=place,
            dtype=dtype,
            preparation=preparation,
            source=described_source,
            progress=not voice.quiet,
            **request.training,
        )
    forget_results(place)
    return run, prepared, place


def resumed(
    resume: str,
    data: str | None,
    target: str | None,
    epochs: int | None,
    max_seconds: float | None,
    out: str | None,
    overwrite: bool,
    skip_damaged: bool,
    voice: Voice,
) -> tuple[Run, Prepared | None, Path]:
    """Go on with a run, from its kept data or from the file it was trained on."""
    import glassnet
    from glassnet.cli.division import Prepared, held_out, prepare, remade
    from glassnet.cli.folders import load_run, whole_or_nothing

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
    if before.data is None:
        if data is not None:
            before.facts["source"] = {**source_facts, **_same_kind(source_facts, data, target)}
        source, division = remade(before)
        again = prepare(
            source, division, before.preparation, loss=before.settings.loss.name, unseen=source_facts.get("unseen")
        )
        given = {"X": again.train[0], "Y": again.train[1], "validation": again.validation}
    voice.say(f"Going on with {resume}: {before.network}, {len(before.history)} epochs done of {wanted}.")
    with whole_or_nothing(place):
        run = glassnet.train(
            resume=before if skip_damaged else resume,
            **given,
            epochs=wanted,
            max_seconds=max_seconds,
            out=None if out is None else place,
            overwrite=overwrite,
            progress=not voice.quiet,
        )
    if run.data is None or run.preparation is None:
        return run, None, place
    test = None
    if "split" in source_facts and (source_facts["split"]["test"] or source_facts.get("test_data")):
        try:
            test = held_out(run)
        except GlassnetError as problem:
            voice.say(f"The held-out rows cannot be judged again: {problem}")
    return run, Prepared(run.preparation, (run.data.X, run.data.Y), None, test), place


def _same_kind(described: dict[str, Any], data: str, target: str | None) -> dict[str, Any]:
    """DATA given with --resume, when the file has moved."""
    from glassnet.cli.source import Reading, read_source

    found = read_source(
        data,
        target or described.get("target"),
        Reading(described.get("delimiter"), described.get("header", "auto")),
        fingerprints=True,
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
    columns = {"network, training rows": train.metrics}
    if test is not None:
        columns["network, held-out rows"] = test.metrics
    if plain is not None:
        columns[f"{name}, held-out rows"] = plain.metrics
    voice.say()
    voice.table(metrics_table(columns))
    classes = run.preparation.classes if run.preparation is not None else None
    if test is not None and classes is not None and len(classes) <= 10:
        voice.table(confusion_table(test.metrics["confusion_matrix"], classes, "Network, held-out rows"))
    if test is not None and plain is not None:
        voice.say(verdict(test, plain, name, run))
