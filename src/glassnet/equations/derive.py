"""`derive`: a network, a loss and an optimiser become a list of named equations.

The layers state the forward lines. Everything after the cost is derived here: the gradient of J is carried backwards
through the lines by the chain rule (`differentiate.gradients`), one named line for each intermediate, simplified by
named rules; then the optimiser's update of each parameter.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from dataclasses import replace as changed
from functools import cached_property
from string import ascii_lowercase
from typing import TYPE_CHECKING, Any

from glassnet.equations.differentiate import SAMPLES, gradients
from glassnet.equations.expression import (
    Add,
    Constant,
    Divide,
    Expression,
    Function,
    MatMul,
    Sum,
    Symbol,
    Transpose,
    replace,
    walk,
)
from glassnet.equations.functions import Defined, FunctionKind, abs_, linear, step
from glassnet.equations.images import ConvolveBack, ConvolveKernel, SpreadAverage, Unflatten, Unpool
from glassnet.equations.layers import Equation, Forward, Parameter, said_maps
from glassnet.equations.losses import A, Loss, Y, Z, natural_loss, pairing
from glassnet.equations.losses import loss as named_loss
from glassnet.equations.optimizers import LBFGS, LeastSquares, Newton, Optimizer
from glassnet.equations.optimizers import optimizer as named_optimizer
from glassnet.equations.schedules import is_number, plain
from glassnet.equations.simplify import LOGIT_RULES, ROWS_OF_TARGETS, add, rewritten, simplified, tidied
from glassnet.errors import GlassnetError, unknown_name

if TYPE_CHECKING:
    from glassnet.network import Network

TARGETS = "Y"
WEIGHTS = "w"
TOTAL_WEIGHT = "S"


@dataclass(frozen=True)
class Derivation:
    """A training step as named equations: what is executed, shown, traced, checked and compiled.

    `print(derivation)` is the textbook page, `derivation.latex()` the same for a paper, and a notebook shows it as
    MathML. `derivation["dW1"]` is one equation.
    """

    network: Network
    loss: Loss
    optimizer: Optimizer
    l1: float
    l2: float
    penalty_on: str
    weighted: bool
    forward: tuple[Equation, ...]
    cost: tuple[Equation, ...]
    backward: tuple[Equation, ...]
    update: tuple[Equation, ...]
    parameters: tuple[Parameter, ...]
    states: tuple[Symbol, ...]
    buffers: dict[str, tuple[Symbol, float]]
    masks: dict[str, tuple[Symbol, float]]
    output: Symbol
    output_activation: FunctionKind
    warning: str | None = field(default=None, compare=False)

    @property
    def equations(self) -> tuple[Equation, ...]:
        """All lines in the order in which they run."""
        return self.forward + self.cost + self.backward + self.update

    def __getitem__(self, name: str) -> Equation:
        for equation in self.equations:
            if equation.name == name and equation.phase != "update":
                return equation
        for equation in self.update:
            if equation.name == name:
                return equation
        raise KeyError(f"There is no equation '{name}'; there are {', '.join(e.name for e in self.equations)}.")

    def __iter__(self) -> Iterator[Equation]:
        return iter(self.equations)

    @cached_property
    def inference(self) -> tuple[Equation, ...]:
        """The forward lines used to predict: running statistics for batch ones, no dropout."""
        return tuple(
            changed(e, expression=e.inference, inference=None) if e.inference is not None else e for e in self.forward
        )

    @property
    def parameter_count(self) -> int:
        """How many numbers are trained."""
        total = 0
        for parameter in self.parameters:
            entries = 1
            for dimension in parameter.symbol.shape:
                entries *= int(dimension)
            total += entries
        return total

    def __str__(self) -> str:
        from glassnet.equations.page import text_page

        return text_page(self)

    def __repr__(self) -> str:
        return f"<Derivation of {self.network}: {len(self.equations)} equations>"

    def latex(self) -> str:
        """The whole training step as LaTeX: one `align*` a phase."""
        from glassnet.equations.page import latex_page

        return latex_page(self)

    def lowered(self) -> Any:
        """The operations that the compiled engine makes of these equations; `print` shows both side by side."""
        from importlib import import_module

        # The engines stand to the right of the equations; nothing here depends on them, a person may still ask.
        programs = import_module("glassnet.engines.compiled.programs")
        return programs.lower(self, (3, int(self.output.shape[1])))

    def _repr_html_(self) -> str:
        from importlib import import_module

        return str(import_module("glassnet.views.notebook").derivation_html(self))


def derive(
    network: Network,
    loss: str | Loss | None = None,
    optimizer: str | Optimizer | None = None,
    *,
    l1: float = 0.0,
    l2: float = 0.0,
    penalty_on: str = "mean",
    sample_weight: bool = False,
) -> Derivation:
    """Derive the training step of a network.

        forward    Z = A⁽ˡ⁻¹⁾ W + b,  A = g(Z)
        cost       J = mean over samples, sum over outputs (+ λ₁ Σ|W| + ½ λ₂ Σ W², weights only)
        backward   the chain rule, one line an intermediate
        update     the optimiser's assignments

    Parameters
    ----------
    network : what is trained
    loss : a name, a Loss, or None for the one that belongs to the output activation
    optimizer : a name, an Optimizer, or None for Adam()
    l1, l2 : strengths λ₁ and λ₂ of the penalties on the weights
    penalty_on : what they are added to: the "mean" of the losses, or their "sum", so that the penalty is divided by m
        too (by Σ wᵢ with sample weights) and weighs less the more samples there are, as scikit-learn's alpha does
    sample_weight : whether each sample has a weight wᵢ: J = Σ wᵢ ℓᵢ / Σ wᵢ

    Raises
    ------
    GlassnetError : unknown names, a loss that cannot stand over the output activation, negative penalties
    """
    check_network("derive", network)
    l1, l2, sample_weight = plain(l1), plain(l2), plain(sample_weight)
    for name, strength in (("l1", l1), ("l2", l2)):
        if not is_number(strength) or not 0 <= strength < float("inf"):
            raise GlassnetError(f"The penalty got {name}={strength!r}; it needs a finite number, 0 or above.")
    if penalty_on not in ("mean", "sum"):
        raise GlassnetError(unknown_name("penalty_on", penalty_on, ("mean", "sum")))
    if not isinstance(sample_weight, bool):
        raise GlassnetError(
            f"derive got sample_weight as {type(sample_weight).__name__}; it needs True or False, whether samples have "
            "weights: the weights themselves go to train or gradcheck."
        )
    chosen_optimizer = named_optimizer(optimizer)
    loss = None if loss is None else named_loss(loss)
    key = (network, loss, chosen_optimizer, float(l1), float(l2), penalty_on, sample_weight)
    known = _derived.get(key)
    if known is None:
        known = _derived[key] = _derive(network, loss, chosen_optimizer, l1, l2, penalty_on, sample_weight)
        if len(_derived) > KEPT:
            _derived.popitem(last=False)
    return known


KEPT = 64
_derived: OrderedDict[Hashable, Derivation] = OrderedDict()
"""The latest derivations: equal questions get one answer, and a fit after the first begins at once."""


def _derive(
    network: Network,
    loss: Loss | None,
    chosen_optimizer: Optimizer,
    l1: float,
    l2: float,
    penalty_on: str,
    sample_weight: bool,
) -> Derivation:
    forward = network.forward()
    output, head, scores = _head(forward)
    if len(output.shape) != 2:
        raise GlassnetError(
            f"The network ends in {said_maps(output.shape)}; it needs one row of numbers a sample: add Flatten() and a Dense "
            "layer, or GlobalAveragePool2D()."
        )
    chosen_loss = natural_loss(head) if loss is None else loss
    units = int(output.shape[1])
    warning = pairing(chosen_loss, head, units)
    _refuse_namesakes(forward, chosen_loss)
    for equation in forward.equations:
        hidden_steps = any(isinstance(n, Function) and n.kind == step for n in walk(equation.expression))
        if hidden_steps and equation.name != output.name:
            raise GlassnetError(
                f"Layer {equation.layer} uses 'step', whose slope is zero everywhere, so the layers before it cannot "
                "learn; use 'sigmoid' or 'tanh' there."
            )

    weighted_kinds = [p for p in forward.parameters if p.penalised]
    cost = _cost(chosen_loss, output, head, scores, weighted_kinds, l1, l2, penalty_on, sample_weight)
    backward = _name_repeats(_backward(forward, cost, chosen_loss))
    update, states = _update(chosen_optimizer, forward)
    if isinstance(chosen_optimizer, LeastSquares | Newton):
        from glassnet.equations.direct import check_direct, direct_updates

        check_direct(chosen_optimizer, forward, chosen_loss, head, l1)
        update = direct_updates(chosen_optimizer, forward, tuple(backward), l2, penalty_on, sample_weight)
    return Derivation(
        network, chosen_loss, chosen_optimizer, float(l1), float(l2), penalty_on, sample_weight,
        tuple(forward.equations), cost,
        tuple(backward), tuple(update), tuple(forward.parameters), tuple(states), dict(forward.buffers),
        dict(forward.masks), output, head, warning,
    )  # fmt: skip


def check_network(asked: str, network: object) -> None:
    """Refuse what is no network; `asked` is the function that got it."""
    if isinstance(network, type) or not all(hasattr(network, a) for a in ("forward", "input_shape", "output_units")):
        raise GlassnetError(
            f"{asked} got {network!r} as the network; it needs a gn.Network, e.g. gn.Network(2, gn.Dense(1))."
        )


def _refuse_namesakes(forward: Forward, loss: Loss) -> None:
    """One name on the page means one formula."""
    found: dict[str, Defined] = {}
    trees = [loss.entry, *(equation.expression for equation in forward.equations)]
    while trees:
        for node in walk(trees.pop()):
            if not (isinstance(node, Function) and isinstance(node.kind, Defined)):
                continue
            kind = node.kind
            if kind.name not in found:
                found[kind.name] = kind
                trees.append(kind.definition)
            elif found[kind.name] != kind:
                raise GlassnetError(
                    f"Two activations with different formulas are both named '{kind.name}'; give one another name, "
                    "so that the page can tell them apart."
                )


def _head(forward: Forward) -> tuple[Symbol, FunctionKind, Symbol]:
    """The prediction, its activation, and the pre-activation it is computed from."""
    last = forward.equations[-1]
    right = last.expression
    if isinstance(right, Function) and isinstance(right.arguments[0], Symbol) and last.name.startswith("A"):
        return forward.value, right.kind, right.arguments[0]
    return forward.value, linear, forward.value


def _cost(
    loss: Loss,
    output: Symbol,
    head: FunctionKind,
    scores: Symbol,
    penalised: list[Parameter],
    l1: float,
    l2: float,
    penalty_on: str,
    weighted: bool,
) -> tuple[Equation, ...]:
    targets = Symbol(TARGETS, output.shape)
    count: Expression = SAMPLES
    lines: list[Equation] = []
    if weighted:
        lines.append(
            Equation(TOTAL_WEIGHT, "cost", None, Sum(Symbol(WEIGHTS, ("m", 1))), "the samples' weights, summed")
        )
        count = Symbol(TOTAL_WEIGHT)

    def averaged(entry: Expression) -> Expression:
        inside = Symbol(WEIGHTS, ("m", 1)) * entry if weighted else entry
        node = simplified(Sum(inside))
        return simplified(Divide(node, count))

    textbook_entry = replace(loss.entry, {Y: targets, A: output, Z: scores})
    # Written in the scores, a logarithm of the output activation cannot overflow.
    applied: list[str] = []
    written_out = replace(loss.entry, {Y: targets, A: head(scores) if head != linear else output, Z: scores})
    from_scores = rewritten(written_out, LOGIT_RULES, applied)
    stable = bool(applied)
    entry = simplified(from_scores) if stable else simplified(textbook_entry)
    why = "the loss: mean over samples, sum over outputs"
    name = "L" if l1 or l2 else "J"
    shown = averaged(simplified(textbook_entry))
    executed = averaged(entry)
    lines.append(
        Equation(name, "cost", None, executed, why, tuple(applied), textbook=shown if shown != executed else None)
    )
    if l1 or l2:
        both = bool(l1) and bool(l2)
        parts: list[Expression] = []
        if l1:
            absolute = _total([Sum(abs_(p.symbol)) for p in penalised])
            parts.append(Constant(l1, "λ₁" if both else "λ") * absolute)
        if l2:
            squared = _total([Sum(p.symbol**2) for p in penalised])
            parts.append((0.5 * Constant(l2, "λ₂" if both else "λ")) * squared)
        penalty = _total(parts) if penalty_on == "mean" else _total(parts) / count
        lines.append(Equation("R", "cost", None, penalty, "the penalty on the weights; biases are free"))
        total = Symbol(name) + Symbol("R")
        lines.append(Equation("J", "cost", None, total, "what training lowers: loss plus penalty"))
    return tuple(lines)


def _total(terms: list[Expression]) -> Expression:
    """The terms added up as a balanced tree, so that 500 layers are nine levels deep and not 500."""
    if len(terms) == 1:
        return terms[0]
    middle = len(terms) // 2
    return Add(_total(terms[:middle]), _total(terms[middle:]))


def _backward(forward: Forward, cost: tuple[Equation, ...], loss: Loss) -> list[Equation]:
    """Every line's gradient, from J back to the parameters, in the order a person reads them."""
    about_targets = (ROWS_OF_TARGETS,) if loss.targets == "rows_sum_to_one" else ()
    trained = {p.symbol.name: p for p in forward.parameters}
    computed = {e.name for e in forward.equations}
    known = _recognisable(forward)
    received: dict[str, list[Expression]] = {}
    rules: dict[str, list[str]] = {}
    lines: list[Equation] = []

    def send(expression: Expression, upstream: Expression) -> None:
        for symbol, gradient, applied in gradients(expression, upstream):
            if symbol.name in trained or symbol.name in computed:
                received.setdefault(symbol.name, []).append(gradient)
                noted = rules.setdefault(symbol.name, [])
                noted.extend(rule for rule in applied if rule not in noted)

    # The cost's own lines (L, R, J) are inlined: dL = dR = 1 says nothing a reader needs.
    own: dict[Expression, Expression] = {Symbol(e.name): e.expression for e in cost if e.name in ("L", "R")}
    one: Expression = Constant(1.0)
    total = next(e for e in cost if e.name == "J").expression
    send(simplified(replace(total, own)), one)
    layers = {p.symbol.name: p.layer for p in forward.parameters} | {e.name: e.layer for e in forward.equations}
    consumers = _last_consumers(forward)
    rewriting = next(e for e in cost if e.name in ("L", "J")).rules
    for name in received:
        if name in computed:
            rules[name] = [*rewriting, *(rule for rule in rules[name] if rule not in rewriting)]

    def write(name: str) -> None:
        # A weight's slope reads data first, then penalty.
        first, *others = sorted(received[name], key=lambda g: not isinstance(g, MatMul | ConvolveKernel))
        combined = first
        for other in others:
            combined = add(combined, other)
        applied = rules[name]
        simpler = tidied(rewritten(combined, about_targets, applied), applied)
        recognised = tidied(replace(simpler, known), applied)
        if recognised != simpler:
            here = {n.name for n in walk(recognised) if isinstance(n, Symbol)}
            before = {n.name for n in walk(simpler) if isinstance(n, Symbol)}
            applied.extend(str(e) for e in forward.equations if e.name in here - before)
        lines.append(
            Equation(f"d{name}", "backward", layers[name], recognised, _why(name, trained, recognised), tuple(applied))
        )

    for equation in reversed(forward.equations):
        # Parameters whose last use has been passed are written before going further back.
        if equation.name not in received:
            continue
        write(equation.name)
        send(equation.expression, Symbol(f"d{equation.name}", equation.shape))
        for parameter in forward.parameters:
            if consumers.get(parameter.name) == equation.name:
                write(parameter.name)
    missing = [p.name for p in forward.parameters if not any(line.name == f"d{p.name}" for line in lines)]
    if missing:
        raise GlassnetError(
            f"The cost does not depend on {', '.join(missing)}, so they cannot learn; check the loss and activations."
        )
    return lines


