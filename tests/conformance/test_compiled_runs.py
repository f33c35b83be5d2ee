"""Runs of the compiled engine: history, snapshots, replaying, folders, killing and resuming."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from twins import agree, assert_agree, inputs, same, targets, twins

import glassnet as gn

RICH = gn.Network(3, gn.Dense(6, "relu"), gn.BatchNorm(), gn.Dropout(0.2), gn.Dense(1, "sigmoid"))
X, Y = inputs(33), targets("binary_cross_entropy", 1, 33)


def trained(network=RICH, x=X, y=Y, **settings):
    return gn.train(network, x, y, engine="compiled", progress=False, **settings)


@pytest.mark.parametrize("record", ["auto", "all", "last", 3, 7])
@pytest.mark.parametrize("size", [None, 8])
def test_the_same_snapshots(record, size):
    compiled, reference = agree(RICH, X, Y, record=record, batch_size=size, epochs=13, optimizer=gn.SGD(0.1))
    for iteration in compiled.snapshots.iterations[1:]:
        mine, theirs = (run.snapshots[iteration].loop for run in (compiled, reference))
        assert set(mine) == set(theirs)
        assert mine["costs"] == pytest.approx(theirs["costs"], rel=1e-9)
        assert mine["squares"] == pytest.approx(theirs["squares"], rel=1e-9)


@pytest.mark.parametrize("record", ["auto", 9])
def test_the_same_snapshots_of_a_long_training(record):
    agree(gn.Network(3, gn.Dense(1, "sigmoid")), X, Y, record=record, batch_size=8, epochs=300, optimizer=gn.SGD(0.01))


@pytest.mark.parametrize("size", [None, 8])
def test_every_column_of_the_history(size):
    held = inputs(12, seed=8), targets("mean_squared_error", 2, 12), np.arange(12.0)
    for penalty_on in ("mean", "sum"):
        compiled, reference = agree(
            gn.Network(3, gn.Dense(6, "tanh"), gn.Dropout(0.2), gn.Dense(2)), X, targets("mean_squared_error", 2, 33), l1=0.01,
            l2=0.1, penalty_on=penalty_on, validation=held, sample_weight=np.arange(33.0), batch_size=size, epochs=12,
            optimizer=gn.SGD(gn.ExponentialDecay(0.05)),
        )  # fmt: skip
        assert compiled.history.columns == [
            "epoch", "iteration", "cost", "penalty", "r2", "validation_cost", "validation_r2", "batch_cost", "learning_rate",
            "gradient_norm", "seconds",
        ]  # fmt: skip
        assert np.array_equal(compiled.history["learning_rate"], reference.history["learning_rate"])
        assert compiled.initial == pytest.approx(reference.initial, rel=1e-12)  # each engine measures its own start
        seconds = compiled.history["seconds"]
        assert seconds[0] > 0
        assert (np.diff(seconds) >= 0).all()


def test_the_same_call_twice_is_bit_for_bit_the_same():
    first, second = (trained(epochs=9, batch_size=8, validation=0.2) for _ in range(2))
    assert same(first.parameters, second.parameters)
    assert first.history.same_training(second.history)
    assert not same(first.parameters, trained(epochs=9, batch_size=8, validation=0.2, seed=1).parameters)


def test_what_happens_beside_a_training_does_not_show():
    plain = trained(epochs=9, batch_size=8)
    watched = trained(epochs=9, batch_size=8, callbacks=[lambda run: None])
    recorded = trained(epochs=9, batch_size=8, record="all")
    held = trained(epochs=9, batch_size=8, validation=(X[:5], Y[:5]))
    for other in (watched, recorded, held):
        assert same(plain.parameters, other.parameters)
        for column in ("cost", "accuracy", "batch_cost", "gradient_norm"):
            assert np.array_equal(plain.history[column], other.history[column]), column


@pytest.mark.parametrize("size", [None, 8])
def test_the_values_of_a_step(size):
    compiled, reference = twins(RICH, X, Y, optimizer=gn.Adam(0.01), batch_size=size, epochs=6, record=4)
    for iteration in (0, 3, compiled.iteration - 1):
        mine, theirs = compiled.intermediates(iteration), reference.intermediates(iteration)
        assert set(mine) == set(theirs)
        for name in ("X", "Y", "M1"):
            assert np.array_equal(mine[name], theirs[name])
        for name in compiled.at(0).state:
            assert np.array_equal(mine[name], compiled.at(iteration).state[name])
            assert np.array_equal(mine[f"{name}.after"], compiled.at(iteration + 1).state[name])
            np.testing.assert_allclose(mine[f"{name}.after"], theirs[f"{name}.after"], rtol=1e-8, atol=1e-12)
    some = compiled.intermediates(3, samples=[2, 0])
    assert np.array_equal(some["dZ1"], compiled.intermediates(3)["dZ1"][[2, 0]])


def test_predictions_are_those_of_the_parameters():
    compiled, reference = twins(RICH, X, Y, optimizer=gn.SGD(0.1), batch_size=8, epochs=6)
    np.testing.assert_allclose(compiled.predict(X), reference.predict(X), rtol=1e-10)
    A = compiled.predict(X)
    assert compiled.history["cost"][-1] == pytest.approx(-np.mean(Y * np.log(A) + (1 - Y) * np.log(1 - A)), rel=1e-12)
    assert compiled.history["accuracy"][-1] == np.mean((A >= 0.5) == Y)


def test_the_callers_arrays_may_change_afterwards():
    x, y = X.copy(), Y.copy()
    run = trained(x=x, y=y, epochs=6, batch_size=8, record="last")
    x[:], y[:] = 0, 0
    assert same(run.at(7).state, trained(epochs=6, batch_size=8, record="all").at(7).state)
    kept = run.at(7).state["W1"].copy()
    run.at(11)
    assert np.array_equal(run.at(7).state["W1"], kept)


def test_arrays_of_any_layout():
    laid_out = [
        np.asfortranarray(X),
        np.ascontiguousarray(np.hstack([X, X]))[:, :3],
        X.repeat(2, axis=0)[::2],
        X.tolist(),
    ]
    expected = trained(epochs=3, batch_size=8)
    for x in laid_out:
        assert same(trained(x=x, epochs=3, batch_size=8).parameters, expected.parameters)
        assert same(trained(x=x, epochs=3).parameters, trained(epochs=3).parameters)


def test_what_the_compiled_engine_does_not_do():
    from scipy.sparse import csr_array

    with pytest.raises(gn.GlassnetError) as problem:
        trained(x=csr_array(X))
    assert str(problem.value) == (
        "engine='compiled' got sparse X; it needs every entry: pass X.toarray(), or engine='reference'."
    )
    for optimizer in (gn.LeastSquares(), gn.Newton()):
        with pytest.raises(gn.GlassnetError) as problem:
            trained(gn.Network(3, gn.Dense(1)), optimizer=optimizer)
        assert str(problem.value) == (
            f"engine='compiled' got {type(optimizer).__name__}, which is no loop of updates; leave engine at 'auto'."
        )


LARGE, LARGE_Y = inputs(2100, 20, seed=4), targets("categorical_cross_entropy", 3, 2100)
WIDE = gn.Network(20, gn.Dense(70, "tanh"), gn.Dropout(0.1), gn.Dense(40, "relu"), gn.Dense(3, "softmax"))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("size", [None, 500, 64])
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_any_number_of_threads(threads, size, dtype):
    settings = {
        "optimizer": gn.SGD(0.1, momentum=0.5), "batch_size": size, "epochs": 3, "dtype": dtype, "threads": threads, "l2": 1e-3,
        "sample_weight": np.arange(2100.0) % 3, "validation": 0.3, "record": 4,
    }  # fmt: skip
    compiled, _ = agree(WIDE, LARGE, LARGE_Y, **settings)
    again = trained(WIDE, LARGE, LARGE_Y, **settings)
    assert same(again.state, compiled.state)
    assert again.history.same_training(compiled.history)
    for iteration in (3, compiled.iteration - 1):
        replayed = gn.train(resume=compiled, epochs=3, progress=False).at(iteration)
        assert same(replayed.state, trained(WIDE, LARGE, LARGE_Y, **{**settings, "record": 1}).at(iteration).state)


@pytest.mark.parametrize("measure", ["auto", "all", 100, 5500])
def test_measuring_a_part_of_the_rows(measure):
    x, y = inputs(5200, 3, seed=6), targets("mean_squared_error", 1, 5200)
    net = gn.Network(3, gn.Dense(3, "tanh"), gn.Dense(1))
    for size in (None, 1000):
        agree(net, x, y, batch_size=size, epochs=2, measure=measure, validation=(x[:50], y[:50]), l2=0.1)


def test_two_trainings_at_once():
    settings = [
        {"epochs": 200, "batch_size": 8, "seed": 1},
        {"epochs": 500, "optimizer": gn.SGD(0.1), "seed": 2, "dtype": "float32"},
        {"epochs": 200, "batch_size": 5, "seed": 3, "validation": 0.2},
    ]
    one_by_one = [trained(**each) for each in settings]
    with ThreadPoolExecutor(3) as pool:
        at_once = list(pool.map(lambda each: trained(**each), settings))
    for mine, theirs in zip(at_once, one_by_one, strict=True):
        assert same(mine.state, theirs.state)
        assert mine.history.same_training(theirs.history)


def test_one_run_looked_at_from_two_threads():
    run = trained(epochs=40, batch_size=8, record="last")
    states = [run.at(i).state for i in range(0, 200, 20)]
    with ThreadPoolExecutor(4) as pool:
        again = list(pool.map(lambda i: run.at(i).state, range(0, 200, 20)))
    assert all(same(a, b) for a, b in zip(again, states, strict=True))


def test_a_folder_trained_into_is_the_run_saved(tmp_path):
    compiled, reference = twins(RICH, X, Y, epochs=5, batch_size=8, optimizer=gn.SGD(0.1), out=None)
    trained(epochs=5, batch_size=8, optimizer=gn.SGD(0.1), out=tmp_path / "a")
    loaded = gn.Run.load(tmp_path / "a")
    assert same(loaded.state, compiled.state)
    assert loaded.history.same_training(compiled.history)
    assert_agree(loaded, reference)
