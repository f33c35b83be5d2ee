"""Checks of the features: their scale, constants, repetitions, identifiers and what gives the target away.

`check_data` gathers these with the checks of targets (`target_checks`) and of rows (`row_checks`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from glassnet.diagnosis.case import Case
from glassnet.diagnosis.changes import Change, DropFeatures, Standardise
from glassnet.diagnosis.feature_skill import comparable, most_correlated, skill_alone, skill_of_others, useful
from glassnet.diagnosis.findings import Finding, Measured, Where
from glassnet.diagnosis.seen import Seen, chosen
from glassnet.network import Network

SIZES = ((1000.0, 0.9), (100.0, 0.8), (50.0, 0.65), (20.0, 0.4), (10.0, 0.2))
"""Root mean square of a feature, and how sure it is that it is the cause."""
OFFSETS = ((30.0, 0.6), (10.0, 0.45), (3.0, 0.3))
"""|mean| / deviation of a feature whose numbers are not small anyway."""
RATIOS = ((1000.0, 0.85), (100.0, 0.65), (30.0, 0.3), (10.0, 0.15))
"""Largest spread over smallest."""
TINY = 0.01
STANDARDISED = (Change("standardise the features", data=(Standardise(),)),)
FEWEST_FOR_IDS = 20
FEWEST_OTHERS = 5
"""Features from which on it is strange that a single one says nearly everything and the others together little."""
FAINT = 0.1
"""Of a feature that may be a leak, until it is known what the others say."""


def sure(value: float, steps: Sequence[tuple[float, float]]) -> float:
    """The confidence of the first step that the value reaches, or 0."""
    return next((confidence for least, confidence in steps if value >= least), 0.0)


@np.errstate(all="ignore")
def check_data(case: Case) -> list[Finding]:
    """All checks of data, the most confident finding first."""
    from glassnet.diagnosis.encoding_checks import check_encoding, check_types
    from glassnet.diagnosis.row_checks import ROW_CHECKS, check_missing
    from glassnet.diagnosis.target_checks import TARGET_CHECKS

    seen = Seen(case)
    found = [*check_missing(case), *check_types(case), *check_encoding(case, seen)]
    if seen.usable:
        # Numbers of 1e200 have squares that are infinite; what is said about them is still true.
        for check in (*FEATURE_CHECKS, *TARGET_CHECKS, *ROW_CHECKS):
            found += check(case, seen)
    return sorted(found, key=lambda finding: (not finding.certain, -finding.confidence))


def check_scale(case: Case, seen: Seen | None = None) -> list[Finding]:
    """data.unscaled_features: large numbers, an offset far above the spread, or spreads below 0.1."""
    seen = seen or Seen(case)
    mean, spread, varied = _scales(case, seen)
    if not len(varied):
        return []
    size = np.hypot(mean, spread)
    picked = (
        size[varied]
        if seen.pictures.ndim == 4 or not seen.many
        else np.sort(size[varied])[: -max(1, len(varied) // 10)]
    )
    largest = float(picked.max()) if len(picked) else float(size[varied].max())
    with np.errstate(divide="ignore"):
        offset = np.where((spread > 0) & (size > 2), np.abs(mean) / np.where(spread > 0, spread, 1), 0.0)[varied]
    offsets = float(np.median(offset) if seen.many else offset.max())
    by_size = sure(largest, SIZES)
    bytes_ = seen.many and largest > 10 and float(seen.low.min()) >= 0 and 100 < float(seen.high.max()) <= 255
    if bytes_:
        by_size = max(by_size, 0.85)
    small = 0.15 if float(spread[varied].max()) < 0.1 else 0.0
    confidence = max(by_size, sure(offsets, OFFSETS), small)
    if not confidence:
        return []
    several = [i for i in varied if not _two_valued(seen, i)] or list(varied)
    large = sum(1 for i in several if size[i] >= SIZES[-2][0])
    if not seen.many and by_size == confidence and 2 * large <= len(several) and len(several) > 1:
        confidence = min(confidence, 0.6)  # the others are as they should be: scales that differ say it better
    worst = np.asarray(varied)[np.argsort(-size[varied], kind="stable")][:10]
    if by_size == confidence or by_size >= sure(offsets, OFFSETS):
        what = f"root mean square {largest:.4g}" + (", as raw pixels from 0 to 255 have" if bytes_ else "")
    else:
        what = f"means up to {offsets:.3g} times their spread"
    if confidence == small:
        what = f"spreads of at most {float(spread[varied].max()):.2g}"
    return [
        Finding(
            "data.unscaled_features",
            f"The features are not scaled: {what}, where a network expects numbers around 0 with a spread of about 1.",
            confidence=confidence,
            measured=(
                Measured("largest root mean square of a feature", largest, "below 10"),
                Measured("largest |mean| / deviation", offsets, "below 3"),
                Measured("largest deviation", float(spread[varied].max()), "0.1 to 10"),
            ),
            where=Where() if seen.pictures.ndim == 4 else Where(features=tuple(int(i) for i in worst)),
            cures=STANDARDISED,
            false_alarm="The training would be as good on standardised features.",
        )
    ]


def check_mixed_scales(case: Case, seen: Seen | None = None) -> list[Finding]:
    """data.mixed_scales: spreads of the features that differ by orders of magnitude."""
    seen = seen or Seen(case)
    _, spread, varied = _scales(case, seen)
    several = [i for i in varied if not _two_valued(seen, i)]
    columns = np.asarray(several if len(several) > 1 else varied, dtype=int)
    if len(columns) < 2 or seen.pictures.ndim == 4:
        return []
    reach = (seen.high - seen.low)[columns]
    ratio = float(min(spread[columns].max() / spread[columns].min(), reach.max() / reach.min()))
    confidence = sure(ratio, RATIOS) if not seen.many or ratio >= 100 else 0.0
    if not confidence:
        return []
    small, large = columns[spread[columns].argmin()], columns[spread[columns].argmax()]
    return [
        Finding(
            "data.mixed_scales",
            f"The spreads of the features differ by a factor of {ratio:.3g}: {seen.names([large])} has {spread[large]:.3g}, "
            f"{seen.names([small])} {spread[small]:.3g}.",
            confidence=confidence,
            measured=(Measured("largest spread / smallest", ratio, "below 10"),),
            where=Where(features=(int(small), int(large))),
            cures=STANDARDISED,
            false_alarm="The training would be as good with every feature standardised.",
        )
    ]


def check_double_scaling(case: Case, seen: Seen | None = None) -> list[Finding]:
    """data.double_scaling: every feature is so small that all rows look alike."""
    seen = seen or Seen(case)
    mean, spread, varied = _scales(case, seen)
    if not len(varied):
        return []
    largest, size = float(spread[varied].max()), float(np.abs(mean[varied]).max())
    if largest >= 3 * TINY or size >= 10 * TINY:
        return []
    return [
        Finding(
            "data.double_scaling",
            f"The features have spreads of at most {largest:.2g}, as if they had been scaled twice; to the network all rows "
            "look alike.",
            confidence=0.85 if largest < TINY else 0.35,
            measured=(Measured("largest deviation of a feature", largest, "0.1 to 10"),),
            where=Where() if seen.many else Where(features=tuple(int(i) for i in varied)),
            cures=STANDARDISED,
            false_alarm="The training would be as good on standardised features.",
        )
    ]


def check_constant(case: Case, seen: Seen | None = None) -> list[Finding]:
    """data.constant_feature: columns with one value; all of them, and nothing can be learnt."""
    seen = seen or Seen(case)
    columns = seen.X.shape[1]
    constant = np.setdiff1d(np.arange(columns), seen.varied)
    if not len(constant) or len(seen.X) < 2:
        return []
    measured = (Measured("constant features", len(constant), "0"), Measured("features", columns, "any"))
    if len(constant) == columns:
        return [
            Finding(
                "data.constant_feature",
                "Every feature has one value in all training rows, so nothing about the target can be learnt from them.",
                confidence=0.97,
                measured=measured,
                where=Where(features=tuple(range(min(columns, 100)))),
                false_alarm="Some feature would differ between rows.",
            )
        ]
    if seen.many:
        return []  # the border pixels of pictures
    where = tuple(int(i) for i in constant)
    return [
        Finding(
            "data.constant_feature",
            f"{_first(seen.names(where))} {'has' if len(where) == 1 else 'have'} the same value in every training row and "
            f"{'says' if len(where) == 1 else 'say'} nothing.",
            confidence=0.1,
            measured=measured,
            where=Where(features=where),
            cures=_without(case, where, seen),
            false_alarm="Leaving it out would change nothing; it acts as a second bias.",
        )
    ]


def check_duplicate_features(case: Case, seen: Seen | None = None) -> list[Finding]:
    """data.duplicate_feature: columns that are each other's copy, or linear in each other."""
    seen = seen or Seen(case)
    if seen.many or len(seen.X) < 5 or len(seen.varied) < 2:
        return []
    Z = (seen.X[:, seen.varied] - seen.mean[seen.varied]) / seen.spread[seen.varied]
    with np.errstate(over="ignore", invalid="ignore"):
        r = np.abs(Z.T @ Z) / len(Z)
    first, second = np.nonzero(np.triu(r > 1 - 1e-9, 1))
    if not len(first):
        return []
    one, other = int(seen.varied[first[0]]), int(seen.varied[second[0]])
    spare = tuple(sorted({int(seen.varied[i]) for i in second}))
    return [
        Finding(
            "data.duplicate_feature",
            f"{_first(seen.names([other]))} repeats {seen.names([one])}: their correlation is 1 or −1.",
            confidence=0.1,
            measured=(Measured("pairs of features with correlation ±1", len(first), "0"),),
            where=Where(features=(one, *spare)),
            cures=_without(case, spare, seen),
            false_alarm="Leaving one of them out would change nothing; it rarely does.",
        )
    ]


