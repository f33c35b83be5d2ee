"""From table to numbers: by hand, without leakage, round trips, and every sentence."""

import datetime
import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassnet.data import Preparation, preparation_from_dict, read_table, task_of, usable_rows
from glassnet.errors import DataError

CARS = {
    "wt": [1.0, 3.0, None, 5.0],
    "colour": ["red", "blue", "red", None],
    "new": [True, False, True, True],
    "same": [7, 7, 7, 7],
    "mpg": [30.5, 20.0, 10.0, 20.5],
}


def sentence_of(call):
    with pytest.raises(DataError) as caught:
        call()
    return str(caught.value)


def test_by_hand():
    prep = Preparation.fit(CARS, "mpg")
    assert prep.task == "regression"
    assert prep.classes is None
    assert prep.input_names == ["wt", "colour=blue", "colour=red", "new"]
    assert (prep.n_inputs, prep.n_outputs) == (4, 1)
    # wt: median of 1, 3, 5 is 3; 1, 3, 3, 5 has mean 3 and variance (4 + 0 + 0 + 4) / 4 = 2
    # new: mean ¾, variance ¾ · ¼ = 3/16
    high, low = 0.25 / np.sqrt(3 / 16), -0.75 / np.sqrt(3 / 16)
    expected = [
        [-2 / np.sqrt(2), 0, 1, high],
        [0, 1, 0, low],
        [0, 0, 1, high],
        [2 / np.sqrt(2), 0, 1, high],
    ]
    X = prep.transform(CARS)
    np.testing.assert_allclose(X, expected, rtol=1e-15)
    assert X.flags.c_contiguous
    assert X.dtype == np.float64
    assert prep.target_mean == 20.25
    Y = prep.transform_target(CARS)
    np.testing.assert_allclose(Y[:, 0] * prep.target_std + 20.25, CARS["mpg"])
    np.testing.assert_allclose(prep.inverse_target(Y)[:, 0], CARS["mpg"])
    np.testing.assert_allclose(prep.decode(Y), CARS["mpg"])
    assert prep.notes == [
        "Regression, because 'mpg' has numbers with fractions.",
        "'mpg' is standardised for training; predictions and errors come in its own units.",
        "'wt': 1 missing of 4 training values, replaced by the median, 3.",
        "'colour': 1 missing of 4 training values, replaced by the most frequent, 'red'.",
        "'new' is used as a number: 0 or 1.",
        "'same' is left out: it is 7 in every training row.",
    ]
    assert prep.describe() == (
        "column  kind             what is done\n"
        "wt      number           (value − 3) / 1.41421; missing: 3\n"
        "colour  2 categories     one 0/1 input each (blue, red); missing: red\n"
        "new     number (0 or 1)  (value − 0.75) / 0.433013; missing: 1"
    )
    assert prep.imputation_notes(CARS) == [
        "'wt': 1 missing of 4 values, replaced by 3.",
        "'colour': 1 missing of 4 values, replaced by 'red'.",
    ]


def test_columns_in_any_order_and_more_of_them():
    prep = Preparation.fit(CARS, "mpg")
    shuffled = {name: CARS[name] for name in ["new", "colour", "wt"]} | {"extra": ["?"] * 4}
    np.testing.assert_array_equal(prep.transform(shuffled), prep.transform(CARS))


def test_float32_and_own_units():
    prep = Preparation.fit(CARS, "mpg", dtype="float32", standardise=False, features=["wt"])
    X = prep.transform(CARS)
    assert X.dtype == np.float32
    assert X[:, 0].tolist() == [1, 3, 3, 5]
    assert prep.transform_target(CARS).dtype == np.float32
    assert prep.describe().endswith("as it is; missing: 3")


