"""The shipped voice in JavaScript, and how far its weights in eight bits are from those it has."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pytest

from tests.export.site.node import needs_node
from tests.export.site.speech.asking import Asked, check_equal
from wn_export.package import site_speech
from wn_runtime.speech.front_end import FrontEnd
from wn_train import checkpoint
from wn_train.speech import voice

VOICE = Path(__file__).parents[4] / "examples/digits.pt"
TEXTS = ("seven four two", "Nine, nine! 0", "ten")


@functools.cache
def shipped() -> FrontEnd:
    speech = checkpoint.load(VOICE).speech
    assert speech is not None
    return voice.of(speech)


@needs_node
@pytest.mark.parametrize("precision", site_speech.PRECISIONS)
def test_every_speaker_says_in_javascript_what_it_says_in_python(precision: str) -> None:
    speakers = shipped().spec.speakers
    asked: list[Asked] = [(text, {"speaker": who}) for text in TEXTS for who in speakers]
    asked += [("12345 67890. Eight? " * 3, {"speaker": 4, "rate": 1.1})]
    found = check_equal(shipped(), asked, precision)
    assert sum("frames" in answer for answer in found) == (len(TEXTS) - 1) * len(speakers) + 1


def test_eight_bits_are_small_and_change_nothing_that_can_be_heard() -> None:
    files = site_speech.files_of(shipped())
    assert sum(map(len, files.values())) < 460_000
    rounded = site_speech.read(files)
    mel = shipped().spec.features.mel
    for speaker in shipped().spec.speakers:
        spoken = shipped().spoken("0123456789", speaker)
        again = rounded.spoken("0123456789", speaker)
        assert np.abs(again.frames - spoken.frames).max() <= 1
        expected, found = (each.rendered(spoken, speaker) for each in (shipped(), rounded))
        off = np.sqrt(np.mean((found - expected) ** 2, axis=0))
        assert off[:mel].max() < 0.05  # 0.4 dB
        assert off[mel + 1] < 0.006  # 10 cents
