"""All checks, gathered: what is looked at before the first step, and after training."""

from __future__ import annotations

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


def before_first_step(case: Case, overfit: bool = True) -> list[Finding]:
    """Suspicions from data, settings and the start; `overfit` also trains on one small batch."""
    found = [*check_data(case), *check_settings(case)]
    if case.derivation is None or case.samples is None:
        return found
    found += check_start(case)
    if any(f.certain for f in found):
        return found
    found += check_rate(case)
    return [*found, *check_overfits(case)] if overfit else found


def after_training(case: Case, run: Run, unfinished: bool = False) -> list[Finding]:
    """Suspicions from a training's course; of an unfinished one nothing is said about its end."""
    return check_training(case, run, Evidence.of(run))
