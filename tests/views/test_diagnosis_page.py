"""The page of a diagnosis, its section in a report and its piece of a notebook: what they say, and the marked cost curve."""

from __future__ import annotations

import base64
import html
import json
import math
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import glassnet as gn
from glassnet.diagnosis.changes import Change
from glassnet.diagnosis.findings import Diagnosis, Finding, Measured, Proof, Verdict, Where
from glassnet.diagnosis.saying import as_plain
from glassnet.errors import GlassnetError, GlassnetWarning, RunError
from glassnet.views.diagnosis_page import cost_chart, diagnosis_fragment, diagnosis_page, marks

SLOWER = Change("learning_rate 10 → 0.1", {"optimizer": gn.SGD(0.1)})
FOUND = Diagnosis(
    (
        Finding(
            "opt.lr_too_large", "The rate 10 is <25 times> too large.", "critical", 0.95,
            (Measured("learning rate", 10.0, "below 0.4"), Measured("last cost", math.nan, "below 0.693")),
            Where(epochs=(3, 40)), (SLOWER,), "The cost would fall.",
            proofs=(Proof(SLOWER, 0.512, 0.864, 0.814, "accuracy", 30),),
        ),
        Finding("data.mixed_scales", "The spreads differ.", "warning", where=Where(features=(0,))),
        Finding("training.saturated_units", "3 of 40 units are saturated.", where=Where(layer=1, epochs=(90, 90))),
    ),
    Verdict(False, "accuracy", "held-out", 0.512, 0.814, {"guessing": 0.5, "small network": 0.864}),
    ("the data", "the settings"), ("width", "height"), about="2 → 40 tanh → 1 sigmoid",
    costs=tuple((float(epoch), 0.7 + epoch if epoch < 60 else math.inf) for epoch in range(1, 101)),
)  # fmt: skip
HEALTHY = Diagnosis((), Verdict(True, "r2", "training", 0.97, 0.88, {"small network": 0.98}), ("the data",))


def spoken(page: str) -> str:
    """The text of a page, without scripts and style sheets."""
    body = re.sub(r"<(script|style)\b.*?</\1>", "", page[page.find("<body") :] if "<body" in page else page, flags=re.S)
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", body).split()))


def held(page: str, name: str) -> Any:
    return json.loads(re.search(rf'id="data-{name}">(.*?)</script>', page, re.S)[1])  # type: ignore[index]


def array(held: dict[str, Any]) -> np.ndarray:
    return np.frombuffer(base64.b64decode(held["data"]), dtype="<f8")


def test_the_page_says_all_of_it():
    page = diagnosis_page(FOUND)
    said = spoken(page)
    assert said.startswith(
        "Diagnosis 2 → 40 tanh → 1 sigmoid It does not learn: accuracy 0.512 on held-out rows; a small healthy network reaches "
        "0.864, guessing the most frequent class 0.500. On held-out rows; 0.814 would be enough predictor accuracy "
        "this training 0.512 guessing 0.500 small network 0.864 What was found critical 1. The learning rate is too large "
        "The rate 10 is <25 times> too large. What was measured what measured normal learning rate 10 below 0.4 last cost "
        "not a number below 0.693 Where epochs 3 to 40 How sure proven by a rerun Cure learning_rate 10 → 0.1 "
        "optimizer=gn.SGD(0.1) Reruns with one thing changed: accuracy before and after, 0.814 needed change before after "
        "epochs result learning_rate 10 → 0.1 0.512 0.864 30 cured If this were a false alarm: The cost would fall. "
        "warning 2. Features are on very different scales The spreads differ. Where feature width How sure possible "
        "How training went Cost by epoch Notes 3. Saturated units"
    )
    assert said.endswith(
        "What was checked the data the settings Written by glassnet. This page needs no network; every number in it was "
        "measured on this training."
    )
    assert not re.search(r'(?:src|href)="(?!#|data:)', page)  # nothing is fetched
    for tag in ("h1", "h2", "h3"):
        assert f"<{tag}" in page
    assert len(re.findall(r"<table", page)) == len(re.findall(r"<caption>", page)) == 3


def test_a_page_of_nothing_found():
    said = spoken(diagnosis_page(HEALTHY))
    assert "It learns: R² 0.970 on training rows; a small healthy network reaches 0.980." in said
    assert "What was found Nothing was found that needs a cure. What was checked the data" in said
    assert "How training went" not in said
    assert "Notes" not in said


