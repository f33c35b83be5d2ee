"""The report of a run in a browser: what it shows of any state of the training is what the training had then."""

from __future__ import annotations

import json

import accessibility
import numpy as np
import pytest
from arithmetic import number
from example_runs import COSTS, RUNS, SCREENS, answers

from glassnet.data import dataset
from glassnet.views.report import write_report

CASES = [("flower", "compiled"), ("iris", "compiled"), ("images", "reference"), ("regression", "reference")]
SLIDER = "State of the training"


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The report of an example run, written once."""
    folder = tmp_path_factory.mktemp("reports")

    def written(name, engine="reference"):
        place = folder / f"report-{name}-{engine}.html"
        if not place.exists():
            run = RUNS[name](engine)
            write_report(run, place, held_out=held_out(run) if name == "flower" else None)
        return place

    return written


def held_out(run):
    """Another drawing of the flower."""
    table = dataset("flower", seed=7).table
    return run.preparation.transform(table), run.preparation.transform_target(table)


def readouts(page):
    """Column → the number as the page holds it, and as it is written."""
    found = page.locator("#film [data-column]").evaluate_all(
        "all => all.map(e => [e.dataset.column, e.dataset.value, e.textContent])"
    )
    return {column: (value, text) for column, value, text in found}


def as_written(text):
    """0.1234, 12 %, 1,200."""
    return number(text.removesuffix("%").replace(",", "")) / (100 if text.endswith("%") else 1)


def move(page, moment):
    page.get_by_role("slider", name=SLIDER).fill(str(moment))


def last_moment(page):
    return int(page.get_by_role("slider", name=SLIDER).get_attribute("max"))


@pytest.mark.parametrize(("name", "engine"), CASES)
def test_the_film_shows_the_trainings_own_numbers(open_page, report, name, engine):
    run, page = RUNS[name](engine), open_page(report(name, engine))
    cost, (X, Y) = COSTS[run.settings.loss.name], (run.data.X, run.data.Y)
    weight = page.get_by_role("slider", name="A weight or bias of the network")
    last = last_moment(page)
    iterations = []
    for moment in (0, 1, last // 2, last):
        move(page, moment)
        shown = readouts(page)
        iterations.append(int(shown["iteration"][0]))
        np.testing.assert_allclose(float(shown["cost"][0]), cost(answers(run, iterations[-1], X), Y), rtol=1e-9)
        for column in set(shown) - {"iteration", "epoch"}:
            exact, text = shown[column]
            np.testing.assert_allclose(as_written(text), float(exact), rtol=6e-4, atol=6e-4 * ("%" in text))
        for _ in range(3):
            weight.press("ArrowRight" if moment % 2 else "ArrowLeft")
            parameter, at, value = (weight.get_attribute(f"data-{key}") for key in ("name", "at", "value"))
            theirs = run.at(iterations[-1]).parameters[parameter][tuple(int(i) - 1 for i in at.split())]
            np.testing.assert_allclose(float(value), theirs, rtol=1e-6)
            np.testing.assert_allclose(number(weight.inner_text().rpartition(": ")[2]), theirs, rtol=1e-6)
    assert iterations[0] == 0
    assert iterations[-1] == run.iteration
    assert iterations == sorted(set(iterations))


@pytest.mark.parametrize(("name", "engine"), CASES[:2])
def test_the_curves_are_the_history(open_page, report, name, engine):
    run, page = RUNS[name](engine), open_page(report(name, engine))
    curve = page.get_by_role("slider", name="Cost: values").last
    for key, row in (("Home", 0), ("ArrowRight", 1), ("End", -1)):
        curve.press(key)
        assert int(curve.get_attribute("data-x")) == run.history["epoch"][row]
        shown = json.loads(curve.get_attribute("data-values"))
        columns = [column for column in ("cost", "validation_cost") if column in run.history]
        assert shown[: len(columns)] == [run.history[column][row] for column in columns]
        for column in columns:
            assert f"{run.history[column][row]:.5g}" in curve.inner_text()


@pytest.mark.parametrize("name", ["flower", "iris", "images", "regression"])
def test_the_pictures_move_with_the_slider(open_page, report, name):
    page = open_page(report(name))
    pictures = page.locator("#film canvas[role=img]")

    def drawn():
        return [
            (canvas.get_attribute("aria-label"), canvas.evaluate("e => e.toDataURL()")) for canvas in pictures.all()
        ]

    move(page, 0)
    first = drawn()
    move(page, last_moment(page))
    assert pictures.count() >= (2 if name != "regression" else 1)
    assert all(a[1] != b[1] for a, b in zip(first, drawn(), strict=True))
    move(page, 0)
    assert drawn() == first


def test_the_boundary_is_where_the_network_decides(open_page, report):
    """The picture's own description of the mistakes at any state, against the network at that state."""
    run, page = RUNS["flower"]("reference"), open_page(report("flower"))
    X, Y = run.data.X, run.data.Y
    for moment in (0, 10, last_moment(page)):
        move(page, moment)
        wrong = int(((answers(run, int(readouts(page)["iteration"][0]), X) > 0.5) != (Y > 0.5)).sum())
        label = page.locator("[data-film=scene] canvas[role=img]").get_attribute("aria-label")
        assert f"{wrong} of the {len(X)} rows shown are predicted wrongly" in label
        np.testing.assert_allclose(float(readouts(page)["accuracy"][0]), 1 - wrong / len(X), rtol=1e-12)


