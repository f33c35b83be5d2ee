"""The update of the direct methods, written out: the normal equations, and Newton's step.

Both need how the slope dZ changes with the scores Z. That is not typed in: it is the derivative of the backward line
dZ1, by the chain rule that wrote the line itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from glassnet.equations.differentiate import gradients
from glassnet.equations.expression import Constant, Expression, MatMul, Symbol, Transpose, replace, walk
from glassnet.equations.layers import Equation, Forward
from glassnet.equations.matrices import (
    Diagonal,
    FirstRow,
    Jacobian,
    KroneckerSum,
    OtherRows,
    Solved,
    Stacked,
    WithOnes,
)
from glassnet.equations.optimizers import ALPHA, LeastSquares, Newton
from glassnet.equations.simplify import add, simplified, tidied
from glassnet.errors import GlassnetError

if TYPE_CHECKING:
    from glassnet.equations.functions import FunctionKind
    from glassnet.equations.losses import Loss

CANONICAL = {
    ("mean_squared_error", "linear"), ("binary_cross_entropy", "sigmoid"), ("categorical_cross_entropy", "softmax"),
    ("poisson", "exp"),
}  # fmt: skip
"""Losses over the output activation whose link is theirs: the cost is convex in the weights."""


def check_direct(optimizer: LeastSquares | Newton, forward: Forward, loss: Loss, head: FunctionKind, l1: float) -> None:
    """Refuse what no direct method can fit.

    Raises
    ------
    GlassnetError : more than one layer, another loss or activation, an L1 penalty
    """
    name = type(optimizer).__name__
    dense = [p for p in forward.parameters if p.role == "weight"]
    if (
        len(dense) != 1
        or forward.masks
        or forward.buffers
        or any(p.role in ("scale", "shift") for p in forward.parameters)
    ):
        found = f"{len(dense)} Dense layers" if len(dense) != 1 else "other layers beside its Dense layer"
        raise GlassnetError(
            f"{name} got a network with {found}; it fits one Dense layer alone. For others use LBFGS(), Adam() or SGD()."
        )
    pair = (loss.name, head.name)
    wanted = {("mean_squared_error", "linear")} if isinstance(optimizer, LeastSquares) else CANONICAL
    if pair not in wanted:
        known = "; ".join(f"{a} over {b}" for a, b in sorted(wanted))
        raise GlassnetError(f"{name} got {loss.name} over a {head.name} output; it fits {known}. Use LBFGS() instead.")
    if l1:
        raise GlassnetError(
            f"{name} got l1={l1:g}, whose slope has a corner at 0; use gradient descent (LogisticRegression and "
            "LinearRegression with method='gradient_descent'), or l2."
        )


def slope_by_scores(forward: tuple[Equation, ...], backward: tuple[Equation, ...]) -> Expression:
    """The right-hand side of dZ1 as a tree in Z1 and Y alone."""
    lines = {e.name: e for e in (*forward, *backward)}
    expression: Expression = Symbol("dZ1", lines["Z1"].shape)
    for name in ("dZ1", "dA1", "A1"):
        if name in lines:
            expression = replace(expression, {Symbol(name, lines[name].shape): lines[name].expression})
    return expression


def curvature_along(slope: Expression, scores: Symbol, direction: Expression) -> Expression:
    """The Jacobian of the slope by the scores, times a direction, by the chain rule."""
    along: Expression = Constant(0.0)
    for symbol, gradient, _ in gradients(slope, direction):
        if symbol == scores:
            along = add(along, gradient)
    return tidied(along)


def direct_updates(
    optimizer: LeastSquares | Newton,
    forward: Forward,
    backward: tuple[Equation, ...],
    l2: float,
    penalty_on: str,
    weighted: bool,
) -> list[Equation]:
    """The lines of one step: for least squares the whole fit, for Newton's method one of its iterations."""
    W = next(p.symbol for p in forward.parameters if p.role == "weight")
    b = next((p.symbol for p in forward.parameters if p.role == "bias"), None)
    X = Symbol("X", ("m", int(W.shape[0])))
    outputs, rows = int(W.shape[1]), int(W.shape[0]) + (b is not None)
    lines: list[Equation] = []

    def line(name: str, expression: Expression, why: str) -> Symbol:
        lines.append(Equation(name, "update", 1, expression, why))
        return Symbol(name, expression.shape)

    inputs: Symbol = (
        X if b is None else line("Xo", WithOnes(X), "the inputs with a column of ones: its weight is the bias")
    )
    scores = Symbol("Z1", ("m", outputs))
    slope = slope_by_scores(tuple(forward.equations), backward)
    known = {e.expression: Symbol(e.name, e.shape) for e in forward.equations if e.name == "A1"}
    total: Expression = Symbol("S") if weighted else Symbol("m")
    strength = Constant(l2, "λ")
    penalty: Expression = strength if penalty_on == "mean" else strength / total
    if isinstance(optimizer, LeastSquares):
        one_row = Constant(1.0)
        each = simplified(tidied(curvature_along(slope, scores, one_row) * total))
        if any(isinstance(node, Symbol) and node.name in ("Z1", "Y") for node in walk(each)):
            raise GlassnetError("LeastSquares needs a slope that is linear in the scores; use Newton().")
        scaled = inputs if each == one_row else each * inputs
        targets: Expression = Symbol("Y", scores.shape)
        right = targets if each == one_row else each * targets
        normal = MatMul(Transpose(inputs), scaled)
        matrix: Expression = normal
        if l2:
            held = Diagonal(rows, 1, b is not None)
            matrix = normal + simplified(total * penalty) * held
        N = line("N1", matrix, "the normal equations N θ = r: where every slope is 0 (solved by a QR of the inputs)")
        r = line("r1", MatMul(Transpose(inputs), right), "their right-hand side")
        theta = line("theta1", Solved(N, r), "the coefficients, bias first" if b is not None else "the coefficients")
        return [*lines, *_assigned(W, b, theta, None)]
    if outputs == 1:
        along = replace(curvature_along(slope, scores, Constant(1.0)), known)
        c = line("c1", along, "how each slope changes with its score: ∂dZ1/∂Z1")
        hessian: Expression = MatMul(Transpose(inputs), c * inputs)
    else:
        direction = Symbol("v", scores.shape)
        along = replace(curvature_along(slope, scores, direction), known)
        c = line("c1", Jacobian(along, direction), "∂dZ1/∂Z1 of each sample, column by column: v is each unit vector")
        hessian = KroneckerSum(c, inputs)
    if l2:
        hessian = hessian + penalty * Diagonal(rows, outputs, b is not None)
    H = line("H1", hessian, "the curvature of J, by every pair of parameters")
    dW, db = Symbol("dW1", W.shape), None if b is None else Symbol("db1", b.shape)
    g = line("g1", Stacked(db, dW), "the slopes, the bias's first") if db is not None else dW
    alike = outputs > 1 and (not l2 or b is not None)
    s = line("s1", Solved(H, g, alike), "to the minimum of the parabola that touches J here")
    return [*lines, *_assigned(W, b, s, (W, b))]


def _assigned(
    W: Symbol, b: Symbol | None, change: Symbol, before: tuple[Symbol, Symbol | None] | None
) -> list[Equation]:
    """The last lines: W1 and b1 from the stacked solution, or less the stacked step."""
    parts: list[tuple[Symbol, Expression]] = [(W, change if b is None else OtherRows(change))]
    if b is not None:
        parts.append((b, FirstRow(change)))
    result = []
    for symbol, part in parts:
        value = part if before is None else symbol - ALPHA * part
        why = "the solution" if before is None else "Newton's step: α is 1, and halved while J would rise"
        result.append(Equation(symbol.name, "update", 1, value, why))
    return result
