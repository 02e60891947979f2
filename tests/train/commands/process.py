"""wn-train as a process of its own, on a small folder of recordings."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.train.recordings import write_corpus

SETTINGS = """
[model]
cycle = 4
layers = 3
residual_channels = 8
skip_channels = 8
head_channels = 8
[training]
batch_samples = 1500
validate_every = 2
sample_every = 0
"""


def prepare(folder: Path, files: int = 6) -> Path:
    """data/ and c.toml."""
    write_corpus(folder / "data", files=files)
    (folder / "c.toml").write_text(SETTINGS)
    return folder


def command(folder: Path, *more: str) -> list[str]:
    """wn-train of that folder into run/."""
    start = [sys.executable, "-m", "wn_train", str(folder / "data"), "-o", str(folder / "run")]
    return [*start, "--config", str(folder / "c.toml"), "--threads", "1", *more]


def start(folder: Path, *more: str, **changes: str) -> subprocess.Popen[str]:
    """It, begun; `changes` are of its environment."""
    return subprocess.Popen(
        command(folder, *more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **changes},
    )


def until(process: subprocess.Popen[str], beginning: str) -> None:
    """Wait for a line on its stderr."""
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith(beginning):
            return
    raise AssertionError(f"it ended without {beginning!r}")
