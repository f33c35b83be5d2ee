"""How good the run of a report is, in numbers, beside what a plain model reaches; and the rows it gets wrong."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glassnet.equations.entry_text import short_number
from glassnet.training.arrays import Samples
from glassnet.views.metrics import classification_metrics, regression_metrics
from glassnet.views.plane import features_of
from glassnet.views.report_inputs import Pixels, own_units, picture, pixels_of
from glassnet.views.report_rows import Rows, Subject, dense_rows

Array = NDArray[Any]

METRICS = "metrics.json"
MOST_MISTAKES = 24
MOST_FEATURES = 8
MOST_CLASSES = 20
MOST_POINTS = 1_000
NAMES = {
    "cost": ("cost", "mean over the rows, without penalty"),
    "accuracy": ("accuracy", "share of the rows predicted right"),
    "precision": ("precision", "of the rows predicted as a class, the share that is that class"),
    "recall": ("recall", "of the rows of a class, the share that was found"),
    "f1": ("F1", "2 · precision · recall / (precision + recall)"),
    "r2": ("R²", "share of the variance explained"),
    "rmse": ("RMSE", "typical error, in the target's units"),
    "mae": ("MAE", "mean absolute error, in the target's units"),
    "n": ("rows", ""),
}  # fmt: skip


def kept_metrics(subject: Subject) -> dict[str, Any] | None:
    """metrics.json beside the run, when it is of this state of the network."""
    run = subject.run
    if run.folder is None:
        return None
    try:
        found = json.loads((run.folder / METRICS).read_text(encoding="utf-8"))
        fits = found["run"] == run.facts["id"] and found["iteration"] == run.iteration
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return found if fits else None


def judged(subject: Subject, rows: Rows) -> dict[str, Any]:
    """Cost and metrics of the network on these rows."""
    return _metrics(subject, rows, subject.outputs(rows), subject.measure)


def plainest(subject: Subject, rows: Rows) -> tuple[str, dict[str, Any]] | None:
    """What a model that looks at no feature reaches: always the most frequent class, or the mean, of the training rows."""
    if subject.training is None or subject.task == "labels":
        return None
    Y = subject.training.samples.Y
    if subject.task == "regression":
        name = f"always the mean of '{subject.target}'" if subject.run.preparation is not None else "always the mean"
        return name, _metrics(subject, rows, np.tile(Y.mean(axis=0), (len(rows), 1)), None)
    k = len(subject.classes)
    frequent = int(np.bincount(subject.codes(Y), minlength=k).argmax())
    found = classification_metrics(subject.codes(rows.samples.Y), np.full(len(rows), frequent), subject.classes, None)
    return f"always '{subject.classes[frequent]}'", {"accuracy": found["accuracy"], "n": found["n"]}


def _metrics(subject: Subject, rows: Rows, outputs: Array, measure: Any) -> dict[str, Any]:
    cost, metric = (None, None) if measure is None else measure(subject.run.state, rows.samples)
    Y = rows.samples.Y
    if subject.task == "labels":
        return {"cost": cost, "accuracy": metric, "n": len(rows), "notes": []}
    if subject.task == "classes":
        return classification_metrics(subject.codes(Y), subject.codes(outputs), subject.classes, cost)
    return regression_metrics(subject.in_units(Y), subject.in_units(outputs), cost)


def table(columns: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Metrics side by side for the page: heads, lines of (name, meaning, texts, exact values), and the notes below."""
    several = any("per_class" in metrics for metrics in columns.values())
    lines = []
    for key, (name, meaning) in NAMES.items():
        values = [metrics.get(key) for metrics in columns.values()]
        if all(value is None for value in values):
            continue
        said = f"{meaning}; mean over the classes" if several and key in ("precision", "recall", "f1") else meaning
        lines.append({"key": key, "name": name, "meaning": said, "values": [_cell(key, value) for value in values]})
    notes = [f"{model}: {note}" for model, metrics in columns.items() for note in metrics.get("notes", ())]
    return {"heads": list(columns), "lines": lines, "notes": notes}


def _cell(key: str, value: Any) -> dict[str, str]:
    if value is None:
        return {"text": "–", "exact": ""}
    if key == "n":
        return {"text": f"{value:,}", "exact": repr(value)}
    text = f"{100 * value:.1f} %" if key in ("accuracy", "precision", "recall", "f1") else short_number(value)
    return {"text": text, "exact": repr(float(value))}


# What it gets wrong.


def confusion(subject: Subject, rows: Rows) -> dict[str, Any] | None:
    """Counts of every true class predicted as every class, with their shares; None where classes are not exclusive."""
    if subject.task != "classes" or len(subject.classes) > MOST_CLASSES:
        return None
    counts = counted(subject, rows, subject.outputs(rows))
    totals = counts.sum(axis=1)
    lines = [
        {
            "name": name,
            "total": f"{int(totals[i]):,}",
            "cells": [
                {
                    "count": int(count), "right": i == j, "share": float(count / totals[i]) if totals[i] else 0.0,
                    "percent": f"{100 * count / totals[i]:.0f} %" if totals[i] else "–",
                }
                for j, count in enumerate(counts[i])
            ],
        }
        for i, name in enumerate(subject.classes)
    ]  # fmt: skip
    return {"classes": subject.classes, "lines": lines}


def counted(subject: Subject, rows: Rows, outputs: Array) -> Array:
    """Rows by true class (first axis) and predicted class."""
    k = len(subject.classes)
    pairs = subject.codes(rows.samples.Y) * k + subject.codes(outputs)
    return np.bincount(pairs, minlength=k * k).reshape(k, k)


