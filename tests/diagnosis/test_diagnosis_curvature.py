"""The largest curvature: the dense Hessian's largest eigenvalue, and the rate at which descent diverges."""

from __future__ import annotations

import numpy as np
import pytest

import glassnet as gn
from glassnet.diagnosis.curvature import Curvature, lanczos, largest_curvature
from glassnet.engines.base import Batch
from glassnet.engines.reference import ReferenceEngine
from glassnet.equations.curvature import hessian_vector
from glassnet.errors import GlassnetError, GlassnetWarning

RNG = np.random.default_rng(5)
X = RNG.normal(size=(60, 3))
NUMBERS = RNG.normal(size=(60, 1))
CLASSES = np.eye(3)[RNG.integers(0, 3, 60)]
IMAGES = RNG.normal(size=(20, 1, 6, 6))


def dense_hessian(network, X, Y, loss=None, seed=0, **penalties):
    """Column by column: H times each unit vector."""
    derivation = gn.derive(network, loss, "sgd", **penalties)
    engine = ReferenceEngine(derivation)
    state = engine.initial_state(network.initial_parameters(seed))
    values = engine.values(state, Batch(X, Y, None, {}))
    names = [p.name for p in derivation.parameters]
    columns = []
    for name in names:
        for index in range(state[name].size):
            unit = {n: np.zeros(state[n].shape) for n in names}
            unit[name].flat[index] = 1.0
            found = hessian_vector(derivation, values, unit)
            columns.append(np.concatenate([found[n].ravel() for n in names]))
    return np.stack(columns, axis=1)


