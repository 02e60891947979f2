"""Label files: what is in them comes back to the tick, and what is wrong is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from wn_runtime.errors import WavestepError
from wn_runtime.speech import labels
from wn_runtime.speech.labels import Segment, parse, written

SIX = "0 1200000 sil\n1200000 2050000 S\n2050000 3100000 IH\n3100000 3333333 sil\n"


def test_phones_alone() -> None:
    segments = parse(SIX, "six.lab")
    assert [segment.phone for segment in segments] == ["sil", "S", "IH", "sil"]
    assert segments[1] == Segment("S", 0.12, 0.205)
    assert segments[1].seconds == pytest.approx(0.085)
    assert written(segments) == SIX


@pytest.mark.parametrize(
    ("label", "phone"),
    [
        ("xx^sil-s+eh=v@1_2/A:0_0_0/B:1-1-2@1-1&1-1#1", "s"),
        ("sil-s+eh", "s"),
        ("sil-s", "s"),
        ("s+eh", "s"),
        ("xx^xx-pau+s=eh@x_x/A:0", "sil"),
        ("SIL", "sil"),
        ("h#", "sil"),
        ("ɛ", "ɛ"),
    ],
)
def test_the_phone_of_a_label(label: str, phone: str) -> None:
    (segment,) = parse(f"0 500000 {label}\n", "a.lab")
    assert segment == Segment(phone, 0, 0.05)


def test_states_of_a_phone_are_joined_and_a_phone_said_twice_is_not() -> None:
    lines = ["0 1 x^a-b+b=c@1[2] b", "1 2 x^a-b+b=c@1[3]", "2 5 a^b-b+c=x@1[2]", "5 9 c"]
    found = parse("\n".join(lines), "states.lab")
    assert [(s.phone, round(s.end * labels.TICKS)) for s in found] == [("b", 2), ("b", 5), ("c", 9)]


def test_scores_and_empty_lines_do_not_matter() -> None:
    assert parse("\n0 10 a -71.5\n\n10 30 b -3\n", "a.lab") == parse("0 10 a\n10 30 b", "b.lab")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"a\.lab is empty; a line is `start end phone`, in units of 100 ns"),
        ("\n \n", "is empty"),
        ("sil\ns\n", r"line 1: 'sil' has no times; a line is `start end phone`"),
        ("sil s eh\n", r"line 1: 'sil s eh' has no times"),
        ("0 100\n", r"line 1: '0 100' has no phone"),
        ("0 0.25 sil\n", r"line 1: '0\.25' is no whole number of 100 ns"),
        ("0 -5 sil\n", r"'-5' is no whole number"),
        ("0 inf sil\n", r"'inf' is no whole number"),
        (f"0 {'9' * 400} sil\n", r"line 1: '9999.* is no whole number"),
        ("0 10 a\n10 10 b\n", r"line 2: b lasts from 1e-06 to 1e-06 s; times rise"),
        ("0 10 a\n10 5 b\n", r"line 2: b lasts from"),
        (f"0 {10**13} a\n", r"line 1: a lasts from 0 to 1e\+06 s; times rise from 0 to 86400"),
        (
            "0 2500000 a\n3000000 4000000 b\n",
            r"line 2: a gap from 0\.25 to 0\.3 s; say what is there, such as `2500000 3000000 sil`",
        ),
        ("5 10 a\n", r"line 1: a gap from 0 to 5e-07 s; .* `0 5 sil`"),
        (
            "0 10000000 a\n9000000 12000000 b\n",
            r"line 2: it begins at 0\.9 s, before the last phone's end at 1 s; .* at 10000000",
        ),
        ("0 10 +NSN+\n", r"line 1: phone '' is no name"),
        ("0 10 a\x1bb\n", r"line 1: phone 'a\\x1bb' is no name"),
        (f"0 10 {'a' * 99}\n", r"is longer than 16 characters"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, message: str) -> None:
    with pytest.raises(WavestepError, match=message) as raised:
        parse(text, "a.lab")
    assert "\n" not in str(raised.value)
    assert str(raised.value).startswith("a.lab")


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "six.lab"
    path.write_text(SIX)
    assert labels.read(path) == parse(SIX, "")
    with pytest.raises(WavestepError, match=r"no\.lab does not exist; give a label file"):
        labels.read(tmp_path / "no.lab")
    with pytest.raises(WavestepError, match="cannot be read as labels: it is a directory"):
        labels.read(tmp_path)
    path.write_bytes(b"0 10 \xff\n")
    with pytest.raises(WavestepError, match="cannot be read as labels: it is not UTF-8"):
        labels.read(path)


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.lab"
    with path.open("wb") as file:
        file.truncate(labels.MOST_BYTES + 1)
    with pytest.raises(WavestepError, match=rf"over {labels.MOST_BYTES}"):
        labels.read(path)


def test_more_lines_than_a_recording_has_are_refused() -> None:
    with pytest.raises(WavestepError, match=r"a\.lab has over 200000 lines; split its recording"):
        labels.parse("\n" * (labels.MOST_LINES + 1), "a.lab")


def test_segments_that_do_not_join_are_not_written() -> None:
    with pytest.raises(ValueError, match=r"a ends at 1(\.0)? s, the next begins at 2"):
        written([Segment("a", 0, 1), Segment("b", 2, 3)])


@pytest.mark.parametrize(
    ("phone", "start", "end"),
    [("", 0, 1), ("a b", 0, 1), ("a", 1, 1), ("a", -1, 1), ("a", 0, float("nan")), ("a", 0, 1e9)],
)
def test_no_segment_is_made_of_nonsense(phone: str, start: float, end: float) -> None:
    with pytest.raises(ValueError, match=r"is no name|lasts from"):
        Segment(phone, start, end)
