"""The wait for a first fit: a whole process, from its start to its end, with imports and whatever is compiled."""

from __future__ import annotations

import importlib.util
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.machine import environment

ESTIMATOR = """
from sklearn.datasets import load_iris
from {module} import MLPClassifier
X, y = load_iris(return_X_y=True)
model = MLPClassifier(hidden_layer_sizes=(32,), learning_rate_init=0.01, batch_size=32, max_iter=100,
                      n_iter_no_change=1000, random_state=0).fit(X, y)
print(model.score(X, y))
"""

TORCH = """
import torch
from sklearn.datasets import load_iris
X, y = load_iris(return_X_y=True)
X, y = torch.tensor(X, dtype=torch.float32), torch.tensor(y)
torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(4, 32), torch.nn.ReLU(), torch.nn.Linear(32, 3))
optimizer, criterion = torch.optim.Adam(model.parameters(), lr=0.01), torch.nn.CrossEntropyLoss()
for epoch in range(100):
    order = torch.randperm(len(X))
    for rows in order.split(32):
        optimizer.zero_grad()
        criterion(model(X[rows]), y[rows]).backward()
        optimizer.step()
print((model(X).argmax(1) == y).float().mean().item())
"""

CLI = "import sys; from glassnet.cli.main import main; sys.argv[0] = 'glassnet'; main()"

PROCESSES: dict[str, tuple[str, list[str]]] = {
    "glassnet train iris": ("glassnet", ["-c", CLI, "train", "iris"]),
    "glassnet train iris --no-plots --no-baseline": (
        "glassnet",
        ["-c", CLI, "train", "iris", "--no-plots", "--no-baseline"],
    ),
    "script, glassnet's MLPClassifier": ("glassnet", ["-c", ESTIMATOR.format(module="glassnet")]),
    "script, scikit-learn's MLPClassifier": ("sklearn", ["-c", ESTIMATOR.format(module="sklearn.neural_network")]),
    "script, torch": ("torch", ["-c", TORCH]),
}
"""What is timed: the package it needs, and the arguments to Python. All train 4 → 32 → 3 for 100 epochs of Adam."""


def latencies(repeats: int = 3) -> list[dict[str, Any]]:
    """Median seconds of each process, in rounds."""
    rows = []
    for name, (package, arguments) in PROCESSES.items():
        absent = importlib.util.find_spec(package) is None
        row: dict[str, Any] = {"process": name}
        rows.append(row | {"missing": f"{package} is not installed"} if absent else row | {"all": [], "run": arguments})
    for _ in range(repeats):
        for row in rows:
            if "missing" in row:
                continue
            with tempfile.TemporaryDirectory() as place:
                start = time.perf_counter()
                done = subprocess.run(
                    [sys.executable, *row["run"]], capture_output=True, text=True, cwd=Path(place), env=environment()
                )
                row["all"].append(time.perf_counter() - start)
                if done.returncode:
                    row["missing"] = f"failed: {(done.stderr.strip().splitlines() or ['?'])[-1]}"
    for row in rows:
        row.pop("run", None)
        if "missing" not in row:
            row["seconds"] = statistics.median(row["all"])
    return rows
