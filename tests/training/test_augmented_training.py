"""Training on changed pictures: the same ones on both engines, when replayed, resumed, stopped early and killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import glassnet as gn
from glassnet.training import ShuffleStream
from glassnet.training.loop import batch_rows
from glassnet.training.walk import states_at

rng = np.random.default_rng(0)
X = rng.normal(size=(37, 1, 6, 5))
Y = (X[:, 0, 2:4].sum(axis=(1, 2)) > 0).astype(int) + (X[:, 0, 0].sum(axis=1) > 0)
CONV = gn.Network(
    (1, 6, 5), gn.Conv2D(3, 2, bias=False), gn.BatchNorm(), gn.Activation("relu"), gn.MaxPool2D(2, leftover="drop"),
    gn.Dropout(0.2, channels=True), gn.Flatten(), gn.Dense(3, "softmax"),
)  # fmt: skip
FLAT = gn.Network((1, 6, 5), gn.Flatten(), gn.Dense(7, "tanh"), gn.Dense(3, "softmax"))
RICH = gn.Augmentation(shift=1, flip="both", rotate=20, scale=0.1, noise=0.1, fill="edge")
ENGINES = ["reference", "compiled"]
OPTIONS = [
    {"optimizer": gn.Adam(0.01), "batch_size": 8},
    {"optimizer": gn.SGD(0.1, momentum=0.9), "batch_size": None},
    {"optimizer": gn.Adam(gn.Adaptive(0.05, patience=1, tolerance=0.01)), "batch_size": 8, "l2": 0.1},
    {"optimizer": gn.SGD(0.1), "batch_size": 8, "shuffle": ShuffleStream.of(np.random.RandomState(3))},
    {"optimizer": gn.RMSprop(0.01), "batch_size": 5, "shuffle": False, "sample_weight": np.arange(37.0)},
    {"optimizer": gn.AdamW(0.01), "batch_size": 8, "dtype": "float32", "measure": 10},
]


def trained(network=CONV, **settings):
    return gn.train(
        network, X, Y, **{"epochs": 6, "augmentation": RICH, "progress": False, "validation": 0.2, **settings}
    )


def same(a, b):
    return set(a) == set(b) and all(np.array_equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("network", [CONV, FLAT], ids=["conv", "flat"])
@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: str(o)[:60])
def test_both_engines_see_the_same_pictures(network, options):
    compiled, reference = (
        trained(network, engine=engine, record="all", **options) for engine in ("compiled", "reference")
    )
    assert (compiled.iteration, compiled.status) == (reference.iteration, reference.status)
    bound = 1e-4 if options.get("dtype") else 1e-10
    for iteration in range(reference.iteration + 1):
        mine, theirs = compiled.at(iteration).state, reference.at(iteration).state
        for name in theirs:
            np.testing.assert_allclose(mine[name], theirs[name], rtol=bound, atol=bound, err_msg=name)
    theirs = reference.history.to_dict()
    for name, column in compiled.history.to_dict().items():
        if name != "seconds":
            np.testing.assert_allclose(column, theirs[name], rtol=10 * bound, err_msg=name)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: str(o)[:60])
def test_every_iteration_is_recreated_bit_for_bit(engine, options, tmp_path):
    every, last = (trained(engine=engine, record=record, **options) for record in ("all", "last"))
    last.save(tmp_path / "run")
    loaded = gn.Run.load(tmp_path / "run")
    assert loaded.settings == last.settings
    assert loaded.settings.augmentation == RICH
    for iteration in range(every.iteration, -1, -1):
        assert same(loaded.at(iteration).state, every.snapshots[iteration].state)
    asked = [1, 2, every.iteration // 2, every.iteration - 1]
    assert all(same(state, every.snapshots[i].state) for i, state in states_at(loaded, asked))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: str(o)[:60])
def test_ended_and_resumed_is_bit_for_bit_the_whole_training(engine, options, tmp_path):
    whole = trained(engine=engine, epochs=9, **options)
    part = trained(engine=engine, epochs=4, out=tmp_path / "run", **options)
    for start in (part, tmp_path / "run"):
        resumed = gn.train(resume=start, epochs=9, progress=False)
        assert same(resumed.state, whole.state)
        assert resumed.history.same_training(whole.history)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_step_shows_the_pictures_of_its_epoch(engine):
    run = trained(engine=engine, batch_size=8, record="last")
    data = run.data.X
    assert data.shape == (30, 1, 6, 5)
    for iteration in (0, 3, 4, 13, run.iteration - 1):
        shown, rows = run.trace(iteration), batch_rows(run, iteration)
        pictures = RICH.apply(data, seed=run.settings.seed, epoch=iteration // run.batches)
        np.testing.assert_array_equal(shown["X"], pictures[rows])
        assert not np.isclose(shown["X"], data[rows]).all(axis=(1, 2, 3)).any()
        # Z1 = X ⋆ W1, window by window.
        W1 = run.at(iteration).parameters["W1"]
        windows = np.lib.stride_tricks.sliding_window_view(shown["X"][:, 0], (2, 2), axis=(1, 2))
        np.testing.assert_allclose(shown["Z1"], np.einsum("iuvrs,jrs->ijuv", windows, W1[:, 0]))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("size", [None, 8])
def test_what_is_measured_are_the_pictures_as_they_are(engine, size):
    run = trained(FLAT, engine=engine, batch_size=size, record="all")
    for name, held in (("", run.data), ("validation_", run.validation)):
        for epoch in range(6):
            A = run.at((epoch + 1) * run.batches).predict(held.X)
            np.testing.assert_allclose(run.history[f"{name}cost"][epoch], -np.log(A[held.Y > 0]).mean(), rtol=1e-10)
            right = (A.argmax(axis=1) == held.Y.argmax(axis=1)).mean()
            np.testing.assert_allclose(run.history[f"{name}accuracy"][epoch], right)
    # The batches' own costs are those of the changed pictures.
    pictures = RICH.apply(run.data.X, seed=0, epoch=0)
    A = run.at(0).predict(pictures)
    if size is None:
        np.testing.assert_allclose(run.history["batch_cost"][0], -np.log(A[run.data.Y > 0]).mean(), rtol=1e-10)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_change_that_changes_nothing_is_the_training_without(engine):
    plain = trained(engine=engine, batch_size=8, augmentation=None)
    none = trained(engine=engine, batch_size=8, augmentation=gn.Augmentation())
    assert same(plain.state, none.state)
    assert plain.history.same_training(none.history)


@pytest.mark.parametrize("engine", ENGINES)
def test_stopped_early_and_gone_back_to_the_best(engine):
    stopping = [gn.EarlyStopping(patience=3)]
    run = trained(engine=engine, batch_size=8, epochs=200, optimizer=gn.Adam(0.05), callbacks=stopping)
    assert run.status == "stopped early"
    best = int(run.history["validation_cost"].argmin()) + 1
    assert run.restored == best * run.batches
    assert same(run.parameters, trained(engine=engine, batch_size=8, epochs=best, optimizer=gn.Adam(0.05)).parameters)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_callback_may_look_back_while_the_training_goes_on(engine):
    whole = trained(engine=engine, batch_size=8, record="last")
    seen = []

    def look(run):
        seen.append(run.at(max(1, run.iteration - 6)).parameters["W1"])

    watched = trained(engine=engine, batch_size=8, record="last", callbacks=[look])
    assert len(seen) == 6
    assert same(watched.state, whole.state)
    for epoch, W1 in enumerate(seen, start=1):
        np.testing.assert_array_equal(W1, whole.at(max(1, 4 * epoch - 6)).parameters["W1"])


def test_trouble_is_named_alike_on_both_engines():
    runs = []
    for engine in ENGINES:
        with pytest.warns(gn.GlassnetWarning):
            runs.append(trained(FLAT, engine=engine, batch_size=8, epochs=60, optimizer=gn.SGD(1e308)))
    compiled, reference = runs
    assert compiled.status == reference.status == "diverged"
    assert compiled.message == reference.message
    assert compiled.iteration == reference.iteration


def test_a_run_says_how_its_pictures_were_changed():
    assert "pictures changed in every epoch: shift 1, flip both, rotate 20°, scale 0.1, noise 0.1, fill edge" in str(
        trained(FLAT, epochs=1)
    )
    assert "pictures changed" not in str(trained(FLAT, epochs=1, augmentation=None))


def test_rows_and_grey_pictures_without_channels_are_the_same_training():
    whole = trained(batch_size=8)
    for form in (X.reshape(37, -1), X[:, 0]):
        run = gn.train(CONV, form, Y, epochs=6, batch_size=8, validation=0.2, augmentation=RICH, progress=False)
        assert same(run.state, whole.state)


CHILD = """
import sys
import numpy as np, glassnet as gn
from glassnet.training import loop
loop.SECONDS_BETWEEN_WRITES, loop.SHARE_OF_WRITING = float(sys.argv[3]), float(sys.argv[3])
X = np.random.default_rng(0).normal(size=(40, 6, 5)); Y = (X[:, :3].sum(axis=(1, 2)) > 0) * 1
net = gn.Network((1, 6, 5), gn.Conv2D(2, 3, "relu"), gn.Flatten(), gn.Dense(2, "softmax"))
folder, engine, epochs = sys.argv[1], sys.argv[2], int(sys.argv[4])
print("go", flush=True)
try:
    run = gn.train(resume=folder, epochs=epochs, progress=False)
