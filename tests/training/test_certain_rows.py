"""Passing over rows that the threshold rule has right: bit for bit the training that takes each by itself."""

from __future__ import annotations

import numpy as np
import pytest

import glassnet as gn
from glassnet.training.certain_rows import CertainRows


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize(
    "settings", [{}, {"shuffle": False}, {"weighted": True}, {"bias": False}, {"dtype": "float32"}], ids=str
)
def test_the_same_training(outputs, settings):
    draws = np.random.default_rng(outputs)
    X = draws.normal(size=(120, 4)).round(1)  # rounded, so that some scores are exactly 0
    Y = (X @ draws.normal(size=(4, outputs)) + 0.3 * draws.normal(size=(120, outputs)) > 0).astype(float)
    chosen = dict(settings)
    w = draws.integers(1, 3, 120).astype(float) if chosen.pop("weighted", False) else None
    net = gn.Network(4, gn.Dense(outputs, "step", init="zeros", bias=chosen.pop("bias", True)))
    chosen |= {"optimizer": gn.SGD(1.0), "batch_size": 1, "epochs": 5, "sample_weight": w, "progress": False}
    every = gn.train(net, X, Y, record="all", **chosen)
    passing = gn.train(net, X, Y, **chosen)
    assert CertainRows.known(passing)
    assert not CertainRows.known(every)
    for iteration in (0, 1, 57, 240, 333, 600):
        for name, value in every.at(iteration).parameters.items():
            np.testing.assert_array_equal(passing.at(iteration).parameters[name], value)
    assert passing.iteration == every.iteration == 600
    for column in ("cost", "accuracy", "batch_cost", "gradient_norm"):
        np.testing.assert_array_equal(passing.history[column], every.history[column])


def test_only_the_threshold_rule_passes_over_rows():
    X, y = np.eye(3), np.array([0.0, 1, 1])
    step, sigmoid = gn.Network(3, gn.Dense(1, "step")), gn.Network(3, gn.Dense(1, "sigmoid"))
    for net, settings in (
        (sigmoid, {"batch_size": 1}), (step, {}), (step, {"batch_size": 1, "l2": 0.1}),
        (step, {"batch_size": 1, "optimizer": gn.SGD(0.1, momentum=0.5)}), (step, {"batch_size": 1, "optimizer": gn.Adam()}),
    ):  # fmt: skip
        run = gn.train(net, X, y, **{"optimizer": gn.SGD(1.0), "epochs": 1, "progress": False, **settings})
        assert not CertainRows.known(run)


def test_a_killed_training_goes_on_exactly(tmp_path):
    draws = np.random.default_rng(0)
    X = draws.normal(size=(60, 3))
    y = (X[:, 0] > 0.2 * draws.normal(size=60)).astype(float)
    net = gn.Network(3, gn.Dense(1, "step", init="zeros"))
    settings = {"optimizer": gn.SGD(1.0), "batch_size": 1, "progress": False}
    whole = gn.train(net, X, y, epochs=6, **settings)
    gn.train(net, X, y, epochs=3, out=tmp_path / "run", **settings)
    longer = gn.train(resume=tmp_path / "run", epochs=6, progress=False)
    np.testing.assert_array_equal(longer.parameters["W1"], whole.parameters["W1"])
