"""The same training on the compiled and on the reference engine, and how close the two have to be."""

from __future__ import annotations

import warnings

import numpy as np

import glassnet as gn

CLOSE = {"float64": 1e-10, "float32": 1e-4}
"""Of the largest entry of an array."""
SMALL = 1e-3
"""An array whose entries are all smaller is compared as if its largest were this: rounding of a sum that is 0."""


def heard(*args, **settings):
    """A training, and what was warned of meanwhile."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run = gn.train(*args, **{"progress": False, **settings})
    assert all(w.category is gn.GlassnetWarning for w in caught), [str(w.message) for w in caught]
    return run, [str(w.message) for w in caught]


def twins(*args, **settings):
    """(compiled, reference): the same training on both engines; they must warn alike."""
    compiled, mine = heard(*args, engine="compiled", **settings)
    reference, theirs = heard(*args, engine="reference", **settings)
    assert mine == theirs
    assert compiled.engine.name == "compiled"
    assert reference.engine.name == "reference"
    return compiled, reference


def distance(mine, theirs):
    """The largest difference, in units of the largest entry."""
    difference = np.abs(np.asarray(mine, np.float64) - np.asarray(theirs, np.float64))
    return float(difference.max(initial=0.0)) / max(float(np.abs(theirs).max(initial=0.0)), SMALL)


def assert_close(mine, theirs, bound, apart=()):
    """Every array of two dicts, name by name."""
    assert list(mine) == list(theirs)
    far = {
        name: f"{distance(mine[name], theirs[name]):.2g}: {mine[name]} / {theirs[name]}"
        for name in theirs
        if name not in apart and not distance(mine[name], theirs[name]) <= bound
    }
    assert not far, "\n".join(
        [f"further apart than {bound:g} (mine / theirs)", *(f"{n} by {t}" for n, t in far.items())]
    )


def assert_agree(compiled, reference, bound=None, history=None):
    """Same end, same parameters and memory, same history."""
    bound = CLOSE[reference.settings.dtype] if bound is None else bound
    history = (1e-9 if reference.settings.dtype == "float64" else 1e-4) if history is None else history
    assert (compiled.status, compiled.iteration, compiled.restored) == (
        reference.status, reference.iteration, reference.restored,
    )  # fmt: skip
    assert {v.dtype for v in compiled.state.values()} == {np.dtype(reference.settings.dtype)}
    assert_close(compiled.parameters, reference.parameters, bound)
    memory = [{n: v for n, v in run.state.items() if n not in run.parameters} for run in (compiled, reference)]
    assert_close({n: memory[0][n] for n in memory[1]}, memory[1], 10 * bound)  # squares of slopes
    assert compiled.history.columns == reference.history.columns
    assert len(compiled.history) == len(reference.history)
    for column in reference.history.columns:
        if column != "seconds":
            np.testing.assert_allclose(
                compiled.history[column], reference.history[column], rtol=history, atol=history / 10, err_msg=column
            )
    assert compiled.snapshots.iterations == reference.snapshots.iterations


def agree(*args, **settings):
    """Both trainings, compared."""
    compiled, reference = twins(*args, **settings)
    assert_agree(compiled, reference)
    return compiled, reference


def same(a, b):
    """Bit for bit the same arrays by name."""
    return set(a) == set(b) and all(
        a[name].dtype == b[name].dtype and np.array_equal(a[name], b[name], equal_nan=True) for name in b
    )


def inputs(rows=30, features=3, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, features))


def targets(loss, units, rows=30, seed=1, soft=False):
    """Targets that a loss takes."""
    draws = np.random.default_rng(seed)
    kind = gn.loss(loss).targets
    if kind == "rows_sum_to_one":
        if soft:
            return draws.dirichlet(np.ones(units), size=rows)
        return np.eye(units)[draws.integers(0, units, rows)]
    if kind == "zero_to_one" and soft:
        return draws.uniform(size=(rows, units))
    if kind in ("zero_to_one", "zero_or_one"):
        return draws.integers(0, 2, (rows, units)).astype(float)
    if kind == "plus_minus_one":
        return 2.0 * draws.integers(0, 2, (rows, units)) - 1
    if kind == "not_negative":
        return draws.poisson(2.0, (rows, units)).astype(float)
    return draws.normal(size=(rows, units))
