"""Networks of images: sizes, names, what they take as inputs, and one sentence for what does not fit."""

from __future__ import annotations

import numpy as np
import pytest

import glassnet as gn

PAIR = "it needs a whole number of 1 or more, or a pair (vertical, horizontal)."
COVER = 'choose sizes that divide, or pass leftover="drop" (in the notation: drop leftover) to leave them out.'
FITS = 'it needs one that fits into them: take a smaller kernel, or padding="same" (in the notation: same).'
IMAGES = "it needs images: begin the network with (channels, height, width), and put"
ONCE = IMAGES.removesuffix("put") + "flatten only once, after the last layer of images."
HEAD = (gn.Flatten(), gn.Dense(1))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: gn.Network((1, 4, 4), gn.Conv2D(2, 5), *HEAD),
         f"Conv2D 1 got a kernel of 5×5 for maps of 4×4; {FITS}"),
        (lambda: gn.Network((1, 9, 4), gn.Conv2D(2, 3), gn.Conv2D(2, (2, 3)), *HEAD),
         f"Conv2D 2 got a kernel of 2×3 for maps of 7×2; {FITS}"),
        (lambda: gn.Network((1, 4, 9), gn.Conv2D(2, 3, dilation=2), *HEAD),
         f"Conv2D 1 got a kernel of 3×3, which spans 5×5 with its dilation, for maps of 4×9; {FITS}"),
        (lambda: gn.Network((1, 9, 9), gn.Conv2D(2, 3), gn.MaxPool2D(2), *HEAD),
         "MaxPool2D after layer 1 got maps of 7×7, which windows of 2×2 at a stride of 2 do not cover (1 row and 1 column "
         f"would be left out); {COVER}"),
        (lambda: gn.Network((1, 10, 9), gn.Conv2D(2, 3), gn.AveragePool2D(2), *HEAD),
         "AveragePool2D after layer 1 got maps of 8×7, which windows of 2×2 at a stride of 2 do not cover (1 column would be "
         f"left out); {COVER}"),
        (lambda: gn.Network((1, 9, 9), gn.Conv2D(2, 2), gn.MaxPool2D(3, stride=4), *HEAD),
         "MaxPool2D after layer 1 got maps of 8×8, which windows of 3×3 at a stride of 4 do not cover (1 row and 1 column "
         f"would be left out); {COVER}"),
        (lambda: gn.Network((1, 5, 5), gn.Conv2D(2, 3), gn.MaxPool2D(4), *HEAD),
         "MaxPool2D after layer 1 got windows of 4×4 for maps of 3×3; it needs windows that fit: take smaller ones, or fewer "
         "pools."),
        (lambda: gn.Network((1, 5, 5), gn.Conv2D(2, 3), gn.Dense(1)),
         "Dense 2 got 2 maps of 3×3; it needs one row of numbers a sample: put Flatten() or GlobalAveragePool2D() before it."),
        (lambda: gn.Network((1, 5, 5), gn.Conv2D(2, 3), gn.Flatten(), gn.Conv2D(2, 1)),
         f"Conv2D 2 got 18 numbers a sample; {IMAGES} Flatten() after the last Conv2D."),
        (lambda: gn.Network(25, gn.Conv2D(2, 3), *HEAD),
         f"Conv2D 1 got 25 numbers a sample; {IMAGES} Flatten() after the last Conv2D."),
        (lambda: gn.Network((1, 5, 5), gn.Conv2D(2, 3), gn.Flatten(), gn.MaxPool2D(2)),
         f"MaxPool2D got 18 numbers a sample; {ONCE}"),
        (lambda: gn.Network((1, 5, 5), gn.Conv2D(2, 3), gn.Flatten(), *HEAD), f"Flatten got 18 numbers a sample; {ONCE}"),
        (lambda: gn.Network(5, gn.Dense(3), gn.GlobalAveragePool2D()),
         f"GlobalAveragePool2D got 3 numbers a sample; {ONCE}"),
        (lambda: gn.Network((1, 5, 5), gn.Conv2D(2, 3, "softmax"), *HEAD),
         "Layer 1 got softmax over 2 maps of 3×3; it needs one row of scores a sample: put GlobalAveragePool2D() or Flatten() "
         "and Dense before it."),
        (lambda: gn.Network((1, 6, 6), gn.Conv2D(2, 3, "relu"), gn.Activation("relu"), *HEAD),
         "Conv2D 1 has the activation 'relu' and an Activation layer follows it; give Conv2D no activation, or leave the "
         "Activation layer out."),
        (lambda: gn.Network((1, 6, 6), gn.Conv2D(2, 3), gn.MaxPool2D(2), gn.MaxPool2D(2), *HEAD),
         "Layer 1 has two pools (P1 twice); put a Dense or Conv2D layer between them, or leave one out."),
        (lambda: gn.Network((5, 5), gn.Conv2D(2, 3), *HEAD),
         "Network got the input shape (5, 5); it needs the number of features, a whole number above 0, or (channels, height, "
         "width) of images."),
        (lambda: gn.Conv2D(0, 3), "Conv2D got 0 filters; it needs a whole number, 1 or more."),
        (lambda: gn.Conv2D(2.5, 3), "Conv2D got 2.5 filters; it needs a whole number, 1 or more."),
        (lambda: gn.Conv2D(2, (3,)), f"Conv2D got kernel_size=(3,); {PAIR}"),
        (lambda: gn.Conv2D(2, 3, stride=0), f"Conv2D got stride=0; {PAIR}"),
        (lambda: gn.Conv2D(2, 3, dilation=1.5), f"Conv2D got dilation=1.5; {PAIR}"),
        (lambda: gn.MaxPool2D((0, 2)), f"MaxPool2D got size=(0, 2); {PAIR}"),
        (lambda: gn.AveragePool2D(2, stride="2"), f"AveragePool2D got stride='2'; {PAIR}"),
        (lambda: gn.Conv2D(2, 3, padding="smae"), "There is no padding 'smae'; did you mean 'same'? Known: valid, same."),
        (lambda: gn.MaxPool2D(leftover="dropp"), "There is no leftover 'dropp'; did you mean 'drop'? Known: error, drop."),
        (lambda: gn.Dropout(0.2, channels=1), "Dropout got channels=1; it needs True or False."),
    ],
)  # fmt: skip
def test_layers_that_do_not_fit(make, sentence):
    with pytest.raises(gn.GlassnetError) as caught:
        make()
    assert str(caught.value) == sentence


