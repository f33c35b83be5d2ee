"""The step page of a convolutional network in a browser: the window slides, and what lies under it comes to the entry."""

from __future__ import annotations

import json
from pathlib import Path

import accessibility
import numpy as np
import pytest
import steps
from arithmetic import number, worked
from example_runs import RUNS, SCREENS

from glassnet.equations.entry_text import short_number

READING = Path(__file__).with_name("sliding.js").read_text(encoding="utf-8").strip()


@pytest.fixture(scope="module")
def step(tmp_path_factory):
    """The trace of an example run, and its page, written once."""
    folder, kept = tmp_path_factory.mktemp("convolutions"), {}

    def written(name):
        if name not in kept:
            trace = RUNS[name]("reference").trace(3)
            kept[name] = trace, trace.to_html(folder / f"step-{name}.html")
        return kept[name]

    return written


def panel(page):
    """The window that slides, as the page shows it."""
    return json.loads(page.evaluate(f"() => JSON.stringify({READING}.panel())"))


def frames(page, name, kind="reads"):
    return page.evaluate(f"() => {READING}.frames({name!r}, {kind!r})")


def go(page, line, *place):
    page.evaluate(f"location.hash = '#{','.join([line, *map(str, place)])}'")
    page.wait_for_function(
        f"document.querySelector('#where').textContent.startsWith('{line}[{', '.join(map(str, place))}]')"
    )


def numbers(grid):
    """The exact numbers of a grid; nan where it is empty."""
    return np.array(
        [[np.nan if cell is None else number(cell["said"].rpartition("= ")[2]) for cell in row] for row in grid]
    )


@pytest.mark.parametrize("name", ["digits", "colours"])
def test_every_line_shows_the_steps_own_numbers(open_page, step, name):
    trace, place = step(name)
    page = open_page(place)
    steps.digits(page, "all")
    found = steps.walked(page, most=3)
    assert list(dict.fromkeys(shown["line"] for shown in found)) == [equation.name for equation in trace.equations]
    whole = sum(steps.check_entry(trace, shown, 16) for shown in found)
    assert whole > len(found) / 3
    for shown in found:
        for cell in shown["cells"]:
            theirs = steps.at(trace, cell["array"], steps.place_of(cell["place"]))
            assert steps.same(number(cell["text"]), theirs)
    assert sum(len(shown["cells"]) for shown in found) > 20 * len(trace.equations)


def test_the_window_slides_by_keyboard(open_page, step):
    """Right, down, to the next picture: the numbers under the window, worked out again with NumPy, come to the entry."""
    trace, place = step("digits")
    page = open_page(place)
    go(page, "Z1", 2, 1, 0, 0)
    steps.digits(page, "all")
    X, W, b, Z = (trace[name] for name in ("X", "W1", "b1", "Z1"))
    page.locator("#result .sheet").focus()
    i, j, u, v = 2, 1, 0, 0
    keys = 5 * "ArrowRight " + "ArrowDown ArrowDown ArrowLeft . ArrowRight ArrowDown , ArrowUp"
    for key in keys.split():
        step_of = {"ArrowRight": (0, 0, 1), "ArrowLeft": (0, 0, -1), "ArrowDown": (0, 1, 0), "ArrowUp": (0, -1, 0),
                   ".": (1, 0, 0), ",": (-1, 0, 0)}[key]  # fmt: skip
        page.keyboard.press(key)
        j, u, v = j + step_of[0], u + step_of[1], v + step_of[2]
        if v > 5:
            u, v = u + 1, 0
        assert page.locator("#where").inner_text().startswith(f"Z1[{i}, {j}, {u}, {v}]:"), key
        shown = panel(page)
        (plane,) = shown["planes"]
        window, kernel, products = map(numbers, plane["grids"])
        np.testing.assert_array_equal(window, X[i, 0, u : u + 3, v : v + 3])
        np.testing.assert_array_equal(kernel, W[j, 0])
        np.testing.assert_allclose(products, window * kernel, rtol=1e-15)
        assert number(plane["part"]) == pytest.approx((window * kernel).sum(), rel=1e-12)
        assert (window * kernel).sum() + b[j] == pytest.approx(Z[i, j, u, v], rel=1e-12)
        assert number(shown["result"]) == Z[i, j, u, v]
        text = shown["total"].partition(" = ")[2].rpartition(" = ")[0]
        assert worked(text, 16)[0] == pytest.approx(Z[i, j, u, v], rel=1e-12)
        assert shown["said"] == "9 products."
        assert frames(page, "X") == {f"{i},0": [u, v, 3, 3]}
        assert frames(page, "W1") == {f"{j},0": [0, 0, 3, 3]}
        assert frames(page, "Z1", "entry") == {f"{i},{j}": [u, v, 1, 1]}
    assert page.evaluate("document.activeElement.className") == "sheet"


