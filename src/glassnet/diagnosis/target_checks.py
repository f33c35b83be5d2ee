"""Checks of the targets: their shares and scale, and whether they have anything to do with the features."""

from __future__ import annotations

import numpy as np

from glassnet.diagnosis.case import Case
from glassnet.diagnosis.changes import Balanced, Change, DropRows, StandardiseTarget
from glassnet.diagnosis.encoding_checks import misencoded
from glassnet.diagnosis.findings import Finding, Measured, Where, number
from glassnet.diagnosis.seen import FEWEST_HELD, Seen
from glassnet.diagnosis.simple_models import Dependence, compressed, neighbours, standardised, without_overflow

FEWEST_TO_TELL = 40
FEWEST_OF_OTHERS = 15
"""Rows outside the largest class that are needed before a missing signal says anything."""
NO_SIGNAL = 2.8
"""Deviations below which no simple model predicts better than targets in a random order would be predicted."""
CLEAR_SIGNAL = 4.5
HELD_OUT_AGREEMENT = "agreement of neighbours and labels, held-out rows"
MOSTLY = 0.8
"""So much of the wrong labels that a random order makes are as good as a random order."""
TARGET_SIZES = ((1e4, 0.85), (1e3, 0.75), (100.0, 0.6), (30.0, 0.4), (10.0, 0.2))


def check_classes(case: Case, seen: Seen | None = None) -> list[Finding]:
    """data.single_class and data.class_imbalance: shares of the classes, in training and in held-out rows."""
    seen = seen or Seen(case)
    labels, k = seen.labels, seen.classes
    if labels is None or len(labels) < 4:
        return []
    count = np.bincount(labels, minlength=k)[:k]
    share = count / count.sum()
    held = seen.held_labels
    elsewhere = None if held is None or len(held) < 10 else np.bincount(held[held >= 0], minlength=k)[:k] / len(held)
    if (count > 0).sum() == 1:
        others = (
            elsewhere is not None
            and elsewhere[count == 0].sum() + float((held == -1).mean() if held is not None else 0) > 0
        )
        return [
            Finding(
                "data.single_class",
                f"All {len(labels)} training rows have the same label, so there is nothing to tell apart.",
                confidence=0.95 if others else 0.9,
                measured=(Measured("classes in the training rows", 1, "2 or more"),),
                false_alarm="The training rows would hold a second class.",
            )
        ]
    present = share[share > 0]
    evenness = float(-(present * np.log(present)).sum() / np.log(k))
    rarest = int(count.argmin())
    least = float(share[rarest] * k)
    confidence = 0.5 if least < 0.05 else 0.3 if least < 0.1 else 0.15 if least < 0.3 else 0.0
    measured = [
        Measured("share of the rarest class", float(share[rarest]), f"around {1 / k:.2g}"),
        Measured("entropy of the shares / its largest value", evenness, "above 0.7"),
    ]
    if elsewhere is not None and held is not None:
        # What a class lacks in training against its held-out share, beyond chance.
        error = np.sqrt(elsewhere * (1 - elsewhere) / len(held) + share * (1 - share) / len(labels)) + 1e-9
        lacking = np.where((elsewhere - share > 5 * error) & (share < elsewhere / 3), elsewhere - share, 0.0)
        if lacking.max() > 0.05:
            rarest, confidence = int(lacking.argmax()), 0.9 if lacking.max() > 0.15 else 0.7
            measured.append(
                Measured("its share of the held-out rows", float(elsewhere[rarest]), f"{share[rarest]:.3g}")
            )
    if len(labels) < 10 * k or (len(seen.varied) > 1 and seen.copied):
        confidence = min(confidence, 0.2)  # so few rows that a class is missing for that
    if not confidence:
        return []
    cures: tuple[Change, ...] = ()
    if case.settings.get("sample_weight") is None:
        cures = (Change(Balanced().said, {}, (Balanced(),)),)
    return [
        Finding(
            "data.class_imbalance",
            f"C{seen.class_name(rarest)[1:]} has {count[rarest]:,} of {len(labels):,} training rows"
            + (
                f" and {elsewhere[rarest]:.0%} of the held-out rows."
                if len(measured) > 2 and elsewhere is not None
                else "."
            ),
            confidence=confidence,
            measured=tuple(measured),
            where=Where(rows=tuple(int(seen.rows[i]) for i in np.flatnonzero(labels == rarest)[:50])),
            cures=cures,
            false_alarm="The rare class is predicted where it belongs, or is as rare in the rows that count.",
        )
    ]


