"""The named functions and losses over −1000 … 1000, against scipy.special and numbers computed with 60 digits."""

import math
import warnings

import numpy as np
import pytest
from scipy import special

import glassnet as gn
from glassnet.equations.functions import (
    ACTIVATIONS,
    gelu,
    log_softmax,
    log_softplus,
    logsumexp,
    normal_cdf,
    sigmoid,
    softmax,
    softplus,
)
from glassnet.equations.losses import LOSSES, pairing

FINE = np.concatenate([np.linspace(-1000, 1000, 4001), np.linspace(-40, 40, 3201), np.linspace(-1e-6, 1e-6, 101)])
SMALLEST = np.finfo(float).tiny
"""Below this, numbers have fewer digits; a sigmoid of −720 may be 0 where the exact value is 2e−313."""

# mpmath with 60 digits: z, sigmoid, softplus, log(softplus), Φ, z Φ(z).
EXACT = np.array(
    [
        (-1000, 0.0, 0.0, -1000.0, 0.0, 0.0),
        (-745, 5e-324, 5e-324, -745.0, 0.0, 0.0),
        (-500, 7.124576406741286e-218, 7.124576406741286e-218, -500.0, 0.0, 0.0),
        (-100, 3.720075976020836e-44, 3.720075976020836e-44, -100.0, 0.0, 0.0),
        (-40, 4.248354255291589e-18, 4.248354255291589e-18, -40.0, 0.0, 0.0),
        (-38, 3.1391327920480296e-17, 3.1391327920480296e-17, -38.0, 2.88542835e-316, -1.096462777e-314),
        (-31, 3.442477108469858e-14, 3.4424771084699174e-14, -31.000000000000018, 2.6952500812005002e-211,
         -8.35527525172155e-210),
        (-30, 9.357622968839299e-14, 9.357622968839737e-14, -30.000000000000046, 4.906713927148187e-198,
         -1.472014178144456e-196),
        (-29, 2.543665647376276e-13, 2.5436656473765996e-13, -29.000000000000128, 3.28978526670438e-185,
         -9.540377273442702e-184),
        (-20, 2.0611536181902037e-09, 2.061153620314381e-09, -20.00000000103058, 2.7536241186062337e-89,
         -5.507248237212468e-88),
        (-8, 0.0003353501304664781, 0.00033540637289576885, -8.00016770787384, 6.220960574271784e-16,
         -4.976768459417427e-15),
        (-1, 0.2689414213699951, 0.3132616875182228, -1.1607163753888976, 0.15865525393145705, -0.15865525393145705),
        (-0.001, 0.4997500000208333, 0.6926473055599401, -0.36723434793137927, 0.49960105778608893,
         -0.000499601057786089),
        (0, 0.5, 0.6931471805599453, -0.36651292058166435, 0.5, 0.0),
        (1e-9, 0.50000000025, 0.6931471810599453, -0.3665129198603168, 0.5000000003989423, 5.000000003989423e-10),
        (0.5, 0.6224593312018546, 0.9740769841801067, -0.02626493926374671, 0.6914624612740131, 0.34573123063700656),
        (3, 0.9525741268224333, 3.048587351573742, 1.114678319907568, 0.9986501019683699, 2.99595030590511),
        (10, 0.9999546021312976, 10.000045398899218, 2.302589632873662, 1.0, 10.0),
        (30, 0.9999999999999064, 30.000000000000092, 3.4011973816621586, 1.0, 30.0),
        (38, 1.0, 38.0, 3.6375861597263857, 1.0, 38.0),
        (100, 1.0, 100.0, 4.605170185988092, 1.0, 100.0),
        (709, 1.0, 709.0, 6.5638555265321274, 1.0, 709.0),
        (1000, 1.0, 1000.0, 6.907755278982137, 1.0, 1000.0),
    ]
)  # fmt: skip


@pytest.mark.parametrize(("function", "column"), [(sigmoid, 1), (softplus, 2), (log_softplus, 3)])
def test_against_sixty_digits(function, column):
    np.testing.assert_allclose(function(EXACT[:, 0]), EXACT[:, column], rtol=4e-15, atol=SMALLEST)


def tail_rounding(z):
    """What rounding −z/√2 does to erfc: an error ε in the argument is one of z² ε in the value."""
    return 4e-15 + 4e-16 * np.minimum(z, 0) ** 2


