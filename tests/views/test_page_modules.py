"""The pages' modules under node's own test runner."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

PAGES = Path(__file__).parents[1] / "pages"
FILES = sorted(PAGES.glob("*.test.mjs"))


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed; the pages' modules are tested in it")
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_modules_own_tests(file):
    done = subprocess.run(["node", "--test", str(file)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def test_there_are_such_tests():
    assert "entries.test.mjs" in {file.name for file in FILES}
