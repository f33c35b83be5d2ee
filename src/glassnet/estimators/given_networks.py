"""Networks as an estimator is given them: whole, in words, or their hidden layers alone; and pictures as rows.

scikit-learn's checks and pipelines know tables, so pictures (m, channels, height, width) are laid out as rows of all their
numbers, and the network's input shape says how to read such rows.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from glassnet.errors import GlassnetError
from glassnet.layers import OF_PICTURES
from glassnet.network import (
    Dense,
    Layer,
    Network,
)
from glassnet.notation import stated_picture
from glassnet.training.arrays import check_inputs

WORDS_OF_PICTURES = re.compile(r"\b(conv|pool|flatten|global average)\b")
Shape = tuple[int, ...]


def hidden_layers(given: Any) -> list[Any]:
    """What an estimator's `network` lists that is no whole one; None stands for 100 relu units.

    Raises
    ------
    GlassnetError : it is no list
    """
    if given is None:
        return [Dense(100, "relu")]
    if isinstance(given, Layer):
        return [given]
    if not isinstance(given, list | tuple):
        raise GlassnetError(
            f"network got {given!r}; it needs a Network, its notation, such as 'conv 8x3 relu, flatten, 10 softmax', or a list "
            "of hidden layers."
        )
    return list(given)


def reads_pictures(given: Any) -> bool:
    """Whether the network's inputs are pictures."""
    if isinstance(given, Network):
        return len(given.input_shape) == 3
    if isinstance(given, str):
        return stated_picture(given) is not None or WORDS_OF_PICTURES.search(given.lower()) is not None
    return any(isinstance(layer, OF_PICTURES) for layer in hidden_layers(given))


def takes_sparse(given: Any) -> bool:
    """Whether the first layer is one that a sparse X can be multiplied with; of a text that is not said."""
    if isinstance(given, Network):
        return isinstance(given.layers[0], Dense)
    if isinstance(given, list | tuple):
        return not given or isinstance(given[0], Dense)
    return given is None or isinstance(given, Dense)


def dimensions(X: Any) -> int:
    """How many X has; rows of different lengths count as a table, which scikit-learn then refuses."""
    try:
        return int(X.ndim if hasattr(X, "ndim") else np.asarray(X).ndim)
    except ValueError:
        return 2


def as_rows(X: Any, given: Any) -> tuple[Any, Shape | None]:
    """X of one picture a row, and the pictures' shape (channels, height, width); a table as it is, with None.

    Raises
    ------
    DataError : pictures that the given network does not take
    """
    if dimensions(X) <= 2 or not reads_pictures(given):
        return X, None
    if isinstance(given, str) and stated_picture(given):
        given = Network.parse(given)
    if isinstance(given, Network):
        pictures = check_inputs(X, given)
    else:
        pictures = np.asarray(X)
        if pictures.ndim == 3:
            pictures = pictures[:, None]
        if pictures.ndim != 4:
            raise GlassnetError(
                f"X has shape {pictures.shape}; it needs pictures (m, channels, height, width), or (m, height, width) for one "
                "channel."
            )
        first, second, last = pictures.shape[1:]
        if last in (1, 3, 4) and first > last and second > last:
            raise GlassnetError(
                f"X has shape {pictures.shape}, whose channels seem to stand last; it needs (m, channels, height, width): pass "
                "np.moveaxis(X, -1, 1), or begin the network with the shape of the pictures."
            )
    return pictures.reshape(len(pictures), -1), pictures.shape[1:]


def whole_network(given: Any, shape: Shape) -> Network | None:
    """The network that was given whole, or in words for inputs of this shape; None for hidden layers alone.

    Raises
    ------
    GlassnetError : words that cannot be read; a network that takes other inputs
    """
    if isinstance(given, str):
        if stated_picture(given):
            given = Network.parse(given)
        else:
            _shape_known(given, f"'{given}'", shape)
            given = Network.parse(given, shape)
    if not isinstance(given, Network):
        return None
    needed, found = int(np.prod(given.input_shape)), int(np.prod(shape))
    if needed != found:
        if len(given.input_shape) == 3:
            shown = "×".join(map(str, given.input_shape))
            raise GlassnetError(
                f"The network {given} takes pictures of {shown}, {needed} numbers a row, and X has {found}; give it as many, "
                "or begin the network with the shape of the pictures in X."
            )
        raise GlassnetError(
            f"The network {given} takes {needed} features and X has {found}; give it as many, or give its hidden layers alone, "
            "e.g. network=[gn.Dense(40, 'tanh')]."
        )
    return given


def completed_network(given: Any, shape: Shape, output: Layer) -> Network:
    """The hidden layers given, between inputs of this shape and the output layer.

    Raises
    ------
    GlassnetError : layers that do not fit
    """
    layers = hidden_layers(given)
    _shape_known(given, " → ".join(map(str, layers)), shape)
    return Network(shape, *layers, output)


def _shape_known(given: Any, said: str, shape: Shape) -> None:
    if len(shape) == 1 and reads_pictures(given):
        raise GlassnetError(
            f"X has rows of {shape[0]} numbers, and {said} reads pictures, whose shape is not known; pass X as (m, channels, "
            "height, width), or the network with its input shape, e.g. '1x8x8 → conv 8x3 relu → flatten → 10 softmax'."
        )
