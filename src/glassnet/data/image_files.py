"""One picture in a file: PNG, JPEG and their like, as numbers from 0 to 255."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.data.files import existing_file
from glassnet.errors import DataError, unknown_name

Array = np.ndarray[Any, Any]
Size = tuple[int, int]

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF")
GREY, COLOUR = 1, 3
FITS = ("stretch", "crop", "pad")
_GREY_MODES = ("1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L", "I;16N")
_DEEP = ("I", "F", "I;16", "I;16B", "I;16L", "I;16N")


@dataclass(frozen=True)
class Look:
    """What the head of a picture's file says: its size as a person sees it, and 1 (grey) or 3 (colour) channels."""

    height: int
    width: int
    channels: int


def is_image_source(text: str) -> bool:
    """Whether a name ends like that of a picture: .png, .jpg, .jpeg, .bmp, .gif, .webp, .tif."""
    return text.lower().endswith(ENDINGS)


def look_at_image(path: str | Path) -> Look:
    """Size and channels of a picture, from the head of its file alone.

    Raises
    ------
    DataError : as for `existing_file`; it is no picture
    """
    with _opened(path) as picture:
        turned = picture.getexif().get(_ORIENTATION, 1) in (5, 6, 7, 8)
        width, height = picture.size[::-1] if turned else picture.size
        return Look(height, width, GREY if _is_grey(picture) else COLOUR)


def read_image(
    path: str | Path, *, size: int | Size | None = None, channels: int | str = "auto", fit: str = "stretch"
) -> Array:
    """Read a picture as bytes (uint8): (h, w) when it is grey, (h, w, 3) red, green, blue when it is colour.

    A picture that a camera stored turned is turned upright; what is transparent lies on white; 16-bit grey becomes 8-bit.

    Parameters
    ----------
    path : a PNG, JPEG, BMP, GIF (its first picture), WebP or TIFF file
    size : one number or (height, width), to which it is resized; as it is when not given
    channels : 1 for grey, 3 for colour, "auto" as it is stored. Grey is 0.299 red + 0.587 green + 0.114 blue
    fit : what resizing does to another shape: "stretch" it, "crop" what sticks out, or "pad" it with black

    Raises
    ------
    DataError : as for `existing_file`; it is no picture, or damaged; a size, a number of channels or a fit that is none
    """
    wanted = check_size(size)
    check_channels(channels)
    check_fit(fit)
    with _opened(path) as picture:
        if wanted is not None:
            picture.draft(None, (2 * wanted[1], 2 * wanted[0]))  # a JPEG is decoded no larger than it needs to be
        upright = _upright(picture)
        grey = _is_grey(upright) if channels == "auto" else channels == GREY
        plain = _plain(upright, grey)
        if wanted is not None:
            plain = _resized(plain, wanted, fit)
        return np.asarray(plain, dtype=np.uint8)


def resized_array(picture: Array, size: Size, fit: str = "stretch") -> Array:
    """A picture in an array (h, w) or (h, w, channels) at another size, of the same type.

    Each pixel is the weighted mean of those it covers (Pillow's bilinear filter).
    """
    from PIL import Image

    if picture.shape[:2] == size:
        return picture
    if picture.dtype == np.uint8 and (picture.ndim == 2 or picture.shape[2] in (GREY, COLOUR)):
        flat = picture[..., 0] if picture.ndim == 3 and picture.shape[2] == GREY else picture
        found = np.asarray(_resized(Image.fromarray(np.ascontiguousarray(flat)), size, fit))
        return found.reshape(*size, *picture.shape[2:])
    planes = picture.reshape(*picture.shape[:2], -1)
    parts = [
        np.asarray(_resized(Image.fromarray(np.ascontiguousarray(planes[..., k], dtype=np.float32)), size, fit))
        for k in range(planes.shape[-1])
    ]
    found = np.stack(parts, axis=-1).reshape(*size, *picture.shape[2:])
    return np.rint(found).astype(picture.dtype) if picture.dtype.kind in "ui" else found.astype(picture.dtype)


