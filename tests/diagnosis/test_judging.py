"""A diagnosis as a whole: gated by failure, proven by reruns, silent about what learns."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace

import numpy as np
import pytest

import glassnet as gn
from glassnet.diagnosis.case import Case
from glassnet.diagnosis.changes import Change
from glassnet.diagnosis.cure_search import Search
from glassnet.diagnosis.explaining import because_of_the_sum, better_without, carries_over
from glassnet.diagnosis.findings import Finding, Measured, Proof
from glassnet.diagnosis.pilot import fallen, hopeless, on_course, pilot_of, promising, rise, steady_score
from glassnet.diagnosis.saying import proof_said
from glassnet.diagnosis.suspects import Experiments, examined, merged, ranked, weight
from glassnet.diagnosis.yardsticks import Yardsticks, yardsticks


def rings(rows=300, seed=0):
    X = np.random.default_rng(seed).normal(size=(rows, 2))
    return X, ((X**2).sum(axis=1) > 1.4).astype(float)


NET = gn.Network(2, gn.Dense(16, "relu"), gn.Dense(16, "relu"), gn.Dense(1, "sigmoid"))


def trained(network=NET, optimizer=None, epochs=40, **others):
    X, Y = rings()
    return gn.train(network, X, Y, optimizer=optimizer or gn.Adam(0.01), epochs=epochs, batch_size=32, validation=rings(200, 1),
                    progress=False, engine="compiled", **others)  # fmt: skip


def test_a_training_that_learns_has_only_notes():
    diagnosis = trained().diagnose()
    assert diagnosis.verdict.learns is True
    assert diagnosis.alarms == ()
    assert diagnosis.verdict.score == pytest.approx(trained().history["validation_accuracy"][-1])


def test_a_rate_far_too_large_is_found_first_and_proven():
    run = trained(optimizer=gn.SGD(30.0))
    diagnosis = run.diagnose()
    assert diagnosis.verdict.learns is False
    first = diagnosis[0]
    assert first.kind == "opt.lr_too_large"
    assert first.severity == "critical"
    assert first.sure == "proven by a rerun"
    proof = next(p for p in first.proofs if p.cured)
    assert proof.after >= proof.needed > proof.before == diagnosis.verdict.score


def test_the_same_proof_is_a_training_anyone_can_run():
    diagnosis = trained(optimizer=gn.SGD(30.0)).diagnose()
    proof = next(p for p in diagnosis[0].proofs if p.cured)
    again = trained(optimizer=proof.change.settings["optimizer"], epochs=proof.epochs, record="last")
    assert again.history["validation_accuracy"][-1] == pytest.approx(proof.after)


def test_a_suspicious_setting_of_a_training_that_learns_is_a_note():
    X = rings()[0]
    linear = (X[:, 0] > 0).astype(float)
    run = gn.train(gn.Network(2, gn.Dense(8), gn.Dense(1, "sigmoid")), X, linear, optimizer=gn.Adam(0.01), epochs=40,
                   batch_size=32, validation=0.25, progress=False)  # fmt: skip
    diagnosis = run.diagnose()
    assert "arch.missing_nonlinearity" in diagnosis.kinds
    assert diagnosis.alarms == ()


def test_the_same_setting_is_the_diagnosis_where_it_does_harm():
    diagnosis = trained(gn.Network(2, gn.Dense(8), gn.Dense(1, "sigmoid"))).diagnose()
    assert diagnosis[0].kind == "arch.missing_nonlinearity"
    assert diagnosis[0].proven


def test_without_experiments_nothing_is_trained_and_nothing_is_claimed():
    diagnosis = trained(optimizer=gn.SGD(30.0)).diagnose(experiments=False)
    assert set(diagnosis.verdict.yardsticks) == {"guessing"}
    assert not any(f.proofs for f in diagnosis)
    assert "opt.lr_too_large" in diagnosis.kinds
    assert trained().diagnose(experiments=False).verdict.learns is None


def test_without_experiments_it_is_known_that_guessing_is_not_learning():
    diagnosis = trained(optimizer=gn.Adam(1e-7)).diagnose(experiments=False)
    assert diagnosis.verdict.learns is False
    assert diagnosis.alarms[0].kind == "opt.lr_too_small"


def test_before_training_a_refused_setting_is_a_finding():
    X, Y = rings()
    diagnosis = gn.diagnose(gn.Network(2, gn.Dense(1, "softmax")), X, Y)
    assert diagnosis[0].kind == "out.softmax_single_unit"
    assert diagnosis[0].severity == "critical"
    assert diagnosis.verdict.learns is False


def test_before_training_missing_values_are_a_finding():
    X, Y = rings()
    X[7, 1] = np.nan
    diagnosis = gn.diagnose(NET, X, Y)
    assert diagnosis[0].kind == "data.nan"
    assert diagnosis[0].where.rows == (7,)


def test_before_training_a_pilot_predicts_the_failure_and_says_nothing_of_a_healthy_one():
    X, Y = rings()
    asked = {"epochs": 40, "batch_size": 32, "validation": rings(200, 1)}
    failing = gn.diagnose(NET, X, Y, optimizer=gn.SGD(30.0), **asked)
    assert failing.verdict.learns is False
    assert failing[0].kind == "opt.lr_too_large"
    healthy = gn.diagnose(NET, X, Y, optimizer=gn.Adam(0.01), **asked)
    assert healthy.verdict.learns is None
    assert healthy.alarms == ()


def test_a_pilot_has_three_tenths_of_the_epochs_or_of_the_rows():
    X, Y = rings()
    assert pilot_of(Case.asked(NET, X, Y, epochs=50))[1] == 15
    short, epochs = pilot_of(Case.asked(NET, X, Y, epochs=2))
    assert (len(short.X), epochs) == (90, 2)


def test_a_pilot_that_rises_fast_enough_is_not_hopeless():
    from glassnet.diagnosis.yardsticks import yardsticks

    X, Y = rings()
    case = Case.asked(NET, X, Y, epochs=40, batch_size=32, optimizer=gn.Adam(0.002), validation=rings(200, 1))
    sticks = yardsticks(case)
    pilot = case.train(epochs=12)
    assert not hopeless(case, pilot, case.judged(pilot), sticks)
    stuck = Case.asked(NET, X, Y, epochs=40, batch_size=32, optimizer=gn.Adam(1e-7), validation=rings(200, 1))
    pilot = stuck.train(epochs=12)
    assert hopeless(stuck, pilot, stuck.judged(pilot), sticks)


@pytest.mark.parametrize(
    ("costs", "score", "hopeful"),
    [([9.0, 8.0, 4.0, 2.0, 1.0, 0.8], 0.85, True), ([9.0, 8.0, 4.0, 3.5, 3.0, 2.5], 0.85, False),
     ([9.0, 8.0, 4.0, 2.0, 1.0, 0.8], 0.75, False)],
)  # fmt: skip
def test_a_pilot_not_far_from_what_is_needed_whose_cost_halves_is_promising(costs, score, hopeful):
    pilot = SimpleNamespace(history=Columns(validation_accuracy=[0.5, *[score] * 5], cost=costs), status="finished")
    sticks = SimpleNamespace(chance=0.6, needed=0.9, metric="accuracy")
    assert fallen(np.array(costs)) == pytest.approx(1 - costs[-1] / costs[3])
    assert promising(Case.asked(NET, *rings(), epochs=40), pilot, score, sticks) is hopeful


def test_a_fall_is_measured_past_an_epoch_that_goes_astray():
    smooth = 0.9 ** np.arange(16.0)
    assert fallen(smooth) == pytest.approx(1 - 0.9**8)  # half of the course
    astray = smooth.copy()
    astray[-1] = 1.0
    # Medians of 0.9⁸ … 0.9¹¹ and of 1, 0.9¹² … 0.9¹⁴: (0.9⁹ + 0.9¹⁰) / 2 and (0.9¹² + 0.9¹³) / 2.
    assert fallen(astray) == pytest.approx(1 - 0.9**6)
    assert fallen(np.ones(9)) == 0


def test_a_course_that_has_been_where_it_should_is_not_hopeless():
    sticks = SimpleNamespace(needed=0.9, chance=0.6, metric="accuracy")
    case = Case.asked(NET, *rings(), epochs=40)

    def of(course):
        history = Columns(validation_accuracy=course, cost=[1.0] * len(course))
        return SimpleNamespace(history=history, status="finished")

    def on(course, score):
        return on_course(case, of(course), score, sticks)

    assert on([0.5, 0.6, 0.7, 0.93, 0.8, 0.7], 0.7)
    assert not on([0.95, 0.6, 0.7, 0.7, 0.7, 0.7], 0.7)  # long ago
    assert on([0.5, 0.6, 0.61, 0.62, 0.63, 0.64], 0.64)  # 0.01 an epoch, 34 epochs to go
    assert not on([0.64, 0.64, 0.63, 0.63, 0.64, 0.63], 0.63)
    noisy = [0.3, 0.5, 0.2, 0.4, 0.3, 0.7, 0.5, 0.8, 0.6, 0.7]  # no line, but the halves' medians are 0.3 and 0.7
    assert rise(np.array(noisy[5:])) == 0
    assert on(noisy, 0.7)
    assert not on([0.3, 0.7, 0.7, 0.6, 0.7, 0.7, 0.6, 0.7, 0.7, 0.6], 0.7)
    assert steady_score(case, of(noisy), 0.2) == 0.7  # the last epoch alone went astray
    assert steady_score(case, of(noisy), 0.75) == 0.75
    assert steady_score(case, of(noisy[:4]), 0.2) == 0.2


class Columns(dict):
    """A history's columns by name, as long as its epochs."""

    def __len__(self):
        return len(self["cost"])


