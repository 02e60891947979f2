"""Dictionaries, label files and texts: what a writer of them may have put there, or a joker."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

_MANY = 900_000


def _ways() -> str:
    """Very many pronunciations of one word, no two the same."""
    every = itertools.product("ABCDEFGHIJ", repeat=5)
    return "ta T AA\n" + "".join(f"ta(2) {' '.join(phones)}\n" for phones in every)


DICTIONARIES: dict[str, Callable[[str], str]] = {
    "64 phones a word": lambda old: "".join(f"{word} {'T AA ' * 32}\n" for word in ("ta", "at")),
    "65 phones": lambda old: f"ta {'T ' * 65}\n",
    "no phones": lambda old: "ta\n",
    "unknown phone": lambda old: old + "to T OW\n",
    "silence": lambda old: "ta T sil AA\n",
    "stress": lambda old: "ta T AA1\nat AA0 T\n",
    "case": lambda old: old.upper(),
    "phones in lower case": lambda old: old.lower(),
    "twice": lambda old: old + old,
    "number first": lambda old: "ta(2) T AA\n" + old,
    "number of four digits": lambda old: old + "ta(1000) T\n",
    "empty number": lambda old: old + "ta() T\n",
    "comments alone": lambda old: ";;; ta T AA\n# at\n",
    "mark of UTF-8": lambda old: "\ufeff" + old,
    "returns": lambda old: old.replace("\n", "\r\n"),
    "old returns": lambda old: old.replace("\n", "\r"),
    "other blanks": lambda old: old.replace(" ", "\u3000\t"),
    "other line ends": lambda old: old.replace("\n", "\u2028"),
    "one line": lambda old: old.replace("\n", " "),
    "NUL": lambda old: old.replace("T", "\0"),
    "escape": lambda old: old.replace("at", "a\x1b[31mt"),
    "escape as a phone": lambda old: old.replace("AA", "\x1b[31m"),
    "bidi": lambda old: old.replace("at", "\u202eat"),
    "surrogates": lambda old: old.replace("at", "\udcff"),
    "pause": lambda old: old + ", T\n",
    "long word": lambda old: old + "t" * 65 + " T\n",
    "long phone": lambda old: old + f"to {'T' * 17}\n",
    "long line": lambda old: "ta " + "T " * 4_000_000,
    "no word of the text": lambda old: "x T\n",
    "nothing": lambda old: "",
    "many words": lambda old: "".join(f"t{i:x} T\n" for i in range(_MANY)),
    "many near words": lambda old: old + "".join(f"t{i:063b} T\n" for i in range(50_000)),
    "many phones": lambda old: "".join(f"t{i:x} {i:x}\n" for i in range(30_000)),
    "many ways": lambda old: _ways(),
}
LABELS: dict[str, Callable[[str], str]] = {
    "nothing": lambda old: "",
    "gap": lambda old: old.replace("500000 ", "500001 ", 1),
    "later": lambda old: "\n".join(old.split("\n")[1:]),
    "shorter": lambda old: "\n".join(old.split("\n")[:-2]) + "\n",
    "longer": lambda old: old + "2600000 99999999999999 sil\n",
    "for ever": lambda old: old + f"2600000 {'9' * 15} sil\n",
    "digits": lambda old: f"0 {'9' * 5000} sil\n",
    "other digits": lambda old: old.replace("0", "٠"),
    "negative": lambda old: old.replace("0 ", "-1 ", 1),
    "fraction": lambda old: old.replace("00000 ", "00000.5 "),
    "no time": lambda old: "0 0 sil\n" + old,
    "no phone": lambda old: old.replace("sil", ""),
    "phones alone": lambda old: "sil\nT\nAA\nsil\n",
    "states": lambda old: "".join(f"{line}[{2 + i}]\n" for i, line in enumerate(old.splitlines())),
    "full context": lambda old: old.replace(" T", " x^sil-T+AA=x@1_2/A:0"),
    "torn context": lambda old: old.replace(" T", " -+"),
    "silence in other words": lambda old: old.replace("sil", "pau"),
    "escape": lambda old: old.replace("T", "\x1b[31m"),
    "surrogates": lambda old: old.replace("T", "\udcff"),
    "bidi": lambda old: old.replace("T", "\u202eT"),
    "long phone": lambda old: old.replace("T", "T" * 17),
    "word's phone missing": lambda old: old.replace("AA", "OW"),
    "returns": lambda old: old.replace("\n", "\r\n"),
    "all silence": lambda old: "0 2600000 sil\n",
    "a phone a tick": lambda old: "".join(f"{i} {i + 1} T\n" for i in range(_MANY)),
    "many phones": lambda old: "".join(f"{i * 200} {i * 200 + 200} P{i}\n" for i in range(13_000)),
    "a phone a frame": lambda old: "".join(
        f"{i * 20000} {i * 20000 + 20000} P{i}\n" for i in range(130)
    ),
}
TEXTS: dict[str, str] = {
    "good": "ta at, ta!",
    "one": "at",
    "none": " \n ",
    "pauses": ",.;" * 3000,
    "digits": "7" * 10_000,
    "other digits": "٣ ७ ４",
    "full": "ta " * 3333,
    "full of pauses": "ta," * 3333,
    "over full": "ta " * 3334,
    "far over full": "ta " * 300_000,
    "one long word": "t" * 10_000,
    "unknown words": "".join(f"t{'ab'[i % 2]}{'c' * (i % 60)} " for i in range(300)),
    "unknown near words": "".join(
        f"t{i:062b}".replace("0", "a").replace("1", "b") + " " for i in range(150)
    ),
    "case": "TA AT",
    "growing case": "İ" * 5000,
    "marks": "ta" + "\u0301" * 5000,
    "apostrophes": "'ta' ''' at'",
    "signs": "ta & at",
    "emoji": "ta \U0001f600",
    "bidi": "\u202eta",
    "escape": "ta\x1b[31m at",
    "NUL": "ta\0at",
    "lines": "ta\r\nat\u2028ta\u0085at",
    "wide": "ｔａ",
    "surrogates": "ta \udcff",
    "half a character": "ta \udce2\udc82",
    "mark of UTF-8": "\ufeffta",
}
"""Surrogates stand for bytes that are not UTF-8."""


def dictionary(path: Path, what: str) -> None:
    """Change a dictionary."""
    _change(path, DICTIONARIES[what])


def labels(path: Path, what: str) -> None:
    """Change a label file of `tests.train.speech.labelled`."""
    _change(path, LABELS[what])


def said(path: Path, what: str) -> None:
    """A text in a file, to be given on stdin."""
    _change(path, lambda _old: TEXTS[what])


def cell(path: Path, what: str) -> None:
    """The words of the first recording, in the table of `tests.train.speech.labelled`."""
    _change(path, lambda old: old.replace(",ta,", f',"{TEXTS[what]}",', 1))


def _change(path: Path, how: Callable[[str], str]) -> None:
    old = path.read_bytes().decode("utf-8", "surrogateescape")
    path.write_bytes(how(old).encode("utf-8", "surrogateescape"))
