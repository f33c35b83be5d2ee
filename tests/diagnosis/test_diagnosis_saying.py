"""A diagnosis and a cure in words: whole texts, strict JSON, and Python that trains the same network again."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import told

import glassnet as gn
from glassnet.diagnosis.case import Case
from glassnet.diagnosis.changes import (
    Change,
    DropFeatures,
    DropRows,
    RescaleTarget,
    Standardise,
    StandardiseTarget,
)
from glassnet.diagnosis.cure import cure_run
from glassnet.diagnosis.findings import Diagnosis, Finding, Verdict, number
from glassnet.diagnosis.python_source import Source, python_code, written
from glassnet.diagnosis.saying import (
    alarms_text,
    as_json,
    as_plain,
    as_text,
    cure_plain,
    cure_python,
    cure_text,
    diff_lines,
    score_said,
    untested,
    verdict_said,
)
from glassnet.diagnosis.wording import change_said
from glassnet.errors import RunError

FAILS = """\
It does not learn: accuracy 0.512 on held-out rows; a small healthy network reaches 0.864, a linear
model 0.620, guessing the most frequent class 0.500.

✗ critical: The learning rate is too large (opt.lr_too_large)
  The learning rate 10 is 25 times the largest one at which the cost falls.
  measured:  learning rate: 10 (normal: below 0.4)
             cost after the last epoch: infinite (normal: below 0.693)
  where:     epochs 3 to 40
  how sure:  proven by a rerun
  cure:      learning_rate 10 → 0.1   [optimizer=gn.SGD(0.1)]
  or:        another optimiser   [optimizer=gn.Adam(0.01)]
  proof:     accuracy 0.512 → 0.864 in 30 epochs (0.814 needed), cured
  If this were a false alarm: The cost would fall from epoch to epoch at this rate.

! warning: Features are on very different scales (data.mixed_scales)
  The spreads of the features differ by a factor of 4,000.
  measured:  largest spread / smallest: 4,000 (normal: below 30)
  where:     features width, price
  how sure:  possible
  cure:      standardise the features
  If this were a false alarm: X as it is would do as well.

Notes:
  · 1 of 40 units are saturated. (layer 1, epoch 90)
  · 2 of 40 units are saturated. (layer 1, epoch 90)
  · 3 of 40 units are saturated. (layer 1, epoch 90)
  · 4 of 40 units are saturated. (layer 1, epoch 90)
  · 5 of 40 units are saturated. (layer 1, epoch 90)
  · 6 of 40 units are saturated. (layer 1, epoch 90)
  and 2 more notes

Checked: the data, the settings."""

LEARNS = """\
It learns: R² 0.970 on training rows; a small healthy network reaches 0.980, predicting the mean
0.000.

Nothing was found.

Checked: the data, the settings."""

CURED = """\
Cured: accuracy 0.512 → 0.864, 0.870, 0.861 with 3 seeds on held-out rows; 0.814 was needed.
Tried 2 changes in 1.2 s of the 10 s allowed.

- optimizer: SGD(10)
+ optimizer: SGD(0.1)

In Python:

    import glassnet as gn

    # X, Y: the training rows.
    network = gn.Network(2, gn.Dense(1, "sigmoid"))
    run = gn.train(
        network, X, Y,
        optimizer=gn.SGD(0.1),
        epochs=30,
        seed=0,
    )"""

NOT_CURED = """\
No cure was found: tried 2 changes in 1.2 s.
The accuracy on held-out rows is 0.512, and 0.814 would be enough.

The best of them:
  · learning_rate 10 → 0.1 (accuracy 0.864 after 30 epochs)
  · batch_size 32 → 8 (accuracy not finite after 1 epoch)"""


def drawn(*shape: int, seed: int = 3) -> np.ndarray:
    return np.random.Generator(np.random.Philox(seed)).standard_normal(shape)


# Text.


def test_the_whole_text():
    assert as_text(told.fails()) == FAILS
    assert str(told.fails()) == FAILS
    assert as_text(told.learns()) == LEARNS


def test_no_line_is_longer_than_100_columns():
    long = "a very long sentence about one thing " * 12
    finding = replace(told.fails()[0], sentence=long, false_alarm=long)
    text = as_text(told.fails(findings=(finding, replace(finding, severity="note", sentence=f"So: {long}"))))
    assert max(map(len, text.splitlines())) <= 100
    assert " ".join(text.split()).count(long.strip()) == 3


def test_notes_of_a_training_that_learns():
    note = Finding("training.saturated_units", "3 of 40 units are saturated.")
    text = as_text(replace(told.learns(), findings=(note,)))
    assert "Nothing was found that needs a cure." in text
    assert "Unusual, without harm that could be seen:\n  · 3 of 40 units are saturated." in text


SUSPECTED = """\
Whether it learns is not known: accuracy 0.512 on held-out rows; guessing the most frequent class
reaches 0.500.

