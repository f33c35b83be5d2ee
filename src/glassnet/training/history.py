"""What a training was like, epoch by epoch; it slices like a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, overload

import numpy as np

from glassnet.errors import GlassnetError, unknown_name

MEANINGS = {
    "epoch": "from 1",
    "iteration": "updates made by the end of the epoch",
    "cost": "loss at the end of the epoch, mean over the training samples (or those that `measure` chose), without penalty",
    "penalty": "L1 and L2 penalty of the weights",
    "accuracy": "share of training samples predicted right",
    "r2": "R² on the training samples",
    "validation_cost": "the same cost on the held-out samples",
    "validation_accuracy": "the same accuracy on the held-out samples",
    "validation_r2": "the same R² on the held-out samples",
    "learning_rate": "of the epoch's last update",
    "batch_cost": "mean of J, with its penalty, over the epoch's batches as they were met, before their updates",
    "gradient_norm": "root mean square of ‖∂J/∂θ‖ over the epoch's updates",
    "seconds": "since training began",
}


class History:
    """One row an epoch.

    `history["cost"]` is a column (array), `history[-1]` a row (dict), `history[10:20]` and
    `history[["epoch", "cost"]]` are smaller histories; `history.to_pandas()` is a DataFrame.

    All columns are measured after the epoch's last update, training and held-out by the same definition.
    """

    def __init__(self, columns: Mapping[str, Sequence[float] | np.ndarray] | None = None) -> None:
        self._columns: dict[str, list[float]] = {n: list(np.asarray(v).tolist()) for n, v in (columns or {}).items()}

    @property
    def columns(self) -> list[str]:
        return list(self._columns)

    def append(self, row: Mapping[str, float]) -> None:
        """Add the row of one more epoch; every row has the same columns."""
        if not self._columns:
            self._columns = {name: [] for name in row}
        if set(row) != set(self._columns):
            raise GlassnetError(f"A history row has {', '.join(row)}; this history has {', '.join(self._columns)}.")
        for name, value in row.items():
            self._columns[name].append(value)

    def extend(self, columns: Mapping[str, np.ndarray]) -> None:
        """Add the rows of several epochs, column by column."""
        if not self._columns:
            self._columns = {name: [] for name in columns}
        if set(columns) != set(self._columns):
            raise GlassnetError(f"A history row has {', '.join(columns)}; this history has {', '.join(self._columns)}.")
        for name, values in columns.items():
            self._columns[name].extend(values.tolist())

    def __len__(self) -> int:
        return len(next(iter(self._columns.values()), []))

    def __contains__(self, name: object) -> bool:
        return name in self._columns

    def __iter__(self) -> Iterator[dict[str, float]]:
        return (self[i] for i in range(len(self)))

    @overload
    def __getitem__(self, key: str) -> np.ndarray: ...
    @overload
    def __getitem__(self, key: int) -> dict[str, float]: ...
    @overload
    def __getitem__(self, key: slice | list[str]) -> History: ...
    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            if key not in self._columns:
                raise KeyError(unknown_name("history column", key, self._columns))
            return np.array(self._columns[key])
        if isinstance(key, slice):
            return History({name: values[key] for name, values in self._columns.items()})
        if isinstance(key, list | tuple) and all(isinstance(name, str) for name in key):
            return History({name: self[name] for name in key})
        if isinstance(key, bool) or not isinstance(key, int | np.integer):
            raise TypeError(
                f"A history is indexed by a column ('cost'), a row (-1), rows (10:20) or columns (['epoch', 'cost']); "
                f"{key!r} is none of them."
            )
        if not -len(self) <= key < len(self):
            raise IndexError(f"There is no row {key}; this history has the rows 0 to {len(self) - 1}.")
        return {name: values[key] for name, values in self._columns.items()}

    def last(self) -> dict[str, float]:
        """The last row, or an empty dict before the first epoch has ended."""
        return self[-1] if len(self) else {}

    def to_pandas(self) -> Any:
        """A pandas DataFrame, one row an epoch (needs pandas)."""
        try:
            import pandas
        except ImportError:
            raise GlassnetError("history.to_pandas() needs pandas; pip install glassnet[pandas].") from None
        return pandas.DataFrame({name: self[name] for name in self._columns})

    def to_dict(self) -> dict[str, np.ndarray]:
        """Column name -> array."""
        return {name: self[name] for name in self._columns}

    def __str__(self) -> str:
        if not len(self):
            return "History: no epoch has ended yet"
        rows = list(range(len(self)))
        shown: list[int | None] = list(rows)
        if len(rows) > 12:
            shown = [*rows[:6], None, *rows[-5:]]
        head = "".join(f"{name:>{max(len(name), 9) + 2}}" for name in self._columns)
        lines = [head]
        for index in shown:
            if index is None:
                lines.append("".join(f"{'…':>{max(len(name), 9) + 2}}" for name in self._columns))
                continue
            cells = []
            for name, values in self._columns.items():
                value = values[index]
                text = f"{int(value)}" if name in ("epoch", "iteration") else f"{value:.6g}"
                cells.append(f"{text:>{max(len(name), 9) + 2}}")
            lines.append("".join(cells))
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<History of {len(self)} epochs: {', '.join(self._columns)}>"

    def _repr_html_(self) -> str:
        from html import escape

        return f"<pre>{escape(str(self))}</pre>"

    def same_training(self, other: History) -> bool:
        """Whether two histories are bit for bit those of one training; the clock is not compared."""
        mine, theirs = (h.to_dict() for h in (self, other))
        mine.pop("seconds", None)
        theirs.pop("seconds", None)
        return set(mine) == set(theirs) and all(np.array_equal(mine[n], theirs[n], equal_nan=True) for n in mine)
