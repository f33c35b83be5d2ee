"""Every number of the evidence equals the trace's, or a computation by hand."""

import math

import numpy as np
import pytest

import glassnet as gn
from glassnet.diagnosis.evidence import (
    Evidence,
    cost_of_guessing,
    dead_units,
    gradient_noise,
    moments,
    predicted_shares,
    saturated_share,
    some_rows,
    spread_over_rows,
    units_alike,
)

NET = gn.Network(2, gn.Dense(7, "relu"), gn.Dense(5, "tanh"), gn.Dense(1, "sigmoid"))


def rows(count=96, seed=3):
    X = np.random.default_rng(seed).normal(size=(count, 2))
    return X, (X[:, 0] * X[:, 1] > 0).astype(float)


def trained(network=NET, engine="reference", X=None, Y=None, **settings):
    if X is None:
        X, Y = rows()
    settings = {"epochs": 12, "optimizer": gn.Adam(0.03), "l2": 0.01, "progress": False, **settings}
    return gn.train(network, X, Y, engine=engine, **settings)


@pytest.mark.parametrize("engine", ["reference", "compiled"])
@pytest.mark.parametrize("batch_size", [None, 32])
def test_what_a_step_does_equals_the_trace(engine, batch_size):
    run = trained(engine=engine, batch_size=batch_size)
    evidence = Evidence.of(run, at=[0, 1, 5, 9])
    assert [look.iteration for look in evidence.looks] == [0, 1, 5, 9]
    for look in evidence.looks:
        trace = run.trace(look.iteration)
        assert look.cost == pytest.approx(float(trace["J"]), rel=1e-12)
        assert look.penalty == pytest.approx(float(trace["R"]), rel=1e-12)
        squares = 0.0
        for layer in look.layers:
            W, dW, db = (np.asarray(trace[f"{n}{layer.layer}"]) for n in ("W", "dW", "db"))
            after = run.intermediates(look.iteration)[f"W{layer.layer}.after"]
            square = (dW**2).sum() + (db**2).sum()
            squares += square
            assert layer.gradient_norm == pytest.approx(math.sqrt(square), rel=1e-9)
            assert layer.gradient_rms == pytest.approx(math.sqrt(square / (dW.size + db.size)), rel=1e-9)
            assert layer.weight_norm == pytest.approx(np.linalg.norm(W), rel=1e-9)
            assert layer.update_norm == pytest.approx(np.linalg.norm(after - W), rel=1e-7)
            assert layer.update_ratio == pytest.approx(np.linalg.norm(after - W) / np.linalg.norm(W), rel=1e-7)
        assert look.gradient_norm == pytest.approx(math.sqrt(squares), rel=1e-9)
        assert look.epoch == look.iteration // run.batches


def test_what_units_say_equals_the_trace_of_a_full_batch():
    run = trained()
    look = Evidence.of(run, at=[7]).looks[0]
    trace = run.trace(7)
    for layer in look.layers:
        A = np.asarray(trace[f"A{layer.layer}"])
        assert layer.values == f"A{layer.layer}"
        assert layer.units == A.shape[1]
        assert layer.dead == tuple(np.flatnonzero((A == 0).all(axis=0)))
        assert layer.spread == pytest.approx(A.std(axis=0).mean(), rel=1e-12)
    assert [layer.activation for layer in look.layers] == ["relu", "tanh", "sigmoid"]
    A2 = np.asarray(trace["A2"])
    assert look.layers[1].saturated == (np.abs(A2) > 0.975).mean()
    A3 = np.asarray(trace["A3"])
    assert look.output_spread == pytest.approx(A3.std(), rel=1e-12)
    assert look.shares == pytest.approx(((A3 < 0.5).mean(), (A3 >= 0.5).mean()))


def test_gradient_norm_of_an_epoch_is_the_histories():
    run = trained(batch_size=None)
    evidence = Evidence.of(run, at=[0, 4])
    # The history's row of epoch e has the norm of its only update, the one from iteration e − 1.
    assert evidence.looks[0].gradient_norm == pytest.approx(run.history["gradient_norm"][0], rel=1e-12)
    assert evidence.looks[1].gradient_norm == pytest.approx(run.history["gradient_norm"][4], rel=1e-12)


