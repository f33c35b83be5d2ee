"""Filters as pictures: every kernel that is drawn is the run's, on one scale around 0."""

from __future__ import annotations

import numpy as np
import pytest
from picture_runs import colour_images, drawn, images, message_of, plain, tile

from glassnet.views import plot_filters, plot_weights
from glassnet.views.sheets import Sheet, filled_tiles, inches


def sheet_of(ax, gid="filters"):
    (image,) = [each for each in ax.images if each.get_gid() == gid]
    return np.ma.filled(np.ma.asarray(image.get_array(), dtype=float), np.nan), image


def test_the_filters_of_one_channel_stand_in_a_grid():
    run = images()
    ax = plot_filters(run)
    values, image = sheet_of(ax)
    sheet = Sheet.of(8, 3, 3)
    assert (sheet.rows, sheet.columns) == (2, 4)
    W = run.parameters["W1"]
    for number in range(8):
        assert np.array_equal(tile(sheet, values, number), W[number, 0])
        assert drawn(ax, f"name {number}").get_text() == str(number)
    assert image.get_clim() == (-np.abs(W).max(), np.abs(W).max())
    assert ax.get_title() == "Filters W1: 8 filters of 1 × 3 × 3"


def test_the_filters_of_colours_are_pictures_and_grey_is_0():
    run = colour_images()
    W = run.parameters["W1"]
    values, _ = sheet_of(plot_filters(run))
    sheet = Sheet.of(5, 3, 2)
    for number in range(5):
        expected = 0.5 + 0.5 * np.moveaxis(W[number], 0, 2) / np.abs(W).max()
        assert tile(sheet, values, number) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("options", "layer"), [({"colours": False}, 1), ({}, 2)])
def test_several_channels_are_the_rows(options, layer):
    run = colour_images()
    W = run.parameters[f"W{layer}"]
    filters, channels, height, width = W.shape
    ax = plot_filters(run, layer=layer, **options)
    values, _ = sheet_of(ax)
    sheet = Sheet.of(filters * channels, height, width, grid=(channels, filters), head=False)
    for channel in range(channels):
        for number in range(filters):
            assert np.array_equal(tile(sheet, values, channel * filters + number), W[number, channel])
    assert [tick.get_text() for tick in ax.get_yticklabels()] == [str(channel) for channel in range(channels)]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == [str(number) for number in range(filters)]
    assert ax.get_ylabel() == "channel it looks at"


def test_some_filters_at_an_iteration():
    run = images()
    ax = plot_filters(run, filters=[5, 2], iteration=3)
    values, image = sheet_of(ax)
    W = run.at(3).parameters["W1"]
    sheet = Sheet.of(2, 3, 3)
    assert np.array_equal(tile(sheet, values, 0), W[5, 0])
    assert np.array_equal(tile(sheet, values, 1), W[2, 0])
    assert image.get_clim()[1] == np.abs(W).max()  # one scale for the layer, whichever are shown
    assert ax.get_title() == "Filters W1: 8 filters of 1 × 3 × 3, iteration 3"


def test_the_weights_of_a_convolution_are_its_filters():
    values, _ = sheet_of(plot_weights(images()))
    assert np.array_equal(values, sheet_of(plot_filters(images()))[0], equal_nan=True)


def test_64_stand_in_8_by_8_and_8_in_4_by_2():
    assert [filled_tiles(n) for n in (1, 2, 3, 8, 10, 16, 64)] == [
        (1, 1), (1, 2), (1, 3), (2, 4), (2, 5), (4, 4), (8, 8),
    ]  # fmt: skip
    assert inches(1.0, 2.0) == (11.0, 5.91)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: plot_filters(plain()),
            "A picture of filters needs a network of images, and this one takes rows of 3 features; train one whose input "
            "shape is (channels, height, width), or plot its weights.",
        ),
        (
            lambda: plot_filters(images(), layer=2),
            "A picture of filters got layer 2, which is no convolution of this network; its layer 1 is.",
        ),
        (
            lambda: plot_filters(images(), filters=[8]),
            "A picture of filters got filter 8; there are 8, numbered 0 to 7.",
        ),
        (
            lambda: plot_filters(images(), colours=True),
            "A picture of filters got colours=True, and W1 looks at 1 channels; it needs red, green and blue.",
        ),
    ],
)
def test_filters_that_cannot_be_drawn(call, sentence):
    assert message_of(call) == sentence
