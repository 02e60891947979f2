"""JSON from an untrusted file: what Python's parser lets through beyond JSON is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn

from wn_runtime import files


def load(path: Path, most: int = files.MOST_TEXT) -> Any:
    """The content of a regular file.

    Raises OSError where it cannot be read, ValueError for what is no JSON: also NaN and infinity,
    a key given twice, and nesting deeper than Python's stack.
    """
    return loads(files.read_text(path, most))


def loads(text: str) -> Any:
    """The same of a text."""
    try:
        return json.loads(text, parse_constant=_refuse, object_pairs_hook=_each_key_once)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number in JSON")


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"key {key!r} is given twice")
        found[key] = value
    return found
