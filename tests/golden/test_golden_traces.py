"""Traces against R, on both engines: every matrix of seed 002's steps (08), gradients of 06, a sample's passage through 09."""

import numpy as np
import pytest
import test_iris_networks as iris
from golden_files import FIRST_STEP, ZERO, close, flower, golden, train

import glassnet as gn

ENGINES = pytest.mark.parametrize("engine", ["reference", "compiled"])


@ENGINES
@pytest.mark.parametrize("name", ["08_seed002_3x4", "08_seed002_3x4_b"])
def test_seed_002s_twelve_steps(name, engine):
    case = golden(name)
    initial, there = case["initial"], case["correct"]["first_iteration"]
    run = train(
        gn.Network(4, gn.Dense(3, "sigmoid"), gn.Dense(1, "sigmoid")), np.array(case["X"], float), np.array(case["Y"], float),
        loss="mean_squared_error", optimizer=gn.SGD(3 * case["lr"]), epochs=10, engine=engine,  # it sums over 3 samples
        initial_parameters={"W1": initial["wh"], "b1": initial["bias_in"], "W2": initial["wout"], "b2": initial["bias_out"]},
    )  # fmt: skip
    trace, m = run.trace(0), 3
    steps = {
        "hidden_layer_input": trace["Z1"],
        "hidden_layer_activations": trace["A1"],
        "output_layer_input": trace["Z2"],
        "output": trace["A2"],
        "E": -m * trace["dA2"],
        "slope_output_layer": trace["A2"] * (1 - trace["A2"]),
        "slope_hidden_layer": trace["A1"] * (1 - trace["A1"]),
        "d_output": -m * trace["dZ2"],
        "Error_at_hidden_layer": -m * trace["dA1"],
        "d_hiddenlayer": -m * trace["dZ1"],
        "new_wout": trace["W2.after"],
        "new_wh": trace["W1.after"],
        "new_bout": trace["b2.after"][None],
        "new_bh": trace["b1.after"][None],
    }
    assert set(steps) == {key for key, value in there.items() if value is not None}
    for key, value in steps.items():
        close(value, there[key], FIRST_STEP)
    written = np.array(there["hidden_layer_input"])
    for i, j in np.ndindex(3, 3):  # what is written out comes to R's number
        terms, result = trace.worked("Z1", i, j, digits=17).split(" = ")
        factors = [t.split("·") for t in terms.replace("−", "-").replace("(", "").replace(")", "").split(" + ")]
        total = sum(np.prod([float(f) for f in term]) for term in factors)
        assert total == pytest.approx(written[i, j], rel=1e-12)
        assert float(result.replace("−", "-")) == pytest.approx(written[i, j], rel=1e-12)


@ENGINES
def test_the_flowers_gradients(engine):
    case = golden("06_net_2_40_1_planar")
    X, Y = flower()
    start = {n: np.array(v).T if n[0] == "W" else np.array(v)[:, 0] for n, v in case["initial"].items()}
    run = train(
        gn.Network(2, gn.Dense(40, "tanh"), gn.Dense(1, "sigmoid")), X, Y, optimizer=gn.SGD(case["lr"]), epochs=10,
        engine=engine, initial_parameters=start,
    )  # fmt: skip
    trace = run.trace(0)
    for name, value in case["correct"]["gradients_iteration_0"].items():
        close(trace[name].T if name[1] == "W" else trace[name][:, None], value, FIRST_STEP, ZERO)
    close(trace["A2"][:5, 0], case["correct"]["A2_first5_iteration_0"], FIRST_STEP)
    left = run.trace(9)
    for name, value in case["correct"]["weights_after_10"].items():
        close(left[f"{name}.after"].T if name[0] == "W" else left[f"{name}.after"][:, None], value, 1e-9, ZERO)


@ENGINES
@pytest.mark.parametrize("name", iris.NAMES)
def test_a_sample_on_its_way_through_seed_003s_networks(name, engine):
    case = golden(name)
    X, Y = iris.iris(case)
    rows = case["batch_rows_0based"]
    # The file's nabla are of the data term alone, so no penalty here.
    run = iris.learn(case, X[rows], Y[rows], epochs=1, engine=engine)
    trace = run.trace(0, samples=[0])
    first = case["first_sample"]
    layers = range(1, len(case["sizes"]))
    activations = [np.array(a).reshape(-1) for a in first["activations"]]
    for layer in layers:
        close(trace[f"Z{layer}"][0], np.array(first["zs"][layer - 1]).reshape(-1), FIRST_STEP)
        close(trace[f"A{layer}"][0], activations[layer - len(case["sizes"])], FIRST_STEP)
        close(len(rows) * trace[f"dZ{layer}"][0], np.array(first["nabla_b"][layer - 1]).reshape(-1), FIRST_STEP, ZERO)
        close(len(rows) * trace[f"dW{layer}"].T, case["nabla_w"][layer - 1], FIRST_STEP, ZERO)
        close(len(rows) * trace[f"db{layer}"], np.array(case["nabla_b"][layer - 1]).reshape(-1), FIRST_STEP, ZERO)
