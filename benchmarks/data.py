"""The arrays of each workload, from a seed, or from files that the caller names."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.workloads import Parameters, Problem, Workload

SEED = 0


MNIST_FILES = ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz")
CAT_ARRAYS = ("train_set_x", "train_set_y")


def what_is_missing(mnist: Path | None, cats: Path | None) -> str | None:
    """What the named files lack, in one sentence; None when they can be read."""
    for name in MNIST_FILES if mnist is not None else ():
        if not (mnist / name).is_file():  # type: ignore[operator]
            return f"--mnist names {mnist}, which holds no {name}; name the folder of MNIST's two test files."
    if cats is not None:
        import h5py

        try:
            with h5py.File(cats) as stored:
                held = list(stored)
        except OSError:
            return f"--cats names {cats}, which is no HDF5 file; name the course's train_catvnoncat.h5."
        if not set(CAT_ARRAYS) <= set(held):
            return f"--cats names {cats}, which holds {', '.join(held)}; it needs {' and '.join(CAT_ARRAYS)}."
    return None


def first_weights(workload: Workload) -> Parameters:
    """Normal weights of deviation 1/√n_in (√(2/n_in) before ReLU), zero biases; a plain regression starts at zero."""
    draws = np.random.default_rng(SEED)
    found: Parameters = []
    gain = 2.0 if workload.activation == "relu" else 1.0
    for stage, (channels, _, _) in zip(workload.stages, workload.inputs, strict=False):
        n_in = channels * stage.kernel**2
        W = draws.standard_normal((stage.filters, channels, stage.kernel, stage.kernel)) * np.sqrt(gain / n_in)
        found.append((W.astype(workload.dtype), np.zeros(stage.filters, workload.dtype)))
    for n_in, n_out in zip(workload.widths, workload.widths[1:], strict=False):
        W = draws.standard_normal((n_in, n_out)) * np.sqrt(gain / n_in) * (not workload.is_regression)
        found.append((W.astype(workload.dtype), np.zeros(n_out, workload.dtype)))
    return found


def flower(workload: Workload) -> Problem:
    """Glassnet's own flower; rows come class after class, and every step takes all of them."""
    from glassnet.data import dataset

    X, labels = dataset("flower", seed=SEED, n=workload.rows).arrays()
    return Problem(workload, X.astype(workload.dtype), labels, first_weights(workload))


def iris(workload: Workload) -> Problem:
    """Standardised, with the first weights and the batches that MLPClassifier(random_state=0) takes.

    scikit-learn draws W and b of each layer from ±√(2/(n_in + n_out)), then shuffles the order anew in each epoch.
    """
    from sklearn.datasets import load_iris

    X, labels = load_iris(return_X_y=True)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    draws = np.random.RandomState(SEED)  # scikit-learn's generator
    start: Parameters = []
    for n_in, n_out in zip(workload.widths, workload.widths[1:], strict=False):
        most = np.sqrt(2 / (n_in + n_out))
        start.append((draws.uniform(-most, most, (n_in, n_out)), draws.uniform(-most, most, n_out)))
    order, now = [], np.arange(len(X))
    for _ in range(workload.epochs):
        places = np.arange(len(X))
        draws.shuffle(places)
        now = now[places]
        order.append(now)
    return Problem(workload, X.astype(workload.dtype), labels, start, np.array(order))


def mnist(workload: Workload, folder: Path | None) -> Problem:
    """The 10,000 test images of MNIST; without a folder, numbers like them: about 80 % zeros, and a linear rule."""
    if folder is not None:
        with gzip.open(folder / MNIST_FILES[0]) as file:
            images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784)
        with gzip.open(folder / MNIST_FILES[1]) as file:
            labels = np.frombuffer(file.read(), np.uint8, offset=8).astype(np.int64)
        X = (images / 255).astype(workload.dtype)[: workload.rows]
        made = replace(workload, note="MNIST, the 10,000 test images")
        return Problem(made, X, labels[: workload.rows], first_weights(workload))
    draws = np.random.default_rng(SEED)
    X = draws.random((workload.rows, 784)) * (draws.random((workload.rows, 784)) < 0.2)
    labels = (X @ draws.standard_normal((784, 10))).argmax(axis=1)
    made = replace(workload, note="random numbers shaped like MNIST (name the real files with --mnist FOLDER)")
    return Problem(made, X.astype(workload.dtype), labels, first_weights(workload))


