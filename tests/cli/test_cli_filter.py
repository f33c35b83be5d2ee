"""`glassnet filter`: pictures against the kernels' own numbers, and every way to ask wrongly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import glassnet as gn

GREY = np.random.Generator(np.random.Philox(5)).integers(0, 256, (12, 16)).astype(np.uint8)
COLOUR = np.random.Generator(np.random.Philox(6)).integers(0, 256, (12, 16, 3)).astype(np.uint8)


@pytest.fixture(autouse=True)
def _pictures(_own_folder: None) -> None:
    Image.fromarray(GREY).save("grey.png")
    Image.fromarray(COLOUR).save("colour.png")


def opened(name: str) -> Any:
    return np.asarray(Image.open(name))


def done(answer: Any) -> str:
    assert answer.status == 0, answer
    assert len(answer.out.splitlines()) == 1
    return str(answer.out).strip()


def test_zero_is_mid_grey_for_a_kernel_of_sum_zero(glassnet: Callable[..., Any]) -> None:
    said = done(glassnet("filter", "grey.png", "--kernel", "emboss", "--out", "out.png"))
    answer = gn.convolve(GREY, "emboss")
    most = abs(answer).max()
    assert opened("out.png").tolist() == np.rint(127.5 + answer * (127.5 / most)).tolist()
    assert said == (
        f"emboss on 12×16: values {answer.min()} to {answer.max()}, shown with 0 as mid-grey, -{most} black and {most} white; "
        "the picture of 10×14 is out.png."
    )


def test_a_kernel_of_sum_one_is_shown_as_it_is(glassnet: Callable[..., Any]) -> None:
    said = done(glassnet("filter", "colour.png", "-k", "sharpen", "-o", "out.png"))
    answer = gn.convolve(COLOUR, "sharpen")
    assert opened("out.png").tolist() == answer.clip(0, 255).tolist()
    outside = ((answer < 0) | (answer > 255)).mean()
    assert f"shown as they are, {outside:.1%} of them cut off at black or white" in said
    assert "on 12×16 in colour" in said
    done(glassnet("filter", "grey.png", "-k", "identity", "--padding", "same", "-o", "same.png"))
    assert opened("same.png").tolist() == GREY.tolist()


def test_other_kernels_are_stretched(glassnet: Callable[..., Any]) -> None:
    done(glassnet("filter", "grey.png", "-k", "1 1; 1 1", "-o", "out.png"))
    answer = gn.convolve(GREY, [[1, 1], [1, 1]])
    wanted = np.rint((answer - answer.min()) * (255 / (answer.max() - answer.min())))
    assert opened("out.png").tolist() == wanted.tolist()
    done(glassnet("filter", "grey.png", "-k", "gradient-magnitude", "-o", "out.png"))
    assert opened("out.png").max() == 255
    done(glassnet("filter", "grey.png", "-k", "emboss", "--range", "clip", "-o", "out.png"))
    assert opened("out.png").tolist() == gn.convolve(GREY, "emboss").clip(0, 255).tolist()


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        (["--stride", "2", "--padding", "same"], {"stride": 2, "padding": "same"}),
        (["--padding", "2", "--dilation", "2"], {"padding": 2, "dilation": 2}),
        (["--padding", "reflect", "--flip"], {"padding": "reflect", "flip": True}),
    ],
)
def test_the_numbers_themselves(options: list[str], settings: dict[str, Any], glassnet: Callable[..., Any]) -> None:
    said = done(glassnet("filter", "grey.png", "-k", "2 0 0; 0 -1 3; 0 0 -1", *options, "-o", "out.npy"))
    wanted = gn.convolve(GREY, [[2, 0, 0], [0, -1, 3], [0, 0, -1]], **settings)
    assert np.array_equal(np.load("out.npy"), wanted)
    assert said == f"a kernel of 3×3: the numbers of {wanted.shape[0]}×{wanted.shape[1]} are in out.npy."


def test_fractions_in_a_kernel(glassnet: Callable[..., Any]) -> None:
    done(glassnet("filter", "grey.png", "-k", "1/4, 1/4; 0.25 .25", "-o", "out.npy"))
    np.testing.assert_allclose(np.load("out.npy"), gn.convolve(GREY, np.full((2, 2), 0.25)))


def test_the_square_stack_of_64_random_filters(glassnet: Callable[..., Any]) -> None:
    said = done(glassnet("filter", "colour.png", "--random", "64", "--seed", "3", "-o", "stack.png"))
    picture = opened("stack.png")
    assert picture.shape == (8 * 10, 8 * 14)
    assert said.startswith("64 random kernels of 3×3 (seed 3) on 12×16: values ")
    assert said.endswith(
        "each answer from its smallest as black to its largest as white; the picture of 80×112 is stack.png."
    )
    grey = np.asarray(Image.open("colour.png").convert("L"))
    kernels = gn.filters.random_kernels(64, 3, 3)
    tile = gn.convolve(grey, kernels[9])  # the second row, the second column
    wanted = np.rint((tile - tile.min()) * (255 / (tile.max() - tile.min())))
    assert abs(picture[10:20, 14:28] - wanted).max() <= 1  # the command weighs the colours itself
    done(glassnet("filter", "grey.png", "--random", "5", "--size", "5", "-o", "few.npy"))
    assert np.array_equal(np.load("few.npy"), gn.convolve(GREY, gn.filters.random_kernels(5, 5, 0)))


def test_the_original_beside_the_answer(glassnet: Callable[..., Any]) -> None:
    done(glassnet("filter", "grey.png", "-k", "blur", "--beside", "-o", "out.png"))
    picture = opened("out.png")
    assert picture.shape == (12, 16 + 2 + 14)
    assert picture[:, :16].tolist() == GREY.tolist()
    assert (picture[:, 16:18] == 255).all()
    assert picture[1:11, 18:].tolist() == np.rint(gn.convolve(GREY, "blur")).tolist()


def test_every_kind_of_source(glassnet: Callable[..., Any]) -> None:
    h5py = pytest.importorskip("h5py", reason="HDF5 files need h5py: pip install glassnet[hdf5]")
    stack = np.stack([GREY, GREY[::-1]])
    np.save("stack.npy", stack)
    np.save("colours.npy", np.stack([COLOUR, COLOUR[::-1]]))
    np.save("first.npy", np.moveaxis(np.stack([COLOUR, COLOUR[::-1]]), -1, 1))
    np.save("one.npy", GREY / 255)
    header = b"\x00\x00\x08\x03" + b"".join(n.to_bytes(4, "big") for n in stack.shape)
    Path("stack-idx3-ubyte").write_bytes(header + stack.tobytes())
    with h5py.File("stack.h5", "w") as file:
        file["x"] = stack
    Image.fromarray(GREY).convert("RGB").save("photo.jpg", quality=100)
    second = gn.convolve(GREY[::-1], "emboss")
    for source in ("stack.npy#1", "stack-idx3-ubyte#1", "stack.h5::x#1"):
        done(glassnet("filter", source, "-k", "emboss", "-o", "out.npy"))
        assert np.array_equal(np.load("out.npy"), second), source
    done(glassnet("filter", "stack.npy", "--index", "1", "-k", "emboss", "-o", "out.npy"))
    assert np.array_equal(np.load("out.npy"), second)
    for source in ("colours.npy#1", "first.npy#1"):
        done(glassnet("filter", source, "-k", "emboss", "-o", "out.npy"))
        assert np.array_equal(np.load("out.npy"), gn.convolve(COLOUR[::-1], "emboss"))
    done(glassnet("filter", "one.npy", "-k", "identity", "-o", "out.png"))
    assert opened("out.png").tolist() == GREY[1:-1, 1:-1].tolist()
    done(glassnet("filter", "photo.jpg", "--grey", "-k", "blur", "-o", "out.jpg"))
    assert opened("out.jpg").shape == (10, 14)
    done(glassnet("filter", "colour.png", "--longest", "8", "-k", "blur", "-o", "out.png"))
    assert opened("out.png").shape == (4, 6, 3)


def test_the_list(glassnet: Callable[..., Any]) -> None:
    answer = glassnet("filter", "--list")
    assert answer.status == 0
    assert [line.split()[0] for line in answer.out.splitlines()] == list(gn.filters.NAMES)
    assert "emboss               2 0 0; 0 -1 0; 0 0 -1" in answer.out


MISUSES: dict[str, tuple[list[str], str]] = {
    "no picture": ([], "glassnet filter got no IMAGE; name a picture, or see the kernels with --list."),
    "no kernel": (
        ["grey.png", "-o", "o.png"],
        "Give one of --kernel and --random: a kernel by name, such as --kernel emboss, or --random 64.",
    ),
    "no place": (
        ["grey.png", "-k", "blur"],
        "Where is the picture to go? Name it with --out, such as --out filtered.png.",
    ),
    "no such kernel": (
        ["grey.png", "-k", "embos", "-o", "o.png"],
        f"There is no kernel 'embos'; did you mean 'emboss'? Known: {', '.join(gn.filters.NAMES)}.",
    ),
    "kernel too large": (
        ["grey.png", "-k", "blur", "--dilation", "6", "-o", "o.png"],
        "The kernel of 13×13 with its dilation is larger than the image of 12×16; take a smaller kernel, or --padding same.",
    ),
    "no such file": (["gray.png", "-k", "blur", "-o", "o.png"], "There is no file 'gray.png'; did you mean 'grey.png'?"),
    "no picture in the file": (
        ["text.png", "-k", "blur", "-o", "o.png"],
        "'text.png' is not a picture that can be read (PNG, JPEG, BMP, GIF, WebP or TIFF); save it as PNG.",
    ),
    "ragged": (
        ["grey.png", "-k", "1 2; 3", "-o", "o.png"],
        "--kernel got rows of 2, 1 numbers; each row needs as many as the others.",
    ),
    "no numbers": (
        ["grey.png", "-k", "1 x; 3 4", "-o", "o.png"],
        "--kernel got '1 x; 3 4', which is neither a name nor rows of numbers; write them as '0 -1 0; -1 5 -1; 0 -1 0'.",
    ),
    "by zero": (
        ["grey.png", "-k", "1/0", "-o", "o.png"],
        "--kernel got '1/0', which is neither a name nor rows of numbers; write them as '0 -1 0; -1 5 -1; 0 -1 0'.",
    ),
    "which picture": (
        ["stack.npy", "-k", "blur", "-o", "o.png"],
        "'stack.npy' holds 2 pictures; name one, as in stack.npy#0, or with --index 0.",
    ),
    "no such picture": (
        ["stack.npy#2", "-k", "blur", "-o", "o.png"],
        "'stack.npy' holds 2 pictures, from 0 to 1; there is no 2.",
    ),
    "two positions": (
        ["stack.npy#1", "--index", "1", "-k", "blur", "-o", "o.png"],
        "'stack.npy#1' and --index 1 both say which picture; leave one of them out.",
    ),
    "a position of one picture": (
        ["grey.png#1", "-k", "blur", "-o", "o.png"],
        "'grey.png' is one picture; leave the position 1 out.",
    ),
    "no such range": (
        ["grey.png", "-k", "blur", "--range", "center", "-o", "o.png"],
        "There is no range 'center'; did you mean 'centre'? Known: auto, clip, centre, stretch.",
    ),
    "no such padding": (
        ["grey.png", "-k", "blur", "--padding", "full", "-o", "o.png"],
        "There is no padding 'full'. Known: valid, same, reflect, a number.",
    ),
    "another ending": (
        ["grey.png", "-k", "blur", "-o", "o.gif"],
        "'o.gif' ends in '.gif'; the answer is written as .png, .jpg or .npy.",
    ),
    "no such folder": (
        ["grey.png", "-k", "blur", "-o", "no/o.png"],
        "'no/o.png' cannot be written: there is no folder 'no'; make it first.",
    ),
    "no random kernels": (
        ["grey.png", "--random", "0", "-o", "o.png"],
        "--random got 0; it needs a whole number, 1 or more.",
    ),
    "a stack too large": (
        ["large.npy", "--random", "400", "-o", "o.png"],
        "400 answers of 600×600 would be a picture of 12000×12000; shrink the original, for instance with --longest 200.",
    ),
    "NaN": (
        ["nan.npy", "-k", "blur", "-o", "o.png"],
        "The picture in 'nan.npy' holds NaN or infinity; it needs finite numbers: correct it.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", MISUSES)
def test_misuse(case: str, glassnet: Callable[..., Any]) -> None:
    Path("text.png").write_text("no picture")
    np.save("stack.npy", np.stack([GREY, GREY]))
    np.save("large.npy", np.zeros((600, 600), np.uint8))
    np.save("nan.npy", np.full((5, 5), np.nan))
    arguments, sentence = MISUSES[case]
    answer = glassnet("filter", *arguments)
    assert answer.status == 2
    assert answer.err == sentence + "\n"
    assert answer.out == ""
    assert not list(Path().glob("o.*"))


def test_the_picture_itself_is_never_overwritten(glassnet: Callable[..., Any]) -> None:
    before = Path("grey.png").read_bytes()
    answer = glassnet("filter", "grey.png", "--kernel", "emboss", "--out", "./grey.png")
    assert answer.status == 2
    assert answer.err == (
        "--out './grey.png' is the picture that is filtered; give another name, so that it is not lost.\n"
    )
    assert Path("grey.png").read_bytes() == before


@pytest.mark.parametrize("option", ["--size", "--seed"])
def test_options_of_random_kernels_with_another(glassnet: Callable[..., Any], option: str) -> None:
    answer = glassnet("filter", "grey.png", "--kernel", "emboss", option, "5", "--out", "out.png")
    assert answer.status == 2
    assert answer.err == f"{option} belongs to --random, not to --kernel; leave it out.\n"
