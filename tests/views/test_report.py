"""The report of a run: every number of the page against scikit-learn, the history, or the run at that iteration."""

from __future__ import annotations

import base64
import html
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import picture_runs
import pytest
from sklearn import metrics as sk
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier, DummyRegressor

import glassnet as gn
from glassnet.views import write_report
from glassnet.views.report import report_page
from glassnet.views.report_film import shown_iterations, shown_units
from glassnet.views.report_inputs import Pixels, _named_pixels

D, N = gn.Dense, gn.Network


def drawn(*shape: int, seed: int = 11) -> np.ndarray:
    return np.random.Generator(np.random.Philox(seed)).standard_normal(shape)


X = drawn(60, 3)
Y = (X[:, 0] + X[:, 1] ** 2 > 0.5).astype(np.float64)


def array(held: dict[str, Any]) -> np.ndarray:
    """Numbers of the page, exactly."""
    kind = {"f4": "<f4", "f8": "<f8"}[held["type"]]
    return np.frombuffer(base64.b64decode(held["data"]), dtype=kind).reshape(held["shape"])


def small(text: str, kind: str = "u1") -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype=kind)


class Page:
    """A report, read back."""

    def __init__(self, text: str) -> None:
        self.text = text
        found = re.search(r'<script type="application/json" id="data-report">(.*?)</script>', text, re.DOTALL)
        assert found is not None
        self.data = json.loads(found[1])
        self.film = self.data["film"]

    @property
    def words(self) -> str:
        body = self.text[self.text.index("<main") : self.text.index("</main>")]
        return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", body)))

    def table(self) -> dict[str, dict[str, float]]:
        """Column of the metrics → metric → its exact number."""
        part = self.text[self.text.index('<table class="metrics">') :]
        part = part[: part.index("</table>")]
        heads = [html.unescape(h) for h in re.findall(r'<th scope="col" class="number">(.*?)</th>', part)]
        found: dict[str, dict[str, float]] = {head: {} for head in heads}
        for row in re.findall(r"<tr>(.*?)</tr>", part)[1:]:
            for head, (key, exact) in zip(
                heads, re.findall(r'data-metric="(\w+)" data-exact="(.*?)"', row), strict=True
            ):
                if exact:
                    found[head][key] = float(exact)
        return found

    def confusion(self) -> list[int]:
        return [int(n) for n in re.findall(r'data-count="(\d+)"', self.text)]

    def rows(self) -> list[list[str]]:
        """The table of mistakes."""
        part = self.text[self.text.index('<table class="rows">') :]
        part = part[: part.index("</table>")]
        return [
            [html.unescape(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row)]
            for row in re.findall(r"<tr>(.*?)</tr>", part)[1:]
        ]


def page_of(run: gn.Run, **options: Any) -> Page:
    return Page(report_page(run, **options))


def trained(network: gn.Network, X: Any, Y: Any, epochs: int = 20, **options: Any) -> gn.Run:
    return gn.train(network, X, Y, epochs=epochs, progress=False, **options)


# The film.


def test_the_film_holds_the_trainings_own_numbers() -> None:
    run = picture_runs.flower()
    film = page_of(run).film
    iterations = film["iterations"]
    cost, accuracy = array(film["measured"]["cost"]), array(film["measured"]["accuracy"])
    W1, b2 = array(film["network"]["arrays"]["W1"]), array(film["network"]["arrays"]["b2"])
    assert iterations[0] == 0
    assert iterations[-1] == run.iteration
    assert cost[0] == run.initial["cost"]
    for place, iteration in enumerate(iterations[1:], 1):
        assert (cost[place], accuracy[place]) == (
            run.history["cost"][iteration - 1],
            run.history["accuracy"][iteration - 1],
        )
    for place in (0, 7, len(iterations) - 1):
        parameters = run.at(iterations[place]).parameters
        assert np.array_equal(W1[place], parameters["W1"])
        assert np.array_equal(b2[place], parameters["b2"])
    assert film["network"]["largest"] == max(
        np.abs(array(film["network"]["arrays"][name])).max() for name in ("W1", "W2")
    )


