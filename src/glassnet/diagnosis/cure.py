"""Cures: changes of a training, ranked by what was found, tried in short reruns, and the best confirmed with three seeds.

Successive halving (Jamieson and Talwalkar, 2016): all candidates are trained a little, the better half longer, and so on. A
candidate that was chosen is then trained in full from three seeds and judged on held-out rows; the first whose mean reaches
what is needed is the cure. Candidates that change least come first. Of a training so long that the budget does not hold three
of them the three have fewer epochs, and the cured run is gone on with.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from glassnet.diagnosis.case import Case
from glassnet.diagnosis.changes import Balanced, Change, DropRows, Fitted
from glassnet.diagnosis.cure_search import (
    LATEST,
    MOST_CANDIDATES,
    RESERVE,
    RESERVED,
    SEEDS,
    Confirmed,
    Search,
    Trial,
    candidates,
    gone_on,
    halved,
    last_resorts,
)
from glassnet.diagnosis.findings import Diagnosis
from glassnet.diagnosis.judging import check_budget, judged_run, quietly
from glassnet.diagnosis.pace import Pace
from glassnet.diagnosis.suspects import weight
from glassnet.diagnosis.wording import change_said
from glassnet.diagnosis.yardsticks import MARGIN, Yardsticks, with_held_out, yardsticks
from glassnet.errors import GlassnetError, RunError
from glassnet.training.run import Run

TIMES = 2.0
"""The default budget: so many times as long as the training took, ..."""
LEAST_BUDGET = 20.0
"""... but at least so many seconds: what was cut short, or took a moment, leaves no room for a proof otherwise."""
MOST_PROVEN = 3
"""Changes that cured a rerun of the diagnosis, which are confirmed before anything is searched."""
MOST_CONFIRMED = 14
"""Candidates that are trained in full, three times."""
LIKELY = 0.6
"""How sure a finding about the data must be for its change to be made before anything else is tried."""


@dataclass(frozen=True)
class Cure:
    """What was tried to make a training learn, and what worked. `print(cure)` says it, with the Python that does it.

    Attributes
    ----------
    change : the change that cures; None when none was found, or when there is nothing to cure
    before, after : the scores on held-out rows, before, and after with three seeds
    needed : the score that counts as learning
    metric, rows : "accuracy" or "r2", on "held-out" or "training" rows
    tried : every rerun
    seconds, budget : what it took, of what it was allowed
    run : the cured run, an ordinary one; where the cure changes data its inputs are the changed ones
    settings_before, settings_after : keyword arguments of `gn.train`, with the network
    shortened : (epochs of each of the three, epochs asked for) where three whole trainings did not fit into the budget; else
        None. The cured run is then gone on with, to as many epochs as the budget still holds
    reached : the score of the cured run on the held-out rows; NaN where it was trained on them too
    """

    change: Change | None
    before: float
    after: tuple[float, ...]
    needed: float
    metric: str
    rows: str
    tried: tuple[Trial, ...]
    seconds: float
    budget: float
    run: Run | None
    settings_before: Mapping[str, Any]
    settings_after: Mapping[str, Any]
    learns: bool = False
    shortened: tuple[int, int] | None = None
    reached: float = math.nan
    fitted: tuple[Fitted, ...] = field(default=(), repr=False)

    @property
    def found(self) -> bool:
        """Whether a change was found that makes the training learn."""
        return self.change is not None

    def predict(self, X: Any) -> np.ndarray:
        """The cured run's outputs for rows as they were before the cure: its changes of data are applied, targets scaled back.

        Raises
        ------
        RunError : no cure was found
        """
        if self.run is None or self.change is None:
            raise RunError("No cure was found, so there is nothing to predict with; cure.tried says what was tried.")
        inputs = np.asarray(X)
        scaled: list[Fitted] = []
        for fitted in self.fitted:
            inputs, _ = fitted.others(inputs, np.zeros((len(inputs), 1)))
            scaled.append(fitted)
        A = self.run.predict(inputs)
        for fitted in reversed(scaled):
            back = getattr(fitted, "back", None)
            A = A if back is None else back(A)
        return A

    def __str__(self) -> str:
        from glassnet.diagnosis.saying import cure_text

        return cure_text(self)

    def __repr__(self) -> str:
        said = change_said(self.change) if self.change else "it learns already" if self.learns else "none found"
        return f"<Cure: {said}>"


def cure_run(
    run: Run,
    *,
    budget: float | None = None,
    diagnosis: Diagnosis | None = None,
    say: Callable[[str], None] | None = None,
) -> Cure:
    """Find a change that makes a training learn, and prove it: trained in full with three seeds, judged on held-out rows.

        cure = run.cure()
        print(cure); cure.predict(X)

    Parameters
    ----------
    run : a training with its data
    budget : seconds that all reruns together may take; unless given twice what the training took (or, of one that diverged,
        would have taken), and at least 20
    diagnosis : of the run; made first unless given, within the same budget
    say : called with a sentence about each rerun

    Returns
    -------
    Cure. `found` is False when no change was found within the budget; without held-out rows of its own, a quarter of the
    training rows are held out to judge by, and the cured run is then trained on all of them.

    Raises
    ------
    GlassnetError : a budget that is no number of seconds above 0
    RunError : the run was saved without its data
    """
    check_budget("cure", budget, least=1)
    if diagnosis is not None and not isinstance(diagnosis, Diagnosis):
        raise GlassnetError(
            f"cure got {type(diagnosis).__name__} as the diagnosis; it needs what run.diagnose() gives."
        )
    with quietly():
        return _cure(run, None if budget is None else float(budget), diagnosis, say)


def _cure(run: Run, budget: float | None, diagnosis: Diagnosis | None, say: Callable[[str], None] | None) -> Cure:
    began = time.perf_counter()
    own = Case.of_run(run)
    pace = Pace.of(run, own, budget)
    allowed = max(LEAST_BUDGET, TIMES * pace.due) if budget is None else budget
    if diagnosis is None:
        diagnosis = judged_run(run, budget=allowed / 4, until=began + allowed / 2)
    case = with_held_out(own)
    spent = time.perf_counter() - began
    ground = None
    if spent < allowed:
        ground = _ground(case, diagnosis, diagnosis.yardsticks if case is own else None, allowed - spent)
    before = case.judged(run) if case is own else _before(case, run, allowed - (time.perf_counter() - began))
    settings_before = _settings_of(own)
    needed = math.nan if ground is None else ground.needed
    if ground is not None and diagnosis.verdict.on_training is not None:
        needed = max(needed, before + MARGIN[ground.case.metric])
    if ground is not None and ground.first is not None:
        before = ground.case.judged(run) if ground.case.network == run.network else math.nan

    def result(change: Change | None, trials: Sequence[Trial] = (), **more: Any) -> Cure:
        judged = case if ground is None else ground.case
        changed = settings_before if change is None else _settings_of(own.changed(change))
        facts = {"after": (), "run": None, "learns": change is None and bool(diagnosis.verdict.learns)}
        return Cure(
            change=change, before=before, needed=needed, metric=judged.metric, tried=tuple(trials), budget=allowed,
            rows="training" if case.held_samples is None else "held-out", seconds=time.perf_counter() - began,
            settings_before=settings_before, settings_after=changed, fitted=() if change is None else own.fitted(change),
            **{**facts, **more},
        )  # fmt: skip

    if ground is None or diagnosis.verdict.learns:
        return result(None)
    search = Search(case, needed, allowed, began, say, pace.whole, ground.case.metric)
    _searched(search, ground, diagnosis, keeps_inputs=run.preparation is not None)
    found = search.best
    if found is None:
        return result(None, search.trials)
    cured, epochs, reached = _cured(own, found, run, search)
    short = (found.epochs, found.whole) if found.shortened else None
    return result(
        found.with_epochs(epochs), search.trials, after=found.scores, run=cured, shortened=short, reached=reached
    )


def _searched(search: Search, ground: _Ground, diagnosis: Diagnosis, keeps_inputs: bool) -> None:
    """Look for a cure among the candidates, and then, with the seconds that were kept for it, in the last resorts."""

    def possible(change: Change) -> bool:
        return not (keeps_inputs and changes_values(change))

    last = [(change, seconds) for change, seconds in ground.last_resorts if possible(change)]
    for change, seconds in last:
        search.paces[change.said] = 0.0, seconds / SEEDS / search.case.changed(change).epochs
    search.keep(min(RESERVE * search.budget, last[0][1]) if last else 0.0)
    candidates = [change for change in ground.candidates(diagnosis, search.hurried) if possible(change)]
    search.confirm(_in_order(search, candidates, proven(diagnosis)))
    search.reserved = 0.0
    search.confirm(change for change, _ in last if change.said not in search.confirmed)


def changes_values(change: Change) -> bool:
    """Whether a change makes other features or targets of the rows, so that a table's preparation would no longer fit."""
    return any(not isinstance(step, Balanced | DropRows) for step in change.data)


