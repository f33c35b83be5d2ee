"""A fitted generalised linear model: its coefficients on its data, how well they fit, and the QR of its information."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from glassnet.engines.triangle import LeastSquaresSolution, Triangle
from glassnet.errors import GlassnetError
from glassnet.statistics.design_rows import ALIASED, INTERCEPT, design_chunks
from glassnet.statistics.families import Curvature, Family

if TYPE_CHECKING:
    from glassnet.statistics.separation import Separation

Array = np.ndarray


class GLMFit:
    """What a generalised linear model says before any test: predictors, means, residuals, deviances, information.

        η = XW + b,   μ = g⁻¹(η),   D = Σ w d(y, μ),   I = X₁ᵀ C X₁

    Parameters
    ----------
    X : (m, features), dense or sparse rows; y : (m,); w : (m,) prior weights above 0, or None
    coefficients : (p,), the intercept first when there is one; 0 where aliased
    family, curvature : of the network
    names, response, call : what is printed
    aliased : positions of coefficients that the fit left out
    iterations, optimizer, converged, penalised : how it was fitted
    separation : what separates the classes, or None
    weighed_at : (p,) coefficients at which the information is taken; those of the fit unless given

    Raises
    ------
    GlassnetError : shapes that do not fit
    """

    zero_weight_rows = 0

    def __init__(
        self,
        X: Any,
        y: Any,
        w: Any,
        coefficients: Any,
        family: Family,
        curvature: Curvature,
        *,
        intercept: bool = True,
        names: Sequence[str] | None = None,
        response: str | None = None,
        call: str | None = None,
        aliased: Sequence[int] = (),
        iterations: int | None = None,
        optimizer: str = "Fisher Scoring",
        converged: bool = True,
        penalised: bool = False,
        separation: Separation | None = None,
        weighed_at: Any = None,
    ) -> None:
        self.X = X
        self.y = np.asarray(y, dtype=np.float64).reshape(-1)
        self.prior_weights = np.ones_like(self.y) if w is None else np.asarray(w, dtype=np.float64).reshape(-1)
        self.family = family
        self.curvature = curvature
        self.intercept = intercept
        features = int(X.shape[1])
        named = [f"x{i}" for i in range(features)] if names is None else [str(n) for n in names]
        self.names = ([INTERCEPT] if intercept else []) + named
        estimates = np.asarray(coefficients, dtype=np.float64).reshape(-1)
        if len(named) != features or len(estimates) != len(self.names) or len(self.y) != X.shape[0]:
            raise GlassnetError(
                f"GLMStatistics got X of shape {tuple(X.shape)}, {len(self.y)} targets, {len(named)} names and "
                f"{len(estimates)} coefficients; it needs a target a row, a name a column and {len(self.names)} "
                "coefficients, the intercept first."
            )
        self.response = response or "y"
        self.call = call
        self.iterations = iterations
        self.optimizer = optimizer
        self.converged = converged
        self.penalised = penalised
        self.separation = separation
        self._given = np.zeros(len(estimates), dtype=bool)
        self._given[list(aliased)] = True
        self._estimates = np.where(self._given, 0.0, estimates)
        self._weighed_at = None if weighed_at is None else np.asarray(weighed_at, dtype=np.float64).reshape(-1)

    # The fit.

    @cached_property
    def linear_predictors(self) -> Array:
        """η = XW + b of every row."""
        return self.linear(self.X)

    @cached_property
    def fitted_values(self) -> Array:
        """μ = g⁻¹(η) of every row."""
        return np.asarray(self.family.inverse_link(self.linear_predictors))

    @cached_property
    def working_weights(self) -> Array:
        """C of every row: the weights of Fisher scoring at the coefficients.

        Where classes are separated, those of the step before, as R has them: in the end they differ by a factor e a step.
        """
        scores = self.linear_predictors if self._weighed_at is None else self.linear(self.X, self._weighed_at)
        column = scores[:, None]
        along = self.curvature.along(column, self.y[:, None], self.prior_weights[:, None], np.ones_like(column))
        return np.asarray(along[:, 0])

    @cached_property
    def _scores(self) -> Array:
        column = self.linear_predictors[:, None]
        return self.curvature.slope(column, self.y[:, None], self.prior_weights[:, None])[:, 0]

    @cached_property
    def gradient(self) -> Array:
        """∂(Σ w ℓ)/∂β: 0 at the maximum of the likelihood."""
        parts = [part.T @ self._scores[start : start + len(part)] for start, part in self._chunks()]
        return np.asarray(np.sum(parts, axis=0))

    @cached_property
    def _solution(self) -> LeastSquaresSolution:
        triangle = Triangle(int((~self._given).sum()), 1)
        for start, part in self._chunks():
            kept = part[:, ~self._given]
            rows = slice(start, start + len(part))
            triangle.add(kept, np.zeros(len(kept)), self.working_weights[rows])
        return triangle.solve(ALIASED)

    @cached_property
    def aliased(self) -> Array:
        """(p,) whether a coefficient is not defined because its column is a combination of the earlier ones."""
        found = self._given.copy()
        found[~self._given] = self._solution.aliased
        return found

    @cached_property
    def rank(self) -> int:
        return int((~self.aliased).sum())

    @property
    def undetermined(self) -> bool:
        """Whether an iterative method shared out the effect of aliased columns, so that no coefficient is unique."""
        return self.optimizer != "Fisher Scoring" and bool(self.aliased.any())

    @cached_property
    def coefficients(self) -> Array:
        return np.where(self.aliased, np.nan, self._estimates)

    @property
    def df_residual(self) -> int:
        return len(self.y) - self.rank

    @property
    def df_null(self) -> int:
        return len(self.y) - int(INTERCEPT in self.names)

    # How well it fits.

    @cached_property
    def deviance(self) -> float:
        """D = Σ w d(y, μ)."""
        return float((self.prior_weights * self.family.deviances(self.y, self.linear_predictors)).sum())

    @cached_property
    def null_deviance(self) -> float:
        """D of the model with the intercept alone (of η = 0 when there is none)."""
        eta = 0.0
        if INTERCEPT in self.names:  # a column of ones of one's own is one, too
            with np.errstate(divide="ignore"):
                eta = float(self.family.link_function(np.asarray(np.average(self.y, weights=self.prior_weights))))
            if math.isinf(eta):  # all outcomes are alike, at the edge of what they can be
                return 0.0
        everywhere = np.full_like(self.y, eta)
        return float((self.prior_weights * self.family.deviances(self.y, everywhere)).sum())

    @cached_property
    def dispersion(self) -> float:
        """φ: 1, or Pearson's Σ w (y − μ)²/V(μ) over the degrees of freedom."""
        if self.family.known_dispersion:
            return 1.0
        if self.df_residual <= 0:
            return float("nan")
        return float(np.square(self.residuals("pearson")).sum() / self.df_residual)

    @cached_property
    def log_likelihood(self) -> float:
        return self.family.log_likelihood(self.y, self.linear_predictors, self.prior_weights, self.deviance)

    @property
    def parameter_count(self) -> int:
        """Coefficients, and the dispersion where it is estimated."""
        return self.rank + (0 if self.family.known_dispersion else 1)

    @property
    def aic(self) -> float:
        return -2 * self.log_likelihood + 2 * self.parameter_count

    @property
    def bic(self) -> float:
        return -2 * self.log_likelihood + float(np.log(len(self.y))) * self.parameter_count

    def residuals(self, kind: Literal["deviance", "response", "pearson", "working"] = "deviance") -> Array:
        """Residuals of every row.

        response   y − μ
        deviance   sign(y − μ) √(w d)
        pearson    (y − μ) √(w / V(μ))
        working    (y − μ) dη/dμ
        """
        raw = self.y - self.fitted_values
        if kind == "response":
            return np.asarray(raw)
        if kind == "deviance":
            each = self.prior_weights * self.family.deviances(self.y, self.linear_predictors)
            return np.asarray(np.sign(raw) * np.sqrt(each))
        with np.errstate(divide="ignore", invalid="ignore"):
            if kind == "pearson":
                return np.asarray(raw * np.sqrt(self.prior_weights / self.family.variance(self.fitted_values)))
            if kind == "working":  # a canonical link's slope is 1/V
                return np.asarray(raw / self.family.variance(self.fitted_values))
        raise GlassnetError(f"residuals got {kind!r}; it needs 'deviance', 'response', 'pearson' or 'working'.")

    # Inside.

    def linear(self, X: Any, coefficients: Array | None = None) -> Array:
        """η = XW + b of these rows, at the fit's coefficients unless others are given."""
        estimates = self._estimates if coefficients is None else coefficients
        slopes = estimates[1:] if self.intercept else estimates
        first = float(estimates[0]) if self.intercept else 0.0
        return np.asarray(X @ slopes, dtype=np.float64).reshape(-1) + first

    def _chunks(self) -> Iterator[tuple[int, Array]]:
        return design_chunks(self.X, self.intercept)

    def lengths(self, X: Any) -> Array:
        """‖x R⁻¹‖² = xᵀ I⁻¹ x of every row, R of the QR of √C X₁."""
        from scipy.linalg import solve_triangular

        solution = self._solution
        order = np.flatnonzero(~self._given)[np.asarray(solution.pivot)[: solution.rank]]
        parts = [
            np.square(solve_triangular(solution.factor, part[:, order].T, trans="T")).sum(axis=0)
            for _, part in design_chunks(X, self.intercept)
        ]
        return np.concatenate(parts)
