"""Counts of what the diagnosis did, as tables: all trials of a group, by kind, and the two halves apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from benchmarks.diagnosis.judge import outcome

Results = Sequence[dict[str, Any]]
COLUMNS = (
    ("alarmed", "found"), ("early", "found early"), ("named", "right kind"), ("cured", "cured"), ("by_chance", "by chance"),
    ("false_alarm", "false alarms"),
)  # fmt: skip


def counted(results: Results) -> list[dict[str, Any]]:
    """The results that count: expressed in glassnet, measured, and not at the border of failing."""
    return [r for r in results if r["cannot"] is None and not r["borderline"] and r["fails"] is not None]


def counts(results: Results) -> dict[str, tuple[int, int]]:
    """Of each question: how many times yes, of how many times asked."""
    answers = [outcome(r) for r in results]
    found = {}
    for name, _ in COLUMNS:
        asked = [a[name] for a in answers if a[name] is not None]
        found[name] = (sum(map(bool, asked)), len(asked))
    return found


def fraction(yes: int, asked: int) -> str:
    return f"{yes}/{asked} {yes / asked:4.0%}" if asked else "–"


def row(name: str, results: Results) -> str:
    cells = counts(results)
    fails = sum(bool(r["fails"]) for r in results)
    return f"{name:<34}{fails:>5}{len(results) - fails:>7}" + "".join(
        f"{fraction(*cells[column]):>15}" for column, _ in COLUMNS
    )


HEAD = f"{'':<34}{'fail':>5}{'learn':>7}" + "".join(f"{title:>15}" for _, title in COLUMNS)


def halves(results: Results) -> Iterable[tuple[str, list[dict[str, Any]]]]:
    """The half on which thresholds are set, the half that is reported, and both."""
    yield "set", [r for r in results if not r["reported"]]
    yield "reported", [r for r in results if r["reported"]]
    yield "both", list(results)


def table(title: str, results: Results, by_kind: bool = True) -> str:
    """Totals of the two halves, and of each kind over both."""
    rows = counted(results)
    out = len(results) - len(rows)
    lines = [
        f"{title}: {len(rows)} trainings; {out} left out (not expressed, its twin does not learn, or at the border)"
    ]
    if not rows:
        return lines[0]
    lines.append(HEAD)
    lines += [row(name, part) for name, part in halves(rows) if part]
    agree = [r for r in rows if agrees(r)]
    if len(agree) < len(rows):
        lines.append(row("both, same outcome here", agree))
    if by_kind:
        kinds = sorted({r["kinds"][0] for r in rows if r["kinds"]})
        lines += ["", *(row("  " + kind, [r for r in rows if r["kinds"][:1] == [kind]]) for kind in kinds)]
        other = [r for r in rows if not r["kinds"]]
        if other and kinds:
            lines.append(row("  no kind known", other))
    broken = [r for r in rows if "error" in r]
    lines += [f"  broke: {r['id']}: {r['error']}" for r in broken]
    return "\n".join(lines)


def agrees(result: dict[str, Any]) -> bool:
    """Whether the training with this seed did what was measured for it."""
    here = result.get("here")
    return here is None or (here < (result["needed"] or 0)) == result["fails"]


def times(results: Results) -> str:
    """What watching and diagnosing add to a training: medians, and all seconds together."""
    spent = [r["seconds"] for r in results if "training" in r.get("seconds", {})]
    if not spent:
        return ""
    training = np.array([s["training"] for s in spent])
    lines = ["seconds, and as a share of training (median; all together)"]
    for name in ("training", "watching", "before", "after"):
        values = np.array([s[name] for s in spent if name in s])
        if len(values) < len(spent):
            continue
        share = np.median(values / training)
        lines.append(
            f"  {name:<10}{np.median(values):>9.3f}{share:>9.1%}{values.sum():>11.1f}{values.sum() / training.sum():>9.1%}"
        )
    return "\n".join(lines)
