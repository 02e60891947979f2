"""The manifest brought in line with files that were changed, so that their content is reached."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

MOST = 64 << 20


def mend(path: Path) -> None:
    """The checksums of a model directory as its files are now."""
    manifest = path / "manifest.json"
    if manifest.is_symlink() or not manifest.is_file() or manifest.stat().st_size > MOST:
        return
    try:
        data: Any = json.loads(manifest.read_text("utf-8"))
        files = data["files"]
    except (ValueError, RecursionError, OSError, KeyError, TypeError):
        return
    for file in path.iterdir():
        if file.name in files and file.is_file() and file.stat().st_size < MOST:
            content = file.read_bytes()
            digest = hashlib.sha256(content).hexdigest()
            files[file.name] = {"sha256": digest, "bytes": len(content)}
    manifest.write_text(json.dumps(data, indent=1), "utf-8")


def artifact(path: Path, file: str, engine: str, precision: str, batch: int, built: Any) -> None:
    """One artifact more, with its record."""
    manifest = path / "manifest.json"
    data: Any = json.loads(manifest.read_text("utf-8"))
    others = [each for each in data["artifacts"] if each["file"] != file]
    new = {"file": file, "engine": engine, "precision": precision, "batch": batch, "built": built}
    data["artifacts"] = [*others, new]
    data["files"][file] = {"sha256": "", "bytes": 0}
    manifest.write_text(json.dumps(data, indent=1), "utf-8")
    mend(path)
