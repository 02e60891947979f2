"""A generator graph called by hand: ONNX Runtime and what its signature promises, no engine."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray

from wn_export.graphs.generator.graph import build_generator_graph
from wn_runtime.engines.generator.signature import GeneratorSignature
from wn_runtime.model.layout import initial
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.weights import Weights

Arrays = dict[str, NDArray[Any]]


class Session:
    """B streams; what is given of the inputs besides is the caller's."""

    def __init__(self, spec: ModelSpec, weights: Weights, batch: int = 1) -> None:
        self.model: onnx.ModelProto = build_generator_graph(spec, weights, batch)
        self.start: Arrays = {
            "temperature": np.ones(batch),
            "known": np.zeros((0, batch), spec.output.sample_dtype),
            **{f"state.{name}": array for name, array in initial(spec, batch).items()},
        }
        if spec.postprocess.deemphasis:
            self.start["state.postprocess"] = np.zeros(batch)
        self._names = list(GeneratorSignature.of(spec, batch).outputs)
        self._session = ort.InferenceSession(self.model.SerializeToString())

    def __call__(self, **given: Any) -> Arrays:
        feeds = {**self.start, **{name: each for name, each in given.items() if each is not None}}
        return dict(zip(self._names, self._session.run(self._names, feeds), strict=True))

    @staticmethod
    def state_of(outputs: Arrays) -> Arrays:
        """What the next call is given of this one's outputs."""
        return {
            f"state.{name[5:]}": array
            for name, array in outputs.items()
            if name.startswith("next.")
        }
