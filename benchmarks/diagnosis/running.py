"""The trials that are asked for, made and judged in worker processes."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.diagnosis import healthy, planted, published
from benchmarks.diagnosis.judge import judge
from benchmarks.diagnosis.trials import Trial
from benchmarks.machine import ROOT

FOLDER = Path(ROOT).parent / "shared" / "diagnosis"
TRIES = 1.4
"""Healthy trainings that are tried for each that is wanted: some do not learn."""
Key = tuple[str, Any]
"""(group, what names a trial in it)."""


@cache
def cases_in(path: Path) -> dict[str, dict[str, Any]]:
    return {case["id"]: case for case in published.read(path)}


def keys(asked: argparse.Namespace) -> list[Key]:
    """What is to be judged: the group and what names a trial in it."""
    found: list[Key] = []
    if asked.only in (None, "published"):
        given = asked.cases or ([FOLDER] if FOLDER.is_dir() else [])
        if not given:
            print(f"no published cases: there is no folder {FOLDER.name}; name one with --cases FOLDER")
        files = [file for path in given for file in (published.files_in(path) if path.is_dir() else [path])]
        for file in files:
            for name, case in cases_in(file).items():
                if asked.kind in (None, *case["fault_kinds"]):
                    found.append(("published", (file, name)))
    seeds, most = (1, 3) if asked.quick else (asked.seeds, None)
    faults = planted.keys(seeds, most, asked.kind)
    if asked.only in (None, "planted"):
        found += [("planted", key) for key in faults]
    if asked.only == "healthy" or (asked.only is None and asked.kind is None):
        count = round(TRIES * len(faults)) if asked.healthy is None else asked.healthy
        found += [("healthy", number) for number in healthy.keys(count)]
    return found


def trial_of(key: Key) -> Trial:
    """The trial that a key names, its outcome measured."""
    group, name = key
    if group == "published":
        file, which = name
        return published.trial_of(cases_in(file)[which], file.parent)
    return planted.trial_of(name) if group == "planted" else healthy.trial_of(name)


def judged(key: Key, cures: bool, budget: float | None) -> dict[str, Any]:
    """In a worker process: make, measure and judge one trial."""
    try:
        return judge(trial_of(key), cures, budget)
    except Exception as problem:  # said in the table's notes; the other trials go on
        return {
            "id": str(key), "group": key[0], "kinds": [], "fails": None, "borderline": False, "reported": False,
            "cannot": f"{type(problem).__name__}: {problem}", "needed": None,
        }  # fmt: skip


def all_judged(found: list[Key], asked: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """The results as they come."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    cures = not asked.no_cures
    with ProcessPoolExecutor(asked.workers, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(judged, key, cures, asked.budget) for key in found]
        for done in as_completed(waiting):
            yield done.result()
