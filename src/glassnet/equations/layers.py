"""The forward equations of each kind of layer, and nothing else: the backward ones are derived from them.

A `Forward` collects the equations of a network as its layers are passed through. The layers between one dense layer
and the next belong to the same number l: `Z1`, `N1`, `B1`, `A1`, `D1` are the stations of layer 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from glassnet.equations.expression import Constant, Expression, MatMul, Mean, Shape, Symbol
from glassnet.equations.functions import FunctionKind, linear, sqrt
from glassnet.errors import GlassnetError


@dataclass(frozen=True)
class Equation:
    """One line of the textbook: a name and the expression it equals.

    Attributes
    ----------
    name : what is computed ("dW2")
    phase : "forward", "cost", "backward" or "update"
    layer : the layer it belongs to (None for the cost)
    expression : the right-hand side that is executed
    why : one line in words
    rules : the named rules that made the line
    textbook : the form a textbook prints, when the executed one differs from it
    inference : the right-hand side when predicting, when it differs (batch statistics, dropout)
    """

    name: str
    phase: str
    layer: int | None
    expression: Expression
    why: str
    rules: tuple[str, ...] = ()
    textbook: Expression | None = None
    inference: Expression | None = None

    @property
    def shape(self) -> Shape:
        return self.expression.shape

    @property
    def shown(self) -> Expression:
        """The right-hand side that the page prints."""
        return self.expression if self.textbook is None else self.textbook

    @property
    def arrow(self) -> str:
        return "←" if self.phase == "update" else "="

    def __str__(self) -> str:
        from glassnet.equations.rendering import TEXT, symbol_in

        return f"{symbol_in(self.name, TEXT)} {self.arrow} {self.shown}"

    def latex(self) -> str:
        """The whole line as LaTeX."""
        from glassnet.equations.rendering import LATEX, symbol_in

        arrow = r"\leftarrow" if self.arrow == "←" else "="
        return f"{symbol_in(self.name, LATEX)} {arrow} {self.shown.latex()}"

    def mathml(self) -> str:
        """The whole line as a MathML `<math>` element."""
        from glassnet.equations.rendering import MATHML, symbol_in

        right = self.shown.mathml()
        left = symbol_in(self.name, MATHML)
        return f'<math display="block"><mrow>{left}<mo>{self.arrow}</mo>{right}</mrow></math>'

    def _repr_html_(self) -> str:
        from importlib import import_module

        # The views stand to the right of the equations; nothing here depends on them, a notebook may still ask.
        return str(import_module("glassnet.views.notebook").equation_html(self))


@dataclass(frozen=True)
class Parameter:
    """A trained array: its symbol, its layer, and its role ("weight", "bias", "scale", "shift")."""

    symbol: Symbol
    layer: int
    role: str

    @property
    def name(self) -> str:
        return self.symbol.name

    @property
    def penalised(self) -> bool:
        """Penalties and weight decay act on weights only."""
        return self.role == "weight"


@dataclass
class Forward:
    """The forward equations collected so far, and the value that the next layer takes as its input."""

    value: Symbol
    layer: int = 0
    equations: list[Equation] = field(default_factory=list)
    parameters: list[Parameter] = field(default_factory=list)
    buffers: dict[str, tuple[Symbol, float]] = field(default_factory=dict)
    masks: dict[str, tuple[Symbol, float]] = field(default_factory=dict)
    buffer_updates: list[Equation] = field(default_factory=list)

    def say(self, name: str, expression: Expression, why: str, *, inference: Expression | None = None) -> Symbol:
        """Add `name = expression` and return the symbol of its left-hand side."""
        if any(equation.name == name for equation in self.equations):
            raise GlassnetError(
                f"Layer {self.layer} states {name} twice; put a Dense layer between two layers of the same kind."
            )
        self.equations.append(Equation(name, "forward", self.layer, expression, why, inference=inference))
        return Symbol(name, expression.shape)

    def learn(self, stem: str, shape: Shape, role: str) -> Symbol:
        """Declare a parameter of the current layer."""
        symbol = Symbol(f"{stem}{self.layer}", shape)
        self.parameters.append(Parameter(symbol, self.layer, role))
        return symbol


def dense(forward: Forward, units: int, activation: FunctionKind, bias: bool, activated_later: bool) -> None:
    """Z = A⁽ˡ⁻¹⁾ W + b;  A = g(Z).

    `activated_later` leaves the second line to an Activation layer that follows.
    """
    incoming = forward.value
    if len(incoming.shape) != 2:
        raise GlassnetError(
            f"Dense {forward.layer + 1} got inputs of shape {incoming.shape}; it needs (m, features). "
            "Add Flatten() before it."
        )
    forward.layer += 1
    number = forward.layer
    weights = forward.learn("W", (incoming.shape[1], units), "weight")
    total: Expression = MatMul(incoming, weights)
    if bias:
        total = total + forward.learn("b", (units,), "bias")
    source = "the inputs" if number == 1 else f"layer {number - 1}'s output"
    z = forward.say(f"Z{number}", total, f"each unit's weighted sum of {source}" + (", plus its bias" if bias else ""))
    forward.value = z
    if not activated_later:
        activate(forward, activation)


def activate(forward: Forward, activation: FunctionKind) -> None:
    """A = g(Z), on whatever the layer's value is now."""
    name = f"A{forward.layer}"
    if activation == linear:
        forward.value = forward.say(name, forward.value, "a linear unit passes its sum on")
        return
    why = {
        "softmax": "scores to probabilities that sum to 1 in each row",
        "sigmoid": "squeezed between 0 and 1",
        "tanh": "squeezed between −1 and 1",
        "relu": "negative sums cut off at zero",
    }.get(activation.name, f"the activation {activation.name} of each sum")
    forward.value = forward.say(name, activation(forward.value), why)


