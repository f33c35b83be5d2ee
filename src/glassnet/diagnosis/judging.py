"""Diagnosing: checks raise suspicions, yardsticks say whether the training falls short, reruns say which suspicion is why."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from glassnet.diagnosis.case import Case
from glassnet.diagnosis.changes import Change
from glassnet.diagnosis.checks import CHECKED_AFTER, CHECKED_BEFORE, after_training, before_first_step
from glassnet.diagnosis.findings import Diagnosis, Finding, Measured, Verdict
from glassnet.diagnosis.kinds import KINDS
from glassnet.diagnosis.suspects import Experiments, examined, merged, ranked, weight
from glassnet.diagnosis.usual_changes import usual_suspicions
from glassnet.diagnosis.yardsticks import MARGIN, Yardsticks, tells_apart, yardsticks
from glassnet.errors import GlassnetError
from glassnet.network import Network
from glassnet.training.run import Run

PILOT = 0.3
"""The share of the epochs that are trained before a training is predicted to fall short."""
LEAST_BUDGET = 3.0
MOST_BUDGET = 60.0
"""Seconds that reruns may take: as long as the training took, within these."""
CRITICAL, WARNING = 0.6, 0.4
"""A training falls short: what must speak for a finding to be called critical, or a warning."""
FAINT = 0.3
"""The confidence below which a cure that works does not make a suspicion critical: many changes cure many trainings."""


def diagnose(
    network: Network,
    X: Any,
    Y: Any,
    *,
    validation: Any = None,
    experiments: bool = True,
    features: Sequence[str] = (),
    **settings: Any,
) -> Diagnosis:
    """What can be said about a training before it is run: data, settings, the start, and a pilot of it.

        print(gn.diagnose(net, X, Y, optimizer=gn.SGD(10.0), epochs=60, batch_size=32))

    Parameters
    ----------
    network, X, Y, validation : as `gn.train` takes them; X may hold missing values, and settings that `gn.train` refuses are
        findings
    experiments : whether to train yardsticks and a pilot (the first 30 % of the epochs), and to rerun the pilot without
        what is suspected; False looks only
    features : names of the columns of X
    settings : further arguments of `gn.train`: loss, optimizer, epochs, batch_size, l1, l2, seed, shuffle, ...

    Returns
    -------
    Diagnosis. Its verdict's `learns` is False when the training is predicted to fall short, and None when it may learn.

    Raises
    ------
    GlassnetError : something that is no network, or arguments that `gn.train` does not have
    """
    _check_call(network, settings, experiments)
    began = time.perf_counter()
    case = Case.asked(network, X, Y, validation=validation, features=features, **settings)
    suspicions = before_first_step(case, overfit=experiments)
    verdict = Verdict(None, case.metric, "held-out" if case.held is not None else "training", None, None, {})
    costs: tuple[tuple[float, float], ...] = ()
    if any(f.certain for f in suspicions):
        findings = [f if f.certain else f.with_severity("note") for f in merged(suspicions)]
        verdict = replace(verdict, learns=False)
    elif not experiments:
        findings = merged(suspicions)
    else:
        findings, verdict, costs = _piloted(case, suspicions)
    return Diagnosis(
        ranked(findings), verdict, CHECKED_BEFORE, case.features, "before training", time.perf_counter() - began,
        str(network), costs,
    )  # fmt: skip


def diagnose_run(run: Run, *, experiments: bool = True, budget: float | None = None) -> Diagnosis:
    """Why a training does not learn, or that it does.

    Parameters
    ----------
    run : a training with its data
    experiments : whether to train yardsticks, and to rerun the training without what is suspected
    budget : seconds that the reruns may take; as long as the training took unless given, at least 3 and at most 60

    Returns
    -------
    Diagnosis : of a training that learns only notes; of one that falls short the causes first, each with its proof if a rerun
    was cured

    Raises
    ------
    RunError : the run was saved without its data
    """
    if budget is not None and not (isinstance(budget, int | float) and 0 <= budget < math.inf):
        raise GlassnetError(f"diagnose got budget={budget!r}; it needs a number of seconds, 0 or more.")
    began = time.perf_counter()
    case = Case.of_run(run)
    suspicions = [*before_first_step(case, overfit=experiments), *after_training(case, run)]
    sticks = yardsticks(case) if experiments else None
    score = case.judged(run)
    costs = tuple(zip(run.history["epoch"], run.history["cost"], strict=True)) if len(run.history) else ()
    if sticks is None:
        rows = "held-out" if case.held_samples is not None else "training"
        verdict = Verdict(False if run.status == "diverged" else None, case.metric, rows, score, None, {})
        findings = merged(suspicions)
    else:
        verdict = sticks.verdict(score, tells_apart(case, run))
        if not carried_over(case, run, score, suspicions):
            verdict = replace(verdict, learns=False)
        took = float(run.history["seconds"][-1]) if len(run.history) else 0.0
        allowed = min(MOST_BUDGET, max(LEAST_BUDGET, took)) if budget is None else float(budget)
        findings = _explained(
            case, suspicions, verdict, sticks, score, Experiments(case, sticks.needed, score, allowed, took)
        )
    return Diagnosis(
        ranked(findings), verdict, (*CHECKED_BEFORE, *CHECKED_AFTER), case.features, "after training",
        time.perf_counter() - began, str(run.network), costs,
    )  # fmt: skip


GAP = 0.15
"""How far training and held-out scores may lie apart before faulty data are believed to do harm."""
STRONG, LIKELY = 0.8, 0.7
WITHOUT_SIGNAL = (
    "data.labels_shuffled",
    "data.no_signal",
    "data.constant_feature",
    "data.leaking_feature",
    "data.id_like_feature",
)
OF_THE_ROWS = (
    "data.class_imbalance", "data.train_test_mismatch", "data.leaking_feature", "data.id_like_feature", "data.label_noise",
    "data.too_few_samples",
)  # fmt: skip


def carried_over(case: Case, run: Run, score: float, suspicions: Sequence[Finding]) -> bool:
    """Whether what was learnt holds on the held-out rows as on the training rows.

    Yardsticks see the same training rows, so a fault of these rows hurts them too. It is said to do harm when there is strong
    evidence of it and the scores on training and held-out rows lie far apart: held-out far below where the training rows are not
    like the held-out ones, far above where it is the training labels that are wrong.
    """
    if case.held_samples is None or case.samples is None or run.status == "diverged":
        return True
    strong = {f.kind for f in suspicions if f.kind in OF_THE_ROWS and f.confidence >= STRONG}
    gap = case.score(run.predict(case.samples.X), case.samples.Y) - score
    if (
        gap > 2 * GAP
        and case.metric == "accuracy"
        and any(f.kind == "reg.missing" and f.confidence >= LIKELY for f in suspicions)
    ):
        return False
    if "data.label_noise" in strong and gap < -GAP:
        return False
    return not (strong - {"data.label_noise"} and gap > GAP)


def _check_call(network: Any, settings: dict[str, Any], experiments: Any) -> None:
    import inspect

    from glassnet.errors import unknown_name
    from glassnet.training import train

    if not isinstance(network, Network):
        raise GlassnetError(
            f"diagnose got {type(network).__name__} as its network; it needs a glassnet.Network. Of a run: run.diagnose()."
        )
    if not isinstance(experiments, bool):
        raise GlassnetError(f"diagnose got experiments={experiments!r}; it needs True or False.")
    known = [
        n for n in inspect.signature(train).parameters if n not in ("network", "X", "Y", "validation", "callbacks")
    ]
    for name in settings:
        if name not in known:
            raise GlassnetError(unknown_name("setting of gn.train", name, known))


def _explained(
    case: Case,
    suspicions: list[Finding],
    verdict: Verdict,
    sticks: Yardsticks,
    score: float,
    experiments: Experiments,
) -> list[Finding]:
    """The findings with their severities: only notes of a training that learns, the causes of one that falls short."""
    gathered = merged(suspicions)
    if verdict.learns is not False:
        lucky = by_luck(case, score, experiments) if verdict.learns and sticks.signal else None
        notes = [f.with_severity("note") if not f.certain else f for f in gathered]
        return notes if lucky is None else [lucky, *notes]
    found = examined(gathered, experiments)
    if sticks.signal and not any(f.proven for f in found):
        known = {f.kind for f in found}
        usual = [u for u in examined(usual_suspicions(case), experiments) if u.proven]
        found = merged([*found, *usual]) if usual else found
        found = [f for f in found if f.kind in known or f.proven]
    found.append(falls_short(verdict, sticks, case))
    return graded(found)


def by_luck(case: Case, score: float, experiments: Experiments) -> Finding | None:
    """A training that learns, when the mean of it and two other seeds falls short: it learnt by luck."""
    if case.settings.get("initial_parameters") or experiments.factor < 1:
        return None  # its start was given, or there is no time for whole reruns
    first = int(case.settings.get("seed", 0))
    scores = [score]
    for seed in (first + 1, first + 2):
        proof = experiments.test(Change(f"seed {first} → {seed}", {"seed": seed}))
        if proof is None:
            return None
        scores.append(proof.after)
    clearly = min(scores) < experiments.needed - MARGIN[case.metric]
    if sum(scores) / len(scores) >= experiments.needed or not clearly:
        return None
    name = "accuracy" if case.metric == "accuracy" else "R²"
    return Finding(
        "init.seed",
        f"With seed {first} its {name} is {score:.3f}; with two other seeds it is {scores[1]:.3f} and {scores[2]:.3f}, and the "
        "mean of the three falls short: this one was lucky.",
        "warning", 0.8,
        tuple(
            Measured(f"{name} with seed {first + i}", value, f"{experiments.needed:.3f} or more") for i, value in enumerate(scores)
        ),
        cures=tuple(f.cures[0] for f in usual_suspicions(case) if f.kind in ("arch.too_little_capacity", "arch.too_deep")),
        false_alarm="Most of further seeds would reach what is needed.",
    )  # fmt: skip


def graded(findings: Iterable[Finding]) -> list[Finding]:
    """The findings of a training that falls short, each with its severity."""
    graded: list[Finding] = []
    for finding in findings:
        speaks = weight(finding)
        likely = speaks >= CRITICAL and finding.confidence >= FAINT and not KINDS[finding.kind].symptom
        severity = "critical" if finding.certain or likely else "warning" if speaks >= WARNING else "note"
        graded.append(finding.with_severity(severity))
    causes = [f for f in graded if not KINDS[f.kind].symptom]
    if causes and all(f.severity == "note" for f in causes):
        best = max(causes, key=weight)  # nothing explains it well; what explains it best is worth a look
        if weight(best) >= FAINT / 2:
            graded[graded.index(best)] = best.with_severity("warning")
    return graded


def falls_short(verdict: Verdict, sticks: Yardsticks, case: Case) -> Finding:
    """The failure itself, said with its yardsticks."""
    name = "accuracy" if verdict.metric == "accuracy" else "R²"
    score = -1.0 if verdict.score is None else verdict.score
    if not sticks.signal:
        return Finding(
            "training.falls_short",
            f"On the {verdict.rows} rows its {name} is {score:.3f}, and no model here does better than guessing, {sticks.guess:.3f}.",
            confidence=0.9, measured=(Measured(name, score, f"above {sticks.chance:.3f}"),),
            false_alarm="A model that knows more about these data would do better than guessing.",
        )  # fmt: skip
    small = f"a small healthy network, {sticks.recipe.network}, reaches {sticks.small:.3f}"
    linear = f"a linear model {'reaches ' if sticks.linear > sticks.small else ''}{sticks.linear:.3f}"
    better = f"{small} there, {linear}" if sticks.small >= sticks.linear else f"{linear} there"
    return Finding(
        "training.falls_short" if sticks.small >= sticks.linear else "training.no_better_than_linear",
        f"On the {verdict.rows} rows its {name} is {score:.3f}; {better}, guessing {sticks.guess:.3f}.",
        confidence=0.9,
        measured=(Measured(name, score, f"{sticks.needed:.3f} or more"),),
        false_alarm="With other seeds it would reach what is needed.",
    )  # fmt: skip


def _piloted(case: Case, suspicions: list[Finding]) -> tuple[list[Finding], Verdict, tuple[tuple[float, float], ...]]:
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
    seen = [*suspicions, *after_training(pilot_case, pilot, unfinished=True)]
    apart = tells_apart(case, pilot)
    verdict = sticks.verdict(score, apart)
    if not carried_over(pilot_case, pilot, score, seen):
        verdict = replace(verdict, learns=False)
        lost = True
    else:
        lost = not sticks.signal and any(f.kind in WITHOUT_SIGNAL and f.confidence >= CRITICAL for f in seen)
    costs = tuple(zip(pilot.history["epoch"], pilot.history["cost"], strict=True)) if len(pilot.history) else ()
    notes = [f.with_severity("note") if not f.certain else f for f in merged(seen)]
    if verdict.learns is not False:
        return notes, replace(verdict, learns=None), costs
    allowed = min(MOST_BUDGET, max(LEAST_BUDGET, took))
    # A rerun has as many epochs as the pilot had.
    short = replace(pilot_case, settings={**pilot_case.settings, "epochs": epochs})
    experiments = Experiments(short, sticks.needed, score, allowed, took)
    if not (lost or hopeless(case, pilot, score, sticks)):
        strong = [f for f in merged(seen) if f.confidence >= STRONG and f.kind not in OF_THE_LENGTH]
        if not any(f.proven for f in examined(strong, experiments)):
            return notes, replace(verdict, learns=None), costs
    found = _explained(short, seen, verdict, sticks, score, experiments)
    if not any(explains_early(f) for f in found) and sticks.signal:
        return notes, replace(verdict, learns=None), costs  # slow so far, and nobody knows why: it may still learn
    return found, verdict, costs


def explains_early(finding: Finding) -> bool:
    """Whether a finding says why a pilot falls short: a critical one, and not merely that the pilot is short."""
    return finding.severity == "critical" and (finding.kind not in OF_THE_LENGTH or finding.confidence >= EVIDENT)


EVIDENT = 0.75
OF_THE_LENGTH = ("opt.too_few_epochs", "opt.lr_too_small")
"""A pilot is short: that more epochs would do it good says nothing."""
FEWEST_EPOCHS = 4


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
    columns = [f"{rows}{name}" for rows in ("validation_", "") for name in ("accuracy", "r2")]
    course = np.asarray(pilot.history[next(n for n in columns if n in pilot.history)], dtype=np.float64)
    if case.metric == "accuracy":
        course = np.clip(course, -1, 1)
    if score > sticks.chance and fallen(np.asarray(pilot.history["cost"])) >= STILL_FALLING:
        return False  # it has begun to learn, and its cost falls on
    if score >= max(sticks.needed - MARGIN[sticks.metric], sticks.chance):
        return False  # it is nearly there
    second = course[len(course) // 2 :]
    return score + rise(second) * (case.epochs - len(course)) < sticks.needed


def fallen(costs: np.ndarray) -> float:
    """The share by which a cost fell in the second half of its course."""
    half = float(costs[len(costs) // 2])
    return 1 - float(costs[-1]) / half if half > 0 else 0.0


STILL_FALLING = 0.1
"""So much of the cost gone in a pilot's second half says that it learns on."""


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
