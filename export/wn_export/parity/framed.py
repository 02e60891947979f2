"""The frames of audio that parity is proven on: from files, or extracted as the model's were."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wn_runtime.conditioning import frame_file
from wn_runtime.conditioning.conditioner import padded_frames
from wn_runtime.conditioning.part import Frames
from wn_runtime.conditioning.timing import Timing
from wn_runtime.errors import WavestepError
from wn_runtime.features.features import Features
from wn_runtime.model.spec import ModelSpec

if TYPE_CHECKING:
    from wn_export.parity.trained import Trained

SLACK = 1
"""Frames that a clip may have more or fewer than its samples have hops, as in training."""
Source = Callable[[Path, NDArray[np.float32], bool], Frames | None]
"""(audio file, its amplitudes (T,), whether it may go on) -> its frames (F, 1, C)."""


def given(trained: Trained, audio: tuple[Path, ...], files: tuple[Path, ...]) -> list[Source]:
    """Where the frames of each audio file come from.

    Raises WavestepError where there are not as many files of frames as of audio, where the model
    takes none, and where it takes some and neither files nor the checkpoint say which.
    """
    channels = Timing.of(trained.model.spec.conditioning).frame_channels
    if files and not channels:
        raise WavestepError("this model takes no frames; leave --frames out")
    if files and len(files) != len(audio):
        raise WavestepError(
            f"there are {len(files)} --frames for {len(audio)} --audio; give one for each, in the "
            "same order"
        )
    if not channels:
        return [lambda _path, _wave, _cut: None] * len(audio)
    if files:
        return [_from_file(trained, file) for file in files]
    if trained.features is None or trained.features.phones:  # an alignment tells those
        raise WavestepError(
            "this model takes frames, and its checkpoint does not say how to make them of --audio; "
            "give --frames FILE.npy for each, too"
        )
    _check(trained.features, trained.model.spec)
    return [_extracted(trained)] * len(audio)


def _check(features: Features, spec: ModelSpec) -> None:
    """Raise WavestepError where they make no frames of this model."""
    timing = Timing.of(spec.conditioning)
    for name, says, takes in (
        ("rate", features.sample_rate, spec.sample_rate),
        ("hop", features.hop, timing.hop),
        ("columns", len(features.names), timing.frame_channels),
    ):
        if says != takes:
            raise WavestepError(
                f"the checkpoint says that its frames' {name} is {says}, its model takes {takes}; "
                "give --frames FILE.npy for each --audio"
            )


def _from_file(trained: Trained, file: Path) -> Source:
    timing = Timing.of(trained.model.spec.conditioning)

    def read(path: Path, wave: NDArray[np.float32], cut: bool) -> Frames:
        frames = frame_file.read(file)
        count, width = frames.shape
        if width != timing.frame_channels:
            raise WavestepError(
                f"{file} has {width} channels; this model takes {timing.frame_channels}"
            )
        expected = -(-len(wave) // timing.hop)
        if count < expected - SLACK or (count > expected + SLACK and not cut):
            raise WavestepError(
                f"{file} has {count} frames; {path} has {len(wave)} samples, which at a hop of "
                f"{timing.hop} are {expected} frames (one more or fewer is taken)"
            )
        return _padded(trained, frames, len(wave))

    return read


def _extracted(trained: Trained) -> Source:
    features = trained.features
    assert features is not None

    def extract(_path: Path, wave: NDArray[np.float32], _cut: bool) -> Frames:
        return _padded(trained, features.extract(wave), len(wave))

    return extract


def _padded(trained: Trained, frames: NDArray[np.float32], samples: int) -> Frames:
    """(F, 1, C), as many as the samples and the lookahead need."""
    count = Timing.of(trained.model.spec.conditioning).frames(samples)
    return padded_frames(frames, count, trained.model.padding())[:, None]
