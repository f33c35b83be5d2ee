"""One peer filters one picture, in a process of its own: prints one line of JSON.

Imports, data, compilation and a first call are outside the clock.

    python -m benchmarks.filtering_peer glassnet --side 512 --repeats 5
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

COUNT, KERNEL = 64, 5
PEERS = ("glassnet", "R", "python", "scipy", "torch", "jax")
LOOPED = 1
"""Filters that a loop over pixels is timed for; all take as long as each other."""

Filter = Callable[[], Any]


def data(side: int) -> tuple[np.ndarray, np.ndarray]:
    """A picture of numbers from 0 to 1, and 64 kernels of −1, 0 and 1, as the tutorial draws them."""
    draws = np.random.default_rng(0)
    image = draws.random((side, side)).astype(np.float32)
    return image, draws.integers(-1, 2, (COUNT, KERNEL, KERNEL)).astype(np.float32)


def glassnet(image: np.ndarray, kernels: np.ndarray) -> Filter:
    import glassnet as gn

    return lambda: gn.convolve(image, kernels)


def scipy(image: np.ndarray, kernels: np.ndarray) -> Filter:
    """By whichever of its two methods is faster, as it chooses itself."""
    from scipy.signal import correlate

    return lambda: np.stack([correlate(image, kernel, "valid") for kernel in kernels])


def torch(image: np.ndarray, kernels: np.ndarray) -> Filter:
    import torch

    torch.set_num_threads(2)
    X, W = torch.from_numpy(image)[None, None], torch.from_numpy(kernels)[:, None]
    with torch.inference_mode():
        X, W = X.clone(), W.clone()

    def once() -> np.ndarray:
        with torch.inference_mode():
            return torch.nn.functional.conv2d(X, W)[0].numpy()

    return once


def jax(image: np.ndarray, kernels: np.ndarray) -> Filter:
    import jax
    from jax import lax

    X, W = jax.numpy.asarray(image)[None, None], jax.numpy.asarray(kernels)[:, None]
    once = jax.jit(lambda X, W: lax.conv_general_dilated(X, W, (1, 1), "VALID")[0])
    return lambda: jax.block_until_ready(once(X, W))


def python(image: np.ndarray, kernels: np.ndarray) -> Filter:
    """The tutorial's loop in Python: one call of NumPy a pixel, as its R function has one call of `sum` a pixel."""

    def one(X: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        height, width = (size - KERNEL + 1 for size in X.shape)
        found = np.empty((height, width))
        for r in range(height):
            for c in range(width):
                found[r, c] = (X[r : r + KERNEL, c : c + KERNEL] * kernel).sum()
        return found

    X, W = image.astype(np.float64), kernels[:LOOPED].astype(np.float64)
    return lambda: np.stack([one(X, kernel) for kernel in W])


class Script:
    """Rscript runs the tutorial's own loop and tells its own seconds."""

    def __init__(self, image: np.ndarray, kernels: np.ndarray) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.place, self.seconds = Path(self.folder.name), 0.0
        side = len(image)
        self.shape = (LOOPED, side - KERNEL + 1, side - KERNEL + 1)
        np.savetxt(self.place / "image.csv", image, delimiter=",")
        np.savetxt(self.place / "kernels.csv", kernels[:LOOPED].reshape(LOOPED, -1), delimiter=",")

    def __call__(self) -> np.ndarray:
        script = str(Path(__file__).parent / "peers" / "filter.R")
        done = subprocess.run(
            ["Rscript", "--vanilla", script, str(self.place)], capture_output=True, text=True, check=True
        )
        self.seconds = float(done.stdout.split()[-1])
        return np.fromfile(self.place / "maps.bin").reshape(self.shape)


def away(maps: np.ndarray, image: np.ndarray, kernels: np.ndarray) -> float:
    """The largest difference from scipy.signal.correlate2d in float64, of its largest entry; of the first and last map."""
    from scipy.signal import correlate2d

    worst = 0.0
    for number in {0, len(maps) - 1}:
        right = correlate2d(image.astype(np.float64), kernels[number].astype(np.float64), "valid")
        worst = max(worst, float(np.abs(maps[number] - right).max() / np.abs(right).max()))
    return worst


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=5)
    asked = parser.parse_args()
    image, kernels = data(asked.side)
    makers = {"glassnet": glassnet, "scipy": scipy, "torch": torch, "jax": jax, "python": python, "R": Script}
    work = makers[asked.peer](image, kernels)
    maps = np.asarray(work())
    share = COUNT / len(maps)
    seconds = []
    for _ in range(asked.repeats):
        start = time.perf_counter()
        work()
        passed = time.perf_counter() - start
        seconds.append(share * (getattr(work, "seconds", None) or passed))
    found = {"seconds": statistics.median(seconds), "all": seconds, "timed": len(maps)}
    print(json.dumps({**found, "away": away(maps, image, kernels)}))


if __name__ == "__main__":
    main()
