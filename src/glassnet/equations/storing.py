"""Descriptions (networks, losses, optimisers, expressions) as plain JSON values and back.

Nothing is executed or unpickled on the way back: a kind is looked up in a table of known classes and its fields are
checked by its own constructor.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from glassnet.equations import expression as tree
from glassnet.equations.draws import ShuffleStream
from glassnet.equations.functions import ACTIVATIONS, PRIMITIVES, Defined, FunctionKind
from glassnet.equations.losses import LOSSES, Loss
from glassnet.equations.optimizers import OPTIMIZERS
from glassnet.equations.proximal import ProximalGradient
from glassnet.equations.schedules import SCHEDULES
from glassnet.errors import GlassnetError

NODES = {
    kind.__name__: kind
    for kind in (
        tree.Symbol, tree.Constant, tree.Add, tree.Subtract, tree.Multiply, tree.Divide, tree.Power, tree.Compare,
        tree.MatMul, tree.Negate, tree.Transpose, tree.Sum, tree.Mean, tree.Function,
    )
}  # fmt: skip
KNOWN: dict[str, type] = {
    **NODES,
    **SCHEDULES,
    **{kind.__name__: kind for kind in OPTIMIZERS.values()},
    "ProximalGradient": ProximalGradient,
    "ShuffleStream": ShuffleStream,
    "Loss": Loss,
    "Defined": Defined,
}


def to_plain(value: Any) -> Any:
    """A description as dicts, lists, strings, numbers, booleans and None."""
    if isinstance(value, FunctionKind) and not _is_own(value):
        return {"is": "function", "name": value.name}
    if isinstance(value, Loss) and LOSSES.get(value.name) == value:
        return {"is": "loss", "name": value.name}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: to_plain(getattr(value, f.name)) for f in dataclasses.fields(value) if f.init}
        return {"is": type(value).__name__, **fields}
    if isinstance(value, tuple | list):
        return [to_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise TypeError(f"{type(value).__name__} cannot be stored as JSON.")


def _is_own(kind: FunctionKind) -> bool:
    return isinstance(kind, Defined) and ACTIVATIONS.get(kind.name) != kind


def from_plain(value: Any, known: Mapping[str, type] = KNOWN) -> Any:
    """The description that `to_plain` was given.

    Raises
    ------
    GlassnetError : a kind that is not in `known`, or fields that its constructor refuses
    """
    if isinstance(value, list):
        return tuple(from_plain(item, known) for item in value)
    if not isinstance(value, dict):
        return value
    if "is" not in value:
        return {key: from_plain(item, known) for key, item in value.items()}
    kind = value["is"]
    if kind == "function":
        functions = {**PRIMITIVES, **ACTIVATIONS}
        if value.get("name") not in functions:
            raise GlassnetError(f"A stored description names the function {value.get('name')!r}, which is not known.")
        return functions[value["name"]]
    if kind == "loss":
        if value.get("name") not in LOSSES:
            raise GlassnetError(f"A stored description names the loss {value.get('name')!r}, which is not known.")
        return LOSSES[value["name"]]
    if kind not in known:
        raise GlassnetError(f"A stored description has the kind {kind!r}, which this glassnet does not know.")
    fields = {key: from_plain(item, known) for key, item in value.items() if key != "is"}
    try:
        return known[kind](**fields)
    except TypeError as problem:
        raise GlassnetError(
            f"A stored {kind} has the fields {', '.join(fields)}, which do not fit: {problem}."
        ) from None
