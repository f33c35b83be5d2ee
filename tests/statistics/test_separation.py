"""Separation: which data have no maximum of the likelihood, and the variable that is named."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import glassnet as gn
from glassnet.errors import GlassnetError, GlassnetWarning
from glassnet.statistics.separation import separation, separation_of, warn_of_separation

CONSEQUENCE = (
    "The likelihood has no maximum: the coefficients grow for ever, and their standard errors mean nothing. Use a penalty "
    "(l2), or leave the variable out."
)


def noise(rows=40, columns=3, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, columns))


def test_one_variable_and_its_threshold():
    # 1, 2 | 4, 5: halfway is 3.
    found = separation(np.array([[1.0], [2], [4], [5]]), ["no", "no", "yes", "yes"], ["dose"])
    assert (found.kind, found.variables, found.threshold, found.below, found.above) == (
        "complete", ("dose",), 3.0, "no", "yes",
    )  # fmt: skip
    assert found.coefficients == {"(Intercept)": -3.0, "dose": 1.0}
    assert str(found) == (
        f"dose separates the classes completely: every row of no lies below 3, every row of yes above. {CONSEQUENCE}"
    )
    assert found.to_plain()["kind"] == "complete"


def test_the_other_way_round_and_among_others():
    X = noise()
    y = np.where(X[:, 1] > 0.1, 0, 1)
    found = separation(X, y, ["a", "b", "c"], ["dead", "alive"])
    assert (found.kind, found.variables, found.below, found.above) == ("complete", ("b",), "alive", "dead")
    assert found.coefficients["b"] == -1.0


def test_a_boundary_that_both_classes_share_is_quasi_complete():
    # 3 belongs to both: b + xβ = 0 there for every direction that separates.
    found = separation(np.array([[1.0], [3], [3], [5]]), [0, 0, 1, 1], ["dose"])
    assert (found.kind, found.threshold) == ("quasi-complete", 3.0)
    assert str(found) == (
        "dose separates the classes quasi-completely: no row of 0 lies above 3 and none of 1 below it, with some of both "
        f"at it. {CONSEQUENCE}"
    )


def test_a_group_without_a_single_failure_is_quasi_complete():
    X = noise(60)
    y = (np.arange(60) % 3 == 0).astype(int)
    X[:, 2] = 0
    X[:9, 2], y[:9] = 1, 1
    found = separation(X, y, ["a", "b", "treated"])
    assert (found.kind, found.variables, found.above) == ("quasi-complete", ("treated",), "1")


def test_several_variables_together_and_no_more_than_needed():
    X = noise(80, 4)
    y = (X[:, 0] + 2 * X[:, 2] > 0.3).astype(int)
    found = separation(X, y, list("abcd"), ["no", "yes"])
    assert (found.kind, found.variables) == ("complete", ("a", "c"))
    direction = np.array([found.coefficients.get(name, 0.0) for name in "abcd"])
    margins = (found.coefficients["(Intercept)"] + X @ direction) * np.where(y == 1, 1, -1)
    assert margins.min() > 0
    assert found.sentence.startswith("a and c together separate the classes completely: ")
    assert found.sentence.endswith("Use a penalty (l2), or leave one of them out.")


def test_overlapping_classes_are_not_separated():
    X = noise(50)
    assert separation(X, np.arange(50) % 2) is None
    assert separation(np.array([[1.0], [3], [2], [5]]), [0, 0, 1, 1]) is None
    assert separation(X, np.zeros(50)) is None  # one class alone has nothing to be separated from
    assert separation(np.ones((6, 1)), [0, 1] * 3) is None


def test_without_an_intercept_the_threshold_is_0():
    X = np.array([[1.0], [2], [4], [5]])
    assert separation(X, [0, 0, 1, 1], intercept=False) is None
    found = separation(X - 3, [0, 0, 1, 1], intercept=False)
    assert (found.kind, found.threshold, found.coefficients) == ("complete", 0.0, {"x0": 1.0})


def test_a_proportion_counts_for_both_classes():
    X = np.array([[1.0], [2], [3], [4]])
    assert separation(X, [0, 0.5, 0.4, 1]) is None
    assert separation(X, [0, 0.5, 1, 1]).kind == "quasi-complete"


def test_a_class_against_the_rest():
    X = noise(90, 2)
    y = np.repeat(["a", "b", "c"], 30)
    X[:30, 1] = 9 + np.arange(30)
    found = separation(X, y, ["size", "age"])
    assert (found.kind, found.variables, found.above, found.below) == ("complete", ("age",), "a", "the others")


def test_three_sectors_are_separated_only_together():
    # Each third of the circle touches both others; no class is cut off from the rest by its own half-plane's threshold.
    angle = np.linspace(0, 2 * np.pi, 90, endpoint=False) + 0.01
    X = np.column_stack([np.cos(angle), np.sin(angle), np.resize([0.0, 1.0], 90)])
    y = np.repeat([0, 1, 2], 30)
    found = separation(np.vstack([X, 0.1 * X]), np.tile(y, 2), ["east", "north", "parity"])
    assert (found.kind, found.variables) == ("complete", ("east", "north"))
    mixed = np.tile(y, 2)
    mixed[[5, 35, 65, 10, 40, 70]] = [1, 2, 0, 2, 0, 1]
    assert separation(np.vstack([X, 0.1 * X]), mixed) is None


def test_what_does_not_fit_together_is_refused():
    with pytest.raises(GlassnetError, match=r"got X of shape \(4, 1\), 3 targets, 1 names and 2 classes for 2"):
        separation(np.ones((4, 1)), [0, 1, 1])


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(-2, 2), st.integers(-2, 2), st.booleans()), min_size=2, max_size=9))
def test_every_direction_tried_one_by_one_agrees(rows):
    # On a grid of whole numbers the lines that matter go through two of the points (or beside them): try them all.
    X = np.array([row[:2] for row in rows], dtype=float)
    s = np.array([1.0 if row[2] else -1.0 for row in rows])
    if abs(s.sum()) == len(s):
        return
    design = np.column_stack([np.ones(len(X)), X])
    whole = range(-6, 7)
    directions = np.array([d for d in itertools.product(range(-12, 13), whole, whole) if any(d[1:])], dtype=float) / 2
    margins = (directions @ design.T) * s
    never_wrong = (margins >= 0).all(axis=1)
    quasi = bool((never_wrong & (margins > 0).any(axis=1)).any())
    complete = bool((margins > 0).all(axis=1).any())
    found = separation(X, (s > 0).astype(int))
    if complete:
        assert found is not None
        assert found.complete
    elif quasi:
        assert found is not None
    if found is None:
        assert not quasi
        return
    direction = np.array([found.coefficients.get(n, 0.0) for n in ("(Intercept)", "x0", "x1")])
    margin = (design @ direction) * s
    assert margin.min() > -1e-9
    assert margin.max() > 1e-9
    assert margin.min() > 0 or not found.complete


def test_many_rows_are_decided_by_few():
    X = noise(30_000, 8)
    beta = np.arange(1.0, 9)
    assert separation(X, (X @ beta > 0.5).astype(int)).kind == "complete"
    flipped = (X @ beta > 0.5).astype(int)
    flipped[:20] = 1 - flipped[:20]
    assert separation(X, flipped) is None


# From a run.


def newton(X, Y, activation="sigmoid", units=1, **settings):
    network = gn.Network(X.shape[1], gn.Dense(units, activation))
    return gn.train(network, X, Y, optimizer=gn.Newton(), epochs=60, progress=False, **settings)


def test_a_run_is_looked_at_only_on_suspicion():
    X = noise(60)
    y = (X[:, 0] > 0).astype(float)
    found = separation_of(newton(X, y), names=["a", "b", "c"], classes=["out", "in"])
    assert (found.kind, found.variables, found.above) == ("complete", ("a",), "in")
    with pytest.warns(GlassnetWarning, match="a separates the classes completely: every row of out lies below"):
        warn_of_separation(newton(X, y), names=["a", "b", "c"], classes=["out", "in"])
    assert separation_of(newton(X, y, l2=0.1)) is None
    y[:10] = 1 - y[:10]
    assert warn_of_separation(newton(X, y)) is None


def test_counts_that_are_0_in_a_whole_group():
    X = noise(60, 2)
    y = np.random.default_rng(1).poisson(2.0, 60).astype(float)
    X[:, 1] = 0
    X[:8, 1], y[:8] = 1, 0
    found = separation_of(newton(X, y, "exp"), names=["a", "closed"])
    assert found.variables == ("closed",)
    assert found.sentence.startswith(
        "closed sets some of the zeros apart from every count above 0: their means fall to 0 for ever. "
    )
    assert separation_of(newton(X[8:, :1], y[8:], "exp")) is None
