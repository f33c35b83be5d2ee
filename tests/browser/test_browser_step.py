"""The page of a step in a browser: every number on it is the step's, every sum comes to its result."""

from __future__ import annotations

import json

import accessibility
import numpy as np
import pytest
import steps
from arithmetic import number
from example_runs import GOLDEN, RUNS, SCREENS

from glassnet.equations.entry_text import short_number

CASES = [
    ("flower", "compiled", 7), ("seed002", "reference", 3), ("iris", "compiled", 9), ("perceptron", "reference", 0),
    ("regression", "compiled", 5), ("images", "reference", 2), ("mixed", "compiled", 4),
]  # fmt: skip


@pytest.fixture(scope="module")
def step(tmp_path_factory):
    """The trace of an example run, and its page, written once."""
    folder, kept = tmp_path_factory.mktemp("steps"), {}

    def written(name, engine="reference", iteration=3):
        if (name, engine, iteration) not in kept:
            trace = RUNS[name](engine).trace(iteration)
            kept[name, engine, iteration] = trace, trace.to_html(folder / f"step-{name}-{engine}-{iteration}.html")
        return kept[name, engine, iteration]

    return written


@pytest.mark.parametrize(("name", "engine", "iteration"), CASES)
def test_every_line_shows_the_steps_own_numbers(open_page, step, name, engine, iteration):
    trace, place = step(name, engine, iteration)
    page = open_page(place)
    found = steps.walked(page, most=3)
    assert list(dict.fromkeys(shown["line"] for shown in found)) == [equation.name for equation in trace.equations]
    whole = sum(steps.check_entry(trace, shown) for shown in found)
    assert whole > len(found) / 4
    assert sum(steps.check_cells(trace, shown) for shown in found) > 10 * len(trace.equations)
    assert all(shown["equation"] and shown["why"] for shown in found)


@pytest.mark.parametrize(("name", "engine", "iteration"), [CASES[1], CASES[4], CASES[6]])
def test_sums_come_to_their_results_at_all_digits(open_page, step, name, engine, iteration):
    trace, place = step(name, engine, iteration)
    page = open_page(place)
    steps.digits(page, "all")
    found, most = steps.walked(page, most=2), 8 if name == "mixed" else 16  # single precision has fewer
    assert sum(steps.check_entry(trace, shown, most) for shown in found) > len(found) / 4


def test_a_long_sum_is_written_out_when_asked(open_page, step):
    """784 products: eight at first, then all of them, and they come to the entry."""
    trace, place = step("images", "reference", 2)
    page = open_page(place)
    steps.choose(page, "Z1")
    short = steps.seen(page)
    assert "… 776 more …" in short["worked"]
    page.get_by_label("write out every term").check()
    shown = {"place": "0,0", **steps.seen(page)}
    assert len(shown["sources"]) == 2 * 784 + 1
    assert steps.check_entry(trace, shown)


def test_seed_002s_numbers_are_on_the_page(open_page, step):
    """Computed in R: the twelve steps of the worked example, read back cell by cell."""
    golden = json.loads(GOLDEN.read_text())["correct"]["first_iteration"]
    page = open_page(step("seed002", "compiled", 0)[1])
    steps.digits(page, "all")
    m = 3
    for line, key, factor in (
        ("Z1", "hidden_layer_input", 1), ("A1", "hidden_layer_activations", 1), ("Z2", "output_layer_input", 1),
        ("A2", "output", 1), ("dA2", "E", -m), ("dZ2", "d_output", -m), ("dA1", "Error_at_hidden_layer", -m),
        ("dZ1", "d_hiddenlayer", -m), ("W1", "new_wh", 1), ("W2", "new_wout", 1),
    ):  # fmt: skip
        steps.choose(page, line)
        cells = [cell for cell in steps.seen(page)["cells"] if cell["result"]]
        theirs = np.array(golden[key])
        assert len(cells) == theirs.size
        for cell in cells:
            assert factor * number(cell["text"]) == pytest.approx(theirs[steps.place_of(cell["place"])], rel=1e-11)


