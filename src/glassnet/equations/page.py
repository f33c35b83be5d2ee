"""The derivation as a page: text for a terminal, LaTeX for a paper, MathML for a notebook."""

from __future__ import annotations

import dataclasses
import textwrap
from html import escape
from typing import TYPE_CHECKING

from glassnet.equations.expression import (
    Constant,
    Divide,
    Expression,
    Function,
    Shape,
    Symbol,
    replace,
    shape_text,
    symbols,
    walk,
)
from glassnet.equations.images import Convolve
from glassnet.equations.layers import Equation
from glassnet.equations.matrices import Diagonal, Jacobian
from glassnet.equations.rendering import LATEX, MATHML, TEXT, number_text, symbol_in
from glassnet.equations.schedules import ConstantRate
from glassnet.equations.simplify import simplified

if TYPE_CHECKING:
    from glassnet.equations.derive import Derivation

PHASES = (
    ("forward", "Forward: from the inputs to the prediction"),
    ("cost", "Cost: how wrong it is"),
    ("backward", "Backward: the slope of J by everything, last line first (dW means ∂J/∂W)"),
    ("update", "Update: the assignments of one step, in this order"),
)
WIDTH = 118
LONGEST = 48
STATES_LISTED = 4
SCIPYS_UPDATE = "made by SciPy's L-BFGS: a line search from the slopes above and those of the last steps"
SIGNS = (
    "⊙ and plain juxtaposition of a matrix with a column act entry by entry; Wᵀ is W transposed;",
    "Σ sums over all entries, Σᵢ over the samples, Σⱼ over the entries of a row.",
)
IMAGE_SIGNS = (
    "X ⋆ W is cross-correlation, which the field calls convolution: Σₖᵣₛ(X[i,k,u+r,v+s] · W[j,k,r,s]), the kernel as it is;",
    "⋆full flip(W) slides the kernel turned by 180° over the slopes, wherever the two overlap (a stride spreads them first);",
    "Σᵢᵤᵥ sums over samples and places.",
)


def _title(derivation: Derivation) -> str:
    return f"{derivation.network}   ({derivation.parameter_count:,} parameters)"


def _subtitle(derivation: Derivation) -> str:
    parts = [f"loss {derivation.loss.name}"]
    if derivation.l1:
        parts.append(f"L1 penalty {derivation.l1:g}")
    if derivation.l2:
        parts.append(f"L2 penalty {derivation.l2:g}")
    parts.append(f"optimiser {settings_text(derivation.optimizer)}")
    return " · ".join(parts)


def settings_text(described: object) -> str:
    """An optimiser or schedule as one would write it: its learning rate, and what is not at its default."""
    if not dataclasses.is_dataclass(described):
        return f"{described}"
    said = [
        f"{f.name}={settings_text(getattr(described, f.name))}"
        for f in dataclasses.fields(described)
        if f.init and (f.name == "learning_rate" or getattr(described, f.name) != f.default)
    ]
    return f"{type(described).__name__}({', '.join(said)})"


