"""Regressions side by side, each peer in its own process: medians, ratios, memory, likelihood."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from benchmarks.machine import ROOT
from benchmarks.regression_peer import WORKLOADS

LADDER = (1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10)
"""Tolerances of scikit-learn's lbfgs, its default first; the loosest that reaches glassnet's likelihood is compared."""
SAME = 1e-9
"""Relative difference of log-likelihoods that counts as none."""
NAMES = tuple(WORKLOADS)


def run(workload: str, peer: str, rows: int, repeats: int, tolerance: float = LADDER[0]) -> dict[str, Any]:
    """What one process measured."""
    asked = [workload, peer, "--rows", str(rows), "--repeats", str(repeats), "--tolerance", str(tolerance)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.regression_peer", *asked], capture_output=True, text=True, check=True,
        cwd=ROOT,
    )  # fmt: skip
    return {"workload": workload, "peer": peer, "tolerance": tolerance, **json.loads(done.stdout.splitlines()[-1])}


def compare(workload: str, rows: int, repeats: int) -> list[dict[str, Any]]:
    """glassnet, the peer at its defaults, and the peer as accurate as glassnet."""
    ours = run(workload, "glassnet", rows, repeats)
    found = [{**ours, "tolerance": None}]
    if workload == "ols":
        return [*found, {**run(workload, "scikit-learn", rows, repeats), "tolerance": None}]
    for tolerance in LADDER:
        theirs = run(workload, "scikit-learn", rows, repeats if tolerance == LADDER[0] else 1, tolerance)
        away = (ours["log_likelihood"] - theirs["log_likelihood"]) / abs(ours["log_likelihood"])
        if away <= SAME:
            if tolerance != LADDER[0]:
                theirs = run(workload, "scikit-learn", rows, repeats, tolerance)
            return [*found, theirs]
        if tolerance == LADDER[0]:
            found.append(theirs)
    return found


def table(results: list[dict[str, Any]]) -> str:
    """The results as text."""
    head = f"{'workload':<32}{'peer':<30}{'seconds':>9}{'ratio':>7}{'extra MB':>10}{'iterations':>12}{'log-likelihood':>20}"
    lines = [head]
    base = {r["workload"]: r["seconds"] for r in results if r["peer"] == "glassnet"}
    for r in results:
        peer = r["peer"] + ("" if r["tolerance"] is None else f", lbfgs, tol={r['tolerance']:g}")
        likelihood = "" if r["log_likelihood"] is None else f"{r['log_likelihood']:.6f}"
        lines.append(
            f"{r['workload']:<32}{peer:<30}{r['seconds']:>9.3f}{r['seconds'] / base[r['workload']]:>7.2f}"
            f"{r['extra_mb']:>10.0f}{r['iterations']:>12}{likelihood:>20}"
        )
    return "\n".join(lines)
