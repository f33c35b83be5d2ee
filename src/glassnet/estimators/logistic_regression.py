"""`LogisticRegression`: two classes by a sigmoid, more by a softmax; by Newton's steps, L-BFGS or gradient descent."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from glassnet.equations.optimizers import LBFGS, SGD, Optimizer
from glassnet.equations.proximal import ProximalGradient
from glassnet.errors import GlassnetError, GlassnetWarning
from glassnet.estimators.gradient_descent import SlopeWatcher, curvature
from glassnet.estimators.regression_base import (
    FLOATS,
    SPARSE,
    WithStatistics,
    checked_weights,
    dense,
    dense_chunks,
    label_text,
    refuse_interval,
    seed_of,
    starting_values,
    weighted_chunks,
    with_class_weights,
)
from glassnet.network import Dense, Network
from glassnet.training import train

ITERATIONS = {"newton": 25, "lbfgs": 1000, "gradient_descent": 2000}
"""What `max_iter=None` stands for. R's `glm` also gives Newton's method 25 steps."""


class LogisticRegression(ClassifierMixin, WithStatistics):  # type: ignore[misc]
    """Logistic regression: a network of one layer whose outputs are the probabilities of the classes.

        two classes:   A = σ(X W + b),        J = −Σ wᵢ (yᵢ log aᵢ + (1 − yᵢ) log(1 − aᵢ)) / Σ wᵢ
        more:          A = softmax(X W + b),  J = −Σ wᵢ Σₖ yᵢₖ log aᵢₖ / Σ wᵢ        (+ λ₁ Σ|W| + ½ λ₂ Σ W²)

    There is no penalty unless one is asked for, as in R's `glm`. scikit-learn's default is one: its C is
    1 / (l2 · m), or 1 / (l1 · m) for L1, with m = Σ wᵢ.

    Parameters
    ----------
    method : "newton" (a handful of steps that use the curvature: R's `glm`), "lbfgs", or "gradient_descent"
    fit_intercept : False leaves the intercept out
    l1 : λ₁ of a penalty λ₁ Σ|W| (gradient descent only: it has corners)
    l2 : λ₂ of a penalty ½ λ₂ Σ W²
    class_weight : None, "balanced", or {class: weight}
    max_iter : None is 25 for newton, 1000 for lbfgs, 2000 for gradient descent
    tol : when it has converged. newton: the deviance changes by less than this share of itself; lbfgs, gradient descent:
        no slope of J is larger
    learning_rate : α of gradient descent; "auto" is 1 / L, L = λmax(X₁ᵀX₁ / m) / 4 + λ₂ for the sigmoid and
        λmax(X₁ᵀX₁ / m) / 2 + λ₂ for the softmax: the most that the slope of J can change, so that J falls in every step
    random_state : the run's seed; nothing here is left to chance

    Attributes
    ----------
    coef_ : (1, features) for two classes, (classes, features) for more. Without a penalty a softmax does not change
        when a constant is added to every class; of the equal solutions these are the ones that sum to 0 over the
        classes (scikit-learn's). `summary()` compares every class with the first instead, as R's `multinom` does
    intercept_ : (1,) or (classes,)
    classes_ : the labels, sorted
    n_iter_ : (1,) iterations
    separation_ : None, or the separation that leaves the likelihood without a maximum
    run_ : the run
    n_features_in_, feature_names_in_ : as scikit-learn's

    Where the features separate a class from the others, the likelihood has no maximum: a GlassnetWarning names the
    feature that separates, and says what to do.

    Source: McCullagh and Nelder, Generalized linear models, 1989, chapters 2 and 4; Böhning, Multinomial logistic
    regression algorithm, 1992, for the bound on the softmax's curvature.
    """

    _parameter_constraints: dict[str, list[Any]] = {  # noqa: RUF012
        "method": [StrOptions({"newton", "gradient_descent", "lbfgs"})],
        "fit_intercept": ["boolean"],
        "l1": [Interval(Real, 0, None, closed="left")],
        "l2": [Interval(Real, 0, None, closed="left")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "max_iter": [Interval(Integral, 1, None, closed="left"), None],
        "tol": [Interval(Real, 0, None, closed="left")],
        "learning_rate": [StrOptions({"auto"}), Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        method: str = "newton",
        *,
        fit_intercept: bool = True,
        l1: float = 0.0,
        l2: float = 0.0,
        class_weight: Mapping[Any, float] | str | None = None,
        max_iter: int | None = None,
        tol: float = 1e-8,
        learning_rate: float | str = "auto",
        random_state: Any = None,
    ) -> None:
        self.method = method
        self.fit_intercept = fit_intercept
        self.l1 = l1
        self.l2 = l2
        self.class_weight = class_weight
        self.max_iter = max_iter
        self.tol = tol
        self.learning_rate = learning_rate
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, *, coef_init: Any = None, intercept_init: Any = None
    ) -> LogisticRegression:
        """Fit the coefficients.

        Parameters
        ----------
        X : (m, features) array, frame or sparse matrix; y : (m,) labels, numbers or text
        sample_weight : (m,) weights; a row of weight 0 counts as absent
        coef_init, intercept_init : where the iterations start, zeros unless given; one number stands for all.
            Newton's method has its own start

        Raises
        ------
        ValueError : data or parameters that cannot be used
        """
        X, y = validate_data(self, X, y, accept_sparse=SPARSE, dtype=FLOATS)
        check_classification_targets(y)
        X = dense(X) if self.method == "newton" else X
        weights = checked_weights(sample_weight, X)
        self._statistics = None
        self.classes_, numbers = np.unique(y, return_inverse=True)
        weights = with_class_weights(self.class_weight, self.classes_, y, weights)
        self._refuse(numbers, weights, coef_init, intercept_init)
        classes = len(self.classes_)
        outputs = 1 if classes == 2 else classes
        network = Network(
            X.shape[1],
            Dense(outputs, "sigmoid" if outputs == 1 else "softmax", init="zeros", bias=bool(self.fit_intercept)),
        )
        start: dict[str, np.ndarray] | None = None
        watcher: SlopeWatcher | None = None
        epochs = ITERATIONS[self.method] if self.max_iter is None else int(self.max_iter)
        if self.method != "newton":
            start = starting_values(coef_init, intercept_init, (X.shape[1], outputs), bool(self.fit_intercept))
        if self.method == "newton":
            from glassnet.equations.optimizers import Newton

            optimizer: Optimizer = Newton(tolerance=float(self.tol), max_iter=epochs)
        elif self.method == "lbfgs":
            optimizer = LBFGS(tolerance=float(self.tol))
        else:
            rate = self._rate(X, weights, outputs)
            watcher = SlopeWatcher(rate, float(self.tol))
            optimizer = ProximalGradient(rate, float(self.l1)) if self.l1 else SGD(rate)
        Y = numbers.astype(X.dtype) if outputs == 1 else np.eye(classes, dtype=X.dtype)[numbers]
        self.run_ = train(
            network, X, Y, optimizer=optimizer, epochs=epochs, l1=float(self.l1), l2=float(self.l2),
            seed=seed_of(self.random_state), callbacks=() if watcher is None else (watcher,), initial_parameters=start,
            sample_weight=weights, shuffle=False, progress=False,
        )  # fmt: skip
        if watcher is not None:
            watcher.settle(self.run_)
        self._read_coefficients()
        self._warn()
        return self

    def _refuse(self, numbers: np.ndarray, weights: np.ndarray | None, coef_init: Any, intercept_init: Any) -> None:
        if self.l1 and self.method != "gradient_descent":
            raise GlassnetError(
                f"LogisticRegression got l1={self.l1:g} with method='{self.method}', which needs a cost without corners; "
                "use method='gradient_descent', or l2."
            )
        if self.method == "newton" and (coef_init is not None or intercept_init is not None):
            raise GlassnetError(
                "LogisticRegression got a start with method='newton', which has its own; leave coef_init and "
                "intercept_init out, or use another method."
            )
        counted = numbers if weights is None else numbers[weights > 0]
        present = np.unique(counted)
        if len(present) < 2:
            only = f" ({label_text(self.classes_[present[0]])})" if len(present) else ""
            raise GlassnetError(
                f"LogisticRegression got y with one class{only} among the rows that count; it needs at least 2 classes."
            )
        if len(present) < len(self.classes_):
            empty = ", ".join(label_text(c) for c in np.delete(self.classes_, present))
            raise GlassnetError(
                f"LogisticRegression got the class {empty} in rows of weight 0 only; leave those rows out, so that it is no "
                "class of the fit."
            )

    def _rate(self, X: Any, weights: np.ndarray | None, outputs: int) -> float:
        if not isinstance(self.learning_rate, str):
            return float(self.learning_rate)
        largest = curvature(weighted_chunks(X, weights), bool(self.fit_intercept)).largest
        return 1.0 / (largest / (4 if outputs == 1 else 2) + float(self.l2))

    def _read_coefficients(self) -> None:
        parameters = self.run_.parameters
        coef = parameters["W1"].T.copy()
        intercept = np.array(parameters.get("b1", np.zeros(len(coef), dtype=coef.dtype)))
        if len(coef) > 1 and not self.l1 and not self.l2:
            coef -= coef.mean(axis=0)
            intercept -= intercept.mean()
        self.coef_, self.intercept_ = coef, intercept
        direct = self.run_.facts.get("direct", {})
        self.n_iter_ = np.array([max(1, int(direct.get("iterations", self.run_.iteration)))], dtype=np.int32)

    def _warn(self) -> None:
        """Say when no maximum exists, or when the iterations have not arrived."""
        from sklearn.exceptions import ConvergenceWarning

        from glassnet.statistics.separation import separation_of

        self.separation_ = separation_of(self.run_, names=self._names(), classes=self._about()["classes"])
        if self.separation_ is not None:
            warnings.warn(self.separation_.sentence, GlassnetWarning, stacklevel=4)
        elif self.run_.status == "finished":
            singular = "singular" in (self.run_.message or "")
            said = (
                f"LogisticRegression by method='{self.method}' has not converged. {self.run_.message} Leave out a feature "
                "that nearly follows from the others, or use l2."
                if singular
                else f"LogisticRegression by method='{self.method}' has not converged after {self.n_iter_[0]} iterations. "
                "Standardise the features (StandardScaler), raise max_iter"
                + ("." if self.method == "newton" else ", or use method='newton'.")
            )
            warnings.warn(said, ConvergenceWarning, stacklevel=4)

    # Using it.

    def decision_function(self, X: Any) -> np.ndarray:
        """The scores X coefᵀ + intercept: log-odds (m,) for two classes, (m, classes) for more."""
        X = self._inputs(X)
        weights = self.coef_.T
        scores = np.concatenate([part @ weights + self.intercept_ for part in dense_chunks(X)])
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def predict(self, X: Any) -> np.ndarray:
        """The most probable class of each row."""
        scores = self.decision_function(X)
        chosen = (scores > 0).astype(np.intp) if scores.ndim == 1 else scores.argmax(axis=1)
        return np.asarray(self.classes_[chosen])

    def predict_proba(self, X: Any, interval: str | None = None, level: float = 0.95) -> Any:
        """Probabilities of the classes, the run's own outputs; or, of two classes, where the second's lies.

        Parameters
        ----------
        X : (m, features)
        interval : None, or "confidence" for an interval around the probability of `classes_[1]`: η ± z SE through the
            sigmoid, so that it stays between 0 and 1
        level : of the interval

        Returns
        -------
        (m, classes), in the order of `classes_`; with an interval a table with the columns fit, lower and upper

        Raises
        ------
        GlassnetError : an interval was asked for of more than two classes, or of a penalised fit
        """
        refuse_interval(interval, (None, "confidence"), "predict_proba")
        X = self._inputs(X)
        if interval is not None:
            if len(self.classes_) > 2:
                raise GlassnetError(
                    f"predict_proba got interval='confidence' with {len(self.classes_)} classes; it needs two. Fit one class "
                    "against the rest, or leave interval out."
                )
            return self.statistics_.predict(dense(X), interval=interval, level=level)
        outputs = self._outputs(X)
        return np.column_stack([1 - outputs[:, 0], outputs[:, 0]]) if outputs.shape[1] == 1 else outputs

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Logarithms of the probabilities, from the scores: exact also where a probability rounds to 0 or 1."""
        scores = self.decision_function(X)
        if scores.ndim == 1:
            return np.column_stack([-np.logaddexp(0, scores), -np.logaddexp(0, -scores)])
        return np.asarray(scores - np.logaddexp.reduce(scores, axis=1, keepdims=True))

    def _about(self) -> dict[str, Any]:
        return {"classes": [str(c) for c in self.classes_]}

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