def test_classes():
    two = Preparation.fit({"x": [1, 2, 3], "y": ["no", "yes", "no"]}, "y")
    assert (two.task, two.classes, two.n_outputs) == ("binary_classification", ["no", "yes"], 1)
    assert two.notes[1] == "The output is the probability that 'y' is 'yes' (coded 1; 'no' is 0)."
    assert two.transform_target({"y": ["yes", "no"]}).tolist() == [[1], [0]]
    assert two.decode([0.5, 0.49]).tolist() == ["yes", "no"]
    three = Preparation.fit({"x": [1, 2, 3, 4], "y": ["b", "a", "c", "b"]}, "y")
    assert (three.task, three.classes, three.n_outputs) == ("classification", ["a", "b", "c"], 3)
    assert three.transform_target({"y": ["c", "a"]}).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert three.decode([[0.2, 0.5, 0.3]]).tolist() == ["b"]
    assert three.inverse_target([[0.2, 0.5, 0.3]]).tolist() == [[0.2, 0.5, 0.3]]
    assert (three.target_mean, three.target_std) == (0.0, 1.0)
    truth = Preparation.fit({"x": [1, 2, 3], "y": [True, False, True]}, "y")
    assert truth.classes == [False, True]
    assert truth.decode([[1.0]]).tolist() == [True]
    numbers = Preparation.fit({"x": [1, 2, 3], "y": [2, 1, 2]}, "y")
    assert numbers.classes == [1, 2]
    assert numbers.transform_target({"y": ["2", "1"]}).tolist() == [[1], [0]]
    assert numbers.transform_target({"y": [2.0, 1.0]}).tolist() == [[1], [0]]
    kinds = pa.table({"x": [1, 2, 3], "y": pa.array(["u", "v", "u"]).dictionary_encode()})
    assert Preparation.fit(kinds, "y").transform_target(kinds).tolist() == [[0], [1], [0]]


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (["a", "b"] * 5, "classification"),
        ([True, False] * 5, "classification"),
        ([0, 1] * 5, "classification"),
        ([0.0, 1.0] * 5, "classification"),
        ([0.5, 1.5] * 5, "regression"),
        ([0, 1, 2] * 5, "classification"),
        ([0, 1, 2, 3] * 3, "regression"),  # three rows each are too few to say
        (list(range(21)) * 50, "regression"),
        (list(range(20)) * 5, "classification"),
    ],
)
def test_the_task_is_chosen(values, task):
    assert task_of({"x": list(range(len(values))), "y": values}, "y") == task


def test_statistics_come_from_the_training_rows_alone():
    """Test rows may hold anything without the preparation noticing."""
    x, words, y = [1.0, 3.0, 1e9, None], ["a", "b", "zzz", None], [1.5, 2.5, 1e9, 3.5]
    whole = Preparation.fit({"x": x, "w": words, "y": y}, "y", rows=[0, 1])
    part = Preparation.fit({"x": x[:2], "w": words[:2], "y": y[:2]}, "y")
    assert whole == part
    assert whole.features[0].mean == 2.0


def test_rows_without_a_target_are_left_out():
    table = {"x": [1.0, 2.0, 50.0, 3.0], "y": [0.5, None, float("nan"), 1.5]}
    assert usable_rows(table, "y").tolist() == [0, 3]
    prep = Preparation.fit(table, "y")
    assert prep.features[0].mean == 2.0
    assert "2 of 4 rows have no 'y' and are left out." in prep.notes


def test_columns_that_say_nothing_are_left_out():
    n = 12
    table = pa.table(
        {
            "index": list(range(n)),
            "name": [f"person {i}" for i in range(n)],
            "x": [float(i % 5) for i in range(n)],
            "empty": pa.array([None] * n, pa.float64()),
            "list": [[1]] * n,
            "word": ["same"] * n,
            "y": [0, 1] * 6,
        }
    )
    prep = Preparation.fit(table, "y")
    assert prep.input_names == ["x"]
    assert prep.notes[2:] == [
        "'index' is left out: it numbers the rows.",
        "'name' is left out: 12 different texts in 12 rows look like an identifier.",
        "'empty' is left out: it has no values in the training rows.",
        "'list' is left out: a column of list<item: int64> cannot be an input.",
        "'word' is left out: it is 'same' in every training row.",
    ]
    assert Preparation.fit(table, "y", features=["index", "x"]).input_names == ["index", "x"]
    assert Preparation.fit(table, "y", drop=["x"], features=["index", "x"]).input_names == ["index"]


