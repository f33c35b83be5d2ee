"""What a notebook shows of a network, an equation, a derivation, a run and a trace: a piece of HTML, no scripts.

Each piece carries its own style sheet, reads in light and dark notebooks, and stays in order where a notebook throws
style sheets and drawings away.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from glassnet.equations.entries import entry_of, letters_of
from glassnet.equations.entry_text import entry_text, short_number
from glassnet.equations.expression import shape_text
from glassnet.equations.images import pair_text
from glassnet.equations.optimizers import LBFGS, Newton
from glassnet.equations.page import PHASES, html_page, legend, settings_text
from glassnet.equations.rendering import MATHML, TEXT, symbol_in
from glassnet.layers import Activation, BatchNorm, Conv2D, Dense, Weighted, as_pair
from glassnet.views.matrix_text import GAP, remarks
from glassnet.views.notebook_drawings import cost_drawing, layer_shapes, network_drawing
from glassnet.views.pages import fragment

if TYPE_CHECKING:
    from glassnet.equations.derive import Derivation
    from glassnet.equations.layers import Equation
    from glassnet.network import Layer, Network
    from glassnet.training.run import Run
    from glassnet.views.trace import Trace

LAYERS_SHOWN = 14
LINES_SHOWN = 30
ROWS_SHOWN = 6
COLUMNS_SHOWN = 6
WORKED_TERMS = 4


def _piece(template: str, **values: Any) -> str:
    return fragment(f"notebook_{template}", styles=("notebook",), **values).strip()


def few(count: int, most: int) -> list[int | None]:
    """The places that are shown, the first ones and the last; None stands for those between."""
    return list(range(count)) if count <= most else [*range(most - 2), None, count - 1]


def _symbol(name: str) -> str:
    return f"<math>{symbol_in(name, MATHML)}</math>"


def brief(network: Network) -> str:
    """The network in a line; of a deep one the first layers and the last."""
    parts = str(network).split(" → ")
    return " → ".join(parts if len(parts) <= 9 else [*parts[:6], GAP, *parts[-2:]])


# The network.


class LayerRow(NamedTuple):
    """One layer as a row of the table."""

    number: str
    kind: str
    units: int
    activation: str
    gives: str
    parameters: list[tuple[str, str]]
    trained: int


def network_html(network: Network) -> str:
    """The layers as a table and a drawing, and how many numbers are trained."""
    rows = layer_rows(network)
    shown = few(len(rows), LAYERS_SHOWN)
    hidden = [row for place, row in enumerate(rows) if place not in shown]
    return _piece(
        "network",
        network=network,
        inputs=(math.prod(network.input_shape), shape_text(("m", *network.input_shape))),
        brief=brief(network),
        rows=[None if place is None else rows[place] for place in shown],
        left_out=(len(hidden), sum(row.trained for row in hidden)),
        total=sum(row.trained for row in rows),
        drawing=network_drawing(network),
    )


def layer_rows(network: Network) -> list[LayerRow]:
    """The layers with what they learn; those without weights have no number of their own."""
    learnt: dict[tuple[int, bool], list[Any]] = {}
    for parameter in network.forward().parameters:
        learnt.setdefault((parameter.layer, parameter.role in ("weight", "bias")), []).append(parameter)
    rows, layer = [], 0
    for described, given in zip(network.layers, layer_shapes(network), strict=True):
        weighted = isinstance(described, Weighted)
        layer += weighted
        own = learnt.get((layer, weighted), []) if weighted or isinstance(described, BatchNorm) else []
        shapes = [tuple(int(size) for size in parameter.symbol.shape) for parameter in own]
        rows.append(
            LayerRow(
                str(layer) if weighted else "", _kind(described), given[0], _activation(described), shape_text(("m", *given)),
                [(_symbol(p.name), shape_text(shape)) for p, shape in zip(own, shapes, strict=True)],
                sum(int(np.prod(shape)) for shape in shapes),
            )
        )  # fmt: skip
    return rows


def _kind(layer: Layer) -> str:
    if isinstance(layer, Weighted):
        name = "dense" if isinstance(layer, Dense) else "convolution"
        if isinstance(layer, Conv2D):
            down, across = as_pair(layer.kernel_size)
            name += f" {down}×{across}"
            name += f", stride {pair_text(as_pair(layer.stride))}" if layer.stride != 1 else ""
            name += f", dilation {pair_text(as_pair(layer.dilation))}" if layer.dilation != 1 else ""
            name += ", same" if layer.padding == "same" else ""
        return name if getattr(layer, "bias", True) else f"{name}, no bias"
    return "activation" if isinstance(layer, Activation) else str(layer)


def _activation(layer: Layer) -> str:
    if not isinstance(layer, Dense | Conv2D | Activation):
        return ""
    return layer.activation if isinstance(layer.activation, str) else layer.activation.name


# Equations.


def equation_html(equation: Equation) -> str:
    """The line, why it stands there, what made it, and what one entry of it is made of."""
    at = ",".join(map(str, letters_of(equation.shape)))
    name = symbol_in(equation.name, TEXT)
    computed = None if equation.textbook is None else f"<math>{equation.expression.mathml()}</math>"
    return _piece(
        "equation",
        equation=equation,
        line=equation.mathml(),
        phase=equation.phase + ("" if equation.layer is None else f", layer {equation.layer}"),
        shape=shape_text(equation.shape) if equation.shape else "a number",
        computed=computed,
        entry=f"{name}{f'[{at}]' if at else ''} {equation.arrow} {entry_text(entry_of(equation.shown))}",
    )


def derivation_html(derivation: Derivation) -> str:
    """The page of the derivation, with the notebook's style sheet."""
    page = html_page(derivation)
    end = page.index(">") + 1
    return page[:end] + fragment("notebook_style", styles=("notebook",)).strip() + page[end:]