def test_padding_strides_and_channels(open_page, step):
    """7 × 6 in three colours, windows of 3 × 3 two apart: what lies on the padding is an empty border."""
    trace, place = step("colours")
    page = open_page(place)
    steps.digits(page, "all")
    X, W, Z = (trace[name] for name in ("X", "W1", "Z1"))
    padded = np.full((3, 9, 7), np.nan)  # a row above and below, a column at the right
    padded[:, 1:8, :6] = X[1]
    for u, v in ((0, 0), (0, 2), (2, 1), (3, 2)):
        go(page, "Z1", 1, 0, u, v)
        shown = panel(page)
        assert len(shown["planes"]) == 3
        there = 0
        for k, plane in enumerate(shown["planes"]):
            window, kernel, products = map(numbers, plane["grids"])
            np.testing.assert_array_equal(window, padded[k, 2 * u : 2 * u + 3, 2 * v : 2 * v + 3])
            np.testing.assert_array_equal(kernel, W[0, k])
            np.testing.assert_allclose(products, window * kernel, rtol=1e-15)
            there += int(np.isfinite(window).sum())
            assert number(plane["part"]) == pytest.approx(np.nansum(products), rel=1e-12)
        rest = "" if there == 27 else " of 27 products; the rest lies on the padding."
        assert shown["said"] == f"In 3 channels: {there}{rest or ' products.'}"
        assert number(shown["result"]) == Z[1, 0, u, v]
        assert frames(page, "X") == {f"1,{k}": [2 * u - 1, 2 * v, 3, 3] for k in range(3)}


def test_the_flipped_kernel_slides_back_over_the_slopes(open_page, step):
    trace, place = step("colours")
    page = open_page(place)
    steps.digits(page, "all")
    D, W = trace["dZ2"], trace["W2"]
    padding = 1  # dilation 2 and windows of 2 × 2 reach over 3 places
    high, wide = D.shape[2:]
    for u, v in ((0, 0), (1, 1), (3, 2)):
        go(page, "dB1", 0, 1, u, v)
        shown = panel(page)
        assert "W2, flipped, slides over dZ2." in shown["said"]
        assert [part["pressed"] for part in shown["parts"]].count(True) == 1
        total = 0.0
        for k in range(4):
            page.locator(f'#sliding [data-part="{k}"]').click()
            (plane,) = panel(page)["planes"]
            slopes, kernel, products = map(numbers, plane["grids"])
            theirs = np.full((2, 2), np.nan)
            for r in range(2):
                for s in range(2):
                    row, column = u + padding - 2 * (1 - r), v + padding - 2 * (1 - s)
                    if 0 <= row < high and 0 <= column < wide:
                        theirs[r, s] = D[0, k, row, column]
            np.testing.assert_array_equal(slopes, theirs)
            np.testing.assert_array_equal(kernel, W[k, 1, ::-1, ::-1])
            total += np.nansum(products)
        assert total == pytest.approx(trace["dB1"][0, 1, u, v], rel=1e-10, abs=1e-15)
        assert number(shown["result"]) == trace["dB1"][0, 1, u, v]


def test_a_slope_by_a_weight_is_summed_over_samples(open_page, step):
    trace, place = step("digits")
    page = open_page(place)
    steps.digits(page, "all")
    go(page, "dW1", 3, 0, 1, 2)
    shown = panel(page)
    X, D = trace["X"][:, 0, 1:7, 2:8], trace["dZ1"][:, 3]
    assert [part["name"].partition(":")[0] for part in shown["parts"]] == [f"sample {i}" for i in range(6)]
    for i, part in enumerate(shown["parts"]):
        assert number(part["name"].partition(": ")[2]) == pytest.approx((X[i] * D[i]).sum(), rel=1e-10, abs=1e-18)
    assert frames(page, "X")["0,0"] == [1, 2, 6, 6]
    page.locator('#sources [data-name="dZ1"] .tile').first.click()
    assert panel(page)["parts"][0]["pressed"]


