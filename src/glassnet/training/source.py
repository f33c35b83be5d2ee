"""Data too large to keep beside a run: read again from the files they came from, and recognised."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import RunError
from glassnet.training.files import load_arrays, save_arrays

if TYPE_CHECKING:
    from glassnet.training.run import Run

ROWS = "rows.safetensors"
"""Which rows of the source the run was trained and validated on, when the data themselves are not kept."""


def keep_rows(run: Run, place: Path, train: Any, validation: Any) -> None:
    """Note the rows of the source beside a run whose data are not kept there."""
    run.identify()
    arrays = {"train": np.asarray(train, dtype=np.int64), "validation": np.asarray(validation, dtype=np.int64)}
    save_arrays(place / ROWS, arrays, {"run": run.facts["id"]})


def read_again(run: Run, place: Path) -> bool:
    """Give a run its data again from the files it was trained on; False when it does not know its rows.

    Raises
    ------
    RunError : a file is gone or has changed since
    """
    described: Mapping[str, Any] = run.facts.get("source") or {}
    if not (place / ROWS).is_file() or not described.get("files") or run.preparation is None:
        return False
    from glassnet.data import Preparation, file_fingerprint, read_described, read_table

    for known in described["files"]:
        if not Path(known["path"]).exists():
            raise RunError(f"This run was trained on {known['path']}, which is no longer there; put it back.")
        if file_fingerprint(known["path"])["sha256"] != known["sha256"]:
            raise RunError(
                f"{known['path']} has changed since this run was trained on it; put the old file back to replay it."
            )
    rows, facts = load_arrays(place / ROWS)
    if facts.get("run") != run.facts["id"]:
        raise RunError(f"{place / ROWS} belongs to another run; train again, or call run.attach(X, Y).")
    preparation = run.preparation
    signed = run.settings.loss.name == "hinge"

    def samples(positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if isinstance(preparation, Preparation):
            part = table.take(positions)
            X, Y = preparation.transform(part, unseen="ignore"), preparation.transform_target(part)
        else:
            X, Y = preparation.transform(inputs[positions]), preparation.transform_target(labels[positions])
        return X, 2 * Y - 1 if signed else Y

    if isinstance(preparation, Preparation):
        table = read_table(
            described["data"],
            delimiter=described["delimiter"],
            header=described["header"],
            text=preparation.text_columns,
        )
    else:
        inputs, labels = read_described(described)
    held = samples(rows["validation"]) if len(rows["validation"]) else None
    run.attach(*samples(rows["train"]), validation=held)
    return True
