"""A diagnosis and a cure in words: plain text for a terminal, and JSON for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.diagnosis.cure_saying import cure_plain, cure_python, cure_text, diff_lines
from glassnet.diagnosis.findings import Diagnosis, Finding, Proof, Verdict, number
from glassnet.diagnosis.python_source import python_code
from glassnet.diagnosis.wording import (
    METRICS,
    change_said,
    change_settings,
    distinct,
    epochs_said,
    finite,
    labelled,
    plain_change,
    score_said,
    wrapped,
)

__all__ = [
    "alarms_text", "as_json", "as_plain", "as_text", "cure_plain", "cure_python", "cure_text", "diff_lines", "proof_said",
    "python_code", "score_said", "untested", "verdict_said",
]  # fmt: skip

NOTES_SHOWN = 6
CURES_SHOWN = 3
SETTINGS_SHOWN = 60
STRONG = 0.5
"""The confidence from which a suspicion that was not tested is said with its cure."""
MARKS = {"critical": "✗ critical", "warning": "! warning", "note": "· note"}
YARDSTICKS = {"small network": "a small healthy network", "linear model": "a linear model", "guessing": ""}
"""How a yardstick is called in a sentence; another one is called by its own name."""
GUESSING = {"accuracy": "guessing the most frequent class", "r2": "predicting the mean"}


# Numbers and sentences that the text and the pages share.


def verdict_said(diagnosis: Diagnosis) -> str:
    """The first sentence: whether it learns, its score, and those of the yardsticks."""
    verdict = diagnosis.verdict
    before = diagnosis.stage == "before training"
    beside = _yardsticks(diagnosis)
    if verdict.score is None:
        if verdict.learns is False:
            return "It cannot be trained as it stands."
        begun = f"Whether it learns is not known{' before it is trained' if before else ''}"
        metric = METRICS.get(verdict.metric, verdict.metric)
        return f"{begun}; on {verdict.rows} rows {beside} ({metric})." if beside else f"{begun}."
    said = _score(diagnosis)
    if before and diagnosis.costs:
        said = f"a pilot of {epochs_said(len(diagnosis.costs))} reaches {said}"
    return f"{_answer(verdict, before)}: {said}{f'; {beside}' if beside else ''}."


def untested(diagnosis: Diagnosis) -> bool:
    """Whether nothing was trained to find out if the training learns: its notes are suspicions."""
    return (
        diagnosis.verdict.learns is None and not {"small network", "linear model"} & diagnosis.verdict.yardsticks.keys()
    )


def _without_output(diagnosis: Diagnosis) -> bool:
    """Whether the score is the least there is because the output is not finite."""
    verdict = diagnosis.verdict
    lowest = verdict.score is not None and verdict.score <= (0 if verdict.metric == "accuracy" else -1)
    return lowest and any(finding.kind == "training.not_finite" for finding in diagnosis)


def _score(diagnosis: Diagnosis) -> str:
    """ "accuracy 0.510 on held-out rows"."""
    verdict = diagnosis.verdict
    if _without_output(diagnosis):
        return "no finite output"
    each = f" ({diagnosis.questions} answers a row, each counted)" if diagnosis.questions else ""
    return f"{METRICS.get(verdict.metric, verdict.metric)} {score_said(verdict.score)} on {verdict.rows} rows{each}"


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


def _yardsticks(diagnosis: Diagnosis) -> str:
    """ "a small healthy network reaches 0.860, a linear model 0.620": the best first."""
    verdict = diagnosis.verdict
    scores = verdict.yardsticks
    guess = "guessing the more frequent answers" if diagnosis.questions else GUESSING.get(verdict.metric, "guessing")
    names = sorted(scores, key=lambda name: -scores[name] if math.isfinite(scores[name]) else math.inf)
    called = [YARDSTICKS.get(name, name) or guess for name in names]
    pairs = enumerate(zip(called, names, strict=True))
    return ", ".join(f"{said} {'' if place else 'reaches '}{score_said(scores[name])}" for place, (said, name) in pairs)


def proof_said(proof: Proof) -> str:
    """ "learning_rate 10 → 0.1: accuracy 0.510 → 0.860 in 30 epochs (0.810 needed), cured"."""
    return f"{change_said(proof.change)}: {_outcome(proof)}"


def _outcome(proof: Proof) -> str:
    metric = METRICS.get(proof.metric, proof.metric)
    began = "" if math.isnan(proof.before) else f"{score_said(proof.before)} → "
    return (
        f"{metric} {began}{score_said(proof.after)} in {epochs_said(proof.epochs)} "
        f"({score_said(proof.needed)} needed), {'cured' if proof.cured else 'not cured'}"
    )


# Plain text.


def as_text(diagnosis: Diagnosis) -> str:
    """The diagnosis as plain text, as wide as the terminal, of at most 100 columns.

    The verdict first, then every alarm with its evidence and cure, then notes, then what was checked.
    """
    names = diagnosis.features
    said: Sequence[Finding]
    notes = [finding for finding in diagnosis if finding.severity == "note"]
    lines = wrapped(verdict_said(diagnosis))
    for finding in diagnosis.alarms:
        lines += ["", *_alarm(finding, names)]
    if untested(diagnosis):
        strong = _together([finding for finding in notes if finding.confidence >= STRONG])
        notes = [finding for finding in notes if finding.confidence < STRONG]
        lines += ["", "Suspicious, not tested:"] if strong else []
        for finding in strong:
            lines += _suspicion(finding, names)
        said = strong
        heading = "Unusual, not tested:"
        if not diagnosis.alarms and not strong:
            lines += ["", "Nothing was found that is strongly suspicious." if notes else "Nothing was found."]
    else:
        said = diagnosis.alarms
        heading = "Notes:" if said else f"{harmless(undecided(diagnosis))}:"
        if not said:
            lines += ["", nothing_said(undecided(diagnosis)) if notes else "Nothing was found."]
    already = {finding.sentence for finding in said}
    notes = [finding for finding in notes if finding.sentence not in already]
    lines += ["", heading, *_notes(notes, names)] if notes else []
    if diagnosis.checked:
        lines += ["", *wrapped(", ".join(diagnosis.checked) + ".", "Checked: ", 0)]
    return "\n".join(lines)


def undecided(diagnosis: Diagnosis) -> bool:
    """Whether a pilot is not there yet, and whether it will be is not known."""
    verdict = diagnosis.verdict
    known = verdict.score is not None and verdict.needed is not None
    return verdict.learns is None and known and float(verdict.score or 0) < float(verdict.needed or 0)


def nothing_said(undecided: bool) -> str:
    """The sentence of a diagnosis without alarms."""
    return "Nothing was found that " + ("is sure to keep it from learning." if undecided else "needs a cure.")


def harmless(undecided: bool) -> str:
    """What the notes of a diagnosis without alarms are called."""
    return "Unusual" + (
        "; the whole training would show whether it does harm" if undecided else ", without harm that could be seen"
    )


def _notes(notes: Sequence[Finding], names: tuple[str, ...]) -> list[str]:
    """A line or two for each note, the first few; what would be said twice is said once."""
    said = list(dict.fromkeys(_placed(finding, names) for finding in notes))
    lines = [line for text in said[:NOTES_SHOWN] for line in wrapped(text, "· ", 2)]
    more = len(said) - NOTES_SHOWN
    return [*lines, f"  and {more} more note{'s' if more != 1 else ''}"] if more > 0 else lines


def _placed(finding: Finding, names: tuple[str, ...]) -> str:
    where = finding.where.said(names)
    return f"{finding.sentence}{f' ({where})' if where else ''}"


def _together(findings: Iterable[Finding]) -> list[Finding]:
    """Findings of the same words as one, as sure as the first, with the first cure of each before their others."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.sentence, []).append(finding)
    return [
        replace(
            same[0], cures=(*(one.cures[0] for one in same if one.cures), *(c for one in same for c in one.cures[1:]))
        )
        for same in groups.values()
    ]


