"""What the first update shows before it is done: values that are not finite, signals that vanish or explode, dead units."""

from __future__ import annotations

import math

import numpy as np

from glassnet.diagnosis.case import Case
from glassnet.diagnosis.changes import Change, Standardise
from glassnet.diagnosis.findings import Finding, Measured, Where, number
from glassnet.diagnosis.fitting_output import fitting_output, growth
from glassnet.diagnosis.network_changes import (
    depth,
    network_change,
    shallower,
    wider,
    with_batch_norm,
    with_bias_init,
    with_hidden_activation,
    with_init,
)
from glassnet.diagnosis.overfit_check import check_overfits
from glassnet.diagnosis.signal_checks import check_first_cost, check_gradient, check_signal
from glassnet.diagnosis.starting_layers import StartingLayer, Values, anew, input_spread, starting_layers
from glassnet.equations.functions import activation
from glassnet.equations.losses import LOSSES

__all__ = ["check_overfits", "check_start"]

STEEP = 5.0


@np.errstate(all="ignore")
def check_start(case: Case) -> list[Finding]:
    """Suspicions from all values of the first update, on at most 512 rows, and from the initial weights."""
    start, layers = case.start, starting_layers(case)
    if start is None or not layers:
        return []
    broken = _not_finite(case, start, layers)
    found = [*broken, *_symmetric(case, layers), *_sizes(case, layers)]
    if broken:
        return found
    units = [*_dead(case, layers), *_saturated(case, layers), *_biased(case, layers)]
    signals = [*check_signal(case, layers), *check_gradient(case, layers), *check_first_cost(case, start)]
    return [*found, *units, *signals]


# Not finite.


def _not_finite(case: Case, start: Values, layers: list[StartingLayer]) -> list[Finding]:
    """The first value that is not finite, and what made it so."""
    derivation = case.derivation
    assert derivation is not None
    order = [e for e in (*derivation.forward, *derivation.cost, *derivation.backward) if e.name in start]
    first = next((e for e in order if not np.isfinite(start[e.name]).all()), None)
    if first is None:
        return []
    where = Where(equation=first.name)
    share = float((~np.isfinite(start[first.name])).mean())
    symptom = Finding(
        "training.not_finite", f"{first.name} is not finite in the very first update.", "critical", 0.9,
        (Measured(f"share of {first.name} that is not finite", share, "0"),), where, (),
        "It cannot be one.", certain=True,
    )  # fmt: skip
    cause = _why_infinite(case, start, layers, first.name)
    return [symptom] if cause is None else [cause, symptom]


def _why_infinite(case: Case, start: Values, layers: list[StartingLayer], name: str) -> Finding | None:
    measured: list[Measured] = []
    network = case.network
    exploding = [a for a in layers[:-1] if growth(activation(a.group.kind)) > 10]
    largest_input = float(np.abs(start["X"]).max())
    stretch = max(layers, key=lambda a: a.stretch)
    for layer in layers[:6]:
        with np.errstate(all="ignore"):
            measured.append(Measured(f"largest |Z{layer.number}|", float(np.abs(layer.sums).max()), "about 1 to 10"))
    if exploding:
        kind, said = (
            "arch.exploding_hidden",
            f"{len(exploding)} hidden layers are {exploding[0].group.activation}: {name} overflows",
        )
        relu = with_hidden_activation(network, "relu", only={a.group.activation for a in exploding})
        cures = [network_change(network, shallower(relu, 2)), network_change(network, relu)]
        if depth(network) <= 3:
            cures = cures[1:]
        where = Where(layer=exploding[0].number, equation=name)
    elif largest_input > 1e4:
        kind, said = "data.unscaled_features", f"Inputs up to {number(largest_input)} make {name} overflow"
        cures = [Change(Standardise().said, {}, (Standardise(),))]
        where = Where(equation=name)
    elif stretch.stretch > STEEP:
        kind, said = "init.too_large", f"The weights of layer {stretch.number} start so large that {name} overflows"
        cures, where = [*anew(case, with_init(network, "auto", "zeros"))], Where(layer=stretch.number, equation=name)
        measured.append(Measured(f"size of W{stretch.number} times √fan-in", stretch.size, number(stretch.normal)))
    elif case.loss is not None and case.loss.name not in LOSSES and np.isfinite(layers[-1].values).all():
        A = layers[-1].values
        low, high = float(A.min()), float(A.max())
        measured = [Measured("outputs", f"{number(low)} to {number(high)}", "inside 0 to 1")]
        outside = low < 0 or high > 1
        head, last = layers[-1].group.activation, layers[-1]
        if head == "relu":
            kind = "out.relu_output"
        elif outside:
            kind = "out.missing_softmax" if case.network.output_units > 1 and case.exclusive else "out.missing_sigmoid"
        else:
            kind = "loss.log_of_zero"
        said = f"{case.loss.name} is not finite for outputs from {number(low)} to {number(high)}"
        cures, where = [fitting_output(case)], Where(layer=last.number, equation=name)
    else:
        return None
    return Finding(
        kind, f"{said}.", "critical", 0.97, tuple(measured), where, tuple(cures), "It cannot be one.", certain=True
    )


