"""The words of a report: its summary, what was trained on what, and how the training went."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.equations.entry_text import short_number
from glassnet.equations.page import settings_text
from glassnet.training.arrays import sparse
from glassnet.views.report_rows import Subject

if TYPE_CHECKING:
    from glassnet.training.run import Run

MOST_FEATURES = 40
MOST_CLASSES = 30
Fact = tuple[str, str]

METHODS = {
    "SGD": "gradient descent", "LBFGS": "L-BFGS", "Newton": "Newton's method", "LeastSquares": "least squares",
}  # fmt: skip


def title(run: Run) -> str:
    """What a report is called."""
    if run.preparation is None:
        return f"A network: {run.network}"
    source = source_name(run)
    return f"Predicting {run.preparation.target}{f' from {source}' if source else ''}"


def source_name(run: Run) -> str:
    """The data's name, without its folder."""
    path = str((run.facts.get("source") or {}).get("path") or "")
    return path.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]


def summary(subject: Subject, columns: Mapping[str, Mapping[str, Any]], verdict: str | None) -> list[str]:
    """What a colleague wants to know first, in sentences."""
    run = subject.run
    rows = run.facts["data"]["rows"]
    source = source_name(run)
    said = [
        f"The network {run.network} ({_count(run.derivation.parameter_count, 'parameter')}) {_learnt(subject)} from "
        f"{_count(rows, 'row')}{f' of {source}' if source else ''}, by {_method(run)}. {_ended(run)}"
    ]
    said += [_how_good(subject, columns)] if columns else []
    said += [f"{verdict.split(':')[0].rstrip('.')}."] if verdict else []
    return [sentence for sentence in said if sentence]


def figures(subject: Subject, columns: Mapping[str, Mapping[str, Any]]) -> list[dict[str, str]]:
    """The few numbers at the top of the page: what it reaches, what a plain model reaches, its size and time."""
    run = subject.run
    found = []
    key, name = ("rmse", "typical error (RMSE)") if subject.task == "regression" else ("accuracy", "predicted right")
    for column, metrics in columns.items():
        if metrics.get("judged") and metrics.get(key) is not None:
            value = metrics[key]
            text = short_number(value) if key == "rmse" else f"{100 * value:.1f} %"
            found.append({"text": text, "said": f"{name}: {column}", "exact": repr(float(value))})
    parameters = run.derivation.parameter_count
    found.append({"text": f"{parameters:,}", "said": "parameters", "exact": repr(parameters)})
    if "seconds" in run.history and len(run.history):
        seconds = float(run.history["seconds"][-1])
        found.append(
            {"text": _time(seconds), "said": f"for {_count(len(run.history), 'epoch')}", "exact": repr(seconds)}
        )
    return found


def _learnt(subject: Subject) -> str:
    if subject.task == "regression":
        return (
            f"was trained to predict {subject.target}"
            if subject.run.preparation is not None
            else "was trained to predict Y"
        )
    if subject.task == "labels":
        return f"was trained to predict {subject.run.network.output_units} labels"
    names = subject.classes
    if len(names) > 6:
        return f"was trained to tell {len(names)} classes apart ({names[0]} to {names[-1]})"
    listed = ", ".join(names[:-1]) + f" and {names[-1]}"
    return f"was trained to tell the classes {listed} apart"


def _method(run: Run) -> str:
    name = type(run.settings.optimizer).__name__
    size = run.settings.batch_size
    batches = f" on batches of {size:,}" if size is not None and size < run.facts["data"]["rows"] else ""
    return f"{METHODS.get(name, name)}{batches}"


def _ended(run: Run) -> str:
    count = f"{_count(run.iteration, 'update')} in {_count(len(run.history), 'epoch')}"
    ends = {
        "finished": "The training finished after", "converged": "It converged after", "diverged": "It diverged after",
        "stopped early": "It was stopped early, after", "interrupted": "It was interrupted after",
        "out of time": "It ran out of time after", "running": "It has not ended; this is the state after",
    }  # fmt: skip
    kept = (
        f"; the parameters of iteration {run.restored:,}, the best one, were kept"
        if run.restored != run.iteration
        else ""
    )
    return f"{ends.get(run.status, f'It is {run.status} after')} {count}{kept}."


