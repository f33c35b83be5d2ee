"""The operations that a derivation is lowered to: what there is to do, on which values, without sizes or addresses.

A value is named as on the page (`dZ1`); `t1`, `t2`, ... are values that no line of the page names. Numbers (m, α, λ, J) are
slots of a vector of float64 and are written `m`, `alpha`, `s4`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from glassnet.equations.expression import Shape
from glassnet.equations.images import Window

Operand: TypeAlias = tuple[str, int | str]
"""("memory", name), ("result", position within the operation), or ("number", slot)."""


@dataclass
class Instruction:
    """One elementwise step on a block of numbers: `result = code(operands)`."""

    code: str
    operands: tuple[Operand, ...]
    target: str | None = None
    """The value that a "store" or a reduction writes."""


SUMS = ("sum_all", "sum_squares", "descend")
"""Instructions that add to a number, the last of their operands."""


@dataclass
class Operation:
    """Base of all operations. `lines` are the equations they came from."""

    lines: list[str] = field(default_factory=list, kw_only=True)

    @property
    def reads(self) -> set[str]:
        return set()

    @property
    def writes(self) -> set[str]:
        return set()

    @property
    def slots_read(self) -> set[int]:
        return set()

    @property
    def slots_written(self) -> set[int]:
        return set()


@dataclass
class Gemm(Operation):
    """target = alpha · op(left) op(right) + beta · target."""

    target: str
    left: str
    left_transposed: bool
    right: str
    right_transposed: bool
    alpha: int
    beta: int
    adds: bool

    @property
    def reads(self) -> set[str]:
        return {self.left, self.right, *({self.target} if self.adds else ())}

    @property
    def writes(self) -> set[str]:
        return {self.target}

    @property
    def slots_read(self) -> set[int]:
        return {self.alpha, self.beta}

    def __str__(self) -> str:
        left = self.left + "ᵀ" * self.left_transposed
        right = self.right + "ᵀ" * self.right_transposed
        return f"gemm      {self.target} {'+=' if self.adds else '='} {left} · {right}"


@dataclass
class Vector(Operation):
    """A small program run block by block over (rows, columns), so that what lies between its steps stays in the cache.

    `whole_rows` says that a block holds whole rows: something is spread over, or summed along, rows or columns.
    """

    shape: Shape
    program: list[Instruction] = field(default_factory=list)
    whole_rows: bool = False
    kept: set[str] = field(default_factory=set)
    """The stored values that something after this operation reads."""

    @property
    def reads(self) -> set[str]:
        return {str(v) for i in self.program for kind, v in i.operands if kind == "memory"}

    @property
    def writes(self) -> set[str]:
        return {i.target for i in self.program if i.target is not None}

    @property
    def slots_read(self) -> set[int]:
        read = {int(v) for i in self.program for kind, v in i.operands if kind == "number"}
        return read - self.slots_written

    @property
    def slots_written(self) -> set[int]:
        return {int(i.operands[-1][1]) for i in self.program if i.code in SUMS}

    def __str__(self) -> str:
        shown: list[str] = []
        for position, step in enumerate(self.program):
            said = ", ".join(str(v) if kind == "memory" else f"%{v}" if kind == "result" else f"s{v}"
                             for kind, v in step.operands)  # fmt: skip
            result = f"{step.target} = " if step.target else f"%{position} = "
            shown.append(f"{result}{step.code}({said})")
        return "vector    " + "; ".join(shown)


@dataclass
class Zero(Operation):
    """target = 0, before sums are gathered in it."""

    target: str

    @property
    def writes(self) -> set[str]:
        return {self.target}

    def __str__(self) -> str:
        return f"zero      {self.target}"


@dataclass
class Scalar(Operation):
    """slot = code(slots), in float64."""

    code: str
    slot: int
    operands: tuple[int, ...]

    @property
    def slots_read(self) -> set[int]:
        return set(self.operands)

    @property
    def slots_written(self) -> set[int]:
        return {self.slot}

    def __str__(self) -> str:
        return f"scalar    s{self.slot} = {self.code}({', '.join(f's{s}' for s in self.operands)})"


@dataclass
class Mask(Operation):
    """target = zeros with probability `rate`, ones otherwise, drawn by (seed, iteration, layer)."""

    target: str
    layer: int
    rate: float

    @property
    def writes(self) -> set[str]:
        return {self.target}

    def __str__(self) -> str:
        return f"mask      {self.target}, zeros with probability {self.rate:g}"


@dataclass
class NarrowForward(Operation):
    """scores (+)= g(X W + b) V, a unit at a time; the activations lie in memory unit by unit."""

    weights: str
    bias: str | None
    code: str
    after: str
    scores: str
    activations: str
    adds: bool
    across: str
    gathered: str

    @property
    def reads(self) -> set[str]:
        own = {"X", self.weights, self.after} | ({self.bias} if self.bias else set())
        return own | ({self.scores} if self.adds else set())

    @property
    def writes(self) -> set[str]:
        return {self.scores, self.activations, self.across, self.gathered}

    def __str__(self) -> str:
        bias = f" + {self.bias}" if self.bias else ""
        return (
            f"narrow    {self.scores} {'+=' if self.adds else '='} {self.code}(X · {self.weights}{bias}) · {self.after}"
        )


@dataclass
class NarrowBackward(Operation):
    """The slopes of both weight matrices around a narrow layer, and of its bias, a unit at a time."""

    code: str
    after: str
    from_above: str
    activations: str
    across: str
    room: str
    slope_after: str
    slope: str
    slope_bias: str | None
    adds_after: bool
    adds: bool

    @property
    def reads(self) -> set[str]:
        own = {self.after, self.from_above, self.activations, self.across}
        return own | ({self.slope_after} if self.adds_after else set()) | ({self.slope} if self.adds else set())

    @property
    def writes(self) -> set[str]:
        return {self.slope_after, self.slope, self.room} | ({self.slope_bias} if self.slope_bias else set())

    def __str__(self) -> str:
        made = ", ".join(n for n in (self.slope_after, self.slope, self.slope_bias) if n)
        return f"narrow    {made} from {self.from_above}, back through {self.after} and {self.code}"


@dataclass
class Convolution(Operation):
    """maps = image ⋆ kernel + bias ("forward"), or the slope by the image ("back") or by the kernel ("kernel")."""

    kind: str
    image: str
    kernel: str
    maps: str
    bias: str | None
    window: Window
    size: tuple[int, int, int]
    """Channels, height and width of an image."""
    filters: int
    adds: bool = False

    @property
    def target(self) -> str:
        return {"forward": self.maps, "back": self.image, "kernel": self.kernel}[self.kind]

    @property
    def reads(self) -> set[str]:
        used = {self.image, self.kernel, self.maps} - (set() if self.adds else {self.target})
        return used | ({self.bias} if self.bias else set())

    @property
    def writes(self) -> set[str]:
        return {self.target}

    def __str__(self) -> str:
        sign = "+=" if self.adds else "="
        match self.kind:
            case "forward":
                said = f"{self.image} ⋆ {self.kernel}" + (f" + {self.bias}" if self.bias else "")
            case "back":
                said = f"{self.maps} ⋆full flip({self.kernel})"
            case _:
                said = f"{self.image} ⋆ {self.maps}"
        return f"convolve  {self.target} {sign} {said}"


@dataclass
class Pool(Operation):
    """maps = the pooled image ("max", "average"), or the way back: image = maps routed by `source`, or spread."""

    kind: str
    image: str
    maps: str
    source: str | None
    window: Window
    size: tuple[int, int, int]

    @property
    def target(self) -> str:
        return self.maps if self.kind in ("max", "average") else self.image

    @property
    def reads(self) -> set[str]:
        return {self.image, self.maps} - {self.target} | ({self.source} if self.source else set())

    @property
    def writes(self) -> set[str]:
        return {self.target}

    def __str__(self) -> str:
        other = self.image if self.target == self.maps else self.maps
        by = f" by {self.source}" if self.source else ""
        return f"pool      {self.target} = {self.kind}({other}){by}"


@dataclass
class Metric(Operation):
    """Hits, or squared errors by output, added up from the output and the targets."""

    output: str
    kind: int
    slot: int
    count: int
    weighted: bool

    @property
    def reads(self) -> set[str]:
        return {self.output, "Y", *(("w",) if self.weighted else ())}

    @property
    def slots_written(self) -> set[int]:
        return set(range(self.slot, self.slot + self.count))

    def __str__(self) -> str:
        return f"metric    s{self.slot} from {self.output} and Y"


@dataclass
class Barrier(Operation):
    """What follows changes the state: the cost has been looked at by then. No line is moved across it."""

    def __str__(self) -> str:
        return "barrier   the update begins"
