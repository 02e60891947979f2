"""Whether an NVIDIA GPU could be here: asked before anything of CUDA is imported."""

from __future__ import annotations

from pathlib import Path

DEVICES = ("/dev/nvidiactl", "/dev/nvhost-gpu", "/dev/nvgpu", "/dev/nvmap", "/dev/dxg")
"""Made by its driver: on a PC, on a Jetson, under WSL."""


def gpu_present() -> bool:
    """False where no driver has made a device; True says only that it is worth looking."""
    return any(Path(name).exists() for name in DEVICES)
