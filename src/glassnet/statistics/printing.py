"""Numbers as R prints them: as few digits as show the wanted ones, tables of coefficients, p-values, stars."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

STARS = ((0.001, "***"), (0.01, "**"), (0.05, "*"), (0.1, "."))
LEGEND = "Signif. codes:  0 ‘***’ 0.001 ‘**’ 0.01 ‘*’ 0.05 ‘.’ 0.1 ‘ ’ 1"
SMALLEST = float(np.finfo(np.float64).eps)
DIGITS = 4
"""R's max(3, getOption("digits") − 3) in summaries."""


def _figures(value: float, digits: int) -> tuple[int, int]:
    """(exponent, figures that are left when trailing zeros go) of a number rounded to so many figures."""
    mantissa, exponent = f"{abs(value):.{digits - 1}e}".split("e")
    return int(exponent), len(mantissa.replace(".", "").rstrip("0")) or 1


def format_numbers(values: Sequence[float] | np.ndarray, digits: int = 7) -> list[str]:
    """Numbers as R's `format` writes them together: equal widths, equal decimals.

    There are as many decimals as show every number to `digits` figures, trailing zeros aside; scientific notation where
    that is shorter. Missing numbers are NA, as R's summaries say.
    """
    numbers = [float(v) + 0.0 for v in values]  # no sign on a zero
    finite = [v for v in numbers if math.isfinite(v)]
    decimals, left, places, widest = 0, 1, 0, 0
    for value in finite:
        exponent, figures = _figures(value, digits) if value else (0, 1)
        decimals = max(decimals, figures - exponent - 1)
        left = max(left, exponent + 1)
        places = max(places, figures - 1)
        widest = max(widest, 3 if abs(exponent) >= 100 else 2)
    negative = any(v < 0 for v in finite)
    fixed = negative + left + (decimals + 1 if decimals else 0)
    scientific = negative + 1 + (places + 1 if places else 0) + 2 + widest
    texts = []
    for value in numbers:
        if math.isnan(value):
            texts.append("NA")
        elif math.isinf(value):
            texts.append("Inf" if value > 0 else "-Inf")
        elif fixed <= scientific:
            texts.append(f"{value:.{decimals}f}")
        else:
            mantissa, exponent_text = f"{value:.{places}e}".split("e")
            texts.append(f"{mantissa}e{exponent_text[0]}{exponent_text[1:].zfill(widest)}")
    width = max((len(t) for t in texts), default=0)
    return [t.rjust(width) for t in texts]


def short(value: float, digits: int = DIGITS) -> str:
    """One number to so many figures, as R's summary writes R² and F: at least a character wider than its figures."""
    text = "NaN" if math.isnan(value) else f"{value:.{digits}g}"
    return text.rjust(digits + 1)


def p_value_text(values: Sequence[float] | np.ndarray, digits: int = 3) -> list[str]:
    """p-values as R's `format.pval` writes them: those below 2.2e-16 as a bound."""
    numbers = [float(v) for v in values]
    tiny = [i for i, v in enumerate(numbers) if v < SMALLEST]
    fixed = [i for i, v in enumerate(numbers) if v >= SMALLEST and v >= 1e-4]
    others = [i for i, v in enumerate(numbers) if v >= SMALLEST and i not in set(fixed)]
    texts = [""] * len(numbers)
    for group in (fixed, others):
        for i, text in zip(group, format_numbers([numbers[i] for i in group], digits), strict=True):
            texts[i] = text
    texts = ["NA" if math.isnan(v) else t for v, t in zip(numbers, texts, strict=True)]
    if tiny:
        shown, separator = max(1, digits - 2), " "
        if fixed or others:
            width = max(len(texts[i]) for i in (*fixed, *others))
            if shown > 1 and shown + 6 > width:
                shown = max(1, width - 7)
            separator = "" if shown == 1 and width <= 6 else " "
        elif shown == 1:
            separator = ""
        for i in tiny:
            texts[i] = f"<{separator}{format_numbers([SMALLEST], shown)[0]}"
    return texts


def significance(p: float) -> str:
    """R's stars: *** up to 0.001, ** to 0.01, * to 0.05, . to 0.1."""
    return next((stars for bound, stars in STARS if p <= bound), "")


def coefficient_lines(
    names: Sequence[str],
    estimates: Sequence[float] | np.ndarray,
    errors: Sequence[float] | np.ndarray,
    values: Sequence[float] | np.ndarray,
    p_values: Sequence[float] | np.ndarray,
    headers: Sequence[str],
    digits: int = DIGITS,
) -> list[str]:
    """A table of coefficients as R's `printCoefmat` lays it out, with the legend of the stars."""
    tests = max(1, min(5, digits - 1))
    both = np.column_stack([np.asarray(estimates, dtype=float), np.asarray(errors, dtype=float)])
    present = np.isfinite(both)
    sizes = np.abs(both[present & (both != 0)])
    smallest = 1 + math.floor(math.log10(sizes.min())) if len(sizes) else 1
    rounded = np.round(both, max(1, digits - smallest))
    # NaN is NA in the text already; R formats estimates and errors together.
    shown = np.array(format_numbers(rounded.T.ravel(), digits)).reshape(2, -1).T
    vanished = present & (both != 0) & (np.array([[_number(t) for t in row] for row in shown]) == 0)
    if vanished.any():
        flat = format_numbers(both[vanished], max(1, digits - 1))
        shown = shown.astype(object)
        shown[vanished] = flat
    statistic = format_numbers(np.round(np.asarray(values, dtype=float), tests), digits)
    chances = p_value_text(p_values, tests)
    aliased = np.isnan(np.asarray(estimates, dtype=float))
    columns = [
        # missing because aliased is NA, because undefined NaN
        [
            "NaN" if text.strip() == "NA" and not gone else text.strip()
            for text, gone in zip(column, aliased, strict=True)
        ]
        for column in (list(shown[:, 0]), list(shown[:, 1]), statistic, chances)
    ]
    stars = [significance(p) for p in p_values]  # NaN is below no bound
    starred = any(p < 0.1 for p in p_values)
    reach = max(len(s) for s in stars) if starred else 0
    widths = [max(len(h), *(len(t) for t in column), 0) for h, column in zip(headers, columns, strict=True)]
    wide = max((len(name) for name in names), default=0)
    after = " " * (reach + 1) if starred else ""
    lines = [" " * wide + "".join(f" {h:>{w}}" for h, w in zip(headers, widths, strict=True)) + after]
    for row, name in enumerate(names):
        cells = "".join(f" {column[row]:>{w}}" for column, w in zip(columns, widths, strict=True))
        lines.append(f"{name:<{wide}}{cells}" + (f" {stars[row]:<{reach}}" if starred else ""))
    return [*lines, "---", LEGEND] if starred else lines


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
