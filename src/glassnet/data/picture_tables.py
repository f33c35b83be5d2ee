"""Pictures in tables: one row a picture, one column a pixel."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from glassnet.data.image_files import Array
from glassnet.errors import DataError

_PIXEL = re.compile(r"^(?P<stem>.*?)(?P<row>\d+)[_x.,-](?P<column>\d+)$")


def pixels(table: Any, target: str | None, shape: tuple[int, ...] | None = None) -> Array:
    """The columns of a table, the target left out, as pictures (m, *shape).

    Parameters
    ----------
    table : an arrow table whose columns are the pixels, channel by channel, row by row
    target : the column that is no pixel; None when every column is one
    shape : (height, width) or (channels, height, width); found from the names of the columns when not given, which then
        end in row and column, as in pixel_0_0

    Raises
    ------
    DataError : so many columns do not make such a picture; a column holds something else than numbers, or gaps
    """
    names = [name for name in table.column_names if name != target]
    wanted = shape or pixel_shape(names)
    if wanted is None:
        raise DataError(
            f"Whether the {len(names)} columns are pixels, and of what shape, their names do not say; begin --network with "
            "the shape, channels×height×width, as in '1×28×28 → conv 8x5 relu → ...'."
        )
    if math.prod(wanted) != len(names):
        said = "×".join(str(size) for size in wanted)
        raise DataError(
            f"The table has {len(names)} columns beside the target, and a picture of {said} has {math.prod(wanted)} "
            "pixels; state the shape of its pictures, or leave other columns out of the table."
        )
    columns = []
    for name in names:
        column = table.column(name)
        values = column.to_numpy()
        if column.null_count or values.dtype.kind not in "uifb":
            what = "has gaps" if column.null_count else f"is {column.type}"
            raise DataError(f"Column '{name}' {what} and cannot be a pixel; each column needs a number in every row.")
        columns.append(values)
    return np.column_stack(columns).reshape(-1, *wanted)


def pixel_shape(names: list[str]) -> tuple[int, int] | None:
    """(height, width) when the names are pixel_0_0, pixel_0_1, ... row by row; else None.

    >>> pixel_shape(["p1x1", "p1x2", "p2x1", "p2x2"])
    (2, 2)
    """
    found = [_PIXEL.match(name) for name in names]
    places = [(int(match["row"]), int(match["column"])) for match in found if match]
    if not names or len(places) < len(names) or len({match["stem"] for match in found if match}) > 1:
        return None
    (top, left), (bottom, right) = places[0], places[-1]
    height, width = bottom - top + 1, right - left + 1
    expected = [(top + k // width, left + k % width) for k in range(len(names))] if height > 0 and width > 0 else []
    return (height, width) if places == expected else None
