"""`GLMStatistics`: what R prints of a generalised linear model, for a run of one layer with one output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from glassnet.errors import GlassnetError
from glassnet.statistics.confidence import PENALISED, check_level, limit_names
from glassnet.statistics.design_rows import training_data
from glassnet.statistics.families import (
    Curvature,
    family_of,
    normal_p_values,
    normal_quantile,
    t_p_values,
    t_quantile,
)
from glassnet.statistics.glm_fit import GLMFit
from glassnet.statistics.glm_predictions import predictions
from glassnet.statistics.separation import converged, separation_of
from glassnet.statistics.tables import make_table

if TYPE_CHECKING:
    from glassnet.statistics.glm_summary import GLMSummary
    from glassnet.training.run import Run

Array = np.ndarray


class GLMStatistics(GLMFit):
    """The statistics of a generalised linear model, computed from its coefficients and data.

        information   I = X₁ᵀ C X₁,   C = ∂dZ1/∂Z1 of the summed loss, X₁ = (1 X)
        covariance    φ I⁻¹, by the QR of √C X₁
        φ             1; gaussian: Σ w (y − μ)² / (m − rank)

    Rows of weight 0 are absent from every count, R's BIC alone counts them.

    Attributes
    ----------
    names : (p,) of the coefficients, "(Intercept)" first when there is one
    coefficients, standard_errors, statistics, p_values : (p,), NaN where aliased
    covariance : (p, p) of the estimates
    deviance, null_deviance, df_residual, df_null, dispersion, log_likelihood, aic, bic
    linear_predictors, fitted_values, prior_weights : (m,)
    leverage, standardized_residuals, cooks_distance : (m,)
    iterations : of Fisher scoring, as R counts them (of the optimiser's own when it was another)
    gradient : (p,) slopes of the summed loss that are left
    separation : what separates the classes, or None
    notes : sentences on what to beware of

    Raises
    ------
    GlassnetError : shapes that do not fit

    Source: McCullagh and Nelder, Generalized Linear Models, 2nd ed., 1989.
    """

    @classmethod
    def from_run(
        cls,
        run: Run,
        *,
        names: Sequence[str] | None = None,
        response: str | None = None,
        call: str | None = None,
        classes: Sequence[Any] | None = None,
        output: int = 0,
    ) -> GLMStatistics:
        """The statistics of a run of `gn.Network(n, gn.Dense(1, ...))`.

        Parameters
        ----------
        run : under binary_cross_entropy and sigmoid, poisson and exp, or mean_squared_error and linear
        names : of the features, x0, x1, ... by default; response : of the target; call : what stands under "Call:"
        classes : the two classes, 0's first, for the sentence about separation
        output : which output, when there are several

        Raises
        ------
        GlassnetError : another loss or more than one layer; RunError : the run is without its data
        """
        family = family_of(run.derivation)
        if len(run.network.layers) != 1:
            raise GlassnetError(
                f"Statistics of a generalised linear model got the network {run.network}; they need one Dense layer."
            )
        data = training_data(run)
        parameters = run.parameters
        direct = run.facts.get("direct") or {}
        iterations = int(direct.get("iterations", run.iteration))
        separation = separation_of(run, names=names, classes=classes)
        weighed_at = None
        if separation is not None and direct.get("method") == "newton" and iterations > 1:
            weighed_at = _coefficients(run.at(iterations - 1).parameters, output)
        if family.name == "gaussian" and direct.get("method") == "qr":
            iterations = 2  # R finds the solution in the first iteration and notices in the second
        made = cls(
            data.X, data.Y[:, output], data.w, _coefficients(parameters, output), family, Curvature(run.derivation),
            intercept="b1" in parameters, names=names, response=response, call=call, aliased=direct.get("aliased", ()),
            iterations=iterations, optimizer="Fisher Scoring" if direct else type(run.settings.optimizer).__name__,
            converged=converged(run), penalised=bool(run.derivation.l1 or run.derivation.l2),
            separation=separation, weighed_at=weighed_at,
        )  # fmt: skip
        made.zero_weight_rows = int(run.facts["data"].get("zero_weight_rows", 0))
        return made

    # Inference.

    @cached_property
    def covariance(self) -> Array:
        """(p, p) φ I⁻¹; NaN where aliased, and everywhere for a penalised fit or an `undetermined` one."""
        found = np.full((len(self.names), len(self.names)), np.nan)
        if not self.penalised and not self.undetermined:
            kept = np.flatnonzero(~self._given)
            found[np.ix_(kept, kept)] = self.dispersion * self._solution.unscaled
        return found

    @cached_property
    def standard_errors(self) -> Array:
        return np.sqrt(np.diag(self.covariance))

    @property
    def statistics(self) -> Array:
        """z values, or t values where the dispersion is estimated."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self.coefficients / self.standard_errors)

    @property
    def p_values(self) -> Array:
        if self.family.known_dispersion:
            return normal_p_values(self.statistics)
        return t_p_values(self.statistics, self.df_residual)

    @property
    def coefficient_table(self) -> Any:
        """Estimate, standard error, z (or t) and p, a row a coefficient."""
        letter = self.family.statistic
        return make_table(
            {
                "Estimate": self.coefficients,
                "Std. Error": self.standard_errors,
                f"{letter} value": self.statistics,
                f"Pr(>|{letter}|)": self.p_values,
            },
            self.names,
        )

    def quantile(self, level: float) -> float:
        """How many standard errors an interval of this level reaches to either side."""
        check_level(level)
        upper = (1 + level) / 2
        return normal_quantile(upper) if self.family.known_dispersion else t_quantile(upper, self.df_residual)

    def conf_int(self, level: float = 0.95, method: Literal["wald", "profile"] = "wald") -> Any:
        """Confidence intervals of the coefficients.

            wald      β ± z SE                                   R's confint.default
            profile   {β_j : min D(β with β_j fixed) − D ≤ φ z²}    R's confint, which interpolates where this solves

        z is the quantile of the normal distribution, whatever the family, as in both of R's.

        Raises
        ------
        GlassnetError : the fit was penalised; a level outside (0, 1); another method
        """
        if self.penalised:
            raise GlassnetError(PENALISED)
        check_level(level)
        z = normal_quantile((1 + level) / 2)
        if method == "profile":
            from glassnet.statistics.glm_refits import profile_limits

            low, high = profile_limits(self, z)
        elif method == "wald":
            low, high = self.coefficients - z * self.standard_errors, self.coefficients + z * self.standard_errors
        else:
            raise GlassnetError(f"conf_int got method={method!r}; it needs 'wald' or 'profile'.")
        return make_table(dict(zip(limit_names(level), (low, high), strict=True)), self.names)

    def predict(
        self,
        X: Any = None,
        type: Literal["response", "link"] = "response",
        interval: Literal["confidence", "prediction"] | None = None,
        level: float = 0.95,
        se: bool = False,
    ) -> Any:
        """Predictions for new rows (those of the fit unless given).

            link       η = xβ,              SE = √(xᵀ V x)
            response   μ = g⁻¹(η),          SE = |dμ/dη| √(xᵀ V x)

        Parameters
        ----------
        X : (m, features), the features of the fit
        type : "response" (μ) or "link" (η)
        interval : "confidence": η ± z SE, carried through g⁻¹, so that it stays where means can be. "prediction" only
            for the gaussian family
        se : return the standard errors beside the predictions

        Returns
        -------
        (m,) array; with an interval a table fit, lower, upper; with `se` a table fit, se

        Raises
        ------
        GlassnetError : shapes that do not fit; a prediction interval for counts or classes; intervals of a penalised fit
        """
        return predictions(self, X, type, interval, level, se)

    # Single rows.

    @cached_property
    def leverage(self) -> Array:
        """h = C ‖x R⁻¹‖²: how much a row's own outcome moves its fit; they sum to the rank."""
        return np.asarray(self.working_weights * self.lengths(self.X))

    @property
    def standardized_residuals(self) -> Array:
        """Deviance residuals over √(φ (1 − h))."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self.residuals("deviance") / np.sqrt(self.dispersion * (1 - self.leverage)))

    @property
    def cooks_distance(self) -> Array:
        """(r / (1 − h))² h / (φ rank), r the Pearson residual."""
        with np.errstate(divide="ignore", invalid="ignore"):
            moved = np.square(self.residuals("pearson") / (1 - self.leverage))
            return np.asarray(moved * self.leverage / (self.dispersion * self.rank))

    # Reading.

    def anova(self, terms: Mapping[str, Sequence[str]] | None = None, test: str | None = "Chisq") -> Any:
        """Analysis of deviance: the terms added one after another. See `glm_refits.analysis_of_deviance`."""
        from glassnet.statistics.glm_refits import analysis_of_deviance

        return analysis_of_deviance(self, terms, test)

    @property
    def notes(self) -> list[str]:
        from glassnet.statistics.glm_summary import notes

        return notes(self)

    def summary(self) -> GLMSummary:
        """What R's `summary(glm(...))` prints; its tables are attributes."""
        from glassnet.statistics.glm_summary import GLMSummary

        return GLMSummary(self)

    def to_plain(self) -> dict[str, Any]:
        """Everything a summary says, as JSON has it (NaN and infinities as None)."""
        from glassnet.statistics.glm_summary import plain_glm

        return plain_glm(self)

    def __repr__(self) -> str:
        return f"<GLMStatistics of {self.response}: {self.family.name}, {len(self.y)} rows, {len(self.names)} coefficients>"


def _coefficients(parameters: Mapping[str, Any], output: int) -> Array:
    """(p,) of one output, the intercept first when there is one."""
    W = np.asarray(parameters["W1"], dtype=np.float64)[:, output]
    return np.concatenate([[float(parameters["b1"][output])], W]) if "b1" in parameters else W
