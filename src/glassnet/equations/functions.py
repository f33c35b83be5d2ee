"""The named functions an expression may use, each with its value and its slope.

Three kinds: a `Primitive` states its value and its partial derivatives; a `Defined` function is an expression in
z (so its derivative, its page and its kernel follow from it); a `RowFunction` works on whole rows (softmax) and
states how a gradient passes back through it.

Called with an expression they build a tree; called with an array they compute.

    >>> from glassnet.equations.functions import sigmoid
    >>> float(sigmoid(0.0))
    0.5
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from glassnet.equations.expression import (
    Array,
    Compare,
    Constant,
    Divide,
    Expression,
    Function,
    MatMul,
    Mean,
    Namespace,
    Negate,
    Shape,
    Sum,
    Symbol,
    Transpose,
    as_expression,
    broadcast_shapes,
    extent,
    replace,
    symbols,
    walk,
)
from glassnet.errors import GlassnetError, unknown_name

Z = Symbol("z")
"""The argument that the definition of a `Defined` function is written in."""


@dataclass(frozen=True)
class FunctionKind:
    """What all named functions share. `name` is what the page prints."""

    name: str

    elementwise = True

    def __call__(self, *arguments: Any) -> Any:
        """An expression for expressions, a value for numbers and arrays."""
        if any(isinstance(a, Expression) for a in arguments):
            return Function(self, tuple(as_expression(a) for a in arguments))
        import array_api_compat
        import numpy as np

        arrays = [a if hasattr(a, "dtype") else np.asarray(a, dtype=float) for a in arguments]
        with np.errstate(all="ignore"):
            return self.evaluate(array_api_compat.array_namespace(*arrays), *arrays)

    def shape(self, shapes: tuple[Shape, ...]) -> Shape:
        result = shapes[0]
        for other in shapes[1:]:
            result = broadcast_shapes(result, other, f"'{self.name}'")
        return result

    def evaluate(self, xp: Namespace, *arguments: Array) -> Array:
        raise TypeError(f"{self.name} states no value.")

    def partials(self, *arguments: Expression) -> tuple[Expression, ...]:
        """The derivative by each argument, as expressions."""
        raise TypeError(f"{self.name} states no derivative.")

    @property
    def rule(self) -> str:
        """The derivative rule in one line, for the page."""
        from glassnet.equations.rendering import to_text
        from glassnet.equations.simplify import simplified

        return f"{self.name}′(z) = {to_text(simplified(self.partials(Z)[0]))}"


@dataclass(frozen=True)
class Primitive(FunctionKind):
    """A function that states its value and its partial derivatives."""

    value: Callable[..., Array] = field(compare=False, repr=False)
    slopes: Callable[..., tuple[Expression, ...]] = field(compare=False, repr=False)

    def evaluate(self, xp: Namespace, *arguments: Array) -> Array:
        return self.value(xp, *arguments)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled by name: its rules are functions, which a pickle does not hold."""
        return _primitive, (self.name,)

    def partials(self, *arguments: Expression) -> tuple[Expression, ...]:
        return self.slopes(*arguments)

    @property
    def rule(self) -> str:
        if self.name in ("max", "min"):
            return f"the slope of {self.name} is that of the {'larger' if self.name == 'max' else 'smaller'} side"
        return super().rule


@dataclass(frozen=True)
class Defined(FunctionKind):
    """A function given by an expression in z."""

    definition: Expression

    def evaluate(self, xp: Namespace, *arguments: Array) -> Array:
        return self.definition.evaluate({"z": arguments[0]}, xp)

    @cached_property
    def slope(self) -> Expression:
        """The derivative by z, simplified."""
        from glassnet.equations.differentiate import derivative

        return derivative(self.definition, Z)

    def partials(self, *arguments: Expression) -> tuple[Expression, ...]:
        return (replace(self.slope, {Z: arguments[0]}),)

    def expanded(self, argument: Expression) -> Expression:
        """The definition with z replaced."""
        return replace(self.definition, {Z: argument})


