"""Films as files: GIF through Pillow, MP4 through ffmpeg, HTML with a player. One frame is held at a time."""

from __future__ import annotations

import contextlib
import os
import shutil
import struct
import subprocess
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from glassnet.errors import GlassnetError

Picture = NDArray[np.uint8]

SUFFIXES = (".gif", ".mp4", ".html")
COLOURS = 255
"""Of a GIF's palette; the 256th says that nothing has changed."""
BITS = 6
"""Of each channel, by which the colours of a frame are told apart."""
NEARLY = 24
PAGE_QUALITY = 80
"""Of a player's frames: small letters are sharp, and a frame of 900 × 400 takes some 30 kB."""
HOLD = 1.5
"""Seconds that a GIF rests on its last frame before it begins again."""


class Writer(Protocol):
    """Takes the frames of a film one after the other."""

    def add(self, picture: Picture) -> None: ...

    def finish(self) -> None: ...


def check_place(path: Path) -> None:
    """Refuse what no film can be written to, before any frame is drawn.

    Raises
    ------
    GlassnetError : an ending of another kind, a folder in its place, or no folder to write into
    """
    if path.suffix.lower() not in SUFFIXES:
        raise GlassnetError(
            f"A film cannot be written to '{path}': its ending is '{path.suffix}' and needs to be .gif, .mp4 or .html. Give "
            "the file one of these."
        )
    if path.is_dir():
        raise GlassnetError(f"A film cannot be written to '{path}': a folder has that name. Give another one.")
    if not path.parent.is_dir():
        raise GlassnetError(
            f"A film cannot be written to '{path}': there is no folder '{path.parent}'. Make it first, or give another place."
        )


