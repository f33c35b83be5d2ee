"""How the time of a step grows: with units, with rows, with depth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from benchmarks.data import problem
from benchmarks.driver import measure
from benchmarks.workloads import Workload

UNITS = (8, 16, 32, 64, 128, 256, 512, 1024, 2048)
ROWS = (100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000)
DEPTHS = (1, 2, 4, 8, 16, 32)
EFFORT = 3e9
"""Floating-point operations in one repetition, about."""


def series(quick: bool = False) -> dict[str, list[tuple[int, Workload]]]:
    """Name -> (size, workload); epochs are chosen so that a repetition takes some tenths of a second."""
    units, rows, depths = (UNITS[:2], ROWS[:2], DEPTHS[:2]) if quick else (UNITS, ROWS, DEPTHS)
    found: dict[str, list[tuple[int, Workload]]] = {"units": [], "rows": [], "depth": []}
    for n in units:
        shape = (784, n, 10)
        found["units"].append((n, Workload(f"units-{n}", 4096, shape, "sigmoid", "softmax", "sgd", 0.1, 128, 1)))
    for m in rows:
        found["rows"].append((m, Workload(f"rows-{m}", m, (2, 40, 1), "tanh", "sigmoid", "sgd", 0.1, None, 1)))
    for depth in depths:
        shape = (64, *(64,) * depth, 10)
        found["depth"].append((depth, Workload(f"depth-{depth}", 4096, shape, "tanh", "softmax", "sgd", 0.01, 64, 1)))
    return {name: [(size, _long_enough(w, quick)) for size, w in points] for name, points in found.items()}


def _long_enough(workload: Workload, quick: bool) -> Workload:
    if quick:
        return replace(workload, rows=min(workload.rows, 1024))
    most = 5_000 // workload.batches
    return replace(workload, epochs=max(1, min(most, int(EFFORT / workload.flops))))


def grow(names: tuple[str, ...], repeats: int, quick: bool = False, say: Any = None) -> list[dict[str, Any]]:
    """One row for each size and peer. A peer that took too much memory or failed once is not asked for larger ones."""
    found: list[dict[str, Any]] = []
    for name, points in series(quick).items():
        given_up: dict[str, str] = {}
        for size, workload in points:
            asked = tuple(p for p in names if p not in given_up)
            rows = measure(problem(workload), asked, repeats, say, variants=False)
            rows += [{"workload": workload.name, "peer": p, "missing": why} for p, why in given_up.items()]
            for row in rows:
                found.append({"series": name, "size": size, **row})
                if row.get("missing", "").startswith("failed"):
                    given_up[row["peer"]] = f"not asked: failed at a smaller size of {name}"
    return found