def test_notes_of_a_training_that_learns():
    said = spoken(diagnosis_page(replace(HEALTHY, findings=(FOUND[2],))))
    assert "Notes Unusual, without harm that could be seen. 1. Saturated units 3 of 40 units are saturated." in said


def test_what_was_not_tested_is_called_so():
    strong = replace(FOUND[0], severity="note", proofs=())
    verdict = Verdict(None, "accuracy", "held-out", 0.512, None, {"guessing": 0.5})
    page = diagnosis_page(replace(FOUND, findings=(strong, FOUND[2]), verdict=verdict))
    said = spoken(page)
    assert "What was found Nothing was tested; what is suspicious stands below. " in said
    assert (
        "Suspicious, not tested The stronger suspicions are open, with what may cure them. 1. The learning rate" in said
    )
    assert page.count('<details class="note" open>') == 2  # both are at least 0.5 sure
    assert "without harm" not in said


def test_the_long_python_of_a_cure_is_folded():
    deep = gn.Network(2, *(gn.Dense(10, "tanh") for _ in range(5)), gn.Dense(1))
    finding = replace(FOUND[0], cures=(Change("deeper", {"network": deep}), SLOWER))
    page = diagnosis_page(replace(FOUND, findings=(finding,)))
    assert '<details class="code"><summary>in Python</summary><code>network=gn.Network(2, ' in page
    assert "</dt><dd>learning_rate 10 → 0.1 <code>optimizer=gn.SGD(0.1)</code></dd>" in page


def test_it_is_the_same_from_json(tmp_path: Path):
    plain = json.loads(FOUND.to_json())
    assert diagnosis_page(plain) == diagnosis_page(FOUND)
    page = FOUND.to_html(tmp_path / "d.html")
    assert (tmp_path / "d.html").read_text(encoding="utf-8") == page == diagnosis_page(FOUND)
    with pytest.raises(RunError, match=r"could not be written: no such file or directory\.$"):
        FOUND.to_html(tmp_path / "nowhere" / "d.html")


def test_something_that_is_no_diagnosis():
    with pytest.raises(GlassnetError) as raised:
        diagnosis_page(3)  # type: ignore[arg-type]
    assert str(raised.value) == "A page of a diagnosis got int; it needs a diagnosis, such as run.diagnose() returns."


def test_the_cost_curve_and_its_marks():
    (chart,) = held(diagnosis_page(FOUND), "diagnosis")["charts"]
    np.testing.assert_array_equal(array(chart["series"][0]["x"]), np.arange(1.0, 101.0))
    np.testing.assert_array_equal(
        array(chart["series"][0]["y"]), [c if c < math.inf else math.nan for _, c in FOUND.costs]
    )
    # 1.7 to 59.7 is less than a factor of 50.
    assert chart["y"]["log"] is False
    assert chart["marks"] == [
        {
            "from": 3,
            "to": 40,
            "label": "1",
            "severity": "critical",
            "said": "the learning rate is too large: epochs 3 to 40",
        },
        {"from": 90, "to": 90, "label": "3", "severity": "note", "said": "saturated units: epoch 90"},
    ]


def test_a_long_curve_keeps_its_extremes():
    costs = 1 + np.random.Generator(np.random.Philox(1)).random(20_000)
    costs[7_777], costs[12_345], costs[-1] = 100, 1e-3, np.nan
    chart = cost_chart(as_plain(replace(FOUND, costs=tuple(enumerate(costs.tolist(), 1)))))
    assert chart is not None
    assert chart["y"]["log"] is True
    x, y = array(chart["series"][0]["x"]), array(chart["series"][0]["y"])
    assert len(x) <= 1_002
    assert (x[0], x[-1]) == (1, 20_000)
    assert (y[x == 7_778], y[x == 12_346]) == (100, 1e-3)
    assert cost_chart(as_plain(replace(FOUND, costs=((1.0, 0.5),)))) is None


def test_alarms_are_marked_before_notes():
    note = Finding("training.plateau", "It stands still.", where=Where(epochs=(5, 9)))
    alarm = replace(note, severity="warning")
    found = marks(as_plain(replace(FOUND, findings=(*[note] * 6, alarm))))
    assert [mark["label"] for mark in found] == ["7", "1", "2", "3", "4", "5"]


