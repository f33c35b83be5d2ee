"""Diagnosing: checks raise suspicions, yardsticks say whether the training falls short, reruns say which suspicion is why."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from glassnet.diagnosis.case import Case
from glassnet.diagnosis.checks import CHECKED_AFTER, CHECKED_BEFORE, after_training, before_first_step
from glassnet.diagnosis.explaining import (
    LEAST_BUDGET,
    MOST_BUDGET,
    explained,
    graded,
    verdict_on,
    without_contradictions,
)
from glassnet.diagnosis.findings import Diagnosis, Verdict
from glassnet.diagnosis.pace import Pace
from glassnet.diagnosis.pilot import piloted
from glassnet.diagnosis.suspects import Experiments, merged, ranked
from glassnet.diagnosis.yardsticks import guessing, tells_apart, yardsticks
from glassnet.errors import GlassnetError, RunError, unknown_name
from glassnet.network import Network
from glassnet.training.run import Run


def diagnose(
    network: Network,
    X: Any,
    Y: Any,
    *,
    validation: Any = None,
    experiments: bool = True,
    features: Sequence[str] = (),
    **settings: Any,
) -> Diagnosis:
    """What can be said about a training before it is run: data, settings, the start, and a pilot of it.

        print(gn.diagnose(net, X, Y, optimizer=gn.SGD(10.0), epochs=60, batch_size=32))

    Parameters
    ----------
    network, X, Y, validation : as `gn.train` takes them; X may hold missing values, and settings that `gn.train` refuses are
        findings
    experiments : whether to train yardsticks and a pilot (the first 30 % of the epochs), and to rerun the pilot without
        what is suspected; False looks only
    features : names of the columns of X
    settings : further arguments of `gn.train` that make a training what it is: loss, optimizer, epochs, batch_size, l1, l2,
        penalty_on, seed, shuffle, sample_weight, initial_parameters, dtype, augmentation

    Returns
    -------
    Diagnosis. Its verdict's `learns` is False when the training is predicted to fall short, and None when it may learn.

    Raises
    ------
    GlassnetError : something that is no network, no data, or arguments that cannot be understood
    """
    _check_call(network, settings, experiments)
    with quietly():
        return _diagnosed(network, X, Y, validation, experiments, features, settings)


def _diagnosed(
    network: Network,
    X: Any,
    Y: Any,
    validation: Any,
    experiments: bool,
    features: Sequence[str],
    settings: dict[str, Any],
) -> Diagnosis:
    began = time.perf_counter()
    case = Case.asked(network, X, Y, validation=validation, features=features, **settings)
    suspicions = before_first_step(case, overfit=experiments)
    verdict = Verdict(None, case.metric, "held-out" if case.held is not None else "training", None, None, {})
    costs: tuple[tuple[float, float], ...] = ()
    if any(f.certain for f in suspicions):
        findings = [f if f.certain else f.with_severity("note") for f in merged(suspicions)]
        verdict = replace(verdict, learns=False)
    elif not experiments:
        findings = merged(suspicions)
    else:
        findings, verdict, costs = piloted(case, suspicions)
    return Diagnosis(
        ranked(findings), verdict, CHECKED_BEFORE, case.features, "before training", time.perf_counter() - began,
        str(network), costs, questions=case.questions,
    )  # fmt: skip


def diagnose_run(run: Run, *, experiments: bool = True, budget: float | None = None) -> Diagnosis:
    """Why a training does not learn, or that it does.

    Parameters
    ----------
    run : a training with its data
    experiments : whether to train yardsticks, and to rerun the training without what is suspected
    budget : seconds that the reruns may take; as long as the training took unless given, at least 6 and at most 60

    Returns
    -------
    Diagnosis : of a training that learns only notes; of one that falls short the causes first, each with its proof if a rerun
    was cured

    Raises
    ------
    RunError : the run was saved without its data
    """
    check_budget("diagnose", budget, least=0)
    with quietly():
        return judged_run(run, experiments, budget)


def judged_run(run: Run, experiments: bool = True, budget: float | None = None, until: float = math.inf) -> Diagnosis:
    """The diagnosis of a run; no check begins after the moment `until`."""
    began = time.perf_counter()
    case = Case.of_run(run)
    if not len(run.history) and run.status != "diverged":
        raise RunError("This training has had no epoch, so there is nothing to diagnose; train it for at least one.")
    sticks = yardsticks(case, min(until - began, MOST_BUDGET)) if experiments else None
    suspicions = before_first_step(case, overfit=experiments, until=until)
    if time.perf_counter() < until:
        suspicions += after_training(case, run)
    score = case.judged(run)
    costs = tuple(zip(run.history["epoch"], run.history["cost"], strict=True)) if len(run.history) else ()
    if sticks is None:
        verdict = without_yardsticks(case, run, score)
        findings = merged(suspicions)
        findings = graded(findings) if verdict.learns is False else without_contradictions(findings)
    else:
        pace = Pace.of(run, case, budget)
        allowed = min(MOST_BUDGET, max(LEAST_BUDGET, pace.due)) if budget is None else float(budget)
        allowed = max(0.0, min(allowed, until - time.perf_counter()))
        reruns = Experiments(case, sticks.needed, score, allowed, pace.whole)
        verdict = verdict_on(case, run, score, sticks, suspicions, reruns)
        findings = explained(case, suspicions, verdict, sticks, score, reruns)
    return Diagnosis(
        ranked(findings), verdict, (*CHECKED_BEFORE, *CHECKED_AFTER), case.features, "after training",
        time.perf_counter() - began, str(run.network), costs, sticks, case.questions,
    )  # fmt: skip


def without_yardsticks(case: Case, run: Run, score: float) -> Verdict:
    """What is known without training anything: that a diverged training, or one no better than guessing, does not learn."""
    rows = case.held_samples or case.samples
    named = "held-out" if case.held_samples is not None else "training"
    if rows is None or case.samples is None:
        return Verdict(False, case.metric, named, None, None, {})
    guess = guessing(case.metric, case.samples.Y, rows.Y) if case.samples.Y.min() >= 0 or case.metric == "r2" else None
    known = {} if guess is None else {"guessing": guess}
    fails = run.status == "diverged" or (guess is not None and score <= guess and not tells_apart(case, run))
    return Verdict(False if fails else None, case.metric, named, score, None, known)


@contextmanager
def quietly() -> Iterator[None]:
    """Numbers that overflow are what a diagnosis looks for; NumPy says nothing about them."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


