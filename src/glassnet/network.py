"""`Network`: what is to be trained, said once.

    net = Network(2, Dense(40, "tanh"), Dense(1, "sigmoid"))
    net = Network((1, 28, 28), Conv2D(8, 5, "relu"), MaxPool2D(2), Flatten(), Dense(10, "softmax"))
    net = Network.parse("1×28×28 → conv 8x5 relu → pool 2 → flatten → 10 softmax")      # the same

Two equal descriptions are equal objects, and a description can be stored as JSON and read back.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from glassnet.equations.expression import Symbol
from glassnet.equations.functions import FunctionKind
from glassnet.equations.initializers import automatic, initializer
from glassnet.equations.layers import Forward
from glassnet.errors import GlassnetError
from glassnet.layers import (
    LAYERS,
    Activation,
    AveragePool2D,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool2D,
    Layer,
    MaxPool2D,
    Weighted,
    activated_later,
    activation_name,
)

__all__ = [
    "LAYERS",
    "Activation",
    "AveragePool2D",
    "BatchNorm",
    "Conv2D",
    "Dense",
    "Dropout",
    "Flatten",
    "GlobalAveragePool2D",
    "Layer",
    "MaxPool2D",
    "Network",
]


@dataclass(frozen=True, init=False)
class Network:
    """A network: the shape of one input and the layers it passes through.

    Parameters
    ----------
    input_shape : how many features, or (channels, height, width) of images
    *layers : Dense, Activation, Dropout, BatchNorm; for images Conv2D, MaxPool2D, AveragePool2D, GlobalAveragePool2D, Flatten

    Raises
    ------
    GlassnetError : no layers, something that is no layer, shapes that do not fit

    Examples
    --------
    >>> print(Network(2, Dense(40, "tanh"), Dense(1, "sigmoid")))
    2 → 40 tanh → 1 sigmoid
    >>> print(Network((1, 8, 8), Conv2D(4, 3, "relu"), MaxPool2D(2), Flatten(), Dense(10, "softmax")))
    1×8×8 → conv 4x3 relu → pool 2 → flatten → 10 softmax
    """

    input_shape: tuple[int, ...]
    layers: tuple[Layer, ...]

    def __init__(self, input_shape: int | tuple[int, ...], *layers: Layer) -> None:
        shape = (input_shape,) if isinstance(input_shape, int | np.integer) else input_shape
        whole = isinstance(shape, tuple | list) and all(
            isinstance(d, int | np.integer) and not isinstance(d, bool) and d > 0 for d in shape
        )
        if not whole or len(shape) not in (1, 3):
            raise GlassnetError(
                f"Network got the input shape {input_shape!r}; it needs the number of features, a whole number above 0, or "
                "(channels, height, width) of images."
            )
        for layer in layers:
            if not isinstance(layer, Layer):
                hint = " (write the class with its parentheses, as in Dense(10))" if isinstance(layer, type) else ""
                raise GlassnetError(
                    f"Network got {layer!r} as a layer{hint}; it needs {', '.join(LAYERS)} after the shape of the inputs."
                )
        object.__setattr__(self, "input_shape", tuple(int(d) for d in shape))
        object.__setattr__(self, "layers", tuple(layers))
        self.forward()  # refuses layers that do not fit, where they are written

    def forward(self) -> Forward:
        """The forward equations of all layers."""
        if not any(isinstance(layer, Weighted) for layer in self.layers):
            raise GlassnetError("Network got no layer with weights; it needs at least one, e.g. Dense(1).")
        forward = Forward(Symbol("X", ("m", *self.input_shape)))
        for position, layer in enumerate(self.layers):
            layer.forward(forward, self.layers[position + 1 :])
        return forward

    @property
    def output_units(self) -> int:
        """How many numbers the network answers with."""
        return math.prod(int(d) for d in self.forward().value.shape[1:])

    @classmethod
    def parse(
        cls,
        text: str,
        input_shape: int | tuple[int, ...] | None = None,
        activations: Iterable[FunctionKind] = (),
    ) -> Network:
        """The network that a text describes; `Network.parse(str(network)) == network` for every network.

            1×28×28 → conv 8x5 relu → pool 2 → flatten → 10 softmax         with the shape of the inputs
            conv 8x5 relu, pool 2, flatten, dense 10 softmax                 without; `input_shape` says it

        Layers are separated by → (or ->) or by commas:

            40 tanh, dense 40 tanh                40 units; linear when no activation is named
            conv 8x5 relu                         8 filters of 5×5; conv 8x5x3 of 5×3; then: same, stride 2, dilation 2
            pool 2, pool 3 stride 2               the maximum; average pool 2; drop leftover
            global average, flatten, batch norm, dropout 0.5, dropout 0.5 channels
            relu                                  an activation of its own
            ... init he, init normal(0.01), bias init ones, without bias      after a dense or conv layer

        Parameters
        ----------
        text : the notation
        input_shape : of the inputs, when the text does not begin with it
        activations : functions made by `gn.activation` that the text names

        Raises
        ------
        GlassnetError : what cannot be read, with the part and what it may be; layers that do not fit
        """
        from glassnet.notation import parsed

        shape, layers = parsed(text, input_shape, activations)
        return cls(shape, *layers)

    def initial_parameters(self, seed: int = 0) -> dict[str, np.ndarray]:
        """Starting values of every parameter, float64, from one seed.

        Each parameter has its own stream, addressed by (seed, its layer, its role): widening one layer leaves the
        start of the others alone.
        """
        from glassnet.equations.draws import generator

        forward = self.forward()
        weighted: list[Any] = [layer for layer in self.layers if isinstance(layer, Weighted)]
        activations = self._activations()
        values: dict[str, np.ndarray] = {}
        for parameter in forward.parameters:
            shape = tuple(int(d) for d in parameter.symbol.shape)
            stream = generator(seed, "initial", parameter.layer)
            if parameter.role == "weight":
                own = weighted[parameter.layer - 1].init
                start = automatic(activations[parameter.layer - 1]) if own == "auto" else initializer(own)
                values[parameter.name] = start.draw(shape, stream)
            elif parameter.role == "bias":
                stream = generator(seed, "initial bias", parameter.layer)
                values[parameter.name] = initializer(weighted[parameter.layer - 1].bias_init).draw(shape, stream)
            else:
                values[parameter.name] = np.ones(shape) if parameter.role == "scale" else np.zeros(shape)
        return values

    def _activations(self) -> list[str]:
        """The activation of each layer with weights, its own or that of an Activation layer after it."""
        names: list[str] = []
        for position, layer in enumerate(self.layers):
            if isinstance(layer, Dense | Conv2D):
                later = activated_later(self.layers[position + 1 :])
                names.append(activation_name(later.activation if later else layer.activation))
        return names

    def __str__(self) -> str:
        return " → ".join(["×".join(str(d) for d in self.input_shape), *(str(layer) for layer in self.layers)])

    def __repr__(self) -> str:
        shape: Any = self.input_shape[0] if len(self.input_shape) == 1 else self.input_shape
        return f"Network({', '.join([repr(shape), *(repr(layer) for layer in self.layers)])})"

    def _repr_html_(self) -> str:
        from importlib import import_module

        # The views stand to the right of the networks; nothing here depends on them, a notebook may still ask.
        return str(import_module("glassnet.views.notebook").network_html(self))
