"""Films as files: what is written opens again with the same frames, is held one frame at a time, and is never left half."""

from __future__ import annotations

import base64
import io
import json
import re
import sys
import weakref

import numpy as np
import pytest
from PIL import Image

import glassnet as gn
from glassnet.errors import GlassnetError
from glassnet.views import film_files
from glassnet.views.film_stage import Stage

rng = np.random.default_rng(5)
X = rng.uniform(-1, 1, (60, 2))
Y = (X[:, :1] * X[:, 1:] > 0).astype(float)
NET = gn.Network(2, gn.Dense(4, "tanh"), gn.Dense(1, "sigmoid"))
SMALL = (360, 200)


@pytest.fixture(scope="module")
def one():
    return gn.train(NET, X, Y, optimizer=gn.SGD(1.5), epochs=40, progress=False)


def film_of(run, kinds=("boundary", "network", "cost"), **options):
    return run.animate(kinds, **{"frames": 6, "size": SMALL, **options})


@pytest.fixture(scope="module")
def film(one):

    return film_of(one, frames=7, sample=0, fps=12)


def near(written, drawn, most):
    """Nearly the same picture: a format may change colours a little, not what is shown."""
    difference = np.abs(written.astype(int) - drawn.astype(int))
    assert difference.mean() < most, difference.mean()


def test_a_gif_opens_again(film, tmp_path):
    assert film.save(tmp_path / "film.gif") == tmp_path / "film.gif"
    drawn = list(film.frames())
    with Image.open(tmp_path / "film.gif") as gif:
        assert gif.n_frames == 7
        assert gif.size == SMALL
        assert gif.info["loop"] == 0
        shown = []
        for number in range(7):
            gif.seek(number)
            picture = np.asarray(gif.convert("RGB"))
            near(picture, drawn[number], 1.5)
            assert tuple(picture[0, 0]) == (255, 255, 255)  # paper is white
            shown.append(gif.info["duration"])
    assert sum(shown[:-1]) == 500  # six frames at 12 a second
    assert shown[-1] == 1580  # 83 ms and the rest before it begins again, in hundredths
    assert [path.name for path in tmp_path.iterdir()] == ["film.gif"]


def test_a_gif_with_frames_that_do_not_change(film, tmp_path):
    same = np.full((200, 360, 3), 255, dtype=np.uint8)
    other = same.copy()
    other[50:60, 70:90] = (0, 114, 178)
    pictures = [same, same, other, other, same]
    with film_files.renamed(tmp_path / "still.gif") as file:
        writer = film_files.GifWriter(file, SMALL, [same, other], film_files.gif_hundredths(5, 10))
        for picture in pictures:
            writer.add(picture)
        writer.finish()
    with Image.open(tmp_path / "still.gif") as gif:
        assert gif.n_frames == 5
        for number, picture in enumerate(pictures):
            gif.seek(number)
            assert np.array_equal(np.asarray(gif.convert("RGB")), picture)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the reader leaves its pipes open
def test_an_mp4_opens_again(film, tmp_path):
    import imageio_ffmpeg  # of the `movies` extra, which the test packages include

    film.save(tmp_path / "film.mp4")
    frames, seconds = imageio_ffmpeg.count_frames_and_secs(str(tmp_path / "film.mp4"))
    assert frames == 7
    assert seconds == pytest.approx(7 / 12, abs=0.05)
    reader = imageio_ffmpeg.read_frames(str(tmp_path / "film.mp4"))
    about = next(reader)
    assert about["size"] == SMALL
    assert about["fps"] == 12
    for written, drawn in zip(reader, film.frames(), strict=True):
        near(np.frombuffer(written, dtype=np.uint8).reshape(200, 360, 3), drawn, 4)
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_mp4_of_an_odd_size(one, tmp_path):
    import imageio_ffmpeg  # of the `movies` extra, which the test packages include

    film_of(one, "cost", frames=2, size=(201, 151)).save(tmp_path / "odd.mp4")
    assert next(imageio_ffmpeg.read_frames(str(tmp_path / "odd.mp4")))["size"] == (202, 152)


def frames_of(page):
    return json.loads(re.search(r'id="data-frames">(.*?)</script>', page, re.DOTALL)[1])


def test_an_html_player_holds_every_frame(film, tmp_path):
    film.save(tmp_path / "film.html")
    page = (tmp_path / "film.html").read_text(encoding="utf-8")
    held = frames_of(page)
    assert len(held) == 7
    for address, drawn in zip(held, film.frames(), strict=True):
        with Image.open(io.BytesIO(base64.b64decode(address.split(",", 1)[1]))) as picture:
            near(np.asarray(picture.convert("RGB")), drawn, 4)
    about = json.loads(re.search(r'id="data-film">(.*?)</script>', page, re.DOTALL)[1])
    assert about == {"fps": 12.0, "captions": [f"iteration {i} of 40" for i in film.iterations]}
    assert not re.search(r'(?:src|href)="(?!data:|#)', page)


