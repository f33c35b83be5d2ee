"""Explaining a failure: which suspicions are why, judged by reruns, and how grave each finding is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from glassnet.diagnosis.case import Case
from glassnet.diagnosis.changes import Change
from glassnet.diagnosis.findings import Finding, Measured, Verdict
from glassnet.diagnosis.kinds import KINDS
from glassnet.diagnosis.suspects import Experiments, examined, merged, weight
from glassnet.diagnosis.target_checks import HELD_OUT_AGREEMENT
from glassnet.diagnosis.usual_changes import usual_suspicions
from glassnet.diagnosis.wording import score_said
from glassnet.diagnosis.yardsticks import MARGIN, Yardsticks, tells_apart, with_held_out, yardsticks
from glassnet.training.run import Run

CRITICAL, WARNING = 0.6, 0.4
"""A training falls short: what must speak for a finding to be called critical, or a warning."""
FAINT = 0.3
"""The confidence below which a cure that works does not make a suspicion critical: many changes cure many trainings."""
LEAST_BUDGET = 6.0
MOST_BUDGET = 60.0
"""Seconds that reruns may take: as long as the training took, within these."""
GAP = 0.15
"""How far training and held-out scores may lie apart before faulty data are believed to do harm, ..."""
STRONG, LIKELY = 0.8, 0.7
"""... and how much evidence of the fault there must be."""
OF_THE_ROWS = (
    "data.class_imbalance", "data.train_test_mismatch", "data.leaking_feature", "data.id_like_feature",
    "data.too_few_samples", "data.single_class", "data.duplicate_rows",
)  # fmt: skip


MISMATCH = "data.train_test_mismatch"
OF_THE_LABELS = ("data.label_noise", "data.labels_shuffled")


OF_ONE_FEATURE = ("data.leaking_feature", "data.id_like_feature")


def verdict_on(
    case: Case,
    run: Run,
    score: float,
    sticks: Yardsticks,
    suspicions: Sequence[Finding],
    experiments: Experiments | None = None,
) -> Verdict:
    """Whether a run learns: by the yardsticks, and by whether what it learnt carries over to the held-out rows.

    A feature that tells the target only in the training rows misleads the yardsticks too: a rerun without it says whether it
    does harm.
    """
    verdict = sticks.verdict(score, tells_apart(case, run))
    if case.samples is None or run.status == "diverged":
        return verdict
    if case.held_samples is None:
        return (verdict.learns and learnt_by_heart(case, score, suspicions, experiments)) or verdict
    on_training = case.score(run.predict(case.samples.X), case.samples.Y)
    gap = on_training - score
    harmed = verdict.learns and experiments is not None and better_without(experiments, sticks, suspicions)
    other_rows = not sticks.signal and gap > 2 * GAP and other_inputs(suspicions)
    if not harmed and not other_rows and carries_over(case, score, gap, suspicions):
        return verdict
    return replace(verdict, learns=False, on_training=on_training)


def other_inputs(suspicions: Iterable[Finding]) -> bool:
    """Whether the held-out rows are suspected to be others than the training rows."""
    return any(f.kind == MISMATCH and f.confidence >= WARNING for f in suspicions)


def learnt_by_heart(
    case: Case, score: float, suspicions: Iterable[Finding], experiments: Experiments | None
) -> Verdict | None:
    """That training rows without a signal were only memorised, when a rerun is no better than guessing on a quarter left out.

    Without held-out rows a training is judged on its own: where simple models find nothing in the features, that says nothing.
    """
    suspected = any(f.kind in (*OF_THE_LABELS, "data.no_signal") and f.confidence >= CRITICAL for f in suspicions)
    if experiments is None or experiments.factor < 1 or not suspected:
        return None
    apart = with_held_out(case)
    sticks = None if apart is case else yardsticks(apart, max(0.01, experiments.left))
    if sticks is None or sticks.signal or experiments.left <= 0:
        return None
    run = apart.train(max_seconds=experiments.left)
    elsewhere = apart.judged(run)
    if run.status == "out of time" or elsewhere > sticks.chance:
        return None
    experiments.budget = 0.0  # what a rerun reaches on these rows says nothing either
    return replace(sticks.verdict(elsewhere), learns=False, rows="left-out", on_training=score)


def carries_over(case: Case, score: float, gap: float, suspicions: Sequence[Finding]) -> bool:
    """Whether what was learnt holds on the held-out rows as on the training rows; `gap` is how much better it is on those.

    Yardsticks see the same training rows, so a fault of these rows hurts them too. It is said to do harm when there is
    strong evidence of it and the held-out score lies far below the training score, because the training rows are not like
    the held-out ones; and where the held-out labels agree with one another far better than those of the training rows do,
    and better than the network with them.
    """
    strong = {f.kind for f in suspicions if f.kind in OF_THE_ROWS and f.confidence >= LIKELY}
    if any(f.kind in OF_THE_LABELS and f.confidence >= STRONG and score < _agreement(f) for f in suspicions):
        return False
    if (
        gap > 2 * GAP
        and case.metric == "accuracy"
        and any(f.kind == "reg.missing" and f.confidence >= LIKELY for f in suspicions)
    ):
        return False
    return not (strong and gap > GAP)


def _agreement(finding: Finding) -> float:
    """How well the held-out labels agree with their neighbours, where a finding says so; else any score is below."""
    return next((float(m.value) for m in finding.measured if m.name == HELD_OUT_AGREEMENT), math.inf)


def better_without(experiments: Experiments, sticks: Yardsticks, suspicions: Sequence[Finding]) -> bool:
    """Whether a whole rerun without a feature that may give the target away is better by more than chance."""
    if experiments.factor < 1:
        return False
    for finding in suspicions:
        if finding.kind in OF_ONE_FEATURE and finding.confidence >= LIKELY and finding.cures:
            proof = experiments.test(finding.cures[0])
            if proof is not None and proof.after > proof.before + sticks.margin:
                return True
    return False


def explained(
    case: Case,
    suspicions: list[Finding],
    verdict: Verdict,
    sticks: Yardsticks,
    score: float,
    experiments: Experiments,
) -> list[Finding]:
    """The findings with their severities: only notes of a training that learns, the causes of one that falls short."""
    gathered = because_of_the_sum(merged(suspicions))
    if verdict.on_training is not None and not sticks.signal:
        gathered = because_of_other_rows(gathered)
    if verdict.learns is not False:
        lucky = by_luck(case, score, experiments) if verdict.learns and sticks.signal else None
        worth = [f for f in without_contradictions(gathered) if f.certain or f.kind not in OF_FAILURES]
        notes = [f.with_severity("note") if not f.certain else f for f in worth]
        return notes if lucky is None else [lucky, *notes]
    experiments.needed = sticks.beyond_chance(score)
    if verdict.on_training is not None:
        experiments.needed = max(experiments.needed, score + MARGIN[case.metric])
    found = examined(gathered, experiments)
    if sticks.signal and not any(f.proven for f in found):
        known = {f.kind for f in found}
        usual = [u for u in examined(usual_suspicions(case), experiments) if u.proven]
        found = merged([*found, *usual]) if usual else found
        found = [f for f in found if f.kind in known or f.proven]
    found.append(falls_short(verdict, sticks))
    return graded(found)


def because_of_the_sum(findings: list[Finding]) -> list[Finding]:
    """The findings; where a rate is too large for a loss that is a sum, the sum is as likely as the rate: it is why."""
    rate = max((f.confidence for f in findings if f.kind == "opt.lr_too_large"), default=0.0)
    return [
        replace(f, confidence=max(f.confidence, 0.95 * rate))
        if f.kind == "loss.reduction" and f.confidence >= FAINT
        else f
        for f in findings
    ]


def because_of_other_rows(findings: list[Finding]) -> list[Finding]:
    """The findings; where what learns the training rows is no better than guessing elsewhere, rows that differ are why."""
    return [
        replace(f, confidence=max(f.confidence, LIKELY)) if f.kind == MISMATCH and f.confidence >= WARNING else f
        for f in findings
    ]


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
        f"With seed {first} its {name} is {score_said(score)}; with two other seeds it is {score_said(scores[1])} and "
        f"{score_said(scores[2])}, and the mean of the three falls short: this one was lucky.",
        "warning", 0.8,
        tuple(Measured(f"{name} with seed {first + i}", s, f"{experiments.needed:.3f} or more") for i, s in enumerate(scores)),
        cures=tuple(f.cures[0] for f in usual_suspicions(case) if f.kind in ("arch.too_little_capacity", "arch.too_deep")),
        false_alarm="Most of further seeds would reach what is needed.",
    )  # fmt: skip


def graded(findings: Iterable[Finding]) -> list[Finding]:
    """The findings of a training that falls short, each with its severity.

    Critical is what speaks strongly enough for itself; beside a cause that a rerun has proven, no cause whose own rerun was
    not cured, or whose proof is that cause's. Of two that contradict each other the weaker one goes.
    """
    ordered = sorted(without_contradictions(findings), key=lambda f: -weight(f))
    proven = any(f.proven and not KINDS[f.kind].symptom for f in ordered)
    proofs: set[str] = set()
    graded: list[Finding] = []
    for finding in ordered:
        speaks = weight(finding)
        own = {proof.change.said for proof in finding.proofs if proof.cured}
        explained = proven and bool(finding.proofs) and not own - proofs
        likely = speaks >= CRITICAL and finding.confidence >= FAINT and not KINDS[finding.kind].symptom
        severity = (
            "critical" if finding.certain or (likely and not explained) else "warning" if speaks >= WARNING else "note"
        )
        proofs |= own
        graded.append(finding.with_severity(severity))
    causes = [f for f in graded if not KINDS[f.kind].symptom]
    if causes and all(f.severity == "note" for f in causes):
        best = max(causes, key=weight)  # nothing explains it well; what explains it best is worth a look
        if weight(best) >= FAINT / 2:
            graded[graded.index(best)] = best.with_severity("warning")
    return graded


OF_FAILURES = (
    "opt.too_few_epochs", "opt.lr_too_small", "opt.lr_too_large", "training.slow", "training.plateau", "training.update_ratio",
    "training.gradient_noise", "training.cannot_overfit",
)  # fmt: skip
"""What every training shows a little of; of one that learns it is not said."""
CONTRARY = (
    ("opt.lr_too_large", "opt.lr_too_small"), ("opt.oscillation", "training.plateau"), ("opt.lr_too_large", "training.slow"),
    ("reg.missing", "opt.too_few_epochs"), ("training.plateau", "training.slow"),
)  # fmt: skip


def without_contradictions(findings: Iterable[Finding]) -> list[Finding]:
    """The findings without the weaker of two that cannot both be so."""
    left = list(findings)
    for one, other in CONTRARY:
        pair = [f for f in left if f.kind in (one, other)]
        if len(pair) == 2:
            weaker = min(pair, key=weight)
            if not weaker.certain and not weaker.proven:
                left.remove(weaker)
    return left


def falls_short(verdict: Verdict, sticks: Yardsticks) -> Finding:
    """The failure itself, said with its yardsticks."""
    name = "accuracy" if verdict.metric == "accuracy" else "R²"
    score = -1.0 if verdict.score is None else verdict.score
    if verdict.on_training is not None:
        return Finding(
            "training.not_carried_over",
            f"Its {name} is {score_said(verdict.on_training)} on the training rows and {score_said(score)} on the "
            f"{verdict.rows} rows.",
            confidence=0.9, measured=(Measured("difference", verdict.on_training - score, f"within {GAP:g} of 0"),),
            false_alarm="On other held-out rows it would do as well as on the training rows.",
        )  # fmt: skip
    if not sticks.signal:
        return Finding(
            "training.falls_short",
            f"On the {verdict.rows} rows its {name} is {score_said(score)}, and no model here does better than guessing, "
            f"{score_said(sticks.guess)}.",
            confidence=0.9, measured=(Measured(name, score, f"above {sticks.chance:.3f}"),),
            false_alarm="A model that knows more about these data would do better than guessing.",
        )  # fmt: skip
    small = f"a small healthy network, {sticks.recipe.network}, reaches {score_said(sticks.small)}"
    linear = f"a linear model {'reaches ' if sticks.linear > sticks.small else ''}{score_said(sticks.linear)}"
    better = f"{small} there, {linear}" if sticks.small >= sticks.linear else f"{linear} there"
    return Finding(
        "training.falls_short" if sticks.small >= sticks.linear else "training.no_better_than_linear",
        f"On the {verdict.rows} rows its {name} is {score_said(score)}; {better}, guessing {score_said(sticks.guess)}.",
        confidence=0.9,
        measured=(Measured(name, score, f"{sticks.needed:.3f} or more"),),
        false_alarm="With other seeds it would reach what is needed.",
    )  # fmt: skip
