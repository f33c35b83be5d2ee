"""Losses: what one entry of the output costs. J is their mean over samples and sum over outputs.

A loss is an expression in y (target) and a (output); the perceptron's is one in y and z (the output's
pre-activation). Which output activation may stand under which loss is said here too, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from glassnet.equations.expression import Compare, Constant, Expression, Symbol
from glassnet.equations.functions import (
    ACTIVATIONS,
    FunctionKind,
    abs_,
    log,
    maximum,
    read_formula,
    relu,
    where,
)
from glassnet.errors import GlassnetError, unknown_name

Y, A, Z = Symbol("y"), Symbol("a"), Symbol("z")


@dataclass(frozen=True)
class Loss:
    """One entry's cost as an expression in y and a (or y and z), and what its targets must look like."""

    name: str
    entry: Expression
    targets: str = "any"


mean_squared_error = Loss("mean_squared_error", 0.5 * (A - Y) ** 2)
mean_absolute_error = Loss("mean_absolute_error", abs_(A - Y))
huber = Loss("huber", where(Compare("≤", abs_(A - Y), Constant(1.0)), 0.5 * (A - Y) ** 2, abs_(A - Y) - 0.5))
poisson = Loss("poisson", A - Y * log(A), "not_negative")
binary_cross_entropy = Loss("binary_cross_entropy", -(Y * log(A) + (1 - Y) * log(1 - A)), "zero_to_one")
categorical_cross_entropy = Loss("categorical_cross_entropy", -(Y * log(A)), "rows_sum_to_one")
hinge = Loss("hinge", maximum(0.0, 1 - Y * A), "plus_minus_one")
perceptron = Loss("perceptron", relu(Z) - Y * Z, "zero_or_one")

LOSSES: dict[str, Loss] = {
    item.name: item
    for item in (
        mean_squared_error, mean_absolute_error, huber, poisson, binary_cross_entropy, categorical_cross_entropy, hinge,
        perceptron,
    )
}  # fmt: skip


def loss(name: str | Loss, definition: Callable[[Expression, Expression], Expression] | None = None) -> Loss:
    """A loss by name, or a new one from its formula.

        cauchy = gn.loss("cauchy", lambda y, a: gn.log(1 + (a - y) ** 2))
        gn.train(net, X, Y, loss=cauchy)

    Parameters
    ----------
    name : a known loss's name; or, with `definition`, the name the page prints
    definition : (y, a) -> the cost of one entry; glassnet takes the mean over samples and the sum over outputs

    Raises
    ------
    GlassnetError : no such loss; the name is taken; the formula uses anything but y and a
    """
    if definition is None:
        if isinstance(name, Loss):
            return name
        if not isinstance(name, str) or name not in LOSSES:
            raise GlassnetError(unknown_name("loss", name, LOSSES))
        return LOSSES[name]
    if not isinstance(name, str) or not name.isidentifier():
        raise GlassnetError(f"A loss got the name {name!r}; it needs a word like 'cauchy'.")
    if name in LOSSES:
        raise GlassnetError(f"There is already a loss '{name}'; give yours another name.")
    return Loss(name, read_formula(definition, (Y, A), f"The loss '{name}'"))


NATURAL_LOSS = {
    "sigmoid": "binary_cross_entropy",
    "softmax": "categorical_cross_entropy",
    "exp": "poisson",
    "step": "perceptron",
}
"""The loss that belongs to an output activation; every other activation gets mean_squared_error."""


def natural_loss(output: FunctionKind) -> Loss:
    """The loss taken when none is asked for: the negative log-likelihood that the output activation belongs to."""
    return LOSSES[NATURAL_LOSS.get(output.name, "mean_squared_error")]


def pairing(loss: Loss, output: FunctionKind, units: int) -> str | None:
    """Whether this output activation may stand under this loss.

    Returns
    -------
    None when the two belong together, or a warning: it computes, and is probably not what was meant

    Raises
    ------
    GlassnetError : the cost would be undefined or the network could not learn
    """
    name, head = loss.name, output.name
    if head == "softmax" and units == 1:
        raise GlassnetError(
            "A softmax over one output is always 1, so it cannot learn; use Dense(1, 'sigmoid') for two classes, "
            "or one softmax unit a class."
        )
    if head == "step" and name != "perceptron":
        raise GlassnetError(
            f"A step output has slope zero everywhere, so {name} gives it no gradient; "
            "use loss='perceptron' (the threshold rule), or a sigmoid output."
        )
    if name == "perceptron" and head != "step":
        raise GlassnetError(
            f"The perceptron's rule got the output activation '{head}'; it needs 'step'. "
            "Use Dense(units, 'step'), or another loss."
        )
    if name == "binary_cross_entropy" and head != "sigmoid":
        return _binary(output)
    if name == "categorical_cross_entropy" and head != "softmax":
        return _categorical(output)
    if name == "poisson" and head not in ("exp", "softplus"):
        if head in ("sigmoid", "softmax"):
            return f"A {head} output cannot exceed 1, so poisson means above 1 are out of its reach; use 'exp'."
        return _positive(output)
    if name == "hinge" and head in ("sigmoid", "softmax", "relu", "softplus", "exp"):
        return f"The hinge loss wants scores below −1 and above 1, and a {head} output is never negative; use 'linear'."
    return None


def _known(output: FunctionKind) -> bool:
    return output.name in ACTIVATIONS


def _binary(output: FunctionKind) -> str | None:
    if output.name == "softmax":
        raise GlassnetError(
            "Softmax outputs got binary_cross_entropy, whose slope is then not A − Y; "
            "use categorical_cross_entropy for classes that exclude one another, or sigmoid outputs for ones that do not."
        )
    if _known(output):
        raise GlassnetError(
            f"A {output.name} output got binary_cross_entropy, which takes the logarithm of a and of 1 − a; "
            "it needs outputs between 0 and 1: use 'sigmoid', or mean_squared_error."
        )
    return (
        f"binary_cross_entropy takes the logarithm of a and of 1 − a: it works only while your '{output.name}' "
        "stays strictly between 0 and 1."
    )


def _categorical(output: FunctionKind) -> str | None:
    if output.name == "sigmoid":
        raise GlassnetError(
            "Sigmoid outputs got categorical_cross_entropy, which leaves the outputs of the wrong classes without a "
            "slope; use 'softmax' outputs for classes that exclude one another, or binary_cross_entropy for ones that "
            "do not."
        )
    if _known(output):
        raise GlassnetError(
            f"A {output.name} output got categorical_cross_entropy, which takes the logarithm of probabilities that "
            "sum to 1; use 'softmax', or mean_squared_error."
        )
    return (
        f"categorical_cross_entropy takes the logarithm of probabilities that sum to 1: it works only while the rows "
        f"of your '{output.name}' do."
    )


def _positive(output: FunctionKind) -> str | None:
    if _known(output):
        raise GlassnetError(
            f"A {output.name} output got the poisson loss, which takes the logarithm of the mean; "
            "it needs outputs above 0: use 'exp' (the log link) or 'softplus'."
        )
    return f"The poisson loss takes the logarithm of the output: it works only while your '{output.name}' is above 0."
