"""Curvature: how every gradient changes as the parameters move along a direction, as equations.

`curvature_equations` differentiates each line of a derivation, forward and backward, along a direction V of the
parameters (Pearlmutter's R-operator):

    R{f} = ∂/∂r f(θ + r V) at r = 0,      R{dW} = the rows of H V that belong to W,  H = ∂²J/∂θ²

so that the product of the Hessian with a vector costs about two steps, and the Hessian itself is never written down.
A gradient line that was simplified is differentiated as it stands: it equals the slope everywhere.

Source: Pearlmutter, Fast exact multiplication by the Hessian, 1994.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from glassnet.equations.derive import Derivation
from glassnet.equations.differentiate import derivative, is_elementwise, leaves
from glassnet.equations.expression import (
    Add,
    Expression,
    Function,
    MatMul,
    Mean,
    Multiply,
    Shape,
    Sum,
    Symbol,
    Transpose,
    broadcast_shapes,
    replace,
    shape_text,
    symbols,
)
from glassnet.equations.functions import ZERO, RowFunction, log_softmax, logsumexp, softmax
from glassnet.equations.images import (
    AveragePool,
    Channels,
    Convolve,
    ConvolveBack,
    ConvolveKernel,
    EachMap,
    Flatten,
    MaxPool,
    PoolAt,
    SpreadAverage,
    Unflatten,
    Unpool,
)
from glassnet.equations.layers import Equation
from glassnet.equations.rendering import TEXT, symbol_in
from glassnet.equations.simplify import add, multiply, number, subtract, tidied
from glassnet.errors import GlassnetError

MARK = "R"
"""Before a name: how that quantity changes along the direction. RW1 is the direction's own part, RdW1 a part of H V."""


@dataclass(frozen=True, eq=False)
class CurvatureEquations:
    """The lines that multiply the Hessian with a direction, in the order in which they run; `print` shows them.

    Attributes
    ----------
    equations : RZ1, RA1, ..., RdZ2, RdW2, ...; a quantity that does not change along any direction has none
    directions : RW1, Rb1, ...: the symbols of the direction, one a parameter
    """

    equations: tuple[Equation, ...]
    directions: tuple[Symbol, ...]

    def __iter__(self) -> Iterator[Equation]:
        return iter(self.equations)

    def __len__(self) -> int:
        return len(self.equations)

    def __getitem__(self, name: str) -> Equation:
        for equation in self.equations:
            if equation.name == name:
                return equation
        raise KeyError(f"There is no line '{name}'; there are {', '.join(e.name for e in self.equations)}.")

    def __str__(self) -> str:
        lines = [str(equation) for equation in self.equations]
        wide = min(60, max(len(line) for line in lines))
        head = "Curvature: the change of every line along a direction V of the parameters (RW1 is V's part, RdW1 that of H V)"
        return "\n".join(
            [head, *(f"  {line:<{wide}}   {e.why}" for line, e in zip(lines, self.equations, strict=True))]
        )


def curvature_equations(derivation: Derivation) -> CurvatureEquations:
    """Differentiate every forward and backward line of a derivation along a direction of its parameters.

        Z1 = X W1 + b1          RZ1 = X RW1 + Rb1
        A1 = tanh(Z1)           RA1 = RZ1 ⊙ (1 − A1²)
        dW1 = Xᵀ dZ1            RdW1 = Xᵀ RdZ1

    Equal lines are differentiated once.
    """
    return _along(derivation.forward, derivation.backward, tuple(p.symbol for p in derivation.parameters))


@lru_cache(maxsize=64)
def _along(
    forward: tuple[Equation, ...], backward: tuple[Equation, ...], parameters: tuple[Symbol, ...]
) -> CurvatureEquations:
    directions = tuple(Symbol(f"{MARK}{p.name}", p.shape) for p in parameters)
    moving: dict[str, Expression] = {p.name: d for p, d in zip(parameters, directions, strict=True)}
    # What a forward line has already computed keeps its name.
    known: dict[Expression, Expression] = {
        e.expression: Symbol(e.name, e.shape) for e in forward + backward if isinstance(e.expression, Function)
    }
    gradients = {f"d{p.name}" for p in parameters}
    lines: list[Equation] = []
    for equation in forward + backward:
        moved = tidied(replace(tidied(directional(equation.expression, moving)), known))
        if number(moved) == 0.0 and equation.name not in gradients:
            continue
        name = f"{MARK}{equation.name}"
        lines.append(Equation(name, equation.phase, equation.layer, moved, _why(equation, gradients)))
        if number(moved) != 0.0:
            moving[equation.name] = Symbol(name, equation.shape)
    return CurvatureEquations(tuple(lines), directions)


def _why(equation: Equation, gradients: set[str]) -> str:
    if equation.name in gradients:
        return f"the part of H V that belongs to {symbol_in(equation.name[1:], TEXT)}"
    return f"how {symbol_in(equation.name, TEXT)} changes along V"


