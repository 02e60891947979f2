"""Audio files as clips to prove parity on."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from wn_runtime.errors import WavestepError
from wn_runtime.heads.head import Samples
from wn_runtime.model.spec import ModelSpec


def read_audio(path: Path, spec: ModelSpec) -> Samples:
    """A WAV or FLAC file as samples (T,), mixed to mono, resampled where soxr is here.

    Raises WavestepError for a file that is missing, unreadable, empty or holds NaN, and for one
    of another rate without soxr.
    """
    import soundfile

    try:
        audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError) as error:
        reason = "it does not exist" if not path.exists() else str(error).strip().rstrip(".")
        raise WavestepError(f"{path} cannot be read as audio: {reason}") from error
    mono = audio.mean(axis=1)
    if not len(mono) or not np.isfinite(mono).all():
        raise WavestepError(f"{path} is {'not finite' if len(mono) else 'empty'}; give real audio")
    if rate != spec.sample_rate:
        try:
            import soxr
        except ImportError as error:
            raise WavestepError(
                f"{path} has {rate} Hz, the model {spec.sample_rate} Hz; convert it, or pip "
                "install soxr"
            ) from error
        mono = soxr.resample(mono, rate, spec.sample_rate, quality="HQ")
    return spec.output.encode(mono)