def legend(derivation: Derivation) -> list[tuple[str, Shape | None, str]]:
    """The symbols that no line of the page computes: (name, shape, meaning)."""
    features = derivation.network.input_shape
    outputs = derivation.output.shape
    found: list[tuple[str, Shape | None, str]] = [
        (
            "X",
            ("m", *features),
            "inputs, one row a sample" if len(features) == 1 else "images: samples, channels, rows, columns",
        ),
        ("Y", outputs, _targets(derivation)),
    ]
    if derivation.weighted:
        found.append(("w", ("m", 1), "the samples' weights"))
    roles = {"weight": "weights", "bias": "biases", "scale": "learnt scale", "shift": "learnt shift"}
    for parameter in derivation.parameters:
        found.append((parameter.name, parameter.symbol.shape, f"{roles[parameter.role]} of layer {parameter.layer}"))
    for mask, rate in derivation.masks.values():
        found.append((mask.name, mask.shape, f"dropout mask: 0 with probability {rate:g}, else 1, new in every step"))
    for buffer, start in derivation.buffers.values():
        found.append((buffer.name, buffer.shape, f"starts at {start:g}; used when predicting"))
    for state in derivation.states[:STATES_LISTED]:
        found.append((state.name, state.shape, "remembered by the optimiser; starts at 0"))
    if len(derivation.states) > STATES_LISTED:
        found.append(("…", None, "and likewise for every other parameter"))
    found.append(("m", (), "samples in the batch"))
    for equation in derivation.update:
        for node in walk(equation.expression):
            if isinstance(node, Diagonal):
                found.append(("D", node.shape, "ones on the diagonal, 0 for the bias"))
            if isinstance(node, Jacobian):
                found.append(("v", (1, node.shape[1]), "each unit vector in turn: one column of ∂dZ1/∂Z1 each"))
    used = {s.name for e in derivation.update for s in symbols(e.expression)}
    schedule = derivation.optimizer.schedule
    if "alpha" in used:
        alpha = f"{schedule.learning_rate:g}" if isinstance(schedule, ConstantRate) else rate_line(derivation)
        found.append(("alpha", (), f"learning rate: {alpha}"))
    if "t" in used:
        found.append(("t", (), "number of the update, from 1"))
    return found


def rate_line(derivation: Derivation) -> str:
    """α as a formula: what `t`, `e` and `q` are is said beside it."""
    tree = derivation.optimizer.schedule.expression()
    if tree is None:
        return f"starts at {derivation.optimizer.schedule.learning_rate:g} and falls when the cost stalls"
    meanings = {"t": "t updates done", "e": "e epochs done", "q": "q epochs done with their fraction"}
    said = ", ".join(meanings[s.name] for s in symbols(tree) if s.name in meanings)
    return f"{simplified(tree)}   ({said})" if said else f"{simplified(tree)}"


def _targets(derivation: Derivation) -> str:
    kinds = {
        "zero_to_one": "targets, 0 or 1",
        "zero_or_one": "targets, 0 or 1",
        "rows_sum_to_one": "targets, one-hot: 1 for the true class",
        "plus_minus_one": "targets, −1 or 1",
        "not_negative": "targets, counts",
    }
    return kinds.get(derivation.loss.targets, "targets")


def constants(derivation: Derivation) -> list[Constant]:
    """The named numbers on the page (λ, β₁, ε)."""
    found: dict[str, Constant] = {}
    for equation in derivation.equations:
        for node in walk(equation.expression):
            if isinstance(node, Constant) and node.name and not node.name[0].isdigit():  # 6·6 says itself what it is
                found.setdefault(node.name, node)
    return list(found.values())


def phase_lines(derivation: Derivation, phase: str) -> tuple[list[Equation], str]:
    """The lines of a phase that the page shows, and a remark on those it need not repeat."""
    lines = list(getattr(derivation, phase))
    return _distinct(lines, derivation) if phase == "update" else (lines, "")


def signs(derivation: Derivation) -> tuple[str, ...]:
    """What the signs on the page mean."""
    images = any(isinstance(node, Convolve) for e in derivation.forward for node in walk(e.expression))
    return (*SIGNS, *IMAGE_SIGNS) if images else SIGNS


