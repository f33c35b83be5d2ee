"""2–40–1 of seed 000 (06) and 2–4–1 of seed 001 (07): tanh, sigmoid, binary cross-entropy, full batch, against R.

`literal` is what the seeds' own code computes: its db1 adds up all hidden units (errata 1 and 12). We are to agree
with `correct` and not with that.
"""

import numpy as np
import pytest
from golden_files import FIRST_STEP, TRAJECTORY, ZERO, accuracy_after, close, cost_after, flower, golden, train

import glassnet as gn

NAMES = ["06_net_2_40_1_planar", "07_net_2_4_1_planar_lr1.2", "07_net_2_4_1_planar_lr5.2"]


def ours(weights):
    """R's (units out) × (units in) and column biases as W1, b1, W2, b2."""
    return {name: np.array(value).T if name[0] == "W" else np.array(value)[:, 0] for name, value in weights.items()}


@pytest.fixture(scope="module", params=NAMES)
def trained(request):
    case = golden(request.param)
    X, Y = flower()
    hidden = case["architecture"][1]
    network = gn.Network(2, gn.Dense(hidden, "tanh"), gn.Dense(1, "sigmoid"))
    run = train(
        network, X, Y, loss="binary_cross_entropy", optimizer=gn.SGD(case["lr"]), epochs=1000,
        initial_parameters=ours(case["initial"]),
    )  # fmt: skip
    return case, run


def test_the_start_is_the_one_given(trained):
    case, run = trained
    for name, value in ours(case["initial"]).items():
        np.testing.assert_array_equal(run.at(0).parameters[name], value)


def test_gradients_at_iteration_0(trained):
    case, run = trained
    first = run.intermediates(0)
    right = case["correct"]["gradients_iteration_0"]
    assert set(right) == {"dW1", "db1", "dW2", "db2"}
    for name, value in right.items():
        close(first[name].T if name[1] == "W" else first[name][:, None], value, FIRST_STEP, ZERO)
    close(first["A2"][:5, 0], case["correct"]["A2_first5_iteration_0"], FIRST_STEP)


def test_the_first_update_is_the_start_less_the_rate_times_the_gradient(trained):
    case, run = trained
    first = run.intermediates(0)
    gradients = ours({name[1:]: value for name, value in case["correct"]["gradients_iteration_0"].items()})
    for name, start in ours(case["initial"]).items():
        close(first[f"{name}.after"], start - case["lr"] * gradients[name], FIRST_STEP, ZERO)
        np.testing.assert_array_equal(first[f"{name}.after"], run.at(1).parameters[name])


def test_costs_and_accuracies_at_every_listed_iteration(trained):
    case, run = trained
    right = case["correct"]
    comparable = right["float_noise"]["comparable"]
    assert set(right["cost_at"]) == set(comparable) == {"0", "1", "2", "10", "100", "1000"}
    compared = [int(key) for key, may in comparable.items() if may]
    assert len(compared) >= 5
    for updates in compared:
        rtol = FIRST_STEP if updates <= 1 else TRAJECTORY
        close(cost_after(run, updates), right["cost_at"][str(updates)], rtol)
        assert accuracy_after(run, updates) == pytest.approx(right["train_accuracy_at"][str(updates)], abs=1e-15)


def test_weights_after_10(trained):
    case, run = trained
    assert case["correct"]["float_noise"]["comparable"]["10"]
    for name, value in ours(case["correct"]["weights_after_10"]).items():
        close(run.at(10).parameters[name], value, TRAJECTORY)


def test_the_end(trained):
    case, run = trained
    right = case["correct"]
    if not right["float_noise"]["comparable"]["1000"]:
        pytest.skip("the file says that this trajectory is chaotic by iteration 1000")
    X, Y = flower()
    predicted = run.predict(X)
    close(predicted[:5, 0], right["A2_first5_final"], TRAJECTORY)
    assert int(((predicted > 0.5) == Y).sum()) == right["n_correct_final"]


def test_the_seeds_own_bias_gradient_is_not_ours(trained):
    case, run = trained
    literal, correct = case["literal"], case["correct"]
    first = run.intermediates(0)
    wrong = np.array(literal["gradients_iteration_0"]["db1"])[:, 0]
    assert np.all(wrong == wrong[0])  # one number for every hidden unit: the sum over all of them
    close(first["db1"].sum(), wrong[0], 1e-10, ZERO)
    assert (np.abs(first["db1"] - wrong) > 1e-3 * np.abs(wrong)).all()
    for updates in (1, 2, 10, 100):
        there = literal["cost_at"][str(updates)]
        assert there != correct["cost_at"][str(updates)]
        assert abs(cost_after(run, updates) - there) > 1e-5 * there
    moved = ours(literal["weights_after_10"])
    for name, value in run.at(10).parameters.items():
        assert np.abs(value - moved[name]).max() > 1e-4
