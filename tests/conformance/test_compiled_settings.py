"""The compiled engine computes what the reference engine computes: every optimiser, schedule, penalty and order."""

from __future__ import annotations

import numpy as np
import pytest
from twins import agree, inputs, same, targets

import glassnet as gn
from glassnet.equations.proximal import ProximalGradient
from glassnet.training import ShuffleStream

BOTH = pytest.mark.parametrize("dtype", ["float64", "float32"])
X = inputs()
OPTIMIZERS = [
    gn.SGD(0.1), gn.SGD(0.1, momentum=0.9), gn.SGD(0.1, momentum=0.9, nesterov=True), gn.SGD(0.05, momentum=1),
    gn.Adagrad(0.05), gn.RMSprop(0.01), gn.RMSprop(0.01, rho=0.0), gn.Adam(0.01), gn.Adam(0.01, beta1=0.0, beta2=0.0),
    gn.Adam(0.01, epsilon_hat=True), gn.Adam(0.01, updates_before=40), gn.AdamW(0.01), gn.AdamW(0.01, weight_decay=0.0),
    ProximalGradient(0.1, l1=0.02), ProximalGradient(0.1),
]  # fmt: skip
SIGMOID = gn.Network(3, gn.Dense(4, "tanh"), gn.Dense(1, "sigmoid"))
CLASSES = targets("binary_cross_entropy", 1)


@BOTH
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
@pytest.mark.parametrize("size", [None, 7, 1, 30])
def test_every_optimizer(optimizer, size, dtype):
    l1 = getattr(optimizer, "l1", 0.0)
    epochs = {None: 50, 7: 10, 1: 2, 30: 50}[size]
    agree(SIGMOID, X, CLASSES, optimizer=optimizer, batch_size=size, epochs=epochs, l1=l1, dtype=dtype)


@pytest.mark.parametrize("optimizer", [gn.LBFGS(), gn.LBFGS(memory=3)], ids=str)
def test_lbfgs(optimizer):
    compiled, _ = agree(SIGMOID, X, CLASSES, optimizer=optimizer, epochs=12, l2=0.01, validation=0.2)
    short, _ = agree(SIGMOID, X, CLASSES, optimizer=optimizer, epochs=5, l2=0.01, validation=0.2)
    assert same(short.parameters, compiled.at(5).parameters)


@pytest.mark.parametrize(
    "schedule",
    [
        gn.StepDecay(0.2, every=2, factor=0.3), gn.ExponentialDecay(0.2, decay=0.8), gn.InverseScaling(0.3),
        gn.InverseScaling(0.3, samples=30, samples_before=4), gn.CosineDecay(0.2, epochs=6, end=0.01),
        gn.OneCycle(0.2, epochs=8), gn.WarmUp(0.2, iterations=13), gn.Adaptive(0.5, patience=1, tolerance=0.01),
        gn.Adaptive(0.5, patience=1, tolerance=0.05, stops=True, minimum=0.05),
        gn.Adaptive(0.5, patience=2, monitor="accuracy", factor=0.5),
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("size", [None, 7])
def test_every_schedule(schedule, size):
    for optimizer in (gn.SGD(schedule), gn.Adam(schedule)):
        agree(SIGMOID, X, CLASSES, optimizer=optimizer, batch_size=size, epochs=10, record="all")


WEIGHTS = np.arange(30) % 4 * 0.5  # some are 0


@BOTH
@pytest.mark.parametrize("penalty_on", ["mean", "sum"])
@pytest.mark.parametrize("penalty", [{"l1": 0.02}, {"l2": 0.1}, {"l1": 0.01, "l2": 0.05}], ids=str)
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["unweighted", "weighted"])
def test_penalties_and_weights(penalty, penalty_on, weights, dtype):
    for size in (None, 7):
        agree(
            SIGMOID, X, CLASSES, sample_weight=weights, penalty_on=penalty_on, batch_size=size, epochs=10, dtype=dtype,
            optimizer=gn.SGD(0.1), validation=0.2, **penalty,
        )  # fmt: skip


@pytest.mark.parametrize(
    "held", [0.3, (inputs(11, seed=3), targets("binary_cross_entropy", 1, 11))], ids=["share", "pair"]
)
@pytest.mark.parametrize("size", [None, 7])
def test_held_out_rows(held, size):
    agree(SIGMOID, X, CLASSES, validation=held, batch_size=size, epochs=10)


def test_weighted_held_out_rows():
    held = inputs(11, seed=3), targets("binary_cross_entropy", 1, 11), np.arange(11.0)
    for size in (None, 7):
        agree(SIGMOID, X, CLASSES, sample_weight=WEIGHTS, validation=held, batch_size=size, epochs=10)


def test_a_constant_target_has_no_r2_on_both():
    compiled, _ = agree(gn.Network(3, gn.Dense(1)), X, np.ones(30), epochs=3)
    assert np.isnan(compiled.history["r2"]).all()


@pytest.mark.parametrize(
    "shuffle", [False, True, ShuffleStream.of(np.random.RandomState(3))], ids=["as", "new", "stream"]
)
@pytest.mark.parametrize("size", [None, 1, 7, 30])
def test_every_order(shuffle, size):
    net = gn.Network(3, gn.Dense(4, "tanh"), gn.Dropout(0.2), gn.Dense(1, "sigmoid"))
    agree(net, X, CLASSES, shuffle=shuffle, batch_size=size, epochs=5, optimizer=gn.SGD(0.2), seed=2**64 - 1)


def test_given_starts():
    start = {"W1": np.full((3, 4), 0.1), "b2": [0.5], "mW1": np.full((3, 4), 0.01), "vW1": np.full((3, 4), 0.02)}
    compiled, _ = agree(SIGMOID, X, CLASSES, initial_parameters=start, epochs=50)
    assert np.array_equal(compiled.at(0).parameters["W1"], start["W1"])


def test_the_estimators_orders():
    from sklearn.exceptions import ConvergenceWarning

    found = []
    for engine in ("compiled", "reference"):
        model = gn.MLPClassifier((5,), max_iter=4, batch_size=7, random_state=0, alpha=0.01, engine=engine)
        with pytest.warns(ConvergenceWarning):
            model.fit(X, CLASSES[:, 0])
        found.append(model.predict_proba(X))
    np.testing.assert_allclose(*found, rtol=1e-10)


def test_the_threshold_rule():
    Y = (X @ [1.0, -1.0, 0.5] > 0.1).astype(float)
    net = gn.Network(3, gn.Dense(1, "step", init="zeros"))
    for size in (1, 7, None):
        agree(net, X.round(1), Y, optimizer=gn.SGD(1.0), batch_size=size, epochs=6, record="all")


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_thin_products_in_every_order(shuffle, bias):
    """One feature, one unit or one row: products that are loops of their own, on rows that are read where they lie."""
    for features in (1, 2, 3):
        for units in (1, 2, 4):
            x, y = inputs(9, features), targets("mean_squared_error", units, 9)
            for layers in ((), (gn.Dense(1, "tanh", bias=bias),), (gn.Dense(4, "tanh", bias=bias),)):
                net = gn.Network(features, *layers, gn.Dense(units, bias=bias))
                for size in (1, 2, 9, None):
                    agree(net, x, y, optimizer=gn.SGD(0.1), batch_size=size, epochs=2, shuffle=shuffle)
