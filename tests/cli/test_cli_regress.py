"""`glassnet regress`: R's numbers through the command line, what is written, and every problem in one sentence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf

from glassnet.cli.network_comparison import Comparison, compare, row_losses
from glassnet.errors import DataError
from glassnet.statistics.formulas import design
from glassnet.statistics.regress import Regression, call_text, data_name, regress

GOLDEN = Path(__file__).parents[1] / "golden"
CARS, IRIS = GOLDEN / "data" / "mtcars.csv", GOLDEN / "data" / "iris.csv"
MANY_DIGITS = 1e-9

Call = Callable[..., Any]


def golden(name: str) -> dict[str, Any]:
    """A file of R's values; those that are not in the repository lie where GLASSNET_GOLDEN says."""
    elsewhere = Path(os.environ.get("GLASSNET_GOLDEN", GOLDEN.parents[1].parent / "shared" / "golden"))
    for place in (GOLDEN / f"{name}.json", elsewhere / f"{name}.json"):
        if place.is_file():
            content: dict[str, Any] = json.loads(place.read_text())
            return content
    pytest.skip(f"needs {name}.json: set GLASSNET_GOLDEN to its folder")


def done(answer: Any) -> Any:
    assert answer.status == 0, answer
    return answer


def refused(answer: Any, line: str) -> None:
    """Assert status 2 and this one sentence."""
    assert answer.status == 2, answer
    assert answer.err.splitlines() == [line]
    assert "Traceback" not in answer.out + answer.err


def written(glassnet: Call, *arguments: object) -> dict[str, Any]:
    """What --out holds."""
    done(glassnet("regress", *arguments, "--out", "out.json"))
    content: dict[str, Any] = json.loads(Path("out.json").read_text())
    return content


def near(mine: Any, theirs: Any, rtol: float = MANY_DIGITS) -> None:
    np.testing.assert_allclose(np.asarray(mine, dtype=float), theirs, rtol=rtol, atol=0)


# R's numbers


@pytest.mark.parametrize(("name", "table"), [("01_lm_mtcars", CARS), ("01_lm_iris", IRIS)])
def test_lm_is_that_of_r(glassnet: Call, name: str, table: Path) -> None:
    wanted = golden(name)
    content = written(glassnet, wanted["formula"], table)
    assert content["family"] == "gaussian"
    assert content["rows"] == wanted["n"]
    found = content["summary"]
    assert found["names"] == wanted["terms"]
    near(found["coefficients"], wanted["coefficients"])
    near(found["standard_errors"], wanted["std_errors"])
    near(found["p_values"], wanted["p_values"])
    near(found["log_likelihood"], wanted["logLik"])
    near(found["aic"], wanted["AIC"])
    limits = [values for key, values in content["confidence_intervals"].items() if key != "level"]
    near(np.transpose(limits), wanted["confint_95"])


def test_glm_is_that_of_r(glassnet: Call) -> None:
    wanted = golden("03_glm_mtcars_am")
    found = written(glassnet, wanted["formula"], CARS, "--family", "binomial")["summary"]
    assert found["names"] == wanted["terms"]
    near(found["coefficients"], wanted["coefficients"])
    near(found["standard_errors"], wanted["std_errors"])
    near(found["p_values"], wanted["p_values"])
    near(found["deviance"], wanted["residual_deviance"])
    near(found["null_deviance"], wanted["null_deviance"])
    near(found["aic"], wanted["AIC"])


def test_two_classes_of_text_the_first_is_the_failure(glassnet: Call) -> None:
    wanted = golden("03_glm_iris_versicolor_virginica")
    frame = pd.read_csv(IRIS)
    frame[frame["Species"] != "setosa"].to_csv("two.csv", index=False)
    content = written(glassnet, "Species ~ .", "two.csv", "--family", "binomial")
    assert content["classes"] == ["versicolor", "virginica"]
    near(content["summary"]["coefficients"], wanted["coefficients"])
    near(content["summary"]["standard_errors"], wanted["std_errors"], 1e-8)


def test_multinomial_is_that_of_r(glassnet: Call) -> None:
    wanted = golden("05_multinom_iris_sepal_width")
    content = written(glassnet, wanted["formula"], IRIS, "--family", "multinomial")
    assert content["classes"] == wanted["levels"]
    near(content["summary"]["coefficients"], wanted["newton"]["coefficients"])


