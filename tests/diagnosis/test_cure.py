"""A cure is a rerun that worked: tried within a budget, confirmed with three seeds on held-out rows, an ordinary run."""

from __future__ import annotations

import math
import time
import warnings
from dataclasses import replace

import numpy as np
import pytest

import glassnet as gn
from glassnet.diagnosis import cure as cure_module
from glassnet.diagnosis.case import Case
from glassnet.diagnosis.changes import Change
from glassnet.diagnosis.cure_search import (
    Confirmed,
    OverBudget,
    Search,
    candidates,
    confirmed,
    gone_on,
    halved,
    last_resorts,
    rounds_of,
)
from glassnet.diagnosis.findings import Finding, Measured
from glassnet.diagnosis.pace import Pace
from glassnet.diagnosis.usual_changes import rate_change, with_rate
from glassnet.diagnosis.yardsticks import with_held_out, yardsticks


def rings(rows=300, seed=0):
    X = np.random.default_rng(seed).normal(size=(rows, 2))
    return X, ((X**2).sum(axis=1) > 1.4).astype(float)


NET = gn.Network(2, gn.Dense(16, "relu"), gn.Dense(1, "sigmoid"))


def trained(optimizer, validation=True, network=NET, **others):
    X, Y = rings()
    settings = {"epochs": 40, "batch_size": 32, "progress": False, "engine": "compiled", **others}
    held = rings(200, 1) if validation else None
    return gn.train(network, X, Y, optimizer=optimizer, validation=held, **settings)


def test_a_rate_far_too_large_is_cured_by_a_smaller_one():
    run = trained(gn.SGD(40.0))
    cure = run.cure()
    assert cure.found
    assert cure.change.said.startswith("learning_rate")
    assert len(cure.after) == 3
    assert np.mean(cure.after) >= cure.needed > cure.before
    assert cure.before == pytest.approx(run.history["validation_accuracy"][-1])


def test_the_cured_run_is_an_ordinary_run_with_the_same_held_out_rows():
    cure = trained(gn.SGD(40.0)).cure()
    run = cure.run
    assert isinstance(run, gn.Run)
    assert run.status == "finished"
    assert run.history["validation_accuracy"][-1] == pytest.approx(cure.after[0])
    again = gn.train(
        run.network, *rings(), validation=rings(200, 1), progress=False, engine="compiled",
        **{n: v for n, v in cure.settings_after.items() if n != "network"},
    )  # fmt: skip
    np.testing.assert_array_equal(again.parameters["W1"], run.parameters["W1"])
    assert run.at(10).iteration == 10  # its record can be looked at


def test_a_cure_that_changes_data_predicts_for_rows_as_they_were():
    X = rings()[0]
    raw, target = X * 300 + 5000, 70 * (X**2).sum(axis=1) + 900
    net = gn.Network(2, gn.Dense(16, "relu"), gn.Dense(1))
    run = gn.train(
        net, raw, target, optimizer=gn.Adam(0.01), epochs=60, batch_size=32, progress=False, engine="compiled"
    )
    cure = run.cure()
    assert cure.found
    assert cure.change.data
    predicted = cure.predict(raw)[:, 0]
    assert 1 - ((predicted - target) ** 2).sum() / ((target - target.mean()) ** 2).sum() > 0.9  # in the old units


def test_without_held_out_rows_some_are_held_out_to_judge_and_the_cured_run_has_all():
    cure = trained(gn.SGD(40.0), validation=False).cure()
    assert cure.rows == "held-out"
    assert cure.run.data.X.shape[0] == 300


def test_a_training_that_learns_has_nothing_to_cure():
    cure = trained(gn.Adam(0.02)).cure()
    assert not cure.found
    assert cure.learns
    assert cure.tried == ()
    assert repr(cure) == "<Cure: it learns already>"


def test_no_cure_is_found_where_there_is_nothing_to_learn():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(200, 2)), rng.integers(0, 2, 200).astype(float)
    run = gn.train(NET, X, Y, epochs=20, batch_size=32, validation=0.4, progress=False, engine="compiled")
    cure = run.cure()
    assert not cure.found
    assert not cure.learns
    assert cure.run is None
    assert cure.settings_after == cure.settings_before


def test_a_budget_that_is_over_before_anything_could_be_tried_finds_nothing():
    cure = trained(gn.SGD(40.0), epochs=200).cure(budget=1e-6)
    assert (cure.found, cure.tried, cure.run, cure.budget) == (False, (), None, 1e-6)