def proven(diagnosis: Diagnosis) -> list[Change]:
    """The changes that cured a rerun of the diagnosis, of the likeliest finding first."""
    by_weight = sorted(diagnosis.findings, key=lambda f: -weight(f))
    return [p.change for f in by_weight for p in sorted(f.proofs, key=lambda p: -p.after) if p.cured]


def _in_order(search: Search, changes: list[Change], known: list[Change]) -> Iterator[Change]:
    """The changes to confirm: the first that are proven already, then those that halving leaves, or, of long trainings, all."""
    said = {change.said for change in known[:MOST_PROVEN]}
    first = [change for change in changes if change.said in said]
    yield from first
    rest = [change for change in changes if change.said not in said]
    if not search.hurried:
        part = search.compared
        rest = [*halved(search, rest[:part]), *rest[part:]]
    yield from rest[: MOST_CONFIRMED - len(first)]


@dataclass(frozen=True)
class _Ground:
    """What a cure is looked for on: the case, once its data are put right where nothing can be learnt from them as they are."""

    case: Case
    sticks: Yardsticks
    first: Change | None = None

    @property
    def needed(self) -> float:
        return self.sticks.needed

    @property
    def last_resorts(self) -> list[tuple[Change, float]]:
        """The yardsticks' own trainings, on the case as it was, and the seconds that three of each take."""
        found = last_resorts(self.sticks, self.case)
        return found if self.first is None else [(self.first.and_then(change), seconds) for change, seconds in found]

    def candidates(self, diagnosis: Diagnosis, hurried: bool = False) -> list[Change]:
        """Changes to try on the case as it was, the smallest first."""
        found = candidates(diagnosis, self.case, self.sticks, hurried)
        if self.first is None:
            return found
        own = [c for c in found if not c.data and "network" not in c.settings][:MOST_CANDIDATES]
        return [self.first, *(self.first.and_then(c) for c in [*own, *found[-3:]])]


