"""What R prints of a generalised linear model and of a multinomial one, and what is added to it in sentences."""

from __future__ import annotations

import html
import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.statistics.confidence import PENALISED
from glassnet.statistics.printing import coefficient_lines, format_numbers

if TYPE_CHECKING:
    from glassnet.statistics.glm import GLMStatistics
    from glassnet.statistics.multinomial import MultinomialStatistics

DIGITS = 4
"""R's max(3, getOption("digits") − 3)."""
WIDTH = 80
NUMERICALLY_CERTAIN = 10 * float(np.finfo(np.float64).eps)
"""How close to 0 or 1 a fitted probability counts as numerically so (R's glm.fit)."""
QUARTILES = ("Min", "1Q", "Median", "3Q", "Max")


class SummaryText:
    """A text that is also its tables; in a notebook it is shown as printed."""

    text: str

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(self.text)}</pre>"


class GLMSummary(SummaryText):
    """What R's `summary(glm(...))` prints.

    Attributes
    ----------
    coefficients : table of estimates, standard errors, z or t and p
    deviance_residuals : their five quantiles, or all of them when there are at most 5 degrees of freedom left
    statistics : the `GLMStatistics` it is of
    text : all of it
    """

    def __init__(self, fit: GLMStatistics) -> None:
        self.statistics = fit
        self.coefficients = fit.coefficient_table
        residuals = np.concatenate([fit.residuals("deviance"), np.zeros(fit.zero_weight_rows)])  # R counts these as 0
        if fit.df_residual > 5:
            self.deviance_residuals = dict(zip(QUARTILES, np.quantile(residuals, (0, 0.25, 0.5, 0.75, 1)), strict=True))
        else:
            self.deviance_residuals = {str(i): value for i, value in enumerate(residuals, 1)}
        self.text = "\n".join(self._lines())

    def _lines(self) -> list[str]:
        fit = self.statistics
        family = fit.family
        lines = ["", "Call:", fit.call or made_up_call(fit, f"glm(family = {family.name})"), "", "Deviance Residuals: "]
        if fit.df_residual:
            lines += named_values(list(self.deviance_residuals), np.array(list(self.deviance_residuals.values())))
        else:
            lines += zeros(len(self.deviance_residuals))
        undefined = int(fit.aliased.sum())
        because = f" ({undefined} not defined because of singularities)" if undefined else ""
        lines += ["", f"Coefficients:{because}"]
        lines += coefficient_block(fit.names, fit.coefficients, fit.standard_errors, fit.statistics, fit.p_values,
                               family.statistic, fit.penalised)  # fmt: skip
        dispersion = format_numbers([fit.dispersion], 7)[0].strip()
        lines += ["", f"(Dispersion parameter for {family.name} family taken to be {dispersion})", ""]
        deviances = format_numbers([fit.null_deviance, fit.deviance], DIGITS + 1)
        freedoms = [str(fit.df_null), str(fit.df_residual)]
        wide = max(map(len, freedoms))
        for what, deviance, df in zip(("    Null", "Residual"), deviances, freedoms, strict=True):
            lines.append(f"{what} deviance: {deviance}  on {df:>{wide}}  degrees of freedom")
        lines += [f"AIC: {format_numbers([fit.aic], DIGITS + 1)[0].strip()}", ""]
        lines += [f"Number of {fit.optimizer} iterations: {fit.iterations}", ""]
        return lines + paragraphs(fit.notes)


class MultinomialSummary(SummaryText):
    """What R's `summary(multinom(...))` prints, then a table of tests for every class against the first.

    Attributes
    ----------
    coefficients : table of estimates, standard errors, z and p, a row a coefficient
    statistics : the `MultinomialStatistics` it is of
    text : all of it
    """

    def __init__(self, fit: MultinomialStatistics) -> None:
        self.statistics = fit
        self.coefficients = fit.coefficient_table
        self.text = "\n".join(self._lines())

    def _lines(self) -> list[str]:
        fit = self.statistics
        lines = ["Call:", fit.call or made_up_call(fit, "multinom()"), "", "Coefficients:"]
        lines += matrix_lines(fit.classes[1:], fit.names, fit.coefficients)
        if not fit.penalised:
            lines += ["", "Std. Errors:", *matrix_lines(fit.classes[1:], fit.names, fit.standard_errors)]
        deviance, aic = (format_numbers([value], 7)[0].strip() for value in (fit.deviance, fit.aic))
        lines += ["", f"Residual Deviance: {deviance} ", f"AIC: {aic} "]
        for row, name in enumerate(fit.classes[1:] if not fit.penalised else ()):
            lines += ["", f"{name} against {fit.reference}:"]
            lines += coefficient_lines(
                fit.names, fit.coefficients[row], fit.standard_errors[row], fit.statistics[row], fit.p_values[row],
                COLUMNS["z"],
            )  # fmt: skip
        return [*lines, "", *paragraphs(fit.notes)]


