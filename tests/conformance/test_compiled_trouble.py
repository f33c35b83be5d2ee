"""Trouble on the compiled engine is said as on the reference engine, and ends at the same place."""

from __future__ import annotations

import signal
import threading
import time
import warnings

import numpy as np
import pytest
from twins import assert_close, heard, inputs, same, targets

import glassnet as gn
from glassnet.training import loop

X = inputs(33)
Y = targets("mean_squared_error", 2, 33)
NET = gn.Network(3, gn.Dense(5, "tanh"), gn.Dense(2))


def troubled(*args, **settings):
    """(compiled, reference) after the same end, the same words and the same last finite state."""
    compiled, mine = heard(*args, engine="compiled", **settings)
    reference, theirs = heard(*args, engine="reference", **settings)
    assert mine == theirs
    assert compiled.message == reference.message
    assert compiled.notes == reference.notes
    assert (compiled.status, compiled.iteration) == (reference.status, reference.iteration)
    if settings.get("record", "auto") == "auto":  # the stride is chosen for a call of the loop, before it ends early
        assert set(compiled.snapshots.iterations) <= set(reference.snapshots.iterations)
    else:
        assert compiled.snapshots.iterations == reference.snapshots.iterations
    assert len(compiled.history) == len(reference.history)
    assert all(np.isfinite(value).all() for value in compiled.state.values())
    assert_close(compiled.parameters, reference.parameters, 1e-8)
    for column in reference.history.columns:
        if column != "seconds":
            np.testing.assert_allclose(compiled.history[column], reference.history[column], rtol=1e-7, err_msg=column)
    return compiled, reference


DIVERGING = {
    "linear": (gn.Network(3, gn.Dense(2)), {"optimizer": gn.SGD(50.0)}),
    "linear by batches": (gn.Network(3, gn.Dense(2)), {"optimizer": gn.SGD(50.0), "batch_size": 7}),
    "linear row by row": (gn.Network(3, gn.Dense(2)), {"optimizer": gn.SGD(30.0), "batch_size": 1}),
    "penalty": (gn.Network(3, gn.Dense(2)), {"optimizer": gn.SGD(30.0), "l2": 0.1, "l1": 0.1, "batch_size": 7}),
    "validation": (gn.Network(3, gn.Dense(2)), {"optimizer": gn.SGD(30.0), "validation": 0.3}),
    "relu": (gn.Network(3, gn.Dense(6, "relu"), gn.Dense(2)), {"optimizer": gn.SGD(3.0), "batch_size": 7}),
    "momentum": (gn.Network(3, gn.Dense(2)), {"optimizer": gn.SGD(20.0, momentum=0.9), "batch_size": 30}),
    "batch norm": (
        gn.Network(3, gn.Dense(6, bias=False), gn.BatchNorm(), gn.Dense(2)),
        {"optimizer": gn.SGD(1e3), "batch_size": 11},
    ),
    "float32": (gn.Network(3, gn.Dense(2)), {"optimizer": gn.SGD(64.0), "batch_size": 11, "dtype": "float32"}),
}


@pytest.mark.parametrize("name", DIVERGING)
@pytest.mark.parametrize("record", ["auto", "all", "last", 4])
def test_a_training_that_diverges(name, record):
    net, settings = DIVERGING[name]
    if settings.get("dtype") == "float32":
        compiled, mine = heard(net, X, Y, engine="compiled", epochs=300, record=record, **settings)
        reference, theirs = heard(net, X, Y, engine="reference", epochs=300, record=record, **settings)
        assert mine[1] == theirs[1]
        assert (compiled.iteration, compiled.message) == (reference.iteration, reference.message)
        return
    compiled, _ = troubled(net, X, Y, epochs=300, record=record, **settings)
    assert compiled.status == "diverged"
    assert compiled.iteration > 0
    assert "is not finite, the first equation that is not. The last finite parameters" in compiled.message
    assert compiled.notes[-1].startswith("The cost has grown from ")


def test_the_exponential_overflows():
    net = gn.Network(3, gn.Dense(4, "exp"), gn.Dense(1, "exp"))
    compiled, _ = troubled(net, X, targets("poisson", 1, 33), optimizer=gn.SGD(1.0), epochs=50, batch_size=7)
    assert compiled.status == "diverged"


def test_a_logarithm_of_nothing():
    loss = gn.loss("log_distance", lambda y, a: gn.log(2 - (a - y)))
    compiled, _ = troubled(gn.Network(3, gn.Dense(2)), X / 10, Y / 10, loss=loss, optimizer=gn.SGD(0.05), epochs=300)
    assert compiled.status == "diverged"


