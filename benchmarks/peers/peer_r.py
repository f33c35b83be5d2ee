"""R, in the code of the tutorials: `flower.R` trains and tells its own seconds."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers import Trainer
from benchmarks.workloads import Parameters, Problem


class Script:
    """One process of Rscript a run; its own clock is read."""

    def __init__(self, problem: Problem) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.place, self.w, self.layers = Path(self.folder.name), problem.workload, len(problem.start)
        np.savetxt(self.place / "X.csv", problem.X, delimiter=",")
        np.savetxt(self.place / "Y.csv", problem.targets, delimiter=",")
        for n, (W, b) in enumerate(problem.start, 1):
            np.savetxt(self.place / f"W{n}.csv", W, delimiter=",")
            np.savetxt(self.place / f"b{n}.csv", b, delimiter=",")
        self.seconds: float | None = None

    def run(self) -> None:
        script = str(Path(__file__).parent / "flower.R")
        done = subprocess.run(
            ["Rscript", "--vanilla", script, str(self.place), str(self.w.epochs), str(self.w.rate)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        self.seconds = float(done.stdout.split()[-1])

    def parameters(self) -> Parameters:
        def read(name: str) -> np.ndarray:
            return np.loadtxt(self.place / f"{name}.out.csv", delimiter=",", ndmin=2)

        shapes = zip(self.w.widths, self.w.widths[1:], strict=False)
        return [(read(f"W{n}").reshape(shape), read(f"b{n}").ravel()) for n, shape in enumerate(shapes, 1)]

    def facts(self) -> dict[str, Any]:
        import resource

        return {"dtype": "float64", "peak_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024}


def prepare(problem: Problem, variant: str) -> Trainer:
    return Script(problem)
