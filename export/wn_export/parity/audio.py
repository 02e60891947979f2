"""Audio files as clips to prove parity on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wn_runtime import files
from wn_runtime.errors import WavestepError
from wn_runtime.model.spec import ModelSpec
from wn_runtime.quiet import quiet
from wn_train.data.resampling import resampled

LARGEST_RATIO = 128
"""Between the rates of a file and of the model; more is no recording."""
MOST_FRAMES = 2**25
"""That are read of a file: 11 minutes at 48 kHz."""
MOST_CHANNELS = 64
_BLOCK = 1 << 16  # frames
_EDGE_SECONDS = 0.05  # resampled and cut off again, for the filter's sake


def read_audio(path: Path, spec: ModelSpec, most: int) -> NDArray[np.float32]:
    """The first `most` amplitudes (T,) of a WAV or FLAC file, mixed to mono.

    It is resampled where soxr is here. Raises WavestepError for a file that is missing, no regular
    one, unreadable, empty, too long, not finite or of an impossible rate, and for one of another
    rate without soxr.
    """
    import soundfile

    try:
        with (
            files.opened(path) as file,
            quiet(),
            soundfile.SoundFile(file.fileno(), closefd=False) as sound,
        ):
            rate = int(sound.samplerate)
            if not 1 / LARGEST_RATIO <= rate / spec.sample_rate <= LARGEST_RATIO:
                raise ValueError(f"its rate is {rate} Hz, the model's {spec.sample_rate} Hz")
            if sound.channels > MOST_CHANNELS:
                raise ValueError(f"it has {sound.channels} channels, over {MOST_CHANNELS}")
            wanted = most
            if rate != spec.sample_rate:
                wanted = int((most / spec.sample_rate + _EDGE_SECONDS) * rate) + 1
            mono = _mono(sound, wanted)
    except (soundfile.SoundFileError, OSError, ValueError, RuntimeError, TypeError) as error:
        raise WavestepError(f"{path} cannot be read as audio: {_reason(error)}") from error
    if not len(mono) or not np.isfinite(mono).all():
        raise WavestepError(f"{path} is {'not finite' if len(mono) else 'empty'}; give real audio")
    if rate != spec.sample_rate:
        try:
            mono = resampled(mono, rate, spec.sample_rate)
        except ValueError as error:
            raise WavestepError(f"{path}: {error}") from error
    return mono[:most]


def _mono(sound: Any, wanted: int) -> NDArray[np.float32]:
    """The first frames of an open file; its header may lie about how many it has."""
    parts: list[NDArray[np.float32]] = []
    count = 0
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is told
        while count < wanted:
            block = sound.read(min(_BLOCK, wanted - count), dtype="float32", always_2d=True)
            if not len(block):
                break
            parts.append(block.mean(axis=1))
            count += len(block)
            if count > MOST_FRAMES:
                raise ValueError(f"it has more than {MOST_FRAMES} frames; cut it")
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "it does not exist"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    said = str(getattr(error, "error_string", error))
    return said.strip().rstrip(".")
