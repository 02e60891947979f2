"""Whether an NVIDIA GPU could be here: asked before anything of CUDA is imported."""

from __future__ import annotations

import sys
from pathlib import Path

from wn_runtime.isolated import NEUTRAL

DEVICES: tuple[str, ...] = (
    "/dev/nvidiactl",
    "/dev/nvhost-gpu",
    "/dev/nvgpu",
    "/dev/nvmap",
    "/dev/dxg",
)
"""Made by its driver: on a PC, on a Jetson, under WSL."""


def gpu_present() -> bool:
    """False where no driver has made a device; True says only that it is worth looking."""
    if sys.platform == "win32":
        return (NEUTRAL / "System32" / "nvcuda.dll").exists()
    return any(Path(name).exists() for name in DEVICES)
