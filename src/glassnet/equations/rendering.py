"""The three renderings of an expression: plain text, LaTeX, MathML.

One walk decides where parentheses stand; a `Notation` decides how each kind of node is written.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from html import escape

from glassnet.equations.expression import (
    Add,
    Compare,
    Constant,
    Divide,
    Expression,
    Function,
    MatMul,
    Mean,
    Multiply,
    Negate,
    Power,
    Subtract,
    Sum,
    Symbol,
    Transpose,
)
from glassnet.equations.images import (
    AveragePool,
    Channels,
    Convolve,
    ConvolveBack,
    ConvolveKernel,
    EachMap,
    Flatten,
    MaxPool,
    PoolAt,
    SpreadAverage,
    Unflatten,
    Unpool,
    Window,
    pair_text,
)
from glassnet.equations.matrices import (
    Diagonal,
    FirstRow,
    Jacobian,
    KroneckerSum,
    OtherRows,
    Solved,
    Stacked,
    WithOnes,
)

LOOSE, SUM, PRODUCT, MATRIX, TIGHT, ATOM = range(6)
"""How tightly a rendered piece holds together; a piece in a tighter place gets parentheses."""

GREEK = {
    "alpha": ("α", r"\alpha"), "beta": ("β", r"\beta"), "gamma": ("γ", r"\gamma"), "mu": ("μ", r"\mu"),
    "lambda": ("λ", r"\lambda"), "theta": ("θ", r"\theta"), "epsilon": ("ε", r"\varepsilon"),
}  # fmt: skip
NAMED_CONSTANTS = {
    "λ": r"\lambda", "λ₁": r"\lambda_1", "λ₂": r"\lambda_2", "λw": r"\lambda_w", "β₁": r"\beta_1", "β₂": r"\beta_2",
    "μ": r"\mu", "π": r"\pi", "ρ": r"\rho", "ε": r"\varepsilon", "ε₀": r"\varepsilon_0", "γ": r"\gamma", "δ": r"\delta",
    "p": "p",
}  # fmt: skip
SUPERSCRIPTS = {2.0: "²", 3.0: "³"}
NAME = re.compile(r"^(?P<d>d?)(?P<stem>[A-Za-z_]*?[A-Za-z])(?P<layer>\d+)$")

REPEAT = re.compile(r"^U(?P<layer>\d+)(?P<letter>[a-z]+)$")
"""The second and later values that one layer names: U1b."""


def number_text(value: float) -> str:
    """A number as a person writes it: 2, ½, 0.05, 1e-08."""
    if value == 0.5:
        return "½"
    if value == int(value) and abs(value) < 1e15:
        return str(int(value)).replace("-", "−")
    return f"{value:.6g}".replace("-", "−")


class Notation(ABC):
    """How each kind of node is written."""

    stacked_fractions = False

    @abstractmethod
    def number(self, value: float) -> str: ...
    @abstractmethod
    def symbol(self, name: str) -> str: ...
    @abstractmethod
    def named_constant(self, name: str) -> str: ...
    @abstractmethod
    def parenthesised(self, inner: str) -> str: ...
    @abstractmethod
    def infix(self, left: str, operator: str, right: str) -> str: ...
    @abstractmethod
    def side_by_side(self, left: str, right: str) -> str: ...
    @abstractmethod
    def fraction(self, above: str, below: str) -> str: ...
    @abstractmethod
    def negated(self, inner: str) -> str: ...
    @abstractmethod
    def power(self, base: str, exponent: str, value: float | None) -> str: ...
    @abstractmethod
    def transposed(self, inner: str) -> str: ...
    @abstractmethod
    def reduction(self, kind: str, index: str, inner: str) -> str: ...
    @abstractmethod
    def call(self, name: str, arguments: list[str]) -> str: ...
    @abstractmethod
    def block(self, rows: list[list[str]]) -> str: ...
    @abstractmethod
    def inverse(self, inner: str, pseudo: bool) -> str: ...
    @abstractmethod
    def part(self, inner: str, rows: str) -> str: ...
    @abstractmethod
    def kronecker(self, left: str, right: str) -> str: ...
    @abstractmethod
    def starred(self, left: str, how: str, right: str) -> str:
        """Cross-correlation; `how` says what is not the default (stride 2), or "full"."""

    @abstractmethod
    def pooled(self, name: str, size: str, arguments: list[str]) -> str: ...


class Text(Notation):
    def number(self, value: float) -> str:
        return number_text(value)

    def symbol(self, name: str) -> str:
        if name in GREEK:
            return GREEK[name][0]
        match = NAME.match(name)
        if match and match["stem"] in GREEK:
            return match["d"] + GREEK[match["stem"]][0] + match["layer"]
        if match and match["stem"][1:] in GREEK:  # an optimiser's state: mgamma1 is m of gamma1
            return match["stem"][0] + GREEK[match["stem"][1:]][0] + match["layer"]
        return name

    def named_constant(self, name: str) -> str:
        return name

    def parenthesised(self, inner: str) -> str:
        return f"({inner})"

    def infix(self, left: str, operator: str, right: str) -> str:
        return f"{left} {operator} {right}"

    def side_by_side(self, left: str, right: str) -> str:
        return f"{left} {right}"

    def fraction(self, above: str, below: str) -> str:
        return f"{above} / {'0.5' if below == '½' else below}"

    def negated(self, inner: str) -> str:
        return f"−{inner}"

    def power(self, base: str, exponent: str, value: float | None) -> str:
        if value is not None and value in SUPERSCRIPTS:
            return base + SUPERSCRIPTS[value]
        if exponent == "t":
            return base + "ᵗ"
        return f"{base}^{exponent}" if re.fullmatch(r"[\w.⁺]+", exponent) else f"{base}^({exponent})"

    def transposed(self, inner: str) -> str:
        return inner + "ᵀ"

    def reduction(self, kind: str, index: str, inner: str) -> str:
        letter = {"": "", "i": "ᵢ", "j": "ⱼ", "iuv": "ᵢᵤᵥ"}[index]
        return f"{'Σ' if kind == 'sum' else 'mean'}{letter}({inner})"

    def call(self, name: str, arguments: list[str]) -> str:
        if name == "abs":
            return f"|{arguments[0]}|"
        return f"{'√' if name == 'sqrt' else name}({', '.join(arguments)})"

    def block(self, rows: list[list[str]]) -> str:
        return f"[{'; '.join(' '.join(row) for row in rows)}]"

    def inverse(self, inner: str, pseudo: bool) -> str:
        return inner + ("⁺" if pseudo else "⁻¹")

    def part(self, inner: str, rows: str) -> str:
        return f"{inner}[{rows}]"

    def kronecker(self, left: str, right: str) -> str:
        return f"Σᵢ({left}ᵢ ⊗ {right}ᵢᵀ {right}ᵢ)"

    def starred(self, left: str, how: str, right: str) -> str:
        said = f"({how})" if " " in how else how
        return f"{left} ⋆{said} {right}"

    def pooled(self, name: str, size: str, arguments: list[str]) -> str:
        return f"{name}{size}({', '.join(arguments)})"


LATEX_OPERATORS = {"+": "+", "−": "-", "⊙": r"\odot", ">": ">", "<": "<", "≥": r"\ge", "≤": r"\le"}
LATEX_CALLS = {"exp": r"\exp", "log": r"\log", "tanh": r"\tanh", "max": r"\max", "min": r"\min", "sin": r"\sin",
               "cos": r"\cos", "Φ": r"\Phi", "φ": r"\varphi"}  # fmt: skip
STEMS = {"running_mean": r"\bar\mu", "running_var": r"\bar v", "var": r"\mathrm{var}", "sd": r"\mathrm{sd}"}


class Latex(Notation):
    stacked_fractions = True

    def number(self, value: float) -> str:
        if value == 0.5:
            return r"\tfrac{1}{2}"
        text = number_text(value).replace("−", "-")
        if "e" in text:
            mantissa, exponent = text.split("e")
            return rf"{mantissa} \cdot 10^{{{int(exponent)}}}"
        return text

    def symbol(self, name: str) -> str:
        if name in GREEK:
            return GREEK[name][1]
        if repeat := REPEAT.match(name):
            return rf"U_{{{repeat['letter']}}}^{{({repeat['layer']})}}"
        match = NAME.match(name)
        if not match:
            return name if len(name) == 1 else rf"\mathrm{{{name}}}".replace("_", r"\_")
        stem, layer = match["stem"], f"^{{({match['layer']})}}"
        d = r"\mathrm{d}" if match["d"] else ""
        if stem in GREEK:
            return d + GREEK[stem][1] + layer
        if stem in STEMS:
            return d + STEMS[stem] + layer
        if len(stem) > 1:  # an optimiser's state: mW1 is m of W1
            return rf"{d}{stem[0]}_{{{self.symbol(stem[1:] + match['layer'])}}}"
        return d + stem + layer

    def named_constant(self, name: str) -> str:
        return NAMED_CONSTANTS.get(name, name.replace("·", r" \cdot "))

    def parenthesised(self, inner: str) -> str:
        return rf"\left({inner}\right)"

    def infix(self, left: str, operator: str, right: str) -> str:
        return f"{left} {LATEX_OPERATORS[operator]} {right}"

    def side_by_side(self, left: str, right: str) -> str:
        return rf"{left} \, {right}"

    def fraction(self, above: str, below: str) -> str:
        return rf"\frac{{{above}}}{{{below}}}"

    def negated(self, inner: str) -> str:
        return f"-{inner}"

    def power(self, base: str, exponent: str, value: float | None) -> str:
        return f"{{{base}}}^{{{exponent}}}"

    def transposed(self, inner: str) -> str:
        return rf"{{{inner}}}^{{\top}}"

    def reduction(self, kind: str, index: str, inner: str) -> str:
        head = r"\sum" if kind == "sum" else r"\operatorname{mean}"
        return rf"{head}{f'_{{{index}}}' if index else ''}\left({inner}\right)"

    def call(self, name: str, arguments: list[str]) -> str:
        if name == "sqrt":
            return rf"\sqrt{{{arguments[0]}}}"
        if name == "abs":
            return rf"\left|{arguments[0]}\right|"
        head = LATEX_CALLS.get(name) or rf"\operatorname{{{name}}}".replace("_", r"\_")
        return rf"{head}\left({', '.join(arguments)}\right)"

    def block(self, rows: list[list[str]]) -> str:
        lines = r" \\ ".join(" & ".join(row) for row in rows)
        return rf"\begin{{bmatrix}} {lines} \end{{bmatrix}}"

    def inverse(self, inner: str, pseudo: bool) -> str:
        return f"{{{inner}}}^{{{'+' if pseudo else '-1'}}}"

    def part(self, inner: str, rows: str) -> str:
        return f"{{{inner}}}_{{{rows}}}"

    def kronecker(self, left: str, right: str) -> str:
        return rf"\sum_i {{{left}}}_i \otimes {{{right}}}_i^{{\top}} {{{right}}}_i"

    def starred(self, left: str, how: str, right: str) -> str:
        said = how.replace("×", r"$\times$").replace("–", "--")
        star = rf"\star_{{\text{{{said}}}}}" if how else r"\star"
        return f"{left} {star} {right}"

    def pooled(self, name: str, size: str, arguments: list[str]) -> str:
        below = size.replace("×", r" \times ")
        return rf"\operatorname{{{name}}}_{{{below}}}\left({', '.join(arguments)}\right)"


class MathML(Notation):
    stacked_fractions = True

    def number(self, value: float) -> str:
        if value == 0.5:
            return "<mfrac><mn>1</mn><mn>2</mn></mfrac>"
        text = number_text(value)
        if "e" in text:
            mantissa, exponent = text.split("e")
            power = str(int(exponent.replace("−", "-"))).replace("-", "−")
            return f"<mrow><mn>{mantissa}</mn><mo>·</mo><msup><mn>10</mn><mn>{power}</mn></msup></mrow>"
        return f"<mn>{text}</mn>"

    def symbol(self, name: str) -> str:
        if name in GREEK:
            return f"<mi>{GREEK[name][0]}</mi>"
        if repeat := REPEAT.match(name):
            layer = f"<mrow><mo>(</mo><mn>{repeat['layer']}</mn><mo>)</mo></mrow>"
            return f"<mrow><msubsup><mi>U</mi><mi>{repeat['letter']}</mi>{layer}</msubsup></mrow>"
        match = NAME.match(name)
        if not match:
            return f"<mi>{escape(name)}</mi>"
        stem = match["stem"]
        layer = f"<mrow><mo>(</mo><mn>{match['layer']}</mn><mo>)</mo></mrow>"
        d = '<mi mathvariant="normal">d</mi>' if match["d"] else ""
        known = {"running_mean": "μ̄", "running_var": "v̄", "var": "var", "sd": "sd"} | {
            k: v[0] for k, v in GREEK.items()
        }
        if len(stem) > 1 and stem not in known:
            inner = self.symbol(stem[1:] + match["layer"])
            return f"<mrow>{d}<msub><mi>{stem[0]}</mi>{inner}</msub></mrow>"
        return f"<mrow>{d}<msup><mi>{known.get(stem, stem)}</mi>{layer}</msup></mrow>"

    def named_constant(self, name: str) -> str:
        if len(name) == 2:
            digit = {"₀": "0", "₁": "1", "₂": "2"}.get(name[1], name[1])
            return f"<msub><mi>{name[0]}</mi><mi>{digit}</mi></msub>"
        return f"<mi>{name}</mi>"

    def parenthesised(self, inner: str) -> str:
        return f"<mrow><mo>(</mo>{inner}<mo>)</mo></mrow>"

    def infix(self, left: str, operator: str, right: str) -> str:
        return f"<mrow>{left}<mo>{escape(operator)}</mo>{right}</mrow>"

    def side_by_side(self, left: str, right: str) -> str:
        return f'<mrow>{left}<mspace width="0.2em"/>{right}</mrow>'

    def fraction(self, above: str, below: str) -> str:
        return f"<mfrac><mrow>{above}</mrow><mrow>{below}</mrow></mfrac>"

    def negated(self, inner: str) -> str:
        return f"<mrow><mo>−</mo>{inner}</mrow>"

    def power(self, base: str, exponent: str, value: float | None) -> str:
        return f"<msup>{base}<mrow>{exponent}</mrow></msup>"

    def transposed(self, inner: str) -> str:
        return f"<msup>{inner}<mo>⊤</mo></msup>"

    def reduction(self, kind: str, index: str, inner: str) -> str:
        head = "<mo>∑</mo>" if kind == "sum" else "<mi>mean</mi>"
        head = f"<msub>{head}<mi>{index}</mi></msub>" if index else head
        return f"<mrow>{head}<mo>(</mo>{inner}<mo>)</mo></mrow>"

    def call(self, name: str, arguments: list[str]) -> str:
        if name == "sqrt":
            return f"<msqrt>{arguments[0]}</msqrt>"
        if name == "abs":
            return f"<mrow><mo>|</mo>{arguments[0]}<mo>|</mo></mrow>"
        inner = "<mo>,</mo>".join(arguments)
        return f"<mrow><mi>{escape(name)}</mi><mo>&#x2061;</mo><mrow><mo>(</mo>{inner}<mo>)</mo></mrow></mrow>"

    def block(self, rows: list[list[str]]) -> str:
        cells = "".join("<mtr>" + "".join(f"<mtd>{cell}</mtd>" for cell in row) + "</mtr>" for row in rows)
        return f"<mrow><mo>[</mo><mtable>{cells}</mtable><mo>]</mo></mrow>"

    def inverse(self, inner: str, pseudo: bool) -> str:
        return f"<msup>{inner}<mrow><mo>{'+' if pseudo else '−'}</mo>{'' if pseudo else '<mn>1</mn>'}</mrow></msup>"

    def part(self, inner: str, rows: str) -> str:
        return f"<msub>{inner}<mtext>{rows}</mtext></msub>"

    def kronecker(self, left: str, right: str) -> str:
        first, second = f"<msub>{left}<mi>i</mi></msub>", f"<msub>{right}<mi>i</mi></msub>"
        return f"<mrow><msub><mo>∑</mo><mi>i</mi></msub>{first}<mo>⊗</mo><msup>{second}<mo>⊤</mo></msup>{second}</mrow>"

    def starred(self, left: str, how: str, right: str) -> str:
        star = f"<msub><mo>⋆</mo><mtext>{escape(how)}</mtext></msub>" if how else "<mo>⋆</mo>"
        return f"<mrow>{left}{star}{right}</mrow>"

    def pooled(self, name: str, size: str, arguments: list[str]) -> str:
        inner = "<mo>,</mo>".join(arguments)
        head = f"<msub><mi>{escape(name)}</mi><mtext>{escape(size)}</mtext></msub>"
        return f"<mrow>{head}<mo>&#x2061;</mo><mrow><mo>(</mo>{inner}<mo>)</mo></mrow></mrow>"


TEXT, LATEX, MATHML = Text(), Latex(), MathML()


def to_text(expression: Expression) -> str:
    """`dZ1 = dA1 ⊙ (1 − A1²)`'s right-hand side, one line of Unicode."""
    return _written(expression, TEXT)[0]


