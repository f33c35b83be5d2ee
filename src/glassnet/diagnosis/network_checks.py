"""What can be said from the layers alone: activations, depth, widths, normalisation, penalties, dropout."""

from __future__ import annotations

import numpy as np

from glassnet.diagnosis.case import Case
from glassnet.diagnosis.changes import Change
from glassnet.diagnosis.findings import Finding, Measured, Where, number
from glassnet.diagnosis.fitting_output import bounds, growth, steepest, target
from glassnet.diagnosis.network_changes import (
    Group,
    groups,
    healthy,
    hidden,
    network_change,
    output,
    shallower,
    wider,
    with_batch_norm,
    with_dropout,
    with_hidden_activation,
    without_batch_norm,
    without_dropout,
)
from glassnet.equations.functions import activation
from glassnet.equations.optimizers import AdamW
from glassnet.layers import Dense, Dropout, MaxPool2D
from glassnet.network import Network

WIDE_ENOUGH = 32
DEEP = 10
NARROW = 20
PLACES = 64
SATURATES = 0.3
"""Slopes never above this (a sigmoid's is 1/4) shrink a gradient in every layer."""
EXPLODES = 10.0
"""Values at ±20 this many times larger than 20."""


@np.errstate(all="ignore")
def check_layers(case: Case) -> list[Finding]:
    """Suspicions about the architecture."""
    network = case.network
    before = hidden(network)
    return [
        *_linear(network, before),
        *_softmax(network, before),
        *_saturating(network, before),
        *_exploding(network, before),
        *_deep(network, before),
        *_narrow(case, before),
        *_large(case),
        *_normalisation(case),
    ]


def _listed(found: list[Group]) -> str:
    numbers = [group.number for group in found]
    if len(numbers) == 1:
        return f"layer {numbers[0]}"
    if numbers == list(range(numbers[0], numbers[-1] + 1)):
        return f"layers {numbers[0]} to {numbers[-1]}"
    return "layers " + ", ".join(map(str, numbers))


def _linear(network: Network, before: list[Group]) -> list[Finding]:
    linear = [g for g in before if g.activation == "linear" and not any(isinstance(f, MaxPool2D) for f in g.following)]
    if not linear:
        return []
    every = len(linear) == len(before)
    better = with_hidden_activation(network, "relu", only=("linear",))
    said = (
        "No hidden layer has an activation, so the whole network is one linear map"
        if every
        else f"{_listed(linear)[0].upper()}{_listed(linear)[1:]} has no activation and adds nothing to the next one"
    )
    return [Finding(
        "arch.missing_nonlinearity", f"{said}.", "note", 0.75 if every else 0.3,
        (Measured("hidden layers without activation", f"{len(linear)} of {len(before)}", "0"),),
        Where(layer=linear[0].number, equation=f"A{linear[0].number}"), (network_change(network, better),),
        "A linear model reaches the same score, and no network a better one.",
    )]  # fmt: skip


def _softmax(network: Network, before: list[Group]) -> list[Finding]:
    found = [g for g in before if g.activation == "softmax"]
    if not found:
        return []
    better = with_hidden_activation(network, "relu", only=("softmax",))
    return [Finding(
        "arch.softmax_hidden",
        f"{_listed(found)[0].upper()}{_listed(found)[1:]} is a softmax inside the network: its values sum to 1, so they are "
        f"about {number(1 / found[0].width)} each.", "note", 0.65,
        (Measured("hidden layers with softmax", len(found), "0"),), Where(layer=found[0].number),
        (network_change(network, better),),
        "It is meant, as a choice between the units.",
    )]  # fmt: skip