COLUMNS = {
    letter: ("Estimate", "Std. Error", f"{letter} value", f"Pr(>|{letter}|)") for letter in ("z", "t")
}  # what R writes over the columns


def made_up_call(fit: Any, how: str) -> str:
    terms = [name for name in fit.names if name != "(Intercept)"]
    right = " + ".join(terms) if terms else "1"
    if not fit.intercept:
        right += " - 1"
    name, _, arguments = how.partition("(")
    separator = ", " if arguments != ")" else ""
    text = f"{name}(formula = {fit.response} ~ {right}{separator}{arguments}"
    return "\n".join(textwrap.wrap(text, WIDTH, subsequent_indent="    ", break_long_words=False))


def coefficient_block(
    names: Sequence[str], estimates: Any, errors: Any, values: Any, p: Any, letter: str, penalised: bool
) -> list[str]:
    if not penalised:
        return list(coefficient_lines(names, estimates, errors, values, p, COLUMNS[letter]))
    shown = format_numbers(list(estimates), DIGITS)
    wide, column = max(map(len, names)), max(8, *(len(s) for s in shown))
    return [
        f"{'':{wide}} {'Estimate':>{column}}",
        *(f"{n:{wide}} {s:>{column}}" for n, s in zip(names, shown, strict=True)),
    ]