@pytest.mark.parametrize(("function", "column"), [(normal_cdf, 4), (gelu, 5)])
def test_the_normal_distribution_against_sixty_digits(function, column):
    z, exact = EXACT[:, 0], EXACT[:, column]
    assert (np.abs(function(z) - exact) <= tail_rounding(z) * np.abs(exact) + SMALLEST * np.maximum(1, np.abs(z))).all()


def test_sigmoid_against_scipy():
    np.testing.assert_allclose(sigmoid(FINE), special.expit(FINE), rtol=4e-15, atol=SMALLEST)


def test_softplus_against_scipy():
    np.testing.assert_allclose(softplus(FINE), -special.log_expit(-FINE), rtol=4e-15, atol=SMALLEST)


def test_log_softplus_against_scipy():
    # log_expit loses softplus(z) below −745, where it is 0; there log softplus(z) = z to the last digit.
    with np.errstate(divide="ignore"):
        expected = np.where(FINE < -700, FINE, np.log(-special.log_expit(-FINE)))
    np.testing.assert_allclose(log_softplus(FINE), expected, rtol=4e-15, atol=4e-16)


def test_normal_cdf_and_gelu_against_the_complementary_error_function():
    expected = np.array([0.5 * math.erfc(-z / math.sqrt(2)) for z in FINE])
    allowed = tail_rounding(FINE) * expected + SMALLEST
    assert (np.abs(normal_cdf(FINE) - expected) <= allowed).all()
    assert (np.abs(gelu(FINE) - FINE * expected) <= np.abs(FINE) * allowed).all()


@pytest.mark.parametrize("spread", [1e-3, 1.0, 50.0, 1000.0])
def test_softmax_and_its_logarithm_against_scipy(spread):
    rng = np.random.default_rng(int(spread))
    z = np.clip(rng.normal(0, spread, (200, 7)), -1000, 1000)
    z[0], z[1, 0], z[2, 3] = 1000.0, -1000.0, 1000.0
    np.testing.assert_allclose(softmax(z), special.softmax(z, axis=1), rtol=1e-13, atol=SMALLEST)
    np.testing.assert_allclose(softmax(z).sum(axis=1), 1.0, rtol=1e-15)
    np.testing.assert_allclose(log_softmax(z), special.log_softmax(z, axis=1), rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(logsumexp(z), special.logsumexp(z, axis=1, keepdims=True), rtol=1e-14, atol=1e-15)


def test_softmax_does_not_move_when_all_scores_do():
    z = np.array([[0.0, 1.0, -2.0], [3.0, 3.0, 3.0]])
    for shift in (-1000.0, -500.0, 500.0, 1000.0):
        np.testing.assert_allclose(softmax(z + shift), softmax(z), rtol=1e-15)


# --- losses at scores of ±1000 --------------------------------------------------------------------------------------


def one_step(loss, head, scores, targets, dtype="float64", **settings):
    """The first step of a network whose pre-activations are `scores`: its weights are the unit matrix."""
    scores = np.array(scores, dtype=dtype)
    units = scores.shape[1]
    network = gn.Network(units, gn.Dense(units, head, bias=False))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gn.GlassnetWarning)
        run = gn.train(
            network, scores, np.array(targets, dtype=dtype), loss=loss, epochs=0, progress=False, shuffle=False,
            optimizer=gn.SGD(1e-9), initial_parameters={"W1": np.eye(units)}, **settings,
        )  # fmt: skip
    assert run.status == "finished"
    return run.intermediates(0)


@pytest.mark.parametrize("z", [-1000.0, -745.0, -100.0, -20.0, -1.0, 0.0, 1.0, 20.0, 100.0, 1000.0])
@pytest.mark.parametrize("y", [0.0, 0.3, 1.0])
def test_binary_cross_entropy_from_the_score(z, y):
    # softplus(z) − y z = −y log σ(z) − (1 − y) log σ(−z)
    step = one_step("binary_cross_entropy", "sigmoid", [[z]], [[y]])
    expected = -(y * special.log_expit(z) + (1 - y) * special.log_expit(-z))
    np.testing.assert_allclose(step["J"], expected, rtol=4e-15, atol=4e-15 * y * abs(z))
    np.testing.assert_allclose(step["dZ1"], [[special.expit(z) - y]], rtol=4e-15, atol=SMALLEST)


