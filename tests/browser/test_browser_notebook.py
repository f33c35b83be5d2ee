"""What notebooks show, in a browser: nothing runs over anything else, light, dark and narrow."""

from __future__ import annotations

import pytest

import glassnet as gn

PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,"><title>notebook</title>
<style>body {{ background: {back}; color: {front}; font: 14px sans-serif; }} td, th {{ text-align: right; padding: 3em; }}
tr:nth-child(odd) {{ background: #888; }}</style></head><body>{body}</body></html>"""
FRACTIONS = """() => [...document.querySelectorAll('mfrac')].map(f => {
    const ink = e => { const r = document.createRange(); r.selectNodeContents(e); return r.getBoundingClientRect(); };
    const [above, below] = [...f.children].map(ink);
    return below.top - above.bottom; })"""
OVERFLOW = """() => [...document.querySelectorAll('.glassnet svg text')].filter(t => {
    const [box, room] = [t.getBoundingClientRect(), t.closest('svg').getBoundingClientRect()];
    return box.left < room.left - 1 || box.right > room.right + 1 || box.bottom > room.bottom + 1; }).map(t => t.textContent)"""
COLOURS = """() => [...document.querySelectorAll('.glassnet td, .glassnet th')].map(e => {
    const style = getComputedStyle(e), row = getComputedStyle(e.parentElement);
    return [style.backgroundColor, row.backgroundColor]; }).flat()"""


@pytest.fixture(scope="module")
def pieces():
    X, y = gn.data.dataset("flower", seed=0).arrays()
    net = gn.Network(2, gn.Dense(40, "tanh"), gn.BatchNorm(), gn.Dense(1, "sigmoid"))
    run = gn.train(net, X, y, optimizer=gn.Adam(0.01), l2=0.01, epochs=3, batch_size=64, validation=0.2, progress=False)
    shown = [net, run.derivation, run.derivation["W1"], run.derivation["J"], run, run.trace(0, samples=[0, 1])]
    return "\n".join(piece._repr_html_() for piece in shown)


@pytest.mark.parametrize(("back", "front"), [("white", "#111"), ("#1e1e1e", "#d4d4d4")])
@pytest.mark.parametrize("width", [1100, 380])
def test_pieces_read_well(open_page, pieces, back, front, width):
    page = open_page(PAGE.format(back=back, front=front, body=pieces), width=width, dark=back != "white")
    gaps = page.evaluate(FRACTIONS)
    assert len(gaps) > 8
    assert min(gaps) > 1, "a fraction's parts touch"
    assert page.evaluate(OVERFLOW) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert set(page.evaluate(COLOURS)) == {"rgba(0, 0, 0, 0)"}
    assert page.evaluate("getComputedStyle(document.querySelector('.glassnet td')).textAlign") in ("left", "start")


def test_phases_fold(open_page, pieces):
    page = open_page(PAGE.format(back="white", front="#111", body=pieces))
    phase = page.locator("details", has_text="Update: the assignments").last
    assert phase.get_attribute("open") is None  # in a trace the updates are closed
    phase.locator("summary").press("Enter")
    assert phase.locator("table.matrix").first.is_visible()
    assert "W1[0,0] ←" in phase.inner_text()
