"""Training by the direct methods: least squares in one iteration, Newton's method in a few."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.engines.base import NonFiniteValue, State
from glassnet.engines.newton import OneLayer, Pass, newton_step
from glassnet.engines.threads import in_threads
from glassnet.engines.triangle import Triangle
from glassnet.equations.optimizers import LeastSquares, Newton
from glassnet.errors import RunError
from glassnet.training.progress import Progress
from glassnet.training.snapshots import Snapshot

if TYPE_CHECKING:
    from glassnet.training.loop import Training
    from glassnet.training.run import Run

LM_TOLERANCE, GLM_TOLERANCE = 1e-7, 1e-11
"""R's: a column is aliased when the ones before it leave less than this share of it."""
POLISHING = 5
"""Further steps, at most, from R's stopping rule to rounding level."""
SETTLED = 1e-4
"""A step this small, measured in the parameters, ends at rounding level after one or two more; larger ones never settle."""

ROUNDING = 1e-7
"""After a step of this share of the parameters the error is its square: rounding."""

Each = Callable[[State, int, float, Pass, float], bool]


def joined(state: State, bias: bool) -> np.ndarray:
    """θ (p, k), the bias first, float64."""
    parts = [np.asarray(state[name], dtype=np.float64) for name in (("b1", "W1") if bias else ("W1",))]
    return np.vstack([part.reshape(-1, parts[-1].shape[1]) for part in parts])


def split(theta: np.ndarray, like: State, bias: bool) -> State:
    """W1 and b1 of θ, in the types of `like`."""
    state = dict(like)
    state["W1"] = theta[int(bias) :].astype(like["W1"].dtype)
    if bias:
        state["b1"] = theta[0].astype(like["b1"].dtype)
    return state


def _problem(run: Run) -> OneLayer:
    if run.data is None:
        raise TypeError("A direct method needs a run with its data.")
    return OneLayer(run.derivation, run.data.X, run.data.Y, run.data.w)


def solve_least_squares(run: Run, facts: dict[str, Any]) -> np.ndarray:
    """θ (p, k) by the triangle of a QR; what was found goes into `facts`."""
    problem = _problem(run)
    X, Y, w = problem.X, problem.Y, problem.w

    def part(rows: slice) -> Triangle:
        triangle = Triangle(int(X.shape[1]), problem.outputs, intercept=problem.bias)
        triangle.add(X[rows], Y[rows], None if w is None else w[rows])
        return triangle

    whole: Triangle | None = None
    for triangle in in_threads(part, len(Y)):
        if whole is None:
            whole = triangle
        else:
            whole.merge(triangle)
    if whole is None:
        raise TypeError("Least squares needs rows.")
    strength = run.settings.l2 * (problem.total if run.settings.penalty_on == "mean" else 1.0)
    if strength:
        whole.add_penalty(strength)
    solution = whole.solve(LM_TOLERANCE)
    facts["direct"] = {
        "method": "qr", "iterations": 1, "polished": 0, "converged": True, "rank": int(solution.rank),
        "aliased": [int(i) for i in np.flatnonzero(solution.aliased)], "baseline": False,
    }  # fmt: skip
    return np.asarray(np.nan_to_num(solution.coefficients))


