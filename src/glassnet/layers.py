"""The layers of a network, as descriptions: each states its forward equations and its notation.

All are frozen: two equal descriptions are equal objects, and a description can be stored as JSON and read back. `str(layer)`
is what `Network.parse` reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from glassnet.equations import layers as forward_equations
from glassnet.equations.functions import ACTIVATIONS, FunctionKind, activation
from glassnet.equations.images import Pair, Window, pair_text
from glassnet.equations.initializers import Initializer, initializer
from glassnet.equations.layers import Forward
from glassnet.equations.schedules import check_flag, check_fraction, check_positive, settle
from glassnet.errors import GlassnetError, unknown_name


def activation_name(kind: FunctionKind | str) -> str:
    return kind if isinstance(kind, str) else kind.name


@dataclass(frozen=True)
class Layer:
    """What all layers share: each states its forward equations."""

    def forward(self, forward: Forward, following: tuple[Layer, ...]) -> None:
        """Add this layer's equations; `following` are the layers after it."""
        raise TypeError(f"{type(self).__name__} states no equations.")


@dataclass(frozen=True)
class Weighted(Layer):
    """A layer with weights, an activation, and how they start: what Dense and Conv2D share."""

    @property
    def outputs(self) -> int:
        """Units, or filters."""
        raise TypeError(f"{type(self).__name__} does not say how many outputs it has.")

    def _settle(self: Any) -> None:
        settle(self)
        check_flag(type(self).__name__, bias=self.bias)
        object.__setattr__(self, "activation", _canonical(self.activation))
        if not (isinstance(self.init, str) and self.init == "auto"):
            object.__setattr__(self, "init", str(initializer(self.init)))
        start = "zeros" if isinstance(self.bias_init, str) and self.bias_init == "auto" else self.bias_init
        object.__setattr__(self, "bias_init", str(initializer(start)))

    def _activated_later(self: Any, forward: Forward, following: tuple[Layer, ...]) -> bool:
        """Whether an Activation layer follows; two activations of one layer are refused."""
        later = activated_later(following)
        name = type(self).__name__
        if later and activation_name(self.activation) != "linear":
            if any(
                isinstance(layer, _Pool | Flatten | GlobalAveragePool2D)
                for layer in following[: following.index(later)]
            ):
                return False  # of two activations with a pool between them the second is refused
            raise GlassnetError(
                f"{name} {forward.layer + 1} has the activation '{activation_name(self.activation)}' and an Activation "
                f"layer follows it; give {name} no activation, or leave the Activation layer out."
            )
        return later is not None

    def _starts(self: Any) -> str:
        """What is not at its default of init, bias_init and bias, in the notation."""
        said = "" if self.init == "auto" else f" init {self.init}"
        said += "" if self.bias_init == "zeros" else f" bias init {self.bias_init}"
        return said + ("" if self.bias else " without bias")


@dataclass(frozen=True)
class Dense(Weighted):
    """A fully connected layer: Z = A⁽ˡ⁻¹⁾ W + b, A = g(Z).

    Parameters
    ----------
    units : how many outputs n_l
    activation : a name (linear, sigmoid, tanh, relu, leaky_relu, elu, gelu, softplus, softmax, exp, step) or one
        made by `gn.activation`
    init : how W starts: "auto", "zeros", "ones", "constant(0.1)", "normal(0.01)", "uniform(0, 1)", "xavier", "he",
        "lecun" or "orthogonal"
    bias_init : how b starts, in the same notation; "auto" is "zeros"
    bias : False leaves b out

    Raises
    ------
    GlassnetError : units that are no positive whole number, unknown activation or initialiser
    """

    units: int
    activation: str | FunctionKind = "linear"
    init: str | Initializer = "auto"
    bias_init: str | Initializer = "zeros"
    bias: bool = True

    @property
    def outputs(self) -> int:
        return self.units

    def __post_init__(self) -> None:
        if not isinstance(self.units, int | np.integer) or isinstance(self.units, bool) or self.units < 1:
            raise GlassnetError(f"Dense got {self.units!r} units; it needs a whole number, 1 or more.")
        object.__setattr__(self, "units", int(self.units))
        self._settle()

    def forward(self, forward: Forward, following: tuple[Layer, ...]) -> None:
        later = self._activated_later(forward, following)
        forward_equations.dense(forward, self.units, activation(self.activation), self.bias, later)

    def __str__(self) -> str:
        return f"{self.units} {activation_name(self.activation)}" + self._starts()


