"""Is every derived gradient the slope it claims to be? Central differences say so, line by line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.equations.checked_samples import read_parameters, read_samples, read_weights
from glassnet.equations.derive import Derivation, check_network, derive
from glassnet.equations.draws import generator, keep_mask
from glassnet.equations.losses import Loss
from glassnet.equations.schedules import check_positive, check_whole, plain
from glassnet.errors import GlassnetError

if TYPE_CHECKING:
    from glassnet.network import Network

TOLERANCE = 1e-6
ROUNDING = 1e-9
"""Differences of a cost near 1 carry about this much rounding; slopes below it cannot be told from zero."""

BENT = 0.2
"""Slopes on two sides that differ by more than this share are looked at again, with a smaller step."""
SMALL_VARIANCE = 1e-5


def central_difference(
    cost: Callable[[Mapping[str, np.ndarray]], float],
    values: Mapping[str, np.ndarray],
    name: str,
    step: float = 1e-6,
    entries: np.ndarray | None = None,
) -> np.ndarray:
    """Numerical gradient of the cost with respect to one array.

        ∂J/∂θ ≈ (J(θ + h) − J(θ − h)) / 2h        error O(h²)

    Parameters
    ----------
    cost : callable, name -> array, to the cost
    values : float64 arrays by name; read, never written
    name : key of `values`
    step : h for entries up to 1 in size; larger entries take h in proportion
    entries : flat indices to differentiate by; all unless given

    Returns
    -------
    array of shape ``values[name].shape``, or one number an entry when `entries` is given

    Raises
    ------
    TypeError : the array is not float64 (float32 loses the digits the check needs)

    Source: Press et al., Numerical Recipes, §5.7.
    """
    original = values[name]
    if original.dtype != np.float64:
        raise TypeError(f"central_difference got '{name}' as {original.dtype}; it needs float64.")
    chosen = np.arange(original.size) if entries is None else entries
    slopes = np.empty(len(chosen))
    for position, index in enumerate(chosen):
        costs = []
        h = step * max(1.0, abs(float(original.flat[index])))
        for sign in (1.0, -1.0):
            moved = original.copy()
            moved.flat[index] += sign * h
            costs.append((cost({**values, name: moved}), float(moved.flat[index])))
        (above, high), (below, low) = costs
        slopes[position] = (above - below) / (high - low)
    return slopes.reshape(original.shape) if entries is None else slopes


@dataclass(frozen=True)
class CheckedGradient:
    """One line's comparison: largest entries, and the relative error of the whole array."""

    name: str
    shape: tuple[int, ...]
    checked: int
    derived: float
    numerical: float
    relative_error: float


@dataclass(frozen=True)
class GradientCheck:
    """What `gradcheck` found; `print` it for the table. `passed` is True when every error is below `tolerance`."""

    rows: tuple[CheckedGradient, ...]
    tolerance: float

    @property
    def max_relative_error(self) -> float:
        return float(np.max([row.relative_error for row in self.rows]))  # NaN if any is

    @property
    def passed(self) -> bool:
        return not self._wrong()

    @property
    def parameters(self) -> dict[str, float]:
        """Relative error by gradient name, for all lines checked."""
        return {row.name: row.relative_error for row in self.rows}

    def _wrong(self) -> list[str]:
        # Written so that an error of NaN counts as wrong.
        return [row.name for row in self.rows if not row.relative_error < self.tolerance]

    def __str__(self) -> str:
        head = f"{'gradient':<12}{'shape':<14}{'entries':>8}{'derived':>14}{'differences':>14}{'relative error':>17}"
        lines = [head]
        for row in self.rows:
            mark = "" if row.relative_error < self.tolerance else "   ← differs"
            shape = str(row.shape)
            lines.append(
                f"{row.name:<12}{shape:<14}{row.checked:>8}{row.derived:>14.6g}{row.numerical:>14.6g}"
                f"{row.relative_error:>17.2e}{mark}"
            )
        wrong = self._wrong()
        verdict = (
            f"{', '.join(wrong)} {'differs' if len(wrong) == 1 else 'differ'} from the slope of the cost "
            f"by more than {self.tolerance:g}."
            if wrong
            else f"All {len(self.rows)} gradients equal the slope of the cost to {self.tolerance:g} relative."
        )
        lines.append(verdict + " (derived, differences: the norm of each; error: ‖a − n‖ / (‖a‖ + ‖n‖))")
        return "\n".join(lines)


