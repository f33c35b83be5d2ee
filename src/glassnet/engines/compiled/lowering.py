"""Equations become a list of operations, as in a compiler: one pass over the lines, then a few clean-ups.

Every line is one of three things: a matrix product (`Gemm`), arithmetic entry by entry (`Vector`, which also sums), or
arithmetic on single numbers (`Scalar`). Lines that walk over the same entries are merged into one `Vector`, so that what
only they use is never written to memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from glassnet.engines.compiled.operations import (
    Barrier,
    Convolution,
    Gemm,
    Instruction,
    Operand,
    Operation,
    Pool,
    Scalar,
    Vector,
)
from glassnet.equations.expression import (
    Add,
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
    replace,
    symbols,
)
from glassnet.equations.functions import Defined, FunctionKind
from glassnet.equations.images import (
    AveragePool,
    Channels,
    Convolve,
    ConvolveBack,
    ConvolveKernel,
    EachMap,
    Flatten,
    MaxPool,
    SpreadAverage,
    Unflatten,
    Unpool,
)
from glassnet.equations.layers import Equation

LOOK_BACK = 12
"""So many operations back a line looks for one that it can join."""

GATHERING = ("sum_columns", "sum_rows", "sum_channels")
SPREADING = ("tile", "spread", "channels")
"""Instructions that write to, and read from, values of another shape than their operation's."""

COMPARED = {">": "gt", "<": "lt", "≥": "ge", "≤": "le"}
SWAPPED = {"gt": "lt", "lt": "gt", "ge": "le", "le": "ge"}


class NotLowered(TypeError):
    """An equation that the compiled engine has no operation for."""


@dataclass
class Program:
    """Operations and what they work on; sizes in m stay open until it is bound."""

    operations: list[Operation]
    shapes: dict[str, Shape]
    slots: list[float]
    named_slots: dict[str, int]
    aliases: dict[str, str]
    regions: dict[str, tuple[str, ...]]
    """Stretches of memory that hold several values one after the other, and which."""
    kept: set[str] = field(default_factory=set)

    def __str__(self) -> str:
        width = max((len(", ".join(o.lines)) for o in self.operations), default=0)
        return "\n".join(f"{', '.join(o.lines):<{width}}   {o}" for o in self.operations)


