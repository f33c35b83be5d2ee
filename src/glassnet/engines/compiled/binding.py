"""Programs become tables of numbers: every value gets its place in memory, every operation its sizes and addresses.

The memory is planned before training: the state first and in one piece (a snapshot is one copy), then the slopes in the same
order (an optimiser's update is one pass), then a batch, then the values of a step, which share places when they are not
needed at the same time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from glassnet.engines.compiled import blocks, convolution, loop
from glassnet.engines.compiled.lowering import Program
from glassnet.engines.compiled.narrow import ACTIVATIONS
from glassnet.engines.compiled.operations import (
    Barrier,
    Convolution,
    Gemm,
    Instruction,
    Mask,
    Metric,
    NarrowBackward,
    NarrowForward,
    Operation,
    Pool,
    Scalar,
    Vector,
    Zero,
)
from glassnet.equations.expression import Shape

WORTH_SHARING_PRODUCT = 4e5
"""Floating-point operations of a matrix product that two threads make faster than one (a few microseconds)."""
WORTH_SHARING_STEPS = 24_000
"""Entries times steps of a vector operation, likewise."""
GRAIN = 16
"""Rows of weights that lanes are given together."""
MOST_SUMS = 8
"""Sums of one operation that lanes can share."""
BLOCK_BYTES = 4096
"""Of one register of a vector program: half a dozen of them fit in the first-level cache."""
ALIGNMENT = 64
STEP_WIDTH = 9
CONVOLUTIONS = ("forward", "back", "kernel")
POOLS = ("max", "average", "unpool", "spread")
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
            result.extend(Zero(str(i.target)) for i in operation.program if i.code in ("sum_columns", "sum_channels"))
        result.append(operation)
    return result


@dataclass
class Phases:
    """The operations of an update: before the batch's rows are looked at, for each tile of them, after, and the assignments."""

    before: list[Operation]
    tile: list[Operation]
    after: list[Operation]
    update: list[Operation]


def phases(program: Program, operations: list[Operation], slopes: set[str]) -> tuple[Phases, bool]:
    """The phases, and whether a batch may be taken in tiles: all that is summed over it are numbers and slopes."""
    cut = next((i for i, o in enumerate(operations) if isinstance(o, Barrier)), len(operations))
    result = Phases([], [], [], operations[cut + 1 :])
    summed: set[int] = set()
    fits = True

    def by_row(name: str) -> bool:
        return name in ("X", "Y", "w") or "m" in program.shapes[name]

    for operation in operations[:cut]:
        names = operation.reads | operation.writes
        if any(by_row(n) for n in names):
            result.tile.append(operation)
            summed |= operation.slots_written
            fits = fits and all(by_row(n) or n in slopes for n in operation.writes)
            fits = fits and not (operation.slots_read & summed) and not (operation.reads & slopes - operation.writes)
        elif operation.slots_read & summed:
            result.after.append(operation)
            summed |= operation.slots_written
        elif isinstance(operation, Zero) and operation.target in slopes:
            continue  # all slopes begin with zeros
        else:
            result.before.append(operation)
    return result, fits


def plan_places(
    program: Program, operations: list[Operation], fixed: set[str], rows: int, itemsize: int
) -> tuple[dict[str, int], int]:
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


@dataclass
class Pieces:
    """An operation cut for the lanes.

    Attributes
    ----------
    rows : the table's rows of each lane
    sums : the numbers that every lane adds to
    along : the slopes whose rows the lanes have divided among them
    partial : (where the sum belongs, where each lane has its own, how many numbers), for a product cut along its inner side
    """

    rows: list[list[list[int]]]
    sums: set[int]
    along: str | None = None
    partial: tuple[int, list[int], int] | None = None

    def followed_by(self, other: Pieces) -> Pieces:
        """Both, one after the other in every lane."""
        both = [a + b for a, b in zip(self.rows, other.rows, strict=True)]
        return Pieces(both, self.sums | other.sums, partial=self.partial)


