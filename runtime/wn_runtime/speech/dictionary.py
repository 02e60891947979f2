"""How words are pronounced: the text format of CMU's dictionary.

A line is `zero  Z IH1 R OW0`, and of another pronunciation `zero(2)  Z IY1 R OW0`. What begins with
;;; is a comment, and what comes after a #.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from wn_runtime import files
from wn_runtime.errors import WavestepError, listed
from wn_runtime.speech.labels import SILENCE
from wn_runtime.speech.text import PAUSE

Pronunciation = tuple[str, ...]
"""Phones."""
MOST_BYTES = 16 * 2**20
_LONGEST_WORD, _LONGEST_PHONE, _MOST_PHONES = 64, 16, 64
MOST_LINES, _MOST_WAYS = 500_000, 99
"""Of all words and of one: CMU's dictionary has 135,000 lines."""
_FEW = 40
"""Words that a message lists."""
_HINTED, _COMPARED = 3, 4000
"""Of unknown words those that are told what is near them, and of known ones those that are asked:
a long text is compared with a large dictionary in no time."""
_VARIANT = re.compile(r"(.+)\(\d{1,3}\)")
_STRESSED = re.compile(r"([A-Z]+)[0-2]")


@dataclass(frozen=True)
class Dictionary:
    """Words in lower case, and for each its pronunciations, the usual one first."""

    pronunciations: Mapping[str, tuple[Pronunciation, ...]]

    def phones_of(self, words: Sequence[str]) -> tuple[Pronunciation, ...]:
        """The usual pronunciation of each word in turn; of a PAUSE the one phone of silence.

        Raises WavestepError that names all the words it does not know.
        """
        self.check(words)
        return tuple(
            (SILENCE,) if word == PAUSE else self.pronunciations[word][0] for word in words
        )

    def check(self, words: Iterable[str]) -> None:
        """Raise WavestepError that names all the words it does not know, and what is near them."""
        unknown = [
            word
            for word in dict.fromkeys(words)
            if word != PAUSE and word not in self.pronunciations
        ]
        if not unknown:
            return
        hints = [self._hint(word) for word in unknown[:_HINTED]]
        hints += [""] * (len(unknown) - len(hints))
        named = listed([f"{w!r:.60}{hint}" for w, hint in zip(unknown, hints, strict=True)])
        few = len(self.pronunciations) <= _FEW
        known = (
            f"it has: {listed(list(self.pronunciations))}"
            if few
            else "give a dictionary that has all"
        )
        are = "a word is" if len(unknown) == 1 else f"{len(unknown)} words are"
        raise WavestepError(f"{are} not in the dictionary: {named}; {known}")

    def subset(self, words: Iterable[str]) -> Dictionary:
        """Of these words alone. Raises WavestepError as `check` does."""
        wanted = sorted(set(words) - {PAUSE})
        self.check(wanted)
        return Dictionary({word: self.pronunciations[word] for word in wanted})

    @property
    def phones(self) -> tuple[str, ...]:
        """All that its words are made of, sorted; silence is none of them."""
        every = self.pronunciations.values()
        return tuple(sorted({phone for some in every for one in some for phone in one}))

    def written(self) -> str:
        """Its text, which `parse` reads."""
        return "".join(
            f"{word}{'' if number == 1 else f'({number})'} {' '.join(phones)}\n"
            for word, some in self.pronunciations.items()
            for number, phones in enumerate(some, start=1)
        )

    def _hint(self, word: str) -> str:
        if len(word) > _LONGEST_WORD:
            return ""
        # Those alone that begin alike: to compare with all of a large dictionary takes seconds.
        known = self.pronunciations
        some = [
            other
            for other in known
            if len(known) <= _FEW or (other[:1] == word[:1] and abs(len(other) - len(word)) < 3)
        ]
        near = difflib.get_close_matches(word, some[:_COMPARED], n=1)
        return f" (did you mean {near[0]!r}?)" if near else ""


def read(path: Path) -> Dictionary:
    """The dictionary in a file. Raises WavestepError that names file, line and fault."""
    try:
        text = files.read_text(path, MOST_BYTES)
    except FileNotFoundError as error:
        raise WavestepError(
            f"{path} does not exist; give a dictionary, lines of `word P H O N E S`"
        ) from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise WavestepError(f"{path} cannot be read as a dictionary: {reason}") from error
    return parse(text, str(path))


def parse(text: str, where: str) -> Dictionary:
    """The dictionary in a text; `where` names the source in messages. Stress (AH0) is left out.

    Raises WavestepError for a line that is none of a dictionary, a word that is there twice without
    a number, and a text without words.
    """
    found: dict[str, list[Pronunciation]] = {}
    lines = text.removeprefix("\ufeff").splitlines()
    if len(lines) > MOST_LINES:
        raise WavestepError(
            f"{where} has over {MOST_LINES} lines; leave out words that nobody says"
        )
    for number, line in enumerate(lines, start=1):
        fields = _without_comment(line).split()
        if not fields:
            continue
        try:
            _add(found, fields)
        except ValueError as error:
            raise WavestepError(f"{where}, line {number}: {error}") from error
    if not found:
        raise WavestepError(f"{where} has no words; its lines are `word P H O N E S`")
    return Dictionary({word: tuple(some) for word, some in found.items()})


def _without_comment(line: str) -> str:
    return "" if line.startswith(";;;") else line.split("#", 1)[0]


def _add(found: dict[str, list[Pronunciation]], fields: Sequence[str]) -> None:
    variant = _VARIANT.fullmatch(fields[0])
    word = (variant[1] if variant else fields[0]).lower()
    if len(word) > _LONGEST_WORD or not word.isprintable():
        raise ValueError(f"{word!r:.40} is no word: over {_LONGEST_WORD} characters, or not text")
    if variant and word not in found:
        raise ValueError(f"{fields[0]!r} comes before {word!r}; put the usual pronunciation first")
    if not variant and word in found:
        raise ValueError(f"{word!r} is there already; call another pronunciation {word}(2)")
    if not 1 < len(fields) <= 1 + _MOST_PHONES:
        raise ValueError(f"{word!r} has {len(fields) - 1} phones; it takes 1 to {_MOST_PHONES}")
    phones = tuple(map(_phone, fields[1:]))
    some = found.setdefault(word, [])
    if phones not in some:  # two may differ in stress alone
        some.append(phones)
    if len(some) > _MOST_WAYS:
        raise ValueError(f"{word!r} has over {_MOST_WAYS} pronunciations; leave out the rare ones")


def _phone(name: str) -> str:
    stressed = _STRESSED.fullmatch(name)
    phone = stressed[1] if stressed else name
    if len(phone) > _LONGEST_PHONE or not phone.isprintable() or phone == SILENCE:
        raise ValueError(
            f"{phone!r:.40} is no phone: over {_LONGEST_PHONE} characters, control ones, or silence"
        )
    return phone
