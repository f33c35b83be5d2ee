"""What this machine can do, measured: the rate of a float32 matrix product, and of copying memory.

python -m benchmarks.machine        one line of JSON; a process of its own, with the threads its environment allows
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

THREADS = 2
"""Allowed to every peer."""
LIBRARIES = ("glassnet", "numpy", "scipy", "scikit-learn", "numba", "torch", "jax", "jaxlib")
ROOT = Path(__file__).parent.parent


def environment() -> dict[str, str]:
    """The environment of a measured process: at most two threads, whatever library starts them."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "BLIS_NUM_THREADS")
    return {**os.environ, **{name: str(min(THREADS, os.cpu_count() or 1)) for name in names}}


def two_cores() -> None:
    """Called in a child before it starts: no library can take more cores than the others may."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])


def best(work: Callable[[], Any], repeats: int) -> float:
    """Seconds of the fastest call: a limit is what was reached once."""
    work()
    found = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return min(found)


def limits(quick: bool = False) -> dict[str, float]:
    """GFLOP/s of a 2048 × 2048 product, and GB/s (read and written) of copies of 10 and of 512 MB."""
    import numpy as np

    size = 256 if quick else 2048
    A, B = (np.random.default_rng(seed).random((size, size), dtype=np.float32) for seed in (0, 1))
    C = np.empty_like(A)
    found = {"gemm_gflops": 2e-9 * size**3 / best(lambda: np.matmul(A, B, out=C), 7)}
    sizes = {"copy_gb_s_x": 209 * 12_288 * 4, "copy_gb_s_512mb": 2**24 if quick else 2**29}
    for name, size in sizes.items():
        source = np.ones(size // 4, np.float32)
        target = np.zeros_like(source)
        repeats = 50 if size < 2**25 else 5
        found[name] = 2e-9 * source.nbytes / best(lambda a=source, b=target: np.copyto(b, a), repeats)
    return found


def measured_limits(quick: bool = False) -> dict[str, float]:
    """`limits`, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.machine", *(["--quick"] if quick else [])]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=ROOT, env=environment(),
        preexec_fn=two_cores if os.name == "posix" else None,
    )  # fmt: skip
    return dict(json.loads(done.stdout.splitlines()[-1]))


def processor() -> str:
    """The processor's name, as the system tells it."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def described() -> dict[str, Any]:
    """Machine and versions, for the head of the table."""
    versions: dict[str, str | None] = {}
    for name in LIBRARIES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = None
    return {
        "processor": processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "threads": min(THREADS, os.cpu_count() or 1),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        "versions": versions,
    }


def memory_mb(kind: str) -> float:
    """Of this process: "VmRSS" now, or "VmHWM", the most it ever had."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith(f"{kind}:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)


def available_bytes() -> int | None:
    """Memory that a new process can have, where the system tells it."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return None


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    print(json.dumps(limits(parser.parse_args().quick)))
