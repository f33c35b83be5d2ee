"""What the layers of a training show: gradients that vanish or explode, dead and saturated units; the rest: limit_checks.py."""

from __future__ import annotations

import math

import numpy as np

from glassnet.diagnosis import training_cures as cures
from glassnet.diagnosis.course import Course
from glassnet.diagnosis.evidence import LayerLook, Look
from glassnet.diagnosis.findings import Finding, Measured, Where, number
from glassnet.diagnosis.limit_checks import check_capacity, check_dropout, check_penalty
from glassnet.diagnosis.network_changes import (
    healthy,
    network_change,
    shallower,
    with_batch_norm,
    with_hidden_activation,
    with_output,
)

EXPLODED = 1e3


def check_layers(course: Course) -> list[Finding]:
    """All checks of layers."""
    found: list[Finding] = []
    for check in (
        check_vanishing, check_exploding, check_dead, check_saturated, check_updates, check_frozen, check_base_rate,
        check_symmetric, check_capacity, check_penalty, check_dropout,
    ):  # fmt: skip
        found += check(course)
    return found


def check_vanishing(course: Course) -> list[Finding]:
    """The gradient is far smaller in the first layer than in the last."""
    start, middle = course.evidence.start, course.evidence.middle
    if len(start.layers) < 3:
        return []
    falls = [_fall(look) for look in (start, middle)]
    fall = falls[0]
    if not course.vanishes:
        return []
    deep = with_hidden_activation(course.case.network, "relu", only=("sigmoid", "tanh", "softmax"))
    few = shallower(course.case.network, 2)
    return [
        Finding(
            "training.vanishing_gradient",
            f"At the start the gradient is {number(fall)} times as large in layer 1 as in layer "
            f"{start.layers[-1].layer}.",
            confidence=0.6 if course.guesses else 0.3,
            measured=(
                Measured("gradient of the first layer / of the last, at the start", fall, "0.1 to 10"),
                Measured("the same in the middle of the training", falls[1], "0.1 to 10"),
            ),
            where=Where(layer=1, equation=f"dW{start.layers[0].layer}", epochs=(0, middle.epoch)),
            cures=tuple(
                network_change(course.case.network, n)
                for n in (deep, few, with_batch_norm(course.case.network))
                if n != course.case.network
            ),
            false_alarm="A network with fewer layers would end no better.",
        )
    ]


def _fall(look: Look) -> float:
    """Gradient of the first layer over the last one's, root mean squares."""
    last = look.layers[-1].gradient_rms
    return look.layers[0].gradient_rms / last if last > 0 else math.nan


def check_exploding(course: Course) -> list[Finding]:
    """The gradient grows towards the first layer, or in the course of the training, by orders of magnitude."""
    start = course.evidence.start
    rise = _fall(start) if len(start.layers) > 2 else 1.0
    norms = course.run.history["gradient_norm"] if course.epochs else np.ones(1)
    first = start.gradient_norm
    growth = float(np.nanmax(norms)) / first if first > 0 and not np.isnan(norms).all() else 1.0
    scale = _input_scale(course)
    if not (rise / scale > 100 or growth > EXPLODED):
        return []
    said, measured = [], []
    if rise > 10:
        said.append(f"at the start {number(float(f'{rise:.3g}'))} times as large in layer 1 as in the last")
        measured.append(Measured("gradient of the first layer / of the last, at the start", rise, "0.1 to 10"))
    if growth > 100:
        times = f"up to {number(float(f'{growth:.3g}'))} times its first norm"
        said.append(f"later {times if math.isfinite(growth) else 'infinite'}")
        measured.append(Measured("largest gradient norm of an epoch / the first", growth, "below 100"))
    return [
        Finding(
            "arch.exploding_gradient",
            f"The gradient is large: {' and '.join(said)}.",
            confidence=0.55 if growth > EXPLODED and course.run.status == "diverged" else 0.4,
            measured=tuple(measured),
            where=Where(layer=1, equation=f"dW{start.layers[0].layer}"),
            cures=(*cures.fresh_start(course.case), *cures.times_rate(course.case, 0.1)),
            false_alarm="With weights started as suits the activations the training would end no better.",
        )
    ]


def _input_scale(course: Course) -> float:
    """Root mean square of the inputs, at least 1: the first layer's gradient grows with them."""
    data = course.run.data
    if data is None:
        return 1.0
    X = data.X[:512] if isinstance(data.X, np.ndarray) else data.X[:512].toarray()
    return max(1.0, float(np.sqrt((np.asarray(X, dtype=np.float64) ** 2).mean())))


