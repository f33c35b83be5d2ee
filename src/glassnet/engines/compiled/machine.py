"""A training bound to memory: the tables, the numbers they work on, and the calls of the compiled loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from glassnet.engines.base import State
from glassnet.engines.compiled import loop
from glassnet.engines.compiled.addresses import gemm_address
from glassnet.engines.compiled.binding import (
    Binder,
    Memory,
    Tables,
    aligned,
    entries,
    finished,
    plan_places,
    registers_needed,
)
from glassnet.engines.compiled.lowering import Program
from glassnet.engines.compiled.operations import Vector
from glassnet.engines.compiled.programs import HIT, SQUARES, Lowered
from glassnet.engines.threads import blas_threads

MEASURED_AT_ONCE = 4 * 2**20
"""Bytes of values that measuring a chunk of rows may take; at least a batch's rows are measured at once."""
WORTH_THREADS = 4e6
"""Floating-point operations of a matrix product that is worth a second thread."""


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
        whole = batch is None
        self.lags = whole and not derivation.masks and not derivation.buffers
        programs = [lowered.update, lowered.measure, *([lowered.penalty] if lowered.penalty else [])]
        self._update = finished(lowered.update, skip_metric=not self.lags)
        self._measure = finished(lowered.measure, skip_metric=False)
        self._penalty = finished(lowered.penalty, skip_metric=True) if lowered.penalty else []
        takes_x = order != "as they come" or _elementwise_x(self._update)
        self._lay_out(programs, whole, takes_x)
        self._tabulate(whole, takes_x, order, seed)
        self.threads = threads if self._largest_product() >= WORTH_THREADS else 1

    # Memory.

    def _lay_out(self, programs: list[Program], whole: bool, takes_x: bool) -> None:
        itemsize = self.dtype.itemsize
        n, k = self.data.X.shape[1], self.data.Y.shape[1]
        self.measured_rows = self._rows_at_once()
        state = [(name, shape, entries(shape, 0)) for name, shape in self.lowered.state]
        slopes = [(name, shape, entries(shape, 0)) for name, shape in self.lowered.slopes]
        self.state_size = sum(count for *_, count in state)
        slope_size = sum(count for *_, count in slopes)
        rows = max(0 if whole else self.size, self.measured_rows)
        fixed = {name for name, *_ in (*state, *slopes)} | {"X", "Y", "w"}
        areas = [plan_places(self.lowered.update, self._update, fixed, self.size, itemsize)]
        areas.append(plan_places(self.lowered.measure, self._measure, fixed, self.measured_rows, itemsize))
        if self.lowered.penalty:
            areas.append(plan_places(self.lowered.penalty, self._penalty, fixed, 0, itemsize))
        registers = max(registers_needed(o, itemsize) for o in (self._update, self._measure, self._penalty))
        parts = [self.state_size, slope_size, rows * n, rows * k, rows, max(size for _, size in areas), registers]
        starts = np.concatenate([[0], np.cumsum([aligned(p, itemsize) for p in parts])])
        self.memory = Memory(int(starts[-1]), self.dtype)
        base = [self.memory.address + int(s) * itemsize for s in starts]
        self.state_address, self.batch_addresses, self.registers = base[0], base[2:5], base[6]
        self.state_view = self.memory.array[: self.state_size]
        known: dict[str, int] = {}
        self._views: dict[str, tuple[int, int, tuple[int, ...]]] = {}
        for start, values in ((0, state), (int(starts[1]), slopes)):
            for name, shape, count in values:
                known[name] = self.memory.address + start * itemsize
                self._views[name] = (start, start + count, tuple(int(d) for d in shape))
                start += count
        self.places = [
            {**known, **{name: base[5] + place * itemsize for name, place in area.items()}} for area, _ in areas
        ]
        for places, program in zip(self.places, programs, strict=True):
            places.update({region: places[members[0]] for region, members in program.regions.items()})

    def _rows_at_once(self) -> int:
        _, one = plan_places(self.lowered.measure, self._measure, {"X", "Y", "w"}, 64, self.dtype.itemsize)
        bytes_a_row = (one / 64 + self.data.X.shape[1]) * self.dtype.itemsize
        most = max(len(self.checked), len(self.validation) if self.validation else 0)
        return int(min(most, max(self.size if self.size < len(self.data) else 64, MEASURED_AT_ONCE // bytes_a_row, 1)))

    # Tables.

    def _tabulate(self, whole: bool, takes_x: bool, order: str, seed: int) -> None:
        itemsize = self.dtype.itemsize
        tables = Tables()
        slots: list[int] = []
        everything = [self.lowered.update, self.lowered.measure, *([self.lowered.penalty] if self.lowered.penalty else [])]
        for program in everything:
            slots.append(len(tables.slots))
            tables.slots.extend(program.slots)
        batch_x, batch_y, batch_w = self.batch_addresses
        weights = _address(self.data.w)
        if whole:
            data = {"X": _address(self.data.X), "Y": _address(self.data.Y), "w": weights}
        else:
            data = {"X": batch_x if takes_x else _address(self.data.X), "Y": batch_y, "w": batch_w}
        distance = 0 if whole or takes_x else self.data.X.shape[1] * itemsize
        update = Binder(tables, self.lowered.update, {**self.places[0], **data}, self.registers, itemsize, distance, slots[0])
        full = update.write(self._update, self.size)
        last = update.write(self._update, len(self.data) - (self.per_epoch - 1) * self.size)
        chunk = {"X": batch_x, "Y": batch_y, "w": batch_w}
        measuring = Binder(tables, self.lowered.measure, {**self.places[1], **chunk}, self.registers, itemsize, 0, slots[1])
        whole_chunk = measuring.write(self._measure, self.measured_rows)
        rest = measuring.write(self._measure, len(self.checked) % self.measured_rows or self.measured_rows)
        held = (0, 0, 0)
        if self.validation is not None:
            held = measuring.write(self._measure, len(self.validation) % self.measured_rows or self.measured_rows)
        alone = (0, 0, 0)
        if self.lowered.penalty:
            alone = Binder(tables, self.lowered.penalty, self.places[2], self.registers, itemsize, 0, slots[2]).write(self._penalty, 0)
        self.scalars = np.array(tables.slots, dtype=np.float64)
        self.operations = np.array(tables.operations, dtype=np.int64).reshape(-1, loop.WIDTH)
        self.steps = np.array(tables.steps or [[0] * 9], dtype=np.int64)
        self.factors = np.zeros(2, dtype=self.dtype)

        def slot(program: int, name: str) -> int:
            named = everything[program].named_slots
            return slots[program] + named[name] if name in named else -1

        plan = np.zeros(loop.SIZE, dtype=np.int64)
        cost = "L" if slot(0, "L") >= 0 else "J"
        filled = {
            loop.PER_EPOCH: self.per_epoch, loop.ROWS: len(self.data), loop.BATCH: self.size,
            loop.SHUFFLE: {"as they come": 0, "drawn": 1, "given": 2}[order],
            loop.SEED: int(np.uint64(seed).view(np.int64)), loop.ORDER_EPOCH: -1,
            loop.STATE: self.state_address, loop.STATE_SIZE: self.state_size, loop.GEMM_ADDRESS: gemm_address(self.dtype.name),
            loop.FACTORS: self.factors.ctypes.data, loop.ITEMSIZE: itemsize, loop.X: _address(self.data.X),
            loop.Y: _address(self.data.Y), loop.W: weights, loop.BATCH_X: batch_x, loop.BATCH_Y: batch_y, loop.BATCH_W: batch_w,
            loop.FEATURES: self.data.X.shape[1], loop.OUTPUTS: self.data.Y.shape[1], loop.TAKES_X: takes_x, loop.LAGS: self.lags,
            loop.GATHERS: not whole,
            loop.FULL_BEGIN: full[0], loop.FULL_UPDATE: full[1], loop.FULL_END: full[2],
            loop.LAST_BEGIN: last[0], loop.LAST_UPDATE: last[1], loop.LAST_END: last[2],
            loop.SLOT_M: slot(0, "m"), loop.SLOT_ALPHA: slot(0, "alpha"), loop.SLOT_T: slot(0, "t"), loop.SLOT_J: slot(0, "J"),
            loop.SLOT_L: slot(0, cost), loop.SLOT_R: slot(0, "R"), loop.SLOT_SQUARES: slot(0, SQUARES),
            loop.SLOT_METRIC: slot(0, HIT), loop.METRICS: self.metrics, loop.WEIGHTED: self.data.w is not None,
            loop.MEASURE_BEGIN: whole_chunk[0], loop.MEASURE_END: whole_chunk[2],
            loop.MEASURE_LAST: rest[0], loop.MEASURE_LAST_END: rest[2], loop.MEASURE_SIZE: self.measured_rows,
            loop.MEASURE_M: slot(1, "m"), loop.MEASURE_L: slot(1, "L" if slot(1, "L") >= 0 else "J"),
            loop.MEASURE_S: slot(1, "S"), loop.MEASURE_METRIC: slot(1, HIT),
            loop.CHECK_X: _address(self.checked.X), loop.CHECK_Y: _address(self.checked.Y), loop.CHECK_W: _address(self.checked.w),
            loop.CHECK_ROWS: len(self.checked),
            loop.PENALTY_BEGIN: alone[0], loop.PENALTY_END: alone[2],
            loop.PENALTY_R: slot(2, "R") if self.lowered.penalty else -1,
        }  # fmt: skip
        if self.lowered.penalty:
            filled |= {loop.PENALTY_M: slot(2, "m"), loop.PENALTY_S: slot(2, "S")}
        if self.validation is not None:
            filled |= {
                loop.VALID_X: _address(self.validation.X), loop.VALID_Y: _address(self.validation.Y),
                loop.VALID_W: _address(self.validation.w), loop.VALID_ROWS: len(self.validation),
                loop.VALID_LAST: held[0], loop.VALID_LAST_END: held[2],
            }  # fmt: skip
        for place, value in filled.items():
            plan[place] = value
        self.plan = plan
        self.sums = np.zeros(6)
        self.sums[loop.LIMIT] = np.inf
        total = float(len(self.data)) if self.data.w is None else float(self.data.w.sum(dtype=np.float64))
        self.sums[loop.TOTAL_WEIGHT] = self.sums[loop.PENALTY_WEIGHT] = total
        self.totals = np.zeros(2 + self.metrics)
        drawn = len(self.data) if order == "drawn" else 0
        self._numbers = np.empty(drawn, dtype=np.uint64)
        self._order = np.empty(drawn, dtype=np.uint32)
        self._other = np.empty(drawn, dtype=np.uint32)

    def _largest_product(self) -> float:
        gemms = self.operations[self.operations[:, 0] == loop.GEMM]
        return float(max((2.0 * m * n * k for m, n, k in gemms[:, 3:6]), default=0.0))

    # The state.

    def load(self, state: State) -> None:
        """Take a state; training goes on from it."""
        for name, _ in self.lowered.state:
            start, stop, _ = self._views[name]
            self.state_view[start:stop] = state[name].ravel()

    def state(self, flat: np.ndarray | None = None) -> State:
        """The present state, or one that a snapshot holds; arrays of its own, in one piece of memory."""
        held = self.state_view.copy() if flat is None else flat
        return {name: held[slice(*self._views[name][:2])].reshape(self._views[name][2]) for name, _ in self.lowered.state}

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
        return float(self.scalars[self.plan[loop.SLOT_J]])

    # Running.

    def first_guess(self, seconds: float) -> int:
        """About how many updates take so long, before any has been timed."""
        gemms = self.operations[self.operations[:, 0] == loop.GEMM]
        vectors = self.operations[self.operations[:, 0] == loop.VECTOR]
        work = 2.0 * float(gemms[:, 3:6].prod(axis=1).sum()) / 2e10 + float((vectors[:, 1] * vectors[:, 5]).sum()) * 1e-9
        return max(1, int(seconds / (work + len(self.operations) * 1e-7)))

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
        snapshots = np.empty((count, self.state_size), dtype=self.dtype)
        marks = np.empty((count, 3))
        epochs = stop // self.per_epoch - iteration // self.per_epoch
        rows = np.full((epochs, loop.HEAD + 2 * self.metrics), np.nan)
        orders = np.zeros((1, 0), dtype=np.int64) if given is None else given
        with blas_threads(self.threads):
            result = loop.advance(
                plan, self.operations, self.steps, self.scalars, self.factors, alphas, self._numbers, self._order, self._other,
                orders, rows, snapshots, marks, sums, self.totals,
            )  # fmt: skip
        taken = int(plan[loop.SNAPSHOTS])
        kept = [(int(marks[i, 0]), snapshots[i], float(marks[i, 1]), float(marks[i, 2])) for i in range(taken)]
        ended = int(plan[loop.EPOCHS]) - (1 if plan[loop.PENDING] >= 0 else 0)
        exploded = (int(plan[loop.EXPLODED_AT]), float(sums[loop.EXPLODED_COST])) if plan[loop.EXPLODED_AT] >= 0 else None
        return Advance(
            result == loop.FINISHED, int(plan[loop.ITERATION]), rows[:ended], kept, float(sums[loop.COSTS]),
            float(sums[loop.SQUARES]), exploded,
        )  # fmt: skip


def _address(array: np.ndarray | None) -> int:
    return 0 if array is None else int(array.ctypes.data)


def _elementwise_x(operations: list[Any]) -> bool:
    return any(isinstance(o, Vector) and "X" in o.reads for o in operations)
