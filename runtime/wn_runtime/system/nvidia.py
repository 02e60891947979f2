"""Whether an NVIDIA GPU may be in a machine, told without any library of NVIDIA's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

DRIVER, KERNEL = "/proc/driver/nvidia/version", "/proc/version"
VENDOR = "0x10de"
"""NVIDIA, on the PCI bus."""


def vendors(root: Path = Path("/")) -> list[str]:
    """Vendors of what is on the PCI bus, as `0x10de`; empty where there is no bus."""
    found = []
    for path in sorted((root / "sys/bus/pci/devices").glob("*/vendor")):
        try:
            found.append(path.read_text("ascii", "replace").strip())
        except OSError:  # unplugged meanwhile
            continue
    return found


def is_wsl(read: Callable[[str], str | None]) -> bool:
    """Whether this is Linux under Windows, whose GPU is on no bus of its own."""
    return "microsoft" in (read(KERNEL) or "").lower()


def possible(
    read: Callable[[str], str | None], on_bus: Sequence[str], architecture: str, jetson: bool
) -> bool:
    """Whether one may be here; True where nothing tells.

    read: a path to a file's text. on_bus: as of `vendors`. architecture: as of `here.machine`.
    """
    if jetson or read(DRIVER) or is_wsl(read):
        return True
    if on_bus:
        return VENDOR in on_bus
    return architecture == "x86_64"  # of another kind and without PCI: a small board