@pytest.mark.parametrize("size", [None, 7])
def test_not_finite_from_the_start(size):
    start = {"W1": np.full((3, 5), 1e308), "W2": np.full((5, 2), 1e308)}
    net = gn.Network(3, gn.Dense(5, "relu"), gn.Dense(2))
    compiled, _ = troubled(net, X, Y, initial_parameters=start, epochs=5, batch_size=size)
    assert (compiled.status, compiled.iteration, len(compiled.history)) == ("diverged", 0, 0)
    assert "It happened in the first step: look at the initial parameters and the scale of X and Y." in compiled.message


def test_finite_at_the_start_and_never_after():
    compiled, _ = troubled(gn.Network(3, gn.Dense(2)), X * 1e3, Y, optimizer=gn.SGD(1e308), epochs=5, batch_size=7)
    assert compiled.status == "diverged"
    assert "The inputs reach" in compiled.message


def test_only_the_held_out_cost_is_not_finite():
    held = np.full((4, 3), 1e200), np.zeros((4, 2))
    compiled, _ = troubled(gn.Network(3, gn.Dense(2)), X, Y, validation=held, epochs=5, batch_size=7)
    assert compiled.status == "diverged"


def test_only_the_held_out_cost_becomes_infinite():
    held = np.full((4, 3), 1e153), np.zeros((4, 2))
    start = {"W1": np.full((3, 2), 1e-3)}
    settings = {"optimizer": gn.SGD(0.1), "validation": held, "epochs": 40, "initial_parameters": start}
    for size in (None, 7):
        troubled(gn.Network(3, gn.Dense(2)), X, Y + X[:, :2] * 50, batch_size=size, **settings)


@pytest.mark.parametrize("size", [None, 7])
@pytest.mark.parametrize(
    "optimizer", [gn.Adagrad(1e-3), gn.RMSprop(1e-3), gn.Adam(1e-3)], ids=lambda o: type(o).__name__
)
def test_the_optimisers_memory_overflows(optimizer, size):
    # dW1 is about 1e160, so its square is infinite, the step dW1 / √∞ is 0, and the cost stays finite for ever.
    start = {"W1": np.full((3, 2), 1e-160)}
    settings = {"optimizer": optimizer, "epochs": 100, "batch_size": size, "initial_parameters": start}
    compiled, _ = troubled(gn.Network(3, gn.Dense(2)), X * 1e160, Y, **settings)
    assert (compiled.status, compiled.iteration) == ("diverged", 0)
    assert "W1² is not finite" in compiled.message or "dW1² is not finite" in compiled.message


def test_the_memory_overflows_late():
    # The rate is tiny, so the weights stay; squares of slopes of about 1e151 are added up until s is no longer finite.
    start = {"W1": np.full((3, 2), 1e-160), "sW1": np.full((3, 2), 1.79769e308)}
    compiled, _ = troubled(
        gn.Network(3, gn.Dense(2)), X * 1e151, Y, optimizer=gn.Adagrad(1e-300), epochs=300, initial_parameters=start,
        batch_size=7,
    )  # fmt: skip
    assert compiled.status == "diverged"
    assert 5 < compiled.iteration < 300


def test_slopes_whose_squares_overflow_do_no_harm():
    start = {"W1": np.full((3, 2), 1e-160)}
    compiled, _ = troubled(
        gn.Network(3, gn.Dense(2)),
        X * 1e160,
        Y,
        optimizer=gn.SGD(1e-322),
        epochs=9,
        batch_size=7,
        initial_parameters=start,
    )
    assert compiled.status == "finished"
    assert np.isinf(compiled.history["gradient_norm"]).all()


@pytest.mark.parametrize("size", [None, 7, 1])
def test_a_cost_that_explodes_and_stays_finite(size):
    compiled, _ = troubled(
        gn.Network(3, gn.Dense(2)), X, Y, optimizer=gn.SGD(gn.StepDecay(6.0, every=4, factor=1e-6)), epochs=12, batch_size=size
    )  # fmt: skip
    assert compiled.status == "finished"
    assert len(compiled.notes) == 1
    assert compiled.notes[0].startswith("The cost has grown from ")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        gn.train(resume=compiled, epochs=14, progress=False)
    assert not caught  # it has been said