def gradcheck(
    network: Network,
    X: Any,
    Y: Any,
    loss: str | Loss | None = None,
    *,
    l1: float = 0.0,
    l2: float = 0.0,
    sample_weight: Any = None,
    parameters: Mapping[str, Any] | None = None,
    seed: int = 0,
    max_entries: int = 60,
    intermediates: bool = True,
    tolerance: float = TOLERANCE,
    derivation: Derivation | None = None,
) -> GradientCheck:
    """Compare every derived gradient with central differences of the cost.

        error = ‖derived − differences‖ / (‖derived‖ + ‖differences‖)

    Entries at which the cost has a kink (a relu at 0, a tie for the largest of a pool's window) are left out: it has a slope
    on each side only. Both the parameters' gradients (dW1, db1, ...) and those of every intermediate (dZ1, dA1, ...) are
    checked: an intermediate is moved entry by entry while the lines after it run on.

    Parameters
    ----------
    network, loss, l1, l2 : as in `gn.train`
    X : (m, features); Y : (m, outputs), or class numbers under a loss of classes; a few rows are enough
    sample_weight : (m,) weights, or None
    parameters : name -> array, the initial ones for names left out; unless given, the network's initial ones with
        biases moved off zero
    seed : for the initial parameters, the dropout masks, and which entries are checked
    max_entries : at most so many entries of each array, drawn at random
    intermediates : False checks the parameters only
    derivation : check these equations instead of deriving them (how a wrong rule is caught)

    Returns
    -------
    GradientCheck

    Raises
    ------
    GlassnetError : shapes that do not fit the network, numbers that are not finite, targets that do not fit the loss
    """
    check_network("gradcheck", network)
    max_entries, tolerance = plain(max_entries), plain(tolerance)
    check_whole("gradcheck", max_entries=max_entries)
    check_positive("gradcheck", tolerance=tolerance)
    if derivation is not None and not isinstance(derivation, Derivation):
        raise GlassnetError(f"gradcheck got {derivation!r} as the derivation; it needs what gn.derive returns.")
    derived = derivation or derive(network, loss, "sgd", l1=l1, l2=l2, sample_weight=sample_weight is not None)
    if derived.weighted != (sample_weight is not None):
        raise GlassnetError(
            f"gradcheck got a derivation {'with' if derived.weighted else 'without'} sample weights and sample_weight "
            f"{'left out' if derived.weighted else 'given'}; it needs both or neither."
        )
    inputs, targets = read_samples(X, Y, network, derived.loss)
    rng = generator(seed, "check", 0)
    start = _start(network, parameters, seed, rng)
    env: dict[str, Any] = {"X": inputs, "Y": targets, "m": float(len(inputs))}
    if sample_weight is not None:
        env["w"] = read_weights(sample_weight, len(inputs))
    for mask, rate in derived.masks.values():
        layer = int(mask.name[1:])
        kept = keep_mask(seed, 0, layer, (len(inputs), *(int(d) for d in mask.shape[1:])), rate)
        env[mask.name] = kept.astype(np.float64)

    def run(values: Mapping[str, np.ndarray], override: Mapping[str, np.ndarray] | None = None) -> dict[str, Any]:
        here = {**env, **values}
        for equation in derived.forward + derived.cost:
            moved = override.get(equation.name) if override else None
            here[equation.name] = equation.expression.evaluate(here, np) if moved is None else moved
        return here

    rows = []
    with np.errstate(all="ignore"):
        everything = run(start)
        for equation in derived.backward:
            everything[equation.name] = equation.expression.evaluate(everything, np)
        trained = {p.name for p in derived.parameters}
        largest = max(float(np.linalg.norm(everything[f"d{name}"])) for name in trained)
        for equation in derived.backward:
            name = equation.name[1:]
            if not equation.name.startswith("d") or (name not in trained and not intermediates):
                continue
            gradient = np.asarray(everything[equation.name], dtype=np.float64)
            where = np.sort(rng.permutation(gradient.size)[:max_entries])
            if name in trained:
                slopes, smooth = _slopes(lambda v: float(run(v)["J"]), start, name, where)
            else:
                stations = {name: np.asarray(everything[name], dtype=np.float64)}
                slopes, smooth = _slopes(lambda v: float(run(start, v)["J"]), stations, name, where)
            where, slopes = where[smooth], slopes[smooth]
            own = gradient.ravel()[where]
            size, other = float(np.linalg.norm(own)), float(np.linalg.norm(slopes))
            difference = float(np.linalg.norm(own - slopes))
            floor = ROUNDING * np.sqrt(len(where)) / tolerance
            error = difference / max(size + other, min(floor, 1e-3 * largest) or floor)
            rows.append(CheckedGradient(equation.name, gradient.shape, len(where), size, other, error))
    return GradientCheck(tuple(rows), tolerance)


