"""Runs of the compiled engine are ended, killed, stopped and resumed: bit for bit the training that goes through."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from twins import agree, inputs, same, targets

import glassnet as gn
from glassnet.equations.proximal import ProximalGradient
from glassnet.training import ShuffleStream

RICH = gn.Network(3, gn.Dense(6, "relu"), gn.BatchNorm(), gn.Dropout(0.2), gn.Dense(1, "sigmoid"))
X, Y = inputs(33), targets("binary_cross_entropy", 1, 33)


def trained(network=RICH, x=X, y=Y, **settings):
    return gn.train(network, x, y, engine="compiled", progress=False, **settings)


OPTIONS = [
    {"optimizer": gn.Adam(0.01), "batch_size": 8},
    {"optimizer": gn.Adam(gn.Adaptive(0.05, patience=1, tolerance=0.01)), "batch_size": 8},
    {
        "optimizer": gn.AdamW(gn.CosineDecay(0.01, epochs=5)),
        "batch_size": 1,
        "l1": 0.01,
        "l2": 0.1,
        "penalty_on": "sum",
    },
    {"optimizer": gn.SGD(0.1, momentum=0.9), "sample_weight": np.arange(33.0)},
    {"optimizer": gn.RMSprop(0.01), "batch_size": 8, "shuffle": False},
    {"optimizer": gn.SGD(0.1), "batch_size": 8, "shuffle": ShuffleStream.of(np.random.RandomState(3))},
    {"optimizer": ProximalGradient(0.05, l1=0.01), "l1": 0.01, "batch_size": 32, "dtype": "float32"},
]


@pytest.mark.filterwarnings("ignore:BatchNorm gets one sample at a time")
@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: str(o)[:60])
@pytest.mark.parametrize("record", ["auto", "last", 5])
def test_every_iteration_is_recreated_bit_for_bit(options, record, tmp_path):
    every = trained(record="all", epochs=6, validation=0.2, **options)
    some = trained(record=record, epochs=6, validation=0.2, **options)
    some.save(tmp_path / "run")
    loaded = gn.Run.load(tmp_path / "run")
    assert loaded.settings == some.settings
    for iteration in range(every.iteration, -1, -1):
        assert same(some.at(iteration).state, every.snapshots[iteration].state)
        assert same(loaded.at(iteration).state, every.snapshots[iteration].state)


@pytest.mark.filterwarnings("ignore:BatchNorm gets one sample at a time")
@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: str(o)[:60])
def test_ended_and_resumed_is_bit_for_bit_the_whole_training(options, tmp_path):
    whole = trained(epochs=10, validation=0.2, **options)
    part = trained(epochs=4, validation=0.2, out=tmp_path / "run", **options)
    assert part.history.same_training(whole.history[:4])
    for start in (part, tmp_path / "run"):
        resumed = gn.train(resume=start, epochs=10, progress=False)
        assert resumed.settings.engine == "compiled"
        assert same(resumed.state, whole.state)
        assert resumed.history.same_training(whole.history)
        assert same(resumed.at(7).state, whole.at(7).state)


@pytest.mark.parametrize("restore", [True, False])
@pytest.mark.parametrize("size", [None, 8])
def test_early_stopping(size, restore, tmp_path):
    held = inputs(40, seed=9), targets("binary_cross_entropy", 1, 40)  # nothing to learn there
    net = gn.Network(3, gn.Dense(6, "tanh"), gn.Dense(1, "sigmoid"))
    stopping = [
        gn.EarlyStopping(patience=7, restore_best=restore),
        gn.EarlyStopping("accuracy", 30, restore_best=restore),
    ]
    compiled, reference = agree(
        net, X, Y, optimizer=gn.SGD(0.5), validation=held, epochs=500, batch_size=size, callbacks=stopping
    )
    assert compiled.status == "stopped early"
    assert compiled.message == reference.message
    assert (compiled.restored < compiled.iteration) is restore
    part = trained(net, optimizer=gn.SGD(0.5), validation=held, epochs=4, batch_size=size, callbacks=stopping,
                   out=tmp_path / "run")  # fmt: skip
    assert part.status == "finished"
    resumed = gn.train(resume=tmp_path / "run", X=X, Y=Y, validation=held, epochs=500, progress=False)
    assert same(resumed.parameters, compiled.parameters)
    assert resumed.history.same_training(compiled.history)


def test_rules_that_wait_see_every_epoch_though_the_loop_does_not_ask():
    net = gn.Network(3, gn.Dense(6, "tanh"), gn.Dense(1, "sigmoid"))
    rules = [
        gn.EarlyStopping("cost", 60, 1e-3, restore_best=False),
        gn.EarlyStopping("accuracy", 45, restore_best=False),
    ]
    compiled, reference = agree(net, X, Y, optimizer=gn.SGD(0.3), epochs=900, batch_size=8, callbacks=rules, record=7)
    assert compiled.status == "stopped early"
    assert compiled.message == reference.message
    for iteration in reference.snapshots.iterations:
        mine, theirs = compiled.snapshots[iteration].loop, reference.snapshots[iteration].loop
        assert [(s["monitor"], s["waited"], s["best_iteration"]) for s in mine.get("stoppers", [])] == [
            (s["monitor"], s["waited"], s["best_iteration"]) for s in theirs.get("stoppers", [])
        ], iteration


def test_a_long_wait_asks_python_once_for_many_epochs(monkeypatch):
    from glassnet.engines.compiled.machine import Machine

    calls, advance = [], Machine.advance
    monkeypatch.setattr(Machine, "advance", lambda self, *args, **more: calls.append(1) or advance(self, *args, **more))
    kept = {"callbacks": [gn.EarlyStopping("cost", patience=1000, restore_best=False)], "epochs": 100, "batch_size": 8}
    trained(**kept)
    assert len(calls) < 20
    calls.clear()
    trained(**{**kept, "callbacks": [gn.EarlyStopping("cost", patience=1000)]})
    assert len(calls) >= 100


def test_callbacks_see_every_epoch_and_may_stop():
    for engine in ("compiled", "reference"):
        seen = []

        def watch(run, seen=seen):
            seen.append((len(run.history), run.iteration, float(run.parameters["W1"].sum())))
            return len(seen) == 3

        run = gn.train(RICH, X, Y, engine=engine, batch_size=8, epochs=50, callbacks=[watch], progress=False)
        assert (run.status, run.message) == ("stopped early", "Stopped after epoch 3 by a callback.")
        assert [each[:2] for each in seen] == [(1, 5), (2, 10), (3, 15)]
        assert seen[-1][2] == run.parameters["W1"].sum()


def test_a_callback_that_fails_leaves_the_run_resumable(tmp_path):
    def fail(run):
        if len(run.history) == 3:
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        trained(epochs=9, batch_size=8, callbacks=[fail], out=tmp_path / "run")
    assert gn.Run.load(tmp_path / "run").status == "failed"
    resumed = gn.train(resume=tmp_path / "run", epochs=9, progress=False)
    assert same(resumed.parameters, trained(epochs=9, batch_size=8).parameters)


CHILD = """
import sys, numpy as np, glassnet as gn
from glassnet.training import loop
loop.SECONDS_BETWEEN_WRITES = float(sys.argv[2])
loop.SHARE_OF_WRITING = 0
rng = np.random.default_rng(0)
X = rng.normal(size=(40, 2)); Y = (X[:, 0] * X[:, 1] > 0).astype(float)
net = gn.Network(2, gn.Dense(6, "relu"), gn.BatchNorm(), gn.Dropout(0.2), gn.Dense(1, "sigmoid"))
folder, epochs = sys.argv[1], 20_000
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
    for moment in np.random.default_rng(7).uniform(0.0, 0.1, size=4):
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
    assert reached == sorted(reached)
    assert 0 < reached[0] < reached[-1] < 20_000 * 4
    for place in (folder, tmp_path / "whole"):
        out, errors = child(place, 1.0).communicate(timeout=240)
        assert out == "go\ndone finished\n", errors
    killed, never = gn.Run.load(folder), gn.Run.load(tmp_path / "whole")
    assert killed.iteration == never.iteration == 20_000 * 4
    assert same(killed.state, never.state)
    assert killed.history.same_training(never.history)
    assert killed.snapshots.iterations == never.snapshots.iterations
    assert same(killed.at(51_234).state, never.at(51_234).state)


def test_a_callback_may_look_back_while_the_training_goes_on():
    X, Y = np.random.default_rng(0).normal(size=(60, 3)), np.arange(60) % 2.0
    net = gn.Network(3, gn.Dense(4, "tanh"), gn.Dropout(0.2), gn.Dense(1, "sigmoid"))
    seen = []

    def look(run):
        seen.append(run.at(3).parameters["W1"].copy())
        run.intermediates(2)

    settings = {"epochs": 6, "batch_size": 7, "engine": "compiled", "progress": False, "record": 5}
    watched = gn.train(net, X, Y, callbacks=[look], **settings)
    alone = gn.train(net, X, Y, **settings)
    assert len(seen) == 6
    assert all(np.array_equal(W1, alone.at(3).parameters["W1"]) for W1 in seen)
    assert all(np.array_equal(watched.parameters[name], alone.parameters[name]) for name in alone.parameters)
    assert watched.history.same_training(alone.history)
