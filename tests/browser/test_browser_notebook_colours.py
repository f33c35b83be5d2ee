"""What a notebook shows of networks, derivations, runs and steps: every word stands out from its ground."""

from __future__ import annotations

import accessibility
import example_runs
import pytest
from example_runs import SCREENS

SHELL = (
    "<!doctype html><html lang=en><head><link rel=icon href='data:,'><title>A notebook</title>"
    "<meta name=color-scheme content='light dark'></head><body><main><h1>A notebook</h1><h2>An answer</h2>{}</main>"
)


@pytest.mark.parametrize(("name", "screen"), [("iris", "narrow and dark"), ("diverged", "wide")])
def test_answers_in_a_notebook(open_page, name, screen):
    run = example_runs.RUNS[name]("reference")
    trace = run.trace(run.iteration + 1 if name == "diverged" else 3)
    shown = [run.network, run.derivation, run.derivation.equations[0], run, trace]
    page = open_page(SHELL.format("".join(answer._repr_html_() for answer in shown)), **SCREENS[screen])
    page.evaluate("document.querySelectorAll('details').forEach(phase => phase.open = true)")
    assert accessibility.nameless(page) == []
    assert accessibility.faults(page) == []
    assert accessibility.sticks_out(page) == []
    assert accessibility.faint(page) == []
    assert page.locator("math").count() > len(run.derivation.equations)
