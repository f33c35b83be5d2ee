"""How good a network is, in numbers: what goes into metrics.json and the tables a person reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glassnet.errors import GlassnetError, unknown_name

if TYPE_CHECKING:
    from rich.table import Table

# The order in which a table lists them; a metric it does not know comes after.
_ORDER = ("cost", "accuracy", "precision", "recall", "f1", "r2", "rmse", "mae", "n")
_SHARES = ("accuracy", "precision", "recall", "f1", "r2")


def classification_metrics(
    true_index: ArrayLike, predicted_index: ArrayLike, classes: Sequence[object], cost: float | None = None
) -> dict[str, Any]:
    """Accuracy, precision, recall, F1 and the confusion matrix.

        precision = TP / (TP + FP)      of the rows predicted as a class, the share that is that class
        recall    = TP / (TP + FN)      of the rows of a class, the share that was found
        F1        = 2 TP / (2 TP + FP + FN)

    With two classes these are of class index 1. With more they are macro averages, the plain mean over `classes`,
    and "per_class" has each class's own. A ratio 0/0 is written 0.0 and named by a sentence in "notes".

    Parameters
    ----------
    true_index, predicted_index : whole numbers, (m,) or (m, 1); an index into `classes`
    classes : two or more names, in the order of the network's outputs
    cost : the cost of these rows, if known

    Returns
    -------
    dict of plain Python values: cost, accuracy, precision, recall, f1, confusion_matrix (a list of rows; **rows are
    true classes, columns predicted ones**), n, notes; and, for more than two classes, per_class.

    Raises
    ------
    GlassnetError : fewer than two classes or two of one name, no rows, different lengths, or an index of no class

    Source: sklearn.metrics.precision_recall_fscore_support, confusion_matrix.
    """
    from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

    names = [str(name) for name in classes]
    if len(names) < 2 or len(set(names)) < len(names):
        raise GlassnetError(
            f"classification_metrics got the classes {', '.join(names) or '(none)'}; it needs at least two, each with "
            f"its own name. Pass the name of every class of the network's output."
        )
    true = _indexes("true_index", true_index, len(names))
    predicted = _indexes("predicted_index", predicted_index, len(names))
    _same_length("true_index", true, "predicted_index", predicted)

    labels = np.arange(len(names))
    precision, recall, f1, support = precision_recall_fscore_support(
        true, predicted, labels=labels, average=None, zero_division=0.0
    )
    matrix = confusion_matrix(true, predicted, labels=labels)
    notes: list[str] = []
    result: dict[str, Any] = {"cost": _finite_cost(cost, notes), "accuracy": float(accuracy_score(true, predicted))}
    asked = [1] if len(names) == 2 else range(len(names))
    for index in asked:
        notes += _undefined(matrix, index, names[index], name_the_class=len(names) > 2)
    result["precision"] = float(np.mean(precision[asked]))
    result["recall"] = float(np.mean(recall[asked]))
    result["f1"] = float(np.mean(f1[asked]))
    result["confusion_matrix"] = [[int(count) for count in row] for row in matrix]
    result["n"] = int(true.size)
    if len(names) > 2:
        result["per_class"] = {
            name: {
                "precision": float(precision[index]),
                "recall": float(recall[index]),
                "f1": float(f1[index]),
                "support": int(support[index]),
            }
            for index, name in enumerate(names)
        }
    result["notes"] = notes
    return result


def regression_metrics(y: ArrayLike, prediction: ArrayLike, cost: float | None = None) -> dict[str, Any]:
    """R², root mean squared error and mean absolute error.

        R² = 1 − Σ(y − ŷ)² / Σ(y − ȳ)²        RMSE = √(Σ(y − ŷ)² / m)        MAE = Σ|y − ŷ| / m

    RMSE and MAE are in the units of y. With several outputs each is the plain mean over the outputs.

    Parameters
    ----------
    y, prediction : (m,) or (m, outputs), all finite
    cost : the cost of these rows, if known

    Returns
    -------
    dict of plain Python values: cost, r2, rmse, mae, n, notes. r2 is None where a target does not vary, for R² then
    divides by zero; "notes" says so.

    Raises
    ------
    GlassnetError : no rows, different shapes, or values that are not finite

    Source: sklearn.metrics.r2_score, root_mean_squared_error, mean_absolute_error.
    """
    from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

    target, predicted = _numbers("y", y), _numbers("prediction", prediction)
    _same_length("y", target, "prediction", predicted)
    if target.shape[1] != predicted.shape[1]:
        raise GlassnetError(
            f"y has {target.shape[1]} outputs and prediction has {predicted.shape[1]}; they need the same. "
            f"Pass one column of predictions for each column of y."
        )
    notes: list[str] = []
    constant = np.flatnonzero(np.ptp(target, axis=0) == 0.0)
    for output in constant:
        which = "the target" if target.shape[1] == 1 else f"output {output} of the target"
        notes.append(
            f"r2 is not defined: {which} is {target[0, output]:g} in every row, so there is no variance to explain."
        )
    return {
        "cost": _finite_cost(cost, notes),
        "r2": None if constant.size else float(r2_score(target, predicted)),
        "rmse": float(root_mean_squared_error(target, predicted)),
        "mae": float(mean_absolute_error(target, predicted)),
        "n": int(target.shape[0]),
        "notes": notes,
    }


def metrics_table(rows: Mapping[str, Mapping[str, Any]], title: str | None = None) -> Table:
    """Models side by side: one column a model, one line a metric, the notes underneath.

    Parameters
    ----------
    rows : {"network": classification_metrics(...), "logistic regression": ...}
    """
    from rich.table import Table
    from rich.text import Text

    present = {key for metrics in rows.values() for key, value in metrics.items() if _is_number(value) or value is None}
    ordered = [key for key in _ORDER if key in present] + sorted(present.difference(_ORDER))
    macro = any("per_class" in metrics for metrics in rows.values())
    notes = [f"{model}: {note}" for model, metrics in rows.items() for note in metrics.get("notes", ())]
    table = Table(
        title=None if title is None else Text(title),
        caption=Text("\n".join(notes)) if notes else None,
        caption_justify="left",
    )
    table.add_column("metric")
    for model in rows:
        table.add_column(Text(model), justify="right")
    for key in ordered:
        label = f"{key} (mean over classes)" if macro and key in ("precision", "recall", "f1") else key
        table.add_row(label, *(_shown(key, metrics.get(key)) for metrics in rows.values()))
    return table


def confusion_table(matrix: ArrayLike, classes: Sequence[object], title: str | None = None) -> Table:
    """Counts of every true class (a row) predicted as every class (a column).

    Parameters
    ----------
    matrix : whole numbers, (k, k); rows true, columns predicted
    classes : k names
    """
    from rich.table import Table
    from rich.text import Text

    counts = confusion_counts(matrix, classes)
    table = Table(
        title=None if title is None else Text(title),
        caption=Text("rows: true class · columns: predicted class"),
    )
    table.add_column("true ↓   predicted →", style="bold")
    for name in classes:
        table.add_column(Text(str(name)), justify="right")
    for index, name in enumerate(classes):
        cells = [
            Text(str(count), style="bold" if index == column else "") for column, count in enumerate(counts[index])
        ]
        table.add_row(Text(str(name)), *cells)
    return table


def confusion_counts(matrix: ArrayLike, classes: Sequence[object]) -> NDArray[np.int64]:
    """`matrix` as whole numbers of shape (k, k), k the number of classes; a GlassnetError when it is not that."""
    counts = np.asarray(matrix)
    wanted = (len(classes), len(classes))
    if counts.shape != wanted or not np.issubdtype(counts.dtype, np.number) or np.any(counts != np.floor(counts)):
        raise GlassnetError(
            f"A confusion matrix of shape {counts.shape} and type {counts.dtype} arrived for {len(classes)} classes; "
            f"it needs whole numbers of shape {wanted}. Pass the 'confusion_matrix' of classification_metrics."
        )
    return counts.astype(np.int64)


def _undefined(matrix: NDArray[Any], index: int, name: str, *, name_the_class: bool) -> list[str]:
    """A sentence for every ratio of class `index` that is 0/0."""
    of_class = f" of '{name}'" if name_the_class else ""
    predicted, true = int(matrix[:, index].sum()), int(matrix[index].sum())
    notes = []
    if predicted == 0:
        notes.append(f"precision{of_class} is 0/0 and written as 0.0: no row was predicted as '{name}'.")
    if true == 0:
        notes.append(f"recall{of_class} is 0/0 and written as 0.0: no row is truly '{name}'.")
    if predicted == 0 and true == 0:
        notes.append(f"f1{of_class} is 0/0 and written as 0.0: no row is truly '{name}' or was predicted as it.")
    return notes


def _indexes(what: str, values: ArrayLike, classes: int) -> NDArray[np.int64]:
    """Class indexes as whole numbers of shape (m,)."""
    array = np.asarray(values)
    flat = array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array
    if flat.ndim != 1 or flat.size == 0 or not (np.issubdtype(flat.dtype, np.number) or flat.dtype == np.bool_):
        raise GlassnetError(
            f"{what} arrived with shape {array.shape} and type {array.dtype}; it needs at least one class index a row, "
            f"shape (m,). Pass whole numbers from 0 to {classes - 1}."
        )
    bad = flat[~np.isin(flat, np.arange(classes))]
    if bad.size:
        raise GlassnetError(
            f"{what} holds {bad[0]}; with {classes} classes it needs whole numbers from 0 to {classes - 1}. "
            f"Pass the index of each row's class, not its label or a probability."
        )
    return flat.astype(np.int64)


def _numbers(what: str, values: ArrayLike) -> NDArray[np.float64]:
    """Finite numbers of shape (m, outputs)."""
    array = np.asarray(values)
    if array.ndim not in (1, 2) or array.size == 0 or not np.issubdtype(array.dtype, np.number):
        raise GlassnetError(
            f"{what} arrived with shape {array.shape} and type {array.dtype}; it needs at least one row of numbers, "
            f"shape (m,) or (m, outputs)."
        )
    numbers = array.astype(np.float64).reshape(array.shape[0], -1)
    lost = int(np.count_nonzero(~np.isfinite(numbers)))
    if lost:
        raise GlassnetError(
            f"{what} holds {lost} of {numbers.size} values that are NaN or infinite; every one needs to be finite. "
            f"Remove those rows, or train again with a smaller learning rate if it is the network that made them."
        )
    return numbers


def _same_length(first: str, a: NDArray[Any], second: str, b: NDArray[Any]) -> None:
    if a.shape[0] != b.shape[0]:
        raise GlassnetError(
            f"{first} has {a.shape[0]} rows and {second} has {b.shape[0]}; they need the same rows in the same order. "
            f"Predict the rows that {first} belongs to."
        )


def _finite_cost(cost: float | None, notes: list[str]) -> float | None:
    """The cost as JSON can hold it: JSON has no NaN and no infinity."""
    if cost is None or np.isfinite(float(cost)):
        return None if cost is None else float(cost)
    notes.append(f"cost is {float(cost)}, not a finite number: the training diverged, or a row holds NaN.")
    return None


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _shown(key: str, value: Any) -> str:
    if not _is_number(value):
        return "–"
    if isinstance(value, int):
        return str(value)
    return f"{value:.4f}" if key in _SHARES else f"{value:.5g}"


def class_indexes(y: ArrayLike, classes: Sequence[object] | None, k: int) -> tuple[NDArray[np.int64], list[str]]:
    """The class index of each row, and the k class names."""
    values = np.asarray(y)
    values = values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
    as_text = values.dtype.kind in "UO"
    if classes is None:
        classes = sorted({str(value) for value in values}) if as_text and values.ndim == 1 else range(k)
    names = [str(name) for name in classes]
    if len(names) != k:
        raise GlassnetError(
            f"{len(names)} class names ({', '.join(names[:10])}) arrived for {k} classes; it needs one for each, in "
            f"the order of the outputs. Pass classes=[...] with {k} names."
        )
    if values.ndim == 1 and as_text:
        unknown = [str(value) for value in values if str(value) not in names]
        if unknown:
            raise GlassnetError(unknown_name("class", unknown[0], names))
        position = {name: index for index, name in enumerate(names)}
        return np.array([position[str(value)] for value in values], dtype=np.int64), names
    if values.ndim == 2 and values.shape[1] == k and values.dtype.kind in "biuf":
        return values.argmax(axis=1).astype(np.int64), names
    if values.ndim != 1 or values.dtype.kind not in "biuf" or not np.all(np.isin(values, np.arange(k))):
        raise GlassnetError(
            f"The true classes arrived with shape {values.shape} and type {values.dtype}; for {k} classes they need to "
            f"be whole numbers from 0 to {k - 1}, one a row. Pass the index of each row's class."
        )
    return values.astype(np.int64), names
