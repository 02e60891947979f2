"""A small folder of recordings: two tones as two speakers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

RATE = 8000


def tone(hertz: float, seconds: float, rate: int = RATE) -> NDArray[np.float32]:
    """A sine with a little noise, seeded by its pitch."""
    t = np.arange(int(seconds * rate)) / rate
    noise = np.random.default_rng(int(hertz)).normal(0, 0.005, len(t))
    wave: NDArray[np.float32] = (0.5 * np.sin(2 * np.pi * hertz * t) + noise).astype(np.float32)
    return wave


def write_corpus(folder: Path, files: int = 6, seconds: float = 0.05) -> Path:
    """metadata.csv with `files` tones of speakers low and high, the last two in `valid`."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["file,speaker,split"]
    for i in range(files):
        speaker = ("low", "high")[i % 2]
        audio = tone(300 + 400 * (i % 2) + i, seconds + 0.01 * i)
        soundfile.write(folder / f"{i}.wav", audio, RATE)
        lines.append(f"{i}.wav,{speaker},{'valid' if i >= files - 2 else 'train'}")
    (folder / "metadata.csv").write_text("\n".join(lines) + "\n")
    return folder
