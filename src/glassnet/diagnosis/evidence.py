"""`Evidence`: the numbers of a training that its checks need, from its history and a few of its iterations.

Every number is one that `run.trace(iteration)` shows, or a norm, a share or a spread of such numbers. What a step does
(gradients, updates) is measured on the step's own batch; what units say is measured on the same few hundred rows at each
iteration looked at, spread evenly over the data, with nothing dropped.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from glassnet.engines.base import Batch, State
from glassnet.equations.expression import Function
from glassnet.equations.optimizers import LBFGS, LeastSquares, Newton
from glassnet.training.arrays import Samples
from glassnet.training.batches import Batches
from glassnet.training.loop import rate_of, replay
from glassnet.training.measures import metric_name
from glassnet.training.run import Run
from glassnet.training.snapshots import Snapshot

ROWS = 512
"""Rows on which the units are looked at, at most."""
LOOKS = 8
"""Iterations that are looked at, at most."""
NOISE_BATCHES = 8
"""Batches whose gradients are compared."""
SATURATED = {"tanh": (-0.975, 0.975), "sigmoid": (0.0127, 0.9873)}
"""Values beyond which the slope is less than a twentieth of its largest."""
WANTED = (0.0, 0.02, 0.1, 0.3, 0.6, 1.0)
"""Shares of a training at which it is looked at, and once more after its first update."""


@dataclass(frozen=True)
class LayerLook:
    """One layer at one iteration.

    Attributes
    ----------
    layer, values, activation : its number, the name of its values ("A1") and of the function that gives them
    gradient_norm, gradient_rms : ‖∂J/∂θ‖ over all its parameters on the step's batch, and that / √(number of them)
    weight_norm, update_norm : ‖W‖, and ‖ΔW‖ of the step from here (NaN for optimisers whose steps have no lines)
    units, dead : how many units, and which of them are exactly 0 for every row looked at
    saturated : share of the values of tanh or sigmoid that lie where the slope is below a twentieth of its largest
    spread : standard deviation of the values over the rows, mean over the units
    alike : whether all its units have the same weights
    """

    layer: int
    values: str
    activation: str
    gradient_norm: float
    gradient_rms: float
    weight_norm: float
    update_norm: float
    units: int
    dead: tuple[int, ...]
    saturated: float
    spread: float
    alike: bool

    @property
    def update_ratio(self) -> float:
        """‖ΔW‖ / ‖W‖."""
        return self.update_norm / self.weight_norm if self.weight_norm > 0 else math.nan

    @property
    def all_dead(self) -> bool:
        return len(self.dead) == self.units


@dataclass(frozen=True)
class Look:
    """A training at one iteration.

    Attributes
    ----------
    iteration, epoch : updates made, and epochs ended, by then
    cost : J of the step's batch, its penalty included
    penalty : R in it
    gradient_norm : ‖∂J/∂θ‖ over all parameters, on the step's batch
    output_spread : standard deviation of the outputs over the rows, mean over the outputs
    shares : share of the rows for which each class is predicted; () when the targets are numbers
    layers : first to last
    """

    iteration: int
    epoch: int
    cost: float
    penalty: float
    gradient_norm: float
    output_spread: float
    shares: tuple[float, ...]
    layers: tuple[LayerLook, ...]


@dataclass(frozen=True)
class Noise:
    """How much the gradients of batches differ, at one iteration.

    Attributes
    ----------
    iteration, batches, batch_size : where, and between what
    full_norm : ‖∇J‖ on the rows looked at, all of them up to 512
    variance : Σ‖g − ḡ‖² / (batches − 1), the trace of the covariance of a batch's gradient
    scale : batch_size · variance / ‖∇J‖²: the batch size at which signal and noise are alike

    Source: McCandlish et al., An empirical model of large-batch training, 2018 (the simple noise scale).
    """

    iteration: int
    batches: int
    batch_size: int
    full_norm: float
    variance: float

    @property
    def ratio(self) -> float:
        """variance / ‖∇J‖²."""
        return self.variance / self.full_norm**2 if self.full_norm > 0 else math.inf

    @property
    def scale(self) -> float:
        return self.batch_size * self.ratio


@dataclass(frozen=True)
class Evidence:
    """The numbers of a training that its checks need.

    Attributes
    ----------
    looks : at most 8 iterations, the first and the last among them
    noise : between batches, early in the training; None with one batch an epoch
    shares : share of each class among the rows; () when the targets are numbers
    frozen : weights that are exactly as they were at the start
    moved : of every layer, ‖W − W₀‖ / ‖W₀‖ between the first and the last iteration looked at (NaN for W₀ = 0)
    metric : "accuracy" or "r2"
    guessing : cost of the best constant prediction; NaN for losses for which it is not known
    """

    looks: tuple[Look, ...]
    noise: Noise | None
    shares: tuple[float, ...]
    frozen: tuple[str, ...]
    moved: tuple[float, ...]
    metric: str
    guessing: float

    @classmethod
    def of(cls, run: Run, at: list[int] | tuple[int, ...] | None = None) -> Evidence:
        """Look at a run's iterations `at`, or at its start, early, in its middle and at its end.

        Raises
        ------
        RunError : the run was saved without its data
        """
        run._need_data("look at its iterations")
        states = _states(run, sorted(set(at)) if at is not None else moments(run))
        rows = some_rows(run)
        looks = tuple(_look(run, iteration, state, rows) for iteration, state in states.items())
        first, last = (states[i] for i in (min(states), max(states)))
        moved = max(states) > min(states)
        names = [p.name for p in run.derivation.parameters if p.role == "weight"]
        frozen = tuple(n for n in names if moved and np.array_equal(first[n], last[n]))
        lengths = [(math.sqrt(_square(last[n] - first[n])), math.sqrt(_square(first[n]))) for n in names]
        distances = tuple(far / length if length > 0 else math.nan for far, length in lengths)
        early = next((i for i in states if i > 1), min(states))
        data = run.data
        assert data is not None
        return cls(
            looks, gradient_noise(run, early, states[early], rows), class_shares(run), frozen, distances,
            metric_name(run.settings.loss, run.derivation.output_activation, data.Y),
            cost_of_guessing(run.settings.loss.name, data.Y),
        )  # fmt: skip

    @property
    def start(self) -> Look:
        return self.looks[0]

    @property
    def end(self) -> Look:
        return self.looks[-1]

    @property
    def middle(self) -> Look:
        """The look nearest to the middle of the training."""
        return min(self.looks, key=lambda look: abs(look.iteration - self.end.iteration / 2))


def moments(run: Run) -> list[int]:
    """Iterations worth a look; where a snapshot is near, the snapshot's own, so that nothing is replayed."""
    last, kept = run.iteration, run.snapshots.iterations
    found = {0, last}
    for share in WANTED[1:-1]:
        wanted = share * last
        nearest = min(kept, key=lambda i: abs(i - wanted))
        found.add(nearest if abs(nearest - wanted) <= wanted / 2 else round(wanted))
    found.add(min(1, last))
    return sorted(found)[:LOOKS]


