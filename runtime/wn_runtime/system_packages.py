"""How this system's own package manager is asked for a program or a library."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable

COMPILER, SOUND_FILES, LOUDSPEAKER = "a C compiler", "libsndfile", "PortAudio"
EXTENSIONS = "a C++ compiler and Python's headers"
TENSORRT = "JetPack's TensorRT"
ARM_COMPILER, X86_COMPILER = "gcc-aarch64-linux-gnu", "gcc-x86-64-linux-gnu"
ARM32_COMPILER, RISCV_COMPILER = "gcc-arm-linux-gnueabihf", "gcc-riscv64-linux-gnu"

# Program that is on PATH to how it installs, and what it calls each of them.
_MANAGERS: dict[str, tuple[str, dict[str, str]]] = {
    "apt-get": (
        "apt install",
        {
            COMPILER: "gcc libc6-dev",
            EXTENSIONS: "g++ python3-dev",
            TENSORRT: "python3-libnvinfer",
            SOUND_FILES: "libsndfile1",
            LOUDSPEAKER: "libportaudio2",
            ARM_COMPILER: f"{ARM_COMPILER} libc6-dev-arm64-cross",
            X86_COMPILER: f"{X86_COMPILER} libc6-dev-amd64-cross",
            ARM32_COMPILER: f"{ARM32_COMPILER} libc6-dev-armhf-cross",
            RISCV_COMPILER: f"{RISCV_COMPILER} libc6-dev-riscv64-cross",
        },
    ),
    "dnf": (
        "dnf install",
        {
            COMPILER: "gcc",
            EXTENSIONS: "gcc-c++ python3-devel",
            SOUND_FILES: "libsndfile",
            LOUDSPEAKER: "portaudio",
        },
    ),
    "zypper": (
        "zypper install",
        {
            COMPILER: "gcc",
            EXTENSIONS: "gcc-c++ python3-devel",
            SOUND_FILES: "libsndfile1",
            LOUDSPEAKER: "libportaudio2",
        },
    ),
    "pacman": (
        "pacman -S",
        {
            COMPILER: "gcc",
            EXTENSIONS: "gcc",
            SOUND_FILES: "libsndfile",
            LOUDSPEAKER: "portaudio",
            ARM_COMPILER: "aarch64-linux-gnu-gcc",
        },
    ),
    "apk": (
        "apk add",
        {
            COMPILER: "gcc musl-dev",
            EXTENSIONS: "g++ python3-dev",
            SOUND_FILES: "libsndfile",
            LOUDSPEAKER: "portaudio",
        },
    ),
    "brew": ("brew install", {SOUND_FILES: "libsndfile", LOUDSPEAKER: "portaudio"}),
}


def install(what: str, which: Callable[[str], str | None] = shutil.which) -> str | None:
    """`sudo apt install libportaudio2`; None where no manager here is known to have it.

    what: one of the names above. which: finds a program on PATH.
    """
    if what == COMPILER and which("xcode-select"):  # macOS has Apple's, whatever else is there
        return "xcode-select --install"
    for program, (command, names) in _MANAGERS.items():
        if which(program):
            if what not in names:
                return None
            return f"{'' if program == 'brew' or _is_root() else 'sudo '}{command} {names[what]}"
    return None


def _is_root() -> bool:
    return sys.platform != "win32" and os.geteuid() == 0
