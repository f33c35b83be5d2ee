"""Suspects: a suspicion is tested by a rerun with the suspected thing changed and everything else as it was.

A suspicious setting alone is a risk, not a diagnosis. It becomes the diagnosis when the training falls short and switching it
off cures; when a rerun without it falls short too, it is innocent, or not alone.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from glassnet.diagnosis.case import Case
from glassnet.diagnosis.changes import Change
from glassnet.diagnosis.findings import SEVERITIES, Finding, Measured, Proof
from glassnet.diagnosis.kinds import KINDS
from glassnet.diagnosis.yardsticks import yardsticks
from glassnet.errors import GlassnetError

LEAST_CONFIDENCE = 0.12
"""Suspicions below are not worth a rerun."""
CURES_EACH = 3
"""Cures of one suspicion that are tried."""
RERUNS = 5
"""So many reruns have to fit into the budget; long trainings are rerun with fewer epochs."""


@dataclass
class Experiments:
    """Reruns of a case within a budget of seconds.

    Attributes
    ----------
    case : the training as it was asked for, with the rows to judge by
    needed : the score that counts as cured
    before : the training's own score
    took : seconds that the whole training takes
    epochs : of a rerun; fewer than asked for when the training is long
    share : of the training rows that a rerun sees
    """

    case: Case
    needed: float
    before: float
    budget: float
    took: float
    began: float = field(default_factory=time.perf_counter)
    tried: dict[str, Proof] = field(default_factory=dict)

    def __post_init__(self) -> None:
        part = min(1.0, self.budget / RERUNS / max(self.took, 1e-6))
        self.epochs = max(1, math.floor(self.case.epochs * part))
        self.factor = self.epochs / max(1, self.case.epochs)

    @property
    def left(self) -> float:
        return self.budget - (time.perf_counter() - self.began)

    def test(self, change: Change) -> Proof | None:
        """Rerun with one change; None when the budget is over or the change cannot be trained."""
        if change.said in self.tried:
            return self.tried[change.said]
        if self.left <= 0:
            return None
        try:
            changed = self.case.changed(change)
            epochs = max(1, round(changed.epochs * self.factor)) if self.factor < 1 else changed.epochs
            if changed.derivation is None or changed.samples is None:
                return None
            run = changed.train(epochs=epochs, max_seconds=max(0.01, self.left))
            before, needed = self.before, self.needed
            if changed.metric != self.case.metric:  # numbers that become classes: what is needed is another score
                sticks = yardsticks(changed, max(0.01, self.left))
                if sticks is None:
                    return None
                before, needed = math.nan, sticks.needed
        except (GlassnetError, ValueError, IndexError):
            return None
        proof = Proof(change, before, changed.judged(run), needed, changed.metric, epochs)
        self.tried[change.said] = proof
        return proof


def examined(suspicions: Iterable[Finding], experiments: Experiments) -> list[Finding]:
    """The suspicions with the proofs of their reruns, the likeliest tested first."""
    ordered = sorted(suspicions, key=lambda f: -f.confidence)
    found = []
    for suspicion in ordered:
        proofs = list(suspicion.proofs)
        symptom = KINDS[suspicion.kind].symptom  # whose cures are those of its causes
        testable = suspicion.cures[:CURES_EACH] if suspicion.confidence >= LEAST_CONFIDENCE and not symptom else ()
        for change in testable:
            proof = experiments.test(change)
            if proof is None:
                continue
            proofs.append(proof)
            if proof.cured:
                break
        found.append(replace(suspicion, proofs=tuple(proofs)))
    return found


def weight(finding: Finding) -> float:
    """How much speaks for a finding once its reruns are known, from 0 to 1.

    A cure that works raises it, one that brings the score halfway to what is needed a little, one that changes nothing lowers
    it.
    """
    if finding.certain:
        return 1.0
    own = finding.confidence
    if not finding.proofs:
        return own * (0.8 if KINDS[finding.kind].symptom else 1.0)
    best = max(finding.proofs, key=lambda p: p.after - p.needed)
    gap = best.needed - best.before
    closed = (best.after - best.before) / gap if gap > 0 else float(best.cured)
    if best.cured:
        return 0.4 + 0.6 * own
    if closed > 0.5:
        return 0.25 + 0.5 * own
    # What is wrong with data is often past curing: there a cure that fails says less.
    return (0.7 if finding.kind.startswith("data.") else 0.45) * own


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """One finding a kind: the most confident one, with the numbers, cures and proofs of the others."""
    by_kind: dict[str, Finding] = {}
    for finding in sorted(findings, key=lambda f: (not f.certain, -f.confidence)):
        known = by_kind.get(finding.kind)
        if known is None:
            by_kind[finding.kind] = finding
            continue
        measured: tuple[Measured, ...] = known.measured + tuple(
            m for m in finding.measured if m.name not in {k.name for k in known.measured}
        )
        cures = known.cures + tuple(c for c in finding.cures if c.said not in {k.said for k in known.cures})
        proofs = known.proofs + tuple(
            p for p in finding.proofs if p.change.said not in {k.change.said for k in known.proofs}
        )
        by_kind[finding.kind] = replace(known, measured=measured, cures=cures, proofs=proofs)
    return list(by_kind.values())


def ranked(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The most important first: by severity, then by what speaks for it; causes before what they show."""
    return tuple(sorted(findings, key=lambda f: (SEVERITIES.index(f.severity), KINDS[f.kind].symptom, -weight(f))))
