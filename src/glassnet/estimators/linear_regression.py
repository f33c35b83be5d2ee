"""`LinearRegression`: in closed form by QR, or step by step by gradient descent, on one derivation."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import MultiOutputMixin, RegressorMixin, _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import validate_data

from glassnet.equations.optimizers import SGD, Optimizer
from glassnet.equations.proximal import ProximalGradient
from glassnet.errors import GlassnetError
from glassnet.estimators.gradient_descent import Curvature, SlopeWatcher, curvature, warn_slow
from glassnet.estimators.regression_base import (
    FLOATS,
    SPARSE,
    WithStatistics,
    checked_weights,
    dense,
    dense_chunks,
    refuse_interval,
    seed_of,
    starting_values,
    weighted_chunks,
)
from glassnet.network import Dense, Network
from glassnet.training import train
from glassnet.training.run import Run


def _in_one_pass(estimator: LinearRegression) -> bool:
    """Whether chunks can be taken in one by one; gradient descent needs all rows in every step."""
    if estimator.method == "gradient_descent":
        raise AttributeError(
            "partial_fit got method='gradient_descent', which needs all rows in every step; use method='qr', whose one "
            "pass over the chunks gives the same answer."
        )
    return True


class LinearRegression(MultiOutputMixin, RegressorMixin, WithStatistics):  # type: ignore[misc]
    """Linear regression: a network of one linear layer under squared error, Z = X W + b.

        J = Σᵢ wᵢ ½ ‖xᵢ W + b − yᵢ‖² / Σᵢ wᵢ  (+ λ₁ Σ|W| + ½ λ₂ Σ W²)
        method "qr":                 X₁ᵀX₁ β = X₁ᵀy, solved by QR of X₁ = (1 X), never by forming X₁ᵀX₁
        method "gradient_descent":   v ← μ v − α X₁ᵀ(X₁β − y) / m;  β ← β + v       (μ is 0 when α is given)

    Both start from the same derivation, so `run_` shows the one arriving at the other.

    Parameters
    ----------
    method : "qr" (the answer at once) or "gradient_descent" (full batches, watched step by step)
    fit_intercept : False leaves the intercept out: the data are expected to be centred
    l1 : λ₁ of a penalty λ₁ Σ|W| (gradient descent only); scikit-learn's Lasso has alpha = l1
    l2 : λ₂ of a penalty ½ λ₂ Σ W²; scikit-learn's Ridge has alpha = m · l2 (Σ wᵢ · l2 with weights)
    learning_rate : α of gradient descent, without momentum; "auto" is the best constant pair
        α = (2 / (√λmax + √λmin))², μ = ((√κ − 1) / (√κ + 1))², with λ the smallest and largest eigenvalues of X₁ᵀX₁ / m
        (+ λ₂ on the weights' diagonal) and κ = λmax / λmin. The error then falls by √μ an iteration: 200 iterations are
        plenty for standardised features up to κ of about 500. With l1 it is α = 2 / (λmin + λmax) and no momentum
    max_iter : iterations of gradient descent
    tol : gradient descent ends when the slope is at most `tol` times the slope at zero
    random_state : the run's seed; nothing here is left to chance

    Attributes
    ----------
    coef_ : (features,), or (outputs, features) when y has two axes; 0 where aliased
    intercept_ : a number, or (outputs,) when y has two axes; 0 without an intercept
    aliased_ : (features,) True for a feature that is a linear combination of those before it: R reports NA for it
    rank_ : rank of X (centred when there is an intercept), by method "qr"
    n_iter_ : iterations; 1 by "qr"
    run_ : the run. It has the data unless they came in chunks or sparse, which are never kept
    n_features_in_, feature_names_in_ : as scikit-learn's

    `summary()`, `conf_int()`, `predict(X, interval=...)` and `statistics_` give what R's `lm` gives. With several
    outputs there is one summary an output.

    Source: Golub, Numerical methods for solving linear least squares problems, 1965; Polyak, 1987, section 1.4.
    """

    _parameter_constraints: dict[str, list[Any]] = {  # noqa: RUF012
        "method": [StrOptions({"qr", "gradient_descent"})],
        "fit_intercept": ["boolean"],
        "l1": [Interval(Real, 0, None, closed="left")],
        "l2": [Interval(Real, 0, None, closed="left")],
        "learning_rate": [StrOptions({"auto"}), Interval(Real, 0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        method: str = "qr",
        *,
        fit_intercept: bool = True,
        l1: float = 0.0,
        l2: float = 0.0,
        learning_rate: float | str = "auto",
        max_iter: int = 200,
        tol: float = 1e-10,
        random_state: Any = None,
    ) -> None:
        self.method = method
        self.fit_intercept = fit_intercept
        self.l1 = l1
        self.l2 = l2
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state

    # Fitting.

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, *, coef_init: Any = None, intercept_init: Any = None
    ) -> LinearRegression:
        """Fit the coefficients.

        Parameters
        ----------
        X : (m, features) array, frame or sparse matrix; y : (m,) or (m, outputs)
        sample_weight : (m,) weights; a row of weight 0 counts as absent
        coef_init, intercept_init : where gradient descent starts, zeros unless given; one number stands for all

        Raises
        ------
        ValueError : data or parameters that cannot be used
        """
        X, y = validate_data(
            self, X, y, accept_sparse=SPARSE, dtype=FLOATS, multi_output=True, y_numeric=True, force_writeable=False
        )
        weights = checked_weights(sample_weight, X)
        Y = np.asarray(y, dtype=X.dtype).reshape(len(y), -1)
        self._refuse_settings(coef_init, intercept_init)
        self._begin(np.ndim(y) == 1)
        if self.method == "qr" and not isinstance(X, np.ndarray):
            return self._add(_parts(X, Y, weights), Y.shape[1])._solve()
        network = Network(X.shape[1], Dense(Y.shape[1], bias=bool(self.fit_intercept)))
        if self.method == "qr":
            from glassnet.equations.optimizers import LeastSquares

            self.run_ = self._train(network, X, Y, weights, LeastSquares(), 1, None, ())
            direct = self.run_.facts["direct"]
            self._describe(direct["rank"], [int(i) for i in direct["aliased"]])
            self.n_iter_ = 1
        else:
            start = starting_values(coef_init, intercept_init, (X.shape[1], Y.shape[1]), bool(self.fit_intercept))
            self._descend(network, X, Y, weights, start)
        self._read_coefficients()
        return self

    def _refuse_settings(self, coef_init: Any = None, intercept_init: Any = None) -> None:
        if self.method != "qr":
            return
        if self.l1:
            raise GlassnetError(
                f"LinearRegression got l1={self.l1:g} with method='qr'; an L1 penalty has no closed form. Use "
                "method='gradient_descent', or l2."
            )
        if coef_init is not None or intercept_init is not None:
            raise GlassnetError(
                "LinearRegression got a start with method='qr', which has none; leave coef_init and intercept_init out, "
                "or use method='gradient_descent'."
            )

    def _begin(self, flat: bool) -> None:
        """Forget an earlier fit."""
        for name in ("_statistics", "triangle_", "rank_", "aliased_"):
            self.__dict__.pop(name, None)
        self._flat = flat

    def _train(
        self, network: Network, X: Any, Y: np.ndarray, weights: np.ndarray | None, optimizer: Optimizer,
        epochs: int, start: dict[str, np.ndarray] | None, callbacks: Sequence[Any],
    ) -> Run:  # fmt: skip
        return train(
            network, X, Y, loss="mean_squared_error", optimizer=optimizer, epochs=epochs, l1=float(self.l1),
            l2=float(self.l2), seed=seed_of(self.random_state), callbacks=callbacks, initial_parameters=start,
            sample_weight=weights, shuffle=False, progress=False,
        )  # fmt: skip

    def _descend(
        self, network: Network, X: Any, Y: np.ndarray, weights: np.ndarray | None, start: dict[str, np.ndarray]
    ) -> None:
        curved = curvature(weighted_chunks(X, weights), bool(self.fit_intercept), float(self.l2))
        rate, momentum = (curved.best_step, 0.0) if self.l1 else curved.best_pair
        if not isinstance(self.learning_rate, str):
            rate, momentum = float(self.learning_rate), 0.0
        at_zero = _slope_at_zero(X, Y, weights, bool(self.fit_intercept))
        watcher = SlopeWatcher(rate, float(self.tol) * at_zero)
        optimizer = ProximalGradient(rate, float(self.l1)) if self.l1 else SGD(rate, momentum)
        self.run_ = self._train(network, X, Y, weights, optimizer, int(self.max_iter), start, (watcher,))
        watcher.settle(self.run_)
        self.n_iter_ = self.run_.iteration
        self._warn_if_slow(watcher.slope, at_zero, curved)

    def _warn_if_slow(self, slope: float, at_zero: float, curved: Curvature) -> None:
        warn_slow(self.run_, slope, at_zero, curved, int(self.max_iter))

    def _describe(self, rank: int, aliased: list[int]) -> None:
        """Rank and aliased columns, from positions in the design: 0 is the intercept, if there is one."""
        first = int(bool(self.fit_intercept))
        mask = np.zeros(self.n_features_in_, dtype=bool)
        mask[[i - first for i in aliased if i >= first]] = True
        self.aliased_ = mask
        self.rank_ = int(rank) - first

    def _read_coefficients(self) -> None:
        parameters = self.run_.parameters
        coef, intercept = parameters["W1"].T.copy(), parameters.get("b1", np.zeros(parameters["W1"].shape[1]))
        self.coef_ = coef[0] if self._flat else coef
        if not self.fit_intercept:
            self.intercept_: Any = 0.0
        else:
            self.intercept_ = float(intercept[0]) if self._flat else np.array(intercept)

    # Chunk by chunk.

    @available_if(_in_one_pass)  # type: ignore[untyped-decorator]
    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> LinearRegression:
        """Take in more rows: after all chunks the result is that of `fit` on all rows at once.

        One pass, memory (features + outputs)², no learning rate: R of the QR of all rows so far is kept and added to.
        The run is made anew by each call and has no data (they are gone); `summary()` and intervals are exact all the same.

        Parameters
        ----------
        X, y, sample_weight : as in `fit`, with the columns of the first chunk

        Raises
        ------
        ValueError : data that do not fit the first chunk; method "gradient_descent", which needs all rows in each step
        """
        self._refuse_settings()
        first = not hasattr(self, "triangle_")
        X, y = validate_data(
            self, X, y, accept_sparse=SPARSE, dtype=FLOATS, multi_output=True, y_numeric=True, reset=first
        )
        weights = checked_weights(sample_weight, X)
        Y = np.asarray(y, dtype=np.float64).reshape(len(y), -1)
        if first:
            self._begin(np.ndim(y) == 1)
        elif Y.shape[1] != self.triangle_.outputs:
            raise GlassnetError(
                f"partial_fit got y with {Y.shape[1]} outputs; the chunks before had {self.triangle_.outputs}. Pass the "
                "same outputs in every chunk."
            )
        return self._add(_parts(X, Y, weights), Y.shape[1])._solve()

    def fit_file(
        self,
        path: str | os.PathLike[str],
        target: str | Sequence[str],
        *,
        columns: Sequence[str] | None = None,
        weight: str | None = None,
        chunk_rows: int = 65_536,
    ) -> LinearRegression:
        """Fit on a Parquet or CSV file of any size, in one pass and constant memory.

        Parameters
        ----------
        path : the file
        target : the response's column, or several
        columns : the features; all other columns unless given
        weight : a column of sample weights
        chunk_rows : rows read at once

        Raises
        ------
        DataError : no such file or column, a column that holds no numbers, a missing value
        """
        from glassnet.estimators.file_chunks import FileChunks

        self._validate_params()
        _in_one_pass(self)
        self._refuse_settings()
        chunks = FileChunks(path, target, columns, weight, chunk_rows)
        self._begin(isinstance(target, str))
        self.n_features_in_ = len(chunks.features)
        self.feature_names_in_ = np.array(chunks.features, dtype=object)
        return self._add(chunks, len(chunks.targets))._solve()

    def _add(self, parts: Iterable[tuple[np.ndarray, np.ndarray, np.ndarray | None]], outputs: int) -> LinearRegression:
        from glassnet.engines.triangle import Triangle

        if not hasattr(self, "triangle_"):
            self.triangle_ = Triangle(self.n_features_in_, outputs, intercept=bool(self.fit_intercept))
        for X, Y, w in parts:
            self.triangle_.add(np.asarray(X, dtype=np.float64), np.asarray(Y, dtype=np.float64), w)
        return self

    def _solve(self) -> LinearRegression:
        """The coefficients and the run of all rows so far."""
        from glassnet.estimators.chunked_run import run_of_triangle

        self.__dict__.pop("_statistics", None)
        self.run_, solution = run_of_triangle(
            self.triangle_, bool(self.fit_intercept), float(self.l2), seed_of(self.random_state)
        )
        self._describe(solution.rank, [int(i) for i in np.flatnonzero(solution.aliased)])
        self.n_iter_ = 1
        self._read_coefficients()
        return self

    # Using it.

    def predict(self, X: Any, interval: str | None = None, level: float = 0.95) -> Any:
        """Predictions, with their uncertainty when asked.

        Parameters
        ----------
        X : (m, features)
        interval : None for the predictions alone; "confidence" for where the mean of y at x lies, "prediction" for
            where a new y at x lies
        level : of the interval

        Returns
        -------
        (m,) or (m, outputs) without an interval; with one a table with the columns fit, lower and upper

        Raises
        ------
        GlassnetError : an interval was asked for of a penalised fit, which has no standard errors
        """
        refuse_interval(interval, (None, "confidence", "prediction"))
        X = self._inputs(X)
        if interval is not None:
            return self.statistics_.predict(dense(X), interval=interval, level=level)
        outputs = self._outputs(X)
        return outputs[:, 0] if self._flat else outputs

    def _make_statistics(self) -> Any:
        if not hasattr(self, "triangle_"):
            return super()._make_statistics()
        from glassnet.statistics import LinearStatistics, SeveralStatistics

        parameters = self.run_.parameters
        theta = np.vstack(
            [parameters[name].reshape(-1, self.triangle_.outputs) for name in ("b1", "W1") if name in parameters]
        )
        found = [
            LinearStatistics.from_triangle(
                self.triangle_, names=self._names(), output=output, estimates=theta[:, output] if self.l2 else None,
                response="y" if self.triangle_.outputs == 1 else f"y{output + 1}",
            )
            for output in range(self.triangle_.outputs)
        ]  # fmt: skip
        return found[0] if len(found) == 1 else SeveralStatistics(found)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _parts(
    X: Any, Y: np.ndarray, weights: np.ndarray | None
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray | None]]:
    """X in dense parts, each with its rows of Y and of the weights."""
    start = 0
    for part in dense_chunks(X):
        rows = slice(start, start + len(part))
        yield part, Y[rows], None if weights is None else weights[rows]
        start += len(part)


def _slope_at_zero(X: Any, Y: np.ndarray, weights: np.ndarray | None, intercept: bool) -> float:
    """‖X₁ᵀ W Y‖ / Σw: how steep the cost is where all coefficients are 0."""
    weighted = Y if weights is None else Y * weights[:, None]
    slope = np.asarray(X.T @ weighted)
    total = float(len(Y) if weights is None else weights.sum())
    squares = float((slope.astype(np.float64) ** 2).sum())
    if intercept:
        squares += float((weighted.sum(axis=0, dtype=np.float64) ** 2).sum())
    return float(np.sqrt(squares)) / total if total else 0.0
