"""Recordings to a head's samples, with the pre-flight check that names a file and its fault."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wn_runtime.commands.bar import Bar
from wn_runtime.engines.memory import available_bytes
from wn_runtime.errors import WavestepError
from wn_runtime.heads.head import Head
from wn_runtime.model.postprocess import Postprocess
from wn_runtime.text import counted
from wn_train.data import decoding, rates
from wn_train.data.corpus import Corpus, Recording
from wn_train.data.decoding import Header
from wn_train.data.faults import Faults

CLIPPED_RUN = 8
"""Samples at full scale in a row that make a recording clipped."""

WORK_BYTES = 40
"""Memory that a sample of the file being read needs, on its way to the head's."""


@dataclass(frozen=True)
class Utterance:
    """One recording, ready for the model."""

    recording: Recording
    samples: NDArray[Any]
    """(T,) of the head: classes in the smallest type that holds them, or float32 amplitudes."""
    frames: NDArray[np.float32] | None = None
    """(F, C), one every hop; None for a model that takes none."""
    padding: NDArray[np.float32] | None = None
    """(C,): the frame that stands beyond its own, the training split's mean; None: zeros."""


def load(
    corpus: Corpus,
    sample_rate: int,
    head: Head,
    say: Callable[[str], None],
    before_each: Callable[[], None] = lambda: None,
    postprocess: Postprocess | None = None,
) -> tuple[int, list[Utterance]]:
    """Read, mix to mono, resample and encode every recording: the rate in Hz and the utterances.

    sample_rate 0 takes the rate that most files have. What is done to files (mono mix,
    resampling) and clipped files are said once each. Raises WavestepError that lists the faulty
    files (missing, unreadable, truncated, empty, NaN), or where they do not fit into memory;
    before_each is called before a file is opened, and may raise. postprocess: what the model's
    audio goes through, which is undone.
    """
    faults = Faults()
    headers = faults.headers((each.path for each in corpus.recordings), before_each)
    rate = sample_rate or rates.most_common(headers)
    _check_memory([headers[recording.path] for recording in corpus.recordings], rate, head)
    mixed = sum(header.channels > 1 for header in headers.values())
    if mixed:
        say(f"{counted(mixed, 'file')} of several channels: mixed to mono")
    rates.tell(headers, rate, say)

    utterances = []
    clipped: list[Path] = []
    with Bar(leave=True, total=len(corpus.recordings), desc="reading", unit="file") as bar:
        for recording in corpus.recordings:
            before_each()
            with faults.of(recording.path):
                audio = louder(decoding.read(recording.path, rate), recording.gain)
                if _is_clipped(audio):
                    clipped.append(recording.path)
                shown = audio if postprocess is None else postprocess.undo(audio)
                utterances.append(Utterance(recording, compact(head, head.encode(shown))))
            bar.update()
    faults.check()
    if clipped:
        say(f"{len(clipped)} files are clipped, the first is {clipped[0]}: they train as they are")
    return rate, utterances


def louder(audio: NDArray[np.float32], decibels: float) -> NDArray[np.float32]:
    """Audio (T,) amplified; what then lies beyond full scale is cut off there."""
    if not decibels:
        return audio
    amplified: NDArray[np.float32] = np.clip(audio * np.float32(10 ** (decibels / 20)), -1, 1)
    return amplified


def compact(head: Head, samples: NDArray[Any]) -> NDArray[Any]:
    """Samples in the smallest type that holds every one of the head's."""
    return samples if head.codes is None else samples.astype(np.min_scalar_type(head.codes - 1))


def _check_memory(headers: list[Header], rate: int, head: Head) -> None:
    """Before it is taken: that of all samples of the head, and of the longest file on its way."""
    each = 4 if head.codes is None else np.min_scalar_type(head.codes - 1).itemsize
    kept = sum(header.frames * rate // header.rate for header in headers) * each
    work = max(
        header.frames * (4 * header.channels + WORK_BYTES * max(1, rate / header.rate))
        for header in headers
    )
    needed, available = kept + work, available_bytes()
    if available is not None and needed > available:
        raise WavestepError(
            f"the recordings need {needed / 2**30:.1f} GiB of memory by what their headers say, "
            f"{available / 2**30:.1f} GiB are available; take fewer, or cut the longest"
        )


def _is_clipped(audio: NDArray[np.float32]) -> bool:
    full = np.abs(audio) >= 0.999
    if not full.any():
        return False
    runs = np.diff(np.flatnonzero(np.diff(np.concatenate([[False], full, [False]]))))[::2]
    return bool(runs.max() >= CLIPPED_RUN)
