"""TOML: reading what others wrote, and writing a configuration whole, for people to read."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wn_runtime import files
from wn_runtime.errors import WavestepError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MOST_BYTES = 2**16
"""Of a file."""
MOST_DOTS = 200
"""In one line: Python's parser takes minutes over a key of very many parts."""


def read(path: Path) -> dict[str, Any]:
    """The tables of a file. Raises WavestepError that names it and the fault."""
    try:
        text = files.read_text(path, MOST_BYTES)
        if any(line.count(".") > MOST_DOTS for line in text.splitlines()):
            raise ValueError(f"a line holds over {MOST_DOTS} dots")
        return tomllib.loads(text)
    except OSError as error:
        raise WavestepError(f"{path} cannot be read as TOML: {error.strerror}") from error
    except RecursionError:
        raise WavestepError(f"{path} cannot be read as TOML: nested too deeply") from None
    except ValueError as error:  # also UTF-8's, and that of integers of 5,000 digits
        reason = " ".join(str(error).split())[:200]
        raise WavestepError(f"{path} cannot be read as TOML: {reason}") from error


def text(data: Mapping[str, Any], head: Sequence[str]) -> str:
    """`data` as a file, after comment lines `head`. TOML has no None: a comment says the key."""
    import tomlkit  # 40 ms, for the one file of a run

    document = tomlkit.document()
    for line in head:
        document.add(tomlkit.comment(line))
    document.add(tomlkit.nl())
    _fill(document, data)
    return tomlkit.dumps(document)


def _fill(table: Any, data: Mapping[str, Any]) -> None:
    """Plain keys first: what follows a table's head belongs to that table."""
    import tomlkit

    for key, value in data.items():
        if value is None:
            table.add(tomlkit.comment(f"{key}: left out"))
        elif not isinstance(value, Mapping):
            table.add(key, value)
    for key, value in data.items():
        if isinstance(value, Mapping):
            inner = tomlkit.table()
            _fill(inner, value)
            table.add(key, inner)
