"""Pages: one self-contained HTML file from a template, style sheets, plain ES modules and data.

The modules import one another by bare names (`import { decode } from "#arrays"`). In a page an import map says which text
each name stands for; under node, `modules/package.json` says which file. So the same files are served, tested and read, and
nothing is built.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

PLACE = Path(__file__).parent


def page(
    template: str,
    *,
    title: str,
    data: Mapping[str, Any],
    modules: Iterable[str],
    styles: Iterable[str] = ("base",),
    **values: Any,
) -> str:
    """A whole page as text: nothing in it is fetched from anywhere.

    Parameters
    ----------
    template : name of a file in templates/, without .html.j2
    title : of the window, and for a screen reader
    data : id → value; each is a JSON element of the page, `data-ID`
    modules : what the page runs; modules that these import come along
    styles : style sheets in their order
    values : what else the template names

    Raises
    ------
    ValueError : a number in the data is not finite (encode arrays as numbers in base64, see `numbers`)
    """
    return str(
        _environment()
        .get_template(f"{template}.html.j2")
        .render(
            title=title,
            data={name: _json(value) for name, value in data.items()},
            import_map=_json({"imports": {f"#{name}": _address(name) for name in with_imports(modules)}}),
            modules=list(modules),
            css="\n".join(_text("styles", f"{name}.css") for name in styles),
            **values,
        )
    )


def fragment(template: str, styles: Iterable[str] = (), **values: Any) -> str:
    """A piece of a page as text, for a notebook: one element, its own style sheets in it, no scripts.

    Parameters
    ----------
    template : name of a file in templates/, without .html.j2
    styles : style sheets in their order; the template writes them as `css`
    values : what else the template names
    """
    css = "\n".join(_text("styles", f"{name}.css") for name in styles)
    return str(_environment().get_template(f"{template}.html.j2").render(css=css, **values))


def numbers(array: Any) -> dict[str, Any]:
    """An array as a page's `arrays` module reads it: every number exactly, NaN and infinity too."""
    import numpy as np

    held = np.ascontiguousarray(array)
    kind = "f4" if held.dtype == np.float32 else "f8"
    plain = held.astype(f"<{kind}", copy=False)
    return {"shape": list(np.shape(array)), "type": kind, "data": base64.b64encode(plain.tobytes()).decode("ascii")}


def with_imports(modules: Iterable[str]) -> list[str]:
    """These modules and all that they import, each once."""
    found: dict[str, None] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found[name] = None
            waiting += _imports(name)
    return list(found)


@cache
def _imports(module: str) -> tuple[str, ...]:
    import re

    return tuple(re.findall(r'(?:from|import)\s+"#([\w-]+)"', _text("modules", f"{module}.js")))


@cache
def _address(module: str) -> str:
    text = _text("modules", f"{module}.js").encode()
    return f"data:text/javascript;base64,{base64.b64encode(text).decode('ascii')}"


def _text(folder: str, name: str) -> str:
    return (PLACE / folder / name).read_text(encoding="utf-8")


def _json(value: Any) -> Any:
    """As JSON that may stand in a script element: `<` would be read as HTML."""
    from markupsafe import Markup

    text = json.dumps(_plain(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for letter, written in (
        ("<", "\\u003c"),
        (">", "\\u003e"),
        ("&", "\\u0026"),
        ("\u2028", "\\u2028"),
        ("\u2029", "\\u2029"),
    ):
        text = text.replace(letter, written)
    return Markup(text)


def _plain(value: Any) -> Any:
    """NumPy's numbers as Python's; a number that is not finite is refused by name."""
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"A page's JSON cannot hold {value}; pass it as an array made by `numbers`.")
    return value


@cache
def _environment() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    made = Environment(
        loader=FileSystemLoader(PLACE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    made.filters["mathml"] = Markup  # equations are written by glassnet, letter by letter
    return made
