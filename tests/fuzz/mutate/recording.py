"""Audio files of odd shapes, and corpora of odd names."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import soundfile


def odd(path: Path, kind: str) -> None:
    """A recording that is valid, and nothing like the others."""
    t = np.sin(np.arange(300) / 5) * 0.3
    rate, subtype, shape = 8000, "PCM_16", "WAV"
    if kind in ("nan", "inf"):
        t[100], subtype = float(kind), "FLOAT"
    elif kind == "loud":
        t, subtype = t * 1e30, "DOUBLE"
    elif kind == "no frames":
        t = t[:0]
    elif kind == "one frame":
        t = t[:1]
    elif kind == "channels":
        t = np.stack([t] * 7, axis=1)
    elif kind.startswith("rate"):
        rate = int(kind.split()[1])
    elif kind == "float64":
        subtype = "DOUBLE"
    elif kind == "8 bit":
        subtype = "PCM_U8"
    elif kind == "mu-law":
        subtype = "ULAW"
    elif kind == "other format":
        shape = "AIFF"
    else:
        path.write_text("not audio")
        return
    _write(path, t, rate, subtype, shape)


def speaker(path: Path, name: str) -> None:
    """A folder of two recordings in a corpus."""
    folder = path / name
    folder.mkdir(exist_ok=True)
    for i in range(2):
        shutil.copy2(path / f"{i}.wav", folder / f"{i}.wav")


def _write(path: Path, samples: Any, rate: int, subtype: str, shape: str) -> None:
    path.unlink(missing_ok=True)
    soundfile.write(path, samples, rate, subtype, format=shape)
