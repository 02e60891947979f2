"""From a cold process to the first sample of `wn-run`, and the memory it then holds."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

TRIES = 3
"""Processes started; the fastest counts, for a busy machine only ever adds."""
_WN_RUN = "from wn_runtime.cli import main; main()"
_SECONDS_ASKED = 60  # more than is read: the process is measured while it streams


@dataclass(frozen=True)
class FirstAudio:
    """What a user waits for, and what the process then takes."""

    ms: float
    """Milliseconds from starting the process to the first byte of sound."""
    memory_mb: float | None
    """Largest resident memory up to then, MB; None where the system does not tell."""


def first_audio(
    directory: Path, engine: str, precision: str, threads: int, tries: int = TRIES
) -> FirstAudio | None:
    """Start `wn-run` on one stream of a model directory; None where it makes no sound."""
    found = [_once(directory, engine, precision, threads) for _ in range(tries)]
    heard = [one for one in found if one is not None]
    return min(heard, key=lambda one: one.ms) if heard else None


def _once(directory: Path, engine: str, precision: str, threads: int) -> FirstAudio | None:
    arguments = [
        str(directory), "--engine", engine, "--precision", precision, "--threads", str(threads),
        "--seconds", str(_SECONDS_ASKED), "--seed", "0", "--raw", "-",
    ]  # fmt: skip
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-c", _WN_RUN, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
    ) as process:
        assert process.stdout is not None
        try:
            heard = process.stdout.read(1)
            took = time.perf_counter() - began
            memory = _peak_mb(process.pid)
        finally:
            process.kill()
    return FirstAudio(took * 1e3, memory) if heard else None


def _peak_mb(pid: int) -> float | None:
    try:
        lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    except OSError:
        return None
    kib = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    return int(kib[0]) * 1024 / 1e6 if kib else None
