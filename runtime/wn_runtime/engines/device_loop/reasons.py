"""What the errors of cuda-core and of the driver mean to who runs this, in one line each."""

from __future__ import annotations

import re

from wn_runtime import extras
from wn_runtime.errors import EngineUnavailable

OLDEST_DRIVER = (12, 0)
"""The version of CUDA of the oldest drivers that have what cuda-core calls (cuLibraryLoadData)."""
_SENTENCE = re.compile(r"(CUDA_ERROR_\w+: .*?)\.(?:\s|$)")
_REMEDIES = {
    "CUDA_ERROR_DEVICE_UNAVAILABLE": (
        "is in exclusive use by another program (compute mode); end that, or "
        "sudo nvidia-smi -i {ordinal} -c DEFAULT"
    ),
    "CUDA_ERROR_OUT_OF_MEMORY": "has no memory left; close other programs on it",
    "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH": (
        "has a driver whose parts differ in version, as after an update; restart the machine"
    ),
}


def first_line(error: BaseException) -> str:
    """What an error says, or what it is; of the driver's, which are paragraphs, one sentence."""
    if isinstance(error, SystemError) and error.__cause__ is not None:
        error = error.__cause__  # of a function that the driver is too old to have
    lines = str(error).strip().splitlines()
    if not lines:
        return type(error).__name__
    sentence = _SENTENCE.match(lines[0])
    return sentence[1] if sentence else lines[0]


def no_gpu(error: BaseException, ordinal: int) -> EngineUnavailable:
    """Why GPU `ordinal` cannot be opened."""
    name = str(error).partition(":")[0]
    if name in _REMEDIES:
        return EngineUnavailable(f"GPU {ordinal} {_REMEDIES[name].format(ordinal=ordinal)}")
    if type(error).__name__ == "DynamicLibNotFoundError":  # libcuda
        if not extras.gpu_possible():
            return none_here()
        return EngineUnavailable(
            "no NVIDIA GPU can be used here (its driver is not installed); "
            f"{extras.install_driver()}"
        )
    return EngineUnavailable(
        f"no NVIDIA GPU can be used here ({first_line(error)}); run this on a machine with one and "
        "its driver"
    )


def none_here() -> EngineUnavailable:
    """Of a machine that has no NVIDIA GPU, or none that the engines run on."""
    return EngineUnavailable(
        f"no NVIDIA GPU can be used here ({extras.why_no_gpu()}); take another engine"
    )


def too_old(cuda: tuple[int, int]) -> EngineUnavailable:
    """Of a driver of that version of CUDA, before OLDEST_DRIVER."""
    return EngineUnavailable(
        f"the NVIDIA driver is of CUDA {cuda[0]}.{cuda[1]}, the GPU engines need one of "
        f"CUDA {OLDEST_DRIVER[0]} or newer; {extras.install_driver()}"
    )
