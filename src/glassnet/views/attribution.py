"""Which pixels an answer rests on: the slope of a score by each pixel, and what is lost when pixels are covered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glassnet.equations.differentiate import gradients
from glassnet.equations.draws import check_seed
from glassnet.equations.expression import Expression, Function, Symbol
from glassnet.equations.layers import Equation
from glassnet.equations.simplify import add, tidied
from glassnet.errors import GlassnetError, unknown_name
from glassnet.views.image_stages import need_image, rows_at_once
from glassnet.views.rows import as_probabilities, class_names, gives_probabilities, state_of

if TYPE_CHECKING:
    from glassnet.engines.base import State
    from glassnet.equations.derive import Derivation
    from glassnet.training.run import Run

Array = NDArray[np.float64]

SALIENCY = "A saliency map"
OCCLUSION = "An occlusion map"


# The slope of a score by each pixel.


def score_line(derivation: Derivation) -> str:
    """The line that the scores of the classes are in: the sums before the output's activation, such as Z2."""
    right = derivation.inference[-1].expression
    if isinstance(right, Function) and isinstance(right.arguments[0], Symbol):
        return right.arguments[0].name
    return derivation.output.name


def input_gradient_lines(derivation: Derivation) -> list[Equation]:
    """The lines from ∂S/∂Z of the scores back to dX = ∂S/∂X, by the chain rule through the lines that predict.

    They are derived as the lines of training are, from the same forward lines, and print as these do.
    """
    start = score_line(derivation)
    forward = {line.name: line for line in derivation.inference}
    received: dict[str, list[Expression]] = {}
    lines: list[Equation] = []
    for name in [*list(forward)[list(forward).index(start) :: -1], "X"]:
        if name != start:
            if name not in received:
                continue
            total, *others = received[name]
            for other in others:
                total = add(total, other)
            layer = forward[name].layer if name in forward else None
            why = "how the score changes with each pixel" if name == "X" else "by the chain rule"
            lines.append(Equation(f"d{name}", "backward", layer, tidied(total), why))
        if name in forward:
            line = forward[name]
            for symbol, slope, _ in gradients(line.expression, Symbol(f"d{name}", line.shape)):
                if symbol.name in forward or symbol.name == "X":
                    received.setdefault(symbol.name, []).append(slope)
    return lines


def score_gradients(
    run: Run,
    X: Any,
    of: int | str | None = None,
    *,
    iteration: int | None = None,
    smooth: int = 0,
    noise: float = 0.1,
    seed: int = 0,
) -> Array:
    """∂S/∂X, how the score S of a class changes with each pixel, by the derived lines, the shape of X.

        S is the sum Z⁽ᴸ⁾ of the class before the output's activation; of a single output, Z for class 1 and −Z for class 0

    Parameters
    ----------
    X : pictures as the network takes them, (m, channels, height, width)
    of : the class, its number or its name; the one predicted for each picture unless given
    iteration : of the run, the one it ended with unless given
    smooth : so many copies of each picture with noise added, whose slopes are averaged; 0 takes the picture as it is
    noise : standard deviation of the noise, as a share of the picture's range
    seed : of the noise

    Raises
    ------
    GlassnetError : no images, no such class, settings that cannot be used

    Source: Simonyan, Vedaldi and Zisserman, Deep Inside Convolutional Networks, 2014; Smilkov et al., SmoothGrad, 2017.
    """
    shape = need_image(run, SALIENCY)
    if isinstance(smooth, bool) or not isinstance(smooth, int | np.integer) or smooth < 0 or not noise > 0:
        raise GlassnetError(
            f"{SALIENCY} got smooth={smooth!r} and noise={noise!r}; it needs a whole number of noisy copies, 0 or more, and a "
            "noise above 0."
        )
    state = state_of(run, iteration)
    inputs = np.asarray(run.inputs(X), dtype=np.float64).reshape(-1, *shape)
    codes = asked_classes(run, state, inputs, of, SALIENCY)
    lines = input_gradient_lines(run.derivation)
    size = rows_at_once(run)
    total = np.zeros_like(inputs)
    spread = noise * np.ptp(inputs, axis=(1, 2, 3), keepdims=True)
    for copy in range(max(1, smooth)):
        shown = inputs
        if smooth:
            draw = np.random.Generator(np.random.Philox(key=np.array([check_seed(seed), copy], dtype=np.uint64)))
            shown = inputs + spread * draw.standard_normal(inputs.shape)
        parts = [
            _slopes(run, state, lines, shown[i : i + size], codes[i : i + size]) for i in range(0, len(shown), size)
        ]
        total += np.concatenate(parts)
    return total / max(1, smooth)


def _slopes(run: Run, state: State, lines: list[Equation], X: Array, codes: NDArray[np.int64]) -> Array:
    """dX for some pictures, by the forward lines and then the lines back."""
    values: dict[str, Any] = {**state, "X": X, "m": float(len(X))}
    start = score_line(run.derivation)
    with np.errstate(all="ignore"):
        for line in run.derivation.inference:
            values[line.name] = line.expression.evaluate(values, np)
        scores = values[start]
        one = np.zeros(scores.shape)
        if len(class_labels(run)) == 2 and scores.shape[1] == 1:
            one[:, 0] = np.where(codes == 1, 1.0, -1.0)
        else:
            one[np.arange(len(codes)), codes] = 1.0
        values[f"d{start}"] = one
        for line in lines:
            values[line.name] = line.expression.evaluate(values, np)
    return np.asarray(np.broadcast_to(values["dX"], X.shape), dtype=np.float64)


