"""The frames that wn-run is given: files, or rows that arrive on stdin while audio leaves."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wn_runtime.conditioning import frame_file
from wn_runtime.conditioning.part import Frames
from wn_runtime.conditioning.timing import Timing
from wn_runtime.errors import WavestepError
from wn_runtime.synthesis.stream import Stream
from wn_runtime.system import pipes

BLOCK_SECONDS = 0.05
"""The most audio that goes out at once where more frames are there than it takes."""
_CHUNK = 1 << 16  # bytes read at a time
_STDIN = 0
_FLOAT = np.dtype("<f4")


class BrokenOff(WavestepError):
    """The frames end in a fault. The audio of those before it has been made, and is to be kept."""


def check(given: str | None, timing: Timing, speaks: bool) -> None:
    """Raise WavestepError unless frames are given to a model that takes them, and to no other.

    speaks: whether the model makes them of a text itself.
    """
    if given is None and speaks:
        raise WavestepError('this model speaks; give it something to say: --text "…", or --frames')
    if given is None and timing.frame_channels:
        raise WavestepError(
            f"this model takes frames of {timing.frame_channels} channels, one every {timing.hop} "
            "samples; give --frames FILE.npy, or --frames - and raw float32 on stdin"
        )
    if given is not None and not timing.frame_channels:
        raise WavestepError("this model takes no frames; leave --frames out")


def read(given: str, timing: Timing, voices: int) -> Frames:
    """Frames (F, B or 1, C) of a file for all voices, or of one a voice: `a.npy,b.npy`.

    Raises WavestepError for a file that is none of frames of this width, and for files of
    different lengths.
    """
    names = given.split(",") if voices > 1 else [given]
    if len(names) not in (1, voices):
        raise WavestepError(
            f"--frames names {len(names)} files for {voices} voices; give one for all, or one a "
            "voice: a.npy,b.npy"
        )
    each = [frame_file.read(Path(name)) for name in names]
    for name, frames in zip(names, each, strict=True):
        if frames.shape[1] != timing.frame_channels:
            raise WavestepError(
                f"{name} has {frames.shape[1]} channels; this model takes {timing.frame_channels}"
            )
        if len(frames) != len(each[0]):
            raise WavestepError(
                f"{names[0]} has {len(each[0])} frames, {name} {len(frames)}; voices side by side "
                "take files of one length"
            )
    return np.repeat(np.stack(each, axis=1), voices // len(each), axis=1)


def streamed(
    stream: Stream,
    timing: Timing,
    seconds: float,
    waiting: Callable[[], AbstractContextManager[None]],
) -> Iterator[NDArray[np.float32]]:
    """Audio (n, B) of the frames on stdin, each block as soon as its frames are there.

    waiting: a context for the time in which nothing comes. Ends with stdin, or after `seconds`.
    Raises BrokenOff, when all audio of the frames before is out, where stdin ends within a frame,
    holds NaN or cannot be read; WavestepError where no frame came.
    """
    rate = stream.sample_rate
    left = math.inf if math.isinf(seconds) else max(1, round(seconds * rate))
    most = max(timing.block, round(BLOCK_SECONDS * rate))
    fault, came, made = None, 0, 0

    def ready(until: float) -> Iterator[NDArray[np.float32]]:
        nonlocal made
        while (count := int(min(stream.available or 0, until - made, most))) > 0:
            yield stream.read(count)
            made += count

    try:
        for frames in _rows(timing.frame_channels, waiting):
            stream.push(frames)
            came += len(frames)
            yield from ready(left)
            if made >= left:
                return
    except BrokenOff as error:
        fault = error
    if not came and fault is None:
        raise WavestepError(
            f"no frame came on stdin; write rows of {timing.frame_channels} float32 numbers to it"
        )
    stream.push(np.zeros((0, timing.frame_channels), np.float32), last=True)
    yield from ready(min(left, came * timing.hop))
    if fault is not None:
        raise fault


def _rows(
    channels: int, waiting: Callable[[], AbstractContextManager[None]]
) -> Iterator[NDArray[np.float32]]:
    """Whole rows (n, C) as they come. Raises BrokenOff at the first that is none."""
    size, rest, number = channels * _FLOAT.itemsize, b"", 0
    while True:
        with waiting():
            data = _bytes()
        if not data:
            break
        rest += data
        whole = len(rest) // size * size
        rows = np.frombuffer(rest[:whole], _FLOAT).reshape(-1, channels).astype(np.float32)
        rest = rest[whole:]
        finite = np.isfinite(rows).all(axis=1)
        good = len(rows) if finite.all() else int(finite.argmin())
        if good:
            yield rows[:good]
        number += good
        if good < len(rows):
            raise BrokenOff(
                f"frame {number} on stdin holds NaN or infinity; the audio of those before it is "
                "kept"
            )
    if rest:
        raise BrokenOff(
            f"stdin ended within frame {number}, after {len(rest)} of its {size} bytes ({channels} "
            "float32 numbers); the audio of those before it is kept"
        )


def _bytes() -> bytes:
    """What is there, as soon as there is something; nothing at the end."""
    while True:
        try:
            return os.read(_STDIN, _CHUNK)
        except BlockingIOError:  # whoever opened it wants no waiting there
            pipes.readable(_STDIN)
        except OSError as error:
            raise BrokenOff(
                f"stdin cannot be read ({error.strerror}); give frames to it"
            ) from error