def mistakes(subject: Subject, rows: Rows) -> dict[str, Any] | None:
    """The worst mistakes: as pictures where the inputs are pictures, else as a table with the features in their own units."""
    if subject.task == "labels":
        return None
    outputs = subject.outputs(rows)
    if subject.task == "regression":
        return _worst_rows(subject, rows, outputs)
    true, predicted = subject.codes(rows.samples.Y), subject.codes(outputs)
    wrong = np.flatnonzero(true != predicted)
    truth = _given_to(subject, outputs, true)
    chosen = wrong[np.argsort(truth[wrong], kind="stable")][:MOST_MISTAKES]
    said = _said_of_outputs(subject)
    found: dict[str, Any] = {"wrong": len(wrong), "count": len(rows), "said": said, "kind": "table", "lines": []}
    X = _flat(dense_rows(rows.samples.X, chosen))
    heads = ["row", "true", "predicted", said]
    cells = [
        [f"{rows.numbers[i]}", subject.classes[true[i]], subject.classes[predicted[i]], short_number(truth[i], 3)]
        for i in chosen
    ]
    pixels = pixels_of(subject.run)
    if pixels is not None:
        return {**found, "kind": "pictures", "lines": _pictures(subject, pixels, X, cells)}
    return {**found, **_with_features(subject, X, heads, cells)}


def _with_features(subject: Subject, X: Array, heads: list[str], cells: list[list[str]]) -> dict[str, Any]:
    names, features = own_units(subject.run, X, MOST_FEATURES)
    left = _feature_count(subject) - len(names)
    return {
        "heads": heads,
        "features": names,
        "left_out": left,
        "lines": [[*a, *b] for a, b in zip(cells, features, strict=True)],
    }


def _feature_count(subject: Subject) -> int:
    described = getattr(subject.run.preparation, "features", None)
    return len(described) if described is not None else math.prod(subject.run.network.input_shape)


def _pictures(subject: Subject, pixels: Pixels, X: Array, cells: list[list[str]]) -> list[dict[str, Any]]:
    known = features_of(subject.run)
    return [
        {"image": picture(pixels, row.astype(np.float64) * known.scale + known.offset), "cells": texts}
        for row, texts in zip(X, cells, strict=True)
    ]


def _given_to(subject: Subject, outputs: Array, true: Array) -> Array:
    """What the outputs give to each row's true class: its probability, its score, or for one score the margin."""
    if outputs.shape[1] > 1:
        return np.asarray(outputs[np.arange(len(true)), true])
    if subject.run.settings.loss.name == "hinge":
        return np.asarray(np.where(true == 1, outputs[:, 0], -outputs[:, 0]))
    return np.asarray(np.where(true == 1, outputs[:, 0], 1.0 - outputs[:, 0]))


def _said_of_outputs(subject: Subject) -> str:
    return "P(true class)" if subject.probabilities else "output for the true class"


def _worst_rows(subject: Subject, rows: Rows, outputs: Array) -> dict[str, Any]:
    true, predicted = subject.in_units(rows.samples.Y), subject.in_units(outputs)
    error = np.abs(predicted - true).mean(axis=1)
    chosen = np.argsort(-error, kind="stable")[: MOST_MISTAKES // 2]
    outputs_shown = min(true.shape[1], 2)
    heads, cells = ["row"], [[f"{rows.numbers[i]}"] for i in chosen]
    for output in range(outputs_shown):
        which = "" if true.shape[1] == 1 else f" {output + 1}"
        heads += [f"true{which}", f"predicted{which}", f"true − predicted{which}"]
        for place, i in enumerate(chosen):
            pair = float(true[i, output]), float(predicted[i, output])
            cells[place] += [short_number(pair[0], 5), short_number(pair[1], 5), short_number(pair[0] - pair[1], 4)]
    X = _flat(dense_rows(rows.samples.X, chosen))
    return {"kind": "table", "count": len(rows), "wrong": None, "said": "", **_with_features(subject, X, heads, cells)}


def _flat(X: np.ndarray) -> np.ndarray:
    """Rows of features, of pictures all their numbers."""
    return X.reshape(len(X), math.prod(X.shape[1:]))


def scatter(subject: Subject, rows: Rows) -> list[dict[str, Any]]:
    """True and predicted quantities of some rows, an entry for each of the first outputs."""
    if subject.task != "regression":
        return []
    chosen = some_of(len(rows), MOST_POINTS)
    true, predicted = subject.in_units(rows.samples.Y), subject.in_units(subject.outputs(rows))
    names = [subject.target] if true.shape[1] == 1 else [f"{subject.target} {o + 1}" for o in range(true.shape[1])]
    return [
        {
            "name": names[output], "rows": [int(n) for n in rows.numbers[chosen]], "count": len(rows),
            "true": true[chosen, output], "predicted": predicted[chosen, output],
        }
        for output in range(min(true.shape[1], 2))
    ]  # fmt: skip


def some_of(count: int, most: int) -> Array:
    """At most so many positions, evenly spread."""
    if count <= most:
        return np.arange(count)
    return np.unique(np.linspace(0, count - 1, most).round().astype(np.int64))


def some_rows(rows: Rows, most: int) -> tuple[Array, Samples]:
    """At most so many of the rows, evenly spread: positions, and the samples."""
    chosen = some_of(len(rows), most)
    return chosen, rows.samples.take(chosen)
