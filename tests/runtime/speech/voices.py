"""A small front end with random weights, for tests."""

from __future__ import annotations

import numpy as np

from wn_runtime.features.features import Features
from wn_runtime.speech.dictionary import Dictionary, parse
from wn_runtime.speech.front_end import FrontEnd
from wn_runtime.speech.spec import SpeechSpec

PHONES = ("sil", "AO", "F", "R", "T", "UW")
FEATURES = Features(8000, 80, 320, mel=3, level=True, pitch=True, phones=PHONES)
SPEAKERS = ("ann", "bob")


def words() -> Dictionary:
    return parse("four F AO R\ntwo T UW\n", "the test")


def spec(mel: int = 3, gaps: bool = True) -> SpeechSpec:
    features = Features(8000, 80, 320, mel=mel, level=True, pitch=True, phones=PHONES)
    return SpeechSpec(features, "speaker", SPEAKERS, gaps, channels=8, layers=2, width=3)


def front_end(of: SpeechSpec | None = None, seed: int = 0) -> FrontEnd:
    of = of or spec()
    rng = np.random.default_rng(seed)
    weights = {
        name: np.ones(shape, np.float32)
        if name.endswith("scale")
        else (rng.normal(0, 0.3, shape)).astype(np.float32)
        for name, shape in of.shapes().items()
    }
    weights["durations.mean"][:] = 1.5  # ln frames
    return FrontEnd(of, weights, words())
