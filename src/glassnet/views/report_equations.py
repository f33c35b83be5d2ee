"""The equations of a run, phase by phase, for a page."""

from __future__ import annotations

from typing import Any

from glassnet.equations.derive import Derivation, definitions
from glassnet.equations.expression import shape_text
from glassnet.equations.layers import Equation
from glassnet.equations.page import PHASES, constants, legend, phase_lines
from glassnet.equations.rendering import MATHML, number_text, symbol_in

MOST_LINES = 80
"""A phase of more lines is shown by its first and last ones."""


def equations(derivation: Derivation) -> dict[str, Any]:
    """The phases with their lines, and what their letters stand for."""
    phases = []
    for phase, heading in PHASES:
        lines, likewise = phase_lines(derivation, phase)
        if not lines and phase == "update":
            likewise = "Made by SciPy's L-BFGS: a line search from the slopes above and those of the last steps."
        left = max(0, len(lines) - MOST_LINES)
        shown = lines if not left else [*lines[: MOST_LINES // 2], *lines[-MOST_LINES // 2 :]]
        name, _, said = heading.partition(": ")
        phases.append(
            {
                "name": name, "said": said, "count": len(lines), "left_out": left, "gap": MOST_LINES // 2,
                "lines": [_line(equation) for equation in shown], "likewise": likewise,
            }
        )  # fmt: skip
    return {"phases": phases, "warning": derivation.warning, "letters": _letters(derivation)}


def _line(equation: Equation) -> dict[str, Any]:
    shape = shape_text(equation.shape) if equation.shape else ""
    computed = None if equation.textbook is None else f"<math>{equation.expression.mathml()}</math>"
    return {
        "name": equation.name, "mathml": equation.mathml(), "text": str(equation), "shape": shape,
        "why": equation.why, "rules": list(equation.rules) if equation.phase == "backward" else [], "computed": computed,
    }  # fmt: skip


def _letters(derivation: Derivation) -> list[dict[str, Any]]:
    found = [
        {
            "mathml": f"<math>{symbol_in(name, MATHML)}</math>",
            "shape": shape_text(shape) if shape else "",
            "said": meaning,
            "formula": None,
        }
        for name, shape, meaning in legend(derivation)[:MOST_LINES]
    ]
    found += [
        {"mathml": f"<math>{c.mathml()}</math>", "shape": "", "said": number_text(c.value), "formula": None}
        for c in constants(derivation)
    ]
    found += [
        {
            "mathml": f"<math>{MATHML.call(name, ['<mi>z</mi>'])}</math>",
            "shape": "",
            "said": "",
            "formula": f"<math>{formula.mathml()}</math>",
        }
        for name, formula in definitions(derivation)
        if name != "linear"
    ]
    return found
