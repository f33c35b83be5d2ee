"""Initialisers: where training starts from.

    zeros, ones, constant(c), normal(std), uniform(low, high), xavier, he, lecun, orthogonal

`"auto"` takes he for activations of the relu family and xavier for the others. Numbers come from a counter-based
generator addressed by (seed, layer, parameter), so one layer's start does not depend on the other layers.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np

from glassnet.errors import GlassnetError, unknown_name

ARGUMENTS: dict[str, tuple[float, ...]] = {
    "zeros": (), "ones": (), "constant": (0.1,), "normal": (0.01,), "uniform": (0.0, 1.0), "xavier": (), "he": (),
    "lecun": (), "orthogonal": (),
}  # fmt: skip
"""Each kind with its default arguments."""

RELU_FAMILY = ("relu", "leaky_relu", "elu", "gelu", "softplus")
NOTATION = re.compile(r"^\s*([a-z_]+)\s*(?:\(([^()]*)\))?\s*$")


@dataclass(frozen=True)
class Initializer:
    """A kind and its arguments; `str()` gives the notation that `initializer()` reads."""

    kind: str
    arguments: tuple[float, ...] = ()

    def __str__(self) -> str:
        inner = ", ".join(_exact(a) for a in self.arguments)
        return f"{self.kind}({inner})" if inner else self.kind

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
        """The starting values of a parameter of this shape, float64.

        For a weight of shape (n_in, n_out); of a kernel (filters, channels, a, b), n_in is channels·a·b and n_out is
        filters·a·b, and orthogonal takes each filter as a row:

            xavier      uniform on ±√(6 / (n_in + n_out))          Glorot and Bengio, 2010
            he          normal, variance 2 / n_in                  He et al., 2015
            lecun       normal, variance 1 / n_in                  LeCun et al., 1998
            orthogonal  orthonormal columns or rows (QR of normals)  Saxe et al., 2014
        """
        fan_in, fan_out = fans(shape)
        match self.kind:
            case "zeros":
                return np.zeros(shape)
            case "ones":
                return np.ones(shape)
            case "constant":
                return np.full(shape, self.arguments[0])
            case "normal":
                return generator.standard_normal(shape) * self.arguments[0]
            case "uniform":
                low, high = self.arguments
                return generator.random(shape) * (high - low) + low
            case "xavier":
                limit = math.sqrt(6.0 / (fan_in + fan_out))
                return (generator.random(shape) * 2.0 - 1.0) * limit
            case "he":
                return generator.standard_normal(shape) * math.sqrt(2.0 / fan_in)
            case "lecun":
                return generator.standard_normal(shape) * math.sqrt(1.0 / fan_in)
            case _:
                flat = (shape[0], math.prod(shape[1:]))
                q, r = np.linalg.qr(generator.standard_normal((max(flat), min(flat))))
                q = q * np.sign(np.diag(r))
                return np.ascontiguousarray(q if q.shape == flat else q.T).reshape(shape)


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """How many numbers one output is made from, and how many outputs one input goes to."""
    if len(shape) < 3:
        return shape[0], shape[-1]
    places = math.prod(shape[2:])
    return shape[1] * places, shape[0] * places


def _exact(value: float) -> str:
    """The short form where it is the number, every digit where it is not."""
    short = f"{value:g}"
    return short if float(short) == value else repr(float(value))


def initializer(value: str | Initializer) -> Initializer:
    """Read "he", "normal(0.01)", "uniform(0, 1)"; an Initializer stays what it is.

    Raises
    ------
    GlassnetError : an unknown kind, or arguments it cannot use
    """
    if isinstance(value, Initializer):
        return value
    match = NOTATION.match(value) if isinstance(value, str) else None
    kind = match[1] if match else str(value)
    if match is None or kind not in ARGUMENTS:
        raise GlassnetError(unknown_name("initialiser", kind, ["auto", *ARGUMENTS]))
    defaults = ARGUMENTS[kind]
    given = [part for part in (match[2] or "").split(",") if part.strip()]
    try:
        numbers = tuple(float(part) for part in given)
    except ValueError:
        raise GlassnetError(
            f"The initialiser '{value}' has an argument that is no number; write {kind}(0.1)."
        ) from None
    if numbers and len(numbers) != len(defaults):
        raise GlassnetError(
            f"The initialiser '{value}' got {len(numbers)} argument{'' if len(numbers) == 1 else 's'}; "
            f"{kind} takes {len(defaults) or 'none'}."
        )
    numbers = numbers or defaults
    if not all(math.isfinite(n) for n in numbers):
        raise GlassnetError(f"The initialiser '{value}' got an argument that is not finite; give finite numbers.")
    if kind == "uniform" and numbers[0] >= numbers[1]:
        raise GlassnetError(f"The initialiser '{value}' needs its lower bound first, as in uniform(0, 1).")
    if kind == "normal" and numbers[0] <= 0:
        raise GlassnetError(f"The initialiser '{value}' needs a standard deviation above 0.")
    return Initializer(kind, numbers)


def automatic(activation_name: str) -> Initializer:
    """What "auto" means under this activation."""
    return Initializer("he" if activation_name in RELU_FAMILY else "xavier")
