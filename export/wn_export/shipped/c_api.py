"""A packed model, `digits.int8.wn`, and the folder of a C API that it lies in."""

from __future__ import annotations

from pathlib import Path

from wn_export.c_api.model_file import MAGIC, SUFFIX, Packed, read_packed
from wn_export.c_api.source import HEADER
from wn_export.shipped.shipped import Shipped, checked, packed_lines
from wn_runtime import files

_MOST = 2**32
"""Bytes of a packed model that are read."""
_TAKEN = (
    "taken by  a program in C: say.c is one, and frames.c for a model of frames (docs/c-api.md)"
)


def folder(path: Path) -> Shipped | None:
    """None for what is no folder of a C API."""
    if not (path / HEADER.name).is_file():
        return None
    names = sorted(each.name for each in path.iterdir() if each.is_file())
    found = [(name, *_read(path / name)) for name in names if name.endswith(SUFFIX)]
    about = [line for _, packed, _ in found if packed is not None for line in packed_lines(packed)]
    faults = {name: fault for name, _, fault in found}
    checks = tuple(checked(path, name, faults.get(name, "ok")) for name in names)
    return Shipped("C API folder", tuple(about), checks, _TAKEN)


def packed_file(path: Path) -> Shipped | None:
    """None for what is no packed model."""
    try:
        with files.opened(path) as file:
            if file.read(len(MAGIC)) != MAGIC:
                return None
    except OSError:
        return None
    packed, fault = _read(path)
    about = () if packed is None else tuple(packed_lines(packed))
    check = checked(path.parent, path.name, fault)
    return Shipped("packed model, of a C API folder", about, (check,), _TAKEN)


def _read(path: Path) -> tuple[Packed | None, str]:
    """With what is wrong with it, or `ok`."""
    try:
        return read_packed(files.read(path, _MOST)), "ok"
    except OSError as error:
        return None, f"unreadable: {error.strerror}"
    except ValueError as error:
        return None, str(error)
