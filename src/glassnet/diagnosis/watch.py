"""`Watch`: looks at a training while it runs, a few times and cheaply, and may end one that is hopeless.

    watch = gn.Watch(stop=True)
    run = gn.train(net, X, Y, callbacks=[watch])
    watch.findings; watch.early()

A look reads the history and evaluates the network once on a few hundred rows. How often it looks depends on how long the
training takes: it never spends more than a thirty-third of the time that has passed.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from glassnet.diagnosis import training_cures as cures
from glassnet.diagnosis.case import Case
from glassnet.diagnosis.changes import Change
from glassnet.diagnosis.course import name_of
from glassnet.diagnosis.evidence import class_numbers_of, cost_of_guessing, dead_units, saturated_share, some_rows
from glassnet.diagnosis.findings import SEVERITIES, Finding, Measured, Where, number
from glassnet.equations.expression import Function
from glassnet.training.arrays import Samples, sparse
from glassnet.training.measures import metric_name
from glassnet.training.run import Run

LOOKS_AT = (0.02, 0.04, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1.0)
"""Shares of the epochs after which it would like to look."""
ROWS = 256
SHARE_OF_TIME = 0.03
"""Of the time that has passed, what looking may have taken at most."""
SECONDS_OF_A_CALL = 5e-4
"""What one more return from the compiled loop takes, besides the look itself."""
FIRST_GUESS = 2.5e-4
"""What a look is taken to last before one was made."""
SECONDS_AN_UPDATE, SECONDS_A_WEIGHT = 2e-6, 2e-9
"""What an update takes at least, and what each weight takes for a row: how long an epoch lasts, before one was seen."""
HOPELESS_COST = 1000.0
"""A cost so many times that of guessing does not come back in time."""
ALIKE = 1e-6
"""Outputs that vary over the rows by less than this share of the targets' own spread are all alike."""
STANDS_STILL = 1e-6
"""A cost that changed by less than this share of itself over the epochs between two looks has not moved."""


