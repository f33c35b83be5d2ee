"""Convolutions, pools and their adjoints: by hand, against loops, by identities, and their slopes by differences."""

from __future__ import annotations

import array_api_compat.numpy as xp
import by_loops
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import glassnet as gn
from glassnet.equations.differentiate import gradients
from glassnet.equations.expression import Add, Expression, Mean, Multiply, Sum, Symbol
from glassnet.equations.functions import tanh
from glassnet.equations.images import (
    AveragePool,
    Channels,
    Convolve,
    ConvolveBack,
    ConvolveKernel,
    Flatten,
    MaxPool,
    PoolAt,
    SpreadAverage,
    Unflatten,
    Unpool,
    Window,
    patches,
    under_windows,
)

DRAWN = settings(max_examples=150, deadline=None, derandomize=True, database=None)


@st.composite
def slidings(draw, padded=True):
    """(window, size of a map that it fits into)."""

    def pair(low, high):
        return draw(st.integers(low, high)), draw(st.integers(low, high))

    kernel, stride, dilation = pair(1, 4), pair(1, 3), pair(1, 3) if padded else (1, 1)
    padding = (pair(0, 2), pair(0, 2)) if padded else ((0, 0), (0, 0))
    reach = Window(kernel, dilation=dilation).reach
    size = tuple(max(1, r - sum(p)) + draw(st.integers(0, 4)) for r, p in zip(reach, padding, strict=True))
    return Window(kernel, stride, padding, dilation), size


def symbol(name, value):
    return Symbol(name, ("m", *value.shape[1:]) if name in ("X", "D", "E") else value.shape)


def value_of(node, **arrays):
    """The node's value; its stated shape is the one it has."""
    found = node.evaluate(arrays, xp)
    m = next((len(a) for n, a in arrays.items() if n in ("X", "D", "E")), None)
    assert tuple(m if d == "m" else d for d in node.shape) == found.shape
    return found


def close(mine, theirs):
    assert mine.shape == theirs.shape
    np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-12)


def inner(a, b):
    return float(np.sum(a * b))


# --- by hand --------------------------------------------------------------------------------------------------------

X = np.array([[[[1.0, 2, 3], [4, 5, 6], [7, 8, 10]]]])
W = np.array([[[[1.0, 2], [3, 5]]]])


def test_a_window_slides_and_nothing_is_flipped():
    #   1·1 + 2·2 + 4·3 + 5·5 = 42      2·1 + 3·2 + 5·3 + 6·5 = 53
    #   4·1 + 5·2 + 7·3 + 8·5 = 75      5·1 + 6·2 + 8·3 + 10·5 = 91
    node = Convolve(symbol("X", X), symbol("W", W), Window((2, 2)))
    assert value_of(node, X=X, W=W).tolist() == [[[[42, 53], [75, 91]]]]


def test_the_way_back_by_hand():
    # D = [[1, 10], [100, 1000]] lays the kernel down once at each place, times D:
    #   1·1         2·1 + 1·10                    2·10
    #   3·1 + 100   5·1 + 3·10 + 2·100 + 1000     5·10 + 2·1000
    #   3·100       5·100 + 3·1000                5·1000
    D = np.array([[[[1.0, 10], [100, 1000]]]])
    node = ConvolveBack(symbol("D", D), symbol("W", W), Window((2, 2)), (3, 3))
    assert value_of(node, D=D, W=W).tolist() == [[[[1, 12, 20], [103, 1235, 2050], [300, 3500, 5000]]]]
    # dW: each place of the window saw four entries of X:  1·1 + 2·10 + 4·100 + 5·1000 = 5421, ...
    node = ConvolveKernel(symbol("X", X), symbol("D", D), Window((2, 2)))
    assert value_of(node, X=X, D=D).tolist() == [[[[5421, 6532], [8754, 10865]]]]


