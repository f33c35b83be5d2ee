"""Feature maps: each is the map worked out with loops, beside the picture it was made from."""

from __future__ import annotations

import numpy as np
import pytest
from picture_runs import colour_images, drawn, images, message_of, tile

from glassnet.views import plot_feature_maps
from glassnet.views.sheets import Sheet


def maps_of(ax):
    (image,) = [each for each in ax.images if each.get_gid() == "maps"]
    return np.ma.filled(np.ma.asarray(image.get_array(), dtype=float), np.nan), image


def by_loops(run, row):
    """Z1 of one grey picture, sum by sum."""
    X, W, b = run.data.X[row, 0], run.parameters["W1"], run.parameters["b1"]
    found = np.empty((8, 6, 6))
    for j in range(8):
        for u in range(6):
            for v in range(6):
                found[j, u, v] = sum(X[u + r, v + s] * W[j, 0, r, s] for r in range(3) for s in range(3)) + b[j]
    return found


def test_every_map_is_what_loops_give():
    run = images()
    Z = by_loops(run, 7)
    pooled = np.maximum(Z, 0).reshape(8, 3, 2, 3, 2).max(axis=(2, 4))
    for stage, expected in (("Z", Z), ("A", np.maximum(Z, 0)), ("P", pooled), ("P1", pooled)):
        ax = plot_feature_maps(run, 7, stage=stage)
        values, image = maps_of(ax)
        sheet = Sheet.of(8, *expected.shape[1:])
        for number in range(8):
            assert tile(sheet, values, number) == pytest.approx(expected[number], abs=1e-12)
        largest = np.abs(expected).max()
        assert image.get_clim() == pytest.approx((-largest if stage == "Z" else 0.0, largest))
    assert ax.get_title() == "Feature maps P1: 8 maps of 3 × 3, training row 7"
    assert np.asarray(drawn(ax, "input").get_array()) == pytest.approx(run.data.X[7, 0], abs=1e-12)


def test_a_colour_picture_keeps_its_colours_beside_the_maps():
    run = colour_images()
    ax = plot_feature_maps(run, 4, layer=2)
    assert np.asarray(drawn(ax, "input").get_array()) == pytest.approx(np.moveaxis(run.data.X[4], 0, 2), abs=1e-12)


def test_a_picture_of_ones_own_and_other_rows():
    run = images()
    X = run.data.X[20:25]
    first = maps_of(plot_feature_maps(run, 22))[0]
    for ax, called in (
        (plot_feature_maps(run, 2, X=X), "row 2"),
        (plot_feature_maps(run, 2, X=X, rows="held-out row"), "held-out row 2"),
        (plot_feature_maps(run, X[2]), "the picture given"),
        (plot_feature_maps(run, X[2, 0]), "the picture given"),
    ):
        assert np.array_equal(maps_of(ax)[0], first, equal_nan=True)
        assert ax.get_title() == f"Feature maps A1: 8 maps of 6 × 6, {called}"


def test_each_map_on_its_own_scale():
    run = images()
    values, _ = maps_of(plot_feature_maps(run, 7, stage="Z", each=True))
    sheet, Z = Sheet.of(8, 6, 6), by_loops(run, 7)
    for number in range(8):
        expected = (Z[number] - Z[number].min()) / np.ptp(Z[number])
        assert tile(sheet, values, number) == pytest.approx(expected, abs=1e-12)


def test_maps_at_the_start_are_those_of_random_filters():
    run = images()
    values, _ = maps_of(plot_feature_maps(run, 3, iteration=0, stage="Z", filters=[6]))
    X, W = run.data.X[3, 0], run.network.initial_parameters(1)["W1"]
    expected = [[(X[u : u + 3, v : v + 3] * W[6, 0]).sum() for v in range(6)] for u in range(6)]
    assert tile(Sheet.of(1, 6, 6), values, 0) == pytest.approx(np.array(expected), abs=1e-12)


def test_64_maps_made_elsewhere_are_a_square():
    maps = np.random.default_rng(1).normal(size=(64, 5, 7))
    ax = plot_feature_maps(maps)
    values, _ = maps_of(ax)
    sheet = Sheet.of(64, 5, 7, grid=None)
    assert [np.array_equal(tile(sheet, values, n), maps[n]) for n in range(64)] == [True] * 64
    assert sheet.rows * sheet.columns == 64
    assert ax.get_title() == "64 maps of 5 × 7"
    square = Sheet.of(64, 6, 6)
    assert (square.rows, square.columns) == (8, 8)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: plot_feature_maps(images(), 300),
            "There is no row 300; the rows that are shown are numbered 0 to 299.",
        ),
        (
            lambda: plot_feature_maps(images(), layer=2),
            "A picture of feature maps got layer 2; of this network only layer 1 has maps, choose one of these.",
        ),
        (
            lambda: plot_feature_maps(images(), stage="B"),
            "A picture of feature maps got the stage 'B' of layer 1; it has Z (weighted sum), A (activation), P (pooled).",
        ),
        (
            lambda: plot_feature_maps(images(), np.zeros((3, 8, 8))),
            "A picture of feature maps got a picture of shape (3, 8, 8); it needs a row number, or one picture (channels, "
            "height, width) = (1, 8, 8).",
        ),
        (
            lambda: plot_feature_maps(images(), [1, 2]),
            "A picture of feature maps got 2 rows; it shows one picture, give one row number.",
        ),
        (
            lambda: plot_feature_maps(np.zeros((4, 4))),
            "plot_feature_maps got maps of shape (4, 4); it needs (maps, height, width), or a run.",
        ),
        (
            lambda: plot_feature_maps(np.zeros((4, 4, 4)), iteration=2),
            "plot_feature_maps got maps and what only a run can use; leave iteration and X out.",
        ),
    ],
)
def test_maps_that_cannot_be_drawn(call, sentence):
    assert message_of(call) == sentence
