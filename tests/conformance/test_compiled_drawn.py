"""Networks and settings drawn at random, every rewrite left out once, and the checks themselves checked."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twins import agree, assert_close, inputs, same, targets, twins

import glassnet as gn
from glassnet.engines.compiled import engine as compiled_engine
from glassnet.engines.compiled.engine import CompiledEngine
from glassnet.engines.compiled.operations import Instruction
from glassnet.engines.compiled.programs import lower
from glassnet.engines.compiled.rewrites import LIST_REWRITES, STEP_REWRITES
from glassnet.equations.proximal import ProximalGradient

BOTH = pytest.mark.parametrize("dtype", ["float64", "float32"])
NET = gn.Network(3, gn.Dense(5, "relu"), gn.Dense(4, "tanh"), gn.Dense(4, "sigmoid"), gn.Dense(2))
NARROW = gn.Network(3, gn.Dense(40, "tanh"), gn.Dense(2))
X, Y = inputs(), targets("mean_squared_error", 2)

SWISH = gn.activation("swish", lambda z: z * gn.sigmoid(z))
BENT = gn.activation("bent", lambda z: gn.where(z > 0.5, z, 0.1 * z + 0.2))
HIDDEN = ["linear", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu", "softplus", "softmax", SWISH, BENT]
CAUCHY = gn.loss("cauchy", lambda y, a: gn.log(1 + (a - y) ** 2))
HEADS = [
    ("linear", "mean_squared_error"), ("linear", "mean_absolute_error"), ("tanh", "huber"), ("exp", "poisson"),
    ("sigmoid", "binary_cross_entropy"), ("softmax", "categorical_cross_entropy"), ("linear", "hinge"), (SWISH, CAUCHY),
]  # fmt: skip
OPTIMIZERS = [
    gn.SGD(0.05), gn.SGD(0.02, momentum=0.9), gn.SGD(0.02, momentum=0.5, nesterov=True), gn.SGD(gn.StepDecay(0.1, every=1)),
    gn.Adagrad(0.01, epsilon=1e-3), gn.RMSprop(0.002, epsilon=1e-3), gn.Adam(0.002, epsilon=1e-3),
    gn.AdamW(gn.WarmUp(0.002, iterations=9), epsilon=1e-3), gn.Adam(0.002, epsilon_hat=True, epsilon=1e-3),
    ProximalGradient(0.05, l1=0.01),
]  # fmt: skip
"""Their ε is large: where a slope is 0 but for its rounding, a small one makes a step of full length of the rounding."""


@st.composite
def trainings(draw):
    """(network, X, Y, settings)."""
    features, rows = draw(st.integers(1, 5)), draw(st.integers(1, 40))
    layers = [gn.BatchNorm()] if draw(st.integers(0, 9)) == 0 else []
    layers += [gn.Dropout(0.3)] if draw(st.integers(0, 9)) == 0 else []
    for _ in range(draw(st.integers(0, 3))):
        own, width = draw(st.sampled_from(HIDDEN)), draw(st.integers(1, 9))
        kind = draw(st.integers(0, 5))
        if kind < 2 and any(isinstance(layer, gn.BatchNorm) for layer in layers):
            kind = 5  # behind a second one, slopes are 0 but for rounding
        if kind == 0:
            layers += [gn.Dense(width, bias=False), gn.BatchNorm(), gn.Activation(own)]
        else:
            layers += [gn.Dense(width, own, bias=draw(st.integers(0, 4)) > 0)]
            layers += (
                [gn.BatchNorm()] if kind == 1 else [gn.Dropout(draw(st.sampled_from([0.1, 0.5])))] if kind == 2 else []
            )
    head, loss = draw(st.sampled_from(HEADS))
    units = draw(st.integers(2 if head == "softmax" else 1, 4))
    layers += [gn.Dense(units, head, bias=draw(st.integers(0, 4)) > 0)]
    optimizer = draw(st.sampled_from(OPTIMIZERS))
    held = draw(st.integers(0, 12))
    own_seed = draw(st.integers(0, 2**64 - 1))
    chosen = {
        "loss": loss, "optimizer": optimizer, "batch_size": draw(st.none() | st.integers(1, rows + 2)),
        "epochs": draw(st.integers(1, 6)), "l1": getattr(optimizer, "l1", draw(st.sampled_from([0.0, 0.0, 0.01]))),
        "l2": draw(st.sampled_from([0.0, 0.0, 0.05])), "penalty_on": draw(st.sampled_from(["mean", "sum"])),
        "shuffle": draw(st.booleans()), "seed": own_seed, "threads": draw(st.integers(1, 3)),
        "measure": draw(st.sampled_from(["auto", "all", 1 + rows // 2])),
        "record": draw(st.sampled_from(["auto", "all", "last", 3])),
        "sample_weight": inputs(rows, 1, 5)[:, 0] ** 2 if draw(st.booleans()) else None,
    }  # fmt: skip
    if held:
        chosen["validation"] = inputs(held, features, 7), targets(loss, units, held, 8)
    return gn.Network(features, *layers), inputs(rows, features, 9), targets(loss, units, rows, 10), chosen


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(trainings())
def test_any_training(training):
    network, x, y, chosen = training
    agree(network, x, y, **chosen)


@pytest.fixture
def left_out(monkeypatch):
    """Makes engines without one of the rewrites."""

    def leave(name):
        monkeypatch.setattr(CompiledEngine.__init__, "__defaults__", ("float64", (name,)))

    return leave


@BOTH
@pytest.mark.parametrize("name", [*STEP_REWRITES, *LIST_REWRITES])
def test_without_each_rewrite(name, dtype, left_out):
    optimizer = gn.SGD(0.01) if name == "descents" else gn.Adam(0.01)
    settings = {"optimizer": optimizer, "l2": 0.01, "epochs": 10, "batch_size": 7, "dtype": dtype}
    deep = gn.Network(3, gn.Dense(5, "relu"), gn.Dense(9, "tanh"), gn.Dense(2))
    net = NET if name in STEP_REWRITES else NARROW if name == "narrow layer" else deep
    with_it, _ = agree(net, X, Y, **settings)
    assert with_it.engine.leave_out == ()
    left_out(name)
    without, _ = agree(net, X, Y, **settings)
    assert without.engine.leave_out == (name,)
    texts = [str(lower(with_it.derivation, (3, 2), left).update) for left in ((), (name,))]
    assert texts[0] != texts[1]  # it was there to be left out


def test_a_wrong_rewrite_is_noticed(monkeypatch):
    def wrong(m, step):
        return Instruction("absolute", step.operands[:1]) if step.code == "max_vs" else None

    monkeypatch.setitem(STEP_REWRITES, "slopes", wrong)
    monkeypatch.setattr(compiled_engine, "_lowered", type(compiled_engine._lowered)())
    with pytest.raises(AssertionError, match="further apart than 1e-10"):
        agree(NET, X, Y, epochs=5)


def test_a_small_difference_is_noticed(monkeypatch):
    compiled, reference = twins(NET, X, Y, epochs=5)
    assert not same(compiled.parameters, {n: v * (1 + 1e-9) for n, v in reference.parameters.items()})
    with pytest.raises(AssertionError, match="W1 by 1e-09"):
        assert_close(compiled.parameters, {n: v * (1 + 1e-9) for n, v in reference.parameters.items()}, 1e-10)
