"""Recordings to a head's samples, with the pre-flight check that names a file and its fault."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray
from tqdm import tqdm

from wn_runtime.errors import WavestepError
from wn_runtime.heads.head import Head
from wn_train.data.corpus import Corpus, Recording

CLIPPED_RUN = 8
"""Samples at full scale in a row that make a recording clipped."""

_SIZE_UNKNOWN = 0x7FFFF000


@dataclass(frozen=True)
class Utterance:
    """One recording, ready for the model."""

    recording: Recording
    samples: NDArray[Any]
    """(T,) of the head: classes in the smallest type that holds them, or float32 amplitudes."""
    frames: NDArray[np.float32] | None = None
    """(F, C), one every hop; None for a model that takes none."""


def load(
    corpus: Corpus, sample_rate: int, head: Head, say: Callable[[str], None]
) -> tuple[int, list[Utterance]]:
    """Read, mix to mono, resample and encode every recording: the rate in Hz and the utterances.

    sample_rate 0 takes the rate that most files have. What is done to files (mono mix,
    resampling) and clipped files are said once each. Raises WavestepError that lists the faulty
    files: missing, unreadable, truncated, empty, NaN.
    """
    paths = [recording.path for recording in corpus.recordings]
    faults: list[str] = []
    headers = {path: header for path in paths if (header := _header(path, faults)) is not None}
    _raise(faults)
    rates = Counter(rate for rate, _ in headers.values())
    rate = sample_rate or rates.most_common(1)[0][0]
    mixed = sum(channels > 1 for _, channels in headers.values())
    if mixed:
        say(f"{mixed} files have several channels: mixed to mono")
    for other, count in sorted(rates.items()):
        if other != rate:
            say(f"{count} files have {other} Hz: resampled to {rate} Hz")

    utterances = []
    clipped: list[Path] = []
    for recording in tqdm(corpus.recordings, desc="reading", unit="file", disable=None):
        audio = _read(recording.path, rate, faults)
        if audio is None:
            continue
        if _is_clipped(audio):
            clipped.append(recording.path)
        utterances.append(Utterance(recording, compact(head, head.encode(audio))))
    _raise(faults)
    if clipped:
        say(f"{len(clipped)} files are clipped, the first is {clipped[0]}: they train as they are")
    return rate, utterances


def compact(head: Head, samples: NDArray[Any]) -> NDArray[Any]:
    """Samples in the smallest type that holds every one of the head's."""
    return samples if head.codes is None else samples.astype(np.min_scalar_type(head.codes - 1))


def _header(path: Path, faults: list[str]) -> tuple[int, int] | None:
    """(rate in Hz, channels) of a file, or None and a line in `faults`."""
    if not path.is_file():
        faults.append(f"{path}: file is missing")
        return None
    try:
        info = soundfile.info(path)
    except (soundfile.SoundFileError, OSError) as error:
        faults.append(f"{path}: not readable as audio ({_first_line(error)})")
        return None
    if info.frames == 0:
        faults.append(f"{path}: empty")
        return None
    if _is_cut_short(path):
        faults.append(f"{path}: truncated, it is shorter than its header says")
        return None
    return info.samplerate, info.channels


def _is_cut_short(path: Path) -> bool:
    """Whether a WAV has fewer bytes than it says; libsndfile reads such a file without a word."""
    with path.open("rb") as file:
        head = file.read(12)
    if head[:4] != b"RIFF" or head[8:] != b"WAVE":
        return False
    said = int.from_bytes(head[4:8], "little")
    # A recorder that writes into a pipe cannot know the size: it leaves 0 or about 2 or 4 GiB.
    return 0 < said < _SIZE_UNKNOWN and path.stat().st_size < 8 + said


def _read(path: Path, rate: int, faults: list[str]) -> NDArray[np.float32] | None:
    try:
        audio, source_rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError) as error:
        faults.append(f"{path}: not readable as audio ({_first_line(error)})")
        return None
    if not np.isfinite(audio).all():
        faults.append(f"{path}: holds NaN or infinity")
        return None
    mono: NDArray[np.float32] = audio.mean(axis=1)
    if source_rate != rate:
        import soxr  # only needed for files of another rate

        mono = soxr.resample(mono, source_rate, rate, quality="HQ")
    return mono


def _is_clipped(audio: NDArray[np.float32]) -> bool:
    full = np.abs(audio) >= 0.999
    if not full.any():
        return False
    runs = np.diff(np.flatnonzero(np.diff(np.concatenate([[False], full, [False]]))))[::2]
    return bool(runs.max() >= CLIPPED_RUN)


def _raise(faults: Iterable[str]) -> None:
    found = list(faults)
    if found:
        more = f" (and {len(found) - 1} more files at fault)" if len(found) > 1 else ""
        raise WavestepError(f"{found[0]}{more}; mend or remove it, nothing was trained")


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0].rstrip(".")
