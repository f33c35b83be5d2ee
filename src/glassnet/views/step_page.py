"""The page that walks through one step of a training, from what `Trace.payload` says of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from glassnet.equations.page import PHASES


def step_page(payload: Mapping[str, Any]) -> str:
    """One self-contained page: every line of the step, every entry of it with the cells it comes from and its sum written out.

    Parameters
    ----------
    payload : what `run.trace(iteration).payload()` gives
    """
    from glassnet.views.pages import page

    lines = payload["lines"]
    by_phase = [
        (phase, heading.split(":")[0], [line for line in lines if line["phase"] == phase]) for phase, heading in PHASES
    ]
    computed = {line["value"] for line in lines}
    given = [(name, symbol) for name, symbol in payload["symbols"].items() if name not in computed]
    shapes = {name: array["shape"] for name, array in payload["arrays"].items()}
    return page(
        "step", title=str(payload["title"]), data={"step": payload}, modules=("step",), styles=("base", "step", "pictures"),
        convolves=any("⋆" in line["text"] for line in lines), pictures=any(len(shape) == 4 for shape in shapes.values()),
        brief=_brief(payload), about=payload["about"], constants=payload["constants"],
        phases=[part for part in by_phase if part[2]],
        given=[(name, symbol) for name, symbol in given if shapes[name]],
        numbers=[(name, symbol) for name, symbol in given if not shapes[name]],
    )  # fmt: skip


def _brief(payload: Mapping[str, Any]) -> str:
    size, shown = payload["batch_size"], len(payload["samples"])
    samples = f"{size} sample{'s' if size != 1 else ''}" + ("" if shown == size else f", {shown} of them on this page")
    step = f"after iteration {payload['iteration']:,}, in epoch {payload['epoch']:,}"
    return f"{payload['network']} · {step} · a batch of {samples}"
