"""The machine that a measurement was made on, as far as it can tell without loading a driver."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

from wn_export.bench import ask
from wn_runtime.engines import cores
from wn_runtime.system import cpu

_PACKAGES = ("wavestep", "numpy", "onnxruntime", "onnxruntime-gpu", "tensorrt", "torch")


def machine_facts() -> dict[str, Any]:
    """CPU, memory, GPUs, system, versions, load and time: plain types, ready for JSON."""
    fields = cpu.cpuinfo()
    memory = {key: value for key, _, value in (x.partition(":") for x in _meminfo())}
    return {
        "time": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "cpu": cpu.name() or platform.processor(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "cores_allowed": cores.allowed(),
        "mhz": _number(fields.get("cpu MHz")),
        "memory_gb": round((_number(memory.get("MemTotal", "").split(" ")[0]) or 0) / 1e6, 1),
        "load": [round(value, 2) for value in _load()],
        "gpus": _gpus(),
        "device": _read("/proc/device-tree/model").rstrip("\0"),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": _versions(),
    }


def _load() -> tuple[float, ...]:
    if sys.platform == "win32":  # which counts none
        return ()
    try:
        return os.getloadavg()
    except OSError:
        return ()


def _meminfo() -> list[str]:
    return [
        " ".join(line.split()).replace(": ", ":") for line in _read("/proc/meminfo").split("\n")
    ]


def _read(path: str) -> str:
    try:
        return Path(path).read_text("utf-8", "replace")
    except OSError:
        return ""


def _number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None


def _gpus() -> list[str]:
    """Name and driver of each NVIDIA GPU; the driver itself is not loaded into this process."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    command = [program, "--query-gpu=name,driver_version,clocks.max.sm", "--format=csv,noheader"]
    return ask.answer(command, seconds=20).strip().splitlines()


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
