"""Rewrites of the list of operations that make it faster and leave its results alone (to rounding).

Each has a name, and can be left out: the conformance tests run with and without every one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from glassnet.engines.compiled.lowering import Program
from glassnet.engines.compiled.narrow import ACTIVATIONS, MOST_INPUTS, MOST_OUTPUTS
from glassnet.engines.compiled.operations import (
    Gemm,
    Instruction,
    NarrowBackward,
    NarrowForward,
    Operand,
    Operation,
    Scalar,
    Vector,
)

Steps = list[Instruction]


def _uses(steps: Steps) -> list[int]:
    counts = [0] * len(steps)
    for step in steps:
        for kind, value in step.operands:
            if kind == "result":
                counts[int(value)] += 1
    return counts


class _Matcher:
    """What a rewrite looks at: one vector operation, its steps, and the numbers of the program."""

    def __init__(self, program: Program, vector: Vector) -> None:
        self.program = program
        self.steps = vector.program
        self.uses = _uses(vector.program)
        self.computed = {s for o in program.operations for s in o.slots_written if isinstance(o, Vector)}

    def made(self, operand: Operand, code: str, *, once: bool = True) -> Instruction | None:
        """The step that made this operand, if it has this code (and nothing else uses it)."""
        if operand[0] != "result":
            return None
        step = self.steps[int(operand[1])]
        return step if step.code == code and (not once or self.uses[int(operand[1])] == 1) else None

    def is_constant(self, operand: Operand, value: float) -> bool:
        slot = int(operand[1])
        written = (
            any(slot in o.slots_written for o in self.program.operations) or slot in self.program.named_slots.values()
        )
        return operand[0] == "number" and not written and self.program.slots[slot] == value

    def negative(self, slot: int) -> int | None:
        """A slot that holds −s; None when s is known only while the operations run."""
        minus = next((i for i, v in enumerate(self.program.slots) if v == -1.0), None)
        for operation in self.program.operations:
            if isinstance(operation, Scalar) and operation.code == "multiply" and operation.operands == (minus, slot):
                return operation.slot
        position = -1
        for index, operation in enumerate(self.program.operations):
            if slot in operation.slots_written:
                position = index
        if position >= 0 and not isinstance(self.program.operations[position], Scalar):
            return None
        if minus is None:
            self.program.slots.append(-1.0)
            minus = len(self.program.slots) - 1
        self.program.slots.append(0.0)
        new = len(self.program.slots) - 1
        self.program.operations.insert(position + 1, Scalar("multiply", new, (minus, slot), lines=[]))
        return new


def _scaled_sums(m: _Matcher, step: Instruction) -> Instruction | None:
    """a − s b, a + s b and s a + t b in one pass."""
    if step.code not in ("add_vv", "subtract_vv"):
        return None
    a, b = step.operands
    scaled = m.made(b, "multiply_vs")
    if scaled is None and step.code == "add_vv":
        a, b = b, a
        scaled = m.made(b, "multiply_vs")
    if scaled is None:
        return None
    factor = int(scaled.operands[1][1])
    if step.code == "subtract_vv":
        negative = m.negative(factor)
        if negative is None:
            return None
        factor = negative
    other = m.made(a, "multiply_vs")
    if other is not None:
        return Instruction("scaled_sum", (other.operands[0], scaled.operands[0], other.operands[1], ("number", factor)))
    return Instruction("add_scaled", (a, scaled.operands[0], ("number", factor)))


def _slopes(m: _Matcher, step: Instruction) -> Instruction | None:
    """b (1 − a²), b a (1 − a) and b where z > 0 in one pass: the slopes of tanh, sigmoid and relu."""
    if step.code != "multiply_vv":
        return None
    for b, slope in (step.operands, step.operands[::-1]):
        positive = m.made(slope, "gt_vs", once=False)
        if positive is not None and m.is_constant(positive.operands[1], 0.0):
            return Instruction("where_positive", (positive.operands[0], b))
        rest = m.made(slope, "subtract_sv")
        if rest is None or not m.is_constant(rest.operands[0], 1.0):
            continue
        square = m.made(rest.operands[1], "multiply_vv")
        if square is not None and square.operands[0] == square.operands[1]:
            return Instruction("slope_tanh", (square.operands[0], b))
        a = rest.operands[1]
        product = m.made(b, "multiply_vv")
        if product is not None and a in product.operands:
            other = product.operands[1] if product.operands[0] == a else product.operands[0]
            return Instruction("slope_sigmoid", (a, other))
    for b, slope in (step.operands, step.operands[::-1]):
        both = m.made(slope, "multiply_vv")
        for factor, complement in (both.operands, both.operands[::-1]) if both is not None else ():
            one_less = m.made(complement, "subtract_sv")
            if one_less is not None and one_less.operands[1] == factor and m.is_constant(one_less.operands[0], 1.0):
                return Instruction("slope_sigmoid", (factor, b))
    return None


def _positive_parts(m: _Matcher, step: Instruction) -> Instruction | None:
    """max(z, 0) without loading the zero."""
    if step.code == "max_vs" and m.is_constant(step.operands[1], 0.0):
        return Instruction("positive_part", step.operands[:1])
    return None


def _sums_of_squares(m: _Matcher, step: Instruction) -> Instruction | None:
    """Σ a² in one pass."""
    if step.code != "sum_all":
        return None
    square = m.made(step.operands[0], "multiply_vv")
    if square is None or square.operands[0] != square.operands[1]:
        return None
    return Instruction("sum_squares", (square.operands[0], step.operands[1]))


STEP_REWRITES: dict[str, Callable[[_Matcher, Instruction], Instruction | None]] = {
    "slopes": _slopes,
    "scaled sums": _scaled_sums,
    "positive parts": _positive_parts,
    "sums of squares": _sums_of_squares,
}


def _narrow_layer(program: Program) -> None:
    """The first layer as one operation forward and one back, where inputs and outputs are few and all of it is plain."""
    operations = program.operations
    readers: dict[str, list[Operation]] = {}
    for operation in operations:
        for name in operation.reads:
            readers.setdefault(name, []).append(operation)

    def gemm(left: str, right: str | None = None, *, transposed: tuple[bool, bool] = (False, False)) -> Gemm | None:
        found = [
            o for o in operations
            if isinstance(o, Gemm) and o.left == left and (right is None or o.right == right)
            and (o.left_transposed, o.right_transposed) == transposed
        ]  # fmt: skip
        return found[0] if len(found) == 1 else None

    def only(name: str, kind: type[Operation], *but: Operation) -> Operation | None:
        others = [o for o in readers.get(name, []) if not any(o is b for b in but)]
        return others[0] if len(others) == 1 and isinstance(others[0], kind) else None

    def bias_of(product: Gemm) -> tuple[Vector | None, str | None] | None:
        if not product.adds:
            return None, None
        for operation in operations:
            if isinstance(operation, Vector) and operation.writes == {product.target} and len(operation.program) == 2:
                first = operation.program[0]
                if first.code == "tile":
                    return operation, str(first.operands[0][1])
        return None

    into = gemm("X")
    if into is None:
        return
    bias = bias_of(into)
    activated = next(
        (o for o in operations if isinstance(o, Vector) and o.reads == {into.target} and len(o.program) == 2
         and o.program[0].code in ACTIVATIONS and o.program[1].code == "store"), None,
    )  # fmt: skip
    if bias is None or activated is None or into.target in program.kept:
        return
    code, hidden = activated.program[0].code, str(activated.program[1].target)
    out = gemm(hidden)
    if out is None or hidden in program.kept:
        return
    n = program.shapes[into.right][0]
    outputs = program.shapes[out.right][1]
    if int(n) > MOST_INPUTS or int(outputs) > MOST_OUTPUTS or f"d{into.right}" not in program.shapes:
        return
    after = gemm(hidden, transposed=(True, False))
    if after is None or after.target != f"d{out.right}":
        return
    above = after.right
    back = gemm(above, out.right, transposed=(False, True))
    if back is None:
        return
    slope = only(back.target, Vector)
    first = gemm("X", transposed=(True, False))
    if not isinstance(slope, Vector) or first is None or not _is_slope(slope, code, hidden, back.target, first.right):
        return
    allowed = [activated, out, after, slope]
    if any(
        not any(o is a for a in allowed)
        for o in (*readers.get(hidden, []), *readers.get(into.target, []))
        if o is not into
    ):
        return
    if only(first.right, Gemm) is not first:
        return
    summed = [i.target for i in slope.program if i.code == "sum_columns"]
    across, gathered, room = (f"{stem} of layer 1" for stem in ("inputs", "scores", "slopes"))
    program.shapes |= {across: ("m", n), gathered: ("m", outputs), room: ("m", int(outputs) + 2)}
    forward = NarrowForward(
        into.right, bias[1], code, out.right, out.target, hidden, out.adds, across, gathered,
        lines=[*into.lines, *activated.lines, *out.lines],
    )  # fmt: skip
    backward = NarrowBackward(
        code, out.right, above, hidden, across, room, after.target, first.target, summed[0] if summed else None, after.adds,
        first.adds, lines=[*after.lines, *back.lines, *slope.lines, *first.lines],
    )  # fmt: skip
    gone = [o for o in (bias[0], into, activated, after, back, slope) if o is not None]
    program.operations[:] = [
        forward if o is out else backward if o is first else o for o in operations if not any(o is g for g in gone)
    ]


def _is_slope(vector: Vector, code: str, hidden: str, blame: str, target: str) -> bool:
    """Whether this is dZ = dA ⊙ g′, stored, with its sums over the samples, and nothing else."""
    wanted = {
        "tanh": ("slope_tanh", hidden), "sigmoid": ("slope_sigmoid", hidden), "positive_part": ("where_positive", hidden),
    }[code]  # fmt: skip
    first, *others = vector.program
    if first.code != wanted[0] or first.operands != (("memory", wanted[1]), ("memory", blame)):
        return False
    codes = sorted(i.code for i in others)
    stored = [i.target for i in others if i.code == "store"]
    return codes in (["store"], ["store", "sum_columns"]) and stored == [target]


def _relu_by_output(program: Program) -> None:
    """The slope of relu from its output, which is positive where its input is; the input is then not kept."""
    outputs = {
        str(o.program[0].operands[0][1]): str(o.program[1].target)
        for o in program.operations
        if isinstance(o, Vector) and len(o.program) == 2 and [s.code for s in o.program] == ["positive_part", "store"]
        and o.program[0].operands[0][0] == "memory"
    }  # fmt: skip
    for vector in [o for o in program.operations if isinstance(o, Vector)]:
        for step in vector.program:
            if step.code == "where_positive" and step.operands[0][0] == "memory" and step.operands[0][1] in outputs:
                step.operands = (("memory", outputs[str(step.operands[0][1])]), *step.operands[1:])


def _late_biases(program: Program) -> None:
    """A bias is added where its sum is used, instead of being written out before the product that is added to it."""
    for product in [o for o in program.operations if isinstance(o, Gemm) and o.adds]:
        name = product.target
        before = [
            o for o in program.operations
            if isinstance(o, Vector) and [s.code for s in o.program] == ["tile", "store"] and o.program[1].target == name
        ]  # fmt: skip
        readers = [o for o in program.operations if name in o.reads and o is not product]
        if len(before) != 1 or len(readers) != 1 or name in program.kept:
            continue
        reader = readers[0]
        spread = isinstance(reader, Vector) and any(
            s.code in ("tile", "spread") and ("memory", name) in s.operands for s in reader.program
        )
        if not isinstance(reader, Vector) or spread or reader.shape != program.shapes[name] or name in reader.writes:
            continue
        bias = before[0].program[0].operands[0]
        moved = [
            Instruction(
                s.code,
                tuple(
                    ("result", 0) if o == ("memory", name) else (o[0], int(o[1]) + 1) if o[0] == "result" else o
                    for o in s.operands
                ),
                s.target,
            )
            for s in reader.program
        ]
        reader.program = [Instruction("add_row", (("memory", name), bias)), *moved]
        reader.whole_rows = True
        product.adds, product.beta = False, _zero(program)
        program.operations.remove(before[0])


def _zero(program: Program) -> int:
    """The slot of the constant 0."""
    written = {s for o in program.operations for s in o.slots_written} | set(program.named_slots.values())
    for slot, value in enumerate(program.slots):
        if value == 0.0 and slot not in written:
            return slot
    program.slots.append(0.0)
    return len(program.slots) - 1


def _descents(program: Program) -> None:
    """A plain step down the slope in place, with the gradient's square: one pass over weights and slopes."""
    for vector in [o for o in program.operations if isinstance(o, Vector)]:
        if [s.code for s in vector.program] != ["sum_squares", "add_scaled", "store"]:
            continue
        squares, moved, stored = vector.program
        weights, slopes, rate = moved.operands
        if (
            squares.operands[0] == slopes
            and stored.operands[0] == ("result", 1)
            and weights == ("memory", stored.target)
        ):
            vector.program = [Instruction("descend", (slopes, weights, rate, squares.operands[1]), stored.target)]


