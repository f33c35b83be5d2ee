"""What a diagnosis says: findings, each with its evidence, and what would have been normal.

A finding is a claim that can be checked: the measured numbers stand beside what would be normal, a cure is a concrete
change of settings, and what it would look like if it were a false alarm is said too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glassnet.diagnosis.changes import Change
from glassnet.diagnosis.kinds import KINDS
from glassnet.errors import GlassnetError, unknown_name

if TYPE_CHECKING:
    from glassnet.diagnosis.yardsticks import Yardsticks

SEVERITIES = ("critical", "warning", "note")
"""critical: the training fails and this is why, or it cannot even begin. warning: it fails, and this is a likely part.
note: unusual, and no harm is seen."""


@dataclass(frozen=True)
class Measured:
    """One number that was looked at, and what would be normal."""

    name: str
    value: float | int | str
    normal: str

    def __str__(self) -> str:
        return f"{self.name}: {number(self.value)} (normal: {self.normal})"


def number(value: float | int | str) -> str:
    """A measured value as it is printed: four significant digits, "−" before a negative one."""
    if isinstance(value, str):
        return value
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else "infinite" if value > 0 else "−infinite"
    if isinstance(value, int) or (value == round(value) and abs(value) < 1e6):
        text = f"{int(value):,}"
    else:
        text = f"{value:.4g}"
    return text.replace("-", "−", 1) if text.startswith("-") else text


@dataclass(frozen=True)
class Where:
    """What a finding is about; everything that is not said is None."""

    layer: int | None = None
    units: tuple[int, ...] | None = None
    equation: str | None = None
    epochs: tuple[int, int] | None = None
    features: tuple[int, ...] | None = None
    rows: tuple[int, ...] | None = None

    def said(self, names: tuple[str, ...] = ()) -> str:
        """In words: "layer 2, equation Z2, epochs 10 to 40"; `names` are the features' own."""
        parts = []
        if self.layer is not None:
            parts.append(f"layer {self.layer}")
        if self.units:
            parts.append(f"unit{'s' if len(self.units) > 1 else ''} {_listed(self.units)}")
        if self.equation is not None:
            parts.append(f"equation {self.equation}")
        if self.epochs is not None:
            first, last = self.epochs
            parts.append(f"epoch {first}" if first == last else f"epochs {first} to {last}")
        if self.features:
            called = [names[i] if i < len(names) else str(i) for i in self.features]
            parts.append(f"feature{'s' if len(called) > 1 else ''} {_listed(called)}")
        if self.rows:
            parts.append(f"row{'s' if len(self.rows) > 1 else ''} {_listed(self.rows)}")
        return ", ".join(parts)


def _listed(items: Any, most: int = 5) -> str:
    shown = ", ".join(str(i) for i in items[:most])
    return shown + (f" and {len(items) - most} more" if len(items) > most else "")


@dataclass(frozen=True)
class Proof:
    """A rerun with one thing changed: what the score was, what it became, and what it had to reach.

    That is a score that learns, and so much better than it was that it is no chance. `before` is NaN where the change makes
    classes of numbers (or the other way), which are judged by another score.
    """

    change: Change
    before: float
    after: float
    needed: float
    metric: str
    epochs: int

    @property
    def cured(self) -> bool:
        return self.after >= self.needed


