"""Errors of cuda-core and of the driver are told in one line, with what can be done."""

from __future__ import annotations

import re

import pytest

from wn_runtime import extras
from wn_runtime.engines.device_loop.reasons import first_line, no_gpu, too_old

LOST = (
    "CUDA_ERROR_LAUNCH_FAILED: An exception occurred on the device while executing a kernel. "
    "Common causes include invalid pointers (i.e. null). The process must be relaunched."
)


class DynamicLibNotFoundError(RuntimeError):
    """As cuda-pathfinder's."""


def test_of_a_paragraph_the_first_sentence_is_told() -> None:
    assert first_line(RuntimeError(LOST)) == LOST.partition(". ")[0]
    assert first_line(RuntimeError(LOST.partition(". ")[0] + ".")) == LOST.partition(". ")[0]
    assert first_line(RuntimeError("libnvrtc.so.12 was not found. Try\nanother")) == (
        "libnvrtc.so.12 was not found. Try"
    )
    assert first_line(RuntimeError()) == "RuntimeError"


def test_of_a_function_that_the_driver_lacks_its_name_is_told() -> None:
    with pytest.raises(SystemError) as told:
        raise SystemError("returned a result with an exception set") from RuntimeError(
            "function cuLibraryLoadData is not found"
        )
    assert first_line(told.value) == "function cuLibraryLoadData is not found"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("CUDA_ERROR_DEVICE_UNAVAILABLE: busy", "GPU 1 is in exclusive use .* nvidia-smi -i 1"),
        ("CUDA_ERROR_OUT_OF_MEMORY: no more", "GPU 1 has no memory left; close other programs"),
        ("CUDA_ERROR_SYSTEM_DRIVER_MISMATCH: x", "parts differ in version.*restart the machine"),
        ("CUDA_ERROR_NO_DEVICE: none. At all.", r"used here \(CUDA_ERROR_NO_DEVICE: none\); run"),
    ],
)
def test_why_there_is_no_gpu_is_told_with_a_remedy(error: str, words: str) -> None:
    found = str(no_gpu(RuntimeError(error), 1))
    assert re.search(words, found)
    assert "\n" not in found


def test_a_driver_that_is_missing_or_too_old_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "install_driver", lambda: "get it")
    monkeypatch.setattr(extras, "gpu_possible", lambda: True)
    lacking = DynamicLibNotFoundError("libcuda")
    assert "(its driver is not installed); get it" in str(no_gpu(lacking, 0))
    old = str(too_old((11, 8)))
    assert "driver is of CUDA 11.8, the GPU engines need one of CUDA 12" in old
    assert old.endswith("; get it")
    monkeypatch.setattr(extras, "gpu_possible", lambda: False)
    assert "(none is in this machine); take another engine" in str(no_gpu(lacking, 0))