@pytest.mark.parametrize(
    ("after", "factor", "confidence", "harms"),
    [(0.97, 1.0, 0.9, True), (0.91, 1.0, 0.9, False), (0.97, 0.5, 0.9, False), (0.97, 1.0, 0.5, False)],
)
def test_a_feature_that_gives_the_target_away_does_harm_where_a_rerun_without_it_is_better(
    after, factor, confidence, harms
):
    leak = Finding("data.leaking_feature", "", confidence=confidence, cures=(Change("drop it"),))
    proof = SimpleNamespace(before=0.88, after=after)
    experiments = SimpleNamespace(factor=factor, test=lambda change: proof)
    assert better_without(experiments, SimpleNamespace(margin=0.05), [leak]) is harms


@pytest.mark.parametrize(("score", "carries"), [(0.98, True), (0.8, False)])
def test_wrong_labels_do_no_harm_to_a_network_as_good_as_the_neighbours_of_held_out_rows(score, carries):
    agreement = (Measured("agreement of neighbours and labels, held-out rows", 0.95, "as on training rows"),)
    noise = Finding("data.label_noise", "", confidence=0.85, measured=agreement)
    assert carries_over(Case.asked(NET, *rings()), score, -0.2, [noise]) is carries
    shuffled = Finding("data.labels_shuffled", "", confidence=0.92)
    assert not carries_over(Case.asked(NET, *rings()), score, -0.2, [shuffled])


