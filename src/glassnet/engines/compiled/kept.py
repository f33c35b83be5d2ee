"""Compiled code kept on disk, so that a second process is training within a second.

Numba keeps compiled code beside the source, or in a folder of its own, and looks whether the one file has changed in which
the function stands. Ours stands on several files, may be installed where nobody can write, and must then still run. So it has
a folder of its own, and everything it is made from goes into the mark by which it is known.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import numba
from numba import njit
from numba.core import event
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator


def cache_folder() -> Path:
    """Where compiled code is kept: $GLASSNET_CACHE, or the user's cache folder."""
    named = os.environ.get("GLASSNET_CACHE")
    if named:
        return Path(named)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "glassnet"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "glassnet"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "glassnet"


@cache
def source_mark() -> str:
    """What the compiled code is made from, in short: our files, Numba and LLVM."""
    mark = hashlib.sha256(f"{numba.__version__} {llvmlite.__version__} {sys.version_info[:2]}".encode())
    here = Path(__file__).parent
    for path in (*sorted(here.glob("*.py")), here.parent.parent / "equations" / "draws.py"):
        mark.update(path.read_bytes())
    return mark.hexdigest()[:24]


class _Locator(_CacheLocator):
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get_cache_path(self) -> str:
        return str(self.folder)

    def get_source_stamp(self) -> str:
        return source_mark()

    def get_disambiguator(self) -> str:
        return source_mark()[:8]

    @classmethod
    def from_function(cls, function: Any, path: str) -> _Locator | None:
        try:
            locator = cls(cache_folder() / "kernels")
            locator.ensure_cache_path()
        except (OSError, RuntimeError):  # nowhere to write, or no home
            return None
        return locator


class _Implementation(CompileResultCacheImpl):
    _locator_classes = (_Locator,)


class _Cache(FunctionCache):
    _impl_class = _Implementation


unkept: list[str] = []
"""Why compiled code cannot be kept; empty when it can."""


def kept(function: Callable[..., Any]) -> Any:
    """The function compiled at its first call, without the GIL, and kept on disk where that is possible."""
    dispatcher = njit(nogil=True)(function)
    try:
        dispatcher._cache = _Cache(function)
    except (RuntimeError, OSError):
        unkept[:] = [
            f"The compiled code cannot be kept in {cache_folder()}, so every new process compiles it again; set "
            "GLASSNET_CACHE to a folder that can be written."
        ]
    return dispatcher


class _Speaking(event.Listener):
    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self.said = False

    def on_start(self, what: Any) -> None:
        if not self.said:
            self.said = True
            again = unkept[0] if unkept else "It is kept for the next time."
            self.say(f"Compiling the training loop (about half a minute). {again}")

    def on_end(self, what: Any) -> None:
        pass


@contextmanager
def compiling_said(say: Callable[[str], None]) -> Iterator[None]:
    """Within this context a compilation is announced by one sentence."""
    with event.install_listener("numba:compile", _Speaking(say)):
        yield