def test_the_default_budget_is_twice_the_training_and_at_least_twenty_seconds():
    run = trained(gn.Adam(0.02), epochs=5)
    assert run.cure().budget == 20
    run.history = gn.History({**run.history.to_dict(), "seconds": np.full(5, 60.0)})
    assert run.cure().budget == 120


def test_small_changes_are_tried_before_another_network():
    run = trained(gn.SGD(40.0))
    case = Case.of_run(run)
    sticks = yardsticks(case)
    tried = candidates(run.diagnose(), case, sticks)
    assert tried[0].said.startswith("learning_rate")
    assert any("another network" in change.said for change in tried[-2:])
    assert len({change.said for change in tried}) == len(tried)


def search(needed=0.9, budget=20.0, took=0.01):
    X, Y = rings()
    case = Case.asked(NET, X, Y, validation=rings(200, 1), optimizer=gn.SGD(40.0), epochs=40, batch_size=32)
    return Search(case, needed, budget, time.perf_counter(), took=took)


def test_halving_keeps_what_reaches_what_is_needed_in_the_order_it_came():
    good, bad, better = (Change(f"rate {r}", {"optimizer": gn.SGD(r)}) for r in (0.3, 1e-6, 0.5))
    ordered = halved(search(), [bad, good, better])
    assert [c.said for c in ordered] == ["rate 0.3", "rate 0.5", "rate 1e-06"]


def test_a_candidate_is_confirmed_by_the_mean_of_three_seeds():
    trying = search()
    found = confirmed(trying, Change("rate 0.3", {"optimizer": gn.SGD(0.3)}))
    alone = [trying.case.changed(Change("", {"optimizer": gn.SGD(0.3), "seed": s})) for s in range(3)]
    assert found.scores == pytest.approx([case.judged(case.train()) for case in alone])
    assert found.mean == pytest.approx(np.mean(found.scores))
    assert (found.epochs, found.whole, found.shortened) == (40, 40, False)
    np.testing.assert_array_equal(found.runs[1].parameters["W1"], alone[1].train().parameters["W1"])
    assert confirmed(trying, Change("rate 1e-6", {"optimizer": gn.SGD(1e-6)})) is None
    assert [t.round for t in trying.trials] == [0] * 5  # two misses end it


def test_where_the_budget_does_not_hold_three_whole_trainings_they_are_shorter():
    trying = search(budget=3.0, took=2.0)  # as if 40 epochs took 2 s: of 2.7 s each seed gets 18 epochs
    found = confirmed(trying, Change("rate 0.3", {"optimizer": gn.SGD(0.3)}))
    assert found.epochs in (17, 18)
    assert (found.whole, found.shortened) == (40, True)
    assert {t.epochs for t in trying.trials} == {found.epochs}
    assert {t.change.said for t in trying.trials} == {"rate 0.3"}
    assert found.with_epochs(found.epochs).said == f"rate 0.3; epochs 40 → {found.epochs}"
    assert found.with_epochs(40).said == "rate 0.3"


def test_a_shortened_proof_ends_the_search_and_a_whole_one_that_is_barely_enough_does_not():
    first, other = (Change(f"rate {r}", {"optimizer": gn.SGD(r)}) for r in (0.3, 0.5))
    whole = search(needed=0.934)  # 0.935, 0.965 and 0.95 after 15 epochs: enough, and less than the aim
    whole.confirm([Change("15 epochs", {**first.settings, "epochs": 15}), other])
    assert whole.confirmed == {"15 epochs", "rate 0.5"}
    short = search(needed=0.934, budget=4.0, took=3.1)  # 3.6 s hold three times 15 epochs
    short.confirm([first, other])
    assert short.confirmed == {"rate 0.3"}
    assert short.best.shortened
    assert short.best.needed <= short.best.mean < short.aim


def test_trainings_that_stop_early_are_whole_whatever_epochs_they_may_have():
    X, Y = rings()
    settings = {"optimizer": gn.SGD(0.3), "epochs": 400, "batch_size": 32}
    stopping = gn.EarlyStopping("validation_cost", patience=1, min_delta=10.0)
    case = Case.asked(NET, X, Y, validation=rings(200, 1), callbacks=[stopping], **settings)
    trying = Search(case, 0.1, 4.0, time.perf_counter(), took=3.0)  # as if three had 160 epochs each
    found = confirmed(trying, Change("rate 0.2", {"optimizer": gn.SGD(0.2)}))
    assert [len(run.history) for run in found.runs] == [2, 2, 2]
    assert {t.epochs for t in trying.trials} < set(range(150, 170))
    assert (found.epochs, found.shortened) == (400, False)


