"""Multilayer perceptrons with scikit-learn's constructor, attributes and numbers, on glassnet's equations."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import pairwise
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils._param_validation import Interval, Options, StrOptions, validate_parameter_constraints
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from glassnet.equations.draws import ShuffleStream
from glassnet.equations.functions import FunctionKind
from glassnet.equations.losses import Loss
from glassnet.equations.optimizers import LBFGS, SGD, Adam, Optimizer
from glassnet.equations.schedules import Adaptive, InverseScaling, Schedule
from glassnet.errors import GlassnetError
from glassnet.estimators.epochs import (
    EpochEstimator,
    Given,
    Recipe,
    check_validation_data,
    random_generator,
    seed_for_draws,
)
from glassnet.estimators.stopping import NoImprovement, OneClass
from glassnet.network import Activation, BatchNorm, Dense, Dropout, Layer, Network
from glassnet.training.run import Run

ACTIVATION_NAMES = {"identity": "linear", "logistic": "sigmoid", "tanh": "tanh", "relu": "relu"}
STOCHASTIC = ("sgd", "adam")
OWN_KINDS = (FunctionKind, Loss, Optimizer, Schedule)
"""glassnet's objects, which stand for themselves wherever scikit-learn takes a name."""
FOREVER = 2**62
SCIPYS_REDUCTION = 2.220446049250313e-09
"""The relative fall of the cost at which SciPy's L-BFGS-B stops unless told otherwise."""


