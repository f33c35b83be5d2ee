"""Engines: ways to run a derivation. `engine("auto", ...)` picks one."""

from __future__ import annotations

from glassnet.engines.base import Engine
from glassnet.equations.derive import Derivation
from glassnet.errors import GlassnetError, unknown_name

ENGINES = ("auto", "reference", "compiled")


def engine(name: str, derivation: Derivation, dtype: str) -> Engine:
    """An engine by name, ready to run this derivation.

    Raises
    ------
    GlassnetError : no such engine
    """
    if name not in ENGINES:
        raise GlassnetError(unknown_name("engine", name, ENGINES))
    if name == "compiled":
        from glassnet.engines.compiled.engine import CompiledEngine

        return CompiledEngine(derivation, dtype)
    from glassnet.engines.reference import ReferenceEngine

    return ReferenceEngine(derivation, dtype)
