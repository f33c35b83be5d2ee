"""Samples that are arrays, wherever they come from: an array file, a folder of pictures, or one picture."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.data.arrays import is_array_source, read_array
from glassnet.data.image_files import (
    GREY,
    Array,
    Size,
    check_channels,
    check_fit,
    check_size,
    is_image_source,
    read_image,
)
from glassnet.data.image_folder import read_listing, settle_pictures
from glassnet.data.image_listing import list_classes, list_pictures
from glassnet.data.picture_arrays import images, picture_layout
from glassnet.data.picture_tables import pixels
from glassnet.data.tables import read_table
from glassnet.errors import DataError

_FIT_SAID = {
    "stretch": "stretched where their shape is another",
    "crop": "what sticks out is cropped",
    "pad": "padded with black",
}


@dataclass(frozen=True)
class PictureOptions:
    """How pictures are read, as `image_folder` takes it; a run remembers it.

    Raises
    ------
    DataError : a setting that is none
    """

    size: Size | None = None
    channels: int | str = "auto"
    fit: str = "stretch"
    damaged: str = "error"

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", check_size(self.size))
        check_channels(self.channels)
        check_fit(self.fit)

    @property
    def given(self) -> bool:
        """Whether something is asked of the size or the colours."""
        return self.size is not None or self.channels != "auto"

    def to_dict(self) -> dict[str, Any]:
        """The settings, as values JSON can hold."""
        return asdict(self)

    @classmethod
    def from_dict(cls, d: Mapping[str, Any]) -> PictureOptions:
        """The settings that `to_dict` described."""
        size = d.get("size")
        return cls(None if size is None else tuple(size), d["channels"], d["fit"], d["damaged"])


@dataclass(frozen=True)
class Samples:
    """Samples in an array.

    Attributes
    ----------
    X : (m, ...); of pictures in files, bytes (m, channels, height, width)
    labels : (m,) labels; None when there are none
    files : the name of each picture within its folder; None for array files
    options : how pictures were read, with the size and the channels that were found
    notes : what is worth knowing about the reading, a sentence each
    """

    X: Array
    labels: Array | None
    files: list[str] | None
    options: PictureOptions
    notes: list[str] = field(default_factory=list)


def is_sample_source(text: str) -> bool:
    """Whether a name is that of an array file, a picture or a folder."""
    return is_array_source(text) or is_image_source(text) or os.path.isdir(text)


def read_samples(
    data: str,
    target: str | None = None,
    options: PictureOptions | None = None,
    *,
    labelled: bool = True,
    fewest: int = 1,
) -> Samples:
    """Read samples and their labels.

    Parameters
    ----------
    data : an array file; a folder of pictures, whose subfolders are the labels; or a picture
    target : the array file of the labels of an array file
    options : how pictures are read; an array's pictures are resized and recoloured only when they say so
    labelled : False leaves the labels out, and takes pictures however deep they lie
    fewest : how many classes a folder needs

    Raises
    ------
    DataError : as for `read_array`, `image_folder` and `read_image`; labels that do not fit the samples; a label where none
        can be named
    """
    wanted = options or PictureOptions()
    if os.path.isdir(data) or is_image_source(data):
        if target is not None:
            raise DataError(
                f"'{data}' is a folder of pictures, labelled by its subfolders; leave the target '{target}' out, or name "
                "one file in it."
            )
        return _picture(data, wanted, labelled) if not os.path.isdir(data) else _folder(data, wanted, labelled, fewest)
    X = read_array(data)
    labels = None
    if labelled:
        if target is None:
            raise DataError(f"The labels of '{data}' are missing; name the array file that holds them.")
        labels = read_array(target)
        if labels.ndim == 2 and 1 in labels.shape:
            labels = labels.reshape(-1)
        if labels.ndim != 1 or len(labels) != len(X):
            raise DataError(
                f"'{target}' has shape {labels.shape} for the {len(X)} samples of '{data}'; it needs one label each."
            )
    if not wanted.given:
        return Samples(X, labels, None, wanted)
    before = picture_layout(X.shape[1:], whole=X.shape)[1]
    maps = images(X, size=wanted.size, channels=wanted.channels, fit=wanted.fit, scaling="bytes")
    notes = []
    if maps.shape[2:] != before[1:]:
        sizes = [f"{high}×{wide}" for high, wide in (before[1:], maps.shape[2:])]
        notes.append(f"Pictures are resized from {sizes[0]} to {sizes[1]}.")
    if maps.shape[1] != before[0]:
        notes.append(
            "Pictures in colour are made grey." if maps.shape[1] == GREY else "Grey pictures get three channels."
        )
    return Samples(maps, labels, None, wanted, notes)


def read_described(described: Mapping[str, Any]) -> tuple[Array, Array]:
    """The samples and labels of a run's source, read as they were read for its training.

    Parameters
    ----------
    described : "data", "target"; for pictures, "pictures" (`PictureOptions.to_dict`); for pictures in rows or tables,
        "pixels", the shape of one

    Raises
    ------
    DataError : as for `read_samples`
    """
    data, target, shape = described["data"], described["target"], described.get("pixels")
    if shape is not None and not is_sample_source(data):
        table = read_table(data, delimiter=described["delimiter"], header=described["header"])
        return pixels(table, target, tuple(shape)), np.asarray(table.column(target).to_numpy())
    pictures = described.get("pictures")
    options = None if pictures is None else PictureOptions.from_dict(pictures)
    found = read_samples(data, None if os.path.isdir(data) else target, options)
    assert found.labels is not None
    return found.X if shape is None else found.X.reshape(-1, *shape), found.labels


def _folder(data: str, wanted: PictureOptions, labelled: bool, fewest: int) -> Samples:
    listing = list_classes(data, fewest) if labelled else list_pictures(data)
    size, channels = settle_pictures(listing, wanted.size, wanted.channels, wanted.fit, wanted.damaged)
    found = read_listing(listing, size, channels, wanted.fit, wanted.damaged)
    settled = replace(wanted, size=size, channels=channels)
    notes = list(found.notes)
    if wanted.size is not None:
        notes.append(f"Pictures of another size are resized to {size[0]}×{size[1]} ({_FIT_SAID[wanted.fit]}).")
    return Samples(found.X, found.labels if labelled else None, found.files, settled, notes)


def _picture(data: str, wanted: PictureOptions, labelled: bool) -> Samples:
    if labelled:
        raise DataError(f"'{data}' is one picture without a label; pass a folder with one subfolder for each class.")
    picture = read_image(data, size=wanted.size, channels=wanted.channels, fit=wanted.fit)
    maps = picture[None] if picture.ndim == 2 else np.moveaxis(picture, -1, 0)
    settled = replace(wanted, size=picture.shape[:2], channels=len(maps))
    return Samples(np.ascontiguousarray(maps[None]), None, [Path(data).name], settled)
