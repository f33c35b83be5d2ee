"""What a notebook shows: every number is the run's, every letter is escaped, and the pieces stand on their own."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest

import glassnet as gn
from glassnet.equations.page import html_page, phase_lines
from glassnet.views.notebook import brief, few
from glassnet.views.notebook_drawings import POINTS, cost_drawing, network_drawing

NET = gn.Network(2, gn.Dense(4, "tanh"), gn.Dense(1, "sigmoid"))
X, y = gn.data.dataset("flower", seed=0).arrays()
SOUP = "<script>alert('1 & 2')</script>"


def trained(network=NET, targets=y, *, scale=1.0, **settings):
    return gn.train(network, X * scale, targets, progress=False, **{"epochs": 12, "optimizer": gn.SGD(0.5), **settings})


@pytest.fixture(scope="module")
def run():
    return trained(validation=0.2, batch_size=100)


@pytest.fixture(scope="module")
def diverged():
    with pytest.warns(gn.GlassnetWarning):
        return trained(gn.Network(2, gn.Dense(4, "relu"), gn.Dense(1)), scale=30, optimizer=gn.SGD(5))


def table_run():
    columns = {f"x{SOUP}": X[:, 0], "x2": X[:, 1], "label": np.where(y > 0, SOUP, "a & b")}
    preparation = gn.data.Preparation.fit(columns, "label")
    inputs, targets = preparation.transform(columns), preparation.transform_target(columns)
    return gn.train(NET, inputs, targets, epochs=3, preparation=preparation, progress=False)


# Reading a piece.


class Tags(HTMLParser):
    """Fails on a tag that is not closed, as a browser's parser reads it, and keeps all names and attributes."""

    EMPTY = ("br", "mspace", "path", "circle")

    def __init__(self):
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        assert tag in self.EMPTY, f"HTML does not know an empty <{tag}/>"
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def read(shown):
    """The piece of something as a tree, after what holds for every piece."""
    html = shown._repr_html_()
    tags = Tags()
    tags.feed(html)
    tags.close()
    assert tags.open == []
    names = {name for name, _ in tags.seen}
    assert not names & {"script", "link", "img", "iframe", "object", "base", "form"}
    for _, attributes in tags.seen:
        assert not any(name.startswith("on") or name in ("src", "href", "id") for name in attributes), attributes
    outside = re.sub(r'xmlns="[^"]*"', "", html)
    assert "://" not in outside
    assert "url(" not in outside
    assert "@import" not in outside
    tree = ET.fromstring(re.sub(r' xmlns="[^"]*"', "", html))
    assert tree.get("class") == "glassnet"
    for rule in "".join(style.text for style in tree.iter("style")).split("}"):
        selectors = re.sub(r"/\*.*?\*/", "", rule.rpartition("{")[0] or "", flags=re.DOTALL)
        for selector in filter(None, (s.strip() for s in re.sub(r"@media[^{]*\{", "", selectors).split(","))):
            assert selector.startswith((".glassnet", "th)")), f"{selector} would change the rest of the notebook"
    return tree


def text(element):
    """Its text without style sheets."""
    if element.tag == "style":
        return element.tail or ""
    return (element.text or "") + "".join(text(child) for child in element) + (element.tail or "")


def rows(table):
    return [[text(cell).strip() for cell in row if cell.tag in ("td", "th")] for row in table.iter("tr")]


def facts(tree):
    """First cell → the others, of all tables of two columns and more."""
    return {row[0]: row[1:] for table in tree.iter("table") for row in rows(table) if len(row) > 1}


# Networks.


def test_a_network_by_hand():
    tree = read(NET)
    assert rows(next(tree.iter("table"))) == [
        ["layer", "kind", "units", "activation", "gives", "parameters", "how many"],
        ["0", "inputs", "2", "", "(m, 2)", "", "0"],
        ["1", "dense", "4", "tanh", "(m, 4)", "W(1) (2, 4), b(1) (4,)", "12"],  # 2 · 4 + 4
        ["2", "dense", "1", "sigmoid", "(m, 1)", "W(2) (4, 1), b(2) (1,)", "5"],  # 4 · 1 + 1
        ["all parameters", "17"],
    ]
    assert len(list(tree.iter("circle"))) == 2 + 4 + 1
    paths = [path.get("d") for path in tree.iter("path")]
    assert [path.count("L") for path in paths] == [2 * 4, 4 * 1]
    assert "2 inputs" in text(tree)
    assert "⋮" not in text(tree)


