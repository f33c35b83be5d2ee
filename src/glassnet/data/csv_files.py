"""CSV and its relatives to an Arrow table, in little memory.

Column types are taken from the first rows and handed to Arrow, which then need not keep the text of a number in case
it has to change its mind. Should a later row not fit, that column's type is widened and the file read again.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
import warnings
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from glassnet.data.dialect import BLANKS, Dialect, has_spaced_quotes, records, sniff
from glassnet.data.files import GZIP, damaged_gzip, open_bytes, read_bytes, refuse_binary
from glassnet.data.remarks import KEY
from glassnet.errors import DataError, GlassnetWarning

SAMPLE = 1 << 20
LONGEST_SAMPLE = 1 << 27
WORTH_SAYING = 0.1


def read_csv(
    file: Path,
    *,
    delimiter: str | None,
    header: bool | str,
    missing: Sequence[str],
    text: Sequence[str],
) -> Any:
    """Read a delimited text file into a ``pyarrow.Table``; see `read_table` for the parameters and what is raised."""
    import pyarrow as pa

    sample, complete = _sample(file)
    refuse_binary(file, sample[:4096])
    try:
        sample.decode("utf-8")
    except UnicodeDecodeError:
        raise DataError(_not_utf8(file)) from None
    dialect = sniff(
        sample, complete=complete, source=str(file), delimiter=delimiter, header=header, missing=tuple(missing)
    )
    start = sample[dialect.body :]
    types: dict[str, Any] = {}
    if not complete:
        first = _convert(io.BytesIO(start), dialect, missing, {name: pa.string() for name in text}, _strict=False)
        types = {} if first is None else {f.name: f.type for f in first.schema if not pa.types.is_null(f.type)}
    types.update({name: pa.string() for name in text if name in dialect.names})
    table = _read_whole(file, dialect, missing, types)
    if not dialect.spaced and _holds_spaced_quotes(table):
        dialect = replace(dialect, spaced=True, multiline=True)
        table = _read_whole(file, dialect, missing, types)
    if table.num_rows == 0:
        raise DataError(f"'{file}' has a header but no rows; it needs at least one row of values.")
    if any(pa.types.is_binary(field.type) for field in table.schema):
        raise DataError(_not_utf8(file))
    _refuse_open_quote(file, table, dialect)
    table = _tidy_text(table, dialect, missing, frozenset(text))
    if dialect.guessed and not dialect.header:
        warnings.warn(_taken_as_values(file, dialect.names), GlassnetWarning, stacklevel=4)
    remarks = {"header": dialect.header, "missing": _missing_words(file, table, dialect, missing)}
    return table.replace_schema_metadata({KEY: json.dumps(remarks)})


def _taken_as_values(file: Path, names: Sequence[str]) -> str:
    if len(names) == 1:
        said = "so the column is column1"
    else:
        said = f"so the columns are {', '.join(names if len(names) < 3 else (names[0], '...', names[-1]))}"
    return (
        f"The first line of '{file}' is taken as values, {said}; pass header=True (command line: --header) if it names "
        f"the column{'s' if len(names) > 1 else ''}."
    )


def _missing_words(file: Path, table: Any, dialect: Dialect, missing: Sequence[str]) -> dict[str, dict[str, int]]:
    """For text columns that lack many values: the words that were taken as missing, and how often."""
    import pyarrow as pa
    import pyarrow.compute as pc

    words = [word for word in missing if word]
    gappy = [
        field.name
        for field, column in zip(table.schema, table.columns, strict=True)
        if pa.types.is_string(field.type) and column.null_count > WORTH_SAYING * len(column)
    ]
    if not gappy or not words:
        return {}
    raw = _read_whole(file, dialect, (), {name: pa.string() for name in gappy}, gappy)
    found = {}
    for name in gappy:
        texts = pc.utf8_trim_whitespace(raw.column(name))
        tally = pc.value_counts(texts.filter(pc.is_in(texts, value_set=pa.array(words, pa.string()))))
        counts = dict(zip(tally.field("values").to_pylist(), tally.field("counts").to_pylist(), strict=True))
        if counts:
            found[name] = counts
    return found


def _sample(file: Path) -> tuple[bytes, bool]:
    """The file's first lines, whole, and whether they are all of it."""
    size = SAMPLE
    while True:
        sample = read_bytes(file, size)
        if len(sample) < size:
            return sample, True
        if sample.count(b"\n") > 1 or size >= LONGEST_SAMPLE:
            return sample[: sample.rfind(b"\n") + 1] or sample, False
        size *= 4


