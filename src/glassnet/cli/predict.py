"""`glassnet predict`: what a trained network says of new rows."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glassnet.cli.options import Delimiter, NoHeader, RunFolder, SkipDamagedToo, Unseen
from glassnet.cli.speaking import note
from glassnet.errors import DataError

if TYPE_CHECKING:
    from glassnet.training.run import Run


def predict(
    run: RunFolder,
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help="The rows: a table with the columns of the training in any order (the target may be absent), an array "
            "file, a folder of pictures, or a picture.",
            show_default=False,
        ),
    ],
    out: Annotated[
        str,
        typer.Option("--out", "-o", metavar="FILE", help="A .csv or .parquet file; '-' prints CSV."),
    ] = "-",
    only: Annotated[
        bool, typer.Option("--only-predictions", help="Leave the columns of DATA out of the answer.")
    ] = False,
    unseen: Unseen = "error",
    delimiter: Delimiter = None,
    no_header: NoHeader = None,
    skip_damaged: SkipDamagedToo = False,
) -> None:
    """Predict new rows with a trained network.

    The answer has the columns of DATA, a column 'prediction' (a class, or a quantity in the target's own units), and
    for classes a column 'probability_CLASS' each. Of pictures it has a column 'file' instead; they are resized as those of
    the training were.

    \b
    Examples:
      glassnet predict runs/iris-1 new.csv --out predictions.csv
      glassnet predict runs/iris-1 new.parquet --out predictions.parquet --only-predictions
      glassnet predict runs/iris-1 new.csv | head
      glassnet predict runs/images-1 new-pictures/ --out predictions.csv
      glassnet predict runs/images-1 cat.jpg
    """
    from glassnet.cli.folders import load_run

    if out != "-":
        _check_place(Path(out))
    answer, notes = _answer(load_run(run, skip_damaged), data, delimiter, no_header, unseen, only, skip_damaged)
    for sentence in notes:
        note(sentence)
    if out == "-":
        _print(answer)
    else:
        _write(answer, Path(out))


def _answer(
    run: Run,
    data: str,
    delimiter: str | None,
    no_header: bool | None,
    unseen: str,
    only: bool,
    skip_damaged: bool,
) -> tuple[Any, list[str]]:
    """The table of predictions, and what is worth knowing about it."""
    import numpy as np
    import pyarrow as pa

    from glassnet.cli.division import labelless
    from glassnet.cli.source import Reading

    source, X = labelless(run, data, Reading.asked(delimiter, no_header), unseen, skip_damaged)
    notes = [] if source.X is not None or run.preparation is None else run.preparation.imputation_notes(source.table)
    A = run.outputs(run.state, X)
    columns = dict(_predicted(run, A))
    if source.files is not None and not only:
        return pa.table({"file": source.files, **columns}), notes
    if only or source.X is not None:
        return pa.table(columns), notes
    table = _as_written(data, source, delimiter, no_header)
    kept = {n: table.column(n) for n in table.column_names if n not in columns}
    replaced = [n for n in source.table.column_names if n in columns]
    if replaced:
        notes.append(f"DATA has a column '{replaced[0]}' of its own; the answer has the prediction there.")
    return pa.table({**kept, **{name: np.asarray(values) for name, values in columns.items()}}), notes


def _as_written(data: str, source: Any, delimiter: str | None, no_header: bool | None) -> Any:
    """The columns of DATA as the file has them: in a text file 01000 stays 01000, and NA stays NA."""
    import glassnet
    from glassnet.cli.source import Reading
    from glassnet.data import read_table

    if data in glassnet.data.dataset_names() or Path(data).suffix.lower() in (".parquet", ".pq"):
        return source.table
    reading = Reading.asked(delimiter, no_header)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", glassnet.GlassnetWarning)  # said when the file was read the first time
        return read_table(
            data, delimiter=reading.delimiter, header=reading.header, missing=(), text=tuple(source.table.column_names)
        )


def _predicted(run: Run, A: Any) -> list[tuple[str, Any]]:
    """Column name, values."""
    import numpy as np

    from glassnet.cli.judging import codes
    from glassnet.cli.pictures import gives_probabilities

    preparation = run.preparation
    if preparation is None:
        names = ["prediction"] if A.shape[1] == 1 else [f"prediction_{k + 1}" for k in range(A.shape[1])]
        return list(zip(names, A.T, strict=True))
    if preparation.classes is None:
        return [("prediction", preparation.decode(A))]
    labels = np.array(preparation.classes)[codes(A, run.settings.loss.name)]
    found: list[tuple[str, Any]] = [("prediction", labels)]
    if gives_probabilities(run):
        shares = np.hstack([1 - A, A]) if A.shape[1] == 1 else A
        found += [(f"probability_{name}", shares[:, k]) for k, name in enumerate(preparation.classes)]
    else:
        scores = preparation.classes[1:] if A.shape[1] == 1 else preparation.classes
        found += [(f"score_{name}", A[:, k]) for k, name in enumerate(scores)]
    return found


def _check_place(path: Path) -> None:
    """Refuse a file that cannot be written before anything is computed."""
    if path.suffix.lower() not in (".csv", ".parquet", ".pq"):
        raise DataError(f"'{path}' ends in '{path.suffix}'; predictions are written as .csv or .parquet.")
    if path.is_dir():
        raise DataError(f"'{path}' is a folder; give a file, such as {path / 'predictions.csv'}.")
    if not path.parent.is_dir():
        raise DataError(f"'{path}' cannot be written: there is no folder '{path.parent}'; make it first.")


def _header(answer: Any) -> str:
    import csv
    import io

    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(answer.column_names)
    return line.getvalue()


def _csv(answer: Any, stream: Any) -> None:
    import pyarrow as pa
    from pyarrow import csv

    stream.write(_header(answer).encode())
    try:  # without quotes wherever no value needs them
        body = pa.BufferOutputStream()
        csv.write_csv(answer, body, csv.WriteOptions(include_header=False, quoting_style="none"))
        stream.write(body.getvalue())
    except pa.ArrowInvalid:
        csv.write_csv(answer, stream, csv.WriteOptions(include_header=False, quoting_style="needed"))


def _print(answer: Any) -> None:
    import sys

    sys.stdout.flush()
    _csv(answer, sys.stdout.buffer)
    sys.stdout.buffer.flush()


def _write(answer: Any, path: Path) -> None:
    """The whole file or none: written under a temporary name and renamed."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        if path.suffix.lower() == ".csv":
            with open(temporary, "wb") as stream:
                _csv(answer, stream)
        else:
            from pyarrow import parquet

            parquet.write_table(answer, temporary)
        os.replace(temporary, path)
    except OSError as problem:
        from glassnet.training.files import reason

        raise DataError(f"{path} could not be written: {reason(problem)}.") from None
    finally:
        temporary.unlink(missing_ok=True)
    print(f"{answer.num_rows:,} predictions are in {path}.")
