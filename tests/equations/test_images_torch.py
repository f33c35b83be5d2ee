"""Image networks against torch: forward values and every gradient to 1e-10, over shapes, strides, paddings and dilations."""

from __future__ import annotations

from itertools import pairwise

import array_api_compat.numpy as xp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import glassnet as gn
from glassnet.equations.expression import Symbol
from glassnet.equations.images import (
    AveragePool,
    Convolve,
    ConvolveBack,
    ConvolveKernel,
    MaxPool,
    SpreadAverage,
    Unpool,
    Window,
)

pytestmark = pytest.mark.extras
torch = pytest.importorskip("torch", reason="the torch oracle needs torch: pip install glassnet[extras-test]")
F = torch.nn.functional

DRAWN = settings(max_examples=100, deadline=None, derandomize=True, database=None)
ACTIVATIONS = {
    "linear": lambda z: z * 1.0, "relu": F.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "gelu": F.gelu,
    "softmax": lambda z: torch.softmax(z, dim=1),
}  # fmt: skip


def tensor(array):
    return torch.tensor(np.asarray(array), dtype=torch.float64)


def close(mine, theirs, name=""):
    theirs = np.asarray(theirs.detach() if hasattr(theirs, "detach") else theirs)
    assert np.shape(mine) == theirs.shape, name
    np.testing.assert_allclose(mine, theirs, rtol=1e-10, atol=1e-12, err_msg=name)


def value_of(node, **arrays):
    return node.evaluate(arrays, xp)


# --- one operation --------------------------------------------------------------------------------------------------


