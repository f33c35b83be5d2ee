"""All checks, gathered: what is looked at before the first step, and after training."""

from __future__ import annotations

import math
import time

from glassnet.diagnosis.case import Case
from glassnet.diagnosis.data_checks import check_data
from glassnet.diagnosis.evidence import Evidence
from glassnet.diagnosis.findings import Finding
from glassnet.diagnosis.rate_checks import check_rate
from glassnet.diagnosis.setting_checks import check_settings
from glassnet.diagnosis.start_checks import check_overfits, check_start
from glassnet.diagnosis.training_checks import check_training
from glassnet.training.run import Run

CHECKED_BEFORE = (
    "the data", "the settings", "the start", "the step size", "one small batch",
)  # fmt: skip
CHECKED_AFTER = ("the course of the training", "what every layer does")


def before_first_step(case: Case, overfit: bool = True, until: float = math.inf) -> list[Finding]:
    """Suspicions from data, settings and the start; `overfit` also trains on one small batch. None begins after `until`."""
    found: list[Finding] = []
    for check in (check_data, check_settings, check_start, check_rate, check_overfits):
        late = time.perf_counter() >= until
        usable = case.derivation is not None and case.samples is not None
        known = any(f.certain for f in found)
        if late or (check is check_overfits and not overfit):
            break
        if check in (check_data, check_settings) or (usable and not (known and check is not check_start)):
            found += check(case)
    return found


def after_training(case: Case, run: Run, unfinished: bool = False) -> list[Finding]:
    """Suspicions from a training's course; an unfinished one is a pilot, and called so."""
    return check_training(case, run, Evidence.of(run), unfinished)
