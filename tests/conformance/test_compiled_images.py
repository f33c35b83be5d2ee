"""Networks of images on the compiled engine: what the reference engine computes, replayed, killed and resumed too."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twins import agree, assert_agree, heard, same, targets

import glassnet as gn
from glassnet.engines.compiled.engine import CompiledEngine
from glassnet.engines.compiled.rewrites import LIST_REWRITES, STEP_REWRITES

BOTH = pytest.mark.parametrize("dtype", ["float64", "float32"])
ROWS = 23
"""No multiple of the batches below: the last batch of an epoch is a ragged one."""


def images(*shape, rows=ROWS, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, *shape))


def classes(units=3, rows=ROWS):
    return targets("categorical_cross_entropy", units, rows)


def both_heads(shape, *body, units=3):
    yield gn.Network(shape, *body, gn.Flatten(), gn.Dense(units, "softmax"))
    yield gn.Network(shape, *body, gn.GlobalAveragePool2D(), gn.Dense(units, "softmax"))


WINDOWS = {
    "valid": {"kernel_size": 3},
    "one place": {"kernel_size": 1},
    "the whole image": {"kernel_size": (9, 8)},
    "wide": {"kernel_size": (2, 5)},
    "five": {"kernel_size": 5},
    "same": {"kernel_size": 3, "padding": "same"},
    "same, even": {"kernel_size": (4, 2), "padding": "same"},
    "same, larger than the image": {"kernel_size": 11, "padding": "same"},
    "stride": {"kernel_size": 3, "stride": 2},
    "stride of its own for each axis": {"kernel_size": (3, 2), "stride": (3, 1)},
    "stride past the kernel": {"kernel_size": 2, "stride": 3},
    "same with a stride": {"kernel_size": 3, "stride": (2, 3), "padding": "same"},
    "dilation": {"kernel_size": 3, "dilation": (2, 3)},
    "all of it": {"kernel_size": (3, 2), "stride": 2, "padding": "same", "dilation": 2},
}


@BOTH
@pytest.mark.parametrize("name", WINDOWS)
def test_every_kind_of_window(name, dtype):
    for channels, filters in ((1, 3), (3, 2)):
        for net in both_heads((channels, 9, 8), gn.Conv2D(filters, activation="tanh", **WINDOWS[name])):
            agree(net, images(channels, 9, 8), classes(), optimizer=gn.SGD(0.1), epochs=3, batch_size=7, dtype=dtype)


@BOTH
@pytest.mark.parametrize("name", WINDOWS)
def test_every_kind_of_window_behind_another_convolution(name, dtype):
    second = gn.Conv2D(3, activation="relu", **WINDOWS[name])
    for net in both_heads((2, 9, 8), gn.Conv2D(4, 3, "tanh", padding="same"), second):
        agree(net, images(2, 9, 8), classes(), optimizer=gn.SGD(0.1), epochs=3, batch_size=7, dtype=dtype)


BODIES = {
    "max pool": (gn.Conv2D(3, 3, "relu", padding="same"), gn.MaxPool2D(2)),
    "max pool of its own for each axis": (gn.Conv2D(3, 3, "relu"), gn.MaxPool2D((3, 2), (1, 2))),
    "max pool that overlaps": (gn.Conv2D(3, 3, "relu"), gn.MaxPool2D(2, stride=1)),
    "max pool that leaves some out": (gn.Conv2D(3, 2, "relu"), gn.MaxPool2D(3, leftover="drop")),
    "average pool": (gn.Conv2D(3, 3, "relu", padding="same"), gn.AveragePool2D(2)),
    "average pool that overlaps": (gn.Conv2D(3, 3, "tanh"), gn.AveragePool2D((2, 3), stride=1)),
    "average pool that leaves some out": (gn.Conv2D(3, 2, "tanh"), gn.AveragePool2D(2, 3, leftover="drop")),
    "pool of the inputs": (gn.MaxPool2D(2), gn.Conv2D(3, 3, "tanh")),
    "average of the inputs": (gn.AveragePool2D(2), gn.Conv2D(3, 3, "tanh")),
    "batch norm": (gn.Conv2D(3, 3, "relu", padding="same"), gn.BatchNorm(), gn.MaxPool2D(2)),
    "batch norm before the activation": (gn.Conv2D(3, 3, bias=False), gn.BatchNorm(0.3), gn.Activation("relu")),
    "batch norm of the inputs": (gn.BatchNorm(), gn.Conv2D(3, 3, "tanh")),
    "dropout": (gn.Conv2D(3, 3, "tanh"), gn.Dropout(0.3)),
    "dropout of maps": (gn.Conv2D(5, 3, "tanh"), gn.Dropout(0.3, channels=True), gn.Conv2D(2, 2, "relu")),
    "dropout of channels of the inputs": (gn.Dropout(0.2, channels=True), gn.Conv2D(3, 3, "tanh")),
    "dropout of nothing": (gn.Conv2D(3, 3, "tanh"), gn.Dropout(0.0, channels=True)),
    "dropout before a pool": (gn.Conv2D(3, 3, "relu", padding="same"), gn.Dropout(0.4, channels=True), gn.MaxPool2D(2)),
    "no bias": (gn.Conv2D(3, 3, "tanh", bias=False), gn.Conv2D(2, 3, "elu", bias=False)),
    "some bias": (gn.Conv2D(3, 3, "gelu", bias_init="ones"), gn.Conv2D(2, 3, bias=False)),
    "two pools": (
        gn.Conv2D(4, 3, "relu", padding="same"), gn.MaxPool2D(2), gn.Conv2D(5, 3, "relu", padding="same"), gn.MaxPool2D(2),
    ),
    "three convolutions": (gn.Conv2D(4, 3, "softplus"), gn.Conv2D(3, 2, "sigmoid"), gn.Conv2D(2, (1, 3), "leaky_relu")),
    "everything": (
        gn.Conv2D(4, 3), gn.BatchNorm(), gn.Activation("relu"), gn.MaxPool2D(2), gn.Dropout(0.2, channels=True),
        gn.Conv2D(3, 2, "tanh", padding="same"), gn.AveragePool2D((1, 3), 1), gn.Dropout(0.1),
    ),
}  # fmt: skip


@BOTH
@pytest.mark.parametrize("name", BODIES)
def test_every_layer(name, dtype):
    for net in both_heads((2, 8, 8), *BODIES[name]):
        for size in (None, 8):
            agree(
                net, images(2, 8, 8), classes(), optimizer=gn.SGD(0.05, momentum=0.5), epochs=4, batch_size=size, dtype=dtype,
                validation=0.2, seed=5,
            )  # fmt: skip


LENET = gn.Network(
    (1, 12, 12), gn.Conv2D(4, 5, "relu", padding="same"), gn.MaxPool2D(2), gn.Conv2D(6, 3, "relu"), gn.MaxPool2D(2),
    gn.Flatten(), gn.Dense(12, "relu"), gn.Dense(8, "relu"), gn.Dense(4, "softmax"),
)  # fmt: skip
OPTIMIZERS = [
    gn.SGD(0.05), gn.SGD(0.02, momentum=0.9), gn.SGD(0.02, momentum=0.5, nesterov=True), gn.SGD(gn.StepDecay(0.1, every=1)),
    gn.Adagrad(0.01, epsilon=1e-3), gn.RMSprop(0.002, epsilon=1e-3), gn.Adam(0.002, epsilon=1e-3),
    gn.AdamW(gn.CosineDecay(0.01, epochs=3), epsilon=1e-3),
]  # fmt: skip


@BOTH
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_every_optimizer(optimizer, threads, dtype):
    agree(
        LENET, images(1, 12, 12), classes(4), optimizer=optimizer, epochs=3, batch_size=9, threads=threads, l2=0.01,
        l1=0.001, dtype=dtype, sample_weight=np.arange(ROWS) % 4 + 0.5,
    )  # fmt: skip


@pytest.mark.parametrize("loss", ["mean_squared_error", "binary_cross_entropy", "huber", "hinge"])
def test_other_losses(loss):
    head = "sigmoid" if loss == "binary_cross_entropy" else "linear"
    net = gn.Network((2, 8, 7), gn.Conv2D(3, 3, "tanh"), gn.MaxPool2D((2, 5)), gn.Flatten(), gn.Dense(2, head))
    agree(net, images(2, 8, 7), targets(loss, 2, ROWS), loss=loss, epochs=5, batch_size=7)


def test_a_network_without_a_dense_layer():
    net = gn.Network(
        (2, 8, 7), gn.Conv2D(4, 3, "relu"), gn.Conv2D(3, 1), gn.GlobalAveragePool2D(), gn.Activation("softmax")
    )
    agree(net, images(2, 8, 7), classes(), epochs=5, batch_size=7)


@BOTH
@pytest.mark.parametrize("batch", [1, 2, 64, 200, None])
def test_sizes_of_batches_and_threads(batch, dtype):
    """Rows enough that two threads share a batch, and a last batch that is shorter."""
    X, Y = images(1, 12, 12, rows=331), classes(4, 331)
    if batch in (1, 2):
        X, Y = X[:21], Y[:21]
    for threads in (1, 2):
        agree(LENET, X, Y, optimizer=gn.SGD(0.05), epochs=2, batch_size=batch, threads=threads, dtype=dtype)


def test_filters_and_channels_of_every_width():
    for channels, filters in ((1, 1), (1, 7), (2, 8), (3, 9), (5, 16), (17, 33)):
        net = gn.Network(
            (channels, 6, 7), gn.Conv2D(filters, 3, "relu"), gn.Conv2D(channels, 2), gn.Flatten(), gn.Dense(2)
        )
        Y = targets("mean_squared_error", 2, ROWS)
        agree(net, images(channels, 6, 7), Y, optimizer=gn.SGD(0.01), epochs=2, batch_size=8, seed=2)


def test_two_threads_give_the_same_bits_every_time():
    shared = {"optimizer": gn.Adam(0.01), "epochs": 2, "batch_size": 64, "engine": "compiled"}
    X, Y = images(1, 12, 12, rows=200), classes(4, 200)
    first = heard(LENET, X, Y, threads=2, **shared)[0]
    for _ in range(5):  # the order of sums does not depend on which thread is first
        assert same(first.state, heard(LENET, X, Y, threads=2, **shared)[0].state)


@st.composite
def trainings(draw):
    """(network, X, Y, settings)."""
    size, layers, channels = [draw(st.integers(4, 10)), draw(st.integers(4, 10))], [], draw(st.integers(1, 3))
    shape, rows = (channels, *size), draw(st.integers(1, 20))

    def pair(low, high):
        return draw(st.integers(low, high)), draw(st.integers(low, high))

    for _ in range(draw(st.integers(1, 3))):
        kernel, stride, dilation, same_size = pair(1, 4), pair(1, 2), pair(1, 2), draw(st.booleans())
        reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
        if not same_size and any(r > n for r, n in zip(reach, size, strict=True)):
            kernel, dilation, reach = (1, 1), (1, 1), [1, 1]
        own, bias = draw(st.sampled_from(["relu", "tanh", "sigmoid", "linear", "elu"])), draw(st.booleans())
        padding = "same" if same_size else "valid"
        layers += [gn.Conv2D(draw(st.integers(1, 5)), kernel, own, stride, padding, dilation, bias=bias)]
        size = [-(-n // s) if same_size else (n - r) // s + 1 for n, s, r in zip(size, stride, reach, strict=True)]
        after = draw(st.integers(0, 5))
        if after == 0 and not any(isinstance(layer, gn.BatchNorm) for layer in layers):
            layers += [gn.BatchNorm()]
        elif after == 1:
            layers += [gn.Dropout(0.3, channels=draw(st.booleans()))]
        elif after <= 3:
            window, step = [draw(st.integers(1, min(3, n))) for n in size], pair(1, 3)
            layers += [draw(st.sampled_from([gn.MaxPool2D, gn.AveragePool2D]))(tuple(window), step, leftover="drop")]
            size = [(n - w) // s + 1 for n, w, s in zip(size, window, step, strict=True)]
    layers += [gn.Flatten() if draw(st.booleans()) else gn.GlobalAveragePool2D()]
    layers += [gn.Dense(4, "tanh")] if draw(st.booleans()) else []
    chosen = {
        "optimizer": draw(st.sampled_from(OPTIMIZERS)), "batch_size": draw(st.none() | st.integers(1, rows + 2)),
        "epochs": draw(st.integers(1, 4)), "l2": draw(st.sampled_from([0.0, 0.05])), "shuffle": draw(st.booleans()),
        "seed": draw(st.integers(0, 2**32)), "threads": draw(st.integers(1, 2)),
    }  # fmt: skip
    return gn.Network(shape, *layers, gn.Dense(3, "softmax")), images(*shape, rows=rows), classes(3, rows), chosen


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(trainings())
def test_any_training(training):
    network, x, y, chosen = training
    agree(network, x, y, **chosen)


# --- rewrites left out ----------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("optimizer", [gn.SGD(0.05), gn.Adam(0.01)], ids=["sgd", "adam"])
@pytest.mark.parametrize("name", [*STEP_REWRITES, *LIST_REWRITES])
def test_without_each_rewrite(name, optimizer, dtype, monkeypatch):
    monkeypatch.setattr(CompiledEngine.__init__, "__defaults__", ("float64", (name,)))
    compiled, _ = agree(
        LENET, images(1, 12, 12), classes(4), optimizer=optimizer, epochs=3, batch_size=9, l2=0.01, dtype=dtype
    )
    assert compiled.engine.leave_out == (name,)


def test_without_any_rewrite(monkeypatch):
    every = (*STEP_REWRITES, *LIST_REWRITES)
    monkeypatch.setattr(CompiledEngine.__init__, "__defaults__", ("float64", every))
    for name in BODIES:
        for net in both_heads((2, 8, 8), *BODIES[name]):
            agree(net, images(2, 8, 8), classes(), optimizer=gn.SGD(0.05), epochs=2, batch_size=9)


# --- replay and resume ----------------------------------------------------------------------------------------------

RICH = gn.Network(
    (2, 8, 8), gn.Conv2D(4, 3, "relu", padding="same"), gn.BatchNorm(), gn.MaxPool2D(2), gn.Dropout(0.2, channels=True),
    gn.Conv2D(3, 3, "tanh", padding="same"), gn.AveragePool2D(2), gn.Flatten(), gn.Dense(3, "softmax"),
)  # fmt: skip
X, Y = images(2, 8, 8), classes()
OPTIONS = [
    {"optimizer": gn.Adam(0.01), "batch_size": 8},
    {"optimizer": gn.SGD(0.1, momentum=0.9), "sample_weight": np.arange(float(ROWS))},
    {"optimizer": gn.AdamW(gn.CosineDecay(0.01, epochs=5)), "batch_size": 5, "l2": 0.1, "threads": 2},
    {"optimizer": gn.SGD(0.1), "batch_size": 8, "dtype": "float32"},
]


def trained(**settings):
    return gn.train(RICH, X, Y, engine="compiled", progress=False, **settings)


@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: str(o)[:50])
@pytest.mark.parametrize("record", ["auto", "last", 5])
def test_every_iteration_is_recreated_bit_for_bit(options, record, tmp_path):
    every = trained(record="all", epochs=5, validation=0.2, **options)
    some = trained(record=record, epochs=5, validation=0.2, **options)
    some.save(tmp_path / "run")
    loaded = gn.Run.load(tmp_path / "run")
    assert loaded.settings == some.settings
    for iteration in range(every.iteration, -1, -1):
        assert same(some.at(iteration).state, every.snapshots[iteration].state)
        assert same(loaded.at(iteration).state, every.snapshots[iteration].state)


@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: str(o)[:50])
def test_ended_and_resumed_is_bit_for_bit_the_whole_training(options, tmp_path):
    whole = trained(epochs=8, validation=0.2, **options)
    part = trained(epochs=3, validation=0.2, out=tmp_path / "run", **options)
    for start in (part, tmp_path / "run"):
        resumed = gn.train(resume=start, epochs=8, progress=False)
        assert resumed.settings.engine == "compiled"
        assert same(resumed.state, whole.state)
        assert resumed.history.same_training(whole.history)


def test_traces_agree_between_engines():
    runs = [heard(RICH, X, Y, epochs=2, batch_size=8, engine=engine)[0] for engine in ("compiled", "reference")]
    mine, theirs = (run.intermediates(4) for run in runs)
    assert set(mine) == set(theirs)
    for name in theirs:
        np.testing.assert_allclose(mine[name], theirs[name], rtol=1e-9, atol=1e-11, err_msg=name)


CHILD = """
import sys, numpy as np, glassnet as gn
from glassnet.training import loop
loop.SECONDS_BETWEEN_WRITES = float(sys.argv[2])
loop.SHARE_OF_WRITING = 0
rng = np.random.default_rng(0)
X = rng.normal(size=(20, 1, 6, 6)); Y = (X.mean(axis=(1, 2, 3)) > 0).astype(float)
net = gn.Network((1, 6, 6), gn.Conv2D(3, 3, "relu"), gn.BatchNorm(), gn.MaxPool2D(2), gn.Dropout(0.2, channels=True),
                 gn.Flatten(), gn.Dense(1, "sigmoid"))