# The initial weights.


def _symmetric(case: Case, layers: list[StartingLayer]) -> list[Finding]:
    """Units of one layer that start equal, and whether their gradients keep them so."""
    worst: Finding | None = None
    for layer in layers:
        W, dW = layer.units, layer.unit_gradients
        if W.shape[1] < 2 or np.ptp(W, axis=1).max() > 0 or not np.isfinite(dW).all():
            continue
        if layer.bias is not None and np.ptp(layer.bias) > 0:
            continue
        last = layer.number == len(layers)
        zero, largest = not W.any(), float(np.abs(dW).max())
        alike = largest == 0 or float(np.ptp(dW, axis=1).max()) <= 1e-9 * largest
        stuck = largest == 0
        if last:
            if not stuck or len(layers) == 1:
                continue
            sure = 0.2  # what stands before it is to blame
        else:
            sure = (0.95 if stuck else 0.85) if alike else 0.15
            if stuck and not zero:
                sure = 0.5
        if any(g.group.dropout for g in layers) and not stuck:
            sure *= 0.6
        if worst is not None and worst.confidence >= sure:
            continue
        value = "0" if zero else number(float(W.flat[0]))
        same = (
            "all gradients are 0 too"
            if stuck
            else "and so are their gradients"
            if alike
            else "but their gradients differ"
        )
        worst = Finding(
            "init.symmetric",
            f"All weights of layer {layer.number} into one unit equal those into the next ({value}); {same}.", "note", sure,
            (Measured(f"distinct units in W{layer.number}", len(np.unique(W, axis=1).T), f"{W.shape[1]}"),
             Measured(f"distinct units in dW{layer.number}", len(np.unique(np.round(dW / (largest or 1.0), 9), axis=1).T),
                      f"{W.shape[1]}")),
            Where(layer=layer.number, equation=f"W{layer.number}"), anew(case, with_init(case.network, "auto")),
            "Something else tells the units apart: what follows them starts at random.",
        )  # fmt: skip
    return [] if worst is None else [worst]


