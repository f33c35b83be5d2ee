"""The film of a report: some fifty states of a training, with what a page needs to draw each of them.

Every number comes from the run: its parameters at an iteration, the cost and metric of that state, and what the network
answers then. The page draws them and computes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glassnet.engines.base import State
from glassnet.equations.expression import MatMul, walk
from glassnet.training.loop import checked_samples
from glassnet.training.walk import states_at
from glassnet.views.pages import numbers
from glassnet.views.plane import features_of
from glassnet.views.report_rows import Subject
from glassnet.views.report_scenes import scene_of

if TYPE_CHECKING:
    from glassnet.training.run import Run

Array = NDArray[Any]

STATES = 50
MOST_UNITS = 40
"""A layer of more units is shown by its first and last ones."""
EDGES_UNITS = 10
MOST_WEIGHTS = 1_000
"""Weights a state keeps at most for the diagram."""
MOST_NAMES = 16


def film(subject: Subject) -> dict[str, Any] | None:
    """What the page plays: the iterations, their cost and metric, the network's weights and a scene; None with one state."""
    run = subject.run
    iterations = shown_iterations(run, subject.training is not None)
    if len(iterations) < 2:
        return None
    diagram, scene = Diagram(run), scene_of(subject)
    measured = Measured(subject)
    for iteration, state in states_at(run, iterations):
        diagram.see(state)
        measured.see(iteration, state)
        if scene is not None:
            scene.see(state)
    kept = iterations.index(run.restored) if run.restored in iterations else len(iterations) - 1
    return {
        "iterations": iterations,
        "epochs": [_epoch(run, iteration) for iteration in iterations],
        "kept": kept,
        "restored": run.restored != run.iteration,
        "measured": {name: numbers(values) for name, values in measured.arrays.items()},
        "arrays": measured.arrays,
        "network": diagram.payload(),
        "scene": None if scene is None else scene.payload(),
    }


def _epoch(run: Run, iteration: int) -> str:
    epoch, past = divmod(iteration, run.batches)
    return f"{epoch:,}" if not past else f"{epoch + past / run.batches:,.2f}"


def shown_iterations(run: Run, replayable: bool = True, states: int = STATES) -> list[int]:
    """Some fifty iterations, closer together where a training moves most: at its start.

    The first, the last and the one whose parameters the run kept are among them. After the first epoch they are ends of
    epochs, whose cost the history holds. What cannot be replayed is shown by the snapshots that were kept.
    """
    last = run.iteration
    if not replayable:
        return run.snapshots.iterations
    if last <= states:
        return list(range(last + 1))
    always = {0, last, run.restored}
    found: set[int] = set(always)
    for density in range(states, 20 * states, 4):
        spread = np.geomspace(1, last, density).round().astype(np.int64)
        ends = np.maximum(1, np.round(spread / run.batches).astype(np.int64)) * run.batches
        chosen = np.where(spread < run.batches, spread, np.minimum(ends, last))
        found = always | {int(i) for i in chosen}
        if len(found) > states:
            break
    return sorted(found)


class Measured:
    """Cost and metric of the shown states, on all rows at hand; from the history where it holds them."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.columns: dict[str, list[float]] = {}
        run = subject.run
        history = run.history
        self.known = {int(i): row for row, i in enumerate(history["iteration"])} if len(history) else {}
        self.history = history.to_dict()
        self.parts = {
            rows.name: checked_samples(run.settings, rows.samples) if rows is subject.training else rows.samples
            for rows in subject.present
        }

    def see(self, iteration: int, state: State) -> None:
        metric = self.subject.metric
        held: dict[str, float] = {}
        row = self.known.get(iteration)
        for part, prefix in (("training", ""), ("validation", "validation_"), ("held-out", "held_out_")):
            names = f"{prefix}cost", f"{prefix}{metric}"
            if row is not None and all(name in self.history for name in names):
                held |= {name: float(self.history[name][row]) for name in names}
            elif iteration == 0 and all(name in self.subject.run.initial for name in names):
                held |= {name: float(self.subject.run.initial[name]) for name in names}
            elif part in self.parts:
                held |= dict(zip(names, self._measure(state, part), strict=True))
            elif part == "training" or any(name in self.history for name in names):
                held |= dict.fromkeys(names, float("nan"))
        for name, value in held.items():
            self.columns.setdefault(name, []).append(value)

    def _measure(self, state: State, part: str) -> tuple[float, float]:
        from glassnet.engines.base import NonFiniteValue

        measure = self.subject.measure
        assert measure is not None  # there are rows
        try:
            with np.errstate(all="ignore"):
                return measure(state, self.parts[part])
        except NonFiniteValue:
            return float("nan"), float("nan")

    @property
    def arrays(self) -> dict[str, Array]:
        """Name of the history's column → its value at every shown state."""
        return {name: np.array(values) for name, values in self.columns.items()}


