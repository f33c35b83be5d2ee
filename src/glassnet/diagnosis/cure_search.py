"""The search for a cure: candidates, short reruns with successive halving, and the confirmation of one with three seeds."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from glassnet.diagnosis.case import Case
from glassnet.diagnosis.changes import Change, Standardise
from glassnet.diagnosis.findings import Diagnosis
from glassnet.diagnosis.suspects import weight
from glassnet.diagnosis.usual_changes import healthy_change, linear_change, usual_suspicions
from glassnet.diagnosis.yardsticks import MARGIN, Yardsticks, held_apart
from glassnet.equations.optimizers import Adam
from glassnet.errors import GlassnetError
from glassnet.training.run import Run

SEEDS = 3
MOST_CANDIDATES = 18
RESERVED = 0.9
"""The share of what is left of a budget that a confirmation may use."""
LATEST = 0.95
"""The share of what is left of a budget after which a cured run that is gone on with is stopped."""
SEARCH = 0.45
"""The share of the budget that halving may use."""
WORTH = 0.1
"""The share of a training that tells a candidate that works from one that does not."""
FEWEST_COMPARED = 6
"""Candidates of which so much has to fit into the search; of fewer the likeliest are confirmed at once."""
STRONG = 0.6
"""Two findings for which so much speaks may both be why."""
SLOWER = 1.6
"""How much longer a recorded training may take than one that only keeps its end."""
RESERVE = 0.4
"""The share of the budget that may be kept for the last resort."""
SELECTED_ON = 0.2
"""The share of the training rows that candidates are compared on."""


@dataclass(frozen=True)
class Trial:
    """One rerun: what was changed, its score, its epochs, and in which round of halving (0 for the confirmation)."""

    change: Change
    score: float
    epochs: int
    round: int


class OverBudget(Exception):
    """The seconds that were allowed are over."""


class Search:
    """Reruns within a budget of seconds, each remembered.

    Attributes
    ----------
    took : seconds that the whole training takes
    metric : of the scores; a change that makes classes of numbers, or the other way, is judged by another one and not tried
    reserved : seconds of the budget that are kept for the last resort
    hurried : whether a training is so long that candidates cannot be compared first
    best : the best cure so far
    confirmed : what was trained in full
    """

    def __init__(
        self,
        case: Case,
        needed: float,
        budget: float,
        began: float,
        say: Callable[[str], None] | None = None,
        took: float = 0.0,
        metric: str | None = None,
    ) -> None:
        self.case, self.needed, self.budget, self.began = case, needed, budget, began
        self.metric = metric or case.metric
        self.took, self.reserved, self.hurried = took, 0.0, False
        self.paces: dict[str, tuple[float, float]] = {}
        self.trials: list[Trial] = []
        self.best: Confirmed | None = None
        self.confirmed: set[str] = set()
        self.say = say or (lambda _: None)

    @property
    def aim(self) -> float:
        """The score with which a candidate is taken at once: as far above what is needed as that is below the yardstick."""
        return self.needed + MARGIN[self.metric] / 2

    @property
    def left(self) -> float:
        return self.budget - self.reserved - (time.perf_counter() - self.began)

    @property
    def compared(self) -> int:
        """How many candidates halving can train enough to tell them apart."""
        share = SEARCH * self.left
        count = 1
        while count < MOST_CANDIDATES and (count + 1) * rounds_of(count + 1) * WORTH * self.took <= share:
            count += 1
        return count

    def keep(self, seconds: float) -> None:
        """Keep seconds for the last resort; what is left says whether there is time to compare candidates."""
        self.reserved = seconds
        self.hurried = self.compared < FEWEST_COMPARED

    def pace(self, change: Change) -> float:
        """Seconds of an epoch with a change: as in its longest rerun so far, else the training's own."""
        return max(self.paces.get(change.said, (0.0, self.took / max(1, self.case.epochs)))[1], 1e-5)

    def confirm(self, changes: Iterable[Change]) -> None:
        """Train changes in full with three seeds until one is good enough or the time is over; `best` is what is found.

        One whose trainings had to be shortened is: what time is left is better spent on going on with it.
        """
        try:
            for change in changes:
                best = self.best
                if best is not None and best.sure and (best.shortened or best.mean >= self.aim):
                    return
                self.say(f"Confirming with three seeds: {change.said}")
                self.best = better(self.best, confirmed(self, change))
                self.confirmed.add(change.said)
        except OverBudget:
            return

    def run(
        self,
        case: Case,
        change: Change,
        epochs: int | None,
        number: int,
        seed: int | None = None,
        seconds: float | None = None,
    ) -> tuple[float, Run | None]:
        """Train a case with a change: its score on the case's held-out rows, and the run; the least and None when it cannot.

        With `seconds` it is stopped after so long and judged as it is then.

        Raises
        ------
        OverBudget : before or while it ran
        """
        if self.left <= 0:
            raise OverBudget
        allowed = self.left if seconds is None else min(seconds, self.left)
        try:
            changed = case.changed(change)
            if changed.derivation is None or changed.samples is None or changed.metric != self.metric:
                return -1.0, None
            asked = changed.epochs if epochs is None else min(epochs, changed.epochs)
            more = {} if seed is None else {"seed": seed, "record": "auto"}
            start = time.perf_counter()
            trained = changed.train(epochs=asked, max_seconds=max(0.001, allowed), **more)
        except (GlassnetError, IndexError):
            return -1.0, None  # a change of certain rows, or weights of rows, where the rows are others
        if trained.status == "out of time" and (seconds is None or self.left <= 0):
            raise OverBudget
        score = changed.judged(trained)
        done = max(1, trained.iteration) / max(1, trained.batches)
        if done >= self.paces.get(change.said, (0.0, 0.0))[0]:
            self.paces[change.said] = done, (time.perf_counter() - start) / done
        self.trials.append(Trial(change, score, asked, number))
        return score, trained


