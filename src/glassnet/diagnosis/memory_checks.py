"""What an optimiser remembers from step to step, and how many rows it looks at before each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from glassnet.diagnosis.case import Case
from glassnet.diagnosis.changes import Change
from glassnet.diagnosis.findings import Finding, Measured, number
from glassnet.diagnosis.usual_changes import with_rate
from glassnet.equations.optimizers import SGD, Adam, RMSprop

LONG_MEMORY = 0.99
"""Momentum from which on a velocity outlives a hundred updates."""
EPSILONS = (1e-10, 1e-3)


def check_memory(case: Case) -> list[Finding]:
    """Momentum close to 1, and moments of Adam or RMSprop far from their defaults."""
    optimizer = case.optimizer
    if isinstance(optimizer, SGD):
        return _momentum(case, optimizer)
    if isinstance(optimizer, Adam):
        return _moments(case, optimizer)
    if isinstance(optimizer, RMSprop):
        return _odd(case, optimizer, {"rho": (optimizer.rho, 0.9, 0.5, 0.995), "epsilon": _small(optimizer.epsilon)})
    return []


def _momentum(case: Case, optimizer: SGD) -> list[Finding]:
    mu = optimizer.momentum
    if mu < LONG_MEMORY:
        return []
    after = f"{round(1 / (1 - mu)):,} updates" if mu < 1 else "ever"
    calmer = replace(optimizer, momentum=0.9)
    said = f"momentum {mu:g} → 0.9"
    cures = (
        Change(said, {"optimizer": calmer}),
        Change(f"{said}; learning_rate × 0.1", {"optimizer": with_rate(calmer, 0.1)}),
        Change("SGD → Adam(0.003)", {"optimizer": Adam(0.003)}),
    )
    return [Finding(
        "opt.momentum",
        f"Momentum {mu:g} keeps each slope for {after}, so the weights overshoot and swing for as long.",
        confidence=0.95 if mu == 1 else 0.88 if mu >= 0.995 else 0.6,
        measured=(Measured("momentum", mu, "0 to 0.95"),
                  Measured("rate in the long run", case.learning_rate / (1 - mu) if mu < 1 else "unbounded", "below 1")),
        cures=cures, false_alarm="The learning rate was made smaller to match, and the cost falls without swings.",
    )]  # fmt: skip


def _moments(case: Case, optimizer: Adam) -> list[Finding]:
    return _odd(
        case,
        optimizer,
        {
            "beta1": (optimizer.beta1, 0.9, 0.0, 0.98),
            "beta2": (optimizer.beta2, 0.999, 0.9, 0.99995),
            "epsilon": _small(optimizer.epsilon),
        },
    )


def _small(epsilon: float) -> tuple[float, float, float, float]:
    return (epsilon, 1e-8, *EPSILONS)


def _odd(
    case: Case, optimizer: Adam | RMSprop, settings: dict[str, tuple[float, float, float, float]]
) -> list[Finding]:
    """Settings outside what is usual: name -> (value, default, least, most)."""
    odd = {n: s for n, s in settings.items() if not s[2] <= s[0] <= s[3]}
    if not odd:
        return []
    name = type(optimizer).__name__
    listed = ", ".join(f"{n} {number(v)}" for n, (v, *_) in odd.items())
    usual = ", ".join(f"{n} {number(d)}" for n, (_, d, *_) in odd.items())
    defaults: dict[str, Any] = {n: s[1] for n, s in odd.items()}
    back = replace(optimizer, **defaults)
    slows = any(n in ("beta1", "epsilon") and s[0] > s[3] for n, s in odd.items())
    return [Finding(
        "opt.adam_epsilon", f"{name} is used with {listed}; usual is {usual}.", confidence=0.35 if slows else 0.15,
        measured=tuple(Measured(n, v, f"{number(least)} to {number(most)}") for n, (v, _, least, most) in odd.items()),
        cures=(Change(f"{listed} → {usual}", {"optimizer": back}),),
        false_alarm="It trains alike with the defaults; that is usual, these settings seldom matter.",
    )]  # fmt: skip


def check_batch_size(case: Case) -> list[Finding]:
    """One or two rows an update at a rate that does not average their noise away; or so many that few updates are left."""
    size, rows = case.batch_size, case.rows
    if size <= 4 and rows >= 32:
        return _tiny_batches(case, size)
    if size >= 64 and case.updates < 50 and size >= rows / 4:
        updates = f"{case.updates} update{'' if case.updates == 1 else 's'}"
        epochs = f"{case.epochs} epoch{'' if case.epochs == 1 else 's'}"
        longer = Change(f"epochs {case.epochs:,} → {4 * case.epochs:,}", {"epochs": 4 * case.epochs})
        return [Finding(
            "opt.batch_size", f"Batches of {size:,} of {rows:,} rows leave {updates} in {epochs}.", confidence=0.45,
            measured=(Measured("batch_size", size, "16 to 256"), Measured("updates", case.updates, "hundreds")),
            cures=(_batches(size, 32), _batches(size, 16).and_then(longer)),
            false_alarm="Each update would already be as good as it can be.",
        )]  # fmt: skip
    return []


def _tiny_batches(case: Case, size: int) -> list[Finding]:
    optimizer = case.optimizer
    momentum = optimizer.momentum if isinstance(optimizer, SGD) else 0.0
    rate = case.learning_rate / max(1 - momentum, 1e-3)
    large, fair = (0.05, 0.01) if isinstance(optimizer, SGD) else (0.01, 0.003)
    sure = (0.75 if rate >= large else 0.35 if rate >= fair else 0.12) * (1.0 if size == 1 else 0.6)
    calmer = _batches(size, 32)
    slower = Change("learning_rate × 0.1", {"optimizer": with_rate(optimizer, 0.1)})
    rows = f"{size} row{'' if size == 1 else 's'}"
    return [Finding(
        "opt.batch_size", f"Each update looks at {rows} only, at a rate of {number(rate)}: their noise is not averaged away.",
        confidence=sure,
        measured=(Measured("batch_size", size, "16 to 256"),
                  Measured("rate in the long run", rate, f"below {fair:g} for so few rows")),
        cures=(calmer, slower, calmer.and_then(slower)), false_alarm="The cost would not swing from epoch to epoch.",
    )]  # fmt: skip


def _batches(now: int, then: int) -> Change:
    return Change(f"batch_size {now:,} → {then:,}", {"batch_size": then})