def test_stride_padding_and_dilation_by_hand():
    # Corners of the 3 × 3 image, one apart in a window of 2 × 2:  1·1 + 3·2 + 7·3 + 10·5 = 78
    node = Convolve(symbol("X", X), symbol("W", W), Window((2, 2), dilation=(2, 2)))
    assert value_of(node, X=X, W=W).tolist() == [[[[78]]]]
    # A zero above and to the left, then every second place:
    #   0 0 0 1 → 1·5 = 5    0 0 2 3 → 2·3 + 3·5 = 21    0 4 0 7 → 4·2 + 7·5 = 43    5 6 8 10 → 5 + 12 + 24 + 50 = 91
    node = Convolve(symbol("X", X), symbol("W", W), Window((2, 2), (2, 2), ((1, 0), (1, 0))))
    assert value_of(node, X=X, W=W).tolist() == [[[[5, 21], [43, 91]]]]


def test_a_pool_gives_all_to_the_first_of_its_largest():
    A = np.array([[[[3.0, 3, 1, 0], [2, 3, 0, 0], [0, 0, 5, 6], [0, 0, 7, 7]]]])
    D = np.array([[[[1.0, 2], [3, 4]]]])
    a, d, window = symbol("X", A), symbol("D", D), Window((2, 2), (2, 2))
    assert value_of(MaxPool(a, window), X=A).tolist() == [[[[3, 1], [0, 7]]]]
    routed = value_of(Unpool(d, a, window), X=A, D=D)
    assert routed.tolist() == [[[[1, 0, 2, 0], [0, 0, 0, 0], [3, 0, 0, 0], [0, 0, 4, 0]]]]
    assert value_of(AveragePool(a, window), X=A).tolist() == [[[[11 / 4, 1 / 4], [0, 25 / 4]]]]
    spread = value_of(SpreadAverage(d, window, (4, 4)), D=D)
    assert spread.tolist() == np.kron(D, np.full((1, 1, 2, 2), 0.25)).tolist()


def test_maps_as_rows_channel_by_channel():
    A = np.arange(12.0).reshape(1, 2, 2, 3)
    assert value_of(Flatten(symbol("X", A)), X=A).tolist() == [list(range(12))]
    assert value_of(Unflatten(Flatten(symbol("X", A)), (2, 2, 3)), X=A).tolist() == A.tolist()
    mean = value_of(Mean(symbol("X", A), "channels"), X=A)
    assert mean.tolist() == [2.5, 8.5]  # 0 + 1 + ... + 5 = 15 = 6 · 2.5
    assert value_of(Sum(symbol("X", A), "channels"), X=A).tolist() == [15, 51]


# --- against loops, and identities ----------------------------------------------------------------------------------


@DRAWN
@given(slidings(), st.integers(1, 2), st.integers(1, 3), st.integers(1, 3), st.integers(0, 9))
def test_the_three_convolutions_are_what_the_loops_are(sliding, m, channels, filters, seed):
    window, size = sliding
    rng = np.random.default_rng(seed)
    X, W = rng.normal(size=(m, channels, *size)), rng.normal(size=(filters, channels, *window.kernel))
    high, wide = window.positions(size)
    assert (high, wide) == by_loops.positions(size, window)
    D = rng.normal(size=(m, filters, high, wide))
    x, w, d = symbol("X", X), symbol("W", W), symbol("D", D)
    Z = value_of(Convolve(x, w, window), X=X, W=W)
    dX = value_of(ConvolveBack(d, w, window, size), D=D, W=W)
    dW = value_of(ConvolveKernel(x, d, window), X=X, D=D)
    close(Z, by_loops.convolve(X, W, window))
    close(dX, by_loops.convolve_back(D, W, window, size))
    close(dW, by_loops.convolve_kernel(X, D, window))
    # ⟨conv(X), D⟩ = ⟨X, convᵀ(D)⟩ = ⟨W, D slid over X⟩, of which one is the other's slope
    assert inner(Z, D) == pytest.approx(inner(X, dX), rel=1e-11, abs=1e-11)
    assert inner(Z, D) == pytest.approx(inner(W, dW), rel=1e-11, abs=1e-11)


