"""How the command line speaks: results on standard output, notes and problems on standard error, a line each."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import warnings
from collections.abc import Iterator
from typing import Any

from glassnet.errors import GlassnetWarning

WIDTH_OF_A_FILE = 120
"""Columns of a table that is not printed on a terminal."""


class Voice:
    """Says things on standard output, or nothing when it is to be quiet."""

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet

    def say(self, text: str = "") -> None:
        """A line."""
        if self.quiet:
            return
        try:
            print(text, flush=True)
        except BrokenPipeError:  # nobody reads any more; the work goes on
            self.quiet = True
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115

    def table(self, table: Any) -> None:
        """A rich table."""
        if self.quiet:
            return
        from rich.console import Console

        width = None if sys.stdout.isatty() else WIDTH_OF_A_FILE
        Console(file=sys.stdout, width=width, highlight=False).print(table)


def as_options(text: str) -> str:
    """A sentence of the library's with its Python settings written as options."""
    named = re.sub(r"\w+=(?:\([^()]*\)|\S+) \(command line: (--[^)]+)\)", r"\1", text)
    return re.sub(r"\btask='(\w+)'", r"--task \1", named)


def one_line(text: str) -> str:
    """Text without line breaks."""
    return as_options(" ".join(text.split()))


def note(text: str) -> None:
    """Something worth knowing that stops nothing."""
    print(f"note: {one_line(text)}", file=sys.stderr, flush=True)


def complain(text: str) -> None:
    """The one sentence that says why a command failed."""
    print(one_line(text), file=sys.stderr, flush=True)


@contextlib.contextmanager
def shown_notes(skip: str | None = None, hold: bool = False) -> Iterator[list[str]]:
    """Show glassnet's warnings as notes, a line each, instead of in Python's format.

    Parameters
    ----------
    skip : warnings that begin so are not shown, for the command says them itself
    hold : show them at the end, and none of them when it ends in a problem, which is then the only thing said

    Yields
    ------
    the notes held back so far
    """
    held: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("always", GlassnetWarning)
        warnings.simplefilter("ignore", RuntimeWarning)  # NumPy's remarks on overflow; what matters is said in words
        before = warnings.showwarning

        def show(message: Any, category: Any, *rest: Any, **named: Any) -> None:
            if not issubclass(category, GlassnetWarning):
                before(message, category, *rest, **named)
            elif skip is not None and str(message).startswith(skip):
                return
            elif hold:
                held.append(str(message))
            else:
                note(str(message))

        warnings.showwarning = show
        yield held
    for text in dict.fromkeys(held):
        note(text)


def tolerant_streams() -> None:
    """Write letters that a terminal's encoding lacks as '?', instead of failing over them."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