def test_the_judgement_is_of_the_held_out_rows(open_page, report):
    run, page = RUNS["flower"]("reference"), open_page(report("flower"))
    X, Y = held_out(run)
    predicted, true = answers(run, run.iteration, X)[:, 0] > 0.5, Y[:, 0] > 0.5
    counts = [int(((true == t) & (predicted == p)).sum()) for t in (False, True) for p in (False, True)]
    shown = page.locator("#confusion [data-count]")
    assert [int(cell.inner_text()) for cell in shown.all()] == counts
    heads = page.locator("table.metrics thead th").all_inner_texts()
    place = next(i for i, head in enumerate(heads) if "network, held-out" in head) - 1
    cell = page.locator("[data-metric=accuracy]").nth(place)
    accuracy = float(np.mean(true == predicted))
    assert float(cell.get_attribute("data-exact")) == pytest.approx(accuracy, rel=1e-12)
    assert cell.inner_text() == f"{100 * accuracy:.1f} %"


def test_by_keyboard_alone(open_page, report):
    page = open_page(report("flower"))
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.ariaLabel") == SLIDER:
            break
    last = last_moment(page)
    for key, moment in (("Home", 0), ("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("End", last)):
        page.keyboard.press(key)
        assert page.get_by_role("slider", name=SLIDER).input_value() == str(moment)
        heard = page.get_by_role("slider", name=SLIDER).get_attribute("aria-valuetext")
        assert heard.startswith(f"iteration {readouts(page)['iteration'][1]}, ")


def test_played_and_stopped(open_page, report):
    page = open_page(report("flower"))
    page.clock.install()
    move(page, 0)
    button = page.get_by_role("button", name="Play")
    button.press("Enter")
    page.clock.run_for(1000)
    there = int(page.get_by_role("slider", name=SLIDER).input_value())
    assert 3 <= there <= 10
    page.get_by_role("button", name="Pause").press("Enter")
    page.clock.run_for(2000)
    assert int(page.get_by_role("slider", name=SLIDER).input_value()) == there
    assert readouts(page)["cost"][1] in page.get_by_role("status").inner_text()  # said aloud once it stands still
    button.press("Enter")
    page.clock.run_for(60_000)
    assert int(page.get_by_role("slider", name=SLIDER).input_value()) == last_moment(page)
    assert button.get_attribute("aria-pressed") == "false"


@pytest.mark.parametrize(
    ("name", "screen"),
    [
        ("flower", "wide"),
        ("flower", "narrow and dark"),
        ("iris", "narrow and dark"),
        ("images", "wide"),
        ("diverged", "narrow and dark"),
    ],
)
def test_everybody_can_use_it(open_page, report, name, screen):
    page = open_page(report(name), **SCREENS[screen])
    page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    assert accessibility.nameless(page) == []
    assert accessibility.faults(page) == []
    assert accessibility.sticks_out(page) == []
    assert accessibility.faint(page) == []
    stops = accessibility.walk(page)
    assert len(stops) > 8
    assert [stop for stop in stops if not (stop["seen"] and stop["inside"])] == []


def test_on_paper(open_page, report):
    """White, whatever the screen is; the controls are left out, what was folded is open, the pictures are drawn."""
    page = open_page(report("flower"), dark=True, width=794)
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.get_by_role("slider", name=SLIDER).is_visible()
    assert page.locator("details:not([open])").count() == 0
    assert accessibility.sticks_out(page) == []
    corner = "e => [...e.getContext('2d').getImageData(1, 1, 1, 1).data]"
    assert page.locator("[data-film=network] canvas").first.evaluate(corner) == [255, 255, 255, 255]
    assert len(page.pdf()) > 50_000
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details:not([open])").count() > 0


def test_without_scripts_the_words_the_numbers_and_the_equations_are_there(open_page, report):
    page = open_page(report("flower"), scripts=False)
    assert page.locator("#equations math").count() > 20
    assert page.locator("[data-metric=accuracy]").first.inner_text().endswith(" %")
    assert page.locator("#confusion [data-count]").count() == 4
