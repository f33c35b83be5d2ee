"""Small tables: columns of numbers under names, a row a coefficient. A DataFrame where pandas is installed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Table:
    """Columns by name, and what each row is called.

    `table["Estimate"]` is a column; `table.to_pandas()` a DataFrame; `numpy.asarray(table)` the numbers.
    """

    columns: Mapping[str, np.ndarray]
    index: tuple[str, ...]

    def __getitem__(self, name: str) -> np.ndarray:
        return self.columns[name]

    def __len__(self) -> int:
        return len(self.index)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(np.column_stack(list(self.columns.values())), dtype=dtype)

    def to_pandas(self) -> Any:
        """A DataFrame.

        Raises
        ------
        ImportError : pandas is not installed
        """
        import pandas as pd

        return pd.DataFrame(dict(self.columns), index=list(self.index))

    def __str__(self) -> str:
        wide = max((len(name) for name in self.index), default=0)
        texts = {name: [f"{value:.6g}" for value in column] for name, column in self.columns.items()}
        widths = {name: max(len(name), *(len(t) for t in column), 0) for name, column in texts.items()}
        lines = [" " * wide + "".join(f"  {name:>{widths[name]}}" for name in texts)]
        for row, name in enumerate(self.index):
            lines.append(f"{name:<{wide}}" + "".join(f"  {texts[c][row]:>{widths[c]}}" for c in texts))
        return "\n".join(lines)

    __repr__ = __str__


def make_table(columns: Mapping[str, Any], index: Sequence[Any] | None = None) -> Any:
    """A DataFrame where pandas is installed, else a `Table`.

    Parameters
    ----------
    columns : name -> numbers, all as long
    index : what the rows are called; 0, 1, ... unless given
    """
    arrays = {name: np.asarray(column) for name, column in columns.items()}
    try:
        import pandas as pd
    except ImportError:
        rows = len(next(iter(arrays.values()), ()))
        names = tuple(str(name) for name in (range(rows) if index is None else index))
        return Table(arrays, names)
    return pd.DataFrame(arrays, index=None if index is None else list(index))