def check_ids(case: Case, seen: Seen | None = None) -> list[Finding]:
    """data.id_like_feature: row numbers among the features, in order or not, scaled or not."""
    seen = seen or Seen(case)
    found = []
    for column in ids(seen):
        values = seen.X[:, column]
        in_order = _in_order(values)
        away = 0.0
        if seen.held is not None:
            outside = seen.held[0][:, column]
            away = float(((outside < values.min()) | (outside > values.max())).mean())
        confidence = 0.85 if in_order else 0.5
        if away > 0.9:
            confidence = 0.9
        elif useful(seen, column):
            confidence = 0.15
        found.append(
            Finding(
                "data.id_like_feature",
                f"{_first(seen.names([column]))} numbers the rows: all its values differ and are evenly spaced"
                + (", in the order of the rows." if in_order else "."),
                confidence=confidence,
                measured=(
                    Measured("distinct values / rows", 1.0, "below 1, or not evenly spaced"),
                    Measured("share of held-out values outside the training range", away, "near 0"),
                ),
                where=Where(features=(column,)),
                cures=_without(case, (column,), seen),
                false_alarm="The feature is a quantity, and held-out rows are predicted worse without it.",
            )
        )
    return found


def ids(seen: Seen) -> tuple[int, ...]:
    """The columns that number the rows; none where a single feature varies, for that is what the target depends on."""
    if len(seen.X) < FEWEST_FOR_IDS or len(seen.varied) < 2 or seen.pictures.ndim == 4:
        return ()
    first = np.sort(seen.X[:64, seen.varied], axis=0)
    distinct = seen.varied[(np.diff(first, axis=0) > 0).all(axis=0)]
    return tuple(int(i) for i in distinct if _numbered(seen.X[:, i]))