def _ground(case: Case, diagnosis: Diagnosis, sticks: Yardsticks | None, seconds: float) -> _Ground | None:
    """The case, or the case with a finding's change of data first; None when nothing can be learnt from either."""
    sticks = sticks or yardsticks(case, seconds)
    if sticks is not None and sticks.signal:
        return _Ground(case, sticks)
    for finding in sorted(diagnosis.findings, key=lambda f: -f.confidence):
        for change in finding.cures:
            if not change.data or finding.confidence < LIKELY:
                continue
            changed = case.changed(change)
            if changed.derivation is None or changed.samples is None:
                continue
            sticks = yardsticks(changed, seconds)
            if sticks is not None and sticks.signal:
                return _Ground(changed, sticks, change)
    return None


def _before(case: Case, run: Run, seconds: float) -> float:
    """The score of the training as it was, without the rows that are now held out."""
    if seconds <= 0:
        return case.judged(run)
    return case.judged(case.train(max_seconds=seconds))


def _settings_of(case: Case) -> dict[str, Any]:
    """Keyword arguments of `gn.train` with their names resolved, so that equal ones are equal."""
    named = {"optimizer": case.optimizer} if case.loss is None else {"loss": case.loss, "optimizer": case.optimizer}
    return {"network": case.network, **case.settings, **named}


def _cured(own: Case, found: Confirmed, run: Run, search: Search) -> tuple[Run, int, float]:
    """The cured run, an ordinary one, its epochs, and its score on the held-out rows.

    It is the first that was confirmed, gone on with where that was shortened; or, where rows were held out for the proof, one
    on all rows. It keeps how a table becomes X, unless the cure changes X itself.
    """
    cured, epochs, reached = found.runs[0], found.epochs, found.scores[0]
    if search.case is own and found.shortened:
        search.say(f"Going on: {found.change.said}")
        cured, epochs, reached = gone_on(search, found)
    elif search.case is not own and search.left > 0:
        more = len(own.X) / len(search.case.X)
        fitting = found.whole
        if found.shortened:
            fitting = min(fitting, math.floor(RESERVED * search.left / (more * found.pace)))
        if fitting >= found.epochs:
            changed = own.changed(found.with_epochs(fitting))
            whole = changed.train(record="auto", max_seconds=LATEST * search.left)
            if whole.status != "out of time":
                cured, epochs, reached = whole, fitting, math.nan
    if run.preparation is not None and not changes_values(found.change):
        # Rows may be weighted or left out; how a table becomes X is as before.
        cured.preparation = run.preparation
        cured.facts["source"] = run.facts.get("source")
    return cured, epochs, reached