@dataclass(frozen=True)
class RowFunction(FunctionKind):
    """A function of a whole row. `adjoint(G, u)` carries the gradient G of the value back to the argument u."""

    value: Callable[..., Array] = field(compare=False, repr=False)
    adjoint: Callable[[Expression, Expression], Expression] = field(compare=False, repr=False)
    adjoint_rule: str = field(compare=False, repr=False)
    keeps_columns: bool = True

    elementwise = False

    def evaluate(self, xp: Namespace, *arguments: Array) -> Array:
        return self.value(xp, *arguments)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled by name, like a `Primitive`."""
        return _primitive, (self.name,)

    def shape(self, shapes: tuple[Shape, ...]) -> Shape:
        return shapes[0] if self.keeps_columns else (*shapes[0][:-1], 1)

    @property
    def rule(self) -> str:
        return self.adjoint_rule


def _sigmoid(xp: Namespace, z: Array) -> Array:
    return 1.0 / (1.0 + xp.exp(-z))


def _softplus(xp: Namespace, z: Array) -> Array:
    # max(z, 0) + log(1 + exp(−|z|)): nothing overflows and small values keep their digits.
    return xp.where(z > 0, z, 0 * z) + xp.log1p(xp.exp(-xp.abs(z)))


def _log_softplus(xp: Namespace, z: Array) -> Array:
    # Below −30, softplus(z) = exp(z)(1 − exp(z)/2 + ...), whose logarithm is z to the last digit.
    low = z < -30.0
    return xp.where(low, z, xp.log(_softplus(xp, xp.where(low, 0 * z, z))))


def _normal_cdf(xp: Namespace, z: Array) -> Array:
    if hasattr(xp, "special"):
        return xp.special.ndtr(z)
    from scipy.special import ndtr

    return ndtr(z)


def _erf(xp: Namespace, z: Array) -> Array:
    if hasattr(xp, "special"):
        return xp.special.erf(z)
    from scipy.special import erf as scipy_erf

    return scipy_erf(z)


def _where(xp: Namespace, condition: Array, a: Array, b: Array) -> Array:
    # Between two numbers the condition says the type: left to themselves, NumPy makes float64 of them, torch float32.
    if not hasattr(a, "dtype") and not hasattr(b, "dtype"):
        a, b = a + 0 * condition, b + 0 * condition
    return xp.where(condition != 0, a, b)


def _logsumexp(xp: Namespace, z: Array) -> Array:
    top = xp.max(z, axis=-1, keepdims=True)
    return top + xp.log(xp.sum(xp.exp(z - top), axis=-1, keepdims=True))


def _softmax(xp: Namespace, z: Array) -> Array:
    raised = xp.exp(z - xp.max(z, axis=-1, keepdims=True))
    return raised / xp.sum(raised, axis=-1, keepdims=True)


ZERO, ONE = Constant(0.0), Constant(1.0)

exp: Primitive = Primitive("exp", lambda xp, z: xp.exp(z), lambda z: (exp(z),))
expm1: Primitive = Primitive("expm1", lambda xp, z: xp.expm1(z), lambda z: (exp(z),))
log: Primitive = Primitive("log", lambda xp, z: xp.log(z), lambda z: (1 / z,))
log1p: Primitive = Primitive("log1p", lambda xp, z: xp.log1p(z), lambda z: (1 / (1 + z),))
sqrt: Primitive = Primitive(
    "sqrt", lambda xp, z: xp.sqrt(z) if hasattr(z, "dtype") else math.sqrt(z), lambda z: (1 / (2 * sqrt(z)),)
)
sin: Primitive = Primitive("sin", lambda xp, z: xp.sin(z), lambda z: (cos(z),))
cos: Primitive = Primitive("cos", lambda xp, z: xp.cos(z), lambda z: (-sin(z),))
tanh: Primitive = Primitive("tanh", lambda xp, z: xp.tanh(z), lambda z: (1 - tanh(z) ** 2,))
sigmoid: Primitive = Primitive("sigmoid", _sigmoid, lambda z: (sigmoid(z) * (1 - sigmoid(z)),))
softplus: Primitive = Primitive("softplus", _softplus, lambda z: (sigmoid(z),))
log_softplus: Primitive = Primitive("log_softplus", _log_softplus, lambda z: (exp(-softplus(-z) - log_softplus(z)),))
erf: Primitive = Primitive("erf", _erf, lambda z: (2 / math.sqrt(math.pi) * exp(-(z**2)),))
normal_pdf: Primitive = Primitive(
    "φ", lambda xp, z: xp.exp(-0.5 * z * z) * (1.0 / math.sqrt(2.0 * math.pi)), lambda z: (-(z * normal_pdf(z)),)
)
normal_cdf: Primitive = Primitive("Φ", _normal_cdf, lambda z: (normal_pdf(z),))
abs_: Primitive = Primitive("abs", lambda xp, z: xp.abs(z), lambda z: (sign(z),))
floor: Primitive = Primitive("floor", lambda xp, z: xp.floor(z), lambda z: (ZERO,))
sign: Primitive = Primitive("sign", lambda xp, z: xp.sign(z), lambda z: (ZERO,))
maximum: Primitive = Primitive(
    "max", lambda xp, a, b: xp.where(a > b, a + 0 * b, b + 0 * a), lambda a, b: (Compare(">", a, b), Compare("≤", a, b))
)
minimum: Primitive = Primitive(
    "min", lambda xp, a, b: xp.where(a < b, a + 0 * b, b + 0 * a), lambda a, b: (Compare("<", a, b), Compare("≥", a, b))
)
where: Primitive = Primitive(
    "where",
    _where,
    lambda condition, a, b: (ZERO, where(condition, ONE, ZERO), where(condition, ZERO, ONE)),
)

logsumexp: RowFunction = RowFunction(
    "logsumexp", _logsumexp, lambda g, u: g * softmax(u), "d logsumexp(z) = softmax(z)", keeps_columns=False
)
softmax: RowFunction = RowFunction(
    "softmax",
    _softmax,
    lambda g, u: softmax(u) * (g - Sum(g * softmax(u), 1)),
    "softmax: dz = a ⊙ (da − Σⱼ(da ⊙ a))",
)
log_softmax: RowFunction = RowFunction(
    "log_softmax",
    lambda xp, z: z - _logsumexp(xp, z),
    lambda g, u: g - softmax(u) * Sum(g, 1),
    "log softmax: dz = g − softmax(z) ⊙ Σⱼ(g)",
)

PRIMITIVES: dict[str, FunctionKind] = {
    kind.name: kind
    for kind in (
        exp, expm1, log, log1p, sqrt, sin, cos, tanh, sigmoid, softplus, log_softplus, erf, normal_pdf, normal_cdf,
        abs_, sign, floor, maximum, minimum, where, logsumexp, softmax, log_softmax,
    )
}  # fmt: skip


def _primitive(name: str) -> FunctionKind:
    return PRIMITIVES[name]


linear = Defined("linear", Z)
relu = Defined("relu", maximum(Z, 0.0))
leaky_relu = Defined("leaky_relu", where(Compare(">", Z, ZERO), Z, 0.01 * Z))
elu = Defined("elu", where(Compare(">", Z, ZERO), Z, expm1(Z)))
gelu = Defined("gelu", Z * normal_cdf(Z))
step = Defined("step", Compare(">", Z, ZERO))

ACTIVATIONS: dict[str, FunctionKind] = {
    "linear": linear, "sigmoid": sigmoid, "tanh": tanh, "relu": relu, "leaky_relu": leaky_relu, "elu": elu,
    "gelu": gelu, "softplus": softplus, "softmax": softmax, "exp": exp, "step": step,
}  # fmt: skip


def activation(name: str | FunctionKind, definition: Callable[[Expression], Expression] | None = None) -> FunctionKind:
    """An activation by name, or a new one from its formula.

        swish = gn.activation("swish", lambda z: z * gn.sigmoid(z))
        gn.Dense(20, swish)

    The derivative, the page and the gradient check follow from the formula.

    Parameters
    ----------
    name : a known activation's name; or, with `definition`, the name the page prints
    definition : z -> expression, built from `gn.exp`, `gn.sigmoid`, `gn.where`, ... and arithmetic

    Raises
    ------
    GlassnetError : no such activation; the name is taken; the formula is not one of z alone
    """
    if definition is None:
        if isinstance(name, FunctionKind):
            return name
        if not isinstance(name, str) or name not in ACTIVATIONS:
            raise GlassnetError(unknown_name("activation", name, ACTIVATIONS))
        return ACTIVATIONS[name]
    if not isinstance(name, str) or not name.isidentifier():
        raise GlassnetError(f"An activation got the name {name!r}; it needs a word like 'swish'.")
    if name in ACTIVATIONS or name in PRIMITIVES:
        raise GlassnetError(f"There is already a function '{name}'; give yours another name.")
    tree = read_formula(definition, (Z,), f"The activation '{name}'")
    return Defined(name, tree)


DEEPEST, LARGEST = 100, 2000
"""How many operations may stand inside one another in a formula, and how many in all."""


def read_formula(definition: Callable[..., Expression], arguments: tuple[Symbol, ...], what: str) -> Expression:
    """A person's formula as a tree of these arguments, checked to be elementwise; `what` begins the refusals."""
    try:
        tree = as_expression(definition(*arguments))
    except GlassnetError:
        raise
    except Exception as problem:  # the formula is a person's own code: whatever stops it, it cannot be read
        kind = "" if isinstance(problem, TypeError) else f"{type(problem).__name__}: "
        raise GlassnetError(
            f"{what} is no formula glassnet can read ({kind}{str(problem).rstrip('.')}); "
            "build it from arithmetic and gn.exp, gn.log, gn.where, ..., not from NumPy's functions."
        ) from None
    depth, nodes = extent(tree)
    if depth > DEEPEST or nodes > LARGEST:
        raise GlassnetError(
            f"{what} is {depth} operations deep and {nodes:,} large; glassnet differentiates formulas of at most "
            f"{DEEPEST} and {LARGEST:,}, so write it with fewer terms."
        )
    for node in walk(tree):
        if isinstance(node, Constant) and not math.isfinite(node.value):
            raise GlassnetError(f"{what} contains the number {node.value}; it needs finite numbers only.")
        if isinstance(node, Divide) and isinstance(node.right, Constant) and node.right.value == 0:
            raise GlassnetError(f"{what} divides by 0; it needs finite values, so divide by something else.")
    check_elementwise(tree, {argument.name for argument in arguments}, what)
    return tree


def check_elementwise(tree: Expression, allowed: set[str], what: str) -> None:
    """Refuse a formula with other symbols than `allowed`, none of them, or with sums and matrix products."""
    names = {s.name for s in symbols(tree)}
    listed = " and ".join(sorted(allowed))
    if not names:
        raise GlassnetError(f"{what} is the constant {tree}; it needs a formula of {listed}.")
    if names - allowed:
        raise GlassnetError(f"{what} uses {', '.join(sorted(names - allowed))}; its formula may use {listed} only.")
    for node in walk(tree):
        if isinstance(node, Function) and not node.kind.elementwise:
            raise GlassnetError(f"{what} uses {node.kind.name}, which mixes a row; its formula must be elementwise.")
        if isinstance(node, Sum | Mean):
            raise GlassnetError(f"{what} sums over the batch; its formula must be elementwise.")
        if isinstance(node, MatMul | Transpose):
            raise GlassnetError(f"{what} uses a matrix product; its formula must be elementwise (* instead of @).")


def negated(expression: Expression) -> Expression | None:
    """u when the expression is −u, else None."""
    return expression.argument if isinstance(expression, Negate) else None