# What is lost when pixels are covered.


def occlusion_drop(
    run: Run,
    X: Any,
    of: int | str | None = None,
    *,
    patch: int | tuple[int, int] | None = None,
    stride: int | tuple[int, int] | None = None,
    grey: float | None = None,
    iteration: int | None = None,
) -> Array:
    """How far the answer for a class drops when a grey patch covers a pixel, (m, height, width).

        drop(pixel) = mean over the patches that cover it of  P(class | picture) − P(class | picture with the patch)

    Parameters
    ----------
    X : pictures as the network takes them, (m, channels, height, width)
    of : the class, its number or its name; the one predicted for each picture unless given
    patch : pixels down and across; a quarter of the picture unless given
    stride : from one patch to the next; half a patch unless given
    grey : the patch's value, in the network's inputs; the mean of each channel of the picture unless given
    iteration : of the run, the one it ended with unless given

    Raises
    ------
    GlassnetError : no images, no such class, a patch or a stride that does not fit

    Source: Zeiler and Fergus, Visualizing and Understanding Convolutional Networks, 2014, §4.2.
    """
    channels, height, width = need_image(run, OCCLUSION)
    down, across = patch_size(run, patch)
    steps = _pair(stride if stride is not None else (max(1, down // 2), max(1, across // 2)), "stride", (down, across))
    state = state_of(run, iteration)
    inputs = np.asarray(run.inputs(X), dtype=np.float64).reshape(-1, channels, height, width)
    codes = asked_classes(run, state, inputs, of, OCCLUSION)
    tops, lefts = _starts(height, down, steps[0]), _starts(width, across, steps[1])
    places = [(top, left) for top in tops for left in lefts]
    drops = np.zeros((len(inputs), height, width))
    covered = np.zeros((height, width))
    for top, left in places:
        covered[top : top + down, left : left + across] += 1
    size = rows_at_once(run)
    for row, (picture, code) in enumerate(zip(inputs, codes, strict=True)):
        fill = picture.mean(axis=(1, 2), keepdims=True) if grey is None else float(grey)
        whole = answers(run, state, picture[None])[0, code]
        for start in range(0, len(places), size):
            some = places[start : start + size]
            copies = np.repeat(picture[None], len(some), axis=0)
            for copy, (top, left) in zip(copies, some, strict=True):
                copy[:, top : top + down, left : left + across] = fill
            for lost, (top, left) in zip(whole - answers(run, state, copies)[:, code], some, strict=True):
                drops[row, top : top + down, left : left + across] += lost
    return np.asarray(drops / covered)


def patch_size(run: Run, patch: int | tuple[int, int] | None) -> tuple[int, int]:
    """Rows and columns of the grey patch.

    Raises
    ------
    GlassnetError : no pixel, or larger than the picture
    """
    _, height, width = need_image(run, OCCLUSION)
    return _pair(patch if patch is not None else (max(1, height // 4), max(1, width // 4)), "patch", (height, width))


def _pair(given: Any, what: str, most: tuple[int, int]) -> tuple[int, int]:
    pair = (given, given) if np.ndim(given) == 0 else tuple(given)
    whole = len(pair) == 2 and all(isinstance(n, int | np.integer) and not isinstance(n, bool) for n in pair)
    if not whole or not all(1 <= n <= top for n, top in zip(pair, most, strict=True)):
        limit = "the picture" if what == "patch" else "the patch"
        raise GlassnetError(
            f"{OCCLUSION} got {what}={given!r}; it needs a whole number of pixels, or (down, across), from 1 to {limit}'s "
            f"{most[0]} × {most[1]}."
        )
    return int(pair[0]), int(pair[1])


def _starts(size: int, patch: int, stride: int) -> list[int]:
    """Where patches begin, so that every pixel is covered: the last one ends at the edge."""
    return sorted({*range(0, size - patch + 1, stride), size - patch})


# Classes.


def answers(run: Run, state: State, X: Array) -> Array:
    """What is said of each class: probabilities, or scores where there are none, (m, classes); of a quantity, the outputs."""
    outputs = np.asarray(run.outputs(state, X), dtype=np.float64)
    if gives_probabilities(run):
        return as_probabilities(outputs)
    single = outputs.shape[1] == 1 and len(class_labels(run)) == 2
    return np.hstack([-outputs, outputs]) if single else outputs


def class_labels(run: Run) -> list[str]:
    """The names of the classes, or of the outputs of a network that predicts none."""
    try:
        return class_names(run, SALIENCY)
    except GlassnetError:
        return [f"output {number}" for number in range(run.network.output_units)]


def asked_classes(run: Run, state: State, X: Array, of: int | str | None, picture: str) -> NDArray[np.int64]:
    """The class whose score is meant, for each picture: the one given, or the one predicted.

    Raises
    ------
    GlassnetError : there is no such class
    """
    names = class_labels(run)
    if of is None:
        size = rows_at_once(run)
        said = [answers(run, state, X[i : i + size]).argmax(axis=1) for i in range(0, len(X), size)]
        return np.concatenate(said).astype(np.int64)
    if isinstance(of, str) and of in names:
        return np.full(len(X), names.index(of), dtype=np.int64)
    if isinstance(of, int | np.integer) and not isinstance(of, bool) and 0 <= of < len(names):
        return np.full(len(X), int(of), dtype=np.int64)
    raise GlassnetError(unknown_name(f"class of {picture[0].lower()}{picture[1:]}", of, names))
