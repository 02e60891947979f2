"""Which audio parity is proven on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wn_export.parity.audio import read_audio
from wn_export.parity.reference import Clip
from wn_runtime.conditioning.timing import Timing
from wn_runtime.errors import WavestepError

if TYPE_CHECKING:
    from wn_export.parity.trained import Trained

AUDIO_SAMPLES = 16_000
"""Audio in a reference: what one core scores in a few seconds, engine by engine."""


def choose_clips(
    trained: Trained, audio: tuple[Path, ...], most: int | None = None
) -> tuple[list[Clip], str]:
    """What PyTorch is to be asked about, at most `most` samples, and where it comes from.

    Raises WavestepError for an audio file that cannot be read, and for audio without the frames
    that the model takes.
    """
    spec = trained.model.spec
    if audio:
        if Timing.of(spec.conditioning).frame_channels:
            raise WavestepError(
                "this model takes frames, which --audio does not have; leave it out"
            )
        clips = [Clip(read_audio(path, spec), {}) for path in audio]
        material = ", ".join(path.name for path in audio)
    else:
        clips = list(trained.clips)
        material = "held-back audio of the checkpoint"
    chosen: list[Clip] = []
    left = most
    for clip in clips:
        part = clip.samples if left is None else clip.samples[:left]
        if len(part):
            chosen.append(Clip(part, clip.conditions, clip.frames))
        if left is not None:
            left -= len(part)
    return chosen, material
