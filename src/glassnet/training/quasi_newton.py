"""L-BFGS through SciPy: the same equations, a line search instead of a learning rate."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from glassnet.engines.base import Array, Batch, NonFiniteValue, State
from glassnet.equations.optimizers import LBFGS
from glassnet.training.progress import Progress
from glassnet.training.snapshots import Snapshot

if TYPE_CHECKING:
    from glassnet.training.loop import Training
    from glassnet.training.run import Run


class _Flat:
    """Parameters as one vector and back."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.names = [p.name for p in run.derivation.parameters]

    def join(self, arrays: dict[str, Array], prefix: str = "") -> np.ndarray:
        return np.concatenate([arrays[prefix + n].ravel() for n in self.names]).astype(np.float64)

    def split(self, vector: np.ndarray, like: State) -> State:
        state, start = dict(like), 0
        for name in self.names:
            shape, size = like[name].shape, like[name].size
            state[name] = vector[start : start + size].reshape(shape).astype(like[name].dtype)
            start += size
        return state


def minimise(run: Run, iterations: int, each: Callable[[State, int, float, float], bool]) -> str:
    """Run L-BFGS from the run's first snapshot; `each(state, iteration, ‖gradient‖, J)` returns True to stop.

    Raises
    ------
    NonFiniteValue : an equation gave NaN or infinity
    """
    from scipy.optimize import minimize

    settings = run.settings
    if run.data is None or not isinstance(settings.optimizer, LBFGS):
        raise TypeError("L-BFGS needs a run with its data.")
    flat = _Flat(run)
    start = run.snapshots[0].state
    data = run.data
    batch = Batch(data.X, data.Y, data.w, {})
    last: dict[str, float] = {"norm": math.nan, "cost": math.nan}
    made = 0

    def cost_and_slope(vector: np.ndarray) -> tuple[float, np.ndarray]:
        values = _evaluated(run, flat.split(vector, start), batch)
        slope = flat.join(dict(values), "d")
        last["norm"] = float(np.linalg.norm(slope))
        last["cost"] = float(values["J"])
        return last["cost"], slope

    def after(vector: np.ndarray) -> None:
        nonlocal made
        made += 1
        if each(flat.split(vector, start), made, last["norm"], last["cost"]):
            raise StopIteration

    result = minimize(
        cost_and_slope,
        flat.join(start),
        jac=True,
        method="L-BFGS-B",
        callback=after,
        options={
            "maxiter": iterations,
            "maxfun": settings.optimizer.evaluations or 100 * max(1, iterations),
            "maxcor": int(settings.optimizer.memory),
            "gtol": settings.optimizer.tolerance,
            "ftol": settings.optimizer.smallest_reduction,
        },
    )
    run.facts["lbfgs"] = {
        "status": int(result.status), "message": str(result.message), "iterations": int(result.nit),
        "evaluations": int(result.nfev), "cost": float(result.fun),
    }  # fmt: skip
    return "finished" if result.nit >= iterations else "converged"


def _evaluated(run: Run, state: State, batch: Batch) -> Mapping[str, Array]:
    """J and the gradients at a state, by the names of their equations."""
    if run.engine.name == "compiled":
        from glassnet.training.compiled_loop import cost_and_slopes

        found = cost_and_slopes(run, state)
        if found is not None:
            return {"J": found[0], **found[1]}
    return run.engine.step(state, batch, 0.0, 1)  # which names the equation that is not finite


def train_lbfgs(training: Training) -> Run:
    """Train with L-BFGS. A resumed training repeats its iterations from the start, exactly, and goes on."""
    run, facts = training.run, training.run.facts
    epochs = run.settings.epochs
    done_before = training.iteration
    ended: list[str] = []
    status = "finished"
    with (
        np.errstate(all="ignore"),
        training.interruption.watched(),
        Progress(training.show, epochs, done_before) as progress,
    ):

        def each(state: State, iteration: int, norm: float, cost: float) -> bool:
            if iteration <= done_before:
                return False
            training.iteration, training.state = iteration, state
            training.squares = norm * norm
            training.costs = cost * len(training.data)
            row = training.row(iteration - 1, 1.0)
            run.history.append(row)
            stop = False
            for stopper in training.stoppers:
                stop = stopper.saw(row, iteration) or stop
            run.snapshots.offer(Snapshot(iteration, dict(state), training.loop_facts()))
            for number, stopper in enumerate(training.stoppers):
                if stopper.restore_best and stopper.best_iteration == iteration:
                    run.snapshots.mark_best(iteration, number)
            progress.epoch(row, stop)
            training.write_if_due()
            if stop:
                ended.append(training.stopped(iteration))
            elif (said := training.watchers.called(run, iteration, "epoch")) is not None:
                facts["message"] = said
                ended.append("stopped early")
            elif training.interruption.asked:
                ended.append("interrupted")
            elif training.out_of_time():
                ended.append("out of time")
            return bool(ended)

        try:
            training.say = progress.say
            training.begin()
            if epochs > done_before and not training.stopped_before:
                status = minimise(run, epochs, each)
        except NonFiniteValue as problem:
            status = training.diverged(problem.equation)
        except Exception:
            training.give_up()
            raise
    if training.stopped_before:
        ended.append("stopped early")
    elif status == "converged" and not ended:
        facts["message"] = f"L-BFGS converged after {training.iteration} iterations."
    return training.finish(ended[0] if ended else status)


def replay_lbfgs(run: Run, iteration: int) -> State:
    """The state after `iteration` iterations, repeated from the start."""
    found: list[State] = []

    def each(state: State, number: int, norm: float, cost: float) -> bool:
        if number == iteration:
            found.append(state)
        return number == iteration

    with np.errstate(all="ignore"):
        minimise(run, max(iteration, run.settings.epochs), each)
    return found[0]
