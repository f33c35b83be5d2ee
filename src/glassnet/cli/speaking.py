"""How the command line speaks: results on standard output, notes and problems on standard error, a line each."""

from __future__ import annotations

import contextlib
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
        if not self.quiet:
            print(text, flush=True)

    def table(self, table: Any) -> None:
        """A rich table."""
        if self.quiet:
            return
        from rich.console import Console

        width = None if sys.stdout.isatty() else WIDTH_OF_A_FILE
        Console(file=sys.stdout, width=width, highlight=False).print(table)


def one_line(text: str) -> str:
    """Text without line breaks."""
    return " ".join(text.split())


def note(text: str) -> None:
    """Something worth knowing that stops nothing."""
    print(f"note: {one_line(text)}", file=sys.stderr, flush=True)


def complain(text: str) -> None:
    """The one sentence that says why a command failed."""
    print(one_line(text), file=sys.stderr, flush=True)


@contextlib.contextmanager
def shown_notes(skip: str | None = None) -> Iterator[None]:
    """Show glassnet's warnings as notes, a line each, instead of in Python's format.

    Parameters
    ----------
    skip : warnings that begin so are not shown, for the command says them itself
    """
    with warnings.catch_warnings():
        warnings.simplefilter("always", GlassnetWarning)
        before = warnings.showwarning

        def show(message: Any, category: Any, *rest: Any, **named: Any) -> None:
            if not issubclass(category, GlassnetWarning):
                before(message, category, *rest, **named)
            elif skip is None or not str(message).startswith(skip):
                note(str(message))

        warnings.showwarning = show
        yield


def tolerant_streams() -> None:
    """Write letters that a terminal's encoding lacks as '?', instead of failing over them."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
