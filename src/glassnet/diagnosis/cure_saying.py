"""A cure in words: what was changed, how it was proven, and the Python that does it; or why there is none."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.diagnosis.changes import Balanced, DataChange, DropRows
from glassnet.diagnosis.python_source import python_code, written
from glassnet.diagnosis.wording import METRICS, change_said, epochs_said, finite, plain_change, score_said, wrapped

if TYPE_CHECKING:
    from glassnet.diagnosis.cure import Cure
    from glassnet.diagnosis.cure_search import Trial

SAME_ROWS = (Balanced, DropRows)
"""Changes of data that leave the numbers of a row as they are."""
TRIALS_SHOWN = 5
OVER = 0.9
"""The share of its budget after which a search is said to have ended for want of time."""


def diff_lines(before: Mapping[str, Any], after: Mapping[str, Any], data: Iterable[DataChange] = ()) -> list[str]:
    """What differs between two trainings, as the lines of a diff: "- optimizer: SGD(10)", "+ optimizer: SGD(0.1)".

    Parameters
    ----------
    before, after : keyword arguments of `gn.train`, "network" among them
    data : what is done to the data first
    """
    lines = [f"+ data: {step.said}" for step in data]
    for name in dict.fromkeys([*before, *after]):
        old, new = before.get(name), after.get(name)
        if _equal(old, new):
            continue  # None is what is not asked for
        lines += [f"- {name}: {written(old)}"] if old is not None else []
        lines += [f"+ {name}: {written(new)}"] if new is not None else []
    return lines


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(_equal(a[name], b[name]) for name in a)
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return np.array_equal(np.asarray(a), np.asarray(b))
    return bool(a == b)


def cure_text(cure: Cure) -> str:
    """Before → after with every seed, the settings that changed, and the Python that does it; or that there is no cure."""
    metric = METRICS.get(cure.metric, cure.metric)
    if cure.change is None and cure.learns:
        return "\n".join(wrapped(f"There is nothing to cure: {metric} {score_said(cure.before)} on {cure.rows} rows."))
    if cure.change is None:
        return _not_found(cure, metric)
    after = ", ".join(score_said(score) for score in cure.after)
    seeds = f" with {len(cure.after)} seeds" if len(cure.after) > 1 else ""
    lines = wrapped(
        f"Cured: {metric} {score_said(cure.before)} → {after}{seeds} on {cure.rows} rows; {score_said(cure.needed)} was needed."
    )
    spent = f"{_tried(cure)} in {cure.seconds:.2g} s of the {cure.budget:.2g} s allowed."
    lines += wrapped(spent[0].upper() + spent[1:])
    if cure.shortened is not None:
        lines += wrapped(_shortened(cure, *cure.shortened))
    if any(not isinstance(step, SAME_ROWS) for step in cure.change.data):
        lines += wrapped(
            "The cured run takes the data as they were changed here; cure.predict(X) takes them as they were."
        )
    lines += ["", *diff_lines(cure.settings_before, cure.settings_after, cure.change.data)]
    lines += ["", "In Python:", ""]
    code = cure_python(cure)
    return "\n".join([*lines, textwrap.indent(code.rstrip("\n"), "    ", lambda line: bool(line.strip()))])


def _shortened(cure: Cure, had: int, whole: int) -> str:
    """What the three trainings of a proof lacked, and how far the cured run went on."""
    epochs = cure.settings_after["epochs"]
    said = f"Three trainings of {epochs_said(whole)} did not fit into that, so they had {had:,}"
    more = "with a larger budget they have all."
    if epochs == had:
        return f"{said}; {more}"
    reached = (
        f": {METRICS.get(cure.metric, cure.metric)} {score_said(cure.reached)}" if math.isfinite(cure.reached) else ""
    )
    return f"{said}; the cured run then went on to {epochs:,}{reached}." + (
        "" if epochs == whole else f" {more.capitalize()}"
    )


def _not_found(cure: Cure, metric: str) -> str:
    """Why there is no cure, and what came nearest."""
    over = cure.seconds >= OVER * cure.budget
    if cure.tried:
        within = f"within the budget: {_tried(cure)} in {cure.seconds:.2g} s of the {cure.budget:.2g} s allowed"
        why = within if over else f": {_tried(cure)} in {cure.seconds:.2g} s"
    elif not math.isfinite(cure.needed):
        why = ": no model here learns anything from these data that holds on other rows, and no settings cure that"
    elif over:
        why = f": the {cure.budget:.2g} s allowed were over before a change could be tried"
    else:
        why = ": no change could be trained"
    lines = wrapped(f"No cure was found{'' if why[0] == ':' else ' '}{why}.")
    needs = f", and {score_said(cure.needed)} would be enough" if math.isfinite(cure.needed) else ""
    lines += wrapped(f"The {metric} on {cure.rows} rows is {score_said(cure.before)}{needs}.")
    best: dict[str, Trial] = {}
    for trial in sorted(cure.tried, key=lambda one: -one.score if math.isfinite(one.score) else math.inf):
        best.setdefault(change_said(trial.change), trial)
    if best:
        lines += ["", "The best of them:"]
        for said, trial in list(best.items())[:TRIALS_SHOWN]:
            reached = f"{metric} {score_said(trial.score)} after {epochs_said(trial.epochs)}"
            lines += wrapped(f"{said} ({reached})", "· ", 2)
    return "\n".join(lines)


def cure_python(cure: Cure) -> str:
    """The cured training as Python that runs as it stands; "" when there is no cure."""
    if cure.change is None:
        return ""
    held = cure.run is not None and cure.run.validation is not None
    return python_code(cure.settings_after, cure.change.data, held)


def cure_plain(cure: Cure) -> dict[str, Any]:
    """The cure as a JSON object."""
    return {
        "found": cure.change is not None,
        "learns": bool(cure.learns),
        "change": None if cure.change is None else plain_change(cure.change),
        "metric": cure.metric,
        "rows": cure.rows,
        "before": finite(cure.before),
        "after": [finite(score) for score in cure.after],
        "needed": finite(cure.needed),
        "shortened": None if cure.shortened is None else dict(zip(("to", "from"), cure.shortened, strict=True)),
        "reached": finite(cure.reached),
        "tried": [
            {
                "change": change_said(one.change),
                "score": finite(one.score),
                "epochs": int(one.epochs),
                "round": int(one.round),
            }
            for one in cure.tried
        ],
        "seconds": finite(cure.seconds),
        "budget": finite(cure.budget),
        "diff": [] if cure.change is None else diff_lines(cure.settings_before, cure.settings_after, cure.change.data),
        "python": cure_python(cure) or None,
    }


def _tried(cure: Cure) -> str:
    """ "tried 5 changes"."""
    count = len({trial.change.said for trial in cure.tried})
    return f"tried {count:,} change{'s' if count != 1 else ''}" if count else "tried nothing"