def check_dead(course: Course) -> list[Finding]:
    """Units that are 0 for every row at the end."""
    end = course.evidence.end
    output = end.layers[-1]
    found = []
    if output.activation == "relu" and output.dead:
        better = with_output(course.case.network, "sigmoid" if course.evidence.metric == "accuracy" else "linear")
        found.append(
            Finding(
                "out.relu_output",
                f"{len(output.dead)} of {output.units} outputs "
                f"{'is' if len(output.dead) == 1 else 'are'} 0 for every row, where relu has no slope.",
                confidence=0.85,
                measured=(Measured("outputs that are 0 for every row", len(output.dead), "0"),),
                where=Where(layer=output.layer, units=output.dead, equation=output.values),
                cures=(network_change(course.case.network, better),),
                false_alarm="The targets would be 0 there too.",
            )
        )
    dying = [layer for layer in end.layers[:-1] if layer.activation == "relu" and layer.dead]
    if not dying:
        return found
    worst = max(dying, key=lambda layer: (len(layer.dead) / layer.units, -layer.layer))
    share = len(worst.dead) / worst.units
    when = _when_died(course, worst)
    strength = 0.9 if worst.all_dead else 0.55 if share >= 0.8 else 0.35 if share >= 0.5 else 0.12
    case = course.case
    if when > 0 and any(layer.update_ratio > 0.1 for look in course.evidence.looks[:2] for layer in look.layers):
        strength *= 0.9  # steps that large are why they died
    dead, whole = len(worst.dead), sum(layer.all_dead for layer in dying)
    said = (
        f"All units of layer {worst.layer} are"
        if worst.all_dead
        else f"{dead} of the {worst.units} units of layer {worst.layer} {'is' if dead == 1 else 'are'}"
    )
    found.append(
        Finding(
            "arch.dying_relu",
            f"{said} 0 for every row"
            + (", from the start." if when == 0 else f", since iteration {when} or shortly before."),
            confidence=strength,
            measured=(
                Measured(f"dead units of layer {worst.layer}", len(worst.dead), f"fewer than half of {worst.units}"),
                *((Measured("layers that are wholly dead", whole, "0"),) if whole else ()),
                Measured("iteration looked at at which they were first seen dead", when, "never"),
            ),
            where=Where(layer=worst.layer, units=worst.dead, equation=worst.values),
            cures=(*cures.living_units(case), *cures.times_rate(case, 0.1)),
            false_alarm="The other units would be enough, and the score as good with leaky relu.",
        )
    )
    return found


def _when_died(course: Course, layer: LayerLook) -> int:
    """The first iteration looked at by which these units were dead."""
    wanted = set(layer.dead)
    for look in course.evidence.looks:
        if wanted <= set(look.layers[layer.layer - 1].dead):
            return look.iteration
    return course.evidence.end.iteration


def check_saturated(course: Course) -> list[Finding]:
    """Hidden units of tanh or sigmoid that lie where their slope has gone."""
    end = course.evidence.end
    worst = max(end.layers[:-1], key=lambda layer: layer.saturated, default=None)
    if worst is None or worst.saturated < 0.7:
        return []
    at_start = course.evidence.start.layers[worst.layer - 1].saturated
    return [
        Finding(
            "training.saturated_units",
            f"{worst.saturated:.0%} of the values of {worst.values} lie where {worst.activation} is flat.",
            confidence=(0.45 if course.guesses else 0.3) if worst.saturated > 0.9 else 0.15,
            measured=(
                Measured(f"share of {worst.values} that is saturated at the end", worst.saturated, "below 0.7"),
                Measured("the same at the start", at_start, "below 0.3"),
            ),
            where=Where(layer=worst.layer, equation=worst.values),
            cures=(*cures.times_rate(course.case, 0.1), *cures.fresh_start(course.case)),
            false_alarm="Units that answer yes or no would be what the task asks for.",
        )
    ]


