"""JavaScript reads the same words of a text as Python does, of every character there is."""

from __future__ import annotations

import functools
import random
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from tests.export.site.node import ask, needs_node
from wn_runtime.errors import WavestepError
from wn_runtime.speech.text import words

pytestmark = needs_node

SCRIPT = Path(__file__).with_name("words.mjs")


def told(text: str) -> Any:
    try:
        return list(words(text))
    except WavestepError as error:
        return {"error": str(error)}


@functools.cache
def old() -> list[str]:
    """The characters that every Unicode has since 3.2, of a kind that has stayed since."""
    before = unicodedata.ucd_3_2_0
    return [
        character
        for character in map(chr, range(sys.maxunicode + 1))
        if before.category(character) == unicodedata.category(character) != "Cn"
        and not 0xAC00 < ord(character) < 0xD7A3  # Hangul, 11,000 alike
        and not 0x4E00 < ord(character) < 0x9FA5  # Han, 20,000 alike
        and not 0xE000 < ord(character) < 0xF8FF  # private, as are the planes of 15 and 16
        and ord(character) < 0xE0000
    ]


def check(texts: list[str]) -> None:
    for text, answer in zip(texts, ask(SCRIPT, texts), strict=True):
        assert answer == told(text), ascii(text)


def test_every_character() -> None:
    characters = old()
    assert len(characters) > 20_000
    check([f"a{character}b" for character in characters])


def test_every_digit_has_its_value() -> None:
    digits = [c for c in old() if unicodedata.category(c) == "Nd"]
    assert {unicodedata.decimal(digit) for digit in digits} == set(range(10))
    check(digits)


@pytest.mark.parametrize("seed", range(3))
def test_texts_of_anything(seed: int) -> None:
    rng = random.Random(seed)
    kinds: dict[str, list[str]] = {}
    for character in old():
        kinds.setdefault(unicodedata.category(character), []).append(character)
    kinds |= {"usual": list("aΣσsIiİ,.'’ 7-!\u0301\n"), "blank": [" ", "\t", "\u00a0", "\x1f"]}
    readable = [kind for kind in kinds if kind[0] not in "CS" and kind not in ("No", "Nl")]
    texts = []
    for number in range(600):
        some = list(kinds) if number % 6 == 0 else readable
        pieces = (rng.choice(kinds[rng.choice([*some, "usual"])]) for _ in range(rng.randrange(30)))
        texts.append("".join(pieces))
    check(texts)
    assert sum(isinstance(told(text), list) for text in texts) > 300


@pytest.mark.parametrize(
    "text",
    [
        "x" * 10_000,
        "\U0001f642" * 10_001,
        "\"'",
        "'\"'\"",
        "'",
        "\\\x85\x7f\u200b\U000e0001",
        "(" * 70,
    ],
    ids=range(7),
)
def test_what_is_long_or_needs_quotes(text: str) -> None:
    check([text, f"{text}\u20ac"])
