"""Several threads over the rows of large data, with BLAS alone in each."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

PIECE = 65536
"""Rows that one thread takes at a time."""


@cache
def _libraries() -> list[Any]:
    """The BLAS libraries of this process; finding them takes longer than setting their threads."""
    import scipy.linalg.cython_blas  # brings a BLAS of its own, which must be among them
    from threadpoolctl import ThreadpoolController

    assert scipy.linalg.cython_blas
    return list(ThreadpoolController().select(user_api="blas").lib_controllers)


class _Alone:
    """How many calls want BLAS on one thread; the setting is the process's, so the last to leave takes it back."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.inside = 0
        self.before: list[int] = []

    def enter(self) -> None:
        with self.lock:
            if not self.inside:
                self.before = [library.get_num_threads() for library in _libraries()]
                for library in _libraries():
                    library.set_num_threads(1)
            self.inside += 1

    def leave(self) -> None:
        with self.lock:
            self.inside -= 1
            if not self.inside:
                for library, threads in zip(_libraries(), self.before, strict=True):
                    library.set_num_threads(threads)


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


def present_core() -> int:
    """The core this thread runs on; −1 where the system does not say."""
    try:
        return int(ctypes.CDLL(None).sched_getcpu())
    except (AttributeError, OSError, TypeError):
        return -1


def elsewhere(core: int) -> None:
    """Keep this thread off that core.

    A new thread starts where it was made, and the system takes a tenth of a second to notice that two threads which look
    out for each other share a core (measured): so long, two are no faster than one.
    """
    if core < 0 or not hasattr(os, "sched_setaffinity"):
        return
    others = os.sched_getaffinity(os.getpid()) - {core}
    if others:
        with suppress(OSError):  # a core that has just been taken away
            os.sched_setaffinity(0, others)


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