@dataclass(frozen=True)
class Conv2D(Weighted):
    """A convolutional layer: Z = A⁽ˡ⁻¹⁾ ⋆ W + b, A = g(Z); W is (filters, channels, kernel height, kernel width).

        Z[i,j,u,v] = Σₖᵣₛ A⁽ˡ⁻¹⁾[i, k, stride·u + dilation·r, stride·v + dilation·s] W[j,k,r,s] + b[j]

    What is computed is cross-correlation, as everywhere in the field: the kernel is not flipped.

    Parameters
    ----------
    filters : how many kernels, each giving one map
    kernel_size : height and width of a kernel, one number for both or a pair
    activation, init, bias_init, bias : as of `Dense`
    stride : steps between two positions, one number or a pair
    padding : "valid" (the kernel stays within the image) or "same" (zeros around it, so that a stride of 1 keeps the size)
    dilation : distance between neighbouring places of the kernel, one number or a pair

    Raises
    ------
    GlassnetError : numbers that are not whole and positive, an unknown padding, activation or initialiser

    Source: LeCun et al., Gradient-based learning applied to document recognition, 1998.
    """

    filters: int
    kernel_size: int | Pair
    activation: str | FunctionKind = "linear"
    stride: int | Pair = 1
    padding: str = "valid"
    dilation: int | Pair = 1
    init: str | Initializer = "auto"
    bias_init: str | Initializer = "zeros"
    bias: bool = True

    @property
    def outputs(self) -> int:
        return self.filters

    def __post_init__(self) -> None:
        if not isinstance(self.filters, int | np.integer) or isinstance(self.filters, bool) or self.filters < 1:
            raise GlassnetError(f"Conv2D got {self.filters!r} filters; it needs a whole number, 1 or more.")
        object.__setattr__(self, "filters", int(self.filters))
        for name in ("kernel_size", "stride", "dilation"):
            object.__setattr__(self, name, _pair("Conv2D", name, getattr(self, name)))
        if self.padding not in PADDINGS:
            raise GlassnetError(unknown_name("padding", str(self.padding), PADDINGS))
        self._settle()

    def forward(self, forward: Forward, following: tuple[Layer, ...]) -> None:
        later = self._activated_later(forward, following)
        window = Window(as_pair(self.kernel_size), as_pair(self.stride), dilation=as_pair(self.dilation))
        forward_equations.convolution(
            forward, self.filters, window, self.padding == "same", activation(self.activation), self.bias, later
        )

    def __str__(self) -> str:
        said = f"conv {self.filters}x{_sides(self.kernel_size)} {activation_name(self.activation)}"
        said += "" if self.padding == "valid" else f" {self.padding}"
        said += "" if self.stride == 1 else f" stride {_sides(self.stride)}"
        said += "" if self.dilation == 1 else f" dilation {_sides(self.dilation)}"
        return said + self._starts()


PADDINGS = ("valid", "same")
LEFTOVERS = ("error", "drop")


@dataclass(frozen=True)
class _Pool(Layer):
    """What the pools share: a window, the steps between two positions, and what becomes of rows it does not cover."""

    size: int | Pair = 2
    stride: int | Pair | None = None
    leftover: str = "error"

    def __post_init__(self) -> None:
        name = type(self).__name__
        object.__setattr__(self, "size", _pair(name, "size", self.size))
        if self.stride is not None:
            stride = _pair(name, "stride", self.stride)
            object.__setattr__(self, "stride", None if stride == self.size else stride)
        if self.leftover not in LEFTOVERS:
            raise GlassnetError(unknown_name("leftover", str(self.leftover), LEFTOVERS))

    def _window(self) -> Window:
        return Window(as_pair(self.size), as_pair(self.size if self.stride is None else self.stride))

    def _said(self, name: str) -> str:
        said = f"{name} {_sides(self.size)}"
        said += "" if self.stride is None else f" stride {_sides(self.stride)}"
        return said + ("" if self.leftover == "error" else " drop leftover")


@dataclass(frozen=True)
class MaxPool2D(_Pool):
    """P = the largest entry of each window of each map.

    Parameters
    ----------
    size : height and width of the window, one number for both or a pair
    stride : steps between two positions; the size of the window unless given, so that windows do not overlap
    leftover : "error" refuses maps that the windows do not cover, "drop" leaves their last rows and columns out

    Raises
    ------
    GlassnetError : numbers that are not whole and positive; sizes that do not divide
    """

    def forward(self, forward: Forward, following: tuple[Layer, ...]) -> None:
        forward_equations.pool(forward, "max", self._window(), self.leftover == "drop")

    def __str__(self) -> str:
        return self._said("pool")


@dataclass(frozen=True)
class AveragePool2D(_Pool):
    """P = the mean of each window of each map; parameters and errors as of `MaxPool2D`."""

    def forward(self, forward: Forward, following: tuple[Layer, ...]) -> None:
        forward_equations.pool(forward, "average", self._window(), self.leftover == "drop")

    def __str__(self) -> str:
        return self._said("average pool")