def text_page(derivation: Derivation) -> str:
    """The page that `print(derivation)` shows."""
    from glassnet.equations.derive import definitions

    lines = [_title(derivation), _subtitle(derivation), ""]
    if derivation.warning:
        lines += [*textwrap.wrap("Take care: " + derivation.warning, WIDTH), ""]
    everything = [(str(e), shape_text(e.shape), e) for e in derivation.equations]
    width = max(len(text) for text, _, _ in everything if len(text) <= LONGEST) + 2  # longer ones take a line alone
    shapes = max(len(shape) for _, shape, _ in everything) + 2
    for phase, heading in PHASES:
        shown, likewise = phase_lines(derivation, phase)
        rows = [row for row in everything if row[2].phase == phase and (phase != "update" or row[2] in shown)]
        if not rows and phase == "update":
            lines += [
                heading,
                f"  {SCIPYS_UPDATE}",
                "",
            ]
        if not rows:
            continue
        lines.append(heading)
        for text, shape, equation in rows:
            lines.extend(_row(text, shape, equation.why, width, shapes))
            if equation.textbook is not None:
                lines.extend(_note(f"computed as {equation.expression}, {_benefit(equation.expression)}"))
            if phase == "backward":
                for rule in equation.rules:
                    lines.extend(_note(f"by {rule}"))
        if likewise:
            lines.append(f"  {likewise}")
        lines.append("")
    lines.append("Where")
    names = [
        (symbol_in(name, TEXT), shape_text(shape) if shape is not None else "", meaning)
        for name, shape, meaning in legend(derivation)
    ]
    named_width = max(len(name) for name, _, _ in names) + 2
    for name, shape, meaning in names:
        lines.extend(_row(name, shape, meaning, named_width, shapes))
    for constant in constants(derivation):
        lines.append(f"  {constant.name:<{named_width}}{'':<{shapes}}{number_text(constant.value)}")
    for name, formula in definitions(derivation):
        if name != "linear":
            lines.append(f"  {name}(z) = {formula}")
    lines += [f"  {said}" for said in signs(derivation)]
    return "\n".join(lines)


NEVER_OVERFLOWING = (
    "sigmoid", "softplus", "log_softplus", "softmax", "log_softmax", "logsumexp", "tanh", "abs", "max", "min", "where",
)  # fmt: skip


def _benefit(expression: Expression) -> str:
    """What a cost gains by being computed from the scores; an exp or a quotient in it may still overflow."""
    for node in walk(expression):
        function = isinstance(node, Function) and node.kind.name not in NEVER_OVERFLOWING
        quotient = isinstance(node, Divide) and not isinstance(node.right, Symbol | Constant)
        if function or quotient:
            return "from the scores"
    return "which cannot overflow"


def _distinct(update: list[Equation], derivation: Derivation) -> tuple[list[Equation], str]:
    """Of an optimiser that remembers, one parameter's assignments of each kind stand for all of that kind."""
    if not derivation.states:
        return update, ""
    shown: list[Equation] = []
    groups: dict[Expression, list[str]] = {}
    mine: list[Equation] = []
    theta = Symbol("θ")
    names = {p.name: p for p in derivation.parameters}
    for equation in update:
        if equation.name in derivation.buffers:
            shown.append(equation)
            continue
        mine.append(equation)
        if equation.name not in names:
            continue
        parameter = names[equation.name]
        plain: dict[Expression, Expression] = {
            s: Symbol(s.name.replace(parameter.name, "θ")) for s in symbols(equation.expression)
        }
        pattern = replace(equation.expression, {**plain, parameter.symbol: theta})
        if pattern not in groups:
            groups[pattern] = [parameter.name]
            shown.extend(mine)
        else:
            groups[pattern].append(parameter.name)
        mine = []
    said = [
        f"{', '.join(symbol_in(n, TEXT) for n in rest)} as {symbol_in(first, TEXT)}"
        for first, *rest in groups.values()
        if rest
    ]
    return shown, f"and in the same way: {'; '.join(said)}" if said else ""


def _row(text: str, shape: str, why: str, width: int, shapes: int) -> list[str]:
    first, *rest = textwrap.wrap(why, WIDTH - width - shapes) or [""]
    above, beside = ([f"  {text}"], "") if len(text) + 2 > width else ([], text)
    return [
        *above,
        f"  {beside:<{width}}{shape:<{shapes}}{first}".rstrip(),
        *(f"  {'':<{width}}{'':<{shapes}}{part}" for part in rest),
    ]


def _note(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH - 6, initial_indent="      ", subsequent_indent="        ")