def _saturating(network: Network, before: list[Group]) -> list[Finding]:
    flat: list[Group] = []
    bounded: list[Group] = []
    for group in before:
        kind = activation(group.kind)
        low, high = bounds(kind)
        if group.normalised or not kind.elementwise or not np.isfinite([low, high]).all():
            continue
        (flat if steepest(kind) <= SATURATES else bounded).append(group)
    sure = 0.0
    count, slope = len(flat), 0.25
    if count >= 2:
        sure = next(
            c for least, c in ((8, 0.92), (6, 0.88), (5, 0.75), (4, 0.62), (3, 0.35), (2, 0.12)) if count >= least
        )
    elif len(bounded) >= 8:
        count, slope = len(bounded), 1.0
        sure = 0.3 if len(bounded) >= 12 else 0.2
    if not sure:
        return []
    found = flat if slope < 1 else bounded
    name = found[0].activation
    measured = [Measured(f"hidden layers with {name}", count, "at most 3" if slope < 1 else "at most 7")]
    if slope < 1:
        measured.append(Measured("the gradient's largest factor through them", float(f"{slope**count:.3g}"), "about 1"))
    relu = with_hidden_activation(network, "relu")
    cures = [network_change(network, shallower(relu, 2))] if len(before) > 2 else []
    cures += [network_change(network, relu), network_change(network, with_batch_norm(network))]
    return [Finding(
        "arch.saturating_hidden",
        f"{count} hidden layers are {name}"
        + (f", whose slope is at most {slope:g}: the gradient shrinks at each of them." if slope < 1
           else ", which has no slope far from 0: the gradient may shrink at each of them."),
        "note", sure, tuple(measured), Where(), tuple(cures),
        "The gradient of the first layer is about as large as that of the last.",
    )]  # fmt: skip


def _exploding(network: Network, before: list[Group]) -> list[Finding]:
    found = [g for g in before if activation(g.kind).elementwise and growth(activation(g.kind)) > EXPLODES]
    if not found:
        return []
    name = found[0].activation
    relu = with_hidden_activation(network, "relu", only={g.activation for g in found})
    cures = [network_change(network, shallower(relu, 2))] if len(before) > 2 else []
    return [Finding(
        "arch.exploding_hidden",
        f"{_listed(found)[0].upper()}{_listed(found)[1:]} is {name}, which grows faster than its input: "
        "one layer's large value is the next one's overflow.",
        "note", 0.92 if len(found) >= 2 else 0.5, (Measured(f"hidden layers with {name}", len(found), "0"),),
        Where(layer=found[0].number, equation=f"A{found[0].number}"), (*cures, network_change(network, relu)),
        "All values stay finite and small.",
    )]  # fmt: skip


def _deep(network: Network, before: list[Group]) -> list[Finding]:
    plain = [g for g in before if not g.normalised and isinstance(g.weighted, Dense)]
    if len(plain) < DEEP:
        return []
    width = int(np.median([g.width for g in plain]))
    relus = sum(g.activation == "relu" for g in plain) > len(plain) / 2
    sure = (0.45 if relus else 0.35) if width < NARROW else 0.3
    if len(plain) >= 3 * DEEP:
        sure += 0.2
    less = shallower(with_hidden_activation(network, "relu", only=("sigmoid", "exp", "softmax")), 2)
    return [Finding(
        "arch.too_deep",
        f"{len(plain)} dense layers of about {width} units follow one another without normalisation.", "note", sure,
        (Measured("hidden layers", len(plain), f"fewer than {DEEP}, or normalised"),
         Measured("units a layer", width, "more when deep")),
        Where(), (network_change(network, less), network_change(network, with_batch_norm(network))),
        "Several seeds learn alike.",
    )]  # fmt: skip


