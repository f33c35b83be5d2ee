"""The rows of published cases: tables, pictures and generators, and the changes made to them, in order."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

IMAGES, LABELS = "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"


class NotAtHand(Exception):
    """The rows of a case are not here; the message says which."""


@dataclass(frozen=True)
class Rows:
    """Training and held-out rows; Y has one column an output."""

    X: np.ndarray
    Y: np.ndarray
    X_test: np.ndarray
    Y_test: np.ndarray

    @property
    def classes(self) -> np.ndarray:
        """Class numbers of the training rows."""
        return self.Y.argmax(axis=1) if self.Y.shape[1] > 1 else self.Y[:, 0].astype(int)

    def both(self, change: Any) -> Rows:
        """The same change of the features of both parts."""
        return replace(self, X=change(self.X), X_test=change(self.X_test))

    def only(self, rows: np.ndarray) -> Rows:
        """Some training rows, in this order."""
        return replace(self, X=self.X[rows], Y=self.Y[rows])


def rows_of(dataset: Mapping[str, Any], folder: Path) -> Rows:
    """The rows that a case's "dataset" names.

    Raises
    ------
    NotAtHand : they are neither in a file, nor pictures that are here, nor made by scikit-learn
    """
    files = dataset.get("files")
    if files:
        parts = [_table(folder / name) for name in files]
        train = parts[0]
        test = parts[1] if len(parts) > 1 else (train[0][:0], train[1][:0])
        return Rows(*train, *test)
    name = dataset["name"]
    if name.startswith("mnist"):
        return _mnist(folder, dataset)
    if name.startswith("iris"):
        return _iris(name)
    if name.startswith("multilabel"):
        return _multilabel(dataset)
    raise NotAtHand(f"the table of {name} is not at hand")


@cache
def _table(path: Path) -> tuple[np.ndarray, np.ndarray]:
    if not path.is_file():
        raise NotAtHand(f"the table {path.name} is not at hand")
    with path.open() as lines:
        names = lines.readline().strip().split(",")
        table = np.loadtxt(lines, delimiter=",", ndmin=2)
    features = [i for i, name in enumerate(names) if name.startswith("x")]
    targets = [i for i, name in enumerate(names) if name.startswith("y")]
    return table[:, features], table[:, targets]


@cache
def _digits(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    for place in (folder, folder / "data", folder.parent / "data"):
        if (place / IMAGES).is_file() and (place / LABELS).is_file():
            with gzip.open(place / IMAGES) as file:
                pictures = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)
            with gzip.open(place / LABELS) as file:
                return pictures, np.frombuffer(file.read(), np.uint8, offset=8)
    raise NotAtHand(f"the pictures {IMAGES} are not at hand")


def _mnist(folder: Path, dataset: Mapping[str, Any]) -> Rows:
    """Pictures in an order drawn with seed 0; which pictures fall where does not matter, all are alike."""
    pictures, labels = _digits(folder)
    order = np.random.default_rng(0).permutation(len(pictures))
    count, held = int(dataset["n_train"]), int(dataset["n_test"])
    shape = tuple(dataset["input_shape"])
    X = pictures[order[: count + held]].reshape(count + held, *shape).astype(np.float32)
    if "raw" not in dataset["name"]:
        X /= 255
    Y = np.eye(10)[labels[order[: count + held]]]
    return Rows(X[:count], Y[:count], X[count:], Y[count:])


def _iris(name: str) -> Rows:
    from sklearn.datasets import load_iris
    from sklearn.model_selection import train_test_split

    X, labels = load_iris(return_X_y=True)
    if "std" in name:
        X = (X - X.mean(axis=0)) / X.std(axis=0)
    X, X_test, y, y_test = train_test_split(X, labels, test_size=0.5, random_state=2)
    return Rows(X, np.eye(3)[y], X_test, np.eye(3)[y_test])


def _multilabel(dataset: Mapping[str, Any]) -> Rows:
    from sklearn.datasets import make_multilabel_classification

    count, held = int(dataset["n_train"]), int(dataset["n_test"])
    X, Y = make_multilabel_classification(
        n_samples=count + held, n_features=int(dataset["input_shape"][0]), n_classes=int(dataset["n_outputs"]),
        random_state=7,
    )  # fmt: skip
    return Rows(X[:count], Y[:count].astype(float), X[count:], Y[count:].astype(float))


def changed(rows: Rows, changes: Sequence[Mapping[str, Any]], seed: int = 0) -> Rows:
    """The rows after every change, in order; numbers are drawn from the seed.

    Raises
    ------
    NotAtHand : a change that is not known here
    """
    draws = np.random.default_rng(seed)
    for change in changes:
        op = change["op"]
        if op not in CHANGES:
            raise NotAtHand(f"the change of data {op!r} is not known")
        rows = CHANGES[op](rows, change, draws)
    return rows


def _standardise(rows: Rows, change: Mapping[str, Any], draws: np.random.Generator) -> Rows:
    mean, deviation = rows.X.mean(axis=0), rows.X.std(axis=0)
    return rows.both(lambda X: (X - mean) / np.where(deviation > 0, deviation, 1))


def _scale(rows: Rows, change: Mapping[str, Any], draws: np.random.Generator) -> Rows:
    return rows.both(lambda X: X * np.asarray(change["factor"], float))


def _shift(rows: Rows, change: Mapping[str, Any], draws: np.random.Generator) -> Rows:
    by = np.asarray(change.get("offset", change.get("value", 0.0)), float)
    return rows.both(lambda X: X + by)


def _nan(rows: Rows, change: Mapping[str, Any], draws: np.random.Generator) -> Rows:
    X = rows.X.copy()
    X[change.get("row", 0), change.get("column", 0)] = np.nan
    return replace(rows, X=X)


def _sort(rows: Rows, change: Mapping[str, Any], draws: np.random.Generator) -> Rows:
    return rows.only(np.argsort(rows.classes, kind="stable"))


def _column(rows: Rows, train: np.ndarray, test: np.ndarray) -> Rows:
    X, X_test = np.column_stack([rows.X, train]), np.column_stack([rows.X_test, test])
    return replace(rows, X=X, X_test=X_test)


def _label(rows: Rows, change: Mapping[str, Any], draws: np.random.Generator) -> Rows:
    """The class number as a feature; on held-out rows it is not known yet and drawn at random."""
    return _column(rows, rows.classes, draws.permutation(np.resize(rows.classes, len(rows.X_test))))


def _number(rows: Rows, change: Mapping[str, Any], draws: np.random.Generator) -> Rows:
    count = len(rows.X)
    return _column(rows, np.arange(count), count + np.arange(len(rows.X_test)))


def _constant(rows: Rows, change: Mapping[str, Any], draws: np.random.Generator) -> Rows:
    value = float(change.get("value", 1.0))
    return _column(rows, np.full(len(rows.X), value), np.full(len(rows.X_test), value))


def _duplicate(rows: Rows, change: Mapping[str, Any], draws: np.random.Generator) -> Rows:
    which = int(change.get("column", 0))
    return _column(rows, rows.X[:, which], rows.X_test[:, which])


def _all_constant(rows: Rows, change: Mapping[str, Any], draws: np.random.Generator) -> Rows:
    return rows.both(lambda X: np.full_like(X, float(change.get("value", 1.0))))


def _noise(rows: Rows, change: Mapping[str, Any], draws: np.random.Generator) -> Rows:
    """Another class for a share of the training rows."""
    k = max(2, rows.Y.shape[1])
    labels = rows.classes.copy()
    wrong = draws.permutation(len(labels))[: round(float(change["share"]) * len(labels))]
    labels[wrong] = (labels[wrong] + draws.integers(1, k, len(wrong))) % k
    return replace(rows, Y=np.eye(k)[labels] if rows.Y.shape[1] > 1 else labels[:, None].astype(float))


def _permute(rows: Rows, change: Mapping[str, Any], draws: np.random.Generator) -> Rows:
    return replace(rows, Y=rows.Y[draws.permutation(len(rows.Y))])


def _labels_scaled(rows: Rows, change: Mapping[str, Any], draws: np.random.Generator) -> Rows:
    return replace(rows, Y=rows.Y * float(change.get("factor", 1 / 255)))


def _rare(rows: Rows, change: Mapping[str, Any], draws: np.random.Generator) -> Rows:
    """All rows of the others, and the first share of the rows of one class."""
    which = rows.classes == int(change.get("class", change.get("label", 1)))
    few = np.flatnonzero(which)[: max(1, round(float(change["keep"]) * which.sum()))]
    return rows.only(np.sort(np.concatenate([np.flatnonzero(~which), few])))


def _first(rows: Rows, change: Mapping[str, Any], draws: np.random.Generator) -> Rows:
    return rows.only(np.arange(int(change["n"])))


def _test_scaled(rows: Rows, change: Mapping[str, Any], draws: np.random.Generator) -> Rows:
    factor, offset = np.asarray(change.get("factor", 10.0), float), float(change.get("offset", 0.0))
    return replace(rows, X_test=rows.X_test * factor + offset)


CHANGES: dict[str, Any] = {
    "standardize": _standardise, "scale_features": _scale, "shift_features": _shift, "add_offset": _shift,
    "nan_cell": _nan, "sort_by_class": _sort, "add_label_feature": _label, "add_row_number": _number,
    "add_constant_feature": _constant, "add_duplicate_feature": _duplicate, "constant_features": _all_constant,
    "flip_train_labels": _noise, "shuffle_train_labels": _permute, "permute_train_labels": _permute,
    "shuffle_labels": _permute, "scale_labels": _labels_scaled, "drop_class": _rare, "first_rows": _first,
    "scale_test": _test_scaled, "scale_test_features": _test_scaled,
}  # fmt: skip
