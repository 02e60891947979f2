"""What lies on the GPU for a model's streams, and the kernel that works on it between two calls.

Mirrors the structs of step_kernel.cu. Two sets of graph inputs, outputs and controls take turns,
so that no buffer is ever a state's input and output (NVIDIA/TensorRT#4681).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wn_runtime.conditioning.conditioner import Bias
from wn_runtime.engines.device_loop.device import CudaDevice, DeviceArray
from wn_runtime.engines.device_loop.kernel import kernel_source
from wn_runtime.engines.step_signature import ELEMENTS, StepSignature
from wn_runtime.heads.head import Samples
from wn_runtime.model.spec import ModelSpec

CONTROL = np.dtype(
    [("t", "u8")] + [(name, "i4") for name in ("i", "total", "held", "offset", "forced", "unused")]
)
_BLOCK_BYTES = 64 * 2**20
_MOST_ROWS, _LEAST_ROWS = 256, 16
_THREADS = 256


class StepMemory:
    """Graph inputs and outputs, delay lines and the arrays of a block, with the kernel."""

    def __init__(self, device: CudaDevice, spec: ModelSpec, batch: int, precision: str) -> None:
        self._device, self._spec = device, spec
        element, head = ELEMENTS[precision], spec.output
        signature = StepSignature.of(spec, precision, batch)
        self.sets: list[dict[str, DeviceArray]] = [
            {name: device.allocate(each.shape, each.dtype) for name, each in signature.tensors()}
            for _ in range(2)
        ]
        lines = (spec.state_rows, batch, spec.residual_channels)
        self.lines = device.allocate(lines, element)
        self.rows = _rows(spec, batch, element)
        """The longest block that goes to the GPU at once."""
        rows = self.rows
        self._uniforms = device.allocate((rows, batch, head.uniforms), np.int32)
        self._inverse_temperature = device.allocate((batch,), np.float32)
        self._forced = device.allocate((rows, batch), head.sample_dtype)
        bias = (rows if spec.conditioning else 0, spec.layers, batch, spec.gate_channels)
        self._bias = device.allocate(bias, element)
        self.samples = device.allocate((rows, batch), head.sample_dtype)
        self.params = device.allocate((rows, batch, head.params), np.float32)
        self._control = [device.allocate((1,), CONTROL) for _ in range(2)]
        self._shape = self._filled(_shape_table(spec, batch))
        inputs = (self._uniforms, self._inverse_temperature, self._forced, self._bias)
        self._block = self._filled(_pointers(*inputs, self.samples, self.params))
        self._inputs = [
            self._filled(_pointers(tensors["sample"], tensors["past"], tensors.get("bias")))
            for tensors in self.sets
        ]
        self._prepare, self._advance = device.kernels(
            kernel_source(head), f"wn_prepare_{precision}", f"wn_advance_{precision}"
        )
        widest = spec.layers * batch * max(spec.residual_channels, spec.gate_channels)
        self._movers = min(-(-widest // _THREADS), 256)
        self._batch = batch

    def set_block(
        self,
        bias: Bias,
        uniforms: NDArray[np.int32] | None,
        inverse_temperature: NDArray[np.float32] | None,
        forced: Samples | None,
    ) -> None:
        """Lay out a block of at most `rows` samples: uniforms, or the samples to be forced."""
        for array, values in (
            (self._bias, bias),
            (self._uniforms, uniforms),
            (self._inverse_temperature, inverse_temperature),
            (self._forced, forced),
        ):
            if values is not None:
                self._device.upload(array, values)

    def prepare(self, buffers: int, control: NDArray[Any]) -> None:
        """Start a block: fill set `buffers` from the state at `control`."""
        self._device.upload(self._control[buffers], control)
        arguments = (self._shape, self._control[buffers], self._block, self._inputs[buffers])
        addresses = [array.address for array in (*arguments, self.lines)]
        self._device.launch(self._prepare, self._movers, _THREADS, 0, *addresses)

    def advance(self, buffers: int) -> None:
        """Enqueue what follows a call of the graph on set `buffers`: the other set is filled."""
        tensors, other = self.sets[buffers], 1 - buffers
        arguments = (
            *(self._shape, self._control[buffers], self._control[other], self._block),
            *(
                tensors["params"],
                tensors["present"],
                tensors["sample"],
                self._inputs[other],
                self.lines,
            ),
        )
        addresses = [array.address for array in arguments]
        grid = self._batch + self._movers
        self._device.launch(self._advance, grid, _THREADS, 0, *addresses)

    def _filled(self, values: NDArray[Any]) -> DeviceArray:
        array = self._device.allocate(values.shape, values.dtype)
        self._device.upload(array, values)
        return array


def bytes_needed(spec: ModelSpec, batch: int, precision: str) -> int:
    """What a StepMemory takes on the GPU, but for some small tables."""
    element = ELEMENTS[precision]
    sets = 2 * sum(each.nbytes for _, each in StepSignature.of(spec, precision, batch).tensors())
    lines = spec.state_rows * batch * spec.residual_channels * element.itemsize
    return sets + lines + _rows(spec, batch, element) * _row_bytes(spec, batch, element)


def _row_bytes(spec: ModelSpec, batch: int, element: np.dtype[Any]) -> int:
    bias = spec.layers * spec.gate_channels * element.itemsize if spec.conditioning else 0
    return batch * (bias + 4 * (spec.output.params + spec.output.uniforms + 2))


def _rows(spec: ModelSpec, batch: int, element: np.dtype[Any]) -> int:
    fitting = _BLOCK_BYTES // _row_bytes(spec, batch, element)
    return max(_LEAST_ROWS, min(_MOST_ROWS, fitting))


def _shape_table(spec: ModelSpec, batch: int) -> NDArray[np.int32]:
    lengths = [(spec.kernel - 1) * d for d in spec.dilations]
    firsts = np.cumsum([0, *lengths])[:-1]
    sizes = [batch, spec.layers, spec.kernel, spec.residual_channels, spec.gate_channels]
    sizes += [spec.output.params, spec.input_kernel, 0]
    return np.array([*sizes, *spec.dilations, *firsts], np.int32)


def _pointers(*arrays: DeviceArray | None) -> NDArray[np.uint64]:
    return np.array([0 if array is None else array.address for array in arrays], np.uint64)
