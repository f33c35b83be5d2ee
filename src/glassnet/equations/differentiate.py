"""Derivatives: by a symbol inside an elementwise formula, and backwards through a whole line (the chain rule).

`derivative` is the calculus of one variable. `gradients` carries the gradient of the cost from the left side of an
equation to everything its right side uses: one line per kind of node, the vector-Jacobian products that
backpropagation consists of.
"""

from __future__ import annotations

from collections.abc import Iterator

from glassnet.equations.expression import (
    CHANNELS,
    Add,
    Axis,
    Compare,
    Constant,
    Divide,
    Expression,
    Function,
    MatMul,
    Mean,
    Multiply,
    Negate,
    Power,
    Shape,
    Subtract,
    Sum,
    Symbol,
    Transpose,
    walk,
)
from glassnet.equations.functions import ONE, ZERO, RowFunction, log, where
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
    per_channel,
)
from glassnet.equations.simplify import add, divide, multiply, negate, number, power, subtract, tidied

SAMPLES = Symbol("m")
"""The number of samples in the batch."""

ELEMENTWISE = (Symbol, Constant, Add, Subtract, Multiply, Divide, Negate, Power, Compare)


def is_elementwise(node: Expression) -> bool:
    """Whether the node works entry by entry (its children may not)."""
    return isinstance(node, ELEMENTWISE) or (isinstance(node, Function) and node.kind.elementwise)


def derivative(expression: Expression, by: Expression, applied: list[str] | None = None) -> Expression:
    """d expression / d by, entry by entry, simplified.

    `by` is a symbol or any subtree taken as the variable. The tree between must be elementwise.
    """
    return tidied(_slope(expression, by), applied)


def _slope(node: Expression, by: Expression) -> Expression:
    if node == by:
        return ONE
    match node:
        case Add(left=a, right=b):
            return add(_slope(a, by), _slope(b, by))
        case Subtract(left=a, right=b):
            return subtract(_slope(a, by), _slope(b, by))
        case Negate(argument=a):
            return negate(_slope(a, by))
        case Multiply(left=a, right=b):
            return add(multiply(_slope(a, by), b), multiply(a, _slope(b, by)))
        case Divide(left=a, right=b):
            da, db = _slope(a, by), _slope(b, by)
            return subtract(divide(da, b), divide(multiply(a, db), power(b, Constant(2.0))))
        case Power(left=a, right=b):
            da, db = _slope(a, by), _slope(b, by)
            through_base: Expression = ZERO
            if number(da) != 0.0:
                through_base = multiply(multiply(b, power(a, subtract(b, ONE))), da)
            if number(db) == 0.0:
                return through_base
            return add(through_base, multiply(multiply(node, log(a)), db))
        case Function(kind=kind, arguments=(condition, a, b)) if kind == where:
            da, db = _slope(a, by), _slope(b, by)
            return da if da == db else where(condition, da, db)
        case Function(kind=kind, arguments=arguments) if kind.elementwise:
            slopes = [_slope(a, by) for a in arguments]
            if all(number(s) == 0.0 for s in slopes):
                return ZERO
            total: Expression = ZERO
            for partial, slope in zip(kind.partials(*arguments), slopes, strict=True):
                total = add(total, multiply(slope, partial))
            return total
    return ZERO  # a constant, another symbol, a comparison


def leaves(expression: Expression) -> list[Expression]:
    """Where an elementwise tree ends: its symbols, and the subtrees that are not elementwise."""
    found: dict[Expression, None] = {}
    stack = [expression]
    while stack:
        node = stack.pop()
        if isinstance(node, Symbol) or not is_elementwise(node):
            found.setdefault(node)
        else:
            stack.extend(reversed(node.children))
    return list(found)


Rules = tuple[str, ...]


