"""Launches under ThreadSanitizer: what two threads of a kernel touch that nothing keeps in order.

A launch is recorded as the stand-in is given it, and is made again by a program of its own
(shim/races.cpp), for which each warp is a thread: see shim/races.h.
"""

from __future__ import annotations

import ctypes
import functools
import re
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.cuda_on_cpu.gpu import Gpu
from tests.cuda_on_cpu.kernels import SHIM, Config, HostKernel, compile_cpp

_SECONDS = 300.0
_OPTIONS = "exitcode=0 report_thread_leaks=0 history_size=4"
_RACE = re.compile(r"^WARNING: ThreadSanitizer: data race", re.MULTILINE)
_MEETING = re.compile(r"^(\d+) (\d+) (\w+) (\w+) (\d+) (\d+)$", re.MULTILINE)


@dataclass(frozen=True)
class Launch:
    """One, with the memory that it found and what it made of it on the stand-in."""

    config: Config
    seed: int
    memory: tuple[bytes, ...]
    """Of all allocations."""
    arguments: tuple[tuple[int, int], ...]
    """Each an allocation and an offset in it, or -1 and a number."""
    after: tuple[bytes, ...]


class Meeting(NamedTuple):
    """What the first lane of a warp did at a barrier or a signal."""

    block: int
    """Its rank in the cluster."""
    warp: int
    what: str
    """`sync`, `arrive`; of a signal `come`, `arm` (`signal_expect`); `pass`: a wait is over."""
    kind: str
    """`barrier`, `signal`, `cluster_sync`."""
    number: int
    """Of a barrier; of a signal its offset in shared memory."""
    of: int
    """The rank of the block that the signal is in."""


@dataclass(frozen=True)
class Watched:
    """What became of a launch."""

    races: tuple[str, ...]
    """One entry a report, with its text."""
    meetings: tuple[Meeting, ...]
    """In order."""
    memory: bytes
    """All allocations, one after another."""

    @property
    def waits(self) -> list[str]:
        """All that threads waited at: `barrier 3`."""
        return sorted({f"{m.kind} {m.number}" for m in self.meetings if m.what == "pass"})


@contextmanager
def recorded(gpu: Gpu, kernel: str, patch: pytest.MonkeyPatch) -> Iterator[list[Launch]]:
    """The launches of one kernel while this lasts."""
    launches: list[Launch] = []
    run = HostKernel.run

    def memory() -> tuple[bytes, ...]:
        return tuple(ctypes.string_at(address, size) for address, (_, size) in gpu.blocks.items())

    def record(self: HostKernel, config: Config, arguments: tuple[int, ...], seed: int) -> None:
        if self.name != kernel:
            return run(self, config, arguments, seed)
        found = []
        for argument, pointer in zip(arguments, self.pointers, strict=True):
            place = (-1, argument)
            for i, (start, (_, size)) in enumerate(gpu.blocks.items()):
                if pointer and start <= argument < start + size:
                    place = (i, argument - start)
            found.append(place)
        before = memory()
        run(self, config, arguments, seed)
        launches.append(Launch(config, seed, before, tuple(found), memory()))

    with patch.context() as here:
        here.setattr(HostKernel, "run", record)
        yield launches


def watch(source: str, arch: str, kernel: str, launch: Launch, unordered: str = "") -> Watched:
    """Make a launch again; `unordered`: a kind of waits that are waited at but order nothing.

    A skip where ThreadSanitizer is not.
    """
    config = launch.config
    words = [*config, launch.seed, len(launch.memory), len(launch.arguments)]
    parts = [struct.pack("<8q", *words)]
    for each in launch.memory:
        parts += [struct.pack("<q", len(each)), each]
    parts += [struct.pack("<2q", *argument) for argument in launch.arguments]
    done = subprocess.run(
        [str(_program(source, arch, kernel)), unordered],
        input=b"".join(parts),
        env={"TSAN_OPTIONS": _OPTIONS},
        capture_output=True,
        timeout=_SECONDS,
        check=False,
    )
    said = done.stderr.decode(errors="replace")
    if "FATAL: ThreadSanitizer" in said:
        pytest.skip(said.strip().splitlines()[-1])
    assert done.returncode == 0, said[-2000:]
    reports = said.split("==================")
    races = tuple(each for each in reports if _RACE.search(each))
    meetings = tuple(
        Meeting(int(block), int(warp), what, kind, int(number), int(of))
        for block, warp, what, kind, number, of in _MEETING.findall(said)
    )
    return Watched(races, meetings, done.stdout)


@functools.cache
def _program(source: str, arch: str, kernel: str) -> Path:
    directory = Path(tempfile.mkdtemp(dir=_directory().name))
    (directory / "kernel.cu").write_text(source, "utf-8")
    (directory / "empty.cpp").write_text("int main() {}\n", "utf-8")
    program = directory / "races"
    flags = [
        "-std=c++17",
        "-O0",
        "-g1",
        "-fsanitize=thread",
        "--param=tsan-instrument-func-entry-exit=0",
        "-Wno-unknown-pragmas",
    ]
    try:
        compile_cpp(*flags, str(directory / "empty.cpp"), "-o", str(program))
    except AssertionError as reason:
        pytest.skip(f"g++ has no ThreadSanitizer: {str(reason).splitlines()[0]}")
    defined = [f'-DSHIM_SOURCE="{directory}/kernel.cu"', f"-DARCH={arch}"]
    defined += [f"-DSHIM_KERNEL={kernel}", "-ffp-contract=off", "-U_FORTIFY_SOURCE"]
    compile_cpp(*flags, *defined, str(SHIM / "races.cpp"), "-o", str(program))
    return program


@functools.cache
def _directory() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory()  # removed as the process ends