def test_poisson_is_that_of_statsmodels(glassnet: Call) -> None:
    frame = pd.read_csv(CARS)
    wanted = smf.glm("carb ~ hp + C(cyl)", frame, family=sm.families.Poisson()).fit(tol=1e-14)
    found = written(glassnet, "carb ~ hp + factor(cyl)", CARS, "--family", "poisson")["summary"]
    assert found["names"] == ["(Intercept)", "hp", "factor(cyl)6", "factor(cyl)8"]
    theirs = wanted.params[["Intercept", "hp", "C(cyl)[T.6]", "C(cyl)[T.8]"]]
    near(found["coefficients"], theirs, 1e-8)
    near(found["deviance"], wanted.deviance, 1e-10)


FORMULAS = [
    ("mpg ~ factor(cyl) * wt + log(hp)", "mpg ~ C(cyl) * wt + np.log(hp)"),
    ("log(mpg) ~ (wt + hp + factor(am))^2 - 1", "np.log(mpg) ~ (wt + hp + C(am))**2 - 1"),
    ("mpg ~ poly(hp, 3) + scale(wt)", "mpg ~ hp + I(hp**2) + I(hp**3) + wt"),
    ("mpg ~ wt:factor(am) + I(hp^2)", "mpg ~ wt:C(am) + I(hp**2)"),
]


@pytest.mark.parametrize(("formula", "theirs"), FORMULAS)
def test_any_formula_fits_as_in_statsmodels(formula: str, theirs: str) -> None:
    frame = pd.read_csv(CARS)
    wanted = smf.ols(theirs, frame).fit()
    found = regress(formula, frame)
    near(found.fitted_values.reshape(-1), wanted.fittedvalues, 1e-9)
    near(found.predict(frame.iloc[:5]).reshape(-1), wanted.fittedvalues[:5], 1e-9)


def test_weights_are_those_of_statsmodels(glassnet: Call) -> None:
    frame = pd.read_csv(CARS)
    wanted = smf.wls("mpg ~ wt + hp", frame, weights=frame["qsec"]).fit()
    content = written(glassnet, "mpg ~ wt + hp", CARS, "--weights", "qsec")
    assert content["weights"] == "qsec"
    near(content["summary"]["coefficients"], wanted.params)
    near(content["summary"]["standard_errors"], wanted.bse)


# what is printed and written


def test_the_summary_is_printed_with_its_call(glassnet: Call) -> None:
    out = done(glassnet("regress", "mpg ~ wt + hp", CARS)).out
    assert "Call:\nlm(formula = mpg ~ wt + hp, data = mtcars)\n" in out
    for line in (
        # R 4.2.2: summary(lm(mpg ~ wt + hp, mtcars))
        "(Intercept) 37.22727    1.59879  23.285  < 2e-16 ***",
        "wt          -3.87783    0.63273  -6.129 1.12e-06 ***",
        "hp          -0.03177    0.00903  -3.519  0.00145 ** ",
        "Residual standard error: 2.593 on 29 degrees of freedom",
        "F-statistic: 69.21 on 2 and 29 DF,  p-value: 9.109e-12",
    ):
        assert line in out
    out = done(glassnet("regress", "am ~ wt", CARS, "--family", "binomial")).out
    assert "glm(formula = am ~ wt, family = binomial, data = mtcars)" in out
    out = done(glassnet("regress", "Species ~ Sepal.Width", IRIS, "--family", "multinomial")).out
    assert "multinom(formula = Species ~ Sepal.Width, data = iris)" in out


def test_rows_left_out_are_counted_where_r_counts_them(glassnet: Call) -> None:
    lines = CARS.read_text().splitlines()
    lines[3] = lines[3].replace(lines[3].split(",")[1], "", 1)
    Path("holes.csv").write_text("\n".join(lines) + "\n")
    out = done(glassnet("regress", "mpg ~ wt", "holes.csv")).out.splitlines()
    at = next(k for k, line in enumerate(out) if line.startswith("Residual standard error"))
    assert out[at + 1] == "  (1 observation deleted due to missingness)"


