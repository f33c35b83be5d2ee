"""The programs of one derivation: an update, the measuring of a state, and the penalty alone."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from glassnet.engines.compiled.lowering import Lowering, Program, grouped
from glassnet.engines.compiled.operations import Barrier, Mask, Metric, Scalar
from glassnet.engines.compiled.rewrites import rewrite
from glassnet.equations.derive import Derivation
from glassnet.equations.expression import Expression, Shape, Sum, Symbol, replace

SQUARES = "gradient_square"
HIT = "metric"


@dataclass
class Lowered:
    """A derivation as operations: `print(derivation.lowered())`.

    Attributes
    ----------
    update : forward, cost, backward and the optimiser's assignments
    measure : cost and metric as when predicting
    penalty : R alone, or None
    state : what a training remembers from update to update, in the order in which it lies in memory
    slopes : the gradients, in the same order as the parameters they belong to
    """

    derivation: Derivation
    update: Program
    measure: Program
    penalty: Program | None
    state: tuple[tuple[str, Shape], ...]
    slopes: tuple[tuple[str, Shape], ...]

    def __str__(self) -> str:
        lines = [f"# {e}" for e in self.derivation.equations]
        return "\n".join(["The equations", *lines, "", "An update, as operations", str(self.update)])


def lower(derivation: Derivation, metric: tuple[int, int], leave_out: Collection[str] = ()) -> Lowered:
    """The operations of a derivation.

    Parameters
    ----------
    metric : the kind that `loop._metric` knows, and how many numbers it gives
    leave_out : names of rewrites that are not made
    """
    groups = grouped(derivation.update, [p.name for p in derivation.parameters], [s.name for s in derivation.states])
    shapes = {p.name: p.symbol.shape for p in derivation.parameters} | {s.name: s.shape for s in derivation.states}
    buffers = {symbol.name: symbol.shape for symbol, _ in derivation.buffers.values()}
    state: list[tuple[str, Shape]] = []
    memory: list[tuple[str, Shape]] = []
    slopes: list[tuple[str, Shape]] = []
    regions: dict[str, tuple[str, ...]] = {}
    lines: list[tuple[list[str], list[tuple[str, Expression]], str]] = []
    for number, (names, equations) in enumerate(groups):
        first = names[0]
        total = sum(_entries(shapes[n]) for n in names)
        table: dict[Expression, Expression] = {}

        def region(
            name: str,
            members: tuple[str, ...],
            like: Symbol,
            total: int = total,
            table: dict[Expression, Expression] = table,
        ) -> str:
            regions[name] = members
            table[like] = Symbol(name, (total,))
            return name

        mine = region(f"θ{number + 1}", tuple(names), Symbol(first, shapes[first]))
        slope = region(f"dθ{number + 1}", tuple(f"d{n}" for n in names), Symbol(f"d{first}", shapes[first]))
        state.extend((n, shapes[n]) for n in names)
        slopes.extend((f"d{n}", shapes[n]) for n in names)
        targets = {first: mine}
        for target in dict.fromkeys(e.name for e in equations):
            if target == first:
                continue
            letter = target[: len(target) - len(first)]
            members = tuple(letter + n for n in names)
            targets[target] = region(f"{letter}θ{number + 1}", members, Symbol(target, shapes[target]))
            memory.extend((m, shapes[m]) for m in members)
        lines.append((names, [(targets[e.name], replace(e.expression, table)) for e in equations], slope))
    everything = [*state, *memory, *buffers.items()]
    kept = {name for name, _ in everything}
    batch: dict[str, Shape] = {"X": ("m", *derivation.network.input_shape), "Y": ("m", derivation.output.shape[1])}
    if derivation.weighted:
        batch["w"] = ("m", 1)
    fixed = {**batch, **dict(everything), **dict(slopes)}
    fixed |= {name: (sum(_entries(fixed[m]) for m in members),) for name, members in regions.items()}

    update = Lowering(fixed, ("m", "alpha", "t"), kept | {derivation.output.name}, regions)
    for name, (symbol, rate) in derivation.masks.items():
        update.shapes[name] = symbol.shape
        update.operations.append(Mask(name, int(name[1:]), rate, lines=[name]))
    for equation in derivation.forward + derivation.cost:
        update.add(equation)
    update.operations.append(_metric(update, derivation, metric))
    for equation in derivation.backward:
        update.add(equation)
    update.operations.append(Barrier(lines=[""]))
    update.line = "‖∂J/∂θ‖²"
    squares: Expression | None = None
    for _, _, slope in lines:
        part = Sum(Symbol(slope, fixed[slope]) ** 2)
        squares = part if squares is None else squares + part
    if squares is not None:
        update.assign(SQUARES, squares)
    for names, assignments, _ in lines:
        update.line = ", ".join(names)
        for target, expression in assignments:
            update.assign(target, expression, update=True)
    for equation in derivation.update:
        if equation.name in buffers:
            update.add(equation)
    program = rewrite(update.program(), leave_out)

    measure = Lowering(fixed, ("m", "R"), {derivation.output.name}, regions)
    for equation in derivation.inference + tuple(
        e for e in derivation.cost if e.name in ("S", "L") or (e.name == "J" and not _penalised(derivation))
    ):
        measure.add(equation)
    measure.operations.append(_metric(measure, derivation, metric))
    penalty = None
    if _penalised(derivation):
        alone = Lowering(fixed, ("m", "S"), set(), regions)
        alone.add(next(e for e in derivation.cost if e.name == "R"))
        penalty = rewrite(alone.program(), leave_out)
    return Lowered(
        derivation, program, rewrite(measure.program(), leave_out), penalty, tuple(everything), tuple(slopes),
    )  # fmt: skip


def _penalised(derivation: Derivation) -> bool:
    return any(e.name == "R" for e in derivation.cost)


def _metric(lowering: Lowering, derivation: Derivation, metric: tuple[int, int]) -> Metric:
    first = lowering.named_slots[HIT] = lowering._slot()
    for _ in range(metric[1] - 1):
        lowering._slot()
    zero = lowering.constant(0.0)
    for slot in range(first, first + metric[1]):
        lowering.prologue.append(Scalar("copy", slot, (zero,), lines=["metric"]))
    output = lowering.aliases.get(derivation.output.name, derivation.output.name)
    return Metric(output, metric[0], first, metric[1], derivation.weighted, lines=["metric"])


def _entries(shape: Shape) -> int:
    total = 1
    for dimension in shape:
        total *= int(dimension)
    return total
