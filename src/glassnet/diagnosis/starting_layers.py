"""The first update layer by layer: how large the weights are for their inputs, how far values spread over the rows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from glassnet.diagnosis.case import Case
from glassnet.diagnosis.changes import Change
from glassnet.diagnosis.fitting_output import bounds
from glassnet.diagnosis.network_changes import OWN_START, Group, groups, network_change
from glassnet.equations.functions import activation
from glassnet.equations.initializers import RELU_FAMILY, fans
from glassnet.network import Network

Values = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class StartingLayer:
    """One layer in the first update.

    Attributes
    ----------
    group : the layer
    weights, gradient : W and dW; dW is zeros where there is none
    bias : b, or None
    sums, values : Z and A, (rows, units) with the places of pictures as rows
    size : √(mean of W²) · √(fan-in): by how much the weights stretch independent inputs
    normal : what `size` is when signals keep their spread: √2 under relu, 1 under others
    least : what Glorot's start makes of it, when that is smaller: it weighs the outputs too
    spread : deviation of each unit's sum over the rows, averaged over the units
    dead : share of units that are 0 for every row; 0 for activations that are not clipped at 0
    saturated : share of values at the ends of a bounded activation
    slope : root mean square of dZ
    """

    group: Group
    weights: np.ndarray
    gradient: np.ndarray
    bias: np.ndarray | None
    sums: np.ndarray
    values: np.ndarray
    size: float
    normal: float
    least: float
    spread: float
    dead: float
    saturated: float
    slope: float

    @property
    def number(self) -> int:
        return self.group.number

    @property
    def stretch(self) -> float:
        """`size` over what is normal."""
        return self.size / self.normal

    @property
    def units(self) -> np.ndarray:
        """The weights, one column a unit."""
        return self.weights if self.weights.ndim == 2 else self.weights.reshape(len(self.weights), -1).T

    @property
    def unit_gradients(self) -> np.ndarray:
        """The gradient, one column a unit."""
        return self.gradient if self.gradient.ndim == 2 else self.gradient.reshape(len(self.gradient), -1).T


def by_rows(value: np.ndarray) -> np.ndarray:
    """(m, c, h, w) → (m h w, c); a table stays."""
    return value if value.ndim == 2 else np.moveaxis(value, 1, -1).reshape(-1, value.shape[1])


def over_rows(value: np.ndarray) -> float:
    """The deviation over the rows, averaged over units (and places)."""
    with np.errstate(all="ignore"):
        return float(np.std(value, axis=0).mean())


def starting_layers(case: Case) -> list[StartingLayer]:
    """All layers of a case in its first update; [] when it cannot be evaluated."""
    start = case.start
    if start is None:
        return []
    return [_layer(group, start) for group in groups(case.network)]


def _layer(group: Group, start: Values) -> StartingLayer:
    n = group.number
    W = np.asarray(start[f"W{n}"], dtype=np.float64)
    Z = np.asarray(start[f"Z{n}"], dtype=np.float64)
    A = np.asarray(start.get(f"A{n}", Z), dtype=np.float64)
    dZ = np.asarray(start.get(f"dZ{n}", np.zeros(1)), dtype=np.float64)
    fan_in, fan_out = fans(W.shape)
    normal = math.sqrt(2.0) if group.activation in RELU_FAMILY else 1.0
    kind = activation(group.kind)
    low, high = bounds(kind)
    rows = by_rows(A)
    dead = float((rows == 0).all(axis=0).mean()) if low == 0.0 and kind.elementwise and not np.isfinite(high) else 0.0
    saturated = 0.0
    if kind.elementwise and np.isfinite([low, high]).all():
        edge = 0.005 * (high - low) if low < 0 else 0.01 * (high - low)
        saturated = float(((rows < low + edge) | (rows > high - edge)).mean())
    with np.errstate(all="ignore"):
        return StartingLayer(
            group, W, np.asarray(start.get(f"dW{n}", np.zeros_like(W)), dtype=np.float64), start.get(f"b{n}"), by_rows(Z),
            rows, float(np.sqrt((W**2).mean()) * math.sqrt(fan_in)), normal,
            min(normal, math.sqrt(2.0 * fan_in / (fan_in + fan_out))), over_rows(Z), dead, saturated,
            float(np.sqrt((dZ**2).mean())),
        )  # fmt: skip


def anew(case: Case, network: Network) -> tuple[Change, ...]:
    """The weights start as this network says, those that were given are forgotten; nothing where they start so already."""
    if network != case.network:
        return (network_change(case.network, network),)
    if not case.settings.get("initial_parameters"):
        return ()
    return (Change(OWN_START, {"initial_parameters": None}),)


def input_spread(case: Case) -> float:
    """The deviation of the features over the rows, averaged over the features."""
    start = case.start
    assert start is not None
    with np.errstate(all="ignore"):
        return float(np.std(np.asarray(start["X"], dtype=np.float64), axis=0).mean())
