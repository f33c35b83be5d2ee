"""What one entry of a line is made of: `Z1 = X W1 + b1` says Z1[i,j] = Σₖ(X[i,k] · W1[k,j]) + b1[j].

The form is derived from the tree that runs. A terminal writes it with letters or with the numbers of a step (`entry_text.py`);
a page gets it as plain values (`to_plain`) and puts in the numbers itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

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
)
from glassnet.equations.functions import RowFunction
from glassnet.equations.images import (
    AveragePool,
    Channels,
    Convolve,
    ConvolveBack,
    ConvolveKernel,
    EachMap,
    Flatten,
    MaxPool,
    Pair,
    SpreadAverage,
    Unflatten,
    Unpool,
    Window,
)
from glassnet.equations.matrices import FirstRow, OtherRows


@dataclass(frozen=True)
class Affine:
    """A place made from letters: (Σ coefficient · letter + offset) / divisor; there is none where that is not whole."""

    terms: tuple[tuple[str, int], ...]
    offset: int = 0
    divisor: int = 1

    def __str__(self) -> str:
        parts = [("" if c == 1 else "−" if c == -1 else str(c).replace("-", "−")) + letter for letter, c in self.terms]
        if self.offset:
            parts.append(str(self.offset).replace("-", "−"))
        text = "+".join(parts).replace("+−", "−")
        return text if self.divisor == 1 else f"({text})/{self.divisor}"


@dataclass(frozen=True)
class Digit:
    """A place within a flattened row: ⌊letter / step⌋ mod size."""

    letter: str
    step: int
    size: int

    def __str__(self) -> str:
        whole = self.letter if self.step == 1 else f"⌊{self.letter}/{self.step}⌋"
        return f"{whole} mod {self.size}"


Index = str | int | Affine | Digit
"""A letter that runs, or the one after it ("i+1"), or a place that stays (0 where a side of length 1 is repeated), or a
place reckoned from letters."""


@dataclass(frozen=True)
class Number:
    """A constant, with its name where it has one."""

    value: float
    name: str | None = None


@dataclass(frozen=True)
class Cell:
    """One entry of a named array; of a number, when there are no indices.

    `bounds` are the sizes of the axes along which a reckoned place may lie outside (None: it never does). A term of a sum
    whose place is outside, or is not whole, is left out: it lies on the padding, or between the strides.
    """

    name: str
    indices: tuple[Index, ...] = ()
    bounds: tuple[int | None, ...] = ()


@dataclass(frozen=True)
class Infix:
    """Two pieces with + − · / ^ or a comparison between them."""

    operator: str
    left: Entry
    right: Entry


@dataclass(frozen=True)
class Negative:
    inner: Entry


@dataclass(frozen=True)
class Total:
    """The sum, the mean or the largest ("max") of a piece over letters.

    `over` are their extents, a number or "m" for the samples.
    """

    kind: str
    letters: tuple[str, ...]
    over: tuple[str | int, ...]
    inner: Entry


@dataclass(frozen=True)
class Call:
    """A function of entries."""

    name: str
    arguments: tuple[Entry, ...]


@dataclass(frozen=True)
class RowCall:
    """A function of a whole row: entry `at` of what it gives (None: it gives one number). The row is `inner` over `letter`."""

    name: str
    inner: Entry
    letter: str
    over: str | int
    at: Index | None


@dataclass(frozen=True)
class Chosen:
    """1 where entry `at` of an array is the largest of its window (the first of equals), else 0.

    The window is the one at position `window`; its places are `size`, and positions are `stride` apart.
    """

    name: str
    at: tuple[Index, ...]
    window: tuple[Index, Index]
    size: Pair
    stride: Pair


@dataclass(frozen=True)
class Whole:
    """A piece that no entry of it explains, such as the solution of a linear system; written as it is."""

    text: str


Entry = Number | Cell | Infix | Negative | Total | Call | RowCall | Chosen | Whole


def letters_of(shape: Shape) -> tuple[Index, ...]:
    """The letters of an entry: i, j of a matrix; j of a row of units; none of a number; i, j, u, v of images (sample,
    channel, row, column); j, k, r, s of kernels (filter, channel, row, column)."""
    if len(shape) == 4:
        return ("i", "j", "u", "v") if shape[0] == "m" else ("j", "k", "r", "s")
    names = {0: (), 1: ("j",), 2: ("i", "j")}.get(len(shape))
    if names is None:
        names = tuple("ijkl"[: len(shape)])
    return tuple(
        0 if size == 1 and len(shape) == 2 and place == 1 else n
        for place, (n, size) in enumerate(zip(names, shape, strict=True))
    )


def entry_of(expression: Expression, rename: Mapping[str, str] | None = None) -> Entry:
    """What the entry at `letters_of(expression.shape)` is made of.

    Parameters
    ----------
    rename : name → name in the record, where a line means another moment's value ("W1" → "W1.after")
    """
    at = letters_of(expression.shape)
    return _Former(dict(rename or {}), {i for i in at if isinstance(i, str)}).form(expression, at)


class _Former:
    def __init__(self, rename: dict[str, str], used: set[str]) -> None:
        self.rename = rename
        self.used = used

    def fresh(self, *wanted: str) -> str:
        """A letter that is not in use, one of the wanted if possible."""
        letters: tuple[str, ...] = (*wanted, *"klpqrsuvxyz")
        for letter in letters:
            if letter not in self.used:
                self.used.add(letter)
                return letter
        raise ValueError("A line has more sums within sums than there are letters.")

    def part(self, node: Expression, at: tuple[Index, ...]) -> Entry:
        """An operand whose shape is repeated to that of the line: its own indices are the last ones."""
        shape = node.shape
        own = at[len(at) - len(shape) :] if shape else ()
        return self.form(node, tuple(0 if size == 1 else index for size, index in zip(shape, own, strict=True)))

    def form(self, node: Expression, at: tuple[Index, ...]) -> Entry:
        match node:
            case Symbol(name=name):
                sizes = [int(size) if isinstance(i, Affine) else None for i, size in zip(at, node.shape, strict=True)]
                return Cell(self.rename.get(name, name), at, tuple(sizes) if any(s is not None for s in sizes) else ())
            case Channels(argument=a):
                return self.form(a, at[:1])
            case EachMap(argument=a):
                return self.form(a, at[:2])
            case Flatten(argument=a):
                _, *maps = (1, *(int(d) for d in a.shape[1:]))
                return self.form(a, (at[0], *_digits(at[1], (maps[0], maps[1], maps[2]))))
            case Unflatten(argument=a, maps=(_, 1, 1)):
                return self.form(a, at[:2])
            case Unflatten(argument=a, maps=(_, high, wide)):
                return self.form(a, (at[0], _sum((at[1], high * wide), (at[2], wide), (at[3], 1))))
            case (
                Convolve() | ConvolveBack() | ConvolveKernel() | MaxPool() | AveragePool() | SpreadAverage() | Unpool()
            ):
                return self.windowed(node, at)
            case Constant(value=value, name=name):
                return Number(value, name)
            case Add(left=a, right=b):
                return Infix("+", self.part(a, at), self.part(b, at))
            case Subtract(left=a, right=b):
                return Infix("−", self.part(a, at), self.part(b, at))
            case Multiply(left=a, right=b):
                return Infix("·", self.part(a, at), self.part(b, at))
            case Divide(left=a, right=b):
                return Infix("/", self.part(a, at), self.part(b, at))
            case Power(left=a, right=b):
                return Infix("^", self.part(a, at), self.part(b, at))
            case Compare(operator=operator, left=a, right=b):
                return Infix(operator, self.part(a, at), self.part(b, at))
            case Negate(argument=a):
                return Negative(self.form(a, at))
            case Transpose(argument=a):
                return self.form(a, (at[1], at[0]))
            case MatMul(left=a, right=b):
                k = self.fresh("k")
                factors = Infix("·", self.form(a, _fixed(a, (at[0], k))), self.form(b, _fixed(b, (k, at[1]))))
                self.used.discard(k)
                return _total("sum", (k,), (a.shape[1],), factors)
            case Sum(argument=a, axis=axis) | Mean(argument=a, axis=axis):
                return self.reduced("sum" if isinstance(node, Sum) else "mean", a, axis, at)
            case FirstRow(argument=a):
                return self.form(a, (0, *at))
            case OtherRows(argument=a):
                return self.form(a, (f"{at[0]}+1" if isinstance(at[0], str) else _sum((at[0], 1), offset=1), at[1]))
            case Function(kind=RowFunction() as kind, arguments=(a,)):
                letter = self.fresh("k")
                inner = self.form(a, (*at[:-1], letter))
                self.used.discard(letter)
                return RowCall(kind.name, inner, letter, a.shape[-1], at[-1] if kind.keeps_columns else None)
            case Function(kind=kind, arguments=arguments):
                return Call(kind.name, tuple(self.part(a, at) for a in arguments))
        return Whole(str(node))

    def running(self, wanted: str, over: tuple[Any, ...]) -> list[Index]:
        """A letter for each side, one of the wanted if possible; 0 for a side of length 1."""
        return [0 if size == 1 else self.fresh(letter) for letter, size in zip(wanted, over, strict=True)]

    def summed(self, kind: str, letters: list[Index], over: tuple[Any, ...], inner: Entry) -> Entry:
        """The sum over the letters that run, which are then free again."""
        pairs = [(letter, size) for letter, size in zip(letters, over, strict=True) if isinstance(letter, str)]
        for letter, _ in pairs:
            self.used.discard(letter)
        return _total(kind, tuple(p[0] for p in pairs), tuple(p[1] for p in pairs), inner)

    def windowed(self, node: Any, at: tuple[Index, ...]) -> Entry:
        """An operation with a window: sums and maxima over its places."""
        window: Window = node.window
        if isinstance(node, ConvolveKernel):
            over = (node.image.shape[0], *node.upstream.shape[2:])
            i, u, v = letters = self.running("iuv", over)
            j, k, r, s = at
            y, x = _under(window, (u, v), (r, s))
            product = Infix("·", self.form(node.image, (i, k, y, x)), self.form(node.upstream, (i, j, u, v)))
            return self.summed("sum", letters, over, product)
        i, j, u, v = at
        if isinstance(node, Convolve):
            over = (node.kernel.shape[1], *window.kernel)
            k, r, s = letters = self.running("krs", over)
            y, x = _under(window, (u, v), (r, s))
            product = Infix("·", self.form(node.image, (i, k, y, x)), self.form(node.kernel, (j, k, r, s)))
            return self.summed("sum", letters, over, product)
        if isinstance(node, ConvolveBack):
            over = (node.kernel.shape[0], *window.kernel)
            k, r, s = letters = self.running("krs", over)
            y, x = _over(window, (u, v), (r, s))
            product = Infix("·", self.form(node.upstream, (i, k, y, x)), self.form(node.kernel, (k, j, r, s)))
            return self.summed("sum", letters, over, product)
        count = Number(float(window.kernel[0] * window.kernel[1]))
        if isinstance(node, SpreadAverage) and node.upstream.shape[2:] == (1, 1):  # one window: each place is in it
            return Infix("/", self.form(node.upstream, (i, j, 0, 0)), count)
        r, s = letters = self.running("rs", window.kernel)
        if isinstance(node, MaxPool | AveragePool):
            y, x = _under(window, (u, v), (r, s))
            kind = "max" if isinstance(node, MaxPool) else "mean"
            return self.summed(kind, letters, window.kernel, self.form(node.argument, (i, j, y, x)))
        y, x = _over(window, (u, v), (r, s))
        slope = self.form(node.upstream, (i, j, y, x))
        if isinstance(node, SpreadAverage):
            return self.summed("sum", letters, window.kernel, Infix("/", slope, count))
        name = self.rename.get(str(node.image), str(node.image))
        chosen = Chosen(name, at, (y, x), window.kernel, window.stride)
        return self.summed("sum", letters, window.kernel, Infix("·", chosen, slope))

    def reduced(self, kind: str, argument: Expression, axis: Axis, at: tuple[Index, ...]) -> Entry:
        shape = argument.shape
        if not shape:
            return self.form(argument, ())
        if axis == CHANNELS:
            over = (shape[0], *shape[2:])
            i, u, v = running = self.running("iuv", over)
            return self.summed(kind, running, over, self.form(argument, (i, at[0], u, v)))
        summed = range(len(shape)) if axis is None else (axis,)
        inside: list[Index] = []
        letters: list[str] = []
        rest = [index for index in at if axis is None or len(at) < len(shape) or index != at[axis]]
        for place in range(len(shape)):
            if place in summed:
                letters.append(self.fresh("ij"[place] if place < 2 else "k", "k"))
                inside.append(letters[-1])
            else:
                inside.append(rest.pop(0) if len(at) < len(shape) else at[place])
        inner = self.form(argument, _fixed(argument, tuple(inside)))
        for letter in letters:
            self.used.discard(letter)
        return _total(kind, tuple(letters), tuple(shape[place] for place in summed), inner)


def _sum(*weighted: tuple[Index, int], offset: int = 0, divisor: int = 1) -> Index:
    """A place as a sum of weighted indices, in its simplest form."""
    terms: dict[str, int] = {}
    for index, factor in weighted:
        if isinstance(index, int):
            offset += factor * index
        elif isinstance(index, str):
            letter, _, further = index.partition("+")
            terms[letter] = terms.get(letter, 0) + factor
            offset += factor * int(further or 0)
        elif isinstance(index, Affine) and index.divisor == 1:
            for letter, own in index.terms:
                terms[letter] = terms.get(letter, 0) + factor * own
            offset += factor * index.offset
        else:
            raise ValueError(f"The place {index} has no multiple.")
    kept = tuple((letter, c) for letter, c in terms.items() if c)
    if divisor == 1 and offset == 0 and len(kept) == 1 and kept[0][1] == 1:
        return kept[0][0]
    if divisor == 1 and not kept:
        return offset
    return Affine(kept, offset, divisor)


def _under(window: Window, at: tuple[Index, Index], place: tuple[Index, Index]) -> tuple[Index, Index]:
    """Where place (r, s) of the window at a position lies on the map."""
    sides = zip(at, place, window.stride, window.dilation, window.padding, strict=True)
    y, x = (_sum((u, step), (r, apart), offset=-before) for u, r, step, apart, (before, _) in sides)
    return y, x


def _over(window: Window, at: tuple[Index, Index], place: tuple[Index, Index]) -> tuple[Index, Index]:
    """The position at which place (r, s) of the window lies on a place of the map: there may be none."""
    sides = zip(at, place, window.stride, window.dilation, window.padding, strict=True)
    y, x = (_sum((u, 1), (r, -apart), offset=before, divisor=step) for u, r, step, apart, (before, _) in sides)
    return y, x


def _digits(index: Index, sizes: tuple[int, int, int]) -> tuple[Index, ...]:
    """Channel, row and column of a place in a flattened row."""
    steps = (sizes[1] * sizes[2], sizes[2], 1)
    if isinstance(index, int):
        return tuple(index // step % size for step, size in zip(steps, sizes, strict=True))
    if not isinstance(index, str) or sizes == (1, 1, 1):
        return (0, 0, 0)
    whole = [0 if size == 1 else Digit(index, step, size) for step, size in zip(steps, sizes, strict=True)]
    return (index, 0, 0) if steps[0] == 1 else tuple(whole)


def _fixed(node: Expression, at: tuple[Index, ...]) -> tuple[Index, ...]:
    return tuple(0 if size == 1 else index for size, index in zip(node.shape, at, strict=True))


def _total(kind: str, letters: tuple[str, ...], over: tuple[str | int, ...], inner: Entry) -> Entry:
    """A sum; over a side of length 1 it is its only term."""
    pairs = [(letter, size) for letter, size in zip(letters, over, strict=True) if size != 1]
    if not pairs:
        return inner
    return Total(kind, tuple(p[0] for p in pairs), tuple(p[1] for p in pairs), inner)


# As plain values, for a page.


@singledispatch
def to_plain(entry: Any) -> dict[str, Any]:
    """The form as values that JSON holds; a page's `entries` module reads it."""
    raise TypeError(f"No plain form for {type(entry).__name__}.")


