"""What a run was trained on, in 64 characters."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.data.files import existing_file
from glassnet.data.image_listing import list_pictures
from glassnet.errors import DataError

CHUNK = 1 << 22


def fingerprint(*arrays: Any) -> str:
    """SHA-256 over the type, shape and values of arrays, as 64 hexadecimal digits.

    The memory layout does not matter: an array and its Fortran-ordered copy have the same fingerprint. Large arrays
    are not copied.

    Raises
    ------
    DataError : an array holds Python objects, whose bytes say nothing
    """
    digest = hashlib.sha256()
    for given in arrays:
        array = np.asarray(given)
        if array.dtype.hasobject:
            raise DataError(
                "An array of Python objects has no fingerprint; convert it to numbers or text (astype(str))."
            )
        digest.update(f"{array.dtype.str}{array.shape};".encode())
        for part in _parts(array):
            digest.update(part.data)
    return digest.hexdigest()


def file_fingerprint(path: str | Path) -> dict[str, str | int]:
    """A file's path as given, its size in bytes and the SHA-256 of its content.

    Of a folder: the bytes of all its pictures, and the SHA-256 over their names and contents.

    Raises
    ------
    DataError : as for `existing_file`; a folder without pictures
    """
    if Path(path).is_dir():
        return _folder_fingerprint(path)
    file = existing_file(path)
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return {"path": str(path), "size": file.stat().st_size, "sha256": digest}


def _folder_fingerprint(path: str | Path) -> dict[str, str | int]:
    digest = hashlib.sha256()
    total = 0
    for name in list_pictures(path).files:
        content = (Path(path) / name).read_bytes()
        digest.update(f"{name}\n{len(content)}\n".encode())
        digest.update(content)
        total += len(content)
    return {"path": str(path), "size": total, "sha256": digest.hexdigest()}


def _parts(array: np.ndarray[Any, Any]) -> Iterator[np.ndarray[Any, Any]]:
    if array.size == 0:
        return
    if array.flags.c_contiguous:
        flat = array.reshape(-1).view(np.uint8)
        for start in range(0, len(flat), CHUNK):
            yield flat[start : start + CHUNK]
        return
    rows = max(1, CHUNK * len(array) // max(1, array.nbytes))
    for start in range(0, len(array), rows):
        yield np.ascontiguousarray(array[start : start + rows]).reshape(-1).view(np.uint8)
