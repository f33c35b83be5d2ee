"""`glassnet trace`: the step with its numbers on a terminal, entries worked out, and every bad request answered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from glassnet import Run
from glassnet.equations.entry_text import short_number


def done(answer: Any) -> str:
    assert answer.status == 0, answer
    return str(answer.out)


def test_the_last_step_unless_another_is_named(glassnet: Callable[..., Any], trained: Path) -> None:
    run = Run.load(trained)
    last = done(glassnet("trace", trained))
    assert last.startswith(f"The step after iteration {run.iteration - 1} (epoch 20) of {run.network}")
    first = done(glassnet("trace", trained, "-i", "0", "-s", "2", "-s", "0", "--digits", "6"))
    trace = run.trace(0, samples=[2, 0])
    assert f"2 of them shown, learning rate {trace['alpha']:g}" in " ".join(first.split())
    for row, values in zip(trace.rows, trace["X"], strict=True):
        line = next(text for text in first.splitlines() if text.strip().startswith(f"row {row} "))
        assert line.split()[2:] == [short_number(v, 6) for v in values]


def test_one_line_and_one_entry(glassnet: Callable[..., Any], trained: Path) -> None:
    trace = Run.load(trained).trace(3)
    text = done(glassnet("trace", trained, "-i", "3", "--line", "dW1"))
    assert "dW1 = Xᵀ dZ1" in text
    assert "dZ2" not in text.replace("dZ1", "")
    worked = done(glassnet("trace", trained, "-i", "3", "-e", "Z1[0,2]", "-e", "J", "-e", " b2 [ 0 ] "))
    lines = worked.splitlines()
    assert lines[0] == f"Z1[0, 2] = {trace.worked('Z1', 0, 2)}"
    assert lines[0].endswith(f" = {short_number(trace['Z1'][0, 2])}")
    assert lines[1] == f"J = {trace.worked('J')}"
    assert lines[2].startswith("b2[0] ← ")
    assert np.isfinite(trace["J"])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["-i", "999999"], "step 999999 is none of them."),
        (["-i", "0", "-s", "999999"], "samples got [999999]; it needs positions within the batch, 0 to "),
        (
            ["-e", "Z1[0"],
            "--entry got 'Z1[0'; it needs a line's name and the entry's row and column, such as 'Z1[0,2]'.",
        ),
        (["-e", "Z1[0]"], "There is no Z1[0]; Z1 has rows 0 to "),
        (["-e", "Z9[0,0]"], "There is no line of this step 'Z9'. Known: Z1, A1"),
        (["-e", "Z1(0,0)"], "--entry got 'Z1(0,0)'; it needs a line's name"),
        (["-l", "dw1"], "did you mean 'dW1'"),
        (["--digits", "0"], "--digits got 0; it needs a number from 1 to 17."),
        (["--rows", "1"], "--rows got 1; it needs 3 or more."),
    ],
)
def test_bad_requests(glassnet: Callable[..., Any], trained: Path, arguments: list[str], sentence: str) -> None:
    answer = glassnet("trace", trained, *arguments)
    assert answer.status == 2
    assert sentence in answer.err
    assert len(answer.err.strip().splitlines()) == 1
    assert answer.out == ""


def test_a_run_without_its_data_says_so(glassnet: Callable[..., Any], trained: Path, tmp_path: Path) -> None:
    Run.load(trained).save(tmp_path / "light", data=False)
    answer = glassnet("trace", tmp_path / "light", "-i", "3")
    assert answer.status == 2
    assert "without its data" in answer.err or "no longer there" in answer.err
