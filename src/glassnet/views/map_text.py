"""Maps and kernels as text: each picture a small table of numbers, several side by side, of a large one its middle."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glassnet.views.matrix_text import Column, remarks

LEAST = 5
"""Columns of a picture that are written at least, where it has so many."""
BETWEEN = "   "


def maps_text(
    array: Any, *, labels: Sequence[str] | None = None, digits: int = 4, rows: int = 8, width: int = 100
) -> list[str]:
    """The lines of maps (samples, channels, height, width), or of kernels (filters, channels, height, width).

    Parameters
    ----------
    labels : a name for every sample, such as "row 17"; without them the first axis is filters
    digits : significant digits
    rows : rows of a picture that are written at most; all pictures together take about twice as many lines
    width : letters a line may take

    Returns
    -------
    lines; of a large picture its middle is written, the same part of each, so that lines can be compared; a last line says
    what is left out, and where the least and the largest number of all are
    """
    values = np.asarray(array)
    if not values.size:
        return ["(empty)"]
    pictures = list(product(range(values.shape[0]), range(values.shape[1])))
    high, wide = values.shape[2:]
    down = _middle(high, rows)
    some = pictures[: 4 * rows]
    across = _fitting(values, some, down, digits, width)
    whole = (len(down), len(across)) == (high, wide)
    if not whole and len(pictures) > 1:  # two side by side, to compare, where they fit
        half = (width - len(BETWEEN)) // 2
        fewer = _fitting(values, some, down, digits, half)
        if max(_width(_numbers(values[place], down, fewer, digits, False)) for place in some) <= half:
            across = fewer
    lines: list[str] = []
    written = 0
    while written < len(some) and (not lines or len(lines) + len(down) + 2 - whole <= 2 * rows + 2):
        beside: list[list[str]] = []
        for place in some[written:]:
            title = _title(place, values.shape, labels)
            block = [title, *_numbers(values[place], down, across, digits, whole)]
            if beside and sum(map(_width, [*beside, block])) + len(BETWEEN) * len(beside) > width:
                break
            beside.append(block)
        written += len(beside)
        widths = list(map(_width, beside))
        for parts in zip(*beside, strict=True):
            lines.append(BETWEEN.join(f"{part:<{w}}" for part, w in zip(parts, widths, strict=True)).rstrip())
    said = []
    if not whole:
        said.append(f"rows {down[0]}–{down[-1]} of {high} and columns {across[0]}–{across[-1]} of {wide}")
    if written < len(pictures):
        said.append(f"{written} of {len(pictures):,} pictures")
    further = remarks(values, digits, whole and written == len(pictures), labels)
    said += [further.removeprefix("(").removesuffix(")")] if further else []
    return [*lines, *(textwrap.wrap(f"({'; '.join(said)})", width) if said else [])]


def _title(place: tuple[int, int], shape: tuple[int, ...], labels: Sequence[str] | None) -> str:
    """`row 17, channel 2`, or `filter 0, channel 1`; no channel where there is but one."""
    first = f"filter {place[0]}" if labels is None else labels[place[0]]
    return first if shape[1] == 1 else f"{first}, channel {place[1]}"


def _middle(count: int, most: int) -> range:
    """So many places at most, about the middle."""
    shown = min(count, most)
    first = (count - shown) // 2
    return range(first, first + shown)


def _fitting(values: NDArray[Any], pictures: Sequence[tuple[int, int]], down: range, digits: int, room: int) -> range:
    """The columns of a picture that fit into so many letters: all, or the middle ones."""
    count = values.shape[3]
    for most in range(min(count, max(LEAST, room // 2)), 0, -1):
        across = _middle(count, most)
        whole = len(across) == count and len(down) == values.shape[2]
        if most <= LEAST or max(_width(_numbers(values[p], down, across, digits, whole)) for p in pictures) <= room:
            return across
    return _middle(count, LEAST)


def _numbers(table: NDArray[Any], down: range, across: range, digits: int, whole: bool) -> list[str]:
    """The lines of a part of a picture; with the numbers of its rows and columns, unless it is whole."""
    columns = [Column(table, c, down, digits, not whole) for c in across]
    lines = ["  ".join(column.cell(row) for column in columns) for row in down]
    if whole:
        return lines
    margin = len(f"[{down[-1]}]") + 2
    head = " " * margin + "  ".join(column.heading for column in columns)
    return [head, *(f"{f'[{row}]':<{margin}}{line}" for row, line in zip(down, lines, strict=True))]


def _width(lines: Sequence[str]) -> int:
    return max(len(line.rstrip()) for line in lines)
