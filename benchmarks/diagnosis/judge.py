"""One trial put before the diagnosis: what was found, when, by which names, and whether the cure works."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

import glassnet as gn
import glassnet.diagnosis
from benchmarks.diagnosis.random_cure import random_cure
from benchmarks.diagnosis.trials import Trial, judged
from glassnet import GlassnetError
from glassnet.diagnosis.yardsticks import with_held_out, yardsticks

EARLY = 0.3
"""The share of the epochs within which a failing training is found early."""
FIRST = 2
"""The right kind is to be among this many first findings."""


def judge(trial: Trial, cures: bool = True, budget: float | None = None) -> dict[str, Any]:
    """Everything that is counted about one trial, as a JSON object."""
    result: dict[str, Any] = {
        "id": trial.id, "group": trial.group, "kinds": list(trial.kinds), "fails": trial.fails, "needed": trial.needed,
        "score": trial.score, "borderline": trial.borderline, "cannot": trial.cannot, "reported": trial.reported,
        "curable": trial.curable, "nearest": list(trial.nearest),
    }  # fmt: skip
    if trial.network is None or trial.cannot is not None or trial.fails is None:
        return {**result, "cannot": trial.cannot or "not measured"}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return result | _judged(trial, cures, budget)
        except Exception as problem:  # one trial that breaks is counted as one, and the others go on
            return {**result, "error": f"{type(problem).__name__}: {problem}"}


def said(diagnosis: Any) -> list[list[Any]]:
    """The findings as [kind, severity, confidence], in their order."""
    return [[f.kind, f.severity, round(float(f.confidence), 3)] for f in diagnosis.findings]


def _judged(trial: Trial, cures: bool, budget: float | None) -> dict[str, Any]:
    began = time.perf_counter()
    # What glassnet refuses cannot learn: of a training that does, it is the form that is trained that must stay silent.
    asked = trial.asked() if trial.fails else {"network": trial.network, **trial.settings}
    before = gn.diagnosis.diagnose(X=trial.X, Y=trial.Y, validation=trial.validation, **asked)
    seconds = {"before": time.perf_counter() - began}
    found: dict[str, Any] = {"before": said(before), "seconds": seconds}
    watch = gn.diagnosis.Watch()
    try:
        began = time.perf_counter()
        run = trial.train(callbacks=[watch])
        seconds["watched"] = time.perf_counter() - began
        began = time.perf_counter()
        run = trial.train()
        seconds["training"] = time.perf_counter() - began
    except GlassnetError as refusal:
        here = judged(trial, None)
        return {**found, "refused": str(refusal), "after": found["before"], "watch": [], "here": here, "cure": None}
    seconds["watching"] = float(watch.seconds)
    found["watch"] = [[f.kind, f.severity, watch.first_seen[f.kind] / max(1, watch.epochs)] for f in watch.findings]
    found["here"] = judged(trial, run)
    began = time.perf_counter()
    after = gn.diagnosis.diagnose_run(run)
    seconds["after"] = time.perf_counter() - began
    found["after"] = said(after)
    found["curable"] = trial.curable and (trial.group != "published" or healthy_learns(trial))
    found["cure"] = cured(trial, run, after, budget) if cures and trial.fails and found["curable"] else None
    return found


def healthy_learns(trial: Trial) -> bool:
    """Whether a healthy network (or a linear model) learns from a published case's own rows, so that a cure exists.

    A case without held-out rows has a quarter of its rows held out, as for the cure: rows that can only be memorised have none.
    """
    sticks = yardsticks(with_held_out(trial.case()))
    return sticks is not None and sticks.best >= float(trial.needed or 0)


def cured(trial: Trial, run: gn.Run, diagnosis: Any, budget: float | None) -> dict[str, Any] | None:
    """What the cure reached on the trial's held-out rows, and what random changes reach in the same seconds.

    None for a training that learns here, whatever was measured elsewhere.
    """
    case, needed = trial.case(), float(trial.needed or 0)
    if case.judged(run) >= needed:
        return None
    began = time.perf_counter()
    cure = gn.diagnosis.cure_run(run, budget=budget, diagnosis=diagnosis)
    seconds = time.perf_counter() - began
    reached = None if cure.run is None else gn.diagnosis.Case.of_run(cure.run).judged(cure.run)
    score, changes = random_cure(case, needed, seconds)
    return {
        "found": bool(cure.found), "said": None if cure.change is None else cure.change.said, "score": reached,
        "three": [float(s) for s in cure.after], "random": score, "changes": changes, "seconds": seconds,
    }  # fmt: skip


def alarms(findings: Sequence[Sequence[Any]]) -> list[str]:
    """The kinds of the findings that are critical or a warning."""
    return [f[0] for f in findings if f[1] != "note"]


def outcome(result: dict[str, Any]) -> dict[str, bool | None]:
    """What is counted: yes, no, or None where the question does not arise.

    alarmed : the diagnosis after training has a critical finding or a warning
    early : before training, or the watch within the first 30 % of the epochs
    named : a right kind is among the first two findings
    false_alarm : alarmed, before or after, although it learns
    cured, by_chance : the cure's held-out score reaches what is needed; so do random changes
    """
    if "after" not in result:
        nothing = dict.fromkeys(("alarmed", "early", "named", "false_alarm", "cured", "by_chance"))
        missed = dict.fromkeys(("alarmed", "early", "named"), False)
        return {**nothing, **(missed if result.get("fails") else {})}
    after, before = alarms(result["after"]), alarms(result["before"])
    soon = [f for f in result["watch"] if f[1] != "note" and f[2] <= EARLY]
    fails, kinds, cure = result["fails"], result["kinds"], result.get("cure")
    named = any(f[0] in kinds for f in result["after"][:FIRST]) if kinds else None
    needed = result["needed"] or 0.0
    return {
        "alarmed": bool(after) if fails else None,
        "early": bool(before or soon) if fails else None,
        "named": named if fails else None,
        "false_alarm": None if fails else bool(after or before or soon),
        "cured": None if cure is None else cure["score"] is not None and cure["score"] >= needed,
        "by_chance": None if cure is None else cure["random"] >= needed,
    }
