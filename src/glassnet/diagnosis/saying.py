"""A diagnosis and a cure in words: plain text for a terminal, and JSON for programs."""

from __future__ import annotations

import json
import math
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.diagnosis.changes import Change, DataChange
from glassnet.diagnosis.findings import Diagnosis, Finding, Proof, Verdict, number
from glassnet.diagnosis.python_source import Source, python_code, written

if TYPE_CHECKING:
    from glassnet.diagnosis.cure import Cure

__all__ = [
    "alarms_text", "as_json", "as_plain", "as_text", "cure_plain", "cure_python", "cure_text", "diff_lines", "proof_said",
    "python_code", "score_said", "verdict_said",
]  # fmt: skip

WIDTH = 100
NOTES_SHOWN = 6
TRIALS_SHOWN = 5
CURES_SHOWN = 3
SETTINGS_SHOWN = 60
METRICS = {"accuracy": "accuracy", "r2": "R²"}
MARKS = {"critical": "✗ critical", "warning": "! warning", "note": "· note"}
YARDSTICKS = {"small network": "a small healthy network", "linear model": "a linear model", "guessing": ""}
"""How a yardstick is called in a sentence; another one is called by its own name."""
NOT_FINITE = ("training.not_finite", "training.divergence", "loss.log_of_zero")
GUESSING = {"accuracy": "guessing the most frequent class", "r2": "predicting the mean"}


# Numbers and sentences that the text and the pages share.


def score_said(score: float | None) -> str:
    """A score with two or three decimals.

    >>> score_said(0.5), score_said(0.8642), score_said(None)
    ('0.50', '0.864', 'not finite')
    """
    if score is None or not math.isfinite(score):
        return "not finite"
    text = f"{round(score, 3) + 0.0:.3f}"  # + 0 takes the sign off a zero
    return text[:-1] if text.endswith("0") else text


def verdict_said(diagnosis: Diagnosis) -> str:
    """The first sentence: whether it learns, its score, and those of the yardsticks."""
    verdict = diagnosis.verdict
    before = diagnosis.stage == "before training"
    beside = _yardsticks(verdict)
    if verdict.score is None:
        if verdict.learns is False:
            return "It cannot be trained as it stands."
        begun = f"Whether it learns is not known{' before it is trained' if before else ''}"
        metric = METRICS.get(verdict.metric, verdict.metric)
        return f"{begun}; on {verdict.rows} rows {beside} ({metric})." if beside else f"{begun}."
    said = _score(diagnosis)
    if before and diagnosis.costs:
        said = f"a pilot of {_epochs(len(diagnosis.costs))} reaches {said}"
    return f"{_answer(verdict, before)}: {said}{f'; {beside}' if beside else ''}."


def _score(diagnosis: Diagnosis) -> str:
    """ "accuracy 0.51 on held-out rows"."""
    verdict = diagnosis.verdict
    lowest = verdict.score is not None and verdict.score <= (0 if verdict.metric == "accuracy" else -1)
    if lowest and any(finding.kind in NOT_FINITE for finding in diagnosis):
        return "no finite output"
    return f"{METRICS.get(verdict.metric, verdict.metric)} {score_said(verdict.score)} on {verdict.rows} rows"


def _answer(verdict: Verdict, before: bool) -> str:
    if verdict.learns is None:
        return "It may learn" if before else "Whether it learns is not known"
    if verdict.learns:
        return "It learns"
    if verdict.on_training is not None:
        carried = "It would not carry over" if before else "It does not carry over"
        return f"{carried}, {score_said(verdict.on_training)} on the training rows"
    base, score, needed = verdict.yardsticks.get("guessing"), verdict.score, verdict.needed
    if base is not None and score is not None and needed is not None and score > (base + needed) / 2:
        return "It would fall short" if before else "It falls short"
    return "It would not learn" if before else "It does not learn"


def _epochs(count: int) -> str:
    return f"{count:,} epoch{'s' if count != 1 else ''}"


