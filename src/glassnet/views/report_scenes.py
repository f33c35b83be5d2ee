"""What moves beside the network in a report's film: a plane, a curve, pictures of weights, points or a confusion matrix."""

from __future__ import annotations

import base64
import math
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from glassnet.engines.base import CHUNK, State
from glassnet.training.arrays import sparse
from glassnet.views import palette
from glassnet.views.pages import numbers
from glassnet.views.plane import features_of, grid, plane_of, span
from glassnet.views.report_inputs import pixels_of
from glassnet.views.report_judgement import MOST_CLASSES, some_of
from glassnet.views.report_rows import Rows, Subject, dense_rows

if TYPE_CHECKING:
    from glassnet.training.run import Run

Array = NDArray[Any]

SIDE = 96
"""Cells of a plane along each axis."""
CURVE = 240
POINTS = 600
PICTURES = 16
MOST_CHANNELS = 4
LEAST_SPREAD = 0.6
"""A plane through more than two features is shown when it holds this share of their variance."""


class Scene(Protocol):
    """One moving picture: it sees every state once, in order."""

    def see(self, state: State) -> None: ...

    def payload(self) -> dict[str, Any]: ...


def scene_of(subject: Subject) -> Scene | None:
    """The picture that shows most of this run; None when there are no rows to draw."""
    rows = subject.training
    filters = filters_of(subject.run)
    if filters is not None:
        return Filters(filters)
    pixels = pixels_of(subject.run)
    first = next(iter(subject.run.derivation.parameters), None)
    if pixels is not None and first is not None and first.symbol.shape[:1] == subject.run.network.input_shape:
        return Weights(subject, first.name)
    if rows is None:
        return None
    known = features_of(subject.run)
    inputs, outputs = math.prod(subject.run.network.input_shape), rows.samples.Y.shape[1]
    if inputs == 1 and outputs <= 6 and known.numeric.all():
        return Curve(subject, rows)
    if subject.task == "regression":
        plain = inputs == 2 and outputs == 1 and known.numeric.all()
        return Plane(subject, rows) if plain else Scatter(subject, rows)
    if subject.task == "classes" and len(subject.classes) <= 10 and inputs <= 100 and not sparse(rows.samples.X):
        plane = Plane(subject, rows)
        if plane.share >= LEAST_SPREAD:
            return plane
    if subject.task == "classes" and len(subject.classes) <= MOST_CLASSES:
        return Matrix(subject, rows)
    return None


def as_bytes(values: Array) -> str:
    """Whole numbers from 0 to 255 (or to 65535, as two bytes each, the low one first) in base64."""
    kind = "<u2" if values.dtype.itemsize > 1 else "u1"
    return base64.b64encode(np.ascontiguousarray(values, dtype=kind).tobytes()).decode("ascii")


