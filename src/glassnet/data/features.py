"""One column of a table and the inputs of the network it becomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from glassnet.data.column_values import NUMBER, as_numbers, as_texts, codes_of, first_text, formatted_numbers, unit_of
from glassnet.errors import DataError

MOST_CATEGORIES = 50
FEWEST_ROWS_OF_AN_IDENTIFIER = 10

Matrix = np.ndarray[Any, Any]
Rows = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class NumericFeature:
    """A column of numbers, which becomes (value − mean) / std. Missing values become `fill` first.

    `unit` says what the numbers count: "number", "0 or 1" (booleans), "days since 1970-01-01", ...
    """

    name: str
    mean: float
    std: float
    fill: float
    unit: str = NUMBER

    @property
    def input_names(self) -> list[str]:
        return [self.name]

    def encode(self, column: Any, out: Matrix, unseen: str) -> None:
        """Write the standardised column into `out` (m, 1).

        Raises
        ------
        DataError : a value is text or infinite
        """
        values = as_numbers(_numeric(column, self.name, self.unit), self.unit)
        refuse_infinite(values, self.name)
        gaps = np.isnan(values)
        if gaps.any():
            values = np.where(gaps, self.fill, values)
        np.divide(values - self.mean, self.std, out=out[:, 0], casting="same_kind")

    def describe(self) -> tuple[str, str, str]:
        kind = "number" if self.unit == NUMBER else f"number ({self.unit})"
        done = "as it is" if self.mean == 0 and self.std == 1 else f"(value − {self.mean:.6g}) / {self.std:.6g}"
        return self.name, kind, f"{done}; missing: {self.fill:.6g}"


@dataclass(frozen=True)
class CategoricalFeature:
    """A column of texts, which becomes one 0/1 input a category. Missing values become `fill` first.

    When `other` is set, it names one more input, for all categories that are not listed.
    """

    name: str
    categories: tuple[str, ...]
    fill: str
    other: str | None = None

    @property
    def input_names(self) -> list[str]:
        names = self.categories if self.other is None else (*self.categories, self.other)
        return [f"{self.name}={category}" for category in names]

    def encode(self, column: Any, out: Matrix, unseen: str) -> None:
        """Write the 0/1 inputs into `out` (m, categories), which holds zeros.

        Raises
        ------
        DataError : a category that training never saw, when `unseen` is "error"
        """
        if unit_of(column.type) is None:
            raise DataError(f"Column '{self.name}' arrived as {column.type}; it needs text.")
        codes = codes_of(column, self.categories)
        if self.fill in self.categories:
            fill = self.categories.index(self.fill)
        else:
            fill = len(self.categories)
        codes = np.where(codes == -1, fill, codes)
        strangers = codes == -2
        if self.other is not None:
            codes[strangers] = len(self.categories)
        elif unseen == "error" and strangers.any():
            row = int(np.argmax(strangers))
            raise DataError(
                f"Column '{self.name}' row {row + 1} is '{as_texts(column)[row].as_py()}', a category training never "
                f"saw (known: {listed(self.categories)}); retrain with such rows, or pass unseen='ignore' (command "
                "line: --unseen ignore) to encode it as none of them."
            )
        rows = np.flatnonzero(codes >= 0)
        out[rows, codes[rows]] = 1

    def describe(self) -> tuple[str, str, str]:
        count = f"{len(self.categories)} categories" + (" and the rest" if self.other is not None else "")
        return self.name, count, f"one 0/1 input each ({listed(self.categories, 6)}); missing: {self.fill}"


Feature = NumericFeature | CategoricalFeature


def fit_feature(
    column: Any, name: str, rows: Rows | None, *, standardise: bool, wanted: bool
) -> tuple[Feature | None, list[str]]:
    """What to do with one column, learnt from its training rows, and sentences about what is not obvious.

    Parameters
    ----------
    column : pyarrow.ChunkedArray
    rows : training rows, None for all
    standardise : False leaves numbers in their own units
    wanted : the person named this column, so it is kept even if it looks like an identifier

    Returns
    -------
    (the feature, or None when the column is left out; notes)
    """
    unit = unit_of(column.type)
    if unit is None:
        return None, [f"'{name}' is left out: a column of {column.type} cannot be an input."]
    if unit == "text":
        return _fit_categories(column if rows is None else column.take(rows), name, wanted)
    values = as_numbers(column, unit)
    if rows is not None:
        values = values[rows]
    refuse_infinite(values, name, rows)
    return _fit_numbers(values, name, unit, standardise)


def _fit_numbers(values: Matrix, name: str, unit: str, standardise: bool) -> tuple[Feature | None, list[str]]:
    gaps = np.isnan(values)
    missing = int(np.count_nonzero(gaps))
    if missing == len(values):
        return None, [f"'{name}' is left out: it has no values in the training rows."]
    present = values[~gaps] if missing else values
    if present.min() == present.max():
        return None, [f"'{name}' is left out: it is {present[0]:g} in every training row."]
    notes = []
    if unit != NUMBER:
        notes.append(f"'{name}' is used as a number: {unit}.")
    fill = float(np.median(present))
    if missing:
        notes.append(f"'{name}': {missing} missing of {len(values)} training values, replaced by the median, {fill:g}.")
    mean, std = 0.0, 1.0
    if standardise:
        mean, std = moments(np.where(gaps, fill, values) if missing else values)
    if std == 0:
        return None, [f"'{name}' is left out: its training values differ by less than a number can hold."]
    return NumericFeature(name, mean, std, fill, unit), notes


def _fit_categories(column: Any, name: str, wanted: bool) -> tuple[Feature | None, list[str]]:
    import pyarrow.compute as pc

    texts = as_texts(column)
    present = len(texts) - texts.null_count
    if present == 0:
        return None, [f"'{name}' is left out: it has no values in the training rows."]
    tally = pc.value_counts(texts.drop_null())
    counts = dict(zip(tally.field("values").to_pylist(), tally.field("counts").to_pylist(), strict=True))
    formatted = formatted_numbers(texts)
    notes = [] if formatted else _numbers_among(texts, name, present)
    if len(counts) > 0.9 * present and present >= FEWEST_ROWS_OF_AN_IDENTIFIER and not wanted:
        if formatted:
            return None, [f"'{name}' is left out: {formatted}."]
        return None, [
            *notes,
            f"'{name}' is left out: {len(counts)} different texts in {present} rows look like an identifier.",
        ]
    if formatted:
        notes.append(f"'{name}' is used as text, but {formatted}.")
    if len(counts) == 1:
        return None, [f"'{name}' is left out: it is '{next(iter(counts))}' in every training row."]
    frequent = sorted(counts, key=lambda text: (-counts[text], text))
    fill = frequent[0]
    other = None
    if len(frequent) > MOST_CATEGORIES:
        other = "other"
        while other in counts:
            other += "_"
        notes.append(
            f"'{name}' has {len(frequent)} categories: the {MOST_CATEGORIES} most frequent have an input each, the "
            f"rest share '{name}={other}'."
        )
        frequent = frequent[:MOST_CATEGORIES]
    if texts.null_count:
        notes.append(
            f"'{name}': {texts.null_count} missing of {len(texts)} training values, replaced by the most frequent, "
            f"'{fill}'."
        )
    return CategoricalFeature(name, tuple(sorted(frequent)), fill, other), notes


def _numbers_among(texts: Any, name: str, present: int) -> list[str]:
    """A note when a column is text only because of a few values among numbers."""
    import pyarrow.compute as pc

    numeric = pc.match_substring_regex(texts, r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$")
    strays = present - (pc.sum(numeric).as_py() or 0)
    if not 0 < strays < present / 2:
        return []
    found = first_text(texts)
    value = found[1] if found else ""
    return [
        f"'{name}' is text because {strays} of {present} values are no numbers, such as '{value}'; if it should be a "
        "number, correct them or declare them missing."
    ]


def moments(values: Matrix) -> tuple[float, float]:
    """Mean and standard deviation (ddof = 0), also for numbers whose squares would overflow or vanish."""
    largest = float(np.abs(values).max())
    if 1e-140 < largest < 1e140:
        return float(values.mean()), float(values.std())
    scale = float(2.0 ** np.clip(np.frexp(largest)[1], -1021, 1021))
    scaled = values / scale
    return float(scaled.mean()) * scale, float(scaled.std()) * scale


def refuse_infinite(values: Matrix, name: str, rows: Rows | None = None) -> None:
    """Raise DataError, naming the data row, when a value is infinite."""
    infinite = np.isinf(values)
    if infinite.any():
        position = int(np.argmax(infinite))
        row = position if rows is None else int(rows[position])
        raise DataError(
            f"Column '{name}' row {row + 1} is infinite; a network needs finite numbers: correct it, or leave it empty "
            "to have it replaced."
        )


def listed(names: tuple[str, ...], most: int = 20) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(str(name) for name in names[:most]) + more


def _numeric(column: Any, name: str, unit: str) -> Any:
    """The column, once its type suits `unit`; texts that are all numbers are converted."""
    import pyarrow as pa

    arrived = unit_of(column.type)
    if arrived == unit or (unit == "0 or 1" and arrived == NUMBER) or (unit == NUMBER and arrived == "0 or 1"):
        return column
    if pa.types.is_null(column.type):
        return column.cast(pa.timestamp("us")) if unit.startswith("days") else _nothing(column, unit)
    if arrived == "text" and unit in (NUMBER, "0 or 1"):
        found = first_text(column)
        if found is not None:
            raise DataError(
                f"Column '{name}' row {found[0]} is '{found[1]}'; the network was trained on numbers there: correct "
                "it, or leave it empty to have it replaced."
            )
        return as_texts(column).cast(pa.float64())
    raise DataError(f"Column '{name}' arrived as {column.type}; the network was trained on {unit} there: convert it.")


def _nothing(column: Any, unit: str) -> Any:
    import pyarrow as pa

    return column.cast(
        {"seconds since midnight": pa.time64("us"), "seconds": pa.duration("us")}.get(unit, pa.float64())
    )
