"""Which of wavestep's extras fits this machine: its driver's CUDA, or its JetPack's, decides.

Wheels of CUDA 13 need a driver of 580.65 or newer; JetPack 6 has CUDA 12, JetPack 7 has 13.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

from wn_runtime import installation, system_packages
from wn_runtime.system import here, nvidia

RELEASE, MODEL = "/etc/nv_tegra_release", "/proc/device-tree/model"
OS = "/etc/os-release"
DRIVER = nvidia.DRIVER
CUDA_13_DRIVER = (580, 65)
"""The oldest NVIDIA driver that wheels of CUDA 13 run with."""
CUDA_13_L4T = 38
"""The first release of Jetson Linux with CUDA 13: JetPack 7."""
JETPACK_6_L4T, JETPACK_5_L4T = 36, 34
"""The first releases of JetPack 6, the oldest with CUDA 12, and of JetPack 5."""

AI_LAB = "https://pypi.jetson-ai-lab.io"
JETSON_INDEX = {6: f"{AI_LAB}/jp6/cu126", 7: f"{AI_LAB}/sbsa/cu130"}
"""JetPack to the index of wheels built for its CUDA, which has PyPI's others, too."""
NEWER_JETPACK = "flash JetPack 6 or newer, if there is one for this board; models run on the CPU"
CPU_TORCH = "https://download.pytorch.org/whl/cpu"
"""PyTorch without CUDA; the one on PyPI brings some GB of it, on 64-bit Arm, too."""

Read = Callable[[str], str | None]
"""A path to a file's text; None where there is none."""


ROOT = Path("/")
"""Where this machine's files are; bench/errors/machines.py puts another's here."""


def read(path: str) -> str | None:
    """A file of this machine."""
    try:
        return (ROOT / path.lstrip("/")).read_text("utf-8", "replace")
    except OSError:
        return None


def jetpack(read: Read) -> int | None:
    """4 to 7, JetPack's major version; None where this is no Jetson."""
    release, model = read(RELEASE), read(MODEL) or ""
    if release is None and "Jetson" not in model:
        return None
    found = re.search(r"\bR(\d+)\b", release or "")
    if found:
        first = ((7, CUDA_13_L4T), (6, JETPACK_6_L4T), (5, JETPACK_5_L4T))
        return next((major for major, l4t in first if int(found[1]) >= l4t), 4)
    return 7 if "Thor" in model else 6  # in a container without the release file


def old_jetpack(read: Read) -> int | None:
    """JetPack's major version where its CUDA is older than the GPU engines take, 4 or 5."""
    release = jetpack(read)
    return release if release is not None and release < 6 else None


def cuda(read: Read) -> int | None:
    """The newest major version of CUDA that runs here, 12 or 13; None without a known driver."""
    release = jetpack(read)
    if release is not None:
        return {6: 12, 7: 13}.get(release)
    found = re.search(r"\b(\d{3,4})\.(\d+)", read(DRIVER) or "")
    if found is None:
        return None
    return 13 if (int(found[1]), int(found[2])) >= CUDA_13_DRIVER else 12


def fitting(kind: str, read: Read = read) -> str:
    """`gpu`, `tensorrt-cuda12`, `jetpack6`, …: the extra for `kind`, `gpu` or `tensorrt`."""
    release = jetpack(read)
    if release is not None:
        return f"jetpack{max(release, 6)}"  # an older one has none: gpu_possible
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
    """What to type to have ONNX Runtime's CUDA build: PyPI's has no kernels for a Jetson's GPU."""
    release = jetpack(read)
    if old_jetpack(read):
        return NEWER_JETPACK
    if release is not None:
        return installation.pip("--index-url", JETSON_INDEX[release], "onnxruntime-gpu")
    return install("gpu", read)


def install_tensorrt(read: Read = read, which: Callable[[str], str | None] = shutil.which) -> str:
    """What to type to have TensorRT: of a Jetson JetPack's own, which an environment may hide.

    which: finds a program on PATH.
    """
    if jetpack(read) is None:
        return install("tensorrt", read)
    package = system_packages.install(system_packages.TENSORRT, which)
    steps = [package or "install JetPack's TensorRT", installation.show_system_packages()]
    return " && ".join(filter(None, steps))


def install_train(read: Read = read) -> str:
    """What to type to have the extra `train`, with a PyTorch for this machine's GPU or for none."""
    release = jetpack(read)
    if release is not None and not old_jetpack(read):
        return installation.install("train", options=("--index-url", JETSON_INDEX[release]))
    if here.system() == "linux" and not gpu_possible(read):
        return installation.install("train", options=("--extra-index-url", CPU_TORCH))
    return installation.install("train")


def install_features() -> str:
    """What to type to have the extra `features`: pyworld is compiled where it is installed."""
    steps = [installation.install("features")]
    if here.system() == "linux" and not _can_build():
        steps.insert(0, system_packages.install(system_packages.EXTENSIONS) or "")
    return " && ".join(filter(None, steps))


def _can_build() -> bool:
    """Whether a C++ compiler and Python's headers are here."""
    import sysconfig  # which on some systems needs what others lack

    headers = Path(sysconfig.get_path("include"), "Python.h")
    return headers.is_file() and any(map(shutil.which, ("c++", "g++", "clang++")))


def install_driver(read: Read = read) -> str:
    """What to do to have an NVIDIA driver, or a newer one."""
    if old_jetpack(read):
        return NEWER_JETPACK
    if jetpack(read) is not None:
        return "flash JetPack again"
    if nvidia.is_wsl(read):
        return "install NVIDIA's driver on Windows: WSL takes it from there"
    if "ID=ubuntu" in (read(OS) or "").splitlines():
        return "sudo apt install nvidia-driver-580, then restart"
    return "install NVIDIA's driver, 580 or newer, then restart"


def gpu_possible(read: Read = read) -> bool:
    """Whether a GPU that the engines run on may be in this machine; True where nothing tells."""
    if old_jetpack(read):
        return False
    jetson = jetpack(read) is not None
    return nvidia.possible(read, nvidia.vendors(ROOT), here.machine(), jetson)


def why_no_gpu(read: Read = read) -> str:
    """Where none is possible: `none is in this machine`, or what is wrong with it."""
    release = old_jetpack(read)
    if release:
        return f"JetPack {release} has an older CUDA than the GPU engines take"
    return "none is in this machine"