def test_the_film_measures_what_the_history_does_not_hold() -> None:
    """Within the first epoch, and on held-out rows, against scikit-learn."""
    run = trained(N(3, D(4, "tanh"), D(1, "sigmoid")), X, Y, batch_size=6, seed=1)
    other = drawn(30, 3, seed=12)
    true = (other[:, 0] > 0).astype(np.float64)
    film = page_of(run, held_out=(other, true)).film
    assert film["iterations"][:11] == list(range(11))  # every step of the first epoch of ten
    assert all(i % 10 == 0 for i in film["iterations"][10:])  # then ends of epochs
    assert film["epochs"][:3] == ["0", "0.10", "0.20"]
    for place in (0, 3, 12, -1):
        state = run.at(film["iterations"][place])
        for rows, labels, prefix in ((X, Y, ""), (other, true, "held_out_")):
            p = state.predict(rows)[:, 0]
            assert array(film["measured"][f"{prefix}cost"])[place] == pytest.approx(sk.log_loss(labels, p), rel=1e-12)
            assert array(film["measured"][f"{prefix}accuracy"])[place] == sk.accuracy_score(labels, p >= 0.5)


def test_the_plane_is_what_the_network_answers_there() -> None:
    run = picture_runs.flower()
    film = page_of(run).film
    scene = film["scene"]
    side = scene["side"]
    levels = small(scene["levels"]).reshape(-1, side, side)
    across, up = (np.linspace(scene["low"][a], scene["high"][a], side) for a in (0, 1))
    offset, scale = (np.array([getattr(f, name) for f in run.preparation.features]) for name in ("mean", "std"))
    place = len(film["iterations"]) - 1
    grid = np.array([[(x - offset[0]) / scale[0], (y - offset[1]) / scale[1]] for y in up for x in across])
    answers = run.at(film["iterations"][place]).predict(grid).reshape(side, side)
    assert np.abs(levels[place] / 255 - answers).max() <= 0.5 / 255 + 1e-9
    # The lines are where the probability is one half.
    packed = scene["borders"][place]
    points = (
        small(packed["points"], "<u2").reshape(-1, 2) / 65535 * (np.array(scene["high"]) - scene["low"]) + scene["low"]
    )
    assert len(points) == sum(packed["lengths"]) > 50
    p = run.predict((points - offset) / scale)[:, 0]
    assert np.median(np.abs(p - 0.5)) < 0.01
    # The rows and what is predicted for them.
    count = len(scene["rows"])
    predicted = small(scene["predicted"]).reshape(-1, count)
    true = small(scene["true"])
    wrong = (predicted != true).mean(axis=1)
    assert np.allclose(1 - wrong, array(film["measured"]["accuracy"]), atol=1e-12)
    own = np.column_stack([run.data.X[:, a] * scale[a] + offset[a] for a in (0, 1)])
    assert np.allclose(array(scene["points"]), own[scene["rows"]], atol=1e-5)


def test_many_features_are_drawn_in_the_plane_of_their_principal_components() -> None:
    run = picture_runs.iris()
    page = page_of(run)
    scene = page.film["scene"]
    rows = run.data.X
    found = PCA(2).fit(rows)
    placed = np.abs(found.transform(rows))
    assert np.allclose(np.abs(array(scene["points"])), placed[scene["rows"]], atol=1e-5)  # up to the sign of an axis
    share = found.explained_variance_ratio_.sum()
    assert scene["slice"] == pytest.approx(share, rel=1e-12)
    assert f"hold {100 * share:.0f} % of their variance" in page.words
    predicted = small(scene["predicted"]).reshape(-1, len(rows))[-1]
    state = run.at(page.film["iterations"][-1])
    assert np.array_equal(predicted, state.predict(rows).argmax(axis=1))
    assert len(scene["classes"]) == 3
    assert small(scene["winner"]).max() == 2


