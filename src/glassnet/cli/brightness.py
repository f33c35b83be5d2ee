"""Numbers as brightness: how the answer of a filter becomes a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from glassnet.cli.source import Array

RANGES = ("auto", "clip", "centre", "stretch")
GAP = 2
"""White pixels between a picture and the original beside it."""
NEAR = 1e-9
HOW_SAID = {
    "centre": "with 0 as mid-grey",
    "stretch": "from its smallest as black to its largest as white",
    "clip": "as they are, cut off at black and white",
}


def kernel_sum(kernel: Any) -> float | None:
    """The sum of a kernel's entries; None for the gradient's magnitude, which is never below 0."""
    import numpy as np

    from glassnet.filters import KERNELS

    if not isinstance(kernel, str):
        return float(np.sum(kernel))
    name = kernel.strip().lower().replace("-", "_").replace(" ", "_")
    return float(KERNELS[name].sum()) if name in KERNELS else None


def as_bytes(answer: Array, how: str, white: float, total: float | None) -> tuple[Array, str]:
    """Numbers as brightness 0 to 255, and how, in words.

    "auto" leaves the values of a kernel with the sum 1 as they are, shows 0 as mid-grey for a kernel with the sum 0, and
    stretches others.
    """
    import numpy as np

    low, top = float(answer.min()), float(answer.max())
    if how == "auto":
        how = (
            "stretch" if total is None else "clip" if abs(total - 1) < NEAR else "centre" if abs(total) < NEAR else how
        )
        how = "stretch" if how == "auto" else how
    if how == "clip":
        outside = float(np.mean((answer < 0) | (answer > white)))
        scaled = np.asarray(answer, np.float64) * (255 / white)
        said = "shown as they are" + (f", {outside:.1%} of them cut off at black or white" if outside else "")
    elif how == "centre":
        most = max(abs(low), abs(top)) or 1.0
        scaled = 127.5 + np.asarray(answer, np.float64) * (127.5 / most)
        said = f"shown with 0 as mid-grey, {-most:.6g} black and {most:.6g} white"
    else:
        spread = (top - low) or 1.0
        scaled = (np.asarray(answer, np.float64) - low) * (255 / spread)
        said = f"shown from {low:.6g} as black to {top:.6g} as white"
    return np.rint(scaled).clip(0, 255).astype(np.uint8), said


def side_by_side(original: Array, answer: Array) -> Array:
    """The original and the answer side by side, on white."""
    import numpy as np

    high = max(len(original), len(answer))
    colour = original.ndim == 3 or answer.ndim == 3
    both = np.full((high, original.shape[1] + GAP + answer.shape[1], *((3,) if colour else ())), 255, np.uint8)
    for part, left in ((original, 0), (answer, original.shape[1] + GAP)):
        top = (high - len(part)) // 2
        filled = part[..., None] if colour and part.ndim == 2 else part
        both[top : top + len(part), left : left + part.shape[1]] = filled
    return both
