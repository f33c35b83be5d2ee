"""What the commands do when all is well: files, numbers against scikit-learn, and rows made again."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from sklearn import metrics as judges

from glassnet import Run
from glassnet.cli.judging import _chance
from glassnet.cli.plan import hidden_units

PNG = b"\x89PNG"


def done(answer: Any) -> Any:
    """Assert that a command succeeded."""
    assert answer.status == 0, answer
    return answer


def saved(run: Path | str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((Path(run) / "metrics.json").read_text())
    return content


# train


def test_train_on_classes_writes_a_judged_run(glassnet: Callable[..., Any], table: Path) -> None:
    answer = done(glassnet("train", table, "--target", "kind", "--drop", "amount", "--epochs", "30"))
    assert "Classification, because 'kind' is text: 2 classes." in answer.out
    assert "30 to train on, 10 held out to judge by (seed 0)" in answer.out
    assert "4 → 32 relu → 1 sigmoid" in answer.out
    assert "binary_cross_entropy under sigmoid outputs, for two classes" in answer.out
    assert "earn" in answer.out
    place = Path("runs/table-1")
    for name in ("cost.png", "confusion.png"):
        assert (place / name).read_bytes().startswith(PNG)
    assert not (place / "boundary.png").exists()
    found = saved(place)
    assert list(found) == ["task", "classes", "train", "test", "baseline", "run", "iteration"]
    assert found["task"] == "classification"
    assert found["classes"] == ["no", "yes"]
    wanted = {"cost", "accuracy", "precision", "recall", "f1", "confusion_matrix", "n"}
    assert set(found["train"]) == wanted
    assert set(found["test"]) == wanted
    assert set(found["baseline"]["test"]) == wanted
    assert sum(map(sum, found["test"]["confusion_matrix"])) == 10
    done(glassnet("train", table, "--target", "kind", "--epochs", "1", "--quiet", "--no-plots", "--no-baseline"))
    assert Path("runs/table-2/metrics.json").exists()
    assert saved("runs/table-2")["baseline"] is None
    assert not Path("runs/table-2/cost.png").exists()


def test_the_numbers_are_those_of_scikit_learn(glassnet: Callable[..., Any], table: Path) -> None:
    done(
        glassnet(
            "train",
            table,
            "--target",
            "kind",
            "--features",
            "a",
            "--epochs",
            "20",
            "--quiet",
            "--no-plots",
            "--out",
            "out",
        )
    )
    done(glassnet("predict", "out", table, "--out", "p.csv"))
    rows = pa.csv.read_csv("p.csv")
    truth, said = np.array(rows["kind"].to_pylist()), np.array(rows["prediction"].to_pylist())
    share = np.array(rows["probability_yes"].to_pylist())
    assert np.array_equal(said == "yes", share >= 0.5)
    assert np.allclose(share + np.array(rows["probability_no"].to_pylist()), 1)
    found = json.loads(done(glassnet("evaluate", "out", table, "--json")).out)["test"]
    assert found["confusion_matrix"] == judges.confusion_matrix(truth, said, labels=["no", "yes"]).tolist()
    assert found["accuracy"] == pytest.approx(judges.accuracy_score(truth, said))
    assert found["precision"] == pytest.approx(judges.precision_score(truth, said, pos_label="yes"))
    assert found["recall"] == pytest.approx(judges.recall_score(truth, said, pos_label="yes"))
    assert found["f1"] == pytest.approx(judges.f1_score(truth, said, pos_label="yes"))
    assert found["cost"] == pytest.approx(judges.log_loss(truth == "yes", share))


def test_train_on_a_quantity(glassnet: Callable[..., Any], table: Path) -> None:
    """amount is 3a − b + 0.5 exactly, so the least-squares baseline is exact."""
    answer = done(
        glassnet("train", table, "--target", "amount", "--features", "a,b", "--epochs", "60", "--json", "--out", "out")
    )
    found = json.loads(answer.out)
    assert found == saved("out")
    assert found["task"] == "regression"
    assert found["classes"] is None
    assert set(found["test"]) == {"cost", "r2", "rmse", "mae", "n"}
    assert found["baseline"]["test"]["rmse"] < 1e-3
    done(glassnet("predict", "out", table, "--only-predictions", "--out", "p.parquet"))
    rows = pa.parquet.read_table("p.parquet")
    assert rows.column_names == ["prediction"]
    truth = pa.csv.read_csv(table)["amount"].to_numpy()
    judged = json.loads(done(glassnet("evaluate", "out", table, "--json")).out)["test"]
    assert judged["rmse"] == pytest.approx(judges.root_mean_squared_error(truth, rows["prediction"].to_numpy()))
    assert judged["r2"] == pytest.approx(judges.r2_score(truth, rows["prediction"].to_numpy()))
    assert not (Path("out") / "confusion.png").exists()


def test_two_features_have_a_boundary_and_three_classes_averages(glassnet: Callable[..., Any]) -> None:
    done(glassnet("train", "blobs", "--epochs", "20", "--quiet", "--out", "out"))
    assert (Path("out") / "boundary.png").read_bytes().startswith(PNG)
    test = saved("out")["test"]
    assert set(test["per_class"]) == set(map(str, saved("out")["classes"]))
    assert test["recall"] == pytest.approx(np.mean([one["recall"] for one in test["per_class"].values()]))


def test_iris_reaches_what_the_tutorial_saw(glassnet: Callable[..., Any]) -> None:
    options = ["--hidden", "40", "--activation", "sigmoid", "--batch-size", "10", "--epochs", "30", "--test", "50"]
    done(glassnet("train", "iris", *options, "--quiet", "--no-plots", "--out", "out"))
    assert saved("out")["test"]["accuracy"] >= 0.9
    assert saved("out")["test"]["n"] == 50


def test_the_held_out_rows_are_the_same_rows_again(glassnet: Callable[..., Any], table: Path) -> None:
    options = ["--target", "kind", "--validation", "0.2", "--epochs", "5", "--split-seed", "4", "--quiet", "--no-plots"]
    done(glassnet("train", table, *options, "--out", "out"))
    written = saved("out")
    again = json.loads(done(glassnet("evaluate", "out", "--json")).out)
    assert again["test"] == written["test"]
    assert again["baseline"] == written["baseline"]
    run = Run.load("out")
    assert run.facts["data"]["rows"] == 24
    assert run.facts["data"]["validation_rows"] == 6
    kept = run.facts["source"]
    assert kept["path"] == str(table)
    assert kept["split"] == {"task": "classification", "test": 0.25, "validation": 0.2, "seed": 4}
    assert len(kept["files"][0]["sha256"]) == 64


def test_a_changed_file_is_noticed(glassnet: Callable[..., Any], table: Path) -> None:
    done(glassnet("train", table, "--target", "kind", "--epochs", "2", "--quiet", "--no-plots", "--out", "out"))
    assert done(glassnet("evaluate", "out")).err == ""
    table.write_text(table.read_text().replace("red", "blue", 1))
    assert "has changed since the run was trained on it" in done(glassnet("evaluate", "out")).err


def test_a_test_file_of_its_own(glassnet: Callable[..., Any], table: Path) -> None:
    lines = table.read_text().splitlines()
    Path("late.csv").write_text("\n".join([lines[0], *lines[-8:]]) + "\n")
    done(glassnet("train", table, "--target", "kind", "--test-data", "late.csv", "--epochs", "2", "-q", "--out", "out"))
    assert saved("out")["train"]["n"] == 40
    assert saved("out")["test"]["n"] == 8
    assert json.loads(done(glassnet("evaluate", "out", "--json")).out)["test"] == saved("out")["test"]


def test_resuming_is_training_longer(glassnet: Callable[..., Any], table: Path) -> None:
    options = ["train", table, "--target", "kind", "--quiet", "--schedule", "inverse", "--no-plots"]
    done(glassnet(*options, "--epochs", "8", "--out", "long"))
    done(glassnet(*options, "--epochs", "3", "--out", "short"))
    done(glassnet("train", "--resume", "short", "--epochs", "8", "--quiet", "--no-plots"))
    long, short = Run.load("long"), Run.load("short")
    assert all(np.array_equal(long.parameters[name], short.parameters[name]) for name in long.parameters)
    assert saved("long") == saved("short")


def test_resuming_finds_data_that_were_not_kept(
    glassnet: Callable[..., Any], table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glassnet.training.folder.KEPT_DATA", 0)
    options = ["train", table, "--target", "kind", "--quiet", "--no-plots", "--early-stopping", "50"]
    done(glassnet(*options, "--epochs", "6", "--out", "long"))
    done(glassnet(*options, "--epochs", "2", "--out", "short"))
    assert not (Path("short") / "data.safetensors").exists()
    done(glassnet("train", "--resume", "short", "--epochs", "6", "--quiet", "--no-plots"))
    assert saved("long") == saved("short")
    table.unlink()
    answer = glassnet("train", "--resume", "short", "--epochs", "9", "--quiet")
    assert answer.status == 2
    assert "no longer there" in answer.err


def test_every_option_at_once(glassnet: Callable[..., Any], table: Path) -> None:
    done(
        glassnet(
            "train", table, "--target", "kind", "--task", "classification", "--drop", "amount", "--hidden", "6,4",
            "--activation", "elu", "--dropout", "0.1", "--batch-norm", "--optimizer", "sgd", "--momentum", "0.9",
            "--learning-rate", "0.05", "--schedule", "one-cycle", "--epochs", "4", "--batch-size", "full", "--l1",
            "0.001", "--l2", "0.01", "--init", "normal(0.5)", "--seed", "5", "--test", "8", "--validation", "0.2",
            "--early-stopping", "3", "--max-seconds", "60", "--engine", "reference", "--dtype", "float32", "--record",
            "2", "--delimiter", ",", "--unseen", "ignore", "--quiet", "--out", "out",
        )
    )  # fmt: skip
    run = Run.load("out")
    assert str(run.network) == (
        "4 → 6 linear init normal(0.5) without bias → batch norm → elu → dropout 0.1 → 4 linear init normal(0.5) without "
        "bias → batch norm → elu → dropout 0.1 → 1 sigmoid init normal(0.5)"
    )
    assert run.settings.dtype == "float32"
    assert saved("out")["test"]["n"] == 8


@pytest.mark.parametrize(
    "schedule", ["step", "exponential", "inverse", "cosine", "one-cycle", "warm-up", "adaptive", "constant"]
)
def test_every_schedule(schedule: str, glassnet: Callable[..., Any]) -> None:
    options = ["--schedule", schedule, "--epochs", "6", "--quiet", "--no-plots", "--no-baseline", "--out", "out"]
    done(glassnet("train", "moons", *options))
    rates = Run.load("out").history["learning_rate"]
    falls = schedule not in ("constant", "warm-up", "adaptive")
    assert (rates[-1] < rates[0]) == falls


@pytest.mark.parametrize(
    ("loss", "target", "head"),
    [("hinge", "kind", "linear"), ("mean_squared_error", "kind", "sigmoid"), ("poisson", "count", "exp"),
     ("huber", "amount", "linear"), ("mean_absolute_error", "amount", "linear")],
)  # fmt: skip
def test_other_losses(loss: str, target: str, head: str, glassnet: Callable[..., Any], table: Path) -> None:
    lines = table.read_text().splitlines()
    counted = [f"{line},{row % 7 * (row % 30)}" for row, line in enumerate(lines[1:])]
    table.write_text("\n".join([lines[0] + ",count", *counted]) + "\n")
    task = "classification" if target == "kind" else "regression"
    done(
        glassnet(
            "train", table, "--target", target, "--task", task, "--loss", loss, "--epochs", "40", "-q", "--no-plots",
            "--out", "out"
        )
    )  # fmt: skip
    run = Run.load("out")
    assert run.derivation.output_activation.name == head
    assert json.loads(done(glassnet("evaluate", "out", "--json")).out)["test"] == saved("out")["test"]
    answer = done(glassnet("predict", "out", table, "--only-predictions")).out.splitlines()
    assert len(answer) == 41
    if loss == "hinge":
        assert answer[0] == "prediction,score_yes"
        assert all((float(line.split(",")[1]) >= 0) == ("yes" in line.split(",")[0]) for line in answer[1:])
    if loss == "poisson":
        assert all(float(line) > 0 for line in answer[1:])


def test_a_plain_regression_is_a_network_without_hidden_layers(glassnet: Callable[..., Any]) -> None:
    answer = done(glassnet("train", "iris", "--hidden", "none", "--optimizer", "lbfgs", "--no-plots", "--out", "out"))
    assert "4 → 3 softmax" in answer.out
    assert "is a plain regression itself" in answer.out


def test_a_constant_feature_is_a_note(glassnet: Callable[..., Any], table: Path) -> None:
    lines = table.read_text().splitlines()
    table.write_text("\n".join([lines[0] + ",same", *(f"{line},5" for line in lines[1:])]) + "\n")
    answer = done(glassnet("train", table, "--target", "kind", "--epochs", "1", "--no-plots"))
    assert "'same' is left out: it is 5 in every training row." in answer.out


def test_categories_that_only_held_out_rows_have(glassnet: Callable[..., Any]) -> None:
    rows = [f"{i},{'rare' if i == 3 else 'common' if i % 2 else 'usual'},{'ab'[i % 2]}" for i in range(12)]
    Path("rare.csv").write_text("\n".join(["x,colour,y", *rows]) + "\n")
    seen = []
    for seed in range(12):
        options = ["--target", "y", "--epochs", "1", "--split-seed", seed, "-q", "--no-plots", "--no-baseline"]
        answer = done(glassnet("train", "rare.csv", *options, "--out", f"run{seed}"))
        seen.append("categories that no training row has" in answer.err)
        strict = glassnet("train", "rare.csv", *options, "--unseen", "error", "--out", f"strict{seed}")
        assert strict.status == (2 if seen[-1] else 0)
        assert Path(f"strict{seed}").exists() != seen[-1]
    assert any(seen)
    assert not all(seen)


def test_arrays(glassnet: Callable[..., Any]) -> None:
    draw = np.random.Generator(np.random.Philox(3))
    X = draw.integers(0, 256, (60, 4, 4)).astype(np.uint8)
    y = (X[:, 0, 0] > X[:, 3, 3]).astype(int)
    np.save("x.npy", X)
    np.save("y.npy", y)
    np.save("new.npy", X[:5])
    answer = done(glassnet("train", "x.npy", "--target", "y.npy", "--epochs", "3", "--no-plots", "--out", "out"))
    assert "Each sample of 4 × 4 values is one row of 16." in answer.out
    assert json.loads(done(glassnet("evaluate", "out", "--json")).out)["test"] == saved("out")["test"]
    assert json.loads(done(glassnet("evaluate", "out", "x.npy", "--target", "y.npy", "--json")).out)["test"]["n"] == 60
    assert len(done(glassnet("predict", "out", "new.npy")).out.splitlines()) == 6
    answer = glassnet("predict", "out", "iris")
    assert answer.status == 2
    assert "is a table; the network was trained on an array" in answer.err


def test_overwriting_leaves_nothing_of_the_run_before(glassnet: Callable[..., Any], table: Path) -> None:
    done(glassnet("train", "moons", "--epochs", "2", "-q", "--out", "out"))
    done(
        glassnet("train", table, "-t", "amount", "--epochs", "2", "-q", "--no-baseline", "--overwrite", "--out", "out")
    )
    names = {entry.name for entry in Path("out").iterdir()}
    assert names == {"run.json", "history.parquet", "data.safetensors", "snapshots", "metrics.json", "cost.png"}


def test_no_header_and_another_delimiter(glassnet: Callable[..., Any]) -> None:
    Path("plain.txt").write_text("\n".join(f"{i};{i * i % 7};{'ab'[i % 2]}" for i in range(20)) + "\n")
    options = ["--target", "3", "--no-header", "--delimiter", ";", "--epochs", "2", "-q", "--no-plots"]
    done(glassnet("train", "plain.txt", *options, "--out", "out"))
    assert Run.load("out").preparation.target == "column3"  # type: ignore[union-attr]
    done(glassnet("evaluate", "out"))


def test_a_first_line_of_numbers_is_said_once_and_may_be_a_header(glassnet: Callable[..., Any]) -> None:
    Path("f.csv").write_text("4,7\n" + "\n".join(f"{i}.5,{i % 2}" for i in range(20)) + "\n")
    options = ["--epochs", "2", "-q", "--no-plots", "--task", "regression"]
    said = "is taken as values, so the columns are column1, column2; pass --header if it names the columns."
    answer = done(glassnet("train", "f.csv", "-t", "2", *options, "--out", "found"))
    assert answer.err.count(said) == 1
    assert said not in done(glassnet("evaluate", "found")).err
    answer = done(glassnet("train", "f.csv", "-t", "7", "--header", *options, "--out", "named"))
    assert "is taken as values" not in answer.err
    assert Run.load("named").preparation.target == "7"  # type: ignore[union-attr]
    answer = glassnet("train", "f.csv", "-t", "2", "--header", *options)
    assert answer.status == 2
    assert "There is no column '2'" in answer.err


def test_a_problem_names_the_row_of_the_file(glassnet: Callable[..., Any]) -> None:
    rows = [f"{i}.5,{'ab'[i % 2]},{i % 2}" for i in range(40)]
    Path("f.csv").write_text("x,c,y\n" + "\n".join(rows) + "\n")
    done(glassnet("train", "f.csv", "-t", "y", "--epochs", "2", "-q", "--no-plots", "--out", "out"))
    Path("g.csv").write_text("x,c,y\n1,a,\n2,b,1\ninf,a,0\n")  # the first row has no target and is left out
    assert "row 3 is infinite" in glassnet("evaluate", "out", "g.csv").err


# The other commands


def test_predict_takes_columns_in_any_order_and_no_target(glassnet: Callable[..., Any], trained: Path) -> None:
    Path("new.csv").write_text("x2,note,x1\n1.5,first,0.5\n-1,second,2\n")
    answer = done(glassnet("predict", trained, "new.csv"))
    header, *rows = answer.out.splitlines()
    assert header == "x2,note,x1,prediction,probability_0,probability_1"
    assert len(rows) == 2
    Path("swapped.csv").write_text("x1,x2\n0.5,1.5\n2,-1\n")
    again = done(glassnet("predict", trained, "swapped.csv", "--only-predictions")).out.splitlines()
    assert [row.split(",")[3:] for row in rows] == [row.split(",") for row in again[1:]]
    Path("gaps.csv").write_text("x1,x2\n0.5,\n2,-1\n")
    assert "note: 'x2': 1 missing of 2 values" in done(glassnet("predict", trained, "gaps.csv")).err


def test_evaluate_prints_tables(glassnet: Callable[..., Any], trained: Path) -> None:
    out = done(glassnet("evaluate", trained)).out
    assert "100 rows: those the training held out" in out
    assert "logistic regression" in out
    assert "rows: true class" in out


def test_show_prints_the_page(glassnet: Callable[..., Any], trained: Path) -> None:
    run = Run.load(trained)
    out = done(glassnet("show", trained)).out
    assert str(run.derivation) in out
    assert "finished after 20 of 20 epochs" in out
    assert "dW2 = A1ᵀ dZ2" in out
    assert "confusion" not in out.split("Results")[0]
    without = done(glassnet("show", trained, "--no-equations")).out
    assert "dW2 = " not in without
    assert done(glassnet("show", trained, "--latex")).out.strip() == run.derivation.latex()
    done(glassnet("show", trained, "--html", "page.html"))
    page = Path("page.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert '<meta charset="utf-8">' in page
    assert "<title>glassnet: 2 → 8 relu → 1 sigmoid</title>" in page
    assert "color-scheme: light dark" in page
    assert "<math" in page


@pytest.mark.parametrize("kind", ["cost", "metric", "boundary", "confusion", "roc", "weights"])
def test_plot(kind: str, glassnet: Callable[..., Any], trained: Path) -> None:
    done(glassnet("plot", trained, kind, "--out", "picture.png"))
    assert Path("picture.png").read_bytes().startswith(PNG)


def test_demo(glassnet: Callable[..., Any]) -> None:
    answer = done(glassnet("demo", "--epochs", "300"))
    assert "dZ1 = dA1 ⊙ (1 − A1²)" in answer.out
    assert "can only draw a straight line" in answer.out
    for name in ("boundaries.png", "cost.png", "confusion.png"):
        assert (Path("demo-output") / name).read_bytes().startswith(PNG)
        assert f"demo-output/{name}" in answer.out
    assert done(glassnet("evaluate", "demo-output/network")).err == ""
    before = saved("demo-output")
    done(glassnet("demo", "--epochs", "300"))
    assert saved("demo-output") == before
    Path("mine").mkdir()
    Path("mine/letter.txt").write_text("dear")
    assert "holds no demo" in glassnet("demo", "--out", "mine").err


# The frame


@pytest.mark.parametrize("command", ["demo", "train", "predict", "evaluate", "show", "plot"])
def test_every_command_has_a_page(command: str, glassnet: Callable[..., Any]) -> None:
    out = done(glassnet(command, "--help")).out
    assert "Usage: " in out
    assert "╭" not in out
    assert command == "demo" or "Examples:" in out
    assert command in done(glassnet("--help")).out
    assert done(glassnet()).out == done(glassnet("--help")).out


def test_version_and_completion(glassnet: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    from glassnet import __version__

    assert done(glassnet("--version")).out == f"glassnet {__version__}\n"
    assert "--show-completion" in done(glassnet("--help")).out
    monkeypatch.setenv("_GLASSNET_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "glassnet train --schedule co")
    monkeypatch.setenv("COMP_CWORD", "3")
    completed = subprocess.run([sys.executable, "-m", "glassnet.cli.main"], capture_output=True, text=True)
    assert completed.stdout.split() == ["constant", "cosine"]


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['glassnet', '--help']\n"
        "from glassnet.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(*(m for m in ('sklearn', 'matplotlib', 'pyarrow', 'rich', 'scipy') if m in sys.modules), file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "Usage: glassnet" in result.stdout
    assert result.stderr.strip() == ""


def test_a_reader_that_leaves_early_is_no_problem(trained: Path) -> None:
    command = f"{sys.executable} -m glassnet.cli.main show {trained} | head -n 1; echo ${{PIPESTATUS[0]}}"
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert result.stderr == ""
    assert result.stdout.splitlines()[-1] == "0"


def test_hidden_units() -> None:
    assert hidden_units("40,20") == (40, 20)
    assert hidden_units(" 8 ") == (8,)
    assert hidden_units("none") == ()


def test_the_test_of_a_verdict_by_hand() -> None:
    """Four rows to none: 2 · 1/16; five to one: 2 · (1 + 6)/64; many: two normal tails."""
    assert _chance(4, 0) == pytest.approx(2 / 16)
    assert _chance(5, 1) == pytest.approx(2 * 7 / 64)
    assert _chance(3, 3) == 1
    assert _chance(1100, 1000) == pytest.approx(2 * 0.0145486, rel=1e-3)


def test_a_larger_table_stays_small_in_memory(tmp_path: Path) -> None:
    """A fiftieth of the million rows that a person may bring: 20,000 × 20 through one epoch, baseline included."""
    draw = np.random.Generator(np.random.Philox(1))
    X = draw.standard_normal((20_000, 19))
    columns = {f"x{k}": X[:, k] for k in range(19)} | {"y": (X[:, 0] * X[:, 1] > 0).astype(int)}
    pa.csv.write_csv(pa.table(columns), tmp_path / "large.csv")
    code = (
        "import pathlib, re, resource, sys\n"
        "sys.argv = 'glassnet train large.csv --target y --epochs 1 -q --no-plots'.split()\n"
        "from glassnet.cli.main import main\n"
        "try: main()\n"
        "except SystemExit as end: print('status', end.code)\n"
        # The resource usage of a process begins with that of its parent, this test run; Linux knows its own peak.
        "status = pathlib.Path('/proc/self/status')\n"
        "own = re.search(r'VmHWM:\\s+(\\d+)', status.read_text()) if status.exists() else None\n"
        "print('KB', own[1] if own else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert "status 0" in result.stdout, result
    found = re.search(r"KB (\d+)", result.stdout)
    assert found
    assert int(found[1]) < 500_000


def test_a_training_that_stopped_early_goes_on_with_more_patience(glassnet: Callable[..., Any]) -> None:
    bare = ("--no-baseline", "--no-plots")
    fast = ("--epochs", 400, "--learning-rate", 0.05)
    done(glassnet("train", "iris", "--early-stopping", 2, *fast, "--out", "r", *bare))
    stopped = len(Run.load("r").history)
    assert stopped < 400
    again = done(glassnet("train", "--resume", "r", "--epochs", 400, *bare))
    assert f"Early stopping had ended this training after epoch {stopped}." in again.out
    assert len(Run.load("r").history) == stopped
    done(glassnet("train", "--resume", "r", "--epochs", 400, "--early-stopping", 5, *bare))
    assert len(Run.load("r").history) > stopped


def test_ctrl_c_keeps_the_training_and_it_can_go_on() -> None:
    command = [sys.executable, "-m", "glassnet.cli.main", "train", "flower", "--epochs", "1000000", "--out", "r"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while len(list(Path("r/snapshots").glob("*"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    reached = Run.load("r")
    assert reached.status == "interrupted"
    assert f"Interrupted after {reached.iteration} updates; resume the run to go on from there." in out
    assert saved("r")["test"]["accuracy"] > 0.4


# What a training makes untrue is not shown


def flats(place: Path, rows: int = 40, seed: int = 0) -> Path:
    rng = np.random.default_rng(seed)
    lines = ["zip,size,district,rent"]
    for i in range(rows):
        size, district = int(rng.integers(20, 100)), ("north", "south", "old")[i % 3]
        lines.append(f"{1000 + i:05d},{size},{district},{5 * size + 100 * (i % 3)}")
    place.write_text("\n".join(lines) + "\n")
    return place


def test_metrics_of_an_earlier_state_are_not_shown(glassnet: Callable[..., Any]) -> None:
    done(glassnet("train", "iris", "--out", "r", "--epochs", 3, "--no-plots"))
    fresh = done(glassnet("show", "r", "--no-equations"))
    assert "network, held out" in fresh.out
    stale = saved("r")
    done(glassnet("train", "--resume", "r", "--epochs", 5, "--no-plots"))
    (Path("r") / "metrics.json").write_text(json.dumps(stale))  # as a kill right after training would leave it
    shown = done(glassnet("show", "r", "--no-equations"))
    assert "metrics.json is of another state of the network; glassnet evaluate r judges the present one." in shown.out
    assert "network, held out" not in shown.out


def test_resume_takes_a_moved_file_and_refuses_another(glassnet: Callable[..., Any]) -> None:
    flats(Path("a.csv"))
    bare = ("--no-plots", "--no-baseline")
    done(glassnet("train", "a.csv", "-t", "rent", "--out", "r", "--epochs", 3, *bare))
    before = saved("r")["test"]
    Path("a.csv").rename("b.csv")
    done(glassnet("train", "b.csv", "--resume", "r", "--epochs", 5, *bare))
    after = saved("r")
    assert after["test"] is not None
    assert after["test"]["n"] == before["n"]
    assert done(glassnet("evaluate", "r", "--json")).out  # the run knows the new place
    flats(Path("c.csv"), seed=1)
    other = glassnet("train", "c.csv", "--resume", "r", "--epochs", 8, *bare)
    assert other.status == 2
    assert "These are not the data this run was trained on" in other.err
    assert "leave it out" in glassnet("train", "--resume", "r", "--epochs", 8, "--target", "size").err


def test_changed_files_do_not_judge_a_resumed_training(glassnet: Callable[..., Any]) -> None:
    lines = flats(Path("a.csv")).read_text().splitlines()
    done(glassnet("train", "a.csv", "-t", "rent", "--out", "r", "--epochs", 3, "--no-plots", "--no-baseline"))
    Path("a.csv").write_text("\n".join([lines[0], *reversed(lines[1:])]) + "\n")
    answer = done(glassnet("train", "--resume", "r", "--epochs", 5, "--no-plots", "--no-baseline"))
    assert "a.csv has changed since the training; pass rows it never saw to evaluate." in answer.err
    assert saved("r")["test"] is None


def test_predict_gives_the_columns_back_as_they_were(glassnet: Callable[..., Any]) -> None:
    flats(Path("a.csv"))
    done(glassnet("train", "a.csv", "-t", "rent", "--out", "r", "--epochs", 2, "--no-plots", "--no-baseline"))
    Path("n.csv").write_text("zip,size,district,remark\n01000,30,north,None\n02000,45.50,south,NA\n")
    rows = done(glassnet("predict", "r", "n.csv")).out.splitlines()
    assert rows[0] == "zip,size,district,remark,prediction"
    assert rows[1].startswith("01000,30,north,None,")
    assert rows[2].startswith("02000,45.50,south,NA,")
    Path("q.csv").write_text('zip,size,district,remark\n01000,30,north,"a, b"\n')
    assert '"a, b"' in done(glassnet("predict", "r", "q.csv")).out


def test_a_schedule_made_for_fewer_epochs_is_said_on_resume(glassnet: Callable[..., Any]) -> None:
    bare = ("--no-plots", "--no-baseline")
    done(glassnet("train", "iris", "--schedule", "cosine", "--epochs", 4, "--out", "r", *bare))
    answer = done(glassnet("train", "--resume", "r", "--epochs", 6, *bare))
    assert "note: The learning-rate schedule was made for 4 epochs and stays as it was: CosineDecay(" in answer.err


@pytest.mark.parametrize("options", [(), ("--validation", 0.2), ("--loss", "hinge")])
def test_data_too_large_to_keep_are_read_again_to_replay(
    glassnet: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, options: tuple[Any, ...]
) -> None:
    monkeypatch.setattr("glassnet.training.folder.KEPT_DATA", 0)
    target = "district" if options == () else "yes"
    lines = flats(Path("a.csv")).read_text().splitlines()
    rows = [f"{line},{'yes' if i == 0 else i % 2}" for i, line in enumerate(lines)]
    Path("a.csv").write_text("\n".join(rows) + "\n")
    common = ("a.csv", "-t", target, "--epochs", 4, "--no-plots", "--no-baseline", *options)
    done(glassnet("train", *common, "--out", "few", "--record", "last"))
    done(glassnet("train", *common, "--out", "all", "--record", "all"))
    assert not Path("few/data.safetensors").exists()
    few, every = Run.load("few"), Run.load("all")
    for iteration in range(every.iteration + 1):
        for name, value in every.snapshots[iteration].state.items():
            assert np.array_equal(few.at(iteration).state[name], value)
    Path("a.csv").write_text("\n".join([rows[0], *reversed(rows[1:])]) + "\n")
    with pytest.raises(ValueError, match=r"a\.csv has changed since this run was trained on it"):
        Run.load("few").at(2)
    Path("a.csv").unlink()
    with pytest.raises(ValueError, match=r"a\.csv, which is no longer there; put it back\."):
        Run.load("few").at(2)
