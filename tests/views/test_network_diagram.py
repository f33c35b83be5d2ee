"""The network diagram: every edge and unit that is drawn is the run's weight and the activation worked out by hand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.colors import to_rgb

import glassnet as gn
from glassnet.data import Preparation
from glassnet.errors import GlassnetError
from glassnet.views import plot_network
from glassnet.views.network_columns import shown_units
from glassnet.views.network_diagram import THINNEST, NetworkDrawing, shortened
from glassnet.views.palette import luminance

rng = np.random.default_rng(3)
X = rng.standard_normal((40, 2))
Y = (X[:, :1] * X[:, 1:] > 0).astype(float)


def trained(network, X=X, Y=Y, epochs=30, **settings):
    return gn.train(network, X, Y, epochs=epochs, optimizer=gn.SGD(0.8), progress=False, **settings)


@pytest.fixture(scope="module")
def small():
    return trained(gn.Network(2, gn.Dense(4, "tanh"), gn.Dense(1, "sigmoid")))


def texts(ax):
    return [text.get_text() for text in ax.texts if text.get_text() and text.get_visible()]


def drawn_edges(ax):
    """(start, end) → width, colour, whether dashed; as they lie on the page."""
    (lines,) = [each for each in ax.collections if each.get_gid() == "weights"]
    parts = zip(lines.get_segments(), lines.get_linewidths(), lines.get_colors(), lines.get_linestyles(), strict=True)
    return {
        (tuple(np.round(ends[0], 6)), tuple(np.round(ends[1], 6))): (width, colour, dash[1] is not None)
        for ends, width, colour, dash in parts
    }


def unit_places(ax):
    """The units' places, column by column, each from top to bottom."""
    (units,) = [each for each in ax.collections if each.get_gid() == "units"]
    columns: dict[float, list[tuple[float, float]]] = {}
    for place in np.round(units.get_offsets(), 6).tolist():
        columns.setdefault(place[0], []).append(tuple(place))
    return [columns[x] for x in sorted(columns)], units


def blue_or_red(colour):
    red, _, blue = colour[:3]
    return "red" if red > blue else "blue"


@pytest.mark.parametrize("iteration", [0, 7, None])
def test_every_edge_is_its_weight(small, iteration):
    ax = plot_network(small, iteration=iteration)
    state = small.at(small.iteration if iteration is None else iteration).parameters
    (inputs, hidden, output), _ = unit_places(ax)
    edges = drawn_edges(ax)
    assert len(edges) == 2 * 4 + 4
    largest = max(np.abs(state["W1"]).max(), np.abs(state["W2"]).max())
    widest = max(width for width, _, _ in edges.values())
    for W, left, right in ((state["W1"], inputs, hidden), (state["W2"], hidden, output)):
        for (i, j), weight in np.ndenumerate(W):
            width, colour, dashed = edges[left[i], right[j]]
            assert width == pytest.approx(THINNEST + (widest - THINNEST) * abs(weight) / largest)
            assert dashed == (weight < 0)
            assert blue_or_red(colour) == ("blue" if weight < 0 else "red")
    (lines,) = [each for each in ax.collections if each.get_gid() == "weights"]
    assert np.all(np.diff(lines.get_linewidths()) >= 0)  # the large ones lie on top
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == [f"weight +{largest:.3g}", f"weight −{largest:.3g}"]


def test_a_sample_shades_the_units_by_its_activations(small):
    ax = plot_network(small, sample=5)
    p = small.parameters
    a1 = np.tanh(X[5] @ p["W1"] + p["b1"])
    a2 = 1 / (1 + np.exp(-(a1 @ p["W2"] + p["b2"])))
    values = np.concatenate([X[5], a1, a2])
    shown = [t.get_text().replace("−", "-") for t in ax.texts if t.get_gid() == "activation"]
    assert [float(text) for text in shown] == pytest.approx(values, abs=0.005)
    _, units = unit_places(ax)
    colours = units.get_facecolors()[:, :3]
    for value, (red, green, blue) in zip(values, colours, strict=True):
        assert (green > max(red, blue)) if value > 0.02 else (green < min(red, blue))
    assert len({tuple(colour) for colour in colours}) == len(values)
    assert ax.get_title() == "Network, row 5 of the training data"


