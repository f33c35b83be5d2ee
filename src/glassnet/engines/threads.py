"""Several threads over the rows of large data, with BLAS alone in each."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Any

PIECE = 65536
"""Rows that one thread takes at a time."""


@cache
def _libraries() -> Any:
    """The BLAS libraries of this process; finding them takes longer than limiting them."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


class _Alone:
    """How many calls want BLAS on one thread; the setting is the process's, so the last to leave takes it back."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.inside = 0
        self.limit: Any = None

    def enter(self) -> None:
        with self.lock:
            if not self.inside:
                self.limit = _libraries().limit(limits=1, user_api="blas")
                self.limit.__enter__()
            self.inside += 1

    def leave(self) -> None:
        with self.lock:
            self.inside -= 1
            if not self.inside:
                self.limit.__exit__(None, None, None)


_alone = _Alone()


@contextmanager
def blas_alone() -> Iterator[None]:
    """A context in which BLAS starts no threads of its own: on small blocks they wait for each other (measured)."""
    _alone.enter()
    try:
        yield
    finally:
        _alone.leave()


@cache
def helper_threads(lanes: int) -> ThreadPoolExecutor:
    """Threads that help compiled loops: a few trainings at a time have helpers, more do without."""
    return ThreadPoolExecutor(max(1, 2 * (lanes - 1)), thread_name_prefix="glassnet-lane")


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="glassnet")


def in_threads(work: Callable[[slice], Any], rows: int, piece: int | None = None) -> Iterator[Any]:
    """The results of `work` on consecutive rows, in their order, so that their sum does not depend on the threads."""
    size = piece or PIECE
    parts = [slice(start, min(start + size, rows)) for start in range(0, rows, size)]
    threads = min(len(parts), os.cpu_count() or 1)
    if threads <= 1:
        yield from map(work, parts)
        return
    with blas_alone():
        yield from _pool(threads).map(work, parts)
