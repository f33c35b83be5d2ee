"""`glassnet plot`: every kind of picture, its options, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import glassnet as gn
from glassnet.cli.main import app
from glassnet.cli.plot import KINDS
from glassnet.cli.speaking import one_line
from glassnet.training.run import Run

PNG = b"\x89PNG"


def trained_on(place: Path, *arguments: str) -> Path:
    common = ["--epochs", "6", "--quiet", "--no-plots", "--no-baseline", "--out", str(place)]
    result = CliRunner().invoke(app, ["train", *arguments, *common])
    assert result.exit_code == 0, result.output
    return place


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained_on(tmp_path_factory.mktemp("digits") / "digits", "digits", "--hidden", "8")


@pytest.fixture(scope="session")
def iris(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained_on(tmp_path_factory.mktemp("iris") / "iris", "iris", "--hidden", "4")


@pytest.fixture(scope="session")
def diabetes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained_on(tmp_path_factory.mktemp("diabetes") / "diabetes", "diabetes", "--hidden", "4", "--test", "0")


def done(answer: Any) -> Any:
    assert answer.status == 0, answer
    return answer


def refused(answer: Any, line: str) -> None:
    assert answer.status == 2, answer
    assert answer.err == line + "\n"
    assert answer.out == ""


OF_IMAGES = ("filters", "feature_maps", "excitation", "saliency", "occlusion")
APART = ("compare", "network", "predictions", *OF_IMAGES)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in APART])
def test_every_kind_of_a_network_on_two_features(kind: str, glassnet: Callable[..., Any], trained: Path) -> None:
    answer = done(glassnet("plot", trained, kind, "--out", "picture.png"))
    assert answer.out == "The picture is picture.png.\n"
    assert Path("picture.png").read_bytes().startswith(PNG)


@pytest.mark.parametrize(
    "arguments",
    [
        ["boundary", "--hard", "--iteration", "3"],
        ["weights", "--layer", "2", "-i", "0"],
        ["confusion", "--iteration", "1"],
        ["responses", "--layer", "1", "--units", "0,3"],
        ["warp", "--units", "2,3", "--iteration", "5"],
    ],
    ids=lambda arguments: " ".join(arguments),
)
def test_options_change_the_picture(arguments: list[str], glassnet: Callable[..., Any], trained: Path) -> None:
    done(glassnet("plot", trained, *arguments, "--out", "with.png"))
    done(glassnet("plot", trained, arguments[0], "--out", "without.png"))
    assert Path("with.png").read_bytes() != Path("without.png").read_bytes()


def test_planes_of_many_features(glassnet: Callable[..., Any], iris: Path, diabetes: Path) -> None:
    done(glassnet("plot", iris, "boundary", "--features", "petal length (cm), petal width (cm)", "--out", "pair.png"))
    done(glassnet("plot", iris, "boundary", "--plane", "pca", "--out", "pca.png"))
    assert Path("pair.png").read_bytes() != Path("pca.png").read_bytes()
    done(glassnet("plot", diabetes, "responses", "--plane", "pca", "--out", "maps.svg"))
    done(glassnet("plot", diabetes, "warp", "--features", "bmi,bp", "--out", "warp.pdf"))


def test_predicted_pictures(glassnet: Callable[..., Any], digits: Path) -> None:
    done(glassnet("plot", digits, "predictions", "--out", "worst.png"))
    done(glassnet("plot", digits, "predictions", "--sample", "0", "-s", "7", "--out", "two.png"))
    assert Path("worst.png").read_bytes() != Path("two.png").read_bytes()
    refused(
        glassnet("plot", digits, "predictions", "--sample", "5000"),
        "There is no row 5000; the rows that are shown are numbered 0 to 449.",
    )


@pytest.mark.parametrize("kind", OF_IMAGES)
def test_pictures_of_images_need_a_network_of_images(kind: str, glassnet: Callable[..., Any], trained: Path) -> None:
    answer = glassnet("plot", trained, kind)
    assert (answer.status, answer.out) == (2, "")
    assert answer.err.endswith(
        "needs a network of images, and this one takes rows of 2 features; train one whose input shape is (channels, height, "
        "width), or plot its weights.\n"
    )


def test_the_picture_of_the_network(glassnet: Callable[..., Any], trained: Path) -> None:
    done(glassnet("plot", trained, "network", "--sample", "3", "--out", "network.png"))
    refused(
        glassnet("plot", trained, "network", "-s", "3", "-s", "4"),
        "A picture of the network shows the activations of one sample; give --sample once.",
    )


def test_runs_side_by_side(glassnet: Callable[..., Any], trained: Path, iris: Path) -> None:
    done(glassnet("plot", trained, "compare", iris, "--out", "both.png"))
    assert Path("both.png").read_bytes().startswith(PNG)
    refused(
        glassnet("plot", trained, "compare"),
        "A comparison needs more than one run; name the others after it: RUN compare RUN2.",
    )
    refused(
        glassnet("plot", trained, "cost", "other"),
        "A picture of kind 'cost' is of one run, and 'other' came after it; leave it out.",
    )


def test_a_run_that_held_nothing_out_shows_its_training_rows(glassnet: Callable[..., Any], tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal(size=(30, 2))
    run = gn.train(gn.Network(2, gn.Dense(1, "sigmoid")), X, (X[:, :1] > 0) * 1.0, epochs=3, progress=False)
    run.save(tmp_path / "arrays")
    for kind in ("boundary", "confusion", "roc", "pr", "calibration"):
        done(glassnet("plot", "arrays", kind))
        assert (tmp_path / "arrays" / f"{kind}.png").read_bytes().startswith(PNG)


def test_the_rows_are_the_ones_that_were_held_out(
    glassnet: Callable[..., Any], trained: Path, monkeypatch: Any
) -> None:
    from glassnet import views
    from glassnet.cli.division import held_out

    drawn: list[Any] = []
    monkeypatch.setattr(views, "save", lambda ax, path: drawn.append(ax) or path)
    done(glassnet("plot", trained, "boundary"))
    run = Run.load(trained)
    X, Y = held_out(run)
    rings = next(each for each in drawn[0].collections if each.get_gid() == "wrong").get_offsets()
    assert len(rings) == int(((run.predict(X) >= 0.5) != Y).sum())
    shown = np.vstack(
        [np.asarray(each.get_offsets()) for each in drawn[0].collections if "class" in str(each.get_gid())]
    )
    assert len(shown) == len(X)
    assert drawn[0].get_title() == "Decision boundary, held-out rows"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ["cost", "--layer", "1"],
            "--layer does not fit a picture of kind 'cost'; it goes with weights, responses, warp, filters, feature_maps, "
            "excitation.",
        ),
        (["roc", "--hard"], "--hard does not fit a picture of kind 'roc'; it goes with boundary."),
        (
            ["updates", "--iteration", "3"],
            "--iteration does not fit a picture of kind 'updates'; it goes with boundary, network, weights, confusion, roc, "
            "pr, calibration, predictions, responses, warp, filters, feature_maps, excitation, saliency, occlusion.",
        ),
        (
            ["boundary", "--sample", "3"],
            "--sample does not fit a picture of kind 'boundary'; it goes with network, predictions, feature_maps, "
            "saliency, occlusion.",
        ),
        (["warp", "--units", "a,b"], "--units got 'a,b'; it needs numbers from 0, such as 0,1."),
        (["warp", "--units", "0,8"], "There is no unit 8 in layer 1; layer 1 has the units 0 to 7."),
        (
            ["boundary", "--features", "x1,x2", "--plane", "pca"],
            "--features and --plane each choose a plane; give one of them.",
        ),
        (["boundary", "--features", "x1,x3"], "There is no numeric feature 'x3'. Known: x1, x2."),
        (
            ["predictions"],
            "A sheet of predicted pictures needs inputs that are pixels, and this network has 2 inputs, which are neither a "
            "square nor one in three colours; pass shape=(height, width), or plot the confusion matrix.",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_options_that_do_not_fit(arguments: list[str], line: str, glassnet: Callable[..., Any], trained: Path) -> None:
    refused(glassnet("plot", trained, *arguments, "--out", "no.png"), line)
    assert not Path("no.png").exists()


def test_an_iteration_that_does_not_exist(glassnet: Callable[..., Any], trained: Path) -> None:
    last = Run.load(trained).iteration
    for kind in ("boundary", "weights", "confusion", "responses"):
        refused(
            glassnet("plot", trained, kind, "--iteration", last + 1, "--out", "no.png"),
            f"run.at got {last + 1}; this training has iterations 0 to {last}.",
        )


def test_pictures_that_a_network_cannot_have(glassnet: Callable[..., Any], digits: Path, diabetes: Path) -> None:
    refused(
        glassnet("plot", digits, "boundary"),
        f"A decision boundary is drawn over two numeric features, and this network has "
        f"{Run.load(digits).network.input_shape[0]} inputs; choose a pair with --features A,B, the others held at their mean, "
        "or --plane pca.",
    )
    for kind, picture in (("roc", "A ROC curve"), ("pr", "A precision–recall curve"), ("calibration", "A calibration")):
        refused(
            glassnet("plot", diabetes, kind),
            f"{picture} needs classes, and this run predicts a quantity; plot its cost, metric, weights or layers instead.",
        )


def test_the_help_page_has_a_line_for_every_kind(glassnet: Callable[..., Any]) -> None:
    lines = done(glassnet("plot", "--help")).out.splitlines()
    listed = [line.split()[0] for line in lines if line.startswith("  ") and line.split()[0] in KINDS]
    assert listed == list(KINDS)
    assert one_line("features=[A,B] (command line: --features A,B)") == "--features A,B"
