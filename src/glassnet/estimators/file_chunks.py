"""The numeric columns of a Parquet or CSV file, a chunk of rows at a time, in memory that does not grow with the file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from glassnet.data.column_values import NUMBER, as_numbers, unit_of
from glassnet.data.dialect import BLANKS, Dialect, sniff
from glassnet.data.files import GZIP, existing_file, read_bytes, refuse_binary
from glassnet.data.tables import MISSING, PARQUET, PARQUET_SUFFIXES
from glassnet.errors import DataError, GlassnetError, unknown_name

FIRST_LINES = 1 << 20
"""Bytes of a text table from which its delimiter, header and column types are read."""


class FileChunks:
    """Iterates (X (rows, features), Y (rows, targets), weights (rows,) or None), float64.

    Parameters
    ----------
    path : a Parquet file, or a text table (CSV, TSV; plain or gzip, UTF-8)
    target : the response's column, or several
    columns : the features; all other columns unless given
    weight : a column of sample weights
    chunk_rows : rows at once (a text table is cut by bytes, at about as many)

    Raises
    ------
    DataError : no such file or column, a column without numbers, a missing value (the sentence names column and row)
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        target: str | Sequence[str],
        columns: Sequence[str] | None = None,
        weight: str | None = None,
        chunk_rows: int = 65_536,
    ) -> None:
        if isinstance(chunk_rows, bool) or not isinstance(chunk_rows, int | np.integer) or chunk_rows < 1:
            raise GlassnetError(f"chunk_rows got {chunk_rows!r}; it needs a whole number, 1 or more.")
        self.file = existing_file(path)
        self.chunk_rows = int(chunk_rows)
        parquet = self.file.suffix.lower() in PARQUET_SUFFIXES or read_bytes(self.file, 4) == PARQUET
        self._dialect = None if parquet else self._read_dialect()
        types = self._parquet_types() if parquet else self._text_types()
        self.targets = [target] if isinstance(target, str) else list(target)
        taken = {*self.targets, *([weight] if weight else [])}
        self.features = [name for name in types if name not in taken] if columns is None else list(columns)
        self.weight = weight
        self._refuse(types)

    def _refuse(self, types: dict[str, Any]) -> None:
        if not self.targets or not self.features:
            lacking = "target" if not self.targets else "feature"
            raise DataError(f"'{self.file}' leaves no {lacking} column; it needs at least one.")
        for name in self._wanted():
            if name not in types:
                raise DataError(f"'{self.file}': {unknown_name('column', name, types)}")
        both = [name for name in self.targets if name in self.features]
        if both:
            raise DataError(f"Column '{both[0]}' is both target and feature; leave it out of columns.")
        wrong = [name for name in self._wanted() if unit_of(types[name]) is None or unit_of(types[name]) == "text"]
        if wrong:
            listed = ", ".join(f"'{name}' ({types[name]})" for name in wrong[:5]) + (", ..." if len(wrong) > 5 else "")
            raise DataError(
                f"'{self.file}' has columns that hold no numbers: {listed}; name the numeric features in columns, or "
                "encode these first."
            )

    def _wanted(self) -> list[str]:
        return [*self.features, *self.targets, *([self.weight] if self.weight else [])]

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray | None]]:
        row = 0
        with self._batches() as batches:
            for batch in batches:
                if not batch.num_rows:
                    continue
                columns = [self._numbers(batch, name, row) for name in self._wanted()]
                features, targets = len(self.features), len(self.targets)
                X = np.column_stack(columns[:features])
                Y = np.column_stack(columns[features : features + targets])
                yield X, Y, columns[-1] if self.weight else None
                row += batch.num_rows
        if not row:
            raise DataError(f"'{self.file}' has columns but no rows; it needs at least one row of values.")

    def _numbers(self, batch: Any, name: str, before: int) -> np.ndarray:
        column = batch.column(batch.schema.get_field_index(name))
        values = as_numbers(column, unit_of(column.type) or NUMBER)
        wrong = np.flatnonzero(~np.isfinite(values))
        if len(wrong):
            what = "a missing value" if np.isnan(values[wrong[0]]) else "an infinite value"
            raise DataError(
                f"'{self.file}' has {what} in column '{name}', data row {before + int(wrong[0]) + 1}; fill it in, or "
                "leave such rows or the column out."
            )
        return values

    # Parquet.

    def _parquet_types(self) -> dict[str, Any]:
        with self._parquet() as file:
            return {field.name: field.type for field in file.schema_arrow}

    @contextmanager
    def _parquet(self) -> Iterator[Any]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with pq.ParquetFile(str(self.file)) as file:
                yield file
        except (pa.ArrowException, OSError) as error:
            reason = str(error).splitlines()[0].rstrip(".")
            raise DataError(
                f"'{self.file}' is not a whole Parquet file ({reason}); copy or write it again, or pass a CSV file."
            ) from None

    # Text.

    def _read_dialect(self) -> Dialect:
        sample = read_bytes(self.file, FIRST_LINES)
        complete = len(sample) < FIRST_LINES
        sample = sample if complete else sample[: sample.rfind(b"\n") + 1] or sample
        refuse_binary(self.file, sample[:4096])
        try:
            sample.decode("utf-8")
        except UnicodeDecodeError:
            raise DataError(f"'{self.file}' is not UTF-8 text; save it as UTF-8.") from None
        dialect = sniff(
            sample, complete=complete, source=str(self.file), delimiter=None, header="auto", missing=MISSING
        )
        if dialect.delimiter == BLANKS or dialect.multiline:
            why = "blanks between its columns" if dialect.delimiter == BLANKS else "cells of several lines"
            raise DataError(
                f"'{self.file}' has {why}, which cannot be read in chunks; save it as Parquet or plain CSV."
            )
        self._bytes_a_row = max(1, (len(sample) - dialect.body) // max(1, sample.count(b"\n") - 1))
        return dialect

    def _text_types(self) -> dict[str, Any]:
        import pyarrow as pa

        with self._text({}) as reader:
            found = {field.name: field.type for field in reader.schema}
        # A whole number in the first lines may be followed by a fraction, and nothing at all by a number.
        plain = pa.types.is_integer, pa.types.is_null
        return {name: pa.float64() if any(test(kind) for test in plain) else kind for name, kind in found.items()}

    @contextmanager
    def _text(self, types: dict[str, Any], only: Sequence[str] = ()) -> Iterator[Any]:
        import pyarrow as pa
        from pyarrow import csv as arrow

        if self._dialect is None:
            raise TypeError("Only a text table has a dialect.")
        with self.file.open("rb") as head:
            packed = head.read(2) == GZIP
        block = max(1 << 16, min(1 << 28, self.chunk_rows * self._bytes_a_row))
        try:
            with pa.input_stream(str(self.file), compression="gzip" if packed else None) as stream:
                stream.read(self._dialect.body)
                yield arrow.open_csv(
                    stream,
                    read_options=arrow.ReadOptions(column_names=list(self._dialect.names), block_size=block),
                    parse_options=arrow.ParseOptions(delimiter=self._dialect.delimiter),
                    convert_options=arrow.ConvertOptions(
                        null_values=list(MISSING), strings_can_be_null=True, decimal_point=self._dialect.decimal,
                        column_types=types, include_columns=list(only),
                    ),
                )  # fmt: skip
        except (pa.ArrowException, OSError) as error:
            reason = str(error).splitlines()[0].rstrip(".")
            raise DataError(
                f"'{self.file}' cannot be read as a table of numbers ({reason}); correct that row, or leave the column out."
            ) from None

    # Both.

    @contextmanager
    def _batches(self) -> Iterator[Iterator[Any]]:
        if self._dialect is None:
            with self._parquet() as file:
                # One row group after the other: a reader of several keeps what it has read of each.
                yield (
                    batch
                    for group in range(file.num_row_groups)
                    for batch in file.iter_batches(self.chunk_rows, row_groups=[group], columns=self._wanted())
                )
            return
        types = self._text_types()
        with self._text({name: types[name] for name in self._wanted()}, self._wanted()) as reader:
            yield iter(reader)
