"""The whole library in five seconds: from equations to a trained, saved, resumed and drawn network."""

from __future__ import annotations

import numpy as np
import pytest

import glassnet as gn
from glassnet.data import Preparation, dataset, split_rows
from glassnet.views import plot_boundary, plot_cost, save


@pytest.fixture(scope="module")
def flower():
    table = dataset("flower", seed=1).table
    preparation = Preparation.fit(table, "label")
    return table, preparation, preparation.transform(table), preparation.transform_target(table)


@pytest.fixture(scope="module")
def run(flower):
    _, preparation, X, Y = flower
    net = gn.Network(2, gn.Dense(20, "tanh"), gn.Dense(1, "sigmoid"))
    return gn.train(
        net, X, Y, optimizer=gn.Adam(0.05), epochs=150, batch_size=80, validation=0.2, seed=3, preparation=preparation,
        progress=False,
    )  # fmt: skip


def test_equations_are_derived_printed_and_checked(run, flower):
    derivation = gn.derive(run.network, optimizer=run.settings.optimizer)
    page = str(derivation)
    assert "  dZ2 = (A2 − Y) / m " in page
    assert "  dZ1 = dA1 ⊙ (1 − A1²) " in page
    _, _, X, Y = flower
    check = gn.gradcheck(run.network, X[:6], Y[:6], parameters=run.parameters)
    assert check.passed, check


def test_a_network_learns_the_flower_and_a_regression_does_not(run, flower):
    _, _, X, Y = flower
    assert run.status == "finished"
    assert run.history["cost"][-1] < 0.6 * run.initial["cost"]
    assert run.history["accuracy"][-1] > 0.8
    assert len(run.history) == 150
    assert run.history["validation_accuracy"][-1] > 0.7
    regression = gn.train(gn.Network(2, gn.Dense(1, "sigmoid")), X, Y, epochs=60, optimizer="lbfgs", progress=False)
    assert regression.history["accuracy"][-1] < 0.65


def test_every_moment_of_it_can_be_seen(run):
    last = run.iteration
    assert last == 150 * run.batches
    assert all(np.array_equal(run.at(last).parameters[name], value) for name, value in run.parameters.items())
    start = run.network.initial_parameters(3)
    assert all(np.array_equal(run.at(0).parameters[name], value) for name, value in start.items())
    # the step from 41 to 42 by hand: what the page says is what was done
    values = run.intermediates(41)
    before, after = run.at(41), run.at(42)
    np.testing.assert_allclose(
        values["Z1"], values["X"] @ before.parameters["W1"] + before.parameters["b1"], rtol=1e-12
    )
    np.testing.assert_allclose(values["dZ2"], (values["A2"] - values["Y"]) / len(values["X"]), atol=1e-15)
    np.testing.assert_allclose(values["dW2"], values["A1"].T @ values["dZ2"], rtol=1e-9, atol=1e-14)
    m, t = 0.9 * before.state["mW1"] + 0.1 * values["dW1"], 42
    v = 0.999 * before.state["vW1"] + 0.001 * values["dW1"] ** 2
    step = 0.05 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    np.testing.assert_allclose(after.parameters["W1"], before.parameters["W1"] - step, rtol=1e-12)


def test_it_is_saved_loaded_and_resumed(run, flower, tmp_path):
    table, _, X, _ = flower
    run.save(tmp_path / "flower")
    loaded = gn.Run.load(tmp_path / "flower")
    assert np.array_equal(loaded.predict(X), run.predict(X))
    assert loaded.network == run.network
    longer = gn.train(resume=tmp_path / "flower", epochs=152, progress=False)
    assert longer.iteration == 152 * run.batches
    assert np.array_equal(longer.history["cost"][:150], run.history["cost"])
    # the table again, its columns the other way round: names decide, not places
    turned = table.select(["x2", "x1"])
    assert np.array_equal(loaded.predict(turned), run.predict(X))
    labels = loaded.predict_labels(turned)
    truth = np.asarray(table.column("label").to_pylist())
    assert np.mean(labels == truth) > 0.8


def test_pictures(run, flower, tmp_path):
    table, _, X, _ = flower
    truth = table.column("label").to_pylist()
    for name, axes in (
        ("cost", plot_cost(run.history)),
        ("boundary", plot_boundary(run.predict, X, truth, resolution=40)),
    ):
        file = save(axes, tmp_path / f"{name}.png", dpi=60)
        assert file.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_iris_with_early_stopping():
    table = dataset("iris").table
    train_rows, test_rows = split_rows(table.column("species").to_pylist(), test=1 / 3, seed=0)
    preparation = Preparation.fit(table, "species", rows=train_rows)
    X, Y = preparation.transform(table), preparation.transform_target(table)
    run = gn.train(
        gn.Network(4, gn.Dense(10, "relu"), gn.Dense(3, "softmax")), X[train_rows], Y[train_rows],
        optimizer=gn.Adam(0.05), epochs=200, batch_size=10, validation=(X[test_rows], Y[test_rows]), l2=1e-3,
        callbacks=[gn.EarlyStopping(patience=5)], preparation=preparation, progress=False,
    )  # fmt: skip
    assert run.status == "stopped early"
    assert len(run.history) < 200
    best = int(np.argmin(run.history["validation_cost"]))
    assert run.restored == (best + 1) * run.batches
    assert len(run.history) == best + 1 + 5
    labels = run.predict_labels(table.take(test_rows))
    truth = np.asarray(table.column("species").to_pylist())[test_rows]
    assert np.mean(labels == truth) >= 0.9
