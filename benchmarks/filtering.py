"""64 filters over one picture, forward only: glassnet, the tutorial's loop over pixels, libraries; each in its own process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import Any

from benchmarks.filtering_peer import COUNT, KERNEL, PEERS
from benchmarks.machine import ROOT, environment, two_cores
from benchmarks.names import missing

SAME = 1e-5
"""How far apart maps may be, in units of their largest entry: float32."""


ALWAYS = ("glassnet", "python", "scipy")
"""Peers that need nothing but what glassnet needs."""


def asked_for(names: tuple[str, ...] | None) -> tuple[str, ...]:
    """The peers, of those that were named for the whole of the table."""
    return tuple(peer for peer in PEERS if names is None or peer in ALWAYS or peer in names)


def run(peer: str, side: int, repeats: int) -> dict[str, Any]:
    """What one process measured, or why there is none."""
    why = None
    if peer in ("torch", "jax"):
        why = missing(peer)
    elif peer == "R" and shutil.which("Rscript") is None:
        why = "Rscript is not on PATH"
    if why is not None:
        return {"peer": peer, "missing": why}
    asked = [peer, "--side", str(side), "--repeats", str(repeats)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.filtering_peer", *asked], capture_output=True, text=True, check=False,
        cwd=ROOT, env=environment(), preexec_fn=two_cores if os.name == "posix" else None,
    )  # fmt: skip
    if done.returncode:
        said = done.stderr.strip().splitlines()
        return {"peer": peer, "missing": f"failed: {said[-1] if said else done.returncode}"}
    return {"peer": peer, **json.loads(done.stdout.splitlines()[-1])}


def compare(side: int, repeats: int, names: tuple[str, ...] = PEERS) -> list[dict[str, Any]]:
    """One row a peer, with its ratio to glassnet's time."""
    found = [run(peer, side, repeats) for peer in names]
    ours = next((r["seconds"] for r in found if r["peer"] == "glassnet" and "missing" not in r), None)
    for row in found:
        if ours is not None and "missing" not in row:
            row |= {"ratio": row["seconds"] / ours, "agrees": row["away"] <= SAME}
    return found


def table(results: list[dict[str, Any]], side: int) -> str:
    """The results as text."""
    from benchmarks.report import time_text

    lines = [f"{'filter':<28}{'median':>10}{'min – max':>22}{'ratio':>9}{'apart':>10}"]
    for r in results:
        if "missing" in r:
            lines.append(f"{r['peer']:<28}missing: {r['missing']}")
            continue
        spread = f"{time_text(1e6 * min(r['all']))} – {time_text(1e6 * max(r['all']))}"
        name = r["peer"] + (f" ({r['timed']} of {COUNT} timed)" if r["timed"] < COUNT else "")
        ratio = f"{r['ratio']:.2f}" if "ratio" in r else ""
        mark = "" if r.get("agrees", True) else "!"
        lines.append(f"{name:<28}{time_text(1e6 * r['seconds']):>10}{spread:>22}{ratio:>9}{r['away']:>10.0e}{mark}")
    lines.append(
        f"  {COUNT} filters {KERNEL}×{KERNEL} over one picture of {side}×{side}, valid, float32 (R and the loop: float64); "
        "apart: the largest difference from scipy.signal.correlate2d in float64, of the largest entry"
    )
    if any(r.get("timed", COUNT) < COUNT for r in results):
        lines.append("  a loop over pixels takes minutes for all filters, so some are timed and the time is multiplied")
    return "\n".join(lines)
