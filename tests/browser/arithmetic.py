"""Reads the sums that a page writes out, `0.31·1 + 0.82·0 + 0.1`, and works them out again."""

from __future__ import annotations

import math
import re

import numpy as np
from scipy.stats import norm

LETTERS = {
    "−": "-", "·": "*", "×": "*", "⋅": "*", "^": "**", "²": "**2", "³": "**3", "√": "sqrt", "∞": "inf", "½": "0.5", "≤": "<=",
    "≥": ">=", "\u2062": "*", "\u00a0": " ", "\u2009": " ", "\u202f": " ",
}  # fmt: skip
NUMBER = re.compile(r"(?<![\d.\[])(?<!\*\*)\d+(?:\.\d+)?(?:e[-+]?\d+)?")
"""A number that is a value: not an index, nor a power."""


def softmax(*scores):
    powers = np.exp(np.array(scores) - max(scores))
    return powers / powers.sum()


FUNCTIONS = {
    "sqrt": np.sqrt, "exp": np.exp, "log": np.log, "tanh": np.tanh, "abs": abs, "max": max, "min": min, "inf": math.inf,
    "NaN": math.nan, "sigmoid": lambda z: 1 / (1 + np.exp(-z)), "relu": lambda z: max(z, 0), "step": lambda z: float(z > 0),
    "softmax": softmax, "softplus": lambda z: np.log1p(np.exp(z)), "sign": np.sign, "gelu": lambda z: z * norm.cdf(z),
    "elu": lambda z: z if z > 0 else np.expm1(z), "leaky_relu": lambda z: z if z > 0 else 0.01 * z, "Φ": norm.cdf,
    "φ": norm.pdf, "where": lambda condition, a, b: a if condition else b,
}  # fmt: skip


def number(text):
    """A number as pages write it."""
    return float(text.strip().replace("−", "-").replace("∞", "inf"))


def worked(text, digits=4):
    """What the written sum comes to, and how far that may be off because its numbers are written with so many digits.

    None for a sum of which terms are left out, and for what no entry explains.
    """
    if "…" in text or "⁻¹" in text or text.startswith("["):
        return None
    for letter, meaning in LETTERS.items():
        text = text.replace(letter, meaning)
    text = re.sub(r"\|([^|]+)\|", r"abs(\1)", text)
    written = [float(n) for n in NUMBER.findall(text)]
    places = iter(range(len(written)))
    formula = compile(NUMBER.sub(lambda _: f"n[{next(places)}]", text).strip(), "sum", "eval")

    def value(numbers):
        with np.errstate(all="ignore"):
            return float(eval(formula, {"__builtins__": {}, **FUNCTIONS, "n": numbers}))

    def halves(n):
        return 0.0 if n == 0 else 0.5 * 10.0 ** (math.floor(math.log10(abs(n))) - digits + 1)

    result = value(written)
    slack = halves(result)
    for place, n in enumerate(written):
        slack += abs(value([*written[:place], n + halves(n), *written[place + 1 :]]) - result)
    return result, slack
