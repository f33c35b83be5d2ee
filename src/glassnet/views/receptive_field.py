"""The receptive field: which pixels of the input one place of a map is computed from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from glassnet.equations.expression import Expression, Symbol
from glassnet.equations.images import AveragePool, Convolve, Flatten, MaxPool, Window
from glassnet.errors import GlassnetError

if TYPE_CHECKING:
    from glassnet.equations.derive import Derivation

Pair = tuple[int, int]


@dataclass(frozen=True)
class Field:
    """The pixels that a place (u, v) of a map sees: rows start + jump · u to start + jump · u + size − 1, columns likewise.

    Pairs are (down, across). A field may reach beyond the picture, where the layers before it are padded.
    """

    size: Pair = (1, 1)
    jump: Pair = (1, 1)
    start: Pair = (0, 0)

    def through(self, window: Window) -> Field:
        """The field of a map that is made from this one by a sliding window.

            size ← size + dilation · (kernel − 1) · jump      start ← start − padding · jump      jump ← stride · jump

        Source: Araujo, Norris and Sim, Computing Receptive Fields of Convolutional Neural Networks, Distill, 2019.
        """
        parts = zip(self.size, self.jump, self.start, window.reach, window.padding, window.stride, strict=True)
        found = [
            (size + (reach - 1) * jump, stride * jump, start - padding[0] * jump)
            for size, jump, start, reach, padding, stride in parts
        ]
        (height, down, top), (width, across, left) = found
        return Field((height, width), (down, across), (top, left))

    def box(self, u: int, v: int) -> tuple[int, int, int, int]:
        """First row, row after the last, first column, column after the last."""
        top, left = self.start[0] + self.jump[0] * u, self.start[1] + self.jump[1] * v
        return top, top + self.size[0], left, left + self.size[1]


def receptive_field(derivation: Derivation, name: str) -> Field:
    """The field of the maps of a forward line, such as "P2", through all kernels, strides, paddings and dilations before it.

    Raises
    ------
    GlassnetError : a line that is no stack of maps
    """
    found: dict[str, Field] = {"X": Field()}
    for line in derivation.inference:
        if len(line.shape) == 4:
            field = _field(line.expression, found)
            assert field is not None  # a map is made from the picture
            found[line.name] = field
        if line.name == name:
            break
    if name not in found:
        raise GlassnetError(
            f"A receptive field is that of a stack of maps, and {name} is none; choose one of {', '.join(found)}."
        )
    return found[name]


def _field(node: Expression, found: dict[str, Field]) -> Field | None:
    """The field of a value; None where it depends on no picture (parameters, running statistics)."""
    if isinstance(node, Symbol):
        return found.get(node.name)
    if isinstance(node, Convolve):
        inner = _field(node.image, found)
        return None if inner is None else inner.through(node.window)
    if isinstance(node, MaxPool | AveragePool):
        inner = _field(node.argument, found)
        return None if inner is None else inner.through(node.window)
    if isinstance(node, Flatten):
        return None
    parts = [field for child in node.children if (field := _field(child, found)) is not None]
    return parts[0] if parts else None  # entry by entry: all parts lie on the same places
