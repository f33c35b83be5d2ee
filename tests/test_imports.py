"""Imports follow the data's journey: a room knows the rooms to its left and none to its right."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import glassnet

ROOMS = (
    "errors", "equations", "filters", "layers", "notation", "network", "engines", "data", "training", "statistics",
    "estimators", "diagnosis", "views", "cli",
)  # fmt: skip
"""From left to right. `data` stands beside the mathematics and knows nothing of it."""
KNOWS_ONLY = {"data": {"errors"}}
PACKAGE = Path(glassnet.__file__).parent


def room_of(module: str) -> str | None:
    """The room of `glassnet.equations.derive`; None for the package itself."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else None


def modules_imported(tree: ast.Module, module: str, is_package: bool) -> list[tuple[int, str, bool]]:
    """(line, module, under TYPE_CHECKING) of every import of glassnet, wherever it stands in the file."""
    found: list[tuple[int, str, bool]] = []

    def visit(node: ast.AST, typing_only: bool) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for inner in node.body:
                visit(inner, True)
            for inner in node.orelse:
                visit(inner, typing_only)
            return
        if isinstance(node, ast.Import):
            found.extend((node.lineno, alias.name, typing_only) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = node.module or ""
            if node.level:
                base = module.split(".") if is_package else module.split(".")[:-1]
                base = base[: len(base) - (node.level - 1)]
                source = ".".join([*base, *([source] if source else [])])
            if (
                source == "glassnet"
            ):  # `from glassnet import network` imports a room, or something of the package itself
                found.extend((node.lineno, f"glassnet.{alias.name}", typing_only) for alias in node.names)
            else:
                found.append((node.lineno, source, typing_only))
        for child in ast.iter_child_nodes(node):
            visit(child, typing_only)

    visit(tree, False)
    return [item for item in found if item[1].split(".")[0] == "glassnet"]


def wrong_arrows(source: str, module: str, is_package: bool = False) -> list[str]:
    """Every import of this file that points to the right, or past what its room may know."""
    home = room_of(module)
    if home is None:
        return []  # the package itself gathers the public names from all rooms
    if home not in ROOMS:
        return [f"{module} is in no known room"]
    wrong = []
    for line, target, typing_only in modules_imported(ast.parse(source), module, is_package):
        room = room_of(target)
        if room == "__version__" or room == home:
            continue
        if home == ROOMS[-1] and (room is None or room not in ROOMS):
            continue  # the command line stands at the end and may use the public names, as any user does
        if room is None or room not in ROOMS:
            wrong.append(f"{module}:{line} imports {target}, which is no room; import from where it is defined")
        elif home == "equations" and room == "network" and typing_only:
            continue
        elif ROOMS.index(room) > ROOMS.index(home):
            wrong.append(f"{module}:{line} imports {target}, which lies to its right")
        elif home in KNOWS_ONLY and room not in KNOWS_ONLY[home]:
            wrong.append(f"{module}:{line} imports {target}; {home} may import only {', '.join(KNOWS_ONLY[home])}")
    return wrong


FILES = sorted(PACKAGE.rglob("*.py"))


def module_of(file: Path) -> str:
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_no_import_points_to_the_right():
    wrong = [
        arrow
        for file in FILES
        for arrow in wrong_arrows(file.read_text(encoding="utf-8"), module_of(file), file.name == "__init__.py")
    ]
    assert not wrong, "\n".join(wrong)


def test_the_walk_sees_the_whole_package():
    seen = {room_of(module_of(file)) for file in FILES}
    assert set(ROOMS) <= seen
    arrows = {
        (room_of(module_of(file)), room_of(target))
        for file in FILES
        for _, target, _ in modules_imported(ast.parse(file.read_text(encoding="utf-8")), module_of(file), False)
    }
    assert {
        ("equations", "errors"),
        ("network", "equations"),
        ("engines", "equations"),
        ("training", "engines"),
    } <= arrows
    assert ("equations", "network") in arrows  # the one exception, for types


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("glassnet.equations.derive", "from glassnet.network import Network"),
        ("glassnet.equations.derive", "import glassnet.training.run"),
        ("glassnet.equations.derive", "import glassnet.training.run as r"),
        ("glassnet.equations.derive", "from glassnet import network"),
        ("glassnet.equations.derive", "from ..network import Network"),
        ("glassnet.equations.derive", "from .. import network"),
        ("glassnet.equations.derive", "def f():\n    from glassnet.engines import engine"),
        (
            "glassnet.equations.derive",
            "class A:\n    def f(self):\n        if 1:\n            import glassnet.cli.main",
        ),
        ("glassnet.equations.derive", "if TYPE_CHECKING:\n    from glassnet.training import Run"),
        ("glassnet.equations.derive", "if TYPE_CHECKING:\n    pass\nelse:\n    from glassnet.network import Network"),
        ("glassnet.equations.derive", "from glassnet import Network"),
        ("glassnet.equations.derive", "import glassnet"),
        ("glassnet.engines.reference", "if TYPE_CHECKING:\n    from glassnet.training import Run"),
        ("glassnet.training.run", "try:\n    from glassnet.views import plots\nexcept ImportError:\n    pass"),
        ("glassnet.data.tables", "from glassnet.equations.draws import generator"),
        ("glassnet.errors", "from glassnet.equations.derive import derive"),
        ("glassnet.network", "from glassnet.engines import engine"),
        ("glassnet.helpers", "import math"),
    ],
)
def test_the_checker_finds_a_wrong_arrow(module, source):
    assert len(wrong_arrows(source, module)) == 1