folder, epochs = sys.argv[1], 8_000
print("go", flush=True)
try:
    run = gn.train(resume=folder, epochs=epochs, progress=False)
except gn.RunError as problem:
    assert "There is no run folder" in str(problem) or "has no run.json" in str(problem), problem
    run = gn.train(net, X, Y, epochs=epochs, out=folder, engine="compiled", optimizer=gn.Adam(0.001), batch_size=8,
                   validation=0.2, progress=False)
print("done", run.status, flush=True)
"""


def child(folder, pause):
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder), str(pause)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def newest(folder):
    return max((p.name for p in (folder / "snapshots").glob("*.safetensors")), default="")


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_killed_and_resumed_is_bit_for_bit_the_whole_training(tmp_path):
    folder, reached = tmp_path / "killed", []
    for moment in (0.0, 0.05):
        before = newest(folder)
        process = child(folder, 0.0)  # written after every call of the compiled loop
        assert process.stdout.readline() == "go\n"
        deadline = time.monotonic() + 120
        while newest(folder) in (before, "00000000.safetensors") and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(moment)
        process.kill()
        out, errors = process.communicate()
        assert out == "", f"the training ended before the kill: {out}"
        assert process.returncode == -signal.SIGKILL, errors
        reached.append(gn.Run.load(folder).iteration)
    assert 0 < reached[0] < reached[-1] < 8_000 * 2
    for place in (folder, tmp_path / "whole"):
        out, errors = child(place, 1.0).communicate(timeout=240)
        assert out == "go\ndone finished\n", errors
    killed, never = gn.Run.load(folder), gn.Run.load(tmp_path / "whole")
    assert killed.iteration == never.iteration == 8_000 * 2
    assert same(killed.state, never.state)
    assert killed.history.same_training(never.history)


def test_a_wrong_slope_is_noticed(monkeypatch):
    from glassnet.equations import images as nodes

    right = nodes.cross_correlation_kernel
    shared = {"epochs": 2, "optimizer": gn.SGD(0.1)}  # to Adam all slopes are the same, larger or smaller
    mine, _ = heard(RICH, X, Y, engine="compiled", **shared)
    monkeypatch.setattr(nodes, "cross_correlation_kernel", lambda *args: 1.001 * right(*args))
    theirs, _ = heard(RICH, X, Y, engine="reference", **shared)
    with pytest.raises(AssertionError, match="further apart than 1e-10"):
        assert_agree(mine, theirs)
