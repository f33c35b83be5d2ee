"""`Watch`: what it sees while a training runs, when it looks, and what it leaves alone."""

import copy
import math
import pickle
import warnings

import numpy as np
import pytest
from sklearn.datasets import make_circles, make_moons

import glassnet as gn
from glassnet.diagnosis import watch as watching
from glassnet.diagnosis.case import Case
from glassnet.diagnosis.watch import Watch

NET = gn.Network(2, gn.Dense(16, "relu"), gn.Dense(16, "relu"), gn.Dense(1, "sigmoid"))
DEAD = {"b2": np.full(16, -1000.0)}


def moons(count=300, seed=0):
    X, y = make_moons(count, noise=0.15, random_state=seed)
    return X * 1.0, y.astype(float)


@pytest.fixture
def all_looks(monkeypatch):
    """As if each look took no time, so that it looks as often as it would like to."""
    monkeypatch.setattr(watching, "SHARE_OF_TIME", math.inf)


def trained(watch, network=NET, engine="compiled", X=None, Y=None, **settings):
    if X is None:
        X, Y = moons()
    settings = {"epochs": 50, "batch_size": 32, "optimizer": gn.Adam(0.01), "progress": False, **settings}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gn.GlassnetWarning)
        return gn.train(network, X, Y, engine=engine, callbacks=[] if watch is None else [watch], **settings)


def same(run, other):
    names = run.parameters
    return run.history.same_training(other.history) and all(
        np.array_equal(run.parameters[n], other.parameters[n]) for n in names
    )


@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_a_healthy_training_is_not_alarmed_about_and_stays_as_it_was(engine, all_looks):
    watch = Watch(stop=True, expected=0.98)
    run = trained(watch, engine=engine, epochs=100)
    assert run.history["accuracy"][-1] > 0.95
    assert all(f.severity == "note" for f in watch.findings)
    assert run.status == "finished"
    assert same(run, trained(None, engine=engine, epochs=100))
    assert watch.looks == [2, 4, 7, 10, 15, 20, 30, 40, 50, 65, 80, 100]


@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_a_dead_layer_is_seen_at_the_first_look(engine, all_looks):
    watch = Watch()
    run = trained(watch, engine=engine, initial_parameters=DEAD)
    assert run.status == "finished"
    finding = next(f for f in watch.findings if f.kind == "arch.dying_relu")
    assert finding.severity == "critical"
    assert finding.where.layer == 2
    assert finding.where.units == tuple(range(16))
    assert watch.first_seen["arch.dying_relu"] == 1  # 2 % of 50
    assert finding in watch.early(0.3)
    assert watch.early(0.0) == ()
    assert same(run, trained(None, engine=engine, initial_parameters=DEAD))


@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_a_hopeless_training_is_stopped_and_the_message_says_why(engine, all_looks):
    watch = Watch(stop=True)
    run = trained(watch, engine=engine, initial_parameters=DEAD)
    assert run.status == "stopped early"
    assert len(run.history) == 1
    assert run.message == ("Stopped after epoch 1 by Watch, arch.dying_relu: All units of layer 2 are 0 for every row.")


def test_a_gradient_of_zero_is_hopeless(all_looks):
    X, y = moons()
    network = gn.Network(2, gn.Dense(8, "tanh"), gn.Dense(1, "relu"))
    watch = Watch(stop=True)
    start = {"b2": np.array([-100.0])}
    run = trained(watch, network, X=X, Y=y, loss="mean_squared_error", initial_parameters=start)
    assert (run.history["gradient_norm"] == 0).all()
    assert "arch.frozen" in {f.kind for f in watch.findings}
    assert run.status == "stopped early"


def test_a_cost_a_thousand_times_that_of_guessing_is_hopeless(all_looks):
    X, _ = moons()
    network = gn.Network(2, gn.Dense(16, "tanh"), gn.Dense(1))
    watch = Watch(stop=True)
    run = trained(watch, network, X=X, Y=X[:, 0] - X[:, 1], optimizer=gn.Adam(100.0))
    finding = next(f for f in watch.findings if f.kind == "training.divergence")
    assert finding.severity == "critical"
    y = X[:, 0] - X[:, 1]
    assert finding.measured[0].value == pytest.approx(run.history["cost"][-1] / (0.5 * y.var()))
    assert run.status == "stopped early"


