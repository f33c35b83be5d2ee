"""The nodes of image networks: convolution and its two adjoints, pooling and its adjoints, flattening, channels.

An image is (m, channels, height, width), a kernel (filters, channels, height, width). What the field calls convolution is
cross-correlation: the kernel slides over the image as it is, nothing is flipped. The flipped kernel appears on the way back.

All values are made from windows of the image by slices and matrix products, on any array-API namespace.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from glassnet.equations.expression import Array, Expression, Namespace, Shape, _Unary, shape_text, walk
from glassnet.errors import GlassnetError

Pair = tuple[int, int]


@dataclass(frozen=True)
class Window:
    """How a window slides over a map; all pairs are (vertical, horizontal).

    Parameters
    ----------
    kernel : places of the window
    stride : steps between two positions
    padding : zeros around the map: ((above, below), (left, right))
    dilation : distance between two neighbouring places of the window
    """

    kernel: Pair
    stride: Pair = (1, 1)
    padding: tuple[Pair, Pair] = ((0, 0), (0, 0))
    dilation: Pair = (1, 1)

    @property
    def reach(self) -> Pair:
        """Height and width that the window spans, its gaps included: d (k − 1) + 1."""
        (a, b), (d, e) = self.kernel, self.dilation
        return (d * (a - 1) + 1, e * (b - 1) + 1)

    def padded(self, size: Pair) -> Pair:
        """Height and width of a map with its padding."""
        return (size[0] + sum(self.padding[0]), size[1] + sum(self.padding[1]))

    def positions(self, size: Pair) -> Pair:
        """How many positions the window has on a map: ⌊(padded size − reach) / stride⌋ + 1."""
        high, wide = (
            (padded - reach) // step + 1
            for padded, reach, step in zip(self.padded(size), self.reach, self.stride, strict=True)
        )
        return (high, wide)

    @property
    def plain(self) -> bool:
        """Whether it slides place by place, without padding or gaps."""
        return self == Window(self.kernel)

    def __str__(self) -> str:
        """What is not the default: `stride 2, padding 1`; empty for a plain window."""
        parts = []
        if self.stride != (1, 1):
            parts.append(f"stride {pair_text(self.stride)}")
        if self.padding != ((0, 0), (0, 0)):
            sides = [pair_text(side, "–") for side in self.padding]
            parts.append(f"padding {sides[0] if sides[0] == sides[1] else '×'.join(sides)}")
        if self.dilation != (1, 1):
            parts.append(f"dilation {pair_text(self.dilation)}")
        return ", ".join(parts)

    def slices(self, size: Pair) -> Iterator[tuple[int, int, tuple[slice, slice]]]:
        """For each place (r, s) of the window: where in the padded map it lies, over all positions."""
        high, wide = self.positions(size)
        for r in range(self.kernel[0]):
            for s in range(self.kernel[1]):
                top, left = r * self.dilation[0], s * self.dilation[1]
                rows = slice(top, top + (high - 1) * self.stride[0] + 1, self.stride[0])
                columns = slice(left, left + (wide - 1) * self.stride[1] + 1, self.stride[1])
                yield r, s, (rows, columns)


def pair_text(pair: Pair, between: str = "×") -> str:
    """`2`, or `2×3` when the two differ."""
    return str(pair[0]) if pair[0] == pair[1] else f"{pair[0]}{between}{pair[1]}"


# The arithmetic, on arrays.


def pad(image: Array, window: Window, xp: Namespace) -> Array:
    """The image (m, c, h, w) with the window's zeros around it."""
    if window.padding == ((0, 0), (0, 0)):
        return image
    (top, _), (left, _) = window.padding
    m, channels, h, w = image.shape
    padded = xp.zeros((m, channels, *window.padded((h, w))), dtype=image.dtype)
    padded[:, :, top : top + h, left : left + w] = image
    return padded


def unpad(padded: Array, window: Window, size: Pair) -> Array:
    """The part of a padded map that is not padding."""
    (top, _), (left, _) = window.padding
    return padded[:, :, top : top + size[0], left : left + size[1]]


def patches(image: Array, window: Window, xp: Namespace) -> Array:
    """What lies under the window at each position: (m, c, places of the window, positions)."""
    m, channels, h, w = image.shape
    padded = pad(image, window, xp)
    places = [padded[:, :, rows, columns] for _, _, (rows, columns) in window.slices((h, w))]
    return xp.reshape(xp.stack(places, axis=2), (m, channels, len(places), -1))


