"""The arrays a training is given: checked once, every problem answered with one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from glassnet.equations.draws import permutation
from glassnet.equations.losses import Loss
from glassnet.errors import DataError, GlassnetError
from glassnet.network import Dense, Network

MEASURED_AT_ONCE = 2048
"""Rows evaluated at once when measuring: what a layer gives for them stays in the cache."""


def sparse(X: Any) -> bool:
    """Whether X is one of SciPy's sparse arrays or matrices."""
    return hasattr(X, "toarray") and hasattr(X, "nnz")


@dataclass(frozen=True)
class Samples:
    """Inputs, targets (m, outputs) and weights (m, 1) or None.

    Inputs are (m, features), which may be a sparse CSR array, or (m, channels, height, width).
    """

    X: Any
    Y: np.ndarray
    w: np.ndarray | None = None

    def __len__(self) -> int:
        return int(self.X.shape[0])

    @property
    def nbytes(self) -> int:
        parts = (self.X.data, self.X.indices, self.X.indptr) if sparse(self.X) else (self.X,)
        return int(sum(a.nbytes for a in (*parts, self.Y)) + (self.w.nbytes if self.w is not None else 0))

    def take(self, rows: np.ndarray) -> Samples:
        return Samples(self.X[rows], self.Y[rows], None if self.w is None else self.w[rows])

    def chunks(self, size: int) -> Iterator[Samples]:
        """Consecutive pieces, as views."""
        for start in range(0, len(self), size):
            part = slice(start, start + size)
            yield Samples(self.X[part], self.Y[part], None if self.w is None else self.w[part])


def _numeric(value: Any, name: str, dtype: str | None) -> np.ndarray:
    if sparse(value):
        raise DataError(f"{name} is a sparse matrix; pass {name}.toarray().")
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise DataError(f"{name} has masked entries, which are missing values; fill them in or remove such rows.")
    try:
        array = np.asarray(value)
    except ValueError:
        raise DataError(f"{name} has rows of different lengths; it needs one number in every cell.") from None
    if array.dtype.kind in "cmM":
        raise DataError(f"{name} has the type {array.dtype}; it needs real numbers.")
    if array.dtype.kind not in "fiub":
        try:
            array = array.astype(np.float64)
        except (TypeError, ValueError):
            raise DataError(
                f"{name} contains {str(_first_text(array))!r}, which is no number; encode text first "
                "(glassnet.data.Preparation does it for tables)."
            ) from None
    wanted = dtype or ("float32" if array.dtype == np.float32 else "float64")
    return np.ascontiguousarray(array, dtype=wanted)


def _first_text(array: np.ndarray) -> Any:
    for item in array.ravel():
        try:
            float(item)
        except (TypeError, ValueError):
            return item
    return array.dtype.name


def _finite(array: np.ndarray, name: str) -> None:
    if np.isfinite(array.sum(dtype=np.float64)):
        return
    wrong = np.argwhere(~np.isfinite(array))
    if len(wrong):
        row, *rest = (int(i) for i in wrong[0])
        kind = "image" if len(rest) == 3 else "row"
        place = f"row {row}" + (f", column {rest[0]}" if rest else "")
        if kind == "image":
            place = f"image {row}, channel {rest[0]}, row {rest[1]}, column {rest[2]}"
        what = "NaN (missing)" if np.isnan(array[tuple(wrong[0])]) else "infinite"
        raise DataError(
            f"{name} has {len(wrong)} values that are not finite, the first one {what} in {place} (from 0); remove such "
            f"{kind}s or fill them in."
        )


def check_inputs(X: Any, network: Network, dtype: str | None = None, name: str = "X") -> np.ndarray:
    """X as a contiguous float array of shape (m, features), or (m, channels, height, width) for a network of images.

    Raises
    ------
    DataError : text, NaN or infinity, a shape that does not fit, no rows
    """
    array = _csr(X, network, dtype, name) if sparse(X) else _numeric(X, name, dtype)
    if len(network.input_shape) == 3:
        array = _images(array, network, name)
    else:
        array = _table(array, network, name)
    if not array.shape[0]:
        raise DataError(f"{name} has no rows; it needs at least one sample.")
    if sparse(array):
        _finite(np.asarray(array.data), name)
    else:
        _finite(array, name)
    return array


