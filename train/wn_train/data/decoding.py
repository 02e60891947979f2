"""One audio file: what its header says, and its samples."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile
from numpy.typing import NDArray

from wn_runtime import files
from wn_runtime.quiet import quiet
from wn_train.data.resampling import resampled

BLOCK = 1 << 16
"""Frames read at a time: memory is taken as they come, not as a header promises them."""
_SIZE_UNKNOWN = 0x7FFFF000


class Faulty(Exception):
    """A file cannot be trained on; says why."""


@dataclass(frozen=True)
class Header:
    """What a file says of itself."""

    rate: int
    """Hz."""
    channels: int
    frames: int
    """Samples of each channel."""


def header(path: Path) -> Header:
    """Raises Faulty for a file that is missing, unreadable, empty or cut short."""
    with _opened(path) as (file, sound):
        found = Header(sound.samplerate, sound.channels, sound.frames)
        if found.frames <= 0:
            raise Faulty("empty")
        if found.rate < 1 or _is_cut_short(file):
            raise Faulty("truncated, it is shorter than its header says")
    return found


def read(path: Path, rate: int) -> NDArray[np.float32]:
    """All of a file in mono, at `rate` Hz. Raises Faulty also for NaN.

    WavestepError where it is of another rate, and soxr is not here.
    """
    with _opened(path) as (_, sound):
        source_rate, left = sound.samplerate, sound.frames
        blocks = []
        while left > 0:
            block = sound.read(min(left, BLOCK), dtype="float32", always_2d=True)
            if not len(block):
                break
            left -= len(block)
            if not np.isfinite(block).all():
                raise Faulty("holds NaN or infinity")
            blocks.append(block.mean(axis=1))
        if not blocks or (left > 0 and sound.format == "FLAC"):
            raise Faulty("truncated, it is shorter than its header says")
    mono: NDArray[np.float32] = np.concatenate(blocks)
    if source_rate != rate:
        try:
            mono = resampled(mono, source_rate, rate)
        except ValueError as error:
            raise Faulty(str(error)) from error
    return mono


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, soundfile.SoundFile]]:
    try:
        with (
            _filled(path) as file,
            quiet(),
            soundfile.SoundFile(file.fileno(), closefd=False) as sound,
        ):
            yield file, sound
    except FileNotFoundError:
        raise Faulty("file is missing") from None
    except OSError as error:
        raise Faulty(f"not readable as audio ({error.strerror or error})") from error
    except soundfile.SoundFileError as error:
        # Without "Error opening 6: ", where 6 is what the file is to it.
        said = str(error).rpartition(": ")[2].strip() or "unknown fault"
        reason = said.splitlines()[0].rstrip(".")
        raise Faulty(f"not readable as audio ({reason})") from error


@contextlib.contextmanager
def _filled(path: Path) -> Iterator[BinaryIO]:
    with files.opened(path) as file:
        if os.fstat(file.fileno()).st_size == 0:
            raise Faulty("empty")
        yield file


def _is_cut_short(file: BinaryIO) -> bool:
    """Whether a WAV has fewer bytes than it says; libsndfile reads such a file without a word."""
    here = os.lseek(file.fileno(), 0, os.SEEK_CUR)  # which libsndfile reads on from
    os.lseek(file.fileno(), 0, os.SEEK_SET)
    start = os.read(file.fileno(), 12)
    os.lseek(file.fileno(), here, os.SEEK_SET)
    if start[:4] != b"RIFF" or start[8:] != b"WAVE":
        return False
    said = int.from_bytes(start[4:8], "little")
    # A recorder that writes into a pipe cannot know the size: it leaves 0 or about 2 or 4 GiB.
    return 0 < said < _SIZE_UNKNOWN and os.fstat(file.fileno()).st_size < 8 + said
