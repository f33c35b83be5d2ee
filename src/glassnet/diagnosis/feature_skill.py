"""How much one feature alone says about the target, and all the others without it: what tells a leak from an honest feature."""

from __future__ import annotations

import numpy as np

from glassnet.diagnosis.seen import Seen
from glassnet.diagnosis.simple_models import NEIGHBOURS, compressed, neighbours, ridge_without_itself

ENOUGH_OF_EACH = 10
"""Rows of each class (or rows at all, where targets are numbers) that a comparison with held-out rows needs."""
MOST_SEARCHED = 60
"""Features that are each tried alone as a predictor; of more, those that correlate most with the target."""


def comparable(seen: Seen) -> bool:
    """Whether there are enough rows of every class, in training and held out, for a feature's skill to be compared."""
    assert seen.held is not None
    if seen.labels is None or seen.held_labels is None:
        return len(seen.held[0]) >= ENOUGH_OF_EACH
    here, there = (np.bincount(v[v >= 0], minlength=seen.classes) for v in (seen.labels, seen.held_labels))
    of_training = here > 0
    return (
        int(of_training.sum()) > 1
        and min(int(here[of_training].min()), int(there[of_training].min())) >= ENOUGH_OF_EACH
    )


def skill_of_others(seen: Seen, some: np.ndarray, column: int) -> float | None:
    """The skill of a linear model, or of neighbours, of all features but one, each row predicted without itself."""
    others = seen.varied[seen.varied != column]
    if not len(others):
        return 0.0
    rows = some[:1000]
    X, T = compressed(seen.X[rows][:, others]), seen.targets[rows]
    if len(rows) < 2 * NEIGHBOURS[-1]:
        return None
    exclusive = seen.labels is not None
    by_line = _skill(ridge_without_itself(X, T), T, T, exclusive)
    votes = T[neighbours(X, most=NEIGHBOURS[0])].mean(axis=1)
    return max(by_line, _skill(votes, T, T, exclusive))


def skill_alone(
    x: np.ndarray, T: np.ndarray, held: tuple[np.ndarray, np.ndarray] | None, seen: Seen
) -> tuple[float, float | None]:
    """The share of guessing's error that bins of one feature remove, on training and on held-out rows.

    Held-out values are taken as they are and moved to the training mean and spread, whichever is better.
    """
    bins = int(np.clip(len(x) // 10, 2, 20))
    known = np.unique(x)
    edges = (known[1:] + known[:-1]) / 2 if len(known) <= bins else np.quantile(x, np.arange(1, bins) / bins)
    place = np.searchsorted(edges, x)
    count = np.bincount(place, minlength=len(edges) + 1)[:, None]
    total = np.stack([np.bincount(place, t, len(edges) + 1) for t in T.T], axis=1)
    mean = np.where(count > 0, total / np.maximum(count, 1), T.mean(axis=0))
    exclusive = seen.labels is not None
    skill = _skill(mean[place], T, T, exclusive)
    line = None
    if not exclusive and T.shape[1] == 1 and x.std() > 0:
        slope = float(((x - x.mean()) * (T[:, 0] - T.mean())).mean() / x.var())
        line = slope, float(T.mean() - slope * x.mean())
        by_line = _skill((slope * x + line[1])[:, None], T, T, False)
        line = line if by_line > skill else None
        skill = max(skill, by_line)
    if held is None:
        return skill, None
    outside = []
    moved = (held[0] - held[0].mean()) / (held[0].std() or 1.0) * x.std() + x.mean()
    for values in (held[0], moved):
        predicted = mean[np.searchsorted(edges, values)] if line is None else (line[0] * values + line[1])[:, None]
        outside.append(_skill(predicted, held[1], T, exclusive))
    return skill, max(outside)


def _skill(P: np.ndarray, Y: np.ndarray, guessed_from: np.ndarray, exclusive: bool) -> float:
    """1 − errors / errors of guessing: wrong classes, or squared distances.

    Classes count as much as they do in `guessed_from`, the training rows, so that other shares are not taken for errors.
    """
    guess = guessed_from.mean(axis=0)
    if exclusive:
        truth = Y.argmax(axis=1)
        weight = (guess / np.maximum(Y.mean(axis=0), 1e-12))[truth]
        total = max(float(weight.sum()), 1e-12)
        wrong = float((weight * (P.argmax(axis=1) != truth)).sum()) / total
        base = float((weight * (truth != guess.argmax())).sum()) / total
    else:
        wrong, base = float(((P - Y) ** 2).sum()), float(((Y - guess) ** 2).sum())
    return 1 - wrong / base if base > 0 else 0.0


def most_correlated(X: np.ndarray, T: np.ndarray, columns: np.ndarray) -> np.ndarray:
    if len(columns) <= MOST_SEARCHED:
        return columns
    centred = X[:, columns] - X[:, columns].mean(axis=0)
    size = np.sqrt((centred**2).sum(axis=0))
    r = np.abs(centred.T @ (T - T.mean(axis=0))).max(axis=1) / np.where(size > 0, size, 1.0)
    return columns[np.argsort(-r, kind="stable")[: MOST_SEARCHED // 2]]


def useful(seen: Seen, column: int) -> bool:
    """Whether one feature says much about the target: on held-out rows, or on training rows where there are none."""
    if float(np.ptp(seen.targets, axis=0).max()) == 0:
        return False
    held = None
    if seen.held is not None and seen.held_targets is not None and len(seen.held[0]) >= 10:
        held = seen.held[0][:, column], seen.held_targets
    inside, outside = skill_alone(seen.X[:, column], seen.targets, held, seen)
    return (inside if outside is None else outside) > 0.5
