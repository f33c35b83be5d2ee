"""The columns of a network diagram: which units of a layer are drawn, what they are called, what a sample makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glassnet.errors import RunError
from glassnet.network import Activation, Dense

if TYPE_CHECKING:
    from glassnet.engines.base import State
    from glassnet.training.run import Run

Array = NDArray[np.float64]

MOST_COLUMNS = 9


@dataclass(frozen=True)
class Column:
    """One layer of a diagram.

    Attributes
    ----------
    number : of the layer, 0 for the inputs; −1 for layers that are left out
    units : positions of those that are drawn
    left_out : how many are not; they are between `units[gap - 1]` and `units[gap]`
    caption : lines below it
    activation : its name, "" for the inputs
    names : of the inputs or outputs that are drawn
    """

    number: int
    units: NDArray[np.int64]
    left_out: int = 0
    caption: list[str] = field(default_factory=list)
    activation: str = ""
    names: list[str] = field(default_factory=list)

    @property
    def gap(self) -> int:
        """The slot in which the number of those left out is written."""
        return -(-len(self.units) // 2)

    @property
    def slots(self) -> int:
        return max(1, len(self.units) + (self.left_out > 0))


def columns_of(run: Run, most: int) -> list[Column]:
    """The inputs, and every dense layer with what follows it; of very many layers the first and last ones."""
    found = _every_column(run, most)
    if len(found) <= MOST_COLUMNS:
        return found
    first, last = -(-(MOST_COLUMNS - 1) // 2), (MOST_COLUMNS - 1) // 2
    between = Column(-1, np.zeros(0, dtype=np.int64), 0, [f"… {len(found) - first - last} more", "layers"])
    return [*found[:first], between, *found[-last:]]


def _every_column(run: Run, most: int) -> list[Column]:
    network = run.network
    count = network.input_shape[0]
    captions = [[f"{count:,} input{'s' if count > 1 else ''}"]]
    sizes, activations = [count], [""]
    layers = iter(network._activations())
    for layer in network.layers:
        if isinstance(layer, Dense):
            name = next(layers)
            sizes.append(layer.units)
            activations.append(name)
            captions.append([f"{layer.units:,} {name}", *([] if layer.bias else ["no bias"])])
        elif not isinstance(layer, Activation):
            captions[-1].append(str(layer))
    columns = []
    for number, (size, caption, activation) in enumerate(zip(sizes, captions, activations, strict=True)):
        units = shown_units(size, most)
        names: list[str] = []
        if number == 0:
            names = [input_names(run)[unit] for unit in units]
        elif number == len(sizes) - 1:
            names = [output_names(run)[unit] for unit in units]
        columns.append(Column(number, units, size - len(units), caption, activation, names))
    return columns


def shown_units(size: int, most: int) -> NDArray[np.int64]:
    """All positions; of more than `most` the first and last, one slot being left for how many are not shown."""
    if size <= most:
        return np.arange(size)
    kept = most - 1
    first = -(-kept // 2)
    return np.concatenate([np.arange(first), np.arange(size - (kept - first), size)])


def input_names(run: Run) -> list[str]:
    """What the inputs are called: as the preparation knows them, or x1, x2, ..."""
    count = run.network.input_shape[0]
    names = [] if run.preparation is None else [str(name) for name in run.preparation.input_names]
    return names if len(names) == count else [f"x{number}" for number in range(1, count + 1)]


def output_names(run: Run) -> list[str]:
    """What the outputs are called: classes, P(second class), the target; P(1), 0, 1, 2, ... where no names are known."""
    count, preparation = run.network.output_units, run.preparation
    probabilities = run.derivation.output_activation.name in ("sigmoid", "softmax")
    classes = None if preparation is None else preparation.classes
    if classes is not None and len(classes) == count and count > 1:
        return [str(name) for name in classes]
    if count == 1 and classes is not None and len(classes) == 2:
        return [f"P({classes[1]})" if probabilities else f"{classes[1]}"]
    if count == 1:
        return [str(preparation.target)] if preparation is not None else ["P(1)" if probabilities else "y"]
    return (
        [str(number) for number in range(count)] if probabilities else [f"y{number}" for number in range(1, count + 1)]
    )


def unit_values(run: Run, state: State, inputs: Array) -> list[Array]:
    """What one sample (1, n) makes of every layer, the inputs first, by the lines that predict."""
    made = layer_outputs(run, state, inputs)
    return [np.asarray(values, dtype=np.float64)[0] for values in made]


def layer_outputs(run: Run, state: State, X: Any) -> list[Any]:
    """X and the activations A1, A2, ... of every dense layer for inputs (m, n), by the lines that predict."""
    values: dict[str, Any] = {**state, "X": X, "m": float(X.shape[0])}
    with np.errstate(all="ignore"):
        for equation in run.derivation.inference:
            values[equation.name] = equation.expression.evaluate(values, np)
    layers = sum(isinstance(layer, Dense) for layer in run.network.layers)
    return [X, *(values[f"A{number}"] for number in range(1, layers + 1))]


def sample_inputs(run: Run, sample: int | Sequence[float] | dict[str, Any]) -> tuple[Array, str]:
    """One sample as the network takes it, (1, n), and what a title says of it.

    Raises
    ------
    GlassnetError : no such row, features that do not fit, the data are needed and not at hand
    """
    if isinstance(sample, int | np.integer) and not isinstance(sample, bool):
        run._need_data(f"show row {sample} of them")
        assert run.data is not None
        if not 0 <= sample < len(run.data):
            raise RunError(f"sample got {sample}; the training data have the rows 0 to {len(run.data) - 1}.")
        row: Any = run.data.X[int(sample) : int(sample) + 1]
        return np.asarray(row.toarray() if hasattr(row, "toarray") else row), f"row {sample} of the training data"
    if isinstance(sample, dict):
        return np.asarray(run.inputs({name: [value] for name, value in sample.items()})), "the sample given"
    try:
        values = np.asarray(sample, dtype=np.float64)
    except (TypeError, ValueError):
        values = np.zeros((0, 0))
    count = run.network.input_shape[0]
    if isinstance(sample, bool) or values.shape not in ((count,), (1, count)):
        raise RunError(
            f"sample got {sample!r}; it needs a row number of the training data, or the {count} feature"
            f"{'s' if count > 1 else ''} of one sample."
        )
    return np.asarray(run.inputs(values.reshape(1, count))), "the sample given"
