"""Inputs as pictures: where each lies, weights and predictions on sheets, the worst mistakes first."""

from __future__ import annotations

import re

import numpy as np
import pytest
from picture_runs import diabetes, digits, drawn, message_of, signed

import glassnet as gn
from glassnet.data import ArrayPreparation, dataset
from glassnet.views import plot_predictions, plot_weights
from glassnet.views.sheets import layout

RNG = np.random.default_rng(12)


def colour_pictures() -> tuple[np.ndarray, np.ndarray]:
    X = RNG.integers(0, 256, size=(20, 4, 5, 3)).astype(np.uint8)
    return X, np.where(X[:, :, :, 0].mean(axis=(1, 2)) > 127, "cat", "none")


@pytest.fixture(scope="module")
def colour_run():
    X, y = colour_pictures()
    preparation = ArrayPreparation.fit(X, y)
    net = gn.Network(60, gn.Dense(1, "sigmoid"))
    run = gn.train(
        net,
        preparation.transform(X),
        preparation.transform_target(y),
        epochs=3,
        preparation=preparation,
        progress=False,
    )
    return run, X, y


# --- where each input lies ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inputs", "shape", "expected"),
    [
        (64, None, (8, 8, 1)),
        (784, None, (28, 28, 1)),
        (12288, None, (64, 64, 3)),
        (60, (5, 12), (5, 12, 1)),
        (60, (4, 5, 3), (4, 5, 3)),
        (60, (3, 4, 5), (4, 5, 3)),
    ],
)
def test_layouts(inputs, shape, expected):
    found = layout(inputs, "A picture", shape=shape)
    assert (found.height, found.width, found.channels) == expected
    values = RNG.normal(size=(2, inputs))
    if shape == (3, 4, 5):  # channels come first
        assert np.array_equal(found.pictures(values), np.moveaxis(values.reshape(2, 3, 4, 5), 1, 3))
    else:
        assert np.array_equal(found.pictures(values), values.reshape(2, *expected))


@pytest.mark.parametrize("inputs", [4, 25, 63, 65, 30])
def test_what_is_no_picture(inputs):
    assert layout(inputs, "A picture") is None


def test_pixels_that_are_no_input_stay_empty():
    run = digits()
    raw, _ = dataset("digits", n=300).arrays()
    found = layout(run.network.input_shape[0], "A picture", run=run)
    pictures = found.pictures(run.data.X)[:, :, :, 0]
    missing = np.isnan(pictures[0])
    assert (~missing).sum() == run.network.input_shape[0]
    assert not raw.reshape(-1, 8, 8)[:, missing].any()  # they were left out because they never vary
    features = {f.name: f for f in run.preparation.features}
    mean = np.array([[features[f"pixel_{r}_{c}"].mean if not missing[r, c] else 0 for c in range(8)] for r in range(8)])
    std = np.array([[features[f"pixel_{r}_{c}"].std if not missing[r, c] else 0 for c in range(8)] for r in range(8)])
    own = np.where(missing, 0, np.nan_to_num(pictures) * std + mean)
    assert own == pytest.approx(raw.reshape(-1, 8, 8), abs=1e-9)


# --- weights --------------------------------------------------------------------------------------------------------


def test_weights_of_a_run_on_pixels_are_pictures():
    run = digits()
    ax = plot_weights(run)
    sheet = np.ma.filled(np.ma.asarray(ax.images[0].get_array()), np.nan)
    place = layout(run.network.input_shape[0], "", run=run).place
    for unit in (0, 5, 11):  # 12 pictures in 4 columns, 8 wide and 1 apart, 2 rows above each
        top, left = unit // 4 * 11 + 2, unit % 4 * 9
        assert sheet[top : top + 8, left : left + 8].ravel()[place].tolist() == run.parameters["W1"][:, unit].tolist()
    assert ax.get_xlabel() == "one picture a unit, 8 × 8 inputs each; white: no input"


def test_weights_of_pictures_in_colour_stand_side_by_side():
    W = RNG.normal(size=(60, 2))
    ax = plot_weights({"W1": W}, shape=(3, 4, 5))
    sheet = np.ma.filled(np.ma.asarray(ax.images[0].get_array()), np.nan)
    # 2 pictures below one another, 15 wide; 2 rows above each and 1 below
    assert sheet.shape == (14, 16)
    for unit in (0, 1):
        channels = W[:, unit].reshape(3, 4, 5)
        assert sheet[7 * unit + 2 : 7 * unit + 6, :15].tolist() == np.hstack(list(channels)).tolist()
    assert ax.get_xlabel() == "one picture a unit, 4 × 5 inputs, red, green and blue side by side"


def test_weights_of_an_array_run_know_its_shape(colour_run):
    run, _, _ = colour_run
    assert "4 × 5 inputs" in plot_weights(run).get_xlabel()
    assert plot_weights(run, pictures=False).get_ylabel() == "input"


