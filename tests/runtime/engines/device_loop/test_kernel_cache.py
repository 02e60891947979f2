"""The kernel is compiled once for a GPU, its driver and NVRTC; what a GPU refuses is made anew."""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata
from typing import Any

import pytest

from tests.cuda_on_cpu.gpu import Gpu
from wn_runtime.engines.device_loop.device import CudaDevice
from wn_runtime.engines.device_loop.kernel import kernel_source
from wn_runtime.errors import EngineUnavailable
from wn_runtime.heads.softmax import Softmax

SOURCE = kernel_source(Softmax())


def kernels(source: str = SOURCE) -> list[Any]:
    return CudaDevice().kernels(source, "wn_prepare_fp32", "wn_advance_fp32")


def test_it_is_compiled_once_and_kept(gpu: Gpu) -> None:
    for _ in range(3):
        assert len(kernels()) == 2
    assert gpu.compiled == 1


def another_driver(gpu: Gpu, patch: pytest.MonkeyPatch) -> None:
    gpu.driver += 10


def another_gpu(gpu: Gpu, patch: pytest.MonkeyPatch) -> None:
    gpu.arch = "90"


def another_nvrtc(gpu: Gpu, patch: pytest.MonkeyPatch) -> None:
    found = metadata.version

    def version(package: str) -> str:
        return "99.9" if package == "nvidia-cuda-nvrtc" else found(package)

    patch.setattr(metadata, "version", version)


@pytest.mark.parametrize("change", [another_driver, another_gpu, another_nvrtc])
def test_with_another_it_is_compiled_anew(
    gpu: Gpu,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Gpu, pytest.MonkeyPatch], None],
) -> None:
    kernels()
    change(gpu, monkeypatch)
    kernels()
    assert gpu.compiled == 2
    kernels()
    assert gpu.compiled == 2


def test_another_head_has_a_kernel_of_its_own(gpu: Gpu) -> None:
    kernels()
    kernels(SOURCE.replace("#define UNIFORMS 1", "#define UNIFORMS 2"))
    assert gpu.compiled == 2


def test_code_that_the_gpu_refuses_is_compiled_anew_once(gpu: Gpu) -> None:
    kernels()
    gpu.refusals = 1
    assert len(kernels()) == 2
    assert gpu.compiled == 2
    kernels()
    assert gpu.compiled == 2


def test_refused_again_it_is_given_up_with_the_reason(gpu: Gpu) -> None:
    gpu.refusals = 99
    with pytest.raises(
        EngineUnavailable,
        match=r"the GPU \(Test GPU\) refuses .*kernels.cubin \(CUDA_ERROR_NO_BINARY.*"
        r"driver goes with the extra .*\), though just compiled",
    ):
        kernels()
    assert gpu.compiled == 2


def test_source_that_nvrtc_refuses_is_told_with_its_first_line(
    gpu: Gpu, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(program: Any, target_type: str) -> Any:
        raise RuntimeError("NVRTC_ERROR_COMPILATION: kernel.cu(3): error\nand more")

    monkeypatch.setattr("tests.cuda_on_cpu.device.Program.compile", refuse)
    with pytest.raises(
        EngineUnavailable, match=r"NVRTC cannot .* sm_87 \(NVRTC_E.*error\); .*nvrtc"
    ):
        kernels()
