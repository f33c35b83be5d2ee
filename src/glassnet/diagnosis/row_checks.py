"""Checks of the rows: missing values, repeated rows, their order, their number, and whether held-out rows are like them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from glassnet.diagnosis.case import Case
from glassnet.diagnosis.changes import Change, DropRows
from glassnet.diagnosis.data_changes import FillIn, RescaleHeldOut
from glassnet.diagnosis.findings import Finding, Measured, Where
from glassnet.diagnosis.seen import Seen, chosen
from glassnet.diagnosis.simple_models import CLEAR, compressed, dependence, deviations, neighbours
from glassnet.equations.optimizers import LBFGS
from glassnet.layers import Dense, Flatten
from glassnet.network import Network

SMALL = 8
"""Units of the hidden layer that is offered where rows are few."""
KEYS = 24
"""Columns by which rows that may be alike are found."""
PICTURES = 600
"""Pictures that augmentation is tried on."""
SURELY = 4.5
"""Standard errors beyond which a difference of means or spreads is none of chance."""
MOSTLY = 0.9
"""The share of rows that repeat another above which the others are too few, however many they are."""
COMPARED = 12
"""Rows that each part needs before parts are compared."""


def check_missing(case: Case, seen: Seen | None = None) -> list[Finding]:
    """data.nan: values that are missing or infinite, in X, in Y, or in held-out rows."""
    held = case.held if case.held is not None else (np.empty((0, 1)), np.empty(0))
    parts = {"X": case.X, "Y": case.Y, "held-out X": held[0], "held-out Y": held[1]}
    wrong = {name: _not_finite(array) for name, array in parts.items()}
    counts = {name: int(w.sum()) for name, w in wrong.items() if w is not None and w.any()}
    if not counts:
        return []
    rows: Any = np.zeros(len(case.X), dtype=bool)
    columns: tuple[int, ...] = ()
    for name in ("X", "Y"):
        w = wrong[name]
        if name in counts and w is not None and len(w) == len(rows):
            rows |= w.reshape(len(w), -1).any(axis=1)
    for name in ("X", "held-out X"):
        w = wrong[name]
        if name in counts and w is not None and w.ndim == 2:
            columns = tuple(sorted({*columns, *(int(i) for i in np.flatnonzero(w.any(axis=0)))}))
    rows = np.flatnonzero(rows)
    cures: list[Change] = []
    outside = "held-out X" in counts or "held-out Y" in counts
    if len(rows) < 0.5 * len(case.X) and not outside:
        cures.append(Change(DropRows().said, data=(DropRows(),)))
    if "Y" not in counts and "held-out Y" not in counts:
        cures.append(Change(FillIn().said, data=(FillIn(),)))
    elif "held-out Y" not in counts:
        cures.append(Change(f"{DropRows().said}; {FillIn().said}", data=(DropRows(), FillIn())))
    said = ", ".join(f"{count} in {name}" for name, count in counts.items())
    return [
        Finding(
            "data.nan",
            f"Some values are missing or infinite: {said}. The first sum they enter is not finite, and all weights after it.",
            "critical",
            1.0,
            (*(Measured(f"values of {n} that are not finite", c, "0") for n, c in counts.items()),),
            Where(rows=tuple(int(i) for i in rows[:100]) or None, features=columns[:100] or None),
            tuple(cures),
            "Every value would be finite.",
            certain=True,
        )
    ]


def _not_finite(array: np.ndarray) -> np.ndarray | None:
    if array.dtype.kind != "f" or not array.size:
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(array.sum(dtype=np.float64)):
            return None
    return np.asarray(~np.isfinite(array))


def _texts(X: np.ndarray, columns: np.ndarray) -> list[bytes]:
    """Rows of some columns as bytes, equal where the rows are."""
    return [row.tobytes() for row in np.ascontiguousarray(X[:, columns]) + 0.0]  # −0 becomes 0


def _repetitions(seen: Seen) -> tuple[int, int, list[int], list[int]]:
    """How many training rows repeat an earlier one, and how many occur more than once; held-out rows among the training rows,
    and training rows among the held-out ones, by their positions in those looked at.

    A few columns single out the rows that may be alike; only those are compared as a whole.
    """
    X, H = seen.X, np.empty((0, seen.X.shape[1])) if seen.held is None else seen.held[0]
    some = np.argsort(-seen.spread, kind="stable")[:KEYS]
    keys, outside = _texts(X, some), _texts(H, some)
    count = Counter(keys)
    within = [i for i, key in enumerate(keys) if count[key] > 1]
    common = [i for i, key in enumerate(outside) if key in count]
    sought = {outside[i] for i in common}
    candidates = [i for i, key in enumerate(keys) if key in sought]
    if len(some) < X.shape[1]:
        everything = np.arange(X.shape[1])
        count = Counter(_texts(X[within], everything))
        whole, wholes = _texts(X[candidates], everything), _texts(H[common], everything)
        here, there = set(whole), set(wholes)
        common = [i for i, row in zip(common, wholes, strict=True) if row in here]
        candidates = [i for i, row in zip(candidates, whole, strict=True) if row in there]
    several = [c for c in count.values() if c > 1]
    return sum(several) - len(several), sum(several), common, candidates


def check_repeated(case: Case, seen: Seen | None = None) -> list[Finding]:
    """data.duplicate_rows and data.train_test_overlap: rows with the same features, within training and across.

    Where features have few values (bits, counts), rows repeat by chance: overlap is compared with repetition within.
    """
    seen = seen or Seen(case)
    if len(seen.X) < 10:
        return []
    spare, several, common, also = _repetitions(seen)
    within = spare / len(seen.X)
    found = []
    if within > 0.05 and _rarely_by_chance(seen):
        found.append(
            Finding(
                "data.duplicate_rows",
                f"{spare} of {len(seen.X)} training rows repeat an earlier one.",
                confidence=0.8 if seen.distinct < 30 or within > MOSTLY else 0.5 if within > 0.5 else 0.1,
                measured=(Measured("share of training rows that repeat another", within, "near 0"),),
                false_alarm="The rows were measured twice, not copied.",
            )
        )
    if seen.held is None:
        return found
    share = len(common) / len(seen.held[0])
    repeated = several / len(seen.X)
    if len(common) >= 3 and share > 0.02 and share > 2 * repeated and _rarely_by_chance(seen):
        shared = tuple(int(seen.rows[i]) for i in also)
        cures: tuple[Change, ...] = ()
        if len(also) <= len(seen.X) / 2:
            said = f"leave out the {len(shared):,} training row{'' if len(shared) == 1 else 's'} that are held out too"
            cures = (Change(said, data=(DropRows(shared),)),)
        found.append(
            Finding(
                "data.train_test_overlap",
                f"{len(common)} of {len(seen.held[0])} held-out rows are among the training rows; they do not show what "
                "the network makes of rows it has not seen.",
                confidence=0.35 if share > 0.2 else 0.2,
                measured=(
                    Measured("share of held-out rows found in training", share, "near 0"),
                    Measured("share of training rows found twice", repeated, "any"),
                ),
                where=Where(rows=shared[:100]),
                cures=cures,
                false_alarm="Features have few values, and rows are alike by chance.",
            )
        )
    return found


def _rarely_by_chance(seen: Seen) -> bool:
    """Whether the features have enough values that rows hardly repeat by chance."""
    some = seen.X[chosen(len(seen.X), 2000)][:, seen.varied[:100]]
    if some.shape[1] > 1 and len(some) == len(seen.X) and seen.distinct > 3:
        most = max(len(np.unique(column)) for column in some.T)
        if most >= 0.9 * seen.distinct and most > 8:
            return True  # a column by which all different rows can be told: not of few values
    possible = 0.0
    for column in some.T:
        share = np.unique(column, return_counts=True)[1] / len(column)
        possible -= float(np.log((share**2).sum()))  # two rows agree in this column with this probability
    return bool(possible > np.log(20.0 * len(seen.X)))


def check_order(case: Case, seen: Seen | None = None) -> list[Finding]:
    """data.unshuffled: without shuffling, rows in order of their target make every batch one-sided."""
    seen = seen or Seen(case)
    size = case.batch_size
    if case.settings.get("shuffle", True) or size >= case.rows or isinstance(case.optimizer, LBFGS):
        return []
    T = seen.targets
    total = float(((T - T.mean(axis=0)) ** 2).sum())
    batches = np.arange(len(T)) // size
    if batches[-1] < 1 or total <= 0:
        return []
    count = np.bincount(batches)
    means = np.stack([np.bincount(batches, t) / count for t in T.T], axis=1)
    between = float((count[:, None] * (means - T.mean(axis=0)) ** 2).sum()) / total
    by_chance = (len(count) - 1) / max(1, len(T) - 1)
    excess = (between - by_chance) / (1 - by_chance) if by_chance < 1 else 0.0
    if excess < 0.25:
        return []
    return [
        Finding(
            "data.unshuffled",
            f"The rows come in the order of their target and are not shuffled: {between:.0%} of the target's variance lies "
            f"between the batches of {size}.",
            confidence=0.75 if excess > 0.5 else 0.5,
            measured=(Measured("share of the target's variance between batches", between, f"about {by_chance:.2g}"),),
            cures=(Change("shuffle the rows in every epoch", {"shuffle": True}),),
            false_alarm="The training would be as good with shuffled rows.",
        )
    ]


def check_shift(case: Case, seen: Seen | None = None) -> list[Finding]:
    """data.train_test_mismatch: held-out features on another scale, or told apart from training rows by a simple model."""
    seen = seen or Seen(case)
    if seen.held is None or len(seen.X) < COMPARED or len(seen.held[0]) < COMPARED or not len(seen.varied):
        return []
    if seen.copied and len(seen.varied) > 1:
        return []  # the means are those of few rows
    from glassnet.diagnosis.data_checks import ids

    columns = np.setdiff1d(seen.varied, np.asarray(ids(seen), dtype=int))
    if not len(columns):
        return []
    X, H = _of_like_classes(seen)
    if len(X) < COMPARED or len(H) < COMPARED:
        return []
    X, H = X[:, columns], H[:, columns]
    spread, away = X.std(axis=0), H.std(axis=0)
    kept = spread > 0.1 * spread.max() if seen.many else spread > 0
    spread, away = spread[kept], away[kept]
    moved = np.abs(H[:, kept].mean(axis=0) - X[:, kept].mean(axis=0)) / spread
    ratio = np.maximum(away, 1e-12 * spread) / spread
    width = np.minimum(np.abs(np.log(ratio)), np.abs(np.log(_quartiles(X[:, kept], H[:, kept], ratio))))
    error = np.sqrt(_excess(X[:, kept]) / len(X) + _excess(H[:, kept]) / len(H)) / 2
    chance = SURELY * np.sqrt((1 + ratio**2) * (1 / len(X) + 1 / len(H)))
    moved_surely = np.where(moved > chance, moved, 0.0)
    # A column that nearly always has one value differs in its spread by a few rows.
    usual_value = np.median(X[:, kept], axis=0)
    width = np.where((X[:, kept] != usual_value).mean(axis=0) > 0.05, width, 0.0)
    width_surely = np.where(width > SURELY * error, width, 0.0)
    effect = np.maximum(moved_surely, 1.5 * width_surely)
    worst, usual = float(np.quantile(effect, 0.95) if seen.many else effect.max()), float(np.median(effect))
    confidence = (
        0.9
        if usual > 1.5
        else 0.75
        if usual > 0.7
        else 0.6
        if worst > 2
        else 0.4
        if worst > 1
        else 0.25
        if worst > 0.5
        else 0.0
    )
    measured = [
        Measured("largest difference of means, in training deviations", float(moved.max()), "below 0.5"),
        Measured("largest factor between the spreads", float(np.exp(width.max())), "below 1.5"),
    ]
    sentence = (
        f"Held-out features are on another scale: their means differ by up to {float(moved.max()):.3g} training deviations, "
        f"their spreads by a factor of up to {float(np.exp(width.max())):.3g}."
    )
    cures: tuple[Change, ...] = ()
    if confidence:
        cures = (Change(RescaleHeldOut().said, data=(RescaleHeldOut(),)),)
    else:
        some, others = chosen(len(X), 750), chosen(len(H), 750)
        both = compressed(np.vstack([X[some], H[others]]))
        which = np.repeat([0.0, 1.0], [len(some), len(others)])[:, None]
        apart = dependence(both, which, trees=False)
        measured.append(Measured("correlation of a simple model that tells them apart", apart.correlation, "near 0"))
        if apart.deviations > 7 and apart.correlation > 0.25:
            confidence = 0.6 if apart.correlation > 0.6 else 0.35 if apart.correlation > 0.4 else 0.2
            sentence = (
                f"A simple model ({apart.model}) tells held-out rows from training rows, with a correlation of "
                f"{apart.correlation:.2f}: they do not come from the same source."
            )
    if not confidence:
        return []
    order = columns[np.flatnonzero(kept)[np.argsort(-effect, kind="stable")]][:10]
    return [
        Finding(
            "data.train_test_mismatch",
            sentence,
            confidence=confidence,
            measured=tuple(measured),
            where=Where() if seen.many else Where(features=tuple(int(i) for i in order)),
            cures=cures,
            false_alarm="The network would do as well on rows held out of the training rows themselves.",
        )
    ]


def _of_like_classes(seen: Seen) -> tuple[np.ndarray, np.ndarray]:
    """Training and held-out rows with the same shares of the classes, so that rare classes are not taken for a shift."""
    assert seen.held is not None
    X, H = seen.X, seen.held[0]
    if seen.labels is None or seen.held_labels is None:
        return X, H
    draws = np.random.default_rng(0)
    here, there = (np.bincount(v[v >= 0], minlength=seen.classes) for v in (seen.labels, seen.held_labels))
    if not here.sum() or not there.sum():
        return X, H
    wanted = np.minimum(here / here.sum(), there / there.sum())
    if np.abs(here / here.sum() - there / there.sum()).max() < 0.1:
        return X, H
    parts = []
    for labels, count in ((seen.labels, here), (seen.held_labels, there)):
        scale = min((n / w for n, w in zip(count, wanted, strict=True) if w > 0.02), default=0.0)
        rows = [
            draws.permutation(np.flatnonzero(labels == c))[: int(scale * w)] for c, w in enumerate(wanted) if w > 0.02
        ]
        parts.append(np.sort(np.concatenate(rows)) if rows else np.arange(0))
    return X[parts[0]], H[parts[1]]


def _excess(X: np.ndarray) -> np.ndarray:
    """m₄ / m₂² − 1 of every column, 2 for normal numbers; over 4 m it is about the variance of log deviation."""
    centred = X[chosen(len(X), 2000)]
    square = (centred - centred.mean(axis=0)) ** 2
    second = square.mean(axis=0)
    return np.asarray(np.maximum(0.5, (square**2).mean(axis=0) / np.where(second > 0, second, 1.0) ** 2 - 1.0))


def _quartiles(X: np.ndarray, H: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    """Ratio of the distances between quartiles, which single outliers do not move; the other ratio where one is 0."""
    if len(X) * X.shape[1] > 2_000_000:
        X, H = X[chosen(len(X), 1000)], H[chosen(len(H), 1000)]
    one = np.subtract(*np.quantile(X, [0.75, 0.25], axis=0))
    other = np.subtract(*np.quantile(H, [0.75, 0.25], axis=0))
    both = (one > 0) & (other > 0)
    return np.where(both, np.where(both, other, 1.0) / np.where(both, one, 1.0), otherwise)


def check_count(case: Case, seen: Seen | None = None) -> list[Finding]:
    """data.too_few_samples: rows against classes and against what the network has to learn."""
    seen = seen or Seen(case)
    rows, k = len(seen.rows), max(1, seen.classes)
    weights = sum(int(w.size) for w in case.network.initial_parameters(0).values())
    few = rows < 30 or rows < 10 * k
    if not few and not (rows < 200 and weights > 10 * rows):
        return []
    confidence = 0.15
    if few and seen.held is not None:
        confidence = 0.7 if rows < 30 else 0.5
    last = case.network.layers[-1]
    cures = [Change("l2 → 0.01", {"l2": 0.01})]
    if isinstance(last, Dense):
        flat = [Flatten()] if len(case.network.input_shape) == 3 else []
        small = Network(case.network.input_shape, *flat, Dense(SMALL, "tanh"), last)
        if sum(int(w.size) for w in small.initial_parameters(0).values()) < weights:
            said = f"one hidden layer of {SMALL} tanh units, l2 → 0.01"
            cures.insert(0, Change(said, {"network": small, "initial_parameters": None, "l2": 0.01}))
    return [
        Finding(
            "data.too_few_samples",
            f"{rows} training rows for {weights:,} parameters" + (f" and {k} classes." if k > 1 else "."),
            confidence=confidence,
            measured=(
                Measured("training rows", rows, "30 or more" if k == 1 else f"{max(30, 10 * k)} or more"),
                Measured("parameters / rows", weights / max(1, rows), "below 10"),
            ),
            cures=tuple(cures),
            false_alarm="Held-out rows are predicted as well as training rows.",
        )
    ]


def check_augmentation(case: Case, seen: Seen | None = None) -> list[Finding]:
    """data.augmentation_too_strong: changed pictures no longer show what belongs to which target.

    The targets of half of the pictures are predicted from their 5 nearest neighbours in the other half, once as it is and
    once as training would see it.
    """
    seen = seen or Seen(case)
    augmentation = case.settings.get("augmentation")
    if augmentation is None or seen.pictures.ndim != 4 or len(seen.X) < 2 * COMPARED:
        return []
    some = np.random.default_rng(0).permutation(len(seen.X))[:PICTURES]
    known, asked = some[: len(some) // 2], some[len(some) // 2 :]
    pictures = seen.pictures[known]
    changed = augmentation.apply(pictures, seed=int(case.settings.get("seed", 0)))
    scores, left = [], 0.0
    for shown in (pictures, changed):
        near = neighbours(shown.reshape(len(known), -1), seen.X[asked], 5)
        left, r = deviations(seen.targets[known][near].mean(axis=1), seen.targets[asked], apart=True)
        scores.append(r)
        if len(scores) == 1 and left < CLEAR:
            return []  # neighbours say nothing about these pictures to begin with
    share = scores[1] / scores[0]
    confidence = 0.7 if share < 0.3 else 0.45 if share < 0.5 else 0.0
    if not confidence:
        return []
    return [
        Finding(
            "data.augmentation_too_strong",
            f"Augmentation ({augmentation}) leaves little of the pictures: from the nearest changed pictures the target is "
            f"predicted with a correlation of {scores[1]:.2f}, from unchanged ones with {scores[0]:.2f}.",
            confidence=confidence,
            measured=(
                Measured("correlation of neighbours and target, changed pictures", scores[1], f"near {scores[0]:.2g}"),
                Measured("correlation of neighbours and target, pictures as they are", scores[0], "any"),
            ),
            cures=(Change("no augmentation", {"augmentation": None}),),
            false_alarm="Held-out pictures would be predicted no better without it.",
        )
    ]


ROW_CHECKS = (check_repeated, check_order, check_shift, check_count, check_augmentation)
