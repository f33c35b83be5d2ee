"""Scores of ±1000: the cost and every gradient stay finite, because losses are computed from the scores."""

from __future__ import annotations

import numpy as np
import pytest

import glassnet as gn
from glassnet.engines.base import Batch
from glassnet.engines.reference import ReferenceEngine
from glassnet.equations.functions import ACTIVATIONS
from glassnet.equations.losses import LOSSES, pairing
from glassnet.errors import GlassnetError

SCORES = np.array([[1000.0], [-1000.0], [1000.0], [-1000.0]])


def values(activation, loss, X, Y, units=1, dtype="float64"):
    """Everything one step computes when the scores are X themselves (W = identity, b = 0)."""
    net = gn.Network(units, gn.Dense(units, activation))
    derivation = gn.derive(net, loss, "sgd")
    engine = ReferenceEngine(derivation, dtype)
    state = engine.initial_state({"W1": np.eye(units), "b1": np.zeros(units)})
    X, Y = np.asarray(X, dtype=dtype), np.asarray(Y, dtype=dtype)
    with np.errstate(all="ignore"):
        return engine.values(state, Batch(X, Y, None, {})), engine, state


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_binary_cross_entropy_by_hand(dtype):
    # Two right (cost 0 each) and two wrong (cost 1000 each): J = 2000 / 4; dZ = (A − Y) / 4, with A = 1, 0, 1, 0
    Y = [[1.0], [0.0], [0.0], [1.0]]
    env, engine, state = values("sigmoid", "binary_cross_entropy", SCORES, Y, dtype=dtype)
    assert env["J"] == 500.0
    assert env["dZ1"].ravel().tolist() == [0.0, 0.0, 0.25, -0.25]
    assert env["dW1"].tolist() == [[500.0]]
    assert env["J"].dtype == env["dW1"].dtype == np.dtype(dtype)
    with np.errstate(all="ignore"):
        cost, count, output = engine.cost(state, SCORES.astype(dtype), np.array(Y, dtype=dtype), None)
    assert (cost, count) == (500.0, 4.0)
    assert output.ravel().tolist() == [1.0, 0.0, 1.0, 0.0]


def test_categorical_cross_entropy_by_hand():
    # Rows (1000, −1000, 0): true class first costs 0, second 2000, third 1000: J = 1000
    scores = np.tile([1000.0, -1000.0, 0.0], (3, 1))
    env, *_ = values("softmax", "categorical_cross_entropy", scores, np.eye(3), units=3)
    assert env["J"] == 1000.0
    expected = (np.tile([1.0, 0.0, 0.0], (3, 1)) - np.eye(3)) / 3
    np.testing.assert_allclose(env["dZ1"], expected, rtol=1e-15)


def test_poisson_with_softplus_by_hand():
    # z = 1000: a = 1000, cost 1000 − 2 log 1000, slope 1 − 2/1000; z = −1000: log a = −1000, cost 2000, slope −2
    env, *_ = values("softplus", "poisson", SCORES[:2], [[2.0], [2.0]])
    assert env["J"] == pytest.approx((1000 - 2 * np.log(1000) + 2000) / 2, rel=1e-14)
    assert env["dZ1"].ravel() == pytest.approx([(1 - 2 / 1000) / 2, -1.0], rel=1e-12)


def test_poisson_with_exp_far_below_zero():
    # exp(1000) is no number, which is the model's own doing; −1000 is: cost 0 − 2 · −1000, slope 0 − 2
    env, *_ = values("exp", "poisson", [[-1000.0]], [[2.0]])
    assert env["J"] == 2000.0
    assert env["dZ1"].tolist() == [[-2.0]]


def test_hinge_huber_and_absolute_by_hand():
    Y = [[1.0], [1.0], [-1.0], [-1.0]]
    # hinge: 0, 1001, 1001, 0
    env, *_ = values("linear", "hinge", SCORES, Y)
    assert env["J"] == 2002 / 4
    assert env["dZ1"].ravel().tolist() == [0.0, -0.25, 0.25, 0.0]
    # absolute: 999, 1001, 1001, 999; huber: each half less
    env, *_ = values("linear", "mean_absolute_error", SCORES, Y)
    assert env["J"] == 1000.0
    env, *_ = values("linear", "huber", SCORES, Y)
    assert env["J"] == 999.5
    assert env["dZ1"].ravel().tolist() == [0.25, -0.25, 0.25, -0.25]


PAIRS = []
for _activation in ACTIVATIONS:
    for _loss in LOSSES:
        try:
            pairing(LOSSES[_loss], ACTIVATIONS[_activation], 3)
        except GlassnetError:
            continue
        PAIRS.append((_activation, _loss))


@pytest.mark.parametrize(("activation", "loss"), [pair for pair in PAIRS if pair[0] != "exp"])
def test_every_pair_is_finite(activation, loss):
    scores = np.array([[1000.0, -1000.0, 0.0], [-1000.0, 1000.0, 1000.0], [-1000.0, -1000.0, -1000.0]])
    env, *_ = values(activation, loss, scores, np.eye(3), units=3)
    for name, value in env.items():
        assert np.isfinite(value).all(), name


@pytest.mark.parametrize("activation", [a for a in ACTIVATIONS if a not in ("step", "exp")])
def test_hidden_layers_too(activation):
    net = gn.Network(1, gn.Dense(2, activation), gn.Dense(1, "sigmoid"))
    engine = ReferenceEngine(gn.derive(net, optimizer="sgd"))
    state = engine.initial_state({**net.initial_parameters(0), "W1": np.array([[1.0, -1.0]])})
    with np.errstate(all="ignore"):
        env = engine.step(state, Batch(SCORES, (SCORES > 0).astype(float), None, {}), 0.1, 1)
    assert np.isfinite(env["J"])
    assert np.isfinite(env["dW1"]).all()


def test_a_value_that_is_not_finite_names_the_first_line_that_made_it():
    from glassnet.engines.base import NonFiniteValue

    net = gn.Network(1, gn.Dense(1, "exp"), gn.Dense(1))
    engine = ReferenceEngine(gn.derive(net, optimizer="sgd"))
    state = engine.initial_state({**net.initial_parameters(0), "W1": np.array([[1.0]])})
    before = dict(state)
    with np.errstate(all="ignore"), pytest.raises(NonFiniteValue) as caught:
        engine.step(state, Batch(SCORES, np.zeros((4, 1)), None, {}), 0.1, 1)
    assert caught.value.equation == "A1"
    assert str(caught.value) == "'A1' is not finite"
    assert all(state[name] is before[name] for name in before)


def test_an_unknown_engine_is_answered_with_the_known_ones():
    from glassnet.engines import engine

    derivation = gn.derive(gn.Network(1, gn.Dense(1)))
    assert engine("auto", derivation, "float64").name == "reference"
    with pytest.raises(GlassnetError) as caught:
        engine("referense", derivation, "float64")
    assert str(caught.value).startswith(
        "There is no engine 'referense'; did you mean 'reference'? Known: auto, reference, compiled."
    )
