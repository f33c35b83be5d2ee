"""From the options of `glassnet train` to a network, a loss and an optimiser, with the reasons for what was chosen."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from glassnet.equations.losses import LOSSES, NATURAL_LOSS
from glassnet.equations.optimizers import OPTIMIZERS, SGD, Optimizer
from glassnet.equations.schedules import (
    Adaptive,
    CosineDecay,
    ExponentialDecay,
    InverseScaling,
    OneCycle,
    Schedule,
    StepDecay,
    WarmUp,
)
from glassnet.errors import GlassnetError, unknown_name
from glassnet.layers import OF_PICTURES
from glassnet.network import (
    Activation,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Layer,
    Network,
)
from glassnet.notation import parsed, parts_of, stated_picture

SCHEDULES = ("constant", "step", "exponential", "inverse", "cosine", "one-cycle", "warm-up", "adaptive")
TASKS = ("auto", "classification", "regression")
RATES = {"sgd": 0.1, "adagrad": 0.05, "rmsprop": 0.003, "adam": 0.01, "adamw": 0.01}
"""Learning rates that suit standardised inputs and a few dozen of them."""
MANY_INPUTS = 100
EPOCHS = ((10_000, 100), (100_000, 30), (1_000_000, 10))
BATCHES = ((10_000, 32), (100_000, 128))
NEVER_NEGATIVE = ("sigmoid", "relu", "softplus", "exp")


@dataclass(frozen=True)
class Plan:
    """What was asked for, checked as far as it can be without data.

    `None` stands for a choice that depends on the data.
    """

    task: str
    hidden: tuple[int, ...]
    activation: str
    dropout: float
    batch_norm: bool
    output: str | None
    loss: str | None
    optimizer: str
    learning_rate: float | None
    momentum: float | None
    schedule: str
    epochs: int | None
    batch_size: str | None
    init: str
    notation: str | None = None

    def __post_init__(self) -> None:
        if self.notation is not None:
            self.notated_layers()
        if self.task not in TASKS:
            raise GlassnetError(unknown_name("task", self.task, TASKS))
        if self.optimizer.lower() not in OPTIMIZERS:
            raise GlassnetError(unknown_name("optimiser", self.optimizer, OPTIMIZERS))
        if self.schedule not in SCHEDULES:
            raise GlassnetError(unknown_name("schedule", self.schedule, SCHEDULES))
        if self.loss is not None and self.loss not in LOSSES:
            raise GlassnetError(unknown_name("loss", self.loss, LOSSES))
        if self.momentum is not None and self.optimizer.lower() != "sgd":
            raise GlassnetError(f"--momentum belongs to sgd, not to {self.optimizer}; leave it out.")
        if self.whole_batches and (self.learning_rate is not None or self.schedule != "constant"):
            raise GlassnetError(
                f"{self.optimizer.lower()} finds the length of its steps itself; leave --learning-rate and --schedule out."
            )
        if self.batch_size is not None and self.batch_size != "full":
            _whole(self.batch_size, "--batch-size", "a number of rows, or 'full'")
        if self.epochs is not None and self.epochs < 0:
            raise GlassnetError(f"--epochs got {self.epochs}; it needs a whole number, 0 or more.")
        self.layers(1, self.output or "linear")
        self.make_optimizer(1, 1, 1)

    @property
    def whole_batches(self) -> bool:
        """Whether the optimiser sees all samples at once and needs no learning rate."""
        return self.optimizer.lower() not in RATES

    def layers(self, outputs: int, head: str) -> list[Layer]:
        """Hidden layers and the output layer."""
        found: list[Layer] = []
        for units in self.hidden:
            if self.batch_norm:
                found += [Dense(units, init=self.init, bias=False), BatchNorm(), Activation(self.activation)]
            else:
                found.append(Dense(units, self.activation, init=self.init))
            if self.dropout:
                found.append(Dropout(self.dropout))
        return [*found, Dense(outputs, head, init=self.init)]

    def network(self, inputs: tuple[int, ...], outputs: int, task: str) -> Network:
        """The network for inputs of this shape and so many outputs.

        Raises
        ------
        GlassnetError : the network of --network does not fit them
        """
        if self.notation is None:
            return Network(inputs, *self.layers(outputs, self.head(outputs, task)))
        shape, layers = parsed(self.notation, inputs, (), "--network")
        network = Network(shape, *layers)
        if network.output_units != outputs:
            head = "linear" if task == "regression" else "sigmoid" if outputs == 1 else "softmax"
            needs = f"{outputs} output{'s' if outputs != 1 else ''}"
            why = "a quantity" if task == "regression" else "two classes" if outputs == 1 else f"{outputs} classes"
            raise GlassnetError(
                f"--network ends in {network.output_units} output{'s' if network.output_units != 1 else ''}, and {why} "
                f"need{'s' if task == 'regression' else ''} {needs}: end it with 'dense {outputs} {head}'."
            )
        return network

    @property
    def stated_shape(self) -> tuple[int, ...] | None:
        """The shape of a picture that --network begins with; None when it begins with a layer, or with a number."""
        return stated_picture(self.notation or "")

    def notated_layers(self) -> list[Layer]:
        """The layers of --network, read without knowing the inputs.

        Raises
        ------
        GlassnetError : the notation is wrong
        """
        assert self.notation is not None
        first = parts_of(self.notation)[0]
        if re.match(r"^\d+\s*[xX×]\s*\d+$", first):
            raise GlassnetError(
                f"--network begins with '{first}'; a picture's shape is channels×height×width, as in '1×28×28 → ...'."
            )
        return parsed(self.notation, None if self.stated_shape else 1, (), "--network")[1]

    @property
    def takes_pictures(self) -> bool:
        """Whether the network of --network has layers that need pictures."""
        if self.notation is None:
            return False
        return self.stated_shape is not None or any(isinstance(layer, OF_PICTURES) for layer in self.notated_layers())

    def head(self, outputs: int, task: str) -> str:
        """The output's activation: as asked, as the loss wants it, or as the task does."""
        if self.notation is not None:
            heads = [
                layer.activation for layer in self.notated_layers() if isinstance(layer, Dense | Conv2D | Activation)
            ]
            return str(heads[-1]) if heads else "linear"
        if self.output is not None:
            return self.output
        by_loss = {loss: head for head, loss in NATURAL_LOSS.items()} | {"hinge": "linear"}
        if self.loss in by_loss and not (self.loss == "categorical_cross_entropy" and outputs == 1):
            return by_loss[str(self.loss)]
        if task == "regression":
            return "linear"
        return "sigmoid" if outputs == 1 else "softmax"

    def make_optimizer(self, inputs: int, epochs: int, batches: int) -> Optimizer:
        """The optimiser, its schedule fitted to the length of the training."""
        name = self.optimizer.lower()
        kind = OPTIMIZERS[name]
        if self.whole_batches:
            return kind()  # type: ignore[call-arg]
        rate = self.learning_rate
        if rate is None:
            rate = RATES[name] / (10 if inputs > MANY_INPUTS else 1) / (5 if self.momentum else 1)
        scheduled = _scheduled(self.schedule, rate, max(1, epochs), max(1, batches))
        if kind is SGD:
            return SGD(scheduled, momentum=self.momentum or 0.0)
        return kind(scheduled)

    def chosen_epochs(self, rows: int) -> int:
        """As asked; or 100, fewer where rows are many."""
        if self.epochs is not None:
            return self.epochs
        return next((epochs for most, epochs in EPOCHS if rows <= most), 5)

    def chosen_batch(self, rows: int) -> int | None:
        """As asked; or 32, more where rows are many; None for all of them."""
        if self.whole_batches and self.batch_size in (None, "full"):
            return None
        if self.batch_size == "full":
            return None
        if self.batch_size is not None:
            return int(self.batch_size)
        size = next((size for most, size in BATCHES if rows <= most), 256)
        return size if size < rows else None


