"""Model directories that speak: small random models with a random front end, without torch."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import safetensors.numpy

from tests.models.model_dir import write_model
from tests.models.specs import small_spec
from wn_runtime.conditioning.frames import LocalFrames
from wn_runtime.conditioning.global_conditions import GlobalConditions
from wn_runtime.conditioning.spec import Condition
from wn_runtime.features.features import Features
from wn_runtime.model import manifest as manifests
from wn_runtime.speech import dictionary
from wn_runtime.speech.spec import SpeechSpec

HOP = 16


def write_voice(
    directory: Path, words: str, speakers: tuple[str, ...] = ("ann", "bob"), batch: int = 1
) -> Path:
    """A directory of a voice that knows `words`, the text of a dictionary."""
    known = dictionary.parse(words, "words")
    features = Features(
        8000, HOP, 4 * HOP, mel=2, level=True, pitch=True, phones=("sil", *known.phones)
    )
    channels = len(features.names)
    conditioning = (
        GlobalConditions((Condition("speaker", "categorical", speakers),)),
        LocalFrames(channels, HOP, hidden=4, kernels=(3,), upsampling="linear", hold=8),
    )
    spec = dataclasses.replace(small_spec(), sample_rate=8000, conditioning=conditioning)
    write_model(directory, spec, batch=batch)
    speech = SpeechSpec(features, "speaker", speakers, channels=4, layers=1, width=3)
    rng = np.random.default_rng(0)
    weights = {
        name: rng.normal(0, 0.3, shape).astype(np.float32)
        for name, shape in speech.shapes().items()
    }
    weights["durations.mean"][:] = np.log(4)
    (directory / manifests.SPEECH).write_bytes(safetensors.numpy.save(weights))
    (directory / manifests.DICTIONARY).write_text(known.written())
    manifest = dataclasses.replace(manifests.read(directory), speech=speech)
    for name in (manifests.SPEECH, manifests.DICTIONARY):
        manifest = manifests.with_file(manifest, directory / name)
    manifests.write(directory, manifest)
    return directory