def _how_good(subject: Subject, columns: Mapping[str, Mapping[str, Any]]) -> str:
    """How good it is on the rows it is judged by, beside the models it is compared with."""
    (where, mine), *others = [(name, m) for name, m in columns.items() if m.get("judged")]
    n, where = int(mine["n"]), where.split(", ")[-1]
    others = [(name.rsplit(", ", 1)[0], m) for name, m in others]
    if subject.task == "regression":
        if mine.get("rmse") is None:
            return ""
        r2 = f", R² {short_number(mine['r2'], 3)}" if mine.get("r2") is not None else ""
        beside = [f"{name}: {short_number(m['rmse'])}" for name, m in others if m.get("rmse") is not None]
        rest = f"; for comparison, {'; '.join(beside)}" if beside else ""
        return f"Its typical error (RMSE) on the {n:,} {where} is {short_number(mine['rmse'])}{r2}{rest}."
    right = round(mine["accuracy"] * n)
    beside = [f"{name}: {100 * m['accuracy']:.1f} %" for name, m in others if m.get("accuracy") is not None]
    rest = f"; for comparison, {'; '.join(beside)}" if beside else ""
    return f"Of the {n:,} {where} it gets {right:,} right, {100 * mine['accuracy']:.1f} %{rest}."


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


# What was trained on what.


def data_facts(subject: Subject) -> list[Fact]:
    """Where the rows are from, and which were used for what."""
    run = subject.run
    source, about = run.facts.get("source") or {}, run.facts["data"]
    found: list[Fact] = []
    if source.get("path"):
        found.append(("data", f"{source['path']}{' (comes with glassnet)' if source.get('bundled') else ''}"))
    else:
        found.append(("data", "arrays from Python"))
    found.append(("rows trained on", f"{about['rows']:,}"))
    if about.get("validation_rows"):
        found.append(("rows watched while training", f"{about['validation_rows']:,}"))
    if subject.held_out is not None:
        found.append(("rows held out", f"{len(subject.held_out):,}, which the training never saw"))
    split = source.get("split")
    if split:
        found.append(("rows divided", _divided(split)))
    if subject.task != "regression":
        found.append(("target", _target_text(subject)))
        found += _class_counts(subject)
    else:
        found.append(("target", _target_text(subject)))
    inputs = math.prod(run.network.input_shape)
    kind = " (sparse)" if subject.training is not None and sparse(subject.training.samples.X) else ""
    maps = " × ".join(str(size) for size in run.network.input_shape)
    shape = f", each sample {maps} (channels, rows, columns)" if len(run.network.input_shape) == 3 else ""
    found.append(("inputs of the network", f"{inputs:,}{kind}{shape}"))
    if about.get("fingerprint"):
        found.append(("fingerprint of the rows", about["fingerprint"]))
    if about.get("zero_weight_rows"):
        found.append(("rows of weight 0", f"{about['zero_weight_rows']:,}"))
    if run.settings.weighted:
        found.append(("weights", "each row has one; the cost is their weighted mean, the counts below are plain"))
    return found


def _divided(split: Mapping[str, Any]) -> str:
    parts = [
        f"{_share(split[key])} {name}"
        for key, name in (("test", "held out"), ("validation", "watched"))
        if split.get(key)
    ]
    way = "each class in proportion" if split.get("task") != "regression" else "at random"
    return f"{', '.join(parts) or 'all trained on'}; {way}, seed {split.get('seed')}"


def _share(value: float) -> str:
    return f"{100 * value:g} %" if value < 1 else f"{value:,} rows"


def _target_text(subject: Subject) -> str:
    preparation = subject.run.preparation
    if subject.task == "labels":
        return f"{subject.run.network.output_units} labels, each 0 or 1"
    if subject.task == "regression":
        if preparation is None:
            outputs = subject.run.network.output_units
            return "Y, a quantity" if outputs == 1 else f"Y, {outputs} quantities"
        spread = (
            f"mean {short_number(preparation.target_mean)}, standard deviation {short_number(preparation.target_std)}"
        )
        plain = preparation.target_mean == 0 and preparation.target_std == 1
        return f"{preparation.target}, a quantity ({'in its own units' if plain else spread + ' in the training rows'})"
    name = subject.target if preparation is not None else "Y"
    return f"{name}, {len(subject.classes)} classes"


