"""The watch itself: a page that errs, or asks for anything outside itself, is caught."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

QUIET = "<!doctype html><html lang=en><link rel=icon href='data:,'><title>A page</title>"


def test_a_good_page_is_let_through(open_page):
    module = "data:text/javascript,export const seven = 7"
    page = open_page(
        f'{QUIET}<script type="importmap">{{"imports": {{"#seven": "{module}"}}}}</script><a href="#here">Here</a>'
        '<script type="module">import { seven } from "#seven"; document.body.append(seven)</script>'
    )
    assert page.inner_text("body") == "Here7"
    assert open_page.close() == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("<script>console.error('Broken.')</script>", "Broken."),
        ("<script>console.warn('Careful.')</script>", "Careful."),
        ("<script>throw new Error('Thrown.')</script>", "Thrown."),
        ("<script>Promise.reject(new Error('Promised.'))</script>", "Promised."),
        ("<script src='another.js'></script>", "points to another.js"),
        ("<img src='https://outside.example/a.png'>", "asked for https://outside.example/a.png"),
        ("<script>fetch('http://outside.example/').catch(() => 0)</script>", "asked for http://outside.example/"),
        ("<script>new WebSocket('ws://outside.example/')</script>", "asked for ws://outside.example/"),
        ("<link rel=dns-prefetch href='//outside.example'>", "points to //outside.example"),
        ("<a href='https://outside.example/'>More</a>", "points to https://outside.example/"),
        ("<meta http-equiv=Content-Security-Policy content=\"img-src 'none'\"><img src='data:,'>", "refused data"),
    ],
)
def test_what_a_page_must_not_do_is_caught(open_page, wrong, said):
    page = open_page(QUIET + wrong)
    page.wait_for_timeout(100)
    assert said in open_page.close()


def test_without_scripts_nothing_runs(open_page):
    page = open_page(f"{QUIET}<p>Text</p><script>document.write('Script')</script>", scripts=False)
    assert page.inner_text("body") == "Text"


@pytest.mark.parametrize(("needed", "ends"), [("", "1 skipped"), ("1", "1 error")])
def test_where_there_is_no_browser_the_reason_is_said(tmp_path, needed, ends):
    """A machine without Chromium skips; in CI, where it must be there, that is a failure."""
    here = Path(__file__)
    asked = subprocess.run(
        [sys.executable, "-m", "pytest", "-rsE", f"{here}::test_without_scripts_nothing_runs"],
        env={**os.environ, "PATH": str(tmp_path), "GLASSNET_NEEDS_BROWSER": needed}, cwd=here.parents[2],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ends in asked.stdout, asked.stdout
    assert "none of chromium, chromium-browser, google-chrome on PATH): apt-get install chromium." in asked.stdout
    assert asked.returncode == (1 if needed else 0)