def test_outputs_that_are_all_alike_and_do_not_move(all_looks):
    zero = {"W1": np.zeros((2, 16)), "W2": np.zeros((16, 16)), "W3": np.zeros((16, 1))}
    X, y = moons()  # as many of each class, so the bias has nothing to learn either
    tanh = gn.Network(2, gn.Dense(16, "tanh"), gn.Dense(16, "tanh"), gn.Dense(1, "sigmoid"))
    watch = Watch(stop=True)
    run = trained(watch, tanh, X=X, Y=y, batch_size=None, initial_parameters=zero)
    finding = next(f for f in watch.findings if f.kind == "training.base_rate")
    assert finding.measured[0].value == 0.0
    assert run.status == "stopped early"


def test_a_deep_tanh_network_that_is_slow_at_first_is_not_hopeless(all_looks):
    """It sits on a plateau for a good part of its epochs and learns then."""
    X, y = make_circles(300, noise=0.05, factor=0.5, random_state=0)
    deep = gn.Network(2, *[gn.Dense(8, "tanh")] * 6, gn.Dense(1, "sigmoid"))
    watch = Watch(stop=True, expected=0.99)
    run = trained(watch, deep, X=X, Y=y * 1.0, epochs=300, optimizer=gn.SGD(0.015))
    assert run.history["accuracy"][-1] > 0.95
    assert run.history["cost"][90] > 0.9 * run.initial["cost"]
    assert run.status == "finished"
    early = watch.early(0.3)
    assert early
    assert all(f.severity == "note" for f in early)


def test_far_below_what_a_healthy_network_reaches(all_looks):
    slow = Watch(expected=0.98)
    trained(slow, optimizer=gn.SGD(1e-6))
    finding = next(f for f in slow.findings if f.kind == "training.falls_short")
    assert finding.severity == "warning"
    assert slow.first_seen["training.falls_short"] >= 30
    assert {"training.plateau"} <= {f.kind for f in slow.early()}


def test_numbers_of_a_look_are_the_trainings_own(all_looks):
    X, _ = moons()
    y = X[:, 0] * 2
    watch = Watch()
    run = trained(watch, gn.Network(2, gn.Dense(4, "tanh"), gn.Dense(1)), X=X, Y=y, epochs=50, optimizer=gn.SGD(1e-6))
    finding = next(f for f in watch.findings if f.kind == "training.slow")
    epoch = watch.first_seen["training.slow"]
    costs = run.history["cost"][:epoch]
    window = costs[-max(3, epoch // 2) :]
    projected = costs[-1] - (window[0] - window[-1]) / (len(window) - 1) * (50 - epoch)
    assert finding.measured[0].value == pytest.approx(projected / run.initial["cost"])


def test_it_says_a_symptom_once_where_progress_is_shown(all_looks, capsys):
    trained(Watch(), initial_parameters=DEAD)
    assert capsys.readouterr() == ("", "")
    trained(Watch(), initial_parameters=DEAD, progress=True)
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("Watch")]
    assert "Watch, epoch 1: All units of layer 2 are 0 for every row." in said
    assert len(said) == len(set(said)) <= 3


def test_one_object_serves_several_trainings(all_looks):
    watch = Watch()
    trained(watch, initial_parameters=DEAD)
    assert watch.findings
    trained(watch, epochs=100)
    assert not [f for f in watch.findings if f.severity != "note"]
    assert watch.looks[-1] == 100


@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_it_never_takes_more_than_its_share(engine):
    """By its own account, whatever the clock of this machine does."""
    watch = Watch()
    trained(watch, engine=engine, epochs=40)
    assert watch.seconds <= 0.1 or len(watch.looks) <= 12
    assert watch.looks == sorted(set(watch.looks))


def test_when_it_looks_depends_on_the_time_there_is(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(watching.time, "perf_counter", lambda: clock[0])
    run = trained(None, epochs=1)
    watch = Watch()
    watch.begins(run, print)
    watch._epoch_takes = 1.0  # a second an epoch: time for all
    assert watch.next_due(0, 100) == 2
    watch._epoch_takes = 1e-4  # 10 ms in all, of which 3 % is less than a look takes
    assert watch.next_due(0, 100) == math.inf
    watch._epoch_takes = (
        9e-4  # 3 % of epoch 30's 27 ms is 0.81 ms: a look of 0.25 and a call of 0.5; epoch 20's is 0.54
    )
    assert watch.next_due(0, 100) == 30
    clock[0] = 10.0
    assert watch.next_due(10, 100) == 15  # by now an epoch is known to take a second
    assert watch.next_due(100, 100) == math.inf


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda w: pickle.loads(pickle.dumps(w))])
def test_it_can_be_copied_and_pickled(copied, all_looks):
    watch = Watch(stop=True, expected=0.9)
    trained(watch, initial_parameters=DEAD, progress=True)
    other = copied(watch)
    assert other.findings == watch.findings
    assert other.first_seen == watch.first_seen
    assert (other.stop, other.expected) == (True, 0.9)
    trained(other, epochs=10)
    assert other.looks[-1] == 10