@dataclass(frozen=True)
class Finding:
    """One thing a diagnosis found.

    Attributes
    ----------
    kind : its name in `glassnet.diagnosis.KINDS`, such as "opt.lr_too_large"
    sentence : what is so, in plain words with its main number
    severity : "critical", "warning" or "note"
    confidence : from 0 to 1, how sure it is that this is why the training falls short, given that it does
    measured : the numbers, each with what would be normal
    where : layer, units, equation, epochs, features or rows
    cures : concrete changes, the most promising first
    false_alarm : what would be so if the finding were wrong
    certain : the training cannot go well whatever else is so (it is refused, or a number is not finite)
    proofs : reruns with a cure applied
    """

    kind: str
    sentence: str
    severity: str = "note"
    confidence: float = 0.5
    measured: tuple[Measured, ...] = ()
    where: Where = field(default_factory=Where)
    cures: tuple[Change, ...] = ()
    false_alarm: str = ""
    certain: bool = False
    proofs: tuple[Proof, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise GlassnetError(unknown_name("kind of finding", self.kind, KINDS))
        if self.severity not in SEVERITIES:
            raise GlassnetError(unknown_name("severity", self.severity, SEVERITIES))

    @property
    def title(self) -> str:
        """The kind in words."""
        return KINDS[self.kind].title

    @property
    def proven(self) -> bool:
        """Whether a rerun without it was cured."""
        return any(proof.cured for proof in self.proofs)

    @property
    def sure(self) -> str:
        """How sure, in words."""
        if self.proven:
            return "proven by a rerun"
        return next(word for least, word in SURENESS if self.confidence >= least)

    def with_severity(self, severity: str) -> Finding:
        return replace(self, severity=severity)


SURENESS = ((0.9, "almost certain"), (0.6, "likely"), (0.3, "possible"), (0.0, "unlikely"))


@dataclass(frozen=True)
class Verdict:
    """Whether a training learns, by its yardsticks.

    Attributes
    ----------
    learns : True, False, or None when it is not known yet
    score : the training's own, by `metric` ("accuracy" or "r2") on `rows` ("held-out"; "training" where there are no others; or
        "left-out": a rerun's, on rows that it was not trained on)
    needed : the score below which it is said to fail
    yardsticks : name -> score of the predictors it is compared with
    on_training : its score on the training rows, where it fails because that does not carry over to the held-out ones
    """

    learns: bool | None
    metric: str
    rows: str
    score: float | None
    needed: float | None
    yardsticks: Mapping[str, float]
    on_training: float | None = None


@dataclass(frozen=True)
class Diagnosis:
    """All that was found about a training, the most important first; and what was checked without finding anything.

    `print(diagnosis)` is the text, `diagnosis.to_html()` a page, `diagnosis.to_json()` for programs. It is a sequence of
    its findings. `yardsticks` are what the training was judged by, kept for a cure; None when none were trained. `questions`
    are the yes-or-no questions of a row that classes answer together, of which accuracy counts each by itself; else 0.
    """

    findings: tuple[Finding, ...]
    verdict: Verdict
    checked: tuple[str, ...]
    features: tuple[str, ...] = ()
    stage: str = "after training"
    seconds: float = 0.0
    about: str = ""
    costs: tuple[tuple[float, float], ...] = ()
    yardsticks: Yardsticks | None = field(default=None, repr=False, compare=False)
    questions: int = 0

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    def __getitem__(self, position: int) -> Finding:
        return self.findings[position]

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(finding.kind for finding in self.findings)

    @property
    def alarms(self) -> tuple[Finding, ...]:
        """Findings that are critical or a warning."""
        return tuple(f for f in self.findings if f.severity != "note")

    def __str__(self) -> str:
        from glassnet.diagnosis.saying import as_text

        return as_text(self)

    def __repr__(self) -> str:
        return f"<Diagnosis: {len(self.alarms)} alarms, {len(self) - len(self.alarms)} notes>"

    def to_plain(self) -> dict[str, Any]:
        """As a JSON object."""
        from glassnet.diagnosis.saying import as_plain

        return as_plain(self)

    def to_json(self, path: str | Path | None = None) -> str:
        """As JSON text; written to `path` when one is given."""
        from glassnet.diagnosis.saying import as_json

        return as_json(self, path)

    def to_html(self, path: str | Path | None = None) -> str:
        """As one self-contained page; written to `path` when one is given."""
        from importlib import import_module

        # The views stand to the right; nothing here depends on them, a person may still ask.
        return str(import_module("glassnet.views.diagnosis_page").diagnosis_page(self, path))

    def _repr_html_(self) -> str:
        from importlib import import_module

        return str(import_module("glassnet.views.diagnosis_page").diagnosis_fragment(self))
