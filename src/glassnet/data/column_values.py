"""A column's values as numbers or as texts, whatever Arrow type they arrived in.

Missing numbers are NaN here, wherever they came from; missing texts are null.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from glassnet.errors import DataError

Floats = np.ndarray[Any, np.dtype[np.float64]]

# What a number in each kind of column counts. Text has no unit.
NUMBER = "number"
BOOLEAN = "0 or 1"
DATE = "days since 1970-01-01"
TIME = "seconds since midnight"
DURATION = "seconds"


def unit_of(kind: Any) -> str | None:
    """What a column's numbers count, "text" for categories, None for what cannot be a feature (lists, bytes, ...)."""
    import pyarrow.types as types

    if types.is_boolean(kind):
        return BOOLEAN
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind) or types.is_null(kind):
        return NUMBER
    if types.is_date(kind) or types.is_timestamp(kind):
        return DATE
    if types.is_time(kind):
        return TIME
    if types.is_duration(kind):
        return DURATION
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return "text"
    if types.is_dictionary(kind):
        return "text" if unit_of(kind.value_type) is not None else None
    return None


def as_numbers(column: Any, unit: str) -> Floats:
    """The column as float64 in `unit`, missing values as NaN.

    Raises
    ------
    DataError : the values are not numbers of that unit
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if unit in (NUMBER, BOOLEAN):
        if pa.types.is_boolean(kind):
            column = column.cast(pa.uint8())
        numbers = pc.cast(column, pa.float64(), safe=False)
        scale = 1.0
    elif unit == DATE:
        numbers = column.cast(pa.timestamp("us", tz=getattr(kind, "tz", None))).cast(pa.int64()).cast(pa.float64())
        scale = 86_400e6
    elif unit == TIME:
        numbers = column.cast(pa.time64("us")).cast(pa.int64()).cast(pa.float64())
        scale = 1e6
    elif unit == DURATION:
        numbers = column.cast(pa.duration("us"), safe=False).cast(pa.int64()).cast(pa.float64())
        scale = 1e6
    else:
        raise DataError(f"'{unit}' is not a unit of numbers.")
    if numbers.null_count:
        numbers = pc.fill_null(numbers, float("nan"))
    values: Floats = (
        numbers.to_numpy() if isinstance(numbers, pa.ChunkedArray) else numbers.to_numpy(zero_copy_only=False)
    )
    return values if scale == 1.0 else values / scale


def as_texts(column: Any) -> Any:
    """The column as an Arrow string column, in which 1, 1.0 and "1" are the same text; dictionaries are unpacked."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), None, column).cast(pa.string())
        return pc.replace_substring_regex(column, r"\.0$", "")
    return column if pa.types.is_string(column.type) else column.cast(pa.string())


def codes_of(column: Any, known: Sequence[str]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The position of each value among the `known` texts; −1 for missing ones, −2 for unknown ones."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = as_texts(column)
    if pa.types.is_boolean(column.type):  # true is the same as "True" and "TRUE"
        known = [text.lower() for text in known]
    found = pc.fill_null(pc.index_in(texts, value_set=pa.array(list(known), pa.string())), -2)
    codes = pc.if_else(pc.is_null(texts), -1, found)
    return np.asarray(codes).astype(np.int64)


def first_text(column: Any) -> tuple[int, str] | None:
    """(data row from 1, value) of the first text that is no number, None when every text is one."""
    import pyarrow.compute as pc

    texts = pc.fill_null(as_texts(column), "0")
    bad = pc.invert(pc.match_substring_regex(texts, r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$"))
    row = pc.index(bad, True).as_py()
    return None if row < 0 else (row + 1, texts[row].as_py())


def formatted_numbers(column: Any) -> str:
    """For a column of texts most of which are numbers written with ',' or '%': that, and what to do; else nothing."""
    import pyarrow.compute as pc

    texts = column.drop_null()
    written = pc.match_substring_regex(texts, r"^\s*[+-]?\d[\d.,]*\s*%?\s*$")
    marked = pc.and_(written, pc.match_substring_regex(texts, "[,%]"))
    first = pc.index(marked, True).as_py()
    if first < 0 or 2 * (pc.sum(written).as_py() or 0) <= len(texts):
        return ""
    return (
        f"its values look like numbers written with ',' or '%', such as '{texts[first].as_py()}': write them plainly, "
        "like 1000, 1.5 or 0.05"
    )
