"""`run.trace`: the numbers of a step are those the training had, and every sentence about them is true."""

from __future__ import annotations

import base64
import json
import re

import numpy as np
import pytest

import glassnet as gn
from glassnet.views.matrix_text import matrix_text, remarks
from glassnet.views.trace import PAGE_SAMPLES, Trace

NET = gn.Network(3, gn.Dense(4, "tanh"), gn.Dense(1, "sigmoid"))
rng = np.random.default_rng(0)
X = rng.standard_normal((30, 3))
Y = (X[:, :1] * X[:, 1:2] > 0).astype(float)


def trained(**settings):
    return gn.train(NET, X, Y, progress=False, **{"epochs": 4, "batch_size": 8, "optimizer": gn.Adam(0.05), **settings})


@pytest.fixture(scope="module", params=["reference", "compiled"])
def run(request):
    return trained(engine=request.param)


# The numbers are the training's.


def test_every_iteration_has_the_numbers_of_a_training_by_hand(run):
    """The whole training written out with NumPy, logging everything as it goes."""
    state = {n: a.copy() for n, a in run.at(0).parameters.items()}
    memory = {f"{k}{n}": np.zeros_like(a) for n, a in state.items() for k in "mv"}
    assert run.batches == 4
    for t in range(run.iteration):
        trace = run.trace(t)
        x, y = X[trace.rows], Y[trace.rows]
        z1 = x @ state["W1"] + state["b1"]
        a1 = np.tanh(z1)
        z2 = a1 @ state["W2"] + state["b2"]
        a2 = 1 / (1 + np.exp(-z2))
        d2 = (a2 - y) / len(y)
        d1 = d2 @ state["W2"].T * (1 - a1**2)
        slopes = {"W1": x.T @ d1, "b1": d1.sum(axis=0), "W2": a1.T @ d2, "b2": d2.sum(axis=0)}
        logged = {"X": x, "Y": y, "Z1": z1, "A1": a1, "Z2": z2, "A2": a2, "dZ2": d2, "dZ1": d1}
        logged |= {f"d{n}": s for n, s in slopes.items()} | {n: a.copy() for n, a in state.items()}
        logged["J"] = -np.mean(y * np.log(a2) + (1 - y) * np.log(1 - a2))
        for name in state:
            memory[f"m{name}"] = 0.9 * memory[f"m{name}"] + 0.1 * slopes[name]
            memory[f"v{name}"] = 0.999 * memory[f"v{name}"] + 0.001 * slopes[name] ** 2
            rate = 0.05 / (np.sqrt(memory[f"v{name}"] / (1 - 0.999 ** (t + 1))) + 1e-8)
            state[name] = state[name] - rate * memory[f"m{name}"] / (1 - 0.9 ** (t + 1))
            logged |= {f"{name}.after": state[name], f"m{name}.after": memory[f"m{name}"]}
        for name, there in logged.items():
            np.testing.assert_allclose(trace[name], there, rtol=1e-9, atol=1e-12, err_msg=f"{name} of iteration {t}")
    assert sorted(np.concatenate([run.trace(t).rows for t in range(4)]).tolist()) == list(range(30))


def test_what_a_step_leaves_is_where_the_next_begins(run):
    for t in range(run.iteration - 1):
        now, then = run.trace(t), run.trace(t + 1)
        for name in ("W1", "b2", "mW1", "vb1"):
            np.testing.assert_array_equal(now[f"{name}.after"], then[name])


def test_samples_are_positions_in_the_batch_and_sums_stay_whole(run):
    whole, part = run.trace(5), run.trace(5, samples=[3, 1])
    assert part.samples == [3, 1]
    assert part.rows == [whole.rows[3], whole.rows[1]]
    np.testing.assert_array_equal(part["Z1"], whole["Z1"][[3, 1]])
    np.testing.assert_array_equal(part["dW1"], whole["dW1"])
    assert run.trace(5, samples=2).rows == [whole.rows[2]]
    assert (whole.batch_size, part.batch_size) == (8, 8)
    assert run.trace(3).batch_size == 6  # 30 = 3 · 8 + 6


def test_a_trace_is_a_mapping_whose_arrays_cannot_be_changed(run):
    trace = run.trace(0)
    assert isinstance(trace, Trace)
    assert set(trace) == set(run.intermediates(0))
    assert len(trace) == len(dict(trace.items()))
    assert "dZ1" in trace
    assert "dZ7" not in trace
    with pytest.raises(ValueError, match="read-only"):
        trace["Z1"][0, 0] = 1
    assert repr(trace) == "<Trace of iteration 0 of 3 → 4 tanh → 1 sigmoid: 8 of 8 samples>"
    assert trace.line("dZ1").rules
    assert str(trace.line("W1.after")).startswith("W1 ←")


# Worked.