@pytest.mark.parametrize(
    "network",
    [
        NET,
        gn.Network(7, gn.Dense(3, bias=False)),
        gn.Network(3, gn.BatchNorm(), gn.Dense(4), gn.BatchNorm(), gn.Activation("relu"), gn.Dropout(0.2), gn.Dense(2)),
        gn.Network(3, *(gn.Dense(5, "tanh") for _ in range(40)), gn.Dense(1)),
    ],
)
def test_the_total_is_that_of_the_parameters_a_training_starts_from(network):
    trained_numbers = sum(value.size for value in network.initial_parameters(0).values())
    assert rows(next(read(network).iter("table")))[-1] == ["all parameters", f"{trained_numbers:,}"]


def test_layers_that_learn_nothing_or_have_an_activation_of_their_own():
    network = gn.Network(
        3, gn.Dense(4), gn.BatchNorm(), gn.Activation("relu"), gn.Dropout(0.2), gn.Dense(2, bias=False)
    )
    body = rows(next(read(network).iter("table")))[2:-1]
    assert [(row[0], row[1], row[3], row[5], row[6]) for row in body] == [
        ("1", "dense", "linear", "W(1) (3, 4), b(1) (4,)", "16"),
        ("", "batch norm", "", "γ(1) (4,), β(1) (4,)", "8"),
        ("", "activation", "relu", "", "0"),
        ("", "dropout 0.2", "", "", "0"),
        ("2", "dense, no bias", "linear", "W(2) (4, 2)", "8"),
    ]


def test_wide_layers_are_elided_with_their_count():
    drawing = network_drawing(gn.Network(784, gn.Dense(300, "relu"), gn.Dense(6, "softmax")))
    assert [len(column.units) for column in drawing.columns] == [5, 5, 6]
    assert [column.gap is not None for column in drawing.columns] == [True, True, False]
    assert [column.lines for column in drawing.columns] == [["784 inputs"], ["300 relu"], ["6 softmax"]]
    for column in drawing.columns:
        assert (
            np.diff(sorted([*column.units, *([] if column.gap is None else [column.gap])])).min() > 2 * drawing.radius
        )


def test_a_deep_network_is_elided_in_table_drawing_and_name():
    network = gn.Network(3, *(gn.Dense(7, "tanh") for _ in range(499)), gn.Dense(1))
    tree = read(network)
    body = rows(next(tree.iter("table")))
    assert body[-3] == ["… 487 more layers …", f"{487 * 56:,}"]
    assert body[-1] == ["all parameters", f"{28 + 498 * 56 + 8:,}"]
    drawing = network_drawing(network)
    assert sum(len(column.units) == 0 for column in drawing.columns) == 1
    assert drawing.columns[4].lines == ["494 more layers"]  # of 501 columns, seven stand
    assert brief(network) == "3 → 7 tanh → 7 tanh → 7 tanh → 7 tanh → 7 tanh → … → 7 tanh → 1 linear"
    assert len(network._repr_html_()) < 20_000


def test_captions_do_not_run_into_each_other_or_out_of_the_drawing():
    swish = gn.activation("a_rather_long_activation_name", lambda z: z * gn.sigmoid(z))
    drawing = network_drawing(
        gn.Network(1000, gn.Dense(2, swish), gn.BatchNorm(), gn.Dropout(0.125), gn.Dense(1, swish))
    )
    spans = [(c.x - 3.3 * max(map(len, c.lines)), c.x + 3.3 * max(map(len, c.lines))) for c in drawing.columns]
    assert spans[0][0] >= 0
    assert spans[-1][1] <= drawing.width
    assert all(left[1] < right[0] for left, right in pairwise(spans))
    assert drawing.height >= drawing.foot + 15 * 2


# Equations.


