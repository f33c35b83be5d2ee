"""The folder a run is written to: chosen, tried before anything is computed, and never left half made."""

from __future__ import annotations

import contextlib
import json
import math
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glassnet.errors import RunError

if TYPE_CHECKING:
    from glassnet.training.run import Run

RUNS = "runs"
METRICS = "metrics.json"
DIAGNOSIS, DIAGNOSIS_PAGE = "diagnosis.json", "diagnosis.html"
BASELINE = "baseline"
OURS = (METRICS, DIAGNOSIS, DIAGNOSIS_PAGE, "cost.png", "confusion.png", "boundary.png", "report.html")
"""What a training writes beside the run itself."""


def next_folder(name: str) -> Path:
    """runs/<name>-<n>, n one above the highest there is."""
    plain = re.sub(r"[^\w.-]+", "-", name).strip("-.") or "run"
    taken = [
        int(match[1])
        for entry in Path(RUNS).glob("*")
        if (match := re.fullmatch(re.escape(plain) + r"-(\d+)", entry.name))
    ]
    return Path(RUNS) / f"{plain}-{max(taken, default=0) + 1}"


def try_folder(place: Path, overwrite: bool) -> None:
    """Find out whether a run could be written there, and leave everything as it was.

    Raises
    ------
    RunError : the folder holds something, or cannot be made or written to
    """
    from glassnet.training.files import make_folder, write_bytes

    if place.is_dir() and any(place.iterdir()):
        if not (place / "run.json").exists():
            raise RunError(f"The folder {place} is not empty and holds no run; choose a new folder.")
        if not overwrite:
            raise RunError(f"{place} already holds a run; choose another folder, --resume it, or pass --overwrite.")
    made = _missing(place)
    try:
        make_folder(place)
        write_bytes(place / ".tried", b"tried")
        (place / ".tried").unlink()
    finally:
        _remove_empty(made)


@contextlib.contextmanager
def whole_or_nothing(place: Path) -> Iterator[None]:
    """What fails in here leaves no folder without a run in it."""
    made = _missing(place)
    try:
        yield
    except BaseException:
        if place in made and not (place / "run.json").exists():
            shutil.rmtree(place, ignore_errors=True)
            _remove_empty(made)
        raise


def forget_judgement(place: Path) -> None:
    """Remove numbers and pictures of an earlier state of the network, which a training will make untrue."""
    for name in OURS:
        (place / name).unlink(missing_ok=True)


def forget_results(place: Path) -> None:
    """Remove all that an earlier training wrote beside its run."""
    forget_judgement(place)
    shutil.rmtree(place / BASELINE, ignore_errors=True)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """JSON for people and programs, written whole or not at all.

    Raises
    ------
    RunError : it cannot be written
    """
    from glassnet.training.files import write_bytes

    write_bytes(path, (as_json(content) + "\n").encode())


def as_json(content: Mapping[str, Any]) -> str:
    """JSON, indented, with a line for each row of numbers; what is not finite is null."""
    text = json.dumps(_finite(content), indent=2, ensure_ascii=False, default=str)
    return re.sub(r"\[\s+((?:[\w.+-]+,\s+)*[\w.+-]+)\s+\]", lambda m: "[" + re.sub(r",\s+", ", ", m[1]) + "]", text)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def load_run(place: str, skip_damaged: bool = False) -> Run:
    """A run from its folder.

    Raises
    ------
    RunError : as for `Run.load`; the nearest folder is offered when there is none of that name
    """
    from glassnet.errors import nearest
    from glassnet.training.run import Run

    folder = Path(place)
    if not folder.exists():
        around = folder.parent
        names = sorted(entry.name for entry in around.iterdir() if entry.is_dir()) if around.is_dir() else []
        near = nearest(folder.name, names)
        hint = f"; did you mean '{around / near}'?" if near else "; glassnet train writes one."
        raise RunError(f"There is no run folder '{place}'{hint}")
    return Run.load(folder, damaged="skip" if skip_damaged else "error")


def _missing(place: Path) -> list[Path]:
    """The folders that would have to be made, innermost first."""
    missing: list[Path] = []
    for folder in (place, *place.parents):
        if folder.exists() or folder.is_symlink():
            break
        missing.append(folder)
    return missing


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()
