"""Films of a training: panels side by side that move over its iterations.

Every frame shows a state the training really had; only where easing is asked for are there frames between two such states, and
these say so.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glassnet.errors import GlassnetError, unknown_name
from glassnet.views.film_files import GifWriter, Mp4Place, Mp4Writer, check_place, gif_hundredths, page_bytes, renamed
from glassnet.views.film_frames import Instant, film_iterations, instants, mixed, states_of
from glassnet.views.film_images import FeatureMaps, Filters, layer_weights
from glassnet.views.film_layers import Activations, Diagram
from glassnet.views.film_panels import Boundary, Cost
from glassnet.views.film_progress import FilmProgress
from glassnet.views.film_stage import Setting, Stage, caption

if TYPE_CHECKING:
    from glassnet.training.run import Run

Picture = NDArray[np.uint8]

PANELS: dict[str, Callable[[Setting], Any]] = {
    "boundary": Boundary, "network": Diagram, "cost": Cost, "weights": layer_weights, "activations": Activations,
    "filters": Filters, "feature_maps": FeatureMaps,
}  # fmt: skip
SMALLEST, LARGEST = 120, 4000
PALETTE_FRAMES = 5
"""So many frames, spread over the film, decide on a GIF's colours."""


class Film:
    """A training as moving pictures: `film.save("flower.gif")`, and a notebook shows it by itself.

    Parameters
    ----------
    run : what is shown, and only it
    kinds : "boundary" (over two features), "network", "cost", "weights", "activations" (histograms by layer); of an image
        network "filters" and "feature_maps" (of one picture); or several
    frames : how many, at most; a training of fewer iterations has a frame for each
    spacing : "log" has frames at equal ratios of iterations, so that the start is not over in one; "linear" at equal distances
    size : pixels across and down; (900, 400) unless given, and for one panel (600, 500)
    fps : frames a second
    ease : frames between two neighbouring states that glide from one to the other; they say so. None has none
    sample : shades the units of the network by their activations: a row number of the training data, or its features; the
        picture whose feature maps are shown (row 0 unless given)
    most : units of a layer that the network shows at most
    layer : whose weights, filters or feature maps are shown
    stage : of the feature maps: Z (the sums), A (the activations), P (pooled), B (batch norm), ...
    features, plane, at : over which plane the boundary is drawn, as for `plot_boundary`

    Attributes
    ----------
    iterations : those whose states are shown, from 0 to the last
    instants : what each frame shows

    Raises
    ------
    GlassnetError : nothing to show, a panel this run cannot have, or options that cannot be used
    """

    def __init__(
        self,
        run: Run,
        kinds: str | Sequence[str] = ("boundary", "network", "cost"),
        *,
        frames: int = 100,
        spacing: str = "log",
        size: tuple[int, int] | None = None,
        fps: float = 12,
        ease: int | None = None,
        sample: Any = None,
        most: int = 10,
        layer: int = 1,
        stage: str = "A",
        features: Sequence[str | int] | None = None,
        plane: str | None = None,
        at: str = "mean",
    ) -> None:
        self.run = run
        self.kinds = _checked_kinds(kinds)
        self.size = _checked_size(size, len(self.kinds))
        if isinstance(fps, bool) or not isinstance(fps, int | float | np.number) or not 0 < fps <= 50:
            raise GlassnetError(f"A film got fps={fps!r}; it needs a number of frames a second above 0, at most 50.")
        self.fps = float(fps)
        if run.iteration == 0:
            raise GlassnetError("This run has made no update, so nothing moves; train for an epoch or more.")
        self.iterations = film_iterations(run.iteration, frames, spacing)
        self.instants = instants(self.iterations, ease)
        self.options = {
            "spacing": spacing, "sample": sample, "most": most, "layer": layer, "stage": stage,
            "features": features, "plane": plane, "at": at,
        }  # fmt: skip
        run._need_data("make a film of its iterations")

    def __len__(self) -> int:
        return len(self.instants)

    def __repr__(self) -> str:
        panels = ", ".join(self.kinds)
        length = f"{len(self)} frames, {len(self) / self.fps:.1f} s"
        return f"<Film of {panels}: {length}, iterations {self.iterations[0]} to {self.iterations[-1]}>"

    @cached_property
    def stage(self) -> Stage:
        """The figure, built when the first frame is drawn.

        Raises
        ------
        GlassnetError : a panel that this run cannot have
        """
        panels = [PANELS[kind] for kind in self.kinds]
        return Stage(self.run, panels, self.size, self.options)

    def frame(self, number: int) -> Picture:
        """One frame as an array (height, width, 3) of 0 to 255; negative numbers count from the end.

        Raises
        ------
        GlassnetError : no such frame
        """
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or not -len(self) <= number < len(self):
            raise GlassnetError(f"film.frame got {number!r}; this film has the frames 0 to {len(self) - 1}.")
        instant = self.instants[number]
        state = self.run.at(instant.before).state
        if instant.eased:
            state = mixed(state, self.run.at(instant.after).state, instant.share)
        return self.stage.draw(instant, state)

    def frames(self) -> Iterator[Picture]:
        """Every frame in its order, one at a time; the training is walked through once."""
        for instant, state in states_of(self.run, self.instants):
            yield self.stage.draw(instant, state)

    def save(self, path: str | os.PathLike[str], progress: bool = False) -> Path:
        """Write the film as .gif, .mp4 (through ffmpeg) or .html (a page with a player); returns the path.

        One frame is held at a time, and the file takes its name once it is whole.

        Parameters
        ----------
        progress : a bar on a terminal, lines elsewhere

        Raises
        ------
        GlassnetError : another ending, a place that cannot be written, no ffmpeg
        """
        place = Path(path)
        check_place(place)
        self.stage  # noqa: B018 - a panel that cannot be is said before a file is begun
        writing = {".gif": self._write_gif, ".mp4": self._write_mp4, ".html": self._write_html}
        with FilmProgress(progress, len(self)) as shown:
            writing[place.suffix.lower()](place, shown)
        return place

    def _write_gif(self, place: Path, shown: FilmProgress) -> None:
        chosen = np.unique(np.linspace(0, len(self) - 1, PALETTE_FRAMES).round().astype(int))
        samples = [self.frame(int(number)) for number in chosen]
        with renamed(place) as file:
            writer = GifWriter(file, self.size, samples, gif_hundredths(len(self), self.fps))
            for picture in shown.over(self.frames()):
                writer.add(picture)
            writer.finish()

    def _write_mp4(self, place: Path, shown: FilmProgress) -> None:
        with Mp4Place(place) as temporary:
            writer = Mp4Writer(temporary, self.size, self.fps)
            try:
                for picture in shown.over(self.frames()):
                    writer.add(picture)
                writer.finish()
            finally:
                writer.stop()

    def _write_html(self, place: Path, shown: FilmProgress) -> None:
        with renamed(place) as file:
            for part in self._page(shown):
                file.write(part.encode())

    def _page(self, shown: FilmProgress) -> Iterator[str]:
        """The player's page in pieces: what stands before the frames, each frame, what stands after them."""
        from glassnet.views.pages import page

        text = page(
            "player", title=self._title(), modules=("player",), styles=("player",), width=self.size[0], height=self.size[1],
            label=f"Film of the training: {', '.join(self.kinds)}",
            data={
                "film": {"fps": self.fps, "captions": [caption(self.run, instant) for instant in self.instants]},
                "frames": [FRAMES],
            },
        )  # fmt: skip
        before, after = text.split(f'"{FRAMES}"')
        yield before
        for number, picture in enumerate(shown.over(self.frames())):
            kind, held = page_bytes(picture)
            yield ("," if number else "") + f'"data:{kind};base64,{base64.b64encode(held).decode("ascii")}"'
        yield after

    def _title(self) -> str:
        return f"A training as a film: {self.run.network}"

    def _repr_html_(self) -> str:
        from html import escape

        page = escape("".join(self._page(FilmProgress(False, len(self)))), quote=True)
        width, height = self.size
        # The player's buttons stand below the picture.
        return (
            f'<iframe title="{escape(self._title(), quote=True)}" sandbox="allow-scripts" srcdoc="{page}" loading="lazy" '
            f'style="width:100%;max-width:{width + 24}px;height:{height + 120}px;border:0"></iframe>'
        )


