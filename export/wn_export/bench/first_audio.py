"""From a cold process to the first sample of `wn-run`, and the memory it then holds."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wn_export.bench import ask
from wn_runtime import isolated
from wn_runtime.conditioning.timing import Timing
from wn_runtime.engines.cache.directory import cache_directory
from wn_runtime.errors import WavestepError
from wn_runtime.model.spec import ModelSpec
from wn_runtime.text import printable

TRIES = 3
"""Processes started; the fastest counts, for a busy machine only ever adds."""
PATIENCE_S = 120.0
"""Seconds that one gets to make its first sound: a small device compiles for a while."""
_WN_RUN = "from wn_runtime.commands.run import main; main()"
MOST_NUMBERS = 2**22
"""In the frames that one is given."""
_SECONDS_ASKED = 60  # more than is read: the process is measured while it streams


@dataclass(frozen=True)
class FirstAudio:
    """What a user waits for, and what the process then takes."""

    ms: float
    """Milliseconds from starting the process to the first byte of sound."""
    memory_mb: float | None
    """Largest resident memory up to then, MB; None where the system does not tell."""


def first_audio(
    directory: Path,
    engine: str,
    precision: str,
    threads: int,
    spec: ModelSpec | None = None,
    tries: int = TRIES,
) -> FirstAudio:
    """Start `wn-run` on one stream of a model directory.

    spec: the model's, where it may take frames; it is given a file of zeros. Raises WavestepError
    with the last line it printed where it makes no sound.
    """
    with _frames(spec) as file:
        given = [] if file is None else ["--frames", str(file)]
        found = [
            _once(directory.absolute(), engine, precision, threads, given) for _ in range(tries)
        ]
    return min(found, key=lambda one: one.ms)


@contextmanager
def _frames(spec: ModelSpec | None) -> Iterator[Path | None]:
    """A file of frames for as long as is asked for; None for a model that takes none."""
    timing = Timing.of(() if spec is None else spec.conditioning)
    if spec is None or not timing.frame_channels:
        yield None
        return
    asked = timing.frames(_SECONDS_ASKED * spec.sample_rate)
    most = max(timing.frames(timing.block), MOST_NUMBERS // timing.frame_channels)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "frames.npy"
        np.save(file, np.zeros((min(asked, most), timing.frame_channels), np.float32))
        yield file


def _once(
    directory: Path, engine: str, precision: str, threads: int, given: Sequence[str]
) -> FirstAudio:
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
        *given,
    ]
    began = time.perf_counter()
    deadline = time.monotonic() + PATIENCE_S
    # Where there is no home each process would compile anew, into a cache of its own.
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache_directory().parent)}
    with ask.started(isolated.python(_WN_RUN, *arguments), environment) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = ask.read(process.stdout, 1, deadline)
        took = time.perf_counter() - began
        memory = _peak_mb(process.pid)
        # Killed only once it has made sound: before that it says why it does not.
        said = b"" if first else ask.read(process.stderr, ask.MOST_BYTES, deadline)
    if not first:
        lines = said.decode("utf-8", "replace").strip().splitlines()
        silent = "it says nothing" if time.monotonic() < deadline else f"in {PATIENCE_S:g} s"
        raise WavestepError(f"wn-run makes no sound: {printable(lines[-1]) if lines else silent}")
    return FirstAudio(took * 1e3, memory)


def _peak_mb(pid: int) -> float | None:
    try:
        lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    except OSError:
        return None
    kib = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    return int(kib[0]) * 1024 / 1e6 if kib else None
