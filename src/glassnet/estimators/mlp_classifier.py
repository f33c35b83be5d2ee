"""`MLPClassifier`: scikit-learn's, with everything to be seen."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.multiclass import (
    _check_partial_fit_first_call,
    type_of_target,
    unique_labels,
)
from sklearn.utils.validation import column_or_1d, validate_data

from glassnet.equations.losses import Loss
from glassnet.estimators.epochs import combined_weight
from glassnet.estimators.mlp import BaseMLP, trains_in_epochs


class MLPClassifier(ClassifierMixin, BaseMLP):  # type: ignore[misc]
    """A multilayer perceptron for classes: change the import from scikit-learn's, and nothing else.

        A⁽ˡ⁾ = g(A⁽ˡ⁻¹⁾ W⁽ˡ⁾ + b⁽ˡ⁾),   J = (Σ cross-entropy + ½ alpha Σ W²) / m

    From the same `random_state` the initial weights, the batches, the held-out rows and the loss curve are those of
    scikit-learn's MLPClassifier, and `run_` holds the whole training: its equations, its history, any step of it.

    Parameters
    ----------
    hidden_layer_sizes : units of each hidden layer
    activation : "identity", "logistic", "tanh" or "relu"; or one made by `gn.activation`
    solver : "adam", "sgd" or "lbfgs"; or an optimiser object such as `gn.RMSprop(0.01)`, with its own learning rate
    alpha : strength of the L2 penalty on the weights, divided by the size of the batch
    batch_size : "auto" is min(200, m)
    learning_rate : for "sgd": "constant"; "invscaling", α = learning_rate_init / (samples seen + 1)^power_t; "adaptive",
        divided by 5 when the loss stalls; for "sgd" and "adam" also a schedule object such as `gn.CosineDecay(0.01, 200)`
    learning_rate_init, power_t : as above
    max_iter : epochs (iterations of "lbfgs")
    shuffle : new batches in every epoch
    random_state : weights, batches and the split of `early_stopping`
    tol, n_iter_no_change : training ends when the loss, or with `early_stopping` the held-out score, has not improved by
        tol for that many epochs
    verbose : print the loss of every epoch
    warm_start : `fit` goes on from the present weights; on the same data it goes on exactly
    momentum, nesterovs_momentum : for "sgd"
    early_stopping, validation_fraction : hold out a fraction, watch its accuracy, and end with the best weights
    beta_1, beta_2, epsilon : for "adam"
    max_fun : most evaluations for "lbfgs"
    loss : "log_loss", "hinge" (on scores; no probabilities), "squared_error" (of the probabilities), or one made by
        `gn.loss`
    dropout : share of each hidden layer's units that is dropped in training; one number, or one a layer
    batch_normalization : normalise each hidden layer's sums over the batch, before the activation
    class_weight : None, "balanced" or class -> weight
    callbacks : functions of the run called after each epoch (True stops), and `gn.EarlyStopping` objects
    engine : which engine computes, as in `gn.train`

    Attributes
    ----------
    run_ : the `Run`; `run_.derivation` prints the training step as a textbook page
    coefs_, intercepts_ : W⁽ˡ⁾ (n_{l−1}, n_l) and b⁽ˡ⁾ (n_l,) of each layer
    classes_, n_features_in_, feature_names_in_, n_layers_, n_outputs_, out_activation_
    loss_curve_ : J, mean over the batches of each epoch as they were met; loss_ is the last, best_loss_ the lowest
    validation_scores_, best_validation_score_ : held-out accuracy after each epoch
    validation_loss_curve_ : held-out loss after each epoch, without penalty
    n_iter_ : epochs of the last call; t_ : samples seen in all

    Raises
    ------
    ValueError, InvalidParameterError : as scikit-learn's, with its words; GlassnetError for the parameters it lacks

    Notes
    -----
    Rows of weight 0 are left out, where scikit-learn keeps them in its batches. A saturated output costs what the
    equations say, where scikit-learn clips its probability.

    A training whose numbers stop being finite ends with its last finite weights and a `GlassnetWarning` that names the
    equation and says what to change. `fit` for 10 epochs, for 5 and 5 more with `warm_start`, and 10 times `partial_fit`
    give the same weights; scikit-learn starts its shuffles (and, with warm_start, Adam) anew in each call.

    Source: Rumelhart, Hinton and Williams, 1986; Glorot and Bengio, 2010 (initial weights); Kingma and Ba, 2015.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseMLP._parameter_constraints,
        "loss": [StrOptions({"log_loss", "hinge", "squared_error"})],
        "class_weight": [StrOptions({"balanced"}), dict, None],
    }

    classes_: np.ndarray

    def __init__(
        self,
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
        loss: Any = "log_loss",
        dropout: Any = 0.0,
        batch_normalization: bool = False,
        class_weight: Any = None,
        callbacks: Any = (),
        engine: str = "auto",
    ) -> None:
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
        self.loss = loss
        self.dropout = dropout
        self.batch_normalization = batch_normalization
        self.class_weight = class_weight
        self.callbacks = callbacks
        self.engine = engine

    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, validation_data: Any = None) -> MLPClassifier:
        """Train on X (m, features), an array, frame or sparse matrix, and y (m,) classes or (m, labels) of 0 and 1.

        Parameters
        ----------
        sample_weight : (m,) weights; rows of weight 0 are left out
        validation_data : (X, y) or (X, y, sample_weight) of your own to measure after every epoch; with
            `early_stopping` they are what is watched
        """
        self._validate_params()
        return self._fit(X, y, sample_weight, validation_data, incremental=False)  # type: ignore[no-any-return]

    @trains_in_epochs()  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> MLPClassifier:
        """One epoch over these data. The first call names all `classes` that will ever come."""
        self._validate_params()
        if _check_partial_fit_first_call(self, classes):
            self._label_binarizer = LabelBinarizer()
            self._label_binarizer.fit(y if type_of_target(y).startswith("multilabel") else classes)
        return self._fit(X, y, sample_weight, None, incremental=True)  # type: ignore[no-any-return]

    def _read(self, X: Any, y: Any, reset: bool, incremental: bool) -> tuple[Any, np.ndarray, Any]:
        X, y = validate_data(
            self, X, y, accept_sparse=["csr", "csc"], multi_output=True, dtype=(np.float64, np.float32), reset=reset
        )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if not hasattr(self, "classes_") or (not self.warm_start and not incremental):
            self._label_binarizer = LabelBinarizer()
            self._label_binarizer.fit(y)
            self.classes_ = self._label_binarizer.classes_
        else:
            classes = unique_labels(y)
            if self.warm_start:
                if set(classes) != set(self.classes_):
                    raise ValueError(
                        "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                        f"Previously got {self.classes_}, `y` has {classes}"
                    )
            elif len(np.setdiff1d(classes, self.classes_, assume_unique=True)):
                raise ValueError(
                    f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. 'y' has {classes}."
                )
        return X, self._encoded(y, X.dtype), y

    def _encoded(self, y: Any, dtype: Any) -> np.ndarray:
        """One column for two classes or one label, else one a class or label; −1 and 1 under the hinge loss."""
        Y = self._label_binarizer.transform(y)
        Y = np.asarray(Y.toarray() if hasattr(Y, "toarray") else Y).astype(dtype)
        Y = Y.reshape(len(Y), -1)
        return np.asarray(2 * Y - 1 if self._signed() else Y)

    def _signed(self) -> bool:
        return bool((self.loss.name if isinstance(self.loss, Loss) else self.loss) == "hinge")

    def _read_held(self, X: Any, y: Any) -> tuple[Any, np.ndarray]:
        X, y = validate_data(
            self, X, y, accept_sparse=["csr", "csc"], multi_output=True, dtype=(np.float64, np.float32), reset=False
        )
        return X, self._encoded(y, X.dtype)

    def _output(self) -> tuple[str, str, str | Loss]:
        several = self._label_binarizer.y_type_ == "multiclass"
        if self._signed():
            return "identity", "linear", "hinge"
        theirs, ours = ("softmax", "softmax") if several else ("logistic", "sigmoid")
        if isinstance(self.loss, Loss):
            return theirs, ours, self.loss
        named = {"log_loss": "categorical_cross_entropy" if several else "binary_cross_entropy"}
        return theirs, ours, named.get(self.loss, "mean_squared_error")

    def _weighted(self, sample_weight: np.ndarray | None, y: Any, incremental: bool) -> np.ndarray | None:
        return combined_weight(sample_weight, self.class_weight, y, incremental)

    def _stratified(self) -> bool:
        return bool(self.n_outputs_ == 1)

    def _score_column(self) -> str:
        return "validation_accuracy"

    def _scores(self, values: Any) -> list[float]:
        scores = super()._scores(values)
        return [1.0] * len(scores) if self._one_class() else scores

    def _one_class(self) -> bool:
        """Whether there is nothing to tell apart: `predict` knows one class only."""
        return len(self.classes_) == 1

    def predict(self, X: Any) -> np.ndarray:
        """The class of each row (m,), or the labels (m, labels)."""
        A = self._forward(X)
        A = A.ravel() if self.n_outputs_ == 1 else A
        return np.asarray(self._label_binarizer.inverse_transform(A, threshold=0.0 if self._signed() else 0.5))

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class (m, classes); of each label for several labels.

        Raises
        ------
        AttributeError : under the hinge loss, whose scores are no probabilities
        """
        if self._signed():
            raise AttributeError("predict_proba is not available with loss='hinge': its scores are no probabilities.")
        A = self._forward(X)
        if self.n_outputs_ == 1:
            return np.hstack([1 - A, A])
        return A

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """The logarithm of `predict_proba`."""
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(self.predict_proba(X)))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
