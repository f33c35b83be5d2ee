"""The expression tree: one line of mathematics as data.

A tree is built from the node kinds below. From the one tree come the plain text, LaTeX and MathML
(`rendering.py`), the symbolic shape (here), the derivative (`differentiate.py`) and the value on any array-API
namespace (`Expression.evaluate`), so the line on the page is the line that runs.

Shapes are tuples of ints and names: `("m", 40)` is one row a sample, forty columns; `()` is a scalar.
Broadcasting follows NumPy.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from glassnet.errors import GlassnetError

if TYPE_CHECKING:
    from glassnet.equations.functions import FunctionKind

Dimension: TypeAlias = int | str
Shape: TypeAlias = tuple[Dimension, ...]
Array: TypeAlias = Any
Namespace: TypeAlias = Any
Axis: TypeAlias = Literal[0, 1, "channels"] | None
CHANNELS: Literal["channels"] = "channels"


def broadcast_shapes(left: Shape, right: Shape, where: str | Expression) -> Shape:
    """NumPy's broadcasting on symbolic shapes; `where` is the operation, written out only for the error."""
    longer, shorter = (left, right) if len(left) >= len(right) else (right, left)
    padded: Shape = (1,) * (len(longer) - len(shorter)) + shorter
    result: list[Dimension] = []
    for a, b in zip(longer, padded, strict=True):
        if a == b or b == 1:
            result.append(a)
        elif a == 1:
            result.append(b)
        else:
            operation = where if isinstance(where, str) else f"'{where}'"
            raise GlassnetError(
                f"{operation} got shapes {shape_text(left)} and {shape_text(right)}, which do not go together; "
                "they must be equal, or 1 where they differ."
            )
    return tuple(result)


def shape_text(shape: Shape) -> str:
    """`(m, 40)`, `(40,)` or `()`, as NumPy would print it."""
    return "(" + ", ".join(str(d) for d in shape) + ("," if len(shape) == 1 else "") + ")"


@dataclass(frozen=True)
class Expression:
    """A node of the tree. Nodes are immutable, hashable and compare by structure."""

    @property
    def children(self) -> tuple[Expression, ...]:
        return ()

    def with_children(self, children: tuple[Expression, ...]) -> Expression:
        """The same kind of node over other children."""
        return self

    @property
    def shape(self) -> Shape:
        raise TypeError(f"{type(self).__name__} states no shape.")

    def evaluate(self, env: Mapping[str, Array], xp: Namespace) -> Array:
        """The value of this tree.

        Parameters
        ----------
        env : name -> array (or Python float for a scalar), for every symbol in the tree
        xp : an array-API namespace (`array_api_compat.numpy`, `array_api_compat.torch`, ...)
        """
        raise TypeError(f"{type(self).__name__} cannot be evaluated.")

    # What a person writes: `z * gn.sigmoid(z)`, `(a - y) ** 2 / 2`.
    def __add__(self, other: ExpressionLike) -> Expression:
        return Add(self, as_expression(other))

    def __radd__(self, other: ExpressionLike) -> Expression:
        return Add(as_expression(other), self)

    def __sub__(self, other: ExpressionLike) -> Expression:
        return Subtract(self, as_expression(other))

    def __rsub__(self, other: ExpressionLike) -> Expression:
        return Subtract(as_expression(other), self)

    def __mul__(self, other: ExpressionLike) -> Expression:
        return Multiply(self, as_expression(other))

    def __rmul__(self, other: ExpressionLike) -> Expression:
        return Multiply(as_expression(other), self)

    def __truediv__(self, other: ExpressionLike) -> Expression:
        return Divide(self, as_expression(other))

    def __rtruediv__(self, other: ExpressionLike) -> Expression:
        return Divide(as_expression(other), self)

    def __pow__(self, other: ExpressionLike) -> Expression:
        return Power(self, as_expression(other))

    def __rpow__(self, other: ExpressionLike) -> Expression:
        return Power(as_expression(other), self)

    def __matmul__(self, other: Expression) -> Expression:
        return MatMul(self, other)

    def __neg__(self) -> Expression:
        return Negate(self)

    def __gt__(self, other: ExpressionLike) -> Expression:
        return Compare(">", self, as_expression(other))

    def __lt__(self, other: ExpressionLike) -> Expression:
        return Compare("<", self, as_expression(other))

    def __ge__(self, other: ExpressionLike) -> Expression:
        return Compare("≥", self, as_expression(other))

    def __le__(self, other: ExpressionLike) -> Expression:
        return Compare("≤", self, as_expression(other))

    def __abs__(self) -> Expression:
        from glassnet.equations.functions import abs_

        absolute: Expression = abs_(self)
        return absolute

    def __bool__(self) -> bool:
        raise TypeError(
            "An expression has no truth value, so it cannot stand after `if` or `and`; use gn.where(condition, a, b)."
        )

    def __str__(self) -> str:
        from glassnet.equations.rendering import to_text

        return to_text(self)

    def latex(self) -> str:
        """The expression as LaTeX, without dollar signs."""
        from glassnet.equations.rendering import to_latex

        return to_latex(self)

    def mathml(self) -> str:
        """The expression as MathML (presentation), a `<mrow>` without the surrounding `<math>`."""
        from glassnet.equations.rendering import to_mathml

        return to_mathml(self)

    def __repr__(self) -> str:
        return f"<{self}>"