@DRAWN
@given(slidings(padded=False), st.integers(1, 2), st.integers(1, 2), st.booleans(), st.integers(0, 9))
def test_pools_are_what_the_loops_are(sliding, m, channels, ties, seed):
    window, size = sliding
    rng = np.random.default_rng(seed)
    X, E = (rng.normal(size=(m, channels, *size)) for _ in range(2))
    if ties:
        X = np.round(X)
    D = rng.normal(size=(m, channels, *window.positions(size)))
    x, d, e = symbol("X", X), symbol("D", D), symbol("E", E)
    routed, taken = value_of(Unpool(d, x, window), D=D, X=X), value_of(PoolAt(e, x, window), E=E, X=X)
    close(value_of(MaxPool(x, window), X=X), by_loops.max_pool(X, window))
    close(routed, by_loops.unpool(D, X, window))
    close(taken, by_loops.pool_at(E, X, window))
    averaged, spread = (
        value_of(AveragePool(x, window), X=X),
        value_of(SpreadAverage(d, window, size), D=D),
    )
    close(averaged, by_loops.average_pool(X, window))
    close(spread, by_loops.spread_average(D, window, size))
    assert inner(routed, E) == pytest.approx(inner(D, taken), rel=1e-11, abs=1e-11)
    assert inner(averaged, D) == pytest.approx(inner(X, spread), rel=1e-11, abs=1e-11)


def test_a_true_convolution_is_the_same_with_the_kernel_turned():
    from scipy.signal import convolve2d, correlate2d

    rng = np.random.default_rng(0)
    X, W = rng.normal(size=(1, 1, 9, 8)), rng.normal(size=(1, 1, 3, 4))
    node = Convolve(symbol("X", X), symbol("W", W), Window((3, 4)))
    close(value_of(node, X=X, W=W)[0, 0], correlate2d(X[0, 0], W[0, 0], "valid"))
    close(value_of(node, X=X, W=W[:, :, ::-1, ::-1])[0, 0], convolve2d(X[0, 0], W[0, 0], "valid"))
    D = rng.normal(size=(1, 1, 7, 5))
    back = ConvolveBack(symbol("D", D), symbol("W", W), Window((3, 4)), (9, 8))
    close(value_of(back, D=D, W=W)[0, 0], convolve2d(D[0, 0], W[0, 0], "full"))  # full, with the flipped kernel


def test_permuting_samples_permutes_the_maps_and_leaves_the_slope_of_the_kernel():
    rng = np.random.default_rng(0)
    X, W, window = (
        rng.normal(size=(5, 2, 6, 6)),
        rng.normal(size=(3, 2, 3, 3)),
        Window((3, 3), (2, 2), ((1, 0), (1, 0))),
    )
    order = rng.permutation(5)
    node = Convolve(symbol("X", X), symbol("W", W), window)
    Z = value_of(node, X=X, W=W)
    close(value_of(node, X=X[order], W=W), Z[order])
    slope = ConvolveKernel(symbol("X", X), symbol("D", Z), window)
    close(value_of(slope, X=X[order], D=Z[order]), value_of(slope, X=X, D=Z))


def test_shifting_the_image_shifts_the_map():
    rng = np.random.default_rng(0)
    X, W = rng.normal(size=(1, 1, 9, 9)), rng.normal(size=(1, 1, 3, 3))
    node = Convolve(symbol("X", X), symbol("W", W), Window((3, 3)))
    shifted = np.roll(X, (2, 1), axis=(2, 3))
    close(value_of(node, X=shifted, W=W)[:, :, 2:, 1:], value_of(node, X=X, W=W)[:, :, :-2, :-1])


# --- slopes: of every node by everything it is made of --------------------------------------------------------------


def slopes_by_rule(node: Expression, upstream: Symbol, arrays):
    """∂⟨node, upstream⟩ / ∂ every symbol, by `gradients`."""
    total: dict[str, Expression] = {}
    for at, passed, _ in gradients(node, upstream):
        total[at.name] = Add(total[at.name], passed) if at.name in total else passed
    return {name: passed.evaluate({**arrays, "m": float(len(arrays["G"]))}, xp) for name, passed in total.items()}


