"""What is predicted: classes or a quantity, and the way between labels and the network's outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from glassnet.data.column_values import (
    BOOLEAN,
    NUMBER,
    as_numbers,
    as_texts,
    codes_of,
    first_text,
    formatted_numbers,
    unit_of,
)
from glassnet.data.features import Matrix, Rows, listed, moments
from glassnet.errors import DataError, unknown_name

BINARY = "binary_classification"
CLASSES = "classification"
REGRESSION = "regression"
TASKS = ("auto", CLASSES, BINARY, REGRESSION)

MOST_CLASSES_OF_NUMBERS = 20
FEWEST_ROWS_A_CLASS = 5
MOST_NUMBERS_AS_CLASSES = 100

Label = str | int | float | bool


@dataclass(frozen=True)
class ClassTarget:
    """Labels. Two classes: one output, the probability of the second. More: one output a class, one-hot."""

    name: str
    classes: tuple[Label, ...]

    mean = 0.0
    std = 1.0

    @property
    def task(self) -> str:
        return BINARY if len(self.classes) == 2 else CLASSES

    @property
    def n_outputs(self) -> int:
        return 1 if len(self.classes) == 2 else len(self.classes)

    def encode(self, column: Any, dtype: str) -> Matrix:
        """Labels → Y, (m, 1) of 0 and 1, or one-hot (m, classes)."""
        if unit_of(column.type) is None:
            raise DataError(f"Target '{self.name}' arrived as {column.type}; it needs labels.")
        import pyarrow as pa

        codes = codes_of(column, as_texts(pa.array(list(self.classes))).to_pylist())
        if (codes < 0).any():
            row = int(np.argmax(codes < 0))
            if codes[row] == -1:
                raise DataError(f"Target '{self.name}' row {row + 1} is missing; leave such rows out (usable_rows).")
            raise DataError(
                f"Target '{self.name}' row {row + 1} is '{as_texts(column)[row].as_py()}', a class training never saw "
                f"(known: {listed(tuple(str(label) for label in self.classes))}); correct it, leave that row out, or "
                "retrain with such rows."
            )
        if self.n_outputs == 1:
            return codes.astype(dtype).reshape(-1, 1)
        Y = np.zeros((len(codes), self.n_outputs), dtype)
        Y[np.arange(len(codes)), codes] = 1
        return Y

    def decode(self, A: Matrix) -> Matrix:
        """Outputs (m, n_outputs) → labels (m,)."""
        A = _outputs(A, self.n_outputs)
        codes = (A[:, 0] >= 0.5).astype(int) if self.n_outputs == 1 else A.argmax(axis=1)
        labels: Matrix = np.array(self.classes)[codes]
        return labels

    def invert(self, A: Matrix) -> Matrix:
        return _outputs(A, self.n_outputs)


@dataclass(frozen=True)
class NumberTarget:
    """A quantity, standardised for training: Y = (y − mean) / std."""

    name: str
    mean: float
    std: float

    task = REGRESSION
    n_outputs = 1
    classes = None

    def encode(self, column: Any, dtype: str) -> Matrix:
        """Quantities → Y (m, 1), standardised."""
        values = target_numbers(column, self.name)
        if np.isnan(values).any():
            row = int(np.argmax(np.isnan(values)))
            raise DataError(f"Target '{self.name}' row {row + 1} is missing; leave such rows out (usable_rows).")
        return ((values - self.mean) / self.std).astype(dtype).reshape(-1, 1)

    def decode(self, A: Matrix) -> Matrix:
        """Outputs (m, 1) → predictions (m,) in the target's units."""
        return self.invert(A)[:, 0]

    def invert(self, A: Matrix) -> Matrix:
        units: Matrix = _outputs(A, 1).astype(np.float64) * self.std + self.mean
        return units


Target = ClassTarget | NumberTarget


