"""Confidence levels: what they may be, and what the limits of an interval are called."""

from __future__ import annotations

from typing import Any

from glassnet.errors import GlassnetError

PENALISED = (
    "The fit was penalised: its estimates are biased towards 0, and a standard error would measure their spread without "
    "that bias. Fit without l1 and l2 for standard errors, tests and intervals."
)
"""Why a penalised fit has no standard errors."""


def check_level(level: Any) -> None:
    """Refuse a confidence level that is no share of all cases.

    Raises
    ------
    GlassnetError : it is not a number strictly between 0 and 1
    """
    if isinstance(level, bool) or not isinstance(level, int | float) or not 0 < level < 1:
        raise GlassnetError(f"A confidence level got {level!r}; it needs a number between 0 and 1, such as 0.95.")


def limit_names(level: float) -> tuple[str, str]:
    """The column names R gives an interval: "2.5 %" and "97.5 %"."""
    low, high = (f"{100 * share:.3g} %" for share in ((1 - level) / 2, (1 + level) / 2))
    return low, high