def test_a_cure_on_the_page():
    before = {"network": gn.Network(2, gn.Dense(1, "sigmoid")), "optimizer": gn.SGD(10.0), "epochs": 30, "seed": 0}
    cure: Any = SimpleNamespace(
        change=SLOWER, before=0.512, after=(0.864, 0.87, 0.861), needed=0.814, metric="accuracy", rows="held-out", tried=(),
        seconds=1.0, budget=10.0, run=None, settings_before=before, settings_after={**before, "optimizer": gn.SGD(0.1)},
        learns=False,
        shortened=None,
        reached=0.5,
    )  # fmt: skip
    said = spoken(diagnosis_page(FOUND, cure=cure))
    assert (
        "The cure Cured: accuracy 0.512 → 0.864, 0.870, 0.861 with 3 seeds on held-out rows; 0.814 was needed. Tried nothing "
        "in 1 s of the 10 s allowed. What changes - optimizer: SGD(10) + optimizer: SGD(0.1) In Python import glassnet as gn"
    ) in said


def test_a_notebook_shows_it_without_scripts():
    piece = FOUND._repr_html_()
    assert piece == diagnosis_fragment(FOUND)
    assert piece.startswith('<div class="glassnet">')
    assert "<script" not in piece
    said = spoken(piece)
    assert "1. The learning rate is too large The rate 10 is <25 times> too large." in said
    assert said.endswith("Notes (1) 3. Saturated units: 3 of 40 units are saturated. Checked: the data, the settings.")


# In a report.


@pytest.fixture(scope="module")
def run() -> gn.Run:
    X = np.random.Generator(np.random.Philox(2)).standard_normal((40, 2))
    network = gn.Network(2, gn.Dense(3, "tanh"), gn.Dense(1, "sigmoid"))
    return gn.train(network, X, (X[:, 0] > 0).astype(float), epochs=5, progress=False)


def test_a_report_with_a_diagnosis(run: gn.Run, tmp_path: Path):
    page = run.report(tmp_path / "r.html", diagnosis=FOUND).read_text(encoding="utf-8")
    assert '<a href="#diagnosis">Diagnosis</a>' in page
    assert "Diagnosis It does not learn: accuracy 0.512 on held-out rows;" in spoken(page)
    assert "critical 1. The learning rate is too large The rate 10 is <25 times> too large." in spoken(page)
    charts = held(page, "report")["charts"]
    assert {chart["id"]: [m["label"] for m in chart.get("marks", [])] for chart in charts} == {
        "cost": ["1", "3"],
        "accuracy": [],
    }
    without = run.report(tmp_path / "w.html").read_text(encoding="utf-8")
    assert 'id="diagnosis"' not in without
    assert ".finding" not in without


def test_a_diagnosis_that_is_kept_beside_the_run_is_shown(run: gn.Run, tmp_path: Path):
    run.save(tmp_path / "run")
    kept = gn.Run.load(tmp_path / "run")
    about = {"run": kept.facts["id"], "iteration": kept.iteration}
    (tmp_path / "run" / "diagnosis.json").write_text(json.dumps({**as_plain(FOUND), **about}))
    assert 'id="diagnosis"' in kept.report(tmp_path / "r.html").read_text(encoding="utf-8")
    assert 'id="diagnosis"' not in kept.report(tmp_path / "r.html", diagnosis=False).read_text(encoding="utf-8")
    earlier = {**as_plain(FOUND), **about, "iteration": 3}
    (tmp_path / "run" / "diagnosis.json").write_text(json.dumps(earlier))
    assert 'id="diagnosis"' not in kept.report(tmp_path / "r.html").read_text(encoding="utf-8")
    for damaged in ("{", json.dumps(about), json.dumps({**as_plain(FOUND), **about, "findings": [3]})):
        (tmp_path / "run" / "diagnosis.json").write_text(damaged)
        with pytest.warns(GlassnetWarning, match=r"diagnosis\.json is damaged, so it is left out; "):
            page = kept.report(tmp_path / "r.html").read_text(encoding="utf-8")
        assert 'id="diagnosis"' not in page


def test_a_report_that_diagnoses_the_run(run: gn.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import glassnet.diagnosis

    monkeypatch.setitem(vars(glassnet.diagnosis), "diagnose_run", lambda seen: HEALTHY if seen is run else FOUND)
    page = run.report(tmp_path / "r.html", diagnosis=True).read_text(encoding="utf-8")
    assert "Diagnosis It learns: R² 0.970 on training rows;" in spoken(page)