@pytest.mark.parametrize("right", [0, 1, 2])
def test_categorical_cross_entropy_of_scores_a_thousand_apart(right):
    # log softmax of (1000, −1000, 0) is (0, −2000, −1000) to the last digit.
    step = one_step("categorical_cross_entropy", "softmax", [[1000.0, -1000.0, 0.0]], np.eye(3)[[right]])
    assert float(step["J"]) == (0.0, 2000.0, 1000.0)[right]
    np.testing.assert_array_equal(step["dZ1"], np.array([[1.0, 0.0, 0.0]]) - np.eye(3)[[right]])


def test_poisson_of_a_softplus_mean_that_underflows():
    # a − y log a with a = softplus(−1000) = e^−1000: the cost is 1000 y, its slope σ(z) − y σ(z)/a → −y.
    step = one_step("poisson", "softplus", [[-1000.0], [1000.0]], [[3.0], [3.0]])
    np.testing.assert_allclose(2 * step["J"], 3000.0 + (1000.0 - 3 * math.log(1000.0)), rtol=1e-15)
    np.testing.assert_allclose(2 * step["dZ1"], [[-3.0], [1 - 3 / 1000]], rtol=1e-14)


def pairs():
    found = []
    for loss_name, loss in LOSSES.items():
        for head_name, head in ACTIVATIONS.items():
            try:
                pairing(loss, head, 3)
            except gn.GlassnetError:
                continue
            found.append((loss_name, head_name))
    return found


TARGETS = {
    "any": [[0.5, -2.0, 1.0]] * 2,
    "zero_to_one": [[0.0, 1.0, 0.3], [1.0, 0.0, 1.0]],
    "zero_or_one": [[0.0, 1.0, 0.0], [1.0, 0.0, 1.0]],
    "rows_sum_to_one": [[0.0, 1.0, 0.0], [0.5, 0.2, 0.3]],
    "plus_minus_one": [[-1.0, 1.0, -1.0], [1.0, -1.0, 1.0]],
    "not_negative": [[0.0, 3.0, 1.0], [2.0, 0.0, 5.0]],
}
FAR = [[1000.0, -1000.0, 0.0], [-1000.0, 1000.0, 1000.0]]


@pytest.mark.parametrize(("loss", "head"), pairs())
def test_every_pairing_is_finite_at_scores_of_a_thousand(loss, head):
    # exp(1000) is no float64: there the score goes up to 700 only, half of that where it is squared.
    top = {"exp": 350.0 if loss == "mean_squared_error" else 700.0}.get(head, 1000.0)
    step = one_step(loss, head, np.minimum(FAR, top), TARGETS[LOSSES[loss].targets])
    for name, value in step.items():
        assert np.isfinite(value).all(), name
    assert np.abs(step["dZ1"]).max() > 0


def test_an_exp_output_that_overflows_is_said_and_not_hidden():
    network = gn.Network(1, gn.Dense(1, "exp", bias=False))
    with pytest.warns(gn.GlassnetWarning, match=r"A1 = exp\(Z1\) is not finite"):
        run = gn.train(network, [[1000.0]], [[3.0]], initial_parameters={"W1": [[1.0]]}, epochs=1, progress=False)
    assert run.status == "diverged"


# --- one kind of number throughout ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("loss", "head"), pairs())
def test_a_float32_training_is_float32_in_every_line(loss, head):
    hidden = "tanh" if head in ("step", "softmax") else head
    network = gn.Network(
        4, gn.Dense(5, hidden), gn.BatchNorm(), gn.Dropout(0.2), gn.Dense(5, hidden, init="normal(0.1)"),
        gn.Dense(3, head, init="normal(0.1)"),
    )  # fmt: skip
    X = np.random.default_rng(0).normal(size=(2, 4)).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gn.GlassnetWarning)
        run = gn.train(
            network, X, TARGETS[LOSSES[loss].targets], loss=loss, optimizer=gn.Adam(1e-4), epochs=2, progress=False,
            sample_weight=[1.0, 0.5], l1=0.1, l2=0.1,
        )  # fmt: skip
    assert run.status == "finished"
    step = run.intermediates(1)
    others = {
        name: value.dtype for name, value in step.items() if hasattr(value, "dtype") and value.dtype != np.float32
    }
    assert others == {}
    assert {"J", "dW1", "dA1", "dgamma1", "mW1.after", "W3.after", "running_var1.after"} <= set(step)
    assert {value.dtype for value in run.parameters.values()} == {np.dtype("float32")}
