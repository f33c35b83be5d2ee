"""The numbers of metrics.json: by hand, and against R."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from glassnet.errors import GlassnetError
from glassnet.views.metrics import classification_metrics, confusion_table, metrics_table, regression_metrics

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture(scope="module")
def seed() -> dict[str, Any]:
    return json.loads((GOLDEN / "11_metrics_seed000.json").read_text())


@pytest.fixture(scope="module")
def more() -> dict[str, Any]:
    return json.loads((GOLDEN / "11_metrics_more.json").read_text())


def rows_of(matrix: Any) -> tuple[np.ndarray, np.ndarray]:
    """Rows that have this confusion matrix."""
    true, predicted = np.nonzero(np.ones_like(matrix))
    times = np.ravel(matrix)
    return np.repeat(true, times), np.repeat(predicted, times)


def shown(table: Any) -> str:
    from rich.console import Console

    out = io.StringIO()
    Console(file=out, width=100, color_system=None).print(table)
    return out.getvalue()


# --- classification -------------------------------------------------------------------------------------------------


def test_two_classes_by_hand():
    # true       0 0 0 0 1 1 1 1 1 1
    # predicted  0 0 0 1 1 1 0 0 0 0      TN 3, FP 1, FN 4, TP 2
    # precision 2/3, recall 2/6, F1 = 2·2 / (2·2 + 1 + 4) = 4/9, accuracy 5/10
    got = classification_metrics([0] * 4 + [1] * 6, [0, 0, 0, 1, 1, 1, 0, 0, 0, 0], ["no", "yes"], cost=0.25)
    assert got == {
        "cost": 0.25,
        "accuracy": 0.5,
        "precision": pytest.approx(2 / 3, rel=1e-15),
        "recall": pytest.approx(1 / 3, rel=1e-15),
        "f1": pytest.approx(4 / 9, rel=1e-15),
        "confusion_matrix": [[3, 1], [4, 2]],
        "n": 10,
        "notes": [],
    }


def test_precision_and_recall_are_not_swapped_as_in_the_seed(seed):
    """The tutorial prints precision 80.56 and recall 74.36 for the network; they are the other way round."""
    got = classification_metrics(seed["truth"], seed["neural_net"]["predicted"], [0, 1])
    assert round(got["precision"], 4) == 0.7436
    assert round(got["recall"], 4) == 0.8056
    assert got["confusion_matrix"] == [[34, 10], [7, 29]]


@pytest.mark.parametrize("model", ["neural_net", "logistic_regression"])
def test_two_classes_against_r(seed, model):
    got = classification_metrics(seed["truth"], seed[model]["predicted"], ["red", "blue"])
    right = seed[model]["correct"]
    for name in ("accuracy", "precision", "recall"):
        assert got[name] == pytest.approx(right[name], rel=1e-14)
    assert got["f1"] == pytest.approx(right["f1_counts"], rel=1e-14)
    assert got["confusion_matrix"] == [[right["tn"], right["fp"]], [right["fn"], right["tp"]]]


@pytest.mark.parametrize("case", ["no_positive_predictions", "perfect", "all_wrong"])
def test_edges_against_r_with_zero_for_its_nan(more, case):
    right = more[case]
    true, predicted = rows_of([[right["tn"], right["fp"]], [right["fn"], right["tp"]]])
    got = classification_metrics(true, predicted, ["no", "yes"])
    for name, key in (("accuracy",) * 2, ("precision",) * 2, ("recall",) * 2, ("f1", "f1_counts")):
        assert got[name] == (0.0 if right[key] == "NaN" else pytest.approx(right[key], rel=1e-14))
    undefined = ["precision is 0/0 and written as 0.0: no row was predicted as 'yes'."]
    assert got["notes"] == (undefined if case == "no_positive_predictions" else [])


def test_three_classes_against_r(more):
    right = more["multiclass"]
    classes = ["setosa", "versicolor", "virginica"]
    got = classification_metrics(*rows_of(right["confusion"]), classes)
    assert got["confusion_matrix"] == right["confusion"]
    assert got["accuracy"] == pytest.approx(right["accuracy"], rel=1e-14)
    for name in ("precision", "recall", "f1"):
        assert got[name] == pytest.approx(right["macro"][name], rel=1e-14)
        assert [got["per_class"][each][name] for each in classes] == pytest.approx(right[name], rel=1e-14)
    assert [got["per_class"][each]["support"] for each in classes] == right["support"]


def test_the_matrix_has_true_classes_as_rows():
    assert classification_metrics([0, 0, 0], [0, 2, 2], "abc")["confusion_matrix"] == [[1, 0, 2], [0, 0, 0], [0, 0, 0]]


def test_every_undefined_ratio_is_named():
    got = classification_metrics([0, 0], [0, 2], ["a", "b", "c"])
    assert got["notes"] == [
        "precision of 'b' is 0/0 and written as 0.0: no row was predicted as 'b'.",
        "recall of 'b' is 0/0 and written as 0.0: no row is truly 'b'.",
        "f1 of 'b' is 0/0 and written as 0.0: no row is truly 'b' or was predicted as it.",
        "recall of 'c' is 0/0 and written as 0.0: no row is truly 'c'.",
    ]
    assert got["precision"] == pytest.approx(1 / 3)  # a: 1/1, b: 0/0 → 0, c: 0/1


def test_only_plain_python_values():
    three = classification_metrics(np.array([[0], [1], [2]]), np.array([0.0, 1.0, 1.0]), np.array([3, 1, 2]), 0.5)
    two = classification_metrics(
        np.array([True, False]), np.array([1, 1], dtype=np.uint8), [False, True], np.float32(1)
    )
    one = regression_metrics(np.arange(4, dtype=np.float32), np.ones((4, 1)), np.float64(2.0))
    for got in (three, two, one):
        assert json.loads(json.dumps(got, allow_nan=False)) == got
    assert list(three["per_class"]) == ["3", "1", "2"]


def test_a_cost_that_is_not_finite_is_null_and_noted():
    got = classification_metrics([0, 1], [0, 1], [0, 1], cost=float("nan"))
    assert got["cost"] is None
    assert got["notes"] == ["cost is nan, not a finite number: the training diverged, or a row holds NaN."]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ([0], [0], ["a"]),
            "classification_metrics got the classes a; it needs at least two, each with its own name. Pass the name of "
            "every class of the network's output.",
        ),
        (
            ([0, 1], [0], ["a", "b"]),
            "true_index has 2 rows and predicted_index has 1; they need the same rows in the same order. Predict the "
            "rows that true_index belongs to.",
        ),
        (
            ([0, 1], [0, 0.7], ["a", "b"]),
            "predicted_index holds 0.7; with 2 classes it needs whole numbers from 0 to 1. Pass the index of each "
            "row's class, not its label or a probability.",
        ),
        (
            ([], [], ["a", "b"]),
            "true_index arrived with shape (0,) and type float64; it needs at least one class index a row, shape "
            "(m,). Pass whole numbers from 0 to 1.",
        ),
        (
            (["a"], [0], ["a", "b"]),
            "true_index arrived with shape (1,) and type <U1; it needs at least one class index a row, shape (m,). "
            "Pass whole numbers from 0 to 1.",
        ),
    ],
)
def test_what_cannot_be_scored(arguments, message):
    with pytest.raises(GlassnetError) as error:
        classification_metrics(*arguments)
    assert str(error.value) == message


# --- regression -----------------------------------------------------------------------------------------------------


def test_regression_by_hand():
    # residuals 1, 0, −1, 2: squares 6, mean 1.5; absolute 4/4 = 1; Σ(y − 4)² = 9 + 1 + 1 + 9 = 20, R² = 1 − 6/20
    got = regression_metrics([1, 3, 5, 7], [0, 3, 6, 5], cost=0.75)
    assert got == {
        "cost": 0.75,
        "r2": pytest.approx(0.7, rel=1e-15),
        "rmse": pytest.approx(1.5**0.5, rel=1e-15),
        "mae": 1.0,
        "n": 4,
        "notes": [],
    }


def test_r2_of_a_constant_target_is_none():
    got = regression_metrics([0.1] * 3, [0.1, 0.1, 0.4])
    assert got["r2"] is None
    assert got["mae"] == pytest.approx(0.1)
    assert got["notes"] == [
        "r2 is not defined: the target is 0.1 in every row, so there is no variance to explain.",
    ]


def test_several_outputs_are_averaged():
    y, prediction = np.array([[0.0, 0.0], [2.0, 4.0]]), np.array([[0.0, 1.0], [2.0, 3.0]])
    got = regression_metrics(y, prediction)
    assert (got["r2"], got["rmse"], got["mae"]) == (pytest.approx((1 + 0.75) / 2), 0.5, 0.5)


@pytest.mark.parametrize(
    ("y", "prediction", "message"),
    [
        (
            [1, 2],
            [1, np.nan],
            "prediction holds 1 of 2 values that are NaN or infinite; every one needs to be finite. Remove those rows, "
            "or train again with a smaller learning rate if it is the network that made them.",
        ),
        (
            [1, 2],
            np.ones((2, 3)),
            "y has 1 outputs and prediction has 3; they need the same. Pass one column of predictions for each column "
            "of y.",
        ),
        (
            [],
            [],
            "y arrived with shape (0,) and type float64; it needs at least one row of numbers, shape (m,) or "
            "(m, outputs).",
        ),
    ],
)
def test_what_cannot_be_measured(y, prediction, message):
    with pytest.raises(GlassnetError) as error:
        regression_metrics(y, prediction)
    assert str(error.value) == message


# --- tables ---------------------------------------------------------------------------------------------------------


def test_two_models_side_by_side(seed):
    rows = {
        name: classification_metrics(seed["truth"], seed[key]["predicted"], [0, 1], cost)
        for name, key, cost in [
            ("network", "neural_net", 0.4321),
            ("logistic regression", "logistic_regression", None),
        ]
    }
    lines = [[cell.strip() for cell in line.split("│")[1:-1]] for line in shown(metrics_table(rows)).splitlines()]
    assert [line for line in lines if line] == [
        ["cost", "0.4321", "–"],
        ["accuracy", "0.7875", "0.4000"],
        ["precision", "0.7436", "0.3750"],
        ["recall", "0.8056", "0.5000"],
        ["f1", "0.7733", "0.4286"],
        ["n", "80", "80"],
    ]


def test_the_table_says_what_was_averaged_and_what_is_undefined():
    text = shown(metrics_table({"[net]": classification_metrics([0, 1, 1], [0, 1, 1], "abc")}, title="held out"))
    assert "held out" in text
    assert "precision (mean over classes)" in text
    assert "[net]: recall of 'c' is 0/0" in text


def test_the_confusion_table_reads_true_by_predicted():
    text = shown(confusion_table([[34, 10], [7, 29]], ["red", "[blue]"], "Network"))
    assert "Network" in text
    assert "true ↓   predicted →" in text
    assert "rows: true class · columns: predicted class" in " ".join(text.split())
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.splitlines() if "│" in line]
    assert cells == [["red", "34", "10"], ["[blue]", "7", "29"]]


def test_a_confusion_matrix_of_the_wrong_shape():
    with pytest.raises(GlassnetError) as error:
        confusion_table([[0.5, 1.0]], ["a", "b"])
    assert str(error.value) == (
        "A confusion matrix of shape (1, 2) and type float64 arrived for 2 classes; it needs whole numbers of shape "
        "(2, 2). Pass the 'confusion_matrix' of classification_metrics."
    )
