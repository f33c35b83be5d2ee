"""A folder of pictures, one subfolder a class: read picture by picture into arrays of their final size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.data.image_files import (
    COLOUR,
    GREY,
    Array,
    Size,
    check_channels,
    check_fit,
    check_size,
    look_at_image,
    read_image,
)
from glassnet.data.image_listing import Listing, divided, list_classes
from glassnet.data.picture_arrays import check_scaling, scaled
from glassnet.errors import DataError, unknown_name

DAMAGED = ("error", "skip")


@dataclass(frozen=True)
class Images:
    """Pictures with their labels.

    Attributes
    ----------
    X : (m, channels, height, width)
    labels : (m,) class names
    classes : the class names, sorted
    files : where each picture lies, within the folder
    skipped : damaged pictures that were left out
    notes : what is worth knowing about the reading, a sentence each
    test : the pictures of the subfolder test/, where there is one beside train/
    """

    X: Array
    labels: Array
    classes: list[str]
    files: list[str]
    skipped: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    test: Images | None = None

    def __len__(self) -> int:
        return len(self.X)

    def __repr__(self) -> str:
        shape = " × ".join(str(size) for size in self.X.shape[1:])
        classes = ", ".join(self.classes[:10]) + (", ..." if len(self.classes) > 10 else "")
        beside = "" if self.test is None else f", and {len(self.test)} to test on"
        return f"{len(self)} pictures of {shape}, classes {classes}{beside}"


def image_folder(
    folder: str | Path,
    size: int | Size | None = None,
    *,
    channels: int | str = "auto",
    fit: str = "stretch",
    scaling: str = "unit",
    damaged: str = "error",
    dtype: str = "float32",
) -> Images:
    """Read a folder of pictures, one subfolder a class (``folder/cat/1.png``), as an image network takes them.

    Where the folder holds the subfolders train/ and test/, the pictures are those of train/, and those of test/ are in
    `test`. Memory is that of the answer and one picture.

    Parameters
    ----------
    folder : its subfolders are the classes; pictures may lie deeper; other files are left out, with a note
    size : one number or (height, width), to which all are resized; not needed when all have one size
    channels : 1 for grey, 3 for colour; "auto" as they are, which must then be one or the other
    fit : what resizing does to another shape: "stretch" it, "crop" what sticks out, or "pad" it with black
    scaling : "unit" is 0 to 1; "standard" then makes the mean of each channel 0 and its standard deviation 1, those of the
        training pictures; "bytes" leaves 0 to 255 (uint8)
    damaged : "error", or "skip" to leave damaged pictures out, with a note
    dtype : of the answer, except for "bytes"

    Raises
    ------
    DataError : no such folder; fewer than two classes; a class without pictures; pictures of different sizes without
        `size`; grey and colour mixed without `channels`; a damaged picture

    Examples
    --------
    >>> pictures = image_folder("images/", size=(32, 32))                                        # doctest: +SKIP
    >>> run = gn.train(network, pictures.X, pictures.labels == "cat")                            # doctest: +SKIP
    """
    check_scaling(scaling)
    _check_damaged(damaged)
    train, test = divided(folder)
    listing = list_classes(train)
    wanted, colours = settle_pictures(listing, size, channels, fit, damaged)
    found = read_listing(listing, wanted, colours, fit, damaged)
    beside = None
    if test is not None:
        held = list_classes(test, fewest=1)
        strange = sorted(set(held.labels or ()) - set(listing.labels or ()))
        if strange:
            raise DataError(
                f"'{test}' holds the class '{strange[0]}', which '{train}' does not; each class to be tested on needs "
                "pictures to train on."
            )
        beside = read_listing(held, wanted, colours, fit, damaged)
    if scaling == "bytes":
        return _with(found, found.X, beside)
    X, moments = scaled(found.X, scaling, dtype)
    if beside is not None:
        beside = _with(beside, scaled(beside.X, scaling, dtype, moments)[0], None)
    return _with(found, X, beside)


def image_batches(
    folder: str | Path,
    batch_size: int = 64,
    size: int | Size | None = None,
    *,
    channels: int | str = "auto",
    fit: str = "stretch",
    damaged: str = "error",
    seed: int | None = None,
    dtype: str = "float32",
) -> Iterator[tuple[Array, Array]]:
    """The pictures of a folder batch by batch, for folders larger than memory.

    Yields (X, labels): X (batch_size, channels, height, width) from 0 to 1, the last batch shorter; labels (batch_size,)
    class names. All settings are checked before the first batch. Where the folder holds train/ and test/, pass one of the two.

    Parameters
    ----------
    batch_size : pictures a batch
    seed : of a random order of the pictures; class by class when None
    folder, size, channels, fit, damaged, dtype : as for `image_folder`

    Raises
    ------
    DataError : as for `image_folder`; a batch size below 1
    """
    if isinstance(batch_size, bool) or not isinstance(batch_size, int | np.integer) or batch_size < 1:
        raise DataError(f"batch_size={batch_size!r} cannot be used; pass a whole number of pictures, 1 or more.")
    _check_damaged(damaged)
    train, test = divided(folder)
    if test is not None:
        raise DataError(f"'{folder}' holds train/ and test/; pass '{train}' or '{test}'.")
    listing = list_classes(train)
    wanted, colours = settle_pictures(listing, size, channels, fit, damaged)
    order = np.arange(len(listing.files))
    if seed is not None:
        order = np.random.Generator(np.random.Philox(seed)).permutation(order)

    def batches() -> Iterator[tuple[Array, Array]]:
        for start in range(0, len(order), batch_size):
            part = order[start : start + batch_size]
            chosen = Listing(
                listing.folder,
                [listing.files[k] for k in part],
                [(listing.labels or [])[k] for k in part],
                [],
            )
            found = _read(chosen, wanted, colours, fit, damaged)
            if len(found):
                yield scaled(found.X, "unit", dtype)[0], found.labels

    return batches()


def settle_pictures(
    listing: Listing, size: int | Size | None, channels: int | str, fit: str, damaged: str
) -> tuple[Size, int]:
    """The size and the channels that all pictures will have, from the heads of their files where they are not given.

    Raises
    ------
    DataError : settings that are none; sizes differ, or grey and colour are mixed, and nothing says what to do
    """
    wanted = check_size(size)
    check_channels(channels)
    check_fit(fit)
    if wanted is not None and channels != "auto":
        return wanted, int(channels)
    seen: dict[tuple[int, int], str] = {}
    colours: dict[int, list[str]] = {GREY: [], COLOUR: []}
    for name in listing.files:
        try:
            look = look_at_image(listing.folder / name)
        except DataError as problem:
            if damaged == "skip":
                continue
            raise _damaged(problem) from None
        seen.setdefault((look.height, look.width), name)
        colours[look.channels].append(name)
    if not seen:
        raise DataError(f"Every picture in '{listing.folder}' is damaged; copy or save them again.")
    problems = []
    if wanted is None and len(seen) > 1:
        (one, a), (two, b) = list(seen.items())[:2]
        problems.append(
            f"pictures of {len(seen)} sizes ('{a}' is {one[0]}×{one[1]}, '{b}' {two[0]}×{two[1]}, height × width): pass "
            "size=(height, width) (command line: --image-size), to which all are resized"
        )
    if channels == "auto" and colours[GREY] and colours[COLOUR]:
        grey, colour = colours[GREY], colours[COLOUR]
        problems.append(
            f"{len(grey)} grey and {len(colour)} colour pictures ('{grey[0]}' is grey, '{colour[0]}' is in colour): pass "
            "channels=1 (command line: --grey) or channels=3 (command line: --colour)"
        )
    if problems:
        raise DataError(f"'{listing.folder}' holds {'; and '.join(problems)}.")
    settled = (COLOUR if colours[COLOUR] else GREY) if channels == "auto" else int(channels)
    return wanted or next(iter(seen)), settled


def read_listing(listing: Listing, size: Size, channels: int, fit: str, damaged: str) -> Images:
    """All pictures of a listing, as bytes (m, channels, h, w).

    Raises
    ------
    DataError : a damaged picture, unless damaged="skip"; all of them, or all of a class, are damaged
    """
    found = _read(listing, size, channels, fit, damaged)
    emptied = sorted(set(listing.labels or ()) - set(found.labels.tolist()))
    if emptied or not len(found):
        of_class = f" of the class '{emptied[0]}'" if emptied else ""
        raise DataError(f"Every picture{of_class} in '{listing.folder}' is damaged; copy or save them again.")
    return found


def _read(listing: Listing, size: Size, channels: int, fit: str, damaged: str) -> Images:
    """Picture by picture into an array of the final size."""
    X = np.empty((len(listing.files), channels, *size), dtype=np.uint8)
    kept: list[int] = []
    skipped: list[str] = []
    for number, name in enumerate(listing.files):
        try:
            picture = read_image(listing.folder / name, size=size, channels=channels, fit=fit)
        except DataError as problem:
            if damaged == "skip":
                skipped.append(name)
                continue
            raise _damaged(problem) from None
        X[len(kept)] = picture if channels == GREY else np.moveaxis(picture, -1, 0)
        kept.append(number)
    notes = list(listing.notes)
    if skipped:
        shown = ", ".join(skipped[:3]) + (", ..." if len(skipped) > 3 else "")
        count = "1 damaged picture is" if len(skipped) == 1 else f"{len(skipped)} damaged pictures are"
        notes.append(f"{count} left out ({shown}).")
    labels = np.array([] if listing.labels is None else [listing.labels[k] for k in kept], dtype=str)
    return Images(
        X[: len(kept)], labels, sorted(set(labels.tolist())), [listing.files[k] for k in kept], skipped, notes
    )


def _with(found: Images, X: Any, test: Images | None) -> Images:
    return Images(X, found.labels, found.classes, found.files, found.skipped, found.notes, test)


def _damaged(problem: DataError) -> DataError:
    """The sentence about a damaged picture of a folder, with what can be done about it."""
    return DataError(f'{str(problem).rstrip(".")}, or leave it out with damaged="skip" (command line: --skip-damaged).')


def _check_damaged(damaged: str) -> None:
    if damaged not in DAMAGED:
        raise DataError(unknown_name("way with damaged pictures", damaged, DAMAGED))
