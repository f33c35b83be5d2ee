"""Seed 003's networks of several layers (09): one mini-batch, penalties, whole epochs in a fixed order, against R.

The file's nabla are sums over the batch of the data term alone; its matrices are (units out) × (units in).
"""

import numpy as np
import pytest
from golden_files import FIRST_STEP, TRAJECTORY, ZERO, close, data_file, golden, table_of, train

import glassnet as gn

NAMES = [
    "09_net003_4_8_6_3_sigmoid",
    "09_net003_4_8_6_3_softmax",
    "09_net003_4_8_6_3_relu_softmax_l2",
    "09_net003_4_8_3_l1",
    "09_net003_4_40_3_sigmoid",
    "09_net003_4_40_3_l2",
]
SEPARATE = "Every row of Y has exactly one 1"
"""Sigmoid outputs for classes that exclude one another are the seed's choice, and rightly warned about."""


def iris(case):
    found = table_of(case)
    X = np.column_stack([np.array(v, dtype=float) for name, v in found.items() if name != "Species"])
    Y = (np.array(found["Species"])[:, None] == np.array(case["classes"])).astype(float)
    assert X.shape == (150, 4)
    assert Y.sum(axis=0).tolist() == [50, 50, 50]
    return X, Y


def ours(weights, biases):
    """Lists by layer, (out, in) and columns, as W1, b1, W2, ..."""
    named = {f"W{i}": np.array(w).T for i, w in enumerate(weights, 1)}
    return named | {f"b{i}": np.array(b).reshape(-1) for i, b in enumerate(biases, 1)}


def network(case):
    *hidden, outputs = case["sizes"][1:]
    layers = [gn.Dense(units, case["hidden_activation"]) for units in hidden]
    return gn.Network(case["sizes"][0], *layers, gn.Dense(outputs, case["output_activation"]))


def learn(case, X, Y, **settings):
    """Train as the file says, with the warning that its output activation deserves."""
    options = {
        "loss": "categorical_cross_entropy" if case["output_activation"] == "softmax" else "binary_cross_entropy",
        "optimizer": gn.SGD(case["lr"]),
        "initial_parameters": ours(case["initial"]["weights"], case["initial"]["biases"]),
        **settings,
    }
    if case["output_activation"] == "softmax":
        return train(network(case), X, Y, **options)
    with pytest.warns(gn.GlassnetWarning, match=SEPARATE):
        return train(network(case), X, Y, **options)


@pytest.fixture(scope="module", params=NAMES)
def case(request):
    return golden(request.param)


@pytest.fixture(scope="module")
def batch(case):
    X, Y = iris(case)
    rows = case["batch_rows_0based"]
    assert len(rows) == case["batch_size"] == 10
    return X[rows], Y[rows]


@pytest.fixture(scope="module")
def one_step(case, batch):
    return learn(case, *batch, epochs=1, l1=case["l1_lambda"], l2=case["l2_lambda"])


def test_cost_and_outputs_before(case, one_step):
    first = one_step.intermediates(0)
    close(one_step.initial["cost"], case["mean_cost_before"], FIRST_STEP)
    close(one_step.initial["penalty"], case["penalty_before"], FIRST_STEP)
    close(first["J"], case["mean_cost_before"] + case["penalty_before"], FIRST_STEP)
    close(first[f"A{len(case['sizes']) - 1}"], case["outputs_before"], FIRST_STEP)


def test_gradients_of_the_data_term(case, batch):
    first = learn(case, *batch, epochs=1).intermediates(0)
    right = ours(case["nabla_w"], case["nabla_b"])
    assert len(right) == 2 * (len(case["sizes"]) - 1)
    for name, nabla in right.items():
        close(case["batch_size"] * first[f"d{name}"], nabla, FIRST_STEP, ZERO)


def test_gradients_with_the_penalty(case, one_step):
    first = one_step.intermediates(0)
    start = ours(case["initial"]["weights"], case["initial"]["biases"])
    for name, nabla in ours(case["nabla_w"], case["nabla_b"]).items():
        expected = nabla / case["batch_size"]
        if name[0] == "W":
            expected = expected + case["l2_lambda"] * start[name] + case["l1_lambda"] * np.sign(start[name])
        close(first[f"d{name}"], expected, FIRST_STEP, ZERO)


def test_the_first_sample_station_by_station(case, batch):
    # The gradient of one sample's own cost: dZ of the batch holds 1/m of it, and of the biases each sample is its own.
    right = case["first_sample"]
    step = learn(case, *batch, epochs=1).intermediates(0, samples=[0])
    close(batch[0][0], right["activations"][0], FIRST_STEP)
    for layer, (z, a, nabla) in enumerate(
        zip(right["zs"], right["activations"][1:], right["nabla_b"], strict=True), start=1
    ):
        close(step[f"Z{layer}"][0], z, FIRST_STEP)
        close(step[f"A{layer}"][0], a, FIRST_STEP)
        close(case["batch_size"] * step[f"dZ{layer}"][0], nabla, FIRST_STEP, ZERO)


