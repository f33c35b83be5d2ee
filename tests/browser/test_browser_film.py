"""A film in a notebook: its player runs in a frame of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import glassnet as gn


@pytest.fixture(scope="module")
def film() -> Any:
    rng = np.random.default_rng(1)
    X = rng.uniform(-1, 1, (40, 2))
    Y = (X[:, :1] * X[:, 1:] > 0).astype(float)
    run = gn.train(
        gn.Network(2, gn.Dense(4, "tanh"), gn.Dense(1, "sigmoid")),
        X,
        Y,
        optimizer=gn.SGD(1.5),
        epochs=20,
        progress=False,
    )
    return run.animate(["boundary", "network"], frames=8, size=(300, 200), fps=8)


def test_a_notebook_shows_it(open_page: Callable[..., Any], film: Any) -> None:
    page = open_page(f"<!DOCTYPE html><html><body>{film._repr_html_()}</body></html>")
    inside = page.frame_locator("iframe")
    inside.locator("#picture[data-frame='0']").wait_for()
    inside.locator("#picture").press("End")
    inside.locator("#picture[data-frame='7']").wait_for()
    assert inside.locator("#said").text_content() == "iteration 20 of 20"
