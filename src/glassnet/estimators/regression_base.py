"""What the estimators with one layer share: the run of their training, and what statistics say of it."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from glassnet.engines.base import CHUNK
from glassnet.errors import GlassnetError
from glassnet.training.run import Run

PICKLED_DATA = 16 * 2**20
"""Bytes of training data that a pickled estimator carries at most; `Run.save` keeps as much."""

FLOATS = [np.float64, np.float32]
SPARSE = ["csr", "csc", "coo"]


class RunEstimator(BaseEstimator):  # type: ignore[misc]
    """An estimator whose fit is a training: `run_` is its record.

    Pickled (also by joblib), it keeps its run; the training data go along while they take at most 16 MB. Without them
    the run still predicts and shows its history; `est.run_.attach(X, Y)` gives it the data again.
    """

    run_: Run

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        state.pop("_statistics", None)
        run = state.get("run_")
        if isinstance(run, Run):
            state["run_"] = _portable(run)
        return state

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the estimator to one file, without pickle: safetensors and JSON, checked when `gn.load` reads it.

        The run goes along, and its data while they take at most 16 MB.

        Raises
        ------
        GlassnetError : the file is there already, cannot be written, or a parameter cannot be stored
        """
        from glassnet.estimators.saving import save_estimator

        return save_estimator(self, path, overwrite)

    def _inputs(self, X: Any) -> Any:
        """X of a prediction, checked against what was fitted."""
        check_is_fitted(self)
        return validate_data(self, X, reset=False, accept_sparse="csr", dtype=FLOATS)

    def _outputs(self, X: Any) -> np.ndarray:
        """The network's outputs, sparse rows made dense a few thousand at a time."""
        return np.concatenate([self.run_.predict(part) for part in dense_chunks(X)])


class WithStatistics(RunEstimator):
    """Adds what R prints of a regression: tests, intervals and tables from the run's equations and data."""

    def _names(self) -> list[str]:
        names = getattr(self, "feature_names_in_", None)
        return [f"x{i}" for i in range(self.n_features_in_)] if names is None else [str(n) for n in names]

    def _about(self) -> dict[str, Any]:
        """What else the statistics need to know: classes, the response."""
        return {}

    def _make_statistics(self) -> Any:
        from glassnet.statistics import statistics_of

        return statistics_of(self.run_, names=self._names(), **self._about())

    @property
    def statistics_(self) -> Any:
        """The statistics of the fit: standard errors, tests, intervals, residuals, information criteria.

        Made when first asked for; see `glassnet.statistics.statistics_of`.
        """
        check_is_fitted(self)
        if self.__dict__.get("_statistics") is None:
            self._statistics = self._make_statistics()
        return self._statistics

    def summary(self) -> Any:
        """What R's `summary` prints, with its tables as attributes.

        A penalised fit has estimates only: its standard errors are refused, with the reason.
        """
        return self.statistics_.summary()

    def conf_int(self, level: float = 0.95) -> Any:
        """Confidence intervals of the coefficients at `level`, as a table (a DataFrame when pandas is installed).

        Raises
        ------
        GlassnetError : the fit was penalised
        """
        return self.statistics_.conf_int(level=level)


def refuse_interval(interval: Any, allowed: Sequence[str | None], what: str = "predict") -> None:
    """One sentence for an `interval` that nobody knows."""
    if interval not in allowed:
        several = ", ".join(repr(name) for name in allowed[:-1])
        raise GlassnetError(f"{what} got interval={interval!r}; it needs {several} or {allowed[-1]!r}.")


def checked_weights(sample_weight: Any, X: Any) -> np.ndarray | None:
    """Sample weights (m,), none below 0; None stays None."""
    if sample_weight is None:
        return None
    return np.asarray(_check_sample_weight(sample_weight, X, dtype=X.dtype, ensure_non_negative=True))


def with_class_weights(
    class_weight: Any, classes: np.ndarray, y: np.ndarray, weights: np.ndarray | None
) -> np.ndarray | None:
    """Sample weights times the weight of each row's class; "balanced" gives every class the same sum.

    balanced:  v_c = Σᵢ wᵢ / (number of classes · Σ_{i in c} wᵢ)
    """
    if class_weight is None:
        return weights
    numbers = np.searchsorted(classes, y)
    if isinstance(class_weight, str):
        sums = np.bincount(numbers, weights, minlength=len(classes))
        with np.errstate(divide="ignore"):
            each = np.where(sums > 0, sums.sum() / (len(classes) * sums), 0.0)
    else:
        from sklearn.utils.class_weight import compute_class_weight

        each = np.asarray(compute_class_weight(class_weight, classes=classes, y=y))
    return np.asarray(each[numbers] if weights is None else each[numbers] * weights)


def label_text(label: Any) -> str:
    """A class as a person would write it: 'setosa', 1, True."""
    return repr(label.item() if isinstance(label, np.generic) else label)


def dense_chunks(X: Any, size: int = CHUNK) -> Iterator[np.ndarray]:
    """X as dense arrays: an array as it is, a sparse matrix `size` rows at a time."""
    if isinstance(X, np.ndarray):
        yield X
        return
    rows = X.tocsr()
    for start in range(0, rows.shape[0], size):
        yield rows[start : start + size].toarray()


def weighted_chunks(X: Any, weights: np.ndarray | None) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """The dense parts of X with their weights."""
    start = 0
    for part in dense_chunks(X):
        yield part, None if weights is None else weights[start : start + len(part)]
        start += len(part)


def dense(X: Any) -> np.ndarray:
    """X as one dense array."""
    return X if isinstance(X, np.ndarray) else np.asarray(X.toarray())


def seed_of(random_state: Any) -> int:
    """A whole number for `gn.train` from scikit-learn's three kinds of random state."""
    if isinstance(random_state, int | np.integer):
        return int(random_state)
    from sklearn.utils import check_random_state

    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))


def starting_values(
    coef: Any,
    intercept: Any,
    shape: tuple[int, int],
    with_intercept: bool,
    names: tuple[str, str] = ("coef_init", "intercept_init"),
) -> dict[str, np.ndarray]:
    """W1 and b1 to start from: zeros unless given; a single number stands for all.

    Parameters
    ----------
    coef : (outputs, features) or (features,) for one output, as `coef_` is
    intercept : (outputs,) or a number

    Raises
    ------
    GlassnetError : shapes that do not fit, or numbers that are not finite
    """
    features, outputs = shape
    names = ("coef_init", "intercept_init")
    start = {}
    for name, value, needed in ((names[0], coef, (outputs, features)), (names[1], intercept, (outputs,))):
        array = np.zeros(needed) if value is None else np.asarray(value, dtype=np.float64)
        flat = len(needed) == 2 and outputs == 1 and array.shape == (features,)
        if array.ndim and array.shape != needed and not flat:
            raise GlassnetError(
                f"fit got {name} of shape {array.shape}; it needs {needed}, or one number for all of them."
            )
        if not np.isfinite(array).all():
            raise GlassnetError(f"fit got {name} with values that are not finite; start from finite numbers.")
        start[name] = np.broadcast_to(array.reshape(needed) if array.ndim else array, needed).copy()
    weights = {"W1": np.ascontiguousarray(start[names[0]].T)}
    return weights | ({"b1": start[names[1]]} if with_intercept else {})


def _portable(run: Run) -> Run:
    """The run, without its data when they are large."""
    if run.data is None or run.data.nbytes <= PICKLED_DATA:
        return run
    run.identify()
    lighter = copy.copy(run)
    lighter.data = lighter.validation = None
    return lighter
