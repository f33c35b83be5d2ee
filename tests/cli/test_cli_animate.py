"""`glassnet animate`: films from a run folder, and one sentence for every bad request."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import glassnet as gn

QUICK = ("--frames", "4", "--size", "300x200")


def test_several_panels_side_by_side(glassnet: Callable[..., Any], trained: Path) -> None:
    answer = glassnet(
        "animate", trained, "boundary", "network", "cost", "--out", "film.gif", *QUICK, "--sample", "3", "--fps", "8"
    )
    assert answer.status == 0, answer
    assert answer.out == "The film is film.gif: 4 frames, 0.5 s.\n"
    assert answer.err.splitlines()[-1] == "frame 4/4"
    film = gn.Run.load(trained).animate(["boundary", "network", "cost"], frames=4, size=(300, 200), sample=3, fps=8)
    with Image.open("film.gif") as gif:
        assert gif.n_frames == 4
        gif.seek(3)
        difference = np.asarray(gif.convert("RGB")).astype(int) - film.frame(3)
    assert np.abs(difference).mean() < 1.5


def test_easing_spacing_and_the_place_by_default(glassnet: Callable[..., Any], trained: Path) -> None:
    answer = glassnet("animate", trained, "cost", *QUICK, "--ease", "2", "--spacing", "linear", "--quiet")
    assert answer.status == 0, answer
    assert (answer.out, answer.err) == (f"The film is {trained / 'film.gif'}: 10 frames, 0.8 s.\n", "")
    with Image.open(trained / "film.gif") as gif:
        assert gif.n_frames == 10
        assert gif.size == (300, 200)
    (trained / "film.gif").unlink()


@pytest.mark.parametrize("name", ["film.mp4", "film.html"])
def test_the_ending_says_what_is_written(glassnet: Callable[..., Any], trained: Path, name: str) -> None:
    answer = glassnet("animate", trained, "weights", "activations", "--layer", "2", *QUICK, "-o", name, "-q")
    assert answer.status == 0, answer
    start = Path(name).read_bytes()[:16]
    assert start[4:8] == b"ftyp" if name.endswith("mp4") else start.startswith(b"<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["boundery"], "There is no panel of a film 'boundery'; did you mean 'boundary'? Known: boundary, network, cost, "),
        (["cost", "--frames", "1"], "A film got frames=1; it needs a whole number of frames, 2 or more."),
        (["cost", "--spacing", "logarithm"], "There is no spacing of frames 'logarithm'"),
        (["cost", "--size", "wide"], "--size got 'wide'; it needs pixels across and down, such as 900x400."),
        (["cost", "--size", "9000x400"], "A film got size=(9000, 400); it needs pixels across and down, such as (900, 400), "),
        (["cost", "--fps", "0"], "A film got fps=0.0; it needs a number of frames a second above 0, at most 50."),
        (["cost", "--ease", "-2"], "A film got ease=-2; it needs how many frames to glide over, a whole number, or None."),
        (["cost", "--out", "film.avi"], "A film cannot be written to 'film.avi': its ending is '.avi' and needs to be .gif, "),
        (["cost", "--out", "film"], "A film cannot be written to 'film': its ending is '' and needs to be .gif, "),
        (["cost", "--out", "no/film.gif"], "A film cannot be written to 'no/film.gif': there is no folder 'no'."),
        (["network", "--sample", "100000"], "sample got 100000; the training data have the rows 0 to "),
        (["weights", "--layer", "7"], "There is no layer's weights 'W7'. Known: W1, W2."),
        ([], "Missing argument 'KIND...'; see glassnet animate --help."),
    ],
)  # fmt: skip
def test_bad_requests(glassnet: Callable[..., Any], trained: Path, arguments: list[str], sentence: str) -> None:
    answer = glassnet("animate", trained, *arguments)
    assert answer.status == 2
    assert sentence in answer.err
    assert len(answer.err.strip().splitlines()) == 1
    assert answer.out == ""
    assert not list(Path().iterdir())


def test_a_boundary_of_many_features_says_what_to_ask_for(glassnet: Callable[..., Any]) -> None:
    rng = np.random.default_rng(0)
    names = [f"pixel{i}" for i in range(784)]
    rows = [",".join([*names, "digit"])]
    rows += [",".join([*(f"{v:.2f}" for v in rng.uniform(size=784)), "ab"[i % 2]]) for i in range(30)]
    Path("digits.csv").write_text("\n".join(rows) + "\n")
    made = glassnet(
        "train", "digits.csv", "--target", "digit", "--hidden", "3", "--epochs", "2", "-q", "--no-plots", "--out", "wide"
    )  # fmt: skip
    assert made.status == 0, made
    answer = glassnet("animate", "wide", "boundary", *QUICK, "-q")
    assert answer.status == 2
    said = "A film of the decision boundary is drawn over two numeric features, and this network has 784 inputs; choose a pair "
    assert answer.err.startswith(said)
    assert "--features A,B" in answer.err
    assert "--plane pca" in answer.err
    assert len(answer.err.strip().splitlines()) == 1
    for asked in (["--plane", "pca"], ["--features", "pixel3,pixel400"]):
        answer = glassnet("animate", "wide", "boundary", *QUICK, *asked, "-q", "-o", "film.gif")
        assert answer.status == 0, answer


def test_a_run_without_an_update_has_no_film(glassnet: Callable[..., Any]) -> None:
    X = np.zeros((4, 2))
    run = gn.train(gn.Network(2, gn.Dense(1)), X, X[:, :1], epochs=0, progress=False)
    run.save("still")
    answer = glassnet("animate", "still", "cost")
    assert answer.status == 2
    assert answer.err.strip() == "This run has made no update, so nothing moves; train for an epoch or more."


def test_a_folder_that_cannot_be_written(
    glassnet: Callable[..., Any], trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import builtins

    real = builtins.open

    def refusing(file: Any, *arguments: Any, **options: Any) -> Any:
        if str(file).endswith(".tmp"):
            raise PermissionError(13, "Permission denied", str(file))
        return real(file, *arguments, **options)

    monkeypatch.setattr(builtins, "open", refusing)
    answer = glassnet("animate", trained, "cost", *QUICK, "-q", "--out", "film.gif")
    assert answer.status == 2
    assert answer.err.strip() == (
        "A film cannot be written to 'film.gif': permission denied. Give a place that can be written."
    )
