"""Traces of convolutional networks: every sum that is written is worked out again, without glassnet, and comes to the array."""

from __future__ import annotations

import math
import re

import convolution_runs
import numpy as np
import pytest
from convolution_runs import NETWORKS

import glassnet as gn
from glassnet.views.map_text import maps_text

FUNCTIONS = {
    "relu": lambda z: max(z, 0.0), "tanh": math.tanh, "log": math.log, "sqrt": math.sqrt, "max": max, "exp": math.exp,
    "softmax": lambda *z: np.exp(np.array(z) - max(z)) / np.exp(np.array(z) - max(z)).sum(),
    "logsumexp": lambda *z: max(z) + math.log(sum(math.exp(one - max(z)) for one in z)),
    "log_softmax": lambda *z: np.array(z) - max(z) - math.log(sum(math.exp(one - max(z)) for one in z)),
}  # fmt: skip
LETTERS = {"−": "-", "·": "*", "²": "**2", "³": "**3", "√": "sqrt", "^": "**", "½": "0.5"}


def value(text):
    """What a written sum comes to."""
    for letter, meaning in LETTERS.items():
        text = text.replace(letter, meaning)
    return float(eval(text, {"__builtins__": {}}, FUNCTIONS))


def places(shape, most=7):
    """Some entries: the first, the last, and others between."""
    every = list(np.ndindex(shape))
    return [every[k] for k in sorted({round(n) for n in np.linspace(0, len(every) - 1, most)})]


@pytest.mark.parametrize("name", NETWORKS)
def test_every_written_sum_comes_to_its_entry(name):
    trace = convolution_runs.run(name).trace(1)
    looked = 0
    for line in trace.equations:
        gives = f"{line.name}.after" if line.phase == "update" and f"{line.name}.after" in trace else line.name
        for index in places(np.shape(trace[gives])):
            text, _, result = trace.worked(line.name, *index, digits=17, most=10**6).rpartition(" = ")
            theirs = float(np.asarray(trace[gives])[index])
            assert value(result) == theirs
            np.testing.assert_allclose(value(text), theirs, rtol=1e-9, atol=1e-13, err_msg=f"{line.name}{index} {text}")
            looked += 1
    assert looked > 60


# By hand.

EDGES = [[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]]]


def by_hand(convolution, places):
    """One step with a kernel that is known: it adds what is up left to twice what is down right."""
    known = {
        "W1": [[[[1.0, 0.0], [0.0, 2.0]]]],
        "b1": [0.5],
        "W2": np.arange(1.0, 1 + places)[:, None] / 10,
        "b2": [0.0],
    }
    network = gn.Network((1, 3, 3), convolution, gn.Flatten(), gn.Dense(1))
    return gn.train(
        network, np.array(EDGES), [[1.0]], epochs=1, optimizer=gn.SGD(0.1), engine="reference", progress=False, shuffle=False,
        initial_parameters=known,
    ).trace(0)  # fmt: skip


def test_a_window_by_hand():
    trace = by_hand(gn.Conv2D(1, 2), 4)
    np.testing.assert_array_equal(trace["Z1"], [[[[11.5, 14.5], [20.5, 23.5]]]])  # 1 + 2·5 + 0.5, 2 + 2·6 + 0.5, ...
    assert trace.worked("Z1", 0, 0, 0, 1) == "2·1 + 3·0 + 5·0 + 6·2 + 0.5 = 14.5"
    assert trace.worked("F1", 0, 2) == "20.5 = 20.5"
    # dF1 = dZ2 W2ᵀ with W2 = 0.1, 0.2, 0.3, 0.4, and 19.6 = 0.1·11.5 + 0.2·14.5 + 0.3·20.5 + 0.4·23.5
    assert trace.worked("Z2", 0, 0) == "11.5·0.1 + 14.5·0.2 + 20.5·0.3 + 23.5·0.4 + 0 = 19.6"
    assert trace.worked("dZ1", 0, 0, 1, 0).endswith(" = 5.58")  # 0.3·(19.6 − 1)
    # the kernel's first place has seen 1, 2, 4, 5
    assert trace.worked("dW1", 0, 0, 0, 0) == "1·1.86 + 2·3.72 + 4·5.58 + 5·7.44 = 68.82"


def test_what_lies_on_the_padding_is_left_out_by_hand():
    trace = by_hand(gn.Conv2D(1, 2, padding="same"), 9)
    assert trace.worked("Z1", 0, 0, 1, 1) == "5·1 + 6·0 + 8·0 + 9·2 + 0.5 = 23.5"
    assert trace.worked("Z1", 0, 0, 2, 1) == "8·1 + 9·0 + 0.5 = 8.5"
    assert trace.worked("Z1", 0, 0, 2, 2) == "9·1 + 0.5 = 9.5"


def test_strides_and_gaps_by_hand():
    trace = by_hand(gn.Conv2D(1, 2, dilation=2), 1)
    assert trace.worked("Z1", 0, 0, 0, 0) == "1·1 + 3·0 + 7·0 + 9·2 + 0.5 = 19.5"
    trace = by_hand(gn.Conv2D(1, 2, stride=2, padding="same"), 4)
    assert trace.worked("Z1", 0, 0, 1, 0) == "7·1 + 8·0 + 0.5 = 7.5"


