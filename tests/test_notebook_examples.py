"""The example notebook is what the present code makes of it: run in plain Python always, in a real kernel with the extras.

After a change that means to alter what a notebook shows, `GLASSNET_RENEW=1 make test-extras` stores the new outputs.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import math
import os
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parent.parent / "examples").glob("*.ipynb"))
RENEW = "GLASSNET_RENEW"
NUMBER = re.compile(r"([−-]?\d[\d,]*(?:\.\d+)?(?:e[−+-]?\d+)?)")
TIME = re.compile(r"in \S+ s\b")
CLOSE = 2e-3
"""Four digits are shown; another processor may round the last one otherwise."""

pytestmark = pytest.mark.parametrize("place", NOTEBOOKS, ids=lambda place: place.stem)


def read(place):
    return json.loads(place.read_text(encoding="utf-8"))


def code_cells(notebook):
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def plain(html):
    """What a person reads of a piece of HTML, less pictures."""
    without = re.sub(r"<(style|script|title)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", without)).strip()


def stored(cell):
    """The texts that the cell's outputs hold, and whether there is a picture."""
    texts, pictures = [], False
    for output in cell["outputs"]:
        assert output["output_type"] in ("stream", "display_data", "execute_result"), output
        if output["output_type"] == "stream":
            assert output["name"] == "stdout", output["text"]
            texts.append("".join(output["text"]))
            continue
        data = output["data"]
        pictures |= "image/png" in data
        if output["output_type"] == "execute_result":
            texts.append("".join(data["text/plain"]))
            if "text/html" in data:
                texts.append(plain("".join(data["text/html"])))
    return texts, pictures


def run_cell(source, session):
    """The same of a cell that is run here, as a notebook would show it: what is printed, then the value of its last line."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) and not source.rstrip().endswith(";") else None
    out = io.StringIO()
    value = None
    with contextlib.redirect_stdout(out):
        exec(compile(tree, "<cell>", "exec"), session)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), "<cell>", "eval"), session)
    texts = [out.getvalue()] if out.getvalue() else []
    if value is not None:
        texts.append(repr(value))
        if hasattr(value, "_repr_html_"):
            texts.append(plain(value._repr_html_()))
    return texts


def value_of(text):
    return float(text.replace("−", "-").replace(",", ""))


def differences(mine, theirs):
    """Where two texts differ: words by letter, numbers by more than their last digit. How long a thing took is not compared."""
    left, right = (NUMBER.split(TIME.sub("in … s", text)) for text in (mine, theirs))
    found = [] if len(left) == len(right) else [f"{len(left)} pieces against {len(right)}"]
    for place, (a, b) in enumerate(zip(left, right, strict=False)):
        same = math.isclose(value_of(a), value_of(b), rel_tol=CLOSE, abs_tol=1e-9) if place % 2 else a == b
        if not same:
            found.append(f"{a!r} against {b!r} after {''.join(left[max(0, place - 4) : place])!r}")
    return found


def test_every_stored_output_is_that_of_the_present_code(place, tmp_path, monkeypatch):
    import matplotlib

    monkeypatch.chdir(tmp_path)
    drawn_with = matplotlib.get_backend()
    matplotlib.use("Agg")
    from matplotlib import pyplot

    session = {"__name__": "__main__"}
    try:
        for cell in code_cells(read(place)):
            source = "".join(cell["source"])
            texts, pictures = stored(cell)
            here = run_cell(source, session)
            assert len(here) == len(texts), source
            for mine, theirs in zip(here, texts, strict=True):
                wrong = differences(mine, theirs)
                assert not wrong, (
                    f"{source}\n{wrong[:5]}\nIf that is as it should be, store the new outputs: see {__file__}"
                )
            assert bool(pyplot.get_fignums()) == pictures, source
            pyplot.close("all")
    finally:
        pyplot.close("all")
        matplotlib.use(drawn_with)


def test_it_is_executed_in_order_small_and_teaches(place):
    notebook = read(place)
    cells = code_cells(notebook)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert place.stat().st_size < 1_000_000
    assert len(notebook["cells"]) - len(cells) >= len(cells) / 2  # sentences between the lines of code
    text = json.dumps([cell.get("outputs") for cell in cells])
    assert not re.search(r"0x[0-9a-f]{6,}|/home/|/root/|/tmp/|site-packages|Traceback", text)


def test_the_comparison_notices(place):
    texts, _ = stored(next(cell for cell in code_cells(read(place)) if cell["outputs"]))
    assert not differences(texts[0], texts[0])
    assert differences(texts[0], texts[0].replace("points", "dots"))
    assert differences("0.3145", "0.3165")
    assert not differences("0.3145", "0.3146")
    assert differences("−0.3145", "0.3145")
    assert differences("1 2 3", "1 2")
    assert not differences("150 updates in 0.03 s", "150 updates in 1.4 s")


@pytest.mark.extras
@pytest.mark.filterwarnings("default")
def test_it_runs_in_a_kernel(place, tmp_path):
    missing = [name for name in ("nbformat", "nbclient", "ipykernel") if find_spec(name) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} is missing: pip install glassnet[extras-test].")
    import nbformat
    from nbclient import NotebookClient

    before = read(place)
    notebook = nbformat.read(place, as_version=4)
    nbformat.validate(notebook)
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=120, record_timing=False, resources=resources).execute()
    for mine, theirs in zip(code_cells(notebook), code_cells(before), strict=True):
        assert stored(mine)[1] == stored(theirs)[1] or RENEW in os.environ
        if RENEW not in os.environ:
            for a, b in zip(stored(mine)[0], stored(theirs)[0], strict=True):
                assert not differences(a, b)
    if RENEW in os.environ:
        notebook.metadata.pop("widgets", None)
        notebook.metadata["language_info"] = {"name": "python"}
        for cell in notebook.cells:
            cell.metadata = {}
        nbformat.write(notebook, place)