def test_a_diverged_run_is_stored_and_not_resumed_into_something_else(tmp_path):
    settings = {"optimizer": gn.SGD(50.0), "batch_size": 7, "epochs": 300, "out": tmp_path / "run"}
    run, _ = heard(gn.Network(3, gn.Dense(2)), X, Y, engine="compiled", **settings)
    loaded = gn.Run.load(tmp_path / "run")
    assert (loaded.status, loaded.message, loaded.iteration) == (run.status, run.message, run.iteration)
    for iteration in range(run.iteration + 1):
        assert same(loaded.at(iteration).state, run.at(iteration).state)
    again, said = heard(resume=tmp_path / "run", epochs=300)
    assert (again.status, again.iteration, again.message) == (run.status, run.iteration, run.message)
    assert said == [run.message]


LONG = {"batch_size": 8, "seed": 3, "optimizer": gn.Adam(0.001), "engine": "compiled", "progress": False}
DROPPING = gn.Network(3, gn.Dense(5, "tanh"), gn.Dropout(0.2), gn.Dense(2))


def press_after(seconds):
    """Ctrl-C as the terminal sends it: a signal to the process, while the main thread is in compiled code."""
    timer = threading.Timer(seconds, lambda: signal.pthread_kill(threading.main_thread().ident, signal.SIGINT))
    timer.start()
    return timer


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="this system cannot send a signal to a thread")
@pytest.mark.parametrize("size", [None, 8])
def test_ctrl_c_ends_soon_and_resuming_is_exact(size, tmp_path):
    handler = signal.getsignal(signal.SIGINT)
    settings = {**LONG, "batch_size": size}
    gn.train(DROPPING, X, Y, epochs=1, **settings)  # compiled by now
    timer = press_after(0.3)
    run = gn.train(DROPPING, X, Y, epochs=10_000_000, out=tmp_path / "run", **settings)
    timer.join()
    assert run.status == "interrupted"
    assert run.message == f"Interrupted after {run.iteration} updates; resume the run to go on from there."
    assert signal.getsignal(signal.SIGINT) is handler
    assert 0 < run.iteration < 10_000_000
    assert run.history["seconds"][-1] < 20
    epochs = run.iteration // run.batches + 3
    whole = gn.train(DROPPING, X, Y, epochs=epochs, **settings)
    assert same(run.state, whole.at(run.iteration).state)
    for start in (run, tmp_path / "run"):
        resumed = gn.train(resume=start, epochs=epochs, progress=False)
        assert same(resumed.state, whole.state)
        assert resumed.history.same_training(whole.history)


@pytest.mark.parametrize("size", [None, 8])
def test_max_seconds_ends_cleanly(size):
    settings = {**LONG, "batch_size": size}
    gn.train(DROPPING, X, Y, epochs=1, **settings)
    began = time.monotonic()
    run = gn.train(DROPPING, X, Y, epochs=10_000_000, max_seconds=0.2, **settings)
    assert time.monotonic() - began < 20
    assert run.status == "out of time"
    assert run.message == f"Stopped after 0.2 s and {run.iteration} updates; resume to go on."
    epochs = run.iteration // run.batches + 2
    whole = gn.train(DROPPING, X, Y, epochs=epochs, **settings)
    resumed = gn.train(resume=run, epochs=epochs, progress=False)
    assert same(resumed.state, whole.state)
    assert resumed.history.same_training(whole.history)


def test_the_middle_of_an_epoch_is_resumed_exactly(monkeypatch):
    clock = iter(np.arange(0.0, 1e6, 0.25))
    monkeypatch.setattr(loop.time, "monotonic", lambda: float(next(clock)))
    monkeypatch.setattr("glassnet.training.compiled_loop.SECONDS_A_CALL", 1e-7)  # one update a call
    run = gn.train(DROPPING, X, Y, epochs=1000, max_seconds=7, **LONG)
    monkeypatch.undo()
    assert run.status == "out of time"
    assert run.iteration % run.batches != 0
    whole = gn.train(DROPPING, X, Y, epochs=20, **LONG)
    resumed = gn.train(resume=run, epochs=20, progress=False)
    assert same(resumed.state, whole.state)
    assert resumed.history.same_training(whole.history)


@pytest.mark.parametrize("size", [None, 8])
def test_how_long_a_call_is_does_not_show(size, monkeypatch):
    settings = {**LONG, "batch_size": size, "validation": 0.2, "l2": 0.01, "epochs": 30}
    whole = [gn.train(net, X, Y, **settings) for net in (NET, DROPPING)]
    monkeypatch.setattr("glassnet.training.compiled_loop.SECONDS_A_CALL", 1e-7)
    short = [gn.train(net, X, Y, **settings) for net in (NET, DROPPING)]
    for mine, theirs in zip(short, whole, strict=True):
        assert same(mine.state, theirs.state)
        assert mine.history.same_training(theirs.history)
        assert mine.snapshots.iterations == theirs.snapshots.iterations