def test_an_entry_with_its_numbers():
    run = gn.train(
        gn.Network(2, gn.Dense(1)), [[0.31, 0.82]], [[1.0]], epochs=1, optimizer=gn.SGD(0.5), progress=False,
        initial_parameters={"W1": [[1.0], [0.0]], "b1": [0.1]},
    )  # fmt: skip
    trace = run.trace(0)
    assert trace.worked("Z1", 0, 0) == "0.31·1 + 0.82·0 + 0.1 = 0.41"
    assert trace.worked("dA1", 0, 0) == "(0.41 − 1) / 1 = −0.59"
    assert trace.worked("W1", 0, 0) == "1 − 0.5·(−0.1829) = 1.091"
    assert trace.worked("W1", -1, -1) == trace.worked("W1", 1, 0)


def test_updates_read_what_the_lines_above_them_left(run):
    trace = run.trace(2)
    said = trace.worked("W1", 0, 0, digits=12)
    assert short(trace["mW1.after"][0, 0]) in said
    assert short(trace["mW1"][0, 0]) not in said


def short(value):
    return f"{value:.12g}".lstrip("-")


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (lambda r: r.trace(16), "This training has the steps 0 to 15; step 16 is none of them."),
        (lambda r: r.trace(-1), "This training has the steps 0 to 15; step -1 is none of them."),
        (lambda r: r.trace(1.5), "run.trace got 1.5; it needs a step, a whole number from 0."),
        (lambda r: r.trace(0, samples=[8]), "samples got [8]; it needs positions within the batch, 0 to 7."),
        (lambda r: r.trace(0, samples="3"), "samples got '3'; it needs positions within the batch, such as [0, 3]."),
        (lambda r: r.trace(0, samples=[]),
         "samples got an empty list; it needs one position within the batch or more, such as [0]."),
        (lambda r: r.trace(0, samples=[True, False]),
         "samples got [True, False]; it needs positions within the batch, such as [0, 3]."),
        (lambda r: r.trace(0, samples=[[0, 1]]), "samples got [[0, 1]]; it needs positions within the batch, such as [0, 3]."),
        (lambda r: r.trace(0, samples=[3, 3]), "samples got [3, 3]; name each position once."),
        (lambda r: r.trace(True), "run.trace got True; it needs a step, a whole number from 0."),
        (lambda r: r.trace(0).worked("Z1", 0),
         "There is no Z1[0]; Z1 has rows 0 to 7, counted among the samples that are shown, and columns 0 to 3."),
        (lambda r: r.trace(0).worked("W1", 3, 0), "There is no W1[3, 0]; W1 has rows 0 to 2 and columns 0 to 3."),
        (lambda r: r.trace(0).worked("W1", 0.5, 0), "There is no W1[0.5, 0]; W1 has rows 0 to 2 and columns 0 to 3."),
        (lambda r: r.trace(0).worked("b1", 4), "There is no b1[4]; b1 has the entries 0 to 3."),
        (lambda r: r.trace(0).worked("J", 0), "There is no J[0]; J is one number and has no index."),
        (lambda r: r.trace(0).worked("X", 0, 0), "X is given to the step and computed by no line; trace['X'] holds it."),
        (lambda r: r.trace(0).worked("J", most=1), "most got 1; it needs a whole number, 2 or more."),
        (lambda r: r.trace(0).worked("J", digits=0), "digits got 0; it needs a whole number, 1 to 17."),
        (lambda r: r.trace(0).text(rows=1), "rows got 1; it needs a whole number, 3 or more."),
    ],
)  # fmt: skip
def test_what_cannot_be_shown_is_answered_in_a_sentence(run, ask, sentence):
    with pytest.raises(gn.RunError) as caught:
        ask(run)
    assert str(caught.value) == sentence


def test_a_misspelt_name_is_answered_with_the_nearest(run):
    trace = run.trace(0)
    for ask in (lambda: trace["dz1"], lambda: trace.worked("dz1", 0, 0), lambda: trace.text(lines=["dz1"])):
        with pytest.raises(gn.RunError, match="did you mean 'dZ1'"):
            ask()


# A training that went wrong shows the step in which it did.


@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_the_step_that_diverged(engine):
    with pytest.warns(gn.GlassnetWarning):
        run = gn.train(gn.Network(3, gn.Dense(2, "relu"), gn.Dense(1)), 1e3 * X, 1e3 * Y, optimizer=gn.SGD(10.0), epochs=50,
                       engine=engine, progress=False)  # fmt: skip
    assert run.status == "diverged"
    assert f"iteration {run.iteration + 1}: " in run.message

    def first_not_finite(trace):
        for equation in trace.equations:
            if not np.isfinite(trace[f"{equation.name}.after" if equation.phase == "update" else equation.name]).all():
                return equation.name
        return None

    traces = [run.trace(run.iteration), run.trace(run.iteration + 1)]
    found = [name for name in map(first_not_finite, traces) if name]
    assert f"{run.derivation[found[0]]} is not finite" in run.message
    assert "∞" in traces[-1].text()
    assert traces[-1].payload()["lines"]
    for name in ("W1", "b2"):
        np.testing.assert_array_equal(traces[1][name], traces[0][f"{name}.after"])
    with pytest.raises(gn.RunError, match=f"step {run.iteration + 2} is none of them"):
        run.trace(run.iteration + 2)


