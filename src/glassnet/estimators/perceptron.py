"""`Perceptron`: the threshold rule, which learns from mistakes only, and says whether the classes can be separated."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import _check_partial_fit_first_call, check_classification_targets
from sklearn.utils.validation import validate_data

from glassnet.equations.optimizers import SGD
from glassnet.errors import GlassnetError
from glassnet.estimators.regression_base import (
    FLOATS,
    SPARSE,
    RunEstimator,
    checked_weights,
    dense,
    dense_chunks,
    label_text,
    seed_of,
    starting_values,
    with_class_weights,
)
from glassnet.network import Dense, Network
from glassnet.training import train
from glassnet.training.run import Run

SMALL = 200_000
"""Entries of X up to which separability is decided by a linear programme unless one says otherwise."""


class Perceptron(ClassifierMixin, RunEstimator):  # type: ignore[misc]
    """Rosenblatt's perceptron: a network of one layer of threshold units, trained sample by sample.

        a = 1 if x W + b > 0 else 0;      W ← W + η xᵀ(y − a),   b ← b + η (y − a)

    so only a mistake changes anything. Two classes have one unit; more have one unit a class, each against the rest.
    Where a hyperplane separates the classes the rule comes to rest after finitely many mistakes; otherwise never.

    Parameters
    ----------
    fit_intercept : False leaves b out
    max_iter : epochs at most
    tol : training ends when the cost has failed to fall by this much for `n_iter_no_change` epochs; None never
    shuffle : new order in every epoch
    eta0 : η. From zero weights it scales all of them alike and changes no prediction
    batch_size : samples whose mistakes are added up before W moves; 1 is the classical rule, None all of them
    n_iter_no_change : see `tol`
    class_weight : None, "balanced", or {class: weight}: a mistake counts that much
    check_separable : whether a linear programme decides if a hyperplane exists when training has not found one: "auto"
        does it for data of at most 200 000 entries
    random_state : the order of the samples
    warm_start : go on from the weights of the last fit

    Attributes
    ----------
    coef_, intercept_ : (1, features) and (1,) for two classes, (classes, features) and (classes,) for more
    classes_ : the labels, sorted
    separable_ : True when every class can be separated from the rest by a hyperplane (an epoch passed without a
        mistake, or the linear programme found one), False when not, None when not known
    message_ : that in a sentence
    n_iter_, t_ : epochs and updates made
    run_ : the run. With sample or class weights its inputs are the rows w (x 1) and its network has no bias of its own:
        W1's last row is then the intercept
    n_features_in_, feature_names_in_ : as scikit-learn's

    Source: Rosenblatt, Principles of neurodynamics, 1962; Novikoff, On convergence proofs for perceptrons, 1962.
    """

    coef_: np.ndarray
    intercept_: np.ndarray
    separable_: bool | None

    _parameter_constraints: dict[str, list[Any]] = {  # noqa: RUF012
        "fit_intercept": ["boolean"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left"), None],
        "shuffle": ["boolean"],
        "eta0": [Interval(Real, 0, None, closed="neither")],
        "batch_size": [Interval(Integral, 1, None, closed="left"), None],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "check_separable": ["boolean", StrOptions({"auto"})],
        "random_state": ["random_state"],
        "warm_start": ["boolean"],
    }

    def __init__(
        self,
        *,
        fit_intercept: bool = True,
        max_iter: int = 1000,
        tol: float | None = 1e-3,
        shuffle: bool = True,
        eta0: float = 1.0,
        batch_size: int | None = 1,
        n_iter_no_change: int = 5,
        class_weight: Mapping[Any, float] | str | None = None,
        check_separable: bool | str = "auto",
        random_state: Any = 0,
        warm_start: bool = False,
    ) -> None:
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.shuffle = shuffle
        self.eta0 = eta0
        self.batch_size = batch_size
        self.n_iter_no_change = n_iter_no_change
        self.class_weight = class_weight
        self.check_separable = check_separable
        self.random_state = random_state
        self.warm_start = warm_start

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(
        self, X: Any, y: Any, coef_init: Any = None, intercept_init: Any = None, sample_weight: Any = None
    ) -> Perceptron:
        """Train until an epoch passes without a mistake, the cost stalls, or `max_iter`.

        Parameters
        ----------
        X : (m, features) array, frame or sparse matrix; y : (m,) labels
        coef_init, intercept_init : where training starts; zeros unless given
        sample_weight : (m,) how much a mistake counts; a row of weight 0 counts as absent

        Raises
        ------
        ValueError : data or parameters that cannot be used
        """
        X, y = validate_data(self, X, y, accept_sparse=SPARSE, dtype=FLOATS)
        check_classification_targets(y)
        before = (self.coef_, self.intercept_) if self.warm_start and hasattr(self, "coef_") else None
        self.classes_ = np.unique(y)
        weights = with_class_weights(self.class_weight, self.classes_, y, checked_weights(sample_weight, X))
        counted = np.unique(y if weights is None else y[weights > 0])
        if len(counted) < 2:
            only = f" ({label_text(counted[0])})" if len(counted) else ""
            raise GlassnetError(
                f"Perceptron got y with one class{only} among the rows that count; it needs at least 2 classes."
            )
        if before is not None and coef_init is None and intercept_init is None:
            coef_init, intercept_init = before
        watcher = _MistakeWatcher(self.tol, int(self.n_iter_no_change))
        X = dense(X)
        self._learn(X, y, weights, (coef_init, intercept_init), int(self.max_iter), watcher, seed_of(self.random_state))
        self.n_iter_, self.t_ = len(self.run_.history), self.run_.iteration
        self._judge(X, y, weights, watcher.free)
        return self

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Perceptron:
        """One epoch over these rows, from the present weights.

        Parameters
        ----------
        classes : all labels that will ever come; needed in the first call

        Raises
        ------
        ValueError : labels that are not in `classes`, or data that do not fit the first call's
        """
        if self.class_weight == "balanced":
            raise GlassnetError(
                "partial_fit got class_weight='balanced', which needs all of y; pass the weights as a dict, computed by "
                "sklearn.utils.class_weight.compute_class_weight('balanced', classes=..., y=...)."
            )
        first = not hasattr(self, "coef_")
        X, y = validate_data(self, X, y, accept_sparse=SPARSE, dtype=FLOATS, reset=first)
        check_classification_targets(y)
        _check_partial_fit_first_call(self, classes)
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise GlassnetError(
                f"partial_fit got the label {label_text(unknown[0])}, which is not among the classes of the first call: "
                f"{', '.join(label_text(c) for c in self.classes_)}. Name all of them there."
            )
        weights = with_class_weights(self.class_weight, self.classes_, y, checked_weights(sample_weight, X))
        start = (None, None) if first else (self.coef_, self.intercept_)
        done = 0 if first else int(self.n_iter_)
        updates = 0 if first else int(self.t_)
        watcher = _MistakeWatcher(None, 1)
        self._learn(dense(X), y, weights, start, 1, watcher, seed_of(self.random_state) + done)
        self.n_iter_, self.t_ = done + 1, updates + self.run_.iteration
        self.separable_ = None
        self.message_ = "partial_fit sees rows once, so whether all of them can be separated is not known."
        return self

    def _learn(
        self, X: np.ndarray, y: np.ndarray, weights: np.ndarray | None, start: tuple[Any, Any], epochs: int,
        watcher: _MistakeWatcher, seed: int,
    ) -> None:  # fmt: skip
        classes, features = len(self.classes_), X.shape[1]
        numbers = np.searchsorted(self.classes_, y)
        outputs = 1 if classes <= 2 else classes
        Y = (numbers > 0).astype(X.dtype) if outputs == 1 else np.eye(classes, dtype=X.dtype)[numbers]
        intercept = bool(self.fit_intercept)
        values = starting_values(*start, (features, outputs), intercept)
        if weights is not None:  # a row times w, its 1 for the intercept too, makes a mistake count w times
            kept = weights > 0
            X, Y = (np.column_stack([X, np.ones(len(X), dtype=X.dtype)]) if intercept else X)[kept], Y[kept]
            X = X * weights[kept, None].astype(X.dtype)
            if intercept:
                values = {"W1": np.vstack([values["W1"], values["b1"]])}
        network = Network(X.shape[1], Dense(outputs, "step", init="zeros", bias=intercept and weights is None))
        self.run_ = train(
            network, X, Y, loss="perceptron", optimizer=SGD(float(self.eta0)), epochs=epochs, batch_size=self.batch_size,
            seed=seed, shuffle=bool(self.shuffle), callbacks=(watcher,), initial_parameters=values, progress=False,
        )  # fmt: skip
        if watcher.free and epochs > 1:
            self.run_.facts["status"] = "converged"
            self.run_.facts["message"] = f"Epoch {len(self.run_.history)} passed without a mistake."
        W = self.run_.parameters["W1"].T
        self.coef_ = W[:, :features].copy()
        if weights is not None and intercept:
            self.intercept_ = W[:, -1].copy()
        else:
            self.intercept_ = np.array(self.run_.parameters["b1"]) if intercept else np.zeros(outputs, dtype=W.dtype)

    # Whether a hyperplane exists.

    def _judge(self, X: np.ndarray, y: np.ndarray, weights: np.ndarray | None, free: bool) -> None:
        after = f"{self.n_iter_} epoch{'s' if self.n_iter_ > 1 else ''}"
        if free:
            self.separable_ = True
            self.message_ = f"The classes can be separated: after {after} one passed without a mistake."
            return
        if self.check_separable is False or (self.check_separable == "auto" and X.size > SMALL):
            self.separable_ = None
            self.message_ = (
                f"None of {after} passed without a mistake; whether the classes can be separated is not known. "
                "check_separable=True decides it."
            )
            return
        if weights is not None:
            X, y = X[weights > 0], y[weights > 0]
        sides = [self.classes_[1]] if len(self.classes_) == 2 else list(self.classes_)
        found = [separable(X, y == side, bool(self.fit_intercept)) for side in sides]
        self.separable_ = False if False in found else None if None in found else True
        if self.separable_:
            self.message_ = (
                f"The classes can be separated, but none of {after} passed without a mistake; raise max_iter, or set "
                "tol=None, to find the hyperplane."
            )
        elif self.separable_ is None:
            self.message_ = "Whether the classes can be separated is not known: the linear programme did not end."
        else:
            names = [label_text(side) for side, yes in zip(sides, found, strict=True) if yes is False]
            which = "the two classes" if len(self.classes_) == 2 else f"{', '.join(names)} from the rest"
            self.message_ = (
                f"No hyperplane separates {which}, so the rule never comes to rest: the weights are those after {after}. "
                "LogisticRegression weighs such data."
            )

    # Using it.

    def decision_function(self, X: Any) -> np.ndarray:
        """The sums X coefᵀ + intercept that are compared with 0: (m,) for two classes, (m, classes) for more."""
        X = self._inputs(X)
        weights = self.coef_.T
        scores = np.concatenate([part @ weights + self.intercept_ for part in dense_chunks(X)])
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def predict(self, X: Any) -> np.ndarray:
        """The class of each row; among several, the one whose unit is surest."""
        scores = self.decision_function(X)
        chosen = (scores > 0).astype(np.intp) if scores.ndim == 1 else scores.argmax(axis=1)
        return np.asarray(self.classes_[chosen])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


class _MistakeWatcher:
    """Stops after an epoch without a mistake (nothing moved), or when the cost has stalled."""

    def __init__(self, tolerance: float | None, patience: int) -> None:
        self.tolerance = tolerance
        self.patience = patience
        self.free = False
        self.best = np.inf
        self.stalled = 0

    def __call__(self, run: Run) -> bool:
        row = run.history[-1]
        self.free = row["gradient_norm"] == 0
        if self.tolerance is not None:
            self.stalled = self.stalled + 1 if row["cost"] > self.best - self.tolerance else 0
            self.best = min(self.best, row["cost"])
        return self.free or self.stalled >= self.patience


def separable(X: np.ndarray, side: np.ndarray, intercept: bool = True) -> bool | None:
    """Whether a hyperplane has all rows of one side before it and all others behind, decided by a linear programme.

        find w, b with sᵢ (xᵢ w + b) ≥ 1 for every row,   sᵢ = ±1

    Parameters
    ----------
    X : (m, features); side : (m,) True for the one side

    Returns
    -------
    True or False; None when the solver did not decide

    Source: Mangasarian, Linear and nonlinear separation of patterns by linear programming, 1965.
    """
    from scipy.optimize import linprog

    rows = np.asarray(X, dtype=np.float64)
    largest = np.abs(rows).max(axis=0)
    rows = rows / np.where(largest > 0, largest, 1.0)
    if intercept:
        rows = np.column_stack([rows, np.ones(len(rows))])
    signs = np.where(side, 1.0, -1.0)[:, None]
    answer = linprog(np.zeros(rows.shape[1]), A_ub=-signs * rows, b_ub=-np.ones(len(rows)), bounds=(None, None))
    return {0: True, 2: False}.get(answer.status)