class Diagram:
    """The weights and biases of the dense layers, of the units that are shown."""

    def __init__(self, run: Run) -> None:
        weights = [p for p in run.derivation.parameters if p.role == "weight" and len(p.symbol.shape) == 2]
        layers = {p.layer for p in weights}
        biases = {p.layer: p.name for p in run.derivation.parameters if p.role == "bias" and p.layer in layers}
        sizes = [int(weights[0].symbol.shape[0]), *(int(p.symbol.shape[1]) for p in weights)] if weights else []
        self.units = [shown_units(size) for size in sizes]
        if sum(len(a) * len(b) for a, b in zip(self.units, self.units[1:], strict=False)) > MOST_WEIGHTS:
            self.units = [shown_units(size, 2 * EDGES_UNITS) for size in sizes]
        self.sizes = sizes
        self.names = [(p.name, biases.get(p.layer)) for p in weights]
        drawn = {name for pair in self.names for name in pair}
        self.others = [p.name for p in run.derivation.parameters if p.name not in drawn]
        self.kept: dict[str, list[Array]] = {}
        self.source: str | None = None
        self.labels = self._labels(run)

    def _labels(self, run: Run) -> list[list[str]]:
        if not self.sizes:
            return []
        if len(run.network.input_shape) == 3:  # the first dense layer sees what became of the maps, such as F2
            below = next(line for line in run.derivation.forward if line.name == f"Z{self.names[0][0][1:]}")
            self.source = str(next(node.left for node in walk(below.expression) if isinstance(node, MatMul)))
            first = [f"{self.source}[{i}]" for i in self.units[0]]
        else:
            names = features_of(run).names
            first = [names[i] for i in self.units[0]]
        hidden = [[f"unit {i + 1}" for i in units] for units in self.units[1:-1]]
        classes = None if run.preparation is None else run.preparation.classes
        target = "output" if run.preparation is None else run.preparation.target
        if classes is not None and len(classes) == self.sizes[-1]:
            last = [str(classes[i]) for i in self.units[-1]]
        elif self.sizes[-1] == 1:
            last = [f"P({classes[1]})" if classes is not None and len(classes) == 2 else target]
        else:
            last = [f"output {i + 1}" for i in self.units[-1]]
        return [first, *hidden, last]

    def see(self, state: State) -> None:
        for layer, (weight, bias) in enumerate(self.names):
            into, out = self.units[layer], self.units[layer + 1]
            self.kept.setdefault(weight, []).append(np.asarray(state[weight])[np.ix_(into, out)])
            if bias is not None:
                self.kept.setdefault(bias, []).append(np.asarray(state[bias]).reshape(-1)[out])

    def payload(self) -> dict[str, Any] | None:
        if not self.sizes:
            return None
        stacked = {name: np.stack(values) for name, values in self.kept.items()}
        weights = [stacked[name] for name, _ in self.names]
        return {
            "layers": self._layers(),
            "weights": [{"name": name, "bias": bias} for name, bias in self.names],
            "arrays": {name: numbers(values) for name, values in stacked.items()},
            "largest": float(max((np.abs(w[np.isfinite(w)]).max(initial=0.0) for w in weights), default=0.0)),
            "largest_bias": float(
                max((np.abs(stacked[b][np.isfinite(stacked[b])]).max(initial=0.0) for _, b in self.names if b), default=0.0)
            ),
            "others": self.others,
            "source": self.source,
        }  # fmt: skip

    def _layers(self) -> list[dict[str, Any]]:
        ends = (0, len(self.sizes) - 1)
        parts = zip(self.sizes, self.units, self.labels, strict=True)
        return [
            {"size": size, "units": units.tolist(), "labels": labels, "named": place in ends and size <= MOST_NAMES}
            for place, (size, units, labels) in enumerate(parts)
        ]


def shown_units(size: int, most: int = MOST_UNITS) -> Array:
    """All units of a layer, or its first and last ones.

    >>> shown_units(41).tolist() == [*range(10), *range(31, 41)]
    True
    """
    if size <= most:
        return np.arange(size)
    return np.concatenate([np.arange(EDGES_UNITS), np.arange(size - EDGES_UNITS, size)])