NETWORKS = {
    "one layer": (gn.Network(3, gn.Dense(1)), X, NUMBERS, {}),
    "tanh": (gn.Network(3, gn.Dense(5, "tanh"), gn.Dense(1)), X, NUMBERS, {}),
    "relu": (gn.Network(3, gn.Dense(8, "relu"), gn.Dense(4, "relu"), gn.Dense(3, "softmax")), X, CLASSES, {}),
    "penalised": (gn.Network(3, gn.Dense(5, "gelu"), gn.Dense(3, "softmax")), X, CLASSES, {"l2": 0.3}),
    "normalised": (gn.Network(3, gn.Dense(4), gn.BatchNorm(), gn.Activation("tanh"), gn.Dense(1)), X, NUMBERS, {}),
    "squares of probabilities": (
        gn.Network(3, gn.Dense(4, "tanh"), gn.Dense(3, "softmax")), X, CLASSES, {"loss": "mean_squared_error"},
    ),
    "images": (
        gn.Network((1, 6, 6), gn.Conv2D(2, 3, "tanh"), gn.MaxPool2D(2), gn.Flatten(), gn.Dense(3, "softmax")),
        IMAGES, CLASSES[:20], {},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("network", "X", "Y", "settings"), NETWORKS.values(), ids=list(NETWORKS))
def test_it_is_the_dense_hessians_largest_eigenvalue(network, X, Y, settings):
    H = dense_hessian(network, X, Y, **settings)
    np.testing.assert_allclose(H, H.T, rtol=0, atol=1e-12 * np.abs(H).max())
    expected = np.linalg.eigvalsh(H)[-1]
    found = largest_curvature(network, X, Y, **settings)
    assert found.value == pytest.approx(expected, rel=1e-6)
    assert found.converged
    v = np.concatenate([part.ravel() for part in found.vector.values()])
    assert np.linalg.norm(v) == pytest.approx(1.0)
    assert np.linalg.norm(H @ v - found.value * v) <= 1e-6 * found.value
    again = largest_curvature(network, X, Y, **settings)
    assert again.value == found.value
    assert again.products == found.products


def test_linear_regression_by_hand():
    # J = ½ Σ (X W − y)² / m without bias: H = XᵀX / m.
    network = gn.Network(3, gn.Dense(1, bias=False))
    expected = np.linalg.eigvalsh(X.T @ X / 60)[-1]
    assert largest_curvature(network, X, NUMBERS).value == pytest.approx(expected, rel=1e-9)


def test_where_it_is_looked_at():
    network = gn.Network(1, gn.Dense(1, "sigmoid", bias=False))
    X, Y = np.array([[1.0], [2.0]]), np.array([[0.0], [1.0]])
    # At w = 0 every a is ½: (1 + 4) ¼ / 2 = 0.625.
    assert largest_curvature(network, X, Y, parameters={"W1": [[0.0]]}).value == pytest.approx(0.625)
    # Of the rows 0, 1, 2 (x = 0, 1, 2), two taken evenly are the first and the last: 4 · ¼ / 2.
    X, Y = np.array([[0.0], [1.0], [2.0]]), np.array([[0.0], [1.0], [1.0]])
    assert largest_curvature(network, X, Y, parameters={"W1": [[0.0]]}, rows=2).value == pytest.approx(0.5)
    # With weights 1, 0, 3: the second row is left out; 3 · 4 · ¼ / 4.
    weighted = largest_curvature(network, X, Y, parameters={"W1": [[0.0]]}, sample_weight=[1, 0, 3])
    assert weighted.value == pytest.approx(0.75)


def test_the_largest_and_not_the_one_of_largest_size():
    matrix = np.diag([-9.0, 2.0, 1.0, -3.0])
    value, vector, products, residual = lanczos(lambda v: matrix @ v, np.ones(4), 1e-10, 100)
    assert value == pytest.approx(2.0)
    assert abs(vector[1]) == pytest.approx(1.0)
    assert products == 4
    assert residual < 1e-9


def test_a_downward_cost_has_no_limit():
    assert Curvature(-1.0, {}, 1, True, 0.0).steady_rate() == float("inf")


def test_stopping_early_says_so():
    found = largest_curvature(gn.Network(3, gn.Dense(20, "tanh"), gn.Dense(1)), X, NUMBERS, most=3, tolerance=1e-12)
    assert found.products == 3
    assert not found.converged
    assert found.residual > 0


# What it is for.


@pytest.mark.parametrize(("momentum", "nesterov"), [(0.0, False), (0.5, False), (0.9, False), (0.5, True), (0.9, True)])
@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_it_predicts_the_rate_at_which_descent_on_a_parabola_diverges(momentum, nesterov, engine):
    network = gn.Network(3, gn.Dense(1))
    limit = largest_curvature(network, X, NUMBERS, rows=None).steady_rate(momentum, nesterov)
    least = 0.5 * np.linalg.lstsq(np.c_[np.ones(60), X], NUMBERS, rcond=None)[1][0] / 60

    def cost_after(share):
        optimizer = gn.SGD(share * limit, momentum=momentum, nesterov=nesterov)
        run = gn.train(
            network, X, NUMBERS, optimizer=optimizer, epochs=1500, engine=engine, record="last", progress=False
        )
        return float(run.history["cost"][-1])

    assert cost_after(0.99) == pytest.approx(least, rel=1e-6)
    with pytest.warns(GlassnetWarning, match="this training diverges"):
        assert not cost_after(1.01) < 1e4


# Refusals.


def test_refusals():
    network = gn.Network(3, gn.Dense(1))
    with pytest.raises(GlassnetError) as refused:
        largest_curvature(network, X, NUMBERS, parameters={"V1": 0, "W1": 0})
    assert str(refused.value) == "largest_curvature got parameters named V1; the network's are W1, b1."
    with pytest.raises(GlassnetError) as refused:
        largest_curvature(network, X, NUMBERS, parameters={"W1": np.zeros(3)})
    assert str(refused.value) == "largest_curvature got parameters['W1'] of shape (3,); it needs (3, 1)."
    with pytest.raises(GlassnetError, match="most"):
        largest_curvature(network, X, NUMBERS, most=0)
    steep, settings = (
        gn.Network(3, gn.Dense(1, "exp")),
        {"loss": "mean_squared_error", "parameters": {"W1": np.ones((3, 1))}},
    )
    with pytest.raises(GlassnetError) as refused:
        largest_curvature(steep, 1e4 * np.abs(X), NUMBERS, **settings)
    assert str(refused.value) == (
        "The curvature got 'A1' with values that are not finite; it needs a finite first step."
    )