def test_a_rate_that_is_too_large_because_the_loss_is_a_sum_is_named_by_the_sum():
    rate, other = Finding("opt.lr_too_large", "", confidence=0.9), Finding("arch.dying_relu", "", confidence=0.8)
    the_sum, faint = (Finding("loss.reduction", "", confidence=c) for c in (0.5, 0.1))
    assert [f.confidence for f in because_of_the_sum([rate, other, the_sum])] == [0.9, 0.8, pytest.approx(0.855)]
    assert because_of_the_sum([rate, faint]) == [rate, faint]  # Adam does not mind
    assert because_of_the_sum([other, the_sum]) == [other, the_sum]


def test_the_rise_of_a_course_is_its_line_where_the_line_is_no_noise():
    assert rise(np.array([0.5, 0.6, 0.7, 0.8])) == pytest.approx(0.1)
    assert rise(np.array([0.5, 0.9, 0.5, 0.9, 0.6, 0.8])) == 0
    assert rise(np.array([0.5, 0.7])) == pytest.approx(0.2)
    assert rise(np.array([0.9, 0.8, 0.7])) == 0


def test_what_speaks_for_a_finding():
    change = Change("x")

    def one(confidence, *after, certain=False):
        proofs = tuple(Proof(change, 0.5, a, 0.9, "accuracy", 10) for a in after)
        return Finding("opt.momentum", "", confidence=confidence, certain=certain, proofs=proofs)

    assert weight(one(0.2, certain=True)) == 1
    assert weight(one(0.4)) == 0.4
    assert weight(one(0.4, 0.95)) == pytest.approx(0.4 + 0.24)
    assert weight(one(0.4, 0.8)) == pytest.approx(0.25 + 0.2)  # three quarters of the way from 0.5 to 0.9
    assert weight(one(0.4, 0.5)) == pytest.approx(0.18)


def test_findings_of_one_kind_are_merged_and_causes_stand_before_what_they_show():
    weak = Finding("opt.momentum", "weak", confidence=0.3, cures=(Change("a"),))
    strong = Finding("opt.momentum", "strong", confidence=0.7, cures=(Change("b"), Change("a")))
    symptom = Finding("training.plateau", "", confidence=0.9)
    one, two = ranked(merged([weak, symptom, strong]))
    assert (one.sentence, [c.said for c in one.cures]) == ("strong", ["b", "a"])
    assert two.kind == "training.plateau"