def test_other_networks_have_other_scenes() -> None:
    curve = trained(N(1, D(5, "tanh"), D(1)), X[:, :1], np.sin(X[:, :1]))
    scene = page_of(curve).film["scene"]
    assert scene["kind"] == "curve"
    assert np.allclose(array(scene["answers"])[-1], curve.predict(array(scene["across"])[:, None]), rtol=1e-12)

    surface = trained(N(2, D(5, "tanh"), D(1)), X[:, :2], X[:, 0] * X[:, 1])
    scene = page_of(surface).film["scene"]
    assert scene["kind"] == "plane"
    low, high = scene["range"]
    corner = np.array([[scene["low"][0], scene["low"][1]]])
    assert small(scene["levels"]).reshape(-1, 96, 96)[-1, 0, 0] / 255 * (high - low) + low == pytest.approx(
        surface.predict(corner).item(), abs=(high - low) / 255
    )

    scatter = trained(N(3, D(5, "tanh"), D(1)), X, X.sum(axis=1))
    scene = page_of(scatter).film["scene"]
    assert scene["kind"] == "scatter"
    assert np.array_equal(array(scene["predicted"])[-1], scatter.predict(X)[:, 0])
    assert np.allclose(array(scene["true"]), X.sum(axis=1))

    wide = drawn(40, 30)
    matrix = trained(N(30, D(3, "softmax")), wide, np.arange(40) % 3, loss="categorical_cross_entropy")
    scene = page_of(matrix).film["scene"]
    assert scene["kind"] == "matrix"
    theirs = sk.confusion_matrix(np.arange(40) % 3, matrix.predict(wide).argmax(axis=1))
    assert scene["counts"][-1] == theirs.tolist()


def test_image_networks_show_their_weights_and_their_mistakes_as_pictures() -> None:
    from PIL import Image

    pictures = drawn(90, 64)
    run = trained(N(64, D(20, "relu"), D(3, "softmax")), pictures, np.arange(90) % 3, loss="categorical_cross_entropy")
    page = page_of(run)
    scene = page.film["scene"]
    assert (scene["kind"], scene["shape"], scene["units"]) == ("pictures", [8, 8], 16)
    levels = small(scene["levels"]).reshape(len(page.film["iterations"]), 16, 64)
    W1 = run.parameters["W1"].T[:16]
    assert np.abs((levels[-1] / 255 * 2 - 1) * scene["largest"] - W1).max() <= scene["largest"] / 255 + 1e-9
    shown = re.findall(
        r'<img src="data:image/png;base64,(.*?)" alt="Picture of row (\d+), true (\d), predicted (\d)"', page.text
    )
    outputs = run.predict(pictures)
    wrong = [int(row) for _, row, _, _ in shown]
    given = outputs[wrong, np.array(wrong) % 3]
    assert len(shown) == 24
    assert given.tolist() == sorted(outputs[i, i % 3] for i in range(90) if outputs[i].argmax() != i % 3)[:24]
    assert [(int(t), int(p)) for _, _, t, p in shown] == [(i % 3, outputs[i].argmax()) for i in wrong]
    seen = np.asarray(Image.open(io.BytesIO(base64.b64decode(shown[0][0]))), dtype=np.float64).reshape(-1)
    true = pictures[wrong[0]]
    assert np.abs(seen / 255 - (true - true.min()) / np.ptp(true)).max() <= 0.5 / 255 + 1e-9


def test_columns_that_are_called_pixels_make_a_picture_with_gaps() -> None:
    names = [f"pixel_{r}_{c}" for r in range(8) for c in range(8) if (r, c) not in {(0, 0), (4, 7)}]
    pixels = _named_pixels(names)
    assert isinstance(pixels, Pixels)
    assert pixels.shape == (8, 8)
    whole = pixels.fill(np.arange(62.0), empty=-1)
    assert (whole[0], whole[1], whole[4 * 8 + 7], whole[-1]) == (-1, 0, -1, 61)
    counted = _named_pixels([f"pixel{n}" for n in range(1, 784)])
    assert counted is not None
    assert counted.shape == (28, 28)
    assert _named_pixels(["age", *names]) is None
    assert _named_pixels([f"pixel_{n}_1" for n in range(3)]) is None


