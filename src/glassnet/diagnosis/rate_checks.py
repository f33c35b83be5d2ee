"""Is the step size right for this network, these data and these epochs? Looked at before the first step.

Plain descent is measured against the curvature λmax at the start, the adaptive optimisers against the distance a weight can
travel; both are tried out on the first few updates.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from glassnet.diagnosis.case import Case
from glassnet.diagnosis.changes import Change
from glassnet.diagnosis.curvature import Curvature, curvature_at
from glassnet.diagnosis.findings import Finding, Measured, Where, number
from glassnet.diagnosis.memory_checks import check_batch_size, check_memory
from glassnet.diagnosis.trial_steps import TrialSteps, starting_parameters, step_work, trial_steps, values_of
from glassnet.diagnosis.usual_changes import with_rate
from glassnet.equations.optimizers import SGD, Adagrad, Adam, Optimizer, RMSprop
from glassnet.errors import GlassnetError
from glassnet.training.arrays import sparse

PRODUCTS, FEWER_PRODUCTS = 20, 4
"""Hessian-vector products that λmax is estimated from, at most; a few per cent are enough here."""
CURVATURE_WORK, TOO_MUCH_WORK = 3e9, 1e10
"""Multiplications that all of them may take, about: larger networks are looked at on fewer rows, the largest not at all."""
FEWEST_ROWS, ENOUGH_ROWS = 8, 512
NEEDED_STEPS = 100.0
"""Σ α λmax below which a descent has hardly moved along any but the steepest direction."""
NEEDED_TRAVEL = 3.0
"""How far an adaptive optimiser should be able to move a weight: about three times its usual size at the start."""
USUAL = {SGD: (0.01, 0.1), Adagrad: (0.01, 0.1), RMSprop: (0.001, 0.01), Adam: (0.001, 0.01)}
"""Rates that are usual."""

Curve = Sequence[tuple[float, float]]
"""(measured, confidence), ascending; between two points it is a line over the logarithm of what is measured."""
TOO_STEEP: Curve = ((1.0, 0.25), (2.0, 0.35), (10.0, 0.75), (100.0, 0.85))
TOO_FEW_STEPS: Curve = ((0.1, 0.9), (1.0, 0.85), (10.0, 0.6), (30.0, 0.45), (100.0, 0.15))
TOO_FAR: dict[type[Optimizer], Curve] = {
    Adam: ((0.02, 0.15), (0.05, 0.4), (0.1, 0.65), (0.5, 0.8), (1.0, 0.85)),
    RMSprop: ((0.01, 0.1), (0.03, 0.35), (0.1, 0.65), (0.5, 0.8), (1.0, 0.85)),
    Adagrad: ((0.2, 0.1), (0.5, 0.35), (1.0, 0.6), (5.0, 0.8)),
}
TOO_NEAR: Curve = ((0.02, 0.9), (0.1, 0.8), (0.3, 0.6), (1.0, 0.3), (3.0, 0.1))


@np.errstate(all="ignore")
def check_rate(case: Case) -> list[Finding]:
    """Suspicions about the learning rate, the number of updates, the batch size and the optimiser's memory.

    Raises nothing: what cannot be evaluated is not looked at.
    """
    optimizer = case.optimizer
    if case.derivation is None or case.samples is None or _family(optimizer) is None or case.updates < 1:
        return []
    rates = Rates.of(case)
    if not rates.peak > 0:
        return []
    steep = _curvature(case) if isinstance(optimizer, SGD) else None
    found = [*check_memory(case), *check_batch_size(case)]
    if isinstance(optimizer, SGD):
        if steep is not None and steep.value > 0:
            found += [*_steep_steps(case, rates, steep), *_few_steps(case, rates, steep)]
        else:
            found += _tried(case, rates, 0.0, f"learning_rate {number(rates.peak)}", ())
    else:
        found += [*_far_steps(case, rates), *_near_steps(case, rates)]
    return found


@dataclass(frozen=True)
class Rates:
    """The learning rates of a training: the largest, and their sum over all updates."""

    peak: float
    total: float

    @classmethod
    def of(cls, case: Case) -> Rates:
        schedule, per_epoch = case.optimizer.schedule, max(1, -(-case.rows // max(1, case.batch_size)))
        at = np.unique(np.linspace(0, max(case.updates - 1, 0), 101).astype(int))
        rates = [schedule.rate(int(t), int(t) // per_epoch, t / per_epoch) for t in at]
        return cls(float(max(rates)), float(np.mean(rates)) * case.updates)


def _family(optimizer: Optimizer) -> type[Optimizer] | None:
    return next((kind for kind in USUAL if isinstance(optimizer, kind)), None)


def confidence_at(curve: Curve, value: float) -> float:
    """The confidence that belongs to a measured value."""
    at, sure = zip(*curve, strict=True)
    return float(np.interp(math.log(max(value, 1e-300)), np.log(at), sure))


def _curvature(case: Case) -> Curvature | None:
    """λmax at the start, or None when it cannot be had (a value not finite, a network too large)."""
    assert case.derivation is not None
    # A Hessian-vector product costs about twice a step.
    each = 2 * step_work(case)
    products = PRODUCTS if CURVATURE_WORK / (PRODUCTS * each) >= ENOUGH_ROWS else FEWER_PRODUCTS
    rows = int(CURVATURE_WORK / (products * each))
    if rows < FEWEST_ROWS and FEWEST_ROWS * products * each > TOO_MUCH_WORK:
        return None
    values = case.start if rows >= min(ENOUGH_ROWS, case.rows) else values_of(case, max(rows, FEWEST_ROWS))
    if values is None:
        return None
    try:
        with np.errstate(all="ignore"):
            return curvature_at(case.derivation, values, tolerance=0.02, most=products)
    except GlassnetError:
        return None


# Plain descent.


def _steep_steps(case: Case, rates: Rates, steep: Curvature) -> list[Finding]:
    """A rate above 2/λmax."""
    optimizer = case.optimizer
    assert isinstance(optimizer, SGD)
    limit = steep.steady_rate(min(optimizer.momentum, 0.999), optimizer.nesterov)
    excess = rates.peak / limit
    if excess < 0.3:
        return []
    measured = (
        Measured("rate · λmax", rates.peak * steep.value, f"below {number(limit * steep.value)}"),
        Measured("λmax at the start", steep.value, f"{number(limit * steep.value / rates.peak)} at this rate"),
    )
    mu = f"{optimizer.momentum:g}"
    formula = "2/λmax" if not optimizer.momentum else f"2 (1 + {mu})/λmax"
    if optimizer.nesterov and optimizer.momentum:
        formula = f"2 (1 + {mu})/((1 + 2 · {mu}) λmax)"
    what = f"{formula} = {_rounded(limit)}, above which descent diverges"
    said = (
        f"learning_rate {number(rates.peak)} is {_rounded(excess)} times {what}"
        if excess >= 1
        else f"learning_rate {number(rates.peak)} is near {what}"
    )
    base = confidence_at(TOO_STEEP, excess) if excess >= 1 else 0.0
    return _tried(case, rates, base, said, measured, target=0.25 * limit)


def _tried(
    case: Case, rates: Rates, base: float, said: str, measured: tuple[Measured, ...], target: float | None = None
) -> list[Finding]:
    """A rate that may be too large, tried out: does a step a tenth as long do better?"""
    whole = trial_steps(case)
    sure = base
    if whole is not None:
        shorter = [steps for steps in (trial_steps(case, 0.1), trial_steps(case, 0.01)) if steps is not None]
        shortened = next((steps for steps in shorter if steps.lowers and not steps.flattens), shorter[0])
        sure, measured, said = _seen(base, whole, shortened, measured, said, isinstance(case.optimizer, SGD))
    other = _other_cause(case)
    if other:
        sure *= 0.7
        said += f"; {other}"
    if sure < 0.1:
        return []
    return [Finding(
        "opt.lr_too_large", said + ".", confidence=sure, measured=measured, where=Where(equation="J"),
        cures=_slower(case, rates, target),
        false_alarm="The cost would fall at this rate: of a cost that is no parabola the curvature changes as it trains.",
    )]  # fmt: skip


def _seen(
    base: float, whole: TrialSteps, shorter: TrialSteps, measured: tuple[Measured, ...], said: str, steep: bool
) -> tuple[float, tuple[Measured, ...], str]:
    """The confidence with what the trial showed; `steep` says that `base` is a guess from the curvature alone."""
    updates = f"{whole.updates} update{'' if whole.updates == 1 else 's'}"
    part = "a tenth" if shorter.factor > 0.05 else "a hundredth"
    tried = [
        (not whole.lowers, Measured(f"J after {updates}", whole.after, f"below {number(whole.before)}")),
        (whole.flattens, Measured(f"spread of the outputs after {updates}", whole.spread_after, number(whole.spread_before))),
        (shorter.after < whole.after,
         Measured(f"J after {updates} with {part} of the rate", shorter.after, f"{number(whole.after)} or more")),
    ]  # fmt: skip
    measured = (*measured, *(one for unusual, one in tried if unusual))
    good = shorter.lowers and not shorter.flattens
    gained = shorter.before - shorter.after
    if good and (whole.raises or whole.flattens):
        how = "the cost rises" if whole.raises else "the outputs become the same for all rows"
        sure = max(base, 0.85 if base else 0.6)
        return min(0.95, sure + 0.05), measured, f"{said}; within {updates} {how}, with {part} of it not"
    if good and whole.after > shorter.after + 0.1 * gained:
        said = f"{said}; after {updates} the cost is {number(whole.after)}, with {part} of it {number(shorter.after)}"
        return (max(base, 0.55) + 0.1 if base else 0.2), measured, said
    falls = whole.lowers and not whole.flattens
    return base * ((0.5 if steep else 0.75) if falls else 1.0), measured, said


def _other_cause(case: Case) -> str:
    """What else makes the curvature large: features or weights that are far from 1 in size."""
    assert case.derivation is not None
    assert case.samples is not None
    X = case.samples.X[: 4 * ENOUGH_ROWS]
    size = math.sqrt(float(X.multiply(X).mean() if sparse(X) else (X.astype(np.float64) ** 2).mean()))
    if size > 10:
        return f"features of size {number(size)} make every step longer"
    start = starting_parameters(case)
    for parameter in case.derivation.parameters:
        if parameter.role == "weight":
            W = np.asarray(start[parameter.name])
            inputs = W.shape[0] if W.ndim == 2 else int(np.prod(W.shape[1:]))
            gain = float(np.sqrt((W**2).mean() * inputs))
            if gain > 5:
                return f"weights {parameter.name} that start {number(gain)} times 1/√(inputs) in size make every step longer"
    return ""


def _few_steps(case: Case, rates: Rates, steep: Curvature) -> list[Finding]:
    """Σ α λmax too small for the asked epochs."""
    optimizer = case.optimizer
    assert isinstance(optimizer, SGD)
    ahead = min(1 / max(1 - optimizer.momentum, 1e-3), max(1.0, case.updates / 2))
    steps = rates.total * ahead * steep.value
    if steps >= NEEDED_STEPS:
        return []
    room = min(0.5 * steep.steady_rate(), 1.0) / (rates.peak * ahead)
    measured = (
        Measured("λmax · sum of all rates", steps, f"above {number(NEEDED_STEPS)}"),
        Measured("updates", case.updates, "hundreds or more"),
    )
    said = (
        f"Over {_updates(case)} at learning_rate {number(rates.peak)}, λmax times the sum of the rates is {number(steps)}: too "
        "short a way for all but the steepest directions"
    )
    return _too_short(
        case, rates, confidence_at(TOO_FEW_STEPS, steps), NEEDED_STEPS / max(steps, 1e-12), room, said, measured
    )


# Optimisers that measure their steps in slopes.


def _far_steps(case: Case, rates: Rates) -> list[Finding]:
    """A rate so large that each step moves every weight across its whole range."""
    family = _family(case.optimizer)
    assert family is not None
    curve = TOO_FAR[family]
    if rates.peak < curve[0][0]:
        return []
    low, high = USUAL[family]
    measured = (Measured("learning_rate", rates.peak, f"{low:g} to {high:g}"),)
    name = type(case.optimizer).__name__
    said = f"learning_rate {number(rates.peak)} lets {name} move every weight by about that much in each of its first updates"
    return _tried(
        case, rates, confidence_at(curve, rates.peak), said, measured, target=low if family is Adam else high / 3
    )


def _near_steps(case: Case, rates: Rates) -> list[Finding]:
    """A rate so small that no weight can go far in all updates together."""
    family = _family(case.optimizer)
    assert family is not None
    total = 2 * rates.peak * math.sqrt(case.updates) if family is Adagrad else rates.total
    inputs = int(np.prod(case.network.input_shape))
    travel = total * max(1.0, math.sqrt(inputs / 2))
    if travel >= NEEDED_TRAVEL:
        return []
    high = USUAL[family][1]
    measured = (
        Measured("distance one weight can go in all updates", total, f"above {number(NEEDED_TRAVEL * total / travel)}"),
        Measured("updates", case.updates, "hundreds or more"),
        Measured("learning_rate", rates.peak, f"{USUAL[family][0]:g} to {high:g}"),
    )
    said = (
        f"In {_updates(case)} at learning_rate {number(rates.peak)} "
        f"{type(case.optimizer).__name__} can move a weight by {number(total)} at most"
    )
    more = NEEDED_TRAVEL / travel
    return _too_short(
        case,
        rates,
        confidence_at(TOO_NEAR, travel),
        more**2 if family is Adagrad else more,
        high / rates.peak,
        said,
        measured,
    )


# What both share.


def _too_short(
    case: Case, rates: Rates, sure: float, lacking: float, room: float, said: str, measured: tuple[Measured, ...]
) -> list[Finding]:
    """Too short a way: by the rate, when there is room for a larger one, or by the number of updates.

    `lacking` is how many times further it should go, `room` how many times larger the rate may be.
    """
    family = _family(case.optimizer)
    assert family is not None
    low, high = USUAL[family]
    epochs = case.epochs * lacking
    expected = f"it would need about {_round(epochs):,} epochs" if epochs < 1e7 else "no number of epochs would do"
    said = f"{said}; at this rate {expected}."
    # A usual rate is less likely to be the fault than an unusual one.
    slow = sure * (0.3 if rates.peak >= high else 0.75 if rates.peak >= low else 1.0) * (1.0 if room >= 2 else 0.3)
    few = sure * (0.5 if case.updates >= 300 else 0.8 if case.updates >= 100 else 1.0)
    if room >= lacking and case.updates >= 100:
        few *= 0.5
    elif case.updates < 50:
        few, slow = max(few, 0.7), min(slow, 0.6)
    found = []
    if slow >= 0.1 and room > 1.5:
        found.append(Finding(
            "opt.lr_too_small", said, confidence=slow, measured=measured, where=Where(equation="J"),
            cures=_faster(case, rates, room, lacking),
            false_alarm="The cost would have stopped falling well before the last epoch.",
        ))  # fmt: skip
    if few >= 0.1:
        found.append(Finding(
            "opt.too_few_epochs", said, confidence=few, measured=measured, where=Where(equation="J"),
            cures=_longer(case, rates, lacking, room),
            false_alarm="The score would stay the same with more epochs.",
        ))  # fmt: skip
    return found


def _updates(case: Case) -> str:
    return f"{case.updates:,} update{'' if case.updates == 1 else 's'}"


def rate_to(case: Case, rates: Rates, wanted: float) -> Change:
    """The learning rate brought to about `wanted` at its largest, said as a diff."""
    factor = float(f"{wanted / rates.peak:.2g}")
    return Change(
        f"learning_rate {number(rates.peak)} → {number(rates.peak * factor)}",
        {"optimizer": with_rate(case.optimizer, factor)},
    )


def _adam(case: Case) -> Change:
    return Change(f"{type(case.optimizer).__name__} → Adam(0.003)", {"optimizer": Adam(0.003)})


def _slower(case: Case, rates: Rates, target: float | None) -> tuple[Change, ...]:
    wanted = [rates.peak / 10, rates.peak / 100]
    if target is not None and target < rates.peak / 1.5:
        wanted.insert(0, target)
    several = [rate_to(case, rates, rate) for rate in dict.fromkeys(wanted)]
    return (*several, _adam(case))


def _faster(case: Case, rates: Rates, room: float, lacking: float) -> tuple[Change, ...]:
    wanted = [rates.peak * min(room, max(2 * lacking, 10)), rates.peak * min(room, 10), rates.peak * min(room, 100)]
    several = [rate_to(case, rates, rate) for rate in dict.fromkeys(wanted)]
    more = replace(several[0], said=several[0].said).and_then(_epochs(case, 4))
    return (*several, more, *(() if isinstance(case.optimizer, Adam) else (_adam(case),)))


def _longer(case: Case, rates: Rates, lacking: float, room: float) -> tuple[Change, ...]:
    times = [t for t in (min(_round(lacking), 100), 4, 20) if t > 1]
    several = [_epochs(case, t) for t in dict.fromkeys(times)]
    if room > 1.5:
        faster = rate_to(case, rates, rates.peak * min(room, 10))
        several.append(_epochs(case, min(_round(max(lacking / min(room, 10), 4)), 100)).and_then(faster))
    if case.batch_size > 64:
        several.append(several[0].and_then(Change(f"batch_size {case.batch_size:,} → 32", {"batch_size": 32})))
    return tuple(several)


def _epochs(case: Case, times: int) -> Change:
    return Change(f"epochs {case.epochs:,} → {case.epochs * times:,}", {"epochs": case.epochs * times})


def _rounded(value: float) -> str:
    """To three digits."""
    return number(float(f"{value:.3g}"))


def _round(value: float) -> int:
    """To one digit, upwards: 1,234 → 2,000."""
    if value <= 1:
        return 1
    power = 10 ** math.floor(math.log10(value))
    return int(math.ceil(value / power - 1e-9) * power)
