"""The results as text: a head with the machine, then one table a kind of result."""

from __future__ import annotations

from typing import Any

from benchmarks.driver import recording
from benchmarks.workloads import Workload

BUSY = 0.5
"""Load of the last minute above which others share the cores: threads then wait for each other, up to tenfold."""


def head(machine: dict[str, Any], limits: dict[str, float]) -> str:
    """Machine, versions and limits."""
    versions = ", ".join(f"{name} {version or 'missing'}" for name, version in machine["versions"].items())
    lines = [
        f"{machine['processor']}, {machine['cores']} cores, {machine['threads']} threads allowed to each peer; "
        f"{machine['system']}; Python {machine['python']}",
        versions,
    ]
    if (machine["load"] or 0) > BUSY:
        lines.append(f"other work was running (load {machine['load']:.1f}): measure again when it has ended")
    if limits:
        lines.append(
            f"limits measured: {limits['gemm_gflops']:.0f} GFLOP/s (float32 matrix product), "
            f"{limits['copy_gb_s_x']:.1f} GB/s copying 10 MB, {limits['copy_gb_s_512mb']:.1f} GB/s copying 512 MB"
        )
    return "\n".join(lines)


def time_text(microseconds: float) -> str:
    """Three figures, in the unit that suits."""
    for size, unit in ((1e6, "s"), (1e3, "ms"), (1.0, "µs")):
        if microseconds >= size or unit == "µs":
            value = microseconds / size
            return f"{value:.{max(0, 2 - len(str(int(value))) + 1)}f} {unit}"
    raise AssertionError


COLUMNS = (
    f"{'workload':<19}{'peer':<20}{'median':>10}{'min – max':>22}{'ratio':>8}{'loss':>11}{'peak MB':>9}{'before':>8}"
    f"{'import s':>10}{'compile s':>11}{'rate':>15}{'of limit':>10}"
)


def training_table(workload: Workload, rows: list[dict[str, Any]], limits: dict[str, float]) -> str:
    """One workload: a line for each peer, and what is to be said below."""
    lines = []
    for r in rows:
        start = f"{workload.name:<19}{r['peer']:<20}"
        if "missing" in r:
            lines.append(f"{start}missing: {r['missing']}")
            continue
        spread = f"{time_text(r['min_us'])} – {time_text(r['max_us'])}"
        if "gb_s" in r:
            rate, share = f"{r['gb_s']:.1f} GB/s", r["gb_s"] / limits["copy_gb_s_x"]
        else:
            rate, share = f"{r['gflop_s']:.2f} GFLOP/s", r["gflop_s"] / limits["gemm_gflops"]
        mark = " " if r.get("loss_agrees", True) else "!"
        ratio = f"{r['ratio']:.2f}" if "ratio" in r else ""
        lines.append(
            f"{start}{time_text(r['median_us']):>10}{spread:>22}{ratio:>8}{r['loss']:>10.6f}{mark}"
            f"{r['peak_mb']:>9.0f}{r['rss_before_mb']:>8.0f}{r['import_s']:>10.2f}{r['compile_s']:>11.2f}{rate:>15}{share:>10.1%}"
        )
    lines += [f"  {text}" for text in remarks(workload, rows)]
    return "\n".join(lines)


def remarks(workload: Workload, rows: list[dict[str, Any]]) -> list[str]:
    """What a reader of the lines above needs to know."""
    size = workload.batch or workload.rows
    shape = " → ".join([*_stages(workload), *(str(n) for n in workload.widths[bool(workload.stages) :])])
    said = [
        f"a {workload.unit}; {shape}, {workload.rows:,} rows, batch {size:,}, {workload.epochs:,} epochs = "
        f"{workload.steps:,} steps, {workload.dtype}" + (f"; {workload.note}" if workload.note else "")
    ]
    for row in rows:
        if not row.get("loss_agrees", True):
            why = ""
            if row["peer"] == "scikit-learn" and workload.output == "softmax" and workload.widths[-1] == 2:
                why = " (it has one logistic unit for two classes, so its steps are others)"
            said.append(
                f"! {row['peer']} ends at another loss: {row['loss']:.6f}, {row['loss_away']:.1%} from glassnet's{why}"
            )
    cost = recording(rows)
    if cost is not None:
        said.append(
            f'recording (record="auto" against "last") takes {cost["share"]:.1%} of the median '
            f"({cost['share_of_fastest']:.1%} of the fastest), {cost['snapshots']} snapshots, "
            f"{cost['snapshot_bytes'] / 2**20:.1f} MB"
        )
    engine = next((r["engine"] for r in rows if r["peer"] == "glassnet" and "engine" in r), None)
    if engine:
        said.append(f"glassnet's engine: {engine}")
    return said


def _stages(workload: Workload) -> list[str]:
    """Image and convolutions, as a network's text has them."""
    if workload.image is None:
        return []
    found = ["×".join(str(n) for n in workload.image)]
    for stage in workload.stages:
        padded = f" padding {stage.padding}" if stage.padding else ""
        found += [f"{stage.filters} filters {stage.kernel}×{stage.kernel}{padded}", f"pool {stage.pool}×{stage.pool}"]
    return found


def latency_table(rows: list[dict[str, Any]]) -> str:
    """Whole processes."""
    lines = [f"{'whole process, first fit':<48}{'median':>10}{'min – max':>22}"]
    for r in rows:
        if "missing" in r:
            lines.append(f"{r['process']:<48}missing: {r['missing']}")
            continue
        spread = f"{time_text(1e6 * min(r['all']))} – {time_text(1e6 * max(r['all']))}"
        lines.append(f"{r['process']:<48}{time_text(1e6 * r['seconds']):>10}{spread:>22}")
    return "\n".join(lines)


def growth_table(rows: list[dict[str, Any]]) -> str:
    """One block a series: sizes down, peers across, the time of a step."""
    lines: list[str] = []
    for series in dict.fromkeys(r["series"] for r in rows):
        mine = [r for r in rows if r["series"] == series]
        peers = list(dict.fromkeys(r["peer"] for r in mine))
        lines.append(f"{series:<12}" + "".join(f"{peer:>20}" for peer in peers))
        for size in dict.fromkeys(r["size"] for r in mine):
            cells = []
            for peer in peers:
                row = next((r for r in mine if r["size"] == size and r["peer"] == peer), None)
                shown = "–" if row is None or "missing" in row else time_text(row["us_a_step"])
                cells.append(f"{shown:>20}")
            lines.append(f"{size:<12,}" + "".join(cells))
        reasons = {(r["peer"], r["missing"]) for r in mine if "missing" in r}
        lines += [f"  – {peer}: {reason}" for peer, reason in sorted(reasons)]
        lines.append("")
    return "\n".join(lines).rstrip()
