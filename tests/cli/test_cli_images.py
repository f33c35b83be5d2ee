"""Image networks on the command line: folders, arrays and tables of pictures, from training to the judgement."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import glassnet as gn
from glassnet import Run
from glassnet.data import image_folder

SMALL = ["--network", "conv 3x3 relu, pool 2, flatten, dense 1 sigmoid"]
QUICK = ["--epochs", "3", "--no-plots", "--out", "out"]


def draw(place: str, values: Any) -> None:
    path = Path(place)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(values, np.uint8)).save(path)


@pytest.fixture
def bars() -> None:
    """Twelve 8×8 pictures with a bar across (class 'across') and twelve with one down, a little noise on both."""
    noise = np.random.Generator(np.random.Philox(8))
    for k in range(12):
        for name in ("across", "down"):
            picture = noise.integers(0, 40, (8, 8))
            picture[(k % 6) + 1] = 255
            draw(f"bars/{name}/{k:02d}.png", picture if name == "across" else picture.T)


def done(answer: Any) -> Any:
    assert answer.status == 0, answer
    return answer


def refused(answer: Any, sentence: str) -> None:
    assert answer.status == 2, answer
    assert answer.err == sentence + "\n"
    assert not Path("out").exists()
    assert not Path("runs").exists()


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.usefixtures("bars")
def test_a_folder_from_training_to_the_report(glassnet: Callable[..., Any]) -> None:
    answer = done(glassnet("train", "bars/", *SMALL, "--epochs", "60", "--learning-rate", "0.02", "--out", "out"))
    assert "bars: 24 pictures, 64 inputs to the network." in answer.out
    assert "Each sample is a picture, grey, 8 × 8." in answer.out
    assert "1×8×8 → conv 3x3 relu → pool 2 → flatten → 1 sigmoid" in answer.out
    assert "The run is in out, with metrics.json, cost.png, confusion.png." in answer.out
    run = Run.load("out")
    assert run.preparation is not None
    assert run.preparation.input_shape == (1, 8, 8)
    assert run.preparation.classes == ["across", "down"]
    pictures = image_folder("bars", dtype="float64")
    saved = json.loads(Path("out/metrics.json").read_text())
    assert (saved["train"]["n"], saved["test"]["n"]) == (18, 6)
    # what is shown is what the network says of the pictures
    labels = run.predict_labels(pictures.X)
    judged = json.loads(done(glassnet("evaluate", "out", "bars", "--json")).out)["test"]
    assert judged["n"] == 24
    assert judged["accuracy"] == np.mean(labels == pictures.labels)
    assert judged["accuracy"] > 0.9
    predicted = rows(done(glassnet("predict", "out", "bars")).out)
    assert [row["file"] for row in predicted] == pictures.files
    assert [row["prediction"] for row in predicted] == labels.tolist()
    probabilities = [float(row["probability_down"]) for row in predicted]
    np.testing.assert_allclose(probabilities, run.predict(pictures.X)[:, 0], rtol=1e-12)
    assert json.loads(done(glassnet("evaluate", "out", "--json")).out)["test"] == saved["test"]
    assert "⋆ W1" in done(glassnet("show", "out")).out
    assert "pictures, grey, 8 × 8, resized (stretch), each value (value − 0) / 255" in glassnet("show", "out").out
    assert "Z1[" in done(glassnet("trace", "out", "-i", "0", "--entry", "Z1[0,1,2,3]")).out
    done(glassnet("report", "out"))
    assert "⋆" in Path("out/report.html").read_text()


@pytest.mark.usefixtures("bars")
def test_a_single_picture_of_another_size(glassnet: Callable[..., Any]) -> None:
    done(glassnet("train", "bars", *SMALL, *QUICK, "--no-baseline"))
    across = np.zeros((40, 60, 3))
    across[16:24] = 255
    draw("new.png", across)
    answer = rows(done(glassnet("predict", "out", "new.png")).out)
    assert [row["file"] for row in answer] == ["new.png"]
    run = Run.load("out")
    grey = np.asarray(Image.open("new.png").convert("L").resize((8, 8), Image.Resampling.BILINEAR)) / 255
    wanted = run.predict(grey[None, None])[0, 0]
    assert float(answer[0]["probability_down"]) == pytest.approx(wanted, rel=1e-12)
    Path("bad.png").write_text("no picture")
    answer = glassnet("predict", "out", "bad.png")
    assert answer.status == 2
    assert answer.err.startswith("'bad.png' is not a picture that can be read")


@pytest.mark.usefixtures("bars")
def test_sizes_colours_and_damaged_pictures(glassnet: Callable[..., Any]) -> None:
    draw("bars/down/large.png", np.zeros((9, 9, 3)))
    Path("bars/across/bad.png").write_text("no picture")
    refused(
        glassnet("train", "bars", *SMALL, "--out", "out"),
        "'bars/across/bad.png' is not a picture that can be read (PNG, JPEG, BMP, GIF, WebP or TIFF); save it as PNG, or "
        "leave it out with --skip-damaged.",
    )
    refused(
        glassnet("train", "bars", *SMALL, "--skip-damaged", "--out", "out"),
        "'bars' holds pictures of 2 sizes ('across/00.png' is 8×8, 'down/large.png' 9×9, height × width): pass "
        "--image-size, to which all are resized; and 24 grey and 1 colour pictures ('across/00.png' is grey, "
        "'down/large.png' is in colour): pass --grey or --colour.",
    )
    options = ["--skip-damaged", "--image-size", "6x10", "--image-fit", "pad", "--colour"]
    answer = done(glassnet("train", "bars", *SMALL, *QUICK, *options))
    assert "1 damaged picture is left out (across/bad.png)." in answer.out
    assert "Pictures of another size are resized to 6×10 (padded with black)." in answer.out
    assert "3×6×10 → conv 3x3 relu" in answer.out
    # the same rows are found again, and the same judgement
    saved = json.loads(Path("out/metrics.json").read_text())
    assert json.loads(done(glassnet("evaluate", "out", "--json")).out)["test"] == saved["test"]
    answer = glassnet("predict", "out", "bars")
    assert answer.status == 2
    assert "bad.png" in answer.err
    answer = done(glassnet("predict", "out", "bars", "--skip-damaged"))
    assert len(rows(answer.out)) == 25
    assert "note: 1 damaged picture is left out (across/bad.png)." in answer.err
    X = image_folder("bars", (6, 10), channels=3, fit="pad", damaged="skip", dtype="float64").X
    wanted = Run.load("out").predict(X)[:, 0]
    np.testing.assert_allclose([float(row["probability_down"]) for row in rows(answer.out)], wanted, rtol=1e-12)


@pytest.mark.usefixtures("bars")
def test_train_and_test_subfolders(glassnet: Callable[..., Any]) -> None:
    for name in ("across", "down"):
        for part, chosen in (("train", range(8)), ("test", range(8, 12))):
            for k in chosen:
                target = Path(f"split/{part}/{name}/{k}.png")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(Path(f"bars/{name}/{k:02d}.png").read_bytes())
    answer = done(glassnet("train", "split", *SMALL, *QUICK))
    assert "16 to train on, 8 held out to judge by" in answer.out
    saved = json.loads(Path("out/metrics.json").read_text())
    assert json.loads(done(glassnet("evaluate", "out", "--json")).out)["test"] == saved["test"]
    assert json.loads(done(glassnet("evaluate", "out", "split/test", "--json")).out)["test"] == saved["test"]
    answer = done(glassnet("train", "split", *SMALL, *QUICK, "--overwrite", "--test", "4"))
    assert "12 to train on, 4 held out to judge by" in answer.out
    assert "note: The pictures of 'split/test' are left out, because --test says what to judge by." in answer.err


@pytest.mark.usefixtures("bars")
def test_going_on_with_a_run_on_pictures(glassnet: Callable[..., Any]) -> None:
    done(glassnet("train", "bars", *SMALL, "--epochs", "4", "-q", "--no-plots", "--out", "whole"))
    done(glassnet("train", "bars", *SMALL, "--epochs", "2", "-q", "--no-plots", "--out", "out"))
    done(glassnet("train", "--resume", "out", "--epochs", "4", "-q", "--no-plots"))
    ours, theirs = Run.load("out").parameters, Run.load("whole").parameters
    assert all(np.array_equal(ours[name], theirs[name]) for name in theirs)
    draw("bars/down/new.png", np.zeros((8, 8)))
    answer = glassnet("evaluate", "out")
    assert answer.status == 0
    assert "note: " in answer.err
    assert "has changed since the run was trained on it" in answer.err
    Path("bars/down/new.png").unlink()
    Path("bars").rename("moved")
    assert "which is no longer there" in glassnet("evaluate", "out").err
    done(glassnet("train", "moved", "--resume", "out", "--epochs", "5", "-q", "--no-plots"))
    done(glassnet("evaluate", "out"))


@pytest.mark.usefixtures("bars")
def test_a_plain_network_takes_pictures_as_rows(glassnet: Callable[..., Any]) -> None:
    answer = done(glassnet("train", "bars", "--hidden", "5", *QUICK))
    assert "Each sample of 1 × 8 × 8 values is one row of 64." in answer.out
    assert "64 → 5 relu → 1 sigmoid" in answer.out
    assert len(rows(done(glassnet("predict", "out", "bars/down/03.png")).out)) == 1


@pytest.fixture
def stacks() -> tuple[np.ndarray, np.ndarray]:
    """x.npy (40, 8, 8), colour.npy (40, 8, 8, 3), flat.npy (40, 64) and the labels y.npy: which half is the brighter."""
    noise = np.random.Generator(np.random.Philox(9))
    y = np.arange(40) % 2
    X = noise.integers(0, 60, (40, 8, 8))
    X[y == 0, :4] += 150
    X[y == 1, 4:] += 150
    X = X.astype(np.uint8)
    np.save("x.npy", X)
    np.save("colour.npy", np.stack([X, X // 2, X], -1))
    np.save("flat.npy", X.reshape(40, 64))
    np.save("y.npy", y)
    return X, y


@pytest.mark.usefixtures("stacks")
@pytest.mark.parametrize(
    ("name", "notation", "network"),
    [
        (
            "x.npy",
            "conv 2x3 relu, global average, dense 1 sigmoid",
            "1×8×8 → conv 2x3 relu → global average → 1 sigmoid",
        ),
        ("colour.npy", "conv 2x3 relu, flatten, 1 sigmoid", "3×8×8 → conv 2x3 relu → flatten → 1 sigmoid"),
        ("flat.npy", "1x8x8, conv 2x3 relu, flatten, 1 sigmoid", "1×8×8 → conv 2x3 relu → flatten → 1 sigmoid"),
        ("flat.npy", "dense 4 tanh, dense 1 sigmoid", "64 → 4 tanh → 1 sigmoid"),
        ("x.npy", "64 → 4 tanh → 1 sigmoid", "64 → 4 tanh → 1 sigmoid"),
    ],
)
def test_arrays(name: str, notation: str, network: str, glassnet: Callable[..., Any]) -> None:
    answer = done(glassnet("train", name, "-t", "y.npy", "--network", notation, *QUICK))
    assert network in answer.out
    saved = json.loads(Path("out/metrics.json").read_text())
    assert json.loads(done(glassnet("evaluate", "out", "--json")).out)["test"] == saved["test"]
    judged = json.loads(done(glassnet("evaluate", "out", name, "-t", "y.npy", "--json")).out)
    assert judged["test"]["n"] == 40
    assert len(rows(done(glassnet("predict", "out", name)).out)) == 40


@pytest.mark.usefixtures("stacks")
def test_arrays_of_another_size_and_the_last_rows(glassnet: Callable[..., Any]) -> None:
    options = ["--image-size", "6", "--colour", "--test", "last:8", "--network", "conv 2x3 relu, flatten, 1 sigmoid"]
    answer = done(glassnet("train", "x.npy", "-t", "y.npy", *options, *QUICK))
    assert "Pictures are resized from 8×8 to 6×6." in answer.out
    assert "Grey pictures get three channels." in answer.out
    assert "3×6×6 → conv" in answer.out
    saved = json.loads(Path("out/metrics.json").read_text())
    assert saved["test"]["n"] == 8
    np.save("last.npy", np.load("x.npy")[-8:])
    np.save("labels.npy", np.load("y.npy")[-8:])
    judged = json.loads(done(glassnet("evaluate", "out", "last.npy", "-t", "labels.npy", "--json")).out)
    assert judged["test"] == saved["test"]
    assert json.loads(done(glassnet("evaluate", "out", "--json")).out)["test"] == saved["test"]


def test_the_bundled_digits_are_pictures(glassnet: Callable[..., Any]) -> None:
    options = [
        "--network",
        "conv 4x3 relu, pool 2, flatten, dense 10 softmax",
        "--epochs",
        "6",
        "--no-plots",
        "--no-baseline",
    ]
    answer = done(glassnet("train", "digits", *options, "--out", "out"))
    assert "1×8×8 → conv 4x3 relu" in answer.out
    saved = json.loads(Path("out/metrics.json").read_text())
    assert saved["test"]["accuracy"] > 0.9
    assert json.loads(done(glassnet("evaluate", "out", "--json")).out)["test"] == saved["test"]
    assert len(rows(done(glassnet("predict", "out", "digits")).out)) == 1797


def test_a_table_of_pixels_whose_names_say_nothing(glassnet: Callable[..., Any], stacks: Any) -> None:
    X, y = stacks
    names = [f"v{k}" for k in range(64)]
    lines = [",".join(["kind", *names])] + [
        ",".join(["top" if label == 0 else "bottom", *(str(v) for v in picture.ravel())])
        for picture, label in zip(X, y, strict=True)
    ]
    Path("table.csv").write_text("\n".join(lines) + "\n")
    refused(
        glassnet("train", "table.csv", "-t", "kind", "--network", "conv 2x3 relu, flatten, 1 sigmoid", "--out", "out"),
        "Whether the 64 columns are pixels, and of what shape, their names do not say; begin --network with the shape, "
        "channels×height×width, as in '1×28×28 → conv 8x5 relu → ...'.",
    )
    done(
        glassnet("train", "table.csv", "-t", "kind", "--network", "1x8x8 → conv 2x3 relu → flatten → 1 sigmoid", *QUICK)
    )
    saved = json.loads(Path("out/metrics.json").read_text())
    assert json.loads(done(glassnet("evaluate", "out", "--json")).out)["test"] == saved["test"]
    assert json.loads(done(glassnet("evaluate", "out", "table.csv", "--json")).out)["test"]["n"] == 40
    predicted = rows(done(glassnet("predict", "out", "table.csv")).out)
    run = Run.load("out")
    assert run.preparation is not None
    inputs = run.preparation.transform(X.astype(np.int64).reshape(40, 1, 8, 8))
    assert [row["prediction"] for row in predicted] == run.predict_labels(inputs).tolist()


MISUSES: dict[str, tuple[list[str], str]] = {
    "both": (
        ["bars", *SMALL, "--hidden", "3", "--init", "he"],
        "--network says the whole network; leave out --hidden, --init, or leave --network out.",
    ),
    "outputs": (
        ["bars", "--network", "flatten, dense 2 softmax"],
        "--network ends in 2 outputs, and two classes need 1 output: end it with 'dense 1 sigmoid'.",
    ),
    "a word": (
        ["bars", "--network", "cnv 3x3, flatten, 1 sigmoid"],
        "--network cannot read 'cnv 3x3': 'cnv' is no layer; did you mean 'conv'?",
    ),
    "two numbers": (
        ["bars", "--network", "8x8, flatten, 1 sigmoid"],
        "--network begins with '8x8'; a picture's shape is channels×height×width, as in '1×28×28 → ...'.",
    ),
    "a target": (
        ["bars", "-t", "kind"],
        "'bars' is a folder of pictures, labelled by its subfolders; leave the target 'kind' out, or name one file in it.",
    ),
    "one class": (
        ["one"],
        "'one' holds one class only, 'down'; a classifier needs two or more, one subfolder each.",
    ),
    "an empty class": (
        ["empty"],
        "The class 'none' of 'empty' holds no pictures; put PNG or JPEG files there, or remove the folder.",
    ),
    "no classes": (
        ["bars/down"],
        "'bars/down' holds pictures but no subfolders; it needs one subfolder of pictures for each class, as in "
        "bars/down/CLASS/1.png.",
    ),
    "one picture": (
        ["bars/down/01.png"],
        "'bars/down/01.png' is one picture without a label; pass a folder with one subfolder for each class.",
    ),
    "a size": (
        ["bars", "--image-size", "0"],
        "--image-size got '0'; it needs a number of pixels such as 32, or HEIGHTxWIDTH.",
    ),
    "a fit": (
        ["bars", "--image-fit", "croop"],
        "There is no fit 'croop'; did you mean 'crop'? Known: stretch, crop, pad.",
    ),
    "a table": (
        ["iris", "--image-size", "3"],
        "'iris' is a table; --image-size, --grey, --colour and --skip-damaged are for pictures: leave them out.",
    ),
    "columns that are no pixels": (
        ["iris", "--network", "conv 2x2 relu, flatten, 3 softmax"],
        "Whether the 4 columns are pixels, and of what shape, their names do not say; begin --network with the shape, "
        "channels×height×width, as in '1×28×28 → conv 8x5 relu → ...'.",
    ),
    "rows that are no pictures": (
        ["flat.npy", "-t", "y.npy", "--network", "conv 2x2 relu, flatten, 1 sigmoid"],
        "A sample of 'flat' has 64 numbers, which are no picture; begin --network with the shape of one, "
        "channels×height×width, as in '1×28×28 → conv 8x5 relu → ...'.",
    ),
    "another shape": (
        ["bars", "--network", "1x9x9 → flatten → 1 sigmoid"],
        "--network got '1x9x9' as the shape of the inputs, and it is 1×8×8; leave it out.",
    ),
    "features of pictures": (
        ["bars", "--features", "x1"],
        "An array has no columns to choose from; leave --features and --drop out.",
    ),
    "arrays are not damaged": (
        ["x.npy", "-t", "y.npy", "--skip-damaged"],
        "'x.npy' is no folder of pictures; --skip-damaged is for one, or for --resume: leave it out.",
    ),
    "too many last rows": (
        ["bars", "--test", "last:24"],
        "'last:24' of 24 rows leaves none to train on; hold fewer out.",
    ),
}  # fmt: skip


@pytest.mark.usefixtures("bars", "stacks")
@pytest.mark.parametrize("case", MISUSES)
def test_misuse(case: str, glassnet: Callable[..., Any]) -> None:
    draw("one/down/1.png", np.zeros((8, 8)))
    draw("empty/down/1.png", np.zeros((8, 8)))
    Path("empty/none").mkdir()
    arguments, sentence = MISUSES[case]
    refused(glassnet("train", *arguments, "--out", "out"), sentence)


@pytest.mark.usefixtures("bars")
def test_a_folder_with_train_and_test_is_judged_by_its_test(glassnet: Callable[..., Any]) -> None:
    for name in ("across", "down"):
        for k in range(12):
            to = Path("split") / ("test" if k % 3 == 0 else "train") / name / f"{k:02d}.png"
            to.parent.mkdir(parents=True, exist_ok=True)
            Path(f"bars/{name}/{k:02d}.png").rename(to)
    done(glassnet("train", "split", *SMALL, *QUICK))
    answer = done(glassnet("evaluate", "out", "split"))
    assert "8 rows" in answer.out
    assert "holds train/ and test/; it is judged by test/." in answer.out + answer.err


def test_pictures_without_labels(glassnet: Callable[..., Any]) -> None:
    np.save("pictures.npy", np.zeros((6, 4, 4), np.uint8))
    refused(
        glassnet("train", "pictures.npy", "--out", "out"),
        "'pictures.npy' holds pictures without labels (6 × 4 × 4); name the array file of their labels with --target.",
    )


@pytest.mark.usefixtures("bars")
def test_pictures_changed_in_every_epoch(glassnet: Callable[..., Any]) -> None:
    done(glassnet("train", "bars/", *SMALL, *QUICK, "--augment", "shift 1, flip, rotate 5.5, noise 0.01, fill edge"))
    run = Run.load("out")
    assert run.settings.augmentation == gn.Augmentation(shift=1, flip="horizontal", rotate=5.5, noise=0.01, fill="edge")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("shft 1",
         "There is no change of pictures 'shft'; did you mean 'shift'? Known: shift, flip, rotate, scale, noise, fill."),
        ("shift a", "--augment got 'shift a'; shift needs a number, as in 'shift 2, flip, rotate 10, noise 0.05'."),
        ("rotate", "--augment got 'rotate'; rotate needs a number, as in 'shift 2, flip, rotate 10, noise 0.05'."),
    ],
)  # fmt: skip
def test_changes_that_cannot_be_read(glassnet: Callable[..., Any], text: str, sentence: str) -> None:
    refused(glassnet("train", "bars/", *SMALL, "--augment", text), sentence)
