"""The reader of written sums itself, by hand."""

from __future__ import annotations

import arithmetic
import pytest


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("0.31·1 + 0.82·0 + 0.1", 0.41),
        ("(−0.5)·(−4) − 0.25", 1.75),
        ("(0.5·(0.5 − 1)² + 0.5·(2 − (−1))²) / 2", 2.3125),
        ("1 − 0.02·4 / (1 − 0.5^2) / (√(4) + 2)", 1 - 0.08 / 0.75 / 4),
        ("2e−05·(3 > 1)", 2e-5),
        ("|−3| + relu(−2) + step(0.1)", 4),
        ("softmax(0, 0, 0, 0)[2]", 0.25),
        ("−(1·log(1) + tanh(0))", 0),
    ],
)
def test_a_written_sum_is_worked_out(text, result):
    assert arithmetic.worked(text)[0] == pytest.approx(result, abs=1e-12)


def test_how_far_rounding_may_carry():
    """Each number moves by half of its last digit: 2 · 0.0005 + 3 · 0.0005, and half of the result's own."""
    assert arithmetic.worked("2.001·3.001", digits=4)[1] == pytest.approx(0.0005 * (2.001 + 3.001) + 0.0005, rel=1e-6)
    assert arithmetic.worked("1·2 + … 4 more … + 2") is None
    assert arithmetic.number("−1.2e−05") == -1.2e-5
