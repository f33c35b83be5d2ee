"""From an R formula and a table to a design matrix: `y ~ log(x) + group * z`.

A variable of a term is a number, several (`poly`), or a factor: a column for each level but the first (treatment
contrasts), or for every level. The columns of an interaction are the products, the first variable's varying fastest.

Source: R Core Team, An Introduction to R, §11.1.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from glassnet.errors import DataError, GlassnetError, GlassnetWarning
from glassnet.statistics.formula_grammar import Name, Node, names_in, parse
from glassnet.statistics.formula_terms import Term, coded_terms, expanded_terms, used_variables
from glassnet.statistics.formula_values import Factor, Learnt, Numbers, Values, factor_of_numbers

Array = np.ndarray[Any, Any]
Variable = Numbers | Factor
INTERCEPT = "(Intercept)"


@dataclass(frozen=True)
class Design:
    """A design matrix, its response, and what is needed to make the same columns of new rows.

    Attributes
    ----------
    formula : as R prints it
    response : the response's name, such as `log(y)`
    X : (m, p) float64, the ones first when there is an intercept
    y : (m,) float64; for a categorical response the number of the class, from 0
    classes : the classes of a categorical response, the first is R's reference (failure, for two); None for numbers
    names : the columns' names as R prints them
    intercept : whether the first column is the intercept
    terms : the terms without the intercept
    assign : (p,) the term of each column, from 1; 0 for the intercept
    rows : (m,) the positions in the table of the rows that were used
    dropped : rows left out because a value is missing in them
    weights : (m,) or None
    """

    formula: str
    response: str
    X: Array
    y: Array
    classes: tuple[str, ...] | None
    names: tuple[str, ...]
    intercept: bool
    terms: tuple[Term, ...]
    assign: Array
    rows: Array
    dropped: int
    weights: Array | None
    _nodes: dict[str, Node]
    _learnt: Learnt

    @property
    def features(self) -> Array:
        """X without the intercept, (m, p − 1)."""
        return self.X[:, 1:] if self.intercept else self.X

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of `features`."""
        return self.names[1:] if self.intercept else self.names

    @property
    def columns_of_terms(self) -> dict[str, tuple[str, ...]]:
        """The columns of each term: {"factor(cyl)": ("factor(cyl)6", "factor(cyl)8"), ...}."""
        return {
            term.label: tuple(n for n, a in zip(self.names, self.assign, strict=True) if a == k)
            for k, term in enumerate(self.terms, 1)
        }

    @property
    def said_dropped(self) -> str:
        """R's remark on rows left out; nothing when there are none."""
        if not self.dropped:
            return ""
        return f"({self.dropped} observation{'s' * (self.dropped > 1)} deleted due to missingness)"

    def labels(self) -> tuple[Array, tuple[str, ...]]:
        """The response as classes: (numbers of the classes (m,), the classes); numbers are sorted."""
        if self.classes is not None:
            return self.y.astype(np.int64), self.classes
        factor = factor_of_numbers(self.y)
        return factor.codes, factor.levels

    def apply(self, table: Any) -> Array:
        """The same columns for other rows: the levels, polynomials and scales found when the design was made.

        Parameters
        ----------
        table : whatever `glassnet.data.read_table` reads, with the columns of the right-hand side

        Returns
        -------
        array (rows, p); NaN in rows with a missing value

        Raises
        ------
        DataError : a column is missing, has text for numbers, or a level that was not there before
        """
        from glassnet.data import read_table

        values = Values(read_table(table), self._learnt)
        variables: dict[str, Variable] = {}
        for label in used_variables(self.terms):
            found = values.value(self._nodes[label])
            variables[label] = found if isinstance(found, Numbers) else _known_levels(label, found, self._learnt)
        rows = values.table.num_rows
        X = _matrix(self.terms, variables, self.intercept, rows)[0]
        missing = np.zeros(rows, dtype=bool)
        for found in variables.values():
            missing |= _absent(found)
        X[missing] = np.nan
        return X