def _narrow(case: Case, before: list[Group]) -> list[Finding]:
    network = case.network
    cures = (network_change(network, wider(network, WIDE_ENOUGH)), network_change(network, healthy(network)))
    if not before:
        return [Finding(
            "arch.too_little_capacity", "There is no hidden layer: the network is a linear model.", "note", 0.3,
            (Measured("hidden layers", 0, "1 or 2"),), Where(layer=1), cures[1:], "A linear model is what the data need.",
        )]  # fmt: skip
    # A map has many places: layers of pictures are not narrow.
    units = [g.width if isinstance(g.weighted, Dense) else PLACES * g.width for g in before]
    least = min(units)
    at = before[units.index(least)]
    around = [*(units[at.number - 2 : at.number - 1]), *units[at.number : at.number + 1]]
    of = target(case)
    inputs = int(np.prod(network.input_shape))
    sure = 0.0
    if least == 1:
        sure = 0.8 if inputs > 1 or around else 0.5
    elif least == 2 or (around and least * 4 <= min(around) and least <= 4):
        sure = 0.55 if least == 2 else 0.3
    elif output(network).width > 3 and least < (output(network).width - 1) / 2:
        sure = 0.4
    elif sum(units) <= 4:
        sure = 0.3
    elif max(units) <= 8:
        sure = 0.12
    if not sure:
        return []
    if of.kind == "classes" and least < of.classes - 1 and least <= 2:
        sure = min(0.85, sure + 0.05)
    what = "unit" if least == 1 else "units"
    return [Finding(
        "arch.too_little_capacity",
        f"Layer {at.number} has {least} {what}: all that the output knows of an input passes there.",
        "note", sure,
        (Measured("units of the narrowest hidden layer", least, f"{WIDE_ENOUGH // 2} or more"),
         Measured("hidden units in all", sum(units), f"{WIDE_ENOUGH} or more")),
        Where(layer=at.number), cures, "A wider network reaches no better score on the training rows.",
    )]  # fmt: skip


def _large(case: Case) -> list[Finding]:
    if case.derivation is None or not case.rows:
        return []
    count, network = case.derivation.parameter_count, case.network
    if count <= 20 * case.rows or all(
        isinstance(g.weighted, Dense) and g.width <= WIDE_ENOUGH for g in groups(network)
    ):
        return []
    small = healthy(network) if len(network.input_shape) == 1 else network
    cures = [Change("l2 → 0.001", {"l2": 1e-3})]
    if small != network:
        cures.insert(0, network_change(network, small))
    return [Finding(
        "arch.too_much_capacity", f"The network has {count:,} parameters and the data {case.rows:,} rows.", "note",
        0.15 if count > 100 * case.rows else 0.08,
        (Measured("parameters a row", count / case.rows, "below 20; more is often harmless"),), Where(), tuple(cures),
        "Held-out rows are predicted as well as training rows.",
    )]  # fmt: skip


def _normalisation(case: Case) -> list[Finding]:
    norms = [g for g in groups(case.network) if g.normalised]
    if not norms:
        return []
    momentum = min(f.momentum for g in norms for f in g.following if hasattr(f, "momentum"))
    settled, size = momentum * case.updates, case.batch_size
    without = network_change(case.network, without_batch_norm(case.network))
    if size <= 4:
        sure = {1: 0.95, 2: 0.7}.get(size, 0.35)
        return [Finding(
            "arch.batch_norm",
            "A batch of one row normalised over itself is 0 whatever the row is." if size == 1
            else f"Batches of {size} rows are normalised by a mean and a deviation of {size} numbers.",
            "note", sure, (Measured("rows a batch", size, "16 or more"),), Where(layer=norms[0].number),
            (Change(f"batch_size {size} → 32", {"batch_size": 32}), without), "The maps are large, so a batch has many places.",
        )]  # fmt: skip
    if settled < 3:
        return [Finding(
            "arch.batch_norm",
            f"{case.updates} updates are too few for the running mean and variance that predictions use "
            f"(each takes {momentum:g} of the new).", "note", 0.6,
            (Measured("momentum times updates", settled, "3 or more"),), Where(layer=norms[0].number),
            (without, Change(f"epochs {case.epochs:,} → {case.epochs * 10:,}", {"epochs": case.epochs * 10})),
            "Held-out rows are predicted as well as training rows.",
        )]  # fmt: skip
    return []


# Penalties and dropout.


@np.errstate(all="ignore")
def check_penalties(case: Case) -> list[Finding]:
    """Suspicions about weight penalties and dropout."""
    return [*_penalty(case), *_dropout(case)]


