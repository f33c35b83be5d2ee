"""What reading a text table found out, carried along in the table's metadata."""

from __future__ import annotations

import json
from typing import Any

KEY = b"glassnet"


def header_read(table: Any) -> bool | None:
    """Whether the first line of the text table held names; None for other tables."""
    return None if (said := _remarks(table).get("header")) is None else bool(said)


def missing_words(table: Any, name: str) -> dict[str, int]:
    """The words that were taken as missing in a text column that lacks more than a tenth of its values."""
    return dict(_remarks(table).get("missing", {}).get(name, {}))


def _remarks(table: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((table.schema.metadata or {}).get(KEY, b"{}"))
    return found
