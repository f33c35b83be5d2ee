"""The curves of a report: cost and metric by epoch, thinned where there are more epochs than a page can show."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from glassnet.views.curves import METRICS
from glassnet.views.pages import numbers
from glassnet.views.report_rows import Subject
from glassnet.views.report_words import best_epoch

Array = NDArray[Any]

MOST_EPOCHS = 1_000
FIRST_EPOCHS = 50
KINDS = (("", "training rows", "one", ""), ("validation_", "validation rows", "two", "7 4"))


def charts(subject: Subject, film: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Cost and metric by epoch. Held-out rows, which no history has, are measured at the states of the film."""
    history = subject.run.history
    if not len(history):
        return []
    rows = shown_epochs(subject)
    epoch = history["epoch"][rows]
    found = []
    for column in ("cost", subject.metric):
        series = [
            {
                "name": name,
                "colour": colour,
                "dash": dash,
                "x": numbers(epoch),
                "y": numbers(history[prefix + column][rows]),
            }
            for prefix, name, colour, dash in KINDS
            if prefix + column in history
        ]
        held = _held_out(subject, film, column)
        if held is not None:
            series.append(held)
        if series:
            found.append(
                {**_axes(subject, column, series), "id": column, "best": _best(subject, column), "series": series}
            )
    return found


def film_charts(subject: Subject, film: dict[str, Any]) -> list[dict[str, Any]]:
    """The cost of the film, by iteration, the first ones as wide apart as the last ones."""
    history = subject.run.history
    series = []
    rows = shown_epochs(subject) if len(history) else np.arange(0)
    last = film["iterations"][-1]
    for (prefix, name, colour, dash), column in zip(
        (*KINDS, ("held_out_", "held-out rows", "three", "2 4")), ["cost"] * 3, strict=True
    ):
        if prefix + column not in film["measured"]:
            continue
        x, y = np.array(film["iterations"], dtype=np.float64), film["arrays"][prefix + column]
        if prefix + column in history:
            more, values = history["iteration"][rows], history[prefix + column][rows]
            extra = ~np.isin(more, x) & (more <= last)
            x, y = np.append(x, more[extra]), np.append(y, values[extra])
            order = np.argsort(x, kind="stable")
            x, y = x[order], y[order]
        series.append({"name": name, "colour": colour, "dash": dash, "x": numbers(x), "y": numbers(y)})
    spec = _axes(subject, "cost", series)
    spec |= {
        "id": "film",
        "x": {"label": "iteration (logarithmic)", "name": "iteration", "kind": "count"},
        "best": None,
    }
    return [{**spec, "series": series}]


def _axes(subject: Subject, column: str, series: list[dict[str, Any]]) -> dict[str, Any]:
    if column == "cost":
        label, most = "cost (mean over rows)", None
    else:
        label, most = METRICS[column][0], 1.0
    title = label.split(" (")[0]
    y: dict[str, Any] = {"label": label, "log": column == "cost" and _spans_decades(subject)}
    if most is not None:
        y["most"] = most
    return {
        "title": title[0].upper() + title[1:],
        "x": {"label": "epoch", "name": "epoch", "kind": "linear", "whole": True},
        "y": y,
    }


def _spans_decades(subject: Subject) -> bool:
    history = subject.run.history
    names = [name for name in ("cost", "validation_cost") if name in history]
    values = np.concatenate([history[name] for name in names]) if names else np.ones(1)
    values = values[np.isfinite(values)]
    return bool(values.size) and bool((values > 0).all()) and bool(values.max() > 50 * values.min())


def _best(subject: Subject, column: str) -> dict[str, Any] | None:
    best = best_epoch(subject.run)
    if best is None or column != "cost":
        return None
    return {"x": best[0], "y": best[1], "label": f"best epoch: {best[0]:,}"}


def _held_out(subject: Subject, film: dict[str, Any] | None, column: str) -> dict[str, Any] | None:
    """The held-out rows at the film's ends of epochs."""
    if film is None or f"held_out_{column}" not in film["arrays"]:
        return None
    at = np.array(film["iterations"])
    ends = (at % subject.run.batches == 0) & (at > 0)
    x, y = at[ends] // subject.run.batches, film["arrays"][f"held_out_{column}"][ends]
    if not len(x):
        return None
    return {
        "name": "held-out rows (at the film's states)", "colour": "three", "dots": True, "x": numbers(x), "y": numbers(y),
    }  # fmt: skip


def shown_epochs(subject: Subject) -> Array:
    """Rows of the history: all, or the first ones, evenly spread ones, the best, and the extremes of every stretch."""
    history = subject.run.history
    count = len(history)
    if count <= MOST_EPOCHS:
        return np.arange(count)
    cost = np.nan_to_num(history["cost"], nan=np.inf)
    stretches = np.array_split(np.arange(count), MOST_EPOCHS // 4)
    extremes = [part[pick(cost[part])] for part in stretches for pick in (np.argmin, np.argmax)]
    spread = np.linspace(0, count - 1, MOST_EPOCHS // 2).round().astype(np.int64)
    best = best_epoch(subject.run)
    chosen = [*range(FIRST_EPOCHS), *spread, *extremes]
    if best is not None:
        chosen.append(int(np.flatnonzero(history["epoch"] == best[0])[0]))
    return np.unique(np.array(chosen, dtype=np.int64))
