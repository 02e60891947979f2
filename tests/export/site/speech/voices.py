"""Small front ends with random weights, of every shape that the networks and frames can have."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from wn_runtime.features.features import Features
from wn_runtime.speech import dictionary
from wn_runtime.speech.front_end import FrontEnd
from wn_runtime.speech.spec import SpeechSpec

WORDS = """zero Z IH R OW
one W AH N
two T UW
seven S EH V AH N
nine N AY N
don't D OW N T
grüße G R UW S AH
i̇ğ IH
नमस्ते N AH M AH S T EH
σοφός S OW F AH S
𝛼𝛽 AH
e\u0301te\u0301 EH T EH
"""


def words() -> dictionary.Dictionary:
    return dictionary.parse(WORDS.replace("e\u0301", "é"), "the test")


def spec(
    mel: int = 3,
    speakers: tuple[str, ...] = ("ann", "bob"),
    speaker: str = "speaker",
    rate: int = 8000,
    hop: int = 80,
    gaps: bool = True,
    channels: int = 8,
    layers: int = 2,
    width: int = 3,
) -> SpeechSpec:
    phones = ("AX", "sil", *words().phones)
    features = Features(rate, hop, 4 * hop, mel=mel, level=True, pitch=True, phones=phones)
    return SpeechSpec(
        features, speaker if speakers else "", speakers, gaps, channels, layers, width
    )


SHAPES = {
    "usual": spec(),
    "no mel bands, one speaker": spec(mel=0, speakers=(), gaps=False),
    "one column short of a panel": spec(mel=7, channels=7, layers=1, width=1),
    "one more than a panel": spec(mel=9, channels=33, layers=3, width=7, hop=200, rate=16000),
    "speakers with the names of numbers": spec(speakers=("1", "0", "Zoë 7"), speaker="voice"),
    "a hop that is no millisecond": spec(rate=22050, hop=275, gaps=False, width=5),
}


def front_end(of: SpeechSpec, seed: int = 0, frames: float = 4.5) -> FrontEnd:
    """frames: how long a phone lasts about."""
    rng = np.random.default_rng(seed)
    weights: dict[str, NDArray[np.float32]] = {}
    for name, shape in of.shapes().items():
        spread = math.prod(shape[:-1]) ** -0.5
        weights[name] = rng.normal(0, spread, shape).astype(np.float32)
        if name.endswith("scale"):
            weights[name] = (np.abs(weights[name]) / 2 + 0.3).astype(np.float32)
    weights["durations.mean"][:] = np.log(frames)
    weights["prosody.mean"][2], weights["prosody.scale"][2] = 0, 1
    return FrontEnd(of, weights, words())