def test_the_end_equals_the_trace_of_a_longer_training():
    short, longer = trained(batch_size=32, epochs=6), trained(batch_size=32, epochs=7)
    end = Evidence.of(short).end
    assert end.iteration == short.iteration
    trace = longer.trace(short.iteration)
    assert end.cost == pytest.approx(float(trace["J"]), rel=1e-12)
    assert end.layers[0].weight_norm == pytest.approx(np.linalg.norm(trace["W1"]), rel=1e-12)


def test_noise_equals_the_traces_of_the_epochs_batches():
    run = trained(
        batch_size=16, optimizer=gn.SGD(1e-12)
    )  # the state hardly moves, so each step's trace is at one state
    noise = gradient_noise(run, 0, dict(run.at(0).state), some_rows(run))
    names = [f"d{p.name}" for p in run.derivation.parameters]
    G = np.stack([np.concatenate([np.asarray(run.trace(i)[n]).ravel() for n in names]) for i in range(6)])
    mean = G.mean(axis=0)
    assert noise.batches == 6
    # Six batches of 16 are all 96 rows, so their mean is the full gradient (the penalty is in each once).
    assert noise.full_norm == pytest.approx(np.linalg.norm(mean), rel=1e-8)
    assert noise.variance == pytest.approx(np.trace(np.cov(G.T)), rel=1e-8)
    assert noise.scale == pytest.approx(16 * np.trace(np.cov(G.T)) / (mean @ mean), rel=1e-8)
    full = trained(batch_size=None, optimizer=gn.SGD(1e-12)).trace(0)
    assert noise.full_norm == pytest.approx(
        np.linalg.norm(np.concatenate([np.ravel(full[n]) for n in names])), rel=1e-8
    )
    whole = trained(batch_size=None)
    assert gradient_noise(whole, 0, {}, some_rows(whole)) is None


def test_dropout_leaves_nothing_out_of_what_units_say():
    network = gn.Network(2, gn.Dense(7, "relu"), gn.Dropout(0.5), gn.Dense(1, "sigmoid"))
    run = trained(network, l2=0.0)
    look = Evidence.of(run, at=[3]).looks[0]
    X, _ = rows()
    state = run.at(3).parameters
    A1 = np.maximum(X @ state["W1"] + state["b1"], 0)
    assert look.layers[0].spread == pytest.approx(A1.std(axis=0).mean(), rel=1e-12)
    A2 = 1 / (1 + np.exp(-(A1 @ state["W2"] + state["b2"])))
    assert look.output_spread == pytest.approx(A2.std(), rel=1e-12)
    assert look.cost == pytest.approx(float(run.trace(3)["J"]), rel=1e-12)  # the step's own: with its mask


def test_many_rows_are_looked_at_evenly():
    X, Y = rows(1200)
    run = trained(X=X, Y=Y, batch_size=100, epochs=2)
    look = Evidence.of(run, at=[0]).looks[0]
    chosen = np.unique(np.linspace(0, 1199, 512).astype(int))
    A1 = np.maximum(X[chosen] @ run.at(0).parameters["W1"], 0)
    assert look.layers[0].spread == pytest.approx(A1.std(axis=0).mean(), rel=1e-12)


@pytest.mark.parametrize("record", ["auto", "last", 5])
def test_moments_are_few_and_cheap(record):
    run = trained(batch_size=16, epochs=50, record=record)
    found = moments(run)
    assert found[0] == 0
    assert found[1] == 1
    assert found[-1] == run.iteration == 300
    assert len(found) <= 8
    assert Evidence.of(run).middle.iteration in found
    if record == "auto":
        assert {i for i in found if i > 30} <= set(run.snapshots.iterations)  # nothing far is replayed
    same = Evidence.of(trained(batch_size=16, epochs=50), at=found)
    assert [look.cost for look in Evidence.of(run).looks] == [look.cost for look in same.looks]


@pytest.mark.parametrize("optimizer", [gn.LBFGS(), gn.Newton(), gn.LeastSquares()])
def test_solvers_have_no_steps_of_lines(optimizer):
    X, Y = rows()
    linear = isinstance(optimizer, gn.LeastSquares)
    network = gn.Network(2, gn.Dense(1, "linear" if linear else "sigmoid"))
    run = gn.train(
        network, X, X[:, 0] + 2 * X[:, 1] + Y if linear else Y, optimizer=optimizer, epochs=5, progress=False
    )
    evidence = Evidence.of(run)
    assert math.isnan(evidence.end.layers[0].update_norm)
    assert evidence.end.gradient_norm < evidence.start.gradient_norm


