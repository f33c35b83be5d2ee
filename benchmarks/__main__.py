"""Training, filters, first fits and regressions of glassnet and its peers, side by side on this machine.

python -m benchmarks                                      everything; some minutes
python -m benchmarks --workloads flower,iris --repeats 3  some of it
python -m benchmarks --peers glassnet,jax --json out.json --plot speed.png
python -m benchmarks --growth --plot growth.png           how a step grows with units, rows and depth
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import filtering, growth, latency, regression, report
from benchmarks.data import problem, what_is_missing
from benchmarks.driver import measure, recording
from benchmarks.machine import described, measured_limits
from benchmarks.names import DEFAULT, PEERS
from benchmarks.workloads import WORKLOADS, quick

OTHERS = ("filter", "latency", "regression")
"""What else can be named as a workload."""


def names(known: tuple[str, ...]) -> Any:
    """A type for argparse: names with commas between them."""

    def read(text: str) -> tuple[str, ...]:
        found = tuple(name.strip() for name in text.split(",") if name.strip())
        wrong = [name for name in found if name not in known]
        if wrong or not found:
            raise argparse.ArgumentTypeError(
                f"got {', '.join(wrong) or 'nothing'}; it needs some of {', '.join(known)}"
            )
        return found

    return read


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    everything = (*WORKLOADS, *OTHERS)
    parser.add_argument("--workloads", type=names(everything), help=", ".join(everything))
    parser.add_argument("--peers", type=names(tuple(PEERS)), help=", ".join(PEERS))
    parser.add_argument("--repeats", type=int, help="repetitions of each peer (7; 5 of a regression; 3 of a first fit)")
    parser.add_argument("--quick", action="store_true", help="very few steps, to see that it runs")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--plot", type=Path, metavar="FILE.png")
    parser.add_argument(
        "--growth", action="store_true", help="the growth series only; glassnet unless --peers is given"
    )
    parser.add_argument("--mnist", type=Path, metavar="FOLDER", help="holds t10k-images-idx3-ubyte.gz and its labels")
    parser.add_argument("--cats", type=Path, metavar="FILE.h5", help="the course's train_catvnoncat.h5")
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the regressions")
    asked = parser.parse_args()
    if asked.repeats is not None and asked.repeats < 1:
        parser.error(f"--repeats got {asked.repeats}; it needs a whole number from 1.")
    if asked.mnist is None and os.environ.get("GLASSNET_MNIST"):
        asked.mnist = Path(os.environ["GLASSNET_MNIST"])
    for name, path in (("--mnist", asked.mnist), ("--cats", asked.cats), ("--plot", asked.plot and asked.plot.parent)):
        if path is not None and not path.exists():
            parser.error(f"{name} names {path}, which does not exist.")
    wrong = what_is_missing(asked.mnist, asked.cats)
    if wrong:
        parser.error(wrong)
    return asked


def say(text: str) -> None:
    """Progress, on a terminal only, on one line."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def show(text: str) -> None:
    """A piece of the report."""
    say("")
    print(text, flush=True)


def train_all(asked: argparse.Namespace, chosen: tuple[str, ...], machine: dict[str, Any]) -> dict[str, Any]:
    """The table of training; its rows, and what recording costs."""
    limits = measured_limits(asked.quick)
    show(report.head(machine, limits))
    show(f"\n{report.COLUMNS}")
    rows: list[dict[str, Any]] = []
    costs: dict[str, Any] = {}
    described_workloads: dict[str, Any] = {}
    for name in chosen:
        workload = quick(WORKLOADS[name]) if asked.quick else WORKLOADS[name]
        made = problem(workload, asked.mnist, asked.cats)
        workload = made.workload
        found = measure(made, asked.peers or DEFAULT, asked.repeats or (1 if asked.quick else 7), say)
        show(report.training_table(workload, found, limits) + "\n")
        rows += found
        costs[name] = recording(found)
        described_workloads[name] = {"steps": workload.steps, "flops": workload.flops, **asdict(workload)}
    again = measured_limits(asked.quick)
    return {
        "limits": limits,
        "limits_after": again,
        "workloads": described_workloads,
        "training": rows,
        "recording": costs,
    }


def main() -> None:
    asked = options()
    chosen = asked.workloads or (*WORKLOADS, *OTHERS)
    machine = described()
    kept: dict[str, Any] = {"machine": machine, "quick": asked.quick}
    if asked.growth:
        show(report.head(machine, {}))
        kept["growth"] = growth.grow(
            asked.peers or ("glassnet",), asked.repeats or (1 if asked.quick else 5), asked.quick, say
        )
        show("\n" + report.growth_table(kept["growth"]))
    else:
        training = tuple(name for name in chosen if name in WORKLOADS)
        if training:
            kept |= train_all(asked, training, machine)
        else:
            show(report.head(machine, {}) + "\n")
        if "filter" in chosen:
            say("filters")
            side = 64 if asked.quick else 512
            known = filtering.asked_for(asked.peers)
            kept["filter"] = filtering.compare(side, asked.repeats or (1 if asked.quick else 5), known)
            show(filtering.table(kept["filter"], side) + "\n")
        if "latency" in chosen:
            say("first fits")
            kept["latency"] = latency.latencies(asked.repeats or (1 if asked.quick else 3))
            show(report.latency_table(kept["latency"]) + "\n")
        if "regression" in chosen:
            kept["regression_rows"] = 500 if asked.quick else asked.rows
            kept["regression"] = [
                row
                for name in regression.NAMES
                for row in regression.compare(name, kept["regression_rows"], asked.repeats or (1 if asked.quick else 5))
            ]
            show(f"{kept['regression_rows']:,} rows")
            show(regression.table(kept["regression"]))
    if asked.json:
        asked.json.write_text(json.dumps(kept, indent=1))
    if asked.plot:
        from benchmarks.plotting import plot_growth, plot_training

        (plot_growth if asked.growth else plot_training)(kept.get("growth", kept.get("training", [])), asked.plot)


if __name__ == "__main__":
    main()