def gradients(
    expression: Expression, upstream: Expression, rules: Rules = ()
) -> Iterator[tuple[Symbol, Expression, Rules]]:
    """What each symbol of the right-hand side receives of the gradient of the left-hand side.

    Parameters
    ----------
    expression : the right-hand side
    upstream : ∂J/∂(left-hand side); its shape is that of the expression, or broadcasts to it
    rules : the names of the rules used so far on the way

    Yields
    ------
    (symbol, ∂J/∂symbol through this line, the names of the rules used on the way)
    """
    if expression.shape == ():  # a scalar sum of many terms goes term by term, not once for each of its leaves
        match expression:
            case Add(left=a, right=b):
                yield from gradients(a, upstream, rules)
                yield from gradients(b, upstream, rules)
                return
            case Subtract(left=a, right=b):
                yield from gradients(a, upstream, rules)
                yield from gradients(b, negate(upstream), rules)
                return
            case Multiply(left=a, right=b) if not any(isinstance(node, Symbol) for node in walk(a)):
                yield from gradients(b, multiply(upstream, a), rules)
                return
    if is_elementwise(expression) and not isinstance(expression, Symbol):
        for leaf in leaves(expression):
            if isinstance(leaf, EachMap):  # a mask is drawn and has no slope
                continue
            tidying: list[str] = []
            slope = derivative(expression, leaf, tidying)
            if number(slope) == 0.0:
                continue
            applied = list(rules)
            _note_rules(expression, leaf, applied)
            applied.extend(rule for rule in tidying if rule not in applied)
            passed = _reduced(multiply(upstream, slope), expression.shape, leaf.shape)
            yield from gradients(leaf, passed, tuple(applied))
        return
    match expression:
        case Symbol():
            yield expression, upstream, rules
        case MatMul(left=a, right=b):
            yield from gradients(a, MatMul(upstream, Transpose(b)), rules)
            yield from gradients(b, MatMul(Transpose(a), upstream), rules)
        case Transpose(argument=a):
            yield from gradients(a, Transpose(upstream), rules)
        case Sum(argument=a, axis=axis):
            yield from gradients(a, Channels(upstream) if axis == CHANNELS else upstream, rules)
        case Mean(argument=a, axis=0):
            yield from gradients(a, divide(upstream, SAMPLES), rules)
        case Mean(argument=a, axis="channels"):
            sides = (int(a.shape[2]), int(a.shape[3]))
            places = Constant(float(sides[0] * sides[1]), f"{sides[0]}·{sides[1]}")
            yield from gradients(a, divide(Channels(upstream), multiply(places, SAMPLES)), rules)
        case Channels(argument=a):
            yield from gradients(a, _per_channel(upstream), rules)
        case Flatten(argument=a):
            _, channels, high, wide = a.shape
            yield from gradients(a, Unflatten(upstream, (int(channels), int(high), int(wide))), rules)
        case Unflatten(argument=a):
            yield from gradients(a, Flatten(upstream), rules)
        case (
            Convolve()
            | ConvolveBack()
            | ConvolveKernel()
            | MaxPool()
            | Unpool()
            | PoolAt()
            | AveragePool()
            | SpreadAverage()
        ):
            for operand, passed, rule in _through_windows(expression, upstream):
                yield from gradients(operand, passed, rules if not rule or rule in rules else (*rules, rule))
        case Function(kind=RowFunction() as kind, arguments=(a,)):
            used = rules if kind.rule in rules else (*rules, kind.rule)
            yield from gradients(a, pulled_out(kind.adjoint(upstream, a)), used)
        case _:
            raise TypeError(f"No chain rule for {type(expression).__name__}.")


FLIPPED = "the chain rule of a convolution: the flipped kernel slides over the slopes"
SLID = "the chain rule of a convolution: the slopes slide over the image"
ROUTED = "the chain rule of a maximum: all of the slope to the winner, none to the others"


