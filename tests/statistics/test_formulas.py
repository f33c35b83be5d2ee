"""Formulas become the columns that R makes: by hand, by patsy where it follows R, by QR for `poly`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import patsy
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassnet.errors import DataError, GlassnetError, GlassnetWarning
from glassnet.statistics.formula_grammar import parse
from glassnet.statistics.formulas import Design, design

DATA = Path(__file__).parents[1] / "golden" / "data"
CARS, IRIS = DATA / "mtcars.csv", DATA / "iris.csv"
SMALL = {"y": [1.0, 2, 3, 4, 5, 6], "x": [1.0, 2, 4, 8, 16, 32], "g": list("abcabc"), "h": list("uuuvvv")}
FUNCTIONS = (
    "log, log2, log10, log1p, exp, expm1, sqrt, abs, sin, cos, tan, I, factor, as.factor, C, relevel, poly, scale."
)
EXAMPLE = "write it like 'y ~ x1 + log(x2)'"


def columns(made: Design) -> dict[str, list[float]]:
    return {name: made.X[:, k].tolist() for k, name in enumerate(made.names)}


# by hand


def test_numbers_and_a_factor() -> None:
    made = design("y ~ x + g", SMALL)
    assert columns(made) == {
        "(Intercept)": [1] * 6,
        "x": [1, 2, 4, 8, 16, 32],
        "gb": [0, 1, 0, 0, 1, 0],
        "gc": [0, 0, 1, 0, 0, 1],
    }
    assert made.y.tolist() == [1, 2, 3, 4, 5, 6]
    assert (made.response, made.intercept, made.classes, made.dropped) == ("y", True, None, 0)
    assert made.features.shape == (6, 3)
    assert made.feature_names == ("x", "gb", "gc")
    assert made.assign.tolist() == [0, 1, 2, 2]
    assert made.columns_of_terms == {"x": ("x",), "g": ("gb", "gc")}
    assert str(made.formula) == "y ~ x + g"


def test_products_are_rows_times_rows() -> None:
    made = columns(design("y ~ x * g", SMALL))
    assert list(made) == ["(Intercept)", "x", "gb", "gc", "x:gb", "x:gc"]
    assert made["x:gb"] == [0, 2, 0, 0, 16, 0]
    made = columns(design("y ~ g * h", SMALL))
    assert list(made) == ["(Intercept)", "gb", "gc", "hv", "gb:hv", "gc:hv"]
    assert made["gc:hv"] == [0, 0, 0, 0, 0, 1]


def test_functions_of_columns() -> None:
    made = columns(design("log(y) ~ log2(x) + I(x^2) + I((x - 1) / 2) + sqrt(x) + I(-x) + log(x, 2) + exp(-x)", SMALL))
    x = np.array(SMALL["x"])
    assert made["log2(x)"] == [0, 1, 2, 3, 4, 5]
    assert made["I(x^2)"] == [1, 4, 16, 64, 256, 1024]
    assert made["I((x - 1)/2)"] == [0, 0.5, 1.5, 3.5, 7.5, 15.5]
    assert made["I(-x)"] == (-x).tolist()
    assert np.allclose(made["log(x, 2)"], [0, 1, 2, 3, 4, 5], rtol=1e-15)
    assert np.allclose(made["exp(-x)"], np.exp(-x), rtol=1e-15)
    assert np.array_equal(design("log(y) ~ 1", SMALL).y, np.log(SMALL["y"]))


def test_powers_are_r_powers() -> None:
    # R: -2^2 is -4, 2^3^2 is 2^9, and a power binds closer than a product.
    made = columns(design("y ~ I(-x^2) + I(2^3^2 * x) + I(2 * x^2 + 1) + I(x^-1) + I(x**2)", SMALL))
    assert made["I(-x^2)"][1] == -4
    assert made["I(2^3^2 * x)"][1] == 1024
    assert made["I(2 * x^2 + 1)"][2] == 33
    assert made["I(x^-1)"][2] == 0.25
    assert made["I(x^2)"][2] == 16


def test_comparisons_are_logical_factors() -> None:
    made = columns(design("y ~ I(x > 3) + I(g == 'b')", SMALL))
    assert made["I(x > 3)TRUE"] == [0, 0, 1, 1, 1, 1]
    assert made['I(g == "b")TRUE'] == [0, 1, 0, 0, 1, 0]
    made = columns(design("y ~ flag", {**SMALL, "flag": [True, False, True, True, False, True]}))
    assert made["flagTRUE"] == [1, 0, 1, 1, 0, 1]


def test_names_as_r_takes_them() -> None:
    table = {
        "y": [1.0, 2, 3],
        "my x": [1.0, 2, 4],
        "Sepal.Length": [3.0, 1, 2],
        "größe": [1.0, 0, 1],
        ".a_1": [1.0, 5, 2],
    }
    made = design("y ~ `my x` + Sepal.Length + log(größe + 1) + .a_1", table)
    assert made.names == ("(Intercept)", "`my x`", "Sepal.Length", "log(größe + 1)", ".a_1")
    assert made.X[:, 2].tolist() == [3, 1, 2]


def test_spaces_do_not_matter() -> None:
    assert str(parse("y~a*b+poly(x,2,raw=TRUE)-1+I(a*b^2)+b%in%a")) == (
        "y ~ a * b + poly(x, 2, raw = TRUE) - 1 + I(a * b^2) + b %in% a"
    )


# R's rules


NAMES = [
    # R 4.2's model.matrix; f has the levels 4, 6, 8 (cyl) and k the levels 0, 1 (am).
    ("mpg ~ 1", "(Intercept)"),
    ("mpg ~ factor(cyl) - 1", "factor(cyl)4 factor(cyl)6 factor(cyl)8"),
    ("mpg ~ 0 + factor(cyl) + factor(am)", "factor(cyl)4 factor(cyl)6 factor(cyl)8 factor(am)1"),
    ("mpg ~ wt + factor(am) + 0", "wt factor(am)0 factor(am)1"),
    ("mpg ~ wt:factor(am)", "(Intercept) wt:factor(am)0 wt:factor(am)1"),
    ("mpg ~ wt + wt:factor(am)", "(Intercept) wt wt:factor(am)1"),
    ("mpg ~ factor(am) + wt:factor(am)", "(Intercept) factor(am)1 factor(am)0:wt factor(am)1:wt"),
    ("mpg ~ factor(am) / wt", "(Intercept) factor(am)1 factor(am)0:wt factor(am)1:wt"),
    (
        "mpg ~ factor(cyl):factor(am)",
        "(Intercept) factor(cyl)4:factor(am)0 factor(cyl)6:factor(am)0 factor(cyl)8:factor(am)0 "
        "factor(cyl)4:factor(am)1 factor(cyl)6:factor(am)1 factor(cyl)8:factor(am)1",
    ),
    (
        "mpg ~ factor(am) + factor(am):factor(vs)",
        "(Intercept) factor(am)1 factor(am)0:factor(vs)1 factor(am)1:factor(vs)1",
    ),
    ("mpg ~ (wt + hp + qsec)^2 - wt:hp", "(Intercept) wt hp qsec wt:qsec hp:qsec"),
    ("mpg ~ wt:hp + qsec", "(Intercept) qsec wt:hp"),
    ("mpg ~ wt * hp * qsec - wt:hp:qsec", "(Intercept) wt hp qsec wt:hp wt:qsec hp:qsec"),
    ("mpg ~ wt + wt - 1 + 1", "(Intercept) wt"),
    ("mpg ~ hp %in% wt", "(Intercept) hp:wt"),
    ("mpg ~ hp + wt:hp:wt", "(Intercept) hp hp:wt"),
    ("mpg ~ poly(hp, 2) + poly(wt, 1)", "(Intercept) poly(hp, 2)1 poly(hp, 2)2 poly(wt, 1)"),
    ("mpg ~ scale(hp) + as.factor(am) + C(vs)", "(Intercept) scale(hp) as.factor(am)1 C(vs)1"),
    ("mpg ~ . - model", "(Intercept) cyl disp hp drat wt qsec vs am gear carb"),
    ("log(mpg) ~ . - model - cyl", "(Intercept) disp hp drat wt qsec vs am gear carb"),
]


@pytest.mark.parametrize(("formula", "names"), NAMES)
def test_the_columns_have_the_names_that_r_prints(formula: str, names: str) -> None:
    assert " ".join(design(formula, CARS).names) == names


AS_PATSY = [
    # Formulas for which patsy codes factors as R does; patsy's own spelling of functions beside them.
    ("mpg ~ wt + hp", "wt + hp"),
    ("mpg ~ factor(cyl) * wt", "C(cyl) * wt"),
    ("mpg ~ factor(cyl) * factor(am) + log(hp)", "C(cyl) * C(am) + np.log(hp)"),
    ("mpg ~ wt - 1", "wt - 1"),
    ("mpg ~ 0 + factor(cyl) + factor(gear)", "0 + C(cyl) + C(gear)"),
    ("mpg ~ (wt + hp + factor(am))^2", "(wt + hp + C(am))**2"),
    ("mpg ~ factor(am) + factor(am):wt", "C(am) + C(am):wt"),
    ("mpg ~ wt + factor(cyl):wt", "wt + C(cyl):wt"),
    ("mpg ~ I(hp^2) + hp", "I(hp**2) + hp"),
]


@pytest.mark.parametrize(("formula", "theirs"), AS_PATSY)
def test_the_columns_equal_those_of_patsy(formula: str, theirs: str) -> None:
    frame = pd.read_csv(CARS)
    wanted = patsy.dmatrix(theirs, frame, return_type="dataframe")
    made = design(formula, frame)
    assert made.X.shape == wanted.shape
    mine = sorted(made.X.T.tolist())
    assert np.allclose(mine, sorted(wanted.to_numpy().T.tolist()), rtol=1e-14, atol=0)


def test_all_of_iris_with_its_dots() -> None:
    made = design("Sepal.Length ~ .", IRIS)
    assert made.names == (
        "(Intercept)", "Sepal.Width", "Petal.Length", "Petal.Width", "Speciesversicolor", "Speciesvirginica",
    )  # fmt: skip
    frame = pd.read_csv(IRIS)
    assert np.array_equal(made.X[:, 2], frame["Petal.Length"])
    assert np.array_equal(made.X[:, 4], frame["Species"] == "versicolor")


# poly, scale, levels: what is learnt


@pytest.mark.parametrize("degree", [1, 2, 3, 5])
def test_poly_equals_the_qr_of_the_powers(degree: int) -> None:
    hp = pd.read_csv(CARS)["hp"].to_numpy(float)
    centred = hp - hp.mean()
    Q, R = np.linalg.qr(np.vander(centred / np.abs(centred).max(), degree + 1, increasing=True))
    wanted = (Q * np.sign(np.diag(R)))[:, 1:]  # R's sign: every polynomial grows to the right
    made = design(f"mpg ~ poly(hp, {degree})", CARS)
    assert np.allclose(made.X[:, 1:], wanted, rtol=1e-11, atol=1e-12)
    gram = made.X[:, 1:].T @ made.X[:, 1:]
    assert np.allclose(gram, np.eye(degree), atol=1e-12)


def test_poly_raw_is_powers() -> None:
    made = design("mpg ~ poly(wt, 3, raw = TRUE)", CARS)
    wt = pd.read_csv(CARS)["wt"].to_numpy()
    assert made.names[1:] == tuple(f"poly(wt, 3, raw = TRUE){k}" for k in (1, 2, 3))
    assert np.allclose(made.X[:, 1:], np.column_stack([wt, wt**2, wt**3]), rtol=1e-15)


@pytest.mark.parametrize(
    "formula",
    [
        "mpg ~ poly(hp, 3) * factor(cyl) + scale(wt)",
        "mpg ~ 0 + factor(gear):qsec + I(am == 1) + log(disp)",
        'mpg ~ relevel(factor(cyl), ref = "6") + scale(hp, scale = FALSE) + I(wt > mean_wt)',
    ],
)
def test_new_rows_get_the_same_columns(formula: str) -> None:
    frame = pd.read_csv(CARS).assign(mean_wt=3.2)
    made = design(formula, frame)
    assert np.array_equal(made.apply(frame), made.X)
    for rows in ([3], [31, 0, 5], list(range(0, 32, 3))):
        assert np.array_equal(made.apply(frame.iloc[rows].drop(columns="mpg")), made.X[rows])


def test_scale_uses_n_minus_1() -> None:
    made = design("y ~ scale(x)", {"y": [1.0, 2, 3], "x": [1.0, 3, 5]})  # mean 3, s = √(8/2) = 2
    assert made.X[:, 1].tolist() == [-1, 0, 1]
    assert made.apply({"x": [7.0, None]})[:, 1].tolist()[0] == 2


def test_relevel_puts_a_level_first() -> None:
    made = columns(design('y ~ relevel(g, ref = "b")', SMALL))
    assert list(made) == ["(Intercept)", 'relevel(g, ref = "b")a', 'relevel(g, ref = "b")c']
    assert made['relevel(g, ref = "b")a'] == [1, 0, 0, 1, 0, 0]


def test_levels_are_those_of_the_alphabet_of_numbers_or_of_the_frame() -> None:
    assert design("y ~ g", {"y": [1, 2, 3], "g": ["b", "A", "c"]}).names[1:] == ("gb", "gc")
    assert design("y ~ factor(n)", {"y": [1, 2, 3], "n": [10, 9, 0.5]}).names[1:] == ("factor(n)9", "factor(n)10")
    frame = pd.DataFrame({"y": [1, 2, 3], "g": pd.Categorical(["lo", "hi", "lo"], ["lo", "mid", "hi"])})
    assert design("y ~ g", frame).names[1:] == ("ghi",)  # the level without rows goes, as in lm
    frame = pl.DataFrame({"y": [1, 2, 3], "g": ["z", "y", "z"]})
    assert design("y ~ g", frame).names[1:] == ("gz",)


def test_a_level_that_was_not_there_is_refused() -> None:
    made = design("y ~ g", SMALL)
    with pytest.raises(DataError) as problem:
        made.apply({"g": ["a", "d"]})
    assert str(problem.value) == "g has the level 'd', which the fit never saw; it knows a, b, c."
    assert np.isnan(made.apply({"g": ["a", None]})[1]).all()
    # Codes that were text and arrive as numbers are the same levels.
    codes = design("y ~ k", {"y": [1, 2, 3], "k": ["1", "2", "3"]})
    assert codes.apply({"k": [2.0]}).tolist() == [[1, 1, 0]]
    with pytest.raises(DataError, match="Column 'x' holds text; the formula was fitted to numbers in it"):
        design("y ~ x", SMALL).apply({"x": ["a"]})


# the response


def test_responses() -> None:
    assert design("Species ~ 1", IRIS).classes == ("setosa", "versicolor", "virginica")
    made = design("g ~ x", SMALL)
    assert made.y.tolist() == [0, 1, 2, 0, 1, 2]
    made = design('I(g == "b") ~ x', SMALL)
    assert made.classes == ("FALSE", "TRUE")
    assert made.y.tolist() == [0, 1, 0, 0, 1, 0]
    codes, classes = design("n ~ 1", {"n": [3, 1, 3]}).labels()
    assert (codes.tolist(), classes) == ([1, 0, 1], ("1", "3"))


# missing values


def test_rows_with_missing_values_are_left_out_and_counted() -> None:
    table = {
        "y": [1.0, None, 3, 4, 5],
        "x": [1.0, 2, float("nan"), 4, 5],
        "g": ["a", "b", "c", None, "b"],
        "w": [1, 1, 1, 1, 2],
    }
    made = design("y ~ x + g", table, weights="w")
    assert made.rows.tolist() == [0, 4]
    assert made.dropped == 3
    assert made.said_dropped == "(3 observations deleted due to missingness)"
    assert made.names == ("(Intercept)", "x", "gb")  # c stood only in a row that was left out
    assert made.weights is not None
    assert made.weights.tolist() == [1, 2]
    assert design("y ~ 1", {"y": [1, None]}).said_dropped == "(1 observation deleted due to missingness)"
    assert design("y ~ 1", {"y": [1, 2]}).said_dropped == ""
    # A column that is not in the formula does not matter.
    assert design("y ~ x", {**table, "z": [None] * 5}).dropped == 2


def test_what_is_not_a_number_is_said() -> None:
    with pytest.warns(GlassnetWarning) as said:
        made = design("y ~ log(x)", {"y": [1, 2, 3], "x": [1.0, -2, 3]})
    assert str(said[0].message) == "log(x) is not a number in 1 row, first in row 2, where x is -2.0; it is left out."
    assert made.rows.tolist() == [0, 2]


# what cannot be


REFUSED = {
    "": f"The formula is empty; {EXAMPLE}.",
    "y": f"The formula 'y' cannot be read: it has no '~' between the response and what explains it; {EXAMPLE}.",
    "y ~": f"The formula 'y ~' cannot be read: something is missing after '~'; {EXAMPLE}.",
    "~ x": f"The formula '~ x' cannot be read: nothing stands before '~', where the response belongs; {EXAMPLE}.",
    "y ~ x g": f"The formula 'y ~ x g' cannot be read: there is no operator, such as '+', between 'x' and 'g'; {EXAMPLE}.",
    "y ~ x +": f"The formula 'y ~ x +' cannot be read: something is missing after '+'; {EXAMPLE}.",
    "y ~ x + * g": f"The formula 'y ~ x + * g' cannot be read: '*' cannot follow '+'; {EXAMPLE}.",
    "y ~ (x": f"The formula 'y ~ (x' cannot be read: a parenthesis is never closed; {EXAMPLE}.",
    "y ~ x)": f"The formula 'y ~ x)' cannot be read: ')' cannot follow 'x'; {EXAMPLE}.",
    "y ~ x ~ g": f"The formula 'y ~ x ~ g' cannot be read: it has more than one '~'; {EXAMPLE}.",
    "y ~ x$g": f"The formula 'y ~ x$g' cannot be read: '$' is no part of a formula; {EXAMPLE}.",
    "y ~ `x": f"The formula 'y ~ `x' cannot be read: the quote ` before 'x' is never closed; {EXAMPLE}.",
    "y ~ X1": "There is no column 'X1'; did you mean 'x'? Known: y, x, g, h.",
    "yy ~ x": "There is no column 'yy'; did you mean 'y'? Known: y, x, g, h.",
    "y ~ lg(x)": "There is no function 'lg'; did you mean 'log'? Known: " + FUNCTIONS,
    "y ~ 2": "The formula 'y ~ 2' has 2 as a term; only 0 and 1, for the intercept, can be. Arithmetic on columns belongs into "
    "I(), as in I(2 * x).",
    "y ~ x^2.5": "The formula 'y ~ x^2.5' has the power 2.5; between terms, ^ counts interactions and takes a whole number "
    "from 1 on. The power of a column belongs into I(), as in I(x^2).",
    "y ~ x * 1": "The formula 'y ~ x * 1' cannot be expanded into terms: 0 and 1 stand for the intercept and can only be added "
    "or taken away.",
    "y ~ (x > 2)": "The formula 'y ~ (x > 2)' has x > 2 as a term; write it as I(x > 2).",
    "y ~ y + x": "The response y is on both sides of '~'; leave it out on the right.",
    "y ~ 0": "The formula 'y ~ 0' has nothing to estimate: no intercept and no terms; add one.",
    "y ~ offset(x)": "offset() in a formula: an offset is not supported; subtract it from the response, or leave it out.",
    "cbind(y, x) ~ 1": "cbind() in a formula: a response of successes and failures is not supported; give the share of "
    "successes as the response and the number of trials as weights.",
    "y ~ log(g)": "log() needs numbers, and column 'g' holds text.",
    "y ~ I(g + 1)": "'+' needs numbers, and column 'g' holds text.",
    "y ~ I(x:y)": "':' has no meaning inside I() or a function; got x:y.",
    "y ~ log()": "log() needs a column, as in log(x).",
    "y ~ log(x, 2, 3)": "log(x, 2, 3): log() takes 2 arguments in a formula: x, base.",
    "y ~ factor(x, levels = 2)": "In factor(x, levels = 2): There is no argument 'levels'. Known: x.",
    "y ~ poly(x, 6)": "poly(x, 6) needs more than 6 different values of x; there are 6. Use a lower degree.",
    "y ~ poly(x, 0)": "poly(x, 0): the degree is a whole number from 1 to 50.",
    "y ~ poly(x, degree = g)": "poly(x, degree = g): degree is a number; got g.",
    "y ~ poly(x, 2, raw = 1)": "poly(x, 2, raw = 1): raw is TRUE or FALSE; got 1.",
    "poly(y, 2) ~ x": "The response poly(y, 2) has 2 columns; it needs one.",
    "y ~ relevel(g, ref = 'd')": "In relevel(g, ref = \"d\"): There is no level 'd'. Known: a, b, c.",
    "y ~ relevel(x, ref = 1)": "relevel() needs a factor; write relevel(factor(x), ref = ...).",
    "y ~ I(g == 'd')": "In g == \"d\": There is no value 'd'. Known: a, b, c.",
    "y ~ I(g > 'a')": 'g > "a" cannot be compared; compare numbers, or a text column by == or != with a text.',
    "y ~ 'x'": "The formula 'y ~ \"x\"' has \"x\" as a term; write it as I(\"x\").",
    "y ~ log(x - 1)": "log(x - 1) is infinite in row 1, where x is 1.0; leave such rows out, or change the formula.",
    "y ~ scale(I(x * 0))": "scale(I(x * 0)) divides by the standard deviation of I(x * 0), which is 0; leave I(x * 0) out.",
    "y ~ factor(I(x * 0))": "The factor factor(I(x * 0)) has one level only, '0', in the 6 rows that are used; a factor needs "
    "two or more. Leave it out of the formula.",
    'y ~ __import__("os")': "There is no function '__import__'. Known: " + FUNCTIONS,
    'y ~ __import__("os").system("touch hacked")': "The formula 'y ~ __import__(\"os\").system(\"touch hacked\")' cannot be "
    f"read: there is no operator, such as '+', between ')' and '.system'; {EXAMPLE}.",
    "y ~ x.__class__": "There is no column 'x.__class__'. Known: y, x, g, h.",
    "y ~ {x}": f"The formula 'y ~ {{x}}' cannot be read: '{{' is no part of a formula; {EXAMPLE}.",
    "y ~ eval('1')": "There is no function 'eval'. Known: " + FUNCTIONS,
}  # fmt: skip


@pytest.mark.parametrize("formula", REFUSED)
def test_what_cannot_be_is_said_in_one_sentence(formula: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(GlassnetError) as problem:
        design(formula, SMALL)
    assert str(problem.value) == REFUSED[formula]
    assert not list(tmp_path.iterdir())


def test_tables_that_cannot_be() -> None:
    def said(formula: str, table: object, weights: str | None = None) -> str:
        with pytest.raises(DataError) as problem:
            design(formula, table, weights)
        return str(problem.value)

    nothing = {"y": [1.0, None], "x": [None, 1.0], "w": [-1.0, 2]}
    assert said("y ~ x", nothing) == (
        "None of the 2 rows has a value for each of y, x; leave out of the formula what is missing most."
    )
    empty = {"y": [1.0, 2], "x": pa.nulls(2)}
    assert said("y ~ x", empty) == "x is missing in all 2 rows; leave it out of the formula."
    assert said("y ~ .", {"y": [1, 2]}) == "'.' stands for the columns that are not the response, and there is none."
    assert said("y ~ 1", nothing, "w") == "The weight 'w' row 1 is -1; weights are finite and 0 or more."
    assert said("y ~ 1", {"y": [1, 2], "w": [0, 0]}, "w") == (
        "The weights 'w' are 0 in every row; at least one needs to be above 0."
    )
    assert said("y ~ 1", SMALL, "g") == "The weights 'g' hold text; weights are numbers of 0 or more."
    assert said("y ~ z", {"y": [1, 2], "z": [[1], [2]]}).startswith("Column 'z' holds list<")
    with pytest.raises(GlassnetError, match=r"A formula is text such as 'y ~ x1 [+] log[(]x2[)]'; got int"):
        design(3, SMALL)  # type: ignore[arg-type]


def test_formulas_that_would_never_end() -> None:
    wide = {f"x{k}": [1.0, 2, 3] for k in range(40)}
    for formula in ("x0 ~ .^4", "x0 ~ (x1 + x2 + x3)^99 * . * . * .", "x0 ~ " + "(" * 100 + "x1" + ")" * 100):
        with pytest.raises(GlassnetError, match=r"more than 20,000 terms|nested more than 60 deep"):
            design(formula, wide)
    assert len(design("x0 ~ .", {f"x{k}": [1.0, 2] for k in range(1500)}).names) == 1500
    long = "x0 ~ " + " + ".join(f"x{k}" for k in range(1, 1200))
    assert len(design(long, {f"x{k}": [1.0, 2] for k in range(1500)}).names) == 1200
    with pytest.raises(GlassnetError, match="has 10,005 characters"):
        design("y ~ " + "x" * 10_001, wide)


@given(st.text(alphabet="yxgh~+-*/^:().,1 2`'\"I=<>%inpolg#", max_size=30))
def test_any_text_is_a_design_or_one_sentence(text: str) -> None:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GlassnetWarning)
        try:
            made = design(text, SMALL)
        except GlassnetError as problem:
            said = str(problem)
            made = None
    if made is None:
        assert said.endswith(".")
        assert "\n" not in said
    else:
        assert np.isfinite(made.X).all()
        assert made.X.shape == (len(made.y), len(made.names))
