"""What R prints of a linear model, and what is added to it in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.statistics.confidence import PENALISED
from glassnet.statistics.glm_summary import (
    QUARTILES,
    SummaryText,
    coefficient_block,
    made_up_call,
    paragraphs,
    plain,
    zapped,
    zero_weight_note,
)
from glassnet.statistics.printing import DIGITS, format_numbers, p_value_text, short

if TYPE_CHECKING:
    from glassnet.statistics.linear import LinearStatistics

WIDTH = 80


class LinearSummary(SummaryText):
    """What R's `summary(lm(...))` prints.

    Attributes
    ----------
    coefficients : table of estimates, standard errors, t and p
    residuals : their five quantiles, all of them when at most 5 degrees of freedom are left; None without the rows
    statistics : the `LinearStatistics` it is of
    text : all of it
    """

    def __init__(self, fit: LinearStatistics) -> None:
        self.statistics = fit
        self.coefficients = fit.coefficient_table
        self.residuals: dict[str, float] | None = None
        if fit._data is not None:
            residuals = np.concatenate([fit.residuals(), np.zeros(fit.zero_weight_rows)])  # R counts these as 0
            if fit.df_residual > 5:
                quantiles = np.quantile(residuals, (0, 0.25, 0.5, 0.75, 1))
                self.residuals = {n: float(v) for n, v in zip(QUARTILES, quantiles, strict=True)}
            else:
                self.residuals = {str(i): float(value) for i, value in enumerate(residuals, 1)}
        self.text = "\n".join(self._lines())

    def _lines(self) -> list[str]:
        fit = self.statistics
        lines = ["", "Call:", fit.call or made_up_call(fit, "lm()"), ""]
        if self.residuals is not None:
            lines.append(("Weighted " if fit.weighted else "") + "Residuals:")
            if fit.df_residual > 5:
                values = zapped(np.array(list(self.residuals.values())), DIGITS + 1)
                lines += spread_out(list(self.residuals), format_numbers(values, DIGITS))
            elif fit.df_residual > 0:
                lines += spread_out(list(self.residuals), format_numbers(list(self.residuals.values()), DIGITS))
            else:
                lines.append(f"ALL {fit.rank} residuals are 0: no residual degrees of freedom!")
            lines.append("")
        undefined = int(fit.aliased.sum())
        because = f" ({undefined} not defined because of singularities)" if undefined else ""
        if fit.names:
            lines.append(f"Coefficients:{because}")
            lines += coefficient_block(
                fit.names, fit.coefficients, fit.standard_errors, fit.statistics, fit.p_values, "t", fit.penalised
            )
        else:
            lines.append("No Coefficients")
        lines.append("")
        sigma = float(f"{fit.sigma:.{DIGITS - 1}e}")
        shown = format_numbers([sigma])[0].strip() if np.isfinite(sigma) else "NaN"
        lines.append(f"Residual standard error: {shown} on {fit.df_residual} degrees of freedom")
        if fit.model_df:
            lines.append(
                f"Multiple R-squared:  {short(fit.r_squared)},\tAdjusted R-squared:  {short(fit.adjusted_r_squared)} "
            )
        if fit.model_df and not fit.penalised:
            p = p_value_text([fit.f_p_value], DIGITS)[0]
            lines.append(
                f"F-statistic: {short(fit.f_statistic)} on {fit.model_df} and {fit.df_residual} DF,  p-value: {p}"
            )
        return [*lines, "", *paragraphs(fit.notes)]


def spread_out(names: list[str], values: list[str]) -> list[str]:
    """Numbers under their names, as R prints a named vector, in lines of 80."""
    width = max(len(text) for text in (*names, *values))
    each = max(1, WIDTH // (width + 1))
    lines = []
    for start in range(0, len(values), each):
        for row in (names, values):
            lines.append("".join(f"{text:>{width}} " for text in row[start : start + each]))
    return lines


def notes(fit: LinearStatistics) -> list[str]:
    """What to beware of, in sentences."""
    from glassnet.statistics.linear import PERFECT

    said: list[str] = []
    if fit.penalised:
        said.append(PENALISED)
    if fit.zero_weight_rows:
        said.append(zero_weight_note(fit.zero_weight_rows))
    for name, parts in fit.combinations.items():
        said.append(
            f"{name} is {combination_text(parts)}: the data do not tell its effect from theirs, so it has no coefficient."
            if parts
            else f"{name} is 0 in every row, so it has no coefficient."
        )
    if fit.distance >= 1e-3:
        said.append(
            f"{fit.optimizer} has not arrived: a coefficient is {fit.distance:.2g} standard errors away from least squares. "
            "Train longer, standardise the columns, or use method='qr'."
        )
    if fit.df_residual <= 0:
        said.append(
            f"There are as many coefficients ({fit.rank}) as rows ({fit.rows}): every row is fitted exactly, and nothing is "
            "left to estimate an error from."
        )
    if fit._perfect():
        said.append(PERFECT)
    return said


def combination_text(parts: dict[str, float]) -> str:
    """2 a − b + 3, as a person writes it."""
    text = ""
    for name, factor in parts.items():
        size = abs(factor)
        number = "" if abs(size - 1) < 1e-6 and name != "(Intercept)" else f"{size:.6g}"
        term = number if name == "(Intercept)" else f"{number} {name}".strip()
        sign = ("−" if factor < 0 else "") if not text else (" − " if factor < 0 else " + ")
        text += f"{sign}{term}"
    return text


def plain_linear(fit: LinearStatistics) -> dict[str, Any]:
    """See `LinearStatistics.to_plain`."""
    return {
        "kind": "linear",
        "family": "gaussian",
        "statistic": "t",
        "response": fit.response,
        "call": fit.call,
        "rows": fit.rows,
        "names": list(fit.names),
        "aliased": [name for name, gone in zip(fit.names, fit.aliased, strict=True) if gone],
        "coefficients": plain(fit.coefficients),
        "standard_errors": plain(fit.standard_errors),
        "statistics": plain(fit.statistics),
        "p_values": plain(fit.p_values),
        "covariance": plain(fit.covariance),
        "sigma": plain(fit.sigma),
        "df_residual": fit.df_residual,
        "residual_squares": plain(fit.residual_squares),
        "r_squared": plain(fit.r_squared),
        "adjusted_r_squared": plain(fit.adjusted_r_squared),
        "f_statistic": plain(fit.f_statistic),
        "f_df": [fit.model_df, fit.df_residual],
        "f_p_value": plain(fit.f_p_value),
        "deviance": plain(fit.deviance),
        "null_deviance": plain(fit.null_deviance),
        "log_likelihood": plain(fit.log_likelihood),
        "aic": plain(fit.aic),
        "bic": plain(fit.bic),
        "residual_quantiles": None
        if fit._data is None
        else plain(np.quantile(fit.residuals(), (0, 0.25, 0.5, 0.75, 1))),
        "notes": fit.notes,
    }
