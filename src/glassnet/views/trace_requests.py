"""What is asked of a trace, checked: positions in the batch, whole numbers, entries that there are."""

from __future__ import annotations

from typing import Any

import numpy as np

from glassnet.errors import RunError


def positions(samples: Any) -> list[int]:
    """One position, or several, each once, as a list.

    Raises
    ------
    RunError : something else was asked for
    """
    try:
        found = np.atleast_1d(np.asarray(samples))
    except ValueError:
        found = np.empty((0, 0))
    if found.ndim == 1 and not found.size:
        raise RunError("samples got an empty list; it needs one position within the batch or more, such as [0].")
    if found.ndim != 1 or found.dtype.kind not in "iu":
        raise RunError(f"samples got {samples!r}; it needs positions within the batch, such as [0, 3].")
    if len(set(found.tolist())) < len(found):
        raise RunError(f"samples got {found.tolist()}; name each position once.")
    return [int(i) for i in found]


def whole_number(name: str, value: Any, least: int, most: int | None) -> None:
    """Refuse what is no whole number within these bounds.

    Raises
    ------
    RunError : it is none; the sentence says which are
    """
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or value < least or (most is not None and value > most):
        upper = "or more" if most is None else f"to {most}"
        raise RunError(f"{name} got {value!r}; it needs a whole number, {least} {upper}.")


def extent(shape: tuple[int, ...], of_samples: bool) -> str:
    """Which entries an array of this shape has, in words."""
    if not shape:
        return "is one number and has no index"
    if len(shape) == 1:
        return f"has the entries 0 to {shape[0] - 1}"
    counted = ", counted among the samples that are shown," if of_samples else ""
    if len(shape) == 4:
        names = ("samples", "channels") if of_samples else ("filters", "channels")
        sides = [f"{name} 0 to {n - 1}" for name, n in zip((*names, "rows", "columns"), shape, strict=True)]
        return f"has {sides[0]}{counted}{'' if counted else ','} {sides[1]}, {sides[2]} and {sides[3]}"
    return f"has rows 0 to {shape[0] - 1}{counted} and columns 0 to {shape[1] - 1}"
