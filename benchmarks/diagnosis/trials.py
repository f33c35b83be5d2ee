"""`Trial`: one training whose outcome is known, as it is given to the diagnosis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import numpy as np

from glassnet import GlassnetError, Network, Run
from glassnet.diagnosis.case import Case

Arrays = tuple[np.ndarray, np.ndarray]

NARROW = 0.02
"""A training whose score is this near to what it needed is left out: its outcome is noise."""
SHORT = {"accuracy": 0.05, "r2": 0.1}
"""How much less than a healthy network a failing training reaches."""


@dataclass(frozen=True)
class Trial:
    """One call of `gn.train`, and what is known about it.

    Attributes
    ----------
    id : its name, one of all trials
    group : "published", "planted" or "healthy"
    network, X, Y, validation, settings : what `gn.train` is called with; validation is (X, Y) or None
    kinds : the kinds of fault that are in it; () when none is known
    fails : whether the training was measured to fail; None until it is measured
    needed : the score below which it fails
    score : what was measured for it
    borderline : its score is so near to what it needs that the outcome is noise
    cannot : why glassnet cannot express it, or None
    written : keyword arguments a user would have written first and glassnet refuses (also "network"), or None
    nearest : what had to be said differently in glassnet
    curable : whether a healthy network on the same rows learns
    """

    id: str
    group: str
    network: Network | None = None
    X: np.ndarray = field(default_factory=lambda: np.empty((0, 1)))
    Y: np.ndarray = field(default_factory=lambda: np.empty(0))
    validation: Arrays | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    kinds: tuple[str, ...] = ()
    fails: bool | None = None
    needed: float | None = None
    score: float | None = None
    borderline: bool = False
    cannot: str | None = None
    written: Mapping[str, Any] | None = None
    nearest: tuple[str, ...] = ()
    curable: bool = True

    @property
    def reported(self) -> bool:
        """Whether this trial is of the half that is reported; thresholds are set on the other half only."""
        return sha256(self.id.encode()).digest()[0] % 2 == 1

    def case(self) -> Case:
        """The training as the diagnosis sees it."""
        if self.network is None:
            raise GlassnetError(f"The trial {self.id} got no network; it needs one: {self.cannot}")
        return Case.asked(self.network, self.X, self.Y, validation=self.validation, **self.settings)

    def asked(self) -> dict[str, Any]:
        """Arguments of `gn.diagnose` and `gn.train`, as a user would write them first."""
        return {"network": self.network, **self.settings, **(self.written or {})}

    def train(self, **others: Any) -> Run:
        """Train it, quietly."""
        return self.case().train(**others)


def judged(trial: Trial, run: Run | None) -> float:
    """The score of a run by the trial's own metric on its held-out rows; the least there is when it is refused."""
    case = trial.case()
    if run is None:
        return 0.0 if case.metric == "accuracy" else -1.0
    return case.judged(run)
