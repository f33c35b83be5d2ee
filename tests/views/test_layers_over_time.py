"""Layers over time, against a training that wrote everything down as it went."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from picture_runs import drawn, flower, iris, legend_texts, message_of

import glassnet as gn
from glassnet.views import layers_over_time, plot_activations, plot_gradients, plot_updates


@pytest.fixture(scope="module")
def logged():
    """A training by hand, in NumPy, of 2–3–1 with tanh and sigmoid; and glassnet's of the same."""
    draw = np.random.default_rng(11)
    X = draw.normal(size=(30, 2))
    Y = (X[:, :1] > X[:, 1:]) * 1.0
    W1, b1, W2, b2 = draw.normal(size=(2, 3)), np.zeros(3), draw.normal(size=(3, 1)), np.zeros(1)
    start = {"W1": W1.copy(), "b1": b1.copy(), "W2": W2.copy(), "b2": b2.copy()}
    log: dict[str, list] = {"A1": [], "A2": [], "dW1": [], "dW2": [], "ratio1": [], "ratio2": []}
    for _ in range(25):
        A1 = np.tanh(X @ W1 + b1)
        A2 = 1 / (1 + np.exp(-(A1 @ W2 + b2)))
        dZ2 = (A2 - Y) / 30
        dZ1 = dZ2 @ W2.T * (1 - A1**2)
        dW1, dW2 = X.T @ dZ1, A1.T @ dZ2
        sizes = np.linalg.norm(0.7 * dW1) / np.linalg.norm(W1), np.linalg.norm(0.7 * dW2) / np.linalg.norm(W2)
        for name, value in zip(log, (A1, A2, np.abs(dW1), np.abs(dW2), *sizes), strict=True):
            log[name].append(value)
        W1, b1, W2, b2 = W1 - 0.7 * dW1, b1 - 0.7 * dZ1.sum(0), W2 - 0.7 * dW2, b2 - 0.7 * dZ2.sum(0)
    net = gn.Network(2, gn.Dense(3, "tanh"), gn.Dense(1, "sigmoid"))
    run = gn.train(net, X, Y, optimizer=gn.SGD(0.7), epochs=25, initial_parameters=start, progress=False)
    return run, log


@pytest.mark.parametrize("steps", [{}, {"points": 6}, {"points": 6, "spacing": "even"}, {"iterations": [0, 7, 24]}])
def test_the_numbers_are_those_of_the_training(logged, steps):
    run, log = logged
    found = layers_over_time(run, **steps)
    assert found.iterations[0] == 0
    assert found.iterations[-1] == 24
    for place in (0, 1):
        for at, iteration in enumerate(found.iterations):
            values, slopes = log[f"A{place + 1}"][iteration], log[f"dW{place + 1}"][iteration]
            levels = [5, 25, 50, 75, 95]
            assert found.activations[at, place] == pytest.approx(np.percentile(values, levels), rel=1e-9)
            assert found.gradients[at, place] == pytest.approx(np.percentile(slopes, levels), rel=1e-9)
            assert found.updates[at, place] == pytest.approx(log[f"ratio{place + 1}"][iteration], rel=1e-9)


def test_which_steps_are_looked_at(logged):
    run, _ = logged
    assert layers_over_time(run).iterations.tolist() == list(range(25))
    assert layers_over_time(run, points=4, spacing="even").iterations.tolist() == [0, 8, 16, 24]
    # 1, 25^(1/3) = 2.9, 25^(2/3) = 8.55, 25: the updates 1, 3, 9, 25, whose steps are one less
    assert layers_over_time(run, points=4).iterations.tolist() == [0, 2, 8, 24]


def test_momentum_moves_weights_by_more_than_the_slope():
    run = iris()
    weights = [run.at(i).parameters["W2"] for i in range(run.iteration + 1)]
    found = layers_over_time(run, iterations=range(run.iteration))
    ratio = [np.linalg.norm(b - a) / np.linalg.norm(a) for a, b in pairwise(weights)]
    assert found.updates[:, 1] == pytest.approx(ratio, rel=1e-12)


def test_what_is_drawn(logged):
    run, log = logged
    steps = np.arange(1, 26)
    ax = plot_updates(run)
    for layer in (1, 2):
        expected = np.column_stack([steps, log[f"ratio{layer}"]])
        assert drawn(ax, f"layer {layer}").get_xydata() == pytest.approx(expected, rel=1e-9)
    assert list(drawn(ax, "guide").get_ydata()) == [1e-3, 1e-3]
    assert ax.get_yscale() == "log"
    assert ax.get_ylabel() == "‖change of W‖ / ‖W‖ at one update"
    assert legend_texts(ax) == ["layer 1: 3 tanh", "layer 2: 1 sigmoid", "a thousandth"]

    ax = plot_activations(run)
    medians = [np.median(values) for values in log["A1"]]
    assert drawn(ax, "layer 1").get_ydata() == pytest.approx(medians, rel=1e-9)
    corners = drawn(ax, "band 1").get_paths()[0].vertices
    assert corners[:, 1].max() == pytest.approx(max(np.percentile(values, 95) for values in log["A1"]), rel=1e-9)
    assert corners[:, 1].min() == pytest.approx(min(np.percentile(values, 5) for values in log["A1"]), rel=1e-9)
    assert legend_texts(ax)[-1] == "line: median, band: the middle 90%"

    ax = plot_gradients(run)
    assert drawn(ax, "layer 2").get_ydata() == pytest.approx([np.median(values) for values in log["dW2"]], rel=1e-9)
    assert ax.get_xlabel() == "update, from 1"


