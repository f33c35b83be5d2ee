"""The target's side of every preparation: what is predicted, and outputs back to labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from glassnet.data.features import Matrix
from glassnet.data.targets import Label, Target


@dataclass(frozen=True)
class WithTarget:
    """A preparation of any kind of input, seen from its target."""

    target_encoding: Target

    @property
    def target(self) -> str:
        """The target's name."""
        return self.target_encoding.name

    @property
    def task(self) -> str:
        """ "binary_classification", "classification" (three classes or more) or "regression"."""
        return self.target_encoding.task

    @property
    def classes(self) -> list[Label] | None:
        """The labels in the order of the outputs; None for regression."""
        return None if self.target_encoding.classes is None else list(self.target_encoding.classes)

    @property
    def target_mean(self) -> float:
        """Mean of a regression target over the training rows; 0 for classes."""
        return self.target_encoding.mean

    @property
    def target_std(self) -> float:
        """Standard deviation (ddof = 0) of a regression target over the training rows; 1 for classes."""
        return self.target_encoding.std

    @property
    def n_outputs(self) -> int:
        """1 for two classes and for regression, k for k classes."""
        return self.target_encoding.n_outputs

    def inverse_target(self, A: Any) -> Matrix:
        """Outputs in the target's units, A · std + mean; for classes, A itself."""
        return self.target_encoding.invert(A)

    def decode(self, A: Any) -> Matrix:
        """Outputs (m, n_outputs) → labels (m,): the second class from 0.5, the largest output, or the quantity."""
        return self.target_encoding.decode(A)