class BaseMLP(EpochEstimator):
    """What the classifier and the regressor share."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions({"identity", "logistic", "tanh", "relu"})],
        "solver": [StrOptions({"lbfgs", "sgd", "adam"})],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "learning_rate": [StrOptions({"constant", "invscaling", "adaptive"})],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "power_t": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "momentum": [Interval(Real, 0, 1, closed="both")],
        "nesterovs_momentum": ["boolean"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "beta_2": [Interval(Real, 0, 1, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), Options(Real, {np.inf})],
        "max_fun": [Interval(Integral, 1, None, closed="left")],
        "dropout": ["array-like", Interval(Real, 0, 1, closed="left")],
        "batch_normalization": ["boolean"],
        "engine": [str],
    }

    coefs_: list[np.ndarray]
    intercepts_: list[np.ndarray]

    def _validate_params(self) -> None:
        given = {k: v for k, v in self.get_params(deep=False).items() if not isinstance(v, OWN_KINDS)}
        validate_parameter_constraints(self._parameter_constraints, given, caller_name=type(self).__name__)

    # What the classifier and the regressor say for themselves.

    def _read(self, X: Any, y: Any, reset: bool, incremental: bool) -> tuple[Any, np.ndarray, Any]:
        """X, Y as the network takes them, and y as it was given, checked."""
        raise NotImplementedError

    def _read_held(self, X: Any, y: Any) -> tuple[Any, np.ndarray]:
        raise NotImplementedError

    def _output(self) -> tuple[str, str, str | Loss]:
        """scikit-learn's name of the output activation, glassnet's, and the loss."""
        raise NotImplementedError

    def _weighted(self, sample_weight: np.ndarray | None, y: Any, incremental: bool) -> np.ndarray | None:
        return sample_weight

    def _stratified(self) -> bool:
        return False

    def _one_class(self) -> bool:
        return False

    # Training.

    def _hidden(self) -> list[int]:
        sizes = self.hidden_layer_sizes
        sizes = list(sizes) if hasattr(sizes, "__iter__") else [sizes]
        if any(isinstance(size, bool) or not isinstance(size, Integral) for size in sizes):
            raise TypeError(f"hidden_layer_sizes must be whole numbers, got {sizes}.")
        if np.any(np.array(sizes) <= 0):
            raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")
        return [int(size) for size in sizes]

    def _rates(self, hidden: int) -> list[float]:
        """The dropout rate after each hidden layer."""
        if not hasattr(self.dropout, "__iter__"):
            return [float(self.dropout)] * hidden
        rates = [float(rate) for rate in self.dropout]
        if len(rates) != hidden or any(not 0 <= rate < 1 for rate in rates):
            raise GlassnetError(
                f"dropout got {rates}; with {hidden} hidden layers it needs one rate from 0 up to 1, or one for each layer."
            )
        return rates

    def _network(self, inputs: int, outputs: int) -> Network:
        hidden = self._hidden()
        kind = (
            ACTIVATION_NAMES.get(self.activation, self.activation)
            if isinstance(self.activation, str)
            else self.activation
        )
        layers: list[Layer] = []
        for units, rate in zip(hidden, self._rates(len(hidden)), strict=True):
            layers += (
                [Dense(units), BatchNorm(), Activation(kind)] if self.batch_normalization else [Dense(units, kind)]
            )
            if rate:
                layers.append(Dropout(rate))
        return Network(inputs, *layers, Dense(outputs, self._output()[1]))

    def _draws(self, units: Sequence[int], state: np.random.RandomState) -> dict[str, np.ndarray]:
        """Glorot's uniform weights and biases, drawn in scikit-learn's order."""
        factor = 2.0 if self.activation == "logistic" else 6.0
        start: dict[str, np.ndarray] = {}
        for layer, (fan_in, fan_out) in enumerate(pairwise(units), start=1):
            bound = np.sqrt(factor / (fan_in + fan_out))
            start[f"W{layer}"] = state.uniform(-bound, bound, (fan_in, fan_out))
            start[f"b{layer}"] = state.uniform(-bound, bound, fan_out)
        return start

    def _batch_size(self, count: int) -> int:
        if isinstance(self.batch_size, str):
            return min(200, count)
        if self.batch_size > count:
            warnings.warn(
                "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped", stacklevel=4
            )
        return int(np.clip(self.batch_size, 1, count))

    def _optimizer(self, count: int, watched: str, memory: bool) -> Optimizer:
        """The optimiser of a new run; with `memory`, one that goes on from the last run's."""
        if isinstance(self.solver, Optimizer):
            return self.solver
        rate: float | Schedule = self.learning_rate_init
        if isinstance(self.learning_rate, Schedule):
            rate = self.learning_rate
        if self.solver == "adam":
            before = self._updates if memory else 0
            return Adam(rate, self.beta_1, self.beta_2, self.epsilon, epsilon_hat=True, updates_before=before)
        if self.solver == "lbfgs":
            return LBFGS(tolerance=float(self.tol), reduction=SCIPYS_REDUCTION, evaluations=int(self.max_fun))
        if isinstance(self.learning_rate, str) and self.learning_rate == "invscaling":
            rate = InverseScaling(self.learning_rate_init, self.power_t, samples=count, samples_before=int(self.t_))
        elif isinstance(self.learning_rate, str) and self.learning_rate == "adaptive":
            known = memory and len(self.run_.history)  # none after a first epoch that diverged
            present = float(self.run_.history["learning_rate"][-1]) if known else self.learning_rate_init
            rate = Adaptive(
                present, factor=0.2, patience=self._patience(), tolerance=float(self.tol), monitor=watched, stops=True
            )
        return SGD(rate, self.momentum, nesterov=bool(self.nesterovs_momentum and self.momentum > 0))

    def _patience(self) -> int:
        return FOREVER if np.isinf(self.n_iter_no_change) else int(self.n_iter_no_change) + 1

    def _stochastic(self) -> bool:
        return not (self.solver == "lbfgs" or isinstance(self.solver, LBFGS))

    def _check_solver(self) -> bool:
        if not self._stochastic():
            raise AttributeError("partial_fit is only available for stochastic optimizers. lbfgs is not stochastic.")
        return True

    def _fit(self, X: Any, y: Any, sample_weight: Any, validation_data: Any, incremental: bool) -> Any:
        hidden = self._hidden()
        first = not hasattr(self, "coefs_") or (not self.warm_start and not incremental)
        X, Y, y = self._read(X, y, first, incremental)
        weight = None if sample_weight is None else _check_sample_weight(sample_weight, X)
        weight = self._weighted(weight, y, incremental)
        w = None if weight is None else np.asarray(weight, dtype=X.dtype).reshape(-1, 1)
        if self.early_stopping and incremental and self._stochastic():
            raise ValueError("partial_fit does not support early_stopping=True")
        given = Given(X, Y, w, check_validation_data(validation_data, self._read_held))
        if not first:
            self._refuse_another(self._network(X.shape[1], Y.shape[1]))
        self.n_outputs_ = Y.shape[1]
        units = [X.shape[1], *hidden, self.n_outputs_]
        state = random_generator(self.random_state)
        if first:
            for stale in ("run_", "validation_loss_curve_", "best_validation_score_", "validation_scores_"):
                self.__dict__.pop(stale, None)
            self.n_layers_, self.out_activation_ = len(units), self._output()[0]
            self.n_iter_ = self.t_ = self._updates = 0
            self._curves: dict[str, list[float]] = {"loss": [], "score": [], "held": []}
        epochs = 1 if incremental else int(self.max_iter)
        score = self._score_column()
        watched = score if self.early_stopping else "batch_cost"
        watching: list[Any] = list(self.callbacks or ())
        if self._stochastic() and not incremental:
            adaptive = self.solver == "sgd" and isinstance(self.learning_rate, str) and self.learning_rate == "adaptive"
            patience = FOREVER if adaptive else self._patience()
            rule = OneClass if self.early_stopping and self._one_class() else NoImprovement
            watching.insert(0, rule(watched, patience, float(self.tol), restore_best=bool(self.early_stopping)))
        if self._stochastic() and not first and self._same_training(given):
            before = len(self.run_.history)
            run = self._go_on(epochs, self._showing(watching, before))
        else:
            before = 0
            start = self._draws(units, state) if first else self._present(incremental)
            training = self._split(given, state)
            kept = training.X.shape[0] if training.w is None else int(np.count_nonzero(training.w))
            goes_on = incremental and not first and self._remembers()
            recipe = Recipe(
                self._network(units[0], units[-1]),
                self._output()[2],
                self._optimizer(kept, watched, goes_on),
                self._batch_size(kept) if self._stochastic() else None,
                ShuffleStream.of(state) if self._stochastic() and self.shuffle else False,
                seed_for_draws(self.random_state, state),
                l2=float(self.alpha),
                penalty_on="sum",
                engine=self.engine,
            )
            if not first:
                self._curves = {name: list(values) for name, values in self._shown_curves().items()}
            run = self._start(given, training, recipe, epochs, self._showing(watching, 0), start)
            if recipe.shuffle:
                self._advance(state, run, len(run.history))
        self._take(run, before)
        self._say_how_it_ended(run, before, incremental)
        return self

    def _refuse_another(self, network: Network) -> None:
        """A network of another shape cannot go on from the present weights."""
        if network != self.run_.network:
            raise GlassnetError(
                f"The last fit trained the network {self.run_.network}, and now it is {network}, so its weights cannot be "
                "gone on from; set warm_start=False and call fit to start anew."
            )

    def _split(self, given: Given, state: np.random.RandomState) -> Given:
        """The part to train on, and what is held out: one's own, or a part drawn as scikit-learn draws it."""
        if not self.early_stopping or not self._stochastic() or given.held is not None:
            return given
        arrays = [given.X, given.Y] if given.w is None else [given.X, given.Y, given.w]
        parts = train_test_split(
            *arrays, random_state=state, test_size=self.validation_fraction,
            stratify=given.Y if self._stratified() else None,
        )  # fmt: skip
        train, held = parts[0::2], parts[1::2]
        if held[0].shape[0] < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of your dataset."
            )
        return Given(train[0], train[1], train[2] if len(train) == 3 else None, tuple(held))

    def _score_column(self) -> str:
        raise NotImplementedError

    def _remembers(self) -> bool:
        """Whether the last run's optimiser is of the kind that the next one will be."""
        if isinstance(self.solver, Optimizer):
            return self.solver == self.run_.settings.optimizer
        return isinstance(self.run_.settings.optimizer, Adam if self.solver == "adam" else SGD)

    def _present(self, with_memory: bool) -> dict[str, np.ndarray]:
        """The weights as they are now, and what goes with them; with memory, the optimiser's too."""
        start = dict(self._weights())
        state = self.run_.at(self.run_.iteration).state if with_memory else self.run_.state
        derivation = self.run_.derivation
        names = [p.name for p in derivation.parameters] + list(derivation.buffers)
        if with_memory and self._remembers():
            names += [symbol.name for symbol in derivation.states]
        return {name: start[name] if name in start else state[name] for name in names}

    def _weights(self) -> dict[str, np.ndarray]:
        weights: dict[str, np.ndarray] = {}
        for layer, (W, b) in enumerate(zip(self.coefs_, self.intercepts_, strict=True), start=1):
            weights |= {f"W{layer}": W, f"b{layer}": b}
        return weights

    def _weights_untouched(self, run: Run) -> bool:
        parameters = run.parameters
        return all(np.array_equal(parameters[name], array) for name, array in self._weights().items())

    def _showing(self, watching: list[Any], before: int) -> list[Any]:
        if not self.verbose or not self._stochastic():
            return watching

        def show(run: Run) -> None:
            self._print_epoch(run, len(run.history) - 1, before)

        return [*watching, show]

    def _print_epoch(self, run: Run, epoch: int, before: int) -> None:
        row = run.history[epoch]
        rate = row["learning_rate"]
        adaptive = isinstance(run.settings.optimizer.schedule, Adaptive)
        if adaptive and epoch > before and rate < run.history[epoch - 1]["learning_rate"]:
            print(f"{self._stalled()} Setting learning rate to {rate:f}")
        print(f"Iteration {epoch + 1 - before}, loss = {row['batch_cost']:.8f}")
        if self.early_stopping:
            print(f"Validation score: {self._scores([row[self._score_column()]])[0]:f}")

    def _stalled(self) -> str:
        watched = "Validation score" if self.early_stopping else "Training loss"
        return f"{watched} did not improve more than tol={self.tol:f} for {self.n_iter_no_change} consecutive epochs."

    def _scores(self, values: Any) -> list[float]:
        """Held-out scores as scikit-learn has them: R² of a constant target is 0."""
        return [0.0 if np.isnan(value) else float(value) for value in values]

    # What a person reads afterwards.

    def _take(self, run: Run, before: int) -> None:
        """The attributes of a fit from its run; the epochs from `before` on were made by this call."""
        parameters = run.parameters
        layers = range(1, self.n_layers_)
        self.coefs_ = [parameters[f"W{layer}"].copy() for layer in layers]
        self.intercepts_ = [parameters[f"b{layer}"].copy() for layer in layers]
        self.run_ = run
        rows = 0 if run.data is None else len(run.data)
        self.n_iter_ = len(run.history) - before
        if self._stochastic():
            self.t_ += rows * self.n_iter_
            optimizer = run.settings.optimizer
            self._updates = run.iteration + (optimizer.updates_before if isinstance(optimizer, Adam) else 0)
        curves = self._shown_curves()
        self.loss_curve_ = curves["loss"]
        if self._stochastic():
            self.loss_ = self.loss_curve_[-1] if self.loss_curve_ else np.inf
        else:
            self.loss_ = run.facts.get("lbfgs", {}).get("cost", np.inf)
        if run.validation is not None:
            self.validation_loss_curve_ = curves["held"]
        if not self._stochastic():
            return
        stopping = bool(self.early_stopping) and self._stochastic()
        self.validation_scores_ = curves["score"] if run.validation is not None else None
        self.best_validation_score_ = max(curves["score"]) if stopping and curves["score"] else None
        self.best_loss_ = None if stopping else min(self.loss_curve_, default=np.inf)

    def _shown_curves(self) -> dict[str, list[float]]:
        """Loss, held-out score and held-out loss, epoch by epoch, earlier runs included."""
        columns = {"loss": "batch_cost", "score": self._score_column(), "held": "validation_cost"}
        history = self.run_.history
        found = {name: [float(v) for v in history[c]] if c in history else [] for name, c in columns.items()}
        found["score"] = self._scores(found["score"])
        return {name: self._curves[name] + values for name, values in found.items()}

    def _say_how_it_ended(self, run: Run, before: int, incremental: bool) -> None:
        if run.status == "interrupted":
            warnings.warn("Training interrupted by user.", stacklevel=4)
        elif not self._stochastic() and run.status in ("finished", "converged"):
            self._say_how_lbfgs_ended(run)
        elif run.status == "finished" and not incremental:
            warnings.warn(
                f"Stochastic Optimizer: Maximum iterations ({self.max_iter}) reached and the optimization hasn't "
                "converged yet.",
                ConvergenceWarning,
                stacklevel=4,
            )
        elif self.verbose and run.status == "stopped early":
            self._print_epoch(run, len(run.history) - 1, before)
            small = " Learning rate too small." if isinstance(run.settings.optimizer.schedule, Adaptive) else ""
            print(f"{self._stalled()}{small} Stopping.")

    def _say_how_lbfgs_ended(self, run: Run) -> None:
        ended = run.facts["lbfgs"]
        self.n_iter_ = min(ended["iterations"], int(self.max_iter))
        if ended["status"] == 0:
            return
        said = f"lbfgs failed to converge after {self.n_iter_} iteration(s) (status={ended['status']}):\n{ended['message']}\n"
        if self.n_iter_ == self.max_iter:
            said += f"\nIncrease the number of iterations to improve the convergence (max_iter={self.max_iter})."
        said += (
            "\nYou might also want to scale the data as shown in:\n"
            "    https://scikit-learn.org/stable/modules/preprocessing.html"
        )
        warnings.warn(said, ConvergenceWarning, stacklevel=5)

    # Predicting.

    def _forward(self, X: Any) -> np.ndarray:
        """The outputs for X under the weights in `coefs_` and `intercepts_`."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse=["csr", "csc"], reset=False)
        dtype = self.run_.settings.dtype
        weights = {name: np.asarray(array, dtype=dtype) for name, array in self._weights().items()}
        return self.run_.outputs({**self.run_.state, **weights}, X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self.engine != "compiled"
        return tags


def trains_in_epochs() -> Any:
    """`partial_fit` exists for the solvers that go epoch by epoch."""
    return available_if(lambda estimator: estimator._check_solver())
