"""What can be said from the settings alone: output, loss, network and penalties, before any number is computed."""

from __future__ import annotations

import math

import numpy as np

from glassnet.diagnosis.case import Case
from glassnet.diagnosis.findings import Finding, Measured, Where, number
from glassnet.diagnosis.fitting_output import (
    CROSS_ENTROPIES,
    FOR_CLASSES,
    Target,
    asked_loss,
    bounds,
    fitting,
    fitting_loss,
    fitting_output,
    target,
    two_units_instead,
    without_slope,
)
from glassnet.diagnosis.loss_checks import check_own_loss, multiple_of
from glassnet.diagnosis.network_changes import hidden, network_change, output, with_hidden_activation
from glassnet.diagnosis.network_checks import check_layers, check_penalties
from glassnet.equations.functions import activation
from glassnet.equations.losses import LOSSES, pairing
from glassnet.errors import GlassnetError


@np.errstate(all="ignore")
def check_settings(case: Case) -> list[Finding]:
    """Suspicions from the network, the loss and the kind of target.

    Settings that cannot be trained at all are critical and certain; everything else is a note with a confidence.
    """
    refused = _refused(case) or _frozen(case)
    kinds = {finding.kind for finding in refused}
    rest = [*_outputs(case), *_ranges(case), *_loss_of_task(case), *check_own_loss(case)]
    # Of two reasons for one kind the stronger is told.
    rest = sorted((f for f in rest if f.kind not in kinds), key=lambda f: -f.confidence)
    rest = [f for i, f in enumerate(rest) if f.kind not in {other.kind for other in rest[:i]}]
    return [*refused, *rest, *_twice_softmax(case), *check_layers(case), *check_penalties(case)]


def _head(case: Case) -> str:
    return output(case.network).activation


def _refused(case: Case) -> list[Finding]:
    """Outputs and losses that do not go together."""
    loss, last = asked_loss(case), output(case.network)
    if case.refusal is None or loss is None:
        return []
    units = case.network.output_units
    try:
        pairing(loss, activation(last.kind), units)
        return []  # something else is refused
    except GlassnetError as problem:
        sentence = str(problem)
    of, head = target(case), last.activation
    kind = _kind_of_refusal(loss.name, head, units, of)
    if of.kind == "numbers" and loss.name in CROSS_ENTROPIES:
        kind = "loss.wrong_kind"
    cures = (fitting_loss(case),) if kind == "loss.wrong_kind" else (fitting_output(case),)
    return [
        Finding(
            kind, sentence, "critical", 0.98,
            (Measured("output", f"{units} {head}", _fits(of)), Measured("loss", loss.name, fitting(of)[2])),
            Where(layer=last.number, equation=f"A{last.number}"), cures,
            "It cannot be one: with these settings the cost has no usable slope.", certain=True,
        ),
        *(two_units_instead(case) if kind == "out.missing_sigmoid" else ()),
    ]  # fmt: skip


def _frozen(case: Case) -> list[Finding]:
    """Hidden steps: no layer before one has a slope."""
    found = [g for g in hidden(case.network) if without_slope(activation(g.kind))]
    if not found or case.refusal is None:
        return []
    better = with_hidden_activation(case.network, "relu", only={g.activation for g in found})
    number_of_last = found[-1].number
    return [Finding(
        "arch.frozen", case.refusal, "critical", 0.97,
        (Measured(f"hidden layers with {found[0].activation}", len(found), "0"),),
        Where(layer=number_of_last, equation=f"A{number_of_last}"), (network_change(case.network, better),),
        "It cannot be one: the slope is 0 everywhere.", certain=True,
    )]  # fmt: skip