LATEX_SPECIAL = str.maketrans(
    {
        "×": r"$\times$",
        "_": r"\_",
        "&": r"\&",
        "%": r"\%",
        "#": r"\#",
        "−": "$-$",
        "α": r"$\alpha$",
        "β": r"$\beta$",
        "γ": r"$\gamma$",
    }
)
"""pdfLaTeX knows neither the minus sign nor Greek letters in running text."""


def latex_page(derivation: Derivation) -> str:
    """One heading and one `align*` a phase; needs amsmath."""
    lines = [rf"% {_title(derivation)}", rf"% {_subtitle(derivation)}"]
    for phase, heading in PHASES:
        equations, likewise = phase_lines(derivation, phase)
        if not equations:
            continue
        lines += [rf"\paragraph{{{heading.split(':')[0]}}}", r"\begin{align*}"]
        for position, equation in enumerate(equations):
            left = symbol_in(equation.name, LATEX)
            arrow = r"\leftarrow" if equation.arrow == "←" else "="
            right = equation.shown.latex()
            why = equation.why.translate(LATEX_SPECIAL)
            end = r" \\" if position < len(equations) - 1 else ""
            lines.append(rf"{left} &{arrow} {right} && \text{{{why}}}{end}")
        lines.append(r"\end{align*}")
        if likewise:
            lines.append(likewise.translate(LATEX_SPECIAL))
    return "\n".join(lines)


def html_page(derivation: Derivation) -> str:
    """A table a phase that can be folded, equations in MathML; no script, no style sheet needed."""
    from glassnet.equations.derive import definitions

    parts = [f'<div class="glassnet"><h3>{escape(_title(derivation))}</h3><p>{escape(_subtitle(derivation))}</p>']
    if derivation.warning:
        parts.append(f"<p><strong>Take care:</strong> {escape(derivation.warning)}</p>")
    for phase, heading in PHASES:
        equations, likewise = phase_lines(derivation, phase)
        if not equations:
            parts.append(f"<p>{escape(heading.split(':')[0])}: {SCIPYS_UPDATE}</p>")
            continue
        parts.append(_folded(heading))
        for equation in equations:
            notes = [equation.why]
            if phase == "backward":
                notes += [f"by {rule}" for rule in equation.rules]
            text = "<br/>".join(escape(note) for note in notes)
            if equation.textbook is not None:
                text += f"<br/>computed as <math>{equation.expression.mathml()}</math>, {_benefit(equation.expression)}"
            parts.append(
                f'<tr><td style="text-align:left">{equation.mathml()}</td>'
                f'<td class="shape" style="text-align:left">{escape(shape_text(equation.shape))}</td>'
                f'<td style="text-align:left">{text}</td></tr>'
            )
        parts.append("</table>" + (f"<p>{escape(likewise)}</p>" if likewise else "") + "</details>")
    parts.append(_folded("Where"))
    for name, shape, meaning in legend(derivation):
        parts.append(
            f'<tr><td style="text-align:left"><math>{symbol_in(name, MATHML)}</math></td>'
            f'<td class="shape" style="text-align:left">{escape(shape_text(shape)) if shape is not None else ""}</td>'
            f'<td style="text-align:left">{escape(meaning)}</td></tr>'
        )
    for constant in constants(derivation):
        parts.append(
            f'<tr><td style="text-align:left"><math>{constant.mathml()}</math></td><td></td><td style="text-align:left">'
            f"{number_text(constant.value)}</td></tr>"
        )
    for name, formula in definitions(derivation):
        if name != "linear":
            parts.append(
                f'<tr><td style="text-align:left"><math>{MATHML.call(name, ["<mi>z</mi>"])}</math></td><td></td>'
                f'<td style="text-align:left"><math>{formula.mathml()}</math></td></tr>'
            )
    parts.append(f"</table><p>{'<br/>'.join(signs(derivation))}</p></details></div>")
    return "".join(parts)


def _folded(heading: str) -> str:
    """The beginning of a part that is open and can be closed."""
    return f'<details open="open"><summary><b>{escape(heading)}</b></summary><table>'