def rounds_of(count: int) -> int:
    """Rounds of halving of so many candidates."""
    return max(1, math.ceil(math.log2(max(2, count))))


def candidates(diagnosis: Diagnosis, case: Case, sticks: Yardsticks, hurried: bool = False) -> list[Change]:
    """Changes to try, the most promising and the smallest first; another network altogether last.

    In a hurry the two likeliest together come second: where both are why, neither alone would do.
    """
    found: dict[str, Change] = {}

    def add(change: Change) -> None:
        found.setdefault(change.said, change)

    by_weight = sorted(diagnosis.findings, key=lambda f: -weight(f))
    for finding in by_weight:
        for proof in sorted(finding.proofs, key=lambda p: -p.after):
            if proof.cured:
                add(proof.change)
    suspected = [f for f in by_weight if f.cures and weight(f) >= 0.1]
    strong = [f.cures[0] for f in suspected[:2] if weight(f) >= STRONG]
    if hurried and len(strong) == 2:
        add(strong[0])
        for pair in _pairs(strong):
            add(pair)
    for finding in suspected:
        add(finding.cures[0])
    first = [f.cures[0] for f in suspected[:3]]
    longer = Change(f"epochs {case.epochs:,} → {3 * case.epochs:,}", {"epochs": 3 * case.epochs})
    for pair in _pairs([*first[:2], longer] if len(first) < 3 else [*first, longer]):
        add(pair)
    for finding in usual_suspicions(case):
        add(finding.cures[0])
    small = list(found.values())[: MOST_CANDIDATES - 3]
    settled = Change("Adam(0.003), batches of 32, standardised features", {"optimizer": Adam(0.003)}, (Standardise(),))
    if case.rows > 32:
        settled = replace(settled, settings={**settled.settings, "batch_size": 32})
    return [*small, settled, *(change for change, _ in last_resorts(sticks, case))]


def last_resorts(sticks: Yardsticks, case: Case) -> list[tuple[Change, float]]:
    """The yardsticks' own trainings, known to learn, and the seconds that three of each take; the better one first."""
    more = max(1.0, case.rows / len(sticks.recipe.X)) * SLOWER * SEEDS
    last = [
        (healthy_change(sticks, case), more * sticks.small_seconds),
        (linear_change(sticks, case), more * sticks.linear_seconds),
    ]
    return last if sticks.small >= sticks.linear else last[::-1]


def _pairs(changes: list[Change]) -> Iterator[Change]:
    """Two changes at once, of those that concern different things."""
    for i, first in enumerate(changes):
        for second in changes[i + 1 :]:
            if not set(first.settings) & set(second.settings):
                yield first.and_then(second)


def halved(search: Search, changes: list[Change]) -> list[Change]:
    """The changes in the order in which they are to be confirmed: those that reached what is needed first, as they came."""
    inner = held_apart(search.case, SELECTED_ON) if len(search.case.X) >= 60 else search.case
    share = SEARCH * search.left
    until = search.left - share
    left = list(enumerate(changes))
    rounds = rounds_of(len(left))
    scores: dict[int, float] = {}

    enough = search.needed - _error(inner, search.needed)

    def order(item: tuple[int, Change]) -> tuple[bool, float]:
        score = scores.get(item[0], -math.inf)
        return (score < enough, item[0] if score >= enough else -score)

    for number in range(1, rounds + 1):
        each = share / rounds / max(1, len(left))
        whole = True
        for position, change in left:
            if search.left <= until:
                return [change for _, change in sorted(enumerate(changes), key=order)]
            epochs = max(1, math.floor(each / search.pace(change)))
            whole = whole and epochs >= search.case.changed(change).epochs
            search.say(f"Round {number}: {change.said}")
            scores[position], _ = search.run(inner, change, epochs, number, seconds=max(0.02, 2 * each))
        left.sort(key=order)
        if whole or len(left) <= 2:
            break
        left = left[: math.ceil(len(left) / 2)]
    stayed = {position for position, _ in left}
    rest = sorted((item for item in enumerate(changes) if item[0] not in stayed), key=order)
    return [change for _, change in [*left, *rest]]


