"""Families of distributions: what a network of one layer is called when statisticians fit it, and their formulas.

The curvature of the log-likelihood is not written here: it is derived, as the slope of the backward line dZ1 by Z1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field as declared

import numpy as np
from scipy.special import betainc, gammaln, ndtr, ndtri, stdtrit, xlogy

from glassnet.equations.derive import Derivation
from glassnet.equations.direct import curvature_along, slope_by_scores
from glassnet.equations.expression import Expression, Symbol, symbols
from glassnet.equations.simplify import tidied
from glassnet.errors import GlassnetError

Array = np.ndarray


def softplus(eta: Array) -> Array:
    """log(1 + e^η), without overflow."""
    return np.asarray(np.logaddexp(0.0, eta))


def _binomial_deviance(y: Array, eta: Array) -> Array:
    entropy = xlogy(y, y) + xlogy(1 - y, 1 - y)
    return np.asarray(np.maximum(2 * (entropy + y * softplus(-eta) + (1 - y) * softplus(eta)), 0.0))


def _poisson_deviance(y: Array, eta: Array) -> Array:
    return np.asarray(np.maximum(2 * (xlogy(y, y) - y * eta - y + np.exp(eta)), 0.0))


def _binomial_log_likelihood(y: Array, eta: Array, w: Array, deviance: float) -> float:
    trials, successes = np.round(w), np.round(w * y)
    ways = gammaln(trials + 1) - gammaln(successes + 1) - gammaln(trials - successes + 1)
    return float((ways - successes * softplus(-eta) - (trials - successes) * softplus(eta)).sum())


def _poisson_log_likelihood(y: Array, eta: Array, w: Array, deviance: float) -> float:
    if (y != np.round(y)).any():
        return -math.inf
    return float((w * (y * eta - np.exp(eta) - gammaln(y + 1))).sum())


def _gaussian_log_likelihood(y: Array, eta: Array, w: Array, deviance: float) -> float:
    m = len(y)
    if deviance == 0:
        return math.inf
    return -0.5 * (m * (math.log(2 * math.pi * deviance / m) + 1) - float(np.log(w).sum()))


@dataclass(frozen=True)
class Family:
    """A distribution of y around μ = g⁻¹(η), η = XW + b, with its canonical link g.

                  link g(μ)          variance V(μ)   deviance d of one row (times its weight w)
        binomial  log(μ / (1 − μ))   μ(1 − μ)        2 [y log(y/μ) + (1 − y) log((1 − y)/(1 − μ))]
        poisson   log μ              μ               2 [y log(y/μ) − (y − μ)]
        gaussian  μ                  1               (y − μ)²

    Log-likelihood, as R counts it:

        binomial  Σ log C(n, k) + k log μ + (n − k) log(1 − μ),   n = round(w) trials, k = round(w y) successes
        poisson   Σ w (y log μ − μ − log y!);  −∞ when a y is no whole number
        gaussian  −½ [m (log(2π D / m) + 1) − Σ log w],   D = Σ w (y − μ)²

    Attributes
    ----------
    name, link : R's names
    loss, activation : the network's, whose cost is the negative log-likelihood up to a constant
    known_dispersion : whether the dispersion is 1 rather than estimated
    inverse_link, link_function, variance : functions of η or μ
    deviances : (y, η) -> d of each row, weight 1
    log_likelihood : (y, η, w, D) -> number

    Source: McCullagh and Nelder, Generalized Linear Models, 2nd ed., 1989, chapter 2.
    """

    name: str
    link: str
    loss: str
    activation: str
    known_dispersion: bool
    inverse_link: Callable[[Array], Array] = declared(compare=False, repr=False)
    link_function: Callable[[Array], Array] = declared(compare=False, repr=False)
    variance: Callable[[Array], Array] = declared(compare=False, repr=False)
    deviances: Callable[[Array, Array], Array] = declared(compare=False, repr=False)
    log_likelihood: Callable[[Array, Array, Array, float], float] = declared(compare=False, repr=False)

    @property
    def statistic(self) -> str:
        """ "z", or "t" when the dispersion is estimated."""
        return "z" if self.known_dispersion else "t"


def _expit(eta: Array) -> Array:
    return np.asarray(np.exp(-softplus(-eta)))


BINOMIAL = Family(
    "binomial", "logit", "binary_cross_entropy", "sigmoid", True,
    _expit, lambda mu: np.log(mu) - np.log1p(-mu), lambda mu: mu * (1 - mu),
    _binomial_deviance, _binomial_log_likelihood,
)  # fmt: skip
POISSON = Family(
    "poisson", "log", "poisson", "exp", True,
    np.exp, np.log, lambda mu: mu, _poisson_deviance, _poisson_log_likelihood,
)  # fmt: skip
GAUSSIAN = Family(
    "gaussian", "identity", "mean_squared_error", "linear", False,
    lambda eta: eta, lambda mu: mu, np.ones_like, lambda y, eta: (y - eta) ** 2, _gaussian_log_likelihood,
)  # fmt: skip

FAMILIES = {family.name: family for family in (BINOMIAL, POISSON, GAUSSIAN)}


def family_of(derivation: Derivation) -> Family:
    """The family whose likelihood this one-layer network maximises.

    Raises
    ------
    GlassnetError : another loss or activation, or more than one layer
    """
    for family in FAMILIES.values():
        if derivation.loss.name == family.loss and derivation.output_activation.name == family.activation:
            return family
    known = "; ".join(f"{f.loss} over {f.activation} ({f.name})" for f in FAMILIES.values())
    raise GlassnetError(
        f"Statistics of a generalised linear model got {derivation.loss.name} over {derivation.output_activation.name}; "
        f"they need one of: {known}."
    )


class Curvature:
    """Slope and curvature of the summed loss by Z1, taken from the run's own equations.

        slope        s(Z) = dZ1                     with m (or S) = 1: the sum over samples instead of the mean
        curvature    C(Z)·V = (∂dZ1/∂Z1)ᵀ V        row by row, by the same chain rule that derived dZ1

    For the canonical links C is the expected curvature too, so Fisher scoring and Newton's method are one, and the
    information matrix is Xᵀ C X: observed and expected.
    """

    def __init__(self, derivation: Derivation) -> None:
        scores = Symbol("Z1", derivation["Z1"].shape)
        slope = slope_by_scores(derivation.forward, derivation.backward)
        self.slope_equation = tidied(slope)
        self.curvature_equation = curvature_along(slope, scores, Symbol("V", scores.shape))

    def slope(self, Z: Array, Y: Array, w: Array) -> Array:
        """∂(Σ w ℓ)/∂Z, (m, k)."""
        return self._value(self.slope_equation, Z, Y, w, Z)

    def along(self, Z: Array, Y: Array, w: Array, V: Array) -> Array:
        """The curvature of each row times V: for one output and V = 1, the weights of Fisher scoring; (m, k)."""
        return self._value(self.curvature_equation, Z, Y, w, V)

    def _value(self, equation: Expression, Z: Array, Y: Array, w: Array, V: Array) -> Array:
        with np.errstate(over="ignore", under="ignore"):
            value = equation.evaluate({"Z1": Z, "Y": Y, "w": w, "V": V, "m": 1.0, "S": 1.0}, np)
        weighted = any(symbol.name == "w" for symbol in symbols(equation))  # else the run had none: all are 1
        return np.broadcast_to(np.asarray(value, dtype=np.float64) * (1.0 if weighted else w), Z.shape)


def normal_p_values(z: Array) -> Array:
    """P(|N(0, 1)| > |z|)."""
    return np.asarray(2 * ndtr(-np.abs(z)))


def t_p_values(t: Array, df: float) -> Array:
    """P(|T| > |t|) = I_{ν/(ν + t²)}(ν/2, ½) with ν degrees of freedom; NaN when ν is 0."""
    if df <= 0:
        return np.full(np.shape(t), np.nan)
    return np.asarray(betainc(df / 2, 0.5, df / (df + np.square(t))))


def normal_quantile(p: float) -> float:
    """The p-quantile of N(0, 1)."""
    return float(ndtri(p))


def t_quantile(p: float, df: float) -> float:
    """The p-quantile of Student's t; NaN when there are no degrees of freedom."""
    return float(stdtrit(df, p)) if df > 0 else math.nan