def _yardsticks(verdict: Verdict) -> str:
    """ "a small healthy network reaches 0.86, a linear model 0.62": the best first."""
    scores = verdict.yardsticks
    names = sorted(scores, key=lambda name: -scores[name] if math.isfinite(scores[name]) else math.inf)
    called = [YARDSTICKS.get(name, name) or GUESSING.get(verdict.metric, name) for name in names]
    pairs = enumerate(zip(called, names, strict=True))
    return ", ".join(f"{said} {'' if place else 'reaches '}{score_said(scores[name])}" for place, (said, name) in pairs)


def proof_said(proof: Proof) -> str:
    """ "learning_rate 10 → 0.1: accuracy 0.51 → 0.86 in 30 epochs (0.81 needed), cured"."""
    return f"{proof.change.said}: {_outcome(proof)}"


def _outcome(proof: Proof) -> str:
    metric = METRICS.get(proof.metric, proof.metric)
    return (
        f"{metric} {score_said(proof.before)} → {score_said(proof.after)} in {_epochs(proof.epochs)} "
        f"({score_said(proof.needed)} needed), {'cured' if proof.cured else 'not cured'}"
    )


def change_settings(change: Change) -> dict[str, str]:
    """The changed keyword arguments of `gn.train` as Python; those that are taken away are left out."""
    source = Source()
    return {name: source.of(value, name) for name, value in change.settings.items() if value is not None}


# Plain text.


def as_text(diagnosis: Diagnosis) -> str:
    """The diagnosis as plain text of at most 100 columns.

    The verdict first, then every alarm with its evidence and cure, then notes, then what was checked.
    """
    alarms = diagnosis.alarms
    notes = [finding for finding in diagnosis if finding.severity == "note"]
    lines = _wrapped(verdict_said(diagnosis))
    for finding in alarms:
        lines += ["", *_alarm(finding, diagnosis.features)]
    if not alarms:
        lines += ["", "Nothing was found that needs a cure." if notes else "Nothing was found."]
    if notes:
        lines += ["", "Unusual, without harm that could be seen:" if not alarms else "Notes:"]
        for finding in notes[:NOTES_SHOWN]:
            where = finding.where.said(diagnosis.features)
            lines += _wrapped(f"{finding.sentence}{f' ({where})' if where else ''}", "· ", 2)
        if len(notes) > NOTES_SHOWN:
            more = len(notes) - NOTES_SHOWN
            lines.append(f"  and {more} more note{'s' if more != 1 else ''}")
    if diagnosis.checked:
        lines += ["", *_wrapped(", ".join(diagnosis.checked) + ".", "Checked: ", 0)]
    return "\n".join(lines)


def alarms_text(diagnosis: Diagnosis) -> str:
    """Only what is critical or a warning, as plain text."""
    return "\n\n".join("\n".join(_alarm(finding, diagnosis.features)) for finding in diagnosis.alarms)


def _alarm(finding: Finding, names: tuple[str, ...]) -> list[str]:
    title = finding.title[0].upper() + finding.title[1:]
    lines = _wrapped(f"{title} ({finding.kind})", f"{MARKS[finding.severity]}: ", 0)
    lines += _wrapped(finding.sentence, "", 2)
    for place, one in enumerate(finding.measured):
        lines += _labelled("measured" if place == 0 else "", str(one))
    where = finding.where.said(names)
    if where:
        lines += _labelled("where", where)
    lines += _labelled("how sure", finding.sure)
    for place, change in enumerate(_distinct(finding.cures)[:CURES_SHOWN]):
        settings = ", ".join(f"{name}={value}" for name, value in change_settings(change).items())
        written_out = f"   [{settings}]" if settings and len(settings) <= SETTINGS_SHOWN else ""
        lines += _labelled("cure" if place == 0 else "or", f"{change.said}{written_out}")
    for place, proof in enumerate(finding.proofs):
        same = finding.cures and finding.cures[0].said == proof.change.said
        lines += _labelled("proof" if place == 0 else "", _outcome(proof) if same else proof_said(proof))
    if finding.false_alarm:
        lines += _wrapped(f"If this were a false alarm: {finding.false_alarm}", "", 2)
    return lines


