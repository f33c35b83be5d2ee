"""Run folders: what is written is what is read, damage is recognised, and a kill loses nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import glassnet as gn
from glassnet.training import files
from glassnet.training.run import Run

NET = gn.Network(2, gn.Dense(6, "relu"), gn.BatchNorm(), gn.Dropout(0.2), gn.Dense(1, "sigmoid"))


def data(rows=40):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, 2))
    return X, (X[:, 0] * X[:, 1] > 0).astype(float)


def trained(**options):
    X, Y = data()
    return gn.train(NET, X, Y, **{"epochs": 6, "batch_size": 8, "validation": 0.2, "progress": False, **options})


def same(a, b):
    return set(a) == set(b) and all(np.array_equal(a[name], b[name]) for name in a)


def test_a_saved_run_is_the_run(tmp_path):
    run = trained(l2=0.01, callbacks=[gn.EarlyStopping(patience=3)])
    run.save(tmp_path / "flower")
    loaded = gn.Run.load(tmp_path / "flower")
    assert same(loaded.parameters, run.parameters)
    assert loaded.history.same_training(run.history)
    assert loaded.settings == run.settings
    assert str(loaded) == str(run)
    assert same(loaded.at(13).state, run.at(13).state)
    X, _ = data()
    assert np.array_equal(loaded.predict(X), run.predict(X))
    assert sorted(p.name for p in (tmp_path / "flower").iterdir()) == [
        "data.safetensors", "history.parquet", "run.json", "snapshots",
    ]  # fmt: skip
    assert (tmp_path / "flower/snapshots/00000000.safetensors").exists()


def test_training_into_a_folder_leaves_the_same_run(tmp_path):
    trained(out=tmp_path / "a")
    trained().save(tmp_path / "b")
    a, b = gn.Run.load(tmp_path / "a"), gn.Run.load(tmp_path / "b")
    assert a.snapshots.iterations == b.snapshots.iterations
    assert all(same(a.snapshots[i].state, b.snapshots[i].state) for i in a.snapshots.iterations)


def test_own_activation_and_loss_are_stored_as_formulas(tmp_path):
    swish = gn.activation("swish", lambda z: z * gn.sigmoid(z))
    cauchy = gn.loss("cauchy", lambda y, a: gn.log(1 + (a - y) ** 2))
    X, Y = data()
    net = gn.Network(2, gn.Dense(4, swish), gn.Dense(1))
    run = gn.train(net, X, Y, loss=cauchy, epochs=3, progress=False, out=tmp_path / "r")
    loaded = gn.Run.load(tmp_path / "r")
    assert loaded.network == net
    assert str(loaded.derivation) == str(run.derivation)
    assert same(gn.train(resume=loaded, epochs=5, progress=False).parameters,
                gn.train(net, X, Y, loss=cauchy, epochs=5, progress=False).parameters)  # fmt: skip


def test_data_left_out_are_asked_for_and_recognised(tmp_path):
    X, Y = data()
    run = trained(record="last", keep_data=False, out=tmp_path / "r")
    assert not (tmp_path / "r/data.safetensors").exists()
    loaded = gn.Run.load(tmp_path / "r")
    assert same(loaded.parameters, run.parameters)
    with pytest.raises(gn.RunError) as problem:
        loaded.at(3)
    assert str(problem.value) == (
        "This run was saved without its data, which are needed to replay iteration 3 from 0; "
        "call run.attach(X, Y) with the data it was trained on."
    )
    with pytest.raises(gn.RunError, match="These are not the data this run was trained on"):
        loaded.attach(X + 1e-9, Y)
    assert same(loaded.attach(X, Y).at(3).parameters, run.at(3).parameters)  # all the rows, split again
    held = run.data
    again = gn.Run.load(tmp_path / "r").attach(held.X, held.Y)  # the training rows alone
    assert same(again.at(3).parameters, run.at(3).parameters)
    assert same(gn.train(resume=loaded, epochs=8, progress=False).parameters, trained(epochs=8).parameters)


def test_large_data_are_not_kept_unless_asked(tmp_path, monkeypatch):
    monkeypatch.setattr("glassnet.training.folder.KEPT_DATA", 100)
    trained(out=tmp_path / "a")
    assert not (tmp_path / "a/data.safetensors").exists()
    trained(out=tmp_path / "b", keep_data=True)
    assert (tmp_path / "b/data.safetensors").exists()


def damage(path: Path, how: str) -> None:
    content = bytearray(path.read_bytes())
    if how == "truncated":
        path.write_bytes(bytes(content[: len(content) * 2 // 3]))
    elif how == "altered":
        content[-9] ^= 0x10
        path.write_bytes(bytes(content))
    else:
        path.write_bytes(b"")


@pytest.mark.parametrize("how", ["truncated", "altered", "emptied"])
@pytest.mark.parametrize("name", ["snapshots/00000010.safetensors", "history.parquet", "data.safetensors"])
def test_damaged_files_are_named_and_never_used(tmp_path, name, how):
    run = trained(out=tmp_path / "r")
    damage(tmp_path / "r" / name, how)
    with pytest.raises(gn.RunError) as problem:
        gn.Run.load(tmp_path / "r")
    said = str(problem.value)
    assert said.startswith(f"{tmp_path / 'r' / name} is damaged: ")
    assert "Without it the run can still be loaded" in said
    with pytest.warns(gn.GlassnetWarning, match="is damaged"):
        loaded = gn.Run.load(tmp_path / "r", damaged="skip")
    if name != "data.safetensors":
        assert same(loaded.at(10).state, run.at(10).state)  # replayed
    else:
        assert loaded.data is None
    assert same(loaded.parameters, run.parameters)


@pytest.mark.parametrize("how", ["truncated", "altered", "emptied"])
def test_a_damaged_run_json_is_recognised(tmp_path, how):
    trained(out=tmp_path / "r")
    path = tmp_path / "r/run.json"
    if how == "altered":
        path.write_text(path.read_text().replace('"seed": 0', '"seed": 1'))
    else:
        damage(path, how)
    with pytest.raises(gn.RunError, match=r"run\.json is damaged: "):
        gn.Run.load(tmp_path / "r")


def test_a_lost_last_snapshot_is_replayed(tmp_path):
    run = trained(out=tmp_path / "r")
    (tmp_path / f"r/snapshots/{run.iteration:08d}.safetensors").unlink()
    loaded = gn.Run.load(tmp_path / "r")
    assert loaded.iteration == run.iteration
    assert same(loaded.parameters, run.parameters)


def test_folders_that_are_no_run(tmp_path):
    with pytest.raises(gn.RunError, match=r"^There is no run folder .*none; train with out="):
        gn.Run.load(tmp_path / "none")
    with pytest.raises(gn.RunError, match=r"is no run folder: it has no run\.json"):
        gn.Run.load(tmp_path)
    (tmp_path / "x").mkdir()
    (tmp_path / "x/thesis.txt").write_text("years of work")
    with pytest.raises(gn.RunError, match="is not empty and holds no run; choose a new folder"):
        trained(out=tmp_path / "x", overwrite=True)
    assert (tmp_path / "x/thesis.txt").read_text() == "years of work"
    trained(out=tmp_path / "y")
    with pytest.raises(
        gn.RunError, match="already holds a run; choose another folder, resume it, or pass overwrite=True"
    ):
        trained(out=tmp_path / "y")
    trained(out=tmp_path / "y", overwrite=True, seed=9)
    assert gn.Run.load(tmp_path / "y").settings.seed == 9


def test_a_folder_that_cannot_be_made_is_said_before_training(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(gn.RunError) as problem:
        trained(out=tmp_path / "file" / "run")
    assert str(problem.value) == (
        f"The folder {tmp_path / 'file' / 'run'} could not be made: a part of the path is a file, not a folder; "
        "choose another folder."
    )


def test_a_disk_that_is_full_from_the_start_leaves_nothing(tmp_path, monkeypatch):
    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "replace", full)
    with pytest.raises(
        gn.RunError, match="could not be written: the disk is full; free some space or choose another folder"
    ):
        trained(out=tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_loses_no_training(tmp_path, monkeypatch):
    real, budget = os.replace, [4]

    def filling(source, target):
        budget[0] -= 1
        if budget[0] < 0:
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr(files.os, "replace", filling)
    with pytest.warns(gn.GlassnetWarning, match="the disk is full.*goes on in memory only"):
        run = trained(out=tmp_path / "run")
    assert len(run.history) == 6
    monkeypatch.undo()
    assert same(run.parameters, trained().parameters)
    assert gn.Run.load(tmp_path / "run").iteration == 0  # as it was last whole
    run.save(tmp_path / "elsewhere")
    assert same(gn.Run.load(tmp_path / "elsewhere").parameters, run.parameters)


CHILD = """
import sys, numpy as np, glassnet as gn
from glassnet.training import loop
loop.SECONDS_BETWEEN_WRITES = float(sys.argv[2])
loop.SHARE_OF_WRITING = 0
rng = np.random.default_rng(0)
X = rng.normal(size=(40, 2)); Y = (X[:, 0] * X[:, 1] > 0).astype(float)
net = gn.Network(2, gn.Dense(6, "relu"), gn.BatchNorm(), gn.Dropout(0.2), gn.Dense(1, "sigmoid"))
options = dict(optimizer=gn.Adam(gn.Adaptive(0.01, patience=3)), batch_size=8, validation=0.2, progress=False,
               engine="reference",
               callbacks=[gn.EarlyStopping(patience=10_000)])