def _sizes(case: Case, layers: list[StartingLayer]) -> list[Finding]:
    """Weights too large or too small for how many inputs a unit has."""
    found: list[Finding] = []
    network = case.network
    cure = (
        *anew(case, with_init(network, "auto", "zeros")),
        *anew(case, with_batch_norm(with_init(network, "auto", "zeros"))),
    )
    normed = {a.number for a in layers if a.group.normalised}
    plain = [a for a in layers if a.number not in normed]
    if not plain:
        return []
    top = max(plain, key=lambda a: a.stretch)
    # Few weights vary by chance.
    chance = 1 + 3 / math.sqrt(2 * top.weights.size)
    steps = ((20.0, 0.95), (8.0, 0.9), (5.0, 0.75), (3.0, 0.5), (2.0, 0.2))
    sure = next((c for least, c in steps if top.stretch >= least * chance), 0.0)
    if sure:
        found.append(_size_finding("init.too_large", top, sure, "large", cure))
    hidden = layers[:-1]
    low = [a for a in plain if a.weights.any() and np.ptp(a.weights) > 0]
    bottom = min(low, key=lambda a: a.size / a.least, default=None)
    if bottom is not None and hidden and bottom.size / bottom.least < 0.4:
        reaches = layers[-1].spread
        before = input_spread(case)
        by_reach = ((1e-4, 0.92), (1e-3, 0.88), (1e-2, 0.75), (0.05, 0.45), (0.2, 0.25), (np.inf, 0.12))
        sure = next(c for most, c in by_reach if reaches <= most)
        if bottom.size / bottom.least > 0.2:
            sure *= 0.5
        # A network with few layers finds its size by itself.
        if reaches > 1e-5:
            sure = min(sure, {1: 0.4, 2: 0.65}.get(len(hidden), 1.0))
        if before < 0.01:
            sure = min(sure, 0.3)
        found.append(_size_finding("init.too_small", bottom, sure, "small", cure, reaches))
    alike = {str(a.group.weighted.init) for a in layers}
    fixed = alike.pop() if len(alike) == 1 and not case.settings.get("initial_parameters") else ""
    off = max(plain, key=lambda a: abs(math.log(max(a.stretch, 1e-9))))
    if fixed.startswith(("normal", "uniform")) and len(layers) > 1 and not 0.6 < off.stretch < 1.7:
        share = 0.6 if any(f.kind == "init.too_large" for f in found) else 0.35
        sure = max(0.15, share * max((f.confidence for f in found), default=0.0))
        found.append(_size_finding("init.wrong_scale", off, sure, "off", cure))
    return found


def _size_finding(
    kind: str, layer: StartingLayer, sure: float, how: str, cures: tuple[Change, ...], reaches: float | None = None
) -> Finding:
    n = layer.number
    said = {"large": "larger", "small": "smaller", "off": "of a fixed size"}[how]
    times = layer.stretch if layer.stretch >= 1 else 1 / max(layer.stretch, 1e-300)
    words = (
        f"{number(float(f'{times:.3g}'))} times {said} than"
        if how != "off"
        else f"{said}, {number(layer.stretch)} times"
    )
    measured = [Measured(f"size of W{n} times √fan-in", layer.size, f"{number(layer.normal)} for {layer.group.activation}"),
                Measured(f"spread of Z{n} over the rows", layer.spread, "about 1")]  # fmt: skip
    if reaches is not None:
        measured.append(Measured("spread of the last sums over the rows", reaches, "0.1 to 2"))
    return Finding(
        kind, f"The weights of layer {n} start {words} what keeps a signal's size.", "note", sure, tuple(measured),
        Where(layer=n, equation=f"W{n}"), cures, "The first updates bring them to size: the cost falls at once.",
    )  # fmt: skip


# Units.


def _dead(case: Case, layers: list[StartingLayer]) -> list[Finding]:
    """Units that are 0 for every row; half of the values being 0 is normal."""
    found: list[Finding] = []
    hidden = [a for a in layers[:-1] if a.dead >= 0.4]
    if not hidden:
        return []
    worst = max(hidden, key=lambda a: a.dead)
    share = float(np.mean([a.dead for a in layers[:-1]]))
    whole = worst.dead == 1.0
    sure = (
        0.95
        if whole
        else next((c for least, c in ((0.79, 0.7), (0.59, 0.5), (0.4, 0.25)) if worst.dead >= least), 0.12)
    )
    if not whole and len(layers) > 10 and share > 0.3:
        sure = max(sure, 0.7)
    network = case.network
    low = worst.bias is not None and float(np.mean(worst.bias)) < -max(2 * worst.spread, 0.5)
    again = with_init(network, "auto", "zeros")
    # A layer of zero weights is no matter of its units.
    if not any(a.weights.any() for a in layers[: worst.number]):
        return []
    cures = [*anew(case, again)] if low else []
    if depth(network) > 5:
        cures.append(network_change(network, shallower(again, 2)))
    cures += [network_change(network, with_hidden_activation(network, "leaky_relu", only=("relu",))),
              network_change(network, wider(again, 32))]  # fmt: skip
    if not low:
        cures += anew(case, again)
    units = tuple(int(i) for i in np.flatnonzero((worst.values == 0).all(axis=0)))
    measured = (Measured(f"units of layer {worst.number} that are 0 for all rows", f"{worst.dead:.0%}", "below 20 %"),
                Measured("of all hidden units", f"{share:.0%}", "below 20 %"))  # fmt: skip
    said = (
        f"All units of layer {worst.number} are"
        if whole
        else f"{len(units)} of {worst.group.width} units of layer {worst.number} {'is' if len(units) == 1 else 'are'}"
    )
    found.append(Finding(
        "arch.dying_relu", f"{said} 0 for every row: nothing passes through them, and they get no gradient.", "note", sure,
        measured, Where(layer=worst.number, units=units, equation=f"A{worst.number}"), tuple(cures),
        "Other units carry the signal, and the network learns with them.",
    ))  # fmt: skip
    if low and worst.bias is not None:
        found.append(Finding(
            "init.bias", f"The biases of layer {worst.number} start at about {number(float(np.mean(worst.bias)))}, below what "
            "the inputs can lift above 0.", "note", 0.8 if whole else 0.3,
            (Measured(f"mean of b{worst.number}", float(np.mean(worst.bias)), "0"),
             Measured(f"spread of Z{worst.number} over the rows", worst.spread, "about 1")),
            Where(layer=worst.number, equation=f"b{worst.number}"), anew(case, with_bias_init(network)),
            "The units become active within the first updates.",
        ))  # fmt: skip
    return found


