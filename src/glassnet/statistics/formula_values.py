"""What the variables of a formula are in a table: columns, factors, and the functions a formula may call.

Only what is listed here is ever computed; a formula is never run as code.

    poly(x, d)     orthogonal polynomials p₁ ... p_d on the samples, Σᵢ pⱼ(xᵢ) pₖ(xᵢ) = [j = k], by the three-term
                   recurrence p̃ⱼ₊₁(x) = (x − αⱼ) p̃ⱼ(x) − (‖p̃ⱼ‖² / ‖p̃ⱼ₋₁‖²) p̃ⱼ₋₁(x), αⱼ = Σ x p̃ⱼ² / ‖p̃ⱼ‖²
    scale(x)       (x − x̄) / s, s with n − 1

What they learn from the data (α, norms, x̄, s) is kept, so that new rows get the same columns.

Source: Kennedy and Gentle, Statistical Computing, pp. 343-347 (the recurrence that R's `poly` cites).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from glassnet.data.column_values import as_numbers, as_texts, unit_of
from glassnet.errors import DataError, unknown_name
from glassnet.statistics.formula_grammar import COMPARISONS, Call, Name, Node, Number, Pair, Parenthesis, Sign, Text

Array = np.ndarray[Any, Any]

ELEMENTWISE: dict[str, Callable[[Array], Array]] = {
    "log": np.log, "log2": np.log2, "log10": np.log10, "log1p": np.log1p, "exp": np.exp, "expm1": np.expm1,
    "sqrt": np.sqrt, "abs": np.abs, "sin": np.sin, "cos": np.cos, "tan": np.tan,
}  # fmt: skip
FACTORS = ("factor", "as.factor", "C")
FUNCTIONS = (*ELEMENTWISE, "I", *FACTORS, "relevel", "poly", "scale")
ARITHMETIC: dict[str, Callable[[Array, Array], Array]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "^": np.power,
}  # fmt: skip
COMPARED: dict[str, Callable[[Array, Array], Array]] = {
    "==": np.equal, "!=": np.not_equal, "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal,
}  # fmt: skip
REFUSED = {
    "offset": "an offset is not supported; subtract it from the response, or leave it out",
    "cbind": "a response of successes and failures is not supported; give the share of successes as the response and "
    "the number of trials as weights",
}
LOGICAL = ("FALSE", "TRUE")


@dataclass(frozen=True)
class Numbers:
    """A numeric variable: one column, or several with a label each.

    Attributes
    ----------
    values : (m, k) float64, NaN where missing
    labels : what R writes after the variable's name, "" for a single column
    logical : the values are FALSE (0) and TRUE (1)
    """

    values: Array
    labels: tuple[str, ...] = ("",)
    logical: bool = False


@dataclass(frozen=True)
class Factor:
    """A categorical variable.

    Attributes
    ----------
    codes : (m,) int64, the position of each row's level; −1 where missing
    levels : the texts of the levels, the first is the reference
    """

    codes: Array
    levels: tuple[str, ...]


@dataclass
class Learnt:
    """What a design has to remember of its data to give new rows the same columns."""

    kinds: dict[str, str] = field(default_factory=dict)
    bases: dict[str, tuple[Array, ...]] = field(default_factory=dict)
    levels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    complete: bool = False


class Values:
    """The variables of a table.

    Parameters
    ----------
    table : pyarrow.Table
    learnt : filled in from this table, or used for it when complete
    """

    def __init__(self, table: Any, learnt: Learnt) -> None:
        self.table = table
        self.learnt = learnt
        self._known: dict[str, Numbers | Factor] = {}

    def value(self, node: Node) -> Numbers | Factor:
        """A variable's values; logical ones are a factor of FALSE and TRUE.

        Raises
        ------
        DataError : no such column or function; text where numbers are needed, arguments a function does not take
        """
        label = str(node)
        if label not in self._known:
            with np.errstate(all="ignore"):
                found = self._value(node)
            if isinstance(found, Numbers) and found.logical:
                found = _truth(found)
            self._known[label] = found
        return self._known[label]

    def missing(self, name: str) -> Array:
        """Where a column has no value (m,)."""
        return _missing(self._column(name))

    # columns

    def _column(self, name: str) -> Numbers | Factor:
        if name not in self.table.column_names:
            raise DataError(unknown_name("column", name, self.table.column_names))
        column = self.table.column(name)
        unit = unit_of(column.type)
        if unit is None:
            raise DataError(f"Column '{name}' holds {column.type}, which a formula cannot use; leave it out.")
        kind = "logical" if unit == "0 or 1" else "text" if unit == "text" else "number"
        wanted = self.learnt.kinds.setdefault(name, kind)
        if wanted == "text":
            return _factor_of_column(column)
        if kind == "text":
            if len(column) == column.null_count:
                return Numbers(np.full((len(column), 1), np.nan))
            raise DataError(f"Column '{name}' holds text; the formula was fitted to numbers in it.")
        return Numbers(as_numbers(column, unit).reshape(-1, 1), logical=wanted == "logical")

    # expressions

    def _value(self, node: Node) -> Numbers | Factor:
        if isinstance(node, Name):
            if node.name in LOGICAL:
                return Numbers(np.full((self.table.num_rows, 1), float(node.name == "TRUE")), logical=True)
            return self._column(node.name)
        if isinstance(node, Number):
            return Numbers(np.full((self.table.num_rows, 1), float(node.text)))
        if isinstance(node, Parenthesis):
            return self._value(node.inner)
        if isinstance(node, Sign):
            number = self._single(node.inner, node.sign)
            return Numbers(-number if node.sign == "-" else number)
        if isinstance(node, Pair):
            return self._pair(node)
        if isinstance(node, Call):
            return self._call(node)
        raise DataError(f"Text such as {node} can only be compared with a column, as in I(x == {node}).")

    def _single(self, node: Node, user: str) -> Array:
        """Numbers (m, 1) that `user` can work with."""
        found = self._value(node)
        if isinstance(found, Factor):
            raise DataError(f"{user} needs numbers, and {_subject(node)} holds text.")
        if found.values.shape[1] != 1:
            raise DataError(f"{user} needs one column, and {node} has {found.values.shape[1]}.")
        return found.values

    def _pair(self, node: Pair) -> Numbers:
        if node.operator in COMPARISONS:
            return self._compared(node)
        first, rest = node.chain()
        result = self._single(first, f"'{rest[0][0]}'")
        for operator, part in rest:
            if operator not in ARITHMETIC:
                raise DataError(f"'{operator}' has no meaning inside I() or a function; got {node}.")
            result = ARITHMETIC[operator](result, self._single(part, f"'{operator}'"))
        return Numbers(result)

    def _compared(self, node: Pair) -> Numbers:
        sides = [part.text if isinstance(part, Text) else self._value(part) for part in (node.left, node.right)]
        texts = [isinstance(side, str | Factor) for side in sides]
        if not any(texts):
            a, b = (self._single(part, f"'{node.operator}'") for part in (node.left, node.right))
            unknown = np.isnan(a) | np.isnan(b)
            return Numbers(np.where(unknown, np.nan, COMPARED[node.operator](a, b)), logical=True)
        factor, text = sides if isinstance(sides[0], Factor) else sides[::-1]
        if not isinstance(factor, Factor) or not isinstance(text, str) or node.operator not in ("==", "!="):
            raise DataError(f"{node} cannot be compared; compare numbers, or a text column by == or != with a text.")
        if text not in factor.levels and not self.learnt.complete:
            raise DataError(f"In {node}: {unknown_name('value', text, factor.levels)}")
        position = factor.levels.index(text) if text in factor.levels else -2
        same = (factor.codes == position) == (node.operator == "==")
        return Numbers(np.where(factor.codes < 0, np.nan, same).reshape(-1, 1), logical=True)

    # functions

    def _call(self, node: Call) -> Numbers | Factor:
        name = node.function
        if name in REFUSED:
            raise DataError(f"{name}() in a formula: {REFUSED[name]}.")
        if name not in FUNCTIONS:
            raise DataError(unknown_name("function", name, FUNCTIONS))
        if name == "poly":
            return self._poly(node)
        if name == "scale":
            return self._scale(node)
        if name == "relevel":
            return self._relevel(node)
        if name == "log":
            x, base = _matched(node, "x", "base")
            values = np.log(self._single(x, "log()"))
            return Numbers(values if base is None else values / np.log(_number(node, "base", base)))
        (x,) = _matched(node, "x")
        if name == "I":
            return self._value(x)
        if name in FACTORS:
            return self._factor(x)
        return Numbers(ELEMENTWISE[name](self._single(x, f"{name}()")))

    def _factor(self, node: Node) -> Factor:
        found = self._value(node)
        if isinstance(found, Factor):
            return found
        if found.logical:
            return _truth(found)
        return factor_of_numbers(self._single(node, "factor()")[:, 0])

    def _relevel(self, node: Call) -> Factor:
        x, ref = _matched(node, "x", "ref")
        factor = self._value(x)
        if not isinstance(factor, Factor):
            raise DataError(f"relevel() needs a factor; write relevel(factor({x}), ref = ...).")
        if not isinstance(ref, Text | Number):
            raise DataError(f'relevel() needs the level that comes first, as in relevel({x}, ref = "a").')
        if self.learnt.complete:
            return factor
        if ref.text not in factor.levels:
            raise DataError(f"In {node}: {unknown_name('level', ref.text, factor.levels)}")
        at = factor.levels.index(ref.text)
        order = [at, *(i for i in range(len(factor.levels)) if i != at)]
        place = np.argsort(order)
        codes = np.where(factor.codes < 0, -1, place[factor.codes])
        return Factor(codes, tuple(factor.levels[i] for i in order))

    def _scale(self, node: Call) -> Numbers:
        x, center, scale = _matched(node, "x", "center", "scale")
        values = self._single(x, "scale()")
        label = str(node)
        if not self.learnt.complete:
            there = values[~np.isnan(values)]
            if len(there) < 2 or not np.isfinite(there).all():
                raise DataError(f"{node} needs at least two values, all of them finite.")
            middle = there.mean() if _flag(node, "center", center, True) else 0.0
            width = 1.0
            if _flag(node, "scale", scale, True):
                width = float(np.sqrt(np.sum((there - middle) ** 2) / (len(there) - 1)))
                if width == 0:
                    raise DataError(f"{node} divides by the standard deviation of {x}, which is 0; leave {x} out.")
            self.learnt.bases[label] = (np.array(middle), np.array(width))
        shift, unit = self.learnt.bases[label]
        return Numbers((values - shift) / unit)

    def _poly(self, node: Call) -> Numbers:
        x, degree, raw = _matched(node, "x", "degree", "raw")
        d = _number(node, "degree", degree) if degree is not None else 1.0
        if d != int(d) or not 1 <= d <= 50:
            raise DataError(f"{node}: the degree is a whole number from 1 to 50.")
        d = int(d)
        values = self._single(x, "poly()")[:, 0]
        labels = tuple(str(k) for k in range(1, d + 1)) if d > 1 else ("",)
        if _flag(node, "raw", raw, False):
            return Numbers(values[:, None] ** np.arange(1, d + 1), labels)
        label = str(node)
        if not self.learnt.complete:
            there = values[~np.isnan(values)]
            if not np.isfinite(there).all():
                raise DataError(f"{node} needs finite values.")
            different = len(np.unique(there))
            if d >= different:
                raise DataError(
                    f"{node} needs more than {d} different values of {x}; there are {different}. Use a lower degree."
                )
            self.learnt.bases[label] = _basis(there, d)
        return Numbers(_polynomials(values, *self.learnt.bases[label]), labels)


def factor_of_numbers(values: Array) -> Factor:
    """Numbers (m,) as a factor, its levels in numeric order; NaN is missing."""
    levels, codes = np.unique(values, return_inverse=True)
    there = ~np.isnan(levels)
    codes = np.where(np.isnan(values), -1, codes)
    return Factor(codes.astype(np.int64), tuple(f"{level:.15g}" for level in levels[there]))


def _basis(x: Array, degree: int) -> tuple[Array, Array]:
    """α₀ ... α_{d−1} and the squared norms of p̃₀ ... p̃_d on the samples."""
    alpha, norms = np.empty(degree), np.empty(degree + 1)
    before, p = np.zeros_like(x), np.ones_like(x)
    for k in range(degree + 1):
        norms[k] = p @ p
        if k < degree:
            alpha[k] = (x * p) @ p / norms[k]
            before, p = p, (x - alpha[k]) * p - (norms[k] / norms[k - 1] if k else 0.0) * before
    return alpha, norms


def _polynomials(x: Array, alpha: Array, norms: Array) -> Array:
    """The orthonormal p₁ ... p_d at x."""
    columns = np.empty((len(x), len(alpha)))
    before, p = np.zeros_like(x), np.ones_like(x)
    for k in range(len(alpha)):
        before, p = p, (x - alpha[k]) * p - (norms[k] / norms[k - 1] if k else 0.0) * before
        columns[:, k] = p / np.sqrt(norms[k + 1])
    return columns


def _factor_of_column(column: Any) -> Factor:
    """A column as texts; the levels in the order of the alphabet, or a dictionary's own."""
    import pyarrow as pa
    import pyarrow.compute as pc

    ordered = None
    if pa.types.is_dictionary(column.type):
        chunk = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        chunk = chunk.chunk(0) if isinstance(chunk, pa.ChunkedArray) and chunk.num_chunks else chunk
        ordered = [text for text in as_texts(chunk.dictionary).to_pylist() if text is not None]
    texts = as_texts(column)
    if ordered is None:
        ordered = sorted(pc.unique(texts.drop_null()).to_pylist(), key=lambda text: (text.casefold(), text))
    found = pc.fill_null(pc.index_in(texts, value_set=pa.array(ordered, pa.string())), -1)
    return Factor(np.asarray(found).astype(np.int64), tuple(ordered))


