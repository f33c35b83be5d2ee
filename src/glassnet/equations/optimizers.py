"""Optimisers: how a gradient changes a parameter, as equations.

Each states the update of one parameter θ with gradient dθ; `derive` writes it out for every parameter. What an
optimiser remembers between steps (a velocity, moments) is named after the parameter: `vW1`, `mW1`, `sW1`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from glassnet.equations.expression import Constant, Expression, Symbol
from glassnet.equations.functions import sqrt
from glassnet.equations.schedules import (
    ConstantRate,
    Schedule,
    check_flag,
    check_fraction,
    check_positive,
    check_whole,
    is_number,
    settle,
)
from glassnet.errors import GlassnetError, unknown_name

ALPHA = Symbol("alpha")
STEP = Symbol("t")
"""The number of the update being made, from 1."""

Update = tuple[Symbol, Expression, str]
"""(what is assigned, its new value, why): assignments run in order and see the ones before them."""


@dataclass(frozen=True)
class Optimizer:
    """Base of all optimisers; `learning_rate` is a number or a schedule."""

    learning_rate: float | Schedule

    def __post_init__(self) -> None:
        settle(self)
        if not isinstance(self.learning_rate, Schedule):
            check_positive(type(self).__name__, learning_rate=self.learning_rate)

    @property
    def schedule(self) -> Schedule:
        rate = self.learning_rate
        return rate if isinstance(rate, Schedule) else ConstantRate(float(rate))

    def states(self, parameter: Symbol) -> tuple[Symbol, ...]:
        """What is remembered for a parameter between steps; all start at zero."""
        return ()

    def updates(self, parameter: Symbol, gradient: Symbol, decays: bool) -> list[Update]:
        """The assignments of one step; `decays` says whether weight decay may touch this parameter."""
        raise TypeError(f"{type(self).__name__} states no update.")


def _state(letter: str, parameter: Symbol) -> Symbol:
    return Symbol(letter + parameter.name, parameter.shape)


@dataclass(frozen=True)
class SGD(Optimizer):
    """Gradient descent, with momentum when asked.

        θ ← θ − α dθ                     momentum 0
        v ← μ v − α dθ;  θ ← θ + v       momentum μ
        v ← μ v − α dθ;  θ ← θ + μ v − α dθ      nesterov

    Source: Sutskever et al., On the importance of initialization and momentum, 2013.
    """

    learning_rate: float | Schedule = 0.01
    momentum: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not is_number(self.momentum) or not 0 <= self.momentum <= 1:
            raise GlassnetError(f"SGD got momentum={self.momentum!r}; it needs a number from 0 to 1.")
        check_flag("SGD", nesterov=self.nesterov)
        if self.nesterov and not self.momentum:
            raise GlassnetError("SGD got nesterov=True without momentum; it needs momentum above 0, e.g. momentum=0.9.")

    def states(self, parameter: Symbol) -> tuple[Symbol, ...]:
        return (_state("v", parameter),) if self.momentum else ()

    def updates(self, parameter: Symbol, gradient: Symbol, decays: bool) -> list[Update]:
        if not self.momentum:
            return [(parameter, parameter - ALPHA * gradient, "a step down the slope")]
        v = _state("v", parameter)
        mu = Constant(self.momentum, "μ")
        moved: Update = (v, mu * v - ALPHA * gradient, "the velocity: part of the last one, plus the slope's push")
        if self.nesterov:
            return [moved, (parameter, parameter + mu * v - ALPHA * gradient, "a step that looks ahead along v")]
        return [moved, (parameter, parameter + v, "a step along the velocity")]


@dataclass(frozen=True)
class Adagrad(Optimizer):
    """s ← s + dθ²;  θ ← θ − α dθ / (√s + ε). Source: Duchi et al., 2011."""

    learning_rate: float | Schedule = 0.01
    epsilon: float = 1e-10

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive("Adagrad", epsilon=self.epsilon)

    def states(self, parameter: Symbol) -> tuple[Symbol, ...]:
        return (_state("s", parameter),)

    def updates(self, parameter: Symbol, gradient: Symbol, decays: bool) -> list[Update]:
        s = _state("s", parameter)
        scaled = ALPHA * (gradient / (sqrt(s) + Constant(self.epsilon, "ε")))
        return [
            (s, s + gradient**2, "the squared slopes seen so far"),
            (parameter, parameter - scaled, "a step, smaller where slopes have been large"),
        ]


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """s ← ρ s + (1 − ρ) dθ²;  θ ← θ − α dθ / (√s + ε). Source: Hinton, lecture 6e, 2012."""

    learning_rate: float | Schedule = 0.001
    rho: float = 0.9
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        super().__post_init__()
        check_fraction("RMSprop", rho=self.rho)
        check_positive("RMSprop", epsilon=self.epsilon)

    def states(self, parameter: Symbol) -> tuple[Symbol, ...]:
        return (_state("s", parameter),)

    def updates(self, parameter: Symbol, gradient: Symbol, decays: bool) -> list[Update]:
        s, rho = _state("s", parameter), Constant(self.rho, "ρ")
        scaled = ALPHA * (gradient / (sqrt(s) + Constant(self.epsilon, "ε")))
        return [
            (s, rho * s + (1 - rho) * gradient**2, "a running mean of the squared slopes"),
            (parameter, parameter - scaled, "a step measured in typical slopes"),
        ]


@dataclass(frozen=True)
class Adam(Optimizer):
    """m ← β₁ m + (1 − β₁) dθ;  v ← β₂ v + (1 − β₂) dθ²;  θ ← θ − α (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε).

    Parameters
    ----------
    learning_rate, beta1, beta2, epsilon : α, β₁, β₂, ε
    epsilon_hat : ε is added to √v before the correction of v: θ ← θ − α (√(1 − β₂ᵗ) / (1 − β₁ᵗ)) m / (√v + ε), the
        faster order of the paper's section 2, and scikit-learn's
    updates_before : updates that the moments have already seen, when they go on from an earlier training: t counts on

    Source: Kingma and Ba, Adam, 2015, algorithm 1 and the note after it.
    """

    learning_rate: float | Schedule = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    epsilon_hat: bool = False
    updates_before: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_fraction(type(self).__name__, beta1=self.beta1, beta2=self.beta2)
        check_positive(type(self).__name__, epsilon=self.epsilon)
        check_flag(type(self).__name__, epsilon_hat=self.epsilon_hat)
        if self.updates_before != 0:
            check_whole(type(self).__name__, updates_before=self.updates_before)

    def states(self, parameter: Symbol) -> tuple[Symbol, ...]:
        return (_state("m", parameter), _state("v", parameter))

    def updates(self, parameter: Symbol, gradient: Symbol, decays: bool) -> list[Update]:
        m, v = self.states(parameter)
        beta1, beta2, epsilon = Constant(self.beta1, "β₁"), Constant(self.beta2, "β₂"), Constant(self.epsilon, "ε")
        step: Expression = STEP + self.updates_before if self.updates_before else STEP
        if self.epsilon_hat:
            direction = (sqrt(1 - beta2**step) / (1 - beta1**step)) * (m / (sqrt(v) + epsilon))
        else:
            direction = (m / (1 - beta1**step)) / (sqrt(v / (1 - beta2**step)) + epsilon)
        return [
            (m, beta1 * m + (1 - beta1) * gradient, "a running mean of the slopes"),
            (v, beta2 * v + (1 - beta2) * gradient**2, "a running mean of the squared slopes"),
            (parameter, self.shrunk(parameter, decays) - ALPHA * direction, "a step of about α in each weight"),
        ]

    def shrunk(self, parameter: Symbol, decays: bool) -> Expression:
        return parameter


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with decoupled weight decay: θ ← θ − α λw θ − α (Adam's direction); biases do not decay.

    Source: Loshchilov and Hutter, Decoupled weight decay regularization, 2019.
    """

    weight_decay: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        check_fraction("AdamW", weight_decay=self.weight_decay)

    def shrunk(self, parameter: Symbol, decays: bool) -> Expression:
        if not decays or not self.weight_decay:
            return parameter
        return parameter - (ALPHA * Constant(self.weight_decay, "λw")) * parameter


