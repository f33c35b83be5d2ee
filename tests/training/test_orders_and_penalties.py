"""Batches in scikit-learn's order, penalties on the sum of the losses, memory carried on, sparse inputs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array, csr_matrix
from sklearn.utils import shuffle as sklearn_shuffle

import glassnet as gn
from glassnet.equations.draws import ShuffledOrders, ShuffleStream

NET = gn.Network(3, gn.Dense(4, "tanh"), gn.Dense(1, "sigmoid"))


def data(count=30, seed=0):
    draws = np.random.default_rng(seed)
    X = draws.standard_normal((count, 3)) * (draws.random((count, 3)) < 0.5)
    return X, (X[:, 0] > X[:, 1]).astype(float)


def quiet(*args, **settings):
    return gn.train(*args, progress=False, **{"epochs": 4, **settings})


def test_orders_are_those_of_scikit_learn():
    state, order, expected = np.random.RandomState(7), np.arange(13), []
    stream = ShuffleStream.of(state)
    for _ in range(4):
        order = sklearn_shuffle(order, random_state=state)
        expected.append(order)
    orders = ShuffledOrders(stream, 13)
    for epoch in (2, 0, 3, 1, 1):  # forwards and back
        np.testing.assert_array_equal(orders.order(epoch), expected[epoch])


def test_a_run_in_a_streams_order_replays_and_is_stored(tmp_path):
    X, y = data()
    run = quiet(NET, X, y, batch_size=8, shuffle=ShuffleStream.of(np.random.RandomState(3)), record="last")
    loaded = gn.Run.load(run.save(tmp_path / "run"))
    assert loaded.settings == run.settings
    half = quiet(NET, X, y, batch_size=8, shuffle=ShuffleStream.of(np.random.RandomState(3)), epochs=2)
    for name, value in half.parameters.items():
        np.testing.assert_array_equal(loaded.at(half.iteration).parameters[name], value)


def test_a_damaged_stream_is_refused():
    with pytest.raises(gn.GlassnetError) as caught:
        ShuffleStream("no base 64!", 3).generator()
    assert str(caught.value) == "A stored order of batches is damaged; its generator's state cannot be read."


def test_the_batch_cost_is_the_mean_of_j_over_the_batches():
    X, y = data(10)
    run = quiet(NET, X, y, batch_size=4, l2=0.3, epochs=1, record="all")
    total = sum(
        float(values["J"]) * len(values["X"]) for values in (run.intermediates(step) for step in range(run.batches))
    )
    assert run.history["batch_cost"][0] == pytest.approx(total / 10, rel=1e-14)


def test_a_penalty_on_the_sum_by_hand():
    # one weight 3, batches of all 2 samples, λ = 0.5: R = ½ · 0.5 · 9 / 2 = 1.125; its slope 0.5 · 3 / 2 = 0.75
    net = gn.Network(1, gn.Dense(1, bias=False))
    run = quiet(
        net, [[0.0], [0.0]], [0.0, 0.0], l2=0.5, penalty_on="sum", optimizer=gn.SGD(0.1), epochs=1,
        initial_parameters={"W1": [[3.0]]},
    )  # fmt: skip
    assert run.initial["penalty"] == pytest.approx(1.125, rel=1e-15)
    assert run.parameters["W1"][0, 0] == pytest.approx(3 - 0.1 * 0.75, rel=1e-15)
    assert "R = ½ λ Σ(W1²) / m" in str(run.derivation)


@pytest.mark.parametrize("weighted", [False, True])
def test_slopes_with_a_penalty_on_the_sum(weighted):
    X, y = data(9)
    w = np.linspace(0.5, 2, 9) if weighted else None
    derivation = gn.derive(NET, l1=0.2, l2=0.3, penalty_on="sum", sample_weight=weighted)
    check = gn.gradcheck(NET, X, y, sample_weight=w, derivation=derivation)
    assert check.passed, str(check)


def test_penalty_on_is_one_of_two():
    with pytest.raises(gn.GlassnetError) as caught:
        gn.derive(NET, penalty_on="meen")
    assert str(caught.value) == "There is no penalty_on 'meen'; did you mean 'mean'? Known: mean, sum."


def test_adam_goes_on_from_the_memory_of_an_earlier_run():
    X, y = data()
    whole = quiet(NET, X, y, optimizer=gn.Adam(0.05), epochs=6)
    first = quiet(NET, X, y, optimizer=gn.Adam(0.05), epochs=2)
    second = quiet(NET, X, y, optimizer=gn.Adam(0.05, updates_before=2), epochs=4, initial_parameters=first.state)
    for name, value in whole.parameters.items():
        np.testing.assert_allclose(second.parameters[name], value, rtol=1e-13)


def test_adam_with_epsilon_hat_by_hand():
    # g = 2, t = 1: m = 0.2, v = 0.004; α √0.001 / 0.1 · 0.2 / (√0.004 + ε), ε = 0.1
    net = gn.Network(1, gn.Dense(1, bias=False))
    run = quiet(
        net, [[1.0]], [-2.0], optimizer=gn.Adam(0.5, epsilon=0.1, epsilon_hat=True), epochs=1,
        initial_parameters={"W1": [[0.0]]},
    )  # fmt: skip
    expected = -0.5 * np.sqrt(0.001) / 0.1 * 0.2 / (np.sqrt(0.004) + 0.1)
    assert run.parameters["W1"][0, 0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("kind", [csr_array, csr_matrix])
@pytest.mark.parametrize("batch_size", [None, 7])
@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_sparse_inputs_train_as_dense_ones(kind, batch_size, optimizer, tmp_path):
    if optimizer == "lbfgs" and batch_size:
        batch_size = None
    X, y = data()
    settings = {"batch_size": batch_size, "optimizer": optimizer, "validation": 0.2}
    dense, run = quiet(NET, X, y, **settings), quiet(NET, kind(X), y, **settings)
    for name, value in dense.parameters.items():
        np.testing.assert_allclose(run.parameters[name], value, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(run.predict(kind(X)), dense.predict(X), rtol=1e-9)
    loaded = gn.Run.load(run.save(tmp_path / "run"))
    np.testing.assert_array_equal(loaded.data.X.toarray(), run.data.X.toarray())
    assert loaded.at(2).parameters["W1"].shape == (3, 4)
    if optimizer == "adam":
        np.testing.assert_allclose(run.intermediates(1)["X"], dense.intermediates(1)["X"])


def test_a_sparse_x_needs_a_dense_layer_first():
    X, y = data()
    with pytest.raises(gn.DataError) as caught:
        quiet(gn.Network(3, gn.Dropout(0.1), gn.Dense(1)), csr_array(X), y)
    assert str(caught.value) == (
        "X is sparse, and the network's first layer, dropout 0.1, needs every entry; pass X.toarray(), or put a Dense "
        "layer first."
    )