@to_plain.register
def _(entry: Number) -> dict[str, Any]:
    return {"kind": "number", "value": entry.value, **({"name": entry.name} if entry.name else {})}


@to_plain.register
def _(entry: Cell) -> dict[str, Any]:
    bounds = {"bounds": list(entry.bounds)} if entry.bounds else {}
    return {"kind": "cell", "name": entry.name, "at": [_plain_index(i) for i in entry.indices], **bounds}


@to_plain.register
def _(entry: Chosen) -> dict[str, Any]:
    return {
        "kind": "chosen", "name": entry.name, "at": [_plain_index(i) for i in entry.at],
        "window": [_plain_index(i) for i in entry.window], "size": list(entry.size), "stride": list(entry.stride),
    }  # fmt: skip


def _plain_index(index: Index) -> Any:
    if isinstance(index, Affine):
        return {"terms": [list(term) for term in index.terms], "offset": index.offset, "divisor": index.divisor}
    if isinstance(index, Digit):
        return {"digit": index.letter, "step": index.step, "size": index.size}
    return index


@to_plain.register
def _(entry: Infix) -> dict[str, Any]:
    return {"kind": "infix", "operator": entry.operator, "left": to_plain(entry.left), "right": to_plain(entry.right)}


@to_plain.register
def _(entry: Negative) -> dict[str, Any]:
    return {"kind": "negative", "inner": to_plain(entry.inner)}


@to_plain.register
def _(entry: Total) -> dict[str, Any]:
    return {
        "kind": entry.kind, "letters": list(entry.letters), "over": list(entry.over), "inner": to_plain(entry.inner)
    }  # fmt: skip


@to_plain.register
def _(entry: Call) -> dict[str, Any]:
    return {"kind": "call", "name": entry.name, "arguments": [to_plain(a) for a in entry.arguments]}


@to_plain.register
def _(entry: RowCall) -> dict[str, Any]:
    return {
        "kind": "row", "name": entry.name, "inner": to_plain(entry.inner), "letter": entry.letter, "over": entry.over,
        "at": None if entry.at is None else _plain_index(entry.at),
    }  # fmt: skip


@to_plain.register
def _(entry: Whole) -> dict[str, Any]:
    return {"kind": "whole", "text": entry.text}