def check_constant_target(case: Case, seen: Seen | None = None) -> list[Finding]:
    """data.no_signal: targets of a regression that are all the same."""
    seen = seen or Seen(case)
    if seen.labels is not None or len(seen.Y) < 2 or float(np.ptp(seen.Y, axis=0).max()) > 0:
        return []
    value = number(float(seen.Y[0, 0]))
    return [
        Finding(
            "data.no_signal",
            f"The target is the same in every row, {value}: there is nothing to learn."
            if seen.Y.shape[1] == 1
            else "The target is the same in every row: there is nothing to learn.",
            "critical",
            0.95,
            (Measured("distinct targets", 1, "2 or more"),),
            false_alarm="It cannot be one: the targets that were given do not differ.",
            certain=True,
        )
    ]


def check_target_scale(case: Case, seen: Seen | None = None) -> list[Finding]:
    """data.target_scale: a target of a regression whose numbers are far from 1."""
    seen = seen or Seen(case)
    if case.task != "numbers" or len(seen.Y) < 3 or (case.loss is not None and case.loss.name == "poisson"):
        return []
    if bool((seen.Y >= 0).all()) and misencoded(case) is not None:
        return []
    size = without_overflow(seen.Y)
    spread, mean = (seen.Y / size).std(axis=0) * size, np.abs(seen.Y.mean(axis=0))
    largest, widest = float(np.maximum(spread, mean).max()), float(spread.max())
    confidence = next((c for least, c in TARGET_SIZES if largest >= least), 0.0)
    if 0 < largest < 0.01:
        confidence = 0.6 if largest < 0.001 else 0.4
    if not confidence or widest == 0:
        return []
    return [
        Finding(
            "data.target_scale",
            f"The target has mean {number(float(seen.Y.mean(axis=0)[mean.argmax()]))} and deviation {number(widest)}; a "
            "network starts "
            "with outputs around 0 and a spread of about 1.",
            confidence=confidence,
            measured=(
                Measured("largest |mean| of a target", float(mean.max()), "below 10"),
                Measured("largest deviation of a target", widest, "0.01 to 10"),
            ),
            cures=(Change(StandardiseTarget().said, data=(StandardiseTarget(),)),),
            false_alarm="The training would be as good with the target standardised.",
        )
    ]


def check_signal(case: Case, seen: Seen | None = None) -> list[Finding]:
    """data.labels_shuffled and data.no_signal: no simple model predicts the target of rows it has not seen.

    Features and targets alone do not tell the two apart; held-out rows that can be predicted from one another do.
    """
    seen = seen or Seen(case)
    if len(seen.rows) < FEWEST_TO_TELL or not len(seen.varied) or float(np.ptp(seen.targets, axis=0).max()) == 0:
        return []
    if seen.labels is not None and len(seen.labels) - np.bincount(seen.labels).max() < FEWEST_OF_OTHERS:
        return []  # hardly a row of a second class: nothing could be seen
    signal = seen.signal
    if signal.deviations > NO_SIGNAL:
        return []
    sure = 0.7 if signal.rows >= 150 else 0.5 if signal.rows >= 80 else 0.3
    shuffled, none = sure, round(sure - 0.05, 2)
    measured = [_depends("training rows", signal)]
    if seen.held is not None and len(seen.held[0]) >= FEWEST_HELD and seen.outside_signal is not None:
        outside = seen.outside_signal
        measured.append(_depends("held-out rows", outside))
        if outside.deviations > CLEAR_SIGNAL:
            left = seen.outside is not None and seen.outside.deviations > NO_SIGNAL
            shuffled, none = (0.8 if _mostly_wrong(seen) else 0.5) if left else 0.92, 0.15
        elif outside.deviations < NO_SIGNAL:
            shuffled, none = round(sure - 0.05, 2), sure
    best = (
        f"none does better than on targets in a random order, on {signal.rows:,} rows"
        if signal.model == "none"
        else f"the best, {signal.model}, is {signal.deviations:.1f} deviations above targets in a random order, on "
        f"{signal.rows:,} rows"
    )
    inside = measured[0]
    return [
        Finding(
            "data.labels_shuffled",
            f"The labels may not belong to their rows: no simple model predicts those of rows it has not seen; {best}.",
            confidence=shuffled,
            measured=tuple(measured),
            false_alarm="Rows whose labels are known to be theirs would be as hard to predict from one another.",
        ),
        Finding(
            "data.no_signal",
            "The features may say nothing about the target: what simple models make of them is as good with targets in a "
            "random order. If only the labels are in a wrong order, rows with their own labels could be predicted.",
            confidence=none,
            measured=(
                Measured("correlation of the best simple model with the target", signal.correlation, "clearly above 0"),
                *measured[1:],
                *(() if len(measured) > 1 else (inside,)),
            ),
            false_alarm="Some model of the same features would predict held-out rows better than guessing.",
        ),
    ]


def _depends(rows: str, found: Dependence) -> Measured:
    return Measured(f"deviations above random order, {rows}", found.deviations, f"above {NO_SIGNAL:g}")


