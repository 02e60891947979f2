"""ONNX Runtime in the device loop, bound to the loop's own memory: the cross-check of a plan.

Here its CPU provider works on the stand-in's memory; on a GPU it is CUDA's (tests/gpu).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cuda_on_cpu.gpu import Gpu
from tests.law.engines import verify_engine_contract
from tests.models.model_dir import write_model
from tests.models.specs import CORNERS, PLAIN, random_weights
from wn_runtime.engines.choice import open_engine
from wn_runtime.engines.device_loop.device import CudaDevice
from wn_runtime.engines.device_loop.loop import DeviceLoop
from wn_runtime.engines.device_loop.onnx_backend import OnnxRuntimeBackend
from wn_runtime.engines.step_signature import StepSignature
from wn_runtime.errors import EngineUnavailable
from wn_runtime.model.package import open_package


def test_it_obeys_the_contract(tmp_path: Path, gpu: Gpu) -> None:
    spec = CORNERS["kernel_3"]
    package, graph = open_package(write_model(tmp_path, spec, batch=2) / "step.onnx")
    assert graph is not None
    device, signature = CudaDevice(), StepSignature.of(spec, graph.precision, graph.batch)
    data = package.read(graph.file)
    backend = OnnxRuntimeBackend(data, graph.file, signature, device.handle, "CPUExecutionProvider")
    loop = DeviceLoop("onnx-cuda-loop", device, backend, spec, "fp32", 2, 2)
    assert loop.note == "Test GPU, ONNX Runtime CPUExecutionProvider, enqueued call by call"
    verify_engine_contract(loop, random_weights(spec), steps=16)
    loop.close()
    assert not gpu.blocks


def test_without_the_cuda_provider_it_is_unavailable(tmp_path: Path, gpu: Gpu) -> None:
    directory = write_model(tmp_path, PLAIN)
    with pytest.raises(EngineUnavailable, match=r"has no CUDAExecutionProvider; .*pip install"):
        open_engine(directory, "onnx-cuda-loop")
    assert not gpu.blocks
