"""What may be a name in a manifest, a checkpoint or a corpus: the one check of all of them.

A model's name becomes a file name (`wn-run` writes NAME.wav, `wn-export` makes the directory NAME),
and every name is printed.
"""

from __future__ import annotations

import re

from wn_runtime.system import here

LONGEST = 200
"""Bytes: what a file system takes, with room for a suffix."""
# A colon leads to another drive, or into a stream of a file; of a device there is no file.
_NOT_ON_WINDOWS = re.compile(
    r'[<>:"|?*]|\.$|^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3])\s*(\.|$)',
    re.I,
)


def check(name: str, what: str) -> str:
    """A name that is one word of a path and one line of text. Raises ValueError, naming `what`."""
    check_label(name, what)
    if "/" in name or "\\" in name:
        raise ValueError(f"{what} {name!r} holds a path separator; it is a name, not a path")
    if name in (".", ".."):
        raise ValueError(f"{what} is {name!r}, which names a directory")
    if here.system() == "windows" and _NOT_ON_WINDOWS.search(name):
        raise ValueError(f"{what} {name!r} is no file name on Windows")
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