@pytest.mark.parametrize(
    ("line", "place", "sources"),
    [
        ("Z1", (2, 1), {"X": [(2, k) for k in range(4)], "W1": [(k, 1) for k in range(4)], "b1": [(1,)]}),
        ("A1", (1, 2), {"Z1": [(1, 2)]}),
        ("dA1", (0, 1), {"dZ2": [(0, 0)], "W2": [(1, 0)]}),
        ("dW1", (3, 0), {"X": [(k, 3) for k in range(3)], "dZ1": [(k, 0) for k in range(3)]}),
        ("db1", (2,), {"dZ1": [(k, 2) for k in range(3)]}),
        ("W1", (1, 1), {"W1": [(1, 1)], "dW1": [(1, 1)]}),
    ],
)
def test_a_chosen_cell_is_marked_with_those_it_comes_from(open_page, step, line, place, sources):
    page = open_page(step("seed002")[1])
    steps.choose(page, line)
    page.locator(f'#result td button[data-place="{",".join(map(str, place))}"]').click()
    shown = steps.seen(page)
    marked = {}
    for cell in shown["cells"]:
        if "source" in cell["kinds"]:
            marked.setdefault(cell["array"], []).append(steps.place_of(cell["place"]))
    assert marked == sources
    (current,) = [cell for cell in shown["cells"] if "current" in cell["kinds"]]
    assert (steps.place_of(current["place"]), current["result"]) == (place, True)
    read = {}
    for source in shown["sources"]:
        array, index, _ = steps.named(source["said"])
        if index and index not in read.setdefault(array, []):
            read[array].append(index)
    assert read == sources


def test_a_cell_leads_to_the_line_that_gave_it(open_page, step):
    page = open_page(step("seed002")[1])
    steps.choose(page, "dW1")
    page.locator('#sources [data-name=dZ1] td button[data-place="1,2"]').click()
    shown = steps.seen(page)
    assert (shown["line"], shown["where"].split(":")[0]) == ("dZ1", "dZ1[1, 2]")
    page.locator('#sources [data-name=A1] td button[data-place="1,2"]').click()
    assert steps.seen(page)["where"].startswith("A1[1, 2]:")


def test_the_slider_goes_through_the_samples(open_page, step):
    trace, place = step("iris", "compiled", 9)
    page, data = open_page(place), RUNS["iris"]("compiled").data.X
    assert trace.rows != trace.samples  # the rows were shuffled
    slider = page.get_by_role("slider", name="Sample")
    assert int(slider.get_attribute("max")) == len(trace.samples) - 1
    for line in ("Z1", "A2", "dZ1"):
        steps.choose(page, line)
        for sample in (5, 11):
            slider.fill(str(sample))
            shown = steps.seen(page)
            assert shown["where"].startswith(f"{line}[{sample}, 0]:")
            assert number(shown["exact"]) == trace[line][sample, 0]
            assert str(trace.rows[sample]) in shown["sample"]
    steps.choose(page, "Z1")
    shown = [cell for cell in steps.seen(page)["cells"] if cell["array"] == "X" and cell["place"].startswith("11,")]
    assert [steps.named(cell["said"])[2] for cell in shown] == data[trace.rows[11]].tolist()


