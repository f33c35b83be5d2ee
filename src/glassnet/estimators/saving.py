"""Estimators in one file without pickle: arrays as safetensors, everything else as JSON, checked on loading.

Nothing is executed on the way back: a class is looked up among glassnet's estimators, a description among the known ones.
"""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.engines.triangle import Triangle
from glassnet.equations.storing import KNOWN, from_plain, to_plain
from glassnet.errors import GlassnetError, GlassnetWarning, RunError
from glassnet.network import LAYERS, Layer, Network
from glassnet.training.callbacks import EarlyStopping
from glassnet.training.files import DamagedFile, load_arrays, save_arrays
from glassnet.training.folder import KEPT_DATA, samples_from, stored_samples
from glassnet.training.history import History
from glassnet.training.run import Run, versions
from glassnet.training.settings import Settings
from glassnet.training.snapshots import Snapshot, Snapshots

FORMAT = 1
KIND = "glassnet estimator"
PLAIN = (str, bool, int, type(None))
NOT_KEPT = ("_statistics", "_sklearn_output_config")
"""What is made again when it is asked for."""


def save_estimator(estimator: Any, path: str | Path, overwrite: bool = False) -> Path:
    """Write an estimator to one file.

    Raises
    ------
    GlassnetError : the file is there already, cannot be written, or a parameter or attribute cannot be stored
    """
    place = _path(path, "save")
    if place.is_dir():
        raise GlassnetError(
            f"save got the folder {place}; it needs the name of a file, e.g. {place / 'model.glassnet'}."
        )
    if place.exists() and not overwrite:
        raise GlassnetError(f"{place} is already there; choose another name, or pass overwrite=True.")
    if not place.parent.is_dir():
        raise GlassnetError(f"There is no folder {place.parent} to write {place.name} in; make it first.")
    writer = _Writer()
    parameters = {}
    for name, value in estimator.get_params(deep=False).items():
        if name == "callbacks" and any(not isinstance(c, EarlyStopping) for c in _several(value)):
            warnings.warn(
                f"The callbacks of this {type(estimator).__name__} are functions, which a file cannot hold; the loaded one "
                "has none. Set them again with set_params(callbacks=...).",
                GlassnetWarning,
                stacklevel=3,
            )
            value = (
                type(value)(c for c in value if isinstance(c, EarlyStopping)) if isinstance(value, list | tuple) else ()
            )
        parameters[name] = writer.write(value, f"the parameter {name}")
    known = set(estimator.get_params(deep=False)) | set(NOT_KEPT)
    fitted = {
        name: writer.write(value, f"the attribute {name}")
        for name, value in vars(estimator).items()
        if name not in known
    }
    facts = {
        "kind": KIND, "format": FORMAT, "class": type(estimator).__name__, "versions": _versions(),
        "parameters": parameters, "fitted": fitted,
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
    if facts["format"] != FORMAT:
        raise GlassnetError(
            f"{place} has the format {facts['format']!r}, and this glassnet reads {FORMAT}; use the version that wrote it "
            f"({facts['versions'].get('glassnet')})."
        )
    from glassnet import estimators

    name = facts["class"]
    if name not in estimators.__all__ or name == "load":
        raise GlassnetError(f"{place} holds a {name}, which this glassnet does not know.")
    reader = _Reader(arrays)
    try:
        parameters = {key: reader.read(value) for key, value in facts["parameters"].items()}
        estimator = getattr(estimators, name)(**parameters)
        for key, value in facts["fitted"].items():
            setattr(estimator, key, reader.read(value))
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise GlassnetError(f"{place} does not fit together ({problem}); save the estimator again.") from None
    return estimator


def _several(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple) else () if value is None else (value,)


def _path(path: Any, what: str) -> Path:
    if not isinstance(path, str | Path) or not str(path) or "\0" in str(path):
        raise GlassnetError(f"{what} got {path!r}; it needs the path of a file, such as 'model.glassnet'.")
    return Path(path)


def _versions() -> dict[str, str]:
    import sklearn

    return {**versions(), "scikit-learn": sklearn.__version__}


class _Writer:
    """Values as JSON; arrays go to `arrays` under numbers."""

    def __init__(self) -> None:
        self.arrays: dict[str, np.ndarray] = {}

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
        if isinstance(value, np.generic):
            return {"scalar": self._array(np.asarray(value))} if value.dtype.kind in "fiub" else {"label": str(value)}
        if isinstance(value, np.ndarray):
            return self._write_array(value, what)
        for kind, name in ((list, "list"), (tuple, "tuple")):
            if type(value) is kind:
                return {name: [self.write(item, what) for item in value]}
        if isinstance(value, Mapping):
            return {"dict": [[self.write(k, what), self.write(v, what)] for k, v in value.items()]}
        if isinstance(value, np.random.RandomState):
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
        if isinstance(value, EarlyStopping):
            settings = (value.monitor, value.patience, value.min_delta, value.restore_best)
            return {"early_stopping": [type(value).__name__, *settings]}
        try:
            described = to_plain(value)
            from_plain(described, {**KNOWN, **LAYERS})
        except (GlassnetError, TypeError, ValueError):
            raise GlassnetError(
                f"{what[0].upper()}{what[1:]} is a {type(value).__name__}, which a file cannot hold; change it before saving."
            ) from None
        return {"described": described}

    def _array(self, array: np.ndarray) -> str:
        name = f"{len(self.arrays):06d}"
        self.arrays[name] = array
        return name

    def _write_array(self, array: np.ndarray, what: str) -> Any:
        if array.dtype.kind in "fiub":
            return {"array": self._array(array)}
        if array.dtype.kind in "UO":
            items = [self.write(item, what) for item in array.ravel().tolist()]
            return {"labels": [array.dtype.str, list(array.shape), items]}
        raise GlassnetError(f"{what[0].upper()}{what[1:]} is an array of {array.dtype}, which a file cannot hold.")

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

    def __init__(self, arrays: Mapping[str, np.ndarray]) -> None:
        self.arrays = arrays

    def read(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        ((kind, content),) = value.items()
        return self._readers()[kind](content)

    def _readers(self) -> dict[str, Callable[[Any], Any]]:
        return {
            "float": float,
            "scalar": lambda name: self.arrays[name].reshape(())[()],
            "label": np.str_,
            "array": lambda name: self.arrays[name].copy(),
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
        flat[:] = [self.read(item) for item in items]
        return np.asarray(flat.reshape(shape).astype(dtype))

    def _random_state(self, parts: Any) -> np.random.RandomState:
        name, keys, *rest = parts
        state = np.random.RandomState()
        state.set_state((name, self.arrays[keys], *rest))
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
            Snapshot(int(i), {n: self.arrays[a].copy() for n, a in state.items()}, loop)
            for i, state, loop in parts["snapshots"]
        ]
        snapshots.remember(states, parts["kept"])
        history = History({name: self.arrays[a] for name, a in parts["history"].items()})
        data = {name: self.arrays[a] for name, a in parts["data"].items()}
        preparation = None
        if parts["preparation"] is not None:
            from glassnet.data import preparation_from_dict

            preparation = preparation_from_dict(parts["preparation"])
        samples, held = samples_from(data), samples_from(data, "validation_")
        facts = {**parts["facts"], "data": {**parts["facts"]["data"], "borrowed": False}}
        return Run(settings, snapshots, history, samples, held, facts, preparation)


def _early_stopping(parts: Any) -> EarlyStopping:
    from glassnet.estimators.stopping import NoImprovement

    name, *settings = parts
    return {"EarlyStopping": EarlyStopping, "NoImprovement": NoImprovement}[name](*settings)


def _separation() -> Any:
    from glassnet.statistics.separation import Separation

    return Separation


_RESULTS: dict[str, Callable[[], Any]] = {"Separation": _separation}
"""Results that fitted estimators hold, by name."""
