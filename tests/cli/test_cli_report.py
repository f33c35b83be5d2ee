"""`glassnet report` and the demo's report: where it goes, what it is judged by, and every bad request answered."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score

from glassnet import Run
from glassnet.data import dataset, split_rows


def exact(page: str, metric: str) -> list[float]:
    return [float(n) for n in re.findall(rf'data-metric="{metric}" data-exact="([^"]+)"', page)]


def test_it_goes_beside_the_run_and_is_judged_by_the_held_out_rows(glassnet: Callable[..., Any], trained: Path) -> None:
    answer = glassnet("report", trained)
    assert answer.status == 0, answer
    place = trained / "report.html"
    assert answer.out == f"The report is {place}; open it in a browser.\n"
    page = place.read_text(encoding="utf-8")
    run, kept = Run.load(trained), json.loads((trained / "metrics.json").read_text())
    table = dataset("flower").table
    labels = np.asarray(table.column("label").to_pylist())
    _, held = split_rows(labels, test=0.25, seed=0, stratify=True)
    found = run.predict(table.take(held))[:, 0] >= 0.5
    mine = accuracy_score(labels[held] == run.preparation.classes[1], found)
    assert exact(page, "accuracy")[1] == mine == kept["test"]["accuracy"]
    assert exact(page, "accuracy")[2] == kept["baseline"]["test"]["accuracy"]
    assert "logistic regression, held-out rows" in page
    assert "earn" in page  # the verdict
    wrong = set(np.asarray(held)[found != (labels[held] == run.preparation.classes[1])].tolist())
    rows = re.findall(r"<tr><td>(\d+)</td>", page[page.index('<table class="rows">') :])
    assert {int(row) for row in rows} <= wrong
    assert len(rows) == min(24, len(wrong))


def test_out_names_another_file(glassnet: Callable[..., Any], trained: Path, tmp_path: Path) -> None:
    answer = glassnet("report", trained, "--out", "page.html")
    assert answer.out == "The report is page.html; open it in a browser.\n"
    assert (tmp_path / "page.html").stat().st_size > 50_000


def test_a_run_that_was_not_trained_from_the_command_line(glassnet: Callable[..., Any], tmp_path: Path) -> None:
    import glassnet as gn

    X = np.linspace(-1, 1, 20)[:, None]
    run = gn.train(gn.Network(1, gn.Dense(1)), X, 2 * X, epochs=5, progress=False)
    run.save(tmp_path / "run")
    answer = glassnet("report", "run")
    assert (answer.status, answer.err) == (0, "")
    assert "network, training rows" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")


def test_rows_that_cannot_be_read_again_are_a_note(glassnet: Callable[..., Any], table: Path) -> None:
    done = glassnet("train", table, "--target", "kind", "--epochs", "3", "--quiet", "--no-plots", "--out", "run")
    assert done.status == 0, done
    table.unlink()
    answer = glassnet("report", "run")
    assert answer.status == 0, answer
    assert answer.err.startswith("note: The held-out rows cannot be judged again: ")
    kept = json.loads(Path("run/metrics.json").read_text())
    page = Path("run/report.html").read_text(encoding="utf-8")
    assert exact(page, "accuracy")[1] == kept["test"]["accuracy"]  # as it was judged then


def test_training_again_removes_the_report_of_before(glassnet: Callable[..., Any], table: Path) -> None:
    arguments = ["train", table, "--target", "kind", "--epochs", "3", "--quiet", "--no-plots", "--out", "run"]
    assert glassnet(*arguments).status == 0
    assert glassnet("report", "run").status == 0
    assert glassnet(*arguments, "--overwrite").status == 0
    assert not Path("run/report.html").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere"], "There is no run folder 'nowhere'; glassnet train writes one."),
        (["RUN", "--out", "folder"], "folder is a folder; name a file for the report, such as folder/report.html."),
        (["RUN", "--out", "no/page.html"], "no/page.html could not be written: no such file or directory."),
    ],
)
def test_bad_requests(glassnet: Callable[..., Any], trained: Path, arguments: list[str], sentence: str) -> None:
    Path("folder").mkdir()
    answer = glassnet("report", *[str(trained) if word == "RUN" else word for word in arguments])
    assert (answer.status, answer.out, answer.err) == (2, "", f"{sentence}\n")


def test_the_demo_writes_one_and_says_where(glassnet: Callable[..., Any]) -> None:
    answer = glassnet("demo", "--epochs", "30")
    assert answer.status == 0, answer
    assert re.search(r"^  demo-output/report\.html\s+all of it as one page", answer.out, re.MULTILINE)
    page = Path("demo-output/report.html").read_text(encoding="utf-8")
    kept = json.loads(Path("demo-output/metrics.json").read_text())
    train, test, plain = exact(page, "accuracy")[:3]
    assert (train, test, plain) == (
        kept["train"]["accuracy"], kept["test"]["accuracy"], kept["baseline"]["test"]["accuracy"],
    )  # fmt: skip
    assert len(page.encode()) < 3_000_000


def test_rows_that_cannot_be_read_again_are_explained(glassnet, table, tmp_path, monkeypatch):
    """The page says what became of them: the file was changed, not merely left out."""
    from glassnet import Run
    from glassnet.training import folder
    from glassnet.views.report_rows import Subject

    monkeypatch.setattr(folder, "KEPT_DATA", 0)
    assert glassnet("train", table, "-t", "kind", "--epochs", "2", "--quiet", "--no-plots", "--out", "run").status == 0
    assert Subject.of(Run.load(tmp_path / "run")).without_data is None
    table.write_text(table.read_text() + "1,1,red,yes,1\n")
    why = Subject.of(Run.load(tmp_path / "run")).without_data
    assert why is not None
    assert "has changed since this run was trained on it; put the old file back" in why
    table.unlink()
    why = Subject.of(Run.load(tmp_path / "run")).without_data
    assert why is not None
    assert "which is no longer there; put it back" in why