def test_an_equation_says_what_it_is():
    equation = gn.derive(NET, optimizer=gn.SGD(0.5))["dZ1"]
    tree = read(equation)
    assert "".join(next(tree.iter("math")).itertext()) == "dZ(1)=dA(1)⊙(1−A(1)2)"
    assert rows(next(tree.iter("table"))) == [
        ["why", "how the cost changes with each weighted sum"],
        ["by", "tanh′(z) = 1 − tanh(z)²"],
        ["by", "A1 = tanh(Z1)"],
        ["where", "backward, layer 1"],
        ["shape", "(m, 4)"],
        ["one entry", "dZ1[i,j] = dA1[i,j] · (1 − A1[i,j]²)"],
    ]


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("Z1", "Z1[i,j] = Σₖ(X[i,k] · W1[k,j]) + b1[j]"),
        ("J", "J = −Σᵢ(Y[i,0] · log(A2[i,0]) + (1 − Y[i,0]) · log(1 − A2[i,0])) / m"),
        ("b1", "b1[j] ← b1[j] − α · db1[j]"),
    ],
)
def test_one_entry_of_a_line(name, entry):
    assert facts(read(gn.derive(NET, optimizer=gn.SGD(0.5))[name]))["one entry"] == [entry]


def test_every_line_of_many_derivations_shows():
    rich = gn.Network(3, gn.Dense(4), gn.BatchNorm(), gn.Activation("gelu"), gn.Dropout(0.5), gn.Dense(3, "softmax"))
    one = gn.Network(3, gn.Dense(1, "sigmoid"))
    for derivation in (
        gn.derive(rich, l1=0.1, l2=0.1),
        gn.derive(one, optimizer="newton"),
        gn.derive(NET, optimizer="lbfgs"),
    ):
        for equation in derivation:
            assert "one entry" in facts(read(equation)), equation.name


# Derivations.


def test_a_derivation_is_its_page_with_a_style_sheet():
    derivation = gn.derive(NET, optimizer=gn.Adam(0.01), l2=0.1)
    tree = read(derivation)
    assert len(list(tree.iter("style"))) == 1
    assert re.sub(r"<style>.*?</style>", "", derivation._repr_html_(), flags=re.DOTALL) == html_page(derivation)
    phases = list(tree.iter("details"))
    assert [text(p.find("summary")).split(":")[0].strip() for p in phases] == [
        "Forward", "Cost", "Backward", "Update", "Where",
    ]  # fmt: skip
    assert all(phase.get("open") for phase in phases)
    for phase, name in zip(phases, ("forward", "cost", "backward", "update"), strict=False):
        shown = [m for m in phase.iter("math") if m.get("display") == "block"]
        assert len(shown) == len(phase_lines(derivation, name)[0]) > 0


def test_what_lbfgs_does_is_said():
    assert "made by SciPy's L-BFGS" in text(read(gn.derive(NET, optimizer="lbfgs")))


# Runs.


def number(shown):
    return float(shown.replace("−", "-").replace("∞", "inf").split()[0])


def test_the_numbers_of_a_run_are_those_of_its_history(run):
    tree = read(run)
    said = facts(tree)
    for column, label, better in (
        ("cost", "cost, trained on", np.argmin), ("validation_cost", "cost, held out", np.argmin),
        ("accuracy", "accuracy, trained on", np.argmax), ("validation_accuracy", "accuracy, held out", np.argmax),
    ):  # fmt: skip
        values = np.array([run.initial[column], *run.history[column]])
        before, first, last, best = said[label]
        for shown, value in (
            (before, values[0]),
            (first, values[1]),
            (last, values[-1]),
            (best, values[better(values)]),
        ):
            assert number(shown) == pytest.approx(value, rel=5e-4)
        place = int(better(values))
        assert best.endswith(f"in epoch {place}" if place else "before training")
    assert said["network"] == ["2 → 4 tanh → 1 sigmoid (17 parameters)"]
    assert said["data"] == ["320 samples of 2 features, 80 held out"]
    assert said["batches"] == ["100 samples, 4 updates an epoch"]
    assert said["optimiser"] == ["SGD(learning_rate=0.5)"]
    assert said["done"][0].startswith("12 of 12 epochs, 48 updates in ")
    assert said["kept"] == [f"{len(run.snapshots.iterations)} snapshots, in memory only"]
    assert "finished" in text(tree)