class Watch:
    """A callback that looks for symptoms while a training runs.

    Parameters
    ----------
    stop : end a hopeless training: a whole layer dead, a gradient of exactly zero, outputs that are all alike and do not
        move, or a cost a thousand times that of guessing. A training that is merely slow at first goes on
    expected : a score (accuracy or R²) that a small healthy network reaches on these rows, if it is known

    Attributes
    ----------
    findings : what was seen, in the order in which it was first seen
    first_seen : kind of finding -> the epoch
    looks : the epochs after which it looked
    seconds : that its looks took
    """

    def __init__(self, stop: bool = False, expected: float | None = None) -> None:
        self.stop = bool(stop)
        self.expected = None if expected is None else float(expected)
        self._reset()

    def _reset(self) -> None:
        self._found: dict[str, Finding] = {}
        self.first_seen: dict[str, int] = {}
        self.looks: list[int] = []
        self.seconds = 0.0
        self.message: str | None = None
        self.epochs = 0
        self._began = time.perf_counter()
        self._first: int | None = None
        self._epoch_takes = 0.0
        self._look_takes = FIRST_GUESS
        self._say: Callable[[str], None] | None = None
        self._about: _About | None = None
        self._before: tuple[int, float] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Pickled with what was found, without what belongs to a training in progress."""
        self._add_cures()
        return {**self.__dict__, "_say": None, "_about": None}

    def __repr__(self) -> str:
        return f"Watch(stop={self.stop!r}, expected={self.expected!r}): {len(self._found)} findings in {len(self.looks)} looks"

    @property
    def findings(self) -> tuple[Finding, ...]:
        self._add_cures()
        return tuple(self._found.values())

    def _add_cures(self) -> None:
        """Done when somebody asks, so that it takes no time of the training."""
        if self._about is None:
            return
        for kind, finding in self._found.items():
            if not finding.false_alarm:
                cures_now = cures_of(kind, self._about.case)
                self._found[kind] = replace(finding, cures=cures_now, false_alarm=FALSE_ALARMS[kind])

    def early(self, share: float = 0.3) -> tuple[Finding, ...]:
        """What was first seen within this share of the epochs asked for."""
        return tuple(f for f in self.findings if self.first_seen[f.kind] <= math.ceil(share * self.epochs - 1e-9))

    # What the training asks.

    def begins(self, run: Run, say: Callable[[str], None]) -> None:
        """A training starts: what was seen in another one is forgotten."""
        self._reset()
        self._say = say
        self.epochs = run.settings.epochs
        work = run.facts["data"]["rows"] * run.derivation.parameter_count
        self._epoch_takes = run.batches * SECONDS_AN_UPDATE + work * SECONDS_A_WEIGHT

    def next_due(self, epoch: int, epochs: int) -> float:
        """The next of its epochs at which a look would fit into its share of the time."""
        if self._first is None:
            self._first = epoch
        planned = sorted({math.ceil(share * epochs - 1e-9) for share in LOOKS_AT})
        later = [p for p in planned if p > epoch]
        passed, done = time.perf_counter() - self._began, epoch - self._first
        each = passed / done if done > 0 else self._epoch_takes
        passed = passed if done > 0 else 0.0
        wanted = self.seconds + self._look_takes + SECONDS_OF_A_CALL
        return next((p for p in later if SHARE_OF_TIME * (passed + (p - epoch) * each) >= wanted), math.inf)

    def __call__(self, run: Run) -> bool:
        """Look, if there is time for it; True to end a hopeless training."""
        began = time.perf_counter()
        if SHARE_OF_TIME * (began - self._began) < self.seconds + self._look_takes + SECONDS_OF_A_CALL:
            self.seconds += SECONDS_OF_A_CALL
            return False
        if self._about is None:
            self._about = _About(run)
        epoch = len(run.history)
        self.looks.append(epoch)
        hopeless: Finding | None = None
        for finding, is_hopeless in look(run, self._about, epoch, self.epochs, self._before, self.expected):
            self._note(finding, epoch)
            hopeless = hopeless or (finding if is_hopeless else None)
        self._before = (epoch, float(run.history[-1]["cost"]))
        took = time.perf_counter() - began
        self.seconds += took + SECONDS_OF_A_CALL
        self._look_takes = took if len(self.looks) > 1 else min(took, 2 * FIRST_GUESS)
        if self.stop and hopeless is not None:
            self.message = f"Stopped after epoch {epoch} by Watch, {hopeless.kind}: {hopeless.sentence}"
            return True
        return False

    def _note(self, finding: Finding, epoch: int) -> None:
        known = self._found.get(finding.kind)
        if known is None:
            self.first_seen[finding.kind] = epoch
        elif SEVERITIES.index(finding.severity) >= SEVERITIES.index(known.severity):
            return
        self._found[finding.kind] = finding
        if finding.severity != "note" and self._say is not None:
            self._say(f"Watch, epoch {epoch}: {finding.sentence}")


class _About:
    """What stays the same from look to look."""

    def __init__(self, run: Run) -> None:
        data = run.data
        assert data is not None
        self.rows: Samples = some_rows(run, ROWS)
        X = self.rows.X
        self.X = X.toarray() if sparse(X) else X
        s = run.settings
        self.case = Case(run.network, data.X, data.Y, None, {
            "loss": s.loss, "optimizer": s.optimizer, "epochs": s.epochs, "batch_size": s.batch_size, "l1": s.l1, "l2": s.l2,
            "seed": s.seed,
        })  # fmt: skip
        self.guessing = cost_of_guessing(run.settings.loss.name, data.Y)
        self.spread = float(np.asarray(self.rows.Y, dtype=np.float64).std(axis=0).mean())
        derivation = run.derivation
        self.metric = metric_name(run.settings.loss, derivation.output_activation, data.Y)
        self.lines = derivation.inference
        self.output = derivation.output.name
        self.kinds = {
            e.name: (e.layer, e.expression.kind.name)
            for e in self.lines
            if isinstance(e.expression, Function) and e.expression.kind.name in ("relu", "tanh", "sigmoid")
        }
        classes = class_numbers_of(self.rows.Y, self.rows.Y) if self.metric == "accuracy" else None
        self.largest = math.nan if classes is None else float(np.bincount(classes).max() / len(classes))

    def values(self, run: Run) -> dict[str, Any]:
        """The forward values on the rows, as when predicting, of the newest state."""
        env = {**run.snapshots[run.snapshots.iterations[-1]].state, "X": self.X, "m": float(len(self.X))}
        with np.errstate(all="ignore"):
            for line in self.lines:
                env[line.name] = line.expression.evaluate(env, np)
        return env


FALSE_ALARMS = {
    "training.divergence": "The cost would come down again by itself before the last epoch.",
    "arch.frozen": "The training rows would be predicted as well as they can be.",
    "training.base_rate": "The outputs would begin to differ within the next epochs: some trainings are slow at first.",
    "training.falls_short": "The score would reach the small network's by the last epoch.",
    "arch.dying_relu": "The other units would be enough, and the score as good with leaky relu.",
    "training.saturated_units": "Units that answer yes or no would be what the task asks for.",
    "training.plateau": "The cost would begin to fall later, or already be the least that these rows allow.",
    "training.slow": "The cost would fall faster later.",
    "opt.oscillation": "The last epochs would be calm, and the score the same with a tenth of the rate.",
}
"""What would be so if a finding were wrong."""


def cures_of(kind: str, case: Case) -> tuple[Change, ...]:
    """What usually helps against a kind of finding."""
    slower, faster = cures.times_rate(case, 0.1), cures.times_rate(case, 10)
    return {
        "training.divergence": lambda: cures.smaller_rates(case),
        "arch.frozen": lambda: (*cures.living_units(case), *slower),
        "training.base_rate": lambda: (*cures.adam(case), *cures.fresh_start(case), *slower),
        "training.falls_short": lambda: (*cures.adam(case), *cures.epochs(case, 4 * case.epochs)),
        "arch.dying_relu": lambda: (*cures.living_units(case), *slower),
        "training.saturated_units": lambda: (*slower, *cures.fresh_start(case)),
        "training.plateau": lambda: (*faster, *cures.adam(case), *cures.fresh_start(case)),
        "training.slow": lambda: (*faster, *cures.epochs(case, 4 * case.epochs)),
        "opt.oscillation": lambda: (*cures.less_momentum(case), *slower, *cures.batches_of(case, min(case.rows, 128))),
    }[kind]()


def look(
    run: Run, about: _About, epoch: int, epochs: int, before: tuple[int, float] | None, expected: float | None
) -> list[tuple[Finding, bool]]:
    """What one look finds, each with whether it makes the training hopeless; `before` is (epoch, cost) of the look before."""
    row = run.history[-1]
    cost, norm, score = float(row["cost"]), float(row["gradient_norm"]), float(row[about.metric])
    first = float(run.initial["cost"])
    here = Where(epochs=(epoch, epoch))
    found: list[tuple[Finding, bool]] = []

    if about.guessing > 0 and cost > HOPELESS_COST * about.guessing and cost > first:
        said = f"The cost, {number(cost)}, is {number(cost / about.guessing)} times that of guessing."
        measured = (Measured("cost / cost of guessing", cost / about.guessing, "below 1"),)
        found.append((Finding("training.divergence", said, "critical", 0.7, measured, here), True))
    elif first > 0 and cost > 2 * first and (not about.guessing > 0 or cost > 1.5 * about.guessing):
        said = f"The cost has grown from {number(first)} to {number(cost)}."
        found.append(
            (
                _note("training.divergence", said, 0.4, Measured("cost / first cost", cost / first, "below 1"), here),
                False,
            )
        )
    if norm == 0.0 and cost > 0 and not _learnt(score, about):
        said = "The gradient is exactly 0: no parameter will change."
        measured = (Measured("gradient norm", norm, "above 0"),)
        found.append((Finding("arch.frozen", said, "critical", 0.8, measured, here), True))

    values = about.values(run)
    found += _of_units(values, about, epoch)
    A = np.asarray(values[about.output], dtype=np.float64)
    spread = float(A.std(axis=0).mean())
    still = before is not None and abs(cost - before[1]) <= STANDS_STILL * abs(cost)
    alike = about.spread > 0 and spread < ALIKE * about.spread
    if alike:
        measured = (
            Measured("spread of the outputs over the rows", spread, f"{number(about.spread)}, that of the targets"),
        )
        said = f"All outputs are alike: over the rows they vary by {number(spread)}."
        severity = "warning" if still else "note"
        found.append((Finding("training.base_rate", said, severity, 0.5, measured, here), still))
    elif epoch >= 0.1 * epochs and about.metric == "accuracy" and score <= about.largest + 0.01:
        said = f"After epoch {epoch} the predictions are no better than the most frequent class."
        found.append(
            (
                _note(
                    "training.base_rate",
                    said,
                    0.25,
                    Measured("accuracy", score, f"above {number(about.largest)}"),
                    here,
                ),
                False,
            )
        )
    if epoch >= 0.1 * epochs and first > 0:
        found += _of_pace(run, about, epoch, epochs, cost, first, score)
    if expected is not None and epoch >= 0.6 * epochs and score < expected - 0.1:
        name = name_of(about.metric)
        said = f"After epoch {epoch} its {name} is {_score(score)}; a small healthy network reaches {_score(expected)}."
        measured = (Measured(name, score, f"{expected:.3f}"),)
        found.append((Finding("training.falls_short", said, "warning", 0.5, measured, here), False))
    return found


def _score(value: float) -> str:
    return f"{value:.3f}".replace("-", "−")


def _learnt(score: float, about: _About) -> bool:
    return score > (0.99 if about.metric == "accuracy" else 0.999)


def _note(kind: str, said: str, confidence: float, measured: Measured, where: Where) -> Finding:
    return Finding(kind, said, "note", confidence, (measured,), where)


def _of_units(values: dict[str, Any], about: _About, epoch: int) -> list[tuple[Finding, bool]]:
    """Dead and saturated layers."""
    found: list[tuple[Finding, bool]] = []
    for name, (layer, activation) in about.kinds.items():
        A, where = values[name], Where(layer=layer, equation=name, epochs=(epoch, epoch))
        if activation == "relu":
            dead = dead_units(A)
            whole = len(dead) == A.shape[1]
            if whole or len(dead) > 0.5 * A.shape[1]:
                said = (
                    f"{'All' if whole else f'{len(dead)} of {A.shape[1]}'} units of layer {layer} are 0 for every row."
                )
                measured = (Measured("units that are 0 for every row", len(dead), f"fewer than half of {A.shape[1]}"),)
                where = Where(layer=layer, units=dead, equation=name, epochs=(epoch, epoch))
                severity, sure = ("critical", 0.9) if whole else ("note", 0.3)
                found.append((Finding("arch.dying_relu", said, severity, sure, measured, where), whole))
        elif name != about.output and (share := saturated_share(A, activation)) > 0.9:
            said = f"{share:.0%} of the values of {name} lie where {activation} is flat."
            found.append(
                (_note("training.saturated_units", said, 0.3, Measured("share", share, "below 0.7"), where), False)
            )
    return found


def _of_pace(
    run: Run, about: _About, epoch: int, epochs: int, cost: float, first: float, score: float
) -> list[tuple[Finding, bool]]:
    """Whether the cost stands still, falls too slowly to arrive, or swings."""
    costs = run.history["cost"]
    if _learnt(score, about) or len(costs) < 3:
        return []
    window = costs[-max(3, len(costs) // 2) :]
    where = Where(epochs=(epoch - len(window) + 1, epoch))
    found: list[tuple[Finding, bool]] = []
    fall = float(window[0] - window[-1])
    if float(window.max() - window.min()) < 0.01 * first:
        said = f"The cost has stood still at {number(cost)} for {len(window)} epochs. It may only be slow at first."
        measured = Measured("change / first cost", float(window.max() - window.min()) / first, "above 0.01")
        found.append((_note("training.plateau", said, 0.25, measured, where), False))
    projected = cost - fall / (len(window) - 1) * (epochs - epoch)
    if fall > 0 and projected > 0.7 * first:
        said = f"At this pace the cost is still {number(projected)} after the last epoch; it began at {number(first)}."
        found.append(
            (
                _note(
                    "training.slow",
                    said,
                    0.3,
                    Measured("cost projected / first", projected / first, "below 0.7"),
                    where,
                ),
                False,
            )
        )
    best = float(costs.min())
    swings = float((np.diff(window) > 0.1 * max(first - best, 1e-12)).mean()) if first > best else 0.0
    if swings > 0.1:
        said = f"The cost swings: it rose noticeably after {swings:.0%} of the last {len(window)} epochs."
        found.append((_note("opt.oscillation", said, 0.3, Measured("share", swings, "below 0.05"), where), False))
    return found