@dataclass(frozen=True)
class LBFGS(Optimizer):
    """L-BFGS through SciPy: full batches, a line search instead of a learning rate; one iteration is one epoch.

    Its memory lives inside SciPy, so resuming and `run.at` repeat the iterations from the start, exactly.

    Parameters
    ----------
    memory : how many past steps the curvature is estimated from
    tolerance : converged when no slope is larger
    reduction : converged when the cost falls by a smaller share of itself; unless given, only at rounding level
    evaluations : most evaluations of the cost; 100 an iteration unless given

    Source: Liu and Nocedal, On the limited memory BFGS method, 1989; SciPy's L-BFGS-B without bounds.
    """

    learning_rate: float | Schedule = field(default=1.0, init=False, repr=False)
    memory: int = 10
    tolerance: float = 1e-10
    reduction: float | None = None
    evaluations: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole("LBFGS", memory=self.memory)
        for name in ("tolerance", "reduction"):
            value = getattr(self, name)
            if value is not None and (not is_number(value) or not 0 <= value < math.inf):
                raise GlassnetError(f"LBFGS got {name}={value!r}; it needs a finite number, 0 or above.")
        if self.evaluations is not None:
            check_whole("LBFGS", evaluations=self.evaluations)

    @property
    def smallest_reduction(self) -> float:
        """The relative fall of the cost below which the search has converged."""
        return self.tolerance * float(np.finfo(np.float64).eps) if self.reduction is None else self.reduction

    def updates(self, parameter: Symbol, gradient: Symbol, decays: bool) -> list[Update]:
        return []