class Plane:
    """What is answered over a plane of inputs, the border between classes, and the rows.

    Of two features it is their plane; of more, the plane through their mean along the two directions in which the rows
    spread most (principal components).
    """

    def __init__(self, subject: Subject, rows: Rows) -> None:
        self.subject, self.rows = subject, rows
        self.chosen = some_of(len(rows), POINTS)
        X = dense_rows(rows.samples.X, slice(None)).astype(np.float64, copy=False)
        X = X.reshape(len(X), -1)
        known = features_of(subject.run)
        self.two = X.shape[1] == 2
        spread = float(X.var(axis=0).sum())
        self.share = 0.0
        if not known.numeric.all() or not spread:
            return
        plane = plane_of(known, lambda: X, "The plane of a report", plane=None if self.two else "pca")
        placed = plane.place(X)
        self.labels = list(plane.labels)
        self.share = 1.0 if self.two else float(placed.var(axis=0).sum()) / spread
        self.low, self.high = span(placed)
        self.across, self.up, points = grid(self.low, self.high, SIDE)
        self.points, self.inputs = placed[self.chosen], plane.lift(points)
        self.surfaces: list[Array] = []
        self.borders: list[list[Array]] = []
        self.predicted: list[Array] = []

    def see(self, state: State) -> None:
        run = self.subject.run
        answers = run.outputs(state, self.inputs).astype(np.float64)
        self.surfaces.append(answers)
        self.predicted.append(run.outputs(state, self.rows.samples.X[self.chosen]).astype(np.float64))
        self.borders.append([] if self.subject.task == "regression" else self._borders(answers))

    def _borders(self, answers: Array) -> list[Array]:
        """Where the answer changes, as lines in the plane; the last class's borders are all borders of an earlier one."""
        if not np.isfinite(answers).all():
            return []
        hinge = self.subject.run.settings.loss.name == "hinge"
        if answers.shape[1] == 1:
            p = answers[:, 0]
            leads = [p if hinge else _log_odds(p) if self.subject.probabilities else p - 0.5]
        else:
            logs = np.log(np.clip(answers, 1e-300, None)) if self.subject.probabilities else answers
            leads = [logs[:, k] - np.delete(logs, k, axis=1).max(axis=1) for k in range(answers.shape[1] - 1)]
        lines: list[Array] = []
        for lead in leads:
            if lead.min() < 0 < lead.max():
                drawn = self._axes.contour(self.across, self.up, lead.reshape(SIDE, SIDE), levels=[0.0])
                lines += [np.asarray(line) for line in drawn.allsegs[0] if len(line) > 1]
                drawn.remove()
        return lines

    @cached_property
    def _axes(self) -> Any:
        """Axes that nothing is shown on; making them takes longer than a contour."""
        from matplotlib.figure import Figure

        return Figure().subplots()

    def payload(self) -> dict[str, Any]:
        subject = self.subject
        surface, predicted = np.stack(self.surfaces), np.stack(self.predicted)
        Y = self.rows.samples.Y[self.chosen]
        held: dict[str, Any] = {
            "kind": "plane", "labels": self.labels, "low": self.low.tolist(), "high": self.high.tolist(), "side": SIDE,
            "points": numbers(self.points.astype(np.float32)), "rows": self.chosen.tolist(), "count": len(self.rows),
            "classes": [], "slice": None if self.two else self.share,
        }  # fmt: skip
        if subject.task == "regression":
            shown, true = subject.in_units(surface.reshape(-1, 1)), subject.in_units(Y)[:, 0]
            ends = [shown[np.isfinite(shown)], true]
            low, high = (
                float(min(e.min(initial=np.inf) for e in ends)),
                float(max(e.max(initial=-np.inf) for e in ends)),
            )
            levels = _bytes_between(shown, low, high).reshape(-1, SIDE, SIDE)
            return {
                **held,
                "levels": as_bytes(levels),
                "range": [low, high],
                "values": numbers(true),
                "target": subject.target,
            }
        k = len(subject.classes)
        true = subject.codes(Y)
        found = np.stack([subject.codes(A) for A in predicted])
        held |= {
            "classes": subject.classes, "colours": [palette.class_colour(i) for i in range(k)],
            "true": as_bytes(true.astype(np.uint8)), "predicted": as_bytes(found.astype(np.uint8)),
            "probability": subject.probabilities, "borders": [self._packed(lines) for lines in self.borders],
        }  # fmt: skip
        if surface.shape[2] == 1:
            low, high = (
                (0.0, 1.0) if subject.probabilities or subject.run.settings.loss.name != "hinge" else (-1.0, 1.0)
            )
            return {**held, "levels": as_bytes(_bytes_between(surface, low, high))}
        winner = np.stack([subject.codes(A) for A in surface]).astype(np.uint8)
        best = surface.max(axis=2)
        sure = np.clip((best - 1 / k) / (1 - 1 / k), 0, 1) if subject.probabilities else np.full(best.shape, 0.6)
        return {**held, "winner": as_bytes(winner), "levels": as_bytes(_bytes_between(sure, 0.0, 1.0))}

    def _packed(self, lines: list[Array]) -> dict[str, Any]:
        """Lines as whole numbers, 65535 along each axis."""
        if not lines:
            return {"lengths": [], "points": ""}
        places = (np.concatenate(lines) - self.low) / (self.high - self.low)
        return {
            "lengths": [len(line) for line in lines],
            "points": as_bytes(np.clip(np.round(65535 * places), 0, 65535).astype(np.uint16)),
        }


def _log_odds(p: Array) -> Array:
    held = np.clip(p, 1e-300, 1 - 1e-16)
    return np.asarray(np.log(held) - np.log1p(-held))


def _bytes_between(values: Array, low: float, high: float) -> Array:
    """0 at `low`, 255 at `high`; what is not finite is `low`."""
    wide = high - low if high > low else 1.0
    shares = np.nan_to_num((values - low) / wide, nan=0.0, posinf=1.0, neginf=0.0)
    return np.asarray(np.round(255 * np.clip(shares, 0.0, 1.0)).astype(np.uint8))


