"""Callbacks that say when they want to be called next; on both engines, and under solvers."""

import numpy as np
import pytest

import glassnet as gn
from glassnet.training.callbacks import Watchers

NET = gn.Network(2, gn.Dense(6, "tanh"), gn.Dense(1, "sigmoid"))


def rows(count=90):
    X = np.random.default_rng(5).normal(size=(count, 2))
    return X, (X[:, 0] * X[:, 1] > 0).astype(float)


class Every:
    """Called after every `step` epochs; notes when, and what it was told."""

    def __init__(self, step, stop_at=None, message=None):
        self.step, self.stop_at, self.message = step, stop_at, message
        self.seen, self.asked, self.began, self.says = [], [], 0, None

    def begins(self, run, say):
        self.began += 1
        self.says = say

    def next_due(self, epoch, epochs):
        self.asked.append((epoch, epochs))
        return epoch + self.step

    def __call__(self, run):
        self.seen.append(len(run.history))
        return len(run.history) == self.stop_at


def trained(engine, callbacks=(), **others):
    X, Y = rows()
    settings = {"epochs": 20, "batch_size": 32, "optimizer": gn.Adam(0.05), "progress": False, **others}
    return gn.train(NET, X, Y, engine=engine, callbacks=callbacks, **settings)


@pytest.mark.parametrize("engine", ["reference", "compiled"])
@pytest.mark.parametrize(("step", "seen"), [(1, list(range(1, 21))), (6, [6, 12, 18]), (20, [20]), (21, [])])
def test_is_called_when_it_is_due_and_the_training_is_the_same(engine, step, seen):
    alone, watcher = trained(engine), Every(step)
    run = trained(engine, [watcher])
    assert watcher.seen == seen
    assert watcher.began == 1
    assert watcher.asked == [(epoch, 20) for epoch in [0, *seen]]
    assert run.history.same_training(alone.history)
    assert all(np.array_equal(run.parameters[n], alone.parameters[n]) for n in alone.parameters)
    assert np.array_equal(run.at(31).parameters["W1"], alone.at(31).parameters["W1"])


@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_beside_one_that_is_called_after_every_epoch(engine):
    every, seldom = [], Every(7)
    trained(engine, [lambda run: every.append(run.history[-1]["epoch"]), seldom])
    assert every == list(range(1, 21))
    assert seldom.seen == [7, 14]


@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_the_newest_snapshot_is_there_when_it_is_called(engine):
    found = []

    class Look(Every):
        def __call__(self, run):
            found.append((run.iteration, run.snapshots.iterations[-1], run.at(run.iteration).parameters["W1"]))

    run = trained(engine, [Look(5)])
    assert [(a, b) for a, b, _ in found] == [(15, 15), (30, 30), (45, 45), (60, 60)]
    for iteration, _, W1 in found:
        assert np.array_equal(W1, run.at(iteration).parameters["W1"])


@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_stops_and_may_say_why(engine):
    plain = trained(engine, [Every(4, stop_at=8)])
    assert (plain.status, plain.message, len(plain.history)) == (
        "stopped early",
        "Stopped after epoch 8 by a callback.",
        8,
    )
    spoken = trained(engine, [Every(4, stop_at=8, message="Enough.")])
    assert (spoken.status, spoken.message) == ("stopped early", "Enough.")


@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_a_resumed_training_asks_from_where_it_goes_on(engine):
    begun = trained(engine, epochs=9)
    watcher = Every(4)
    run = gn.train(resume=begun, epochs=20, callbacks=[watcher], progress=False)
    assert watcher.asked[0] == (9, 20)
    assert watcher.seen == [13, 17]
    assert run.history.same_training(trained(engine).history)


@pytest.mark.parametrize("optimizer", [gn.LBFGS(), gn.Newton()])
def test_solvers_ask_too(optimizer):
    X, Y = rows()
    watcher = Every(2)
    run = gn.train(
        gn.Network(2, gn.Dense(1, "sigmoid")), X, Y, optimizer=optimizer, epochs=6, callbacks=[watcher], progress=False
    )
    assert watcher.seen == list(range(2, len(run.history) + 1, 2))


def test_says_nothing_without_progress_and_something_with_it(capsys):
    quiet = Every(3)
    trained("reference", [quiet], epochs=3)
    quiet.says("unheard")
    assert capsys.readouterr() == ("", "")

    class Loud(Every):
        def __call__(self, run):
            self.says("heard")

    trained("reference", [Loud(3)], epochs=3, progress=True)
    assert "heard" in capsys.readouterr().err


def test_due_is_the_nearest_and_never_now():
    watchers = Watchers([Every(5), Every(-3), lambda run: None])
    watchers.begin(None, 10, 20, print)
    assert watchers.due == 11  # −3 is taken as the next epoch
    assert Watchers([]).due == float("inf")
    assert not Watchers([])
