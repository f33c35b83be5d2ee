"""The matrix nodes of Newton's method: a column of ones, stacked parameters, the curvature of a cost, a linear system."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from glassnet.equations.expression import Expression, Shape, _Binary, _Unary
from glassnet.errors import GlassnetError

Array = Any
Namespace = Any


def _entries(shape: Shape, position: int) -> int:
    """A size that is known when the network is."""
    size = shape[position]
    if not isinstance(size, int):
        raise GlassnetError(f"The shape {shape} has no known size at {position}.")
    return size


@dataclass(frozen=True, repr=False)
class WithOnes(_Unary):
    """[1 X]: a column of ones put before X, so that the bias is a weight like the others."""

    @property
    def shape(self) -> Shape:
        rows, columns = self.argument.shape
        return (rows, int(columns) + 1)

    def evaluate(self, env: Mapping[str, Array], xp: Namespace) -> Array:
        value = self.argument.evaluate(env, xp)
        value = value.toarray() if hasattr(value, "toarray") else value
        return xp.concat([xp.ones((value.shape[0], 1), dtype=value.dtype), value], axis=1)


@dataclass(frozen=True, repr=False)
class Stacked(_Binary):
    """[b; W]: b (k,) as a row above W (n, k)."""

    @property
    def shape(self) -> Shape:
        rows, columns = self.right.shape
        return (int(rows) + 1, columns)

    def evaluate(self, env: Mapping[str, Array], xp: Namespace) -> Array:
        above, below = self.left.evaluate(env, xp), self.right.evaluate(env, xp)
        return xp.concat([xp.reshape(above, (1, below.shape[1])), below], axis=0)


@dataclass(frozen=True, repr=False)
class FirstRow(_Unary):
    """The first row of a matrix (n + 1, k), as (k,): the bias's part."""

    @property
    def shape(self) -> Shape:
        return (self.argument.shape[1],)

    def evaluate(self, env: Mapping[str, Array], xp: Namespace) -> Array:
        return self.argument.evaluate(env, xp)[0, :]


@dataclass(frozen=True, repr=False)
class OtherRows(_Unary):
    """All rows of a matrix (n + 1, k) but the first: the weights' part."""

    @property
    def shape(self) -> Shape:
        rows, columns = self.argument.shape
        return (int(rows) - 1, columns)

    def evaluate(self, env: Mapping[str, Array], xp: Namespace) -> Array:
        return self.argument.evaluate(env, xp)[1:, :]


@dataclass(frozen=True, repr=False)
class Diagonal(Expression):
    """D: a diagonal of ones (size, size), with 0 in the bias's places, which no penalty touches.

    Parameters
    ----------
    rows, outputs : of the stacked parameters; the size is their product, output by output
    bias : whether the first row is a bias
    """

    rows: int
    outputs: int
    bias: bool

    @property
    def shape(self) -> Shape:
        size = self.rows * self.outputs
        return (size, size)

    def evaluate(self, env: Mapping[str, Array], xp: Namespace) -> Array:
        kind = env["X"].dtype
        one = xp.eye(self.rows, dtype=kind)
        if self.bias:
            one[0, 0] = 0.0
        if self.outputs == 1:
            return one
        rows, outputs = self.rows, self.outputs
        spread = xp.eye(outputs, dtype=kind)[:, None, :, None] * one[None, :, None, :]
        return xp.reshape(spread, (rows * outputs, rows * outputs))


@dataclass(frozen=True, repr=False)
class Jacobian(Expression):
    """How each output's slope changes with each score, sample by sample: (m, k, k).

    `along` is the product of the (symmetric) Jacobian with a direction, a tree in the symbol `direction`; a column of the
    Jacobian is its value for a unit vector.
    """

    along: Expression
    direction: Expression

    @property
    def children(self) -> tuple[Expression, ...]:
        return (self.along,)

    def with_children(self, children: tuple[Expression, ...]) -> Expression:
        return Jacobian(children[0], self.direction)

    @property
    def shape(self) -> Shape:
        rows, outputs = self.direction.shape
        return (rows, outputs, outputs)

    def evaluate(self, env: Mapping[str, Array], xp: Namespace) -> Array:
        outputs = _entries(self.direction.shape, 1)
        one = xp.eye(outputs, dtype=env["X"].dtype)
        name = str(self.direction)
        return xp.stack([self.along.evaluate({**env, name: one[None, j, :]}, xp) for j in range(outputs)], axis=2)


@dataclass(frozen=True, repr=False)
class KroneckerSum(_Binary):
    """Σᵢ cᵢ ⊗ xᵢ xᵢᵀ, (k p, k p), output by output: the curvature of a cost whose outputs share a row's scores."""

    @property
    def shape(self) -> Shape:
        size = _entries(self.left.shape, 1) * _entries(self.right.shape, 1)
        return (size, size)

    def evaluate(self, env: Mapping[str, Array], xp: Namespace) -> Array:
        curvature, inputs = self.left.evaluate(env, xp), self.right.evaluate(env, xp)
        outputs, columns = curvature.shape[1], inputs.shape[1]
        rows = []
        for j in range(outputs):
            rows.append(xp.concat([inputs.T @ (curvature[:, j, k, None] * inputs) for k in range(outputs)], axis=1))
        return xp.reshape(xp.concat(rows, axis=0), (outputs * columns, outputs * columns))


@dataclass(frozen=True, repr=False)
class Solved(_Binary):
    """H⁻¹ B, or H⁺ B when `pseudo`: the solution of H S = B, the shortest one when there are several.

    B is (p, k); H is (p, p), or (k p, k p) output by output.
    """

    pseudo: bool = False

    def with_children(self, children: tuple[Expression, ...]) -> Expression:
        return Solved(children[0], children[1], self.pseudo)

    @property
    def shape(self) -> Shape:
        return self.right.shape

    def evaluate(self, env: Mapping[str, Array], xp: Namespace) -> Array:
        H, B = self.left.evaluate(env, xp), self.right.evaluate(env, xp)
        whole = H.shape[0] != B.shape[0]
        right = xp.reshape(B.T, (-1, 1)) if whole else B
        solution = xp.linalg.pinv(H) @ right if self.pseudo else xp.linalg.solve(H, right)
        return xp.reshape(solution, (B.shape[1], B.shape[0])).T if whole else solution