def test_fifty_states_and_wide_layers_by_their_ends() -> None:
    run = picture_runs.flower()
    assert 50 <= len(shown_iterations(run)) <= 56
    assert shown_iterations(run, states=200) == list(range(151))
    assert shown_units(40).tolist() == list(range(40))
    assert shown_units(784).tolist() == [*range(10), *range(774, 784)]
    big = trained(N(3, D(50, "relu"), D(50, "relu"), D(1, "sigmoid")), X, Y, epochs=3)
    network = page_of(big).film["network"]
    assert [(layer["size"], len(layer["units"])) for layer in network["layers"]] == [(3, 3), (50, 20), (50, 20), (1, 1)]
    assert np.array_equal(
        array(network["arrays"]["W2"])[-1], big.parameters["W2"][np.ix_(shown_units(50), shown_units(50))]
    )


# Curves.


def test_curves_are_the_history_and_the_best_epoch_is_marked() -> None:
    run = picture_runs.iris()
    cost, accuracy = page_of(run).data["charts"]
    for chart, name in ((cost, "cost"), (accuracy, "accuracy")):
        training, validation = chart["series"]
        assert (training["name"], validation["name"]) == ("training rows", "validation rows")
        assert np.array_equal(array(training["x"]), run.history["epoch"])
        assert np.array_equal(array(training["y"]), run.history[name])
        assert np.array_equal(array(validation["y"]), run.history[f"validation_{name}"])
    best = int(np.argmin(run.history["validation_cost"]))
    assert (cost["best"]["x"], cost["best"]["y"]) == (best + 1, run.history["validation_cost"][best])


def test_many_epochs_are_thinned_and_no_extreme_is_lost() -> None:
    run = trained(N(3, D(1, "sigmoid")), X, Y, epochs=3000, batch_size=20, optimizer=gn.Adam(0.05), record="last")
    curve = page_of(run).data["charts"][0]["series"][0]
    epochs, values = array(curve["x"]).astype(int), array(curve["y"])
    assert 400 < len(epochs) < 1500
    assert np.array_equal(values, run.history["cost"][epochs - 1])
    assert values.min() == run.history["cost"].min()
    assert values.max() == run.history["cost"].max()
    assert epochs[:50].tolist() == list(range(1, 51))


# How good it is, and what it gets wrong.


def test_metrics_are_scikit_learns_and_stand_beside_the_most_frequent_class() -> None:
    run = picture_runs.iris()
    held = run.validation
    page = page_of(run)
    found = page.table()
    classes = run.preparation.classes
    frequent = classes[int(run.data.Y.sum(axis=0).argmax())]
    assert list(found) == [
        "network, training rows",
        "network, validation rows",
        f"always '{frequent}', validation rows",
    ]
    true, outputs = held.Y.argmax(axis=1), run.predict(held.X)
    guess = outputs.argmax(axis=1)
    mine = found["network, validation rows"]
    assert mine["accuracy"] == sk.accuracy_score(true, guess)
    assert mine["f1"] == pytest.approx(
        sk.f1_score(true, guess, average="macro", labels=[0, 1, 2], zero_division=0), rel=1e-12
    )
    assert mine["cost"] == pytest.approx(sk.log_loss(true, outputs, labels=[0, 1, 2]), rel=1e-9)
    assert mine["n"] == len(true)
    dummy = DummyClassifier(strategy="most_frequent").fit(run.data.X, run.data.Y.argmax(axis=1))
    assert found[list(found)[2]]["accuracy"] == dummy.score(held.X, true)
    assert page.confusion() == sk.confusion_matrix(true, guess, labels=[0, 1, 2]).reshape(-1).tolist()
    right = int((true == guess).sum())
    assert f"Of the {len(true)} validation rows it gets {right} right, {100 * right / len(true):.1f} %" in page.words