def test_the_curves_are_the_costs(run):
    drawing = cost_drawing(run)
    low = min(run.history["cost"].min(), run.history["validation_cost"].min())
    high = max(run.initial["cost"], run.initial["validation_cost"])
    for curve, column in zip(drawing.curves, ("cost", "validation_cost"), strict=True):
        (path,) = curve.paths
        points = np.array([[float(n) for n in point.split()] for point in path[1:].split("L")])
        epochs = (points[:, 0] - drawing.left) / (drawing.right - drawing.left) * 12
        np.testing.assert_allclose(epochs, range(13), atol=0.01)
        costs = high - (points[:, 1] - drawing.ceiling) / (drawing.floor - drawing.ceiling) * (high - low)
        np.testing.assert_allclose(costs, [run.initial[column], *run.history[column]], atol=(high - low) / 900)
    assert (number(drawing.top), number(drawing.bottom)) == pytest.approx((high, low), rel=5e-3)
    assert "held out" in drawing.said
    assert len([p for p in read(run).iter("path") if p.get("stroke-dasharray")]) == 2  # the curve and its key


def test_of_a_long_training_the_extremes_of_each_stretch_are_drawn():
    long = trained(epochs=4000, optimizer=gn.Adam(0.3), batch_size=200, validation=0.2, measure=40)
    drawing = cost_drawing(long)
    for curve, column in zip(drawing.curves, ("cost", "validation_cost"), strict=True):
        heights = [float(point.split()[1]) for path in curve.paths for point in path[1:].split("L")]
        assert len(heights) <= POINTS + 2
        everything = np.array([long.initial[column], *long.history[column]])
        best = long.history[column].min()
        assert len(everything) == 4001
        assert max(heights) == curve.best[1]
        assert number(
            facts(read(long))["cost, held out" if curve.held_out else "cost, trained on"][3]
        ) == pytest.approx(min(best, everything[0]), rel=5e-4)


def test_a_training_that_diverged(diverged):
    tree = read(diverged)
    assert "diverged" in text(tree)
    assert next(p for p in tree.iter("p") if p.get("class") == "care").text == diverged.message
    assert "The cost has grown from" in text(tree)
    assert facts(tree)["cost, trained on"][3].endswith("before training")
    assert "logarithmic" in text(tree)
    assert f"run.trace({diverged.iteration})" in facts(tree)


def test_costs_that_are_not_finite_are_left_out_of_the_curve_and_marked():
    broken = trained(epochs=6)
    costs = broken.history["cost"].copy()
    costs[3:] = [np.nan, np.inf, np.nan]
    broken.history = gn.training.history.History({**broken.history.to_dict(), "cost": costs})
    drawing = cost_drawing(broken)
    (path,) = drawing.curves[0].paths
    assert path.count("L") == 3  # before and three epochs
    assert drawing.lost == pytest.approx(drawing.left + (drawing.right - drawing.left) * 4 / 6, abs=0.06)
    said = facts(read(broken))["cost, trained on"]
    assert said[2] == "NaN"
    assert number(said[3]) == pytest.approx(costs[:3].min(), rel=5e-4)
    assert "✕ not finite" in text(read(broken))


def test_a_run_without_epochs():
    untrained = trained(epochs=0)
    said = facts(read(untrained))
    assert cost_drawing(untrained) is None
    assert said["done"] == ["0 of 0 epochs, 0 updates"]
    assert said["kept"] == ["1 snapshot, in memory only"]
    assert number(said["cost, trained on"][0]) == pytest.approx(untrained.initial["cost"], rel=5e-4)
    assert said["cost, trained on"][1:3] == ["", ""]


def kinds():
    one = gn.Network(2, gn.Dense(1, "sigmoid"))
    line = gn.Network(2, gn.Dense(1))
    amounts = 3 * y + X[:, 0]
    yield "lbfgs", trained(optimizer="lbfgs", epochs=5)
    yield "newton", trained(one, optimizer="newton", epochs=20)
    yield "newton, one step", trained(one, optimizer="newton", epochs=1)
    yield "least squares", trained(line, amounts, optimizer="least_squares", epochs=1)
    yield "regression", trained(line, amounts, optimizer=gn.SGD(0.1), validation=0.3)
    yield "without epochs", trained(epochs=0)
    yield "float32", trained(engine="compiled", batch_size=64, dtype="float32", l1=0.1, l2=0.2)
    yield (
        "stopped early",
        trained(optimizer=gn.Adam(0.5), epochs=200, validation=0.3, callbacks=[gn.EarlyStopping(patience=2)]),
    )


