"""Which rows a network learns from, which ones tell it to stop, and which ones judge it."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.cli.source import Array, Reading, Rows, Source, read_again, read_source
from glassnet.cli.speaking import note
from glassnet.data.targets import NumberTarget
from glassnet.errors import DataError, GlassnetError, GlassnetWarning, RunError

Pair = tuple[Array, Array]
LAST = "last:"
"""Before a number of rows that are not drawn: the last ones, as they stand in the file."""


@dataclass(frozen=True)
class Division:
    """Row positions: to train on, to validate on while training, and held out for the end."""

    train: Rows
    validation: Rows
    test: Rows


def divide(source: Source, *, task: str, test: float | int | str, validation: float | int | str, seed: int) -> Division:
    """Divide the rows whose target is there; with classes, each class in the same proportion everywhere.

    Raises
    ------
    DataError : shares that cannot be used
    """
    from glassnet.data import split_rows

    usable = source.usable()
    stratify = task != "regression"

    def parted(rows: Rows, wanted: float | int | str) -> tuple[Rows, Rows]:
        if isinstance(wanted, str):
            count = int(wanted.removeprefix(LAST))
            if count >= len(rows):
                raise DataError(f"'{wanted}' of {len(rows)} rows leaves none to train on; hold fewer out.")
            return np.arange(len(rows) - count), np.arange(len(rows) - count, len(rows))
        return split_rows(source.labels(rows), test=wanted, seed=seed, stratify=stratify)

    learning, held = parted(usable, test)
    learning, held = usable[learning], usable[held]
    if not validation:
        return Division(learning, held[:0], held)
    fitted, watched = parted(learning, validation)
    return Division(learning[fitted], learning[watched], held)


@dataclass(frozen=True)
class Prepared:
    """The rows as the network takes them; `test` and `validation` are None when there are none."""

    preparation: Any
    train: Pair
    validation: Pair | None
    test: Pair | None


def prepare(source: Source, division: Division, preparation: Any, *, loss: str, unseen: str | None) -> Prepared:
    """Every part of the rows through the preparation.

    Parameters
    ----------
    unseen : "error" or "ignore"; None ignores categories that only held-out rows have, and says so
    """

    def part(rows: Rows) -> Pair | None:
        if not len(rows):
            return None
        return _inputs(source, preparation, rows, unseen), signed(source.targets(preparation, rows), loss)

    train = part(division.train)
    if train is None:
        raise DataError("No row is left to train on; hold fewer out.")
    return Prepared(preparation, train, part(division.validation), part(division.test))


def _inputs(source: Source, preparation: Any, rows: Rows, unseen: str | None) -> Array:
    try:
        return source.inputs(preparation, rows, unseen or "error")
    except DataError as problem:
        if unseen is not None or "a category training never saw" not in str(problem):
            raise
    warnings.warn(
        "Some held-out rows have categories that no training row has; they are encoded as none of the known ones "
        "(--unseen error refuses them).",
        GlassnetWarning,
        stacklevel=2,
    )
    return source.inputs(preparation, rows, "ignore")


def signed(Y: Array, loss: str) -> Array:
    """Targets as the loss wants them: −1 and 1 for the hinge, else as they are."""
    return 2 * Y - 1 if loss == "hinge" else Y


def in_own_units(preparation: Any) -> Any:
    """The preparation with the regression target left in its own units, for outputs that cannot be negative."""
    from dataclasses import replace

    said = f"'{preparation.target}' is not standardised, because the output cannot be negative."
    target = NumberTarget(preparation.target, 0.0, 1.0)
    notes = [note for note in preparation.notes if "standardised for training" not in note]
    return replace(preparation, target_encoding=target, notes=[*notes, said])


def remade(run: Any) -> tuple[Source, Division]:
    """The source of a run, and its rows divided as they were.

    Raises
    ------
    RunError : it was not trained from the command line
    DataError : its files are gone
    """
    described = run.facts.get("source") or {}
    if run.preparation is None or "split" not in described:
        raise RunError(
            "This run was not trained from the command line, so its rows cannot be found again; name the rows as DATA."
        )
    source = read_again(described, run.preparation)
    split = described["split"]
    division = divide(
        source, task=split["task"], test=split["test"], validation=split["validation"], seed=split["seed"]
    )
    return source, division


def unchanged(described: Mapping[str, Any]) -> None:
    """Refuse files that have changed since the training: their held-out rows may be rows it was trained on.

    Raises
    ------
    DataError : a file has changed
    """
    from glassnet.data import file_fingerprint

    for part in (described, described.get("test_data") or {}):
        for known in part.get("files") or []:
            if Path(str(known["path"])).exists() and file_fingerprint(known["path"])["sha256"] != known["sha256"]:
                raise DataError(f"{known['path']} has changed since the training; pass rows it never saw to evaluate.")


def held_out(run: Any) -> Pair:
    """The held-out rows of a run.

    Raises
    ------
    RunError : there are none, or it was not trained from the command line
    DataError : its files are gone
    """
    described: Mapping[str, Any] = run.facts.get("source") or {}
    loss = run.settings.loss.name
    separate = described.get("test_data")
    if separate is not None and run.preparation is not None:
        source = read_again(separate, run.preparation, apart=is_array(run.preparation))
        source = fitted(source, run.preparation, described.get("target"))
        rows = source.usable()
    else:
        source, division = remade(run)
        rows = division.test
    if not len(rows):
        raise RunError("This run held no rows out; name the rows to judge it by as DATA.")
    X = _inputs(source, run.preparation, rows, described.get("unseen"))
    return X, signed(source.targets(run.preparation, rows), loss)


def known_held_out(run: Any) -> tuple[Pair | None, list[int] | None]:
    """The rows the training held out and their numbers in the data; None when there are none or their file is gone."""
    described = run.facts.get("source") or {}
    if "split" not in described or not (described["split"]["test"] or described.get("test_data")):
        return None, None
    try:
        unchanged(described)
        pair = held_out(run)
        rows = None if described.get("test_data") else remade(run)[1].test.tolist()
    except GlassnetError as problem:
        note(f"The held-out rows cannot be judged again: {problem}")
        return None, None
    return pair, rows


def fitted(source: Source, preparation: Any, target: str | None) -> Source:
    """A table of pixels as the pictures that the run was trained on; other rows as they are.

    Parameters
    ----------
    target : the column that is no pixel, where the rows are only to be predicted
    """
    if not is_array(preparation) or source.X is not None:
        return source
    names = [name for name in source.table.column_names if name not in (source.target, target)]
    return source if len(names) != preparation.n_inputs else source.as_pixels(preparation.sample_shape, names)


def labelled(
    run: Any, data: str, target: str | None, reading: Reading, unseen: str, skip_damaged: bool = False
) -> Pair:
    """Other rows with their targets, as the run takes them.

    Raises
    ------
    RunError : the run knows no columns
    DataError : the rows do not fit the run
    """
    from glassnet.data import is_sample_source

    if run.preparation is None:
        raise RunError("This run was trained on arrays from Python and knows no columns; judge it in Python.")
    array = is_array(run.preparation)
    name = target
    if target is None and (not array or not is_sample_source(data)):
        name = (run.facts.get("source") or {}).get("target") if array else run.preparation.target
    source = read_source(
        data,
        name,
        reading,
        text=run.preparation.text_columns,
        like=run.preparation if array else None,
        skip_damaged=skip_damaged,
    )
    say_notes(source)
    source = fitted(source, run.preparation, name)
    rows = source.usable()
    X = source.inputs(run.preparation, rows, unseen)
    return X, signed(_known_targets(source, run.preparation, rows), run.settings.loss.name)


def _known_targets(source: Source, preparation: Any, rows: Rows) -> Array:
    table = source.table
    if source.X is None and source.target != preparation.target:
        table = table.rename_columns([preparation.target if n == source.target else n for n in table.column_names])
        source = Source(source.name, table, None, preparation.target, source.described)
    return source.targets(preparation, rows)


def input_shape(preparation: Any) -> tuple[int, ...]:
    """The shape of one sample as the network takes it."""
    return tuple(preparation.input_shape) if is_array(preparation) else (int(preparation.n_inputs),)


def is_array(preparation: Any) -> bool:
    """Whether the run was trained on an array, not on a table."""
    from glassnet.data import ArrayPreparation

    return isinstance(preparation, ArrayPreparation)


def share(text: str, option: str) -> float | int | str:
    """A fraction ("0.25"), a number of rows ("50"), or the last of them as they stand ("last:50").

    Raises
    ------
    DataError : neither
    """
    if re.fullmatch(LAST + r"[1-9]\d*", text):
        return text
    try:
        return int(text)
    except ValueError:
        pass
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 <= value < 1:
        raise DataError(
            f"{option} got '{text}'; it needs a share of the rows such as 0.25, a number of rows, or {LAST}50."
        )
    return value


def say_notes(source: Source) -> None:
    """What is worth knowing about how rows were read, as notes."""
    for sentence in source.notes:
        warnings.warn(sentence, GlassnetWarning, stacklevel=2)


def labelless(run: Any, data: str, reading: Reading, unseen: str, skip_damaged: bool = False) -> tuple[Source, Array]:
    """Rows to be predicted: their source, and the network's inputs.

    Raises
    ------
    DataError : the rows do not fit the run
    """
    from glassnet.data.preparation import UNSEEN
    from glassnet.errors import unknown_name

    if unseen not in UNSEEN:
        raise DataError(unknown_name("policy for unseen categories", unseen, UNSEEN))
    preparation = run.preparation
    if preparation is not None:
        array = is_array(preparation)
        source = read_source(
            data,
            None,
            reading,
            text=preparation.text_columns,
            labelled=False,
            arrays=array,
            like=preparation if array else None,
            skip_damaged=skip_damaged,
        )
        say_notes(source)
        source = fitted(source, preparation, (run.facts.get("source") or {}).get("target"))
        return source, source.inputs(preparation, None, unseen)
    source = read_source(data, None, reading, labelled=False)
    if source.X is not None:
        return source, run.inputs(source.X)
    return source, run.inputs(np.column_stack([source.table.column(n).to_numpy() for n in source.table.column_names]))