def test_by_keyboard_through_every_entry(open_page, step):
    """The right arrow alone leads through all entries in their order, the left one back."""
    trace, place = step("seed002")
    page = open_page(place)
    order = [
        (equation.name, index)
        for equation in trace.equations
        for index in np.ndindex(np.shape(trace[steps.value_name(trace, equation.name)]))
    ]

    def stands():
        name, _, rest = page.locator("#where").inner_text().partition(":")[0].partition("[")
        return name, steps.place_of(rest.rstrip("]"))

    walked = [stands()]
    for line, index in order[1:]:
        page.keyboard.press("ArrowRight")
        walked.append(stands())
        theirs = steps.at(trace, steps.value_name(trace, line), index)
        assert page.locator("#worked .sum .current").inner_text() == short_number(theirs)
    assert walked == order
    page.keyboard.press("ArrowRight")
    assert stands() == order[-1]
    for key, there in (
        ("Home", ("Z1", (2, 0))), ("ArrowUp", ("Z1", (1, 0))), ("PageDown", ("A1", (1, 0))), ("ArrowDown", ("A1", (2, 0))),
        ("ArrowRight", ("A1", (2, 1))), ("ArrowDown", ("A1", (2, 1))), ("ArrowLeft", ("A1", (2, 0))),
        ("ArrowLeft", ("A1", (1, 2))), ("End", ("b2", (0,))), ("PageUp", ("W2", (0, 0))), ("b", ("b1", (0,))),
        ("n", ("W2", (0, 0))), ("ArrowLeft", ("b1", (2,))),
    ):  # fmt: skip
        page.keyboard.press(key)
        assert stands() == there, key


def test_a_key_that_is_held_down(open_page, step):
    """A key repeats thirty times a second; a browser that is asked for too much says so, and some refuse."""
    page = open_page(step("flower", "compiled", 7)[1])
    page.evaluate("""() => { for (let k = 0; k < 300; k++)
        document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true })) }""")
    assert page.locator("#where").inner_text().startswith("Z1[7, 20]:")


def test_the_focus_stays_with_the_cell(open_page, step):
    """Who walks with the arrow keys from a cell stays in the cells."""
    page = open_page(step("seed002")[1])
    page.locator('#result td button[data-place="0,0"]').focus()
    for place in ("0,1", "0,2", "1,0"):
        page.keyboard.press("ArrowRight")
        assert page.evaluate("document.activeElement.dataset.place") == place
        assert page.evaluate("document.activeElement.closest('[data-name]').dataset.name") == "Z1"


def test_buttons_and_play(open_page, step):
    page = open_page(step("seed002")[1])
    where = page.locator("#where")
    page.get_by_role("button", name="Next", exact=False).first.click()
    assert where.inner_text().startswith("Z1[0, 1]:")
    page.get_by_role("button", name="Back", exact=False).first.click()
    assert where.inner_text().startswith("Z1[0, 0]:")
    page.clock.install()
    play = page.locator("#play")
    play.press("Enter")
    page.clock.run_for(3000)
    there = where.inner_text()
    assert play.get_attribute("aria-pressed") == "true"
    assert not there.startswith("Z1[0, 0]:")
    play.press("Enter")
    page.clock.run_for(5000)
    assert where.inner_text() == there
    assert play.get_attribute("aria-pressed") == "false"


def test_what_is_looked_at_is_in_the_address(open_page, step):
    page = open_page(step("seed002")[1])
    page.evaluate("location.hash = '#dZ1,2,1'")
    page.wait_for_function("document.querySelector('#where').textContent.startsWith('dZ1[2, 1]:')")
    page.reload()
    assert page.locator("#where").inner_text().startswith("dZ1[2, 1]:")
    page.evaluate("location.hash = '#nothing,9'")
    page.wait_for_timeout(50)
    assert page.locator("#where").inner_text().startswith("dZ1[2, 1]:")


def test_a_large_matrix_is_a_map_with_a_window(open_page, step):
    trace, place = step("images", "reference", 2)
    page = open_page(place)
    steps.choose(page, "Z1")
    weights = page.locator("#sources [data-name=W1]")
    picture = weights.locator("canvas")
    assert "784 rows, 20 columns" in picture.get_attribute("aria-label")

    def window():
        places = [steps.place_of(cell["place"]) for cell in steps.seen(page)["cells"] if cell["array"] == "W1"]
        return places[0], places[-1]

    first = window()
    picture.focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight"):
        picture.press(key)
    (top, left), _ = window()
    assert (top, left) == (first[0][0] + 2, first[0][1] + 1)
    picture.click(position={"x": 1, "y": picture.bounding_box()["height"] - 2})
    assert (
        window()[1][0] > 783 - 784 / picture.bounding_box()["height"] * 5
    )  # where the pointer is, not where the window was
    picture.press("+")
    assert steps.check_cells(trace, steps.seen(page)) > 60


