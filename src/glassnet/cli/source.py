"""The rows a command was given: a table, a bundled data set, or arrays with their labels.

A run remembers its source in ``facts["source"]``: the files with their fingerprints, how they were read and how the
rows were divided, so that the same held-out rows can be made again.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import DataError, GlassnetWarning, nearest

if TYPE_CHECKING:
    from glassnet.data import ArrayPreparation, PictureOptions, Preparation

Rows = np.ndarray[Any, np.dtype[np.int64]]
Array = np.ndarray[Any, Any]
LABEL = "label"
COLUMNS_LISTED = 20


@dataclass(frozen=True)
class Reading:
    """How a text table is read: its delimiter, and whether its first line holds names."""

    delimiter: str | None = None
    header: bool | str = "auto"

    @classmethod
    def asked(cls, delimiter: str | None, no_header: bool | None) -> Reading:
        r"""From the options --delimiter (with \t for a tab) and --no-header/--header (None: found)."""
        header: bool | str = "auto" if no_header is None else not no_header
        return cls({"\\t": "\t", "tab": "\t"}.get(delimiter or "", delimiter), header)


@dataclass(frozen=True)
class Source:
    """Rows and what is to be predicted of them.

    Attributes
    ----------
    name : a short name, for the run folder
    table : the columns (of arrays, only the labels, in the column `target`)
    X : the samples, when they are an array
    target : the column to predict; None when the rows are only to be predicted
    described : what a run keeps
    files : the name of each picture, when the samples come from picture files
    notes : what is worth knowing about the reading
    test : the folder of pictures to judge by, when it lies beside those to train on
    """

    name: str
    table: Any
    X: Array | None
    target: str | None
    described: dict[str, Any]
    files: list[str] | None = None
    notes: tuple[str, ...] = ()
    test: str | None = None

    @property
    def count(self) -> int:
        """Rows."""
        return int(self.table.num_rows) if self.X is None else len(self.X)

    @property
    def wanted(self) -> str:
        """The target's name.

        Raises
        ------
        DataError : none was given
        """
        if self.target is None:
            raise DataError(
                f"The labels of '{self.name}' are missing; name them with --target, such as a column or FILE.h5::LABELS."
            )
        return self.target

    def usable(self) -> Rows:
        """The rows whose target is there."""
        from glassnet.data import usable_rows

        return usable_rows(self.table, self.wanted)

    def task(self, asked: str) -> str:
        """ "classification" or "regression"."""
        from glassnet.data import task_of

        return task_of(self.table, self.wanted, asked)

    def labels(self, rows: Rows) -> Array:
        """The target's values in these rows, as they are written."""
        column = self.table.column(self.wanted)
        taken = column if len(rows) == len(column) else column.take(rows)
        return np.asarray(taken.to_numpy())

    def fit(
        self,
        rows: Rows,
        *,
        task: str,
        features: Sequence[str] | None,
        drop: Sequence[str],
        dtype: str,
        pictures: bool = False,
    ) -> Preparation | ArrayPreparation:
        """Learn the preparation from these rows, as pictures when a network of images is to take them."""
        from glassnet.data import ArrayPreparation, Preparation

        if self.X is None:
            return Preparation.fit(
                self.table, self.wanted, task=task, features=features, drop=drop, rows=rows, dtype=dtype
            )
        if features or drop:
            raise DataError("An array has no columns to choose from; leave --features and --drop out.")
        labels = np.asarray(self.table.column(self.wanted).to_numpy())
        fitting = (self.described.get("pictures") or {}).get("fit", "")
        found = ArrayPreparation.fit(
            self.X, labels, task=task, rows=rows, dtype=dtype, target=self.wanted, pictures=pictures, fitting=fitting
        )
        return replace(found, notes=[*self.notes, *found.notes])

    def as_pixels(self, shape: tuple[int, ...] | None, names: Sequence[str] | None = None) -> Source:
        """Rows of numbers as pictures of this shape; found from the names of a table's columns when not given.

        Parameters
        ----------
        names : the columns that are pixels, where others may stand beside them

        Raises
        ------
        DataError : they are no pictures of that shape
        """
        from glassnet.data import pixels

        if self.X is None:
            chosen = self.table
            if names is not None and set(names) <= set(self.table.column_names):
                chosen = self.table.select(names)
            X = pixels(chosen, self.target if self.target in chosen.column_names else None, shape)
            labels = None if self.target is None else self.table.select([self.target])
            return replace(self, table=labels, X=X, described={**self.described, "pixels": list(X.shape[1:])})
        if shape is None or math.prod(shape) != math.prod(self.X.shape[1:]):
            have = " × ".join(str(size) for size in self.X.shape[1:])
            raise DataError(
                f"A sample of '{self.name}' has {have} numbers, which are no picture; begin --network with the shape of one, "
                "channels×height×width, as in '1×28×28 → conv 8x5 relu → ...'."
            )
        return replace(self, X=self.X.reshape(-1, *shape), described={**self.described, "pixels": list(shape)})

    def inputs(self, preparation: Any, rows: Rows | None, unseen: str) -> Array:
        """The network's inputs for these rows; all of them when None."""
        from glassnet.data import ArrayPreparation

        if isinstance(preparation, ArrayPreparation) != (self.X is not None):
            arrived, needed = ("a table", "an array") if self.X is None else ("an array", "a table")
            raise DataError(f"'{self.name}' is {arrived}; the network was trained on {needed}: pass one like it.")
        if self.X is not None:
            return np.asarray(preparation.transform(self.X if rows is None else self.X[rows]))
        table = self.table if rows is None or len(rows) == self.table.num_rows else self.table.take(rows)
        with _rows_of_the_whole(rows):
            return np.asarray(preparation.transform(table, unseen=unseen))

    def targets(self, preparation: Any, rows: Rows) -> Array:
        """The network's targets for these rows."""
        if self.X is not None:
            return np.asarray(preparation.transform_target(self.labels(rows)))
        table = self.table if len(rows) == self.table.num_rows else self.table.take(rows)
        with _rows_of_the_whole(rows):
            return np.asarray(preparation.transform_target(table.select([self.wanted])))


