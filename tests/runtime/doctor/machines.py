"""Machines that a test describes: their files, the programs on their PATH, and what imports do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wn_runtime.doctor.machine import Machine

ORT = {"providers": ["CUDAExecutionProvider", "CPUExecutionProvider"]}
H200 = {"cuda": 13000, "gpus": [["NVIDIA H200", "9.0", 150.1]]}
COMPLETE: dict[str, Any] = {
    "numpy": {"version": "2.4.6"},
    "onnxruntime": ORT,
    "version of onnxruntime-gpu": "1.31.1",
    "libcuda.so.1": H200,
    "cuda.core": {"version": "13.5"},
    "version of cuda-core": "1.2",
    "tensorrt": {"product": "TensorRT", "version": "10.13.3.9"},
    "soundfile": {"version": "1.2"},
    "sounddevice": {"name": "HDMI", "rate": 48000.0},
}
"""What a PC with an NVIDIA GPU and all extras says."""


class Described(Machine):
    """A machine whose imports come out as told: the module a probe imports to what it finds."""

    def __init__(self, root: Path, answers: dict[str, Any], path: str = "") -> None:
        super().__init__(root, {"PATH": path, "HOME": str(root)})
        self.imports = {"numpy": {"version": "2.4.6"}, **answers}

    def python(self, code: str, timeout: float = 30.0) -> dict[str, Any]:
        for module, answer in self.imports.items():
            if f"import {module}" in code or f'CDLL("{module}")' in code:
                found: dict[str, Any] = answer
                return found
        return {"error": "ModuleNotFoundError: No module named 'unasked'"}

    def zig(self) -> tuple[str, ...]:
        found: tuple[str, ...] = self.imports.get("zig", ())
        return found

    def version(self, distribution: str) -> str | None:
        found: str | None = self.imports.get(f"version of {distribution}")
        return found


def script(directory: Path, name: str, text: str) -> None:
    """A program of that name in a folder, of this shell code."""
    directory.mkdir(exist_ok=True)
    path = directory / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def driver(root: Path, text: str) -> None:
    """What an NVIDIA driver says of itself."""
    path = root / "proc/driver/nvidia/version"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{text}\nGCC version:  gcc version 12.3.0\n")


def jetson(
    root: Path, model: str = "NVIDIA Jetson Orin Nano Developer Kit", release: str = "R36"
) -> None:
    """The files by which a Jetson is known."""
    (root / "proc/device-tree").mkdir(parents=True)
    (root / "proc/device-tree/model").write_bytes(model.encode() + b"\0")
    (root / "etc").mkdir()
    (root / "etc/nv_tegra_release").write_text(f"# {release} (release), REVISION: 4.3, GCID: 1\n")
