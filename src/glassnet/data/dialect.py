"""How a text table is written: its delimiter, decimal mark, header, and where its rows begin.

Everything is decided from the first lines. Each candidate delimiter reads them; the one under which most cells are
numbers and the rows are equally long is taken. Blanks are tried last, for they also stand inside text.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from glassnet.errors import DataError

DELIMITERS = (",", ";", "\t", "|")
BLANKS = " "
SPOKEN = {",": "','", ";": "';'", "\t": "a tab", "|": "'|'", " ": "blanks"}
RECORDS = 200

_POINT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|[+-]?(inf|infinity|nan)$", re.IGNORECASE)
_FRACTION = re.compile(r"[+-]?\d*\.\d+([eE][+-]?\d+)?$")
_COMMA = re.compile(r"[+-]?(\d+,\d*|,\d+)([eE][+-]?\d+)?$")
_VALUE = re.compile(r"\d{4}-\d\d-\d\d([ T].*)?$|\d\d?:\d\d(:\d\d)?$|true$|false$", re.IGNORECASE)


@dataclass(frozen=True)
class Dialect:
    """How one file is written. `delimiter` " " stands for any run of blanks; `body` is the byte where rows begin.

    `guessed` says that nobody said whether the first line is a header, `spaced` that blanks stand before quotes.
    """

    delimiter: str
    decimal: str
    names: tuple[str, ...]
    header: bool
    body: int
    multiline: bool
    guessed: bool = False
    spaced: bool = False


@dataclass(frozen=True)
class _Reading:
    """The first records under one delimiter. `ends` holds, for each record, how many lines it and those before took."""

    delimiter: str
    records: list[list[str]]
    ends: list[int]
    width: int
    regular: float
    numeric: float


def records(lines: Iterator[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (lines consumed, cells) for each record that is not a blank line."""
    if delimiter == BLANKS:
        reader = csv.reader((line.replace("\t", " ").strip() for line in lines), delimiter=" ", skipinitialspace=True)
    else:
        reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    for cells in reader:
        if cells and not (delimiter == BLANKS and cells == [""]):
            yield reader.line_num, cells


def sniff(
    sample: bytes,
    *,
    complete: bool,
    source: str,
    delimiter: str | None,
    header: bool | str,
    missing: Sequence[str],
) -> Dialect:
    """Decide how a text table is written.

    Parameters
    ----------
    sample : the file's first bytes, UTF-8, whole lines
    complete : whether the sample is the whole file
    source : the file's name, for messages
    delimiter : one character, or None to find it
    header : True, False or "auto"
    missing : cells that stand for a missing value

    Raises
    ------
    DataError : an unusable delimiter or header setting, a delimiter that leaves one column where another finds
        several, a name that occurs twice, a header without rows
    """
    if header not in (True, False, "auto"):
        raise DataError(f"header={header!r} is not known; pass True, False or 'auto'.")
    mark = 3 if sample.startswith(b"\xef\xbb\xbf") else 0
    text = sample[mark:].decode("utf-8")
    gaps = frozenset(missing) | {""}
    best = _choose(text, complete, source, delimiter, gaps)
    first = best.records[0]
    has_header = _has_header(best.records, gaps) if header == "auto" else bool(header)
    rows = best.records[1:] if has_header else best.records
    if not rows:
        raise DataError(f"'{source}' has a header but no rows; it needs at least one row of values.")
    if has_header:
        cells = [cell.strip() for cell in first]
        if _row_names_left_unnamed(cells, rows, text):
            cells = ["", *cells]
        names = named(cells, source)
        consumed = io.StringIO(text, newline="")
        body = mark + sum(len(next(consumed).encode("utf-8")) for _ in range(best.ends[0]))
    else:
        names = tuple(f"column{number}" for number in range(1, len(first) + 1))
        body = mark
    decimal = "," if best.delimiter != "," and _decimal_comma(rows) else "."
    multiline = any("\n" in cell or "\r" in cell for record in best.records for cell in record)
    spaced = has_spaced_quotes(text, best.delimiter)
    return Dialect(best.delimiter, decimal, names, has_header, body, multiline or spaced, header == "auto", spaced)


def has_spaced_quotes(text: str, delimiter: str) -> bool:
    """Whether blanks stand between a delimiter, or the beginning of a line, and a quote."""
    return delimiter != BLANKS and re.search(f'(^|{re.escape(delimiter)}) +"', text, re.MULTILINE) is not None


def named(cells: Sequence[str], source: str) -> tuple[str, ...]:
    """Column names from a header's cells: empty ones are numbered, repeated ones refused."""
    names: list[str] = []
    for number, cell in enumerate(cells, start=1):
        name = cell
        if not name:
            name = f"column{number}"
            while name in cells:
                name += "_"
        names.append(name)
    for name, count in Counter(names).items():
        if count > 1:
            places = " and ".join(str(number) for number, other in enumerate(names, start=1) if other == name)
            raise DataError(
                f"'{source}' has {count} columns named '{name}' (columns {places}); every name may occur once: "
                "rename all but one."
            )
    return tuple(names)


