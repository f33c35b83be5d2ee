"""Response maps and the warped plane: what is drawn are the activations that the training had."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure
from picture_runs import diabetes, drawn, flower, iris, legend_texts, message_of, plain

import glassnet as gn
from glassnet.views import plot_responses, plot_warp
from glassnet.views.hidden_layers import layer_values


def own_to_inputs(run, points, columns):
    features = [run.preparation.features[column] for column in columns]
    return (points - [f.mean for f in features]) / [f.std for f in features]


@pytest.mark.parametrize("layer", [1, 2])
def test_values_of_a_layer_are_those_of_the_training(layer):
    run = flower()
    step = run.intermediates(7)
    assert np.array_equal(layer_values(run, run.at(7).state, step["X"], layer), step[f"A{layer}"])


def test_maps_are_tanh_of_the_weighted_sum():
    run = flower()
    axes = plot_responses(run, units=[4, 1], resolution=30)
    assert len(axes) == 2
    x, y = (
        np.linspace(*limits, 30) for limits in (axes[0].images[0].get_extent()[:2], axes[0].images[0].get_extent()[2:])
    )
    places = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    W, b = run.parameters["W1"], run.parameters["b1"]
    for ax, unit in zip(axes, (4, 1), strict=True):
        expected = np.tanh(own_to_inputs(run, places, (0, 1)) @ W[:, unit] + b[unit])
        assert np.asarray(drawn(ax, f"unit {unit}").get_array()).ravel() == pytest.approx(expected, abs=1e-12)
        assert ax.get_title() == f"unit {unit}"
    limits = {tuple(ax.images[0].get_clim()) for ax in axes}
    assert len(limits) == 1  # one scale for all
    ((low, high),) = limits
    assert low == -high


def test_a_relu_layer_and_an_earlier_iteration_over_a_pair():
    run = iris()
    axes = plot_responses(run, features=(2, 3), iteration=5, resolution=20)
    assert len(axes) == 8
    assert axes[0].images[0].get_clim()[0] == 0
    assert axes[0].figure.get_suptitle() == "Responses of layer 1, iteration 5, the other 2 at their mean"
    assert (axes[0].figure.get_supxlabel(), axes[0].figure.get_supylabel()) == ("petal length (cm)", "petal width (cm)")
    W, b = run.at(5).parameters["W1"], run.at(5).parameters["b1"]
    left, right, bottom, top = axes[3].images[0].get_extent()
    corner = run.data.X.mean(axis=0).copy()
    corner[2:] = own_to_inputs(run, np.array([[left, bottom]]), (2, 3))[0]
    assert axes[3].images[0].get_array()[0, 0] == pytest.approx(max(0.0, corner @ W[:, 3] + b[3]))
    assert right > left
    assert top > bottom


def test_maps_on_axes_and_figures_that_are_given():
    run = flower()
    figure = Figure()
    given = figure.subplots(1, 3)
    axes = plot_responses(run, given, units=[0, 1], resolution=5)
    assert list(axes) == list(given[:2])
    assert not given[2].axison
    assert all(ax.figure is not figure for ax in plot_responses(run, resolution=5))
    other = Figure()
    assert all(ax.figure is other for ax in plot_responses(run, figure=other, resolution=5))


def test_at_most_forty_maps():
    X = np.random.default_rng(2).normal(size=(10, 2))
    net = gn.Network(2, gn.Dense(45, "tanh"), gn.Dense(1, "sigmoid"))
    run = gn.train(net, X, (X[:, :1] > 0) * 1.0, epochs=1, progress=False)
    axes = plot_responses(run, resolution=4)
    assert len(axes) == 40
    assert axes[0].figure.get_suptitle() == "Responses of layer 1, the first 40 of 45 units"


def test_the_warped_grid_is_the_layer_at_the_lines_of_the_plane():
    run = flower()
    ax = plot_warp(run, units=(2, 5), lines=7)
    raw = run.data.X * [f.std for f in run.preparation.features] + [f.mean for f in run.preparation.features]
    low, high = raw.min(axis=0), raw.max(axis=0)
    low, high = low - 0.08 * (high - low), high + 0.08 * (high - low)
    W, b = run.parameters["W1"], run.parameters["b1"]
    for number, constant in enumerate(np.linspace(low[0], high[0], 7)):
        places = np.column_stack([np.full(201, constant), np.linspace(low[1], high[1], 201)])
        expected = np.tanh(own_to_inputs(run, places, (0, 1)) @ W + b)[:, [2, 5]]
        assert drawn(ax, f"line 0 {number}").get_xydata() == pytest.approx(expected, abs=1e-10)
    assert sum(str(line.get_gid()).startswith("line 1") for line in ax.lines) == 7
    assert ax.get_xlabel() == "activation of unit 2 (A1)"


def test_the_warped_points_are_the_activations_of_the_step():
    run = flower()
    step = run.intermediates(20)
    ax = plot_warp(run, units=(0, 3), iteration=20)
    for index in (0, 1):
        rows = step["Y"][:, 0] == index
        assert np.array_equal(drawn(ax, f"class {index}").get_offsets(), step["A1"][rows][:, [0, 3]])


def test_two_hidden_units_make_the_border_straight():
    """The output is σ(w·A + b), so P = 1/2 is the line w·A + b = 0 in the plane of the two activations."""
    X = np.random.default_rng(3).normal(size=(80, 2))
    Y = (X[:, :1] * X[:, 1:] > 0) * 1.0
    net = gn.Network(2, gn.Dense(2, "tanh"), gn.Dense(1, "sigmoid"))
    run = gn.train(net, X, Y, optimizer=gn.Adam(0.1), epochs=60, progress=False)
    ax = plot_warp(run)
    border = np.vstack([line.get_xydata() for line in ax.lines if str(line.get_gid()).startswith("border")])
    assert len(border) > 50
    along = border @ run.parameters["W2"][:, 0] + run.parameters["b2"][0]
    assert np.abs(along).max() < 0.02 * np.abs(run.parameters["W2"]).sum()
    assert "P = 1/2" in legend_texts(ax)


def test_a_regression_has_points_without_classes():
    run = diabetes()
    ax = plot_warp(run, features=("bmi", "bp"), units=(1, 2))
    assert np.array_equal(drawn(ax, "data").get_offsets(), layer_values(run, run.state, run.data.X, 1)[:, [1, 2]])
    assert legend_texts(ax) == ["bmi constant", "bp constant", "data"]
    assert ax.get_title() == "The plane after layer 1, the other 8 at their mean"


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: plot_responses(plain()),
            "A map of a unit's response is drawn over two numeric features, and this network has 3 inputs; choose a pair with "
            "features=[A,B] (command line: --features A,B), the others held at their mean, or plane='pca' (command line: "
            "--plane pca).",
        ),
        (
            lambda: plot_warp(plain()),
            "The plane as a layer warps it is drawn over two numeric features, and this network has 3 inputs; choose a pair "
            "with features=[A,B] (command line: --features A,B), the others held at their mean, or plane='pca' (command line: "
            "--plane pca).",
        ),
        (
            lambda: plot_responses(flower(), layer=3),
            "There is no layer 3; this network has the layers 1 to 2, the last of which is its output.",
        ),
        (lambda: plot_responses(flower(), units=[6]), "There is no unit 6 in layer 1; layer 1 has the units 0 to 5."),
        (lambda: plot_responses(flower(), units=[]), "No unit was named; layer 1 has the units 0 to 5."),
        (
            lambda: plot_responses(flower(), Figure().subplots(1, 2)),
            "plot_responses got 2 axes for 6 units; pass one for each, or a figure.",
        ),
        (lambda: plot_warp(flower(), units=(1, 1)), "plot_warp got the units 1, 1; it needs two different ones."),
        (
            lambda: plot_warp(flower(), layer=2),
            "The plane as a layer warps it needs two units, and layer 2 has 1; choose a wider layer, or plot its response "
            "instead.",
        ),
        (
            lambda: plot_warp(flower(), lines=1),
            "plot_warp got lines=1; it needs 2 or more in each direction, say 21.",
        ),
    ],
)
def test_planes_that_cannot_be_drawn(call, sentence):
    assert message_of(call) == sentence
