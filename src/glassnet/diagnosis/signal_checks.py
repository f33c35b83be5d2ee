"""Signals on their way through the layers of the first update, gradients on their way back, and the first cost."""

from __future__ import annotations

import math

import numpy as np

from glassnet.diagnosis.case import Case
from glassnet.diagnosis.changes import Change, Standardise
from glassnet.diagnosis.findings import Finding, Measured, Where, number
from glassnet.diagnosis.fitting_output import fitting_output, growth, steepest
from glassnet.diagnosis.network_changes import (
    network_change,
    shallower,
    with_batch_norm,
    with_hidden_activation,
    with_init,
)
from glassnet.diagnosis.starting_layers import StartingLayer, Values, anew, input_spread
from glassnet.equations.functions import activation

HUGE = 1e30
"""Values above overflow in float32 a layer or two later."""
FLAT = 0.3
"""Slopes never above this shrink every signal."""


@np.errstate(all="ignore")
def check_signal(case: Case, layers: list[StartingLayer]) -> list[Finding]:
    """How the spread over the rows changes from layer to layer."""
    hidden, last = layers[:-1], layers[-1]
    if not hidden:
        return []
    before = input_spread(case)
    spreads = tuple(Measured(f"spread of Z{a.number} over the rows", a.spread, "about 1") for a in _picked(layers))
    network = case.network
    if before > 0 and (last.spread > 1e3 * max(1.0, before) or max(a.spread for a in layers) > HUGE):
        exploding = [a for a in hidden if growth(activation(a.group.kind)) > 10]
        sure = 0.9 if last.spread > 1e6 * before else 0.6
        if exploding:
            relu = with_hidden_activation(network, "relu", only={a.group.activation for a in exploding})
            return [Finding(
                "arch.exploding_hidden",
                f"The last sums spread {number(float(f'{last.spread / before:.3g}'))} times further than the inputs.",
                "note", sure, spreads, Where(layer=exploding[0].number), (network_change(network, shallower(relu, 2)),),
                "The training brings them to size at once.",
            )]  # fmt: skip
    flat = [a for a in hidden if steepest(activation(a.group.kind)) <= FLAT and not a.group.normalised]
    small = [a for a in layers if a.stretch < 0.3]
    reached = last.spread / max(min(before, 1.0), 1e-12)
    if reached < 0.03 and len(flat) >= 3 and len(flat) >= len(hidden) / 2:
        sure = 0.9 if reached < 1e-3 else 0.75 if reached < 1e-2 else 0.5
        relu = with_hidden_activation(network, "relu")
        return [Finding(
            "arch.saturating_hidden",
            f"{len(flat)} layers of {flat[0].group.activation} leave a spread of {number(last.spread)} over the rows: "
            "the outputs are almost alike whatever the input is.", "note", sure, spreads,
            Where(equation=f"Z{last.number}"), (network_change(network, shallower(relu, 2)), network_change(network, relu)),
            "The first updates bring the spread to size.",
        )]  # fmt: skip
    dead = any(a.dead == 1.0 for a in hidden)
    if reached < 0.03 and not small and not dead and len(hidden) >= 6:
        return [Finding(
            "arch.too_deep",
            f"After {len(hidden)} hidden layers the rows spread by {number(last.spread)}: the outputs are almost alike.",
            "note", 0.6, spreads, Where(equation=f"Z{last.number}"),
            (network_change(network, shallower(network, 2)), network_change(network, with_batch_norm(network))),
            "Other seeds start with a larger spread.",
        )]  # fmt: skip
    return []


def _picked(layers: list[StartingLayer]) -> list[StartingLayer]:
    """All of up to eight layers; of more the first four and the last four."""
    return layers if len(layers) <= 8 else [*layers[:4], *layers[-4:]]