def _biased(case: Case, layers: list[StartingLayer]) -> list[Finding]:
    """Biases so far above 0 that a unit's inputs hardly matter; those far below are told with the units they kill."""
    for layer in layers:
        if layer.bias is None or layer.group.normalised or (layer.number == len(layers) and case.task == "numbers"):
            continue
        mean, n = float(np.mean(layer.bias)), layer.number
        far = abs(mean) if layer.number == len(layers) else mean
        if far <= 3 * max(layer.spread, 1.0):
            continue
        return [Finding(
            "init.bias",
            f"The biases of layer {n} start at {number(mean)}; the inputs move its sums by {number(layer.spread)}.",
            "note", 0.8 if far > 10 * max(layer.spread, 1.0) else 0.4,
            (Measured(f"mean of b{n}", mean, "0"), Measured(f"spread of Z{n} over the rows", layer.spread, "about 1")),
            Where(layer=n, equation=f"b{n}"), anew(case, with_bias_init(case.network)),
            "The first updates bring the biases to size.",
        )]  # fmt: skip
    return []


def _saturated(case: Case, layers: list[StartingLayer]) -> list[Finding]:
    """Values at the flat ends of a bounded activation, and whether inputs or weights put them there."""
    hidden = [a for a in layers[:-1] if a.saturated > 0.5]
    if not hidden:
        return []
    worst = hidden[0]
    sure = 0.75 if worst.saturated > 0.9 else 0.45 if worst.saturated > 0.75 else 0.2
    spread = input_spread(case)
    start = case.start
    assert start is not None
    largest = float(np.abs(start["X"]).max())
    measured = (Measured(f"share of A{worst.number} at the ends of {worst.group.activation}", worst.saturated, "below 0.3"),
                Measured(f"spread of Z{worst.number} over the rows", worst.spread, "about 1"))  # fmt: skip
    scaled = Change(Standardise().said, {}, (Standardise(),))
    cures = (scaled,) if worst.stretch < 2 else (*anew(case, with_init(case.network, "auto", "zeros")), scaled)
    found = [Finding(
        "training.saturated_units",
        f"{worst.saturated:.0%} of the values of layer {worst.number} are at the ends of {worst.group.activation}, "
        "where it has no slope.",
        "note", sure, measured, Where(layer=worst.number, equation=f"A{worst.number}"), cures,
        "The units leave the ends within the first updates.",
    )]  # fmt: skip
    if worst.number == 1 and worst.stretch < 3 and (spread > 5 or largest > 20):
        found.append(Finding(
            "data.unscaled_features", f"Inputs up to {number(largest)} put layer 1 at the ends of its activation.",
            "note", sure, (Measured("spread of the features", spread, "about 1"), *measured), Where(layer=1, equation="Z1"),
            (scaled,), "The features are on the scale that the weights start with.",
        ))  # fmt: skip
    return found