def test_many_categories_share_one_input():
    words = [f"w{i:02}" for i in range(60)] * 2 + ["w59"] * 10
    prep = Preparation.fit({"w": words, "y": [0.5, 1.5] * 65}, "y")
    assert prep.n_inputs == 51
    assert prep.input_names[-2:] == ["w=w59", "w=other"]
    assert prep.notes[-1] == (
        "'w' has 60 categories: the 50 most frequent have an input each, the rest share 'w=other'."
    )
    X = prep.transform({"w": ["w59", "w55", "never seen", None]})
    assert X.sum(axis=1).tolist() == [1, 1, 1, 1]
    assert X[:, -1].tolist() == [0, 1, 1, 0]
    assert X[3, -2] == 1  # missing: the most frequent


def test_dates_times_and_categories():
    day = datetime.date(1970, 1, 1)
    table = {
        "when": [day, day + datetime.timedelta(2), day + datetime.timedelta(4)],
        "at": [datetime.time(0, 0, 1), datetime.time(0, 0, 3), datetime.time(0, 0, 5)],
        "stamp": [datetime.datetime(1970, 1, 2, 12), datetime.datetime(1970, 1, 1), None],
        "kind": pa.array(["a", "b", "a"]).dictionary_encode(),
        "y": [0.5, 1.5, 2.5],
    }
    prep = Preparation.fit(table, "y", standardise=False)
    assert prep.transform(table).tolist() == [[0, 1, 1.5, 1, 0], [2, 3, 0, 0, 1], [4, 5, 0.75, 1, 0]]
    assert "'when' is used as a number: days since 1970-01-01." in prep.notes
    assert prep.text_columns == ["kind"]
    empty = {"when": [None], "at": [None], "stamp": [None], "kind": [None]}
    assert prep.transform(empty).tolist() == [[2, 3, 0.75, 1, 0]]


def test_a_code_is_the_same_text_in_another_type():
    prep = Preparation.fit({"w": ["1", "x", "True"], "y": [0.5, 1.5, 2.5]}, "y")
    assert prep.transform({"w": [1]}).tolist() == prep.transform({"w": [1.0]}).tolist() == [[1, 0, 0]]
    assert prep.transform({"w": [True]}).tolist() == [[0, 1, 0]]