def test_a_regression_beside_the_mean_with_its_largest_errors() -> None:
    run = trained(N(3, D(5, "tanh"), D(1)), X, X @ [1.0, -2.0, 0.5], epochs=40)
    page = page_of(run)
    true, guess = X @ [1.0, -2.0, 0.5], run.predict(X)[:, 0]
    mine = page.table()["network, training rows"]
    assert mine["rmse"] == pytest.approx(sk.root_mean_squared_error(true, guess), rel=1e-12)
    assert mine["r2"] == pytest.approx(sk.r2_score(true, guess), rel=1e-12)
    dummy = DummyRegressor().fit(X, true).predict(X)
    mean = page.table()["always the mean, training rows"]
    assert mean["mae"] == pytest.approx(sk.mean_absolute_error(true, dummy), rel=1e-12)
    worst = np.argsort(-np.abs(guess - true), kind="stable")
    assert [int(row[0]) for row in page.rows()] == worst[:12].tolist()
    assert float(page.rows()[0][3].replace("−", "-")) == pytest.approx(true[worst[0]] - guess[worst[0]], rel=1e-3)
    first, second = page.data["points"]
    assert np.array_equal(array(first["y"]["values"]), guess)
    assert np.allclose(array(second["y"]["values"]), true - guess, atol=1e-12)


def test_the_worst_mistakes_with_features_in_their_own_units() -> None:
    run = picture_runs.flower()
    rows = page_of(run).rows()
    p, true = run.predict(run.data.X)[:, 0], run.data.Y[:, 0]
    given = np.where(true == 1, p, 1 - p)
    wrong = np.flatnonzero((p >= 0.5) != (true == 1))
    assert [int(row[0]) for row in rows] == wrong[np.argsort(given[wrong], kind="stable")][:24].tolist()
    for row in rows:
        at = int(row[0])
        assert float(row[3]) == pytest.approx(given[at], rel=5e-3)
        for cell, feature, value in zip(row[4:], run.preparation.features, run.data.X[at], strict=True):
            assert float(cell.replace("−", "-")) == pytest.approx(value * feature.std + feature.mean, rel=1e-5)


def test_categories_are_written_by_their_names() -> None:
    run = picture_runs.coloured()
    page = page_of(run, held_out=(run.data.X, 1 - run.data.Y))  # so that what is right is wrong
    assert len(page.rows()) == 24
    for row in page.rows():
        codes = run.data.X[int(row[0]), 2:]
        assert row[6] == run.preparation.features[2].categories[int(codes.argmax())]
    assert len({row[6] for row in page.rows()}) > 1
    assert page.film["scene"]["kind"] == "matrix"  # a category has no place in a plane


def test_held_out_rows_keep_their_numbers_and_their_classes(tmp_path: Path) -> None:
    run = trained(N(3, D(1, "sigmoid")), X[:40], Y[:40])
    page = page_of(run, held_out=(X[40:], Y[40:]), rows=list(range(40, 60)))
    guess = run.predict(X[40:])[:, 0] >= 0.5
    assert page.confusion() == sk.confusion_matrix(Y[40:], guess).reshape(-1).tolist()
    assert {int(row[0]) for row in page.rows()} <= set((np.flatnonzero(guess != Y[40:]) + 40).tolist())
    with pytest.raises(
        gn.GlassnetError, match=r"The report got 20 held-out rows and 3 row numbers; it needs one for each row\."
    ):
        report_page(run, held_out=(X[40:], Y[40:]), rows=[1, 2, 3])
    with pytest.raises(gn.GlassnetError, match="held_out X has shape"):
        report_page(run, held_out=(X[40:, :2], Y[40:]))


