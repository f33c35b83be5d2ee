"""Data sets that can be named: generated ones, and scikit-learn's."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from glassnet.data import generators
from glassnet.errors import DataError, unknown_name


@dataclass(frozen=True)
class Dataset:
    """A named table. The target is its last column; `task` is as in `Preparation`."""

    name: str
    table: Any
    target: str
    task: str
    description: str

    def arrays(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """The raw features, float64 (rows, features), and the target: class numbers 0, 1, ... or quantities."""
        names = [name for name in self.table.column_names if name != self.target]
        X = np.column_stack([self.table.column(name).to_numpy().astype(np.float64) for name in names])
        y = np.asarray(self.table.column(self.target).to_pylist())
        if self.task == "regression":
            return X, y.astype(np.float64)
        return X, np.unique(y, return_inverse=True)[1].astype(np.int64)


@dataclass(frozen=True)
class _Generated:
    draw: Callable[[int, float, np.random.Generator], generators.Points]
    n: int
    noise: float
    task: str
    description: str


_TWO = "binary_classification"
_MORE = "classification"
_GENERATED = {
    "flower": _Generated(
        generators.flower, 400, 0.2, _TWO, "Two classes on the petals of a flower; the planar data of the tutorials."
    ),
    "moons": _Generated(generators.moons, 400, 0.1, _TWO, "Two interleaved half circles, with noise."),
    "circles": _Generated(generators.circles, 400, 0.05, _TWO, "A circle inside another, with noise."),
    "blobs": _Generated(generators.blobs, 300, 1.0, _MORE, "Three round clouds around the corners of a triangle."),
    "spiral": _Generated(
        generators.spiral, 300, 0.2, _MORE, "Three arms winding out of the origin, after the CS231n course notes."
    ),
    "xor": _Generated(
        generators.xor, 400, 0.05, _TWO, "Points over a square; the class says whether the signs of x1 and x2 differ."
    ),
}


@dataclass(frozen=True)
class _Bundled:
    target: str
    task: str
    description: str


_BUNDLED = {
    "iris": _Bundled(
        "species", _MORE, "Sepals and petals of 150 iris flowers of three species (Fisher 1936), from scikit-learn."
    ),
    "digits": _Bundled(
        "digit", _MORE, "1797 handwritten digits as 8 × 8 grey pixels from 0 to 16 (UCI, Alpaydin), from scikit-learn."
    ),
    "wine": _Bundled(
        "cultivar", _MORE, "Chemical analyses of 178 Italian wines of three cultivars (UCI, Forina), from scikit-learn."
    ),
    "breast_cancer": _Bundled(
        "diagnosis", _TWO, "Cell nuclei of 569 breast tumours, malignant or benign (UCI, Wolberg), from scikit-learn."
    ),
    "diabetes": _Bundled(
        "progression",
        "regression",
        "Diabetes progression after a year for 442 patients, in the measurements' own units (Efron and others 2004), "
        "from scikit-learn.",
    ),
}


def dataset_names() -> list[str]:
    """The names `dataset` knows."""
    return [*_GENERATED, *_BUNDLED]


def dataset(name: str, *, seed: int = 0, n: int | None = None, noise: float | None = None) -> Dataset:
    """A data set by name.

    Parameters
    ----------
    name : flower, moons, circles, blobs, spiral, xor (generated: columns x1, x2, label) or iris, digits, wine,
        breast_cancer, diabetes
    seed : of the generator; the same seed gives the same numbers. For the others, of the choice of rows when `n` is set
    n : number of rows; at least 6. The others have a fixed number, of which at most `n` are drawn
    noise : standard deviation of the generator's noise

    Raises
    ------
    DataError : the name is unknown; n, noise or seed cannot be used
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise DataError(f"seed={seed!r} cannot be used; pass a whole number from 0.")
    if n is not None and (isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 6):
        raise DataError(f"n={n!r} rows cannot be used; pass a whole number from 6.")
    if noise is not None and not 0 <= noise < float("inf"):
        raise DataError(f"noise={noise!r} cannot be used; pass a number from 0.")
    rng = np.random.Generator(np.random.Philox(int(seed)))
    if name in _GENERATED:
        return _generate(name, n, noise, rng)
    if name in _BUNDLED:
        if noise is not None:
            raise DataError(f"'{name}' is measured data and has no noise to set; leave noise out.")
        return _load(name, n, rng)
    raise DataError(unknown_name("data set", name, dataset_names()))


def _generate(name: str, n: int | None, noise: float | None, rng: np.random.Generator) -> Dataset:
    import pyarrow as pa

    made = _GENERATED[name]
    points, labels = made.draw(n or made.n, made.noise if noise is None else noise, rng)
    table = pa.table({"x1": points[:, 0].copy(), "x2": points[:, 1].copy(), "label": labels})
    return Dataset(name, table, "label", made.task, made.description)


def _load(name: str, n: int | None, rng: np.random.Generator) -> Dataset:
    import pyarrow as pa

    about = _BUNDLED[name]
    options = {"scaled": False} if name == "diabetes" else {}
    bunch = getattr(importlib.import_module("sklearn.datasets"), f"load_{name}")(**options)
    rows = np.arange(len(bunch.data))
    if n is not None and n > len(rows):
        raise DataError(f"'{name}' has {len(rows)} rows, not {n}; pass a smaller n, or leave it out.")
    if n is not None:
        rows = np.sort(rng.choice(rows, size=n, replace=False))
    columns = {str(label): bunch.data[rows, index] for index, label in enumerate(bunch.feature_names)}
    target = bunch.target[rows]
    if name in ("iris", "wine", "breast_cancer"):
        columns[about.target] = pa.array([str(bunch.target_names[code]) for code in target])
    else:
        columns[about.target] = target
    return Dataset(name, pa.table(columns), about.target, about.task, about.description)
