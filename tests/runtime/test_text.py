"""What is printed is what is there: nothing in a name moves the cursor or starts a line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wn_runtime.commands.table import aligned
from wn_runtime.text import counted, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("theo", "theo"),
        ("größer 日本 ×", "größer 日本 ×"),
        ("\x1b[2J", r"\x1b[2J"),
        ("a\nparity PASS", r"a\nparity PASS"),
        ("\x9b31m", r"\x9b31m"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\udcff", r"\udcff"),
        ("a\tb\rc\0", r"a\tb\rc\x00"),
        ("\u2028", r"\u2028"),
    ],
)
def test_control_characters_are_shown_as_escapes(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text())
def test_whatever_it_is_it_is_one_line_that_can_be_printed(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert printable(shown) == shown
    shown.encode()
    assert len(shown.splitlines()) <= 1


def test_a_cell_cannot_break_out_of_its_table() -> None:
    table = aligned([["name", "state"], ["a\x1b[31m\nb", "ok"]])
    assert table.splitlines() == ["name          state", r"a\x1b[31m\nb  ok"]


@pytest.mark.parametrize(
    ("number", "noun", "words"),
    [(1, "file", "1 file"), (0, "frame", "0 frames"), (3, "tags", "3 tags"), (1, "tags", "1 tags")],
)
def test_a_number_with_its_noun(number: int, noun: str, words: str) -> None:
    assert counted(number, noun) == words
