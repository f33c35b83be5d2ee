"""Which samples an update sees: addressed by (seed, epoch), so any batch of any epoch can be made again."""

from __future__ import annotations

import numpy as np

from glassnet.engines.base import Batch
from glassnet.equations.derive import Derivation
from glassnet.equations.draws import ShuffledOrders, ShuffleStream, keep_mask, permutation
from glassnet.training.arrays import Samples
from glassnet.training.augmentation import ChangedPictures
from glassnet.training.settings import Settings


class Batches:
    """The batches of a training; the last one of an epoch may be smaller."""

    def __init__(self, settings: Settings, derivation: Derivation, samples: Samples) -> None:
        self.settings = settings
        self.samples = samples
        self.per_epoch = settings.batches(len(samples))
        self._layers = {name: int(name[1:]) for name in derivation.masks}
        self._masks = derivation.masks
        self._epoch = -1
        self._order: np.ndarray | None = None
        order = settings.shuffle
        self._orders = ShuffledOrders(order, len(samples)) if isinstance(order, ShuffleStream) else None
        self._pictures = changed_pictures(settings, samples)

    def batch(self, iteration: int) -> Batch:
        """The batch of the update that follows `iteration` earlier ones."""
        epoch, position = divmod(iteration, self.per_epoch)
        samples = self.samples
        rows: np.ndarray | slice = slice(None)
        if self.settings.batch_size is not None:
            start = position * self.settings.batch_size
            stop = min(start + self.settings.batch_size, len(samples))
            rows = self._shuffled(epoch)[start:stop] if self.settings.shuffle else np.arange(start, stop)
            samples = samples.take(rows)
        X = samples.X if self._pictures is None else self._pictures.of(epoch, rows, samples.X)
        masks = {
            name: keep_mask(
                self.settings.seed,
                iteration,
                self._layers[name],
                (len(samples), *(int(d) for d in symbol.shape[1:])),
                rate,
            ).astype(samples.X.dtype)
            for name, (symbol, rate) in self._masks.items()
        }
        return Batch(X, samples.Y, samples.w, masks)

    def order(self, epoch: int) -> np.ndarray:
        """The samples in the order in which an epoch takes them."""
        return self._shuffled(epoch) if self.settings.shuffle else np.arange(len(self.samples))

    def _shuffled(self, epoch: int) -> np.ndarray:
        if self._order is None or epoch != self._epoch:
            if self._orders is not None:
                self._order = self._orders.order(epoch)
            else:
                self._order = permutation(self.settings.seed, "shuffle", epoch, len(self.samples))
            self._epoch = epoch
        return self._order


def changed_pictures(settings: Settings, samples: Samples) -> ChangedPictures | None:
    """The pictures that training sees instead of those of the data; None without augmentation."""
    if settings.augmentation is None:
        return None
    return ChangedPictures(settings.augmentation, settings.seed, len(samples))