def batch_norm(forward: Forward, momentum: float, epsilon: float) -> None:
    """C = V − mu;  N = C / √(var + ε);  B = gamma ⊙ N + beta, with the batch's own mean and variance (divided by m).

    Predictions use running means of both: running ← (1 − momentum) running + momentum · batch.

    Source: Ioffe and Szegedy, Batch Normalization, 2015.
    """
    value, number = forward.value, forward.layer
    if len(value.shape) != 2:
        raise GlassnetError(f"BatchNorm got inputs of shape {value.shape}; it needs (m, features).")
    width: Shape = (value.shape[1],)
    running_mean = Symbol(f"running_mean{number}", width)
    running_var = Symbol(f"running_var{number}", width)
    forward.buffers[running_mean.name] = (running_mean, 0.0)
    forward.buffers[running_var.name] = (running_var, 1.0)
    mu = forward.say(f"mu{number}", Mean(value, 0), "each feature's mean over the batch", inference=running_mean)
    centred = forward.say(f"C{number}", value - mu, "how far each value is from its mean")
    var = forward.say(
        f"var{number}", Mean(centred**2, 0), "each feature's variance over the batch", inference=running_var
    )
    spread = forward.say(f"sd{number}", sqrt(var + Constant(epsilon, "ε₀")), "its standard deviation, kept above zero")
    normed = forward.say(f"N{number}", centred / spread, "every feature to mean 0 and variance 1")
    gamma = forward.learn("gamma", width, "scale")
    beta = forward.learn("beta", width, "shift")
    forward.value = forward.say(f"B{number}", gamma * normed + beta, "then to a mean and spread that are learnt")
    for running, batch in ((running_mean, mu), (running_var, var)):
        moved = (1 - momentum) * running + momentum * batch
        forward.buffer_updates.append(
            Equation(running.name, "update", number, moved, "a running mean over batches, used when predicting")
        )


def dropout(forward: Forward, rate: float) -> None:
    """D = A ⊙ M / (1 − rate), M a fresh mask of zeros (with probability `rate`) and ones in every step.

    Predictions use D = A. Source: Srivastava et al., Dropout, 2014 (inverted form).
    """
    value, number = forward.value, forward.layer
    mask = Symbol(f"M{number}", value.shape)
    forward.masks[mask.name] = (mask, rate)
    forward.value = forward.say(
        f"D{number}", value * mask / (1 - rate), f"{rate:.0%} of the entries dropped at random", inference=value
    )
