"""R's formula language, read into a tree and written back as R writes it. Nothing is evaluated here.

    formula  := sum '~' sum
    compared := sum (('==' | '!=' | '<' | '<=' | '>' | '>=') sum)?
    sum      := ('+' | '-')? product (('+' | '-') product)*
    product  := nested (('*' | '/') nested)*
    nested   := range ('%in%' range)*
    range    := power (':' power)*
    power    := atom (('^' | '**') ('-')? power)?
    atom     := number | text | name | name '(' arguments ')' | '(' compared ')'

Names are R's: letters, digits, dots and underscores, or anything between backquotes.

Source: R Core Team, The R Language Definition, §10.3 and §10.4 (tokens, precedence of operators).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from glassnet.errors import GlassnetError

LONGEST = 10_000
DEEPEST = 60
TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)L?(?![\w.])
  | (?P<name>(?:[^\W\d]|\.(?!\d))[\w.]*)
  | `(?P<quoted>[^`]+)`
  | "(?P<double>[^"]*)" | '(?P<single>[^']*)'
  | (?P<sign>%in%|<=|>=|==|!=|\*\*|[-+*/^:~()<>,=])
  )""",
    re.VERBOSE,
)
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
SPACED = ("+", "-", "*", "%in%", *COMPARISONS)
EXAMPLE = "write it like 'y ~ x1 + log(x2)'"


@dataclass(frozen=True)
class Number:
    """A number, as it was written."""

    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Text:
    """Text between quotes."""

    text: str

    def __str__(self) -> str:
        return f'"{self.text}"'


@dataclass(frozen=True)
class Name:
    """A column, or TRUE or FALSE."""

    name: str

    def __str__(self) -> str:
        return self.name if re.fullmatch(r"(?:[^\W\d]|\.(?!\d))[\w.]*", self.name) else f"`{self.name}`"


@dataclass(frozen=True)
class Call:
    """A function of its arguments; a named argument has its name, others an empty one."""

    function: str
    arguments: tuple[tuple[str, Node], ...]

    def __str__(self) -> str:
        return f"{self.function}({', '.join(f'{n} = {a}' if n else str(a) for n, a in self.arguments)})"


@dataclass(frozen=True)
class Parenthesis:
    """Something in parentheses."""

    inner: Node

    def __str__(self) -> str:
        return f"({self.inner})"


@dataclass(frozen=True)
class Sign:
    """A sign before something."""

    sign: str
    inner: Node

    def __str__(self) -> str:
        return f"{self.sign}{self.inner}"


@dataclass(frozen=True)
class Pair:
    """Two things and the operator between them."""

    operator: str
    left: Node
    right: Node

    def chain(self) -> tuple[Node, list[tuple[str, Node]]]:
        """The leftmost part, then every (operator, part): a sum of a thousand terms is a thousand pairs deep."""
        rest: list[tuple[str, Node]] = []
        node: Node = self
        while isinstance(node, Pair):
            rest.append((node.operator, node.right))
            node = node.left
        return node, rest[::-1]

    def __str__(self) -> str:
        first, rest = self.chain()
        return str(first) + "".join(f" {sign} {part}" if sign in SPACED else f"{sign}{part}" for sign, part in rest)


Node = Number | Text | Name | Call | Parenthesis | Sign | Pair


@dataclass(frozen=True)
class Formula:
    """What is explained, and by what. `str` writes it as R prints it."""

    response: Node
    terms: Node

    def __str__(self) -> str:
        return f"{self.response} ~ {self.terms}"


def parse(text: str) -> Formula:
    """A formula's tree.

    Raises
    ------
    GlassnetError : it is none; the sentence names the place
    """
    if not isinstance(text, str):
        raise GlassnetError(f"A formula is text such as 'y ~ x1 + log(x2)'; got {type(text).__name__}.")
    if len(text) > LONGEST:
        raise GlassnetError(f"The formula has {len(text):,} characters; {LONGEST:,} are the most.")
    return _Reader(text).formula()


def names_in(node: Node) -> list[str]:
    """The columns a tree mentions, in order."""
    if isinstance(node, Name):
        return [] if node.name in ("TRUE", "FALSE", ".") else [node.name]
    if isinstance(node, Call):
        return [name for _, argument in node.arguments for name in names_in(argument)]
    if isinstance(node, Parenthesis | Sign):
        return names_in(node.inner)
    if isinstance(node, Pair):
        first, rest = node.chain()
        return [name for part in (first, *(part for _, part in rest)) for name in names_in(part)]
    return []