def _convert(
    stream: Any,
    dialect: Dialect,
    missing: Sequence[str],
    types: dict[str, Any],
    only: Sequence[str] = (),
    _strict: bool = True,
) -> Any:
    import pyarrow as pa
    from pyarrow import csv as arrow

    multiline = dialect.multiline
    if dialect.delimiter == BLANKS:
        stream = _SingleBlanks(stream)
    elif dialect.spaced:
        stream = _ClosedUp(stream, dialect.delimiter)
    while True:
        try:
            return arrow.read_csv(
                stream,
                read_options=arrow.ReadOptions(column_names=list(dialect.names)),
                parse_options=arrow.ParseOptions(delimiter=dialect.delimiter, newlines_in_values=multiline),
                convert_options=arrow.ConvertOptions(
                    null_values=list(missing),
                    strings_can_be_null=True,
                    decimal_point=dialect.decimal,
                    column_types=types,
                    include_columns=list(only),
                ),
            )
        except (pa.ArrowInvalid, csv.Error):
            if _strict:
                raise
            return None


def _read_whole(
    file: Path, dialect: Dialect, missing: Sequence[str], types: dict[str, Any], only: Sequence[str] = ()
) -> Any:
    import pyarrow as pa

    widened = 0
    while True:
        with file.open("rb") as head:
            packed = head.read(2) == GZIP
        try:
            with pa.input_stream(str(file), compression="gzip" if packed else None) as stream:
                stream.read(dialect.body)
                return _convert(stream, dialect, missing, types, only)
        except pa.ArrowInvalid as error:
            column = re.search(r"CSV column #(\d+)", str(error))
            if column and dialect.names[int(column[1])] in types:
                types = _widen(types, dialect.names[int(column[1])]) if widened < 3 else {}
                widened += 1
                continue
            if not dialect.multiline and _has_multiline_cells(file, dialect):
                dialect = replace(dialect, multiline=True)
                continue
            if not dialect.spaced and _has_spaced_quotes(file, dialect):
                dialect = replace(dialect, spaced=True, multiline=True)
                continue
            if "Empty CSV file" in str(error):
                raise DataError(f"'{file}' has a header but no rows; it needs at least one row of values.") from None
            raise DataError(_why_unreadable(file, dialect, str(error))) from None
        except csv.Error as error:
            raise DataError(_why_unreadable(file, dialect, str(error))) from None
        except OSError as error:
            raise DataError(damaged_gzip(file, error)) from None


def _widen(types: dict[str, Any], name: str) -> dict[str, Any]:
    import pyarrow as pa

    wider = {other: kind for other, kind in types.items() if other != name}
    if pa.types.is_integer(types[name]):
        wider[name] = pa.float64()
    return wider


def _has_multiline_cells(file: Path, dialect: Dialect) -> bool:
    try:
        with _text(file) as lines:
            return any("\n" in cell for _, cells in records(lines, dialect.delimiter) for cell in cells)
    except (csv.Error, UnicodeDecodeError):
        return False


def _has_spaced_quotes(file: Path, dialect: Dialect) -> bool:
    try:
        with _text(file) as lines:
            return any(has_spaced_quotes(line, dialect.delimiter) for line in lines)
    except UnicodeDecodeError:
        return False


def _holds_spaced_quotes(table: Any) -> bool:
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = (
        column for field, column in zip(table.schema, table.columns, strict=True) if pa.types.is_string(field.type)
    )
    return any(pc.any(pc.match_substring_regex(column, '^ +".*"\\s*$')).as_py() for column in texts)


def _text(file: Path) -> io.TextIOWrapper:
    return io.TextIOWrapper(open_bytes(file), encoding="utf-8-sig", newline="")


