"""The checks of accessibility themselves: each finds the fault that is put there, and nothing in a good page."""

from __future__ import annotations

import accessibility
import pytest

HEAD = "<!doctype html><html lang=en><link rel=icon href='data:,'><title>A page</title>"
GOOD = (
    f"{HEAD}<main><h1>Weights</h1><h2>Of layer 1</h2><button>Next</button><label>Sample <input type=range></label>"
    "<canvas role=img aria-label='The boundary' tabindex=0></canvas><button hidden>Gone</button>"
    "<p style='color: #767676'>Grey enough to be read.</p></main>"
)


def test_nothing_is_found_in_a_good_page(open_page):
    page = open_page(GOOD, width=380)
    assert accessibility.nameless(page) == []
    assert accessibility.faults(page) == []
    assert accessibility.sticks_out(page) == []
    assert accessibility.faint(page) == []
    stops = accessibility.walk(page)
    assert [stop["tag"] for stop in stops] == ["button", "input", "canvas"]
    assert all(stop["seen"] and stop["inside"] for stop in stops)


@pytest.mark.parametrize(
    ("check", "old", "new", "said"),
    [
        (accessibility.nameless, "Next", "<svg aria-hidden=true></svg>", ["button"]),
        (accessibility.nameless, "<label>Sample <input type=range></label>", "<input type=range>", ["slider"]),
        (accessibility.nameless, "aria-label='The boundary'", "", ["image"]),
        (accessibility.faults, "lang=en", "", ["no language"]),
        (accessibility.faults, "A page", "", ["no title"]),
        (accessibility.faults, "<main>", "<div>", ["not one main"]),
        (accessibility.faults, "h2", "h3", ["H3 after h1: Of layer 1"]),
        (accessibility.faults, "<h2>", "<h2 id=a><i id=a></i>", ["twice: #a"]),
        (accessibility.faults, "<label>", "<label for=sample>", ["for of LABEL names no element: sample"]),
        (accessibility.faults, "<button>", "<button tabindex=1>", ["tabindex above 0: BUTTON"]),
        (accessibility.sticks_out, "<h1>", "<h1 style='width: 500px'>", ["508 wide in 380", "H1#. to 508"]),
        (accessibility.faint, "#767676", "#777777",
         ["4.48 p. rgb(119, 119, 119) on 255,255,255: Grey enough to be read."]),
        (accessibility.faint, "'color: #767676'", "'opacity: 0.4'",
         ["2.85 p. rgb(0, 0, 0) on 255,255,255: Grey enough to be read."]),
    ],
)  # fmt: skip
def test_a_fault_is_found(open_page, check, old, new, said):
    wrong = GOOD.replace(old, new)
    assert wrong != GOOD
    assert check(open_page(wrong, width=380)) == said


def test_a_focus_that_is_not_seen_is_found(open_page):
    page = open_page(GOOD + "<style>button:focus { outline: none }</style>")
    assert [stop["seen"] for stop in accessibility.walk(page)] == [False, True, True]
