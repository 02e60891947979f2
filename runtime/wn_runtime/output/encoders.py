"""16-bit PCM into files of each kind; a file is valid after every block where its kind allows."""

from __future__ import annotations

import math
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from wn_runtime.interrupts import Held


class Encoder(Protocol):
    """One voice into one file. Every method raises OSError when the file system refuses."""

    limit: float
    """Samples that a file of this kind can hold."""

    def write(self, samples: NDArray[np.int16]) -> None:
        """Append samples, (n,) or (n, 1)."""
        ...

    def close(self) -> None:
        """Finish the file, and let go of it even if that fails."""
        ...


def pcm16(block: NDArray[np.float32]) -> NDArray[np.int16]:
    """Samples in [-1, 1] (beyond: clipped) as 16-bit little-endian PCM."""
    scaled = np.rint(np.clip(block, -1.0, 1.0) * np.float32(32767))
    return cast("NDArray[np.int16]", scaled.astype("<i2"))


class Wav:
    """The standard library's writer: it mends the header after every block."""

    limit: float = (2**32 - 64) // 2  # the header counts bytes in 32 bits

    def __init__(self, path: Path, sample_rate: int) -> None:
        self._file = path.open("wb")
        self._wave = wave.open(self._file, "wb")  # noqa: SIM115 (closed by close)
        self._wave.setnchannels(1)
        self._wave.setsampwidth(2)
        self._wave.setframerate(sample_rate)

    def write(self, samples: NDArray[np.int16]) -> None:
        """See `Encoder.write`."""
        self._wave.writeframes(samples.tobytes())
        self._file.flush()

    def close(self) -> None:
        """See `Encoder.close`."""
        try:
            self._wave.close()
        finally:
            self._file.close()


_MOST_FLAC_RATE, _EACH_FLAC_RATE = 655_350, 65_535  # its frames count Hz in 16 bits, or tens of Hz


class Flac:
    """libsndfile's encoder; a player reads what is there, the length comes at the end."""

    limit: float = 2**36 - 1  # the header counts samples in 36 bits

    def __init__(self, path: Path, sample_rate: int) -> None:
        with Held():
            import soundfile

        tens = not sample_rate % 10 and sample_rate <= _MOST_FLAC_RATE
        if sample_rate > _EACH_FLAC_RATE and not tens:
            raise OSError(
                f"FLAC has rates up to {_EACH_FLAC_RATE:,} Hz and, in tens, {_MOST_FLAC_RATE:,} Hz"
                f"; this is {sample_rate:,} Hz: name it .wav"
            )
        path.open("wb").close()  # here, because libsndfile's own error has no reason in it
        self._file = soundfile.SoundFile(path, "w", sample_rate, 1, "PCM_16", format="FLAC")

    def write(self, samples: NDArray[np.int16]) -> None:
        """See `Encoder.write`."""
        try:
            self._file.write(samples)
        except (RuntimeError, AssertionError) as error:  # soundfile asserts that all was written
            raise OSError("the FLAC encoder could not write: is the disk full?") from error

    def close(self) -> None:
        """See `Encoder.close`."""
        try:
            self._file.close()
        except RuntimeError as error:
            raise OSError("the FLAC encoder could not finish: is the disk full?") from error


class Raw:
    """Samples and nothing else."""

    limit: float = math.inf

    def __init__(self, path: Path, _sample_rate: int) -> None:
        self._file = path.open("wb")

    def write(self, samples: NDArray[np.int16]) -> None:
        """See `Encoder.write`."""
        self._file.write(samples.tobytes())

    def close(self) -> None:
        """See `Encoder.close`."""
        self._file.close()


BY_SUFFIX: dict[str, Callable[[Path, int], Encoder]] = {".wav": Wav, ".flac": Flac}
