"""Separation: data for which the likelihood of a logistic regression has no maximum, and the variable to blame.

When some combination of the features never disagrees with the classes, the coefficients can grow for ever and the
likelihood with them. Whether there is such a combination is a linear programme; which variable is at fault is found by
leaving out what is not needed.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import GlassnetError, GlassnetWarning
from glassnet.statistics.separation_cones import Classes, TwoSides

if TYPE_CHECKING:
    from glassnet.training.run import Run

Array = np.ndarray
SUSPICIOUS = 1e-6
"""A fitted probability this close to 0 or 1 may be on its way there."""


@dataclass(frozen=True)
class Separation:
    """A direction in which the likelihood rises for ever.

    Attributes
    ----------
    complete : whether every row lies strictly on its own side; otherwise some lie on the boundary (quasi-complete)
    variables : the names that separate, as few as do; one name whenever one suffices
    coefficients : name -> coefficient of the direction ("(Intercept)" included)
    threshold : for a single variable, the value between the two sides
    below, above : the class (or group of classes) on either side of the threshold, when there is one variable
    sentence : all of it in words
    """

    complete: bool
    variables: tuple[str, ...]
    coefficients: dict[str, float]
    threshold: float | None
    below: str | None
    above: str | None
    sentence: str

    @property
    def kind(self) -> str:
        return "complete" if self.complete else "quasi-complete"

    def __str__(self) -> str:
        return self.sentence

    def to_plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "kind": self.kind,
            "variables": list(self.variables),
            "coefficients": dict(self.coefficients),
            "threshold": self.threshold,
            "below": self.below,
            "above": self.above,
            "sentence": self.sentence,
        }


def separation(
    X: Any,
    y: Any,
    names: Sequence[str] | None = None,
    classes: Sequence[Any] | None = None,
    *,
    intercept: bool = True,
) -> Separation | None:
    """Whether the classes are separated by the features, and by which.

        separated   there is (b, β) ≠ 0 with  s (b + xβ) ≥ 0  for every row and > 0 for some,  s = ±1 for the two classes
        complete    > 0 for every row

    More than two classes: some class (or group of classes) is separated from the rest, or all by a combination.

    Parameters
    ----------
    X : (m, features)
    y : (m,) labels; (m,) numbers from 0 to 1 (a proportion strictly between counts for both classes); or (m, k) one-hot
    names : of the features, x0, x1, ... by default
    classes : of the two sides, or of the k classes, in the order of y's sorted values
    intercept : whether the model has one (without it, a threshold can only be 0)

    Returns
    -------
    Separation, or None when the classes overlap and the maximum exists

    Raises
    ------
    GlassnetError : shapes that do not fit

    Source: Albert and Anderson, Biometrika 71, 1984; the linear programme is Konis', DPhil thesis, Oxford, 2007.
    """
    X = np.asarray(X, dtype=np.float64)
    member, found = _membership(np.asarray(y))
    labels = [str(c) for c in (found if classes is None else classes)]
    named = [f"x{i}" for i in range(X.shape[-1])] if names is None else [str(n) for n in names]
    if X.ndim != 2 or len(X) != len(member) or len(named) != X.shape[1] or len(labels) != member.shape[1]:
        raise GlassnetError(
            f"separation got X of shape {X.shape}, {len(member)} targets, {len(named)} names and {len(labels)} classes "
            f"for {member.shape[1]}; it needs one target a row, one name a column and one name a class."
        )
    if member.shape[1] == 2:
        return _two_sides(X, member[:, 1], member[:, 0], named, labels[0], labels[1], intercept)
    for k in range(member.shape[1]):  # a class against the rest is what a person can read
        here = member[:, k]
        others = np.asarray(np.delete(member, k, axis=1).any(axis=1))
        if not here.any() or not others.any():
            continue
        one = _two_sides(X, here, others, named, "the others", labels[k], intercept)
        if one is not None:
            return one
    return _several_classes(X, member, named, intercept)


def _membership(y: Array) -> tuple[Array, list[Any]]:
    """(m, k): whether a row speaks for a class; and the classes."""
    if y.ndim == 2 and y.shape[1] > 1:
        return y > 0, list(range(y.shape[1]))
    y = y.reshape(-1)
    if y.dtype.kind in "fiub" and y.size and y.min() >= 0 and y.max() <= 1:
        return np.column_stack([y < 1, y > 0]), [0, 1]
    found, index = np.unique(y, return_inverse=True)
    return index[:, None] == np.arange(len(found)), found.tolist()


# Two sides.


def _two_sides(
    X: Array, here: Array, there: Array, names: list[str], below: str, above: str, intercept: bool
) -> Separation | None:
    """Rows that speak for `above` (here) against rows that speak for `below` (there); a row may do both."""
    if not here.any() or not there.any():
        return None
    thresholds = _thresholds(X[here], X[there], intercept)
    strict = next(((j, t) for j, t in enumerate(thresholds) if t is not None and t[2]), None)
    if strict is not None:
        return _by_one(names, *strict, below, above, intercept)
    signed = TwoSides(X, here, there, intercept)
    complete = signed.separated(strictly=True)
    weakly = next(((j, t) for j, t in enumerate(thresholds) if t is not None), None)
    if not complete and weakly is not None:
        return _by_one(names, *weakly, below, above, intercept)
    if not complete and not signed.separated(strictly=False):
        return None
    kept = list(range(X.shape[1]))
    for j in range(X.shape[1]):
        fewer = [i for i in kept if i != j]
        if len(fewer) > 1 and signed.only(fewer).separated(strictly=complete):
            kept = fewer
    chosen = signed.only(kept)
    chosen.separated(strictly=complete)
    return _by_several([names[j] for j in kept], chosen.direction(), complete, below, above)


def _thresholds(high: Array, low: Array, intercept: bool) -> list[tuple[float, int, bool] | None]:
    """For each column (threshold, sign, strict) when it separates on its own; sign 1: `high` has the larger values."""
    result: list[tuple[float, int, bool] | None] = []
    lowest, highest = high.min(axis=0), high.max(axis=0)
    others_lowest, others_highest = low.min(axis=0), low.max(axis=0)
    for j in range(high.shape[1]):
        found = None
        for sign, top, bottom in ((1, others_highest[j], lowest[j]), (-1, highest[j], others_lowest[j])):
            # top: the largest value on the lower side; bottom: the smallest on the upper side.
            spread = max(highest[j], others_highest[j]) > min(lowest[j], others_lowest[j])
            if not spread or top > bottom or (not intercept and not top <= 0 <= bottom):
                continue
            strict = bool(top < bottom) if intercept else bool(top < 0 < bottom)
            found = (0.0 if not intercept else float(top + bottom) / 2, sign, strict)
            break
        result.append(found)
    return result


def _by_one(
    names: list[str], j: int, threshold: tuple[float, int, bool], below: str, above: str, intercept: bool
) -> Separation:
    value, sign, strict = threshold
    if sign < 0:
        below, above = above, below
    coefficients = {"(Intercept)": -sign * value} if intercept else {}
    coefficients[names[j]] = float(sign)
    at = f"{value:.6g}"
    if strict:
        sides = f"every row of {below} lies below {at}, every row of {above} above"
    else:
        sides = f"no row of {below} lies above {at} and none of {above} below it, with some of both at it"
    sentence = (
        f"{names[j]} separates the classes {'completely' if strict else 'quasi-completely'}: {sides}. {CONSEQUENCE}"
    )
    return Separation(strict, (names[j],), coefficients, value, below, above, sentence)


CONSEQUENCE = (
    "The likelihood has no maximum: the coefficients grow for ever, and their standard errors mean nothing. Use a penalty "
    "(l2), or leave the variable out."
)


def _by_several(names: list[str], coefficients: dict[int, float], complete: bool, below: str, above: str) -> Separation:
    found = {"(Intercept)" if j < 0 else names[j]: value for j, value in coefficients.items()}
    listed = _listed(names)
    terms = " + ".join(f"{value:.4g} {name}" for name, value in found.items() if name != "(Intercept)").replace(
        "+ -", "− "
    )
    edge = f"{-found.get('(Intercept)', 0.0):.4g}"
    if complete:
        sides = f"{terms} is above {edge} in every row of {above} and below in every row of {below}"
    else:
        sides = f"{terms} is never below {edge} in a row of {above} and never above in a row of {below}"
    consequence = CONSEQUENCE.replace("the variable", "one of them")
    sentence = (
        f"{listed} together separate the classes {'completely' if complete else 'quasi-completely'}: {sides}. "
        f"{consequence}"
    )
    return Separation(complete, tuple(names), found, None, None, None, sentence)


def _several_classes(X: Array, member: Array, names: list[str], intercept: bool) -> Separation | None:
    cone = Classes(X, member, intercept)
    complete = cone.separated(strictly=True)
    if not complete and not cone.separated(strictly=False):
        return None
    kept = list(range(X.shape[1]))
    for j in range(X.shape[1]):
        fewer = [i for i in kept if i != j]
        if fewer and Classes(X[:, fewer], member, intercept).separated(strictly=complete):
            kept = fewer
    used = tuple(names[j] for j in kept)
    listed = _listed(used)
    verb, which = ("separates", "the variable") if len(used) == 1 else ("together separate", "one of them")
    sentence = (
        f"{listed} {verb} the classes {'completely' if complete else 'quasi-completely'}: some scores that are linear in "
        f"{'it' if len(used) == 1 else 'them'} are never larger for another class than for a row's own. "
        f"{CONSEQUENCE.replace('the variable', which)}"
    )
    return Separation(complete, used, {}, None, None, None, sentence)


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


# From a run.


def separation_of(
    run: Run, *, names: Sequence[str] | None = None, classes: Sequence[Any] | None = None
) -> Separation | None:
    """The separation of a one-layer run's data, looked for only when its fit gives reason to.

    The reasons: fitted probabilities close to 0 or 1, or iterations that did not converge. None for penalised runs,
    whose maximum exists, for other losses than cross-entropies and the poisson one, and for several sigmoid outputs.
    """
    derivation = run.derivation
    several = derivation.output_activation.name == "softmax"
    known = ("binary_cross_entropy", "categorical_cross_entropy", "poisson")
    if derivation.l1 or derivation.l2 or derivation.loss.name not in known or run.data is None:
        return None
    if not several and run.network.output_units > 1:
        return None
    X, Y = run.data.X, np.asarray(run.data.Y, dtype=np.float64)
    counts = derivation.loss.name == "poisson"
    intercept = any(p.name == "b1" for p in derivation.parameters)
    dense = X.toarray() if hasattr(X, "toarray") else X
    if converged(run):
        unsettled = away_from_the_edge(Y, np.asarray(run.predict(X), dtype=np.float64), several, counts)
        if unsettled.all() or _spanned(dense, unsettled, intercept):
            return None
    if counts:
        Y = np.where(Y > 0, 0.5, 0.0)  # a count above 0 holds its mean from below and from above, a 0 only from above
        found = separation(dense, Y[:, 0], names, ("the zeros", "the counts above 0"), intercept=intercept)
        return None if found is None else _of_counts(found)
    return separation(dense, Y if several else Y[:, 0], names, classes, intercept=intercept)


def _of_counts(found: Separation) -> Separation:
    listed = _listed(found.variables)
    which = "the variable" if len(found.variables) == 1 else "one of them"
    sentence = (
        f"{listed} {'sets' if len(found.variables) == 1 else 'together set'} some of the zeros apart from every count "
        f"above 0: their means fall to 0 for ever. {CONSEQUENCE.replace('the variable', which)}"
    )
    return replace(found, below=None, above=None, sentence=sentence)


def warn_of_separation(
    run: Run, *, names: Sequence[str] | None = None, classes: Sequence[Any] | None = None, stacklevel: int = 2
) -> Separation | None:
    """`separation_of`, said as a GlassnetWarning when there is one."""
    found = separation_of(run, names=names, classes=classes)
    if found is not None:
        warnings.warn(found.sentence, GlassnetWarning, stacklevel=stacklevel + 1)
    return found


def converged(run: Run) -> bool:
    """Whether the run says that it arrived."""
    direct = run.facts.get("direct") or {}
    return bool(direct.get("converged", run.status == "converged"))


def away_from_the_edge(Y: Array, fitted: Array, several: bool, counts: bool) -> Array:
    """(m,) whether a row's means have stayed away from where its separation would drive them: 0 or 1, or 0 for counts.

    Under separation the means of the rows strictly on their side go to that edge; iterations that stop when the deviance
    D changes by less than 1e-8 D leave them within about 1e-8 m of it.
    """
    edge = max(SUSPICIOUS, 2e-8 * len(Y))
    if counts:
        return np.asarray((Y[:, 0] > 0) | (fitted[:, 0] > edge))
    return np.asarray((np.minimum(fitted, 1 - fitted) > edge).all(axis=1))


def _spanned(X: Array, rows: Array, intercept: bool) -> bool:
    """Whether these rows leave no direction free.

    A separating direction has margin 0 in every row that stays away from the edge; when such rows span the whole space,
    there is none, and no linear programme is needed. A few are enough to see it.
    """
    places = np.flatnonzero(rows)
    enough = max(1000, 20 * X.shape[1])
    part = np.asarray(X[places[:: max(1, len(places) // enough)]], dtype=np.float64)
    if len(part) <= X.shape[1]:
        return False
    spread = part.std(axis=0) if intercept else np.abs(part).max(axis=0)
    if not (spread > 0).all():
        return False
    scaled = (part - (part.mean(axis=0) if intercept else 0.0)) / spread
    return bool(np.linalg.cond(scaled) < 1e7)