def gathered(places: Array, window: Window, size: Pair, xp: Namespace) -> Array:
    """The adjoint of `patches`: (m, c, places, positions) added up where each lies on the map (m, c, h, w)."""
    m, channels = places.shape[:2]
    high, wide = window.positions(size)
    places = xp.reshape(places, (m, channels, -1, high, wide))
    padded = xp.zeros((m, channels, *window.padded(size)), dtype=places.dtype)
    for number, (_, _, (rows, columns)) in enumerate(window.slices(size)):
        padded[:, :, rows, columns] += places[:, :, number]
    return unpad(padded, window, size)


def cross_correlation(image: Array, kernel: Array, window: Window, xp: Namespace) -> Array:
    """Z[i,j,u,v] = Σₖᵣₛ X[i, k, stride·u + dilation·r − padding, ...] W[j,k,r,s], by patches and one matrix product.

    Parameters
    ----------
    image : (m, channels, height, width)
    kernel : (filters, channels, kernel height, kernel width)

    Returns
    -------
    (m, filters, positions down, positions across)
    """
    m, filters = image.shape[0], kernel.shape[0]
    high, wide = window.positions(image.shape[2:])
    columns = xp.reshape(patches(image, window, xp), (m, -1, high * wide))
    return xp.reshape(xp.reshape(kernel, (filters, -1)) @ columns, (m, filters, high, wide))


def cross_correlation_back(upstream: Array, kernel: Array, window: Window, size: Pair, xp: Namespace) -> Array:
    """The adjoint of cross-correlation in the image: the kernel, flipped, slides over the whole upstream map.

    ⟨cross_correlation(X, W), D⟩ = ⟨X, cross_correlation_back(D, W)⟩ for all X and D.
    """
    m, filters = upstream.shape[:2]
    channels = kernel.shape[1]
    columns = xp.reshape(kernel, (filters, -1)).T @ xp.reshape(upstream, (m, filters, -1))
    return gathered(xp.reshape(columns, (m, channels, -1, columns.shape[-1])), window, size, xp)


def cross_correlation_kernel(image: Array, upstream: Array, window: Window, xp: Namespace) -> Array:
    """The adjoint of cross-correlation in the kernel: the upstream map slides over the image, summed over samples.

    ⟨cross_correlation(X, W), D⟩ = ⟨W, cross_correlation_kernel(X, D)⟩ for all W and D.
    """
    m, channels = image.shape[:2]
    filters = upstream.shape[1]
    columns = xp.reshape(patches(image, window, xp), (m, channels * window.kernel[0] * window.kernel[1], -1))
    product = xp.tensordot(xp.reshape(upstream, (m, filters, -1)), columns, axes=([0, 2], [0, 2]))
    return xp.reshape(product, (filters, channels, *window.kernel))


def leads(image: Array, window: Window, xp: Namespace) -> list[Array]:
    """For each place of a window: 1 at the positions where it holds the largest entry (the first of equals), else 0."""
    places = patches(image, window, xp)
    top = xp.max(places, axis=2)
    taken = xp.zeros(top.shape, dtype=xp.bool)
    found = []
    for number in range(places.shape[2]):
        here = (places[:, :, number] == top) & ~taken
        taken = taken | here
        found.append(xp.astype(here, image.dtype))
    return found


# The nodes.


def _map_size(shape: Shape) -> Pair:
    return (int(shape[2]), int(shape[3]))


@dataclass(frozen=True, repr=False)
class _OfTwo(Expression):
    """A node of two operands, whose names each kind states; what else it holds stays as it is."""

    operands: ClassVar[tuple[str, str]]

    @property
    def children(self) -> tuple[Expression, ...]:
        first, second = self.operands
        return (getattr(self, first), getattr(self, second))

    def with_children(self, children: tuple[Expression, ...]) -> Expression:
        return replace(self, **dict(zip(self.operands, children, strict=True)))