def _states(run: Run, iterations: list[int]) -> dict[int, State]:
    """The states at these iterations, each replayed from the one before it where no snapshot is nearer."""
    states: dict[int, State] = {}
    known: Snapshot | None = None
    for iteration in iterations:
        if iteration in run.snapshots.iterations or _whole_steps(run):
            state = dict(run.at(iteration).state)
        else:
            state = replay(run, iteration, known)
        states[iteration] = state
        known = Snapshot(iteration, dict(state), {})
    return states


def _whole_steps(run: Run) -> bool:
    """Whether the optimiser's steps are made by a solver and have no lines of their own."""
    return isinstance(run.settings.optimizer, LBFGS | LeastSquares | Newton)


def some_rows(run: Run, most: int = ROWS) -> Samples:
    """At most so many training rows, spread evenly over the data."""
    data = run.data
    assert data is not None
    count = len(data)
    return data if count <= most else data.take(np.unique(np.linspace(0, count - 1, most).astype(np.int64)))


def undropped(run: Run, rows: Samples) -> Batch:
    """The rows as a batch from which dropout leaves nothing out: a mask of 1 − rate everywhere changes no value."""
    masks = {
        name: np.full((len(rows), *(int(d) for d in mask.shape[1:])), 1.0 - rate, dtype=rows.Y.dtype)
        for name, (mask, rate) in run.derivation.masks.items()
    }
    return Batch(rows.X, rows.Y, rows.w, masks)


