"""A diagnosis and a cure made by hand, for the tests of how they are shown."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import glassnet as gn
from glassnet.diagnosis.changes import Change, Standardise
from glassnet.diagnosis.findings import Diagnosis, Finding, Measured, Proof, Verdict, Where

SLOWER = Change("learning_rate 10 → 0.1", {"optimizer": gn.SGD(0.1)})
YARDSTICKS = {"guessing": 0.5, "linear model": 0.62, "small network": 0.8642}


def fails(**others: Any) -> Diagnosis:
    """A training that does not learn: a critical finding with a proof, a warning, and eight notes."""
    rate = Finding(
        "opt.lr_too_large",
        "The learning rate 10 is 25 times the largest one at which the cost falls.",
        severity="critical",
        confidence=0.95,
        measured=(
            Measured("learning rate", 10.0, "below 0.4"),
            Measured("cost after the last epoch", math.inf, "below 0.693"),
        ),
        where=Where(epochs=(3, 40)),
        cures=(SLOWER, Change("another optimiser", {"optimizer": gn.Adam(0.01)})),
        false_alarm="The cost would fall from epoch to epoch at this rate.",
        proofs=(Proof(SLOWER, 0.512, 0.864, 0.8142, "accuracy", 30),),
    )
    scales = Finding(
        "data.mixed_scales",
        "The spreads of the features differ by a factor of 4,000.",
        severity="warning",
        confidence=0.5,
        measured=(Measured("largest spread / smallest", 4000, "below 30"),),
        where=Where(features=(0, 2)),
        cures=(Change("standardise the features", data=(Standardise(),)),),
        false_alarm="X as it is would do as well.",
    )
    units = [
        Finding("training.saturated_units", f"{n} of 40 units are saturated.", where=Where(layer=1, epochs=(90, 90)))
        for n in range(1, 9)
    ]
    facts: dict[str, Any] = {
        "findings": (rate, scales, *units),
        "verdict": Verdict(False, "accuracy", "held-out", 0.512, 0.8142, YARDSTICKS),
        "checked": ("the data", "the settings"),
        "features": ("width", "height", "price"),
        "about": "3 → 40 tanh → 1 sigmoid",
        "costs": tuple((float(epoch), 0.7 + epoch if epoch < 60 else math.inf) for epoch in range(1, 101)),
    }
    return Diagnosis(**{**facts, **others})


def learns(**others: Any) -> Diagnosis:
    """A training that learns, about which there is nothing to say."""
    verdict = Verdict(True, "r2", "training", 0.97, 0.88, {"guessing": 0.0, "small network": 0.98})
    return Diagnosis((), verdict, ("the data", "the settings"), **others)


def cure(**others: Any) -> Any:
    """A cure with a short search behind it; `others` replace its fields."""
    before = {"network": gn.Network(2, gn.Dense(1, "sigmoid")), "optimizer": gn.SGD(10.0), "epochs": 30, "seed": 0}
    trial = SimpleNamespace(change=SLOWER, score=0.864, epochs=30, round=1)
    worse = SimpleNamespace(change=Change("batch_size 32 → 8"), score=math.nan, epochs=1, round=1)
    fields: dict[str, Any] = {
        "change": SLOWER, "before": 0.512, "after": (0.864, 0.87, 0.861), "needed": 0.8142, "metric": "accuracy",
        "rows": "held-out", "tried": (worse, trial), "seconds": 1.24, "budget": 10.0, "run": None,
        "settings_before": before, "settings_after": {**before, "optimizer": gn.SGD(0.1)}, "learns": False,
        "shortened": None, "reached": 0.864,
    }  # fmt: skip
    return SimpleNamespace(**{**fields, **others})
