"""Words said by a voice: one that reads text, or one that has a condition `digit`."""

from __future__ import annotations

from pathlib import Path

import wn_runtime
from bench.speech.listening import RATE, Wave
from wn_runtime.errors import WavestepError
from wn_runtime.speech.text import DIGITS

UNREAD_S = 1.0
"""Seconds of a voice that does not read: nothing tells when it has ended."""


def opened(path: Path, engine: str | None) -> wn_runtime.Model:
    """A voice. Raises WavestepError for one of another rate than the listeners'."""
    model = wn_runtime.open(path, engine=engine)
    if model.sample_rate != RATE:
        model.close()
        raise WavestepError(f"{path} makes {model.sample_rate} Hz; the listeners hear {RATE} Hz")
    return model


def said(model: wn_runtime.Model, digits: str, speaker: str, seed: int, temperature: float) -> Wave:
    """Digits such as "742" by a speaker, (T,)."""
    if model.front_end is None:
        with model.stream(seed, temperature, speaker=speaker, digit=digits) as stream:
            return stream.read(round(UNREAD_S * model.sample_rate))[:, 0]
    text = " ".join(DIGITS[int(digit)] for digit in digits)
    with model.say(text, seed, temperature, speaker=speaker) as stream:
        assert stream.available is not None, "it takes frames"
        return stream.read(stream.available)[:, 0]
