"""Learning rates by hand: at the start, in between and at the end; and that no schedule looks ahead."""

from __future__ import annotations

import math

import numpy as np
import pytest

import glassnet as gn
from glassnet.equations.schedules import SCHEDULES, ConstantRate
from glassnet.errors import GlassnetError


def rates(schedule, points, batches=4):
    """α at these numbers of updates, with four batches an epoch."""
    return [schedule.rate(t, t // batches, t / batches) for t in points]


def test_constant():
    assert rates(ConstantRate(0.3), [0, 1, 1000]) == [0.3, 0.3, 0.3]


def test_step():
    # 0.8, halved every 2 epochs of 4 updates: epochs 0–1, 2–3, 4
    assert rates(gn.StepDecay(0.8, every=2, factor=0.5), [0, 7, 8, 15, 16]) == [0.8, 0.8, 0.4, 0.4, 0.2]


def test_exponential():
    # 0.8 · 0.5^e
    assert rates(gn.ExponentialDecay(0.8, decay=0.5), [0, 3, 4, 8]) == [0.8, 0.8, 0.4, 0.2]


def test_inverse_scaling():
    # 0.6 / √(t + 1): t = 0, 3, 8
    assert rates(gn.InverseScaling(0.6), [0, 3, 8]) == pytest.approx([0.6, 0.3, 0.2], rel=1e-15)
    assert rates(gn.InverseScaling(0.6, power=1.0), [2]) == pytest.approx([0.2], rel=1e-15)
    # by samples: epoch 2 of 10 samples, 4 seen before: 0.6 / (2 · 10 + 4 + 1)^0.5 = 0.6 / 5
    assert gn.InverseScaling(0.6, samples=10, samples_before=4).rate(99, 2, 2.5) == pytest.approx(0.12, rel=1e-15)


def test_cosine():
    # from 0.5 to 0.1 in 2 epochs (8 updates): 0.1 + 0.2 (1 + cos(π t/8)); halfway 0.3; then it stays
    schedule = gn.CosineDecay(0.5, epochs=2, end=0.1)
    quarter = 0.1 + 0.2 * (1 + math.sqrt(0.5))
    assert rates(schedule, [0, 2, 4, 8, 9, 800]) == pytest.approx([0.5, quarter, 0.3, 0.1, 0.1, 0.1], rel=1e-14)


def test_one_cycle():
    # 10 epochs, rise over the first 4: from 0.5/25 = 0.02 up to 0.5, halfway (epoch 2) 0.26; then to 0.5/10⁴ = 5e−5,
    # halfway (epoch 7) the mean of both ends; then it stays
    schedule = gn.OneCycle(0.5, epochs=10, rise=0.4)
    at = [0, 8, 16, 28, 40, 41, 4000]
    assert rates(schedule, at) == pytest.approx([0.02, 0.26, 0.5, (0.5 + 5e-5) / 2, 5e-5, 5e-5, 5e-5], rel=1e-12)
    path = rates(schedule, range(45))
    assert np.all(np.diff(path[:17]) > 0)
    assert np.all(np.diff(path[16:41]) < 0)


def test_warm_up():
    # a tenth more with each of 10 updates: 0.05, 0.1, ..., 0.5 at the tenth and after
    assert rates(gn.WarmUp(0.5, iterations=10), [0, 1, 9, 10, 99]) == pytest.approx(
        [0.05, 0.1, 0.5, 0.5, 0.5], rel=1e-15
    )


def test_adaptive_leaves_the_rate_to_the_training():
    assert gn.Adaptive(0.5).expression() is None
    assert rates(gn.Adaptive(0.5), [0, 100]) == [0.5, 0.5]


def test_adaptive_in_a_training():
    # On data that cannot be fitted better than by W = 0 the cost stalls: after two epochs without 1e−4 of progress the
    # rate is a fifth, and so on down to the minimum.
    X, Y = np.array([[1.0], [-1.0]]), np.array([0.0, 0.0])
    run = gn.train(
        gn.Network(1, gn.Dense(1, init="zeros")), X, Y, optimizer=gn.SGD(gn.Adaptive(0.5, minimum=0.01)), epochs=9,
        progress=False,
    )  # fmt: skip
    # the first epoch lowers the best cost from infinity; epochs 2 and 3 stall, and so do 4 and 5, ...
    expected = [0.5, 0.5, 0.5, 0.1, 0.1, 0.02, 0.02, 0.01, 0.01]
    assert run.history["learning_rate"] == pytest.approx(expected, rel=1e-12)


SCHEDULED = [
    gn.StepDecay(0.1, every=2), gn.ExponentialDecay(0.1), gn.InverseScaling(0.1), gn.CosineDecay(0.1, epochs=5),
    gn.OneCycle(0.1, epochs=6), gn.WarmUp(0.1, iterations=7), gn.Adaptive(0.1),
]  # fmt: skip


@pytest.mark.parametrize("schedule", SCHEDULED, ids=lambda s: type(s).__name__)
def test_the_first_epochs_do_not_depend_on_how_many_were_asked_for(schedule):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 2))
    Y = X @ [1.0, -2.0] + rng.normal(size=20)
    net = gn.Network(2, gn.Dense(3, "tanh"), gn.Dense(1))
    short, long = (
        gn.train(net, X, Y, optimizer=gn.SGD(schedule), epochs=n, batch_size=6, progress=False) for n in (3, 8)
    )
    assert np.array_equal(short.history["cost"], long.history["cost"][:3])
    assert np.array_equal(short.history["learning_rate"], long.history["learning_rate"][:3])
    assert all(np.array_equal(v, long.at(12).parameters[name]) for name, v in short.parameters.items())


def test_all_schedules_are_tested():
    assert {type(s).__name__ for s in SCHEDULED} == set(SCHEDULES) - {"ConstantRate"}


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: gn.StepDecay(0), "StepDecay got learning_rate=0; it needs a finite number above 0."),
        (lambda: gn.StepDecay(0.1, every=0, factor=-1), "StepDecay got every=0, factor=-1; it needs a finite number above 0."),
        (lambda: gn.ExponentialDecay(0.1, decay=0), "ExponentialDecay got decay=0; it needs a finite number above 0."),
        (lambda: gn.InverseScaling(0.1, power=-1), "InverseScaling got power=-1; it needs a finite number, 0 or above."),
        (lambda: gn.CosineDecay(0.1, epochs=0), "CosineDecay got epochs=0; it needs a finite number above 0."),
        (lambda: gn.CosineDecay(0.1, end=0.2), "CosineDecay got end=0.2; it needs a rate from 0 to learning_rate."),
        (lambda: gn.OneCycle(0.1, rise=1), "OneCycle got rise=1; it needs a number from 0 up to, but not including, 1."),
        (lambda: gn.OneCycle(0.1, rise=0), "OneCycle got rise=0; it needs a finite number above 0."),
        (lambda: gn.WarmUp(0.1, iterations=0), "WarmUp got iterations=0; it needs a finite number above 0."),
        (lambda: gn.Adaptive(0.1, factor=1), "Adaptive got factor=1; it needs a number from 0 up to, but not including, 1."),
        (lambda: gn.Adaptive(0.1, patience=0), "Adaptive got patience=0; it needs a finite number above 0."),
        (lambda: gn.Adaptive("fast"), "Adaptive got learning_rate='fast'; it needs a finite number above 0."),
    ],
)  # fmt: skip
def test_refused_settings(make, sentence):
    with pytest.raises(GlassnetError) as caught:
        make()
    assert str(caught.value) == sentence