folder = sys.argv[1]
print("go", flush=True)
try:
    run = gn.train(resume=folder, epochs=700, callbacks=options["callbacks"], progress=False)
except gn.RunError as problem:
    assert "There is no run folder" in str(problem) or "has no run.json" in str(problem), problem
    run = gn.train(net, X, Y, epochs=700, out=folder, **options)
print("done", run.status, flush=True)
"""


def newest(folder: Path) -> str:
    return max((p.name for p in (folder / "snapshots").glob("*.safetensors")), default="")


def child(folder: Path, pause: float) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder), str(pause)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_killed_twenty_times_and_resumed_is_bit_for_bit_the_whole_training(tmp_path):
    moments = np.random.default_rng(7).uniform(0.0, 0.2, size=20)
    folder = tmp_path / "killed"
    reached = []
    for kill, moment in enumerate(moments):
        before = newest(folder)
        process = child(folder, 0.0)  # written after every update, so that many kills fall into the writing
        assert process.stdout.readline() == "go\n"
        if kill % 4:  # three of four fall into the training, however slow the machine; the others anywhere
            deadline = time.monotonic() + 60
            while newest(folder) == before and time.monotonic() < deadline:
                time.sleep(0.001)
        time.sleep(moment)
        process.kill()
        out, errors = process.communicate()
        assert out == "", f"the training ended before the kill: {out}"
        assert process.returncode == -signal.SIGKILL, errors
        if (folder / "run.json").exists():
            reached.append(gn.Run.load(folder).iteration)
        else:  # killed before the first file: nothing but temporary names may be there
            assert not folder.exists() or all(".tmp" in p.name or p.is_dir() for p in folder.iterdir())
            import shutil

            shutil.rmtree(folder, ignore_errors=True)
    assert reached == sorted(reached)  # no kill lost what had been there
    assert reached[-1] > reached[0]
    last = child(folder, 1.0)
    out, errors = last.communicate(timeout=120)
    assert out == "go\ndone finished\n", errors
    whole = child(tmp_path / "whole", 1.0)
    out, errors = whole.communicate(timeout=120)
    assert out == "go\ndone finished\n", errors
    killed, never = Run.load(folder), Run.load(tmp_path / "whole")
    assert killed.iteration == never.iteration == 700 * 4
    assert same(killed.parameters, never.parameters)
    assert same(killed.at(killed.iteration).state, never.at(never.iteration).state)
    assert killed.history.same_training(never.history)
    assert same(killed.at(1234).state, never.at(1234).state)
    assert not list(folder.rglob("*.tmp"))


def test_a_failed_overwrite_leaves_what_is_not_the_runs_own(tmp_path, monkeypatch):
    trained(out=tmp_path / "run")
    (tmp_path / "run/notes.txt").write_text("mine")

    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "replace", full)
    with pytest.raises(gn.RunError, match="the disk is full"):
        trained(out=tmp_path / "run", overwrite=True)
    assert [p.name for p in (tmp_path / "run").iterdir()] == ["notes.txt"]


def test_pictures_are_predicted_as_many_at_a_time_as_their_convolutions_allow():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(150, 3, 40, 40)).astype(np.float32), rng.integers(0, 2, 150)
    net = gn.Network(
        (3, 40, 40), gn.Conv2D(4, 9, "relu", padding="same"), gn.GlobalAveragePool2D(), gn.Dense(2, "softmax")
    )
    run = gn.train(net, X[:8], Y[:8], epochs=1, progress=False)
    assert run.engine.rows_at_once == 2**22 // (3 * 81 * 1600)  # 10 of them: 4 million numbers, 16 MB
    at_once = run.engine.predict(run.state, X)
    np.testing.assert_allclose(run.predict(X), at_once, rtol=2e-5)
    flat = gn.train(gn.Network(3, gn.Dense(1)), X[:, :, 0, 0], Y, epochs=1, progress=False)
    assert flat.engine.rows_at_once == 8192
