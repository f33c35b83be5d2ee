"""The first few updates of a training, made for trial at several step sizes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from glassnet.diagnosis.case import LOOKED_AT, Case
from glassnet.diagnosis.curvature import unmasked
from glassnet.engines.base import Batch, NonFiniteValue, State
from glassnet.engines.reference import ReferenceEngine
from glassnet.training.arrays import Samples, sparse

MOST = 30
WORK = 5e8
"""Multiplications that a trial may take, about; a large network makes fewer updates."""
TINY = 1e-12


@dataclass(frozen=True)
class TrialSteps:
    """What a few updates do, on at most 512 rows taken evenly over the data.

    Attributes
    ----------
    factor : what the learning rate was multiplied with
    updates : how many were made
    before, after : J of these rows; `after` is infinite when a number was not finite on the way
    spread_before, spread_after : standard deviation of the outputs over the rows, mean over the outputs
    """

    factor: float
    updates: int
    before: float
    after: float
    spread_before: float
    spread_after: float

    @property
    def lowers(self) -> bool:
        return self.after < self.before - TINY * abs(self.before)

    @property
    def raises(self) -> bool:
        """Whether the cost ended higher by more than a twentieth."""
        return not self.after <= self.before + 0.05 * abs(self.before)

    @property
    def flattens(self) -> bool:
        """Whether the outputs became nearly the same for all rows."""
        return self.spread_after < 0.02 * self.spread_before


def trial_steps(case: Case, factor: float = 1.0) -> TrialSteps | None:
    """Make the first updates with the learning rate times `factor`, as many as `WORK` allows.

    The optimiser, the batch size and the starting weights are the case's own; dropout drops nothing. None when nothing can
    be evaluated, or when the network is too large to try.
    """
    derivation, samples = case.derivation, case.samples
    if derivation is None or samples is None or not derivation.update:
        return None
    each_row = step_work(case)
    rows = _looked_at(samples, int(np.clip(WORK / (8 * each_row), 32, LOOKED_AT)))
    size = min(case.batch_size, len(rows))
    affordable = (WORK - 2 * len(rows) * each_row) / (each_row * size + 1e6)
    if affordable < 1:
        return None
    updates = min(int(affordable), MOST, case.updates)
    engine = ReferenceEngine(derivation)
    state: State = engine.initial_state(starting_parameters(case))
    whole = _batch(case, rows)
    rng = np.random.default_rng(case.settings.get("seed", 0))
    per_epoch = -(-case.rows // max(1, case.batch_size))
    with np.errstate(all="ignore"):
        values = engine.values(state, whole)
        before, spread = float(values["J"]), _spread(values[derivation.output.name])
        order = rng.permutation(len(rows))
        at = 0
        for number in range(updates):
            if at + size > len(order):
                order, at = rng.permutation(len(rows)), 0
            batch = whole if size == len(rows) else _batch(case, rows.take(np.sort(order[at : at + size])))
            at += size
            rate = factor * float(case.optimizer.schedule.rate(number, number // per_epoch, number / per_epoch))
            try:
                engine.step(state, batch, rate, number + 1)
            except NonFiniteValue:
                return TrialSteps(factor, number + 1, before, math.inf, spread, 0.0)
        values = engine.values(state, whole)
    after = float(values["J"])
    after = after if math.isfinite(after) else math.inf
    return TrialSteps(factor, updates, before, after, spread, _spread(values[derivation.output.name]))


def step_work(case: Case) -> float:
    """Multiplications of one step for each of its rows, about: three products for each weight at each place."""
    assert case.derivation is not None
    return 3 * sum(
        float(np.prod([int(d) for d in p.symbol.shape])) * _places(case, p.name) for p in case.derivation.parameters
    )


def values_of(case: Case, rows: int) -> dict[str, np.ndarray] | None:
    """Every value of the first update, as `Case.start` has it, on at most so many rows."""
    if case.derivation is None or case.samples is None:
        return None
    engine = ReferenceEngine(case.derivation)
    with np.errstate(all="ignore"):
        return engine.values(
            engine.initial_state(starting_parameters(case)), _batch(case, _looked_at(case.samples, rows))
        )


def starting_parameters(case: Case) -> dict[str, np.ndarray]:
    """The weights before the first update, and what else was given to start from."""
    return {
        **case.network.initial_parameters(case.settings.get("seed", 0)),
        **(case.settings.get("initial_parameters") or {}),
    }


def _looked_at(samples: Samples, most: int) -> Samples:
    count = len(samples)
    part = samples.take(np.unique(np.linspace(0, count - 1, min(count, most)).astype(int)))
    X = part.X.toarray() if sparse(part.X) else part.X
    return Samples(X.astype(np.float64), part.Y.astype(np.float64), part.w)


def _batch(case: Case, rows: Samples) -> Batch:
    assert case.derivation is not None
    return Batch(rows.X, rows.Y, rows.w, unmasked(case.derivation, len(rows)))


def _spread(A: np.ndarray) -> float:
    return float(A.std(axis=0).mean()) if np.isfinite(A).all() else 0.0


def _places(case: Case, name: str) -> float:
    """How many places of a map a kernel is multiplied at; 1 for a matrix."""
    if case.derivation is None or not name.startswith("W"):
        return 1.0
    shape = case.derivation[f"Z{name[1:]}"].shape
    return float(np.prod([int(d) for d in shape[2:]])) if len(shape) == 4 else 1.0
