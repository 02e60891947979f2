"""The error type that a command prints as one line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


class WavestepError(Exception):
    """What is wrong, the value met, and how to mend it, in one line.

    Commands catch this type, print the line and exit with code 2; with `--debug` they show
    the traceback too.
    """


class EngineUnavailable(WavestepError):
    """An engine cannot run on this machine (library, compiler or device missing).

    The next one is tried, unless it was asked for by name. A broken file is not this: it is a
    plain WavestepError, and no engine may hide it.
    """


_MOST_NAMES = 40  # of those listed in a message
_LEAST_PART, _MOST_LONGER = 3, 6  # characters of a part of names that are suggested, and of those
_LONGEST = 60  # characters of a value in a message


def listed(names: Sequence[str]) -> str:
    """Names in a message; of very many the first.

    >>> listed(["theo", "lucas"])
    'theo, lucas'
    """
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return (", ".join(names[:_MOST_NAMES]) or "none") + more


def unknown(kind: str, value: object, known: Iterable[object], owner: str = "known are") -> str:
    """A sentence for a name that is not one of `known`, with the nearest known one, or longer ones.

    >>> unknown("speaker", "teo", ["theo", "lucas"], "this model has")
    "speaker 'teo' is unknown; this model has: theo, lucas (did you mean 'theo'?)"
    """
    names = [str(name) for name in known]
    text = str(value)
    near = difflib.get_close_matches(text, names, n=1) if len(text) <= _LONGEST else []
    near = near or _longer(text, names)
    hint = f" (did you mean {' or '.join(map(repr, near))}?)" if near else ""
    shown = repr(text) if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]!r}…"
    return f"{kind} {shown} is unknown; {owner}: {listed(names)}{hint}"


def _longer(text: str, names: Sequence[str]) -> list[str]:
    """Names that hold the text, first those that begin with it; none where those are many."""
    found = [name for name in names if len(text) >= _LEAST_PART and text in name]
    found.sort(key=lambda name: not name.startswith(text))
    return found if len(found) <= _MOST_LONGER else []