def test_metrics_beside_the_run_are_used_while_they_are_of_its_state(tmp_path: Path) -> None:
    run = trained(N(3, D(1, "sigmoid")), X, Y)
    run.save(tmp_path / "run")
    part = {"cost": 0.5, "accuracy": 0.75, "n": 20}
    kept = {
        "test": part,
        "baseline": {"test": {**part, "accuracy": 0.625}},
        "run": run.facts["id"],
        "iteration": run.iteration,
    }
    place = tmp_path / "run" / "metrics.json"
    place.write_text(json.dumps(kept))
    page = page_of(gn.Run.load(tmp_path / "run"))
    assert page.table()["network, held-out rows"]["accuracy"] == 0.75
    assert page.table()["plain regression, held-out rows"]["accuracy"] == 0.625
    assert "Of the 20 held-out rows it gets 15 right, 75.0 %; for comparison, plain regression: 62.5 %." in page.words
    place.write_text(json.dumps({**kept, "iteration": 1}))
    assert "network, held-out rows" not in page_of(gn.Run.load(tmp_path / "run")).table()
    place.write_text("no JSON")
    assert "network, held-out rows" not in page_of(gn.Run.load(tmp_path / "run")).table()


# Words.


def test_what_was_trained_on_what() -> None:
    run = picture_runs.iris()
    words = page_of(run).words
    for said in (
        "Predicting", "The network 4 → 8 relu → 5 tanh → 3 softmax", f"{run.derivation.parameter_count} parameters",
        f"rows trained on {run.facts['data']['rows']}", f"rows watched while training {len(run.validation)}",
        run.facts["data"]["fingerprint"], "petal length (cm)", "seed 3", "Adam(learning_rate=0.02)",
        f"numpy {np.__version__}", run.facts["id"], "40 rows each",
    ):  # fmt: skip
        assert said in words
    counts = np.bincount(run.data.Y.argmax(axis=1))
    assert f"setosa: {counts[0]}, versicolor: {counts[1]}, virginica: {counts[2]}" in words


def test_every_equation_is_there_with_its_reason_and_its_rules() -> None:
    run = picture_runs.iris()
    text = report_page(run)
    words = html.unescape(text)
    for equation in run.derivation.equations:
        if equation.phase != "update":
            assert equation.mathml() in text
            assert equation.why in words
        if equation.phase == "backward":
            for rule in equation.rules:
                assert f"by {rule}" in words


def test_the_page_is_one_file_and_small(tmp_path: Path) -> None:
    run = trained(N(2, D(40, "tanh"), D(1, "sigmoid")), X[:, :2], Y, epochs=300)
    place = run.report(tmp_path / "report.html")
    text = place.read_text(encoding="utf-8")
    assert place.stat().st_size < 3_000_000
    addresses = re.findall(r'(?:src|href)="(.*?)"', text)
    assert addresses
    assert all(address.startswith(("#", "data:")) for address in addresses)
    assert "http" not in re.sub(r"http://www\.w3\.org/\d+/\w+(/\w+)?", "", text[: text.index("data-report")])
    assert text == report_page(run)  # the same run, the same page


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    run = trained(N(3, D(1, "sigmoid")), X, Y, epochs=1)
    with pytest.raises(gn.RunError) as error:
        write_report(run, tmp_path)
    assert (
        str(error.value) == f"{tmp_path} is a folder; name a file for the report, such as {tmp_path / 'report.html'}."
    )
    with pytest.raises(gn.RunError) as nowhere:
        run.report(tmp_path / "no folder" / "x.html")
    assert str(nowhere.value) == f"{tmp_path / 'no folder' / 'x.html'} could not be written: no such file or directory."
    with pytest.raises(gn.GlassnetError) as refused:
        write_report("runs/iris-1", tmp_path / "x.html")  # type: ignore[arg-type]
    assert str(refused.value) == "A report got str; it needs a run, such as gn.train(...) returns."


# Every kind of run has a report.


