"""The precision of an engine that parity could not open where the model was exported."""

from __future__ import annotations

from wn_runtime.engines.cuda.kind import CUDA
from wn_runtime.engines.native.kind import NATIVE
from wn_runtime.engines.onnx.kind import ONNX
from wn_runtime.model.manifest import Manifest

_SAME_WEIGHTS = {"int8": NATIVE.name, "fp16": ONNX.name}
"""Whose parity says that the weights of a precision will do."""


def cuda_precision(manifest: Manifest) -> str:
    """The cuda engine's: what parity found, else its fastest whose weights another engine proved.

    The native engine's int8 weights and int16 activations are its own, and onnx's float16 rounds
    more than it does. `wn-parity` on the device proves the engine itself.
    """
    if CUDA.name in manifest.default_precision:
        return CUDA.default_precision(manifest)
    passed = {(row.engine, row.precision) for row in manifest.parity if row.passed}
    for precision in CUDA.precisions:
        if (_SAME_WEIGHTS.get(precision), precision) in passed:
            return precision
    return CUDA.precisions[-1]