@contextmanager
def renamed(path: Path) -> Iterator[IO[bytes]]:
    """A file under a temporary name that takes its own once it is whole; nothing is left of one that is not.

    Raises
    ------
    GlassnetError : the place cannot be written
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with open(temporary, "wb") as file:
            yield file
        os.replace(temporary, path)
    except OSError as error:
        raise GlassnetError(
            f"A film cannot be written to '{path}': {(error.strerror or str(error)).lower()}. Give a place that can be written."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


class GifWriter:
    """A GIF whose frames hold only what has changed.

    Pillow's own way of saving many frames keeps them all until the last; here each is encoded by Pillow and written.

    Parameters
    ----------
    samples : some frames, from which the colours are chosen
    hundredths : how long each frame is shown, in 1/100 s

    Source: CompuServe, Graphics Interchange Format, version 89a, 1990.
    """

    def __init__(
        self, file: IO[bytes], size: tuple[int, int], samples: Iterable[Picture], hundredths: Iterable[int]
    ) -> None:
        from PIL import Image

        stacked = Image.fromarray(np.concatenate(list(samples)))
        chosen = stacked.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        found = np.array(chosen.getpalette(), dtype=np.uint8).reshape(-1, 3)[:COLOURS]
        for exact in (0, 255):  # a median is never quite black nor quite white: letters and paper are
            off = np.abs(found.astype(int) - exact).sum(axis=1)
            if off.min() <= NEARLY:
                found[off.argmin()] = exact
        colours = found.tobytes().ljust(768, b"\0")
        self.colours = list(colours)
        self.nearest = nearest_colours(found)
        self.file, self.size, self.hundredths = file, size, iter(hundredths)
        self.before: Picture | None = None
        file.write(b"GIF89a" + struct.pack("<HHBBB", *size, 0xF7, 0, 0) + colours)
        file.write(b"\x21\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<H", 0) + b"\0")  # begin again for ever

    def add(self, picture: Picture) -> None:
        from PIL import Image
        from PIL.GifImagePlugin import getdata

        red, green, blue = np.moveaxis(picture >> (8 - BITS), 2, 0).astype(np.int32)
        now = self.nearest[(red << 2 * BITS) + (green << BITS) + blue]
        left, top, part = 0, 0, now
        if self.before is not None:
            left, top, part = changed(self.before, now)
        image = Image.fromarray(np.ascontiguousarray(part))
        image.putpalette(self.colours)
        # Frames stay (disposal 1), and the 256th colour lets them show through.
        self.file.write(b"\x21\xf9\x04" + struct.pack("<BHB", 0b101, next(self.hundredths), COLOURS) + b"\0")
        for block in getdata(image, (left, top)):
            self.file.write(block)
        self.before = now

    def finish(self) -> None:
        self.file.write(b";")


def nearest_colours(palette: Picture) -> Picture:
    """Which colour of a palette (n, 3) is nearest to each of the colours that can be told apart by `BITS` bits a channel."""
    from scipy.spatial import KDTree

    levels = np.arange(2**BITS) * 255.0 / (2**BITS - 1)
    every = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(-1, 3)
    return np.asarray(KDTree(palette.astype(np.float64)).query(every)[1], dtype=np.uint8)


def changed(before: Picture, now: Picture) -> tuple[int, int, Picture]:
    """Left, top and the part of a frame that has changed; in it, what has not is the 256th colour."""
    different = before != now
    rows, columns = np.flatnonzero(different.any(axis=1)), np.flatnonzero(different.any(axis=0))
    if not len(rows):
        return 0, 0, np.full((1, 1), COLOURS, dtype=np.uint8)
    place = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    return int(columns[0]), int(rows[0]), np.where(different[place], now[place], np.uint8(COLOURS))


def gif_hundredths(count: int, fps: float) -> list[int]:
    """How long each frame of a GIF is shown, in 1/100 s, so that the whole has the speed asked for; the last one rests.

    Browsers show what is below 2 far more slowly, so that is the least.
    """
    ends = np.round(100 * np.arange(1, count + 1) / fps).astype(int)
    lasting = [max(2, int(each)) for each in np.diff(ends, prepend=0)]
    lasting[-1] += round(100 * HOLD)
    return lasting


class Mp4Writer:
    """An MP4 that ffmpeg makes of raw frames.

    Raises
    ------
    GlassnetError : there is no ffmpeg, or it ends with an error
    """

    def __init__(self, path: Path, size: tuple[int, int], fps: float) -> None:
        program = ffmpeg()
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 - read when ffmpeg has ended
        encoder = ["-c:v", "libx264", "-crf", "18", "-preset", "medium", "-tune", "animation"]
        if not _has_x264(program):
            encoder = ["-c:v", "mpeg4", "-q:v", "2"]
        command = [
            program, "-hide_banner", "-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s",
            f"{size[0]}x{size[1]}", "-r", f"{fps:g}", "-i", "-", "-an", "-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2:color=white",
            *encoder, "-pix_fmt", "yuv420p", "-movflags", "+faststart", "-f", "mp4", str(path),
        ]  # fmt: skip
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=self.errors)

    def add(self, picture: Picture) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(np.ascontiguousarray(picture).tobytes())
        except BrokenPipeError:
            self.finish()

    def finish(self) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        if self.process.wait() != 0:
            self.errors.seek(0)
            said = self.errors.read().decode(errors="replace").strip().splitlines()
            raise GlassnetError(
                f"ffmpeg could not make the film: {said[-1] if said else 'it said nothing'}. Write a .gif or .html instead."
            )

    def stop(self) -> None:
        """End ffmpeg, whatever it is doing."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.process.stdin is not None:
            with contextlib.suppress(OSError):
                self.process.stdin.close()
        self.errors.close()


def ffmpeg() -> str:
    """The program: the system's, or that of imageio-ffmpeg.

    Raises
    ------
    GlassnetError : there is neither
    """
    found = shutil.which("ffmpeg")
    if found is not None:
        return found
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError):
        raise GlassnetError(
            "An .mp4 film needs ffmpeg, which is not installed; pip install 'glassnet[movies]', or write a .gif or .html."
        ) from None


def _has_x264(program: str) -> bool:
    known = subprocess.run([program, "-hide_banner", "-encoders"], capture_output=True, text=True, check=False)
    return "libx264" in known.stdout


def page_bytes(picture: Picture) -> tuple[str, bytes]:
    """A frame as an HTML player holds it: its kind, and the file's bytes."""
    import io

    from PIL import Image, features

    held = io.BytesIO()
    if features.check("webp"):
        Image.fromarray(picture).save(held, "WEBP", quality=PAGE_QUALITY, method=2)
        return "image/webp", held.getvalue()
    Image.fromarray(picture).quantize(256, dither=Image.Dither.NONE).save(held, "PNG", optimize=True)
    return "image/png", held.getvalue()


class Mp4Place:
    """Where ffmpeg writes: a temporary name beside the film's own, since it opens its file itself."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")

    def __enter__(self) -> Path:
        return self.temporary

    def __exit__(self, kind: Any, value: Any, traceback: Any) -> None:
        try:
            if kind is None:
                os.replace(self.temporary, self.path)
        finally:
            self.temporary.unlink(missing_ok=True)
