"""Text, LaTeX and MathML of every kind of node, to the letter."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

import glassnet as gn
from glassnet.equations.expression import Constant, Mean, Negate, Sum, Symbol, Transpose
from glassnet.equations.functions import log_softmax, normal_pdf, where
from glassnet.equations.rendering import LATEX, MATHML, TEXT, number_text, symbol_in

X, W, A, D = Symbol("X", ("m", 3)), Symbol("W", (3, 4)), Symbol("A", ("m", 4)), Symbol("D", ("m", 4))
a, b, c, alpha = Symbol("a"), Symbol("b"), Symbol("c"), Symbol("alpha")
lam = Constant(0.05, "λ")

TEXTS = [
    (a + b, "a + b", "a + b"),
    (a - b, "a − b", "a - b"),
    (a - (b - c), "a − (b − c)", r"a - \left(b - c\right)"),
    (a - (b + c), "a − (b + c)", r"a - \left(b + c\right)"),
    (a - b - c, "a − b − c", "a - b - c"),
    (a + (b - c), "a + b − c", "a + b - c"),
    (a + -b, "a + (−b)", r"a + \left(-b\right)"),
    (a + (-b + c), "a + (−b + c)", r"a + \left(-b + c\right)"),
    (a - -b, "a − (−b)", r"a - \left(-b\right)"),
    (-a, "−a", "-a"),
    (-(a + b), "−(a + b)", r"-\left(a + b\right)"),
    (-(a * b), "−a b", r"-a \, b"),
    (a * -b, "a (−b)", r"a \, \left(-b\right)"),
    (A * D, "A ⊙ D", r"A \odot D"),
    (alpha * A, "α A", r"\alpha \, A"),
    (lam * W, "λ W", r"\lambda \, W"),
    (A * Constant(2.0), "A ⊙ 2", r"A \odot 2"),
    ((A + D) * D, "(A + D) ⊙ D", r"\left(A + D\right) \odot D"),
    (A * (D / a), "A ⊙ (D / a)", r"A \odot \frac{D}{a}"),
    (a * (b / c), "a (b / c)", r"a \, \frac{b}{c}"),
    (a / b * c, "(a / b) c", r"\frac{a}{b} \, c"),
    (a / (b * c), "a / (b c)", r"\frac{a}{b \, c}"),
    (a / b / c, "(a / b) / c", r"\frac{\frac{a}{b}}{c}"),
    (a / (b / c), "a / (b / c)", r"\frac{a}{\frac{b}{c}}"),
    ((a + b) / c, "(a + b) / c", r"\frac{a + b}{c}"),
    (a / (b + c), "a / (b + c)", r"\frac{a}{b + c}"),
    (a / 0.5, "a / 0.5", r"\frac{a}{\tfrac{1}{2}}"),
    (X @ W, "X W", r"X \, W"),
    (X @ W + A, "X W + A", r"X \, W + A"),
    ((X + X) @ W, "(X + X) W", r"\left(X + X\right) \, W"),
    (X @ (W - W), "X (W − W)", r"X \, \left(W - W\right)"),
    (X @ W @ Transpose(W), "X W Wᵀ", r"X \, W \, {W}^{\top}"),
    (X @ (W @ Transpose(W)), "X (W Wᵀ)", r"X \, \left(W \, {W}^{\top}\right)"),
    ((a * X) @ W, "(a X) W", r"\left(a \, X\right) \, W"),
    (a * (X @ W), "a X W", r"a \, X \, W"),
    (Transpose(X), "Xᵀ", r"{X}^{\top}"),
    (Transpose(X @ W), "(X W)ᵀ", r"{\left(X \, W\right)}^{\top}"),
    (A**2, "A²", "{A}^{2}"),
    (A**3, "A³", "{A}^{3}"),
    (a**4, "a^4", "{a}^{4}"),
    (a**0.5, "a^½", r"{a}^{\tfrac{1}{2}}"),
    (a**-1, "a^(−1)", "{a}^{-1}"),
    (a ** (b + c), "a^(b + c)", "{a}^{b + c}"),
    (Constant(0.9, "β₁") ** Symbol("t"), "β₁ᵗ", r"{\beta_1}^{t}"),
    ((a + b) ** 2, "(a + b)²", r"{\left(a + b\right)}^{2}"),
    ((-a) ** 2, "(−a)²", r"{\left(-a\right)}^{2}"),
    (-(a**2), "−a²", "-{a}^{2}"),
    ((a**2) ** 3, "(a²)³", r"{\left({a}^{2}\right)}^{3}"),
    (2 * a**2, "2 a²", r"2 \, {a}^{2}"),
    (Sum(A), "Σ(A)", r"\sum\left(A\right)"),
    (Sum(A, 0), "Σᵢ(A)", r"\sum_{i}\left(A\right)"),
    (Sum(A, 1), "Σⱼ(A)", r"\sum_{j}\left(A\right)"),
    (Mean(A), "mean(A)", r"\operatorname{mean}\left(A\right)"),
    (Mean(A, 0), "meanᵢ(A)", r"\operatorname{mean}_{i}\left(A\right)"),
    (Mean(A, 1), "meanⱼ(A)", r"\operatorname{mean}_{j}\left(A\right)"),
    (gn.tanh(a + b), "tanh(a + b)", r"\tanh\left(a + b\right)"),
    (gn.sigmoid(A), "sigmoid(A)", r"\operatorname{sigmoid}\left(A\right)"),
    (log_softmax(A), "log_softmax(A)", r"\operatorname{log\_softmax}\left(A\right)"),
    (gn.sqrt(a + b), "√(a + b)", r"\sqrt{a + b}"),
    (abs(a - b), "|a − b|", r"\left|a - b\right|"),
    (gn.exp(-(a**2)), "exp(−a²)", r"\exp\left(-{a}^{2}\right)"),
    (gn.maximum(a, b), "max(a, b)", r"\max\left(a, b\right)"),
    (gn.normal_cdf(a) * normal_pdf(a), "Φ(a) φ(a)", r"\Phi\left(a\right) \, \varphi\left(a\right)"),
    (where(a > b, a, c), "where(a > b, a, c)", r"\operatorname{where}\left(a > b, a, c\right)"),
    (a > b, "(a > b)", r"\left(a > b\right)"),
    (A * (A < 0), "A ⊙ (A < 0)", r"A \odot \left(A < 0\right)"),
    (a >= b, "(a ≥ b)", r"\left(a \ge b\right)"),
    (a <= b + c, "(a ≤ b + c)", r"\left(a \le b + c\right)"),
    (Negate(Constant(2.0) * a), "−2 a", r"-2 \, a"),
]


@pytest.mark.parametrize(("tree", "text", "latex"), TEXTS, ids=[text for _, text, _ in TEXTS])
def test_text_and_latex(tree, text, latex):
    assert str(tree) == text
    assert tree.latex() == latex


@pytest.mark.parametrize(("tree", "text", "latex"), TEXTS, ids=[text for _, text, _ in TEXTS])
def test_mathml_is_well_formed_and_says_the_same(tree, text, latex):
    root = ET.fromstring(f"<math>{tree.mathml()}</math>")
    allowed = {"math", "mrow", "mi", "mn", "mo", "msup", "msub", "mfrac", "msqrt", "mspace"}
    assert {element.tag for element in root.iter()} <= allowed
    for element in root.iter():
        if element.tag in ("msup", "msub", "mfrac"):
            assert len(element) == 2, ET.tostring(element)
    letters = {ch for ch in text if ch.isascii() and ch.isalpha()}
    assert letters <= set("".join(root.itertext()))


@pytest.mark.parametrize(
    ("tree", "mathml"),
    [
        (a + b, "<mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow>"),
        (a - b, "<mrow><mi>a</mi><mo>−</mo><mi>b</mi></mrow>"),
        (A * D, "<mrow><mi>A</mi><mo>⊙</mo><mi>D</mi></mrow>"),
        (a * b, '<mrow><mi>a</mi><mspace width="0.2em"/><mi>b</mi></mrow>'),
        (X @ W, '<mrow><mi>X</mi><mspace width="0.2em"/><mi>W</mi></mrow>'),
        (a / b, "<mfrac><mrow><mi>a</mi></mrow><mrow><mi>b</mi></mrow></mfrac>"),
        (-a, "<mrow><mo>−</mo><mi>a</mi></mrow>"),
        (A**2, "<msup><mi>A</mi><mrow><mn>2</mn></mrow></msup>"),
        (Transpose(X), "<msup><mi>X</mi><mo>⊤</mo></msup>"),
        (Sum(A), "<mrow><mo>∑</mo><mo>(</mo><mi>A</mi><mo>)</mo></mrow>"),
        (Sum(A, 0), "<mrow><msub><mo>∑</mo><mi>i</mi></msub><mo>(</mo><mi>A</mi><mo>)</mo></mrow>"),
        (Mean(A, 1), "<mrow><msub><mi>mean</mi><mi>j</mi></msub><mo>(</mo><mi>A</mi><mo>)</mo></mrow>"),
        (a < b, "<mrow><mo>(</mo><mrow><mi>a</mi><mo>&lt;</mo><mi>b</mi></mrow><mo>)</mo></mrow>"),
        (gn.sqrt(a), "<msqrt><mi>a</mi></msqrt>"),
        (abs(a), "<mrow><mo>|</mo><mi>a</mi><mo>|</mo></mrow>"),
        (gn.tanh(a), "<mrow><mi>tanh</mi><mo>&#x2061;</mo><mrow><mo>(</mo><mi>a</mi><mo>)</mo></mrow></mrow>"),
        (Constant(0.5), "<mfrac><mn>1</mn><mn>2</mn></mfrac>"),
        (Constant(1e-8), "<mrow><mn>1</mn><mo>·</mo><msup><mn>10</mn><mn>−8</mn></msup></mrow>"),
        (Constant(1e-5, "ε₀"), "<msub><mi>ε</mi><mi>0</mi></msub>"),
        (lam, "<mi>λ</mi>"),
    ],
    ids=str,
)
def test_mathml_to_the_letter(tree, mathml):
    assert tree.mathml() == mathml


LAYER_1 = "<mrow><mo>(</mo><mn>1</mn><mo>)</mo></mrow>"


@pytest.mark.parametrize(
    ("name", "text", "latex", "mathml"),
    [
        ("W1", "W1", "W^{(1)}", f"<mrow><msup><mi>W</mi>{LAYER_1}</msup></mrow>"),
        ("dW1", "dW1", r"\mathrm{d}W^{(1)}",
         f'<mrow><mi mathvariant="normal">d</mi><msup><mi>W</mi>{LAYER_1}</msup></mrow>'),
        ("gamma1", "γ1", r"\gamma^{(1)}", f"<mrow><msup><mi>γ</mi>{LAYER_1}</msup></mrow>"),
        ("dmu1", "dμ1", r"\mathrm{d}\mu^{(1)}",
         f'<mrow><mi mathvariant="normal">d</mi><msup><mi>μ</mi>{LAYER_1}</msup></mrow>'),
        ("mW1", "mW1", "m_{W^{(1)}}", f"<mrow><msub><mi>m</mi><mrow><msup><mi>W</mi>{LAYER_1}</msup></mrow></msub></mrow>"),
        ("vbeta1", "vβ1", r"v_{\beta^{(1)}}",
         f"<mrow><msub><mi>v</mi><mrow><msup><mi>β</mi>{LAYER_1}</msup></mrow></msub></mrow>"),
        ("running_mean1", "running_mean1", r"\bar\mu^{(1)}", f"<mrow><msup><mi>μ̄</mi>{LAYER_1}</msup></mrow>"),
        ("var1", "var1", r"\mathrm{var}^{(1)}", f"<mrow><msup><mi>var</mi>{LAYER_1}</msup></mrow>"),
        ("alpha", "α", r"\alpha", "<mi>α</mi>"),
        ("J", "J", "J", "<mi>J</mi>"),
    ],
)  # fmt: skip
def test_names(name, text, latex, mathml):
    assert symbol_in(name, TEXT) == text
    assert symbol_in(name, LATEX) == latex
    assert symbol_in(name, MATHML) == mathml


def test_numbers():
    given = [2.0, -3.0, 0.5, 0.05, 1e-8, 1e20, -0.25, 1 / 3]
    assert [number_text(v) for v in given] == ["2", "−3", "½", "0.05", "1e−08", "1e+20", "−0.25", "0.333333"]
    assert Constant(1e-8).latex() == r"1 \cdot 10^{-8}"
    assert Constant(-3.0).latex() == "-3"
    assert str(a - Constant(-3.0)) == "a − (−3)"