def _recognisable(forward: Forward) -> dict[Expression, Expression]:
    """Values that a forward line has already computed, by the tree that computes them."""
    table: dict[Expression, Expression] = {}
    for equation in forward.equations:
        right = equation.expression
        if isinstance(right, Function):
            table[right] = Symbol(equation.name, equation.shape)
            if right.kind == step:
                table[step.expanded(right.arguments[0])] = Symbol(equation.name, equation.shape)
    return table


def _last_consumers(forward: Forward) -> dict[str, str]:
    """For each parameter, the forward line that uses it first (the last one met on the way back)."""
    found: dict[str, str] = {}
    for equation in forward.equations:
        for node in walk(equation.expression):
            if isinstance(node, Symbol):
                found.setdefault(node.name, equation.name)
    return found


PASSED_BACK: dict[type[Expression], str] = {
    ConvolveBack: "blame passed back: the flipped kernels slide over the slopes",
    Unpool: "blame to the winner of each window, none to the others",
    SpreadAverage: "blame shared evenly by the places of each window",
    Unflatten: "each row laid out as maps again",
}


def _why(name: str, trained: dict[str, Parameter], expression: Expression) -> str:
    if name in trained:
        role = trained[name].role
        return {
            "weight": "slope of the cost by each weight, summed over the samples",
            "bias": "slope by each bias, summed over the samples",
            "scale": "slope by each scale, summed over the samples",
            "shift": "slope by each shift, summed over the samples",
        }[role]
    stem = name.rstrip("0123456789")
    for kind, why in PASSED_BACK.items():
        if any(isinstance(n, kind) for n in walk(expression)):
            return why
    if stem == "Z":
        return "how the cost changes with each weighted sum"
    if stem == "A" and any(isinstance(n, MatMul | Transpose) for n in walk(expression)):
        return "blame passed back through the weights of the next layer"
    return {
        "A": "how the cost changes with each output",
        "N": "through the learnt scale",
        "C": "directly, and through the variance",
        "sd": "through the division by the standard deviation",
        "B": "how the cost changes with each normalised value",
        "mu": "through the mean, shared by the whole batch",
        "var": "through the variance, shared by the whole batch",
        "D": "how the cost changes with each value kept",
    }.get(stem, "by the chain rule")