def _kinds() -> dict[str, Any]:
    from scipy.sparse import random as sparse_random

    plane = X[:, :2]
    S = sparse_random(40, 200, density=0.05, random_state=0, format="csr")
    return {
        "hinge": lambda: trained(N(2, D(1, "linear")), plane, 2 * Y - 1, loss="hinge"),
        "perceptron": lambda: trained(N(2, D(1, "step")), plane, Y, loss="perceptron", batch_size=1, epochs=3),
        "lbfgs": lambda: trained(N(3, D(3, "tanh"), D(1, "sigmoid")), X, Y, optimizer=gn.LBFGS(), l2=0.1),
        "newton": lambda: trained(N(3, D(1, "sigmoid")), X, Y, optimizer=gn.Newton()),
        "least squares": lambda: trained(N(3, D(1)), X, X.sum(axis=1), optimizer=gn.LeastSquares(), epochs=1),
        "poisson": lambda: trained(N(2, D(1, "exp")), plane, np.round(np.exp(X[:, 0] / 2)), loss="poisson"),
        "two quantities": lambda: trained(N(3, D(2)), X, X[:, :2] ** 2),
        "labels": lambda: trained(N(3, D(3, "sigmoid")), X, (X > 0).astype(float)),
        "batch norm": lambda: trained(
            N(3, D(4), gn.BatchNorm(), gn.Activation("relu"), gn.Dropout(0.2), D(1, "sigmoid")), X, Y, batch_size=20
        ),
        "weights": lambda: trained(N(3, D(1, "sigmoid")), X, Y, sample_weight=np.linspace(0.0, 2.0, 60)),
        "sparse": lambda: trained(N(200, D(3, "tanh"), D(1, "sigmoid")), S, (np.asarray(S.sum(axis=1)).ravel() > 5) * 1.0),
        "no epoch": lambda: trained(N(3, D(1, "sigmoid")), X, Y, epochs=0),
        "float32": lambda: trained(N(3, D(1, "sigmoid")), X, Y, dtype="float32"),
        "784 inputs": lambda: trained(N(784, D(12, "relu"), D(1, "sigmoid")), drawn(20, 784), np.arange(20) % 2, epochs=2),
    }  # fmt: skip


@pytest.mark.parametrize("kind", _kinds())
def test_every_kind_of_run_has_a_report(kind: str) -> None:
    run = _kinds()[kind]()
    page = page_of(run)
    assert f"The network {run.network}" in page.words
    rows = page.table()["network, training rows"]
    assert rows["n"] == len(run.data)
    known = run.history["cost"][-1] if len(run.history) else run.initial["cost"]
    assert rows["cost"] == pytest.approx(known, rel=1e-5 if kind == "float32" else 1e-9)
    if page.film is not None:
        assert array(page.film["measured"]["cost"])[-1] == pytest.approx(known, rel=1e-5)
    assert ("What it gets wrong" in page.words) == (kind != "labels")


def test_a_training_that_diverged() -> None:
    with pytest.warns(gn.GlassnetWarning):
        run = trained(N(3, D(5, "relu"), D(1)), X, X[:, 0] * 100, optimizer=gn.SGD(50.0))
    words = page_of(run).words
    assert "It diverged after" in words
    assert run.message in words


def test_a_run_without_its_data_says_so(tmp_path: Path) -> None:
    run = trained(N(2, D(5, "tanh"), D(1, "sigmoid")), X[:, :2], Y, epochs=100)
    run.save(tmp_path / "run", data=False)
    loaded = gn.Run.load(tmp_path / "run")
    page = page_of(loaded)
    assert "The 60 rows it was trained on are not kept beside the run; run.attach(X, Y) gives them back." in page.words
    assert page.film["iterations"] == loaded.snapshots.iterations
    assert page.film["scene"] is None
    assert np.array_equal(array(page.film["network"]["arrays"]["W1"])[-1], run.parameters["W1"])
    loaded.attach(X[:, :2], Y)
    assert page_of(loaded).film["scene"]["kind"] == "plane"


def test_the_state_that_was_kept_is_the_one_that_is_shown_first() -> None:
    run = trained(
        N(3, D(20, "tanh"), D(1, "sigmoid")), X, (drawn(60, seed=13) > 0) * 1.0, epochs=200, optimizer=gn.Adam(0.1),
        validation=0.3, callbacks=[gn.EarlyStopping(patience=5)],
    )  # fmt: skip
    assert run.restored != run.iteration
    page = page_of(run)
    assert page.film["iterations"][page.film["kept"]] == run.restored
    assert f"The parameters that were kept are those of iteration {run.restored}." in page.words
    assert f"the parameters of iteration {run.restored}, the best one, were kept" in page.words
