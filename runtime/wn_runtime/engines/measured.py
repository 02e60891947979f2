"""How long engines took on this machine, as wn-bench found: what the choice of one goes by first.

One small JSON file beside the compiled code. It is advice: one that is missing, damaged or written
by somebody else only means that the cost models decide.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from wn_runtime import atomic
from wn_runtime.engines.cache.directory import cache_directory
from wn_runtime.model import json_file
from wn_runtime.model import manifest as manifests
from wn_runtime.model.package import ModelPackage

FILE = "measured.json"
_MOST = 1000  # entries kept, the newest
_ABSURD = 1e12  # microseconds: nobody waited for that


def step_us(
    package: ModelPackage, engine: str, precision: str, batch: int, threads: int
) -> float | None:
    """Microseconds of a step of `batch` streams; None where nothing was measured."""
    found = _read().get(_key(package, engine, precision, batch, threads))
    return float(found) if isinstance(found, (int, float)) and 0 < found < _ABSURD else None


def record(package: ModelPackage, rows: Mapping[tuple[str, str, int, int], float]) -> None:
    """Keep what was measured: (engine, precision, batch, threads) to microseconds of a step."""
    entries = _read() | {_key(package, *key): us for key, us in rows.items()}
    kept = dict(list(entries.items())[-_MOST:])
    try:
        atomic.write(cache_directory() / FILE, json.dumps(kept, indent=1) + "\n")
    except OSError:
        return  # a cache that cannot be written is none


def _key(package: ModelPackage, engine: str, precision: str, batch: int, threads: int) -> str:
    weights = package.manifest.files.get(manifests.WEIGHTS)
    model = weights.sha256[:16] if weights is not None else package.manifest.name
    return f"{model} {engine} {precision} {batch} {threads}"


def _read() -> dict[str, Any]:
    try:
        data = json_file.load(cache_directory() / FILE)
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}