def test_experiments_stop_with_their_budget():
    X, Y = rings()
    case = Case.asked(NET, X, Y, epochs=30, batch_size=32, validation=rings(200, 1))
    spent = Experiments(case, 0.9, 0.5, budget=0.0, took=0.1)
    suspicion = Finding("opt.lr_too_small", "", confidence=0.8, cures=(Change("faster", {"optimizer": gn.Adam(0.01)}),))
    assert examined([suspicion], spent)[0].proofs == ()


def test_a_training_that_learnt_by_luck_is_said_to_have():
    X, Y = rings()
    net = gn.Network(2, gn.Dense(16, "relu"), gn.Dense(1, "relu"), gn.Dense(16, "relu"), gn.Dense(1, "sigmoid"))

    def score(seed):
        run = gn.train(net, X, Y, seed=seed, optimizer=gn.Adam(0.01), epochs=60, batch_size=32, validation=rings(200, 1),
                       progress=False, engine="compiled")  # fmt: skip
        return run, run.history["validation_accuracy"][-1]

    runs = [score(seed) for seed in range(12)]
    lucky = next(
        i for i in range(10) if runs[i][1] > 0.93 and np.mean([runs[i][1], runs[i + 1][1], runs[i + 2][1]]) < 0.85
    )  # the one unit in the middle dies with most seeds
    first = runs[lucky][0].diagnose()[0]
    assert (first.kind, first.severity) == ("init.seed", "warning")
    assert [m.value for m in first.measured] == pytest.approx([runs[lucky + i][1] for i in range(3)])


def test_a_diagnosis_is_json_that_can_be_read_again():
    plain = json.loads(trained(optimizer=gn.SGD(30.0)).diagnose().to_json())
    assert plain["findings"][0]["kind"] == "opt.lr_too_large"


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda: gn.diagnose("net", 1, 2),
            "diagnose got str as its network; it needs a glassnet.Network. Of a run: run.diagnose().",
        ),
        (lambda: gn.diagnose(NET, *rings(), learning_rat=1), "There is no setting that diagnose takes 'learning_rat'"),
        (
            lambda: trained(epochs=1).diagnose(budget=-1),
            "diagnose got budget=-1; it needs a number of seconds, 0 or more.",
        ),
        (lambda: trained(epochs=1).cure(budget=0), "cure got budget=0; it needs a number of seconds above 0."),
    ],
)
def test_bad_arguments_get_one_sentence(call, said):
    with pytest.raises(gn.GlassnetError) as problem:
        call()
    assert said in str(problem.value)


def signs(rows=300, seed=0):
    X, Y = rings(rows, seed)
    return X, 2 * Y - 1


def test_classes_of_minus_one_and_one_are_judged_by_accuracy_whatever_the_loss():
    case = Case.asked(gn.Network(2, gn.Dense(1, "tanh")), *signs(), validation=signs(200, 1), loss="mean_squared_error")
    run = case.train(epochs=5)
    X, Y = signs(200, 1)
    assert case.metric == "accuracy"
    assert case.judged(run) == ((run.predict(X)[:, 0] > 0) == (Y > 0)).mean()
    hinge = case.changed(Change("hinge", {"network": gn.Network(2, gn.Dense(1)), "loss": "hinge"}))
    assert hinge.metric == case.metric


def three_classes(rows, seed):
    X = np.random.default_rng(seed).normal(size=(rows, 2))
    return X, np.digitize(X @ (1.0, 0.5), (-0.6, 0.6)).astype(float)


def test_a_change_that_makes_classes_of_numbers_is_proven_by_its_own_score():
    X, Y = three_classes(300, 0)
    case = Case.asked(
        gn.Network(2, gn.Dense(1)),
        X,
        Y,
        validation=three_classes(200, 1),
        optimizer=gn.Adam(0.03),
        epochs=30,
        batch_size=32,
    )
    change = Change("classes", {"network": gn.Network(2, gn.Dense(3, "softmax")), "loss": "categorical_cross_entropy"})
    changed = case.changed(change)
    proof = Experiments(case, 0.5, 0.1, 60.0, 0.01).test(change)
    assert (case.metric, proof.metric, proof.needed) == ("r2", "accuracy", yardsticks(changed).needed)
    assert np.isnan(proof.before)
    assert proof.after == changed.judged(changed.train())
    assert proof_said(proof).startswith(
        f"classes: accuracy {proof.after:.3f} in 30 epochs ({proof.needed:.3f} needed), "
    )
    search = Search(case, 0.5, 60.0, time.perf_counter())
    assert search.run(case, change, 30, 0) == (-1.0, None)  # a cure's scores have to be of one kind


