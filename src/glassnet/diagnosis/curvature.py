"""The largest curvature λmax of a cost: how long a step of gradient descent may be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import eigh_tridiagonal

from glassnet.engines.base import Batch
from glassnet.engines.reference import ReferenceEngine
from glassnet.equations.curvature import hessian_vector
from glassnet.equations.derive import Derivation, check_network, derive
from glassnet.equations.losses import Loss
from glassnet.equations.schedules import check_positive, check_whole
from glassnet.errors import GlassnetError
from glassnet.network import Network
from glassnet.training.arrays import check_samples, sparse


@dataclass(frozen=True, eq=False)
class Curvature:
    """The largest curvature of a cost at one place.

    Attributes
    ----------
    value : λmax, the largest eigenvalue of the Hessian (the largest, not the one of largest size: only where the cost
        bends upwards can a step overshoot)
    vector : its direction by parameter, of length 1 in all
    products : how many Hessian-vector products it took
    converged : whether the residual came below the tolerance
    residual : ‖H v − λmax v‖, which bounds how far an eigenvalue is from `value`
    """

    value: float
    vector: dict[str, np.ndarray]
    products: int
    converged: bool
    residual: float

    def steady_rate(self, momentum: float = 0.0, nesterov: bool = False) -> float:
        """The rate above which gradient descent on a quadratic of this curvature diverges; infinite if λmax ≤ 0.

            2 / λmax                        plain
            2 (1 + μ) / λmax                with momentum μ
            2 (1 + μ) / ((1 + 2 μ) λmax)    with Nesterov's momentum μ

        Source: Polyak, Some methods of speeding up the convergence of iteration methods, 1964; each is where the step's
        matrix on a parabola has the eigenvalue −1.
        """
        if self.value <= 0:
            return float("inf")
        limit = 2 * (1 + momentum) / self.value
        return limit / (1 + 2 * momentum) if nesterov else limit


def largest_curvature(
    network: Network,
    X: Any,
    Y: Any,
    *,
    loss: str | Loss | None = None,
    l1: float = 0.0,
    l2: float = 0.0,
    penalty_on: str = "mean",
    sample_weight: Any = None,
    parameters: Mapping[str, Any] | None = None,
    seed: int = 0,
    rows: int | None = 512,
    tolerance: float = 1e-8,
    most: int = 300,
) -> Curvature:
    """The largest eigenvalue λmax of the cost's Hessian, from exact Hessian-vector products.

    Gradient descent at a rate above 2/λmax overshoots along that eigenvector: on a quadratic it diverges. The products are
    those of power iteration; Lanczos's method takes the best vector of all of them instead of the last one.

    Parameters
    ----------
    network, loss, l1, l2, penalty_on, sample_weight : as in `gn.train`
    X : (m, features) or images; Y : (m, outputs), or class numbers under a loss of classes
    parameters : where to look; the network's initial ones for names left out
    seed : for the initial parameters and for the first direction
    rows : at most so many rows, taken evenly over the data; None for all
    tolerance : converged when ‖H v − λ v‖ is below this share of λ
    most : at most so many products

    Batch normalisation uses the batch's own mean and variance; dropout drops nothing. Of a cost with kinks (relu) it is the
    curvature between them.

    Returns
    -------
    Curvature

    Raises
    ------
    GlassnetError : settings or data that `gn.train` refuses; values that are not finite

    Source: Lanczos, 1950; Golub and Van Loan, Matrix Computations, §10.1.
    """
    check_network("largest_curvature", network)
    check_whole("largest_curvature", most=most, **({} if rows is None else {"rows": rows}))
    check_positive("largest_curvature", tolerance=tolerance)
    derivation = derive(
        network, loss, "sgd", l1=l1, l2=l2, penalty_on=penalty_on, sample_weight=sample_weight is not None
    )
    samples = check_samples(X, Y, sample_weight, network, derivation.loss, "float64")
    count = len(samples)
    if rows is not None and rows < count:
        samples = samples.take(np.unique(np.linspace(0, count - 1, rows).astype(int)))
    start = dict(network.initial_parameters(seed))
    start.update(_given(parameters or {}, start))
    engine = ReferenceEngine(derivation)
    X = samples.X.toarray() if sparse(samples.X) else samples.X
    batch = Batch(X, samples.Y, samples.w, unmasked(derivation, len(samples)))
    with np.errstate(all="ignore"):
        values = engine.values(engine.initial_state(start), batch)
    return curvature_at(derivation, values, seed=seed, tolerance=tolerance, most=most)


def _given(parameters: Mapping[str, Any], initial: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    unknown = [str(name) for name in parameters if name not in initial]
    if unknown:
        raise GlassnetError(
            f"largest_curvature got parameters named {', '.join(unknown)}; the network's are {', '.join(initial)}."
        )
    arrays = {name: np.asarray(value, dtype=np.float64) for name, value in parameters.items()}
    for name, array in arrays.items():
        if array.shape != initial[name].shape:
            raise GlassnetError(
                f"largest_curvature got parameters['{name}'] of shape {array.shape}; it needs {initial[name].shape}."
            )
    return arrays


def unmasked(derivation: Derivation, count: int) -> dict[str, np.ndarray]:
    """Dropout masks for `count` rows that leave every value as it is: 1 − rate everywhere."""
    return {
        name: np.full((count, *(int(d) for d in mask.shape[1:])), 1.0 - rate)
        for name, (mask, rate) in derivation.masks.items()
    }


def curvature_at(
    derivation: Derivation, values: Mapping[str, Any], *, seed: int = 0, tolerance: float = 1e-8, most: int = 300
) -> Curvature:
    """λmax where a step's `values` (by equation name, float64) were computed.

    Raises
    ------
    GlassnetError : a value is not finite
    """
    shapes = {p.name: np.shape(values[p.name]) for p in derivation.parameters}
    wrong = next(
        (e.name for e in (*derivation.forward, *derivation.backward) if not np.isfinite(values[e.name]).all()), None
    )
    if wrong is not None:
        raise GlassnetError(
            f"The curvature got '{wrong}' with values that are not finite; it needs a finite first step."
        )

    def apart(flat: np.ndarray) -> dict[str, np.ndarray]:
        parts, begin = {}, 0
        for name, shape in shapes.items():
            end = begin + int(np.prod(shape))
            parts[name] = flat[begin:end].reshape(shape)
            begin = end
        return parts

    def product(flat: np.ndarray) -> np.ndarray:
        found = hessian_vector(derivation, values, apart(flat))
        return np.concatenate([found[name].ravel() for name in shapes])

    first = np.random.default_rng(seed).normal(size=sum(int(np.prod(shape)) for shape in shapes.values()))
    value, vector, products, residual = lanczos(product, first, tolerance, most)
    return Curvature(value, apart(vector), products, residual <= tolerance * abs(value), residual)


def lanczos(
    product: Callable[[np.ndarray], np.ndarray], first: np.ndarray, tolerance: float, most: int
) -> tuple[float, np.ndarray, int, float]:
    """The largest eigenvalue of a symmetric matrix given by its products: (value, vector, products, residual).

        H Q = Q T + β q eᵀ      T tridiagonal, Q orthonormal

    The largest eigenvalue of T approaches that of H from below. Q is kept orthogonal by subtracting its earlier columns
    twice at every step; after as many steps as H has rows it is exact.
    """
    basis = [first / np.linalg.norm(first)]
    diagonal: list[float] = []
    beside: list[float] = []
    while True:
        q = basis[-1]
        w = product(q)
        diagonal.append(float(q @ w))
        Q = np.stack(basis)
        size = float(np.linalg.norm(w))
        for _ in range(2):
            w = w - Q.T @ (Q @ w)
        left = float(np.linalg.norm(w))
        values, vectors = eigh_tridiagonal(
            np.array(diagonal), np.array(beside), select="i", select_range=(len(basis) - 1, len(basis) - 1)
        )
        value, weights = float(values[0]), vectors[:, 0]
        residual = left * abs(float(weights[-1]))
        exhausted = len(basis) == len(first) or left <= 1e-14 * size or size == 0.0
        if exhausted or residual <= 0.5 * tolerance * abs(value) or len(basis) >= most:
            vector = weights @ Q
            vector = vector / np.linalg.norm(vector)
            # A sign that does not depend on rounding.
            vector = vector * (1.0 if vector[np.abs(vector).argmax()] > 0 else -1.0)
            return value, vector, len(basis), 0.0 if exhausted else residual
        basis.append(w / left)
        beside.append(left)