def read_source(
    data: str,
    target: str | None,
    reading: Reading,
    *,
    text: Sequence[str] = (),
    labelled: bool = True,
    fingerprints: bool = False,
    bundled: bool | None = None,
    arrays: bool = True,
    pictures: PictureOptions | None = None,
    like: Preparation | ArrayPreparation | None = None,
    skip_damaged: bool = False,
) -> Source:
    """Read what a person named: a file, a bundled data set, a folder of pictures, or an array file and its labels.

    Parameters
    ----------
    target : a column, or the array file of the labels
    text : columns to keep as text
    labelled : whether a target is needed
    fingerprints : describe the files by their fingerprints too
    arrays : False reads an array file with at most two axes as a table
    pictures : how pictures are read
    like : the preparation of a run, for which the rows are read; pictures then become like those of its training
    skip_damaged : leave damaged pictures out
    bundled : whether `data` names a bundled data set; None takes one where no file has that name

    Raises
    ------
    DataError : as for `read_table` and `read_array`; no such bundled data set; no target
    """
    from glassnet.data import dataset, dataset_names, file_fingerprint, find_column, is_sample_source, read_table
    from glassnet.data.remarks import header_read

    described: dict[str, Any] = {
        "data": _absolute(data),
        "target": target,
        "delimiter": reading.delimiter,
        "header": reading.header,
    }
    bundled = bundled or (bundled is None and data in dataset_names() and not Path(data).is_file())
    if arrays and not bundled and _holds_samples(data, target, labelled):
        return _samples(data, target, described, labelled, pictures, like, skip_damaged, fingerprints)
    if arrays and not bundled and target is None and labelled:
        _need_labels(data)
    if pictures is not None and (pictures.given or pictures.damaged != "error"):
        raise DataError(
            f"'{data}' is a table; --image-size, --grey, --colour and --skip-damaged are for pictures: leave them out."
        )
    if fingerprints:
        files = [name for name in (data, target) if name and (name == data or is_sample_source(name))]
        described["files"] = [file_fingerprint(path) for path in _paths(files)]
    if bundled:
        named = dataset(data)
        chosen = find_column(named.table.column_names, target or named.target)
        described |= {"data": data, "bundled": True, "target": chosen, "files": []}
        return Source(data, named.table, None, chosen, described)
    if not Path(_file(data)).exists() and not any(mark in data for mark in "./\\"):
        near = nearest(data, dataset_names())
        hint = f"; did you mean '{near}'?" if near else "."
        raise DataError(
            f"There is no file '{data}', and no bundled data set of that name{hint} Bundled: {', '.join(dataset_names())}."
        )
    table = read_table(data, delimiter=reading.delimiter, header=reading.header, text=text)
    name = Path(_file(data)).name.split(".")[0] or "table"
    if target is None and labelled:
        names = table.column_names
        more = f" and {len(names) - COLUMNS_LISTED} more" if len(names) > COLUMNS_LISTED else ""
        raise DataError(
            f"Which column of '{data}' is to be predicted? Name it with --target; there are "
            f"{', '.join(names[:COLUMNS_LISTED])}{more}."
        )
    chosen_column = None if target is None else find_column(table.column_names, target)
    described["target"] = chosen_column
    if (found := header_read(table)) is not None:
        described["header"] = found  # so that it is not found, and said, once more when the rows are read again
    return Source(name, table, None, chosen_column, described)


