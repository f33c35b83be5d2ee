"""A training bound to memory: the tables, the numbers they work on, and the calls of the compiled loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from glassnet.engines.base import State
from glassnet.engines.compiled import convolution, loop
from glassnet.engines.compiled.addresses import gemm_address, yield_address
from glassnet.engines.compiled.binding import (
    ALIGNMENT,
    Binder,
    Memory,
    Phases,
    Tables,
    aligned,
    entries,
    finished,
    flops,
    phases,
    plan_places,
    registers_needed,
)
from glassnet.engines.compiled.operations import Barrier, Convolution, Gemm, NarrowForward, Vector
from glassnet.engines.compiled.programs import HIT, SQUARES, Lowered
from glassnet.engines.compiled.thin import ROWS_TOGETHER
from glassnet.engines.threads import blas_alone, elsewhere, helper_threads, present_core

MEASURED_AT_ONCE = 4 * 2**20
"""Bytes of values that measuring a chunk of rows may take; at least a batch's rows are measured at once."""
WORTH_THREADS = 5_000.0
"""Nanoseconds of an update on one thread that are worth a second one."""
FLOPS_A_NANOSECOND, BYTES_A_NANOSECOND = 100.0, 20.0
"""What one thread of today's processors does, roughly; only the choice of the way depends on them."""
GATHERING = 0.1
"""Lanes that take tiles of a batch each have slopes of their own; adding them up may take so much of an update."""
TILE_BYTES = 8 * 2**20
"""Of the values of a tile: they stay in the last cache. Smaller tiles were slower: products of few rows read the weights too
often (65,536 × 28 → 256 → 256 → 2: 3.1 ms at half a megabyte, 2.4 ms at eight)."""
THIN_TILE_BYTES = 512 * 1024
"""The same, where no product has to read weights: the second look at a row finds it in the core's own cache."""
IMAGE_TILE_BYTES = 512 * 1024
"""The same, where most of the time goes to convolutions: an image's maps are read again while they are in the core's cache."""
SMALLEST_IMAGE_TILE = 2
SMALLEST_TILE = 8
"""Rows of a tile, however long they are."""
ONE_PIECE = 2**17
"""Bytes of snapshots that are taken as one piece of memory, of which a few may be kept."""


@dataclass(frozen=True)
class Rows:
    """Data as the machine reads them: C-contiguous arrays of its type."""

    X: np.ndarray
    Y: np.ndarray
    w: np.ndarray | None

    def __len__(self) -> int:
        return len(self.X)


@dataclass
class Advance:
    """What a call of the loop did.

    Attributes
    ----------
    finite : False when the cost of the update after `iteration` is not finite
    rows : one row an epoch that ended: cost, Σ J·m, Σ ‖dθ‖², α, penalty, held-out cost, metrics
    snapshots : (iteration, state, costs and squares gathered within its epoch)
    exploded : (iteration, cost) of the first update whose cost passed the limit
    """

    finite: bool
    iteration: int
    rows: np.ndarray
    snapshots: list[tuple[int, np.ndarray, float, float]]
    costs: float
    squares: float
    exploded: tuple[int, float] | None