class Lowering:
    """One program in the making.

    Parameters
    ----------
    shapes : the memory the program finds: name -> shape
    numbers : names of the numbers it is given each time: m, alpha, t
    kept : names whose values must be in memory afterwards
    regions : stretches of memory with several of the names
    """

    def __init__(
        self,
        shapes: dict[str, Shape],
        numbers: Sequence[str],
        kept: set[str],
        regions: dict[str, tuple[str, ...]] | None = None,
    ) -> None:
        self.shapes = dict(shapes)
        self.prologue: list[Operation] = []
        self.operations: list[Operation] = []
        self.slots: list[float] = []
        self.named_slots: dict[str, int] = {}
        self.constants: dict[float, int] = {}
        self.known_numbers: dict[Expression, int] = {}
        self.computed: set[int] = set()
        self.aliases: dict[str, str] = {}
        self.materialised: dict[Expression, str] = {}
        self.regions = regions or {}
        self.kept = kept
        self.line = ""
        for name in numbers:
            self.named_slots[name] = self._slot()

    # Lines.

    def add(self, equation: Equation) -> None:
        """Lower one equation."""
        self.line = equation.name
        self.assign(equation.name, equation.expression, update=equation.phase == "update")

    def assign(self, name: str, expression: Expression, update: bool = False) -> None:
        """`name = expression`."""
        shape = expression.shape
        if shape == ():
            self.named_slots[name] = self.number(expression)
            return
        laid_out = expression.argument if isinstance(expression, Flatten | Unflatten) else expression
        if isinstance(laid_out, Symbol) and not update and name not in self.shapes:
            self.aliases[name] = self.name(laid_out)
            return
        self.shapes.setdefault(name, shape)
        match expression:
            case MatMul():
                self._gemm(name, expression, adds=False)
            case Add(left=MatMul() as product, right=rest) | Add(left=rest, right=MatMul() as product):
                if rest.shape == shape:
                    self.assign(name, rest, update=True)
                else:  # a bias, in an operation of its own: a rewrite may take it to where the sum is used
                    self._elementwise(name, _Spread(rest, shape), alone=True)
                self._gemm(name, product, adds=True)
            case Flatten(argument=inner) | Unflatten(argument=inner):
                self.assign(name, inner, update=True)
            case Add(left=Convolve() as product, right=Channels(argument=bias)):
                self._convolution(name, product, bias=self.memory(bias))
            case Add(left=ConvolveKernel() as product, right=rest) | Add(left=rest, right=ConvolveKernel() as product):
                self.assign(name, rest, update=True)
                self._convolution(name, product, adds=True)
            case Convolve() | ConvolveBack() | ConvolveKernel():
                self._convolution(name, expression)
            case MaxPool() | AveragePool() | Unpool() | SpreadAverage():
                self._pool(name, expression)
            case Sum(argument=inner, axis="channels"):
                self._reduce("sum_channels", name, inner)
            case Mean(argument=inner, axis="channels"):
                total = self._temporary(shape)
                self._reduce("sum_channels", total, inner)
                places = int(inner.shape[2]) * int(inner.shape[3])
                self.assign(name, Symbol(total, shape) / (Constant(float(places)) * Symbol("m")), update=True)
            case Sum(argument=inner, axis=0):
                self._reduce("sum_columns", name, inner)
            case Sum(argument=inner, axis=1):
                self._reduce("sum_rows", name, inner)
            case Mean(argument=inner, axis=0):
                total = self._temporary(shape)
                self._reduce("sum_columns", total, inner)
                rows = Symbol("m") if inner.shape[0] == "m" else Constant(float(inner.shape[0]))
                self.assign(name, Symbol(total, shape) / rows, update=True)
            case _:
                self._elementwise(name, expression)

    def _elementwise(self, name: str, expression: Expression, *, alone: bool = False) -> None:
        statement = _Statement(self, expression.shape)
        value = statement.value(expression)
        if value[0] == "number":
            value = statement.put("fill", value)
        statement.put("store", value, target=name)
        self._join(statement, alone)

    def _reduce(self, code: str, name: str, inner: Expression) -> None:
        self.shapes.setdefault(name, (inner.shape[0], 1) if code == "sum_rows" else (inner.shape[1],))
        statement = _Statement(self, inner.shape)
        statement.whole_rows = True
        statement.put(code, statement.value(inner), target=name)
        self._join(statement)

    def _gemm(self, name: str, product: MatMul, adds: bool) -> None:
        left, left_transposed = self._factor(product.left)
        right, right_transposed = self._factor(product.right)
        one, beta = self.constant(1.0), self.constant(1.0 if adds else 0.0)
        self.operations.append(
            Gemm(name, left, left_transposed, right, right_transposed, one, beta, adds, lines=[self.line])
        )

    def _convolution(self, name: str, node: Expression, bias: str | None = None, adds: bool = False) -> None:
        match node:
            case Convolve(image=image, kernel=kernel, window=window):
                kind, names = "forward", (self.memory(image), self.memory(kernel), name)
                size, filters = image.shape[1:], kernel.shape[0]
            case ConvolveBack(upstream=maps, kernel=kernel, window=window):
                kind, names = "back", (name, self.memory(kernel), self.memory(maps))
                size, filters = node.shape[1:], kernel.shape[0]
            case ConvolveKernel(image=image, upstream=maps, window=window):
                kind, names = "kernel", (self.memory(image), name, self.memory(maps))
                size, filters = image.shape[1:], maps.shape[1]
            case _:
                raise NotLowered(f"'{node}' is no convolution.")
        channels, high, wide = (int(d) for d in size)
        self.operations.append(
            Convolution(kind, *names, bias, window, (channels, high, wide), int(filters), adds, lines=[self.line])
        )

    def _pool(self, name: str, node: Expression) -> None:
        source = None
        match node:
            case MaxPool(argument=image, window=window) | AveragePool(argument=image, window=window):
                kind = "max" if isinstance(node, MaxPool) else "average"
                names, size = (self.memory(image), name), image.shape[1:]
            case Unpool(upstream=maps, image=image, window=window):
                kind, names, size, source = "unpool", (name, self.memory(maps)), node.shape[1:], self.memory(image)
            case SpreadAverage(upstream=maps, window=window):
                kind, names, size = "spread", (name, self.memory(maps)), node.shape[1:]
            case _:
                raise NotLowered(f"'{node}' is no pool.")
        channels, high, wide = (int(d) for d in size)
        self.operations.append(Pool(kind, *names, source, window, (channels, high, wide), lines=[self.line]))

    def _factor(self, factor: Expression) -> tuple[str, bool]:
        if isinstance(factor, Transpose):
            name, transposed = self._factor(factor.argument)
            return name, not transposed
        return self.memory(factor), False

    # Values in memory.

    def name(self, symbol: Symbol) -> str:
        return self.aliases.get(symbol.name, symbol.name)

    def memory(self, expression: Expression) -> str:
        """The name of a value in memory, computed there first if need be."""
        if isinstance(expression, Flatten | Unflatten):  # the same numbers in the same order
            return self.memory(expression.argument)
        if isinstance(expression, Symbol):
            return self.name(expression)
        if expression not in self.materialised:
            name = self._temporary(expression.shape)
            self.assign(name, expression, update=True)
            self.materialised[expression] = name
        return self.materialised[expression]

    def _temporary(self, shape: Shape) -> str:
        name = f"t{1 + sum(n.startswith('t') and n[1:].isdigit() for n in self.shapes)}"
        self.shapes[name] = shape
        return name

    # Numbers.

    def _slot(self, value: float = 0.0) -> int:
        self.slots.append(value)
        return len(self.slots) - 1

    def constant(self, value: float) -> int:
        if value not in self.constants:
            self.constants[value] = self._slot(value)
        return self.constants[value]

    def number(self, expression: Expression) -> int:
        """The slot of a scalar expression."""
        if isinstance(expression, Constant):
            return self.constant(expression.value)
        if isinstance(expression, Symbol):
            if expression.name not in self.named_slots:
                raise NotLowered(f"The number {expression.name} is not known.")
            return self.named_slots[expression.name]
        if expression not in self.known_numbers:
            self.known_numbers[expression] = self._number(expression)
        return self.known_numbers[expression]

    def _number(self, expression: Expression) -> int:
        slot = self._slot()
        match expression:
            case Sum(argument=inner, axis=None):
                self.prologue.append(Scalar("copy", slot, (self.constant(0.0),), lines=[self.line]))
                statement = _Statement(self, inner.shape)
                value = statement.value(inner)
                statement.put("sum_all", value, ("number", slot))
                self.computed.add(slot)
                self._join(statement)
                return slot
            case Add() | Subtract() | Multiply() | Divide() | Power():
                code = type(expression).__name__.lower()
                operands: tuple[int, ...] = (self.number(expression.left), self.number(expression.right))
            case Negate():
                code, operands = "multiply", (self.constant(-1.0), self.number(expression.argument))
            case Compare():
                code, operands = (
                    COMPARED[expression.operator],
                    (self.number(expression.left), self.number(expression.right)),
                )
            case Function(kind=Defined() as kind):
                return self.number(kind.expanded(expression.arguments[0]))
            case Function() if expression.kind.name in SCALAR_FUNCTIONS:
                code, operands = expression.kind.name, tuple(self.number(a) for a in expression.arguments)
            case _:
                raise NotLowered(f"The number {expression} has no operation.")
        operation = Scalar(code, slot, operands, lines=[self.line])
        if self.computed & set(operands):
            self.computed.add(slot)
            self.operations.append(operation)
        else:
            self.prologue.append(operation)
        return slot

    # Joining.

    def expanded(self, names: set[str]) -> set[str]:
        """The names, with those of the regions replaced by what they hold."""
        return {member for name in names for member in self.regions.get(name, (name,))}

    def _conflict(self, a: Operation, b: Operation) -> bool:
        writes_a, writes_b = self.expanded(a.writes), self.expanded(b.writes)
        return bool(
            writes_a & self.expanded(b.reads)
            or writes_b & self.expanded(a.reads)
            or writes_a & writes_b
            or a.slots_written & b.slots_read
            or b.slots_written & a.slots_read
        )

    def _join(self, statement: _Statement, alone: bool = False) -> None:
        """Merge a statement into an earlier operation over the same entries, or append it (always, when `alone`)."""
        new = Vector(statement.shape, statement.program, statement.whole_rows, lines=[self.line])
        for earlier in () if alone else reversed(self.operations[-LOOK_BACK:]):
            if isinstance(earlier, Vector) and earlier.shape == new.shape and self._mergeable(earlier, new):
                _merge(earlier, new)
                return
            if isinstance(earlier, Barrier) or self._conflict(earlier, new):
                break
        self.operations.append(new)

    def _mergeable(self, earlier: Vector, new: Vector) -> bool:
        # What is summed over rows is complete only after the last block; so is what another shape reads.
        gathered = {i.target for i in earlier.program if i.code in GATHERING}
        spread = {str(v) for i in new.program if i.code in SPREADING for _, v in i.operands}
        if gathered & new.reads or spread & earlier.writes or earlier.slots_written & new.slots_read:
            return False
        spread_before = {str(v) for i in earlier.program if i.code in SPREADING for _, v in i.operands}
        return not (spread_before & new.writes) and not (gathered & new.writes)

    # The end.

    def program(self) -> Program:
        """The finished program: stores that nothing reads are left out, with what only they needed."""
        self._drop_unread()
        return Program(
            [*self.prologue, *self.operations],
            self.shapes,
            self.slots,
            self.named_slots,
            self.aliases,
            self.regions,
            self.kept,
        )

    def _drop_unread(self) -> None:
        kept = {self.aliases.get(name, name) for name in self.kept}
        for position in range(len(self.operations) - 1, -1, -1):
            operation = self.operations[position]
            if not isinstance(operation, Vector):
                continue
            others = self.operations[:position] + self.operations[position + 1 :]
            wanted = kept | {m for other in others for m in self.expanded(other.reads)}
            for name in operation.writes:
                if self.expanded({name}) & wanted or (name in operation.reads and self.expanded({name}) & kept):
                    operation.kept.add(name)
            used: set[int] = set()
            for index in range(len(operation.program) - 1, -1, -1):
                step = operation.program[index]
                wanted_here = index in used or step.code == "sum_all" or (step.target in operation.kept)
                if wanted_here:
                    used.add(index)
                    used |= {int(v) for kind, v in step.operands if kind == "result"}
            operation.program = _renumbered(operation.program, sorted(used))