def directional(expression: Expression, moving: Mapping[str, Expression]) -> Expression:
    """The derivative of a tree along a direction, of the tree's own shape (or the constant 0).

    Parameters
    ----------
    expression : the tree
    moving : name -> how that symbol changes, an expression of the symbol's shape; other symbols stay as they are
    """
    return _widened(_directional(expression, moving), expression)


def _directional(node: Expression, moving: Mapping[str, Expression]) -> Expression:
    if isinstance(node, Symbol):
        return moving.get(node.name, ZERO)
    if is_elementwise(node):
        total: Expression = ZERO
        for leaf in leaves(node):
            change = _directional(leaf, moving)
            if number(change) != 0.0:
                slope = derivative(node, leaf)
                total = add(total, multiply(slope, change) if slope.shape == () else multiply(change, slope))
        return total
    changes = [_directional(child, moving) for child in node.children]
    if all(number(change) == 0.0 for change in changes):
        return ZERO
    match node:
        case MatMul() | Convolve() | ConvolveBack() | ConvolveKernel():
            return _product_rule(node, changes)
        case (
            Transpose()
            | Flatten()
            | Unflatten()
            | Channels()
            | EachMap()
            | AveragePool()
            | SpreadAverage()
            | Sum()
            | Mean()
        ):
            return node.with_children((_widened(changes[0], node.children[0]),))
        case MaxPool(argument=a, window=window):
            return PoolAt(_widened(changes[0], a), a, window)
        case Unpool(upstream=d, image=a) | PoolAt(upstream=d, image=a):
            # Which entry leads a window does not change with a small step.
            return ZERO if number(changes[0]) == 0.0 else node.with_children((_widened(changes[0], d), a))
        case Function(kind=RowFunction() as kind, arguments=(a,)):
            return _of_rows(kind, a, _widened(changes[0], a))
        case _:
            raise TypeError(f"No rule for the change of {type(node).__name__} along a direction.")


def _product_rule(node: Expression, changes: list[Expression]) -> Expression:
    """What is linear in each of two operands: R{f(a, b)} = f(R{a}, b) + f(a, R{b})."""
    a, b = node.children
    total: Expression = ZERO
    if number(changes[0]) != 0.0:
        total = node.with_children((_widened(changes[0], a), b))
    if number(changes[1]) != 0.0:
        total = add(total, node.with_children((a, _widened(changes[1], b))))
    return total


def _of_rows(kind: RowFunction, a: Expression, change: Expression) -> Expression:
    """A function of whole rows: its Jacobian, row by row, times the change of its argument."""
    if kind == softmax:
        return multiply(softmax(a), subtract(change, Sum(multiply(softmax(a), change), 1)))
    if kind == log_softmax:
        return subtract(change, Sum(multiply(softmax(a), change), 1))
    if kind == logsumexp:
        return Sum(multiply(softmax(a), change), 1)
    raise TypeError(f"No rule for the change of {kind.name} along a direction.")


def _widened(change: Expression, whole: Expression) -> Expression:
    """The change over the shape of what changes, when it is the same along some axes: + 0 of that shape."""
    if number(change) == 0.0 or change.shape == whole.shape:
        return change
    broadcast_shapes(change.shape, whole.shape, "the change of a line")
    flat: Expression = whole
    for symbol in symbols(whole):
        if symbol.shape == whole.shape:
            flat = symbol
            break
    return Add(change, Multiply(ZERO, flat))


def hessian_vector(
    derivation: Derivation, values: Mapping[str, Any], direction: Mapping[str, np.ndarray], xp: Any = np
) -> dict[str, Any]:
    """The product H V of the cost's Hessian with a direction of the parameters.

    Parameters
    ----------
    derivation : the equations; their cost is that of one batch, penalties included
    values : every value of one step by name, parameters included (`ReferenceEngine.values`)
    direction : name -> array, one a parameter, of its shape
    xp : the array namespace of the values

    Returns
    -------
    dict : name of each parameter -> the part of H V that belongs to it

    Raises
    ------
    GlassnetError : a parameter's direction is missing or of another shape
    """
    lines = curvature_equations(derivation)
    env = dict(values)
    for parameter in derivation.parameters:
        given = direction.get(parameter.name)
        if given is None or tuple(given.shape) != parameter.symbol.shape:
            got = "nothing" if given is None else f"shape {shape_text(tuple(given.shape))}"
            raise GlassnetError(
                f"hessian_vector got {got} as the direction of {parameter.name}; it needs an array of shape "
                f"{shape_text(parameter.symbol.shape)}."
            )
        env[f"{MARK}{parameter.name}"] = given
    for equation in lines:
        env[equation.name] = equation.expression.evaluate(env, xp)
    return {
        p.name: env[f"{MARK}d{p.name}"] + xp.zeros(_sizes(p.symbol.shape), dtype=env[p.name].dtype)
        for p in derivation.parameters
    }


def _sizes(shape: Shape) -> tuple[int, ...]:
    return tuple(int(d) for d in shape)