def test_codes_with_leading_zeros_survive_a_file(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("zip,y\n007,1.5\nA1,2.5\n")
    prep = Preparation.fit(read_table(path), "y")
    path.write_text("zip\n007\n")
    assert prep.transform(read_table(path, text=prep.text_columns)).tolist() == [[1, 0]]


def test_numbers_spoilt_by_a_text_are_pointed_out():
    prep = Preparation.fit({"age": ["1", "2", "2", "abc"], "y": [0.5, 1.5, 2.5, 3.5]}, "y")
    assert prep.notes[-1] == (
        "'age' is text because 1 of 4 values are no numbers, such as 'abc'; if it should be a number, correct them or "
        "declare them missing."
    )


def test_unseen_categories():
    prep = Preparation.fit(CARS, "mpg")
    table = CARS | {"colour": ["red", "green", "blue", None]}
    assert sentence_of(lambda: prep.transform(table)) == (
        "Column 'colour' row 2 is 'green', a category training never saw (known: blue, red); retrain with such rows, "
        "or pass unseen='ignore' (command line: --unseen ignore) to encode it as none of them."
    )
    assert prep.transform(table, unseen="ignore")[:, 1:3].tolist() == [[0, 1], [0, 0], [1, 0], [0, 1]]
    assert sentence_of(lambda: prep.transform(table, unseen="ignor")) == (
        "There is no policy for unseen categories 'ignor'; did you mean 'ignore'? Known: error, ignore."
    )


def test_sentences_at_prediction():
    prep = Preparation.fit(CARS, "mpg")
    assert sentence_of(lambda: prep.transform({"WT": [1.0], "new": [True]})) == (
        "The table lacks 2 of the 3 columns that are needed: 'wt' (is it 'WT'?), 'colour'; add or rename them (any "
        "order will do)."
    )
    assert sentence_of(lambda: prep.transform(CARS | {"wt": ["1", "2", "heavy", None]})) == (
        "Column 'wt' row 3 is 'heavy'; the network was trained on numbers there: correct it, or leave it empty to have "
        "it replaced."
    )
    assert sentence_of(lambda: prep.transform(CARS | {"wt": [1.0, float("inf"), 2.0, 3.0]})) == (
        "Column 'wt' row 2 is infinite; a network needs finite numbers: correct it, or leave it empty to have it "
        "replaced."
    )
    assert sentence_of(lambda: prep.transform(CARS | {"wt": [datetime.date(2024, 1, 1)] * 4})) == (
        "Column 'wt' arrived as date32[day]; the network was trained on number there: convert it."
    )
    assert sentence_of(lambda: prep.transform_target({"mpg": [1.0, None]})) == (
        "Target 'mpg' row 2 is missing; leave such rows out (usable_rows)."
    )
    assert sentence_of(lambda: prep.decode(np.zeros((2, 3)))) == (
        "Outputs of shape (2, 3) cannot be decoded; this target needs (m, 1)."
    )
    classes = Preparation.fit({"x": [1, 2], "y": ["a", "b"]}, "y")
    assert sentence_of(lambda: classes.transform_target({"y": ["a", "q"]})) == (
        "Target 'y' row 2 is 'q', a class training never saw (known: a, b); correct it, leave that row out, or retrain "
        "with such rows."
    )
    np.testing.assert_array_equal(prep.transform(CARS | {"wt": ["1", "3", None, "5"]}), prep.transform(CARS))


X4 = [1.0, 2.0, 3.0, 4.0]


@pytest.mark.parametrize(
    ("table", "settings_", "sentence"),
    [
        ({"x": X4, "y": [None] * 4}, {}, "Target 'y' is missing in all 4 rows; choose another target."),
        ({"x": X4, "y": ["a"] * 4}, {}, "Target 'y' has one class only, 'a', in 4 training rows; a classifier needs two or more."),  # noqa: E501
        ({"x": X4, "y": [0, 0, 1, 1]}, {"rows": [0, 1]}, "Target 'y' has one class only, '0', in 2 training rows; a classifier needs two or more."),  # noqa: E501
        ({"x": [1.0], "y": [2.5]}, {}, "There is 1 row to train on; a network needs at least two, better hundreds."),
        ({"x": X4, "y": [2.5] * 4}, {"task": "regression"}, "Target 'y' is 2.5 in every row; there is nothing to predict."),
        ({"x": [1] * 4, "y": X4}, {"task": "regression"}, "No column is left to predict 'y' from ('x' is left out: it is 1 in every training row); add one that varies."),  # noqa: E501
        ({"y": X4}, {"task": "regression"}, "No column is left to predict 'y' from ('y' is the only column); add one that varies."),  # noqa: E501
        ({"x": X4, "y": X4}, {"features": ["x", "y"]}, "'y' is the target and also among the features; leave it out of one of the two."),  # noqa: E501
        ({"x": X4, "y": [0.5, float("inf"), 1.5, 2.5]}, {}, "Target 'y' row 2 is infinite; correct it, or leave it empty to leave it out."),  # noqa: E501
        ({"x": [1, 2, float("-inf"), 3], "y": [0, 1, 0, 1]}, {}, "Column 'x' row 3 is infinite; a network needs finite numbers: correct it, or leave it empty to have it replaced."),  # noqa: E501
        ({"x": X4, "y": ["1", "2", "many", "3"]}, {"task": "regression"}, "Target 'y' row 3 is 'many'; regression needs numbers: correct it, leave it empty, or use task='classification'."),  # noqa: E501
        ({"x": list(range(30)), "y": [i + 0.5 for i in range(30)]}, {"task": "classification"}, "Target 'y' has 30 different values in 30 rows, too many for classes; use task='regression'."),  # noqa: E501
        ({"x": list(range(30)), "y": [f"n{i}" for i in range(30)]}, {}, "Target 'y' has 30 different values in 30 rows, too many for classes; choose another target."),  # noqa: E501
        ({"x": list(range(30)), "y": ["n.a."] + [f"{i}" for i in range(29)]}, {}, "Target 'y' has 30 different values in 30 rows, too many for classes; it is text because of values like 'n.a.' in row 1: correct them, then use task='regression'."),  # noqa: E501
        ({"x": X4, "y": ["a", "b", "c", "a"]}, {"task": "binary_classification"}, "Target 'y' has 3 classes; binary_classification needs two."),  # noqa: E501
        ({"x": X4, "y": [datetime.date(2024, 1, 1)] * 4}, {}, "Target 'y' is a column of date32[day]; it needs numbers or labels: convert it."),  # noqa: E501
        ({"x": X4, "y": X4}, {"task": "regresion"}, "There is no task 'regresion'; did you mean 'regression'? Known: auto, classification, binary_classification, regression."),  # noqa: E501
        ({"x": X4, "y": X4}, {"dtype": "float16"}, "There is no dtype 'float16'; did you mean 'float64'? Known: float64, float32."),  # noqa: E501
        ({"x": X4, "y": X4}, {"rows": [0, 9]}, "rows go from 0 to 9; the table has positions 0 to 3."),
        ({"x": X4, "y": X4}, {"rows": [0.5]}, "rows of shape (1,) and type float64 cannot be used; pass whole positions."),
    ],
)  # fmt: skip
def test_sentences_at_training(table, settings_, sentence):
    assert sentence_of(lambda: Preparation.fit(table, "y", **settings_)) == sentence


finite = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300)
words = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=5)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(
    x=st.lists(finite | st.none(), min_size=4, max_size=8),
    w=st.lists(words | st.none(), min_size=8, max_size=8),
    y=st.lists(words, min_size=8, max_size=8, unique=True) | st.lists(finite, min_size=8, max_size=8, unique=True),
)
def test_round_trip_through_json(x, w, y):
    """Kept in a run and read again: an equal preparation, with equal results to the last bit."""
    n = len(x)
    table = pa.table({"x": pa.array(x, pa.float64()), "w": pa.array(w[:n], pa.string()), "y": y[:n]})
    try:
        prep = Preparation.fit(table, "y")
    except DataError as error:
        assert str(error).startswith(("No column is left", "Target 'y' is"))  # noqa: PT017
        return
    text = json.dumps(prep.to_dict(), allow_nan=False)
    again = preparation_from_dict(json.loads(text))
    assert again == prep
    X = prep.transform(table)
    np.testing.assert_array_equal(again.transform(table), X)
    assert np.isfinite(X).all()
    if prep.task != "regression":
        assert prep.decode(prep.transform_target(table)).tolist() == y[:n]


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=30))
def test_standardised_inputs_have_mean_0_and_standard_deviation_1(x):
    spread = np.std(x)
    if spread < 1e-3:
        return
    table = {"x": x, "y": np.arange(len(x)) + 0.5}
    X = Preparation.fit(table, "y").transform(table)
    assert abs(X.mean()) < 1e-6
    assert X.std() == pytest.approx(1)


