"""The sentences glassnet answers with when something cannot be done.

Every message says what arrived, what is needed, and what to do. The command line prints the same sentence and
ends with exit status 2.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class GlassnetError(ValueError):
    """Something a person passed in cannot be used; the message says what arrived, what is needed and what to do."""


class DataError(GlassnetError):
    """A file, table or array cannot be used as data."""


class RunError(GlassnetError):
    """A run folder is missing, damaged, or does not belong to what was asked."""


class GlassnetWarning(UserWarning):
    """Something will work but is probably not what was meant; the message gives the reason."""


def nearest(name: str, options: Iterable[str]) -> str | None:
    """The option most like `name`, or None when none is near."""
    lowered = {option.lower(): option for option in options}
    found = difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=0.6)
    return lowered[found[0]] if found else None


def unknown_name(kind: str, name: object, options: Iterable[str]) -> str:
    """One sentence for a name nobody knows: what arrived, the nearest known one, all known ones.

    >>> unknown_name("activation", "tahn", ["relu", "tanh"])
    "There is no activation 'tahn'; did you mean 'tanh'? Known: relu, tanh."
    """
    known = list(options)
    near = nearest(str(name), known)
    hint = f"; did you mean '{near}'?" if near else "."
    listed = ", ".join(known[:30]) + (f" and {len(known) - 30} more" if len(known) > 30 else "")
    return f"There is no {kind} '{name}'{hint} Known: {listed}."
