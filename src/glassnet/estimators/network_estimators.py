"""`NetworkClassifier` and `NetworkRegressor`: any network of glassnet's as a scikit-learn estimator."""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import _check_partial_fit_first_call, type_of_target, unique_labels
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, column_or_1d, validate_data

from glassnet.equations.derive import derive
from glassnet.equations.optimizers import LBFGS, Adam, Optimizer
from glassnet.equations.optimizers import optimizer as named_optimizer
from glassnet.errors import GlassnetError
from glassnet.estimators.epochs import (
    EpochEstimator,
    Given,
    Recipe,
    check_validation_data,
    combined_weight,
    random_generator,
    seed_for_draws,
)
from glassnet.estimators.given_networks import as_rows, completed_network, takes_sparse, whole_network
from glassnet.network import Dense, Layer, Network
from glassnet.training.augmentation import Augmentation
from glassnet.training.callbacks import EarlyStopping
from glassnet.training.run import Run

DTYPES = (np.float64, np.float32)
SPARSE = ["csr", "csc"]


class BaseNetworkEstimator(EpochEstimator):
    """What the classifier and the regressor share."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "network": [Network, Layer, str, "array-like", None],
        "optimizer": [Optimizer, str, None],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left"), None],
        "l1": [Interval(Real, 0, None, closed="left")],
        "l2": [Interval(Real, 0, None, closed="left")],
        "shuffle": ["boolean"],
        "early_stopping": ["boolean", EarlyStopping],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
        "warm_start": ["boolean"],
        "engine": [str],
        "augmentation": [Augmentation, None],
    }

    n_outputs_: int

    def _validate_params(self) -> None:
        # A Network is no array; scikit-learn's constraint would try to read a list of layers as numbers.
        from sklearn.utils._param_validation import validate_parameter_constraints

        constraints = {k: v for k, v in self._parameter_constraints.items() if k != "network"}
        validate_parameter_constraints(constraints, self.get_params(deep=False), caller_name=type(self).__name__)

    # What the classifier and the regressor say for themselves.

    def _read(self, X: Any, y: Any, reset: bool, incremental: bool) -> tuple[Any, Any]:
        raise NotImplementedError

    def _encoded(self, y: Any, dtype: Any, whole: Network | None) -> np.ndarray:
        """y as the targets of the network; `whole` is the one that was given whole."""
        raise NotImplementedError

    def _output_layer(self) -> Dense:
        raise NotImplementedError

    def _needed_units(self) -> tuple[int, str]:
        """How many outputs the network needs, and why."""
        raise NotImplementedError

    def _weighted(self, sample_weight: np.ndarray | None, y: Any, incremental: bool) -> np.ndarray | None:
        return sample_weight

    # Training.

    def _network_for(self, whole: Network | None, shape: tuple[int, ...]) -> Network:
        """The network given whole, or the layers given between these inputs and the outputs that y needs.

        Raises
        ------
        GlassnetError : a network whose inputs or outputs do not fit the data
        """
        if whole is None:
            return completed_network(self.network, shape, self._output_layer())
        needed, why = self._needed_units()
        if whole.output_units != needed:
            raise GlassnetError(
                f"The network {whole} has {whole.output_units} outputs, and {why} needs {needed}; change its last layer, or "
                "give its hidden layers alone, e.g. network=[gn.Dense(40, 'tanh')]."
            )
        return whole

    def _fit(self, X: Any, y: Any, sample_weight: Any, validation_data: Any, incremental: bool) -> Any:
        first = not hasattr(self, "run_") or (not self.warm_start and not incremental)
        X, picture = as_rows(X, self.network)
        X, y = self._read(X, y, first, incremental)
        known = None if first else self.run_.network.input_shape
        shape = picture or known or (X.shape[1],)
        whole = whole_network(self.network, shape)
        Y = self._encoded(y, X.dtype, whole)
        self.n_outputs_ = Y.shape[1]
        weight = None if sample_weight is None else _check_sample_weight(sample_weight, X)
        weight = self._weighted(weight, y, incremental)
        w = None if weight is None else np.asarray(weight, dtype=X.dtype).reshape(-1, 1)
        network = self._network_for(whole, shape)
        held = check_validation_data(validation_data, lambda X, y: self._read_held(X, y, network, whole))
        given = Given(X, Y, w, held)
        optimizer = named_optimizer(self.optimizer)
        if incremental and isinstance(optimizer, LBFGS):
            raise GlassnetError(
                "partial_fit got the optimiser LBFGS, which has no epochs; use fit, or another optimiser."
            )
        epochs = 1 if incremental else int(self.epochs)
        before = 0
        watching = list(self.callbacks or ())
        if not incremental and self.early_stopping:
            watching.insert(0, self._stopper())
        if not first and self._same_training(given):
            before = len(self.run_.history)
            run = self._go_on(epochs, watching)
        else:
            state = random_generator(self.random_state)
            seed = seed_for_draws(self.random_state, state)
            if not isinstance(self.random_state, int | np.integer):
                state.randint(np.iinfo(np.int32).max)  # the next training of this generator is another one
            start = None if first else self._present(network, optimizer, incremental)
            if start is not None and isinstance(optimizer, Adam):
                optimizer = self._counting_on(optimizer, incremental)
            if self.early_stopping and held is None and not incremental:
                training = Given(X, Y, w, float(self.validation_fraction))
            else:
                training = given
            lbfgs = isinstance(optimizer, LBFGS)
            recipe = Recipe(
                network, self.loss, optimizer, None if lbfgs else self.batch_size, bool(self.shuffle), seed,
                l1=float(self.l1), l2=float(self.l2), engine=self.engine, augmentation=self.augmentation,
            )  # fmt: skip
            run = self._start(given, training, recipe, epochs, watching, start)
        self.run_ = run
        self.n_iter_ = len(run.history) - before
        self.loss_curve_ = [float(v) for v in run.history["cost"] + run.history["penalty"]] if len(run.history) else []
        if "validation_cost" in run.history:
            self.validation_loss_curve_ = [float(v) for v in run.history["validation_cost"]]
        if lbfgs_stopped_short(run):
            warnings.warn(
                f"L-BFGS had not converged after {self.n_iter_} iterations; raise epochs (now {self.epochs}), or "
                "standardise the inputs.",
                ConvergenceWarning,
                stacklevel=3,
            )
        return self

    def _stopper(self) -> EarlyStopping:
        return self.early_stopping if isinstance(self.early_stopping, EarlyStopping) else EarlyStopping()

    def _present(self, network: Network, optimizer: Optimizer, with_memory: bool) -> dict[str, np.ndarray]:
        """The parameters as they are now; with memory, the optimiser's too."""
        if network != self.run_.network:
            raise GlassnetError(
                f"The last fit trained the network {self.run_.network}, and now it is {network}, so its weights cannot be "
                "gone on from; set warm_start=False to start anew."
            )
        state = self.run_.at(self.run_.iteration).state if with_memory else self.run_.state
        derivation = derive(network, self.loss, optimizer)
        names = [p.name for p in derivation.parameters] + list(derivation.buffers)
        if with_memory and type(optimizer) is type(self.run_.settings.optimizer):
            names += [symbol.name for symbol in derivation.states]
        return {name: state[name] for name in names if name in state}

    def _counting_on(self, optimizer: Adam, with_memory: bool) -> Adam:
        """Adam whose t goes on from the last run's."""
        from dataclasses import replace

        last = self.run_.settings.optimizer
        if not with_memory or not isinstance(last, Adam):
            return optimizer
        return replace(optimizer, updates_before=last.updates_before + self.run_.iteration)

    def _read_held(self, X: Any, y: Any, network: Network, whole: Network | None) -> tuple[Any, np.ndarray]:
        X = self._rows(X, network)
        return X, self._encoded(np.asarray(y), X.dtype, whole)

    def _rows(self, X: Any, network: Network) -> Any:
        """X of rows that were not fitted to, checked against those that were."""
        X, _ = as_rows(X, network)
        return validate_data(self, X, accept_sparse=SPARSE, dtype=DTYPES, reset=False)

    def _settings_mark(self) -> str:
        # An EarlyStopping object says when to stop, and changes no update.
        given = {k: v for k, v in self.get_params(deep=False).items() if not isinstance(v, EarlyStopping)}
        dropped = ("callbacks", "epochs", "warm_start")
        return repr(sorted((k, repr(v)) for k, v in given.items() if k not in dropped))

    def _forward(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        return self.run_.predict(self._rows(X, self.run_.network))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = takes_sparse(self.network) and self.engine != "compiled"
        return tags


def lbfgs_stopped_short(run: Run) -> bool:
    """Whether L-BFGS made all its iterations without converging."""
    return isinstance(run.settings.optimizer, LBFGS) and run.status == "finished"


class NetworkClassifier(ClassifierMixin, BaseNetworkEstimator):  # type: ignore[misc]
    """Any network as a classifier.

        NetworkClassifier(gn.Network(2, gn.Dense(40, "tanh"), gn.Dense(1, "sigmoid")), optimizer=gn.SGD(0.9))
        NetworkClassifier([gn.Dense(40), gn.BatchNorm(), gn.Activation("relu"), gn.Dropout(0.2)])
        NetworkClassifier("1x8x8 → conv 8x3 relu → pool 2 → flatten → 10 softmax")

    Parameters
    ----------
    network : a Network, or the text that `gn.Network.parse` reads; without an input shape the text gets that of X. Or the
        hidden layers alone, which get X's inputs and the output layer that y needs: Dense(1, "sigmoid") for two classes or
        Dense(k, "sigmoid") for several labels, else Dense(k, "softmax"). None is one hidden layer of 100 relu units
    loss : a name or a Loss; unless given, the one that belongs to the output activation
    optimizer : a name, or an object with its learning rate or schedule; Adam() unless given
    epochs, batch_size, l1, l2, shuffle, engine : as in `gn.train` (batch_size=None takes all samples at once)
    early_stopping : True, or a `gn.EarlyStopping`; watches `validation_data`, or a held-out `validation_fraction`
    class_weight : None, "balanced" or class -> weight
    random_state : one seed is one result
    warm_start : `fit` goes on from the present weights; on the same data it goes on exactly
    callbacks : functions of the run called after each epoch; True stops
    augmentation : a `gn.Augmentation` that changes the training pictures in every epoch, or None

    Attributes
    ----------
    run_ : the `Run`; its `parameters`, `history`, `derivation`, and any step of the training
    classes_, n_features_in_ (of pictures channels · height · width), feature_names_in_, n_outputs_
    n_iter_ : epochs of the last call
    loss_curve_ : J on all training samples after each epoch; validation_loss_curve_ : the held-out loss

    Raises
    ------
    GlassnetError : a network that does not fit the data; what `gn.train` refuses
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseNetworkEstimator._parameter_constraints,
        "class_weight": [StrOptions({"balanced"}), dict, None],
    }

    classes_: np.ndarray

    def __init__(
        self,
        network: Any = None,
        *,
        loss: Any = None,
        optimizer: Any = None,
        epochs: int = 100,
        batch_size: int | None = 32,
        l1: float = 0.0,
        l2: float = 0.0,
        shuffle: bool = True,
        early_stopping: Any = False,
        validation_fraction: float = 0.1,
        class_weight: Any = None,
        random_state: Any = None,
        warm_start: bool = False,
        callbacks: Any = (),
        engine: str = "auto",
        augmentation: Augmentation | None = None,
    ) -> None:
        self.network = network
        self.loss = loss
        self.optimizer = optimizer
        self.epochs = epochs
        self.batch_size = batch_size
        self.l1 = l1
        self.l2 = l2
        self.shuffle = shuffle
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.class_weight = class_weight
        self.random_state = random_state
        self.warm_start = warm_start
        self.callbacks = callbacks
        self.engine = engine
        self.augmentation = augmentation

    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, validation_data: Any = None) -> NetworkClassifier:
        """Train on X (m, features) and y (m,) classes, or (m, labels) of 0 and 1.

        Parameters
        ----------
        X : (m, features); for a network of pictures also (m, channels, height, width), (m, height, width) for one channel,
            or, where the network says its input shape, such pictures as rows (m, channels · height · width)
        sample_weight : (m,) weights; rows of weight 0 are left out
        validation_data : (X, y) or (X, y, sample_weight) to measure after every epoch
        """
        self._validate_params()
        return self._fit(X, y, sample_weight, validation_data, incremental=False)  # type: ignore[no-any-return]

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> NetworkClassifier:
        """One epoch over these data. The first call names all `classes` that will ever come."""
        self._validate_params()
        if _check_partial_fit_first_call(self, classes):
            self._label_binarizer = LabelBinarizer()
            self._label_binarizer.fit(y if type_of_target(y).startswith("multilabel") else classes)
        return self._fit(X, y, sample_weight, None, incremental=True)  # type: ignore[no-any-return]

    def _read(self, X: Any, y: Any, reset: bool, incremental: bool) -> tuple[Any, Any]:
        X, y = validate_data(self, X, y, accept_sparse=SPARSE, multi_output=True, dtype=DTYPES, reset=reset)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if not hasattr(self, "classes_") or (not self.warm_start and not incremental):
            self._label_binarizer = LabelBinarizer().fit(y)
            self.classes_ = self._label_binarizer.classes_
            return X, y
        unknown = np.setdiff1d(unique_labels(y), self.classes_)
        if len(unknown):
            raise GlassnetError(
                f"y has the classes {', '.join(map(str, unknown))}, and the training that goes on knows "
                f"{', '.join(map(str, self.classes_))} only; name all classes in the first call, or start anew."
            )
        return X, y

    def _encoded(self, y: Any, dtype: Any, whole: Network | None) -> np.ndarray:
        Y = self._label_binarizer.transform(y)
        Y = np.asarray(Y.toarray() if hasattr(Y, "toarray") else Y).astype(dtype)
        Y = Y.reshape(len(Y), -1)
        if whole is not None and self._two_columns(whole):
            Y = np.hstack([1 - Y, Y])
        return np.asarray(2 * Y - 1 if self._signed() else Y)

    def _two_columns(self, network: Network) -> bool:
        """Whether the network answers two classes with two outputs."""
        return network.output_units == 2 and self._label_binarizer.y_type_ == "binary"

    def _signed(self) -> bool:
        return (self.loss if isinstance(self.loss, str) else getattr(self.loss, "name", None)) == "hinge"

    def _output_layer(self) -> Dense:
        if self._signed():
            return Dense(self.n_outputs_, "linear")
        return Dense(self.n_outputs_, "softmax" if self._label_binarizer.y_type_ == "multiclass" else "sigmoid")

    def _needed_units(self) -> tuple[int, str]:
        kind = self._label_binarizer.y_type_
        several = "labels" if kind.startswith("multilabel") else "classes"
        return self.n_outputs_, f"y with {len(self.classes_)} {several}"

    def _weighted(self, sample_weight: np.ndarray | None, y: Any, incremental: bool) -> np.ndarray | None:
        return combined_weight(sample_weight, self.class_weight, y, incremental)

    def predict(self, X: Any) -> np.ndarray:
        """The class of each row (m,), or the labels (m, labels)."""
        A = self._forward(X)
        if self._two_columns(self.run_.network):
            return np.asarray(self.classes_[A.argmax(axis=1)])
        A = A.ravel() if self.n_outputs_ == 1 else A
        return np.asarray(self._label_binarizer.inverse_transform(A, threshold=0.0 if self._signed() else 0.5))

    def predict_proba(self, X: Any) -> np.ndarray:
        """The network's outputs as probabilities (m, classes).

        Raises
        ------
        AttributeError : the output activation gives no probabilities
        """
        check_is_fitted(self)
        head = self.run_.derivation.output_activation.name
        if head not in ("sigmoid", "softmax"):
            raise AttributeError(
                f"predict_proba is not available: the output activation '{head}' gives no probabilities."
            )
        A = self._forward(X)
        return np.hstack([1 - A, A]) if self.n_outputs_ == 1 else A

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class NetworkRegressor(RegressorMixin, BaseNetworkEstimator):  # type: ignore[misc]
    """Any network as a regressor.

        NetworkRegressor([gn.Dense(40, "tanh"), gn.Dense(20, "tanh")], optimizer=gn.Adam(0.01))

    Parameters
    ----------
    network : a Network or its notation; or its hidden layers alone, which get X's inputs and a linear output for each of y's
        (exp under loss="poisson"). None is one hidden layer of 100 relu units
    loss, optimizer, epochs, batch_size, l1, l2, shuffle, early_stopping, validation_fraction, random_state, warm_start,
    callbacks, engine, augmentation : as for `NetworkClassifier`

    Attributes
    ----------
    As for `NetworkClassifier`, without `classes_`.
    """

    def __init__(
        self,
        network: Any = None,
        *,
        loss: Any = None,
        optimizer: Any = None,
        epochs: int = 100,
        batch_size: int | None = 32,
        l1: float = 0.0,
        l2: float = 0.0,
        shuffle: bool = True,
        early_stopping: Any = False,
        validation_fraction: float = 0.1,
        random_state: Any = None,
        warm_start: bool = False,
        callbacks: Any = (),
        engine: str = "auto",
        augmentation: Augmentation | None = None,
    ) -> None:
        self.network = network
        self.loss = loss
        self.optimizer = optimizer
        self.epochs = epochs
        self.batch_size = batch_size
        self.l1 = l1
        self.l2 = l2
        self.shuffle = shuffle
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.random_state = random_state
        self.warm_start = warm_start
        self.callbacks = callbacks
        self.engine = engine
        self.augmentation = augmentation

    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, validation_data: Any = None) -> NetworkRegressor:
        """Train on X (m, features) and y (m,) or (m, outputs).

        Parameters
        ----------
        X : a table or pictures, as for `NetworkClassifier.fit`
        sample_weight : (m,) weights; rows of weight 0 are left out
        validation_data : (X, y) or (X, y, sample_weight) to measure after every epoch
        """
        self._validate_params()
        return self._fit(X, y, sample_weight, validation_data, incremental=False)  # type: ignore[no-any-return]

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> NetworkRegressor:
        """One epoch over these data."""
        self._validate_params()
        return self._fit(X, y, sample_weight, None, incremental=True)  # type: ignore[no-any-return]

    def _read(self, X: Any, y: Any, reset: bool, incremental: bool) -> tuple[Any, Any]:
        X, y = validate_data(
            self, X, y, accept_sparse=SPARSE, multi_output=True, y_numeric=True, dtype=DTYPES, reset=reset
        )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return X, y

    def _encoded(self, y: Any, dtype: Any, whole: Network | None) -> np.ndarray:
        return np.asarray(y, dtype=dtype).reshape(len(y), -1)

    def _output_layer(self) -> Dense:
        name = self.loss if isinstance(self.loss, str) else getattr(self.loss, "name", None)
        return Dense(self.n_outputs_, "exp" if name == "poisson" else "linear")

    def _needed_units(self) -> tuple[int, str]:
        return self.n_outputs_, f"y with {self.n_outputs_} output{'s' if self.n_outputs_ > 1 else ''}"

    def predict(self, X: Any) -> np.ndarray:
        """The network's outputs: (m,) for one, else (m, outputs)."""
        A = self._forward(X)
        return A.ravel() if A.shape[1] == 1 else A