ExpressionLike: TypeAlias = Expression | float | int


def as_expression(value: ExpressionLike) -> Expression:
    """A number becomes a `Constant`; an expression stays what it is."""
    if isinstance(value, Expression):
        return value
    if isinstance(value, Real) and not isinstance(value, bool):  # NumPy's numbers too
        return Constant(float(value))
    if type(value).__name__ in ("bool", "bool_"):
        raise TypeError(
            f"An expression got the truth value {value}; == compares whole formulas, so say where with gn.where and > or <"
        )
    raise TypeError(
        f"An expression got {type(value).__name__} {value!r}; it needs expressions and plain numbers. "
        "Use gn.exp, gn.log, gn.where, ... instead of NumPy's functions."
    )


@dataclass(frozen=True, repr=False)
class Symbol(Expression):
    """A named quantity: `W1`, `X`, `alpha`. Its value is looked up by name."""

    name: str
    symbol_shape: Shape = ()

    @property
    def shape(self) -> Shape:
        return self.symbol_shape

    def evaluate(self, env: Mapping[str, Array], xp: Namespace) -> Array:
        return env[self.name]


@dataclass(frozen=True, repr=False)
class Constant(Expression):
    """A number, with the name it goes by on the page when it has one (`λ`, `β₁`)."""

    value: float
    name: str | None = None

    @property
    def shape(self) -> Shape:
        return ()

    def evaluate(self, env: Mapping[str, Array], xp: Namespace) -> Array:
        return self.value


@dataclass(frozen=True, repr=False)
class _Binary(Expression):
    left: Expression
    right: Expression

    @property
    def children(self) -> tuple[Expression, ...]:
        return (self.left, self.right)

    def with_children(self, children: tuple[Expression, ...]) -> Expression:
        left, right = children
        return type(self)(left, right)

    @property
    def shape(self) -> Shape:
        return broadcast_shapes(self.left.shape, self.right.shape, self)


@dataclass(frozen=True, repr=False)
class Add(_Binary):
    def evaluate(self, env: Mapping[str, Array], xp: Namespace) -> Array:
        return self.left.evaluate(env, xp) + self.right.evaluate(env, xp)


@dataclass(frozen=True, repr=False)
class Subtract(_Binary):
    def evaluate(self, env: Mapping[str, Array], xp: Namespace) -> Array:
        return self.left.evaluate(env, xp) - self.right.evaluate(env, xp)


@dataclass(frozen=True, repr=False)
class Multiply(_Binary):
    """Elementwise product ⊙; written by juxtaposition when one side is a scalar."""

    def evaluate(self, env: Mapping[str, Array], xp: Namespace) -> Array:
        return self.left.evaluate(env, xp) * self.right.evaluate(env, xp)


@dataclass(frozen=True, repr=False)
class Divide(_Binary):
    def evaluate(self, env: Mapping[str, Array], xp: Namespace) -> Array:
        return self.left.evaluate(env, xp) / self.right.evaluate(env, xp)


@dataclass(frozen=True, repr=False)
class Power(_Binary):
    """Elementwise power; the exponent is a number or a scalar symbol."""

    def evaluate(self, env: Mapping[str, Array], xp: Namespace) -> Array:
        base = self.left.evaluate(env, xp)
        if isinstance(self.right, Constant) and self.right.value == 2.0:
            return base * base
        return base ** self.right.evaluate(env, xp)


@dataclass(frozen=True, repr=False)
class Compare(Expression):
    """`left op right` as 1.0 where it holds and 0.0 where it does not; op is one of > < ≥ ≤."""

    operator: str
    left: Expression
    right: Expression

    @property
    def children(self) -> tuple[Expression, ...]:
        return (self.left, self.right)

    def with_children(self, children: tuple[Expression, ...]) -> Expression:
        return Compare(self.operator, *children)

    @property
    def shape(self) -> Shape:
        return broadcast_shapes(self.left.shape, self.right.shape, self)

    def evaluate(self, env: Mapping[str, Array], xp: Namespace) -> Array:
        left, right = self.left.evaluate(env, xp), self.right.evaluate(env, xp)
        holds = COMPARISONS[self.operator](left, right)
        like = left if hasattr(left, "dtype") else right
        return xp.astype(holds, like.dtype) if hasattr(like, "dtype") else float(holds)


COMPARISONS = {">": operator.gt, "<": operator.lt, "≥": operator.ge, "≤": operator.le}


