"""Every view holds for networks of images: it shows what is there, or says in one sentence what it needs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from picture_runs import colour_images, drawn, images, message_of, tile
from typer.testing import CliRunner

import glassnet as gn
from glassnet import views
from glassnet.cli.main import app
from glassnet.training.run import Run
from glassnet.views.network_columns import columns_of
from glassnet.views.notebook import layer_rows
from glassnet.views.notebook_drawings import layer_shapes, network_drawing
from glassnet.views.report import report_page
from glassnet.views.rows import line_values
from glassnet.views.sheets import Sheet

BOTH = pytest.mark.parametrize("run", [images, colour_images], ids=["grey", "colour"])
KINDS = (
    "plot_cost",
    "plot_metric",
    "plot_confusion",
    "plot_network",
    "plot_weights",
    "plot_predictions",
    "plot_filters",
)


@BOTH
@pytest.mark.parametrize("kind", KINDS)
def test_pictures_that_every_image_network_has(run, kind, tmp_path):
    views.save(getattr(views, kind)(run()), tmp_path / "picture.png", 40)


@BOTH
@pytest.mark.parametrize("kind", ["plot_activations", "plot_gradients", "plot_updates"])
def test_layers_over_time_name_convolutions(run, kind):
    ax = getattr(views, kind)(run(), points=4)
    first = ax.get_legend().get_texts()[0].get_text()
    assert first == f"layer 1: {run().network.layers[0]}"


@pytest.mark.parametrize("kind", ["plot_roc", "plot_precision_recall", "plot_calibration"])
def test_two_classes_of_pictures(kind):
    assert getattr(views, kind)(colour_images()).get_title()


# Planes.


@BOTH
def test_the_plane_of_two_components_is_that_of_the_flattened_pictures(run):
    run = run()
    ax = views.plot_boundary(run, plane="pca")
    shown = np.vstack([np.asarray(e.get_offsets()) for e in ax.collections if "class" in str(e.get_gid())])
    rows = run.data.X.reshape(len(run.data.X), -1)
    _, _, directions = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    expected = (rows - rows.mean(axis=0)) @ directions[:2].T
    assert np.sort(np.abs(shown), axis=0) == pytest.approx(np.sort(np.abs(expected), axis=0), abs=1e-9)


def test_responses_and_warps_are_those_of_dense_layers():
    assert message_of(views.plot_responses, images(), plane="pca") == (
        "The units of layer 1 are maps, not numbers; plot its feature maps, or choose layer 2."
    )
    assert message_of(views.plot_warp, colour_images(), plane="pca", layer=2) == (
        "The units of layer 2 are maps, not numbers; plot its feature maps, or choose layer 3 or 4."
    )
    assert len(views.plot_responses(images(), plane="pca", layer=2, resolution=12)) == 10
    assert views.plot_warp(colour_images(), plane="pca", layer=3, lines=4).get_xlabel() == "activation of unit 0 (A3)"


# Predicted pictures.


def test_predicted_pictures_are_the_pixels():
    run = colour_images()
    ax = views.plot_predictions(run, samples=[3, 8])
    said = (run.predict(run.data.X)[:, 0] >= 0.5).astype(int)
    for position, row in enumerate((3, 8)):
        assert np.asarray(drawn(ax, f"picture {position}").get_array()) == pytest.approx(
            np.moveaxis(run.data.X[row], 0, 2), abs=1e-12
        )
        mark = "✓" if said[row] == run.data.Y[row, 0] else "✗"
        assert drawn(ax, f"said {position}").get_text().startswith(f"{mark} {said[row]} (")
        assert drawn(ax, f"true {position}").get_text() == f"is {run.data.Y[row, 0]:.0f}, row {row}"


def test_predicted_pictures_of_bytes_with_their_names():
    """Pictures (m, h, w, 3) as they come in files, prepared, trained on and shown again with their labels."""
    from glassnet.data import ArrayPreparation

    X = np.random.default_rng(3).integers(0, 256, size=(16, 6, 7, 3)).astype(np.uint8)
    y = np.where(X[:, :, :, 0].mean(axis=(1, 2)) > 127, "cat", "none")
    preparation = ArrayPreparation.fit(X, y, pictures=True)
    net = gn.Network((3, 6, 7), gn.Conv2D(2, 3, "relu"), gn.Flatten(), gn.Dense(1, "sigmoid"))
    run = gn.train(
        net, preparation.transform(X), preparation.transform_target(y), epochs=2, preparation=preparation, engine="reference",
        progress=False,
    )  # fmt: skip
    ax = views.plot_predictions(run, samples=[4])
    assert np.asarray(drawn(ax, "picture 0").get_array()) == pytest.approx(X[4] / 255, abs=1e-12)
    assert drawn(ax, "true 0").get_text() == f"is {y[4]}, row 4"
    beside = views.plot_feature_maps(run, 4)
    assert np.asarray(drawn(beside, "input").get_array()) == pytest.approx(X[4] / 255, abs=1e-12)


# The network.


def plain_texts(ax):
    return [text.get_text().replace("\N{NO-BREAK SPACE}", " ") for text in ax.texts if text.get_text()]


def test_the_diagram_says_how_many_maps_of_which_size():
    said = plain_texts(views.plot_network(images()))
    assert {"1 @ 8×8", "8 @ 6×6\nconv 8x3 relu", "8 @ 3×3\npool 2", "72 numbers\nflatten", "10 softmax"} <= set(said)
    assert [column.stage for column in columns_of(colour_images(), 12)] == ["X", "A1", "P1", "A2", "G2", "A3", "A4"]
    said = plain_texts(views.plot_network(colour_images()))
    assert any(text.startswith("4 @ 6×4\nconv 4x2 relu") for text in said)


def test_the_maps_of_the_diagram_are_the_samples():
    run = images()
    ax = views.plot_network(run, sample=6)
    for stage in ("A1", "P1"):
        maps = line_values(run, run.state, run.data.X[6:7], stage)[0]
        for number in (0, 1, 6, 7):  # the first two and the last two of 8, in 5 slots
            shown = np.asarray(drawn(ax, f"map {stage} {number}").get_array())
            # the largest entry of all maps is the darkest green: less red, the larger the value
            order = np.argsort(maps[number].ravel(), kind="stable")
            assert (np.diff(shown[:, :, 0].ravel()[order]) <= 1e-12).all()
            assert shown[:, :, :3][maps[number] == 0].min(initial=1.0) > 0.99
    picture = np.asarray(drawn(ax, "map X 0").get_array())
    assert picture[:, :, 0] == pytest.approx(run.data.X[6, 0], abs=1e-12)
    assert message_of(views.plot_network, run, sample=np.zeros((2, 8, 8))) == (
        "sample got values of shape (2, 8, 8); it needs a row number of the training data, or one picture (channels, height, "
        "width) = (1, 8, 8)."
    )
    assert views.plot_network(run, sample=run.data.X[6]).get_title() == "Network, the sample given"


def test_the_notebook_table_and_drawing_have_every_layer():
    net = colour_images().network
    rows = layer_rows(net)
    assert [(row.number, row.units, row.gives) for row in rows] == [
        ("1", 5, "(m, 5, 7, 10)"), ("", 5, "(m, 5, 7, 10)"), ("", 5, "(m, 5, 7, 10)"), ("", 5, "(m, 5, 6, 4)"),
        ("2", 4, "(m, 4, 6, 4)"), ("", 4, "(m, 4, 6, 4)"), ("", 4, "(m, 4)"), ("3", 3, "(m, 3)"), ("4", 1, "(m, 1)"),
    ]  # fmt: skip
    assert rows[0].kind == "convolution 3×2, stride 2×1, same"
    assert sum(row.trained for row in rows) == colour_images().derivation.parameter_count
    assert layer_shapes(net)[0] == (5, 7, 10)
    drawing = network_drawing(images().network)
    lines = [column.lines for column in drawing.columns]
    assert lines == [
        ["1 @ 8×8"], ["8 @ 6×6", "conv 8x3 relu"], ["8 @ 3×3", "pool 2"], ["72 numbers", "flatten"], ["10 softmax"],
    ]  # fmt: skip
    # 1 picture to 5 shown maps, each to its own pool, all to 5 shown numbers, all to 5 shown outputs
    assert [path.count("M") for path in drawing.edges] == [5, 5, 25, 25]


@BOTH
def test_notebook_pieces(run):
    run = run()
    for piece in (run, run.network, run.derivation, run.derivation["Z1"], run.trace(1)):
        assert piece._repr_html_()
    assert "(channels, rows, columns)" in run._repr_html_()


# The report.


@BOTH
def test_the_report_shows_filters_and_mistakes_as_pictures(run):
    run = run()
    page = report_page(run)
    data = json.loads(re.search(r'<script type="application/json"[^>]*>(.*?)</script>', page, re.S)[1])
    scene = next(each for each in walk(data) if isinstance(each, dict) and each.get("kind") == "pictures")
    W = run.parameters["W1"]
    assert scene["name"] == "W1"
    assert scene["units"] == len(W)
    assert scene["shape"] == [W.shape[2], W.shape[3] * W.shape[1]]
    assert "What the first filters look for" in page
    size = run.data.X[0].size
    assert f"{size:,}, each sample {' × '.join(map(str, run.network.input_shape))} (channels, rows, columns)" in page
    assert "Not drawn: W1, b1" in page


def walk(value: Any) -> Any:
    yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walk(each)


# Films.


def test_frames_are_the_filters_and_the_maps_of_their_iteration():
    run = images()
    film = run.animate(["filters", "feature_maps"], frames=4, size=(400, 220), sample=9, stage="P")
    for number in (0, 2, -1):
        film.frame(number)
        state = run.at(film.instants[number].before).state
        filters, maps = film.stage.panels
        values = np.ma.filled(np.ma.asarray(filters.image.get_array()), np.nan)
        sheet = Sheet.of(8, 3, 3, head=False)
        assert all(np.array_equal(tile(sheet, values, n), state["W1"][n, 0]) for n in range(8))
        pooled = line_values(run, state, run.data.X[9:10], "P1")[0]
        values = np.ma.filled(np.ma.asarray(maps.image.get_array()), np.nan)
        sheet = Sheet.of(8, 3, 3, head=False)
        assert all(np.array_equal(tile(sheet, values, n), pooled[n]) for n in range(8))


@pytest.mark.parametrize("ending", ["gif", "html"])
def test_films_of_images_are_written(ending, tmp_path):
    film = colour_images().animate(["feature_maps", "filters", "network", "activations"], frames=3, sample=1, layer=2)
    assert film.save(tmp_path / f"film.{ending}").stat().st_size > 1000
    again = colour_images().animate("weights", frames=3, size=(200, 150))
    assert type(again.stage.panels[0]).__name__ == "Filters"


# The command line.


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("images") / "run"
    Run.save(images(), place)
    return place


def called(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.mark.parametrize(
    "arguments",
    [
        ["filters", "--filters", "0,3"],
        ["feature_maps", "--sample", "3", "--stage", "Z", "--each"],
        ["features"],
        ["excitation", "--filters", "2", "--top", "4", "--stage", "P"],
        ["saliency", "-s", "3", "-s", "5", "--class", "8", "--signed", "--smooth", "3"],
        ["occlusion", "--sample", "3", "--patch", "3"],
        ["network", "--sample", "2"],
    ],
    ids=lambda arguments: " ".join(arguments),
)
def test_one_command_a_picture(arguments: list[str], folder: Path, tmp_path: Path) -> None:
    answer = called("plot", folder, *arguments, "--out", tmp_path / "picture.png")
    assert answer.exit_code == 0, answer.output
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")


def test_one_command_a_film(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "maps.gif"
    answer = called(
        "animate", folder, "feature_maps", "--sample", "2", "--stage", "P", "--frames", "3", "-q", "--out", out
    )
    assert answer.exit_code == 0, answer.output
    assert out.read_bytes().startswith(b"GIF89a")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ["filters", "--stage", "Z"],
            "--stage does not fit a picture of kind 'filters'; it goes with feature_maps, excitation.",
        ),
        (["filters", "--filters", "a"], "--filters got 'a'; it needs numbers from 0, such as 0,1."),
        (
            ["feature_maps", "-s", "1", "-s", "2"],
            "A picture of feature maps shows what a layer makes of one sample; give --sample once.",
        ),
        (
            ["saliency", "--class", "cat"],
            "There is no class of a saliency map 'cat'. Known: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9.",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_options_that_do_not_fit(arguments: list[str], line: str, folder: Path) -> None:
    answer = called("plot", folder, *arguments)
    assert (answer.exit_code, answer.stderr) == (2, line + "\n")


# torch.


@pytest.mark.extras
@pytest.mark.parametrize("make", [images, colour_images], ids=["grey", "colour"])
def test_saliency_is_what_autograd_gives(make: Callable[[], Run]) -> None:
    torch = pytest.importorskip("torch", reason="the torch oracle needs torch: pip install glassnet[extras-test]")
    F, run = torch.nn.functional, make()
    P = {name: torch.tensor(np.array(value)) for name, value in run.parameters.items()}
    X = torch.tensor(
        run.data.X[:7] + 1e-3 * np.random.default_rng(2).uniform(size=run.data.X[:7].shape), requires_grad=True
    )
    if make is images:
        pooled = F.max_pool2d(F.relu(F.conv2d(X, P["W1"], P["b1"])), 2)
        scores = pooled.flatten(1) @ P["W2"] + P["b2"]
        codes = scores.argmax(dim=1)
        score = scores[torch.arange(7), codes].sum()
    else:
        # same: the zeros that a stride of 2 needs below 13 rows, and a width of 2 beside 10 columns
        Z = F.conv2d(F.pad(X, (0, 1, 1, 1)), P["W1"], P["b1"], stride=(2, 1))
        spread = torch.sqrt(P["running_var1"] + 1e-5)[:, None, None]
        B = P["gamma1"][:, None, None] * (Z - P["running_mean1"][:, None, None]) / spread + P["beta1"][:, None, None]
        pooled = F.avg_pool2d(torch.tanh(B), (2, 3), stride=(1, 2))
        A = F.relu(F.conv2d(F.pad(pooled, (0, 1, 1, 1)), P["W2"], P["b2"], dilation=(2, 1)))
        hidden = torch.tanh(A.mean(dim=(2, 3)) @ P["W3"] + P["b3"])
        scores = (hidden @ P["W4"] + P["b4"])[:, 0]
        score = torch.where(scores >= 0, scores, -scores).sum()
    score.backward()
    found = views.score_gradients(run, X.detach().numpy())
    assert found == pytest.approx(X.grad.numpy(), abs=1e-12)
