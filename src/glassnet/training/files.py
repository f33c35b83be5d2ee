"""Files that say of themselves whether they are whole.

Each is written under a temporary name and renamed, so a kill at any moment leaves the old file or the new one. Each
carries a SHA-256 of its content, so a truncated or altered one is recognised. Nothing is ever unpickled.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.errors import RunError

CHECKSUM = "sha256"
PLACEHOLDER = b"glassnet" * 8


class DamagedFile(RunError):
    """A file of a run folder is truncated, altered or unreadable; `path` names it."""

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(f"{path} is damaged: {what}.")
        self.path = path


def write_bytes(path: Path, content: bytes) -> None:
    """Write and rename.

    Raises
    ------
    RunError : no space left, no permission, no such folder; the sentence says which
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(content)
        os.replace(temporary, path)
    except OSError as problem:
        temporary.unlink(missing_ok=True)
        raise RunError(f"{path} could not be written: {reason(problem)}.") from None


def make_folder(path: Path) -> None:
    """Create a folder and its parents.

    Raises
    ------
    RunError : a file is in the way, or the place is read-only
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise RunError(f"The folder {path} could not be made: {reason(problem)}.") from None


def reason(problem: OSError) -> str:
    sentences = {
        errno.ENOSPC: "the disk is full; free some space or choose another folder",
        errno.EACCES: "permission denied; choose a folder you may write to",
        errno.EPERM: "permission denied; choose a folder you may write to",
        errno.EROFS: "the file system is read-only; choose a folder you may write to",
        errno.EEXIST: "a file of that name is in the way; choose another folder",
        errno.ENOTDIR: "a part of the path is a file, not a folder; choose another folder",
        errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
    }
    return sentences.get(problem.errno or 0, (problem.strerror or str(problem)).lower())


def _digest(*parts: bytes) -> str:
    hashed = hashlib.sha256()
    for part in parts:
        hashed.update(struct.pack("<q", len(part)))
        hashed.update(part)
    return hashed.hexdigest()


def _array_parts(arrays: Mapping[str, np.ndarray]) -> list[bytes]:
    parts: list[bytes] = []
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        parts += [f"{name} {array.dtype.str} {array.shape}".encode(), array.tobytes()]
    return parts


def save_arrays(path: Path, arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> None:
    """Arrays and a JSON description in one safetensors file with its checksum."""
    from safetensors.numpy import save

    described = json.dumps(facts, sort_keys=True)
    contiguous = {name: np.ascontiguousarray(a) for name, a in arrays.items()}
    checksum = _digest(described.encode(), *_array_parts(contiguous))
    write_bytes(path, save(contiguous, metadata={"facts": described, CHECKSUM: checksum}))


def load_arrays(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """What `save_arrays` wrote.

    Raises
    ------
    DamagedFile : truncated, altered, or not such a file
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        content = path.read_bytes()
    except OSError as problem:
        raise DamagedFile(path, f"it cannot be read ({reason(problem)})") from None
    try:
        (length,) = struct.unpack("<Q", content[:8])
        metadata = json.loads(content[8 : 8 + length])["__metadata__"]
        arrays = load(content)
        described, checksum = metadata["facts"], metadata[CHECKSUM]
    except (struct.error, ValueError, KeyError, TypeError, SafetensorError, UnicodeDecodeError):
        raise DamagedFile(path, "it is truncated or not a file of glassnet's") from None
    if _digest(described.encode(), *_array_parts(arrays)) != checksum:
        raise DamagedFile(path, "its content is not what was written (the checksum differs)")
    return arrays, json.loads(described)


def save_json(path: Path, content: Mapping[str, Any]) -> None:
    """A JSON object with its checksum, indented for people."""
    body = json.dumps(content, sort_keys=True)
    whole = {CHECKSUM: _digest(body.encode()), **content}
    write_bytes(path, (json.dumps(whole, indent=1, ensure_ascii=False) + "\n").encode())


def load_json(path: Path) -> dict[str, Any]:
    """What `save_json` wrote.

    Raises
    ------
    DamagedFile : truncated or altered
    """
    try:
        whole = json.loads(path.read_text(encoding="utf-8"))
        checksum = whole.pop(CHECKSUM)
    except OSError as problem:
        raise DamagedFile(path, f"it cannot be read ({reason(problem)})") from None
    except (ValueError, KeyError, AttributeError, TypeError):
        raise DamagedFile(path, "it is truncated or no JSON of glassnet's") from None
    if _digest(json.dumps(whole, sort_keys=True).encode()) != checksum:
        raise DamagedFile(path, "its content is not what was written (the checksum differs)")
    return dict(whole)


def save_table(path: Path, columns: Mapping[str, np.ndarray], owner: str) -> None:
    """Columns of numbers as Parquet, with a checksum of the whole file in its metadata.

    The checksum is computed with a placeholder of equal length in its own place.
    """
    import io

    import pyarrow as pa
    from pyarrow import parquet

    table = pa.table({name: pa.array(values) for name, values in columns.items()})
    buffer = io.BytesIO()
    parquet.write_table(table.replace_schema_metadata({CHECKSUM: PLACEHOLDER, "run": owner}), buffer)
    content = buffer.getvalue()
    write_bytes(path, content.replace(PLACEHOLDER, _digest(content).encode(), 1))


def load_table(path: Path, owner: str) -> dict[str, np.ndarray]:
    """What `save_table` wrote for this owner.

    Raises
    ------
    DamagedFile : truncated, altered, or another run's
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        content = path.read_bytes()
        whole = parquet.ParquetFile(pa.BufferReader(content))
        metadata = whole.metadata.metadata or {}
        checksum: bytes = metadata[CHECKSUM.encode()]
        table = whole.read()
    except OSError as problem:
        if problem.errno is not None:
            raise DamagedFile(path, f"it cannot be read ({reason(problem)})") from None
        raise DamagedFile(path, "it is truncated or no Parquet file") from None
    except (pa.ArrowException, KeyError):
        raise DamagedFile(path, "it is truncated or no Parquet file of glassnet's") from None
    if _digest(content.replace(checksum, PLACEHOLDER, 1)).encode() != checksum:
        raise DamagedFile(path, "its content is not what was written (the checksum differs)")
    if metadata.get(b"run", b"").decode() != owner:
        raise DamagedFile(path, "it belongs to another run")
    return {name: table[name].to_numpy() for name in table.column_names}
