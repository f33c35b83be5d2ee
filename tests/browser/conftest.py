"""A real browser for the pages: Chromium, offline, and a page in which anything goes wrong fails its test."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
"""What Chromium is called on PATH."""
NEEDED = "GLASSNET_NEEDS_BROWSER"
"""With this variable set a missing browser is a failure: in CI nothing is skipped unseen."""
INSIDE = ("data:", "blob:", "about:")
"""Addresses that are part of a page itself."""
WATCH = "addEventListener('securitypolicyviolation', e => console.error(`refused ${e.blockedURI}`));"
LINKS = """() => [...document.querySelectorAll('[src], [href], [srcset], [action], [data]')]
    .flatMap(e => ['src', 'href', 'srcset', 'action', 'data'].map(name => e.getAttribute(name)))
    .filter(address => address && !/^(#|data:|blob:)/.test(address))"""

OPENED: list[tuple[float, str]] = []
"""How long each page took to open, in seconds; said at the end, never asserted."""


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if times := sorted(OPENED):
        (median, _), (slowest, name) = times[len(times) // 2], times[-1]
        terminalreporter.write_line(
            f"Pages opened: {len(times)}, in {median:.2f} s (median), {name} in {slowest:.2f} s."
        )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.extras)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Chromium, started once a file. Skips, with what is missing and how to get it, where it cannot be started.

    While it runs so does an event loop of Playwright's; kept for longer, it would stand in the way of tests elsewhere that have
    a loop of their own.
    """
    program = next(filter(None, map(shutil.which, NAMES)), None)
    missing = [
        sentence
        for absent, sentence in (
            (find_spec("playwright") is None, "Playwright is missing: pip install playwright."),
            (program is None, f"Chromium is missing (none of {', '.join(NAMES)} on PATH): apt-get install chromium."),
        )
        if absent
    ]
    if missing:
        (pytest.fail if os.environ.get(NEEDED) else pytest.skip)(" ".join(missing))

    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox"],
            ignore_default_args=["--disable-ipc-flooding-protection"],  # as strict as a person's own browser
        )  # fmt: skip
        yield browser
        browser.close()


class Opener:
    """Opens pages, and notes in `trouble` what a page must not do: err, or ask for anything outside itself."""

    def __init__(self, chromium: Any, folder: Path) -> None:
        self.chromium = chromium
        self.folder = folder
        self.trouble: list[str] = []
        self.pages: list[Any] = []
        self.addresses: set[str] = set()

    def __call__(
        self,
        page: str | Path,
        *,
        width: int = 1200,
        height: int = 900,
        dark: bool = False,
        print: bool = False,
        scripts: bool = True,
        still: bool = True,
    ) -> Any:
        """The page at this path, or of this text, as Playwright's `Page`.

        Parameters
        ----------
        width, height : of the window
        dark : the person prefers dark
        print : as it goes to the printer
        scripts : False shows what is there before, or without, any JavaScript
        still : the person prefers that nothing moves by itself
        """
        if not isinstance(page, Path):
            text, page = page, self.folder / f"page-{len(self.pages)}.html"
            page.write_text(text, encoding="utf-8")
        context = self.chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light", offline=True,
            java_script_enabled=scripts, reduced_motion="reduce" if still else "no-preference",
        )  # fmt: skip
        if scripts:
            context.add_init_script(WATCH)
        context.on("request", lambda asked: self.asked(asked.url))
        context.on(
            "console", lambda said: self.trouble.append(said.text) if said.type in ("error", "warning") else None
        )
        context.on("weberror", lambda wrong: self.trouble.append(str(wrong.error)))
        opened = context.new_page()
        opened.on("websocket", lambda socket: self.asked(socket.url))
        opened.set_default_timeout(5000)
        if print:
            opened.emulate_media(media="print")
        self.pages.append(opened)
        self.addresses.add(address := page.resolve().as_uri())
        begun = time.perf_counter()
        opened.goto(address)
        OPENED.append((time.perf_counter() - begun, page.name))
        return opened

    def asked(self, address: str) -> None:
        if address not in self.addresses and not address.startswith(INSIDE):
            self.trouble.append(f"asked for {address}")

    def close(self) -> list[str]:
        """What went wrong in all pages that were opened, which are closed."""
        for page in self.pages:
            if links := page.evaluate(LINKS):
                self.trouble.append(f"points to {', '.join(links)}")
            page.context.close()
        self.pages.clear()
        found, self.trouble = self.trouble, []
        return found


@pytest.fixture
def open_page(chromium: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Open a page in Chromium: open_page(path or text, width=380, dark=True). Whatever goes wrong in it fails the test."""
    opener = Opener(chromium, tmp_path)
    yield opener
    assert opener.close() == []
