"""`states_at`: the moments of `run.at`, in one walk."""

from __future__ import annotations

import numpy as np
import pytest

import glassnet as gn
from glassnet.training.walk import states_at

rng = np.random.default_rng(1)
X = rng.standard_normal((25, 3))
Y = (X[:, :1] > X[:, 1:2]).astype(float)
NET = gn.Network(3, gn.Dense(5, "relu"), gn.BatchNorm(), gn.Dropout(0.2), gn.Dense(1, "sigmoid"))
SETTINGS = {
    "adam": {"optimizer": gn.Adam(0.05), "batch_size": 8},
    "full": {"optimizer": gn.SGD(0.5, momentum=0.9)},
    "adaptive": {"optimizer": gn.SGD(gn.Adaptive(0.5, patience=1, tolerance=0.05)), "batch_size": 8},
}


@pytest.mark.parametrize("engine", ["reference", "compiled"])
@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("record", ["auto", "last"])
def test_every_state_is_that_of_run_at(engine, name, record):
    run = gn.train(NET, X, Y, epochs=30, engine=engine, record=record, progress=False, **SETTINGS[name])
    asked = sorted({0, 1, 2, 7, run.iteration // 3, run.iteration // 2 + 1, run.iteration})
    seen = []
    for iteration, state in states_at(run, asked):
        seen.append(iteration)
        there = run.at(iteration).state
        assert list(state) == list(there)
        for key in there:
            np.testing.assert_array_equal(state[key], there[key])
    assert seen == asked


def test_what_lies_between_is_replayed_once(monkeypatch):
    run = gn.train(NET, X, Y, epochs=200, record="last", engine="reference", progress=False)
    made, step = [], type(run.engine).step
    monkeypatch.setattr(type(run.engine), "step", lambda self, *args: made.append(1) or step(self, *args))
    list(states_at(run, range(0, 200, 10)))
    assert len(made) == 190


def test_a_run_without_gradient_steps_walks_too():
    run = gn.train(gn.Network(3, gn.Dense(1, "sigmoid")), X, Y, optimizer=gn.Newton(), epochs=20, progress=False)
    for iteration, state in states_at(run, range(run.iteration + 1)):
        np.testing.assert_array_equal(state["W1"], run.at(iteration).state["W1"])


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ([3, 1], "states_at needs iterations that increase, each named once."),
        ([2, 2], "states_at needs iterations that increase, each named once."),
        ([0, 31], "states_at got 31; this training has iterations 0 to 30."),
    ],
)
def test_bad_iterations(asked, sentence):
    run = gn.train(NET, X, Y, epochs=30, progress=False)
    with pytest.raises(gn.RunError) as caught:
        list(states_at(run, asked))
    assert str(caught.value) == sentence
