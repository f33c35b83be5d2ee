"""From the raw table to the network's numbers and back: learnt once on the training rows, kept in the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from glassnet.data.column_values import as_numbers, unit_of
from glassnet.data.columns import find_column, missing_columns
from glassnet.data.features import CategoricalFeature, Feature, Matrix, NumericFeature, Rows, fit_feature
from glassnet.data.remarks import missing_words
from glassnet.data.tables import read_table
from glassnet.data.target_records import target_from_dict, target_to_dict
from glassnet.data.targets import choose_task, fit_target, present_rows
from glassnet.data.with_target import WithTarget
from glassnet.errors import DataError, unknown_name

DTYPES = ("float64", "float32")
UNSEEN = ("error", "ignore")
ROW_NUMBERS = frozenset({"column1", "", "id", "index", "row", "rownames", "row_names", "unnamed: 0"})


def usable_rows(table: Any, target: str | int) -> Rows:
    """Positions of the rows whose target is there.

    Raises
    ------
    DataError : no such column; the target is missing in every row
    """
    table = read_table(table)
    name = find_column(table.column_names, target)
    rows = present_rows(table.column(name))
    if len(rows) == 0:
        raise DataError(f"Target '{name}' is missing in all {table.num_rows} rows; choose another target.")
    return rows


def task_of(table: Any, target: str | int, task: str = "auto") -> str:
    """What `Preparation.fit` would train for: "classification" (of two or more classes) or "regression".

    Raises
    ------
    DataError : as for `Preparation.fit`
    """
    table = read_table(table)
    name = find_column(table.column_names, target)
    return choose_task(table.column(name), name, task, usable_rows(table, name))[0]


@dataclass(frozen=True)
class Preparation(WithTarget):
    """How a table becomes X and Y, and outputs become labels.

    Numbers are standardised with the mean and standard deviation (ddof = 0) of the training rows, texts are one-hot
    encoded, missing values replaced by the median or the most frequent text; a regression target is standardised.
    `notes` says in sentences what was decided and why.
    """

    features: list[Feature]
    notes: list[str]
    dtype: str = "float64"

    @classmethod
    def fit(
        cls,
        table: Any,
        target: str | int,
        *,
        task: str = "auto",
        features: Sequence[str] | None = None,
        drop: Sequence[str] = (),
        standardise: bool = True,
        dtype: str = "float64",
        rows: Any = None,
    ) -> Preparation:
        """Learn the preparation of a table.

        Parameters
        ----------
        table : pyarrow.Table, or whatever `read_table` takes
        target : the column to predict
        task : "auto", "classification", "binary_classification" or "regression"
        features : the columns to use; all others when None, less those that look like identifiers
        drop : columns not to use
        standardise : False leaves numeric features in their own units
        dtype : of X and Y, "float64" or "float32"
        rows : positions of the training rows, the only ones statistics are computed from; all when None. Rows whose
            target is missing are left out

        Raises
        ------
        DataError : an unknown column, task or dtype; the target among the features, missing in every row, infinite, of
            one class or one value; fewer than two rows; an infinite feature; no feature left
        """
        table = read_table(table)
        check_dtype(dtype)
        name = find_column(table.column_names, target)
        chosen = _chosen(table.column_names, name, features, drop)
        present = usable_rows(table, name)
        training = present if rows is None else np.intersect1d(check_rows(rows, table.num_rows), present)
        words = missing_words(table, name)
        encoding, notes = fit_target(table.column(name), name, task, training, present, list(words))
        gaps = table.num_rows - len(present)
        if gaps:
            notes.append(f"{gaps} of {table.num_rows} rows have no '{name}' and are left out.")
        if words and encoding.classes is not None:
            counted = ", ".join(f"'{word}' ({count} times)" for word, count in words.items())
            notes.append(
                f"'{name}' holds {counted}, read as missing; if that is a class, give it another word, or pass missing= to "
                "read_table."
            )
        taken = None if len(training) == table.num_rows else training
        fitted: list[Feature] = []
        left_out: list[str] = []
        for column in chosen:
            values = table.column(column)
            if features is None and column == table.column_names[0] and _numbers_the_rows(column, values):
                feature, said = None, [f"'{column}' is left out: it numbers the rows."]
            else:
                feature, said = fit_feature(values, column, taken, standardise=standardise, wanted=features is not None)
            notes.extend(said)
            if feature is None:
                left_out.append(said[-1].rstrip("."))
            else:
                fitted.append(feature)
        if not fitted:
            reasons = "; ".join(left_out) or f"'{name}' is the only column"
            raise DataError(f"No column is left to predict '{name}' from ({reasons}); add one that varies.")
        return cls(encoding, fitted, notes, dtype)

    @property
    def n_inputs(self) -> int:
        return len(self.input_names)

    @property
    def input_names(self) -> list[str]:
        """One name a column of X, such as "wt" or "species=setosa"."""
        return [name for feature in self.features for name in feature.input_names]

    @property
    def text_columns(self) -> list[str]:
        """Columns `read_table` should keep as text, so that a code such as 007 stays what it was in training."""
        return [feature.name for feature in self.features if isinstance(feature, CategoricalFeature)]

    def transform(self, table: Any, *, unseen: Literal["error", "ignore"] = "error") -> Matrix:
        """The network's inputs, X (m, n_inputs), from a table with columns in any order; further columns are ignored.

        Parameters
        ----------
        unseen : what to do about a category that training never saw: "error", or "ignore" to encode it as none

        Raises
        ------
        DataError : columns are missing, hold text where training had numbers, infinity, or a category never seen
        """
        if unseen not in UNSEEN:
            raise DataError(unknown_name("policy for unseen categories", unseen, UNSEEN))
        table = self._complete(table)
        X = np.zeros((table.num_rows, self.n_inputs), self.dtype)
        start = 0
        for feature in self.features:
            width = len(feature.input_names)
            feature.encode(table.column(feature.name), X[:, start : start + width], unseen)
            start += width
        return X

    def imputation_notes(self, table: Any) -> list[str]:
        """A sentence for each feature with missing values in this table: how many `transform` replaces, and by what."""
        table = self._complete(table)
        notes = []
        for feature in self.features:
            column = table.column(feature.name)
            missing = table.num_rows - len(present_rows(column))
            if missing:
                fill = f"{feature.fill:g}" if isinstance(feature, NumericFeature) else f"'{feature.fill}'"
                notes.append(f"'{feature.name}': {missing} missing of {table.num_rows} values, replaced by {fill}.")
        return notes

    def _complete(self, table: Any) -> Any:
        table = read_table(table)
        problem = missing_columns(table.column_names, [feature.name for feature in self.features])
        if problem:
            raise DataError(problem)
        return table

    def transform_target(self, table: Any) -> Matrix:
        """The targets, Y: (m, 1) of 0 and 1, one-hot (m, k), or (m, 1) standardised.

        Raises
        ------
        DataError : no such column; a value is missing, infinite, text for a regression, or a class never seen
        """
        table = read_table(table)
        return self.target_encoding.encode(table.column(find_column(table.column_names, self.target)), self.dtype)

    def describe(self) -> str:
        """A table of the inputs: name, kind, what is done."""
        lines = [("column", "kind", "what is done"), *(feature.describe() for feature in self.features)]
        widths = [max(len(line[column]) for line in lines) for column in range(2)]
        return "\n".join(f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c}" for a, b, c in lines)

    def to_dict(self) -> dict[str, Any]:
        """Everything, as values JSON can hold; `from_dict` gives back an equal preparation."""
        return {
            "kind": "table",
            "dtype": self.dtype,
            "target": target_to_dict(self.target_encoding),
            "features": [_feature_to_dict(feature) for feature in self.features],
            "notes": list(self.notes),
        }

    @classmethod
    def from_dict(cls, d: dict[str, Any]) -> Preparation:
        """The preparation that `to_dict` described.

        Raises
        ------
        DataError : the description is not one
        """
        try:
            features = [_feature_from_dict(item) for item in d["features"]]
            return cls(target_from_dict(d["target"]), features, [str(note) for note in d["notes"]], d["dtype"])
        except (KeyError, TypeError) as error:
            raise DataError(f"This is not the description of a preparation ({error!r}); train again.") from None


def check_rows(rows: Any, count: int) -> Rows:
    """Row positions as a sorted integer array without repetitions."""
    chosen = np.asarray(rows)
    if chosen.ndim != 1 or (chosen.dtype.kind not in "iu" and len(chosen)):
        raise DataError(f"rows of shape {chosen.shape} and type {chosen.dtype} cannot be used; pass whole positions.")
    if len(chosen) and (chosen.min() < 0 or chosen.max() >= count):
        raise DataError(f"rows go from {chosen.min()} to {chosen.max()}; the table has positions 0 to {count - 1}.")
    return np.unique(chosen.astype(np.int64))


def check_dtype(dtype: str) -> None:
    if dtype not in DTYPES:
        raise DataError(unknown_name("dtype", dtype, DTYPES))


def _chosen(names: list[str], target: str, features: Sequence[str] | None, drop: Sequence[str]) -> list[str]:
    dropped = {find_column(names, name) for name in drop}
    if features is None:
        return [name for name in names if name != target and name not in dropped]
    found = [find_column(names, name) for name in features]
    if target in found:
        raise DataError(f"'{target}' is the target and also among the features; leave it out of one of the two.")
    return [name for name in dict.fromkeys(found) if name not in dropped]


def _numbers_the_rows(name: str, column: Any) -> bool:
    import pyarrow as pa

    if name.lower() not in ROW_NUMBERS or unit_of(column.type) != "number" or pa.types.is_null(column.type):
        return False
    values = as_numbers(column, "number")
    return len(values) > 1 and values[0] in (0, 1) and bool(np.all(np.diff(values) == 1))


def _feature_to_dict(feature: Feature) -> dict[str, Any]:
    if isinstance(feature, NumericFeature):
        return {"kind": "numeric", **asdict(feature)}
    return {"kind": "categorical", **asdict(feature), "categories": list(feature.categories)}


def _feature_from_dict(d: dict[str, Any]) -> Feature:
    fields = {key: value for key, value in d.items() if key != "kind"}
    if d["kind"] == "numeric":
        return NumericFeature(**fields)
    return CategoricalFeature(**{**fields, "categories": tuple(fields["categories"])})
