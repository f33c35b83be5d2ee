"""Diagnosing: checks raise suspicions, yardsticks say whether the training falls short, reruns say which suspicion is why."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from glassnet.diagnosis.case import Case
from glassnet.diagnosis.checks import CHECKED_AFTER, CHECKED_BEFORE, after_training, before_first_step
from glassnet.diagnosis.explaining import LEAST_BUDGET, MOST_BUDGET, explained, verdict_on
from glassnet.diagnosis.findings import Diagnosis, Verdict
from glassnet.diagnosis.pilot import piloted
from glassnet.diagnosis.suspects import Experiments, merged, ranked
from glassnet.diagnosis.yardsticks import yardsticks
from glassnet.errors import GlassnetError
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
    settings : further arguments of `gn.train`: loss, optimizer, epochs, batch_size, l1, l2, seed, shuffle, ...

    Returns
    -------
    Diagnosis. Its verdict's `learns` is False when the training is predicted to fall short, and None when it may learn.

    Raises
    ------
    GlassnetError : something that is no network, or arguments that `gn.train` does not have
    """
    _check_call(network, settings, experiments)
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
        str(network), costs,
    )  # fmt: skip


def diagnose_run(run: Run, *, experiments: bool = True, budget: float | None = None) -> Diagnosis:
    """Why a training does not learn, or that it does.

    Parameters
    ----------
    run : a training with its data
    experiments : whether to train yardsticks, and to rerun the training without what is suspected
    budget : seconds that the reruns may take; as long as the training took unless given, at least 3 and at most 60

    Returns
    -------
    Diagnosis : of a training that learns only notes; of one that falls short the causes first, each with its proof if a rerun
    was cured

    Raises
    ------
    RunError : the run was saved without its data
    """
    if budget is not None and not (isinstance(budget, int | float) and 0 <= budget < math.inf):
        raise GlassnetError(f"diagnose got budget={budget!r}; it needs a number of seconds, 0 or more.")
    began = time.perf_counter()
    case = Case.of_run(run)
    suspicions = [*before_first_step(case, overfit=experiments), *after_training(case, run)]
    sticks = yardsticks(case) if experiments else None
    score = case.judged(run)
    costs = tuple(zip(run.history["epoch"], run.history["cost"], strict=True)) if len(run.history) else ()
    if sticks is None:
        rows = "held-out" if case.held_samples is not None else "training"
        verdict = Verdict(False if run.status == "diverged" else None, case.metric, rows, score, None, {})
        findings = merged(suspicions)
    else:
        verdict = verdict_on(case, run, score, sticks, suspicions)
        took = float(run.history["seconds"][-1]) if len(run.history) else 0.0
        allowed = min(MOST_BUDGET, max(LEAST_BUDGET, took)) if budget is None else float(budget)
        findings = explained(
            case, suspicions, verdict, sticks, score, Experiments(case, sticks.needed, score, allowed, took)
        )
    return Diagnosis(
        ranked(findings), verdict, (*CHECKED_BEFORE, *CHECKED_AFTER), case.features, "after training",
        time.perf_counter() - began, str(run.network), costs,
    )  # fmt: skip


def _check_call(network: Any, settings: dict[str, Any], experiments: Any) -> None:
    import inspect

    from glassnet.errors import unknown_name
    from glassnet.training import train

    if not isinstance(network, Network):
        raise GlassnetError(
            f"diagnose got {type(network).__name__} as its network; it needs a glassnet.Network. Of a run: run.diagnose()."
        )
    if not isinstance(experiments, bool):
        raise GlassnetError(f"diagnose got experiments={experiments!r}; it needs True or False.")
    known = [
        n for n in inspect.signature(train).parameters if n not in ("network", "X", "Y", "validation", "callbacks")
    ]
    for name in settings:
        if name not in known:
            raise GlassnetError(unknown_name("setting of gn.train", name, known))
