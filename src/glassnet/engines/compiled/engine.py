"""The compiled engine: the same derivation, lowered to a list of operations that one compiled loop runs.

Training, replaying and resuming run compiled. What a person looks at one step at a time (a trace, a prediction) is evaluated
equation by equation, like on the reference engine, from the state that the compiled loop left.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from glassnet.engines.compiled.machine import Machine, Rows
from glassnet.engines.compiled.programs import Lowered, lower
from glassnet.engines.reference import ReferenceEngine
from glassnet.equations.derive import Derivation


class CompiledEngine(ReferenceEngine):
    """Runs a derivation in compiled code.

    Parameters
    ----------
    derivation : the equations
    dtype : "float64" or "float32"
    leave_out : names of rewrites that are not made (the conformance tests switch them off)
    """

    name = "compiled"

    def __init__(self, derivation: Derivation, dtype: str = "float64", leave_out: tuple[str, ...] = ()) -> None:
        super().__init__(derivation, dtype)
        self.kind = dtype
        self.leave_out = leave_out
        self._lock = threading.Lock()
        self._idle: tuple[tuple[Any, ...], Machine] | None = None

    @contextmanager
    def machine(
        self, data: Rows, batch: int | None, order: str, seed: int, checked: Rows, validation: Rows | None,
        metric: tuple[int, int], threads: int,
    ) -> Iterator[Machine]:  # fmt: skip
        """A machine for these data, lent to one user at a time: it has one memory.

        The one that was given back last is lent again when nothing has changed. While it is away (a callback looks at an
        earlier iteration of the training that calls it) another is made, so nobody waits for anybody.
        """
        same = (data.X, data.Y, data.w, checked.X, None if validation is None else validation.X)
        key = (*(None if a is None else a.ctypes.data for a in same), len(data), batch, order, seed, metric, threads)
        with self._lock:
            lent, self._idle = self._idle, None
        if lent is None or lent[0] != key:
            few = min(len(data), batch or len(data)) < FEWEST_ROWS
            leave_out = (*self.leave_out, "narrow layer") if few else self.leave_out
            lowered = lowered_once(self.derivation, metric, leave_out)
            made = Machine(lowered, self.kind, data, batch, order, seed, checked, validation, metric[1], threads)
            lent = (key, made)
        try:
            yield lent[1]
        finally:
            with self._lock:
                self._idle = lent


FEWEST_ROWS = 64
"""A unit at a time pays when its values fill a few vector registers."""
KEPT = 64
_lowered: OrderedDict[Hashable, Lowered] = OrderedDict()


def lowered_once(derivation: Derivation, metric: tuple[int, int], leave_out: tuple[str, ...]) -> Lowered:
    """The operations of a derivation; those of the latest ones are kept."""
    d = derivation
    key = (d.network, d.loss, d.optimizer, d.l1, d.l2, d.penalty_on, d.weighted, metric, leave_out)
    found = _lowered.get(key)
    if found is None:
        found = _lowered[key] = lower(derivation, metric, leave_out)
        if len(_lowered) > KEPT:
            _lowered.popitem(last=False)
    return found


def rows(samples: Any) -> Rows:
    """Samples as the machine reads them."""
    w = None if samples.w is None else np.ascontiguousarray(samples.w)
    X = np.ascontiguousarray(samples.X)
    return Rows(X.reshape(len(X), -1), np.ascontiguousarray(samples.Y), w)
