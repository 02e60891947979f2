"""The layer equation one sample at a time in NumPy: the engine that the verifier is tried on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from wn_runtime.conditioning.conditioner import Bias
from wn_runtime.engines.engine import Engine
from wn_runtime.engines.onnx.delay_lines import DelayLines
from wn_runtime.heads.head import Samples
from wn_runtime.model import layout as layouts
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.state import DELAY_LINES, SAMPLES, State
from wn_runtime.model.weights import Weights


class NumpyEngine(Engine):
    def __init__(self, spec: ModelSpec, weights: Weights, batch: int = 1) -> None:
        super().__init__("numpy", "fp32", spec, batch, "1 thread")
        self._w = weights
        self._window = layouts.initial(spec, batch)[SAMPLES]
        self._lines = DelayLines(spec, batch)
        residual = spec.residual_channels
        self._past = np.zeros((spec.layers, spec.kernel - 1, batch, residual), np.float32)
        self._present = np.zeros((spec.layers, batch, residual), np.float32)
        self._lines.bind(self._past, self._present)

    def _generate(
        self, bias: Bias, uniforms: NDArray[np.int32], inverse_temperature: NDArray[np.float32]
    ) -> Samples:
        head = self.spec.output
        params = np.empty((self.batch, head.params), np.float32)
        draw = head.drawer(params, inverse_temperature)
        samples = np.empty(uniforms.shape[:2], head.sample_dtype)
        for t in range(len(uniforms)):
            params[:] = self._step(bias, t, len(uniforms))
            draw(uniforms[t], samples[t])
            self._push(samples[t])
        return samples

    def _score(self, samples: Samples, bias: Bias) -> NDArray[np.float32]:
        params = np.empty((*samples.shape, self.spec.output.params), np.float32)
        for t in range(len(samples)):
            params[t] = self._step(bias, t, len(samples))
            self._push(samples[t])
        return params

    def _snapshot(self) -> State:
        return {SAMPLES: self._window.copy(), DELAY_LINES: self._lines.snapshot()}

    def _restore(self, state: State) -> None:
        self._window = state[SAMPLES].copy()
        self._lines.restore(state[DELAY_LINES])

    def _push(self, sample: Samples) -> None:
        self._window = np.concatenate([self._window[1:], sample[None]])

    def _step(self, bias: Bias, t: int, steps: int) -> NDArray[np.float32]:
        spec, w = self.spec, self._w
        self._lines.read()
        h = np.tile(w["input.bias"], (self.batch, 1))
        for j in range(spec.input_kernel):
            newest = self._window[-1 - j]
            if spec.output.codes is None:
                h = h + newest[:, None] * w["input.weight"][j, 0]
            else:
                h = h + w["input.weight"][j][newest]
        skip = np.tile(w["skip.bias"], (self.batch, 1))
        half = spec.gate_channels // 2
        for layer in range(spec.layers):
            self._present[layer] = h
            a = h @ w["gate.weight"][layer, 0] + w["gate.bias"][layer]
            for j in range(1, spec.kernel):
                a = a + self._past[layer, j - 1] @ w["gate.weight"][layer, j]
            if bias is not None:
                a = a + bias[t * len(bias) // steps, layer]
            z = np.tanh(a[:, :half]) / (1 + np.exp(-a[:, half:]))
            skip = skip + z @ w["skip.weight"][layer]
            residual = z @ w["residual.weight"][layer] + w["residual.bias"][layer]
            h = (residual + h) * np.float32(spec.residual_scale)
        self._lines.write()
        hidden = np.maximum(np.maximum(skip, 0) @ w["head.0.weight"] + w["head.0.bias"], 0)
        params: NDArray[np.float32] = hidden @ w["head.1.weight"] + w["head.1.bias"]
        return params