# As text.


def test_the_page_of_text(run):
    text = run.trace(2).text()
    assert " ".join(text.split()).startswith(
        "The step after iteration 2 (epoch 1) of 3 → 4 tanh → 1 sigmoid: a batch of 8 samples, learning rate 0.05"
    )
    for equation in run.derivation:
        assert f"  {equation}  " in text
        assert equation.why in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 100
    assert run.trace(2).text(lines="dW1") == run.trace(2).text(lines=["dW1"])
    only = run.trace(2).text(lines=["dW1", "W1"])
    assert [e.name for e in run.derivation if f"  {e}  " in only] == ["dW1", "W1"]


def test_a_matrix_is_aligned_on_the_point():
    assert matrix_text([[1.5, -2.0], [-10.25, 0.125]]) == ["  1.5   −2", "−10.25   0.125"]
    assert matrix_text([1.0, 20.0]) == ["1  20"]
    assert matrix_text(np.float64(0.25)) == ["0.25"]
    assert matrix_text([[1.0], [2.0]], labels=["row 7", "row 12"]) == ["row 7   1", "row 12  2"]


def test_a_large_matrix_keeps_its_extremes_in_sight():
    values = np.zeros((100, 60)) + 0.5
    values[41, 7], values[88, 33], values[3, 3] = -9.0, 8.0, 0.0
    lines = matrix_text(values, rows=7, width=60)
    assert lines[-1] == "(1 × 0; least −9 at [41, 7]; largest 8 at [88, 33])"
    assert any(line.startswith("[41]") and "−9" in line for line in lines)
    assert any(line.startswith("[88]") and " 8" in line for line in lines)
    assert "[7]" in lines[0]
    assert "[33]" in lines[0]
    assert "[59]" in lines[0]
    assert max(map(len, lines[:-1])) <= 60
    assert sum("⋮" in line for line in lines) >= 2


def test_numbers_that_are_not_finite_are_named_and_counted():
    values = np.array([[np.nan, np.inf, 0.0], [-np.inf, 1.0, np.nan]])
    lines = matrix_text(values)
    assert lines[-1] == "(2 × NaN; 1 × ∞; 1 × −∞)"
    assert re.split(r"\s+", lines[0].strip()) == ["NaN", "∞", "0"]
    assert remarks(np.zeros(3)) == ""
    assert remarks(np.full(4, np.nan), whole=False) == "(4 × NaN)"


# As a page's data.


def decoded(array):
    numbers = np.frombuffer(base64.b64decode(array["data"]), "<f4" if array["type"] == "f4" else "<f8")
    return numbers.reshape(array["shape"])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_payload_holds_every_number_exactly(dtype):
    run = trained(dtype=dtype)
    trace = run.trace(5)
    payload = json.loads(json.dumps(trace.payload()))
    for name, array in payload["arrays"].items():
        np.testing.assert_array_equal(decoded(array), trace[name])
        assert array["type"] == ("f4" if dtype == "float32" and np.ndim(trace[name]) else array["type"])
        assert array["samples"] == (name in {"X", "Y", "Z1", "A1", "Z2", "A2", "dZ2", "dA1", "dZ1"})
    assert [line["name"] for line in payload["lines"]] == [e.name for e in run.derivation]
    assert {line["value"] for line in payload["lines"]} <= set(payload["arrays"])
    assert payload["rows"] == trace.rows


def test_a_page_of_a_large_batch_has_its_first_samples_unless_others_are_named():
    big = rng.standard_normal((500, 3))
    run = gn.train(NET, big, (big[:, :1] > 0).astype(float), epochs=1, progress=False)
    payload = run.trace(0).payload()
    assert payload["samples"] == list(range(PAGE_SAMPLES))
    assert payload["batch_size"] == 500
    assert payload["arrays"]["Z1"]["shape"] == [PAGE_SAMPLES, 4]
    assert run.trace(0, samples=[400, 2]).payload()["samples"] == [400, 2]


def test_a_sparse_batch_is_shown_dense():
    from scipy.sparse import csr_array

    run = gn.train(NET, csr_array(np.where(X > 0, X, 0)), Y, epochs=1, progress=False)
    np.testing.assert_array_equal(run.trace(0)["X"], np.where(X > 0, X, 0))
