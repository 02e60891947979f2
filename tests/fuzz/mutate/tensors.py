"""weights.safetensors: its header, which says where each tensor lies, and what the tensors hold."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

from tests.fuzz.hostile import JSON

_HERE = "\u2603"


def header(path: Path, name: str, key: str, value: str) -> None:
    """A field of one tensor's entry (`dtype`, `shape`, `data_offsets`), or the whole entry."""
    fields, data = _read(path)
    entry: Any = fields.get(name)
    if key and isinstance(entry, dict):
        entry[key] = _HERE
    else:
        fields[name] = _HERE
    text = JSON[value[1:]] if value.startswith("@") else value
    _write(path, json.dumps(fields).replace(json.dumps(_HERE), text).encode(), data)


def rename(path: Path, name: str, to: str) -> None:
    """Another name for a tensor."""
    fields, data = _read(path)
    if name in fields:
        fields[to] = fields.pop(name)
        _write(path, json.dumps(fields).encode(), data)


def drop(path: Path, name: str) -> None:
    """A tensor less, its bytes left behind."""
    fields, data = _read(path)
    fields.pop(name, None)
    _write(path, json.dumps(fields).encode(), data)


def length(path: Path, value: int) -> None:
    """Another length of the header."""
    content = path.read_bytes()
    path.write_bytes(struct.pack("<Q", value % 2**64) + content[8:])


def fill(path: Path, name: str, value: float) -> None:
    """One number in all of a tensor: NaN, infinity, the largest."""
    fields, data = _read(path)
    if name in fields:
        start, end = fields[name]["data_offsets"]
        filled = np.full((end - start) // 4, value, np.float32).tobytes()
        data = data[:start] + filled + data[end:]
        _write(path, json.dumps(fields).encode(), data)


def names(path: Path) -> list[str]:
    """The tensors of a good file."""
    return list(_read(path)[0])


def _read(path: Path) -> tuple[dict[str, Any], bytes]:
    content = path.read_bytes()
    (size,) = struct.unpack("<Q", content[:8])
    try:
        return json.loads(content[8 : 8 + size]), content[8 + size :]
    except (ValueError, RecursionError) as error:
        raise OSError(f"{path} was changed by an edit before") from error


def _write(path: Path, fields: bytes, data: bytes) -> None:
    path.write_bytes(struct.pack("<Q", len(fields)) + fields + data)