def _renumbered(program: list[Instruction], chosen: list[int]) -> list[Instruction]:
    place = {old: new for new, old in enumerate(chosen)}
    return [
        Instruction(
            program[old].code,
            tuple((kind, place[int(v)]) if kind == "result" else (kind, v) for kind, v in program[old].operands),
            program[old].target,
        )
        for old in chosen
    ]


def _merge(earlier: Vector, new: Vector) -> None:
    """Append a program to another over the same entries; what the first computes, the second takes from there."""
    stored = {i.target: i.operands[0] for i in earlier.program if i.code == "store"}
    known = {
        (i.code, i.operands): position
        for position, i in enumerate(earlier.program)
        if i.target is None and i.code != "sum_all"
    }
    place: dict[int, Operand] = {}
    for position, step in enumerate(new.program):
        operands: list[Operand] = []
        for kind, value in step.operands:
            if kind == "result":
                operands.append(place[int(value)])
            elif kind == "memory" and value in stored and step.code not in ("tile", "spread"):
                operands.append(stored[str(value)])
            else:
                operands.append((kind, value))
        key = (step.code, tuple(operands))
        if step.target is None and step.code != "sum_all" and key in known:
            place[position] = ("result", known[key])
            continue
        earlier.program.append(Instruction(step.code, tuple(operands), step.target))
        place[position] = ("result", len(earlier.program) - 1)
        if step.code == "store":
            stored[step.target] = operands[0]
            # What was computed from the old value of this name must not be taken for the new one.
            known = {k: p for k, p in known.items() if ("memory", step.target) not in k[1]}
        elif step.target is None and step.code != "sum_all":
            known[key] = len(earlier.program) - 1
    earlier.whole_rows = earlier.whole_rows or new.whole_rows
    earlier.lines.extend(line for line in new.lines if line not in earlier.lines)


