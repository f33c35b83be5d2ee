"""Rows to train on and rows to test on."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from glassnet.errors import DataError, GlassnetWarning

Rows = np.ndarray[Any, np.dtype[np.int64]]


def split_rows(
    y: Any, *, test: float | int = 0.25, seed: int = 0, stratify: bool = True, n: int | None = None
) -> tuple[Rows, Rows]:
    """Divide rows at random into training and test rows, each class in the same proportion in both.

    Parameters
    ----------
    y : labels, one a row (or one-hot, one row a sample); None when there are none, and then `n` is the number of rows.
        Labels with fractions are quantities, not classes, and are not stratified
    test : a fraction between 0 and 1 of the rows, rounded up, or a whole number of rows; 0 for no test rows
    seed : the same seed gives the same rows
    stratify : False for a regression target

    Returns
    -------
    (training rows, test rows), sorted positions in `y`

    Raises
    ------
    DataError : test rows are not a fraction or a count that leaves training rows; the seed is not a whole number from
        0 to 2³² − 1; neither labels nor `n` were given

    Warns
    -----
    GlassnetWarning : a class has a single row, which is kept for training; there are fewer test (or training) rows
        than classes, so that the split is not stratified

    Source: scikit-learn's ``train_test_split``.
    """
    labels = None if y is None else _labels(y)
    rows = n if labels is None else len(labels)
    if rows is None:
        raise DataError("Rows cannot be divided without labels or their number; pass y, or n=number of rows.")
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**32:
        raise DataError(f"seed={seed!r} cannot be used; pass a whole number from 0 to 4294967295.")
    count = _test_count(test, rows)
    everything = np.arange(rows, dtype=np.int64)
    if count == 0:
        return everything, everything[:0]
    classes = None
    alone = everything[:0]
    if stratify and labels is not None and not _has_fractions(labels):
        values, codes, sizes = np.unique(labels, return_inverse=True, return_counts=True)
        alone = np.flatnonzero(sizes[codes] == 1)
        if len(alone):
            named = ", ".join(f"'{values[codes[row]]}'" for row in alone[:5]) + (", ..." if len(alone) > 5 else "")
            kind = "A class has one row only" if len(alone) == 1 else f"{len(alone)} classes have one row only"
            _warn(f"{kind} ({named}): kept for training, so that the test says nothing about it; collect more rows.")
        several = int(np.count_nonzero(sizes > 1))
        if min(count, rows - len(alone) - count) >= several > 0:
            classes = codes
        else:
            _warn(
                f"{rows - count} training and {count} test rows cannot each hold all {len(values)} classes: the split "
                "is not stratified; change the number of test rows."
            )
    from sklearn.model_selection import train_test_split

    pool = np.setdiff1d(everything, alone)
    if count >= len(pool) and len(alone):
        pool, alone = everything, everything[:0]
    chosen = None if classes is None else classes[pool]
    train, held = train_test_split(pool, test_size=count, random_state=int(seed), stratify=chosen)
    return np.sort(np.concatenate([train, alone])), np.sort(held)


def _labels(y: Any) -> np.ndarray[Any, Any]:
    labels = np.asarray(y.to_numpy() if hasattr(y, "to_numpy") else y)
    if labels.ndim == 2:
        labels = labels[:, 0] if labels.shape[1] == 1 else labels.argmax(axis=1)
    if labels.ndim != 1:
        raise DataError(f"Labels of shape {labels.shape} cannot be divided; pass one label a row.")
    return labels.astype(str) if labels.dtype.kind == "O" else labels


def _has_fractions(labels: np.ndarray[Any, Any]) -> bool:
    return labels.dtype.kind == "f" and bool(np.any(labels != np.floor(labels)))


def _test_count(test: float | int, rows: int) -> int:
    whole = isinstance(test, (int, np.integer)) and not isinstance(test, bool)
    if whole and 0 <= test < rows:
        return int(test)
    if whole and test >= rows:
        raise DataError(f"test={test} of {rows} rows leaves none to train on; pass fewer, or a fraction such as 0.25.")
    if not isinstance(test, (float, np.floating)) or not 0 <= test < 1:
        raise DataError(f"test={test!r} cannot be used; pass a fraction such as 0.25, or a whole number of rows.")
    count = math.ceil(test * rows)
    if count >= rows:
        raise DataError(f"test={test} of {rows} rows leaves none to train on; pass a smaller fraction.")
    return count


def _warn(sentence: str) -> None:
    warnings.warn(sentence, GlassnetWarning, stacklevel=3)
