"""One small batch: a network that cannot learn sixteen rows by heart will not learn more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from glassnet.diagnosis.case import Case
from glassnet.diagnosis.course import name_of
from glassnet.diagnosis.findings import Finding, Measured, Where
from glassnet.diagnosis.fitting_output import fitting_output
from glassnet.diagnosis.network_changes import depth, healthy, network_change, without_dropout
from glassnet.equations.optimizers import Adam
from glassnet.errors import GlassnetError
from glassnet.training.run import Run

LEARNT = {"accuracy": 0.9, "r2": 0.9}
PARTLY = {"accuracy": 0.75, "r2": 0.5}
LEFT_OUT = ("batch_size", "sample_weight", "augmentation", "l1", "l2", "validation", "callbacks", "penalty_on")
SECONDS = 0.5
"""A large network is not waited for longer; nothing is said then."""


def few_rows(case: Case, rows: int = 16) -> np.ndarray:
    """Which rows: alike many of each class, at least two, no input twice."""
    X = np.asarray(case.X, dtype=np.float64).reshape(case.rows, -1)
    labels = case.labels
    if labels is None:
        taken = np.arange(case.rows)[:: max(1, case.rows // (2 * rows))]
        _, first = np.unique(X[taken], axis=0, return_index=True)
        return taken[np.sort(first)][:rows]
    found = np.unique(labels)
    each = max(2, rows // max(1, len(found)))
    chosen: list[int] = []
    seen: set[bytes] = set()
    for label in found[:rows]:
        count = 0
        for row in np.flatnonzero(labels == label):
            key = X[row].tobytes()
            if key not in seen:
                seen.add(key)
                chosen.append(int(row))
                count += 1
            if count == each:
                break
    return np.sort(np.array(chosen, dtype=int))


def small_case(case: Case, rows: int = 16) -> Case:
    """The case on a few rows in one batch, without penalty, dropout, weights or augmentation."""
    chosen = few_rows(case, rows)
    settings = {n: v for n, v in case.settings.items() if n not in LEFT_OUT}
    Y = np.asarray(case.Y)[chosen]
    if case.metric == "r2":
        # The size of the target is another matter.
        spread = Y.std(axis=0)
        Y = (Y - Y.mean(axis=0)) / np.where(spread > 0, spread, 1.0) if _unbounded(case) else Y
    network = without_dropout(case.network)
    return replace(case, network=network, X=np.asarray(case.X)[chosen], Y=Y, held=None, settings=settings)


def _unbounded(case: Case) -> bool:
    return case.derivation is not None and case.derivation.output_activation.name == "linear"


@np.errstate(all="ignore")
def check_overfits(case: Case, rows: int = 16, updates: int = 300) -> list[Finding]:
    """Train on a few rows with Adam and with the optimiser that was asked for; whether they can be learnt by heart.

    Returns
    -------
    one finding when even Adam(0.01) cannot, [] otherwise or when it takes too long
    """
    if case.derivation is None or case.samples is None:
        return []
    small = small_case(case, rows)
    if small.rows < 4 or (small.labels is not None and len(np.unique(small.labels)) < 2) or small.samples is None:
        return []
    least = LEARNT[case.metric]
    easy = _learnt(small, updates, Adam(0.01))
    if easy is None or easy[0] >= least:
        return []
    asked = _learnt(small, updates, case.optimizer)
    if asked is not None and asked[0] >= least:
        return []
    score, run = easy
    guess = float(np.bincount(small.labels).max() / small.rows) if small.labels is not None else 0.0
    silent = _silent(small, run)
    nothing = score <= guess + 0.02
    metric = name_of(case.metric)
    said = f"{metric} {'below −1' if score <= -1 else f'{score:.2f}'.replace('-', '−')} where 1 is best"
    gets = "get" if len(silent) > 1 else "gets"
    why = f" Layer{'s' if len(silent) > 1 else ''} {', '.join(map(str, silent))} {gets} no gradient." if silent else ""
    measured = [
        Measured(f"{metric} on {small.rows} rows after {updates} updates of Adam(0.01)", score, f"{least} or more")
    ]
    if asked is not None:
        measured.append(Measured(f"with {type(case.optimizer).__name__} as asked", asked[0], f"{least} or more"))
    fitting = fitting_output(case)
    cures = tuple(c for c in (network_change(case.network, healthy(case.network)), fitting) if c.said != "nothing")
    return [Finding(
        "training.cannot_overfit", f"Not even {small.rows} rows can be learnt by heart: {said}.{why}", "note",
        0.75 if nothing else 0.45 if score < PARTLY[case.metric] else 0.25, tuple(measured),
        Where(layer=silent[0] if silent else None),
        cures,
        "More updates would learn them.",
    )]  # fmt: skip


def _learnt(small: Case, updates: int, optimizer: object) -> tuple[float, Run] | None:
    """The score on the rows after the updates; None when it cannot be trained or takes too long."""
    try:
        run = small.train(epochs=updates, optimizer=optimizer, max_seconds=SECONDS)
    except (GlassnetError, ValueError):
        return None
    if run.status in ("out of time", "interrupted"):
        return None
    return small.judged(run), run


def _silent(small: Case, run: Run) -> list[int]:
    """The layers whose weights have a gradient of exactly 0 at the end of a run."""
    values = replace(small, settings={**small.settings, "initial_parameters": run.parameters}).start or {}
    return [n for n in range(1, depth(small.network) + 1) if f"dW{n}" in values and not np.any(values[f"dW{n}"])]