@dataclass(frozen=True, repr=False)
class _Spread(Expression):
    """A value spread to a larger shape, as addition would; only lowering uses it."""

    argument: Expression
    to: Shape

    @property
    def children(self) -> tuple[Expression, ...]:
        return (self.argument,)

    @property
    def shape(self) -> Shape:
        return self.to


class _Statement:
    """The elementwise program of one assignment or sum."""

    def __init__(self, lowering: Lowering, shape: Shape) -> None:
        self.lowering = lowering
        self.shape = shape
        self.program: list[Instruction] = []
        self.whole_rows = False
        self.known: dict[Expression, Operand] = {}

    def put(self, code: str, *operands: Operand, target: str | None = None) -> Operand:
        """Add an instruction; one that stands there already is not repeated."""
        if target is None and code != "sum_all":
            for position, step in enumerate(self.program):
                if step.code == code and step.operands == operands:
                    return ("result", position)
        self.program.append(Instruction(code, operands, target))
        return ("result", len(self.program) - 1)

    def value(self, expression: Expression) -> Operand:
        """The operand that holds an expression's entries."""
        if expression.shape == ():
            return ("number", self.lowering.number(expression))
        if expression not in self.known:
            self.known[expression] = self._value(expression)
        return self.known[expression]

    def _value(self, expression: Expression) -> Operand:
        match expression:
            case Symbol():
                return self._load(self.lowering.name(expression), expression.shape)
            case _Spread():
                return self.value(expression.argument)
            case Channels(argument=a):
                self.whole_rows = True
                return self.put("channels", ("memory", self.lowering.memory(a)))
            case EachMap(argument=a):
                self.whole_rows = True
                return self.put("spread", ("memory", self.lowering.memory(a)))
            case Sum(axis=1) if expression.argument.shape == self.shape:
                self.whole_rows = True
                return self.put("row_sum", self.value(expression.argument))
            case (
                MatMul() | Transpose() | Sum() | Mean() | Flatten() | Unflatten() | Convolve() | ConvolveBack()
                | ConvolveKernel() | MaxPool() | AveragePool() | Unpool() | SpreadAverage()
            ):  # fmt: skip
                return self._load(self.lowering.memory(expression), expression.shape)
            case Add():
                return self._both("add", expression.left, expression.right)
            case Subtract():
                return self._both("subtract", expression.left, expression.right)
            case Multiply():
                return self._both("multiply", expression.left, expression.right)
            case Divide():
                if expression.right.shape == ():
                    return self.put("multiply_vs", self.value(expression.left), self.value(1.0 / expression.right))
                return self._both("divide", expression.left, expression.right)
            case Power():
                return self._power(expression.left, expression.right)
            case Negate():
                return self.put(
                    "multiply_vs", self.value(expression.argument), ("number", self.lowering.constant(-1.0))
                )
            case Compare():
                return self._compare(COMPARED[expression.operator], expression.left, expression.right)
            case Function():
                return self._function(expression.kind, expression.arguments)
        raise NotLowered(f"'{expression}' has no operation.")

    def _load(self, name: str, shape: Shape) -> Operand:
        if shape == self.shape or (shape == (1, *self.shape) or (1, *shape) == self.shape):
            return ("memory", name)
        self.whole_rows = True
        if shape == (self.shape[-1],) or shape == (1, self.shape[-1]):
            return self.put("tile", ("memory", name))
        if len(shape) == 2 and shape[1] == 1 and shape[0] == self.shape[0]:
            return self.put("spread", ("memory", name))
        raise NotLowered(f"{name} of shape {shape} does not spread to {self.shape}.")

    def _both(self, code: str, left: Expression, right: Expression) -> Operand:
        a, b = self.value(left), self.value(right)
        if a[0] != "number" and b[0] != "number":
            return self.put(f"{code}_vv", a, b)
        if a[0] == "number" and code in ("add", "multiply"):
            return self.put(f"{code}_vs", b, a)
        return self.put(f"{code}_vs" if b[0] == "number" else f"{code}_sv", a, b)

    def _compare(self, code: str, left: Expression, right: Expression) -> Operand:
        a, b = self.value(left), self.value(right)
        if a[0] == "number":
            return self.put(f"{SWAPPED[code]}_vs", b, a)
        if b[0] == "number":
            return self.put(f"{code}_vs", a, b)
        return self.put(f"{SWAPPED[code]}_vv", b, a) if code in ("lt", "le") else self.put(f"{code}_vv", a, b)

    def _power(self, base: Expression, exponent: Expression) -> Operand:
        if isinstance(exponent, Constant) and exponent.value in (2.0, 3.0, 4.0):
            a = self.value(base)
            square = self.put("multiply_vv", a, a)
            if exponent.value == 2.0:
                return square
            return self.put("multiply_vv", square, a if exponent.value == 3.0 else square)
        return self._both("power", base, exponent)

    def _function(self, kind: FunctionKind, arguments: tuple[Expression, ...]) -> Operand:
        if isinstance(kind, Defined):
            return self.value(kind.expanded(arguments[0]))
        if kind.name in ("max", "min"):
            a, b = (self.value(argument) for argument in arguments)
            if a[0] == "number":
                a, b = b, a
            return self.put(f"{kind.name}_{'vs' if b[0] == 'number' else 'vv'}", a, b)
        if kind.name == "where":
            filled = [self._filled(self.value(argument)) for argument in arguments]
            return self.put("where", *filled)
        if kind.name in ("softmax", "log_softmax", "logsumexp"):
            return self._rows(kind.name, arguments[0])
        if kind.name in ELEMENTWISE:
            return self.put(ELEMENTWISE[kind.name], self.value(arguments[0]))
        raise NotLowered(f"The function {kind.name} has no operation.")

    def _filled(self, operand: Operand) -> Operand:
        return self.put("fill", operand) if operand[0] == "number" else operand

    def _rows(self, name: str, argument: Expression) -> Operand:
        if argument.shape != self.shape:
            raise NotLowered(f"{name} of shape {argument.shape} within {self.shape} has no operation.")
        self.whole_rows = True
        z = self.value(argument)
        top = self.put("row_max", z)
        centred = self.put("subtract_vv", z, top)
        raised = self.put("exp", centred)
        total = self.put("row_sum", raised)
        if name == "softmax":
            return self.put("divide_vv", raised, total)
        logarithm = self.put("log", total)
        return (
            self.put("subtract_vv", centred, logarithm) if name == "log_softmax" else self.put("add_vv", top, logarithm)
        )


