"""The node's kernel by itself: what it is told in memory, and what it does in another's stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.cuda_on_cpu.gpu import Gpu
from tests.models.specs import CORNERS, random_bias, random_uniforms, random_weights
from wn_export.tensorrt.fused import choose_node
from wn_runtime.engines.cuda.choose import VARIABLE
from wn_runtime.engines.cuda.pack import pack
from wn_runtime.engines.cuda.source import CONTROL_MARK
from wn_runtime.engines.device_loop.device import CudaDevice, DeviceArray
from wn_runtime.engines.tensorrt.fused.kernel import NodeKernel
from wn_runtime.engines.tensorrt.fused.node import CONTROL, FusedNode, controls
from wn_runtime.engines.tensorrt.fused.record import CHUNK, FusedRecord
from wn_runtime.errors import EngineUnavailable, WavestepError
from wn_runtime.model import strict

SPEC = CORNERS["uneven"]


class Call:
    """A node on a device, with an array for each of its tensors."""

    def __init__(self, device: CudaDevice) -> None:
        self.device, self.node = device, choose_node(device, SPEC, "fp16", 3)
        tensors = dict(self.node.signature.tensors())
        self.arrays: dict[str, DeviceArray] = {
            name: device.allocate(tensor.shape, tensor.dtype) for name, tensor in tensors.items()
        }
        width, head = self.node.width, SPEC.output
        self.weights = device.allocate(self.node.weights.shape, np.int32)
        packed = pack(self.node.schedule, random_weights(SPEC))
        device.upload(self.weights, packed.view(np.int32))
        self.fill("uniforms", random_uniforms(CHUNK, width, 5, head.uniforms))
        self.fill("inverse_temperature", np.ones(width))
        self.fill("window", np.full(tensors["window"].shape, head.silence))
        bias = random_bias(SPEC, width, CHUNK)
        assert bias is not None
        self.fill("bias", bias)

    def fill(self, name: str, values: NDArray[Any]) -> None:
        self.device.upload(self.arrays[name], values)

    def addresses(self) -> tuple[list[int], list[int]]:
        signature = self.node.signature
        inputs = [self.arrays[name].address for name in signature.inputs]
        outputs = [self.arrays[name].address for name in signature.outputs]
        return [*inputs, self.weights.address], outputs

    def __call__(self, control: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """What the outputs hold after a call; before it they held ones."""
        self.fill("control", control.view(np.int32).ravel())
        signature = self.node.signature
        for name, tensor in signature.outputs.items():
            self.fill(name, np.ones(tensor.shape, tensor.dtype))
        kernel = NodeKernel(self.device, self.node)
        kernel.enqueue(*self.addresses(), self.device.handle)
        return {name: self.device.download(self.arrays[name]) for name in signature.outputs}


@pytest.fixture
def call(gpu: Gpu) -> Iterator[Call]:
    device = CudaDevice()
    yield Call(device)
    device.close()


def test_it_moves_the_state_on_and_leaves_what_it_was_given(call: Call) -> None:
    whole = call(controls(0, CHUNK, 8, 3, forced=False))
    silence = call.device.download(call.arrays["lines"])
    assert not silence.any()
    assert whole["lines_out"].any()
    assert len(np.unique(whole["samples"])) > 3
    first = call(controls(0, 40, 8, 3, forced=False))
    assert (first["samples"][40:] == 1).all(), "only as many as it is told"
    assert (first["params"] == 1).all(), "written where samples are forced"
    for name in ("lines", "window"):
        call.fill(name, first[f"{name}_out"])
    call.fill("uniforms", random_uniforms(CHUNK, call.node.width, 5, SPEC.output.uniforms)[40:])
    bias = random_bias(SPEC, call.node.width, CHUNK)
    assert bias is not None
    call.fill("bias", bias[5:])
    rest = call(controls(40, CHUNK - 40, 8, 3, forced=False))
    made = np.concatenate([first["samples"][:40], rest["samples"][: CHUNK - 40]])
    assert np.array_equal(made, whole["samples"])
    assert np.array_equal(rest["lines_out"], whole["lines_out"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"mark": CONTROL_MARK + 1},
        {"steps": 0},
        {"steps": CHUNK + 1},
        {"steps": -1},
        {"held": 0},
        {"held": -8},
        {"offset": 8},
        {"offset": -1},
    ],
)
def test_a_control_that_is_none_makes_nothing(call: Call, wrong: dict[str, int]) -> None:
    """A builder times the node with whatever lies in memory; a host may be wrong."""
    control = controls(0, 5, 8, 3, forced=False)
    for name, value in wrong.items():
        control[name] = value
    found = call(control)
    assert (found["samples"] == 1).all()
    assert np.array_equal(found["lines_out"], call.device.download(call.arrays["lines"]))


def test_it_is_captured_in_a_graph_of_another_s_stream(call: Call, gpu: Gpu) -> None:
    control = controls(7, 20, 20, 0, forced=False)
    expected = call(control)
    other = CudaDevice()
    kernel, addresses = NodeKernel(call.device, call.node), call.addresses()
    graph = other.capture(lambda: kernel.enqueue(*addresses, other.handle))
    for name in expected:
        call.fill(name, np.zeros(call.arrays[name].shape))
    other.replay(graph)
    for name, values in expected.items():
        found = call.device.download(call.arrays[name])
        if name == "samples":
            found, values = found[:20], values[:20]
        if name != "params":
            assert np.array_equal(found, values), name
    other.close()


def test_controls_are_of_whole_chunks_and_a_rest() -> None:
    found = controls(2**33, 2 * CHUNK + 5, 50, 20, forced=True)
    assert found["steps"].tolist() == [CHUNK, CHUNK, 5]
    assert found["t"].tolist() == [2**33, 2**33 + CHUNK, 2**33 + 2 * CHUNK]
    assert found["offset"].tolist() == [20, (20 + CHUNK) % 50, (20 + 2 * CHUNK) % 50]
    assert set(found["forced"]) == {1}
    words = found[:1].view(np.uint32)
    assert CONTROL.itemsize == 256
    assert words[:8].tolist() == [CONTROL_MARK, 0, 2, CHUNK, 50, 20, 1, 0]
    assert controls(0, 1, 0, 0, forced=False)["held"].tolist() == [0]


def test_a_gpu_that_hosts_no_cluster_gets_a_block_unless_one_was_named(
    gpu: Gpu, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpu.arch = "90"
    device = CudaDevice()
    monkeypatch.setattr("tests.cuda_on_cpu.kernels.Occupancy.hosts", 1)
    monkeypatch.setenv(VARIABLE, "clustered:1")
    with pytest.raises(EngineUnavailable, match="needs a cluster whose blocks hold all weights"):
        choose_node(device, SPEC, "fp16", 1)
    monkeypatch.delenv(VARIABLE)
    assert choose_node(device, SPEC, "fp16", 1).fused.schedule.startswith("alone:")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"precision": "bf16"}, "precision is 'bf16'; it must be one of"),
        ({"batch": 0}, "batch is 0; it must be 1 to"),
        ({"compute_capability": "new"}, "compute_capability is 'new', not as 8.7"),
        ({"fused": {"schedule": "tiles"}}, "schedule 'tiles' is unknown"),
        ({"fused": {"schedule": "alone:3"}}, "schedule 'alone:3' is unknown"),
        ({"fused": {"shared_limit": 2**40}}, "shared_limit is 1099511627776; it must be 0 to"),
    ],
)
def test_a_node_that_can_be_none_is_told(changed: dict[str, Any], said: str) -> None:
    node = FusedNode(SPEC, "fp16", 3, "8.7", FusedRecord("alone:4", 0, ""))
    plain = strict.plain(node)
    if isinstance(changed.get("fused"), dict):
        changed = {"fused": {**plain["fused"], **changed["fused"]}}
    with pytest.raises(WavestepError, match=f"^it: .*{said}"):
        strict.parse(FusedNode, {**plain, **changed}, "it")