def _distinct(changes: Iterable[Change]) -> list[Change]:
    """The changes without those that are said in the same words."""
    found: dict[str, Change] = {}
    for change in changes:
        found.setdefault(change.said, change)
    return list(found.values())


def _labelled(label: str, text: str) -> list[str]:
    indent = " " * 13
    head = f"  {label}:" if label else ""
    return textwrap.wrap(text, WIDTH, initial_indent=head.ljust(13), subsequent_indent=indent, break_on_hyphens=False)


def _wrapped(text: str, mark: str = "", indent: int = 0) -> list[str]:
    first, rest = " " * indent + mark, " " * (indent + len(mark) if indent else 2 if mark else indent)
    return textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)


# JSON.


def as_plain(diagnosis: Diagnosis) -> dict[str, Any]:
    """The diagnosis as a JSON object; a score that is not finite is None, such a measured value a text."""
    verdict = diagnosis.verdict
    return {
        "said": verdict_said(diagnosis),
        "verdict": {
            "learns": verdict.learns, "metric": verdict.metric, "rows": verdict.rows, "score": _finite(verdict.score),
            "on_training": diagnosis.verdict.on_training, "needed": _finite(verdict.needed),
            "yardsticks": {name: _finite(score) for name, score in verdict.yardsticks.items()},
        },
        "findings": [_plain_finding(finding, diagnosis.features) for finding in diagnosis],
        "checked": list(diagnosis.checked),
        "stage": diagnosis.stage,
        "about": diagnosis.about,
        "seconds": _finite(diagnosis.seconds),
        "costs": [[_finite(epoch), _finite(cost)] for epoch, cost in diagnosis.costs],
    }  # fmt: skip


def as_json(diagnosis: Diagnosis, path: str | Path | None = None) -> str:
    """The diagnosis as JSON text; written whole, or not at all, to `path` when one is given."""
    return _json(as_plain(diagnosis), path)


def _json(plain: Mapping[str, Any], path: str | Path | None) -> str:
    text = json.dumps(plain, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    if path is not None:
        from glassnet.training.files import write_bytes

        write_bytes(Path(path), text.encode())
    return text


def _plain_finding(finding: Finding, names: tuple[str, ...]) -> dict[str, Any]:
    where = finding.where
    return {
        "kind": finding.kind,
        "title": finding.title,
        "severity": finding.severity,
        "sentence": finding.sentence,
        "confidence": _finite(finding.confidence),
        "sure": finding.sure,
        "certain": finding.certain,
        "measured": [
            {"name": one.name, "value": _value(one.value), "said": number(one.value), "normal": one.normal}
            for one in finding.measured
        ],
        "where": {
            "said": where.said(names), "layer": _whole(where.layer), "units": _wholes(where.units),
            "equation": where.equation, "epochs": _wholes(where.epochs), "features": _wholes(where.features),
            "rows": _wholes(where.rows),
        },
        "cures": [plain_change(change) for change in _distinct(finding.cures)],
        "false_alarm": finding.false_alarm,
        "proofs": [
            {
                "said": proof_said(proof), "change": proof.change.said, "before": _finite(proof.before),
                "after": _finite(proof.after), "needed": _finite(proof.needed), "metric": proof.metric,
                "epochs": int(proof.epochs), "cured": bool(proof.cured),
            }
            for proof in finding.proofs
        ],
    }  # fmt: skip


def plain_change(change: Change) -> dict[str, Any]:
    """A change as a JSON object: in words, its settings as Python, and what is done to the data."""
    return {"said": change.said, "settings": change_settings(change), "data": [step.said for step in change.data]}


def _finite(value: Any) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def _value(value: Any) -> float | int | str:
    if isinstance(value, str):
        return value
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "infinity" if value > 0 else "-infinity"
    return int(value) if isinstance(value, int | np.integer) else float(value)


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)


def _wholes(values: Iterable[Any] | None) -> list[int] | None:
    return None if values is None else [int(value) for value in values]


# Cures.


