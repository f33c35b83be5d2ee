"""Which pictures a folder holds, and of what classes, before any of them is read."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from glassnet.data.image_files import is_image_source
from glassnet.errors import DataError, nearest

TRAIN = ("train", "training")
TEST = ("test", "testing")
WATCHED = ("val", "valid", "validation")


@dataclass(frozen=True)
class Listing:
    """The pictures of a folder before any is read: their files within it, and the class of each (None: no classes)."""

    folder: Path
    files: list[str]
    labels: list[str] | None
    notes: list[str]


def divided(folder: str | Path) -> tuple[Path, Path | None]:
    """The folder to train on and the one to test on: its train/ and test/, or itself and None.

    validation/ serves as the test where there is no test/.

    Raises
    ------
    DataError : no such folder
    """
    root = existing_folder(folder)
    names = {entry.name.lower(): entry for entry in _subfolders(root)}
    train = next((names[name] for name in TRAIN if name in names), None)
    if train is None or not set(names) <= {*TRAIN, *TEST, *WATCHED}:
        return root, None
    return train, next((names[name] for name in (*TEST, *WATCHED) if name in names), None)


def list_classes(folder: str | Path, fewest: int = 2) -> Listing:
    """The pictures of a folder by class.

    Parameters
    ----------
    fewest : how many classes there must be at least

    Raises
    ------
    DataError : no such folder; no subfolders, fewer of them than that; a class without pictures
    """
    root = existing_folder(folder)
    files: list[str] = []
    labels: list[str] = []
    strange: list[str] = []
    classes = _subfolders(root)
    beside = [entry.name for entry in _files(root)]
    if not classes:
        held = "pictures but no subfolders" if any(map(is_image_source, beside)) else "no pictures"
        raise DataError(
            f"'{root}' holds {held}; it needs one subfolder of pictures for each class, as in {root}/CLASS/1.png."
        )
    for place in classes:
        found, others = _pictures(place)
        if not found:
            raise DataError(
                f"The class '{place.name}' of '{root}' holds no pictures; put PNG or JPEG files there, or remove the folder."
            )
        files += [entry.relative_to(root).as_posix() for entry in found]
        labels += [place.name] * len(found)
        strange += others
    if len(classes) < fewest:
        raise DataError(
            f"'{root}' holds one class only, '{classes[0].name}'; a classifier needs two or more, one subfolder each."
        )
    notes = []
    if beside:
        notes.append(_left_out(beside, f"beside the class folders of '{root}'", ""))
    if strange:
        notes.append(_left_out(strange, f"in '{root}'", "no picture and "))
    return Listing(root, files, labels, notes)


def list_pictures(folder: str | Path) -> Listing:
    """All pictures in a folder, however deep, without classes.

    Raises
    ------
    DataError : no such folder, or no pictures in it
    """
    root = existing_folder(folder)
    found, others = _pictures(root)
    if not found:
        raise DataError(f"'{root}' holds no pictures; it needs PNG or JPEG files.")
    notes = [_left_out(others, f"in '{root}'", "no picture and ")] if others else []
    return Listing(root, [entry.relative_to(root).as_posix() for entry in found], None, notes)


def existing_folder(folder: str | Path) -> Path:
    """The path, once it is known to be a folder that may be read.

    Raises
    ------
    DataError : there is none; it is a file; it may not be read
    """
    root = Path(folder)
    if root.is_file():
        raise DataError(f"'{root}' is a file; name a folder with one subfolder of pictures for each class.")
    if not root.is_dir():
        around = sorted(entry.name for entry in root.parent.iterdir()) if root.parent.is_dir() else []
        near = nearest(root.name, around)
        raise DataError(f"There is no folder '{root}'" + (f"; did you mean '{root.parent / near}'?" if near else "."))
    try:
        next(root.iterdir(), None)
    except PermissionError:
        raise DataError(f"'{root}' may not be read; change its permissions, for instance with chmod u+rx.") from None
    return root


def _subfolders(root: Path) -> list[Path]:
    return sorted(entry for entry in root.iterdir() if entry.is_dir() and not _hidden(entry))


def _files(root: Path) -> list[Path]:
    return sorted(entry for entry in root.iterdir() if entry.is_file() and not _hidden(entry))


def _pictures(root: Path) -> tuple[list[Path], list[str]]:
    """The pictures below a folder, in the order of their paths, and the names of other files."""
    found: list[Path] = []
    others: list[str] = []
    for place, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
        for entry in (Path(place) / name for name in sorted(names)):
            if _hidden(entry):
                continue
            if is_image_source(entry.name):
                found.append(entry)
            else:
                others.append(entry.name)
    return found, others


def _hidden(entry: Path) -> bool:
    """What systems leave in folders: hidden files, Thumbs.db, __MACOSX."""
    return entry.name.startswith((".", "__")) or entry.name.lower() in ("thumbs.db", "desktop.ini")


def _left_out(names: list[str], where: str, why: str) -> str:
    shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    if len(names) == 1:
        return f"1 file {where} is {why}left out ({shown})."
    return f"{len(names)} files {where} are {why.replace('picture', 'pictures')}left out ({shown})."