def _slopes(
    cost: Callable[[Mapping[str, np.ndarray]], float], values: Mapping[str, np.ndarray], name: str, entries: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Numerical slopes by some entries of an array, and which of them are slopes.

    Where the slopes on the two sides differ, however small the step, the cost has a kink (a relu at 0, two equal entries of a
    pool's window) and no slope.
    """
    # A variance may be far below 1, and the cost bends on its scale.
    small = np.abs(values[name].ravel()[entries]) + SMALL_VARIANCE
    of_spread = name.rstrip("0123456789") in ("var", "sd")
    steps = 1e-5 * small if of_spread else 1e-6 * np.maximum(1.0, small)
    here = cost(values)
    above, below = _one_sided(cost, values, name, entries, steps, here)
    slopes, smooth = (above + below) / 2, np.ones(len(entries), dtype=bool)
    apart = np.abs(above - below)
    doubtful = np.flatnonzero(apart > BENT * np.maximum(np.abs(above), np.abs(below)) + 10 * ROUNDING)
    if len(doubtful):
        above, below = _one_sided(cost, values, name, entries[doubtful], steps[doubtful] / 8, here)
        smooth[doubtful] = np.abs(above - below) < apart[doubtful] / 2
        slopes[doubtful] = (above + below) / 2
    return slopes, smooth


def _one_sided(
    cost: Callable[[Mapping[str, np.ndarray]], float], values: Mapping[str, np.ndarray], name: str, entries: np.ndarray,
    steps: np.ndarray, here: float,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """(J(θ + h) − J(θ)) / h and (J(θ) − J(θ − h)) / h."""
    original = values[name]
    found = np.empty((2, len(entries)))
    for position, (index, step) in enumerate(zip(entries, steps, strict=True)):
        for side, sign in enumerate((1.0, -1.0)):
            moved = original.copy()
            moved.flat[index] += sign * step
            found[side, position] = (cost({**values, name: moved}) - here) / (
                float(moved.flat[index]) - float(original.flat[index])
            )
    return found[0], found[1]


def _start(
    network: Network, parameters: Mapping[str, Any] | None, seed: int, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    values = network.initial_parameters(seed)
    if parameters is not None:
        return read_parameters(parameters, values)
    return {name: v + 0.1 * rng.standard_normal(v.shape) if v.ndim == 1 else v for name, v in values.items()}
