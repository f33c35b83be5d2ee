"""The preparation of arrays, such as pictures, with the same methods as that of tables."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.data.arrays import is_array_source
from glassnet.data.features import Matrix, moments
from glassnet.data.picture_arrays import channels_first, picture_layout
from glassnet.data.preparation import Preparation, check_dtype, check_rows
from glassnet.data.samples import PictureOptions, Samples, read_samples
from glassnet.data.target_records import target_from_dict, target_to_dict
from glassnet.data.targets import fit_target, present_rows
from glassnet.data.with_target import WithTarget
from glassnet.errors import DataError


@dataclass(frozen=True)
class ArrayPreparation(WithTarget):
    """How an array of samples becomes X, (value − offset) / scale for every value alike.

    Bytes (uint8) are divided by 255; other numbers are standardised with one mean and one standard deviation for all,
    unless they already lie between −1 and 1. X is (m, features); for a network of images it is
    (m, channels, height, width).

    Attributes
    ----------
    sample_shape : of one sample as it comes
    layout : "rows", or where a picture's channels are: "grey" (nowhere), "first" or "last"
    fitting : how pictures were resized ("stretch", "crop", "pad"); empty for an array that was taken as it is
    """

    sample_shape: tuple[int, ...]
    offset: float
    scale: float
    notes: list[str]
    dtype: str = "float64"
    layout: str = "rows"
    fitting: str = ""

    @classmethod
    def fit(
        cls,
        X: Any,
        y: Any,
        *,
        task: str = "auto",
        rows: Any = None,
        dtype: str = "float64",
        target: str = "label",
        pictures: bool = False,
        fitting: str = "",
    ) -> ArrayPreparation:
        """Learn the preparation of an array.

        Parameters
        ----------
        X : (m, ...) numbers, one sample a row; further axes are flattened in C order, unless they are `pictures`
        y : (m,) labels or quantities
        task, rows, dtype : as for `Preparation.fit`
        target : what `y` is called in messages
        pictures : whether a network of images is to take them: (m, h, w), (m, h, w, channels) or (m, channels, h, w)
        fitting : how the pictures were resized, so that others can be

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
        layout = "rows"
        if pictures:
            layout, (channels, high, wide) = picture_layout(shape, "first" if fitting else "auto", X.shape)
            colours = "grey" if channels == 1 else f"{channels} channels"
            notes.append(f"Each sample is a picture, {colours}, {high} × {wide}.")
        elif len(shape) > 1:
            notes.append(f"Each sample of {' × '.join(map(str, shape))} values is one row of {math.prod(shape)}.")
        if X.dtype == np.uint8:
            notes.append("Bytes are divided by 255, so that inputs lie between 0 and 1.")
            return cls(encoding, shape, 0.0, 255.0, notes, dtype, layout, fitting)
        chosen = X if len(training) == len(X) else X[training]
        _refuse_non_finite(chosen)
        if abs(chosen).max() <= 1:
            return cls(encoding, shape, 0.0, 1.0, notes, dtype, layout, fitting)
        offset, scale = moments(chosen.astype(np.float64, copy=False))
        if scale == 0:
            raise DataError(f"Every value of X is {offset:g}; there is nothing to predict '{target}' from.")
        notes.append(f"All inputs are standardised alike: (value − {offset:.6g}) / {scale:.6g}.")
        return cls(encoding, shape, offset, scale, notes, dtype, layout, fitting)

    @property
    def n_inputs(self) -> int:
        return math.prod(self.sample_shape)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one sample of X: (features,), or (channels, height, width)."""
        return (self.n_inputs,) if self.layout == "rows" else picture_layout(self.sample_shape, self.layout)[1]

    @property
    def input_names(self) -> list[str]:
        """x1, x2, ..., in C order."""
        return [f"x{number}" for number in range(1, self.n_inputs + 1)]

    @property
    def text_columns(self) -> list[str]:
        """None: an array has no text."""
        return []

    def transform(self, table: Any, *, unseen: str = "error") -> Matrix:
        """X (m, *input_shape) from an array (m, ...) of the training's shape, or already flattened.

        Raises
        ------
        DataError : another shape, or values that are no finite numbers
        """
        array = _numbers(table)
        if array.shape[1:] not in (self.sample_shape, (self.n_inputs,)):
            wanted = ", ".join(str(size) for size in self.sample_shape)
            raise DataError(f"The array has shape {array.shape}; the network was trained on (samples, {wanted}).")
        _refuse_non_finite(array)
        X = np.empty((len(array), *self.input_shape), self.dtype)
        if self.layout == "rows":
            array = array.reshape(X.shape)
        else:
            array = channels_first(array.reshape(len(array), *self.sample_shape), self.layout)
        np.subtract(array, self.offset, out=X, casting="same_kind")
        X /= self.scale
        return X

    @property
    def _picture_layout(self) -> str:
        """Where a sample's channels are, also where it becomes a row; what was resized has them first."""
        return self.layout if self.layout != "rows" else "first" if self.fitting else "auto"

    def pictures(self) -> PictureOptions:
        """How a picture in a file is read so that it is like those of the training.

        Raises
        ------
        DataError : the training's samples were no pictures that a file could hold
        """
        try:
            _, (channels, high, wide) = picture_layout(self.sample_shape, self._picture_layout)
            if self.scale not in (1.0, 255.0) or self.offset != 0:
                raise DataError("The numbers are not those of a picture's file.")
            return PictureOptions((high, wide), channels, self.fitting or "stretch")
        except DataError:
            wanted = " × ".join(str(size) for size in self.sample_shape)
            raise DataError(
                f"The network was trained on samples of {wanted} numbers that are not those of a picture's file; pass "
                "them as an array file."
            ) from None

    def from_pictures(self, maps: Matrix) -> Matrix:
        """Pictures read from files, bytes (m, channels, h, w), as the training's samples came: their shape and range."""
        last = picture_layout(self.sample_shape, self._picture_layout)[0] == "last"
        found = np.moveaxis(maps, 1, -1) if last else maps
        found = found.reshape(len(maps), *self.sample_shape)
        return found / np.dtype(self.dtype).type(255) if self.scale == 1 else found

    def read(self, source: str | Path) -> Matrix:
        """Samples as `transform` takes them, from an array file, a folder of pictures (however deep) or a picture.

        Raises
        ------
        DataError : as for `read_samples`
        """
        return self.like_training(str(source), labelled=False).X

    def like_training(self, source: str, *, damaged: str = "error", **asked: Any) -> Samples:
        """As `read`, with everything known about the samples.

        Parameters
        ----------
        damaged : "error", or "skip" to leave damaged pictures of a folder out
        asked : `target` and `labelled`, as for `read_samples`
        """
        if is_array_source(source):
            found = read_samples(source, **asked)
            known = found.X.shape[1:] in (self.sample_shape, (self.n_inputs,))
            if known or (self.layout == "rows" and not self.fitting):
                return found
            found = read_samples(source, options=self.pictures(), **asked)
            return replace(found, X=self.from_pictures(found.X))
        found = read_samples(source, options=replace(self.pictures(), damaged=damaged), **asked)
        return replace(found, X=self.from_pictures(found.X))

    def imputation_notes(self, table: Any) -> list[str]:
        """None: missing values in arrays are refused."""
        return []

    def transform_target(self, y: Any) -> Matrix:
        """Y from labels or quantities (m,); see `Preparation.transform_target`."""
        return self.target_encoding.encode(_labels(y), self.dtype)

    def describe(self) -> str:
        """One line: the shape of a sample and what is done to its values."""
        if self.layout != "rows":
            channels, high, wide = self.input_shape
            colours = "grey" if channels == 1 else f"{channels} channels"
            resized = "" if not self.fitting else f", resized ({self.fitting})"
            return f"pictures, {colours}, {high} × {wide}{resized}, each value (value − {self.offset:.6g}) / {self.scale:.6g}"
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
            "layout": self.layout,
            "fitting": self.fitting,
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
            layout, fitting = str(d.get("layout", "rows")), str(d.get("fitting", ""))
            return cls(
                target_from_dict(d["target"]), shape, d["offset"], d["scale"], notes, d["dtype"], layout, fitting
            )
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
