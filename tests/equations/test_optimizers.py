"""Each optimiser's first two updates by hand, on one weight with slopes 2 and then −1."""

from __future__ import annotations

import math

import numpy as np
import pytest

import glassnet as gn
from glassnet.equations.expression import Symbol
from glassnet.equations.optimizers import OPTIMIZERS, optimizer
from glassnet.errors import GlassnetError

THETA, GRADIENT = Symbol("W1"), Symbol("dW1")


def two_steps(kind, decays=True, start=1.0, slopes=(2.0, -1.0), alpha=0.1):
    """The states and the parameter after each step."""
    env = {"W1": np.float64(start), **{s.name: np.float64(0) for s in kind.states(THETA)}}
    seen = []
    for step, slope in enumerate(slopes, 1):
        env.update(dW1=np.float64(slope), alpha=alpha, t=float(step))
        for target, value, why in kind.updates(THETA, GRADIENT, decays):
            assert why
            env[target.name] = value.evaluate(env, np)
        seen.append({name: float(v) for name, v in env.items() if name not in ("dW1", "alpha", "t")})
    return seen


def test_gradient_descent():
    # 1 − 0.1 · 2 = 0.8; 0.8 + 0.1 = 0.9
    values = [state["W1"] for state in two_steps(gn.SGD(0.1))]
    assert values == pytest.approx([0.8, 0.9], rel=1e-15)


def test_momentum():
    # v = −0.2, θ = 0.8;  v = 0.9 · −0.2 + 0.1 = −0.08, θ = 0.72
    first, second = two_steps(gn.SGD(0.1, momentum=0.9))
    assert first == pytest.approx({"vW1": -0.2, "W1": 0.8}, rel=1e-14)
    assert second == pytest.approx({"vW1": -0.08, "W1": 0.72}, rel=1e-14)


def test_nesterov():
    # v = −0.2, θ = 1 + 0.9 · −0.2 − 0.2 = 0.62;  v = −0.08, θ = 0.62 + 0.9 · −0.08 + 0.1 = 0.648
    first, second = two_steps(gn.SGD(0.1, momentum=0.9, nesterov=True))
    assert first == pytest.approx({"vW1": -0.2, "W1": 0.62}, rel=1e-14)
    assert second == pytest.approx({"vW1": -0.08, "W1": 0.648}, rel=1e-14)


def test_adagrad():
    # s = 4, θ = 1 − 0.1 · 2/2 = 0.9;  s = 5, θ = 0.9 + 0.1/√5
    first, second = two_steps(gn.Adagrad(0.1))
    assert first == pytest.approx({"sW1": 4, "W1": 0.9}, rel=1e-9)
    assert second == pytest.approx({"sW1": 5, "W1": 0.9 + 0.1 / math.sqrt(5)}, rel=1e-9)


def test_rmsprop():
    # s = 0.1 · 4 = 0.4, θ = 1 − 0.1 · 2/√0.4;  s = 0.9 · 0.4 + 0.1 = 0.46, θ += 0.1/√0.46
    first, second = two_steps(gn.RMSprop(0.1))
    one = 1 - 0.2 / math.sqrt(0.4)
    assert first == pytest.approx({"sW1": 0.4, "W1": one}, rel=1e-7)
    assert second == pytest.approx({"sW1": 0.46, "W1": one + 0.1 / math.sqrt(0.46)}, rel=1e-7)


def test_adam():
    # m = 0.2, v = 0.004; m/(1 − 0.9) = 2, v/(1 − 0.999) = 4: θ = 1 − 0.1 · 2/2 = 0.9
    # m = 0.18 − 0.1 = 0.08, v = 0.003996 + 0.001 = 0.004996; m̂ = 0.08/0.19, v̂ = 0.004996/0.001999
    first, second = two_steps(gn.Adam(0.1))
    assert first == pytest.approx({"mW1": 0.2, "vW1": 0.004, "W1": 0.9}, rel=1e-7)
    two = 0.9 - 0.1 * (0.08 / 0.19) / math.sqrt(0.004996 / 0.001999)
    assert second == pytest.approx({"mW1": 0.08, "vW1": 0.004996, "W1": two}, rel=1e-7)


def test_epsilon_stands_outside_the_root():
    # Adam with ε = 1: θ = 1 − 0.1 · 2/(2 + 1); RMSprop: 1 − 0.1 · 2/(√0.4 + 1)
    assert two_steps(gn.Adam(0.1, epsilon=1.0))[0]["W1"] == pytest.approx(1 - 0.2 / 3, rel=1e-14)
    assert two_steps(gn.RMSprop(0.1, epsilon=1.0))[0]["W1"] == pytest.approx(1 - 0.2 / (math.sqrt(0.4) + 1), rel=1e-14)
    assert two_steps(gn.Adagrad(0.1, epsilon=1.0))[0]["W1"] == pytest.approx(1 - 0.2 / 3, rel=1e-14)


