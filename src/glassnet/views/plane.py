"""A plane through the space of a network's inputs: two features, a chosen pair of many, or two principal components."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from glassnet.errors import GlassnetError, unknown_name

if TYPE_CHECKING:
    from glassnet.training.run import Run

Array = NDArray[np.float64]

HOLDS = ("mean", "median")
PLANES = ("pca",)
CHUNK = 8192
NUMBERS = 8_000_000
"""Rows and numbers of inputs that are made at a time: a fine grid through many inputs would fill the memory."""


@dataclass(frozen=True)
class Features:
    """What a network's inputs are called, and how they are measured.

    Attributes
    ----------
    names : one an input
    offset, scale : input · scale + offset is in the feature's own units
    numeric : which inputs are numbers, (n,)
    groups : the inputs that are the categories of one column
    """

    names: list[str]
    offset: Array
    scale: Array
    numeric: NDArray[np.bool_]
    groups: list[list[int]]


@dataclass(frozen=True)
class Plane:
    """Two directions of the input space.

    Attributes
    ----------
    labels : of the two axes
    place : inputs (m, n), or pictures, → positions in the plane (m, 2)
    lift : positions (m, 2) → inputs (m, n)
    said : what a title must say about it; "" for two features
    """

    labels: tuple[str, str]
    place: Callable[[Array], Array]
    lift: Callable[[Array], Array]
    said: str = ""

    def over(self, points: Array, ask: Callable[[Array], Array]) -> Array:
        """What `ask` (inputs (m, n) → (m, k)) says of positions in the plane, few enough inputs at a time for memory."""
        size = max(1, min(CHUNK, NUMBERS // self.lift(points[:1]).shape[1]))
        return np.concatenate([ask(self.lift(points[i : i + size])) for i in range(0, len(points), size)])


def plain_features(count: int, names: Sequence[str] | None = None) -> Features:
    """Inputs that are known by number only, in their own units."""
    named = [str(name) for name in names] if names is not None else [f"x{number}" for number in range(1, count + 1)]
    return Features(named, np.zeros(count), np.ones(count), np.ones(count, dtype=bool), [])


def features_of(run: Run) -> Features:
    """The inputs of a run, as its preparation knows them."""
    from glassnet.data import ArrayPreparation, NumericFeature

    count, preparation = math.prod(run.network.input_shape), run.preparation
    if preparation is None:
        return plain_features(count)
    if isinstance(preparation, ArrayPreparation):
        offset, scale = (np.full(count, value) for value in (preparation.offset, preparation.scale))
        return Features(preparation.input_names, offset, scale, np.ones(count, dtype=bool), [])
    found = Features(preparation.input_names, np.zeros(count), np.ones(count), np.ones(count, dtype=bool), [])
    start = 0
    for feature in preparation.features:
        width = len(feature.input_names)
        if isinstance(feature, NumericFeature):
            found.offset[start], found.scale[start] = feature.mean, feature.std
        else:
            found.numeric[start : start + width] = False
            found.groups.append(list(range(start, start + width)))
        start += width
    return found


def plane_of(
    known: Features,
    reference: Callable[[], Array],
    picture: str,
    *,
    features: Sequence[str | int] | None = None,
    plane: str | None = None,
    at: str = "mean",
) -> Plane:
    """The plane that a picture is drawn over.

    Parameters
    ----------
    reference : gives the rows, as the network takes them, whose mean, median or components are meant
    picture : what is drawn, for messages
    features : two names or positions (from 0) of numeric features; not needed when there are just two
    plane : "pca" for the plane of the two directions in which the inputs vary most
    at : where the other features are held, "mean" or "median"; categories at the most frequent one

    Raises
    ------
    GlassnetError : not two numeric features, or no such plane
    """
    count = len(known.names)
    if at not in HOLDS:
        raise GlassnetError(unknown_name("place to hold the other features at", at, HOLDS))
    if plane is not None:
        if plane not in PLANES:
            raise GlassnetError(unknown_name("plane", plane, PLANES))
        if features is not None:
            raise GlassnetError(f"{picture} got a pair of features and a plane; it can be drawn over one of them.")
        if count < 2:
            raise GlassnetError(
                f"{picture} needs two numeric features, and this network has 1 input; plot its weights instead."
            )
        return _principal(_flat(reference()))
    if features is None:
        if count != 2 or not known.numeric.all():
            inputs = f"{count} input{'s' if count != 1 else ''}"
            if count < 3:
                kinds = "" if count == 1 else f", {int(known.numeric.sum())} of them numeric"
                raise GlassnetError(
                    f"{picture} needs two numeric features, and this network has {inputs}{kinds}; plot its weights instead."
                )
            raise GlassnetError(
                f"{picture} is drawn over two numeric features, and this network has {inputs}; choose a pair with "
                "features=[A,B] (command line: --features A,B), the others held at their mean, or plane='pca' (command line: "
                "--plane pca)."
            )
        pair = (0, 1)
    else:
        pair = _pair(known, features, picture)
    return _pair_plane(known, reference, pair, at)


def _pair(known: Features, features: Sequence[str | int], picture: str) -> tuple[int, int]:
    numeric = [name for name, number in zip(known.names, known.numeric, strict=True) if number]
    found = []
    for wanted in features:
        position = wanted if isinstance(wanted, int | np.integer) else None
        if position is None and str(wanted) in known.names:
            position = known.names.index(str(wanted))
        if position is None or not 0 <= position < len(known.names):
            raise GlassnetError(unknown_name("numeric feature", wanted, numeric))
        if not known.numeric[position]:
            raise GlassnetError(
                f"'{known.names[position]}' is one category of a column; a plane needs two numeric features, such as "
                f"{', '.join(numeric[:4])}."
            )
        found.append(int(position))
    if len(found) != 2 or found[0] == found[1]:
        given = ", ".join(str(each) for each in features)
        raise GlassnetError(f"{picture} got the features {given}; it needs two different ones.")
    return found[0], found[1]


def _pair_plane(known: Features, reference: Callable[[], Array], pair: tuple[int, int], at: str) -> Plane:
    chosen = list(pair)
    offset, scale = known.offset[chosen], known.scale[chosen]
    held, said = np.zeros(len(known.names)), ""
    if len(known.names) > 2:
        rows = _flat(reference())
        held = rows.mean(axis=0) if at == "mean" else np.median(rows, axis=0)
        for group in known.groups:
            held[group] = 0.0
            held[group[int(rows[:, group].sum(axis=0).argmax())]] = 1.0
        numbers = int(known.numeric.sum()) - 2
        if numbers:
            said = (
                f"the other {numbers} numbers at their {at}" if known.groups else f"the other {numbers} at their {at}"
            )
            said = said.replace("the other 1 numbers at their", "the other number at its")
            said = said.replace("the other 1 at their", "the other at its")
        if known.groups:
            said += " and categories at their most frequent" if said else "categories at their most frequent"

    def lift(points: Array) -> Array:
        inputs = np.tile(held, (len(points), 1))
        inputs[:, chosen] = (points - offset) / scale
        return inputs

    names = known.names[pair[0]], known.names[pair[1]]
    return Plane(names, lambda X: np.asarray(_flat(X)[:, chosen] * scale + offset), lift, said)


def _principal(rows: Array) -> Plane:
    """The plane through the mean along the two directions of the largest variance.

    Source: Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, §14.5; sklearn.decomposition.PCA.
    """
    from sklearn.decomposition import PCA

    if len(rows) < 2 or not np.ptp(rows, axis=0).any():
        raise GlassnetError("A plane of principal components needs rows that differ; these are all alike.")
    found = PCA(n_components=2, random_state=0).fit(rows)
    shares = np.asarray(found.explained_variance_ratio_)
    directions, centre = np.asarray(found.components_), np.asarray(found.mean_)
    first, second = (f"principal component {number} ({share:.0%})" for number, share in enumerate(shares, 1))
    return Plane(
        (first, second),
        lambda X: np.asarray((_flat(X) - centre) @ directions.T),
        lambda points: np.asarray(points @ directions + centre),
        f"PCA plane, {shares.sum():.0%} of the variance",
    )


def _flat(X: Array) -> Array:
    """Each sample's inputs as one row; pictures are flattened."""
    return X.reshape(len(X), -1)


def span(points: Array) -> tuple[Array, Array]:
    """The lower and upper corner of the picture around points (m, 2), with some room."""
    low, high = points.min(axis=0), points.max(axis=0)
    spread = np.where(high > low, high - low, 1.0)
    return low - 0.08 * spread, high + 0.08 * spread


def grid(low: Array, high: Array, resolution: int) -> tuple[Array, Array, Array]:
    """Positions along both axes, and all points of the grid (resolution², 2), the first axis running fastest."""
    across, up = (np.linspace(low[axis], high[axis], resolution) for axis in (0, 1))
    return across, up, np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
