"""How glassnet's pictures look: colours, markers, type sizes and the frame every picture shares.

The class colours are those of Okabe and Ito, told apart by colour-blind readers too; a marker goes with each, so that
a print in grey still says which is which. Sizes are for the back of a lecture hall.

Source: Okabe & Ito, Color Universal Design, 2008, https://jfly.uni-koeln.de/color/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

BLUE = "#0072B2"
VERMILLION = "#D55E00"
GREEN = "#009E73"
PURPLE = "#CC79A7"
ORANGE = "#E69F00"
SKY = "#56B4E9"
YELLOW = "#F0E442"
BLACK = "#000000"
# Okabe and Ito have eight; the ninth and tenth are darker than any of them but black.
INDIGO = "#332288"
BROWN = "#6B3A1E"

CLASS_COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, YELLOW, BLACK, INDIGO, BROWN)
CLASS_MARKERS = ("o", "^", "s", "D", "v", "P", "X", "p", "<", ">")

INK = "#1A1A1A"
GRID = "#D9D9D9"
TITLE_SIZE = 18
LABEL_SIZE = 16
TICK_SIZE = 14
LEGEND_SIZE = 13


def class_colour(index: int) -> str:
    """The colour of class `index`; after ten classes the colours come round again."""
    return CLASS_COLOURS[index % len(CLASS_COLOURS)]


def class_marker(index: int) -> str:
    """The marker of class `index`, shifted by one each time the colours come round, so that no pair repeats soon."""
    return CLASS_MARKERS[(index + index // len(CLASS_COLOURS)) % len(CLASS_MARKERS)]


def class_edge(index: int) -> str:
    """The edge of the markers of class `index`: white, but dark around the pale colours."""
    from matplotlib.colors import to_rgb

    return INK if luminance(to_rgb(class_colour(index))) > 0.35 else "white"


def luminance(colour: ArrayLike) -> NDArray[np.float64]:
    """Relative luminance of sRGB colours in [0, 1], shape (..., 3 or 4) → (...): 0 is black, 1 is white.

    Source: W3C, Web Content Accessibility Guidelines 2.1, "relative luminance".
    """
    rgb = np.asarray(colour, dtype=np.float64)[..., :3]
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    result: NDArray[np.float64] = np.asarray(linear @ np.array([0.2126, 0.7152, 0.0722]))
    return result


def ink_on(colour: ArrayLike) -> str:
    """Black or white, whichever has the greater contrast on `colour` (sRGB in [0, 1])."""
    light = float(luminance(colour))
    return "white" if 1.05 / (light + 0.05) > (light + 0.05) / 0.05 else "black"


def two_class_colormap() -> Colormap:
    """From the first class's colour through near-white at 1/2 to the second's."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("glassnet_two_classes", [BLUE, "#F7F7F7", VERMILLION])


def plain(text: object) -> str:
    """`text` as matplotlib should show it: a dollar is a dollar, and a leading underscore does not hide a legend entry.

    >>> plain("price ($)")
    'price (\\\\$)'
    """
    shown = str(text).replace("$", r"\$")
    return f" {shown}" if shown.startswith("_") else shown


def new_axes(width: float = 9.0, height: float = 6.5) -> Axes:
    """Axes on a figure of their own, in inches; no pyplot, so nothing global is kept and no window is needed."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained", facecolor="white").subplots()


def dress(ax: Axes, *, x: str, y: str, title: str | None = None, grid: bool = False) -> None:
    """Axis labels, title, type sizes and the light background of every picture."""
    ax.set_facecolor("white")
    ax.set_xlabel(plain(x), fontsize=LABEL_SIZE, color=INK)
    ax.set_ylabel(plain(y), fontsize=LABEL_SIZE, color=INK)
    if title is not None:
        longest = max(len(line) for line in title.split("\n"))
        size = float(np.clip(TITLE_SIZE * 46 / max(longest, 1), 12, TITLE_SIZE))  # some 46 letters go into one line
        ax.set_title(plain(title), fontsize=size, color=INK)
    ax.tick_params(labelsize=TICK_SIZE, colors=INK)
    if grid:
        ax.grid(True, color=GRID, linewidth=0.8)
        ax.set_axisbelow(True)


def colour_bar(ax: Axes, mappable: Any, label: str) -> None:
    """A colour bar beside `ax`, its label at the size of an axis label."""
    figure = ax.get_figure()
    assert figure is not None
    bar = figure.colorbar(mappable, ax=ax)
    bar.set_label(plain(label), fontsize=LABEL_SIZE, color=INK)
    bar.ax.tick_params(labelsize=TICK_SIZE, colors=INK)


def legend(ax: Axes, *, below: bool = False, last: str | None = None, loc: str = "best") -> None:
    """A legend at reading size; `below` puts it under the picture, where it hides no point.

    The line whose gid is `last` comes at the end, whenever it was drawn.
    """
    handles, labels = ax.get_legend_handles_labels()
    handles.sort(key=lambda handle: last is not None and handle.get_gid() == last)
    options: dict[str, Any] = {"fontsize": LEGEND_SIZE, "labelcolor": INK, "facecolor": "white", "loc": loc}
    if below:
        rows = -(-sum(len(label) + 6 for label in labels) // 62)  # some 62 letters go into one line
        options |= {"loc": "upper center", "bbox_to_anchor": (0.5, -0.13), "frameon": False}
        options["ncols"] = -(-len(labels) // rows)
    ax.legend(handles=handles, **options)