def check_budget(asked: str, budget: Any, least: int) -> None:
    """Refuse what is no number of seconds."""
    number = isinstance(budget, int | float | np.number) and not isinstance(budget, bool | np.bool_)
    if budget is not None and not (number and 0 <= budget < math.inf and (budget > 0 or least == 0)):
        needed = ", 0 or more" if least == 0 else " above 0"
        raise GlassnetError(f"{asked} got budget={budget!r}; it needs a number of seconds{needed}.")


OF_A_TRAINING = (
    "loss", "optimizer", "epochs", "batch_size", "l1", "l2", "penalty_on", "seed", "shuffle", "sample_weight",
    "initial_parameters", "dtype", "augmentation", "engine", "threads", "measure",
)  # fmt: skip
"""Arguments of `gn.train` that a diagnosis takes: those of the training itself, none that keep or show it."""


def _check_call(network: Any, settings: dict[str, Any], experiments: Any) -> None:
    if not isinstance(network, Network):
        raise GlassnetError(
            f"diagnose got {type(network).__name__} as its network; it needs a glassnet.Network. Of a run: run.diagnose()."
        )
    if not isinstance(experiments, bool):
        raise GlassnetError(f"diagnose got experiments={experiments!r}; it needs True or False.")
    for name in settings:
        if name not in OF_A_TRAINING:
            raise GlassnetError(unknown_name("setting that diagnose takes", name, OF_A_TRAINING))
    epochs = settings.get("epochs")
    if epochs is not None and (isinstance(epochs, bool) or not isinstance(epochs, int | np.integer) or epochs < 1):
        raise GlassnetError(f"diagnose got epochs={epochs!r}; it needs a whole number, 1 or more.")