def test_a_shade_is_darker_the_farther_an_activation_is_from_zero(small):
    ax = plot_network(small)
    drawing = NetworkDrawing(ax, small, [small.state], sample=X[:1])
    assert drawing.shades == [float(np.abs(X[0]).max()), 1.0, 1.0]  # tanh and sigmoid never leave −1 to 1
    light = luminance(drawing.unit_colours(np.linspace(0, 1, 101)))
    assert light[50] == pytest.approx(1.0, abs=0.02)
    assert np.all(np.diff(light[:50]) > 0)
    assert np.all(np.diff(light[51:]) < 0)
    values = [X[0], np.array([-1.0, -0.5, 0.0, 1.0]), np.array([1.0])]
    drawing.show(small.state, values)
    shown = luminance(drawing.units.get_facecolors())[2:]
    assert shown[2] > shown[1] > shown[0]
    assert shown[3] == shown[4]  # one shade means one number in both layers


def test_a_sample_is_a_row_its_features_or_named_columns(small):
    def numbers(ax):
        return [t.get_text() for t in ax.texts if t.get_gid() == "activation"]

    assert numbers(plot_network(small, sample=5)) == numbers(plot_network(small, sample=X[5].tolist()))
    assert numbers(plot_network(small, sample=5)) != numbers(plot_network(small, sample=6))
    table = {"size (m²)": X[:, 0] * 3 + 5, "age": X[:, 1], "kind": np.where(Y[:, 0] > 0, "yes", "no")}
    preparation = Preparation.fit(table, "kind")
    network = gn.Network(2, gn.Dense(3, "tanh"), gn.Dense(1, "sigmoid"))
    inputs, targets = preparation.transform(table), preparation.transform_target(table)
    run = trained(network, inputs, targets, preparation=preparation)
    one = {"size (m²)": float(table["size (m²)"][7]), "age": float(table["age"][7])}
    assert numbers(plot_network(run, sample=7)) == numbers(plot_network(run, sample=one))
    assert {"size (m²)", "age", "P(yes)"} <= set(texts(plot_network(run)))


def test_a_wide_layer_is_elided_in_the_middle_with_the_count():
    wide = rng.standard_normal((20, 784))
    labels = np.eye(10)[np.arange(20) % 10]
    run = trained(gn.Network(784, gn.Dense(100, "relu"), gn.Dense(10, "softmax")), wide, labels, epochs=1)
    ax = plot_network(run, sample=0)
    assert {"784 inputs", "100 relu", "10 softmax", "… 773 more", "… 89 more", "x1", "x784"} <= set(texts(ax))
    (inputs, hidden, output), _ = unit_places(ax)
    assert (len(inputs), len(hidden), len(output)) == (11, 11, 10)
    edges = drawn_edges(ax)
    assert len(edges) == 11 * 11 + 11 * 10
    chosen = [0, 1, 2, 3, 4, 5, 779, 780, 781, 782, 783]
    W = run.parameters["W1"][np.ix_(chosen, [0, 1, 2, 3, 4, 5, 95, 96, 97, 98, 99])]
    for (i, j), weight in np.ndenumerate(W):
        assert edges[inputs[i], hidden[j]][2] == (weight < 0)
    # Where a unit is too small for a number, an output has it beside its name.
    a = run.predict(wide[:1])[0]
    small = NetworkDrawing(ax, run, [run.state], sample=wide[:1], scale=0.3)
    assert not small.roomy
    small.show(run.state, [wide[0], np.zeros(100), a])
    named = [small.names[2, row].get_text() for row in range(10)]
    assert named == [f"{name} {value:.2f}" for name, value in enumerate(a)]


def test_units_that_are_shown():
    assert shown_units(12, 12).tolist() == list(range(12))
    assert shown_units(13, 12).tolist() == [0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12]  # 11 units and the place of 2 more
    assert shown_units(40, 4).tolist() == [0, 1, 39]


def test_long_names_are_shortened():
    assert shortened("petal length (cm)", 17) == "petal length (cm)"
    assert shortened("petal length (cm)", 14) == "petal length"
    assert shortened("petal length (cm)", 8) == "petal l…"
    assert shortened("P(yes)", 6) == "P(yes)"


def test_captions_name_everything_that_happens_to_a_layer():
    network = gn.Network(
        2, gn.Dense(6), gn.BatchNorm(), gn.Activation("relu"), gn.Dropout(0.25), gn.Dense(3, "tanh", bias=False), gn.Dense(1)
    )  # fmt: skip
    run = trained(network, X, X[:, :1] * 0.1, epochs=2)
    assert {"2 inputs", "6 relu\nbatch norm\ndropout 0.25", "3 tanh\nno bias", "1 linear", "x1", "x2", "y"} <= set(
        texts(plot_network(run))
    )


