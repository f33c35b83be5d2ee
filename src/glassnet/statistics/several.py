"""A linear regression of several outputs: one `LinearStatistics` each, as R prints one summary a response."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from glassnet.statistics.glm_summary import SummaryText
from glassnet.statistics.linear import LinearStatistics


class SeveralSummary(SummaryText):
    """The summaries of all responses, one after another."""

    def __init__(self, fits: Sequence[LinearStatistics]) -> None:
        self.summaries = [fit.summary() for fit in fits]
        parts = [
            f"Response {fit.response} :\n{summary.text}" for fit, summary in zip(fits, self.summaries, strict=True)
        ]
        self.text = "\n".join(parts)


class SeveralStatistics:
    """`statistics[i]` are those of output i; iterate, or ask for all summaries at once."""

    def __init__(self, fits: Sequence[LinearStatistics]) -> None:
        self.outputs = tuple(fits)

    def __getitem__(self, output: int) -> LinearStatistics:
        return self.outputs[output]

    def __len__(self) -> int:
        return len(self.outputs)

    def summary(self) -> SeveralSummary:
        """What R prints of each response."""
        return SeveralSummary(self.outputs)

    def conf_int(self, level: float = 0.95) -> dict[str, Any]:
        """Response -> its table of confidence intervals."""
        return {fit.response: fit.conf_int(level) for fit in self.outputs}

    def predict(self, X: Any = None, interval: Any = None, level: float = 0.95) -> dict[str, Any]:
        """Response -> its predictions, as `LinearStatistics.predict` gives them."""
        return {fit.response: fit.predict(X, interval=interval, level=level) for fit in self.outputs}

    def to_plain(self) -> dict[str, Any]:
        """Response -> everything its summary says."""
        return {"kind": "several", "responses": {fit.response: fit.to_plain() for fit in self.outputs}}
