"""The notation of networks, read: `1×28×28 → conv 8x5 relu → pool 2 → flatten → 10 softmax`.

Each layer writes its own part (`str(layer)`); `Network.parse` documents the notation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from glassnet.equations.functions import ACTIVATIONS, FunctionKind
from glassnet.errors import GlassnetError, nearest
from glassnet.layers import (
    Activation,
    AveragePool2D,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool2D,
    Layer,
    MaxPool2D,
)

SHAPE = re.compile(r"^\d+(\s*[xX×]\s*\d+)*$")
ARROW = re.compile(r"\s*(?:→|->)\s*")
COMMA = re.compile(r"\s*,\s*(?![^()]*\))")
WORD = re.compile(r"[^\s()]+(?:\([^()]*\))?")
SIDES = re.compile(r"^\d+([xX×]\d+)*$")


def parsed(
    text: str,
    input_shape: int | tuple[int, ...] | None,
    activations: Iterable[FunctionKind],
    asked: str = "Network.parse",
) -> tuple[int | tuple[int, ...], list[Layer]]:
    """The shape of the inputs and the layers that a text names; `asked` is where a person wrote it."""
    if not isinstance(text, str):
        raise GlassnetError(f"{asked} got {type(text).__name__}; it needs a text such as '2 → 40 tanh → 1 sigmoid'.")
    given: int | tuple[int, ...] | None = input_shape
    parts = parts_of(text)
    if not parts[0]:
        raise GlassnetError(
            f"{asked} got no layers; it needs a text such as 'conv 8x5 relu, pool 2, flatten, 10 softmax'."
        )
    stated = _shape(parts[0])
    known = _shape_of(given)
    if known is None:
        if stated is None or len(parts) < 2:
            raise GlassnetError(
                f"{asked} got '{text}' without the shape of the inputs; begin with it, as in '2 → ...' or "
                "'1×28×28 → ...', or pass input_shape."
            )
        given, parts = stated, parts[1:]
    elif stated is not None and len(parts) > 1 and (stated == known or len(stated) > 1):
        if stated != known:
            raise GlassnetError(
                f"{asked} got '{parts[0]}' as the shape of the inputs, and it is {'×'.join(map(str, known))}; leave it out."
            )
        parts = parts[1:]
    own = {kind.name: kind for kind in activations}
    assert given is not None
    return given, [_Reader(part, own, asked).layer() for part in parts]


def parts_of(text: str) -> list[str]:
    """The shape and the layers of a text, as they are written."""
    return (ARROW if ARROW.search(text) else COMMA).split(text.strip().strip(","))


def stated_picture(text: str) -> tuple[int, ...] | None:
    """The shape (channels, height, width) that a text begins with; None when it begins with something else."""
    first, *layers = parts_of(text)
    sides = _shape(first)
    return sides if layers and sides is not None and len(sides) == 3 else None


def _shape(part: str) -> tuple[int, ...] | None:
    return tuple(int(n) for n in re.split(r"\s*[xX×]\s*", part)) if SHAPE.match(part) else None


def _shape_of(given: int | tuple[int, ...] | None) -> tuple[int, ...] | None:
    return None if given is None else tuple(given) if isinstance(given, tuple | list) else (given,)


class _Reader:
    """The words of one layer, taken from the left."""

    def __init__(self, part: str, own: dict[str, FunctionKind], asked: str) -> None:
        self.part = part
        self.asked = asked
        self.own = own
        self.words: list[str] = WORD.findall(part)

    def layer(self) -> Layer:
        found = self._layer()
        if self.words:
            raise self.trouble(f"'{' '.join(self.words)}' is left over")
        return found

    def _layer(self) -> Layer:
        if not self.words:
            raise self.trouble("a layer is missing between two separators")
        first = self.words[0].lower()
        if first == "dense" or SIDES.match(first):
            if first == "dense":
                self.words.pop(0)
            return Dense(self.whole("a number of units, as in 'dense 40 tanh'"), self.activation(), **self.starts())  # type: ignore[arg-type]
        for name, read in self.kinds().items():
            words = name.split()
            if [w.lower() for w in self.words[: len(words)]] == words:
                del self.words[: len(words)]
                return read()
        if first in ACTIVATIONS or self.words[0] in self.own:
            return Activation(self.activation(required=True))
        known = ["dense", *self.kinds(), *ACTIVATIONS, *self.own]
        near = nearest(first, known)
        raise self.trouble(f"'{self.words[0]}' is no layer" + (f"; did you mean '{near}'?" if near else ""))

    def kinds(self) -> dict[str, Callable[[], Layer]]:
        return {
            "conv": self.conv,
            "average pool": lambda: AveragePool2D(**self.pooled()),  # type: ignore[arg-type]
            "max pool": lambda: MaxPool2D(**self.pooled()),  # type: ignore[arg-type]
            "pool": lambda: MaxPool2D(**self.pooled()),  # type: ignore[arg-type]
            "global average": GlobalAveragePool2D,
            "flatten": Flatten,
            "batch norm": self.batch_norm,
            "dropout": self.dropout,
        }

    def conv(self) -> Conv2D:
        sides = self.sides("filters and the size of a kernel, as in 'conv 8x5 relu'")
        if len(sides) not in (2, 3):
            raise self.trouble("conv needs filters x size, as in 'conv 8x5 relu', or filters x height x width")
        kernel = sides[1] if len(sides) == 2 else (sides[1], sides[2])
        kind = self.activation()
        padding, numbers = "valid", {}
        while self.words and self.words[0].lower() in ("same", "valid", "stride", "dilation"):
            word = self.words.pop(0).lower()
            if word in ("same", "valid"):
                padding = word
            else:
                numbers[word] = self.pair(f"{word} needs a number, as in '{word} 2'")
        return Conv2D(sides[0], kernel, kind, padding=padding, **numbers, **self.starts())  # type: ignore[arg-type]

    def pooled(self) -> dict[str, object]:
        found: dict[str, object] = {"size": self.pair("a pool needs the size of its window, as in 'pool 2'")}
        if self.took("stride"):
            found["stride"] = self.pair("stride needs a number, as in 'stride 2'")
        if self.took("drop leftover"):
            found["leftover"] = "drop"
        return found

    def batch_norm(self) -> BatchNorm:
        found = {}
        for name in ("momentum", "epsilon"):
            if self.took(name):
                found[name] = self.number(f"{name} needs a number, as in '{name} 0.1'")
        return BatchNorm(**found)

    def dropout(self) -> Dropout:
        rate = self.number("dropout needs a rate, as in 'dropout 0.5'") if self.words else 0.5
        return Dropout(rate, channels=self.took("channels"))

    def starts(self) -> dict[str, object]:
        found: dict[str, object] = {}
        while self.words:
            if self.took("init"):
                found["init"] = self.word("init needs an initialiser, as in 'init he'")
            elif self.took("bias init"):
                found["bias_init"] = self.word("bias init needs an initialiser, as in 'bias init ones'")
            elif self.took("without bias"):
                found["bias"] = False
            else:
                break
        return found

    def activation(self, required: bool = False) -> str | FunctionKind:
        name = self.words[0] if self.words else ""
        if name in self.own or name.lower() in ACTIVATIONS:
            self.words.pop(0)
            return self.own.get(name, name.lower())
        if required or (name and name.lower() not in CONTINUED):
            near = nearest(name.lower(), [*ACTIVATIONS, *self.own])
            raise self.trouble(f"'{name}' is no activation" + (f"; did you mean '{near}'?" if near else ""))
        return "linear"

    def took(self, phrase: str) -> bool:
        words = phrase.split()
        if [w.lower() for w in self.words[: len(words)]] != words:
            return False
        del self.words[: len(words)]
        return True

    def word(self, needs: str) -> str:
        if not self.words:
            raise self.trouble(needs)
        return self.words.pop(0)

    def sides(self, needs: str) -> tuple[int, ...]:
        word = self.words[0] if self.words else ""
        if not SIDES.match(word):
            raise self.trouble(needs if " needs " in needs else f"it needs {needs}")
        self.words.pop(0)
        return tuple(int(n) for n in re.split("[xX×]", word))

    def whole(self, needs: str) -> int:
        sides = self.sides(needs)
        if len(sides) != 1:
            raise self.trouble(f"it needs {needs}")
        return sides[0]

    def pair(self, needs: str) -> int | tuple[int, int]:
        sides = self.sides(needs)
        if len(sides) > 2:
            raise self.trouble(needs)
        return sides[0] if len(sides) == 1 else (sides[0], sides[1])

    def number(self, needs: str) -> float:
        try:
            return float(self.word(needs))
        except ValueError:
            raise self.trouble(needs) from None

    def trouble(self, what: str) -> GlassnetError:
        return GlassnetError(
            f"{self.asked} cannot read '{self.part}': {what.rstrip('.?')}{'?' if what.endswith('?') else '.'}"
        )


CONTINUED = ("same", "valid", "stride", "dilation", "init", "bias", "without")
