"""The packages that a device needs, to the version, each with the SHA-256 of its wheels.

    pinned/3.12.txt           what wavestep needs on Python 3.12, x86-64 and 64-bit Arm Linux
    pinned/3.12-cuda13.txt    what the cuda engine needs beside it, on a Jetson with CUDA 13
    pinned/pip.txt            what installs them

`python -m wn_export.bundle.lock` writes them; nothing is taken that is not in them.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent / "pinned"
PIP = "pip"
PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
CUDA = {"3.10": 12, "3.12": 13}
"""Python of a JetPack to its major version of CUDA."""
MACHINES = ("x86_64", "aarch64")
GLIBC = (2, 28)
"""The oldest that all of the wheels run with."""


def lines(python: str, cuda: int | None = None) -> list[str]:
    """`numpy==2.2.6 --hash=sha256:…`, a line a package; cuda: with what that engine needs."""
    return pinned(python) + (pinned(f"{python}-cuda{cuda}") if cuda is not None else [])


def pinned(name: str) -> list[str]:
    """The lines of one file, comments left out."""
    text = (FOLDER / f"{name}.txt").read_text("utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def platforms(machine: str) -> list[str]:
    """The tags of wheels that run with the oldest glibc, newest first: pip takes no others."""
    major, oldest = GLIBC
    newer = [f"manylinux_{major}_{minor}_{machine}" for minor in range(oldest, 4, -1)]
    return [*newer, f"manylinux2014_{machine}"]
