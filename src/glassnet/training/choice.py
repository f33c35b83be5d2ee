"""Which engine a training gets, and on how many threads: by the work to be done, never by what the machine did before."""

from __future__ import annotations

import os
from math import prod

from glassnet.engines.reference import ReferenceEngine
from glassnet.equations.derive import Derivation
from glassnet.equations.optimizers import LBFGS, LeastSquares, Newton
from glassnet.errors import GlassnetError
from glassnet.training.arrays import Samples, sparse
from glassnet.training.settings import Settings

SECONDS_TO_LOAD = 0.5
"""What loading the compiled loop takes in a new process (measured: 0.45 s)."""
MOST_THREADS = 8
LBFGS_EVALUATIONS = 1.3
"""Evaluations of the cost an iteration."""


def cores() -> int:
    """The cores this process may use, eight at most."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(MOST_THREADS, available)


def reference_seconds(derivation: Derivation, rows: int, batch: int | None, epochs: int) -> float:
    """About how long the reference engine would take.

    Each equation costs a few calls of Python an update, each weight six operations a sample and place it is used at (a filter's
    is used at every place of its map), each unit some passes over memory.
    """
    updates = epochs * (1 if batch is None else -(-rows // batch))
    size = rows if batch is None else min(batch, rows)
    of_samples = [e for e in derivation.forward if len(e.shape) > 1 and e.shape[0] == "m"]
    places = {e.layer: prod(int(d) for d in e.shape[2:]) for e in of_samples if e.name == f"Z{e.layer}"}
    # A batch norm of the inputs stands before every weight.
    inputs = prod(derivation.network.input_shape[1:])
    uses = sum(prod(int(d) for d in p.symbol.shape) * places.get(p.layer, inputs) for p in derivation.parameters)
    units = sum(prod(int(d) for d in e.shape[1:]) for e in of_samples)
    weights = float(derivation.parameter_count)
    update = 4e-6 * len(derivation.equations) + size * (6 * uses / 4e10 + 2e-8 * units) + 4e-9 * weights
    return float(updates * update)


def chosen_engine(settings: Settings, derivation: Derivation, samples: Samples, epochs: int | None = None) -> str:
    """ "reference" or "compiled".

    Parameters
    ----------
    epochs : judge as if so many were asked for

    Raises
    ------
    GlassnetError : the compiled engine was asked for and cannot do this
    """
    direct = isinstance(settings.optimizer, LeastSquares | Newton)
    if settings.engine == "compiled" and sparse(samples.X):
        raise GlassnetError(
            "engine='compiled' got sparse X; it needs every entry: pass X.toarray(), or engine='reference'."
        )
    if settings.engine == "compiled" and direct:
        name = type(settings.optimizer).__name__
        raise GlassnetError(f"engine='compiled' got {name}, which is no loop of updates; leave engine at 'auto'.")
    if settings.engine != "auto":
        return settings.engine
    if direct or sparse(samples.X) or settings.loss.name == "perceptron":
        return ReferenceEngine.name
    asked = settings.epochs if epochs is None else epochs
    seconds = reference_seconds(derivation, len(samples), settings.batch_size, asked)
    if isinstance(settings.optimizer, LBFGS):
        seconds *= LBFGS_EVALUATIONS
    return "compiled" if seconds > SECONDS_TO_LOAD else ReferenceEngine.name
