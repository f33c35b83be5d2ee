"""What `gradcheck` is given, as float64 arrays that fit the network and the loss, or a sentence that says why not.

Training has its own readers, which also know tables; this room may not look that far ahead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import GlassnetError

if TYPE_CHECKING:
    from glassnet.equations.losses import Loss
    from glassnet.network import Network


def finite_array(value: Any, name: str) -> np.ndarray:
    """The value as a float64 array of finite numbers."""
    try:
        array = np.asarray(value)
        numbers = array.astype(np.float64) if array.dtype.kind in "biufO" else None
    except (TypeError, ValueError):
        numbers = None
    if numbers is None:
        raise GlassnetError(f"gradcheck got {name} with entries that are no numbers; it needs an array of numbers.")
    if not np.isfinite(numbers).all():
        wrong = int((~np.isfinite(numbers)).sum())
        raise GlassnetError(
            f"gradcheck got {name} with {wrong} value{'' if wrong == 1 else 's'} that are NaN or infinite; it needs "
            "finite numbers, so leave such rows out or fill them in."
        )
    return numbers


def read_samples(X: Any, Y: Any, network: Network, loss: Loss) -> tuple[np.ndarray, np.ndarray]:
    """X as (m, features) and Y as (m, outputs); class numbers become one-hot rows under a loss of classes."""
    inputs, targets = finite_array(X, "X"), finite_array(Y, "Y")
    units = network.output_units
    if inputs.ndim == 1 and network.input_shape == (1,):
        inputs = inputs[:, None]
    images = len(network.input_shape) == 3
    if (
        images
        and inputs.ndim > 1
        and inputs.shape[1:] != network.input_shape
        and inputs[0].size == np.prod(network.input_shape)
    ):
        inputs = inputs.reshape(len(inputs), *network.input_shape)
    inputs = np.atleast_2d(inputs)
    rows = loss.targets == "rows_sum_to_one"
    if rows and units > 1 and (targets.ndim == 1 or targets.shape[1:] == (1,)):
        targets = _one_hot(targets.reshape(-1), units)
    if targets.ndim == 1:
        targets = targets[:, None]
    if inputs.shape[1:] != network.input_shape or targets.shape != (len(inputs), units):
        raise GlassnetError(
            f"gradcheck got X of shape {inputs.shape} and Y of shape {targets.shape}; it needs "
            f"({', '.join(map(str, ('m', *network.input_shape)))}) and (m, {units})."
        )
    if not len(inputs):
        raise GlassnetError("gradcheck got X and Y without rows; it needs at least one row.")
    _in_range(targets, loss)
    return inputs, targets


def _one_hot(labels: np.ndarray, units: int) -> np.ndarray:
    if not np.isin(labels, np.arange(units)).all():
        raise GlassnetError(
            f"gradcheck got Y as class numbers from {labels.min():g} to {labels.max():g}; with {units} outputs it needs "
            f"whole numbers from 0 to {units - 1}, or one-hot rows."
        )
    return np.eye(units)[labels.astype(np.int64)]


def _in_range(targets: np.ndarray, loss: Loss) -> None:
    needed, fits = {
        "zero_to_one": ("targets from 0 to 1", (targets >= 0) & (targets <= 1)),
        "zero_or_one": ("targets that are 0 or 1", np.isin(targets, (0, 1))),
        "plus_minus_one": ("targets that are −1 or 1", np.isin(targets, (-1, 1))),
        "not_negative": ("targets of 0 or more", targets >= 0),
        "rows_sum_to_one": (
            "rows of probabilities that sum to 1, or class numbers",
            (targets >= 0) & (np.abs(targets.sum(axis=1, keepdims=True) - 1) <= 1e-6),
        ),
    }.get(loss.targets, ("", np.array(True)))
    if not fits.all():
        raise GlassnetError(
            f"gradcheck got Y with values from {targets.min():g} to {targets.max():g}; {loss.name} needs {needed}."
        )


def read_weights(value: Any, rows: int) -> np.ndarray:
    """Sample weights as a column (m, 1)."""
    weights = finite_array(value, "sample_weight")
    if weights.size != rows:
        raise GlassnetError(
            f"gradcheck got sample_weight of shape {weights.shape}; it needs one weight a row, ({rows},)."
        )
    if weights.min() < 0 or weights.max() <= 0:
        raise GlassnetError(
            f"gradcheck got sample_weight from {weights.min():g} to {weights.max():g}; it needs weights of 0 or more, "
            "at least one of them above 0."
        )
    return weights.reshape(-1, 1)


def read_parameters(given: Any, initial: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The given arrays by name, and the initial ones for names left out."""
    if not isinstance(given, Mapping):
        raise GlassnetError(
            f"gradcheck got parameters as {type(given).__name__}; it needs a dict of arrays by name: {', '.join(initial)}."
        )
    unknown = [str(name) for name in given if name not in initial]
    if unknown:
        raise GlassnetError(
            f"gradcheck got parameters named {', '.join(unknown)}; the network's are {', '.join(initial)}."
        )
    values = dict(initial)
    for name, value in given.items():
        values[name] = finite_array(value, f"parameters['{name}']")
        if values[name].shape != initial[name].shape:
            raise GlassnetError(
                f"gradcheck got parameters['{name}'] of shape {values[name].shape}; it needs {initial[name].shape}."
            )
    return values