def test_pools_by_hand():
    X = [[[[1.0, 4.0, 2.0, 2.0], [3.0, 0.0, 2.0, 1.0]]]]
    start = {"W1": [[[[1.0]]]], "b1": [0.0], "W2": [[1.0], [2.0]], "b2": [0.0]}
    settings = {
        "epochs": 1,
        "optimizer": gn.SGD(0.1),
        "engine": "reference",
        "progress": False,
        "initial_parameters": start,
    }
    network = gn.Network((1, 2, 4), gn.Conv2D(1, 1), gn.MaxPool2D(2), gn.Flatten(), gn.Dense(1))
    trace = gn.train(network, np.array(X), [[0.0]], **settings).trace(0)
    assert trace.worked("P1", 0, 0, 0, 0) == "max(1, 4, 3, 0) = 4"
    # the prediction is 4 + 2·2 = 8, its slope 8; the slope of the second window is 16 and goes to the first of the equal twos
    assert [trace.worked("dA1", 0, 0, 0, v) for v in range(4)] == ["0·8 = 0", "1·8 = 8", "1·16 = 16", "0·16 = 0"]
    network = gn.Network((1, 2, 4), gn.Conv2D(1, 1), gn.AveragePool2D(2), gn.Flatten(), gn.Dense(1))
    trace = gn.train(network, np.array(X), [[0.0]], **settings).trace(0)
    assert trace.worked("P1", 0, 0, 0, 1) == "(2 + 2 + 2 + 1) / 4 = 1.75"
    assert trace.worked("dA1", 0, 0, 1, 3) == "11 / 4 = 2.75"  # the prediction is 2 + 2·1.75 = 5.5, times 2


def test_an_entry_that_is_none_is_answered_in_a_sentence():
    trace = convolution_runs.run("strided").trace(0)
    maps = "Z1 has samples 0 to 2, counted among the samples that are shown, channels 0 to 1, rows 0 to 3 and columns 0 to 2."
    kernels = "dW1 has filters 0 to 1, channels 0 to 2, rows 0 to 2 and columns 0 to 2."
    for name, index, sentence in (
        ("Z1", (0, 0), f"There is no Z1[0, 0]; {maps}"),
        ("dW1", (0, 3, 0, 0), f"There is no dW1[0, 3, 0, 0]; {kernels}"),
    ):
        with pytest.raises(gn.RunError) as caught:
            trace.worked(name, *index)
        assert str(caught.value) == sentence


# As text.


def test_small_pictures_stand_side_by_side():
    kernels = np.arange(8.0).reshape(2, 1, 2, 2)
    assert maps_text(kernels) == ["filter 0   filter 1", "0  1       4  5", "2  3       6  7"]
    maps = np.arange(8.0).reshape(1, 2, 2, 2) / 2
    assert maps_text(maps, labels=["row 7"]) == [
        "row 7, channel 0   row 7, channel 1",
        "0  0.5             2  2.5",
        "1  1.5             3  3.5",
    ]


def test_of_a_large_picture_the_middle_is_written_and_what_is_left_out_is_said():
    values = np.zeros((3, 4, 28, 28))
    values[1, 2, 0, 27], values[0, 0, 13, 14], values[2, 3, 5, 5] = 8.0, 1.5, -9.0
    lines = maps_text(values, labels=["row 0", "row 4", "row 9"], rows=6, width=90)
    assert lines[0].split("   ")[0] == "row 0, channel 0"
    assert max(map(len, lines)) <= 90
    assert len(lines) < 24
    assert re.fullmatch(r"\[13\](\s+0)+\s+1\.5(\s+0)+\s+\[13\](\s+0)+", lines[4])
    said = " ".join(" ".join(lines[lines.index(next(line for line in lines if line.startswith("("))) :]).split())
    assert "rows 11–16 of 28 and columns " in said
    assert " of 12 pictures; " in said
    assert "least −9 at [row 9, 3, 5, 5]; largest 8 at [row 4, 2, 0, 27]" in said


@pytest.mark.parametrize("name", NETWORKS)
def test_a_step_as_text_names_every_line_and_stays_within_its_width(name):
    trace = convolution_runs.run(name).trace(0)
    text = trace.text(width=90)
    assert max(map(len, text.splitlines())) <= 90
    assert all(f"  {equation}" in text for equation in trace.equations)
    assert len(text.splitlines()) < 30 * len(trace.equations)


def test_a_page_has_the_pictures_it_reads_and_says_its_size():
    trace = convolution_runs.run("plain").trace(0, samples=[1])
    payload = trace.payload()
    assert payload["arrays"]["A1"]["shape"] == [1, 2, 4, 4]
    assert payload["arrays"]["W1"]["shape"] == [2, 1, 3, 3]
    letters = {line["name"]: line["letters"] for line in payload["lines"]}
    assert letters["Z1"] == ["i", "j", "u", "v"]
    assert letters["dW1"] == ["j", "k", "r", "s"]
    (numbers,) = [text for label, text in payload["about"] if label == "numbers"]
    count = sum(np.size(trace[name]) for name in payload["arrays"])
    assert re.fullmatch(rf"float64, {count:,} of them on this page \([\d.]+ [kM]B\)", numbers)
    assert "⋆ is cross-correlation" in trace.page()
