"""Of words that a voice does not know JavaScript says what Python says, near ones included."""

from __future__ import annotations

import random

import pytest

from tests.export.site.node import needs_node
from tests.export.site.speech.asking import Asked, check_equal
from tests.export.site.speech.voices import front_end, spec, words
from wn_runtime.speech.dictionary import Dictionary
from wn_runtime.speech.front_end import FrontEnd

pytestmark = needs_node


def misspelled(word: str, rng: random.Random) -> str:
    letters = list(word)
    for _ in range(rng.randrange(1, 4)):
        place = rng.randrange(len(letters) + 1)
        letters[place : place + rng.randrange(2)] = rng.choice(
            ["", "a", "e", "é", "n", "\U0001d6fc"]
        )
    return "".join(letters) or "x"


@pytest.mark.parametrize("size", [10, 40, 41, 5000])
def test_the_nearest_word_is_the_one_that_python_names(size: int) -> None:
    rng = random.Random(size)
    made = {"".join(rng.choices("aenrst\U0001d6fcé", k=rng.randrange(2, 12))) for _ in range(size)}
    known = {**dict.fromkeys(sorted(made)[: size - 1], (("Z",),)), "zero": (("Z", "IH"),)}
    base = front_end(spec())
    voice = FrontEnd(base.spec, base.weights, Dictionary(known))
    asked: list[Asked] = []
    for _ in range(60):
        some = [misspelled(rng.choice(sorted(made)), rng) for _ in range(rng.randrange(1, 5))]
        asked.append((" ".join(some), {"speaker": "ann"}))
    found = check_equal(voice, asked, "int8")
    hinted = sum("did you mean" in answer.get("error", "") for answer in found)
    assert hinted > 20


def test_of_many_unknown_words_the_first_are_named_and_long_ones_are_cut() -> None:
    asked: list[Asked] = [
        (" ".join(f"w{'x' * i}" for i in range(70)), {"speaker": "ann"}),
        ("zer" + "o" * 61, {"speaker": "ann"}),
        ("zer" + "o" * 62, {"speaker": "ann"}),
    ]
    found = check_equal(front_end(spec()), asked, "int8")
    assert "70 words are not in the dictionary" in found[0]["error"]
    assert next(iter(words().pronunciations)) in found[0]["error"]


def test_a_speaker_of_nearly_the_right_name() -> None:
    voice = front_end(spec(speakers=("anna", "annb", "hannah", "Zoë")))
    asked: list[Asked] = [
        ("one", {"speaker": name}) for name in ("ann", "annab", "zoe", "hanna", "q", "Zoë ")
    ]
    found = check_equal(voice, asked, "int8")
    assert sum("did you mean" in answer["error"] for answer in found) >= 4
