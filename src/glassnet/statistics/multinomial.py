"""`MultinomialStatistics`: what R's `multinom` prints, with tests, for a run of one softmax layer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy.special import logsumexp, xlogy

from glassnet.engines.triangle import LeastSquaresSolution, Triangle
from glassnet.errors import GlassnetError
from glassnet.statistics.confidence import PENALISED, check_level, limit_names
from glassnet.statistics.design_rows import ALIASED, INTERCEPT, design_chunks, training_data
from glassnet.statistics.families import Curvature, normal_p_values, normal_quantile
from glassnet.statistics.separation import converged, separation_of
from glassnet.statistics.tables import make_table

if TYPE_CHECKING:
    from glassnet.statistics.glm_summary import MultinomialSummary
    from glassnet.statistics.separation import Separation
    from glassnet.training.run import Run

Array = np.ndarray


class MultinomialStatistics:
    """The statistics of a multinomial logistic regression: every class against the first.

        p          softmax(0, x β₁, ..., x β_{K−1})
        information  I = Σᵢ Cᵢ ⊗ xᵢ xᵢᵀ,   Cᵢ = ∂dZ1/∂Z1 of the summed loss without the first class: w (diag p − p pᵀ)
        covariance   I⁻¹, by the QR of the rows  sₖ ⊗ x,   sₖ = C eₖ / √(w pₖ),   Σₖ sₖ sₖᵀ = C

    Attributes
    ----------
    names : (p,) of the columns, "(Intercept)" first when there is one; classes : (K,); reference : the first class
    coefficients, standard_errors, statistics, p_values : (K − 1, p), a row a class, NaN where aliased
    covariance : ((K − 1) p, (K − 1) p), class by class, in the order of `labels` ("class:column")
    deviance, null_deviance, df_residual, log_likelihood, aic, bic
    fitted_values : (m, K) probabilities
    separation : what separates the classes, or None
    notes : sentences on what to beware of

    Source: Agresti, Categorical Data Analysis, 3rd ed., 2013, section 8.1.
    """

    def __init__(
        self,
        X: Any,
        Y: Any,
        w: Any,
        coefficients: Any,
        curvature: Curvature,
        *,
        intercept: bool = True,
        names: Sequence[str] | None = None,
        classes: Sequence[Any] | None = None,
        response: str | None = None,
        call: str | None = None,
        aliased: Sequence[int] = (),
        iterations: int | None = None,
        optimizer: str = "Newton",
        converged: bool = True,
        penalised: bool = False,
        separation: Separation | None = None,
    ) -> None:
        self.X = X
        self.Y = np.asarray(Y, dtype=np.float64)
        self.prior_weights = np.ones(len(self.Y)) if w is None else np.asarray(w, dtype=np.float64).reshape(-1)
        self.curvature = curvature
        self.intercept = intercept
        features = int(X.shape[1])
        named = [f"x{i}" for i in range(features)] if names is None else [str(n) for n in names]
        self.names = ([INTERCEPT] if intercept else []) + named
        self.classes = [str(c) for c in (range(self.Y.shape[1]) if classes is None else classes)]
        estimates = np.asarray(coefficients, dtype=np.float64)
        wanted = (len(self.Y[0]) - 1, len(self.names))
        if len(named) != features or estimates.shape != wanted or len(self.classes) != self.Y.shape[1]:
            raise GlassnetError(
                f"MultinomialStatistics got {len(named)} names, {len(self.classes)} classes and coefficients of shape "
                f"{estimates.shape} for X of shape {tuple(X.shape)} and Y of shape {self.Y.shape}; it needs a name a "
                f"column, a class a column of Y, and coefficients of shape {wanted}."
            )
        self.response = response or "y"
        self.call = call
        self.iterations = iterations
        self.optimizer = optimizer
        self.converged = converged
        self.penalised = penalised
        self.separation = separation
        self._given = np.zeros(len(self.names), dtype=bool)
        self._given[list(aliased)] = True
        self._estimates = np.where(self._given, 0.0, estimates)

    @classmethod
    def from_run(
        cls,
        run: Run,
        *,
        names: Sequence[str] | None = None,
        response: str | None = None,
        call: str | None = None,
        classes: Sequence[Any] | None = None,
    ) -> MultinomialStatistics:
        """The statistics of a run of `gn.Network(n, gn.Dense(K, "softmax"))`.

        Parameters
        ----------
        run : under categorical_cross_entropy
        names : of the features, x0, x1, ... by default; classes : of the outputs, 0, 1, ... by default
        response : the target's name; call : what stands under "Call:"

        Raises
        ------
        GlassnetError : another loss, or more than one layer; RunError : the run is without its data
        """
        derivation = run.derivation
        if derivation.loss.name != "categorical_cross_entropy" or derivation.output_activation.name != "softmax":
            raise GlassnetError(
                f"Multinomial statistics got {derivation.loss.name} over {derivation.output_activation.name}; they need "
                "categorical_cross_entropy over softmax."
            )
        data = training_data(run)
        parameters = run.parameters
        columns = np.asarray(parameters["W1"], dtype=np.float64)
        intercept = "b1" in parameters
        if intercept:
            columns = np.vstack([np.asarray(parameters["b1"], dtype=np.float64), columns])
        direct = run.facts.get("direct") or {}
        return cls(
            data.X, data.Y, data.w, (columns[:, 1:] - columns[:, :1]).T, Curvature(derivation),
            intercept=intercept, names=names, classes=classes, response=response, call=call,
            aliased=direct.get("aliased", ()), iterations=int(direct.get("iterations", run.iteration)),
            optimizer=type(run.settings.optimizer).__name__, converged=converged(run),
            penalised=bool(derivation.l1 or derivation.l2),
            separation=separation_of(run, names=names, classes=classes),
        )  # fmt: skip

    @property
    def reference(self) -> str:
        return self.classes[0]

    @property
    def labels(self) -> list[str]:
        """ "class:column" of every coefficient, in the order of `covariance`."""
        return [f"{c}:{name}" for c in self.classes[1:] for name in self.names]

    # The fit.

    @cached_property
    def linear_predictors(self) -> Array:
        """(m, K) scores, those of the first class 0."""
        return self._scores(self.X)

    @cached_property
    def log_probabilities(self) -> Array:
        return np.asarray(self.linear_predictors - logsumexp(self.linear_predictors, axis=1, keepdims=True))

    @property
    def fitted_values(self) -> Array:
        return np.asarray(np.exp(self.log_probabilities))

    @cached_property
    def gradient(self) -> Array:
        """(K − 1, p) ∂(Σ w ℓ)/∂β: 0 at the maximum of the likelihood."""
        slopes = self.curvature.slope(self.linear_predictors, self.Y, self.prior_weights[:, None])[:, 1:]
        parts = [slopes[start : start + len(part)].T @ part for start, part in self._chunks()]
        return np.asarray(np.sum(parts, axis=0))

    @cached_property
    def _solution(self) -> LeastSquaresSolution:
        kept = ~self._given
        K = len(self.classes)
        triangle = Triangle(int(kept.sum()) * (K - 1), 1)
        for start, part in self._chunks():
            rows = slice(start, start + len(part))
            for block in self._square_roots(rows):
                tall = (block[:, :, None] * part[:, None, kept]).reshape(len(part), -1)
                triangle.add(tall, np.zeros(len(tall)))
        return triangle.solve(ALIASED)

    def _square_roots(self, rows: slice) -> Any:
        """sₖ of every class k, (rows, K − 1) each: Σₖ sₖ sₖᵀ is the curvature of the row."""
        Z, Y, w = self.linear_predictors[rows], self.Y[rows], self.prior_weights[rows, None]
        p = np.exp(self.log_probabilities[rows])
        for k in range(len(self.classes)):
            chosen = np.zeros_like(Z)
            chosen[:, k] = 1.0
            along = self.curvature.along(Z, Y, w, chosen)[:, 1:]
            size = np.sqrt(w * p[:, k : k + 1])
            yield np.divide(along, size, out=np.zeros_like(along), where=size > 0)

    @cached_property
    def aliased(self) -> Array:
        """(p,) whether a column is a combination of the earlier ones (for every class)."""
        found = self._given.copy()
        found[~self._given] = self._solution.aliased.reshape(len(self.classes) - 1, -1).all(axis=0)
        return found

    @property
    def undetermined(self) -> bool:
        """Whether an iterative method shared out the effect of aliased columns, so that no coefficient is unique."""
        return bool((self.aliased & ~self._given).any())

    @property
    def coefficients(self) -> Array:
        return np.where(self.aliased, np.nan, self._estimates)

    @property
    def parameter_count(self) -> int:
        """Coefficients estimated: R's edf."""
        return int((~self.aliased).sum()) * (len(self.classes) - 1)

    @property
    def df_residual(self) -> int:
        return len(self.Y) * (len(self.classes) - 1) - self.parameter_count

    @cached_property
    def deviance(self) -> float:
        """D = 2 Σ w Σₖ yₖ log(yₖ / pₖ): −2 times the log-likelihood for one-hot rows."""
        each = (xlogy(self.Y, self.Y) - self.Y * self.log_probabilities).sum(axis=1)
        return float(2 * (self.prior_weights * each).sum())

    @cached_property
    def null_deviance(self) -> float:
        """D of the model with the intercepts alone: the classes' shares."""
        shares = np.average(self.Y, axis=0, weights=self.prior_weights)
        if INTERCEPT not in self.names:  # a column of ones of one's own is one, too
            shares = np.full_like(shares, 1 / len(shares))
        each = (xlogy(self.Y, self.Y) - xlogy(self.Y, shares)).sum(axis=1)
        return float(2 * (self.prior_weights * each).sum())

    @property
    def log_likelihood(self) -> float:
        return -self.deviance / 2

    @property
    def aic(self) -> float:
        return self.deviance + 2 * self.parameter_count

    @property
    def bic(self) -> float:
        return self.deviance + float(np.log(len(self.Y))) * self.parameter_count

    # Inference.

    @cached_property
    def covariance(self) -> Array:
        size = len(self.labels)
        found = np.full((size, size), np.nan)
        if not self.penalised and not self.undetermined:
            kept = np.flatnonzero(np.tile(~self._given, len(self.classes) - 1))
            found[np.ix_(kept, kept)] = self._solution.unscaled
        return found

    @cached_property
    def standard_errors(self) -> Array:
        return np.sqrt(np.diag(self.covariance)).reshape(self._estimates.shape)

    @property
    def statistics(self) -> Array:
        """z values."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self.coefficients / self.standard_errors)

    @property
    def p_values(self) -> Array:
        return normal_p_values(self.statistics)

    @property
    def coefficient_table(self) -> Any:
        """Estimate, standard error, z and p; a row a coefficient, named "class:column"."""
        return make_table(
            {
                "Estimate": self.coefficients.reshape(-1),
                "Std. Error": self.standard_errors.reshape(-1),
                "z value": self.statistics.reshape(-1),
                "Pr(>|z|)": self.p_values.reshape(-1),
            },
            self.labels,
        )

    def conf_int(self, level: float = 0.95) -> Any:
        """Wald intervals β ± z SE, a row a coefficient, named "class:column".

        Raises
        ------
        GlassnetError : the fit was penalised; a level outside (0, 1)
        """
        if self.penalised:
            raise GlassnetError(PENALISED)
        check_level(level)
        reach = normal_quantile((1 + level) / 2) * self.standard_errors
        limits = ((self.coefficients - reach).reshape(-1), (self.coefficients + reach).reshape(-1))
        return make_table(dict(zip(limit_names(level), limits, strict=True)), self.labels)

    def predict(
        self,
        X: Any = None,
        type: Literal["response", "class", "link"] = "response",
        interval: str | None = None,
        level: float = 0.95,
    ) -> Array:
        """Predictions for new rows (those of the fit unless given).

        Parameters
        ----------
        X : (m, features)
        type : "response" for (m, K) probabilities, "class" for (m,) names of the most probable, "link" for (m, K) scores
        interval, level : refused: there is no interval for several probabilities at once

        Raises
        ------
        GlassnetError : shapes that do not fit; an interval was asked for
        """
        if interval is not None:
            raise GlassnetError(
                f"predict got interval={interval!r} for several classes, whose probabilities move together; it has none: "
                "use conf_int() for the coefficients."
            )
        rows = self.X if X is None else np.asarray(X, dtype=np.float64)
        if getattr(rows, "ndim", 0) != 2 or rows.shape[1] != self.X.shape[1]:
            raise GlassnetError(
                f"predict got X of shape {np.shape(rows)}; it needs (m, {self.X.shape[1]}), the features of the fit."
            )
        scores = self._scores(rows)
        if type == "link":
            return scores
        if type == "response":
            return np.asarray(np.exp(scores - logsumexp(scores, axis=1, keepdims=True)))
        if type == "class":
            return np.asarray(np.array(self.classes)[scores.argmax(axis=1)])
        raise GlassnetError(f"predict got type={type!r}; it needs 'response', 'class' or 'link'.")

    def residuals(self, kind: Literal["response", "deviance", "pearson"] = "response") -> Array:
        """(m, K) y − p; or pearson (y − p) √(w / p(1 − p)); or deviance √(2 w Σₖ yₖ log(yₖ/pₖ)) of each row, (m,)."""
        raw = self.Y - self.fitted_values
        w = self.prior_weights[:, None]
        if kind == "response":
            return np.asarray(raw)
        if kind == "pearson":
            with np.errstate(divide="ignore", invalid="ignore"):
                return np.asarray(raw * np.sqrt(w / (self.fitted_values * (1 - self.fitted_values))))
        if kind == "deviance":
            each = (xlogy(self.Y, self.Y) - self.Y * self.log_probabilities).sum(axis=1)
            return np.asarray(np.sqrt(np.maximum(2 * self.prior_weights * each, 0.0)))
        raise GlassnetError(f"residuals got {kind!r}; it needs 'response', 'deviance' or 'pearson'.")

    # Reading.

    @property
    def notes(self) -> list[str]:
        from glassnet.statistics.glm_summary import notes

        return notes(self)

    def summary(self) -> MultinomialSummary:
        """What R's `summary(multinom(...))` prints, then the tests of every class against the first."""
        from glassnet.statistics.glm_summary import MultinomialSummary

        return MultinomialSummary(self)

    def to_plain(self) -> dict[str, Any]:
        """Everything a summary says, as JSON has it (NaN and infinities as None)."""
        from glassnet.statistics.glm_summary import plain_multinomial

        return plain_multinomial(self)

    def __repr__(self) -> str:
        return f"<MultinomialStatistics of {self.response}: {', '.join(self.classes)}; {len(self.Y)} rows>"

    # Inside.

    def _scores(self, X: Any) -> Array:
        slopes = self._estimates[:, 1:] if self.intercept else self._estimates
        free = np.asarray(X @ slopes.T, dtype=np.float64) + (self._estimates[:, 0] if self.intercept else 0.0)
        return np.column_stack([np.zeros(len(free)), free])

    def _chunks(self) -> Any:
        return design_chunks(self.X, self.intercept)