def _numbered(values: np.ndarray) -> bool:
    """Whether all values differ and lie on an even grid of which they take a good part."""
    gaps = np.diff(np.sort(values))
    smallest = float(gaps.min())
    if smallest <= 0 or (len(values) - 1) / (float(gaps.sum()) / smallest) < 0.3:
        return False
    steps = gaps / smallest
    return bool((np.abs(steps - np.round(steps)) < 0.02).all())


def _in_order(values: np.ndarray) -> bool:
    steps = np.diff(values)
    return bool((steps > 0).all() or (steps < 0).all())


def check_leak(case: Case, seen: Seen | None = None) -> list[Finding]:
    """data.leaking_feature: one feature alone predicts the training target, and on held-out rows it does not."""
    seen = seen or Seen(case)
    rows, varied = len(seen.X), seen.varied
    numbering = ids(seen)
    if min(rows, seen.distinct) < 20 or len(varied) < 2 or float(np.ptp(seen.targets, axis=0).max()) == 0:
        return []
    some = chosen(rows, 2000)
    X, T = seen.X[some], seen.targets[some]
    columns = [int(i) for i in most_correlated(X, T, varied) if i not in numbering]
    held = None
    if seen.held is not None and seen.held_targets is not None and comparable(seen):
        held = seen.held[0], seen.held_targets
    best: tuple[float, float, float | None, int] | None = None
    for column in columns:
        skill, outside = skill_alone(X[:, column], T, None if held is None else (held[0][:, column], held[1]), seen)
        drop = 0.0 if outside is None else skill - outside
        confidence = 0.0
        if skill > 0.8 and drop > 0.4:
            confidence = 0.9
        elif skill > 0.8 and drop > 0.25:
            confidence = 0.5
        elif skill > 0.98:
            confidence = 0.15
        elif skill > 0.8 and (outside is None or outside > 0.8):
            confidence = FAINT
        if confidence and (best is None or (confidence, skill) > best[:2]):
            best = confidence, skill, outside, column
    if best is None:
        return []
    confidence, skill, outside, column = best
    others = None
    if confidence in (0.15, FAINT):
        others = skill_of_others(seen, some, column)
        few = len(varied) <= FEWEST_OTHERS  # of few features one may well decide
        if others is not None and not few and others < min(0.5, skill - 0.4):
            confidence = 0.3
        elif confidence == FAINT:
            return []
    on_held = "" if outside is None else f", and {max(0.0, outside):.0%} on held-out rows"
    return [
        Finding(
            "data.leaking_feature",
            f"{_first(seen.names([column]))} alone gives the training target away: it removes {skill:.0%} of what guessing "
            f"gets wrong{on_held}"
            + ("." if others is None or confidence < 0.3 else f"; all other features together {max(0.0, others):.0%}."),
            confidence=confidence,
            measured=(
                Measured("skill of the feature alone, training rows", skill, "below 0.8, or equal on held-out rows"),
                *(() if outside is None else (Measured("the same, held-out rows", outside, "as on training rows"),)),
                *(() if others is None else (Measured("the same of all other features together", others, "alike"),)),
            ),
            where=Where(features=(column,)),
            cures=_without(case, (column,), seen),
            false_alarm="The feature is known before the target is, and predicts rows never seen as well.",
        )
    ]


