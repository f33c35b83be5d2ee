"""Refits of a generalised linear model with something held fixed: profile likelihoods and the analysis of deviance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import chdtrc, fdtrc

from glassnet.errors import GlassnetError
from glassnet.statistics.confidence import PENALISED
from glassnet.statistics.design_rows import INTERCEPT, design_chunks
from glassnet.statistics.tables import make_table

if TYPE_CHECKING:
    from glassnet.statistics.glm import GLMStatistics

Array = np.ndarray
STEPS = 50
"""Newton's steps of a refit at most; each starts near its solution."""
FARTHEST = 40
"""Standard errors to either side within which a profile's limit is looked for."""


def refit(fit: GLMStatistics, design: Array, offset: Array, start: Array) -> tuple[Array, float]:
    """Newton's method for η = offset + design β: (β, deviance).

    β ← β − (XᵀCX)⁻¹ Xᵀ s,   C and s the curvature and slope of the run's own equations; halved while D grows
    """
    y, w = fit.y[:, None], fit.prior_weights[:, None]
    beta = np.array(start, dtype=np.float64)

    def deviance(eta: Array) -> float:
        with np.errstate(all="ignore"):  # a step too far overflows, and is halved
            return float((fit.prior_weights * fit.family.deviances(fit.y, eta)).sum())

    eta = offset + design @ beta
    now = deviance(eta)
    for _ in range(STEPS if len(beta) else 0):
        column = eta[:, None]
        C = fit.curvature.along(column, y, w, np.ones_like(column))[:, 0]
        s = fit.curvature.slope(column, y, w)[:, 0]
        root = np.sqrt(np.maximum(C, np.finfo(np.float64).tiny))
        step = np.linalg.lstsq(root[:, None] * design, s / root, rcond=None)[0]
        for _ in range(30):
            following = offset + design @ (beta - step)
            then = deviance(following)
            if math.isfinite(then) and then <= now * (1 + 1e-12) + 1e-300:
                break
            step = step / 2
        fallen = now - then
        beta, eta, now = beta - step, following, then
        if abs(fallen) <= 1e-14 * (abs(now) + 1e-10):
            break
    return beta, now


def profile_limits(fit: GLMStatistics, z: float) -> tuple[Array, Array]:
    """The two values of each coefficient at which the likelihood, maximised over the others, has fallen far enough.

        { β_j : (D(β_j) − D) / φ = z² }

    NaN where a coefficient is aliased, or no limit lies within 40 standard errors (as under separation).

    Source: McCullagh and Nelder, Generalized Linear Models, 2nd ed., 1989, section 7.4.3.
    """
    from scipy.optimize import brentq

    design = np.concatenate([part for _, part in design_chunks(fit.X, fit.intercept)])
    kept = np.flatnonzero(~fit.aliased)
    limits = np.full((2, len(fit.names)), np.nan)
    for j in map(int, kept):
        others = kept[kept != j]
        centre, scale = float(fit.coefficients[j]), float(fit.standard_errors[j])
        found = {0.0: fit.coefficients[others]}
        tangent = fit.covariance[others, j] / scale  # how the others move with β_j near the maximum

        def signed(
            t: float, j: int = j, others: Array = others, found: dict[float, Array] = found, tangent: Array = tangent
        ) -> float:
            """√((D(β_j) − D)/φ) − z at β_j = β̂_j + t SE_j."""
            near = min(found, key=lambda other: abs(other - t))
            value = fit.coefficients[j] + t * fit.standard_errors[j]
            start = found[near] + (t - near) * tangent
            found[t], deviance = refit(fit, design[:, others], design[:, j] * value, start)
            return math.sqrt(max(deviance - fit.deviance, 0.0) / fit.dispersion) - z

        for side, sign in ((0, -1.0), (1, 1.0)):
            reach = z / 2
            while signed(sign * reach) < 0 and reach < FARTHEST:
                reach += z / 2
            if reach < FARTHEST:
                t = brentq(lambda size, sign=sign, signed=signed: signed(sign * size), 0.0, reach, xtol=1e-10)
                limits[side, j] = centre + sign * t * scale
    return limits[0], limits[1]


def analysis_of_deviance(
    fit: GLMStatistics, terms: Mapping[str, Sequence[str]] | None = None, test: str | None = "Chisq"
) -> Any:
    """The terms added one after another to the intercept, and what each takes from the deviance.

    Parameters
    ----------
    fit : the model with all of them
    terms : term -> the names of its coefficients, in the order in which they are added; each coefficient its own term
        unless given
    test : "Chisq": P(χ²_df > ΔD/φ);  "F": P(F_{df, df_residual} > ΔD/(df φ));  None for no test

    Returns
    -------
    table with Df, Deviance, Resid. Df, Resid. Dev and the p-value, first row NULL: R's `anova(fit, test=...)`

    Raises
    ------
    GlassnetError : the fit was penalised; a name that no coefficient has; another test
    """
    if fit.penalised:
        raise GlassnetError(PENALISED)
    if test not in ("Chisq", "F", None):
        raise GlassnetError(f"anova got test={test!r}; it needs 'Chisq', 'F' or None.")
    grouped = {n: [n] for n in fit.names if n != INTERCEPT} if terms is None else {t: list(n) for t, n in terms.items()}
    unknown = [name for names in grouped.values() for name in names if name not in fit.names]
    if unknown:
        raise GlassnetError(f"anova got terms of {', '.join(unknown)}; the coefficients are {', '.join(fit.names)}.")
    design = np.concatenate([part for _, part in design_chunks(fit.X, fit.intercept)])
    present = [0] if fit.intercept else []
    offset = np.zeros(len(fit.y))
    beta = np.zeros(len(present))
    if fit.intercept:
        beta[0] = fit.coefficients[0] if fit.rank == 1 else _intercept_alone(fit)
    rows: list[tuple[float, float, int, float]] = [(math.nan, math.nan, fit.df_null, fit.null_deviance)]
    for names in grouped.values():
        added = [fit.names.index(name) for name in names if not fit.aliased[fit.names.index(name)]]
        present = present + added
        beta = np.concatenate([beta, np.zeros(len(added))])
        beta, deviance = refit(fit, design[:, present], offset, beta)
        rows.append((len(added), rows[-1][3] - deviance, len(fit.y) - len(present), deviance))
    df, fallen, left_df, left = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    columns = {"Df": df, "Deviance": fallen, "Resid. Df": left_df, "Resid. Dev": left}
    with np.errstate(divide="ignore", invalid="ignore"):
        if test == "Chisq":
            columns["Pr(>Chi)"] = np.where(df > 0, chdtrc(df, fallen / fit.dispersion), np.nan)
        elif test == "F":
            ratio = fallen / df / fit.dispersion
            columns["F"] = ratio
            infinite = math.inf if fit.family.known_dispersion else fit.df_residual
            columns["Pr(>F)"] = np.where(
                df > 0, chdtrc(df, ratio * df) if math.isinf(infinite) else fdtrc(df, infinite, ratio), np.nan
            )
    return make_table(columns, ["NULL", *grouped])


def _intercept_alone(fit: GLMStatistics) -> float:
    mean = float(np.average(fit.y, weights=fit.prior_weights))
    return float(fit.family.link_function(np.asarray(mean)))
