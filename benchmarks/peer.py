"""One peer on one workload, in a process that stays: it answers requests on stdin, one line of JSON each.

    python -m benchmarks.peer WORKLOAD PEER --folder FOLDER [--runs N]

It imports the library (timed), prepares and compiles (timed), trains once to warm up (timed), and says that it is ready.
Then "run" trains once more and answers with the seconds, and "finish" with memory, final loss and facts. With --runs it
asks itself. FOLDER holds the problem, as `Problem.write` leaves it; without one, the workload's own data are made.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.names import PEERS


def requests(runs: int | None) -> Iterator[str]:
    """What is asked: on stdin, or so many runs."""
    if runs is None:
        yield from (line.strip() for line in sys.stdin)
    else:
        yield from (["run"] * runs)
        yield "finish"


def made(workload: str, place: Path) -> Path:
    """The workload's own data, written where a driver would."""
    from benchmarks.data import problem
    from benchmarks.workloads import WORKLOADS

    problem(WORKLOADS[workload]).write(place)
    return place


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peer")
    parser.add_argument("workload")
    parser.add_argument("peer")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--runs", type=int)
    asked = parser.parse_args()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer

    def answer(**values: Any) -> None:
        answers.write(json.dumps(values) + "\n")
        answers.flush()

    with tempfile.TemporaryDirectory() as own:
        serve(asked, answer, Path(own))


LEAST_SECONDS = 0.1
"""A repetition trains again until so much time has passed: a fit of milliseconds is not timed by its first cold one."""


def timed(trainer: Any) -> float:
    """Seconds of one training: the mean of as many as a repetition takes."""
    start, count, own = time.perf_counter(), 0, 0.0
    while True:
        trainer.run()
        count += 1
        own += getattr(trainer, "seconds", None) or 0.0
        passed = time.perf_counter() - start
        if passed >= LEAST_SECONDS:
            return (own or passed) / count


def serve(asked: argparse.Namespace, answer: Any, own: Path) -> None:
    """Answer until "finish"."""
    peer = PEERS[asked.peer]
    start = time.perf_counter()
    importlib.import_module(peer.library)
    imported = time.perf_counter() - start

    from benchmarks.machine import memory_mb
    from benchmarks.workloads import Problem, mean_cross_entropy

    problem = Problem.read(asked.folder or made(asked.workload, own))
    module = importlib.import_module(f"benchmarks.peers.{peer.module}")
    before = memory_mb("VmRSS")
    start = time.perf_counter()
    trainer = module.prepare(problem, peer.variant)
    prepared = time.perf_counter() - start
    start = time.perf_counter()
    trainer.run()
    first = time.perf_counter() - start
    answer(ready=True, import_s=imported, prepare_s=prepared, first_run_s=first, rss_before_mb=before)
    for request in requests(asked.runs):
        if request == "run":
            answer(seconds=timed(trainer))
        elif request == "finish":
            memory = {"peak_mb": memory_mb("VmHWM"), "rss_end_mb": memory_mb("VmRSS")}
            loss = mean_cross_entropy(problem, trainer.parameters())
            answer(**{**memory, "loss": loss, **trainer.facts()})
            return


if __name__ == "__main__":
    main()
