"""Goes round the peers of a workload, one repetition each, and gathers what they answer."""

from __future__ import annotations

import contextlib
import json
import os
import select
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.machine import ROOT, available_bytes, environment, two_cores
from benchmarks.names import asked_for, missing, not_applicable
from benchmarks.workloads import Problem, Workload

if os.name == "posix":
    import resource

PAUSE = 0.1
"""Seconds between repetitions, so that waiting threads of the peer before have gone to sleep."""
PATIENCE = 900.0
"""Seconds after which an answer is not waited for."""


class PeerFailed(Exception):
    """The peer's process ended or was silent; the text says how."""


class Process:
    """One peer, kept alive."""

    def __init__(self, workload: str, peer: str, folder: Path) -> None:
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed in `end`
        self.child = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.peer", workload, peer, "--folder", str(folder)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True, cwd=ROOT, env=environment(),
            preexec_fn=_confined if os.name == "posix" else None,
        )  # fmt: skip

    def answer(self) -> dict[str, Any]:
        """The next line."""
        assert self.child.stdout is not None
        if os.name == "posix" and not select.select([self.child.stdout], [], [], PATIENCE)[0]:
            raise PeerFailed(f"no answer in {PATIENCE:.0f} s")
        line = self.child.stdout.readline()
        if not line:
            status = self.child.wait()
            self.errors.seek(0)
            said = self.errors.read().strip().splitlines()
            raise PeerFailed(said[-1] if said else f"ended with status {status}")
        return dict(json.loads(line))

    def ask(self, request: str) -> dict[str, Any]:
        assert self.child.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # the reason is in what it wrote before it ended
            self.child.stdin.write(request + "\n")
            self.child.stdin.flush()
        return self.answer()

    def end(self) -> None:
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        for pipe in (self.child.stdin, self.child.stdout, self.errors):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()


def _confined() -> None:
    """Two cores, and no more memory than there is: a peer that wants more ends with an error, and the machine goes on."""
    two_cores()
    most = available_bytes()
    if most is not None:
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def measure(
    problem: Problem, names: tuple[str, ...], repeats: int, say: Any = None, variants: bool = True
) -> list[dict[str, Any]]:
    """One row a peer (and glassnet's variants): its times and what it told, or why there are none."""
    workload = problem.workload
    rows: dict[str, dict[str, Any]] = {}
    alive: dict[str, Process] = {}
    with tempfile.TemporaryDirectory() as place:
        problem.write(Path(place))
        try:
            for name in asked_for(names, workload) if variants else names:
                rows[name] = {"workload": workload.name, "peer": name}
                reason = not_applicable(name, workload) or missing(name)
                if reason:
                    rows[name]["missing"] = reason
                    continue
                if say:
                    say(f"{workload.name}: {name} starts")
                alive[name] = Process(workload.name, name, Path(place))
                try:
                    rows[name] |= {**alive[name].answer(), "all": []}
                except PeerFailed as problem_met:
                    rows[name]["missing"] = f"failed: {problem_met}"
                    alive.pop(name).end()
            for number in range(repeats):
                if say:
                    say(f"{workload.name}: round {number + 1} of {repeats}")
                _each(alive, rows, "run")
            _each(alive, rows, "finish")
        finally:
            for process in alive.values():
                process.end()
    found = [_summary(row, workload) for row in rows.values()]
    _compare_losses(found, workload)
    return found


def _each(alive: dict[str, Process], rows: dict[str, dict[str, Any]], request: str) -> None:
    """The request to every peer, one after the other."""
    for name in list(alive):
        time.sleep(PAUSE if request == "run" else 0)
        try:
            answer = alive[name].ask(request)
        except PeerFailed as problem_met:
            rows[name]["missing"] = f"failed: {problem_met}"
            alive.pop(name).end()
            continue
        if request == "run":
            rows[name]["all"].append(answer["seconds"])
        else:
            rows[name] |= answer


def _summary(row: dict[str, Any], workload: Workload) -> dict[str, Any]:
    """Median and spread a unit, and the rates that follow from them."""
    if "missing" in row:
        return {name: row[name] for name in ("workload", "peer", "missing")}
    seconds = statistics.median(row["all"])
    count = workload.units
    row.pop("ready", None)
    row |= {
        "seconds": seconds,
        "median_us": 1e6 * seconds / count,
        "min_us": 1e6 * min(row["all"]) / count,
        "max_us": 1e6 * max(row["all"]) / count,
        "unit": workload.unit,
        "us_a_step": 1e6 * seconds / workload.steps,
        "compile_s": row["prepare_s"] + max(0.0, row["first_run_s"] - seconds),
        "gflop_s": 1e-9 * workload.flops / seconds,
    }
    if workload.is_regression:
        row["gb_s"] = 1e-9 * workload.data_bytes / seconds
    return row


def _compare_losses(found: list[dict[str, Any]], workload: Workload) -> None:
    """Ratio to glassnet, and whether the final loss is the one glassnet has."""
    ours = next((r for r in found if r["peer"] == "glassnet" and "missing" not in r), None)
    for row in found:
        if ours is None or "missing" in row:
            continue
        away = abs(row["loss"] - ours["loss"]) / max(abs(ours["loss"]), 1e-12)
        agrees = bool(away <= workload.tolerance)
        row |= {"ratio": row["seconds"] / ours["seconds"], "loss_away": away, "loss_agrees": agrees}


def recording(found: list[dict[str, Any]]) -> dict[str, Any] | None:
    """What the record costs: the default against record="last", and the bytes that it keeps."""
    rows = {r["peer"]: r for r in found if "missing" not in r}
    ours, last = rows.get("glassnet"), rows.get("glassnet-last")
    if ours is None or last is None:
        return None
    share = 1 - last["seconds"] / ours["seconds"]
    return {
        "share": share,
        "share_of_fastest": 1 - min(last["all"]) / min(ours["all"]),
        "snapshots": ours["snapshots"],
        "snapshot_bytes": ours["snapshot_bytes"],
    }