class Machine:
    """One derivation, ready to train on these data.

    Parameters
    ----------
    lowered : the operations
    data : the training rows
    batch : rows of an update; None takes all of them, where they lie
    order : "as they come", "drawn" (by seed and epoch) or "given" (passed to `advance`)
    checked : the rows on which cost and metric are measured after an epoch
    validation : held-out rows, or None
    threads : at most so many
    """

    def __init__(
        self, lowered: Lowered, dtype: str, data: Rows, batch: int | None, order: str, seed: int,
        checked: Rows, validation: Rows | None, metrics: int, threads: int,
    ) -> None:  # fmt: skip
        self.lowered = lowered
        self.dtype = np.dtype(dtype)
        self.data, self.checked, self.validation = data, checked, validation
        self.metrics = metrics
        derivation = lowered.derivation
        self.size = len(data) if batch is None else min(batch, len(data))
        self.per_epoch = -(-len(data) // self.size)
        self.last_size = len(data) - (self.per_epoch - 1) * self.size
        self.whole = batch is None
        self.lags = self.whole and len(checked) == len(data) and not derivation.masks and not derivation.buffers
        update = finished(lowered.update, skip_metric=not self.lags)
        self._measure = finished(lowered.measure, skip_metric=False)
        self._penalty = finished(lowered.penalty, skip_metric=True) if lowered.penalty else []
        self._phases, fits = phases(lowered.update, update, {name for name, _ in lowered.slopes})
        self._update = update
        self.takes_x = order != "as they come" or _elementwise_x(update)
        self._choose(fits, max(1, threads))
        self._lay_out()
        self._tabulate(order, seed)

    # How.

    def _choose(self, fits: bool, threads: int) -> None:
        """How many lanes, and whether a batch is taken in tiles."""
        nanoseconds = self._work()
        slopes = sum(entries(shape, 0) for _, shape in self.lowered.slopes) * self.dtype.itemsize
        gathering = 3 * slopes / BYTES_A_NANOSECOND
        self.lanes = threads if nanoseconds >= WORTH_THREADS else 1
        row_bytes = self._row_bytes()
        products = any(isinstance(o, Gemm) and not self._thin(o) for o in self._phases.tile)
        images = any(isinstance(o, Convolution) for o in self._phases.tile)
        wanted = IMAGE_TILE_BYTES if images else TILE_BYTES if products else THIN_TILE_BYTES
        smallest = SMALLEST_IMAGE_TILE if images else SMALLEST_TILE
        self.tile = max(smallest, int(wanted // row_bytes))
        pays = gathering < GATHERING * nanoseconds / self.lanes
        self.tiled = fits and pays and (self.lanes > 1 or self.size > self.tile)
        if self.tiled:
            self.lanes = min(self.lanes, max(1, self.size // smallest))
        else:
            self._phases = self._in_one_piece()

    def _in_one_piece(self) -> Phases:
        """A batch as a whole: what the cost needs, then all the rest."""
        named = self.lowered.update.named_slots
        looked_at = {named[n] for n in ("J", "L", "R", HIT) if n in named}
        cut = 1 + max(i for i, o in enumerate(self._update) if o.slots_written & looked_at)
        rest = [o for o in self._update[cut:] if not isinstance(o, Barrier)]
        return Phases([o for o in self._update[:cut] if not isinstance(o, Barrier)], [], [], rest)

    def _thin(self, product: Gemm) -> bool:
        """Whether a product has a side of one."""
        sides = (*self.lowered.update.shapes[product.left], *self.lowered.update.shapes[product.right])
        return 1 in sides

    def _work(self) -> float:
        """About how many nanoseconds an update takes on one thread."""
        total = 0.0
        for operation in self._update:
            if isinstance(operation, Gemm):
                program = self.lowered.update
                m, n = (entries(program.shapes[operation.target][i : i + 1], self.size) for i in (0, 1))
                left = program.shapes[operation.left]
                k = entries(left, self.size) // (n if m * n == 0 else m)
                total += 2.0 * m * n * k / (FLOPS_A_NANOSECOND if min(m, n, k) > 1 else FLOPS_A_NANOSECOND / 8)
            elif isinstance(operation, Convolution):
                total += flops(operation, self.size) / (FLOPS_A_NANOSECOND / 4)
            elif isinstance(operation, NarrowForward):
                total += 0.4 * entries(self.lowered.update.shapes[operation.activations], self.size)
            elif isinstance(operation, Vector):
                total += 0.1 * entries(operation.shape, self.size) * len(operation.program)
        return total

    def _row_bytes(self) -> float:
        names = {n for o in self._phases.tile for n in o.reads | o.writes}
        widths = [entries(self.lowered.update.shapes[n], 1) for n in names if "m" in self.lowered.update.shapes[n]]
        return max(1.0, float(sum(widths)) * self.dtype.itemsize)

    # Memory.

    def _lay_out(self) -> None:
        itemsize = self.dtype.itemsize
        n, k = self.data.X.shape[1], self.data.Y.shape[1]
        self.measured_rows = self._rows_at_once()
        self.lane_rows = np.array([self.size * lane // self.lanes for lane in range(self.lanes + 1)])
        self.tile_rows = self.size
        if self.tiled:
            share = int(np.diff(self.lane_rows).max())
            even = -(-share // -(-share // self.tile))
            self.tile_rows = min(share, -(-even // ROWS_TOGETHER) * ROWS_TOGETHER)
        state = [(name, shape, entries(shape, 0)) for name, shape in self.lowered.state]
        slopes = [(name, shape, entries(shape, 0)) for name, shape in self.lowered.slopes]
        self.state_size = sum(count for *_, count in state)
        self.slope_size = sum(count for *_, count in slopes)
        fixed = {name for name, *_ in (*state, *slopes)} | {"X", "Y", "w"}
        in_step = self._phases.tile if self.tiled else self._update
        areas = [plan_places(self.lowered.update, in_step, fixed, self.tile_rows, itemsize)]
        areas.append(plan_places(self.lowered.measure, self._measure, fixed, self.measured_rows, itemsize))
        if self.lowered.penalty:
            areas.append(plan_places(self.lowered.penalty, self._penalty, fixed, 0, itemsize))
        registers = max(registers_needed(o, itemsize) for o in (self._update, self._measure, self._penalty))
        self._room = registers
        bring = self.tile_rows if self.tiled or not self.whole else 0
        parts: list[int] = [self.state_size]
        for lane in range(self.lanes):
            rows = max(bring, self.measured_rows) if lane == 0 else bring if self.tiled else 0
            width = n if self.takes_x or lane == 0 else 0
            values = max(size for _, size in areas) if lane == 0 else areas[0][1] if self.tiled else 0
            parts += [
                self.slope_size if lane == 0 or self.tiled else 0,
                rows * width,
                rows * k,
                rows,
                values,
                registers,
            ]
        starts = np.concatenate([[0], np.cumsum([aligned(p, itemsize) for p in parts])])
        self.memory = Memory(int(starts[-1]), self.dtype)
        base = [self.memory.address + int(s) * itemsize for s in starts]
        self.state_address = base[0]
        self.areas = [base[1 + 6 * lane : 7 + 6 * lane] for lane in range(self.lanes)]
        self.state_view = self.memory.array[: self.state_size]
        self._views: dict[str, tuple[int, int, tuple[int, ...]]] = {}
        for start, values_in_it in ((0, state), (int(starts[1]), slopes)):
            for name, shape, count in values_in_it:
                self._views[name] = (start, start + count, tuple(int(d) for d in shape))
                start += count
        self.layout = [(name, *self._views[name]) for name, _ in self.lowered.state]
        self._areas = [area for area, _ in areas]

    def places(self, program: int, lane: int) -> dict[str, int]:
        """Where each value of a program (0 update, 1 measure, 2 penalty) lies in a lane."""
        itemsize = self.dtype.itemsize
        lowered = (self.lowered.update, self.lowered.measure, self.lowered.penalty)[program]
        found = {name: self.memory.address + start * itemsize for name, (start, _, _) in self._views.items()}
        if lane:
            moved = self.areas[lane][0] - self.areas[0][0]
            found |= {name: found[name] + moved for name, _ in self.lowered.slopes}
        found |= {name: self.areas[lane][4] + place * itemsize for name, place in self._areas[program].items()}
        if lowered is not None:
            found |= {region: found[members[0]] for region, members in lowered.regions.items()}
        return found

    def _rows_at_once(self) -> int:
        _, one = plan_places(self.lowered.measure, self._measure, {"X", "Y", "w"}, 64, self.dtype.itemsize)
        bytes_a_row = (one / 64 + self.data.X.shape[1]) * self.dtype.itemsize
        most = max(len(self.checked), len(self.validation) if self.validation else 0)
        return int(min(most, max(self.size if self.size < len(self.data) else 64, MEASURED_AT_ONCE // bytes_a_row, 1)))

    # Tables.

    def _tabulate(self, order: str, seed: int) -> None:
        itemsize = self.dtype.itemsize
        self._tables = Tables()
        self._slots: list[int] = []
        everything = [
            self.lowered.update,
            self.lowered.measure,
            *([self.lowered.penalty] if self.lowered.penalty else []),
        ]
        for program in everything:
            self._slots.append(len(self._tables.slots))
            self._tables.slots.extend(program.slots)
        # In a row of the table, 0 says that no part of an operation stands elsewhere.
        self._tables.operations.append([0] * loop.WIDTH)
        self.ranges = np.zeros((2, 6), dtype=np.int64)
        self.lane_table = np.zeros((2, self.lanes, loop.LANE_SIZE), dtype=np.int64)
        for variant, size in enumerate((self.size, self.last_size)):
            self._bind_update(variant, size)
        batch = dict(zip(("X", "Y", "w"), self.areas[0][1:4], strict=True))
        registers = [self.areas[0][5]]
        measuring = Binder(
            self._tables, self.lowered.measure, {**self.places(1, 0), **batch}, [area[5] for area in self.areas], itemsize, 0,
            self._slots[1], room=self._room,
        )  # fmt: skip
        chunk = measuring.write(self._measure, self.measured_rows)
        rest = measuring.write(self._measure, len(self.checked) % self.measured_rows or self.measured_rows)
        held = alone = (0, 0)
        if self.validation is not None:
            held = measuring.write(self._measure, len(self.validation) % self.measured_rows or self.measured_rows)
        if self.lowered.penalty:
            binder = Binder(
                self._tables, self.lowered.penalty, self.places(2, 0), registers, itemsize, 0, self._slots[2]
            )
            alone = binder.write(self._penalty, 0)
        self.operations = np.array(self._tables.operations, dtype=np.int64)
        self.steps = np.array(self._tables.steps or [[0] * 9], dtype=np.int64)
        count = len(self._tables.slots)
        self.scalars = lanes_apart(self.lanes, count, np.float64)
        self.scalars[:, :count] = self._tables.slots
        self.factors = lanes_apart(self.lanes, 2, self.dtype)
        self.mail = lanes_apart(self.lanes, loop.MAIL, np.int64)
        summed = {s for o in self._phases.tile for s in o.slots_written}
        self.sums_at = np.array(sorted(self._slots[0] + s for s in summed), dtype=np.int64)

        def slot(program: int, name: str) -> int:
            named = everything[program].named_slots
            return self._slots[program] + named[name] if name in named else -1

        plan = np.zeros(loop.SIZE, dtype=np.int64)
        cost = "L" if slot(0, "L") >= 0 else "J"
        filled = {
            loop.PER_EPOCH: self.per_epoch, loop.ROWS: len(self.data), loop.BATCH: self.size,
            loop.SHUFFLE: {"as they come": 0, "drawn": 1, "given": 2}[order],
            loop.SEED: int(np.uint64(seed).view(np.int64)), loop.ORDER_EPOCH: -1,
            loop.STATE: self.state_address, loop.STATE_SIZE: self.state_size, loop.GEMM_ADDRESS: gemm_address(self.dtype.name),
            loop.YIELD_ADDRESS: yield_address(), loop.FACTORS: self.factors.ctypes.data, loop.ITEMSIZE: itemsize,
            loop.X: _address(self.data.X), loop.Y: _address(self.data.Y), loop.W: _address(self.data.w),
            loop.BATCH_X: batch["X"], loop.BATCH_Y: batch["Y"], loop.BATCH_W: batch["w"],
            loop.FEATURES: self.data.X.shape[1], loop.OUTPUTS: self.data.Y.shape[1], loop.TAKES_X: self.takes_x,
            loop.GATHERS: not self.whole, loop.TILED: self.tiled, loop.LAGS: self.lags, loop.LANES: self.lanes,
            loop.SLOPE_SIZE: self.slope_size,
            loop.SLOT_M: slot(0, "m"), loop.SLOT_ALPHA: slot(0, "alpha"), loop.SLOT_T: slot(0, "t"), loop.SLOT_J: slot(0, "J"),
            loop.SLOT_L: slot(0, cost), loop.SLOT_R: slot(0, "R"), loop.SLOT_SQUARES: slot(0, SQUARES),
            loop.SLOT_METRIC: slot(0, HIT), loop.METRICS: self.metrics, loop.WEIGHTED: self.data.w is not None,
            loop.MEASURE_BEGIN: chunk[0], loop.MEASURE_END: chunk[1],
            loop.MEASURE_LAST: rest[0], loop.MEASURE_LAST_END: rest[1],
            loop.MEASURE_SIZE: self.measured_rows,
            loop.MEASURE_M: slot(1, "m"), loop.MEASURE_L: slot(1, "L" if slot(1, "L") >= 0 else "J"),
            loop.MEASURE_S: slot(1, "S"), loop.MEASURE_METRIC: slot(1, HIT),
            loop.CHECK_X: _address(self.checked.X), loop.CHECK_Y: _address(self.checked.Y),
            loop.CHECK_W: _address(self.checked.w),
            loop.CHECK_ROWS: len(self.checked),
            loop.PENALTY_BEGIN: alone[0], loop.PENALTY_END: alone[1],
            loop.PENALTY_R: slot(2, "R") if self.lowered.penalty else -1,
        }  # fmt: skip
        if self.lowered.penalty:
            filled |= {loop.PENALTY_M: slot(2, "m"), loop.PENALTY_S: slot(2, "S")}
        if self.validation is not None:
            filled |= {
                loop.VALID_X: _address(self.validation.X), loop.VALID_Y: _address(self.validation.Y),
                loop.VALID_W: _address(self.validation.w), loop.VALID_ROWS: len(self.validation),
                loop.VALID_LAST: held[0], loop.VALID_LAST_END: held[1],
            }  # fmt: skip
        for place, value in filled.items():
            plan[place] = value
        self.plan = plan
        self.sums = np.zeros(5)
        self.sums[loop.LIMIT] = np.inf
        weight = float(len(self.data)) if self.data.w is None else float(self.data.w.sum(dtype=np.float64))
        self.sums[loop.TOTAL_WEIGHT] = weight
        self.totals = np.zeros(2 + self.metrics)
        drawn = len(self.data) if order == "drawn" else 0
        self._numbers = np.empty(drawn, dtype=np.uint64)
        self._order = np.empty(drawn, dtype=np.uint32)
        self._other = np.empty(drawn, dtype=np.uint32)

    def _bind_update(self, variant: int, size: int) -> None:
        """The operations of an update of a full batch (variant 0) or an epoch's last one (1)."""
        itemsize = self.dtype.itemsize
        registers = [area[5] for area in self.areas]
        data = {"X": _address(self.data.X), "Y": _address(self.data.Y), "w": _address(self.data.w)}
        distance = self.data.X.shape[1] * itemsize

        def binder(lane: int, shared: bool) -> Binder:
            mine = dict(data)
            if self.tiled or not self.whole:
                mine |= dict(zip(("X", "Y", "w"), self.areas[lane][1:4], strict=True))
            if not self.takes_x:
                mine["X"] = data["X"]
            moves = distance if not self.takes_x and (self.tiled or not self.whole) else 0
            adds_to = frozenset(name for name, _ in self.lowered.slopes) if self.tiled else frozenset()
            return Binder(
                self._tables, self.lowered.update, {**self.places(0, lane), **mine}, registers if shared else registers[lane:],
                itemsize, moves, self._slots[0], adds_to, self._room,
            )  # fmt: skip

        main, ranges = binder(0, True), self.ranges[variant]
        columns = main.edges(self.data.X.shape[1])
        for lane in range(self.lanes):
            self.lane_table[variant, lane, loop.LANE_FIRST_COLUMN : loop.LANE_LAST_COLUMN + 1] = columns[
                lane : lane + 2
            ]
        if not self.tiled:
            ranges[loop.PRE], ranges[loop.PRE_END] = main.write(self._phases.before, size)
            ranges[loop.UPDATE], ranges[loop.UPDATE_END] = main.write(self._phases.update, size)
            return
        ranges[loop.PRE] = len(self._tables.operations)
        self._tables.operations.append([loop.ZERO, self.areas[0][0], self.slope_size, *[0] * (loop.WIDTH - 3)])
        ranges[loop.PRE_END] = main.write(self._phases.before, size)[1]
        ranges[loop.POST], ranges[loop.POST_END] = main.write(self._phases.after, size)
        ranges[loop.UPDATE], ranges[loop.UPDATE_END] = main.write(self._phases.update, size)
        edges = [size * lane // self.lanes for lane in range(self.lanes + 1)]
        for lane in range(self.lanes):
            alone = binder(lane, False)
            alone.lanes = alone.lanes[:1]
            rows = edges[lane + 1] - edges[lane]
            tile = min(self.tile_rows, rows) or 1
            full = alone.write(self._phases.tile, tile)
            last = alone.write(self._phases.tile, rows % tile or tile)
            x, y, w = self.areas[lane][1:4]
            self.lane_table[variant, lane, : loop.LANE_FIRST_COLUMN] = [
                edges[lane], edges[lane + 1], tile, *full, *last, x, y, w, self.areas[lane][0],
            ]  # fmt: skip

    # The state.

    def load(self, state: State) -> None:
        """Take a state; training goes on from it."""
        for name, _ in self.lowered.state:
            start, stop, _ = self._views[name]
            self.state_view[start:stop] = state[name].ravel()

    def state(self, flat: np.ndarray | None = None) -> State:
        """The present state, or one that a snapshot holds; arrays of its own, in one piece of memory."""
        return unpacked(self.state_view.copy() if flat is None else flat, self.layout)

    def slopes(self) -> dict[str, np.ndarray]:
        """The gradients of the last update, by name."""
        found = {}
        for name, _ in self.lowered.slopes:
            start, stop, shape = self._views[name]
            found[name] = self.memory.array[start:stop].reshape(shape).copy()
        return found

    @property
    def cost(self) -> float:
        """J of the last update, before it."""
        return float(self.scalars[0, self.plan[loop.SLOT_J]])

    # Running.

    def first_guess(self, seconds: float) -> int:
        """About how many updates take so long, before any has been timed."""
        gemms = self.operations[self.operations[:, 0] == loop.GEMM]
        vectors = self.operations[self.operations[:, 0] == loop.VECTOR]
        images = self.operations[self.operations[:, 0] == loop.CONVOLVE]
        sized = self.operations[images[:, 3]].astype(np.float64)
        unfolded = sized[
            :, [convolution.C, convolution.KH, convolution.KW, convolution.F, convolution.OH, convolution.OW]
        ]
        convolved = 2.0 * float((images[:, 2] * unfolded.prod(axis=1)).sum())
        work = (
            convolved / 1e10
            + 2.0 * float(gemms[:, 3:6].prod(axis=1).sum()) / 2e10
            + float((vectors[:, 1] * vectors[:, 5]).sum()) * 1e-9
        )
        return max(1, int(seconds / (work + len(self.operations) * 1e-7)))

    def _room_for(self, count: int) -> tuple[Sequence[np.ndarray], np.ndarray]:
        """Where so many snapshots are put, and the addresses."""
        if count * self.state_size * self.dtype.itemsize <= ONE_PIECE:
            block = np.empty((count, self.state_size), dtype=self.dtype)
            return list(block), _address(block) + block.strides[0] * np.arange(count)
        # Each by itself: one that is let go frees its memory.
        states = [np.empty(self.state_size, dtype=self.dtype) for _ in range(count)]
        return states, np.array([_address(state) for state in states], dtype=np.int64)

    def measured(self) -> np.ndarray:
        """The row of the history that the present state has: cost, penalty, held-out cost and metrics."""
        rows: np.ndarray = np.full((1, loop.HEAD + 2 * self.metrics), np.nan)
        lags, self.plan[loop.LAGS] = self.plan[loop.LAGS], 0
        self.plan[loop.ONLY_MEASURES] = 1
        try:
            nothing = np.zeros(0, dtype=np.int64)
            self._launch(np.zeros(0), np.zeros((1, 1), dtype=np.int64), rows, nothing, np.empty((0, 3)))
        finally:
            self.plan[loop.ONLY_MEASURES], self.plan[loop.LAGS] = 0, lags
        return np.asarray(rows[0])

    def _launch(
        self, alphas: np.ndarray, orders: np.ndarray, rows: np.ndarray, snapshots: np.ndarray, marks: np.ndarray
    ) -> int:
        """One call of the compiled loop, with its helpers in the other lanes."""
        self.mail[:] = 0
        tables = loop.Tables(
            self.plan, self.operations, self.steps, self.ranges, self.scalars, self.factors, self.lane_table, self.sums_at,
            self.mail, self._order, orders,
        )  # fmt: skip
        arguments = (tables, alphas, self._numbers, self._other, rows, snapshots, marks, self.sums, self.totals)
        with blas_alone():
            submit: Any = helper_threads(self.lanes).submit
            here = present_core() if self.lanes > 1 else -1
            helpers = [submit(_help, here, lane, arguments) for lane in range(1, self.lanes)]
            try:
                return int(loop.advance(0, *arguments))
            finally:
                self.mail[1:, loop.POSTED] = -1
                for helper in helpers:
                    if not helper.cancel():
                        helper.result()

    def advance(
        self, iteration: int, alphas: np.ndarray, *, stride: int = 0, costs: float = 0.0, squares: float = 0.0,
        limit: float = np.inf, given: np.ndarray | None = None, first_given: int = 0, quiet: bool = False,
    ) -> Advance:  # fmt: skip
        """As many updates as there are learning rates, from after `iteration` earlier ones.

        Parameters
        ----------
        stride : a snapshot at every multiple of so many iterations; 0 takes none
        costs, squares : what has gathered within the epoch
        limit : the cost above which `exploded` says so
        given, first_given : orders of the rows, an epoch a line, and the epoch of the first
        quiet : nothing is measured after an epoch
        """
        stop = iteration + len(alphas)
        plan, sums = self.plan, self.sums
        plan[loop.ITERATION], plan[loop.FIRST], plan[loop.STOP] = iteration, iteration, stop
        plan[loop.QUIET] = quiet
        plan[loop.STRIDE], plan[loop.GIVEN], plan[loop.EXPLODED_AT] = stride, first_given, -1
        sums[loop.COSTS], sums[loop.SQUARES], sums[loop.LIMIT] = costs, squares, limit
        count = stop // stride - iteration // stride if stride else 0
        states, snapshots = self._room_for(count)
        marks = np.empty((count, 3))
        epochs = stop // self.per_epoch - iteration // self.per_epoch
        rows = np.full((epochs, loop.HEAD + 2 * self.metrics), np.nan)
        orders = np.zeros((1, 1), dtype=np.int64) if given is None else given
        result = self._launch(alphas, orders, rows, snapshots, marks)
        taken = int(plan[loop.SNAPSHOTS])
        kept = [(int(marks[i, 0]), states[i], float(marks[i, 1]), float(marks[i, 2])) for i in range(taken)]
        ended = int(plan[loop.EPOCHS]) - (1 if plan[loop.PENDING] >= 0 else 0)
        exploded = (
            (int(plan[loop.EXPLODED_AT]), float(sums[loop.EXPLODED_COST])) if plan[loop.EXPLODED_AT] >= 0 else None
        )
        return Advance(
            result == loop.FINISHED, int(plan[loop.ITERATION]), rows[:ended], kept, float(sums[loop.COSTS]),
            float(sums[loop.SQUARES]), exploded,
        )  # fmt: skip


def unpacked(flat: np.ndarray, layout: list[tuple[str, int, int, tuple[int, ...]]]) -> State:
    """A state's arrays by name, as views of the one piece of memory they lie in."""
    return {name: flat[start:stop].reshape(shape) for name, start, stop, shape in layout}


def _help(core: int, lane: int, arguments: tuple[Any, ...]) -> None:
    """A lane's thread: on another core than the one that asks, as long as the loop runs."""
    elsewhere(core)
    loop.advance(lane, *arguments)


def lanes_apart(lanes: int, count: int, dtype: Any) -> np.ndarray:
    """Zeros, a row a lane, no two of them on neighbouring cache lines: else threads would wait for each other's writes."""
    size = np.dtype(dtype).itemsize
    width = aligned(count, size) + 2 * ALIGNMENT // size
    return Memory(lanes * width, np.dtype(dtype)).array.reshape(lanes, width)


def _address(array: np.ndarray | None) -> int:
    return 0 if array is None else int(array.ctypes.data)


def _elementwise_x(operations: list[Any]) -> bool:
    return any(isinstance(o, Vector) and "X" in o.reads for o in operations)
