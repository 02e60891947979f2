"""A small folder of spoken recordings: tones for phones, with their words and label files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from tests.train.recordings import RATE, tone

WORDS = {"ta": ("T", "AA"), "at": ("AA", "T")}
HERTZ = {"T": 900, "AA": 200}
EACH_S, SILENCE_S = 0.08, 0.05


def write_spoken(folder: Path, files: int = 8) -> Path:
    """metadata.csv with speaker and text, labels/<n>.lab, and words.txt, a dictionary."""
    folder.mkdir(parents=True)
    (folder / "labels").mkdir()
    lines = ["file,speaker,text,split"]
    for i in range(files):
        speaker, word = ("low", "high")[i % 2], ("ta", "at")[i // 2 % 2]
        phones = ["sil", *WORDS[word], "sil"]
        seconds = [SILENCE_S, EACH_S, EACH_S, SILENCE_S]
        parts = [
            tone(HERTZ[p] * (1 + i % 2) + i, s) if p != "sil" else np.zeros(int(s * RATE), "f4")
            for p, s in zip(phones, seconds, strict=True)
        ]
        audio = np.concatenate(parts) * np.float32(0.2 + 0.02 * i)
        audio += np.random.default_rng(i).normal(0, 1e-3, len(audio)).astype(np.float32)
        soundfile.write(folder / f"{i}.wav", audio, RATE)
        ends = np.cumsum(seconds)
        (folder / "labels" / f"{i}.lab").write_text(
            "".join(
                f"{round((end - s) * 1e7)} {round(end * 1e7)} {p}\n"
                for p, s, end in zip(phones, seconds, ends, strict=True)
            )
        )
        lines.append(f"{i}.wav,{speaker},{word},{'valid' if i >= files - 4 else 'train'}")
    (folder / "metadata.csv").write_text("\n".join(lines) + "\n")
    (folder / "words.txt").write_text("ta T AA\nat AA T\nto T OW\n")
    return folder