def _through_windows(node: Expression, upstream: Expression) -> Iterator[tuple[Expression, Expression, str]]:
    """What each operand of an image operation receives, and by which rule. Of the three convolutions each is the slope
    of the others, as ⟨X ⋆ W, D⟩ is linear in X, in W and in D."""
    match node:
        case Convolve(image=a, kernel=b, window=window):
            yield a, ConvolveBack(upstream, b, window, (int(a.shape[2]), int(a.shape[3]))), FLIPPED
            yield b, ConvolveKernel(a, upstream, window), SLID
        case ConvolveBack(upstream=d, kernel=b, window=window):
            yield d, Convolve(upstream, b, window), ""
            yield b, ConvolveKernel(upstream, d, window), SLID
        case ConvolveKernel(image=a, upstream=d, window=window):
            yield a, ConvolveBack(d, upstream, window, (int(a.shape[2]), int(a.shape[3]))), FLIPPED
            yield d, Convolve(a, upstream, window), ""
        case MaxPool(argument=a, window=window):
            yield a, Unpool(upstream, a, window), ROUTED
        case Unpool(upstream=d, image=a, window=window):
            yield d, PoolAt(upstream, a, window), ""
        case PoolAt(upstream=d, image=a, window=window):
            yield d, Unpool(upstream, a, window), ROUTED
        case AveragePool(argument=a, window=window):
            yield a, SpreadAverage(upstream, window, (int(a.shape[2]), int(a.shape[3]))), ""
        case SpreadAverage(upstream=d, window=window):
            yield d, AveragePool(upstream, window), ""


def _per_channel(upstream: Expression) -> Expression:
    found = per_channel(upstream)
    if found is None:
        raise TypeError(f"The gradient '{upstream}' is not one number a channel.")
    return found


def pulled_out(node: Expression) -> Expression:
    """Σ(c ⊙ x) = c ⊙ Σ(x) for every factor c that is the same along the axis summed over."""
    children = tuple(pulled_out(child) for child in node.children)
    if isinstance(node, Sum) and node.axis is not None:
        axis, inner = node.axis, children[0]
        if isinstance(inner, Negate):
            return negate(pulled_out(Sum(inner.argument, axis)))
        if isinstance(inner, Divide) and (factor := _outside(axis, inner.right)) is not None:
            return divide(pulled_out(Sum(inner.left, axis)), factor)
        if isinstance(inner, Multiply) and (factor := _outside(axis, inner.left)) is not None:
            return multiply(factor, pulled_out(Sum(inner.right, axis)))
        if isinstance(inner, Multiply) and (factor := _outside(axis, inner.right)) is not None:
            return multiply(factor, pulled_out(Sum(inner.left, axis)))
    return node.with_children(children) if children else node


def _outside(axis: Axis, factor: Expression) -> Expression | None:
    """A factor as it stands outside a sum along which it is the same; None when it is not."""
    shape = factor.shape
    if axis == CHANNELS:
        return per_channel(factor)
    same = shape == () or (shape[-1] == 1 and len(shape) == 2 if axis == 1 else len(shape) == 1)
    return factor if same else None


def _reduced(passed: Expression, whole: Shape, wanted: Shape) -> Expression:
    """Sum a gradient over the axes along which the operand was broadcast."""
    if whole == wanted:
        return passed
    if passed.shape != whole:
        raise TypeError(f"The gradient '{passed}' has shape {passed.shape} where {whole} was needed.")
    if wanted == ():
        return pulled_out(Sum(passed))
    if len(wanted) == 1 and len(whole) == 2:
        return pulled_out(Sum(passed, 0))
    if len(wanted) == 2 and wanted[1] == 1:
        return pulled_out(Sum(passed, 1))
    if len(wanted) == 3 and wanted[1:] == (1, 1):
        return Channels(pulled_out(Sum(passed, CHANNELS)))
    raise TypeError(f"No rule reduces a gradient of shape {whole} to {wanted}.")


def _note_rules(expression: Expression, leaf: Expression, applied: list[str]) -> None:
    # Only the functions that stand between the line and the leaf were differentiated.
    stack = [expression]
    while stack:
        node = stack.pop()
        if node == leaf or leaf not in walk(node):
            continue
        if isinstance(node, Function) and node.kind.elementwise and node.kind != where:
            rule = node.kind.rule
            if rule not in applied:
                applied.append(rule)
        stack.extend(node.children)
