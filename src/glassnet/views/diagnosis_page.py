"""A diagnosis as a page, as a section of a report, and as a piece of a notebook: findings with their evidence and cures."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.diagnosis.findings import Diagnosis
from glassnet.diagnosis.saying import (
    SETTINGS_SHOWN,
    STRONG,
    as_plain,
    cure_plain,
    cure_text,
    harmless,
    nothing_said,
    score_said,
)
from glassnet.errors import GlassnetError, GlassnetWarning
from glassnet.views.pages import fragment, numbers, page

if TYPE_CHECKING:
    from glassnet.diagnosis.cure import Cure
    from glassnet.training.run import Run

KEPT = "diagnosis.json"
MOST_MARKS = 6
MOST_POINTS = 1_000
SPREAD = 50
"""Costs that span more than this factor are drawn on a logarithmic axis."""
METRICS = {"accuracy": "accuracy", "r2": "R²"}


def diagnosis_page(
    diagnosis: Diagnosis | Mapping[str, Any], path: str | Path | None = None, *, cure: Cure | None = None
) -> str:
    """One self-contained page: the verdict, every finding with its evidence and cure, and the cost with their epochs marked.

    Parameters
    ----------
    diagnosis : a diagnosis, or what its `to_plain` gave
    path : a file to write the page to
    cure : what `run.cure()` found, to stand on the page too

    Raises
    ------
    GlassnetError : no diagnosis
    RunError : the file cannot be written
    """
    found = plain_diagnosis(diagnosis)
    chart = cost_chart(found)
    text = page(
        "diagnosis", title="Diagnosis" + (f" of {found['about']}" if found["about"] else ""),
        data={"diagnosis": {"charts": [] if chart is None else [chart]}}, modules=("diagnosis",),
        styles=("base", "report", "diagnosis"), diagnosis=section(found), about=found["about"],
        chart=None if chart is None else chart["title"], cure=None if cure is None else cure_shown(cure),
    )  # fmt: skip
    if path is not None:
        from glassnet.training.files import write_bytes

        write_bytes(Path(path), text.encode())
    return text


def cure_shown(cure: Cure) -> dict[str, Any]:
    """A cure as the template writes it."""
    head, *_ = cure_text(cure).split("\n\n")
    return {"said": " ".join(head.split()), **cure_plain(cure)}


def diagnosis_fragment(diagnosis: Diagnosis | Mapping[str, Any]) -> str:
    """The diagnosis for a notebook: one element, no scripts."""
    found = section(plain_diagnosis(diagnosis))
    return fragment("notebook_diagnosis", styles=("notebook",), diagnosis=found).strip()


def plain_diagnosis(diagnosis: Any) -> Mapping[str, Any]:
    """The diagnosis as the JSON object that all views show.

    Raises
    ------
    GlassnetError : something else
    """
    if isinstance(diagnosis, Diagnosis):
        return as_plain(diagnosis)
    if isinstance(diagnosis, Mapping) and {"said", "findings", "checked", "verdict"} <= diagnosis.keys():
        return diagnosis
    raise GlassnetError(
        f"A page of a diagnosis got {type(diagnosis).__name__}; it needs a diagnosis, such as run.diagnose() returns."
    )


def kept_diagnosis(run: Run) -> Mapping[str, Any] | None:
    """diagnosis.json beside the run, when it is of this state of the network; a damaged one is warned of and left out."""
    if run.folder is None:
        return None
    try:
        found = json.loads((run.folder / KEPT).read_text(encoding="utf-8"))
        fits = found["run"] == run.facts["id"] and found["iteration"] == run.iteration
        if not fits:
            return None
        plain = plain_diagnosis(found)
        _ = section(plain), cost_chart(plain)  # what is damaged inside shows here
        return plain
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, GlassnetError):
        warnings.warn(
            f"{run.folder / KEPT} is damaged, so it is left out; glassnet report {run.folder} --diagnose makes one anew.",
            GlassnetWarning,
            stacklevel=2,
        )
        return None


def section(found: Mapping[str, Any]) -> dict[str, Any]:
    """What the templates write: the verdict, alarms and notes with their numbers, and what was checked."""
    findings = [
        _shown(finding, place, bool(found.get("untested"))) for place, finding in enumerate(found["findings"], 1)
    ]
    suspected, unknown = bool(found.get("untested")), bool(found.get("undecided"))
    nothing = (
        "Nothing was tested; what is suspicious stands below." if suspected and findings else nothing_said(unknown)
    )
    notes_alone = f"{harmless(unknown)}." if all(f["severity"] == "note" for f in findings) else ""
    verdict = found["verdict"]
    scores = [("this training", verdict["score"], True)] if verdict["learns"] is not None else []
    scores += [(name, score, False) for name, score in verdict["yardsticks"].items()]
    return {
        "said": found["said"],
        "learns": verdict["learns"],
        "metric": METRICS.get(verdict["metric"], verdict["metric"]),
        "rows": verdict["rows"],
        "needed": None if verdict["needed"] is None else score_said(verdict["needed"]),
        "scores": [{"name": name, "said": score_said(score), "own": own} for name, score, own in scores],
        "alarms": [finding for finding in findings if finding["severity"] != "note"],
        "notes": [finding for finding in findings if finding["severity"] == "note"],
        "notes_title": "Suspicious, not tested" if suspected else "Notes",
        "about_notes": "The stronger suspicions are open, with what may cure them." if suspected else notes_alone,
        "nothing": nothing,
        "checked": found["checked"],
        "seconds": found["seconds"],
    }


def _shown(finding: Mapping[str, Any], place: int, suspected: bool) -> dict[str, Any]:
    """A finding as the templates write it."""
    title = finding["title"]
    proofs = [
        {
            **proof, "metric": METRICS.get(proof["metric"], proof["metric"]),
            "before": "—" if proof["before"] is None else score_said(proof["before"]),
            "after": score_said(proof["after"]), "needed": score_said(proof["needed"]), "epochs": f"{proof['epochs']:,}",
        }
        for proof in finding["proofs"]
    ]  # fmt: skip
    cures = [
        {**cure, "python": python, "long": len(python) > SETTINGS_SHOWN}
        for cure in finding["cures"]
        for python in [", ".join(f"{name}={value}" for name, value in cure["settings"].items())]
    ]
    return {
        **finding, "number": place, "title": title[0].upper() + title[1:], "proofs": proofs, "cures": cures,
        "where": finding["where"]["said"], "strong": suspected and finding["confidence"] >= STRONG,
    }  # fmt: skip


def marks(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The epochs of findings, for a cost curve: alarms first, each with its number in the list."""
    marked = [
        {
            "from": finding["where"]["epochs"][0], "to": finding["where"]["epochs"][1], "label": f"{place}",
            "severity": finding["severity"], "said": f"{finding['title']}: {_epochs(*finding['where']['epochs'])}",
        }
        for place, finding in enumerate(found["findings"], 1)
        if finding["where"]["epochs"]
    ]  # fmt: skip
    first = [mark for mark in marked if mark["severity"] != "note"]
    return [*first, *(mark for mark in marked if mark["severity"] == "note")][:MOST_MARKS]


