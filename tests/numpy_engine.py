"""An engine in plain NumPy over the delay lines: what the verifier itself is tested with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from wn_runtime.engines.engine import Bias, State, check_bias
from wn_runtime.engines.onnx.delay_lines import DelayLines
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.weights import Weights
from wn_runtime.synthesis.sampling import CategoricalSampler


class NumpyEngine:
    """The layer equation, one sample at a time."""

    name, precision, note = "numpy", "fp32", ""

    def __init__(self, spec: ModelSpec, weights: Weights, batch: int = 1) -> None:
        self.spec, self.batch, self._w = spec, batch, weights
        self._samples = np.full((spec.input_kernel, batch), spec.silence, np.int32)
        self._past = np.zeros((spec.layers, spec.kernel - 1, batch, spec.residual), np.float32)
        self._present = np.zeros((spec.layers, batch, spec.residual), np.float32)
        self._lines = DelayLines(spec, batch)
        self._lines.bind(self._past, self._present)

    def generate(
        self, bias: Bias, uniforms: NDArray[np.float32], temperature: float = 1.0
    ) -> NDArray[np.int32]:
        check_bias(self.spec, self.batch, len(uniforms), bias)
        draw = CategoricalSampler(self.batch, self.spec.classes, temperature)
        drawn = np.empty((len(uniforms), self.batch), np.int32)
        for t in range(len(uniforms)):
            draw(self._step(bias, t), uniforms[t], drawn[t])
            self._hear(drawn[t])
        return drawn

    def score(self, samples: NDArray[np.int32], bias: Bias) -> NDArray[np.float32]:
        check_bias(self.spec, self.batch, len(samples), bias)
        params = np.empty((*samples.shape, self.spec.classes), np.float32)
        for t in range(len(samples)):
            params[t] = self._step(bias, t)
            self._hear(samples[t])
        return params

    def snapshot(self) -> State:
        return State(self._samples.copy(), self._lines.snapshot())

    def restore(self, state: State) -> None:
        state.check(self.spec, self.batch)
        self._samples[:] = state.samples
        self._lines.restore(state.lines)

    def reset(self, streams: Sequence[int] | None = None) -> None:
        streams = range(self.batch) if streams is None else streams
        self._samples[:, list(streams)] = self.spec.silence
        self._lines.reset(streams)

    def close(self) -> None: ...

    def _hear(self, sample: NDArray[np.int32]) -> None:
        self._samples = np.concatenate([self._samples[1:], sample[None]])

    def _step(self, bias: Bias, t: int) -> NDArray[np.float32]:
        spec, w = self.spec, self._w
        self._lines.read()
        h = np.tile(w["input.bias"], (self.batch, 1))
        for j in range(spec.input_kernel):
            h = h + w["input.weight"][j][self._samples[-1 - j]]
        skip = np.tile(w["skip.bias"], (self.batch, 1))
        half = spec.gate // 2
        for layer in range(spec.layers):
            self._present[layer] = h
            a = h @ w["gate.weight"][layer, 0] + w["gate.bias"][layer]
            for j in range(1, spec.kernel):
                a = a + self._past[layer, j - 1] @ w["gate.weight"][layer, j]
            if bias is not None:
                a = a + bias[min(t, len(bias) - 1), layer]
            z = np.tanh(a[:, :half]) / (1 + np.exp(-a[:, half:]))
            skip = skip + z @ w["skip.weight"][layer]
            residual = z @ w["residual.weight"][layer] + w["residual.bias"][layer]
            h = (residual + h) * np.float32(spec.residual_scale)
        self._lines.write()
        hidden = np.maximum(np.maximum(skip, 0) @ w["head.0.weight"] + w["head.0.bias"], 0)
        logits: NDArray[np.float32] = hidden @ w["head.1.weight"] + w["head.1.bias"]
        return logits
