"""Filters for pictures: a small kernel slides over an image, and each position answers with one weighted sum.

    gn.convolve(image, "emboss")
    gn.convolve(image, [[0, -1, 0], [-1, 5, -1], [0, -1, 0]])

The sums are those of the layer `Conv2D`, by the same code. What is computed is cross-correlation: the kernel is not
flipped, unless `flip=True` asks for the convolution of the mathematics books.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from glassnet.equations.draws import generator
from glassnet.equations.images import Pair, Window, cross_correlation
from glassnet.errors import GlassnetError, unknown_name

Array = np.ndarray[Any, Any]

GRADIENT = "gradient_magnitude"
BORDERS = ("valid", "same", "reflect")
BLOCK = 1 << 18
"""Numbers under the windows that are held at once; they fit into a processor's cache."""
EXACT_32, EXACT_64, LARGEST = 1 << 24, 1 << 53, (1 << 63) - 1
"""Whole numbers up to these are exact in float32, in float64 and in int64."""
_FLOAT32: np.dtype[Any] = np.dtype(np.float32)
_FLOAT64: np.dtype[Any] = np.dtype(np.float64)
_INT64: np.dtype[Any] = np.dtype(np.int64)


def _fixed(rows: Any) -> Array:
    kernel = np.array(rows)
    kernel.flags.writeable = False
    return kernel


def _binomial(size: int) -> list[int]:
    return [math.comb(size - 1, k) for k in range(size)]


KERNELS: Mapping[str, Array] = MappingProxyType(
    {
        "identity": _fixed([[0, 0, 0], [0, 1, 0], [0, 0, 0]]),
        "emboss": _fixed([[2, 0, 0], [0, -1, 0], [0, 0, -1]]),
        "sharpen": _fixed([[0, -1, 0], [-1, 5, -1], [0, -1, 0]]),
        "edges": _fixed([[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]]),
        "laplacian": _fixed([[0, 1, 0], [1, -4, 1], [0, 1, 0]]),
        "sobel_x": _fixed([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]),
        "sobel_y": _fixed([[-1, -2, -1], [0, 0, 0], [1, 2, 1]]),
        "blur": _fixed(np.full((3, 3), 1 / 9)),
        "gaussian_blur": _fixed(np.outer(_binomial(5), _binomial(5)) / 256),
    }
)
"""Kernels by name. `sobel_x` answers to vertical edges, `sobel_y` to horizontal ones; both blurs have the sum 1."""

NAMES = (*KERNELS, GRADIENT)
"""What `convolve` knows by name: the kernels, and the magnitude of the gradient, which is no single kernel."""


def convolve(
    image: Any,
    kernel: Any,
    *,
    stride: int | Pair = 1,
    padding: str | int | Pair = "valid",
    dilation: int | Pair = 1,
    flip: bool = False,
    channels_first: bool = False,
) -> Array:
    """Slide a kernel over an image; what is computed is cross-correlation, as in `Conv2D`: nothing is flipped.

        Z[u, v] = Σᵣₛ X[stride·u + dilation·r, stride·v + dilation·s] · W[r, s]

    With ``flip=True`` it is the true convolution, whose kernel is W turned by half a turn.

    Parameters
    ----------
    image : (h, w) grey, or (h, w, channels) as pictures come; (channels, h, w) with ``channels_first=True``
    kernel : a name from `NAMES`; (kh, kw), which slides over each channel by itself; (filters, kh, kw), which gives as many
        maps; or (filters, channels, kh, kw) as W of `Conv2D`, which sums over the channels.
        "gradient_magnitude" is √(Gx² + Gy²) of the two Sobel kernels
    stride : steps between two positions of the window, one number or (vertical, horizontal)
    padding : "valid" (none); "same" (zeros, so that stride 1 keeps the size); "reflect" (the same, by the picture's own
        mirror image); or how many zeros on each side, one number or (vertical, horizontal)
    dilation : distance between two places of the window, one number or (vertical, horizontal)
    flip : turn the kernel by half a turn first
    channels_first : the image is (channels, h, w)

    Returns
    -------
    Maps of the image's layout, with the filters in front where the kernel has filters: (h', w'), (f, h', w'),
    (h', w', channels), (f, h', w', channels), ... A kernel with channels gives (f, h', w'). Whole numbers give exact
    whole numbers (int64); of an image of float32 the answer is float32, else float64

    Raises
    ------
    GlassnetError : no kernel of that name; shapes that are no image or no kernel; a kernel larger than the image;
        whole numbers too large to be added exactly
    """
    maps = _channels(image, channels_first)
    colour = np.ndim(image) == 3
    if isinstance(kernel, str):
        name = kernel.strip().lower().replace("-", "_").replace(" ", "_")
        if name == GRADIENT:
            both = np.stack([KERNELS["sobel_x"], KERNELS["sobel_y"]])
            across, down = convolve(
                image, both, stride=stride, padding=padding, dilation=dilation, channels_first=channels_first
            )
            magnitude: Array = np.hypot(across, down)
            return magnitude
        if name not in KERNELS:
            raise GlassnetError(unknown_name("kernel", kernel, NAMES))
        weights = KERNELS[name]
    else:
        weights = _weights(kernel)
    if flip:
        weights = weights[..., ::-1, ::-1]
    height, width = maps.shape[1:]
    window = _window(weights.shape[-2:], (height, width), _pair("stride", stride), padding, _pair("dilation", dilation))
    if padding == "reflect":
        maps, window = _reflected(maps, window)
    _fits(window, (height, width), maps.shape[1:])
    summed = weights.ndim == 4
    if summed and weights.shape[1] != len(maps):
        raise GlassnetError(
            f"The kernel has {weights.shape[1]} channels and the image {len(maps)}; pass a kernel of shape (filters, "
            f"{len(maps)}, height, width), or one of two axes, which slides over each channel by itself."
        )
    samples = maps[None] if summed else maps[:, None]  # each channel by itself is an image of its own
    found = _summed(samples, weights if summed else weights.reshape(-1, 1, *weights.shape[-2:]), window)
    answer: Array = found[0]  # (f, h, w)
    if colour and not summed:
        answer = np.ascontiguousarray(
            np.moveaxis(found, 0, 1 if channels_first else -1)
        )  # (f, c, h, w) or (f, h, w, c)
    return answer[0] if weights.ndim == 2 else answer


