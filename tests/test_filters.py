"""`gn.convolve` and its kernels: by hand, against SciPy, against R's golden values, and in what it refuses."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage, signal

import glassnet as gn
from glassnet import filters
from glassnet.filters import KERNELS, NAMES, convolve, random_kernels, square_stack

SHARED = Path(__file__).resolve().parents[2] / "shared"
DRAW = np.random.Generator(np.random.Philox(4))
GREY = DRAW.integers(0, 256, (9, 11)).astype(np.uint8)
COLOUR = DRAW.integers(0, 256, (9, 11, 3)).astype(np.uint8)


def outside(folder: str, name: str, variable: str) -> Path:
    place = Path(os.environ.get(variable, SHARED / folder)) / name
    if not place.is_file():
        pytest.skip(f"needs {name}: set {variable} to its folder ({place.parent} has none)")
    return place


def test_by_hand():
    image = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    # 1·1 + 2·2 + 4·0 + 5·(−1) = 0, and so on, one place to the right and one down
    assert convolve(image, [[1, 2], [0, -1]]).tolist() == [[0, 2], [6, 8]]
    # flipped: −1·1 + 0·2 + 2·4 + 1·5 = 12
    assert convolve(image, [[1, 2], [0, -1]], flip=True).tolist() == [[12, 14], [18, 20]]
    # stride 2 takes the corners of a 1×1 kernel
    assert convolve(image, [[2]], stride=2).tolist() == [[2, 6], [14, 18]]
    # dilation 2: the four corners of the image
    assert convolve(image, [[1, 1], [1, 1]], dilation=2).tolist() == [[20]]
    # zeros around: the corner sees 1, 2, 4, 5
    assert convolve(image, np.ones((3, 3), int), padding="same")[0, 0] == 12
    # mirrored at the edge: 5 + 4 + 5, 2 + 1 + 2, 5 + 4 + 5
    assert convolve(image, np.ones((3, 3), int), padding="reflect")[0, 0] == 33


@pytest.mark.parametrize("name", ["10_conv_8x8", "10_conv_mnist_0"])
def test_golden_values_exactly(name):
    case = json.loads(outside("golden", f"{name}.json", "GLASSNET_GOLDEN").read_text())
    if "image" in case:
        image = np.array(case["image"])
    else:
        content = gzip.decompress(outside("data", "t10k-images-idx3-ubyte.gz", "GLASSNET_DATA").read_bytes())
        image = np.frombuffer(content[16 : 16 + 784], np.uint8).reshape(28, 28)
    for kernel, wanted in case["kernels"].items():
        for key, flip in (("cross_correlation", False), ("true_convolution", True)):
            found = convolve(image, wanted["kernel"], flip=flip)
            assert found.dtype == np.int64
            assert found.tolist() == wanted[key], (kernel, key)
    for kernel in ("emboss", "sharpen"):
        assert KERNELS[kernel].tolist() == case["kernels"][kernel]["kernel"]


@given(
    size=st.tuples(st.integers(5, 12), st.integers(5, 12)),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    padding=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    seed=st.integers(0, 99),
)
@settings(max_examples=40, deadline=None)
def test_against_scipy(size, kernel, stride, padding, seed):
    draw = np.random.Generator(np.random.Philox(seed))
    image, weights = draw.standard_normal(size), draw.standard_normal(kernel)
    padded = np.pad(image, [(n, n) for n in padding])
    wanted = signal.correlate2d(padded, weights, mode="valid")[:: stride[0], :: stride[1]]
    np.testing.assert_allclose(convolve(image, weights, stride=stride, padding=padding), wanted, rtol=0, atol=1e-13)
    wanted = signal.convolve2d(padded, weights, mode="valid")[:: stride[0], :: stride[1]]
    found = convolve(image, weights, stride=stride, padding=padding, flip=True)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-13)


@pytest.mark.parametrize("size", [1, 3, 5])
def test_borders_against_scipy(size):
    image = DRAW.standard_normal((8, 10))
    weights = DRAW.standard_normal((size, size))
    for padding, mode in (("same", "constant"), ("reflect", "mirror")):
        wanted = ndimage.correlate(image, weights, mode=mode)
        np.testing.assert_allclose(convolve(image, weights, padding=padding), wanted, atol=1e-13)


def test_dilation_is_a_kernel_with_gaps():
    gaps = np.zeros((5, 7), int)
    gaps[::2, ::3] = KERNELS["sobel_x"]
    assert np.array_equal(convolve(GREY, "sobel_x", dilation=(2, 3)), convolve(GREY, gaps))


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_same_gives_a_position_for_every_step(stride):
    for kernel in (1, 2, 3, 4):
        found = convolve(GREY, np.ones((kernel, kernel), int), padding="same", stride=stride)
        assert found.shape == (-(-9 // stride), -(-11 // stride))


def test_colour_channel_by_channel_and_several_filters():
    stack = random_kernels(4, 3, seed=2)
    each = convolve(COLOUR, stack)
    assert each.shape == (4, 7, 9, 3)
    for number in range(4):
        for channel in range(3):
            assert np.array_equal(each[number, :, :, channel], convolve(COLOUR[:, :, channel], stack[number]))
    first = np.moveaxis(COLOUR, -1, 0)
    assert np.array_equal(convolve(first, stack, channels_first=True), np.moveaxis(each, -1, 1))
    assert np.array_equal(convolve(COLOUR, stack[0]), each[0])
    assert np.array_equal(convolve(GREY, stack)[2], convolve(GREY, stack[2]))


def test_a_kernel_with_channels_sums_over_them():
    weights = DRAW.integers(-2, 3, (5, 3, 3, 3))
    found = convolve(COLOUR, weights)
    wanted = sum(convolve(COLOUR[:, :, c], weights[:, c]) for c in range(3))
    assert found.shape == (5, 7, 9)
    assert np.array_equal(found, wanted)


def test_the_same_as_the_layer():
    network = gn.Network((3, 9, 11), gn.Conv2D(4, 3, padding="same", stride=2), gn.Flatten(), gn.Dense(1))
    start = network.initial_parameters(3)
    image = DRAW.standard_normal((3, 9, 11))
    run = gn.train(network, image[None], [[0.0]], epochs=0, initial_parameters=start, progress=False)
    layer = run.trace(0)["Z1"][0] - start["b1"][:, None, None]
    found = convolve(image, start["W1"], padding="same", stride=2, channels_first=True)
    np.testing.assert_allclose(found, layer, rtol=0, atol=1e-13)


def test_named_kernels():
    for name in ("blur", "gaussian_blur", "sharpen", "identity"):
        assert KERNELS[name].sum() == pytest.approx(1)
    for name in ("edges", "laplacian", "sobel_x", "sobel_y", "emboss"):
        assert KERNELS[name].sum() == 0
    flat = np.full((6, 6), 7, np.uint8)
    assert (convolve(flat, "edges") == 0).all()
    np.testing.assert_allclose(convolve(flat, "gaussian-blur"), 7)
    assert np.array_equal(convolve(GREY, "identity"), GREY[1:-1, 1:-1])
    vertical = np.tile([0, 0, 9, 9], (4, 1))
    # (1 + 2 + 1) · 9 across the edge, nothing down
    assert (convolve(vertical, "sobel_x") == 36).all()
    assert (convolve(vertical, "sobel_y") == 0).all()
    wanted = np.hypot(ndimage.sobel(GREY.astype(float), 1), ndimage.sobel(GREY.astype(float), 0))[1:-1, 1:-1]
    np.testing.assert_allclose(convolve(GREY, "gradient_magnitude"), wanted, rtol=1e-14)
    with pytest.raises(ValueError, match="read-only"):
        KERNELS["emboss"][0, 0] = 3


def test_types():
    image = GREY.astype(np.float32)
    assert convolve(image, "blur").dtype == np.float32
    assert convolve(GREY, "blur").dtype == np.float64
    assert convolve(GREY > 100, [[1, 1]]).dtype == np.int64
    # sums past 2²⁴ and past 2⁵³ stay exact
    large = np.array([[2**24 + 1, 1]])
    assert convolve(large, [[1, 1]]).tolist() == [[2**24 + 2]]
    assert convolve(np.array([[2**53 + 1, 2]]), [[1, 1]]).tolist() == [[2**53 + 3]]


def test_blocks_do_not_show(monkeypatch):
    weights = DRAW.standard_normal((3, 4, 3))
    image = DRAW.standard_normal((30, 20, 3))
    whole = convolve(image, weights, stride=(2, 1), dilation=(2, 1), padding="same")
    monkeypatch.setattr(filters, "BLOCK", 1)
    np.testing.assert_allclose(
        convolve(image, weights, stride=(2, 1), dilation=(2, 1), padding="same"), whole, rtol=0, atol=1e-14
    )


def test_random_kernels_and_their_stack():
    kernels = random_kernels(64, 3, seed=0)
    assert kernels.shape == (64, 3, 3)
    assert set(kernels.flat) == {-1, 0, 1}
    assert np.array_equal(kernels, random_kernels(64, 3, seed=0))
    assert not np.array_equal(kernels, random_kernels(64, 3, seed=1))
    maps = np.arange(5)[:, None, None] * np.ones((5, 2, 3), int)
    stack = square_stack(maps)
    # three columns; the sixth place is empty
    assert stack.tolist() == [[0] * 3 + [1] * 3 + [2] * 3] * 2 + [[3] * 3 + [4] * 3 + [0] * 3] * 2
    assert square_stack(np.zeros((64, 7, 9))).shape == (56, 72)
    assert square_stack(np.zeros((2, 7, 9, 3))).shape == (7, 18, 3)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: convolve(GREY, "embos"),
            f"There is no kernel 'embos'; did you mean 'emboss'? Known: {', '.join(NAMES)}.",
        ),
        (
            lambda: convolve(GREY[:2, :2], "emboss"),
            "The kernel of 3×3 is larger than the image of 2×2; take a smaller kernel, or padding=\"same\" (command line: "
            "--padding same).",
        ),
        (
            lambda: convolve(GREY[:4], "emboss", dilation=2),
            "The kernel of 5×5 with its dilation is larger than the image of 4×11; take a smaller kernel, or "
            'padding="same" (command line: --padding same).',
        ),
        (
            lambda: convolve(GREY, "emboss", padding="sane"),
            "There is no padding 'sane'; did you mean 'same'? Known: valid, same, reflect, a number.",
        ),
        (
            lambda: convolve(GREY[:2, :2], np.ones((5, 5)), padding="reflect"),
            "A window of 5×5 reaches past the mirror image of a picture of 2×2; pass padding=\"same\" (command line: "
            "--padding same), or a smaller kernel.",
        ),
        (
            lambda: convolve(COLOUR, np.ones((2, 4, 3, 3))),
            "The kernel has 4 channels and the image 3; pass a kernel of shape (filters, 3, height, width), or one of two "
            "axes, which slides over each channel by itself.",
        ),
        (
            lambda: convolve(np.zeros(4), "blur"),
            "The image has the shape (4,) and the type float64; it needs numbers (height, width), (height, width, channels), "
            "or (channels, height, width) with channels_first=True.",
        ),
        (
            lambda: convolve(GREY, [[1, 2], [3]]),
            "The kernel has rows of different lengths; each row needs as many numbers as the others.",
        ),
        (
            lambda: convolve(GREY, [1.0, 2.0]),
            "The kernel has the shape (2,) and the type float64; it needs a name, or numbers (height, width), (filters, "
            "height, width) or (filters, channels, height, width).",
        ),
        (lambda: convolve(GREY, [[np.nan]]), "The kernel holds NaN or infinity; it needs finite numbers."),
        (
            lambda: convolve(GREY, "blur", stride=0),
            "convolve got stride=0; it needs a whole number, 1 or more, or a pair (vertical, horizontal).",
        ),
        (
            lambda: convolve(np.array([[2**62]]), [[4]]),
            "Sums of these whole numbers can reach 1.84e+19, more than 64 bits hold; pass the image as float64.",
        ),
        (lambda: random_kernels(0), "random_kernels got count=0 and size=3; both need to be 1 or more."),
        (lambda: square_stack(GREY), "square_stack got an array of shape (9, 11); it needs maps (f, h, w)."),
    ],
)  # fmt: skip
def test_refusals(call, sentence):
    with pytest.raises(gn.GlassnetError) as caught:
        call()
    assert str(caught.value) == sentence
