"""What a finished (or broken off) training shows: checks of its costs, epoch by epoch. Those of its layers: unit_checks.py.

Each check gives suspicions. Their confidence says how likely they are the reason, given that the training falls short.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from glassnet.diagnosis import training_cures as cures
from glassnet.diagnosis.case import Case
from glassnet.diagnosis.course import Course
from glassnet.diagnosis.evidence import Evidence
from glassnet.diagnosis.findings import Finding, Measured, Where, number
from glassnet.diagnosis.swing_checks import check_noise, check_oscillation, check_overfitting
from glassnet.diagnosis.unit_checks import check_layers
from glassnet.training.run import Run

SMALL_RATIO, LARGE_RATIO = 1e-5, 0.1
"""Updates of a usual size are about a thousandth of the weights; below and above these something is wrong."""
HARDLY_MOVED = 0.1
"""Weights that are so near to their start (relative distance) have hardly been trained."""
FEW_UPDATES = 600
STANDS_STILL = 0.01
"""A cost that changes by less than this share of its start, over a tenth of the training, stands still."""
DAMPED = 0.25
ENOUGH_RATIO = 2e-3
"""Updates from this share of the weights on are not too small."""
STOPPED = "stopped early"


@np.errstate(all="ignore")
def check_training(case: Case, run: Run, evidence: Evidence, unfinished: bool = False) -> list[Finding]:
    """Suspicions of why a training falls short, from its history and from the iterations looked at.

    An unfinished one is a pilot, and called so.
    """
    course = Course(case, run, evidence, "pilot" if unfinished else "training")
    if run.status == "diverged":
        return [*check_not_finite(course), *check_rate_too_large(course), *check_layers(course)]
    found: list[Finding] = []
    if course.epochs:
        for check in (
            check_divergence, check_rate_too_large, check_rate_too_small, check_oscillation, check_plateau, check_slow,
            check_overfitting, check_noise,
        ):  # fmt: skip
            found += check(course)
    found += check_layers(course)
    if any(finding.kind == "opt.too_few_epochs" for finding in found):
        found = [finding for finding in found if finding.kind != "training.slow"]  # the cause says it
    return [_damped(finding) for finding in found] if course.well else found


def _damped(finding: Finding) -> Finding:
    """The training rows are learnt, so what is unusual about the learning is hardly why it falls short elsewhere."""
    return finding if finding.kind == "reg.missing" else replace(finding, confidence=DAMPED * finding.confidence)


# Costs that go the wrong way.


def check_not_finite(course: Course) -> list[Finding]:
    """A number that was NaN or infinite ended the training."""
    run = course.run
    said = run.message or ""
    equation = next((e.name for e in run.derivation.equations if f"{e} is not finite" in said), "J")
    layer = next((e.layer for e in run.derivation.equations if e.name == equation), None)
    step = run.iteration + 1
    epoch = run.iteration // run.batches + 1
    norms = [look.gradient_norm for look in course.evidence.looks]
    rate, norm = course.case.learning_rate, norms[-1]
    largest = max((abs(float(v)) for v in (run.data.X.min(), run.data.X.max())), default=0.0) if run.data else math.nan
    return [
        Finding(
            "training.not_finite",
            f"{equation} is not finite in iteration {step}; the training ended there.",
            "critical",
            0.95,
            (
                Measured("iteration of the first value that is not finite", step, "none"),
                *((Measured("largest input", largest, "below 10"),) if largest >= 10 else ()),
                *(
                    (Measured("gradient norm at the last finite iteration looked at", norm, "below 100"),)
                    if norm >= 100
                    else ()
                ),
                *((Measured("learning rate", rate, "0.0001 to 0.1"),) if not 1e-4 <= rate <= 0.1 else ()),
            ),
            Where(layer=layer, equation=equation, epochs=(epoch, epoch)),
            (*cures.smaller_rates(course.case), *cures.fresh_start(course.case)),
            "All values would be finite to the end.",
            certain=True,
        )
    ]


def check_divergence(course: Course) -> list[Finding]:
    """The cost ends above where it started."""
    costs = course.costs
    if not (costs[0] > 0 and course.smooth_end > 1.2 * costs[0]):
        return []
    growth = course.smooth_end / costs[0]
    return [
        Finding(
            "training.divergence",
            f"The cost grew from {number(float(costs[0]))} to {number(course.smooth_end)}.",
            confidence=0.4 if growth < 10 else 0.6,
            measured=(Measured("last cost / first cost", growth, "below 1"),),
            where=Where(epochs=(1, course.epochs)),
            cures=cures.smaller_rates(course.case),
            false_alarm="The cost would have started unusually low, and predictions would be good all the same.",
        )
    ]


def check_rate_too_large(course: Course) -> list[Finding]:
    """Steps so long that the cost rises, jumps or lands far off."""
    case, run, costs = course.case, course.run, course.costs
    if not cures.has_rate(case.optimizer):
        return []
    first = course.evidence.looks[: 3 if run.iteration > 2 else 1]
    ratios = [layer.update_ratio for look in first for layer in look.layers if math.isfinite(layer.update_ratio)]
    start_ratio = max(ratios, default=0.0)
    early = costs[1 : max(2, min(6, 1 + course.epochs // 10)) + 1]
    jump = float(np.nanmax(early) / costs[0]) if len(early) and costs[0] > 0 else 0.0
    guessing = course.evidence.guessing
    above = course.smooth_end / guessing if course.epochs and guessing > 0 else 0.0
    above = above if math.isfinite(above) else math.inf
    strength = 0.0
    if run.status == "diverged":
        strength = 0.15 if run.iteration == 0 else 0.75
    if start_ratio > 1 and (course.guesses or above > 1.05):
        strength = max(strength, 0.88)
    elif start_ratio > LARGE_RATIO and (course.guesses or above > 1.05):
        strength = max(strength, 0.55)
    elif start_ratio > LARGE_RATIO:
        strength = max(strength, 0.2)
    if course.epochs and jump > 2:
        strength = max(strength, 0.7 if not course.still_falling else 0.35)
    if above > 1.1 and course.update_ratio > 0.003:
        strength = max(strength, 0.7 if above > 1.5 else 0.5)
    if course.swings > 0.1 and course.update_ratio > 0.003:
        strength = max(strength, 0.5)
    if strength == 0 and course.update_ratio > 0.02:
        strength = 0.4
    if strength == 0:
        return []
    # Only what is out of the ordinary speaks for it.
    evidence: list[tuple[bool, Measured, str]] = [
        (start_ratio > LARGE_RATIO,
         Measured("largest update / weight in the first steps", start_ratio, "about 0.001, below 0.1"),
         f"the first updates are {_times(start_ratio)} the weights they change"),
        (jump > 2, Measured("highest cost of the first epochs / cost at the start", jump, "below 1"),
         f"the cost rises to {_times(jump, 'its start')} in the first epochs"),
        (run.status == "diverged", Measured("last finite iteration", run.iteration, "the last one asked for"),
         f"numbers are no longer finite after iteration {run.iteration:,}"),
        (above > 1.05, Measured("last cost / cost of guessing", above, "well below 1"),
         f"the last cost is {_times(above, 'that of guessing')}"),
        (course.swings > 0.1, Measured("share of later epochs after which the cost has risen", course.swings, "below 0.05"),
         f"the cost rises noticeably after {course.swings:.0%} of the later epochs"),
        (course.update_ratio > 0.003, Measured("update / weight, median over layers", course.update_ratio, "about 0.001"),
         f"an update is {_times(course.update_ratio)} the weights"),
    ]  # fmt: skip
    odd = [(one, words) for unusual, one, words in evidence if unusual]
    return [
        Finding(
            "opt.lr_too_large",
            f"At learning_rate {case.learning_rate:g} {' and '.join(words for _, words in odd[:2])}.",
            confidence=strength,
            measured=tuple(one for one, _ in odd),
            where=Where(epochs=(1, max(1, len(early)))),
            cures=(*cures.smaller_rates(case), *cures.less_momentum(case)),
            false_alarm="With a tenth of the rate the training would end no better.",
        )
    ]


def _times(ratio: float, size: str = "as large as") -> str:
    """A ratio in words: "60 times as large as"."""
    if not math.isfinite(ratio):
        return f"infinitely many times {size}"
    return f"{number(float(f'{ratio:.3g}'))} times {size}"


# Costs that hardly move.


def epochs_to_halve(costs: np.ndarray) -> float:
    """Epochs in all after which a falling cost is half of the last, by how it fell over the last half.

    The better of J ∝ exp(−e/τ) and J ∝ e⁻ᵖ, straight lines of log J over e and over log e; infinite when it does not fall.
    `costs[e]` is the cost after epoch e; `costs[0]`, before the first, is left out.
    """
    last = len(costs) - 1
    first = max(1, last // 2)
    e, J = np.arange(first, last + 1, dtype=np.float64), np.asarray(costs[first:], dtype=np.float64)
    if len(e) < 3 or not (np.isfinite(J) & (J > 0)).all():
        return math.inf
    y = np.log(J)
    fits = []
    for x in (e, np.log(e)):
        slope, offset = np.polyfit(x, y, 1)
        fits.append((float(((y - slope * x - offset) ** 2).sum()), float(slope)))
    (exponential, decay), (power, exponent) = fits
    if exponential <= power:
        return last + math.log(2) / -decay if decay < 0 else math.inf
    return last * 2 ** min(1 / -exponent, 60.0) if exponent < 0 else math.inf


def check_slow(course: Course) -> list[Finding]:
    """The cost is still falling when the training ends."""
    falling = course.still_falling
    if falling < 0.01 or course.run.status == STOPPED:
        return []
    needed = epochs_to_halve(course.costs)
    if not math.isfinite(needed):
        return []
    more = min(needed, 1e7)
    return [
        Finding(
            "training.slow",
            f"The cost is still falling when the {course.called} ends: half of its last value would take about {more:,.0f} "
            f"epochs in all instead of {course.epochs:,}.",
            confidence=0.3,
            measured=(
                Measured("fall over the last quarter of the epochs", falling, "near 0 at the end"),
                Measured(
                    "epochs after which the cost would be half of its last", round(more), "no more than asked for"
                ),
            ),
            where=Where(epochs=(max(1, 3 * course.epochs // 4), course.epochs)),
            cures=(*cures.epochs(course.case, max(2 * course.epochs, min(more, 20 * course.epochs))),),
            false_alarm="More epochs would leave the score as it is.",
        )
    ]


def check_rate_too_small(course: Course) -> list[Finding]:
    """Steps too short, or too few, for what is still to be learnt."""
    case, ratio, moved = course.case, course.update_ratio, course.moved
    updates = course.run.iteration
    if not cures.has_rate(case.optimizer):
        return []
    alive = course.evidence.end.gradient_norm > 1e-6 and not _hidden_dead(course)
    falling = course.still_falling
    measured = (
        Measured("update / weight, median over layers", ratio, "about 0.001"),
        Measured("distance of the weights from their start / their length", moved, "above 0.3"),
        Measured("updates", updates, "thousands"),
        Measured("fall of the cost over the last quarter of the epochs", falling, "near 0 at the end"),
    )
    small, few = 0.0, 0.0
    if alive and moved < HARDLY_MOVED:
        short = ratio < SMALL_RATIO or (ratio < 3e-4 and updates > FEW_UPDATES)
        small = 0.8 if short else 0.35 if ratio < ENOUGH_RATIO else 0.0
        few = 0.75 if updates <= FEW_UPDATES and not ratio < SMALL_RATIO else 0.2
        if falling == 0.0 and ratio > SMALL_RATIO:
            small, few = 0.6 * small, 0.6 * few
    elif alive and ratio < 1e-3 and moved < (0.5 if course.guesses else 0.3):
        small, few = (0.2, 0.15) if course.vanishes else (0.5, 0.35)
    elif alive and falling > 0.02:
        small = 0.4 if ratio < 3e-4 else 0.2 if ratio < ENOUGH_RATIO else 0.0
        few = 0.7 if updates <= FEW_UPDATES else 0.55 if falling > 0.1 else 0.35
    elif alive and updates <= 100:
        few = 0.6
    if course.run.status == STOPPED:
        few = 0.0  # more epochs were allowed
    found = []
    if small:
        found.append(
            Finding(
                "opt.lr_too_small",
                f"At learning_rate {case.learning_rate:g} an update is {_times(ratio)} the weights, and after {updates:,} of "
                f"them they are {number(moved)} times their length from their start.",
                confidence=small,
                measured=measured,
                where=Where(epochs=(1, course.epochs)),
                cures=cures.larger_rates(case),
                false_alarm="With ten times the rate the training would end no better.",
            )
        )
    if few:
        share = f"{falling:{'.0%' if falling >= 0.01 else '.2%'}}"
        needed = epochs_to_halve(course.costs)
        wanted = min(max(needed if math.isfinite(needed) else 0, 5 * course.epochs), 20 * course.epochs)
        found.append(
            Finding(
                "opt.too_few_epochs",
                f"The {course.called} ends after {updates:,} updates"
                + (
                    f" while the cost still falls: by {share} over the last quarter of the epochs."
                    if falling > 0
                    else f"; the weights are then {number(moved)} times their length from their start."
                ),
                confidence=few,
                measured=measured,
                where=Where(epochs=(course.epochs, course.epochs)),
                cures=(*cures.epochs(case, wanted), *cures.batches_of(case, 32), *cures.times_rate(case, 10)),
                false_alarm="More epochs would leave the score as it is.",
            )
        )
    return found


def _hidden_dead(course: Course) -> bool:
    return any(layer.all_dead for layer in course.evidence.end.layers[:-1])


def still_epochs(costs: np.ndarray) -> tuple[int, int] | None:
    """The longest stretch of epochs over which the cost stays within 1 % of its start; None below three tenths of them."""
    last = len(costs) - 1
    scale = STANDS_STILL * abs(float(costs[0]))
    best, low = (0, 0), 0
    for high in range(1, last + 1):
        while float(costs[low + 1 : high + 1].max() - costs[low + 1 : high + 1].min()) > scale:
            low += 1
        if high - low > best[1] - best[0]:
            best = (low, high)
    return (best[0] + 1, best[1]) if best[1] - best[0] >= max(3, 0.3 * last) else None


def check_plateau(course: Course) -> list[Finding]:
    """The cost does not move for a good part of the training."""
    stretch = still_epochs(course.costs[-2001:])
    if stretch is None or not np.isfinite(course.costs).all():
        return []
    offset = max(0, len(course.costs) - 2001)
    first, last = stretch[0] + offset, stretch[1] + offset
    norms = course.run.history["gradient_norm"]
    norm, at_first = float(np.median(norms[first - 1 : last])), float(norms[0])
    small = norm < 1e-4 or norm < 1e-3 * at_first
    level = float(np.median(course.costs[first : last + 1]))
    guessing = course.evidence.guessing
    at_guess = guessing > 0 and abs(level / guessing - 1) < 0.03
    return [
        Finding(
            "training.plateau",
            f"The cost stands still at {number(level)} from epoch {first} to {last}, while the gradient is "
            f"{'small' if small else 'not small'} ({number(norm)}).",
            confidence=0.35 if at_guess or course.guesses else 0.15,
            measured=(
                Measured("share of the epochs", (last - first + 1) / course.epochs, "below 0.3"),
                Measured("gradient norm there", norm, f"at the start {number(at_first)}"),
                Measured(
                    "cost there", level, f"below {number(guessing)}, the cost of guessing" if guessing > 0 else "low"
                ),
            ),
            where=Where(epochs=(first, last)),
            cures=(*cures.times_rate(course.case, 10), *cures.fresh_start(course.case), *cures.adam(course.case)),
            false_alarm="The cost would have reached the least that these rows allow.",
        )
    ]
