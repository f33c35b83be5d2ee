"""One module a peer, each with `prepare(problem, variant)`.

That makes a trainer, whose `run()` is one whole training from the first weights.
"""

from __future__ import annotations

from typing import Any, Protocol

from benchmarks.workloads import Parameters


class Trainer(Protocol):
    """What `prepare` makes."""

    def run(self) -> None: ...

    def parameters(self) -> Parameters: ...

    def facts(self) -> dict[str, Any]: ...