ELEMENTWISE = {
    "exp": "exp", "expm1": "expm1", "log": "log", "log1p": "log1p", "sqrt": "sqrt", "sin": "sin", "cos": "cos", "tanh": "tanh",
    "sigmoid": "sigmoid", "softplus": "softplus", "log_softplus": "log_softplus", "erf": "erf", "φ": "normal_pdf",
    "Φ": "normal_cdf", "abs": "absolute", "sign": "sign", "floor": "floor",
}  # fmt: skip
SCALAR_FUNCTIONS = ("sqrt", "exp", "log", "abs", "max", "min")


def grouped(
    equations: Sequence[Equation], parameters: Sequence[str], states: Sequence[str]
) -> list[tuple[list[str], list[Equation]]]:
    """Parameters whose updates read alike, so that one operation makes them all: (names, the first one's lines).

    An update may use its own parameter, its slope and its memory only; one that uses more stands alone.
    """
    groups: list[tuple[list[str], list[Equation], list[Expression]]] = []
    for name in parameters:
        memory = [s for s in states if s.endswith(name) and len(s) == len(name) + 1]
        mine = [e for e in equations if e.name == name or e.name in memory]
        table: dict[Expression, Expression] = {}
        for equation in mine:
            for symbol in (*symbols(equation.expression), Symbol(equation.name, equation.shape)):
                if symbol.name in (name, f"d{name}", *memory):
                    table[symbol] = Symbol(symbol.name[: len(symbol.name) - len(name)] + "θ")
        shape = [replace(e.expression, table) for e in mine]
        shape += [table.get(Symbol(e.name, e.shape), Symbol(e.name)) for e in mine]
        for names, _, other in groups:
            if other == shape:
                names.append(name)
                break
        else:
            groups.append(([name], mine, shape))
    return [(names, lines) for names, lines, _ in groups]
