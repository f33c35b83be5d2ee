"""The rows a picture shows: a run's own training rows or others, with their true classes and the network's answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from glassnet.errors import GlassnetError
from glassnet.views.metrics import class_indexes

if TYPE_CHECKING:
    from glassnet.engines.base import State
    from glassnet.training.run import Run

Array = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class ClassRows:
    """Rows with known classes, and what a network says of them.

    Attributes
    ----------
    X : as the network takes them, (m, features) or (m, channels, height, width)
    outputs : the network's, (m, outputs)
    true, predicted : class numbers, (m,)
    classes : names in the order of the outputs
    probability : (m, k); None when the outputs are scores (hinge)
    where : "training rows", or "" for rows that were given
    """

    X: Array
    outputs: Array
    true: Codes
    predicted: Codes
    classes: list[str]
    probability: Array | None
    where: str

    @property
    def wrong(self) -> NDArray[np.bool_]:
        """Which rows are predicted wrongly, (m,)."""
        return np.asarray(self.true != self.predicted)


def is_run(thing: object) -> TypeGuard[Run]:
    """Whether a picture was asked of a run, not of numbers."""
    from glassnet.training.run import Run

    return isinstance(thing, Run)


def state_of(run: Run, iteration: int | None) -> State:
    """The run's state at an iteration, or the one it ended with."""
    return run.state if iteration is None else run.at(iteration).state


def training_inputs(run: Run, picture: str) -> Array:
    """X of the rows the run was trained on, (m, features) or (m, channels, height, width).

    Raises
    ------
    RunError : the data are not at hand
    """
    run._need_data(f"draw {picture[0].lower()}{picture[1:]}")
    assert run.data is not None
    X = run.data.X
    return np.asarray(X.toarray() if hasattr(X, "toarray") else X, dtype=np.float64)


def inputs_and_targets(run: Run, X: Any, y: Any, picture: str) -> tuple[Array, Any, str]:
    """X as the network takes it, the targets or None, and which rows they are; the training rows unless given."""
    if X is None:
        if y is not None:
            raise GlassnetError(f"{picture} got y without X; pass the rows that y belongs to as well, or neither.")
        inputs = training_inputs(run, picture)
        assert run.data is not None
        return inputs, run.data.Y, "training rows"
    inputs = np.asarray(run.inputs(X), dtype=np.float64)
    if y is None and run.preparation is not None and not isinstance(X, np.ndarray | list | tuple):
        y = run.preparation.transform_target(X)
    return inputs, y, ""


def class_names(run: Run, picture: str, targets: Any = None) -> list[str]:
    """The names of the classes in the order of the outputs: the preparation's, or 0, 1, ...

    Raises
    ------
    GlassnetError : the run predicts no classes, or several of them for one row
    """
    from glassnet.training.measures import exclusive, metric_name

    outputs = run.network.output_units
    if run.preparation is not None:
        if run.preparation.classes is not None:
            return [str(name) for name in run.preparation.classes]
        classes = False
    else:
        known = run.data.Y if run.data is not None else targets
        shaped = isinstance(known, np.ndarray) and known.ndim == 2 and known.shape[1] == outputs
        Y = known if shaped else np.zeros((1, outputs))
        classes = metric_name(run.settings.loss, run.derivation.output_activation, Y) == "accuracy"
        if classes and shaped and outputs > 1 and not exclusive((Y > 0).astype(np.float64)):
            raise GlassnetError(
                f"{picture} needs one class a row, and the targets of this run have several or none; draw each output with "
                "numbers of its own instead of the run."
            )
    if not classes:
        raise GlassnetError(
            f"{picture} needs classes, and this run predicts a quantity; plot its cost, metric, weights or layers instead."
        )
    return [str(index) for index in range(max(2, outputs))]