def slopes_by_differences(node, arrays, name, step=1e-6):
    def cost(value):
        return inner(node.evaluate({**arrays, name: value}, xp), arrays["G"])

    found = np.empty(arrays[name].shape)
    for place in np.ndindex(found.shape):
        ends = []
        for sign in (1, -1):
            moved = arrays[name].copy()
            moved[place] += sign * step
            ends.append(cost(moved))
        found[place] = (ends[0] - ends[1]) / (2 * step)
    return found


SIZE, KERNEL = (5, 4), (3, 2)
WINDOW = Window(KERNEL, (2, 1), ((1, 0), (0, 1)), (1, 2))
POOL = Window((2, 2), (1, 2))
SHAPES = {
    "X": (2, 2, *SIZE), "W": (3, 2, *KERNEL), "D": (2, 3, *WINDOW.positions(SIZE)), "E": (2, 2, *SIZE),
    "P": (2, 2, *POOL.positions(SIZE)), "c": (2,), "R": (2, 40),
}  # fmt: skip
S = {name: Symbol(name, ("m", *shape[1:]) if name in "XDEPR" else shape) for name, shape in SHAPES.items()}
NODES = {
    "convolve": Convolve(S["X"], S["W"], WINDOW),
    "convolve back": ConvolveBack(S["D"], S["W"], WINDOW, SIZE),
    "convolve kernel": ConvolveKernel(S["X"], S["D"], WINDOW),
    "max pool": MaxPool(S["X"], POOL),
    "unpool": Unpool(S["P"], S["X"], POOL),
    "pool at": PoolAt(S["E"], S["X"], POOL),
    "average pool": AveragePool(S["X"], POOL),
    "spread average": SpreadAverage(S["P"], POOL, SIZE),
    "flatten": Flatten(S["X"]),
    "unflatten": Unflatten(S["R"], (2, 5, 4)),
    "channels": Multiply(S["X"], Channels(S["c"])),
    "sum of channels": Sum(Multiply(S["X"], S["E"]), "channels"),
    "mean of channels": Mean(Multiply(S["X"], S["E"]), "channels"),
    "a function under a convolution": Convolve(tanh(S["X"]), S["W"], WINDOW),
    "a product under a pool": AveragePool(Multiply(S["X"], Channels(S["c"])), POOL),
    "a pool of a convolution": MaxPool(Convolve(S["X"], S["W"], WINDOW), Window((2, 2))),
}


@pytest.mark.parametrize("name", NODES)
def test_every_node_has_its_slope(name):
    node, rng = NODES[name], np.random.default_rng(3)
    arrays = {n: rng.normal(size=shape) for n, shape in SHAPES.items()}
    shape = tuple(2 if d == "m" else d for d in node.shape)
    arrays["G"] = rng.normal(size=shape)
    found = slopes_by_rule(node, Symbol("G", node.shape), arrays)
    used = {s.name for s in symbols_of(node)}
    if name in ("unpool", "pool at"):  # where the winner lies has no slope
        used.remove("X")
    assert set(found) == used
    for at, slope in found.items():
        expected = slopes_by_differences(node, arrays, at)
        np.testing.assert_allclose(np.broadcast_to(slope, expected.shape), expected, rtol=1e-6, atol=1e-7, err_msg=at)


def symbols_of(node):
    """Every symbol of a tree."""
    return [node] if isinstance(node, Symbol) else [s for child in node.children for s in symbols_of(child)]


def test_a_wrong_slope_is_noticed():
    node, rng = NODES["convolve"], np.random.default_rng(3)
    arrays = {n: rng.normal(size=shape) for n, shape in SHAPES.items()}
    arrays["G"] = arrays["D"]
    found = slopes_by_rule(node, Symbol("G", node.shape), arrays)
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(1.001 * found["W"], slopes_by_differences(node, arrays, "W"), rtol=1e-6, atol=1e-7)


# --- whole networks -------------------------------------------------------------------------------------------------