def test_confidence_intervals(glassnet: Call) -> None:
    out = done(glassnet("regress", "mpg ~ wt", CARS, "--conf-int", "--level", "0.9")).out
    assert "Confidence intervals (0.9):" in out
    assert "5 %" in out
    assert "95 %" in out
    limits = smf.ols("mpg ~ wt", pd.read_csv(CARS)).fit().conf_int(0.1).to_numpy()
    for value in limits.reshape(-1):
        assert f"{value:.7g}" in out


def test_out_is_json_with_all_that_is_needed_to_do_it_again(glassnet: Call) -> None:
    content = written(glassnet, "mpg ~ wt * factor(am)", CARS)
    assert list(content) == [
        "formula", "family", "response", "classes", "rows", "rows_left_out", "weights", "terms", "summary",
        "confidence_intervals", "comparison", "data", "versions",
    ]  # fmt: skip
    assert content["formula"] == "mpg ~ wt * factor(am)"
    assert content["terms"] == {
        "wt": ["wt"], "factor(am)": ["factor(am)1"], "wt:factor(am)": ["wt:factor(am)1"],
    }  # fmt: skip
    assert content["data"]["files"][0]["size"] == CARS.stat().st_size
    assert len(content["data"]["fingerprint"]) == 64
    assert set(content["versions"]) == {"glassnet", "numpy", "python"}
    refused(
        glassnet("regress", "mpg ~ hp", CARS, "--out", "out.json"),
        "'out.json' is already there; choose another name, or pass --overwrite.",
    )
    assert json.loads(Path("out.json").read_text()) == content
    done(glassnet("regress", "mpg ~ hp", CARS, "--out", "out.json", "--overwrite"))
    assert json.loads(Path("out.json").read_text())["formula"] == "mpg ~ hp"


def test_bundled_data_and_the_note_on_zeros_and_ones(glassnet: Call) -> None:
    answer = done(glassnet("regress", "am ~ wt", CARS))
    assert answer.err == (
        "note: am is only 0 and 1, and gaussian is assumed (a linear probability model); --family binomial is logistic "
        "regression.\n"
    )
    assert done(glassnet("regress", "am ~ wt", CARS, "--family", "gaussian")).err == ""
    assert "lm(formula" in done(glassnet("regress", "flavanoids ~ hue", "wine")).out


def test_residual_plots(glassnet: Call) -> None:
    done(glassnet("regress", "mpg ~ wt", CARS, "--plots", "four.png"))
    assert Path("four.png").read_bytes().startswith(b"\x89PNG")


