"""A pilot: the first 30 % of a training, run to say early whether the rest is worth while."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np

from glassnet.diagnosis.case import Case
from glassnet.diagnosis.checks import after_training
from glassnet.diagnosis.explaining import CRITICAL, LEAST_BUDGET, MOST_BUDGET, STRONG, explained, verdict_on
from glassnet.diagnosis.findings import Finding, Verdict
from glassnet.diagnosis.kinds import KINDS
from glassnet.diagnosis.suspects import Experiments, examined, merged
from glassnet.diagnosis.yardsticks import MARGIN, Yardsticks, yardsticks
from glassnet.training.run import Run

PILOT = 0.3
"""The share of the epochs that are trained before a training is predicted to fall short."""
FEWEST_EPOCHS = 4
"""Of fewer epochs 30 % is none."""
STILL_FALLING = 0.1
"""So much of the cost gone in a pilot's second half says that it learns on."""
LAST = 5
"""Epochs of which a median says where a pilot stands, its last one astray or not."""
FAST = 0.5
"""So much gone says that it learns well."""
OF_THE_LENGTH = ("opt.too_few_epochs", "opt.lr_too_small")
"""A pilot is short: that more epochs would do it good says nothing, ..."""
OF_ITS_END = ("opt.too_few_epochs", "training.slow")
"""What a pilot shows because it ends: no news of the training that is asked for."""
EVIDENT = 0.75
"""... unless there was as much evidence before."""
WITHOUT_SIGNAL = (
    "data.labels_shuffled", "data.no_signal", "data.constant_feature", "data.leaking_feature", "data.id_like_feature",
)  # fmt: skip
"""Where nothing can be learnt and one of these says why, no pilot is needed to know it."""


def piloted(case: Case, suspicions: list[Finding]) -> tuple[list[Finding], Verdict, tuple[tuple[float, float], ...]]:
    """Findings before training with the help of yardsticks and a pilot."""
    rows = "held-out" if case.held_samples is not None else "training"
    sticks = yardsticks(case)
    if sticks is None:
        return merged(suspicions), Verdict(None, case.metric, rows, None, None, {}), ()
    began = time.perf_counter()
    pilot_case, epochs = pilot_of(case)
    pilot = pilot_case.train(epochs=epochs, max_seconds=MOST_BUDGET)
    took = time.perf_counter() - began
    score = case.judged(pilot)
    shown = after_training(pilot_case, pilot, unfinished=True)
    seen = [*suspicions, *shown]
    steady = steady_score(case, pilot, score)
    verdict = replace(verdict_on(pilot_case, pilot, steady, sticks, seen), score=score)
    known = not sticks.signal and any(f.kind in WITHOUT_SIGNAL and f.confidence >= CRITICAL for f in seen)
    lost = known or verdict.on_training is not None
    costs = tuple(zip(pilot.history["epoch"], pilot.history["cost"], strict=True)) if len(pilot.history) else ()
    lasting = [*suspicions, *(f for f in shown if f.kind not in OF_ITS_END)]
    notes = [f.with_severity("note") if not f.certain else f for f in merged(lasting)]
    if verdict.learns is not False:
        return notes, replace(verdict, learns=None), costs
    allowed = min(MOST_BUDGET, max(LEAST_BUDGET, took))
    # A rerun has as many epochs as the pilot had.
    short = replace(pilot_case, settings={**pilot_case.settings, "epochs": epochs})
    experiments = Experiments(short, sticks.beyond_chance(score), score, allowed, took)
    if not (lost or hopeless(case, pilot, steady, sticks)):
        if nearly_there(steady, sticks) or promising(case, pilot, steady, sticks):
            return notes, replace(verdict, learns=None), costs
        strong = [f for f in merged(seen) if f.confidence >= STRONG and f.kind not in OF_THE_LENGTH]
        if not any(f.proven for f in examined(strong, experiments)):
            return notes, replace(verdict, learns=None), costs
    found = explained(short, seen, verdict, sticks, score, experiments)
    if not any(explains_early(f) for f in found) and sticks.signal:
        return notes, replace(verdict, learns=None), costs  # slow so far, and nobody knows why: it may still learn
    return found, verdict, costs


def explains_early(finding: Finding) -> bool:
    """Whether a finding says why a pilot falls short: strong evidence, or a critical one that is not merely its length."""
    if finding.confidence >= EVIDENT and not KINDS[finding.kind].symptom:
        return True
    return finding.severity == "critical" and finding.kind not in OF_THE_LENGTH