class _Reader:
    """Recursive descent over the tokens (kind, text)."""

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        self.tokens = self._tokens()
        self.at = 0
        self.depth = 0

    def _tokens(self) -> list[tuple[str, str]]:
        found, at = [], 0
        while at < len(self.text):
            match = TOKEN.match(self.text, at)
            if match is None:
                rest = self.text[at:].strip()
                if rest[0] in "`\"'":
                    raise self._bad(f"the quote {rest[0]} before {self._shown(rest[1:])} is never closed")
                raise self._bad(f"'{rest[0]}' is no part of a formula")
            kind = str(match.lastgroup)
            found.append((kind, match[kind]))
            at = match.end()
        return found

    @staticmethod
    def _shown(text: str) -> str:
        return f"'{text[:30]}'" if text else "the end"

    def _bad(self, why: str) -> GlassnetError:
        shown = self.text if len(self.text) <= 200 else self.text[:200] + "..."
        return GlassnetError(f"The formula '{shown}' cannot be read: {why}; {EXAMPLE}.")

    def _peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")

    def _sees(self, *signs: str) -> bool:
        kind, text = self._peek()
        return kind == "sign" and text in signs

    def _take(self) -> tuple[str, str]:
        token = self._peek()
        self.at += 1
        return token

    def formula(self) -> Formula:
        if not self.tokens:
            raise GlassnetError(f"The formula is empty; {EXAMPLE}.")
        if self._sees("~"):
            raise self._bad("nothing stands before '~', where the response belongs")
        response = self._compared()
        if self._peek()[0] == "end":
            raise self._bad("it has no '~' between the response and what explains it")
        if not self._sees("~"):
            raise self._unexpected()
        self.at += 1
        terms = self._sum()
        if self._sees("~"):
            raise self._bad("it has more than one '~'")
        if self._peek()[0] != "end":
            raise self._unexpected()
        return Formula(response, terms)

    def _unexpected(self) -> GlassnetError:
        kind, text = self._peek()
        before = self.tokens[self.at - 1][1] if self.at else ""
        if kind == "end":
            return self._bad(f"something is missing after '{before}'")
        if kind == "sign":
            return self._bad(f"'{text}' cannot follow '{before}'" if before else f"it begins with '{text}'")
        return self._bad(f"there is no operator, such as '+', between '{before}' and '{text}'")

    def _compared(self) -> Node:
        left = self._sum()
        if not self._sees(*COMPARISONS):
            return left
        operator = self._take()[1]
        return Pair(operator, left, self._sum())

    def _sum(self) -> Node:
        left: Node
        if self._sees("+", "-"):
            sign = self._take()[1]
            left = Sign(sign, self._product())
        else:
            left = self._product()
        while self._sees("+", "-"):
            left = Pair(self._take()[1], left, self._product())
        return left

    def _product(self) -> Node:
        left = self._nested()
        while self._sees("*", "/"):
            left = Pair(self._take()[1], left, self._nested())
        return left

    def _nested(self) -> Node:
        left = self._range()
        while self._sees("%in%"):
            left = Pair(self._take()[1], left, self._range())
        return left

    def _range(self) -> Node:
        left = self._power()
        while self._sees(":"):
            left = Pair(self._take()[1], left, self._power())
        return left

    def _power(self) -> Node:
        base = self._atom()
        if not self._sees("^", "**"):
            return base
        self.at += 1
        self._deeper()
        negative = self._sees("-")
        self.at += negative
        exponent = self._power()
        self.depth -= 1
        return Pair("^", base, Sign("-", exponent) if negative else exponent)

    def _atom(self) -> Node:
        kind, text = self._peek()
        if kind == "number":
            self.at += 1
            return Number(text)
        if kind in ("double", "single"):
            self.at += 1
            return Text(text)
        if kind == "quoted":
            self.at += 1
            return Name(text)
        if kind == "name":
            self.at += 1
            return self._call(text) if self._sees("(") else Name(text)
        if not self._sees("("):
            raise self._unexpected()
        self._open()
        inner = self._compared()
        self._close()
        return Parenthesis(inner)

    def _call(self, function: str) -> Call:
        self._open()
        arguments: list[tuple[str, Node]] = []
        while not self._sees(")"):
            if arguments:
                if not self._sees(","):
                    raise self._unclosed() if self._peek()[0] == "end" else self._unexpected()
                self.at += 1
            name = ""
            if self._peek()[0] == "name" and self.tokens[self.at + 1 : self.at + 2] == [("sign", "=")]:
                name = self._take()[1]
                self.at += 1
            arguments.append((name, self._compared()))
        self._close()
        return Call(function, tuple(arguments))

    def _open(self) -> None:
        self.at += 1
        self._deeper()
        if self._peek()[0] == "end":
            raise self._unclosed()

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self._bad(f"its parentheses and powers are nested more than {DEEPEST} deep")

    def _close(self) -> None:
        if self._peek()[0] == "end":
            raise self._unclosed()
        if not self._sees(")"):
            raise self._unexpected()
        self.at += 1
        self.depth -= 1

    def _unclosed(self) -> GlassnetError:
        return self._bad("a parenthesis is never closed")