@pytest.mark.filterwarnings("ignore::glassnet.GlassnetWarning")
def test_whatever_a_run_offers_can_be_done(run, diverged, tmp_path):
    done = set()
    for kind, here in [*kinds(), ("diverged", diverged), ("plain", run)]:
        for code in [row[0] for t in read(here).iter("table") for row in rows(t) if row[0].startswith("run.")]:
            name = code.split("(")[0].removeprefix("run.")
            done.add(name)
            if name in ("at", "trace", "predict"):
                asked = eval(code, {"run": here, "X": X})
                assert (
                    np.isfinite(asked).all()
                    if name == "predict"
                    else read(asked) is not None
                    if name == "trace"
                    else asked
                )
            assert hasattr(here, name), f"{kind} offers {code}"
    assert {"at", "trace", "predict", "save"} <= done


def test_steps_that_cannot_be_traced_are_not_offered():
    offered = {kind: [r for r in facts(read(here)) if r.startswith("run.trace")] for kind, here in kinds()}
    assert offered["lbfgs"] == offered["newton, one step"] == []
    assert offered["newton"] != []
    assert offered["least squares"] == ["run.trace(0)"]


def test_a_regression_says_r2_and_penalties_are_named():
    said = {kind: facts(read(here)) for kind, here in kinds()}
    regression = dict(kinds())["regression"]
    assert number(said["regression"]["R², held out"][2]) == pytest.approx(
        regression.history["validation_r2"][-1], rel=5e-4
    )
    assert said["float32"]["loss"] == ["binary_cross_entropy, penalty L1 0.1 and L2 0.2"]
    assert said["float32"]["numbers"] == ["float32, seed 0, engine compiled"]
    best = re.search(r"iteration (\d+)", said["stopped early"]["parameters"][0])
    assert int(best[1]) == dict(kinds())["stopped early"].restored


def test_where_a_run_is_kept_and_what_one_without_data_needs(tmp_path):
    kept = trained(epochs=3)
    kept.save(tmp_path / "flower", data=False)
    assert facts(read(kept))["kept"] == [f"4 snapshots, in the folder {tmp_path / 'flower'}"]
    assert "run.save" not in text(read(kept))
    loaded = gn.Run.load(tmp_path / "flower")
    said = facts(read(loaded))
    assert said["kept"] == [f"4 snapshots, in the folder {tmp_path / 'flower'}"]
    assert "run.attach(X, Y)" in said
    assert said["cost, trained on"] == facts(read(kept))["cost, trained on"]
    assert "run.attach" not in text(read(loaded.attach(X, y)))


def test_what_people_named_is_escaped():
    tree = read(table_run())
    assert SOUP in text(tree)
    assert f"The output is the probability that 'label' is '{SOUP}'" in text(tree) or "'a & b'" in text(tree)
    assert f"x{SOUP}" in text(tree)
    kept = trained(epochs=1)
    kept.facts["message"] = kept.facts["notes"] = [SOUP]
    assert text(read(kept)).count("alert('1 & 2')") == 2


# Traces.


def matrices(tree):
    """The small matrices of a trace, in order: rows of cells' texts, with the labels of rows apart."""
    found = []
    for table in tree.iter("table"):
        if table.get("class") == "matrix":
            body = [row for part in table.iter("tbody") for row in part.iter("tr")]
            found.append(
                (
                    [row.find("th").text for row in body if row.find("th") is not None],
                    [[(cell.text, cell.get("class")) for cell in row.iter("td")] for row in body],
                )
            )
    return found


