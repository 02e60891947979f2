"""Drives a chunk graph in ONNX Runtime, so that parity covers it as it covers the engines.

Not an engine of the runtime: where ONNX Runtime is, the step graph is as fast.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wn_runtime.engines.engine import Bias, EngineUnavailable
from wn_runtime.model.manifest import Artifact
from wn_runtime.model.spec import ModelSpec


class ChunkEngine:
    """B streams, K steps a call; what `parity.compare` needs of an engine."""

    def __init__(self, path: Path, artifact: Artifact, spec: ModelSpec) -> None:
        try:
            import onnxruntime as ort
        except ImportError as error:
            raise EngineUnavailable(f"ONNX Runtime cannot be imported ({error})") from error
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = ort.InferenceSession(
            path.read_bytes(), options, providers=["CPUExecutionProvider"]
        )
        self.name, self.precision = f"chunk{artifact.steps_per_call}", artifact.precision
        self.spec, self.batch = spec, artifact.batch
        self._own = np.float16 if artifact.precision == "fp16" else np.float32
        self._steps = artifact.steps_per_call
        # A ring of every layer's inputs, as long as any tap reaches. Tap j of step i in the call
        # that starts at step t is row t + i - j*d.
        reach = (spec.kernel - 1) * max(spec.dilations)
        self._rows = np.zeros(
            (reach + self._steps, spec.layers, self.batch, spec.residual), self._own
        )
        j = np.arange(1, spec.kernel)[None, :, None]
        d = np.array(spec.dilations)[:, None, None]
        self._taps = np.arange(self._steps)[None, None] - j * d  # [L, k-1, K]
        self._layer = np.arange(spec.layers)[:, None, None]
        self.reset()

    def reset(self) -> None:
        """Back to silence."""
        self._time = 0
        self._rows[:] = 0
        shape = (self.batch, self.spec.input_kernel)
        self._heard = np.full(shape, self.spec.silence, np.int32)

    def score(self, samples: NDArray[np.int32], bias: Bias) -> NDArray[np.float32]:
        """See `Engine.score`; constant conditioning only."""
        zeros = np.zeros(samples.shape, np.float32)
        return np.concatenate([params for _, params in self._calls(samples, zeros, bias)])

    def generate(self, bias: Bias, uniforms: NDArray[np.float32]) -> NDArray[np.int32]:
        """See `Engine.generate`; temperature 1 and constant conditioning only."""
        free = np.full(uniforms.shape, -1, np.int32)
        return np.concatenate([samples for samples, _ in self._calls(free, uniforms, bias)])

    def close(self) -> None:
        """Give the session back."""
        del self._session

    def _calls(self, forced: NDArray[np.int32], uniforms: NDArray[np.float32], bias: Bias) -> Any:
        """Samples (n, B) and params (n, B, A) of each call; n is K but for the last."""
        for start in range(0, len(forced), self._steps):
            part = slice(start, start + self._steps)
            yield self._call(forced[part], uniforms[part], bias)

    def _call(
        self, forced: NDArray[np.int32], uniforms: NDArray[np.float32], bias: Bias
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        steps, missing = len(forced), self._steps - len(forced)
        fill = ((0, missing), (0, 0))  # steps that a short last call makes and nobody keeps
        past = self._rows[(self._time + self._taps) % len(self._rows), self._layer]
        feeds: dict[str, Any] = {
            "sample": self._heard,
            "past": past,  # [L, k-1, K, B, R]
            "uniforms": np.pad(uniforms, fill),
            "forced": np.pad(forced, fill),
            "inverse_temperature": np.ones(1, np.float32),
        }
        if bias is not None:
            shape = (self._steps, *bias.shape[1:])
            feeds["bias"] = np.broadcast_to(bias, shape).astype(self._own)
        names = ["samples", "params", "present"]
        samples, params, present = self._session.run(names, feeds)
        now = (self._time + np.arange(steps)) % len(self._rows)
        self._rows[now] = present[:, :steps].transpose(1, 0, 2, 3)
        self._time += steps
        heard = np.concatenate([self._heard, samples[:steps].T], axis=1)
        self._heard = np.ascontiguousarray(heard[:, -self.spec.input_kernel :])
        return samples[:steps], params[:steps]