def test_the_checker_resolves_relative_imports_of_a_package():
    assert wrong_arrows("from ..training import Run", "glassnet.engines", is_package=True)
    assert not wrong_arrows("from .base import Engine", "glassnet.engines", is_package=True)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("glassnet.equations.derive", "from glassnet.errors import GlassnetError\nimport numpy as np"),
        ("glassnet.equations.derive", "from .expression import Symbol"),
        ("glassnet.equations.derive", "if TYPE_CHECKING:\n    from glassnet.network import Network"),
        ("glassnet.equations.derive", "if typing.TYPE_CHECKING:\n    from glassnet.network import Network"),
        ("glassnet.training.run", "def f():\n    from glassnet import __version__"),
        ("glassnet.training.run", "from glassnet.data import Preparation"),
        ("glassnet.cli.main", "from glassnet.views import plots\nfrom glassnet.equations.derive import derive"),
        (
            "glassnet.data.tables",
            "from glassnet.errors import DataError\nfrom glassnet.data.files import existing_file",
        ),
        ("glassnet.cli.demo", "import glassnet as gn"),
        ("glassnet", "from glassnet.training import train"),
    ],
)
def test_the_checker_lets_right_arrows_be(module, source):
    assert wrong_arrows(source, module) == []


HEAVY = ("numba", "sklearn", "matplotlib", "torch", "pyarrow", "pandas", "polars", "scipy", "rich", "typer", "h5py")


def loaded_after(statement: str) -> set[str]:
    script = f"import sys\n{statement}\nprint(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_glassnet_loads_nothing_heavy():
    loaded = loaded_after("import glassnet")
    assert {"glassnet", "numpy"} <= loaded
    assert not loaded & set(HEAVY)


def test_deriving_and_printing_load_nothing_heavy_either():
    loaded = loaded_after(
        "import glassnet as gn; str(gn.derive(gn.Network(2, gn.Dense(3, 'tanh'), gn.Dense(1, 'sigmoid'))))"
    )
    assert not loaded & set(HEAVY)


def test_the_check_notices_a_heavy_import():
    assert "scipy" in loaded_after("import glassnet, scipy") & set(HEAVY)


def test_every_public_name_is_there():
    assert sorted(glassnet.__all__) == sorted(set(glassnet.__all__))
    missing = [name for name in glassnet.__all__ if not hasattr(glassnet, name)]
    assert not missing
