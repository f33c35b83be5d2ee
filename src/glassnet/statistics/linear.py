"""Linear regression as R's `lm` reports it: tests, intervals, residuals, from one triangle of a QR."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from glassnet.engines.triangle import LeastSquaresSolution, Triangle
from glassnet.errors import GlassnetError, GlassnetWarning
from glassnet.statistics.confidence import PENALISED, check_level, limit_names
from glassnet.statistics.design_rows import INTERCEPT, design_chunks, training_data
from glassnet.statistics.families import t_p_values, t_quantile
from glassnet.statistics.tables import make_table

if TYPE_CHECKING:
    from glassnet.statistics.linear_summary import LinearSummary
    from glassnet.training.arrays import Samples
    from glassnet.training.run import Run

Array = np.ndarray
NO_ROWS = (
    "These statistics were made from data read in chunks, which were not kept; {what} need the rows. Fit on all the data at "
    "once to have them."
)


class LinearStatistics:
    """What R's `lm` says of a linear regression of one output.

        y = xβ + e,   β̂ = argmin Σ w e²,   s² = Σ w e² / (n − rank),   V = s² (XᵀWX)⁻¹

    Rows of weight 0 do not count. A column that the ones before it determine is aliased: its coefficient is NaN.

    Attributes
    ----------
    names, coefficients, standard_errors, statistics (t), p_values, covariance : in R's order, the intercept first
    rows, rank, df_residual, sigma, residual_squares, r_squared, adjusted_r_squared, f_statistic, f_p_value
    log_likelihood, aic, bic : as R counts, σ is a parameter
    fitted_values, residuals(), leverage, standardized_residuals, cooks_distance : a row each

    Source: Chambers and Hastie, Statistical Models in S, 1992, chapter 4; Cook, 1977.
    """

    zero_weight_rows = 0

    def __init__(
        self,
        solution: LeastSquaresSolution,
        triangle: Triangle,
        *,
        intercept: bool,
        names: Sequence[str] | None = None,
        response: str | None = None,
        call: str | None = None,
        data: Samples | None = None,
        output: int = 0,
        estimates: Array | None = None,
        penalised: bool = False,
        optimizer: str = "QR",
    ) -> None:
        features = triangle.columns
        named = [f"x{i}" for i in range(features)] if names is None else [str(n) for n in names]
        if len(named) != features:
            raise GlassnetError(
                f"LinearStatistics got {len(named)} names; it needs one for each of the {features} features."
            )
        self.names = ([INTERCEPT] if intercept else []) + named
        self.response = response or "y"
        self.call = call
        self.intercept = intercept or INTERCEPT in named  # a column of ones of one's own is one, too
        self._first = intercept
        self.penalised = penalised
        self.optimizer = optimizer
        self.rows = triangle.rows
        self.rank = int(solution.rank)
        self._solution, self._triangle = solution, triangle
        self._data, self._output = data, output
        self.aliased = np.asarray(solution.aliased)
        exact = np.asarray(solution.coefficients[:, output])
        self.coefficients = exact if estimates is None else np.where(self.aliased & (estimates == 0), np.nan, estimates)
        self.distance = 0.0
        if estimates is not None and not penalised:
            difference = np.abs(np.nan_to_num(exact) - np.where(self.aliased, 0.0, estimates))
            errors = np.sqrt(np.maximum(np.diag(np.nan_to_num(solution.unscaled)), 0.0)) * self._exact_sigma(output)
            with np.errstate(divide="ignore", invalid="ignore"):
                share = np.where(errors > 0, difference / errors, np.where(difference > 1e-9, np.inf, 0.0))
            self.distance = float(share.max(initial=0.0))
        if self._perfect():
            warnings.warn(PERFECT, GlassnetWarning, stacklevel=3)

    @classmethod
    def from_run(
        cls,
        run: Run,
        *,
        names: Sequence[str] | None = None,
        response: str | None = None,
        call: str | None = None,
        output: int = 0,
    ) -> LinearStatistics:
        """The statistics of one output of a run of `gn.Network(n, gn.Dense(k))` under the squared error.

        The coefficients are the run's, however it was trained; the rest is computed from its data by a QR.

        Raises
        ------
        RunError : the run is without its data
        """
        data = training_data(run)
        parameters = run.parameters
        intercept = "b1" in parameters
        triangle = Triangle(int(data.X.shape[1]), int(data.Y.shape[1]), intercept=intercept)
        triangle.add(data.X, data.Y, data.w)
        solution = triangle.solve()
        penalised = bool(run.derivation.l1 or run.derivation.l2)
        method = (run.facts.get("direct") or {}).get("method")
        estimates = None
        if method != "qr" or penalised:
            W = np.asarray(parameters["W1"], dtype=np.float64)[:, output]
            first = [float(parameters["b1"][output])] if intercept else []
            estimates = np.concatenate([first, W])
        optimizer = "QR" if method == "qr" else type(run.settings.optimizer).__name__
        made = cls(
            solution, triangle, intercept=intercept, names=names, response=response, call=call, data=data, output=output,
            estimates=estimates, penalised=penalised, optimizer=optimizer,
        )  # fmt: skip
        made.zero_weight_rows = int(run.facts["data"].get("zero_weight_rows", 0))
        return made

    @classmethod
    def from_triangle(
        cls,
        triangle: Triangle,
        *,
        names: Sequence[str] | None = None,
        response: str | None = None,
        call: str | None = None,
        output: int = 0,
        estimates: Array | None = None,
    ) -> LinearStatistics:
        """The statistics of data that were read in chunks: all but what belongs to single rows.

        `estimates` are the coefficients of a penalised fit, the intercept first.
        """
        return cls(
            triangle.solve(), triangle, intercept=triangle.intercept, names=names, response=response, call=call,
            output=output, estimates=estimates, penalised=estimates is not None,
        )  # fmt: skip

    # The fit as a whole.

    @property
    def df_residual(self) -> int:
        """n − rank."""
        return self.rows - self.rank

    @cached_property
    def residual_squares(self) -> float:
        """Σ w e²."""
        if self._solved:
            return float(self._solution.residual_squares[self._output])
        X, y = self._triangles
        return float(((y - X @ np.nan_to_num(self.coefficients)) ** 2).sum())

    @property
    def _triangles(self) -> tuple[Array, Array]:
        """√w (1 X) and √w y, turned into a triangle and its column: products of columns are as in the data."""
        factor, p = self._triangle.factor, len(self.names)
        return factor[:, :p], factor[:, p + self._output]

    @property
    def _solved(self) -> bool:
        """Whether the coefficients are those of the QR, to rounding."""
        return not self.penalised and self.distance < 1e-7

    def _exact_sigma(self, output: int) -> float:
        df = self.df_residual
        return math.sqrt(float(self._solution.residual_squares[output]) / df) if df > 0 else 0.0

    @property
    def sigma(self) -> float:
        """s = √(Σ w e² / (n − rank)); NaN without residual degrees of freedom."""
        return math.sqrt(self.residual_squares / self.df_residual) if self.df_residual > 0 else math.nan

    @cached_property
    def model_squares(self) -> float:
        """Σ w (f − f̄)², about 0 without an intercept."""
        if self._solved:
            effects = self._solution.effects[: self.rank, self._output]
            return float((effects[int(self.intercept) :] ** 2).sum())
        X, _ = self._triangles
        fitted = X @ np.nan_to_num(self.coefficients)
        if self.intercept:
            ones = X[:, self.names.index(INTERCEPT)]
            fitted = fitted - ones * float(ones @ fitted) / float(ones @ ones)
        return float((fitted**2).sum())

    @property
    def model_df(self) -> int:
        """Coefficients besides the intercept."""
        return self.rank - int(self.intercept)

    @property
    def r_squared(self) -> float:
        """R² = Σ w (f − f̄)² / (Σ w (f − f̄)² + Σ w e²)."""
        total = self.model_squares + self.residual_squares
        return self.model_squares / total if total > 0 else math.nan

    @property
    def adjusted_r_squared(self) -> float:
        """1 − (1 − R²) (n − 1) / (n − rank); n instead of n − 1 without an intercept."""
        if self.df_residual <= 0:
            return math.nan
        return 1 - (1 - self.r_squared) * (self.rows - int(self.intercept)) / self.df_residual

    @property
    def f_statistic(self) -> float:
        """Mean square of the model over that of the residuals; NaN without either, and for a penalised fit."""
        if not self.model_df or self.df_residual <= 0 or self.penalised:
            return math.nan
        with np.errstate(divide="ignore"):
            return float(np.divide(self.model_squares / self.model_df, self.sigma**2))

    @property
    def f_p_value(self) -> float:
        """P(F > f_statistic)."""
        from scipy.special import fdtrc

        if math.isnan(self.f_statistic):
            return math.nan
        return float(fdtrc(self.model_df, self.df_residual, self.f_statistic))

    @property
    def log_likelihood(self) -> float:
        """½ (Σ log w − n (log 2π + 1 − log n + log Σ w e²))."""
        n = self.rows
        if not self.residual_squares:
            return math.inf
        spread = math.log(2 * math.pi) + 1 - math.log(n) + math.log(self.residual_squares)
        return 0.5 * (self._triangle.log_weight - n * spread)

    @property
    def parameter_count(self) -> int:
        """Coefficients and σ, as R counts."""
        return self.rank + 1

    @property
    def aic(self) -> float:
        """−2 log L + 2 (rank + 1)."""
        return -2 * self.log_likelihood + 2 * self.parameter_count

    @property
    def bic(self) -> float:
        """−2 log L + log(n) (rank + 1)."""
        return -2 * self.log_likelihood + math.log(self.rows) * self.parameter_count

    @property
    def deviance(self) -> float:
        """Σ w e², what R calls the deviance of a linear model."""
        return self.residual_squares

    @property
    def null_deviance(self) -> float:
        """Σ w (y − ȳ)²; about 0 without an intercept."""
        effects = self._solution.effects[:, self._output]
        left = float(self._solution.residual_squares[self._output])
        return float((effects[: self.rank][int(self.intercept) :] ** 2).sum()) + left

    # The coefficients.

    @cached_property
    def covariance(self) -> Array:
        """s² (XᵀWX)⁻¹; NaN where aliased, and everywhere for a penalised fit."""
        if self.penalised:
            return np.full((len(self.names), len(self.names)), np.nan)
        return np.asarray(self.sigma**2 * self._solution.unscaled)

    @property
    def standard_errors(self) -> Array:
        return np.sqrt(np.diag(self.covariance))

    @property
    def statistics(self) -> Array:
        """t = β̂ / SE."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self.coefficients / self.standard_errors)

    @property
    def p_values(self) -> Array:
        """P(|T| > |t|) with n − rank degrees of freedom."""
        return t_p_values(self.statistics, self.df_residual)

    @property
    def coefficient_table(self) -> Any:
        """Estimate, standard error, t and p, a row a coefficient."""
        return make_table(
            {
                "Estimate": self.coefficients,
                "Std. Error": self.standard_errors,
                "t value": self.statistics,
                "Pr(>|t|)": self.p_values,
            },
            self.names,
        )

    def conf_int(self, level: float = 0.95) -> Any:
        """β̂ ± t SE, a row a coefficient, t the quantile with n − rank degrees of freedom.

        Raises
        ------
        GlassnetError : the fit was penalised; a level outside (0, 1)
        """
        if self.penalised:
            raise GlassnetError(PENALISED)
        check_level(level)
        reach = t_quantile((1 + level) / 2, self.df_residual) * self.standard_errors
        limits = (self.coefficients - reach, self.coefficients + reach)
        return make_table(dict(zip(limit_names(level), limits, strict=True)), self.names)

    def anova(self, terms: Mapping[str, Sequence[str]] | None = None) -> Any:
        """Analysis of variance: the terms added one after another, R's `anova`.

        Parameters
        ----------
        terms : name -> the columns of the term, in the order of the columns; unless given, every column is a term

        Raises
        ------
        GlassnetError : the coefficients are not those of least squares; columns that are none
        """
        if not self._solved:
            raise GlassnetError(
                "The analysis of variance is of the least-squares fit, and these coefficients are another."
            )
        from scipy.special import fdtrc

        positions = {name: i for i, name in enumerate(self.names)}
        grouped = terms or {name: [name] for name in self.names if name != INTERCEPT}
        unknown = [c for columns in grouped.values() for c in columns if c not in positions]
        if unknown:
            raise GlassnetError(f"anova got the column {unknown[0]!r}; the fit has {', '.join(self.names)}.")
        kept = {int(column): place for place, column in enumerate(self._solution.pivot[: self.rank])}
        effects = self._solution.effects[:, self._output]
        names, dfs, squares = [], [], []
        for name, columns in grouped.items():
            places = [kept[positions[c]] for c in columns if positions[c] in kept]
            if places:
                names.append(name)
                dfs.append(len(places))
                squares.append(float((effects[places] ** 2).sum()))
        df = np.array([*dfs, self.df_residual])
        sums = np.array([*squares, self.residual_squares])
        with np.errstate(divide="ignore", invalid="ignore"):
            means = sums / df
            F = np.append(means[:-1] / means[-1], np.nan)
            p = np.append(fdtrc(df[:-1], df[-1], F[:-1]), np.nan)
        return make_table(
            {"Df": df, "Sum Sq": sums, "Mean Sq": means, "F value": F, "Pr(>F)": p}, [*names, "Residuals"]
        )

    # Rows.

    def _rows(self, what: str) -> Samples:
        if self._data is None:
            raise GlassnetError(NO_ROWS.format(what=what))
        return self._data

    @property
    def _weights(self) -> Array:
        w = self._rows("the weights").w
        return np.ones(self.rows) if w is None else np.asarray(w, dtype=np.float64).reshape(-1)

    @property
    def weighted(self) -> bool:
        """Whether the weights differ."""
        if self._data is None or self._data.w is None:
            return False
        return bool(self.zero_weight_rows) or float(np.ptp(self._weights)) > 0

    def _linear(self, X: Any) -> Array:
        beta = np.nan_to_num(self.coefficients)
        return np.concatenate([part @ beta for _, part in design_chunks(X, self._first)])

    def _lengths(self, X: Any) -> Array:
        """‖x R⁻¹‖² of rows: xᵀ (XᵀWX)⁻¹ x."""
        from scipy.linalg import solve_triangular

        kept = self._solution.pivot[: self.rank]
        parts = []
        for _, part in design_chunks(X, self._first):
            scaled = solve_triangular(self._solution.factor, part[:, kept].T, trans="T", check_finite=False)
            parts.append((scaled**2).sum(axis=0))
        return np.concatenate(parts)

    @cached_property
    def fitted_values(self) -> Array:
        """f = xβ̂, (m,)."""
        return self._linear(self._rows("fitted values").X)

    @property
    def linear_predictors(self) -> Array:
        return self.fitted_values

    def residuals(self, kind: Literal["weighted", "response", "deviance", "pearson", "working"] = "weighted") -> Array:
        """√w (y − f), or with "response" (or "working") y − f; they are equal without weights.

        Raises
        ------
        GlassnetError : another kind; the rows were not kept
        """
        if kind not in ("weighted", "response", "deviance", "pearson", "working"):
            raise GlassnetError(f"residuals got kind={kind!r}; it needs 'weighted' or 'response'.")
        data = self._rows("residuals")
        raw = np.asarray(data.Y[:, self._output], dtype=np.float64) - self.fitted_values
        return raw if kind in ("response", "working") else np.asarray(np.sqrt(self._weights) * raw)

    @cached_property
    def leverage(self) -> Array:
        """h = w xᵀ (XᵀWX)⁻¹ x: they sum to the rank."""
        return np.asarray(self._weights * self._lengths(self._rows("leverages").X))

    @property
    def standardized_residuals(self) -> Array:
        """√w e / (s √(1 − h)); NaN where h is 1."""
        with np.errstate(divide="ignore", invalid="ignore"):
            left = np.where(self.leverage < 1 - 1e-10, 1 - self.leverage, np.nan)
            return np.asarray(self.residuals() / (self.sigma * np.sqrt(left)))

    @property
    def cooks_distance(self) -> Array:
        """(e / (s (1 − h)))² h / rank, e with its weight."""
        with np.errstate(divide="ignore", invalid="ignore"):
            left = np.where(self.leverage < 1 - 1e-10, 1 - self.leverage, np.nan)
            return np.asarray((self.residuals() / (left * self.sigma)) ** 2 * self.leverage / self.rank)

    def predict(
        self,
        X: Any = None,
        interval: Literal["confidence", "prediction"] | None = None,
        level: float = 0.95,
        se: bool = False,
    ) -> Any:
        """Predictions for new rows (those of the fit unless given).

            confidence   f ± t √(xᵀ V x)              where the mean is
            prediction   f ± t √(s² + xᵀ V x)         where a new outcome of weight 1 is

        Returns
        -------
        (m,) array; with an interval a table fit, lower, upper; with `se` a table fit, se

        Raises
        ------
        GlassnetError : shapes that do not fit; another interval; intervals of a penalised fit
        """
        if interval not in (None, "confidence", "prediction"):
            raise GlassnetError(f"predict got interval={interval!r}; it needs None, 'confidence' or 'prediction'.")
        rows = self._rows("predictions of the fit's own rows").X if X is None else X
        rows = rows if hasattr(rows, "toarray") else np.asarray(rows, dtype=np.float64)
        if rows.ndim != 2 or rows.shape[1] != self._triangle.columns:
            raise GlassnetError(
                f"predict got X of shape {rows.shape}; it needs (m, {self._triangle.columns}), the features of the fit."
            )
        fit = self._linear(rows)
        if interval is None and not se:
            return fit
        if self.penalised:
            raise GlassnetError(PENALISED)
        check_level(level)
        errors = self.sigma * np.sqrt(self._lengths(rows))
        if interval is None:
            return make_table({"fit": fit, "se": errors})
        reach = np.hypot(errors, self.sigma) if interval == "prediction" else errors
        reach = t_quantile((1 + level) / 2, self.df_residual) * reach
        return make_table({"fit": fit, "lower": fit - reach, "upper": fit + reach})

    # Reading.

    def _perfect(self) -> bool:
        """R's test of an essentially perfect fit, from the triangle: s² below 1e-30 of the fit's own size."""
        if self.df_residual <= 0 or self.penalised:
            return False
        effects = self._solution.effects[: self.rank, self._output]
        size = float((effects**2).sum()) / max(1.0, self._triangle.weight)
        left = float(self._solution.residual_squares[self._output]) / self.df_residual
        return left < size * 1e-28

    @cached_property
    def combinations(self) -> dict[str, dict[str, float]]:
        """For each aliased column, the columns before it that determine it, and how: name -> {name: factor}."""
        found: dict[str, dict[str, float]] = {}
        if not self.aliased.any():
            return found
        R = self._triangle.factor[:, : len(self.names)]
        kept = np.sort(self._solution.pivot[: self.rank])
        for column in np.flatnonzero(self.aliased):
            before = kept[kept < column]
            factors = np.linalg.lstsq(R[:, before], R[:, column], rcond=None)[0]
            size = np.abs(factors).max(initial=0.0)
            found[self.names[column]] = {
                self.names[i]: float(f)
                for i, f in zip(before, factors, strict=True)
                if abs(f) > 1e-8 * max(size, 1e-300)
            }
        return found

    @property
    def notes(self) -> list[str]:
        """What to beware of, in sentences."""
        from glassnet.statistics.linear_summary import notes

        return notes(self)

    def summary(self) -> LinearSummary:
        """What R's `summary(lm(...))` prints; its tables are attributes."""
        from glassnet.statistics.linear_summary import LinearSummary

        return LinearSummary(self)

    def to_plain(self) -> dict[str, Any]:
        """Everything a summary says, as JSON has it (NaN and infinities as None)."""
        from glassnet.statistics.linear_summary import plain_linear

        return plain_linear(self)

    def __repr__(self) -> str:
        return f"<LinearStatistics of {self.response}: {self.rows} rows, {len(self.names)} coefficients>"


PERFECT = (
    "The fit is essentially perfect: what is left are rounding errors, so the standard errors, tests and R² say nothing. The "
    "response is a combination of the columns."
)
