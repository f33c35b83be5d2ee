"""A loss of one's own as a function: where it is flat, where it is least, what known loss it is a multiple of."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from glassnet.diagnosis.case import Case
from glassnet.diagnosis.changes import Change
from glassnet.diagnosis.findings import Finding, Measured, Where, number
from glassnet.diagnosis.fitting_output import Target, bounds, fitting_loss, fitting_output, target, two_units_instead
from glassnet.diagnosis.network_changes import output
from glassnet.equations.functions import activation
from glassnet.equations.losses import LOSSES, Loss
from glassnet.equations.optimizers import LBFGS, Adagrad, Adam, LeastSquares, Newton, RMSprop

INSIDE = np.linspace(0.02, 0.98, 49)
MULTIPLES_HARMLESS = (0.02, 5.0)
"""A loss this many times a known one trains alike: a factor of 2 or 1/k is a matter of taste."""


def entries(loss: Loss, y: np.ndarray, a: np.ndarray) -> np.ndarray:
    """The loss of each target y (rows) at each output a (columns)."""
    rows, columns = np.broadcast_arrays(
        np.asarray(y, dtype=np.float64)[:, None], np.asarray(a, dtype=np.float64)[None, :]
    )
    with np.errstate(all="ignore"):
        value = loss.entry.evaluate({"y": np.array(rows), "a": np.array(columns)}, np)
    return np.broadcast_to(np.asarray(value, dtype=np.float64), rows.shape)


def check_own_loss(case: Case) -> list[Finding]:
    """Suspicions about a loss that is not one of the known ones."""
    loss = case.settings.get("loss")
    if not isinstance(loss, Loss) or loss.name in LOSSES:
        return []
    of = target(case)
    turned = _turned(case, loss, of)
    if turned:
        return turned
    return [*_multiple(case, loss), *_clipped(case, loss, of), *_logarithm(case, loss)]


def multiple_of(loss: Loss) -> tuple[str, float] | None:
    """The known loss that this one is c times, and c; None when it is no such multiple."""
    y = np.array([0.0, 0.25, 1.0])
    mine = entries(loss, y, INSIDE)
    if not np.isfinite(mine).all():
        return None
    for name, known in LOSSES.items():
        if name in ("perceptron", "hinge"):
            continue
        theirs = entries(known, y, INSIDE)
        size = np.abs(theirs) > 1e-9
        factor = float(np.median(mine[size] / theirs[size]))
        if factor and np.allclose(mine, factor * theirs, rtol=1e-3, atol=1e-3 * abs(factor)):
            return name, factor
    return None


def _multiple(case: Case, loss: Loss) -> list[Finding]:
    """A sum in the place of a mean."""
    known = multiple_of(loss)
    if known is None or MULTIPLES_HARMLESS[0] <= known[1] < MULTIPLES_HARMLESS[1] or known[1] < 0:
        return []
    name, c = known
    unaffected = isinstance(case.optimizer, Adam | RMSprop | Adagrad)
    near = any(0.5 <= c / n <= 2 for n in (case.batch_size, case.rows))
    sure = 0.1 if unaffected else min(0.9, 0.35 + 0.2 * abs(math.log10(c)) + (0.1 if near else 0.0))
    rate = case.learning_rate
    cures = [Change(f"loss {loss.name} → {name}", {"loss": name})]
    if not unaffected and np.isfinite(rate / c) and not isinstance(case.optimizer, LBFGS | LeastSquares | Newton):
        slower = replace(case.optimizer, learning_rate=rate / c)
        cures.append(Change(f"learning_rate {number(rate)} → {number(rate / c)}", {"optimizer": slower}))
    return [Finding(
        "loss.reduction",
        f"{loss.name} is {number(c)} times {name}: learning_rate {number(rate)} has the effect of {number(c * rate)}.",
        "note", sure, (Measured(f"{loss.name} / {name}", c, "1; 2 or 1/k are harmless"),
                       Measured("rate in effect", c * rate, number(rate))), Where(equation="J"), tuple(cures),
        "The learning rate was chosen for this loss.",
    )]  # fmt: skip


def _clipped(case: Case, loss: Loss, of: Target) -> list[Finding]:
    """Flat outside [0, 1], or not a number there, while the outputs can be outside."""
    last = output(case.network)
    low, high = bounds(activation(last.kind))
    y = np.array([0.0, 1.0])
    outside = [
        a
        for a in (np.linspace(-4, -0.1, 40), np.linspace(1.1, 5, 40))
        if (a[0] < 0 and low < 0) or (a[0] > 0 and high > 1)
    ]
    inside = entries(loss, y, INSIDE)
    moves = np.ptp(inside, axis=1) > 1e-9
    at_zero_one = last.activation in ("relu", "step")
    if not moves.any() or not (outside or at_zero_one) or of.kind == "numbers":
        return _one_sided(case, loss, of, moves)
    flat, undefined = True, False
    for a in outside:
        values = entries(loss, y, a)[moves]
        undefined |= bool(np.isnan(values).any())
        flat &= bool(np.isnan(values).any() or (np.ptp(values, axis=1) < 1e-9).all())
    if not flat:
        return []
    head = last.activation
    if low >= 0 and head != "softplus" and head != "exp":
        kind = "out.relu_output"
    else:
        kind = (
            "out.missing_softmax" if of.kind == "classes" and case.network.output_units > 1 else "out.missing_sigmoid"
        )
    why = "is no number" if undefined else "has no slope"
    others = two_units_instead(case) if kind == "out.missing_sigmoid" else []
    return [Finding(
        kind,
        f"{loss.name} takes the outputs for probabilities and {why} outside 0 to 1, where a {head} output may be.",
        "note", 0.88,
        (Measured("slope of the loss below 0 and above 1", "none" if undefined else 0, "outputs stay in 0 to 1"),
         Measured("output", head, fitting_output(case).said)),
        Where(layer=last.number, equation=f"A{last.number}"), (fitting_output(case),),
        "Almost all outputs start and stay between 0 and 1.",
    ), *others]  # fmt: skip


def _one_sided(case: Case, loss: Loss, of: Target, moves: np.ndarray) -> list[Finding]:
    """−y log a under sigmoids: the outputs of the wrong classes have no slope."""
    last = output(case.network)
    if last.activation != "sigmoid" or of.kind != "classes" or moves[0] or not moves[1]:
        return []
    units = case.network.output_units
    return [Finding(
        "out.sigmoid_multiclass" if units > 1 else "loss.wrong_kind",
        f"{loss.name} has no slope where the target is 0, so only the true class pulls its sigmoid, always upwards.",
        "note", 0.6, (Measured("slope at y = 0", 0, "above 0"),), Where(layer=last.number, equation=f"A{last.number}"),
        (fitting_output(case),), "The outputs are divided by their sum elsewhere.",
    )]  # fmt: skip


def _turned(case: Case, loss: Loss, of: Target) -> list[Finding]:
    """Least somewhere else than at a = y: it falls as the prediction moves away."""
    if of.kind == "numbers" and len(of.values):
        y = np.unique(np.quantile(of.values, [0.1, 0.5, 0.9]))
        width = max(float(np.ptp(of.values)), 1e-9)
        a = np.linspace(float(y[0]) - width, float(y[-1]) + width, 401)
    else:
        y = np.array([-1.0, 1.0]) if (of.values == -1).any() else np.array([0.0, 1.0])
        a = np.linspace(float(y[0]) + 1e-3, 1 - 1e-3, 401)
    values = entries(loss, y, a)
    worst = []
    for target_value, row in zip(y, values, strict=True):
        known = np.isfinite(row)
        if known.sum() < 50 or np.ptp(row[known]) < 1e-9:
            continue
        at = row[known][np.argmin(np.abs(a[known] - target_value))]
        worst.append(float((at - row[known].min()) / np.ptp(row[known])))
    if not worst or min(worst) < 0.5:
        return []
    return [Finding(
        "opt.sign", f"{loss.name} is smaller the further the prediction is from the target, so training moves away from it.",
        "note", 0.95, (Measured("cost at a = y, from 0 (least) to 1 (most)", min(worst), "0"),), Where(equation="J"),
        (fitting_loss(case), fitting_output(case)), "The target is what is to be avoided.",
    )]  # fmt: skip


def _logarithm(case: Case, loss: Loss) -> list[Finding]:
    """A logarithm that meets 0 when an output is exactly 0 or 1."""
    at_ends = entries(loss, np.array([0.0, 1.0]), np.array([0.0, 1.0]))
    inside = entries(loss, np.array([0.0, 1.0]), INSIDE)
    if np.isfinite(at_ends).all() or not np.isfinite(inside).all():
        return []
    last = output(case.network)
    exact = last.activation in ("relu", "step", "linear")
    return [Finding(
        "loss.log_of_zero", f"{loss.name} is not finite where an output is exactly 0 or 1.", "note", 0.6 if exact else 0.2,
        (Measured("cost at y = 1, a = 0", float(at_ends[1, 0]), "finite"),
         Measured("cost at y = 0, a = 1", float(at_ends[0, 1]), "finite")), Where(equation="J"),
        (fitting_loss(case),), "No output ever comes to exactly 0 or 1.",
    )]  # fmt: skip