def check_label_noise(case: Case, seen: Seen | None = None) -> list[Finding]:
    """data.label_noise: neighbours contradict labels more often than on held-out rows, or where they all agree.

    A share s of labels drawn anew among the other k − 1 classes lowers the agreement a of neighbours and labels to
    a (1 − s) + (1 − a) s / (k − 1). What is left of the signal tells it from labels that are shuffled.
    """
    seen = seen or Seen(case)
    labels, k = seen.labels, seen.classes
    if labels is None or len(labels) < FEWEST_TO_TELL or not len(seen.varied) or len(np.unique(labels)) < 2:
        return []
    own = labels[seen.few]
    votes = _votes(seen)
    guess = votes.argmax(axis=1)
    agree = float((guess == own).mean())
    base = float(np.bincount(own).max() / len(own))
    outside = seen.outside
    measured: tuple[Measured, ...]
    if outside is not None:
        share = outside.wrong_share(agree, k)
        error = np.sqrt(_variance(agree, len(own)) + _variance(outside.best, outside.rows))
        z = (outside.best - agree) / error
        left = max(outside.deviations, seen.signal.deviations) > NO_SIGNAL
        confidence = (
            (0.85 if left else 0.4) if z > 4 and share > 0.12 else 0.4 if z > 3 and share > 0.1 and left else 0.0
        )
        measured = (Measured(HELD_OUT_AGREEMENT, outside.best, "as on training rows"),)
        said = f"{outside.best:.0%} of held-out labels"
    else:
        if seen.signal.deviations < CLEAR_SIGNAL or len(labels) < 100:
            return []
        sure_of = np.argsort(-votes.max(axis=1), kind="stable")[: max(30, int(0.3 * len(own)))]
        share = float((guess[sure_of] != own[sure_of]).mean())
        confidence = 0.4 if share > 0.15 and agree > base else 0.2 if share > 0.1 and agree > base else 0.0
        measured = (Measured("contradicted labels where neighbours agree most", share, "below 0.1"),)
        said = f"even where they agree most, they contradict {share:.0%}"
    if not confidence:
        return []
    wrong = np.flatnonzero(guess != own)
    rows = tuple(int(seen.rows[seen.few[i]]) for i in wrong)
    if len(seen.few) < len(seen.rows):  # all rows are to be cleaned, not only those looked at
        rows = _contradicted(seen)
    return [
        Finding(
            "data.label_noise",
            f"About {min(1.0, max(0.0, share)):.0%} of the training labels may be wrong: neighbours agree with {agree:.0%} of "
            f"them; {said}.",
            confidence=confidence,
            measured=(
                Measured("agreement of neighbours and labels, training rows", agree, "as on held-out rows"),
                *measured,
            ),
            where=Where(rows=rows[:200]),
            cures=(Change(f"leave out the {len(rows)} rows that their neighbours contradict", data=(DropRows(rows),)),),
            false_alarm="The classes overlap, and held-out labels are contradicted as often.",
        )
    ]


def _variance(share: float, rows: int) -> float:
    """Of a share of so many rows, one more of either answer counted in, so that it is never 0."""
    kept = (share * rows + 1) / (rows + 2)
    return kept * (1 - kept) / rows


def _most(seen: Seen) -> int:
    """Neighbours that vote."""
    return min(25, len(seen.few) // 4)


def _votes(seen: Seen) -> np.ndarray:
    """The classes' shares among the neighbours of each row looked at."""
    assert seen.labels is not None
    of_class = np.eye(seen.classes)[seen.labels[seen.few]]
    return np.asarray(of_class[neighbours(seen.compressed, most=_most(seen))].mean(axis=1))


def _mostly_wrong(seen: Seen) -> bool:
    """Whether about as many training labels are contradicted as by a random order, in which 1 − 1 / k of them are wrong."""
    if seen.labels is None or seen.outside is None:
        return False
    agree = float((_votes(seen).argmax(axis=1) == seen.labels[seen.few]).mean())
    return bool(seen.outside.wrong_share(agree, seen.classes) > MOSTLY * (1 - 1 / seen.classes))


def _contradicted(seen: Seen) -> tuple[int, ...]:
    assert seen.labels is not None
    X = seen.X[:, seen.varied]
    Z = compressed(X) if X.shape[1] > 50 else standardised(X)
    anchors, count = seen.few, _most(seen)
    rows: list[int] = []
    for start in range(0, len(Z), 2000):
        part = slice(start, start + 2000)
        near = neighbours(Z[anchors], Z[part], count + 1)
        for i, found in enumerate(near, start):
            voters = anchors[found]
            voters = voters[voters != i][:count]
            if np.bincount(seen.labels[voters], minlength=seen.classes).argmax() != seen.labels[i]:
                rows.append(int(seen.rows[i]))
    return tuple(rows)


TARGET_CHECKS = (check_classes, check_constant_target, check_target_scale, check_signal, check_label_noise)
