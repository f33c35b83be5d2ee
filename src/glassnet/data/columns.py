"""Finding a column by the name a person wrote."""

from __future__ import annotations

from collections.abc import Sequence

from glassnet.errors import DataError, nearest

LISTED = 30


def find_column(names: Sequence[str], name: str | int) -> str:
    """The column called `name`; or, when none is, the k-th column (from 1) for a whole number k.

    Text such as "2" is a position only among columns without names of their own: column1, column2, ... of a file
    without a header, or x1, x2, ... of an array.
    A name that differs in case or blanks is not taken silently: it is offered in the error.

    Raises
    ------
    DataError : there is no such column; the nearest name and all names are given

    Examples
    --------
    >>> find_column(["wt", "mpg"], "mpg")
    'mpg'
    >>> find_column(["column1", "column2"], "2")
    'column2'
    """
    wanted = str(name)
    if wanted in names:
        return wanted
    nameless = any(list(names) == [f"{stem}{k + 1}" for k in range(len(names))] for stem in ("column", "x"))
    if (nameless or not isinstance(name, str)) and wanted.isdecimal() and 1 <= int(wanted) <= len(names):
        return names[int(wanted) - 1]
    near = nearest(wanted.strip(), names)
    hint = f"; did you mean '{near}'?" if near else "."
    listed = ", ".join(names[:LISTED]) + (f" and {len(names) - LISTED} more" if len(names) > LISTED else "")
    raise DataError(f"There is no column '{wanted}'{hint} Columns: {listed}.")


def missing_columns(names: Sequence[str], wanted: Sequence[str]) -> str | None:
    """One sentence that names every column of `wanted` not among `names`, or None when all are there."""
    absent = [name for name in wanted if name not in names]
    if not absent:
        return None
    described = []
    for name in absent[:LISTED]:
        near = nearest(name.strip(), [other for other in names if other not in wanted])
        described.append(f"'{name}'" + (f" (is it '{near}'?)" if near else ""))
    more = f" and {len(absent) - LISTED} more" if len(absent) > LISTED else ""
    return (
        f"The table lacks {len(absent)} of the {len(wanted)} columns that are needed: {', '.join(described)}{more}; "
        "add or rename them (any order will do)."
    )
