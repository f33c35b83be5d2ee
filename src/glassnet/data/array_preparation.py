"""The preparation of arrays, such as images, with the same methods as that of tables."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from glassnet.data.features import Matrix, moments
from glassnet.data.preparation import Preparation, check_dtype, check_rows
from glassnet.data.target_records import target_from_dict, target_to_dict
from glassnet.data.targets import fit_target, present_rows
from glassnet.data.with_target import WithTarget
from glassnet.errors import DataError


@dataclass(frozen=True)
class ArrayPreparation(WithTarget):
    """How an array of samples becomes X (m, features), (value − offset) / scale for every value alike.

    Bytes (uint8) are divided by 255; other numbers are standardised with one mean and one standard deviation for all,
    unless they already lie between −1 and 1.
    """

    sample_shape: tuple[int, ...]
    offset: float
    scale: float
    notes: list[str]
    dtype: str = "float64"

    @classmethod
    def fit(
        cls, X: Any, y: Any, *, task: str = "auto", rows: Any = None, dtype: str = "float64", target: str = "label"
    ) -> ArrayPreparation:
        """Learn the preparation of an array.

        Parameters
        ----------
        X : (m, ...) numbers, one sample a row; further axes are flattened in C order
        y : (m,) labels or quantities
        task, rows, dtype : as for `Preparation.fit`
        target : what `y` is called in messages

        Raises
        ------
        DataError : shapes that do not fit, values that are no finite numbers; and as for `Preparation.fit`
        """
        check_dtype(dtype)
        X = _numbers(X)
        column = _labels(y)
        if len(column) != len(X):
            raise DataError(f"There are {len(X)} samples and {len(column)} labels; each sample needs one label.")
        present = present_rows(column)
        if len(present) == 0:
            raise DataError(f"Target '{target}' is missing in all {len(X)} rows; choose another target.")
        training = present if rows is None else np.intersect1d(check_rows(rows, len(X)), present)
        encoding, notes = fit_target(column, target, task, training, present)
        if len(present) < len(X):
            notes.append(f"{len(X) - len(present)} of {len(X)} rows have no '{target}' and are left out.")
        shape = X.shape[1:]
        if len(shape) > 1:
            notes.append(f"Each sample of {' × '.join(map(str, shape))} values is one row of {math.prod(shape)}.")
        if X.dtype == np.uint8:
            notes.append("Bytes are divided by 255, so that inputs lie between 0 and 1.")
            return cls(encoding, shape, 0.0, 255.0, notes, dtype)
        chosen = X if len(training) == len(X) else X[training]
        _refuse_non_finite(chosen)
        if abs(chosen).max() <= 1:
            return cls(encoding, shape, 0.0, 1.0, notes, dtype)
        offset, scale = moments(chosen.astype(np.float64, copy=False))
        if scale == 0:
            raise DataError(f"Every value of X is {offset:g}; there is nothing to predict '{target}' from.")
        notes.append(f"All inputs are standardised alike: (value − {offset:.6g}) / {scale:.6g}.")
        return cls(encoding, shape, offset, scale, notes, dtype)

    @property
    def n_inputs(self) -> int:
        return math.prod(self.sample_shape)

    @property
    def input_names(self) -> list[str]:
        """x1, x2, ..., in C order."""
        return [f"x{number}" for number in range(1, self.n_inputs + 1)]

    @property
    def text_columns(self) -> list[str]:
        """None: an array has no text."""
        return []

    def transform(self, table: Any, *, unseen: str = "error") -> Matrix:
        """X (m, n_inputs) from an array (m, ...) of the training's shape, or already flattened.

        Raises
        ------
        DataError : another shape, or values that are no finite numbers
        """
        array = _numbers(table)
        if array.shape[1:] not in (self.sample_shape, (self.n_inputs,)):
            wanted = ", ".join(str(size) for size in self.sample_shape)
            raise DataError(f"The array has shape {array.shape}; the network was trained on (samples, {wanted}).")
        _refuse_non_finite(array)
        X = np.empty((len(array), self.n_inputs), self.dtype)
        np.subtract(array.reshape(X.shape), self.offset, out=X, casting="same_kind")
        X /= self.scale
        return X

    def imputation_notes(self, table: Any) -> list[str]:
        """None: missing values in arrays are refused."""
        return []

    def transform_target(self, y: Any) -> Matrix:
        """Y from labels or quantities (m,); see `Preparation.transform_target`."""
        return self.target_encoding.encode(_labels(y), self.dtype)

    def describe(self) -> str:
        """One line: the shape of a sample and what is done to its values."""
        shape = " × ".join(map(str, self.sample_shape))
        return f"{shape} values a sample, each (value − {self.offset:.6g}) / {self.scale:.6g}"

    def to_dict(self) -> dict[str, Any]:
        """Everything, as values JSON can hold; `from_dict` gives back an equal preparation."""
        return {
            "kind": "array",
            "dtype": self.dtype,
            "target": target_to_dict(self.target_encoding),
            "sample_shape": list(self.sample_shape),
            "offset": self.offset,
            "scale": self.scale,
            "notes": list(self.notes),
        }

    @classmethod
    def from_dict(cls, d: dict[str, Any]) -> ArrayPreparation:
        """The preparation that `to_dict` described.

        Raises
        ------
        DataError : the description is not one
        """
        try:
            shape = tuple(int(size) for size in d["sample_shape"])
            notes = [str(note) for note in d["notes"]]
            return cls(target_from_dict(d["target"]), shape, d["offset"], d["scale"], notes, d["dtype"])
        except (KeyError, TypeError) as error:
            raise DataError(f"This is not the description of a preparation ({error!r}); train again.") from None


def preparation_from_dict(d: dict[str, Any]) -> Preparation | ArrayPreparation:
    """The preparation, of a table or an array, that `to_dict` described.

    Raises
    ------
    DataError : the description is of neither
    """
    kind = d.get("kind")
    if kind == "table":
        return Preparation.from_dict(d)
    if kind == "array":
        return ArrayPreparation.from_dict(d)
    raise DataError(f"A preparation of kind {kind!r} is not known; it needs to be 'table' or 'array'.")


def _numbers(X: Any) -> Matrix:
    array: Matrix = np.asarray(X)
    if array.ndim < 2 or array.dtype.kind not in "uifb":
        raise DataError(
            f"An array of shape {array.shape} and type {array.dtype} cannot be X; it needs numbers (samples, ...)."
        )
    return array.astype(np.uint8) * np.uint8(255) if array.dtype.kind == "b" else array


def _labels(y: Any) -> Any:
    import pyarrow as pa

    labels = np.asarray(y)
    if labels.ndim == 2 and 1 in labels.shape:
        labels = labels.reshape(-1)
    if labels.ndim != 1:
        raise DataError(f"Labels of shape {labels.shape} cannot be used; pass one label a sample.")
    column = pa.array(labels.tolist() if labels.dtype.kind in "OS" else labels)
    return pa.chunked_array([column])


def _refuse_non_finite(X: Matrix) -> None:
    if X.dtype.kind == "f" and not np.isfinite(X).all():
        row = int(np.argmax(~np.isfinite(X).reshape(len(X), -1).all(axis=1)))
        raise DataError(f"Sample {row + 1} of X holds NaN or infinity; a network needs finite numbers: correct it.")