def hidden_units(text: str) -> tuple[int, ...]:
    """ "40,20" → (40, 20); "none" → ().

    Raises
    ------
    GlassnetError : anything else
    """
    if text.strip().lower() in ("none", "0", ""):
        if text.strip() == "0":
            raise GlassnetError("--hidden got '0'; write 'none' for a network without hidden layers.")
        return ()
    return tuple(
        _whole(part.strip(), "--hidden", "units of each hidden layer, such as 40,20, or 'none'")
        for part in text.split(",")
    )


def _whole(text: str, option: str, needs: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise GlassnetError(f"{option} got '{text}'; it needs {needs}: whole numbers, 1 or more.")
    return int(text)


def recorded(text: str) -> str | int:
    """--record as `gn.train` takes it."""
    return int(text) if text.isdecimal() else text


def _scheduled(name: str, rate: float, epochs: int, batches: int) -> float | Schedule:
    match name:
        case "step":
            return StepDecay(rate, every=math.ceil(epochs / 5), factor=0.5)
        case "exponential":
            return ExponentialDecay(rate, decay=0.01 ** (1 / epochs))
        case "inverse":
            return InverseScaling(rate)
        case "cosine":
            return CosineDecay(rate, epochs=epochs)
        case "one-cycle":
            return OneCycle(rate, epochs=epochs)
        case "warm-up":
            return WarmUp(rate, iterations=max(1, epochs * batches // 20))
        case "adaptive":
            return Adaptive(rate, patience=max(2, epochs // 20))
        case _:
            return rate


def why_loss(plan: Plan, head: str, task: str) -> str:
    """A reason for the loss and the output, in words."""
    options = (("--loss", plan.loss), ("--output", plan.output), ("--network", plan.notation))
    asked = " and ".join(name for name, given in options if given)
    if asked:
        return f"as {asked} asked"
    if task == "regression":
        return "for a quantity"
    return "for two classes" if head == "sigmoid" else "for classes that exclude one another"


def described(optimizer: Any, batch: int | None, rows: int, epochs: int) -> str:
    """ "adam, learning rate 0.01, batches of 32, 100 epochs"."""
    name = type(optimizer).__name__
    parts = [name]
    if name.lower() in RATES:
        schedule = optimizer.schedule
        kind = type(schedule).__name__
        parts.append(f"learning rate {schedule.learning_rate:g}" + ("" if kind == "ConstantRate" else f" ({kind})"))
    parts.append(f"all {rows:,} rows at once" if batch is None else f"batches of {batch}")
    if name == "LeastSquares":
        return ", ".join([*parts, "one solution"])
    return ", ".join([*parts, f"{epochs:,} epoch{'s' if epochs != 1 else ''}"])
