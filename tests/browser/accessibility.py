"""What a page owes a person who sees it badly, or not at all: read from Chromium's own accessibility tree and its layout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

CHECKS = Path(__file__).with_name("checks.js").read_text(encoding="utf-8")
CONTROLS = {
    "button", "checkbox", "combobox", "gridcell", "grid", "link", "listbox", "menuitem", "option", "radio", "searchbox",
    "slider", "spinbutton", "switch", "tab", "textbox",
}  # fmt: skip
PICTURES = {"image", "img", "canvas", "Canvas", "graphics-document", "SvgRoot"}


def tree(page: Any) -> list[dict[str, Any]]:
    """Every element that a screen reader meets: its role, name and state."""
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    return [
        {
            "role": node["role"]["value"],
            "name": node.get("name", {}).get("value", "").strip(),
            **{item["name"]: item["value"].get("value") for item in node.get("properties", [])},
        }
        for node in nodes
        if not node["ignored"] and "role" in node
    ]


def nameless(page: Any) -> list[str]:
    """Roles of the controls and pictures that say nothing about themselves. A grid's cell may be empty."""
    return [
        node["role"] for node in tree(page) if node["role"] in (CONTROLS - {"gridcell"}) | PICTURES and not node["name"]
    ]


def asked(page: Any, question: str) -> Any:
    """The answer of the page to one of the questions in checks.js."""
    return page.evaluate(f"() => {CHECKS.strip()}.{question}")


def faults(page: Any) -> list[str]:
    """What is wrong with the document as such: its language, title, headings, ids, and what they are used for."""
    return asked(page, "faults()")


def sticks_out(page: Any) -> list[str]:
    """What is wider than the window, where the page as a whole would have to be scrolled sideways."""
    return asked(page, "sticksOut()")


def faint(page: Any) -> list[str]:
    """Texts whose colour stands out less than 4.5 : 1 from what is behind them, or 3 : 1 for large text (WCAG 2, AA)."""
    return asked(page, "faint(4.5, 3)")


def walk(page: Any, most: int = 60) -> list[dict[str, Any]]:
    """Every stop of the Tab key from the top of the page: what it is, and whether one sees that it is there."""
    page.evaluate("() => { document.activeElement?.blur(); window.scrollTo(0, 0); }")
    stops: list[dict[str, Any]] = []
    for _ in range(most):
        page.keyboard.press("Tab")
        stop = asked(page, "stop()")
        if stop is None or any(stop["stop"] == before["stop"] for before in stops):
            break
        stops.append(stop)
    return stops