except gn.RunError as problem:
    assert "There is no run folder" in str(problem) or "has no run.json" in str(problem), problem
    run = gn.train(net, X, Y, epochs=epochs, out=folder, engine=engine, optimizer=gn.Adam(0.001), batch_size=8, progress=False,
                   augmentation=gn.Augmentation(shift=2, flip="horizontal", rotate=10, noise=0.1))
print("done", run.status, flush=True)
"""


def child(folder, engine, pause, epochs):
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder), engine, str(pause), str(epochs)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def newest(folder):
    return max((p.name for p in (folder / "snapshots").glob("*.safetensors")), default="")


@pytest.mark.parametrize(("engine", "epochs"), [("reference", 300), ("compiled", 1000)])
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_killed_and_resumed_is_bit_for_bit_the_whole_training(engine, epochs, tmp_path):
    folder, reached = tmp_path / "killed", []
    for moment in (0.0, 0.03):
        before = newest(folder)
        process = child(folder, engine, 0.0, epochs)  # written as often as can be
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
    assert 0 < reached[0] < reached[1] < epochs * 5
    for place in (folder, tmp_path / "whole"):
        out, errors = child(place, engine, 1.0, epochs).communicate(timeout=240)
        assert out == "go\ndone finished\n", errors
    killed, never = gn.Run.load(folder), gn.Run.load(tmp_path / "whole")
    assert killed.iteration == never.iteration == epochs * 5
    assert same(killed.state, never.state)
    assert killed.history.same_training(never.history)
    assert same(killed.at(epochs * 3 + 2).state, never.at(epochs * 3 + 2).state)


# What cannot be.


@pytest.mark.parametrize(
    ("network", "settings", "sentence"),
    [
        (
            gn.Network(30, gn.Dense(3, "softmax")),
            {},
            "augmentation got the network 30 → 3 softmax, whose inputs are 30 features and no pictures; give it an input "
            "shape (channels, height, width), or leave augmentation out.",
        ),
        (
            FLAT,
            {"augmentation": gn.Augmentation(shift=(2, 5))},
            "Augmentation got shift=(2, 5), and the pictures have 6×5 pixels; it needs shifts smaller than that.",
        ),
        (
            FLAT,
            {"augmentation": {"shift": 1}},
            "train got augmentation={'shift': 1}; it needs an Augmentation, e.g. gn.Augmentation(shift=2).",
        ),
        (
            FLAT,
            {"optimizer": gn.LBFGS()},
            "LBFGS got an augmentation, and it needs the same samples in every iteration; leave augmentation out, or choose "
            "another optimiser, such as Adam().",
        ),
    ],
)
def test_what_cannot_be_augmented(network, settings, sentence, tmp_path):
    settings = {"augmentation": RICH, "out": tmp_path / "run", "progress": False, **settings}
    with pytest.raises(gn.GlassnetError) as caught:
        gn.train(network, X.reshape(37, -1), Y, **settings)
    assert str(caught.value) == sentence
    assert not (tmp_path / "run").exists()


def test_resume_refuses_another_augmentation():
    run = trained(FLAT)
    again = gn.train(FLAT, resume=run, augmentation=RICH, epochs=7, progress=False)
    assert len(again.history) == 7
    with pytest.raises(gn.GlassnetError) as caught:
        gn.train(resume=run, augmentation=gn.Augmentation(shift=1), epochs=7, progress=False)
    assert "augmentation=Augmentation(shift=1, flip=None, " in str(caught.value)
    assert "(the run's: Augmentation(shift=1, flip='both', " in str(caught.value)
    plain = trained(FLAT, augmentation=None)
    with pytest.raises(gn.GlassnetError, match=r"\(the run's: None\)"):
        gn.train(resume=plain, augmentation=RICH, epochs=7, progress=False)


def test_settings_stored_before_there_was_augmentation_can_be_read():
    settings = trained(FLAT, augmentation=None).settings
    stored = settings.to_plain()
    del stored["augmentation"]
    assert type(settings).from_plain(stored) == settings


def test_the_threshold_rule_sees_changed_pictures_too():
    net = gn.Network((1, 6, 5), gn.Flatten(), gn.Dense(1, "step"))
    settings = {
        "loss": "perceptron",
        "optimizer": gn.SGD(1.0),
        "batch_size": 1,
        "augmentation": RICH,
        "progress": False,
    }
    runs = [gn.train(net, X, Y > 0, epochs=4, record=record, **settings) for record in ("all", "last")]
    assert same(runs[0].state, runs[1].state)