def test_one_layer_and_very_many_layers():
    one = plot_network(trained(gn.Network(2, gn.Dense(1)), X, X[:, :1], epochs=2))
    assert len(drawn_edges(one)) == 2
    layers = [gn.Dense(3, "tanh") for _ in range(12)]
    deep = plot_network(trained(gn.Network(2, *layers, gn.Dense(1)), X, X[:, :1], epochs=1))
    columns, _ = unit_places(deep)
    assert [len(column) for column in columns] == [2, 3, 3, 3, 3, 3, 3, 1]
    assert "… 6 more\nlayers" in texts(deep)
    assert len(drawn_edges(deep)) == 2 * 3 + 2 * 9 + 2 * 9 + 3  # none across the gap


@pytest.mark.parametrize("sizes", [(2, 4, 1), (2, 40, 1), (4, 40, 3), (30, 16, 16, 8, 8, 4, 1), (3, 1)])
@pytest.mark.parametrize("named", [False, True])
def test_nothing_leaves_the_picture(sizes, named):
    inputs = rng.standard_normal((12, sizes[0]))
    targets = rng.standard_normal((12, sizes[-1]))
    run = trained(
        gn.Network(sizes[0], *[gn.Dense(n, "tanh") for n in sizes[1:-1]], gn.Dense(sizes[-1])), inputs, targets, 1
    )
    ax = plot_network(run, sample=0 if named else None)
    ax.figure.canvas.draw()
    whole = ax.figure.bbox
    shown = [text for text in [*ax.texts, ax.title] if text.get_text() and text.get_visible()]
    for box in [*(text.get_window_extent() for text in shown), ax.get_legend().get_window_extent()]:
        assert whole.x0 - 1 <= box.x0
        assert box.x1 <= whole.x1 + 1
        assert whole.y0 - 1 <= box.y0
        assert box.y1 <= whole.y1 + 1
    captions = [
        text.get_window_extent() for text in ax.texts if "inputs" in text.get_text() or "tanh" in text.get_text()
    ]
    captions.sort(key=lambda box: box.x0)
    assert all(a.x1 <= b.x0 + 1 for a, b in pairwise(captions))


def test_it_draws_on_the_axes_it_is_given(small):
    from matplotlib.figure import Figure

    left, right = Figure().subplots(1, 2)
    assert plot_network(small, left, title="mine") is left
    assert left.get_title() == "mine"
    assert not right.collections


def test_weights_that_are_all_zero_and_weights_that_are_not_finite(small):
    ax = plot_network(small)
    drawing = NetworkDrawing(ax.figure.add_subplot(), small, [small.state])
    drawing.show({**small.state, "W1": np.full((2, 4), np.nan), "W2": np.full((4, 1), np.inf)})
    widths = drawing.lines.get_linewidths()
    assert sorted(np.round(widths, 6)) == sorted(np.round([THINNEST] * 8 + [drawing.widest] * 4, 6))
    zero = {name: np.zeros_like(array) for name, array in small.state.items()}
    drawing = NetworkDrawing(ax.figure.add_subplot(), small, [zero])
    drawing.show(zero)
    assert drawing.lines.get_linewidths() == pytest.approx(THINNEST)
    assert np.allclose(drawing.lines.get_colors()[:, :3], to_rgb("#C9C9C9"), atol=0.01)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"sample": 40}, "sample got 40; the training data have the rows 0 to 39."),
        ({"sample": -1}, "sample got -1; the training data have the rows 0 to 39."),
        (
            {"sample": [1.0, 2.0, 3.0]},
            "sample got [1.0, 2.0, 3.0]; it needs a row number of the training data, or the 2 features of one sample.",
        ),
        (
            {"sample": "third"},
            "sample got 'third'; it needs a row number of the training data, or the 2 features of one sample.",
        ),
        ({"most": 2}, "plot_network got most=2; it needs a whole number of units, 3 or more."),
        ({"iteration": 31}, "run.at got 31; this training has iterations 0 to 30."),
    ],
)
def test_what_cannot_be_drawn_is_said(small, asked, sentence):
    with pytest.raises(GlassnetError) as told:
        plot_network(small, **asked)
    assert str(told.value) == sentence