def _error(case: Case, score: float) -> float:
    """The standard error of a score on the few rows that candidates are compared on; what is below it is no difference."""
    rows = case.held_samples
    if rows is None:
        return 0.0
    if case.metric == "r2":
        return MARGIN["r2"] / 2
    share = min(max(score, 0.05), 0.95)
    return math.sqrt(share * (1 - share) / len(rows))


@dataclass(frozen=True)
class Confirmed:
    """A change with the scores and runs of three seeds, the one first that reached what is needed first.

    Attributes
    ----------
    change : as it was to be tried, with all its epochs
    epochs : what each seed had: `whole`, or fewer, where three whole trainings do not fit into the budget
    pace : seconds that an epoch took
    """

    change: Change
    scores: tuple[float, ...]
    runs: tuple[Run, ...]
    needed: float
    epochs: int
    whole: int
    pace: float

    @property
    def shortened(self) -> bool:
        """Whether the seeds had fewer epochs than they were to have."""
        return self.epochs < self.whole

    def with_epochs(self, count: int) -> Change:
        """The change of a training of so many epochs."""
        if count == self.whole:
            return self.change
        return self.change.and_then(Change(f"epochs {self.whole:,} → {count:,}", {"epochs": count}))

    @property
    def mean(self) -> float:
        return sum(self.scores) / len(self.scores)

    @property
    def sure(self) -> bool:
        """Whether every seed reached what is needed."""
        return min(self.scores) >= self.needed


def better(one: Confirmed | None, other: Confirmed | None) -> Confirmed | None:
    """One whose every seed reached what is needed before one of which two did; then the higher mean, the first of equals."""
    if one is None or other is None:
        return one or other
    return other if (other.sure, other.mean) > (one.sure, one.mean) else one


def confirmed(search: Search, change: Change) -> Confirmed | None:
    """A change trained in full with three seeds, when their mean, and two of them, reach what is needed; else None.

    Where the budget does not hold three whole trainings they have fewer epochs. In a hurry the first seed that falls far short
    is the last.
    """
    case = search.case.changed(change)
    far = search.needed - 2 * MARGIN[search.metric] if search.hurried else -math.inf
    whole = case.epochs
    epochs = min(whole, math.floor(RESERVED * search.left / SEEDS / search.pace(change)))
    if epochs < 1 <= whole:
        raise OverBudget
    first = int(case.settings.get("seed", 0))
    scores: list[float] = []
    runs: list[Run] = []
    for seed in range(first, first + SEEDS):
        score, run = search.run(search.case, change, epochs, 0, seed)
        scores.append(score)
        if run is not None:
            runs.append(run)
        if sum(s < search.needed for s in scores) > 1 or scores[0] < far:
            return None
    if sum(scores) / SEEDS < search.needed:
        return None
    pace = search.pace(change)
    if scores[0] < search.needed:  # this seed is the unlucky one of three
        change = change.and_then(Change(f"seed {first} → {first + 1}", {"seed": first + 1}))
        scores, runs = [*scores[1:], scores[0]], [*runs[1:], runs[0]]
    if all(run.status != "finished" for run in runs):
        epochs = whole  # each ended before its last epoch, as it would have done with more
    return Confirmed(change, tuple(scores), tuple(runs), search.needed, epochs, whole, pace)


def gone_on(search: Search, found: Confirmed) -> tuple[Run, int, float]:
    """The cured run of a shortened proof, gone on with to as many of its epochs as the budget holds: (run, epochs, score).

    One that falls below what is needed on the way stays as it was proven; so does one whose end is out of reach and that is no
    better for the epochs it had.
    """
    proven = found.runs[0], found.epochs, found.scores[0]
    epochs = min(found.whole, found.epochs + math.floor(RESERVED * search.left / found.pace))
    if epochs <= found.epochs or found.runs[0].status != "finished":
        return proven
    case = search.case.changed(found.change)
    run = case.resumed(found.runs[0], epochs, LATEST * search.left)
    score = case.judged(run)
    least = found.scores[0] - (MARGIN[search.metric] / 2 if epochs == found.whole else 0.0)
    if run.status == "out of time" or score < max(found.needed, least):
        return proven
    search.trials.append(Trial(found.change, score, epochs, 0))
    return run, epochs, score
