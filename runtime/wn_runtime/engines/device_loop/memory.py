"""What lies on the GPU for a model's streams, and the kernel that works on it between two calls.

Mirrors the structs of cuda/step_kernel.cu. Two sets of graph inputs, outputs and controls take
turns, so that no buffer is ever a state's input and output (NVIDIA/TensorRT#4681).
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wn_runtime.engines.device_loop.device import CudaDevice, DeviceArray
from wn_runtime.engines.engine import Bias
from wn_runtime.model.spec import ModelSpec

ELEMENTS: dict[str, np.dtype[Any]] = {
    "fp32": np.dtype(np.float32),
    "fp16": np.dtype(np.float16),
}
CONTROL = np.dtype(
    [("t", "u8"), ("i", "i4"), ("total", "i4"), ("bias_rows", "i4"), ("forced", "i4"),
     ("inverse_temperature", "f4"), ("unused", "i4")]
)  # fmt: skip
_BLOCK_BYTES = 64 * 2**20
_MOST_ROWS, _LEAST_ROWS = 256, 16


def kernel_source() -> str:
    """CUDA C++ of the step kernel."""
    return files("wn_runtime").joinpath("engines/device_loop/step_kernel.cu").read_text("utf-8")


def graph_inputs(spec: ModelSpec, batch: int, chunk: int) -> dict[str, tuple[int, ...]]:
    """Name to shape of the inputs of a step graph, or of one that makes `chunk` samples a call."""
    rows = () if chunk == 1 else (chunk,)
    table: dict[str, tuple[int, ...]] = {
        "sample": (batch, spec.input_kernel),
        "past": (spec.layers, spec.kernel - 1, *rows, batch, spec.residual),
    }
    if spec.conditions:
        table["bias"] = (*rows, spec.layers, batch, spec.gate)
    if chunk > 1:
        table |= {
            "uniforms": (chunk, batch), "forced": (chunk, batch), "inverse_temperature": (1,),
        }  # fmt: skip
    return table


def graph_outputs(spec: ModelSpec, batch: int, chunk: int) -> dict[str, tuple[int, ...]]:
    """Name to shape of its outputs."""
    rows = () if chunk == 1 else (chunk,)
    table: dict[str, tuple[int, ...]] = {
        "params": (*rows, batch, spec.classes),
        "present": (spec.layers, *rows, batch, spec.residual),
    }
    if chunk > 1:
        table["samples"] = (chunk, batch)
    return table


def tensor_type(name: str, precision: str) -> np.dtype[Any]:
    """The element type of a graph input or output."""
    if name in ("sample", "samples", "forced"):
        return np.dtype(np.int32)
    if name in ("params", "uniforms", "inverse_temperature"):
        return np.dtype(np.float32)
    return ELEMENTS[precision]


class StepMemory:
    """Graph inputs and outputs, delay lines and the arrays of a block, with the kernel."""

    def __init__(
        self,
        device: CudaDevice,
        spec: ModelSpec,
        batch: int,
        precision: str,
        chunk: int = 1,
        cache: Path | None = None,
    ) -> None:
        self._device, self._spec = device, spec
        element = ELEMENTS[precision]
        inputs = graph_inputs(spec, batch, chunk)
        outputs = graph_outputs(spec, batch, chunk)
        self.sets: list[dict[str, DeviceArray]] = [
            {
                name: device.allocate(shape, tensor_type(name, precision))
                for name, shape in {**inputs, **outputs}.items()
            }
            for _ in range(2)
        ]
        self.lines = device.allocate((spec.state_rows, batch, spec.residual), element)
        self.rows = _rows(spec, batch, chunk, element)
        """The longest block that goes to the GPU at once."""
        self._uniforms = device.allocate((self.rows, batch), np.float32)
        self._forced = device.allocate((self.rows, batch), np.int32)
        self._bias = device.allocate(
            (self.rows if spec.conditions else 0, spec.layers, batch, spec.gate), element
        )
        self.classes = device.allocate((self.rows, batch), np.int32)
        self.params = device.allocate((self.rows, batch, spec.classes), np.float32)
        self._control = [device.allocate((1,), CONTROL) for _ in range(2)]
        self._shape = self._filled(_shape_table(spec, batch, chunk))
        block = [self._uniforms, self._forced, self._bias, self.classes, self.params]
        self._block = self._filled(_pointers([array.address for array in block]))
        names = ("sample", "past", "bias", "uniforms", "forced", "inverse_temperature")
        self._inputs = [
            self._filled(_pointers([_address(own, name) for name in names])) for own in self.sets
        ]
        code = device.compile(kernel_source(), cache)
        self._prepare = code.get_kernel(f"wn_prepare_{precision}")
        self._advance = code.get_kernel(f"wn_advance_{precision}")
        # A power of two, for the reduction; a warp where there are few classes.
        self._threads = 256 if spec.classes > 32 else 32
        widest = max(spec.layers * batch * spec.residual, chunk * spec.layers * batch * spec.gate)
        self._movers = min(-(-widest // self._threads), 256)
        self._batch, self._shared = batch, 4 * (spec.classes + 2 * self._threads + 1)

    def set_block(
        self, bias: Bias, uniforms: NDArray[np.float32] | None, forced: NDArray[np.int32] | None
    ) -> None:
        """Lay out a block of at most `rows` samples: uniforms, or the classes to be forced."""
        if bias is not None:
            self._device.upload(self._bias, bias)
        if uniforms is not None:
            self._device.upload(self._uniforms, uniforms)
        if forced is not None:
            self._device.upload(self._forced, forced)

    def prepare(self, parity: int, control: NDArray[Any]) -> None:
        """Start a block: fill set `parity` from the state at `control`."""
        self._device.upload(self._control[parity], control)
        self._device.launch(
            self._prepare, self._movers, self._threads, 0,
            self._shape.address, self._control[parity].address, self._block.address,
            self._inputs[parity].address, self.lines.address,
        )  # fmt: skip

    def advance(self, parity: int) -> None:
        """Enqueue what follows a call of the graph on set `parity`: the other set is filled."""
        own, other = self.sets[parity], 1 - parity
        self._device.launch(
            self._advance, self._batch + self._movers, self._threads, self._shared,
            self._shape.address, self._control[parity].address, self._control[other].address,
            self._block.address, own["params"].address, _address(own, "samples"),
            own["present"].address, own["sample"].address, self._inputs[other].address,
            self.lines.address,
        )  # fmt: skip

    def _filled(self, values: NDArray[Any]) -> DeviceArray:
        array = self._device.allocate(values.shape, values.dtype)
        self._device.upload(array, values)
        return array


def bytes_needed(spec: ModelSpec, batch: int, precision: str, chunk: int = 1) -> int:
    """What a StepMemory takes on the GPU, but for some small tables."""
    element = ELEMENTS[precision]
    tensors = {**graph_inputs(spec, batch, chunk), **graph_outputs(spec, batch, chunk)}
    sets = 2 * sum(
        int(np.prod(shape)) * tensor_type(name, precision).itemsize
        for name, shape in tensors.items()
    )
    lines = spec.state_rows * batch * spec.residual * element.itemsize
    return sets + lines + _rows(spec, batch, chunk, element) * _row_bytes(spec, batch, element)


def _row_bytes(spec: ModelSpec, batch: int, element: np.dtype[Any]) -> int:
    bias = spec.layers * spec.gate * element.itemsize if spec.conditions else 0
    return batch * (bias + spec.classes * 4 + 12)


def _rows(spec: ModelSpec, batch: int, chunk: int, element: np.dtype[Any]) -> int:
    fitting = _BLOCK_BYTES // _row_bytes(spec, batch, element)
    rows = max(_LEAST_ROWS, min(_MOST_ROWS, fitting))
    return -(-rows // chunk) * chunk


def _shape_table(spec: ModelSpec, batch: int, chunk: int) -> NDArray[np.int32]:
    lengths = [(spec.kernel - 1) * d for d in spec.dilations]
    firsts = np.cumsum([0, *lengths])[:-1]
    sizes = [
        batch, spec.layers, spec.kernel, spec.residual, spec.gate, spec.classes,
        spec.input_kernel, chunk,
    ]  # fmt: skip
    return np.array([*sizes, *spec.dilations, *firsts], np.int32)


def _pointers(addresses: list[int]) -> NDArray[np.uint64]:
    return np.array(addresses, np.uint64)


def _address(arrays: dict[str, DeviceArray], name: str) -> int:
    return arrays[name].address if name in arrays else 0