# A run.

SHOWN = (
    ("cost", "cost, trained on", min), ("validation_cost", "cost, held out", min),
    ("accuracy", "accuracy, trained on", max), ("validation_accuracy", "accuracy, held out", max),
    ("r2", "R², trained on", max), ("validation_r2", "R², held out", max),
)  # fmt: skip
"""History column, what it is called, and which of its numbers is the best."""


def run_html(run: Run) -> str:
    """How a training went, where it is kept, and what can be asked of it."""
    settings, about, history = run.settings, run.facts["data"], run.history
    held = f", {about['validation_rows']:,} held out" if about.get("validation_rows") else ""
    penalties = [f"{name} {value:g}" for name, value in (("L1", settings.l1), ("L2", settings.l2)) if value]
    facts = [
        ("network", f"{brief(run.network)} ({run.derivation.parameter_count:,} parameters)"),
        ("data", f"{_counted(about['rows'], 'sample')} of {_sample_said(run.network.input_shape)}{held}"),
        ("loss", settings.loss.name + (f", penalty {' and '.join(penalties)}" if penalties else "")),
        ("optimiser", settings_text(settings.optimizer)),
        (
            "batches",
            f"{_counted(settings.batch_size or about['rows'], 'sample')}, {_counted(run.batches, 'update')} an epoch",
        ),
        (
            "done",
            f"{len(history):,} of {_counted(settings.epochs, 'epoch')}, {_counted(run.iteration, 'update')}{_time(run)}",
        ),
        ("numbers", f"{settings.dtype}, seed {settings.seed}, engine {settings.engine}"),
        ("kept", _kept(run)),
    ]
    if run.restored != run.iteration:
        facts.append(("parameters", f"those of iteration {run.restored:,}, the best of the training"))
    return _piece(
        "run",
        run=run,
        brief=brief(run.network),
        facts=facts,
        drawing=cost_drawing(run),
        measures=[row for column in SHOWN if (row := _measure(run, *column)) is not None],
        prepared=None if run.preparation is None else run.preparation.describe(),
        remarks=[*(run.preparation.notes if run.preparation is not None else ()), *run.notes],
        next=_next(run),
    )


def _sample_said(shape: tuple[int, ...]) -> str:
    """What one sample is: its features, or its channels, rows and columns."""
    return (
        _counted(shape[0], "feature") if len(shape) == 1 else f"{' × '.join(map(str, shape))} (channels, rows, columns)"
    )


def _time(run: Run) -> str:
    seconds = run.history.last().get("seconds")
    return "" if seconds is None else f" in {short_number(seconds, 2)} s"


def _kept(run: Run) -> str:
    moments = _counted(len(run.snapshots), "snapshot")
    return f"{moments}, {'in memory only' if run.folder is None else f'in the folder {run.folder}'}"