def test_a_resumed_training_is_watched_too(all_looks):
    begun = trained(None, epochs=20)
    watch = Watch(stop=True)
    run = gn.train(resume=begun, epochs=40, callbacks=[watch], progress=False)
    assert watch.looks[0] > 20
    assert watch.looks[-1] == 40
    assert same(run, trained(None, epochs=40))


@pytest.mark.parametrize("optimizer", [gn.LBFGS(), gn.Newton()])
def test_solvers_can_be_watched(optimizer, all_looks):
    X, y = moons()
    watch = Watch(stop=True)
    run = gn.train(
        gn.Network(2, gn.Dense(1, "sigmoid")), X, y, optimizer=optimizer, epochs=20, callbacks=[watch], progress=False
    )
    assert run.status in ("converged", "finished")
    assert watch.looks


def test_other_networks_can_be_watched(all_looks):
    generator = np.random.default_rng(0)
    pictures, labels = generator.normal(size=(40, 1, 6, 6)), generator.integers(0, 3, 40)
    network = gn.Network(
        (1, 6, 6), gn.Conv2D(3, 3, "relu"), gn.BatchNorm(), gn.Dropout(0.2), gn.Flatten(), gn.Dense(3, "softmax")
    )
    watch = Watch()
    run = trained(watch, network, X=pictures, Y=labels, epochs=4, validation=0.25)
    assert len(run.history) == 4
    assert watch.looks == [1, 2, 3, 4]


def test_with_early_stopping_beside_it(all_looks):
    X, y = moons()
    watch = Watch()
    run = gn.train(
        NET, X, y, epochs=200, batch_size=32, optimizer=gn.Adam(0.03), validation=0.3, progress=False,
        callbacks=[watch, gn.EarlyStopping(patience=5)],
    )  # fmt: skip
    assert run.status == "stopped early"
    assert watch.looks
    assert repr(watch).startswith("Watch(stop=False, expected=None): ")


def test_every_finding_of_a_watch_has_cures_and_a_false_alarm(all_looks):
    watch = Watch()
    trained(watch, initial_parameters=DEAD)
    assert {f.kind for f in watch.findings} >= {"arch.dying_relu"}
    for finding in watch.findings:
        assert finding.false_alarm
        assert finding.cures
    case = Case.asked(
        gn.Network(2, gn.Dense(8, "relu", init="normal(3)"), gn.Dense(1, "sigmoid")), *moons(), batch_size=16
    )
    for kind in watching.FALSE_ALARMS:
        for change in watching.cures_of(kind, case):
            assert case.changed(change).refusal is None
