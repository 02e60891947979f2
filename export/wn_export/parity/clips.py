"""Which audio parity is proven on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wn_export.parity.audio import read_audio
from wn_export.parity.expected import MOST_CLIPS, MOST_SAMPLES, Clip
from wn_runtime.conditioning.timing import Timing
from wn_runtime.errors import WavestepError
from wn_runtime.text import printable

if TYPE_CHECKING:
    from wn_export.parity.trained import Trained

AUDIO_SAMPLES = 16_000
"""Audio in a reference: what one core scores in a few seconds, engine by engine."""
_NAMED = 5  # files


def choose_clips(
    trained: Trained, audio: tuple[Path, ...], most: int = MOST_SAMPLES
) -> tuple[list[Clip], str]:
    """What PyTorch is to be asked about, at most `most` samples, and where it comes from.

    Raises WavestepError for an audio file that cannot be read, and for audio without the frames
    that the model takes.
    """
    spec = trained.model.spec
    clips: list[Clip] = []
    if audio:
        if Timing.of(spec.conditioning).frame_channels:
            raise WavestepError(
                "this model takes frames, which --audio does not have; leave it out"
            )
        for path in audio:  # of all, so that a mistake in the last is told, too
            left = most - sum(len(clip.samples) for clip in clips)
            clips.append(Clip(read_audio(path, spec, max(left, 1)), {}))
        material = ", ".join(printable(path.name) for path in audio[:_NAMED])
        if len(audio) > _NAMED:
            material += f" and {len(audio) - _NAMED} more"
    else:
        clips = list(trained.clips)
        material = "held-back audio of the checkpoint"
    chosen: list[Clip] = []
    left = most
    for clip in clips[:MOST_CLIPS]:
        part = clip.samples[:left]
        if len(part):
            chosen.append(Clip(part, clip.conditions, clip.frames))
        left -= len(part)
    return chosen, material
