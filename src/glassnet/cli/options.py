"""The options that several commands share, said once."""

from __future__ import annotations

from typing import Annotated

import typer

RunFolder = Annotated[str, typer.Argument(metavar="RUN", help="A run folder.", show_default=False)]
Unseen = Annotated[
    str,
    typer.Option(
        metavar="error|ignore", help="What to do about a category that training never saw; 'ignore' makes it none."
    ),
]
Delimiter = Annotated[
    str | None, typer.Option(metavar="CHARACTER", help="Between the columns of DATA; found when not given.")
]
NoHeader = Annotated[
    bool | None,
    typer.Option("--no-header/--header", help="The first line of DATA holds values / names; found when not given."),
]
SkipDamaged = Annotated[bool, typer.Option("--skip-damaged", help="Load the run without its damaged files.")]
SkipDamagedToo = Annotated[
    bool, typer.Option("--skip-damaged", help="Leave out damaged files of the run, and damaged pictures of DATA.")
]