class Binder:
    """Writes one program into the tables for one batch size and one lane.

    Parameters
    ----------
    places : name -> address, of everything in memory
    registers : where the registers of each lane begin; more than one share the large operations
    in_place : byte distance of two rows of X when X is read where the data lie, else 0
    slots : where the program's numbers begin
    room : numbers that the registers of a lane have room for
    adds_to : values to which every product and sum is added (the slopes, when a batch is taken in tiles)
    """

    def __init__(
        self, tables: Tables, program: Program, places: dict[str, int], registers: list[int], itemsize: int, in_place: int,
        slots: int, adds_to: frozenset[str] = frozenset(), room: int = 0,
    ) -> None:  # fmt: skip
        self.tables = tables
        self.program = program
        self.places = places
        self.lanes = registers
        self.registers = registers[0]
        self.itemsize = itemsize
        self.in_place = in_place
        self.slots = slots
        self.adds_to = adds_to
        self.room = room

    def write(self, operations: list[Operation], rows: int) -> tuple[int, int]:
        """The rows of the table that these operations take: (begin, end)."""
        written = [self._row(operation, rows) for operation in operations]
        pieces = [
            self._pieces(o, row, rows) if len(self.lanes) > 1 else None
            for o, row in zip(operations, written, strict=True)
        ]
        table: list[list[int]] = []
        position = 0
        while position < len(written):
            mine = pieces[position]
            if mine is None:
                table.append([*written[position], *[0] * (loop.WIDTH - len(written[position]))])
                position += 1
                continue
            # A product whose rows the next operation takes up lane by lane needs no waiting in between.
            following = pieces[position + 1] if position + 1 < len(pieces) else None
            if following is not None and mine.along is not None and mine.along == following.along:
                mine = mine.followed_by(following)
                position += 1
            head = [0] * loop.WIDTH
            head[loop.SPLIT] = self._write_pieces(mine)
            table.append(head)
            position += 1
        begin = len(self.tables.operations)
        self.tables.operations.extend(table)
        return begin, len(self.tables.operations)

    def _write_pieces(self, pieces: Pieces) -> int:
        heads = []
        for lane, rows in enumerate(pieces.rows):
            begin = len(self.tables.operations)
            self.tables.operations.extend([*row, *[0] * (loop.WIDTH - len(row))] for row in rows)
            sums = [self.slot(s) for s in sorted(pieces.sums)]
            head = [loop.RANGE, begin, len(self.tables.operations), len(sums), *sums]
            head += [0] * (loop.WIDTH - len(head))
            if lane and pieces.partial is not None:
                target, private, count = pieces.partial
                head[loop.PART_TARGET : loop.PART_TARGET + 3] = [target, private[lane], count]
            heads.append(head)
        first = len(self.tables.operations)
        self.tables.operations.extend(heads)
        return first

    # Shared by lanes.

    def _pieces(self, operation: Operation, row: list[int], rows: int) -> Pieces | None:
        """An operation cut into one piece a lane, when that is worth it.

        Weights are cut by their rows everywhere: in the products they stand in, in their slopes and in their update, so that
        each lane has its rows in its own cache.
        """
        if isinstance(operation, Convolution | Pool):
            return self._image_pieces(operation, row, rows)
        if row[0] == loop.GEMM and 2.0 * row[3] * row[4] * row[5] >= WORTH_SHARING_PRODUCT:
            return self._gemm_pieces(operation, row) if isinstance(operation, Gemm) else None
        if not isinstance(operation, Vector) or row[1] * row[5] < WORTH_SHARING_STEPS:
            return None
        summed = any(i.code in ("sum_columns", "sum_channels") for i in operation.program)
        if summed or len(operation.slots_written) > MOST_SUMS:
            return None
        region = self._region(operation)
        if region is not None:
            return self._update_pieces(operation, region, rows)
        if row[1] <= 2 * row[3]:
            return None
        blocks = -(-row[1] // row[3])
        edges = [min(row[1], row[3] * (blocks * lane // len(self.lanes))) for lane in range(len(self.lanes))] + [row[1]]
        made = []
        for lane, (start, stop) in enumerate(pairwise(edges)):
            part = self._vector(operation, rows, self.lanes[lane], start)
            made.append([[part[0], stop - start, *part[2:]]])
        return Pieces(made, operation.slots_written)

    def edges(self, size: int) -> list[int]:
        """Where each lane's rows of a weight matrix begin, and where they end."""
        units = -(-size // GRAIN)
        return [min(size, GRAIN * (units * lane // len(self.lanes))) for lane in range(len(self.lanes))] + [size]

    def _region(self, operation: Vector) -> tuple[str, ...] | None:
        """The parameters that an update's operation walks over; None for another operation."""
        for name in sorted(operation.writes):
            members = self.program.regions.get(name, ())
            if members and not operation.whole_rows and f"d{members[0]}" in self.program.shapes:
                return members
        return None

    def _update_pieces(self, operation: Vector, members: tuple[str, ...], rows: int) -> Pieces | None:
        made: list[list[list[int]]] = [[] for _ in self.lanes]
        start, largest = 0, max(members, key=lambda n: entries(self.program.shapes[n], rows))
        for name in members:
            shape = self.program.shapes[name]
            width = entries(shape[1:], rows)
            edges = (
                self.edges(entries(shape[:1], rows))
                if len(shape) == 2
                else [0] * len(self.lanes) + [width * int(shape[0])]
            )
            for lane, (first, stop) in enumerate(pairwise(edges)):
                if stop > first:
                    part = self._vector(
                        operation, rows, self.lanes[lane], start + first * (width if len(shape) == 2 else 1)
                    )
                    made[lane].append([part[0], (stop - first) * (width if len(shape) == 2 else 1), *part[2:]])
            start += entries(shape, rows)
        return Pieces(made, operation.slots_written, along=f"d{largest}")

    def _gemm_pieces(self, operation: Gemm, row: list[int]) -> Pieces | None:
        m, n, k = row[3:6]
        transposed_a, transposed_b = operation.left_transposed, operation.right_transposed
        way = "rows" if m >= n else "columns"
        slope = "m" not in self.program.shapes[operation.target]
        if slope:
            way = "rows"
        elif transposed_b:
            way = "columns"
        elif 3 * m < k:
            way = "inner"
        size = {"rows": m, "columns": n, "inner": k}[way]
        if size < GRAIN * len(self.lanes):
            return None
        made, private = [], [0] * len(self.lanes)
        for lane, (start, stop) in enumerate(pairwise(self.edges(size))):
            part = list(row)
            if way == "rows":
                part[3] = stop - start
                part[7] += start * self.itemsize * (1 if transposed_a else row[8])
                part[11] += start * self.itemsize * row[12]
            elif way == "columns":
                part[4] = stop - start
                part[9] += start * self.itemsize * (row[15] if transposed_b else 1)
                part[11] += start * self.itemsize
            else:
                part[5] = stop - start
                part[7] += start * self.itemsize * (row[8] if transposed_a else 1)
                part[9] += start * self.itemsize * (1 if transposed_b else row[15])
                if lane:
                    private[lane] = self.lanes[lane]
                    part[11], part[12], part[10] = private[lane], n, self.slot(self.zero)
            made.append([part])
        if way == "inner" and m * n > self.room:
            return None
        partial = (row[11], private, m * n) if way == "inner" else None
        return Pieces(made, set(), along=operation.target if slope and way == "rows" else None, partial=partial)

    def _image_pieces(self, operation: Convolution | Pool, row: list[int], rows: int) -> Pieces | None:
        """A convolution or pool cut by images; each lane's slope by the kernel is its own and added up afterwards."""
        if isinstance(operation, Convolution):
            worth = flops(operation, rows) >= WORTH_SHARING_PRODUCT
        else:
            worth = float(np.prod(operation.size)) * rows >= WORTH_SHARING_STEPS
        if rows < len(self.lanes) or not worth:
            return None
        image, maps = (entries(self.program.shapes[n], 1) * self.itemsize for n in (operation.image, operation.maps))
        slope = isinstance(operation, Convolution) and operation.kind == "kernel"
        count = entries(self.program.shapes[operation.target], 0) if slope else 0
        edges = [rows * lane // len(self.lanes) for lane in range(len(self.lanes) + 1)]
        made, private = [], [0] * len(self.lanes)
        for lane, (start, stop) in enumerate(pairwise(edges)):
            part = list(row)
            part[2] = stop - start
            part[4] += start * image
            if isinstance(operation, Pool):
                part[5] += start * maps
                part[6] += start * image if part[6] else 0
            else:
                part[6] += start * maps
                part[9] = self.lanes[lane]
                if slope and lane:  # the room of a lane has the slope behind what is unfolded
                    private[lane] = part[5] = (
                        self.lanes[lane] + layout_of(operation, self.itemsize).room * self.itemsize
                    )
                    part[8] = 0
            made.append([part])
        return Pieces(made, set(), partial=(row[5], private, count) if slope else None)

    @property
    def zero(self) -> int:
        """The slot of the constant 0."""
        written = {s for o in self.program.operations for s in o.slots_written} | set(self.program.named_slots.values())
        return next(s for s, v in enumerate(self.program.slots) if v == 0.0 and s not in written)

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
                shape = self.program.shapes[operation.target]
                return [
                    loop.MASK, self.places[operation.target], entries(shape, rows), operation.layer, threshold,
                    entries(shape[1:], 0),
                ]  # fmt: skip
            case Convolution():
                return self._convolution(operation, rows)
            case Pool():
                return self._pool(operation, rows)
            case NarrowForward():
                n, units = self._sides(operation.weights)
                _, outputs = self._sides(operation.after)
                return [
                    loop.NARROW_FORWARD, rows, n, units, outputs, ACTIVATIONS[operation.code], self.places["X"], self.in_place,
                    self.places[operation.weights], self.places[operation.bias] if operation.bias else 0,
                    self.places[operation.after], self.places[operation.scores], operation.adds,
                    self.places[operation.activations], self.places[operation.across], self.places[operation.gathered],
                ]  # fmt: skip
            case NarrowBackward():
                n, units = self._sides(operation.slope)
                _, outputs = self._sides(operation.after)
                adds = 1 * (operation.adds_after or operation.slope_after in self.adds_to)
                adds += 2 * (operation.adds or operation.slope in self.adds_to) + 4 * (
                    operation.slope_bias in self.adds_to
                )
                return [
                    loop.NARROW_BACKWARD, rows, n, units, outputs, ACTIVATIONS[operation.code], self.places[operation.after],
                    self.places[operation.from_above], self.places[operation.activations], self.places[operation.across],
                    self.places[operation.room], self.places[operation.slope_after], self.places[operation.slope],
                    self.places[operation.slope_bias] if operation.slope_bias else 0, adds,
                ]  # fmt: skip
            case Metric():
                columns = int(self.program.shapes[operation.output][1])
                w = self.places["w"] if operation.weighted else 0
                return [
                    loop.METRIC, operation.kind, self.places[operation.output], self.places["Y"], w, rows, columns,
                    self.slot(operation.slot),
                ]  # fmt: skip
        raise TypeError(f"{operation} has no row.")

    def _convolution(self, operation: Convolution, rows: int) -> list[int]:
        """A row of the table; the sizes stand in a row of their own before it."""
        adds = operation.adds or operation.target in self.adds_to
        return [
            loop.CONVOLVE, CONVOLUTIONS.index(operation.kind), rows, self._sized(operation), self.places[operation.image],
            self.places[operation.kernel], self.places[operation.maps], self.places[operation.bias] if operation.bias else 0,
            adds, self.registers, self.in_place if operation.image == "X" else 0,
        ]  # fmt: skip

    def _pool(self, operation: Pool, rows: int) -> list[int]:
        return [
            loop.POOL, POOLS.index(operation.kind), rows, self._sized(operation), self.places[operation.image],
            self.places[operation.maps], self.places[operation.source] if operation.source else 0,
            self.in_place if operation.image == "X" else 0, self.in_place if operation.source == "X" else 0,
        ]  # fmt: skip

    def _sized(self, operation: Convolution | Pool) -> int:
        """Where a row of sizes stands in the table of operations; nothing runs it."""
        row = layout_of(operation, self.itemsize).row
        self.tables.operations.append([*row, *[0] * (loop.WIDTH - len(row))])
        return len(self.tables.operations) - 1

    def _sides(self, weights: str) -> tuple[int, int]:
        shape = self.program.shapes[weights]
        return int(shape[0]), int(shape[1])

    def _gemm(self, operation: Gemm, rows: int) -> list[int]:
        def sizes(name: str) -> tuple[int, int]:
            shape = self.program.shapes[name]
            return entries(shape[:1], rows), entries(shape[1:], rows)

        left, right = sizes(operation.left), sizes(operation.right)
        m, n = sizes(operation.target)
        k = left[0] if operation.left_transposed else left[1]
        moves = [self.in_place if name == "X" else 0 for name in (operation.left, operation.right)]
        adds = operation.adds or operation.target in self.adds_to
        a, b, c = (self.places[name] for name in (operation.left, operation.right, operation.target))
        beta = operation.alpha if adds else operation.beta  # 1 or 0
        if n == 1:  # a column of weights, or of slopes
            if operation.left_transposed:
                return [loop.SHARES, k, m, a, b, adds, c, moves[0]]
            return [loop.DOTS, m, k, a, b, adds, c, moves[0]]
        if m == 1 and operation.left_transposed and not operation.right_transposed:
            return [loop.SHARES, k, n, b, a, adds, c, moves[1], moves[0]]
        if k == 1 and not moves[0]:
            return [loop.OUTER, m, n, a, b, adds, c]
        return [
            loop.GEMM, loop.gemm_flags(operation.left_transposed), loop.gemm_flags(operation.right_transposed), m, n, k,
            self.slot(operation.alpha), a, left[1], b, self.slot(beta), c, n, *moves, right[1],
        ]  # fmt: skip

    def _vector(self, operation: Vector, rows: int, registers: int | None = None, start: int = 0) -> list[int]:
        total = entries(operation.shape, rows)
        columns = columns_of(operation)
        block = BLOCK_BYTES // self.itemsize
        if operation.whole_rows:
            block = max(1, block // columns) * columns
        else:
            columns = 1
        first = len(self.tables.steps)
        self._steps(operation, block, registers or self.registers, start, start // columns)
        return [loop.VECTOR, total, columns, block, first, len(self.tables.steps) - first]

    def _steps(self, operation: Vector, block: int, registers: int, start: int, start_row: int) -> None:
        """The steps, for the part that begins at this entry."""
        program = operation.program
        last_use = _last_uses(program)
        where: dict[int, tuple[int, int]] = {}
        free: list[int] = []
        used = 0

        def address(operand: tuple[str, int | str]) -> tuple[int, int]:
            kind, value = operand
            return (
                where[int(value)]
                if kind == "result"
                else (self.places[str(value)] + start * self.itemsize, self.itemsize)
            )

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
                if step.code in ("scaled_sum", "descend"):
                    row[8] = numbers[1]
            if step.code == "tile":
                row[3:5] = [self.places[str(step.operands[0][1])], 0]
            elif step.code in ("channels", "sum_channels"):
                channels = int(operation.shape[1])
                row[7:9] = [channels, start_row % channels]
                if step.code == "channels":
                    row[3:5] = [self.places[str(step.operands[0][1])], 0]
            elif step.code == "add_row":
                row[5:7] = [self.places[str(step.operands[1][1])], 0]
            elif step.code == "spread":
                row[3] = self.places[str(step.operands[0][1])] + start_row * self.itemsize
            if step.target is not None:
                offset = {"sum_columns": 0, "sum_channels": 0, "sum_rows": start_row}.get(step.code, start)
                moves = 0 if step.code in ("sum_columns", "sum_channels") else self.itemsize
                row[1:3] = [self.places[step.target] + offset * self.itemsize, moves]
            elif step.code not in ("sum_all", "sum_squares"):
                direct = _stored_at_once(program, position)
                if direct is not None:
                    where[position] = (self.places[direct] + start * self.itemsize, self.itemsize)
                else:
                    if not free:
                        free.append(used)
                        used += 1
                    register = free.pop()
                    where[position] = (registers + register * self._register_bytes(block), 0)
                row[1:3] = where[position]
            there = (
                (self.places[str(step.target)] + start * self.itemsize, self.itemsize) if step.code == "store" else None
            )
            if there is None or step.operands[0][0] != "result" or where[int(step.operands[0][1])] != there:
                self.tables.steps.append(row)
            for kind, value in set(step.operands):
                if kind == "result" and last_use[int(value)] == position and where[int(value)][1] == 0:
                    free.append((where[int(value)][0] - registers) // self._register_bytes(block))

    def _register_bytes(self, block: int) -> int:
        return aligned(block, self.itemsize) * self.itemsize


def registers_needed(operations: list[Operation], itemsize: int) -> int:
    """Numbers that the registers of the most demanding vector operation take."""
    most = 0
    for operation in operations:
        if isinstance(operation, Vector):
            columns = columns_of(operation)
            block = BLOCK_BYTES // itemsize
            block = max(block, columns) if operation.whole_rows else block
            most = max(most, len(operation.program) * aligned(block, itemsize))
        elif isinstance(operation, Convolution):
            most = max(most, layout_of(operation, itemsize).room + aligned(_slope(operation), itemsize))
    return most


def columns_of(operation: Vector) -> int:
    """Numbers of a row: of a map, where the entries are those of maps."""
    return entries(operation.shape[2:] if len(operation.shape) == 4 else operation.shape[-1:], 1)


def layout_of(operation: Convolution | Pool, itemsize: int) -> convolution.Layout:
    """The sizes of a convolution or a pool."""
    filters = operation.filters if isinstance(operation, Convolution) else operation.size[0]
    return convolution.layout(operation.window, operation.size, filters, itemsize)


def _slope(operation: Convolution) -> int:
    """Numbers of the kernels, of which each thread may have a slope of its own."""
    return operation.size[0] * operation.window.kernel[0] * operation.window.kernel[1] * operation.filters


def flops(operation: Convolution, rows: int) -> float:
    """Floating-point operations of a convolution of so many images."""
    high, wide = operation.window.positions(operation.size[1:])
    return 2.0 * rows * _slope(operation) * high * wide


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