def present_rows(column: Any) -> Rows:
    """Positions whose value is there: not null, not NaN."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return np.flatnonzero(np.asarray(pc.is_valid(column)) & ~np.asarray(pc.is_null(column, nan_is_null=True)))


def choose_task(column: Any, name: str, task: str, rows: Rows) -> tuple[str, str]:
    """Classification or regression, and the reason as a sentence.

    Text, booleans and categories are classes; numbers with fractions are quantities. Whole numbers are classes when
    there are two of them, or at most 20 with at least 5 rows each on average.

    Raises
    ------
    DataError : the task is unknown, or cannot be done with these values
    """
    if task not in TASKS:
        raise DataError(unknown_name("task", task, TASKS))
    unit = unit_of(column.type)
    if unit not in (NUMBER, BOOLEAN, "text"):
        raise DataError(f"Target '{name}' is a column of {column.type}; it needs numbers or labels: convert it.")
    if unit == "text":
        distinct = len(as_texts(column).take(rows).unique())
        kind = "text"
    else:
        values = target_numbers(column, name)[rows]
        distinct = len(np.unique(values))
        kind = "true or false" if unit == BOOLEAN else ("fractions" if (values % 1).any() else "whole numbers")
    if task == REGRESSION:
        target_numbers(column, name)
        return REGRESSION, f"Regression, as asked: '{name}' has {distinct} different values."
    many = distinct > len(rows) / 2 or (kind != "text" and distinct > MOST_NUMBERS_AS_CLASSES)
    if many and distinct > MOST_CLASSES_OF_NUMBERS and (task != "auto" or kind == "text"):
        stray = (_stray_text(column) or formatted_numbers(as_texts(column))) if kind == "text" else ""
        advice = "use task='regression'" if kind != "text" else "choose another target"
        raise DataError(
            f"Target '{name}' has {distinct} different values in {len(rows)} rows, too many for classes; "
            f"{stray or advice}."
        )
    if task == BINARY and distinct != 2:
        raise DataError(f"Target '{name}' has {distinct} classes; binary_classification needs two.")
    if task != "auto":
        return CLASSES, f"Classification, as asked: '{name}' has {distinct} classes."
    if kind in ("text", "true or false"):
        return CLASSES, f"Classification, because '{name}' is {kind}: {distinct} classes."
    if kind == "fractions":
        return REGRESSION, f"Regression, because '{name}' has numbers with fractions."
    if distinct <= 2 or (distinct <= MOST_CLASSES_OF_NUMBERS and distinct * FEWEST_ROWS_A_CLASS <= len(rows)):
        return CLASSES, (
            f"Classification, because '{name}' has only {distinct} different numbers in {len(rows)} rows; "
            "task='regression' treats it as a quantity."
        )
    return REGRESSION, (
        f"Regression, because '{name}' has {distinct} different whole numbers in {len(rows)} rows; "
        "task='classification' treats them as classes."
    )


def fit_target(
    column: Any, name: str, task: str, rows: Rows, present: Rows, words: Sequence[str] = ()
) -> tuple[Target, list[str]]:
    """The target's encoding and sentences about the choice made.

    Mean and standard deviation come from the training `rows`; the task and the list of classes from all rows that hold
    a value, `present`, so that a class which chance put among the test rows only is still a class. `words` are those
    taken as missing, as far as they are known.

    Raises
    ------
    DataError : too few rows, one class or one value only, an infinite value, values that do not suit the task
    """
    if len(rows) < 2:
        raise DataError(f"There is {len(rows)} row to train on; a network needs at least two, better hundreds.")
    chosen, reason = choose_task(column, name, task, present)
    if chosen == REGRESSION:
        values = target_numbers(column, name)[rows]
        if values.min() == values.max():
            raise DataError(f"Target '{name}' is {values[0]:g} in every row; there is nothing to predict.")
        return NumberTarget(name, *moments(values)), [
            reason,
            f"'{name}' is standardised for training; predictions and errors come in its own units.",
        ]
    plain = column.cast(column.type.value_type) if hasattr(column.type, "value_type") else column
    labels = sort_labels(plain.take(present).unique().to_pylist())
    if len(labels) < 2 or len(plain.take(rows).unique()) < 2:
        gaps = len(column) - len(present)
        listed_words = ", ".join(f"'{word}'" for word in words) or "such as NA or None, or nothing"
        without = f" ({gaps} rows with missing words, {listed_words}, were left out)" if gaps else ""
        raise DataError(
            f"Target '{name}' has one class only, '{plain[int(rows[0])].as_py()}', in {len(rows)} training "
            f"rows{without}; a classifier needs two or more."
        )
    target = ClassTarget(name, tuple(labels))
    notes = [reason]
    if len(labels) == 2:
        notes.append(f"The output is the probability that '{name}' is '{labels[1]}' (coded 1; '{labels[0]}' is 0).")
    return target, notes


def sort_labels(labels: Sequence[Any]) -> list[Label]:
    return sorted(label for label in labels if label is not None and label == label)


def target_numbers(column: Any, name: str) -> Matrix:
    """The target as float64, missing values as NaN.

    Raises
    ------
    DataError : a value is text or infinite
    """
    import pyarrow as pa

    unit = unit_of(column.type)
    if unit == "text":
        found = first_text(column)
        if found is not None:
            raise DataError(
                f"Target '{name}' row {found[0]} is '{found[1]}'; regression needs numbers: correct it, leave it "
                "empty, or use task='classification'."
            )
        column = as_texts(column).cast(pa.float64())
    elif unit not in (NUMBER, BOOLEAN):
        raise DataError(f"Target '{name}' arrived as {column.type}; it needs numbers: convert it.")
    values = as_numbers(column, NUMBER)
    if np.isinf(values).any():
        row = int(np.argmax(np.isinf(values)))
        raise DataError(f"Target '{name}' row {row + 1} is infinite; correct it, or leave it empty to leave it out.")
    return values


def _stray_text(column: Any) -> str:
    """For a target that is text because of a few values among numbers."""
    import pyarrow.compute as pc

    texts = as_texts(column).drop_null()
    numeric = pc.sum(pc.match_substring_regex(texts, r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$")).as_py()
    found = first_text(column)
    if found is None or numeric <= len(texts) / 2:
        return ""
    return f"it is text because of values like '{found[1]}' in row {found[0]}: correct them, then use task='regression'"


def _outputs(A: Any, n_outputs: int) -> Matrix:
    outputs: Matrix = np.asarray(A)
    if outputs.ndim == 1 and n_outputs == 1:
        outputs = outputs.reshape(-1, 1)
    if outputs.ndim != 2 or outputs.shape[1] != n_outputs:
        raise DataError(f"Outputs of shape {outputs.shape} cannot be decoded; this target needs (m, {n_outputs}).")
    return outputs