def test_a_notebook_shows_the_player(film):
    shown = film._repr_html_()
    assert shown.startswith("<iframe ")
    assert 'sandbox="allow-scripts"' in shown
    from html import unescape

    page = unescape(re.search(r'srcdoc="([^"]*)"', shown)[1])
    assert len(frames_of(page)) == 7
    assert '<canvas id="picture" width="360" height="200"' in page


@pytest.mark.parametrize("ending", ["gif", "mp4", "html"])
def test_one_frame_is_held_at_a_time(one, tmp_path, monkeypatch, ending):
    """Whatever the number of frames: the pictures alive while one is drawn are the one before, and a GIF's five samples."""
    film = film_of(one, ["cost"], frames=30)
    alive = weakref.WeakSet()
    most = 0
    draw = Stage.draw

    class Counted(np.ndarray):
        pass

    def counted(stage, instant, state):
        nonlocal most
        picture = draw(stage, instant, state).view(Counted)
        alive.add(picture)
        most = max(most, len(alive))
        return picture

    monkeypatch.setattr(Counted, "__hash__", lambda self: id(self), raising=False)
    monkeypatch.setattr(
        Counted, "__eq__", lambda self, other: self is other if other.ndim == 3 else NotImplemented, raising=False
    )
    monkeypatch.setattr(Stage, "draw", counted)
    film.save(tmp_path / f"film.{ending}")
    assert 1 <= most <= 7


@pytest.mark.parametrize("ending", ["gif", "mp4", "html"])
@pytest.mark.parametrize("before", [None, b"an older film"])
def test_an_interruption_leaves_no_half_film(one, tmp_path, monkeypatch, ending, before):
    place = tmp_path / f"film.{ending}"
    if before is not None:
        place.write_bytes(before)
    film = film_of(one, "cost", frames=12)
    drawn = []
    draw = Stage.draw

    def interrupted(stage, instant, state):
        drawn.append(instant)
        if len(drawn) == 9:
            raise KeyboardInterrupt
        return draw(stage, instant, state)

    monkeypatch.setattr(Stage, "draw", interrupted)
    with pytest.raises(KeyboardInterrupt):
        film.save(place)
    assert [path.name for path in tmp_path.iterdir()] == ([] if before is None else [place.name])
    if before is not None:
        assert place.read_bytes() == before


def test_without_ffmpeg_one_sentence(film, tmp_path, monkeypatch):
    monkeypatch.setattr(film_files.shutil, "which", lambda name: None)
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(GlassnetError) as told:
        film.save(tmp_path / "film.mp4")
    assert str(told.value) == (
        "An .mp4 film needs ffmpeg, which is not installed; pip install 'glassnet[movies]', or write a .gif or .html."
    )
    assert not list(tmp_path.iterdir())


def test_an_ffmpeg_that_fails_is_quoted(film, tmp_path, monkeypatch):
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\ncase $2 in -encoders) exit 0;; esac\necho 'no room on this planet' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(film_files, "ffmpeg", lambda: str(program))
    with pytest.raises(GlassnetError) as told:
        film.save(tmp_path / "film.mp4")
    assert str(told.value) == "ffmpeg could not make the film: no room on this planet. Write a .gif or .html instead."
    assert [path.name for path in tmp_path.iterdir()] == ["ffmpeg"]


def test_progress_only_when_asked(film, tmp_path, capsys):
    film.save(tmp_path / "film.gif")
    assert capsys.readouterr().err == ""
    film.save(tmp_path / "film.gif", progress=True)
    assert capsys.readouterr().err.splitlines()[-1] == "frame 7/7"


def test_where_a_film_cannot_be_written(film, tmp_path):
    (tmp_path / "folder.gif").mkdir()
    for name, sentence in (
        (
            "film.avi",
            "A film cannot be written to '{}': its ending is '.avi' and needs to be .gif, .mp4 or .html. Give the "
            "file one of these.",
        ),
        ("folder.gif", "A film cannot be written to '{}': a folder has that name. Give another one."),
        (
            "none/film.gif",
            f"A film cannot be written to '{{}}': there is no folder '{tmp_path / 'none'}'. Make it first, or give "
            "another place.",
        ),
    ):
        with pytest.raises(GlassnetError) as told:
            film.save(tmp_path / name)
        assert str(told.value) == sentence.format(tmp_path / name)