def _kind_of_refusal(loss: str, head: str, units: int, of: Target) -> str:
    if head == "softmax" and units == 1:
        return "out.softmax_single_unit"
    if head in ("step", "relu") and loss != "perceptron":
        return "out.relu_output"
    if loss == "perceptron":
        return "loss.wrong_kind"
    if loss == "categorical_cross_entropy":
        if head == "sigmoid":
            return "out.sigmoid_multiclass" if units > 1 else "loss.wrong_kind"
        return "out.missing_softmax"
    if loss == "binary_cross_entropy":
        if head == "softmax":
            return "out.softmax_multilabel" if of.kind == "several" else "loss.wrong_kind"
        return "out.missing_softmax" if of.kind == "classes" and units > 1 else "out.missing_sigmoid"
    return "out.range_mismatch" if loss == "poisson" else "loss.wrong_kind"


def _fits(of: Target) -> str:
    head, units, _ = fitting(of)
    return f"{units} {head}"


# Outputs that can be trained and do not fit.


def _outputs(case: Case) -> list[Finding]:
    """The number of outputs, softmax for several labels, sigmoids for one."""
    of, units, head, loss = target(case), case.network.output_units, _head(case), asked_loss(case)
    last = output(case.network)
    where = Where(layer=last.number, equation=f"A{last.number}")
    cure = (fitting_output(case),)
    found: list[Finding] = []
    wanted = fitting(of)[1]
    if units != wanted and of.kind == "classes" and not (of.classes == 2 and units == 2 and of.one_column):
        refused = case.data_refusal is not None
        few = units < wanted
        found.append(Finding(
            "out.wrong_units",
            f"The network has {units} output{'s' if units > 1 else ''} and the target has {of.classes} classes.",
            "critical" if refused else "note", 0.97 if refused else 0.6 if few else 0.2,
            (Measured("outputs", units, f"{wanted}, {'one a class' if wanted > 1 else 'the probability of one class'}"),),
            where, cure, "The whole numbers of the target are quantities, not classes.", certain=refused,
        ))  # fmt: skip
    elif units != wanted and of.columns > 1:
        found.append(Finding(
            "out.wrong_units", f"The network has {units} outputs and each target has {of.columns} numbers.", "critical",
            0.97, (Measured("outputs", units, str(of.columns)),), where, cure, "It cannot be one.", certain=True,
        ))  # fmt: skip
    if head == "softmax" and of.kind == "several" and units > 1:
        sums = of.values.sum(axis=1)
        share = float((sums != 1).mean())
        refused = case.data_refusal is not None
        found.append(Finding(
            "out.softmax_multilabel",
            f"Softmax outputs sum to 1, and {share:.0%} of the target rows do not: several labels, or none, are true together.",
            "critical" if refused else "note", 0.9, (Measured("share of rows that do not sum to 1", share, "0"),), where,
            cure, "Each row has one true class and the others are mistakes of the data.", certain=refused,
        ))  # fmt: skip
    if head == "sigmoid" and of.kind == "classes" and units > 1 and loss is not None and loss.name in LOSSES:
        found.append(Finding(
            "out.sigmoid_multiclass",
            f"{units} sigmoids answer which one of {of.classes} classes a row has; softmax makes them exclude one another.",
            "note", 0.1, (Measured("output", f"{units} sigmoid", f"{units} softmax"),), where, cure,
            "It mostly learns as well; its outputs do not sum to 1.",
        ))  # fmt: skip
    return found


NAMED_RANGE = {"sigmoid": "between 0 and 1", "softmax": "between 0 and 1", "tanh": "between −1 and 1"}


def _end(value: float) -> str:
    """An end of a range: "0", "∞"."""
    return number(value) if math.isfinite(value) else "∞" if value > 0 else "−∞"