def design(formula: str, table: Any, weights: str | None = None) -> Design:
    """The design matrix of an R formula.

    Parameters
    ----------
    formula : `response ~ terms`, of + - : * / ^ %in% . -1 +0, I(x^2), log(x), poly(x, 2), scale(x), factor(x),
        relevel(x, ref = "a") and comparisons
    table : whatever `glassnet.data.read_table` reads
    weights : a column of weights

    Returns
    -------
    Design

    Raises
    ------
    GlassnetError : the formula cannot be read
    DataError : no such column or function, a factor with one level, no complete row, infinite values

    Warns
    -----
    GlassnetWarning : a function is not a number in some rows, such as log(-1); they are left out, as R does
    """
    from glassnet.data import read_table

    tree = parse(formula)
    table = read_table(table)
    nodes, intercept, named_terms = expanded_terms(tree, table.column_names)
    learnt = Learnt()
    values = Values(table, learnt)
    response = str(tree.response)
    variables = {response: values.value(tree.response)}
    variables |= {label: values.value(nodes[label]) for label in used_variables(named_terms)}
    nodes[response] = tree.response
    weight = None if weights is None else _weights(values, weights)
    rows = _complete_rows(table, values, variables, nodes, weight)
    variables = {label: _taken(label, found, rows, learnt, label == response) for label, found in variables.items()}
    learnt.complete = True
    y = variables.pop(response)
    if isinstance(y, Numbers) and y.values.shape[1] != 1:
        raise DataError(f"The response {response} has {y.values.shape[1]} columns; it needs one.")
    for label, found in variables.items():
        if isinstance(found, Factor) and len(found.levels) < 2:
            raise DataError(
                f"The factor {label} has one level only, '{found.levels[0]}', in the {len(rows):,} rows that are used; "
                "a factor needs two or more. Leave it out of the formula."
            )
    terms = coded_terms(named_terms, {v for v, f in variables.items() if isinstance(f, Factor)}, intercept)
    X, names, assign = _matrix(terms, variables, intercept, len(rows))
    if not names:
        raise GlassnetError(f"The formula '{tree}' has nothing to estimate: no intercept and no terms; add one.")
    return Design(
        str(tree), response, X, y.values[:, 0] if isinstance(y, Numbers) else y.codes.astype(np.float64),
        y.levels if isinstance(y, Factor) else None, tuple(names), intercept, terms, assign, rows,
        int(table.num_rows - len(rows)), None if weight is None else weight[rows], nodes, learnt,
    )  # fmt: skip


# the columns


def _matrix(
    terms: Sequence[Term], variables: dict[str, Variable], intercept: bool, rows: int
) -> tuple[Array, list[str], Array]:
    """X, the columns' names, and the term of each."""
    names = [INTERCEPT] if intercept else []
    assign = [0] if intercept else []
    blocks: list[list[tuple[str, list[tuple[Variable, int]]]]] = []
    for k, term in enumerate(terms, 1):
        columns: list[tuple[str, list[tuple[Variable, int]]]] = [("", [])]
        for label, full in zip(term.variables, term.full, strict=True):
            own = _columns(label, variables[label], full)
            columns = [
                (f"{before}:{name}" if before else name, [*parts, (variables[label], at)])
                for name, at in own
                for before, parts in columns
            ]
        blocks.append(columns)
        names += [name for name, _ in columns]
        assign += [k] * len(columns)
    X = np.ones((rows, len(names)))
    at = int(intercept)
    for columns in blocks:
        for _, parts in columns:
            for found, position in parts:
                X[:, at] *= found.codes == position if isinstance(found, Factor) else found.values[:, position]
            at += 1
    return X, names, np.array(assign)


def _columns(label: str, found: Variable, full: bool) -> list[tuple[str, int]]:
    """(name, position) of a variable's columns."""
    if isinstance(found, Factor):
        return [(f"{label}{level}", k) for k, level in enumerate(found.levels) if full or k]
    return [(f"{label}{suffix}", k) for k, suffix in enumerate(found.labels)]


# the rows


