"""A site: the folder of `wn-export --target browser`."""

from __future__ import annotations

import dataclasses
import gzip
import io
import zlib
from pathlib import Path
from typing import Any

from wn_export.c_api.model_file import Packed, read_packed
from wn_export.package.site import INDEX, MADE_BY
from wn_export.shipped.shipped import Shipped, checked, packed_lines
from wn_runtime import files
from wn_runtime.commands import next_step
from wn_runtime.model import json_file

MODEL = "model/model.wn"
_MOST = 2**28
"""Bytes of a packed model that are read, and that it may unpack to."""


def folder(path: Path) -> Shipped | None:
    """None for what is no site of wn-export's. Its files are held to the sizes in site.json."""
    try:
        index = json_file.load(path / INDEX)
    except (OSError, ValueError):
        return None
    if not isinstance(index, dict) or index.get("made_by") != MADE_BY:
        return None
    sizes = {f"model/{name}": size for name, size in _listed(index)}
    names = {each.relative_to(path).as_posix() for each in path.rglob("*") if each.is_file()}
    packed, fault = _unpacked(path / MODEL)
    checks = []
    for name in sorted(names | sizes.keys()):
        check = checked(path, name, fault if name == MODEL else "ok")
        if check.status == "ok" and sizes.get(name, check.bytes) != check.bytes:
            check = dataclasses.replace(check, status="changed")
        checks.append(check)
    about = () if packed is None else tuple(packed_lines(packed))
    serve = next_step.line("python3", "-m", "http.server", "-d", path)
    return Shipped("site, for browsers", about, tuple(checks), serve)


def _listed(index: dict[str, Any]) -> list[tuple[str, object]]:
    given = index.get("files")
    entries = given.values() if isinstance(given, dict) else ()
    return [(str(one.get("name")), one.get("bytes")) for one in entries if isinstance(one, dict)]


def _unpacked(path: Path) -> tuple[Packed | None, str]:
    """The model, with what is wrong with it or `ok`."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(files.read(path, _MOST))) as file:
            return read_packed(file.read(_MOST)), "ok"
    except (ValueError, EOFError, zlib.error, gzip.BadGzipFile):
        return None, "changed"
    except OSError as error:
        return None, f"unreadable: {error.strerror}"
