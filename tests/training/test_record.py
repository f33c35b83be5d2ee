"""The record cannot be changed from outside, nor mixed with another's, without a word."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

import glassnet as gn

NET = gn.Network(3, gn.Dense(5, "tanh"), gn.Dense(1, "sigmoid"))
BN = gn.Network(3, gn.Dense(5), gn.BatchNorm(), gn.Activation("relu"), gn.Dense(1, "sigmoid"))


def data(rows=40, seed=0):
    X = np.random.default_rng(seed).normal(size=(rows, 3))
    return X, (X[:, :1] * X[:, 1:2] > 0) * 1.0


def trained(net=NET, X=None, Y=None, **options):
    given, targets = data()
    return gn.train(
        net, given if X is None else X, targets if Y is None else Y, **{"epochs": 6, "progress": False, **options}
    )


def same(a, b):
    return set(a) == set(b) and all(np.array_equal(a[name], b[name]) for name in a)


def test_changing_the_callers_arrays_afterwards_changes_nothing():
    X, Y = data()
    run = trained(X=X, Y=Y, batch_size=7, record="last")
    before = {name: value.copy() for name, value in run.at(17).parameters.items()}
    X[:], Y[:] = 0, 0
    assert same(run.at(17).parameters, before)


def test_arrays_handed_out_cannot_be_written_to():
    run = trained(batch_size=7)
    for arrays in (run.parameters, run.at(1).parameters, run.intermediates(2)):
        with pytest.raises(ValueError, match="read-only"):
            arrays["W1"][:] = 99
    own = run.parameters["W1"].copy()
    own[:] = 99
    assert not np.array_equal(own, run.parameters["W1"])


ADAPTIVE = {
    "epochs": 20,
    "batch_size": 7,
    "optimizer": gn.SGD(gn.Adaptive(0.5, patience=1, tolerance=0.05)),
    "record": 10,
}


def test_a_lost_history_is_named_and_never_guessed(tmp_path):
    run = trained(out=tmp_path / "r", **ADAPTIVE)
    (tmp_path / "r/history.parquet").unlink()
    with pytest.raises(gn.RunError, match=r"history\.parquet is damaged: it is missing, or lacks epochs"):
        gn.Run.load(tmp_path / "r")
    with pytest.warns(gn.GlassnetWarning, match="it is missing"):
        loaded = gn.Run.load(tmp_path / "r", damaged="skip")
    answered = 0
    for iteration in range(run.iteration + 1):
        try:
            moment = loaded.at(iteration)
        except gn.RunError as problem:
            assert "was in history.parquet, which is missing" in str(problem)  # noqa: PT017
        else:
            assert same(moment.parameters, run.at(iteration).parameters)
            answered += 1
    assert answered > 10
    with pytest.raises(gn.RunError, match="lacks 20 of 20 epochs, so it cannot go on"):
        gn.train(resume=loaded, epochs=25, progress=False)


@pytest.mark.parametrize("name", ["data.safetensors", "history.parquet", "snapshots/00000010.safetensors"])
def test_a_file_of_another_run_is_recognised(tmp_path, name):
    X, _ = data()
    trained(out=tmp_path / "a", record=10, epochs=10, batch_size=7)
    trained(out=tmp_path / "b", record=10, epochs=10, batch_size=7, X=X + 1)
    shutil.copy(tmp_path / "b" / name, tmp_path / "a" / name)
    with pytest.raises(gn.RunError, match=rf"{name} is damaged: .*(another run|those of this run)"):
        gn.Run.load(tmp_path / "a")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"shuffle": False}, "shuffle=False (the run's: True)"),
        ({"record": "all"}, "record='all' (the run's: 'auto')"),
        ({"dtype": "float32"}, "dtype='float32' (the run's: 'float64')"),
        ({"engine": "banana"}, "engine='banana' (the run's: 'reference')"),
        ({"seed": 5}, "seed=5 (the run's: 0)"),
        ({"initial_parameters": {"W1": 0}}, "initial_parameters (a training that goes on keeps its own)"),
        ({"preparation": 5}, "preparation (a training that goes on keeps its own)"),
        ({"validation": 0.3}, "resume got validation=0.3; the run was trained with None."),
        ({"X": [[1.0, 2, 3]]}, "resume got a part of the data"),
        ({"X": np.ones((40, 3)), "Y": np.ones(40)}, "These are not the data this run was trained on"),
        ({"epochs": 2}, "resume got epochs=2, and the run has already had 6; ask for more in total."),
    ],
    ids=lambda value: str(value)[:30],
)
def test_resume_refuses_what_contradicts_the_run(change, said):
    run = trained()
    with pytest.raises(gn.GlassnetError) as problem:
        gn.train(resume=run, progress=False, **{"epochs": 8, **change})
    assert said in str(problem.value)


def test_resume_without_epochs_goes_to_the_runs_own():
    whole = trained(epochs=9)
    stopped = trained(epochs=9, callbacks=lambda run: np.bool_(len(run.history) == 4))
    assert (stopped.status, len(stopped.history)) == ("stopped early", 4)
    X, Y = data()
    assert same(gn.train(NET, X, Y, resume=stopped, progress=False).parameters, whole.parameters)


def test_early_stopping_of_another_kind_starts_afresh_on_resume():
    first = trained(validation=0.3, callbacks=[gn.EarlyStopping("validation_cost", patience=50)])
    again = gn.train(
        resume=first, epochs=12, callbacks=[gn.EarlyStopping("validation_accuracy", patience=50)], progress=False
    )
    best = int(again.history["validation_accuracy"][6:].argmax()) + 6
    assert again.restored == best + 1


def test_of_two_early_stoppers_the_one_that_stopped_restores():
    rng = np.random.default_rng(2)
    held = rng.normal(size=(40, 3)), rng.integers(0, 2, 40)
    watching = [gn.EarlyStopping("cost", patience=1000, restore_best=False), gn.EarlyStopping(patience=5)]
    run = trained(epochs=300, optimizer=gn.Adam(0.05), validation=held, callbacks=watching)
    assert run.status == "stopped early"
    assert run.restored == int(run.history["validation_cost"].argmin()) + 1


def test_lbfgs_with_early_stopping_resumes_to_the_same_end():
    options = {"validation": 0.3, "seed": 3, "optimizer": gn.LBFGS(), "callbacks": [gn.EarlyStopping(patience=2)]}
    whole = trained(epochs=30, **options)
    part = trained(epochs=3, **options)
    again = gn.train(resume=part, epochs=30, progress=False)
    assert whole.status == again.status == "stopped early"
    assert "converged" not in whole.message
    assert same(whole.parameters, again.parameters)


def test_a_run_with_batch_norm_can_be_a_start():
    run = trained(BN)
    X, _ = data()
    again = trained(BN, epochs=0, initial_parameters=run.parameters)
    assert same(again.parameters, run.parameters)
    assert np.array_equal(again.predict(X), run.predict(X))


def test_a_large_penalty_is_no_divergence():
    run = trained(l2=1e5, optimizer=gn.SGD(1e-7), epochs=3)  # a warning would be an error here
    assert run.status == "finished"


def test_one_sample_at_a_time_under_batch_norm_is_warned_about():
    with pytest.warns(gn.GlassnetWarning, match="BatchNorm gets one sample at a time"):
        trained(BN, batch_size=1, epochs=1)


def test_a_failing_callback_loses_nothing(tmp_path):
    def fails(run):
        if len(run.history) == 3:
            raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        trained(callbacks=[fails], out=tmp_path / "r", epochs=9)
    kept = gn.Run.load(tmp_path / "r")
    assert (kept.status, len(kept.history)) == ("failed", 3)
    assert same(gn.train(resume=tmp_path / "r", progress=False).parameters, trained(epochs=9).parameters)


def test_a_monitor_that_is_no_number_is_said():
    X, _ = data()
    net = gn.Network(3, gn.Dense(1))
    with pytest.raises(gn.GlassnetError, match="watches 'validation_r2', which is not a number after epoch 1"):
        trained(net, X, X[:, 0], validation=(X, np.ones(40)), callbacks=[gn.EarlyStopping("validation_r2")])


def test_data_left_out_stay_left_out_on_resume(tmp_path):
    run = trained()
    run.save(tmp_path / "r", data=False)
    X, Y = data()
    gn.train(resume=tmp_path / "r", X=X, Y=Y, epochs=8, progress=False)
    assert not (tmp_path / "r/data.safetensors").exists()


def test_other_validation_data_are_refused_on_resume(tmp_path):
    X, Y = data()
    trained(validation=(X, Y), keep_data=False, out=tmp_path / "r")
    with pytest.raises(gn.RunError, match="These are not the validation data this run was trained with"):
        gn.train(resume=tmp_path / "r", X=X, Y=Y, validation=[X + 1, Y], epochs=8, progress=False)
    assert len(gn.train(resume=tmp_path / "r", X=X, Y=Y, validation=[X, Y], epochs=8, progress=False).history) == 8


def test_numpy_settings_are_plain_ones(tmp_path):
    a = trained(seed=np.int64(3), epochs=np.int32(4), batch_size=np.int64(8), record=np.int64(3), out=tmp_path / "r",
                callbacks=gn.EarlyStopping("cost", patience=np.int64(50)))  # fmt: skip
    assert same(gn.Run.load(tmp_path / "r").parameters, a.parameters)
    assert same(trained(seed=3, epochs=4, batch_size=8).parameters, a.parameters)


def test_without_standard_error_training_is_quiet(monkeypatch):
    import sys

    monkeypatch.setattr(sys, "stderr", None)
    X, Y = data()
    assert len(gn.train(NET, X, Y, epochs=2).history) == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"callbacks": gn.EarlyStopping}, "Write EarlyStopping() with its parentheses."),
        (
            {"initial_parameters": [1, 2]},
            "initial_parameters got list; it needs a dict such as {'W1': ..., 'b1': ...}.",
        ),
        ({"source": {"a": {1}}}, "source cannot be stored"),
        ({"source": 5}, "source cannot be stored"),
        ({"shuffle": "no"}, "train got shuffle='no'; it needs True or False."),
        ({"max_seconds": True}, "train got max_seconds=True; it needs a number of seconds above 0."),
        ({"out": 5}, "out got 5; it needs the path of a run folder."),
        ({"out": "x" * 300}, "cannot be used: the name is too long; choose a shorter one."),
        ({"out": "a\0b"}, "cannot be used: "),
        ({"X": data()[0] + 1j}, "X has the type complex128; it needs real numbers."),
        ({"X": np.ma.masked_less(data()[0], 0)}, "X has masked entries, which are missing values"),
        (
            {"sample_weight": np.ones((40, 2))},
            "sample_weight has shape (40, 2); it needs (40,), one weight a row of X.",
        ),
        (
            {"validation": np.ones((3, 3))},
            "validation got ndarray; it needs a fraction between 0 and 1, or a pair (X, Y).",
        ),
        ({"validation": (*data(), np.ones(40))}, "validation got sample weights and training got none"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_more_that_cannot_be(change, said):
    with pytest.raises(gn.GlassnetError) as problem:
        trained(**change)
    assert said in str(problem.value)


def test_history_and_intermediates_say_what_they_take():
    run = trained(BN, batch_size=7)
    with pytest.raises(IndexError, match=r"^There is no row 99; this history has the rows 0 to 5\.$"):
        run.history[99]
    with pytest.raises(TypeError, match="A history is indexed by a column"):
        run.history[1.5]
    assert run.history["epoch", "cost"].columns == ["epoch", "cost"]
    with pytest.raises(gn.RunError, match=r"samples got \[99\]; it needs positions within the batch, 0 to 6"):
        run.intermediates(0, samples=[99])
    with pytest.raises(gn.RunError, match=r"run\.intermediates got '1'"):
        run.intermediates("1")
    for path in (5, None, ""):
        with pytest.raises(gn.RunError, match="it needs the path of a run folder"):
            gn.Run.load(path)
