"""Values as JSON beside numbered arrays: the parameters and fitted attributes of an estimator, its run among them.

Every value is written with its kind, `{"tuple": [...]}`, and comes back as the kind it was; what has none of the kinds
below is refused by name, so that nothing is lost silently and nothing is executed on the way back.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from glassnet.engines.triangle import Triangle
from glassnet.equations.storing import KNOWN, from_plain, to_plain
from glassnet.errors import GlassnetError
from glassnet.estimators.stopping import NoImprovement
from glassnet.network import LAYERS, Layer, Network
from glassnet.training.augmentation import Augmentation
from glassnet.training.callbacks import EarlyStopping
from glassnet.training.folder import KEPT_DATA, samples_from, stored_samples
from glassnet.training.history import History
from glassnet.training.run import Run
from glassnet.training.settings import Settings
from glassnet.training.snapshots import Snapshot, Snapshots

PLAIN = (str, bool, int, type(None))
NUMBERS = ("?", "b", "B", "h", "H", "i", "I", "l", "L", "q", "Q", "e", "f", "d")
"""The types of numbers that safetensors has."""
LONG = 32
"""Lists of this many floats and more are stored as arrays: the JSON part of a safetensors file has a largest size."""
DESCRIBED = {**KNOWN, **LAYERS, Augmentation.__name__: Augmentation}
STOPPERS = {kind.__name__: kind for kind in (EarlyStopping, NoImprovement)}


class ValueWriter:
    """Values as JSON; arrays go to `arrays` under numbers.

    A safetensors file holds arrays in C order, the machine's byte order and at least one dimension; `forms` says of the
    others what they are: [type, shape, order].
    """

    def __init__(self) -> None:
        self.arrays: dict[str, np.ndarray] = {}
        self.forms: dict[str, list[Any]] = {}

    def write(self, value: Any, what: str) -> Any:
        """A value as JSON.

        Raises
        ------
        GlassnetError : it is of a kind that cannot be stored; `what` names it
        """
        if isinstance(value, PLAIN) and type(value) in PLAIN:
            return value
        if type(value) is float:
            return value if math.isfinite(value) else {"float": str(value)}
        if type(value) is np.str_:
            return {"label": str(value)}
        if isinstance(value, np.generic) and value.dtype.char in NUMBERS:
            return {"scalar": self._array(np.asarray(value))}
        if type(value) in (np.ndarray, np.memmap):
            return self._write_array(value, what)
        if type(value) is list and len(value) >= LONG and all(type(item) is float for item in value):
            return {"floats": self._array(np.array(value))}
        for kind, name in ((list, "list"), (tuple, "tuple")):
            if type(value) is kind:
                return {name: [self.write(item, what) for item in value]}
        if isinstance(value, Mapping):
            return {"dict": [[self.write(k, what), self.write(v, what)] for k, v in value.items()]}
        if type(value) is np.random.RandomState and value.get_state(legacy=False)["bit_generator"] == "MT19937":
            name_, keys, *rest = value.get_state(legacy=True)
            return {"random_state": [name_, self._array(np.asarray(keys)), *rest]}
        if isinstance(value, Network):
            layers = [to_plain(layer) for layer in value.layers]
            return {"network": [list(value.input_shape), layers]}
        if isinstance(value, Run):
            return {"run": self._run(value, what)}
        if isinstance(value, Triangle):
            return {"triangle": {k: self.write(v, what) for k, v in vars(value).items()}}
        if type(value).__name__ == "LabelBinarizer":
            return {"label_binarizer": {k: self.write(v, what) for k, v in vars(value).items()}}
        if type(value).__name__ in _RESULTS and dataclasses.is_dataclass(value):
            fields = {f.name: self.write(getattr(value, f.name), what) for f in dataclasses.fields(value)}
            return {"result": [type(value).__name__, fields]}
        if type(value) in STOPPERS.values():
            settings = (value.monitor, value.patience, value.min_delta, value.restore_best)
            return {"early_stopping": [type(value).__name__, *settings]}
        try:
            described = to_plain(value)
            same = from_plain(json.loads(json.dumps(described)), DESCRIBED) == value
        except (GlassnetError, TypeError, ValueError):
            same = False
        if same is not True:
            raise _refused(what, type(value).__name__)
        return {"described": described}

    def _array(self, array: np.ndarray) -> str:
        name = f"{len(self.arrays):06d}"
        self.arrays[name] = array.astype(array.dtype.newbyteorder("="), copy=False)
        order = "C" if array.flags.c_contiguous or not array.flags.f_contiguous else "F"
        if order == "F" or not array.shape or not array.dtype.isnative:
            self.forms[name] = [array.dtype.str, list(array.shape), order]
        return name

    def _write_array(self, array: np.ndarray, what: str) -> Any:
        if array.dtype.char in NUMBERS:
            return {"array": self._array(array)}
        if array.dtype.kind in "UO":
            items = [self.write(item, what) for item in array.ravel().tolist()]
            return {"labels": [array.dtype.str, list(array.shape), items]}
        raise _refused(what, f"array of {array.dtype}")

    def _run(self, run: Run, what: str) -> dict[str, Any]:
        size = 0 if run.data is None else run.data.nbytes + (run.validation.nbytes if run.validation else 0)
        data = {}
        if run.data is not None and size <= KEPT_DATA:
            data = stored_samples(run.data)
            if run.validation is not None:
                data |= stored_samples(run.validation, "validation_")
        run.identify()
        return {
            "settings": run.settings.to_plain(),
            "facts": run.facts,
            "history": {name: self._array(np.asarray(column)) for name, column in run.history.to_dict().items()},
            "snapshots": [
                [i, {n: self._array(np.asarray(a)) for n, a in run.snapshots[i].state.items()}, run.snapshots[i].loop]
                for i in run.snapshots.iterations
            ],
            "kept": run.snapshots.memory(),
            "data": {name: self._array(array) for name, array in data.items()},
            "preparation": None if run.preparation is None else run.preparation.to_dict(),
        }


class ValueReader:
    """What `ValueWriter` wrote, back again."""

    def __init__(self, arrays: Mapping[str, np.ndarray], forms: Mapping[str, Any] | None = None) -> None:
        self.arrays = arrays
        self.forms = forms or {}

    def array(self, name: str) -> np.ndarray:
        """An array of one's own, in its type, shape and order."""
        array = self.arrays[name]
        dtype, shape, order = self.forms.get(name, (array.dtype, array.shape, "C"))
        return np.array(array.reshape(shape), dtype=dtype, order=order)

    def read(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        ((kind, content),) = value.items()
        return self._readers()[kind](content)

    def _readers(self) -> dict[str, Callable[[Any], Any]]:
        return {
            "float": float,
            "scalar": lambda name: self.array(name)[()],
            "floats": lambda name: self.array(name).tolist(),
            "label": np.str_,
            "array": self.array,
            "labels": self._labels,
            "list": lambda items: [self.read(item) for item in items],
            "tuple": lambda items: tuple(self.read(item) for item in items),
            "dict": lambda pairs: {self.read(k): self.read(v) for k, v in pairs},
            "random_state": self._random_state,
            "network": lambda parts: Network(tuple(parts[0]), *(self._layer(layer) for layer in parts[1])),
            "run": self._run,
            "triangle": self._triangle,
            "label_binarizer": self._label_binarizer,
            "result": self._result,
            "early_stopping": _early_stopping,
            "described": lambda plain: from_plain(plain, DESCRIBED),
        }

    def _layer(self, plain: Any) -> Layer:
        layer = from_plain(plain, DESCRIBED)
        if not isinstance(layer, Layer):
            raise TypeError("a layer is none")
        return layer

    def _labels(self, parts: Any) -> np.ndarray:
        dtype, shape, items = parts
        flat = np.empty(len(items), dtype=object)
        for position, item in enumerate(items):  # one by one: an item may be a tuple, which is no row of an array
            flat[position] = self.read(item)
        return np.asarray(flat.reshape(shape).astype(dtype))

    def _random_state(self, parts: Any) -> np.random.RandomState:
        name, keys, *rest = parts
        state = np.random.RandomState()
        state.set_state((name, self.array(keys), *rest))
        return state

    def _triangle(self, fields: dict[str, Any]) -> Triangle:
        found = {name: self.read(value) for name, value in fields.items()}
        triangle = Triangle(found["columns"], found["outputs"], intercept=found["intercept"])
        vars(triangle).update(found)
        return triangle

    def _label_binarizer(self, fields: dict[str, Any]) -> Any:
        from sklearn.preprocessing import LabelBinarizer

        binarizer = LabelBinarizer()
        for name, value in fields.items():
            setattr(binarizer, name, self.read(value))
        return binarizer

    def _result(self, parts: Any) -> Any:
        name, fields = parts
        return _RESULTS[name]()(**{key: self.read(value) for key, value in fields.items()})

    def _run(self, parts: dict[str, Any]) -> Run:
        settings = Settings.from_plain(parts["settings"])
        snapshots = Snapshots(settings.record)
        states = [
            Snapshot(int(i), {n: self.array(a) for n, a in state.items()}, loop)
            for i, state, loop in parts["snapshots"]
        ]
        snapshots.remember(states, parts["kept"])
        history = History({name: self.array(a) for name, a in parts["history"].items()})
        data = {name: self.array(a) for name, a in parts["data"].items()}
        preparation = None
        if parts["preparation"] is not None:
            from glassnet.data import preparation_from_dict

            preparation = preparation_from_dict(parts["preparation"])
        samples, held = samples_from(data), samples_from(data, "validation_")
        facts = {**parts["facts"], "data": {**parts["facts"]["data"], "borrowed": False}}
        return Run(settings, snapshots, history, samples, held, facts, preparation)


def _early_stopping(parts: Any) -> EarlyStopping:
    name, *settings = parts
    return STOPPERS[name](*settings)


def _refused(what: str, kind: str) -> GlassnetError:
    return GlassnetError(
        f"{what[0].upper()}{what[1:]} holds a value of type {kind}, which a file cannot hold; change it before saving."
    )


def _separation() -> Any:
    from glassnet.statistics.separation import Separation

    return Separation


_RESULTS: dict[str, Callable[[], Any]] = {"Separation": _separation}
"""Results that fitted estimators hold, by name."""