class Curve:
    """One feature across, what the network answers to it upwards, and the rows."""

    def __init__(self, subject: Subject, rows: Rows) -> None:
        self.subject, self.rows = subject, rows
        known = features_of(subject.run)
        mean, std = float(known.offset[0]), float(known.scale[0])
        self.label = known.names[0]
        self.chosen = some_of(len(rows), POINTS)
        x = dense_rows(rows.samples.X, self.chosen)[:, 0].astype(np.float64) * std + mean
        wide = float(np.ptp(x)) or 1.0
        self.x = x
        self.across = np.linspace(x.min() - 0.04 * wide, x.max() + 0.04 * wide, CURVE)
        self.inputs = ((self.across - mean) / std)[:, None]
        self.answers: list[Array] = []

    def see(self, state: State) -> None:
        run = self.subject.run
        answers = run.outputs(state, self.inputs)
        self.answers.append(self.subject.in_units(answers) if self.subject.task == "regression" else answers)

    def payload(self) -> dict[str, Any]:
        subject = self.subject
        Y = self.rows.samples.Y[self.chosen]
        true = subject.in_units(Y) if subject.task == "regression" else Y
        outputs = true.shape[1]
        if subject.task == "regression" or (outputs == 1 and not subject.probabilities):
            names = [subject.target] if outputs == 1 else [f"{subject.target} {i + 1}" for i in range(outputs)]
        elif outputs == 1:
            names = [f"P({subject.classes[1]})"]
        else:
            names = [f"P({name})" if subject.probabilities else name for name in subject.classes]
        return {
            "kind": "curve", "label": self.label, "names": names, "x": numbers(self.x), "y": numbers(true),
            "rows": self.chosen.tolist(), "count": len(self.rows), "across": numbers(self.across),
            "answers": numbers(np.stack(self.answers)), "colours": [palette.class_colour(i) for i in range(outputs)],
        }  # fmt: skip


class Scatter:
    """True values across, predicted ones upwards."""

    def __init__(self, subject: Subject, rows: Rows) -> None:
        self.subject, self.rows = subject, rows
        self.chosen = some_of(len(rows), POINTS)
        self.predicted: list[Array] = []

    def see(self, state: State) -> None:
        X = self.rows.samples.X[self.chosen]
        self.predicted.append(self.subject.in_units(self.subject.run.outputs(state, X))[:, 0])

    def payload(self) -> dict[str, Any]:
        true = self.subject.in_units(self.rows.samples.Y[self.chosen])
        name = self.subject.target if true.shape[1] == 1 else f"{self.subject.target} 1"
        return {
            "kind": "scatter", "name": name, "rows": self.chosen.tolist(), "count": len(self.rows),
            "true": numbers(true[:, 0]), "predicted": numbers(np.stack(self.predicted)),
        }  # fmt: skip


class Weights:
    """The weights from the pixels to the first units, as pictures."""

    def __init__(self, subject: Subject, name: str) -> None:
        self.name, self.pixels = name, pixels_of(subject.run)
        self.kept: list[Array] = []

    def see(self, state: State) -> None:
        self.kept.append(np.asarray(state[self.name], dtype=np.float64)[:, :PICTURES].T)

    def payload(self) -> dict[str, Any]:
        assert self.pixels is not None
        W = np.stack(self.kept)
        largest = float(np.abs(W[np.isfinite(W)]).max(initial=0.0)) or 1.0
        whole = self.pixels.fill(W).reshape(*W.shape[:2], -1, self.pixels.colours).mean(axis=-1)
        return {
            "kind": "pictures", "name": self.name, "shape": list(self.pixels.shape), "units": W.shape[1],
            "largest": largest, "levels": as_bytes(_bytes_between(whole, -largest, largest)), "channels": 0,
        }  # fmt: skip


def filters_of(run: Run) -> str | None:
    """The name of the kernels that look at the pixels, with so few channels that these can stand side by side."""
    found = next((p for p in run.derivation.parameters if p.role == "weight"), None)
    if found is None or len(found.symbol.shape) != 4 or int(found.symbol.shape[1]) > MOST_CHANNELS:
        return None
    return found.name


class Filters:
    """The kernels that look at the pixels, as pictures, the channels of each side by side."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.kept: list[Array] = []

    def see(self, state: State) -> None:
        self.kept.append(np.asarray(state[self.name], dtype=np.float64)[:PICTURES])

    def payload(self) -> dict[str, Any]:
        W = np.stack(self.kept)
        largest = float(np.abs(W[np.isfinite(W)]).max(initial=0.0)) or 1.0
        beside = np.concatenate(list(np.moveaxis(W, 2, 0)), axis=-1)
        return {
            "kind": "pictures", "name": self.name, "shape": list(beside.shape[2:]), "units": W.shape[1], "largest": largest,
            "levels": as_bytes(_bytes_between(beside, -largest, largest)), "channels": W.shape[2],
        }  # fmt: skip


class Matrix:
    """How many rows of each true class are predicted as each class."""

    def __init__(self, subject: Subject, rows: Rows) -> None:
        self.subject = subject
        self.X, self.true = rows.samples.X, subject.codes(rows.samples.Y)
        self.counts: list[Array] = []

    def see(self, state: State) -> None:
        k, run = len(self.subject.classes), self.subject.run
        found = np.zeros(k * k, dtype=np.int64)
        for start in range(0, len(self.true), CHUNK):
            part = slice(start, start + CHUNK)
            predicted = self.subject.codes(run.outputs(state, self.X[part]))
            found += np.bincount(self.true[part] * k + predicted, minlength=k * k)
        self.counts.append(found.reshape(k, k))

    def payload(self) -> dict[str, Any]:
        return {"kind": "matrix", "classes": self.subject.classes, "counts": np.stack(self.counts).tolist()}
