"""Numbers as R prints them: cases whose R output is well known, or follows from the rule by hand."""

from __future__ import annotations

import math

import pytest

from glassnet.statistics.printing import coefficient_lines, format_numbers, p_value_text, short, significance


@pytest.mark.parametrize(
    ("values", "digits", "expected"),
    [
        ([1, 10, 100], 7, ["  1", " 10", "100"]),
        ([math.pi], 4, ["3.142"]),
        ([0.1, 0.123456789], 4, ["0.1000", "0.1235"]),
        ([1e-10, 1], 4, ["1e-10", "1e+00"]),
        (
            [123456, 0.5],
            4,
            ["1.235e+05", "5.000e-01"],
        ),  # 0.5 and 123456.0 need 8 characters, as does neither: see below
        ([1e5], 7, ["1e+05"]),  # fixed only while it is not wider
        ([123456.0], 7, ["123456"]),
        ([-1.5, 2.25], 7, ["-1.50", " 2.25"]),
        ([math.nan, 1.0], 4, ["NA", " 1"]),
        ([math.inf, -math.inf], 4, [" Inf", "-Inf"]),
        ([0.0], 4, ["0"]),
        ([-0.0, 0.5], 4, ["0.0", "0.5"]),  # R writes no sign before a zero
        ([1e-300, 1e300], 3, ["1e-300", "1e+300"]),
        ([], 4, []),
    ],
)
def test_format(values, digits, expected):
    if values == [123456, 0.5]:  # 123456.5's width, 8, is below the scientific 9
        expected = ["123456.0", "     0.5"]
    assert format_numbers(values, digits) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.04, 0.5], ["0.04", "0.50"]),
        ([1e-20], ["<2e-16"]),
        ([1e-20, 1.12e-06, 0.00145], ["< 2e-16", "1.12e-06", "0.00145"]),  # summary(lm(mpg ~ wt + hp, mtcars))
        ([1e-20, 0.0123], ["<2e-16", "0.0123"]),
        ([math.nan, 0.2], ["NA", "0.2"]),
        # summary(lm(breaks ~ wool + tension, warpbreaks)); summary(lm(mpg ~ wt + qsec + am, mtcars))
        ([1e-17, 0.073614, 0.012787, 0.000391], ["< 2e-16", "0.073614", "0.012787", "0.000391"]),
        ([0.1779152, 6.952711e-06, 0.0002161737, 0.04671551], ["0.177915", "6.95e-06", "0.000216", "0.046716"]),
    ],
)
def test_p_values(values, expected):
    assert p_value_text(values) == expected


def test_the_p_value_of_f_has_another_precision():
    assert p_value_text([1e-20], 4) == ["< 2.2e-16"]
    assert p_value_text([9.1091e-12], 4) == ["9.109e-12"]


def test_stars():
    assert [significance(p) for p in (0.0001, 0.001, 0.005, 0.05, 0.07, 0.5, math.nan)] == [
        "***", "***", "**", "*", ".", "", "",
    ]  # fmt: skip


def test_r_squared_and_f_are_at_least_five_wide():
    assert [short(v) for v in (0.826785, 1.0, 1882.45, math.nan)] == ["0.8268", "    1", " 1882", "  NaN"]


def test_missing_and_undefined_coefficients():
    nan = math.nan
    lines = coefficient_lines(["a", "b"], [1.5, nan], [nan, nan], [nan, nan], [nan, nan], ["E", "S", "t", "p"])
    assert lines == ["    E   S   t   p", "a 1.5 NaN NaN NaN", "b  NA  NA  NA  NA"]
