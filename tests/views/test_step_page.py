"""The page of a step: one file, all of the numbers, and the sums that the terminal writes, letter by letter."""

from __future__ import annotations

import base64
import html.parser
import json
import re
import shutil
import subprocess
from pathlib import Path

import convolution_runs
import numpy as np
import pytest

import glassnet as gn
from glassnet.views.pages import numbers, page, with_imports
from glassnet.views.step_page import step_page

PAGES = Path(__file__).parents[1] / "pages"
rng = np.random.default_rng(4)
X = rng.standard_normal((20, 3))


def trained(network, Y, **settings):
    return gn.train(network, X, Y, progress=False, **{"epochs": 3, "seed": 1, **settings})


RUNS = {
    "tanh": lambda: trained(gn.Network(3, gn.Dense(4, "tanh"), gn.Dense(1, "sigmoid")), (X[:, :1] > 0) * 1.0),
    "softmax": lambda: trained(
        gn.Network(3, gn.Dense(12, "relu"), gn.Dense(3, "softmax")), np.eye(3)[rng.integers(0, 3, 20)],
        optimizer=gn.Adam(0.1), l2=0.1, batch_size=8,
    ),
    "norm": lambda: trained(
        gn.Network(3, gn.Dense(3, "elu"), gn.BatchNorm(), gn.Dropout(0.3), gn.Dense(2)), X[:, :2], loss="huber"
    ),
    "linear": lambda: trained(gn.Network(3, gn.Dense(1)), X[:, :1], l1=0.05),
    "perceptron": lambda: trained(
        gn.Network(3, gn.Dense(1, "step")), (X[:, :1] > 0) * 1.0, loss="perceptron", optimizer=gn.SGD(0.1), batch_size=1
    ),
    "newton": lambda: trained(gn.Network(3, gn.Dense(1, "sigmoid")), (X[:, :1] + rng.standard_normal((20, 1)) > 0) * 1.0,
                              optimizer=gn.Newton()),
}  # fmt: skip


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed; the page's modules run in it")
@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("samples", [None, [1]])
def test_the_page_writes_the_sums_that_the_terminal_writes(name, samples):
    the_page_writes_the_terminals_sums(
        RUNS[name]().trace(1, samples=[0] if samples and name == "perceptron" else samples)
    )


def the_page_writes_the_terminals_sums(trace):
    """Letter by letter, of some entries of every line: the first ones and some between up to the last."""
    places = []
    for e in trace.equations:
        every = list(np.ndindex(np.shape(trace[f"{e.name}.after" if e.phase == "update" else e.name])))
        some = {*range(min(6, len(every))), *range(0, len(every), 1 + len(every) // 8), len(every) - 1}
        places += [[e.name, list(every[k])] for k in sorted(some)]
    for digits, most in ((4, 8), (17, 10**6)):
        asked = json.dumps({"step": trace.payload(), "places": places, "digits": digits, "most": most})
        done = subprocess.run(
            ["node", str(PAGES / "sums.mjs")], input=asked, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        for (line, place), text in zip(places, json.loads(done.stdout), strict=True):
            assert text == trace.worked(line, *place, digits=digits, most=most).rpartition(" = ")[0], (line, place)


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed; the page's modules run in it")
@pytest.mark.parametrize("name", convolution_runs.NETWORKS)
@pytest.mark.parametrize("samples", [None, [1]])
def test_the_page_of_a_convolutional_network_writes_them_too(name, samples):
    the_page_writes_the_terminals_sums(convolution_runs.run(name).trace(1, samples=samples))


class Reader(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.data, self.attributes, self.within = {}, [], None

    def handle_starttag(self, tag, attrs):
        self.attributes += attrs
        given = dict(attrs)
        self.within = given.get("id") if tag == "script" and given.get("type") == "application/json" else None

    def handle_endtag(self, tag):
        self.within = None

    def handle_data(self, data):
        if self.within:
            self.data[self.within] = self.data.get(self.within, "") + data


def read(text):
    reader = Reader()
    reader.feed(text)
    return reader


def test_the_page_is_one_file_with_every_number(tmp_path):
    trace = RUNS["softmax"]().trace(2)
    place = trace.to_html(tmp_path / "step.html")
    text = place.read_text(encoding="utf-8")
    reader = read(text)
    assert not [
        value for name, value in reader.attributes if name in ("src", "href") and not value.startswith(("#", "data:"))
    ]
    assert not re.search(r"https?://(?!www\.w3\.org/)", text)
    payload = json.loads(reader.data["data-step"])
    assert payload == json.loads(json.dumps(trace.payload()))
    for name, array in payload["arrays"].items():
        held = np.frombuffer(base64.b64decode(array["data"]), f"<{array['type']}").reshape(array["shape"])
        np.testing.assert_array_equal(held, trace[name])
    imports = json.loads(re.search(r'<script type="importmap">(.*?)</script>', text)[1])["imports"]
    assert set(imports) == {
        f"#{name}"
        for name in (
            "step",
            "arrays",
            "entries",
            "worked",
            "matrix",
            "table",
            "pictures",
            "tiles",
            "sliding",
            "window_panel",
            "heat_map",
            "windows",
            "walk",
            "overview",
            "formulas",
        )
    }
    assert base64.b64decode(imports["#step"].partition(",")[2]).decode().startswith("// The step page")


def test_names_that_look_like_html_do_no_harm():
    payload = RUNS["linear"]().trace(0).payload()
    payload["title"] = payload["about"][0][1] = "</script><script>alert(1)</script>"
    payload["lines"][0]["why"] = "</script><b>"
    reader = read(step_page(payload))
    assert json.loads(reader.data["data-step"])["lines"][0]["why"] == "</script><b>"
    assert "<script>alert" not in step_page(payload)


def test_a_page_that_cannot_be_written_says_so(tmp_path):
    with pytest.raises(gn.RunError, match="nowhere"):
        RUNS["linear"]().trace(0).to_html(tmp_path / "nowhere" / "step.html")


def test_modules_come_with_what_they_import():
    assert with_imports(["step"])[0] == "step"
    assert set(with_imports(["matrix"])) == {"matrix", "table", "arrays", "heat_map", "walk", "windows"}


def test_numbers_that_json_cannot_hold_are_refused_and_arrays_hold_them():
    with pytest.raises(ValueError, match="cannot hold nan"):
        page("step", title="", data={"step": {"a": [1.0, float("nan")]}}, modules=(), about=[], constants=[])
    array = numbers(np.array([np.nan, -np.inf], dtype=np.float32))
    assert array["type"] == "f4"
    held = np.frombuffer(base64.b64decode(array["data"]), "<f4")
    np.testing.assert_array_equal(held, np.array([np.nan, -np.inf], np.float32))