def random_kernels(count: int = 64, size: int = 3, seed: int = 0) -> Array:
    """So many kernels (count, size, size) whose entries are −1, 0 or 1 with the same chance, from one seed.

    Raises
    ------
    GlassnetError : a count or a size below 1
    """
    if count < 1 or size < 1:
        raise GlassnetError(f"random_kernels got count={count} and size={size}; both need to be 1 or more.")
    return generator(seed, "initial", 0).integers(-1, 2, size=(count, size, size))


def square_stack(maps: Any) -> Array:
    """Maps (f, h, w) or (f, h, w, channels) side by side in ⌈√f⌉ columns, row by row, as one picture.

    Places without a map hold zeros.

    Raises
    ------
    GlassnetError : no maps
    """
    stack = np.asarray(maps)
    if stack.ndim not in (3, 4) or len(stack) == 0:
        raise GlassnetError(f"square_stack got an array of shape {stack.shape}; it needs maps (f, h, w).")
    count, height, width, *channels = stack.shape
    across = math.isqrt(count - 1) + 1
    down = -(-count // across)
    places = np.zeros((down * across, height, width, *channels), dtype=stack.dtype)
    places[:count] = stack
    grid = places.reshape(down, across, height, width, *channels)
    return np.ascontiguousarray(grid.swapaxes(1, 2)).reshape(down * height, across * width, *channels)


def _channels(image: Any, channels_first: bool) -> Array:
    """The image as (channels, h, w)."""
    try:
        array = np.asarray(image)
    except ValueError:
        raise GlassnetError(
            "The image has rows of different lengths; each row needs as many numbers as the others."
        ) from None
    if array.ndim not in (2, 3) or array.dtype.kind not in "uifb" or 0 in array.shape:
        raise GlassnetError(
            f"The image has the shape {array.shape} and the type {array.dtype}; it needs numbers (height, width), "
            "(height, width, channels), or (channels, height, width) with channels_first=True."
        )
    if array.dtype.kind == "b":
        array = array.astype(np.uint8)
    if array.ndim == 2:
        return array[None]
    return array if channels_first else np.moveaxis(array, -1, 0)


def _weights(kernel: Any) -> Array:
    try:
        weights = np.asarray(kernel)
    except ValueError:
        raise GlassnetError(
            "The kernel has rows of different lengths; each row needs as many numbers as the others."
        ) from None
    if weights.ndim not in (2, 3, 4) or weights.dtype.kind not in "uifb" or 0 in weights.shape:
        raise GlassnetError(
            f"The kernel has the shape {weights.shape} and the type {weights.dtype}; it needs a name, or numbers (height, "
            "width), (filters, height, width) or (filters, channels, height, width)."
        )
    if weights.dtype.kind == "f" and not np.isfinite(weights).all():
        raise GlassnetError("The kernel holds NaN or infinity; it needs finite numbers.")
    return weights.astype(np.int64) if weights.dtype.kind == "b" else weights


def _pair(name: str, value: Any, least: int = 1) -> Pair:
    pair = value if isinstance(value, tuple | list) else (value, value)
    whole = all(isinstance(part, int | np.integer) and not isinstance(part, bool) and part >= least for part in pair)
    if len(pair) != 2 or not whole:
        raise GlassnetError(
            f"convolve got {name}={value!r}; it needs a whole number, {least} or more, or a pair (vertical, horizontal)."
        )
    return (int(pair[0]), int(pair[1]))


def _window(kernel: tuple[int, ...], size: Pair, stride: Pair, padding: Any, dilation: Pair) -> Window:
    """The window with its padding in numbers."""
    window = Window((kernel[0], kernel[1]), stride, dilation=dilation)
    if isinstance(padding, str):
        if padding not in BORDERS:
            raise GlassnetError(unknown_name("padding", padding, (*BORDERS, "a number")))
        sides = ((0, 0), (0, 0)) if padding == "valid" else _same(window, size)
    else:
        high, wide = _pair("padding", padding, 0)
        sides = ((high, high), (wide, wide))
    return Window(window.kernel, stride, sides, dilation)


def _same(window: Window, size: Pair) -> tuple[Pair, Pair]:
    """Padding for ⌈size / stride⌉ positions; what cannot be halved is below and to the right."""
    missing = [
        max((-(-length // step) - 1) * step + reach - length, 0)
        for length, step, reach in zip(size, window.stride, window.reach, strict=True)
    ]
    return ((missing[0] // 2, missing[0] - missing[0] // 2), (missing[1] // 2, missing[1] - missing[1] // 2))


def _reflected(maps: Array, window: Window) -> tuple[Array, Window]:
    """The maps with their own mirror image around them, instead of zeros."""
    most = max(max(side) for side in window.padding)
    if most >= min(maps.shape[1:]):
        raise GlassnetError(
            f"A window of {window.reach[0]}×{window.reach[1]} reaches past the mirror image of a picture of "
            f'{maps.shape[1]}×{maps.shape[2]}; pass padding="same" (command line: --padding same), or a smaller kernel.'
        )
    return np.pad(maps, ((0, 0), *window.padding), mode="reflect"), Window(
        window.kernel, window.stride, dilation=window.dilation
    )


def _fits(window: Window, size: Pair, held: tuple[int, ...]) -> None:
    padded = window.padded((held[0], held[1]))
    if window.reach[0] > padded[0] or window.reach[1] > padded[1]:
        high, wide = window.reach
        stretched = " with its dilation" if window.dilation != (1, 1) else ""
        around = " with its padding" if padded != size else ""
        raise GlassnetError(
            f"The kernel of {high}×{wide}{stretched} is larger than the image of {padded[0]}×{padded[1]}{around}; take a "
            'smaller kernel, or padding="same" (command line: --padding same).'
        )


def _summed(images: Array, weights: Array, window: Window) -> Array:
    """Cross-correlation (m, f, h', w'), exact for whole numbers, in blocks of rows so that memory stays small."""
    m, channels, height, width = images.shape
    high, wide = window.positions((height, width))
    whole = images.dtype.kind in "ui" and weights.dtype.kind in "ui"
    if whole:
        working, kept = _exact_type(images, weights), _INT64
    else:
        working = kept = _FLOAT32 if images.dtype in (np.float32, np.float16) else _FLOAT64
    weights = weights.astype(working)
    answer = np.empty((m, len(weights), high, wide), dtype=kept)
    (above, below), (left, right) = window.padding
    padded = np.zeros((m, channels, height + above + below, width + left + right), dtype=working)
    padded[:, :, above : above + height, left : left + width] = images
    inner = Window(window.kernel, window.stride, dilation=window.dilation)
    rows = max(1, BLOCK // max(1, channels * math.prod(window.kernel) * wide))
    for sample in range(m):
        for first in range(0, high, rows):
            last = min(first + rows, high)
            top, bottom = first * window.stride[0], (last - 1) * window.stride[0] + window.reach[0]
            part = padded[sample : sample + 1, :, top:bottom]
            answer[sample, :, first:last] = cross_correlation(part, weights, inner, np)[0]
    return answer


def _exact_type(images: Array, weights: Array) -> np.dtype[Any]:
    """The type in which every sum of these whole numbers is exact, whatever the order: the fastest that will do."""
    largest = max(abs(int(images.max())), abs(int(images.min())))
    bound = largest * max(sum(abs(int(w)) for w in kernel.flat) for kernel in weights)
    if bound > LARGEST:
        raise GlassnetError(
            f"Sums of these whole numbers can reach {bound:.3g}, more than 64 bits hold; pass the image as float64."
        )
    return _FLOAT32 if bound <= EXACT_32 else _FLOAT64 if bound <= EXACT_64 else _INT64
