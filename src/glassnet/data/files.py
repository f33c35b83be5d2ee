"""A path a person typed: is there a file, may it be read, and is it what its name says?"""

from __future__ import annotations

import gzip
import os
import zlib
from pathlib import Path
from typing import IO

from glassnet.errors import DataError, nearest

GZIP = b"\x1f\x8b"

# First bytes of files that are not text, and what to do with each.
SIGNATURES: dict[bytes, str] = {
    b"PK\x03\x04": "looks like an Excel workbook or a zip archive; save the sheet as CSV, or unpack it, and pass that",
    b"\xd0\xcf\x11\xe0": "looks like an old Excel workbook; save the sheet as CSV and pass that",
    b"\x89HDF": "is an HDF5 file; name the data set inside it as FILE::DATASET",
    b"\x93NUMPY": "is a NumPy array; give its name the ending .npy",
    b"%PDF": "is a PDF document; save the table as CSV and pass that",
    b"\xff\xfe": "is UTF-16 text; save it as UTF-8, for instance with: iconv -f UTF-16 -t UTF-8",
    b"\xfe\xff": "is UTF-16 text; save it as UTF-8, for instance with: iconv -f UTF-16 -t UTF-8",
}


def existing_file(path: str | os.PathLike[str]) -> Path:
    """The path, once it is known to be a file with something in it that may be read.

    Raises
    ------
    DataError : there is no such file (the nearest name in that folder is offered), it is a folder, it is empty,
        or it may not be read
    """
    file = Path(path)
    try:
        if file.is_dir():
            raise DataError(f"'{file}' is a folder; name one file in it.")
        if not file.exists():
            raise DataError(_missing(file))
        with file.open("rb") as stream:
            if not stream.read(1):
                raise DataError(f"'{file}' is empty; a table needs a header or column numbers, and at least one row.")
    except PermissionError:
        raise DataError(f"'{file}' may not be read; change its permissions, for instance with chmod u+r.") from None
    except OSError as error:
        raise DataError(f"'{file}' cannot be read: {error.strerror or error}.") from None
    return file


def _missing(file: Path) -> str:
    folder = file.parent
    if not folder.is_dir():
        return f"There is no file '{file}'; the folder '{folder}' does not exist."
    near = nearest(file.name, sorted(entry.name for entry in folder.iterdir()))
    hint = f"; did you mean '{folder / near}'?" if near else "; check the name and the folder."
    return f"There is no file '{file}'{hint}"


def open_bytes(file: Path) -> IO[bytes]:
    """The file's bytes as a stream, unpacked when they are gzip."""
    with file.open("rb") as stream:
        packed = stream.read(2) == GZIP
    return gzip.open(file, "rb") if packed else file.open("rb")  # type: ignore[return-value]


def read_bytes(file: Path, count: int = -1) -> bytes:
    """The first `count` bytes of a file (all of it when negative), unpacked when they are gzip.

    Raises
    ------
    DataError : the gzip is cut short or damaged
    """
    try:
        with open_bytes(file) as stream:
            return stream.read(count)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(damaged_gzip(file, error)) from None


def damaged_gzip(file: Path, error: Exception) -> str:
    reason = str(error).rstrip(".")
    return f"'{file}' is a damaged or incomplete gzip file ({reason}); copy or download it again."


def refuse_binary(file: Path, head: bytes) -> None:
    """Raise DataError when the first bytes are those of a file that is not UTF-8 text."""
    for signature, advice in SIGNATURES.items():
        if head.startswith(signature):
            raise DataError(f"'{file}' {advice}.")
    if b"\x00" in head:
        raise DataError(f"'{file}' is not text (it holds zero bytes); pass a CSV or a Parquet file.")