def _ranges(case: Case) -> list[Finding]:
    """Whether the outputs can become what the targets are."""
    of, last = target(case), output(case.network)
    if not len(of.values):
        return []
    low, high = bounds(activation(last.kind))
    head, where = last.activation, Where(layer=last.number, equation=f"A{last.number}")
    signed = bool((of.values == -1).any()) and bool(np.isin(of.values, (-1, 1)).all())
    if of.kind == "numbers" or signed:
        spread = float(of.values.max() - of.values.min())
        slack = 0.02 * min(spread, high - low)
        outside = float(((of.values < low - slack) | (of.values > high + slack)).mean())
        if outside > 0:
            said = NAMED_RANGE.get(head, f"between {_end(low)} and {_end(high)}")
            ends = f"{number(float(of.values.min()))} to {number(float(of.values.max()))}"
            sure = next(c for least, c in ((0.3, 0.93), (0.1, 0.85), (0.02, 0.6), (0.0, 0.35)) if outside > least)
            return [Finding(
                "out.range_mismatch",
                f"The {head} output lies {said}, and {outside:.0%} of the targets do not: they go from {ends}.", "note", sure,
                (Measured("share of targets out of reach", outside, "0"), Measured("targets", ends, said)), where,
                (fitting_output(case),), "The targets out of reach are mistakes of the data.",
            )]  # fmt: skip
        if head == "relu" and of.kind == "numbers":
            return [Finding(
                "out.relu_output", "A relu output has no slope below 0: once all its sums are negative it stays at 0.",
                "note", 0.2, (Measured("output", "relu", "linear"),), where, (fitting_output(case),),
                "Its sums are above 0 for most rows.",
            )]  # fmt: skip
    elif head == "relu":
        return [Finding(
            "out.relu_output", f"A relu output has no slope below 0, and the targets are {of.classes} classes.", "note", 0.5,
            (Measured("output", "relu", _fits(of)),), where, (fitting_output(case),), "Its sums are above 0 for most rows.",
        )]  # fmt: skip
    return []


OF_NUMBERS = {"mean_absolute_error": 0.4, "mean_squared_error": 0.3, "huber": 0.3, "poisson": 0.4}


def _loss_of_task(case: Case) -> list[Finding]:
    """Whether the loss is one for this kind of target."""
    of, loss, head = target(case), asked_loss(case), _head(case)
    if loss is None:
        return []
    alike = None if loss.name in LOSSES else multiple_of(loss)
    name = loss.name if alike is None else alike[0]
    measured = (Measured("loss", loss.name, fitting(of)[2]),)
    if of.kind == "numbers" and name in FOR_CLASSES:
        refused = case.data_refusal is not None
        inside = bool(len(of.values)) and of.values.min() >= 0 and of.values.max() <= 1
        sure = 0.3 if inside and name == "binary_cross_entropy" else 0.85
        return [Finding(
            "loss.wrong_kind", f"{loss.name} is a loss for classes, and the targets are numbers.",
            "critical" if refused else "note", 0.95 if refused else sure, measured, Where(equation="J"),
            (fitting_output(case),), "The targets are probabilities.", certain=refused,
        )]  # fmt: skip
    if of.kind != "numbers" and name in OF_NUMBERS:
        sure = OF_NUMBERS[name] * (0.5 if of.signed or head == "linear" else 1.0)
        return [Finding(
            "loss.wrong_kind",
            f"{loss.name} measures distances, and the targets are classes: confident mistakes have little slope.",
            "note", sure, measured, Where(equation="J"), (fitting_output(case),), "Often it learns as well, only slower.",
        )]  # fmt: skip
    return []


def _twice_softmax(case: Case) -> list[Finding]:
    """A softmax that gets what a softmax gave."""
    before, last = hidden(case.network), output(case.network)
    if (
        not before
        or last.activation != "softmax"
        or before[-1].activation != "softmax"
        or before[-1].width != last.width
    ):
        return []
    k = last.width
    better = with_hidden_activation(case.network, "relu", only=("softmax",))
    return [Finding(
        "out.redundant_softmax", "The output is a softmax of a softmax, so what reaches the second one lies between 0 and 1.",
        "note", 0.35, (Measured("softmax in a row", 2, "1"),
                       Measured("least cost while the weights stay about 1", float(np.log(1 + (k - 1) / np.e)), "0")),
        Where(layer=last.number), (network_change(case.network, better),), "The weights between the two can grow to undo it.",
    )]  # fmt: skip
