"""Arrays in files: IDX (MNIST's format), HDF5 and NumPy's own."""

from __future__ import annotations

import math
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.data.files import existing_file, read_bytes
from glassnet.errors import DataError, nearest

Array = np.ndarray[Any, Any]

IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_IDX = re.compile(r"(\.idx|[-._]idx\d(-\w+)?|[-._]ubyte)(\.gz)?$", re.IGNORECASE)
_HDF5 = re.compile(r"\.(h5|hdf5|hdf|he5)$", re.IGNORECASE)
_NUMPY = re.compile(r"\.np[yz]$", re.IGNORECASE)


def is_array_source(text: str) -> bool:
    """Whether a name is that of an array file: IDX, HDF5 (with or without ``::dataset``), .npy or .npz."""
    path, _ = _divide(text)
    return any(pattern.search(path) for pattern in (_IDX, _HDF5, _NUMPY))


def read_array(source: str | Path) -> Array:
    """Read an array file, by the ending of its name.

    Parameters
    ----------
    source : an IDX file (``-ubyte``, ``.idx``, plain or gzip), ``file.h5::dataset``, ``file.npy``,
        ``file.npz::array``

    Raises
    ------
    DataError : as for `existing_file`; the ending is none of these; the content is not what the ending says
    """
    path, name = _divide(str(source))
    if _HDF5.search(path):
        return read_hdf5(source)
    if _NUMPY.search(path):
        return _read_numpy(existing_file(path), name)
    if _IDX.search(path):
        return read_idx(path)
    raise DataError(
        f"'{source}' is not the name of an array file; IDX files end in -ubyte or .idx (.gz), HDF5 in .h5 or .hdf5, "
        "NumPy's in .npy or .npz."
    )


def read_idx(path: str | Path) -> Array:
    """Read an IDX file, plain or gzip, into an array of the shape and type its first bytes state.

    Raises
    ------
    DataError : as for `existing_file`; it is not IDX; it is shorter or longer than its header says

    Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database", the section on the file format.
    """
    file = existing_file(path)
    content = read_bytes(file)
    if len(content) < 4 or content[:2] != b"\x00\x00" or content[2] not in IDX_TYPES or content[3] == 0:
        raise DataError(
            f"'{file}' is not an IDX file (it begins with {content[:4].hex(' ') or 'nothing'}, not with 00 00, a type "
            "and a number of axes); pass one like train-images-idx3-ubyte."
        )
    dtype = np.dtype(IDX_TYPES[content[2]])
    start = 4 + 4 * content[3]
    shape = struct.unpack(f">{content[3]}I", content[4:start]) if len(content) >= start else ()
    expected = start + math.prod(shape) * dtype.itemsize
    if not shape or len(content) < expected:
        stated = " × ".join(str(size) for size in shape) or f"{content[3]} axes"
        raise DataError(
            f"'{file}' is cut short: its header says {stated}, which takes {expected} bytes, and it has "
            f"{len(content)}; copy or download it again."
        )
    if len(content) > expected:
        raise DataError(
            f"'{file}' has {len(content) - expected} bytes more than its header says ({expected}); it is damaged or "
            "not an IDX file: copy or download it again."
        )
    array = np.frombuffer(content, dtype, offset=start).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=dtype.itemsize > 1)


def read_hdf5(source: str | Path) -> Array:
    """Read one data set of an HDF5 file, ``file.h5::dataset``; the name may be left out when there is only one.

    Raises
    ------
    DataError : as for `existing_file`; h5py is not installed; it is not HDF5; the name is missing or unknown
    """
    path, name = _divide(str(source))
    file = existing_file(path)
    try:
        import h5py
    except ImportError:
        raise DataError(f"Reading '{file}' needs h5py; install it with: pip install glassnet[hdf5]") from None
    try:
        with h5py.File(file, "r") as content:
            found: list[str] = []
            content.visititems(lambda key, item: found.append(key) if isinstance(item, h5py.Dataset) else None)
            array = np.asarray(content[_one_of(file, name, found)][()])
    except OSError as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise DataError(f"'{file}' is not a whole HDF5 file ({reason}); copy or write it again.") from None
    if array.dtype.kind == "O":
        return np.array([item.decode() if isinstance(item, bytes) else str(item) for item in array.flat]).reshape(
            array.shape
        )
    return np.char.decode(array, "utf-8") if array.dtype.kind == "S" else array


def _read_numpy(file: Path, name: str | None) -> Array:
    try:
        content = np.load(file, allow_pickle=False)
        if isinstance(content, np.ndarray):
            return content
        with content:
            return np.asarray(content[_one_of(file, name, list(content.files))])
    except DataError:
        raise
    except (ValueError, OSError, EOFError) as error:
        reason = "it holds Python objects, which are never unpickled" if "pickle" in str(error) else str(error)
        raise DataError(f"'{file}' is not a NumPy file of numbers ({reason}); write it with numpy.save.") from None


def _one_of(file: Path, name: str | None, found: list[str]) -> str:
    wanted = name.strip("/") if name else None
    if wanted in found:
        return str(wanted)
    if wanted is None and len(found) == 1:
        return found[0]
    if not found:
        raise DataError(f"'{file}' holds no data set; write at least one array into it.")
    listed = ", ".join(found[:30]) + (f" and {len(found) - 30} more" if len(found) > 30 else "")
    if wanted is None:
        raise DataError(f"'{file}' holds {len(found)} data sets; name one, as in {file}::{found[0]}. Known: {listed}.")
    near = nearest(wanted, found)
    hint = f"; did you mean '{near}'?" if near else "."
    raise DataError(f"'{file}' holds no data set '{wanted}'{hint} Known: {listed}.")


def _divide(text: str) -> tuple[str, str | None]:
    """'file.h5::name' → ('file.h5', 'name')."""
    path, mark, name = text.partition("::")
    return path, (name or None) if mark else None
