"""Films: every frame is the run at its iteration, and the files that are written open again with the same frames."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import glassnet as gn
from glassnet.errors import GlassnetError
from glassnet.views.film_frames import film_iterations, instants
from glassnet.views.film_stage import arranged
from glassnet.views.network_diagram import THINNEST

rng = np.random.default_rng(5)
X = rng.uniform(-1, 1, (60, 2))
Y = (X[:, :1] * X[:, 1:] > 0).astype(float)
NET = gn.Network(2, gn.Dense(4, "tanh"), gn.Dense(1, "sigmoid"))
SMALL = (360, 200)


def trained(network=NET, X=X, Y=Y, **settings):
    return gn.train(network, X, Y, progress=False, **{"epochs": 40, "optimizer": gn.SGD(1.5), **settings})


@pytest.fixture(scope="module", params=["reference", "compiled"])
def run(request):
    return trained(engine=request.param)


@pytest.fixture(scope="module")
def one():
    return trained()


@pytest.fixture(scope="module")
def batches():
    labels = np.eye(3)[rng.integers(0, 3, 60)]
    network = gn.Network(2, gn.Dense(5, "relu"), gn.Dropout(0.2), gn.Dense(3, "softmax"))
    return trained(network, X, labels, batch_size=16, epochs=6, validation=0.2, optimizer=gn.Adam(0.05))


def film_of(run, kinds=("boundary", "network", "cost"), **options):
    return run.animate(kinds, **{"frames": 6, "size": SMALL, **options})


def heading(film):
    return film.stage.heading.get_text()


# Which iterations.


def test_iterations_by_hand():
    assert film_iterations(100, 5, "linear") == [0, 25, 50, 75, 100]
    assert film_iterations(100, 5, "log") == [0, 1, 5, 22, 100]  # 100^(1/3) = 4.6, 100^(2/3) = 21.5
    assert film_iterations(20, 9, "log") == [0, 1, 2, 3, 4, 6, 8, 13, 20]
    assert film_iterations(3, 100, "log") == [0, 1, 2, 3]
    assert film_iterations(1, 2, "linear") == [0, 1]


@given(st.integers(1, 10**6), st.integers(2, 300), st.sampled_from(["log", "linear"]))
def test_iterations_increase_and_cover_the_first_and_the_last(last, frames, spacing):
    found = film_iterations(last, frames, spacing)
    assert found[0] == 0
    assert found[-1] == last
    assert np.all(np.diff(found) > 0)
    assert len(found) == min(frames, last + 1)


@given(st.integers(2000, 10**6))
def test_log_spacing_dwells_on_the_start(last):
    found = film_iterations(last, 60, "log")
    ratios = np.array(found[40:], dtype=float)[1:] / found[40:-1]
    assert np.ptp(ratios) < 0.15 * ratios.mean()
    assert np.ptp(np.diff(film_iterations(last, 60, "linear"))) <= 1


# Every frame is the training's state.


def test_boundary_edges_and_cost_are_those_of_the_iteration(run):
    film = film_of(run, frames=5, sample=7, size=(900, 300))
    boundary, network, cost = film.stage.panels
    for number, iteration in enumerate(film.iterations):
        film.frame(number)
        moment = run.at(iteration)
        assert heading(film) == f"iteration {iteration} of 40"
        # The border lies where the probability is ½, and the shading is that of the probability.
        for line in boundary.border.get_segments():
            np.testing.assert_allclose(moment.predict(line), 0.5, atol=0.01)
        probability = moment.predict(boundary.lifted).reshape(len(boundary.up), len(boundary.across))
        red, _, blue = np.moveaxis(np.asarray(boundary.image.get_array()), 2, 0)
        assert np.array_equal(
            (red > blue)[np.abs(probability - 0.5) > 0.05], (probability > 0.5)[np.abs(probability - 0.5) > 0.05]
        )
        wrong = (moment.predict(X) >= 0.5) != (Y == 1)
        np.testing.assert_allclose(boundary.rings.get_offsets(), X[wrong[:, 0]])
        assert boundary.ax.get_title() == f"{wrong.sum()} of 60 wrong"
        # The edges.
        W = np.concatenate([moment.parameters["W1"].ravel(), moment.parameters["W2"].ravel()])
        drawing = network.drawing
        expected = THINNEST + (drawing.widest - THINNEST) * np.minimum(1, np.abs(W) / drawing.limit)
        np.testing.assert_allclose(np.sort(expected), drawing.lines.get_linewidths(), rtol=1e-6)
        assert sum(dash[1] is not None for dash in drawing.lines.get_linestyles()) == (W < 0).sum()
        # The cost, and the output for the sample.
        known = run.history["cost"][iteration - 1] if iteration else run.initial["cost"]
        assert cost.ax.get_title() == f"cost {known:.3g}"
        line, dot = cost.curves[0][3:]
        assert line.get_xdata()[-1] == dot.get_xdata()[0] == iteration
        assert dot.get_ydata()[0] == known
        name = next(text.get_text() for text in drawing.names.values() if text.get_text().startswith("P(1)"))
        assert name == f"P(1) {moment.predict(X[7:8])[0, 0]:.2f}"
    assert drawing.limit >= max(np.abs(run.parameters[name]).max() for name in ("W1", "W2")) - 1e-12


def test_frames_in_their_order_are_the_frames_one_by_one(run):
    film = film_of(run, ["boundary", "network", "cost", "weights", "activations"], size=(500, 400), spacing="linear")
    alone = [film.frame(number) for number in reversed(range(len(film)))][::-1]
    together = list(film.frames())
    assert len(together) == len(film) == 6
    for one, other in zip(alone, together, strict=True):
        assert one.shape == (400, 500, 3)
        assert one.dtype == np.uint8
        assert np.array_equal(one, other)
    assert np.array_equal(film.frame(-1), alone[-1])
    assert not np.array_equal(alone[0], alone[-1])


def test_nothing_is_left_of_the_frame_before(one):
    """A frame drawn by moving things is the frame that a whole new figure would have."""
    film = film_of(one)
    for number in (0, 3, 5, 1):
        film.frame(number)
    assert np.array_equal(film.frame(2), film_of(one).frame(2))


def test_several_classes_batches_and_held_out_rows(batches):
    film = film_of(batches, ["boundary", "cost"])
    boundary, cost = film.stage.panels
    frames = film.instants
    assert film.iterations[-1] == batches.iteration == 18
    for number, instant in enumerate(frames):
        film.frame(number)
        p = batches.at(instant.before).predict
        for line in boundary.border.get_segments():
            two = np.sort(p(line), axis=1)
            np.testing.assert_allclose(two[:, -1], two[:, -2], atol=0.03)
        wrong = p(batches.data.X).argmax(axis=1) != batches.data.Y.argmax(axis=1)
        np.testing.assert_allclose(boundary.rings.get_offsets(), batches.data.X[wrong])
        epoch, past = divmod(instant.before, 3)
        said = f"in epoch {epoch + 1}" if past else f"after epoch {epoch}" if epoch else "before the first epoch"
        assert heading(film) == f"iteration {instant.before} of 18, {said}"
        row = (
            {name: batches.history[name][epoch - 1] for name in ("cost", "validation_cost")}
            if epoch
            else batches.initial
        )
        assert cost.ax.get_title() == f"cost {row['cost']:.3g}, held out {row['validation_cost']:.3g}"


def test_weights_and_histograms(one):
    film = film_of(one, ["weights", "activations"], layer=2)
    weights, activations = film.stage.panels
    for number, iteration in enumerate(film.iterations):
        film.frame(number)
        p = one.at(iteration).parameters
        np.testing.assert_array_equal(np.asarray(weights.image.get_array()), p["W2"])
        a1 = np.tanh(X @ p["W1"] + p["b1"])
        a2 = 1 / (1 + np.exp(-(a1 @ p["W2"] + p["b2"])))
        for values, (low, high), step in zip((a1, a2), ((-1, 1), (0, 1)), activations.steps, strict=True):
            edges = np.linspace(low, high, 41)
            counts = [
                ((values >= a) & ((values < b) | ((b == high) & (values == b)))).sum() for a, b in pairwise(edges)
            ]
            np.testing.assert_allclose(step.get_data().values, np.array(counts) / values.size)
            np.testing.assert_allclose(step.get_data().edges, edges)


def test_the_weights_of_an_image_network_are_pictures():
    pixels = rng.uniform(0, 1, (30, 64))
    run = trained(
        gn.Network(64, gn.Dense(5, "relu"), gn.Dense(2, "softmax")), pixels, np.eye(2)[np.arange(30) % 2], epochs=3
    )
    film = film_of(run, "weights", frames=2)
    film.frame(1)
    sheet = np.asarray(film.stage.panels[0].image.get_array(), dtype=float)
    W = run.at(3).parameters["W1"]
    np.testing.assert_array_equal(sheet[:8, :8], W[:, 0].reshape(8, 8))
    np.testing.assert_array_equal(sheet[:8, 9:17], W[:, 1].reshape(8, 8))
    np.testing.assert_array_equal(sheet[9:17, :8], W[:, 3].reshape(8, 8))  # three pictures a row


def test_lbfgs_and_a_quantity_have_films_too():
    target = X[:, :1] - 2 * X[:, 1:]
    run = trained(gn.Network(2, gn.Dense(3, "tanh"), gn.Dense(1)), X, target, optimizer=gn.LBFGS(), epochs=8)
    film = film_of(run, ["network", "cost", "weights"], frames=4)
    for (number, iteration), picture in zip(enumerate(film.iterations), film.frames(), strict=True):
        shown = np.asarray(film.stage.panels[2].image.get_array())
        np.testing.assert_array_equal(shown, run.at(iteration).parameters["W1"])
        assert np.array_equal(picture, film.frame(number))


# Easing.


def test_easing_says_so_and_leaves_the_true_frames_alone(one):
    plain, eased = film_of(one, frames=4, spacing="linear"), film_of(one, frames=4, spacing="linear", ease=2)
    assert plain.iterations == eased.iterations
    assert [instant.eased for instant in eased.instants] == [False, True, True] * 3 + [False]
    pictures = list(eased.frames())
    for number, picture in enumerate(plain.frames()):
        assert np.array_equal(picture, pictures[3 * number])
    a, b = (one.at(i).parameters for i in eased.iterations[:2])
    network, cost = eased.stage.panels[1:]
    for number, share in ((1, Fraction(7, 27)), (2, Fraction(20, 27))):  # 3s² − 2s³ at ⅓ and ⅔
        assert np.array_equal(eased.frame(number), pictures[number])
        assert heading(eased) == f"between iterations 0 and {eased.iterations[1]}, eased"
        W = np.concatenate([((1 - float(share)) * a[name] + float(share) * b[name]).ravel() for name in ("W1", "W2")])
        np.testing.assert_allclose(
            np.sort(np.abs(W)), np.sort(np.abs(network.drawing.weights(_mix(a, b, float(share)))))
        )
        expected = THINNEST + (network.drawing.widest - THINNEST) * np.minimum(1, np.abs(W) / network.drawing.limit)
        np.testing.assert_allclose(np.sort(expected), network.drawing.lines.get_linewidths(), rtol=1e-6)
        assert cost.curves[0][4].get_xdata()[0] == pytest.approx(float(share) * eased.iterations[1])


def _mix(a, b, share):
    return {name: (1 - share) * a[name] + share * b[name] for name in a}


def test_no_easing_unless_asked(one):
    assert not any(instant.eased for instant in one.animate(frames=30).instants)
    assert [i.before for i in instants([0, 4, 9], None)] == [0, 4, 9]
    assert [i.before for i in instants([0, 4, 9], 0)] == [0, 4, 9]


# What cannot be.


@pytest.mark.parametrize(
    ("kinds", "options", "sentence"),
    [
        (
            "boundry",
            {},
            "There is no panel of a film 'boundry'; did you mean 'boundary'? Known: boundary, network, cost, weights, "
            "activations, filters, feature_maps.",
        ),
        (
            [],
            {},
            "A film got no panels; it needs one or more of boundary, network, cost, weights, activations, filters, "
            "feature_maps.",
        ),
        (["cost", "cost"], {}, "A film got the panel 'cost' twice; name each panel once."),
        ("cost", {"frames": 1}, "A film got frames=1; it needs a whole number of frames, 2 or more."),
        ("cost", {"spacing": "lin"}, "There is no spacing of frames 'lin'; did you mean 'linear'? Known: log, linear."),
        (
            "cost",
            {"size": (90, 400)},
            "A film got size=(90, 400); it needs pixels across and down, such as (900, 400), each from 120 to 4000.",
        ),
        ("cost", {"fps": 0}, "A film got fps=0; it needs a number of frames a second above 0, at most 50."),
        ("cost", {"ease": -1}, "A film got ease=-1; it needs how many frames to glide over, a whole number, or None."),
        ("network", {"sample": 60}, "sample got 60; the training data have the rows 0 to 59."),
        ("weights", {"layer": 3}, "There is no layer's weights 'W3'. Known: W1, W2."),
    ],
)
def test_what_cannot_be_is_said(one, kinds, options, sentence):
    with pytest.raises(GlassnetError) as told:
        film_of(one, kinds, **options).frame(0)
    assert str(told.value) == sentence


def test_panels_that_a_run_cannot_have(one):
    wide = trained(
        gn.Network(784, gn.Dense(2, "relu"), gn.Dense(1, "sigmoid")), rng.uniform(0, 1, (20, 784)), Y[:20], epochs=1
    )
    with pytest.raises(GlassnetError) as told:
        film_of(wide, "boundary").frame(0)
    said = "A film of the decision boundary is drawn over two numeric features, and this network has 784 inputs; choose a pair "
    assert str(told.value).startswith(said)
    assert "plane='pca'" in str(told.value)
    film_of(wide, "boundary", plane="pca").frame(0)
    quantity = trained(gn.Network(2, gn.Dense(1)), X, X[:, :1], optimizer=gn.SGD(0.1), epochs=2)
    with pytest.raises(
        GlassnetError, match="A film of the decision boundary needs classes, and this run predicts a quantity"
    ):
        film_of(quantity, "boundary").frame(0)
    nothing = trained(epochs=0)
    with pytest.raises(GlassnetError) as told:
        film_of(nothing)
    assert str(told.value) == "This run has made no update, so nothing moves; train for an epoch or more."
    film = film_of(one)
    with pytest.raises(GlassnetError) as told:
        film.frame(6)
    assert str(told.value) == "film.frame got 6; this film has the frames 0 to 5."


def test_a_run_saved_without_its_data_says_what_it_needs(one, tmp_path):
    light = gn.Run.load(one.save(tmp_path / "light", data=False))
    with pytest.raises(
        GlassnetError, match="saved without its data, which are needed to make a film of its iterations"
    ):
        light.animate("network")


def test_panels_stand_as_squarely_as_they_can():
    assert arranged(1, 600, 500) == (1, 1)
    assert arranged(3, 900, 400) == (1, 3)
    assert arranged(4, 900, 700) == (2, 2)
    assert arranged(5, 900, 700) == (2, 3)
    assert arranged(2, 300, 800) == (2, 1)