@dataclass(frozen=True, repr=False)
class Convolve(_OfTwo):
    """X ⋆ W, cross-correlation: (m, c, h, w) and (f, c, a, b) → (m, f, positions down, positions across)."""

    operands = ("image", "kernel")
    image: Expression
    kernel: Expression
    window: Window

    @property
    def shape(self) -> Shape:
        image, kernel = self.image.shape, self.kernel.shape
        if len(image) != 4 or len(kernel) != 4 or image[1] != kernel[1]:
            raise GlassnetError(
                f"The convolution '{self}' got shapes {shape_text(image)} and {shape_text(kernel)}; it needs "
                "(m, channels, height, width) and (filters, channels, height, width) with as many channels."
            )
        return (image[0], kernel[0], *self.window.positions(_map_size(image)))

    def evaluate(self, env: Mapping[str, Array], xp: Namespace) -> Array:
        return cross_correlation(self.image.evaluate(env, xp), self.kernel.evaluate(env, xp), self.window, xp)


@dataclass(frozen=True, repr=False)
class ConvolveBack(_OfTwo):
    """D ⋆full flip(W): what reaches the image (m, c, h, w) of a slope D by its convolution with W."""

    operands = ("upstream", "kernel")
    upstream: Expression
    kernel: Expression
    window: Window
    size: Pair

    @property
    def shape(self) -> Shape:
        return (self.upstream.shape[0], self.kernel.shape[1], *self.size)

    def evaluate(self, env: Mapping[str, Array], xp: Namespace) -> Array:
        upstream, kernel = self.upstream.evaluate(env, xp), self.kernel.evaluate(env, xp)
        return cross_correlation_back(upstream, kernel, self.window, self.size, xp)


@dataclass(frozen=True, repr=False)
class ConvolveKernel(_OfTwo):
    """Σᵢ(X ⋆ D): what reaches the kernel (f, c, a, b) of a slope D by the convolution of X with it."""

    operands = ("image", "upstream")
    image: Expression
    upstream: Expression
    window: Window

    @property
    def shape(self) -> Shape:
        return (self.upstream.shape[1], self.image.shape[1], *self.window.kernel)

    def evaluate(self, env: Mapping[str, Array], xp: Namespace) -> Array:
        image, upstream = self.image.evaluate(env, xp), self.upstream.evaluate(env, xp)
        return cross_correlation_kernel(image, upstream, self.window, xp)


@dataclass(frozen=True, repr=False)
class _Pooled(_Unary):
    """One number for each position of a window, of each channel by itself."""

    window: Window

    def with_children(self, children: tuple[Expression, ...]) -> Expression:
        return type(self)(children[0], self.window)

    @property
    def shape(self) -> Shape:
        m, channels, *_ = shape = self.argument.shape
        return (m, channels, *self.window.positions(_map_size(shape)))

    def _positions(self, value: Array) -> tuple[int, ...]:
        return (*value.shape[:2], *self.window.positions(value.shape[2:]))


def under_windows(expression: Expression) -> int:
    """Numbers of one sample that lie under all positions of a window, of the tree's largest; 0 without windows.

    It is what `patches` lays out for a sample: channels × places of the window × positions.
    """
    most = 0
    for node in walk(expression):
        if isinstance(node, Convolve | _Pooled):
            image = node.image if isinstance(node, Convolve) else node.argument
            positions = node.window.positions(_map_size(image.shape))
            most = max(most, int(image.shape[1]) * math.prod(node.window.kernel) * math.prod(positions))
    return most


@dataclass(frozen=True, repr=False)
class MaxPool(_Pooled):
    """The largest entry of each window."""

    def evaluate(self, env: Mapping[str, Array], xp: Namespace) -> Array:
        value = self.argument.evaluate(env, xp)
        return xp.reshape(xp.max(patches(value, self.window, xp), axis=2), self._positions(value))


@dataclass(frozen=True, repr=False)
class AveragePool(_Pooled):
    """The mean of each window."""

    def evaluate(self, env: Mapping[str, Array], xp: Namespace) -> Array:
        value = self.argument.evaluate(env, xp)
        return xp.reshape(xp.mean(patches(value, self.window, xp), axis=2), self._positions(value))


@dataclass(frozen=True, repr=False)
class SpreadAverage(Expression):
    """The adjoint of AveragePool: each slope spread evenly over its window."""

    upstream: Expression
    window: Window
    size: Pair

    @property
    def children(self) -> tuple[Expression, ...]:
        return (self.upstream,)

    def with_children(self, children: tuple[Expression, ...]) -> Expression:
        return SpreadAverage(children[0], self.window, self.size)

    @property
    def shape(self) -> Shape:
        return (*self.upstream.shape[:2], *self.size)

    def evaluate(self, env: Mapping[str, Array], xp: Namespace) -> Array:
        upstream = self.upstream.evaluate(env, xp)
        count = self.window.kernel[0] * self.window.kernel[1]
        return gathered(xp.stack([upstream / count] * count, axis=2), self.window, self.size, xp)