COLOUR = gn.Network((2, 4, 5), gn.Conv2D(2, 3, "relu"), gn.Flatten(), gn.Dense(1))
GREY = gn.Network((1, 4, 5), gn.Conv2D(2, 3, "relu"), gn.Flatten(), gn.Dense(1))
NEEDS = "the network {} needs images (m, {}, 4, 5), or rows of {} numbers."


def inputs(*shape):
    return np.random.default_rng(0).normal(size=shape)


def trained(network, X, **settings):
    return gn.train(network, X, np.ones((len(X), 1)), **{"epochs": 2, "progress": False, **settings})


@pytest.mark.parametrize(
    ("network", "shape", "hint"),
    [
        (COLOUR, (6, 3, 4, 5), " It has 3 channels where the network has 2."),
        (COLOUR, (6, 4, 5, 2), " Its channels stand last: pass np.moveaxis(X, -1, 1)."),
        (GREY, (6, 4, 5, 1), " Its channels stand last: pass np.moveaxis(X, -1, 1)."),
        (COLOUR, (6, 4, 5), ""),
        (COLOUR, (6, 39), ""),
        (GREY, (6, 5, 4), ""),
        (COLOUR, (6,), ""),
    ],
)
def test_images_that_do_not_fit(network, shape, hint):
    channels = network.input_shape[0]
    needs = NEEDS.format(network, channels, 20 * channels)
    with pytest.raises(gn.DataError) as caught:
        trained(network, inputs(*shape))
    assert str(caught.value) == f"X has shape {shape}; {needs}{hint}"


def test_one_image_is_not_a_batch():
    run = trained(COLOUR, inputs(6, 2, 4, 5))
    with pytest.raises(gn.DataError) as caught:
        run.predict(inputs(2, 4, 5))
    needs = NEEDS.format(COLOUR, 2, 40)
    assert str(caught.value) == f"X has shape (2, 4, 5); {needs} It is one image: pass X[None]."
    assert run.predict(inputs(2, 4, 5)[None]).shape == (1, 1)


def test_a_network_that_ends_in_maps_is_refused():
    with pytest.raises(gn.GlassnetError) as caught:
        trained(gn.Network((1, 6, 6), gn.Conv2D(2, 3)), inputs(6, 1, 6, 6))
    assert str(caught.value) == (
        "The network ends in 2 maps of 4×4; it needs one row of numbers a sample: add Flatten() and a Dense layer, or "
        "GlobalAveragePool2D()."
    )