def test_a_shortened_proof_is_gone_on_with_to_the_whole_training():
    trying = search(budget=20.0)
    change = Change("rate 0.3", {"optimizer": gn.SGD(0.3)})
    short, whole = (trying.case.changed(change).train(epochs=n, seed=0, record="auto") for n in (8, 40))
    found = Confirmed(change, (0.95, 0.95, 0.95), (short,) * 3, 0.5, 8, 40, 0.001)
    run, epochs, score = gone_on(trying, found)
    assert epochs == run.settings.epochs == len(run.history) == 40
    np.testing.assert_array_equal(run.parameters["W1"], whole.parameters["W1"])  # as if it had never been shortened
    assert score == trying.case.judged(whole)
    assert trying.trials[-1].change.said == "rate 0.3"


@pytest.mark.parametrize(
    ("needed", "before", "pace", "epochs"),
    [
        (0.5, 0.6, 100.0, 24), (0.5, 1.0, 100.0, 8), (0.5, 0.98, 0.001, 40), (0.5, 1.0, 0.001, 8), (1.1, 0.6, 0.001, 8),
        (0.5, 0.6, 1e5, 8),
    ],
    ids=["as far as the budget goes", "not a part that makes it worse", "all, where it is as good", "not where it gets worse",
         "not below what is needed", "not without time"],
)  # fmt: skip
def test_a_shortened_proof_goes_on_no_further_than_it_may(needed: float, before: float, pace: float, epochs: int):
    trying = search(budget=1850.0)  # nine tenths of it are 16 epochs of 100 s, and more to spare than this takes
    change = Change("rate 0.3", {"optimizer": gn.SGD(0.3)})  # 0.965 in the end
    short = trying.case.changed(change).train(epochs=8, record="auto")
    found = Confirmed(change, (before, 0.95, 0.95), (short,) * 3, needed, 8, 40, pace)
    run, reached, score = gone_on(trying, found)
    assert (len(run.history), reached) == (epochs, epochs)
    assert (run is short) == (epochs == 8)
    assert score == (before if run is short else trying.case.judged(run))


def test_where_rows_were_held_out_for_a_shortened_proof_the_cured_run_is_whole_and_of_all_rows():
    run = trained(gn.SGD(40.0), validation=False)
    own = Case.of_run(run)
    apart = with_held_out(own)
    change = Change("rate 0.3", {"optimizer": gn.SGD(0.3)})
    short = apart.changed(change).train(epochs=8, record="auto")
    found = Confirmed(change, (0.95, 0.94, 0.93), (short,) * 3, 0.5, 8, 40, 0.001)
    cured, epochs, reached = cure_module._cured(own, found, run, Search(apart, 0.5, 20.0, time.perf_counter()))
    assert (epochs, len(cured.data), len(apart.X)) == (40, 300, 225)
    assert math.isnan(reached)  # no row is left to judge it by
    np.testing.assert_array_equal(cured.parameters["W1"], own.changed(change).train().parameters["W1"])
    hasty = Search(apart, 0.5, 2000.0, time.perf_counter())
    slow = replace(found, pace=100.0)  # 1,800 s hold 13 epochs of 133 s
    cured, epochs, _ = cure_module._cured(own, slow, run, hasty)
    assert (epochs, len(cured.history)) == (13, 13)
    slower = replace(found, pace=300.0)  # 4 epochs: fewer than were proven
    assert cure_module._cured(own, slower, run, hasty)[:2] == (short, 8)


def test_the_cured_run_is_of_a_seed_that_reached_what_is_needed():
    net = gn.Network(2, gn.Dense(16, "relu"), gn.Dense(1, "relu"), gn.Dense(16, "relu"), gn.Dense(1, "sigmoid"))
    cure = trained(gn.SGD(1e-6), network=net).cure()
    assert cure.found
    assert cure.after[0] >= cure.needed
    assert cure.run.history["validation_accuracy"][-1] == pytest.approx(cure.after[0])


def test_a_search_over_its_budget_stops():
    with pytest.raises(OverBudget):
        confirmed(search(budget=0.0), Change("x"))


def test_a_schedule_keeps_its_shape_when_its_rate_changes():
    decay = gn.Adam(gn.CosineDecay(0.02, epochs=30, end=0.001))
    assert with_rate(decay, 0.1) == gn.Adam(gn.CosineDecay(0.002, epochs=30, end=0.0001))
    case = Case.asked(NET, *rings(), optimizer=gn.SGD(0.3, momentum=0.9))
    assert rate_change(case, 10).settings["optimizer"] == gn.SGD(3.0, momentum=0.9)