def _class_counts(subject: Subject) -> list[Fact]:
    if subject.task != "classes" or subject.training is None:
        return []
    counts = np.bincount(subject.codes(subject.training.samples.Y), minlength=len(subject.classes))
    shown = [f"{name}: {int(count):,}" for name, count in zip(subject.classes, counts, strict=True)]
    more = f" and {len(shown) - MOST_CLASSES} more classes" if len(shown) > MOST_CLASSES else ""
    return [("rows of each class, trained on", ", ".join(shown[:MOST_CLASSES]) + more)]


def features(run: Run) -> dict[str, Any]:
    """A line each for the table's columns: name, kind, what was done; and how many more there are."""
    described = getattr(run.preparation, "features", None)
    if described is None:
        said = "" if run.preparation is None else run.preparation.describe()
        return {"lines": [], "left_out": 0, "said": said}
    lines = [feature.describe() for feature in described[:MOST_FEATURES]]
    return {"lines": lines, "left_out": len(described) - len(lines), "said": ""}


def settings_facts(run: Run) -> list[Fact]:
    """Everything needed to make the same run again."""
    settings = run.settings
    found: list[Fact] = [
        ("network", f"{run.network}"),
        ("parameters", f"{run.derivation.parameter_count:,}"),
        ("loss", settings.loss.name.replace("_", " ")),
        ("optimiser", settings_text(settings.optimizer)),
        ("epochs", f"{settings.epochs:,} at most"),
        ("batches", "all rows at once" if settings.batch_size is None else f"{settings.batch_size:,} rows each"),
    ]
    if settings.l1:
        found.append(("L1 penalty", f"{settings.l1:g}"))
    if settings.l2:
        found.append(("L2 penalty", f"{settings.l2:g}"))
    found += [
        ("seed", f"{settings.seed}"),
        ("numbers", settings.dtype),
        ("engine", f"{settings.engine}, {_count(settings.threads, 'thread')}"),
        ("snapshots kept", f"{len(run.snapshots):,}"),
    ]
    versions = run.facts.get("versions") or {}
    found.append(("versions", ", ".join(f"{name} {value}" for name, value in versions.items())))
    if run.facts.get("id"):
        found.append(("run", run.facts["id"]))
    return found


# How training went.


def training_facts(subject: Subject) -> list[Fact]:
    """How it ended, how long it took, and its best epoch."""
    run, history = subject.run, subject.run.history
    found: list[Fact] = [("ended", f"{run.status}, after {_ended(run).rsplit('after ', 1)[-1].rstrip('.')}")]
    if "seconds" in history and len(history):
        found.append(("time", _time(float(history["seconds"][-1]))))
    if len(history):
        first, last = run.initial.get("cost"), history.last()["cost"]
        found.append(("cost", f"{f'{short_number(first)} before the first update, ' if first is not None else ''}"
                              f"{short_number(last)} after the last"))  # fmt: skip
    best = best_epoch(run)
    if best is not None:
        said = "; its parameters were kept" if run.restored != run.iteration else ""
        found.append(("best epoch", f"{best[0]:,}, validation cost {short_number(best[1])}{said}"))
    return found


def best_epoch(run: Run) -> tuple[int, float] | None:
    """The epoch whose validation cost is lowest, and that cost; None without validation rows."""
    if "validation_cost" not in run.history:
        return None
    cost = run.history["validation_cost"]
    if not np.isfinite(cost).any():
        return None
    place = int(np.nanargmin(np.where(np.isfinite(cost), cost, np.nan)))
    return int(run.history["epoch"][place]), float(cost[place])


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{short_number(seconds, 3)} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours"


def notes(run: Run) -> list[str]:
    """What was decided or noticed on the way, by the preparation and the training."""
    prepared = [] if run.preparation is None else list(run.preparation.notes)
    said = [run.message] if run.message else []
    return [*said, *run.notes, *prepared]
