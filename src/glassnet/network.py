"""`Network` and its layers: what is to be trained, said once.

    net = Network(2, Dense(40, "tanh"), Dense(1, "sigmoid"))

All are frozen: two equal descriptions are equal objects, and a description can be stored as JSON and read back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from glassnet.equations import layers as forward_equations
from glassnet.equations.expression import Symbol
from glassnet.equations.functions import ACTIVATIONS, FunctionKind, activation
from glassnet.equations.initializers import Initializer, automatic, initializer
from glassnet.equations.layers import Forward
from glassnet.equations.schedules import check_flag, check_fraction, check_positive, settle
from glassnet.errors import GlassnetError


def _activation_name(kind: FunctionKind | str) -> str:
    return kind if isinstance(kind, str) else kind.name


@dataclass(frozen=True)
class Layer:
    """What all layers share: each states its forward equations."""

    def forward(self, forward: Forward, following: tuple[Layer, ...]) -> None:
        """Add this layer's equations; `following` are the layers after it."""
        raise TypeError(f"{type(self).__name__} states no equations.")


@dataclass(frozen=True)
class Dense(Layer):
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

    def __post_init__(self) -> None:
        if not isinstance(self.units, int | np.integer) or isinstance(self.units, bool) or self.units < 1:
            raise GlassnetError(f"Dense got {self.units!r} units; it needs a whole number, 1 or more.")
        object.__setattr__(self, "units", int(self.units))
        settle(self)
        check_flag("Dense", bias=self.bias)
        object.__setattr__(self, "activation", _canonical(self.activation))
        if not (isinstance(self.init, str) and self.init == "auto"):
            object.__setattr__(self, "init", str(initializer(self.init)))
        start = "zeros" if isinstance(self.bias_init, str) and self.bias_init == "auto" else self.bias_init
        object.__setattr__(self, "bias_init", str(initializer(start)))

    def forward(self, forward: Forward, following: tuple[Layer, ...]) -> None:
        later = _activated_later(following)
        if later and _activation_name(self.activation) != "linear":
            raise GlassnetError(
                f"Dense {forward.layer + 1} has the activation '{_activation_name(self.activation)}' and an Activation "
                "layer follows it; give Dense no activation, or leave the Activation layer out."
            )
        forward_equations.dense(forward, self.units, activation(self.activation), self.bias, later is not None)

    def __str__(self) -> str:
        return f"{self.units} {_activation_name(self.activation)}" + ("" if self.bias else " without bias")


@dataclass(frozen=True)
class Activation(Layer):
    """An activation of its own, e.g. after a BatchNorm that stands between the sums and the activation."""

    activation: str | FunctionKind

    def __post_init__(self) -> None:
        object.__setattr__(self, "activation", _canonical(self.activation))

    def forward(self, forward: Forward, following: tuple[Layer, ...]) -> None:
        if forward.layer == 0:
            raise GlassnetError("An Activation layer got the raw inputs; put a Dense layer before it.")
        forward_equations.activate(forward, activation(self.activation))

    def __str__(self) -> str:
        return _activation_name(self.activation)


@dataclass(frozen=True)
class Dropout(Layer):
    """Each entry is dropped with probability `rate` in training, and the kept ones scaled by 1 / (1 − rate)."""

    rate: float = 0.5

    def __post_init__(self) -> None:
        settle(self)
        check_fraction("Dropout", rate=self.rate)

    def forward(self, forward: Forward, following: tuple[Layer, ...]) -> None:
        if self.rate > 0:
            forward_equations.dropout(forward, self.rate)

    def __str__(self) -> str:
        return f"dropout {self.rate:g}"


@dataclass(frozen=True)
class BatchNorm(Layer):
    """Each feature normalised over the batch, then scaled by gamma and shifted by beta, which are learnt.

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
        return "batch norm"


LAYERS: dict[str, type[Layer]] = {kind.__name__: kind for kind in (Dense, Activation, Dropout, BatchNorm)}


def _canonical(value: str | FunctionKind) -> str | FunctionKind:
    """A built-in activation is kept by its name, a person's own as itself."""
    kind = activation(value)
    return kind.name if ACTIVATIONS.get(kind.name) == kind else kind


def _activated_later(following: tuple[Layer, ...]) -> Activation | None:
    for layer in following:
        if isinstance(layer, Dense):
            return None
        if isinstance(layer, Activation):
            return layer
    return None