def _counted(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def _measure(run: Run, column: str, said: str, best: Any) -> dict[str, str] | None:
    """One row of the results: before training, after the first epoch, the last, and the best with its epoch."""
    if column not in run.history and column not in run.initial:
        return None
    values = run.history[column] if column in run.history else np.array([])
    before = run.initial.get(column)
    known = {
        place: value
        for place, value in enumerate([np.nan if before is None else before, *values])
        if np.isfinite(value)
    }
    top = best(known, key=known.__getitem__) if known else None
    when = f"in epoch {top:,}" if top else "before training"
    return {
        "said": said,
        "before": "" if before is None else short_number(before),
        "first": short_number(values[0]) if len(values) else "",
        "last": short_number(values[-1]) if len(values) else "",
        "best": "" if top is None else f"{short_number(known[top])} {when}",
    }


def _next(run: Run) -> list[tuple[str, str]]:
    """What can be asked of this run, as code, and what it gives."""
    middle, last = run.iteration // 2, max(0, run.iteration - 1)
    asked = [(f"run.at({middle})", "the training as it was after so many updates")] if run.iteration > 1 else []
    if has_steps(run):
        said = "the last step, line by line, with every number"
        if run.status == "diverged":
            last, said = (
                run.iteration,
                f"the step after its last finite parameters; run.trace({run.iteration + 1}) is the next",
            )
        asked.append((f"run.trace({last})", said))
    asked.append(("run.predict(X)", "the outputs for new samples"))
    for name, said in (("animate", "a film of the training"), ("report", "all of it as one page to send on")):
        if hasattr(run, name):
            asked.append((f"run.{name}()", said))
    if run.folder is None:
        asked.append(('run.save("runs/mine")', "keep it; gn.Run.load reads it again"))
    if run.data is None and not (run.facts.get("source") or {}).get("path"):
        asked.append(
            ("run.attach(X, Y)", "give it its data again, which were not saved with it and which replaying needs")
        )
    return asked


def has_steps(run: Run) -> bool:
    """Whether the last step of this run can be traced; `Run.intermediates` says why one cannot."""
    if isinstance(run.settings.optimizer, LBFGS) or (run.facts.get("direct") or {}).get("aliased"):
        return False
    return not (isinstance(run.settings.optimizer, Newton) and run.facts.get("from_data") and run.iteration <= 1)


# A trace.


class Line(NamedTuple):
    """One line of a step as the notebook shows it."""

    equation: str
    shape: str
    why: list[str]
    values: Table
    worked: str


class Table(NamedTuple):
    """A matrix as rows of cells, each with its mark; a label for every row; a heading of the columns when some are missing."""

    headings: list[str]
    labels: list[str]
    rows: list[list[tuple[str, str]]]
    said: str
    alone: bool


def trace_html(trace: Trace) -> str:
    """The step line by line, with small matrices; the page of the step has them whole."""
    derivation = trace.run.derivation
    computed = {equation.name for equation in trace.equations if equation.phase != "update"}
    given = [
        Line(_symbol(name), shape_text(shape or ()), [meaning], _table(trace, name, (shape or ())[:1] == ("m",)), "")
        for name, shape, meaning in legend(derivation)
        if name in trace and name not in computed and np.ndim(trace[name])
    ]
    phases = []
    for phase, heading in PHASES:
        equations = [equation for equation in trace.equations if equation.phase == phase]
        if equations:
            phases.append((phase, heading, *_lines(trace, equations)))
    return _piece(
        "trace", heading=trace.heading(), given=given[:LINES_SHOWN], more=len(given[LINES_SHOWN:]), phases=phases
    )


def _lines(trace: Trace, equations: Sequence[Equation]) -> tuple[list[Line | None], int]:
    shown = few(len(equations), LINES_SHOWN)
    lines = [None if place is None else _line(trace, equations[place]) for place in shown]
    return lines, len(equations) - LINES_SHOWN + 1


def _line(trace: Trace, equation: Equation) -> Line:
    left = f"{equation.name}.after"
    gives = left if equation.phase == "update" and left in trace else equation.name
    of_samples = equation.phase != "update" and equation.shape[:1] == ("m",)
    first = (0,) * np.ndim(trace[gives])
    name = symbol_in(equation.name, TEXT) + (f"[{','.join(map(str, first))}]" if first else "")
    worked = f"{name} {equation.arrow} {trace.worked(equation.name, *first, most=WORKED_TERMS)}"
    by = [f"by {rule}" for rule in equation.rules] if equation.phase == "backward" else []
    return Line(
        equation.mathml(),
        shape_text(equation.shape) if equation.shape else "",
        [equation.why, *by],
        _table(trace, gives, of_samples),
        worked,
    )


def _table(trace: Trace, name: str, of_samples: bool) -> Table:
    values = np.asarray(trace[name])
    table = values.reshape(1, -1) if values.ndim < 2 else values.reshape(values.shape[0], -1)
    rows, columns = few(table.shape[0], ROWS_SHOWN), few(table.shape[1], COLUMNS_SHOWN)
    named = [f"row {row}" for row in trace.rows] if of_samples else [f"[{i}]" for i in range(table.shape[0])]
    labelled = of_samples or None in rows
    return Table(
        ["" if c is None else f"[{c}]" for c in columns] if None in columns else [],
        [GAP if r is None else named[r] for r in rows] if labelled else [],
        [[_cell(None if r is None or c is None else table[r, c]) for c in columns] for r in rows],
        remarks(values, whole=None not in rows and None not in columns) if values.ndim else "",
        not values.ndim,
    )


def _cell(value: Any) -> tuple[str, str]:
    """How a number is written, and its mark: what is not finite and what is 0 should be seen as what it is."""
    if value is None:
        return GAP, "gap"
    return short_number(value), "odd" if not np.isfinite(value) else "zero" if value == 0 else "plain"