def _look(run: Run, iteration: int, state: State, rows: Samples) -> Look:
    derivation = run.derivation
    batches = Batches(run.settings, derivation, rows if run.data is None else run.data)
    with np.errstate(all="ignore"):
        seen, _ = run.engine.evaluated(state, undropped(run, rows), 0.0, 1)
        left: State = {}
        if _whole_steps(run):
            step, _ = run.engine.evaluated(state, batches.batch(0), 0.0, 1)
        else:
            batch = batches.batch(iteration)
            step, left = run.engine.evaluated(state, batch, rate_of(run, iteration), iteration + 1)
        layers = layer_looks(run, state, seen, step, left)
        norm = math.sqrt(sum(_square(step[f"d{p.name}"]) for p in derivation.parameters))
        output = np.asarray(seen[derivation.output.name])
        return Look(
            iteration, iteration // run.batches, float(step["J"]), float(step.get("R", 0.0)), norm, spread_over_rows(output),
            predicted_shares(run, output), layers,
        )  # fmt: skip


def layer_looks(run: Run, state: State, seen: Any, step: Any, left: Any) -> tuple[LayerLook, ...]:
    """What there is to say of each layer; `step` and `left` are {} where no step was made."""
    derivation = run.derivation
    lines = {e.name: e for e in derivation.forward}
    found = []
    for weight in (p for p in derivation.parameters if p.role == "weight"):
        number, name = weight.layer, weight.name
        values = f"A{number}" if f"A{number}" in lines else f"Z{number}"
        expression = lines[values].expression
        activation = expression.kind.name if isinstance(expression, Function) else "linear"
        A, W = np.asarray(seen[values]), np.asarray(state[name])
        own = [np.asarray(step[f"d{p.name}"]) for p in derivation.parameters if p.layer == number] if step else []
        square, count = sum(_square(g) for g in own), sum(g.size for g in own)
        moved = math.sqrt(_square(np.asarray(left[name]) - W)) if name in left else math.nan
        found.append(
            LayerLook(
                number,
                values,
                activation,
                math.sqrt(square) if own else math.nan,
                math.sqrt(square / count) if own else math.nan,
                math.sqrt(_square(W)),
                moved,
                int(A.shape[1]),
                dead_units(A),
                saturated_share(A, activation),
                spread_over_rows(A),
                units_alike(W),
            )
        )
    return tuple(found)


def _square(array: Any) -> float:
    flat = np.asarray(array, dtype=np.float64).ravel()
    with np.errstate(all="ignore"):  # of a run that diverged the square may be infinite
        return float(flat @ flat)


def dead_units(A: np.ndarray) -> tuple[int, ...]:
    """Which units (or maps) are exactly 0 for every row."""
    alive = (A != 0).any(axis=tuple(i for i in range(A.ndim) if i != 1))
    return tuple(np.flatnonzero(~alive).tolist())


def saturated_share(values: np.ndarray, activation: str) -> float:
    """Share of values where the slope of tanh or sigmoid has gone; 0 for other functions."""
    if activation not in SATURATED or values.size == 0:
        return 0.0
    low, high = SATURATED[activation]
    return float(((values < low) | (values > high)).mean())


