"""generator.onnx's inputs and outputs: what the graph is built to, and every host of one binds.

uniforms [P, B, U] ─┐
bias [N, L, B, G] ──┤                          ┌─ samples [P, B], audio [P, B]
temperature [B] ────┼─ P samples of B streams ─┼─ next.…
state.… ────────────┤                          └─ params [Q, B, A]
known [Q, B] ───────┘

P, N and Q are of a call: any number of samples, the rows of bias that are held for them (N divides
P), and how many of the samples are known beforehand. `known` is empty unless it is given.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wn_runtime.engines.step_signature import Signature, Tensor
from wn_runtime.model.layout import layout
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.state import SAMPLES

BLOCK = 64
"""K: samples whose taps at least as far back are made in one product. Any P will do; multiples of
K are fastest."""
KNOWN = "known"
POSTPROCESS = "postprocess"
_SAMPLES, _ROWS = "samples", "rows"
_SINGLE, _DOUBLE = np.dtype(np.float32), np.dtype(np.float64)


@dataclass(frozen=True)
class GeneratorSignature(Signature):
    """The generator graph's, float32.

    uniforms: integers of 24 bits. bias: conditioning, row n for samples n·P/N and on; absent for a
    model without. temperature: 0 is always the likeliest. state.…: as `model.layout` has it, and
    with a de-emphasis its memory. known: samples that are taken in place of what is drawn, from the
    first on. samples: -1 (NaN for amplitudes) where nothing could be drawn. audio: decoded and
    post-processed. params: the prediction of each of the known samples.
    """

    @classmethod
    def of(cls, spec: ModelSpec, batch: int) -> GeneratorSignature:
        """The signature of the graph of `batch` streams."""
        head, sample = spec.output, spec.output.sample_dtype
        inputs = {"uniforms": Tensor((batch, head.uniforms), np.dtype(np.int32), _SAMPLES)}
        if spec.conditioning:
            row = (spec.layers, batch, spec.gate_channels)
            inputs["bias"] = Tensor(row, _SINGLE, _ROWS)
        inputs["temperature"] = Tensor((batch,), _DOUBLE)
        carried = {
            name: Tensor((array.rows, batch, *array.channels), np.dtype(array.dtype))
            for name, array in layout(spec).items()
        }
        if spec.postprocess.deemphasis:
            carried[POSTPROCESS] = Tensor((batch,), _DOUBLE)
        inputs |= {f"state.{name}": tensor for name, tensor in carried.items()}
        inputs[KNOWN] = Tensor((batch,), sample, KNOWN)
        outputs = {
            SAMPLES: Tensor((batch,), sample, _SAMPLES),
            "audio": Tensor((batch,), _SINGLE, _SAMPLES),
            **{f"next.{name}": tensor for name, tensor in carried.items()},
            "params": Tensor((batch, head.params), _SINGLE, KNOWN),
        }
        return cls(inputs, outputs)

    @property
    def carried(self) -> list[str]:
        """The names of the state's tensors, without `state.` and `next.`."""
        return [name[5:] for name in self.outputs if name.startswith("next.")]