def test_first_weights_of_another_size_are_refused():
    start = {**COLOUR.initial_parameters(), "W1": np.zeros((2, 2, 2, 2))}
    with pytest.raises(gn.GlassnetError) as caught:
        trained(COLOUR, inputs(6, 2, 4, 5), initial_parameters=start)
    assert str(caught.value) == ("initial_parameters cannot be used: W1 has shape (2, 2, 2, 2), needs (2, 2, 3, 3).")


def test_rows_and_images_without_channels_are_the_same_images():
    X = inputs(9, 2, 4, 5)
    images, rows = trained(COLOUR, X), trained(COLOUR, X.reshape(9, -1))
    for name, value in images.parameters.items():
        np.testing.assert_array_equal(value, rows.parameters[name])
    np.testing.assert_array_equal(images.predict(X), images.predict(X.reshape(9, -1)))
    grey = inputs(9, 1, 4, 5)
    whole, flat = trained(GREY, grey), trained(GREY, grey[:, 0])
    np.testing.assert_array_equal(whole.parameters["W1"], flat.parameters["W1"])
    np.testing.assert_array_equal(whole.predict(grey), whole.predict(grey[:, 0]))
    for x in (grey, grey[:, 0], grey.reshape(9, -1)):
        assert gn.gradcheck(GREY, x, np.ones((9, 1))).passed


def test_names_and_shapes_of_a_lenet():
    network = gn.Network(
        (1, 28, 28), gn.Conv2D(6, 5, "relu", padding="same"), gn.MaxPool2D(2), gn.Conv2D(16, 5, "relu"), gn.MaxPool2D(2),
        gn.Flatten(), gn.Dense(120, "relu"), gn.Dense(84, "relu"), gn.Dense(10, "softmax"),
    )  # fmt: skip
    shapes = {e.name: e.expression.shape for e in gn.derive(network).forward}
    assert shapes == {
        "Z1": ("m", 6, 28, 28), "A1": ("m", 6, 28, 28), "P1": ("m", 6, 14, 14),
        "Z2": ("m", 16, 10, 10), "A2": ("m", 16, 10, 10), "P2": ("m", 16, 5, 5), "F2": ("m", 400),
        "Z3": ("m", 120), "A3": ("m", 120), "Z4": ("m", 84), "A4": ("m", 84), "Z5": ("m", 10), "A5": ("m", 10),
    }  # fmt: skip
    start = network.initial_parameters()
    # 6 · 25 + 6 = 156, 16 · 6 · 25 + 16 = 2,416, 400 · 120 + 120 = 48,120, 120 · 84 + 84 = 10,164, 84 · 10 + 10 = 850
    assert sum(v.size for v in start.values()) == 156 + 2_416 + 48_120 + 10_164 + 850
    # He's deviation counts what one output is a sum of: 6 channels of 5 × 5
    assert start["W2"].std() == pytest.approx(np.sqrt(2 / 150), rel=0.05)


@pytest.mark.parametrize(
    ("settings", "size"),
    [
        ({"kernel_size": 3}, (6, 5)),  # 8 − 3 + 1, 7 − 3 + 1
        ({"kernel_size": (2, 5)}, (7, 3)),
        ({"kernel_size": 3, "stride": 2}, (3, 3)),  # ⌊(8 − 3) / 2⌋ + 1, ⌊(7 − 3) / 2⌋ + 1
        ({"kernel_size": 3, "stride": (3, 1)}, (2, 5)),
        ({"kernel_size": 3, "dilation": 2}, (4, 3)),  # spans 5
        ({"kernel_size": 3, "dilation": (3, 1)}, (2, 5)),
        ({"kernel_size": 4, "padding": "same"}, (8, 7)),
        ({"kernel_size": 4, "padding": "same", "stride": 3}, (3, 3)),  # ⌈8 / 3⌉, ⌈7 / 3⌉
        ({"kernel_size": 9, "padding": "same", "dilation": 2}, (8, 7)),
    ],
)
def test_sizes_of_maps(settings, size):
    network = gn.Network((2, 8, 7), gn.Conv2D(3, **settings), gn.Flatten(), gn.Dense(1))
    assert gn.derive(network)["Z1"].expression.shape == ("m", 3, *size)