def _table(array: np.ndarray, network: Network, name: str) -> np.ndarray:
    """Rows of features."""
    features = network.input_shape[0]
    if array.ndim == 1 and features == 1:
        array = array[:, None]
    if array.ndim != 2 or array.shape[1] != features:
        flat = array.ndim > 2 and int(np.prod(array.shape[1:])) == features
        reshaped = f" Pass {name}.reshape({len(array)}, -1)." if flat else " Pass one row a sample."
        raise DataError(
            f"{name} has shape {array.shape}; the network {network} needs (m, {features}), one column a feature.{reshaped}"
        )
    return array


def _images(array: np.ndarray, network: Network, name: str) -> np.ndarray:
    """Images as (m, channels, height, width); they may come as rows of all their numbers, or, grey, without channels."""
    shape = channels, high, wide = network.input_shape
    if array.shape[1:] == shape:
        return array
    if array.shape[1:] == (channels * high * wide,) or (channels == 1 and array.shape[1:] == (high, wide)):
        return array.reshape(len(array), *shape)
    advice = ""
    if array.shape[1:] == (high, wide, channels):
        advice = f" Its channels stand last: pass np.moveaxis({name}, -1, 1)."
    elif array.shape == shape:
        advice = f" It is one image: pass {name}[None]."
    elif array.ndim == 4 and array.shape[2:] == (high, wide):
        one, needed = array.shape[1], channels
        advice = f" It has {one} channel{'' if one == 1 else 's'} where the network has {needed}."
    raise DataError(
        f"{name} has shape {array.shape}; the network {network} needs images (m, {channels}, {high}, {wide}), or rows of "
        f"{channels * high * wide} numbers.{advice}"
    )


def _csr(X: Any, network: Network, dtype: str | None, name: str) -> Any:
    """A sparse X as a CSR array of floats, which the first layer's product XW can use."""
    from scipy.sparse import csr_array

    if not isinstance(network.layers[0], Dense):
        raise DataError(
            f"{name} is sparse, and the network's first layer, {network.layers[0]}, needs every entry; pass "
            f"{name}.toarray(), or put a Dense layer first."
        )
    if np.dtype(X.dtype).kind not in "fiub":
        raise DataError(f"{name} has the type {X.dtype}; it needs real numbers.")
    wanted = dtype or ("float32" if X.dtype == np.float32 else "float64")
    return csr_array(X, dtype=wanted)


def check_targets(Y: Any, rows: int, network: Network, loss: Loss, dtype: str, name: str = "Y") -> np.ndarray:
    """Y as a float array of shape (m, outputs), with values the loss can use.

    Class numbers 0 … k−1 are taken as one-hot rows under categorical_cross_entropy.

    Raises
    ------
    DataError : text, NaN or infinity, shapes that do not fit, values outside what the loss needs
    """
    units = network.output_units
    array = _numeric(Y, name, dtype)
    if loss.targets == "rows_sum_to_one" and (array.ndim == 1 or array.shape[1:] == (1,)) and units > 1:
        array = _one_hot(array.reshape(-1), units, dtype, name)
    if array.ndim == 1:
        array = array[:, None]
    if array.shape != (rows, units):
        raise DataError(
            f"{name} has shape {array.shape}; for {rows} rows of X and {units} output{'s' if units > 1 else ''} it needs "
            f"({rows}, {units})."
        )
    _finite(array, name)
    low, high = float(array.min()), float(array.max())
    found = f"from {low:g} to {high:g}"
    if loss.targets == "zero_to_one" and (low < 0 or high > 1):
        raise DataError(
            f"{name} has values {found}; {loss.name} needs targets between 0 and 1. Encode classes as 0 and 1."
        )
    if loss.targets == "zero_or_one" and not np.isin(array, (0, 1)).all():
        raise DataError(f"{name} has values {found}; {loss.name} needs targets that are 0 or 1.")
    if loss.targets == "plus_minus_one" and not np.isin(array, (-1, 1)).all():
        raise DataError(f"{name} has values {found}; {loss.name} needs targets −1 and 1. For 0 and 1 pass 2 * Y - 1.")
    if loss.targets == "not_negative" and low < 0:
        raise DataError(f"{name} has values {found}; {loss.name} needs counts, 0 or above.")
    if loss.targets == "rows_sum_to_one":
        sums = array.sum(axis=1)
        if low < 0 or np.abs(sums - 1).max() > 1e-6:
            worst = int(np.abs(sums - 1).argmax())
            raise DataError(
                f"Row {worst} of {name} sums to {float(sums[worst]):g}; {loss.name} needs one-hot rows, or probabilities "
                "that sum to 1."
            )
    return np.ascontiguousarray(array)