def test_found_once_and_drawn_thrice():
    found = layers_over_time(flower(), points=5)
    for draw in (plot_activations, plot_gradients, plot_updates):
        assert drawn(draw(found), "layer 1").get_xdata().tolist() == (found.iterations + 1).tolist()
    assert plot_updates(found).get_xscale() == "log"
    assert message_of(plot_updates, found, points=3) == (
        "The steps were chosen when layers_over_time looked at them; leave points out, or pass the run."
    )


def test_slopes_of_exactly_zero_are_left_out():
    """An input that is always 0 gives its weights no slope; with it the median would be 0 and vanish."""
    X = np.zeros((10, 3))
    X[:, 0] = np.linspace(-1, 1, 10)
    run = gn.train(gn.Network(3, gn.Dense(1, "sigmoid")), X, (X[:, :1] > 0) * 1.0, epochs=2, progress=False)
    step = run.intermediates(0)
    assert (step["dW1"] == 0).sum() == 2
    assert layers_over_time(run).gradients[0, 0] == pytest.approx(np.full(5, abs(step["dW1"][0, 0])))


def test_many_layers_are_thinned_and_said():
    X = np.random.default_rng(4).normal(size=(12, 2))
    net = gn.Network(2, *[gn.Dense(3, "tanh") for _ in range(11)], gn.Dense(1, "sigmoid"))
    run = gn.train(net, X, (X[:, :1] > 0) * 1.0, epochs=2, progress=False)
    ax = plot_updates(run)
    assert ax.get_title() == "Updates against weights, by layer, 8 of 12 layers"
    assert len(legend_texts(ax)) == 9
    assert legend_texts(ax)[0].startswith("layer 1:")
    assert legend_texts(ax)[7].startswith("layer 12:")
    assert legend_texts(plot_activations(run))[-1].endswith("the middle half")


def test_weights_that_begin_at_zero_have_no_share():
    net = gn.Network(2, gn.Dense(1, "sigmoid", init="zeros"))
    X = np.random.default_rng(4).normal(size=(12, 2))
    found = layers_over_time(gn.train(net, X, (X[:, :1] > 0) * 1.0, epochs=3, progress=False))
    assert np.isnan(found.updates[:, 0]).tolist() == [True, False, False]


def test_newtons_first_step_has_no_weights_to_start_from():
    X = np.random.default_rng(4).normal(size=(40, 2))
    Y = (X[:, :1] + np.random.default_rng(5).normal(size=(40, 1)) > 0) * 1.0
    net = gn.Network(2, gn.Dense(1, "sigmoid"))
    run = gn.train(net, X, Y, optimizer=gn.Newton(), epochs=4, progress=False)
    assert layers_over_time(run).iterations.tolist() == list(range(1, run.iteration))


def test_courses_that_cannot_be_drawn():
    X = np.random.default_rng(4).normal(size=(12, 2))
    Y = (X[:, :1] > 0) * 1.0
    net = gn.Network(2, gn.Dense(1, "sigmoid"))
    none = gn.train(net, X, Y, epochs=0, progress=False)
    assert message_of(plot_updates, none) == (
        "This run has made no update, so its layers have no course over time; train for an epoch or more."
    )
    lbfgs = gn.train(net, X, Y, optimizer=gn.LBFGS(), epochs=3, progress=False)
    assert message_of(plot_gradients, lbfgs) == (
        "An LBFGS iteration makes several evaluations inside SciPy; its steps cannot be shown."
    )
    assert message_of(plot_updates, flower(), spacing="logs") == (
        "There is no spacing 'logs'; did you mean 'log'? Known: log, even."
    )
    assert message_of(plot_updates, flower(), points=1) == (
        "layers_over_time got points=1; it needs 2 or more steps to look at, say 40."
    )
    assert message_of(plot_updates, flower(), iterations=[150]) == (
        "This training has the steps 0 to 149; step 150 is none of them."
    )
    still = gn.train(net, X, Y, optimizer=gn.SGD(1e-300), epochs=2, progress=False)
    assert message_of(plot_updates, still) == (
        "In these steps every weight is 0 or stays where it is, so no share can be drawn; plot the gradients instead."
    )
    zero = gn.train(net, np.zeros((4, 2)), Y[:4], epochs=2, progress=False)
    assert message_of(plot_gradients, zero) == (
        "Every gradient of these steps is exactly 0, so there is nothing to draw; plot the activations."
    )