def test_an_image_network_is_stored_and_read_back(tmp_path):
    network = gn.Network(
        (2, 9, 8), gn.Conv2D(3, (3, 2), "tanh", (2, 1), "same", (1, 2), "normal(0.1)", "ones"), gn.BatchNorm(),
        gn.Dropout(0.25, channels=True), gn.MaxPool2D((2, 3), 1), gn.Conv2D(2, 1, bias=False),
        gn.AveragePool2D(2, leftover="drop"), gn.GlobalAveragePool2D(), gn.Dense(2, "softmax"),
    )  # fmt: skip
    X, Y = inputs(6, 2, 9, 8), np.eye(2)[[0, 1] * 3]
    run = gn.train(network, X, Y, epochs=2, batch_size=3, progress=False)
    run.save(tmp_path / "run")
    loaded = gn.Run.load(tmp_path / "run")
    assert loaded.network == network == gn.Network.parse(str(network))
    np.testing.assert_array_equal(loaded.predict(X), run.predict(X))
    for name, value in run.at(3).parameters.items():
        np.testing.assert_array_equal(loaded.at(3).parameters[name], value)


def test_maps_laid_out_as_the_answer():
    network = gn.Network((1, 4, 4), gn.Conv2D(2, 3, padding="same"), gn.Flatten())
    assert network.output_units == 2 * 4 * 4  # not the two filters
    X, Y = inputs(6, 1, 4, 4), inputs(6, 32)
    runs = [gn.train(network, X, Y, epochs=3, engine=e, progress=False) for e in ("reference", "compiled")]
    np.testing.assert_allclose(runs[0].parameters["W1"], runs[1].parameters["W1"], rtol=1e-12)
    with pytest.raises(gn.DataError, match=r"for 6 rows of X and 32 outputs it needs \(6, 32\)"):
        gn.train(network, X, Y[:, :1], progress=False)


@pytest.mark.parametrize("text", ["2×5×5 → batch norm → conv 3x3 relu → flatten → 2", "3 → batch norm → 2"])
def test_batch_norm_of_the_inputs(text):
    network = gn.Network.parse(text)
    X, Y = inputs(12, *network.input_shape), inputs(12, 2)
    auto, reference = (gn.train(network, X, Y, epochs=2, engine=e, progress=False) for e in ("auto", "reference"))
    np.testing.assert_allclose(auto.parameters["gamma0"], reference.parameters["gamma0"], rtol=1e-12)


def test_a_softmax_after_the_global_average():
    network = gn.Network.parse("1×6×6 → conv 3x3 → global average → softmax")
    assert [e.name for e in gn.derive(network).forward] == ["Z1", "G1", "A1"]
    assert gn.gradcheck(network, inputs(5, 1, 6, 6), np.array([0, 1, 2, 1, 0])).passed
    with pytest.raises(gn.GlassnetError, match=r"Layer 1 has two activations \(A1 twice\)"):
        gn.Network.parse("1×6×6 → conv 3x3 relu → global average → softmax")


def test_a_blank_background_is_no_wrong_slope():
    X = np.zeros((8, 1, 10, 10))
    X[:, :, 4:7, 4:7] = inputs(8, 1, 3, 3)
    network = gn.Network.parse("1×10×10 → conv 3x3 relu without bias → pool 2 → flatten → 2 softmax")
    found = gn.gradcheck(network, X, np.arange(8) % 2)
    assert found.passed, str(found)
    assert next(row.checked for row in found.rows if row.name == "dW1") == 27  # of the weights none is left out


def test_the_place_of_a_bad_pixel():
    X = inputs(4, 2, 5, 5)
    X[3, 1, 2, 4] = np.nan
    network = gn.Network.parse("2×5×5 → conv 3x3 → flatten → 1")
    with pytest.raises(gn.DataError, match=r"NaN \(missing\) in image 3, channel 1, row 2, column 4 \(from 0\)"):
        gn.train(network, X, inputs(4, 1), progress=False)


def test_channels_that_stand_last_are_noticed():
    X, y = np.abs(inputs(12, 8, 8, 3)), np.arange(12) % 2
    with pytest.raises(gn.GlassnetError, match=r"channels seem to stand last; it needs \(m, channels, height, width\)"):
        gn.NetworkClassifier("conv 3x3 relu, flatten, 1 sigmoid").fit(X, y)
