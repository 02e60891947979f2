"""A step graph stepped by hand: ONNX Runtime, and the plainest delay lines there can be.

What docs and signature promise a host, and nothing of the engines: one NumPy array a layer, oldest
row first, cut at one end and added to at the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray

from wn_runtime.engines.step_signature import StepSignature
from wn_runtime.model.spec import ModelSpec

Array = NDArray[Any]


@dataclass(frozen=True)
class HostState:
    """What a host carries from sample to sample."""

    samples: Array
    """(k0, B), newest last."""
    lines: tuple[Array, ...]
    """Per layer its newest inputs, ((k-1)·d, B, R), oldest first."""


class GraphHost:
    """`step` obeys the streaming law; its state is a value."""

    def __init__(
        self, graph: onnx.ModelProto, spec: ModelSpec, precision: str = "fp32", batch: int = 1
    ) -> None:
        self._spec, self._batch = spec, batch
        self._signature = StepSignature.of(spec, precision, batch)
        self._session = ort.InferenceSession(graph.SerializeToString())

    def initial(self) -> HostState:
        """Silence, and zeros in the delay lines."""
        spec, own = self._spec, self._signature.inputs["past"].dtype
        first = (spec.input_kernel, self._batch)
        lines = [
            np.zeros(((spec.kernel - 1) * d, self._batch, spec.residual_channels), own)
            for d in spec.dilations
        ]
        dtype = self._signature.inputs["sample"].dtype
        return HostState(np.full(first, spec.output.silence, dtype), tuple(lines))

    def step(self, inputs: tuple[Array, ...], state: HostState) -> tuple[Array, HostState]:
        """Samples (T, B) and bias (T, B, L, G), where there is one -> params (T, B, A)."""
        params = np.zeros((len(inputs[0]), *self._signature.outputs["params"].shape), np.float32)
        for t, sample in enumerate(inputs[0]):
            bias = inputs[1][t].transpose(1, 0, 2) if len(inputs) > 1 else None
            params[t], state = self._one(sample, bias, state)
        return params, state

    def _one(self, sample: Array, bias: Array | None, state: HostState) -> tuple[Array, HostState]:
        """The params (B, A) of `sample`, which the next step then knows."""
        older = range(1, self._spec.kernel)
        taps = [
            [line[len(line) - j * d] for j in older]
            for line, d in zip(state.lines, self._spec.dilations, strict=True)
        ]
        feeds = {"sample": state.samples.T, "past": np.array(taps), "bias": bias}
        given = {
            name: np.ascontiguousarray(feeds[name], tensor.dtype)
            for name, tensor in self._signature.inputs.items()
        }
        params, present = self._session.run(["params", "present"], given)
        samples = np.concatenate([state.samples[1:], sample[None]])
        lines = [
            np.concatenate([line[1:], row[None]])
            for line, row in zip(state.lines, present, strict=True)
        ]
        return params, HostState(samples, tuple(lines))
