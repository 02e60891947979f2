"""JSON changed as text around a parsed document, so that also what no writer would write gets in.

A place is a list of keys and indices; a value is JSON text, or `@name` of `hostile.JSON`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.fuzz.hostile import JSON

Pointer = list[str | int]
_HERE = "\u2603here\u2603"


def put(path: Path, pointer: Pointer, value: str) -> None:
    """A value in place of another."""
    document = _load(path)
    if not pointer:
        _save(path, _text(value))
        return
    parent = _at(document, pointer[:-1])
    if _holds(parent, pointer[-1]):
        parent[pointer[-1]] = _HERE
        _save(path, json.dumps(document, indent=1).replace(json.dumps(_HERE), _text(value)))


def add(path: Path, pointer: Pointer, key: str, value: str) -> None:
    """One key or item more."""
    document = _load(path)
    parent = _at(document, pointer)
    if isinstance(parent, dict):
        parent[key] = _HERE
    elif isinstance(parent, list):
        parent.append(_HERE)
    _save(path, json.dumps(document, indent=1).replace(json.dumps(_HERE), _text(value)))


def drop(path: Path, pointer: Pointer) -> None:
    """One key or item less."""
    document = _load(path)
    parent = _at(document, pointer[:-1])
    if pointer and _holds(parent, pointer[-1]):
        del parent[pointer[-1]]
        _save(path, json.dumps(document, indent=1))


def rename(path: Path, pointer: Pointer, key: str) -> None:
    """Another key for the same value."""
    document = _load(path)
    parent = _at(document, pointer[:-1])
    if pointer and isinstance(parent, dict) and pointer[-1] in parent:
        parent[key] = parent.pop(str(pointer[-1]))
        _save(path, json.dumps(document, indent=1))


def repeat(path: Path, pointer: Pointer, value: str) -> None:
    """The same key twice."""
    document = _load(path)
    parent = _at(document, pointer[:-1])
    if pointer and isinstance(parent, dict) and pointer[-1] in parent:
        before, key = json.dumps(parent[pointer[-1]]), json.dumps(pointer[-1])
        parent[pointer[-1]] = _HERE
        twice = f"{before}, {key}: {_text(value)}"
        _save(path, json.dumps(document, indent=1).replace(json.dumps(_HERE), twice))


def pointers(document: Any, start: tuple[str | int, ...] = ()) -> list[Pointer]:
    """Every place in a document."""
    found: list[Pointer] = [list(start)]
    items: Any = ()
    if isinstance(document, dict):
        items = document.items()
    elif isinstance(document, list):
        items = enumerate(document)
    for key, value in items:
        found += pointers(value, (*start, key))
    return found


def _text(value: str) -> str:
    return JSON[value[1:]] if value.startswith("@") else value


def _load(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8", "surrogateescape"))
    except (ValueError, RecursionError, OSError):  # an edit before this one
        return None


def _save(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")


def _at(document: Any, pointer: Pointer) -> Any:
    for key in pointer:
        if not _holds(document, key):
            return None
        document = document[key]
    return document


def _holds(parent: Any, key: str | int) -> bool:
    if isinstance(parent, dict):
        return key in parent
    return isinstance(parent, list) and isinstance(key, int) and key < len(parent)
