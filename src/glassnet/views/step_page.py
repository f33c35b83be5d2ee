"""The page that walks through one step of a training, from what `Trace.payload` says of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def step_page(payload: Mapping[str, Any]) -> str:
    """One self-contained page: every line of the step, every entry of it with the cells it comes from and its sum written out.

    Parameters
    ----------
    payload : what `run.trace(iteration).payload()` gives
    """
    from glassnet.views.pages import page

    return page(
        "step", title=str(payload["title"]), data={"step": payload}, modules=("step",), styles=("base", "step"),
        about=payload["about"], constants=payload["constants"],
    )  # fmt: skip
