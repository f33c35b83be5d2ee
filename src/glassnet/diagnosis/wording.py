"""What the sentences of a diagnosis and of a cure share: scores, changes, and lines that fit the terminal."""

from __future__ import annotations

import math
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable
from typing import Any

from glassnet.diagnosis.changes import Change
from glassnet.diagnosis.python_source import Source

METRICS = {"accuracy": "accuracy", "r2": "R²"}
NARROWEST, WIDEST = 50, 100
"""Columns of a text: the terminal's, within these; where there is no terminal, the most."""
STEP = re.compile(r"^(\w+) (.+) → (.+)$")


def score_said(score: float | None) -> str:
    """A score with three decimals; an R² is not told apart below −1.

    >>> score_said(0.5), score_said(-0.0001), score_said(-0.25), score_said(-1.0), score_said(None)
    ('0.500', '0.000', '−0.250', 'below −1', 'not finite')
    """
    if score is None or not math.isfinite(score):
        return "not finite"
    if score <= -1:
        return "below −1"
    return f"{round(score, 3) + 0.0:.3f}".replace("-", "−")  # + 0 takes the sign off a zero


def epochs_said(count: int) -> str:
    return f"{count:,} epoch{'s' if count != 1 else ''}"


def change_said(change: Change) -> str:
    """The change in words; a setting that is changed twice is said once, from the first value to the last.

    >>> change_said(Change("epochs 20 → 2000; l2 1 → 0; epochs 2000 → 235"))
    'epochs 20 → 235; l2 1 → 0'
    """
    parts: list[tuple[str, str, str]] = []
    for part in change.said.split("; "):
        step = STEP.match(part)
        name, old, new = (step[1], step[2], step[3]) if step else (part, "", "")
        same = next((i for i, (n, _, last) in enumerate(parts) if n == name and last == old), None)
        if same is None:
            parts.append((name, old, new))
        else:
            parts[same] = (name, parts[same][1], new)
    said = [f"{name} {old} → {new}" if new else name for name, old, new in parts if not new or old != new]
    return "; ".join(said or [change.said])


def change_settings(change: Change) -> dict[str, str]:
    """The changed keyword arguments of `gn.train` as Python; those that are taken away are left out."""
    source = Source()
    return {name: source.of(value, name) for name, value in change.settings.items() if value is not None}


def plain_change(change: Change) -> dict[str, Any]:
    """A change as a JSON object: in words, its settings as Python, and what is done to the data."""
    return {
        "said": change_said(change),
        "settings": change_settings(change),
        "data": [step.said for step in change.data],
    }


def distinct(changes: Iterable[Change]) -> list[Change]:
    """The changes without those that are said in the same words."""
    found: dict[str, Change] = {}
    for change in changes:
        found.setdefault(change_said(change), change)
    return list(found.values())


def finite(value: Any) -> float | None:
    """A number for JSON; None for one that is not finite."""
    return None if value is None or not math.isfinite(value) else float(value)


def width() -> int:
    """How many columns a text may have."""
    if not getattr(sys.stdout, "isatty", bool)():
        return WIDEST
    return max(NARROWEST, min(WIDEST, shutil.get_terminal_size((WIDEST, 24)).columns))


def wrapped(text: str, mark: str = "", indent: int = 0) -> list[str]:
    """Lines behind a mark; what follows the first stands below its text, or two columns in."""
    first, rest = " " * indent + mark, " " * (indent + len(mark) if indent else 2 if mark else indent)
    return textwrap.wrap(text, width(), initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)


def labelled(label: str, text: str, indent: int = 2) -> list[str]:
    """Lines behind a label of eleven columns: "cure:      learning_rate 10 → 0.1"."""
    head = " " * indent + f"{label}:" if label else ""
    column = indent + 11
    return textwrap.wrap(
        text, width(), initial_indent=head.ljust(column), subsequent_indent=" " * column, break_on_hyphens=False
    )
