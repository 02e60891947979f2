"""PyTorch's predictions out of the arrays of a reference, checked against the model's spec."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wn_export.parity.expected import MOST_SAMPLES, Clip, Prediction
from wn_runtime import npz
from wn_runtime.model.spec import ModelSpec


def of(
    arrays: Mapping[str, NDArray[Any]],
    bias_samples: Sequence[int],
    clips: Sequence[Clip],
    spec: ModelSpec,
) -> tuple[Prediction, ...]:
    """The prediction of each clip.

    Raises ValueError for arrays of other shapes than the spec's, numbers that are not finite, and
    steps that are not in order within their clip.
    """
    count, total = len(clips), sum(len(clip.samples) for clip in clips)
    if total > MOST_SAMPLES:
        raise ValueError(f"the clips have {total} samples, over {MOST_SAMPLES}")
    _check(arrays, "bits", ())
    _check(arrays, "params", (spec.output.params,))
    bits = npz.split(arrays, "bits", "lengths", count)
    steps = npz.split(arrays, "steps", "kept", count)
    params = npz.split(arrays, "params", "kept", count)
    bias: Sequence[NDArray[np.float32] | None] = [None] * count
    if spec.conditioning:
        _check(arrays, "bias", (spec.layers, 1, spec.gate_channels))
        bias = npz.split(arrays, "bias", "bias_rows", count)
    made = []
    for i, clip in enumerate(clips):
        length = len(clip.samples)
        _check_steps(steps[i], length, f"clip {i}")
        _check_bias(bias[i], bias_samples[i], length, f"clip {i}")
        made.append(Prediction(bits[i], steps[i], params[i], bias[i], bias_samples[i]))
    return tuple(made)


def _check(arrays: Mapping[str, NDArray[Any]], name: str, row: tuple[int, ...]) -> None:
    """Rows of that shape, all finite."""
    array = arrays[name]
    if array.ndim != 1 + len(row) or array.shape[1:] != row:
        raise ValueError(f"{name} is {array.shape}; each row of this model's is {row}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds NaN or infinity")


def _check_steps(steps: NDArray[Any], length: int, what: str) -> None:
    if steps.ndim != 1 or steps[0] < 0 or steps[-1] >= length or (steps[1:] <= steps[:-1]).any():
        raise ValueError(f"{what}: its steps are not in order from 0 to {length - 1}")


def _check_bias(bias: NDArray[Any] | None, samples: int, length: int, what: str) -> None:
    """As many samples as the clip has at most; each row held for as many of them."""
    rows = 0 if bias is None else len(bias)
    least, most = (0, 0) if bias is None else (1, length)
    if not least <= samples <= most or (rows and samples % rows):
        raise ValueError(f"{what}: its bias has {rows} rows for {samples} of its {length} samples")
