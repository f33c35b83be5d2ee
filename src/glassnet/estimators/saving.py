"""Estimators in one file without pickle: arrays as safetensors, everything else as JSON, checked on loading.

Nothing is executed on the way back: a class is looked up among glassnet's estimators, a description among the known ones.
"""

from __future__ import annotations

import dataclasses
import json
import math
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.engines.triangle import Triangle
from glassnet.equations.storing import KNOWN, from_plain, to_plain
from glassnet.errors import GlassnetError, GlassnetWarning, RunError
from glassnet.estimators.stopping import NoImprovement
from glassnet.network import LAYERS, Layer, Network
from glassnet.training.callbacks import EarlyStopping
from glassnet.training.files import DamagedFile, load_arrays, reason, save_arrays
from glassnet.training.folder import KEPT_DATA, samples_from, stored_samples
from glassnet.training.history import History
from glassnet.training.run import Run, versions
from glassnet.training.settings import Settings
from glassnet.training.snapshots import Snapshot, Snapshots

FORMAT = 1
KIND = "glassnet estimator"
PLAIN = (str, bool, int, type(None))
NUMBERS = ("?", "b", "B", "h", "H", "i", "I", "l", "L", "q", "Q", "e", "f", "d")
"""The types of numbers that safetensors has."""
LONG = 32
"""Lists of this many floats and more are stored as arrays: the JSON part of a safetensors file has a largest size."""
STOPPERS = {kind.__name__: kind for kind in (EarlyStopping, NoImprovement)}
REQUESTS = "_metadata_request"
"""Where scikit-learn keeps which metadata (such as sample_weight) an estimator asked for."""


def save_estimator(estimator: Any, path: str | Path, overwrite: bool = False) -> Path:
    """Write an estimator to one file.

    Raises
    ------
    GlassnetError : the file is there already, cannot be written, or a parameter or attribute cannot be stored
    """
    place = _path(path, "save")
    kind = type(estimator)
    if not _is_own(kind):
        raise GlassnetError(
            f"save got a {kind.__name__}, which is no estimator of glassnet's, so that gn.load would not know it; save one "
            "of glassnet's own, or pickle this one."
        )
    if place.is_dir():
        raise GlassnetError(
            f"save got the folder {place}; it needs the name of a file, e.g. {place / 'model.glassnet'}."
        )
    if place.exists() and not overwrite:
        raise GlassnetError(f"{place} is already there; choose another name, or pass overwrite=True.")
    if not place.parent.is_dir():
        raise GlassnetError(f"There is no folder {place.parent} to write {place.name} in; make it first.")
    writer = _Writer()
    given = estimator.get_params(deep=False)
    parameters = {n: writer.write(_storable(n, v, kind.__name__), f"the parameter {n}") for n, v in given.items()}
    state = {n: v for n, v in estimator.__getstate__().items() if n not in given}
    requests = state.pop(REQUESTS, None)
    fitted = {name: writer.write(value, f"the attribute {name}") for name, value in state.items()}
    facts = {
        "kind": KIND, "format": FORMAT, "class": kind.__name__, "versions": _versions(),
        "parameters": parameters, "fitted": fitted, "forms": writer.forms,
        "requests": None if requests is None else _requests(requests),
    }  # fmt: skip
    try:
        save_arrays(place, writer.arrays, facts)
    except RunError as problem:
        raise GlassnetError(str(problem)) from None
    return place