def _one_hot(labels: np.ndarray, units: int, dtype: str, name: str) -> np.ndarray:
    _finite(labels, name)
    whole = labels.astype(np.int64)
    if (whole != labels).any() or whole.min() < 0 or whole.max() >= units:
        raise DataError(
            f"{name} has class numbers from {labels.min():g} to {labels.max():g}; with {units} outputs they need to be "
            f"whole numbers from 0 to {units - 1}, or pass one-hot rows."
        )
    return np.eye(units, dtype=dtype)[whole]


def check_weights(weights: Any, rows: int, dtype: str) -> np.ndarray:
    """Sample weights as a column (m, 1).

    Raises
    ------
    DataError : negative or non-finite weights, none above 0, the wrong number
    """
    array = _numeric(weights, "sample_weight", dtype)
    if array.ndim != 1 and array.shape[1:] != (1,):
        raise DataError(f"sample_weight has shape {array.shape}; it needs ({rows},), one weight a row of X.")
    array = array.reshape(-1, 1)
    if len(array) != rows:
        raise DataError(f"sample_weight has {len(array)} entries; it needs one for each of the {rows} rows of X.")
    _finite(array, "sample_weight")
    if array.min() < 0 or array.max() <= 0:
        raise DataError(
            f"sample_weight has values from {array.min():g} to {array.max():g}; it needs numbers of 0 or more, some above 0."
        )
    return array


def check_samples(
    X: Any, Y: Any, weights: Any, network: Network, loss: Loss, dtype: str | None, prefix: str = ""
) -> Samples:
    """X, Y and weights checked together; rows of weight 0 are left out, as if they were not there."""
    inputs = check_inputs(X, network, dtype, f"{prefix}X")
    kind = inputs.dtype.name
    targets = check_targets(Y, inputs.shape[0], network, loss, kind, f"{prefix}Y")
    if weights is None:
        return Samples(inputs, targets)
    column = check_weights(weights, inputs.shape[0], kind)
    samples = Samples(inputs, targets, column)
    counted = column[:, 0] > 0
    return samples if counted.all() else samples.take(np.flatnonzero(counted))


def held_out_fraction(samples: Samples, fraction: float, seed: int, classes: bool) -> tuple[Samples, Samples]:
    """Split a fraction off for validation, seeded; with classes, the same share of every class.

    Raises
    ------
    GlassnetError : a fraction outside (0, 1), or one that leaves either side without a row
    """
    if not isinstance(fraction, int | float) or isinstance(fraction, bool) or not 0 < fraction < 1:
        got = repr(fraction) if isinstance(fraction, int | float | str) else f"{type(fraction).__name__}"
        raise GlassnetError(f"validation got {got}; it needs a fraction between 0 and 1, or a pair (X, Y).")
    count = len(samples)
    order = permutation(seed, "validation", 0, count)
    if classes:
        label = samples.Y.argmax(axis=1) if samples.Y.shape[1] > 1 else (samples.Y[:, 0] > 0.5).astype(np.int64)
        shuffled = label[order]
        rank = np.empty(count)
        for value in np.unique(label):
            mine = np.flatnonzero(shuffled == value)
            rank[mine] = (np.arange(len(mine)) + 0.5) / len(mine)
        order = order[np.argsort(rank, kind="stable")]
    held = round(count * fraction)
    if held == 0 or held == count:
        raise GlassnetError(
            f"validation={fraction:g} of {count} rows leaves {'no row to validate on' if not held else 'none to train on'}; "
            "choose another fraction or pass (X, Y)."
        )
    return samples.take(np.sort(order[held:])), samples.take(np.sort(order[:held]))