def _suspicion(finding: Finding, names: tuple[str, ...]) -> list[str]:
    """What was not tested: the sentence, how sure it is, and its cures."""
    lines = wrapped(_placed(finding, names), "? ", 2)
    return [*lines, *labelled("how sure", finding.sure, 4), *_cures(finding, 4)]


def alarms_text(diagnosis: Diagnosis) -> str:
    """Only what is critical or a warning, as plain text."""
    return "\n\n".join("\n".join(_alarm(finding, diagnosis.features)) for finding in diagnosis.alarms)


def _alarm(finding: Finding, names: tuple[str, ...]) -> list[str]:
    title = finding.title[0].upper() + finding.title[1:]
    lines = wrapped(f"{title} ({finding.kind})", f"{MARKS[finding.severity]}: ", 0)
    lines += wrapped(finding.sentence, "", 2)
    for place, one in enumerate(finding.measured):
        lines += labelled("measured" if place == 0 else "", str(one))
    where = finding.where.said(names)
    if where:
        lines += labelled("where", where)
    lines += labelled("how sure", finding.sure)
    lines += _cures(finding)
    for place, proof in enumerate(finding.proofs):
        same = finding.cures and finding.cures[0].said == proof.change.said
        lines += labelled("proof" if place == 0 else "", _outcome(proof) if same else proof_said(proof))
    if finding.false_alarm:
        lines += wrapped(f"If this were a false alarm: {finding.false_alarm}", "", 2)
    return lines


def _cures(finding: Finding, indent: int = 2) -> list[str]:
    lines = []
    for place, change in enumerate(distinct(finding.cures)[:CURES_SHOWN]):
        settings = ", ".join(f"{name}={value}" for name, value in change_settings(change).items())
        written_out = f"   [{settings}]" if settings and len(settings) <= SETTINGS_SHOWN else ""
        lines += labelled("cure" if place == 0 else "or", f"{change_said(change)}{written_out}", indent)
    return lines


# JSON.


def as_plain(diagnosis: Diagnosis) -> dict[str, Any]:
    """The diagnosis as a JSON object; a score that is not finite is None, such a measured value a text."""
    verdict = diagnosis.verdict
    return {
        "said": verdict_said(diagnosis),
        "verdict": {
            "learns": verdict.learns, "metric": verdict.metric, "rows": verdict.rows,
            "score": None if _without_output(diagnosis) else finite(verdict.score),
            "on_training": finite(verdict.on_training), "needed": finite(verdict.needed),
            "yardsticks": {name: finite(score) for name, score in verdict.yardsticks.items()},
        },
        "untested": untested(diagnosis), "undecided": undecided(diagnosis),
        "findings": [_plain_finding(finding, diagnosis.features) for finding in diagnosis],
        "checked": list(diagnosis.checked),
        "stage": diagnosis.stage,
        "about": diagnosis.about,
        "seconds": finite(diagnosis.seconds),
        "costs": [[finite(epoch), finite(cost)] for epoch, cost in diagnosis.costs],
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
        "confidence": finite(finding.confidence),
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
        "cures": [plain_change(change) for change in distinct(finding.cures)],
        "false_alarm": finding.false_alarm,
        "proofs": [
            {
                "said": proof_said(proof), "change": change_said(proof.change), "before": finite(proof.before),
                "after": finite(proof.after), "needed": finite(proof.needed), "metric": proof.metric,
                "epochs": int(proof.epochs), "cured": bool(proof.cured),
            }
            for proof in finding.proofs
        ],
    }  # fmt: skip


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
