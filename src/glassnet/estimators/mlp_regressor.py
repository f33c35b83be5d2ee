"""`MLPRegressor`: scikit-learn's, with everything to be seen."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import column_or_1d, validate_data

from glassnet.equations.functions import log, maximum
from glassnet.equations.losses import A, Loss, Y
from glassnet.estimators.mlp import BaseMLP, trains_in_epochs

HALF_POISSON_DEVIANCE = Loss("half_poisson_deviance", A - Y * log(A) + Y * log(maximum(Y, 1e-37)) - Y, "not_negative")
"""y log(y / a) − y + a, scikit-learn's "poisson": the poisson loss plus what does not depend on a."""

LOSS_NAMES: dict[str, str | Loss] = {
    "squared_error": "mean_squared_error",
    "absolute_error": "mean_absolute_error",
    "huber": "huber",
    "poisson": HALF_POISSON_DEVIANCE,
}


class MLPRegressor(RegressorMixin, BaseMLP):  # type: ignore[misc]
    """A multilayer perceptron for numbers: change the import from scikit-learn's, and nothing else.

        A⁽ˡ⁾ = g(A⁽ˡ⁻¹⁾ W⁽ˡ⁾ + b⁽ˡ⁾),   J = (Σ ½ (A⁽ᴸ⁾ − Y)² + ½ alpha Σ W²) / m

    From the same `random_state` the initial weights, the batches, the held-out rows and (with one output) the loss curve
    are those of scikit-learn's MLPRegressor, and `run_` holds the whole training.

    One difference is deliberate. With several outputs scikit-learn reports a loss averaged over the outputs while its
    gradient sums them (its issue 8349). Here both sum: the weights agree with scikit-learn's, and the reported loss is
    the one whose slope is followed, larger than scikit-learn's by the number of outputs in its data term.

    Parameters
    ----------
    loss : "squared_error" (½ of the squares), "poisson" (half the deviance, outputs exp(Z), targets ≥ 0),
        "absolute_error", "huber", or one made by `gn.loss`
    hidden_layer_sizes, activation, solver, alpha, batch_size, learning_rate, learning_rate_init, power_t, max_iter, shuffle,
    random_state, tol, verbose, warm_start, momentum, nesterovs_momentum, early_stopping, validation_fraction, beta_1,
    beta_2, epsilon, n_iter_no_change, max_fun, dropout, batch_normalization, callbacks, engine : as for `MLPClassifier`;
        `early_stopping` watches the held-out R²

    Attributes
    ----------
    As for `MLPClassifier`, without `classes_`; `validation_scores_` are R².

    Source: as for `MLPClassifier`.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseMLP._parameter_constraints,
        "loss": [StrOptions(set(LOSS_NAMES))],
    }

    def __init__(
        self,
        loss: Any = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: Any = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: Any = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: Any = 10,
        max_fun: int = 15000,
        dropout: Any = 0.0,
        batch_normalization: bool = False,
        callbacks: Any = (),
        engine: str = "auto",
    ) -> None:
        self.loss = loss
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.dropout = dropout
        self.batch_normalization = batch_normalization
        self.callbacks = callbacks
        self.engine = engine

    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, validation_data: Any = None) -> MLPRegressor:
        """Train on X (m, features), an array, frame or sparse matrix, and y (m,) or (m, outputs).

        Parameters
        ----------
        sample_weight : (m,) weights; rows of weight 0 are left out
        validation_data : (X, y) or (X, y, sample_weight) of your own to measure after every epoch; with
            `early_stopping` they are what is watched
        """
        self._validate_params()
        return self._fit(X, y, sample_weight, validation_data, incremental=False)  # type: ignore[no-any-return]

    @trains_in_epochs()  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """One epoch over these data."""
        self._validate_params()
        return self._fit(X, y, sample_weight, None, incremental=True)  # type: ignore[no-any-return]

    def _checked(self, X: Any, y: Any, reset: bool) -> tuple[Any, Any]:
        X, y = validate_data(
            self, X, y, accept_sparse=["csr", "csc"], multi_output=True, y_numeric=True, dtype=(np.float64, np.float32),
            reset=reset,
        )  # fmt: skip
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return X, y

    def _read(self, X: Any, y: Any, reset: bool, incremental: bool) -> tuple[Any, np.ndarray, Any]:
        X, y = self._checked(X, y, reset)
        return X, np.asarray(y, dtype=X.dtype).reshape(len(y), -1), y

    def _read_held(self, X: Any, y: Any) -> tuple[Any, np.ndarray]:
        X, y = self._checked(X, y, False)
        return X, np.asarray(y, dtype=X.dtype).reshape(len(y), -1)

    def _output(self) -> tuple[str, str, str | Loss]:
        if isinstance(self.loss, Loss):
            return "identity", "linear", self.loss
        theirs, ours = ("exp", "exp") if self.loss == "poisson" else ("identity", "linear")
        return theirs, ours, LOSS_NAMES[self.loss]

    def _score_column(self) -> str:
        return "validation_r2"

    def predict(self, X: Any) -> np.ndarray:
        """The network's outputs: (m,) for one, else (m, outputs)."""
        A = self._forward(X)
        return A.ravel() if A.shape[1] == 1 else A
