"""Estimators in one file without pickle: arrays as safetensors, everything else as JSON, checked on loading.

Nothing is executed on the way back: a class is looked up among glassnet's estimators, a description among the known ones.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from glassnet.errors import GlassnetError, GlassnetWarning, RunError
from glassnet.estimators.stored_values import STOPPERS, ValueReader, ValueWriter
from glassnet.training.files import DamagedFile, load_arrays, reason, save_arrays
from glassnet.training.run import versions

FORMAT = 1
KIND = "glassnet estimator"
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
    writer = ValueWriter()
    given = estimator.get_params(deep=False)
    if "callbacks" in given:
        given["callbacks"] = _storable_callbacks(given["callbacks"], kind.__name__)
    parameters = {name: writer.write(value, f"the parameter {name}") for name, value in given.items()}
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
    try:
        reader = ValueReader(arrays, facts["forms"])
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


def _storable_callbacks(value: Any, owner: str) -> Any:
    """The callbacks that are settings and not functions, with a warning when there are others."""
    several = tuple(value) if isinstance(value, list | tuple) else () if value is None else (value,)
    kept = [c for c in several if type(c) in STOPPERS.values()]
    if len(kept) == len(several):
        return value
    warnings.warn(
        f"The callbacks of this {owner} are functions, which a file cannot hold; the loaded one has "
        f"{'only its early stopping' if kept else 'none'}. Set them again with set_params(callbacks=...).",
        GlassnetWarning,
        stacklevel=4,
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