def test_the_matrices_of_a_trace_are_its_arrays(run):
    trace = run.trace(6, samples=[2, 40, 5])
    tree = read(trace)
    names = ["X", "Y", "W1", "b1", "W2", "b2", "Z1", "A1", "Z2", "A2", "dZ2", "dW2", "db2", "dA1", "dZ1", "dW1", "db1",
             "W1.after", "b1.after", "W2.after", "b2.after"]  # fmt: skip
    shown = matrices(tree)
    assert len(shown) == len(names)
    for name, (labels, cells) in zip(names, shown, strict=True):
        values = np.atleast_2d(trace[name])
        there = np.array([[number(cell) for cell, _ in row] for row in cells])
        np.testing.assert_allclose(there, values, rtol=6e-4, err_msg=name)
        assert labels == ([f"row {row}" for row in trace.rows] if len(values) == 3 else []), name
    assert f"{trace['J']:.4g}" in [d.text for d in tree.iter("div") if (d.get("class") or "").startswith("alone")]
    assert trace.heading() in text(tree)
    for name, index in (("Z1", (0, 0)), ("dW1", (0, 0)), ("J", ())):
        assert trace.worked(name, *index, most=4) in text(tree)
    lines = [m for m in tree.iter("math") if m.get("display") == "block"]
    assert len(lines) == len(trace.equations)
    folded = [part.get("open") is None for part in tree.iter("details")]
    assert folded == [True, False, False, False, True]  # what was before the step and the updates are closed


def test_large_matrices_are_elided_with_what_was_left_out():
    wide = trained(gn.Network(2, gn.Dense(300, "relu"), gn.Dense(1, "sigmoid")), batch_size=64, epochs=1)
    trace = wide.trace(5)
    labels, cells = matrices(read(trace))[7]  # X, Y, W1, b1, W2, b2, Z1, A1
    activations = trace["A1"]
    assert activations.shape == (64, 300)
    assert labels == [*(f"row {row}" for row in trace.rows[:4]), "…", f"row {trace.rows[63]}"]
    places = ([0, 1, 2, 3, 63], [0, 1, 2, 3, 299])
    there = [[number(c) for j, (c, _) in enumerate(row) if j != 4] for i, row in enumerate(cells) if i != 4]
    np.testing.assert_allclose(there, activations[np.ix_(*places)], rtol=6e-4)
    assert {mark for row in cells for _, mark in row} == {"gap", "zero", None}
    for i, row in zip(places[0], [r for k, r in enumerate(cells) if k != 4], strict=True):
        assert [mark == "zero" for j, (_, mark) in enumerate(row) if j != 4] == list(activations[i, places[1]] == 0)
    headings = [[h.text for h in head.iter("th")] for head in read(trace).iter("thead")]
    assert [None, "[0]", "[1]", "[2]", "[3]", None, "[299]"] in headings
    assert f"{(activations == 0).sum():,} × 0" in text(read(trace))
    assert len(trace._repr_html_()) < 60_000


def test_numbers_that_are_not_finite_are_marked(diverged):
    trace = diverged.trace(diverged.iteration + 1)
    lost = [n for n in trace if np.ndim(trace[n]) == 2 and not np.isfinite(trace[n]).all()]
    assert lost
    tree = read(trace)
    marked = [cell for _, cells in matrices(tree) for row in cells for cell, mark in row if mark == "odd"]
    assert marked
    assert set(marked) <= {"NaN", "∞", "−∞"}
    plain = [cell for _, cells in matrices(tree) for row in cells for cell, mark in row if mark != "odd"]
    assert not {"NaN", "∞", "−∞"} & set(plain)


def test_the_step_of_a_deep_network_stays_small():
    deep = trained(gn.Network(2, *(gn.Dense(3, "tanh") for _ in range(120)), gn.Dense(1, "sigmoid")), epochs=1)
    html = deep.trace(0)._repr_html_()
    assert len(html) < 120_000
    tree = read(deep.trace(0))
    forward = list(tree.iter("details"))[1]
    assert len([m for m in forward.iter("math") if m.get("display") == "block"]) == 29
    assert "… 213 more lines …" in text(forward)  # 242 lines, 29 of them shown


@pytest.mark.parametrize(
    ("count", "most", "shown"),
    [(3, 6, [0, 1, 2]), (6, 6, [0, 1, 2, 3, 4, 5]), (7, 6, [0, 1, 2, 3, None, 6]), (100, 6, [0, 1, 2, 3, None, 99])],
)
def test_what_is_shown_of_many(count, most, shown):
    assert few(count, most) == shown
