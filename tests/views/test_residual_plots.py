"""The four residual pictures: what is drawn equals numbers computed elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.stats import norm
from statsmodels.nonparametric.smoothers_lowess import lowess as their_lowess

import glassnet as gn
from glassnet.views import residual_plots, save
from glassnet.views.residuals import lowess

CARS = pd.read_csv(Path(__file__).parents[1] / "golden" / "data" / "mtcars.csv")
X = CARS[["wt", "hp"]].to_numpy(float)


def drawn(ax, name):
    line = next(line for line in ax.get_lines() if line.get_gid() == name)
    return np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)


def rows(ax):
    return {int(text.get_gid().split()[1]) for text in ax.texts if (text.get_gid() or "").startswith("row")}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("count", [12, 40, 700])
def test_lowess_is_clevelands(seed, count):
    draws = np.random.default_rng(seed)
    x = np.sort(draws.normal(size=count).round(1 if seed % 2 and count > 12 else 6))
    y = np.sin(x) + draws.standard_t(2, count)
    theirs = their_lowess(y, x, frac=2 / 3, it=3, delta=0.01 * (x[-1] - x[0]), is_sorted=True, return_sorted=False)
    np.testing.assert_allclose(lowess(x, y), theirs, rtol=1e-6, atol=1e-8)


def test_lowess_of_a_line_is_the_line():
    x = np.linspace(0, 1, 30)
    np.testing.assert_allclose(lowess(x, 3 * x - 1), 3 * x - 1, atol=1e-12)
    assert lowess(np.ones(4), np.array([1.0, 2, 3, 6])).tolist() == [3.0] * 4


def test_the_four_pictures_of_a_linear_model():
    theirs = sm.OLS(CARS.mpg.to_numpy(float), sm.add_constant(X)).fit()
    influence = theirs.get_influence()
    standardized = influence.resid_studentized_internal
    figure = residual_plots(gn.LinearRegression().fit(X, CARS.mpg.to_numpy(float)))
    one, two, three, five = figure.axes
    x, y = drawn(one, "points")
    np.testing.assert_allclose(x, theirs.fittedvalues, rtol=1e-9)
    np.testing.assert_allclose(y, theirs.resid, rtol=1e-8, atol=1e-10)
    assert rows(one) == {17, 18, 20}  # Chrysler Imperial, Fiat 128, Toyota Corolla: R labels them, too
    x, y = drawn(two, "points")
    order = np.argsort(standardized)
    np.testing.assert_allclose(x[order], norm.ppf((np.arange(1, 33) - 0.5) / 32), rtol=1e-9)
    np.testing.assert_allclose(y, standardized, rtol=1e-8)
    _, y = drawn(three, "points")
    np.testing.assert_allclose(y, np.sqrt(np.abs(standardized)), rtol=1e-8)
    x, y = drawn(five, "points")
    np.testing.assert_allclose(x, influence.hat_matrix_diag, rtol=1e-9)
    np.testing.assert_allclose(y, standardized, rtol=1e-8)
    assert rows(five) == set(np.argsort(-influence.cooks_distance[0])[:3] + 1)
    h, contour = drawn(five, "cook 0.5 1")
    np.testing.assert_allclose(contour**2 * h / (1 - h) / 3, 0.5, rtol=1e-9)  # D = r² h / (p (1 − h)), p = 3


def test_a_generalised_linear_model():
    y = CARS.am.to_numpy(float)
    theirs = sm.GLM(y, sm.add_constant(X), family=sm.families.Binomial()).fit(tol=1e-12)
    hat = theirs.get_influence().hat_matrix_diag
    one, two, _, five = residual_plots(gn.LogisticRegression().fit(X, y)).axes
    x, drawn_y = drawn(one, "points")
    np.testing.assert_allclose(x, theirs.predict(which="linear"), rtol=1e-7)
    np.testing.assert_allclose(drawn_y, theirs.resid_deviance, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(drawn(two, "points")[1], theirs.resid_deviance / np.sqrt(1 - hat), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(drawn(five, "points")[1], theirs.resid_pearson / np.sqrt(1 - hat), rtol=1e-6, atol=1e-9)


def test_some_of_them_and_the_file(tmp_path):
    fit = gn.statistics.regress("mpg ~ wt + hp", CARS)
    assert [ax.get_title() for ax in residual_plots(fit, which=[2]).axes] == ["Normal Q-Q"]
    save(residual_plots(fit), tmp_path / "four.png")
    assert (tmp_path / "four.png").stat().st_size > 10_000


def test_points_of_leverage_one_are_left_out():
    frame = CARS.assign(first=(np.arange(32) == 0).astype(float))
    figure = residual_plots(gn.statistics.regress("mpg ~ wt + first", frame))
    assert "Cook's distance (1 of leverage 1 left out)" in [
        t.get_text() for t in figure.axes[3].get_legend().get_texts()
    ]
    assert np.isnan(drawn(figure.axes[3], "points")[0][0])


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (
            lambda: residual_plots(gn.LinearRegression().fit([[0.0], [1.0]], [1.0, 3.0])),
            "The fit has as many coefficients (2) as rows, so every residual is 0; there is nothing to draw.",
        ),
        (
            lambda: residual_plots(gn.LinearRegression().fit(X, CARS.mpg), which=[4]),
            "which got [4]; it needs some of 1, 2, 3, 5.",
        ),
        (
            lambda: residual_plots(gn.LogisticRegression(l2=0.1).fit(X, CARS.cyl)),
            "residual_plots got MultinomialStatistics, which has no residuals of single rows; it needs the statistics of a "
            "linear, logistic or Poisson regression of one output.",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn(ask, sentence):
    with pytest.raises(gn.GlassnetError) as caught:
        ask()
    assert str(caught.value) == sentence