Suspicious, not tested:
  ? The rate is 25 times the limit. (epochs 3 to 40)
    how sure:  almost certain
    cure:      learning_rate 10 → 0.1   [optimizer=gn.SGD(0.1)]

Unusual, not tested:
  · 3 of 40 units are saturated.
  · The cost fell by 1 %.

Checked: the data, the settings."""


def test_what_was_not_tested_is_suspicious():
    rate = told.fails()[0]
    strong = replace(rate, severity="note", sentence="The rate is 25 times the limit.", cures=(told.SLOWER,), proofs=())
    faint = Finding("training.saturated_units", "3 of 40 units are saturated.", confidence=0.2)
    slow = Finding("training.slow", "The cost fell by 1 %.", confidence=0.1)
    verdict = Verdict(None, "accuracy", "held-out", 0.512, None, {"guessing": 0.5})
    found = told.fails(findings=(strong, faint, faint, slow), verdict=verdict)
    assert untested(found)
    assert as_text(found) == SUSPECTED
    assert as_plain(found)["untested"] is True
    assert "Nothing was found that is strongly suspicious." in as_text(told.fails(findings=(faint,), verdict=verdict))
    # Two kinds of the same words are one suspicion with both cures, and no note repeats an alarm.
    slower = replace(strong, kind="opt.oscillation", confidence=0.6, cures=(Change("epochs 9 → 99", {"epochs": 99}),))
    text = as_text(told.fails(findings=(strong, slower), verdict=verdict))
    assert text.count("The rate is 25 times") == 1
    assert "    or:        epochs 9 → 99   [epochs=99]\n" in text
    alarm, echo = replace(strong, severity="critical"), replace(slower, confidence=0.1)
    assert as_text(told.fails(findings=(alarm, echo))).count("The rate is 25 times") == 1
    # A pilot beside its yardsticks is a test.
    assert not untested(told.fails(verdict=replace(verdict, yardsticks=told.YARDSTICKS)))


@pytest.mark.parametrize(("columns", "most"), [("64", 64), ("20", 50), ("300", 100)])
def test_on_a_terminal_it_is_as_wide_as_that(monkeypatch: pytest.MonkeyPatch, columns: str, most: int):
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(isatty=lambda: True))
    widest = max(map(len, as_text(told.fails(checked=("a word",) * 40)).splitlines()))
    assert most - 8 < widest <= most


def test_only_the_alarms():
    said = alarms_text(told.fails())
    assert said.startswith("✗ critical: The learning rate is too large (opt.lr_too_large)\n")
    assert "saturated" not in said
    assert alarms_text(told.learns()) == ""


@pytest.mark.parametrize(
    ("verdict", "stage", "costs", "said"),
    [
        ((None, None), "before training", 0, "Whether it learns is not known before it is trained."),
        ((None, None), "after training", 0, "Whether it learns is not known."),
        ((False, None), "before training", 0, "It cannot be trained as it stands."),
        (
            (False, 0.5), "before training", 9,
            "It would not learn: a pilot of 9 epochs reaches accuracy 0.500 on held-out rows.",
        ),
        ((None, 0.7), "before training", 1, "It may learn: a pilot of 1 epoch reaches accuracy 0.700 on held-out rows."),
        ((True, 0.9964), "after training", 9, "It learns: accuracy 0.996 on held-out rows."),
    ],
)  # fmt: skip
def test_the_verdict(verdict: Any, stage: str, costs: int, said: str):
    learns, score = verdict
    found = Diagnosis((), Verdict(learns, "accuracy", "held-out", score, 0.8, {}), (), stage=stage)
    assert verdict_said(replace(found, costs=tuple((float(e), 1.0) for e in range(costs)))) == said


def test_more_than_halfway_from_guessing_is_falling_short():
    # Halfway between guessing, 0.5, and what is needed, 0.8, is 0.65.
    for score, said in ((0.64, "It does not learn: "), (0.66, "It falls short: ")):
        found = Diagnosis((), Verdict(False, "accuracy", "held-out", score, 0.8, {"guessing": 0.5}), ())
        assert verdict_said(found).startswith(said)


def test_outputs_that_are_not_finite_have_no_accuracy():
    finding = Finding("training.not_finite", "Z1 is not finite.", severity="critical", certain=True)
    found = Diagnosis((finding,), Verdict(False, "r2", "training", -1.0, 0.8, {}), ())
    assert verdict_said(found) == "It does not learn: no finite output."
    assert as_plain(found)["verdict"]["score"] is None


def test_the_best_yardstick_is_named_first():
    scores = {"guessing": -0.0004, "linear model": 0.359, "small network": -0.3131}
    found = Diagnosis((), Verdict(True, "r2", "held-out", 0.4, 0.26, scores), ())
    assert verdict_said(found) == (
        "It learns: R² 0.400 on held-out rows; a linear model reaches 0.359, predicting the mean 0.000, "
        "a small healthy network −0.313."
    )


def test_a_cure_is_said_once_and_a_long_network_only_in_words():
    wide = Change(
        "layer 1: 2 → 40 units", {"network": gn.Network(2, gn.Dense(40, "tanh", init="he"), gn.Dense(1, "sigmoid"))}
    )
    finding = replace(told.fails()[1], cures=(wide, told.SLOWER, wide))
    assert (
        "\n  cure:      layer 1: 2 → 40 units\n  or:        learning_rate 10 → 0.1   [optimizer=gn.SGD(0.1)]\n  If this"
    ) in as_text(told.fails(findings=(finding,)))
    assert len(as_plain(told.fails(findings=(finding,)))["findings"][0]["cures"]) == 2


def test_scores():
    assert [score_said(s) for s in (0.5, 0.8642, 0.9996, -0.0004, -0.25, -0.9994, -1.0, math.nan, None)] == [
        "0.500", "0.864", "1.000", "0.000", "−0.250", "−0.999", "below −1", "not finite", "not finite",
    ]  # fmt: skip


def test_numbers_have_a_minus_sign():
    assert [number(v) for v in (-3, -0.25, -1e-5, 1e-5, -0.0, 4000, "none")] == [
        "−3", "−0.25", "−1e-05", "1e-05", "0", "4,000", "none",
    ]  # fmt: skip


# JSON.


def test_json_is_strict_and_complete(tmp_path: Path):
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    text = as_json(told.fails(), tmp_path / "d.json")
    found = json.loads(text, parse_constant=refuse)
    assert (tmp_path / "d.json").read_text(encoding="utf-8") == text
    assert [path.name for path in tmp_path.iterdir()] == ["d.json"]  # nothing temporary is left
    assert found == as_plain(told.fails()) == told.fails().to_plain()
    assert found["said"] == " ".join(FAILS.split("\n\n")[0].split())
    assert found["verdict"]["yardsticks"] == told.YARDSTICKS
    rate = found["findings"][0]
    assert rate["kind"] == "opt.lr_too_large"
    assert rate["measured"][1] == {
        "name": "cost after the last epoch", "value": "infinity", "said": "infinite", "normal": "below 0.693",
    }  # fmt: skip
    assert rate["where"]["epochs"] == [3, 40]
    assert rate["cures"][0] == {"said": "learning_rate 10 → 0.1", "settings": {"optimizer": "gn.SGD(0.1)"}, "data": []}
    assert rate["proofs"][0]["after"] == 0.864
    assert found["costs"][58] == [59.0, 59.7]
    assert found["costs"][59] == [60.0, None]


def test_json_that_cannot_be_written(tmp_path: Path):
    with pytest.raises(RunError, match=r"d.json could not be written: no such file or directory\.$"):
        as_json(told.learns(), tmp_path / "nowhere" / "d.json")


# Cures.


def test_a_cure():
    assert cure_text(told.cure()) == CURED
    assert cure_text(told.cure(change=None)) == NOT_CURED
    assert (
        cure_text(told.cure(change=None, learns=True)) == "There is nothing to cure: accuracy 0.512 on held-out rows."
    )
    assert cure_text(told.cure(change=None, needed=math.nan, tried=())) == (
        "No cure was found: no model here learns anything from these data that holds on other rows, and no\n"
        "settings cure that.\n"
        "The accuracy on held-out rows is 0.512."
    )


@pytest.mark.parametrize(
    ("seconds", "tried", "said"),
    [
        (9.9, None, "within the budget: tried 2 changes in 9.9 s of the 10 s allowed."),
        (10.2, (), "the 10 s allowed were over before a change could be tried."),
        (1.2, (), "No cure was found: no change could be trained."),
    ],
)  # fmt: skip
def test_why_there_is_no_cure(seconds: float, tried: tuple[Any, ...] | None, said: str):
    more = {} if tried is None else {"tried": tried}
    assert said in cure_text(told.cure(change=None, seconds=seconds, **more)).splitlines()[0]


@pytest.mark.parametrize(
    ("epochs", "reached", "said"),
    [
        (9, 0.864, "they had 9; with a larger budget they have all."),
        (20, 0.9, "they had 9; the cured run then went on to 20: accuracy 0.900. With a larger budget they have all."),
        (30, 0.9, "they had 9; the cured run then went on to 30: accuracy 0.900."),
        (30, math.nan, "they had 9; the cured run then went on to 30."),
    ],
    ids=["no time for more", "a part", "all", "on rows that were held out"],
)  # fmt: skip
def test_trainings_that_were_shortened_to_fit_the_budget_say_so(epochs: int, reached: float, said: str):
    before = told.cure().settings_after
    cure = told.cure(shortened=(9, 30), reached=reached, settings_after={**before, "epochs": epochs})
    text = " ".join(cure_text(cure).split())
    assert f"in 1.2 s of the 10 s allowed. Three trainings of 30 epochs did not fit into that, so {said}" in text
    assert f"{said} - " in text  # the diff follows
    plain = cure_plain(cure)
    assert plain["shortened"] == {"to": 9, "from": 30}
    assert plain["reached"] == (None if math.isnan(reached) else reached)


def test_the_best_are_said_once_each():
    twice = [SimpleNamespace(change=told.SLOWER, score=score, epochs=9, round=1) for score in (0.7, 0.8, 0.6)]
    text = cure_text(told.cure(change=None, tried=tuple(twice)))
    assert text.endswith("The best of them:\n  · learning_rate 10 → 0.1 (accuracy 0.800 after 9 epochs)")
    assert "tried 1 change in" in text


def test_a_setting_that_is_changed_twice_is_said_once():
    change = Change("learning_rate 1e-05 → 0.53; epochs 20 → 2000; epochs 2000 → 235")
    assert change_said(change) == "learning_rate 1e-05 → 0.53; epochs 20 → 235"
    assert cure_plain(told.cure(change=change))["change"]["said"] == change_said(change)
    layers = Change("layer 1: 2 → 40 units; layer 2: 2 → 9 units")
    assert change_said(layers) == layers.said


def test_a_cure_of_the_data_says_what_takes_which_rows():
    scaled = Change("standardise the features", {}, (Standardise(),))
    dropped = Change("drop rows", {}, (DropRows((0, 5)),))
    assert "cure.predict(X)" in cure_text(told.cure(change=scaled))
    assert "cure.predict(X)" not in cure_text(told.cure(change=dropped))
    assert "cure.predict(X)" not in cure_text(told.cure())


def test_a_cure_as_json():
    found = cure_plain(told.cure())
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert (found["found"], found["diff"]) == (True, ["- optimizer: SGD(10)", "+ optimizer: SGD(0.1)"])
    assert found["tried"][0] == {"change": "batch_size 32 → 8", "score": None, "epochs": 1, "round": 1}
    assert found["python"].startswith("import glassnet as gn\n")
    assert cure_plain(told.cure(change=None))["python"] is None


def test_diff_lines():
    before = {
        "network": gn.Network(2, gn.Dense(1, "sigmoid")), "optimizer": gn.SGD(10.0), "epochs": 5, "l2": 1.0,
        "initial_parameters": {"W1": np.zeros((2, 1))}, "sample_weight": np.ones(9),
    }  # fmt: skip
    after = {
        "network": gn.Network(2, gn.Dense(4, "tanh"), gn.Dense(1, "sigmoid")),
        "optimizer": gn.SGD(gn.CosineDecay(0.5, epochs=5)),
        "epochs": 5, "batch_size": 8, "sample_weight": np.ones(9),
    }  # fmt: skip
    assert diff_lines(before, after, (Standardise(),)) == [
        "+ data: standardise the features",
        "- network: 2 → 1 sigmoid",
        "+ network: 2 → 4 tanh → 1 sigmoid",
        "- optimizer: SGD(10)",
        "+ optimizer: SGD(CosineDecay(0.5, epochs=5))",
        "- l2: 1",
        "- initial_parameters: W1 array of shape (2, 1)",
        "+ batch_size: 8",
    ]
    assert diff_lines(before, before) == []
    assert diff_lines({"epochs": 5, "batch_size": None}, {"epochs": 5}) == []


# Python.


@pytest.mark.parametrize(
    "value",
    [
        gn.Network(2, gn.Dense(40, "tanh", init="he"), gn.Dropout(0.2), gn.Dense(1, "sigmoid", bias=False)),
        gn.Network(
            (1, 8, 8), gn.Conv2D(4, 3, "relu", padding="same", stride=(1, 2)), gn.BatchNorm(momentum=0.2), gn.MaxPool2D(2),
            gn.Flatten(), gn.Dense(10, "softmax"),
        ),
        gn.SGD(0.1), gn.SGD(gn.OneCycle(0.1, epochs=5), momentum=0.9, nesterov=True), gn.Adam(), gn.LBFGS(memory=5),
        gn.Augmentation(shift=2, flip="horizontal"), np.float64(0.25), (1, 2), [0.5], "a \"word\"", None, True,
    ],
)  # fmt: skip
def test_what_is_written_is_the_value(value: Any):
    source = Source()
    assert eval(source.of(value), {"gn": gn, "np": np}) == value
    assert source.imports == source.remarks == []


def test_arrays_and_own_functions_are_named_where_they_cannot_be_written():
    source = Source()
    assert eval(source.of(np.float32([[1, 2.5]])), {"np": np}).dtype == np.float32
    assert source.of(np.zeros(61), "sample_weight") == "sample_weight"
    assert source.of(gn.activation("squared", lambda z: z * z)) == "squared"
    assert source.of(gn.loss("fourth", lambda y, a: (a - y) ** 4)) == "fourth"
    assert source.remarks == [
        "sample_weight: an array of shape (61,), as before.", "squared: your own activation, as before.",
        "fourth: your own loss, as before.",
    ]  # fmt: skip
    assert written(gn.SGD(2.0, momentum=0.5)) == "SGD(2, momentum=0.5)"


TABLE = drawn(60, 3) * (1, 100, 1) + (0, 5, 0)
LABELS = (TABLE[:, 0] > 0).astype(np.float64)
HOLED = np.where(np.arange(60)[:, None] == 20, np.nan, TABLE)
WEIGHTS = {"W1": drawn(3, 4, seed=9)}


@pytest.mark.parametrize(
    ("X", "Y", "units", "change", "settings"),
    [
        (TABLE, LABELS, 1, Change("slower", {"optimizer": gn.Adam(0.01)}, (Standardise(),)), {"batch_size": 8}),
        (TABLE, LABELS, 1, Change("some", {}, (Standardise((1,)),)), {"initial_parameters": WEIGHTS, "l2": 0.01}),
        (TABLE.astype(np.float32), LABELS, 1, Change("32 bit", {}, (Standardise(),)), {"dtype": "float32"}),
        (
            TABLE, LABELS, 1,
            Change("fewer", {"network": gn.Network(2, gn.Dense(4, "tanh"), gn.Dense(1, "sigmoid"))}, (DropFeatures((1,)),)), {},
        ),
        (HOLED, LABELS, 1, Change("whole", {}, (DropRows(), Standardise())), {}),
        (TABLE, LABELS, 1, Change("rows", {}, (DropRows((0, 5, 7)),)), {"sample_weight": np.linspace(1, 2, 60)}),
        (TABLE, 100 + 7 * TABLE[:, 1:2], 0, Change("target", {}, (StandardiseTarget(),)), {}),
        (TABLE, (LABELS + 1) / 255, 1, Change("labels", {}, (RescaleTarget((1 / 255, 2 / 255)),)), {}),
        (drawn(20, 1, 4, 4) * 50, LABELS[:20], 2, Change("pictures", {}, (Standardise(),)), {}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("held", [True, False])
def test_the_printed_python_trains_the_same_network(
    X: np.ndarray, Y: np.ndarray, units: int, change: Change, settings: dict[str, Any], held: bool
):
    """Executed in a name space that holds the data alone; both trained by the reference engine, bit for bit."""
    layers = (gn.Flatten(),) if X.ndim == 4 else ()
    network = gn.Network(
        X.shape[1:] if X.ndim == 4 else X.shape[1], *layers, gn.Dense(4, "tanh"), gn.Dense(1, "sigmoid" if units else "linear")
    )  # fmt: skip
    apart = (X[:10], Y[:10]) if held else None
    asked = {"epochs": 4, "optimizer": gn.SGD(0.5), "engine": "reference", "progress": False, **settings}
    case = Case.asked(network, X, Y, validation=apart, **asked)
    changed = case.changed(change)
    run = changed.train()
    code = python_code({"network": changed.network, **changed.settings}, change.data, held)
    names: dict[str, Any] = {"X": X.copy(), "Y": Y.copy(), "sample_weight": settings.get("sample_weight")}
    if held:
        names |= {"X_test": X[:10].copy(), "Y_test": Y[:10].copy()}
    exec(code, names)
    again = names["run"]
    assert again.parameters.keys() == run.parameters.keys()
    for name, value in run.parameters.items():
        np.testing.assert_array_equal(again.parameters[name], value, err_msg=f"{name} of\n{code}")
    assert (again.validation is None) is not held
    if held:
        assert again.validation is not None
        assert run.validation is not None
        np.testing.assert_array_equal(again.validation.X, run.validation.X)
        assert again.history["validation_cost"][-1] == run.history["validation_cost"][-1]


def test_a_long_network_has_a_line_for_each_layer():
    network = gn.Network(2, *(gn.Dense(10, "tanh", init="he") for _ in range(5)), gn.Dense(1))
    code = python_code({"network": network, "epochs": 1, "seed": 0}, held=False)
    assert 'network = gn.Network(\n    2,\n    gn.Dense(10, "tanh", init="he"),\n' in code
    names: dict[str, Any] = {"X": TABLE[:, :2], "Y": LABELS}
    exec(code.replace("seed=0,", "seed=0, progress=False,"), names)
    assert names["network"] == network


def test_the_python_of_a_real_cure_trains_the_cured_run():
    """SGD(60) leaps about; what cures it is printed, executed, and gives the cured run's parameters."""
    X = drawn(200, 2, seed=5)
    Y = (X[:, 0] * X[:, 1] > 0).astype(np.float64)
    network = gn.Network(2, gn.Dense(8, "tanh"), gn.Dense(1, "sigmoid"))
    run = gn.train(
        network, X, Y, optimizer=gn.SGD(60.0), epochs=60, batch_size=16, validation=(X[:50], Y[:50]), progress=False
    )
    cure = cure_run(run)
    assert cure.found, cure
    assert str(cure).startswith("Cured: accuracy ")
    names: dict[str, Any] = {"X": X.copy(), "Y": Y.copy(), "X_test": X[:50].copy(), "Y_test": Y[:50].copy()}
    exec(cure_python(cure), names)
    assert cure.run is not None
    for name, value in cure.run.parameters.items():
        # Another engine may have been chosen for it: the same steps in another order of sums.
        np.testing.assert_allclose(names["run"].parameters[name], value, rtol=1e-6, atol=1e-8)


def test_of_rows_with_several_answers_each_answer_counts():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 4))
    Y = (X @ rng.normal(size=(4, 3)) > 0).astype(float)
    run = gn.train(gn.Network(4, gn.Dense(3, "sigmoid")), X, Y, optimizer=gn.SGD(1e-6), epochs=2, progress=False)
    found = run.diagnose(experiments=False)
    share = float(((run.predict(X) >= 0.5) == (Y > 0.5)).mean())
    assert f"accuracy {share:.3f} on training rows (3 answers a row, each counted)" in " ".join(str(found).split())
    two = gn.train(gn.Network(4, gn.Dense(2, "softmax")), X, np.c_[Y[:, 0], 1 - Y[:, 0]], epochs=2, progress=False)
    assert (found.questions, two.diagnose(experiments=False).questions) == (3, 0)