def check_updates(course: Course) -> list[Finding]:
    """Layers whose updates are far from a thousandth of their weights."""
    middle = course.evidence.middle
    odd = [layer for layer in middle.layers if layer.update_ratio < 1e-6 or layer.update_ratio > 0.1]
    if not odd:
        return []
    worst = max(odd, key=lambda layer: abs(math.log10(max(layer.update_ratio, 1e-30)) + 3))
    large = worst.update_ratio > 0.1
    times = number(float(f"{worst.update_ratio:.3g}"))
    did = (
        f"did not change W{worst.layer}"
        if worst.update_ratio == 0
        else f"made an update of W{worst.layer} that is {times} times as large as the weights"
    )
    return [
        Finding(
            "training.update_ratio",
            f"Iteration {middle.iteration:,} {did}.",
            confidence=0.3 if course.guesses else 0.12,
            measured=(
                Measured(f"update / weight of W{worst.layer}", worst.update_ratio, "about 0.001"),
                Measured("layers far from it", len(odd), "0"),
            ),
            where=Where(layer=worst.layer, equation=f"W{worst.layer}", epochs=(middle.epoch, middle.epoch)),
            cures=() if worst.update_ratio == 0 else cures.times_rate(course.case, 0.1 if large else 10),
            false_alarm="The training would have found its least cost by then, where updates are small.",
        )
    ]


def check_frozen(course: Course) -> list[Finding]:
    """Weights that are at the end exactly what they were at the start."""
    frozen = course.evidence.frozen
    if not frozen:
        return []
    layer = int(frozen[0][1:])
    start = course.evidence.start.layers[layer - 1]
    return [
        Finding(
            "arch.frozen",
            f"{', '.join(frozen)} never {'change' if len(frozen) > 1 else 'changes'}: the gradient is "
            f"{number(start.gradient_norm)} at the start.",
            confidence=0.5 if start.gradient_norm == 0 else 0.6,
            measured=(
                Measured("weights that never change", len(frozen), "0"),
                Measured(f"gradient norm of layer {layer} at the start", start.gradient_norm, "above 0"),
            ),
            where=Where(layer=layer, equation=f"dW{layer}"),
            cures=(*cures.living_units(course.case), *cures.times_rate(course.case, 100)),
            false_alarm="It would be meant so.",
        )
    ]


def check_base_rate(course: Course) -> list[Finding]:
    """The predictions are all alike."""
    end, evidence = course.evidence.end, course.evidence
    classes = bool(end.shares)
    data = course.run.data
    assert data is not None
    wanted = float(np.asarray(data.Y, dtype=np.float64).std(axis=0).mean())
    narrow = wanted > 0 and end.output_spread < 0.05 * wanted
    most = max(end.shares, default=0.0)
    stuck = classes and most > 0.98 and max(evidence.shares) < 0.95
    if not (narrow or stuck):
        return []
    measured = [
        Measured("spread of the outputs over the rows", end.output_spread, f"{number(wanted)}, that of the targets")
    ]
    said = (
        f"The predictions are all alike: over the rows they vary by {number(end.output_spread)}, the targets by "
        f"{number(wanted)}."
    )
    if stuck:
        said = f"The predictions are all alike: {most:.0%} of the rows are said to be of one class."
    if classes:
        measured.append(
            Measured(
                "share of the class most often predicted",
                most,
                f"{number(max(evidence.shares))}, its share of the rows",
            )
        )
    known = {look.iteration: look.output_spread for look in evidence.looks}
    return [
        Finding(
            "training.base_rate",
            said,
            confidence=0.45,
            measured=(*measured, Measured("spread of the outputs at the start", known[min(known)], "above 0")),
            where=Where(layer=end.layers[-1].layer, equation=course.run.derivation.output.name),
            cures=(
                network_change(course.case.network, healthy(course.case.network)),
                *cures.adam(course.case),
                *cures.fresh_start(course.case),
            ),
            false_alarm="The features would say nothing about the target.",
        )
    ]


def check_symmetric(course: Course) -> list[Finding]:
    """The units of a hidden layer have the same weights from the first iteration to the last."""
    end, start = course.evidence.end, course.evidence.start
    alike = [layer.layer for layer in end.layers[:-1] if layer.alike and start.layers[layer.layer - 1].alike]
    if not alike:
        return []
    return [
        Finding(
            "init.symmetric",
            f"The units of layer {alike[0]} start equal and stay equal: together they are one unit.",
            confidence=0.85,
            measured=(Measured("layers whose units are all alike at the end", len(alike), "0"),),
            where=Where(layer=alike[0], equation=f"W{alike[0]}"),
            cures=cures.fresh_start(course.case),
            false_alarm="One unit a layer would be enough.",
        )
    ]
