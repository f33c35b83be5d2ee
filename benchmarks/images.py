"""Stages of an image network, in plain NumPy: sizes, patches, and the float64 forward pass that judges every peer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Image = tuple[int, int, int]
"""Channels, height, width."""


@dataclass(frozen=True)
class Stage:
    """A convolution of square filters (stride 1), its activation, and a max pool of square windows that do not overlap.

    Attributes
    ----------
    filters : how many maps it makes
    kernel : height and width of a filter
    padding : zeros on every side
    pool : height and width of a pool's window
    """

    filters: int
    kernel: int
    padding: int
    pool: int

    def map_size(self, image: Image) -> tuple[int, int]:
        """Height and width after the convolution."""
        _, height, width = image
        return height + 2 * self.padding - self.kernel + 1, width + 2 * self.padding - self.kernel + 1

    def after(self, image: Image) -> Image:
        """What the next stage gets."""
        height, width = self.map_size(image)
        if height % self.pool or width % self.pool:
            raise ValueError(f"A map of {height} × {width} has no whole number of {self.pool} × {self.pool} windows.")
        return self.filters, height // self.pool, width // self.pool

    def products(self, image: Image) -> int:
        """Multiplications of one forward convolution of one image."""
        height, width = self.map_size(image)
        return height * width * self.filters * image[0] * self.kernel**2


def inputs_of(image: Image, stages: tuple[Stage, ...]) -> list[Image]:
    """What each stage gets, and last what is flattened."""
    found = [image]
    for stage in stages:
        found.append(stage.after(found[-1]))
    return found


def patches(A: np.ndarray, kernel: int, padding: int) -> np.ndarray:
    """The window at every place of every image as one row: (m · height · width, channels · kernel²)."""
    A = np.pad(A, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(A, (kernel, kernel), axis=(2, 3))
    m, channels, height, width = windows.shape[:4]
    return windows.transpose(0, 2, 3, 1, 4, 5).reshape(m * height * width, channels * kernel**2)


def convolved(A: np.ndarray, W: np.ndarray, padding: int) -> np.ndarray:
    """Cross-correlation by patches and one matrix product: (m, filters, height, width)."""
    filters, _, kernel, _ = W.shape
    height, width = (size + 2 * padding - kernel + 1 for size in A.shape[2:])
    product = patches(A, kernel, padding) @ W.reshape(filters, -1).T
    return product.reshape(len(A), height, width, filters).transpose(0, 3, 1, 2)


def windows_of(A: np.ndarray, pool: int) -> np.ndarray:
    """The entries of each window along the last axis: (m, channels, height, width, pool²)."""
    m, channels, height, width = A.shape
    cut = A.reshape(m, channels, height // pool, pool, width // pool, pool)
    return cut.transpose(0, 1, 2, 4, 3, 5).reshape(m, channels, height // pool, width // pool, pool * pool)
