"""A small folder of recordings with a file of frames each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from tests.train.recordings import write_corpus

CHANNELS, HOP = 3, 40


def write_framed(folder: Path, files: int = 6, seconds: float = 0.05) -> Path:
    """`write_corpus` with mels/<n>.npy: level, slope and noise of every 40 samples."""
    write_corpus(folder, files, seconds)
    (folder / "mels").mkdir()
    lines = (folder / "metadata.csv").read_text().splitlines()
    rows = [f"{lines[0]},frames"]
    for i, line in enumerate(lines[1:]):
        wave, _ = soundfile.read(folder / f"{i}.wav", dtype="float32")
        pieces = np.pad(wave, (0, -len(wave) % HOP)).reshape(-1, HOP)
        noise = np.random.default_rng(i).normal(4, 2, len(pieces))
        frames = np.stack([np.abs(pieces).mean(1), pieces[:, -1] - pieces[:, 0], noise], axis=1)
        np.save(folder / "mels" / f"{i}.npy", frames.astype(np.float32))
        rows.append(f"{line},mels/{i}.npy")
    (folder / "metadata.csv").write_text("\n".join(rows) + "\n")
    return folder
