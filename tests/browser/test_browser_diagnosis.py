"""The page of a diagnosis in Chromium: the marked cost curve, light and dark, on a phone, and for those who see it badly."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import accessibility
import numpy as np
import pytest

import glassnet as gn
from glassnet.diagnosis.changes import Change
from glassnet.diagnosis.findings import Diagnosis, Finding, Measured, Proof, Verdict, Where

SLOWER = Change("learning_rate 10 → 0.1", {"optimizer": gn.SGD(0.1)})
FOUND = Diagnosis(
    (
        Finding(
            "opt.lr_too_large", "The rate 10 is 25 times too large.", "critical", 0.95,
            (Measured("learning rate", 10.0, "below 0.4"),), Where(epochs=(3, 40)), (SLOWER,), "The cost would fall.",
            proofs=(Proof(SLOWER, 0.512, 0.864, 0.814, "accuracy", 30),),
        ),
        Finding("training.plateau", "The cost stands still.", "warning", where=Where(epochs=(4, 4))),
        Finding("training.saturated_units", "3 of 40 units are saturated.", where=Where(layer=1, epochs=(60, 200))),
    ),
    Verdict(False, "accuracy", "held-out", 0.512, 0.814, {"guessing": 0.5, "small network": 0.864}),
    ("the data", "the settings"), about="2 → 40 tanh → 1 sigmoid",
    costs=tuple((float(epoch), 1.5 + math.sin(epoch)) for epoch in range(1, 101)),
)  # fmt: skip


@pytest.mark.parametrize(("width", "dark"), [(1200, False), (1200, True), (380, False), (380, True)])
def test_it_owes_nobody_anything(open_page: Any, width: int, dark: bool):
    page = open_page(FOUND.to_html(), width=width, dark=dark)
    for note in page.query_selector_all("details"):
        note.evaluate("part => (part.open = true)")
    assert accessibility.nameless(page) == []
    assert accessibility.faults(page) == []
    assert accessibility.sticks_out(page) == []
    assert accessibility.faint(page) == []
    assert all(stop["seen"] and stop["inside"] for stop in accessibility.walk(page))


def test_the_marks_stand_where_the_epochs_are(open_page: Any):
    page = open_page(FOUND.to_html())
    marks = page.eval_on_selector_all(
        "#chart-cost .mark",
        """groups => groups.map(g => ({
            label: g.querySelector("text").textContent, said: g.querySelector("title").textContent,
            kind: g.getAttribute("class"), x: +g.querySelector(".edge").getAttribute("x1"),
            wide: +(g.querySelector(".band")?.getAttribute("width") ?? 0), tag: +g.querySelector("circle").getAttribute("cx"),
        }))""",
    )
    assert [(m["label"], m["kind"]) for m in marks] == [
        ("1", "mark critical"), ("2", "mark warning"), ("3", "mark note"),
    ]  # fmt: skip
    assert marks[0]["said"] == "1. the learning rate is too large: epochs 3 to 40"
    # Epochs 1 to 100 lie evenly between the ends of the axis: x = left + (epoch − 1) / 99 · length.
    each = (marks[2]["x"] - marks[0]["x"]) / (60 - 3)
    assert marks[0]["wide"] == pytest.approx(37 * each, abs=0.01)
    assert marks[1]["x"] == pytest.approx(marks[0]["x"] + each, abs=0.01)
    assert marks[1]["wide"] == 0
    assert marks[2]["wide"] == pytest.approx(40 * each, abs=0.01)  # as far as the curve goes
    assert marks[1]["tag"] - marks[0]["tag"] >= 20  # labels do not cover one another
    assert page.inner_text("#chart-cost .marks").split("\n") == [
        "1. the learning rate is too large: epochs 3 to 40", "2. the cost stands still: epoch 4",
        "3. saturated units: epochs 60 to 200",
    ]  # fmt: skip
    assert page.get_attribute("#chart-cost svg[role=img]", "aria-label").endswith(
        "Marked: 1. the learning rate is too large: epochs 3 to 40; 2. the cost stands still: epoch 4; "
        "3. saturated units: epochs 60 to 200."
    )


@pytest.mark.parametrize("width", [1200, 380])
def test_a_report_with_a_diagnosis(open_page: Any, width: int, tmp_path: Path):
    X = np.random.Generator(np.random.Philox(2)).standard_normal((40, 2))
    network = gn.Network(2, gn.Dense(3, "tanh"), gn.Dense(1, "sigmoid"))
    run = gn.train(network, X, (X[:, 0] > 0).astype(float), epochs=50, progress=False)
    page = open_page(run.report(tmp_path / "r.html", diagnosis=FOUND), width=width)
    assert page.locator("#chart-cost .mark").count() == 3
    assert page.locator("#chart-accuracy .mark").count() == 0
    assert accessibility.faults(page) == []
    assert accessibility.sticks_out(page) == []
    assert accessibility.faint(page) == []