def test_the_winner_of_a_pool_and_where_its_slope_goes(open_page, step):
    trace, place = step("digits")
    page = open_page(place)
    A, P, dP = (trace[name] for name in ("A1", "P1", "dP1"))
    i, j, u, v = (int(n) for n in np.argwhere(P > 0)[4])
    go(page, "P1", i, j, u, v)
    window = A[i, j, 2 * u : 2 * u + 2, 2 * v : 2 * v + 2]
    r, s = np.unravel_index(window.argmax(), (2, 2))
    (plane,) = panel(page)["planes"]
    (grid,) = plane["grids"]
    assert [[cell["text"] for cell in row] for row in grid] == [[short_number(n) for n in row] for row in window]
    assert [(a, b) for a in range(2) for b in range(2) if "winner" in grid[a][b]["kinds"]] == [(r, s)]
    there, other = (2 * u + r, 2 * v + s), (2 * u + 1 - r, 2 * v + s)
    go(page, "dA1", i, j, *there)
    slope = f"dP1[{i}, {j}, {u}, {v}] = {short_number(dP[i, j, u, v])}"
    name = f"A1[{i}, {j}, {there[0]}, {there[1]}]"
    assert panel(page)["planes"][0]["note"] == f"{name} leads its window: the slope {slope} comes here."
    go(page, "dA1", i, j, *other)
    said = panel(page)["planes"][0]["note"]
    loser = f"A1[{i}, {j}, {other[0]}, {other[1]}]"
    assert said == f"{loser} does not lead its window: the slope {slope} goes to {name}."
    assert frames(page, "A1") == {f"{i},{j}": [2 * u, 2 * v, 2, 2]}


def test_a_flattened_number_says_where_it_was(open_page, step):
    page = open_page(step("digits")[1])
    go(page, "F1", 1, 29)  # 29 = 3·9 + 0·3 + 2
    assert "It is P1[1, 3, 0, 2]: channel 3, row 0, column 2 of P1." in page.locator("#worked").inner_text()
    go(page, "dP1", 1, 3, 0, 2)
    assert "It is dF1[1, 29]: number 29 of the row in dF1." in page.locator("#worked").inner_text()
    assert panel(page) is None


def test_the_window_follows_the_mouse_and_plays(open_page, step):
    trace, place = step("digits")
    page = open_page(place)
    where = page.locator("#where")
    tile = page.locator('#result .tile[data-lead="0,2"] canvas')
    box = tile.bounding_box()
    dot = box["width"] / 6
    page.mouse.move(box["x"] + 1.5 * dot, box["y"] + 3.5 * dot)
    page.mouse.down()
    assert where.inner_text().startswith("Z1[0, 2, 3, 1]:")
    page.mouse.move(box["x"] + 4.5 * dot, box["y"] + 2.5 * dot)
    assert where.inner_text().startswith("Z1[0, 2, 2, 4]:")
    page.mouse.up()
    page.mouse.move(box["x"] + 0.5 * dot, box["y"] + 0.5 * dot)
    assert where.inner_text().startswith("Z1[0, 2, 2, 4]:")
    page.clock.install()
    page.locator("#play").press("Enter")
    page.clock.run_for(3 * 900 + 50)
    assert where.inner_text().startswith("Z1[0, 2, 3, 1]:")  # on to the end of the row, and the next
    page.locator("#play").press("Enter")
    assert number(panel(page)["result"]) == pytest.approx(trace["Z1"][0, 2, 3, 1], rel=1e-3)
    page.get_by_label("the next picture of Z1").click()
    assert where.inner_text().startswith("Z1[0, 3, 3, 1]:")


@pytest.mark.parametrize("still", [True, False])
def test_who_wants_nothing_to_move_sees_the_window_jump(open_page, step, still):
    page = open_page(step("digits")[1], still=still)
    duration = page.evaluate("getComputedStyle(document.querySelector('.frame.reads')).transitionDuration")
    assert (duration == "0s") is still


@pytest.mark.parametrize(
    ("name", "screen"), [("digits", "wide"), ("digits", "narrow and dark"), ("colours", "narrow and dark")]
)
def test_everybody_can_use_it(open_page, step, name, screen):
    page = open_page(step(name)[1], **SCREENS[screen])
    for line in ("Z1", "dW1", "A1", "W1"):
        steps.choose(page, line)
        page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
        assert accessibility.sticks_out(page) == []
        assert accessibility.faint(page) == []
        assert accessibility.nameless(page) == []
    assert accessibility.faults(page) == []
    stops = accessibility.walk(page)
    assert [stop for stop in stops if not (stop["seen"] and stop["inside"])] == []
    assert [stop["role"] for stop in stops].count("application") > 1


def test_what_slides_is_said_once(open_page, step):
    page = open_page(step("digits")[1])
    assert page.inner_text("body").count("is cross-correlation") == 1


def test_on_paper(open_page, step):
    """The pictures of every line, and none of the controls."""
    page = open_page(step("digits")[1], dark=True, width=794, print=True)
    page.wait_for_selector(".glanced canvas")
    assert accessibility.sticks_out(page) == []
    assert accessibility.faint(page) == []
    assert page.locator(".glanced canvas").count() > 30
    assert not page.locator("#sliding").is_visible()
