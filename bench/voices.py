"""Words said by a voice: one that reads text, or one that has a condition `digit`."""

from __future__ import annotations

from listening import Wave

from wn_runtime.speech.text import DIGITS
from wn_runtime.synthesis.model import Model

UNREAD_S = 1.0
"""Seconds of a voice that does not read: nothing tells when it has ended."""


def said(model: Model, digits: str, speaker: str, seed: int, temperature: float) -> Wave:
    """Digits such as "742" by a speaker, (T,)."""
    if model.front_end is None:
        with model.stream(seed, temperature, speaker=speaker, digit=digits) as stream:
            return stream.read(round(UNREAD_S * model.sample_rate))[:, 0]
    text = " ".join(DIGITS[int(digit)] for digit in digits)
    with model.say(text, seed, temperature, speaker=speaker) as stream:
        assert stream.available is not None, "it takes frames"
        return stream.read(stream.available)[:, 0]
