"""Which of wavestep's extras fits this machine: its driver's CUDA, or its JetPack's, decides.

Wheels of CUDA 13 need a driver of 580.65 or newer; JetPack 6 has CUDA 12, JetPack 7 has 13.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from wn_runtime import installation

RELEASE, MODEL = "/etc/nv_tegra_release", "/proc/device-tree/model"
DRIVER = "/proc/driver/nvidia/version"
CUDA_13_DRIVER = (580, 65)
"""The oldest NVIDIA driver that wheels of CUDA 13 run with."""
CUDA_13_L4T = 38
"""The first release of Jetson Linux with CUDA 13: JetPack 7."""

Read = Callable[[str], str | None]
"""A path to a file's text; None where there is none."""


def read(path: str) -> str | None:
    """A file of this machine."""
    try:
        return Path(path).read_text("utf-8", "replace")
    except OSError:
        return None


def jetpack(read: Read) -> int | None:
    """6 or 7, JetPack's major version; None where this is no Jetson."""
    release, model = read(RELEASE), read(MODEL) or ""
    if release is None and "Jetson" not in model:
        return None
    found = re.search(r"\bR(\d+)\b", release or "")
    if found:
        return 7 if int(found[1]) >= CUDA_13_L4T else 6
    return 7 if "Thor" in model else 6  # in a container without the release file


def cuda(read: Read) -> int | None:
    """The newest major version of CUDA that runs here, 12 or 13; None without a known driver."""
    release = jetpack(read)
    if release is not None:
        return 13 if release >= 7 else 12
    found = re.search(r"\b(\d{3,4})\.(\d+)", read(DRIVER) or "")
    if found is None:
        return None
    return 13 if (int(found[1]), int(found[2])) >= CUDA_13_DRIVER else 12


def fitting(kind: str, read: Read = read) -> str:
    """`gpu`, `tensorrt-cuda12`, `jetpack6`, …: the extra for `kind`, `gpu` or `tensorrt`."""
    release = jetpack(read)
    if release is not None:
        return f"jetpack{release}"
    return f"{kind}-cuda12" if cuda(read) == 12 else kind


def install(kind: str, read: Read = read) -> str:
    """What to type to have what `kind` needs: `pip install -e '/home/ann/wavestep[gpu]'`."""
    return installation.install(fitting(kind, read))


def install_nvrtc(read: Read = read) -> str:
    """What to type to have cuda-core and NVRTC: of the extra for a GPU, ONNX Runtime left out.

    onnxruntime-gpu would overwrite an onnxruntime, and compiling ahead needs neither.
    """
    return installation.install(fitting("gpu", read), without="onnxruntime-gpu")


def install_onnxruntime_gpu(read: Read = read) -> str:
    """What to do to have ONNX Runtime's CUDA build: PyPI's has no kernels for a Jetson's GPU."""
    if jetpack(read) is not None:
        return "take onnxruntime-gpu of the Jetson AI Lab index for your JetPack"
    return install("gpu", read)
