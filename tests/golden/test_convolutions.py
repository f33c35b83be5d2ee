"""Convolution against the tutorial's function in R (10): exactly, by every way there is."""

import gzip

import array_api_compat.numpy as xp
import numpy as np
import pytest
from golden_files import data_file, golden

import glassnet as gn
from glassnet.equations.expression import Symbol
from glassnet.equations.images import Convolve, Window

NAMES = ["10_conv_8x8", "10_conv_mnist_0"]


def image_of(case):
    """The file's own picture, or the first of MNIST's test images."""
    if "image" in case:
        return np.array(case["image"])
    with gzip.open(data_file("t10k-images-idx3-ubyte.gz")) as opened:
        return np.frombuffer(opened.read(16 + 784), np.uint8, offset=16).reshape(28, 28).astype(int)


def by_node(image, kernel):
    """One channel, one filter, through the line of the page."""
    X, W = image[None, None].astype(float), kernel[None, None].astype(float)
    node = Convolve(Symbol("X", ("m", *X.shape[1:])), Symbol("W", W.shape), Window(kernel.shape))
    return node.evaluate({"X": X, "W": W}, xp)[0, 0]


@pytest.mark.parametrize("name", NAMES)
def test_cross_correlation_and_true_convolution(name):
    case = golden(name)
    image = image_of(case)
    for known, there in case["kernels"].items():
        kernel = np.array(there["kernel"])
        for slid in (by_node, gn.convolve):
            np.testing.assert_array_equal(slid(image, kernel), there["cross_correlation"], err_msg=known)
            np.testing.assert_array_equal(slid(image, kernel[::-1, ::-1]), there["true_convolution"], err_msg=known)
        np.testing.assert_array_equal(gn.convolve(image, kernel, flip=True), there["true_convolution"])
        if known in ("emboss", "sharpen"):
            np.testing.assert_array_equal(gn.convolve(image, known), there["cross_correlation"])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_a_layer_with_the_files_kernels_answers_as_the_file(name, engine):
    case = golden(name)
    image = image_of(case).astype(float)
    for known, there in case["kernels"].items():
        kernel = np.array(there["kernel"], float)
        expected = np.array(there["cross_correlation"], float)
        network = gn.Network((1, *image.shape), gn.Conv2D(1, kernel.shape, bias=False), gn.Flatten(), gn.Dense(1))
        start = {"W1": kernel[None, None], "W2": np.zeros((expected.size, 1)), "b2": np.zeros(1)}
        run = gn.train(
            network,
            image[None, None],
            np.ones((1, 1)),
            epochs=1,
            initial_parameters=start,
            engine=engine,
            progress=False,
        )
        step = run.trace(0)
        np.testing.assert_array_equal(step["Z1"][0, 0], expected, err_msg=known)
        np.testing.assert_array_equal(step["F1"][0], expected.ravel(), err_msg=known)
        # dZ2 = A2 − Y = 0 − 1, so that dW2 = −F1: the map itself, row by row
        np.testing.assert_array_equal(step["dW2"][:, 0], -expected.ravel(), err_msg=known)
