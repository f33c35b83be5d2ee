"""The results as pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

COLOURS = {
    "glassnet": "#0b6e4f", "glassnet-train": "#53a686", "scikit-learn": "#f08a24", "torch": "#d1495b",
    "torch-compile": "#e8a0a9", "torch-channels-last": "#f3cdd2", "jax": "#3d6fb6", "jax-steps": "#a9c1e4",
    "numpy": "#8a8a8a", "R": "#b8b8b8",
}  # fmt: skip
LEFT_OUT = ("glassnet-last", "glassnet-reference", "glassnet-compiled")
"""Variants for the table, not for the picture."""


def plot_training(rows: list[dict[str, Any]], path: Path) -> None:
    """Bars of µs a step, one group a workload, on a logarithmic axis."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    from benchmarks.report import time_text

    rows = [r for r in rows if "missing" not in r and r["peer"] not in LEFT_OUT]
    if not rows:
        return
    workloads = list(dict.fromkeys(r["workload"] for r in rows))
    width, gap = 1.0, 1.4
    figure, axes = plt.subplots(figsize=(max(5.0, 1.9 * len(workloads) + 1), 4.2), layout="constrained")
    at, ticks = 0.0, []
    for workload in workloads:
        mine = [r for r in rows if r["workload"] == workload]
        mine.sort(key=lambda r: list(COLOURS).index(r["peer"]))
        for place, r in enumerate(mine):
            axes.bar(at + place, r["us_a_step"], width * 0.92, color=COLOURS[r["peer"]], label=r["peer"])
            text = time_text(r["us_a_step"])
            axes.annotate(
                text, (at + place, r["us_a_step"]), (0, 3), textcoords="offset points", rotation=90, fontsize=7,
                ha="center", va="bottom", color="#444444",
            )  # fmt: skip
        ticks.append(at + (len(mine) - 1) / 2)
        at += len(mine) + gap
    values = [r["us_a_step"] for r in rows]
    axes.set_yscale("log")
    axes.set_ylim(min(values) / 2, max(values) * 5)
    axes.set_xticks(ticks, workloads)
    axes.set_ylabel("time of one step (µs); lower is faster")
    axes.tick_params(axis="x", length=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_axisbelow(True)
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.7)
    handles, labels = axes.get_legend_handles_labels()
    first = dict(zip(reversed(labels), reversed(handles), strict=True))
    shown = [name for name in COLOURS if name in first]
    figure.legend([first[n] for n in shown], shown, loc="outside upper center", ncols=len(shown), frameon=False)
    figure.savefig(path, dpi=160)
    plt.close(figure)


def plot_growth(rows: list[dict[str, Any]], path: Path) -> None:
    """The time of a step against size, both logarithmic, one panel a series."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    names = {"units": "hidden units (784 inputs, batch 128)", "rows": "rows (2 → 40 → 1, all at once)",
             "depth": "hidden layers of 64 (batch 64)"}  # fmt: skip
    rows = [r for r in rows if "missing" not in r]
    series = list(dict.fromkeys(r["series"] for r in rows))
    if not series:
        return
    figure, panels = plt.subplots(1, len(series), figsize=(3.7 * len(series), 3.6), squeeze=False, layout="constrained")
    for axes, name in zip(panels[0], series, strict=True):
        for peer in dict.fromkeys(r["peer"] for r in rows):
            mine = [r for r in rows if r["series"] == name and r["peer"] == peer]
            colour = COLOURS.get(peer, "#000000")
            axes.loglog([r["size"] for r in mine], [r["us_a_step"] for r in mine], "o-", color=colour, label=peer)
        axes.set_xlabel(names[name])
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color="#e6e6e6", linewidth=0.7)
    panels[0][0].set_ylabel("time of one step (µs)")
    panels[0][0].legend(frameon=False)
    figure.savefig(path, dpi=160)
    plt.close(figure)