def newton(run: Run, iterations: int, from_data: bool, each: Each) -> str:
    """Newton's iterations from the run's first snapshot (or from the data), by R's stopping rule, then to rounding.

    `each(state, iteration, ‖g‖, pass, α)` is told of every iteration and returns True to stop.

    Raises
    ------
    NonFiniteValue : the cost is not finite anywhere along a halved step
    """
    settings, problem = run.settings, _problem(run)
    if not isinstance(settings.optimizer, Newton):
        raise TypeError("This run is not one of Newton's method.")
    l2 = settings.l2 if settings.penalty_on == "mean" else settings.l2 / problem.total
    softmax = problem.name == "categorical_cross_entropy"
    first = run.snapshots[0].state
    theta = joined(first, problem.bias)
    if from_data:
        here = problem.from_data()
        theta, absolute = np.zeros_like(theta), True
    else:
        here, absolute = problem.at(theta), False
    # Under a penalty the columns are not made orthonormal: what is kept must be within reach of a Cholesky factor.
    tolerance = LM_TOLERANCE if l2 else GLM_TOLERANCE
    qr = problem.examined(here.hessian if here.hessian is not None else np.zeros((0, 0)), tolerance, l2)
    kept = np.ones(len(theta), dtype=bool) if qr is None else ~qr.aliased
    theta[~kept] = 0.0
    aliased = np.flatnonzero(~kept)
    back = np.eye(len(theta))
    if qr is not None and not l2:
        columns = qr.pivot[: qr.rank]
        back = problem.turn(qr)
        theta[: qr.rank], theta[qr.rank :] = qr.factor @ theta[columns], 0.0
        kept = np.arange(len(theta)) < qr.rank
        here = problem.from_data() if absolute else problem.at(theta)
    before = problem.deviance(here.cost)
    direct = {
        "method": "newton", "iterations": 0, "polished": 0, "converged": False, "rank": int(kept.sum()),
        "aliased": [int(i) for i in aliased], "baseline": False,
    }  # fmt: skip
    run.facts["direct"] = direct
    made = polishing = 0
    last_size = math.inf
    most = min(iterations, settings.optimizer.max_iter)
    while not (direct["converged"] and (last_size < ROUNDING or polishing >= POLISHING)):
        try:
            step, _ = newton_step(here, theta, kept, problem.bias, l2, softmax, absolute)
        except np.linalg.LinAlgError:
            run.facts["message"] = f"The curvature is singular after {made} iterations: no minimum is left to go to."
            return "finished"
        size = float(np.abs(step).max(initial=0.0)) / max(1e-300, float(np.abs(theta + step).max(initial=0.0)))
        if direct["converged"] and size > SETTLED:
            break
        if not direct["converged"] and made >= most:
            run.facts["message"] = f"Newton's method did not converge in {made} iterations."
            return "finished"
        last = bool(direct["converged"]) and size < ROUNDING
        theta, here, share = _moved(problem, theta, step, here, l2, absolute, not last)
        absolute, last_size = False, size
        made += 1
        after = problem.deviance(here.cost) + problem.total * _penalty(theta, problem.bias, l2)
        slope = here.slope + l2 * theta * (np.arange(len(theta)) >= int(problem.bias))[:, None]
        if direct["converged"]:
            polishing += 1
            direct["polished"] = polishing
        else:
            direct["iterations"] = made
            direct["converged"] = abs(after - before) < settings.optimizer.tolerance * (abs(after) + 0.1)
        before = after
        direct["extreme"] = int(here.extreme)
        if qr is not None and not l2:
            slope = qr.factor.T @ slope[: qr.rank]
        if each(split(back @ theta, first, problem.bias), made, float(np.linalg.norm(slope)), here, share):
            return "stopped early"
    return "converged"


def _penalty(theta: np.ndarray, bias: bool, l2: float) -> float:
    """λ Σ W², twice the penalty, as the deviance is twice the loss."""
    return l2 * float((theta[int(bias) :] ** 2).sum())


def _moved(
    problem: OneLayer,
    theta: np.ndarray,
    step: np.ndarray,
    here: Pass,
    l2: float,
    absolute: bool,
    curvature: bool,
) -> tuple[np.ndarray, Pass, float]:
    """The end of the step, what was found there, and the share of it that was made.

    The step is halved while the penalised cost rises or is not finite.
    """
    base = math.inf if absolute else here.cost + _penalty(theta, problem.bias, l2) / 2
    allowed = base + 1e-12 * max(1.0, abs(base)) if math.isfinite(base) else math.inf
    share = 1.0
    while True:
        there = theta + share * step
        try:
            found = problem.at(there, curvature)
            if found.cost + _penalty(there, problem.bias, l2) / 2 <= allowed:
                return there, found, share
        except NonFiniteValue:
            if share < 1e-6:
                raise
        if share < 1e-6:
            return theta, problem.at(theta, curvature), 0.0
        share /= 2


