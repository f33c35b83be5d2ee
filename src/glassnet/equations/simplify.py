"""Simplification: arithmetic that folds as it builds, a normal form that cancels, and named rewrite rules.

Every rule that changes a line is recorded by name, so the page can say how the line came about.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from glassnet.equations.expression import (
    Add,
    Constant,
    Divide,
    Expression,
    Function,
    Mean,
    Multiply,
    Negate,
    Power,
    Subtract,
    Sum,
    Symbol,
    size,
)
from glassnet.equations.functions import (
    ONE,
    ZERO,
    exp,
    log,
    log_softmax,
    log_softplus,
    negated,
    sigmoid,
    softmax,
    softplus,
    where,
)


def number(expression: Expression) -> float | None:
    """The value of an unnamed constant (λ and β₁ keep their names and are not folded)."""
    return expression.value if isinstance(expression, Constant) and expression.name is None else None


def add(a: Expression, b: Expression) -> Expression:
    x, y = number(a), number(b)
    if x is not None and y is not None:
        return Constant(x + y)
    if x == 0.0:
        return b
    if y == 0.0:
        return a
    if isinstance(a, Negate) and isinstance(b, Negate):
        return negate(add(a.argument, b.argument))
    if isinstance(b, Negate):
        return subtract(a, b.argument)
    if isinstance(a, Negate):
        return subtract(b, a.argument)
    if y is not None and y < 0:
        return Subtract(a, Constant(-y))
    if isinstance(b, Multiply) and (c := number(b.left)) is not None and c < 0:
        return Subtract(a, multiply(Constant(-c), b.right))  # 3 u² − 5 u, not 3 u² + (−5) u
    return Add(a, b)


def subtract(a: Expression, b: Expression) -> Expression:
    x, y = number(a), number(b)
    if x is not None and y is not None:
        return Constant(x - y)
    if y == 0.0:
        return a
    if x == 0.0:
        return negate(b)
    if a == b:
        return ZERO
    if isinstance(b, Negate):
        return add(a, b.argument)
    if isinstance(a, Negate):
        return negate(add(a.argument, b))
    return Subtract(a, b)


def negate(a: Expression) -> Expression:
    x = number(a)
    if x is not None:
        return Constant(-x)
    if isinstance(a, Negate):
        return a.argument
    if isinstance(a, Subtract):
        return Subtract(a.right, a.left)
    return Negate(a)


def multiply(a: Expression, b: Expression) -> Expression:
    x, y = number(a), number(b)
    if x is not None and y is not None:
        return Constant(x * y)
    if x == 0.0 or y == 0.0:
        return ZERO
    if x == 1.0:
        return b
    if y == 1.0:
        return a
    if x == -1.0:
        return negate(b)
    if y == -1.0:
        return negate(a)
    if isinstance(a, Negate):
        return negate(multiply(a.argument, b))
    if isinstance(b, Negate):
        return negate(multiply(a, b.argument))
    if number(a) is None and number(b) is not None:
        return multiply(b, a)
    if isinstance(b, Multiply) and (c := number(b.left)) is not None:
        if x is not None:
            return multiply(Constant(x * c), b.right)
        return Multiply(b.left, multiply(a, b.right))
    if isinstance(a, Divide):
        return divide(multiply(a.left, b), a.right)
    if isinstance(b, Divide):
        return divide(multiply(a, b.left), b.right)
    if a == b:
        return Power(a, Constant(2.0))
    return Multiply(a, b)


def divide(a: Expression, b: Expression) -> Expression:
    x, y = number(a), number(b)
    if x == 0.0:
        return ZERO
    if y == 1.0:
        return a
    if x is not None and y is not None and y != 0.0:
        return Constant(x / y)
    if a == b:
        return ONE
    if x is not None and x < 0:
        return negate(divide(Constant(-x), b))
    if isinstance(a, Negate):
        return negate(divide(a.argument, b))
    if isinstance(b, Negate):
        return negate(divide(a, b.argument))
    if isinstance(a, Divide):
        return divide(a.left, multiply(a.right, b))
    return Divide(a, b)


def power(a: Expression, b: Expression) -> Expression:
    x, y = number(a), number(b)
    if y == 0.0:
        return ONE
    if y == 1.0:
        return a
    if x is not None and y is not None and (x > 0 or y.is_integer()) and (x != 0 or y > 0):
        return Constant(x**y)
    if y == -1.0:
        return divide(ONE, a)
    if y is not None and y < 0:
        return divide(ONE, power(a, Constant(-y)))
    inner = number(a.right) if isinstance(a, Power) else None
    # (x²)³ = x⁶; but (x²)^½ is |x|, so an outer exponent that is not whole stays outside.
    if isinstance(a, Power) and y is not None and y.is_integer() and inner is not None:
        return power(a.left, Constant(inner * y))
    return Power(a, b)


def apply(node: Expression, children: tuple[Expression, ...]) -> Expression:
    """The node over new children, built by the folding arithmetic above."""
    match node:
        case Add():
            return add(*children)
        case Subtract():
            return subtract(*children)
        case Multiply():
            return multiply(*children)
        case Divide():
            return divide(*children)
        case Power():
            return power(*children)
        case Negate():
            return negate(*children)
        case Function(kind=kind) if kind == where:
            condition, a, b = children
            return a if a == b else Function(where, (condition, a, b))
        case Function(kind=kind) if kind.name in FOLDED_FUNCTIONS and (x := number(children[0])) is not None:
            return Constant(FOLDED_FUNCTIONS[kind.name](x))
        case Sum(axis=axis) | Mean(axis=axis):
            argument = children[0]
            if isinstance(argument, Negate):
                return negate(type(node)(argument.argument, axis))
            return type(node)(argument, axis)
    return node.with_children(children) if children else node


FOLDED_FUNCTIONS: dict[str, Callable[[float], float]] = {"exp": math.exp, "abs": abs}


def simplified(expression: Expression) -> Expression:
    """The tree rebuilt from its leaves with the folding arithmetic."""
    return apply(expression, tuple(simplified(child) for child in expression.children))


@dataclass(frozen=True)
class Rule:
    """A named rewriting of one node; `rewrite` returns None where it does not apply."""

    name: str
    rewrite: Callable[[Expression], Expression | None]


def _log_of(inner: Callable[[Expression], Expression | None]) -> Callable[[Expression], Expression | None]:
    def rewrite(node: Expression) -> Expression | None:
        return inner(node.arguments[0]) if isinstance(node, Function) and node.kind == log else None

    return rewrite


def _argument_of(node: Expression, kind: object) -> Expression | None:
    return node.arguments[0] if isinstance(node, Function) and node.kind == kind else None


def _log_sigmoid(u: Expression) -> Expression | None:
    z = _argument_of(u, sigmoid)
    return None if z is None else negate(softplus(negate(z)))


def _log_one_minus_sigmoid(u: Expression) -> Expression | None:
    if not (isinstance(u, Subtract) and number(u.left) == 1.0):
        return None
    z = _argument_of(u.right, sigmoid)
    return None if z is None else negate(softplus(z))


def _log_kind(kind: object, to: Callable[[Expression], Expression]) -> Callable[[Expression], Expression | None]:
    def rewrite(u: Expression) -> Expression | None:
        z = _argument_of(u, kind)
        return None if z is None else to(z)

    return rewrite


LOGIT_RULES = (
    Rule("log sigmoid(z) = −softplus(−z)", _log_of(_log_sigmoid)),
    Rule("log(1 − sigmoid(z)) = −softplus(z)", _log_of(_log_one_minus_sigmoid)),
    Rule("log softmax(z) = z − logsumexp(z)", _log_of(_log_kind(softmax, log_softmax))),
    Rule("log exp(z) = z", _log_of(_log_kind(exp, lambda z: z))),
    Rule("log softplus(z) from z itself", _log_of(_log_kind(softplus, log_softplus))),
)
"""Logarithms of an output activation, computed from its pre-activation, so that nothing overflows."""


def _sigmoid_of_minus(node: Expression) -> Expression | None:
    u = _argument_of(node, sigmoid)
    z = None if u is None else negated(u)
    return None if z is None else subtract(ONE, sigmoid(z))


def _row_sum_of_targets(node: Expression) -> Expression | None:
    # Applied only under a loss whose targets are checked to sum to 1 in each row.
    if isinstance(node, Sum) and node.axis == 1 and isinstance(node.argument, Symbol) and node.argument.name == "Y":
        return ONE
    return None


SIGMOID_OF_MINUS = Rule("sigmoid(−z) = 1 − sigmoid(z)", _sigmoid_of_minus)
ROWS_OF_TARGETS = Rule("a row of Y sums to 1", _row_sum_of_targets)


def rewritten(expression: Expression, rules: tuple[Rule, ...], applied: list[str]) -> Expression:
    """Every node rewritten by the first rule that fits, leaves first; the names of used rules go to `applied`."""
    node = apply(expression, tuple(rewritten(child, rules, applied) for child in expression.children))
    for rule in rules:
        changed = rule.rewrite(node)
        if changed is not None:
            if rule.name not in applied:
                applied.append(rule.name)
            return changed
    return node


Monomial = tuple[tuple[Expression, float], ...]
"""A product of atoms with exponents, in order of first appearance."""


def expanded(expression: Expression) -> dict[Monomial, float] | None:
    """The tree as a sum of monomials, equal ones collected; None when it would grow beyond reason."""
    match expression:
        case Constant(name=None):
            return {(): expression.value} if expression.value else {}
        case Add() | Subtract():
            left, right = expanded(expression.left), expanded(expression.right)
            if left is None or right is None:
                return None
            sign = 1.0 if isinstance(expression, Add) else -1.0
            return _collected([*left.items(), *((m, sign * c) for m, c in right.items())])
        case Negate():
            inner = expanded(expression.argument)
            return None if inner is None else {m: -c for m, c in inner.items()}
        case Multiply():
            left, right = expanded(expression.left), expanded(expression.right)
            if left is None or right is None or len(left) * len(right) > 64:
                return None
            return _collected([(_product(a, b), c * d) for a, c in left.items() for b, d in right.items()])
        case Divide():
            left, right = expanded(expression.left), expanded(expression.right)
            if left is None or right is None:
                return None
            if len(right) != 1:
                return _collected([(_product(m, ((expression.right, -1.0),)), c) for m, c in left.items()])
            ((below, factor),) = right.items()
            inverse = tuple((atom, -e) for atom, e in below)
            return _collected([(_product(m, inverse), c / factor) for m, c in left.items()])
        case Power() if (n := number(expression.right)) is not None:
            base = expanded(expression.left)
            if base is not None and len(base) == 1:
                ((m, c),) = base.items()
                if n.is_integer() or (c > 0 and len(m) <= 1 and all(e == 1.0 for _, e in m)):
                    return {tuple((atom, e * n) for atom, e in m): c**n}
            return {((expression.left, n),): 1.0}
    return {((expression, 1.0),): 1.0}


def _collected(terms: list[tuple[Monomial, float]]) -> dict[Monomial, float]:
    # Monomials that differ only in the order of their atoms are one term.
    totals: dict[frozenset[tuple[Expression, float]], tuple[Monomial, float]] = {}
    for monomial, coefficient in terms:
        key = frozenset(monomial)
        first, before = totals.get(key, (monomial, 0.0))
        totals[key] = (first, before + coefficient)
    return {m: c for m, c in totals.values() if c != 0.0}


def _product(a: Monomial, b: Monomial) -> Monomial:
    exponents = dict(a)
    for atom, e in b:
        exponents[atom] = exponents.get(atom, 0.0) + e
    return tuple((atom, e) for atom, e in exponents.items() if e != 0.0)


def _factored(terms: dict[Monomial, float]) -> Expression:
    """The sum of monomials as a tree, with what all terms share taken out once."""
    if not terms:
        return ZERO
    monomials = [dict(m) for m in terms]
    shared = {
        atom: min(m[atom] for m in monomials) if exponent > 0 else max(m[atom] for m in monomials)
        for atom, exponent in monomials[0].items()
        if all(m.get(atom, 0.0) * exponent > 0 for m in monomials)
    }
    scale = 1.0
    magnitudes = {abs(c) for c in terms.values()}
    if len(magnitudes) == 1:
        scale = magnitudes.pop()
    inner: Expression = ZERO
    ordered = sorted(terms.items(), key=lambda item: item[1] < 0)  # the positive terms first
    for monomial, coefficient in ordered:
        rest = {atom: e - shared.get(atom, 0.0) for atom, e in monomial}
        inner = add(inner, _from_monomial(tuple((a, e) for a, e in rest.items() if e), coefficient / scale))
    if len(terms) > 1 and all(c < 0 for c in terms.values()):
        inner = negate(inner)
        scale = -scale
    above = multiply(Constant(scale), _from_monomial(tuple((a, e) for a, e in shared.items() if e > 0), 1.0))
    below = _from_monomial(tuple((a, -e) for a, e in shared.items() if e < 0), 1.0)
    return divide(multiply(above, inner) if number(above) is not None else multiply(inner, above), below)


def _from_monomial(monomial: Monomial, coefficient: float) -> Expression:
    above: Expression = ONE
    below: Expression = ONE
    for atom, e in sorted(monomial, key=lambda item: len(item[0].shape)):  # scalars before arrays
        if e > 0:
            above = multiply(above, power(atom, Constant(e)))
        else:
            below = multiply(below, power(atom, Constant(-e)))
    return divide(multiply(Constant(coefficient), above), below)


def tidied(expression: Expression, applied: list[str] | None = None) -> Expression:
    """The shorter of the tree as it stands and its collected normal form (where terms cancel)."""
    plain = simplified(expression)
    rules: list[str] = []
    flipped = rewritten(plain, (SIGMOID_OF_MINUS,), rules)
    terms = expanded(flipped)
    if terms is not None:
        collected = _factored(terms)
        if size(collected) < size(plain):
            if applied is not None:
                applied.extend(rule for rule in rules if rule not in applied)
            return collected
    return plain
