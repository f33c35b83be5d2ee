"""Predictions of a generalised linear model with their standard errors and intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import GlassnetError
from glassnet.statistics.confidence import PENALISED
from glassnet.statistics.tables import make_table

if TYPE_CHECKING:
    from glassnet.statistics.glm import GLMStatistics


def predictions(fit: GLMStatistics, X: Any, type: str, interval: str | None, level: float, se: bool) -> Any:
    """See `GLMStatistics.predict`.

        Var η̂ = xᵀ V x = φ ‖x R⁻¹‖²,   Var μ̂ ≈ (dμ/dη)² Var η̂

    Source: McCullagh and Nelder, Generalized Linear Models, 2nd ed., 1989, section 4.4 (the interval is made for η).
    """
    family = fit.family
    if type not in ("response", "link"):
        raise GlassnetError(f"predict got type={type!r}; it needs 'response' or 'link'.")
    if interval not in (None, "confidence", "prediction"):
        raise GlassnetError(f"predict got interval={interval!r}; it needs None, 'confidence' or 'prediction'.")
    if interval == "prediction" and family.known_dispersion:
        raise GlassnetError(
            f"predict got interval='prediction' for the {family.name} family, whose single outcomes are whole numbers, "
            "not a range around the mean; use interval='confidence' for the mean."
        )
    rows = fit.X if X is None else X if hasattr(X, "toarray") else np.asarray(X, dtype=np.float64)
    if getattr(rows, "ndim", 0) != 2 or rows.shape[1] != fit.X.shape[1]:
        raise GlassnetError(
            f"predict got X of shape {np.shape(rows)}; it needs (m, {fit.X.shape[1]}), the features of the fit."
        )
    eta = fit.linear(rows)
    shown = (lambda value: value) if type == "link" else family.inverse_link
    if interval is None and not se:
        return np.asarray(shown(eta))
    if fit.penalised:
        raise GlassnetError(PENALISED)
    errors = np.sqrt(fit.dispersion * fit.lengths(rows))
    if interval is None:
        slope = 1.0 if type == "link" else family.variance(family.inverse_link(eta))  # dμ/dη = V under canonical links
        return make_table({"fit": shown(eta), "se": errors * slope})
    reach = np.hypot(errors, np.sqrt(fit.dispersion)) if interval == "prediction" else errors
    reach = fit.quantile(level) * reach
    return make_table({"fit": shown(eta), "lower": shown(eta - reach), "upper": shown(eta + reach)})
