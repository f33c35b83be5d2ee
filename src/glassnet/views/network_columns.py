"""The columns of a network diagram: which units of a layer are drawn, what they are called, what a sample makes of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glassnet.errors import RunError
from glassnet.layers import (
    Activation,
    AveragePool2D,
    Conv2D,
    Dense,
    Flatten,
    GlobalAveragePool2D,
    MaxPool2D,
    Weighted,
)
from glassnet.views.image_stages import rows_at_once

if TYPE_CHECKING:
    from glassnet.engines.base import State
    from glassnet.training.run import Run

Array = NDArray[np.float64]

MOST_COLUMNS = 9
MOST_MAPS = 5
"""Maps of a stage that are drawn."""


@dataclass(frozen=True)
class Column:
    """One layer of a diagram.

    Attributes
    ----------
    number : of the layer, 0 for the inputs; −1 for layers that are left out, and below for stacks of maps
    units : positions of those that are drawn
    left_out : how many are not; they are between `units[gap - 1]` and `units[gap]`
    caption : lines below it
    activation : its name, "" for the inputs
    names : of the inputs or outputs that are drawn
    stage : which value of the forward pass it is, such as A1; "" for layers that are left out
    maps : rows and columns of each map, where the units are maps
    """

    number: int
    units: NDArray[np.int64]
    left_out: int = 0
    caption: list[str] = field(default_factory=list)
    activation: str = ""
    names: list[str] = field(default_factory=list)
    stage: str = ""
    maps: tuple[int, int] | None = None

    @property
    def gap(self) -> int:
        """The slot in which the number of those left out is written."""
        return -(-len(self.units) // 2)

    @property
    def slots(self) -> int:
        return max(1, len(self.units) + (self.left_out > 0))


def columns_of(run: Run, most: int) -> list[Column]:
    """The inputs, and every layer with what follows it; of very many layers the first and last ones."""
    found = _every_column(run, most)
    if len(found) <= MOST_COLUMNS:
        return found
    first, last = -(-(MOST_COLUMNS - 1) // 2), (MOST_COLUMNS - 1) // 2
    between = Column(-1, np.zeros(0, dtype=np.int64), 0, [f"… {len(found) - first - last} more", "layers"])
    return [*found[:first], between, *found[-last:]]


def _every_column(run: Run, most: int) -> list[Column]:
    network, shapes = run.network, {line.name: line.shape for line in run.derivation.inference}
    activations = iter(network._activations())
    layer = 0
    made = [_Made("X", network.input_shape, [_inputs_said(network.input_shape)])]
    for described in network.layers:
        name, caption, activation = "", [str(described)], ""
        if isinstance(described, Weighted):
            layer += 1
            name, activation = f"A{layer}", next(activations)
            if isinstance(described, Conv2D) and len(shapes.get(name, ())) != 4:  # its activation comes after the maps
                name = f"Z{layer}"
            if isinstance(described, Dense):
                caption = [f"{described.units:,} {activation}", *([] if described.bias else ["no bias"])]
            else:
                caption = [maps_said(shapes[name]), *wrapped(str(described))]
        elif isinstance(described, MaxPool2D | AveragePool2D):
            name = f"P{layer}"
            caption = [maps_said(shapes[name]), *wrapped(str(described))]
        elif isinstance(described, Flatten | GlobalAveragePool2D):
            name = f"{'F' if isinstance(described, Flatten) else 'G'}{layer}"
            caption = [f"{int(shapes[name][1]):,} numbers", str(described)]
        if name:
            made.append(_Made(name, shapes[name][1:], caption, activation))
        elif not isinstance(described, Activation):
            made[-1].caption.extend(caption)
        elif made[-1].stage[0] in "FG":
            made[-1].stage = f"A{layer}"
            made[-1].caption.extend(caption)
    return [_column(run, each, place, place == len(made) - 1, most) for place, each in enumerate(made)]


@dataclass
class _Made:
    """A stage that has a column, before it is known which of its units are drawn."""

    stage: str
    shape: Any
    caption: list[str]
    activation: str = ""


def _column(run: Run, made: _Made, place: int, last: bool, most: int) -> Column:
    sizes = [int(size) for size in made.shape]
    if len(sizes) == 3:
        units = shown_units(sizes[0], min(most, MOST_MAPS))
        return Column(
            -10 - place,
            units,
            sizes[0] - len(units),
            made.caption,
            made.activation,
            [],
            made.stage,
            (sizes[1], sizes[2]),
        )
    units = shown_units(sizes[0], most)
    number = 0 if made.stage == "X" else int(made.stage[1:])
    names: list[str] = []
    if last:
        names = [output_names(run)[unit] for unit in units]
    elif number == 0:
        names = [input_names(run)[unit] for unit in units]
    return Column(number, units, sizes[0] - len(units), made.caption, made.activation, names, made.stage)


def _inputs_said(shape: tuple[int, ...]) -> str:
    if len(shape) == 3:
        return maps_said(("m", *shape))
    return f"{shape[0]:,} input{'s' if shape[0] > 1 else ''}"


def maps_said(shape: Sequence[Any]) -> str:
    """`8 @ 24×24`: so many maps, of so many rows and columns; its spaces do not break."""
    _, maps, height, width = shape
    return f"{maps}\N{NO-BREAK SPACE}@\N{NO-BREAK SPACE}{height}×{width}"


def wrapped(words: str, letters: int = 14) -> list[str]:
    """Words in lines of about so many letters: "conv 12x5 relu", "same stride 2"."""
    return wrap(words, letters, break_long_words=False)


def shown_units(size: int, most: int) -> NDArray[np.int64]:
    """All positions; of more than `most` the first and last, one slot being left for how many are not shown."""
    if size <= most:
        return np.arange(size)
    kept = most - 1
    first = -(-kept // 2)
    return np.concatenate([np.arange(first), np.arange(size - (kept - first), size)])


def input_names(run: Run) -> list[str]:
    """What the inputs are called: as the preparation knows them, or x1, x2, ..."""
    count = math.prod(run.network.input_shape)
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


def unit_values(run: Run, state: State, inputs: Array, columns: Sequence[Column]) -> dict[int, Array]:
    """What one sample (1, ...) makes of every column, by number, by the lines that predict."""
    made = _forward(run, state, inputs)
    return {each.number: np.asarray(made[each.stage], dtype=np.float64)[0] for each in columns if each.stage}


def layer_outputs(run: Run, state: State, X: Any, layers: Sequence[int]) -> list[Array]:
    """The activations A of some layers for inputs (m, ...), by the lines that predict, each flattened."""
    size = rows_at_once(run)
    parts: list[list[Array]] = [[] for _ in layers]
    for start in range(0, X.shape[0], size):
        made = _forward(run, state, X[start : start + size])
        for kept, layer in zip(parts, layers, strict=True):
            kept.append(np.asarray(made[f"A{layer}"], dtype=np.float64).ravel())
    return [np.concatenate(kept) for kept in parts]


def _forward(run: Run, state: State, X: Any) -> dict[str, Any]:
    values: dict[str, Any] = {**state, "X": X, "m": float(X.shape[0])}
    with np.errstate(all="ignore"):
        for equation in run.derivation.inference:
            values[equation.name] = equation.expression.evaluate(values, np)
    return values


def sample_inputs(run: Run, sample: int | Sequence[float] | dict[str, Any]) -> tuple[Array, str]:
    """One sample as the network takes it, (1, n) or (1, channels, height, width), and what a title says of it.

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
    shape = run.network.input_shape
    if len(shape) == 3 and not isinstance(sample, bool) and values.shape in (shape, (1, *shape)):
        return np.asarray(run.inputs(values.reshape(1, *shape))), "the sample given"
    if len(shape) == 3:
        raise RunError(
            f"sample got {'values of shape ' + str(values.shape) if values.ndim else repr(sample)}; it needs a row number of "
            f"the training data, or one picture (channels, height, width) = {shape}."
        )
    count = shape[0]
    if isinstance(sample, bool) or values.shape not in ((count,), (1, count)):
        raise RunError(
            f"sample got {sample!r}; it needs a row number of the training data, or the {count} feature"
            f"{'s' if count > 1 else ''} of one sample."
        )
    return np.asarray(run.inputs(values.reshape(1, count))), "the sample given"
