"""The frames of recordings: a .npy file each, checked against the audio before the first step."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from wn_runtime.commands.bar import Bar
from wn_runtime.conditioning import frame_file
from wn_runtime.conditioning.part import Frames
from wn_runtime.engines.memory import available_bytes
from wn_runtime.errors import WavestepError
from wn_train.conditioning.statistics import statistics
from wn_train.data.audio import Utterance
from wn_train.data.decoding import Faulty
from wn_train.data.faults import Faults

SLACK = 1
"""Frames that a clip may have more or fewer than its samples have hops: tools round and pad as they
like."""


def load(
    utterances: Sequence[Utterance],
    hop: int,
    channels: int,
    before_each: Callable[[], None] = lambda: None,
) -> list[Utterance]:
    """The utterances with their frames (F, C), and the training split's mean as their padding.

    channels 0 takes those of the first file. Raises WavestepError for a file that is missing, no
    array of frames or not of this width, and for more or fewer frames than one every `hop` samples
    of its audio; before_each is called before a file is opened, and may raise.
    """
    faults, sizes, paths = Faults(), 0, [u.recording.frames for u in utterances]
    for utterance, path in zip(utterances, paths, strict=True):
        assert path is not None, "corpus.read was not asked for frames"
        before_each()
        with faults.of(path):
            count, width = frame_file.shape(path)
            channels = channels or width
            sizes += 4 * count * width
            _check(utterance, count, width, hop, channels)
    faults.check()
    available = available_bytes()
    if available is not None and sizes > available:
        raise WavestepError(
            f"the frames need {sizes / 2**30:.1f} GiB of memory, {available / 2**30:.1f} GiB are "
            "available; take fewer recordings, or a longer hop"
        )
    found: list[Frames] = []
    with Bar(leave=True, total=len(utterances), desc="frames", unit="file") as bar:
        for path in paths:
            assert path is not None
            before_each()
            with faults.of(path):
                found.append(frame_file.read(path))
            bar.update()
    faults.check()
    training = [
        frames
        for utterance, frames in zip(utterances, found, strict=True)
        if utterance.recording.split != "valid"
    ]
    mean, _ = statistics(training)
    return [
        dataclasses.replace(utterance, frames=frames, padding=mean)
        for utterance, frames in zip(utterances, found, strict=True)
    ]


def _check(utterance: Utterance, count: int, width: int, hop: int, channels: int) -> None:
    if width != channels:
        raise Faulty(f"it has {width} channels; the model takes {channels}")
    samples = len(utterance.samples)
    expected = -(-samples // hop)
    if abs(count - expected) > SLACK:
        raise Faulty(
            f"it has {count} frames; {utterance.recording.path.name} has {samples} samples, which "
            f"at a hop of {hop} are {expected} frames (one more or fewer is taken)"
        )
