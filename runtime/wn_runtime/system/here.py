"""Which system and machine this is, in one word each."""

from __future__ import annotations

import platform
import struct
import sys

_SYSTEMS = {"win32": "windows", "darwin": "macos"}
_MACHINES = {"amd64": "x86_64", "x86-64": "x86_64", "arm64": "aarch64"}
_NARROW = {"aarch64": "armv7l", "armv8l": "armv7l", "x86_64": "i686"}
"""What a process with pointers of 32 bits runs on, by what its kernel runs on."""
SUFFIXES = {"windows": ".dll", "macos": ".dylib"}


def system() -> str:
    """`linux`, `windows`, `macos`, or Python's own name of another."""
    return _SYSTEMS.get(sys.platform, sys.platform)


def machine() -> str:
    """The machine that this process runs on, as Linux calls it: `x86_64`, `aarch64`, `armv7l`.

    Windows says AMD64, macOS arm64; and a 32-bit system on a 64-bit kernel, as Raspberry Pi OS has
    it, says aarch64.
    """
    told = platform.machine()
    name = _MACHINES.get(told.lower(), told)
    return _NARROW.get(name, name) if struct.calcsize("P") == 4 else name


def library_suffix(of: str | None = None) -> str:
    """Of shared libraries of a system, or of this one: `.so`, `.dll`, `.dylib`."""
    return SUFFIXES.get(of or system(), ".so")
