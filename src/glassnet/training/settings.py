"""Everything that determines a training besides its data, as one frozen, storable description."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from glassnet.engines import ENGINES
from glassnet.equations.derive import Derivation, derive
from glassnet.equations.draws import ShuffleStream, check_seed
from glassnet.equations.losses import Loss
from glassnet.equations.optimizers import LBFGS, LeastSquares, Newton, Optimizer
from glassnet.equations.storing import KNOWN, from_plain, to_plain
from glassnet.errors import GlassnetError, unknown_name
from glassnet.network import LAYERS, Network
from glassnet.training.augmentation import Augmentation


@dataclass(frozen=True)
class Settings:
    """What `gn.train` was told, with names resolved. Two trainings with equal settings and data are one training."""

    network: Network
    loss: Loss
    optimizer: Optimizer
    epochs: int
    batch_size: int | None
    l1: float
    l2: float
    penalty_on: str
    seed: int
    shuffle: bool | ShuffleStream
    engine: str
    dtype: str
    record: str | int
    weighted: bool
    measure: str | int = "all"
    threads: int = 1
    augmentation: Augmentation | None = None

    def __post_init__(self) -> None:
        problems: list[str] = []
        if isinstance(self.epochs, bool) or not isinstance(self.epochs, int) or self.epochs < 0:
            problems.append(f"epochs={self.epochs!r} (a whole number, 0 or more)")
        size = self.batch_size
        if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 1):
            problems.append(f"batch_size={size!r} (a whole number, 1 or more, or None for full batches)")
        if self.measure not in ("auto", "all") and not _count(self.measure):
            problems.append(f"measure={self.measure!r} ('auto', 'all' or a whole number of samples, 1 or more)")
        if not _count(self.threads):
            problems.append(f"threads={self.threads!r} (a whole number, 1 or more)")
        for name in ("l1", "l2"):
            strength = getattr(self, name)
            if not isinstance(strength, int | float) or not 0 <= strength < math.inf:
                problems.append(f"{name}={strength!r} (a finite number, 0 or above)")
        if self.dtype not in ("float32", "float64"):
            problems.append(f"dtype={self.dtype!r} ('float32' or 'float64')")
        if problems:
            raise GlassnetError(f"train got {', '.join(problems)}; each needs what stands in parentheses.")
        if self.engine not in ENGINES:
            raise GlassnetError(unknown_name("engine", self.engine, ENGINES))
        object.__setattr__(self, "seed", check_seed(self.seed))
        if isinstance(self.optimizer, LBFGS | LeastSquares | Newton) and size is not None:
            name = type(self.optimizer).__name__
            raise GlassnetError(f"{name} got batch_size={size}; it needs full batches (batch_size=None).")
        if self.augmentation is not None:
            self._check_augmentation()

    def _check_augmentation(self) -> None:
        if not isinstance(self.augmentation, Augmentation):
            raise GlassnetError(
                f"train got augmentation={self.augmentation!r}; it needs an Augmentation, e.g. gn.Augmentation(shift=2)."
            )
        if isinstance(self.optimizer, LBFGS | LeastSquares | Newton):
            raise GlassnetError(
                f"{type(self.optimizer).__name__} got an augmentation, and it needs the same samples in every iteration; "
                "leave augmentation out, or choose another optimiser, such as Adam()."
            )
        self.augmentation.check(self.network)

    def derivation(self) -> Derivation:
        """The equations of this training."""
        return derive(
            self.network, self.loss, self.optimizer, l1=self.l1, l2=self.l2, penalty_on=self.penalty_on,
            sample_weight=self.weighted,
        )  # fmt: skip

    def batches(self, samples: int) -> int:
        """Updates an epoch; the last, smaller batch counts."""
        return 1 if self.batch_size is None else math.ceil(samples / self.batch_size)

    def to_plain(self) -> dict[str, Any]:
        """The settings as a JSON object."""
        plain = {f.name: to_plain(getattr(self, f.name)) for f in dataclasses.fields(self) if f.name != "network"}
        layers = [to_plain(layer) for layer in self.network.layers]
        return {"network": {"input_shape": list(self.network.input_shape), "layers": layers}, **plain}

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as the JSON object: functions within a network or a loss are looked up again, not pickled."""
        return type(self).from_plain, (self.to_plain(),)

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Settings:
        """The settings that `to_plain` was called on.

        Raises
        ------
        GlassnetError : fields that are missing or unknown
        """
        try:
            described = dict(plain)
            network = described.pop("network")
            layers = [from_plain(layer, {**KNOWN, **LAYERS}) for layer in network["layers"]]
            known = {**KNOWN, Augmentation.__name__: Augmentation}
            fields = {"penalty_on": "mean", **{name: from_plain(value, known) for name, value in described.items()}}
            return cls(network=Network(tuple(network["input_shape"]), *layers), **fields)
        except (KeyError, TypeError) as problem:
            raise GlassnetError(f"The stored settings are not those of a training ({problem}).") from None


def _count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