def check_gradient(case: Case, layers: list[StartingLayer]) -> list[Finding]:
    """The first layer's gradient against the last one's."""
    first, last = layers[0], layers[-1]
    network = case.network
    if last.slope == 0:
        cures = tuple(c for c in (fitting_output(case),) if c.said != "nothing")
        return [Finding(
            "training.vanishing_gradient", "The cost has no slope at any output: no weight changes.", "note", 0.9,
            (Measured(f"root mean square of dZ{last.number}", 0.0, "above 0"),),
            Where(layer=last.number, equation=f"dZ{last.number}"), cures, "Every row is already right.",
        )]  # fmt: skip
    frozen = [a for a in layers[:-1] if not a.gradient.any()]
    if frozen and all(a.dead < 1 and a.weights.any() for a in layers):
        names = {a.group.activation for a in layers[frozen[0].number - 1 : -1]}
        better = with_hidden_activation(network, "relu", only=names)
        last_frozen = frozen[-1]
        return [Finding(
            "arch.frozen",
            f"No weight up to layer {last_frozen.number} gets a gradient: {last_frozen.group.activation} has no slope.", "note",
            0.9, (Measured(f"largest |dW{last_frozen.number}|", 0.0, "above 0"),),
            Where(layer=last_frozen.number, equation=f"dW{last_frozen.number}"), (network_change(network, better),),
            "The frozen layers are useful as they start, and only the output is to be trained.",
        )]  # fmt: skip
    if len(layers) < 3:
        return []
    ratio = first.slope / last.slope
    measured = (Measured("dZ of the first layer / of the last", ratio, "0.01 to 100"),)
    less = network_change(network, shallower(with_hidden_activation(network, "relu"), 2))
    if ratio < 1e-3:
        sure = 0.8 if ratio < 1e-6 else 0.55
        if any(not a.weights.any() for a in layers):
            sure = 0.3  # weights of 0 let nothing through, and only in the first update
        return [Finding(
            "training.vanishing_gradient",
            f"The gradient of layer 1 is {number(float(f'{ratio:.2g}'))} times that of layer {last.number}.", "note", sure,
            measured, Where(layer=1, equation="dZ1"), (less,), "An adaptive optimiser makes up for it.",
        )]  # fmt: skip
    if ratio > 1e3:
        sure = 0.7 if ratio > 1e6 else 0.4
        return [Finding(
            "arch.exploding_gradient",
            f"The gradient of layer 1 is {number(float(f'{ratio:.2g}'))} times that of layer {last.number}.", "note", sure,
            measured, Where(layer=1, equation="dZ1"), (*anew(case, with_init(network, "auto", "zeros")), less),
            "An adaptive optimiser makes up for it.",
        )]  # fmt: skip
    return []


@np.errstate(all="ignore")
def check_first_cost(case: Case, start: Values) -> list[Finding]:
    """The first cost against that of guessing the shares of the classes, or the mean."""
    loss = case.loss
    if (
        loss is None
        or case.samples is None
        or loss.name not in ("categorical_cross_entropy", "binary_cross_entropy", "mean_squared_error")
    ):
        return []
    Y = np.asarray(start["Y"], dtype=np.float64)
    first = float(start["L"] if "L" in start else start["J"])
    shares = Y.mean(axis=0)
    with np.errstate(all="ignore"):
        logs = np.where(shares > 0, shares * np.log(shares), 0.0)
        others = np.where(shares < 1, (1 - shares) * np.log(1 - shares), 0.0)
    # Outputs that start about as large as the target make it a few times the variance.
    at = (10.0, 100.0, 1000.0) if loss.name == "mean_squared_error" else (3.0, 10.0, 30.0)
    if loss.name == "mean_squared_error":
        guessing = float(0.5 * Y.var(axis=0).sum())
        name = "half the variance of the target"
    elif loss.name == "binary_cross_entropy":
        guessing, name = float(-(logs + others).sum()), "the entropy of the labels"
    else:
        guessing, name = float(-logs.sum()), "the entropy of the classes"
    if guessing <= 1e-9 or not math.isfinite(first) or first / guessing < at[0]:
        return []
    ratio = first / guessing
    sure = 0.5 if ratio > at[2] else 0.35 if ratio > at[1] else 0.15
    return [Finding(
        "training.initial_cost", f"The first cost is {number(first)}, {number(float(f'{ratio:.3g}'))} times that of guessing.",
        "note", sure, (Measured("first cost", first, f"{number(guessing)}, {name}"),), Where(equation="J"),
        (*anew(case, with_init(case.network, "auto", "zeros")), Change(Standardise().said, {}, (Standardise(),))),
        "The first updates remove it.",
    )]  # fmt: skip
