"""A text becomes the same frames in JavaScript as in Python, and the same line refuses it."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from tests.export.site.node import needs_node
from tests.export.site.speech.asking import Asked, answers, check_equal
from tests.export.site.speech.voices import SHAPES, front_end, spec
from wn_export.package import site_speech
from wn_runtime.speech.front_end import FrontEnd

pytestmark = needs_node

TEXTS = (
    "seven",
    "Seven, TWO! 719 zero",
    "  ...don’t 'seven'—nine\n\n\ttwo?! ",
    "1",
    ",,one,;two..",
    "Grüße (İĞ) ٧٢ ７ \U0001d7d7 नमस्ते ΣΟΦΌΣ \U0001d6fc\U0001d6fd e\u0301TÉ",
    "zero two " * 20,
    "",
    " \n.,;' ",
    "sevn two blup 5 6",
    "fiv\u00e9 \U0001f642 10% \x1b \ud800",
    "1" * 10_001,
)


@pytest.mark.parametrize("precision", site_speech.PRECISIONS)
@pytest.mark.parametrize("shape", SHAPES)
def test_frames_and_errors_are_those_of_python(shape: str, precision: str) -> None:
    voice = front_end(SHAPES[shape])
    some: tuple[Any, ...] = voice.spec.speakers or (None,)
    asked: list[Asked] = [(text, {"speaker": speaker}) for text in TEXTS for speaker in some]
    if voice.spec.speakers:
        unknown: tuple[Any, ...] = ("bop", "", "x" * 61, "-1", "99", 7, 1, "1", " 1")
        asked += [("one", {"speaker": speaker}) for speaker in unknown]
    asked += [("one, two", {"speaker": some[0], "rate": rate}) for rate in (0.25, 1.3, 4)]
    found = check_equal(voice, asked, precision)
    assert sum("frames" in answer for answer in found) >= 7 * len(some) + 3


def test_a_long_text() -> None:
    (answer,) = check_equal(front_end(spec(gaps=False)), [("71, 9 " * 600, {"speaker": 1})], "fp32")
    assert answer["count"] > 20_000


def test_what_is_said_otherwise_than_in_python() -> None:
    voice = front_end(spec())
    files = site_speech.files_of(voice)
    asked: list[Asked] = [
        ("one", {}),
        ("one", {"speaker": None}),
        ("one", {"speaker": "ann", "rate": 9}),
        ("one", {"speaker": "ann", "rate": None}),
    ]
    assert [answer["error"] for answer in answers(files, asked)] == [
        "say who speaks: speaker, one of ann, bob",
        "say who speaks: speaker, one of ann, bob",
        "rate is 9; it must be 0.25 to 4",
        "rate is null; it must be 0.25 to 4",
    ]


@pytest.mark.parametrize(
    ("mel", "frames"), [(200, 12.0), (600, 1.0)], ids=["its frames", "its phones"]
)
def test_a_text_that_fills_the_memory_is_refused(mel: int, frames: float) -> None:
    voice = front_end(spec(mel=mel, channels=2, layers=1, width=1), frames=frames)
    (answer,) = check_equal(voice, [("7" * 10_000, {"speaker": "ann"})], "int8")
    assert "s or more; give less of it at a time" in answer["error"]


@pytest.mark.parametrize(
    ("weight", "value", "part"),
    [
        ("durations.output.weight", 3e38, "durations"),
        ("prosody.input.weight", 3e38, "prosody"),
        ("prosody.scale", 0.0, "spectrum"),
    ],
)
def test_weights_that_make_no_numbers_are_one_line(weight: str, value: float, part: str) -> None:
    weights = dict(front_end(spec()).weights)
    weights[weight] = np.full_like(weights[weight], value)
    damaged = FrontEnd(spec(), weights, front_end(spec()).dictionary)
    with np.errstate(all="ignore"):
        (answer,) = check_equal(damaged, [("two", {"speaker": "ann"})], "fp32")
    assert f"this voice's {part} are no finite numbers" in answer["error"]


def test_of_several_pronunciations_the_usual_one_is_said() -> None:
    voice = front_end(spec())
    known = dict(voice.dictionary.pronunciations)
    known["zero"] = (("Z", "IH"), ("OW", "R"))
    two = FrontEnd(
        voice.spec, voice.weights, dataclasses.replace(voice.dictionary, pronunciations=known)
    )
    (answer,) = check_equal(two, [("zero", {"speaker": "ann"})], "int8")
    assert answer["phones"] == ["sil", "Z", "IH", "sil"]
