"""What wn-run is given on the device to be heard at once: words, or frames that travel with it."""

from __future__ import annotations

import io
import shlex
from dataclasses import dataclass, field

import numpy as np

from wn_export.parity import reference
from wn_runtime.model import manifest as manifests
from wn_runtime.model.package import ModelPackage
from wn_runtime.speech import dictionary

FRAMES = "frames.npy"
WORDS = 3


@dataclass(frozen=True)
class Example:
    """Of one model."""

    arguments: tuple[str, ...]
    """Of wn-run, after the model."""
    files: dict[str, bytes] = field(default_factory=dict)
    """What these name, in the bundle's folder."""

    @property
    def words(self) -> str:
        """The arguments as a shell takes them."""
        return shlex.join(self.arguments)


def example(package: ModelPackage) -> Example:
    """A text in the words of a voice, else the conditions and frames of parity's free run."""
    speech = package.manifest.speech
    if speech is not None:
        words = package.read(manifests.DICTIONARY).decode("utf-8")
        known = dictionary.parse(words, manifests.DICTIONARY)
        said = " ".join(list(known.pronunciations)[:WORDS])
        who = _condition(speech.speaker, speech.speakers[0]) if speech.speaker else ()
        return Example(("--text", said, *who))
    clip = reference.load(package).free.clip
    arguments = [word for each in sorted(clip.conditions.items()) for word in _condition(*each)]
    if clip.frames is None:
        return Example(tuple(arguments))
    file = io.BytesIO()
    np.save(file, clip.frames[:, 0], allow_pickle=False)
    return Example(("--frames", FRAMES, *arguments), {FRAMES: file.getvalue()})


def _condition(name: str, value: str) -> tuple[str, ...]:
    return ("--speaker", value) if name == "speaker" else ("--set", f"{name}={value}")
