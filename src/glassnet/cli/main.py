"""`glassnet`: every command, and how a problem is said: one sentence on standard error and exit status 2."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from glassnet.cli.animate import animate
from glassnet.cli.demo import demo
from glassnet.cli.diagnose import diagnose
from glassnet.cli.evaluate import evaluate
from glassnet.cli.filter import filter_picture
from glassnet.cli.help_page import Command
from glassnet.cli.plot import plot
from glassnet.cli.predict import predict
from glassnet.cli.regress import regress
from glassnet.cli.report import report
from glassnet.cli.show import show
from glassnet.cli.speaking import complain, shown_notes, tolerant_streams
from glassnet.cli.trace import trace
from glassnet.cli.train import train
from glassnet.errors import GlassnetError, nearest, unknown_name

FAILED = 2
INTERRUPTED = 130


class Commands(TyperGroup):
    """The group of all commands. `main` turns every problem into one sentence and an exit status."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that was named; an unknown one is answered with the nearest."""
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            raise GlassnetError(unknown_name("command", args[0], self.list_commands(ctx)))
        return super().resolve_command(ctx, args)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command; exit 0, or 2 after one sentence on standard error (130 after a second Ctrl-C)."""
        tolerant_streams()
        with shown_notes(hold=True) as notes:
            try:
                result = super().main(
                    args=args,
                    prog_name=prog_name or "glassnet",
                    complete_var=complete_var,
                    standalone_mode=False,
                    windows_expand_args=windows_expand_args,
                    **extra,
                )
                sys.stdout.flush()
                status = result if isinstance(result, int) else 0
            except (BrokenPipeError, SystemExit) as end:
                # The reader, such as `head`, has seen enough: typer wraps the streams and exits 1, rich exits 1 on the
                # spot. That is no failure.
                left = isinstance(end, BrokenPipeError) or isinstance(end.__context__, BrokenPipeError)
                left = left or type(sys.stdout).__name__ == "PacifyFlushWrapper"
                if not left:
                    raise
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
                status = 0
            except Exception as problem:
                if os.environ.get("GLASSNET_DEBUG") == "1":
                    raise
                notes.clear()
                status = _said(problem)
        if standalone_mode:
            sys.exit(status)
        return status


def _said(problem: Exception) -> int:
    """Say what went wrong, in one sentence; the exit status."""
    if isinstance(problem, GlassnetError):
        complain(str(problem))
    elif isinstance(problem, typer.Abort):
        complain("Interrupted.")
        return INTERRUPTED
    elif hasattr(problem, "format_message"):  # what typer says about the way a command was written
        complain(_usage(problem))
    elif isinstance(problem, MemoryError):
        complain(
            "The memory is not enough for this; try --dtype float32, a smaller --batch-size, fewer rows, a smaller network "
            "or a smaller --image-size."
        )
    elif isinstance(problem, OSError) and problem.errno is not None:
        from glassnet.training.files import reason

        where = f"{problem.filename}: " if problem.filename else ""
        complain(f"{where}{reason(problem)}.")
    elif type(problem).__name__ == "NonFiniteValue":
        complain(
            f"The network's values for these rows are not finite, first in {problem.equation}; "  # type: ignore[attr-defined]
            "the training that made it diverged: train again with a lower --learning-rate."
        )
    else:
        complain(
            f"glassnet met a problem it did not expect: {type(problem).__name__}: {problem}; "
            "set GLASSNET_DEBUG=1 to see where."
        )
    return FAILED


def _usage(problem: Any) -> str:
    """One sentence for a command line that cannot be read."""
    ctx = getattr(problem, "ctx", None)
    words = ctx.command_path.split()[1:] if ctx is not None else []
    see = f"see {' '.join(['glassnet', *words])} --help."
    option = getattr(problem, "option_name", None)
    if option is not None and type(problem).__name__ == "NoSuchOption":
        known = [name for p in ctx.command.get_params(ctx) for name in (*p.opts, *p.secondary_opts)] if ctx else []
        near = nearest(str(option), known)
        hint = f"did you mean '{near}'? Otherwise {see}" if near else see
        return f"There is no option '{option}'; {hint}"
    return f"{str(problem.format_message()).rstrip('.')}; {see}"


app = typer.Typer(
    cls=Commands,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from glassnet import __version__

        typer.echo(f"glassnet {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def glassnet(
    ctx: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Neural networks you can see through: train one on your own table or pictures, read its equations, judge it.

    \b
    Start here:
      glassnet demo                               a network and a straight line, with pictures
      glassnet train iris                         bundled data: iris, digits, wine, breast_cancer, diabetes,
                                                  flower, moons, circles, blobs, spiral, xor
      glassnet train sales.csv --target price     your own table
      glassnet train images/                      your own pictures, one subfolder a class
      glassnet show runs/sales-1                  the network, its equations, its results
      glassnet trace runs/sales-1 --iteration 0   one step of the training, every number of it
      glassnet animate runs/flower-1 boundary network cost --out flower.gif
      glassnet diagnose runs/sales-1 --cure       why it does not learn, and what cures it
      glassnet report runs/sales-1                all of it as one page, to send to a colleague
      glassnet predict runs/sales-1 new.csv --out predictions.csv
      glassnet filter cat.jpg --kernel emboss --out emboss.png
      glassnet regress "price ~ size + city" sales.csv

    Every command has a page of its own: glassnet train --help
    """
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


for command, short in (
    (demo, "See a network and a straight line at work, with pictures."),
    (train, "Train a network on a table and judge it."),
    (predict, "Predict new rows."),
    (evaluate, "Judge a network on rows with known targets."),
    (regress, "A regression from an R formula, with its statistics."),
    (show, "The network, its equations, its results."),
    (diagnose, "Why a training does not learn, and a cure."),
    (report, "Write a page about a run, to be sent to a colleague."),
    (trace, "One step of a training, with its numbers."),
    (plot, "Draw one picture of a network."),
    (animate, "Make a film of a training."),
):
    app.command(cls=Command, short_help=short)(command)
app.command("filter", cls=Command, short_help="Filter a picture with a kernel.")(filter_picture)


def main() -> None:
    """The entry point of the `glassnet` program."""
    app()


if __name__ == "__main__":
    main()