def check_size(size: Any) -> Size | None:
    """One number or (height, width) as (height, width).

    Raises
    ------
    DataError : it is neither
    """
    if size is None:
        return None
    pair = tuple(size) if isinstance(size, tuple | list) else (size, size)
    whole = all(isinstance(n, int | np.integer) and not isinstance(n, bool) and 1 <= n <= 1 << 15 for n in pair)
    if len(pair) != 2 or not whole:
        raise DataError(f"size={size!r} cannot be used; pass one whole number of pixels, or (height, width).")
    return (int(pair[0]), int(pair[1]))


def check_channels(channels: Any) -> None:
    """Refuse what is none of "auto", 1 and 3."""
    if isinstance(channels, bool) or channels not in ("auto", GREY, COLOUR):
        raise DataError(f'channels={channels!r} cannot be used; pass 1 for grey, 3 for colour, or "auto".')


def check_fit(fit: str) -> None:
    """Refuse an unknown way of resizing."""
    if fit not in FITS:
        raise DataError(unknown_name("fit", fit, FITS))


_ORIENTATION = 0x0112
"""The tag in which a camera says how it was held."""


@contextlib.contextmanager
def _opened(path: str | Path) -> Iterator[Any]:
    """The picture, and every way in which reading it can fail as one sentence."""
    from PIL import Image, UnidentifiedImageError

    file = existing_file(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # remarks on odd metadata and on large pictures; both are read
            with Image.open(file, formats=FORMATS) as picture:
                yield picture
    except UnidentifiedImageError:
        raise DataError(
            f"'{file}' is not a picture that can be read (PNG, JPEG, BMP, GIF, WebP or TIFF); save it as PNG."
        ) from None
    except Image.DecompressionBombError:
        raise DataError(f"'{file}' has too many pixels to be read safely; save it at a smaller size.") from None
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError) as error:
        if isinstance(error, DataError):
            raise
        reason = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
        raise DataError(f"'{file}' is a damaged picture ({reason}); copy or save it again.") from None


def _is_grey(picture: Any) -> bool:
    if picture.mode == "P":
        return bool(picture.palette is not None and _grey_palette(picture))
    return picture.mode in _GREY_MODES


def _grey_palette(picture: Any) -> bool:
    colours = np.asarray(picture.getpalette("RGB") or [], dtype=np.uint8).reshape(-1, 3)
    return bool((colours == colours[:, :1]).all())


def _upright(picture: Any) -> Any:
    from PIL import ImageOps

    picture.load()
    return ImageOps.exif_transpose(picture)


def _plain(picture: Any, grey: bool) -> Any:
    """8-bit grey or colour, on white where it was transparent."""
    from PIL import Image

    if picture.mode in _DEEP:
        picture = Image.fromarray(_eight_bits(np.asarray(picture)))
    if picture.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in picture.info:
        above = picture.convert("RGBA")
        below = Image.new("RGBA", above.size, (255, 255, 255, 255))
        picture = Image.alpha_composite(below, above).convert("RGB")
    return picture.convert("L" if grey else "RGB")


def _eight_bits(values: Array) -> Array:
    """16-bit grey as 8-bit: the upper byte; other depths from 0 to their largest."""
    if values.dtype.kind == "f":
        top = float(values.max(initial=0))
        return np.rint(values.clip(0) * (255 / top if top else 0)).astype(np.uint8)
    return (values.astype(np.int64).clip(0, 65535) >> 8).astype(np.uint8)


def _resized(picture: Any, size: Size, fit: str) -> Any:
    from PIL import Image, ImageOps

    wanted = (size[1], size[0])
    if picture.size == wanted:
        return picture
    if fit == "crop":
        return ImageOps.fit(picture, wanted, Image.Resampling.BILINEAR)
    if fit == "pad":
        return ImageOps.pad(picture, wanted, Image.Resampling.BILINEAR)
    return picture.resize(wanted, Image.Resampling.BILINEAR)