FRAMES = "the frames of the film"


def _checked_kinds(kinds: str | Sequence[str]) -> list[str]:
    chosen = [kinds] if isinstance(kinds, str) else list(kinds)
    if not chosen:
        raise GlassnetError(f"A film got no panels; it needs one or more of {', '.join(PANELS)}.")
    for kind in chosen:
        if kind not in PANELS:
            raise GlassnetError(unknown_name("panel of a film", kind, PANELS))
    twice = next((kind for kind in chosen if chosen.count(kind) > 1), None)
    if twice is not None:
        raise GlassnetError(f"A film got the panel '{twice}' twice; name each panel once.")
    return chosen


def _checked_size(size: tuple[int, int] | None, panels: int) -> tuple[int, int]:
    if size is None:
        return (600, 500) if panels == 1 else (900, 400) if panels <= 3 else (900, 700)
    whole = isinstance(size, Sequence) and not isinstance(size, str) and len(size) == 2
    whole = whole and all(isinstance(side, int | np.integer) and not isinstance(side, bool) for side in size)
    if not whole or not all(SMALLEST <= side <= LARGEST for side in size):
        raise GlassnetError(
            f"A film got size={size!r}; it needs pixels across and down, such as (900, 400), each from {SMALLEST} to {LARGEST}."
        )
    return int(size[0]), int(size[1])


__all__ = ["PANELS", "Film", "Instant"]
