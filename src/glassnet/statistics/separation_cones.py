"""The linear programmes that decide whether classes are separated.

Both kinds of problem ask for a direction β whose margins are all 0 or above. Few rows decide it: the programme starts
with those that the sum of all margins serves worst, and takes in the rows that its answer violates until none is left.
"""

from __future__ import annotations

import numpy as np

Array = np.ndarray
MARGIN = 1e-7
"""A margin below this, in standard deviations of the features, counts as none."""
ADDED = 64
"""How many of the rows that a candidate direction violates most are added to the linear programme at once."""
ROUNDS = 200
"""Linear programmes solved at most; each round's answer violates fewer rows than the one before."""


class Cone:
    """Directions β with a ≥ 0 margin in every row, found by a linear programme over the rows that matter.

        quasi      maximise Σᵢ marginᵢ(β)      subject to marginᵢ(β) ≥ 0, −1 ≤ β ≤ 1
        complete   maximise δ                  subject to marginᵢ(β) ≥ δ, −1 ≤ β ≤ 1, δ ≤ 1

    The programme starts with few rows; those that its answer violates are added until none is.
    """

    unknowns: int
    answer: Array

    def margins(self, beta: Array) -> Array:
        raise NotImplementedError

    def rows(self, chosen: Array) -> Array:
        """The gradient of these margins by β."""
        raise NotImplementedError

    def total(self) -> Array:
        """Σᵢ of all rows' gradients."""
        raise NotImplementedError

    def separated(self, *, strictly: bool) -> bool:
        from scipy.optimize import linprog

        self.answer = np.zeros(self.unknowns)
        if not self.unknowns:
            return False
        aim = self.total()
        worst = self.margins(aim / (np.abs(aim).max() or 1.0))
        active = np.unique(np.argsort(worst, kind="stable")[:ADDED])
        bounds = [(-1.0, 1.0)] * self.unknowns + ([(0.0, 1.0)] if strictly else [])
        objective = np.concatenate([np.zeros(self.unknowns), [-1.0]]) if strictly else -aim / (np.abs(aim).max() or 1.0)
        for _ in range(ROUNDS):
            left = -self.rows(active)
            if strictly:
                left = np.column_stack([left, np.ones(len(left))])
            solved = linprog(objective, left, np.zeros(len(left)), bounds=bounds, method="highs")
            if not solved.success:
                return False
            beta = np.asarray(solved.x[: self.unknowns])
            if -solved.fun <= MARGIN:
                return False
            found = self.margins(beta)
            needed = float(solved.x[-1]) if strictly else 0.0
            violated = np.flatnonzero(found < needed - MARGIN)
            fresh = violated[~np.isin(violated, active)]
            if not len(fresh):
                self.answer = beta
                return bool(found.min() > 0) if strictly else bool(found.max() > MARGIN)
            active = np.concatenate([active, fresh[np.argsort(found[fresh], kind="stable")[:ADDED]]])
        return False


class TwoSides(Cone):
    """Two sides: the margin of a row is s (b + xβ), on features centred (with an intercept) and scaled."""

    def __init__(self, X: Array, here: Array, there: Array, intercept: bool) -> None:
        self.raw, self.here, self.there, self.intercept = X, here, there, intercept
        scale = X.std(axis=0) if intercept else np.abs(X).max(axis=0, initial=0.0)
        self.centre = X.mean(axis=0) if intercept else np.zeros(X.shape[1])
        self.scale = np.where(scale > 0, scale, 1.0)
        columns = (X - self.centre) / self.scale
        signed = np.concatenate([columns[here], -columns[there]])
        if intercept:
            ones = np.concatenate([np.ones(int(here.sum())), -np.ones(int(there.sum()))])
            signed = np.column_stack([ones, signed])
        self.signed = signed
        self.unknowns = signed.shape[1]
        self.columns = list(range(X.shape[1]))

    def only(self, columns: list[int]) -> TwoSides:
        """The same rows with fewer features."""
        fewer = object.__new__(TwoSides)
        first = [0] if self.intercept else []
        positions = [self.columns.index(j) + len(first) for j in columns]
        fewer.intercept, fewer.columns = self.intercept, columns
        fewer.centre, fewer.scale = self.centre[columns], self.scale[columns]
        fewer.signed = self.signed[:, first + positions]
        fewer.unknowns = fewer.signed.shape[1]
        return fewer

    def margins(self, beta: Array) -> Array:
        return np.asarray(self.signed @ beta)

    def rows(self, chosen: Array) -> Array:
        return np.asarray(self.signed[chosen])

    def total(self) -> Array:
        return np.asarray(self.signed.sum(axis=0))

    def direction(self) -> dict[int, float]:
        """Position among these features (−1: intercept) -> coefficient, in the features' own units."""
        slopes = (self.answer[1:] if self.intercept else self.answer) / self.scale
        found = {-1: float(self.answer[0] - slopes @ self.centre)} if self.intercept else {}
        return found | {j: float(value) for j, value in enumerate(slopes)}


class Classes(Cone):
    """k classes: the margins of a row of class c are x(β_c − β_l) for every other class l; class 0 is held at 0."""

    def __init__(self, X: Array, member: Array, intercept: bool) -> None:
        scale = X.std(axis=0) if intercept else np.abs(X).max(axis=0, initial=0.0)
        X = (X - (X.mean(axis=0) if intercept else 0.0)) / np.where(scale > 0, scale, 1.0)
        self.X = np.column_stack([np.ones(len(X)), X]) if intercept else X
        self.k = member.shape[1]
        own = np.argwhere(member)  # (row, class): a row of shares speaks for several classes
        self.row = np.repeat(own[:, 0], self.k - 1)
        self.own = np.repeat(own[:, 1], self.k - 1)
        step = np.tile(np.arange(1, self.k), len(own))
        self.other = (self.own + step) % self.k
        self.unknowns = self.X.shape[1] * (self.k - 1)

    def _scores(self, beta: Array) -> Array:
        free = self.X @ beta.reshape(self.k - 1, -1).T
        return np.column_stack([np.zeros(len(free)), free])

    def margins(self, beta: Array) -> Array:
        scores = self._scores(beta)
        return np.asarray(scores[self.row, self.own] - scores[self.row, self.other])

    def rows(self, chosen: Array) -> Array:
        signs = np.zeros((len(chosen), self.k))
        signs[np.arange(len(chosen)), self.own[chosen]] += 1.0
        signs[np.arange(len(chosen)), self.other[chosen]] -= 1.0
        blocks = signs[:, 1:, None] * self.X[self.row[chosen]][:, None, :]
        return np.asarray(blocks.reshape(len(chosen), -1))

    def total(self) -> Array:
        sums = np.zeros((self.k, self.X.shape[1]))
        for c in range(self.k):
            mine = np.bincount(self.row[self.own == c], minlength=len(self.X))
            theirs = np.bincount(self.row[self.other == c], minlength=len(self.X))
            sums[c] = (mine - theirs) @ self.X
        return np.asarray(sums[1:].reshape(-1))
