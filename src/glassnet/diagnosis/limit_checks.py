"""What keeps a healthy network from saying more: its size, its penalty, its dropout."""

from __future__ import annotations

import math

import numpy as np

from glassnet.diagnosis import training_cures as cures
from glassnet.diagnosis.course import Course, name_of
from glassnet.diagnosis.findings import Finding, Measured, Where, number
from glassnet.diagnosis.network_changes import (
    groups,
    healthy,
    hidden_widths,
    network_change,
    wider,
    with_dropout,
    without_dropout,
)

NARROW = 5
"""Hidden layers of so few units or less may be too narrow."""


def check_capacity(course: Course) -> list[Finding]:
    """The training score stands still below 1 while everything is healthy: the network cannot say more."""
    evidence, run = course.evidence, course.run
    end = evidence.end
    # Right activations, living units, gradients that arrive and weights that moved: what is left is size.
    sick = (
        run.status == "diverged"
        or any(layer.all_dead for layer in end.layers)
        or course.vanishes
        or course.moved < 0.1
        or course.swings > 0.1
        or course.still_falling > 0.05
        or course.epochs < 5
        or bool(evidence.frozen)
    )
    widths = hidden_widths(course.case.network)
    if sick or course.well or not math.isfinite(course.scores[-1]):
        return []
    narrowest = min(widths, default=0)
    held = course.series(f"validation_{evidence.metric}") if run.validation is not None else course.scores
    gap = float(course.scores[-1] - held[-1])
    if narrowest > 16 or gap > 0.1:
        return []
    strength = 0.65 if narrowest <= 2 else 0.5 if narrowest < NARROW else 0.25 if narrowest <= 8 else 0.1
    network, metric = course.case.network, name_of(evidence.metric)
    bigger = wider(network, 32) if widths else healthy(network)
    return [
        Finding(
            "arch.too_little_capacity",
            f"The training {metric} stands still at {number(float(course.scores[-1]))} though gradients arrive; "
            + (
                f"the narrowest hidden layer has {narrowest} unit{'' if narrowest == 1 else 's'}."
                if widths
                else "there is no hidden layer."
            ),
            confidence=strength,
            measured=(
                Measured("units of the narrowest hidden layer", narrowest, "above 8"),
                Measured(f"training {metric}", float(course.scores[-1]), "near 1"),
                *((Measured(f"training less held-out {metric}", gap, "near 0"),) if run.validation is not None else ()),
            ),
            where=Where(layer=widths.index(narrowest) + 1 if widths else 1),
            cures=tuple(network_change(network, n) for n in (bigger, healthy(network)) if n != network),
            false_alarm="A wider network would fit the training rows no better.",
        )
    ]


def check_penalty(course: Course) -> list[Finding]:
    """The penalty outweighs the cost, and the weights shrink."""
    case, end, start = course.case, course.evidence.end, course.evidence.start
    if not (case.settings.get("l1") or case.settings.get("l2")):
        return []
    data_cost = end.cost - end.penalty
    share = end.penalty / end.cost if end.cost > 0 else 0.0
    first_share = start.penalty / start.cost if start.cost > 0 else 0.0
    shrunk = min(
        (b.weight_norm / a.weight_norm for a, b in zip(start.layers, end.layers, strict=True) if a.weight_norm > 0),
        default=1.0,
    )
    strength = 0.0
    if shrunk < 0.3 and course.guesses:
        strength = 0.85
    elif share > 0.5 or (first_share > 0.5 and shrunk < 0.5):
        strength = 0.6
    elif share > 0.2 or shrunk < 0.3:
        strength = 0.35
    if not strength:
        return []
    return [
        Finding(
            "reg.too_strong",
            f"The penalty is large: it is {share:.0%} of the cost at the end ({first_share:.0%} at the start), and the "
            f"weights of a layer are {number(float(f'{shrunk:.3g}'))} times their first length.",
            confidence=strength,
            measured=(
                Measured("penalty / cost at the end", share, "below 0.2"),
                Measured("cost without the penalty", data_cost, "above the penalty"),
                Measured("length of a layer's weights / at the start", shrunk, "about 1 or more"),
            ),
            where=Where(equation="R"),
            cures=(*cures.penalties(case, 0.0), *cures.penalties(case, 0.01)),
            false_alarm="Without the penalty held-out rows would be predicted no better.",
        )
    ]


def check_dropout(course: Course) -> list[Finding]:
    """The cost is far higher with units dropped than without."""
    network = course.case.network
    rates = [(group.number, group.dropout, group.width) for group in groups(network) if group.dropout > 0]
    if not rates or not course.epochs:
        return []
    tail = slice(-max(1, course.epochs // 10), None)
    dropped = float(np.median(course.run.history["batch_cost"][tail] - course.run.history["penalty"][tail]))
    whole = course.smooth_end
    ratio = dropped / whole if whole > 0 else 1.0
    layer, rate, width = max(rates, key=lambda r: (r[1], -r[2]))
    kept = (1 - rate) * width
    strength = 0.7 if rate > 0.6 or kept < 3 else 0.4 if rate > 0.5 or kept < 6 else 0.12
    if ratio > 1.5 and not course.guesses:
        strength = min(0.8, strength + 0.1)
    if rate <= 0.5 and kept >= 6 and ratio < 1.5:
        return []
    return [
        Finding(
            "reg.dropout_too_high",
            f"Dropout {rate:g} leaves about {kept:.1f} of the {width} units of layer {layer} in a step; the cost is "
            f"{number(ratio)} times as high with it as without.",
            confidence=strength,
            measured=(
                Measured("rate of dropout", rate, "0.1 to 0.5"),
                Measured("units left in a step", kept, "10 or more"),
                Measured("cost with units dropped / without", ratio, "below 1.5"),
            ),
            where=Where(layer=layer),
            cures=(
                network_change(network, without_dropout(network)),
                network_change(network, with_dropout(network, 0.2)),
            ),
            false_alarm="Without dropout held-out rows would be predicted no better.",
        )
    ]
