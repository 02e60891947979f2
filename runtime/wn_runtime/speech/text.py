"""What is to be read of a text: its words in lower case, digits one by one, and pauses."""

from __future__ import annotations

import unicodedata

from wn_runtime.errors import WavestepError, listed

PAUSE = ","
"""Stands among the words where the text has a pause."""
MOST_CHARACTERS = 10_000
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_PAUSES = frozenset(",;:.!?…\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")
_APOSTROPHES = frozenset("'’ʼ＇")
_UNREADABLE = frozenset("#%&*@/\\§¶†‡‰")
"""Punctuation that is a word: left out, the text would say something else."""


def words(text: str) -> tuple[str, ...]:
    """The words of a text in order; PAUSE between two of them where the text has a pause.

    Other punctuation parts words and is left out, save an apostrophe within a word. Letters of any
    script stay as they are: the dictionary decides. Raises WavestepError for a text that is too
    long, has no word in it, or characters that cannot be read, which it names.

    >>> words("Don't: 7-4!")
    ("don't", ',', 'seven', 'four')
    """
    if len(text) > MOST_CHARACTERS:
        raise WavestepError(
            f"the text has {len(text)} characters; at most {MOST_CHARACTERS} are read at a time"
        )
    text = unicodedata.normalize("NFC", text).lower()
    _check_readable(text)
    found: list[str] = []
    for piece in "".join(map(_spaced, text)).split(" "):
        word = piece.strip("'")
        # A pause says nothing twice in a row, nor before the first word.
        if word and not (word == PAUSE and found[-1:] in ([], [PAUSE])):
            found.append(word)
    if found[-1:] == [PAUSE]:
        found.pop()
    if not found:
        raise WavestepError(f"the text {text!r:.60} has no word in it; write what is to be said")
    return tuple(found)


def _spaced(character: str) -> str:
    """A character as it goes into words, which blanks part."""
    if character in _APOSTROPHES:
        return "'"
    if character in _PAUSES:
        return f" {PAUSE} "
    kind = unicodedata.category(character)
    if kind == "Nd":
        return f" {DIGITS[unicodedata.decimal(character)]} "
    return character if kind[0] in "LM" else " "


def _check_readable(text: str) -> None:
    unreadable = sorted({character for character in text if not _is_readable(character)})
    if unreadable:
        raise WavestepError(
            f"the text has characters that cannot be read: {listed(list(map(repr, unreadable)))}; "
            "write them as words"
        )


def _is_readable(character: str) -> bool:
    if character in _PAUSES or character in _APOSTROPHES or character.isspace():
        return True
    kind = unicodedata.category(character)
    return kind == "Nd" or (kind[0] in "LMPZ" and character not in _UNREADABLE)