def _truth(numbers: Numbers) -> Factor:
    values = numbers.values[:, 0]
    return Factor(np.where(np.isnan(values), -1, values == 1).astype(np.int64), LOGICAL)


def _missing(found: Numbers | Factor) -> Array:
    return np.asarray(found.codes < 0 if isinstance(found, Factor) else np.isnan(found.values).any(axis=1))


def _subject(node: Node) -> str:
    return f"column '{node.name}'" if isinstance(node, Name) else str(node)


def _matched(node: Call, *parameters: str) -> list[Any]:
    """A call's arguments in the order of its parameters, None for those not given; the first is needed."""
    found: dict[str, Node] = {}
    for name, argument in node.arguments:
        if name and name not in parameters:
            raise DataError(f"In {node}: {unknown_name('argument', name, parameters)}")
        key = name or next((p for p in parameters if p not in found and p not in dict(node.arguments)), "")
        if not key:
            raise DataError(
                f"{node}: {node.function}() takes {_counted(len(parameters))} in a formula: {', '.join(parameters)}."
            )
        found[key] = argument
    if parameters[0] not in found:
        raise DataError(f"{node.function}() needs a column, as in {node.function}(x).")
    return [found.get(p) for p in parameters]


def _counted(count: int) -> str:
    return f"{count} argument{'s' * (count > 1)}"


def _number(call: Call, name: str, node: Node) -> float:
    if not isinstance(node, Number):
        raise DataError(f"{call}: {name} is a number; got {node}.")
    return float(node.text)


def _flag(call: Call, name: str, node: Node | None, default: bool) -> bool:
    if node is None:
        return default
    if isinstance(node, Name) and node.name in ("TRUE", "FALSE", "True", "False", "T", "F"):
        return node.name[0] == "T"
    raise DataError(f"{call}: {name} is TRUE or FALSE; got {node}.")
