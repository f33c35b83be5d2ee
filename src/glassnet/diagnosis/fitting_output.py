"""Which output and which loss fit a target, and the change that gives them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from glassnet.diagnosis.case import Case, class_numbers
from glassnet.diagnosis.changes import Change
from glassnet.diagnosis.findings import Finding, Measured, Where
from glassnet.diagnosis.network_changes import difference, output, with_output
from glassnet.equations.functions import FunctionKind, activation
from glassnet.equations.losses import LOSSES, Loss, natural_loss
from glassnet.errors import GlassnetError

CROSS_ENTROPIES = ("binary_cross_entropy", "categorical_cross_entropy")
FOR_CLASSES = (*CROSS_ENTROPIES, "hinge", "perceptron")


@dataclass(frozen=True)
class Target:
    """What is to be learnt, read from the targets and the loss.

    Attributes
    ----------
    kind : "classes" (each row one of k), "several" (yes-or-no questions, several may be true), "numbers"
    classes : k, or how many questions or numbers a row has
    columns : of the target as it came
    values : the targets (m, columns), float64, rows that are not finite left out
    """

    kind: str
    classes: int
    columns: int
    values: np.ndarray

    @property
    def one_column(self) -> bool:
        return self.columns == 1

    @property
    def signed(self) -> bool:
        """Whether classes are told by −1 and 1."""
        return self.kind != "numbers" and bool((self.values < 0).any())


def target(case: Case) -> Target:
    """What a case's target is.

    Whole numbers 0 … k−1 are classes when the network has more outputs than the target has columns, when the loss is one
    of classes, or when there are two of them.
    """
    Y = np.asarray(case.Y)
    if Y.dtype.kind not in "fiub":
        return Target("classes", len(np.unique(Y)), 1, np.zeros((0, 1)))
    values = Y.reshape(len(Y), -1).astype(np.float64)
    columns = values.shape[1]
    values = values[np.isfinite(values).all(axis=1)]
    units, loss = case.network.output_units, asked_loss(case)
    labels = class_numbers(Y[np.isfinite(Y.reshape(len(Y), -1)).all(axis=1)]) if len(Y) else None
    if labels is not None:
        k = columns if columns > 1 else max(2, int(labels.max(initial=0)) + 1)
        if columns > 1 or k == 2 or units > 1 or (loss is not None and loss.name in FOR_CLASSES):
            return Target("classes", k, columns, values)
    if columns > 1 and len(values) and np.isin(values, (0, 1)).all():
        return Target("several", columns, columns, values)
    return Target("numbers", columns, columns, values)


def asked_loss(case: Case) -> Loss | None:
    """The loss that was asked for, also when the settings are refused; None when there is no such loss."""
    asked = case.settings.get("loss")
    if isinstance(asked, Loss):
        return asked
    if asked is None:
        return natural_loss(activation(output(case.network).kind))
    return LOSSES.get(str(asked))


def fitting(of: Target) -> tuple[str, int, str]:
    """The output activation, the number of outputs and the loss that fit a target."""
    if of.kind == "numbers":
        return "linear", of.columns, "mean_squared_error"
    if of.signed:
        return "linear", of.columns, "hinge"
    if of.kind == "several":
        return "sigmoid", of.columns, "binary_cross_entropy"
    if of.classes == 2 and of.one_column:
        return "sigmoid", 1, "binary_cross_entropy"
    return "softmax", of.classes, "categorical_cross_entropy"


def fitting_output(case: Case) -> Change:
    """The change to the output and the loss that fit the target."""
    head, units, loss = fitting(target(case))
    settings: dict[str, object] = {}
    parts = []
    network = with_output(case.network, head, units)
    if network != case.network:
        settings["network"] = network
        parts.append(difference(case.network, network))
        if units != case.network.output_units:
            settings["initial_parameters"] = None
    present = asked_loss(case)
    if present is None or present.name != loss:
        parts.append(f"loss {present.name if present else case.settings.get('loss')} → {loss}")
    settings["loss"] = loss
    return Change("; ".join(parts) or "nothing", settings)


def fitting_loss(case: Case) -> Change:
    """Another loss under the present output, where one of the known ones belongs to both; else output and loss."""
    head, units, loss = fitting(target(case))
    last = output(case.network)
    if last.activation == head and units == case.network.output_units:
        present = asked_loss(case)
        return Change(f"loss {present.name if present else case.settings.get('loss')} → {loss}", {"loss": loss})
    return fitting_output(case)


def two_units_instead(case: Case) -> list[Finding]:
    """The other way to probabilities of two classes: softmax over two outputs instead of a sigmoid; [] for other targets."""
    of, last = target(case), output(case.network)
    if of.kind != "classes" or of.classes != 2 or not of.one_column or of.signed or last.width != 1:
        return []
    network = with_output(case.network, "softmax", 2)
    settings = {"network": network, "loss": "categorical_cross_entropy", "initial_parameters": None}
    return [Finding(
        "out.missing_softmax",
        f"The loss wants probabilities; two softmax outputs give them too, and a {last.activation} output does not.",
        "note", 0.5, (Measured("output", f"1 {last.activation}", "2 softmax, or 1 sigmoid"),),
        Where(layer=last.number, equation=f"A{last.number}"),
        (Change(f"{difference(case.network, network)}; loss → categorical_cross_entropy", settings),),
        "All outputs stay between 0 and 1.",
    )]  # fmt: skip


GRID = np.linspace(-50.0, 50.0, 2001)


@lru_cache(maxsize=256)
def bounds(kind: FunctionKind) -> tuple[float, float]:
    """The smallest and largest value of an activation; ±infinity where it has no bound."""
    if not kind.elementwise:
        return 0.0, 1.0
    try:
        values = np.asarray(kind(GRID), dtype=np.float64)
    except (GlassnetError, TypeError, ValueError):
        return -np.inf, np.inf
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    # What still moves at the ends of the grid has no bound there.
    ends = [values[1] - values[0], values[-1] - values[-2]]
    free = [abs(step) > 1e-6 for step in ends]
    if free[0]:
        low, high = (-np.inf, high) if ends[0] > 0 else (low, np.inf)
    if free[1]:
        low, high = (low, np.inf) if ends[1] > 0 else (-np.inf, high)
    return low, high


@lru_cache(maxsize=256)
def steepest(kind: FunctionKind) -> float:
    """The largest slope of an activation between −5 and 5."""
    if not kind.elementwise:
        return 1.0
    z = np.linspace(-5.0, 5.0, 1001)
    with np.errstate(all="ignore"):
        return float(np.nanmax(np.abs(np.diff(np.asarray(kind(z), dtype=np.float64)) / np.diff(z))))


def without_slope(kind: FunctionKind) -> bool:
    """Whether an activation is flat almost everywhere, as a step is."""
    if not kind.elementwise:
        return False
    with np.errstate(all="ignore"):
        return bool((np.diff(np.asarray(kind(GRID), dtype=np.float64)) == 0).mean() > 0.99)


def growth(kind: FunctionKind) -> float:
    """How much larger than its argument an activation becomes at ±20: above 1 where it grows faster than a straight line."""
    if not kind.elementwise:
        return 0.0
    with np.errstate(all="ignore"):
        return float(np.nanmax(np.abs(np.asarray(kind(np.array([-20.0, 20.0])), dtype=np.float64)))) / 20.0
