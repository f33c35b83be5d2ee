"""A film's own page in a browser: its pictures are the film's frames, and it is played by hand, by key and by itself."""

from __future__ import annotations

import accessibility
import numpy as np
import pytest
from example_runs import RUNS, SCREENS

from glassnet.views.animation import Film

PIXELS = """e => { const { width, height } = e;
    const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    copy.drawImage(e, 0, 0);
    return [width, height, [...copy.getImageData(0, 0, width, height).data.filter((_, k) => k % 64 < 3)]]; }"""
"""Width, height, and red, green and blue of every sixteenth pixel."""


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """A film of twelve frames, and its page."""
    made = Film(RUNS["flower"]("reference"), ("boundary", "cost"), frames=12, size=(480, 240), fps=10)
    return made, made.save(tmp_path_factory.mktemp("films") / "film.html")


def frame(page):
    return int(page.locator("#picture").get_attribute("data-frame"))


def drawn(page, number):
    """The canvas, once this frame is on it."""
    page.wait_for_function(f"document.querySelector('#picture').dataset.frame === '{number}'")
    width, height, colours = page.locator("#picture").evaluate(PIXELS)
    return width, height, np.array(colours, dtype=int)


def test_the_pictures_are_the_films(open_page, film):
    made, place = film
    page = open_page(place)
    slider = page.get_by_role("slider", name="Frame")
    assert slider.get_attribute("max") == str(len(made) - 1)
    for number in (0, 5, len(made) - 1):
        slider.fill(str(number))
        width, height, colours = drawn(page, number)
        picture = made.frame(number)
        assert (height, width, 3) == picture.shape
        theirs = picture.reshape(-1, 3)[::16].ravel().astype(int)
        assert np.abs(colours - theirs).mean() < 2  # of 255: the page's pictures may be compressed
        assert f"{made.iterations[number]:,}" in page.locator("#said").inner_text()


def test_by_keyboard(open_page, film):
    made, place = film
    page = open_page(place)
    last = len(made) - 1
    for key, number in (
        ("ArrowRight", 1),
        ("ArrowRight", 2),
        ("ArrowLeft", 1),
        ("End", last),
        ("ArrowRight", last),
        ("Home", 0),
    ):
        page.keyboard.press(key)
        drawn(page, number)
        assert page.get_by_role("slider", name="Frame").input_value() == str(number)
    page.get_by_role("button", name="Next frame").press("Enter")
    drawn(page, 1)
    page.get_by_role("button", name="Frame before").press("Enter")
    drawn(page, 0)


def test_played_and_stopped(open_page, film):
    made, place = film
    page = open_page(place)
    page.clock.install()
    page.locator("#picture").focus()
    page.keyboard.press(" ")
    page.clock.run_for(550)
    page.keyboard.press(" ")
    there = int(page.get_by_role("slider", name="Frame").input_value())
    assert 4 <= there <= 6  # ten frames a second
    page.clock.run_for(1000)
    assert int(page.get_by_role("slider", name="Frame").input_value()) == there
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(5000)
    assert int(page.get_by_role("slider", name="Frame").input_value()) == len(made) - 1
    assert page.get_by_role("button", name="Play").count() == 1  # it has ended


@pytest.mark.parametrize("screen", SCREENS)
def test_everybody_can_use_it(open_page, film, screen):
    page = open_page(film[1], **SCREENS[screen])
    assert accessibility.nameless(page) == []
    assert [fault for fault in accessibility.faults(page) if fault != "not one h1"] == []
    assert accessibility.sticks_out(page) == []
    assert accessibility.faint(page) == []
    stops = accessibility.walk(page)
    assert [stop for stop in stops if not (stop["seen"] and stop["inside"])] == []
    assert len(stops) == 7
