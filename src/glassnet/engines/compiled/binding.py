"""Programs become tables of numbers: every value gets its place in memory, every operation its sizes and addresses.

The memory is planned before training: the state first and in one piece (a snapshot is one copy), then the slopes in the same
order (an optimiser's update is one pass), then a batch, then the values of a step, which share places when they are not
needed at the same time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from glassnet.engines.compiled import blocks, loop
from glassnet.engines.compiled.lowering import Program
from glassnet.engines.compiled.operations import (
    Barrier,
    Gemm,
    Instruction,
    Mask,
    Metric,
    Operation,
    Scalar,
    Vector,
    Zero,
)
from glassnet.equations.expression import Shape

BLOCK_BYTES = 4096
"""Of one register of a vector program: half a dozen of them fit in the first-level cache."""
ALIGNMENT = 64
STEP_WIDTH = 9
CODE = {name: number for number, name in enumerate(blocks.CODES)}


def entries(shape: Shape, rows: int) -> int:
    """How many numbers a value has when a batch has so many rows."""
    total = 1
    for dimension in shape:
        total *= rows if dimension == "m" else int(dimension)
    return total


class Memory:
    """One aligned block, and the next free place in it."""

    def __init__(self, size: int, dtype: np.dtype[Any]) -> None:
        self.itemsize = dtype.itemsize
        raw = np.zeros(size * dtype.itemsize + ALIGNMENT, dtype=np.uint8)
        start = -raw.ctypes.data % ALIGNMENT
        self.array = raw[start : start + size * dtype.itemsize].view(dtype)
        self.address = int(self.array.ctypes.data)


def aligned(count: int, itemsize: int) -> int:
    """The next number of entries that fills whole cache lines."""
    per_line = ALIGNMENT // itemsize
    return -(-count // per_line) * per_line


def finished(program: Program, skip_metric: bool) -> list[Operation]:
    """The operations to run: sums over rows begin with zeros, and what is not asked for is left out."""
    result: list[Operation] = []
    for operation in program.operations:
        if isinstance(operation, Metric) and skip_metric:
            continue
        if isinstance(operation, Vector):
            if not operation.program:
                continue
            result.extend(Zero(str(i.target)) for i in operation.program if i.code == "sum_columns")
        result.append(operation)
    return result


def plan_places(program: Program, operations: list[Operation], fixed: set[str], rows: int, itemsize: int) -> tuple[dict[str, int], int]:
    """Where each value of a step lies, counted from the start of their common area, and how large that is.

    A value holds its place from the operation that first writes it to the last that reads it.
    """
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for position, operation in enumerate(operations):
        for name in operation.reads | operation.writes:
            if name not in fixed and name not in program.regions:
                first.setdefault(name, position)
                last[name] = position
    places: dict[str, int] = {}
    size = 0
    living: list[tuple[int, int, str]] = []
    for name in sorted(first, key=lambda n: (first[n], n)):
        living = [item for item in living if last[item[2]] >= first[name]]
        count = aligned(entries(program.shapes[name], rows), itemsize)
        start = 0
        for taken, end, _ in sorted(living):
            if start + count <= taken:
                break
            start = max(start, end)
        places[name] = start
        living.append((start, start + count, name))
        size = max(size, start + count)
    return places, size


@dataclass
class Tables:
    """All programs of a training as numbers."""

    operations: list[list[int]] = field(default_factory=list)
    steps: list[list[int]] = field(default_factory=list)
    slots: list[float] = field(default_factory=list)


class Binder:
    """Writes one program into the tables for one batch size.

    Parameters
    ----------
    places : name -> address, of everything in memory
    in_place : byte distance of two rows of X when X is read where the data lie, else 0
    """

    def __init__(
        self, tables: Tables, program: Program, places: dict[str, int], registers: int, itemsize: int, in_place: int, slots: int
    ) -> None:
        self.tables = tables
        self.program = program
        self.places = places
        self.registers = registers
        self.itemsize = itemsize
        self.in_place = in_place
        self.slots = slots

    def write(self, operations: list[Operation], rows: int) -> tuple[int, int, int]:
        """The rows of the table that this program takes: (begin, where the update begins, end)."""
        begin = barrier = len(self.tables.operations)
        for operation in operations:
            if isinstance(operation, Barrier):
                barrier = len(self.tables.operations)
                continue
            row = self._row(operation, rows)
            self.tables.operations.append([*row, *[0] * (loop.WIDTH - len(row))])
        return begin, barrier, len(self.tables.operations)

    def slot(self, number: int) -> int:
        return self.slots + number

    def _row(self, operation: Operation, rows: int) -> list[int]:
        match operation:
            case Gemm():
                return self._gemm(operation, rows)
            case Vector():
                return self._vector(operation, rows)
            case Zero():
                return [loop.ZERO, self.places[operation.target], entries(self.program.shapes[operation.target], rows)]
            case Scalar():
                a, b = (*operation.operands, operation.operands[0])[:2]
                code = loop.SCALAR_CODES.index(operation.code)
                return [loop.SCALAR, code, self.slot(operation.slot), self.slot(a), self.slot(b)]
            case Mask():
                threshold = int(np.array(int(operation.rate * 2.0**64), dtype=np.uint64).view(np.int64))
                count = entries(self.program.shapes[operation.target], rows)
                return [loop.MASK, self.places[operation.target], count, operation.layer, threshold]
            case Metric():
                columns = int(self.program.shapes[operation.output][1])
                w = self.places["w"] if operation.weighted else 0
                return [
                    loop.METRIC, operation.kind, self.places[operation.output], self.places["Y"], w, rows, columns,
                    self.slot(operation.slot), operation.count,
                ]  # fmt: skip
        raise TypeError(f"{operation} has no row.")

    def _gemm(self, operation: Gemm, rows: int) -> list[int]:
        def sizes(name: str) -> tuple[int, int]:
            shape = self.program.shapes[name]
            return entries(shape[:1], rows), entries(shape[1:], rows)

        left, right = sizes(operation.left), sizes(operation.right)
        m, n = sizes(operation.target)
        k = left[0] if operation.left_transposed else left[1]
        moves = [self.in_place if name == "X" else 0 for name in (operation.left, operation.right)]
        return [
            loop.GEMM, loop.gemm_flags(operation.left_transposed), loop.gemm_flags(operation.right_transposed), m, n, k,
            self.slot(operation.alpha), self.places[operation.left], left[1], self.places[operation.right],
            self.slot(operation.beta), self.places[operation.target], n, *moves, right[1],
        ]  # fmt: skip

    def _vector(self, operation: Vector, rows: int) -> list[int]:
        total = entries(operation.shape, rows)
        columns = entries(operation.shape[-1:], rows)
        block = BLOCK_BYTES // self.itemsize
        if operation.whole_rows:
            block = max(1, block // columns) * columns
        else:
            columns = 1
        first = len(self.tables.steps)
        self._steps(operation, block)
        return [loop.VECTOR, total, columns, block, first, len(self.tables.steps) - first]

    def _steps(self, operation: Vector, block: int) -> None:
        program = operation.program
        last_use = _last_uses(program)
        where: dict[int, tuple[int, int]] = {}
        free: list[int] = []
        used = 0

        def address(operand: tuple[str, int | str]) -> tuple[int, int]:
            kind, value = operand
            return where[int(value)] if kind == "result" else (self.places[str(value)], self.itemsize)

        for position, step in enumerate(program):
            row = [CODE[step.code], 0, 0, 0, 0, 0, 0, -1, 0]
            arrays = [address(o) for o in step.operands if o[0] != "number"]
            numbers = [self.slot(int(v)) for kind, v in step.operands if kind == "number"]
            for index, (place, moves) in enumerate(arrays[:2]):
                row[3 + 2 * index : 5 + 2 * index] = [place, moves]
            if step.code == "where":
                row[7:9] = arrays[2]
            elif numbers:
                row[7] = numbers[0]
                if step.code == "scaled_sum":
                    row[8] = numbers[1]
            if step.code == "tile":
                row[4] = 0
            if step.target is not None:
                moves = 0 if step.code == "sum_columns" else self.itemsize
                row[1:3] = [self.places[step.target], moves]
            elif step.code not in ("sum_all", "sum_squares"):
                direct = _stored_at_once(program, position)
                if direct is not None:
                    where[position] = (self.places[direct], self.itemsize)
                else:
                    if not free:
                        free.append(used)
                        used += 1
                    register = free.pop()
                    where[position] = (self.registers + register * self._register_bytes(block), 0)
                row[1:3] = where[position]
            if not (step.code == "store" and self._is_there(where, step)):
                self.tables.steps.append(row)
            for kind, value in set(step.operands):
                if kind == "result" and last_use[int(value)] == position and where[int(value)][1] == 0:
                    free.append((where[int(value)][0] - self.registers) // self._register_bytes(block))

    def _is_there(self, where: dict[int, tuple[int, int]], step: Instruction) -> bool:
        kind, value = step.operands[0]
        return kind == "result" and where[int(value)] == (self.places[str(step.target)], self.itemsize)

    def _register_bytes(self, block: int) -> int:
        return aligned(block, self.itemsize) * self.itemsize


def registers_needed(operations: list[Operation], itemsize: int) -> int:
    """Numbers that the registers of the most demanding vector operation take."""
    most = 0
    for operation in operations:
        if isinstance(operation, Vector):
            columns = entries(operation.shape[-1:], 1)
            block = BLOCK_BYTES // itemsize
            block = max(block, columns) if operation.whole_rows else block
            most = max(most, len(operation.program) * aligned(block, itemsize))
    return most


def _last_uses(program: list[Instruction]) -> list[int]:
    last = list(range(len(program)))
    for position, step in enumerate(program):
        for kind, value in step.operands:
            if kind == "result":
                last[int(value)] = position
    return last


def _stored_at_once(program: list[Instruction], position: int) -> str | None:
    """The value whose place a result can be written to right away: it is stored there and its old content is not read."""
    for later in range(position + 1, len(program)):
        step = program[later]
        if step.code == "store" and step.operands[0] == ("result", position):
            name = str(step.target)
            for other, reader in enumerate(program):
                reads = ("memory", name) in reader.operands
                writes = reader.target == name and other != later
                if (reads and other >= position) or (reads and other == position) or (writes and other < later):
                    return None
            return name
    return None
