"""What a file that a user names for a result may not replace: a mistyped name loses nothing."""

from __future__ import annotations

from pathlib import Path

from wn_runtime.errors import WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.model.inspection import REPORTS

RAW = (".raw", ".pcm", ".s16")
"""Suffixes of raw PCM, which has no header to know it by."""


def check_no_model_file(path: Path) -> None:
    """Raise WavestepError where `path` is, or is to be, a file of the model directory it is in."""
    try:
        final = path.resolve()
        if not (final.parent / manifests.MANIFEST).is_file():
            return
    except (OSError, RuntimeError, ValueError):  # no name of a file: who opens it says so
        return
    if final.name in _files(final.parent):
        raise WavestepError(f"{path} is a file of the model {final.parent}; give another name")


def check_raw(path: Path) -> None:
    """Raise WavestepError where `path` is a file that need not be raw PCM, and is not empty."""
    try:
        there = path.is_file() and path.stat().st_size > 0
    except (OSError, ValueError):
        return
    if there and path.suffix.lower() not in RAW:
        raise WavestepError(
            f"{path} is there, and may be other than raw PCM; delete it first, or give a name in "
            f"{', '.join(RAW[:-1])} or {RAW[-1]}"
        )


def _files(directory: Path) -> set[str]:
    """With the report of its proof; by a broken manifest no others are known."""
    always = {manifests.MANIFEST, *REPORTS}
    try:
        return always | manifests.read(directory).files.keys()
    except WavestepError:
        return always
