"""`Trace`: one step of a training with its numbers, from `run.trace(iteration)`."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.equations.entries import Entry, entry_of, letters_of, to_plain
from glassnet.equations.entry_text import entry_text, short_number, worked_text
from glassnet.equations.expression import shape_text
from glassnet.equations.page import PHASES, constants, legend, settings_text
from glassnet.equations.rendering import MATHML, TEXT, number_text, symbol_in
from glassnet.errors import RunError, unknown_name
from glassnet.views.map_text import maps_text
from glassnet.views.matrix_text import matrix_text
from glassnet.views.trace_requests import extent, positions, whole_number

if TYPE_CHECKING:
    from glassnet.equations.layers import Equation
    from glassnet.training.run import Run

PAGE_SAMPLES = 60
"""A page has at most so many samples of a batch, unless they are named."""
PAGE_NUMBERS = 120_000
"""Numbers of samples that a page holds at most, unless they are named."""
TEXT_SAMPLES = 8


class Trace(Mapping[str, Any]):
    """Every value of one training step, by the names of the equations.

    `trace["dZ1"]` is an array; `trace["W1"]` the weights before the step, `trace["W1.after"]` after it. `print(trace)` writes
    the step line by line, `trace.to_html("step.html")` as a page that can be walked through.

    Attributes
    ----------
    run : whose step it is
    iteration : updates made before it
    samples : positions of the samples within the step's batch; what is summed over the batch is of the whole batch
    rows : the numbers of these samples' rows in the data that the run was trained on
    batch_size : samples in the step's batch
    equations : the lines of the step, in the order in which they run
    """

    def __init__(self, run: Run, iteration: int, samples: Sequence[int] | None = None) -> None:
        from glassnet.training.loop import batch_rows

        self.run = run
        if isinstance(iteration, bool) or not isinstance(iteration, int | np.integer):
            raise RunError(f"run.trace got {iteration!r}; it needs a step, a whole number from 0.")
        chosen = None if samples is None else positions(samples)
        self._values = run.intermediates(iteration, chosen)
        self.iteration = int(iteration)
        rows = batch_rows(run, self.iteration)
        self.batch_size = len(rows)
        self.samples: list[int] = np.arange(len(rows))[chosen if chosen is not None else slice(None)].tolist()
        self.rows: list[int] = rows[self.samples].tolist()
        self.named = samples is not None
        self.equations = run.derivation.equations

    # A mapping of names to arrays.

    def __getitem__(self, name: str) -> Any:
        """The value of this name.

        Raises
        ------
        RunError : the step has no value of this name
        """
        if name not in self._values:
            raise RunError(unknown_name("value of this step", str(name), self._values))
        return self._values[name]

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    # Lines.

    @property
    def epoch(self) -> int:
        """The epoch that the step belongs to, from 1."""
        return self.iteration // self.run.batches + 1

    def line(self, name: str) -> Equation:
        """The equation that gives this value: its text, the reason for it and the rules that made it.

        Raises
        ------
        RunError : no line gives it
        """
        wanted = str(name).removesuffix(".after")
        names = [equation.name for equation in self.equations]
        if wanted not in names and wanted in self._values:
            raise RunError(f"{wanted} is given to the step and computed by no line; trace[{wanted!r}] holds it.")
        if wanted not in names:
            raise RunError(unknown_name("line of this step", wanted, names))
        return self.equations[names.index(wanted)]

    @cached_property
    def _entries(self) -> dict[str, tuple[Entry, str]]:
        """Line → what one entry of it is made of, and the name of what it gives.

        The updates run one after the other, so a line reads what those above it have left.
        """
        found: dict[str, tuple[Entry, str]] = {}
        left: dict[str, str] = {}
        for equation in self.equations:
            gives = equation.name
            entry = entry_of(equation.shown, left)
            if equation.phase == "update" and f"{equation.name}.after" in self._values:
                gives = left[equation.name] = f"{equation.name}.after"
            found[equation.name] = entry, gives
        return found

    def worked(self, name: str, *index: int, digits: int = 4, most: int = 8) -> str:
        """One entry of a line with the numbers it is made of: `0.31·1 + 0.82·0 + 0.1 = 0.41`.

        Parameters
        ----------
        name : a line, such as "Z1"; of a parameter it is the update ("W1")
        index : place of the entry in `trace[name]`, from 0: row and column of a matrix; sample, channel, row and column of
            maps; filter, channel, row and column of kernels; none for a number such as J
        digits : significant digits
        most : of a longer sum, so many terms are written

        Raises
        ------
        RunError : no such line, no such entry
        """
        line = self.line(name)
        entry, gives = self._entries[line.name]
        values = np.asarray(self[gives])
        whole_number("digits", digits, 1, 17)
        whole_number("most", most, 2, None)
        whole = all(isinstance(i, int | np.integer) and not isinstance(i, bool) for i in index)
        if (
            not whole
            or len(index) != values.ndim
            or not all(-n <= i < n for i, n in zip(index, values.shape, strict=True))
        ):
            given = f"[{', '.join(map(str, index))}]" if index else ""
            raise RunError(f"There is no {name}{given}; {name} {extent(values.shape, self._of_samples(gives))}.")
        at = tuple(int(i) % n for i, n in zip(index, values.shape, strict=True))
        letters = {
            letter: place for letter, place in zip(letters_of(line.shape), at, strict=True) if isinstance(letter, str)
        }
        text = worked_text(
            entry, self._number, letters, self._extents, digits, most, self.batch_size - len(self.samples)
        )
        return f"{text} = {short_number(float(values[at]), digits)}"

    def _number(self, name: str, indices: tuple[int, ...]) -> float:
        return float(np.asarray(self[name])[indices])

    @property
    def _extents(self) -> dict[str, int]:
        return {"m": len(self.samples)}

    # As text.

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"<Trace of iteration {self.iteration} of {self.run.network}: {len(self.samples)} of {self.batch_size} samples>"

    def _repr_html_(self) -> str:
        from glassnet.views.notebook import trace_html

        return trace_html(self)

    def text(
        self, *, lines: Sequence[str] | None = None, digits: int = 4, width: int = 100, rows: int = TEXT_SAMPLES
    ) -> str:
        """The step as text: each line with the reason for it, the rules that made it and its numbers.

        Parameters
        ----------
        lines : names of the lines that are written; all unless given
        digits : significant digits
        width : letters a line may take
        rows : rows of a matrix that are written at most

        Raises
        ------
        RunError : no line of such a name
        """
        whole_number("digits", digits, 1, 17)
        whole_number("rows", rows, 3, None)
        asked = [lines] if isinstance(lines, str) else lines
        chosen = None if asked is None else {self.line(name).name for name in asked}
        options = {"digits": digits, "width": width - 4, "rows": rows}
        written = textwrap.wrap(self.heading(), width)
        if chosen is None:
            written += ["", "Before the step", *self._given(options)]
        for phase, heading in PHASES:
            equations = [e for e in self.equations if e.phase == phase and (chosen is None or e.name in chosen)]
            if equations:
                written += ["", heading]
            for equation in equations:
                written += self._line_text(equation, options)
        return "\n".join(written)

    def heading(self) -> str:
        """Which step it is."""
        size = f"{self.batch_size} sample{'s' if self.batch_size != 1 else ''}"
        shown = "" if len(self.samples) == self.batch_size else f", {len(self.samples)} of them shown"
        used = any(name == "alpha" for name, _, _ in legend(self.run.derivation))
        rate = f", learning rate {short_number(float(self._values['alpha']), 6)}" if used else ""
        batch = f"a batch of {size}{shown}{rate}"
        return f"The step after iteration {self.iteration} (epoch {self.epoch}) of {self.run.network}: {batch}"

    def _given(self, options: Mapping[str, Any]) -> list[str]:
        written = []
        computed = {equation.name for equation in self.equations if equation.phase != "update"}
        derivation = self.run.derivation
        given = legend(derivation)
        listed = {name for name, _, _ in given}
        given += [(s.name, s.shape, "remembered by the optimiser") for s in derivation.states if s.name not in listed]
        for name, shape, meaning in given:
            if name in self._values and name not in computed and np.ndim(self._values[name]):
                written.append(f"  {symbol_in(name, TEXT)}  {shape_text(shape or ())}  {meaning}")
                written += [f"    {line}" for line in self._matrix(name, options)]
        return written

    def _line_text(self, equation: Equation, options: Mapping[str, Any]) -> list[str]:
        gives = self._entries[equation.name][1]
        width = options["width"] + 4
        said = textwrap.wrap(
            f"{equation}  {shape_text(equation.shape)}  {equation.why}", width, initial_indent="  ", subsequent_indent="      ",
            break_long_words=False, drop_whitespace=True, replace_whitespace=False,
        )  # fmt: skip
        rules = [f"    by {rule}" for rule in equation.rules] if equation.phase == "backward" else []
        return [*said, *rules, *(f"    {line}" for line in self._matrix(gives, options))]

    def _matrix(self, name: str, options: Mapping[str, Any]) -> list[str]:
        values = np.asarray(self[name])
        labels = [f"row {row}" for row in self.rows] if self._of_samples(name) else None
        if values.ndim == 4:
            return maps_text(values, labels=labels, **options)
        return matrix_text(values, labels=labels, **options)

    @cached_property
    def _shapes(self) -> dict[str, Any]:
        derivation = self.run.derivation
        shapes: dict[str, Any] = {name: shape for name, shape, _ in legend(derivation) if shape is not None}
        shapes |= {e.name: e.shape for e in reversed(derivation.equations)}
        return shapes | {"X": ("m",), "Y": ("m",), "w": ("m", 1)}

    def _of_samples(self, name: str) -> bool:
        """Whether its first axis is the samples."""
        return bool(self._shapes.get(name.removesuffix(".after"), ())[:1] == ("m",))

    # As a page.

    def payload(self) -> dict[str, Any]:
        """What the page of the step is made of: lines, what an entry of each is made of, and the arrays."""
        from glassnet.views.pages import numbers

        held = self._few_enough()
        derivation, arrays = self.run.derivation, {}
        for name in self._names_needed():
            values = np.asarray(self[name])
            of_samples = self._of_samples(name)
            arrays[name] = {**numbers(values[held] if of_samples else values), "samples": of_samples}
        meanings = {name: meaning for name, _, meaning in legend(derivation)}
        settings = self.run.settings
        of_all = f" of {settings.epochs}" if self.epoch <= settings.epochs else ""
        return {
            "title": f"{self.run.network}, iteration {self.iteration}",
            "network": str(self.run.network),
            "iteration": self.iteration,
            "epoch": self.epoch,
            "batch_size": self.batch_size,
            "samples": [self.samples[i] for i in held],
            "rows": [self.rows[i] for i in held],
            "dtype": settings.dtype,
            "about": [
                ["network", str(self.run.network)],
                ["step", f"after iteration {self.iteration}, in epoch {self.epoch}{of_all}"],
                ["batch", f"{self.batch_size} of {len(self.run.data or ())} samples"],
                ["loss", settings.loss.name],
                ["optimiser", settings_text(settings.optimizer)],
                ["numbers", f"{settings.dtype}, {_size_text(arrays)}"],
            ],
            "arrays": arrays,
            "lines": [self._line_payload(equation) for equation in self.equations],
            "symbols": {
                name: {"label": _label(name.removesuffix(".after")), "meaning": meanings.get(name, "")} for name in arrays
            },
            "constants": [[f"<math>{c.mathml()}</math>", number_text(c.value)] for c in constants(derivation)],
        }  # fmt: skip

    def _line_payload(self, equation: Equation) -> dict[str, Any]:
        entry, gives = self._entries[equation.name]
        computed = None
        if equation.textbook is not None:
            computed = f"<math>{equation.expression.mathml()}</math>"
        return {
            "name": equation.name, "value": gives, "phase": equation.phase, "layer": equation.layer, "text": str(equation),
            "mathml": equation.mathml(), "label": _label(equation.name), "why": equation.why,
            "rules": list(equation.rules), "computed_as": computed, "shape": list(equation.shape),
            "letters": list(letters_of(equation.shape)), "entry": to_plain(entry),
            "entry_text": f"{equation.name} {equation.arrow} {entry_text(entry)}",
        }  # fmt: skip

    def _names_needed(self) -> list[str]:
        """The arrays that lines give or read, in the order of the step."""
        found: dict[str, None] = {}
        for name, _, _ in legend(self.run.derivation):
            if name in self._values:
                found[name] = None
        for entry, gives in self._entries.values():
            for name in [*_cells(to_plain(entry)), gives]:
                if name in self._values:
                    found.setdefault(name)
        return list(found)

    def _few_enough(self) -> list[int]:
        """The samples that the page gets, by their place among those of the trace."""
        if self.named:
            return list(range(len(self.samples)))
        a_row = sum(np.asarray(self[n])[:1].size for n in self._names_needed() if self._of_samples(n))
        return list(range(min(len(self.samples), PAGE_SAMPLES, max(1, PAGE_NUMBERS // max(1, a_row)))))

    def page(self) -> str:
        """The page of the step, as text."""
        from glassnet.views.step_page import step_page

        return step_page(self.payload())

    def to_html(self, path: str | Path) -> Path:
        """Write the step as one self-contained page, to be walked through entry by entry.

        A batch of many samples is shown by its first ones; name others in `run.trace(iteration, samples=[...])`.

        Raises
        ------
        RunError : the file cannot be written
        """
        from glassnet.training.files import write_bytes

        place = Path(path)
        write_bytes(place, self.page().encode())
        return place


def _label(name: str) -> str:
    return f"<math>{symbol_in(name, MATHML)}</math>"


def _size_text(arrays: Mapping[str, Mapping[str, Any]]) -> str:
    """How many numbers a page holds, and how many bytes they take in it."""
    count = sum(math.prod(array["shape"]) for array in arrays.values())
    size = sum(len(array["data"]) for array in arrays.values())
    said = f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.0f} kB"
    return f"{count:,} of them on this page ({said})"


def _cells(plain: Any) -> Iterator[str]:
    """The names of all cells of an entry's plain form."""
    if isinstance(plain, dict):
        if plain.get("kind") in ("cell", "chosen"):
            yield plain["name"]
        for value in plain.values():
            yield from _cells(value)
    elif isinstance(plain, list):
        for value in plain:
            yield from _cells(value)
