"""`glassnet regress`: an R formula and a table; the summary that R prints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glassnet.cli.options import Delimiter, NoHeader
from glassnet.cli.speaking import Voice, note
from glassnet.errors import DataError, GlassnetError

if TYPE_CHECKING:
    from glassnet.cli.network_comparison import Comparison
    from glassnet.cli.source import Source
    from glassnet.statistics.formulas import Design
    from glassnet.statistics.regress import Regression

FIT, JUDGE, RESULT = "Fit", "Comparison", "Result"


def _families(incomplete: str) -> list[str]:
    """Completion: the families that begin as typed."""
    from glassnet.statistics.regress import FAMILIES

    return [name for name in FAMILIES if name.startswith(incomplete)]


def regress(
    formula: Annotated[
        str,
        typer.Argument(
            metavar="FORMULA",
            help="As in R: 'y ~ a + log(b)', with + - : * / ^ . -1, factor(x), I(x^2), poly(x, 2), scale(x). Put it in "
            "quotes.",
            show_default=False,
        ),
    ],
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help="A CSV, TSV or Parquet file, or the name of a bundled data set, such as iris.",
            show_default=False,
        ),
    ],
    family: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="gaussian (lm), binomial, multinomial or poisson. [default: gaussian, for numbers]",
            rich_help_panel=FIT,
            autocompletion=_families,
        ),
    ] = None,
    weights: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="The column of the rows' weights.", rich_help_panel=FIT)
    ] = None,
    l2: Annotated[
        float,
        typer.Option(metavar="λ", help="Penalty ½ λ Σ W² on the mean loss; no standard errors.", rich_help_panel=FIT),
    ] = 0.0,
    delimiter: Delimiter = None,
    no_header: NoHeader = None,
    conf_int: Annotated[
        bool, typer.Option("--conf-int", help="Print confidence intervals too.", rich_help_panel=RESULT)
    ] = False,
    level: Annotated[
        float, typer.Option(metavar="SHARE", help="Of the confidence intervals.", rich_help_panel=RESULT)
    ] = 0.95,
    out: Annotated[
        str | None,
        typer.Option("--out", "-o", metavar="FILE", help="Write the summary as JSON.", rich_help_panel=RESULT),
    ] = None,
    plots: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Draw the four residual plots (.png, .svg or .pdf).", rich_help_panel=RESULT),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that are there.", rich_help_panel=RESULT)
    ] = False,
    compare_network: Annotated[
        str | None,
        typer.Option(
            "--compare-network",
            metavar="UNITS",
            help="Fit a network with these hidden layers, such as 10,10, beside the regression, and judge both on rows "
            "that neither has seen.",
            rich_help_panel=JUDGE,
        ),
    ] = None,
    activation: Annotated[
        str, typer.Option(metavar="NAME", help="Of the network's hidden layers.", rich_help_panel=JUDGE)
    ] = "tanh",
    test: Annotated[
        str | None,
        typer.Option(
            metavar="SHARE",
            help="Rows held out: a share, or a number of rows. [default: 5-fold cross-validation, three times, below 2,000 "
            "rows; 0.25 from there on]",
            rich_help_panel=JUDGE,
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(metavar="NUMBER", help="Of the division and the network.", rich_help_panel=JUDGE)
    ] = 0,
) -> None:
    """Fit a regression from a formula, and print its summary as R does.

    Text columns are factors (treatment contrasts, the first level is the reference). For two classes the first is the
    failure; rows with missing values are left out and counted.

    \b
    Examples:
      glassnet regress "mpg ~ wt + hp" cars.csv
      glassnet regress "mpg ~ poly(hp, 2) + factor(cyl) * wt" cars.csv --conf-int --plots residuals.png
      glassnet regress "am ~ wt" cars.csv --family binomial --out am.json
      glassnet regress "Species ~ ." iris.csv --family multinomial
      glassnet regress "mpg ~ wt + hp" cars.csv --compare-network 10,10
    """
    from glassnet.cli.source import Reading, read_source
    from glassnet.statistics.confidence import check_level
    from glassnet.statistics.formulas import design
    from glassnet.statistics.regress import call_text, check_family, data_name, fit

    if family is not None:
        check_family(family)
    check_level(level)
    hidden = None if compare_network is None else _units(compare_network)
    held_out = None if test is None else _share(test)
    if hidden is None and (test is not None or activation != "tanh" or seed != 0):
        raise GlassnetError("--test, --seed and --activation belong to a network; give --compare-network UNITS too.")
    if conf_int and l2:
        raise GlassnetError("--conf-int got a penalised fit, whose estimates have no standard errors; leave --l2 out.")
    for place in (out, plots):
        if place is not None:
            _check_place(Path(place), overwrite)
    if plots is not None:
        _check_picture(Path(plots))
    source = read_source(
        data, None, Reading.asked(delimiter, no_header), labelled=False, fingerprints=True, arrays=False
    )
    made = design(formula, source.table, weights)
    chosen = family or _assumed(made)
    if plots is not None and chosen == "multinomial":
        raise GlassnetError(
            "--plots needs one residual a row, and a multinomial regression has one for every class; leave it out."
        )
    fitted = fit(made, chosen, call=call_text(made, chosen, data_name(data), weights), l2=l2)
    comparison = None
    if hidden is not None:
        from glassnet.cli.network_comparison import compare

        comparison = compare(made, chosen, hidden, test=held_out, seed=seed, activation=activation)
    voice = Voice()
    _print(voice, fitted, conf_int, level)
    if comparison is not None:
        voice.say("\n".join(["", *comparison.lines()]))
    if out is not None:
        _write(Path(out), fitted, source, weights, level, comparison)
    if plots is not None:
        _draw(Path(plots), fitted)
    written = [place for place in (out, plots) if place is not None]
    if written:
        voice.say(f"\nWritten: {', '.join(written)}.")


def _assumed(made: Design) -> str:
    """The family when none was named: gaussian for numbers; a note says that 0 and 1 could be more."""
    from glassnet.statistics.regress import listed_classes

    if made.classes is not None:
        other = "binomial" if len(made.classes) <= 2 else "multinomial"
        raise DataError(
            f"{made.response} is no number but one of {listed_classes(made.classes)}; say --family {other} to explain which."
        )
    if set(made.y.tolist()) == {0.0, 1.0}:
        note(
            f"{made.response} is only 0 and 1, and gaussian is assumed (a linear probability model); --family binomial is "
            "logistic regression."
        )
    return "gaussian"


def _print(voice: Voice, fitted: Regression, conf_int: bool, level: float) -> None:
    voice.say(str(fitted))
    if conf_int:
        voice.say(f"\nConfidence intervals ({level:.15g}):\n")
        voice.say("\n".join(_interval_lines(fitted.conf_int(level))))


def _interval_lines(table: Any) -> list[str]:
    """A table of limits in columns; pandas frame or not."""
    import math

    columns = list(table.columns)
    names = [str(name) for name in table.index]
    cells = [[f"{value:.7g}" if not math.isnan(value) else "NA" for value in table[column]] for column in columns]
    widths = [max(len(column), *(len(cell) for cell in part)) for column, part in zip(columns, cells, strict=True)]
    left = max(len(name) for name in names)
    head = "  ".join(f"{column:>{width}}" for column, width in zip(columns, widths, strict=True))
    lines = [f"{'':<{left}}  {head}"]
    for k, name in enumerate(names):
        row = "  ".join(f"{part[k]:>{width}}" for part, width in zip(cells, widths, strict=True))
        lines.append(f"{name:<{left}}  {row}")
    return lines


def _write(
    path: Path, fitted: Regression, source: Source, weights: str | None, level: float, comparison: Comparison | None
) -> None:
    """The summary as JSON, whole or not at all."""
    from glassnet.cli.folders import write_json

    write_json(path, plain(fitted, source, weights, level, comparison))


def plain(
    fitted: Regression, source: Source, weights: str | None, level: float, comparison: Comparison | None
) -> dict[str, Any]:
    """What --out holds."""
    import sys

    import numpy as np

    from glassnet import __version__
    from glassnet.data import fingerprint

    made = fitted.design
    content: dict[str, Any] = {
        "formula": made.formula,
        "family": fitted.family,
        "response": made.response,
        "classes": None if made.classes is None else list(made.classes),
        "rows": len(made.y),
        "rows_left_out": made.dropped,
        "weights": weights,
        "terms": {term: list(columns) for term, columns in made.columns_of_terms.items()},
        "summary": fitted.to_plain(),
    }
    if not fitted.run.derivation.l1 and not fitted.run.derivation.l2:
        table = fitted.conf_int(level)
        content["confidence_intervals"] = {
            "level": level,
            **{str(column): np.asarray(table[column], dtype=float).tolist() for column in table.columns},
        }
    content["comparison"] = None if comparison is None else comparison.to_plain()
    content["data"] = {
        "source": source.described["data"],
        "files": source.described.get("files", []),
        "fingerprint": fingerprint(made.X, made.y),
    }
    content["versions"] = {
        "glassnet": __version__,
        "numpy": np.__version__,
        "python": ".".join(map(str, sys.version_info[:3])),
    }
    return content


def _draw(path: Path, fitted: Regression) -> None:
    from glassnet.views import save
    from glassnet.views.residuals import residual_plots

    save(residual_plots(fitted.statistics_), path)


def _check_place(path: Path, overwrite: bool) -> None:
    """Find out before the fit whether the file may be written."""
    if path.is_dir():
        raise DataError(f"'{path}' is a folder; name a file in it.")
    if not path.parent.is_dir():
        raise DataError(f"'{path}' cannot be written: there is no folder '{path.parent}'; make it first.")
    if path.exists() and not overwrite:
        raise DataError(f"'{path}' is already there; choose another name, or pass --overwrite.")


def _check_picture(path: Path) -> None:
    if path.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise DataError(f"--plots got '{path}'; it needs a name that ends in .png, .svg or .pdf.")


def _units(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")]
    for part in parts:
        if not part.isdecimal() or int(part) < 1:
            raise GlassnetError(
                f"--compare-network got '{part}'; it needs the units of each hidden layer, such as 10,10: whole numbers, 1 "
                "or more."
            )
    return tuple(int(part) for part in parts)


def _share(text: str) -> float | int:
    try:
        value: float | int = int(text) if text.isdecimal() else float(text)
    except ValueError:
        value = 0
    if not (0 < value < 1 or (isinstance(value, int) and value >= 2)):
        raise GlassnetError(
            f"--test got '{text}'; it needs a share of the rows, such as 0.25, or a number of rows, 2 or more."
        )
    return value