def _weights(values: Values, name: str) -> Array:
    found = values.value(Name(name))
    if not isinstance(found, Numbers):
        raise DataError(f"The weights '{name}' hold text; weights are numbers of 0 or more.")
    weights = found.values[:, 0]
    bad = np.flatnonzero((weights < 0) | np.isinf(weights))
    if len(bad):
        raise DataError(
            f"The weight '{name}' row {bad[0] + 1} is {weights[bad[0]]:g}; weights are finite and 0 or more."
        )
    if not np.nansum(weights) > 0:
        raise DataError(f"The weights '{name}' are 0 in every row; at least one needs to be above 0.")
    return weights


def _complete_rows(
    table: Any, values: Values, variables: dict[str, Variable], nodes: dict[str, Node], weights: Array | None
) -> Array:
    """The rows without a missing value; infinite values are refused, and functions that have none are told of."""
    missing = np.zeros(table.num_rows, dtype=bool) if weights is None else np.isnan(weights)
    for label, found in variables.items():
        columns = [name for name in dict.fromkeys(names_in(nodes[label])) if name in table.column_names]
        source = np.zeros(table.num_rows, dtype=bool)
        for name in columns:
            source |= values.missing(name)
        absent = _absent(found)
        if isinstance(found, Numbers):
            _refuse_infinite(label, found, columns, table)
            made = np.flatnonzero(absent & ~source)
            if len(made):
                rows = "1 row" if len(made) == 1 else f"{len(made):,} rows"
                warnings.warn(
                    f"{label} is not a number in {rows}, first in row {made[0] + 1}{_where(columns, table, made[0])}; "
                    f"{'it is' if len(made) == 1 else 'they are'} left out.",
                    GlassnetWarning,
                    stacklevel=3,
                )
        if absent.all():
            raise DataError(f"{label} is missing in all {table.num_rows:,} rows; leave it out of the formula.")
        missing |= absent
    if missing.all():
        raise DataError(
            f"None of the {table.num_rows:,} rows has a value for each of {', '.join(variables)}; leave out of the formula "
            "what is missing most."
        )
    return np.flatnonzero(~missing)


def _refuse_infinite(label: str, found: Numbers, columns: Sequence[str], table: Any) -> None:
    infinite = np.flatnonzero(np.isinf(found.values).any(axis=1))
    if len(infinite):
        row = int(infinite[0])
        raise DataError(
            f"{label} is infinite in row {row + 1}{_where(columns, table, row)}; leave such rows out, or change the formula."
        )


def _where(columns: Sequence[str], table: Any, row: int) -> str:
    return "".join(f", where {name} is {table.column(name)[row].as_py()}" for name in columns[:1])


def _absent(found: Variable) -> Array:
    return np.asarray(found.codes < 0 if isinstance(found, Factor) else np.isnan(found.values).any(axis=1))


def _taken(label: str, found: Variable, rows: Array, learnt: Learnt, response: bool) -> Variable:
    """A variable in the rows that are used; levels that are not in them go."""
    if isinstance(found, Numbers):
        return Numbers(found.values[rows], found.labels)
    codes = found.codes[rows]
    there = np.bincount(codes, minlength=len(found.levels)) > 0
    levels = tuple(level for level, used in zip(found.levels, there, strict=True) if used)
    if not response:
        learnt.levels[label] = levels
    return Factor((np.cumsum(there) - 1)[codes], levels)


def _known_levels(label: str, found: Factor, learnt: Learnt) -> Factor:
    """New rows with the levels of the fit."""
    known = {level: k for k, level in enumerate(learnt.levels[label])}
    there = np.bincount(found.codes[found.codes >= 0], minlength=len(found.levels)) > 0
    for level, used in zip(found.levels, there, strict=True):
        if used and level not in known:
            raise DataError(
                f"{label} has the level '{level}', which the fit never saw; it knows {', '.join(learnt.levels[label])}."
            )
    places = np.array([known.get(level, -1) for level in found.levels] + [-1])
    return Factor(places[found.codes], learnt.levels[label])
