"""The written forms of an entry: with letters, `Σₖ(X[i,k] · W1[k,j]) + b1[j]`, or with the numbers of a step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from glassnet.equations.entries import (
    Affine,
    Call,
    Cell,
    Chosen,
    Digit,
    Entry,
    Index,
    Infix,
    Negative,
    Number,
    RowCall,
    Total,
)
from glassnet.equations.rendering import SUPERSCRIPTS, TEXT, number_text, symbol_in

LOOSE, SUM, PRODUCT, POWER, ATOM = range(5)
"""How tightly a written piece holds together."""

SUBSCRIPTS = str.maketrans("0123456789ijklprsuvx", "₀₁₂₃₄₅₆₇₈₉ᵢⱼₖₗₚᵣₛᵤᵥₓ")
OPERATORS = {"+": SUM, "−": SUM, "·": PRODUCT, "/": PRODUCT, "^": POWER}
HEADS = {"sum": "Σ", "mean": "mean", "max": "max"}


def entry_text(entry: Entry) -> str:
    """The form with letters: `Σₖ(X[i,k] · W1[k,j]) + b1[j]`."""
    return _written(entry, _Letters())[0]


def worked_text(
    entry: Entry,
    value: Callable[[str, tuple[int, ...]], float],
    at: Mapping[str, int],
    extents: Mapping[str, int | Sequence[int]],
    digits: int = 4,
    most: int = 6,
    missing: int = 0,
) -> str:
    """The form with numbers in place of letters: `0.31·1 + 0.82·0 + 0.1`.

    Parameters
    ----------
    value : (name, indices) → the number there
    at : letter → index of the entry that is worked out
    extents : "m" → the samples there are numbers for, as a count or as places; other names → sizes
    digits : significant digits of the numbers
    most : a longer sum is written with its first terms, how many are left out, and its last
    missing : samples of the batch that there are no numbers for; a sum over the samples says how many
    """
    return _written(entry, _Numbers(value, dict(at), dict(extents), digits, most, missing))[0]


@dataclass
class _Letters:
    def number(self, entry: Number) -> tuple[str, int]:
        if entry.name is not None:
            return entry.name, ATOM
        return (number_text(entry.value), ATOM) if entry.value >= 0 else (number_text(entry.value), SUM)

    def cell(self, entry: Cell) -> tuple[str, int]:
        name = symbol_in(entry.name, TEXT)
        return (f"{name}[{','.join(map(str, entry.indices))}]" if entry.indices else name), ATOM

    def total(self, entry: Total) -> tuple[str, int]:
        letters = "".join(entry.letters).translate(SUBSCRIPTS)
        return f"{HEADS[entry.kind]}{letters}({_written(entry.inner, self)[0]})", ATOM

    def row_call(self, entry: RowCall) -> tuple[str, int]:
        at = "" if entry.at is None else f"[{entry.at}]"
        return f"{entry.name}({_written(entry.inner, self)[0]} for all {entry.letter}){at}", ATOM

    def chosen(self, entry: Chosen) -> tuple[str, int]:
        return f"[{self.cell(Cell(entry.name, entry.at))[0]} leads its window]", ATOM

    product = " · "


@dataclass
class _Numbers:
    value: Callable[[str, tuple[int, ...]], float]
    at: dict[str, int]
    extents: dict[str, int | Sequence[int]]
    digits: int
    most: int
    missing: int

    product = "·"

    def plain(self, value: float) -> tuple[str, int]:
        text = short_number(value, self.digits)
        if text.startswith("−"):
            return text, SUM
        return text, PRODUCT if "e" in text else ATOM  # 1.2e−05 is 1.2 times a power of ten

    def number(self, entry: Number) -> tuple[str, int]:
        return self.plain(entry.value)

    def cell(self, entry: Cell) -> tuple[str, int]:
        indices = tuple(place_of(index, self.at) for index in entry.indices)
        return self.plain(self.value(entry.name, indices))

    def places(self, over: str | int) -> Sequence[int]:
        found = self.extents[over] if isinstance(over, str) else over
        return range(found) if isinstance(found, int) else found

    def terms(
        self, letters: tuple[str, ...], over: tuple[str | int, ...], inner: Entry
    ) -> Iterator[tuple[str, int] | int]:
        """What is summed, in order; a number says how many are left out there."""
        places = list(product(*(self.places(o) for o in over)))
        if _may_leave(inner):
            places = [p for p in places if _inside(inner, {**self.at, **dict(zip(letters, p, strict=True))})]
        shown = range(len(places))
        first = len(places) if len(places) <= self.most else self.most - 1
        before = {letter: self.at.get(letter) for letter in letters}
        for number in [*shown[:first], *([-1] if first < len(places) else [])]:
            if number < 0 and (left_out := len(places) - first - 1):
                yield left_out
            self.at.update(zip(letters, places[number], strict=True))
            yield _written(inner, self)
        for letter, old in before.items():
            if old is None:
                self.at.pop(letter, None)
            else:
                self.at[letter] = old

    def chosen(self, entry: Chosen) -> tuple[str, int]:
        i, j, *place = (place_of(index, self.at) for index in entry.at)
        corner = [place_of(w, self.at) * step for w, step in zip(entry.window, entry.stride, strict=True)]
        window = [
            (self.value(entry.name, (i, j, y, x)), [y, x])
            for y in range(corner[0], corner[0] + entry.size[0])
            for x in range(corner[1], corner[1] + entry.size[1])
        ]
        first = max(window, key=lambda pair: pair[0])[1]
        return ("1" if first == place else "0"), ATOM

    def total(self, entry: Total) -> tuple[str, int]:
        if entry.kind == "max":
            terms = [
                f"… {t:,} more …" if isinstance(t, int) else t[0]
                for t in self.terms(entry.letters, entry.over, entry.inner)
            ]
            return f"max({', '.join(terms)})", ATOM
        written, count, level = "", 0, ATOM
        for term in self.terms(entry.letters, entry.over, entry.inner):
            if isinstance(term, int):
                written += f" + … {term:,} more …"
                count += term
                continue
            count += 1
            if written:
                text = term[0] if term[1] >= SUM else f"({term[0]})"
                written += f" − {text[1:]}" if text.startswith("−") else f" + {text}"
            else:
                written, level = term
        if self.missing and "m" in entry.over:
            written += f" + … {self.missing:,} more samples …"
            count += self.missing * (count // len(self.places("m")))  # as many terms as a sample that is there has
        if entry.kind == "mean":
            return f"({written}) / {count}", PRODUCT
        return written or "0", level if count <= 1 else SUM

    def row_call(self, entry: RowCall) -> tuple[str, int]:
        row = [
            f"… {t:,} more …" if isinstance(t, int) else t[0]
            for t in self.terms((entry.letter,), (entry.over,), entry.inner)
        ]
        at = None if entry.at is None else place_of(entry.at, self.at)
        return f"{entry.name}({', '.join(row)}){'' if at is None else f'[{at}]'}", ATOM


def _written(entry: Entry, how: _Letters | _Numbers) -> tuple[str, int]:
    """The text of a piece, and how tightly it holds together."""
    match entry:
        case Number():
            return how.number(entry)
        case Cell():
            return how.cell(entry)
        case Total():
            return how.total(entry)
        case RowCall():
            return how.row_call(entry)
        case Chosen():
            return how.chosen(entry)
        case Negative(inner):
            return f"−{_held(inner, PRODUCT, how)}", SUM
        case Call("abs", (inner,)):
            return f"|{_written(inner, how)[0]}|", ATOM
        case Call(name, arguments):
            return f"{'√' if name == 'sqrt' else name}({', '.join(_written(a, how)[0] for a in arguments)})", ATOM
        case Infix("^", left, Number(value=float() as value)) if value in SUPERSCRIPTS:
            return f"{_held(left, ATOM, how)}{SUPERSCRIPTS[value]}", POWER
        case Infix("^", left, right):
            return f"{_held(left, ATOM, how)}^{_held(right, ATOM, how)}", POWER
        case Infix("·", left, right):
            return f"{_held(left, PRODUCT, how)}{how.product}{_held(right, PRODUCT, how)}", PRODUCT
        case Infix("/", left, right):
            return f"{_held(left, PRODUCT, how)} / {_held(right, POWER, how)}", PRODUCT
        case Infix("+", left, right):
            second = _held(right, SUM, how)
            return f"{_held(left, SUM, how)} {'− ' + second[1:] if second.startswith('−') else '+ ' + second}", SUM
        case Infix("−", left, right):
            return f"{_held(left, SUM, how)} − {_held(right, PRODUCT, how)}", SUM
        case Infix(operator, left, right):
            return f"({_held(left, SUM, how)} {operator} {_held(right, SUM, how)})", ATOM
    return entry.text, ATOM


def _held(entry: Entry, level: int, how: _Letters | _Numbers) -> str:
    text, own = _written(entry, how)
    return text if own >= level else f"({text})"


def place_of(index: Index, at: Mapping[str, int]) -> int:
    """The number that an index stands for.

    Raises
    ------
    LookupError : a reckoned place that is not whole
    """
    if isinstance(index, int):
        return index
    if isinstance(index, Affine):
        place, rest = divmod(index.offset + sum(c * at[letter] for letter, c in index.terms), index.divisor)
        if rest:
            raise LookupError(f"The place {index} is not whole.")
        return place
    if isinstance(index, Digit):
        return at[index.letter] // index.step % index.size
    letter, _, further = index.partition("+")
    return at[letter] + int(further or 0)


def _cells(entry: Entry) -> Iterator[Cell]:
    """The entries that a piece is made of, those of sums within it left out."""
    match entry:
        case Cell():
            yield entry
        case Infix(_, left, right):
            yield from _cells(left)
            yield from _cells(right)
        case Negative(inner):
            yield from _cells(inner)
        case Call(_, arguments):
            for argument in arguments:
                yield from _cells(argument)


def _may_leave(entry: Entry) -> bool:
    return any(cell.bounds for cell in _cells(entry))


def _inside(entry: Entry, at: Mapping[str, int]) -> bool:
    """Whether all reckoned places of a term exist."""
    for cell in _cells(entry):
        for index, size in zip(cell.indices, cell.bounds, strict=False):
            if size is None or not isinstance(index, Affine):
                continue
            place, rest = divmod(index.offset + sum(c * at[letter] for letter, c in index.terms), index.divisor)
            if rest or not 0 <= place < size:
                return False
    return True


def short_number(value: float, digits: int = 4) -> str:
    """A number as a person reads it: 0.31, −2, 1.2e−05, NaN, ∞."""
    value = float(value) + 0.0  # −0 is 0 to a person
    if np.isnan(value):
        return "NaN"
    if np.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:.{digits}g}".replace("-", "−")