def test_adamw_decays_weights_only_and_beside_the_direction():
    # 1 − 0.1 · 0.5 · 1 − 0.1 = 0.85;  0.85 · 0.95 − Adam's second step
    adam = two_steps(gn.Adam(0.1))
    first, second = two_steps(gn.AdamW(0.1, weight_decay=0.5))
    moved = adam[1]["W1"] - adam[0]["W1"]
    assert first["W1"] == pytest.approx(0.85, rel=1e-7)
    assert second["W1"] == pytest.approx(0.85 * 0.95 + moved, rel=1e-7)
    bias = two_steps(gn.AdamW(0.1, weight_decay=0.5), decays=False)
    assert [s["W1"] for s in bias] == [s["W1"] for s in adam]
    assert [s["W1"] for s in two_steps(gn.AdamW(0.1, weight_decay=0.0))] == [s["W1"] for s in adam]


def test_in_a_derivation_only_weights_decay():
    derivation = gn.derive(
        gn.Network(3, gn.Dense(2), gn.BatchNorm(), gn.Dense(1)), optimizer=gn.AdamW(weight_decay=0.5)
    )
    decaying = {e.name for e in derivation.update if "λw" in str(e)}
    assert decaying == {"W1", "W2"}


def test_states_start_at_zero_and_are_named_after_their_parameter():
    names = {name: [s.name for s in kind().states(THETA)] for name, kind in OPTIMIZERS.items()}
    assert names == {
        "sgd": [], "adagrad": ["sW1"], "rmsprop": ["sW1"], "adam": ["mW1", "vW1"], "adamw": ["mW1", "vW1"], "lbfgs": [],
        "least_squares": [], "newton": [],
    }  # fmt: skip
    assert [s.name for s in gn.SGD(0.1, momentum=0.5).states(THETA)] == ["vW1"]
    assert gn.Adam().states(Symbol("W1", (2, 3)))[0].shape == (2, 3)


def test_lbfgs_has_no_assignments():
    assert gn.derive(gn.Network(2, gn.Dense(1)), optimizer="lbfgs").update == ()
    assert gn.LBFGS(memory=5).memory == 5


def test_by_name_and_by_default():
    assert optimizer(None) == gn.Adam()
    assert optimizer("SGD") == gn.SGD()
    assert optimizer("adamw") == gn.AdamW()
    mine = gn.RMSprop(0.3)
    assert optimizer(mine) is mine


FRACTION = "it needs a number from 0 up to, but not including, 1."
POSITIVE = "it needs a finite number above 0."


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: gn.SGD(0), f"SGD got learning_rate=0; {POSITIVE}"),
        (lambda: gn.SGD(-0.1), f"SGD got learning_rate=-0.1; {POSITIVE}"),
        (lambda: gn.SGD("0.1"), f"SGD got learning_rate='0.1'; {POSITIVE}"),
        (lambda: gn.SGD(True), f"SGD got learning_rate=True; {POSITIVE}"),
        (lambda: gn.Adam(float("nan")), f"Adam got learning_rate=nan; {POSITIVE}"),
        (lambda: gn.Adam(float("inf")), f"Adam got learning_rate=inf; {POSITIVE}"),
        (lambda: gn.SGD(0.1, momentum=1.1), "SGD got momentum=1.1; it needs a number from 0 to 1."),
        (lambda: gn.SGD(0.1, nesterov=True),
         "SGD got nesterov=True without momentum; it needs momentum above 0, e.g. momentum=0.9."),
        (lambda: gn.Adam(beta1=1.5, beta2=-1), f"Adam got beta1=1.5, beta2=-1; {FRACTION}"),
        (lambda: gn.Adam(epsilon=0), f"Adam got epsilon=0; {POSITIVE}"),
        (lambda: gn.AdamW(weight_decay=1), f"AdamW got weight_decay=1; {FRACTION}"),
        (lambda: gn.AdamW(beta1=1), f"AdamW got beta1=1; {FRACTION}"),
        (lambda: gn.RMSprop(rho=1), f"RMSprop got rho=1; {FRACTION}"),
        (lambda: gn.RMSprop(epsilon=-1), f"RMSprop got epsilon=-1; {POSITIVE}"),
        (lambda: gn.Adagrad(epsilon=0), f"Adagrad got epsilon=0; {POSITIVE}"),
        (lambda: gn.LBFGS(memory=0), "LBFGS got memory=0; it needs a whole number, 1 or more."),
        (lambda: gn.LBFGS(tolerance=-1), "LBFGS got tolerance=-1; it needs a finite number, 0 or above."),
        (lambda: gn.LBFGS(evaluations=0), "LBFGS got evaluations=0; it needs a whole number, 1 or more."),
        (lambda: optimizer("rmsprob"),
         "There is no optimiser 'rmsprob'; did you mean 'rmsprop'? Known: sgd, adagrad, rmsprop, adam, adamw, lbfgs, "
         "least_squares, newton."),
        (lambda: optimizer(gn.SGD), None),
    ],
)  # fmt: skip
def test_refused_settings(make, sentence):
    with pytest.raises(GlassnetError) as caught:
        make()
    if sentence is not None:
        assert str(caught.value) == sentence
    else:
        assert str(caught.value).endswith("Known: sgd, adagrad, rmsprop, adam, adamw, lbfgs, least_squares, newton.")


def test_a_schedule_takes_the_place_of_a_rate():
    kind = gn.SGD(gn.ExponentialDecay(0.1, decay=0.5))
    assert kind.schedule == gn.ExponentialDecay(0.1, decay=0.5)
    assert gn.SGD(0.1).schedule.rate(7, 3, 3.5) == 0.1
