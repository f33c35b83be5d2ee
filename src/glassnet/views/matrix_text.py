"""A matrix as text: aligned on the decimal point, a large one elided around its extremes, odd numbers named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glassnet.equations.entry_text import short_number

GAP = "…"
"""Stands where rows or columns are left out."""


def matrix_text(
    array: Any,
    *,
    labels: Sequence[str] | None = None,
    digits: int = 4,
    rows: int = 8,
    width: int = 100,
) -> list[str]:
    """The lines of a matrix, a row of units, or a number.

    Parameters
    ----------
    labels : a name for every row, such as "row 17"
    digits : significant digits
    rows : about so many rows are written at most, and three at least
    width : letters a line may take; columns that do not fit are left out

    Returns
    -------
    lines; of a matrix that is not written whole, the rows and columns of its least and largest numbers are always among those
    written, and a last line says where they are
    """
    values = np.asarray(array)
    if values.ndim == 0:
        return [short_number(float(values), digits)]
    table = values.reshape(1, -1) if values.ndim == 1 else values.reshape(values.shape[0], -1)
    if not table.size:
        return ["(empty)"]
    shown_rows = _shown(table.shape[0], rows, [place[0] for place in _extremes(table)])
    row_names = labels if values.ndim == 2 else None
    if labels is None and None in shown_rows:
        labels = [f"[{i}]" for i in range(table.shape[0])]
    names = ["" if i is None or labels is None else labels[i] for i in shown_rows]
    margin = max(map(len, names)) + 2 if labels is not None else 0
    shown_columns = _fitting(table, shown_rows, digits, width - margin - 2)
    headed = None in shown_columns
    columns = [None if c is None else Column(table, c, shown_rows, digits, headed) for c in shown_columns]
    lines = []
    if headed:  # which of the columns they are can no longer be counted
        lines.append(" " * margin + "  ".join(GAP if c is None else c.heading for c in columns))
    for i, name in zip(shown_rows, names, strict=True):
        cells = ["⋮"] if i is None else [GAP if c is None else c.cell(i) for c in columns]
        lines.append(f"{name:<{margin}}{'  '.join(cells)}")
    said = remarks(values, digits, None not in shown_rows and None not in shown_columns, row_names)
    return [line.rstrip() for line in lines] + ([said] if said else [])


def remarks(array: Any, digits: int = 4, whole: bool = True, labels: Sequence[str] | None = None) -> str:
    """What a person should know of an array besides its entries: what is not finite, and where the extremes are."""
    values = np.asarray(array)
    finite = np.isfinite(values)
    said = []
    for name, count in (
        ("NaN", int(np.isnan(values).sum())),
        ("∞", int(np.isposinf(values).sum())),
        ("−∞", int(np.isneginf(values).sum())),
    ):
        if count:
            said.append(f"{count:,} × {name}")
    if not whole:
        zeros = int((values == 0).sum())
        if zeros:
            said.append(f"{zeros:,} × 0")
        if finite.any() and np.ptp(values[finite]) > 0:
            for name, place in (("least", np.where(finite, values, np.inf).argmin()),
                                ("largest", np.where(finite, values, -np.inf).argmax())):  # fmt: skip
                spot = [str(int(i)) for i in np.unravel_index(int(place), values.shape)]
                if labels is not None:
                    spot[0] = labels[int(spot[0])]
                said.append(f"{name} {short_number(float(values.flat[place]), digits)} at [{', '.join(spot)}]")
    return f"({'; '.join(said)})" if said else ""


def _extremes(table: NDArray[Any]) -> list[tuple[int, int]]:
    """Where the least, the largest and the first number that is not finite stand."""
    finite = np.isfinite(table)
    places = []
    if not finite.all():
        places.append(int((~finite).argmax()))
    if finite.any():
        places += [int(np.where(finite, table, np.inf).argmin()), int(np.where(finite, table, -np.inf).argmax())]
    columns = table.shape[1]
    return [(place // columns, place % columns) for place in places]


def _shown(count: int, most: int, wanted: Sequence[int]) -> list[int | None]:
    """The places that are written, with None where some are left out: the first, the last, and those wanted."""
    if count <= most:
        return list(range(count))
    chosen = {0, count - 1, *wanted}
    place = 1
    while len(chosen) < most and place < count:
        chosen.add(place)
        place += 1
    found: list[int | None] = []
    for number in sorted(chosen):
        if found and found[-1] is not None and number - found[-1] > 1:
            found.append(None)
        found.append(number)
    return found


class Column:
    """The numbers of one column that are written, aligned on the decimal point."""

    def __init__(self, table: NDArray[Any], column: int, rows: Sequence[int | None], digits: int, headed: bool) -> None:
        self.texts = {i: short_number(float(table[i, column]), digits) for i in rows if i is not None}
        points = {i: text.find(".") if "." in text else len(text) for i, text in self.texts.items()}
        self.before = max(points.values())
        self.points = points
        after = max(len(text) - points[i] for i, text in self.texts.items())
        heading = f"[{column}]" if headed else ""
        self.width = max(self.before + after, len(heading))
        self.heading = f"{heading:<{self.width}}"

    def cell(self, row: int) -> str:
        return f"{' ' * (self.before - self.points[row]) + self.texts[row]:<{self.width}}"


def _fitting(table: NDArray[Any], rows: Sequence[int | None], digits: int, room: int) -> list[int | None]:
    """As many columns as fit into so many letters; at least three."""
    count = table.shape[1]
    wanted = [place[1] for place in _extremes(table)]
    most = min(count, max(3, room // 3))
    while True:
        shown = _shown(count, most, wanted)
        taken = sum(3 if c is None else Column(table, c, rows, digits, True).width + 2 for c in shown)
        if taken <= room or most <= 3:
            return shown
        most -= 1
