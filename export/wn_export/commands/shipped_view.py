"""What wn-inspect shows of what a model is shipped as: a C API, a site, a bundle."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from wn_export.shipped import bundle, c_api, site
from wn_export.shipped.shipped import Shipped
from wn_runtime.commands import say
from wn_runtime.commands.table import aligned, titled
from wn_runtime.model.inspection import FileCheck

_FOLDERS = (c_api.folder, site.folder, bundle.folder)
_FILES = (c_api.packed_file, bundle.tar)


def show(path: Path, json_: bool) -> int | None:
    """Print what is there: the exit code; None where `path` is nothing of the kind."""
    try:
        kinds = _FOLDERS if path.is_dir() else _FILES
    except (OSError, ValueError):  # no name of a file
        return None
    found = next((found for kind in kinds if (found := kind(path)) is not None), None)
    if found is None:
        return None
    if json_:
        say.as_json(_as_json(found, path))
    else:
        say.table(_text(found, path))
        say.line("")
        say.line(found.following)
    return 0 if found.sound else 1


def _text(found: Shipped, path: Path) -> str:
    about = itertools.groupby(found.about, key=lambda line: line[0])
    rows = [[f.name, f"{f.bytes:,}", f.sha256[:12], f.status] for f in found.files]
    total = sum(file.bytes for file in found.files)
    code = [[file.name, file.code] for file in found.files if file.code is not None]
    sections = [
        ("what", [f"{found.what}  ({path})"]),
        *((title, [line for _, line in lines]) for title, lines in about),
        ("files", [*aligned(rows, right=[1]).splitlines(), f"{total:,} bytes together"]),
        ("code", aligned(code).splitlines() if code else []),
    ]
    return aligned(titled(sections))


def _as_json(found: Shipped, path: Path) -> dict[str, Any]:
    about: dict[str, list[str]] = {}
    for title, line in found.about:
        about.setdefault(title, []).append(line)
    return {
        "what": found.what,
        "path": str(path),
        **about,
        "files": {file.name: _file(file) for file in found.files},
        "code": {file.name: file.code for file in found.files if file.code is not None},
        "sound": found.sound,
    }


def _file(file: FileCheck) -> dict[str, Any]:
    return {"bytes": file.bytes, "sha256": file.sha256, "status": file.status}