def spread_over_rows(A: np.ndarray) -> float:
    """Standard deviation over the rows, mean over everything else."""
    with np.errstate(all="ignore"):
        return float(np.asarray(A, dtype=np.float64).std(axis=0).mean())


def units_alike(W: np.ndarray) -> bool:
    """Whether a layer has several units and all have the same weights."""
    units = W.reshape(W.shape[0], -1) if W.ndim == 4 else W.T
    return len(units) > 1 and bool((units == units[0]).all())


def class_numbers_of(outputs: np.ndarray, targets: np.ndarray) -> np.ndarray | None:
    """The class that each row of outputs (or targets) says; None for several yes-or-no questions."""
    if targets.shape[1] > 1:
        one = ((targets > 0).sum(axis=1) == 1).all()
        return outputs.argmax(axis=1) if one else None
    return np.asarray(outputs[:, 0] > 0 if (targets < 0).any() else outputs[:, 0] >= 0.5).astype(np.int64)


def _shares(run: Run, values: np.ndarray) -> tuple[float, ...]:
    data = run.data
    assert data is not None
    if metric_name(run.settings.loss, run.derivation.output_activation, data.Y) != "accuracy":
        return ()
    classes = class_numbers_of(values, data.Y)
    if classes is None:
        return ()
    return tuple((np.bincount(classes, minlength=max(2, data.Y.shape[1])) / max(1, len(classes))).tolist())


def predicted_shares(run: Run, outputs: np.ndarray) -> tuple[float, ...]:
    """Share of the rows for which each class is predicted."""
    return _shares(run, outputs)


def class_shares(run: Run) -> tuple[float, ...]:
    """Share of each class among the training rows."""
    assert run.data is not None
    return _shares(run, run.data.Y)


def cost_of_guessing(loss: str, Y: np.ndarray) -> float:
    """The least cost of a constant prediction, by the losses' own definitions; NaN where it is not known."""
    Y = np.asarray(Y, dtype=np.float64)
    with np.errstate(all="ignore"):
        mean = Y.mean(axis=0)
        if loss == "categorical_cross_entropy":
            return float(-np.where(mean > 0, mean * np.log(mean), 0.0).sum())
        if loss == "binary_cross_entropy":
            other = 1 - mean
            found = np.where(mean > 0, mean * np.log(mean), 0.0) + np.where(other > 0, other * np.log(other), 0.0)
            return float(-found.sum())
        if loss == "mean_squared_error":
            return float(0.5 * Y.var(axis=0).sum())
        if loss == "mean_absolute_error":
            return float(np.abs(Y - np.median(Y, axis=0)).mean(axis=0).sum())
    return math.nan


def gradient_noise(run: Run, iteration: int, state: State, rows: Samples) -> Noise | None:
    """Compare the gradients of the first batches of an iteration's epoch, all at its state, with that of the rows.

    None with one batch an epoch.
    """
    size = run.settings.batch_size
    if run.batches < 2 or size is None or run.data is None:
        return None
    batches = Batches(run.settings, run.derivation, run.data)
    names = [f"d{p.name}" for p in run.derivation.parameters]

    def slope(batch: Batch) -> np.ndarray:
        values, _ = run.engine.evaluated(state, batch, 0.0, 1)
        return np.concatenate([np.asarray(values[n], dtype=np.float64).ravel() for n in names])

    first = iteration // run.batches * run.batches
    count = min(NOISE_BATCHES, run.batches)
    with np.errstate(all="ignore"):
        G = np.stack([slope(batches.batch(number)) for number in range(first, first + count)])
        full = slope(undropped(run, rows))
        variance = float(((G - G.mean(axis=0)) ** 2).sum() / (count - 1))
    return Noise(iteration, count, size, float(np.linalg.norm(full)), variance)