def test_what_a_rerun_reaches_by_chance_is_no_proof():
    rows = {"metric": "accuracy", "rows": "held-out", "count": 400, "seeds": 3, "recipe": None, "seconds": 0.0}
    times = {"small_seconds": 0.0, "linear_seconds": 0.0}
    learnable = Yardsticks(guess=0.5, linear=0.6, small=0.93, **rows, **times)
    assert learnable.beyond_chance(0.6) == learnable.needed == 0.93 - 0.05
    assert learnable.beyond_chance(0.87) == pytest.approx(0.87 + 0.025)
    guesses = Yardsticks(guess=0.5, linear=0.51, small=0.5, **rows, **times)
    assert not guesses.signal
    assert guesses.needed == pytest.approx(0.5 + 2 * 0.5 / 20)
    assert guesses.beyond_chance(0.5) == pytest.approx(0.5 + 3 * 0.5 / 20)
    assert guesses.beyond_chance(0.54) == pytest.approx(0.54 + 0.05)


def memorised(own):
    X = np.random.default_rng(0).normal(size=(400, 8))
    Y = (X[:, 0] > 0).astype(float) if own else np.random.default_rng(1).integers(0, 2, 400)
    net = gn.Network(8, gn.Dense(64, "relu"), gn.Dense(64, "relu"), gn.Dense(1, "sigmoid"))
    return gn.train(
        net, X, Y, optimizer=gn.Adam(0.01), epochs=60, batch_size=32, progress=False, record="last", engine="compiled"
    )


def test_labels_learnt_by_heart_without_held_out_rows_are_not_learning():
    run = memorised(own=False)
    assert run.history["accuracy"][-1] > 0.9
    diagnosis = run.diagnose()
    verdict = diagnosis.verdict
    assert (verdict.learns, verdict.rows) == (False, "left-out")
    assert verdict.on_training == run.history["accuracy"][-1]
    assert abs(verdict.score - 0.5) < 3 * 0.5 / np.sqrt(100)  # guessing, on a quarter of the rows
    assert {"data.labels_shuffled", "data.no_signal"} & {f.kind for f in diagnosis.alarms}
    assert "It does not carry over, 1.000 on the training rows" in str(diagnosis)
    assert "on left-out rows" in " ".join(str(diagnosis).split())
    healthy = memorised(own=True).diagnose()
    assert (healthy.verdict.learns, healthy.verdict.rows, healthy.alarms) == (True, "training", ())


def test_held_out_rows_of_another_kind_are_why_nothing_carries_over():
    X, Y = rings(400)
    more = {"validation": rings(200, 1), "progress": False, "record": "last"}
    run = gn.train(NET, X + 3, Y, optimizer=gn.Adam(0.01), epochs=60, batch_size=32, **more)
    diagnosis = run.diagnose()
    assert diagnosis.verdict.on_training == run.history["accuracy"][-1] > 0.85
    assert "data.train_test_mismatch" in {f.kind for f in diagnosis.alarms}


def test_a_regression_whose_pilot_is_far_off_is_not_extrapolated_from_below():
    run = SimpleNamespace(history=gn.History({"epoch": np.arange(8.0), "validation_r2": np.linspace(-5000, -1000, 8)}))
    case = SimpleNamespace(metric="r2", epochs=40)
    sticks = SimpleNamespace(needed=0.8, chance=0.05, metric="r2")
    assert not on_course(case, run, -1.0, sticks)
    run.history = gn.History({"epoch": np.arange(8.0), "validation_r2": np.linspace(-0.5, 0.2, 8)})
    assert on_course(case, run, 0.2, sticks)


def test_before_training_what_is_not_known_is_not_called_harmless():
    X, Y = rings()
    asked = {"validation": rings(200, 1), "optimizer": gn.SGD(0.05), "epochs": 60, "batch_size": 32}
    diagnosis = gn.diagnose(NET, X, Y, **asked)
    assert diagnosis.verdict.learns is None
    assert diagnosis.verdict.score < diagnosis.verdict.needed
    text = str(diagnosis)
    assert "Nothing was found that is sure to keep it from learning." in text
    assert "Unusual; the whole training would show whether it does harm:" in text
    assert "ends after" not in text  # a pilot's end is no news
    page = diagnosis.to_html()
    assert "sure to keep it from learning" in page
    assert "without harm that could be seen" not in page
