"""What the estimators that train epoch by epoch share: `fit`, `warm_start` and `partial_fit` as one training.

Ten epochs at once, five and five more, or ten times one: on the same data these are one run that goes on, so they end
with the same weights. On other data, or with other settings, a new run starts from the present weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.class_weight import compute_sample_weight

from glassnet.equations.derive import derive
from glassnet.equations.draws import ShuffledOrders, ShuffleStream
from glassnet.equations.losses import Loss
from glassnet.equations.optimizers import Optimizer
from glassnet.errors import GlassnetError
from glassnet.estimators.regression_base import RunEstimator
from glassnet.network import Network
from glassnet.training import train
from glassnet.training.arrays import Samples, sparse
from glassnet.training.augmentation import Augmentation
from glassnet.training.choice import SECONDS_TO_LOAD, reference_seconds
from glassnet.training.folder import data_fingerprint
from glassnet.training.run import Run

NOT_SETTINGS = ("callbacks", "epochs", "max_iter", "verbose", "warm_start")
"""Parameters that say how far to train and what to show, and change no update."""
AS_SET = "the present settings"
"""What a pickled or saved estimator was trained with, when its settings have not been changed since."""


@dataclass(frozen=True)
class Given:
    """What is trained on, encoded: X, Y, weights, and what is held out: (X, Y), (X, Y, w) or a fraction."""

    X: Any
    Y: np.ndarray
    w: np.ndarray | None
    held: tuple[Any, ...] | float | None

    def mark(self) -> str:
        """Equal for equal data."""
        marks = [data_fingerprint(Samples(_canonical(self.X), self.Y, self.w))]
        if isinstance(self.held, tuple):
            marks.append(data_fingerprint(Samples(_canonical(self.held[0]), *self.held[1:])))
        return " ".join(marks)


@dataclass(frozen=True)
class Recipe:
    """How to train: all that `gn.train` is told besides the data and the start."""

    network: Network
    loss: str | Loss | None
    optimizer: Optimizer
    batch_size: int | None
    shuffle: bool | ShuffleStream
    seed: int
    l1: float = 0.0
    l2: float = 0.0
    penalty_on: str = "mean"
    engine: str = "auto"
    augmentation: Augmentation | None = None


class EpochEstimator(RunEstimator):
    """An estimator that trains a network epoch by epoch."""

    def _settings_mark(self) -> str:
        """Equal for equal settings, as far as they change an update."""
        given = self.get_params(deep=False)
        return repr(sorted((k, v) for k, v in given.items() if k not in NOT_SETTINGS))

    def __getstate__(self) -> dict[str, Any]:
        # A generator is known by its address, which a copy or a loaded one does not have.
        state = super().__getstate__()
        if state.get("_trained_with") == self._settings_mark():
            state["_trained_with"] = AS_SET
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if self.__dict__.get("_trained_with") == AS_SET:
            self._trained_with = self._settings_mark()

    def _same_training(self, given: Given) -> bool:
        """Whether this call can go on with the run there is: the same data, settings and weights."""
        run = getattr(self, "run_", None)
        if run is None or run.data is None or (run.facts["data"]["validation_rows"] and run.validation is None):
            return False
        same = self._settings_mark() == self._trained_with and given.mark() == self._trained_on
        return same and self._weights_untouched(run)

    def _weights_untouched(self, run: Run) -> bool:
        return True

    def _go_on(self, epochs: int, callbacks: Sequence[Any]) -> Run:
        """The run there is, trained for so many more epochs."""
        done = self.run_.iteration // self.run_.batches
        return train(resume=self.run_, epochs=done + epochs, callbacks=callbacks, progress=False)

    def _start(
        self,
        given: Given,
        training: Given,
        recipe: Recipe,
        epochs: int,
        callbacks: Sequence[Any],
        start: Mapping[str, np.ndarray] | None,
    ) -> Run:
        """A new run. `training` is the part of `given` that is trained on, the rest of it held out."""
        self._trained_with, self._trained_on = self._settings_mark(), given.mark()
        return train(
            recipe.network, training.X, training.Y, loss=recipe.loss, optimizer=recipe.optimizer, epochs=epochs,
            batch_size=recipe.batch_size, l1=recipe.l1, l2=recipe.l2, penalty_on=recipe.penalty_on, seed=recipe.seed,
            engine=self._engine(recipe, training), validation=training.held, callbacks=callbacks, initial_parameters=start,
            sample_weight=training.w, shuffle=recipe.shuffle, progress=False, dtype=str(training.X.dtype),
            augmentation=recipe.augmentation,
        )  # fmt: skip

    def _engine(self, recipe: Recipe, training: Given) -> str:
        """The engine, by the work of a hundred epochs: fit, warm starts and partial_fit must all choose alike."""
        if recipe.engine != "auto" or sparse(training.X):
            return recipe.engine
        derivation = derive(recipe.network, recipe.loss, recipe.optimizer)
        seconds = reference_seconds(derivation, training.X.shape[0], recipe.batch_size, 100)
        return "compiled" if seconds > SECONDS_TO_LOAD else "reference"

    def _advance(self, state: np.random.RandomState, run: Run, epochs: int) -> None:
        """Leave a generator of the caller's where shuffling so many epochs would have left it."""
        if isinstance(self.random_state, int | np.integer) or run.data is None:
            return
        orders = ShuffledOrders(ShuffleStream.of(state), len(run.data))
        if epochs:
            orders.order(epochs - 1)
            state.set_state(orders.generator.get_state(legacy=True))


def _canonical(X: Any) -> Any:
    return X.tocsr() if sparse(X) else X


def seed_for_draws(random_state: Any, state: np.random.RandomState) -> int:
    """A seed for dropout masks: the caller's own number, or one drawn from a copy of the generator."""
    if isinstance(random_state, int | np.integer):
        return int(random_state)
    copied = np.random.RandomState()
    copied.set_state(state.get_state(legacy=True))
    return int(copied.randint(np.iinfo(np.int32).max))


def combined_weight(sample_weight: np.ndarray | None, class_weight: Any, y: Any, partial: bool) -> np.ndarray | None:
    """Sample weights times class weights; None when neither is given.

    Raises
    ------
    GlassnetError : class_weight="balanced" with partial_fit, which sees a part of the classes only
    """
    if class_weight is None:
        return sample_weight
    if partial and isinstance(class_weight, str):
        raise GlassnetError(
            f"partial_fit got class_weight={class_weight!r}, and it cannot know how often each class will come; pass "
            "the weights as a dict of class -> weight."
        )
    by_class = np.asarray(compute_sample_weight(class_weight, y))
    return by_class if sample_weight is None else by_class * sample_weight


def check_validation_data(given: Any, read: Callable[[Any, Any], tuple[Any, np.ndarray]]) -> tuple[Any, ...] | None:
    """`validation_data` as fit was given it, encoded like the training data.

    Raises
    ------
    GlassnetError : something other than (X, y) or (X, y, sample_weight)
    """
    if given is None:
        return None
    if not isinstance(given, tuple | list) or len(given) not in (2, 3):
        got = f"{len(given)} things" if isinstance(given, tuple | list) else type(given).__name__
        raise GlassnetError(f"validation_data got {got}; it needs (X, y) or (X, y, sample_weight).")
    X, Y = read(given[0], given[1])
    return (X, Y) if len(given) == 2 else (X, Y, np.asarray(given[2], dtype=X.dtype).reshape(-1, 1))


def random_generator(random_state: Any) -> np.random.RandomState:
    """scikit-learn's reading of `random_state`."""
    state: np.random.RandomState = check_random_state(random_state)
    return state
