"""Whatever is wrong: exit status 2, one sentence on standard error, no traceback, and no run folder left behind."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# What is written as bad.csv, the options after `glassnet train bad.csv`, and words of the sentence.
TABLES: dict[str, tuple[bytes, list[str], list[str]]] = {
    "empty file": (b"", ["--target", "y"], ["bad.csv", "is empty"]),
    "zero bytes in it": (b"a,y\n\x00\x01\x02,1\n", ["--target", "y"], ["not text"]),
    "a workbook": (b"PK\x03\x04rest", ["--target", "y"], ["Excel", "save the sheet as CSV"]),
    "not UTF-8": ("a,y\ncaf\xe9,1\nx,2\n".encode("latin-1"), ["--target", "y"], ["not UTF-8"]),
    "ragged rows": (b"a,y\n1,2\n1,2,3\n4,5\n", ["--target", "y"], ["line 3", "has 3 values"]),
    "a quote never closed": (b'a,y\n1,2\n3,"4\n5,6\n', ["--target", "y"], ["quote", "never closed"]),
    "header only": (b"a,y\n", ["--target", "y"], ["no rows"]),
    "wrong delimiter": (b"a;y\n1;2\n3;4\n", ["--target", "y", "--delimiter", ","], ["delimiter"]),
    "long delimiter": (b"a;y\n1;2\n3;4\n", ["--target", "y", "--delimiter", "abc"], ["delimiter"]),
    "no target named": (b"a,y\n1,2\n3,4\n", [], ["--target", "a, y"]),
    "no such column": (b"size,weight\n1,2\n3,4\n", ["--target", "wieght"], ["'wieght'", "did you mean 'weight'"]),
    "no such feature": (b"size,y\n1,2\n3,4\n", ["-t", "y", "--features", "sise"], ["'sise'", "did you mean 'size'"]),
    "no such column to drop": (b"size,y\n1,2\n3,4\n", ["-t", "y", "--drop", "sizes"], ["did you mean 'size'"]),
    "target among the features": (b"a,y\n1,2\n3,4\n", ["-t", "y", "--features", "a,y"], ["target", "features"]),
    "target all missing": (b"a,y\n1,\n2,NA\n3,\n", ["--target", "y"], ["'y' is missing in all 3 rows"]),
    "one class": (b"a,y\n1,yes\n2,yes\n3,yes\n4,yes\n", ["--target", "y"], ["one class only", "'yes'"]),
    "one value": (b"a,y\n1,5\n2,5\n3,5\n4,5\n", ["-t", "y", "--task", "regression"], ["5 in every row"]),
    "one row": (b"a,y\n1,yes\n", ["--target", "y"], ["row"]),
    "only the target": (b"y\n1.5\n2.5\n3.5\n4.5\n", ["--target", "y"], ["No column is left"]),
    "only constant features": (b"a,y\n7,1.5\n7,2.5\n7,3.5\n7,4.5\n", ["--target", "y"], ["No column is left", "7"]),
    "infinity": (b"a,y\n1,1.5\ninf,2.5\n3,3.5\n4,4.5\n5,1\n", ["-t", "y", "--test", "0"], ["'a' row 2 is infinite"]),
    "infinite target": (b"a,y\n1,1.5\n2,inf\n3,3.5\n4,4.5\n", ["--target", "y"], ["'y' row 2 is infinite"]),
    "text in a numeric target": (
        b"a,y\n1,1.5\n2,much\n3,3.5\n",
        ["--target", "y", "--task", "regression"],
        ["'y' row 2 is 'much'", "regression needs numbers"],
    ),
    "too many classes": (
        b"a,y\n" + b"".join(b"%d,name%d\n" % (i, i) for i in range(60)),
        ["--target", "y"],
        ["60 different values", "too many for classes"],
    ),
    "not Parquet": (b"PAR1 and then nothing", ["--target", "y"], ["Parquet"]),
}

# Options after `glassnet train table.csv --target kind`, and words of the sentence.
SETTINGS: dict[str, tuple[list[str], list[str]]] = {
    "epochs below 0": (["--epochs", "-1"], ["--epochs got -1", "0 or more"]),
    "epochs in words": (["--epochs", "many"], ["--epochs"]),
    "learning rate 0": (["--learning-rate", "0"], ["learning_rate=0.0", "above 0"]),
    "learning rate NaN": (["--learning-rate", "nan"], ["learning_rate=nan"]),
    "learning rate below 0": (["--learning-rate", "-0.1"], ["learning_rate=-0.1"]),
    "batch size 0": (["--batch-size", "0"], ["--batch-size got '0'"]),
    "batch size in words": (["--batch-size", "half"], ["--batch-size got 'half'", "'full'"]),
    "test above 1": (["--test", "1.5"], ["--test got '1.5'", "0.25"]),
    "test below 0": (["--test", "-1"], ["test=-1"]),
    "test takes all": (["--test", "40"], ["leaves none to train on"]),
    "validation above 1": (["--validation", "2.5"], ["--validation got '2.5'"]),
    "hidden in words": (["--hidden", "a,b"], ["--hidden got 'a'", "40,20"]),
    "hidden 0": (["--hidden", "0"], ["--hidden got '0'", "'none'"]),
    "hidden below 0": (["--hidden", "-4"], ["--hidden got '-4'"]),
    "dropout 1": (["--dropout", "1"], ["Dropout", "rate=1.0"]),
    "negative penalty": (["--l2", "-1"], ["l2=-1.0"]),
    "infinite penalty": (["--l1", "inf"], ["l1=inf"]),
    "negative seed": (["--seed", "-1"], ["seed"]),
    "unknown activation": (["--activation", "tahn"], ["'tahn'", "did you mean 'tanh'"]),
    "unknown output": (["--output", "sigmod"], ["did you mean 'sigmoid'"]),
    "unknown loss": (["--loss", "hing"], ["did you mean 'hinge'"]),
    "unknown optimiser": (["--optimizer", "adm"], ["did you mean 'adam'"]),
    "unknown schedule": (["--schedule", "cosin"], ["did you mean 'cosine'"]),
    "unknown task": (["--task", "regresion"], ["did you mean 'regression'"]),
    "unknown initialiser": (["--init", "xavir"], ["did you mean 'xavier'"]),
    "unknown engine": (["--engine", "referense"], ["did you mean 'reference'"]),
    "unknown dtype": (["--dtype", "float16"], ["float16", "float32"]),
    "unknown policy": (["--unseen", "ignor"], ["did you mean 'ignore'"]),
    "unknown record": (["--record", "some"], ["record got 'some'"]),
    "a loss that does not fit": (["--loss", "binary_cross_entropy", "--output", "relu"], ["relu output"]),
    "softmax over one output": (["--output", "softmax"], ["softmax over one output"]),
    "momentum without sgd": (["--momentum", "0.9"], ["--momentum belongs to sgd"]),
    "momentum 2": (["--optimizer", "sgd", "--momentum", "2"], ["momentum=2.0"]),
    "a rate for lbfgs": (["--optimizer", "lbfgs", "--learning-rate", "1"], ["leave --learning-rate"]),
    "batches for lbfgs": (["--optimizer", "lbfgs", "--batch-size", "8"], ["LBFGS got batch_size=8"]),
    "patience 0": (["--early-stopping", "0"], ["patience=0"]),
    "no time": (["--max-seconds", "0"], ["max_seconds=0"]),
    "test twice": (["--test", "0.5", "--test-data", "table.csv"], ["--test and --test-data"]),
    "labels without samples": (["--test-target", "table.csv"], ["--test-data"]),
    "unknown option": (["--epoch", "3"], ["no option '--epoch'", "did you mean '--epochs'"]),
    "one argument too many": (["more"], ["more"]),
}


def refused(answer: Any, *words: str, line: str | None = None) -> None:
    """Assert status 2, one sentence on standard error with these words, nothing like a traceback."""
    assert answer.status == 2, answer
    lines = answer.err.strip().splitlines()
    assert len(lines) == 1, answer
    assert "Traceback" not in answer.err + answer.out
    assert "did not expect" not in answer.err, answer
    for word in words:
        assert word in lines[0], (word, lines[0])
    if line is not None:
        assert lines[0] == line


def nothing_left(folder: Path) -> None:
    """Assert that no run, and no folder for one, was left behind."""
    assert not list(folder.rglob("run.json"))
    assert not (folder / "runs").exists()
    assert not (folder / "out").exists()
    assert not list(folder.rglob("*.tmp"))


@pytest.mark.parametrize("case", TABLES)
def test_a_table_that_cannot_be_used(case: str, glassnet: Callable[..., Any], tmp_path: Path) -> None:
    content, options, words = TABLES[case]
    (tmp_path / "bad.csv").write_bytes(content)
    refused(glassnet("train", "bad.csv", *options), *words)
    nothing_left(tmp_path)
    refused(glassnet("train", "bad.csv", *options, "--out", "out"), *words)
    nothing_left(tmp_path)


@pytest.mark.parametrize("case", SETTINGS)
def test_a_setting_that_cannot_be_used(case: str, glassnet: Callable[..., Any], table: Path, tmp_path: Path) -> None:
    options, words = SETTINGS[case]
    refused(glassnet("train", "table.csv", "--target", "kind", *options), *words)
    nothing_left(tmp_path)


def test_a_missing_file_is_answered_with_the_nearest(glassnet: Callable[..., Any], table: Path, tmp_path: Path) -> None:
    line = "There is no file 'tabel.csv'; did you mean 'table.csv'?"
    refused(glassnet("train", "tabel.csv", "--target", "kind"), line=line)
    refused(glassnet("train", "iri"), "no bundled data set", "did you mean 'iris'")
    refused(glassnet("train", "nowhere/x.csv", "-t", "y"), "the folder 'nowhere' does not exist")
    nothing_left(tmp_path)


def test_a_folder_is_no_table(glassnet: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    line = "'folder' is a folder of pictures, labelled by its subfolders; leave the target 'y' out, or name one file in it."
    refused(glassnet("train", "folder", "--target", "y"), line=line)


def test_nothing_to_learn_from(glassnet: Callable[..., Any]) -> None:
    refused(glassnet("train"), "Give DATA")


def test_arrays_that_do_not_fit(glassnet: Callable[..., Any], tmp_path: Path) -> None:
    import numpy as np

    np.save("x.npy", np.zeros((6, 2, 2)))
    np.save("y.npy", np.array([0, 1, 0, 1, 0]))
    np.save("nan.npy", np.array([[1.0, 2.0], [np.nan, 3.0], [3.0, 1.0], [0.0, 4.0]]).reshape(4, 2, 1))
    np.save("four.npy", np.array([0, 1, 0, 1]))
    refused(glassnet("train", "x.npy", "--target", "y.npy"), "shape (5,)", "6 samples")
    refused(glassnet("train", "nan.npy", "--target", "four.npy", "--test", "0"), "NaN or infinity")
    refused(glassnet("train", "x.npy", "--target", "z.npy"), "no file 'z.npy'")
    refused(glassnet("train", "nan.npy", "--target", "four.npy", "--features", "x1"), "no columns to choose from")
    nothing_left(tmp_path)


# Where the run is to go.


def test_a_folder_that_holds_something_else(glassnet: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    for overwrite in ([], ["--overwrite"]):
        refused(glassnet("train", "moons", "--out", "mine", *overwrite), "not empty and holds no run")
    assert (tmp_path / "mine" / "letter.txt").read_text() == "dear"


def test_a_folder_that_holds_a_run(glassnet: Callable[..., Any], trained: Path) -> None:
    before = (trained / "run.json").read_bytes()
    refused(glassnet("train", "moons", "--out", trained), "already holds a run", "--overwrite")
    assert (trained / "run.json").read_bytes() == before


def test_a_folder_that_cannot_be_made(glassnet: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    refused(glassnet("train", "moons", "--out", "file/run"), "a part of the path is a file")
    refused(glassnet("train", "moons", "--out", "file"), "file", "choose another folder")
    refused(glassnet("train", "moons", "--out", "/dev/null/run"), "could not be made")
    refused(glassnet("demo", "--out", "file"), "choose another folder")
    nothing_left(tmp_path)


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.EROFS, "read-only"), (errno.EACCES, "permission denied"), (errno.ENOSPC, "disk is full")],
)
def test_a_place_that_cannot_be_written(
    number: int, words: str, glassnet: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr("glassnet.training.files.os.replace", refuse)
        refused(glassnet("train", "moons", "--out", "deep/er/out"), words)
    assert not (tmp_path / "deep").exists()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "mkdir", refuse)
        refused(glassnet("train", "moons"), words)
    nothing_left(tmp_path)


def test_a_disk_that_fills_while_training_starts(
    glassnet: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = os.replace

    def refuse(source: Any, place: Any) -> None:
        if Path(place).name != ".tried":
            raise OSError(errno.ENOSPC, "No space left on device")
        whole(source, place)

    monkeypatch.setattr("glassnet.training.files.os.replace", refuse)
    refused(glassnet("train", "moons", "--quiet", "--out", "deep/out"), "disk is full")
    assert not (tmp_path / "deep").exists()


def test_a_disk_that_fills_at_the_end_leaves_a_run(
    glassnet: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = os.replace

    def refuse(source: Any, place: Any) -> None:
        if Path(place).name == "metrics.json":
            raise OSError(errno.ENOSPC, "No space left on device")
        whole(source, place)

    with monkeypatch.context() as patch:
        patch.setattr("glassnet.training.files.os.replace", refuse)
        answer = glassnet("train", "moons", "--epochs", "2", "--quiet", "--no-baseline", "--out", "out")
        refused(answer, "metrics.json", "disk is full")
    assert glassnet("evaluate", "out").status == 0


def test_a_training_that_diverges_keeps_its_run(glassnet: Callable[..., Any], tmp_path: Path) -> None:
    options = ["--optimizer", "sgd", "--learning-rate", "1e200", "--quiet", "--out", "out"]
    refused(glassnet("train", "moons", *options), "Training stopped in iteration", "not finite", "The run is in out.")
    assert glassnet("show", "out", "--no-equations").status == 0
    assert not (tmp_path / "out" / "metrics.json").exists()


# Runs that are none.


@pytest.mark.parametrize("command", [["show"], ["evaluate"], ["plot", "cost"], ["predict", "table.csv"], ["train"]])
def test_a_run_folder_that_is_none(
    command: list[str], glassnet: Callable[..., Any], table: Path, trained: Path, tmp_path: Path
) -> None:
    def call(run: Path) -> Any:
        if command[0] == "train":
            return glassnet("train", "--resume", run)
        return glassnet(command[0], run, *command[1:])

    refused(call(tmp_path / "nothing"), "There is no run folder")
    refused(call(table), "no run folder")
    (tmp_path / "empty").mkdir()
    refused(call(tmp_path / "empty"), "no run.json")
    shutil.copytree(trained, tmp_path / "damaged")
    (tmp_path / "damaged" / "run.json").write_text((trained / "run.json").read_text()[:-40])
    refused(call(tmp_path / "damaged"), "run.json is damaged")
    shutil.copytree(trained, tmp_path / "altered")
    history = tmp_path / "altered" / "history.parquet"
    history.write_bytes(history.read_bytes()[:100])
    refused(call(tmp_path / "altered"), "history.parquet is damaged", "--skip-damaged")


def test_the_nearest_run_is_offered(glassnet: Callable[..., Any], trained: Path) -> None:
    refused(glassnet("show", trained.parent / "flowr"), "did you mean", "flower")


def test_a_damaged_run_can_be_read_without_its_damaged_file(
    glassnet: Callable[..., Any], trained: Path, tmp_path: Path
) -> None:
    shutil.copytree(trained, tmp_path / "altered")
    (tmp_path / "altered" / "history.parquet").write_bytes(b"PAR1")
    answer = glassnet("evaluate", "altered", "--skip-damaged")
    assert answer.status == 0
    assert answer.err.startswith("note: ")
    refused(glassnet("train", "--resume", "altered", "--skip-damaged", "--epochs", "30"), "needs --out")


def test_resuming_with_other_settings(glassnet: Callable[..., Any], trained: Path) -> None:
    refused(glassnet("train", "--resume", trained, "--hidden", "3", "--seed", "1"), "--hidden, --seed")
    refused(glassnet("train", "--resume", trained), "20 of 20 epochs", "--epochs")
    refused(glassnet("train", "--resume", trained, "--epochs", "5"), "pass --epochs with more")


# New rows that do not fit.


@pytest.fixture
def coloured(glassnet: Callable[..., Any], table: Path) -> Path:
    """A run on the table, its colours included."""
    options = ["--target", "kind", "--drop", "amount", "--epochs", "3", "--no-baseline", "--no-plots", "--quiet"]
    assert glassnet("train", table, *options, "--out", "coloured").status == 0
    return Path("coloured")


NEW: dict[str, tuple[str, list[str]]] = {
    "a column is missing": ("a,colour\n1,red\n", ["lacks 1 of the 3 columns", "'b'"]),
    "a category never seen": ("a,b,colour\n1,2,purple\n", ["'purple'", "never saw", "--unseen ignore"]),
    "text in a number": ("a,b,colour\nmuch,2,red\n1,2,red\n", ["'a' row 1 is 'much'", "trained on numbers"]),
    "infinity": ("a,b,colour\n1,inf,red\n", ["'b' row 1 is infinite"]),
}


@pytest.mark.parametrize("case", NEW)
def test_new_rows_that_do_not_fit(case: str, glassnet: Callable[..., Any], coloured: Path, tmp_path: Path) -> None:
    content, words = NEW[case]
    (tmp_path / "new.csv").write_text(content)
    refused(glassnet("predict", coloured, "new.csv", "--out", "p.csv"), *words)
    assert not (tmp_path / "p.csv").exists()


def test_predictions_that_cannot_be_written(glassnet: Callable[..., Any], coloured: Path, table: Path) -> None:
    refused(glassnet("predict", coloured, table, "--out", "p.xlsx"), ".csv or .parquet")
    refused(glassnet("predict", coloured, table, "--out", "nowhere/p.csv"), "no folder 'nowhere'")
    refused(glassnet("predict", coloured, table, "--unseen", "ignor"), "did you mean 'ignore'")
    refused(glassnet("predict", coloured, "tabel.csv"), "did you mean 'table.csv'")


def test_predictions_on_a_full_disk(glassnet: Callable[..., Any], coloured: Path, table: Path, tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    (tmp_path / f".p.csv.{os.getpid()}.tmp").symlink_to("/dev/full")
    refused(glassnet("predict", coloured, table, "--out", "p.csv"), "disk is full")
    assert not (tmp_path / "p.csv").exists()


def test_rows_that_cannot_be_judged(glassnet: Callable[..., Any], coloured: Path, tmp_path: Path) -> None:
    (tmp_path / "unlabelled.csv").write_text("a,b,colour\n1,2,red\n")
    refused(glassnet("evaluate", coloured, "unlabelled.csv"), "no column 'kind'")
    (tmp_path / "other.csv").write_text("a,b,colour,kind\n1,2,red,maybe\n")
    refused(glassnet("evaluate", coloured, "other.csv"), "'maybe'", "a class training never saw")
    (tmp_path / "table.csv").unlink()
    refused(glassnet("evaluate", coloured), "no longer there", "DATA")


def test_pictures_that_cannot_be_drawn(glassnet: Callable[..., Any], coloured: Path, trained: Path) -> None:
    refused(glassnet("plot", coloured, "boundary"), "two numeric features", "4 inputs")
    refused(glassnet("plot", trained, "boundry"), "did you mean 'boundary'")
    refused(glassnet("plot", trained, "cost", "--out", "cost.bmp"), ".png, .svg or .pdf")
    refused(glassnet("plot", trained, "cost", "--out", "nowhere/cost.png"), "no folder 'nowhere'")
    refused(glassnet("plot", trained, "weights", "--layer", "9"), "W9")
    options = ["--target", "amount", "--epochs", "2", "--test", "0", "--no-plots", "--quiet", "--out", "amount"]
    assert glassnet("train", "table.csv", *options).status == 0
    refused(glassnet("plot", "amount", "confusion"), "needs classes")
    refused(glassnet("plot", "amount", "boundary"), "needs classes")
    refused(glassnet("evaluate", "amount"), "held no rows out")


# How a command is written.


def test_unknown_commands_and_missing_arguments(glassnet: Callable[..., Any]) -> None:
    refused(glassnet("trian"), "no command 'trian'", "did you mean 'train'")
    refused(glassnet("--verison"), "did you mean '--version'")
    refused(glassnet("show"), line="Missing argument 'RUN'; see glassnet show --help.")
    refused(glassnet("plot", "somewhere"), "Missing argument 'KIND'")
    refused(glassnet("train", "iris", "--target"), "--target")


def test_a_problem_nobody_expected_is_one_sentence_too(
    glassnet: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("glassnet.cli.folders.load_run", fail)
    answer = glassnet("show", "x")
    assert answer.status == 2
    assert answer.err == (
        "glassnet met a problem it did not expect: ZeroDivisionError: division by zero; set GLASSNET_DEBUG=1 to see "
        "where.\n"
    )
    monkeypatch.setenv("GLASSNET_DEBUG", "1")
    assert isinstance(glassnet("show", "x").result.exception, ZeroDivisionError)


def test_a_full_disk_and_a_missing_permission_are_sentences(
    glassnet: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "some/file")

    monkeypatch.setattr("glassnet.cli.folders.load_run", full)
    refused(glassnet("show", "x"), "some/file", "the disk is full")

    def too_much(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("glassnet.cli.folders.load_run", too_much)
    refused(glassnet("show", "x"), "memory is not enough")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "tabel.csv", "--target", "kind"], "did you mean 'table.csv'"),
        (["train", "table.csv", "--target", "kind", "--epochs", "-1"], "--epochs got -1"),
        (["train", "table.csv", "--target", "kind", "--out", "/dev/null/run"], "could not be made"),
        (["train", "table.csv", "--target", "kind", "--epoch", "3"], "did you mean '--epochs'"),
        (["show", "nothing"], "There is no run folder"),
    ],
)
def test_a_real_process_answers_the_same(arguments: list[str], words: str, table: Path, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "glassnet.cli.main", *arguments], capture_output=True, text=True)
    assert done.returncode == 2
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""
    nothing_left(tmp_path)