@dataclass(frozen=True)
class LeastSquares(Optimizer):
    """The closed form, for one linear layer under the squared error: one iteration, no learning rate.

        XₒᵀXₒ θ = XₒᵀY        Xₒ = [1 X],  θ = [b; W];    + m λ D θ on the left with an L2 penalty

    The page shows these normal equations; they are solved by a QR of Xₒ, which keeps twice the digits. Columns that the
    ones before them determine are left out (coefficient 0), as R's `lm` does.

    Source: Gauss, 1809; Golub and Van Loan, Matrix Computations, §5.3.
    """

    learning_rate: float | Schedule = field(default=1.0, init=False, repr=False)

    def updates(self, parameter: Symbol, gradient: Symbol, decays: bool) -> list[Update]:
        return []


@dataclass(frozen=True)
class Newton(Optimizer):
    """Newton's method, for one layer under its own loss: logistic, softmax, Poisson and linear regression.

        θ ← θ − H⁻¹ dθ,   H = ∂²J/∂θ²

    A step that would raise the cost is halved. For these losses it is Fisher's scoring, R's `glm`. It starts from the data
    as R does, stops by R's rule, and goes on to rounding, so that nothing depends on the rule. Nearly dependent columns are
    first turned into orthonormal ones.

    Parameters
    ----------
    tolerance : R's epsilon: |D − D before| < tolerance (|D| + 0.1), D the deviance
    max_iter : at most so many iterations

    Source: Nelder and Wedderburn, Generalized linear models, 1972; McCullagh and Nelder, §2.5.
    """

    learning_rate: float | Schedule = field(default=1.0, init=False, repr=False)
    tolerance: float = 1e-8
    max_iter: int = 25

    def __post_init__(self) -> None:
        super().__post_init__()
        if not is_number(self.tolerance) or not 0 <= self.tolerance < math.inf:
            raise GlassnetError(f"Newton got tolerance={self.tolerance!r}; it needs a finite number, 0 or above.")
        check_whole("Newton", max_iter=self.max_iter)

    def updates(self, parameter: Symbol, gradient: Symbol, decays: bool) -> list[Update]:
        return []


OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD, "adagrad": Adagrad, "rmsprop": RMSprop, "adam": Adam, "adamw": AdamW, "lbfgs": LBFGS,
    "least_squares": LeastSquares, "newton": Newton,
}  # fmt: skip


def optimizer(value: str | Optimizer | None) -> Optimizer:
    """An optimiser by name ("adam"), or the object itself; None is Adam().

    Raises
    ------
    GlassnetError : no such optimiser
    """
    if value is None:
        return Adam()
    if isinstance(value, Optimizer):
        return value
    if isinstance(value, str) and value.lower() in OPTIMIZERS:
        return OPTIMIZERS[value.lower()]()  # type: ignore[call-arg]
    raise GlassnetError(unknown_name("optimiser", value, OPTIMIZERS))
