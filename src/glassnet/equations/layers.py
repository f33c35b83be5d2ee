"""The forward equations of each kind of layer, and nothing else: the backward ones are derived from them.

A `Forward` collects the equations of a network as its layers are passed through. The layers between one dense layer
and the next belong to the same number l: `Z1`, `N1`, `B1`, `A1`, `D1` are the stations of layer 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from glassnet.equations import images
from glassnet.equations.expression import CHANNELS, Axis, Constant, Expression, MatMul, Mean, Shape, Symbol
from glassnet.equations.functions import FunctionKind, linear, softmax, sqrt
from glassnet.equations.images import Channels, Convolve, EachMap, Pair, Window, pair_text
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


TWICE = {
    "P": "pools", "D": "dropouts", "mu": "batch normalisations", "A": "activations", "F": "flattenings", "G": "global averages",
}  # fmt: skip
"""What a layer may have once: the letter names it on the page."""


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
            kind = TWICE.get(name.rstrip("0123456789"), "layers of the same kind")
            where = f"Layer {self.layer} has" if self.layer else "The inputs have"
            raise GlassnetError(
                f"{where} two {kind} ({name} twice); put a Dense or Conv2D layer between them, or leave one out."
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
            f"Dense {forward.layer + 1} got {said_maps(incoming.shape)}; it needs one row of numbers a sample: put "
            "Flatten() or GlobalAveragePool2D() before it."
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


def said_maps(shape: Shape) -> str:
    """`8 maps of 24×24`, or `30 numbers a sample`."""
    if len(shape) == 2:
        return f"{shape[1]} number{'' if shape[1] == 1 else 's'} a sample"
    return f"{shape[1]} map{'' if shape[1] == 1 else 's'} of {shape[2]}×{shape[3]}"


def convolution(
    forward: Forward, filters: int, window: Window, same: bool, activation: FunctionKind, bias: bool,
    activated_later: bool,
) -> None:  # fmt: skip
    """Z = A⁽ˡ⁻¹⁾ ⋆ W + b;  A = g(Z).  W is (filters, channels, kernel height, kernel width), b (filters,).

        Z[i,j,u,v] = Σₖᵣₛ A⁽ˡ⁻¹⁾[i, k, stride·u + dilation·r, stride·v + dilation·s] W[j,k,r,s] + b[j]

    `same` pads with zeros so that a stride of 1 keeps the size: ⌈size / stride⌉ positions; where their number is odd the
    additional zero stands below and to the right.

    Source: LeCun et al., Gradient-based learning applied to document recognition, 1998; Dumoulin and Visin, A guide to
    convolution arithmetic for deep learning, 2016.
    """
    incoming = forward.value
    forward.layer += 1
    number = forward.layer
    if len(incoming.shape) != 4:
        raise GlassnetError(
            f"Conv2D {number} got {said_maps(incoming.shape)}; it needs images: begin the network with (channels, height, "
            "width), and put Flatten() after the last Conv2D."
        )
    channels, size = int(incoming.shape[1]), (int(incoming.shape[2]), int(incoming.shape[3]))
    if same:
        window = padded_to_same(window, size)
    (high, wide), (padded_high, padded_wide) = window.reach, window.padded(size)
    if high > padded_high or wide > padded_wide:
        spanning = "" if window.dilation == (1, 1) else f", which spans {high}×{wide} with its dilation,"
        raise GlassnetError(
            f"Conv2D {number} got a kernel of {window.kernel[0]}×{window.kernel[1]}{spanning} for maps of "
            f'{size[0]}×{size[1]}; it needs one that fits into them: take a smaller kernel, or padding="same" '
            "(in the notation: same)."
        )
    weights = forward.learn("W", (filters, channels, *window.kernel), "weight")
    total: Expression = Convolve(incoming, weights, window)
    if bias:
        total = total + Channels(forward.learn("b", (filters,), "bias"))
    over = "the image" if number == 1 else f"layer {number - 1}'s maps"
    kernels = f"{filters} window{'' if filters == 1 else 's'} of {window.kernel[0]}×{window.kernel[1]}"
    why = f"{kernels} slid over {over}: sums of products" + (", plus a bias" if bias else "")
    z = forward.say(f"Z{number}", total, why)
    forward.value = z
    if not activated_later:
        activate(forward, activation)


def padded_to_same(window: Window, size: Pair) -> Window:
    """The window with the zeros that "same" stands for on maps of this size."""
    sides = []
    for length, reach, step in zip(size, window.reach, window.stride, strict=True):
        total = max((-(-length // step) - 1) * step + reach - length, 0)
        sides.append((total // 2, total - total // 2))
    return Window(window.kernel, window.stride, (sides[0], sides[1]), window.dilation)


def pool(forward: Forward, kind: str, window: Window, drop: bool) -> None:
    """P = the largest entry, or the mean, of each window of each map.

    Source: Scherer, Müller and Behnke, Evaluation of pooling operations, 2010.
    """
    value, number = forward.value, forward.layer
    name = "MaxPool2D" if kind == "max" else "AveragePool2D"
    size = _maps(value, name)
    where = f"{name} after layer {number}" if number else f"{name} of the inputs"
    shown = f"{window.kernel[0]}×{window.kernel[1]}"
    if window.kernel[0] > size[0] or window.kernel[1] > size[1]:
        raise GlassnetError(
            f"{where} got windows of {shown} for maps of {size[0]}×{size[1]}; it needs windows that "
            "fit: take smaller ones, or fewer pools."
        )
    positions = window.positions(size)
    left_over = [
        length - (count - 1) * step - reach
        for length, count, step, reach in zip(size, positions, window.stride, window.kernel, strict=True)
    ]
    if any(left_over) and not drop:
        raise GlassnetError(
            f"{where} got maps of {size[0]}×{size[1]}, which windows of {shown} at a stride of "
            f"{pair_text(window.stride)} do not cover ({_left_over(left_over)}); choose sizes that divide, or pass "
            'leftover="drop" (in the notation: drop leftover) to leave them out.'
        )
    node = images.MaxPool(value, window) if kind == "max" else images.AveragePool(value, window)
    what = "the largest entry" if kind == "max" else "the mean"
    forward.value = forward.say(f"P{number}", node, f"{what} of each {shown} window")


def _left_over(counts: list[int]) -> str:
    named = [f"{n} {word}{'' if n == 1 else 's'}" for n, word in zip(counts, ("row", "column"), strict=True) if n]
    return f"{' and '.join(named)} would be left out"


def _maps(value: Symbol, layer: str) -> Pair:
    if len(value.shape) != 4:
        raise GlassnetError(
            f"{layer} got {said_maps(value.shape)}; it needs images: begin the network with (channels, height, width), and "
            "flatten only once, after the last layer of images."
        )
    return int(value.shape[2]), int(value.shape[3])


def global_average(forward: Forward) -> None:
    """G = the mean of each map, one number a map: (m, c, h, w) → (m, c). Source: Lin et al., Network in network, 2014."""
    size = _maps(forward.value, "GlobalAveragePool2D")
    averaged = images.Flatten(images.AveragePool(forward.value, Window(size, size)))
    forward.value = forward.say(f"G{forward.layer}", averaged, "each map's mean, one number a map")


def flatten(forward: Forward) -> None:
    """F = the maps of each sample as one row, channel by channel, row by row: (m, c, h, w) → (m, c h w)."""
    _maps(forward.value, "Flatten")
    forward.value = forward.say(
        f"F{forward.layer}", images.Flatten(forward.value), "each sample's maps laid out as one row"
    )


def activate(forward: Forward, activation: FunctionKind) -> None:
    """A = g(Z), on whatever the layer's value is now."""
    name = f"A{forward.layer}"
    if activation == softmax and len(forward.value.shape) == 4:
        raise GlassnetError(
            f"Layer {forward.layer} got softmax over {said_maps(forward.value.shape)}; it needs one row of scores a sample: "
            "put GlobalAveragePool2D() or Flatten() and Dense before it."
        )
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

    Of images the mean and variance of each channel, over samples and places; one gamma and beta a channel.

    Predictions use running means of both: running ← (1 − momentum) running + momentum · batch.

    Source: Ioffe and Szegedy, Batch Normalization, 2015.
    """
    value, number = forward.value, forward.layer
    maps = len(value.shape) == 4
    axis: Axis = CHANNELS if maps else 0
    width: Shape = (value.shape[1],)

    def over(one_each: Expression) -> Expression:
        return Channels(one_each) if maps else one_each

    running_mean = Symbol(f"running_mean{number}", width)
    running_var = Symbol(f"running_var{number}", width)
    forward.buffers[running_mean.name] = (running_mean, 0.0)
    forward.buffers[running_var.name] = (running_var, 1.0)
    each, within = ("channel", "the batch and its places") if maps else ("feature", "the batch")
    mu = forward.say(f"mu{number}", Mean(value, axis), f"each {each}'s mean over {within}", inference=running_mean)
    centred = forward.say(f"C{number}", value - over(mu), "how far each value is from its mean")
    var = forward.say(
        f"var{number}", Mean(centred**2, axis), f"each {each}'s variance over {within}", inference=running_var
    )
    spread = forward.say(f"sd{number}", sqrt(var + Constant(epsilon, "ε₀")), "its standard deviation, kept above zero")
    normed = forward.say(f"N{number}", centred / over(spread), f"every {each} to mean 0 and variance 1")
    gamma = forward.learn("gamma", width, "scale")
    beta = forward.learn("beta", width, "shift")
    learnt = over(gamma) * normed + over(beta)
    forward.value = forward.say(f"B{number}", learnt, "then to a mean and spread that are learnt")
    for running, batch in ((running_mean, mu), (running_var, var)):
        moved = (1 - momentum) * running + momentum * batch
        forward.buffer_updates.append(
            Equation(running.name, "update", number, moved, "a running mean over batches, used when predicting")
        )


def dropout(forward: Forward, rate: float, channels: bool = False) -> None:
    """D = A ⊙ M / (1 − rate), M a fresh mask of zeros (with probability `rate`) and ones in every step.

    With `channels`, M has one entry for each map of a sample, (m, c): whole maps are dropped.
    Predictions use D = A. Source: Srivastava et al., Dropout, 2014 (inverted form); of maps, Tompson et al., 2015.
    """
    value, number = forward.value, forward.layer
    if channels:
        _maps(value, "Dropout of channels")
    mask = Symbol(f"M{number}", value.shape[:2] if channels else value.shape)
    forward.masks[mask.name] = (mask, rate)
    kept: Expression = EachMap(mask) if channels else mask
    forward.value = forward.say(
        f"D{number}", value * kept / (1 - rate), f"{rate:.0%} of the {'maps' if channels else 'entries'} dropped at random",
        inference=value,
    )  # fmt: skip