def test_frozen_and_moved():
    still = {"W1": -np.ones((2, 7)), "b1": np.full(7, -50.0)}  # every first unit is dead from the start
    evidence = Evidence.of(trained(l2=0.0, initial_parameters=still))
    assert evidence.frozen == ("W1", "W2")  # A1 = 0, so dW2 = A1ᵀ dZ2 = 0 too
    assert evidence.moved[:2] == (0.0, 0.0)
    assert evidence.end.layers[0].dead == tuple(range(7))
    assert evidence.end.layers[0].all_dead
    run = trained()
    moved = Evidence.of(run).moved
    W, W0 = run.parameters["W3"], run.at(0).parameters["W3"]
    assert moved[2] == pytest.approx(np.linalg.norm(W - W0) / np.linalg.norm(W0))
    assert Evidence.of(run).frozen == ()


def test_shares_of_classes():
    X, _ = rows()
    labels = np.arange(96) % 3
    labels[:24] = 0  # 24 + 24, 24, 24
    run = trained(gn.Network(2, gn.Dense(4, "tanh"), gn.Dense(3, "softmax")), X=X, Y=labels)
    evidence = Evidence.of(run)
    assert evidence.shares == (0.5, 0.25, 0.25)
    predicted = run.predict(X).argmax(axis=1)
    assert evidence.end.shares == tuple(np.bincount(predicted, minlength=3) / 96)
    numbers = trained(gn.Network(2, gn.Dense(1)), X=X, Y=X[:, 0] * 3.0)
    assert Evidence.of(numbers).shares == ()
    assert predicted_shares(numbers, numbers.predict(X)) == ()


def test_small_pieces_by_hand():
    A = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    assert dead_units(A) == (0, 2)
    assert dead_units(np.stack([A, A], axis=2)[..., None]) == (0, 2)  # of pictures: maps
    assert saturated_share(np.array([[0.98, -0.99], [0.5, 0.97]]), "tanh") == 0.5
    assert saturated_share(np.array([[0.99, 0.5], [0.01, 0.5]]), "sigmoid") == 0.5
    assert saturated_share(np.ones((2, 2)), "relu") == 0.0
    assert spread_over_rows(np.array([[0.0, 1.0], [2.0, 1.0]])) == 0.5  # deviations 1 and 0
    assert units_alike(np.array([[1.0, 1.0], [2.0, 2.0]]))
    assert not units_alike(np.array([[1.0, 1.0], [2.0, 3.0]]))
    assert not units_alike(np.array([[1.0], [2.0]]))  # one unit


def test_cost_of_guessing_is_the_least_of_all_constants():
    Y = np.array([[1.0], [1.0], [1.0], [0.0]])
    assert cost_of_guessing("binary_cross_entropy", Y) == pytest.approx(-0.75 * math.log(0.75) - 0.25 * math.log(0.25))
    one_hot = np.eye(3)[[0, 0, 1, 2]]
    assert cost_of_guessing("categorical_cross_entropy", one_hot) == pytest.approx(1.5 * math.log(2))
    y = np.array([[1.0], [2.0], [6.0]])  # mean 3, squares 4 + 1 + 9; median 2, distances 1 + 0 + 4
    assert cost_of_guessing("mean_squared_error", y) == pytest.approx(0.5 * 14 / 3)
    assert cost_of_guessing("mean_absolute_error", y) == pytest.approx(5 / 3)
    assert math.isnan(cost_of_guessing("huber", y))


def test_at_the_start_of_a_network_that_guesses_the_cost_is_that_of_guessing():
    X, Y = rows()
    p = Y.mean()
    start = {"W1": np.zeros((2, 1)), "b1": np.array([math.log(p / (1 - p))])}
    run = gn.train(gn.Network(2, gn.Dense(1, "sigmoid")), X, Y, epochs=1, initial_parameters=start, progress=False)
    assert Evidence.of(run).guessing == pytest.approx(run.initial["cost"], rel=1e-12)


def test_a_training_that_diverged_is_looked_at_up_to_its_last_finite_iteration():
    X, _ = rows()
    with pytest.warns(gn.GlassnetWarning):
        run = gn.train(
            gn.Network(2, gn.Dense(8, "relu"), gn.Dense(1)),
            X * 1e3,
            X[:, 0],
            optimizer=gn.SGD(1.0),
            epochs=50,
            progress=False,
        )
    assert run.status == "diverged"
    evidence = Evidence.of(run)
    assert evidence.end.iteration == run.iteration
    assert evidence.start.cost == pytest.approx(float(run.trace(0)["J"]))
