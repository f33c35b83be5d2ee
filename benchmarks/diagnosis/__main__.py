"""How often the diagnosis is right, on trainings whose outcome is known.

python -m benchmarks.diagnosis                          everything; hours (without cures: less)
python -m benchmarks.diagnosis --quick --no-cures       one seed, three data sets of each kind
python -m benchmarks.diagnosis --only published         the cases of a folder
python -m benchmarks.diagnosis --kind opt.lr_too_large  one kind of fault
python -m benchmarks.diagnosis --show ID                one diagnosis in full
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.diagnosis import counting, planted
from benchmarks.diagnosis.running import all_judged, keys, trial_of

GROUPS = ("published", "planted", "healthy")
WORKERS = 2
SAVED_EVERY = 30.0
"""Seconds after which the file is written again, so that a long run that is cut short leaves something."""


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.diagnosis", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--cases", type=Path, nargs="+", metavar="FOLDER|FILE.json", help="published cases; ../shared/diagnosis"
    )
    parser.add_argument("--only", choices=GROUPS)
    parser.add_argument("--kind", help="one kind of planted or published fault")
    parser.add_argument("--quick", action="store_true", help="one seed, three data sets of each kind")
    parser.add_argument("--seeds", type=int, default=5, metavar="N")
    parser.add_argument(
        "--healthy", type=int, metavar="N", help="healthy trainings; as many as planted ones unless given"
    )
    parser.add_argument("--no-cures", action="store_true")
    parser.add_argument("--budget", type=float, metavar="SECONDS", help="of each cure; its own default unless given")
    parser.add_argument("--workers", type=int, default=WORKERS, metavar="N")
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="every trial's result")
    parser.add_argument("--show", metavar="ID", help="print one diagnosis in full")
    asked = parser.parse_args(arguments)
    for path in asked.cases or ():
        if not path.exists():
            parser.error(f"--cases names {path}, which does not exist.")
    if asked.seeds < 1 or asked.workers < 1:
        parser.error("--seeds and --workers need a whole number from 1.")
    return asked


def show(asked: argparse.Namespace) -> None:
    """One trial's diagnoses, before and after training, in full."""
    import glassnet.diagnosis as diagnosis

    for key in keys(asked):
        if key[0] == "published" and asked.show != key[1][1]:
            continue
        if key[0] == "planted" and asked.show != planted.named(key[1]):
            continue
        if key[0] == "healthy" and not asked.show.startswith(f"healthy {key[1]}:"):
            continue
        trial = trial_of(key)
        print(
            f"{trial.id}\n  {trial.network}\n  {dict(trial.asked(), network='')}\n  {trial.kinds}, fails: {trial.fails}"
        )
        print(f"  score {trial.score}, needed {trial.needed}; {'; '.join(trial.nearest)}")
        if trial.cannot is not None:
            print(f"  left out: {trial.cannot}")
            return
        print(diagnosis.diagnose(X=trial.X, Y=trial.Y, validation=trial.validation, **trial.asked()))
        if trial.written is None:
            run = trial.train()
            print(diagnosis.diagnose_run(run))
            if not asked.no_cures and trial.fails:
                print(diagnosis.cure_run(run, budget=asked.budget))
        return
    print(f"There is no training {asked.show!r}; --out FILE.json lists them all.")


def say(done: int, count: int, seconds: float) -> None:
    """Progress, on a terminal only, on one line."""
    if sys.stderr.isatty():
        rest = seconds / done * (count - done)
        print(f"\r\033[K{done} of {count}, {rest / 60:.0f} min left", end="", file=sys.stderr, flush=True)


def save(results: list[dict[str, Any]], path: Path) -> None:
    """Every result, in the order of the names."""
    path.write_text(json.dumps(sorted(results, key=lambda r: (r["group"], r["id"])), indent=1, default=str))


def main() -> None:
    asked = options()
    if asked.show is not None:
        show(asked)
        return
    found = keys(asked)
    results: list[dict[str, Any]] = []
    began = saved = time.perf_counter()
    try:
        for result in all_judged(found, asked):
            results.append(result)
            say(len(results), len(found), time.perf_counter() - began)
            if asked.out and time.perf_counter() - saved > SAVED_EVERY:
                save(results, asked.out)
                saved = time.perf_counter()
    except KeyboardInterrupt:
        print("interrupted: what follows is of the trainings that were judged")
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    for group in GROUPS:
        part = [r for r in results if r["group"] == group]
        if part:
            print(counting.table(group, part) + "\n")
    print(counting.times(results))
    print(f"{len(results)} trainings in {(time.perf_counter() - began) / 60:.1f} minutes")
    if asked.out:
        save(results, asked.out)


if __name__ == "__main__":
    main()
