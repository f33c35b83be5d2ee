"""A training as Python that can be pasted and run: networks, optimisers and the call of `gn.train`."""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from glassnet.diagnosis.changes import DataChange
from glassnet.equations.functions import ACTIVATIONS, FunctionKind
from glassnet.equations.losses import LOSSES, Loss
from glassnet.equations.optimizers import OPTIMIZERS
from glassnet.equations.schedules import SCHEDULES, ConstantRate
from glassnet.network import LAYERS, Network
from glassnet.training import train
from glassnet.training.augmentation import Augmentation

BY_PLACE = {"units", "filters", "kernel_size", "activation", "size", "rate", "learning_rate"}
"""Fields that a person writes without their names: Dense(40, "tanh"), Adam(0.01)."""
PUBLIC = {*LAYERS.values(), *OPTIMIZERS.values(), *SCHEDULES.values(), Augmentation} - {ConstantRate}
"""Descriptions that `glassnet` itself offers, as gn.Dense."""
NUMBERS_WRITTEN = 60
"""An array with more numbers is not written out."""
WIDTH = 100


class Source:
    """Python for values, and what must stand before it: imports, and names that the reader has to fill in."""

    def __init__(self) -> None:
        self.imports: list[str] = []
        self.remarks: list[str] = []

    def of(self, value: Any, name: str = "value") -> str:
        """The value as Python; `name` is what an array that is too long to write out is called."""
        if isinstance(value, Network):
            shape = value.input_shape[0] if len(value.input_shape) == 1 else value.input_shape
            return f"gn.Network({', '.join([repr(shape), *(self.of(layer) for layer in value.layers)])})"
        if isinstance(value, Loss | FunctionKind):
            known: Mapping[str, Any] = LOSSES if isinstance(value, Loss) else ACTIVATIONS
            if known.get(value.name) == value:
                return _quoted(value.name)
            self._remark(f"{value.name}: your own {'loss' if isinstance(value, Loss) else 'activation'}, as before.")
            return value.name
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return self._description(value)
        if isinstance(value, np.ndarray):
            return self._array(value, name)
        if isinstance(value, np.generic):
            return repr(value.item())
        if isinstance(value, Mapping):
            return (
                "{" + ", ".join(f"{_quoted(str(key))}: {self.of(item, str(key))}" for key, item in value.items()) + "}"
            )
        if isinstance(value, tuple | list):
            inside = ", ".join(self.of(item) for item in value)
            if isinstance(value, list):
                return f"[{inside}]"
            return f"({inside},)" if len(value) == 1 else f"({inside})"
        return _quoted(value) if isinstance(value, str) else repr(value)

    def _description(self, value: Any) -> str:
        """A layer, an optimiser, a schedule, ...: its fields that are not at their defaults."""
        parts, by_place = [], True
        for field in dataclasses.fields(value):
            if not field.init:
                continue
            held = getattr(value, field.name)
            needed = field.default is dataclasses.MISSING or field.name == "learning_rate"
            if not needed and held == field.default:
                by_place = False
                continue
            by_place = by_place and (needed or field.name in BY_PLACE)
            parts.append(self.of(held) if by_place else f"{field.name}={self.of(held)}")
        return f"{self._called(type(value))}({', '.join(parts)})"

    def _called(self, kind: type) -> str:
        if kind in PUBLIC:
            return f"gn.{kind.__name__}"
        line = f"from {kind.__module__} import {kind.__name__}"
        if line not in self.imports:
            self.imports.append(line)
        return kind.__name__

    def _array(self, value: np.ndarray, name: str) -> str:
        if value.size <= NUMBERS_WRITTEN and np.isfinite(value).all():
            kind = "" if value.dtype == np.asarray(value.tolist()).dtype else f", dtype=np.{value.dtype.name}"
            return f"np.array({value.tolist()}{kind})"
        self._remark(f"{name}: an array of shape {value.shape}, as before.")
        return name

    def _remark(self, sentence: str) -> None:
        if sentence not in self.remarks:
            self.remarks.append(sentence)


def written(value: Any) -> str:
    """A setting as a person writes it in a line: "SGD(0.1)", "mean_squared_error"; a network in its notation.

    >>> from glassnet.equations.optimizers import SGD
    >>> written(SGD(10.0, momentum=0.9))
    'SGD(10, momentum=0.9)'
    """
    if isinstance(value, Network):
        return str(value)
    if isinstance(value, Loss):
        return value.name
    if isinstance(value, str):
        return value
    if isinstance(value, np.ndarray):
        return f"array of shape {value.shape}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {written(item)}" for name, item in value.items())
    return re.sub(r"(?<=\d)\.0(?![\d.])", "", Source().of(value).replace("gn.", ""))


def python_code(settings: Mapping[str, Any], data: Iterable[DataChange] = (), held: bool = True) -> str:
    """The training as Python that runs as it stands where X and Y are; with held-out rows also X_test and Y_test.

    Parameters
    ----------
    settings : keyword arguments of `gn.train`, "network" among them
    data : what is done to the data first
    held : whether there are held-out rows
    """
    source = Source()
    changes = list(data)
    usual = {name: p.default for name, p in inspect.signature(train).parameters.items()}
    network = source.of(settings["network"])
    if len(network) > WIDTH - 10:
        layers = [source.of(layer) for layer in settings["network"].layers]
        shape = network[len("gn.Network(") : network.index(layers[0])].rstrip(", ")
        network = "\n".join(["gn.Network(", *(f"    {part}," for part in (shape, *layers)), ")"])
    arguments = []
    for name, value in settings.items():
        unchanged = name in usual and usual[name] is not inspect.Parameter.empty and _same(value, usual[name])
        if name == "network" or (unchanged and name not in ("epochs", "seed")):
            continue
        arguments.append(f"    {name}={source.of(value, name)},")
    if held:
        arguments.append("    validation=(X_test, Y_test),")
    call = ["run = gn.train(", "    network, X, Y,", *arguments, ")"]
    lines = ["import numpy as np"] if changes or any("np.array(" in line for line in arguments) else []
    lines += ["import glassnet as gn", *source.imports, ""]
    lines += [
        f"# {'X, Y: the training rows; X_test, Y_test: the held-out rows' if held else 'X, Y: the training rows'}."
    ]
    lines += [f"# {remark}" for remark in source.remarks]
    if changes and not held:
        lines.append("X_test, Y_test = X[:0], Y[:0]  # no rows are held out")
    for change in changes:
        lines += change.python()
    return "\n".join([*lines, f"network = {network}", *call]) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _same(value: Any, default: Any) -> bool:
    if isinstance(value, np.ndarray) or isinstance(default, np.ndarray):
        return value is default
    return type(value) is type(default) and bool(value == default)