def pilot_of(case: Case) -> tuple[Case, int]:
    """The case and the epochs of its pilot: 30 % of the epochs, or, of a few long epochs, 30 % of the rows."""
    if case.epochs >= FEWEST_EPOCHS:
        return case, max(1, math.floor(PILOT * case.epochs))
    count = max(2, math.floor(PILOT * case.rows))
    some = np.sort(np.random.default_rng(0).permutation(case.rows)[:count])
    settings = dict(case.settings)
    if settings.get("sample_weight") is not None:
        settings["sample_weight"] = np.asarray(settings["sample_weight"])[some]
    return replace(case, X=case.X[some], Y=case.Y[some], settings=settings), case.epochs


def hopeless(case: Case, pilot: Run, score: float, sticks: Yardsticks) -> bool:
    """Whether a pilot's course, continued as in its second half, misses what is needed."""
    if pilot.status == "diverged" or not len(pilot.history):
        return True
    if score > sticks.chance and fallen(np.asarray(pilot.history["cost"])) >= STILL_FALLING:
        return False  # it has begun to learn, and its cost falls on
    return not nearly_there(score, sticks) and not on_course(case, pilot, score, sticks)


def scores_of(case: Case, pilot: Run) -> tuple[np.ndarray, bool]:
    """The course of a pilot's score on held-out rows, or on training rows, and whether it is of the case's metric."""
    columns = [f"{rows}{name}" for rows in ("validation_", "") for name in ("accuracy", "r2")]
    name = next(n for n in columns if n in pilot.history)
    course = np.asarray(pilot.history[name], dtype=np.float64)
    return np.clip(course, -1, 1), name.endswith(case.metric)


def steady_score(case: Case, pilot: Run, score: float) -> float:
    """A pilot's score, or the median of its last epochs where that is higher: the last one may have gone astray."""
    if pilot.status == "diverged" or len(pilot.history) < LAST:
        return score
    course, of_metric = scores_of(case, pilot)
    return max(score, float(np.median(course[-LAST:]))) if of_metric else score


def on_course(case: Case, pilot: Run, score: float, sticks: Yardsticks) -> bool:
    """Whether a pilot's course, continued as in its second half or as from half to half, reaches what is needed.

    So it does when it has been there in its second half.
    """
    course, of_metric = scores_of(case, pilot)
    half = len(course) // 2
    second, to_go = course[half:], case.epochs - len(course)
    if of_metric and float(second.max()) >= max(sticks.needed, sticks.chance):
        return True
    gained = float(np.median(second) - np.median(course[:half])) / half if half >= LAST and of_metric else 0.0
    return score + max(rise(second), gained) * to_go >= sticks.needed


def nearly_there(score: float, sticks: Yardsticks) -> bool:
    """Whether a pilot is within one more margin of what is needed."""
    return score >= max(sticks.needed - MARGIN[sticks.metric], sticks.chance)


def promising(case: Case, pilot: Run, score: float, sticks: Yardsticks) -> bool:
    """Whether what is suspected does not hold a pilot up: not far from what is needed, it is on course, or its cost halves."""
    if score < max(sticks.needed - 2 * MARGIN[sticks.metric], sticks.chance):
        return False
    return on_course(case, pilot, score, sticks) or fallen(np.asarray(pilot.history["cost"])) >= FAST


def fallen(costs: np.ndarray) -> float:
    """The share by which a cost fell in the second half of its course, by the medians of that half's two halves.

    One epoch that went astray changes a median little; they lie half of that half apart, so their ratio counts twice.
    """
    second = costs[len(costs) // 2 :]
    if len(second) < 4:
        return 1 - float(second[-1] / second[0]) if second[0] > 0 else 0.0
    early, late = (float(np.median(part)) for part in np.array_split(second, 2))
    return 1 - (late / early) ** 2 if early > 0 else 0.0


def rise(course: np.ndarray) -> float:
    """How much a course rises an epoch: its least-squares slope, 0 unless it is above two of its standard errors."""
    count = len(course)
    if count < 3:
        return max(0.0, float(course[-1] - course[0])) / max(1, count - 1)
    at = np.arange(count) - (count - 1) / 2
    slope = float(at @ course / (at @ at))
    left = course - course.mean() - slope * at
    error = math.sqrt(float(left @ left) / (count - 2) / float(at @ at))
    return slope if slope > 2 * error else 0.0