def _choose(text: str, complete: bool, source: str, delimiter: str | None, gaps: frozenset[str]) -> _Reading:
    if delimiter is not None and delimiter.strip(" ") == "" and delimiter:
        delimiter = BLANKS
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\n\r'):
        raise DataError(f"delimiter={delimiter!r} cannot be used; pass one character such as ',', ';', '|' or a tab.")
    candidates = [reading for mark in DELIMITERS if (reading := _read(text, mark, complete, gaps)) is not None]
    several = [reading for reading in candidates if reading.width > 1 and reading.regular >= 0.5]
    several.sort(key=lambda r: (r.regular >= 0.9, r.numeric, r.regular, r.width), reverse=True)
    blanks = _read(text, BLANKS, complete, gaps)
    best = several[0] if several else None
    if blanks is not None and blanks.width > 1:
        if best is None and blanks.regular == 1.0:
            best = blanks
        elif best is not None and blanks.regular == blanks.numeric == 1.0 and best.numeric < 1.0:
            best = blanks  # 1,5 2,5: the comma is a decimal mark
    if delimiter is not None:
        given = _read(text, delimiter, complete, gaps)
        if given is not None and given.width > 1:
            return given
        if best is not None and best.delimiter != BLANKS:
            raise DataError(
                f"'{source}' has one single column with {_spoken(delimiter)} as its delimiter and {best.width} with "
                f"{_spoken(best.delimiter)}; pass that one, or leave the delimiter out to have it found."
            )
        best = given
    best = best or _read(text, ",", complete, gaps)
    if best is None:
        raise DataError(
            f"'{source}' holds no rows that can be read; a table needs a header or column numbers, and rows."
        )
    return best


def _spoken(delimiter: str) -> str:
    return SPOKEN.get(delimiter, repr(delimiter))


def _read(text: str, delimiter: str, complete: bool, gaps: frozenset[str]) -> _Reading | None:
    found: list[list[str]] = []
    ends: list[int] = []
    exhausted = True
    try:
        for end, cells in records(io.StringIO(text, newline=""), delimiter):
            found.append(cells)
            ends.append(end)
            if len(found) == RECORDS:
                exhausted = False
                break
    except csv.Error:
        return None
    if exhausted and not complete and len(found) > 2:
        found.pop()  # the sample may end inside a quoted value
        ends.pop()
    if not found:
        return None
    data = found[1:] or found
    width, count = Counter(len(cells) for cells in data).most_common(1)[0]
    fits = len(found[0]) in (width, width - 1)  # R leaves the row names without a header cell
    cells_ = [cell for record in data for value in record if (cell := value.strip()) not in gaps]
    numbers = sum(1 for cell in cells_ if _is_number(cell, delimiter))
    return _Reading(delimiter, found, ends, width, (count + fits) / (len(data) + 1), numbers / max(1, len(cells_)))


def _is_number(cell: str, delimiter: str) -> bool:
    return _POINT.match(cell) is not None or (delimiter != "," and _COMMA.match(cell) is not None)


def _has_header(found: list[list[str]], gaps: frozenset[str]) -> bool:
    """The first record names the columns unless it reads like the rows below it.

    All text: a header. No text: none, but for column numbers. A mixture: a header only if some column starts with text
    and goes on in numbers.
    """
    first = [cell.strip() for cell in found[0]]
    if _numbers_the_columns(first, [[cell.strip() for cell in record] for record in found[1:]]):
        return True
    values = [_is_number(cell, ";") or _VALUE.match(cell) is not None or cell in gaps for cell in first]
    if all(values):
        return False
    if not any(value and cell not in gaps for value, cell in zip(values, first, strict=True)):
        return True
    for column, value in enumerate(values):
        if not value:
            below = [record[column].strip() for record in found[1:] if column < len(record)]
            below = [cell for cell in below if cell not in gaps]
            if below and all(_is_number(cell, ";") for cell in below):
                return True
    return False


def _numbers_the_columns(first: list[str], rows: list[list[str]]) -> bool:
    """Whether the first record is 0, 1, 2, ... or 1, 2, 3, ..., as pandas names columns without names.

    No row may go on like it. Two columns are no proof, unless one of them holds no whole numbers below.
    """
    if first and not first[0] and [record[0] for record in rows] == [str(row) for row in range(len(rows))]:
        first, rows = first[1:], [record[1:] for record in rows]  # the index, written too
    count = len(first)
    if count < 2 or not rows or first not in ([str(k) for k in range(count)], [str(k + 1) for k in range(count)]):
        return False
    for record in rows:
        if all(cell.isdecimal() for cell in record):
            numbers = [int(cell) for cell in record]
            if all(after - before == 1 for before, after in pairwise(numbers)):
                return False
    columns = list(zip(*rows, strict=False))
    return count > 2 or any(not any(re.fullmatch(r"[+-]?\d*", cell) for cell in column) for column in columns)


def _decimal_comma(rows: list[list[str]]) -> bool:
    cells = [cell.strip() for record in rows for cell in record]
    commas = sum(1 for cell in cells if _COMMA.match(cell))
    return commas > sum(1 for cell in cells if _FRACTION.match(cell))


def _row_names_left_unnamed(header: list[str], rows: list[list[str]], text: str) -> bool:
    """R's write.table gives its row names no header cell: every row is one cell longer than the header.

    So is a table someone damaged; only names that are different texts, or quoted row numbers, are taken for R's.
    """
    if any(len(record) != len(header) + 1 for record in rows):
        return False
    first = [record[0].strip() for record in rows]
    numbered = first == [str(number) for number in range(1, len(rows) + 1)] and '\n"1"' in text
    texts = len(set(first)) == len(first) and not any(_is_number(cell, ";") for cell in first)
    return (numbered or texts) and any(record[-1].strip() for record in rows)