def pictures(workload: Workload, folder: Path | None) -> Problem:
    """The same images with their rows and columns; without a folder, scikit-learn's digits, every pixel as nine.

    They are 8 × 8, so that 24 × 24 stand in a frame of zeros; there are 1,797, taken again from the first.
    """
    if folder is not None:
        found = mnist(workload, folder)
        found.X = found.X.reshape(len(found.X), *_sizes(workload))
        return found
    from sklearn.datasets import load_digits

    digits, labels = load_digits(return_X_y=True)
    large = np.pad(np.kron(digits.reshape(-1, 8, 8) / 16, np.ones((3, 3))), ((0, 0), (2, 2), (2, 2)))
    rows = np.arange(workload.rows) % len(large)
    X = large[rows].astype(workload.dtype).reshape(workload.rows, *_sizes(workload))
    made = replace(workload, note="scikit-learn's digits, enlarged (name MNIST's files with --mnist FOLDER)")
    return Problem(made, X, labels[rows].astype(np.int64), first_weights(workload))


def _sizes(workload: Workload) -> tuple[int, int, int]:
    assert workload.image is not None
    return workload.image


def tabular(workload: Workload) -> Problem:
    """Standard normal columns, and a planted rule with an interaction."""
    draws = np.random.default_rng(SEED)
    X = draws.standard_normal((workload.rows, workload.widths[0])).astype(workload.dtype)
    score = X @ draws.standard_normal(workload.widths[0]) / 2 + 2 * X[:, 0] * X[:, 1]
    labels = (score + draws.logistic(size=len(X)) > 0).astype(np.int64)
    return Problem(workload, X, labels, first_weights(workload))


def cats(workload: Workload, file: Path | None) -> Problem:
    """209 pictures of 64 × 64 × 3 numbers from 0 to 1, random unless an HDF5 file of the course is named."""
    if file is not None:
        import h5py

        with h5py.File(file) as stored:
            X = stored["train_set_x"][:].reshape(len(stored["train_set_x"]), -1) / 255
            labels = stored["train_set_y"][:].astype(np.int64)
        made = replace(workload, rows=len(X), note="the course's pictures")
        return Problem(made, X.astype(workload.dtype), labels, first_weights(workload))
    draws = np.random.default_rng(SEED)
    X = draws.random((workload.rows, workload.widths[0]))
    score = X @ draws.standard_normal(workload.widths[0])
    made = replace(workload, note="random numbers shaped like the pictures (name the real file with --cats FILE.h5)")
    return Problem(made, X.astype(workload.dtype), (score > np.median(score)).astype(np.int64), first_weights(workload))


def random_problem(workload: Workload) -> Problem:
    """Standard normal columns and a planted linear rule, for the growth series."""
    draws = np.random.default_rng(SEED)
    X = draws.standard_normal((workload.rows, workload.widths[0]), dtype=np.float32).astype(workload.dtype, copy=False)
    classes = 2 if workload.output == "sigmoid" else workload.widths[-1]
    labels = (X @ draws.standard_normal((workload.widths[0], classes)).astype(X.dtype)).argmax(axis=1)
    return Problem(workload, X, labels, first_weights(workload))


def problem(workload: Workload, mnist_folder: Path | None = None, cats_file: Path | None = None) -> Problem:
    """A workload's arrays, by its name."""
    if workload.name.startswith("mnist"):
        return mnist(workload, mnist_folder)
    if workload.stages:
        return pictures(workload, mnist_folder)
    if workload.name == "cats":
        return cats(workload, cats_file)
    makers = {"flower": flower, "iris": iris, "tabular": tabular}
    return makers.get(workload.name, random_problem)(workload)