def class_rows(
    run: Run,
    X: Any = None,
    y: Any = None,
    *,
    picture: str,
    iteration: int | None = None,
    classes: Sequence[object] | None = None,
) -> ClassRows:
    """Rows with their true classes and what the run says of them.

    Parameters
    ----------
    X : an array as the network takes it, or a table like the one it was trained on; the training rows unless given
    y : class numbers, class names, or targets as the network takes them; a table's own unless given
    picture : what needs them, for messages
    iteration : which state of the training answers; the one it ended with unless given

    Raises
    ------
    GlassnetError : no classes, no targets, or rows that do not fit
    """
    if run.preparation is not None:
        class_names(run, picture)  # a regression is refused before its data are looked for
    inputs, targets, where = inputs_and_targets(run, X, y, picture)
    names = class_names(run, picture, targets) if classes is None else [str(name) for name in classes]
    if targets is None:
        raise GlassnetError(f"{picture} got X without y; pass the true class of each row as y.")
    values = np.asarray(targets)
    if run.settings.loss.name == "hinge" and values.dtype.kind in "if":
        values = (values > 0).astype(np.int64) if values.size == len(values) else values
    true, names = class_indexes(values, names, max(2, run.network.output_units))
    if len(true) != len(inputs):
        raise GlassnetError(
            f"{picture} got {len(inputs)} rows of X and {len(true)} of y; it needs one class for each row."
        )
    outputs = np.asarray(run.outputs(state_of(run, iteration), inputs), dtype=np.float64)
    probability = as_probabilities(outputs) if gives_probabilities(run) else None
    return ClassRows(inputs, outputs, true, decided(outputs, run.settings.loss.name), names, probability, where)


def gives_probabilities(run: Run) -> bool:
    """Whether the outputs can be read as probabilities."""
    return run.derivation.output_activation.name in ("sigmoid", "softmax")


def need_probabilities(rows: ClassRows, picture: str) -> Array:
    """The probabilities of the classes, (m, k).

    Raises
    ------
    GlassnetError : the outputs are scores
    """
    if rows.probability is None:
        raise GlassnetError(
            f"{picture} needs probabilities, and this network's outputs are scores; train with a sigmoid or softmax output, or "
            "look at the confusion matrix."
        )
    return rows.probability


def as_probabilities(outputs: Array) -> Array:
    """Outputs (m, 1) or (m, k) as probabilities of each class, (m, 2) or (m, k)."""
    return np.hstack([1.0 - outputs, outputs]) if outputs.shape[1] == 1 else outputs


def decided(outputs: Array, loss: str = "") -> Codes:
    """The class that outputs stand for: the largest, or the second class from ½ (above 0 under the hinge)."""
    if outputs.shape[1] > 1:
        return np.asarray(outputs.argmax(axis=1), dtype=np.int64)
    single = outputs[:, 0]
    return np.asarray(single > 0.0 if loss == "hinge" else single >= 0.5).astype(np.int64)


def standings(run: Run, state: State, X: Array) -> Array:
    """How the classes stand for inputs (m, n): probabilities, or scores of which the largest wins, (m, k)."""
    if gives_probabilities(run):
        return as_probabilities(np.asarray(run.outputs(state, X), dtype=np.float64))
    name, shift = run.derivation.output.name, 0.0
    if run.derivation.output_activation.name == "step":
        name = f"Z{name[1:]}"  # the sum whose sign the step takes: it says how near the border is
    elif run.settings.loss.name != "hinge" and run.network.output_units == 1:
        shift = 0.5
    scores = line_values(run, state, X, name) - shift
    return np.hstack([-scores, scores]) if scores.shape[1] == 1 else scores


def line_values(run: Run, state: State, X: Array, name: str) -> Array:
    """A forward line's values for any inputs, by the equations that predict: (m, units), or maps (m, maps, height, width)."""
    inputs = np.asarray(X, dtype=run.settings.dtype).reshape(len(X), *run.network.input_shape)
    values: dict[str, Any] = {**state, "X": inputs, "m": float(len(X))}
    with np.errstate(all="ignore"):
        for equation in run.derivation.inference:
            values[equation.name] = equation.expression.evaluate(values, np)
            if equation.name == name:
                break
    return np.asarray(values[name], dtype=np.float64)


def titled(title: str, *further: str) -> str:
    """A title, and what else must be said in smaller steps: `Decision boundary, training rows`."""
    return ", ".join([title, *(part for part in further if part)])
