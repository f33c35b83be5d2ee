"""Who is compared, where each is found, and why one is not there. Imports nothing that a peer's clock should see."""

from __future__ import annotations

import importlib.util
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.workloads import Workload


@dataclass(frozen=True)
class Peer:
    """A name in the table: the module that runs it, the library whose import is timed, and how it is asked to."""

    name: str
    module: str
    library: str
    variant: str = ""


PEERS = {
    p.name: p
    for p in (
        Peer("glassnet", "peer_glassnet", "glassnet"),
        Peer("glassnet-last", "peer_glassnet", "glassnet", "last"),
        Peer("glassnet-train", "peer_glassnet", "glassnet", "train"),
        Peer("glassnet-reference", "peer_glassnet", "glassnet", "reference"),
        Peer("scikit-learn", "peer_sklearn", "sklearn.neural_network"),
        Peer("torch", "peer_torch", "torch"),
        Peer("torch-compile", "peer_torch", "torch", "compile"),
        Peer("torch-channels-last", "peer_torch", "torch", "channels_last"),
        Peer("jax", "peer_jax", "jax"),
        Peer("jax-steps", "peer_jax", "jax", "steps"),
        Peer("numpy", "peer_numpy", "numpy"),
        Peer("R", "peer_r", "numpy"),
    )
}
"""R's own process starts outside the clock, so what its peer imports is NumPy."""

DEFAULT = ("glassnet", "scikit-learn", "torch", "torch-compile", "jax", "numpy", "R")


def asked_for(names: tuple[str, ...], workload: Workload) -> list[str]:
    """The peers of one workload: with glassnet come its variants, with torch and JAX their other ways with images."""
    found = []
    for name in names:
        found.append(name)
        if name == "glassnet":
            found.append("glassnet-train" if workload.name == "iris" else "glassnet-last")
        if name == "torch" and workload.stages:
            found.append("torch-channels-last")
        if name == "jax" and workload.stages:
            found.append("jax-steps")
    return list(dict.fromkeys(found))


def not_applicable(name: str, workload: Workload) -> str | None:
    """Why this peer cannot do this workload at all; None when it can."""
    if name == "scikit-learn" and workload.stages:
        return "no convolutions"
    if name == "scikit-learn" and workload.is_regression:
        return "no full-batch gradient descent of a logistic regression"
    if name == "R" and workload.name != "flower":
        return "only flower"
    if name in ("torch-channels-last", "jax-steps") and not workload.stages:
        return "only for networks of images"
    if name == "glassnet-train" and workload.unit != "fit":
        return "only iris; elsewhere glassnet is gn.train"
    if name == "glassnet-last" and workload.unit == "fit":
        return "the estimator records as it always does"
    return None


def missing(name: str) -> str | None:
    """What is not installed here; None when all is."""
    peer = PEERS[name]
    package = peer.library.partition(".")[0]
    if importlib.util.find_spec(package) is None:
        return f"{package} is not installed"
    if name == "R" and shutil.which("Rscript") is None:
        return "Rscript is not on PATH"
    if name == "torch-compile" and not any(shutil.which(c) for c in ("c++", "g++", "clang++")):
        return "torch.compile needs a C++ compiler"
    return None
