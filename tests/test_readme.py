"""Every block of the README runs, and prints what the README says it prints.

A ```python block runs in one session with those before it; a ```sh block runs line by line in one folder; the ```text
block after either holds lines that its output must contain ("…" stands for lines left out).
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks():
    return [(match[1], match[2]) for match in BLOCK.finditer(README)]


def run_shell(line: str, folder: Path) -> str:
    scripts = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": scripts + os.pathsep + os.environ["PATH"], "COLUMNS": "120"}
    done = subprocess.run(line, shell=True, cwd=folder, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def assert_shown(expected: str, printed: str, source: str) -> None:
    def plain(text: str) -> str:
        return re.sub(r"\s+", " ", text).strip()

    everything = plain(printed)
    for line in expected.splitlines():
        if line.strip() and line.strip() != "…":
            assert plain(line) in everything, f"{source}\nshould print\n{line}\nand printed\n{printed}"


def test_every_block_runs_and_prints_what_it_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    session: dict[str, object] = {"__name__": "readme"}
    printed, source = "", ""
    kinds = []
    for kind, text in blocks():
        kinds.append(kind)
        if kind == "python":
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                exec(compile(text, "README.md", "exec"), session)
            printed, source = out.getvalue(), text
        elif kind == "sh":
            lines = [line for line in text.splitlines() if line and not line.startswith("#")]
            source = text
            printed = "".join(run_shell(line, tmp_path) for line in lines if not line.startswith("make "))
        elif kind == "text":
            assert_shown(text, printed, source)
        else:
            pytest.fail(
                f"README.md has a block of kind {kind!r}; it needs python, sh or text, so that it can be checked."
            )
    assert kinds.count("python") >= 4
    assert kinds.count("sh") >= 3


def test_make_commands_of_the_readme_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = re.findall(r"^make ([a-z-]+)", README, re.MULTILINE)
    assert named[:2] == ["demo", "test"]
    assert set(named) <= targets


def test_files_named_by_the_readme_exist():
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_examples_run(tmp_path):
    for example in sorted((ROOT / "examples").glob("*.py")):
        done = subprocess.run(
            [sys.executable, "-W", "error", str(example)], cwd=tmp_path, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, f"{example.name}\n{done.stderr}"
        assert done.stdout.strip(), example.name