@st.composite
def convolutions(draw):
    """(X, W, window), with any padding that torch can be given by hand."""

    def pair(low, high):
        return draw(st.integers(low, high)), draw(st.integers(low, high))

    window = Window(pair(1, 5), pair(1, 4), (pair(0, 3), pair(0, 3)), pair(1, 3))
    size = tuple(
        max(1, r - sum(p)) + draw(st.integers(0, 6)) for r, p in zip(window.reach, window.padding, strict=True)
    )
    channels, filters, m = draw(st.integers(1, 4)), draw(st.integers(1, 5)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    return rng.normal(size=(m, channels, *size)), rng.normal(size=(filters, channels, *window.kernel)), window


@DRAWN
@given(convolutions())
def test_convolution_and_its_slopes(drawn):
    X, W, window = drawn
    size = X.shape[2:]
    x, w = tensor(X).requires_grad_(), tensor(W).requires_grad_()
    (above, below), (left, right) = window.padding
    padded = F.pad(x, (left, right, above, below))
    z = F.conv2d(padded, w, stride=window.stride, dilation=window.dilation)
    D = np.random.default_rng(1).normal(size=z.shape)
    z.backward(tensor(D))
    image, kernel = Symbol("X", ("m", *X.shape[1:])), Symbol("W", W.shape)
    slope = Symbol("D", ("m", *D.shape[1:]))
    close(value_of(Convolve(image, kernel, window), X=X, W=W), z)
    close(value_of(ConvolveBack(slope, kernel, window, size), D=D, W=W), x.grad)
    close(value_of(ConvolveKernel(image, slope, window), X=X, D=D), w.grad)


@DRAWN
@given(convolutions(), st.booleans())
def test_pools_and_their_slopes(drawn, ties):
    X, _, window = drawn
    X = np.pad(X, ((0, 0), (0, 0), *window.padding))
    if ties:
        X = np.round(X)  # torch, too, takes the first of equals
    window = Window(window.kernel, window.stride)
    x = tensor(X).requires_grad_()
    image = Symbol("X", ("m", *X.shape[1:]))
    largest, mean = F.max_pool2d(x, window.kernel, window.stride), F.avg_pool2d(x, window.kernel, window.stride)
    D = np.random.default_rng(1).normal(size=largest.shape)
    slope = Symbol("D", ("m", *D.shape[1:]))
    close(value_of(MaxPool(image, window), X=X), largest)
    close(value_of(AveragePool(image, window), X=X), mean)
    largest.backward(tensor(D))
    close(value_of(Unpool(slope, image, window), D=D, X=X), x.grad)
    x.grad = None
    mean.backward(tensor(D))
    close(value_of(SpreadAverage(slope, window, X.shape[2:]), D=D), x.grad)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("kernel", [1, 2, 3, (4, 3), 5])
@pytest.mark.parametrize("dilation", [1, 2, (1, 3)])
def test_same_is_torchs_same(kernel, dilation):
    rng = np.random.default_rng(0)
    network = gn.Network((2, 7, 8), gn.Conv2D(3, kernel, padding="same", dilation=dilation), gn.Flatten(), gn.Dense(1))
    start = {n: rng.normal(size=v.shape) for n, v in network.initial_parameters(0).items()}
    X, Y = rng.normal(size=(4, 2, 7, 8)), rng.normal(size=(4, 1))
    run = gn.train(network, X, Y, epochs=1, initial_parameters=start, progress=False, shuffle=False)
    theirs = F.conv2d(tensor(X), tensor(start["W1"]), tensor(start["b1"]), padding="same", dilation=dilation)
    close(run.intermediates(0)["Z1"], theirs)


# --- whole networks -------------------------------------------------------------------------------------------------


def torch_network(network, parameters, X, Y, loss, masks):
    """The same network by torch's functions: its cost, and every station by glassnet's names."""
    stations, value, number = {}, X, 0

    def keep(name, computed):
        computed.retain_grad()
        stations[name] = computed
        return computed

    def activated(kind):
        return keep(f"A{number}", ACTIVATIONS[kind](value))

    layers, scores = list(network.layers), None
    for layer, following in pairwise([*layers, None]):
        if isinstance(layer, gn.Conv2D | gn.Dense):
            number += 1
            W, b = parameters[f"W{number}"], parameters.get(f"b{number}")
            if isinstance(layer, gn.Dense):
                value = F.linear(value, W.T, b)
            else:
                stride, dilation = layer.stride, layer.dilation
                if layer.padding == "same":
                    value = padded_to_same(value, layer)
                value = F.conv2d(value, W, b, stride=stride, dilation=dilation)
            value = scores = keep(f"Z{number}", value)
            if not (isinstance(following, gn.BatchNorm) and layer.activation == "linear"):
                value = activated(layer.activation)
        elif isinstance(layer, gn.Activation):
            value = activated(layer.activation)
        elif isinstance(layer, gn.BatchNorm):
            names = (f"gamma{number}", f"beta{number}")
            value = F.batch_norm(
                value, None, None, *(parameters[n] for n in names), training=True, eps=layer.epsilon
            )  # fmt: skip
            value = keep(f"B{number}", value)
        elif isinstance(layer, gn.Dropout):
            mask = masks[f"M{number}"]
            mask = mask.reshape(*mask.shape[:2], 1, 1) if layer.channels else mask
            value = keep(f"D{number}", value * mask / (1 - layer.rate))
        elif isinstance(layer, gn.MaxPool2D):
            value = keep(f"P{number}", F.max_pool2d(value, layer.size, layer.stride))
        elif isinstance(layer, gn.AveragePool2D):
            value = keep(f"P{number}", F.avg_pool2d(value, layer.size, layer.stride))
        elif isinstance(layer, gn.GlobalAveragePool2D):
            value = keep(f"G{number}", value.mean(dim=(2, 3)))
        else:
            value = keep(f"F{number}", value.flatten(1))
    if loss == "categorical_cross_entropy":
        return F.cross_entropy(scores, Y), stations
    if loss == "binary_cross_entropy":
        return F.binary_cross_entropy_with_logits(scores, Y, reduction="none").sum(dim=1).mean(), stations
    return 0.5 * F.mse_loss(value, Y, reduction="none").sum(dim=1).mean(), stations


def padded_to_same(value, layer):
    """Zeros by hand, as TensorFlow counts them: ⌈size / stride⌉ places, the odd zero below and to the right."""
    sides = []
    for axis in (1, 0):  # torch wants the last axis first
        kernel, stride, dilation = (
            v if isinstance(v, int) else v[axis] for v in (layer.kernel_size, layer.stride, layer.dilation)
        )
        size = value.shape[2 + axis]
        total = max((-(-size // stride) - 1) * stride + dilation * (kernel - 1) + 1 - size, 0)
        sides += [total // 2, total - total // 2]
    return F.pad(value, sides)


def agree(network, X, Y, loss="categorical_cross_entropy", still=None):
    """Every value and every gradient of one step, stations and parameters alike; returns the run.

    `still`, when given, names the only ones whose gradient is zero: biases that batch normalisation takes away again.
    """
    rng = np.random.default_rng(4)
    start = {n: v + 0.1 * rng.normal(size=v.shape) for n, v in network.initial_parameters(1).items()}
    run = gn.train(
        network,
        X,
        Y,
        loss=loss,
        optimizer=gn.SGD(0.01),
        epochs=1,
        initial_parameters=start,
        progress=False,
        shuffle=False,
    )
    mine = run.intermediates(0)
    leaves = {name: tensor(value).requires_grad_() for name, value in start.items()}
    masks = {n: tensor(v) for n, v in mine.items() if n[0] == "M" and n[1:].isdigit()}
    cost, stations = torch_network(network, leaves, tensor(X), tensor(Y), loss, masks)
    cost.backward()
    np.testing.assert_allclose(float(mine["J"]), float(cost.detach()), rtol=1e-12)
    for name, theirs in (stations | leaves).items():
        close(mine[name], theirs, name)
        if f"d{name}" in mine:
            close(mine[f"d{name}"], theirs.grad, f"d{name}")
            if still is not None:
                largest = np.abs(mine[f"d{name}"]).max()
                assert largest < 1e-14 if name in still else largest > 1e-9, name
    assert all(f"d{name}" in mine for name in leaves)
    without = [name for name in stations if f"d{name}" not in mine]  # a softmax or sigmoid under its own loss
    assert without in ([], [list(stations)[-1]]), without
    return run


def compare(network, loss="categorical_cross_entropy", m=5, still=()):
    """`agree` on random images and targets that the loss takes."""
    rng, units = np.random.default_rng(0), network.output_units
    Y = {
        "categorical_cross_entropy": lambda: rng.dirichlet(np.ones(units), m),
        "binary_cross_entropy": lambda: rng.random((m, units)),
        "mean_squared_error": lambda: rng.normal(size=(m, units)),
    }[loss]()
    return agree(network, rng.normal(size=(m, *network.input_shape)), Y, loss, still)


LENET = (
    gn.Conv2D(3, 5, "relu", padding="same"), gn.MaxPool2D(2), gn.Conv2D(5, 3, "relu"), gn.MaxPool2D(2), gn.Flatten(),
    gn.Dense(12, "relu"), gn.Dense(8, "relu"), gn.Dense(4, "softmax"),
)  # fmt: skip


def test_a_small_lenet():
    compare(gn.Network((1, 12, 12), *LENET))


@pytest.mark.parametrize(
    ("loss", "head"),
    [("categorical_cross_entropy", "softmax"), ("binary_cross_entropy", "sigmoid"), ("mean_squared_error", "linear")],
)
def test_every_kind_of_head(loss, head):
    body = (gn.Conv2D(4, 3, "tanh"), gn.AveragePool2D(2), gn.Conv2D(3, 2, "gelu", bias=False))
    compare(gn.Network((2, 10, 8), *body, gn.Flatten(), gn.Dense(3, head)), loss)
    compare(gn.Network((2, 10, 8), *body, gn.GlobalAveragePool2D(), gn.Dense(3, head)), loss)


def test_batch_norm_over_channels_before_and_after_the_activation():
    before = (gn.Conv2D(4, 3), gn.BatchNorm(), gn.Activation("relu"), gn.MaxPool2D(2))
    after = (gn.Conv2D(3, 3, "tanh", padding="same"), gn.BatchNorm(epsilon=1e-3))
    compare(gn.Network((2, 10, 8), *before, *after, gn.GlobalAveragePool2D(), gn.Dense(3, "softmax")), still=("b1",))


def test_dropout_of_entries_and_of_whole_maps():
    body = (gn.Conv2D(6, 3, "tanh"), gn.Dropout(0.4, channels=True), gn.Conv2D(4, 3, "tanh"), gn.Dropout(0.3))
    run = compare(gn.Network((2, 9, 9), *body, gn.Flatten(), gn.Dense(3, "softmax")), m=20)
    step = run.intermediates(0)
    kept = (step["D1"] != 0).mean(axis=(2, 3))
    assert set(np.unique(kept)) == {0.0, 1.0}  # whole maps
    assert abs(kept.mean() - 0.6) < 0.14  # 120 draws: three standard errors
    assert abs(step["M2"].mean() - 0.7) < 0.03  # 2,000 draws


@st.composite
def networks(draw):
    """Networks of one to three convolutions, with pools, batch normalisation and dropout between them."""
    size, layers, channels = [draw(st.integers(6, 12)), draw(st.integers(6, 12))], [], draw(st.integers(1, 3))
    first = (channels, *size)

    def pair(low, high):
        both = (draw(st.integers(low, high)), draw(st.integers(low, high)))
        return both[0] if draw(st.booleans()) else both

    def each(value):
        return (value, value) if isinstance(value, int) else value

    for _ in range(draw(st.integers(1, 3))):
        kernel, stride, dilation = pair(1, 3), pair(1, 2), pair(1, 2)
        same = draw(st.booleans())
        reach = [d * (k - 1) + 1 for k, d in zip(each(kernel), each(dilation), strict=True)]
        if not same and any(r > n for r, n in zip(reach, size, strict=True)):
            break
        own = draw(st.sampled_from(["relu", "tanh", "sigmoid", "linear"]))
        kind = draw(st.integers(0, 4))
        shared = {"stride": stride, "dilation": dilation, "padding": "same" if same else "valid"}
        filters = draw(st.integers(1, 4))
        if kind == 0 and not any(isinstance(layer, gn.BatchNorm) for layer in layers):
            layers += [gn.Conv2D(filters, kernel, bias=False, **shared), gn.BatchNorm(), gn.Activation(own)]
        else:
            layers += [gn.Conv2D(filters, kernel, own, **shared)]
            layers += [gn.Dropout(0.3, channels=draw(st.booleans()))] if kind == 1 else []
        size = [-(-n // s) if same else (n - r) // s + 1 for n, s, r in zip(size, each(stride), reach, strict=True)]
        if kind in (2, 3) and min(size) >= 2:
            pool = gn.MaxPool2D if kind == 2 else gn.AveragePool2D
            window = pair(1, 2)
            layers += [pool(window, leftover="drop")]
            size = [n // w for n, w in zip(size, each(window), strict=True)]
    layers += [gn.Flatten() if draw(st.booleans()) else gn.GlobalAveragePool2D(), gn.Dense(3, "softmax")]
    return first, layers


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(networks(), st.integers(0, 99))
def test_any_network(drawn, seed):
    first, layers = drawn
    if not any(isinstance(layer, gn.Conv2D) for layer in layers):
        return
    rng = np.random.default_rng(seed)
    agree(gn.Network(first, *layers), rng.normal(size=(7, *first)), rng.dirichlet(np.ones(3), 7))


def test_batch_norm_predicts_and_keeps_running_statistics_as_torch_does():
    # torch's running variance is the unbiased one: n / (n − 1) times the batch's, of n samples and places.
    rng = np.random.default_rng(8)
    X, Y = rng.normal(2.0, 3.0, (12, 2, 6, 5)), rng.normal(size=(12, 2))
    network = gn.Network(
        (2, 6, 5), gn.Conv2D(3, 3), gn.BatchNorm(momentum=0.3), gn.Activation("tanh"), gn.Flatten(), gn.Dense(2)
    )
    start = {n: v + 0.1 * rng.normal(size=v.shape) for n, v in network.initial_parameters(1).items()}
    run = gn.train(network, X, Y, optimizer=gn.SGD(0.05), epochs=1, initial_parameters=start, progress=False)
    Z = F.conv2d(tensor(X), tensor(start["W1"]), tensor(start["b1"]))
    mean, var = torch.zeros(3, dtype=torch.float64), torch.ones(3, dtype=torch.float64)
    F.batch_norm(Z, mean, var, training=True, momentum=0.3)
    after, n = run.parameters, 12 * 4 * 3
    np.testing.assert_allclose(after["running_mean1"], mean.numpy(), rtol=1e-12)
    np.testing.assert_allclose(after["running_var1"] - 0.7, (var.numpy() - 0.7) * (n - 1) / n, rtol=1e-12)
    now = {name: tensor(value) for name, value in after.items()}
    fresh = tensor(rng.normal(size=(5, 2, 6, 5)))
    hidden = F.batch_norm(
        F.conv2d(fresh, now["W1"], now["b1"]), now["running_mean1"], now["running_var1"], now["gamma1"], now["beta1"]
    )
    expected = torch.tanh(hidden).flatten(1) @ now["W2"] + now["b2"]
    np.testing.assert_allclose(run.predict(fresh.numpy()), expected.numpy(), rtol=1e-11)


@pytest.mark.parametrize("optimizer", [gn.SGD(0.1, momentum=0.9), gn.Adam(0.02)], ids=["momentum", "adam"])
def test_a_training_is_torchs_training(optimizer):
    rng = np.random.default_rng(2)
    network = gn.Network((1, 12, 12), *LENET)
    X, labels = rng.normal(size=(24, 1, 12, 12)), rng.integers(0, 4, 24)
    start = network.initial_parameters(3)
    run = gn.train(
        network, X, np.eye(4)[labels], optimizer=optimizer, epochs=5, batch_size=8, shuffle=False, progress=False,
        initial_parameters=start,
    )  # fmt: skip
    leaves = {name: tensor(value).requires_grad_() for name, value in start.items()}
    if isinstance(optimizer, gn.Adam):
        theirs = torch.optim.Adam(list(leaves.values()), lr=0.02)
    else:
        theirs = torch.optim.SGD(list(leaves.values()), lr=0.1, momentum=0.9)
    for _ in range(5):
        for rows in np.arange(24).reshape(3, 8):
            theirs.zero_grad()
            cost, _ = torch_network(
                network, leaves, tensor(X[rows]), tensor(np.eye(4)[labels[rows]]), "categorical_cross_entropy", {}
            )
            cost.backward()
            theirs.step()
    for name, value in leaves.items():
        np.testing.assert_allclose(run.parameters[name], value.detach().numpy(), rtol=1e-9, atol=1e-11, err_msg=name)
