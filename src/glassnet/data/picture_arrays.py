"""Pictures in arrays: which axis holds the colours, and how they become (m, channels, height, width)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from glassnet.data.arrays import read_array
from glassnet.data.image_files import (
    COLOUR,
    GREY,
    Array,
    Size,
    check_channels,
    check_fit,
    check_size,
    resized_array,
)
from glassnet.errors import DataError, unknown_name

LAYOUTS = ("auto", "grey", "first", "last")
SCALINGS = ("unit", "standard", "bytes")
_COLOURS = (1, 3, 4)
_WEIGHTS = np.array([0.299, 0.587, 0.114])
"""How much of red, green and blue makes grey. Source: ITU-R BT.601."""


def images(
    source: Any,
    *,
    size: int | Size | None = None,
    channels: int | str = "auto",
    layout: str = "auto",
    fit: str = "stretch",
    scaling: str = "unit",
    dtype: str = "float32",
) -> Array:
    """Pictures as an image network takes them, X (m, channels, height, width).

    Parameters
    ----------
    source : an array, or the name of an array file (IDX, ``file.h5::dataset``, .npy), of pictures (m, h, w),
        (m, h, w, channels) or (m, channels, h, w)
    size : one number or (height, width), to which all are resized; as they are when not given
    channels : 1 for grey, 3 for colour, "auto" as they are
    layout : where the channels are: "grey" (nowhere), "last", "first"; "auto" finds an axis of 1, 3 or 4
    fit : what resizing does to another shape: "stretch" it, "crop" what sticks out, or "pad" it with black
    scaling : "unit" divides bytes by 255 (other numbers stay); "standard" then makes the mean of each channel 0 and its
        standard deviation 1; "bytes" leaves the numbers and their type alone
    dtype : of the answer, except for "bytes"

    Raises
    ------
    DataError : as for `read_array`; an array that holds no pictures; NaN or infinity; settings that are none
    """
    array = read_array(source) if isinstance(source, str | Path) else np.asarray(source)
    wanted = check_size(size)
    check_channels(channels)
    check_fit(fit)
    check_scaling(scaling)
    found, _ = picture_layout(array.shape[1:], layout, array.shape)
    if array.dtype.kind not in "uifb":
        raise DataError(f"An array of type {array.dtype} holds no pictures; it needs numbers.")
    maps = channels_first(array, found)
    if channels != "auto" and maps.shape[1] != channels:
        maps = _recoloured(maps, int(channels))
    if wanted is not None and maps.shape[2:] != wanted:
        maps = _resized(maps, wanted, fit)
    return maps if scaling == "bytes" else scaled(maps, scaling, dtype)[0]


def picture_layout(
    sample: tuple[int, ...], layout: str = "auto", whole: tuple[int, ...] | None = None
) -> tuple[str, tuple[int, int, int]]:
    """Where the channels of a sample's shape are, and its (channels, height, width).

    >>> picture_layout((28, 28)), picture_layout((64, 64, 3))
    (('grey', (1, 28, 28)), ('last', (3, 64, 64)))

    Raises
    ------
    DataError : the shape is not that of a picture, or both ends of it could be the channels
    """
    if layout not in LAYOUTS:
        raise DataError(unknown_name("layout", layout, LAYOUTS))
    if len(sample) == 2 and layout in ("auto", "grey"):
        return "grey", (1, sample[0], sample[1])
    if len(sample) == 3 and layout != "grey":
        first, last = sample[0] in _COLOURS, sample[-1] in _COLOURS
        if layout == "auto" and first and last:
            raise DataError(
                f"Samples of shape {sample} can have their channels first or last; pass the layout, 'first' or 'last'."
            )
        if layout == "last" or (layout == "auto" and last and not first):
            return "last", (sample[2], sample[0], sample[1])
        return "first", (sample[0], sample[1], sample[2])
    said = f"An array of shape {whole}" if whole is not None else f"A sample of shape {sample}"
    raise DataError(
        f"{said} holds no pictures; it needs (samples, height, width), (samples, height, width, channels) or (samples, "
        "channels, height, width)."
    )


def channels_first(array: Array, layout: str) -> Array:
    """(m, h, w) or (m, h, w, c) as (m, c, h, w), without copying."""
    if layout == "grey":
        return array[:, None]
    return np.moveaxis(array, -1, 1) if layout == "last" else array


def check_scaling(scaling: str) -> None:
    """Refuse an unknown scaling."""
    if scaling not in SCALINGS:
        raise DataError(unknown_name("scaling", scaling, SCALINGS))


def scaled(maps: Array, scaling: str, dtype: str, moments: tuple[Array, Array] | None = None) -> tuple[Array, Any]:
    """Bytes from 0 to 1, and for "standard" each channel with mean 0 and standard deviation 1.

    Parameters
    ----------
    moments : mean and standard deviation of each channel; those of these pictures when not given

    Returns
    -------
    the pictures, and the moments used (None for "unit")

    Raises
    ------
    DataError : NaN or infinity; a channel that is the same everywhere cannot be standardised
    """
    if dtype not in ("float32", "float64"):
        raise DataError(unknown_name("dtype", dtype, ("float32", "float64")))
    answer = np.empty(maps.shape, dtype=dtype)
    np.copyto(answer, maps, casting="same_kind" if maps.dtype.kind == "f" else "unsafe")
    if maps.dtype == np.uint8:
        answer /= 255
    elif maps.dtype.kind == "f" and not np.isfinite(answer).all():
        number = int(np.argmax(~np.isfinite(answer).reshape(len(answer), -1).all(axis=1)))
        raise DataError(f"Picture {number + 1} holds NaN or infinity; a network needs finite numbers: correct it.")
    if scaling != "standard":
        return answer, None
    if moments is None:
        moments = (
            np.asarray(answer.mean(axis=(0, 2, 3), dtype=np.float64)),
            np.asarray(answer.std(axis=(0, 2, 3), dtype=np.float64)),
        )
    mean, spread = moments
    if (spread == 0).any():
        raise DataError(
            f"Channel {int(np.argmin(spread)) + 1} is the same in every picture and cannot be standardised; use "
            "scaling='unit'."
        )
    answer -= mean.astype(dtype)[:, None, None]
    answer /= spread.astype(dtype)[:, None, None]
    return answer, moments


def _recoloured(maps: Array, channels: int) -> Array:
    """Grey as three equal channels, or colour as grey."""
    if maps.shape[1] == GREY and channels == COLOUR:
        return np.repeat(maps, COLOUR, axis=1)
    if maps.shape[1] in (COLOUR, COLOUR + 1) and channels == COLOUR:
        return maps[:, :COLOUR]
    if maps.shape[1] in (COLOUR, COLOUR + 1) and channels == GREY:
        grey = np.empty((len(maps), GREY, *maps.shape[2:]), dtype=maps.dtype)
        for number, picture in enumerate(maps):
            value = np.tensordot(_WEIGHTS, picture[:COLOUR], axes=1)
            grey[number, 0] = np.rint(value) if maps.dtype.kind in "ui" else value
        return grey
    raise DataError(
        f"The pictures have {maps.shape[1]} channels and channels={channels} was asked for; only grey (1) and colour (3) "
        "can be made of each other."
    )


def _resized(maps: Array, size: Size, fit: str) -> Array:
    answer = np.empty((*maps.shape[:2], *size), dtype=maps.dtype)
    for number, picture in enumerate(maps):
        answer[number] = np.moveaxis(resized_array(np.moveaxis(picture, 0, -1), size, fit), -1, 0)
    return answer
