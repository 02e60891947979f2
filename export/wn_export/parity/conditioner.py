"""The gates' bias held against PyTorch's: as NumPy makes it, and as conditioner.onnx does."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from wn_export.parity.conditioner_graph import ConditionerGraph
from wn_export.parity.expected import Clip, Reference
from wn_runtime.conditioning.conditioner import Bias
from wn_runtime.errors import EngineUnavailable
from wn_runtime.model.manifest import ConditionerRow
from wn_runtime.model.package import ModelPackage

TOLERANCE = 1e-5
"""max |delta bias| over max |bias|."""
CONDITIONER = "conditioner.onnx"

Way = Callable[[Clip, int], Bias]
"""A clip and a number of samples -> the bias (N, L, 1, G) of its first so many."""


def compare_conditioners(package: ModelPackage, reference: Reference) -> list[ConditionerRow]:
    """A row for each way of making the bias that is here; none for a model without conditioning.

    Raises WavestepError where conditioner.onnx is missing, changed, broken or another model's.
    """
    if not package.spec.conditioning:
        return []
    rows = [_row("numpy", reference, lambda clip, count: _numpy(package, clip, count))]
    if CONDITIONER in package.manifest.files:
        try:
            graph = ConditionerGraph(package, CONDITIONER)
        except EngineUnavailable:
            return rows
        rows.append(_row("onnx", reference, graph.bias))
    return rows


def _row(name: str, reference: Reference, way: Way) -> ConditionerRow:
    """Both are compared row by row of the finer: they may hold theirs for different times."""
    worst, largest = 0.0, 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        for clip, prediction in zip(reference.clips, reference.predictions, strict=True):
            found = way(clip, prediction.bias_samples)
            assert prediction.bias is not None  # the model has conditioning
            assert found is not None
            rows = math.lcm(len(found), len(prediction.bias))
            expected = _held(prediction.bias, rows)
            errors = np.abs(_held(found, rows) - expected)
            worst = float(np.maximum(worst, errors.max()))  # NaN stays
            largest = max(largest, float(np.abs(expected).max()))
    error = worst / largest if largest else worst
    finite = math.isfinite(error)
    return ConditionerRow(name, error if finite else None, finite and error <= TOLERANCE)


def _held(bias: NDArray[np.float32], rows: int) -> NDArray[np.float32]:
    return bias if len(bias) == rows else np.repeat(bias, rows // len(bias), axis=0)


def _numpy(package: ModelPackage, clip: Clip, count: int) -> Bias:
    return package.conditioner.whole(
        dict(clip.conditions), 1, count, clip.frames, clip.samples[:, None]
    )