@dataclass(frozen=True, repr=False)
class Unpool(_OfTwo):
    """The adjoint of MaxPool at an image: each slope goes to the largest entry of its window (the first of equals)."""

    operands = ("upstream", "image")
    upstream: Expression
    image: Expression
    window: Window

    @property
    def shape(self) -> Shape:
        return self.image.shape

    def evaluate(self, env: Mapping[str, Array], xp: Namespace) -> Array:
        upstream, image = self.upstream.evaluate(env, xp), self.image.evaluate(env, xp)
        flat = xp.reshape(upstream, (*upstream.shape[:2], -1))
        routed = [flat * here for here in leads(image, self.window, xp)]
        return gathered(xp.stack(routed, axis=2), self.window, image.shape[2:], xp)


@dataclass(frozen=True, repr=False)
class PoolAt(_OfTwo):
    """The entries of a map at the places where an image's windows have their largest: the derivative of Unpool."""

    operands = ("upstream", "image")
    upstream: Expression
    image: Expression
    window: Window

    @property
    def shape(self) -> Shape:
        return MaxPool(self.image, self.window).shape

    def evaluate(self, env: Mapping[str, Array], xp: Namespace) -> Array:
        upstream, image = self.upstream.evaluate(env, xp), self.image.evaluate(env, xp)
        places = patches(upstream, self.window, xp)
        chosen = [places[:, :, n] * here for n, here in enumerate(leads(image, self.window, xp))]
        total = xp.sum(xp.stack(chosen, axis=2), axis=2)
        return xp.reshape(total, (*image.shape[:2], *self.window.positions(image.shape[2:])))


@dataclass(frozen=True, repr=False)
class Flatten(_Unary):
    """Each sample's maps as one row: (m, c, h, w) → (m, c h w), channel by channel, row by row."""

    @property
    def shape(self) -> Shape:
        m, *rest = self.argument.shape
        total = 1
        for dimension in rest:
            total *= int(dimension)
        return (m, total)

    def evaluate(self, env: Mapping[str, Array], xp: Namespace) -> Array:
        value = self.argument.evaluate(env, xp)
        return xp.reshape(value, (value.shape[0], -1))


@dataclass(frozen=True, repr=False)
class Unflatten(_Unary):
    """The adjoint of Flatten: rows back to maps (c, h, w)."""

    maps: tuple[int, int, int]

    def with_children(self, children: tuple[Expression, ...]) -> Expression:
        return Unflatten(children[0], self.maps)

    @property
    def shape(self) -> Shape:
        return (self.argument.shape[0], *self.maps)

    def evaluate(self, env: Mapping[str, Array], xp: Namespace) -> Array:
        value = self.argument.evaluate(env, xp)
        return xp.reshape(value, (value.shape[0], *self.maps))


@dataclass(frozen=True, repr=False)
class Channels(_Unary):
    """One number a channel, (c,), standing for its whole map: (c, 1, 1), which broadcasts over (m, c, h, w)."""

    @property
    def shape(self) -> Shape:
        return (self.argument.shape[0], 1, 1)

    def evaluate(self, env: Mapping[str, Array], xp: Namespace) -> Array:
        return xp.reshape(self.argument.evaluate(env, xp), (-1, 1, 1))


@dataclass(frozen=True, repr=False)
class EachMap(_Unary):
    """One number for each map of each sample, (m, c), standing for the map: (m, c, 1, 1)."""

    @property
    def shape(self) -> Shape:
        return (*self.argument.shape, 1, 1)

    def evaluate(self, env: Mapping[str, Array], xp: Namespace) -> Array:
        value = self.argument.evaluate(env, xp)
        return xp.reshape(value, (*value.shape, 1, 1))


def per_channel(node: Expression) -> Expression | None:
    """The tree in numbers a channel, (c,), when all it uses are numbers and values a channel; None otherwise."""
    if isinstance(node, Channels):
        return node.argument
    if node.shape == ():
        return node
    if len(node.shape) != 3 or not node.children:
        return None
    children = [per_channel(child) for child in node.children]
    if any(child is None for child in children):
        return None
    return node.with_children(tuple(child for child in children if child is not None))