def test_weights_at_an_iteration():
    run = digits()
    ax = plot_weights(run, layer=2, iteration=4)
    assert np.array_equal(ax.images[0].get_array(), run.at(4).parameters["W2"])
    assert ax.get_title() == "Weights W2: 12 inputs → 10 units, iteration 4"


# --- predictions ----------------------------------------------------------------------------------------------------


def test_the_worst_mistakes_come_first():
    run = digits()
    probability, true = run.predict(run.data.X), run.data.Y.argmax(axis=1)
    said = probability.argmax(axis=1)
    wrong = np.flatnonzero(said != true)
    assert 8 < len(wrong) < 290
    ax = plot_predictions(run, count=8)
    order = wrong[np.argsort(probability[wrong, true[wrong]], kind="stable")][:8]
    for position, row in enumerate(order):
        sure = f"{probability[row].max():.0%}"
        assert drawn(ax, f"said {position}").get_text() == f"✗ {said[row]} ({sure})"
        assert drawn(ax, f"true {position}").get_text() == f"is {true[row]}, row {row}"
    assert f"{len(wrong)} of 300 rows predicted wrongly" in ax.get_xlabel()
    assert ax.get_title() == "Predicted pictures, training rows, worst mistakes first"


def test_the_pictures_are_the_pixels_in_their_own_units():
    run = digits()
    raw, _ = dataset("digits", n=300).arrays()
    ax = plot_predictions(run, count=5)
    for position in range(5):
        row = int(re.search(r"row (\d+)", drawn(ax, f"true {position}").get_text())[1])
        assert np.asarray(drawn(ax, f"picture {position}").get_array()) == pytest.approx(
            raw[row].reshape(8, 8) / 16, abs=1e-9
        )


def test_when_there_are_few_mistakes_the_least_sure_follow():
    run = digits()
    probability, true = run.predict(run.data.X), run.data.Y.argmax(axis=1)
    wrong = probability.argmax(axis=1) != true
    ax = plot_predictions(run, count=int(wrong.sum()) + 2)
    right = np.flatnonzero(~wrong)
    least = right[np.argsort(probability[right].max(axis=1), kind="stable")][:2]
    marks = [drawn(ax, f"said {wrong.sum() + k}").get_text() for k in (0, 1)]
    assert all(mark.startswith("✓") for mark in marks)
    shown = [drawn(ax, f"true {wrong.sum() + k}").get_text() for k in (0, 1)]
    assert shown == [f"is {true[row]}, row {row}" for row in least]


def test_photographs_keep_their_colours(colour_run):
    run, X, y = colour_run
    ax = plot_predictions(run, samples=[7, 0])
    for position, row in enumerate((7, 0)):
        assert np.asarray(drawn(ax, f"picture {position}").get_array()) == pytest.approx(X[row] / 255, abs=1e-12)
        said = run.preparation.decode(run.predict(run.data.X))[row]
        assert said in drawn(ax, f"said {position}").get_text()
        assert drawn(ax, f"true {position}").get_text() == f"is {y[row]}, row {row}"
    assert ax.get_title() == "Predicted pictures, training rows"


def test_other_rows_are_numbered_among_themselves(colour_run):
    run, X, y = colour_run
    others = run.preparation.transform(X[5:8])
    ax = plot_predictions(run, others, y[5:8], samples=[2])
    assert drawn(ax, "true 0").get_text() == f"is {y[7]}, row 2"


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: plot_predictions(signed()),
            "A sheet of predicted pictures needs inputs that are pixels, and this network has 2 inputs, which are neither a "
            "square nor one in three colours; pass shape=(height, width), or plot the confusion matrix.",
        ),
        (
            lambda: plot_predictions(diabetes(), shape=(2, 5)),
            "A sheet of predicted pictures needs classes, and this run predicts a quantity; plot its cost, metric, weights or "
            "layers instead.",
        ),
        (
            lambda: plot_predictions(digits(), shape=(8, 8)),
            "A sheet of predicted pictures got the shape 8 × 8 for 59 inputs; it needs (height, width), (height, width, "
            "channels) or (channels, height, width) of that size.",
        ),
        (
            lambda: plot_predictions(digits(), samples=[300]),
            "There is no row 300; the rows that are shown are numbered 0 to 299.",
        ),
        (
            lambda: plot_predictions(digits(), count=0),
            "plot_predictions got count=0; it needs a whole number of pictures, 1 or more.",
        ),
        (
            lambda: plot_weights({"W1": np.ones((6, 2))}, shape=(2, 2)),
            "plot_weights got the shape 2 × 2 for 6 inputs; it needs (height, width), (height, width, channels) or (channels, "
            "height, width) of that size.",
        ),
        (
            lambda: plot_weights({"W1": np.ones((6, 2))}, iteration=2),
            "plot_weights got an iteration and parameters; only a run has iterations: pass the run.",
        ),
    ],
)
def test_sheets_that_cannot_be_drawn(call, sentence):
    assert message_of(call) == sentence
