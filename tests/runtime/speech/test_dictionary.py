"""Dictionaries: CMU's text format read strictly, and the words that are missing, all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from wn_runtime.errors import WavestepError
from wn_runtime.speech import dictionary
from wn_runtime.speech.dictionary import Dictionary, parse
from wn_runtime.speech.text import words

DIGITS = """;;; the beginning # of some
ZERO  Z IH1 R OW0
zero(2)\tZ IY1 R OW0   # as some say
zero(3) Z IY0 R OW1

two T UW1
Seven S EH1 V AH0 N
"""


@pytest.fixture
def digits() -> Dictionary:
    return parse(DIGITS, "digits.dict")


def test_words_pronunciations_and_no_stress(digits: Dictionary) -> None:
    assert digits.pronunciations == {
        "zero": (("Z", "IH", "R", "OW"), ("Z", "IY", "R", "OW")),
        "two": (("T", "UW"),),
        "seven": (("S", "EH", "V", "AH", "N"),),
    }
    assert digits.phones == ("AH", "EH", "IH", "IY", "N", "OW", "R", "S", "T", "UW", "V", "Z")


def test_phones_of_a_text(digits: Dictionary) -> None:
    assert digits.phones_of(words("zero, two")) == (("Z", "IH", "R", "OW"), ("sil",), ("T", "UW"))


def test_a_subset_is_written_and_read_again(digits: Dictionary) -> None:
    some = digits.subset(words("zero, two, zero"))
    assert list(some.pronunciations) == ["two", "zero"]
    assert some.written() == "two T UW\nzero Z IH R OW\nzero(2) Z IY R OW\n"
    assert parse(some.written(), "") == some


def test_all_unknown_words_are_named(digits: Dictionary) -> None:
    message = (
        r"2 words are not in the dictionary: 'sevn' \(did you mean 'seven'\?\), 'q'; "
        "it has: zero, two, seven"
    )
    with pytest.raises(WavestepError, match=message):
        digits.phones_of(words("sevn, zero q sevn"))
    with pytest.raises(WavestepError, match=r"^a word is not in the dictionary: 'q'; it has"):
        digits.subset(["q"])


def test_of_a_large_dictionary_the_nearest_alone_is_named() -> None:
    large = parse("".join(f"word{chr(97 + i % 26)}{i} A\n" for i in range(5000)), "large.dict")
    with pytest.raises(WavestepError) as raised:
        large.check(["worda52o", *(f"x{i}" for i in range(100))])
    line = str(raised.value)
    assert "101 words are not in the dictionary: 'worda52o' (did you mean 'worda52'?), 'x0'" in line
    assert line.endswith("and 61 more; give a dictionary that has all")
    assert len(line) < 1000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"a\.dict has no words; its lines are `word P H O N E S`"),
        (";;; a b\n# c d\n", "has no words"),
        ("a AH\nb\n", r"a\.dict, line 2: 'b' has 0 phones; it takes 1 to 64"),
        ("a" + " AH" * 65, r"line 1: 'a' has 65 phones"),
        ("a AH\nb B\na EY\n", r"line 3: 'a' is there already; call another .* a\(2\)"),
        ("a(2) AH\na EY\n", r"line 1: 'a\(2\)' comes before 'a'"),
        (f"{'a' * 65} AH\n", r"line 1: 'a+\S* is no word: over 64 characters"),
        ("a\x1b AH\n", r"line 1: 'a\\x1b' is no word"),
        (f"a {'B' * 17}\n", r"'B+' is no phone"),
        ("a sil\n", r"'sil' is no phone: .* or silence"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, message: str) -> None:
    with pytest.raises(WavestepError, match=message):
        parse(text, "a.dict")


def test_no_more_words_and_pronunciations_than_are_read_in_seconds() -> None:
    with pytest.raises(WavestepError, match=r"words\.txt has over 500000 lines"):
        parse("\n" * dictionary.MOST_LINES + "a b\n", "words.txt")
    ways = "".join(f"a(2) {i}\n" for i in range(99))
    with pytest.raises(WavestepError, match=r"line 100: 'a' has over 99 pronunciations"):
        parse("a b\n" + ways, "words.txt")


def test_of_many_unknown_words_the_first_alone_are_compared() -> None:
    known = parse("".join(f"word{i} b\n" for i in range(50)), "")
    with pytest.raises(WavestepError) as told:
        known.check([f"words{i}" for i in range(45)])
    assert str(told.value).count("did you mean") == 3
    assert "'words39' and 5 more" in str(told.value)


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "digits.dict"
    path.write_text(DIGITS)
    assert dictionary.read(path) == parse(DIGITS, "")
    with pytest.raises(WavestepError, match="does not exist; give a dictionary"):
        dictionary.read(tmp_path / "no.dict")
    with pytest.raises(WavestepError, match="cannot be read as a dictionary: it is a directory"):
        dictionary.read(tmp_path)
    path.write_bytes(b"caf\xe9 K AE F EY\n")
    with pytest.raises(WavestepError, match="cannot be read as a dictionary: it is not UTF-8"):
        dictionary.read(path)
    with path.open("wb") as file:
        file.truncate(dictionary.MOST_BYTES + 1)
    with pytest.raises(WavestepError, match="over"):
        dictionary.read(path)
