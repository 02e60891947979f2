"""From a cold process to the first sample of `wn-run`, and the memory it then holds."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from wn_runtime.errors import WavestepError

TRIES = 3
"""Processes started; the fastest counts, for a busy machine only ever adds."""
_WN_RUN = "from wn_runtime.commands.run import main; main()"
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
) -> FirstAudio:
    """Start `wn-run` on one stream of a model directory.

    Raises WavestepError with the last line it printed where it makes no sound.
    """
    found = [_once(directory, engine, precision, threads) for _ in range(tries)]
    return min(found, key=lambda one: one.ms)


def _once(directory: Path, engine: str, precision: str, threads: int) -> FirstAudio:
    arguments = [
        str(directory),
        "--engine",
        engine,
        "--precision",
        precision,
        "--threads",
        str(threads),
        "--seconds",
        str(_SECONDS_ASKED),
        "--seed",
        "0",
        "--raw",
        "-",
    ]
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-c", _WN_RUN, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            first = process.stdout.read(1)
            took = time.perf_counter() - began
            memory = _peak_mb(process.pid)
            # Killed only once it has made sound: before that it says why it does not.
            said = b"" if first else process.stderr.read()
        finally:
            process.kill()
    if not first:
        lines = said.decode("utf-8", "replace").strip().splitlines()
        raise WavestepError(f"wn-run makes no sound: {lines[-1] if lines else 'it says nothing'}")
    return FirstAudio(took * 1e3, memory)


def _peak_mb(pid: int) -> float | None:
    try:
        lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    except OSError:
        return None
    kib = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    return int(kib[0]) * 1024 / 1e6 if kib else None
