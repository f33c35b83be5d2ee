"""Reads a step page as a person does: the line, the entry, the numbers in the cells and in the sum."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from arithmetic import number, worked

from glassnet.equations.entry_text import short_number

READING = Path(__file__).with_name("steps.js").read_text(encoding="utf-8").strip()


def seen(page: Any) -> dict[str, Any]:
    """What the page shows now."""
    return json.loads(page.evaluate(f"() => JSON.stringify({READING}.seen())"))  # quicker than Playwright's own way


def walked(page: Any, most: int = 4) -> list[dict[str, Any]]:
    """What the page shows of every line: all its numbers once, and the sums of some cells."""
    return json.loads(page.evaluate(f"() => JSON.stringify({READING}.walked({most}))"))


def choose(page: Any, line: str) -> None:
    page.locator(f'#lines [data-line="{line}"]').click()


def digits(page: Any, wanted: str) -> None:
    """How many digits are written: "4", or "all"."""
    page.get_by_label("Digits").select_option(label=wanted)


def place_of(text: str) -> tuple[int, ...]:
    return tuple(int(index) for index in text.split(",") if index)


def named(said: str) -> tuple[str, tuple[int, ...], float]:
    """Array, place and number of `W1[0, 2] = 0.25`."""
    name, _, value = said.partition(" = ")
    array, _, place = name.partition("[")
    return array, place_of(place.rstrip("]")), number(value)


def value_name(trace: Any, line: str) -> str:
    """The array that a line gives: an update gives what is there after the step."""
    update = trace.line(line).phase == "update"
    return f"{line}.after" if update and f"{line}.after" in trace else line


def same(said: float, theirs: Any) -> bool:
    """Whether a number that is written with all its digits is this one, in the precision of the training."""
    return bool(np.asarray(said).astype(np.asarray(theirs).dtype) == theirs) or bool(
        np.isnan(said) and np.isnan(theirs)
    )


def at(trace: Any, array: str, place: tuple[int, ...]) -> Any:
    return np.asarray(trace[array])[place]


def check_cells(trace: Any, shown: dict[str, Any]) -> int:
    """Every number in sight is the trace's: rounded where it is written, exact where it is said. Their count."""
    for cell in shown["cells"]:
        theirs = at(trace, cell["array"], place_of(cell["place"]))
        assert cell["text"] == short_number(theirs), cell
        array, place, said = named(cell["said"])
        assert (array, place) == (cell["array"], place_of(cell["place"])), cell
        assert same(said, theirs), cell
    return len(shown["cells"])


def check_entry(trace: Any, shown: dict[str, Any], digits: int = 4) -> bool:
    """The entry's sum comes to the entry, and is made of the trace's own cells. Whether the sum is written out whole."""
    theirs = at(trace, value_name(trace, shown["line"]), place_of(shown["place"]))
    assert same(number(shown["exact"]), theirs), shown["worked"]
    for source in shown["sources"]:
        array, place, value = named(source["said"])
        assert same(value, at(trace, array, place)), source
    left, _, right = shown["worked"].replace("←", "=").partition(" = ")
    assert left.replace(" ", "") == shown["line"] + (f"[{shown['place']}]" if shown["place"] else ""), shown["worked"]
    written, _, result = right.rpartition(" = ")
    assert result == shown["result"]
    computed = worked(written, digits)
    if computed is None:
        return False
    near = {"rtol": 1e-5 if theirs.dtype == np.float32 else 1e-9, "atol": 1.0001 * computed[1] + 1e-300}
    np.testing.assert_allclose(computed[0], theirs, **near, err_msg=shown["worked"])
    return True
