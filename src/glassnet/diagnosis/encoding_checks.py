"""Checks of types, shapes and the encoding of labels: what `gn.train` refuses, and numbers that stand for classes."""

from __future__ import annotations

from typing import Any

import numpy as np

from glassnet.diagnosis.case import Case
from glassnet.diagnosis.changes import Change, DataChange, RescaleTarget
from glassnet.diagnosis.data_changes import ChannelsFirst, Flattened, OneHotTarget, SignTarget
from glassnet.diagnosis.findings import Finding, Measured
from glassnet.diagnosis.network_changes import with_output
from glassnet.diagnosis.seen import Seen
from glassnet.errors import GlassnetError
from glassnet.training.arrays import check_inputs

MOST_LABELS = 100
OF_NUMBERS = ("mean_squared_error", "mean_absolute_error", "huber")


def check_types(case: Case) -> list[Finding]:
    """data.dtype_shape: X that `gn.train` refuses, rows of X and Y that do not go together, targets of the wrong shape."""
    X, Y = case.X, case.Y
    problem = _inputs_refused(case)
    if problem is None and X.ndim and Y.ndim and len(X) != len(Y):
        problem = f"X has {len(X)} rows and Y {len(Y)}; each row of X needs its target."
    elif problem is None and case.data_refusal is not None and not _missing(Y) and not misencoded(case):
        problem = case.data_refusal
    if problem is None or _missing(X):
        return []
    cures: tuple[Change, ...] = ()
    shape = case.network.input_shape
    if X.ndim > 2 and len(shape) == 1 and int(np.prod(X.shape[1:])) == shape[0]:
        cures = (Change("pictures as rows of numbers", data=(Flattened(),)),)
    elif X.ndim == 4 and len(shape) == 3 and X.shape[1:] == (*shape[1:], shape[0]):
        cures = (Change("channels before height and width", data=(ChannelsFirst(),)),)
    return [
        Finding(
            "data.dtype_shape",
            problem,
            "critical",
            0.9,
            (
                Measured("shape of X", str(tuple(X.shape)), f"(m, {', '.join(map(str, shape))})"),
                Measured("shape of Y", str(tuple(Y.shape)), f"(m, {case.network.output_units})"),
                Measured("types of X and Y", f"{X.dtype}, {Y.dtype}", "numbers"),
            ),
            cures=cures,
            false_alarm="gn.train would accept these data.",
            certain=True,
        )
    ]


def _inputs_refused(case: Case) -> str | None:
    try:
        check_inputs(case.X, case.network)
    except GlassnetError as problem:
        return str(problem)
    return None


def _missing(array: np.ndarray) -> bool:
    return array.dtype.kind == "f" and not bool(np.isfinite(array).all())


def check_encoding(case: Case, seen: Seen | None = None) -> list[Finding]:
    """data.label_encoding: class numbers scaled, counted from 1, or in one column where one column a class is needed."""
    found = misencoded(case)
    if found is None:
        return []
    sentence, confidence, certain, change, values = found
    return [
        Finding(
            "data.label_encoding",
            sentence,
            "critical" if certain else "note",
            confidence,
            (Measured("values of the target", values, "0 and 1, one-hot rows, or class numbers from 0"),),
            cures=(change,),
            false_alarm="The target is a quantity, not a class.",
            certain=certain,
        )
    ]


def misencoded(case: Case) -> tuple[str, float, bool, Change, str] | None:
    """Sentence, confidence, whether it is certain, the change, and the values in words; None when labels are well."""
    Y = case.Y
    text = Y.dtype.kind in "OUS"
    if (
        not Y.size
        or not Y.ndim
        or not case.X.ndim
        or (not text and Y.dtype.kind not in "fiub")
        or _missing(Y)
        or len(Y) != len(case.X)
    ):
        return None
    try:
        values = np.unique(Y.astype(str) if text and Y.dtype.kind == "O" else Y)
    except TypeError:
        return None
    k, units, wide = len(values), case.network.output_units, Y.ndim == 2 and Y.shape[1] > 1
    if k < 2 or k > MOST_LABELS or len(Y) < 2 * k:
        return None
    name = case.loss.name if case.loss is not None else str(case.settings.get("loss"))
    refused = case.data_refusal is not None and _inputs_refused(case) is None
    said = ", ".join(f"{v}" if text else f"{v:.4g}".replace("-", "−") for v in values[:5]) + (" …" if k > 5 else "")
    if text:
        return f"The target holds text ({said}); classes need numbers.", 0.95, True, _one_hot(case, values), said
    plain = tuple(float(v) for v in values)
    whole = bool((values == np.round(values)).all()) and plain == tuple(plain[0] + i for i in range(k))
    rescaled = _target_change(RescaleTarget(plain))
    if k == 2:
        if name == "hinge" and plain != (-1.0, 1.0):
            signed = _target_change(SignTarget(sum(plain) / 2))
            return f"The labels are {said}; the hinge needs −1 and 1.", 0.95, refused, signed, said
        of_classes = name.endswith("cross_entropy") or name in ("mean_squared_error", "mean_absolute_error")
        if plain in ((0.0, 1.0), (-1.0, 1.0)) and not (refused and plain == (-1.0, 1.0)):
            return None
        if of_classes and name != "hinge" and len(Y) >= 10:
            sure = 0.95 if refused else 0.85 if name.endswith("cross_entropy") else 0.6
            return f"The target has the values {said}, where 0 and 1 are expected.", sure, refused, rescaled, said
        return None
    if wide:
        return None
    if name == "categorical_cross_entropy" and refused and k <= units:
        return f"The class numbers are {said}; they need to be 0 to {units - 1}.", 0.95, True, rescaled, said
    many = _one_hot(case, values)
    fraction = plain[0] >= 0 and plain[-1] <= 1 and bool(np.allclose(np.diff(values), values[1] - values[0]))
    if name == "binary_cross_entropy" and (whole or fraction) and k <= 30:
        sentence = f"One column holds {k} classes ({said}); one output answers one yes-or-no question."
        return sentence, 0.95 if refused else 0.7, refused, many, said
    if refused and units == k and whole:
        return f"One column of class numbers ({said}) for {k} outputs; it needs one-hot rows.", 0.9, True, many, said
    small = fraction and plain[-1] < 0.2 and k <= 30 and len(Y) >= 10 * k
    if name in OF_NUMBERS and small:
        return (
            f"The target has {k} evenly spaced values up to {plain[-1]:.3g}, as class numbers that were scaled.",
            0.5,
            False,
            many,
            said,
        )
    if name in OF_NUMBERS and whole and k <= 12 and plain[0] in (0, 1) and len(Y) >= 10 * k:
        sentence = f"The target is the whole numbers {said}; if they name classes, they need one column each."
        return sentence, 0.2, False, many, said
    return None


def _target_change(change: DataChange) -> Change:
    return Change(change.said, data=(change,))


def _one_hot(case: Case, values: np.ndarray) -> Change:
    change = OneHotTarget(tuple(values.tolist()))
    settings: dict[str, Any] = {"loss": "categorical_cross_entropy", "initial_parameters": None}
    settings["network"] = with_output(case.network, "softmax", len(values))
    return Change(f"{change.said}, with softmax and categorical_cross_entropy", settings, (change,))