def to_latex(expression: Expression) -> str:
    return _written(expression, LATEX)[0]


def to_mathml(expression: Expression) -> str:
    return _written(expression, MATHML)[0]


def symbol_in(name: str, notation: Notation) -> str:
    """A name alone, for the left-hand side."""
    return notation.symbol(name)


def _at_least(level: int, node: Expression, notation: Notation) -> str:
    text, own = _written(node, notation)
    return text if own >= level else notation.parenthesised(text)


def _written(node: Expression, notation: Notation) -> tuple[str, int]:
    match node:
        case Symbol(name=name):
            return notation.symbol(name), ATOM
        case Constant(name=str() as name):
            return notation.named_constant(name), ATOM
        case Constant(value=value):
            if value < 0:
                return notation.negated(notation.number(-value)), SUM
            return notation.number(value), ATOM
        case Add(left=a, right=b):
            second_level = PRODUCT if _begins_with_minus(b) else SUM  # a + (−b), not a + −b
            return notation.infix(_at_least(SUM, a, notation), "+", _at_least(second_level, b, notation)), SUM
        case Subtract(left=a, right=b):
            return notation.infix(_at_least(SUM, a, notation), "−", _at_least(PRODUCT, b, notation)), SUM
        case Negate(argument=a):
            return notation.negated(_at_least(PRODUCT, a, notation)), SUM
        case Multiply(left=a, right=b):
            if a.shape == () or b.shape == ():
                first = _factor(a, notation)
                second = _factor(b, notation)
                if isinstance(b, Constant) and b.name is None:
                    return notation.infix(first, "⊙", second), PRODUCT
                return notation.side_by_side(first, second), PRODUCT
            return notation.infix(_factor(a, notation), "⊙", _factor(b, notation)), PRODUCT
        case Divide(left=a, right=b):
            if notation.stacked_fractions:
                return notation.fraction(_written(a, notation)[0], _written(b, notation)[0]), MATRIX
            return notation.fraction(_factor(a, notation), _at_least(TIGHT, b, notation)), PRODUCT
        case MatMul(left=a, right=b):
            return notation.side_by_side(_at_least(MATRIX, a, notation), _at_least(TIGHT, b, notation)), MATRIX
        case Power(left=a, right=b):
            exponent = b.value if isinstance(b, Constant) and b.name is None else None
            return notation.power(_at_least(ATOM, a, notation), _written(b, notation)[0], exponent), TIGHT
        case Transpose(argument=a):
            return notation.transposed(_at_least(ATOM, a, notation)), TIGHT
        case Sum(argument=a, axis=axis) | Mean(argument=a, axis=axis):
            kind = "sum" if isinstance(node, Sum) else "mean"
            index = {None: "", 0: "i", 1: "j", "channels": "iuv"}[axis]
            return notation.reduction(kind, index, _written(a, notation)[0]), ATOM
        case Channels(argument=a) | EachMap(argument=a):
            return _written(a, notation)
        case Convolve(image=a, kernel=b, window=window):
            left, right = _at_least(TIGHT, a, notation), _at_least(TIGHT, b, notation)
            return notation.starred(left, str(window), right), MATRIX
        case ConvolveBack(upstream=a, kernel=b, window=window):
            flipped = notation.call("flip", [_written(b, notation)[0]])
            how = ", ".join(part for part in ("full", str(window)) if part)
            return notation.starred(_at_least(TIGHT, a, notation), how, flipped), MATRIX
        case ConvolveKernel(image=a, upstream=b, window=window):
            how = str(
                Window(window.kernel, window.dilation, window.padding, window.stride)
            )  # the slopes are the kernel
            slid = notation.starred(_at_least(TIGHT, a, notation), how, _at_least(TIGHT, b, notation))
            return notation.reduction("sum", "i", slid), ATOM
        case MaxPool(argument=a, window=window) | AveragePool(argument=a, window=window):
            name = "maxpool" if isinstance(node, MaxPool) else "averagepool"
            return notation.pooled(name, _pool_size(window), [_written(a, notation)[0]]), ATOM
        case Unpool(upstream=a, image=b, window=window) | PoolAt(upstream=a, image=b, window=window):
            name = "unpool" if isinstance(node, Unpool) else "poolat"
            both = [_written(a, notation)[0], _written(b, notation)[0]]
            return notation.pooled(name, _pool_size(window), both), ATOM
        case SpreadAverage(upstream=a, window=window):
            return notation.pooled("spread", _pool_size(window), [_written(a, notation)[0]]), ATOM
        case Flatten(argument=a) | Unflatten(argument=a):
            name = "flatten" if isinstance(node, Flatten) else "unflatten"
            return notation.call(name, [_written(a, notation)[0]]), ATOM
        case WithOnes(argument=a):
            return notation.block([[notation.number(1.0), _written(a, notation)[0]]]), ATOM
        case Stacked(left=a, right=b):
            return notation.block([[_written(a, notation)[0]], [_written(b, notation)[0]]]), ATOM
        case FirstRow(argument=a):
            return notation.part(_at_least(ATOM, a, notation), "0"), ATOM
        case OtherRows(argument=a):
            return notation.part(_at_least(ATOM, a, notation), "1:"), ATOM
        case Diagonal():
            return notation.symbol("D"), ATOM
        case Jacobian(along=a):
            return _written(a, notation)
        case KroneckerSum(left=a, right=b):
            return notation.kronecker(_at_least(ATOM, a, notation), _at_least(ATOM, b, notation)), SUM
        case Solved(left=a, right=b, pseudo=pseudo):
            inverse = notation.inverse(_at_least(ATOM, a, notation), pseudo)
            return notation.side_by_side(inverse, _at_least(TIGHT, b, notation)), MATRIX
        case Function(kind=kind, arguments=arguments):
            return notation.call(kind.name, [_argument(a, notation) for a in arguments]), ATOM
        case Compare(operator=operator, left=a, right=b):
            inner = notation.infix(_at_least(SUM, a, notation), operator, _at_least(SUM, b, notation))
            return notation.parenthesised(inner), ATOM
    raise TypeError(f"No notation for {type(node).__name__}.")


def _pool_size(window: Window) -> str:
    high, wide = window.kernel
    apart = "" if window.stride == window.kernel else f" stride {pair_text(window.stride)}"
    return f"{high}×{wide}{apart}"


def _begins_with_minus(node: Expression) -> bool:
    while isinstance(node, Add | Subtract):
        node = node.left
    return isinstance(node, Negate) or (isinstance(node, Constant) and node.name is None and node.value < 0)


def _argument(node: Expression, notation: Notation) -> str:
    # Inside a call's own parentheses a comparison needs none.
    if isinstance(node, Compare):
        return notation.infix(_at_least(SUM, node.left, notation), node.operator, _at_least(SUM, node.right, notation))
    return _written(node, notation)[0]


def _factor(node: Expression, notation: Notation) -> str:
    # a ⊙ (b / c) keeps its parentheses on one line of text: b / c is a division of its own.
    level = MATRIX if isinstance(node, Divide) and not notation.stacked_fractions else PRODUCT
    return _at_least(level, node, notation)
