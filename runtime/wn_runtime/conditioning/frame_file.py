"""Frames of a clip in a .npy file: (F, C), float32, float64 or float16, one every hop samples."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from wn_runtime import files, npy
from wn_runtime.errors import WavestepError

TYPES = ("<f4", "<f8", "<f2")
MOST_BYTES = 2**31
"""Of a file: seven hours of 80 channels, one frame every 12.5 ms."""


def shape(path: Path) -> tuple[int, int]:
    """(F, C) of a file, nothing of which is read but its head.

    Raises WavestepError, which names it, where it is missing or no file of frames.
    """
    with _telling(path), _opened(path) as (_, found):
        frames, channels = found.shape
        return frames, channels


def read(path: Path) -> NDArray[np.float32]:
    """Frames (F, C). Raises WavestepError as `shape` does, and for NaN and infinity."""
    with _telling(path), _opened(path) as (file, found):
        data = file.read(found.nbytes)
        if len(data) != found.nbytes:
            raise ValueError("it became shorter while it was read")
        stored = np.frombuffer(data, found.dtype).reshape(found.shape, order=found.order)
        with np.errstate(over="ignore"):  # then it is infinite
            frames = np.ascontiguousarray(stored, np.float32)
        finite = np.isfinite(frames).all(axis=1)
        if not finite.all():
            raise ValueError(f"frame {int(finite.argmin())} holds NaN or infinity")
        return frames


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, npy.Header]]:
    with files.opened(path) as file:
        found = npy.header(file)
        if found is None:
            raise ValueError("it is no array that NumPy saved; write it with numpy.save")
        if found.dtype not in TYPES or len(found.shape) != 2:
            fix = "" if found.dtype in TYPES else "; save it as .astype('<f4')"
            raise ValueError(
                f"it is {found.dtype} {found.shape}; frames are float32, float64 or float16, "
                f"(frames, channels){fix}"
            )
        if not all(found.shape):
            raise ValueError(f"it is empty, {found.shape}")
        size = os.fstat(file.fileno()).st_size
        if size != found.offset + found.nbytes:
            raise ValueError(
                f"it has {size} bytes, its head says {found.offset + found.nbytes}: cut short, or "
                "damaged"
            )
        if size > MOST_BYTES:
            raise ValueError(f"it has {size} bytes, over {MOST_BYTES}; cut it")
        yield file, found


@contextmanager
def _telling(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise WavestepError(f"{path} does not exist; give a .npy file of frames") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise WavestepError(f"{path} cannot be read as frames: {reason}") from error