def load(path: str | Path) -> Any:
    """The estimator that `save` wrote.

    Parameters
    ----------
    path : of the file

    Returns
    -------
    an estimator of the same class with the same parameters, fitted attributes and run

    Raises
    ------
    GlassnetError : no such file, a damaged one, one of another kind or of a newer glassnet
    """
    place = _path(path, "load")
    if place.is_dir() and (place / "run.json").exists():
        raise GlassnetError(f"{place} is the folder of a run; load it with gn.Run.load({str(place)!r}).")
    if not place.is_file():
        raise GlassnetError(f"There is no file {place}; give the path that save was given.")
    try:
        arrays, facts = load_arrays(place)
    except DamagedFile as problem:
        raise GlassnetError(f"{problem} Save the estimator again.") from None
    if not isinstance(facts, dict) or facts.get("kind") != KIND:
        raise GlassnetError(f"{place} holds no estimator; give a file that an estimator's save wrote.")
    if facts.get("format") != FORMAT:
        raise GlassnetError(
            f"{place} has the format {facts.get('format')!r}, and this glassnet reads {FORMAT}; use the version that wrote "
            f"it ({_wrote(facts)})."
        )
    known, name = _own(), str(facts.get("class"))
    if name not in known:
        raise GlassnetError(f"{place} holds a {name}, which this glassnet does not know.")
    reader = _Reader(arrays, facts.get("forms"))
    try:
        estimator = known[name](**{key: reader.read(value) for key, value in facts["parameters"].items()})
        fitted = {key: reader.read(value) for key, value in facts["fitted"].items()}
        hidden = [key for key in fitted if hasattr(known[name], key)]
        if hidden:
            raise ValueError(f"{hidden[0]} is no fitted attribute")
        estimator.__setstate__(fitted)
        if facts["requests"] is not None:
            setattr(estimator, REQUESTS, _requests_from(facts["requests"], estimator))
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as problem:
        raise GlassnetError(f"{place} does not fit together ({problem}); save the estimator again.") from None
    return estimator


def _own() -> dict[str, Any]:
    """The classes that a file may name."""
    from glassnet import estimators

    listed = {name: getattr(estimators, name) for name in estimators.__all__}
    return {name: kind for name, kind in listed.items() if isinstance(kind, type)}


def _is_own(kind: type) -> bool:
    return _own().get(kind.__name__) is kind


def _wrote(facts: dict[str, Any]) -> str:
    found = facts.get("versions")
    return str(found.get("glassnet")) if isinstance(found, dict) else "unknown"


def _storable(name: str, value: Any, owner: str) -> Any:
    """A parameter as it is; of callbacks those that are settings and not functions, with a warning about the others."""
    if name != "callbacks" or all(type(c) in STOPPERS.values() for c in _several(value)):
        return value
    kept = [c for c in _several(value) if type(c) in STOPPERS.values()]
    warnings.warn(
        f"The callbacks of this {owner} are functions, which a file cannot hold; the loaded one has "
        f"{'only its early stopping' if kept else 'none'}. Set them again with set_params(callbacks=...).",
        GlassnetWarning,
        stacklevel=5,
    )
    return kept if isinstance(value, list) else tuple(kept)


def _requests(asked: Any) -> dict[str, Any]:
    """Which metadata each method asks for, as JSON."""
    from sklearn.utils._metadata_requests import SIMPLE_METHODS

    return {method: dict(getattr(asked, method).requests) for method in SIMPLE_METHODS}


def _requests_from(plain: dict[str, Any], owner: Any) -> Any:
    from sklearn.utils.metadata_routing import MetadataRequest

    asked = MetadataRequest(owner=owner)
    for method, parameters in plain.items():
        for parameter, alias in parameters.items():
            getattr(asked, method).add_request(param=parameter, alias=alias)
    return asked


def _several(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple) else () if value is None else (value,)


def _path(path: Any, what: str) -> Path:
    if not isinstance(path, str | Path) or not str(path) or "\0" in str(path):
        raise GlassnetError(f"{what} got {path!r}; it needs the path of a file, such as 'model.glassnet'.")
    try:
        Path(path).exists()
    except OSError as problem:
        raise GlassnetError(f"{what} got {str(path)[:80]!r}, which cannot be used: {reason(problem)}.") from None
    return Path(path)


def _versions() -> dict[str, str]:
    import sklearn

    return {**versions(), "scikit-learn": sklearn.__version__}


class _Writer:
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
            same = from_plain(json.loads(json.dumps(described)), {**KNOWN, **LAYERS}) == value
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


class _Reader:
    """What `_Writer` wrote, back again."""

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
            "described": lambda plain: from_plain(plain, {**KNOWN, **LAYERS}),
        }

    def _layer(self, plain: Any) -> Layer:
        layer = from_plain(plain, {**KNOWN, **LAYERS})
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