def _need_labels(data: str) -> None:
    """Refuse an array file of pictures that comes without labels."""
    from glassnet.data import is_array_source, read_array

    if is_array_source(data) and len(shape := read_array(data).shape) > 2:
        shown = " × ".join(str(size) for size in shape)
        raise DataError(
            f"'{data}' holds pictures without labels ({shown}); name the array file of their labels with --target."
        )


def _holds_samples(data: str, target: str | None, labelled: bool) -> bool:
    """Whether the rows are samples in an array: an array file with its labels, a folder of pictures, or a picture."""
    from glassnet.data import is_array_source, is_image_source

    if os.path.isdir(data) or is_image_source(data):
        return True
    return is_array_source(data) and (not labelled or (target is not None and is_array_source(target)))


def _samples(
    data: str,
    target: str | None,
    described: dict[str, Any],
    labelled: bool,
    pictures: PictureOptions | None,
    like: Any,
    skip_damaged: bool,
    fingerprints: bool,
) -> Source:
    import pyarrow as pa

    from glassnet.data import file_fingerprint, read_samples
    from glassnet.data.image_listing import divided

    test, chosen = None, list[str]()
    name = Path(os.path.abspath(_file(data))).name.split(".")[0]
    if os.path.isdir(data) and labelled:
        place, held = divided(data)
        if like is not None and held is not None:  # what a network is judged by is what it was not trained on
            chosen.append(f"'{data}' holds {place.name}/ and {held.name}/; it is judged by {held.name}/.")
            place, held = held, None
        data, test = str(place), None if held is None else str(held)
    if like is None:
        found = read_samples(data, target, pictures, labelled=labelled, fewest=2)
    else:
        damaged = "skip" if skip_damaged else "error"
        found = like.like_training(data, target=target, labelled=labelled, damaged=damaged)
    if found.files is None and pictures is not None and pictures.damaged == "skip":
        raise DataError(f"'{data}' is no folder of pictures; --skip-damaged is for one, or for --resume: leave it out.")
    described["data"] = _absolute(data)
    described["target"] = None if target is None else _absolute(target)
    if fingerprints:
        described["files"] = [file_fingerprint(path) for path in _paths([data, *([target] if target else [])])]
    if found.files is not None or found.options.given:
        described["pictures"] = found.options.to_dict()
    table, label = None, None
    if found.labels is not None:
        y = found.labels
        table, label = pa.table({LABEL: pa.array(y.tolist() if y.dtype.kind in "OUS" else y)}), LABEL
    return Source(name, table, found.X, label, described, found.files, (*chosen, *found.notes), test)


def read_again(described: Mapping[str, Any], preparation: Any, *, apart: bool = False) -> Source:
    """The source a run was trained on.

    Parameters
    ----------
    apart : it is the data of --test-data, which was read to be like that of the training

    Raises
    ------
    DataError : its files are gone

    Warns
    -----
    GlassnetWarning : a file has changed
    """
    from glassnet.data import PictureOptions, file_fingerprint

    reading = Reading(described["delimiter"], described["header"])
    for kept in described["files"]:
        if not Path(kept["path"]).exists():
            raise DataError(
                f"The run was trained on '{kept['path']}', which is no longer there; put it back, or name the rows to "
                "evaluate as DATA."
            )
        if file_fingerprint(kept["path"])["sha256"] != kept["sha256"]:
            warnings.warn(
                f"'{kept['path']}' has changed since the run was trained on it, so the rows held out now may include "
                "rows that it was trained on.",
                GlassnetWarning,
                stacklevel=2,
            )
    options = described.get("pictures")
    source = read_source(
        described["data"],
        described["target"],
        reading,
        text=preparation.text_columns,
        bundled=bool(described.get("bundled")),
        pictures=None if options is None else PictureOptions.from_dict(options),
        like=preparation if apart else None,
        skip_damaged=options is not None and options["damaged"] == "skip",
    )
    shape = described.get("pixels")
    return source if shape is None else source.as_pixels(tuple(shape))


@contextlib.contextmanager
def _rows_of_the_whole(rows: Rows | None) -> Iterator[None]:
    """Problems found in a part of a table name the row in the table."""
    try:
        yield
    except DataError as problem:
        if rows is None:
            raise
        said = re.sub(
            r"^((?:Column|Target) '.*?' row )(\d+)", lambda m: f"{m[1]}{rows[int(m[2]) - 1] + 1}", str(problem), count=1
        )
        raise DataError(said) from None


def _paths(names: Sequence[str]) -> list[str]:
    """The files and folders of these names, each once."""
    return list(dict.fromkeys(_absolute(name).partition("::")[0] for name in names if Path(_file(name)).exists()))


def _file(name: str) -> str:
    return name.partition("::")[0]


def _absolute(name: str) -> str:
    path, mark, inside = name.partition("::")
    return os.path.abspath(path) + mark + inside