@dataclass(frozen=True, init=False)
class Network:
    """A network: the shape of one input and the layers it passes through.

    Parameters
    ----------
    input_shape : how many features
    *layers : Dense, Activation, Dropout, BatchNorm

    Raises
    ------
    GlassnetError : no layers, something that is no layer, shapes that do not fit

    Examples
    --------
    >>> print(Network(2, Dense(40, "tanh"), Dense(1, "sigmoid")))
    2 → 40 tanh → 1 sigmoid
    """

    input_shape: tuple[int, ...]
    layers: tuple[Layer, ...]

    def __init__(self, input_shape: int | tuple[int, ...], *layers: Layer) -> None:
        shape = (input_shape,) if isinstance(input_shape, int | np.integer) else input_shape
        whole = isinstance(shape, tuple | list) and all(
            isinstance(d, int | np.integer) and not isinstance(d, bool) and d > 0 for d in shape
        )
        if not whole or len(shape) != 1:
            raise GlassnetError(
                f"Network got the input shape {input_shape!r}; it needs the number of features, a whole number above 0."
            )
        for layer in layers:
            if not isinstance(layer, Layer):
                hint = " (write the class with its parentheses, as in Dense(10))" if isinstance(layer, type) else ""
                raise GlassnetError(
                    f"Network got {layer!r} as a layer{hint}; it needs {', '.join(LAYERS)} after the number of inputs."
                )
        object.__setattr__(self, "input_shape", tuple(int(d) for d in shape))
        object.__setattr__(self, "layers", tuple(layers))
        self.forward()  # refuses layers that do not fit, where they are written

    def forward(self) -> Forward:
        """The forward equations of all layers."""
        if not any(isinstance(layer, Dense) for layer in self.layers):
            raise GlassnetError("Network got no Dense layer; it needs at least one, e.g. Dense(1).")
        forward = Forward(Symbol("X", ("m", *self.input_shape)))
        for position, layer in enumerate(self.layers):
            layer.forward(forward, self.layers[position + 1 :])
        return forward

    @property
    def output_units(self) -> int:
        """How many numbers the network answers with."""
        return next(layer.units for layer in reversed(self.layers) if isinstance(layer, Dense))

    def initial_parameters(self, seed: int = 0) -> dict[str, np.ndarray]:
        """Starting values of every parameter, float64, from one seed.

        Each parameter has its own stream, addressed by (seed, its layer, its role): widening one layer leaves the
        start of the others alone.
        """
        from glassnet.equations.draws import generator

        forward = self.forward()
        dense = [layer for layer in self.layers if isinstance(layer, Dense)]
        activations = self._activations()
        values: dict[str, np.ndarray] = {}
        for parameter in forward.parameters:
            shape = tuple(int(d) for d in parameter.symbol.shape)
            stream = generator(seed, "initial", parameter.layer)
            if parameter.role == "weight":
                own = dense[parameter.layer - 1].init
                start = automatic(activations[parameter.layer - 1]) if own == "auto" else initializer(own)
                values[parameter.name] = start.draw(shape, stream)
            elif parameter.role == "bias":
                stream = generator(seed, "initial bias", parameter.layer)
                values[parameter.name] = initializer(dense[parameter.layer - 1].bias_init).draw(shape, stream)
            else:
                values[parameter.name] = np.ones(shape) if parameter.role == "scale" else np.zeros(shape)
        return values

    def _activations(self) -> list[str]:
        """The activation of each dense layer, its own or that of an Activation layer after it."""
        names: list[str] = []
        for position, layer in enumerate(self.layers):
            if isinstance(layer, Dense):
                later = _activated_later(self.layers[position + 1 :])
                names.append(_activation_name(later.activation if later else layer.activation))
        return names

    def __str__(self) -> str:
        return " → ".join([" × ".join(str(d) for d in self.input_shape), *(str(layer) for layer in self.layers)])

    def __repr__(self) -> str:
        shape: Any = self.input_shape[0] if len(self.input_shape) == 1 else self.input_shape
        return f"Network({', '.join([repr(shape), *(repr(layer) for layer in self.layers)])})"

    def _repr_html_(self) -> str:
        from importlib import import_module

        # The views stand to the right of the networks; nothing here depends on them, a notebook may still ask.
        return str(import_module("glassnet.views.notebook").network_html(self))
