"""Which audio parity is proven on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wn_export.parity import framed
from wn_export.parity.audio import read_audio
from wn_export.parity.expected import MOST_CLIPS, MOST_SAMPLES, Clip
from wn_runtime.text import printable

if TYPE_CHECKING:
    from wn_export.parity.trained import Trained

AUDIO_SAMPLES = 16_000
"""Audio in a reference: what one core scores in a few seconds, engine by engine. Where conditioning
remembers, a clip as long comes on top."""
_NAMED = 5  # files


def choose_clips(
    trained: Trained,
    audio: tuple[Path, ...],
    most: int = MOST_SAMPLES,
    frames: tuple[Path, ...] = (),
) -> tuple[list[Clip], str]:
    """What PyTorch is to be asked about, at most `most` samples, and where it comes from.

    frames: a file for each of `audio`, in the same order; without any they are extracted as the
    checkpoint says. Raises WavestepError for a file that cannot be read, for frames that are not
    the audio's or the model's, and where the model takes frames that nobody gives.
    """
    clips: list[Clip] = []
    if audio or frames:
        given = framed.given(trained, audio, frames)
        for path, source in zip(audio, given, strict=True):  # of all: a mistake in the last is told
            left = most - sum(len(clip.samples) for clip in clips)
            clips.append(_clip(trained, path, source, max(left, 1)))
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


def _clip(trained: Trained, path: Path, source: framed.Source, most: int) -> Clip:
    spec = trained.model.spec
    wave = read_audio(path, spec, most)
    return Clip(spec.encode(wave), {}, source(path, wave, len(wave) == most))