def _name_repeats(backward: list[Equation]) -> list[Equation]:
    """Name once what a line would compute twice: a function's value that occurs again in the same line.

    A name stands for one value on the whole page: a line that repeats a value named before takes its name.
    """
    result: list[Equation] = []
    named: dict[Expression, Symbol] = {}
    used: dict[int | None, int] = {}
    for equation in backward:
        counts: dict[Expression, int] = {}
        for node in walk(equation.expression):
            if isinstance(node, Function):
                counts[node] = counts.get(node, 0) + 1
        repeated = [node for node, times in counts.items() if times > 1]
        table: dict[Expression, Expression] = {}
        for node in repeated:
            if node not in named:
                position = used.get(equation.layer, 0)
                used[equation.layer] = position + 1
                name = f"U{equation.layer}" + ("" if position == 0 else _letters(position))
                result.append(
                    Equation(name, "backward", equation.layer, node, "computed once and used again in the next line")
                )
                named[node] = Symbol(name, node.shape)
            table[node] = named[node]
        if table:
            equation = changed(equation, expression=replace(equation.expression, table))
        result.append(equation)
    return result


def _letters(position: int) -> str:
    """b, c, ..., z, aa, bb, ...: what sets the second and later names of one layer apart."""
    return ascii_lowercase[position % 26] * (1 + position // 26)


def _update(optimizer: Optimizer, forward: Forward) -> tuple[list[Equation], list[Symbol]]:
    lines: list[Equation] = []
    states: list[Symbol] = []
    for parameter in forward.parameters:
        gradient = Symbol(f"d{parameter.name}", parameter.symbol.shape)
        states.extend(optimizer.states(parameter.symbol))
        for target, value, why in optimizer.updates(parameter.symbol, gradient, parameter.penalised):
            lines.append(Equation(target.name, "update", parameter.layer, value, why))
    if isinstance(optimizer, LBFGS) and forward.buffer_updates:
        raise GlassnetError("LBFGS needs a cost that stays the same from step to step; leave out BatchNorm.")
    if isinstance(optimizer, LBFGS) and forward.masks:
        raise GlassnetError("LBFGS needs a cost that stays the same from step to step; leave out Dropout.")
    lines.extend(forward.buffer_updates)
    return lines, states


def definitions(derivation: Derivation) -> list[tuple[str, Expression]]:
    """The functions on the page that are defined by a formula: (name, formula in z)."""
    found: dict[str, Expression] = {}
    for equation in derivation.equations:
        for node in walk(equation.expression):
            if isinstance(node, Function) and isinstance(node.kind, Defined):
                found.setdefault(node.kind.name, node.kind.definition)
    return list(found.items())