@dataclass(frozen=True, repr=False)
class MatMul(_Binary):
    """Matrix product of (m, k) and (k, n)."""

    @property
    def shape(self) -> Shape:
        left, right = self.left.shape, self.right.shape
        if len(left) != 2 or len(right) != 2 or left[1] != right[0]:
            raise GlassnetError(
                f"The matrix product '{self}' got shapes {shape_text(left)} and {shape_text(right)}; "
                "the columns of the first must equal the rows of the second."
            )
        return (left[0], right[1])

    def evaluate(self, env: Mapping[str, Array], xp: Namespace) -> Array:
        return self.left.evaluate(env, xp) @ self.right.evaluate(env, xp)


@dataclass(frozen=True, repr=False)
class _Unary(Expression):
    argument: Expression

    @property
    def children(self) -> tuple[Expression, ...]:
        return (self.argument,)

    def with_children(self, children: tuple[Expression, ...]) -> Expression:
        return type(self)(children[0])

    @property
    def shape(self) -> Shape:
        return self.argument.shape


@dataclass(frozen=True, repr=False)
class Negate(_Unary):
    def evaluate(self, env: Mapping[str, Array], xp: Namespace) -> Array:
        return -self.argument.evaluate(env, xp)


@dataclass(frozen=True, repr=False)
class Transpose(_Unary):
    @property
    def shape(self) -> Shape:
        rows, columns = self.argument.shape
        return (columns, rows)

    def evaluate(self, env: Mapping[str, Array], xp: Namespace) -> Array:
        return self.argument.evaluate(env, xp).T


@dataclass(frozen=True, repr=False)
class _Reduction(Expression):
    """Over everything (axis None), over the samples (axis 0), over a row's entries (axis 1, kept as a column), or over
    samples and places of maps (axis "channels": one number a channel)."""

    argument: Expression
    axis: Axis = None

    @property
    def children(self) -> tuple[Expression, ...]:
        return (self.argument,)

    def with_children(self, children: tuple[Expression, ...]) -> Expression:
        return type(self)(children[0], self.axis)

    @property
    def shape(self) -> Shape:
        if self.axis is None:
            return ()
        if self.axis == CHANNELS:
            return (self.argument.shape[1],)
        rows, columns = self.argument.shape
        return (columns,) if self.axis == 0 else (rows, 1)

    @property
    def _axes(self) -> int | tuple[int, ...] | None:
        return (0, 2, 3) if self.axis == CHANNELS else self.axis


@dataclass(frozen=True, repr=False)
class Sum(_Reduction):
    def evaluate(self, env: Mapping[str, Array], xp: Namespace) -> Array:
        value = self.argument.evaluate(env, xp)
        return xp.sum(value) if self.axis is None else xp.sum(value, axis=self._axes, keepdims=self.axis == 1)


@dataclass(frozen=True, repr=False)
class Mean(_Reduction):
    def evaluate(self, env: Mapping[str, Array], xp: Namespace) -> Array:
        value = self.argument.evaluate(env, xp)
        return xp.mean(value) if self.axis is None else xp.mean(value, axis=self._axes, keepdims=self.axis == 1)


@dataclass(frozen=True, repr=False)
class Function(Expression):
    """A named function (`functions.py`) of one or more arguments."""

    kind: FunctionKind
    arguments: tuple[Expression, ...]

    @property
    def children(self) -> tuple[Expression, ...]:
        return self.arguments

    def with_children(self, children: tuple[Expression, ...]) -> Expression:
        return Function(self.kind, children)

    @property
    def shape(self) -> Shape:
        return self.kind.shape(tuple(a.shape for a in self.arguments))

    def evaluate(self, env: Mapping[str, Array], xp: Namespace) -> Array:
        return self.kind.evaluate(xp, *(a.evaluate(env, xp) for a in self.arguments))


def walk(expression: Expression) -> Iterator[Expression]:
    """Every node, parents before children; no recursion, so depth does not matter."""
    stack = [expression]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node.children))


def size(expression: Expression) -> int:
    """How many nodes the tree has."""
    return sum(1 for _ in walk(expression))


def extent(expression: Expression) -> tuple[int, int]:
    """How deep the tree is and how many nodes it has; a subtree used in several places is walked once."""
    known: dict[int, tuple[int, int]] = {}
    stack = [expression]
    while stack:
        node = stack[-1]
        waiting = [child for child in node.children if id(child) not in known]
        if waiting:
            stack.extend(waiting)
            continue
        below = [known[id(child)] for child in node.children]
        known[id(node)] = (1 + max((d for d, _ in below), default=0), 1 + sum(n for _, n in below))
        stack.pop()
    return known[id(expression)]


def symbols(expression: Expression) -> list[Symbol]:
    """The distinct symbols of the tree, in reading order."""
    found: dict[Symbol, None] = {}
    for node in walk(expression):
        if isinstance(node, Symbol):
            found.setdefault(node)
    return list(found)


def replace(expression: Expression, table: Mapping[Expression, Expression]) -> Expression:
    """The tree with every occurrence of a key (largest first) replaced by its value."""
    if expression in table:
        return table[expression]
    if not expression.children:
        return expression
    children = tuple(replace(child, table) for child in expression.children)
    return expression if children == expression.children else expression.with_children(children)
