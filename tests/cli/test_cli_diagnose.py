"""`glassnet diagnose` and what --diagnose does to train and report: whole sentences, files, and every bad request."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import glassnet as gn
from glassnet import diagnosis as room
from glassnet.diagnosis.changes import Change
from glassnet.diagnosis.findings import Diagnosis, Finding, Verdict
from glassnet.diagnosis.saying import as_plain, as_text, cure_text

FOUND = Diagnosis(
    (Finding("opt.lr_too_large", "The rate is 25 times too large.", "critical", 0.95),),
    Verdict(False, "accuracy", "held-out", 0.512, 0.814, {"guessing": 0.5}), ("the data",), costs=((1.0, 2.0), (2.0, 3.0)),
)  # fmt: skip
CHANGE = Change("learning_rate 10 → 0.1", {"optimizer": gn.SGD(0.1)})


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any, dict[str, Any]]]:
    """What was called with what, of a diagnosis and a cure that are made by hand."""
    calls: list[tuple[str, Any, dict[str, Any]]] = []

    def diagnose_run(run: gn.Run, **options: Any) -> Diagnosis:
        calls.append(("diagnose_run", run, options))
        return FOUND

    def cure_run(run: gn.Run, **options: Any) -> Any:
        calls.append(("cure_run", run, options))
        before = {"network": run.network, "optimizer": gn.SGD(10.0), "epochs": 20, "seed": 0}
        return SimpleNamespace(
            change=CHANGE, before=0.512, after=(0.864, 0.87, 0.861), needed=0.814, metric="accuracy", rows="held-out",
            tried=(), seconds=1.0, budget=10.0, run=run, settings_before=before,
            settings_after={**before, "optimizer": gn.SGD(0.1)}, learns=False, shortened=None, reached=math.nan,
        )  # fmt: skip

    def diagnose(network: gn.Network, X: Any, Y: Any, **options: Any) -> Diagnosis:
        calls.append(("diagnose", network, {**options, "X": X, "Y": Y}))
        return replace(FOUND, stage="before training")

    class Watch:
        def __call__(self, run: gn.Run) -> bool:
            calls.append(("Watch", run, {}))
            return False

    for name, made in (
        ("diagnose_run", diagnose_run),
        ("cure_run", cure_run),
        ("diagnose", diagnose),
        ("Watch", Watch),
    ):
        monkeypatch.setitem(vars(room), name, made)
    return calls


def test_it_prints_the_diagnosis(glassnet: Callable[..., Any], trained: Path, asked: list[Any]):
    answer = glassnet("diagnose", trained)
    assert (answer.status, answer.out, answer.err) == (0, as_text(FOUND) + "\n", "")
    ((called, run, options),) = asked
    assert (called, options) == ("diagnose_run", {"experiments": True})
    # The 100 of 400 rows that the training held out judge it, and all of the others are as they were.
    assert len(run.validation) == 100
    assert len(run.data) == 300


def test_as_json(glassnet: Callable[..., Any], trained: Path, asked: list[Any]):
    answer = glassnet("diagnose", trained, "--json", "--no-experiments")
    assert answer.status == 0
    assert json.loads(answer.out) == as_plain(FOUND)
    assert asked[0][2] == {"experiments": False}


def test_a_cure_is_kept_as_a_run(glassnet: Callable[..., Any], trained: Path, asked: list[Any], tmp_path: Path):
    answer = glassnet("diagnose", trained, "--cure", "--budget", 7, "--out", "cured")
    _, (_, run, options) = asked
    assert options == {"budget": 7.0, "diagnosis": FOUND, "say": None}
    cure = cure_text(room.cure_run(run))
    assert answer.out == (
        f"{as_text(FOUND)}\n\n{cure}\n\nThe cured run is in cured; its equations: glassnet show cured\n"
    )
    assert (answer.status, answer.err) == (0, "")
    again = gn.Run.load("cured")
    np.testing.assert_array_equal(again.parameters["W1"], run.parameters["W1"])
    answer = glassnet("diagnose", trained, "--cure", "--out", "cured")
    assert (answer.status, answer.out) == (2, "")
    assert answer.err == "cured already holds a run; choose another folder, --resume it, or pass --overwrite.\n"


def test_the_cured_run_has_a_folder_of_its_own(glassnet: Callable[..., Any], trained: Path, asked: list[Any]):
    for name in ("flower-cured", "flower-cured-2"):
        answer = glassnet("diagnose", trained, "--cure", "--json")
        assert answer.status == 0
        found = json.loads(answer.out)
        assert found["cured_run"] == str(trained.parent / name)
        assert found["cure"]["diff"] == ["- optimizer: SGD(10)", "+ optimizer: SGD(0.1)"]
        assert (trained.parent / name / "run.json").is_file()


def test_a_page(glassnet: Callable[..., Any], trained: Path, asked: list[Any]):
    answer = glassnet("diagnose", trained, "--html", "d.html")
    assert answer.out == f"{as_text(FOUND)}\nThe page is d.html; open it in a browser.\n"
    assert "The rate is 25 times too large." in Path("d.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--budget", "3"), "--budget is for --cure; add --cure, or leave --budget out."),
        (("--out", "x"), "--out is for --cure; add --cure, or leave --out out."),
        (("--cure", "--budget", "0"), "--budget got 0; it needs a number of seconds above 0."),
        (("--cure", "--budget", "nan"), "--budget got nan; it needs a number of seconds above 0."),
        (("--cure", "--no-experiments"), "--cure trains again and --no-experiments forbids it; leave one of them out."),
        (("--html", "."), ". is a folder; name a file for the page, such as diagnosis.html."),
        (("--html", ""), "--html got an empty name; name a file for the page, such as diagnosis.html."),
        (("--html", "nowhere/d.html"), "nowhere/d.html could not be written: no such file or directory."),
    ],
)
def test_bad_requests(
    glassnet: Callable[..., Any], trained: Path, options: tuple[str, ...], said: str, asked: list[Any]
):
    answer = glassnet("diagnose", trained, *options)
    assert (answer.status, answer.out, answer.err) == (2, "", said + "\n")
    assert asked == []


def test_no_such_run(glassnet: Callable[..., Any]):
    answer = glassnet("diagnose", "runs/iris-1")
    assert (answer.status, answer.err) == (2, "There is no run folder 'runs/iris-1'; glassnet train writes one.\n")


def test_a_run_without_its_data(glassnet: Callable[..., Any], tmp_path: Path):
    X = np.linspace(-1, 1, 20)[:, None]
    gn.train(gn.Network(1, gn.Dense(1)), X, 2 * X, epochs=5, progress=False).save("run", data=False)
    answer = glassnet("diagnose", "run")
    assert (answer.status, answer.out) == (2, "")
    assert answer.err == (
        "The run in run was saved without its data, which a diagnosis needs; train it again with glassnet train, or, in "
        "Python, give it its data with run.attach(X, Y) and call run.diagnose().\n"
    )


def test_the_regression_beside_a_training(glassnet: Callable[..., Any], table: Path, asked: list[Any]):
    glassnet("train", table, "--target", "amount", "--epochs", 2, "--no-plots", "--quiet", "--out", "run")
    answer = glassnet("diagnose", "run/baseline")
    assert (answer.status, answer.out) == (2, "")
    assert answer.err == (
        "run/baseline is the plain regression beside a training and is kept without data; diagnose the training instead: "
        "glassnet diagnose run\n"
    )
    assert asked == []


def test_a_diagnosis_that_is_interrupted(
    glassnet: Callable[..., Any], trained: Path, asked: list[Any], monkeypatch: pytest.MonkeyPatch
):
    def pressed(run: gn.Run, **options: Any) -> Diagnosis:
        raise KeyboardInterrupt

    monkeypatch.setitem(vars(room), "diagnose_run", pressed)
    answer = glassnet("diagnose", trained)
    assert (answer.status, answer.out, answer.err) == (130, "", "Interrupted.\n")


# Beside a training.


def test_a_training_that_is_diagnosed(glassnet: Callable[..., Any], table: Path, asked: list[Any]):
    answer = glassnet(
        "train", table, "--target", "kind", "--drop", "amount", "--epochs", 3, "--hidden", 4, "--no-plots", "--no-baseline",
        "--optimizer", "sgd", "--learning-rate", 10, "--out", "run", "--diagnose",
    )  # fmt: skip
    assert (answer.status, answer.err.count("note: ")) == (0, 0), answer
    first, rest = answer.out.split("Before the first step:\n")
    assert "Training: SGD, learning rate 10, all 30 rows at once, 3 epochs." in first
    alarm = (
        "✗ critical: The learning rate is too large (opt.lr_too_large)\n  The rate is 25 times too large.\n"
        "  how sure:  almost certain\n"
    )
    assert rest.startswith(alarm)
    assert answer.out.endswith(
        f"Its equations: glassnet show run\n\n{as_text(FOUND)}\n\n"
        "The diagnosis is in run/diagnosis.html; for a cure: glassnet diagnose run --cure\n"
    )
    assert [name for name, *_ in asked] == ["diagnose", "Watch", "Watch", "Watch", "diagnose_run"]
    options = asked[0][2]
    assert options["optimizer"] == gn.SGD(10.0)
    assert options["epochs"] == 3
    assert options["experiments"] is False
    assert options["features"] == ("a", "b", "colour=blue", "colour=red")
    run, kept = gn.Run.load("run"), json.loads(Path("run/diagnosis.json").read_text())
    assert kept == {**as_plain(FOUND), "run": run.facts["id"], "iteration": 3}
    assert run.validation is None  # what judged it was no part of the training
    page = Path("run/diagnosis.html").read_text(encoding="utf-8")
    assert "The rate is 25 times too large." in page
    # The report shows it; a training that goes on makes it untrue.
    assert glassnet("report", "run").status == 0
    assert 'id="diagnosis"' in Path("run/report.html").read_text(encoding="utf-8")
    assert glassnet("train", "--resume", "run", "--epochs", 4, "--no-plots", "--quiet").status == 0
    assert not Path("run/diagnosis.json").exists()
    assert not Path("run/diagnosis.html").exists()


def test_a_resumed_training_is_diagnosed(glassnet: Callable[..., Any], table: Path, asked: list[Any]):
    glassnet(
        "train", table, "--target", "amount", "--epochs", 2, "--no-plots", "--no-baseline", "--quiet", "--out", "run"
    )
    answer = glassnet("train", "--resume", "run", "--epochs", 4, "--no-plots", "--no-baseline", "--quiet", "--diagnose")
    assert (answer.status, answer.out) == (0, "")
    # Quiet, but a training that does not learn is a problem.
    assert answer.err == (
        "note: It does not learn: accuracy 0.512 on held-out rows; guessing the most frequent class reaches 0.500. "
        "The diagnosis is in run/diagnosis.html.\n"
    )
    assert [name for name, *_ in asked] == ["Watch", "Watch", "diagnose_run"]
    assert json.loads(Path("run/diagnosis.json").read_text())["iteration"] == gn.Run.load("run").iteration


def test_a_training_that_learns_is_offered_no_cure(
    glassnet: Callable[..., Any], table: Path, asked: list[Any], monkeypatch: pytest.MonkeyPatch
):
    healthy = replace(FOUND, findings=(), verdict=replace(FOUND.verdict, learns=True, score=0.9))
    monkeypatch.setitem(vars(room), "diagnose_run", lambda run: healthy)
    answer = glassnet(
        "train", table, "--target", "amount", "--epochs", 2, "--no-plots", "--no-baseline", "--out", "run", "--diagnose"
    )
    assert answer.out.endswith("\n\nThe diagnosis is in run/diagnosis.html.\n"), answer


def test_a_training_that_diverges_is_diagnosed_before_it_fails(
    glassnet: Callable[..., Any], table: Path, asked: list[Any]
):
    answer = glassnet(
        "train", table, "--target", "amount", "--hidden", "none", "--optimizer", "sgd", "--learning-rate", 1e200,
        "--epochs", 50, "--out", "run", "--diagnose",
    )  # fmt: skip
    assert answer.status == 2
    assert as_text(FOUND) in answer.out
    assert answer.err.count("\n") == 1, answer
    assert answer.err.endswith("The run is in run.\n")
    assert Path("run/diagnosis.json").is_file()


def test_a_report_that_diagnoses(glassnet: Callable[..., Any], trained: Path, asked: list[Any]):
    answer = glassnet("report", trained, "--out", "r.html", "--diagnose")
    assert (answer.status, answer.out) == (0, "The report is r.html; open it in a browser.\n")
    page = Path("r.html").read_text(encoding="utf-8")
    assert 'id="diagnosis"' in page
    assert "network, validation rows" not in page
    assert len(asked[0][1].validation) == 100


def test_a_damaged_diagnosis_is_said_to_be_left_out(glassnet: Callable[..., Any], trained: Path):
    (trained / "diagnosis.json").write_text("{")
    try:
        answer = glassnet("report", trained, "--out", "r.html")
    finally:
        (trained / "diagnosis.json").unlink()
    assert answer.status == 0
    assert answer.err == (
        f"note: {trained / 'diagnosis.json'} is damaged, so it is left out; "
        f"glassnet report {trained} --diagnose makes one anew.\n"
    )


# The real thing.


def test_a_rate_that_is_too_large_is_found_and_cured(glassnet: Callable[..., Any]):
    arguments = (
        "--hidden",
        8,
        "--activation",
        "tanh",
        "--optimizer",
        "sgd",
        "--no-plots",
        "--no-baseline",
        "--epochs",
        40,
    )
    answer = glassnet("train", "moons", *arguments, "--learning-rate", 60, "--out", "run", "--diagnose")
    assert answer.status == 0, answer
    kept = json.loads(Path("run/diagnosis.json").read_text())
    assert kept["verdict"]["learns"] is False
    assert kept["findings"][0]["kind"] == "opt.lr_too_large"
    answer = glassnet("diagnose", "run", "--cure", "--json")
    assert answer.status == 0, answer
    found = json.loads(answer.out)
    assert found["cure"]["found"]
    assert np.mean(found["cure"]["after"]) >= found["cure"]["needed"]
    assert "- optimizer: SGD(60)" in found["cure"]["diff"]
    assert glassnet("show", "run-cured").status == 0


def test_a_training_that_learns_is_called_healthy(glassnet: Callable[..., Any]):
    arguments = ("--hidden", 16, "--activation", "tanh", "--no-plots", "--no-baseline", "--epochs", 100)
    assert glassnet("train", "moons", *arguments, "--out", "run", "--quiet").status == 0
    answer = glassnet("diagnose", "run")
    assert answer.status == 0, answer
    assert answer.out.startswith("It learns: accuracy "), answer
    assert "✗ critical" not in answer.out
    assert "! warning" not in answer.out
