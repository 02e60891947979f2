"""What is read of a text, and that nothing in it is passed over in silence."""

from __future__ import annotations

import pytest

from wn_runtime.errors import WavestepError
from wn_runtime.speech.text import MOST_CHARACTERS, PAUSE, words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("seven four two", "seven four two"),
        ("742", "seven four two"),
        ("Room 10b", "room one zero b"),
        ("Hello, World!", "hello , world"),
        ("one; two: three. four? five!", "one , two , three , four , five"),
        ("one\ntwo\r\nthree", "one , two , three"),
        ("...well... so, — yes?!", "well , so , yes"),
        ("Don’t 'quote' rock'n'roll", "don't quote rock'n'roll"),
        ('an "able-bodied" (old) man', "an able bodied old man"),
        ("İĞ Grüße", "i̇ğ grüße"),
        ("٧ ４", "seven four"),
        ("नमस्ते", "नमस्ते"),
    ],
)
def test_words(text: str, found: str) -> None:
    assert words(text) == tuple(found.split(" "))


def test_the_pause_is_one_token() -> None:
    assert words("one,two") == ("one", PAUSE, "two")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("50% & €", r"cannot be read: '%', '&', '€'; write them as words"),
        ("a\x1b[2J", r"cannot be read: '\\x1b'"),
        ("x²", r"cannot be read: '²'"),
        ("🙂", r"cannot be read: '🙂'"),
        ("\ud800", r"cannot be read: '\\ud800'"),
        ("", r"the text '' has no word in it; write what is to be said"),
        (" .,;' ", r"has no word in it"),
        ("a" * (MOST_CHARACTERS + 1), rf"has {MOST_CHARACTERS + 1} characters; at most"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, message: str) -> None:
    with pytest.raises(WavestepError, match=message) as raised:
        words(text)
    assert len(str(raised.value).splitlines()) == 1