def _epochs(first: int, last: int) -> str:
    return f"epoch {first:,}" if first == last else f"epochs {first:,} to {last:,}"


def cost_chart(found: Mapping[str, Any]) -> dict[str, Any] | None:
    """The cost curve with the epochs of the findings; None where there are no two costs to draw."""
    pairs = np.array([[math.nan if v is None else v for v in pair] for pair in found["costs"]], dtype=np.float64)
    if len(pairs) < 2 or np.isfinite(pairs[:, 1]).sum() < 2:
        return None
    epochs, costs = pairs[_places(pairs[:, 1])].T
    finite = costs[np.isfinite(costs)]
    return {
        "id": "cost", "title": "Cost by epoch", "best": None, "marks": marks(found),
        "x": {"label": "epoch", "name": "epoch", "kind": "linear", "whole": True},
        "y": {"label": "cost (mean over rows)", "log": bool(finite.min() > 0 and finite.max() > SPREAD * finite.min())},
        "series": [{
            "name": "training rows", "colour": "one", "dash": "", "x": numbers(epochs), "y": numbers(costs),
        }],
    }  # fmt: skip


def _places(costs: np.ndarray) -> np.ndarray:
    """Which costs are drawn: all, or the least and the largest of every stretch."""
    if len(costs) <= MOST_POINTS:
        return np.arange(len(costs))
    known = np.nan_to_num(costs, nan=np.inf)
    stretches = np.array_split(np.arange(len(costs)), MOST_POINTS // 2)
    found = {int(part[pick(known[part])]) for part in stretches for pick in (np.argmin, np.argmax)}
    return np.array(sorted(found | {0, len(costs) - 1}))