def _scales(case: Case, seen: Seen) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean and deviation of every feature (channel of pictures), and which of them vary and number no rows."""
    if seen.pictures.ndim == 4:
        mean = seen.mean.reshape(seen.pictures.shape[1], -1).mean(axis=1)
        square = (seen.spread**2 + seen.mean**2).reshape(len(mean), -1).mean(axis=1)
        spread = np.sqrt(np.maximum(0.0, square - mean**2))
        return mean, spread, np.flatnonzero(spread > 1e-12 * np.abs(mean))
    kept = np.setdiff1d(seen.varied, np.asarray(ids(seen), dtype=int))
    return seen.mean, seen.spread, kept


def _two_valued(seen: Seen, column: Any) -> bool:
    return seen.pictures.ndim != 4 and bool(seen.two_valued[column])


def _first(said: str) -> str:
    """What begins a sentence."""
    return f"F{said[1:]}" if said.startswith("feature ") else said


def _without(case: Case, columns: tuple[int, ...], seen: Seen) -> tuple[Change, ...]:
    """The change that leaves features out, and has the network expect fewer."""
    shape = case.network.input_shape
    left = shape[0] - len(columns)
    if len(shape) != 1 or left < 1:
        return ()
    drop = DropFeatures(columns)
    network = Network(left, *case.network.layers)
    said = drop.said if len(columns) > 20 else f"leave out {seen.names(columns, most=20)}"
    return (Change(said, {"network": network, "initial_parameters": None}, (drop,)),)


FEATURE_CHECKS = (
    check_scale, check_mixed_scales, check_double_scaling, check_constant, check_duplicate_features, check_ids, check_leak,
)  # fmt: skip
