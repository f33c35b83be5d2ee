"""Planted faults: a healthy training of a data set with one thing made wrong, and what that did, measured."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from benchmarks.diagnosis.faults import FAULTS
from benchmarks.diagnosis.recipes import Recipe, base, linear_score, problem
from benchmarks.diagnosis.trials import NARROW, SHORT, Trial, judged
from glassnet import GlassnetError

Key = tuple[str, str, int]
"""(kind, data set, seed)."""
SEEDS = 3
"""Seeds of one training whose mean score is its outcome."""
GIVEN = ("data.constant_feature", "data.class_imbalance", "data.no_signal", "data.labels_shuffled", "data.label_noise")
RULED_OUT = (
    *GIVEN, "data.single_class", "data.too_few_samples", "data.duplicate_rows", "data.train_test_mismatch",
    "data.dtype_shape", "data.train_test_overlap",
)  # fmt: skip
"""Faults after which the rows no longer hold what is to be learnt; whether a healthy network still learns is measured."""
OTHER_ROWS = ("reg.missing", "arch.too_much_capacity")
"""Faults whose twin has few rows with noisy labels: one that does no harm there, and falls short all the same, is left out."""
OTHER_TARGETS = ("out.softmax_multilabel",)


def keys(seeds: int = 5, most: int | None = None, kind: str | None = None) -> list[Key]:
    """All planted trainings; `most` limits the data sets of a kind."""
    return [
        (name, data, seed)
        for name, fault in FAULTS.items()
        if kind in (None, name)
        for data in tuple(dict.fromkeys(fault.on))[:most]
        for seed in range(seeds)
    ]


def named(key: Key) -> str:
    """The id of a planted training."""
    kind, data, seed = key
    return f"{kind} on {data}, seed {seed}"


def pair(key: Key) -> tuple[Recipe, Recipe]:
    """The healthy training and the same with the fault."""
    kind, data, seed = key
    fault = FAULTS[kind]
    healthy = base(data, seed)
    if fault.before is not None:
        healthy = fault.before(healthy, seed)
    return healthy, fault.plant(healthy, seed)


def as_trial(name: str, group: str, recipe: Recipe, kinds: tuple[str, ...] = ()) -> Trial:
    """A recipe as a call of `gn.train`, held-out rows passed for validation.

    The network of a recipe that glassnet refuses to describe is not described; the trial says why.
    """
    rows = recipe.rows
    held = (rows.X_test, rows.Y_test)
    settings = dict(recipe.settings)
    try:
        network = recipe.network()
    except GlassnetError as problem_:
        return Trial(name, group, None, rows.X, rows.Y, held, settings, kinds, cannot=str(problem_))
    return Trial(name, group, network, rows.X, rows.Y, held, settings, kinds, written=recipe.written)


@cache
def score_of_base(key: Key) -> float:
    """What the healthy twin reaches on its held-out rows."""
    return score_of(as_trial("base", "healthy", pair(key)[0]))


def score_of(trial: Trial) -> float:
    """A trial's score, the mean of three seeds as in the published cases; the least there is when glassnet refuses it."""
    first = int(trial.settings.get("seed", 0))
    try:
        return float(np.mean([judged(trial, trial.train(seed=seed)) for seed in range(first, first + SEEDS)]))
    except GlassnetError:
        return judged(trial, None)


@cache
def reachable(key: Key) -> float:
    """What is known to be reached on the data set's held-out rows: by a linear model, and by its own recipe."""
    kind, data, seed = key
    if FAULTS[kind].before is None:
        return linear_score(data, seed)
    return max(linear_score(data, seed), score_of(as_trial("recipe", "healthy", base(data, seed))))


def least(name: str) -> float:
    """The score that a base must reach to be called healthy: clearly above guessing."""
    made = problem(name, 0)
    return 0.25 if made.classes == 0 else 1 / made.classes + 0.25


def trial_of(key: Key) -> Trial:
    """The planted training with its measured outcome.

    It is ruled out (`cannot`) when its healthy twin does not learn.
    """
    kind, data, _ = key
    healthy, faulty = pair(key)
    made = as_trial(named(key), "planted", faulty, (kind, *FAULTS[kind].also))
    if made.network is None:
        return made
    twin = score_of_base(key)
    short = SHORT["r2" if healthy.classes == 0 else "accuracy"]
    as_good = reachable(key) - short / 2 if kind not in (*OTHER_ROWS, *OTHER_TARGETS) else -1.0
    if twin < max(least(data), as_good):
        return replace(made, cannot=f"its healthy twin reaches {twin:.2f} only")
    needed = twin - short
    reached = score_of(made)
    if kind in OTHER_ROWS and needed <= reached < reachable(key) - short:
        return replace(
            made, cannot=f"it does as well as its twin, {reached:.2f}, which falls short of what all rows allow"
        )
    return replace(
        made, needed=needed, score=reached, fails=reached < needed, borderline=abs(reached - needed) < NARROW,
        curable=kind not in RULED_OUT or still_learns(healthy, faulty, needed),
    )  # fmt: skip


def still_learns(healthy: Recipe, faulty: Recipe, needed: float) -> bool:
    """Whether the healthy settings learn from the rows that have the fault, scaled."""
    rows = faulty.rows
    if len(rows.X) != len(rows.Y) or rows.Y.ndim != healthy.rows.Y.ndim or not np.isfinite(rows.X).all():
        return False
    mean, deviation = rows.X.mean(axis=0), rows.X.std(axis=0)
    rows = rows.both(lambda X: (X - mean) / np.where(deviation > 0, deviation, 1))
    return score_of(as_trial("again", "healthy", replace(healthy, rows=rows))) >= needed
