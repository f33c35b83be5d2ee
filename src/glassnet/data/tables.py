"""Anything with columns, read into one kind of table: ``pyarrow.Table``."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.data.arrays import is_array_source, read_array
from glassnet.data.csv_files import read_csv
from glassnet.data.dialect import named
from glassnet.data.files import existing_file, read_bytes
from glassnet.errors import DataError

MISSING = ("", "NA", "NaN", "nan", "N/A", "#N/A", "null", "NULL", "None", "?")
PARQUET_SUFFIXES = (".parquet", ".pq", ".parq")
PARQUET = b"PAR1"


def read_table(
    source: Any,
    *,
    delimiter: str | None = None,
    header: bool | str = "auto",
    missing: Sequence[str] = MISSING,
    text: Sequence[str] = (),
) -> Any:
    """Read a table.

    Parameters
    ----------
    source : one of

        * the path of a text table (CSV, TSV, blanks between columns; plain or gzip; UTF-8 with or without a byte order
          mark; decimal points, or decimal commas where the delimiter is another character),
        * the path of a Parquet file, or of an array file with at most two axes (.npy, .npz, .idx, .h5::dataset),
        * a pandas or polars frame or series, a ``pyarrow.Table``, a dict of columns,
        * a NumPy array (samples, columns), whose columns are named x1, x2, ...; or (samples,), one column
    delimiter : one character; found from the first lines when None. A blank stands for any run of blanks and tabs
    header : whether the first line holds names; "auto" decides by whether it reads like the lines below. Without a
        header the columns are column1, column2, ...; so is a column whose name is empty
    missing : the cells of a text table that stand for a missing value
    text : columns of a text table to be kept as text whatever they hold, such as codes with leading zeros
        (`Preparation.text_columns` names those a network was trained on)

    Returns
    -------
    pyarrow.Table

    Warns
    -----
    GlassnetWarning : header is "auto" and the first line of a text table is taken as values

    Raises
    ------
    DataError : no such file, a folder, an empty file, one that may not be read; not text, not UTF-8, rows of unequal
        length, a quote never closed, a header without rows, a name that occurs twice, a delimiter that cannot be
        right; damaged Parquet or gzip; columns of unequal length; an object that is no table
    """
    if isinstance(source, (str, os.PathLike)):
        if is_array_source(str(source)):
            return _from_array(read_array(str(source)))
        return _from_file(existing_file(source), delimiter, header, missing, text)
    return _from_object(source)


def _from_file(
    file: Path, delimiter: str | None, header: bool | str, missing: Sequence[str], text: Sequence[str]
) -> Any:
    if file.suffix.lower() in PARQUET_SUFFIXES or read_bytes(file, 4) == PARQUET:
        return _from_parquet(file)
    return read_csv(file, delimiter=delimiter, header=header, missing=missing, text=text)


def _from_parquet(file: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(str(file)) as parquet:
            table = parquet.read(use_threads=True)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise DataError(
            f"'{file}' is not a whole Parquet file ({reason}); copy or write it again, or pass a CSV file."
        ) from None
    if table.num_rows == 0:
        raise DataError(f"'{file}' has columns but no rows; it needs at least one row of values.")
    return _plain(table, str(file))


def _from_object(source: Any) -> Any:
    import pyarrow as pa

    library = type(source).__module__.partition(".")[0]
    if isinstance(source, pa.Table):
        return _plain(source, "The table")
    if isinstance(source, pa.RecordBatch):
        return _plain(pa.Table.from_batches([source]), "The table")
    if library == "pandas":
        return _from_pandas(source)
    if library == "polars":
        frame = source.collect() if hasattr(source, "collect") else source
        frame = frame.to_frame() if hasattr(frame, "to_frame") else frame
        return _plain(frame.to_arrow(), "The frame")
    if isinstance(source, Mapping):
        return _from_columns({str(name): values for name, values in source.items()})
    if isinstance(source, np.ndarray):
        return _from_array(source)
    raise DataError(
        f"A table cannot be made from {type(source).__name__}; pass a path, a pandas or polars frame, a pyarrow Table, "
        "a dict of columns or a NumPy array."
    )


def _from_pandas(source: Any) -> Any:
    import pyarrow as pa

    frame = source.to_frame() if not hasattr(source, "columns") else source
    names = named([str(name).strip() for name in frame.columns], "The frame")
    columns = {}
    for index, name in enumerate(names):
        try:
            columns[name] = pa.Array.from_pandas(frame.iloc[:, index])
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
            raise DataError(_mixed(name)) from None
    return _plain(pa.table(columns), "The frame")


def _from_columns(source: dict[str, Any]) -> Any:
    import pyarrow as pa

    columns = {}
    for name, values in source.items():
        try:
            columns[name] = values if isinstance(values, (pa.Array, pa.ChunkedArray)) else pa.array(values)
        except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError):
            raise DataError(_mixed(name)) from None
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"'{name}' {length}" for name, length in lengths.items())
        raise DataError(f"The columns have different lengths ({listed}); every column needs one value a row.")
    return _plain(pa.table(columns), "The table")


def _mixed(name: str) -> str:
    return f"Column '{name}' holds values of more than one kind; make them all numbers or all text."


def _from_array(array: np.ndarray[Any, Any]) -> Any:
    import pyarrow as pa

    if array.dtype.names:
        return _from_columns({name: array[name] for name in array.dtype.names})
    if array.ndim not in (1, 2):
        raise DataError(
            f"An array of shape {array.shape} is no table; it needs (samples, columns). Pass arrays with more axes as "
            "images, or reshape it."
        )
    matrix = array.reshape(len(array), -1) if array.ndim == 1 else array
    columns = {}
    for index in range(matrix.shape[1]):
        values = matrix[:, index]
        if values.dtype.kind == "O":
            values = values.tolist()
        elif not values.dtype.isnative:
            values = values.astype(values.dtype.newbyteorder("="))
        try:
            columns[f"x{index + 1}"] = pa.array(values)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
            raise DataError(_mixed(f"x{index + 1}")) from None
    return pa.table(columns)


def _plain(table: Any, source: str) -> Any:
    """Column names stripped, filled in and unlike; text in one of Arrow's several layouts."""
    import pyarrow as pa

    names = named([str(name).strip() for name in table.column_names], source)
    if list(names) != table.column_names:
        table = table.rename_columns(list(names))
    for index, field in enumerate(table.schema):
        if str(field.type) in ("large_string", "string_view"):
            column = table.column(index).cast(pa.large_string()).cast(pa.string())
            table = table.set_column(index, field.name, column)
    return table