def train_direct(training: Training, from_data: bool) -> Run:
    """Train by least squares or Newton's method. A resumed training repeats its iterations, exactly, and goes on."""
    run, facts = training.run, training.run.facts
    settings = run.settings
    plain = settings.loss.name != "categorical_cross_entropy" and not settings.l2
    from_data = bool(facts.setdefault("from_data", from_data and plain and isinstance(settings.optimizer, Newton)))
    done_before = training.iteration
    if facts["status"] == "converged":
        return training.finish("converged")
    ended: list[str] = []
    status = "finished"
    problem = _problem(run)
    l2 = settings.l2 if settings.penalty_on == "mean" else settings.l2 / problem.total
    spread = _spread(training)
    with (
        np.errstate(all="ignore"),
        training.interruption.watched(),
        Progress(training.show, settings.epochs, 0) as progress,
    ):

        def each(state: State, iteration: int, norm: float, found: Pass, share: float) -> bool:
            if iteration <= done_before:
                return False
            training.iteration, training.state = iteration, state
            training.squares, training.costs = norm * norm, 0.0
            row = _row(training, problem, found, norm, spread, share)
            run.history.append(row)
            stop = False
            for stopper in training.stoppers:
                stop = stopper.saw(row, iteration) or stop
            run.snapshots.offer(Snapshot(iteration, dict(state), training.loop_facts()))
            progress.epoch(row, stop)
            training.write_if_due()
            if stop:
                ended.append(training.stopped(iteration))
            elif (said := training.watchers.called(run, iteration, "iteration")) is not None:
                facts["message"] = said
                ended.append("stopped early")
            elif training.interruption.asked:
                ended.append("interrupted")
            elif training.out_of_time():
                ended.append("out of time")
            return bool(ended)

        try:
            if "initial" not in facts:
                facts["initial"] = _initial(training, problem, spread)
            training.say = progress.say
            training.begin()
            if settings.epochs == 0:
                status = "finished"
            elif isinstance(settings.optimizer, LeastSquares):
                theta = solve_least_squares(run, facts)
                found = problem.at(theta, curvature=False)
                each(split(theta, training.state, problem.bias), 1, _norm(problem, theta, found, l2), found, 1.0)
                status = "converged"
            else:
                status = newton(run, settings.epochs, from_data, each)
        except NonFiniteValue as problem_met:
            status = training.diverged(problem_met.equation)
        except Exception:
            training.give_up()
            raise
    if status == "converged" and not ended:
        facts["message"] = _sentence(facts["direct"])
    return training.finish(ended[0] if ended else status)


def _sentence(direct: dict[str, Any]) -> str:
    if direct["method"] == "qr":
        return f"Solved by QR; rank {direct['rank']}."
    return (
        f"Newton's method converged after {direct['iterations']} iterations by R's rule, and {direct['polished']} more to "
        "rounding."
    )


def _norm(problem: OneLayer, theta: np.ndarray, found: Pass, l2: float) -> float:
    decay = np.full((len(theta), 1), l2)
    decay[: int(problem.bias)] = 0.0
    return float(np.linalg.norm(found.slope + decay * theta))


def _spread(training: Training) -> float:
    """Σ w (y − ȳ)² over all outputs' means, for R²; NaN for classes."""
    if training.measure.metric == "accuracy":
        return math.nan
    Y, w = training.data.Y.astype(np.float64, copy=False), training.data.w
    if w is None:
        return float(((Y - Y.mean(axis=0)) ** 2).sum())
    return float((w * (Y - (w * Y).sum(axis=0) / w.sum()) ** 2).sum())


def _row(
    training: Training, problem: OneLayer, found: Pass, norm: float, spread: float, share: float
) -> dict[str, float]:
    """The history row of one iteration, from the pass that has been made anyway."""
    run = training.run
    metric = training.measure.metric
    if metric == "accuracy":
        score = found.right / problem.total
    elif problem.outputs == 1:
        score = 1.0 - found.right / spread if spread > 0 else math.nan
    else:
        score = training.measure(training.state, training.data)[1]
    row = {
        "epoch": training.iteration,
        "iteration": training.iteration,
        "cost": found.cost,
        "penalty": run.engine.penalty(training.state, problem.total),
        metric: score,
    }
    if run.validation is not None:
        row["validation_cost"], row[f"validation_{metric}"] = training.measure(training.state, run.validation)
    row["batch_cost"] = row["cost"] + row["penalty"]
    return {**row, "learning_rate": share, "gradient_norm": norm, "seconds": training.seconds}


def _initial(training: Training, problem: OneLayer, spread: float) -> dict[str, float]:
    found = problem.at(joined(training.state, problem.bias), curvature=False)
    row = _row(training, problem, found, 0.0, spread, 1.0)
    later = ("epoch", "iteration", "batch_cost", "learning_rate", "gradient_norm", "seconds")
    return {name: value for name, value in row.items() if name not in later}


def replay_direct(run: Run, iteration: int) -> State:
    """The state after `iteration` iterations, repeated from the start."""
    if isinstance(run.settings.optimizer, LeastSquares):
        theta = solve_least_squares(run, {})
        return split(theta, run.snapshots[0].state, "b1" in run.snapshots[0].state)
    found: list[State] = []

    def each(state: State, number: int, norm: float, passed: Pass, share: float) -> bool:
        if number == iteration:
            found.append(state)
        return number == iteration

    kept = dict(run.facts)
    try:
        with np.errstate(all="ignore"):
            newton(run, max(iteration, run.settings.epochs), bool(run.facts.get("from_data", True)), each)
    finally:
        run.facts.update({"direct": kept["direct"], "message": kept.get("message")})
    if not found:
        raise RunError(f"Iteration {iteration} could not be repeated from the start.")
    return found[0]
