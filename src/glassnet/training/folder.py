"""A run as a folder: run.json, history.parquet, data.safetensors and snapshots/NNNNNNNN.safetensors."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import GlassnetWarning, RunError, unknown_name
from glassnet.training.arrays import Samples, sparse
from glassnet.training.files import (
    DamagedFile,
    load_arrays,
    load_json,
    load_table,
    make_folder,
    reason,
    save_arrays,
    save_json,
    save_table,
)
from glassnet.training.history import History
from glassnet.training.snapshots import Snapshots

if TYPE_CHECKING:
    from glassnet.training.run import Run

FORMAT = 1
KEPT_DATA = 16 * 2**20
"""Data up to this many bytes are kept beside the run."""
OWN_FILES = ("run.json", "history.parquet", "data.safetensors", "rows.safetensors")


def claim_folder(place: Path, overwrite: bool) -> None:
    """Make a folder for a run, refusing to mix it with anything that is there.

    Raises
    ------
    RunError : it holds a run (and overwrite is False) or other files
    """
    if occupied(place):
        if not (place / "run.json").exists():
            raise RunError(f"The folder {place} is not empty and holds no run; choose a new folder.")
        if not overwrite:
            raise RunError(
                f"{place} already holds a run; choose another folder, resume it, or pass overwrite=True "
                "(command line: --overwrite)."
            )
        discard_run(place)
    make_folder(place)


def occupied(place: Path) -> bool:
    """Whether there is a folder with something in it.

    Raises
    ------
    RunError : no path of that name can be
    """
    try:
        return place.is_dir() and any(place.iterdir())
    except (OSError, ValueError) as problem:
        why = reason(problem) if isinstance(problem, OSError) else str(problem)
        raise RunError(f"The folder {str(place)[:80]!r} cannot be used: {why}.") from None


def folder_path(value: object, what: str) -> Path:
    """A folder given as text or a path.

    Raises
    ------
    RunError : it is neither
    """
    if isinstance(value, str | Path) and str(value):
        if "\0" in str(value):
            raise RunError(f"The folder {str(value)!r} cannot be used: a path holds no null character.")
        return Path(value)
    raise RunError(f"{what} got {value!r}; it needs the path of a run folder.")


def data_fingerprint(samples: Samples) -> str:
    """What these samples are, in 64 characters."""
    from glassnet.data import fingerprint

    X = samples.X
    parts = [*((np.array(X.shape), X.data, X.indices, X.indptr) if sparse(X) else (X,)), samples.Y]
    return fingerprint(*parts, samples.w) if samples.w is not None else fingerprint(*parts)


def discard_run(place: Path) -> None:
    """Remove what a run wrote, and the folder when nothing else is in it."""
    for name in OWN_FILES:
        (place / name).unlink(missing_ok=True)
    shutil.rmtree(place / "snapshots", ignore_errors=True)
    if place.is_dir() and not any(place.iterdir()):
        place.rmdir()


def write_run(run: Run, place: Path, data: bool | None, with_data: bool) -> None:
    """Bring a run folder up to date; history first, so that no snapshot is newer than it."""
    run.identify()
    if with_data and run.data is not None:
        _write_data(run, run.data, place, data)
    if len(run.history):
        save_table(place / "history.parquet", run.history.to_dict(), run.facts["id"])
    run.snapshots.write(place, run.facts["id"])
    described = {
        "format": FORMAT,
        "network": str(run.network),
        "iteration": run.iteration,
        "settings": run.settings.to_plain(),
        "preparation": None if run.preparation is None else run.preparation.to_dict(),
        "facts": run.facts,
    }
    save_json(place / "run.json", described)


def _write_data(run: Run, samples: Samples, place: Path, keep: bool | None) -> None:
    if keep is None:
        keep = samples.nbytes + (run.validation.nbytes if run.validation else 0) <= KEPT_DATA
    run.facts["data"]["kept"] = bool(keep)
    if not keep:
        return
    arrays = stored_samples(samples)
    if run.validation is not None:
        arrays |= stored_samples(run.validation, "validation_")
    save_arrays(place / "data.safetensors", arrays, {"rows": len(samples)})


def read_run(place: Path, damaged: str) -> tuple[dict[str, Any], Snapshots, History, Samples | None, Samples | None]:
    """run.json, snapshots, history, data and validation data of a run folder.

    Raises
    ------
    RunError : no such folder, no run in it, or a damaged file (the sentence names it and says what still loads)
    """
    if damaged not in ("error", "skip"):
        raise RunError(unknown_name("way to treat damaged files", damaged, ["error", "skip"]))
    occupied(place)
    if not place.exists():
        raise RunError(f"There is no run folder {place}; train with out='{place}' or give another path.")
    if not (place / "run.json").is_file():
        raise RunError(f"{place} is no run folder: it has no run.json. Give the folder that a training wrote.")
    described = load_json(place / "run.json")
    if described.get("format") != FORMAT:
        raise RunError(
            f"{place} has the format {described.get('format')!r}; this glassnet reads format {FORMAT}. "
            "Use the version that wrote it."
        )
    facts = described.get("facts") or {}
    if not {"id", "batches", "data"} <= set(facts):
        raise DamagedFile(place / "run.json", "it lacks what tells one run from another")
    snapshots, broken = Snapshots.read(place, described["settings"]["record"], facts["id"])
    history = History()
    try:
        if (place / "history.parquet").exists():
            history = History(load_table(place / "history.parquet", facts["id"]))
        if len(snapshots) and len(history) < snapshots.iterations[-1] // facts["batches"]:
            raise DamagedFile(place / "history.parquet", "it is missing, or lacks epochs that the snapshots have")
    except DamagedFile as problem:
        broken.append(problem)
        history = History()
    data, validation = None, None
    if (place / "data.safetensors").exists():
        try:
            data, validation = _read_data(place / "data.safetensors")
            if data_fingerprint(data) != facts["data"]["fingerprint"]:
                data, validation = None, None
                raise DamagedFile(place / "data.safetensors", "its data are not those of this run")
        except DamagedFile as problem:
            broken.append(problem)
    if not len(snapshots):
        named = str(broken[0]) if broken else f"{place} has no snapshots."
        raise RunError(f"{named} No other snapshot is left, so the run cannot be loaded.")
    if broken:
        _report(broken, snapshots, damaged)
    return described, snapshots, history, data, validation


def _read_data(path: Path) -> tuple[Samples, Samples | None]:
    arrays, _ = load_arrays(path)
    samples = samples_from(arrays)
    if samples is None:
        raise DamagedFile(path, "it holds no X and Y")
    return samples, samples_from(arrays, "validation_")


def stored_samples(samples: Samples, prefix: str = "") -> dict[str, np.ndarray]:
    """Samples as named arrays: X, Y, w; a sparse X as the three arrays of its CSR form and its shape."""
    X = samples.X
    arrays = {"Y": samples.Y} if samples.w is None else {"Y": samples.Y, "w": samples.w}
    if sparse(X):
        arrays |= {"X.data": X.data, "X.indices": X.indices, "X.indptr": X.indptr, "X.shape": np.array(X.shape)}
    else:
        arrays["X"] = X
    return {prefix + name: array for name, array in arrays.items()}


def samples_from(arrays: dict[str, np.ndarray], prefix: str = "") -> Samples | None:
    """The samples that `stored_samples` named, or None."""
    found = {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
    if {"X.data", "X.indices", "X.indptr", "X.shape"} <= set(found):
        from scipy.sparse import csr_array

        rows, columns = (int(d) for d in found["X.shape"])
        found["X"] = csr_array((found["X.data"], found["X.indices"], found["X.indptr"]), shape=(rows, columns))
    if "X" not in found or "Y" not in found:
        return None
    return Samples(found["X"], found["Y"], found.get("w"))


def _report(broken: list[DamagedFile], snapshots: Snapshots, damaged: str) -> None:
    first, last = snapshots.iterations[0], snapshots.iterations[-1]
    names = "; ".join(str(problem).rstrip(".") for problem in broken)
    left = f"{len(snapshots)} snapshots from iteration {first} to {last} are whole"
    if damaged == "error":
        raise RunError(
            f"{names}. Without it the run can still be loaded: {left}, and what lies between is replayed. "
            "Pass damaged='skip' (command line: --skip-damaged) to do so."
        )
    warnings.warn(f"{names}. The run is loaded without it: {left}.", GlassnetWarning, stacklevel=5)
