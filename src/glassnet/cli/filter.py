"""`glassnet filter`: a kernel slides over a picture, and the answer is a picture."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glassnet.cli.brightness import HOW_SAID, RANGES, as_bytes, kernel_sum, side_by_side
from glassnet.errors import GlassnetError, unknown_name

if TYPE_CHECKING:
    from glassnet.cli.source import Array

WHAT, HOW, RESULT = "Kernel", "Sliding", "Result"
PICTURES = (".png", ".jpg", ".jpeg", ".npy")
MOST_PIXELS = 100_000_000


def _kernels(incomplete: str) -> list[str]:
    from glassnet.filters import NAMES

    return [name for name in NAMES if name.startswith(incomplete)]


def filter_picture(
    image: Annotated[
        str | None,
        typer.Argument(
            metavar="IMAGE",
            help="A PNG or JPEG file, or a picture in an array file: FILE#3 is the fourth picture of an IDX, .npy or "
            "FILE.h5::DATASET file.",
            show_default=False,
        ),
    ] = None,
    kernel: Annotated[
        str | None,
        typer.Option(
            "--kernel",
            "-k",
            metavar="NAME|MATRIX",
            help="A kernel by name (--list shows them), or its rows: '2 0 0; 0 -1 0; 0 0 -1'.",
            rich_help_panel=WHAT,
            autocompletion=_kernels,
        ),
    ] = None,
    random: Annotated[
        int | None,
        typer.Option(
            metavar="NUMBER",
            help="So many random kernels of −1, 0 and 1 instead, their answers as one square picture; on grey.",
            rich_help_panel=WHAT,
        ),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(
            metavar="NUMBER", help="Rows and columns of the random kernels. [default: 3]", rich_help_panel=WHAT
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(metavar="NUMBER", help="Of the random kernels. [default: 0]", rich_help_panel=WHAT)
    ] = None,
    listed: Annotated[
        bool, typer.Option("--list", help="Print the kernels that have names, and end.", rich_help_panel=WHAT)
    ] = False,
    index: Annotated[
        int | None,
        typer.Option(
            metavar="NUMBER", help="Which picture of an array file, from 0; as FILE#NUMBER.", rich_help_panel=HOW
        ),
    ] = None,
    grey: Annotated[bool, typer.Option("--grey", help="Make the picture grey first.", rich_help_panel=HOW)] = False,
    longest: Annotated[
        int | None,
        typer.Option(
            metavar="PIXELS", help="Shrink the picture first, so that no side is longer.", rich_help_panel=HOW
        ),
    ] = None,
    padding: Annotated[
        str,
        typer.Option(
            metavar="HOW",
            help="valid (none), same (zeros), reflect (the picture's mirror image), or a number of zeros.",
            rich_help_panel=HOW,
        ),
    ] = "valid",
    stride: Annotated[
        int, typer.Option(metavar="NUMBER", help="Steps between two positions.", rich_help_panel=HOW)
    ] = 1,
    dilation: Annotated[
        int, typer.Option(metavar="NUMBER", help="Distance between two places of the kernel.", rich_help_panel=HOW)
    ] = 1,
    flip: Annotated[
        bool,
        typer.Option("--flip", help="Turn the kernel by half a turn first: true convolution.", rich_help_panel=HOW),
    ] = False,
    shown: Annotated[
        str,
        typer.Option(
            "--range",
            metavar="HOW",
            help="How numbers become brightness: clip (as they are, cut off at black and white), centre (0 is mid-grey), "
            "stretch (the smallest is black, the largest white), or auto.",
            rich_help_panel=RESULT,
        ),
    ] = "auto",
    beside: Annotated[
        bool, typer.Option("--beside", help="Put the original beside the answer.", rich_help_panel=RESULT)
    ] = False,
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="A .png or .jpg picture; .npy keeps the numbers themselves.",
            rich_help_panel=RESULT,
        ),
    ] = None,
) -> None:
    """Filter a picture with a kernel: emboss, sharpen, blur, find edges, or 64 random kernels at once.

    The kernel slides over the picture, and each position answers with the sum of the products below it, as in a
    convolutional layer (cross-correlation: nothing is flipped). Of a colour picture each channel is filtered by itself.

    \b
    Examples:
      glassnet filter cat.jpg --kernel emboss --out cat-emboss.png
      glassnet filter cat.jpg --kernel "2 0 0; 0 -1 0; 0 0 -1" --grey --out cat-emboss.png
      glassnet filter t10k-images-idx3-ubyte.gz#0 --kernel sobel_x --padding same --beside --out seven.png
      glassnet filter cat.jpg --random 64 --seed 1 --longest 200 --out stack.png
      glassnet filter --list
    """
    if listed:
        _list()
        return
    if image is None:
        raise GlassnetError("glassnet filter got no IMAGE; name a picture, or see the kernels with --list.")
    if (kernel is None) == (random is None):
        raise GlassnetError(
            "Give one of --kernel and --random: a kernel by name, such as --kernel emboss, or --random 64."
        )
    if random is None and (size, seed) != (None, None):
        option = "--seed" if size is None else "--size"
        raise GlassnetError(f"{option} belongs to --random, not to --kernel; leave it out.")
    if shown not in RANGES:
        raise GlassnetError(unknown_name("range", shown, RANGES))
    place = _place(out, image)
    picture = _picture(image, index, grey or random is not None, longest)
    settings = {"padding": _padding(padding), "stride": stride, "dilation": dilation, "flip": flip}
    _filter(picture, _asked(kernel, random, 3 if size is None else size, seed or 0), settings, shown, beside, place)


@dataclass(frozen=True)
class Picture:
    """A picture to be filtered: (h, w) or (h, w, 3), and the number that stands for white."""

    values: Array
    white: float


@dataclass(frozen=True)
class Asked:
    """What slides over it: a kernel by name or in numbers, or several random ones."""

    kernel: Any
    named: str
    several: bool


def _list() -> None:
    from glassnet.filters import GRADIENT, KERNELS

    for name, weights in KERNELS.items():
        if weights.dtype.kind == "i":
            rows = "; ".join(" ".join(str(value) for value in row) for row in weights)
        elif name == "blur":
            rows = "every place 1/9"
        else:
            rows = "1 4 6 4 1 down times 1 4 6 4 1 across, over 256"
        print(f"{name:<20} {rows}")
    print(f"{GRADIENT:<20} √(Gx² + Gy²), from sobel_x and sobel_y")


def _place(out: str | None, image: str) -> Path:
    """Where the answer goes, refused before anything is computed when it cannot, or when it is the picture itself."""
    if out is None:
        raise GlassnetError("Where is the picture to go? Name it with --out, such as --out filtered.png.")
    place = Path(out)
    if place.suffix.lower() not in PICTURES:
        raise GlassnetError(f"'{out}' ends in '{place.suffix}'; the answer is written as .png, .jpg or .npy.")
    if place.is_dir():
        raise GlassnetError(f"'{out}' is a folder; give a file, such as {place / 'filtered.png'}.")
    if not place.parent.is_dir():
        raise GlassnetError(f"'{out}' cannot be written: there is no folder '{place.parent}'; make it first.")
    source = Path(image.partition("::")[0].rpartition("#")[0] or image.partition("::")[0])
    if place.exists() and source.exists() and place.samefile(source):
        raise GlassnetError(
            f"--out '{out}' is the picture that is filtered; give another name, so that it is not lost."
        )
    return place


def _asked(kernel: str | None, random: int | None, size: int, seed: int) -> Asked:
    from glassnet.filters import random_kernels

    if random is not None:
        if random < 1 or size < 1:
            option, value = ("--random", random) if random < 1 else ("--size", size)
            raise GlassnetError(f"{option} got {value}; it needs a whole number, 1 or more.")
        return Asked(
            random_kernels(random, size, seed), f"{random} random kernels of {size}×{size} (seed {seed})", True
        )
    assert kernel is not None
    if not re.search(r"[\d;]", kernel) or re.fullmatch(r"[a-zA-Z_-]+\d*", kernel.strip()):
        return Asked(kernel, kernel.strip(), False)
    rows = [re.split(r"[\s,]+", row.strip(" \t,")) for row in kernel.strip().strip(";").split(";")]
    try:
        whole = all(re.fullmatch(r"[+-]?\d+", part) for row in rows for part in row)
        weights = [[int(part) if whole else _number(part) for part in row] for row in rows]
    except (ValueError, ZeroDivisionError):
        raise GlassnetError(
            f"--kernel got '{kernel}', which is neither a name nor rows of numbers; write them as '0 -1 0; -1 5 -1; 0 -1 0'."
        ) from None
    if len({len(row) for row in weights}) > 1:
        lengths = ", ".join(str(len(row)) for row in weights)
        raise GlassnetError(f"--kernel got rows of {lengths} numbers; each row needs as many as the others.")
    return Asked(weights, f"a kernel of {len(weights)}×{len(weights[0])}", False)


def _number(text: str) -> float:
    """A number, or a fraction such as 1/9."""
    above, _, below = text.partition("/")
    return float(above) / float(below or 1)


def _padding(text: str) -> str | int:
    return int(text) if text.isdecimal() else text


def _picture(image: str, index: int | None, grey: bool, longest: int | None) -> Picture:
    """Read a picture from its file, or from an array file by its position."""
    import numpy as np

    from glassnet.data import images, is_array_source, read_array, read_image
    from glassnet.data.image_files import resized_array

    name, number = image, index
    if (match := re.fullmatch(r"(.+)#(\d+)", image)) and not Path(image).is_file():
        if index is not None:
            raise GlassnetError(f"'{image}' and --index {index} both say which picture; leave one of them out.")
        name, number = match[1], int(match[2])
    if is_array_source(name):
        values = _of_stack(read_array(name), name, number)
    elif number is not None:
        raise GlassnetError(f"'{name}' is one picture; leave the position {number} out.")
    else:
        values = read_image(name)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise GlassnetError(f"The picture in '{name}' holds NaN or infinity; it needs finite numbers: correct it.")
    if values.ndim == 3:
        values = images(
            values[None], channels=1 if grey or values.shape[2] == 1 else 3, layout="last", scaling="bytes"
        )[0]
        values = values[0] if len(values) == 1 else np.moveaxis(values, 0, -1)
    if longest is not None:
        if longest < 1:
            raise GlassnetError(f"--longest got {longest}; it needs a number of pixels, 1 or more.")
        share = min(1.0, longest / max(values.shape[:2]))
        size = (max(1, round(values.shape[0] * share)), max(1, round(values.shape[1] * share)))
        values = resized_array(values, size)
    return Picture(values, _white(values))


def _of_stack(stack: Array, name: str, number: int | None) -> Array:
    """The picture of an array file: the array itself, or one of its pictures."""
    if stack.dtype.kind not in "uifb" or stack.ndim not in (2, 3, 4):
        raise GlassnetError(
            f"'{name}' holds an array of shape {stack.shape} and type {stack.dtype}; a picture needs numbers (height, width) "
            "or (height, width, 3)."
        )
    alone = stack.ndim == 2 or (stack.ndim == 3 and number is None and stack.shape[2] in (3, 4))
    if alone and number is not None:
        raise GlassnetError(f"'{name}' is one picture of {stack.shape[0]}×{stack.shape[1]}; leave the position out.")
    if alone:
        return stack
    if number is None and len(stack) > 1:
        raise GlassnetError(f"'{name}' holds {len(stack):,} pictures; name one, as in {name}#0, or with --index 0.")
    if not 0 <= (number or 0) < len(stack):
        raise GlassnetError(
            f"'{name}' holds {len(stack):,} pictures, from 0 to {len(stack) - 1}; there is no {number}."
        )
    chosen: Array = stack[number or 0]
    if chosen.ndim == 3 and chosen.shape[2] not in (1, 3, 4):
        if chosen.shape[0] not in (1, 3, 4):
            raise GlassnetError(
                f"A picture of '{name}' has the shape {chosen.shape}; it needs (height, width) or 1, 3 or 4 channels."
            )
        return chosen.transpose(1, 2, 0)
    return chosen


def _white(values: Array) -> float:
    """What stands for white: 255 for bytes, 1 for fractions, else the largest value."""
    top = float(values.max())
    if values.dtype.kind in "ui":
        return 255.0 if top <= 255 else 65535.0 if top <= 65535 else top
    return 1.0 if 0 <= top <= 1 else 255.0 if 1 < top <= 255 else max(top, 1.0)


def _filter(picture: Picture, asked: Asked, settings: dict[str, Any], shown: str, beside: bool, place: Path) -> None:
    """Slide the kernel, make a picture of the answer, write it, say it."""
    import numpy as np

    from glassnet.filters import convolve, square_stack

    high, wide = picture.values.shape[:2]
    if asked.several:
        across = int(np.ceil(np.sqrt(len(asked.kernel))))
        if high * wide * len(asked.kernel) > MOST_PIXELS:
            raise GlassnetError(
                f"{len(asked.kernel)} answers of {high}×{wide} would be a picture of {across * high}×{across * wide}; shrink "
                "the original, for instance with --longest 200."
            )
    answer = convolve(picture.values, asked.kernel, **settings)
    size = "×".join(str(n) for n in answer.shape[1 if asked.several else 0 :][:2])
    if place.suffix.lower() == ".npy":
        _write_numbers(answer, place)
        print(f"{asked.named}: the numbers of {'each ' if asked.several else ''}{size} are in {place}.")
        return
    if asked.several:
        parts = [as_bytes(one, "stretch" if shown == "auto" else shown, picture.white, None)[0] for one in answer]
        done = square_stack(np.stack(parts))
        how = "clip" if shown == "clip" else "centre" if shown == "centre" else "stretch"
        said = f"each answer {HOW_SAID[how]}"
    else:
        done, said = as_bytes(answer, shown, picture.white, kernel_sum(asked.kernel))
    if beside:
        done = side_by_side(as_bytes(picture.values, "clip", picture.white, 1.0)[0], done)
    _write_picture(done, place)
    print(
        f"{asked.named} on {high}×{wide}{' in colour' if picture.values.ndim == 3 else ''}: values {answer.min():.6g} to "
        f"{answer.max():.6g}, {said}; the picture of {done.shape[0]}×{done.shape[1]} is {place}."
    )


def _write_picture(values: Array, place: Path) -> None:
    from PIL import Image

    from glassnet.training.files import write_bytes

    stream = io.BytesIO()
    Image.fromarray(values).save(stream, "PNG" if place.suffix.lower() == ".png" else "JPEG", quality=95)
    write_bytes(place, stream.getvalue())


def _write_numbers(values: Array, place: Path) -> None:
    import numpy as np

    from glassnet.training.files import write_bytes

    stream = io.BytesIO()
    np.save(stream, values)
    write_bytes(place, stream.getvalue())