def _penalty(case: Case) -> list[Finding]:
    l1, l2 = float(case.settings.get("l1") or 0.0), float(case.settings.get("l2") or 0.0)
    decay = case.optimizer.weight_decay if isinstance(case.optimizer, AdamW) else 0.0
    of = target(case)
    # A penalty is weighed against the cost of guessing: about 1 for classes, half the variance for numbers.
    guessing = 1.0
    if of.kind == "numbers" and len(of.values):
        guessing = max(float(0.5 * of.values.var(axis=0).sum()), 1e-12)
    measured, said, sure, settings = [], [], 0.0, {}
    steps = ((0.5, 0.93), (0.08, 0.85), (0.03, 0.55), (0.009, 0.3), (0.003, 0.15))
    for name, strength, weigh in (("l2", l2, 1.0), ("l1", l1, 3.0)):
        if strength <= 0:
            continue
        against = weigh * strength / guessing
        sure = max(sure, next((c for least, c in steps if against >= least), 0.0))
        measured.append(Measured(name, strength, f"{number(1e-4 * guessing)} or less"))
        said.append(f"{name} {number(strength)} → 0")
        settings[name] = 0.0
    if decay >= 0.1:
        sure = max(sure, 0.7 if decay * case.learning_rate >= 0.01 else 0.2)
        measured.append(Measured("weight_decay", decay, "0.01"))
    if not sure:
        return []
    start = case.start
    if start is not None and "R" in start and "L" in start:
        measured.append(
            Measured("penalty at the start", float(start["R"]), f"well below the cost, {number(float(start['L']))}")
        )
    cures = []
    if settings:
        cures.append(Change(", ".join(said), settings))
        small = dict.fromkeys(settings, 1e-4 * min(1.0, guessing))
        cures.append(
            Change(
                ", ".join(w.replace("→ 0", f"→ {number(v)}") for w, v in zip(said, small.values(), strict=True)), small
            )
        )
    if decay >= 0.1 and isinstance(case.optimizer, AdamW):
        from dataclasses import replace

        cures.append(
            Change(f"weight_decay {decay:g} → 0.01", {"optimizer": replace(case.optimizer, weight_decay=0.01)})
        )
    return [Finding(
        "reg.too_strong", f"A penalty of {measured[0].name} = {number(measured[0].value)} pulls the weights to 0.", "note",
        sure, tuple(measured), Where(equation="J"), tuple(cures),
        "The weights grow in training, and the penalty stays below the cost.",
    )]  # fmt: skip


def _dropout(case: Case) -> list[Finding]:
    network = case.network
    dropped = [g for g in groups(network) if g.dropout > 0]
    before = [layer for layer in network.layers[:1] if isinstance(layer, Dropout) and layer.rate > 0]
    if not dropped and not before:
        return []
    rate = max([g.dropout for g in dropped] + [layer.rate for layer in before])
    kept = min((g.width * (1 - g.dropout) for g in dropped if isinstance(g.weighted, Dense)), default=np.inf)
    at_output = any(g.number == output(network).number for g in dropped)
    sure = next(
        (c for least, c in ((0.9, 0.88), (0.8, 0.8), (0.7, 0.65), (0.55, 0.45), (0.5, 0.1)) if rate >= least), 0.0
    )
    sure = max(
        sure, next((c for most, c in ((2.01, 0.85), (4.01, 0.6), (8.01, 0.4), (12.01, 0.2)) if kept <= most), 0.0)
    )
    if len(dropped) > 1 and rate >= 0.3 and kept < 20:
        sure = max(sure, 0.4 + 0.1 * min(len(dropped) - 2, 2))
    if at_output:
        sure = max(sure, 0.85)
    if not sure:
        return []
    at = next((g for g in dropped if g.dropout == rate), None)
    measured = [Measured("dropout", rate, "0.1 to 0.5 on wide layers")]
    if np.isfinite(kept):
        measured.append(Measured("units left on average in the narrowest layer", float(kept), "12 or more"))
    cures = [network_change(network, without_dropout(network))]
    if rate > 0.2:
        cures.append(network_change(network, with_dropout(network, 0.2)))
    if np.isfinite(kept) and kept < 12:
        cures.append(network_change(network, wider(network, 64)))
    where = "the outputs themselves" if at_output else f"{rate:.0%} of the units"
    said = f"Dropout leaves {where} out" + (
        "."
        if at_output or not np.isfinite(kept)
        else f"; about {number(float(kept))} units are left in the narrowest layer."
    )
    return [Finding(
        "reg.dropout_too_high", said, "note", sure, tuple(measured), Where(layer=at.number if at else None), tuple(cures),
        "Without dropout the training rows are learnt no better.",
    )]  # fmt: skip
