"""The terms of an R formula, expanded by formulaic: main effects first, then interactions.

    a*b = a + b + a:b        a/b = a + a:b        (a + b + c)^2 = a + b + c + a:b + a:c + b:c        a*b - a = b + a:b

formulaic is given the formula with its variables called v0, v1, ..., and so never evaluates any.

A factor has a column for each level but the first (treatment contrasts) or for every level. R's rule: it has contrasts
in a term when an earlier term holds all the term's other variables; without an intercept, the first factor of the
formula has a column for every level.

Source: Chambers and Hastie, Statistical Models in S, §2.3 and §2.4.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass

from glassnet.errors import DataError, GlassnetError
from glassnet.statistics.formula_grammar import Call, Formula, Name, Node, Number, Pair, Parenthesis, Sign, names_in

MOST_TERMS = 20_000


COUNTED: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a + b,
    ":": lambda a, b: a * b,
    "%in%": lambda a, b: a * b,
    "*": lambda a, b: a + b + a * b,
    "/": lambda a, b: a + b,
}


@dataclass(frozen=True)
class Term:
    """Variables that are multiplied, and how each factor among them is written out.

    Attributes
    ----------
    variables : the variables' names, in the formula's order
    full : whether a factor has a column for every level
    """

    variables: tuple[str, ...]
    full: tuple[bool, ...]

    @property
    def label(self) -> str:
        """As R prints it: `a:b`."""
        return ":".join(self.variables)


def expanded_terms(tree: Formula, columns: Sequence[str]) -> tuple[dict[str, Node], bool, list[tuple[str, ...]]]:
    """The variables, whether there is an intercept, and the terms in R's order, each as its variables' names."""
    from formulaic import Formula as Expanded
    from formulaic.errors import FormulaicError

    response = set(names_in(tree.response))
    rest = [name for name in columns if name not in response]
    nodes: dict[str, Node] = {}
    text, _ = _written(tree.terms, nodes, rest, tree)
    response_label = str(tree.response)
    if response_label in nodes:
        raise DataError(f"The response {response_label} is on both sides of '~'; leave it out on the right.")
    labels = list(nodes)
    try:
        expanded = list(Expanded(text))
    except FormulaicError:
        raise GlassnetError(
            f"The formula '{tree}' cannot be expanded into terms: 0 and 1 stand for the intercept and can only be added "
            "or taken away."
        ) from None
    intercept, terms = False, []
    for term in expanded:
        positions = sorted({int(f.expr[1:]) for f in term.factors if f.expr.startswith("v")})
        if positions:
            terms.append(tuple(labels[i] for i in positions))
        else:
            intercept = True
    return nodes, intercept, list(dict.fromkeys(terms))


def _written(node: Node, nodes: dict[str, Node], rest: Sequence[str], tree: Formula) -> tuple[str, int]:
    """A right-hand side with its variables called v0, v1, ...; how many terms it may have."""

    def variable(found: Node) -> str:
        nodes.setdefault(str(found), found)
        return f"v{list(nodes).index(str(found))}"

    if isinstance(node, Name) and node.name == ".":
        if not rest:
            raise DataError("'.' stands for the columns that are not the response, and there is none.")
        return "(" + "+".join(variable(Name(name)) for name in rest) + ")", len(rest)
    if isinstance(node, Name | Call):
        return variable(node), 1
    if isinstance(node, Number):
        if node.text not in ("0", "1"):
            raise GlassnetError(
                f"The formula '{tree}' has {node} as a term; only 0 and 1, for the intercept, can be. Arithmetic on "
                "columns belongs into I(), as in I(2 * x)."
            )
        return node.text, 1
    if isinstance(node, Parenthesis):
        inner, count = _written(node.inner, nodes, rest, tree)
        return f"({inner})", count
    if isinstance(node, Sign):
        inner, count = _written(node.inner, nodes, rest, tree)
        return f"{node.sign}{inner}", count
    if not isinstance(node, Pair) or node.operator not in (*COUNTED, "^"):
        raise GlassnetError(f"The formula '{tree}' has {node} as a term; write it as I({node}).")
    first, following = node.chain()
    text, count = _written(first, nodes, rest, tree)
    if following[0][0] == "^":  # binds closest, so it can only come first
        text, count = _power(text, count, following[0][1], tree)
        following = following[1:]
    for operator, part in following:
        more, other = _written(part, nodes, rest, tree)
        text += f"{':' if operator == '%in%' else operator}{more}"
        count = COUNTED[operator](count, other)
        if count > MOST_TERMS:
            raise GlassnetError(f"The formula '{tree}' has more than {MOST_TERMS:,} terms; leave some out.")
    return text, count


def _power(text: str, count: int, power: Node, tree: Formula) -> tuple[str, int]:
    """(a + b + c)^2: all interactions of up to so many of them."""
    if not isinstance(power, Number) or not power.text.isdigit() or int(power.text) < 1:
        raise GlassnetError(
            f"The formula '{tree}' has the power {power}; between terms, ^ counts interactions and takes a whole number "
            "from 1 on. The power of a column belongs into I(), as in I(x^2)."
        )
    times = min(int(power.text), count)
    if count**times > MOST_TERMS:
        raise GlassnetError(f"The formula '{tree}' has more than {MOST_TERMS:,} terms; leave some out.")
    return f"{text}^{times}", count**times


def used_variables(terms: Sequence[Term | tuple[str, ...]]) -> list[str]:
    """The variables of terms, each once."""
    return list(dict.fromkeys(v for term in terms for v in (term.variables if isinstance(term, Term) else term)))


def coded_terms(terms: Sequence[tuple[str, ...]], factors: Set[str], intercept: bool) -> tuple[Term, ...]:
    """Which factors have a column for every level, by R's rule."""
    coded: list[Term] = []
    first = not intercept
    for k, term in enumerate(terms):
        full = []
        for name in term:
            others = set(term) - {name}
            factor = name in factors
            # Contrasts when what is left of the term is nothing, or stands in an earlier term.
            every = factor and bool(others) and not any(others <= set(earlier) for earlier in terms[:k])
            if factor and first:
                every, first = True, False
            full.append(every)
        coded.append(Term(term, tuple(full)))
    return tuple(coded)
