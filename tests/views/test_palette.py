"""Colours that a reader can tell apart, and quick imports."""

from __future__ import annotations

import subprocess
import sys

import pytest
from matplotlib.colors import to_rgb

from glassnet.views import palette


def test_ten_classes_differ_in_colour_and_in_marker():
    assert len({palette.class_colour(index) for index in range(10)}) == 10
    assert len({palette.class_marker(index) for index in range(10)}) == 10
    assert len({(palette.class_colour(index), palette.class_marker(index)) for index in range(100)}) == 100


def test_luminance_by_the_definition():
    assert palette.luminance([0, 0, 0]) == 0
    assert palette.luminance([1, 1, 1]) == pytest.approx(1)
    assert palette.luminance([1, 0, 0]) == pytest.approx(0.2126)


@pytest.mark.parametrize("colour", [*palette.CLASS_COLOURS, "#808080", "#FFFFFF"])
def test_ink_has_the_contrast_that_w3c_asks(colour):
    """At least 4.5 : 1, which black or white always reaches."""
    behind, ink = (float(palette.luminance(to_rgb(each))) for each in (colour, palette.ink_on(to_rgb(colour))))
    assert (max(behind, ink) + 0.05) / (min(behind, ink) + 0.05) >= 4.5


def test_a_dollar_is_no_mathematics():
    assert palette.plain("price ($)") == r"price (\$)"
    assert palette.plain("_hidden") == " _hidden"


def test_importing_the_views_loads_no_heavy_library():
    code = (
        "import sys, glassnet.views.plots, glassnet.views.metrics; "
        "print([name for name in ('matplotlib', 'sklearn', 'rich') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
