"""Where the values computed in R lie, and how they are compared.

Cases that need no data from outside stand beside this file. The others read the JSON from GLASSNET_GOLDEN and the data
from GLASSNET_DATA, or from `../shared` beside the repository, and are skipped when neither is there.
"""

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest

import glassnet as gn

HERE = Path(__file__).parent
SHARED = HERE.parents[1].parent / "shared"

FIRST_STEP = 1e-12
"""Relative tolerance of gradients at iteration 0, first-iteration steps and one mini-batch."""
TRAJECTORY = 1e-9
"""Relative tolerance after many updates, where the file says that they can be compared at all."""
ZERO = 1e-12
"""Absolute tolerance for gradients that are zero by symmetry."""


def golden(name):
    """A golden file by its name without `.json`."""
    beside = HERE / f"{name}.json"
    elsewhere = Path(os.environ.get("GLASSNET_GOLDEN", SHARED / "golden")) / f"{name}.json"
    for place in (beside, elsewhere):
        if place.is_file():
            return json.loads(place.read_text())
    pytest.skip(f"needs {name}.json: set GLASSNET_GOLDEN to its folder ({elsewhere.parent} has none)")
    raise AssertionError("unreachable")


def data_file(name):
    """A file of real data that is not part of the repository."""
    place = Path(os.environ.get("GLASSNET_DATA", SHARED / "data")) / name
    if not place.is_file():
        pytest.skip(f"needs {name}: set GLASSNET_DATA to its folder ({place.parent} has none)")
    return place


def columns(file):
    """A CSV file as name -> list of texts."""
    with open(file, newline="") as opened:
        first, *rows = list(csv.reader(opened))
    return {name: [row[i] for row in rows] for i, name in enumerate(first)}


def table_of(case):
    """The CSV file that a golden case was computed on."""
    name = Path(case["data_file"]).name
    return columns(HERE / "data" / name if (HERE / "data" / name).is_file() else data_file(name))


def flower():
    """X (400, 2) and Y (400, 1) of planar_flower.csv."""
    found = columns(data_file("planar_flower.csv"))
    return np.column_stack([found["X1"], found["X2"]]).astype(float), np.array(found["Y"], dtype=float)[:, None]


def standardised(case, found):
    """The predictors with mean 0 and standard deviation 1 (n − 1), checked against the file's own."""
    raw = np.column_stack([np.array(found[name], dtype=float) for name in case["predictors"]])
    if "rows_0based" in case:
        raw = raw[case["rows_0based"]]
    close(raw.mean(axis=0), case["means"], FIRST_STEP)
    close(raw.std(axis=0, ddof=1), case["sds_n_minus_1"], FIRST_STEP)
    return (raw - raw.mean(axis=0)) / raw.std(axis=0, ddof=1)


def train(network, X, Y, **settings):
    """`gn.train` in the order of the rows, in silence."""
    return gn.train(network, X, Y, shuffle=False, progress=False, **settings)


def cost_after(run, updates):
    """J of the data alone, by the weights after so many full-batch updates."""
    return run.initial["cost"] if updates == 0 else run.history["cost"][updates - 1]


def accuracy_after(run, updates):
    """Share of right answers, by the weights after so many full-batch updates."""
    return run.initial["accuracy"] if updates == 0 else run.history["accuracy"][updates - 1]


def close(mine, theirs, rtol, atol=0.0):
    """Equal entry by entry: |mine − theirs| ≤ atol + rtol |theirs|, shapes included."""
    mine, theirs = np.asarray(mine, dtype=float), np.asarray(theirs, dtype=float)
    assert mine.shape == theirs.shape
    np.testing.assert_allclose(mine, theirs, rtol=rtol, atol=atol)