def named_values(names: Sequence[str], values: np.ndarray) -> list[str]:
    """Numbers under their names, as R prints a named vector with two blanks between columns, in lines of 80."""
    shown = [s.strip() for s in format_numbers(list(zapped(values, DIGITS + 1)), DIGITS)]
    width = max(len(s) for s in (*names, *shown))
    each = max(1, WIDTH // (width + 2))
    lines = []
    for start in range(0, len(shown), each):
        for row in (names, shown):
            lines.append("".join(f"{s:>{width}}  " for s in row[start : start + each]))
    return lines


def zeros(count: int) -> list[str]:
    """The deviance residuals of a model with as many coefficients as rows, which are 0: R prints them without names."""
    label = len(f"[{count}]")
    each = (WIDTH - label) // 3
    return [f"{f'[{i + 1}]':>{label}}" + "  0" * min(each, count - i) for i in range(0, count, each)]


def zapped(values: np.ndarray, digits: int) -> np.ndarray:
    """Values rounded to as many decimals as give the largest `digits` figures: R's zapsmall."""
    largest = float(np.abs(values).max(initial=0.0))
    if not 0 < largest < math.inf:
        return values
    return np.round(values, max(0, math.floor(digits - math.log10(largest) + 0.5))) + 0.0  # no −0


def matrix_lines(rows: Sequence[str], columns: Sequence[str], values: np.ndarray, digits: int = 7) -> list[str]:
    """A matrix as R prints it: each column with its own number of decimals, wrapped at 80."""
    wide = max((len(r) for r in rows), default=0)
    shown = [[s.strip() for s in format_numbers(list(values[:, j]), digits)] for j in range(len(columns))]
    widths = [max(len(name), *(len(s) for s in column)) for name, column in zip(columns, shown, strict=True)]
    lines: list[str] = []
    start = 0
    while start < len(columns):
        end, length = start, wide
        while end < len(columns) and (end == start or length + 1 + widths[end] <= WIDTH):
            length += 1 + widths[end]
            end += 1
        part = range(start, end)
        lines.append(" " * wide + "".join(f" {columns[j]:>{widths[j]}}" for j in part))
        lines += [f"{r:{wide}}" + "".join(f" {shown[j][i]:>{widths[j]}}" for j in part) for i, r in enumerate(rows)]
        start = end
    return lines


def paragraphs(notes: Sequence[str]) -> list[str]:
    return [line for note in notes for line in (*textwrap.wrap(note, WIDTH, break_on_hyphens=False), "")]


def zero_weight_note(count: int) -> str:
    """What rows of weight 0 mean."""
    rows = "1 row of weight 0 does" if count == 1 else f"{count:,} rows of weight 0 do"
    return (
        f"{rows} not count: the estimates, degrees of freedom and criteria leave them out; among the residuals each is a 0, as "
        "R has it."
    )


def notes(fit: GLMStatistics | MultinomialStatistics) -> list[str]:
    """What to beware of, in sentences: what R warns of, and what it does not say."""
    said = []
    if fit.penalised:
        said.append(PENALISED)
    left_out = int(getattr(fit, "zero_weight_rows", 0))
    if left_out:
        said.append(zero_weight_note(left_out))
    undefined = [name for name, gone in zip(fit.names, fit.aliased, strict=True) if gone]
    if undefined:
        verb = "is a combination" if len(undefined) == 1 else "are combinations"
        also = ""
        if getattr(fit, "undetermined", False):
            also = f" {fit.optimizer} shared them out: no coefficient is unique, and none has a standard error."
        said.append(
            f"{', '.join(undefined)} {verb} of the columns before, so that the data do not tell their effects apart.{also}"
        )
    if not fit.converged:
        slope = float(np.abs(fit.gradient).max(initial=0.0)) / float(fit.prior_weights.sum())
        said.append(
            f"{fit.optimizer} did not converge in {fit.iterations} iterations: the largest slope of J left is {slope:.2g}. "
            "The estimates are not the maximum of the likelihood, and their standard errors and tests are not those of it."
        )
    fitted = fit.fitted_values
    family = getattr(getattr(fit, "family", None), "name", "multinomial")
    if (
        not fit.penalised
        and family in ("binomial", "multinomial")
        and (bool((fitted < NUMERICALLY_CERTAIN).any()) or bool((fitted > 1 - NUMERICALLY_CERTAIN).any()))
    ):
        said.append("Fitted probabilities numerically 0 or 1 occurred.")
    if family == "poisson" and bool((fitted < NUMERICALLY_CERTAIN).any()):
        said.append("Fitted rates numerically 0 occurred.")
    if fit.separation is not None:
        said.append(fit.separation.sentence)
    weights = fit.prior_weights
    if family == "binomial":
        successes = weights * getattr(fit, "y", 0.0)
        if bool((np.abs(successes - np.round(successes)) > 1e-3).any()):
            said.append(
                "The numbers of successes, weight times proportion, are not all whole; the log-likelihood, AIC and BIC round "
                "them, as R does."
            )
    if family == "poisson" and not math.isfinite(fit.log_likelihood):
        said.append("The counts are not all whole numbers, which have no probability; AIC and BIC are infinite.")
    return said


# As JSON.


def plain(value: Any) -> Any:
    """Arrays as lists, numbers as Python's; NaN and infinities as None."""
    if isinstance(value, np.ndarray):
        return [plain(item) for item in value]
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    return int(value) if isinstance(value, np.integer) else value


def _shared(fit: GLMStatistics | MultinomialStatistics) -> dict[str, Any]:
    return {
        "response": fit.response,
        "call": fit.call,
        "rows": len(fit.prior_weights),
        "names": list(fit.names),
        "aliased": [name for name, gone in zip(fit.names, fit.aliased, strict=True) if gone],
        "coefficients": plain(fit.coefficients),
        "standard_errors": plain(fit.standard_errors),
        "statistics": plain(fit.statistics),
        "p_values": plain(fit.p_values),
        "covariance": plain(fit.covariance),
        "deviance": plain(fit.deviance),
        "null_deviance": plain(fit.null_deviance),
        "df_residual": fit.df_residual,
        "log_likelihood": plain(fit.log_likelihood),
        "aic": plain(fit.aic),
        "bic": plain(fit.bic),
        "iterations": fit.iterations,
        "optimizer": fit.optimizer,
        "converged": fit.converged,
        "separation": None if fit.separation is None else fit.separation.to_plain(),
        "notes": fit.notes,
    }


def plain_glm(fit: GLMStatistics) -> dict[str, Any]:
    """See `GLMStatistics.to_plain`."""
    residuals = fit.residuals("deviance")
    return {
        "kind": "glm",
        "family": fit.family.name,
        "link": fit.family.link,
        "statistic": fit.family.statistic,
        **_shared(fit),
        "df_null": fit.df_null,
        "dispersion": plain(fit.dispersion),
        "deviance_residual_quantiles": plain(np.quantile(residuals, (0, 0.25, 0.5, 0.75, 1))),
    }


def plain_multinomial(fit: MultinomialStatistics) -> dict[str, Any]:
    """See `MultinomialStatistics.to_plain`."""
    return {
        "kind": "multinomial",
        "statistic": "z",
        "classes": list(fit.classes),
        "reference": fit.reference,
        **_shared(fit),
    }
