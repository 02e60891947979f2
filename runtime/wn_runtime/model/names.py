"""What may be a name in a manifest, a checkpoint or a corpus: the one check of all of them.

A model's name becomes a file name (`wn-run` writes NAME.wav, `wn-export` makes the directory NAME),
and every name is printed.
"""

from __future__ import annotations

LONGEST = 200
"""Bytes: what a file system takes, with room for a suffix."""


def check(name: str, what: str) -> str:
    """A name that is one word of a path and one line of text. Raises ValueError, naming `what`."""
    check_label(name, what)
    if "/" in name or "\\" in name:
        raise ValueError(f"{what} {name!r} holds a path separator; it is a name, not a path")
    if name in (".", ".."):
        raise ValueError(f"{what} is {name!r}, which names a directory")
    return name


def check_label(name: str, what: str) -> str:
    """A name that is shown and chosen by, but never part of a path (speakers, tags)."""
    if len(name.encode("utf-8", "surrogatepass")) > LONGEST:
        raise ValueError(f"{what} {name[:20]!r}… is longer than {LONGEST} bytes")
    if not name or name != name.strip():
        raise ValueError(f"{what} is {name!r}: empty, or with blanks around it")
    if not name.isprintable():
        raise ValueError(f"{what} {name!r} holds control characters")
    return name