def test_a_description_that_is_none():
    assert sentence_of(lambda: Preparation.from_dict({})) == (
        "This is not the description of a preparation (KeyError('features')); train again."
    )


def test_words_that_mean_missing_are_said(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("x,y\n" + "".join(f"{i},{('yes', 'no', 'None', '#N/A')[i % 4]}\n" for i in range(20)))
    table = read_table(path)
    notes = Preparation.fit(table, "y").notes
    assert "10 of 20 rows have no 'y' and are left out." in notes
    assert any(note.startswith("'y' holds 'None' (5 times), '#N/A' (5 times), read as missing;") for note in notes)
    path.write_text("x,y\n" + "".join(f"{i},{('yes', ' None')[i % 2]}\n" for i in range(20)))
    with pytest.raises(DataError) as caught:
        Preparation.fit(read_table(path), "y")
    assert str(caught.value) == (
        "Target 'y' has one class only, 'yes', in 10 training rows (10 rows with missing words, 'None', were left out); "
        "a classifier needs two or more."
    )


@pytest.mark.parametrize("style", ["{},000", "{},5", "{}%", "1.{}00,5"])
def test_numbers_written_with_marks_are_said(style):
    texts = [style.format(i) for i in range(1, 21)]
    table = {"p": texts, "x": list(range(20)), "y": ["a", "b"] * 10}
    said = f"its values look like numbers written with ',' or '%', such as '{texts[0]}': write them plainly, "
    said += "like 1000, 1.5 or 0.05"
    assert f"'p' is left out: {said}." in Preparation.fit(table, "y").notes
    assert f"'p' is used as text, but {said}." in Preparation.fit(table, "y", features=["p"]).notes
    with pytest.raises(DataError, match="too many for classes; its values look like numbers"):
        Preparation.fit({"x": list(range(42)), "p": [style.format(i) for i in range(42)]}, "p")
