"""What the tests of the command line share: a folder of their own, and a way to call `glassnet`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from glassnet.cli.main import app


class Answer:
    """What a call printed and how it ended."""

    def __init__(self, result: Any) -> None:
        self.status = result.exit_code
        self.out = result.stdout
        self.err = result.stderr
        self.result = result

    def __repr__(self) -> str:
        return f"status {self.status}\nout: {self.out}\nerr: {self.err}"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GLASSNET_DEBUG", raising=False)


@pytest.fixture
def glassnet() -> Callable[..., Answer]:
    """Call the command line: glassnet("train", "iris")."""

    def call(*arguments: object) -> Answer:
        return Answer(CliRunner().invoke(app, [str(argument) for argument in arguments]))

    return call


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """40 rows: two numbers, a colour, a class that depends on the sign of a + b, and a quantity."""
    import numpy as np

    draw = np.random.Generator(np.random.Philox(7))
    lines = ["a,b,colour,kind,amount"]
    for row, (a, b) in enumerate(draw.standard_normal((40, 2))):
        colour = ("red", "blue")[row % 2]
        lines.append(f"{a:.4f},{b:.4f},{colour},{'yes' if a + b > 0 else 'no'},{3 * a - b + 0.5:.4f}")
    path = tmp_path / "table.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on two features of the flower data, written once."""
    place = tmp_path_factory.mktemp("trained") / "flower"
    arguments = ["train", "flower", "--hidden", "8", "--epochs", "20", "--quiet", "--no-plots", "--out", str(place)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return place