def test_the_program_itself(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "glassnet.cli.main", "regress"]
    answer = subprocess.run(
        [*program, "mpg ~ wt", str(CARS)], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert answer.returncode == 0, answer.stderr
    assert "Multiple R-squared" in answer.stdout
    answer = subprocess.run(
        [*program, "mpg ~ wtt", str(CARS)], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert answer.returncode == 2
    assert answer.stderr == (
        "There is no column 'wtt'; did you mean 'wt'? Known: model, mpg, cyl, disp, hp, drat, wt, qsec, vs, am, gear, "
        "carb.\n"
    )


def test_the_help_has_an_example(glassnet: Call) -> None:
    out = done(glassnet("regress", "--help")).out
    assert 'glassnet regress "mpg ~ wt + hp" cars.csv' in out
    assert "regress" in done(glassnet("--help")).out


def test_calls_are_broken_where_r_breaks_them() -> None:
    made = design("Petal.Width ~ Sepal.Length + Sepal.Width + Petal.Length", IRIS)
    assert call_text(made, "gaussian", data_name(IRIS)) == (
        "lm(formula = Petal.Width ~ Sepal.Length + Sepal.Width + Petal.Length, \n    data = iris)"
    )
    made = design("mpg ~ cyl + disp + hp + drat + wt + qsec + vs + am + gear + carb", CARS)
    assert call_text(made, "gaussian", "mtcars") == (
        "lm(formula = mpg ~ cyl + disp + hp + drat + wt + qsec + vs + am + \n    gear + carb, data = mtcars)"
    )
    assert data_name("some where/my cars.csv") == "`my cars`"


# the network beside it


def test_a_straight_line_needs_no_network(glassnet: Call) -> None:
    draw = np.random.Generator(np.random.Philox(3))
    x = draw.uniform(-2, 2, (200, 2))
    pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": x @ [1, -2] + draw.normal(size=200)}).to_csv("line.csv", index=False)
    answer = done(
        glassnet("regress", "y ~ a + b", "line.csv", "--compare-network", "8", "--test", "0.3", "--out", "o.json")
    )
    assert (
        "Network 2 → 8 tanh → 1 linear beside the regression, fitted to 140 rows, judged on 60 (seed 0):" in answer.out
    )
    found = json.loads(Path("o.json").read_text())["comparison"]
    assert found["parameters"] == {"regression": 3, "network": 33}
    assert found["verdict"].startswith(("The network does not earn its 33", "The network has not earned its 33"))
    assert found["verdict"] in answer.out
    assert abs(found["measures"]["mean squared error"]["regression"] - 1) < 0.5


def test_a_curve_earns_its_network() -> None:
    draw = np.random.Generator(np.random.Philox(4))
    x = draw.uniform(-3, 3, 100)
    made = design("y ~ x", {"x": x, "y": x**2 + 0.1 * draw.normal(size=100)})
    found = compare(made, "gaussian", (8,), test=None, seed=0)
    assert found.how == "in 5-fold cross-validation, three times (seed 0)"
    assert found.verdict.startswith("The network earns its 25 parameters: on held-out rows its mean squared error is ")
    assert found.measures["R²"][1] > 0.8 > 0.3 > found.measures["R²"][0]
    assert found == compare(made, "gaussian", (8,), test=None, seed=0)


@pytest.mark.parametrize(
    ("formula", "table", "family", "parameters", "names"),
    [
        ("am ~ wt", CARS, "binomial", (2, 9 + 4), ["log loss", "accuracy", "AUC"]),
        ("Species ~ Sepal.Width", IRIS, "multinomial", (4, 8 + 15), ["log loss", "accuracy"]),
        ("carb ~ hp - 1", CARS, "poisson", (1, 8 + 5), ["mean deviance"]),
    ],
)
def test_every_family_is_compared_by_its_own_measures(
    formula: str, table: Path, family: str, parameters: tuple[int, int], names: list[str]
) -> None:
    found = compare(design(formula, table), family, (4,), test=0.25, seed=1)
    assert found.parameters == parameters
    assert list(found.measures) == names
    assert np.isfinite([*found.measures.values()]).all()


def test_the_regression_is_judged_on_rows_it_has_not_seen() -> None:
    from glassnet.data import split_rows

    frame = pd.read_csv(CARS)
    found = compare(design("mpg ~ wt + hp", CARS), "gaussian", (2,), test=0.25, seed=5)
    train_rows, test_rows = split_rows(None, test=0.25, seed=5, n=32)
    fit = smf.ols("mpg ~ wt + hp", frame.iloc[train_rows]).fit()
    missed = fit.predict(frame.iloc[test_rows]) - frame["mpg"].iloc[test_rows]
    near(found.measures["RMSE"][0], float(np.sqrt(np.mean(missed**2))))


def test_losses_by_hand() -> None:
    one = np.array([[1.0]])
    assert row_losses("gaussian", one, np.array([[3.0]])).tolist() == [4]
    near(row_losses("poisson", np.array([[2.0], [0.0]]), np.array([[1.0], [1.5]])), [2 * (2 * np.log(2) - 1), 3])
    near(row_losses("binomial", one, np.array([[0.25]])), [np.log(4)])
    near(row_losses("multinomial", np.array([[0, 1.0]]), np.array([[0.5, 0.5]])), [np.log(2)])
    assert np.isfinite(row_losses("binomial", one, np.array([[0.0]]))).all()


def test_verdicts() -> None:
    def said(difference: float, error: float) -> str:
        return Comparison("", "", (3, 1171), {"log loss": (2.0, 2 + difference)}, difference, error, "log loss").verdict

    assert said(-0.5, 0.1) == (
        "The network earns its 1,171 parameters: on held-out rows its log loss is 1.5, that of the regression with its 3 is 2 "
        "(difference -0.5, standard error 0.1)."
    )
    assert said(0.5, 0.1).startswith("The network does not earn its 1,171 parameters: ")
    assert said(0.5, 0.4).endswith(", no better.")
    assert said(-0.5, 0.4).startswith("The network has not earned its 1,171 parameters here: ")
    assert said(-0.5, 0.4).endswith(", which may be chance.")


# predictions for tables


def test_predictions_go_through_the_formula() -> None:
    fit = regress("mpg ~ poly(hp, 2) + factor(cyl)", CARS)
    assert isinstance(fit, Regression)
    frame = pd.read_csv(CARS)
    near(np.ravel(fit.predict(frame)), np.ravel(fit.fitted_values), 1e-10)
    holes = frame.iloc[:3].copy()
    holes.loc[1, "hp"] = np.nan
    found = np.ravel(fit.predict(holes))
    assert np.isnan(found).tolist() == [False, True, False]
    limits = fit.predict(holes, interval="confidence", level=0.9)
    assert np.isnan(np.asarray(limits, dtype=float)).all(axis=1).tolist() == [False, True, False]
    assert repr(fit) == "Regression('mpg ~ poly(hp, 2) + factor(cyl)', family='gaussian', 32 rows)"
    with pytest.raises(AttributeError):
        fit.nothing  # noqa: B018
    with pytest.raises(DataError, match="which the fit never saw"):
        fit.predict(frame.assign(cyl=5))


# what is wrong is said in one sentence


COLUMNS = "Known: y, size, kind, n, one, w."
CASES: dict[str, tuple[list[str], str]] = {
    "no such file": (["y ~ x", "none/t.csv"], "There is no file 'none/t.csv'; the folder 'none' does not exist."),
    "no such column": (["y ~ sise", "t.csv"], "There is no column 'sise'; did you mean 'size'? " + COLUMNS),
    "no such response": (["yy ~ size", "t.csv"], "There is no column 'yy'; did you mean 'y'? " + COLUMNS),
    "no such family": (
        ["y ~ size", "t.csv", "--family", "gausian"],
        "There is no family 'gausian'; did you mean 'gaussian'? Known: gaussian, binomial, multinomial, poisson.",
    ),
    "text, no family": (
        ["kind ~ size", "t.csv"],
        "kind is no number but one of 'a', 'b', 'c'; say --family multinomial to explain which.",
    ),
    "text, gaussian": (
        ["kind ~ size", "t.csv", "--family", "gaussian"],
        "kind is no number but one of 'a', 'b', 'c', and a gaussian regression needs numbers; use --family multinomial.",
    ),
    "three classes, binomial": (
        ["kind ~ size", "t.csv", "--family", "binomial"],
        "kind has 3 classes, 'a', 'b', 'c', and a binomial regression has two; use --family multinomial, or "
        'I(kind == "...") as the response.',
    ),
    "one class": (
        ["one ~ size", "t.csv", "--family", "binomial"],
        "one is 'only' in all 5 rows that are used; there is nothing to tell apart.",
    ),
    "one class of several": (
        ["one ~ size", "t.csv", "--family", "multinomial"],
        "one is 'only' in all 5 rows that are used; there is nothing to tell apart.",
    ),
    "one number": (
        ["I(0 * n) ~ size", "t.csv", "--family", "binomial"],
        "I(0 * n) is 0 in all 5 rows that are used; there is nothing to tell apart.",
    ),
    "no 0 or 1": (
        ["y ~ size", "t.csv", "--family", "binomial"],
        "y is 1.5 in row 1; a binomial regression needs 0 or 1, a share between them, or two classes, such as factor(y).",
    ),
    "a negative count": (
        ["n ~ size", "t.csv", "--family", "poisson"],
        "n is -1 in row 3; a Poisson regression needs counts, 0 or more.",
    ),
    "no count at all": (
        ["I(0 * n) ~ size", "t.csv", "--family", "poisson"],
        "I(0 * n) is 0 in every row; a Poisson regression needs a count above 0.",
    ),
    "text, poisson": (
        ["one ~ size", "t.csv", "--family", "poisson"],
        "one is no number but one of 'only', and a poisson regression needs numbers; use --family binomial.",
    ),
    "all missing": (
        ["y ~ x", "missing.csv"],
        "None of the 2 rows has a value for each of y, x; leave out of the formula what is missing most.",
    ),
    "no formula": (["y size", "t.csv"], "The formula 'y size' cannot be read: there is no operator, such as '+', between 'y' "
                   "and 'size'; write it like 'y ~ x1 + log(x2)'."),
    "code": (
        ['y ~ __import__("os").getcwd()', "t.csv"],
        "The formula 'y ~ __import__(\"os\").getcwd()' cannot be read: there is no operator, such as '+', between ')' and "
        "'.getcwd'; write it like 'y ~ x1 + log(x2)'.",
    ),
    "a column twice": (["y ~ x", "twice.csv"], "'twice.csv' has 2 columns named 'x' (columns 2 and 3); every "
                        "name may occur once: rename all but one."),
    "no such weights": (
        ["y ~ size", "t.csv", "--weights", "ww"],
        "There is no column 'ww'; did you mean 'w'? " + COLUMNS,
    ),
    "negative weights": (
        ["y ~ size", "t.csv", "--weights", "n"],
        "The weight 'n' row 3 is -1; weights are finite and 0 or more.",
    ),
    "a level of 2": (
        ["y ~ size", "t.csv", "--conf-int", "--level", "2"],
        "A confidence level got 2.0; it needs a number between 0 and 1, such as 0.95.",
    ),
    "units in words": (
        ["y ~ size", "t.csv", "--compare-network", "ten"],
        "--compare-network got 'ten'; it needs the units of each hidden layer, such as 10,10: whole numbers, 1 or more.",
    ),
    "no unit": (
        ["y ~ size", "t.csv", "--compare-network", "10,0"],
        "--compare-network got '0'; it needs the units of each hidden layer, such as 10,10: whole numbers, 1 or more.",
    ),
    "few rows": (
        ["y ~ size", "t.csv", "--compare-network", "3"],
        "A comparison with a network needs 10 rows or more; there are 5.",
    ),
    "a test share without a network": (
        ["y ~ size", "t.csv", "--test", "0.2"],
        "--test, --seed and --activation belong to a network; give --compare-network UNITS too.",
    ),
    "a test share of 1": (
        ["y ~ size", "t.csv", "--compare-network", "3", "--test", "1"],
        "--test got '1'; it needs a share of the rows, such as 0.25, or a number of rows, 2 or more.",
    ),
    "a picture of no kind": (
        ["y ~ size", "t.csv", "--plots", "four.gif"],
        "--plots got 'four.gif'; it needs a name that ends in .png, .svg or .pdf.",
    ),
    "no such folder": (
        ["y ~ size", "t.csv", "--out", "there/out.json"],
        "'there/out.json' cannot be written: there is no folder 'there'; make it first.",
    ),
    "intervals of a penalised fit": (
        ["y ~ size", "t.csv", "--conf-int", "--l2", "0.1"],
        "--conf-int got a penalised fit, whose estimates have no standard errors; leave --l2 out.",
    ),
    "a negative penalty": (
        ["y ~ size", "t.csv", "--l2", "-1"],
        "The penalty got l2=-1.0; it needs a finite number, 0 or above.",
    ),
    "plots of several classes": (
        ["kind ~ size", "t.csv", "--family", "multinomial", "--plots", "four.png"],
        "--plots needs one residual a row, and a multinomial regression has one for every class; leave it out.",
    ),
    "no such activation": (
        ["big ~ x", "big.csv", "--compare-network", "3", "--activation", "tahn"],
        "There is no activation 'tahn'; did you mean 'tanh'? Known: linear, sigmoid, tanh, relu, leaky_relu, elu, gelu, "
        "softplus, softmax, exp, step.",
    ),
    "no formula and no data": ([], "Missing argument 'FORMULA'; see glassnet regress --help."),
    "no such option": (["y ~ size", "t.csv", "--familly", "poisson"], "There is no option '--familly'; did you mean "
                       "'--family'? Otherwise see glassnet regress --help."),
    "a folder": (["y ~ size", "t.csv", "--out", "."], "'.' is a folder; name a file in it."),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_said_in_one_sentence(glassnet: Call, case: str) -> None:
    Path("t.csv").write_text(
        "y,size,kind,n,one,w\n1.5,1,a,1,only,1\n2.5,2,b,0,only,1\n3,4,c,-1,only,1\n4.5,3,a,2,only,1\n5,6,b,3,only,1\n"
    )
    Path("missing.csv").write_text("y,x\n1.5,\n,2.5\n")
    Path("twice.csv").write_text("y,x,x\n1,2,3\n4,5,6\n")
    Path("big.csv").write_text("big,x\n" + "".join(f"{k % 5},{k}\n" for k in range(20)))
    before = sorted(Path().iterdir())
    arguments, line = CASES[case]
    refused(glassnet("regress", *arguments), line)
    assert sorted(Path().iterdir()) == before
