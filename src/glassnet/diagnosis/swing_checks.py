"""Costs that swing from epoch to epoch, gradients that are mostly noise, and held-out costs that part from the training's."""

from __future__ import annotations

import numpy as np

from glassnet.diagnosis import training_cures as cures
from glassnet.diagnosis.course import Course, name_of
from glassnet.diagnosis.findings import Finding, Measured, Where, number


def check_oscillation(course: Course) -> list[Finding]:
    """The cost (or the score) swings back again and again."""
    scores, costs = course.scores, course.costs
    if course.epochs < 8 or not np.isfinite(costs).all():
        return []
    half = scores[(course.epochs + 1) // 2 :]
    noticeable = 0.03 if course.evidence.metric == "accuracy" else 0.1
    score_swings = float((np.diff(half) < -noticeable).mean()) if np.isfinite(half).all() else 0.0
    share = max(course.swings, score_swings)
    lost = float(np.nanmax(scores) - np.median(half)) if np.isfinite(scores).any() else 0.0
    if share < 0.05 and not (share > 0.02 and lost > 0.1):
        return []
    strength = min(0.75, 0.15 + 1.5 * share + (0.15 if lost > 0.05 else 0.0))
    case, best = course.case, int(np.nanargmin(costs))
    what = "cost" if course.swings >= score_swings else name_of(course.evidence.metric)
    calmer = (*cures.less_momentum(case), *cures.times_rate(case, 0.1), *cures.batches_of(case, min(case.rows, 128)))
    return [
        Finding(
            "opt.oscillation",
            f"The {what} swings: after {share:.0%} of the later epochs it is noticeably worse than before them.",
            confidence=strength,
            measured=(
                Measured("share of later epochs that make it noticeably worse", share, "below 0.05"),
                *((Measured("best score less the median of the later half", lost, "near 0"),) if lost > 0.005 else ()),
                *((Measured("epoch of the lowest cost", best, "near the last"),) if best < 0.9 * course.epochs else ()),
            ),
            where=Where(epochs=((course.epochs + 1) // 2, course.epochs)),
            cures=calmer,
            false_alarm="The score would be the same with a tenth of the rate.",
        )
    ]


def check_noise(course: Course) -> list[Finding]:
    """Gradients that differ from batch to batch by far more than they have in common; and batches that are too large."""
    noise, case = course.evidence.noise, course.case
    measured: tuple[Measured, ...] = ()
    found = []
    rough = course.swings > 0.02
    if noise is not None and noise.ratio > 10:
        measured = (
            Measured("variance of a batch's gradient / squared length of the full one", noise.ratio, "below 10"),
            Measured("batch size at which both are alike", noise.scale, f"not far above {noise.batch_size}"),
        )
        larger = next((s for s in (32, 64, 128, 256) if s >= 8 * case.batch_size), 512)
        bigger = (*cures.batches_of(case, min(larger, case.rows)), *cures.times_rate(case, 0.1))
        said = (
            f"The gradients of batches of {noise.batch_size} are mostly noise: their variance is {number(noise.ratio)} times "
            "the squared length of the gradient of all rows."
        )
        where = Where(epochs=(noise.iteration // course.run.batches + 1,) * 2)
        alarm = "Larger batches would end no better."
        found.append(Finding("training.gradient_noise", said, "note", 0.15, measured, where, bigger, alarm))
        if noise.batch_size <= 8:
            strength = 0.6 if rough else 0.3
            found.append(Finding("opt.batch_size", said, "note", strength, measured, where, bigger, alarm))
    if case.batch_size >= case.rows and case.rows > 64 and course.run.iteration <= 300 and course.still_falling > 0:
        found.append(
            Finding(
                "opt.batch_size",
                f"All {case.rows:,} rows are one batch, so {course.epochs:,} epochs are only {course.run.iteration:,} updates.",
                confidence=0.45,
                measured=(Measured("updates", course.run.iteration, "thousands"),),
                cures=(*cures.batches_of(case, 32), *cures.epochs(case, 10 * case.epochs)),
                false_alarm="Smaller batches would end no better.",
            )
        )
    return found


def check_overfitting(course: Course) -> list[Finding]:
    """The held-out cost turns while the training's still falls."""
    if "validation_cost" not in course.run.history:
        return []
    held = course.series("validation_cost")
    metric = name_of(course.evidence.metric)
    held_scores = course.series(f"validation_{course.evidence.metric}")
    if not np.isfinite(held).all() or course.epochs < 3:
        return []
    best = int(held.argmin())
    rise = float(np.median(held[-max(1, course.epochs // 10) :]) / max(held[best], 1e-12))
    gap = float(course.scores[-1] - held_scores[-1])
    lost = float(held_scores[max(best, 1)] - held_scores[-1])
    turned = rise > 1.15 and best < 0.9 * course.epochs and course.costs[-1] < course.costs[best]
    if not turned or gap < 0.02:
        return []
    strength = 0.15 + (0.25 if gap > 0.1 else 0.1) + (0.25 if lost > 0.03 else 0.0) + (0.1 if rise > 2 else 0.0)
    case = course.case
    return [
        Finding(
            "reg.missing",
            f"Overfitting from epoch {best} on: the held-out cost has risen by {rise - 1:.0%} since, the training's fell.",
            confidence=strength,
            measured=(
                Measured("held-out cost at the end / at its lowest", rise, "near 1"),
                Measured(f"training {metric} less held-out {metric}", gap, "near 0"),
                Measured("epoch of the lowest held-out cost", best, "near the last"),
            ),
            where=Where(epochs=(best, course.epochs)),
            cures=(*cures.epochs(case, max(1, best)), *cures.with_l2(case, 1e-2), *cures.with_l2(case, 1e-3)),
            false_alarm="The held-out score would not be better at the epoch where the held-out cost is lowest.",
        )
    ]
