"""The history slices like a table."""

from __future__ import annotations

import numpy as np
import pytest

import glassnet as gn
from glassnet.training.callbacks import AdaptiveRate, EarlyStopping
from glassnet.training.history import History
from glassnet.training.progress import Progress


def history(rows=3):
    made = History()
    for epoch in range(1, rows + 1):
        made.append({"epoch": epoch, "cost": 1.0 / epoch})
    return made


def test_columns_rows_and_slices():
    whole = history(4)
    assert np.array_equal(whole["cost"], [1, 0.5, 1 / 3, 0.25])
    assert whole[-1] == {"epoch": 4, "cost": 0.25}
    assert whole[1:3]["epoch"].tolist() == [2, 3]
    assert whole[["cost"]].columns == ["cost"]
    assert [row["epoch"] for row in whole] == [1, 2, 3, 4]
    assert len(whole) == 4
    assert "cost" in whole
    assert whole.to_pandas()["epoch"].tolist() == [1, 2, 3, 4]


def test_a_misspelt_column_is_answered_with_the_nearest():
    with pytest.raises(KeyError, match="There is no history column 'costs'; did you mean 'cost'"):
        history()["costs"]


def test_rows_of_other_columns_are_refused():
    with pytest.raises(gn.GlassnetError) as problem:
        history().append({"epoch": 4})
    assert str(problem.value) == "A history row has epoch; this history has epoch, cost."


def test_text_elides_the_middle():
    lines = str(history(100)).splitlines()
    assert lines[0].split() == ["epoch", "cost"]
    assert lines[1].split() == ["1", "1"]
    assert lines[7].split() == ["…", "…"]
    assert lines[-1].split() == ["100", "0.01"]
    assert str(History()) == "History: no epoch has ended yet"


def test_the_clock_is_not_part_of_the_training():
    a, b = History({"epoch": [1], "seconds": [0.5]}), History({"epoch": [1], "seconds": [0.7]})
    assert a.same_training(b)
    assert not a.same_training(History({"epoch": [2], "seconds": [0.5]}))


def test_early_stopping_counts_epochs_without_improvement():
    stopper = EarlyStopping("cost", patience=2, min_delta=0.1)
    costs = [1.0, 0.95, 0.8, 0.75, 0.71]
    assert [stopper.saw({"cost": c}, i) for i, c in enumerate(costs)] == [False, False, False, False, True]
    assert stopper.best_iteration == 2  # 0.95 and later 0.75, 0.71 are less than 0.1 better
    higher = EarlyStopping("validation_accuracy", patience=1)
    assert [higher.saw({"validation_accuracy": a}, i) for i, a in enumerate([0.5, 0.7, 0.7])] == [False, False, True]


@pytest.mark.parametrize(("setting", "said"), [
    ({"patience": 0}, "EarlyStopping got patience=0; it needs a whole number, 1 or more."),
    ({"min_delta": -1}, "EarlyStopping got min_delta=-1; it needs a number, 0 or more."),
])  # fmt: skip
def test_absurd_early_stopping(setting, said):
    with pytest.raises(gn.GlassnetError) as problem:
        EarlyStopping(**setting)
    assert str(problem.value) == said


def test_adaptive_rate_by_hand():
    # patience 2, factor ½, tolerance 0.1: 1 → 0.95 stalls, 0.94 stalls again: the rate halves; 0.5 improves
    rate = AdaptiveRate(gn.Adaptive(0.8, factor=0.5, patience=2, tolerance=0.1, minimum=0.3))
    seen = []
    for cost in (1.0, 0.95, 0.94, 0.5, 0.5, 0.5, 0.5, 0.5):
        assert rate.saw({"cost": cost, "penalty": 0.0}) is False
        seen.append(rate.rate)
    assert seen == [0.8, 0.8, 0.4, 0.4, 0.4, 0.3, 0.3, 0.3]


def test_an_adaptive_rate_that_stops_by_hand():
    # patience 1: 0.8 stalls, then 0.4 (still above the minimum) falls to 0.2 below it, and the next stall ends it
    rate = AdaptiveRate(gn.Adaptive(0.8, factor=0.5, patience=1, minimum=0.3, monitor="accuracy", stops=True))
    seen = []
    for accuracy in (0.9, 0.9, 0.8, 0.7):
        seen.append((rate.saw({"accuracy": accuracy}), rate.rate))
    assert seen == [(False, 0.8), (False, 0.4), (False, 0.2), (True, 0.2)]


def lines_of(capsys, show, epochs=50):
    with Progress(show, epochs, 0) as progress:
        for epoch in range(1, epochs + 1):
            progress.epoch({"epoch": epoch, "cost": 1 / epoch, "validation_cost": 2 / epoch})
    return capsys.readouterr()


def test_progress_without_a_terminal_is_plain_lines_now_and_then(capsys, monkeypatch):
    from glassnet.training import progress as module

    clock = iter(np.arange(0, 1e4, 0.5))
    monkeypatch.setattr(module.time, "monotonic", lambda: float(next(clock)))
    printed = lines_of(capsys, True)
    assert printed.out == ""
    lines = printed.err.splitlines()
    assert lines[-1] == "epoch 50/50  cost 0.02  validation cost 0.04"
    assert lines[0].startswith("epoch 4/50  cost 0.25  validation cost 0.5  ")
    assert lines[0].endswith(" left")
    assert 5 <= len(lines) <= 15


def test_quiet_is_quiet(capsys):
    printed = lines_of(capsys, False)
    assert printed.out == printed.err == ""


def test_progress_on_a_terminal_is_a_bar(capsys, monkeypatch):
    import sys

    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    printed = lines_of(capsys, True)
    assert "epoch 50/50" in printed.err
    assert "cost 0.02" in printed.err
