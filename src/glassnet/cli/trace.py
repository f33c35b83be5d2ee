"""`glassnet trace`: one step of a training, with its numbers."""

from __future__ import annotations

import re
import shutil
import sys
from typing import Annotated

import typer

from glassnet.cli.options import RunFolder, SkipDamaged
from glassnet.errors import GlassnetError

WIDEST = 160
PIPED = 100
"""Letters a line when the text goes to a file or another program."""


def trace(
    run: RunFolder,
    iteration: Annotated[
        int | None,
        typer.Option(
            "--iteration", "-i", metavar="NUMBER", help="Updates before the step; 0 is the first. [default: the last]"
        ),
    ] = None,
    sample: Annotated[
        list[int] | None,
        typer.Option(
            "--sample",
            "-s",
            metavar="NUMBER",
            help="A position within the step's batch, from 0; may be repeated. [default: all]",
        ),
    ] = None,
    line: Annotated[
        list[str] | None,
        typer.Option("--line", "-l", metavar="NAME", help="Only this line, such as dW1; may be repeated."),
    ] = None,
    entry: Annotated[
        list[str] | None,
        typer.Option(
            "--entry",
            "-e",
            metavar="NAME[ROW,COLUMN]",
            help="One number with what it is made of; rows count the samples shown. Of maps: sample, channel, row, column.",
        ),
    ] = None,
    digits: Annotated[int, typer.Option(metavar="NUMBER", help="Significant digits.")] = 4,
    rows: Annotated[int, typer.Option(metavar="NUMBER", help="Rows of a matrix that are written at most.")] = 8,
    html: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write the step as a page to be walked through.")
    ] = None,
    skip_damaged: SkipDamaged = False,
) -> None:
    """Show one step of a training: every line of it with its numbers, replayed exactly.

    \b
    Examples:
      glassnet trace runs/iris-1                                the last step
      glassnet trace runs/iris-1 --iteration 100 --sample 3
      glassnet trace runs/iris-1 -i 0 --line dW1 --line W1
      glassnet trace runs/iris-1 -i 0 --entry "Z1[0,2]"         0.31·1 + 0.82·0 + 0.1 = 0.41
      glassnet trace runs/digits-1 --entry "Z1[0,2,5,3]"        one place of a map: the window's products
      glassnet trace runs/iris-1 -i 0 --html step.html          the same as a page
    """
    from glassnet.cli.folders import load_run

    if not 1 <= digits <= 17:
        raise GlassnetError(f"--digits got {digits}; it needs a number from 1 to 17.")
    if rows < 3:
        raise GlassnetError(f"--rows got {rows}; it needs 3 or more.")
    asked = [_place(text) for text in entry or ()]
    loaded = load_run(run, skip_damaged)
    if loaded.iteration == 0 and iteration is None:
        iteration = 0
    step = loaded.iteration - (loaded.status != "diverged") if iteration is None else iteration
    made = loaded.trace(step, sample or None)
    if html is not None:
        print(f"The page is {made.to_html(html)}; open it in a browser.")
    if asked:
        for name, index in asked:
            arrow = made.line(name).arrow
            print(f"{name}{list(index) if index else ''} {arrow} {made.worked(name, *index, digits=digits)}")
    if line or (html is None and not asked):
        width = min(WIDEST, shutil.get_terminal_size((PIPED, 24)).columns) if sys.stdout.isatty() else PIPED
        print(made.text(lines=line or None, digits=digits, width=width, rows=rows))


def _place(text: str) -> tuple[str, tuple[int, ...]]:
    """`Z1[0,2]` as a name and an index.

    Raises
    ------
    GlassnetError : it reads otherwise
    """
    found = re.fullmatch(r"\s*([^\s\[\]()]+)\s*(?:\[\s*(-?\d+(?:\s*,\s*-?\d+)*)\s*\])?\s*", text)
    if not found:
        raise GlassnetError(
            f"--entry got {text!r}; it needs a line's name and the entry's row and column, such as 'Z1[0,2]'."
        )
    index = tuple(int(part) for part in found[2].split(",")) if found[2] else ()
    return found[1], index
