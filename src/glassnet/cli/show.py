"""`glassnet show`: a trained network, its equations and its results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glassnet.cli.options import RunFolder, SkipDamaged
from glassnet.cli.speaking import Voice, as_options

if TYPE_CHECKING:
    from glassnet.training.run import Run

LAST_EPOCHS = 5

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1.05rem/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }}
table {{ border-collapse: collapse; margin: 0.5rem 0 1.5rem; }}
td {{ padding: 0.35rem 1.2rem 0.35rem 0; vertical-align: top; border-bottom: 1px solid #8884; }}
math {{ font-size: 1.15em; }}
pre {{ overflow-x: auto; }}
</style>
</head>
<body>
{body}
</body>
</html>
"""


def show(
    run: RunFolder,
    equations: Annotated[bool, typer.Option("--equations/--no-equations", help="Print the page of equations.")] = True,
    latex: Annotated[bool, typer.Option("--latex", help="Print the equations as LaTeX, and nothing else.")] = False,
    html: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write the equations as a page for a browser.")
    ] = None,
    skip_damaged: SkipDamaged = False,
) -> None:
    """Show a trained network: what it is, what was done to the data, its equations, how it fared.

    \b
    Examples:
      glassnet show runs/iris-1
      glassnet show runs/iris-1 --no-equations
      glassnet show runs/iris-1 --latex > step.tex
      glassnet show runs/iris-1 --html step.html
    """
    from glassnet.cli.folders import load_run

    loaded = load_run(run, skip_damaged)
    if latex:
        print(loaded.derivation.latex())
        return
    if html is not None:
        _write_page(loaded, Path(html))
        return
    print(loaded)
    _show_data(loaded)
    if equations:
        _heading("Equations")
        print(loaded.derivation)
    _show_results(loaded, Path(run))


def _heading(text: str) -> None:
    print(f"\n{text}\n{'─' * len(text)}")


def _show_data(run: Run) -> None:
    """Where the rows came from and what was done to them."""
    described = run.facts.get("source") or {}
    if run.preparation is not None:
        _heading("Data")
        if described.get("data"):
            print(f"from {described['data']}")
        for sentence in run.preparation.notes:
            print(as_options(sentence))
        print(f"\n{run.preparation.describe()}")
    if run.notes:
        _heading("Notes")
        for sentence in run.notes:
            print(sentence)


def _show_results(run: Run, place: Path) -> None:
    """The last epochs, and metrics.json when it is there."""
    from glassnet.cli.folders import METRICS

    _heading("Results")
    if len(run.history):
        print(run.history[-LAST_EPOCHS:])
    metrics = _metrics(place / METRICS)
    if metrics is not None and (metrics.get("run"), metrics.get("iteration")) != (run.facts["id"], run.iteration):
        print(f"\n{METRICS} is of another state of the network; glassnet evaluate {place} judges the present one.")
    elif metrics is not None:
        from glassnet.views.metrics import confusion_table, metrics_table

        voice = Voice()
        columns = {f"network, {name}": metrics[key] for name, key in (("trained on", "train"), ("held out", "test"))
                   if metrics.get(key)}  # fmt: skip
        if metrics.get("baseline"):
            columns["plain regression, held out"] = metrics["baseline"]["test"]
        print()
        voice.table(metrics_table(columns))
        if metrics.get("classes") and metrics.get("test"):
            voice.table(
                confusion_table(metrics["test"]["confusion_matrix"], metrics["classes"], "Network, held-out rows")
            )


def _metrics(path: Path) -> dict[str, Any] | None:
    """metrics.json, or None when it is not there or a person has changed it beyond reading."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return content if isinstance(content, dict) and "train" in content else None
    except (OSError, ValueError):
        return None


def _write_page(run: Run, path: Path) -> None:
    from html import escape

    from glassnet.training.files import write_bytes

    body = (
        f"<h1>The training step</h1>\n{run.derivation._repr_html_()}\n<h2>The run</h2>\n<pre>{escape(str(run))}</pre>"
    )
    write_bytes(path, PAGE.format(title=escape(f"glassnet: {run.network}"), body=body).encode())
    print(f"The page is {path}.")