def test_the_updated_parameters(case, one_step):
    first = one_step.intermediates(0)
    for name, value in ours(case["updated"]["weights"], case["updated"]["biases"]).items():
        close(first[f"{name}.after"], value, FIRST_STEP, ZERO)
        np.testing.assert_array_equal(one_step.parameters[name], first[f"{name}.after"])
    close(one_step.history["cost"][0], case["mean_cost_after"], FIRST_STEP)


ORDERED = ["09_net003_4_8_6_3_sigmoid", "09_net003_4_8_6_3_relu_softmax_l2", "09_net003_4_40_3_sigmoid"]


def test_the_cases_with_whole_epochs_are_these():
    assert [name for name in NAMES if "sgd_fixed_order" in golden(name)] == [name for name in NAMES if name in ORDERED]


@pytest.mark.parametrize("name", ORDERED)
def test_thirty_epochs_in_a_fixed_order(name):
    case = golden(name)
    plan = case["sgd_fixed_order"]
    X, Y = iris(case)
    order = plan["order_0based"]
    assert sorted(order) == list(range(150))
    run = learn(
        case, X[order], Y[order], epochs=30, batch_size=plan["mini_batch_size"], l1=case["l1_lambda"],
        l2=case["l2_lambda"],
    )  # fmt: skip
    assert run.batches == 15
    assert set(plan["after_epochs"]) == {"1", "5", "30"}
    for key, there in plan["after_epochs"].items():
        epoch = int(key)
        moment = run.at(15 * epoch)
        close(run.history["cost"][epoch - 1], there["mean_cost_all"], TRAJECTORY)
        close(moment.predict(X[:3]), there["outputs_first3_in_file_order"], TRAJECTORY)
        for layer, biases in enumerate(there["biases"], start=1):
            close(moment.parameters[f"b{layer}"], biases, TRAJECTORY)
        assert run.history["accuracy"][epoch - 1] == pytest.approx(there["accuracy"], abs=1e-15)
        right = int((moment.predict(X).argmax(axis=1) == Y.argmax(axis=1)).sum())
        assert right == there["n_correct"]


def integer_weights():
    """The handwritten digits' network, from the file's formula."""

    def entries(rows, columns, by_row, by_column, divisor):
        i, j = np.arange(rows)[:, None], np.arange(columns)[None]
        return ((i * by_row + j * by_column + (i * j % 1009) * 7 + 11) % 2001 - 1000) / divisor

    return {
        "W1": entries(20, 784, 131, 31, 20_000).T,
        "b1": ((np.arange(20) * 131 + 7) % 2001 - 1000) / 5000,
        "W2": entries(10, 20, 31, 131, 2000).T,
        "b2": ((np.arange(10) * 31 + 3) % 2001 - 1000) / 5000,
    }


def test_handwritten_digits_one_mini_batch():
    from glassnet.data import read_array

    case = golden("09_net003_mnist_784_20_10")
    rows = case["image_indices_0based"]
    images = read_array(data_file("t10k-images-idx3-ubyte.gz"))[rows]
    labels = read_array(data_file("t10k-labels-idx1-ubyte.gz"))[rows]
    assert labels.tolist() == case["labels"]
    assert int(images.astype(int).sum()) == case["pixel_sum"]
    start, checks = integer_weights(), case["weight_checks"]
    close(start["W1"].sum(), checks["W1_sum"], FIRST_STEP)
    close(start["W2"].sum(), checks["W2_sum"], FIRST_STEP)
    close(start["W1"].T[:2, :3], checks["W1_corner"], FIRST_STEP)
    close(start["W2"].T[:2, :3], checks["W2_corner"], FIRST_STEP)
    close(start["b1"], checks["b1"], FIRST_STEP)
    close(start["b2"], checks["b2"], FIRST_STEP)
    X, Y = images.reshape(10, 784) / 255, np.eye(10)[labels]
    run = learn({**case, "initial": {"weights": [], "biases": []}}, X, Y, epochs=1, initial_parameters=start)
    first = run.intermediates(0)
    close(run.initial["cost"], case["mean_cost_before"], FIRST_STEP)
    close(first["A2"], case["outputs_before"], FIRST_STEP)
    nabla = {name: 10 * first[f"d{name}"] for name in start}
    close(nabla["b1"], case["nabla_b"][0], FIRST_STEP, ZERO)
    close(nabla["b2"], case["nabla_b"][1], FIRST_STEP, ZERO)
    close(nabla["W2"].T, case["nabla_w2"], FIRST_STEP, ZERO)
    close(nabla["W1"].T[:, case["nabla_w1_columns_0based"]], case["nabla_w1_at_columns"], FIRST_STEP, ZERO)
    close(nabla["W1"].sum(axis=0), case["nabla_w1_row_sums"], FIRST_STEP, ZERO)
    close(np.linalg.norm(nabla["W1"]), case["nabla_w1_frobenius"], FIRST_STEP)
    after = run.parameters
    close(after["b1"], case["updated_b"][0], FIRST_STEP)
    close(after["b2"], case["updated_b"][1], FIRST_STEP)
    close(after["W2"].T, case["updated_w2"], FIRST_STEP)
    close(np.linalg.norm(after["W1"]), case["updated_w1_frobenius"], FIRST_STEP)
    close(run.history["cost"][0], case["mean_cost_after"], FIRST_STEP)
    close(run.predict(X), case["outputs_after"], FIRST_STEP)