def diff_lines(before: Mapping[str, Any], after: Mapping[str, Any], data: Iterable[DataChange] = ()) -> list[str]:
    """What differs between two trainings, as the lines of a diff: "- optimizer: SGD(10)", "+ optimizer: SGD(0.1)".

    Parameters
    ----------
    before, after : keyword arguments of `gn.train`, "network" among them
    data : what is done to the data first
    """
    lines = [f"+ data: {step.said}" for step in data]
    for name in dict.fromkeys([*before, *after]):
        old, new = before.get(name), after.get(name)
        if name in before and name in after and _equal(old, new):
            continue
        lines += [f"- {name}: {written(old)}"] if name in before else []
        lines += [f"+ {name}: {written(new)}"] if name in after else []
    return lines


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(_equal(a[name], b[name]) for name in a)
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return np.array_equal(np.asarray(a), np.asarray(b))
    return bool(a == b)


def cure_text(cure: Cure) -> str:
    """Before → after with every seed, the settings that changed, and the Python that does it; or that there is no cure."""
    metric, spent = METRICS.get(cure.metric, cure.metric), _spent(cure)
    if cure.change is None and cure.learns:
        return "\n".join(_wrapped(f"There is nothing to cure: {metric} {score_said(cure.before)} on {cure.rows} rows."))
    if cure.change is None:
        lines = _wrapped(f"No cure was found within the budget: {spent}.")
        needs = f", and {score_said(cure.needed)} would be enough" if math.isfinite(cure.needed) else ""
        lines += _wrapped(f"The {metric} on {cure.rows} rows is {score_said(cure.before)}{needs}.")
        best = sorted(cure.tried, key=lambda trial: -trial.score if math.isfinite(trial.score) else math.inf)
        if best:
            lines += ["", "The best of them:"]
            for trial in best[:TRIALS_SHOWN]:
                reached = f"{metric} {score_said(trial.score)} after {_epochs(trial.epochs)}"
                lines += _wrapped(f"{trial.change.said} ({reached})", "· ", 2)
        return "\n".join(lines)
    after = ", ".join(score_said(score) for score in cure.after)
    seeds = f" with {len(cure.after)} seeds" if len(cure.after) > 1 else ""
    lines = _wrapped(
        f"Cured: {metric} {score_said(cure.before)} → {after}{seeds} on {cure.rows} rows; {score_said(cure.needed)} was needed."
    )
    lines += _wrapped(f"{spent[0].upper()}{spent[1:]}.")
    lines += ["", *diff_lines(cure.settings_before, cure.settings_after, cure.change.data)]
    lines += ["", "In Python:", ""]
    code = cure_python(cure)
    return "\n".join([*lines, textwrap.indent(code.rstrip("\n"), "    ", lambda line: bool(line.strip()))])


def cure_python(cure: Cure) -> str:
    """The cured training as Python that runs as it stands; "" when there is no cure."""
    if cure.change is None:
        return ""
    held = cure.run is not None and cure.run.validation is not None
    return python_code(cure.settings_after, cure.change.data, held)


def cure_plain(cure: Cure) -> dict[str, Any]:
    """The cure as a JSON object."""
    return {
        "found": cure.change is not None,
        "learns": bool(cure.learns),
        "change": None if cure.change is None else plain_change(cure.change),
        "metric": cure.metric,
        "rows": cure.rows,
        "before": _finite(cure.before),
        "after": [_finite(score) for score in cure.after],
        "needed": _finite(cure.needed),
        "tried": [
            {"change": one.change.said, "score": _finite(one.score), "epochs": int(one.epochs), "round": int(one.round)}
            for one in cure.tried
        ],
        "seconds": _finite(cure.seconds),
        "budget": _finite(cure.budget),
        "diff": [] if cure.change is None else diff_lines(cure.settings_before, cure.settings_after, cure.change.data),
        "python": cure_python(cure) or None,
    }


def _spent(cure: Cure) -> str:
    """ "tried 5 changes in 1.2 s of the 3 s allowed"."""
    count = len({trial.change.said for trial in cure.tried})
    what = f"tried {count:,} change{'s' if count != 1 else ''}" if count else "tried nothing"
    return f"{what} in {cure.seconds:.2g} s of the {cure.budget:.2g} s allowed"