@pytest.mark.parametrize(
    ("name", "screen"),
    [
        ("flower", "wide"),
        ("seed002", "narrow and dark"),
        ("images", "wide"),
        ("images", "narrow and dark"),
        ("diverged", "wide"),
    ],
)
def test_everybody_can_use_it(open_page, step, name, screen):
    iteration = RUNS[name]("reference").iteration + 1 if name == "diverged" else 3
    page = open_page(step(name, iteration=min(iteration, 8))[1], **SCREENS[screen])
    for line in ("J", "dW1"):
        steps.choose(page, line)
        page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
        assert accessibility.sticks_out(page) == []
        assert accessibility.faint(page) == []
    assert accessibility.nameless(page) == []
    assert accessibility.faults(page) == []
    stops = accessibility.walk(page)
    assert len(stops) > 12
    assert [stop for stop in stops if not (stop["seen"] and stop["inside"])] == []


def test_what_is_computed_is_said_aloud(open_page, step):
    """The sum stands in a live region; while the page plays by itself it is silent."""
    page = open_page(step("seed002")[1])
    live = page.locator("#worked")
    assert (live.get_attribute("role"), live.get_attribute("aria-live")) == ("status", "polite")
    page.keyboard.press("p")
    assert live.get_attribute("aria-live") == "off"
    page.keyboard.press("p")
    assert live.get_attribute("aria-live") == "polite"


def test_numbers_that_are_none_are_marked(open_page, step):
    run = RUNS["diverged"]("reference")
    trace, place = step("diverged", iteration=run.iteration + 1)
    page = open_page(place)
    bad = [name for name in ("Z1", "A1", "Z2", "J", "dW1") if not np.isfinite(np.asarray(trace[name])).all()]
    assert bad
    for line in bad:
        steps.choose(page, line)
        for cell in steps.seen(page)["cells"]:
            theirs = steps.at(trace, cell["array"], steps.place_of(cell["place"]))
            kind = "nan" if np.isnan(theirs) else "infinite" if np.isinf(theirs) else "zero" if theirs == 0 else None
            assert {"nan", "infinite", "zero"} & set(cell["kinds"]) == ({kind} if kind else set())
            assert cell["text"] == short_number(theirs)


def test_light_and_dark_by_button(open_page, step):
    page = open_page(step("seed002")[1])
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_role("button", name="Light or dark").click()
    assert page.evaluate(ground) != light
    assert accessibility.faint(page) == []
    page.get_by_role("button", name="Light or dark").click()
    assert page.evaluate(ground) == light


def test_on_paper(open_page, step):
    """White, all lines with their numbers, none of the controls."""
    trace, place = step("seed002")
    page = open_page(place, dark=True, width=794)
    for _ in range(2):  # to light, and to dark by choice
        page.get_by_role("button", name="Light or dark").click()
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") in (
        "rgb(255, 255, 255)",
        "rgba(0, 0, 0, 0)",
    )
    assert accessibility.sticks_out(page) == []
    assert accessibility.faint(page) == []
    assert not page.locator("#play").is_visible()
    text = page.inner_text("body")
    for equation in trace.equations:
        values = np.asarray(trace[steps.value_name(trace, equation.name)])
        assert all(short_number(value) in text for value in values.flat)
    assert len(page.pdf()) > 20_000


def test_without_scripts_the_page_says_what_it_needs(open_page, step):
    page = open_page(step("seed002")[1], scripts=False)
    assert "JavaScript" in page.inner_text("body")
