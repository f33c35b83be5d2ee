"""Small two-dimensional problems with known shapes, drawn from a generator that is passed in.

Each function returns the points (n, 2) and their labels (n,), class after class.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Points = tuple[np.ndarray[Any, np.dtype[np.float64]], np.ndarray[Any, np.dtype[np.int64]]]


def _sizes(n: int, classes: int) -> list[int]:
    return [n // classes + (label < n % classes) for label in range(classes)]


def flower(n: int, noise: float, rng: np.random.Generator) -> Points:
    """Two classes on the petals of r = 4 sin 4t, the planar data of the tutorials.

    t = linspace(3.12 j, 3.12 (j + 1)) + noise, r = 4 sin 4t + noise, x = (r sin t, r cos t) for class j.

    Source: A. Ng and K. Katanforoosh, "Planar data classification with one hidden layer".
    """
    parts = []
    for label, count in enumerate(_sizes(n, 2)):
        t = np.linspace(label * 3.12, (label + 1) * 3.12, count) + noise * rng.standard_normal(count)
        r = 4 * np.sin(4 * t) + noise * rng.standard_normal(count)
        parts.append(np.column_stack([r * np.sin(t), r * np.cos(t)]))
    return np.concatenate(parts), np.repeat([0, 1], _sizes(n, 2))


def moons(n: int, noise: float, rng: np.random.Generator) -> Points:
    """Two interleaved half circles: (cos t, sin t) and (1 − cos t, ½ − sin t), t from 0 to π, plus noise."""
    upper, lower = (np.linspace(0, np.pi, count) for count in _sizes(n, 2))
    points = np.concatenate(
        [np.column_stack([np.cos(upper), np.sin(upper)]), np.column_stack([1 - np.cos(lower), 0.5 - np.sin(lower)])]
    )
    return points + noise * rng.standard_normal(points.shape), np.repeat([0, 1], _sizes(n, 2))


def circles(n: int, noise: float, rng: np.random.Generator) -> Points:
    """A circle of radius ½ (class 1) inside one of radius 1 (class 0), plus noise."""
    parts = []
    for radius, count in zip((1.0, 0.5), _sizes(n, 2), strict=True):
        t = np.linspace(0, 2 * np.pi, count, endpoint=False)
        parts.append(radius * np.column_stack([np.cos(t), np.sin(t)]))
    points = np.concatenate(parts)
    return points + noise * rng.standard_normal(points.shape), np.repeat([0, 1], _sizes(n, 2))


def blobs(n: int, noise: float, rng: np.random.Generator) -> Points:
    """Three round clouds around the corners of a triangle of radius 3; `noise` is their standard deviation."""
    corners = 3 * np.array([[np.sin(a), np.cos(a)] for a in 2 * np.pi * np.arange(3) / 3])
    labels = np.repeat([0, 1, 2], _sizes(n, 3))
    return corners[labels] + noise * rng.standard_normal((n, 2)), labels


def spiral(n: int, noise: float, rng: np.random.Generator) -> Points:
    """Three arms winding out of the origin: angle 4 j to 4 (j + 1) plus noise, radius 0 to 1, for class j.

    Source: A. Karpathy, CS231n notes, "Putting it together: minimal neural network case study".
    """
    parts = []
    for label, count in enumerate(_sizes(n, 3)):
        radius = np.linspace(0, 1, count)
        angle = np.linspace(label * 4, (label + 1) * 4, count) + noise * rng.standard_normal(count)
        parts.append(np.column_stack([radius * np.sin(angle), radius * np.cos(angle)]))
    return np.concatenate(parts), np.repeat([0, 1, 2], _sizes(n, 3))


def xor(n: int, noise: float, rng: np.random.Generator) -> Points:
    """Points even over the square from −1 to 1, class 1 where the signs differ; then moved a little by noise."""
    points = rng.uniform(-1, 1, size=(n, 2))
    labels = (points[:, 0] * points[:, 1] < 0).astype(np.int64)
    order = np.argsort(labels, kind="stable")
    return (points + noise * rng.standard_normal((n, 2)))[order], labels[order]
