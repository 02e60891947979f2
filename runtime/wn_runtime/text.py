"""A number with its noun, and text from elsewhere, made safe to print.

Elsewhere: names, attributions, file names, other programs' words.

A name can hold what moves the cursor, recolours the terminal, writes another line or turns the
direction of reading. Whatever is printed goes through here once, where it is printed.
"""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """`1 file`, `6 speakers`, `8 tags`; a noun in s is plural as it is."""
    return f"{number} {noun}{'' if number == 1 or noun.endswith('s') else 's'}"


def printable(text: str) -> str:
    r"""The text on one line, its control characters as escapes: what is read is what is there.

    >>> printable("theo\x1b[2J\nparity PASS")
    'theo\\x1b[2J\\nparity PASS'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    # ascii() of one character, without its quotes; what blanks other than the space are, too.
    return ascii(character)[1:-1]