def test_of_a_long_training_candidates_are_not_compared_first():
    trying = search(budget=20.0, took=0.01)
    trying.keep(0.0)
    assert not trying.hurried
    trying = search(
        budget=20.0, took=10.0
    )  # 9 s of halving hold 9 trainings of 1 s: 4 candidates in 2 rounds, not 6 in 3
    trying.keep(0.0)
    assert (trying.compared, trying.hurried) == (4, True)
    assert [rounds_of(n) for n in (1, 2, 3, 4, 5, 8, 9)] == [1, 1, 2, 2, 3, 3, 4]


def test_in_a_hurry_the_first_seed_that_falls_far_short_is_the_last():
    trying = search(budget=20.0, took=10.0)
    trying.keep(0.0)
    assert confirmed(trying, Change("rate 1e-6", {"optimizer": gn.SGD(1e-6)})) is None
    assert len(trying.trials) == 1


def test_in_a_hurry_the_two_likeliest_changes_together_come_second():
    def of(kind, change):
        return Finding(
            kind, "It may be why.", "critical", 0.9, (Measured("x", 1, "0"),), cures=(change,), false_alarm="No."
        )

    rate, epochs = Change("rate 0.3", {"optimizer": gn.SGD(0.3)}), Change("epochs 40 → 80", {"epochs": 80})
    found = (of("opt.lr_too_large", rate), of("opt.too_few_epochs", epochs))
    diagnosis = replace(trained(gn.SGD(40.0)).diagnose(experiments=False), findings=found)
    case = search().case
    said = [c.said for c in candidates(diagnosis, case, yardsticks(case), hurried=True)]
    assert said[:3] == ["rate 0.3", "rate 0.3; epochs 40 → 80", "epochs 40 → 80"]
    assert [c.said for c in candidates(diagnosis, case, yardsticks(case))][:2] == ["rate 0.3", "epochs 40 → 80"]


def test_seconds_are_kept_for_the_last_resort():
    trying = search(budget=10.0)
    before = trying.left
    trying.keep(4.0)
    assert before - 4.1 < trying.left <= before - 4.0


def test_a_candidate_has_its_own_pace():
    trying = search(took=4000.0)  # as if an epoch took 100 s
    change = Change("rate 0.3", {"optimizer": gn.SGD(0.3)})
    assert trying.pace(change) == pytest.approx(100)
    trying.run(trying.case, change, 2, 1)
    assert trying.pace(change) < 10
    assert trying.pace(Change("another")) == pytest.approx(100)


def test_a_long_training_is_cured_by_the_last_resort_when_nothing_smaller_can_be_proven():
    net = gn.Network(2, gn.Dense(16, "relu"), gn.Dense(1, "relu"), gn.Dense(16, "relu"), gn.Dense(1, "sigmoid"))
    run = trained(gn.SGD(1e-6), network=net)
    run.history = gn.History({**run.history.to_dict(), "seconds": np.linspace(2.5, 100.0, 40)})  # as if it took 100 s
    cure = run.cure(budget=8)
    assert cure.found
    assert "another network" in cure.change.said
    assert cure.seconds < 10
    assert min(cure.after) >= cure.needed


def test_the_last_resorts_are_the_yardsticks_and_take_as_long():
    case = search().case
    sticks = yardsticks(case)
    (first, seconds), (second, _) = last_resorts(sticks, case)
    assert "16 tanh" in first.said
    assert "linear model" in second.said  # rings: a line does worse
    assert seconds == pytest.approx(3 * 1.6 * sticks.small_seconds)


def test_a_cure_uses_the_yardsticks_of_the_diagnosis(monkeypatch):
    run = trained(gn.SGD(40.0))
    diagnosis = run.diagnose()
    assert diagnosis.yardsticks.needed == diagnosis.verdict.needed
    monkeypatch.setattr(cure_module, "yardsticks", None)  # calling it would fail
    assert run.cure(diagnosis=diagnosis).found


def test_a_training_that_diverged_is_timed_by_an_epoch_that_changes_nothing():
    X, Y = rings()
    net = gn.Network(2, gn.Dense(16, "relu"), gn.Dense(1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gn.GlassnetWarning)  # that it diverges
        run = gn.train(net, X, 1e3 * Y, optimizer=gn.SGD(1e9), epochs=40, batch_size=32, progress=False)
    assert run.status == "diverged"
    pace = Pace.of(run, Case.of_run(run))
    assert pace.whole == pytest.approx(40 * pace.epoch)
    assert pace.due == pace.whole > 0
    finished = trained(gn.Adam(0.02))
    pace = Pace.of(finished, Case.of_run(finished))
    assert pace.due == pace.whole == finished.history["seconds"][-1]