@dataclass(frozen=True)
class GlobalAveragePool2D(Layer):
    """G = the mean of each map, one number a map: (m, c, h, w) → (m, c)."""

    def forward(self, forward: Forward, following: tuple[Layer, ...]) -> None:
        forward_equations.global_average(forward)

    def __str__(self) -> str:
        return "global average"


@dataclass(frozen=True)
class Flatten(Layer):
    """F = each sample's maps as one row, channel by channel, row by row: (m, c, h, w) → (m, c h w)."""

    def forward(self, forward: Forward, following: tuple[Layer, ...]) -> None:
        forward_equations.flatten(forward)

    def __str__(self) -> str:
        return "flatten"


def _pair(layer: str, name: str, value: object) -> int | Pair:
    """One whole number, or a pair of two that differ.

    Raises
    ------
    GlassnetError : anything else
    """
    given = value if isinstance(value, tuple | list) else (value, value)
    whole = len(given) == 2 and all(
        isinstance(n, int | np.integer) and not isinstance(n, bool) and n >= 1 for n in given
    )
    if not whole:
        raise GlassnetError(
            f"{layer} got {name}={value!r}; it needs a whole number of 1 or more, or a pair (vertical, horizontal)."
        )
    first, second = int(given[0]), int(given[1])
    return first if first == second else (first, second)


def as_pair(value: int | Pair) -> Pair:
    """(vertical, horizontal)."""
    return (value, value) if isinstance(value, int) else value


def _sides(value: int | Pair) -> str:
    return pair_text(as_pair(value), "x")


@dataclass(frozen=True)
class Activation(Layer):
    """An activation of its own, e.g. after a BatchNorm that stands between the sums and the activation."""

    activation: str | FunctionKind

    def __post_init__(self) -> None:
        object.__setattr__(self, "activation", _canonical(self.activation))

    def forward(self, forward: Forward, following: tuple[Layer, ...]) -> None:
        if forward.layer == 0:
            raise GlassnetError("An Activation layer got the raw inputs; put a Dense or Conv2D layer before it.")
        forward_equations.activate(forward, activation(self.activation))

    def __str__(self) -> str:
        return activation_name(self.activation)


@dataclass(frozen=True)
class Dropout(Layer):
    """Each entry is dropped with probability `rate` in training, and the kept ones scaled by 1 / (1 − rate).

    With `channels=True` whole maps of an image are dropped or kept.
    """

    rate: float = 0.5
    channels: bool = False

    def __post_init__(self) -> None:
        settle(self)
        check_fraction("Dropout", rate=self.rate)
        check_flag("Dropout", channels=self.channels)

    def forward(self, forward: Forward, following: tuple[Layer, ...]) -> None:
        if self.rate > 0:
            forward_equations.dropout(forward, self.rate, self.channels)

    def __str__(self) -> str:
        return f"dropout {self.rate!r}" + (" channels" if self.channels else "")


@dataclass(frozen=True)
class BatchNorm(Layer):
    """Each feature (of images each channel) normalised over the batch, then scaled by gamma and shifted by beta.

    Both are learnt.

    Predictions use running means of the batch mean and variance: running ← (1 − momentum) running + momentum batch.
    """

    momentum: float = 0.1
    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        settle(self)
        check_positive("BatchNorm", momentum=self.momentum, epsilon=self.epsilon)
        if self.momentum > 1:
            raise GlassnetError(f"BatchNorm got momentum={self.momentum!r}; it needs a number above 0, at most 1.")

    def forward(self, forward: Forward, following: tuple[Layer, ...]) -> None:
        forward_equations.batch_norm(forward, self.momentum, self.epsilon)

    def __str__(self) -> str:
        momentum = "" if self.momentum == 0.1 else f" momentum {self.momentum!r}"
        return "batch norm" + momentum + ("" if self.epsilon == 1e-5 else f" epsilon {self.epsilon!r}")


LAYER_KINDS: tuple[type[Layer], ...] = (
    Dense, Conv2D, MaxPool2D, AveragePool2D, GlobalAveragePool2D, Flatten, Activation, Dropout, BatchNorm,
)  # fmt: skip
OF_PICTURES = (Conv2D, MaxPool2D, AveragePool2D, GlobalAveragePool2D, Flatten)
"""Layers whose inputs are pictures."""
LAYERS: dict[str, type[Layer]] = {kind.__name__: kind for kind in LAYER_KINDS}


def _canonical(value: str | FunctionKind) -> str | FunctionKind:
    """A built-in activation is kept by its name, a person's own as itself."""
    kind = activation(value)
    return kind.name if ACTIVATIONS.get(kind.name) == kind else kind


def activated_later(following: tuple[Layer, ...]) -> Activation | None:
    for layer in following:
        if isinstance(layer, Weighted):
            return None
        if isinstance(layer, Activation):
            return layer
    return None