def _why_unreadable(file: Path, dialect: Dialect, reason: str) -> str:
    """The sentence for a file Arrow could not parse: most often one row is longer or shorter than the others."""
    width = len(dialect.names)
    wanted = "the header has" if dialect.header else "the first row has"
    begun = 1
    try:
        with _text(file) as lines:
            for consumed, cells in records(lines, dialect.delimiter):
                if len(cells) != width:
                    have = f"{len(cells)} value{'s' if len(cells) != 1 else ''}"
                    advice = (
                        f"put quotes around a value that contains {dialect.delimiter!r}, or take one out"
                        if len(cells) > width
                        else "add what is missing there (an empty value still needs its delimiter)"
                    )
                    return f"'{file}' line {begun} has {have} where {wanted} {width}; {advice}."
                begun = consumed + 1
    except UnicodeDecodeError:
        return _not_utf8(file)
    except csv.Error:
        return _open_quote(file, begun)
    return f"'{file}' cannot be read as a table ({reason.splitlines()[0]}); check its quotes and its delimiter."


def _refuse_open_quote(file: Path, table: Any, dialect: Dialect) -> None:
    """A quote never closed swallows the rest of the file into the last row: look there, and only then reread."""
    last = table.slice(table.num_rows - 1).to_pylist()[0]
    if not any(isinstance(value, str) and "\n" in value for value in last.values()):
        return
    quotes, line = 0, 1
    with open_bytes(file) as stream:
        for number, text in enumerate(stream, start=1):
            if quotes % 2 == 0 and text.count(b'"') % 2:
                line = number
            quotes += text.count(b'"')
    if quotes % 2:
        raise DataError(_open_quote(file, line))


def _open_quote(file: Path, line: int) -> str:
    return f"'{file}' has a quote opened in line {line} that is never closed; close it, or write it twice (\"\")."


def _not_utf8(file: Path) -> str:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with open_bytes(file) as stream:
        for number, line in enumerate(stream, start=1):
            try:
                decoder.decode(line)
            except UnicodeDecodeError as error:
                found = f"byte 0x{error.object[error.start]:02x} in line {number}"
                break
        else:
            found = "a character cut off at its end"
    return (
        f"'{file}' is not UTF-8 text ({found}); save it as UTF-8, for instance with: "
        "iconv -f LATIN1 -t UTF-8 (or WINDOWS-1252)."
    )


def _tidy_text(table: Any, dialect: Dialect, missing: Sequence[str], text: frozenset[str]) -> Any:
    """Strip blanks around text values; a column that was text only for its blanks becomes what it is."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for index, field in enumerate(table.schema):
        if not pa.types.is_string(field.type):
            continue
        column = table.column(index)
        padded = pc.match_substring_regex(column, r"^\s|\s$")
        if not pc.any(padded).as_py():
            continue
        column = pc.utf8_trim_whitespace(column)
        column = pc.if_else(pc.is_in(column, value_set=pa.array(list(missing), pa.string())), None, column)
        if field.name not in text:
            column = _as_numbers(column, dialect.decimal)
        table = table.set_column(index, field.name, column)
    return table


def _as_numbers(column: Any, decimal: str) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    pointed = pc.replace_substring(column, ",", ".") if decimal == "," else column
    for kind in (pa.int64(), pa.float64()):
        try:
            return pc.cast(pointed, kind)
        except pa.ArrowInvalid:
            continue
    return column


class _SingleBlanks(io.RawIOBase):
    """A byte stream whose runs of blanks are single spaces, as Arrow needs, with none at the ends of lines."""

    _RUN = re.compile(rb'("[^"\n]*")|[ \t]+')
    _ENDS = re.compile(rb"^ +| +(?=\r?$)", re.MULTILINE)

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._left = b""
        self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            chunk = self._stream.read(1 << 20)
            whole = self._left + chunk
            cut = len(whole) if not chunk else whole.rfind(b"\n") + 1
            self._left, lines = whole[cut:], whole[:cut]
            self._ready = self._ENDS.sub(b"", self._RUN.sub(lambda m: m[1] or b" ", lines))
            if not chunk:
                break
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count


class _ClosedUp(io.RawIOBase):
    """A byte stream without the blanks between a delimiter and a quote, which Arrow would take for a part of the text."""

    def __init__(self, stream: Any, delimiter: str) -> None:
        text = io.TextIOWrapper(stream, encoding="utf-8", errors="surrogateescape", newline="")
        self._records = records(text, delimiter)
        self._delimiter = delimiter
        self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._ready:
            out = io.StringIO(newline="")
            csv.writer(out, delimiter=self._delimiter).writerows(cells for _, cells in islice(self._records, 4096))
            self._ready = out.getvalue().encode("utf-8", "surrogateescape")
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count
