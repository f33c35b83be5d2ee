"""The step size before the first step: each kind planted once, and once with a healthy twin that stays silent."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

import glassnet as gn
from glassnet.diagnosis.case import Case
from glassnet.diagnosis.curvature import largest_curvature
from glassnet.diagnosis.memory_checks import check_batch_size, check_memory
from glassnet.diagnosis.rate_checks import Rates, check_rate, confidence_at
from glassnet.diagnosis.trial_steps import trial_steps

RNG = np.random.default_rng(1)
X = RNG.normal(size=(200, 2))
Y = (X[:, :1] * X[:, 1:] > 0).astype(float)
NETWORK = gn.Network(2, gn.Dense(16, "tanh"), gn.Dense(1, "sigmoid"))
NUMBERS = X @ np.array([[1.0], [-2.0]])


def asked(optimizer, network=NETWORK, X=X, Y=Y, epochs=100, batch_size=32, **others):
    return Case.asked(network, X, Y, optimizer=optimizer, epochs=epochs, batch_size=batch_size, **others)


def found(case, kind):
    findings = [f for f in check_rate(case) if f.kind == kind]
    assert len(findings) == 1, [f.kind for f in check_rate(case)]
    finding = findings[0]
    assert finding.severity == "note"
    assert not finding.certain
    assert finding.cures
    assert finding.false_alarm
    assert finding.measured
    for cure in finding.cures:  # each can be applied
        assert case.changed(cure).derivation is not None
    return finding


def kinds(case):
    return {f.kind for f in check_rate(case)}


HEALTHY = {
    "SGD": asked(gn.SGD(0.5)),
    "momentum": asked(gn.SGD(0.05, momentum=0.9)),
    "Nesterov": asked(gn.SGD(0.05, momentum=0.9, nesterov=True)),
    "Adam": asked(gn.Adam(0.01)),
    "AdamW": asked(gn.AdamW(0.01)),
    "RMSprop": asked(gn.RMSprop(0.005)),
    "Adagrad": asked(gn.Adagrad(0.1)),
    "a schedule": asked(gn.SGD(gn.CosineDecay(0.5, epochs=100))),
    "full batch": asked(gn.Adam(0.01), batch_size=None, epochs=600),
    "numbers": asked(gn.SGD(0.1), gn.Network(2, gn.Dense(1)), Y=NUMBERS),
    "dropout": asked(gn.Adam(0.01), gn.Network(2, gn.Dense(16, "relu"), gn.Dropout(0.3), gn.Dense(1, "sigmoid"))),
    "normalised": asked(
        gn.SGD(0.1), gn.Network(2, gn.Dense(16), gn.BatchNorm(), gn.Activation("relu"), gn.Dense(1, "sigmoid"))
    ),
    "no rate": asked("lbfgs", batch_size=None),
}


@pytest.mark.parametrize("case", HEALTHY.values(), ids=list(HEALTHY))
def test_usual_settings_are_silent(case):
    assert kinds(case) == set()


# Too large.


@pytest.mark.parametrize(("momentum", "nesterov"), [(0.0, False), (0.9, False), (0.9, True)])
def test_a_rate_above_what_the_curvature_stands(momentum, nesterov):
    network = gn.Network(2, gn.Dense(1))
    limit = largest_curvature(network, X, NUMBERS).steady_rate(momentum, nesterov)
    case = asked(gn.SGD(10 * limit, momentum=momentum, nesterov=nesterov), network, Y=NUMBERS)
    finding = found(case, "opt.lr_too_large")
    assert finding.confidence >= 0.8
    named = {m.name: m.value for m in finding.measured}
    steepest = np.linalg.eigvalsh(np.cov(np.c_[X, np.ones(200)].T, bias=True) + np.outer(m := [*X.mean(axis=0), 1], m))[
        -1
    ]
    assert named["λmax at the start"] == pytest.approx(steepest, rel=0.02)
    assert named["rate · λmax"] == pytest.approx(10 * limit * steepest, rel=0.02)
    formula = {
        (0.0, False): "2/λmax",
        (0.9, False): "2 (1 + 0.9)/λmax",
        (0.9, True): "2 (1 + 0.9)/((1 + 2 · 0.9) λmax)",
    }
    said = f"is 10 times {formula[momentum, nesterov]} = {float(f'{limit:.3g}'):g}, above which descent diverges"
    assert said in finding.sentence
    assert "the cost rises" in finding.sentence
    slower = case.changed(finding.cures[0]).learning_rate
    assert slower == pytest.approx(0.25 * limit, rel=0.05)


def test_the_confidence_grows_with_the_excess():
    assert confidence_at(((1.0, 0.2), (100.0, 0.8)), 10.0) == pytest.approx(0.5)  # half way in the logarithm
    assert confidence_at(((1.0, 0.2), (100.0, 0.8)), 0.1) == 0.2
    assert confidence_at(((1.0, 0.2), (100.0, 0.8)), 1e9) == 0.8


@pytest.mark.parametrize("optimizer", [gn.Adam(1.0), gn.RMSprop(1.0), gn.Adagrad(5.0)])
def test_an_adaptive_optimiser_whose_rate_is_too_large(optimizer):
    finding = found(asked(optimizer), "opt.lr_too_large")
    assert finding.confidence >= 0.6
    assert "lets " + type(optimizer).__name__ + " move every weight" in finding.sentence


def test_a_large_rate_because_of_the_features_is_said_so_and_counts_less():
    network = gn.Network(2, gn.Dense(1))
    plain = found(asked(gn.SGD(20.0), network, Y=NUMBERS), "opt.lr_too_large")
    scaled = found(asked(gn.SGD(20.0), network, X=100 * X, Y=NUMBERS), "opt.lr_too_large")
    assert scaled.confidence < plain.confidence
    assert f"features of size {100 * np.sqrt((X**2).mean()):.4g} make every step longer" in scaled.sentence


def test_a_large_rate_because_of_the_weights_is_said_so():
    network = gn.Network(2, gn.Dense(16, "tanh", init="normal(20)"), gn.Dense(1, "sigmoid"))
    assert "weights W1 that start" in found(asked(gn.SGD(100.0), network), "opt.lr_too_large").sentence


def test_a_network_of_images():
    images, classes = RNG.normal(size=(40, 1, 8, 8)), RNG.integers(0, 2, 40)
    network = gn.Network((1, 8, 8), gn.Conv2D(4, 3, "relu"), gn.MaxPool2D(2), gn.Flatten(), gn.Dense(2, "softmax"))
    assert "opt.lr_too_large" in kinds(asked(gn.SGD(50.0), network, images, classes))
    assert kinds(asked(gn.SGD(0.02), network, images, classes, epochs=400)) == set()


def test_sparse_features():
    value = largest_curvature(gn.Network(2, gn.Dense(1)), sparse.csr_array(X), NUMBERS).value
    assert value == pytest.approx(largest_curvature(gn.Network(2, gn.Dense(1)), X, NUMBERS).value, rel=1e-12)


def test_a_schedule_is_judged_by_its_largest_rate():
    case = asked(gn.SGD(gn.WarmUp(200.0, iterations=50)))
    assert Rates.of(case).peak == 200.0
    assert "opt.lr_too_large" in kinds(case)


# Too small, too few.


def test_a_descent_that_cannot_arrive():
    finding = found(asked(gn.SGD(1e-4)), "opt.lr_too_small")
    assert finding.confidence >= 0.8
    assert "epochs" in finding.sentence
    case = asked(gn.SGD(1e-4))
    named = {m.name: m.value for m in finding.measured}
    # 200 rows in batches of 32 are 7 updates an epoch.
    value = largest_curvature(NETWORK, X, Y, tolerance=1e-2).value
    assert named["updates"] == 700
    assert named["λmax · sum of all rates"] == pytest.approx(700 * 1e-4 * value, rel=0.02)
    assert case.changed(finding.cures[0]).learning_rate > 1e-2


def test_an_adaptive_optimiser_whose_weights_cannot_travel():
    finding = found(asked(gn.Adam(1e-5)), "opt.lr_too_small")
    assert finding.confidence >= 0.8
    assert {m.name: m.value for m in finding.measured}["distance one weight can go in all updates"] == pytest.approx(
        0.007
    )
    # Adagrad's steps shrink: 2 α √700 = 0.0529.
    finding = found(asked(gn.Adagrad(1e-3)), "opt.lr_too_small")
    assert {m.name: m.value for m in finding.measured}["distance one weight can go in all updates"] == pytest.approx(
        0.0529, rel=1e-3
    )


def test_too_few_epochs_come_before_the_rate():
    case = asked(gn.SGD(0.1), epochs=1, batch_size=None)
    finding = found(case, "opt.too_few_epochs")
    assert finding.confidence >= 0.8
    assert finding.sentence.startswith("Over 1 update at learning_rate 0.1, ")
    others = [f.confidence for f in check_rate(case) if f is not finding and f.kind != "opt.too_few_epochs"]
    assert all(sure < finding.confidence for sure in others)
    assert case.changed(finding.cures[0]).epochs > 4
    assert found(asked(gn.Adam(0.01), epochs=1), "opt.too_few_epochs").confidence >= 0.7


# Memory.


def test_momentum_near_one():
    finding = found(asked(gn.SGD(0.05, momentum=0.999)), "opt.momentum")
    assert finding.confidence >= 0.8
    assert "1,000 updates" in finding.sentence
    assert asked(gn.SGD(0.05, momentum=0.999)).changed(finding.cures[0]).optimizer == gn.SGD(0.05, momentum=0.9)
    assert check_memory(asked(gn.SGD(0.05, momentum=0.95))) == []
    assert check_memory(asked(gn.SGD(0.05, momentum=1.0)))[0].confidence > 0.9


def test_unusual_moments():
    finding = found(asked(gn.Adam(0.01, epsilon=1e-16)), "opt.adam_epsilon")
    assert finding.confidence <= 0.2
    assert "epsilon 1e-16" in finding.sentence
    assert asked(gn.Adam(0.01)).changed(finding.cures[0]).optimizer == gn.Adam(0.01)
    assert found(asked(gn.RMSprop(0.005, rho=0.1)), "opt.adam_epsilon").confidence <= 0.2
    assert found(asked(gn.Adam(0.01, epsilon=1.0)), "opt.adam_epsilon").confidence > 0.2
    assert check_memory(asked(gn.Adam(0.01, epsilon=1e-7))) == []


def test_one_row_an_update():
    finding = found(asked(gn.SGD(0.3), batch_size=1, epochs=10), "opt.batch_size")
    assert finding.confidence >= 0.7
    assert check_batch_size(asked(gn.SGD(0.001), batch_size=1))[0].confidence < 0.2
    assert check_batch_size(asked(gn.SGD(0.3), batch_size=8)) == []


def test_all_rows_an_update_and_few_epochs():
    case = asked(gn.SGD(0.5), batch_size=None, epochs=10)
    finding = found(case, "opt.batch_size")
    assert finding.sentence == "Batches of 200 of 200 rows leave 10 updates in 10 epochs."
    assert case.changed(finding.cures[0]).batch_size == 32
    assert check_batch_size(asked(gn.SGD(0.5), batch_size=None, epochs=500)) == []


# The trial.


def test_trial_steps_are_those_of_training():
    case = asked(gn.SGD(0.5, momentum=0.5), batch_size=None, epochs=30)
    tried = trial_steps(case)
    run = case.train(epochs=30)
    assert tried.updates == 30
    assert tried.before == pytest.approx(float(case.start["J"]), rel=1e-12)
    assert tried.after == pytest.approx(float(run.history["cost"][-1]), rel=1e-9)
    assert tried.lowers
    assert not tried.raises
    assert not tried.flattens
    slower = trial_steps(case, 0.1)
    rerun = case.train(optimizer=gn.SGD(0.05, momentum=0.5))
    assert slower.after == pytest.approx(float(rerun.history["cost"][-1]), rel=1e-9)


def test_a_trial_of_single_rows():
    assert trial_steps(asked(gn.SGD(0.3), batch_size=1)).updates == 30


def test_a_network_too_large_is_not_tried():
    network = gn.Network(2, gn.Dense(4000, "relu"), gn.Dense(4000, "relu"), gn.Dense(1, "sigmoid"))
    assert trial_steps(asked(gn.SGD(0.3), network)) is None


def test_a_trial_that_leaves_the_numbers():
    tried = trial_steps(asked(gn.SGD(1e200), gn.Network(2, gn.Dense(1)), Y=NUMBERS))
    assert tried.after == np.inf
    assert tried.raises
    assert not tried.lowers


def test_what_cannot_be_evaluated_is_not_looked_at():
    hole = X.copy()
    hole[0, 0] = np.nan
    assert check_rate(asked(gn.SGD(10.0), X=hole)) == []
    assert check_rate(Case.asked(gn.Network(2, gn.Dense(1, "softmax")), X, Y)) == []


def test_no_epochs_are_no_rate_to_judge():
    for optimizer in (gn.SGD(0.1), gn.Adam(0.001)):
        assert check_rate(asked(optimizer, epochs=0)) == []


def test_epochs_are_said_with_commas():
    finding = found(asked(gn.SGD(1e-5), epochs=500), "opt.too_few_epochs")
    assert any("epochs 500 → 2,000" in change.said for change in finding.cures)