NETWORKS = {
    "one convolution": (gn.Conv2D(3, 3, "tanh"),),
    "stride": (gn.Conv2D(3, (3, 2), "sigmoid", stride=(2, 3)),),
    "same": (gn.Conv2D(2, (4, 3), "relu", padding="same"),),
    "same with a stride": (gn.Conv2D(2, 3, "gelu", stride=2, padding="same"),),
    "dilation": (gn.Conv2D(3, (2, 3), "elu", dilation=(3, 2)),),
    "all of it": (gn.Conv2D(3, 3, "softplus", stride=(1, 2), padding="same", dilation=2, bias=False),),
    "two": (gn.Conv2D(3, 3, "tanh"), gn.Conv2D(2, 2, "relu", padding="same"),),
    "pools": (gn.Conv2D(3, 3, "tanh"), gn.MaxPool2D((5, 2)), gn.Conv2D(4, 1, "tanh")),
    "pools that overlap": (gn.Conv2D(3, 3, "tanh"), gn.MaxPool2D(2, stride=1), gn.Conv2D(2, 2), gn.AveragePool2D(2, 1)),
    "pools that leave some out": (gn.Conv2D(3, 2, "tanh"), gn.AveragePool2D(4, leftover="drop")),
    "pool of the inputs": (gn.AveragePool2D((7, 2)), gn.Conv2D(3, (1, 2), "relu")),
    "batch norm": (gn.Conv2D(3, 3), gn.BatchNorm(), gn.Activation("relu"), gn.MaxPool2D((5, 2))),
    "batch norm of the inputs": (gn.BatchNorm(), gn.Conv2D(3, 3, "tanh"), gn.BatchNorm(epsilon=1e-3)),
    "dropout": (gn.Conv2D(3, 3, "tanh"), gn.Dropout(0.3), gn.Conv2D(2, 2, "tanh"), gn.Dropout(0.4, channels=True)),
    "zeros that tie, normalised": (gn.Conv2D(3, 3, "relu"), gn.BatchNorm(), gn.MaxPool2D((5, 2))),
    "zeros that tie, dropped": (gn.Conv2D(3, 3, "relu"), gn.Dropout(0.4, channels=True), gn.MaxPool2D((5, 2))),
    "dropped inputs": (gn.Dropout(0.4, channels=True), gn.Conv2D(3, 3, "tanh")),
}  # fmt: skip


@pytest.mark.parametrize("head", ["flatten", "global average"])
@pytest.mark.parametrize("name", NETWORKS)
def test_slopes_of_image_networks(name, head):
    rng = np.random.default_rng(1)
    images, Y = rng.normal(size=(6, 2, 7, 6)), np.eye(3)[rng.integers(0, 3, 6)]
    last = gn.Flatten() if head == "flatten" else gn.GlobalAveragePool2D()
    network = gn.Network((2, 7, 6), *NETWORKS[name], last, gn.Dense(3, "softmax"))
    check = gn.gradcheck(network, images, Y, l2=0.01, sample_weight=rng.random(6) + 0.2)
    assert check.max_relative_error < 1e-6, str(check)
    assert {f"d{p.name}" for p in gn.derive(network).parameters} <= {row.name for row in check.rows}


@pytest.mark.parametrize("loss", ["mean_squared_error", "huber", "hinge"])
def test_a_network_without_dense_layers(loss):
    rng = np.random.default_rng(1)
    network = gn.Network((1, 5, 5), gn.Conv2D(4, 3, "tanh"), gn.Conv2D(2, 2), gn.GlobalAveragePool2D())
    Y = np.sign(rng.normal(size=(4, 2)))
    assert gn.gradcheck(network, rng.normal(size=(4, 1, 5, 5)), Y, loss).passed


@given(slidings(), st.integers(1, 3))
@DRAWN
def test_what_lies_under_all_windows_is_what_patches_lays_out(sliding, channels):
    window, size = sliding
    image, kernel = np.zeros((2, channels, *size)), np.zeros((4, channels, *window.kernel))
    laid_out = patches(image, window, xp)
    node = Convolve(symbol("X", image), symbol("W", kernel), window)
    assert under_windows(node) == laid_out[0].size
    assert under_windows(tanh(node)) == under_windows(MaxPool(symbol("X", image), window)) == laid_out[0].size
    assert under_windows(symbol("X", image)) == 0
