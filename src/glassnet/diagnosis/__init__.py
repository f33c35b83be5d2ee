"""Why a training does not learn, and what cures it.

    print(gn.diagnose(net, X, Y, optimizer=gn.SGD(10.0)))       before any training
    run = gn.train(net, X, Y, callbacks=[gn.Watch()])           while it trains
    print(run.diagnose()); print(run.cure())                    after it, with a proof

Checks raise suspicions, yardsticks say whether the training falls short at all, and a suspicion becomes the diagnosis when a
rerun without it is cured.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from glassnet.diagnosis.case import Case
    from glassnet.diagnosis.changes import Change
    from glassnet.diagnosis.cure import Cure, cure_run
    from glassnet.diagnosis.findings import Diagnosis, Finding, Measured, Proof, Verdict, Where
    from glassnet.diagnosis.judging import diagnose, diagnose_run
    from glassnet.diagnosis.kinds import KINDS
    from glassnet.diagnosis.watch import Watch
    from glassnet.diagnosis.yardsticks import Yardsticks

_HOMES = {
    "Case": "case", "Change": "changes", "Cure": "cure", "cure_run": "cure", "Diagnosis": "findings", "Finding": "findings",
    "Measured": "findings", "Proof": "findings", "Verdict": "findings", "Where": "findings", "diagnose": "judging",
    "diagnose_run": "judging", "KINDS": "kinds", "Watch": "watch", "Yardsticks": "yardsticks",
}  # fmt: skip

__all__ = [
    "KINDS", "Case", "Change", "Cure", "Diagnosis", "Finding", "Measured", "Proof", "Verdict", "Watch", "Where", "Yardsticks",
    "cure_run", "diagnose", "diagnose_run",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """What is asked for loads when it is first used."""
    if name in _HOMES:
        return getattr(import_module(f"glassnet.diagnosis.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'glassnet.diagnosis' has no attribute '{name}'")