LIST_REWRITES: dict[str, Callable[[Program], None]] = {
    "relu by output": _relu_by_output,
    "narrow layer": _narrow_layer,
    "late biases": _late_biases,
    "descents": _descents,
}


def rewrite(program: Program, leave_out: Collection[str] = ()) -> Program:
    """The program with every rewrite made that is not left out."""
    for name, change in STEP_REWRITES.items():
        if name in leave_out:
            continue
        for vector in [o for o in program.operations if isinstance(o, Vector)]:
            for index in range(len(vector.program)):
                new = change(_Matcher(program, vector), vector.program[index])
                if new is not None:
                    vector.program[index] = Instruction(new.code, new.operands, vector.program[index].target)
            vector.program = _without_unused(vector.program)
    for name, reform in LIST_REWRITES.items():
        if name not in leave_out:
            reform(program)
    return program


def _without_unused(steps: Steps) -> Steps:
    from glassnet.engines.compiled.lowering import _renumbered

    used: set[int] = set()
    for index in range(len(steps) - 1, -1, -1):
        if index in used or steps[index].target is not None or steps[index].code in ("sum_all", "sum_squares"):
            used.add(index)
            used |= {int(v) for kind, v in steps[index].operands if kind == "result"}
    return _renumbered(steps, sorted(used))
